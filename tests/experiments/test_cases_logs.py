"""Logs, leaks, zones and caps that went wrong: what each kind of fault comes to, and the cases themselves.

The cases of experiments that went wrong are not ours to ship: they are looked for as real data is.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from opslab import experiments
from opslab.errors import DataError
from opslab.experiments.spec import Experiment
from test_real_data import ROOT

CASES = ROOT / "cases" / "experiments"
START = pd.Timestamp("2026-03-02")
BOUGHT = {
    "name": "bought",
    "type": "proportion",
    "event": "buy",
    "window": {"to": "7d"},
    "role": "primary",
    "goal": "increase",
}
SPENT = BOUGHT | {"name": "spent", "type": "mean", "value": "amount"}


def case(name):
    spec = CASES / name / "spec.yaml"
    if not spec.is_file():
        pytest.skip(f"{name} is not there; name the folder of the data in OPSLAB_REAL_DATA")
    return Experiment.load(spec)


def check(result, name):
    return next((known for known in result.checks if known.name == name), None)


def said(result, name, language="en"):
    return result.voice(language).message(check(result, name).detail)


# Leaks: a share and a lean decide, not a single unit


def leaking(n, to_new, to_old, seed=4):
    """Return n units, of which some come again in the other arm: from old to new, and back."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"unit": np.arange(n), "arm": np.where(np.arange(n) % 2, "new", "old")})
    frame["spend"] = random.normal(20, 5, n)
    again = [
        frame[frame.arm == arm].head(count).assign(arm=other)
        for arm, other, count in (("old", "new", to_new), ("new", "old", to_old))
    ]
    return pd.concat([frame, *again], ignore_index=True)


def analyzed(frame, **fields):
    metric = {"name": "spend", "type": "mean", "column": "spend", "role": "primary"}
    spec = Experiment(
        experiment="a test",
        unit="unit",
        arms={"column": "arm", "control": "old", "weights": {"old": 1, "new": 1}},
        metrics=[metric | {"goal": "increase"}],
        **fields,
    )
    return experiments.analyze(spec, frame)


@pytest.mark.parametrize(
    ("to_new", "to_old", "status"),
    [(0, 0, "pass"), (2, 1, "warn"), (60, 60, "warn"), (90, 30, "fail"), (130, 130, "fail")],
)
def test_leaked_units_stop_by_their_share_or_where_they_lean_to_an_arm(to_new, to_old, status):
    result = analyzed(leaking(20_000, to_new, to_old))
    known = check(result, "leaked_units")
    assert (known.status, known.blocking) == (status, True)
    assert result.broken == (status == "fail")
    assert result.data_used.leaked_rows == 2 * (to_new + to_old)
    if status == "pass":
        return
    counts = [[to_new, 10_000 - to_new], [to_old, 10_000 - to_old]]
    by_scipy = stats.chi2_contingency(counts, correction=False).pvalue
    if min(to_new, to_old) >= 20:
        assert known.detail.values["p"] == pytest.approx(by_scipy, rel=1e-9)
    assert known.detail.values["share"] == (to_new + to_old) / 20_000


def test_the_moment_tells_where_a_leaked_unit_came_first():
    frame = leaking(20_000, 90, 30)
    frame["seen"] = START + pd.to_timedelta(np.arange(len(frame)), unit="s")
    period = {"time": "seen", "start": "2026-03-02", "end": "2026-03-15"}
    turned = frame.iloc[::-1]
    for rows in (frame, turned):
        known = check(analyzed(rows, period=period), "leaked_units")
        assert (known.status, known.detail.values["p"] < 1e-6) == ("fail", True)


def test_repeated_assignments_are_no_leaks():
    result = experiments.analyze(case("log-assign-dups"))
    used = result.data_used
    assert (used.leaked_rows, used.repeated_rows, used.rows_used) == (0, 1_000, 4_000)
    assert check(result, "leaked_units").status == "pass"
    rows = result.record()["data"]
    assert (rows["leaked_rows"], rows["repeated_rows"]) == (0, 1_000)
