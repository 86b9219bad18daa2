"""What a column holds, decided on what all of its cells tell; a question where they do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opslab.errors import Problem
from opslab.tables import dates, numbers
from opslab.tables.dates import DateEvidence
from opslab.tables.import_report import Decimal, Decision, FileAnswers
from opslab.tables.numbers import MachineForm, NumberEvidence
from opslab.tables.profiles import Column, Kind

NUMERIC = {"number", "percent", "duration"}
TIMED = {"date", "datetime"}
CELL = "cell"
"""Stands in the SQL of a value where the column's text goes, as `numbers.plain` gives it."""
_COUNTED = {
    "serials": "decided_serials",
    "compact": "decided_compact",
    "seconds": "decided_seconds",
    "milliseconds": "decided_milliseconds",
}
_NEARLY = 5  # one misfit in so many: more, and nobody took the column for one of its kind
_MOST_LOST = 10  # one cell in so many of a column that rows cannot do without
_FEWEST_LOST = 3  # cells, all of a column, that are refused

_PLAIN = Column(headers=("*",))
_Questions = list[tuple[str, dict[str, Any]]]


@dataclass(frozen=True)
class Wanted:
    """A column to make.

    Attributes
    ----------
    name : str
        Its name in the table that comes out.
    sources : tuple of str
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
    sources: tuple[str, ...]
    kind: Kind | None = None
    time: str | None = None
    column: Column = _PLAIN
    ask: bool = False


@dataclass(eq=False)
class Draft:
    """A column that is being made: its text in SQL, what its cells told, and the value in SQL.

    Attributes
    ----------
    local : str
        SQL of the times without an offset as they are written, where the value is in UTC.
    staged : bool
        Whether the value holds `CELL`.
    counting : str
        What the numbers of a column of times count, where no kind is declared.
    """

    wanted: Wanted
    text: str
    kind: Kind | None
    value: str = ""
    local: str = ""
    staged: bool = False
    counting: str = ""
    form: MachineForm | None = None
    evidence: NumberEvidence | DateEvidence | None = None
    decisions: list[Decision] = field(default_factory=list)
    personal: bool = False

    @property
    def plain(self) -> str:
        """SQL of the text as `numbers.plain` gives it."""
        return numbers.plain(self.text, amount=self.is_amount)

    @property
    def is_amount(self) -> bool:
        """Whether it can hold currencies, and letters for thousands and millions."""
        return self.kind in ("number", "percent")

    @property
    def misfits(self) -> int:
        """Cells that keep a column of no declared kind from being one of numbers or times."""
        counted = getattr(self.evidence, self.counting) if self.counting else 0
        return self.evidence.misfits - counted if self.evidence else 0

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
    """What the file as a whole proves, for columns that do not tell by themselves.

    Attributes
    ----------
    decimals : Mapping
        Column that proves it, by decimal mark.
    firsts : Mapping
        Column that proves it, by whether the day comes first.
    """

    name: str
    answers: FileAnswers
    decimals: Mapping[Decimal, str]
    firsts: Mapping[bool, str]
    day_first_assumed: bool

    @classmethod
    def of(
        cls, drafts: Sequence[Draft], answers: FileAnswers, name: str, *, day_first_assumed: bool
    ) -> File:
        """Return what the columns that tell by themselves prove together."""
        decimals: dict[Decimal, str] = {}
        firsts: dict[bool, str] = {}
        for draft in drafts:
            column, evidence = draft.wanted.name, draft.evidence
            if draft.value and draft.form and draft.form.type == "DOUBLE":
                decimals.setdefault("point", column)
            elif isinstance(evidence, NumberEvidence):
                if draft.kind in NUMERIC and evidence.decimal and not evidence.neither:
                    decimals.setdefault(evidence.decimal, column)
            elif (
                evidence
                and bool(evidence.day_first) != bool(evidence.month_first)
                and not (evidence.swapped or (draft.wanted.kind is None and draft.misfits))
            ):
                firsts.setdefault(bool(evidence.day_first), column)
        return cls(name, answers, decimals, firsts, day_first_assumed)


def decide(draft: Draft, file: File) -> list[Problem]:
    """Set the value of a column, with the decisions behind it, or return the question to answer."""
    evidence = draft.evidence
    if draft.value or evidence is None:
        return []
    if draft.kind == "boolean":
        draft.value = numbers.truth(CELL)
        return []
    wanted = draft.wanted
    if wanted.kind is None and draft.misfits:
        _keep_text(draft, evidence)
        return []
    if isinstance(evidence, DateEvidence):
        questions = _decide_date(draft, evidence, file)
    else:
        questions = _decide_number(draft, evidence, file)
    if wanted.kind is not None or wanted.ask:
        return [
            Problem(f"tables.{key}", values, file.name, field=wanted.name)
            for key, values in questions
        ]
    if questions:
        _keep_text(draft)
        for key, _ in questions:
            draft.tell("decided_kept_text", assumed=True, question=f"tables.kept_{key}")
    return []


def _keep_text(draft: Draft, evidence: NumberEvidence | DateEvidence | None = None) -> None:
    """Take a column as text; it is told where nearly all of its cells are of another kind."""
    kind = f"tables.kind_{draft.kind}"
    draft.kind, draft.value, draft.staged, draft.decisions = "text", draft.text, False, []
    if evidence and evidence.misfit and evidence.neither * _NEARLY <= evidence.given:
        values = {"count": evidence.neither, "given": evidence.given, "kind": kind}
        row, cell = evidence.misfit["row"] + 1, numbers.excerpt(evidence.misfit["cell"])
        draft.tell("decided_nearly", assumed=True, **values, row=row, cell=cell)


def _decide_number(draft: Draft, evidence: NumberEvidence, file: File) -> _Questions:
    point, comma, percent = evidence.point, evidence.comma, evidence.percent
    is_duration = draft.kind == "duration"
    if percent and percent < evidence.given and not is_duration:
        return [("ask_percent", {"count": percent, "given": evidence.given})]
    if len(evidence.currency) > 1 and not is_duration:
        return [("mixed_currencies", {"names": evidence.currency})]
    answer = file.answers.decimal
    decimal = answer or evidence.decimal
    if decimal is None and point and comma:
        return [("ask_decimal_both", {"point": point, "comma": comma})]
    if decimal is None and evidence.unclear:
        if len(file.decimals) != 1:
            return [("ask_decimal", {"count": evidence.unclear})]
        ((decimal, other),) = file.decimals.items()
        draft.tell("decided_decimal_as", decimal=f"tables.decimal_{decimal}", other=other)
    elif evidence.decimal or (answer and evidence.unclear):
        key = "decided_decimal_answer" if answer else "decided_decimal"
        draft.tell(key, decimal=f"tables.decimal_{decimal}", count=max(point, comma))
    mark = decimal or "point"
    if is_duration:
        _decide_duration(draft, evidence, mark)
        return []
    if percent:
        draft.tell("decided_percent", count=percent)
    elif draft.kind == "percent":
        draft.tell("decided_fraction", assumed=True)
    if evidence.powers > percent:
        draft.tell("decided_powers", assumed=True, count=evidence.powers - percent)
    if evidence.bracketed:
        all_of_them = evidence.bracketed == evidence.given
        draft.tell("decided_bracketed", assumed=all_of_them, count=evidence.bracketed)
    if evidence.currency:
        priced, given = evidence.priced, evidence.given
        values = {"currency": evidence.currency[0], "count": priced, "given": given}
        draft.tell("decided_currency", assumed=priced < given, **values)
    draft.value = numbers.number(CELL, mark)
    return []


def _decide_duration(draft: Draft, evidence: NumberEvidence, decimal: Decimal) -> None:
    """Set the value in hours; a heading that names a unit counts where the profile names none."""
    column = draft.wanted.column
    unit: str = column.unit
    named = numbers.unit_of(draft.wanted.sources[0])
    if named and "unit" not in column.model_fields_set and named != unit:
        unit = named
        draft.tell("decided_unit", assumed=True, unit=f"tables.unit_{unit}")
    if unit == "minutes" and evidence.clocks:
        draft.tell("decided_clocks", assumed=True, count=evidence.clocks)
    if evidence.days:
        draft.tell("decided_days", assumed=True, count=evidence.days)
    draft.value = numbers.hours(CELL, decimal, unit)


def _decide_date(draft: Draft, evidence: DateEvidence, file: File) -> _Questions:
    zone, local = file.answers.timezone, evidence.local
    offset = evidence.offset + evidence.seconds + evidence.milliseconds
    if offset and local and zone is None and draft.kind != "date":
        return [("ask_timezone", {"offset": offset, "local": local})]
    swapped = evidence.swapped and file.answers.swapped_dates
    if evidence.swapped and swapped is None:
        dates_read = evidence.day_first + evidence.month_first
        return [("ask_swapped_dates", {"count": evidence.iso_low, "others": dates_read})]
    day_first = _day_first(draft, evidence, file)
    if not isinstance(day_first, bool):
        return day_first
    if swapped:
        draft.tell("decided_swapped", count=evidence.iso_low)
    if evidence.short:
        draft.tell("decided_short_years", count=evidence.short)
    for name, key in _COUNTED.items():
        if count := getattr(evidence, name):
            assumed = draft.wanted.kind is None or name == "serials"
            draft.tell(key, assumed=assumed, count=count)
    options = {"day_first": day_first, "swapped": bool(swapped)}
    if draft.kind == "date" or (draft.wanted.kind is None and not (local or offset)):
        draft.value = dates.day(CELL, **options)
        return []
    if evidence.offset:
        draft.tell("decided_offsets", count=evidence.offset)
    if local:
        draft.tell_zone(zone, local)
        draft.local = dates.moment(CELL, **options, zone=None) if zone else ""
    draft.value = dates.moment(CELL, **options, zone=zone)
    return []


def _day_first(draft: Draft, evidence: DateEvidence, file: File) -> bool | _Questions:
    """Return whether the day comes first, told with what proves it, or the question."""
    names = {True: "tables.first_day", False: "tables.first_month"}
    answer, proofs = file.answers.day_first, evidence.day_first + evidence.month_first
    if answer is not None:
        if evidence.unclear or proofs:
            draft.tell("decided_first_answer", first=names[answer])
        return answer
    if evidence.day_first and evidence.month_first:
        rows = {"first": (evidence.first_day or 0) + 1, "second": (evidence.first_month or 0) + 1}
        return [("ask_day_first_both", rows)]
    if proofs:
        first = bool(evidence.day_first)
        draft.tell("decided_first", first=names[first], count=proofs)
        return first
    if evidence.unclear and len(file.firsts) == 1:
        ((first, other),) = file.firsts.items()
        draft.tell("decided_first_as", first=names[first], other=other)
        return first
    if evidence.unclear and not file.day_first_assumed:
        return [("ask_day_first", {"count": evidence.unclear})]
    if evidence.unclear:
        draft.tell("decided_first_assumed", assumed=True, first=names[True])
    return True


def loss(
    draft: Draft, lost: int, values: Mapping[str, Any], file: File, *, strict: bool
) -> Problem | None:
    """Return the refusal of a column that loses too many of its cells, or None.

    Parameters
    ----------
    draft : Draft
    lost : int
        Cells that are given and no value of the column's kind.
    values : Mapping
        What the message says of them.
    file : File
    strict : bool
        Whether one is too many.
    """
    given = draft.evidence.given if draft.evidence else 0
    values = {**values, "given": given}
    if draft.wanted.column.required and lost * _MOST_LOST > given:
        return Problem("tables.lost_required", values, file.name, field=draft.wanted.name)
    if strict:
        key = "tables.bad_times" if draft.kind in TIMED else "tables.bad_cells"
        return Problem(key, values, file.name, field=draft.wanted.name)
    if draft.wanted.kind is not None and lost == given >= _FEWEST_LOST:
        return Problem("tables.lost_column", values, file.name, field=draft.wanted.name)
    return None
