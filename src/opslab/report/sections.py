"""Short lists under their names, close together: what has to fit on one screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from opslab.report.blocks import Cell, Cells, Points, html

_ROW = Markup('<tr><th scope="row">{}</th><td>{}</td></tr>')


@dataclass(frozen=True)
class Sections:
    """Names, each with its list; beneath a name may stand how much more there is."""

    items: Sequence[tuple[Cell, Cells]]

    def _repr_html_(self) -> str:
        rows = [_ROW.format(name, html([Points(lines)])) for name, lines in self.items]
        table = Markup('<table class="pairs brief">{}</table>')
        return table.format(Markup("").join(rows)) if rows else ""
