"""From exports to rows in one form, each with its team, whether it counts, and what is wrong."""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from opslab.errors import DataError, Problem, SpecError, did_you_mean
from opslab.names import plain
from opslab.tables.profiles import known_profiles
from opslab.tables.sheets import read_sheet
from opslab.tables.source import Table, literal, quoted
from opslab.timesaved.change import queries
from opslab.timesaved.change.spec import ChangeReview, Export, Member

_KINDS = {
    "time_entries": "time_entries",
    **dict.fromkeys(("tickets", "support_tickets", "feedback"), "tickets"),
    "meetings": "meetings",
    "change_panel": "panel",
}
_GIVES = {
    "time_entries": ("hours", "minutes", "count"),
    "tickets": ("elapsed", "count", "share"),
    "meetings": ("hours",),
}
_ENDS = {"completed_at", "closed_at", "resolved_at", "status_category_changed_at"}
_STATES = ("status", "state", "status_category", "resolution", "state_reason")
_WHOLE = r"\.0+$"  # of a number that is read as one with digits behind the point
_SHOWN = 12  # names that a message lists


def keep_entries(
    review: ChangeReview, sources: Sequence[tuple[Table, Export]], day: datetime.date
) -> dict[str, Any]:
    """Keep what the exports of one tool tell as tables in the engine of the first.

    They are ``change_grid`` (a row for each team and whole period) and those it stands on; see
    `queries`. Returned is what their queries take by name.

    Raises
    ------
    DataError, SpecError
        For an export that cannot tell what is asked, a column or value that is not there, and rows
        that contradict each other.
    """
    measure, log, pilot = review.measure, sources[0][0], review.pilot
    files = [table.reading.name for table, _ in sources]
    kind = _kind(review, [table for table, _ in sources])
    watch = {"elapsed": measure.follow_up_days}
    watch["share"] = measure.within_days or measure.follow_up_days
    form = "panel" if kind == "panel" else "person" if measure.per == "person" else measure.quantity
    values = {
        "kind": kind,
        "quantity": measure.quantity,
        "period": measure.period,
        "per": measure.per,
        "value": queries.VALUES[form],
        "watch": (kind == "tickets" and watch.get(measure.quantity)) or "NULL",
        "within": measure.within_days or "NULL",
        "timed": bool(measure.within_days) or measure.quantity == "elapsed",
        "end": f"TIMESTAMP '{day + datetime.timedelta(1)}'",
        "since": f"DATE '{review.since or datetime.date.min}'",
        "mapped": review.teams is not None,
        "files": ", ".join(map(literal, files)),
    }
    _keep_rows(review, sources, values)
    sheet = read_sheet(review, review.teams or (), Member, "team-members")
    files.append(sheet.reading.name if sheet.reading else "")
    _keep_names(log, "written", [(*each, each[1]) for each in log.fetch(queries.WRITTEN)])
    _keep_names(log, "members", [(row, str(at.team), at.person) for row, at in sheet.rows])
    for name, sql in queries.KEPT.items():
        log.keep(name, sql.format(**values))
    for key, sql in queries.REFUSED.items():
        for file, first, row in sorted(log.fetch(sql.format(**values))):
            raise DataError(Problem(f"change.{key}", {"first": first}, files[file], row=row))
    teams = [team for (team,) in log.fetch(queries.TEAMS)]
    if not teams:
        raise DataError.of("change.no_units", file=files[0], unit=measure.unit)
    refuse_unknown(review, pilot.starts, teams, "pilot", "starts")
    days = {plain(name): day for name, day in pilot.starts.items()}
    days |= {plain(team): pilot.start for team in teams if pilot.start}
    starts = [(0, team, str(days.get(plain(team)))) for team in teams]
    _keep_names(log, "starts", starts)
    log.keep("change_grid", queries.GRID.format(**values))
    return values


def _keep_names(log: Table, table: str, rows: Iterable[tuple[int, str, str]]) -> None:
    """Keep names with a number, what else is said of each, and both as they are compared."""
    known = [(*row, plain(row[2]), plain(row[1])) for row in rows]
    names = ["row", "name", "said", "plain", "plain_name"]
    log.connection.register("given", pd.DataFrame(known, columns=names))
    log.keep(f"change_{table}", queries.NAMES)


def refuse_unknown(
    review: ChangeReview, names: Iterable[str], known: Collection[str], *location: str
) -> None:
    """Raise `SpecError` for what a field names and there is not: with what is near, and there."""
    there = dict[str, str]()
    for each in known:
        there.setdefault(plain(each), each)
    shown = [*there.values()][:_SHOWN]
    SpecError.refuse(
        [
            review.problem(
                "change.unknown", *location, name=name, near=did_you_mean(name, known), names=shown
            )
            for name in names
            if plain(name) not in there
        ]
    )


def _kind(review: ChangeReview, tables: Sequence[Table]) -> str:
    """Return what the exports hold; refuse what they cannot give."""
    known, measure, kind = known_profiles(), review.measure, ""
    for table in tables:
        profile = known.get(table.reading.profile or "")
        held = profile and _KINDS.get(profile.table)
        if not held or held != (kind or held):
            key = "change.two_kinds" if held else "change.no_kind"
            raise DataError.of(key, file=table.reading.name, names=[*table.headings][:_SHOWN])
        kind = held
    quantity = measure.quantity
    watched = kind == "tickets" and (quantity == "elapsed" or measure.within_days)
    faults = {
        f"change.cannot_{kind}": quantity not in _GIVES.get(kind, [quantity]),
        "change.no_share": quantity == "share"
        and kind != "panel"
        and not (measure.holds or measure.within_days),
        "change.no_people": measure.per == "person"
        and (kind, quantity) != ("time_entries", "hours"),
        "change.no_panel_rows": kind == "panel" and (measure.holds or measure.within_days),
        "change.no_ends": watched and any(_ENDS.isdisjoint(table.types) for table in tables),
    }
    for key, wrong in faults.items():
        if wrong:
            raise SpecError(review.problem(key, "measure", "quantity"))
    return kind


def _keep_rows(
    review: ChangeReview, sources: Sequence[tuple[Table, Export]], values: Mapping[str, Any]
) -> None:
    """Keep the rows of all exports in one form."""
    log, tables = sources[0][0], [table for table, _ in sources]
    kept, yes = (_conditions(review, tables, field) for field in ("only", "holds"))
    for file, (table, export) in enumerate(sources):
        named = {
            "file": file,
            "relation": table.relation,
            "unit": _cells(
                review, table, review.measure.unit, "measure", "unit", people=values["mapped"]
            ),
            "kept": kept[file],
            "yes": yes[file],
            "zone": literal(export.timezone) if export.timezone else "NULL",
            "ends": "ended_at" in table.types,
        }
        table.keep("change_rows", queries.ROWS[values["kind"]].format(**values, **named))
        table.forget()
        if file:
            more = table.connection.execute("FROM change_rows").df()
            log.connection.register("change_more", more)
            log.keep("change_rows", "FROM change_rows UNION ALL BY NAME FROM change_more")


def _cells(
    review: ChangeReview, table: Table, name: str, *location: str, people: bool = False
) -> str:
    """Return SQL of the cells of a column, by its name or heading, each as a list of texts.

    Whole numbers have no ``.0``, which the file may not have. ``file`` is the name of the file,
    where no column is called so.
    """
    reading, types = table.reading, table.types
    columns = {"file": literal(Path(reading.name).stem)}
    if {"first_name", "last_name"} <= types.keys():
        columns["person"] = queries.PERSON
    names = [*table.headings, *types]
    columns |= zip(map(plain, names), [*map(quoted, types)] * 2, strict=True)
    refuse_unknown(review, [name], [*table.headings, *types, *columns], *location)
    column = columns[plain(name)]
    kind = types.get(column.strip('"'), "")
    if not people and column in {queries.PERSON, *map(quoted, reading.personal)}:
        raise SpecError(review.problem("change.personal", *location, name=name))
    text = f"CAST({column} AS VARCHAR)"
    if kind == "DOUBLE":
        text = f"regexp_replace({text}, '{_WHOLE}', '')"
    return column if kind.endswith("[]") else f"[{text}]"


def _conditions(review: ChangeReview, tables: Sequence[Table], field: str) -> list[str]:
    """Return SQL of whether a row has the values that a field names, for each table."""
    conditions = [["true"] for _ in tables]
    for name, given in getattr(review.measure, field).items():
        location = ("measure", field, name)
        cells = [_cells(review, table, name, *location) for table in tables]
        ending = _WHOLE if all(_WHOLE in cell for cell in cells) else "$"
        wanted = [re.sub(ending, "", text) for text in given]
        asked = {*map(plain, wanted)}
        aged = field == "holds" and not review.measure.within_days
        if aged and any(quoted(state) in cell for state in _STATES for cell in cells):
            raise SpecError(review.problem("change.holds_state", *location, name=name))
        written = [
            {
                text
                for (text,) in table.fetch(f"SELECT DISTINCT unnest({cell}) FROM {table.relation}")
                if text
            }
            for table, cell in zip(tables, cells, strict=True)
        ]
        known = sorted(set[str]().union(*written))
        refuse_unknown(review, wanted, known, *location)
        for condition, cell, texts in zip(conditions, cells, written, strict=True):
            fitting = sorted(literal(text) for text in texts if plain(text) in asked)
            condition.append(f"list_has_any({cell}, [{', '.join(fitting)}]::VARCHAR[])")
    return [" AND ".join(condition) for condition in conditions]
