"""Tables from outside: any export read, every decision of its reading told, and written safely."""

from typing import TYPE_CHECKING

from opslab.lazy import lazy

if TYPE_CHECKING:
    from opslab.tables.exports import open_export as open_export
    from opslab.tables.exports import read_export as read_export
    from opslab.tables.import_report import Answers as Answers
    from opslab.tables.import_report import Decision as Decision
    from opslab.tables.import_report import Reading as Reading
    from opslab.tables.import_report import Rejection as Rejection
    from opslab.tables.reader import open_table as open_table
    from opslab.tables.source import Table as Table
    from opslab.tables.writer import write_csv as write_csv
    from opslab.tables.writer import write_xlsx as write_xlsx
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        exports="open_export read_export",
        import_report="Answers Decision Reading Rejection",
        reader="open_table",
        source="Table",
        writer="write_csv write_xlsx",
    )
