"""One drawing for forests, waterfalls, tornados and shares: words over bars or lines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.ticker import MaxNLocator

from opslab.messages import one_line
from opslab.messages.numbers import Numbers
from opslab.report.figures import (
    INK,
    SIDE,
    SMALL,
    TEXT,
    WIDTH,
    framed,
    name_axis,
    style,
    width_of,
    wrapped,
)

_LINE, _BAR, _THIN = 0.19, 7.0, 2.4  # inches of a line of text; points of a bar, and of a thin line
_ROW, _MARK, _GAP = 0.44, 0.12, 0.1  # inches of a row, of the words under a mark, above a head
_APART = 0.2  # inches between a label and its value
_BELOW = 0.42  # inches for the axis, its marks and what it counts


@dataclass(frozen=True)
class Row:
    """A line of the drawing.

    Attributes
    ----------
    label, value : str
        What stands at the left and at the right, above the bar.
    segments : sequence of (start, end, colour)
        Parts of the bar, on the axis; what lies beyond the frame ends in an arrow.
    point : float, optional
        A dot on the bar.
    head : str
        A bold line above, which takes the lines that it needs.
    mark : (float, str), optional
        A dashed line across the bar, and what it is called.
    thin : bool
        Whether the bar is a line, as intervals are.
    bold : bool
        A bold label that has no room beside the value stands above it.
    """

    label: str
    value: str
    segments: Sequence[tuple[float, float, str]] = ()
    point: float | None = None
    head: str = ""
    mark: tuple[float, str] | None = None
    thin: bool = False
    bold: bool = False

    @property
    def ends(self) -> list[float]:
        """Every place on the axis that the row wants to show."""
        return [end for segment in self.segments for end in segment[:2]] + [
            end for end in (self.point, self.mark[0] if self.mark else None) if end is not None
        ]


def chart(
    title: str,
    rows: Sequence[Row],
    axis: str,
    numbers: Numbers,
    *,
    base: float = 0.0,
    frame: tuple[float, float] | None = None,
    percent: bool = False,
    signed: bool = False,
    width: float = WIDTH,
) -> Drawing:
    """Return the drawing: the finding as its title, rows from the top down, a line at the base.

    Parameters
    ----------
    title, axis : str
        The finding; what the axis counts, with its unit.
    rows : sequence of Row
    numbers : Numbers
        How the language of the drawing writes them.
    base : float
        Where the thin line stands.
    frame : (float, float), optional
        Ends of the axis; by default all that the rows show has room.
    percent, signed : bool
        Whether the axis counts shares, and whether it counts changes.
    width : float
        In inches.
    """
    with style():
        inside = width - 2 * SIDE
        rows = [_fitted(row, inside) for row in rows]
        placed, body = _layout(rows, inside)
        drawing, axes = framed(title, body, width=width, below=_BELOW)
        low, high = frame or _frame([base, *(end for row in rows for end in row.ends)])
        axes.set(xlim=(low, high), ylim=(body, 0), yticks=[])
        axes.spines["left"].set_visible(False)
        for row, top, middle in placed:
            _words(axes, row, top, middle, inside)
            axes.plot([base] * 2, [middle - 0.06, middle + 0.06], color=INK, lw=0.9, zorder=0)
            _bar(axes, row, middle, (low, high))
        axes.set_xticks(*ticks((low, high), numbers, percent=percent, signed=signed))
        name_axis(axes, axis, width)
    return drawing


def _frame(ends: Sequence[float]) -> tuple[float, float]:
    space = 0.07 * (max(ends) - min(ends)) or 1.0
    return min(ends) - space, max(ends) + space


def _fitted(row: Row, inside: float) -> Row:
    """Return a row whose bold label is its head where it has no room beside the value."""
    room = inside - width_of(row.value, TEXT) - _APART
    if row.bold and not row.head and width_of(one_line(row.label), TEXT, "bold") > room:
        return replace(row, head=row.label, label="")
    return row


def _layout(rows: Sequence[Row], inside: float) -> tuple[list[tuple[Row, float, float]], float]:
    """Return each row with the inches down to its head and to its bar, and the height of all."""
    placed, top = list[tuple[Row, float, float]](), 0.0
    for row in rows:
        lines = (
            wrapped(one_line(row.head), inside, TEXT, "bold", 2).count("\n") + 1 if row.head else 0
        )
        top += _GAP if row.head and placed else 0.0
        lines += _label(row, inside).count("\n")
        middle = top + _LINE * lines + (_ROW - 0.13 if row.label or row.value else 0.13)
        placed.append((row, top, middle))
        top = middle + 0.13 + (_MARK if row.mark else 0.0)
    return placed, top + 0.08


def _words(axes: Axes, row: Row, top: float, middle: float, inside: float) -> None:
    across, baseline = axes.get_yaxis_transform(), middle - 0.13
    if row.head:
        head = wrapped(one_line(row.head), inside, TEXT, "bold", 2)
        axes.text(0, top + 0.02, head, transform=across, va="top", weight="bold", linespacing=1.15)
    weight, label = "bold" if row.bold else "normal", _label(row, inside)
    axes.text(0, baseline, label, transform=across, va="baseline", weight=weight, linespacing=1.15)
    axes.text(1, baseline, row.value, transform=across, va="baseline", ha="right")


def _label(row: Row, inside: float) -> str:
    """Return a label in the room beside the value, in up to three lines."""
    room = inside - width_of(row.value, TEXT) - _APART
    return wrapped(one_line(row.label), room, TEXT, "bold" if row.bold else "normal")


def _bar(axes: Axes, row: Row, middle: float, frame: tuple[float, float]) -> None:
    low, high = frame
    for start, end, colour in row.segments:
        shown = max(min(start, end), low), min(max(start, end), high)
        thickness = _THIN if row.thin else _BAR
        if shown[0] < shown[1]:
            axes.plot(shown, [middle] * 2, color=colour, lw=thickness, solid_capstyle="butt")
        for beyond, edge, arrow in (
            (min(start, end) < low, low, "<"),
            (max(start, end) > high, high, ">"),
        ):
            if beyond:
                axes.plot([edge], [middle], arrow, markersize=6, color=colour, clip_on=False)
    if row.point is not None and low <= row.point <= high:
        fill = row.segments[0][2] if row.thin and row.segments else "white"
        outline = fill if row.thin else "black"
        axes.plot([row.point], [middle], "o", ms=6.5, color=fill, mec=outline, clip_on=False)
    if row.mark is not None and low <= row.mark[0] <= high:
        at, words = row.mark
        axes.plot([at] * 2, [middle - 0.08, middle + 0.08], color=INK, lw=1.4, ls=(0, (2.2, 1.4)))
        sixth = (high - low) / 6
        side = "left" if at < low + sixth else "right" if at > high - sixth else "center"
        axes.text(at, middle + 0.11, one_line(words), fontsize=SMALL, ha=side, va="top")


def ticks(
    frame: tuple[float, float], numbers: Numbers, *, percent: bool = False, signed: bool = False
) -> tuple[list[float], list[str]]:
    """Return round places away from the frame's ends, and what is written there.

    They have the decimals that their distance asks for.
    """
    low, high = frame
    places = MaxNLocator(nbins=6, steps=[1, 2, 5, 10]).tick_values(low, high)
    edge, step = 0.06 * (high - low), float(places[1] - places[0])
    digits = max(0, math.ceil(-math.log10(step * (100 if percent else 1)) - 1e-9))
    kind = ("signed_" if signed else "") + ("percent" if percent else "decimal")
    labels = dict[float, str]()
    for at in map(float, places):
        if signed and abs(at) < step / 2 and low <= at <= high:
            labels[0.0] = "0"
        elif low + edge <= at <= high - edge:
            labels[at] = getattr(numbers, kind)(at, digits)
    return list(labels), list(labels.values())
