"""Bounds of an effect where values are missing: what is missing may differ between the arms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from opslab.experiments.grounds import Grounds
from opslab.experiments.inference.metric_columns import MetricColumns
from opslab.experiments.result import Comparison
from opslab.results import Message

Bounds = tuple[float, float]


def manski_bounds(shares: Sequence[float], values: Sequence[int], units: Sequence[int]) -> Bounds:
    """Give the difference of two proportions whatever the missing values are.

    Parameters
    ----------
    shares : sequence of float
        In the arm and in the control: of the values, those with the outcome.
    values, units : sequence of int
        Units with a value, and all.

    Examples
    --------
    >>> low, high = manski_bounds((0.5, 0.2), (80, 100), (100, 100))
    >>> f"{low:.2f} to {high:.2f}"
    '0.20 to 0.40'

    Sources
    -------
    Manski (1990).
    """
    known = zip(shares, values, units, strict=True)
    return _apart(*((own * n / every, (own * n + every - n) / every) for own, n, every in known))


def lee_bounds(arm: Any, control: Any, units: Sequence[int]) -> Bounds:
    """Give the difference of two means for units that have a value in either arm.

    They rest on one assumption: that the change moves units to have a value in one direction only.
    The arm with more values for its units is trimmed, from above or from below, by the surplus.

    Parameters
    ----------
    arm, control : array
        Values.
    units : sequence of int
        All units, in the arm and in the control.

    Examples
    --------
    >>> lee_bounds([1.0, 2.0, 3.0, 4.0], [2.0, 2.0], (4, 4))
    (-0.5, 1.5)

    Sources
    -------
    Lee (2009), proposition 1a; the number of values that are kept is rounded up.
    """
    ends = []
    for values, others, own, other in ((arm, control, *units), (control, arm, *units[::-1])):
        kept = min(len(values), -(-len(others) * own // other))
        ordered = np.sort(values)
        ends.append((float(ordered[:kept].mean()), float(ordered[-kept:].mean())))
    return _apart(*ends)


def _apart(arm: Bounds, control: Bounds) -> Bounds:
    return arm[0] - control[1], arm[1] - control[0]


def with_bounds(comparison: Comparison, columns: MetricColumns, grounds: Grounds) -> Comparison:
    """Return a comparison with its bounds where empty values were left out, or that it has none."""
    metric, missing, units = columns.metric, comparison.missing, grounds.units
    if metric.missing != "drop" or not any(missing) or comparison.difference is None:
        return comparison
    pair = grounds.pairs.get((comparison.metric, comparison.arm))
    every = [sum(counts) for counts in zip(comparison.n, missing, strict=True)]
    low, high, method = None, None, "none"
    if not (units.strata or units.finer or units.events or columns.covariates):
        if metric.scale == "share":
            shares = [share or 0.0 for share in comparison.estimate]
            (low, high), method = manski_bounds(shares, comparison.n, every), "manski"
        elif pair is not None and metric.type == "mean" and not units.table.remote:
            arm, control = pair.values
            (low, high), method = lee_bounds(arm, control, every), "lee"
    values = {"count": sum(missing), "low": low, "high": high}
    note = Message(f"experiments.bounds_{method}", values)
    return replace(comparison, bounds=(low, high), notes=(*comparison.notes, note))
