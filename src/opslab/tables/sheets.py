"""Sheets that people fill in: each row as what it declares, every mistake by its row and cell."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import Field, ValidationError

from opslab import documents, workspace
from opslab.errors import DataError, Problem, did_you_mean
from opslab.evidence import SourceFile
from opslab.messages import Bilingual
from opslab.sheet_alone import answering
from opslab.spec_problems import problems as problems_of
from opslab.specs import Declared, FromFile
from opslab.tables import numbers
from opslab.tables.exports import open_export
from opslab.tables.import_report import Answers, FileAnswers, Reading
from opslab.tables.profiles import Column, bare_heading, fits, known_profiles
from opslab.tables.source import ROW, Table, quoted
from opslab.tables.workbooks import WORKBOOKS, unread

Model = TypeVar("Model", bound=Declared)
_NEAR = 0.8  # beside a sheet's columns stand others: closer than usual
_ENDS = ("_low", "_likely", "_high")
_POWER = r"[\d.,]{1,4} ?[kKM]"  # thousands, or months written short
_GROUPED = r"|[1-9]\d{0,2}[.,]\d{3}"


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

    @property
    def file(self) -> str | None:
        """What its file is called; None where it stands in a spec."""
        return self.reading.name if self.reading else None


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
    french: Mapping[str, str] | None = None,
    inherited: Inherited | None = None,
    data: Any = None,
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
    french : Mapping, optional
        French of what stands in cells.
    inherited : Inherited, optional
    data : pandas.DataFrame or another frame, optional
        In the place of the file; its row numbers start at 1.

    Raises
    ------
    DataError
        With every mistake: file, row, column, what is wrong and what to do.
    """
    if not isinstance(given, SheetFile):
        return Sheet(list(enumerate(given, 1)))
    with answering(spec):
        path = spec.beside(given.path)
        answers = given.model_dump(include={*SheetFile.model_fields} - {"path"})
        known = known_profiles()[profile].columns
        grouped = path.suffix.lower() in WORKBOOKS and not given.decimal
        form = _POWER + _GROUPED * grouped
        source, answered = path if data is None else data, Answers(**answers, profile=profile)
        with open_export(source, answers=answered, written=True) as table:
            problems = [*_mistaken(table, known, given.columns)]
            raw, reading = list(_numbered(table, known, form)), table.reading
        DataError.refuse(unread(reading.decisions, reading.name))
        problems += _lost(reading)
        problems += [
            _located(Problem("tables.cell_unclear", field=name), row)
            for row in raw
            for name in row.unclear
        ]
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
    """A row by the number that the user sees: its values by column, and its cells as written.

    In `unclear` are columns with a text that may mean two numbers.
    """

    number: int
    values: Mapping[str, Any]
    written: Mapping[str, str]
    headings: Mapping[str, str]
    unclear: Sequence[str]


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
            if _stem(name) in model.model_fields
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
            refused = problems_of(model, error, documents.Document("", values, {}))
            problems += [
                _located(problem, row) for problem in refused if _stem(problem.field) not in doubted
            ]


def _mistaken(
    table: Table, known: Mapping[str, Column], mapped: Mapping[str, str]
) -> Iterator[Problem]:
    """Give headings that stand for several columns, of another unit, or that are nearly known."""
    named = dict(zip(table.types, table.headings, strict=True))
    written = Counter(map(bare_heading, (table.written or table).headings))
    taken = Counter(named[name] for name in named if name in known)
    for heading in taken:
        if taken[heading] > 1 or written[bare_heading(heading)] > 1:
            yield Problem("tables.heading_twice", field=heading)
    others = dict.fromkeys(name for name in named if name not in known)
    for name, column in known.items():
        wild = [header for header in column.headers if "*" in header]
        for other in [] if name in mapped else [*others, name]:
            second = other in others and named.get(name)
            headers = [*column.unlike, *(wild if second else ())]
            if other in named and fits(headers, [bare_heading(heading := named[other])]):
                values = {"other": second or column.headers[1], "name": name, "heading": heading}
                yield Problem(
                    "tables.heading_also" if second else "tables.heading_unlike",
                    values,
                    field=heading,
                )
                others.pop(other, None)
    headers = [
        header for name, column in known.items() if name not in named for header in column.headers
    ]
    for name in others:
        if near := did_you_mean(name, headers, _NEAR):
            yield Problem("specs.unknown_near", {"name": name, "near": near})


def _numbered(table: Table, known: Mapping[str, Column], form: str) -> Iterator[_Row]:
    """Give the rows of a table with the known columns; cells that hold nothing are left out.

    A number's text of the form is unclear: 3M, and 1,234 in a workbook, whose numbers do not tell.
    """
    names = [name for name in table.types if name in known]
    headings = dict(zip(table.types, table.headings, strict=True))
    words = {
        name: {
            numbers.plain_text(form): word
            for word, forms in known[name].words.items()
            for form in (word, *forms)
        }
        for name in names
    }
    source, columns = table.written or table, ", ".join(map(quoted, names))
    texts = ", ".join(f"CAST({quoted(headings[name])} AS VARCHAR)" for name in names)
    written = f"(SELECT {ROW}, [{texts}] AS opslab_written FROM {source.relation})"
    both = f"{table.relation} JOIN {written} USING ({ROW})"
    for number, cells, *values in table.fetch(
        f"SELECT {ROW}, opslab_written, {columns} FROM {both} ORDER BY {ROW}"
    ):
        read, given = dict[str, Any](), dict[str, str]()
        unclear = []
        for name, value, marked in zip(names, values, cells, strict=True):
            text = re.sub(r"(\d[.]\d{3})0e0$", r"\1", marked or "")
            bare, column = numbers.plain_text(text), known[name]
            word = words[name].get(bare)
            # Na may be somebody's name
            if word or bare not in numbers.MISSING or (column.kind == "text" and bare.isalpha()):
                given[name], read[name] = text, word or value
                if column.kind != "text" and re.fullmatch(form, marked):
                    unclear.append(name)
                if value is None and column.or_text and re.fullmatch(column.or_text, text.strip()):
                    read[name] = text.strip()
        yield _Row(number + 1, read, given, headings, unclear)


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


def _lost(reading: Reading) -> Iterator[Problem]:
    """Yield the rows that the reader left out: here each counts, but empty ones."""
    for rejection in reading.rejections:
        if not rejection.key.endswith(("_empty", "_total", "_cell")):
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
