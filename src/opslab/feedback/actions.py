"""What to take up first, whose it is, and whom it is about: sections of a feedback readout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from opslab.feedback.contrasts import CLEAR, FEWEST
from opslab.feedback.heat_map import heat_map
from opslab.feedback.intake import cells
from opslab.feedback.result import FeedbackResult, Theme
from opslab.feedback.theme_pages import page_of
from opslab.report.blocks import Cell, Points, Reference, Tone
from opslab.report.figures import Figure
from opslab.report.voice import Blocks, Voice

if TYPE_CHECKING:
    import pandas as pd

_MOST_RANKED, _MOST_CONTRASTS = 15, 10


def read(theme: str, say: Voice) -> list[Reference]:
    """Return the link to all quotes of a theme."""
    return [Reference(say("page_read"), page_of(theme))]


def first(result: FeedbackResult, say: Voice) -> Blocks:
    """Return in which order to take themes up, what it rests on, and whose they are."""
    ranking = result.ranked()
    if not len(ranking) or result.broken:
        return []
    basis, *factors = result.counted
    columns = ["band", "theme", basis, *factors, *["team"][: len(result.study.teams)]]
    ranked = [_ranked(result, row, say) for row in cells(ranking.head(_MOST_RANKED))]
    rows = [[row[column] for column in columns] for row in ranked]
    counted = [say(f"counted_{part}") for part in result.counted]
    blocks: Blocks = [
        say.heading("first"),
        say.table("first", " ".join(columns), rows, numeric=range(2, 3 + len(factors))),
        say.remark("counted", count=len(counted), parts=counted),
    ]
    waiting = sum(theme.route is not None and not theme.route.team for theme in result.themes)
    if waiting:
        blocks.append(say.paragraph("triage_line", count=waiting))
    if routed := result.routed:
        low, high = routed.interval
        judged = routed.right + routed.wrong
        blocks.append(
            say.paragraph("routes_judged", judged=judged, low=low, high=high, **vars(routed))
        )
        wrong = [
            (str(own), sent, say.integer(count))
            for (own, sent), count in routed.counts.most_common()
            if sent and own != sent
        ]
        if wrong:
            blocks.append(say.table("routes", "team routed messages", wrong, numeric=(2,)))
    return blocks


def _ranked(result: FeedbackResult, row: Mapping[str, Any], say: Voice) -> dict[str, str | Cell]:
    """Return the cells of a theme that could be taken up."""
    theme = result.theme(row["theme"])
    worse = row_of(result.severities, theme.id).get("worse")
    rises: str | Cell = say.none
    if trend := row_of(result.trends, theme.id):
        interval = say.range(say.decimal(trend["low"], 1), say.decimal(trend["high"], 1))
        tone: Tone = "bad" if trend["rising"] else "plain"
        rises = Cell(say("times", ratio=trend["ratio"]), interval=interval, tone=tone)
    return {
        "band": say(f"band_{row['band']:.0f}"),
        "theme": Cell(theme.called(say.language), kind_of(theme, say), refs=read(theme.id, say)),
        "team": theme.route.team or say("triage") if theme.route else say.none,
        result.counted[0]: say.integer(row["weight"]),
        "severity": Cell(say.percent(row["severity"], 0), tone="bad" if worse else "plain"),
        "trend": rises,
    }


def row_of(frame: pd.DataFrame, theme: str) -> dict[str, Any]:
    """Return a theme's row of a frame; empty where it has none."""
    return next((row for row in cells(frame) if row["theme"] == theme), {})


def kind_of(theme: Theme, say: Voice) -> str:
    """Return what most messages say of a theme: such as a wish."""
    return say(f"point_{theme.kind}") if theme.kind else ""


def whom(result: FeedbackResult, say: Voice) -> Blocks:
    """Return which themes are said more, or less, by some customers than by the others."""
    if not result.themes or result.broken:
        return []
    rows, heading = result.contrasts, say.heading("whom")
    if not len(rows):
        return [heading, say.paragraph("whom_none", fewest=FEWEST)]
    clear = rows[rows["q"] < CLEAR].sort_values("difference", key=abs, ascending=False)
    lines = [
        say("contrast", **row | {"theme": result.theme(row["theme"]).called(say.language)})
        for row in cells(clear.head(_MOST_CONTRASTS))
    ]
    alike = say.paragraph("whom_alike", count=rows["trait"].nunique())
    drawn = filter(None, [result.figures(say.language).get("whom")])
    return [heading, Points(lines) if lines else alike, *drawn, say.remark("whom")]


def heat(result: FeedbackResult, say: Voice) -> dict[str, Figure]:
    """Return the map of themes by the trait that tells most; none where no trait is compared."""
    rows = result.contrasts
    if not len(rows):
        return {}
    traits = rows.groupby("trait")
    least = traits["q"].min()[traits["value"].nunique().gt(1)]
    if least.empty:
        return {}
    telling = least[(least < CLEAR) | ~least.index.isin(["language", "source"])]
    trait = str((telling if len(telling) else least).idxmin())
    shown = rows.loc[rows["trait"] == trait, "value"].unique().tolist()
    titles = {theme.id: theme.called(say.language) for theme in result.themes}
    return {"whom": heat_map(rows, trait, shown, titles, say)}
