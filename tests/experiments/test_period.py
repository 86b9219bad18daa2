"""Which rows lie in the period: days included at both ends, offsets brought to UTC."""

from __future__ import annotations

import datetime

import pytest

from opslab import experiments

MOMENTS = {
    "2026-09-01": True,
    "2026-08-31T23:59:59": False,
    "2026-08-31T23:30:00-02:00": True,  # 01:30 UTC on 1 September
    "2026-09-01T00:30+02:00": False,  # 22:30 UTC on 31 August
    "2026-09-28 23:59:59.999": True,
    "2026-09-29T00:00:00Z": False,
    "2026-09-29T01:00:00+0200": True,
    "2026-09-28T23:00-02": False,
}


@pytest.mark.parametrize(("moment", "inside"), MOMENTS.items())
def test_offsets_count_in_utc(tmp_path, moment, inside):
    rows = [f"u{place},{'ab'[place % 2]},2026-09-10,{place}" for place in range(20)]
    path = tmp_path / "x.csv"
    path.write_text("\n".join(["id,arm,at,y", *rows, f"extra,a,{moment},3", ""]), encoding="utf-8")
    experiment = experiments.Experiment(
        experiment="x",
        unit="id",
        arms={"column": "arm", "control": "a"},
        period={"time": "at", "start": "2026-09-01", "end": "2026-09-28"},
        metrics=[
            {"name": "y", "type": "mean", "column": "y", "role": "primary", "goal": "increase"}
        ],
    )
    assert experiments.analyze(experiment, path).data_used.outside_period == (0 if inside else 1)


def test_rows_after_the_day_of_the_readout_are_left_out(tmp_path):
    rows = [
        f"u{place},{'ab'[place % 2]},2026-09-{place + 1:02d},{place % 5}" for place in range(28)
    ]
    path = tmp_path / "x.csv"
    path.write_text("\n".join(["id,arm,at,y", *rows, ""]), encoding="utf-8")
    experiment = experiments.Experiment(
        experiment="x",
        unit="id",
        arms={"column": "arm", "control": "a"},
        period={"time": "at", "start": "2026-09-01", "end": "2026-09-28"},
        metrics=[
            {"name": "y", "type": "mean", "column": "y", "role": "primary", "goal": "increase"}
        ],
    )
    early = experiments.analyze(experiment, path, as_of=datetime.date(2026, 9, 14))
    assert (early.data_used.rows_used, early.data_used.outside_period) == (14, 14)
    assert {check.name: check.status for check in early.checks}["period"] == "fail"
