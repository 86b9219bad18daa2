"""Workbooks of every kind: what calamine gives, what the sheet's XML tells besides, and what is refused."""

import base64
import datetime
import io
import subprocess
import sys
import zipfile
import zlib

import openpyxl
import pytest
from exported import assumed, decided, read, refused, rejected, values

from opslab.tables import Answers, workbooks
from opslab.tables.source import Opening
from opslab.tables.workbooks import read_sheet

DAY = datetime.date(2025, 3, 4)
SHEET = "xl/worksheets/sheet1.xml"

# A table from B3 to G5 or D5, as xlwt and a writer of records after MS-XLSB wrote them, packed.
XLS = zlib.decompress(
    base64.b85decode(
        "c-rk)T}V_x6#nM^?2oLvnhF}oB4lM6_5(#=*P`^L#EK{)sI^^C*4-=X8rVZwwvR#3Q_+iHK@e6i{g4m&77-Nn5Cnl11ksaF(1UtAbMC$V<OVLJ"
        "q}*?rGjqN(bI<&onLB&mz9|_WdQ>%mKd=`nW~?B5^Eg2%=qh25-LhoS%>$Gy5335n04=0X$MeG1ez}Hny(ggHp*BVm_)O_EdeCO3;*k}^e(pn5"
        "$UZa)jbcy1ZAwL`<bIX1JjZe!%LiO{lw~tB*H|`D-EnaWZ;ZCO-A){zRBG5(L{i`hxB1A-Hk9L~jN?n!g<V(2zI0c#d(9iFwGf6uLC_jc#nVzR"
        "#vK#@{e*^OvLP0$*2-~L?)*6_(%HEunH)zMMb0pOS`pxfdqlj5c>K!p0>uAX$ov1o2WWM3@j+VRTzmnxF5+(}8ZZFstdRRCix5UNY0+>Xnu%s<"
        "fBF0}#C$kpnu)%iDYVFl;zYZxE2aaTW?#Bj1!B>DqM{k1dVAuj3@K)U_{PRvBqQG<M5IizrsC)0Y54^E><TY9y9#+nhe*ay%;gf^*I^p()V;}f"
        "hdbJhGt3O|`^tW+ZII)Dh0C%9H7?>BI$PzV>sa5y@(Mq7J(sIkmQhX0Yun46Ldzi6xysgB^0R~S-q<*=yot)$??;|iXTKPmsXWp;aiMJFgE52}"
        "T7ww1m%l;Oi+XYEro=PD&4qLRePUU;=qwB<Vb1-qoL6@-rfJsg`H-+Rg)}j%sm@&4nns#BtLda^vzm`I-SMO5@T0OHxgILbrOJMGI^({mNV`fS"
        "=y;_#c8&VoJyvl)bnI)h&FD0%#~G7`t^|njabKlJEr&;qJ<7F`&)3-FcDaVsR^zsGr%_7rSPqch4|7=VNOCP4@vAbD?7lCYZ;28fx2?(93A%HP"
        "TyyNfg9i^DJb3tDAe?)N%C~m=&g<j*mHl03n$nE-nPko4C`|fg=zrZoq$p3LKd<<yfG*r;i6ypizZXiJAn$1;(82vk<Q>0sdlmD?v*d>1f47D5"
        "^*@tOKbP76Z`m;~Sp"
    )
)
XLSB = zlib.decompress(
    base64.b85decode(
        "c-jl_W@Zs#U|`^2;Ga?xE0OupdM=Q65{QL?INCWsuOv0EBtE3FAhkGFuOc@`wa;6qSwX;MebPp8AF;?K0^*(KCs^H#>a+|33^soGc5ug=I@`O8"
        "cc0yzb#%&fhqXISxRto=|JJcntEEUg?O8>*)@@1K6iKBZ#bgh;9Vbjya(rVJUX^|M&J^Aw9x<OUD)!Vp;)p*Ux?l8njHH;*)yHRKgV#1l+)Zla"
        "4%6Pd^t@@F*xWP5N~en$GN;SsaM>Pwu)$@)7LCPM|3`ji4nXnE-jISj(||lyMg|6MARS+nnp3Q=2O@j>efgRU1X|Z$I>RVY@bFN;jU9>JdmJ>G"
        "O)mId4m*1L_EHIPz5D+AriX9eefLPSlgS&E5LeFJ;O|>jPU+ntA@7>ELnG1iWW2!QxD%@)HmFaZ+}RwedD>uccvYzJ!<9PcCF~>%Qo8b{2<+O("
        "R9Id4tNrZd6qDG<`?@>7BtKd`@ub$7DJpNI?JU<Ye~#ig#%N|L$7hz0>inWc9~%uIPalZ+fw&?^zdXMvJ1IXuTQ4ayFFP&eMS9AN!z&Iju=F^b"
        "VLIZ<Gml4;r!8R{x3iKnr+|M#N=9M|0|Tm|vmaVbnhoT!0mDQJVkjh7kd1~0(Qdv&20X6ys-M`e=rS{B-D+K`{fOP^m095I_D3InRV%T%sIsY@"
        "ejX=#I`@CU>K%be(tBE#ty=j0mhf6F@dL-)#FjpcY&vNvClD!J)U{gR<n$D-lPhDcnIwl)1sXqGx9<CleX<)$yAr2NXxqqGSm*ZZxa_i%SypVd"
        "rB6Qh3s>-GCOS{)4p};LQwx7mP5-i85&So{?)bT(ni17YF=uA{DgpA|1F-}moQgA2Q%j2V!IU95z*16X9MU*&<iLRghZq>oIM_^_*yuQcQ)|It"
        "j?@jD2O<<!`m~9#nHkPd3R5_ja3WnJRU=7*ZB>d}(9H7_cuo2w4_hcoaI2&;v^?Wk!(_nh+vE6PlP$NpkFs*J0(YIUh(sKdp|ScI9^IC-HqRa&"
        "-yR-d;4?CbFyqc(FwnrrfIYjR8-Sjs5eA$?P2uPo(NhybV=p5{+CtZio@x-9A2H%fL+Iw9M-{@HtxUKhF2I|W4Wx<{2wj2p#WRC=0B_`zTm"
    )
)
OFFICE = "urn:oasis:names:tc:opendocument:xmlns"


def packed(**parts):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in parts.items():
            target.writestr(name, content)
    return stream.getvalue()


def ods(*rows):
    """Return an OpenDocument spreadsheet of rows of cells, each as attributes and text."""
    body = "".join(
        "<table:table-row>"
        + "".join(
            f"<table:table-cell {kind}><text:p>{text}</text:p></table:table-cell>"
            for kind, text in row
        )
        + "</table:table-row>"
        for row in rows
    )
    content = (
        f'<office:document-content xmlns:office="{OFFICE}:office:1.0" xmlns:table="{OFFICE}:table:1.0" '
        f'xmlns:text="{OFFICE}:text:1.0"><office:body><office:spreadsheet><table:table table:name="Data">'
        f"{body}</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    manifest = f'<manifest:manifest xmlns:manifest="{OFFICE}:manifest:1.0"/>'
    return packed(
        **{
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": manifest,
            "content.xml": content,
        }
    )


def text(*cells):
    return [('office:value-type="string"', cell) for cell in cells]


ODS = ods(
    text("id", "hours", "day", "at", "ok"),
    [
        *text("007"),
        ('office:value-type="float" office:value="0.30000000000000004"', "0,3"),
        ('office:value-type="date" office:date-value="2025-03-04"', "4 mars"),
        ('office:value-type="date" office:date-value="2025-03-04T09:30:15"', "4 mars"),
        ('office:value-type="boolean" office:boolean-value="true"', "VRAI"),
    ],
)


def xlsx(*rows, change=None):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    if change:
        change(book)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def edited(content, *edits, part=SHEET):
    """Return a workbook in which a part of the file is edited as bytes."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as source,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            written = source.read(name)
            for old, new in edits if name == part else ():
                assert old in written
                written = written.replace(old, new)
            target.writestr(name, written)
    return stream.getvalue()


def sheet(folder, content, name="export.xlsx", **answers):
    path = folder / name
    path.write_bytes(content)
    return read_sheet(Opening(None, name, Answers(**answers), folder, True, path))


KINDS = {
    "xls": (
        XLS,
        3,
        ["007", "0.30000000000000004", "2025-03-04", "2025-03-04 09:30:15", "26:00:00", "true"],
    ),
    "xlsb": (XLSB, 3, ["007", "0.30000000000000004", "true"]),
    "ods": (ODS, 1, ["007", "0.30000000000000004", "2025-03-04", "2025-03-04 09:30:15", "true"]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_keeps_its_types_and_its_row_numbers(tmp_path, kind):
    content, first, cells = KINDS[kind]
    rows = sheet(tmp_path, content, f"export.{kind}").rows
    assert rows[0][0] == first
    assert rows[1] == (first + 1, cells)
    assert {len(row) for _, row in rows} == {len(cells)}
    frame, reading = read(tmp_path, content, name=f"export.{kind}")
    assert (reading.format, frame["hours"][0], frame["id"][0]) == (kind, 0.1 + 0.2, "007")


@pytest.mark.parametrize("kind", ["xls", "xlsb"])
def test_a_kind_that_hides_errors_and_formulas_says_so(tmp_path, kind):
    _, reading = read(tmp_path, KINDS[kind][0], name=f"export.{kind}")
    assert assumed(reading)[0] == "decided_blind"


@pytest.mark.parametrize(
    ("content", "name"), [(XLS, "a.xlsx"), (xlsx(("id", "x"), ("007", 1)), "a.xls")]
)
def test_a_workbook_is_known_by_its_content(tmp_path, content, name):
    assert read(tmp_path, content, name=name)[0]["id"][0] == "007"


def test_numbers_of_a_sheet_are_those_the_file_holds(tmp_path):
    given = [0.1 + 0.2, 1e-7, -0.0001, 10.0**14, 2.5, 1234567.0, 1.234]
    rows = sheet(tmp_path, xlsx(("n",), *((number,) for number in given))).rows
    content = edited(xlsx(("n",), (77,)), (b"<v>77</v>", b"<v>0.30000000000000004</v>"))
    assert [float(cell) for _, (cell,) in rows[1:]] == [
        0.3,
        *given[1:],
    ]  # openpyxl writes 15 digits
    assert [rows[place][1] for place in (4, 6)] == [["100000000000000"], ["1234567"]]
    assert sheet(tmp_path, content).rows[1][1] == ["0.30000000000000004"]


def test_identifiers_of_16_digits_are_whole(tmp_path):
    content = xlsx(("id",), (77,))
    for digits in ("1201234567890123", "9007199254740991", "-1201234567890123"):
        edit = (b"<v>77</v>", b"<v>" + digits.encode() + b"</v>")
        assert sheet(tmp_path, edited(content, edit)).rows[1][1] == [digits]


def test_dates_from_1904_and_a_date_beyond_the_calendar(tmp_path):
    def change(book):
        book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
        book.active["B3"].number_format = "yyyy-mm-dd"

    content = xlsx(("id", "day"), (1, DAY), (2, 3_000_000), change=change)
    rows = sheet(tmp_path, content).rows
    assert [cells for _, cells in rows[1:]] == [["1", "2025-03-04"], ["2", "3000000"]]


def test_a_table_may_begin_anywhere(tmp_path):
    def change(book):
        for place, row in enumerate([("a", "b"), (1, 2), (None, None), (3, 4)], 4):
            for column, cell in zip("CD", row, strict=True):
                book.active[f"{column}{place}"] = cell
        book.active["H9"] = "  "
        book.active.merge_cells("A1:D1")
        book.active.merge_cells("C10:D11")

    found = sheet(tmp_path, xlsx(change=change))
    assert found.rows == [(4, ["a", "b"]), (5, ["1", "2"]), (7, ["3", "4"])]
    assert [(row.line, row.cells) for row in found.headings] == found.rows


def test_a_sheet_without_headings_is_read_as_far_as_it_goes(tmp_path):
    content = xlsx(("u1", "control", 1), ("u2", "treatment", 2), ("u3", "control", 3))
    frame, _ = read(tmp_path, content, name="export.xlsx", header="none")
    assert list(frame) == ["column 1", "column 2", "column 3"]
    assert list(frame["column 1"]) == ["u1", "u2", "u3"]


def test_merged_cells_end_with_the_table(tmp_path):
    """A title is often wider than what is below it, and an empty range may be beside it."""

    def change(book):
        for cells in ("A1:H1", "F3:H4", "J8:K9", "A3:B3"):
            book.active.merge_cells(cells)

    content = xlsx(("Report",), ("a", "b", "c"), ("x", None, 1), ("y", "z", 2), change=change)
    found = sheet(tmp_path, content)
    assert [row.cells for row in found.headings] == [
        ["Report"] * 3,
        ["a", "b", "c"],
        ["x", "x", "1"],
        ["y", "z", "2"],
    ]
    frame, _ = read(tmp_path, content, name="export.xlsx")
    assert [values(frame[name]) for name in "abc"] == [["x", "y"], [None, "z"], [1, 2]]


def test_hidden_rows_and_columns_are_read_and_told(tmp_path):
    def change(book):
        book.active.row_dimensions[2].hidden = True
        book.active.column_dimensions["B"].hidden = True

    frame, reading = read(
        tmp_path, xlsx(("a", "b"), (1, 2), (3, 4), change=change), name="export.xlsx"
    )
    assert frame.to_dict("list") == {"a": [1, 3], "b": [2, 4]}
    assert decided(reading) == {"decided_hidden": {"count": 2}}


def test_only_what_the_sheet_itself_hides_is_told(tmp_path):
    def change(book):
        other = book.create_sheet("Other")
        other.append(["=1+1", "#N/A"])
        other.sheet_state = "hidden"
        book.move_sheet("Other", -1)

    _, reading = read(tmp_path, xlsx(("a", "b"), (1, 2), change=change), name="export.xlsx")
    assert not reading.decisions


def test_a_sheet_in_a_namespace_of_its_own(tmp_path):
    content = xlsx(("a", "f", "e"), (1, "=1+1", "#N/A"))
    with zipfile.ZipFile(io.BytesIO(content)) as source:
        written = source.read(SHEET)
    prefixed = written.replace(b"</", b"\0").replace(b"<", b"<x:").replace(b"\0", b"</x:")
    content = edited(content, (written, prefixed.replace(b"xmlns=", b"xmlns:x=")))
    frame, reading = read(tmp_path, content, name="export.xlsx")
    assert values(frame["a"]) == [1]
    assert decided(reading) == {
        "decided_formulas": {"count": 1, "first": "B2"},
        "decided_errors": {"count": 1, "first": "C2"},
    }


def test_rows_left_out_have_the_number_of_the_sheet(tmp_path):
    rows = [("Report",), (), ("a", "b"), *[(place, "x") for place in range(1, 31)]]
    rows[9] = (7, "x", "beyond")
    _, reading = read(tmp_path, xlsx(*rows), name="export.xlsx")
    assert rejected(reading) == [(10, "rejected_width")]


# --- Refused before it is unpacked


def test_a_workbook_that_unpacks_to_too_much_is_refused_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(workbooks, "_MOST_MEGABYTES", 2)
    blanks = (b"</sheetData>", b" " * (3 << 20) + b"</sheetData>")
    error = refused(
        tmp_path, edited(xlsx(("a",), (1,)), blanks), "large_workbook", name="export.xlsx"
    )
    assert "unpacks to 3 MB" in str(error)
    assert "CSV" in str(error)


def test_a_size_that_lies_is_refused(tmp_path):
    content = edited(xlsx(("a",), (1,)), (b"</sheetData>", b" " * 70_000 + b"</sheetData>"))
    with zipfile.ZipFile(io.BytesIO(content)) as source:
        size = source.getinfo(SHEET).file_size
    lying = content.replace(size.to_bytes(4, "little"), (50).to_bytes(4, "little"))
    assert lying != content
    refused(tmp_path, lying, "no_workbook", name="export.xlsx")


FAR = {
    "reference": edited(xlsx(("a", "b"), (1, 2)), (b'r="B2"', b'r="XFD1048576"')),
    "small letters": edited(xlsx(("a", "b"), (1, 2)), (b'r="B2"', b'r="xfd1048576"')),
    "no references": edited(
        xlsx(("a", "b"), (1, 2)),
        (b'<c r="A2" t="n">', b"<c><v>1</v></c>" * 30 + b"<c>"),
        (b'<row r="2"', b'<row r="1048576"'),
    ),
    "row": edited(xlsx(("a", "b"), (1, 2)), (b'r="B2"', b'r="B99999999"')),
}


@pytest.mark.parametrize("kind", FAR)
def test_cells_too_far_apart_are_refused(tmp_path, kind):
    """Else the library asks for 512 GB, and the process is gone."""
    path = tmp_path / "export.xlsx"
    path.write_bytes(FAR[kind])
    script = (
        "import sys\nfrom opslab.errors import OpslabError\nfrom opslab.tables import read_export\n"
        "try:\n    read_export(sys.argv[1])\nexcept OpslabError as error:\n    print(error.problems[0].key)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout.strip()) == (0, "tables.wide_workbook"), ran.stderr


def test_a_binary_workbook_that_claims_too_much_is_refused(tmp_path):
    claim = (2).to_bytes(4, "little") + (4).to_bytes(4, "little")
    stream = io.BytesIO(XLSB)
    part = "xl/worksheets/sheet1.bin"
    with zipfile.ZipFile(stream) as source:
        sheet_part = source.read(part)
    assert claim in sheet_part
    far = sheet_part.replace(
        claim, (2).to_bytes(4, "little") + (50_000_000).to_bytes(4, "little"), 1
    )
    refused(
        tmp_path, edited(XLSB, (sheet_part, far), part=part), "wide_workbook", name="export.xlsb"
    )


@pytest.mark.parametrize("suffix", ["xlsx", "xls", "xlsb", "ods"])
@pytest.mark.parametrize(
    "content",
    [
        b"<html><table><tr><td>1</td></tr></table></html>",
        b"id,x\n1,a\n",
        XLS[:2000],
        XLSB[:-200],
        packed(a="b"),
    ],
    ids=["html", "csv", "cut xls", "cut xlsb", "zip"],
)
def test_what_is_no_workbook_of_any_kind(tmp_path, suffix, content):
    refused(tmp_path, content, "no_workbook", name=f"export.{suffix}")


def test_a_workbook_with_a_password(tmp_path):
    """Its parts stand encrypted in a file of the old kind."""
    locked = XLS.replace("Workbook".encode("utf-16-le"), "EncryptedPackage"[:8].encode("utf-16-le"))
    assert locked != XLS
    assert "password" in str(refused(tmp_path, locked, "no_workbook", name="export.xlsx"))
