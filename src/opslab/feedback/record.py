"""The record of a study: what ``result.json`` holds, the tables beside it, and the evidence in it."""

from __future__ import annotations

import datetime
import hashlib
import tempfile
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import pandas as pd

from opslab import workspace
from opslab.evidence import Evidence, Quantity, SourceFile
from opslab.feedback.audit import drawn
from opslab.feedback.intake import Message
from opslab.feedback.result import FeedbackResult, Reason
from opslab.tables import write_csv, write_xlsx

SCHEMA = "opslab.feedback/1"
_MOST_IN_WORKBOOK, _MOST_RECORDED = (
    20_000,
    300,
)  # messages, themes; more stand in the CSV files alone


def record(result: FeedbackResult) -> dict[str, Any]:
    """Return the result as JSON takes it: no prose of ours, missing numbers null."""
    intake, study = result.intake, result.study
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files(result).items()}
    return {
        "schema": SCHEMA,
        "as_of": _day(result.as_of),
        "inputs": inputs(result),
        "status": "check_failed" if result.broken else "complete",
        "plan": study.model_dump(mode="json", exclude={"sources", "audit"}) | {"slug": study.slug},
        "method": asdict(result.method),
        "messages": {
            name: getattr(intake, name) for name in ("empty", "outside", "repeated", "cut")
        }
        | {"rows": len(intake.rows), "used": len(intake.messages), "sorted": result.sorted}
        | {"copies": copies(result), "unsorted": unsorted(result), "languages": languages(result)},
        "redacted": dict(sorted(intake.redacted.items())),
        "themes": [
            asdict(one) | {"quotes": [_quote(intake.messages[at]) for at in one.quotes]}
            for one in result.themes[:_MOST_RECORDED]
        ],
        "groups": [asdict(group) for group in result.groups],
        "checks": [
            {"name": one.name, "status": one.status, "value": one.value, "blocking": one.blocking}
            | {"detail": {"key": one.key, "values": dict(one.values)}}
            for one in result.checks
        ],
        "audit": asdict(result.audit) if result.audit else None,
        "imports": [reading.record() for reading in intake.readings],
        "files": [{"file": name, "sha256": sha256} for name, sha256 in hashes.items()],
        "evidence": [one.record() for one in evidence(result)],
    }


def inputs(result: FeedbackResult) -> list[dict[str, str]]:
    """Return the files behind the result with the SHA-256 of their bytes: the study, sources, audit."""
    study = result.study
    paths = [study.file, study.beside(study.audit) if study.audit else None]
    named = [(workspace.shown(path), workspace.sha256(path)) for path in paths if path]
    named[1:1] = [(one.name, one.sha256) for one in result.intake.readings if one.sha256]
    return [{"file": file, "sha256": sha256} for file, sha256 in named]


def unsorted(result: FeedbackResult) -> dict[str, int]:
    """Return how many messages are in no theme, by the reason."""
    counts = Counter(place.reason for place in result.places if place.reason)
    return {reason: counts[reason] for reason in get_args(Reason) if counts[reason]}


def languages(result: FeedbackResult) -> dict[str, int]:
    """Return how many messages are in each language, the most spoken first."""
    return dict(
        Counter(message.language or "?" for message in result.intake.messages).most_common()
    )


def copies(result: FeedbackResult) -> int:
    """Return how many messages repeat another one."""
    return sum(place.copy_of is not None for place in result.places)


def tables(result: FeedbackResult) -> dict[str, pd.DataFrame]:
    """Return the themes, every message with its theme, redacted, and a random sample of them to judge."""
    titles = {theme.id: theme.title for theme in result.themes}
    members = {theme: group.title for group in result.groups for theme in group.themes}
    messages = result.intake.messages
    themes = [
        {"theme": one.id, "name": one.title, "group": members[one.id], "messages": one.messages}
        | {"share": one.share, "share_low": one.interval[0], "share_high": one.interval[1]}
        | {"customers": one.customers, "rating": one.rating, "stability": one.stability}
        | {"phrases": "; ".join(phrase for part in one.phrases for phrase in part.phrases)}
        | {"quote": messages[one.quotes[0]].text}
        for one in result.themes
    ]
    pairs = list(zip(messages, result.places, strict=True))
    told = [
        asdict(message)
        | asdict(place)
        | {"name": titles.get(place.theme or ""), "group": members.get(place.theme or "")}
        for message, place in sorted(pairs, key=lambda pair: (pair[0].source, pair[0].row))
    ]
    inside = [(message, titles[place.theme]) for message, place in pairs if place.theme]
    order = drawn([message.uid for message, _ in inside], result.method.seed)
    sheet = [(inside[at][0].uid, inside[at][0].text, inside[at][1], None) for at in order]
    first = ["uid", "source", "id", "row", "date", "language", "theme", "name", "group", "text"]
    frame = pd.DataFrame(told) if told else pd.DataFrame(columns=first)
    frame = frame[[*first, *(name for name in frame.columns if name not in (*first, "words"))]]
    return {
        "themes": pd.DataFrame(themes or {"theme": [], "name": [], "messages": []}),
        "messages": frame.rename(columns={"uid": "message"}),
        "audit": pd.DataFrame(sheet, columns=["message", "text", "theme", "right"]),
    }


def files(result: FeedbackResult) -> dict[str, bytes]:
    """Return the tables by file name: CSV, and a workbook of them all."""
    made, found = {}, tables(result)
    with tempfile.TemporaryDirectory() as folder:
        for name, table in found.items():
            made[f"{name}.csv"] = write_csv(table, Path(folder) / f"{name}.csv").read_bytes()
        sheets = {name: table for name, table in found.items() if len(table) <= _MOST_IN_WORKBOOK}
        made["themes.xlsx"] = write_xlsx(sheets, Path(folder) / "themes.xlsx").read_bytes()
    return made


def evidence(result: FeedbackResult) -> list[Evidence]:
    """Return each theme's share of the messages: descriptive, of the grade of a survey."""
    total, study = len(result.intake.messages), result.study
    sources = tuple(SourceFile(one.name, one.sha256, one.rows) for one in result.intake.readings)
    return [
        Evidence(
            id=f"{study.slug}/{one.id}",
            kind="descriptive",
            statement=(
                "feedback.evidence",
                {"theme": one.title, "messages": one.messages, "total": total},
            ),
            quantity=Quantity(
                "beta",
                {"a": one.messages + 0.5, "b": total - one.messages + 0.5},
                one.share,
                *one.interval,
                0.95,
            ),
            unit="share",
            per="once",
            period=(study.start, study.end),
            population="message",
            claim=f"theme:{one.title}",
            benefit="quality",
            grade="E",
            sources=sources,
            date=result.as_of,
            owner=study.owner,
        )
        for one in result.themes[:20]
        if not result.broken
    ]


def _quote(message: Message) -> dict[str, Any]:
    told = {name: getattr(message, name) for name in ("uid", "source", "id", "language")}
    return told | {"date": _day(message.date), "text": message.text[:400]}


def _day(value: datetime.date | None) -> str | None:
    return value.isoformat() if value else None
