"""Tables from outside: any export read, with every decision about its reading told, and written safely."""

from opslab.tables.exports import open_export, read_export
from opslab.tables.import_report import Answers, Decision, Reading, Rejection
from opslab.tables.reader import open_table
from opslab.tables.source import Table
from opslab.tables.writer import write_csv, write_xlsx

__all__ = [
    "Answers",
    "Decision",
    "Reading",
    "Rejection",
    "Table",
    "open_export",
    "open_table",
    "read_export",
    "write_csv",
    "write_xlsx",
]
