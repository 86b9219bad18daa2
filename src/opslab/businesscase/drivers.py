"""What the recommended option's NPV depends on: tornado, switching values, what knowing is worth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from opslab.businesscase.options import Driver
from opslab.businesscase.quantities import AtScores, Draws
from opslab.businesscase.simulation import Flow, Horizon, Weights, net
from opslab.uncertainty.distributions import Fixed, Values
from opslab.uncertainty.information import evpi, evppi
from opslab.uncertainty.sensitivity import Bar, first_order, tornado

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
    flows: Sequence[Flow], option: Weights, draws: Draws, horizon: Horizon, npvs: Values, own: int
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
    own : int
        Column of the option.
    """
    model = _Model(
        [flow for flow in flows if flow.counted and option.parts.get(flow.name)],
        option,
        draws,
        horizon,
    )
    names = sorted(
        {
            name
            for flow in model.flows
            for name in flow.ids
            if not isinstance(draws.distributions[name], Fixed)
        }
    )
    if not names:
        base = float(model.npv(lambda _: np.zeros(1)).item())
        return Drivers(base, base, (), 0.0)
    base, bars = tornado(model.npv, names)
    worse = {bar.name: -_SCORE if bar.low < bar.high else _SCORE for bar in bars}
    all_low = model.npv(lambda name: np.array([worse.get(name, 0.0)])).item()
    worth = evpi(npvs)[0]
    telling = [bar for bar in bars if bar.span > 0]
    shown = [_driver(bar, model, base, npvs[_ENOUGH], own, worth) for bar in telling[:_SHOWN]]
    rest = [Driver(bar.name, model.ends(bar.name), (bar.low, bar.high)) for bar in telling[_SHOWN:]]
    return Drivers(base, float(all_low), (*shown, *rest), worth)


@dataclass(frozen=True)
class _Model:
    """An option's NPV as a function of the scores of what it stands on."""

    flows: Sequence[Flow]
    option: Weights
    draws: Draws
    horizon: Horizon

    def npv(self, scores: Callable[[str], Values], name: str | None = None) -> Values:
        """Return the NPV, or only what of it hangs on one quantity."""
        flows = [flow for flow in self.flows if name is None or name in flow.ids]
        return net(flows, self.option, AtScores(self.draws.distributions, scores), self.horizon)

    def moved(self, name: str, score: float) -> float:
        """Return by how much one quantity at a score moves the NPV, the rest at their medians."""
        moved = self.npv(lambda other: np.array([score if other == name else 0.0]), name)
        return float((moved - self.npv(lambda _: np.zeros(1), name)).item())

    def at(self, name: str, *scores: float) -> list[float]:
        """Return a quantity's values at scores."""
        values: list[float] = self.draws.distributions[name].at(np.array(scores)).tolist()
        return values

    def ends(self, name: str) -> tuple[float, float]:
        """Return a quantity's 10th and 90th percentile."""
        low, high = self.at(name, -_SCORE, _SCORE)
        return low, high

    def switching(self, name: str, base: float) -> float | None:
        """Return the value of a quantity at which the NPV is 0; None for none."""

        def npv(score: float) -> float:
            return base + self.moved(name, score)

        if npv(-_REACH) * npv(_REACH) > 0:
            return None
        return self.at(name, brentq(npv, -_REACH, _REACH, xtol=1e-6))[0]


def _driver(bar: Bar, model: _Model, base: float, npvs: Values, own: int, worth: float) -> Driver:
    """Return a quantity with what knowing it is worth and where it turns the NPV."""
    scores = model.draws.scores(bar.name)[_ENOUGH]
    return Driver(
        id=bar.name,
        at=model.ends(bar.name),
        npv=(bar.low, bar.high),
        switching=model.switching(bar.name, base),
        share=first_order(scores, npvs[:, own]),
        knowing=min(evppi(scores, npvs), worth),
    )
