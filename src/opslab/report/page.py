"""The page: an executed notebook as one HTML file, without script, without request."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
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

_TEMPLATES = files("opslab.report").joinpath("templates")
_WORDS = ("skip", "contents", "code", "document", "no_pdf")
_TITLE, _SECTION = 1, 2
"""Levels of headings: the page's own, and those that its contents list."""


def render(
    notebook: Any,
    identity: Sequence[tuple[str, str]],
    language: Language,
    documents: Sequence[str] | None = None,
    failure: Verdict | None = None,
) -> str:
    """Return an executed notebook as a page.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        Executed, as far as it went; it is not changed.
    identity : sequence of (str, str)
        What the footer says of the run: names and values.
    language : {"en", "fr"}
    documents : sequence of str, optional
        Names of the files beside the page that hold it as a document; none of them: how to get one
        is told.
    failure : Verdict, optional
        Stands first in place of what was published: why the run did not come to its end.
    """
    clean = _cleaned(notebook)
    first_screen, body = _parts(clean)
    if failure is not None:
        data, metadata = map(NotebookNode, bundle(failure))
        first_screen = [NotebookNode(output_type="display_data", data=data, metadata=metadata)]
        _cut_style(first_screen[0])
    outputs = (output for cell in body for output in cell.get("outputs", []))
    page = {
        "language": language,
        "title": next((words for _, words in _headings(first_screen, _TITLE)), "opslab"),
        "style": page_style(),
        "running_foot": _running_foot(identity),
        "documents": documents,
        "words": {word: text(f"report.{word}", language) for word in _WORDS},
        "first_screen": first_screen,
        "contents": [section for section in _headings(outputs, _SECTION) if section[0]],
        "body": body,
        "identity": identity,
    }
    html, _ = _exporter().from_notebook_node(clean, {"opslab": page})
    lines = without_controls(html).split("\n")
    return "\n".join(line.rstrip() for line in lines).strip() + "\n"


def _running_foot(identity: Sequence[tuple[str, str]]) -> str:
    """Return the rule that prints the run's id at the foot of every page, marks by number."""
    if not identity:
        return ""
    letters = "".join(
        letter if letter.isascii() and letter.isalnum() else f"\\{ord(letter):06x}"
        for letter in identity[0][1]
    )
    return f'@media print {{ @page {{ @bottom-left {{ content: "{letters}"; }} }} }}\n'


@cache
def _exporter() -> Any:
    return HTMLExporter(
        template_name="opslab",
        extra_template_basedirs=[str(_TEMPLATES)],
        filters={"uri": _uri},
    )


def _uri(source: str) -> str:
    """Return an SVG as it stands in a data address: a fifth shorter than in base64."""
    return quote(source, safe=" !$*+,-./:;=?@[]_~")


@cache
def _sanitizer() -> Any:
    allowed = tomllib.loads(
        _TEMPLATES.joinpath("opslab", "allowed.toml").read_text(encoding="utf-8")
    )
    tags, attributes = allowed["tags"], allowed["attributes"]
    return SanitizeHTML(
        enabled=True,
        tags=tags,
        attributes={"*": [*attributes, "aria-label", "data-label"], "a": ["href", *attributes]},
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
        outputs = cell.get("outputs", [])
        if any(RECORD_TYPE in output.get("data", {}) for output in outputs):
            first_screen = outputs
        else:
            body.append(cell)
    return first_screen, body


def _cleaned(notebook: Any) -> Any:
    """Return a copy without what a page must not hold: styles of cells, scripts, foreign tags.

    What an output tells of itself may come from anywhere: the style is cut off first, and whatever
    is left then is sanitised.
    """
    bare = copy.deepcopy(notebook)
    for cell in bare.cells:
        for output in cell.get("outputs", []):
            metadata = output.get("metadata", {})
            output.metadata = {
                kind: about for kind, about in metadata.items() if isinstance(about, Mapping)
            }
            _cut_style(output)
    return _sanitizer().preprocess(bare, {})[0]


def _cut_style(output: Any) -> None:
    """Take away the style that an output brought for its cell, whose length it tells."""
    length = output.metadata.get(HTML, {}).get("style")
    if isinstance(length, int) and length > 0 and HTML in output.get("data", {}):
        output.data[HTML] = output.data[HTML][length:]


def _headings(outputs: Iterable[Any], level: int) -> Iterator[tuple[str, str]]:
    """Yield anchor and text of the headings of a level that outputs tell of."""
    for output in outputs:
        headings = output.metadata.get(HTML, {}).get("headings")
        for heading in headings if isinstance(headings, list) else []:
            match heading:
                case [int(of), str(anchor), str(words)] if of == level:
                    yield anchor, words
