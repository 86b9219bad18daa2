"""Cost of delay: which piece of work first, and what waiting costs.

Delay cost is cost of delay a week x weeks until done. CD3 is cost of delay divided by duration;
where the values are poor (Vacanti's objection) a prioritisation tells how sure its order is.
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
    value, size = _items(cost_of_delay_per_week, weeks)
    return tuple(np.lexsort((size, -value / size)).tolist())


def delay_cost(
    cost_of_delay_per_week: Sequence[float], weeks: Sequence[float], order: Sequence[int]
) -> float:
    """Return the total delay cost of an order: sum of cost of delay x weeks until the item is done.

    Examples
    --------
    >>> [delay_cost([10, 30], [2, 4], order) for order in ((1, 0), (0, 1))]  # 20 ice creams apart
    [180.0, 200.0]
    """
    value, size = _items(cost_of_delay_per_week, weeks)
    if sorted(order) != list(range(len(value))):
        raise InputError.of("businesscase.delay_order", count=len(value))
    places = list(order)
    return float(value[places] @ np.cumsum(size[places]))


def _items(cost: Sequence[float], weeks: Sequence[float]) -> tuple[Values, Values]:
    value, size = np.asarray(cost, dtype=np.float64), np.asarray(weeks, dtype=np.float64)
    fits = value.ndim == 1 and value.shape == size.shape and bool(value.size)
    if not (fits and np.isfinite(value).all() and np.isfinite(size).all() and (size > 0).all()):
        raise InputError.of("businesscase.delay_items")
    return value, size
