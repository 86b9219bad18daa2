"""What each type of metric can be had from, and what it is called by: computed, or refused by name."""

import json
import pickle

import numpy as np
import pandas as pd
import pytest

from opslab import experiments
from opslab.errors import DataError, SpecError
from opslab.experiments.metrics import scale_of
from opslab.experiments.metrics.base import EVERY_FORM
from opslab.experiments.spec import Experiment
from opslab.messages import spoken

TYPES = {
    "mean": {"column": "y"},
    "proportion": {"column": "hit"},
    "ratio": {"numerator": "y", "denominator": "d"},
    "quantile": {"column": "y", "quantile": 0.5},
}
HAS = {
    "mean": set(EVERY_FORM),
    "proportion": EVERY_FORM - {"cap"},
    "ratio": EVERY_FORM - {"events", "trigger", "spans"},
    "quantile": {"per_row"},
}
WINDOW = {"event": "buy", "window": {"to": "4d"}}
FINER = {"path": "t", "rows": "finer"}
TOTALS = {"path": "t", "rows": "totals"}
PERIOD = {"time": "at", "start": "2026-03-01", "end": "2026-03-08"}
FORMS = {  # the metric's fields, and the spec's, that ask for a form
    "events": (WINDOW, {"data": {"assignments": "a", "events": "e"}}),
    "per_row": ({"per": "row"}, {"data": FINER}),
    "totals": ({}, {"data": TOTALS, "unit": "d", "period": PERIOD}),
    "strata": ({}, {"strata": ["pair"]}),
    "covariates": ({"covariates": ["x"]}, {}),
    "cap": ({"cap": {"quantile": 0.9}}, {}),
}


def metric(kind, **fields):
    own = {"name": "m", "type": kind, "role": "primary", "goal": "increase"}
    return own | ({} if "event" in fields and "column" in TYPES[kind] else TYPES[kind]) | fields


def spec(*metrics, **fields):
    arms = {"column": "arm", "control": "old", "weights": {"old": 1, "new": 1}}
    known = {"experiment": "a test", "unit": "unit", "arms": arms, "metrics": metrics}
    return Experiment(**(known | fields))


def units(n=640):
    random = np.random.default_rng(1)
    frame = pd.DataFrame({"unit": np.arange(n), "arm": np.where(np.arange(n) % 2, "new", "old")})
    frame["x"], frame["pair"] = random.normal(10, 2, n), frame.unit // 2 % 8
    frame["y"], frame["d"] = frame.x * random.lognormal(0, 0.3, n), random.integers(2, 9, n)
    frame["hit"], frame["met"] = random.integers(0, 2, n), frame.unit % 3 > 0
    frame["at"] = pd.Timestamp("2026-03-01") + pd.to_timedelta(frame.pair, unit="D")
    return frame


def data(form):
    frame = units()
    if form == "per_row":
        return frame.assign(unit=frame.unit % 80)
    if form != "events":
        return frame
    random, n = np.random.default_rng(2), 6_000
    events = pd.DataFrame({"unit": random.integers(0, 640, n), "event": "buy"})
    events["when"] = pd.Timestamp("2026-03-01") + pd.to_timedelta(
        random.uniform(0, 30, n), unit="D"
    )
    return {"assignments": frame, "events": events}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", TYPES)
def test_a_form_is_computed_or_refused_by_name(kind, form):
    fields, more = FORMS[form]
    if kind == "quantile" and form == "events":
        fields = fields | TYPES[kind]
    if form in HAS[kind]:
        result = experiments.analyze(spec(metric(kind, **fields), **more), data(form))
        (one,) = result.comparisons
        assert one.type == kind
        assert one.not_estimable is None
        assert one.p_value is not None
        return
    with pytest.raises(SpecError) as caught:
        experiments.analyze(spec(metric(kind, **fields), **more), data(form))
    (problem,) = caught.value.problems
    assert problem.key == f"experiments.form_{form}"
    assert dict(problem.values)["name"] == "m"
    others = {name for name in HAS if form in HAS[name]}
    assert others <= set(dict(problem.values)["types"])
    assert not (HAS.keys() - others) & set(dict(problem.values)["types"])


@pytest.mark.parametrize("kind", TYPES)
def test_segments_break_a_metric_down_or_say_why_not(kind):
    result = experiments.analyze(spec(metric(kind), segments=["pair"]), units())
    (test,) = result.interactions
    refused = test.not_estimable is not None
    assert refused == ("segments" not in HAS[kind])
    assert len(result.segments) == (0 if refused else 8)
    if refused:
        assert test.not_estimable.key == "experiments.form_segments"
        assert dict(test.not_estimable.values)["type"] == kind


@pytest.mark.parametrize("kind", TYPES)
def test_a_trigger_dilutes_a_metric_or_says_why_not(kind):
    (one,) = experiments.analyze(spec(metric(kind), trigger="met"), units()).comparisons
    notes = [note.key for note in one.notes]
    assert (one.diluted is None) == ("trigger" not in HAS[kind])
    assert ("experiments.form_trigger" in notes) == (one.diluted is None)


def test_types_have_a_scale():
    assert {kind: scale_of(kind) for kind in TYPES} == {
        "mean": "value",
        "proportion": "share",
        "ratio": "value",
        "quantile": "value",
    }


def test_a_share_is_compared_by_its_counts_whether_or_not_covariates_are_there():
    frame = units(200).assign(hit=lambda t: (t.unit % 20 == 0).astype(int))
    plain, sharp = (
        experiments.analyze(spec(metric("proportion", **more)), frame).comparisons[0]
        for more in ({}, {"covariates": ["x"]})
    )
    assert (plain.method, sharp.method) == ("score", "score")
    assert (sharp.p_value, sharp.difference_interval) == (plain.p_value, plain.difference_interval)
    assert plain.notes == ()
    assert [note.key for note in sharp.notes] == ["experiments.covariate_small_counts"]


NAMES = {"old": {"en": "Long label", "fr": "Libellé long"}, "new": "Short label"}


def named(**more):
    both = {"en": "spend", "fr": "dépense"}
    arms = {"column": "arm", "control": "old", "weights": {"old": 1, "new": 1}} | more
    return spec(metric("mean", name=both, mde={"relative": 0.1}), arms=arms, segments=["pair"])


def test_names_in_both_languages_are_in_every_part_of_the_result():
    result = experiments.analyze(named(names=NAMES), units())
    for one in (*result.comparisons, *result.segments):
        assert (one.metric, one.arm, one.control) == ("spend", "new", "old")
        assert spoken((one.metric, one.arm, one.control), "en") == [
            "spend",
            "Short label",
            "Long label",
        ]
        assert spoken((one.metric, one.arm, one.control), "fr") == [
            "dépense",
            "Short label",
            "Libellé long",
        ]
    assert [spoken(arm.name, "fr") for arm in result.arms] == ["Libellé long", "Short label"]
    assert spoken(result.plan.control, "fr") == "Libellé long"
    (reason,) = result.decision.reasons
    assert spoken(dict(reason.values)["arm"], "en") == "Short label"
    record = result.record()
    told = record.pop("evidence")  # which a case tells in its own reader's language
    assert "Libellé long" not in json.dumps(record, ensure_ascii=False)
    assert told[0]["statement"]["values"]["control"]["fr"] == "Libellé long"
    copied = pickle.loads(pickle.dumps(result.comparisons[0]))
    assert (copied.control, spoken(copied.control, "fr")) == ("old", "Libellé long")


def test_names_and_french_are_not_part_of_the_plan():
    plain = spec(
        metric("mean", name="spend", mde={"relative": 0.1}),
        arms={"column": "arm", "control": "old", "weights": {"old": 1, "new": 1}},
        segments=["pair"],
    )
    assert plain.fingerprint == named().fingerprint == named(names=NAMES).fingerprint


def test_a_name_of_no_arm_is_a_question():
    with pytest.raises(DataError, match="nwe is given a name but is not an arm; did you mean new"):
        experiments.analyze(named(names={"nwe": "Short"}), units())
