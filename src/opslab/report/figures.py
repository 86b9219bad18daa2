"""Figures: drawn by matplotlib, kept as SVG with the text that stands for them, always the same."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.font_manager import FontEntry, FontProperties, fontManager
from matplotlib.textpath import text_to_path

from opslab.messages import one_line

SVG = "image/svg+xml"

# Okabe and Ito (2008): told apart by colour-blind readers, and in grey by their lightness.
BLUE, ORANGE, GREEN, RED, GREY, INK = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#d55e00",
    "#8a8f98",
    "#1d2430",
)

_LETTERS = "opslab letters"
_STYLE: Any = {
    "font.family": [_LETTERS],
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "axes.unicode_minus": True,
    "xtick.color": INK,
    "ytick.color": INK,
    "figure.facecolor": "white",  # read in a dark notebook too; a dark page turns it
    "axes.facecolor": "none",
    "svg.hashsalt": "opslab",
    "svg.fonttype": "path",
    "text.parse_math": False,
}


WIDTH = 5.2
"""Width of a drawing in inches: narrow, so that on a phone its letters are still read."""

HALF = 3.4
"""Width of a drawing that stands beside another one where there is room, in inches."""

SIDE = 0.03
"""Inches left free at either side."""

TEXT, TITLE, SMALL = 10.0, 11.0, 8.5
"""Sizes of letters, in points."""


@cache
def _letters() -> str:
    """Return the family that all drawings use: the files that matplotlib brings.

    By its usual name the family may be the system's own, whose outlines are numbered otherwise.
    """
    for weight, file in ((400, "DejaVuSans.ttf"), (700, "DejaVuSans-Bold.ttf")):
        path = str(Path(mpl.get_data_path(), "fonts", "ttf", file))
        fontManager.ttflist.append(
            FontEntry(
                fname=path,
                name=_LETTERS,
                style="normal",
                variant="normal",
                weight=weight,
                stretch="normal",
                size="scalable",
            )
        )
    return _LETTERS


@contextmanager
def style() -> Iterator[None]:
    """Draw in the house's hand: nothing of the user's own matplotlib settings leaks in, nor out."""
    _letters()
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


def framed(
    title: str, body: float, *, width: float = WIDTH, below: float = 0.62, left: float = SIDE
) -> tuple[Drawing, Axes]:
    """Return a drawing with its title, and its axes under it; to be called within `style`.

    Parameters
    ----------
    title : str
        The finding; it takes the lines that it needs.
    body, width, below, left : float
        Inches: height of the axes, width of it all, room under the axes and at their left.
    """
    shown = wrapped(one_line(title), width - 2 * SIDE, TITLE, "bold")
    height = 0.12 + 0.21 * (shown.count("\n") + 1) + body + below
    drawing = Drawing(figsize=(width, height))
    top = 1 - 0.04 / height
    drawing.text(SIDE / width, top, shown, fontsize=TITLE, weight="bold", va="top")
    box = (left / width, below / height, 1 - (left + SIDE) / width, body / height)
    axes = drawing.add_axes(box)
    axes.tick_params(labelsize=SMALL)
    return drawing, axes


def name_axis(axes: Axes, name: str, width: float = WIDTH) -> None:
    """Write what the horizontal axis counts, with its unit, on one line."""
    axes.set_xlabel(wrapped(one_line(name), width - 2 * SIDE, SMALL, most=1), fontsize=SMALL)


def width_of(words: str, size: float, weight: str = "normal") -> float:
    """Return the width of a line in inches, at a size in points."""
    properties = FontProperties(family=_letters(), size=size, weight=weight)
    width, _, _ = text_to_path.get_text_width_height_descent(words, properties, ismath=False)
    return float(width) / 72


def wrapped(words: str, inches: float, size: float, weight: str = "normal", most: int = 3) -> str:
    """Return a text in lines no wider than so many inches; what ``most`` do not hold is cut off.

    Examples
    --------
    >>> wrapped("one two three", 0.5, 10).splitlines()
    ['one', 'two', 'three']
    >>> wrapped("unpronounceable", 0.5, 10, most=1)
    'unpr…'
    """
    lines: list[str] = []
    for word in words.split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width_of(longer, size, weight) <= inches:
            lines[-1] = longer
        else:
            lines.append(word)
    if len(lines) > most:
        lines = [*lines[: most - 1], " ".join(lines[most - 1 :])]
    return "\n".join(_cut(line, inches, size, weight) for line in lines)


def _cut(line: str, inches: float, size: float, weight: str) -> str:
    if width_of(line, size, weight) <= inches:
        return line
    kept = next(
        count
        for count in range(len(line) - 1, -1, -1)
        if width_of(f"{line[:count]}…", size, weight) <= inches
    )
    return f"{line[:kept].rstrip()}…"


def _spare(source: str) -> str:
    """Return a drawing without comments and indents, its places to a hundredth of a point.

    On a page a line break takes three letters, and a letter's name stands wherever it is used.
    """
    source = re.sub(r"<!--.*?-->", "", source, flags=re.DOTALL)
    source = re.sub(r"\s*\n\s*", " ", source)
    source = source.replace("DejaVuSans-", "").replace("#Bold-", "#B").replace('"Bold-', '"B')
    source = re.sub(r"(?<=translate\()\d+\.\d{3,}", lambda at: f"{float(at[0]):.2f}", source)
    return re.sub(r"(?<![\w.(])\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}", source)


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
            raise ValueError(
                "A figure needs an alt text that says what it shows, with its numbers."
            )

    def svg(self) -> str:
        """Return the figure as SVG: no date, no random ids."""
        with style(), io.StringIO() as stream:
            nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
            self.drawing.savefig(stream, format="svg", metadata=nothing)
            return _spare(stream.getvalue())

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, str], dict[str, dict[str, Any]]]:
        data = {SVG: self.svg(), "text/plain": self.alt}
        half = self.drawing.get_figwidth() <= HALF
        return data, {
            SVG: {"alt": self.alt, "caption": self.caption} | ({"half": True} if half else {})
        }
