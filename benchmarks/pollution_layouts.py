"""Polluted text files whose table does not begin at the first line or end at the last."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pollution_kinds import END, Grid, Polluted, Truth, written

_UNITS = ("", "hh:mm", "h", "persons", "", "", "", "", "")
_PARTS = ("day", "time", "spent", "asked", "id", "part", "text", "address", "free text")
_GROUPS = ("When", "", "Effort", "", "Ticket", "", "", "", "")
_PREAMBLES = {
    "delimited": ["PREAMBLE" + "," * 8, "," * 8],
    "title": ["Open tickets"],
    "title_blank": ["Open tickets", ""],
    "title_comma": ["Open tickets, all teams"],
    "title_commas": ["Open tickets, all teams, first half, by day", ""],
    "title_filled": ["Open tickets" + "," * 8],
    "values": ["Report: open tickets", "Team: payments", "Exported: 2025-09-01", ""],
    "values_commas": ["Report,open tickets", "Teams,payments, search", "Exported,2025-09-01", ""],
    "comments": ["# exported 2025-09-01", "# filter: open, not archived"],
    "many": [f"Line {number} of what the tool has to say" for number in range(1, 9)],
    "sep": ["sep=,"],
    "blank": ["", ""],
}
_FOOTERS = {
    "delimited": ["FOOTNOTE" + "," * 8],
    "line": ["Source: tracker"],
    "line_blank": ["", "Source: tracker"],
    "commas": ["", "Source: tracker, all teams, first half"],
    "comments": ["# 83 rows"],
    "count": ["(83 rows affected)"],
    "many": ["", "Source: tracker", "Times are local.", "Confidential"],
    "blank": ["", "", ""],
}
_LOGIN = """<!DOCTYPE html>
<html lang="en"><head><title>Sign in, please</title></head>
<body><form action="/login" method="post">
<label>E-mail, or name</label><input name="user"/>
<label>Password</label><input name="password" type="password"/>
</form></body></html>
"""


def above(grid: Grid) -> Iterator[Polluted]:
    """Give files with lines above the header, with several header rows, and with units."""
    truth, (header, *rows) = grid.truth, grid.lines()
    names = [name for (name,) in truth.headings or ()]

    def polluted(kind: str, name: str, lines: list[str], *truths: Truth) -> Polluted:
        return Polluted(kind, name, written([*lines, *rows]).encode(), truths)

    for name, lines in _PREAMBLES.items():
        yield polluted("preamble", f"preamble_{name}", [*lines, header], truth)
    for name in ("title_comma", "comments", "values"):
        lines = [*_PREAMBLES[name], *grid.quoted(";")]
        content = written(lines).encode()
        yield Polluted("preamble", f"preamble_{name}_semicolon", content, (truth,))
    for count in (2, 3):
        heads = tuple(
            (name, *(mark.join([name] * count) for mark in (" ", " / "))) for name in names
        )
        again = replace(truth, headings=heads)
        yield polluted("header of several rows", f"same_{count}", [header] * count, again)
    second, third = ",".join(_PARTS), ",".join(f"q{number}" for number in range(9))
    for count, lines in ((2, [second]), (3, [second, third])):
        below = [line.split(",") for line in lines]
        joined = _joined([names, *below])
        plain = replace(truth, reports="head|row|unit", lost=len(lines))
        name = f"parts_{count}"
        yield polluted("header of several rows", name, [header, *lines], joined(truth), plain)
    units = ",".join(_UNITS)
    plain = replace(truth, reports="head|row|unit", lost=1)
    joined = _joined([names, list(_UNITS)])
    yield polluted("row of units", "units", [header, units], joined(truth), plain)
    groups = ",".join(_GROUPS)
    heads, group = [], ""
    for own, name in zip(_GROUPS, names, strict=True):
        group = own or group
        heads.append((name, f"{group} / {name}", f"{group} {name}"))
    grouped = replace(truth, headings=tuple(heads))
    yield polluted("grouped headings", "groups", [groups, header], grouped)


def _joined(rows: list[list[str]]):
    """Return what gives a truth whose headings are those of several rows, joined."""
    columns = [[text for text in column if text] for column in zip(*rows, strict=True)]
    heads = tuple(tuple(mark.join(texts) for mark in (" / ", " ")) for texts in columns)
    return lambda truth: replace(truth, headings=heads)


def below(grid: Grid) -> Iterator[Polluted]:
    """Give files with lines below the table: footers, totals, a second table."""
    truth, lines = grid.truth, grid.lines()

    def polluted(kind: str, name: str, more: list[str], *truths: Truth) -> Polluted:
        return Polluted(kind, name, written([*lines, *more]).encode(), truths)

    for name, more in _FOOTERS.items():
        yield polluted("footer", f"footer_{name}", more, truth)
    hours = sum(float(row[2]) for row in truth.rows)
    people = sum(int(row[3]) for row in truth.rows)
    for name, label in (("named", "Total"), ("blank", "")):
        total = f"{label},,{hours:.2f},{people},,,,,"
        yield polluted("totals", f"total_{name}", [total], truth)
    yield polluted("totals", "total_gap", ["," * 8, f"Total,,{hours:.2f},{people},,,,,"], truth)
    for name, width in (("less", 8), ("same", 9), ("more", 10)):
        second = [",".join((*row, "")[:width]) for row in grid.cells]
        second[0] = ",".join((*grid.cells[0], "Extra")[:width])
        first = replace(truth, reports="table", lost=len(lines) - 1)
        both = replace(truth, rows=truth.rows * 2, reports="table|head|row", lost=1)
        truths = (first, both) if name == "same" else (first,)
        for gap in ([], [""]):
            suffix = "_gap" if gap else ""
            yield polluted("two tables", f"tables_{name}{suffix}", [*gap, *second], *truths)


def by_tools(grid: Grid) -> Iterator[Polluted]:
    """Give files as R's write.table writes them, and a login page instead of a table."""
    truth = grid.truth
    names = [cell.strip('"') for cell in grid.cells[0]]
    numbered = tuple((str(number), *row) for number, row in enumerate(truth.rows, 1))
    index = ("", "column 1", "Unnamed: 0", "row_names", "index", "row", "column0")
    indexed = Truth((index, *(truth.headings or ())), numbered)
    for name, mark in (("r_comma", ","), ("r_space", " "), ("r_tab", "\t")):
        lines = [mark.join(f'"{name}"' for name in names)]
        for row in numbered:
            label, *cells = row
            texts = [f'"{label}"']
            for column, cell in enumerate(cells):
                number = column in (2, 3)
                texts.append(cell if number else '"' + cell.replace('"', '\\"') + '"')
            lines.append(mark.join(texts))
        content = written(lines, "\n").encode()
        kind = "header a cell short (R)"
        yield Polluted(kind, name, content, (indexed, replace(truth, reports="index|name|head")))
    yield Polluted("login page", "login", _LOGIN.replace("\n", END).encode(), ())
