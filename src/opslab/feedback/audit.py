"""People judge a sample of the messages: right, wrong, or another theme; and what that makes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from opslab import workspace
from opslab.errors import DataError
from opslab.feedback.edits import COLUMNS, Edits, Row, refusal
from opslab.feedback.intake import cells
from opslab.feedback.shares import wilson
from opslab.tables import Answers, open_table
from opslab.tables.cells import is_risky
from opslab.tables.numbers import FALSE, TRUE
from opslab.tables.source import ROW

PROMISED = 100
"""Judged messages from which a precision is told as one; of a theme, a tenth of them."""

RANDOM = 0.9
"""Share of a sheet's upper part that must be judged for it to be a random sample."""

SHEET = 150
"""Messages on a sheet, in random order: any number from the top is a random sample."""

_YES = {*TRUE, "right", "correct", "ok", "juste", "bon", "1.0"}
_UNSURE = {"not sure", "unsure", "maybe", "don't know", "je ne sais pas", "peut-être", "n/a"}
_NO = {*FALSE, "wrong", "incorrect", "mauvais", "0.0"}
_TOPIC = re.compile(r"(?!(?:yes|no|not|oui|non|pas)\b).*[^\W\d_]{3}", re.IGNORECASE)
_COLUMNS = {
    "themes": ("theme", "name", "merge_into", "split"),
    "audit": ("theme", "name", "message", "right"),
}


@dataclass(frozen=True)
class Judgement:
    """What people say of a message in a theme.

    Attributes
    ----------
    message, theme : str
        As they stood before edits.
    true : str
        The theme that it is truly about, before merges; empty where it is none there is, or where
        nobody says which.
    new : str
        The words of a theme that does not exist yet.
    sure : bool
        Whether it stood there surely, and not as an unsorted one.
    right : bool
        After merges.
    """

    message: str
    theme: str
    true: str
    new: str
    sure: bool
    right: bool


@dataclass(frozen=True)
class Audit:
    """What people found.

    Attributes
    ----------
    judged, right : int
        Of messages that stand surely in a theme, in the random part of the sheet.
    interval : tuple of float
        Wilson, at 95 %.
    stale : int
        Judgements of messages that no longer stand in the theme that was judged.
    judgements : sequence of Judgement
        Of unsorted messages too, which were shown with their nearest theme.
    sampled : sequence of Judgement
        Those of the random part: as far from the sheet's top as nine of ten messages are judged.
        What was picked further down, or from elsewhere, moves messages and is no sample.
    teams : mapping of str to str
        Whose a message is, by its uid, where people wrote it.
    """

    judged: int
    right: int
    interval: tuple[float, float]
    stale: int = 0
    judgements: Sequence[Judgement] = ()
    sampled: Sequence[Judgement] = ()
    teams: Mapping[str, str] = field(default_factory=dict)


def random_sample(uids: Sequence[str], seed: int) -> list[int]:
    """Return the positions of the messages on a sheet; the same seed draws the same messages."""
    lots = [hashlib.sha256(f"{seed}\0{uid}".encode()).digest() for uid in uids]
    return sorted(range(len(uids)), key=lots.__getitem__)[:SHEET]


def read_sheets(path: Path, sheet: str | None = None) -> dict[str, Sequence[Row]]:
    """Return the rows of what people filled in: the sheets ``themes``, ``audit``, or both.

    Parameters
    ----------
    path : path
        CSV or workbook.
    sheet : str, optional
        Of a workbook; by default both, where they are there.

    Raises
    ------
    DataError
        When the file cannot be read, or lacks a column of its sheet.
    """
    try:
        with open_table(path, answers=Answers(sheet=sheet, header=1)) as table:
            frame = table.frame().rename(columns=lambda name: name.strip().casefold())
            (frame["row"],) = table.aggregates([f"list({ROW} + 1 ORDER BY {ROW})"])
    except DataError as error:
        sheets = error.problems[0].values.get("sheets", ())
        wanted = [name for name in sheets if name.casefold() in _COLUMNS]
        if sheet or not wanted:
            raise
        parts = [read_sheets(path, name) for name in wanted]
        return {kind: rows for part in parts for kind, rows in part.items()}
    kind = "audit" if "right" in frame else "themes"
    if lacking := [name for name in _COLUMNS[kind] if name not in frame]:
        raise DataError.of("feedback.audit_columns", file=workspace.shown(path), names=lacking)
    columns = ["row", *_COLUMNS["audit"], "team", *COLUMNS]
    rows = [
        {column: _bare(" ".join(str(cell or "").split())) for column, cell in given.items()}
        | {"file": workspace.shown(path)}
        for given in cells(frame.reindex(columns=columns))
    ]
    return {kind: rows}


def _bare(cell: str) -> str:
    """Return a cell without the mark by which `tables.cells.csv_cell` keeps it from running."""
    return cell[1:] if cell.startswith("'") and is_risky(cell) else cell


def identified(rows: Sequence[Row], names: Mapping[str, str], past: Collection[str]) -> list[Row]:
    """Return rows, each with the theme that it is of as ``known``; empty where there is none.

    Parameters
    ----------
    rows : sequence of mapping
    names : mapping of str to str
        The name that each theme has before edits, by id.
    past : collection of str
        Ids that runs before knew: these hold by themselves, as all do in a file of edits. Others on
        a sheet may be those of another run, so that the name must be the theme's too.
    """
    exact = {f"{theme}\0{name}".casefold(): theme for theme, name in names.items()}
    alone = {theme.casefold(): theme for theme in past}
    stated = {theme.casefold(): theme for theme in names} | alone
    return [
        {
            **row,
            "known": exact.get(f"{row['theme']}\0{row['name']}".casefold(), "")
            or (stated if row.get("line") else alone).get(row["theme"].casefold(), ""),
        }
        for row in rows
    ]


def judge(
    rows: Sequence[Row],
    standing: Mapping[tuple[str, str], bool],
    edits: Edits,
    sample: Sequence[tuple[str, str]],
) -> Audit | None:
    """Return what a filled-in sheet says; None when nothing on it is judged.

    Parameters
    ----------
    rows : sequence of mapping
        From `read_sheets`.
    standing : mapping of (str, str) to bool
        Every message (its uid) with a theme that it stands in before edits: surely (True), or
        unsorted with this as the nearest one.
    edits : Edits
    sample : sequence of (str, str)
        Messages and themes as they stand on the sheet, from its top.

    Raises
    ------
    DataError
        When an answer is none, or a message is judged in two ways.
    """
    judged, teams, stale = dict[tuple[str, str], Judgement](), dict[str, str](), 0
    for row in rows:
        answer, key = row["right"].casefold(), (row["message"], row["known"])
        answer = "" if answer in _UNSURE else answer
        gone = edits.called.get(answer) == ""  # a theme without a message in this run
        if answer and key in standing and not gone:
            theme = row["known"]
            says = {**dict.fromkeys(_NO, ""), **edits.called, **dict.fromkeys(_YES, theme)}
            true, new = says.get(answer, ""), "" if answer in says else row["right"]
            right = edits.merges.get(true, true) == edits.merges.get(theme, theme)
            judgement = Judgement(*key, true, new, standing[key], right)
            unclear = true in edits.splits.keys() - {theme} or (new and not _TOPIC.match(new))
            if unclear or judged.setdefault(key, judgement) != judgement:
                raise refusal(row, "right")
        if row["team"] and key in standing:
            teams[row["message"]] = row["team"]
        stale += bool(answer and (gone or key not in standing))
    if not (judged or teams or stale):
        return None
    known = np.cumsum([pair in judged for pair in sample])
    reached = np.flatnonzero(known >= RANDOM * np.arange(1, len(sample) + 1)) + 1
    random = sample[: int(max(reached, default=0))]
    sampled = tuple(judged[pair] for pair in random if pair in judged)
    return replace(
        precision(sampled),
        stale=stale,
        judgements=tuple(judged.values()),
        sampled=sampled,
        teams=teams,
    )


def precision(judgements: Sequence[Judgement]) -> Audit:
    """Return how many are right, of those that stood surely in their theme."""
    rights = [each.right for each in judgements if each.sure]
    interval = wilson(sum(rights), len(rights)) if rights else (0.0, 1.0)
    return Audit(len(rights), sum(rights), interval)
