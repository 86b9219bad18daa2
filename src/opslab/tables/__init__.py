"""Tables from outside: opened in place, with every decision about their reading told."""

from opslab.tables.source import Reading, Table, open_table

__all__ = ["Reading", "Table", "open_table"]
