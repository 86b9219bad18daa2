"""Whatever is written in a supported way reads back; whatever else comes in gives a table or one message."""

import csv
import datetime
import io
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from itertools import compress
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from exported import values
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from opslab.errors import OpslabError
from opslab.tables import Answers, read_export

# --- Written and read back

SIGNS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
CODECS = {"utf-8": "utf-8", "utf-8-sig": "utf-8", "utf-16": "utf-16", "cp1252": "cp1252"}
ACCENTS = "éèàùçœŒ€ÀÉ“”\N{EN DASH}…"
HOSTILE = ACCENTS + " ;,|\t\n'\"=+-@%/:.0123456789abn"


def text_of(rows, sign, end, quoting):
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=sign, lineterminator=end, quoting=quoting).writerows(rows)
    return stream.getvalue()


def words(codec):
    """Texts that no number and no date can be: each begins with a word and a colon."""
    letters = st.sampled_from(HOSTILE)
    if codec != "cp1252":
        letters |= st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r")
    return st.text(letters, max_size=12).map("mot: {}".format)


def in_french(moment):
    return f"{moment:%d/%m/}{moment.year:04}" + (
        f"{moment: %H:%M:%S}" if isinstance(moment, datetime.datetime) else ""
    )


DATES = st.dates(datetime.date(1000, 1, 1))
TIMES = st.datetimes(datetime.datetime.fromisoformat("1000-01-01")).map(
    lambda time: time.replace(microsecond=0)
)
MIDNIGHT = datetime.time()
COLUMNS = {  # what a cell holds, and how it is written plainly and in French
    "mots": (None, str, str),
    "entiers": (st.integers(-(10**15) + 1, 10**15 - 1), str, str),
    "nombres": (
        st.floats(-1e12, 1e12).map(lambda number: round(number, 6)),
        "{:.6f}".format,
        lambda number: f"{number:.6f}".replace(".", ","),
    ),
    "jours": (DATES, datetime.date.isoformat, in_french),
    "heures": (TIMES, lambda time: time.isoformat(" "), in_french),
    "vrai": (st.booleans().map(lambda truth: str(truth).lower()), str, str),
}
PROOF = {
    "jours": datetime.date(2024, 12, 31),
    "heures": datetime.datetime.fromisoformat("2024-12-31T23:59:59"),
}


@st.composite
def tables(draw):
    """Draw columns by name, how they are written, and the dialect."""
    codec = draw(st.sampled_from(list(CODECS)))
    french = draw(st.booleans())
    names = draw(st.lists(st.sampled_from(list(COLUMNS)), min_size=2, unique=True))
    count = draw(st.integers(1, 6))
    columns = {}
    for name in names:
        cell = COLUMNS[name][0] if name != "mots" else words(codec)
        columns[name] = draw(st.lists(st.none() | cell, min_size=count, max_size=count))
        columns[name].append(PROOF.get(name) if french else None)
    dialect = (
        draw(st.sampled_from(list(SIGNS))),
        draw(st.sampled_from(["\n", "\r\n"])),
        draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
    )
    return columns, french, codec, dialect


def written(columns, codec, dialect, *, french):
    sign, end, quoting = dialect
    rows = [list(columns)]
    for cells in zip(*columns.values(), strict=True):
        forms = [COLUMNS[name][2 if french else 1] for name in columns]
        rows.append(
            ["" if cell is None else form(cell) for form, cell in zip(forms, cells, strict=True)]
        )
    return text_of(rows, SIGNS[sign], end, quoting).encode(codec)


def expected(name, cells):
    if name == "jours":
        return [
            None if cell is None else datetime.datetime.combine(cell, MIDNIGHT) for cell in cells
        ]
    return cells


def also_utf_8(content):
    """Whether some letters of cp1252 are letters of UTF-8 as well, as ``ÉŒ`` is: no one can tell."""
    return any(
        letter != "\ufffd" and not letter.isascii() for letter in content.decode("utf-8", "replace")
    )


def outcome(path, **answers):
    """Return frame and reading of a file, or the error that it gives on purpose."""
    try:
        return read_export(path, answers=Answers(**{"profile": "none", **answers}))
    except OpslabError as error:
        return error


@settings(max_examples=25, deadline=None)
@given(table=tables(), is_told=st.booleans())
def test_any_table_in_any_dialect_reads_back_equal(table, is_told):
    """A delimiter that is not told is found, or asked for; never is one guessed wrong."""
    given, french, codec, dialect = table
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export.csv"
        content = written(given, codec, dialect, french=french)
        assume(codec != "cp1252" or not also_utf_8(content))
        path.write_bytes(content)
        found = outcome(path, delimiter=dialect[0] if is_told else None)
    if isinstance(found, OpslabError):
        assert (is_told, [problem.key for problem in found.problems]) == (
            False,
            ["tables.ask_delimiter"],
        )
        return
    frame, reading = found
    filled = [any(cell is not None for cell in row) for row in zip(*given.values(), strict=True)]
    assert {name: values(frame[name]) for name in frame} == {
        name: list(compress(expected(name, cells), filled)) for name, cells in given.items()
    }
    assert (reading.delimiter, reading.rejected) == (dialect[0], filled.count(False))
    if not "".join(str(cell) for cells in given.values() for cell in cells).isascii():
        assert reading.encoding == CODECS[codec]


@settings(max_examples=8, deadline=None)
@given(rows=st.lists(st.lists(words("utf-8"), min_size=2, max_size=2), min_size=1, max_size=5))
def test_any_texts_read_back_from_a_workbook_and_from_json(rows):
    rows = [[cell.translate(dict.fromkeys(range(32), " ")).strip() for cell in row] for row in rows]
    rows = [
        [
            cell.encode("utf-8", "ignore").decode().replace("\uffff", "").replace("\ufffe", "")
            for cell in row
        ]
        for row in rows
    ]
    with tempfile.TemporaryDirectory() as folder:
        book = openpyxl.Workbook()
        for row in [["a", "b"], *rows]:
            book.active.append(row)
        book.save(Path(folder) / "export.xlsx")
        records = "".join(json.dumps(dict(zip("ab", row, strict=True))) + "\n" for row in rows)
        (Path(folder) / "export.jsonl").write_text(records, encoding="utf-8")
        for name in ("export.xlsx", "export.jsonl"):
            frame, _ = read_export(Path(folder) / name, answers=Answers(profile="none"))
            assert frame.to_numpy().tolist() == rows, name


# --- Anything at all


def workbook():
    book = openpyxl.Workbook()
    for row in (["a", "b", "c"], [1, "é", 0.5], [2, "=A2*2", None], [3, True, "#N/A"]):
        book.active.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def parquet():
    stream = io.BytesIO()
    pq.write_table(
        pa.table({"a": [1, 2, None], "b": ["x", "1,5", None], "c": [["a"], [], ["b"]]}), stream
    )
    return stream.getvalue()


CSV = (
    "Clé de ticket;État;Création;Étiquettes;Étiquettes;Champs personnalisés (Points);Contact\n"
    'OPS-1;Fini;27/janv./26 10:07 AM;a;"b;\nc";1,5;ana@example.test\nOPS-2;Fini;05/févr./26 8:32 PM;;;"1 234,5";\n'
).encode()
PROPER = {
    ".csv": CSV,
    ".tsv": b"id\tdate\tamount\n1\t25/03/2025\t1,234\n2\t04/03/2025\t80 %\n3\tn/a\t-\n",
    ".txt": b"sep=|\nid|when\n007|2025-03-25T10:00:00+01:00\n008|2025-03-25 10:00\n",
    ".xlsx": workbook(),
    ".jsonl": b'{"a": 1, "b": {"c": [1, 2]}, "d": "\\u00e9"}\n{"a": 2.5, "b": null}\n' * 3,
    ".parquet": parquet(),
    ".ics": (
        b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;TZID=Europe/Paris:20250324T100000\r\n"
        b"DTEND;TZID=Europe/Paris:20250324T110000\r\nRRULE:FREQ=WEEKLY;COUNT=3\r\nEXDATE;TZID=Europe/Paris:20250331T100000\r\n"
        b"SUMMARY:Comit\xc3\xa9\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    ),
}
PIECES = [
    *(
        b"\x00",
        b"\r",
        b"\n",
        b'"',
        b'""',
        b";",
        b",",
        b"\t",
        b"|",
        b"\xe9",
        b"\xc3\xa9",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
    ),
    *(
        b"'",
        b"\\",
        b"\x1a",
        b"31/02/2025",
        b"1,234",
        b"%",
        b"n/a",
        b"NaN",
        b"1e999",
        b"infinity",
        b"[",
        b"{",
        b"}",
    ),
    *(
        b"9999-12-31T23:59:59-14:00",
        b"0000-00-00",
        b"{told}",
        b"\xed\xa0\x80",
        b"\xf0\x9f\x98\x80",
        b"",
        b"OPS-1",
    ),
]


@st.composite
def mutated(draw):
    """Draw a proper file in which some pieces are replaced, repeated or cut."""
    suffix = draw(st.sampled_from([suffix for suffix in PROPER if suffix != ".xlsx"]))
    content = PROPER[suffix]
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(content)))
        stop = min(start + draw(st.sampled_from([0, 0, 1, 4, 60])), len(content))
        piece = draw(
            st.sampled_from(PIECES) | st.binary(max_size=4) | st.just(content[:stop][-40:])
        )
        content = content[:start] + piece + content[stop:]
        if draw(st.integers(0, 9)) == 0:
            content = content[:stop]
    codec = draw(st.sampled_from([None, None, None, "utf-16", "utf-16-be"]))
    if codec and suffix in (".csv", ".tsv", ".txt", ".jsonl"):
        content = content.decode("latin-1").encode(codec)
    return suffix, content


def table_or_message(suffix, content, **answers):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"export{suffix}"
        path.write_bytes(content)
        found = outcome(path, profile=None if suffix == ".ics" else "none", **answers)
        said = (
            [found.text(language) for language in ("en", "fr")]
            if isinstance(found, OpslabError)
            else []
        )
    for text in said:
        assert text.count("\n") == len(found.problems) - 1
        assert not re.search(rf"Traceback|{re.escape(folder)}|[\x00-\x09\x0b-\x1f]", text)
        assert found.exit_code == 2
    if not said:
        frame, reading = found
        assert frame.shape == (reading.rows, reading.columns)
        json.dumps(reading.record(), allow_nan=False)


@settings(max_examples=25, deadline=None)
@given(suffix=st.sampled_from(list(PROPER)), content=st.binary(max_size=60))
@example(suffix=".csv", content=b"\xff\xfe\x00")
@example(suffix=".csv", content=b"\xff\xfe\x00\xd8")
@example(suffix=".xlsx", content=b"PK\x05\x06" + b"\x00" * 18)
@example(suffix=".ics", content=b"BEGIN:VCALENDAR")
def test_any_bytes_give_a_table_or_one_message(suffix, content):
    table_or_message(suffix, content)


@settings(max_examples=35, deadline=None)
@given(
    case=mutated(),
    zone=st.sampled_from([None, "Europe/Paris"]),
    day_first=st.sampled_from([None, True]),
)
def test_any_broken_file_gives_a_table_or_one_message(case, zone, day_first):
    suffix, content = case
    table_or_message(suffix, content, timezone=zone, day_first=day_first)


SHEET = "xl/worksheets/sheet1.xml"


def with_part(name, content):
    """Return the workbook with another content of one of its parts."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(PROPER[".xlsx"])) as source,
        zipfile.ZipFile(stream, "w") as target,
    ):
        for part in source.namelist():
            target.writestr(part, content if part == name else source.read(part))
    return stream.getvalue()


@st.composite
def mutated_workbooks(draw):
    """Draw a workbook of which a part is not what it should be, or the bytes of the file are not."""
    packed = PROPER[".xlsx"]
    if draw(st.booleans()):
        place, piece = (
            draw(st.integers(0, len(packed))),
            draw(st.sampled_from(PIECES) | st.binary(max_size=4)),
        )
        return packed[:place] + piece + packed[place + draw(st.integers(0, 4)) :]
    with zipfile.ZipFile(io.BytesIO(packed)) as source:
        broken = draw(st.sampled_from([SHEET, SHEET, *source.namelist()]))
        content = source.read(broken)
    place = draw(st.integers(0, len(content)))
    piece = draw(
        st.sampled_from(PIECES) | st.sampled_from([b"<", b">", b"</row>", b"<v>x</v>", b'r="A0"'])
    )
    return with_part(broken, content[:place] + piece + content[place + draw(st.integers(0, 20)) :])


@settings(max_examples=15, deadline=None)
@given(content=mutated_workbooks())
@example(
    content=with_part(
        SHEET, b"<worksheet><sheetData><row><c><v>1</v></c></row><row><c><v>x</v></c></row>"
    )
)
def test_any_broken_workbook_gives_a_table_or_one_message(content):
    table_or_message(".xlsx", content)


# --- Bounded

BOUNDED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
from opslab.errors import OpslabError
from opslab.tables import Answers, read_export
try:
    frame, _ = read_export(sys.argv[1], answers=Answers(profile="none"))
except OpslabError as error:
    print(error.problems[0].key)
else:
    print(frame.shape)
"""


def bounded(path, seconds=300):
    """Return what a reading prints in a process with 4 GB and a deadline."""
    pytest.importorskip("resource", reason="no limits on this system")
    told = subprocess.run(
        [sys.executable, "-c", BOUNDED, str(path)],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert (told.returncode, told.stderr) == (0, "")
    return told.stdout.strip()


def wide(columns):
    return ",".join(f"c{place}" for place in range(columns)) + "\n" + ",".join("1" * columns) + "\n"


LARGE = {
    "5,000 columns": (".csv", lambda: wide(5_000).encode(), "(1, 5000)"),
    "100,000 columns": (".csv", lambda: wide(100_000).encode(), "tables.too_many_columns"),
    "100,000 fields": (
        ".jsonl",
        lambda: b"".join(b'{"k%d": 1}\n' % place for place in range(100_000)),
        "tables.too_many_columns",
    ),
    "one long cell": (".csv", lambda: b"id,x\n1," + b"x" * 30_000_000 + b"\n", "(1, 2)"),
    "one long record": (
        ".jsonl",
        lambda: b'{"a": 1}\n{"a": "' + b"x" * 30_000_000 + b'"}\n',
        "tables.long_line",
    ),
    "a million quotes": (
        ".csv",
        lambda: b"id,x\n1," + b'"' * 1_000_001 + b"\n2,y\n" * 10,
        "(10, 2)",
    ),
    "open quotes": (".csv", lambda: b"id,x\n" + b'1,"a\n' * 100_001, "tables.many_misfits"),
    "nothing but NUL": (".csv", lambda: bytes(10_000_000), "tables.binary"),
    "nothing but line ends": (".csv", lambda: b"\n" * 10_000_000, "tables.empty_file"),
    "deep JSON": (".jsonl", lambda: b'{"a": ' * 200_000, "tables.broken_json"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_large_and_deep_files_end_soon(tmp_path, name):
    suffix, content, key = LARGE[name]
    path = tmp_path / f"export{suffix}"
    path.write_bytes(content())
    assert bounded(path) == key


def test_one_long_line_is_no_table(tmp_path):
    path = tmp_path / "export.csv"
    path.write_bytes(b"x" * 9_000_000)
    assert bounded(path).startswith("tables.")


def test_fields_one_below_the_other_are_columns(tmp_path):
    path = tmp_path / "export.jsonl"
    path.write_text(
        "".join(f'{{"k{place % 300}": "a"}}\n' for place in range(3_000)), encoding="utf-8"
    )
    frame, _ = read_export(path, answers=Answers(profile="none"))
    assert frame.shape == (3_000, 300)
    assert int(frame.notna().sum().sum()) == 3_000
