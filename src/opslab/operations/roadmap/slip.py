"""How late past dates turned out: what was first announced against what came."""

import datetime
import math
import re
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from opslab.errors import DataError
from opslab.operations.roadmap.result import Slips
from opslab.operations.roadmap.spec import Announcement

FEWEST = 10
"""Past dates below which nothing is said of the next."""
_RELEASE = re.compile(r"\D*([1-9]\d*)\.(\d+)")
_SERIES = 100_000  # releases of a series at most
_DAY = re.compile(r"(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")


def slips(
    announcements: Sequence[Announcement],
    as_of: datetime.date,
    releases: Mapping[str, datetime.date],
    finished: Mapping[str, datetime.date | None],
) -> Slips:
    """Return how late past dates turned out, and the interval that the next is expected in.

    First is the end that was announced first, before it came: a date that is entered afterwards
    announces nothing, nor does what is announced after the day, or a release that is none, such as
    TBD or v0.0. What came is the delivery where it is told, or the day on which the initiative was
    finished. A date that passed held only where it is known to have: what is open in the roadmap's
    own sheet is open, and of what nothing tells nothing is counted.
    What comes late is known late: of what was announced of late, that which held is known first, so
    that the slips of a short history look smaller than they will.

    Parameters
    ----------
    announcements : sequence of Announcement
        Those of an initiative and a day in their order.
    as_of : datetime.date
    releases : Mapping of str to datetime.date
        Days of releases. Where there are none, and no dates, slips are counted in releases.
    finished : Mapping of str to datetime.date or None
        Of each initiative in the sheet, by its id without case; None of open ones.

    Raises
    ------
    DataError
        When a delivery is neither a day nor a release, or releases go from v1 to v2 without days.

    Examples
    --------
    >>> rows = ("a", "v1.4", None), ("a", "v1.6", "1.6"), ("b", "1.5", None)
    >>> said = [
    ...     Announcement(initiative=name, announced="2026-01-10", release=to, delivered=came)
    ...     for name, to, came in rows
    ... ]
    >>> slips(said, datetime.date(2026, 6, 1), {}, {})[:3]
    (1, 0, None)
    """
    in_days = bool(releases) or any(row.date for row in announcements)
    firsts, lasts, came = dict[str, float](), dict[str, float](), dict[str, float]()
    for row in sorted(announcements, key=attrgetter("announced")):
        if row.announced <= as_of:
            name = row.initiative.casefold()
            end = _number(row.release or row.date, releases, in_days=in_days)
            if end >= row.announced.toordinal() * in_days:
                firsts.setdefault(name, end)
                lasts[name] = end
            if row.delivered:
                came[name] = _number(row.delivered, releases, in_days=in_days)
    if in_days:
        done = {name: day.toordinal() for name, day in finished.items() if day}
        came = done | {at: came[at] for at in came if at in done or at not in finished}
    late = {
        name: came[name] - firsts[name]
        for name in firsts
        if name in came and not came[name] * in_days > as_of.toordinal()
    }
    for name, slip in late.items():
        if not abs(slip) < _SERIES / 2:
            raise DataError.of("roadmap.delivered", id=name)
    passed = {name for name in lasts if lasts[name] < as_of.toordinal() * in_days}
    unknown = len(passed - {*came} - {*finished})
    past, used = np.array([*late.values()]), len(late) >= FEWEST
    mean, low, high = (float(past.mean()), *next_interval(past)) if used else (None,) * 3
    held, unit = int((past <= 0).sum()), "days" if in_days else "releases"
    still = len(firsts) - len(past) - unknown
    return Slips(
        len(past), held, mean, low, high, unit, still, used, unknown, (*past.tolist(),), firsts
    )


def _number(said: Any, releases: Mapping[str, datetime.date], *, in_days: bool) -> float:
    """Return the ordinal of a day, or the place of a release; NaN of what is neither."""
    match = (_DAY if in_days else _RELEASE).fullmatch(str(releases.get(said, said)))
    if match is None:
        return math.nan
    parts = [int(part) for part in match.groups()]
    return datetime.date(*parts).toordinal() if in_days else parts[0] * _SERIES + parts[1]


def next_interval(past: Any) -> tuple[float, float]:
    """Return the interval that holds the next slip in 80 % of cases, of at least nine past ones.

    Of n past values and the next, each order is as likely as another: the next is as often beyond
    the k-th smallest as k of n + 1. The low end is the 10th percentile of them; the high one is as
    far from it as 80 % need. Where many slips are equal, as of dates that held, few are below the
    low end, and up to the 90th percentile would be more than was said.

    Parameters
    ----------
    past : array of float, shape (initiatives,)

    Sources
    -------
    Wilks (1941), Determination of Sample Sizes for Setting Tolerance Limits; Vovk, Gammerman and
    Shafer (2005), Algorithmic Learning in a Random World, section 2.2 (conformal prediction).

    Examples
    --------
    >>> next_interval(np.arange(19)), next_interval(np.repeat([0, 1, 9], [14, 3, 2]))
    ((1.0, 17.0), (0.0, 1.0))
    """
    ordered, count = np.sort(past), len(past) + 1
    kept = ordered[ordered >= ordered[count // 10 - 1]]
    reach = -(-8 * count // 10) - (kept[0] == kept[1])
    return float(kept[0]), float(kept[min(reach, len(kept) - 1)])
