"""The stylesheets: one for pages, and the part of it that a notebook's cell brings along."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

_CELL = "opslab"
_DARK = f'[data-jp-theme-light="false"] .{_CELL}, .vscode-dark .{_CELL}'
"""What stands around a cell in JupyterLab and in VS Code when they are dark."""


@cache
def page_style() -> str:
    """Return the stylesheet of readouts and catalogue, without its comments and indents."""
    source = template("page.css")
    for part in ("light", "dark", "blocks"):
        source = source.replace(f"/*{part}*/", template(f"{part}.css"))
    return f"\n{_spare(source)}\n"


@cache
def cell_style() -> str:
    """Return the style of one cell: it reaches nothing outside, and wins over JupyterLab's own."""
    colours = f".{_CELL} {{{template('light.css')}}}\n{_DARK} {{{template('dark.css')}}}"
    rules = f"{f'.{_CELL}' * 3} {{{template('blocks.css')}{template('cell.css')}}}"
    return f"<style>{_spare(colours)}\n{_spare(rules)}</style>"


def template(file: str) -> str:
    """Return what a file of the pages' templates holds."""
    folder = files("opslab.report").joinpath("templates", "opslab")
    return folder.joinpath(file).read_text(encoding="utf-8")


def _spare(source: str) -> str:
    without_comments = re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL)
    return "\n".join(filter(None, map(str.strip, without_comments.splitlines())))
