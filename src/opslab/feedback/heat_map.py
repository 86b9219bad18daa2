"""A small map of themes by the values of a trait: what is said more by whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from opslab.feedback.contrasts import CLEAR
from opslab.feedback.intake import cells
from opslab.report.figures import SMALL, Figure, framed, style, wrapped
from opslab.report.voice import Voice

MOST = 8
"""Themes, and values, that are shown."""
_CELL, _LEFT = 0.32, 1.9  # inches: height of a cell, width of the themes' names


def heat_map(
    rows: pd.DataFrame, trait: str, values: Sequence[str], titles: Mapping[str, str], say: Voice
) -> Figure:
    """Draw the share that each theme has where a trait has each value.

    Parameters
    ----------
    rows : pandas.DataFrame
        From `contrasts`, with two values of the trait at least.
    trait : str
    values : sequence of str
        In the order in which they are shown; those of too few customers stay blank.
    titles : mapping of str to str
        Of the themes, by their ids, the largest first.
    say : Voice
    """
    import seaborn

    own = rows[rows["trait"] == trait]
    table = own.pivot_table("share", "theme", "value")
    largest = [theme for theme in titles if theme in table.index][:MOST]
    shares = table.reindex(largest, columns=[*values][:MOST])
    labels = shares.map(lambda share: say.none if pd.isna(share) else say.percent(share, 0))
    names = [titles[theme] for theme in shares.index]
    clear = own[(own["q"] < CLEAR) & (own["difference"] > 0)].sort_values("q", kind="stable")
    title = say("heat_title_none", trait=trait)
    for row in cells(clear[:1]):
        title = say("heat_title", **row | {"theme": titles[row["theme"]]})
    with style():
        drawing, axes = framed(title, _CELL * len(names), left=_LEFT)
        looks = {"cmap": "Blues", "vmin": 0, "cbar": False, "linewidths": 1}
        seaborn.heatmap(shares.fillna(0), annot=labels, fmt="", ax=axes, **looks)
        left = [wrapped(name, _LEFT - 0.1, SMALL, most=1) for name in names]
        axes.set_yticklabels(left, rotation=0, fontsize=SMALL)
        axes.tick_params(length=0)
        below = [wrapped(value, 0.8, SMALL, most=1) for value in values[:MOST]]
        axes.set_xticklabels(below, rotation=30, ha="right")
        axes.set(xlabel="", ylabel="")
    lines = " ".join(
        say("heat_line", theme=name, shares=[*map("{} {}".format, values, row)])
        for name, row in zip(names, labels.to_numpy().tolist(), strict=True)
    )
    return Figure(drawing, say("heat_alt", trait=trait, lines=lines), say("heat_caption"))
