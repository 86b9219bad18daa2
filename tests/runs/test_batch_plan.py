"""What a plan comes to before anything runs: no run is lost, and no mistake waits for the night."""

from __future__ import annotations

import datetime

import pytest

from opslab.errors import InputError
from opslab.runs.batch_plan import Plan, planned_runs

SPEC = "data/sample/checkout.yaml"


def plan(*runs):
    return Plan.model_validate({"batch": "Nightly", "runs": runs})


def entry(name="a", **params):
    return {"name": name, "notebook": "experiment_readout", "params": {"spec": SPEC} | params}


def days(start, end, every):
    return entry(as_of={"from": start, "to": end, "every": every})


@pytest.mark.parametrize(
    ("start", "end", "every", "expected"),
    [
        (
            "2026-01-31",
            "2026-04-30",
            "month",
            ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"],
        ),
        ("2026-01-05", "2026-01-19", "week", ["2026-01-05", "2026-01-12", "2026-01-19"]),
        ("9999-12-30", "9999-12-31", "day", ["9999-12-30", "9999-12-31"]),
        ("9999-11-30", "9999-12-31", "month", ["9999-11-30", "9999-12-30"]),
    ],
)
def test_days_are_counted_from_the_first_to_the_last_that_there_is(
    workspace_folder, start, end, every, expected
):
    runs = planned_runs(plan(days(start, end, every)))
    assert [run.parameters["as_of"] for run in runs.values()] == expected


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ([entry(), entry("b")], "b is the same run as a"),
        (
            [entry(language=["en", "fr"]), entry("a language=en", as_of="2026-10-01")],
            "named a language=en too",
        ),
        ([entry(language=["en", "en"])], "named a language=en too"),
        ([days("2026-01-02", "2026-01-01", "day")], "nothing to run"),
        ([days("1900-01-01", "2026-01-01", "day")], "more than 2,000 runs"),
        (
            [entry(seed=list(range(100)), draws=list(range(100)), size=list(range(100)))],
            "more than 2,000",
        ),
        ([entry() | {"after": ["b"]}], "No run named b stands above"),
    ],
)
def test_a_plan_that_would_lose_or_repeat_a_run_is_refused(workspace_folder, runs, said):
    with pytest.raises(InputError, match=said):
        planned_runs(plan(*runs))


def test_a_given_day_is_given(workspace_folder):
    (run,) = planned_runs(plan(entry(as_of="given")), datetime.date(2026, 11, 28)).values()
    assert run.parameters["as_of"] == "2026-11-28"
    with pytest.raises(InputError, match="--as-of YYYY-MM-DD"):
        planned_runs(plan(entry(as_of="given")))
    with pytest.raises(InputError, match="leave --as-of out"):
        planned_runs(plan(entry()), datetime.date(2026, 11, 28))
