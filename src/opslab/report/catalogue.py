"""The catalogue: one page that lists the readouts, in the same hand as they are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, FunctionLoader

from opslab.messages import Language, text, without_controls
from opslab.report.styles import page_style, template

SECTIONS = ("decisions", "others", "unusable")
_MARKS = re.compile(r"\.(?!\d)|[!#&*+:<>@\[\\\]^_`{|}~)-]", re.ASCII)
"""What Markdown may read as a mark; the point of a number is none."""
_COLUMNS = ("readout", "finding", "date", "kind")
_WORDS = (
    *("skip", "catalogue", "catalogue_empty", "catalogue_choose", "catalogue_tables"),
    *("all", "rendered_run"),
)


@dataclass(frozen=True)
class Entry:
    """One line of the catalogue: texts, and a link relative to the catalogue's folder, if any.

    ``language`` is that of ``action`` and ``headline``: a readout speaks its own, whatever the page
    speaks.
    """

    section: str
    link: str
    name: str
    kind: str
    date: str
    owner: str
    headline: str
    action: str
    tone: str
    rendered: bool
    language: str


def render_catalogue(
    entries: Sequence[Entry], language: Language = "en", tables: Sequence[str] = ()
) -> str:
    """Return the catalogue as one HTML file: plain links, no script.

    Parameters
    ----------
    entries : sequence of Entry
        In the order in which they are listed inside of a section.
    language : {"en", "fr"}
    tables : sequence of str
        Names of the files beside it that hold the same.
    """
    html = form("catalogue.html.j2").render(
        language=language,
        words={name: text(f"report.{name}", language) for name in _WORDS},
        owner=text("words.column_owner", language),
        columns={name: text(f"report.column_{name}", language) for name in _COLUMNS},
        intro=text("report.catalogue_intro", language, count=len(entries)),
        count=len(entries),
        sections=[
            (
                name,
                text(f"report.section_{name}", language),
                [entry for entry in entries if entry.section == name],
            )
            for name in SECTIONS
        ],
        tables=tables,
        kinds=sorted({entry.kind for entry in entries}),
        owners=sorted({entry.owner for entry in entries} - {""}),
    )
    return without_controls(str(html))


@cache
def form(name: str) -> Any:
    """Return a template of the package; what it fills in is escaped unless it says otherwise."""
    environment = Environment(loader=FunctionLoader(template), autoescape=True)
    environment.globals["style"] = page_style()
    environment.filters |= {"marked": _marked, "uncalled": _uncalled}
    return environment.get_template(name)


def _marked(line: str) -> str:
    """Return a line in which Markdown's marks are letters, and no name stands behind an @."""
    return _MARKS.sub(r"\\\g<0>", line).replace("@", "@\N{WORD JOINER}")


def _uncalled(line: str) -> str:
    """Return a line that calls nobody in a chat: no name stands behind an @, no code behind a <."""
    return re.sub("[@<]", "\\g<0>\N{WORD JOINER}", line)
