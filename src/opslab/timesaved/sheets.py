"""Tables in and out: inventory, measurements, past estimates, the sheet for interviews."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from opslab import documents, specs, workspace
from opslab.errors import DataError, Problem, did_you_mean
from opslab.messages import Bilingual, Language, text
from opslab.tables import Answers, Reading, Table, numbers, open_export, write_xlsx
from opslab.tables.column_kinds import WRITTEN
from opslab.tables.profiles import Column, known_profiles
from opslab.tables.source import ROW, quoted
from opslab.tables.workbooks import unread
from opslab.timesaved.inventory import TASK_FIELDS, Inventory, Line, Measurement, Past, Source

Declared = TypeVar("Declared", Line, Measurement, Past)
_PROFILES = {Line: "time-inventory", Measurement: "time-measurements", Past: "past-estimates"}
_ENDS = ("_low", "_likely", "_high")
_WORKBOOKS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
_MORE = ("bass_p", "bass_q", "grade")  # not asked in an interview


def rows_of(
    inventory: Inventory, given: Source | Sequence[Declared], model: type[Declared]
) -> tuple[list[tuple[int, Declared]], Reading | None]:
    """Return numbered rows, from 1, and how their file was read.

    In an inventory's table a further row of a task may leave its own cells empty, or repeat them.

    Raises
    ------
    DataError
        With every mistake: file, row, column, what is wrong and what to do.
    """
    if not isinstance(given, Source):
        return list(enumerate(given, 1)), None
    path, french = inventory.beside(given.path), inventory.french
    shown, profile = workspace.shown(path), _PROFILES[model]
    answers = {
        **given.model_dump(exclude={"path"}),
        "sheet": given.sheet or _sheet(path),
        "profile": profile,
    }
    known = known_profiles()[profile].columns
    problems: list[Problem] = []
    with open_export(path, answers=Answers(**answers)) as table:
        near = {name: did_you_mean(name, known) for name in table.types if name not in known}
        problems += [
            Problem("specs.unknown_near", {"name": a, "near": b}) for a, b in near.items() if b
        ]
        raw, reading = list(_numbered(table, known)), table.reading
    DataError.refuse(unread(reading.decisions, shown))
    problems += _lost(reading)
    if path.suffix.lower() in _WORKBOOKS and given.decimal is None:
        problems += _unclear(raw, known)
    rows = list(_declared(raw, model, known, french, problems))
    if not raw:
        problems.append(Problem("timesaved.no_rows"))
    placed = [dataclasses.replace(problem, file=shown) for problem in problems]
    DataError.refuse(sorted(placed, key=lambda problem: problem.row or 0))
    return rows, reading


@dataclass(frozen=True)
class _Row:
    """A row by the number that the user sees: its values by column, and its cells as written."""

    number: int
    values: Mapping[str, Any]
    written: Mapping[str, str]
    headings: Mapping[str, str]


def _declared(
    raw: Sequence[_Row],
    model: type[Declared],
    known: Mapping[str, Column],
    french: Mapping[str, str],
    problems: list[Problem],
) -> Iterator[tuple[int, Declared]]:
    """Give what the rows declare; what is wrong with them is added to the problems."""
    firsts: dict[Any, dict[str, Any]] = {}
    misread: dict[Any, set[str]] = {}
    for row in raw:
        spoken = {
            name: Bilingual(cell, french=french[cell]) if cell in french else cell
            for name, cell in row.values.items()
        }
        values = _nested(spoken)
        key = (values.get("task"), values.get("role")) if model is Line else row.number
        wrong = _misread(row, known)
        problems += [_located(Problem(wrong[name], field=name), row) for name in wrong]
        doubted = misread.setdefault(key, set())
        doubted.update(map(_stem, wrong))
        if model is Line:
            own = {name: values[name] for name in TASK_FIELDS if name in values}
            values = firsts.setdefault(key, own) | values
        try:
            yield row.number, model.model_validate(values)
        except ValidationError as error:
            refused = specs.problems(model, error, documents.Document("", values, {}))
            problems += [
                _located(problem, row) for problem in refused if _stem(problem.field) not in doubted
            ]


def _numbered(table: Table, known: Iterable[str]) -> Iterator[_Row]:
    """Give the rows of a table with the known columns; cells that hold nothing are left out."""
    names = [name for name in table.types if name in known]
    headings = dict(zip(table.types, table.headings, strict=True))
    source, columns = table.written or table, ", ".join(map(quoted, names))
    texts = (f"CAST({quoted(headings[name])} AS VARCHAR)" for name in names)
    written = table.fetch(
        f"SELECT {ROW}, {', '.join(map(numbers.as_written, texts))} FROM {source.relation}"
    )
    cells = {number: texts for number, *texts in written}
    for number, *values in table.fetch(
        f"SELECT {ROW}, {columns} FROM {table.relation} ORDER BY {ROW}"
    ):
        given = {
            name: text
            for name, text in zip(names, cells[number], strict=True)
            if numbers.plain_text(text or "") not in numbers.MISSING
        }
        yield _Row(number + 1, dict(zip(names, values, strict=True)), given, headings)


def _misread(row: _Row, known: Mapping[str, Column]) -> dict[str, str]:
    """Return the cells that hold something and became no value, or one of another unit, and why."""
    forms = {
        name: "%" if "%" in text else "minutes" if re.search("[a-z:]", text.lower()) else ""
        for name, text in row.written.items()
        if known[name].kind == "minutes_or_share"
    }
    units = {"minutes": ("", "minutes"), "reduction": ("", "%")}
    fitting = units.get(row.values.get("quantity", ""), (*forms.values(), "")[:1])
    unlike = {name: "timesaved.cell_unlike" for name, form in forms.items() if form not in fitting}
    return unlike | {
        name: f"timesaved.cell_{known[name].kind}"
        for name in row.written
        if row.values[name] is None
    }


def _located(problem: Problem, row: _Row) -> Problem:
    """Return a problem about a field with its row, its headings and what its cells hold."""
    stem, given = _stem(problem.field), problem.values.get("given")
    names = [name for name in row.written if stem == _stem(name)]
    names = [name for name in names if name == problem.field or row.values[name] == given] or names
    return dataclasses.replace(
        problem,
        row=row.number,
        field=", ".join(row.headings[name] for name in names) or problem.field,
        cell=" / ".join(numbers.excerpt(row.written[name]) for name in names) or None,
    )


def _stem(field: str | None) -> str:
    """Return the field that a column, or a part of a field, belongs to."""
    name = (field or "").partition(".")[0]
    return name.removesuffix(next((end for end in _ENDS if name.endswith(end)), ""))


def _unclear(raw: Sequence[_Row], known: Mapping[str, Column]) -> Iterator[Problem]:
    """Yield texts such as 1,234 in a workbook: its numbers do not tell how they are meant."""
    for row in raw:
        for name, cell in row.written.items():
            if known[name].kind in WRITTEN and re.fullmatch(r"[1-9]\d{0,2},\d{3}", cell):
                yield _located(Problem("timesaved.cell_unclear", field=name), row)


def _lost(reading: Reading) -> Iterator[Problem]:
    """Yield the rows that the reader left out: here each counts, but empty ones."""
    for rejection in reading.rejections:
        if rejection.key not in ("tables.rejected_empty", "tables.rejected_total"):
            yield Problem(rejection.key, rejection.values, row=rejection.row)


def _nested(cells: Mapping[str, Any]) -> dict[str, Any]:
    """Return the cells that hold something, the ends of a range put together."""
    values: dict[str, Any] = {}
    for name, cell in cells.items():
        stem = _stem(name)
        if cell is not None and stem != name:
            values.setdefault(stem, {})[name.removeprefix(f"{stem}_")] = cell
        elif cell is not None:
            values[name] = cell
    return values


def _sheet(path: Path) -> str | None:
    """Return the sheet of an interview workbook that holds the answers."""
    if path.suffix.lower() != ".xlsx":
        return None
    from openpyxl import load_workbook

    try:
        sheets = load_workbook(path, read_only=True).sheetnames
    except Exception:  # noqa: BLE001 - whatever is wrong with it, the reader tells
        return None
    own = [text("timesaved.sheet"), text("timesaved.sheet", "fr")]
    return next((name for name in own if name in sheets), None)


def interview_sheet(
    path: str | Path, tasks: Sequence[Line] = (), language: Language = "en"
) -> Path:
    """Write a workbook that asks people for ranges, and that reads back in as an inventory.

    Low and high are asked one at a time, each as a value that one answer in twenty would pass; a
    second sheet says how to find them. Ranges are left empty, so that nobody anchors on another's.

    Parameters
    ----------
    path : path
        An XLSX file.
    tasks : sequence of Line
        Tasks to ask about.
    language : {"en", "fr"}
    """
    import pandas as pd

    columns = known_profiles()["time-inventory"].columns
    asked = {
        name: column.headers[1 + (language == "fr")]
        for name, column in columns.items()
        if not name.endswith("_likely") and name not in _MORE
    }
    kept = (
        "task",
        "role",
        "initiative",
        "people",
        "ramp_months",
        "rate",
        "currency",
        "benefit",
        "owner",
    )
    cells = {
        heading: [getattr(task, name) if name in kept else None for task in tasks]
        for name, heading in asked.items()
    }
    how = [
        text(f"timesaved.how_{name}", language)
        for name in ("range", "bet", "apart", "absurd", "premortem", "percent", "basis")
    ]
    title = text("timesaved.how", language)
    asking, telling = pd.DataFrame(cells, dtype=object), pd.DataFrame({title: how})
    return write_xlsx({text("timesaved.sheet", language): asking, title: telling}, path)
