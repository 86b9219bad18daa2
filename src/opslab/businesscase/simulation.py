"""The cash flow from draws: each line month by month, each option on the same draws.

A benefit brings, in month m of the horizon, amount / 12 x factors x share in use (m - start) x
(1 - decay)^((m - start) / 12); a running cost amount / 12 x (1 + trend)^(m / 12); one paid once all
of it at the start of its month. An option is told against doing nothing: costs of doing nothing
that it does not keep are its gains.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from opslab.businesscase.declarations import Gain
from opslab.businesscase.finance import Timing, discount_factors, payback_draws
from opslab.businesscase.quantities import Draws, Quantities
from opslab.evidence import Benefit as Kind
from opslab.uncertainty.distributions import Values

_CHUNK, _KEPT = 5_000, 10_000  # draws at a time; of which the whole cumulative cash is kept
ENDED, RISK = "ended: ", "risk: "
"""Before the name of a cost of doing nothing that is told as a gain, and of a risk that costs."""

_LEAST = 1e-12  # what is left in a year of what wears off wholly
KINDS: tuple[Kind, ...] = ("hard", "capacity", "quality", "enabled")


@dataclass(frozen=True)
class Flow:
    """A line of the cash flow, ready to be drawn.

    Attributes
    ----------
    name : str
        As options take it: that of its line, or that line's as a cost that is ended.
    line : str
        What the case calls it.
    cost : bool
        Whether it is paid; a cost of doing nothing is told by `kind` and `gain` where an option
        ends it.
    kind, gain
        Of a benefit.
    counted : bool
        Whether it is part of the NPV.
    amounts : tuple of str
        Ids whose draws are added up: units or money, a year or once.
    posts : float or None
        In place of the amounts, which must be more: hours of the whole posts that are given up.
    money : tuple of str
        Ids of factors that make it money or more of it: worth, volume, share.
    adoption, recapture, growth, slip, probability, uplift : str or None
        Ids.
    schedule : tuple of str
        In place of adoption: ids of the share in each year from the planned start, the last one on.
    scale : float
        Rate of exchange, times a year, shrinkage.
    start, end : int
        Months from the horizon's first; the end is not part of it.
    ended : int or None
        Of a cost of doing nothing that is told as a gain: the month from which an option is rid of
        it.
    ramp : array of shape (months,)
        Share of the final use by month since the start, from 0 to 1.
    once, hours : bool
        Whether it is paid a single time; whether its amounts are hours.
    """

    name: str
    line: str
    cost: bool
    kind: Kind
    gain: Gain
    counted: bool
    amounts: tuple[str, ...]
    money: tuple[str, ...]
    scale: float
    start: int
    end: int
    ramp: Values
    posts: float | None = None
    ended: int | None = None
    once: bool = False
    hours: bool = False
    adoption: str | None = None
    recapture: str | None = None
    growth: str | None = None
    slip: str | None = None
    probability: str | None = None
    uplift: str | None = None
    schedule: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """Every quantity of the ledger that it stands on."""
        shares = (self.adoption, self.recapture, self.growth, self.uplift)
        single = (*shares, self.slip, self.probability)
        return (*self.amounts, *self.money, *self.schedule, *filter(None, single))


@dataclass(frozen=True)
class Weights:
    """What an option takes of each line: part of it, by name; below 0 for what it costs."""

    name: str
    parts: Mapping[str, float]

    def counted(self, flow: Flow) -> float:
        """Return what is taken of a line that is part of the NPV."""
        return self.parts.get(flow.name, 0.0) if flow.counted else 0.0


@dataclass(frozen=True)
class Horizon:
    """Months, discount rate a year, and when in its year or month a flow is taken to come."""

    months: int
    rate: float
    timing: Timing

    def factors(self, rate: float | None = None) -> Values:
        """Return each month's discount factor: at the month's end (monthly), or with its year."""
        rate = self.rate if rate is None else rate
        if self.timing == "monthly":
            return discount_factors(rate, self.months + 1, "monthly")[1:]
        years = discount_factors(rate, -(-self.months // 12) + 1, self.timing)[1:]
        return np.repeat(years, 12)[: self.months]

    def once(self, rate: float | None = None) -> Values:
        """Return the factor of what is paid once at the start of each month; in month 0 it is 1."""
        factors = self.factors(rate)
        return np.append(1.0, factors[:-1] if self.timing == "monthly" else factors[1:])


def timing_of(
    flow: Flow, value: Quantities, months: int, wait: int = 0
) -> tuple[Values, NDArray[np.intp]]:
    """Return the part of its yearly amount that a line brings, by delay, and each draw's delay.

    Parameters
    ----------
    flow : Flow
    value : Quantities
    months : int
    wait : int
        Months by which everything starts later.

    Returns
    -------
    array of shape (months, delays), before growth or decay: one column where the delay is known
    array of shape (draws or 1,)
    """
    late = np.zeros(1, dtype=np.intp)
    if flow.slip:
        late = np.maximum(np.rint(np.atleast_1d(value(flow.slip))), 0).astype(np.intp)
        late = np.minimum(late, months + max(-flow.start, 0))
    delays = late if len(late) == 1 else np.arange(int(late.max()) + 1)
    month, delay = np.arange(months)[:, None], wait + delays
    ended = flow.ended is not None
    # Then it keeps its own months, and goes on until an option is rid of it. What is paid starts as
    # planned, and ends with its step.
    moved = 0 * delay if ended else 0 * delay + wait if flow.cost else delay
    start = flow.start + moved
    there = month >= (flow.ended or 0) + delay if ended else np.True_
    if flow.once:
        return np.where((month == np.maximum(start, 0)) & there, 1.0, 0.0), late
    age = month - start
    use = flow.ramp[np.clip(age, 0, len(flow.ramp) - 1)] / 12
    within = (age >= 0) & (month < flow.end + (delay if flow.cost and not ended else 0))
    return np.where(within & there, use, 0.0), late


def share_of(flow: Flow, value: Quantities, months: int, wait: int = 0) -> Values:
    """Return the part of its yearly amount that a line brings each month: (months, draws or 1)."""
    share = _grown(flow, value, months, wait)
    if not flow.schedule:
        return share
    years = np.clip((np.arange(months) - flow.start - wait) // 12, 0, len(flow.schedule) - 1)
    adopted = np.vstack(np.broadcast_arrays(*map(value, flow.schedule)))
    return np.asarray(share * adopted.reshape(len(flow.schedule), -1)[years])


def _grown(flow: Flow, value: Quantities, months: int, wait: int) -> Values:
    """Return it before its schedule, with growth or decay."""
    table, late = timing_of(flow, value, months, wait)
    if flow.growth is None:
        return table if len(table[0]) == 1 else np.take(table, late, axis=1)
    rate = np.atleast_1d(value(flow.growth))
    monthly = np.maximum(1 + rate if flow.cost else 1 - rate, _LEAST) ** (1 / 12)
    draws = max(len(monthly), len(late))
    power = np.ones(draws)
    if not flow.cost:
        power *= monthly ** -(flow.start + wait + late)
    share = np.empty((months, draws))
    there = np.any(table, axis=1)
    for month, row in enumerate(table):  # month by month: the vectors stay in the nearest cache
        if not there[month]:
            share[month] = 0.0
        elif len(row) == 1:
            np.multiply(power, row[0], out=share[month])
        else:
            np.take(row, late, out=share[month], mode="clip")
            share[month] *= power
        power *= monthly
    return share


def units(flow: Flow, value: Quantities) -> Values:
    """Return a line's amounts added up, or the hours of the posts in their place."""
    return np.asarray(flow.posts or sum(map(value, flow.amounts[1:]), value(flow.amounts[0])))


def amount(flow: Flow, value: Quantities, without: Sequence[str] = ()) -> Values:
    """Return what a line is worth a year in full use: amounts summed, times its factors."""
    worth = units(flow, value)
    shares = {"adoption": flow.adoption, "recapture": flow.recapture}
    factors = (share for name, share in shares.items() if share and name not in without)
    for name in (*flow.money, *factors):
        worth = worth * value(name)
    if flow.uplift:
        worth = worth * (1 + value(flow.uplift))
    if flow.probability:
        worth = worth * value.happens(flow.line, flow.probability)
    return np.asarray(worth * flow.scale)


def net(
    flows: Sequence[Flow],
    option: Weights,
    value: Quantities,
    horizon: Horizon,
    *,
    wait: int = 0,
    rates: Sequence[float] = (),
) -> Values:
    """Return one option's NPV for each draw; with rates, shape (rates, draws)."""
    every = tuple(rates) or (horizon.rate,)
    running = np.array([horizon.factors(rate) for rate in every])
    once = np.array([horizon.once(rate) for rate in every])
    npv = np.zeros((len(every), 1))
    for flow in flows:
        if part := option.counted(flow):
            share = share_of(flow, value, horizon.months, wait)
            present = np.einsum("rm,md->rd", once if flow.once else running, share)
            npv = npv + part * present * amount(flow, value)
    return np.asarray(npv if rates else npv[0])


class Drawn:
    """A line over the horizon, drawn part by part.

    Attributes
    ----------
    flow : Flow
    present : array of shape (draws,)
        Present value.
    hours : array of shape (draws,)
        Hours freed a year, mean over the horizon.
    by_month : array of shape (months,)
        Mean money.
    steps : dict of str to float
        Mean present value ``gross`` (all of it from the first month), ``used`` (by those who use
        it, from when it is there), ``kept`` (less decay), ``benefits`` (recaptured).
    """

    def __init__(self, flow: Flow, horizon: Horizon, draws: int) -> None:
        self.flow, self.horizon, self._draws = flow, horizon, draws
        self.present, self.hours = np.zeros(draws), np.zeros(draws)
        self._by_month, self._steps = np.zeros(horizon.months), np.zeros(3)

    @property
    def by_month(self) -> Values:
        """Mean money of each month."""
        return self._by_month / self._draws

    @property
    def steps(self) -> dict[str, float]:
        """Mean present values on the way from gross to what is counted."""
        gross, used, kept = (self._steps / self._draws).tolist()
        return {"gross": gross, "used": used, "kept": kept, "benefits": float(self.present.mean())}

    def add(self, value: Quantities, here: slice, money: Values) -> None:
        """Draw a part of the draws, and add its money to that of its kind by month."""
        flow, (months, count) = self.flow, money.shape
        whole = np.broadcast_to(amount(flow, value), count)
        share = share_of(flow, value, months)
        factors = self.horizon.once() if flow.once else self.horizon.factors()
        lasting = np.broadcast_to(np.einsum("m,md->d", factors, share), count)
        self.present[here] = lasting * whole
        for month, brought in enumerate(share):
            money[month] += brought * whole
        self._by_month += np.einsum("md,d->m", np.broadcast_to(share, (months, count)), whole)
        self._steps += self._way(value, lasting)
        if flow.hours:
            adopted = value(flow.adoption) if flow.adoption else 1.0
            used = share.sum(axis=0) * 12 / months
            self.hours[here] = units(flow, value) * adopted * used

    def _way(self, value: Quantities, lasting: Values) -> Values:
        """Return the way from the gross value to what is counted, summed over the draws."""
        flow, factors, count = self.flow, self.horizon.factors(), len(lasting)
        spent = np.broadcast_to(amount(flow, value, ["recapture"]), count)
        kept = float((spent * lasting).sum())
        if flow.cost or flow.once:
            return np.full(3, kept)
        share = share_of(replace(flow, growth=None), value, self.horizon.months)
        used = np.broadcast_to(np.einsum("m,md->d", factors, share), count)
        gross = np.broadcast_to(amount(flow, value, ["adoption", "recapture"]), count)
        ever = factors.sum() / 12
        return np.array([gross.sum() * ever, (spent * used).sum(), kept])


class Cash:
    """One option's net cash.

    Attributes
    ----------
    payback : array of shape (draws,)
        Months until it has paid back; nan for never.
    negative_again : array of shape (draws,)
        Whether it pays back and turns negative again.
    cumulative : array of shape (months + 1, some draws)
        Undiscounted, of the first draws.
    """

    def __init__(self, months: int, draws: int) -> None:
        self.payback, self.negative_again = np.zeros((2, draws))
        self.cumulative = np.zeros((months + 1, min(draws, _KEPT)))

    def add(self, running: Values, single: Values, here: slice) -> None:
        """Note when a part of the draws pays back, from what runs and what is paid once by month.

        What runs comes at the end of its month, what is paid once at the start: month 0's at 0.
        """
        shape = len(self.cumulative), here.stop - here.start
        cumulative = accumulated(running, single, shape)
        self.payback[here], self.negative_again[here] = payback_draws(cumulative)
        kept = self.cumulative[:, here]
        kept[:] = cumulative[:, : kept.shape[1]]


def accumulated(running: Values, single: Values, shape: tuple[int, int]) -> Values:
    """Return the cumulative cash at the start and after each month.

    Parameters
    ----------
    running, single : array of shape (months, draws), or one zero
        What comes at the end of its month, and at its start.
    shape : tuple of int, int
        Months + 1, draws.
    """
    cumulative = np.zeros(shape)
    cumulative[1:] = running
    cumulative[:-1] += single
    return np.asarray(np.cumsum(cumulative, axis=0, out=cumulative))


def simulate(
    flows: Sequence[Flow], options: Sequence[Weights], draws: Draws, horizon: Horizon
) -> tuple[list[Drawn], list[Cash]]:
    """Return every line drawn, and every option's net cash; some draws at a time, for memory."""
    lines = [Drawn(flow, horizon, draws.count) for flow in flows]
    cash = [Cash(horizon.months, draws.count) for _ in options]
    counted = [[*map(option.counted, flows)] for option in options]
    # Lines that every option takes in the same way are added up once.
    alike = np.vstack([counted, [flow.once for flow in flows]])
    kinds, kind_of = np.unique(alike, axis=1, return_inverse=True)
    money = np.empty((kinds.shape[1], horizon.months, min(draws.count, _CHUNK)))
    for first in range(0, draws.count, _CHUNK):
        here = slice(first, min(first + _CHUNK, draws.count))
        brought = money[:, :, : here.stop - first]
        brought[:] = 0.0
        for line, kind in zip(lines, kind_of, strict=True):
            line.add(draws.part(here), here, brought[kind])
        for option, parts in zip(cash, kinds, strict=False):
            running, single = (_sum(parts * (kinds[-1] == once), brought) for once in (0, 1))
            option.add(running, single, here)
    return lines, cash


def _sum(parts: Values, money: Values) -> Values:
    """Return the money of what is taken, in its parts."""
    taken = (part * by_month for part, by_month in zip(parts, money, strict=True) if part)
    return np.asarray(sum(taken, start=np.zeros(1)))
