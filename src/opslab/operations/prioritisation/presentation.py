"""A prioritisation's readout: first screen, order, changes, raters, support, checks, data."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from statistics import fmean
from typing import Any

from opslab.messages import Language
from opslab.operations.prioritisation.agreement import stability
from opslab.operations.prioritisation.result import SURE, PrioritisationResult, Standing
from opslab.operations.prioritisation.spec import FACTORS
from opslab.report.blocks import Cell, Facts, Paragraph, Tone, Verdict
from opslab.report.drawing import Row
from opslab.report.figures import BLUE, GREY, Figure
from opslab.report.import_report import import_report
from opslab.report.voice import Blocks, Voice

_TONES: dict[str, Tone] = {"stop": "bad", "start": "good"}
_BEYOND, _LEAST, _MOST = 5, 12, 30
_APART = 1.5  # times the lowest rating, from which raters are to talk
_FACTORS = FACTORS[0], FACTORS[1], FACTORS[3]
_TABLES = {
    "order": "item position first top rice reach impact effort delay",
    "changes": "item crossing know_reach know_impact know_effort",
    "agreement": "item spread_reach spread_impact spread_effort",
    "support": "item top reasons evidence",
}
_SENTENCES = {
    "order": "on_order sooner more undrawn",
    "changes": "on_changes find",
    "agreement": "on_agreement one_rater talk stable no_common no_previous entered left",
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
    sure, closest = (
        [say("with_chance", item=known.item, chance=known.top) for known in each]
        for each in (likely[:settled], likely[settled : settled + places + 1])
    )
    spreads = sorted(
        (-getattr(known, f"spread_{name}"), known.item, name)
        for known in standings
        for name in _FACTORS
    )
    backed = [known.evidence for known in standings]
    weights = [at < top if known.top is None else known.top for at, known in enumerate(standings)]
    return {
        **vars(result),
        **_by_delay(result),
        **result.stability,
        "first": standings[0].item,
        "chance": standings[0].first,
        "top": top,
        "where": say("first_places" if top > 1 else "first_place", top=top),
        "sure": sure,
        "closest": closest,
        "open": say("open", places=places, closest=closest) if places else "",
        "tail": ""
        if ahead is standings[0]
        else say("tail", first=standings[0].item, ahead=ahead.item),
        "settled": settled,
        "find": not result.flat,
        "gain": gain,
        "item": item,
        "factor": factor,
        "what": say(f"action_find_{factor}", item=item),
        "on_agreement": result.raters > 1,
        "one_rater": result.raters == 1,
        "agreed": result.raters > 1 and say.message(result.check("raters").detail),
        "stable": result.stability.get("pairs"),
        "no_common": result.stability and not result.stability["pairs"],
        "no_previous": not result.stability,
        "counts": result.ratings.counts,
        "talk": [
            say(f"talk_{name}", item=item, times=-spread)
            for spread, item, name in spreads[:3]
            if spread < -_APART
        ],
        "more": len(standings) - len(_shown(result)),
        "undrawn": len(result.ratings.items) - len(standings),
        "nothing": 1 - fmean(backed, weights),
        "error": result.draws**-0.5,
    }


def _by_delay(result: PrioritisationResult) -> dict[str, Any]:
    """Return what the sentence on the cost of delay names, as far as items state one."""
    top = result.backlog.top
    delays = {known.item: known.delay for known in result.standings if known.delay}
    urgent = sorted(delays, key=lambda item: (-delays[item], item))[:top]
    both = stability({known.item: known.rice for known in result.standings}, delays)
    return {
        "sooner": both["pairs"],
        "agree": both["kept"],
        "urgent": urgent,
    }


def headline(result: PrioritisationResult, say: Voice) -> str:
    """Return the sentence that a sponsor reads first."""
    values = _values(result, say)
    kind = "_stop" if result.broken else "_flat" if result.flat else "_open" * (not values["sure"])
    return say(f"headline{kind}", **values)


def first_screen(result: PrioritisationResult, say: Voice) -> Verdict:
    """Return what comes first, how sure that is, and what to do."""
    backlog, values = result.backlog, _values(result, say)
    action = f"find_{values['factor']}" if result.action == "find" else result.action
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
        action=say(f"action_{action}", **values),
        headline=headline(result, say),
        tone=_TONES.get(result.action, "open"),
        facts=Facts([*facts, say.checks_fact(result.checks)]),
        reasons=[say.message(check.detail) for check in result.checks if check.status != "pass"],
    )


def figures(result: PrioritisationResult, say: Voice) -> dict[str, Figure]:
    """Return the figure of where each item may stand."""
    rows = []
    for at, known in enumerate(_shown(result)):
        colour = GREY if at >= result.backlog.top else BLUE
        ends = (0.0, known.rice) if known.top is None else (known.position_low, known.position_high)
        value = say.given(float(f"{known.rice:.3g}"))
        if known.top is not None:
            value = say("chance_top", share=known.top)
        point = None if known.top is None else known.position
        rows.append(Row(say.spoken(known.item), value, [(*ends, colour)], point=point))
    kind = "flat" if result.flat else "order"
    title = say(f"figure_{kind}", **_values(result, say))
    base = 0.0 if result.flat else 1.0
    return {"order": say.chart(kind, title, rows, say(f"axis_{kind}"), base=base)}


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
        if values.get(key, True):
            blocks += map(Paragraph, say(key, **values).splitlines())
    if name == "order":
        blocks.append(result.figures(say.language)["order"])
    if name == "checks":
        blocks.append(say.checks(result.checks))
    if name in _TABLES and (name != "agreement" or result.raters > 1):
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
