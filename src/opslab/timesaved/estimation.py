"""The estimate of time saved: reading, drawing, adding up, checking."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from opslab.frames import remark_step, step_within
from opslab.messages import Language, spoken
from opslab.results import Message, flat
from opslab.tables.import_report import Reading
from opslab.tables.sheets import source_files
from opslab.timesaved import checks
from opslab.timesaved.inventory import Inventory, Line, Measurement, Past
from opslab.timesaved.quantities import (
    Lines,
    StatedQuantity,
    check_rows,
    prepare,
    refuse_unmatched,
)
from opslab.timesaved.result import POINTS, Driver, Saving, TimeSavedResult
from opslab.timesaved.sheets import rows_of
from opslab.timesaved.simulation import Part, Piece, Scores, simulate
from opslab.uncertainty.calibration import UNTRAINED, hit_rate, widening
from opslab.uncertainty.distributions import Fixed, Values
from opslab.uncertainty.draws import scores, summarise
from opslab.uncertainty.sensitivity import first_order, tornado

_FEW = 1_000  # draws, where none is looked at
_SHOWN, _ENOUGH = 8, 20_000  # drivers whose share of the variance is computed, and draws for it


def estimate(
    inventory: Inventory,
    measurements: Sequence[Measurement] | None = None,
    *,
    as_of: datetime.date | None = None,
    draws: int = 100_000,
    seed: int = 1,
    language: Language = "en",
    only: Collection[int] = (),
) -> TimeSavedResult:
    """Return the hours that an inventory's initiatives free, how sure that is, what drives it.

    Parameters
    ----------
    inventory : Inventory
    measurements : sequence of Measurement, optional
        What was measured; those of the inventory by default.
    as_of : datetime.date, optional
    draws : int
        At least 1,000; the Monte Carlo error goes with their root.
    seed : int
    language : {"en", "fr"}
        In which the result shows itself.
    only : collection of int
        Rows that are kept, where others are left out: the result is exploratory then.

    Raises
    ------
    DataError
        For a table that contradicts itself: row, what, and what to do.
    """
    rows, reading, _ = rows_of(inventory, inventory.data or inventory.lines, Line)
    check_rows(rows, reading.name if reading else None)
    if measurements is not None:
        inventory = inventory.model_copy(update={"measurements": tuple(measurements)})
    measured, measured_reading, cited = _measured(inventory, rows, as_of or inventory.date)
    promised, past_reading, _ = rows_of(inventory, inventory.past, Past)
    past = tuple(estimate for _, estimate in promised)
    rate = _rate(inventory, past)
    left = [line.whole_name for row, line in rows if only and row not in only]
    rows = [numbered for numbered in rows if not only or numbered[0] in only]
    pieces, known, updates = prepare(rows, measured, widening(rate), inventory.horizon_months)
    at = lru_cache(maxsize=1)(lambda name: scores(name, draws, seed))
    sums, savings = _add_up(pieces, inventory.working_weeks, at, draws)
    drivers, base = _drivers(pieces, known, inventory.working_weeks, at, sums["step", "freed"])
    readings = tuple(filter(None, (reading, measured_reading, past_reading)))
    gains = [hours for saving in savings for _, hours in saving.parts]
    return TimeSavedResult(
        inventory=inventory,
        as_of=as_of or inventory.date,
        language=language,
        draws=draws,
        seed=seed,
        rate=rate,
        factor=widening(rate),
        past=past,
        people=checks.load(pieces)[1],
        currency=rows[0][1].currency,
        savings=tuple(savings),
        base=base,
        drivers=tuple(drivers),
        sums={key: summarise(values) for key, values in sums.items()},
        known=tuple(known),
        updates=tuple(updates),
        readings=readings,
        sources=source_files(inventory, readings, len(rows)),
        checks=checks.run(inventory, pieces, gains, updates),
        pieces=tuple(pieces),
        cited=cited,
        asked=(Message("explore.without", {"names": left}),) if left else (),
    )


def tasks(inventory: Inventory) -> Iterator[dict[str, Any]]:
    """Give the rows of an inventory; see `Inventory.tasks`."""
    for piece in estimate(inventory, draws=_FEW).pieces:
        line = piece.line
        week = checks.load([piece])[0][line.role]
        yield {
            "row": piece.row,
            **flat(line.model_dump()),
            **{f"{name}_mean": used.mean for name, (_, used) in piece.quantities.items()},
            "grade": piece.grade,
            "hours_today": week * line.people * inventory.working_weeks,
        }


def hours(result: TimeSavedResult) -> dict[str, Values]:
    """Return the hours that each task frees in each draw; see `TimeSavedResult.drawn`."""
    count, seed, columns = result.draws, result.seed, {}
    step = step_within(count, len(result.savings))
    remark_step(step, count, result.language)
    weeks = result.inventory.working_weeks
    for _, parts in simulate(result.pieces, weeks, lambda name: scores(name, count, seed)):
        freed = np.broadcast_to(sum(part.steps["freed"] for part in parts), count)
        name = ", ".join(spoken(parts[0].piece.key, result.language))
        while name in columns:  # joined, two tasks may read alike
            name += f" ({parts[0].piece.row})"
        columns[name] = freed[::step]
    return columns


def _measured(
    inventory: Inventory, rows: Lines, day: datetime.date | None
) -> tuple[list[tuple[int, Measurement]], Reading | None, tuple[Path, ...]]:
    """Return what was measured, the table that tells it, and the records of measured changes."""
    measured, reading, _ = rows_of(inventory, inventory.measurements, Measurement)
    refuse_unmatched(rows, measured, reading.name if reading else None)
    changes = [*inventory.measured_changes(day)]
    for run, change in changes:
        refuse_unmatched(rows, [(0, change)], run.id)
        measured.append((0, change))
    return measured, reading, tuple(run.file for run, _ in changes)


def _rate(inventory: Inventory, past: Sequence[Past]) -> float:
    """Return the share of the stated ranges that is taken to hold the truth."""
    hits = sum(estimate.low <= estimate.measured <= estimate.high for estimate in past)
    rates = {"untrained": UNTRAINED, "trained": 0.9, "past": hit_rate(hits, len(past))}
    return rates[inventory.calibration]


def _drivers(
    pieces: Sequence[Piece],
    known: Sequence[StatedQuantity],
    weeks: float,
    at: Scores,
    freed: Values,
) -> tuple[list[Driver], float]:
    """Return what moves the hours, the most telling first, and the hours at the medians."""

    def hours(of: Scores) -> Values:
        tasks = simulate(pieces, weeks, of)
        return np.asarray(sum(part.steps["freed"] for _, parts in tasks for part in parts))

    uncertain = {one.name for one in known if not isinstance(one.used, Fixed)}
    base, bars = tornado(hours, sorted(uncertain))
    some = slice(_ENOUGH)
    shares = [first_order(at(bar.name)[some], freed[some]) for bar in bars[:_SHOWN]]
    return [
        Driver(bar.name, bar.low, bar.high, share)
        for bar, share in zip_longest(bars, shares)
        if bar.span > 0
    ], base


def _add_up(
    pieces: Sequence[Piece], weeks: float, at: Scores, draws: int
) -> tuple[dict[tuple[str, str], Values], list[Saving]]:
    """Return the draws of every sum by kind and name, and what each task brings.

    Only one task's draws are held at a time, besides those of the sums.
    """
    sums: dict[tuple[str, str], Values] = defaultdict(lambda: np.zeros(draws))
    savings = []
    for gross, parts in simulate(pieces, weeks, at):
        for part in parts:
            line, steps = part.piece.line, part.steps
            for name, values in steps.items():
                sums["step", name] += values
            for kind in ("role", "initiative", "benefit"):
                sums[kind, getattr(line, kind)] += steps["freed"]
            for name in (line.benefit, "all") if line.rate else ():
                sums["money", name] += steps["recaptured"] * (line.rate or 0.0)
        savings.append(_saving(gross, parts, draws))
    return dict(sums), savings


def _saving(gross: Values, parts: Sequence[Part], draws: int) -> Saving:
    line = parts[0].piece.line
    full = np.sort(np.broadcast_to(sum(part.full for part in parts), draws))
    return Saving(
        task=line.task,
        role=line.role,
        rows=tuple(part.piece.row for part in parts),
        gross=float(gross.mean()),
        freed=summarise(np.broadcast_to(sum(part.steps["freed"] for part in parts), draws)),
        parts=tuple(
            (part.piece.line.initiative, float(part.steps["freed"].mean())) for part in parts
        ),
        recaptured=float(sum(part.steps["recaptured"].mean() for part in parts)),
        full=tuple(float(full[round(share * (draws - 1))]) for share in POINTS),
        full_mean=float(full.mean()),
        benefit=line.benefit,
        grade=max(part.piece.grade for part in parts),
        owner=line.owner,
    )
