"""Where the header of a table is, and what around its rows is none of them.

Titles and comments above, second and third heading rows, units, totals and footers below: told
where the cells prove them, asked where they do not.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from statistics import median_low
from typing import Any

from opslab.tables import dates, numbers
from opslab.tables.import_report import MOST_TOLD, Decision, Rejection
from opslab.tables.records import Record
from opslab.tables.source import ROW, Opening, Table, literal, quoted

_HEAD_ROWS = 200
_TITLES = 20  # rows that a report may put above its header
_HEADINGS = 2  # rows below the header that may belong to it
_TYPED = 0.8  # share of a column's cells that are of its kind
_SENTENCE = 5  # words
_LAST_ROWS, _SUMMED = 30, 50
_FEWEST = 2  # rows to compare a last one with
_ROUNDING = 0.01  # of a total
_JOINT = " / "
_YEARS = {str(year) for year in range(1900, 2101)}
_TYPES = ("number", "date")
_UNIT = re.compile(
    r"[\[(].*[\])]|[%€$£#°]|[a-z]{3}/[a-z]+|k?€|usd|eur|gbp|chf|k?[gm]|[cm]m|h|hrs?|hours?|heures?|"
    r"mins?|minutes?|s|secs?|seconds?|secondes?|ms|days?|jours?|units?|unites?|count|text|date|n"
)
_TOTAL = re.compile(r"((grand |sub|sous-)?total|totaux|somme|sum|(gesamt)?summe|gesamt)\b.*")


@dataclass
class Layout:
    """What the first rows of a table are.

    Attributes
    ----------
    header : list of str
        A heading for each column.
    end : int
        The last line or row of the header, or of what is above the rows where there is none.
    decisions : list of Decision
    """

    header: list[str]
    end: int
    decisions: list[Decision] = field(default_factory=list)


def layout_of(opening: Opening, records: Sequence[Record]) -> Layout:
    """Return the layout of a table from its first rows and the answers.

    Raises
    ------
    DataError
        When no row is there, or the question where its header is.
    """
    answers = opening.answers
    rows = [record for record in records[:_HEAD_ROWS] if record.line > (answers.skip_rows or 0)]
    width = max(
        Counter(len(row.cells) for row in rows if row.cells).items(),
        key=lambda item: (item[0] > 1, item[1], item[0]),
        default=(0, 0),
    )[0]
    if not width:
        raise opening.error("tables.empty_file")
    if answers.header == "none":
        above = next(row for row in rows if row.cells and len(row.cells) == width)
        return Layout([""] * width, above.line - 1, [Decision("tables.decided_no_header")])
    if answers.header is not None:
        named = [answers.header] if isinstance(answers.header, int) else answers.header
        headings = [row for row in rows if row.line in named and row.cells]
        if len(headings) < len(set(named)):
            raise opening.error("tables.no_heading_row", rows=list(named))
        first, count = rows.index(headings[0]), len(headings)
        below = [row.cells for row in rows if row.cells and row.line > headings[-1].line]
    else:
        first = _first(opening, rows, width)
        below = [row.cells for row in rows[first + 1 :] if row.cells and len(row.cells) == width]
        count = 1 + _further_headings(rows[first], below)
        headings = [row for row in rows[first:] if row.cells][:count]
        below = below[count - 1 :]
        _ask_header(opening, rows[first], below)
    layout = Layout(_joined([row.cells or [] for row in headings]), headings[-1].end)
    if headings[0] is not rows[0]:
        passed = {"count": headings[0].line - 1}
        layout.decisions.append(Decision("tables.decided_preamble", passed))
    if count > 1:
        layout.decisions.append(
            Decision("tables.decided_headings", {"count": count}, assumed=answers.header is None)
        )
    _fit_header(opening, layout, headings[0], below, width)
    return layout


def _filled(cells: Sequence[str]) -> int:
    return sum(bool(cell.strip()) for cell in cells)


def _first(opening: Opening, rows: Sequence[Record], width: int) -> int:
    """Return which row is the first that can be a header: what is above it are titles."""
    counts = [_filled(row.cells or ()) for row in rows if len(row.cells or ()) == width]
    usual = median_low(list(filter(None, counts)) or [0])
    for number, row in enumerate(rows[: _TITLES + 1]):
        cells = [cell.strip() for cell in row.cells or ()]
        last = max((place for place, cell in enumerate(cells, 1) if cell), default=0)
        fits = len(cells) == width or len(cells) > width == last > 1
        if 1 < len(cells) == width - 1:  # a header as R writes it, above a row of numbers
            below = rows[number + 1].cells if number + 1 < len(rows) else None
            fits = not {*_TYPES}.isdisjoint(map(_kind, below or ()))
        comment = width == 1 and re.match("(#|//) ", "".join(cells))
        several = len({*cells} - {""}) >= min(2, width, usual)  # no title over all columns
        if fits and not comment and several and 2 * _filled(cells) >= usual:
            for above in rows[:number]:
                if above.cells is None:
                    raise opening.error("tables.open_quote", line=above.line)
            return number
    return 0


def _kind(cell: str) -> str:
    """Return what a cell is: a number, a date, a text, or nothing."""
    if numbers.plain_text(cell) in numbers.MISSING:
        return ""
    if numbers.looks_like_number(cell):
        return "number"
    return "date" if dates.looks_like_date(cell) else "text"


def _kinds(below: Sequence[Sequence[str]], width: int) -> list[str]:
    """Return the kind of each column, as most of its cells are."""
    kinds = []
    for cells in [*zip(*below, strict=True)] or [()] * width:
        seen = Counter(filter(None, map(_kind, cells)))
        kind, count = max(seen.items(), key=lambda item: item[1], default=("", 0))
        kinds.append(kind if count >= _TYPED * seen.total() else "text")
    return kinds


def _further_headings(header: Record, below: Sequence[Sequence[str]]) -> int:
    """Return how many rows below the header belong to it."""
    for count in range(min(_HEADINGS, len(below) - 1), 0, -1):
        kinds = _kinds(below[count:], len(below[0]))
        if all(
            _continues(header.cells or [], cells, kinds, below[count:]) for cells in below[:count]
        ):
            return count
    return 0


def _continues(
    header: Sequence[str],
    cells: Sequence[str],
    kinds: Sequence[str],
    below: Sequence[Sequence[str]],
) -> bool:
    """Whether a row below the header is one of headings or units too."""
    filled = [cell for cell in cells if cell.strip()]
    if all(cell.startswith('{"ImportId"') for cell in filled):  # as Qualtrics writes it
        return bool(filled)
    if not filled or {"number", "date"} & set(map(_kind, cells)):
        return False
    typed = [place for place, kind in enumerate(kinds) if kind in _TYPES]
    # a text in a column of numbers, and in none of the rows below
    against = [
        place
        for place in typed
        if _kind(cells[place]) and all(row[place] != cells[place] for row in below)
    ]
    units = all(_UNIT.fullmatch(numbers.plain_text(cell)) for cell in filled)
    named = [place for place, heading in enumerate(header) if heading.strip()]
    grouped = any(cells[place].strip() for place in range(len(cells)) if place not in named)
    blank = [place for place in named if place < len(cells) and not cells[place].strip()]
    return bool(
        (units and against)
        or (len(against) > 1 and 2 * len(against) >= len(typed))
        or (grouped and (against or set(blank) & set(typed) or 2 * len(blank) >= len(named)))
    )


def _ask_header(opening: Opening, header: Record, below: Sequence[Sequence[str]]) -> None:
    """Raise the question whether the first row is a header, where it looks like those below."""
    cells = header.cells or []
    if not below or len(cells) != len(below[0]):
        return
    others = [row for row in below if row != cells]
    repeated, below = len(others) < len(below), others or below
    kinds, own = _kinds(below, len(cells)), list(map(_kind, cells))
    years = "text" in own and _YEARS.issuperset(
        cell.strip() for cell, kind in zip(cells, own, strict=True) if kind in _TYPES
    )
    against = proofs = 0
    for place, (cell, kind, usual) in enumerate(zip(cells, own, kinds, strict=True)):
        column = [row[place] for row in below if row[place].strip()]
        if kind == "text" and usual != "text":
            proofs += bool(usual)
        elif kind == "text" and column:
            against += cell in column or _is_alike(cell, column)
        elif kind == usual and kind and not years:
            against += 1
    against += repeated and not proofs
    if against and against >= proofs:
        content = ", ".join(cell.strip() for cell in cells if cell.strip())[:60]
        raise opening.error("tables.ask_header", line=header.line, row=header.line, content=content)


def _is_alike(cell: str, column: Sequence[str]) -> bool:
    """Whether a text is one of a column's own kind: a code of its form, or a sentence."""

    def form(text: str) -> str:
        return re.sub("[0-9]+", "9", re.sub("[A-Za-z]+", "a", text))

    if any(sign.isdecimal() for sign in cell):
        return sum(form(other) == form(cell) for other in column) >= _TYPED * len(column)
    sentence = len(cell.split()) >= _SENTENCE and not cell.rstrip().endswith(("?", ":", "*"))
    return sentence and median_low(len(other.split()) for other in column) >= _SENTENCE


def _joined(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a heading for each column, of rows of which the first may stand over several."""
    if len(rows) == 1:
        return list(rows[0])
    rows = [row for row in rows if not any(cell.startswith('{"ImportId"') for cell in row)]
    last = set(map(numbers.plain_text, rows[-1])) - {""}
    if len(last) == len(rows[-1]) > len(set(rows[0]) - {""}):  # below headings of groups
        return list(rows[-1])
    over = ""
    headings = []
    for cells in zip_longest(*rows, fillvalue=""):
        over = cells[0].strip() or (over if any(cells[1:]) else "")
        parts: dict[str, str] = {}
        for part in (over, *cells[1:]):
            parts.setdefault(re.sub(r"\W", "", numbers.plain_text(part)), " ".join(part.split()))
        headings.append(_JOINT.join(filter(None, parts.values())))
    return headings


def _fit_header(
    opening: Opening, layout: Layout, first: Record, below: Sequence[Sequence[str]], width: int
) -> None:
    """Make the header as wide as the rows where a cell is missing, or too much, at an end."""
    header = layout.header
    while len(header) > width and not header[-1].strip():
        header.pop()
    if len(header) != width - 1 or not below:
        return
    if not any(cells[-1].strip() for cells in below):
        header.append("")
        return
    names = [cells[0] for cells in below]  # of the rows, as R writes them
    if opening.answers.header is None and (
        len(set(names)) < len(names) or re.match(r"\W*(id|key|nr|no)\b", header[0].lower())
    ):
        values = {"line": first.line, "row": first.line, "columns": len(header), "found": width}
        raise opening.error("tables.ask_short_header", **values)
    header.insert(0, "")
    layout.decisions.append(Decision("tables.decided_row_names", assumed=True))


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
    counts = table.aggregates(
        f"count(*) FILTER ({condition or 'false'})" for condition in conditions.values()
    )
    _refuse_further_tables(opening, table, names)
    for (key, condition), count in zip(conditions.items(), counts, strict=True):
        table = _without(table, key, condition, count)
    cells = ", ".join(f"coalesce({name}, '')" for name in names)
    last = table.fetch(
        f"SELECT {ROW}, {cells} FROM {table.relation} ORDER BY {ROW} DESC LIMIT {_LAST_ROWS}"
    )
    feet, totals = list[int](), list[int]()
    while len(last) > _FEWEST and _is_footer(last[0][1:], last[1:]):
        feet.append(last.pop(0)[0])
    if opening.answers.totals != "keep":
        while len(last) > _FEWEST and _is_total(opening, table, last):
            totals.append(last.pop(0)[0])
    for key, rows in (("tables.rejected_footer", feet), ("tables.rejected_total", totals)):
        table = _without(table, key, f"{ROW} >= {min(rows, default=0)}", len(rows))
    return table


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
        around = dict(
            table.fetch(
                f"SELECT {ROW}, {filled} FROM {table.relation} "
                f"WHERE {ROW} BETWEEN {row - 1} AND {row + 1}"
            )
        )
        if not around.get(row - 1) and around.get(row + 1, 0) > 1:
            raise opening.error("tables.several_tables", line=row + 1)


def _without(table: Table, key: str, condition: str, count: int) -> Table:
    """Leave out the rows that meet a condition, so many, and tell them."""
    if not count:
        return table
    rows = table.fetch(
        f"SELECT {ROW} + 1 FROM {table.relation} WHERE {condition} ORDER BY 1 LIMIT {MOST_TOLD}"
    )
    reading = table.reading.adding(
        [], [Rejection(row, key) for (row,) in rows], count, rows=table.reading.rows - count
    )
    relation = f"(SELECT * FROM {table.relation} WHERE NOT coalesce({condition}, false))"
    return replace(table, relation=relation, reading=reading)


def is_remark(cells: Sequence[str]) -> bool:
    """Whether a row is no row of a table: a first cell of words, and nothing else."""
    return bool(cells) and _kind(cells[0]) == "text" and not any(map(str.strip, cells[1:]))


def _is_footer(cells: Sequence[str], others: Sequence[Sequence[Any]]) -> bool:
    """Whether a last row is a remark: a text in the first cell, where others fill many."""
    usual = median_low(_filled(row[1:]) for row in others)
    return len(cells) >= _FEWEST < usual and is_remark(cells)


def _is_total(opening: Opening, table: Table, last: Sequence[Sequence[Any]]) -> bool:
    """Whether the last row adds the others up; raise where it only says so."""
    row, *cells = last[0]
    label = next((cell for cell in cells if cell.strip()), "")
    named = bool(_TOTAL.fullmatch(numbers.plain_text(label)))
    blank = not cells[0].strip() and all(other[1].strip() for other in last[1:])
    if not (named or blank):
        return False
    if opening.answers.totals == "drop":
        return True
    figures = {
        quoted(name): numbers.plain_text(cell)
        for name, cell in zip(table.types, cells, strict=True)
        if _kind(cell) == "number"
    }
    values = []  # in both notations: a column of one is none in the other
    for column in [*figures][:_SUMMED]:
        digits = f"regexp_replace({column}, '[^-0-9,.]', '', 'g')"
        for mark, other in (",.", ".,"):
            plain = f"replace(replace({digits}, '{mark}', ''), '{other}', '.')"
            values.append(f"TRY_CAST({plain} AS DOUBLE)")
    others, own = f"FILTER ({ROW} < {row})", f"FILTER ({ROW} = {row})"
    gaps = (
        table.aggregates(
            f"least(abs(sum({value}) {others} - max({value}) {own}), "
            f"abs(avg({value}) {others} - max({value}) {own})) < {_ROUNDING}"
            for value in values
        )
        if values
        else ()
    )
    if any(gaps):
        return True
    if named:
        content = ", ".join(filter(None, cells))[:60]
        raise opening.error("tables.ask_totals", line=row + 1, row=row + 1, content=content)
    return False
