"""The PDF: tagged, titled, the same bytes each time; texts from outside stay texts, links stay inside."""

from __future__ import annotations

import datetime
import hashlib
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib.figure import Figure as Drawing

from opslab.errors import ExtraError
from opslab.report.blocks import Cell, Heading, Paragraph, Points, Reference, Table
from opslab.report.figures import Figure
from opslab.report.pdf import pdf

HOSTILE = '#import "x" * $ [ ] ` \\u{41} "q" \x00\x1b\n\u202e \U0001f600 漢 #panic() </text>'


def document(*blocks, language="fr"):
    day = datetime.date(2026, 1, 2)
    return pdf(blocks, title="Un titre", language=language, date=day, running_foot="x")


def test_a_document_is_tagged_and_the_same_each_time():
    pytest.importorskip("typst")
    blocks = [
        Heading("Été", new_page=True),
        Paragraph("1\u202f234,5\u00a0€"),
        Table("c", ["a", "b"], [["x", "1"]]),
    ]
    content = document(*blocks)
    assert content == document(*blocks)
    assert content.startswith(b"%PDF-")
    assert b"/StructTreeRoot" in content
    assert b"/MarkInfo" in content


def test_hostile_texts_and_unknown_anchors_do_no_harm():
    pytest.importorskip("typst")
    refs = [
        Reference("E1", "#nowhere"),
        Reference("E2", "#here"),
        Reference("E3", "../../a/b-1/readout.html"),
    ]
    blocks = [Paragraph(HOSTILE, refs=refs), Points([Cell("w" * 10_000, HOSTILE, anchor="here")])]
    assert b"/URI" in document(*blocks, Table(HOSTILE, [HOSTILE], [[Cell(HOSTILE, anchor="here")]]))


def test_without_typst_one_line_says_how(monkeypatch):
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(ExtraError, match=r"opslab\[pdf\]"):
        document(Paragraph("a"))


@pytest.mark.parametrize(
    "href",
    [
        "javascript:alert(1)",
        "http://x",
        "//x",
        "/etc",
        "a b",
        "#",
        "..",
        "data:x",
        "x\n",
        "https:///",
        "\\x",
    ],
)
def test_other_links_are_refused(href):
    with pytest.raises(ValueError, match="relative path"):
        Reference("x", href)


def whole():
    """Return blocks of every kind that a reader's program must find its way in."""
    rows = [[Cell(f"ligne {place}", anchor=f"row-{place}"), f"{place}"] for place in range(80)]
    return [
        Heading("Résultat"),
        Paragraph(
            "Gain\u00a0: 1\u202f234\u00a0€",
            refs=[Reference("E1", "#row-79"), Reference("x", "https://example.org/a")],
        ),
        Heading("Détail", 3),
        Figure(Drawing(figsize=(2, 1)), "Une barre à 12,5"),
        Heading("Annexe", new_page=True),
        Table("Lignes", ["Nom", "Valeur"], rows, numeric=(1,)),
    ]


def test_a_program_finds_its_way_in_it():
    """Read by pypdf: title, language, bookmarks, tags, the image's words, links, French spaces."""
    pytest.importorskip("typst")
    reader = pytest.importorskip("pypdf").PdfReader(io.BytesIO(document(*whole())))
    root = reader.trailer["/Root"]
    assert reader.metadata.title == "Un titre"
    assert root["/Lang"] == "fr"
    assert root["/MarkInfo"]["/Marked"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    flat = str(reader.outline)
    assert all(name in flat for name in ("Résultat", "Détail", "Annexe"))
    kinds, alternatives = set(), []

    def walk(node):
        one = node.get_object()
        if isinstance(one, list):
            for child in one:
                walk(child)
        elif hasattr(one, "get") and "/S" in one:
            kinds.add(one["/S"])
            alternatives.extend([one["/Alt"]] if "/Alt" in one else [])
            if "/K" in one and not isinstance(one["/K"], int):
                walk(one["/K"])

    walk(root["/StructTreeRoot"]["/K"])
    assert {"/H1", "/P", "/Figure", "/Table", "/TR", "/TH", "/TD", "/Link"} <= kinds
    assert "Une barre à 12,5" in alternatives
    texts = [page.extract_text() for page in reader.pages]
    assert "1\u202f234\u00a0€" in texts[0]
    assert len(texts) >= 3  # a page, and a table of 80 rows that starts another
    assert all("Valeur" in text for text in texts[1:])  # its heads stand on each of its pages
    links = [note.get_object() for page in reader.pages for note in page.get("/Annots", [])]
    assert [one["/A"]["/URI"] for one in links if "/URI" in one.get("/A", {})] == [
        "https://example.org/a"
    ]
    assert any("/Dest" in one or "/D" in one.get("/A", {}) for one in links)


def test_an_amount_is_never_parted_from_its_sign():
    pytest.importorskip("typst")
    pypdf = pytest.importorskip("pypdf")
    amounts = "\N{MINUS SIGN}€89k +€12k " * 40
    narrow = [[letters, amounts, amounts] for letters in map("x".__mul__, range(1, 12))]
    blocks = [Table("c", ["a", "b", "c"], narrow)]
    blocks += [Paragraph(f"{row[0]} {amounts}") for row in narrow]
    pages = pypdf.PdfReader(io.BytesIO(document(*blocks, language="en"))).pages
    text = "\n".join(page.extract_text() for page in pages)
    assert text.count("89k") == 40 * 3 * len(narrow)
    assert not re.search(r"[\N{MINUS SIGN}+]\W*\n", text)


@pytest.mark.slow
def test_the_same_bytes_in_another_process(tmp_path):
    pytest.importorskip("typst")
    code = "import hashlib, test_pdf; print(hashlib.sha256(test_pdf.document(*test_pdf.whole())).hexdigest())"
    here = str(Path(__file__).parent)
    other = {"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "7", "PYTHONPATH": here}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | other,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == hashlib.sha256(document(*whole())).hexdigest()
    assert not list(tmp_path.iterdir())
