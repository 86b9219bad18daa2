"""Evidence refuses at birth what a case could not read; its record tells the same evidence again."""

import copy
import datetime
import json
import pickle

import pandas as pd
import pytest
from scipy import stats

from opslab import experiments
from opslab.evidence import Evidence, Quantity, SourceFile
from opslab.experiments.arms import ArmLabel
from opslab.messages import Bilingual, text
from opslab.uncertainty.distributions import Quantiles

NORMAL = Quantity("normal", {"location": 2.0, "scale": 0.5}, 2.0, 1.0, 3.0, 0.95)


def evidence(**fields):
    given = {
        "id": "checkout/orders/short",
        "kind": "causal",
        "statement": ("experiments.evidence", {"metric": "orders", "arm": "a", "control": "b"}),
        "quantity": NORMAL,
        "unit": "share",
        "per": "unit",
        "period": (datetime.date(2026, 9, 1), None),
        "population": "user",
        "claim": "metric:orders",
        "benefit": "enabled",
        "grade": "A",
        "sources": (SourceFile("a.csv", "0" * 64, 12),),
        "date": datetime.date(2026, 9, 28),
    }
    return Evidence(**(given | fields))


@pytest.mark.parametrize(
    ("family", "parameters", "like"),
    [
        ("normal", {"location": 2.0, "scale": 0.5}, stats.norm(2, 0.5)),
        (
            "student_t",
            {"location": 2.0, "scale": 0.5, "degrees_of_freedom": 7.5},
            stats.t(7.5, 2, 0.5),
        ),
        ("beta", {"a": 2.0, "b": 6.0}, stats.beta(2, 6)),
    ],
)
def test_a_quantity_is_distributed_as_its_family_says(family, parameters, like):
    quantity = Quantity(family, parameters, like.mean(), *like.interval(0.9), 0.9)
    assert quantity.distribution.mean == pytest.approx(like.mean())
    assert quantity.distribution.sd == pytest.approx(like.std())
    scores = stats.norm.ppf([0.05, 0.3, 0.9])
    assert quantity.distribution.at(scores) == pytest.approx(like.ppf([0.05, 0.3, 0.9]))


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_an_interval_and_a_count_become_quantities(level):
    """The normal has the interval's ends as its quantiles; a share the Jeffreys posterior."""
    normal = Quantity.normal(10.0, *stats.norm(10, 3).interval(level), level)
    assert normal.distribution.sd == pytest.approx(3)
    share = Quantity.share(3, 10, *stats.beta(3.5, 7.5).interval(level), level)
    assert (share.value, share.distribution.mean) == pytest.approx((0.3, 3.5 / 11))
    assert Quantity.normal(1e12, 1e12, 1e12).distribution.mean == 1e12  # exact


def test_quantiles_keep_the_mean_that_is_told():
    points = {"p95": 330.0, "p5": 100.0, "p50": 200.0, "p2.5": 100.0}
    distribution = Quantity("quantiles", points, 207.0, 100.0, 330.0, 0.9).distribution
    shares, values = (0.025, 0.05, 0.5, 0.95), (100.0, 100.0, 200.0, 330.0)
    assert distribution == Quantiles(shares, values, 207.0)


@pytest.mark.parametrize("family", ["cauchy", "draws", "", "Normal"])
def test_a_family_that_is_not_known(family):
    with pytest.raises(ValueError, match=f"There is no family '{family}'; there are normal"):
        Quantity(family, {"location": 1.0, "scale": 1.0}, 1.0, 0.0, 2.0, 0.9)


INFINITE, NAN = float("inf"), float("nan")
BROKEN = [
    ("normal", {"scale": 1.0}, "location"),
    ("normal", {}, "location"),
    ("normal", {"location": 1.0, "scale": -3.0}, "scale above 0"),
    ("normal", {"location": 1.0, "scale": 0.0}, "scale above 0"),
    ("normal", {"location": INFINITE, "scale": 3.0}, "finite location"),
    ("normal", {"location": -INFINITE, "scale": 3.0}, "finite location"),
    ("normal", {"location": 1.0, "scale": INFINITE}, "finite scale"),
    ("student_t", {"location": 1.0, "scale": 1.0}, "degrees_of_freedom"),
    ("student_t", {"location": 1.0, "scale": 0.0, "degrees_of_freedom": 5.0}, "scale"),
    ("student_t", {"location": 1.0, "scale": -1.0, "degrees_of_freedom": 5.0}, "scale"),
    ("student_t", {"location": 1.0, "scale": 1.0, "degrees_of_freedom": 0.0}, "above 2"),
    ("student_t", {"location": 1.0, "scale": 1.0, "degrees_of_freedom": 2.0}, "above 2"),
    ("student_t", {"location": NAN, "scale": 1.0, "degrees_of_freedom": 9.0}, "location"),
    ("beta", {"a": 0.0, "b": 1.0}, "finite a above 0"),
    ("beta", {"a": -1.0, "b": 1.0}, "finite a above 0"),
    ("beta", {"a": 1.0, "b": INFINITE}, "finite b above 0"),
    ("beta", {"b": 1.0}, "finite a above 0"),
    ("quantiles", {"p5": 3.0, "p50": 2.0, "p95": 1.0}, "three points that rise"),
    ("quantiles", {"p5": 3.0, "p95": 4.0}, "three points that rise"),
    ("quantiles", {}, "three points that rise"),
    ("quantiles", {"p0": 1.0, "p50": 1.5, "p95": 2.0}, "three points that rise"),
    ("quantiles", {"p5": 0.0, "p50": 1.0, "p100": 1.0}, "three points that rise"),
    ("quantiles", {"p-5": 1.0, "p50": 2.0, "p95": 3.0}, "three points that rise"),
    ("quantiles", {"p5": 1.0, "p50": 2.0, "p95": NAN}, "three points that rise"),
    ("quantiles", {"p5": 1.0, "p50": 2.0, "p95": INFINITE}, "three points that rise"),
    ("quantiles", {"low": 1.0, "p50": 2.0, "p95": 3.0}, "float"),
]


@pytest.mark.parametrize(("family", "parameters", "told"), BROKEN)
def test_parameters_that_make_no_distribution(family, parameters, told):
    with pytest.raises(ValueError, match=told):
        Quantity(family, parameters, 1.0, 0.0, 2.0, 0.9)


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ((2.0, 3.0, 1.0, 0.9), "no finite interval"),
        ((NAN, 1.0, 3.0, 0.9), "no finite interval"),
        ((INFINITE, None, None, 0.9), "no finite interval"),
        ((2.0, -INFINITE, 3.0, 0.9), "no finite interval"),
        ((2.0, 1.0, NAN, 0.9), "no finite interval"),
        ((2.0, 1.0, 3.0, 0.0), "level 0.0 is not between"),
        ((2.0, 1.0, 3.0, 1), "level 1 is not between"),
        ((2.0, 1.0, 3.0, 95), "level 95 is not between"),
        ((2.0, 1.0, 3.0, NAN), "level nan is not between"),
    ],
)
def test_an_interval_that_cannot_be(numbers, told):
    with pytest.raises(ValueError, match=told):
        Quantity("normal", {"location": 2.0, "scale": 0.5}, *numbers)


@pytest.mark.parametrize("ends", [(None, None), (None, 3.0), (1.0, None), (2.0, 2.0)])
def test_an_interval_may_be_open_or_without_width(ends):
    assert Quantity("normal", NORMAL.parameters, 2.0, *ends, 0.9).distribution.mean == 2.0


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("kind", "hunch"),
        ("per", "month"),
        ("per", ""),
        ("benefit", "soft"),
        ("grade", "G"),
        ("grade", "a"),
        ("grade", None),
        ("unit", ""),
        ("id", ""),
        ("claim", ""),
    ],
)
def test_a_field_that_is_none_of_its_choices(name, given):
    with pytest.raises(ValueError, match=name):
        evidence(**{name: given})
    with pytest.raises(ValueError, match=name):
        Evidence.from_record({**evidence().record(), name: given})


def test_a_record_tells_the_same_evidence():
    first = evidence(run="experiment_readout/checkout/2026-09-28-0123abcd", owner="growth")
    record = json.loads(json.dumps(first.record(), allow_nan=False))
    again = Evidence.from_record(record)
    assert again == first
    assert again.record() == first.record()
    assert "distribution" not in record["quantity"]
    assert again.quantity.distribution == NORMAL.distribution
    for carry in (copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))):
        assert carry(first) == first


@pytest.mark.parametrize(
    "change",
    [
        {"quantity": {"family": "draws", "file": "draws.npy"}},
        {"quantity": {**evidence().record()["quantity"], "family": "draws"}},
        {"quantity": {**evidence().record()["quantity"], "level": 2}},
        {"statement": {"key": "experiments.evidence"}},
        {"statement": "experiments.evidence"},
        {"statement": None},
        {"period": ["soon", None]},
    ],
)
def test_a_record_that_tells_none(change):
    with pytest.raises(ValueError):  # noqa: PT011 - pydantic's own words, or ours
        Evidence.from_record({**evidence().record(), **change})


@pytest.mark.parametrize("kind", ["mean", "ratio"])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 30])
def test_an_experiment_of_few_units_hands_over_what_can_be_read(count, kind):
    """With two degrees of freedom or fewer an effect has no variance, and is no evidence."""
    rows = range(2 * count)
    one_off = [1.0, *[0.0] * (2 * count - 1)]
    data = {"user": rows, "arm": ["a", "b"] * count, "gain": one_off, "visits": [1] * 2 * count}
    columns = {"mean": {"column": "gain"}, "ratio": {"numerator": "gain", "denominator": "visits"}}
    metric = {"name": "gain", "type": kind, "role": "primary", "goal": "increase", **columns[kind]}
    experiment = experiments.Experiment(
        experiment="few", unit="user", arms={"column": "arm", "control": "a"}, metrics=[metric]
    )
    found = experiments.analyze(experiment, pd.DataFrame(data)).evidence()
    assert [evidence.claim for evidence in found] == ["metric:gain"] * (count > 3)


def test_words_of_both_languages_outlive_the_record():
    """The English is what is compared and counted; each reader is told their own."""
    task, desk = Bilingual("tag", french="étiqueter"), Bilingual("desk", french="guichet")
    hours = {
        "statement": ("timesaved.evidence", {"task": task, "role": "pm", "initiatives": [desk]}),
        "unit": Bilingual("tickets", french="demandes"),
        "population": Bilingual("agent", french="conseiller"),
        "owner": Bilingual("support", french="assistance"),
    }
    record = json.loads(json.dumps(evidence(**hours).record()))
    again = Evidence.from_record(record)
    assert again == evidence(**hours)
    assert again.record() == record
    told = text(again.statement[0], "fr", **again.statement[1])
    assert told.startswith("étiqueter (pm)")
    assert "guichet" in told
    assert [word.spoken("fr") for word in (again.unit, again.population, again.owner)] == [
        "demandes",
        "conseiller",
        "assistance",
    ]
    arm = ArmLabel.named("b", Bilingual("Short", french="Court"))
    named = {"metric": "orders", "arm": arm, "control": "a"}
    shown = Evidence.from_record(evidence(statement=("experiments.evidence", named)).record())
    assert shown.statement[1]["arm"].spoken("en") == "Short"
    assert shown.statement[1]["arm"].spoken("fr") == "Court"


def test_a_record_without_french_is_as_it_was():
    record = evidence(owner="ops").record()
    assert record["statement"]["values"] == {"metric": "orders", "arm": "a", "control": "b"}
    assert (record["unit"], record["population"], record["owner"]) == ("share", "user", "ops")
    counted = ("feedback.evidence", {"theme": "parcels", "messages": 90, "total": 747})
    assert Evidence.from_record(evidence(statement=counted).record()).statement == counted
