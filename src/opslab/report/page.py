"""The page: an executed notebook as one HTML file, without script, without request."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from opslab.evidence import RECORD_TYPE
from opslab.messages import Language, text, without_controls
from opslab.report.blocks import Verdict
from opslab.report.cells import bundle
from opslab.report.outputs import FILTERS
from opslab.report.styles import page_style
from opslab.startup import without_iri_grammar

with without_iri_grammar():
    from nbconvert.exporters.html import HTMLExporter
    from nbformat.v4 import new_notebook

ANALYST = "analyst"
"""Tag of cells that speak to the analyst and have no place on the page."""

_TEMPLATES = files("opslab.report").joinpath("templates")
_WORDS = ("skip", "contents", "code", "document", "no_pdf", "not_shown")
_TITLE, _SECTION = 1, 2
"""Levels of headings: the page's own, and those that its contents list."""
_MOST_PAGE = 20_000_000
"""Letters of the cells on a page."""


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
    first_screen, body = _parts(notebook)
    if failure is not None:
        data, metadata = bundle(failure)
        first_screen = [{"data": data, "metadata": metadata}]
    whole = len(json.dumps(body, default=str)) <= _MOST_PAGE
    body = body if whole else []
    outputs = [output for cell in body for output in cell.get("outputs", [])]
    page = {
        "language": language,
        "title": next((words for _, words in _headings(first_screen, _TITLE)), "opslab"),
        "style": page_style(),
        "running_foot": _running_foot(identity),
        "documents": documents,
        "words": {word: text(f"report.{word}", language) for word in _WORDS},
        "first_screen": first_screen,
        "contents": [section for section in _headings(outputs, _SECTION) if section[0]],
        "whole": whole,
        "body": body,
        "cells": notebook.cells,
        "identity": identity,
    }
    html, _ = _exporter().from_notebook_node(new_notebook(), {"opslab": page})
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
        filters=FILTERS,
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


def _headings(outputs: Iterable[Any], level: int) -> Iterator[tuple[str, str]]:
    """Yield anchor and text of the headings of a level that outputs tell of."""
    for output in outputs:
        match output:
            case {"metadata": {"text/html": {"headings": [*headings]}}}:
                for heading in headings:
                    match heading:
                        case [int(of), str(anchor), str(words)] if of == level:
                            yield anchor, words
