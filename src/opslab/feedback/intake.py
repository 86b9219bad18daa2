"""From exports to messages: one form for all tools, redacted before anything else is done."""

from __future__ import annotations

import datetime
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from opslab.errors import DataError, SpecError
from opslab.feedback.handling import minutes_of
from opslab.feedback.languages import identify
from opslab.feedback.letters import Letter, opened, usual, without_repeated
from opslab.feedback.redaction import redact, without_tokens
from opslab.feedback.severity import discontent_of
from opslab.feedback.spec import Source, Study
from opslab.feedback.words import table as word_table
from opslab.secret import erased, key, secret_for, tombstone
from opslab.tables import Answers, Reading, open_export
from opslab.tables.profiles import TEXTS, known_profiles
from opslab.tables.sentences import OPINIONS, proposal
from opslab.tables.source import ROW, Table

LONGEST = 4000
"""Characters of a text that are read; the rest is left out, and counted."""

_NAMES = {  # names that profiles give, the first that is there
    "id": "id key",
    "date": "created_at started_at date",
    "language": "language",
    "customer": "customer_id requester_id email requester_email customer organization author",
    "revenue": "annual_revenue monthly_revenue revenue",
    "rating": "rating",
    "score": "score",
    "discontent": "discontent",
    "handling": "handling",
}
CUSTOMERS = _NAMES["customer"].split()
"""Columns that tell customers apart, the first that is there."""
_IN_ANY_TEXT = {"greeting", "closing", "repeated"}  # kinds of what is cut, and shows no mail
_TRAITS = ("segment", "plan", "version", "country", "channel")


@dataclass(frozen=True)
class CustomerMessage:
    """What a customer wrote, redacted.

    Attributes
    ----------
    uid : str
        Stable: the same message has the same in the next run; from its source, its id there and
        its text.
    row : int
        Its number among the data rows of its source, from 1.
    text : str
        With tokens for personal data.
    words : str
        What an encoder reads of it.
    customer : str or None
        A key that tells customers apart, and names none.
    traits : mapping of str to str
        For whom: segment, plan, version, country, channel, and the columns that the study names.
    discontent : float or None
        From 0, content, to 1, the worst that the scale of its stars or score has.
    handling : float or None
        Minutes that people worked on it.
    """

    uid: str
    source: str
    id: str
    row: int
    text: str
    words: str = ""
    language: str | None = None
    date: datetime.date | None = None
    customer: str | None = None
    revenue: float | None = None
    traits: Mapping[str, str] = field(default_factory=dict)
    rating: float | None = None
    score: float | None = None
    discontent: float | None = None
    handling: float | None = None


@dataclass(frozen=True)
class Intake:
    """The messages in their canonical order, and what was left out or taken out on the way.

    Attributes
    ----------
    messages : tuple of CustomerMessage
        By the hash of their words, then by uid: no order of rows or files plays a part.
    readings : tuple of Reading
    rows : tuple of (str, int)
        Source and row number of everything that came in, in the order of the input.
    redacted : Counter
        By kind of personal data.
    persons : frozenset of str
        Words in lower case that name writers and who they write to: kept out of what names themes.
    furniture : tuple of (str, str, str)
        What was cut around the messages: uid, kind as in `opslab.feedback.letters`, and text,
        redacted.
    empty, outside, cut, repeated, shared, erased : int
        Rows without text, rows outside the study's days, texts cut at `LONGEST`, rows whose id and
        text came before, messages that share their id with another one, and rows of customers who
        were erased.
    """

    messages: tuple[CustomerMessage, ...]
    readings: tuple[Reading, ...]
    rows: tuple[tuple[str, int], ...]
    redacted: Counter[str]
    persons: frozenset[str] = frozenset()
    furniture: tuple[tuple[str, str, str], ...] = ()
    empty: int = 0
    outside: int = 0
    cut: int = 0
    repeated: int = 0
    shared: int = 0
    erased: int = 0


class _Row(NamedTuple):
    """A row that came in: its message as it was written, and the names of its writer."""

    message: CustomerMessage
    names: Sequence[str] = ()


def take_in(study: Study, data: Any = None, answers: Answers | None = None) -> Intake:
    """Read the study's sources, or what is given instead: texts, a table, the path of an export.

    Raises
    ------
    SpecError
        When neither data nor sources are given.
    DataError
        When a source is not there, or no column is known to hold the messages: the one that seems
        to is proposed.
    """
    if data is None and (lacking := study.lacking()):
        raise (DataError if study.sources else SpecError)(*lacking)
    rows, readings = list[_Row](), list[Reading]()
    if isinstance(data, Sequence) and not isinstance(data, str):
        rows = [
            _Row(_message("texts", str(number), number, "" if pd.isna(text) else str(text)))
            for number, text in enumerate(data, 1)
        ]
    else:
        for source in (
            study.sources if data is None else (Source(**{"path": "", **dict(answers or {})}),)
        ):
            export = study.beside(source.path) if data is None else data
            with open_export(export, answers=source) as table:
                readings.append(table.reading)
                rows += rows_of(source, table, secret_for(study.files()))
    return _intake(study, rows, readings)


def _intake(study: Study, rows: Sequence[_Row], readings: Sequence[Reading]) -> Intake:
    """Return the messages with words, in the study's days, each id once, and count the others."""
    came, counts = _counted(study, rows)
    redacted = Counter[str]()
    kept, furniture, persons = [], [], set[str]()
    letters = list(_opened(came.values()))
    signed = Counter(name for _, letter in letters for name in set(letter.names))
    for row, letter in letters:
        writers = [*row.names, *letter.names]
        mail = dict(letter.cut).keys() - _IN_ANY_TEXT
        sure = [*row.names, *(name for name in letter.names if mail or signed[name] > 1)]
        persons |= {part.casefold() for name in sure for part in name.split()}
        hidden = partial(
            redact, patterns=study.redact.patterns, regions=study.redact.regions, names=writers
        )
        counts["cut"] += len(letter.text) > LONGEST
        text, kinds = hidden(letter.text[:LONGEST])
        redacted += kinds
        kept.append(_redacted(row.message, text, hidden))
        for kind, part in letter.cut:
            text, kinds = hidden(part[:LONGEST])
            redacted += kinds
            furniture.append((kept[-1].uid, kind, text))
    messages = sorted(kept, key=lambda each: (_digest(each.words.casefold()), each.uid))
    stated = [each.language for each in messages]
    spoken = identify([each.words for each in messages], study.languages, stated)
    return Intake(
        tuple(
            replace(message, language=language)
            for message, language in zip(messages, spoken, strict=True)
        ),
        tuple(readings),
        tuple(dict.fromkeys((message.source, message.row) for message, _ in rows)),
        redacted,
        frozenset(persons - usual([row.message.text for row in came.values()])),
        tuple(sorted(furniture)),
        **counts,
    )


def _counted(
    study: Study, rows: Sequence[_Row]
) -> tuple[dict[tuple[str, str, str], _Row], Counter[str]]:
    """Return what is looked at, by source, id and text, and how many others were left out."""
    came = dict[tuple[str, str, str], _Row]()
    counts = Counter[str]()
    gone = erased()
    secret = secret_for(study.files()) if gone else ""
    for row in rows:
        message, day = row.message, row.message.date
        if gone and tombstone(secret, message.customer or "") in gone:
            counts["erased"] += 1
        elif day and not (study.start or day) <= day <= (study.end or day):
            counts["outside"] += 1
        elif not message.text.strip():
            counts["empty"] += 1
        elif (message.source, message.id, message.text) in came:
            counts["repeated"] += 1
        else:
            came[message.source, message.id, message.text] = row
    counts["shared"] = len(came) - len({name[:2] for name in came})
    return came, counts


def customer_key(secret: str, source: str, name: str) -> str | None:
    """Return the key of a customer: of an address everywhere the same; none of who is unnamed.

    Parameters
    ----------
    secret : str
    source : str
        What readers call it.
    name : str
        Without blanks around it, in lower case.
    """
    if re.fullmatch(word_table("nobody.toml")["names"], name):
        return None
    return key(secret, name if "@" in name else f"{source}\0{name}")


def _redacted(
    message: CustomerMessage, text: str, hidden: Callable[..., tuple[str, Any]]
) -> CustomerMessage:
    """Return a message with its redacted text; its id where it is an address, and its traits."""
    return replace(
        message,
        uid=_digest(f"{message.source}\0{message.id}\0{text}")[:12],
        id=hidden(message.id)[0] if "@" in message.id else message.id,
        text=text,
        words=without_tokens(text),
        traits={
            name: value if name == "version" and "@" not in value else hidden(value)[0]
            for name, value in message.traits.items()
        },
    )


def _opened(rows: Iterable[_Row]) -> Iterator[tuple[_Row, Letter]]:
    """Yield each row with its letter, without what repeats itself over a source."""
    for _, group in groupby(rows, lambda row: row.message.source):
        source = list(group)
        common = usual([row.message.text for row in source])
        letters = [opened(row.message.text, common) for row in source]
        customers = [row.message.customer for row in source]
        yield from zip(source, without_repeated(letters, customers), strict=True)


def cells(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table by column, empty cells as None."""
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return [{str(name): cell for name, cell in row.items()} for row in rows]


def rows_of(source: Source, table: Table, secret: str) -> Iterator[_Row]:
    """Yield the messages of an export, as they were written.

    Parameters
    ----------
    source : Source
    table : Table
    secret : str
        That customers' keys are made with.

    Raises
    ------
    DataError
        Where no column is known to hold messages.
    """
    frame, reading = table.frame(), table.reading
    texts = [name for name in TEXTS[2:][: len(source.text)] or TEXTS if name in frame]
    parts = {"": texts} if texts else {f" {name}": [name] for name in OPINIONS if name in frame}
    if not parts:
        raise DataError.of(
            "feedback.no_text", file=reading.name, columns=list(frame)[:12], **proposal(table)
        )
    traits = _traits(source, table)
    if "survey_type" in frame and "score" not in frame:  # no stars, whatever they are called
        frame = frame.rename(columns={"rating": "score"})
    (frame.index,) = table.aggregates([f"list({ROW} ORDER BY {ROW})"])
    frame["discontent"] = discontent_of(frame, reading.name, source.score)
    frame["handling"] = _handled(source, table, frame)
    label = source.source or Path(reading.name).stem
    label = redact(label)[0] if "@" in label else label
    converters: Mapping[str, Callable[[Any], Any]] = {
        "id": str,
        "date": lambda day: day.date() if isinstance(day, datetime.datetime) else None,
        "language": str,
        "customer": lambda name: customer_key(secret, label, str(name).strip().casefold()),
    }
    columns = {
        field: name
        for field, names in _NAMES.items()
        for name in reversed(names.split())
        if name in frame and (field in converters or frame[name].dtype.kind in "fi")
    }
    if "monthly_revenue" in frame:
        frame["monthly_revenue"] *= 12
    profile = known_profiles().get(reading.profile or "")
    declared = profile.columns.items() if profile else ()
    writers = [name for name, column in declared if column.personal == "name" and name in frame]
    for number, row in enumerate(cells(frame), 1):
        fields = {
            field: converters.get(field, float)(row[name])
            for field, name in columns.items()
            if row[name] is not None
        }
        fields["traits"] = {
            trait: str(row[name])[:60] for trait, name in traits.items() if row[name] is not None
        }
        identity = fields.pop("id", f"row {number}")
        names = [str(row[name]) for name in writers if row[name] is not None]
        for suffix, part in parts.items():
            pieces = [str(row[name]) for name in part if row[name] is not None]
            ended = [piece + "." * piece[-1:].isalnum() for piece in pieces[:-1]]  # a title ends
            text = "\n".join([*ended, *pieces[-1:]])
            yield _Row(_message(label, identity + suffix, number, text, **fields), names)


def _handled(source: Source, table: Table, frame: pd.DataFrame) -> Any:
    """Return handling times in minutes; no column is taken for them of which no unit is stated."""
    timed = source.handling
    if timed is None:
        return float("nan")
    (column,) = _columns(table, [timed.column], "feedback.no_handling")
    return minutes_of(frame[column], timed.unit, table.reading.name)


def _traits(source: Source, table: Table) -> dict[str, str]:
    """Return the columns by which customers are told apart, by what they are called."""
    own = _columns(table, source.segments, "feedback.no_segment")
    traits = dict(zip(source.segments, own, strict=True))
    return traits | {name: name for name in _TRAITS if name in {*table.types} - {*own}}


def _columns(table: Table, names: Sequence[str], refusal: str) -> list[str]:
    """Return the columns with these headings; refuse what is none."""
    columns = tuple(table.types)
    named = dict(zip((*(table.headings or columns), *columns), columns * 2, strict=True))
    if lacking := [name for name in names if name not in named]:
        raise DataError.of(refusal, file=table.reading.name, names=lacking)
    return [named[name] for name in names]


def _message(source: str, identity: str, number: int, text: str, **more: Any) -> CustomerMessage:
    return CustomerMessage("", source, identity[:80], number, text, **more)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
