"""From exports to messages: one form for all tools, redacted before anything else is done."""

from __future__ import annotations

import datetime
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from opslab.errors import DataError, SpecError
from opslab.feedback.customer_message import CustomerMessage, Intake
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
_BLOCK = 10_000  # rows of a table that become messages at a time


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
    readings = list[Reading]()
    if isinstance(data, Sequence) and not isinstance(data, str):
        texts: Iterator[str] = ("" if pd.isna(each) else str(each) for each in data)
        rows = (
            _Row(_message("texts", str(number), number, text))
            for number, text in enumerate(texts, 1)
        )
        return _intake(study, rows, readings)
    return _intake(study, _read(study, data, answers, readings), readings)


def _read(
    study: Study, data: Any, answers: Answers | None, readings: list[Reading]
) -> Iterator[_Row]:
    """Yield the rows of each source, and note its reading."""
    for source in (
        study.sources if data is None else (Source(**{"path": "", **dict(answers or {})}),)
    ):
        export = study.beside(source.path) if data is None else data
        with open_export(export, answers=source) as table:
            readings.append(table.reading)
            yield from rows_of(source, table, secret_for(study.files()))


def _intake(study: Study, rows: Iterable[_Row], readings: Sequence[Reading]) -> Intake:
    """Return the messages with words, in the study's days, each id once, and count the others."""
    came, counts, places = list[_Row](), Counter[str](), list[tuple[str, int]]()
    known, ids, gone = set[bytes](), set[bytes](), erased()
    secret = secret_for(study.files()) if gone else ""
    for row in rows:
        message, day = row.message, row.message.date
        places.append((message.source, message.row))
        identity = f"{message.source}\0{message.id}"
        whole = _hash(f"{identity}\0{message.text}")[:15]
        if gone and tombstone(secret, message.customer or "") in gone:
            counts["erased"] += 1
        elif day and not (study.start or day) <= day <= (study.end or day):
            counts["outside"] += 1
        elif not message.text.strip():
            counts["empty"] += 1
        elif whole in known:
            counts["repeated"] += 1
        else:
            came.append(row)
            known.add(whole)
            ids.add(_hash(identity)[:15])
    counts["shared"] = len(came) - len(ids)
    known.clear()
    ids.clear()
    taken = _Taken(study, came)
    counts["cut"] = taken.cut
    return Intake(
        tuple(taken.messages),
        tuple(readings),
        tuple(dict.fromkeys(places)),
        taken.redacted,
        frozenset(taken.persons),
        tuple(sorted(taken.furniture)),
        **counts,
    )


class _Taken:
    """What rows become: messages, redacted, in their order, and what was found on the way.

    Rows and letters are let go one by one.
    """

    def __init__(self, study: Study, came: list[_Row]) -> None:
        self.messages, self.furniture = list[CustomerMessage](), list[tuple[str, str, str]]()
        self.redacted, self.persons, self.cut = Counter[str](), set[str](), 0
        letters, common = _opened(came)
        signed = Counter(name for letter in letters for name in set(letter.names))
        same = _Same()
        came.reverse()
        for letter in _drained(letters):
            row = came.pop()
            writers = [*row.names, *letter.names]
            mail = dict(letter.cut).keys() - _IN_ANY_TEXT
            sure = [*row.names, *(name for name in letter.names if mail or signed[name] > 1)]
            self.persons |= {part.casefold() for name in sure for part in name.split()} - common
            hidden = partial(
                redact, patterns=study.redact.patterns, regions=study.redact.regions, names=writers
            )
            self.cut += len(letter.text) > LONGEST
            text = self._hidden(hidden, letter.text)
            message = _redacted(row.message, text, hidden, study.languages, same)
            self.messages.append(message)
            for kind, part in letter.cut:
                self.furniture.append((message.uid, kind, self._hidden(hidden, part)))
        self.messages.sort(key=lambda each: (_hash(each.words.casefold()), each.uid))

    def _hidden(self, hidden: Callable[..., tuple[str, Any]], text: str) -> str:
        """Return a text without personal data, which is counted."""
        redacted, kinds = hidden(text[:LONGEST])
        self.redacted += kinds
        return redacted


class _Same(dict[Any, Any]):
    """What was met before, in place of what is equal to it: many messages share one."""

    def __call__(self, value: Any) -> Any:
        return self.setdefault(value, value)


def _drained(items: list[Any]) -> Iterator[Any]:
    """Yield items from the first to the last, and let go of each."""
    items.reverse()
    while items:
        yield items.pop()


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
    message: CustomerMessage,
    text: str,
    hidden: Callable[..., tuple[str, Any]],
    languages: Sequence[str],
    traits: dict[Any, Mapping[str, str]],
) -> CustomerMessage:
    """Return a message with its redacted text; its id where it is an address, and its traits."""
    text = message.text if text == message.text else text
    words = without_tokens(text)
    words = text if words == text else words
    (language,) = identify([words], languages, [message.language])
    own = {
        name: value if name == "version" and "@" not in value else hidden(value)[0]
        for name, value in message.traits.items()
    }
    return replace(
        message,
        uid=_digest(f"{message.source}\0{message.id}\0{text}")[:12],
        id=hidden(message.id)[0] if "@" in message.id else message.id,
        text=text,
        words=words,
        language=language,
        traits=traits.setdefault(tuple(own.items()), own),
    )


def _opened(rows: Sequence[_Row]) -> tuple[list[Letter], frozenset[str]]:
    """Return the letter of each row, without what repeats itself over a source, and usual words."""
    opened_letters, sources = list[Letter](), 0
    for _, group in groupby(rows, lambda row: row.message.source):
        source = list(group)
        common = usual([row.message.text for row in source])
        letters = [opened(row.message.text, common) for row in source]
        customers = [row.message.customer for row in source]
        opened_letters += without_repeated(letters, customers)
        sources += 1
    return opened_letters, common if sources == 1 else usual([row.message.text for row in rows])


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
    writers, same = _writers(reading, frame), _Same()
    for number, row in enumerate(_cells_of(frame), 1):
        fields = {
            field: same(converters.get(field, float)(row[name]))
            for field, name in columns.items()
            if row[name] is not None
        }
        own = {
            trait: str(row[name])[:60] for trait, name in traits.items() if row[name] is not None
        }
        fields["traits"] = same.setdefault(("traits", *own.items()), own)
        identity = fields.pop("id", f"row {number}")
        names = tuple(str(row[name]) for name in writers if row[name] is not None)
        for suffix, part in parts.items():
            pieces = [str(row[name]) for name in part if row[name] is not None]
            ended = [piece + "." * piece[-1:].isalnum() for piece in pieces[:-1]]  # a title ends
            text = "\n".join([*ended, *pieces[-1:]])
            yield _Row(_message(label, identity + suffix, number, text, **fields), names)


def _writers(reading: Reading, frame: pd.DataFrame) -> list[str]:
    """Return the columns that name who wrote."""
    profile = known_profiles().get(reading.profile or "")
    declared = profile.columns.items() if profile else ()
    return [name for name, column in declared if column.personal == "name" and name in frame]


def _handled(source: Source, table: Table, frame: pd.DataFrame) -> Any:
    """Return handling times in minutes; no column is taken for them of which no unit is stated."""
    timed = source.handling
    if timed is None:
        return float("nan")
    (column,) = _columns(table, [timed.column], "feedback.no_handling")
    return minutes_of(frame[column], timed.unit, table.reading.name)


def _cells_of(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield the rows of a large table, some of them laid out at a time."""
    for start in range(0, len(frame), _BLOCK):
        yield from cells(frame[start : start + _BLOCK])


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
    return _hash(text).hex()


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()
