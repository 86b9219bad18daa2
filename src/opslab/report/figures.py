"""Figures: drawn by matplotlib, kept as SVG with the text that stands for them, the same bytes each time."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure as Drawing

SVG = "image/svg+xml"

# Okabe and Ito (2008): told apart by colour-blind readers, and in grey by their lightness.
BLUE, ORANGE, GREEN, RED, GREY, INK = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#8a8f98", "#1d2430"

_STYLE: Any = {
    "font.family": ["DejaVu Sans"],
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.grid": False,
    "axes.unicode_minus": True,
    "xtick.color": INK,
    "ytick.color": INK,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "svg.hashsalt": "opslab",
    "svg.fonttype": "path",
    "text.parse_math": False,
}


@contextmanager
def style() -> Iterator[None]:
    """Draw in the house's hand: nothing of the user's own matplotlib settings leaks in, nor out."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


@dataclass(frozen=True)
class Figure:
    """A figure and the text that stands for it.

    Attributes
    ----------
    drawing : matplotlib.figure.Figure
    alt : str
        What the figure says, numbers included: for those who do not see it.
    caption : str
        What a reader sees under it.
    """

    drawing: Drawing
    alt: str
    caption: str = ""

    def __post_init__(self) -> None:
        if not self.alt.strip():
            raise ValueError("A figure needs an alt text that says what it shows, with its numbers.")

    def svg(self) -> str:
        """Return the figure as SVG: no date, no random ids."""
        with style(), io.StringIO() as stream:
            self.drawing.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
            return stream.getvalue()

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
        data = {SVG: self.svg(), "text/plain": self.alt}
        return data, {SVG: {"alt": self.alt, "caption": self.caption}}
