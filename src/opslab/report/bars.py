"""One drawing for waterfalls, tornados and intervals side by side: a line of words, and a bar under it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure as Drawing
from matplotlib.ticker import MaxNLocator

from opslab.messages import Language, numbers, one_line
from opslab.report.figures import GREY, WIDTH, style, width_of, wrapped

_TEXT, _TITLE, _SMALL, _SIDE, _ROW = 10.0, 11.0, 8.5, 0.03, 0.44  # points and inches


@dataclass(frozen=True)
class Row:
    """A line of the drawing.

    Attributes
    ----------
    label, value : str
        What stands at the left and at the right, above the bar.
    segments : sequence of (start, end, colour)
        Parts of the bar, on the axis.
    point : float, optional
        A dot on the bar.
    """

    label: str
    value: str
    segments: Sequence[tuple[float, float, str]]
    point: float | None = None


def bars(
    title: str,
    rows: Sequence[Row],
    axis: str,
    language: Language,
    *,
    base: float = 0.0,
    percent: bool = False,
    width: float = WIDTH,
) -> Drawing:
    """Return the drawing: the finding as its title, a thin line at the base.

    Parameters
    ----------
    title, axis : str
        The finding; what the axis counts, with its unit.
    rows : sequence of Row
        From the top down.
    base : float
        Where the thin line stands.
    percent : bool
        Whether the axis counts shares.
    width : float
        In inches.
    """
    inside = width - 2 * _SIDE
    shown = wrapped(one_line(title), inside, _TITLE, "bold")
    with style():
        head, body = 0.12 + 0.21 * (shown.count("\n") + 1), _ROW * len(rows) + 0.08
        height = head + body + 0.62
        drawing = Drawing(figsize=(width, height))
        drawing.text(
            _SIDE / width, 1 - 0.04 / height, shown, fontsize=_TITLE, weight="bold", va="top"
        )
        axes = drawing.add_axes(
            (_SIDE / width, 0.62 / height, 1 - 2 * _SIDE / width, body / height)
        )
        ends = [base, *(end for row in rows for segment in row.segments for end in segment[:2])]
        space = 0.07 * (max(ends) - min(ends)) or 1.0
        frame = min(ends) - space, max(ends) + space
        axes.set(xlim=frame, ylim=(body, 0), yticks=[])
        axes.spines["left"].set_visible(False)
        across = axes.get_yaxis_transform()
        for place, row in enumerate(rows):
            line, middle = place * _ROW + 0.18, place * _ROW + 0.31
            label = wrapped(
                one_line(row.label), inside - width_of(row.value, _TEXT) - 0.2, _TEXT, most=1
            )
            axes.text(0, line, label, transform=across, va="baseline")
            axes.text(1, line, row.value, transform=across, va="baseline", ha="right")
            axes.plot(
                [base, base], [middle - 0.06, middle + 0.06], color=GREY, linewidth=0.9, zorder=0
            )
            for start, end, colour in row.segments:
                axes.plot(
                    [start, end], [middle, middle], color=colour, linewidth=7, solid_capstyle="butt"
                )
            if row.point is not None:
                axes.plot(
                    [row.point], [middle], "o", markersize=7, color="white", markeredgecolor="black"
                )
        axes.set_xticks(*_ticks(frame, language, percent=percent))
        axes.tick_params(axis="x", labelsize=_SMALL)
        axes.set_xlabel(wrapped(one_line(axis), inside, _SMALL, most=1), fontsize=_SMALL)
    return drawing


def _ticks(
    frame: tuple[float, float], language: Language, *, percent: bool
) -> tuple[list[float], list[str]]:
    """Return round places away from the frame's ends, with the decimals that their distance asks for."""
    places = MaxNLocator(nbins=6, steps=[1, 2, 5, 10]).tick_values(*frame)
    edge = 0.06 * (frame[1] - frame[0])
    kept = [float(place) for place in places if frame[0] + edge <= place <= frame[1] - edge]
    step = (places[1] - places[0]) * (100 if percent else 1)
    show = numbers.percent if percent else numbers.decimal
    digits = max(0, math.ceil(-math.log10(step) - 1e-9))
    return kept, [show(place, digits, language=language) for place in kept]
