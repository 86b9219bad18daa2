"""What is known of each quantity before it is drawn: stated, widened, updated by measurements."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from scipy.special import ndtri

from opslab.errors import DataError, Problem, did_you_mean
from opslab.messages import Bilingual
from opslab.names import folded
from opslab.timesaved.inventory import AMOUNTS, GRADES, TASK_FIELDS, Line, Measurement
from opslab.timesaved.simulation import Piece
from opslab.uncertainty.calibration import widened
from opslab.uncertainty.distributions import Distribution, Fixed, Lognormal, quantile
from opslab.uncertainty.ramp import bass, by_month, logistic
from opslab.uncertainty.update import update

_OF_TASK = ("eligible_share", "frequency", "minutes")
FIELDS = (*_OF_TASK, "reduction", "new_minutes", "adoption", "decay", "recapture")
_STREAMS = dict.fromkeys(_OF_TASK, "task role") | {
    "adoption": "initiative",
    "decay": "initiative",
    "recapture": "role",
}
"""What a quantity is of, where it is not of a change to a task."""
_MOST_CHANGES = 6  # on one task
_WELL_MEASURED = 0.5  # weight of the data from which a saving has the grade of the measurement


Lines = Sequence[tuple[int, Line]]
"""Rows of an inventory, by their numbers."""
Used = Literal["both", "prior", "data"]


@dataclass(frozen=True)
class StatedQuantity:
    """A quantity as stated in a row and as drawn; assumed where the row does not give it."""

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
    used: Used
    basis: str


def stream(field: str, line: Line) -> str:
    """Return the name of a quantity: of a task, of a change to it or anywhere, of a role."""
    names = _STREAMS.get(field, "task role initiative").split()
    return Bilingual.joined("/", [field, *(getattr(line, name) for name in names)])


def check_rows(rows: Lines, file: str | None) -> None:
    """Raise a `DataError` for rows that contradict one another."""
    problems: list[Problem] = []
    firsts: dict[tuple[str, ...], tuple[int, Line]] = {}
    rated = {line.currency: row for row, line in rows if line.rate is not None}

    def problem(key: str, row: int, field: str | None = None, **values: object) -> None:
        problems.append(Problem(f"timesaved.{key}", values, file, field=field, row=row))

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
    DataError.refuse([*problems, *_spelled(rows, file)])


def _spelled(rows: Lines, file: str | None) -> Iterator[Problem]:
    """Give names that differ in case, accents, spaces or a plural alone: perhaps one thing."""
    for name in ("role", "task", "initiative"):
        known: dict[str, tuple[int, str]] = {}
        for row, line in rows:
            given = getattr(line, name)
            first, other = known.setdefault(folded(given).removesuffix("s"), (row, given))
            if other != given:
                values = {"given": given, "other": other, "first": first}
                yield Problem("timesaved.spelled", values, file, field=name, row=row)


def prepare(
    rows: Lines,
    measured: Sequence[tuple[int, Measurement]],
    factor: float,
    months: int,
) -> tuple[list[Piece], list[StatedQuantity], list[Update]]:
    """Return the lines ready to be drawn, the quantities behind them, and the updates.

    Parameters
    ----------
    rows, measured : sequences of (row, declared)
    factor : float
        On the spread of every stated range; see `opslab.uncertainty.calibration.widening`.
    months : int
    """
    known: dict[object, StatedQuantity] = {}
    updates: dict[str, Update] = {}
    pieces = []
    for row, line in rows:
        quantities, better, everybody = {}, dict[str, str](), False
        users = line.adoption.distribution(share=True).mean
        for field in FIELDS:
            name, share = stream(field, line), field not in AMOUNTS
            stated = getattr(line, field).distribution(share=share)
            # Decay is taken as stated: the hours bend with it, so that a wider range would raise
            # their mean.
            by = 1 if field == "decay" else factor
            used = widened(stated, by, 0.0, 1.0 if share else math.inf)
            for _, given in measured:
                if given.quantity != field or not _about(given, line):
                    continue
                measurement = given.among_users(users)
                update = updates[name] = updated(measurement, name, stated, used)
                used = update.posterior
                both = update.used == "both"
                weight = update.measured_share if both else float(update.used == "data")
                if field == "reduction" and weight >= _WELL_MEASURED:
                    better = measurement.model_dump(include={"basis", "grade"}, exclude_none=True)
                    everybody = measurement.over == "everybody"
            if field == "adoption" and everybody:  # in what was measured: not drawn besides
                used = Fixed(users)
            quantities[field] = name, used
            assumed = field not in line.model_fields_set
            known[name, used] = StatedQuantity(name, row, stated, used, assumed)
        curve = partial(bass, p=line.bass_p or 0.0, q=line.bass_q or 0.0)
        if line.ramp_months is not None:
            curve = partial(logistic, to_90=line.ramp_months)
        ramp = by_month(curve, months)
        pieces.append(Piece(row, line.model_copy(update=better), ramp, quantities))
    return pieces, list(known.values()), list(updates.values())


def refuse_unmatched(
    rows: Lines,
    measured: Sequence[tuple[int, Measurement]],
    file: str | None = None,
) -> None:
    """Raise a `DataError` for a measurement of no line, or of more than one change.

    A measurement in row 0 stands in no table.
    """
    for row, measurement in measured:
        changes = sorted({line.initiative for _, line in rows if _about(measurement, line)})
        values: dict[str, object] = {"task": measurement.task, "changes": changes}
        if not changes:
            near = did_you_mean(measurement.task, {line.task for _, line in rows})
            values = {"task": measurement.task, "near": near}
        if not changes or (measurement.quantity == "reduction" and len(changes) > 1):
            key = "timesaved.which_change" if changes else "timesaved.unmatched"
            raise DataError(Problem(key, values, file, row=row or None))


def updated(
    measurement: Measurement, name: str, stated: Distribution, prior: Distribution
) -> Update:
    """Return a quantity after a measurement, on the log scale of minutes or of what is left.

    The prior is the normal through the 5th and 95th percentile of the range. Where prior and data
    contradict each other (|z| > 2) they are not averaged: the one that frees less is used.
    """
    if isinstance(prior, Fixed):
        raise DataError.of("timesaved.certain", task=measurement.task)
    left = measurement.quantity == "reduction"

    def log(value: float) -> float:
        return math.log1p(-min(value, 1 - 1e-9)) if left else math.log(max(value, 1e-9))

    low, high = log(quantile(prior, 0.05)), log(quantile(prior, 0.95))
    value = log(measurement.value)
    error = abs(log(measurement.high) - log(measurement.low)) / (2 * ndtri(0.975))
    both = update((low + high) / 2, abs(high - low) / (2 * ndtri(0.95)), value, error)
    data = Lognormal(value, error, reduction=left)
    posterior: Distribution = Lognormal(both.mean, both.sd, reduction=left)
    used: Used = "both"
    if both.conflict:
        used, posterior = ("prior", prior) if prior.mean < data.mean else ("data", data)
    return Update(
        name,
        stated,
        prior,
        data,
        posterior,
        measurement.value,
        both.measured_share,
        both.z,
        used,
        measurement.basis,
    )


def _about(measurement: Measurement, line: Line) -> bool:
    if measurement.task != line.task or measurement.role not in (None, line.role):
        return False
    return measurement.quantity == "minutes" or measurement.initiative in (None, line.initiative)


def reported(line: Line) -> bool:
    """Whether a saving rests on what people say of themselves alone."""
    return GRADES[line.basis] >= "E"
