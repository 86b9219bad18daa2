"""What a column holds, decided on what all of its cells tell; where they leave a doubt, a question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opslab.errors import Problem
from opslab.tables import dates, numbers
from opslab.tables.dates import DateEvidence
from opslab.tables.import_report import Decimal, Decision, FileAnswers
from opslab.tables.numbers import NumberEvidence
from opslab.tables.profiles import Column, Kind

NUMERIC = {"number", "percent", "duration"}
TIMED = {"date", "datetime"}
TOLD = "{told}"
"""Stands in the SQL of a value where the column's text goes, as `numbers.plain` gives it."""

_PLAIN = Column(headers=("*",))
_Questions = list[tuple[str, dict[str, Any]]]


@dataclass(frozen=True)
class Wanted:
    """A column to make.

    Attributes
    ----------
    name : str
        Its name in the table that comes out.
    places : tuple of str
        Columns of the table that goes in; several make a list.
    kind : str or None
        None lets the cells decide, and text stays text where they do not.
    time : str or None
        Column with the clock time of a date.
    column : Column
        What a profile says of it.
    ask : bool
        Whether cells that could be numbers or times in two ways are a question although no kind is
        declared.
    """

    name: str
    places: tuple[str, ...]
    kind: Kind | None = None
    time: str | None = None
    column: Column = _PLAIN
    ask: bool = False


@dataclass
class Work:
    """One column on its way: its text in SQL, what its cells told, and the value in SQL."""

    wanted: Wanted
    text: str
    kind: Kind | None
    staged: bool = False
    value: str = ""
    local: str = ""
    given: int | None = None
    form: tuple[str, str] = ("", "")
    numbers: NumberEvidence | None = None
    dates: DateEvidence | None = None
    decisions: list[Decision] = field(default_factory=list)
    personal: bool = False

    def tell(self, key: str, *, assumed: bool = False, **values: Any) -> None:
        """Note a decision about this column."""
        self.decisions.append(Decision(f"tables.{key}", values, self.wanted.name, assumed))

    def tell_zone(self, zone: str | None, count: int) -> None:
        """Note what times without an offset are taken for."""
        if zone:
            self.tell("decided_zone", zone=zone, count=count)
        else:
            self.tell("decided_local")


@dataclass(frozen=True)
class File:
    """What the file as a whole proves, for columns that do not tell by themselves."""

    name: str
    answers: FileAnswers
    decimals: Mapping[Decimal, str]
    firsts: Mapping[bool, str]
    day_first_assumed: bool

    @classmethod
    def of(
        cls, work: Sequence[Work], answers: FileAnswers, name: str, *, day_first_assumed: bool
    ) -> File:
        """Return what the columns that tell by themselves prove together."""
        decimals: dict[Decimal, str] = {}
        firsts: dict[bool, str] = {}
        for one in work:
            mark = one.numbers.decimal if one.numbers and one.kind in NUMERIC else None
            if one.value and one.form[1] == "DOUBLE":
                mark = "point"
            if mark and not (one.numbers and one.numbers.neither):
                decimals.setdefault(mark, one.wanted.name)
            if one.dates and bool(one.dates.day_first) != bool(one.dates.month_first):
                firsts.setdefault(bool(one.dates.day_first), one.wanted.name)
        return cls(name, answers, decimals, firsts, day_first_assumed)


def decide(one: Work, file: File) -> list[Problem]:
    """Set the value of a column, with the decisions behind it, or return the question to answer."""
    if one.value:
        return []
    if one.kind == "boolean":
        one.value = numbers.truth(TOLD)
        return []
    questions: _Questions = []
    if one.dates is not None:
        questions = _decide_date(one, one.dates, file)
    elif one.numbers is not None:
        questions = _decide_number(one, one.numbers, file)
    misfit = one.numbers is not None and (one.numbers.neither or one.numbers.codes)
    misfit = misfit or (one.dates is not None and one.dates.neither)
    if one.wanted.kind is not None or (one.wanted.ask and not misfit):
        return [
            Problem(f"tables.{key}", values, file.name, field=one.wanted.name)
            for key, values in questions
        ]
    if questions or misfit:
        one.kind, one.value, one.staged, one.decisions = "text", one.text, False, []
        for key, _ in questions:
            one.tell("decided_kept_text", assumed=True, question=f"tables.kept_{key}")
    return []


def _decide_number(one: Work, told: NumberEvidence, file: File) -> _Questions:
    if told.percent and told.percent < told.given and one.kind != "duration":
        return [("ask_percent", {"count": told.percent, "given": told.given})]
    decimal = file.answers.decimal or told.decimal
    if decimal is None and told.point and told.comma:
        return [("ask_decimal_both", {"point": told.point, "comma": told.comma})]
    if decimal is None and told.unclear:
        if len(file.decimals) != 1:
            return [("ask_decimal", {"count": told.unclear})]
        ((decimal, other),) = file.decimals.items()
        one.tell("decided_decimal_as", decimal=f"tables.decimal_{decimal}", other=other)
    elif told.decimal or (file.answers.decimal and told.unclear):
        count = max(told.point, told.comma)
        key = "decided_decimal_answer" if file.answers.decimal else "decided_decimal"
        one.tell(key, decimal=f"tables.decimal_{decimal}", count=count)
    if told.percent:
        one.tell("decided_percent", count=told.percent)
    mark = decimal or "point"
    one.value = numbers.number(TOLD, mark)
    if one.kind == "duration":
        one.value = numbers.hours(TOLD, mark, one.wanted.column.unit)
    elif one.kind == "percent" and not told.percent:
        one.tell("decided_fraction", assumed=True)
    return []


def _decide_date(one: Work, told: DateEvidence, file: File) -> _Questions:
    zone = file.answers.timezone
    if told.offset and told.local and zone is None and one.kind != "date":
        return [("ask_timezone", {"offset": told.offset, "local": told.local})]
    day_first, question = _day_first(one, told, file)
    if question:
        return question
    if told.short:
        one.tell("decided_short_years", count=told.short)
    if one.kind == "date" or (one.wanted.kind is None and not (told.local or told.offset)):
        one.value = dates.day(TOLD, day_first=day_first)
        return []
    if told.offset:
        one.tell("decided_offsets", count=told.offset)
    if told.local:
        one.tell_zone(zone, told.local)
        one.local = dates.moment(TOLD, day_first=day_first, zone=None) if zone else ""
    one.value = dates.moment(TOLD, day_first=day_first, zone=zone)
    return []


def _day_first(one: Work, told: DateEvidence, file: File) -> tuple[bool, _Questions]:
    """Return whether the day comes first, told with what proves it, or the question."""
    said = file.answers.day_first
    names = {True: "tables.first_day", False: "tables.first_month"}
    if said is not None:
        if told.unclear or told.day_first or told.month_first:
            one.tell("decided_first_answer", first=names[said])
        return said, []
    if told.day_first and told.month_first:
        rows = {"first": (told.first_day or 0) + 1, "second": (told.first_month or 0) + 1}
        return True, [("ask_day_first_both", rows)]
    if told.day_first or told.month_first:
        first = bool(told.day_first)
        one.tell("decided_first", first=names[first], count=told.day_first + told.month_first)
        return first, []
    if told.unclear and len(file.firsts) == 1:
        ((first, other),) = file.firsts.items()
        one.tell("decided_first_as", first=names[first], other=other)
        return first, []
    if told.unclear and not file.day_first_assumed:
        return True, [("ask_day_first", {"count": told.unclear})]
    if told.unclear:
        one.tell("decided_first_assumed", assumed=True, first=names[True])
    return True, []
