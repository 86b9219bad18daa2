"""Tables for Excel: what is written reads back equal, nothing runs, nothing is half written."""

import csv
import datetime
import decimal
import enum
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unicodedata
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from opslab.errors import DataError, MachineError, ParameterError
from opslab.tables import writer
from opslab.tables.writer import write_csv, write_xlsx

DIALECTS = {None: ",", "fr": ";"}
DAY = datetime.date(2026, 10, 5)
MORNING = datetime.datetime.fromisoformat("2026-10-05 08:12:00")
HOSTILE = [
    "=1+1",
    "+33 1 23 45 67 89",
    "-5",
    "@SUM(A1)",
    "  =1+1",
    "\N{NO-BREAK SPACE}=1+1",
    "\N{IDEOGRAPHIC SPACE}=1+1",
    "\ufeff=1+1",
    "\u200b\u202e=1+1",
    "\x01-1",
    "\x1f \x0b@x",
    "\uff1d1+1",
    "\uff0b1",
    "\uff0d1",
    "\uff20x",
    "\ufe661",
    "\tabc",
    "\rabc",
    "\nabc",
    "\t=1+1",
    '=HYPERLINK("https://example.org";"x")',
    "=cmd|' /C calc'!A0",
    "'=1+1",
    "''-5",
]
HARMLESS = [
    "l'été à Noël",
    "'tis",
    "a=b",
    "a@example.org",
    "3-2",
    "abc;=1+1",
    "abc,=1+1",
    'a\n=1+1", x',
    "#N/A",
    "1e5",
]


class Plan(str, enum.Enum):  # noqa: UP042 - as it is written for older Pythons
    CHEAP = "-cheap"


@pytest.fixture
def frame():
    return pd.DataFrame(
        {
            "avis reçu": ["très bien", "-5", "abc;=1+1", 'deux\nlignes, "oui"', None],
            "note": [1.5, -0.1, 1e-7, 0.1 + 0.2, math.nan],
            "clients": pd.array([1, -2, None, 4, 123456789012345], dtype="Int64"),
            "actif": pd.array([True, False, None, True, False], dtype="boolean"),
            "jour": [DAY, DAY, None, DAY, DAY],
            "heure": [MORNING, None, MORNING, MORNING, MORNING],
        }
    )


def raw_rows(path, excel):
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.reader(stream, delimiter=DIALECTS[excel], strict=True))


def runs(text):
    """Whether a text may run, by the rule that write_csv states."""
    seen = text.lstrip("'")
    if seen[:1] in {"\t", "\r", "\n"}:
        return True
    while seen and (seen[0].isspace() or unicodedata.category(seen[0]) in {"Cc", "Cf", "Cn", "Co"}):
        seen = seen[1:]
    return unicodedata.normalize("NFKC", seen[:1]) in {"=", "+", "-", "@"}


def undone(text):
    return text[1:] if text.startswith("'") and runs(text[1:]) else text


def cells(path, sheet=None):
    book = openpyxl.load_workbook(path)
    return [list(row) for row in (book[sheet] if sheet else book.active).iter_rows()]


# --- What a file holds


def test_csv_is_written_as_documented(frame, tmp_path):
    assert write_csv(frame, tmp_path / "a.csv") == tmp_path / "a.csv"
    assert (tmp_path / "a.csv").read_bytes().decode() == (
        "\ufeffavis reçu,note,clients,actif,jour,heure\r\n"
        "très bien,1.5,1,TRUE,2026-10-05,2026-10-05 08:12:00\r\n"
        "'-5,-0.1,-2,FALSE,2026-10-05,\r\n"
        '"abc;=1+1",0.0000001,,,,2026-10-05 08:12:00\r\n'
        '"deux\nlignes, ""oui""",0.30000000000000004,4,TRUE,2026-10-05,2026-10-05 08:12:00\r\n'
        ",,123456789012345,FALSE,2026-10-05,2026-10-05 08:12:00\r\n"
    )


def test_french_csv_is_written_as_documented(frame, tmp_path):
    write_csv(frame, tmp_path / "a.csv", excel="fr")
    assert (tmp_path / "a.csv").read_bytes().decode() == (
        "\ufeffavis reçu;note;clients;actif;jour;heure\r\n"
        "très bien;1,5;1;VRAI;05/10/2026;05/10/2026 08:12:00\r\n"
        "'-5;-0,1;-2;FAUX;05/10/2026;\r\n"
        '"abc;=1+1";0,0000001;;;;05/10/2026 08:12:00\r\n'
        '"deux\nlignes, ""oui""";0,30000000000000004;4;VRAI;05/10/2026;05/10/2026 08:12:00\r\n'
        ";;123456789012345;FAUX;05/10/2026;05/10/2026 08:12:00\r\n"
    )


@pytest.mark.parametrize("excel", DIALECTS)
def test_pandas_reads_the_same_table_from_csv(frame, tmp_path, excel):
    path = write_csv(frame, tmp_path / "a.csv", excel=excel)
    form = "%d/%m/%Y" if excel else "%Y-%m-%d"
    read = pd.read_csv(
        path,
        sep=DIALECTS[excel],
        decimal="," if excel else ".",
        encoding="utf-8-sig",
        dtype={"clients": "Int64", "actif": "boolean"},
        true_values=["VRAI"],
        false_values=["FAUX"],
        date_format={"jour": form, "heure": f"{form} %H:%M:%S"},
        parse_dates=["jour", "heure"],
    )
    assert list(read.columns) == list(frame.columns)
    for name in ("note", "clients", "actif"):
        pd.testing.assert_series_equal(read[name], frame[name])
    assert [undone(text) for text in read["avis reçu"].dropna()] == list(
        frame["avis reçu"].dropna()
    )
    assert list(read["jour"].dt.date.dropna()) == [DAY] * 4
    assert list(read["heure"].dropna()) == [MORNING] * 4


def test_openpyxl_reads_the_same_table_from_xlsx(frame, tmp_path):
    header, *rows = cells(write_xlsx(frame, tmp_path / "a.xlsx"))
    assert [cell.value for cell in header] == list(frame.columns)
    midnight = datetime.datetime.combine(DAY, datetime.time())
    expected = [
        ["très bien", 1.5, 1, True, midnight, MORNING],
        ["-5", -0.1, -2, False, midnight, None],
        ["abc;=1+1", 1e-7, None, None, None, MORNING],
        ['deux\nlignes, "oui"', 0.1 + 0.2, 4, True, midnight, MORNING],
        [None, None, 123456789012345, False, midnight, MORNING],
    ]
    found = [[cell.value for cell in row] for row in rows]
    assert found == expected
    assert [[type(value) for value in row] for row in found] == [
        [type(value) for value in row] for row in expected
    ]


def test_a_sheet_is_laid_out_for_reading(frame, tmp_path):
    frame["avis reçu"] = ["x" * 500, "", None, "", ""]
    write_xlsx(frame, tmp_path / "a.xlsx", sheet="Avis")
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx")["Avis"]
    assert all(cell.font.bold for cell in sheet[1])
    assert not any(cell.font.bold for cell in sheet[2])
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:F6"
    widths = [sheet.column_dimensions[letter].width for letter in "ABCDEF"]
    assert widths[0] == 60
    assert all(12 <= width <= 25 for width in widths[1:])
    assert (sheet["E2"].number_format, sheet["F2"].number_format) == (
        "yyyy-mm-dd",
        "yyyy-mm-dd hh:mm:ss",
    )


def test_a_workbook_has_a_sheet_for_each_table(frame, tmp_path):
    one, two = frame[["note"]], frame[["clients", "actif"]].head(0)
    write_xlsx({"Été": one, "À part": two}, tmp_path / "a.xlsx")
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames == ["Été", "À part"]
    assert [cell.value for cell in book["Été"]["A"]] == ["note", 1.5, -0.1, 1e-7, 0.1 + 0.2]
    assert [[cell.value for cell in row] for row in book["À part"].iter_rows()] == [
        ["clients", "actif"]
    ]
    assert book["À part"].auto_filter.ref == "A1:B1"


@pytest.mark.parametrize(
    ("value", "english", "french"),
    [
        (1e16, "10000000000000000.0", "10000000000000000,0"),
        (1.5e-15, "0.0000000000000015", "0,0000000000000015"),
        (1e300, "1e+300", "1e+300"),
        (2.5e-20, "2.5e-20", "2,5e-20"),
        (-5.0, "-5.0", "-5,0"),
        (np.float64(0.1), "0.1", "0,1"),
        (np.int64(7), "7", "7"),
        (np.True_, "TRUE", "VRAI"),
        (Plan.CHEAP, "'-cheap", "'-cheap"),
        (2**63, "9223372036854775808", "9223372036854775808"),
        (decimal.Decimal("12.10"), "12.10", "12,10"),
        (decimal.Decimal("1E+3"), "1000", "1000"),
        (decimal.Decimal("NaN"), "", ""),
        (pd.NaT, "", ""),
        (pd.NA, "", ""),
        (datetime.date(31, 2, 1), "0031-02-01", "01/02/0031"),
        (
            MORNING.replace(microsecond=250_000),
            "2026-10-05 08:12:00.250000",
            "05/10/2026 08:12:00,250000",
        ),
        (
            MORNING.replace(tzinfo=datetime.UTC),
            "2026-10-05 08:12:00+00:00",
            "2026-10-05 08:12:00+00:00",
        ),
        ([1.5, None, "a", True, DAY], "1.5; ; a; TRUE; 2026-10-05", "1,5; ; a; VRAI; 05/10/2026"),
        ([-1, "b"], "'-1; b", "'-1; b"),
        (np.array([1, 2]), "1; 2", "1; 2"),
        ({"b", "a", "c"}, "a; b; c", "a; b; c"),
        ([], "", ""),
        (datetime.time(8, 30), "08:30:00", "08:30:00"),
        (pd.Interval(0, 1), "(0, 1]", "(0, 1]"),
        (pd.Period("2026-10"), "2026-10", "2026-10"),
        (datetime.timedelta(hours=-1), "'-1 day, 23:00:00", "'-1 day, 23:00:00"),
        ("\ud800", "\ufffd", "\ufffd"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_kind_of_value_has_its_form(tmp_path, value, english, french):
    column = pd.Series([value, "last"], dtype=object)
    for excel, expected in ((None, english), ("fr", french)):
        path = write_csv(column.to_frame("x"), tmp_path / "a.csv", excel=excel)
        assert raw_rows(path, excel) == [["x"], [expected], ["last"]]


def test_times_at_midnight_are_days_and_zones_stay(tmp_path):
    times = pd.Series(pd.to_datetime(["2026-10-05", "2026-10-06", None]))
    table = pd.DataFrame(
        {
            "days": times,
            "times": times + pd.to_timedelta([0, 1, 0], unit="h"),
            "zone": times.dt.tz_localize("Europe/Paris"),
        }
    )
    assert raw_rows(write_csv(table, tmp_path / "a.csv"), None)[1:] == [
        ["2026-10-05", "2026-10-05 00:00:00", "2026-10-05 00:00:00+02:00"],
        ["2026-10-06", "2026-10-06 01:00:00", "2026-10-06 00:00:00+02:00"],
        ["", "", ""],
    ]
    _, first, *_ = cells(write_xlsx(table, tmp_path / "a.xlsx"))
    assert [cell.number_format for cell in first] == [
        "yyyy-mm-dd",
        "yyyy-mm-dd hh:mm:ss",
        "General",
    ]
    assert first[2].value == "2026-10-05 00:00:00+02:00"


def test_a_workbook_keeps_what_excel_would_lose_as_text(tmp_path):
    kept = [10**14, -(10**14), decimal.Decimal("0.12345678901234"), datetime.date(1900, 3, 1)]
    lost = [10**15, -(10**15), decimal.Decimal("1234567890123456.5"), datetime.date(1900, 2, 28)]
    table = pd.DataFrame(
        {
            str(place): pd.Series(pair, dtype=object)
            for place, pair in enumerate(zip(kept, lost, strict=True))
        }
    )
    _, first, second = cells(write_xlsx(table, tmp_path / "a.xlsx"))
    assert [cell.data_type for cell in first] == ["n", "n", "n", "d"]
    assert [cell.value for cell in first[:2]] == kept[:2]
    assert [(cell.data_type, cell.value) for cell in second] == [
        ("s", str(value)) for value in lost
    ]


def test_a_workbook_holds_only_characters_that_xml_allows(tmp_path):
    texts = [
        "a\x00b\x1bc\uffff\ud800",
        "one\r\ntwo\rthree\nfour",
        "_x0041_",
        " both ends ",
        "#N/A",
        "TRUE",
        "007",
    ]
    rows = cells(write_xlsx(pd.DataFrame({"x": texts}, dtype=object), tmp_path / "a.xlsx"))[1:]
    assert (
        [row[0].value for row in rows]
        == [
            "a\ufffdb\ufffdc\ufffd\ufffd",
            "one\ntwo\nthree\nfour",
            "_x005F_x0041_",  # Excel shows _x0041_; openpyxl does not undo the escape
            *texts[3:],
        ]
    )
    assert {row[0].data_type for row in rows} == {"s"}
    sheet = zipfile.ZipFile(tmp_path / "a.xlsx").read("xl/worksheets/sheet1.xml")
    assert b"\r" not in sheet
    assert b'<t xml:space="preserve"> both ends </t>' in sheet  # or Excel takes the spaces off


# --- Nothing runs


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_a_text_that_may_run_does_not(tmp_path, text):
    table = pd.DataFrame({text: [text, "x"]})
    for excel in DIALECTS:
        header, first, _ = raw_rows(write_csv(table, tmp_path / "a.csv", excel=excel), excel)
        assert header == first == ["'" + text]
        assert undone(first[0]) == text
    header, first, _ = cells(write_xlsx(table, tmp_path / "a.xlsx"))
    shown = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f]", "\ufffd", text.replace("\r", "\n"))
    for (cell,) in (header, first):
        assert (cell.data_type, cell.value) == ("s", shown)
    assert header[0].quotePrefix
    assert first[0].quotePrefix == (shown[0] != "\ufffd")
    assert b"<f>" not in zipfile.ZipFile(tmp_path / "a.xlsx").read("xl/worksheets/sheet1.xml")


@pytest.mark.parametrize("text", HARMLESS, ids=ascii)
def test_any_other_text_stays_as_it_is(tmp_path, text):
    table = pd.DataFrame({"x": [text]})
    for excel in DIALECTS:
        assert raw_rows(write_csv(table, tmp_path / "a.csv", excel=excel), excel)[1] == [text]
    ((cell,),) = cells(write_xlsx(table, tmp_path / "a.xlsx"))[1:]
    assert (cell.data_type, cell.value, cell.quotePrefix) == ("s", text, False)


@pytest.mark.parametrize("excel", DIALECTS)
@pytest.mark.parametrize("separator", [",", ";", "\t", "|", "\n", '"'])
def test_a_text_with_any_separator_is_quoted(tmp_path, separator, excel):
    path = write_csv(pd.DataFrame({"x": [f"a{separator}b"]}), tmp_path / "a.csv", excel=excel)
    inside = separator.replace('"', '""')
    assert path.read_bytes().decode("utf-8-sig") == f'x\r\n"a{inside}b"\r\n'


def test_a_row_of_nothing_is_still_a_row(tmp_path):
    path = write_csv(pd.DataFrame({"x": [None, "a", ""]}), tmp_path / "a.csv")
    assert raw_rows(path, None) == [["x"], [""], ["a"], [""]]


# --- Any table reads back equal

TEXTS = st.text(
    st.one_of(
        st.sampled_from("=+-@'\";,\t\r\n \ufeff\uff1d\u200b|e0"),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=12,
)
TIMES = st.datetimes(datetime.datetime.fromisoformat("1900-03-01")).map(
    lambda time: time.replace(microsecond=time.microsecond // 1000 * 1000)
)
KINDS = {
    "text": TEXTS,
    "number": st.floats(allow_nan=False, allow_infinity=False),
    "whole": st.integers(-(10**17), 10**17),
    "truth": st.booleans(),
    "day": st.dates(),
    "time": TIMES,
}
TABLES = st.lists(st.tuples(*(st.none() | kind for kind in KINDS.values())), max_size=6).map(
    lambda rows: pd.DataFrame(rows, columns=list(KINDS), dtype=object)
)


def expected_rows(table):
    return [
        [None if value == "" else value for value in row]
        for row in table.itertuples(index=False, name=None)
    ]


def parsed(kind, text, excel):
    """Return what a CSV cell says, by a reader that shares nothing with the writer."""
    if text == "":
        return None
    if kind == "text":
        return undone(text)
    if kind == "number":
        assert excel is None or "." not in text
        return float(text.replace(",", "."))
    if kind == "whole":
        return int(text)
    if kind == "truth":
        return {"TRUE": True, "FALSE": False, "VRAI": True, "FAUX": False}[text]
    day, _, time = text.partition(" ")
    if excel:
        day = "-".join(reversed(day.split("/")))
    if kind == "day":
        return datetime.date.fromisoformat(day)
    return datetime.datetime.fromisoformat(f"{day} {time.replace(',', '.')}")


@settings(max_examples=50, deadline=None)
@given(table=TABLES, excel=st.sampled_from([None, "fr"]))
def test_any_table_reads_back_equal_from_csv(table, excel):
    with tempfile.TemporaryDirectory() as folder:
        header, *rows = raw_rows(write_csv(table, Path(folder) / "a.csv", excel=excel), excel)
    assert header == list(KINDS)
    found = [
        [parsed(kind, text, excel) for kind, text in zip(KINDS, row, strict=True)] for row in rows
    ]
    assert found == expected_rows(table)


def in_a_workbook(value):
    """Return what the documentation promises of a value in a workbook."""
    if isinstance(value, str):
        value = re.sub(
            "[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]",
            "\ufffd",
            value.replace("\r\n", "\n").replace("\r", "\n"),
        )
        return value or None
    if type(value) is int and len(str(abs(value))) > 15:
        return str(value)
    if type(value) is datetime.date:
        in_range = value >= datetime.date(1900, 3, 1)
        return datetime.datetime.combine(value, datetime.time()) if in_range else value.isoformat()
    return value


@settings(max_examples=20, deadline=None)
@given(table=TABLES)
def test_any_table_reads_back_equal_from_xlsx(table):
    with tempfile.TemporaryDirectory() as folder:
        header, *rows = cells(write_xlsx(table, Path(folder) / "a.xlsx"))
    assert [cell.value for cell in header] == list(KINDS)
    found = [[cell.value for cell in row] for row in rows]
    expected = [[in_a_workbook(value) for value in row] for row in expected_rows(table)]
    while expected and not any(value is not None for value in expected[-1]):
        expected.pop()  # openpyxl does not count empty rows at the end
    assert found[: len(expected)] == expected
    assert not any(value is not None for row in found[len(expected) :] for value in row)


@settings(deadline=None)
@given(text=TEXTS.flatmap(lambda text: st.sampled_from([text, "'" + text, "'" + text.lstrip("'")])))
@example(text="\U000e1000@")
def test_the_apostrophe_can_be_undone_and_leaves_nothing_that_runs(text):
    for excel in DIALECTS:
        with tempfile.TemporaryDirectory() as folder:
            path = write_csv(pd.DataFrame({"x": [text]}), Path(folder) / "a.csv", excel=excel)
            written = raw_rows(path, excel)[1][0]
        assert undone(written) == text
        assert written.startswith("'") or not runs(written)


# --- Tables of any library


def test_pandas_polars_and_arrow_write_the_same_bytes(tmp_path):
    content = {
        "text": ["é", None, "=1"],
        "whole": [2**53 + 1, None, 3],
        "number": [0.5, None, -1.25],
        "truth": [True, None, False],
        "day": [DAY, None, DAY],
        "time": [MORNING, None, MORNING],
        "list": [[1, 2], None, []],
    }
    tables = [
        pd.DataFrame({name: pd.Series(column, dtype=object) for name, column in content.items()})
    ]
    tables += [
        pl.DataFrame(content),
        pa.table(content),
        pa.table(content).to_pandas(types_mapper=pd.ArrowDtype),
    ]
    written = {write_csv(table, tmp_path / "a.csv").read_bytes() for table in tables}
    assert len(written) == 1
    assert f"\r\n,,,,,,\r\n'=1,3,-1.25,FALSE,{DAY},{MORNING},\r\n".encode() in written.pop()
    assert len({write_xlsx(table, tmp_path / "a.xlsx").read_bytes() for table in tables}) == 1


@pytest.mark.parametrize(
    "other",
    [[1, 2], {"a": [1]}, pd.Series([1]), pl.LazyFrame({"a": [1]}), "text", None],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_table_is_refused(tmp_path, other):
    with pytest.raises(
        DataError, match="cannot be written; give a pandas or Polars data frame"
    ) as caught:
        write_csv(other, tmp_path / "a.csv")
    assert type(other).__name__ in str(caught.value)
    with pytest.raises(DataError):
        write_xlsx(other, tmp_path / "a.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_pandas_and_openpyxl_load_only_when_needed():
    code = "import sys, opslab.tables.writer; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "opslab.tables.writer" in loaded
    assert not {"pandas", "openpyxl", "polars", "pyarrow"} & set(loaded)


# --- The same table, the same bytes

TWICE = """
import sys, pandas as pd
from opslab.tables.writer import write_csv, write_xlsx
table = pd.DataFrame({
    "tags": [{"beta", "alpha", "gamma", "delta"}] * 3,
    "day": pd.to_datetime(["2026-10-05"] * 3),
    "time": pd.to_datetime(["2026-10-05 08:12:00"] * 3),
    "zone": pd.to_datetime(["2026-10-05 08:12:00"] * 3).tz_localize("Europe/Paris"),
    "note": [0.1, -1e-7, 1e22],
})
folder = sys.argv[1]
write_csv(table, f"{folder}/a.csv"), write_csv(table, f"{folder}/fr.csv", excel="fr")
write_xlsx({"Un": table, "Deux": table[["note"]]}, f"{folder}/a.xlsx")
"""


@pytest.mark.slow
def test_the_same_table_gives_the_same_bytes_on_any_day_and_place(tmp_path):
    found = []
    for number, zone in enumerate(("Pacific/Auckland", "America/Los_Angeles")):
        folder = tmp_path / str(number)
        folder.mkdir()
        place = {"TZ": zone, "PYTHONHASHSEED": str(number), "LC_ALL": ("C", "C.UTF-8")[number]}
        subprocess.run(
            [sys.executable, "-c", TWICE, str(folder)], check=True, env={**os.environ, **place}
        )
        found.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert sorted(found[0]) == ["a.csv", "a.xlsx", "fr.csv"]
    assert found[0] == found[1]


def test_a_workbook_tells_no_time_at_which_it_was_made(frame, tmp_path):
    with zipfile.ZipFile(write_xlsx(frame, tmp_path / "a.xlsx")) as book:
        assert book.testzip() is None
        assert {entry.date_time for entry in book.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {entry.create_system for entry in book.infolist()} == {0}
        told = re.findall(rb"\d{4}-\d\d-\d\dT[^<]*", book.read("docProps/core.xml"))
    assert told == [b"2000-01-01T00:00:00Z"] * 2


# --- Errors

BAD_CELLS = [
    (math.inf, "an infinite number"),
    (-math.inf, "an infinite number"),
    (np.float64("inf"), "an infinite number"),
    (decimal.Decimal("-Infinity"), "an infinite number"),
    ([1, math.inf], "an infinite number"),
    (object(), "a value of type object,"),
    (b"bytes", "a value of type bytes,"),
    ({"a": 1}, "a value of type dict,"),
]


@pytest.mark.parametrize(("value", "told"), BAD_CELLS, ids=lambda part: type(part).__name__)
@pytest.mark.parametrize("write", [write_csv, write_xlsx])
def test_a_value_that_no_cell_holds_is_refused_with_its_place(
    tmp_path, monkeypatch, write, value, told
):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    target = tmp_path / "a.out"
    target.write_text("before")
    table = pd.DataFrame(
        {"fine": range(300), "price": pd.Series([1.0] * 299 + [value], dtype=object)}
    )
    with pytest.raises(DataError, match=re.escape(told)) as caught:
        write(table, target)
    assert str(caught.value).startswith("a.out, price: Row 300 ")
    assert caught.value.text("fr").startswith("a.out, price\N{NO-BREAK SPACE}: La ligne 300 ")
    assert target.read_text() == "before"
    assert sorted(tmp_path.iterdir()) == [target, scratch]
    assert list(scratch.iterdir()) == []


def test_a_text_longer_than_a_cell_is_refused_in_a_workbook_only(tmp_path):
    for text in ("x" * 32_767, "\N{GRINNING FACE}" * 16_383):
        ((cell,),) = cells(write_xlsx(pd.DataFrame({"x": [text]}), tmp_path / "a.xlsx"))[1:]
        assert cell.value == text
    for text in ("x" * 32_768, "\N{GRINNING FACE}" * 16_384, "_x0041_" * 4_000):
        table = pd.DataFrame({"fine": ["a", "b"], "comment": ["a", text]})
        with pytest.raises(
            DataError, match=r"^b.xlsx, comment: The text in row 2 .* holds 32,767; shorten it"
        ):
            write_xlsx(table, tmp_path / "b.xlsx")
        assert raw_rows(write_csv(table, tmp_path / "a.csv"), None)[2] == ["b", text]
    with pytest.raises(DataError, match=r"The text in row 0 \(the header is row 0\)") as caught:
        write_xlsx(pd.DataFrame({"x" * 40_000: [1]}), tmp_path / "b.xlsx")
    assert len(str(caught.value)) < 300
    assert not (tmp_path / "b.xlsx").exists()


def test_a_table_larger_than_a_sheet_is_refused_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "_fill", None)
    for table, size in (
        (
            pd.DataFrame({"x": np.zeros(1_048_576, dtype=bool)}),
            "1,048,577 rows with its header and 1 columns",
        ),
        (pd.DataFrame(np.zeros((1, 16_385))), "2 rows with its header and 16,385 columns"),
    ):
        with pytest.raises(
            DataError, match=f"^a.xlsx, Data: The table has {size}, .*write a CSV file"
        ):
            write_xlsx(table, tmp_path / "a.xlsx", sheet="Data")
    with pytest.raises(TypeError):  # one row less goes on to be written
        write_xlsx(pd.DataFrame({"x": np.zeros(1_048_575, dtype=bool)}), tmp_path / "a.xlsx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        ([0, 1.5, True], ["0", "1.5", "True"]),
        (
            [pd.Timestamp("2026-10-05"), MORNING, DAY.replace(year=2025)],
            ["2026-10-05", "2026-10-05 08:12:00", "2025-10-05"],
        ),
        (
            pd.MultiIndex.from_tuples([("note", "moyenne"), ("note", "="), ("n", "")]),
            ["note / moyenne", "note / =", "n"],
        ),
        (["-x", "a;b", 'a"b'], ["'-x", "a;b", 'a"b']),
    ],
    ids=["kinds", "times", "levels", "hostile"],
)
def test_names_of_columns_become_text(tmp_path, columns, names):
    table = pd.DataFrame([[1, 2, 3]], columns=columns)
    assert raw_rows(write_csv(table, tmp_path / "a.csv"), None)[0] == names
    assert [cell.value for cell in cells(write_xlsx(table, tmp_path / "a.xlsx"))[0]] == [
        undone(name) for name in names
    ]


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        (["a", "b", "a"], "More than one column is called a;"),
        (["1", 1, "b"], "More than one column is called 1;"),
        (["a", None, "b"], "Column 2 has no name"),
        (["a", "b", math.nan], "Column 3 has no name"),
        ([" ", "b", "c"], "Column 1 has no name"),
        ([], "There is nothing to write"),
    ],
    ids=str,
)
def test_columns_without_a_name_of_their_own_are_refused(tmp_path, columns, told):
    table = pd.DataFrame([range(len(columns))], columns=columns)
    for write in (write_csv, write_xlsx):
        with pytest.raises(DataError, match=told):
            write(table, tmp_path / "a.out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "x" * 32,
        "\N{GRINNING FACE}" * 16,
        "a/b",
        "a\\b",
        "a:b",
        "a*b",
        "a?b",
        "[a]",
        "'a",
        "a'",
        "a\nb",
        "a\x01",
        "HISTORY",
    ],
    ids=ascii,
)
def test_a_name_that_no_sheet_can_have_is_refused(tmp_path, frame, name):
    with pytest.raises(DataError, match="cannot be the name of a sheet") as caught:
        write_xlsx(frame, tmp_path / "a.xlsx", sheet=name)
    assert "ne peut pas nommer une feuille" in caught.value.text("fr")
    assert list(tmp_path.iterdir()) == []


def test_names_are_held_to_the_same_rules_whatever_the_library(tmp_path):
    tables = [
        pl.DataFrame({" ": [1]}),
        pa.table([[1], [2]], names=["a", "a"]),
        pa.table({}),
        pl.DataFrame(),
    ]
    told = [
        "Column 1 has no name",
        "More than one column is called a;",
        "nothing to write",
        "nothing to write",
    ]
    for table, message in zip(tables, told, strict=True):
        with pytest.raises(DataError, match=message):
            write_csv(table, tmp_path / "a.csv")


def test_sheets_need_a_table_and_a_name_each(tmp_path, frame):
    with pytest.raises(DataError, match="cannot be the name of a sheet"):
        write_xlsx({"Data": frame, "data": frame}, tmp_path / "a.xlsx")
    with pytest.raises(DataError, match="nothing to write"):
        write_xlsx({}, tmp_path / "a.xlsx")
    write_xlsx({"x" * 31: frame, "l'été": frame}, tmp_path / "a.xlsx")
    assert openpyxl.load_workbook(tmp_path / "a.xlsx").sheetnames == ["x" * 31, "l'été"]


@pytest.mark.parametrize("write", [write_csv, write_xlsx])
def test_a_place_that_cannot_be_written_is_told(tmp_path, frame, write):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match=r"^folder: This is a folder, or its folder is not there"):
        write(frame, tmp_path / "folder")
    for path in (tmp_path / "none" / "a.out", tmp_path / "file" / "a.out"):
        with pytest.raises(
            DataError, match=r"^a.out: This is a folder, or its folder is not there"
        ):
            write(frame, path)
    with pytest.raises(MachineError, match=r"The file cannot be written \(File name too long\)"):
        write(frame, tmp_path / ("x" * 300))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.skipif(
    not Path("/sys/kernel").is_dir(), reason="no folder that even root cannot write"
)
def test_a_folder_without_permission_is_the_machines_refusal(frame):
    with pytest.raises(
        MachineError, match=r"^opslab.csv: The file cannot be written \([^)]+\); close it"
    ) as caught:
        write_csv(frame, "/sys/kernel/opslab.csv")
    assert caught.value.exit_code == 5


@pytest.mark.parametrize("write", [write_csv, write_xlsx])
def test_a_disk_that_fails_leaves_the_old_file(tmp_path, frame, monkeypatch, write):
    target = tmp_path / "a.out"
    target.write_text("before")

    def full(draft, _):
        assert draft.parent.parent == tmp_path  # on the same disk
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(MachineError, match="No space left on device"):
        write(frame, target)
    assert [path.name for path in tmp_path.iterdir()] == ["a.out"]
    assert target.read_text() == "before"


def test_a_file_is_replaced_and_bears_the_usual_permissions(tmp_path, frame):
    target = tmp_path / "a.csv"
    target.write_text("before")
    usual = target.stat().st_mode
    write_csv(frame, str(target))
    assert target.read_text(encoding="utf-8-sig").startswith("avis reçu,")
    assert target.stat().st_mode == usual


def test_a_dialect_that_is_not_there_is_refused(tmp_path, frame):
    with pytest.raises(ParameterError, match="de is not a dialect; give fr"):
        write_csv(frame, tmp_path / "a.csv", excel="de")
    assert list(tmp_path.iterdir()) == []


# --- LibreOffice, as a spreadsheet that people open

FILTERS = {None: "CSV:44,34,76,1,,1033", "fr": "CSV:59,34,76,1,,1036"}
SPECIAL = ",false,true,false,false,false,0,true"  # dates and truths are looked for, formulas run
CONTROL = {None: "=1+1,-5\r\n", "fr": "=1+1;-5\r\n"}


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """Open files in LibreOffice and save them anew; return their cells."""
    program = shutil.which("soffice")
    if program is None:
        pytest.skip("no LibreOffice: install libreoffice-calc")
    folder = tmp_path_factory.mktemp("office")

    def convert(*paths, infilter=None):
        out = Path(tempfile.mkdtemp(dir=folder))
        command = [program, f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless"]
        command += ["--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(out)]
        command += [f"--infilter={infilter}"] if infilter else []
        subprocess.run([*command, *map(str, paths)], check=True, capture_output=True, timeout=120)
        return [cells(out / f"{path.stem}.xlsx") for path in paths]

    return convert


def spreadsheet_frame(frame):
    return pd.concat(
        [frame, pd.DataFrame({"avis reçu": [text for text in HOSTILE if text.isprintable()]})]
    )


@pytest.mark.parametrize("excel", DIALECTS)
def test_a_spreadsheet_opens_csv_as_it_was_meant(opened, frame, tmp_path, excel):
    table = spreadsheet_frame(frame)
    path = write_csv(table, tmp_path / "table.csv", excel=excel)
    (tmp_path / "control.csv").write_text(CONTROL[excel], newline="")
    found, control = opened(path, tmp_path / "control.csv", infilter=FILTERS[excel] + SPECIAL)
    assert [(cell.data_type, cell.value) for cell in control[0]] == [("f", "=1+1"), ("n", -5)]
    assert [cell.value for cell in found[0]] == list(frame.columns)
    assert not [cell.coordinate for row in found for cell in row if cell.data_type == "f"]
    assert [undone(row[0].value) for row in found[1:] if row[0].value] == list(
        table["avis reçu"].dropna()
    )
    assert [row[1].value for row in found[1:5]] == [1.5, -0.1, 1e-7, pytest.approx(0.3)]
    assert [row[2].value for row in found[1:6]] == [1, -2, None, 4, 123456789012345]
    assert [row[3].value for row in found[1:6]] == [True, False, None, True, False]
    midnight = datetime.datetime.combine(DAY, datetime.time())
    assert [row[4].value for row in found[1:6]] == [midnight, midnight, None, midnight, midnight]
    assert [row[5].value for row in found[1:6]] == [MORNING, None, MORNING, MORNING, MORNING]


def test_a_spreadsheet_opens_a_workbook_as_it_was_meant(opened, frame, tmp_path):
    table = spreadsheet_frame(frame)
    table["code"] = "_x0041_"
    (found,) = opened(write_xlsx(table, tmp_path / "table.xlsx"))
    formulas = [cell.value for row in found for cell in row if cell.data_type == "f"]
    assert formulas == [
        "=TRUE()",
        "=FALSE()",
        "=TRUE()",
        "=FALSE()",
    ]  # as LibreOffice itself saves truths
    assert [cell.value for cell in found[0]] == list(table.columns)
    assert [row[0].value for row in found[1:] if row[0].value] == list(table["avis reçu"].dropna())
    assert [row[1].value for row in found[1:5]] == [1.5, -0.1, 1e-7, pytest.approx(0.3)]
    assert [row[5].value for row in found[1:6]] == [MORNING, None, MORNING, MORNING, MORNING]
    assert found[1][6].value == "_x0041_"  # and not A
