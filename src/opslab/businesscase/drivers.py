"""What the recommended option's NPV depends on: tornado, switching values, what knowing is worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
from scipy.optimize import brentq

from opslab.businesscase.ledger import Known
from opslab.businesscase.options import Driver
from opslab.businesscase.simulation import Flow, Horizon, Value, Weights, net
from opslab.uncertainty.distributions import Fixed, Values
from opslab.uncertainty.information import evpi, evppi
from opslab.uncertainty.sensitivity import first_order, tornado

_SHOWN, _ENOUGH = 8, 20_000  # drivers for which knowing is priced, and draws for it
_REACH, _SCORE = (
    6.0,
    1.2815515594457831,
)  # normal scores searched for a switching value; that of the 90th percentile


def drivers(
    flows: Sequence[Flow],
    recommended: Weights,
    known: Mapping[str, Known],
    horizon: Horizon,
    scores: Callable[[str], Values],
    npvs: Values,
    place: int,
) -> tuple[float, float, tuple[Driver, ...], float]:
    """Return the NPV at the medians, the NPV with all at their worse ends, the drivers, and the EVPI.

    Parameters
    ----------
    flows : sequence of Flow
    recommended : Weights
    known : Mapping
        The ledger's quantities by id.
    horizon : Horizon
    scores : callable
        The scores that were drawn, by id.
    npvs : array of shape (draws, options)
        A column of zeros for doing nothing first.
    place : int
        Column of the recommended option.
    """
    mine = [flow for flow in flows if flow.counted and recommended.parts.get(flow.name)]
    names = sorted(
        {one for flow in mine for one in flow.ids if not isinstance(known[one].used, Fixed)}
    )

    def model(scores_of: Callable[[str], Values]) -> Values:
        def value(name: str) -> Values:
            return np.asarray(known[name].used.at(np.asarray(scores_of(name), dtype=np.float64)))

        return net(mine, recommended, value, horizon, _expected(value))

    def moved_by(name: str, score: float) -> float:
        """Return the NPV with one quantity at a score, the rest at their medians."""
        own = [flow for flow in mine if name in flow.ids]

        def value(other: str) -> Values:
            return known[other].used.at(np.array([score if other == name else 0.0]))

        def middle(other: str) -> Values:
            return known[other].used.at(np.zeros(1))

        return base + float(
            (
                net(own, recommended, value, horizon, _expected(value))
                - net(own, recommended, middle, horizon, _expected(middle))
            ).item()
        )

    if not names:
        base = float(model(lambda _: np.zeros(1)).item())
        return base, base, (), 0.0
    base, bars = tornado(model, names)
    worth = evpi(npvs)[0]
    worse = {bar.name: -_SCORE if bar.low < bar.high else _SCORE for bar in bars}
    all_low = float(model(lambda name: np.array([worse.get(name, 0.0)])).item())
    found = []
    some = slice(_ENOUGH)
    for number, bar in enumerate(one for one in bars if one.span > 0):
        ends = known[bar.name].used.at(np.array([-_SCORE, _SCORE]))
        price = min(evppi(scores(bar.name)[some], npvs[some]), worth) if number < _SHOWN else None
        share = first_order(scores(bar.name)[some], npvs[some, place]) if number < _SHOWN else 0.0
        switch = (
            _switching(partial(moved_by, bar.name), known[bar.name]) if number < _SHOWN else None
        )
        found.append(
            Driver(
                bar.name,
                (float(ends[0]), float(ends[1])),
                (bar.low, bar.high),
                switch,
                share,
                price,
            )
        )
    return base, all_low, tuple(found), worth


def _expected(value: Value) -> Callable[[Flow], Values]:
    """Return an event's chance in place of whether it comes about."""
    return lambda flow: value(flow.probability or "")


def _switching(at: Callable[[float], float], known: Known) -> float | None:
    """Return the value of a quantity at which the NPV is 0, the rest at their medians; None for none."""
    if at(-_REACH) * at(_REACH) > 0:
        return None
    return float(known.used.at(np.array([brentq(at, -_REACH, _REACH, xtol=1e-6)]))[0])
