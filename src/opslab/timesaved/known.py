"""What is known of each quantity before it is drawn: as stated, widened, and updated by what was measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from scipy.special import ndtri

from opslab.errors import DataError, Problem, did_you_mean
from opslab.timesaved.inventory import AMOUNTS, GRADES, TASK_FIELDS, Line, Measurement
from opslab.timesaved.simulation import Piece
from opslab.uncertainty.calibration import widened
from opslab.uncertainty.distributions import Distribution, Fixed, Lognormal, Values, quantile
from opslab.uncertainty.ramp import bass, by_month, logistic
from opslab.uncertainty.update import update

_OF_TASK = ("eligible_share", "frequency", "minutes")
FIELDS = (*_OF_TASK, "reduction", "new_minutes", "adoption", "decay", "recapture")
_MOST_CHANGES = 6  # on one task
_WELL_MEASURED = 0.5  # weight of the data from which a saving has the grade of the measurement


@dataclass(frozen=True)
class Known:
    """A quantity: as stated in a row, and as it is drawn; assumed where the row does not give it."""

    name: str
    row: int
    stated: Distribution
    used: Distribution
    assumed: bool


@dataclass(frozen=True)
class Update:
    """What was stated, thought (widened), measured, and made of both, of a quantity.

    ``used`` is ``both``, or where they contradict each other the one that frees less: ``prior`` or
    ``data``.
    """

    name: str
    stated: Distribution
    prior: Distribution
    data: Distribution
    posterior: Distribution
    measured: float
    measured_share: float
    z: float
    used: Literal["both", "prior", "data"]
    basis: str


def stream(field: str, line: Line) -> str:
    """Return the name of a quantity: of a task, of a change to it, of a change anywhere, of a role."""
    if field == "recapture":
        return f"{field}/{line.role}"
    if field in ("adoption", "decay"):
        return f"{field}/{line.initiative}"
    own = [] if field in _OF_TASK else [line.initiative]
    return "/".join([field, line.task, line.role, *own])


def check_rows(rows: Sequence[tuple[int, Line]], file: str | None) -> None:
    """Raise a `DataError` for rows that contradict one another."""
    found: list[Problem] = []
    firsts: dict[tuple[str, ...], tuple[int, Line]] = {}
    rated = {line.currency: row for row, line in rows if line.rate is not None}

    def problem(key: str, row: int, field: str | None = None, **values: object) -> None:
        found.append(Problem(f"timesaved.{key}", values, file, field=field, row=row))

    for row, line in rows:
        first, other = firsts.setdefault((line.task, line.role), (row, line))
        for name in TASK_FIELDS:
            if getattr(line, name) != getattr(other, name):
                problem("task_differs", row, name, name=name, first=first)
        twice, _ = firsts.setdefault((line.task, line.role, line.initiative), (row, line))
        if twice != row:
            problem("twice", row, first=twice)
        if rated and line.rate is None:
            problem("no_rate", row, other=min(rated.values()))
        if sum(key[:2] == (line.task, line.role) for key in firsts) == _MOST_CHANGES + 2:
            problem("many_changes", row, task=line.task, most=_MOST_CHANGES)
    if len(rated) > 1:
        problem("currencies", max(rated.values()), currencies=sorted(map(str, rated)))
    DataError.refuse(found)


def prepare(
    rows: Sequence[tuple[int, Line]],
    measured: Sequence[tuple[int, Measurement]],
    factor: float,
    months: int,
) -> tuple[list[Piece], list[Known], list[Update]]:
    """Return the lines ready to be drawn, the quantities behind them, and the updates that were made.

    Parameters
    ----------
    rows, measured : sequences of (row, declared)
    factor : float
        On the spread of every stated range; see `opslab.uncertainty.calibration.widening`.
    months : int
    """
    known: dict[object, Known] = {}
    updates: dict[str, Update] = {}
    pieces, matched = [], set()
    for row, line in rows:
        quantities, basis = {}, line.basis
        for field in FIELDS:
            name, share = stream(field, line), field not in AMOUNTS
            stated = getattr(line, field).distribution(share=share)
            # Decay is taken as stated: the hours bend with it, so that a wider range would raise
            # their mean.
            used = widened(
                stated, 1 if field == "decay" else factor, 0.0, 1.0 if share else math.inf
            )
            for place, one in measured:
                if one.quantity != field or not _about(one, line):
                    continue
                matched.add(place)
                told = updates[name] = updated(one, name, stated, used)
                used = told.posterior
                weight = told.measured_share if told.used == "both" else float(told.used == "data")
                if field == "reduction" and weight >= _WELL_MEASURED:
                    basis = one.basis
            quantities[field] = name, used
            known[name, used] = Known(name, row, stated, used, field not in line.model_fields_set)
        ramp = by_month(partial(_in_use, line), months)
        pieces.append(Piece(row, line.model_copy(update={"basis": basis}), ramp, quantities))
    for place, one in measured:
        changes = {line.initiative for _, line in rows if _about(one, line)}
        if one.quantity == "reduction" and len(changes) > 1:
            raise DataError(
                Problem(
                    "timesaved.which_change",
                    {"task": one.task, "changes": sorted(changes)},
                    row=place,
                )
            )
        if place not in matched:
            near = did_you_mean(one.task, {line.task for _, line in rows})
            raise DataError(
                Problem("timesaved.unmatched", {"task": one.task, "near": near}, row=place)
            )
    return pieces, list(known.values()), list(updates.values())


def updated(one: Measurement, name: str, stated: Distribution, prior: Distribution) -> Update:
    """Return a quantity after a measurement, on the log scale: of the minutes, or of what a change leaves.

    The prior is the normal through the 5th and 95th percentile of the range. Where prior and data
    contradict each other (|z| > 2) they are not averaged: the one that frees less is used.
    """
    if isinstance(prior, Fixed):
        raise DataError.of("timesaved.certain", task=one.task)
    left = one.quantity == "reduction"

    def log(value: float) -> float:
        return math.log1p(-min(value, 1 - 1e-9)) if left else math.log(max(value, 1e-9))

    low, high = log(quantile(prior, 0.05)), log(quantile(prior, 0.95))
    error = abs(log(one.high) - log(one.low)) / (2 * ndtri(0.975))
    found = update((low + high) / 2, abs(high - low) / (2 * ndtri(0.95)), log(one.value), error)
    data = Lognormal(log(one.value), error, reduction=left)
    made: Distribution = Lognormal(found.mean, found.sd, reduction=left)
    used: Literal["both", "prior", "data"] = "both"
    if found.conflict:
        used, made = ("prior", prior) if prior.mean < data.mean else ("data", data)
    share = found.measured_share
    return Update(name, stated, prior, data, made, one.value, share, found.z, used, one.basis)


def _in_use(line: Line, month: Values) -> Values:
    if line.ramp_months is not None:
        return logistic(month, line.ramp_months)
    return bass(month, line.bass_p or 0.0, line.bass_q or 0.0)


def _about(one: Measurement, line: Line) -> bool:
    if one.task != line.task or one.role not in (None, line.role):
        return False
    return one.quantity == "minutes" or one.initiative in (None, line.initiative)


def reported(line: Line) -> bool:
    """Whether a saving rests on what people say of themselves alone."""
    return GRADES[line.basis] >= "E"
