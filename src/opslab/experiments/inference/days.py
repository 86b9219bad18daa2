"""Does an effect hold on every day: by the day on which units came in."""

from __future__ import annotations

import datetime

from opslab.experiments.grounds import Grounds
from opslab.experiments.inference.metric_comparisons import compared
from opslab.experiments.inference.segments import cochran
from opslab.experiments.moments.arm_moments import Arms, merge_levels
from opslab.experiments.result import Calendar, Comparison, SpanEffect

_MOST_DAYS = 35  # beyond them the effect is shown by week
_WEEK = 7


def by_day(grounds: Grounds) -> list[Calendar]:
    """Return the effect on the first primary metric by day of assignment, or by week.

    It is by week where there are many days, and where days stand for units: then with the spread of
    the week's days. A week begins anew with each phase.

    Returns
    -------
    list of Calendar
        For each arm; nothing where no day has an effect, or the metric's type has no parts.
    """
    metrics, days = grounds.metrics.values(), grounds.days or {}
    columns = next(known for known in metrics if known.metric.role == "primary")
    if "segments" not in columns.metric.forms:
        return []
    names, totals = sorted(filter(None, days)), grounds.units.counted is not None
    length = 1 if len(names) <= _MOST_DAYS and not totals else _WEEK
    spans: dict[datetime.date, dict[str | None, Arms]] = {}
    for name in names:
        since = grounds.experiment.phase_of(name) or names[0]
        day, first = map(datetime.date.fromisoformat, (name, since))
        start = day - (day - first) % datetime.timedelta(days=length)
        spans.setdefault(start, {})[name] = days[name]
    effects: dict[str, dict[datetime.date, Comparison]] = {}
    for start, inside in spans.items():
        arms = merge_levels(inside)
        sums = grounds.sums(arms, inside if totals else None)
        for effect in compared(columns, sums) if grounds.control in arms else ():
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
            cochran(by_start.values(), grounds.alpha),
        )
        for arm, by_start in effects.items()
        if any(day.difference is not None for day in by_start.values())
    ]
