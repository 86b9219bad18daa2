"""Tables in and out: inventory, measurements, past estimates, the sheet for interviews."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from opslab import documents, specs, workspace
from opslab.errors import DataError, Problem, did_you_mean
from opslab.messages import Bilingual, Language, text
from opslab.tables import Answers, Reading, open_export, write_xlsx
from opslab.tables.profiles import known_profiles
from opslab.tables.source import ROW, quoted
from opslab.timesaved.inventory import TASK_FIELDS, Inventory, Line, Measurement, Past, Source

Declared = TypeVar("Declared", Line, Measurement, Past)
_PROFILES = {Line: "time-inventory", Measurement: "time-measurements", Past: "past-estimates"}
_ENDS = ("_low", "_likely", "_high")
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
    problems: list[Problem] = []
    with open_export(path, answers=Answers(**answers)) as table:
        known = known_profiles()[profile].columns
        near = {name: did_you_mean(name, known) for name in table.types if name not in known}
        problems += [
            Problem("specs.unknown_near", {"name": a, "near": b}, shown)
            for a, b in near.items()
            if b
        ]
        names = [name for name in table.types if name in known]
        columns = ", ".join(map(quoted, names))
        raw = table.fetch(f"SELECT {ROW} + 1, {columns} FROM {table.relation} ORDER BY {ROW}")
        reading = table.reading
    problems += _lost(reading, shown)
    rows: list[tuple[int, Declared]] = []
    firsts: dict[Any, dict[str, Any]] = {}
    for row, *cells in raw:
        told = [Bilingual(cell, french=french[cell]) if cell in french else cell for cell in cells]
        values = _nested(dict(zip(names, told, strict=True)))
        if model is Line:
            own = {name: values[name] for name in TASK_FIELDS if name in values}
            values = firsts.setdefault((values.get("task"), values.get("role")), own) | values
        try:
            rows.append((row, model.model_validate(values)))
        except ValidationError as error:
            wrong = specs.problems(model, error, documents.Document("", values, {}))
            problems += [dataclasses.replace(problem, file=shown, row=row) for problem in wrong]
    if not raw:
        problems.append(Problem("timesaved.no_rows", {}, shown))
    DataError.refuse(sorted(problems, key=lambda problem: problem.row or 0))
    return rows, reading


def _lost(reading: Reading, file: str) -> Iterator[Problem]:
    """Yield what the reader left out: here every row and every cell counts, but empty ones."""
    for rejection in reading.rejections:
        if rejection.key not in ("tables.rejected_empty", "tables.rejected_total"):
            yield Problem(rejection.key, rejection.values, file, row=rejection.row)
    for decision in reading.decisions:
        if decision.key == "tables.decided_emptied":
            yield Problem("tables.bad_cells", decision.values, file, field=decision.column)


def _nested(cells: Mapping[str, Any]) -> dict[str, Any]:
    """Return the cells that hold something, the ends of a range put together."""
    values: dict[str, Any] = {}
    for name, cell in cells.items():
        end = next((end for end in _ENDS if name.endswith(end)), None)
        if cell is not None and end:
            values.setdefault(name.removesuffix(end), {})[end[1:]] = cell
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
