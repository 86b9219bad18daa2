"""The voice of a case: its money in one unit, quantities in theirs, what it cites as links."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

from opslab.businesscase.options import Driver, Spread
from opslab.businesscase.result import CaseResult, Entry, Line
from opslab.messages import catalogue
from opslab.messages.numbers import decimals
from opslab.messages.units import counted
from opslab.report.blocks import Cell, Reference, Tone
from opslab.report.voice import Voice
from opslab.results import Check, Message

TONES: Mapping[str, Tone] = {
    "stop": "bad",
    "reject": "bad",
    "other": "open",
    "close": "open",
    "defer": "open",
    "stage": "open",
    "approve": "good",
    "explored": "open",
    "reached": "good",
    "below_kill": "bad",
    "missed": "bad",
    "dropped": "bad",
    "conflict": "open",
    "debt": "open",
}
"""Of actions, and of the states of a target."""

_RARE = 0.05
"""Share of the cases below which a chance is not told in tenths."""
_SHORT = 4  # letters of an id that is cited as it is
_IN_FULL = 1000  # units of a currency from which nobody asks for cents


class _Scale(NamedTuple):
    """How money is rounded that is below an amount."""

    below: float
    unit: float
    digits: int
    letter: str


_SCALES = (_Scale(1e5, 1.0, 0, ""), _Scale(2e7, 1e3, 0, "k"), _Scale(float("inf"), 1e6, 1, "M"))


@dataclass(frozen=True)
class CaseVoice(Voice):
    """The voice of a report, which knows the case's amounts and its ledger."""

    result: CaseResult

    @cached_property
    def vocabulary(self) -> dict[str, Any]:
        """What every message of the case may name."""
        result, case, best = self.result, self.result.case, self.result.recommended
        choice = result.choice
        amounts = {
            "budget": sum(year.one_off + year.running for year in best.fiscal),
            "worst": best.worst,
            "together": result.worst_together,
            "peak": best.peak.amount,
            "waiting": abs(result.waiting),
            "evpi": result.evpi,
        }
        words = {name: self.money(amount) for name, amount in amounts.items()} | {
            **case.finance.model_dump(),
            "today": result.as_of,
            "version": case.version,
            "option": best.name,
            "idle": result.nothing.name,
            "nothing": result.nothing.costs,
            "npv": best.npv,
            "chance": best.positive[0],
            "loss": best.loss[0],
            "peak_month": best.peak.month,
            "best": choice.best,
            "rival": choice.rival,
            "more": self.gained(abs(choice.margin)),
            "bound": choice.bound,
        }
        return self._spelt(words)

    def __call__(self, key: str, /, **values: Any) -> str:
        """Return a message; a spread ``x`` gives its mean, and ``x_low, x_high, x_span``."""
        values = self._spelt(values)
        if key in catalogue(self.language, self.area):
            values = self.vocabulary | values
        return super().__call__(key, **values)

    def _spelt(self, values: dict[str, Any]) -> dict[str, Any]:
        spelt = dict(values)
        for name, value in values.items():
            if isinstance(value, Spread):
                ends = {f"{name}_low": value.p10, name: value.mean, f"{name}_high": value.p90}
                spelt |= {end: self.money(amount) for end, amount in ends.items()}
                spelt[f"{name}_span"] = self.span(value)
        return spelt

    def message(self, message: Message) -> str:
        """Return a message that the result holds; ids of the ledger are told by their words.

        Messages under ``asked`` are told one after the other.
        """
        values = dict(message.values)
        if "ids" in values:
            values["ids"] = [self.named(name) for name in values["ids"]]
        if "asked" in values:
            values["asked"] = " ".join(map(self.message, values["asked"]))
        return super().message(replace(message, values=values))

    def finding(self, check: Check) -> Cell:
        """Return what a check found, with links to what it names."""
        return self.linked(self.message(check.detail))

    @cached_property
    def scale(self) -> _Scale:
        """How all money of this document is rounded, so that its columns can be read down."""
        best, nothing = self.result.recommended, self.result.nothing
        amounts = (best.npv.p10, best.npv.p90, best.costs.mean, nothing.costs.mean)
        return next(scale for scale in _SCALES if max(map(abs, amounts)) < scale.below)

    @property
    def axis(self) -> str:
        """What an axis of money counts."""
        return self(f"axis_{self.scale.unit:.0f}")

    @property
    def currency(self) -> str:
        """The case's currency."""
        return self.result.case.finance.currency

    def money(self, value: float, *, signed: bool = False) -> str:
        """Return an amount of the case's currency, rounded for reading: 412 k€."""
        unit, digits, letter = self.scale[1:]
        return self.amount(value / unit, self.currency, digits, letter, signed=signed)

    def gained(self, value: float) -> str:
        """Return an amount that is not nothing: in full where it would be rounded to nothing."""
        shown = self.money(value)
        return self.exact(value, self.currency) if shown == self.money(0.0) else shown

    def odds(self, share: float) -> str:
        """Return a chance in words: about 3 in 10."""
        key = "odds_rare" if share < _RARE else "odds_sure" if share > 1 - _RARE else "odds"
        return self(key, tenths=min(max(round(10 * share), 1), 9))

    def gain_name(self, line: Line) -> str:
        """Return what a benefit is called; of a cost that is ended, that it ends."""
        return self("ended_name", name=line.name) if line.ended else self.spoken(line.name)

    @property
    def rule(self) -> str:
        """What the declared rule asks for, and what the recommended option comes to."""
        bound, chance = self.result.choice.bound or 0.0, self.result.recommended.positive[0]
        near = round(100 * chance) == round(100 * bound)
        worst, bound_worst = (
            self.exact(value, self.currency) for value in (self.result.recommended.worst, bound)
        )
        reached = self.percent(chance, 1 if near else 0)
        return self(
            f"rule_{self.result.choice.rule}", worst=worst, bound_worst=bound_worst, reached=reached
        )

    @property
    def idle(self) -> str:
        """What doing nothing costs, and what waiting does."""
        first, last = map(
            self.money, (self.result.nothing.first_month, self.result.nothing.last_month)
        )
        return f"{self('idle_costs', first=first, last=last)} {self.waiting}"

    @property
    def waiting(self) -> str:
        """What a later start loses or gains."""
        lost = self.result.waiting
        none = self.money(lost) == self.money(0.0)
        return self(f"waiting_{'none' if none else 'loses' if lost > 0 else 'gains'}")

    def irr(self, rates: Sequence[float]) -> str:
        """Return the IRR; none, or several, are told as that."""
        key = "irr_none" if not rates else "irr" if len(rates) == 1 else "irr_several"
        return self(key, rates=[self.percent(rate, 0) for rate in rates])

    def turn(self, driver: Driver, key: str = "turn") -> str:
        """Return beyond which value of a quantity the sign of the NPV turns."""
        unit, turn = self.unit_of(driver.id), driver.switching or 0.0
        expected = self.entries[driver.id].value
        side = "above" if turn > expected else "below"
        value = self.quantity(turn, unit)
        usual = self.quantities([expected], unit, bare=True)[0]
        return self(f"{key}_{side}", name=self.named(driver.id), value=value, expected=usual)

    def fiscal(self, start: datetime.date) -> str:
        """Return a fiscal year by the calendar years that it lies in: 2027, or 2027/28."""
        begins = self.result.case.finance.fiscal_year
        year = start.year - (start.month < begins)
        return f"{year}" if begins == 1 else f"{year}/{(year + 1) % 100:02}"

    def span(self, spread: Spread, *, signed: bool = False) -> str:
        """Return p10 to p90 of an amount of money."""
        low, high = (self.money(end, signed=signed) for end in (spread.p10, spread.p90))
        return self.range(low, high)

    def spread(self, spread: Spread, remark: str = "", *, signed: bool = False) -> Cell:
        """Return the mean of an amount of money, with its p10 to p90 where they differ."""
        span = self.span(spread, signed=signed) if spread.p10 < spread.p90 else ""
        return Cell(self.money(spread.mean, signed=signed), remark, interval=span)

    def exact(self, value: float, currency: str) -> str:
        """Return an amount in full, with cents where it is small and has some."""
        whole = abs(value) >= _IN_FULL or value == round(value)
        return self.amount(value, currency, 0 if whole else 2)

    def ratio(self, value: float | None) -> str:
        """Return an ROI; without costs there is none."""
        return self("no_roi") if value is None else self.percent(value, 0)

    def months(self, value: float | None, never: str = "never") -> str:
        """Return a payback; "never" is one too."""
        if value is None:
            return self(never)
        return self("months", months=round(value))

    def unit(self, unit: str) -> str:
        """Return a unit, in the reader's words where they are known."""
        known = catalogue(self.language, self.area)
        parts = filter(None, map(str.strip, self.spoken(unit).split("/")))
        return " / ".join(known.get(f"unit_{part}", part) for part in parts)

    def quantities(self, values: Sequence[float], unit: str, *, bare: bool = False) -> list[str]:
        """Return values of one quantity, with the same decimals and, unless bare, its unit."""
        most, unit = max(map(abs, values)), self.spoken(unit)
        if unit == "share":
            return [self.percent(value, decimals(most * 100, 2)) for value in values]
        head, _, per = map(str.strip, unit.partition("/"))
        if len(head) == 3 and head.isupper():  # noqa: PLR2004 - a currency's code
            spelt = self.unit(per) if per == "once" else self("per", unit=self.unit(per))
            after = f" {spelt}" if per and not bare else ""
            return [self.exact(value, head) + after for value in values]
        digits = decimals(most, 3)
        while digits and all(round(value, digits) == round(value, digits - 1) for value in values):
            digits -= 1
        shown = [self.decimal(value, digits) for value in values]
        if bare or not unit:
            return shown
        return [
            f"{number}\N{NO-BREAK SPACE}{counted(unit, number, self.language)}" for number in shown
        ]

    def quantity(self, value: float, unit: str) -> str:
        """Return one value with its unit."""
        return self.quantities([value], unit)[0]

    def between(self, low: float, high: float, unit: str) -> str:
        """Return a range of one quantity, its unit said once."""
        least, _ = self.quantities([low, high], unit, bare=True)
        return self.range(least, self.quantities([low, high], unit)[1])

    def estimate(self, value: float, low: float, high: float, unit: str, remark: str = "") -> Cell:
        """Return a value with its unit, and its range where it has one."""
        least, most = self.quantities([low, high], unit, bare=True)
        interval = self.range(least, most) if low != high else ""
        return Cell(self.quantity(value, unit), remark, interval=interval)

    def inline(self, cell: Cell) -> str:
        """Return a value with its range as one text."""
        return f"{cell.text} ({cell.interval})" if cell.interval else cell.text

    @cached_property
    def entries(self) -> dict[str, Entry]:
        """The lines of the ledger by id."""
        return {entry.id: entry for entry in self.result.ledger}

    @cached_property
    def citations(self) -> dict[str, Reference]:
        """The links to them: cited by id where ids are short, else by position."""
        plain = [name for name in self.entries if ":" not in name]
        short = all(len(name) <= _SHORT for name in plain if "-" not in name)
        links = {}
        for number, name in enumerate(self.entries, 1):
            label = name if short and name in plain else str(number)
            words = f"{label}: {self.statement(name)}"
            links[name] = Reference(label, f"#ledger-{number}", words)
        return links

    def refs(self, names: Iterable[str]) -> list[Reference]:
        """Return links to lines of the ledger."""
        known = self.citations if self.result.length == "full" else {}
        return [known[name] for name in names if name in known]

    def statement(self, name: str) -> str:
        """Return what a line of the ledger says; else the id."""
        words = self.entries[name].statement if name in self.entries else name
        if not isinstance(words, Message):
            return self.spoken(words)
        short = f"short_{words.key.replace('.', '_')}"
        if short in catalogue(self.language, self.area):
            return self(short, **words.values)
        return self.message(words)

    def unit_of(self, name: str) -> str:
        """Return the unit of a quantity of the ledger."""
        return self.entries[name].unit if name in self.entries else ""

    def label(self, name: str) -> str:
        """Return how a quantity is cited, and what it is called."""
        return " · ".join([*(ref.label for ref in self.refs([name])), self.statement(name)])

    def named(self, name: str) -> str:
        """Return what a quantity is called in a sentence, with its citation for `linked`."""
        return "".join([self.statement(name), *map(_mark, self.refs([name]))])

    def linked(self, words: str) -> Cell:
        """Return a sentence with the citations in it as links behind it."""
        there = [link for link in self.citations.values() if _mark(link) in words]
        there.sort(key=lambda link: words.index(_mark(link)))
        bare = words
        for link in there:
            bare = bare.replace(_mark(link), "")
        return Cell(bare, refs=there)

    def readout(self, run: str, link: str | None) -> tuple[Reference, ...]:
        """Return the link to a run's readout, where it has one."""
        words = self("readout_of", run=run)
        return (Reference(self("readout"), link, words),) if link else ()

    @property
    def counted(self) -> list[Line]:
        """The gains of the recommended option that are part of its NPV."""
        return [line for line in self.result.taken if line.counted]


def _mark(link: Reference) -> str:
    return f"\N{NO-BREAK SPACE}[{link.label}]"
