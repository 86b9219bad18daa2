"""How a case says its amounts, ranges and references, in the reader's language."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from opslab.messages import Language, numbers, text
from opslab.report.blocks import Cell, Paragraph, Reference, Table, Tone

if TYPE_CHECKING:
    from opslab.businesscase.options import Spread
    from opslab.businesscase.result import CaseResult, Check, Entry, Line

TONES: Mapping[str, Tone] = {
    "stop": "bad",
    "reject": "bad",
    "defer": "open",
    "stage": "open",
    "approve": "good",
    "pass": "good",
    "warn": "open",
    "fail": "bad",
    "reached": "good",
    "on_the_way": "plain",
    "not_due": "plain",
    "below_kill": "bad",
    "missed": "bad",
    "dropped": "bad",
    "conflict": "open",
    "debt": "open",
}
MEASURED = ("A", "B", "C", "D")
"""Grades of what was measured in logs; E and F are what people say."""

_UNITS = ("share", "hour", "hours", "week", "month", "months", "year", "once")
_SHORT = 4  # letters of an id that is cited as it is
_STEPS = ((1e5, 1.0, 0, ""), (2e7, 1e3, 0, "k"), (float("inf"), 1e6, 1, "M"))


@dataclass(frozen=True)
class Voice:
    """A result and the language in which it is told."""

    result: CaseResult
    language: Language

    def __call__(self, key: str, /, **values: Any) -> str:
        """Return a message; a spread gives its median by its name, and ``_low``, ``_high``, ``_span``."""
        told = dict(values)
        for name, value in values.items():
            if hasattr(value, "p50"):
                told |= {
                    name: self.money(value.p50),
                    f"{name}_low": self.money(value.p10),
                    f"{name}_high": self.money(value.p90),
                    f"{name}_span": self.middle(value),
                }
        return text(f"businesscase.{key}", self.language, **told)

    @cached_property
    def _step(self) -> tuple[float, float, int, str]:
        """The one unit to which this document rounds money, so that its columns can be read down."""
        best = self.result.recommended
        size = max(
            map(abs, (best.npv.p10, best.npv.p90, best.costs.mean, self.result.nothing.costs.mean))
        )
        return next(one for one in _STEPS if size < one[0])

    @property
    def step(self) -> float:
        """Amounts of money in one unit of the document: 1, a thousand, a million."""
        return self._step[1]

    def money(self, value: float, *, signed: bool = False) -> str:
        """Return an amount of the case's currency, rounded for reading: 412 k€."""
        _, step, digits, letter = self._step
        return self._amount(
            value / step, self.result.case.finance.currency, digits, letter, signed=signed
        )

    def exact(self, value: float, currency: str) -> str:
        """Return an amount in full, with cents where it is small and has some."""
        digits = 0 if abs(value) >= 1000 or value == round(value) else 2  # noqa: PLR2004 - above, nobody asks
        return self._amount(value, currency, digits, "", signed=False)

    def _amount(
        self, value: float, currency: str, digits: int, letter: str, *, signed: bool
    ) -> str:
        from babel.numbers import get_currency_symbol

        symbol = get_currency_symbol(currency, locale={"en": "en_GB", "fr": "fr_FR"}[self.language])
        space = "" if len(symbol) == 1 else "\N{NO-BREAK SPACE}"
        shown = numbers.decimal(abs(value), digits, language=self.language)
        sign = "\N{MINUS SIGN}" if value < 0 else "+" * signed
        if not any(one in "123456789" for one in shown):
            shown, letter, sign = "0", "", ""
        if self.language == "fr":
            return f"{sign}{shown}\N{NO-BREAK SPACE}{letter}{space if letter else ''}{symbol}"
        return f"{sign}{symbol}{space}{shown}{letter}"

    def range(self, low: str, high: str) -> str:
        """Return ``low to high``."""
        return text("words.range", self.language, low=low, high=high)

    def middle(self, one: Spread) -> str:
        """Return p10 to p90 of an amount of money."""
        return self.range(self.money(one.p10), self.money(one.p90))

    def amount(self, one: Spread) -> Cell:
        """Return the median of an amount, p10 to p90 under it."""
        return Cell(self.money(one.p50), self.middle(one))

    def percent(self, value: float, digits: int = 0) -> str:
        """Return a share as a percentage."""
        return numbers.percent(value, digits, language=self.language)

    def ratio(self, value: float | None) -> str:
        """Return an ROI; without costs there is none."""
        return self("no_roi") if value is None else self.percent(value)

    def months(self, value: float | None, never: str = "never") -> str:
        """Return a payback; "never" is one too."""
        if value is None:
            return self(never, months=self.result.case.finance.horizon_months)
        return self("months", months=round(value))

    def day(self, value: datetime.date) -> str:
        """Return a date in words."""
        return numbers.date(value, language=self.language)

    @property
    def none(self) -> str:
        """What stands in an empty cell."""
        return text("words.none", self.language)

    @cached_property
    def places(self) -> dict[str, int]:
        """The lines of the ledger by id, counted from 1."""
        return {one.id: place for place, one in enumerate(self.result.ledger, 1)}

    @cached_property
    def cited(self) -> dict[str, str]:
        """How the lines of the ledger are cited, by id: by it where ids are short, else by their place."""
        short = all(
            len(name) <= _SHORT for name in self.places if ":" not in name and "-" not in name
        )
        return {
            name: name if short and ":" not in name else str(place)
            for name, place in self.places.items()
        }

    def entry(self, name: str) -> Entry | None:
        """Return a line of the ledger; None where it has none."""
        return self.result.ledger[self.places[name] - 1] if name in self.places else None

    def statement(self, name: str) -> str:
        """Return what a line of the ledger says: the analyst's words, or a message; else the id."""
        one = self.entry(name)
        if one is None or isinstance(one.statement, str):
            return name if one is None else str(one.statement)
        return text(one.statement[0], self.language, **one.statement[1])

    def label(self, name: str, form: str = "{id} · {words}") -> str:
        """Return what a quantity is called: its words, and how it is cited."""
        words = self.statement(name)
        return (
            form.replace("{id}", self.cited[name]).replace("{words}", words)
            if name in self.cited
            else words
        )

    def named(self, name: str) -> str:
        """Return what a quantity is called in a sentence."""
        return self.label(name, "{words}\N{NO-BREAK SPACE}[{id}]")

    def linked(self, words: str) -> Cell:
        """Return a sentence with the citations in it as links behind it."""
        marks = {f"\N{NO-BREAK SPACE}[{label}]": name for name, label in self.cited.items()}
        found = sorted((mark for mark in marks if mark in words), key=words.index)
        for mark in found:
            words = words.replace(mark, "")
        return Cell(words, refs=self.refs([marks[mark] for mark in found]))

    def check(self, one: Check) -> str:
        """Return what a check found."""
        named = (
            {"ids": [self.named(name) for name in one.values["ids"]]} if "ids" in one.values else {}
        )
        return text(
            f"businesscase.{one.name}_{one.status}", self.language, **{**one.values, **named}
        )

    def paragraph(self, words: str) -> Paragraph:
        """Return a sentence as a paragraph; see `linked`."""
        made = self.linked(words)
        return Paragraph(made.text, refs=made.refs)

    def unit_of(self, name: str) -> str:
        """Return the unit of a quantity of the ledger."""
        one = self.entry(name)
        return one.unit if one else ""

    def unit(self, unit: str) -> str:
        """Return a unit, in the reader's words where they are known."""
        parts = (part.strip() for part in unit.split("/"))
        return " / ".join(
            self(f"unit_{part}") if part in _UNITS else part for part in parts if part
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

    def quantity(self, value: float, unit: str) -> str:
        """Return one value with its unit."""
        return self.quantities([value], unit)[0]

    def between(self, values: Sequence[float], unit: str) -> str:
        """Return a range of one quantity, its unit said once."""
        return self.range(
            self.quantities(values, unit, bare=True)[0], self.quantities(values, unit)[-1]
        )

    def told(self, low: float, value: float, high: float, unit: str) -> tuple[str, str, str]:
        """Return value, low and high of one quantity; the value alone names its unit."""
        least, _, most = self.quantities((low, value, high), unit, bare=True)
        return self.quantities((low, value, high), unit)[1], least, most

    def spanned(self, middle: str, low: str, high: str) -> str:
        """Return a value and its range on one line."""
        return self("with_span", middle=middle, low=low, high=high)

    def refs(self, names: Iterable[str]) -> tuple[Reference, ...]:
        """Return links to lines of the ledger."""
        return tuple(
            Reference(
                self.cited[name],
                f"#ledger-{self.places[name]}",
                f"{self.cited[name]}: {self.statement(name)}",
            )
            for name in names
            if name in self.places
        )

    def table(
        self,
        name: str,
        columns: str,
        rows: Sequence[Any] = (),
        values: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> Table:
        """Return a table: its caption and heads from the catalogue."""
        heads = [self(f"column_{column}") for column in columns.split()]
        return Table(self(f"table_{name}", **(values or {})), heads, rows, wide=True, **more)

    @cached_property
    def lines(self) -> list[Line]:
        """The benefits of the recommended option: declared there, or costs of doing nothing that it ends."""
        case, best = self.result.case, self.result.recommended.name
        mine = next(one.benefits for one in case.options if one.name == best)
        others = {one.name for one in case.benefits} - set(mine)
        return [one for one in self.result.lines if one.name not in others]

    @cached_property
    def worth_knowing(self) -> list[str]:
        """What is worth measuring, the most first: name and worth, where that is not rounded away."""
        known = [one for one in self.result.drivers if (one.knowing or 0.0) >= self.step / 2]
        ranked = sorted(known, key=lambda one: -(one.knowing or 0.0))
        return [
            self("next_one", name=self.named(one.id), worth=self.money(one.knowing or 0.0))
            for one in ranked
        ]
