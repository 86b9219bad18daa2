"""From columns of text to columns of numbers, times and lists, each decided over all rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from itertools import islice

from opslab.errors import DataError, Problem
from opslab.tables import dates, numbers
from opslab.tables.column_kinds import CELL, TIMED, Draft, File, Wanted, decide
from opslab.tables.dates import DateEvidence
from opslab.tables.import_report import MOST_TOLD, FileAnswers, Rejection
from opslab.tables.numbers import NumberEvidence
from opslab.tables.profiles import Kind
from opslab.tables.source import NUMBER_TYPES, ROW, Table, literal, quoted

_SAMPLE_ROWS, _SAMPLE_CELLS = 250, 20_000
_FEWEST_ROWS = 50
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
    zone = answers.timezone
    if zone and not table.fetch(f"SELECT 1 FROM pg_timezone_names() WHERE name = {literal(zone)}"):
        raise DataError.of("tables.no_zone", file=table.reading.name, zone=zone)
    drafts = [_draft(table, column, zone) for column in wanted]
    _guess_kinds(table, drafts)
    _take_machine_forms(table, drafts, zone)
    _weigh(table, [draft for draft in drafts if not draft.value])
    file = File.of(drafts, answers, table.reading.name, day_first_assumed=day_first_assumed)
    DataError.refuse([question for draft in drafts for question in decide(draft, file)])
    _mark_addresses(table, drafts)
    return _result(table, drafts, file, strict=strict)


def _draft(table: Table, wanted: Wanted, zone: str | None) -> Draft:
    columns = [quoted(source) for source in wanted.sources]
    kind, first = wanted.kind, table.types[wanted.sources[0]]
    if kind in ("list", "work_log") or (len(columns) > 1 and kind in (None, "text")):
        draft = Draft(wanted, "", kind if kind == "work_log" else "list")
        draft.value = _list(columns, first, wanted)
        if len(columns) > 1:
            draft.tell("decided_list", count=len(columns))
        return draft
    text = columns[0] if first == "VARCHAR" else f"CAST({columns[0]} AS VARCHAR)"
    if wanted.time:
        clock = f"CAST({quoted(wanted.time)} AS VARCHAR)"
        text = f"CASE WHEN {columns[0]} IS NOT NULL THEN concat_ws(' ', {text}, {clock}) END"
        return Draft(wanted, text, kind)
    draft = Draft(wanted, text, kind, _as_it_is(columns[0], first, kind))
    if draft.value and first.startswith("TIMESTAMP") and kind in (None, "datetime"):
        (count,) = table.aggregates([f"count({columns[0]})"])
        if first == "TIMESTAMP WITH TIME ZONE":
            draft.tell("decided_offsets", count=count)
        else:  # of seconds, milliseconds or finer
            draft.value = f"CAST({draft.value} AS TIMESTAMP)"
            _in_zone(draft, zone, count)
    return draft


def _in_zone(draft: Draft, zone: str | None, count: int) -> None:
    """Take the times that a column's value gives for those of a zone."""
    draft.tell_zone(zone, count)
    if zone:
        draft.local, draft.value = draft.value, dates.in_utc(draft.value, zone)


def _as_it_is(column: str, kind: str, wanted: Kind | None) -> str:
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
    texts = [f"CAST({column} AS VARCHAR)" for column in columns]
    items = f"[{', '.join(texts)}]"
    if len(columns) == 1 and kind.endswith("[]"):
        items = columns[0]
    elif len(columns) == 1:
        text, split = texts[0], wanted.column.split
        items = f"string_split({text}, {literal(split)})" if split else items
        items = (
            f"CASE WHEN starts_with({text}, '[') AND json_valid({text}) "
            f"THEN from_json({text}, '[\"VARCHAR\"]') ELSE {items} END"
        )
    trimmed = f"list_transform({items}, lambda x: trim(x))"
    filled = f"list_filter({trimmed}, lambda x: x IS NOT NULL AND x <> '')"
    if wanted.kind == "text":
        return f"nullif(array_to_string({filled}, chr(10)), '')"
    if wanted.kind != "work_log":
        return f"coalesce({filled}, [])"
    seconds = "lambda x: TRY_CAST(regexp_extract(x, ';([0-9]+)$', 1) AS DOUBLE)"
    return f"list_sum(list_transform({filled}, {seconds})) / 3600"


def _guess_kinds(table: Table, drafts: Sequence[Draft]) -> None:
    """Give a kind to columns that have none, as the first rows look; text to all others."""
    undecided = [draft for draft in drafts if not draft.value and draft.kind is None]
    if not undecided:
        return
    rows = min(max(_SAMPLE_CELLS // len(undecided), _FEWEST_ROWS), _SAMPLE_ROWS)
    texts = ", ".join(draft.text for draft in undecided)
    head = table.fetch(f"SELECT {texts} FROM {table.relation} LIMIT {rows}")
    samples = {
        draft: [row[number] for row in head if row[number] is not None]
        for number, draft in enumerate(undecided)
    }
    bare = [draft for draft, cells in samples.items() if not _filled(cells)]
    if bare:
        firsts = table.aggregates(
            f"any_value({draft.text}) FILTER (NOT {numbers.is_missing(numbers.plain(draft.text))})"
            for draft in bare
        )
        for draft, first in zip(bare, firsts, strict=True):
            samples[draft] = [] if first is None else [first]
    for draft, cells in samples.items():
        filled = _filled(cells)
        if filled and all(map(numbers.looks_like_number, filled)):
            draft.kind, draft.form = "number", numbers.machine_form(cells)
        elif (
            filled
            and all(map(dates.looks_like_date, filled))
            and not dates.look_like_versions(filled)
        ):
            draft.kind, draft.form = "datetime", dates.machine_form(cells)
        else:
            draft.kind, draft.value = "text", draft.text


def _filled(cells: Sequence[str]) -> list[str]:
    return [cell for cell in cells if numbers.plain_text(cell) not in numbers.MISSING]


def _take_machine_forms(table: Table, drafts: Sequence[Draft], zone: str | None) -> None:
    """Take columns as a program wrote them where all of their cells fit its form."""
    formed = {draft: draft.form for draft in drafts if draft.form}
    if not formed:
        return
    values = {draft: f"TRY_CAST({draft.text} AS {form.type})" for draft, form in formed.items()}
    counts = table.aggregates(
        f"count({draft.text}), "
        f"count({values[draft]}) FILTER ({numbers.matches(draft.text, form.pattern)})"
        for draft, form in formed.items()
    )
    for draft, given, fitting in zip(formed, counts[::2], counts[1::2], strict=True):
        if given == fitting:
            draft.value = values[draft]
            if formed[draft].type == "TIMESTAMP":
                _in_zone(draft, zone, given)


def _weigh(table: Table, drafts: Sequence[Draft]) -> None:
    """Count what the cells of each column tell, in one pass."""
    if not drafts:
        return
    kinds = [DateEvidence if draft.kind in TIMED else NumberEvidence for draft in drafts]
    plain = ", ".join(
        f"{numbers.plain(draft.text)} AS t{number}" for number, draft in enumerate(drafts)
    )
    counts = iter(
        table.aggregates(
            (count for number, kind in enumerate(kinds) for count in kind.sql(f"t{number}")),
            f"(SELECT {plain}, {ROW} FROM {table.relation})",
        )
    )
    for draft, kind in zip(drafts, kinds, strict=True):
        draft.evidence = kind(*islice(counts, len(fields(kind))))
        draft.staged = True
        if draft.evidence.words:
            draft.tell("decided_words", count=draft.evidence.words)


def _mark_addresses(table: Table, drafts: Sequence[Draft]) -> None:
    """Mark the columns in which an e-mail address stands, wherever it does."""
    texts = [
        draft for draft in drafts if draft.wanted.kind is None and draft.kind in ("text", "list")
    ]
    if not texts:
        return
    looks = [
        f"CASE WHEN contains({draft.value}, '@') THEN {numbers.matches(draft.value, _EMAIL)} "
        "ELSE false END"
        if draft.kind == "text"
        else f"len(list_filter({draft.value}, lambda x: {numbers.matches('x', _EMAIL)})) > 0"
        for draft in texts
    ]
    answers = table.aggregates(f"bool_or({look})" for look in looks)
    for draft, answer in zip(texts, answers, strict=True):
        draft.personal = bool(answer)


def _result(table: Table, drafts: Sequence[Draft], file: File, *, strict: bool) -> Table:
    """Return the table of the values; cells that were no such value are told or refused."""
    staged = [draft for draft in drafts if draft.staged]
    free = _free_name(table)
    inner, values = ["*"], []
    for number, draft in enumerate(drafts):
        value = draft.value
        if draft.staged:
            inner.append(f"{numbers.plain(draft.text)} AS {free}{number}")
            value = value.replace(CELL, f"{free}{number}")
        values.append(f"{value} AS {quoted(draft.wanted.name)}")
    query = f"SELECT {', '.join(inner)} FROM {table.relation}"
    query = f"SELECT {', '.join(values)}, {ROW} FROM ({query})"
    source = f"({query})"
    # a frame is not seen by the cursors of other threads
    if staged or table.reading.format == "frame":
        table.keep("typed", query)
        source = "typed"
        _tell_emptied(table, staged, file, strict=strict)
    _tell_clock_changes(table, [draft for draft in drafts if draft.local], file)
    unusable = {
        draft.wanted.name: condition for draft in drafts if (condition := _unusable(draft.wanted))
    }
    lacking = " OR ".join(unusable.values()) or "false"
    rows, rejected = table.aggregates(["count(*)", f"count(*) FILTER ({lacking})"], source)
    rejections = _rejections(table, source, unusable) if rejected else []
    if rejected:
        source = f"(SELECT * FROM {source} WHERE NOT ({lacking}))"
    names = ", ".join(quoted(draft.wanted.name) for draft in drafts)
    described = table.fetch(f"DESCRIBE SELECT {names} FROM {source}")
    reading = table.reading.adding(
        (decision for draft in drafts for decision in draft.decisions),
        rejections,
        rejected,
        rows=rows - rejected,
        columns=len(drafts),
        personal=tuple(
            draft.wanted.name for draft in drafts if draft.personal or draft.wanted.column.personal
        ),
    )
    headings = tuple(
        " + ".join((draft.wanted.sources[0], *filter(None, [draft.wanted.time])))
        for draft in drafts
    )
    types = {name: kind for name, kind, *_ in described}
    return replace(table.over(source, types, reading), headings=headings)


def _free_name(table: Table) -> str:
    """Return the beginning of a name that no column of the table has."""
    name = "plain_"
    while any(other.casefold().startswith(name) for other in table.types):
        name = f"_{name}"
    return name


def _tell_emptied(table: Table, staged: Sequence[Draft], file: File, *, strict: bool) -> None:
    problems = []
    optional = [draft for draft in staged if not draft.wanted.column.required]
    if not optional:
        return
    counts = table.aggregates(
        (f"count({quoted(draft.wanted.name)})" for draft in optional), "typed"
    )
    for draft, kept in zip(optional, counts, strict=True):
        lost = draft.evidence.given - kept if draft.evidence else 0
        if not lost:
            continue
        cell = numbers.plain(draft.text)
        (row,) = table.aggregates(
            [f"min({ROW}) + 1"],
            f"(SELECT {cell} AS cell, {ROW} FROM {table.relation}) "
            f"JOIN (SELECT {quoted(draft.wanted.name)} AS value, {ROW} FROM typed) USING ({ROW}) "
            f"WHERE cell IS NOT NULL AND NOT {numbers.is_missing('cell')} AND value IS NULL",
        )
        values = {"count": lost, "row": row, "kind": f"tables.kind_{draft.kind}"}
        if strict:
            key = "tables.bad_times" if draft.kind in TIMED else "tables.bad_cells"
            problems.append(Problem(key, values, file.name, field=draft.wanted.name))
        draft.tell("decided_emptied", assumed=True, **values)
    DataError.refuse(problems)


def _tell_clock_changes(table: Table, drafts: Sequence[Draft], file: File) -> None:
    """Tell the local times that a change of the clocks leaves out, or gives twice."""
    zone, free = file.answers.timezone or "", _free_name(table)
    for draft in drafts:
        plain = f"(SELECT *, {numbers.plain(draft.text)} AS {free} FROM {table.relation})"
        local, which = draft.local, "true"
        if draft.staged:
            local, which = local.replace(CELL, free), dates.is_local(free)
        counts = table.aggregates(
            [f"count(*) FILTER ({trouble})" for trouble in dates.zone_troubles("local", zone)],
            f"(SELECT {local} AS local FROM {plain} WHERE {which})",
        )
        for key, count in zip(("decided_gap", "decided_fold"), counts, strict=True):
            if count:
                draft.tell(key, assumed=True, zone=zone, count=count)


def _unusable(wanted: Wanted) -> str:
    """Return SQL of whether a row is left out for what is in a column; empty if it never is."""
    cell, column = quoted(wanted.name), wanted.column
    conditions = [f"coalesce({cell} GLOB {literal(form)}, false)" for form in column.leave_out]
    return " OR ".join([f"{cell} IS NULL"] * column.required + conditions)


def _rejections(table: Table, source: str, unusable: Mapping[str, str]) -> list[Rejection]:
    """Return the first rows that lack what they cannot be used without, or that are no data."""
    cases = " ".join(
        f"WHEN {condition} THEN [{literal(name)}, CAST({quoted(name)} AS VARCHAR)]"
        for name, condition in unusable.items()
    )
    rows = table.fetch(
        f"SELECT row, lacking[1], lacking[2] FROM (SELECT {ROW} + 1 AS row, CASE {cases} END "
        f"AS lacking FROM {source}) WHERE lacking IS NOT NULL ORDER BY 1 LIMIT {MOST_TOLD}"
    )
    return [
        Rejection(
            row, f"tables.rejected_{'cell' if cell else 'required'}", {"column": name, "cell": cell}
        )
        for row, name, cell in rows
    ]
