"""A prioritisation's readout: first screen, order, changes, raters, support, checks, data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from statistics import fmean
from typing import Any

from opslab.messages import Language
from opslab.operations.prioritisation.result import SURE, PrioritisationResult
from opslab.operations.prioritisation.spec import FACTORS
from opslab.report.blocks import Cell, Facts, Points, Tone, Verdict
from opslab.report.drawing import Row
from opslab.report.figures import BLUE, GREY, Figure
from opslab.report.import_report import import_report
from opslab.report.voice import Blocks, Voice
from opslab.uncertainty.words import describe

Rows = Iterator[list[Any]]

_TONES: dict[str, Tone] = {"stop": "bad", "start": "good"}
_MOST = 12
_DRAWN = ("reach", "impact", "effort")


def voice(result: PrioritisationResult, language: Language) -> Voice:
    """Return the voice of a prioritisation."""
    del result
    return Voice(language, "prioritisation")


def _values(result: PrioritisationResult, say: Voice) -> dict[str, Any]:
    """Return what the sentences name."""
    places, top = result.places, result.backlog.top
    gain, factor, item = result.lesson
    undecided = [
        say("pair_of", first=places[a].item, second=places[b].item)
        for a, row in enumerate(result.ahead)
        for b, chance in enumerate(row)
        if a < b and 1 - SURE < chance < SURE
    ]
    return {
        **vars(result),
        **result.ratings._asdict(),
        "first": places[0].item,
        "chance": places[0].first,
        "top": min(top, len(places)),
        "names": [say.spoken(place.item) for place in places[:top]],
        "settled": sum(place.top >= SURE for place in places[:top]),
        "pairs": undecided,
        "gain": gain,
        "item": item,
        "factor": say(f"column_{factor}"),
        "error": result.draws**-0.5,
    }


def headline(result: PrioritisationResult, say: Voice) -> str:
    """Return the sentence that a sponsor reads first."""
    return say("headline_stop" if result.broken else "headline", **_values(result, say))


def first_screen(result: PrioritisationResult, say: Voice) -> Verdict:
    """Return what comes first, how sure that is, and what to do."""
    backlog, values = result.backlog, _values(result, say)
    day = say.date(result.as_of) if result.as_of else None
    facts = [
        say.fact(name, say(f"value_{name}", **values), say(f"note_{name}", **values))
        for name in ("first", "settled", "alone")
    ]
    return Verdict(
        kicker=say.joined(say("kicker"), day, backlog.owner),
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
    rows = [
        Row(
            say.spoken(place.item),
            say("chance_top", share=place.top),
            [(place.place_low, place.place_high, GREY if at >= result.backlog.top else BLUE)],
            point=place.place,
        )
        for at, place in enumerate(result.places[:_MOST])
    ]
    title = say("figure_title", **_values(result, say))
    return {"order": say.chart("order", title, rows, say("axis_place"), base=1.0)}


def _order(result: PrioritisationResult, say: Voice) -> Rows:
    for place in result.places[:_MOST]:
        shares = (say.percent(share, 0) for share in (place.first, place.top))
        score = (place.rice, place.rice_low, place.rice_high)
        rank = (place.place, place.place_low, place.place_high)
        yield [place.item, str(place.tie), *shares, rank, score, place.stated]


def _changes(result: PrioritisationResult, say: Voice) -> Rows:
    top = result.backlog.top
    for place, views in [*zip(result.places, result.views, strict=True)][max(top - 2, 0) : top + 2]:
        yield [place.item, say("into" if place.crossing > 1 else "out")] + [
            Cell(
                say.number(
                    views[0].stated[name] * place.crossing ** (-1 if name == "effort" else 1), 3
                ),
                say("worth", share=getattr(place, f"know_{name}")),
            )
            for name in _DRAWN
        ]


def _agreement(result: PrioritisationResult, say: Voice) -> Rows:
    spreads = [
        (
            max(said) / min(said),
            views[0].rating.item,
            name,
            say.range(*map(say.number, (min(said), max(said)))),
        )
        for views in result.views
        for name in _DRAWN
        for said in [[view.stated[name] for view in views]]
    ]
    for times, item, name, span in sorted(spreads, reverse=True)[:_MOST]:
        if times > 1:
            yield [item, say(f"column_{name}"), span, times]


def _support(result: PrioritisationResult, say: Voice) -> Rows:
    for place, views in zip(result.places[:_MOST], result.views, strict=False):
        yield [place.item, say.percent(place.top, 0)] + [
            say.percent(
                fmean(
                    bool(getattr(view.rating, f"{name}_{kind}"))
                    for view in views
                    for name in FACTORS
                ),
                0,
            )
            for kind in ("reason", "evidence")
        ]


def _data(result: PrioritisationResult, say: Voice) -> Rows:
    for view in (view for views in result.views for view in views):
        shapes = (describe(view.drawn[name], say.language) for name in _DRAWN)
        yield [view.rating.item, say.joined(view.rater, str(view.row)), *shapes]


_ROWS = {
    "order": ("item tie first top place rice stated", _order),
    "changes": ("item side reach impact effort", _changes),
    "agreement": ("item factor span times", _agreement),
    "support": ("item top reasons evidence", _support),
    "data": ("item row reach impact effort", _data),
}


def _cell(value: Any, say: Voice) -> str | Cell:
    """Return a text, a number, or a number with the ends of its range as a cell."""
    if isinstance(value, tuple):
        number, *ends = (say.number(part, 3) for part in value)
        return Cell(number, interval=say.range(*ends))
    return value if isinstance(value, str | Cell) else say.number(value, 3)


def _part(name: str, result: PrioritisationResult, say: Voice) -> Blocks:
    """Return a part: its heading, a sentence, and its table where there is anything in it."""
    columns, make = _ROWS[name]
    rows = [[_cell(value, say) for value in row] for row in make(result, say)]
    values = _values(result, say)
    drawn = [result.figures(say.language)["order"]] if name == "order" else []
    table = [say.table(name, columns, rows, **values)] if rows else []
    return [say.heading(name), say.paragraph(f"on_{name}", **values), *drawn, *table]


def _checks(result: PrioritisationResult, say: Voice) -> Blocks:
    return [say.heading("checks"), say.checks(result.checks)]


def _imported(result: PrioritisationResult, say: Voice) -> Blocks:
    reports = [import_report(reading, say.language) for reading in result.ratings.readings]
    return [*_part("data", result, say), *(block for report in reports for block in report)]


def _method(result: PrioritisationResult, say: Voice) -> Blocks:
    values = _values(result, say)
    points = [say(f"method_{name}", **values) for name in _METHOD.split()]
    return [say.heading("method"), Points(points)]


_METHOD = "score ranges draws ties changes known raters alone"
PARTS: dict[str, Callable[[PrioritisationResult, Voice], Blocks]] = {
    **{name: partial(_part, name) for name in _ROWS},
    "checks": _checks,
    "data": _imported,
    "method": _method,
}
