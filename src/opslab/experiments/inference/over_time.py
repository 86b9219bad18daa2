"""Does an effect last: by time since exposure, with a test of a trend; by day of assignment."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from opslab.experiments.grounds import Grounds
from opslab.experiments.inference.effects import welch_of_moments
from opslab.experiments.inference.metric_comparisons import compared
from opslab.experiments.inference.segments import cochran
from opslab.experiments.moments.arm_moments import Arms, Moments, merge_levels
from opslab.experiments.moments.collection import collect_by
from opslab.experiments.moments.columns import Column
from opslab.experiments.result import Calendar, Comparison, SpanEffect, Trend
from opslab.experiments.units.unit_table import Spans
from opslab.tables.source import ROW, quoted

_SLOPE = "opslab_slope"
_MOST_DAYS = 35  # beyond them the effect is shown by week
_WEEK = 7


def trends(grounds: Grounds) -> list[Trend]:
    """Return how the effect on each metric that has spans goes on after exposure, arm by arm."""
    units, table, control = grounds.units, grounds.units.table, grounds.control
    by_metric = []
    for metric, spans in units.trends.items():
        names = (units.arm, *spans.columns)
        selected = ", ".join([*map(quoted, names), f"{_contrast(spans)} AS {_SLOPE}", ROW])
        query = f"(SELECT {selected} FROM {table.relation} WHERE {units.where})"
        types = {name: table.types[name] for name in names} | {_SLOPE: "DOUBLE"}
        columns = [Column(name) for name in (*spans.columns, _SLOPE)]
        labelled = collect_by(table.over(query, types, table.reading), units.arm, columns).whole
        base = labelled[control].moments
        for arm in sorted(arm for arm in grounds.arms if arm != control):
            moments = labelled[arm].moments
            *pairs, contrasts = [(moments[column], base[column]) for column in columns]
            by_metric.append(trend(metric, arm, pairs, contrasts, grounds.alpha, spans.days))
    return by_metric


def _contrast(spans: Spans) -> str:
    """Return SQL of a unit's linear contrast over its spans; empty where one of them is."""
    middle = (len(spans.columns) - 1) / 2
    return " + ".join(
        f"({order - middle!r}) * {quoted(name)}" for order, name in enumerate(spans.columns)
    )


def trend(
    metric: str,
    arm: str,
    spans: Sequence[tuple[Moments, Moments]],
    contrasts: tuple[Moments, Moments],
    alpha: float,
    days: int,
) -> Trend:
    """Give an effect in each span since exposure, and whether it has a trend.

    The trend is the difference between the arms of each unit's own linear contrast, sum of (k -
    mean k) y_k over the spans k, per sum of (k - mean k)^2: a slope of the effect per span, its
    error from the units, so that it does not matter how a unit's days go together.

    Parameters
    ----------
    metric, arm : str
    spans : sequence of tuple
        Moments of the arm and of the control in each span.
    contrasts : tuple of Moments
        Of the units' contrasts, in the arm and in the control.
    alpha : float
    days : int
        Length of a span.

    Returns
    -------
    Trend
    """
    effects = tuple(
        SpanEffect(test.difference, test.low, test.high) if test else SpanEffect()
        for sides in spans
        for test in [welch_of_moments(*sides, 1 - alpha)]
    )
    middle = (len(spans) - 1) / 2
    scale = sum((order - middle) ** 2 for order in range(len(spans)))
    test = welch_of_moments(*contrasts, 1 - alpha)
    if test is None:
        return Trend(metric, arm, days, effects)
    return Trend(metric, arm, days, effects, test.difference / scale, test.p_value)


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
