"""Public reports of splits that changed on the way: the right reading, on data that is not ours to ship."""

import os
from pathlib import Path

import pytest

from opslab import experiments
from opslab.experiments.spec import Experiment

ROOT = Path(
    os.environ.get("OPSLAB_REAL_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data"
)


def case(name):
    folder = ROOT / "cases" / "experiments" / name
    if not folder.is_dir():
        pytest.skip(f"{name} is not there; name its folder in OPSLAB_REAL_DATA")
    return folder


def with_phases(folder, result, to):
    """Run the case again with the phases that its page proposes pasted into its spec."""
    proposal = dict(next(c for c in result.checks if c.name == "constant_split").detail.values)[
        "phases"
    ]
    text = (folder / "spec.yaml").read_text(encoding="utf-8")
    (to / "spec.yaml").write_text(f"{text}\n{proposal}\n", encoding="utf-8")
    (to / "data.csv").write_bytes((folder / "data.csv").read_bytes())
    return experiments.analyze(Experiment.load(to / "spec.yaml"))


@pytest.mark.parametrize(
    ("name", "key", "day", "verdict"),
    [
        ("vwo-traffic", "constant_split_fail", "2026-10-06", "lost"),
        ("unequal-periods", "constant_split_late", "2020-01-13", "open"),
    ],
)
def test_a_split_that_changed_stops_and_its_phases_mend_it(name, key, day, verdict, tmp_path):
    folder = case(name)
    result = experiments.analyze(Experiment.load(folder / "spec.yaml"))
    check = next(check for check in result.checks if check.name == "constant_split")
    assert result.decision.action == "stop_broken"
    assert (check.detail.key, str(check.detail.values["day"])) == (f"experiments.{key}", day)
    declared = with_phases(folder, result, tmp_path)
    assert declared.decision.action not in ("stop_broken", "ship")
    assert declared.comparisons[0].verdict == verdict
