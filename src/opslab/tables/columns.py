"""From columns of text to columns of numbers, times and lists: each decided over all of its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from opslab.errors import DataError, Problem
from opslab.tables import dates, numbers
from opslab.tables.column_kinds import TIMED, TOLD, File, Wanted, Work, decide
from opslab.tables.dates import DateEvidence
from opslab.tables.import_report import MOST_TOLD, FileAnswers, Rejection
from opslab.tables.numbers import NumberEvidence
from opslab.tables.profiles import Kind
from opslab.tables.source import NUMBER_TYPES, ROW, Table, literal, quoted

_SAMPLE_ROWS, _SAMPLE_CELLS = 250, 20_000
_EMAIL = r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}"


def typed(
    table: Table,
    wanted: Sequence[Wanted],
    answers: FileAnswers,
    *,
    day_first_assumed: bool = False,
    strict: bool = False,
) -> Table:
    """Return a table with the columns asked for, each of one type.

    Parameters
    ----------
    table : Table
    wanted : sequence of Wanted
    answers : Answers
    day_first_assumed : bool
        Whether unclear dates are day first where nothing in the file tells.
    strict : bool
        Refuse cells that are not of their column's kind, instead of emptying and telling them.

    Raises
    ------
    DataError
        With one question for each declared column that can be read in two ways.
    """
    _refuse_zone(table, answers)
    work = [_begun(table, one, answers.timezone) for one in wanted]
    _guess_kinds(table, work)
    _weigh(table, work, answers.timezone)
    file = File.of(work, answers, table.reading.name, day_first_assumed=day_first_assumed)
    questions = [question for one in work for question in decide(one, file)]
    DataError.refuse(questions)
    _find_addresses(
        table, [one for one in work if one.wanted.kind is None and one.kind in ("text", "list")]
    )
    return _made(table, work, file, strict=strict)


def _find_addresses(table: Table, work: Sequence[Work]) -> None:
    """Mark the columns in which an e-mail address stands, wherever it does."""
    if not work:
        return
    told = literal(_EMAIL)
    looks = [
        f"CASE WHEN contains({one.value}, '@') THEN regexp_full_match({one.value}, {told}) ELSE false END"
        if one.kind == "text"
        else f"len(list_filter({one.value}, lambda x: regexp_full_match(x, {told}))) > 0"
        for one in work
    ]
    (found,) = table.fetch(
        f"SELECT {', '.join(f'bool_or({look})' for look in looks)} FROM {table.relation}"
    )
    for one, has in zip(work, found, strict=True):
        one.personal = bool(has)


def _refuse_zone(table: Table, answers: FileAnswers) -> None:
    zone = answers.timezone
    if zone and not table.fetch(f"SELECT 1 FROM pg_timezone_names() WHERE name = {literal(zone)}"):
        raise DataError.of("tables.no_zone", file=table.reading.name, zone=zone)


def _begun(table: Table, wanted: Wanted, zone: str | None) -> Work:
    columns = [quoted(place) for place in wanted.places]
    kind, first = wanted.kind, table.types[wanted.places[0]]
    if kind == "work_log" or (kind == "list" or (len(columns) > 1 and kind in (None, "text"))):
        made = Work(wanted, "", "list" if kind != "work_log" else kind)
        made.value = _list(columns, first, wanted)
        if len(columns) > 1:
            made.tell("decided_list", count=len(columns))
        return made
    text = columns[0] if first == "VARCHAR" else f"CAST({columns[0]} AS VARCHAR)"
    if wanted.time:
        clock = f"CAST({quoted(wanted.time)} AS VARCHAR)"
        text = f"CASE WHEN {columns[0]} IS NOT NULL THEN concat_ws(' ', {text}, {clock}) END"
    made = Work(wanted, text, kind)
    made.value = _as_is(columns[0], first, kind) if not wanted.time else ""
    if made.value and first.startswith("TIMESTAMP") and kind in (None, "datetime"):
        ((count,),) = table.fetch(f"SELECT count({columns[0]}) FROM {table.relation}")
        if first == "TIMESTAMP WITH TIME ZONE":
            made.tell("decided_offsets", count=count)
        else:  # of seconds, milliseconds or finer
            made.value = f"CAST({made.value} AS TIMESTAMP)"
            _in_zone(made, zone, count)
    return made


def _in_zone(one: Work, zone: str | None, count: int) -> None:
    """Take the times that a column's value gives for those of a zone."""
    one.tell_zone(zone, count)
    if zone:
        one.local, one.value = one.value, dates.in_utc(one.value, zone)


def _as_is(column: str, kind: str, wanted: Kind | None) -> str:
    """Return SQL of a column whose type is already the one that is wanted, or nothing."""
    if wanted == "text":
        return column if kind == "VARCHAR" else f"CAST({column} AS VARCHAR)"
    if kind == "VARCHAR":
        return ""
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"make_timestamp(epoch_us({column}))"
    if wanted is None:
        return column
    if wanted in TIMED and kind.startswith(("TIMESTAMP", "DATE")):
        return f"CAST({column} AS {'DATE' if wanted == 'date' else 'TIMESTAMP'})"
    if wanted in ("number", "percent") and kind.startswith(NUMBER_TYPES):
        return f"CAST({column} AS DOUBLE)"
    return column if wanted == "boolean" and kind == "BOOLEAN" else ""


def _list(columns: Sequence[str], kind: str, wanted: Wanted) -> str:
    if len(columns) == 1 and kind.endswith("[]"):
        items = columns[0]
    elif len(columns) == 1:
        text = f"CAST({columns[0]} AS VARCHAR)"
        split = wanted.column.split
        items = f"string_split({text}, {literal(split)})" if split else f"[{text}]"
        items = (
            f"CASE WHEN starts_with({text}, '[') AND json_valid({text}) "
            f"THEN from_json({text}, '[\"VARCHAR\"]') ELSE {items} END"
        )
    else:
        items = f"[{', '.join(f'CAST({column} AS VARCHAR)' for column in columns)}]"
    filled = f"list_filter(list_transform({items}, lambda x: trim(x)), lambda x: x IS NOT NULL AND x <> '')"
    if wanted.kind != "work_log":
        return f"coalesce({filled}, [])"
    seconds = "lambda x: TRY_CAST(regexp_extract(x, ';([0-9]+)$', 1) AS DOUBLE)"
    return f"list_sum(list_transform({filled}, {seconds})) / 3600"


def _guess_kinds(table: Table, work: Sequence[Work]) -> None:
    """Give a kind to columns that have none, where the first rows look like one; text is the other."""
    open_ones = [one for one in work if not one.value and one.kind is None]
    if not open_ones:
        return
    rows = max(_SAMPLE_CELLS // len(open_ones), 50)
    head = table.fetch(
        f"SELECT {', '.join(one.text for one in open_ones)} FROM {table.relation} "
        f"LIMIT {min(rows, _SAMPLE_ROWS)}"
    )
    cells = {
        id(one): [row[place] for row in head if row[place] is not None]
        for place, one in enumerate(open_ones)
    }
    nothing = {"", *numbers.MISSING}
    bare = [one for one in open_ones if {*map(numbers.plain_text, cells[id(one)])} <= nothing]
    if bare:
        looks = ", ".join(
            f"any_value(CASE WHEN NOT {numbers.is_missing(numbers.plain(one.text))} THEN {one.text} END)"
            for one in bare
        )
        (firsts,) = table.fetch(f"SELECT {looks} FROM {table.relation}")
        for one, first in zip(bare, firsts, strict=True):
            cells[id(one)] = [] if first is None else [first]
    for one in open_ones:
        given = cells[id(one)]
        told = [cell for cell in given if numbers.plain_text(cell) not in nothing]
        one.kind = "text"
        if told and all(map(numbers.looks_like_number, told)):
            one.kind, one.form = "number", numbers.machine_form(given)
        elif told and all(map(dates.looks_like_date, told)) and not dates.look_like_versions(told):
            one.kind, one.form = "datetime", dates.machine_form(given)
        if one.kind == "text":
            one.value = one.text


def _weigh(table: Table, work: Sequence[Work], zone: str | None) -> None:
    """Count what the cells of each column tell, in one pass; whole numbers of a program need but one look."""
    open_ones = [one for one in work if not one.value]
    formed = [one for one in open_ones if one.form[0]]
    if formed:
        looks = [
            f"count({one.text}), count(TRY_CAST({one.text} AS {one.form[1]})) "
            f"FILTER (regexp_full_match({one.text}, {literal(one.form[0])}))"
            for one in formed
        ]
        (counts,) = table.fetch(f"SELECT {', '.join(looks)} FROM {table.relation}")
        for one, given, plain in zip(formed, counts[::2], counts[1::2], strict=True):
            if given != plain:
                continue
            one.value = f"TRY_CAST({one.text} AS {one.form[1]})"
            if one.form[1] == "TIMESTAMP":
                _in_zone(one, zone, given)
    open_ones = [one for one in open_ones if not one.value]
    if not open_ones:
        return
    told: list[str] = []
    for place, one in enumerate(open_ones):
        one.staged = True
        kinds = (
            dates.date_evidence(f"t{place}", ROW)
            if one.kind in TIMED
            else numbers.number_evidence(f"t{place}")
        )
        told += kinds
    staged = ", ".join(
        f"{numbers.plain(one.text)} AS t{place}" for place, one in enumerate(open_ones)
    )
    (counts,) = table.fetch(
        f"SELECT {', '.join(told)} FROM (SELECT {staged}, {ROW} FROM {table.relation})"
    )
    rest = list(counts)
    for one in open_ones:
        if one.kind in TIMED:
            one.dates, rest = DateEvidence(*rest[:11]), rest[11:]
            one.given, words = one.dates.given, one.dates.words
        else:
            one.numbers, rest = NumberEvidence(*rest[:8]), rest[8:]
            one.given, words = one.numbers.given, one.numbers.words
        if words:
            one.tell("decided_words", count=words)


def _made(table: Table, work: Sequence[Work], file: File, *, strict: bool) -> Table:
    """Return the table of the values; cells that were no such value are told or refused."""
    staged = [one for one in work if one.staged]
    free = _free_name(table)
    places = {id(one): f"{free}{place}" for place, one in enumerate(staged)}
    inner = ", ".join(["*", *(f"{numbers.plain(one.text)} AS {places[id(one)]}" for one in staged)])
    sql = [one.value.replace(TOLD, places[id(one)]) if one.staged else one.value for one in work]
    values = [f"{value} AS {quoted(one.wanted.name)}" for value, one in zip(sql, work, strict=True)]
    query = f"SELECT {', '.join(values)}, {ROW} FROM (SELECT {inner} FROM {table.relation})"
    source = f"({query})"
    if (
        staged or table.reading.format == "frame"
    ):  # a frame is not seen by the cursors of other threads
        table.keep("typed", query)
        source = "typed"
        _tell_emptied(table, staged, file, strict=strict)
    _tell_clock_changes(table, [one for one in work if one.local], file.answers.timezone or "")
    rejected, rejections, lacking = _reject(table, work, source)
    if rejected:
        source = f"(SELECT * FROM {source} WHERE NOT ({lacking}))"
    names = ", ".join(quoted(one.wanted.name) for one in work)
    described = table.fetch(f"DESCRIBE SELECT {names} FROM {source}")
    ((rows,),) = table.fetch(f"SELECT count(*) FROM {source}")
    told = table.reading
    reading = replace(
        told,
        rows=rows,
        columns=len(work),
        decisions=(*told.decisions, *(decision for one in work for decision in one.decisions)),
        rejected=told.rejected + rejected,
        rejections=(*told.rejections, *rejections)[:MOST_TOLD],
        personal=tuple(
            one.wanted.name for one in work if one.personal or one.wanted.column.personal
        ),
    )

    types = {name: kind for name, kind, *_ in described}
    headings = tuple(
        " + ".join((*one.wanted.places[:1], *filter(None, [one.wanted.time]))) for one in work
    )
    return replace(table.over(source, types, reading), headings=headings)


def _free_name(table: Table) -> str:
    """Return the beginning of a name that no column of the table has."""
    name = "told_"
    while any(other.casefold().startswith(name) for other in table.types):
        name = f"_{name}"
    return name


def _tell_emptied(table: Table, staged: Sequence[Work], file: File, *, strict: bool) -> None:
    counted = [one for one in staged if not one.wanted.column.required]
    if not counted:
        return
    (counts,) = table.fetch(
        f"SELECT {', '.join(f'count({quoted(one.wanted.name)})' for one in counted)} FROM typed"
    )
    problems = []
    for one, kept in zip(counted, counts, strict=True):
        lost = (one.given or 0) - kept
        if not lost:
            continue
        told = numbers.plain(one.text)
        ((row,),) = table.fetch(
            f"SELECT min({ROW}) + 1 FROM (SELECT {told} AS told, {ROW} FROM {table.relation}) "
            f"JOIN (SELECT {quoted(one.wanted.name)} AS value, {ROW} FROM typed) USING ({ROW}) "
            f"WHERE told IS NOT NULL AND NOT {numbers.is_missing('told')} AND value IS NULL"
        )
        values = {"count": lost, "row": row, "kind": f"tables.kind_{one.kind}"}
        if strict:
            kind = "times" if one.kind in TIMED else "cells"
            problems.append(Problem(f"tables.bad_{kind}", values, file.name, field=one.wanted.name))
        one.tell("decided_emptied", assumed=True, **values)
    DataError.refuse(problems)


def _tell_clock_changes(table: Table, work: Sequence[Work], zone: str) -> None:
    """Tell the local times that a change of the clocks leaves out, or gives twice."""
    for one in work:
        free = _free_name(table)
        local = one.local.replace(TOLD, free) if one.staged else one.local
        query = f"SELECT *, {numbers.plain(one.text)} AS {free} FROM {table.relation}"
        which = dates.local_condition(free) if one.staged else "true"
        query = f"SELECT {local} AS local FROM ({query}) WHERE {which}"
        gap, fold = dates.zone_troubles("local", zone)
        ((gaps, folds),) = table.fetch(
            f"SELECT count(*) FILTER ({gap}), count(*) FILTER ({fold}) FROM ({query})"
        )
        for key, count in (("decided_gap", gaps), ("decided_fold", folds)):
            if count:
                one.tell(key, assumed=True, zone=zone, count=count)


def _reject(table: Table, work: Sequence[Work], source: str) -> tuple[int, list[Rejection], str]:
    """Return how many rows lack what they cannot be used without, the first of them, and the condition."""
    needed = [one.wanted.name for one in work if one.wanted.column.required]
    if not needed:
        return 0, [], ""
    lacking = " OR ".join(f"{quoted(name)} IS NULL" for name in needed)
    ((count,),) = table.fetch(f"SELECT count(*) FROM {source} WHERE {lacking}")
    if not count:
        return 0, [], lacking
    first = " ".join(f"WHEN {quoted(name)} IS NULL THEN {literal(name)}" for name in needed)
    rows = table.fetch(
        f"SELECT {ROW} + 1, CASE {first} END FROM {source} WHERE {lacking} ORDER BY 1 LIMIT {MOST_TOLD}"
    )
    told = [Rejection(row, "tables.rejected_required", {"column": name}) for row, name in rows]
    return count, told, lacking
