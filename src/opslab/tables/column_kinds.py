"""What a column holds, decided on what all of its cells tell; a question where they do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opslab.errors import Problem
from opslab.tables import dates, numbers
from opslab.tables.dates import NUMBERED, DateEvidence
from opslab.tables.import_report import Decimal, Decision, FileAnswers
from opslab.tables.numbers import MachineForm, NumberEvidence
from opslab.tables.profiles import Column, Kind

NUMERIC = {"number", "percent", "duration"}
TIMED = {"date", "datetime"}
CELL = "cell"
"""Stands in the SQL of a value where the column's text goes, as `numbers.plain` gives it."""
_COUNTED = {
    "percent": "decided_percent",
    "powers": "decided_powers",
    "bracketed": "decided_bracketed",
    "days": "decided_days",
    "clocks": "decided_clocks",
    "short": "decided_short_years",
    "compact": "decided_compact",
    "serials": "decided_serials",
    "seconds": "decided_seconds",
    "milliseconds": "decided_milliseconds",
    "offset": "decided_offsets",
}
"""What is told of a field of evidence where cells were counted in it."""
_SURE = {"percent", "bracketed", "short", "compact", "offset"}
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
    def misfits(self) -> int:
        """Cells that keep a column of no declared kind from being one of numbers or times."""
        counted = getattr(self.evidence, self.counting) if self.counting else 0
        return self.evidence.misfits - counted if self.evidence else 0

    def tell(self, key: str, *, assumed: bool = False, **values: Any) -> None:
        """Note a decision about this column."""
        self.decisions.append(Decision(f"tables.{key}", values, self.wanted.name, assumed))

    def tell_counts(self, *names: str) -> None:
        """Note what was counted, where it was, in some fields of the evidence."""
        for name in names:
            if count := getattr(self.evidence, name):
                self.tell(_COUNTED[name], assumed=name not in _SURE, count=count)

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
    if draft.kind == "duration":
        decimal = _decimal(draft, evidence, file)
        return decimal if isinstance(decimal, list) else _decide_duration(draft, decimal)
    percent, given, currencies = evidence.percent, evidence.given, evidence.currency
    if percent and percent < given:
        return [("ask_percent", {"count": percent, "given": given})]
    if len(currencies) > 1:
        return [("mixed_currencies", {"names": currencies})]
    decimal = _decimal(draft, evidence, file)
    if isinstance(decimal, list):
        return decimal
    draft.tell_counts("percent", "powers", "bracketed")
    if draft.kind == "percent" and not percent:
        draft.tell("decided_fraction", assumed=True)
    for currency in currencies:
        values = {"currency": currency, "count": evidence.priced, "given": given}
        draft.tell("decided_currency", assumed=evidence.priced < given, **values)
    draft.value = numbers.number(CELL, decimal)
    return []


def _decimal(draft: Draft, evidence: NumberEvidence, file: File) -> Decimal | _Questions:
    """Return the decimal mark, told with what proves it, or the question."""
    point, comma, answer = evidence.point, evidence.comma, file.answers.decimal
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
    return decimal or "point"


def _decide_duration(draft: Draft, decimal: Decimal) -> _Questions:
    """Set the value in hours; a heading that names a unit counts where the profile names none."""
    column = draft.wanted.column
    named = numbers.unit_of(draft.wanted.sources[0])
    unit = column.unit if "unit" in column.model_fields_set else named or column.unit
    if unit != column.unit:
        draft.tell("decided_unit", assumed=True, unit=f"tables.unit_{unit}")
    draft.tell_counts("days", *(["clocks"] if unit == "minutes" else []))
    draft.value = numbers.hours(CELL, decimal, unit)
    return []


def _decide_date(draft: Draft, evidence: DateEvidence, file: File) -> _Questions:
    zone, local = file.answers.timezone, evidence.local
    offset = evidence.offset + evidence.seconds + evidence.milliseconds
    if offset and local and zone is None and draft.kind != "date":
        return [("ask_timezone", {"offset": offset, "local": local})]
    swapped = evidence.swapped and file.answers.swapped_dates
    if swapped is None:
        return [("ask_swapped_dates", {"count": evidence.iso_low})]
    day_first = _day_first(draft, evidence, file)
    if not isinstance(day_first, bool):
        return day_first
    if swapped:
        draft.tell("decided_swapped", count=evidence.iso_low)
    draft.tell_counts("short", *NUMBERED)
    options = {"day_first": day_first, "swapped": swapped}
    if draft.kind == "date" or (draft.wanted.kind is None and not (local or offset)):
        draft.value = dates.day(CELL, **options)
        return []
    draft.tell_counts("offset")
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


def refusal(draft: Draft, lost: int, *, strict: bool) -> str | None:
    """Return the message that refuses a column that loses so many of its given cells, or None."""
    wanted, given = draft.wanted, draft.evidence.given if draft.evidence else 0
    if wanted.column.required and lost * _MOST_LOST > given:
        return "tables.lost_required"
    if strict:
        return "tables.bad_times" if draft.kind in TIMED else "tables.bad_cells"
    if wanted.kind is not None and lost == given >= _FEWEST_LOST:
        return "tables.lost_column"
    return None
