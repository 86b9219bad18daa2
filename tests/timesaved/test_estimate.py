"""The estimate as a whole: closed forms, calibration, measurements, checks, evidence."""

import json
import math

import numpy as np
import pytest
from declared import LINE, RANGED, inventory

from opslab import timesaved, workspace
from opslab.errors import DataError
from opslab.timesaved.inventory import Inventory, Measurement
from opslab.timesaved.quantities import updated
from opslab.uncertainty.distributions import Lognormal, beta_interval, lognormal, quantile

MEASURED = {
    "task": "tag",
    "quantity": "reduction",
    "value": 0.4,
    "low": 0.3,
    "high": 0.5,
    "basis": "did",
}


def status(result, name):
    return result.check(name).status


@pytest.fixture(scope="module")
def sample():
    path = workspace.bundled("data/sample/product_desk.yaml")
    return timesaved.estimate(Inventory.load(path), draws=5_000)


def test_the_sample_holds_its_truth(sample):
    truth = json.loads(workspace.bundled("data/sample/product_desk_truth.json").read_text())
    assert sample.freed.low < truth["freed_hours"] < sample.freed.high
    assert sample.gross == pytest.approx(truth["gross_hours"], rel=0.15)
    assert sample.action == "measure"
    assert all(one.status == "pass" for one in sample.checks if one.name != "evidence")
    assert sample.updates[0].measured_share > 0.9
    assert sample.rate == pytest.approx((5 + 5.5) / 18)


def test_the_truth_of_the_sample_is_what_its_values_give():
    """Spelled out month by month with plain numbers, without opslab."""
    import csv

    truth = json.loads(workspace.bundled("data/sample/product_desk_truth.json").read_text())
    with workspace.bundled("data/sample/product_desk.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    gross = freed = 0.0
    tasks = {}
    for row, line in zip(rows, truth["lines"], strict=True):
        assert (row["task"], row["initiative"]) == (line["task"], line["initiative"])
        tasks.setdefault((row["task"], row["role"]), []).append((row, line))
    for lines in tasks.values():
        first, known = lines[0]
        people = float(first["people"]) * float(first["eligible_share"].rstrip("%")) / 100
        hours = people * known["frequency"] * known["minutes"] / 60 * 45
        gross += hours
        for month in range(36):
            left, moments = 1.0, month + (np.arange(100) + 0.5) / 100
            for row, line in lines:
                to_90 = float(row["ramp_months"])
                use = (
                    line["adoption"]
                    * (1 / (1 + np.exp(-math.log(81) / to_90 * (moments - to_90 / 2)))).mean()
                )
                left *= 1 - line["reduction"] * use * (1 - truth["decay"]) ** (month / 12)
                freed -= people * line["new_minutes"] / 60 * 45 * use / 36
            freed += hours * (1 - left) / 36
    assert (gross, freed) == pytest.approx((truth["gross_hours"], truth["freed_hours"]), abs=0.2)


def test_means_are_those_of_the_closed_form():
    """Independent factors: the mean of the product is the product of the means."""
    lines = [RANGED | {"decay": 0, "ramp_months": 0}]
    result = timesaved.estimate(inventory(*lines), draws=100_000)
    made = result.known
    mean = {one.name.partition("/")[0]: one.used.mean for one in made}
    gross = 10 * mean["frequency"] * mean["minutes"] / 60 * 45
    new = 10 * mean["new_minutes"] / 60 * 45
    exact = mean["adoption"] * (gross * mean["reduction"] - new)
    assert result.freed.mean == pytest.approx(exact, abs=4 * result.freed.mean_error)
    assert result.savings[0].full_mean == pytest.approx(gross * mean["reduction"] - new, rel=0.01)


def test_worse_calibration_widens_and_never_raises_what_is_expected():
    trained, untrained = (
        timesaved.estimate(inventory(RANGED, calibration=how), draws=100_000)
        for how in ("trained", "untrained")
    )
    assert untrained.freed.high - untrained.freed.low > 1.5 * (
        trained.freed.high - trained.freed.low
    )
    assert untrained.freed.mean <= trained.freed.mean + 4 * (
        untrained.freed.mean_error + trained.freed.mean_error
    )
    for one, other in zip(trained.known, untrained.known, strict=True):
        assert other.used.mean == pytest.approx(one.used.mean)


def test_own_past_estimates_calibrate_and_are_remembered():
    past = [
        {"estimate": f"old {k}", "low": 1, "high": 2, "measured": 1.5 + (k % 2)} for k in range(20)
    ]
    made = timesaved.estimate(
        inventory(RANGED, calibration="past", past=past, measurements=[MEASURED]), draws=2_000
    )
    assert made.rate == pytest.approx((10 + 5.5) / 30)
    kept = made.memory()
    assert list(kept.columns) == ["estimate", "low", "high", "measured"]
    assert len(kept) == 21
    assert kept.iloc[-1].tolist() == pytest.approx(["reduction/tag/pm/desk", 0.2, 0.6, 0.4])
    again = inventory(RANGED, calibration="past", past=kept.to_dict("records"))
    assert timesaved.estimate(again, draws=2_000).rate == pytest.approx((11 + 5.5) / 31)


def test_an_update_by_hand():
    """Minutes 10 to 40 thought, 25 (20 to 31.25) measured: precisions add on the logarithm."""
    prior = lognormal(10, 40)
    one = Measurement(
        task="tag", quantity="minutes", value=25, low=20, high=31.25, basis="before_after"
    )
    found = updated(one, "minutes/tag/pm", prior, prior)
    t0, s = math.log(4) / 3.289707, math.log(31.25 / 20) / 3.919928
    precision = 1 / t0**2 + 1 / s**2
    mu = (math.log(20) / t0**2 + math.log(25) / s**2) / precision
    assert (found.posterior.mu, found.posterior.sigma) == pytest.approx(
        (mu, precision**-0.5), rel=1e-5
    )
    assert found.measured_share == pytest.approx(1 / s**2 / precision, rel=1e-5)
    assert found.used == "both"


def test_a_measured_reduction_is_an_effect_on_the_logarithm_of_what_is_left():
    prior = beta_interval(0.2, 0.6)
    found = updated(Measurement(**MEASURED), "r", prior, prior)
    assert quantile(found.data, 0.5) == pytest.approx(0.4)
    assert found.data.mu == pytest.approx(math.log(0.6))
    assert isinstance(found.posterior, Lognormal)
    assert found.posterior.reduction
    assert 0.35 < found.posterior.mean < 0.42


@pytest.mark.parametrize(("value", "used"), [(-0.2, "data"), (0.93, "prior")])
def test_a_contradiction_is_flagged_and_never_averaged(value, used):
    one = MEASURED | {"value": value, "low": value - 0.04, "high": value + 0.04}
    result = timesaved.estimate(inventory(RANGED, measurements=[one]), draws=2_000)
    (found,) = result.updates
    assert abs(found.z) > 2
    assert found.used == used
    assert found.posterior in (found.prior, found.data)
    assert found.posterior.mean == min(found.prior.mean, found.data.mean)
    assert status(result, "conflict") == "warn"
    assert "contradict" in result.first_screen().reasons[0]


def test_a_measured_saving_has_the_grade_of_its_measurement():
    assert timesaved.estimate(inventory(RANGED), draws=1_000).savings[0].grade == "F"
    measured = timesaved.estimate(inventory(RANGED, measurements=[MEASURED]), draws=1_000)
    assert measured.savings[0].grade == "B"
    assert measured.action == "count"
    assert status(measured, "evidence") == "pass"


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"task": "tagg"}, "timesaved.unmatched_near"),
        ({"task": "something else"}, "timesaved.unmatched"),
        ({"initiative": "template"}, "timesaved.unmatched_near"),
    ],
)
def test_a_measurement_of_nothing_is_refused(change, key):
    with pytest.raises(DataError) as refused:
        timesaved.estimate(inventory(RANGED), [Measurement(**(MEASURED | change))])
    assert refused.value.problems[0].key == key


def test_a_reduction_measured_where_two_changes_meet_must_name_its_own():
    lines = RANGED, RANGED | {"initiative": "template"}
    with pytest.raises(DataError, match="desk and template"):
        timesaved.estimate(inventory(*lines), [Measurement(**MEASURED)])
    named = Measurement(**MEASURED, initiative="template")
    assert len(timesaved.estimate(inventory(*lines), [named], draws=1_000).updates) == 1


def test_a_known_number_cannot_learn():
    with pytest.raises(DataError, match="give a range"):
        timesaved.estimate(inventory(LINE), [Measurement(**MEASURED)])


def test_60_hours_of_tasks_in_a_35_hour_week_stop_the_estimate():
    result = timesaved.estimate(inventory(LINE | {"frequency": 60, "minutes": 60}), draws=1_000)
    check = result.check("capacity")
    assert (check.status, check.blocking) == ("fail", True)
    assert check.detail.values["hours"] == pytest.approx(60)
    assert check.detail.values["rows"] == [1]
    assert result.action == "stop"
    assert result.record()["status"] == "check_failed"
    assert result.evidence() == []
    assert "No saving is claimed" in result.headline()


def test_capacity_is_by_role_and_warns_above_90_percent():
    half = LINE | {"frequency": 16, "minutes": 60}
    both = [half, half | {"task": "route"}]
    assert status(timesaved.estimate(inventory(*both), draws=1_000), "capacity") == "warn"
    apart = [half, half | {"task": "route", "role": "lead"}]
    assert status(timesaved.estimate(inventory(*apart), draws=1_000), "capacity") == "pass"
    assert (
        status(timesaved.estimate(inventory(*both, contract_hours=40), draws=1_000), "capacity")
        == "pass"
    )


def test_what_needs_evidence_is_flagged_with_its_rows():
    claimed = LINE | {
        "frequency": 20,
        "minutes": 60,
        "reduction": 0.5,
        "recapture": 0.95,
        "benefit": "hard",
    }
    result = timesaved.estimate(inventory(claimed), draws=1_000)
    for name in ("evidence", "share_of_week", "recapture", "hard"):
        assert status(result, name) == "warn", name
    assert result.check("recapture").detail.values["rows"] == [1]
    for nobody in ({"owner": "?", "source": "line 12"}, {"owner": "cfo", "source": "-"}):
        stopgap = timesaved.estimate(inventory(claimed | nobody), draws=1_000)
        assert status(stopgap, "hard") == "warn"
    shown = claimed | {"basis": "randomised", "owner": "cfo", "source": "line 12"}
    assert {
        status(timesaved.estimate(inventory(shown), draws=1_000), name)
        for name in ("evidence", "share_of_week", "recapture", "hard")
    } == {"pass"}


def test_evidence_is_hours_at_full_use_with_claim_and_grade(sample):
    found = sample.evidence()
    assert len(found) == len(sample.savings) == len({one.claim for one in found})
    one = next(one for one in found if one.claim == "hours:analyst/compile the metrics report")
    assert (one.unit, one.per, one.benefit, one.grade, one.kind) == (
        "hours",
        "year",
        "hard",
        "D",
        "causal",
    )
    assert one.quantity.family == "quantiles"
    assert (
        one.quantity.parameters["p5"] == one.quantity.low < one.quantity.value < one.quantity.high
    )
    assert one.owner == "head of data"
    assert {source.name for source in one.sources} >= {"data/sample/product_desk.csv"}
    opinions = [one for one in found if one.grade == "F"]
    assert opinions
    assert all(one.kind == "opinion" for one in opinions)


def test_parts_sum_to_the_whole(sample):
    total = sample.freed.mean
    assert sum(hours for one in sample.savings for _, hours in one.parts) == pytest.approx(total)
    for kind in ("role", "initiative", "benefit"):
        assert sum(one.mean for one in sample.of(kind).values()) == pytest.approx(total)
    steps = {name: one.mean for name, one in sample.of("step").items()}
    assert steps["kept"] - steps["new_work"] == pytest.approx(total)
    assert sum(
        one.mean for name, one in sample.of("money").items() if name != "all"
    ) == pytest.approx(sample.sums["money", "all"].mean)


def test_the_same_seed_gives_the_same_record_and_another_one_the_same_printed_digits_nearly(sample):
    path = workspace.bundled("data/sample/product_desk.yaml")
    again, other = (
        timesaved.estimate(Inventory.load(path), draws=5_000, seed=seed) for seed in (1, 2)
    )
    assert json.dumps(again.record()) == json.dumps(sample.record())
    assert other.freed.mean == pytest.approx(sample.freed.mean, abs=5 * sample.freed.mean_error)
    assert other.freed.high == pytest.approx(sample.freed.high, abs=5 * sample.freed.end_error)


def test_the_record_is_json_without_nan_and_small(sample):
    record = sample.record()
    assert len(json.dumps(record, allow_nan=False)) < 200_000
    assert record["schema"] == "opslab.timesaved/1"
    assert [one["file"] for one in record["inputs"]] == [
        f"data/sample/product_desk{end}" for end in (".yaml", ".csv", "_measured.csv", "_past.csv")
    ]
    assert len(sample.frame()) == len(sample.savings)
    assert repr(sample).startswith("<TimeSavedResult: The changes free")


def test_a_certain_inventory_has_no_drivers():
    result = timesaved.estimate(inventory(LINE), draws=1_000)
    assert result.drivers == ()
    assert len(result.drivers.blocks("fr")) == 2
    assert result.first_screen("fr").reasons
