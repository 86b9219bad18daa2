"""The record of a study: what ``result.json`` holds, the tables beside it, and its evidence."""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from operator import attrgetter
from pathlib import Path
from typing import Any, get_args

import pandas as pd
from pydantic_core import to_jsonable_python

from opslab import provenance, workspace
from opslab.errors import ParameterError, did_you_mean
from opslab.feedback import theme_evidence
from opslab.feedback.comparisons import compared
from opslab.feedback.customer_message import CustomerMessage, Intake
from opslab.feedback.edits import COLUMNS
from opslab.feedback.incidents import FALSE_ALARMS
from opslab.feedback.intake import cells, take_in
from opslab.feedback.naming import title
from opslab.feedback.predecessor import FILE, cited
from opslab.feedback.priority import BANDS
from opslab.feedback.result import FeedbackResult, Point, Reason, Theme, Topic
from opslab.feedback.spec import Study
from opslab.frames import kept, remark_step, step_within
from opslab.results import Message
from opslab.secret import erased
from opslab.tables import write_csv
from opslab.tables.writer import workbook

KEYS = ("theme", "name")
"""Columns of the frame that name a row: a theme's id says nothing without its name."""
MAIN = ("share", "share_low", "share_high", "percent")
"""Columns that tell a row beside another result's, its interval's ends, how they are written."""
SCHEMA = "opslab.feedback/1"
evidence = theme_evidence.evidence

_MOST_IN_WORKBOOK = 20_000  # messages; more stand in the CSV file alone
MANY, MOST_LISTED = 200_000, 500_000
"""Messages beyond which their tables bear no texts, and the most that are listed then."""
_MOST_RECORDED = 300  # themes; more stand in the tables alone
_THEME = (
    "theme name group kind team messages share share_low share_high customers rating stability "
    "phrases quote"
)
_SHORT = (
    "theme name group kind team messages share share_low share_high customers rating severity "
    "trend rank band"
)
_CAME = "uid source id row date week language text customer revenue rating score discontent"
_MESSAGE = (
    "uid source id row date week language theme name group themes kind text customer revenue "
    "rating score discontent nearest second confidence reason copy_of"
)
_CHANGE = "kind theme others ratio low high q"
_DONE = (
    "theme what on run decision state ratio low high count_before count_after "
    "minutes_before minutes_after saved saved_low saved_high task role"
)
_QUOTED, _JUDGED = "uid source id language date", "message theme name text right team"
_LISTED = "message source id row date language theme second confidence reason"
_POINT = "message point kind theme nearest confidence reason text"


def record(result: FeedbackResult) -> dict[str, Any]:
    """Return what ``result.json`` holds of a study: no prose of ours, missing numbers null."""
    intake, study = result.intake, result.study
    return {
        "schema": SCHEMA,
        "inputs": inputs(result),
        "plan": study.model_dump(mode="json", exclude={"sources", "audit", "edits"})
        | {"slug": study.slug},
        "method": asdict(result.model),
        "messages": {
            **counts(result),
            "rows": len(intake.rows),
            "sorted": result.sorted,
            "unsorted": unsorted(result),
            "languages": languages(result),
        },
        "redacted": dict(sorted(intake.redacted.items())),
        "themes": to_jsonable_python([_theme(each) for each in result.themes[:_MOST_RECORDED]]),
        "groups": [
            {name: getattr(group, name) for name in ("id", "title", "themes", "messages")}
            for group in result.groups
        ],
        "ranking": {"parts": result.counted, "themes": cells(result.ranking)},
        "trends": cells(result.trends),
        "incidents": {"false_alarms_a_year": FALSE_ALARMS, "found": cells(result.incidents)},
        "emerging": result.emerging,
        "severities": cells(result.severities),
        "since": to_jsonable_python(result.changes),
        "measurement": theme_evidence.measurement(result),
        "effort": True,  # what it measures is work
        "edits": asdict(replace(result.edits, called={})),
        "audit": asdict(result.audit) if result.audit else None,
        "routed": result.routed
        and vars(result.routed)
        | {"counts": [[*teams, count] for teams, count in result.routed.counts.most_common()]},
        "imports": [reading.record() for reading in intake.readings],
        "files": [
            {"file": name, "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in files(result).items()
        ],
    }


def _theme(theme: Theme) -> dict[str, Any]:
    """Return a theme with what a quote of it needs, and no more of the message."""
    quotes = [
        {name: getattr(each, name) for name in _QUOTED.split()} | {"text": each.text[:400]}
        for each in theme.quotes
    ]
    return asdict(theme) | {"quotes": quotes}


def inputs(result: FeedbackResult) -> list[dict[str, str]]:
    """Return the files behind the result with the SHA-256 of their bytes: study, sources, edits."""
    study = result.study
    written = [study.beside(name) for name in (study.audit, study.edits) if name]
    paths = [study.file, *dict.fromkeys(written)]
    named = [(workspace.shown(path), workspace.sha256(path)) for path in paths if path]
    named[1:1] = [(each.name, each.sha256) for each in result.intake.readings if each.sha256]
    beside = cited(study, result.as_of) if result.as_of else []
    if result.known and result.known.previous:
        beside.insert(0, workspace.reports() / result.known.previous / FILE)
    named += [(workspace.shown(path), provenance.hash_of(path)) for path in beside]
    return [{"file": file, "sha256": sha256} for file, sha256 in named]


def counts(result: FeedbackResult) -> dict[str, int]:
    """Return how many messages were used, copy another one, were left out or were cut."""
    intake = result.intake
    copies = sum(assignment.copy_of is not None for assignment in result.assignments)
    left = {
        name: getattr(intake, name)
        for name in ("empty", "erased", "outside", "repeated", "shared", "cut")
    }
    return {"used": len(intake.messages), "copies": copies, **left}


def unsorted(result: FeedbackResult) -> Counter[Reason]:
    """Return how many messages are in no theme, by the reason."""
    reasons = Counter(each.main.reason for each in result.assignments if not each.themes)
    return Counter({reason: reasons[reason] for reason in get_args(Reason) if reasons[reason]})


def languages(result: FeedbackResult) -> dict[str, int]:
    """Return how many messages are in each language, the most spoken first."""
    spoken = Counter(message.language or "?" for message in result.intake.messages)
    return dict(spoken.most_common())


def frame(result: FeedbackResult, *, full: bool = False) -> pd.DataFrame:
    """Return the themes as a tidy table: in the page's words, or in full for programs."""
    say = result.voice()

    def called(topic: Topic) -> str:
        return topic.title if full else topic.called(say.language)

    groups = {theme: called(group) for group in result.groups for theme in group.themes}
    rows = [
        (
            theme.id,
            called(theme),
            groups[theme.id],
            theme.kind if full or not theme.kind else say(f"point_{theme.kind}"),
            theme.route.team if theme.route else None,
            theme.messages,
            theme.share,
            *theme.interval,
            theme.customers,
            theme.rating,
            theme.stability,
            "; ".join(phrase for part in theme.phrases for phrase in part.phrases),
            theme.quotes[0].text,
        )
        for theme in result.themes
    ]
    themes = pd.DataFrame(rows, columns=_THEME.split())
    themes = themes.merge(result.ranking, "left") if rows else themes
    if full:
        return themes
    words = {band: say(f"band_{band}") for band in range(1, 1 + BANDS)}
    short = themes.reindex(columns=_SHORT.split())
    return short.assign(band=short["band"].map(words))


def came_in(study: Study, data: Any) -> pd.DataFrame:
    """Return the messages before they are sorted: files are read again only after a change."""

    def read() -> pd.DataFrame:
        intake = take_in(study, data)
        return in_order(intake, _laid_out(intake.messages, _CAME))

    if data is not None:
        return read()
    state = [workspace.sha256(path) for path in study.files() if path.is_file()]
    return kept((study.model_dump_json(), *state, *erased()), read)


def _laid_out(messages: Sequence[CustomerMessage], names: str, **more: Any) -> pd.DataFrame:
    """Return messages by source and row: the columns that are named, then one for each trait.

    Further columns come in the messages' order.
    """
    own = {
        name: [getattr(message, name) for message in messages]
        for name in {*names.split()} & {*CustomerMessage.__slots__}
    }
    frame = pd.DataFrame(own | more, columns=names.split()).rename(columns={"uid": "message"})
    days = pd.to_datetime(frame["date"])
    frame = frame.assign(date=days, week=days.dt.to_period("W").dt.start_time)
    traits = pd.DataFrame([message.traits for message in messages])
    frame = frame.join(traits.rename(columns=lambda name: name + " " * (name in frame)))
    return frame.sort_values(["source", "row"], kind="stable", ignore_index=True)


def in_order(intake: Intake, messages: pd.DataFrame) -> pd.DataFrame:
    """Return messages in the order in which their rows came in; rows that were left out are blank.

    A row that makes two messages stands twice.
    """
    step = step_within(len(intake.rows), messages.shape[1])
    remark_step(step, len(intake.rows))
    came = pd.DataFrame(intake.rows[::step], columns=["source", "row"])
    return came.merge(messages.astype(came.dtypes), "left")[[*messages]]


def messages(result: FeedbackResult) -> pd.DataFrame:
    """Return the messages with their themes, by source and row."""
    assignments = result.assignments
    more: dict[str, list[Any]] = {
        name: [getattr(each.main, name) for each in assignments]
        for name in ("theme", "kind", "nearest", "second", "confidence", "reason")
    }
    more["themes"] = ["; ".join(sorted(each.themes)) for each in assignments]
    more["copy_of"] = [each.copy_of for each in assignments]
    table = _laid_out([each.message for each in assignments], _MESSAGE, **more)
    themes = frame(result, full=True).set_index("theme")
    called = {name: table["theme"].map(themes[name]) for name in ("name", "group")}
    return table.assign(**called)


def by(result: FeedbackResult, column: str | pd.Series[Any]) -> FeedbackResult:
    """Return `FeedbackResult.by`."""
    table = result.messages()
    if isinstance(column, str):
        if column not in table:
            near = did_you_mean(column, [*table])
            raise ParameterError.of("feedback.no_column", given=column, near=near, known=[*table])
        return by(result, table[column])
    own = column.index if isinstance(column, pd.Series) else pd.Index([])
    if not table.index.equals(own.sort_values()):
        raise ParameterError.of("feedback.other_rows", rows=len(table))
    # In whatever order: a value belongs to the message of its index.
    name, said = str(column.name), column.convert_dtypes().astype("string")[table.index]
    values = said.set_axis(table["message"]).dropna().to_dict()
    asked = {name: [values.get(each.message.uid) for each in result.assignments]}
    return replace(
        result,
        **compared(
            result.themes,
            result.assignments,
            result.registry,
            result.known,
            result.edits.merges,
            asked,
        ),
        asked=(*result.asked, Message("feedback.asked_by", {"column": name})),
    )


def tables(result: FeedbackResult) -> dict[str, pd.DataFrame]:
    """Return the themes, every message with its theme, redacted, and a random sample to judge."""
    points = [
        {name: getattr(point, name) for name in Point.__slots__}
        | {"message": each.message.uid, "point": number}
        for each in sorted(result.assignments, key=attrgetter("message.source", "message.row"))
        for number, point in enumerate(each.points, 1)
        if len(result.assignments) <= MANY
    ]
    table = messages(result).drop(columns="week")
    if len(table) > MANY:  # a random part, as a notebook can carry it, without texts
        some = {each.message.uid for each in result.assignments[:MOST_LISTED]}  # by hash
        table = table.loc[table["message"].isin(some), _LISTED.split()].reset_index(drop=True)
    frames = {"themes": _themes_sheet(result), "messages": table, "audit": _audit_sheet(result)}
    changes = pd.DataFrame(result.changes["themes"], columns=_CHANGE.split())
    further = {
        "points": pd.DataFrame(points, columns=_POINT.split()),
        "contrasts": result.contrasts,
        "changes": changes.assign(others=changes["others"].map("; ".join)),
        "done": pd.DataFrame(result.changes["done"], columns=_DONE.split()),
        "incidents": result.incidents,
        "cut": pd.DataFrame(result.intake.furniture, columns=["message", "kind", "text"]),
    }
    frames |= {name: table for name, table in further.items() if len(table)}
    mark = {"exploratory": True} if result.asked else {}
    return {name: table.assign(**mark) for name, table in frames.items()}


def _themes_sheet(result: FeedbackResult) -> pd.DataFrame:
    """Return the themes with the edits that were applied, to be changed and applied again.

    A theme bears the name that it had before edits, by which it is known where no run before knew
    its id. Also the edits that wait for their theme are there.
    """
    themes = frame(result, full=True)
    gone = [theme for theme in result.edits.rows if theme not in set(themes["theme"])]
    sheet = pd.concat([themes, pd.DataFrame({"theme": gone})], ignore_index=True)
    for column in reversed(COLUMNS):
        edited = {theme: row[column] or None for theme, row in result.edits.rows.items()}
        sheet.insert(2, column, sheet["theme"].map(edited).astype(object))
    names = {each.id: title(each.phrases) for each in result.registry.themes}
    sheet["name"] = sheet["theme"].map({**names, **result.before}).fillna(sheet["name"])
    return sheet


def _audit_sheet(result: FeedbackResult) -> pd.DataFrame:
    """Return a random sample of the messages with the theme that each is nearest to, to judge.

    What was judged already stands on it as it was judged.
    """
    texts = {each.message.uid: each.message.text for each in result.assignments}
    judged = {
        (each.message, each.theme): (
            each.new or ("yes" if each.true == each.theme else each.true or "no")
        )
        for each in (result.audit.judgements if result.audit else ())
    }
    teams = result.audit.teams if result.audit else {}
    rows = [
        (*pair, result.before[pair[1]], texts[pair[0]], judged.get(pair), teams.get(pair[0]))
        for pair in dict.fromkeys([*result.sample, *judged])
    ]
    return pd.DataFrame(rows, columns=_JUDGED.split())


def files(result: FeedbackResult) -> dict[str, bytes]:
    """Return the tables by file name: CSV, and a workbook of them all."""
    frames = tables(result)
    with tempfile.TemporaryDirectory() as folder:
        paths = [write_csv(table, Path(folder, f"{name}.csv")) for name, table in frames.items()]
        csv = {path.name: path.read_bytes() for path in paths}
    return csv | {"themes.xlsx": workbook(sheets(frames)), FILE: result.registry.content()}


def sheets(frames: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the tables that a workbook takes."""
    return {name: table for name, table in frames.items() if len(table) <= _MOST_IN_WORKBOOK}
