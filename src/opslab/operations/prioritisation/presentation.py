"""A prioritisation's readout: first screen, order, changes, raters, support, checks, data."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import isclose
from statistics import fmean
from typing import Any

from opslab.messages import Language
from opslab.operations.prioritisation.agreement import stability
from opslab.operations.prioritisation.result import SURE, WORTH, PrioritisationResult, Standing
from opslab.report.blocks import Cell, Facts, Paragraph, Tone, Verdict
from opslab.report.drawing import Row
from opslab.report.figures import BLUE, GREY, Figure
from opslab.report.import_report import import_report
from opslab.report.voice import Blocks, Voice

_TONES: dict[str, Tone] = {"stop": "bad", "start": "good"}
_BEYOND, _LEAST, _MOST = 5, 12, 30
_TABLES = {
    "order": "item position first top rice reach impact effort delay",
    "changes": "item crossing know_reach know_impact know_effort",
    "support": "item top reasons evidence",
}
_SENTENCES = {
    "order": "on_order undecided sooner more undrawn",
    "changes": "on_changes find",
    "agreement": "on_agreement talk entered left",
}
"""Of a part; one that has nothing to say is left out."""
_SHARES = "first top know_reach know_impact know_effort reasons evidence"


def voice(result: PrioritisationResult, language: Language) -> Voice:
    """Return the voice of a prioritisation."""
    del result
    return Voice(language, "prioritisation")


def _shown(result: PrioritisationResult) -> Sequence[Standing]:
    """Return the items on the page: the top, and some beyond."""
    return result.standings[: min(max(result.backlog.top + _BEYOND, _LEAST), _MOST)]


def _values(result: PrioritisationResult, say: Voice) -> dict[str, Any]:
    """Return what the sentences name."""
    standings, top = result.standings, min(result.backlog.top, len(result.standings))
    gain, factor, item = result.lesson
    likely = sorted(standings, key=lambda known: -(known.top or 0.0))
    settled = sum((known.top or 0.0) >= SURE for known in likely)
    places, ahead = max(top - settled, 0), max(standings, key=lambda known: known.first or 0.0)
    chances = [say("with_chance", item=known.item, chance=known.top or 0.0) for known in likely]
    bands: dict[int, list[str]] = {}
    for known in _shown(result):
        bands.setdefault(known.tie, []).append(say.spoken(known.item))
    weights = [at < top if known.top is None else known.top for at, known in enumerate(standings)]
    delays = {known.item: known.delay for known in standings if known.delay}
    both = stability({known.item: known.rice for known in standings}, delays)
    lasting = "stable" if result.stability.get("pairs") else "no_common"
    agreed = say.message(result.check("raters").detail) if result.raters > 1 else say("one_rater")
    return {
        **vars(result),
        **result.stability,
        "agreed": agreed,
        "lasting": say(lasting if result.stability else "no_previous", **result.stability),
        "first": standings[0].item,
        "chance": standings[0].first,
        "top": top,
        "where": say("first_places" if top > 1 else "first_place", top=top),
        "settled": settled,
        "undecided": not result.flat,
        "pairs": [say("pair_of", first=a, second=b) for a, b in result.undecided] or [say.none],
        "bands": say.joined(*(say.listed(names) for names in bands.values() if names[1:]))
        or say.none,
        "places": places,
        "sure": chances[:settled],
        "closest": chances[settled : settled + places + 1],
        "ahead": ahead.item,
        "tail": (ahead.first or 0.0) * (1 - SURE) >= (standings[0].first or 0.0) * SURE,
        "tied": sorted(x.item for x in standings if isclose(x.rice, standings[0].rice)),
        "urgent": sorted(delays, key=lambda item: (-delays[item], item))[:top],
        "sooner": both["pairs"],
        "agree": both["kept"],
        "find": gain >= WORTH,
        "gain": gain,
        "item": item,
        "next": f"find_{factor}" if result.action == "find" else result.action,
        "what": say(f"action_find_{factor}", item=item),
        "counts": result.ratings.counts,
        "talk": _to_talk_about(result, say),
        "more": len(standings) - len(_shown(result)),
        "undrawn": len(result.ratings.items) - len(standings),
        "nothing": 1 - fmean((known.evidence for known in standings), weights),
        "error": result.draws**-0.5,
    }


def _to_talk_about(result: PrioritisationResult, say: Voice) -> list[str]:
    """Return where raters are furthest apart: items and factors, and how many times the least."""
    spreads = sorted(
        (-max(stated) / min(stated), known.item, name)
        for known, views in zip(result.standings, result.views, strict=True)
        for name in ("reach", "impact", "effort")
        for stated in [[view.stated[name] for view in views]]
    )
    return [say(f"talk_{name}", item=item, times=-by) for by, item, name in spreads[:5] if by < -1]


def headline(result: PrioritisationResult, say: Voice) -> str:
    """Return the sentence that a sponsor reads first."""
    values = _values(result, say)
    if result.broken or result.flat:
        flat = "headline_tied" if values["tied"][1:] else "headline_flat"
        return say("headline_stop" if result.broken else flat, **values)
    keys = {"headline": "sure", "open": "places", "tail": "tail"}
    return " ".join(say(key, **values) for key in keys if values[keys[key]])


def first_screen(result: PrioritisationResult, say: Voice) -> Verdict:
    """Return what comes first, how sure that is, and what to do."""
    backlog, values = result.backlog, _values(result, say)
    facts = [
        say.fact(name, say(f"value_{name}", **values), say(f"note_{name}", **values))
        for name in ("first", "alone", "nothing")[result.flat :]
    ]
    return Verdict(
        kicker=say.joined(
            say("kicker"), say.date(result.as_of) if result.as_of else "", backlog.owner
        ),
        title=say.spoken(backlog.shown_title),
        question=say.spoken(backlog.question or ""),
        action=say(f"action_{values['next']}", **values),
        headline=headline(result, say),
        tone=_TONES.get(result.action, "open"),
        facts=Facts([*facts, say.checks_fact(result.checks)]),
        reasons=[say.message(check.detail) for check in result.checks if check.status != "pass"],
    )


def figures(result: PrioritisationResult, say: Voice) -> dict[str, Figure]:
    """Return the figure of where each item may stand, where that is known."""
    if result.flat:
        return {}
    rows = [
        Row(
            say.spoken(known.item),
            say("chance_top", share=known.top),
            [(known.position_low, known.position_high, BLUE if at < result.backlog.top else GREY)],
            point=known.position,
        )
        for at, known in enumerate(_shown(result))
    ]
    title = say("figure_order", **_values(result, say))
    return {"order": say.chart("order", title, rows, say("axis_order"), base=1.0)}


def _written(column: str, value: Any, say: Voice) -> str:
    """Return what stands in a column, with no more digits than the draws leave standing."""
    if value is None or isinstance(value, str):
        return value or say.none
    if column == "crossing":
        return say("out" if value <= 1 else "in", share=abs(value - 1))
    if column in _SHARES.split():
        return say.given_percent(float(f"{round(value, 3):.2g}"))
    return say.given(float(f"{value:.3g}"))


def _cell(standing: Standing, column: str, say: Voice) -> Cell:
    """Return a cell of a table: a text, or a number with its interval where it has any."""
    known = standing._asdict()
    ends = [_written(name, known[name], say) for name in known if name.startswith(f"{column}_")]
    interval = say.range(*ends) if ends else ""
    if column == "position":
        return Cell(interval if len({*ends}) > 1 else ends[0])
    return Cell(_written(column, known[column], say), interval=interval)


def _part(name: str, result: PrioritisationResult, say: Voice) -> Blocks:
    """Return a part: its heading, its sentences, and what it shows."""
    values = _values(result, say)
    blocks: Blocks = [say.heading(name)]
    for key in _SENTENCES.get(name, f"on_{name}").split():
        if values.get(key, key.startswith("on_")):
            blocks += map(Paragraph, say(key, **values).splitlines())
    if name == "order":
        blocks += result.figures(say.language).values()
    if name == "checks":
        blocks.append(say.checks(result.checks))
    if name in _TABLES:
        shown = _shown(result)
        columns = [
            column
            for column in _TABLES[name].split()
            if any(getattr(known, column) is not None for known in shown)
        ]
        rows = ([_cell(known, column, say) for column in columns] for known in shown)
        blocks.append(say.table(name, " ".join(columns), rows, numeric=range(1, 9)))
    if name == "data":
        for reading in result.ratings.readings:
            blocks += import_report(reading, say.language)
    return blocks


PARTS = {name: partial(_part, name) for name in PrioritisationResult.PARTS}
