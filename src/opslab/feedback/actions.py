"""What to take up first, whose it is, and whom it is about: sections of a feedback readout."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opslab.feedback.contrasts import CLEAR
from opslab.feedback.result import FeedbackResult, Theme
from opslab.feedback.theme_pages import page_of
from opslab.report.blocks import Cell, Points, Reference
from opslab.report.voice import Blocks, Voice

_MOST_RANKED, _MOST_CONTRASTS = 20, 12


def read(theme: str, say: Voice) -> list[Reference]:
    """Return the link to all quotes of a theme."""
    return [Reference(say("page_read"), page_of(theme))]


def first(result: FeedbackResult, say: Voice) -> Blocks:
    """Return in which order to take themes up, and whose they are."""
    if not len(result.ranking):
        return []
    kinds = {frame.index.name: frame for frame in ()}
    worse, trends = (
        {row["theme"]: row for row in frame.to_dict("records")}
        for frame in (result.severities, result.trends)
    )
    rows = [
        _ranked_row(result.theme(row["theme"]), row, worse, trends, say)
        for row in result.ranking.head(_MOST_RANKED).to_dict("records")
    ]
    del kinds
    columns = "band theme kind customers discontent trend team"
    return [say.heading("first"), say.table("first", columns, rows, numeric=(3, 4, 5))]


def _ranked_row(
    theme: Theme, row: dict[str, Any], worse: dict[str, Any], trends: dict[str, Any], say: Voice
) -> list[str | Cell]:
    bad, trend, route = worse.get(theme.id), trends.get(theme.id), theme.route
    return [
        say.integer(row["band"]),
        Cell(theme.called(say.language), refs=read(theme.id, say)),
        say(f"point_{theme.kind}") if theme.kind else say.none,
        say.integer(row["customers"]),
        Cell(say.percent(bad["share"], 0), tone="bad" if bad["worse"] else "plain")
        if bad
        else say.none,
        Cell(
            say("times", ratio=trend["ratio"]),
            interval=say.range(say.decimal(trend["low"], 1), say.decimal(trend["high"], 1)),
            tone="bad" if trend["rising"] else "plain",
        )
        if trend
        else say.none,
        say.none if route is None else route.team or say("triage"),
    ]


def whom(result: FeedbackResult, say: Voice) -> Blocks:
    """Return which themes are said more by some customers than by the others."""
    blocks: Blocks = [say.heading("whom")] if result.themes else []
    clear = [*_clear(result, say)]
    ...
    return blocks


def _clear(result: FeedbackResult, say: Voice) -> Iterator[str]:
    """Yield a sentence for each clear difference, the largest first."""
    if not len(result.contrasts):
        return
    rows = result.contrasts[result.contrasts["q"] < CLEAR]
    rows = rows.sort_values("difference", key=abs, ascending=False, kind="stable")
    for row in rows.head(_MOST_CONTRASTS).to_dict("records"):
        yield say("contrast", theme=result.theme(row["theme"]).called(say.language), **row)
