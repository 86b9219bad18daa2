"""From columns of text to columns of numbers, times and lists, each decided over all rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, replace

from opslab.errors import DataError, Problem
from opslab.tables import column_kinds, dates, numbers
from opslab.tables.column_kinds import TIMED, WRITTEN, Draft, File, Wanted, decide, refusal
from opslab.tables.dates import DateEvidence
from opslab.tables.import_report import MOST_TOLD, FileAnswers, Rejection
from opslab.tables.numbers import NumberEvidence
from opslab.tables.profiles import Kind
from opslab.tables.source import NUMBER_TYPES, ROW, Table, literal, quoted

_SAMPLE_ROWS, _SAMPLE_CELLS = 250, 20_000
_FEWEST_ROWS, _LAST_ROWS = 50, 50
_MANY = 50  # columns
_ALIKE = ("duration", "boolean")
_SHAPE = "regexp_replace(text, ':[0-5][0-9]', ':00', 'g')"  # minutes tell nothing of a notation
_EMAIL = r"(?:^|\x1f)[^@\s\x1f]+@[^@\s\x1f]+\.[A-Za-z]{2,}(?:$|\x1f)"


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
    column_kinds.take_instants(table, drafts)
    free = [draft for draft in drafts if not draft.value]
    _weigh(table, [draft for draft in free if draft.kind in TIMED], DateEvidence, _SHAPE)
    _weigh(table, [draft for draft in free if draft.kind in _ALIKE], NumberEvidence, _SHAPE)
    others = [draft for draft in free if draft.kind not in (*TIMED, *_ALIKE)]
    _weigh(table, others, NumberEvidence)
    sure = [draft for draft in drafts if len(draft.proofs) == 1]  # by themselves
    proofs = {proof: draft.wanted.name for draft in reversed(sure) for proof in draft.proofs}
    file = File(table.reading.name, answers, proofs, day_first_assumed)
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
            draft.tell("decided_list", assumed=kind is None, count=len(columns))
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
    if wanted in ("number", "percent", *WRITTEN) and kind.startswith(NUMBER_TYPES):
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
    """Give a kind to columns that have none, as some rows look; text to all others."""
    undecided = [draft for draft in drafts if not draft.value and draft.kind is None]
    if not undecided:
        return
    rows = min(max(_SAMPLE_CELLS // len(undecided), _FEWEST_ROWS), _SAMPLE_ROWS)
    texts = ", ".join(draft.text for draft in undecided)
    ends = f"{ROW} < {rows} OR {ROW} >= {table.extent - _LAST_ROWS}"
    head = table.fetch(f"SELECT {texts} FROM {table.relation} WHERE {ends}")
    samples = {
        draft: [row[number] for row in head if row[number] is not None]
        for number, draft in enumerate(undecided)
    }
    bare = [draft for draft, cells in samples.items() if not _filled(cells)]
    if bare:
        firsts = dict(
            table.fetch(
                f"SELECT nth, arg_min(text, {ROW}) FROM {_long(table, bare)} "
                f"WHERE NOT {numbers.is_missing(numbers.plain('text'))} GROUP BY nth"
            )
        )
        for position, draft in enumerate(bare):
            samples[draft] = [firsts[position]] if position in firsts else []
    for draft, cells in samples.items():
        _guess_kind(draft, cells)


def _guess_kind(draft: Draft, cells: Sequence[str]) -> None:
    """Give a kind to one column: what more than half of some cells are."""
    filled = _filled(cells)
    most = len(filled) / 2
    draft.counting = dates.numbered(draft.wanted.sources[0], filled) if filled else ""
    draft.form = None if draft.counting else numbers.machine_form(cells)
    if draft.counting:
        draft.kind = "datetime"
    elif sum(map(numbers.looks_like_number, filled)) > most:
        draft.kind = "number"
    elif sum(map(dates.looks_like_date, filled)) > most and not dates.look_like_versions(filled):
        draft.kind = "datetime"
    else:
        draft.kind, draft.value = "text", draft.text
        if filled and all(map(numbers.looks_like_duration, filled)):
            draft.tell("decided_kept_text", assumed=True, question="tables.kept_durations")


def _filled(cells: Sequence[str]) -> list[str]:
    return [cell for cell in cells if numbers.plain_text(cell) not in numbers.MISSING]


def _long(table: Table, drafts: Sequence[Draft], condition: str = "true") -> str:
    """Return SQL of the cells of columns, one a row: its text, its column's position, its row.

    The engine plans an expression over them once, and not for each of thousands of columns.
    """
    texts = _listed(drafts)
    return (
        f"(SELECT * FROM (SELECT unnest({texts}) AS text, unnest(range({len(drafts)})) AS nth, "
        f"{ROW} FROM {table.relation} WHERE {condition}) WHERE text IS NOT NULL)"
    )


def _listed(drafts: Iterable[Draft]) -> str:
    return f"[{', '.join(draft.text for draft in drafts)}]"


def _with_any(table: Table, drafts: Sequence[Draft], condition: Callable[[str], str]) -> set[int]:
    """Return the positions of the columns in which some cell meets a condition."""
    if not drafts:
        return set()
    rows = " OR ".join(condition(f"({draft.text})") for draft in drafts)
    if len(drafts) > _MANY:  # slower by row, but planned once
        rows = f"len(list_filter({_listed(drafts)}, lambda text: {condition('text')})) > 0"
    cells = _long(table, drafts, rows)
    positions = table.fetch(f"SELECT DISTINCT nth FROM {cells} WHERE {condition('text')}")
    return {position for (position,) in positions}


def _take_machine_forms(table: Table, drafts: Sequence[Draft], zone: str | None) -> None:
    """Take columns as a program wrote them where all of their cells fit its form."""
    free = [draft for draft in drafts if draft.form and not draft.value]
    for form in filter(None, dict.fromkeys(draft.form for draft in free)):
        formed = [draft for draft in free if draft.form == form]
        misfits = _with_any(table, formed, form.unfit)
        for position, draft in enumerate(formed):
            if position not in misfits:
                draft.value = f"TRY_CAST({draft.text} AS {form.type})"
                if form.type == "TIMESTAMP":
                    (count,) = table.aggregates([f"count({draft.text})"])
                    _in_zone(draft, zone, count)


def _weigh(
    table: Table,
    drafts: Sequence[Draft],
    kind: type[NumberEvidence | DateEvidence],
    alike: str = "",
) -> None:
    """Count what the cells of each column tell, in one pass: once for those that are alike."""
    if not drafts:
        return
    bare, conditions, others = kind.sql()
    flags = ", ".join(f"{sql} AS {quoted(name)}" for name, sql in conditions.items())
    times = "CAST(coalesce(sum(times){}, 0) AS BIGINT)" if alike else "count(*){}"
    counts = [times.format(f" FILTER ({quoted(name)})") for name in conditions]
    cells = _long(table, drafts)
    grouped = f"arg_min(text, {ROW}) AS text, min({ROW}) AS {ROW}, count(*) AS times FROM {cells}"
    cells = f"(SELECT nth, {grouped} GROUP BY nth, {alike})" if alike else cells
    counts.append(f"arg_min({{'row': {ROW}, 'cell': text}}, {ROW}) FILTER (neither)")
    rows = table.fetch(
        f"SELECT nth, {', '.join([*counts, *others])} FROM ("
        f"SELECT *, {flags} FROM (SELECT *, {bare} AS bare FROM ("
        f"SELECT *, {numbers.plain('text')} AS cell FROM {cells}))) GROUP BY nth"
    )
    evidence = {position: values for position, *values in rows}
    for position, draft in enumerate(drafts):
        draft.evidence = kind(*evidence.get(position, [0] * len(fields(kind))))
        draft.bare = bare
        if draft.evidence.words:
            draft.tell("decided_words", count=draft.evidence.words)


def _mark_addresses(table: Table, drafts: Sequence[Draft]) -> None:
    """Mark the columns in which an e-mail address stands, wherever it does."""
    texts = [
        draft for draft in drafts if draft.wanted.kind is None and draft.kind in ("text", "list")
    ]
    joined = [
        draft
        if draft.kind == "text"
        else replace(draft, text=f"array_to_string({draft.value}, chr(31))")
        for draft in texts
    ]
    for position in _with_any(table, joined, _has_address):
        texts[position].personal = True


def _has_address(text: str) -> str:
    return f"contains({text}, '@') AND regexp_matches({text}, {literal(_EMAIL)})"


def _result(table: Table, drafts: Sequence[Draft], file: File, *, strict: bool) -> Table:
    """Return the table of the values; cells that were no such value are told or refused."""
    staged = [draft for draft in drafts if draft.bare]
    source = f"({_query(table, drafts)})"
    # a frame is not seen by the cursors of other threads
    if staged or table.reading.format == "frame":
        table.keep("typed", _query(table, drafts))
        source = "typed"
        _tell_emptied(table, staged, file, strict=strict)
    column_kinds.tell_clock_changes(table, [draft for draft in drafts if draft.local], file)
    unusable = {
        draft.wanted.name: condition for draft in drafts if (condition := _unusable(draft.wanted))
    }
    lacking = " OR ".join(unusable.values()) or "false"
    rows, rejected = table.aggregates(["count(*)", f"count(*) FILTER ({lacking})"], source)
    if 0 < rows == rejected:
        raise DataError.of("tables.lost_rows", file=file.name, rows=rows, names=list(unusable))
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
    # the engine may give a name in another case
    types = {draft.wanted.name: row[1] for draft, row in zip(drafts, described, strict=True)}
    return replace(table.over(source, types, reading), headings=headings, written=table)


def _query(table: Table, drafts: Sequence[Draft]) -> str:
    """Return the query of all values: columns of one reading are read together, as one list."""
    groups: dict[str, list[Draft]] = {}
    for draft in drafts:
        if draft.bare:
            groups.setdefault(draft.value, []).append(draft)
    free = "c" * (1 + max(map(len, table.types)))  # longer than any name of a column
    inner, values = ["*"], dict[Draft, str]()
    for number, (value, group) in enumerate(groups.items()):
        read = dates.once("bare", group[0].bare, value)
        read = dates.once("cell", numbers.plain("text"), read)
        read = f"coalesce({group[0].quick}, {read})"  # the second where there is no first
        inner.append(f"list_transform({_listed(group)}, lambda text: {read}) AS {free}{number}")
        values |= {draft: f"{free}{number}[{n}]" for n, draft in enumerate(group, 1)}
    values = {draft: values.get(draft, draft.value) for draft in drafts}
    if table.reading.format not in ("csv", "parquet", "frame"):  # so numbers are marked
        for draft, value in values.items():
            if draft.kind == "text":
                values[draft] = numbers.as_written(value)
            elif draft.kind == "list":
                values[draft] = f"list_transform({value}, lambda x: {numbers.as_written('x')})"
    columns = [f"{value} AS {quoted(draft.wanted.name)}" for draft, value in values.items()]
    query = f"SELECT {', '.join(inner)} FROM {table.relation}"
    return f"SELECT {', '.join(columns)}, {ROW} FROM ({query})"


def _tell_emptied(table: Table, staged: Sequence[Draft], file: File, *, strict: bool) -> None:
    """Tell or refuse the cells that are given and became no value."""
    if not staged:
        return
    problems = list[Problem]()
    counts = table.aggregates((f"count({quoted(draft.wanted.name)})" for draft in staged), "typed")
    for draft, kept in zip(staged, counts, strict=True):
        given = draft.evidence.given if draft.evidence else 0
        lost = given - kept
        if not lost or draft.wanted.column.or_text:  # a sheet tells each of them
            continue
        row, cell = table.aggregates(
            [f"min({ROW}) + 1, arg_min(text, {ROW})"],
            f"(SELECT {draft.text} AS text, {ROW} FROM {table.relation}) "
            f"JOIN (SELECT {quoted(draft.wanted.name)} AS value, {ROW} FROM typed) USING ({ROW}) "
            f"WHERE value IS NULL AND NOT {numbers.is_missing(numbers.plain('text'))}",
        )
        values = {"count": lost, "row": row, "cell": numbers.excerpt(cell)}
        if key := refusal(draft, lost, strict=strict):
            problems.append(
                Problem(key, {**values, "given": given}, file.name, field=draft.wanted.sources[0])
            )
        elif not draft.wanted.column.required:
            draft.tell("decided_emptied", assumed=True, kind=f"tables.kind_{draft.kind}", **values)
    DataError.refuse(problems)


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
