"""From exports to messages: one form for all tools, redacted before anything else is done."""

from __future__ import annotations

import datetime
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, groupby
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
from opslab.names import folded
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
_SHORT = 30  # characters below which a text may be no answer
_NO_ANSWER = re.compile(
    r"[\s!-/:-@[-`{-~\u2026\u2013\u2014]*|n ?a|none|nil|null|nan|r ?a ?s|neant|"
    r"no (comments?|answer|opinion)|nothing( to (say|add|report))?|"
    r"rien( a (signaler|dire|ajouter))?|aucune?( commentaires?)?|"
    r"sans (objet|commentaires?|reponse|opinion)"
)
_BLOCK = 10_000  # rows of a table that become messages at a time


class _Row(NamedTuple):
    """A row that came in: its message as it was written, and the names of its writer."""

    message: CustomerMessage
    names: Sequence[str] = ()


def take_in(study: Study, data: Any = None, answers: Answers | None = None) -> Intake:
    """Read the study's sources, or what is given instead: texts, a table, the path of an export.

    Messages without words or an answer ("n/a", "rien à signaler"), or outside the study's days,
    are counted and left out, and so is what came before.

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
    came, counts, places = list[_Row](), Counter[str](), list[tuple[str, int]]()
    known, gone = set[bytes](), erased()
    secret = secret_for(study.files()) if gone else ""
    for row in _read(study, data, answers, readings):
        message, day = row.message, row.message.date
        places.append((message.source, message.row))
        identity = f"{message.source}\0{message.id}"
        own, whole = (_hash(text)[:15] for text in (identity, f"{identity}\0{message.text}"))
        if gone and tombstone(secret, message.customer or "") in gone:
            counts["erased"] += 1
        elif day and not (study.start or day) <= day <= (study.end or day):
            counts["outside"] += 1
        elif len(text := message.text.strip()) < _SHORT and _NO_ANSWER.fullmatch(folded(text)):
            counts["empty"] += 1
        elif whole in known:
            counts["repeated"] += 1
        else:
            came.append(row)
            counts["shared"] += own in known
            known |= {own, whole}
    known.clear()
    rows = tuple(dict.fromkeys(places))
    return _taken(study, came, readings=tuple(readings), rows=rows, **counts)


def _read(
    study: Study, data: Any, answers: Answers | None, readings: list[Reading]
) -> Iterator[_Row]:
    """Yield the rows of each source, and note its reading."""
    if isinstance(data, Sequence) and not isinstance(data, str):
        for number, each in enumerate(data, 1):
            text = "" if pd.isna(each) else str(each)
            yield _Row(CustomerMessage("", "texts", str(number), number, text))
        return
    for source in (
        study.sources if data is None else (Source(**{"path": "", **dict(answers or {})}),)
    ):
        export = study.beside(source.path) if data is None else data
        with open_export(export, answers=source) as table:
            readings.append(table.reading)
            yield from rows_of(source, table, secret_for(study.files()))


def _taken(study: Study, came: list[_Row], **known: Any) -> Intake:
    """Return what rows become, redacted and in their order; rows are let go one by one."""
    messages, furniture = list[CustomerMessage](), list[tuple[str, str, str]]()
    redacted, persons, cut, same = Counter[str](), set[str](), 0, dict[Any, Any]()
    letters, common = _opened(came)
    signed = Counter(name for letter in letters for name in set(letter.names))
    came.reverse()
    letters.reverse()
    while came:
        row, letter = came.pop(), letters.pop()
        writers = [*row.names, *letter.names]
        mail = dict(letter.cut).keys() - _IN_ANY_TEXT
        sure = [*row.names, *(name for name in letter.names if mail or signed[name] > 1)]
        persons |= {part.casefold() for name in sure for part in name.split()} - common
        hidden = partial(
            redact, patterns=study.redact.patterns, regions=study.redact.regions, names=writers
        )
        cut += len(letter.text) > LONGEST
        text, kinds = hidden(letter.text[:LONGEST])
        redacted += kinds
        message = _redacted(row.message, text, hidden, study.languages, same)
        messages.append(message)
        for kind, part in letter.cut:
            text, kinds = hidden(part[:LONGEST])
            redacted += kinds
            furniture.append((message.uid, kind, text))
    messages.sort(key=lambda each: (_hash(each.words.casefold()), each.uid))
    return Intake(
        messages=tuple(messages),
        redacted=redacted,
        persons=frozenset(persons),
        furniture=tuple(sorted(furniture)),
        cut=cut,
        **known,
    )


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
    words = without_tokens(text)
    words = text if words == text else words
    (language,) = identify([words], languages, [message.language])
    own = {
        name: value if name == "version" and "@" not in value else hidden(value)[0]
        for name, value in message.traits.items()
    }
    return replace(
        message,
        uid=_hash(f"{message.source}\0{message.id}\0{text}").hex()[:12],
        id=hidden(message.id)[0] if "@" in message.id else message.id,
        text=text,
        words=words,
        language=language,
        traits=traits.setdefault(tuple(own.items()), own),
    )


def _opened(rows: Sequence[_Row]) -> tuple[list[Letter], frozenset[str]]:
    """Return the letter of each row, without what repeats itself over a source, and usual words."""
    letters = list[Letter]()
    for _, group in groupby(rows, lambda row: row.message.source):
        source = list(group)
        common = usual([row.message.text for row in source])
        own = [opened(row.message.text, common) for row in source]
        letters += without_repeated(own, [row.message.customer for row in source])
    return letters, usual([row.message.text for row in rows])


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
    writers, same = _writers(reading, frame), dict[Any, Any]()
    laid_out = (cells(frame[at : at + _BLOCK]) for at in range(0, len(frame), _BLOCK))
    for number, row in enumerate(chain.from_iterable(laid_out), 1):
        fields = {
            field: same.setdefault(value := converters.get(field, float)(row[name]), value)
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
            message = CustomerMessage("", label, (identity + suffix)[:80], number, text, **fields)
            yield _Row(message, names)


def _writers(reading: Reading, frame: pd.DataFrame) -> list[str]:
    """Return the columns that name who wrote."""
    profile = known_profiles().get(reading.profile or "")
    declared = profile.columns.items() if profile else ()
    return [name for name, column in declared if column.personal == "name" and name in frame]


def _handled(source: Source, table: Table, frame: pd.DataFrame) -> Any:
    """Return handling times in minutes; no column is taken for them of which no unit is stated."""
    if source.handling is None:
        return float("nan")
    (column,) = _columns(table, [source.handling.column], "feedback.no_handling")
    return minutes_of(frame[column], source.handling.unit, table.reading.name)


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


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()
