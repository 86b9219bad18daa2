"""Money of one currency, and rates of exchange with their day and source; nothing is rounded or mixed."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from opslab.errors import InputError

_CODE = re.compile(r"[A-Z]{3}\Z")
_SAME = 1e-9


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
        return Money(self.amount - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __mul__(self, factor: float) -> Money:
        return (
            NotImplemented
            if isinstance(factor, Money)
            else Money(self.amount * factor, self.currency)
        )

    __rmul__ = __mul__

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.amount <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.amount > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.amount >= self._same(other)

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


def rate_between(base: str, quote: str, rates: Iterable[Rate]) -> Rate:
    """Return the rate from one currency to another: as stated, or the inverse of what is stated.

    No third currency is gone through.

    Raises
    ------
    InputError
        When no rate is stated, or two that differ (whatever their days: a case has one).
    """
    stated = [one for one in rates if {one.base, one.quote} == {base, quote}]
    found = [
        one if one.base == base else Rate(base, quote, 1 / one.rate, one.date, one.source)
        for one in sorted(stated, key=lambda one: (one.base != base, one.date, one.source))
    ]
    if not found:
        raise InputError.of("businesscase.no_exchange", base=base, quote=quote)
    for other in found[1:]:
        if not math.isclose(other.rate, found[0].rate, rel_tol=_SAME):
            raise InputError.of(
                "businesscase.exchanges_differ",
                base=base,
                quote=quote,
                first=found[0].rate,
                first_date=found[0].date,
                second=other.rate,
                second_date=other.date,
            )
    return found[0]


def convert(money: Money, to: str, rates: Iterable[Rate]) -> Money:
    """Return money in another currency, unrounded; see `rate_between` for the rate taken and refusals."""
    if money.currency == to:
        return money
    _check_code(to)
    return Money(money.amount * rate_between(money.currency, to, rates).rate, to)


def _check_code(code: str) -> None:
    if not _CODE.match(code):
        raise InputError.of("businesscase.currency", given=code)
