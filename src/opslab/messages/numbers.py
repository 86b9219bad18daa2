"""Numbers, shares, dates and p-values as English and French readers write them (Babel, CLDR)."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from babel import Locale, dates, lists, numbers

Language = Literal["en", "fr"]

_LOCALES = {"en": "en_GB", "fr": "fr_FR"}
_SMALLEST_P = 1e-4
_MINUS, _DASH, _FIXED_SPACE = "\N{MINUS SIGN}", "\N{EN DASH}", "\N{NO-BREAK SPACE}"
_WRITTEN = "#,##0.##########"


@dataclass(frozen=True)
class Numbers:
    """How one language writes numbers, dates and lists.

    Examples
    --------
    >>> Numbers("en").percent(0.25), Numbers("en").listed(["a", "b", "c"])
    ('25.0%', 'a, b and c')
    """

    language: Language

    @property
    def _locale(self) -> str:
        return _LOCALES[self.language]

    def integer(self, value: float) -> str:
        """Return a whole number with its thousands grouped."""
        return self.decimal(round(value), 0)

    def decimal(self, value: float, digits: int = 2) -> str:
        """Return a number with a fixed count of decimals."""
        return self._formatted(value, _pattern(digits))

    def number(self, value: float, significant: int = 4) -> str:
        """Return a number with about ``significant`` digits, for magnitudes not known before."""
        return self.decimal(value, decimals(value, significant))

    def signed_number(self, value: float, significant: int = 3) -> str:
        """Return a difference with about ``significant`` digits and its sign."""
        return self.signed_decimal(value, decimals(value, significant))

    def signed_decimal(self, value: float, digits: int = 2) -> str:
        """Return a difference with a fixed count of decimals and its sign."""
        return _sign(value, self.decimal(abs(value), digits), plus=True)

    def percent(self, value: float, digits: int = 1) -> str:
        """Return a share (0.25) as a percentage (25.0%)."""
        return self._percentage(value, _pattern(digits))

    def signed_percent(self, value: float, digits: int = 1) -> str:
        """Return a relative change as a percentage with its sign."""
        return _sign(value, self.percent(abs(value), digits), plus=True)

    def signed_points(self, value: float, digits: int = 2) -> str:
        """Return a difference of two shares in percentage points with its sign."""
        unit = "pp" if self.language == "en" else "pt"
        return f"{self.signed_decimal(value * 100, digits)}{_FIXED_SPACE}{unit}"

    def points(self, value: float, digits: int = 2) -> str:
        """Return a difference of two shares in percentage points, without a sign."""
        return self.signed_points(abs(value), digits)[1:]

    def p_value(self, value: float) -> str:
        """Return a p-value with two significant digits, very small ones as a bound."""
        if value < _SMALLEST_P:
            return f"<{_FIXED_SPACE}{self.decimal(_SMALLEST_P, 4)}"
        return self.decimal(value, min(4, decimals(value, 2)))

    def p_equation(self, value: float) -> str:
        """Return ``p = 0.02`` or ``p < 0.0001``: for the middle of a sentence."""
        shown = self.p_value(value)
        equals = "" if shown.startswith("<") else f"={_FIXED_SPACE}"
        return f"p{_FIXED_SPACE}{equals}{shown}"

    def given(self, value: float) -> str:
        """Return a number with the decimals that it was written with, and no more: 0.05."""
        return self._formatted(_written(value), _WRITTEN)

    def given_percent(self, value: float) -> str:
        """Return a share (0.025) as a percentage with no more decimals than it was written with."""
        return self._percentage(_written(value), _WRITTEN)

    def amount(
        self, value: float, currency: str, digits: int = 0, scale: str = "", *, signed: bool = False
    ) -> str:
        """Return money with a fixed count of decimals: €1,234 in English, 1 234 € in French.

        Parameters
        ----------
        value : float
            In the unit that `scale` names.
        currency : str
            ISO 4217, such as EUR.
        digits : int
            Half a unit goes up, as in a spreadsheet.
        scale : {"", "k", "M"}
            €12k, in French 12 k€; an amount that is shown as zero has none.
        signed : bool
            Whether a gain bears a plus.

        Examples
        --------
        >>> Numbers("en").amount(-12.4, "EUR", scale="k").replace(_MINUS, "-")
        '-€12k'
        """
        symbol = numbers.get_currency_symbol(currency, locale=self._locale)
        exact = _written(abs(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
        shown, scale = (self.decimal(float(exact), digits), scale) if exact else ("0", "")
        space = "" if len(symbol) == 1 else _FIXED_SPACE
        if self.language == "fr":
            shown = f"{shown}{_FIXED_SPACE}{scale}{space if scale else ''}{symbol}"
        else:
            shown = f"{symbol}{space}{shown}{scale}"
        return _sign(value, shown, plus=signed)

    def date(self, value: datetime.date) -> str:
        """Return a date in words: 28 September 2026."""
        return self._day(value, "d MMMM y")

    def short_date(self, value: datetime.date) -> str:
        """Return a date for an axis: 28 Sept."""
        return self._day(value, "d MMM")

    def month(self, value: datetime.date) -> str:
        """Return a month: Sept 2026."""
        return self._day(value, "MMM y")

    def period(self, days: tuple[datetime.date, datetime.date]) -> str:
        """Return the days from the first to the last, what they share said once.

        Examples
        --------
        >>> days = datetime.date(2026, 9, 1), datetime.date(2026, 9, 28)
        >>> Numbers("en").period(days).replace(_DASH, "-")
        '1-28 September 2026'
        """
        start, end = days
        last = self.date(end)
        if start == end:
            return last
        if (start.year, start.month) == (end.year, end.month):
            return f"{self._day(start, 'd')}{_DASH}{last}"
        first = self._day(start, "d MMMM" if start.year == end.year else "d MMMM y")
        return f"{first} {_DASH} {last}"

    def listed(self, values: Sequence[object]) -> str:
        """Return ``a, b and c``."""
        shown = [_DASH if value is None else str(value) for value in values] or [_DASH]
        return lists.format_list(shown, style="standard", locale=self._locale)

    few = listed

    def either(self, values: Sequence[object]) -> str:
        """Return ``a, b or c``."""
        return lists.format_list([*map(str, values)], style="or", locale=self._locale)

    def plural(self, count: float | Decimal | str, forms: Sequence[str]) -> str:
        """Return the form that goes with the count: the first for one, the last for others.

        Parameters
        ----------
        count : float or str
            A number, or a number as it is shown: 1.0 weeks in English, 1,5 semaine in French.
        forms : sequence of str

        Examples
        --------
        >>> Numbers("en").plural("1.0", ["week", "weeks"])
        'weeks'
        """
        if isinstance(count, str):
            shown = "".join(re.findall(r"[\d.]" if self.language == "en" else r"[\d,]", count))
            count = Decimal(shown.replace(",", ".") or 0)
        return forms[0 if Locale.parse(self._locale).plural_form(count) == "one" else -1]

    def _day(self, value: datetime.date, pattern: str) -> str:
        """Return a day by a CLDR pattern that starts with it; CLDR has no ordinals."""
        shown = dates.format_date(value, format=pattern, locale=self._locale)
        return re.sub(r"^1(?= |$)", "1er", shown) if self.language == "fr" else shown

    def _formatted(self, value: float | Decimal, pattern: str) -> str:
        shown = numbers.format_decimal(value, format=pattern, locale=self._locale)
        return _sign(value, shown.lstrip("-"), plus=False)

    def _percentage(self, value: float | Decimal, pattern: str) -> str:
        pattern += "%" if self.language == "en" else "\N{NARROW NO-BREAK SPACE}%"
        shown = numbers.format_percent(value, format=pattern, locale=self._locale)
        return _sign(value, shown.lstrip("-"), plus=False)


def decimals(value: float, significant: int) -> int:
    """Return the decimals that show a number with about ``significant`` digits."""
    if value == 0 or not math.isfinite(value):
        return 0
    return max(0, min(significant - 1 - math.floor(math.log10(abs(value))), 12))


def _pattern(digits: int) -> str:
    return "#,##0" + ("." + "0" * digits if digits else "")


def _sign(value: float | Decimal, shown: str, *, plus: bool) -> str:
    """Return a magnitude with its sign; what is shown as zero has none."""
    if not any(digit in "123456789" for digit in shown):
        return shown
    return (_MINUS if value < 0 else "+" * plus) + shown


def _written(value: float) -> Decimal:
    return Decimal(repr(float(value)))
