"""Does an effect hold on every day: by the day on which units came in."""

import datetime
from collections.abc import Callable

from opslab.experiments.inference.metric_columns import MetricColumns
from opslab.experiments.inference.metric_comparisons import ArmSums, compared
from opslab.experiments.inference.segments import cochran
from opslab.experiments.moments.arm_moments import Arms, Levels, merge_levels
from opslab.experiments.result import Calendar, Comparison, SpanEffect

_MOST_DAYS = 35  # beyond them the effect is shown by week
_WEEK = 7


def by_day(
    columns: MetricColumns,
    days: Levels,
    control: str,
    alpha: float,
    phase_of: Callable[[str], str | None],
    *,
    totals: bool = False,
) -> list[Calendar]:
    """Return the effect on a metric by day of assignment, or by week where there are many days.

    Parameters
    ----------
    columns : MetricColumns
    days : mapping
        The arms by day, YYYY-MM-DD.
    control : str
    alpha : float
    phase_of : callable
        From a day to its phase: a week begins anew with each.
    totals : bool
        Whether days stand for units: then weeks are shown, with the spread of their days.

    Returns
    -------
    list of Calendar
        For each arm; nothing where no day has an effect, or the metric's type has no parts.
    """
    if "segments" not in columns.metric.forms:
        return []
    names = sorted(filter(None, days))
    length = 1 if len(names) <= _MOST_DAYS and not totals else _WEEK
    spans: dict[datetime.date, dict[str | None, Arms]] = {}
    for name in names:
        day, first = map(datetime.date.fromisoformat, (name, phase_of(name) or names[0]))
        start = day - (day - first) % datetime.timedelta(days=length)
        spans.setdefault(start, {})[name] = days[name]
    effects: dict[str, dict[datetime.date, Comparison]] = {}
    for start, inside in spans.items():
        arms = merge_levels(inside)
        sums = ArmSums(arms, control, alpha, inside if totals else None)
        for effect in compared(columns, sums) if control in arms else ():
            effects.setdefault(effect.arm, {})[start] = effect
    return [
        Calendar(
            columns.metric.name,
            arm,
            length,
            tuple(by_start),
            tuple(
                SpanEffect(day.difference, *day.difference_interval) for day in by_start.values()
            ),
            cochran(by_start.values(), alpha),
        )
        for arm, by_start in effects.items()
        if any(day.difference is not None for day in by_start.values())
    ]
