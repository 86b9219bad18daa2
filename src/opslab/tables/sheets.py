"""Sheets that people fill in: each row as what it declares, every mistake by its row and cell."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import Field, ValidationError

from opslab import documents, specs, workspace
from opslab.errors import DataError, Problem, did_you_mean
from opslab.evidence import SourceFile
from opslab.messages import Bilingual
from opslab.specs import Declared, FromFile
from opslab.tables import numbers
from opslab.tables.column_kinds import WRITTEN
from opslab.tables.exports import open_export
from opslab.tables.import_report import Answers, FileAnswers, Reading
from opslab.tables.profiles import Column, known_profiles
from opslab.tables.source import ROW, Table, quoted
from opslab.tables.workbooks import unread

Model = TypeVar("Model", bound=Declared)
WORKBOOKS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
_ENDS = ("_low", "_likely", "_high")


class SheetFile(FileAnswers):
    """A sheet in a file, and what its columns are called there."""

    path: str
    """table (CSV, XLSX …), from the spec's folder"""
    columns: dict[str, str] = Field({})
    """headings of your own: the sheet's name of a column, and what it is called in the file"""


class Sheet(NamedTuple, Generic[Model]):
    """What a sheet declares.

    Attributes
    ----------
    rows : list of (int, Declared)
        Each row under the number that the user sees, or from 1 where there is no file.
    reading : Reading or None
    headings : Mapping of str to str
        What each column is called in the file.
    """

    rows: list[tuple[int, Model]]
    reading: Reading | None = None
    headings: Mapping[str, str] = {}


@dataclass(frozen=True)
class Inherited:
    """What further rows of a thing may leave empty.

    Attributes
    ----------
    key : tuple of str
        Fields that name the thing.
    fields : tuple of str
        Fields that its first row holds for all of them.
    """

    key: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()


def read_sheet(
    spec: FromFile,
    given: SheetFile | Sequence[Model],
    model: type[Model],
    profile: str,
    *,
    sheet: str | None = None,
    french: Mapping[str, str] | None = None,
    inherited: Inherited | None = None,
) -> Sheet[Model]:
    """Return the numbered rows of a sheet, as what they declare.

    Parameters
    ----------
    spec : FromFile
        Names the file, whose path starts at its folder.
    given : SheetFile or sequence of Declared
        Rows that stand in the spec itself are numbered from 1.
    model : type
        What a row declares; ``x_low``, ``x_likely`` and ``x_high`` are the ends of its field ``x``.
    profile : str
        Names the columns.
    sheet : str, optional
        Sheet of a workbook with several, where the answers name none.
    french : Mapping, optional
        French of what stands in cells.
    inherited : Inherited, optional

    Raises
    ------
    DataError
        With every mistake: file, row, column, what is wrong and what to do.
    """
    if not isinstance(given, SheetFile):
        return Sheet(list(enumerate(given, 1)))
    path = spec.beside(given.path)
    answers = given.model_dump(include={*SheetFile.model_fields} - {"path"})
    answers |= {"sheet": given.sheet or sheet, "profile": profile}
    known = known_profiles()[profile].columns
    problems: list[Problem] = []
    with open_export(path, answers=Answers(**answers)) as table:
        near = {name: did_you_mean(name, known) for name in table.types if name not in known}
        problems += [
            Problem("specs.unknown_near", {"name": a, "near": b}) for a, b in near.items() if b
        ]
        raw, reading = list(_numbered(table, known)), table.reading
    DataError.refuse(unread(reading.decisions, reading.name))
    problems += _lost(reading)
    if path.suffix.lower() in WORKBOOKS and given.decimal is None:
        problems += _unclear(raw, known)
    rows = list(_declared(raw, model, known, french or {}, problems, inherited or Inherited()))
    if not raw:
        problems.append(Problem("tables.no_rows"))
    placed = [dataclasses.replace(problem, file=reading.name) for problem in problems]
    DataError.refuse(sorted(placed, key=lambda problem: problem.row or 0))
    return Sheet(rows, reading, raw[0].headings)


def source_files(spec: FromFile, readings: Iterable[Reading], rows: int) -> tuple[SourceFile, ...]:
    """Return what stands behind a result: its spec, where that is a file of its own, and tables."""
    sources = [SourceFile(reading.name, reading.sha256, reading.rows) for reading in readings]
    name = workspace.shown(spec.file) if spec.file else None
    if spec.file and name and name not in {source.name for source in sources}:
        sources.insert(0, SourceFile(name, workspace.sha256(spec.file), rows))
    return tuple(sources)


@dataclass(frozen=True)
class _Row:
    """A row by the number that the user sees: its values by column, and its cells as written."""

    number: int
    values: Mapping[str, Any]
    written: Mapping[str, str]
    headings: Mapping[str, str]


def _declared(
    raw: Sequence[_Row],
    model: type[Model],
    known: Mapping[str, Column],
    french: Mapping[str, str],
    problems: list[Problem],
    inherited: Inherited,
) -> Iterator[tuple[int, Model]]:
    """Give what the rows declare; what is wrong with them is added to the problems."""
    firsts: dict[Any, dict[str, Any]] = {}
    misread: dict[Any, set[str]] = {}
    for row in raw:
        spoken = {
            name: Bilingual(cell, french=french[cell]) if cell in french else cell
            for name, cell in row.values.items()
        }
        values = _nested(spoken)
        key = (*(values.get(name) for name in inherited.key),) if inherited.key else row.number
        wrong = _misread(row, known)
        problems += [_located(Problem(wrong[name], field=name), row) for name in wrong]
        doubted = misread.setdefault(key, set())
        doubted.update(map(_stem, wrong))
        own = {name: values[name] for name in inherited.fields if name in values}
        values = firsts.setdefault(key, own) | values
        try:
            yield row.number, model.model_validate(values)
        except ValidationError as error:
            refused = specs.problems(model, error, documents.Document("", values, {}))
            problems += [
                _located(problem, row) for problem in refused if _stem(problem.field) not in doubted
            ]


def _numbered(table: Table, known: Mapping[str, Column]) -> Iterator[_Row]:
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
            if text and (known[name].words or numbers.plain_text(text) not in numbers.MISSING)
        }
        read = dict(zip(names, values, strict=True))
        read |= {name: _worded(known[name], read[name], text) for name, text in given.items()}
        yield _Row(number + 1, read, given, headings)


def _worded(column: Column, value: Any, text: str) -> Any:
    """Return a cell's value, or the standard word for what is written in it."""
    bare = numbers.plain_text(text)
    for word, forms in column.words.items():
        if bare in map(numbers.plain_text, (word, *forms)):
            return word
    kept = value is None and column.or_text and re.fullmatch(column.or_text, text.strip())
    return text.strip() if kept else value


def _misread(row: _Row, known: Mapping[str, Column]) -> dict[str, str]:
    """Return the cells that hold something and became no value, or one of another unit, and why."""
    forms = {
        name: "%" if "%" in text else "minutes" if re.search("[a-z:]", text.lower()) else ""
        for name, text in row.written.items()
        if known[name].kind == "minutes_or_share"
    }
    units = {"minutes": ("", "minutes"), "reduction": ("", "%")}
    fitting = units.get(row.values.get("quantity", ""), (*forms.values(), "")[:1])
    unlike = {name: "tables.cell_unlike" for name, form in forms.items() if form not in fitting}
    return unlike | {
        name: f"tables.cell_{known[name].kind}" for name in row.written if row.values[name] is None
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
                yield _located(Problem("tables.cell_unclear", field=name), row)


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
