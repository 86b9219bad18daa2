"""The PDF: tagged, titled, the same bytes each time; texts from outside stay texts, links stay inside."""

from __future__ import annotations

import datetime
import sys

import pytest

from opslab.errors import ExtraError
from opslab.report import Cell, Heading, Paragraph, Points, Reference, Table
from opslab.report.pdf import pdf

HOSTILE = '#import "x" * $ [ ] ` \\u{41} "q" \x00\x1b\n\u202e \U0001f600 漢 #panic() </text>'


def made(*blocks, language="fr"):
    day = datetime.date(2026, 1, 2)
    return pdf(blocks, title="Un titre", language=language, date=day, running_foot="x")


def test_a_document_is_tagged_and_the_same_each_time():
    pytest.importorskip("typst")
    blocks = [
        Heading("Été", new_page=True),
        Paragraph("1\u202f234,5\u00a0€"),
        Table("c", ["a", "b"], [["x", "1"]]),
    ]
    content = made(*blocks)
    assert content == made(*blocks)
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
    assert b"/URI" in made(*blocks, Table(HOSTILE, [HOSTILE], [[Cell(HOSTILE, anchor="here")]]))


def test_without_typst_one_line_says_how(monkeypatch):
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(ExtraError, match=r"opslab\[pdf\]"):
        made(Paragraph("a"))


@pytest.mark.parametrize(
    "href",
    ["javascript:alert(1)", "http://x", "//x", "/etc", "a b", "#", "..", "data:x", "x\n", "https:///", "\\x"],
)
def test_other_links_are_refused(href):
    with pytest.raises(ValueError, match="relative path"):
        Reference("x", href)
