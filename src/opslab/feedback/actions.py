"""What to take up first, whose it is, and whom it is about: sections of a feedback readout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from opslab.feedback.contrasts import CLEAR, FEWEST
from opslab.feedback.heat_map import heat_map
from opslab.feedback.intake import cells
from opslab.feedback.result import FeedbackResult, Theme
from opslab.feedback.theme_pages import page_of
from opslab.report.blocks import Cell, Paragraph, Points, Reference, Tone
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
    rows = [_ranked_row(result, row, columns, say) for row in cells(ranking.head(_MOST_RANKED))]
    counted = [say(f"counted_{part}") for part in result.counted]
    numeric = range(2, 3 + len(factors))
    blocks: Blocks = [
        say.heading("first"),
        say.table("first", " ".join(columns), rows, numeric=numeric),
        say.remark("counted", count=len(counted), parts=counted),
    ]
    return [*blocks, *_teams(result, say)]


def _ranked_row(
    result: FeedbackResult, row: Mapping[str, Any], columns: Sequence[str], say: Voice
) -> list[str | Cell]:
    theme = result.theme(row["theme"])
    shown: dict[str, str | Cell] = {
        "band": say(f"band_{row['band']:.0f}"),
        "theme": Cell(theme.called(say.language), kind_of(theme, say), refs=read(theme.id, say)),
        "team": theme.route.team or say("triage") if theme.route else say.none,
        result.counted[0]: say.integer(row["weight"]),
        "severity": _severity(result, row, say),
        "trend": _trend(result, theme, say),
    }
    return [shown[column] for column in columns]


def _severity(result: FeedbackResult, row: Mapping[str, Any], say: Voice) -> Cell:
    worse = row_of(result.severities, row["theme"]).get("worse")
    return Cell(say.percent(row["severity"], 0), tone=_tone(worse))


def _trend(result: FeedbackResult, theme: Theme, say: Voice) -> str | Cell:
    trend = row_of(result.trends, theme.id)
    if not trend:
        return say.none
    interval = say.range(say.decimal(trend["low"], 1), say.decimal(trend["high"], 1))
    tone = _tone(trend["rising"])
    return Cell(say("times", ratio=trend["ratio"]), interval=interval, tone=tone)


def row_of(frame: pd.DataFrame, theme: str) -> dict[str, Any]:
    """Return a theme's row of a frame; empty where it has none."""
    return next((row for row in cells(frame) if row["theme"] == theme), {})


def _tone(marked: object) -> Tone:
    return "bad" if marked else "plain"


def kind_of(theme: Theme, say: Voice) -> str:
    """Return what most messages say of a theme: such as a wish."""
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
        sentence = say("routes_judged", judged=judged, low=low, high=high, **vars(routed))
        wrong = [
            (str(own), sent, say.integer(count))
            for (own, sent), count in routed.counts.most_common()
            if sent and own != sent
        ]
        blocks.append(Paragraph(sentence))
        if wrong:
            blocks.append(say.table("routes", "team routed messages", wrong, numeric=(2,)))
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
    values = rows.groupby("trait")["value"].agg(lambda value: len(set(value)))
    least = rows.groupby("trait")["q"].min()[values > 1].sort_index()
    if least.empty:
        return {}
    telling = least[(least < CLEAR) | ~least.index.isin(["language", "source"])]
    trait = str((telling if len(telling) else least).idxmin())
    shown = list(dict.fromkeys(rows.loc[rows["trait"] == trait, "value"]))
    titles = {theme.id: theme.called(say.language) for theme in result.themes}
    return {"whom": heat_map(rows, trait, shown, titles, say)}
