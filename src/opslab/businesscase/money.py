"""Money of one currency, and rates of exchange with day and source; nothing is rounded or mixed."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import total_ordering

from opslab.errors import InputError

_CODE = re.compile(r"[A-Z]{3}\Z")
_SAME = 1e-9


@total_ordering
@dataclass(frozen=True)
class Money:
    """An amount of one currency: added, subtracted and compared within it, multiplied by numbers.

    Attributes
    ----------
    amount : float
        Unrounded.
    currency : str
        ISO 4217, such as EUR.

    Raises
    ------
    InputError
        When the amount is not finite, the code is none, or two currencies meet.

    Examples
    --------
    >>> Money(1200.0, "EUR") + Money(34.5, "EUR") * 2
    Money(amount=1269.0, currency='EUR')
    """

    amount: float
    currency: str

    def __post_init__(self) -> None:
        if not math.isfinite(self.amount):
            raise InputError.of("businesscase.amount", given=self.amount)
        _check_code(self.currency)

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return self + -other

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __mul__(self, factor: float) -> Money:
        if isinstance(factor, Money):
            return NotImplemented
        return Money(self.amount * factor, self.currency)

    __rmul__ = __mul__

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same(other)

    def _same(self, other: Money) -> float:
        if not isinstance(other, Money):
            raise TypeError(type(other).__name__)
        if other.currency != self.currency:
            raise InputError.of(
                "businesscase.currencies", first=self.currency, second=other.currency
            )
        return other.amount


@dataclass(frozen=True)
class Rate:
    """One unit of ``base`` costs ``rate`` units of ``quote``, on a day, as a source says.

    Examples
    --------
    >>> usd = Rate("EUR", "USD", 1.25, datetime.date(2026, 11, 20), "central bank")
    >>> convert(Money(100.0, "USD"), "EUR", [usd])
    Money(amount=80.0, currency='EUR')
    """

    base: str
    quote: str
    rate: float
    date: datetime.date
    source: str

    def __post_init__(self) -> None:
        _check_code(self.base)
        _check_code(self.quote)
        if self.base == self.quote or not 0 < self.rate < math.inf:
            raise InputError.of(
                "businesscase.exchange", base=self.base, quote=self.quote, given=self.rate
            )

    @property
    def inverse(self) -> Rate:
        """The rate in the other direction."""
        return Rate(self.quote, self.base, 1 / self.rate, self.date, self.source)


def rate_between(base: str, quote: str, rates: Iterable[Rate]) -> Rate:
    """Return the rate from one currency to another: as stated, or the inverse of what is stated.

    No third currency is gone through.

    Raises
    ------
    InputError
        When no rate is stated, or two that differ (whatever their days: a case has one).
    """
    stated = [rate for rate in rates if {rate.base, rate.quote} == {base, quote}]
    if not stated:
        raise InputError.of("businesscase.no_exchange", base=base, quote=quote)
    stated.sort(key=lambda rate: (rate.base != base, rate.date, rate.source))
    first, *others = (rate if rate.base == base else rate.inverse for rate in stated)
    for other in others:
        if not math.isclose(other.rate, first.rate, rel_tol=_SAME):
            raise InputError.of(
                "businesscase.exchanges_differ",
                base=base,
                quote=quote,
                first=first.rate,
                first_date=first.date,
                second=other.rate,
                second_date=other.date,
            )
    return first


def convert(money: Money, to: str, rates: Iterable[Rate]) -> Money:
    """Return money in another currency, unrounded; see `rate_between` for rate and refusals."""
    if money.currency == to:
        return money
    _check_code(to)
    return Money(money.amount * rate_between(money.currency, to, rates).rate, to)


def _check_code(code: str) -> None:
    if not _CODE.match(code):
        raise InputError.of("businesscase.currency", given=code)
