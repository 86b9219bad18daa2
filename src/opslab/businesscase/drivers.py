"""What an option's NPV depends on: tornado, switching values, what knowing is worth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtri

from opslab.businesscase.options import Driver
from opslab.businesscase.quantities import Draws, Quantities
from opslab.businesscase.simulation import Flow, Horizon, Weights, net
from opslab.businesscase.verdict import worst
from opslab.uncertainty.distributions import Fixed, Values
from opslab.uncertainty.information import evpi, evppi
from opslab.uncertainty.sensitivity import first_order, mean_score, tornado

_SHOWN, _ENOUGH = 8, slice(20_000)  # drivers for which knowing is priced, and draws for it
_REACH = 6.0  # normal scores searched for a switching value
_SCORE = 1.2815515594457831  # that of the 90th percentile
_TAIL = -ndtri((np.arange(40) + 0.5) / 800)  # scores of the worst twentieth


@dataclass(frozen=True)
class Drivers:
    """What an option's NPV depends on.

    Attributes
    ----------
    all_low : float
        NPV with every quantity at its worse end.
    worst_together : float
        Mean NPV of the worst twentieth if all quantities went wrong together.
    bars : tuple of Driver
    evpi : float
        What knowing everything is worth.
    """

    all_low: float
    worst_together: float
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
    expected = float(npv.mean())
    if not names:
        return Drivers(expected, expected, (), 0.0)
    base, bars = tornado(model.npv, names, base=model.base)
    shift = expected - base  # what the means of products and of months late add
    worse = {bar.name: -1.0 if bar.low < bar.high else 1.0 for bar in bars if bar.span}

    def together(scores: Values) -> Values:
        return model.npv(lambda name: worse.get(name, 0.0) * scores)

    worth, moved = evpi(npvs)[0], list[Driver]()
    for bar in bars:
        if bar.span <= 0:
            continue
        low, high = model.at(bar.name, -_SCORE, _SCORE)
        driver = Driver(bar.name, (low, high), (bar.low + shift, bar.high + shift))
        if len(moved) < _SHOWN:
            scores = draws.scores(bar.name)[_ENOUGH]
            driver = replace(
                driver,
                switching=model.switching(bar.name, expected),
                share=first_order(scores, npv[_ENOUGH]),
                knowing=min(evppi(scores, npvs[_ENOUGH]), worth),
            )
        moved.append(driver)
    all_low = together(np.array([_SCORE])).item()
    # What happens or not is told by its chance there, so that the draws may be worse.
    tail = min(float(together(_TAIL).mean()), worst(npv).value)
    return Drivers(all_low, tail, tuple(moved), worth)


class _Model:
    """An option's NPV as a function of the scores of what it stands on."""

    def __init__(
        self, flows: Sequence[Flow], option: Weights, draws: Draws, horizon: Horizon
    ) -> None:
        self.flows = [flow for flow in flows if option.counted(flow)]
        self.option, self.draws, self.horizon = option, draws, horizon
        self.base = cache(lambda name: mean_score(draws.known[name]))

    def npv(self, scores: Callable[[str], Values], name: str | None = None) -> Values:
        """Return the NPV, or only what of it hangs on one quantity."""
        flows = [flow for flow in self.flows if name is None or name in flow.ids]
        return net(flows, self.option, Quantities(self.draws.known, scores), self.horizon)

    def at(self, name: str, *scores: float) -> list[float]:
        """Return a quantity's values at scores."""
        values: list[float] = self.draws.known[name].at(np.array(scores)).tolist()
        return values

    def switching(self, name: str, base: float) -> float | None:
        """Return the value of a quantity at which the expected NPV is 0."""

        def part(score: float) -> float:
            def scores(other: str) -> Values:
                return np.array([score if other == name else self.base(other)])

            return float(self.npv(scores, name).item())

        middle = part(self.base(name))

        def npv(score: float) -> float:
            return base + part(score) - middle

        if npv(-_REACH) * npv(_REACH) > 0:
            return None
        return self.at(name, brentq(npv, -_REACH, _REACH, xtol=1e-6))[0]
