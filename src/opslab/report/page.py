"""The page: an executed notebook as one HTML file, without script, without request."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from markupsafe import Markup

from opslab import workspace
from opslab.evidence import RECORD_TYPE
from opslab.messages import Language, text, without_controls
from opslab.report.blocks import Verdict
from opslab.report.catalogue import form
from opslab.report.cells import bundle
from opslab.report.outputs import FILTERS, address, markdown
from opslab.report.pictures import images_in
from opslab.report.styles import page_style

ANALYST = "analyst"
"""Tag of cells that speak to the analyst and have no place on the page."""

_WORDS = (
    *("skip", "contents", "code", "document", "tables", "no_pdf", "not_shown", "no_words"),
    *("printed", "cut", "log", "no_form", "no_picture"),
)
_TITLE, _SECTION = 1, 2
"""Levels of headings: the page's own, and those that its contents list."""
_MOST_PAGE = 20_000_000
"""Letters of the cells on a page."""
_FIRST_HEADING = re.compile(r"((?:(?!```).)*?)^# +([^\n]+)", re.DOTALL | re.MULTILINE)
"""Of a cell's text what comes before its first heading, if no code does, and that heading."""


def render(
    notebook: Any,
    identity: Sequence[tuple[str, str]],
    language: Language,
    documents: Sequence[str] | None = None,
    failure: Verdict | None = None,
    *,
    title: str = "opslab",
    folder: Path | None = None,
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
    title : str
        Of the page, where nothing was published and no text of the notebook has a heading.
    folder : Path, optional
        Where the notebook is; by default the workspace's ``notebooks``. The pictures that its text
        names are sought there.
    """
    first_screen, body = _parts(notebook)
    if failure is not None:
        data, metadata = bundle(failure)
        first_screen = [{"data": {RECORD_TYPE: None, **data}, "metadata": metadata}]
        _, body = _titled(body, title)
    words = {word: text(f"report.{word}", language) for word in _WORDS}
    if first_screen:
        title = next((said for _, said in _headings(first_screen, _TITLE)), title)
    else:
        title, body = _titled(body, title)
    files = images_in(notebook, folder or workspace.root() / "notebooks")
    pictures = {url: address(path) for url, path in files.items()}
    cells, room = [], _MOST_PAGE
    for cell in body:
        written = _written(cell, pictures, words["no_picture"])
        room -= len(json.dumps(written, default=str))
        if room < 0:
            break
        cells.append(written)
    page = {
        "language": language,
        "title": title,
        "style": page_style(),
        "running_foot": _running_foot(identity),
        "documents": documents,
        "record": RECORD_TYPE,
        "words": words,
        "first_screen": first_screen,
        "sections": partial(_headings, level=_SECTION),
        "whole": room >= 0,
        "body": cells,
        "cells": notebook.cells,
        "identity": identity,
    }
    lines = without_controls(form("index.html.j2").render(page=page, **FILTERS)).split("\n")
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


def _parts(notebook: Any) -> tuple[list[Any], list[Any]]:
    """Return the published outputs, for the top of the page, and the cells of the rest."""
    body = [
        cell
        for cell in notebook.cells
        if ANALYST not in cell.metadata.get("tags", []) and cell.cell_type != "raw"
    ]
    for number, cell in reversed([*enumerate(body)]):  # what was published last counts
        outputs = cell.get("outputs", [])
        if any(RECORD_TYPE in output.get("data", {}) for output in outputs):
            return outputs, [*body[:number], *body[number + 1 :]]
    return [], body


def _titled(body: list[Any], title: str) -> tuple[str, list[Any]]:
    """Return the first heading of a notebook's text, and the cells without it."""
    for number, cell in enumerate(body):
        heading = cell.cell_type == "markdown" and _FIRST_HEADING.match(cell.source)
        if heading:
            rest = {**cell, "source": heading[1] + cell.source[heading.end() :]}
            words = Markup(markdown(heading[2])).striptags()  # noqa: S704 - escaped on the page
            return words, [*body[:number], rest, *body[number + 1 :]]
    return title, body


def _written(cell: Any, pictures: Mapping[str, str | None], missing: str) -> Any:
    """Return a cell, its text as HTML."""
    if cell["cell_type"] != "markdown":
        return cell
    attached = cell.get("attachments", {}).items()
    known = {**pictures, **{f"attachment:{name}": address(data) for name, data in attached}}
    return {"html": markdown(cell["source"], known, missing)}


def _headings(outputs: Iterable[Any], level: int) -> Iterator[tuple[str, str]]:
    """Yield anchor and text of the headings of a level that outputs tell of."""
    for output in outputs:
        match output:
            case {"metadata": {"text/html": {"headings": [*headings]}}}:
                for heading in headings:
                    match heading:
                        case [int(of), str(anchor), str(words)] if of == level:
                            yield anchor, words
