"""A review of a flow: its export is read, every question asked of it, the answers checked."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

import numpy as np

from opslab.messages import Language
from opslab.operations.flow import checks, queues, stages, times
from opslab.operations.flow.export import read_history
from opslab.operations.flow.forecast import ahead
from opslab.operations.flow.lifecycles import OPEN, elapsed, lifecycles, rule_readings
from opslab.operations.flow.limits import replay
from opslab.operations.flow.result import FlowResult, Forecast
from opslab.operations.flow.spec import Flow
from opslab.tables.sheets import source_files
from opslab.uncertainty.survival import aalen_johansen


def review_flow(
    flow: Flow,
    data: Any = None,
    as_of: datetime.date | None = None,
    *,
    draws: int = 10_000,
    seed: int = 1,
    language: Language = "en",
) -> FlowResult:
    """Return how long work takes, where it waits, and when it will be done.

    Parameters
    ----------
    flow : Flow
    data : path or frame, optional
        In the place of the tickets' file.
    as_of : datetime.date, optional
        What came after it is left out; by default the spec's date, or the last day of the export.
    draws, seed : int
        Of the simulations.
    language : {"en", "fr"}
        In which the result shows itself.

    Raises
    ------
    DataError, SpecError
        For an export that cannot be read, or a spec that does not fit it.
    """
    history = read_history(flow, data, as_of)
    day = as_of or flow.date or history.period[1]
    lives = lifecycles(history, flow)
    curve = aalen_johansen(*elapsed(lives, history.end, flow.calendar))
    limits, known, drawn = times.percentiles(curve), (history, lives, flow), (draws, seed)
    rows = [] if "stages" in history.lacks else stages.stage_rows(*known, *drawn)
    still, finished, cancelled = np.bincount(lives.outcome, minlength=3).tolist()
    waiting = int(np.isnan(lives.started)[lives.outcome == OPEN].sum())
    result = FlowResult(
        flow=flow,
        as_of=day,
        language=language,
        draws=draws,
        seed=seed,
        history=history,
        lifecycles=lives,
        total=len(history.keys),
        finished=finished,
        cancelled=cancelled,
        started_open=still - waiting,
        not_started=waiting,
        percentiles=limits,
        shares=times.shares(curve),
        rules=rule_readings(history, flow),
        stages=sorted(rows, key=lambda row: -(row.share.value or 0)),
        efficiency=stages.efficiency(*known, *drawn),
        bottleneck=stages.bottleneck(rows),
        weeks=queues.week_rows(history, lives, flow.calendar),
        ageing=times.ageing(*known, limits),
        little=queues.little(history, lives, flow.calendar),
        rework=stages.rework(*known),
        reopened=stages.reopened(history),
        defects=stages.defects(*known),
        limit=replay(history, lives, flow.limit, flow.calendar) if flow.limit else {},
        segments=times.segments(*known),
        since=times.effect_of(*known),
        forecast=_kept(ahead(flow, history, lives, *drawn, day)),
        sources=source_files(flow, history.readings, len(history.keys)),
        checks=(),
    )
    return replace(result, checks=checks.run(result))


def _kept(future: Forecast) -> Forecast:
    """Return a forecast, without its dates where earlier ones did not hold."""
    if (future.rate.high or 1) >= checks.PROMISED:
        return future
    record = {name: getattr(future, name) for name in ("origins", "hits", "rate")}
    return Forecast(future.items, None, refused="record", **record)
