"""Workbooks, JSON lines, Parquet and calendars through the one door: types kept, losses told."""

import datetime
import decimal
import io
import json
import zipfile

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from exported import assumed, decided, read, refused, rejected, values
from openpyxl.chart import BarChart, Reference

from opslab.errors import DataError
from opslab.tables import Answers, read_export

DAY = datetime.date(2025, 3, 4)
NINE = datetime.datetime.fromisoformat("2025-03-04T09:30:15")


def at(text):
    return datetime.datetime.fromisoformat(text)


# --- Workbooks


def workbook(*rows, change=None, **sheets):
    """Return the bytes of a workbook: a sheet of rows, others by name, and what a function changes."""
    book = openpyxl.Workbook()
    for sheet, lines in [
        (book.active, rows),
        *((book.create_sheet(name), rows) for name, rows in sheets.items()),
    ]:
        for line in lines:
            sheet.append(line)
    if change:
        change(book)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def repacked(packed, part, *edits):
    """Return a workbook in which a part of the file is edited as bytes."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(packed)) as source,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            content = source.read(name)
            for old, new in edits if name == part else ():
                assert old in content
                content = content.replace(old, new)
            target.writestr(name, content)
    return stream.getvalue()


SHEET = "xl/worksheets/sheet1.xml"


def test_a_workbook_keeps_its_types(tmp_path):
    def change(book):
        book.active["G2"].number_format = "0%"

    rows = [
        ("entier", "nombre", "jour", "heure", "durée", "oui", "part", "code", "texte"),
        (
            12,
            0.5,
            DAY,
            NINE,
            datetime.timedelta(hours=26, minutes=5),
            True,
            0.8,
            "007",
            'a,b;\n"c"',
        ),
        (-3, 1e-7, None, None, None, False, 1, "12", "  é "),
        (10**14, 2.0, DAY, NINE, None, None, 0.25, "0012", None),
    ]
    frame, reading = read(tmp_path, workbook(*rows, change=change), name="export.xlsx")
    assert list(frame) == list(rows[0])
    assert (reading.format, reading.encoding, reading.delimiter) == ("xlsx", None, None)
    assert list(frame["entier"]) == [12, -3, 10**14]
    assert list(frame["nombre"]) == [0.5, 1e-7, 2.0]
    midnight = datetime.datetime.combine(DAY, datetime.time())
    assert values(frame["jour"]) == [midnight, None, midnight]
    assert values(frame["heure"]) == [NINE, None, NINE]
    assert list(frame["part"]) == [0.8, 1, 0.25]
    assert list(frame["code"]) == ["007", "12", "0012"]
    assert frame["texte"][0] == 'a,b;\n"c"'
    assert not assumed(reading)


PROFILE = """\
profile: mine
tool: Mine
table: time_entries
recognised_by: [hours, amount]
columns:
  hours: {headers: [Durée], kind: duration}
  amount: {headers: [Montant], kind: number}
  billable: {headers: [Facturable], kind: boolean}
  rate: {headers: [Taux], kind: percent}
  person: {headers: [Qui], required: true}
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "mine.yaml").write_text(PROFILE, encoding="utf-8")
    monkeypatch.setenv("OPSLAB_WORKSPACE", str(tmp_path))
    return tmp_path


def test_a_workbook_under_a_profile(here):
    rows = [
        ("Durée", "Montant", "Facturable", "Taux"),
        (datetime.timedelta(hours=26, minutes=30), 1234.5, True, 0.8),
        (datetime.time(1, 15), 7, False, 0.5),
        (2.5, "n/a", None, None),
    ]
    frame, _ = read(here, workbook(*rows), name="export.xlsx", profile=None)
    assert list(frame["hours"]) == [26.5, 1.25, 2.5]
    assert values(frame["amount"]) == [1234.5, 7.0, None]
    assert values(frame["billable"]) == [True, False, None]
    assert values(frame["rate"]) == [0.8, 0.5, None]


@pytest.mark.parametrize("kind", ["xlsx", "jsonl"])
def test_numbers_that_are_numbers_ask_nothing(here, kind):
    for other in ("x", "1,5"):
        row = {"Durée": 1.234, "Montant": 12.345, "note": 1.125, "autre": other}
        content = {"xlsx": workbook(list(row), list(row.values())), "jsonl": json.dumps(row)}[kind]
        frame, _ = read(here, content, name=f"export.{kind}", profile="mine")
        assert frame[["hours", "amount", "note"]].iloc[0].to_list() == [1.234, 12.345, 1.125]


def test_errors_and_formulas_without_a_value_are_empty_and_told(tmp_path):
    rows = [("a", "f", "e"), (1, "=1+1", "#N/A"), (2, "=A2*2", "#DIV/0!"), (3, 5, 7)]
    frame, reading = read(tmp_path, workbook(*rows), name="export.xlsx")
    assert values(frame["f"]) == [None, None, 5]
    assert values(frame["e"]) == [None, None, 7]
    assert decided(reading) == {
        "decided_formulas": {"count": 2, "first": "B2"},
        "decided_errors": {"count": 2, "first": "C2"},
    }
    assert assumed(reading) == ["decided_formulas", "decided_errors"]


@pytest.mark.parametrize(
    "value",
    [
        b"<v>3</v>",
        b"<v></v>",
    ],
)
def test_formulas_with_a_value_are_values(tmp_path, value):
    packed = workbook(("a", "f"), (1, "=1+2"), (2, 5))
    kind = b"" if b"3" in value else b' t="str"'
    packed = repacked(
        packed,
        SHEET,
        (b'<c r="B2"><f>1+2</f><v /></c>', b'<c r="B2"' + kind + b"><f>1+2</f>" + value + b"</c>"),
    )
    frame, reading = read(tmp_path, packed, name="export.xlsx")
    assert values(frame["f"]) == [3 if b"3" in value else None, 5]
    assert not reading.decisions


def test_several_sheets_are_asked_for(tmp_path):
    packed = workbook(("a", "b"), (1, 2), Avril=[("c", "d"), (3, 4)], Vide=[])
    error = refused(tmp_path, packed, "ask_sheet", name="export.xlsx")
    assert "Sheet and Avril" in str(error)
    frame, reading = read(tmp_path, packed, name="export.xlsx", sheet="Avril")
    assert frame.to_dict("list") == {"c": [3], "d": [4]}
    assert decided(reading) == {"decided_sheet": {"sheet": "Avril"}}
    assert "did you mean Avril?" in str(
        refused(tmp_path, packed, "no_sheet_near", name="export.xlsx", sheet="Avrl")
    )
    error = refused(tmp_path, packed, "no_sheet", name="export.xlsx", sheet="Tout autre")
    assert "Sheet, Avril and Vide" in str(error)
    refused(tmp_path, packed, "empty_sheet", name="export.xlsx", sheet="Vide")


def test_empty_and_hidden_sheets_are_passed_over(tmp_path):
    def change(book):
        book["Cachée"].sheet_state = "hidden"
        book["Très"].sheet_state = "veryHidden"
        chart = BarChart()
        chart.add_data(Reference(book.active, min_col=1, min_row=1, max_row=2))
        book.create_chartsheet("Graphique").add_chart(chart)

    packed = workbook(("a", "b"), (1, 2), Cachée=[("c",), (3,)], Très=[("c",), (3,)], change=change)
    frame, _ = read(tmp_path, packed, name="export.xlsx")
    assert frame.to_dict("list") == {"a": [1], "b": [2]}
    refused(tmp_path, packed, "no_sheet", name="export.xlsx", sheet="Cachée")


def test_titles_above_the_header_of_a_sheet(tmp_path):
    packed = workbook(
        ("Rapport",), (), ("mars 2025",), ("a", "b", None, "d"), (1, 2, None, 4), (), (5, None, 7)
    )
    frame, reading = read(tmp_path, packed, name="export.xlsx")
    assert list(frame) == ["a", "b", "column 3", "d"]
    assert [values(frame[name]) for name in frame] == [[1, 5], [2, None], [None, 7], [4, None]]
    assert decided(reading) == {"decided_preamble": {"count": 3}}


def test_cells_beyond_the_header_are_left_out(tmp_path):
    rows = [("a", "b"), *[(place, "x") for place in range(1, 31)]]
    rows[7] = (7, "x", "trop")
    frame, reading = read(tmp_path, workbook(*rows), name="export.xlsx")
    assert list(frame["a"]) == [place for place in range(1, 31) if place != 7]
    (one,) = reading.rejections
    assert (one.row, one.key, dict(one.values)) == (
        8,
        "tables.rejected_width",
        {"found": 3, "columns": 2},
    )


def test_too_many_misfits_in_a_sheet_are_refused(tmp_path):
    refused(
        tmp_path, workbook(("a", "b"), *[(1, 2, 3)] * 9, (1, 2)), "many_misfits", name="export.xlsx"
    )


@pytest.mark.parametrize("kind", ["xlsx", "jsonl"])
def test_rows_keep_their_numbers_below_one_left_out(here, kind):
    """Row 3 does not fit, row 20 lacks what is required, row 25 holds no number.

    They are told by the row of the sheet, which counts the header, or by the line of the file.
    """
    lines = [["1:00", 5, "Ana"] for _ in range(30)]
    lines[19][2], lines[24][1] = None, "cinq"
    if kind == "xlsx":
        lines[2].append("trop")
        content = workbook(("Durée", "Montant", "Qui"), *lines)
    else:
        texts = [
            json.dumps(dict(zip(("Durée", "Montant", "Qui"), line, strict=True))) for line in lines
        ]
        content = "\n".join([*texts[:2], texts[2][:-1], *texts[3:]])
    _, reading = read(here, content, name=f"export.{kind}", profile="mine")
    above = 1 if kind == "xlsx" else 0
    assert [row for row, _ in rejected(reading)] == [3 + above, 20 + above]
    assert decided(reading, "amount")["decided_emptied"]["row"] == 25 + above


@pytest.mark.parametrize("claim", [b"A1:XFD1048576", b"A1", b"A1:A1", b"C7:D9"])
def test_a_sheet_is_read_as_it_is_whatever_size_it_claims(tmp_path, claim):
    claimed = (b'<dimension ref="A1:B2"', b'<dimension ref="' + claim + b'"')
    packed = repacked(workbook(("a", "b"), (1, 2)), SHEET, claimed)
    assert read(tmp_path, packed, name="export.xlsx")[0].to_dict("list") == {"a": [1], "b": [2]}


def test_a_header_alone_and_nothing_at_all(tmp_path):
    frame, reading = read(tmp_path, workbook(("a", "b")), name="export.xlsx")
    assert (list(frame), reading.rows) == (["a", "b"], 0)
    refused(tmp_path, workbook(), "empty_file", name="export.xlsx")
    refused(tmp_path, workbook((None, "")), "empty_file", name="export.xlsx")


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"id,x\n1,a\n", "no_workbook"),
        (b"PK\x03\x04" + b"\x00" * 40, "no_workbook"),
        (workbook(("a",), (1,))[:-200], "no_workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 60, "no_workbook"),
        (b"", "empty_file"),
    ],
    ids=["text", "stump", "cut", "old", "empty"],
)
def test_what_is_no_workbook(tmp_path, content, key):
    refused(tmp_path, content, key, name="export.xlsx")


def zipped(**parts):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as target:
        for name, content in parts.items():
            target.writestr(name, content)
    return stream.getvalue()


@pytest.mark.xfail(strict=True, reason="the engine's words for a CSV file: “CSV Error on Line: 2”")
def test_a_cell_without_end_is_told_as_one_of_a_workbook(tmp_path):
    packed = workbook(("a", "b"), (1, "x"))
    packed = repacked(
        packed, "xl/sharedStrings.xml", (b"<t>x</t>", b"<t>" + b"x" * 9_000_000 + b"</t>")
    )
    with pytest.raises(DataError) as caught:
        read(tmp_path, packed, name="export.xlsx")
    assert "CSV" not in str(caught.value)


def test_a_zip_without_a_workbook(tmp_path):
    refused(tmp_path, zipped(readme="hello"), "no_workbook", name="export.xlsx")


def broken_deflate():
    packed = bytearray(workbook(("a", "b"), *[(place, f"texte {place}") for place in range(200)]))
    with zipfile.ZipFile(io.BytesIO(bytes(packed))) as source:
        start = source.getinfo(SHEET).header_offset
    packed[start + 200 : start + 230] = b"\xff" * 30
    return bytes(packed)


PROPER = workbook(("a", "b"), (1, 2), (3, 4))
BROKEN = {
    "deflate": broken_deflate(),
    "no XML": repacked(PROPER, SHEET, (b'<row r="3"', b"<row <")),
    "cut XML": repacked(PROPER, SHEET, (b"</sheetData>", b"")),
    "no number": repacked(PROPER, SHEET, (b"<v>2</v>", b"<v>zwei</v>")),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_workbook_gives_one_message(tmp_path, name):
    refused(tmp_path, BROKEN[name], "no_workbook", name="export.xlsx")


def test_rows_at_the_end_of_a_sheet_may_have_been_cut(tmp_path, monkeypatch):
    monkeypatch.setattr("opslab.tables.workbooks._LAST_ROWS", (5,))
    rows = [("a", "b"), *[(place, 1) for place in range(4)]]
    assert assumed(read(tmp_path, workbook(*rows), name="export.xlsx")[1]) == ["decided_row_cap"]
    assert assumed(read(tmp_path, workbook(*rows[:-1]), name="export.xlsx")[1]) == []


# --- JSON lines


def jsonl(*records):
    written = [
        one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in records
    ]
    return "".join(f"{line}\n" for line in written)


def test_nested_names_are_joined_and_missing_ones_are_empty(tmp_path):
    content = jsonl(
        {"id": "a", "user": {"plan": "pro", "address": {"city": "Évry"}}, "n": 1},
        {"id": "b", "user": {}, "n": None, "new": 2.5},
        {"user": {"plan": ""}, "id": "c"},
    )
    frame, reading = read(tmp_path, content, name="export.jsonl")
    assert list(frame) == ["id", "user.plan", "user.address.city", "n", "new"]
    assert values(frame["user.plan"]) == ["pro", None, None]
    assert values(frame["user.address.city"]) == ["Évry", None, None]
    assert values(frame["n"]) == [1, None, None]
    assert values(frame["new"]) == [None, 2.5, None]
    assert (reading.format, reading.encoding, reading.rejected) == ("jsonl", "utf-8", 0)


def test_numbers_keep_their_digits(tmp_path):
    content = '{"a": 12345678901234567890, "b": 9007199254740993, "c": 0.1, "d": 1e3, "e": "007", "f": -0.5}\n'
    frame, _ = read(tmp_path, content, name="export.ndjson")
    assert frame.iloc[0].to_list() == [
        "12345678901234567890",
        "9007199254740993",
        0.1,
        1000.0,
        "007",
        -0.5,
    ]


def test_numbers_among_texts_keep_their_value(tmp_path):
    frame, _ = read(
        tmp_path, jsonl({"v": 1.234, "l": [1.234]}, {"v": "x", "l": []}), name="export.jsonl"
    )
    assert (float(frame["v"][0]), frame["v"][1]) == (1.234, "x")
    assert [float(one) for one in json.loads(frame["l"][0])] == [1.234]


def test_lists_stay_as_json(tmp_path):
    given = [["a", "é"], [1, 2.5], [], [{"x": None}]]
    frame, _ = read(tmp_path, jsonl(*({"l": one} for one in given)), name="export.jsonl")
    assert [json.loads(one) if one else [] for one in values(frame["l"])] == [
        ["a", "é"],
        ["1", "2.5"],
        [],
        [{"x": None}],
    ]


def test_texts_of_json_hold_anything(tmp_path):
    given = ["a\nb", 'c,"d";\te', " f ", "\U0001f600", "\x00g", "é" * 5_000, "2025-03-04 ", "n/a"]
    frame, _ = read(tmp_path, jsonl(*({"x": one} for one in given)), name="export.jsonl")
    assert list(frame["x"]) == given


@pytest.mark.parametrize(
    "broken",
    [
        '{"a": 2',
        "{'a': 2}",
        '{"a": 2} {"a": 3}',
        '{"a": 1, "a": 2}',
        '{"a.b": "x", "a": {"b": "y"}}',
        '{"a": Infinity}',
        '{"a": -Infinity}',
        '{"a": ' + "[" * 100_000,
        "[1, 2]",
        '"a"',
        "null",
    ],
    ids=lambda part: part[:16],
)
def test_a_line_that_is_no_record_is_left_out_with_its_number(tmp_path, broken):
    frame, reading = read(tmp_path, jsonl(*[{"a": 1}] * 20, broken, {"a": 3}), name="export.jsonl")
    assert list(frame["a"]) == [1] * 20 + [3]
    assert rejected(reading) == [(21, "rejected_no_object")]


@pytest.mark.parametrize(
    ("content", "key", "line"),
    [
        (jsonl(*[{"a": 1}] * 8, "x"), "no_records", 9),
        ("\n\n", "broken_json", 3),
        ("{}\n", "no_records", None),
        ("[]", "no_records", None),
        ("[1, 2, 3]", "no_records", None),
        ('[{"a": 1}, 2, 3]', "no_records", 2),
        ("12", "no_records", None),
        ('{\n  "a": 1\n}\n', "no_records", None),
        ("id,x\n1,2\n", "broken_json", 1),
        ('[{"a": 1},\n{"a": }]', "broken_json", 2),
        ('[{"a": 1, "a": 2}]', "broken_json", None),
        ('[{"a.b": 1, "a": {"b": 2}}]', "broken_json", None),
        ('[{"a": Infinity}]', "broken_json", None),
        ("[" * 100_000, "broken_json", None),
        ('{"a": ' * 100_000, "broken_json", None),
    ],
    ids=lambda part: repr(part)[:20],
)
@pytest.mark.parametrize("suffix", ["json", "jsonl"])
def test_what_is_no_file_of_records(tmp_path, content, key, line, suffix):
    error = refused(tmp_path, content, key, name=f"export.{suffix}")
    assert error.problems[0].line == line


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "cp1252"])
def test_encodings_of_records(tmp_path, codec):
    frame, reading = read(
        tmp_path, jsonl({"a": "é"}, {"a": "ù"}).encode(codec), name="export.jsonl"
    )
    assert list(frame["a"]) == ["é", "ù"]
    assert reading.encoding == codec.removesuffix("-sig")


def test_two_encodings_in_one_file_of_records(tmp_path):
    content = jsonl({"a": "é"}, *[{"a": "b"}] * 8_000).encode() + '{"a": "é"}\n'.encode("cp1252")
    error = refused(tmp_path, content, "encoding_mixed", name="export.jsonl")
    assert "UTF-8" in str(error)
    assert error.problems[0].line == 8_002


@pytest.mark.parametrize("before", [0, 8_000])
def test_records_in_cp1252_are_read_wherever_the_first_accent_stands(tmp_path, before):
    content = jsonl(*[{"a": "b"}] * before).encode() + '{"a": "é"}\n'.encode("cp1252")
    frame, reading = read(tmp_path, content, name="export.jsonl")
    assert reading.encoding == "cp1252"
    assert frame["a"].iloc[-1] == "é"


# --- JSON: lists of records


RECORDS = [{"id": 1, "user": {"plan": "pro"}}, {"id": 2, "tags": ["x"]}]
PAGE = {"meta": {"count": 2}, "response": {"items": RECORDS}, "errors": [{"code": 1}]}


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("suffix", ["json", "jsonl"])
def test_a_list_of_records_is_a_table_whatever_the_ending(tmp_path, suffix, indent):
    frame, reading = read(tmp_path, json.dumps(RECORDS, indent=indent), name=f"export.{suffix}")
    assert list(frame) == ["id", "user.plan", "tags"]
    assert [values(frame[name]) for name in frame] == [[1, 2], ["pro", None], [None, '["x"]']]
    assert decided(reading) == {"decided_lists": {"names": ["tags"]}}


@pytest.mark.parametrize("suffix", ["json", "ndjson"])
def test_lines_of_records_are_a_table_whatever_the_ending(tmp_path, suffix):
    lines = [{"id": place, "fields": [{"a": 1}, {"a": 2}]} for place in range(3)]
    frame, _ = read(tmp_path, jsonl(*lines), name=f"export.{suffix}")
    assert list(frame["id"]) == [0, 1, 2]


@pytest.mark.parametrize("content", [{"data": RECORDS}, {"a": {"b": RECORDS}}, PAGE])
def test_the_one_list_of_records_in_an_object_is_found_and_told(tmp_path, content):
    frame, reading = read(tmp_path, json.dumps(content), name="export.json")
    assert list(frame["id"]) == [1, 2]
    name = {"data": "data", "a": "a.b", "meta": "response.items"}[next(iter(content))]
    assert decided(reading)["decided_records"] == {"name": name}


@pytest.mark.parametrize("sizes", [(2, 2), (2, 500), (1, 1)])
def test_several_lists_of_records_are_asked_for(tmp_path, sizes):
    few, many = sizes
    content = json.dumps(
        {"name": "Board", "lists": [{"id": "l1"}] * few, "cards": [{"id": "c1", "on": "l1"}] * many}
    )
    error = refused(tmp_path, content, "ask_records", name="export.json")
    assert "lists and cards" in str(error)
    assert "`records:`" in str(error)
    frame, reading = read(tmp_path, content, name="export.json", records="cards")
    assert (list(frame), len(frame)) == (["id", "on"], many)
    assert decided(reading) == {"decided_records": {"name": "cards"}}
    near = refused(tmp_path, content, "no_list_near", name="export.json", records="card")
    assert "did you mean cards?" in str(near)
    refused(tmp_path, content, "no_list", name="export.json", records="members")


def test_names_within_a_record_are_joined(tmp_path):
    content = {"data": [{"id": "7", "type": "review", "attributes": {"rating": 5, "type": "app"}}]}
    frame, _ = read(tmp_path, json.dumps(content), name="export.json")
    assert list(frame) == ["id", "type", "attributes.rating", "attributes.type"]


def test_numbers_and_rows_of_a_list(tmp_path):
    items = ", ".join(['{"a": 12345678901234567890, "b": 0.10}'] * 19 + ["7"])
    frame, reading = read(tmp_path, f"[{items}]", name="export.json")
    assert (frame["a"][0], frame["b"][0]) == ("12345678901234567890", 0.1)
    assert rejected(reading) == [(20, "rejected_no_object")]


def test_a_large_list_is_refused_and_large_lines_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr("opslab.tables.json_records._MOST_MEGABYTES", 0)
    records = [{"a": "x" * 1_000}] * 1_200
    error = refused(tmp_path, json.dumps(records), "large_json", name="export.json")
    assert "JSON lines" in str(error)
    assert len(read(tmp_path, jsonl(*records), name="export.json")[0]) == 1_200


def test_a_list_under_a_profile_is_a_list(tmp_path):
    content = jsonl(
        {"id": 1, "text": "a", "tags": ["x", "y"]},
        {"id": 2, "text": "b", "tags": "x, z"},
        {"id": 3, "text": "c"},
    )
    frame, reading = read(tmp_path, content, name="export.jsonl", profile=None)
    assert reading.profile == "feedback"
    assert list(frame["tags"])[1:] == [["x", "z"], []]


def test_a_list_of_json_under_a_profile_that_splits(tmp_path):
    content = jsonl({"id": 1, "text": "a", "tags": ["x", "y"]}, {"id": 2, "text": "b", "tags": []})
    frame, _ = read(tmp_path, content, name="export.jsonl", profile="feedback")
    assert list(frame["tags"]) == [["x", "y"], []]


# --- Parquet


def parquet(**given):
    stream = io.BytesIO()
    pq.write_table(pa.table(given), stream)
    return stream.getvalue()


def test_a_parquet_file_keeps_its_types(tmp_path):
    zoned = pa.array(
        [at("2025-07-01T10:00"), None], pa.timestamp("us", "Europe/Paris")
    )  # an instant in UTC
    content = parquet(
        whole=pa.array([2**62, None], pa.int64()),
        number=[0.1, None],
        exact=pa.array([decimal.Decimal("1.10"), None]),
        truth=[True, None],
        day=[DAY, None],
        time=pa.array([NINE, None], pa.timestamp("us")),
        instant=zoned,
        words=[["a", "b"], []],
        text=["é", None],
    )
    frame, reading = read(tmp_path, content, name="export.parquet")
    assert values(frame["whole"]) == [2**62, None]
    assert values(frame["number"]) == [0.1, None]
    assert values(frame["exact"]) == [1.1, None]
    assert values(frame["truth"]) == [True, None]
    assert values(frame["day"]) == [datetime.datetime.combine(DAY, datetime.time()), None]
    assert values(frame["time"]) == [NINE, None]
    assert values(frame["instant"]) == [at("2025-07-01T10:00"), None]
    assert list(frame["words"]) == [["a", "b"], []]
    assert values(frame["text"]) == ["é", None]
    assert (reading.format, reading.rows, assumed(reading)) == ("parquet", 2, [])


def test_a_list_of_nothing_in_parquet(tmp_path):
    frame, _ = read(tmp_path, parquet(words=[["a"], None]), name="export.parquet")
    assert [list(words) if words is not None else [] for words in frame["words"]] == [["a"], []]


@pytest.mark.parametrize(
    "unit",
    [
        "us",
        *("s", "ms", "ns"),
    ],
)
def test_times_of_any_precision_are_local(tmp_path, unit):
    """Parquet has seconds to nanoseconds, and so has pandas."""
    noon = at("2025-07-01T12:00")
    given = {"time": pa.array([noon, None], pa.timestamp(unit))}
    (tmp_path / "times.parquet").write_bytes(parquet(**given))
    for data in (
        tmp_path / "times.parquet",
        pd.DataFrame({"time": pd.to_datetime([noon, None]).as_unit(unit)}),
    ):
        frame, reading = read_export(data, answers=Answers(profile="none"))
        assert values(frame["time"]) == [noon, None]
        assert set(decided(reading, "time")) == {"decided_local"}
        frame, _ = read_export(data, answers=Answers(profile="none", timezone="Europe/Paris"))
        assert values(frame["time"]) == [at("2025-07-01T10:00"), None]


def test_texts_of_parquet_are_decided_as_any_other(tmp_path):
    frame, reading = read(
        tmp_path, parquet(x=["1,5", "2,5"], code=["007", "12"]), name="export.parquet"
    )
    assert list(frame["x"]) == [1.5, 2.5]
    assert list(frame["code"]) == ["007", "12"]
    assert decided(reading, "x")["decided_decimal"]["count"] == 2


def test_parquet_without_rows(tmp_path):
    frame, reading = read(tmp_path, parquet(x=pa.array([], pa.int64())), name="export.parquet")
    assert (list(frame), reading.rows) == (["x"], 0)


@pytest.mark.parametrize(
    "content",
    [b"id,x\n1,a\n", b"PAR1", b"PAR1" + b"\x00" * 40 + b"PAR1"],
    ids=["text", "stump", "hollow"],
)
def test_what_is_no_parquet_file(tmp_path, content):
    refused(tmp_path, content, "unreadable", name="export.parquet", engine=True)


# --- Calendars

HEAD = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n"


def calendar(*events):
    text = HEAD
    for number, (title, *fields) in enumerate(events):
        text += f"BEGIN:VEVENT\r\nUID:{number}@example.test\r\nSUMMARY:{title}\r\n"
        text += "".join(f"{field}\r\n" for field in fields) + "END:VEVENT\r\n"
    return text + "END:VCALENDAR\r\n"


def test_a_calendar_counts_meetings_and_their_time_once(tmp_path):
    content = calendar(
        ("Revue", "DTSTART:20250303T090000Z", "DTEND:20250303T110000Z"),
        ("Atelier", "DTSTART:20250303T100000Z", "DTEND:20250303T120000Z"),
        ("Point", "DTSTART:20250303T101500Z", "DTEND:20250303T104500Z"),
        ("Plus tard", "DTSTART:20250303T140000Z", "DURATION:PT45M"),
        ("Congés", "DTSTART;VALUE=DATE:20250304", "DTEND;VALUE=DATE:20250305"),
        ("Annulée", "DTSTART:20250305T090000Z", "DTEND:20250305T100000Z", "STATUS:CANCELLED"),
        ("Libre", "DTSTART:20250306T090000Z", "DTEND:20250306T100000Z", "TRANSP:TRANSPARENT"),
    )
    frame, reading = read(tmp_path, content, name="export.ics", profile=None)
    assert (reading.format, reading.profile, reading.rows) == ("ics", "icalendar", 4)
    assert list(frame["title"]) == ["Revue", "Atelier", "Point", "Plus tard"]
    assert list(frame["hours"]) == [2.0, 2.0, 0.5, 0.75]
    assert list(frame["counted_hours"]) == [2.0, 1.0, 0.0, 0.75]
    assert decided(reading)["decided_overlap"] == {"hours": pytest.approx(1.5)}
    assert rejected(reading) == [
        (5, "rejected_all_day"),
        (6, "rejected_cancelled"),
        (7, "rejected_free"),
    ]
    assert reading.rejected == 3


def test_a_series_over_the_change_of_the_clocks(tmp_path):
    content = calendar(
        (
            "Comité",
            "DTSTART;TZID=Europe/Paris:20250324T100000",
            "DTEND;TZID=Europe/Paris:20250324T113000",
            "RRULE:FREQ=WEEKLY;COUNT=2",
        )
    )
    frame, reading = read(tmp_path, content, name="export.ics", profile=None)
    assert list(frame["started_at"]) == [at("2025-03-24T09:00"), at("2025-03-31T08:00")]
    assert list(frame["hours"]) == [1.5, 1.5]
    assert decided(reading)["decided_series"] == {
        "series": 1,
        "moved": 0,
        "excluded": 0,
        "open_ended": 0,
    }


def test_a_series_without_an_end_asks_until_when(tmp_path):
    content = calendar(
        ("Comité", "DTSTART:20250303T100000Z", "DTEND:20250303T110000Z", "RRULE:FREQ=WEEKLY")
    )
    refused(tmp_path, content, "calendar_endless", name="export.ics", profile=None)
    frame, _ = read(
        tmp_path, content, name="export.ics", profile=None, until=datetime.date(2025, 3, 31)
    )
    assert len(frame) == 5


def test_people_and_places_of_a_calendar_are_not_taken_in(tmp_path):
    people = (
        "ORGANIZER:mailto:ana@example.test",
        "ATTENDEE:mailto:paul@example.test",
        "LOCATION:Room 4",
    )
    content = calendar(("Revue", "DTSTART:20250303T090000Z", "DTEND:20250303T110000Z", *people))
    frame, reading = read(tmp_path, content, name="export.ics", profile=None)
    assert reading.personal == ()
    assert "example.test" not in str(frame.drop(columns="uid").to_dict("list"))


def test_what_is_no_calendar(tmp_path):
    refused(tmp_path, "id,x\n1,a\n", "calendar_none", name="export.ics", profile=None)
    refused(tmp_path, HEAD, "calendar_cut", name="export.ics", profile=None)


OUTLOOK = "Subject,Start Date,Start Time,End Date,End Time,All day event"


def test_outlook_meetings_without_an_end_are_left_out(tmp_path):
    content = f"{OUTLOOK}\nA,2025-03-03,10:00,2025-03-03,11:00,False\nB,2025-03-04,10:00,,,False\nC,2025-03-05,10:00,2025-03-05,09:00,False\n"
    frame, reading = read(tmp_path, content, profile=None)
    assert list(frame["title"]) == ["A"]
    assert rejected(reading) == [(3, "rejected_required"), (4, "rejected_no_end")]


@pytest.mark.parametrize(
    "content",
    [
        f"{OUTLOOK},hours,reason,counted_hours\nA,2025-03-03,10:00,2025-03-03,11:00,False,7,x,1\n",
        "Subject,Start Date,All day event\nA,2025-03-03 10:00,False\n",
    ],
    ids=["columns of these names", "no end at all"],
)
def test_meetings_of_other_shapes(tmp_path, content):
    frame, reading = read(tmp_path, content, profile=None)
    assert (
        (list(frame["hours"]) == [1.0])
        if "hours" in content
        else (rejected(reading) == [(2, "rejected_no_end")])
    )


# --- Frames


def test_a_frame_is_an_export_too():
    given = pd.DataFrame(
        {
            "Issue key": ["A-1", None],
            "Status": ["Done"] * 2,
            "Created": [NINE, NINE],
            "n": [1.5, 2.5],
        }
    )
    frame, reading = read_export(given)
    assert (reading.name, reading.format, reading.profile, reading.sha256) == (
        "data",
        "frame",
        "jira-cloud",
        None,
    )
    assert frame.to_dict("list") == {
        "key": ["A-1"],
        "status": ["Done"],
        "created_at": [NINE],
        "n": [1.5],
    }
    assert rejected(reading) == [(2, "rejected_required")]


@pytest.mark.parametrize("kind", [int, float, object, "datetime64[us]"])
def test_a_frame_turned_round_is_read_backwards(kind):
    frame = pd.DataFrame({"x": pd.Series([1, 2, 3]).astype(kind)}).iloc[::-1]
    assert list(read_export(frame)[0]["x"]) == list(frame["x"])
