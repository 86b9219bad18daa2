"""The heat map of a canvas: words in every cell, so that it is read without colour."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure as Drawing

from opslab.messages import one_line
from opslab.operations.practices.spec import LEVELS
from opslab.report.figures import SMALL, WIDTH, framed, style, wrapped
from opslab.report.voice import Voice

_LEFT, _ROW, _SIDE = 1.35, 0.45, 0.08  # inches: a name, a row, free in a cell
_PALE = len(LEVELS) + 2  # on the scale of colours: no level is as dark as the letters


def heat_map(title: str, cells: Mapping[tuple[str, str], tuple[float, str]], say: Voice) -> Drawing:
    """Return the drawing of a canvas.

    Parameters
    ----------
    title : str
    cells : Mapping of (str, str) to (float, str)
        By capability and team: where its median lies in the order of levels, which is its shade
        only, and its words.
    say : Voice
    """
    names, teams = ([*dict.fromkeys(name)] for name in zip(*cells, strict=True))
    shades = np.full((len(names), len(teams)), np.nan)
    width = (WIDTH - _LEFT) / len(teams)

    def fitted(words: str, inches: float) -> str:
        return wrapped(one_line(say.spoken(words)), inches - _SIDE, SMALL)

    with style():
        drawing, axes = framed(title, _ROW * len(names), left=_LEFT, below=_ROW)
        for (name, team), (shade, words) in cells.items():
            row, column = names.index(name), teams.index(team)
            shades[row, column] = shade
            axes.text(column, row, fitted(words, width), ha="center", va="center", size=SMALL)
        axes.imshow(shades, cmap="Blues", vmin=-1, vmax=_PALE, aspect="auto")
        axes.set_yticks(range(len(names)), [fitted(name, _LEFT) for name in names])
        axes.set_xticks(range(len(teams)), [fitted(team, width) for team in teams])
        axes.tick_params(length=0)
    return drawing
