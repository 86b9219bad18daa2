"""Where the header of a table is, and what around its rows is none of them.

Titles and comments above, second and third heading rows, units, totals and footers below: told
where the cells prove them, asked where they do not.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import zip_longest
from operator import eq
from statistics import median_low

from opslab.tables import dates, numbers
from opslab.tables.dialect import head_rows
from opslab.tables.import_report import Decision
from opslab.tables.records import Record
from opslab.tables.source import Opening

_TITLES = 20  # rows that a report may put above its header
_HEADINGS = 2  # rows below the header that may belong to it
_TYPED = 0.8  # share of a column's cells that are of its kind
_SENTENCE = 5  # words
_JOINT = " / "
_YEARS = {str(year) for year in range(1900, 2101)}
TYPES = ("number", "date")
_UNIT = re.compile(
    r"[\[(].*[\])]|[%€$£#°]|[a-z]{3}/[a-z]+|k?€|usd|eur|gbp|chf|k?[gm]|[cm]m|h|hrs?|hours?|heures?|"
    r"mins?|minutes?|s|secs?|seconds?|secondes?|ms|days?|jours?|units?|unites?|count|text|date|n"
)


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
    head = records[: head_rows(opening)]
    rows = [record for record in head if record.line > (answers.skip_rows or 0)]
    width = max(
        Counter(len(row.cells) for row in rows if row.cells).items(),
        key=lambda item: (item[0] > 1, item[1], item[0]),
        default=(0, 0),
    )[0]
    if not width:
        raise opening.error("tables.empty_file")
    if answers.header == "none":
        top = next(row for row in rows if len(row.cells) == width)
        names = [f"column {number}" for number in range(1, width + 1)]
        layout = Layout(names, top.line - 1, [Decision("tables.decided_no_header")])
        if top is not head[0]:
            layout.decisions.append(Decision("tables.decided_preamble", {"count": layout.end}))
        return layout
    if answers.header is not None:
        named = [answers.header] if isinstance(answers.header, int) else answers.header
        headings = [
            row for row in rows if row.cells and any(row.line <= n <= row.end for n in named)
        ]
        if not headings or max(named) > headings[-1].end or min(named) < headings[0].line:
            raise opening.error("tables.no_heading_row", rows=list(named))
        first, count = rows.index(headings[0]), len(headings)
        below = [row.cells for row in rows if row.cells and row.line > headings[-1].line]
    else:
        first = _first(opening, rows, width)
        groups = rows[first - 1].cells if first else []
        again = Counter(rows[first].cells).most_common(1)[0][1] > 1  # n, sum, n, sum
        first -= again and len(groups) == width and len({*groups} - {""}) > 1
        below = [row.cells for row in rows[first + 1 :] if row.cells and len(row.cells) == width]
        count = 1 + _further_headings(opening, rows[first], below)
        headings = [row for row in rows[first:] if row.cells][:count]
        below = below[count - 1 :]
        _ask_header(opening, rows[first], below)
    layout = Layout(_joined([row.cells for row in headings]), headings[-1].end)
    if headings[0] is not head[0]:
        passed = {"count": headings[0].line - 1}
        layout.decisions.append(Decision("tables.decided_preamble", passed))
    if count > 1:
        layout.decisions.append(
            Decision("tables.decided_headings", {"count": count}, assumed=answers.header is None)
        )
    _fit_header(opening, layout, headings[0], below, width)
    return layout


def filled_count(cells: Sequence[str]) -> int:
    """Return how many cells hold something."""
    return sum(bool(cell.strip()) for cell in cells)


def _first(opening: Opening, rows: Sequence[Record], width: int) -> int:
    """Return which row is the first that can be a header: what is above it are titles."""
    counts = [filled_count(row.cells) for row in rows if len(row.cells) == width]
    usual = median_low(list(filter(None, counts)) or [0])
    for number, row in enumerate(rows[: _TITLES + 1]):
        cells = [cell.strip() for cell in row.cells]
        last = max((column for column, cell in enumerate(cells, 1) if cell), default=0)
        fits = len(cells) == width or len(cells) > width == last > 1
        below = rows[number + 1].cells if number + 1 < len(rows) else []
        if 1 < len(cells) == width - 1:  # a header as R writes it, above a row of numbers
            fits = not {*TYPES}.isdisjoint(map(kind_of, below))
        comment = width == 1 and re.match("(#|//) ", "".join(cells))
        several = len({*cells} - {""}) >= min(2, width, usual)  # no title over all columns
        index = cells and not cells[0] and filled_count(cells) == width - 1  # as pandas writes it
        setting = cells and cells[0].endswith(":")
        prose, other = (
            any(text.strip() and text[0] == " " for text in texts[1:])
            for texts in (row.cells, below)
        )
        setting = setting or (prose and not other and len(below) == width)
        named = fits and not comment and not setting and (several or index)
        if named and 2 * filled_count(cells) >= usual:
            break
    else:
        number = next(above for above, row in enumerate(rows) if len(row.cells) == width)
    for above in rows[:number]:
        if not above.cells:
            raise opening.error("tables.open_quote", line=above.line)
    return number


@lru_cache(1 << 14)
def kind_of(cell: str) -> str:
    """Return what a cell is: a number, a date, a text, or nothing."""
    if numbers.plain_text(cell) in numbers.MISSING:
        return ""
    if numbers.looks_like_number(cell):
        return "number"
    return "date" if dates.looks_like_date(cell) else "text"


def kinds_of(below: Sequence[Sequence[str]], width: int) -> list[str]:
    """Return the kind of each column, as most of its cells are."""
    kinds = []
    for cells in [*zip(*below, strict=True)] or [()] * width:
        seen = Counter(filter(None, map(kind_of, cells)))
        kind, count = max(seen.items(), key=lambda item: item[1], default=("", 0))
        kinds.append(kind if count >= _TYPED * seen.total() else "text")
    return kinds


def _further_headings(opening: Opening, header: Record, below: Sequence[Sequence[str]]) -> int:
    """Return how many rows below the header belong to it."""
    for count in range(min(_HEADINGS, len(below) - 1), 0, -1):
        kinds, own = kinds_of(below[count:], len(below[0])), header.cells
        signs = [_continues(own, cells, kinds, below[count:]) for cells in below[:count]]
        if all(signs):
            if "words" in signs and "import" not in signs:
                raise opening.error(
                    "tables.ask_headings",
                    line=header.end + 1,
                    row=header.line,
                    last=header.line + count,
                )
            return count
    return 0


def _continues(
    header: Sequence[str],
    cells: Sequence[str],
    kinds: Sequence[str],
    below: Sequence[Sequence[str]],
) -> str:
    """Return the sign by which a row below the header is one of headings too; none if it is not."""
    filled = [cell for cell in cells if cell.strip()]
    if all(cell.startswith('{"ImportId"') for cell in filled):  # as Qualtrics writes it
        return "import" if filled else ""
    years = [cell for cell in filled if kind_of(cell) in TYPES]
    if not filled or not _YEARS.issuperset(years):
        return ""
    typed = [column for column, kind in enumerate(kinds) if kind in TYPES]
    # a text in a column of numbers, and in none of the rows below
    against = [
        column
        for column in typed
        if kind_of(cells[column]) and all(row[column] != cells[column] for row in below)
    ]
    units = all(_UNIT.fullmatch(numbers.plain_text(cell)) for cell in filled)
    named = [column for column, heading in enumerate(header) if heading.strip()]
    repeated = len({*header} - {""}) < len(named) and len({*filled}) == len(filled)
    grouped = repeated or any(
        cells[column].strip() for column in range(1, len(cells)) if column not in named
    )
    blank = [column for column in named if column < len(cells) and not cells[column].strip()]
    if units and against:
        return "units"
    if grouped and (against or set(blank) & set(typed) or 2 * len(blank) >= len(named)):
        return "groups"
    if years or len({cells[column] for column in against}) < len(against):  # pending, pending
        return ""
    again = sum(map(eq, map(_spelled, cells), map(_spelled, header))) * 2 >= len(filled)
    if len(against) > 1 and 2 * len(against) >= len(typed):
        return "again" if again else "words"
    bare = len(named) < len(header) - 1 and len({*filled}) == len(cells)  # Contact,,Firm,
    return "words" if bare else ""


def _spelled(heading: str) -> str:
    """Return what is the same in all spellings of a heading."""
    return re.sub(r"\W", "", numbers.plain_text(heading))


def _ask_header(opening: Opening, header: Record, below: Sequence[Sequence[str]]) -> None:
    """Raise the question whether the first row is a header, where it looks like those below."""
    cells = header.cells
    if not below or len(cells) != len(below[0]):
        return
    others = [row for row in below if row != cells]
    repeated, below = len(others) < len(below), others or below
    kinds, own = kinds_of(below, len(cells)), list(map(kind_of, cells))
    typed = [cell.strip() for cell, kind in zip(cells, own, strict=True) if kind in TYPES]
    counts = [str(number) for number in range(len(typed))]
    series = "text" in own and (
        _YEARS.issuperset(typed) or typed in (counts, [str(int(count) + 1) for count in counts])
    )
    against = proofs = 0
    for number, (cell, kind, usual) in enumerate(zip(cells, own, kinds, strict=True)):
        column = [row[number] for row in below if row[number].strip()]
        if kind == "text" and usual != "text":
            proofs += bool(usual)
        elif kind == "text" and column:
            against += cell in column or _is_alike(cell, column)
        elif kind == usual and kind and not series:
            against += 1
    against += repeated and not proofs
    if against > proofs:
        content = ", ".join(cell.strip() for cell in cells if cell.strip())[:60]
        raise opening.error("tables.ask_header", line=header.line, row=header.line, content=content)


def _is_alike(cell: str, column: Sequence[str]) -> bool:
    """Whether a text is one of a column's own kind: a code of its form, or a sentence."""

    def form(text: str) -> str:
        return re.sub("[0-9]+", "9", re.sub("[A-Za-z]+", "a", text))

    if re.search("@|://", cell):
        return True
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
            parts.setdefault(_spelled(part), " ".join(part.split()))
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
        layout.decisions.append(Decision("tables.decided_trailing", assumed=True))
        return
    names = [cells[0] for cells in below]  # of the rows, as R writes them
    counted = names == [str(number) for number in range(1, len(names) + 1)]
    own = re.match(r"\W*(id|key|nr|no)\b", header[0].lower())  # names of rows, so none is lost
    if opening.answers.header is None and (own or not counted):
        raise opening.error(
            "tables.ask_short_header",
            line=first.line,
            row=first.line,
            columns=len(header),
            found=width,
        )
    header.insert(0, "")
    layout.decisions.append(Decision("tables.decided_row_names", assumed=True))
