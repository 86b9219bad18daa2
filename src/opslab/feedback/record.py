"""The record of a study: what ``result.json`` holds, the tables beside it, and the evidence in it."""

from __future__ import annotations

import datetime
import hashlib
import tempfile
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from opslab.evidence import Evidence, Quantity, SourceFile
from opslab.feedback.audit import drawn
from opslab.feedback.result import REASONS, FeedbackResult, Theme
from opslab.tables import write_csv, write_xlsx

SCHEMA = "opslab.feedback/1"
_MOST_IN_WORKBOOK = 20_000  # messages; more stand in the CSV file alone
_MOST_RECORDED = 300  # themes told one by one in the record; more stand in the CSV file alone
_MESSAGE_COLUMNS = (
    "message", "source", "id", "row", "date", "language", "customer", "segment", "revenue", "rating",
    "theme", "name", "group", "nearest", "second", "confidence", "reason", "copy_of", "text",
)  # fmt: skip


def record(result: FeedbackResult) -> dict[str, Any]:
    """Return the result as JSON takes it: no prose of ours, missing numbers null."""
    intake = result.intake
    return {
        "schema": SCHEMA,
        "as_of": _day(result.as_of),
        "inputs": inputs(result),
        "status": "check_failed" if result.broken else "complete",
        "plan": {
            name: _day(value) if isinstance(value, datetime.date) else value
            for name, value in asdict(result.plan).items()
        },
        "messages": {
            "rows": len(intake.rows),
            "used": len(intake.messages),
            "sorted": result.sorted,
            "unsorted": unsorted(result),
            "copies": sum(place.copy_of is not None for place in result.places),
            "empty": intake.empty,
            "outside_days": intake.outside,
            "repeated_ids": intake.repeated,
            "cut": intake.cut,
        },
        "languages": languages(result),
        "redacted": dict(sorted(intake.redacted.items())),
        "themes": [_theme(result, one) for one in result.themes[:_MOST_RECORDED]],
        "groups": [asdict(group) for group in result.groups],
        "checks": [
            {
                "name": one.name,
                "status": one.status,
                "value": one.value,
                "blocking": one.blocking,
                "detail": {"key": one.detail[0], "values": dict(one.detail[1])},
            }
            for one in result.checks
        ],
        "audit": asdict(result.audit) if result.audit else None,
        "imports": [reading.record() for reading in intake.readings],
        "files": [
            {"file": name, "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in files(result).items()
        ],
        "evidence": [one.record() for one in evidence(result)],
    }


def inputs(result: FeedbackResult) -> list[dict[str, str]]:
    """Return the files behind the result with the SHA-256 of their bytes: the study, its sources, the audit."""
    plan = result.plan
    named = [
        (plan.spec, plan.spec_sha256),
        *((reading.name, reading.sha256) for reading in result.intake.readings),
        (plan.audit, plan.audit_sha256),
    ]
    return [{"file": file, "sha256": sha256} for file, sha256 in named if file and sha256]


def unsorted(result: FeedbackResult) -> dict[str, int]:
    """Return how many messages are in no theme, by the reason."""
    counts = Counter(place.reason for place in result.places if place.reason)
    return {reason: counts[reason] for reason in REASONS if counts[reason]}


def languages(result: FeedbackResult) -> dict[str, int]:
    """Return how many messages are in each language, the most spoken first."""
    counts = Counter(message.language or "?" for message in result.intake.messages)
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _theme(result: FeedbackResult, one: Theme) -> dict[str, Any]:
    quotes = [(quote, result.intake.messages[quote.place]) for quote in one.quotes]
    return asdict(one) | {
        "first": _day(one.first),
        "last": _day(one.last),
        "quotes": [
            {
                "message": message.uid,
                "source": message.source,
                "id": message.id,
                "date": _day(message.date),
                "language": message.language,
                "text": message.text[:400],
                "medoid": quote.medoid,
            }
            for quote, message in quotes
        ],
    }


def themes_frame(result: FeedbackResult) -> pd.DataFrame:
    """Return a row for each theme."""
    groups = {group.id: group.title for group in result.groups}
    rows = [
        {
            "theme": one.id,
            "name": one.title,
            "group": groups[one.group],
            "messages": one.messages,
            "share": one.share,
            "share_low": one.share_interval[0],
            "share_high": one.share_interval[1],
            "customers": one.customers,
            "revenue_per_year": one.revenue,
            "rating": one.rating,
            "stability": one.stability,
            "first": one.first,
            "last": one.last,
            "phrases": "; ".join(phrase for part in one.phrases for phrase in part.phrases),
            "quote": next((result.intake.messages[quote.place].text for quote in one.quotes), None),
        }
        for one in result.themes
    ]
    return pd.DataFrame(rows, columns=list(rows[0]) if rows else ["theme", "name", "messages"])


def messages_frame(result: FeedbackResult) -> pd.DataFrame:
    """Return a row for each message, redacted: by source and row."""
    titles = {theme.id: theme.title for theme in result.themes}
    members = {theme: group.title for group in result.groups for theme in group.themes}
    rows = []
    for message, place in zip(result.intake.messages, result.places, strict=True):
        told = asdict(message) | asdict(place)
        told |= {"message": message.uid, "name": titles.get(place.theme or ""), "group": members.get(place.theme or "")}
        told["confidence"] = None if place.confidence is None else round(place.confidence, 4)
        rows.append({name: told[name] for name in _MESSAGE_COLUMNS})
    rows.sort(key=lambda row: (row["source"], row["row"]))
    return pd.DataFrame(rows, columns=list(_MESSAGE_COLUMNS))


def audit_frame(result: FeedbackResult) -> pd.DataFrame:
    """Return the audit sheet: messages drawn at random, with a column to say whether the theme is right."""
    titles = {theme.id: theme.title for theme in result.themes}
    pairs = zip(result.intake.messages, result.places, strict=True)
    found = [(message, titles[place.theme]) for message, place in pairs if place.theme]
    order = drawn([message.uid for message, _ in found], result.plan.seed)
    rows = [(found[at][0].uid, found[at][0].text, found[at][1], None) for at in order]
    return pd.DataFrame(rows, columns=["message", "text", "theme", "right"])


def files(result: FeedbackResult) -> dict[str, bytes]:
    """Return the tables that stand beside the readout, by file name: CSV, and a workbook of them all."""
    tables = {"themes": themes_frame(result), "messages": messages_frame(result), "audit": audit_frame(result)}
    sheets = {name: table for name, table in tables.items() if len(table) <= _MOST_IN_WORKBOOK}
    made = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, table in tables.items():
            made[f"{name}.csv"] = write_csv(table, Path(folder) / f"{name}.csv").read_bytes()
        made["feedback.xlsx"] = write_xlsx(sheets, Path(folder) / "feedback.xlsx").read_bytes()
    return made


def evidence(result: FeedbackResult) -> list[Evidence]:
    """Return each theme's share of the messages: descriptive, of the grade of a survey."""
    if result.broken:
        return []
    total = len(result.intake.messages)
    sources = tuple(
        SourceFile(reading.name, reading.sha256, reading.rows) for reading in result.intake.readings
    )
    return [
        Evidence(
            id=f"{result.plan.slug}/{one.id}",
            kind="descriptive",
            statement=("feedback.evidence", {"theme": one.title, "messages": one.messages, "total": total}),
            quantity=Quantity(
                "beta",
                {"a": one.messages + 0.5, "b": total - one.messages + 0.5},
                one.share,
                *one.share_interval,
                0.95,
            ),
            unit="share",
            per="once",
            period=(result.plan.start, result.plan.end),
            population="message",
            claim=f"theme:{one.title}",
            benefit="quality",
            grade="E",
            sources=sources,
            date=result.as_of,
            owner=result.plan.owner,
        )
        for one in result.themes[:20]
    ]


def _day(value: datetime.date | None) -> str | None:
    return value.isoformat() if value else None
