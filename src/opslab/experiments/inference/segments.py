"""Effects by segment: one test of whether they differ, then each with its family's correction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import inf
from typing import NamedTuple

from scipy.special import chdtrc

from opslab.experiments.checks.sample_ratio import homogeneity
from opslab.experiments.grounds import Grounds
from opslab.experiments.inference.comparisons import error_of
from opslab.experiments.inference.metric_columns import MetricColumns
from opslab.experiments.inference.metric_comparisons import compared
from opslab.experiments.inference.multiplicity import benjamini_hochberg, holm
from opslab.experiments.moments.arm_moments import Levels, merge_levels
from opslab.experiments.result import Comparison, Interaction
from opslab.results import Message

_COMPOSITION = 0.001  # p below which a segment's make-up was touched by the arms


class Heterogeneity(NamedTuple):
    """Test of whether effects differ between segments.

    Attributes
    ----------
    statistic : float
        Cochran's Q.
    degrees_of_freedom : int
        Segments, minus 1.
    p_value : float
    """

    statistic: float
    degrees_of_freedom: int
    p_value: float


def interaction(differences: Sequence[float], variances: Sequence[float]) -> Heterogeneity:
    """Test whether effects differ between segments: Cochran's Q.

    Parameters
    ----------
    differences, variances : sequence of float, one per segment
        Independent effects and their squared standard errors.

    Returns
    -------
    Heterogeneity

    Examples
    --------
    >>> test = interaction([1.0, 3.0], [0.25, 0.75])
    >>> f"{test.statistic:.1f} {test.degrees_of_freedom} {test.p_value:.4f}"
    '4.0 1 0.0455'

    Sources
    -------
    Cochran (1954): sum of w (d - mean)^2 with w = 1 / variance, chi-square.
    """
    weights = [1 / variance for variance in variances]
    mean = sum(w * d for w, d in zip(weights, differences, strict=True)) / sum(weights)
    statistic = sum(w * (d - mean) ** 2 for w, d in zip(weights, differences, strict=True))
    freedom = len(differences) - 1
    return Heterogeneity(statistic, freedom, float(chdtrc(freedom, statistic)))


def by_segment(grounds: Grounds) -> tuple[list[Comparison], list[Interaction]]:
    """Return the effects on primary and secondary metrics in segments, and the interactions.

    Returns
    -------
    tuple of list
        Effects with p-values adjusted over all segments (Benjamini and Hochberg) and interactions
        adjusted by Holm. Of a column whose make-up differs between the arms there is a refusal: it
        was touched by them; and of a metric that segments do not break down.
    """
    comparisons: list[Comparison] = []
    interactions: list[Interaction] = []
    for segment, inside in grounds.segments.items():
        names = sorted({name for strata in inside.values() for name in merge_levels(strata)})
        composition = homogeneity(*_compositions(inside, names, grounds))
        touched = composition < _COMPOSITION
        for columns in grounds.metrics.values():
            metric, refusal = columns.metric, None
            if metric.role == "guardrail":
                continue
            if touched:
                refusal = Message("experiments.segment_touched", {"p": composition})
            elif "segments" not in metric.forms:
                refusal = Message("experiments.form_segments", {"type": metric.type})
            effects = [] if refusal else _effects(columns, segment, grounds)
            comparisons += effects
            for arm in (name for name in names if name != grounds.control):
                own = [effect for effect in effects if effect.arm == arm]
                test = Interaction(
                    metric.name, metric.role, arm, segment, len(own), not_estimable=refusal
                )
                interactions.append(_tested(test, own, grounds.alpha))
    by_effect = benjamini_hochberg([effect.p_value for effect in comparisons])
    by_test = holm([test.p_value for test in interactions])
    return (
        [replace(one, p_adjusted=p) for one, p in zip(comparisons, by_effect, strict=True)],
        [replace(one, p_adjusted=p) for one, p in zip(interactions, by_test, strict=True)],
    )


def _compositions(
    segments: Mapping[str | None, Levels], names: Sequence[str], grounds: Grounds
) -> list[list[list[int]]]:
    """Return for each phase the units of each segment (rows) in each arm (columns)."""
    tables: dict[str | None, list[list[int]]] = {}
    for strata in segments.values():
        for phase, arms in grounds.by_phase(merge_levels(strata), strata).items():
            units = [arms[name].rows if name in arms else 0 for name in names]
            tables.setdefault(phase, []).append(units)
    return list(tables.values())


def _effects(columns: MetricColumns, segment: str, grounds: Grounds) -> list[Comparison]:
    effects = []
    for level, strata in grounds.segments[segment].items():
        shown = f"{segment}: {level}" if level is not None else f"{segment}:"
        inside = merge_levels(strata)
        if grounds.control in inside and len(inside) > 1:
            sums = grounds.sums(inside, None if None in strata else strata)
            effects += [replace(effect, segment=shown) for effect in compared(columns, sums)]
    return effects


def _tested(untested: Interaction, effects: Sequence[Comparison], alpha: float) -> Interaction:
    known = _known(effects, alpha)
    if untested.not_estimable:
        return untested
    if len(known) < 2:  # noqa: PLR2004 - it takes two to differ
        refusal = Message("experiments.one_segment", {"count": len(known)})
        return replace(untested, not_estimable=refusal)
    test = interaction(*zip(*known, strict=True))
    return replace(untested, levels=len(known), **test._asdict())


def cochran(effects: Iterable[Comparison], alpha: float) -> float | None:
    """Return the p-value of one effect in all parts; None with fewer than two of them."""
    known = _known(effects, alpha)
    return interaction(*zip(*known, strict=True)).p_value if len(known) > 1 else None


def _known(effects: Iterable[Comparison], alpha: float) -> list[tuple[float, float]]:
    """Return the differences with their variances, as far as they can be told."""
    return [
        (effect.difference, variance)
        for effect in effects
        if effect.difference is not None
        and 0 < (variance := (error_of(effect, alpha) or 0.0) ** 2) < inf
    ]
