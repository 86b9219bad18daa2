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
    source = _read("page")
    for part in ("light", "dark", "blocks"):
        source = source.replace(f"/*{part}*/", _read(part))
    return f"\n{_spare(source)}\n"


@cache
def cell_style() -> str:
    """Return the style of one cell: it reaches nothing outside, and wins over JupyterLab's own."""
    colours = f".{_CELL} {{{_read('light')}}}\n{_DARK} {{{_read('dark')}}}"
    rules = f"{f'.{_CELL}' * 3} {{{_read('blocks')}{_read('cell')}}}"
    return f"<style>{_spare(colours)}\n{_spare(rules)}</style>"


def _read(name: str) -> str:
    folder = files("opslab.report").joinpath("templates", "opslab")
    return folder.joinpath(f"{name}.css").read_text(encoding="utf-8")


def _spare(source: str) -> str:
    without_comments = re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL)
    return "\n".join(filter(None, map(str.strip, without_comments.splitlines())))
