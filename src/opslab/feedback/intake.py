"""From exports to messages: one form for all tools, redacted before anything else is done with them."""

from __future__ import annotations

import datetime
import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from opslab.errors import DataError
from opslab.feedback.languages import identify
from opslab.feedback.redaction import redact, without_tokens
from opslab.feedback.spec import Source, Study
from opslab.tables import Reading, read_export
from opslab.tables.profiles import known_profiles

LONGEST = 4000
"""Characters of a text that are read; the rest is left out, and counted."""

_NAMES: Mapping[str, tuple[str, ...]] = {  # names that profiles give, the first that is there
    "id": ("id", "key"),
    "date": ("created_at", "started_at", "date"),
    "language": ("language",),
    "customer": (
        "customer_id",
        "requester_id",
        "email",
        "requester_email",
        "customer",
        "organization",
        "author",
    ),
    "revenue": ("annual_revenue", "monthly_revenue", "revenue"),
    "segment": ("segment", "plan", "customer_segment"),
    "rating": ("rating",),
}
_TEXTS = ("title", "summary", "text", "description", "body", "comment")


@dataclass(frozen=True)
class Message:
    """One message, redacted.

    Attributes
    ----------
    uid : str
        Stable: the same message has the same in the next run; from its source and its id there.
    row : int
        Its number among the data rows of its source, from 1.
    text : str
        With tokens for personal data.
    words : str
        What an encoder reads of it.
    customer : str or None
        A hash that tells customers apart, and names none.
    """

    uid: str
    source: str
    id: str
    row: int
    text: str
    words: str
    language: str | None
    date: datetime.date | None = None
    customer: str | None = None
    revenue: float | None = None
    segment: str | None = None
    rating: float | None = None


@dataclass(frozen=True)
class Intake:
    """The messages in their canonical order, and what was left out or taken out on the way.

    Attributes
    ----------
    messages : tuple of Message
        By the hash of their words, then by uid: no order of rows or files plays a part.
    readings : tuple of Reading
    rows : tuple of (str, int)
        Source and row number of everything that came in, in the order of the input.
    redacted : Counter
        By kind of personal data.
    empty, outside, cut, repeated : int
        Rows without text, rows outside the study's days, texts cut at `LONGEST`, rows whose id came
        before.
    """

    messages: tuple[Message, ...]
    readings: tuple[Reading, ...]
    rows: tuple[tuple[str, int], ...]
    redacted: Counter[str]
    empty: int = 0
    outside: int = 0
    cut: int = 0
    repeated: int = 0


def take_in(study: Study, data: Any = None) -> Intake:
    """Read the study's sources, or the data given instead: texts, a table, or the path of an export.

    Raises
    ------
    DataError
        When a table has no column with words.
    """
    rows: list[dict[str, Any]] = []
    readings: list[Reading] = []
    if isinstance(data, Sequence) and not isinstance(data, str):
        rows = [_row(f"{place}", "texts", place, str(text)) for place, text in enumerate(data, 1)]
    else:
        for source in study.sources if data is None else (Source(path=""),):
            given = study.beside(source.path) if data is None else data
            frame, reading = read_export(given, answers=source)
            readings.append(reading)
            rows += _rows(source, frame, reading)
    redacted: Counter[str] = Counter()
    counts = Counter[str]()
    kept: dict[str, dict[str, Any]] = {}
    for row in rows:
        day = row["date"]
        if (study.start and day and day < study.start) or (study.end and day and day > study.end):
            counts["outside"] += 1
        elif not row["text"].strip():
            counts["empty"] += 1
        elif row["uid"] in kept:
            counts["repeated"] += 1
        else:
            counts["cut"] += len(row["text"]) > LONGEST
            names = row.pop("names")
            row["text"], found = redact(
                _clean(row["text"][:LONGEST]),
                patterns=study.redact.patterns,
                regions=study.redact.regions,
                names=names,
            )
            redacted += found
            row["words"] = without_tokens(row["text"])
            kept[row["uid"]] = row
    ordered = sorted(kept.values(), key=lambda row: (_digest(row["words"].casefold()), row["uid"]))
    spoken = identify(
        [row["words"] for row in ordered], study.languages, [row["language"] for row in ordered]
    )
    messages = (
        Message(**row | {"language": name}) for row, name in zip(ordered, spoken, strict=True)
    )
    came = tuple((row["source"], row["row"]) for row in rows)
    return Intake(tuple(messages), tuple(readings), came, redacted, **counts)


def _rows(source: Source, frame: pd.DataFrame, reading: Reading) -> list[dict[str, Any]]:
    """Return the rows of an export as parts of messages; raise where no column holds words."""
    texts = [name for name in _TEXTS if name in frame]
    if not texts:
        raise DataError.of("feedback.no_text", file=reading.name, columns=list(frame.columns)[:12])
    columns = {
        part: next((name for name in names if name in frame), None)
        for part, names in _NAMES.items()
    }
    personal = [
        name for name in reading.personal if _kind(reading, name) == "name" and name in frame
    ]
    label = source.source or Path(reading.name).stem
    yearly = 12 if columns["revenue"] == "monthly_revenue" else 1
    made = []
    for number, cells in enumerate(
        frame.astype(object).where(frame.notna(), None).to_dict("records"), 1
    ):
        one = {part: None if name is None else cells[name] for part, name in columns.items()}
        identity = f"row {number}" if one["id"] is None else str(one["id"])
        row = _row(
            identity,
            label,
            number,
            "\n".join(str(cells[name]) for name in texts if cells[name] is not None),
        )
        row["date"] = (
            one["date"].date() if isinstance(one["date"], datetime.datetime) else one["date"]
        )
        row["language"] = None if one["language"] is None else str(one["language"])
        row["customer"] = (
            None if one["customer"] is None else _digest(f"{label}\0{one['customer']}")[:12]
        )
        row["segment"] = None if one["segment"] is None else str(one["segment"])[:60]
        row["revenue"] = None if one["revenue"] is None else float(one["revenue"]) * yearly
        row["rating"] = None if one["rating"] is None else float(one["rating"])
        row["names"] = [str(cells[name]) for name in personal if cells[name] is not None]
        made.append(row)
    return made


def _row(identity: str, source: str, number: int, text: str) -> dict[str, Any]:
    uid = _digest(f"{source}\0{identity}")[:12]
    made: dict[str, Any] = {
        "uid": uid,
        "source": source,
        "id": identity[:80],
        "row": number,
        "text": text,
    }
    return made | {"language": None, "date": None, "names": []}


def _kind(reading: Reading, name: str) -> str | None:
    profile = known_profiles().get(reading.profile or "")
    column = profile.columns.get(name) if profile else None
    return column.personal if column else None


def _clean(text: str) -> str:
    """Return a text without what no reader sees, its lines joined."""
    return " ".join(
        re.sub(
            r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ud800-\udfff]",
            " ",
            text,
        ).split()
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
