"""Does an effect wear off: by time since exposure, with a test of its trend."""

from __future__ import annotations

from collections.abc import Sequence

from opslab.experiments.grounds import Grounds
from opslab.experiments.inference.effects import welch_of_moments
from opslab.experiments.moments.arm_moments import Moments
from opslab.experiments.moments.collection import collect_by
from opslab.experiments.moments.columns import Column
from opslab.experiments.result import SpanEffect, Trend
from opslab.experiments.units.unit_table import Spans
from opslab.tables.source import ROW, quoted

_SLOPE = "opslab_slope"


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
