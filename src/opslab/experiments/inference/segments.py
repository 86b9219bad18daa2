"""Effects by segment: one test of whether they differ, then each with its family's correction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isfinite

from scipy.special import chdtrc, ndtri

from opslab.errors import DataError
from opslab.experiments.checks.sample_ratio import homogeneity
from opslab.experiments.inference.measured import Measured, compared
from opslab.experiments.inference.multiplicity import benjamini_hochberg, holm
from opslab.experiments.metrics import Quantile
from opslab.experiments.moments.arm_moments import ArmMoments
from opslab.experiments.result import Comparison, Interaction
from opslab.results import Message
from opslab.tables.source import Table, quoted

MOST_LEVELS = 50
_COMPOSITION = 0.001  # p below which a segment's make-up was touched by the arms


def refuse_many_levels(table: Table, segments: Sequence[str], where: str) -> None:
    """Raise for a column with too many levels to be a segment, before anything is grouped by it."""
    if not segments:
        return
    looks = ", ".join(f"approx_count_distinct({quoted(name)})" for name in segments)
    (counts,) = table.fetch(f"SELECT {looks} FROM {table.relation} WHERE {where}")
    for name, count in zip(segments, counts, strict=True):
        if count > 2 * MOST_LEVELS:  # the count is approximate
            values = {"count": count, "most": MOST_LEVELS}
            raise DataError.of(
                "experiments.many_levels", file=table.reading.name, field=name, **values
            )


def interaction(
    differences: Sequence[float], variances: Sequence[float]
) -> tuple[float, int, float]:
    """Test whether effects differ between segments: Cochran's Q.

    Parameters
    ----------
    differences, variances : sequence of float, one per segment
        Independent effects and their squared standard errors.

    Returns
    -------
    tuple
        Statistic, degrees of freedom (segments - 1), p-value.

    Examples
    --------
    >>> statistic, freedom, p_value = interaction([1.0, 3.0], [0.25, 0.75])
    >>> f"{statistic:.1f} {freedom} {p_value:.4f}"
    '4.0 1 0.0455'

    Sources
    -------
    Cochran (1954): sum of w (d - mean)^2 with w = 1 / variance, chi-square.
    """
    weights = [1 / variance for variance in variances]
    mean = sum(w * d for w, d in zip(weights, differences, strict=True)) / sum(weights)
    statistic = sum(w * (d - mean) ** 2 for w, d in zip(weights, differences, strict=True))
    freedom = len(differences) - 1
    return statistic, freedom, float(chdtrc(freedom, statistic))


def by_segment(
    metrics: Mapping[str, Measured],
    levels: Mapping[str, Mapping[str | None, Mapping[str, ArmMoments]]],
    control: str,
    alpha: float,
) -> tuple[list[Comparison], list[Interaction]]:
    """Return the effects on primary and secondary metrics in each segment, and the tests of interaction.

    Parameters
    ----------
    metrics : mapping
        By name.
    levels : mapping
        By segment column, by its level, the arms.
    control : str
    alpha : float

    Returns
    -------
    tuple of list
        Effects with p-values adjusted over all segments (Benjamini and Hochberg) and interactions
        adjusted by Holm. Of a column whose make-up differs between the arms there is a refusal: it
        was touched by them.
    """
    comparisons: list[Comparison] = []
    interactions: list[Interaction] = []
    wanted = [
        one
        for one in metrics.values()
        if one.metric.role != "guardrail" and not isinstance(one.metric, Quantile)
    ]
    for segment, inside in levels.items():
        names = sorted({name for arms in inside.values() for name in arms})
        counts = [
            [arms[name].rows if name in arms else 0 for name in names] for arms in inside.values()
        ]
        composition = homogeneity(counts)
        touched = composition < _COMPOSITION
        for one in wanted:
            found = [] if touched else _effects(one, segment, inside, names, control, alpha)
            comparisons += found
            for arm in (name for name in names if name != control):
                own = [effect for effect in found if effect.arm == arm]
                interactions.append(
                    _interaction(one, segment, arm, own, composition if touched else None, alpha)
                )
    return _adjusted(comparisons, interactions)


def _effects(
    one: Measured,
    segment: str,
    inside: Mapping[str | None, Mapping[str, ArmMoments]],
    names: Sequence[str],
    control: str,
    alpha: float,
) -> list[Comparison]:
    found = []
    for level, arms in inside.items():
        shown = f"{segment}: {level}" if level is not None else f"{segment}:"
        there = {name: arms[name] for name in names if name in arms}
        if control in there and len(there) > 1:
            found += [replace(made, segment=shown) for made in compared(one, there, control, alpha)]
    return found


def _interaction(
    one: Measured,
    segment: str,
    arm: str,
    effects: Sequence[Comparison],
    composition: float | None,
    alpha: float,
) -> Interaction:
    made = Interaction(one.metric.name, one.metric.role, arm, segment, len(effects))
    if composition is not None:
        return replace(
            made, not_estimable=Message("experiments.segment_touched", {"p": composition})
        )
    # The test by score of small counts gives no error: its interval's half width stands for it.
    known = [
        (effect.difference, error)
        for effect in effects
        if effect.difference is not None
        and (error := _variance(effect, alpha)) > 0
        and isfinite(error)
    ]
    if len(known) < 2:  # noqa: PLR2004 - it takes two to differ
        return replace(
            made, not_estimable=Message("experiments.one_segment", {"count": len(known)})
        )
    statistic, freedom, p_value = interaction(
        [one for one, _ in known], [error for _, error in known]
    )
    return replace(
        made, levels=len(known), statistic=statistic, degrees_of_freedom=freedom, p_value=p_value
    )


def _variance(one: Comparison, alpha: float) -> float:
    if one.standard_error is not None:
        return one.standard_error**2
    low, high = one.difference_interval
    width = 2 * float(ndtri(1 - alpha / 2))
    return ((high - low) / width) ** 2 if low is not None and high is not None else 0.0


def _adjusted(
    comparisons: Sequence[Comparison], interactions: Sequence[Interaction]
) -> tuple[list[Comparison], list[Interaction]]:
    known = [one.p_value for one in comparisons if one.p_value is not None]
    tested = [one.p_value for one in interactions if one.p_value is not None]
    adjusted, judged = iter(benjamini_hochberg(known)), iter(holm(tested))
    return (
        [
            replace(one, p_adjusted=next(adjusted) if one.p_value is not None else None)
            for one in comparisons
        ],
        [
            replace(one, p_adjusted=next(judged) if one.p_value is not None else None)
            for one in interactions
        ],
    )
