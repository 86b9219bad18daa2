"""An open table: no row is lost between slices, and an error is told as whose fault it is."""

from __future__ import annotations

import errno
import shutil

import duckdb
import openpyxl
import pandas as pd
import pytest

from opslab.errors import DataError, MachineError
from opslab.tables import Answers, calendars, open_export, open_table, workbooks
from opslab.tables.column_kinds import Wanted
from opslab.tables.columns import typed

FRAME = pd.DataFrame({"user": ["a", "b", "c"], "revenue": [1.0, 2.0, 3.0]})


def counted(table):
    return sum(row[0][0] for row in table.fetch_slices(lambda part: f"SELECT count(*) FROM {part}"))


def workbook(path, *rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def broken_parquet(path):
    """Write a file whose footer is whole and whose values are not."""
    connection = duckdb.connect()
    query = "SELECT i AS user, random() AS revenue FROM range(20000) t(i)"
    connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet, CODEC 'zstd')")
    content = bytearray(path.read_bytes())
    content[100:40_000] = b"\xff" * 39_900
    path.write_bytes(content)
    return path


# --- Slices


def test_blank_rows_of_a_workbook_take_no_row_out_of_the_slices(tmp_path):
    path = workbook(
        tmp_path / "a.xlsx", ["user", "revenue"], ["a", 1], [None, None], ["b", 2], ["c", 3]
    )
    with open_table(path) as table:
        assert (table.reading.rows, counted(table)) == (3, 3)
        wanted = [Wanted("user", ("user",)), Wanted("revenue", ("revenue",), "number")]
        numbers = typed(table, wanted, Answers())
        assert (numbers.reading.rows, counted(numbers)) == (3, 3)


def test_rows_left_out_take_no_other_row_out_of_the_slices(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id,x\n" + "1,a\n" * 20 + "2\n3,c\n", encoding="utf-8")
    with open_export(path) as table:
        assert (table.reading.rejected, table.reading.rows, counted(table)) == (1, 21, 21)


@pytest.mark.parametrize("rows", [0, 1, 300_000])
def test_slices_hold_every_row_of_a_frame_and_a_file(tmp_path, rows):
    frame = pd.DataFrame({"x": range(rows), "y": 1.5})
    path = tmp_path / "a.parquet"
    frame.to_parquet(path)
    for data in (frame, path):
        with open_table(data) as table:
            assert counted(table) == rows


# --- Whose fault it is


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("SELECT nothing FROM {}", duckdb.BinderException),
        ("SELECT FROM WHERE {}", duckdb.ParserException),
        ("SELECT CAST('x' AS INTEGER) FROM {}", duckdb.ConversionException),
        ("SELECT error('ours') FROM {}", duckdb.InvalidInputException),
    ],
)
@pytest.mark.parametrize("kind", ["frame", "parquet", "csv"])
def test_wrong_sql_of_our_own_is_our_fault(tmp_path, kind, sql, error):
    data = FRAME if kind == "frame" else tmp_path / f"a.{kind}"
    if kind == "csv":
        FRAME.to_csv(data, index=False)
    elif kind == "parquet":
        FRAME.to_parquet(data)
    with open_table(data) as table:
        for ask in (
            lambda: table.fetch(sql.format(table.relation)),
            lambda: table.keep("kept", sql.format(table.relation)),
            lambda: table.fetch_slices(sql.format),
        ):
            with pytest.raises(error):
                ask()
    with pytest.raises(error), open_table(data) as table:
        table.connection.execute(sql.format(table.relation))


def test_any_error_in_the_body_passes_through():
    with pytest.raises(KeyError), open_table(FRAME):
        raise KeyError("ours")


def test_a_file_that_breaks_while_it_is_read_is_the_users(tmp_path):
    path = broken_parquet(tmp_path / "a.parquet")
    with open_table(path) as table:
        assert table.reading.rows == 20_000
        for ask in (
            lambda: table.fetch(f"SELECT sum(revenue) FROM {table.relation}"),
            lambda: table.keep("kept", f"SELECT * FROM {table.relation}"),
            lambda: table.fetch_slices("SELECT sum(revenue) FROM {}".format),
            table.frame,
        ):
            with pytest.raises(DataError, match="The file cannot be read") as caught:
                ask()
            assert caught.value.problems[0].file == "a.parquet"


def test_a_fault_of_our_own_in_a_workbook_is_not_told_as_a_broken_one(tmp_path, monkeypatch):
    path = workbook(tmp_path / "a.xlsx", ["user", "revenue"], ["a", 1])

    def wrong(_cell):
        raise KeyError("ours")

    monkeypatch.setattr(workbooks, "_text", wrong)
    with pytest.raises(KeyError), open_table(path):
        pass


def test_a_fault_of_our_own_in_a_calendar_is_not_told_as_a_broken_one(tmp_path, monkeypatch):
    path = tmp_path / "a.ics"
    path.write_text(
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nDTSTART:20250303T100000Z\nRRULE:FREQ=DAILY;COUNT=2\n"
        "END:VEVENT\nEND:VCALENDAR\n",
        encoding="utf-8",
    )

    def wrong(*_):
        raise AttributeError("ours")

    monkeypatch.setattr(calendars, "_rows", wrong)
    with pytest.raises(AttributeError, match="ours"), open_table(path):
        pass


def test_a_full_disk_is_the_machines(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_text("a;b\né;1\n", encoding="cp1252")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(MachineError, match="No space left on device"), open_table(path):
        pass


# --- Columns


def test_without_its_personal_columns_a_table_may_have_none_left(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("mail\na@example.test\nb@example.test\n", encoding="utf-8")
    with open_export(path, personal="drop") as table:
        assert table.types == {}
        assert list(table.frame().columns) == []
        assert table.reading.rows == 2


def test_what_a_closed_table_held_is_given_back(tmp_path):
    """Else an engine keeps the memory of a million rows until the process ends."""
    path = tmp_path / "a.csv"
    FRAME.to_csv(path, index=False)
    with open_table(path) as table:
        query = "SELECT current_setting('allocator_background_threads')"
        assert table.connection.execute(query).fetchall() == [(True,)]
