"""Which units an analysis stands on: from unit tables, logs, finer rows or totals."""
