"""How a case says its amounts, ranges and references, in the reader's language."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from opslab.messages import Language, numbers, text
from opslab.report.blocks import Cell, Reference, Table, Tone

if TYPE_CHECKING:
    from opslab.businesscase.result import CaseResult, Check, Entry, OptionResult, Spread

TONES: Mapping[str, Tone] = {
    "stop": "bad", "reject": "bad", "defer": "open", "stage": "open", "approve": "good",
    "pass": "good", "warn": "open", "fail": "bad",
    "reached": "good", "on_the_way": "plain", "not_due": "plain", "below_kill": "bad", "conflict": "open", "debt": "open",
}  # fmt: skip
GAINS = ("time", "decisions", "alignment")
MEASURED = ("A", "B", "C", "D")
"""Grades of what was measured in logs; E and F are what people say."""

_UNITS = ("share", "hour", "hours", "week", "month", "months", "year", "once")
_TO_THOUSANDS, _TO_MILLIONS = 1e5, 2e7


@dataclass(frozen=True)
class Voice:
    """A result and the language in which it is told."""

    result: CaseResult
    language: Language

    def __call__(self, key: str, /, **values: Any) -> str:
        """Return a message of the catalogue."""
        return text(key, self.language, **values)

    @cached_property
    def step(self) -> float:
        """The one unit to which this document rounds money, so that its columns can be read down."""
        best = self.result.recommended
        size = max(
            abs(end) for end in (best.npv.p10, best.npv.p90, best.costs.mean, self.result.nothing.costs.mean)
        )
        return 1.0 if size < _TO_THOUSANDS else 1e3 if size < _TO_MILLIONS else 1e6

    def money(self, value: float, *, signed: bool = False) -> str:
        """Return an amount of the case's currency, rounded for reading."""
        return short(value, self.result.case.finance.currency, self.step, self.language, signed=signed)

    def exact(self, value: float, currency: str) -> str:
        """Return an amount in full."""
        return full(value, currency, self.language)

    def range(self, low: str, high: str) -> str:
        """Return ``low to high``."""
        return self("words.range", low=low, high=high)

    def spanned(self, middle: str, low: str, high: str) -> str:
        """Return a value and its range on one line."""
        return self("businesscase.with_span", middle=middle, low=low, high=high)

    def middle(self, one: Spread) -> str:
        """Return p10 to p90 of an amount of money."""
        return self.range(self.money(one.p10), self.money(one.p90))

    def amount(self, one: Spread, **more: Any) -> Cell:
        """Return the median of an amount, p10 to p90 under it."""
        return Cell(self.money(one.p50), self.middle(one), **more)

    def percent(self, value: float, digits: int = 0) -> str:
        """Return a share as a percentage."""
        return numbers.percent(value, digits, language=self.language)

    def chance(self, value: float, error: float) -> str:
        """Return a probability with its Monte Carlo error."""
        return self("businesscase.chance", value=value, error=error * 100)

    def ratio(self, value: float | None) -> str:
        """Return an ROI; without costs there is none."""
        return self("businesscase.no_roi") if value is None else self.percent(value)

    def months(self, value: float | None) -> str:
        """Return a payback; "never" is one too."""
        months = self.result.case.finance.horizon_months
        return (
            self("businesscase.never", months=months)
            if value is None
            else self("businesscase.months", months=round(value))
        )

    def day(self, value: datetime.date | None) -> str:
        """Return a date in words."""
        return numbers.date(value, language=self.language) if value else self("words.none")

    def month(self, value: datetime.date) -> str:
        """Return a month as figures: 03/2027."""
        return f"{value.month:02}/{value.year}"

    def gain(self, name: str) -> str:
        """Return what a kind of gain is called."""
        return self(f"businesscase.gain_{name}")

    def kind(self, name: str) -> str:
        """Return what a kind of benefit is called."""
        return self(f"businesscase.kind_{name}")

    def entry(self, name: str) -> Entry | None:
        """Return a line of the ledger; None where it has none."""
        return next((one for one in self.result.ledger if one.id == name), None)

    def statement(self, one: Entry) -> str:
        """Return what a line of the ledger says: the analyst's words, or a message."""
        if isinstance(one.statement, str):
            return one.statement
        key, values = one.statement
        return self(key, **values)

    def label(self, name: str) -> str:
        """Return what a quantity is called in a figure: its id and its words."""
        one = self.entry(name)
        if one is None:
            return name
        return self.statement(one) if ":" in name else f"{name} · {self.statement(one)}"

    def named(self, name: str) -> str:
        """Return what a quantity is called in a sentence: its words and its id."""
        one = self.entry(name)
        if one is None:
            return name
        return self.statement(one) if ":" in name else f"{self.statement(one)} [{name}]"

    def check(self, one: Check) -> str:
        """Return what a check found."""
        return self(f"businesscase.{one.name}_{one.status}", **one.values)

    def unit_of(self, name: str) -> str:
        """Return the unit of a quantity of the ledger."""
        one = self.entry(name)
        return one.unit if one else ""

    def unit(self, unit: str) -> str:
        """Return a unit, in the reader's words where they are known."""
        parts = [part.strip() for part in unit.split("/")]
        return " / ".join(
            self(f"businesscase.unit_{part}") if part in _UNITS else part for part in parts if part
        )

    def quantities(self, values: Sequence[float], unit: str, *, bare: bool = False) -> list[str]:
        """Return values of one quantity, with the same decimals and, unless bare, its unit."""
        most = max(map(abs, values))
        if unit == "share":
            return [self.percent(value, numbers.decimals(most * 100, 2)) for value in values]
        head, _, per = (part.strip() for part in unit.partition("/"))
        if len(head) == 3 and head.isupper():  # noqa: PLR2004 - a currency's code
            after = f" / {self.unit(per)}" if per and not bare else ""
            return [self.exact(value, head) + after for value in values]
        digits = 0 if all(value == round(value) for value in values) else numbers.decimals(most, 3)
        after = f"\N{NO-BREAK SPACE}{self.unit(unit)}" if unit and not bare else ""
        return [numbers.decimal(value, digits, language=self.language) + after for value in values]

    def between(self, values: Sequence[float], unit: str) -> str:
        """Return a range of one quantity, its unit said once."""
        return self.range(self.quantities(values, unit, bare=True)[0], self.quantities(values, unit)[-1])

    def told(self, values: Sequence[float], unit: str) -> tuple[str, str, str]:
        """Return low, value and high of one quantity; the value alone names its unit."""
        low, _, high = self.quantities(values, unit, bare=True)
        return low, self.quantities(values, unit)[1], high

    def refs(self, names: Iterable[str]) -> tuple[Reference, ...]:
        """Return links to lines of the ledger."""
        places = {one.id: place for place, one in enumerate(self.result.ledger, 1)}
        return tuple(
            Reference(
                name,
                f"#ledger-{places[name]}",
                f"{name}: {self.statement(self.result.ledger[places[name] - 1])}",
            )
            for name in names
            if name in places
        )

    def table(
        self,
        name: str,
        columns: str,
        rows: Sequence[Any] = (),
        *,
        caption: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> Table:
        """Return a table: its caption and heads from the catalogue."""
        heads = [self(f"businesscase.column_{column}") for column in columns.split()]
        return Table(self(f"businesscase.table_{name}", **(caption or {})), heads, rows, wide=True, **more)

    def option_kind(self, one: OptionResult) -> str:
        """Return what an option is among the others: minimum, recommended …"""
        return self(f"businesscase.option_{one.kind}")

    def first_driver(self) -> str | None:
        """Return what is worth measuring first: whatever is worth most to know, else moves the NPV most."""
        known = [one for one in self.result.drivers if one.knowing]
        best = max(known, key=lambda one: one.knowing or 0.0, default=None)
        return best.id if best else self.result.drivers[0].id if self.result.drivers else None


def short(value: float, currency: str, step: float, language: Language, *, signed: bool = False) -> str:
    """Return an amount in units, thousands or millions of its currency: 412 k€."""
    digits, letter = {1.0: (0, ""), 1e3: (0, "k"), 1e6: (1, "M")}[step]
    figure = numbers.decimal(abs(value) / step, digits, language=language)
    if not any(one in "123456789" for one in figure):
        return _with_currency("0", currency, "", language)
    sign = "\N{MINUS SIGN}" if value < 0 else "+" * signed
    return sign + _with_currency(figure, currency, letter, language)


def full(value: float, currency: str, language: Language) -> str:
    """Return an amount in full, with cents where it has some and is small."""
    digits = 0 if abs(value) >= 1000 or value == round(value) else 2  # noqa: PLR2004
    sign = "\N{MINUS SIGN}" if value < 0 else ""
    return sign + _with_currency(
        numbers.decimal(abs(value), digits, language=language), currency, "", language
    )


def _with_currency(figure: str, currency: str, letter: str, language: Language) -> str:
    from babel.numbers import get_currency_symbol

    symbol = get_currency_symbol(currency, locale={"en": "en_GB", "fr": "fr_FR"}[language])
    space = "" if len(symbol) == 1 else "\N{NO-BREAK SPACE}"
    if language == "fr":
        return f"{figure}\N{NO-BREAK SPACE}{letter}{space if letter else ''}{symbol}"
    return f"{symbol}{space}{figure}{letter}"
