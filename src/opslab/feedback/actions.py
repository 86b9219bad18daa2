"""What to take up first, whose it is, and whom it is about: sections of a feedback readout."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from opslab.feedback.contrasts import CLEAR, FEWEST
from opslab.feedback.heat_map import heat_map
from opslab.feedback.intake import cells
from opslab.feedback.result import FeedbackResult, Theme
from opslab.feedback.theme_pages import page_of
from opslab.report.blocks import Cell, Points, Reference, Tone
from opslab.report.figures import Figure
from opslab.report.voice import Blocks, Voice

_MOST_RANKED, _MOST_CONTRASTS = 15, 10


def read(theme: str, say: Voice) -> list[Reference]:
    """Return the link to all quotes of a theme."""
    return [Reference(say("page_read"), page_of(theme))]


def first(result: FeedbackResult, say: Voice) -> Blocks:
    """Return in which order to take themes up, what it rests on, and whose they are."""
    ranking = result.ranking.dropna(subset="band") if result.themes else result.ranking
    if not len(ranking) or result.broken:
        return []
    worse, trends = (
        {row["theme"]: row for row in cells(frame)} for frame in (result.severities, result.trends)
    )
    rows = [
        _ranked_row(
            result.theme(row["theme"]), row, worse, trends, "severity" in result.counted, say
        )
        for row in cells(ranking.head(_MOST_RANKED))
    ]
    columns = f"band theme {result.counted[0]} discontent trend" + " team" * bool(
        result.study.teams
    )
    counted = [say(f"counted_{part}") for part in result.counted]
    blocks: Blocks = [
        say.heading("first"),
        say.table("first", columns, rows, numeric=(2, 3, 4)),
        say.remark("counted", parts=counted),
    ]
    return [*blocks, *_teams(result, say)]


def _ranked_row(
    theme: Theme,
    row: Mapping[str, Any],
    worse: Mapping[str, Any],
    trends: Mapping[str, Any],
    rated: bool,
    say: Voice,
) -> list[str | Cell]:
    bad, trend, route = worse.get(theme.id), trends.get(theme.id), theme.route
    discontent: str | Cell = say.none
    if rated:
        elsewhere = say("elsewhere", share=bad["elsewhere"]) if bad else ""
        tone = _tone(bad and bad["worse"])
        discontent = Cell(say.percent(row["severity"], 0), elsewhere, tone)
    change: str | Cell = say.none
    if trend:
        interval = say.range(say.decimal(trend["low"], 1), say.decimal(trend["high"], 1))
        tone = _tone(trend["rising"])
        change = Cell(say("times", ratio=trend["ratio"]), interval=interval, tone=tone)
    return [
        say(f"band_{row['band']:.0f}"),
        Cell(theme.called(say.language), _kind(theme, say), refs=read(theme.id, say)),
        say.integer(row["weight"]),
        discontent,
        change,
        *([route.team or say("triage")] if route else []),
    ]


def _tone(marked: object) -> Tone:
    return "bad" if marked else "plain"


def _kind(theme: Theme, say: Voice) -> str:
    return say(f"point_{theme.kind}") if theme.kind else ""


def _teams(result: FeedbackResult, say: Voice) -> Blocks:
    """Return how many themes wait for a person to decide, and how often routes are right."""
    blocks: Blocks = []
    waiting = sum(theme.route is not None and not theme.route.team for theme in result.themes)
    if waiting:
        blocks.append(say.paragraph("triage_line", count=waiting))
    if routed := result.routed:
        low, high = routed.interval
        judged = routed.right + routed.wrong
        blocks.append(
            say.paragraph("routes_judged", judged=judged, low=low, high=high, **vars(routed))
        )
    return blocks


def whom(result: FeedbackResult, say: Voice) -> Blocks:
    """Return which themes are said more, or less, by some customers than by the others."""
    if not result.themes or result.broken:
        return []
    rows = result.contrasts
    if not len(rows):
        return [say.heading("whom"), say.paragraph("whom_none", fewest=FEWEST)]
    clear = rows[rows["q"] < CLEAR].sort_values("difference", key=abs, ascending=False)
    lines = [
        say("contrast", **row | {"theme": result.theme(row["theme"]).called(say.language)})
        for row in cells(clear.head(_MOST_CONTRASTS))
    ]
    blocks: Blocks = (
        [say.heading("whom"), Points(lines)]
        if lines
        else [say.heading("whom"), say.paragraph("whom_alike", count=rows["trait"].nunique())]
    )
    return [*blocks, *filter(None, [result.figures(say.language).get("whom")]), say.remark("whom")]


def heat(result: FeedbackResult, say: Voice) -> dict[str, Figure]:
    """Return the map of themes by the trait that tells most; none where no trait is compared."""
    rows = result.contrasts
    if not len(rows):
        return {}
    apart = rows.groupby("trait")["q"].min()
    values = Counter(rows["trait"])
    several = [
        name for name in apart.index if rows.loc[rows["trait"] == name, "value"].nunique() > 1
    ]
    if not several:
        return {}
    trait = min(several, key=lambda name: (apart[name], -values[name], name))
    shown = list(dict.fromkeys(rows.loc[rows["trait"] == trait, "value"]))
    titles = {theme.id: theme.called(say.language) for theme in result.themes}
    return {"whom": heat_map(rows, trait, shown, titles, say)}
