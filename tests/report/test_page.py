"""The page of a notebook: made of what its outputs tell of themselves, which may come from anywhere."""

from __future__ import annotations

from html.parser import HTMLParser

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

from opslab.evidence import RECORD_TYPE
from opslab.report.blocks import Heading, Paragraph, Verdict
from opslab.report.cells import HTML, bundle
from opslab.report.page import render
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


def test_pictures_that_are_what_they_say_are_shown():
    """A line break in what is told in base 64 is none of the picture."""
    attached = new_markdown_cell("Before ![Way & out](attachment:a.png) *after*")
    attached["attachments"] = {"a.png": {"image/png": PNG}}
    figure = '<figure><img alt="{}" src="data:image/png;base64,' + PNG + '"/></figure>'
    source = page(
        cell({"image/png": PNG[:8] + "\n" + PNG[8:]}, {"image/png": {"alt": "A"}}), attached
    )
    assert figure.format("A") in source
    assert source.index("Before Way &amp; out <em>after</em>") < source.index(
        figure.format("a.png")
    )
    assert NOT_SHOWN not in source


def test_a_picture_of_another_kind_is_told_in_its_place():
    source = page(cell({"image/jpeg": PNG}, {}), cell({HTML: "<p>Kept</p>"}, {}))
    assert NOT_SHOWN in source
    assert "<img" not in source
    assert "Kept" in source


@pytest.mark.parametrize("length", [2_000_000, 2_000_001])
def test_a_text_has_a_bound(length):
    source = page(cell({"text/plain": "x" * length}, {}))
    assert ("x" * length in source) == (length == 2_000_000)
    assert (NOT_SHOWN in source) == (length > 2_000_000)


def test_a_page_has_a_bound_and_its_first_screen_stays(monkeypatch):
    monkeypatch.setattr("opslab.report.page._MOST_PAGE", 700)
    cells = [cell({"text/plain": "x" * 250}, {}), cell({"text/plain": "y" * 250}, {})]
    assert "x" * 250 in page(cells[0], published())
    source = page(*cells, published())
    assert "It holds." in source
    assert NOT_SHOWN in source
    assert "<pre>xx" not in source


def test_markdown_is_cleaned_once_it_is_html():
    links = "[a](javascript:alert(1)) [b](data:text/html,x) [c](//a.invalid) [d](https://a.invalid)"
    source = page(new_markdown_cell(links), cell({"text/markdown": links}, {}))
    assert Page(source).tags.count(("a", {"href": "https://a.invalid"})) == 2
    assert "javascript:" not in source
