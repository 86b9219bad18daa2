"""How a table was read: every decision with its evidence, every row left out with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import to_jsonable_python

from opslab.errors import DataError, Problem
from opslab.specs import Day, Declared, Number

Decimal = Literal["comma", "point"]
Encoding = Literal[
    "utf-8",
    "utf-16",
    "cp1252",
    "iso-8859-15",
    "mac_roman",
    "cp850",
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1254",
    "cp1257",
    "shift_jis",
    "gb18030",
    "big5",
    "euc_kr",
]
Delimiter = Literal["comma", "semicolon", "tab", "bar", "caret", "tilde", "space", "none"]
MOST_TOLD = 20
"""Rows left out that are told one by one; the rest are counted."""
_MOST_REJECTED = 10  # one row in so many


class FileAnswers(Declared):
    """What the analyst answers where a file can be read in two ways; else the file decides."""

    encoding: Encoding | None = None
    """text encoding of a CSV file"""
    delimiter: Delimiter | None = None
    """what parts the columns of a CSV file"""
    decimal: Decimal | None = None
    """decimal mark of the numbers"""
    day_first: bool | None = None
    """whether 04/03/2025 is the fourth of March"""
    swapped_dates: bool | None = None
    """whether a spreadsheet swapped day and month in its true dates"""
    timezone: str | None = None
    """zone of times without an offset, such as Europe/Paris"""
    sheet: str | None = None
    """sheet of a workbook"""
    records: str | None = None
    """list of records in a JSON file, such as response.items"""
    header: Literal["none"] | int | tuple[int, ...] | None = None
    """line or row of the headings, several of them, or none"""
    skip_rows: int | None = Field(None, ge=0)
    """lines or rows to pass over at the top"""
    totals: Literal["drop", "keep"] | None = None
    """what is done with totals below the rows"""


class Score(Declared):
    """A score and its scale: it is never taken for stars."""

    column: str
    """heading of the score"""
    low: Number = Field(alias="from")
    """lowest score of the scale, such as 0"""
    high: Number = Field(alias="to")
    """highest score of the scale, such as 10"""


class Answers(FileAnswers):
    """The answers that exports of tools may need besides."""

    profile: str | None = None
    """column profile by name, or none; recognised by the header otherwise"""
    until: Day | None = None
    """day until which recurring meetings are expanded"""
    text: Annotated[
        tuple[str, ...], BeforeValidator(lambda given: [given] if isinstance(given, str) else given)
    ] = Field((), max_length=4)
    """heading of the messages, or a list of up to four"""
    id: str | None = None
    """heading of the messages' ids"""
    date: str | None = None
    """heading of the messages' dates"""
    customer: str | None = None
    """heading of who wrote: an id or an address"""
    score: Score | None = None
    """heading of a score, and its scale"""
    columns: dict[str, str] = Field({})
    """what columns of the profile are called in the file: name and heading"""


@dataclass(frozen=True)
class Decision:
    """One thing that was decided about a file or a column.

    Attributes
    ----------
    key : str
        The message that tells it, with its evidence.
    values : Mapping
    column : str or None
        None where it is about the whole file.
    assumed : bool
        Whether the file leaves room for another reading, or something was lost.
    """

    key: str
    values: Mapping[str, Any] = field(default_factory=dict)
    column: str | None = None
    assumed: bool = False


@dataclass(frozen=True)
class Rejection:
    """A row that was left out: its line or row as an editor or a spreadsheet shows it, and why."""

    row: int
    key: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Rows:
    """Rows of text by their lines, or rows of a sheet; what was left out is known at the end."""

    header: Sequence[str]
    rows: Iterator[tuple[int, Sequence[str]]]
    encoding: str | None = None
    decisions: list[Decision] = field(default_factory=list)
    rejected: int = 0
    rejections: list[Rejection] = field(default_factory=list)

    def reject(self, row: int, key: str, **values: Any) -> None:
        """Leave a row out."""
        self.rejected += 1
        if self.rejected <= MOST_TOLD:
            self.rejections.append(Rejection(row, key, values))

    def too_many_rejected(self, rows: int) -> bool:
        """Whether more than a tenth of all rows were left out."""
        return self.rejected * _MOST_REJECTED > rows

    def refuse_misfits(self, file: str, rows: int) -> None:
        """Raise where more than a tenth of all rows do not fit the header."""
        if self.too_many_rejected(rows):
            values = {"count": self.rejected, "rows": rows, "columns": len(self.header)}
            raise DataError(Problem("tables.many_misfits", values, file, self.rejections[0].row))


@dataclass(frozen=True)
class Reading:
    """How a table was read: the import report that readouts show and records keep.

    Attributes
    ----------
    name : str
        The table as a reader is shown it.
    format : str
        ``csv``, ``xlsx``, ``xlsb``, ``xls``, ``ods``, ``json``, ``jsonl``, ``parquet``, ``ics`` or
        ``frame``.
    rows, columns : int
        As they were kept.
    sha256 : str or None
        Of the file's bytes; None for a frame.
    encoding : str or None
        Of a text file.
    delimiter : str or None
        ``comma``, ``semicolon``, ``tab``, ``bar`` or ``none`` for a CSV file.
    profile : str or None
        The column profile that gave the columns their names.
    decisions : tuple of Decision
    rejected : int
        Rows left out.
    rejections : tuple of Rejection
        The first of them, one by one.
    personal : tuple of str
        Columns that hold personal data.
    """

    name: str
    format: str
    rows: int
    columns: int
    sha256: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    profile: str | None = None
    decisions: tuple[Decision, ...] = ()
    rejected: int = 0
    rejections: tuple[Rejection, ...] = ()
    personal: tuple[str, ...] = ()

    def adding(
        self,
        decisions: Iterable[Decision] = (),
        rejections: Iterable[Rejection] = (),
        rejected: int = 0,
        **changes: Any,
    ) -> Reading:
        """Return the report with more decisions, more rows left out, and other fields changed."""
        return replace(
            self,
            decisions=(*self.decisions, *decisions),
            rejections=(*self.rejections, *rejections)[:MOST_TOLD],
            rejected=self.rejected + rejected,
            **changes,
        )

    def record(self) -> dict[str, Any]:
        """Return the report as JSON takes it: keys and values, no prose."""
        record = to_jsonable_python(self)
        return {"file": record.pop("name"), **record}
