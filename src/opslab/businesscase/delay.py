"""Cost of delay: which piece of work first, what waiting costs, and whether that order is sure.

Delay cost is cost of delay a week x weeks until done. CD3 is cost of delay divided by duration;
where the values are poor (Vacanti's objection) see `stays_first`, and fall back to
`smallest_first`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from opslab.errors import InputError
from opslab.uncertainty.distributions import Values


def cd3(cost_of_delay_per_week: Sequence[float], weeks: Sequence[float]) -> tuple[int, ...]:
    """Return the places of the items in the order of cost of delay / duration, highest first.

    The order with the least total delay cost when one item is done after the other and the cost of
    delay is constant (Smith 1956; Reinertsen 2009, principle F16). Ties: the shorter first, then as
    given.

    Parameters
    ----------
    cost_of_delay_per_week : sequence of float
        Money a week.
    weeks : sequence of float
        Duration of each, above 0.

    Examples
    --------
    >>> cd3([10, 30], [2, 4])  # Arnold's ice-cream stand: 10 / 2 = 5 against 30 / 4 = 7.5
    (1, 0)
    """
    value, size = _items(cost_of_delay_per_week, weeks, 1)
    return tuple(np.lexsort((size, -value / size)).tolist())


def smallest_first(weeks: Sequence[float]) -> tuple[int, ...]:
    """Return the places of the items, shortest first: the order that needs no values.

    Examples
    --------
    >>> smallest_first([4, 1, 2])
    (1, 2, 0)
    """
    return tuple(np.argsort(np.asarray(weeks), kind="stable").tolist())


def delay_cost(
    cost_of_delay_per_week: Sequence[float], weeks: Sequence[float], order: Sequence[int]
) -> float:
    """Return the total delay cost of an order: sum of cost of delay x weeks until the item is done.

    Examples
    --------
    >>> [delay_cost([10, 30], [2, 4], order) for order in ((1, 0), (0, 1))]  # 20 ice creams apart
    [180.0, 200.0]
    """
    value, size = _items(cost_of_delay_per_week, weeks, 1)
    if sorted(order) != list(range(len(value))):
        raise InputError.of("businesscase.delay_order", count=len(value))
    places = list(order)
    return float(value[places] @ np.cumsum(size[places]))


def stays_first(cost_of_delay_per_week: Values, weeks: Values, order: Sequence[int]) -> float:
    """Return the share of draws in which the order's first item has the highest CD3, ties with it.

    Parameters
    ----------
    cost_of_delay_per_week, weeks : array of shape (items, draws)
        Drawn together; ``weeks`` above 0.
    order : sequence of int
        From `cd3` of the central values.

    Examples
    --------
    >>> cost, weeks = np.array([[10.0, 40.0], [30.0, 30.0]]), np.array([[2.0, 2.0], [4.0, 4.0]])
    >>> stays_first(cost, weeks, (1, 0))
    0.5
    """
    value, size = _items(cost_of_delay_per_week, weeks, 2)
    ratios = value / size
    return float((ratios[order[0]] >= ratios.max(axis=0)).mean())


def _items(
    cost: Sequence[float] | Values, weeks: Sequence[float] | Values, dimensions: int
) -> tuple[Values, Values]:
    value, size = np.asarray(cost, dtype=np.float64), np.asarray(weeks, dtype=np.float64)
    fits = value.ndim == dimensions and value.shape == size.shape and bool(value.size)
    if not (fits and np.isfinite(value).all() and np.isfinite(size).all() and (size > 0).all()):
        raise InputError.of("businesscase.delay_items")
    return value, size
