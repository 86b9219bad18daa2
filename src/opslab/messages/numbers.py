"""Numbers, shares, dates and p-values as English and French readers write them (Babel, CLDR)."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Protocol

from babel import Locale
from babel.lists import format_list

_LOCALES = {"en": "en_GB", "fr": "fr_FR"}
_SMALLEST_P = 1e-4
_MINUS, _DASH = "\N{MINUS SIGN}", "\N{EN DASH}"
_WRITTEN = "#,##0.##########"


def integer(value: float, *, language: str) -> str:
    """Return a whole number with its thousands grouped."""
    from babel.numbers import format_decimal

    return _minus(format_decimal(round(value), format="#,##0", locale=_LOCALES[language]))


def decimal(value: float, digits: int = 2, *, language: str) -> str:
    """Return a number with a fixed count of decimals."""
    from babel.numbers import format_decimal

    return _minus(format_decimal(value, format=_pattern(digits), locale=_LOCALES[language]))


def number(value: float, significant: int = 4, *, language: str) -> str:
    """Return a number with about ``significant`` digits: for magnitudes that are not known beforehand."""
    return decimal(value, decimals(value, significant), language=language)


def signed_number(value: float, significant: int = 3, *, language: str) -> str:
    """Return a difference with about ``significant`` digits and its sign."""
    return signed_decimal(value, decimals(value, significant), language=language)


def signed_decimal(value: float, digits: int = 2, *, language: str) -> str:
    """Return a difference with a fixed count of decimals and its sign."""
    return _signed(value, decimal(abs(value), digits, language=language))


def percent(value: float, digits: int = 1, *, language: str) -> str:
    """Return a share (0.25) as a percentage (25.0%)."""
    from babel.numbers import format_percent

    pattern = _pattern(digits) + ("%" if language == "en" else "\u202f%")
    return _minus(format_percent(value, format=pattern, locale=_LOCALES[language]))


def signed_percent(value: float, digits: int = 1, *, language: str) -> str:
    """Return a relative change as a percentage with its sign."""
    return _signed(value, percent(abs(value), digits, language=language))


def signed_points(value: float, digits: int = 2, *, language: str) -> str:
    """Return a difference of two shares in percentage points with its sign."""
    unit = "pp" if language == "en" else "pt"
    return f"{signed_decimal(value * 100, digits, language=language)}\u00a0{unit}"


def points(value: float, digits: int = 2, *, language: str) -> str:
    """Return a difference of two shares in percentage points, without a sign."""
    return signed_points(abs(value), digits, language=language)[1:]


def p_value(value: float, *, language: str) -> str:
    """Return a p-value with two significant digits, very small ones as a bound."""
    if value < _SMALLEST_P:
        return f"<\u00a0{decimal(_SMALLEST_P, 4, language=language)}"
    return decimal(value, min(4, decimals(value, 2)), language=language)


def p_equation(value: float, *, language: str) -> str:
    """Return ``p = 0.02`` or ``p < 0.0001``: for the middle of a sentence."""
    shown = p_value(value, language=language)
    return f"p\u00a0{shown}" if shown.startswith("<") else f"p\u00a0=\u00a0{shown}"


def date(value: datetime.date, *, language: str) -> str:
    """Return a date in words: 28 September 2026."""
    from babel.dates import format_date

    return format_date(value, format="d MMMM y", locale=_LOCALES[language])


def period(days: tuple[datetime.date, datetime.date], *, language: str) -> str:
    """Return the days from the first to the last, what they share said once.

    Examples
    --------
    >>> period((datetime.date(2026, 9, 1), datetime.date(2026, 9, 28)), language="en").replace(_DASH, "-")
    '1-28 September 2026'
    """
    start, end = days
    if start == end:
        return date(end, language=language)
    last = date(end, language=language)
    if (start.year, start.month) == (end.year, end.month):
        return f"{start.day}{_DASH}{last}"
    pattern = "d MMMM" if start.year == end.year else "d MMMM y"
    from babel.dates import format_date

    first = format_date(start, format=pattern, locale=_LOCALES[language])
    return f"{first} {_DASH} {last}"


def given(value: float, *, language: str) -> str:
    """Return a number with the decimals that it was written with, and no more: 0.05."""
    from babel.numbers import format_decimal

    return _minus(format_decimal(_written(value), format=_WRITTEN, locale=_LOCALES[language]))


def given_percent(value: float, *, language: str) -> str:
    """Return a share (0.025) as a percentage with no more decimals than it was written with: 2.5%."""
    from babel.numbers import format_percent

    pattern = _WRITTEN + ("%" if language == "en" else "\u202f%")
    return _minus(format_percent(_written(value), format=pattern, locale=_LOCALES[language]))


class Amount(Protocol):
    """What is shown as money: an amount and its currency."""

    @property
    def amount(self) -> float:
        """Unrounded."""

    @property
    def currency(self) -> str:
        """ISO 4217, such as EUR."""


def money(value: Amount, digits: int = 0, *, language: str) -> str:
    """Return money with a fixed count of decimals: €1,234,568 in English, 1 234 568 € in French."""
    return _money(value.amount, value.currency, digits, "", language)


def short_money(value: Amount, significant: int = 2, *, language: str) -> str:
    """Return money in thousands or millions from there on: €12k and €1.2M, in French 12 k€ and 1,2 M€."""
    power = next((power for power in (6, 3) if abs(value.amount) >= 0.9995 * 10**power), 0)
    scaled = value.amount / 10**power
    digits = decimals(float(f"{scaled:.{significant - 1}e}"), significant) if power else 0
    return _money(scaled, value.currency, digits, {6: "M", 3: "k"}.get(power, ""), language)


def decimals(value: float, significant: int) -> int:
    """Return the decimals that show a number with about ``significant`` digits."""
    if value == 0 or not math.isfinite(value):
        return 0
    return max(0, min(significant - 1 - math.floor(math.log10(abs(value))), 12))


def listed(values: Sequence[object], *, language: str) -> str:
    """Return ``a, b and c``."""
    return format_list(
        [str(value) for value in values], style="standard", locale=_LOCALES[language]
    )


def either(values: Sequence[object], *, language: str) -> str:
    """Return ``a, b or c``."""
    return format_list([str(value) for value in values], style="or", locale=_LOCALES[language])


def plural(count: float, forms: Sequence[str], language: str) -> str:
    """Return the form that goes with the count: the first for one, the last for others."""
    return forms[0] if Locale.parse(_LOCALES[language]).plural_form(count) == "one" else forms[-1]


def _pattern(digits: int) -> str:
    return "#,##0" + ("." + "0" * digits if digits else "")


def _money(value: float, currency: str, digits: int, scale: str, language: str) -> str:
    from babel.numbers import get_currency_symbol

    symbol = get_currency_symbol(currency, locale=_LOCALES[language])
    # Half a unit goes up, as in a spreadsheet.
    exact = _written(abs(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    shown = decimal(float(exact), digits, language=language)
    sign = _MINUS if _signed(value, shown)[0] == _MINUS else ""
    if language == "fr":
        return f"{sign}{shown}\u00a0{scale}{symbol}"
    return sign + symbol + ("\u00a0" if symbol[-1].isalpha() else "") + shown + scale


def _signed(value: float, shown: str) -> str:
    """Return a magnitude with its sign; what is shown as zero has none."""
    if not any(digit in "123456789" for digit in shown):
        return shown
    return (_MINUS if value < 0 else "+") + shown


def _written(value: float) -> Decimal:
    return Decimal(repr(float(value)))


def _minus(shown: str) -> str:
    return shown.replace("-", _MINUS)
