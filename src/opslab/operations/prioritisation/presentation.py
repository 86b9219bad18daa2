"""A prioritisation's readout: first screen, order, changes, raters, support, checks, data."""

from __future__ import annotations

from functools import partial
from statistics import fmean
from typing import Any

from opslab.messages import Language
from opslab.operations.prioritisation.agreement import stability
from opslab.operations.prioritisation.result import SURE, PrioritisationResult, Standing
from opslab.operations.prioritisation.spec import FACTORS, KINDS
from opslab.report.blocks import Cell, Cells, Facts, Paragraph, Tone, Verdict
from opslab.report.drawing import Row
from opslab.report.figures import BLUE, GREY, Figure
from opslab.report.import_report import import_report
from opslab.report.voice import Blocks, Voice
from opslab.uncertainty.words import describe

_TONES: dict[str, Tone] = {"stop": "bad", "start": "good"}
_MOST = 12
_TABLES = {
    "order": "item tie first top position rice stated delay",
    "changes": "item top crossing know_reach know_impact know_effort",
    "agreement": "item spread_reach spread_impact spread_effort",
    "support": "item top reasons evidence",
}
_SHARES = "first top know_reach know_impact know_effort reasons evidence"


def voice(result: PrioritisationResult, language: Language) -> Voice:
    """Return the voice of a prioritisation."""
    del result
    return Voice(language, "prioritisation")


def _values(result: PrioritisationResult, say: Voice) -> dict[str, Any]:
    """Return what the sentences name."""
    standings, top = result.standings, result.backlog.top
    gain, factor, item = result.lesson
    delays = {known.item: known.delay for known in standings if known.delay}
    urgent = sorted(delays, key=lambda item: (-delays[item], item))[:top]
    chosen = [standing.item for standing in standings[:top]]
    both = stability({known.item: known.rice for known in standings}, delays)
    sooner = {
        "urgent": urgent,
        "tau": both.get("tau", 1.0),
        "added": [item for item in urgent if item not in chosen] or [say.none],
        "dropped": [item for item in chosen if item not in urgent] or [say.none],
    }
    pairs = [
        say("pair_of", first=standings[a].item, second=standings[b].item)
        for a, row in enumerate(result.ahead)
        for b, chance in enumerate(row)
        if a < b and 1 - SURE < chance < SURE
    ]
    return vars(result) | {
        "first": standings[0].item,
        "chance": standings[0].first,
        "top": min(top, len(standings)),
        "names": chosen,
        "sooner": say("sooner" if both else "no_delay", **sooner),
        "settled": sum((standing.top or 0.0) >= SURE for standing in standings[:top]),
        "pairs": pairs or [say.none],
        "gain": gain,
        "item": item,
        "factor": say(f"column_{factor}"),
        "counts": result.ratings.counts,
        "agreed": say.message(result.check("raters").detail),
        "stable": say("stable", **result.stability) if result.stability else say("no_previous"),
        "nothing": 1
        - fmean(
            (standing.evidence for standing in standings),
            [at < top if known.top is None else known.top for at, known in enumerate(standings)],
        ),
        "error": result.draws**-0.5,
    }


def headline(result: PrioritisationResult, say: Voice) -> str:
    """Return the sentence that a sponsor reads first."""
    kind = "_stop" if result.broken else "_flat" if result.flat else ""
    return say(f"headline{kind}", **_values(result, say))


def first_screen(result: PrioritisationResult, say: Voice) -> Verdict:
    """Return what comes first, how sure that is, and what to do."""
    backlog, values = result.backlog, _values(result, say)
    facts = [
        say.fact(name, say(f"value_{name}", **values), say(f"note_{name}", **values))
        for name in ("first", "settled", "alone")[2 * result.flat :]
    ]
    return Verdict(
        kicker=say.joined(
            say("kicker"), say.date(result.as_of) if result.as_of else "", backlog.owner
        ),
        title=say.spoken(backlog.shown_title),
        question=say.spoken(backlog.question or ""),
        action=say(f"action_{result.action}", **values),
        headline=headline(result, say),
        tone=_TONES.get(result.action, "open"),
        facts=Facts([*facts, say.checks_fact(result.checks)]),
        reasons=[say.message(check.detail) for check in result.checks if check.status != "pass"],
    )


def figures(result: PrioritisationResult, say: Voice) -> dict[str, Figure]:
    """Return the figure of where each item may stand."""
    rows = []
    for at, known in enumerate(result.standings[:_MOST]):
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


def _shown(column: str, value: Any, say: Voice) -> str:
    """Return what stands in a column, with no more digits than the draws leave standing."""
    if column in _SHARES.split() and value is not None:
        return say.given_percent(float(f"{round(value, 3):.2g}"))
    return value or say.none if isinstance(value, str | None) else say.given(float(f"{value:.3g}"))


def _cell(standing: Standing, column: str, say: Voice) -> Cell:
    """Return a cell of a table: a text, or a number with its interval where it has any."""
    known = standing._asdict()
    ends = [_shown(name, known[name], say) for name in known if name.startswith(f"{column}_")]
    return Cell(_shown(column, known[column], say), interval=say.range(*ends) if ends else "")


def _part(name: str, result: PrioritisationResult, say: Voice) -> Blocks:
    """Return a part: its heading, its sentences, and what it shows."""
    sentences = say(f"on_{name}", **_values(result, say)).splitlines()
    blocks: Blocks = [say.heading(name), *map(Paragraph, sentences)]
    if name == "order":
        blocks.append(result.figures(say.language)["order"])
    if name == "checks":
        blocks.append(say.checks(result.checks))
    if columns := _TABLES.get(name):
        leading = result.standings[:_MOST]
        rows = ([_cell(known, column, say) for column in columns.split()] for known in leading)
        blocks.append(say.table(name, columns, rows, numeric=range(1, 9)))
    if name == "data":
        drawn: list[Cells] = [
            (
                Cell(view.rating.item, say.joined(view.rater, str(view.row))),
                *(
                    Cell(
                        describe(view.drawn[factor], say.language),
                        say.joined(*(getattr(view.rating, f"{factor}_{kind}") for kind in KINDS)),
                    )
                    for factor in FACTORS
                ),
            )
            for views in result.views
            for view in views
        ]
        blocks.append(say.table(name, " ".join(["item", *FACTORS]), drawn))
        for reading in result.ratings.readings:
            blocks += import_report(reading, say.language)
    return blocks


PARTS = {name: partial(_part, name) for name in PrioritisationResult.PARTS}
