"""Figures: drawn by matplotlib, kept as SVG with the text that stands for them, always the same."""

from __future__ import annotations

import base64
import io
import re
import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.font_manager import FontEntry, FontProperties, fontManager
from matplotlib.rcsetup import cycler
from matplotlib.textpath import text_to_path

from opslab import workspace
from opslab.errors import ParameterError
from opslab.messages import one_line

SVG = "image/svg+xml"
MOST_SVG = 1_000_000
"""Letters of a drawing as SVG; one of more, as of very many points, is shown as PNG."""

# Okabe and Ito (2008): told apart by colour-blind readers, and in grey by their lightness.
BLUE, ORANGE, GREEN, RED, GREY, INK = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#d55e00",
    "#8a8f98",
    "#1d2430",
)

CYCLE = (BLUE, ORANGE, INK, "#cc79a7", RED, "#f0e442", GREEN, "#56b4e9")
"""Colours of series, in turn: the first six are told apart in grey, by 7 steps of 100.

Line styles do not take turns: seaborn would dash its error bars, and no legend would say so.
"""

WIDTH = 5.2
"""Width of a drawing in inches: narrow, so that on a phone its letters are still read."""

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
    "axes.prop_cycle": cycler(color=CYCLE),
    "axes.unicode_minus": True,
    "xtick.color": INK,
    "ytick.color": INK,
    "figure.facecolor": "white",  # read in a dark notebook too; a dark page turns it
    "axes.facecolor": "none",
    "svg.hashsalt": "opslab",
    "svg.fonttype": "path",
    "figure.figsize": (WIDTH, 3.2),
    "figure.dpi": 120,
    "date.converter": "concise",  # a year once, and no dates that run into one another
    "image.cmap": "cividis",
    "legend.frameon": False,
}

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


def style() -> AbstractContextManager[None]:
    """Draw in the hand of the page: its letters, its colours, no frame.

    Called in a cell, it sets matplotlib's settings for what pyplot, pandas and seaborn draw from
    then on; as a context, within it only. Either way none of the settings before it are left.

    Notes
    -----
    The colours are those of Okabe and Ito (2008), which colour-blind readers tell apart.

    Examples
    --------
    >>> import matplotlib as mpl
    >>> with style():
    ...     mpl.rcParams["axes.prop_cycle"].by_key()["color"][:2]
    ['#0072b2', '#e69f00']
    """
    return _Style()


class _Style(AbstractContextManager[None]):
    """The settings, from here on; at the end of a context those from before."""

    def __init__(self) -> None:
        _letters()
        self._before = dict(mpl.rcParams.copy())
        del self._before["backend"]
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)

    def __enter__(self) -> None:
        mpl.rcParams["text.parse_math"] = False  # what our own figures say is text

    def __exit__(self, *_: object) -> None:
        mpl.rcParams.update(self._before)

    def _ipython_display_(self) -> None:
        """Show nothing."""


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
        (
            count
            for count in range(len(line) - 1, -1, -1)
            if width_of(f"{line[:count]}…", size, weight) <= inches
        ),
        0,
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
    cropped : bool
        Whether it is shown as large as what it draws: with a legend beside it, without bare edges.
    """

    drawing: Drawing
    alt: str
    caption: str = ""
    cropped: bool = False

    def __post_init__(self) -> None:
        if not self.alt.strip():
            raise ParameterError.of("report.no_alt_given")

    def svg(self) -> str:
        """Return the figure as SVG: no date, no random ids."""
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        return _spare(self._saved("svg", metadata=nothing).decode())

    def png(self) -> bytes:
        """Return the figure as PNG, 200 dots per inch, the same each time."""
        return self._saved("png", dpi=200, metadata={"Software": None})

    def _saved(self, form: str, **options: Any) -> bytes:
        box = "tight" if self.cropped else None
        with style(), io.BytesIO() as stream:
            self.drawing.savefig(stream, format=form, bbox_inches=box, **options)
            return stream.getvalue()

    def save(self, path: str | Path) -> Path:
        """Write the figure as SVG or PNG, as the path's suffix says.

        Parameters
        ----------
        path : path
            A relative one starts at the current folder; its folder is made where it is missing.

        Raises
        ------
        ParameterError
            For another suffix.
        """
        target = workspace.expanded(path)
        if target.suffix not in {".svg", ".png"}:
            raise ParameterError.of("report.figure_suffix", file=str(path))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(self.png() if target.suffix == ".png" else self.svg().encode())
        return target

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        about: dict[str, Any] = {"alt": self.alt, "caption": self.caption}
        if self.drawing.get_figwidth() <= HALF:
            about["half"] = True
        kind, drawn = SVG, self.svg()
        if len(drawn) > MOST_SVG:
            kind, drawn = "image/png", base64.b64encode(self.png()).decode()
        return {kind: drawn, "text/plain": self.alt}, {kind: about}


def figure(drawn: Any, *, alt: str, caption: str = "") -> Figure:
    """Return a drawing of one's own as a figure that shows itself, on the page too.

    It is no longer pyplot's: the cell shows it once.

    Parameters
    ----------
    drawn : matplotlib figure or axes, or what seaborn returns for several axes
    alt : str
        What the figure says, numbers included: for those who do not see it.
    caption : str
        What a reader sees under it.

    Raises
    ------
    ParameterError
        When there is nothing drawn, or no alt text.

    Examples
    --------
    >>> import pandas as pd
    >>> axes = pd.Series([2, 3, 5], index=["web", "app", "shop"]).plot.bar()
    >>> figure(axes, alt="Orders: web 2, app 3, shop 5.").alt
    'Orders: web 2, app 3, shop 5.'
    """
    drawing = getattr(drawn, "figure", drawn)
    if not isinstance(drawing, Drawing):
        raise ParameterError.of("report.no_drawing", kind=type(drawn).__name__)
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close(drawing)
    drawing.draw_without_rendering()  # the ticks' marks are formulas, as matplotlib writes them
    return Figure(drawing, alt, caption, cropped=True)
