"""The cash flow from draws: every line month by month, every option on the same draws, against doing nothing.

A benefit brings, in month m of the horizon, amount / 12 x factors x share in use (m - start) x
(1 - decay)^((m - start) / 12); a running cost amount / 12 x (1 + trend)^(m / 12); one paid once all
of it at the start of its month. An option is told against doing nothing: costs of doing nothing
that it does not keep are its gains.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from opslab.businesscase.finance import Timing, discount_factors, payback_draws
from opslab.businesscase.spec import Gain
from opslab.evidence import Benefit as Kind
from opslab.uncertainty.distributions import Values

Value = Callable[[str], Values]
"""Draws of a quantity by its id in the ledger; one number where it is known."""

_CHUNK, _KEPT = 5_000, 10_000  # draws at a time; of which the whole cumulative cash is kept
ENDED = "ended: "
"""Before the name of a cost of doing nothing that is told as a gain."""

_NONE = np.zeros(1)
_LEAST = 1e-12  # what is left in a year of what wears off wholly
KINDS: tuple[Kind, ...] = ("hard", "capacity", "quality", "enabled")


@dataclass(frozen=True)
class Flow:
    """A line of the cash flow, ready to be drawn.

    Attributes
    ----------
    name : str
    cost : bool
        Whether it is paid; a cost of doing nothing is told by `kind` and `gain` where an option
        ends it.
    kind, gain
        Of a benefit.
    counted : bool
        Whether it is part of the NPV.
    amounts : tuple of str
        Ids whose draws are added up: units or money, a year or once.
    money : tuple of str
        Ids of factors that make it money or more of it: worth, volume, share.
    adoption, recapture, growth, slip, probability : str or None
        Ids.
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
    ended: int | None = None
    once: bool = False
    hours: bool = False
    adoption: str | None = None
    recapture: str | None = None
    growth: str | None = None
    slip: str | None = None
    probability: str | None = None

    @property
    def plain_name(self) -> str:
        """The name as the case writes it."""
        return self.name.removeprefix(ENDED)

    @property
    def ids(self) -> tuple[str, ...]:
        """Every quantity of the ledger that it stands on."""
        single = (self.adoption, self.recapture, self.growth, self.slip, self.probability)
        return (*self.amounts, *self.money, *(one for one in single if one))


@dataclass(frozen=True)
class Weights:
    """What an option takes of each line: part of it, by name; below 0 for what it costs."""

    name: str
    parts: Mapping[str, float]


@dataclass(frozen=True)
class Horizon:
    """Months, discount rate a year, and when in its year or month a flow is taken to come."""

    months: int
    rate: float
    timing: Timing

    def factors(self, rate: float | None = None) -> Values:
        """Return the discount factor of each month's flow: at the month's end (monthly), or with its year."""
        rate = self.rate if rate is None else rate
        if self.timing == "monthly":
            return discount_factors(rate, self.months + 1, "monthly")[1:]
        years = discount_factors(rate, -(-self.months // 12) + 1, self.timing)[1:]
        return np.repeat(years, 12)[: self.months]

    def once(self, rate: float | None = None) -> Values:
        """Return the factor of what is paid once at the start of each month; in month 0 it is 1."""
        factors = self.factors(rate)
        return np.append(1.0, factors[:-1] if self.timing == "monthly" else factors[1:])


@dataclass(frozen=True)
class Drawn:
    """One line over the horizon, for each draw.

    Attributes
    ----------
    present : array of shape (draws,)
        Present value.
    hours : array of shape (draws,)
        Hours freed a year, mean over the horizon.
    by_month : array of shape (months,)
        Mean money.
    steps : Mapping of str to float
        Mean present value ``gross`` (all of it from the first month), ``used`` (by those who use
        it, from when it is there), ``kept`` (less decay), ``benefits`` (recaptured).
    """

    flow: Flow
    present: Values
    hours: Values
    by_month: Values
    steps: Mapping[str, float]


@dataclass(frozen=True)
class Cash:
    """One option's net cash.

    Attributes
    ----------
    payback, discounted : array of shape (draws,)
        Months until it has paid back; nan for never.
    negative_again : array of shape (draws,)
        Whether it pays back and turns negative again.
    cumulative : array of shape (months + 1, some draws)
        Undiscounted, of the first draws.
    """

    payback: Values
    discounted: Values
    negative_again: Values
    cumulative: Values


def timing_of(
    flow: Flow, value: Value, months: int, wait: int = 0
) -> tuple[Values, NDArray[np.intp]]:
    """Return the part of its yearly amount that a line brings, by months of delay, and each draw's delay.

    Parameters
    ----------
    flow : Flow
    value : callable
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
    ended = (
        flow.ended is not None
    )  # then it keeps its own months, and goes on until an option is rid of it
    start = np.full(len(delay), flow.start) if ended else flow.start + delay
    there = month >= (flow.ended or 0) + delay if ended else np.True_
    if flow.once:
        return np.where((month == np.maximum(start, 0)) & there, 1.0, 0.0), late
    age = month - start
    use = flow.ramp[np.clip(age, 0, len(flow.ramp) - 1)] / 12
    within = (age >= 0) & (month < flow.end + (wait if flow.cost and not ended else 0))
    return np.where(within & there, use, 0.0), late


def share_of(flow: Flow, value: Value, months: int, wait: int = 0) -> Values:
    """Return the part of its yearly amount that a line brings in each month: shape (months, draws or 1)."""
    table, late = timing_of(flow, value, months, wait)
    if flow.growth is None:
        return table if len(table[0]) == 1 else np.take(table, late, axis=1)
    rate = np.atleast_1d(value(flow.growth))
    monthly = np.maximum(1 + rate if flow.cost else 1 - rate, _LEAST) ** (1 / 12)
    draws = max(len(monthly), len(late))
    power = (
        np.ones(draws)
        if flow.cost
        else np.broadcast_to(monthly ** -(flow.start + wait + late), draws).copy()
    )
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


def amount(
    flow: Flow, value: Value, *, chance: Callable[[Flow], Values], without: Sequence[str] = ()
) -> Values:
    """Return what a line is worth a year in full use: amounts summed, times its factors."""
    total = np.asarray(sum((value(one) for one in flow.amounts[1:]), start=value(flow.amounts[0])))
    factors = [
        *flow.money,
        *(getattr(flow, name) for name in ("adoption", "recapture") if name not in without),
    ]
    for one in filter(None, factors):
        total = total * value(one)
    if flow.probability:
        total = total * chance(flow)
    return np.asarray(total * flow.scale)


def net(
    flows: Sequence[Flow],
    option: Weights,
    value: Value,
    horizon: Horizon,
    chance: Callable[[Flow], Values],
    *,
    wait: int = 0,
    rates: Sequence[float] = (),
) -> Values:
    """Return one option's NPV for each draw; with rates, shape (rates, draws)."""
    every = tuple(rates) or (horizon.rate,)
    running = np.array([horizon.factors(rate) for rate in every])
    once = np.array([horizon.once(rate) for rate in every])
    total = np.zeros((len(every), 1))
    for flow in flows:
        part = option.parts.get(flow.name, 0.0) if flow.counted else 0.0
        if part:
            share = share_of(flow, value, horizon.months, wait)
            present = np.einsum("rm,md->rd", once if flow.once else running, share)
            total = total + part * present * amount(flow, value, chance=chance)
    return np.asarray(total if rates else total[0])


def simulate(
    flows: Sequence[Flow],
    options: Sequence[Weights],
    value: Value,
    horizon: Horizon,
    chance: Callable[[Flow], Values],
    draws: int,
) -> tuple[list[Drawn], list[Cash]]:
    """Return every line drawn, and every option's net cash; some draws at a time, to spare memory."""
    months, running, once = horizon.months, horizon.factors(), horizon.once()
    parts = np.array(
        [
            [one.parts.get(flow.name, 0.0) if flow.counted else 0.0 for flow in flows]
            for one in options
        ]
    )
    present, hours = np.zeros((len(flows), draws)), np.zeros((len(flows), draws))
    by_month, steps = np.zeros((len(flows), months)), np.zeros((len(flows), 3))
    kept = months + 1, min(draws, _KEPT)
    cash = [
        Cash(np.zeros(draws), np.zeros(draws), np.zeros(draws), np.zeros(kept)) for _ in options
    ]
    alike = np.vstack(
        [parts, [flow.once for flow in flows]]
    )  # lines that every option takes in the same way
    kinds, kind_of = np.unique(alike, axis=1, return_inverse=True)
    money = np.empty((kinds.shape[1], months, min(draws, _CHUNK)))
    for first in range(0, draws, _CHUNK):
        here = slice(first, min(first + _CHUNK, draws))
        count = here.stop - first
        money[:] = 0.0

        def at(name: str, here: slice = here) -> Values:
            found = value(name)
            return found[here] if found.ndim else found

        def event(flow: Flow, here: slice = here) -> Values:
            return chance(flow)[here]

        for row, flow in enumerate(flows):
            whole = np.broadcast_to(amount(flow, at, chance=event), count)
            share = share_of(flow, at, months)
            lasting = np.broadcast_to(
                np.einsum("m,md->d", once if flow.once else running, share), count
            )
            present[row, here] = lasting * whole
            total = money[kind_of[row], :, :count]
            for month, brought in enumerate(share):
                total[month] += brought * whole
            by_month[row] += np.einsum("md,d->m", np.broadcast_to(share, (months, count)), whole)
            steps[row] += _steps(flow, at, horizon, event, lasting, count)
            if flow.hours:
                freed = sum((at(one) for one in flow.amounts[1:]), start=at(flow.amounts[0]))
                used = share.sum(axis=0) * 12 / months
                hours[row, here] = freed * (at(flow.adoption) if flow.adoption else 1.0) * used
        _collect(cash, kinds, money[:, :, :count], here, (running, once))
    drawn = []
    for row, flow in enumerate(flows):
        way = dict(zip(("gross", "used", "kept"), (steps[row] / draws).tolist(), strict=True))
        way["benefits"] = float(present[row].mean())
        drawn.append(Drawn(flow, present[row], hours[row], by_month[row] / draws, way))
    return drawn, cash


def _collect(
    cash: Sequence[Cash], kinds: Values, money: Values, here: slice, factors: tuple[Values, Values]
) -> None:
    """Add up the lines of each option, month by month, and note when it pays back.

    What runs comes at the end of its month, what is paid once at the start: month 0's at time 0.
    """
    _, months, count = money.shape
    *parts, once = kinds
    flow = np.empty((months + 1, count))
    for one, own in zip(cash, parts, strict=True):
        running, single = (
            sum(
                (
                    part * made
                    for part, flag, made in zip(own, once, money, strict=True)
                    if part and flag == at
                ),
                start=_NONE,
            )
            for at in (0, 1)
        )
        for by_month, at_start in (factors, (_NONE + 1, _NONE + 1)):
            flow[0] = 0.0
            np.multiply(running, by_month[:, None], out=flow[1:])
            flow[:-1] += single * at_start[:, None]
            np.cumsum(flow, axis=0, out=flow)
            back, again = payback_draws(flow)
            if by_month is factors[0]:
                one.discounted[here] = back
        one.payback[here], one.negative_again[here] = back, again
        kept = max(min(one.cumulative.shape[1] - here.start, count), 0)
        one.cumulative[:, here.start : here.start + kept] = flow[:, :kept]


def _steps(
    flow: Flow,
    value: Value,
    horizon: Horizon,
    chance: Callable[[Flow], Values],
    lasting: Values,
    count: int,
) -> Values:
    """Return the way from the gross value to what is counted, summed over the draws."""
    spent = np.broadcast_to(amount(flow, value, chance=chance, without=("recapture",)), count)
    kept = float((spent * lasting).sum())
    if flow.cost or flow.once:
        return np.full(3, kept)
    table, late = timing_of(flow, value, horizon.months)
    flat = np.einsum("m,md->d", horizon.factors(), table)
    used = np.broadcast_to(flat if len(flat) == 1 else flat[late], count)
    gross = np.broadcast_to(
        amount(flow, value, chance=chance, without=("adoption", "recapture")), count
    )
    return np.array(
        [float(gross.sum() * horizon.factors().sum() / 12), float((spent * used).sum()), kept]
    )
