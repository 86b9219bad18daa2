"""The page of a notebook: made of what its outputs tell of themselves, which may come from anywhere."""

from __future__ import annotations

import base64
import io
import re
import time
from html.parser import HTMLParser
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

from opslab import report
from opslab.evidence import RECORD_TYPE
from opslab.report.blocks import Heading, Paragraph, Table, Verdict
from opslab.report.cells import HTML, bundle
from opslab.report.page import render
from opslab.report.pictures import images_in
from opslab.report.styles import cell_style, page_style

SVG = "image/svg+xml"
VERDICT = Verdict("A/B experiment", "Fish & <chips>", None, "Ship", "It holds.", "good")
HOSTILE = "<script>alert(1)</script></div></main></body><img src=x onerror=alert(2)>"


class Page(HTMLParser):
    """Tags, attributes and texts of a page as a browser would find them."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.inside: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "img", "br", "hr"}:
            self.inside.append(tag)

    def handle_endtag(self, tag):
        while self.inside and self.inside.pop() != tag:
            pass

    def handle_data(self, data):
        if "style" not in self.inside:
            self.text += data

    def count(self, tag):
        return sum(name == tag for name, _ in self.tags)

    def links(self):
        return [attributes["href"] for tag, attributes in self.tags if tag == "a"]


def cell(data, metadata, *, tags=()):
    output = new_output("display_data", data=data, metadata=metadata)
    return new_code_cell("x = 1", outputs=[output], metadata={"tags": [*tags]})


def page(*cells, **options):
    notebook = new_notebook(cells=[*cells])
    return render(notebook, options.pop("identity", [("Run", "a/b/c")]), "en", **options)


def published():
    data, metadata = bundle(VERDICT)
    return cell(data | {RECORD_TYPE: {}}, metadata)


def test_headings_title_and_order_come_from_what_outputs_tell():
    source = page(
        cell(*bundle(Heading("What changed?"), Paragraph("Much."), Heading("By day", 3))),
        new_markdown_cell("*Marked*"),
        new_raw_cell("raw text"),
        cell(*bundle(Paragraph("For the analyst.")), tags=["analyst"]),
        cell(*bundle(Heading("Method & data"))),
        published(),
    )
    seen = Page(source)
    assert "<title>Fish &amp; &lt;chips&gt;</title>" in source
    assert seen.links() == ["#main", "#what-changed", "#method-data"]
    ids = {attributes.get("id") for _, attributes in seen.tags}
    assert {"what-changed", "method-data", "by-day", "main"} <= ids
    assert source.index("It holds.") < source.index('<main id="main">') < source.index("Much.")
    assert "<em>Marked</em>" in source
    assert "raw text" not in source
    assert "For the analyst." not in source


def test_one_style_stands_on_the_page_and_no_cell_brings_its_own():
    source = page(cell(*bundle(Paragraph("Much."))), published())
    assert source.count("<style>") == 1
    assert page_style().strip() in source
    assert '\n<div class="opslab"><p>Much.</p></div>\n' in source
    assert "{" not in Page(source).text


def test_a_page_of_nothing_stands():
    source = page(identity=[])
    assert "<title>opslab</title>" in source
    assert Page(source).links() == ["#main"]


def test_a_notebook_is_not_changed():
    notebook = new_notebook(cells=[published()])
    before = nbformat.writes(notebook)
    render(notebook, [], "en")
    assert nbformat.writes(notebook) == before


def test_documents_are_linked_or_it_is_told_how_to_get_one():
    assert "case.pdf" in Page(page(published(), documents=["case.pdf"])).links()
    assert "pip install opslab[pdf]" in page(published(), documents=[])


def test_pages_of_quotes_are_no_documents_to_print():
    """Where a theme stands, its page is linked; an area without a PDF asks for no extra."""
    source = page(published(), documents=["theme-t01.html"])
    assert Page(source).links() == Page(page(published(), documents=None)).links()
    assert "opslab[pdf]" not in source
    assert "PDF" not in page(published())


def test_a_failure_comes_first():
    notebook = new_notebook(cells=[cell(*bundle(Heading("What it got"))), published()])
    failure = Verdict("Kind", "desk", None, "Failed", "It <broke>.", "bad", reasons=["Twice."])
    source = render(notebook, [], "fr", failure=failure)
    assert "<title>desk</title>" in source
    assert source.index("Failed") < source.index("It &lt;broke&gt;.")
    assert source.index("Twice.") < source.index("What it got")
    assert "It holds." not in source
    assert source.count("<style>") == 1


STYLES = {
    "beyond the HTML": 10**6,
    "huge": 10**40,
    "negative": -50,
    "none": 0,
    "inside of a tag": len(cell_style()) + 3,
    "inside of the style": 20,
    "a text": "6091",
    "a fraction": 6091.5,
    "a truth": True,
    "a list": [6091],
    "nothing": None,
}


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
@pytest.mark.parametrize("kind", ["body", "first screen"])
def test_a_forged_length_of_the_style_lets_nothing_out(style, kind):
    data = {HTML: f'{cell_style()}<div class="opslab"><p>Kept</p>{HOSTILE}</div>'}
    if kind == "first screen":
        data[RECORD_TYPE] = {}
    last = published() if kind == "body" else new_code_cell("")
    source = page(cell(data, {HTML: {"style": style, "headings": []}}), last)
    is_whole(source)
    assert ("<p>Kept</p>" in source) == (style not in (10**6, 10**40))


def test_what_a_cut_lays_bare_is_sanitised():
    """Inside of an attribute markup is harmless, and stays as it is; cut free it must not be."""
    html = '<p title="<script>alert(1)</script><img src=x onerror=alert(2)>">Kept</p>'
    source = page(cell({HTML: html}, {HTML: {"style": html.index("<script>")}}), published())
    is_whole(source)
    assert "Kept" in source


def test_the_style_is_cut_before_anything_else_changes_its_length():
    style = "<style>a {b: c}</style>"
    html = f"{style}<p>Kept</p>"
    source = page(cell({HTML: html}, {HTML: {"style": len(style)}}), published())
    assert "\n<p>Kept</p>\n" in source


HEADINGS = {
    "no list": {"2": "x"},
    "a text": HOSTILE,
    "a number": 5,
    "texts": [HOSTILE, HOSTILE, HOSTILE],
    "short": [[2, "a"], [2], []],
    "long": [[2, "a", "b", "c"]],
    "mappings": [{"level": 2, "anchor": "a", "text": "b"}],
    "a level of text": [["2", "a", HOSTILE]],
    "an anchor of another kind": [[2, ["a"], HOSTILE], [2, None, HOSTILE], [2, 5, "b"]],
    "a text of another kind": [[2, "a", {"b": HOSTILE}], [1, "", 5]],
    "a deep list": [[[[2, "a", "b"]]]],
}


@pytest.mark.parametrize("headings", HEADINGS.values(), ids=HEADINGS)
def test_headings_of_another_shape_are_no_headings(headings):
    forged = {HTML: {"style": 0, "headings": headings}}
    source = page(cell({HTML: "<p>Kept</p>"}, forged), cell({HTML: "", RECORD_TYPE: {}}, forged))
    is_whole(source)
    assert Page(source).links() == ["#main"]
    assert "<title>opslab</title>" in source


def test_a_heading_is_text_whatever_it_holds():
    anchors = ['"><script>alert(1)</script>', "javascript:alert(1)", "x' onclick='y", "", "twice"]
    forged = [[2, anchor, HOSTILE] for anchor in anchors]
    source = page(
        cell({HTML: "<p>Kept</p>"}, {HTML: {"headings": forged}}),
        cell({HTML: "", RECORD_TYPE: {}}, {HTML: {"headings": [[1, "", f"</title>{HOSTILE}"]]}}),
    )
    is_whole(source)
    assert Page(source).links() == ["#main", *(f"#{anchor}" for anchor in anchors if anchor)]
    assert "<title>&lt;/title&gt;&lt;script&gt;" in source


@pytest.mark.parametrize("about", [HOSTILE, 5, [HOSTILE], None, True], ids=repr)
def test_what_is_told_of_an_output_in_another_shape_is_not_read(about):
    image = {SVG: "<svg onload='alert(1)'><script>alert(2)</script></svg>"}
    source = page(
        cell({HTML: f"<p>Kept</p>{HOSTILE}"}, {HTML: about}),
        cell(image, {SVG: about}),
        cell({HTML: "", RECORD_TYPE: {}}, {HTML: about, RECORD_TYPE: about}),
    )
    is_whole(source)
    assert "<p>Kept</p>" in source


def test_a_picture_tells_what_it_shows_as_text():
    about = {"alt": '"><script>alert(1)</script>', "caption": HOSTILE, "half": True}
    source = page(cell({SVG: "<svg/>"}, {SVG: about}), cell({HTML: "<p>Kept</p>"}, {}))
    is_whole(source)
    (picture,) = [attributes for tag, attributes in Page(source).tags if tag == "img"]
    assert picture["alt"] == about["alt"]


def is_whole(source):
    """Make sure that the page is the page: what a cell held is inside of it and runs nothing."""
    seen = Page(source)
    assert not {"script", "iframe", "object", "embed", "form", "link", "base", "svg"} & {
        tag for tag, _ in seen.tags
    }
    assert all(seen.count(tag) == 1 for tag in ("style", "main", "body", "title", "footer"))
    assert not [name for _, attributes in seen.tags for name in attributes if name[:2] == "on"]
    sources = [attributes["src"] for tag, attributes in seen.tags if tag == "img"]
    assert all(address.startswith("data:image/") for address in sources)
    assert all(link.startswith("#") for link in seen.links())
    assert seen.inside == []


def test_a_figure_that_is_published_with_the_verdict_stands_on_the_first_screen():
    verdict, drawn = published(), {SVG: "<svg/>", "text/plain": "Alt"}
    verdict.outputs.append(
        new_output("display_data", data=drawn, metadata={SVG: {"alt": "How large"}})
    )
    source = page(cell({HTML: "<p>Later</p>"}, {}), verdict)
    header, _, body = source.partition("</header>")
    assert 'alt="How large"' in header
    assert "<img" not in body
    assert "Later" in body


PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
NOT_SHOWN = "An output of the notebook is not shown here"
NO_WORDS = "A picture has no words for who cannot see it"
MISSING = "picture not shown"
NO_FORM = "has no form on a page and is not shown here. Its type: "


def test_pictures_that_are_what_they_say_are_shown():
    """A line break in what is told in base 64 is none of the picture."""
    attached = new_markdown_cell('Before ![Way & "out"](attachment:a.png) *after*')
    attached["attachments"] = {"a.png": {"image/png": PNG}}
    picture = '<img src="data:image/png;base64,' + PNG + '" alt="{}">'
    source = page(
        cell({"image/png": PNG[:8] + "\n" + PNG[8:]}, {"image/png": {"alt": "A"}}), attached
    )
    assert f"<figure>{picture.format('A')}</figure>" in source
    seen = Page(source)
    alts = [attributes["alt"] for tag, attributes in seen.tags if tag == "img"]
    assert alts == ["A", 'Way & "out"']
    assert re.search(r"<p>Before <img [^>]+> <em>after</em></p>", source)
    assert NOT_SHOWN not in source
    assert NO_WORDS not in source


def test_a_picture_of_another_kind_is_told_in_its_place():
    source = page(cell({"image/jpeg": PNG}, {}), cell({HTML: "<p>Kept</p>"}, {}))
    assert NOT_SHOWN in source
    assert "<img" not in source
    assert "Kept" in source


def test_what_was_published_before_the_last_keeps_its_place():
    first, last = (cell({HTML: f"<p>{it}</p>", RECORD_TYPE: {}}, {}) for it in ("Early", "Late"))
    body = page(first, last).split("<main")
    assert "Late" in body[0]
    assert "Early" in body[1]


def test_a_picture_in_html_is_told_and_one_of_markdown_shown_by_its_name():
    """Of text that is empty, or a title alone, nothing is missing."""
    source = page(cell({HTML: '<p>Kept</p><img src="https://x.example/a.png">'}, {}))
    assert "Kept" in source
    assert NO_FORM in source
    attached = new_markdown_cell('<img src="attachment:a.png" width="9" alt="A <b>">')
    attached["attachments"] = {"a.png": {"image/png": PNG}}
    source = page(attached, *map(new_markdown_cell, ("", "<!-- no -->", '<img src="b.png">')))
    assert '<img src="data:image/png;base64,' in source
    assert MISSING in source
    assert NOT_SHOWN not in source


@pytest.mark.parametrize("kind", ["text/plain", "text/latex", "stdout", "evalue"])
@pytest.mark.parametrize("length", [100_000, 100_001])
def test_a_text_is_cut_and_it_is_told_how_much(kind, length):
    said = "x" * length
    outputs = {
        "stdout": new_output("stream", name="stdout", text=said),
        "evalue": new_output("error", ename="E", evalue=said, traceback=[]),
    }
    output = outputs.get(kind) or new_output("display_data", data={kind: said})
    source = page(new_code_cell("", outputs=[output]))
    assert Page(source).text.count("x") == 100_000
    assert ("All of it, in kB: 100" in source) == (length > 100_000)


@pytest.mark.parametrize("count", [40, 41])
def test_a_print_of_many_lines_is_folded(count):
    text = "".join(f"line {number}\n" for number in range(count))
    source = page(new_code_cell("", outputs=[new_output("stream", name="stdout", text=text)]))
    folded = re.search(r"<details class=\"printed\"><summary>(.*?)</summary><pre", source)
    assert (folded and folded[1]) == ("Printed, lines: 41" if count > 40 else None)
    assert f"line {count - 1}\n" in source.replace("</pre>", "\n")


def test_a_log_is_told_and_not_shown():
    source = page(new_code_cell("", outputs=[new_output("stream", name="stderr", text="late")]))
    assert "A cell wrote warnings or a log here" in Page(source).text
    assert "late" not in Page(source).text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("1%\r50%\r100%\nDone", "100%\nDone"),
        ("1%\r100%\r", "100%"),
        ("one\r\ntwo\r\n", "one\ntwo"),
        ("\x1b[1;31mred\x1b[0m\x1b[K end", "red end"),
        ("\r10%\r20%", "20%"),
        ("\n\n", ""),
    ],
)
def test_a_print_is_what_a_terminal_shows_in_the_end(text, shown):
    source = page(new_code_cell("", outputs=[new_output("stream", name="stdout", text=text)]))
    assert re.search(r'<pre tabindex="0">(.*?)</pre>', source, re.DOTALL)[1] == shown


def test_a_page_has_a_bound_and_what_fits_stays(monkeypatch):
    monkeypatch.setattr("opslab.report.page._MOST_PAGE", 700)
    cells = [cell({"text/plain": "x" * 250}, {}), cell({"text/plain": "y" * 250}, {})]
    source = page(*cells, published())
    assert "It holds." in source
    assert "x" * 250 in source
    assert "y" * 250 not in source
    assert source.index("x" * 250) < source.index(NOT_SHOWN)
    assert NOT_SHOWN not in page(cells[0], published())


def test_markdown_is_cleaned_once_it_is_html():
    links = "[a](javascript:alert(1)) [b](data:text/html,x) [c](//a.invalid) [d](https://a.invalid)"
    source = page(new_markdown_cell(links), cell({"text/markdown": links}, {}))
    assert Page(source).tags.count(("a", {"href": "https://a.invalid"})) == 2
    assert "javascript:" not in source


def tables(source):
    """Return the tables of a page as rows of (element, scope, class, text)."""
    soup = BeautifulSoup(source, "html.parser")
    return [
        [
            [
                (part.name, part.get("scope"), "number" in part.get("class", ()), part.text.strip())
                for part in row(["th", "td"])
            ]
            for row in table("tr")
        ]
        for table in soup("table")
    ]


FRAME = pd.DataFrame(
    {"arm <b>": ["<script>", "b"], "value": [1.5, -2.0], "share": ["12.5%", "3%"]},
    index=pd.Index(["x", "y"], name="key"),
)


def test_a_data_frame_is_a_table_of_the_page():
    source = page(cell({HTML: FRAME._repr_html_()}, {}), published())
    ((heads, names, first, _),) = tables(source)
    assert heads == [
        ("th", "col", False, ""),
        *(("th", "col", False, name) for name in ("arm <b>", "value", "share")),
    ]
    assert names[0] == ("th", "col", False, "key")
    assert first == [
        ("th", "row", False, "x"),
        ("td", None, False, "<script>"),
        ("td", None, True, "1.5"),
        ("td", None, True, "12.5%"),
    ]
    assert '<div class="scroll" tabindex="0"><table' in source
    assert "vertical-align" not in Page(source).text
    is_whole(source)


def test_a_styled_frame_keeps_its_table_and_loses_its_colours():
    """Its ids are drawn at random: the page is the same each time without them."""
    pages = set()
    for _ in range(2):
        styled = FRAME.set_index("arm <b>", append=True).style.highlight_max(color="red")
        html = styled.format(escape="html").set_caption("Mine")._repr_html_()
        pages.add(page(cell({HTML: html}, {}), published()))
    (source,) = pages
    ((_, _, first, _),) = tables(source)
    assert [part[:2] for part in first[:2]] == [("th", "row")] * 2
    assert (
        first[2:] == [("td", None, True, "1.500000"), ("td", None, False, "12.5%")] or first[3][2]
    )
    assert "<caption>Mine</caption>" in source
    assert "background-color" not in Page(source).text
    assert 'id="T_' not in source
    is_whole(source)


def test_a_value_that_looks_like_a_script_takes_nothing_with_it():
    """pandas' Styler escapes nothing."""
    html = FRAME.style._repr_html_()
    assert "<script></td>" in html
    source = page(cell({HTML: html}, {}), published())
    assert [row[2][3] for row in tables(source)[0][-2:]] == ["1.500000", "-2.000000"]
    is_whole(source)


def test_columns_of_many_levels_and_other_libraries_tables():
    polars = pytest.importorskip("polars")
    deep = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")]))
    source = page(
        cell({HTML: deep._repr_html_()}, {}),
        cell({HTML: polars.DataFrame({"a": [1], "s": ["x"]})._repr_html_()}, {}),
        new_markdown_cell("| arm | n |\n|---|--:|\n| a | 1 |"),
    )
    levels, other, written = tables(source)
    assert levels[0][1] == ("th", "col", False, "a")
    assert levels[2] == [("th", "row", False, "0"), *(("td", None, True, n) for n in "12")]
    assert other[0] == [("th", "col", False, "a"), ("th", "col", False, "s")]
    assert other[-1] == [("td", None, True, "1"), ("td", None, False, '"x"')]
    assert written == [
        [("th", "col", False, "arm"), ("th", "col", False, "n")],
        [("td", None, False, "a"), ("td", None, True, "1")],
    ]


def test_tables_of_our_own_stay_as_they_are():
    table = Table("Arms", ["arm", "units"], [["control", "12"]], (1,))
    source = page(cell(*bundle(table)), published())
    assert BeautifulSoup(table._repr_html_(), "html.parser").div in BeautifulSoup(
        source, "html.parser"
    )("div")


def test_a_picture_without_words_is_shown_with_a_remark(monkeypatch):
    for about in ({}, {"image/png": {"alt": ""}}):
        source = page(cell({"image/png": PNG}, about))
        assert source.count(NO_WORDS) == 1
        assert PNG in source
    notebook = new_notebook(cells=[cell({"image/png": PNG}, {})])
    assert "Une image n'a pas de texte" in Page(render(notebook, [], "fr")).text


def test_a_figure_of_ones_own_has_its_words_on_the_page():
    figure, axes = plt.subplots()
    axes.set_title("<b>Mine</b>")
    source = page(
        cell(*report.figure(figure, alt="Two & <three>", caption="<i>c</i>")._repr_mimebundle_())
    )
    (picture,) = [attributes for tag, attributes in Page(source).tags if tag == "img"]
    assert picture["alt"] == "Two & <three>"
    assert "&lt;i&gt;c&lt;/i&gt;</figcaption>" in source
    assert NO_WORDS not in source


@pytest.fixture
def workspace_of_pictures(tmp_path, monkeypatch):
    """A workspace with pictures in it, and some around it."""
    folder = tmp_path / "mine"
    (folder / "notebooks" / "team").mkdir(parents=True)
    (folder / "opslab.toml").touch()
    raw = base64.b64decode(PNG)
    for name in ("a.png", "notebooks/team/b c.png", "../out.png", "fake.png", "mine.svg"):
        (folder / name).write_bytes(raw)
    (folder / "fake.png").write_text("secret words", "utf-8")
    (folder / "mine.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>", "utf-8")
    (folder / "large.png").write_bytes(raw + bytes(2_000_000))
    (folder / "link.png").symlink_to(tmp_path / "out.png")
    (folder / "inside.png").symlink_to(folder / "a.png")
    monkeypatch.delenv("OPSLAB_WORKSPACE", raising=False)
    monkeypatch.chdir(folder)
    return folder


def in_text(source, folder):
    """Return the words of the pictures that a text shows, and the page."""
    notebook = new_notebook(cells=[new_markdown_cell(source)])
    written = render(notebook, [], "en", folder=folder)
    seen = Page(written)
    return [attributes["alt"] for tag, attributes in seen.tags if tag == "img"], seen


def test_local_pictures_are_embedded(workspace_of_pictures):
    folder = workspace_of_pictures / "notebooks" / "team"
    text = "![one](b%20c.png) ![two](<b c.png>) ![three](../../a.png 't') ![four](a.png) ![five][r]\n\n[r]: mine.svg\n\n![six](inside.png)"
    alts, seen = in_text(text, folder)
    assert alts == ["one", "two", "three", "four", "five", "six"]
    assert MISSING not in seen.text
    files = images_in(
        {"cells": [{"cell_type": "markdown", "source": text.splitlines(True)}]}, folder
    )
    assert set(files.values()) == {
        workspace_of_pictures / name for name in ("a.png", "notebooks/team/b c.png", "mine.svg")
    }


@pytest.mark.parametrize(
    "name",
    [
        "../out.png",
        "link.png",
        "gone.png",
        "fake.png",
        "large.png",
        "opslab.toml",
        "https://e.invalid/a.png",
        "//e.invalid/a.png",
        "file:///a.png",
        "attachment:a.png",
        "a%00.png",
        "notebooks",
    ],
)
def test_a_picture_from_elsewhere_is_told_and_not_read(workspace_of_pictures, monkeypatch, name):
    read = []
    monkeypatch.setattr(Path, "open", lambda path, *_: read.append(path) or io.BytesIO(b""))
    if name in ("fake.png", "large.png"):
        monkeypatch.undo()
        monkeypatch.chdir(workspace_of_pictures)
    alts, seen = in_text(f"Before ![Words]({name}) after", workspace_of_pictures)
    assert alts == read == []
    assert re.search(rf"Before Words \({MISSING}: .*\) after", seen.text)
    assert "secret words" not in seen.text


def test_an_absolute_path_is_read_only_inside_of_the_workspace(workspace_of_pictures):
    outside = workspace_of_pictures.parent / "out.png"
    assert in_text(f"![x]({outside})", workspace_of_pictures)[0] == []
    assert in_text(f"![x]({workspace_of_pictures}/a.png)", workspace_of_pictures)[0] == ["x"]


def test_pictures_are_sought_in_little_time():
    """A line of many marks: each is looked at once, and a bounded way further."""
    start = time.process_time()
    images_in({"cells": [{"cell_type": "markdown", "source": "(:" * 200_000}]}, Path())
    assert time.process_time() - start < 5


def test_footnotes_belong_to_their_cell():
    cells = [new_markdown_cell(f"{name}[^1].\n\n[^1]: <b>Note</b> {name}") for name in ("A", "B")]
    seen = Page(page(*cells))
    ids = [attributes["id"] for _, attributes in seen.tags if "-fn" in attributes.get("id", "")]
    assert len(ids) == len(set(ids)) == 4
    assert {link[1:] for link in seen.links()} == {*ids, "main"}
    assert "Note A" in seen.text


def test_formulas_stay_as_they_are_written():
    source = page(
        new_markdown_cell("Cost $x_1 < *2*$\n\n$$\\frac{a}{b}$$"),
        cell({"text/latex": "$\\beta$"}, {}),
    )
    text = Page(source).text
    for formula in ("$x_1 < *2*$", "$$\\frac{a}{b}$$", "$\\beta$"):
        assert formula in text


LIVE = {
    "a widget": (
        {
            "application/vnd.jupyter.widget-view+json": {"model_id": "x"},
            "text/plain": "IntSlider(value=3)",
        },
        "IntSlider(value=3)",
    ),
    "plotly": (
        {
            "application/vnd.plotly.v1+json": {},
            HTML: "<div></div><script>Plotly.newPlot()</script>",
        },
        "",
    ),
    "vega": (
        {"application/vnd.vegalite.v5+json": {}, "text/plain": "<VegaLite 5 object>\n\nIf"},
        "",
    ),
    "a frame": (
        {
            HTML: "<iframe src='https://e.invalid'></iframe>",
            "text/plain": "<IPython.lib.display.IFrame at 0x7f>",
        },
        "",
    ),
    "a script": (
        {
            "application/javascript": "alert(1)",
            "text/plain": "<IPython.core.display.Javascript object>",
        },
        "",
    ),
    "a table with a script": (
        {HTML: "<table><tr><td>kept</td></tr></table><script>x()</script>"},
        "kept",
    ),
    "a film": ({HTML: "<video src=x></video>", "text/plain": "film"}, "film"),
    "a GIF": ({"image/gif": "R0lG", "text/plain": "<IPython.core.display.Image object>"}, ""),
    "a document": ({"application/pdf": "x", HTML + "; charset": "x"}, ""),
}


@pytest.mark.parametrize("name", LIVE)
def test_what_has_no_form_on_a_page_is_told_by_its_type(name):
    data, stands_in = LIVE[name]
    seen = Page(page(cell(data, {}), published()))
    told = seen.text.partition(NO_FORM)[2].partition("\n")[0]
    assert told == ", ".join(kind for kind in data if kind != "text/plain")
    assert stands_in in seen.text
    for words in ("newPlot", "alert", "x()", "VegaLite 5 object", "IPython"):
        assert words not in seen.text


@pytest.mark.parametrize("kind", ["image/png", "text/markdown"])
def test_where_another_form_stands_in_nothing_is_said(kind):
    data = {"application/vnd.vegalite.v5+json": {}, kind: PNG, "text/plain": "x"}
    assert NO_FORM not in page(cell(data, {kind: {"alt": "A"}}))


def test_where_nothing_is_published_the_first_heading_is_the_title():
    cells = [
        new_markdown_cell("Before.\n\n# My *own* & readout\n\nIntro."),
        new_markdown_cell("## Part <one>\n\n# Another\n\n### Deep"),
        cell(*bundle(Heading("Computed"), Paragraph("x"))),
    ]
    source = page(*cells, title="mine")
    seen = Page(source)
    assert "<title>My own &amp; readout</title>" in source
    assert source.count("My own &amp; readout") == 2
    assert seen.count("h1") == 1
    assert seen.links() == ["#main", "#part-one", "#another", "#computed"]
    assert "Before." in seen.text
    assert "verdict" not in [attributes.get("class") for _, attributes in seen.tags]


@pytest.mark.parametrize("text", ["Words.", "```\n# a comment\n```", "## Second", "#hash"])
def test_without_a_heading_the_title_is_the_one_that_is_given(text):
    source = page(new_markdown_cell(text), title="my <own>")
    assert "<h1>my &lt;own&gt;</h1>" in source
    assert "<title>my &lt;own&gt;</title>" in source


def test_a_page_has_one_title_whatever_its_texts_say():
    source = page(
        new_markdown_cell("# Kept\n\n<h1>Raw</h1>"), cell({HTML: "<h1>Out</h1>"}, {}), published()
    )
    assert Page(source).count("h1") == 1
    assert "<h2>Out</h2>" in source


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_workbook_is_named_where_it_stands_beside_the_page(language):
    data, metadata = bundle(VERDICT)
    files = [{"file": "themes.csv", "sha256": ""}, {"file": "result.xlsx", "sha256": ""}]
    for named, links in ((files, ["#main", "result.xlsx"]), (files[:1], ["#main"])):
        about = metadata | {RECORD_TYPE: {"files": named}}
        notebook = new_notebook(cells=[cell(data | {RECORD_TYPE: {}}, about)])
        seen = Page(render(notebook, [], language))
        assert sorted(seen.links()) == links
        words = {"en": "The tables, as one workbook:", "fr": "Les tableaux, en un seul classeur"}
        assert (words[language] in seen.text) == (len(links) > 1)
    failed = render(notebook, [], language, failure=VERDICT)
    assert "result.xlsx" not in failed
