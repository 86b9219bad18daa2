"""What a column holds, decided on what all of its cells tell; a question where they do not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from opslab.errors import Problem
from opslab.tables import dates, numbers
from opslab.tables.dates import NUMBERED, DateEvidence
from opslab.tables.import_report import Decision, FileAnswers
from opslab.tables.numbers import MachineForm, NumberEvidence
from opslab.tables.profiles import Column, Kind
from opslab.tables.source import Table

TIMED = {"date", "datetime"}
WRITTEN: Mapping[str, Callable[[str], str]] = {
    "count": numbers.number,
    "share": numbers.number,
    "minutes": numbers.minutes,
    "minutes_or_share": numbers.minutes_or_share,
}
"""What people fill in by hand: each cell is in a notation of its own."""
_TOLD_AS = {"short": "short_years", "offset": "offsets"}  # of evidence; else by its field
_INSTANT = r"'\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.]\d{1,6})?)?(Z|[+-]\d\d:\d\d)'"
_SURE = {"percent", "bracketed", "short", "compact", "offset"}
_NEARLY = 5  # one misfit in so many: more, and nobody took the column for one of its kind
_MOST_LOST = 10  # one cell in so many of a column that rows cannot do without
_FEWEST_LOST = 3  # cells, all of a column, that are refused

_PLAIN = Column(headers=("*",))


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
    quick : str
        SQL of the value by ``text``, none where it is not written as programs do.
    bare : str
        SQL of what the value takes as ``bare`` beside ``cell``; empty where it is of the columns.
    counting : str
        What the numbers of a column of times count, where no kind is declared.
    """

    wanted: Wanted
    text: str
    kind: Kind | None
    value: str = ""
    local: str = ""
    quick: str = "NULL"
    bare: str = ""
    counting: str = ""
    form: MachineForm | None = None
    evidence: NumberEvidence | DateEvidence | None = None
    decisions: list[Decision] = field(default_factory=list)
    questions: dict[str, dict[str, Any]] = field(default_factory=dict)
    personal: bool = False

    @property
    def proofs(self) -> Mapping[str, int]:
        """What all cells together prove of their notation, as of the evidence."""
        if self.value:
            return {"point": 1} if self.form and self.form.type == "DOUBLE" else {}
        return self.evidence.proofs if self.evidence and not self.evidence.neither else {}

    def ask(self, key: str, **values: Any) -> None:
        """Note a question about this column, which has no value then."""
        self.questions[key] = values

    def tell(self, key: str, *, assumed: bool = False, **values: Any) -> None:
        """Note a decision about this column."""
        self.decisions.append(Decision(f"tables.{key}", values, self.wanted.name, assumed))

    def tell_counts(self, *names: str) -> None:
        """Note what was counted, where it was, in some fields of the evidence."""
        for name in names:
            if count := getattr(self.evidence, name):
                key = f"decided_{_TOLD_AS.get(name, name)}"
                self.tell(key, assumed=name not in _SURE, count=count)

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
    proofs : Mapping
        Column that proves it, by decimal mark, and by what comes first in its dates.
    """

    name: str
    answers: FileAnswers
    proofs: Mapping[str, str]
    day_first_assumed: bool


def decide(draft: Draft, file: File) -> list[Problem]:
    """Set the value of a column, with the decisions behind it, or return the question to answer."""
    evidence = draft.evidence
    if draft.value or evidence is None:
        return []
    if draft.kind == "boolean":
        draft.value, draft.quick = numbers.truth(), numbers.truth("lower(text)")
        return []
    wanted = draft.wanted
    counted = getattr(evidence, draft.counting) if draft.counting else 0
    if wanted.kind is None and evidence.neither > counted:
        _keep_text(draft, evidence)
        return []
    if isinstance(evidence, DateEvidence):
        _decide_date(draft, evidence, file)
    else:
        _decide_number(draft, evidence, file)
    if wanted.kind is not None or wanted.ask:
        return [
            Problem(f"tables.{key}", values, file.name, field=wanted.name)
            for key, values in draft.questions.items()
        ]
    if draft.questions:
        _keep_text(draft)
    return []


def _keep_text(draft: Draft, evidence: NumberEvidence | DateEvidence | None = None) -> None:
    """Take a column as text; it is told where nearly all of its cells are of another kind."""
    kind = f"tables.kind_{draft.kind}"
    draft.kind, draft.value, draft.bare, draft.decisions = "text", draft.text, "", []
    for key in draft.questions:
        draft.tell("decided_kept_text", assumed=True, question=f"tables.kept_{key}")
    if evidence and evidence.misfit and evidence.neither * _NEARLY <= evidence.given:
        values = {"count": evidence.neither, "given": evidence.given, "kind": kind}
        row, cell = evidence.misfit["row"] + 1, numbers.excerpt(evidence.misfit["cell"])
        draft.tell("decided_nearly", assumed=True, **values, row=row, cell=cell)


class _Notation(NamedTuple):
    """Two ways of writing, of which a column's cells prove one, and the questions about them."""

    name: str
    options: tuple[str, str]
    question: str
    both: str


_DECIMAL = _Notation("decimal", ("point", "comma"), "ask_decimal", "ask_decimal_both")
_FIRST = _Notation("first", ("day", "month"), "ask_day_first", "ask_day_first_both")


def _choice(draft: Draft, file: File, notation: _Notation, answer: str | None) -> str | None:
    """Return in which notation a column is, told with what proves it; None for a question."""
    evidence, name = draft.evidence, notation.name
    if evidence is None or not (evidence.proofs or evidence.unclear):
        return answer or notation.options[0]
    elsewhere = [option for option in notation.options if option in file.proofs]
    key, values = f"tables.decided_{name}_answer", dict[str, Any]()
    if answer:
        option = answer
    elif len(evidence.proofs) > 1:
        draft.ask(notation.both, **evidence.both)
        return None
    elif evidence.proofs:
        ((option, count),) = evidence.proofs.items()
        key, values = f"tables.decided_{name}", {"count": count}
    elif len(elsewhere) == 1:
        (option,) = elsewhere
        key, values = f"tables.decided_{name}_as", {"other": file.proofs[option]}
    elif notation is _FIRST and file.day_first_assumed:
        option, key = "day", "tables.decided_first_assumed"
    else:
        draft.ask(notation.question, count=evidence.unclear)
        return None
    values[name] = f"tables.{name}_{option}"
    assumed = key.endswith("assumed")
    draft.decisions.append(Decision(key, values, draft.wanted.name, assumed))
    return option


def _decide_number(draft: Draft, evidence: NumberEvidence, file: File) -> None:
    percent, given, currencies = evidence.percent, evidence.given, evidence.currency
    written = draft.kind in WRITTEN
    is_duration = draft.kind == "duration"
    if 0 < percent < given and not (is_duration or written):
        draft.ask("ask_percent", count=percent, given=given)
    elif len(currencies) > 1 and not is_duration:
        draft.ask("mixed_currencies", names=currencies)
    elif decimal := _choice(draft, file, _DECIMAL, file.answers.decimal):
        if written:
            _decide_written(draft, evidence, decimal)
        elif is_duration:
            _decide_duration(draft, decimal)
        else:
            _decide_plain(draft, evidence, decimal)


def _decide_plain(draft: Draft, evidence: NumberEvidence, decimal: str) -> None:
    """Set the value of a number, and tell its currency, percent sign and power."""
    draft.tell_counts("percent", "powers", "bracketed")
    if draft.kind == "percent" and not evidence.percent:
        draft.tell("decided_fraction", assumed=True)
    for currency in evidence.currency:
        values = {"currency": currency, "count": evidence.priced, "given": evidence.given}
        draft.tell("decided_currency", assumed=evidence.priced < evidence.given, **values)
    draft.value = numbers.number(decimal)
    draft.quick = numbers.QUICK if decimal == "point" else draft.quick


def _decide_written(draft: Draft, evidence: NumberEvidence, decimal: str) -> None:
    """Set the value of what people fill in, and tell what was read as what."""
    draft.value = WRITTEN[draft.kind or ""](decimal)
    draft.tell_counts("percent")
    if draft.kind in ("minutes", "minutes_or_share"):
        draft.tell_counts("days")
        if evidence.misfit:
            cell = numbers.excerpt(evidence.misfit["cell"])
            draft.tell("decided_minutes", assumed=True, count=evidence.neither, cell=cell)
    elif draft.kind == "count":
        draft.value = f"CASE WHEN NOT contains(cell, '%') THEN {draft.value} END"
    elif bare := evidence.given - evidence.percent:
        value, possible = draft.value, "< 1" if evidence.percent else "<= 1"
        key, kept = "decided_fraction" + "s" * bool(evidence.percent), value
        if "%" in draft.wanted.sources[0]:
            key, possible, kept = "decided_percentages", "NOT BETWEEN 1e-9 AND 1", f"{value} / 100"
        draft.tell(key, assumed=True, count=bare)
        # 60 may be the same as 60 %, and 0.6 below a heading with a % sign
        draft.value = (
            f"CASE WHEN contains(cell, '%') THEN {value} WHEN {value} {possible} THEN {kept} END"
        )


def take_instants(table: Table, drafts: Iterable[Draft]) -> None:
    """Take declared times as a program wrote them, where all have their offset: one quick look."""
    for draft in drafts:
        if draft.kind == "datetime" and not draft.value:
            instant = f"TRY_CAST({draft.text} AS TIMESTAMPTZ)"
            formed = f"regexp_full_match({draft.text}, {_INSTANT}) AND {instant} IS NOT NULL"
            unlike = f"{draft.text} IS NOT NULL AND NOT ({formed})"
            if table.fetch(f"SELECT 1 FROM {table.relation} WHERE {unlike} LIMIT 1"):
                continue
            (count,) = table.aggregates([f"count({draft.text})"])
            if count:
                draft.value = f"make_timestamp(epoch_us({instant}))"
                draft.tell("decided_offsets", count=count)


def _decide_duration(draft: Draft, decimal: str) -> None:
    """Set the value in hours; a heading that names a unit counts where the profile names none."""
    column = draft.wanted.column
    named = numbers.unit_of(draft.wanted.sources[0])
    unit = column.unit if "unit" in column.model_fields_set else named or column.unit
    if unit != column.unit:
        draft.tell("decided_unit", assumed=True, unit=f"tables.unit_{unit}")
    draft.tell_counts("days", *(["clocks"] if unit == "minutes" else []))
    draft.value, draft.quick = numbers.hours(decimal, unit), numbers.quick_hours()


def _decide_date(draft: Draft, evidence: DateEvidence, file: File) -> None:
    zone, local, answer = file.answers.timezone, evidence.local, file.answers.day_first
    offset = evidence.offset + evidence.seconds + evidence.milliseconds
    if offset and local and zone is None and draft.kind != "date":
        draft.ask("ask_timezone", offset=offset, local=local)
        return
    swapped = evidence.swapped and file.answers.swapped_dates
    if swapped is None:
        draft.ask("ask_swapped_dates", count=evidence.iso_low)
        return
    known = None if answer is None else "day" if answer else "month"
    first = _choice(draft, file, _FIRST, known)
    if first is None:
        return
    if swapped:
        draft.tell("decided_swapped", count=evidence.iso_low)
    draft.tell_counts("short", *NUMBERED)
    order = dates.Order(first == "day", swapped)
    if draft.kind == "date" or (draft.wanted.kind is None and not (local or offset)):
        draft.value = dates.day(order)
        return
    draft.tell_counts("offset")
    if local:
        draft.tell_zone(zone, local)
        draft.local = dates.moment(order, None) if zone else ""
    draft.value, draft.quick = dates.moment(order, zone), dates.quick(order, zone)


def refusal(draft: Draft, lost: int, *, strict: bool) -> str | None:
    """Return the message that refuses a column that loses so many of its given cells, or None."""
    wanted, given = draft.wanted, draft.evidence.given if draft.evidence else 0
    if wanted.column.required and lost * _MOST_LOST > given:
        return "tables.lost_required"
    if strict:
        return "tables.bad_times" if draft.kind in TIMED else "tables.bad_cells"
    if wanted.kind not in (None, *WRITTEN) and lost == given >= _FEWEST_LOST:
        return "tables.lost_column"
    return None


def tell_clock_changes(table: Table, drafts: Sequence[Draft], file: File) -> None:
    """Tell the local times that a change of the clocks leaves out, or gives twice."""
    zone = file.answers.timezone or ""
    for draft in drafts:
        source, which = table.relation, "true"
        if draft.bare:
            cells = f"(SELECT {numbers.plain(draft.text)} AS cell FROM {source})"
            source, which = f"(SELECT cell, {draft.bare} AS bare FROM {cells})", dates.is_local()
        counts = table.aggregates(
            [f"count(*) FILTER ({trouble})" for trouble in dates.zone_troubles("local", zone)],
            f"(SELECT {draft.local} AS local FROM {source} WHERE {which})",
        )
        for key, count in zip(("decided_gap", "decided_fold"), counts, strict=True):
            if count:
                draft.tell(key, assumed=True, zone=zone, count=count)
