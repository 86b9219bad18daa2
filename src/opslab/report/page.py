"""The page: an executed notebook as one HTML file, without script, without request."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from opslab.evidence import RECORD_TYPE
from opslab.messages import Language, text, without_controls
from opslab.report.blocks import Verdict
from opslab.report.cells import HTML, bundle
from opslab.report.styles import page_style
from opslab.startup import without_iri_grammar

with without_iri_grammar():
    from nbconvert.exporters.html import HTMLExporter
    from nbconvert.preprocessors.sanitize import SanitizeHTML
    from nbformat import NotebookNode

ANALYST = "analyst"
"""Tag of cells that speak to the analyst and have no place on the page."""

_TAGS = [
    "a",
    "abbr",
    "b",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "dd",
    "del",
    "details",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "h1",
    "h2",
    "h3",
    "h4",
    "hr",
    "i",
    "ins",
    "kbd",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "section",
    "small",
    "span",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "u",
    "ul",
    "var",
]
_WORDS = ("skip", "contents", "code", "document", "no_pdf")
_ATTRIBUTES = [
    "id",
    "class",
    "lang",
    "dir",
    "scope",
    "colspan",
    "rowspan",
    "headers",
    "role",
    "tabindex",
    "title",
]


def render(
    notebook: Any,
    identity: Sequence[tuple[str, str]],
    language: Language,
    documents: Sequence[str] | None = None,
) -> str:
    """Return an executed notebook as a page.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        Executed; it is not changed.
    identity : sequence of (str, str)
        What the footer says of the run: names and values.
    language : {"en", "fr"}
    documents : sequence of str, optional
        Names of the files beside the page that hold it as a document; none of them: how to get one
        is told.
    """
    clean = _cleaned(notebook)
    return _page(clean, *_parts(clean), identity, language, documents)


def render_failure(
    notebook: Any,
    kicker: str,
    title: str,
    said: Sequence[str],
    identity: Sequence[tuple[str, str]],
    language: Language,
) -> str:
    """Return the page of a run that failed: what went wrong first, then what the run got.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        Executed as far as it went.
    kicker, title : str
        What kind of readout of what.
    said : sequence of str
        What went wrong, a sentence each.
    identity, language
        As in `render`.
    """
    clean = _cleaned(notebook)
    action = text("report.failed", language)
    screen = Verdict(kicker, title, None, action, said[0], "bad", reasons=said[1:])
    data, metadata = bundle(screen)
    output = NotebookNode(output_type="display_data", data=NotebookNode(data), metadata=metadata)
    first_screen, (_, body) = [_without_style(output)], _parts(clean)
    return _page(clean, first_screen, body, identity, language)


def _page(
    notebook: Any,
    first_screen: Sequence[Any],
    body: Sequence[Any],
    identity: Sequence[tuple[str, str]],
    language: Language,
    documents: Sequence[str] | None = None,
) -> str:
    page = {
        "language": language,
        "title": _title(first_screen),
        "style": page_style(),
        "running_foot": _running_foot(identity),
        "documents": documents,
        "words": {word: text(f"report.{word}", language) for word in _WORDS},
        "first_screen": first_screen,
        "contents": _contents(body),
        "body": body,
        "identity": list(identity),
    }
    html, _ = _exporter().from_notebook_node(notebook, {"opslab": page})
    lines = without_controls(html).split("\n")
    return "\n".join(line.rstrip() for line in lines).strip() + "\n"


def _running_foot(identity: Sequence[tuple[str, str]]) -> str:
    """Return the rule that prints the run's id at the foot of every page, its marks told by number."""
    if not identity:
        return ""
    letters = "".join(
        letter if letter.isascii() and letter.isalnum() else f"\\{ord(letter):06x}"
        for letter in identity[0][1]
    )
    return f'@media print {{ @page {{ @bottom-left {{ content: "{letters}"; }} }} }}\n'


@cache
def _exporter() -> Any:
    exporter = HTMLExporter(
        template_name="opslab",
        extra_template_basedirs=[str(files("opslab.report").joinpath("templates"))],
        filters={"uri": _uri},
    )
    exporter.exclude_input_prompt = True
    return exporter


def _uri(source: str) -> str:
    """Return an SVG as it stands in a data address: a fifth shorter than in base64."""
    return quote(source, safe=" !$*+,-./:;=?@[]_~")


@cache
def _sanitizer() -> Any:
    return SanitizeHTML(
        enabled=True,
        tags=_TAGS,
        attributes={"*": [*_ATTRIBUTES, "aria-label", "data-label"], "a": ["href", *_ATTRIBUTES]},
        strip=True,
        safe_output_keys={"metadata", "text/plain", "image/png", "image/svg+xml", RECORD_TYPE},
    )


def _parts(notebook: Any) -> tuple[list[Any], list[Any]]:
    """Return the published outputs, for the top of the page, and the cells of the rest."""
    first_screen: list[Any] = []
    body = []
    for cell in notebook.cells:
        if ANALYST in cell.metadata.get("tags", []) or cell.cell_type == "raw":
            continue
        if cell.cell_type == "markdown":
            body.append(cell)
            continue
        published = [output for output in cell.outputs if RECORD_TYPE in output.get("data", {})]
        first_screen = published or first_screen
        if not published:
            body.append(cell)
    return first_screen, body


def _cleaned(notebook: Any) -> Any:
    """Return a copy without what a page must not hold: styles of cells, scripts, foreign tags."""
    bare = copy.deepcopy(notebook)
    for cell in bare.cells:
        cell.update(
            {"outputs": list(map(_without_style, cell.outputs))} if "outputs" in cell else {}
        )
    return _sanitizer().preprocess(bare, {})[0]


def _without_style(output: Any) -> Any:
    """Return an output without the style that its cell brought, whose length it tells."""
    length = _about(output).get("style")
    if isinstance(length, int) and length > 0:
        output["data"][HTML] = output["data"][HTML][length:]
    return output


def _about(output: Any) -> Mapping[str, Any]:
    """Return what an output tells of its own HTML; nothing where it is none of ours."""
    about = output.get("metadata", {}).get(HTML)
    told = isinstance(about, Mapping) and isinstance(output.get("data", {}).get(HTML), str)
    return about if told else {}


def _headings(output: Any) -> Iterator[tuple[int, str, str]]:
    headings = _about(output).get("headings")
    for heading in headings if isinstance(headings, list) else []:
        match heading:
            case [int() as level, str() as anchor, str() as words]:
                yield level, anchor, words


def _title(first_screen: Sequence[Any]) -> str:
    """Return the first heading of level 1."""
    titles = (
        words for output in first_screen for level, _, words in _headings(output) if level == 1
    )
    return next(titles, "opslab")


def _contents(body: Sequence[Any]) -> list[tuple[str, str]]:
    """Return anchor and text of every section heading."""
    outputs = (output for cell in body for output in cell.get("outputs", []))
    return [
        (anchor, words)
        for output in outputs
        for level, anchor, words in _headings(output)
        if level == 2  # noqa: PLR2004 - HTML's levels
    ]
