"""What is known of each quantity before it is drawn: as stated, widened, and updated by what was measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from opslab.errors import DataError, Problem, did_you_mean
from opslab.timesaved.inventory import GRADES, TASK_FIELDS, TOLD, Line, Measurement, Stated
from opslab.timesaved.ramp import bass, by_month, logistic
from opslab.timesaved.simulation import Piece
from opslab.uncertainty.calibration import widened
from opslab.uncertainty.distributions import Distribution, Fixed, Lognormal, Reduction, quantile
from opslab.uncertainty.updating import update

OWNED = {"eligible_share": 2, "frequency": 2, "minutes": 2, "reduction": 3, "new_minutes": 3}
SHARED = {"adoption": 2, "decay": 2, "recapture": 1}
"""Drawn once for all tasks of an initiative, or of a role."""

_MOST_CHANGES = 6  # on one task


@dataclass(frozen=True)
class Known:
    """A quantity of one line: as stated, and as it is drawn."""

    name: str
    field: str
    what: tuple[str, ...]
    row: int
    stated: Distribution
    used: Distribution
    assumed: bool


@dataclass(frozen=True)
class Update:
    """What was thought and what was measured of a quantity: value and ends at 90 % of each.

    Attributes
    ----------
    used : str
        ``both``, or where they contradict each other the one that frees less: ``prior`` or ``data``.
    hit : bool
        Whether the interval as it was stated, before any widening, holds what was measured.
    """

    name: str
    field: str
    what: tuple[str, ...]
    prior: tuple[float, float, float]
    data: tuple[float, float, float]
    posterior: tuple[float, float, float]
    stated: tuple[float, float]
    measured_share: float
    z: float
    used: str
    measured: float
    hit: bool
    basis: str


def stream(field: str, line: Line) -> tuple[str, ...]:
    """Return what a quantity belongs to: a task, an initiative or a role."""
    if field in OWNED:
        return (line.task, line.role, line.initiative)[: OWNED[field]]
    return (line.role,) if field == "recapture" else (line.initiative,)


def checked(rows: Sequence[tuple[int, Line]], file: str | None) -> None:
    """Raise a `DataError` for rows that contradict each other."""
    problems = []
    firsts: dict[tuple[str, str], tuple[int, Line]] = {}
    seen: dict[tuple[str, ...], int] = {}
    rated = {line.currency: row for row, line in rows if line.rate is not None}
    for row, line in rows:
        first, other = firsts.setdefault((line.task, line.role), (row, line))
        problems += [
            Problem("timesaved.task_differs", {"name": name, "first": first}, file, field=name, row=row)
            for name in TASK_FIELDS
            if getattr(line, name) != getattr(other, name)
        ]
        twice = seen.setdefault((line.task, line.role, line.initiative), row)
        if twice != row:
            problems.append(Problem("timesaved.twice", {"first": twice}, file, row=row))
        if rated and line.rate is None:
            problems.append(Problem("timesaved.no_rate", {"other": next(iter(rated.values()))}, file, row=row))
    if len(rated) > 1:
        values = {"currencies": sorted(map(str, rated))}
        problems.append(Problem("timesaved.currencies", values, file, row=max(rated.values())))
    for task, role in firsts:
        if sum(key[:2] == (task, role) for key in seen) > _MOST_CHANGES:
            problems.append(Problem("timesaved.many_changes", {"task": task, "most": _MOST_CHANGES}, file))
    if problems:
        raise DataError(*problems)


def prepare(
    rows: Sequence[tuple[int, Line]], measured: Sequence[tuple[int, Measurement]], factor: float, months: int
) -> tuple[list[Piece], list[Known], list[Update]]:
    """Return the lines ready to be drawn, the quantities behind them, and the updates that were made.

    Parameters
    ----------
    rows, measured : sequences of (row, declared)
    factor : float
        On the spread of every stated range; see `opslab.uncertainty.calibration.widening`.
    months : int
    """
    known, updates, pieces = {}, {}, []
    matched = set()
    for row, line in rows:
        quantities, basis = {}, line.basis
        for field in (*OWNED, *SHARED):
            what = stream(field, line)
            name = "/".join((field, *what))
            stated = getattr(line, field).distribution(share=_is_share(field))
            used = widened(stated, factor, 0.0, 1.0 if _is_share(field) else math.inf)
            for place, one in measured:
                if one.quantity == field and _about(one, line):
                    matched.add(place)
                    used, updates[name] = updated(one, name, what, stated, used)
                    told = updates[name]
                    if field == "reduction" and (told.used == "data" or told.measured_share >= 0.5 and told.used == "both"):
                        basis = one.basis
            quantities[field] = name, used
            assumed = field not in line.model_fields_set
            known[name, used] = Known(name, field, what, row, stated, used, assumed)
        curve = (lambda t, of=line: bass(t, of.bass_p, of.bass_q)) if line.bass_p else (
            lambda t, of=line: logistic(t, of.ramp_months)
        )
        pieces.append(Piece(row, line.model_copy(update={"basis": basis}), by_month(curve, months), quantities))
    for place, one in measured:
        if place not in matched:
            near = did_you_mean(one.task, {line.task for _, line in rows})
            key = "timesaved.unmatched_near" if near else "timesaved.unmatched"
            raise DataError.of(key, task=one.task, row=place, near=near)
    return pieces, list(known.values()), list(updates.values())


def updated(
    one: Measurement, name: str, what: tuple[str, ...], stated: Distribution, prior: Distribution
) -> tuple[Distribution, Update]:
    """Return a quantity after a measurement, on the log scale: of the minutes, or of what a change leaves.

    The prior is the normal through the 5th and 95th percentile of the range. Where prior and data contradict
    each other (|z| > 2) they are not averaged: the one that frees less is used.
    """
    times = one.quantity == "minutes"

    def log(value: float) -> float:
        return math.log(value) if times else math.log1p(-value)

    def made(mu: float, sigma: float) -> Distribution:
        return Lognormal(mu, sigma) if times else Reduction(mu, sigma)

    if isinstance(prior, Fixed):
        raise DataError.of("timesaved.certain", task=one.task)
    ends = [log(min(max(quantile(prior, share), 1e-9), math.inf if times else 1 - 1e-9)) for share in (0.05, 0.95)]
    width = 2 * 1.6448536269514722
    centre, spread = sum(ends) / 2, abs(ends[1] - ends[0]) / width
    data = made(log(one.value), abs(log(one.high) - log(one.low)) / (2 * 1.959963984540054))
    found = update(centre, spread, data.mu, data.sigma)  # type: ignore[attr-defined]
    posterior, used = made(found.mean, found.sd), "both"
    if found.conflict:
        used, posterior = min((("prior", prior), ("data", data)), key=lambda two: two[1].mean)
    low, high = quantile(stated, 0.05), quantile(stated, 0.95)
    return posterior, Update(
        name, one.quantity, what, _three(prior), _three(data), _three(posterior), (low, high),
        found.measured_share, found.z, used, one.value, low <= one.value <= high, one.basis,
    )  # fmt: skip


def _three(made: Distribution) -> tuple[float, float, float]:
    return quantile(made, 0.05), quantile(made, 0.5), quantile(made, 0.95)


def _is_share(field: str) -> bool:
    return field not in ("frequency", "minutes", "new_minutes")


def _about(one: Measurement, line: Line) -> bool:
    if one.task != line.task or one.role not in (None, line.role):
        return False
    return one.quantity == "minutes" or one.initiative in (None, line.initiative)


def told(line: Line) -> bool:
    """Whether a saving rests on what people say of themselves alone."""
    return GRADES[line.basis] >= TOLD
