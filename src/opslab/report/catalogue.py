"""The catalogue: one page that lists the readouts, in the same hand as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader

from opslab.messages import Language, text
from opslab.report.styles import page_style


@dataclass(frozen=True)
class Entry:
    """One line of the catalogue: texts, and a link relative to the catalogue's folder.

    ``language`` is that of ``action`` and ``headline``: a readout speaks its own, whatever the page
    speaks.
    """

    link: str
    name: str
    kind: str
    date: str
    headline: str
    action: str
    tone: str
    language: str


def render_catalogue(entries: Sequence[Entry], language: Language = "en") -> str:
    """Return the catalogue as one HTML file: plain links, no script."""
    words = ("catalogue", "catalogue_empty", "catalogue_intro", "skip")
    columns = [text(f"report.column_{name}", language) for name in ("readout", "finding", "date")]
    return str(
        _template().render(
            language=language,
            words={word: text(f"report.{word}", language) for word in words},
            columns=columns,
            entries=entries,
        )
    )


@cache
def _template() -> Any:
    folder = files("opslab.report").joinpath("templates", "opslab")
    environment = Environment(
        loader=FunctionLoader(lambda name: folder.joinpath(name).read_text(encoding="utf-8")),
        autoescape=True,
    )
    environment.globals["style"] = page_style()
    return environment.get_template("catalogue.html.j2")
