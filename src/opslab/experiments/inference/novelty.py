"""Does an effect wear off: by time since exposure, with a test of its trend."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from scipy.special import stdtrit

from opslab.experiments.inference.effects import welch
from opslab.experiments.moments.arm_moments import Moments, collect
from opslab.experiments.moments.columns import Column
from opslab.experiments.result import SpanEffect, Trend
from opslab.experiments.units.unit_table import Spans, UnitTable
from opslab.tables.source import ROW, quoted


def trends(units: UnitTable, control: str, alpha: float, where: str) -> list[Trend]:
    """Return how the effect on each metric that has spans goes on after exposure, arm by arm.

    ``where`` is the SQL condition on the units to use.
    """
    found = []
    for metric, spans in units.trends.items():
        table = units.table
        slope = "opslab_slope"
        names = ", ".join(map(quoted, (units.arm, *spans.columns)))
        source = f"{table.relation} WHERE {where}"
        query = f"(SELECT {names}, {_contrast(spans)} AS {slope}, {ROW} FROM {source})"
        types = {name: table.types[name] for name in (units.arm, *spans.columns)} | {
            slope: "DOUBLE"
        }
        columns = [Column(name) for name in (*spans.columns, slope)]
        arms = collect(table.over(query, types, table.reading), units.arm, columns)
        base = arms[control].moments
        for arm, moments in sorted(
            (name, one.moments) for name, one in arms.items() if name not in (None, control)
        ):
            pairs = [(moments[column], base[column]) for column in columns]
            found.append(trend(metric, str(arm), pairs[:-1], pairs[-1], alpha, spans.days))
    return found


def _contrast(spans: Spans) -> str:
    """Return SQL of a unit's linear contrast over its spans; empty where one of them is."""
    middle = (len(spans.columns) - 1) / 2
    return " + ".join(
        f"({place - middle!r}) * {quoted(name)}" for place, name in enumerate(spans.columns)
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
    effects = tuple(_span(one, other, alpha) for one, other in spans)
    middle = (len(spans) - 1) / 2
    scale = sum((place - middle) ** 2 for place in range(len(spans)))
    one, other = contrasts
    if min(one.n, other.n) < 2 or one.variance + other.variance == 0:  # noqa: PLR2004 - as for any variance
        return Trend(metric, arm, days, effects)
    test = welch(one.mean, one.variance, one.n, other.mean, other.variance, other.n, 1 - alpha)
    return Trend(metric, arm, days, effects, test.difference / scale, test.p_value)


def _span(one: Moments, other: Moments, alpha: float) -> SpanEffect:
    if min(one.n, other.n) < 2 or one.variance + other.variance == 0:  # noqa: PLR2004 - as for any variance
        return SpanEffect(None, None, None)
    test = welch(one.mean, one.variance, one.n, other.mean, other.variance, other.n, 1 - alpha)
    error = sqrt(one.variance / one.n + other.variance / other.n)
    reach = float(stdtrit(test.degrees_of_freedom, 1 - alpha / 2)) * error
    return SpanEffect(test.difference, test.difference - reach, test.difference + reach)
