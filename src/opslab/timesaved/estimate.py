"""The estimate of time saved: reading, drawing, adding up, checking."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from opslab import workspace
from opslab.evidence import SourceFile
from opslab.timesaved import checks
from opslab.timesaved.inventory import GRADES, Inventory, Line, Measurement, Past
from opslab.timesaved.known import checked, prepare
from opslab.timesaved.result import Driver, Saving, TimeSavedResult
from opslab.timesaved.sheets import rows_of
from opslab.timesaved.simulation import STEPS, Piece, Scores, simulate
from opslab.uncertainty.calibration import UNTRAINED, hit_rate, widening
from opslab.uncertainty.distributions import Fixed, Values
from opslab.uncertainty.draws import scores, summarise
from opslab.uncertainty.sensitivity import first_order, tornado

_SHOWN = 8  # drivers whose share of the variance is computed
POINTS = (0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999)
"""Shares whose quantiles stand for a distribution in the evidence."""


def estimate(
    inventory: Inventory,
    measurements: Sequence[Measurement] | None = None,
    *,
    as_of: datetime.date | None = None,
    draws: int = 100_000,
    seed: int = 1,
) -> TimeSavedResult:
    """Return the hours that an inventory's initiatives free, with their uncertainty and what drives it.

    Parameters
    ----------
    inventory : Inventory
    measurements : sequence of Measurement, optional
        What was measured; those of the inventory by default.
    as_of : datetime.date, optional
    draws : int
        At least 1,000; the Monte Carlo error goes with their root.
    seed : int

    Raises
    ------
    DataError
        For a table that contradicts itself: row, what, and what to do.
    """
    rows, reading = rows_of(inventory, inventory.data or inventory.lines, Line)
    checked(rows, reading.name if reading else None)
    measured, measured_reading = rows_of(
        inventory, inventory.measurements if measurements is None else measurements, Measurement
    )
    past, past_reading = rows_of(inventory, inventory.past, Past)
    hits = sum(one.low <= one.measured <= one.high for _, one in past)
    rate = {"untrained": UNTRAINED, "trained": 0.9, "past": hit_rate(hits, len(past))}[inventory.calibration]
    factor = widening(rate)
    pieces, known, updates = prepare(rows, measured, factor, inventory.horizon_months)
    weeks = inventory.working_weeks
    at = lru_cache(maxsize=1)(lambda name: scores(name, draws, seed))
    sums, savings = _add_up(pieces, weeks, at, draws)

    names = sorted({one.name for one in known if not isinstance(one.used, Fixed)})
    base, bars = tornado(lambda of: _freed(pieces, weeks, of), names)
    drivers = [
        Driver(bar.name, bar.low, bar.high, first_order(at(bar.name), sums["step", "freed"]) if place < _SHOWN else None)
        for place, bar in enumerate(bars)
        if bar.span > 0
    ]
    readings = tuple(one for one in (reading, measured_reading, past_reading) if one)
    file = inventory.file
    sources = [SourceFile(one.name, one.sha256, one.rows) for one in readings]
    if file and not (reading and workspace.shown(file) == reading.name):
        sources.insert(0, SourceFile(workspace.shown(file), workspace.sha256(file), len(rows)))
    return TimeSavedResult(
        inventory=inventory,
        as_of=as_of or inventory.date,
        draws=draws,
        seed=seed,
        currency=next((line.currency for _, line in rows if line.rate), None),
        rate=rate,
        factor=factor,
        past=tuple(one for _, one in past),
        steps={"gross": sum(one.gross for one in savings)}
        | {name: float(sums["step", name].mean()) for name in STEPS},
        together=(sum(one.freed.low for one in savings), sum(one.freed.high for one in savings)),
        savings=tuple(savings),
        sums={key: summarise(values) for key, values in sums.items()},
        base=base,
        drivers=tuple(drivers),
        known=tuple(known),
        updates=tuple(updates),
        checks=checks.run(inventory, pieces, savings, updates),
        readings=readings,
        sources=tuple(sources),
    )


def _add_up(
    pieces: Sequence[Piece], weeks: float, at: Scores, draws: int
) -> tuple[dict[tuple[str, str], Values], list[Saving]]:
    """Return the draws of every sum by kind and name, and what each task brings.

    Only one task's draws are held at a time, besides those of the sums.
    """
    sums: dict[tuple[str, str], Values] = defaultdict(lambda: np.zeros(draws))
    savings = []
    for gross, parts in simulate(pieces, weeks, at):
        lines = [part.piece.line for part in parts]
        first, rows = lines[0], tuple(part.piece.row for part in parts)
        for part, line in zip(parts, lines, strict=True):
            for name in STEPS:
                sums["step", name] += part.steps[name]
            for place, values in enumerate(part.years, 1):
                sums["year", str(place)] += values
            for key in (("role", line.role), ("initiative", line.initiative), ("benefit", line.benefit)):
                sums[key] += part.steps["freed"]
            sums["recaptured", line.benefit] += part.steps["recaptured"]
            if line.rate is not None:
                for name in (line.benefit, "all"):
                    sums["money", name] += part.steps["recaptured"] * line.rate
        freed, full = (
            np.broadcast_to(sum(values), draws)
            for values in ([part.steps["freed"] for part in parts], [part.full for part in parts])
        )
        savings.append(
            Saving(
                task=first.task,
                role=first.role,
                rows=rows,
                people=first.people,
                gross=float(gross.mean()),
                freed=summarise(freed),
                parts=tuple((part.piece.line.initiative, float(part.steps["freed"].mean())) for part in parts),
                recaptured=sum(float(part.steps["recaptured"].mean()) for part in parts),
                full=tuple(map(float, np.quantile(full, POINTS))),
                full_mean=float(full.mean()),
                training=sum(line.training_hours * line.people for line in lines),
                benefit=first.benefit,
                grade=max(GRADES[line.basis] if line.grade is None else max(line.grade, GRADES[line.basis]) for line in lines),
                owner=first.owner,
            )
        )
    return dict(sums), savings


def _freed(pieces: Sequence[Piece], weeks: float, of: Scores) -> Values:
    """Return the hours that are freed in a year, over all tasks."""
    return np.asarray(sum(part.steps["freed"] for _, parts in simulate(pieces, weeks, of) for part in parts))
