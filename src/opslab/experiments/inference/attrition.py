"""Bounds of an effect where values are missing: what is missing may differ between the arms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from opslab.experiments.inference.metric_columns import MetricColumns
from opslab.experiments.moments.values import finite_sql
from opslab.experiments.result import Comparison
from opslab.experiments.units.unit_table import UnitTable
from opslab.results import Message
from opslab.tables.source import literal, quoted

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


def with_bounds(comparison: Comparison, columns: MetricColumns, units: UnitTable) -> Comparison:
    """Return a comparison with its bounds where empty values were left out, or that it has none."""
    metric, missing = columns.metric, comparison.missing
    if metric.missing != "drop" or not any(missing) or comparison.difference is None:
        return comparison
    beyond = (units.strata, units.finer, units.events, columns.covariates, columns.uncapped)
    every = [sum(pair) for pair in zip(comparison.n, missing, strict=True)]
    method = "none" if any(beyond) else "manski" if metric.scale == "share" else metric.type
    low = high = None
    if method == "manski":
        shares = [share or 0.0 for share in comparison.estimate]
        low, high = manski_bounds(shares, comparison.n, every)
    elif method == "mean":
        value = finite_sql(units.table, metric.own["column"])
        rows = f"SELECT {value} AS value FROM {units.table.relation} WHERE {units.where}"
        rows += f" AND ({value}) IS NOT NULL AND CAST({quoted(units.arm)} AS VARCHAR) ="
        arm, control = (
            units.table.arrays(f"{rows} {literal(name)}")["value"]
            for name in (comparison.arm, comparison.control)
        )
        low, high = lee_bounds(arm, control, every)
    values = {"count": sum(missing), "low": low, "high": high}
    key = {"manski": "bounds_manski", "mean": "bounds_lee"}.get(method, "bounds_none")
    note = Message(f"experiments.{key}", values)
    return replace(comparison, bounds=(low, high), notes=(*comparison.notes, note))
