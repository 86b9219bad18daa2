"""What stands below the rows of a table, or between them, and is none of them: told, or asked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from statistics import median_low

from opslab.tables import numbers
from opslab.tables.import_report import MOST_TOLD, Rejection
from opslab.tables.layout import TYPES, filled_count, kind_of, kinds_of
from opslab.tables.source import ROW, Opening, Table, literal, quoted

_LAST_ROWS, _LAST_LINES, _SUMMED = 30, 1_000, 50
_FEWEST = 2  # rows to compare a last one with
_ROUNDING = 0.01  # of a total
_TOTAL = re.compile("(grand |sub|sous-)?total|somme|sum|summe|gesamt|insgesamt")
_NAMED_TOTAL = (
    "(?is)[ :]*(totals?|totale|totaux|total général|(grand |sub|sous-)total|total: .*|somme|sum|"
    "summe|gesamt|gesamtsumme|insgesamt|average|moyenne|durchschnitt|mittelwert)[ :]*"
)
_MARKED = re.compile(r"\W|[^.]*:")  # as a remark begins
_DIGIT = re.compile("[0-9]")


def without_foot(opening: Opening, table: Table) -> Table:
    """Leave out repeated headings, footers and totals below the rows, and tell them.

    Raises
    ------
    DataError
        With the question whether a row is a total, where its numbers are not the sums of others.
    """
    names = list(map(quoted, table.types))
    headings = dict(zip(names[:_SUMMED], table.headings, strict=False))
    repeated = [f"{name} = {literal(text)}" for name, text in headings.items() if text]
    conditions = {
        "tables.rejected_empty": " AND ".join(f"{name} IS NULL" for name in names),
        "tables.rejected_heading": " AND ".join(repeated) if len(names) > 1 else "",
    }
    _refuse_further_tables(opening, table, names)
    for key, condition in conditions.items():
        table = _without(table, key, condition or "false")
    # by their numbers first: to sort thousands of columns takes gigabytes
    near = f"WHERE {ROW} >= {table.extent - _LAST_LINES} ORDER BY 1 DESC LIMIT {_LAST_ROWS}"
    nearest = table.fetch(f"SELECT {ROW} FROM {table.relation} {near}") or [(0,)]
    last = sorted(_texts(table, f"WHERE {ROW} >= {nearest[-1][0]}"), reverse=True)
    feet = list[int]()
    while len(last) > _FEWEST and _is_footer(last[0][1], [texts for _, texts in last[1:]]):
        feet.append(last.pop(0)[0])
    if feet:
        table = _without(table, "tables.rejected_footer", f"{ROW} >= {min(feet)}")
    if opening.answers.totals != "keep":
        table = _without_totals(opening, table, last)
    return table


def _texts(table: Table, which: str) -> list[tuple[int, list[str]]]:
    """Return rows with their texts, empty ones too."""
    rows = table.fetch(f"SELECT * FROM {table.relation} {which}")
    return [(row, [text or "" for text in texts]) for *texts, row in rows]


def _without(table: Table, key: str, condition: str) -> Table:
    """Leave out the rows that meet a condition, and tell them."""
    # a filter of conditions is soon done: the engine knows which columns have no empty cell
    rows = table.fetch(f"SELECT {ROW} + 1 FROM {table.relation} WHERE {condition} ORDER BY 1")
    if not rows:
        return table
    rejections = [Rejection(row, key) for (row,) in rows[:MOST_TOLD]]
    left = table.reading.rows - len(rows)
    reading = table.reading.adding([], rejections, len(rows), rows=left)
    relation = f"(SELECT * FROM {table.relation} WHERE NOT coalesce({condition}, false))"
    return replace(table, relation=relation, reading=reading)


def _refuse_further_tables(opening: Opening, table: Table, names: Sequence[str]) -> None:
    """Raise where a title stands between rows, below an empty one and above the next table."""
    if len(names) <= _FEWEST:
        return
    others = " AND ".join(f"{name} IS NULL" for name in names[1:])
    filled = " + ".join(f"({name} IS NOT NULL)::INTEGER" for name in names)
    titles = table.fetch(
        f"SELECT {ROW} FROM {table.relation} WHERE {names[0]} IS NOT NULL AND {others} "
        f"ORDER BY {ROW} LIMIT {MOST_TOLD}"
    )
    for (row,) in titles:
        around = {
            at: known
            for at, *known in table.fetch(
                f"SELECT {ROW}, {filled}, coalesce({names[0]}, '') FROM {table.relation} "
                f"WHERE {ROW} BETWEEN {row - 1} AND {row + 1}"
            )
        }
        (above, _), (below, cell) = (around.get(at, (0, "")) for at in (row - 1, row + 1))
        kinds = {*map(kind_of, (around[row][1], cell))}  # days in a column are no titles
        if row - 1 in around and above == 0 and below > 1 and not kinds < {*TYPES}:
            raise opening.error("tables.several_tables", line=row + 1)


def is_remark(cells: Sequence[str]) -> bool:
    """Whether a row is no row of a table: a first cell of words, and nothing else."""
    return bool(cells) and kind_of(cells[0]) == "text" and not any(map(str.strip, cells[1:]))


def _is_footer(cells: Sequence[str], others: Sequence[Sequence[str]]) -> bool:
    """Whether a last row is a remark: a text in a first column of none, where others fill many."""
    if median_low(map(filled_count, others)) <= _FEWEST or not is_remark(cells):
        return False
    column = [row[0] for row in others]
    codes = all(map(_DIGIT.search, column)) and not _DIGIT.search(cells[0])
    typed = kinds_of([[cell] for cell in column], 1)[0] in TYPES
    return codes or typed or bool(_MARKED.match(cells[0]))


def _without_totals(opening: Opening, table: Table, last: Sequence[tuple[int, list[str]]]) -> Table:
    """Leave out the rows that add the others up; raise where one only says so by its name."""
    column = quoted(next(iter(table.types)))
    label = f"lower(trim({column}, ' :'))"
    # soon seen: no total begins with a digit
    of_all = f"{column} > ':' AND {numbers.matches(column, _NAMED_TOTAL)}"
    rows = _texts(table, f"WHERE {of_all} LIMIT {MOST_TOLD}")
    named = {row for row, _ in rows}
    if named:  # Excel's own subtotals
        rows += _texts(table, f"WHERE {label} LIKE '% total' AND NOT ({of_all})")
    if len(last) > _FEWEST and last[0][0] not in named:
        (row, texts), *others = last
        if not texts[0].strip() and all(other[0].strip() for _, other in others):
            rows.append((row, texts))
            named |= {row} if opening.answers.totals else set()
        elif _TOTAL.match(numbers.plain_text("".join(texts))):
            rows.append((row, texts))
    totals = []
    kept = f"FILTER ({ROW} NOT IN ({', '.join(str(row) for row, _ in rows)}))"
    for row, texts in rows:
        fits = _sums(table, row, texts, kept)
        said = any(fits) or opening.answers.totals if row in named else fits and all(fits)
        if said or (row not in named and texts[0].lower().endswith(" total")):
            totals.append(row)
        elif row in named:
            content = ", ".join(filter(None, texts))[:60]
            raise opening.error("tables.ask_totals", line=row + 1, content=content)
    if not totals:
        return table
    return _without(table, "tables.rejected_total", f"{ROW} IN ({', '.join(map(str, totals))})")


def _sums(table: Table, row: int, texts: Sequence[str], others: str) -> tuple[bool, ...]:
    """Return of each number in a row whether it is the sum of those in the others."""
    columns = zip(map(quoted, table.types), texts, strict=True)
    fits = []
    for column in [name for name, cell in columns if kind_of(cell) == "number"][:_SUMMED]:
        digits = f"regexp_replace({column}, '[^-0-9,.]', '', 'g')"
        sums = []  # in both notations: a column of one is none in the other
        for mark, other in (",.", ".,"):
            value = f"TRY_CAST(replace(replace({digits}, '{mark}', ''), '{other}', '.') AS DOUBLE)"
            own = f"max({value}) FILTER ({ROW} = {row})"
            sums.append(f"abs(sum({value}) {others} - {own}) < {_ROUNDING} AND {own} <> 0")
        fits.append(f"coalesce({' OR '.join(sums)}, false)")
    return table.aggregates(fits) if fits else ()
