"""What an option's NPV depends on: tornado, switching values, what knowing is worth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq

from opslab.businesscase.options import Driver
from opslab.businesscase.quantities import Draws, Quantities
from opslab.businesscase.simulation import Flow, Horizon, Weights, net
from opslab.uncertainty.distributions import Fixed, Values
from opslab.uncertainty.information import evpi, evppi
from opslab.uncertainty.sensitivity import first_order, tornado

_SHOWN, _ENOUGH = 8, slice(20_000)  # drivers for which knowing is priced, and draws for it
_REACH = 6.0  # normal scores searched for a switching value
_SCORE = 1.2815515594457831  # that of the 90th percentile


@dataclass(frozen=True)
class Drivers:
    """What an option's NPV depends on.

    Attributes
    ----------
    base : float
        NPV with every quantity at its median.
    all_low : float
        NPV with every quantity at its worse end.
    bars : tuple of Driver
    evpi : float
        What knowing everything is worth.
    """

    base: float
    all_low: float
    bars: tuple[Driver, ...]
    evpi: float


def drivers(
    flows: Sequence[Flow],
    option: Weights,
    draws: Draws,
    horizon: Horizon,
    npvs: Values,
    npv: Values,
) -> Drivers:
    """Return what an option's NPV depends on.

    Parameters
    ----------
    flows : sequence of Flow
    option : Weights
    draws : Draws
    horizon : Horizon
    npvs : array of shape (draws, options)
        A column of zeros for doing nothing first.
    npv : array of shape (draws,)
        Of the option.
    """
    model = _Model(flows, option, draws, horizon)
    used = {name for flow in model.flows for name in flow.ids}
    names = sorted(name for name in used if not isinstance(draws.known[name], Fixed))
    if not names:
        base = float(model.npv(lambda _: np.zeros(1)).item())
        return Drivers(base, base, (), 0.0)
    base, bars = tornado(model.npv, names)
    worse = {bar.name: -_SCORE if bar.low < bar.high else _SCORE for bar in bars}
    all_low = model.npv(lambda name: np.array([worse.get(name, 0.0)])).item()
    worth, moved = evpi(npvs)[0], list[Driver]()
    for bar in bars:
        if bar.span <= 0:
            continue
        low, high = model.at(bar.name, -_SCORE, _SCORE)
        driver = Driver(bar.name, (low, high), (bar.low, bar.high))
        if len(moved) < _SHOWN:
            scores = draws.scores(bar.name)[_ENOUGH]
            driver = replace(
                driver,
                switching=model.switching(bar.name, base),
                share=first_order(scores, npv[_ENOUGH]),
                knowing=min(evppi(scores, npvs[_ENOUGH]), worth),
            )
        moved.append(driver)
    return Drivers(base, float(all_low), tuple(moved), worth)


class _Model:
    """An option's NPV as a function of the scores of what it stands on."""

    def __init__(
        self, flows: Sequence[Flow], option: Weights, draws: Draws, horizon: Horizon
    ) -> None:
        self.flows = [flow for flow in flows if option.counted(flow)]
        self.option, self.draws, self.horizon = option, draws, horizon

    def npv(self, scores: Callable[[str], Values], name: str | None = None) -> Values:
        """Return the NPV, or only what of it hangs on one quantity."""
        flows = [flow for flow in self.flows if name is None or name in flow.ids]
        return net(flows, self.option, Quantities(self.draws.known, scores), self.horizon)

    def at(self, name: str, *scores: float) -> list[float]:
        """Return a quantity's values at scores."""
        values: list[float] = self.draws.known[name].at(np.array(scores)).tolist()
        return values

    def switching(self, name: str, base: float) -> float | None:
        """Return the value of a quantity at which the NPV is 0, the rest at their medians."""
        middle = self.npv(lambda _: np.zeros(1), name)

        def npv(score: float) -> float:
            moved = self.npv(lambda other: np.array([score if other == name else 0.0]), name)
            return base + float((moved - middle).item())

        if npv(-_REACH) * npv(_REACH) > 0:
            return None
        return self.at(name, brentq(npv, -_REACH, _REACH, xtol=1e-6))[0]
