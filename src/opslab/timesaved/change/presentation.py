"""A review of a change as it is read: the effect, how sure, what else, what to measure next."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from opslab.messages import Language
from opslab.messages.numbers import decimals
from opslab.messages.units import counted
from opslab.report.blocks import Cell, Facts, Paragraph, Tone, Verdict
from opslab.report.drawing import Row, ticks
from opslab.report.figures import BLUE, GREY, ORANGE, Figure, framed, name_axis, style
from opslab.report.import_report import import_report
from opslab.report.voice import Blocks, Voice
from opslab.results import flat
from opslab.timesaved.change import design
from opslab.timesaved.change.result import NOTHING, ChangeResult
from opslab.uncertainty.distributions import quantile
from opslab.uncertainty.proportions import Interval

_SAID = {
    "facts": "effect=shown unsettled=reach per_year=hours no_effort teams",
    "effects": "who=who seen=design",
    "sureness": "sure=design primary=primary",
    "averages": "averaged=design late two_way",
    "others": "artefact=picked trend=design comparison_trend phase",
    "next": "settled=settled ask=design",
    "hoped": "belief=belief",
    "method": "panel=counted relative method=design per_year belief_z",
    "reasons": "artefact=picked",
}
"""Of each part and of the first screen, by the value that they tell of, where there is one; after
``=`` the value that names the words."""
_CHECKS = {
    "others": "pilot events few_teams",
    "averages": "no_comparison",
    "next": "promise",
    "reasons": "pilot pre_trend few_teams conflict events",
}
"""What checks say there; a first screen names those that did not pass."""
_TABLES = {
    "teams": ("effects", "team start periods before after effect"),
    "verdicts": ("sureness", "method interval p ways"),
    "lags": ("sureness", "lag level_error slope_error level_error_corrected"),
    "averages": ("averages", "name effect last_before"),
    "powers": ("next", "teams pilots weeks smallest"),
}
"""Where each stands, and its columns; what holds nothing is left out."""
_FORMS = {
    **dict.fromkeys(("prior", "data", "posterior", "share"), "percent 0"),
    **dict.fromkeys(("before", "after", "error", "corrected"), "number 3"),
    **dict.fromkeys(("year_value", "year_low", "year_high"), "decimal 0"),
    "p": "p_value",
    "last_before": "",
}
"""How numbers are written, by their names or the last word of them; all others are effects."""
_NUMBERS = "effect late two_way smallest artefact belief comparison series"
"""Values that sentences name, or parts of which the numbers are named behind their own name."""
_TONES: Mapping[str, Tone] = {"keep": "good", "undo": "bad", "stop": "bad"}
_TALL, _LEFT = 1.9, 0.68  # inches of a figure


def voice(_: ChangeResult, language: Language) -> Voice:
    """Return the voice of a review of a change."""
    return Voice(language, "change")


def _number(result: ChangeResult, say: Voice, name: str, value: float) -> str:
    """Return a number as its name is written: effects with their sign, sizes without."""
    quantity, last = result.review.measure.quantity, name.rpartition("_")[2]
    if form := _FORMS.get(name, _FORMS.get(last)):
        form = "percent 0" if quantity == "share" and form == "number 3" else form
        kind, *digits = form.split()
        return str(getattr(say, kind)(value, *map(int, digits)))
    kind = "percent" if result.relative else "points" if quantity == "share" else "decimal"
    scale, least = (1, 2) if kind == "decimal" else (100, 1)
    places = min(2, max([decimals(scale * end, least) for end in result.effect if end] or [0]))
    sign = "" if "size" in name or last == "smallest" else "signed_"
    unit = say(f"unit_{quantity}") if kind == "decimal" else ""
    return f"{getattr(say, sign + kind)(value, places)} {unit}".rstrip()


def _cell(result: ChangeResult, say: Voice, name: str, value: Any) -> Cell:
    """Return a value as a cell of a table, an interval in brackets."""
    match value:
        case Interval(value=float()):
            ends = [_number(result, say, name, end) for end in value if end is not None]
            return Cell(ends[0], interval=say.range(*ends[1:]) if ends[2:] else "")
        case datetime.date():
            return Cell(say.date(value))
        case int():
            return Cell(say.integer(value))
        case float():
            return Cell(_number(result, say, name, value))
        case str():
            return Cell(say.spoken(value) if name == "team" else say(f"{name}_{value}"))
    return Cell(say("start_none") if name == "start" else say.none)


def _told(result: ChangeResult, say: Voice, name: str, value: Any) -> str:
    """Return a value as it stands in a sentence."""
    cell = _cell(result, say, name, value)
    return f"{cell.text} ({cell.interval})" if cell.interval else cell.text


def _numbers(result: ChangeResult) -> dict[str, Any]:
    """Return the numbers that the sentences name, those of a part behind its name."""
    first, teams, sizes = result.panel.first, len(result.panel.units), _sizes(result.effect)
    enough = (
        at
        for at in result.powers
        if at.teams >= teams
        and at.weeks >= first
        and (at.smallest or math.inf) <= (sizes.value or 0)
    )
    parts = {name: getattr(result, name) for name in _NUMBERS.split()} | {
        "size": sizes,
        "year": _sizes(result.per_year),
        "power": result.power,
        "enough": next(enough, None),
    }
    if series := result.series:
        level, slope = series.level, 10 * np.array(series.slope, float)
        parts |= {
            "level": design.headline(result.review, *level),
            "slope": design.headline(result.review, *slope),
        }
    return parts | flat(
        {name: at._asdict() for name, at in parts.items() if hasattr(at, "_asdict")}
    )


def _sizes(known: Interval) -> Interval:
    """Return numbers without their signs."""
    return Interval(*(end and abs(end) for end in known))


def _values(result: ChangeResult, say: Voice) -> dict[str, Any]:
    """Return what the sentences name: numbers as they are read, all else as it is."""
    review, panel, belief = result.review, result.panel, result.belief
    measure, unsure, value = review.measure, result.better is None, result.effect.value
    ends = [end for end in result.effect[1:] if end is not None]
    stated = review.expected and review.expected.distribution(share=True)
    counted_by = "person" if measure.per == "person" else measure.quantity
    yearly = ends and result.grade and None not in result.per_year
    spoken = {
        name: _told(result, say, name, at) if isinstance(at, Interval | float) else at
        for name, at in _numbers(result).items()
        if getattr(at, "value", at) is not None
    }
    settled = unsure and value and result.powers
    toward = [
        say(f"toward_{'less' if end < 0 else 'more'}", size=_told(result, say, "size", abs(end)))
        for end in ends
    ]
    return {
        **vars(review),
        **vars(measure),
        **vars(review.pilot),
        **vars(result),
        "effect": None,
        "late": None,
        **spoken,
        "toward": toward,
        "shown": value is not None and ("interval" if ends else "alone"),
        "hours": yearly and ("less" if ends[1] < 0 else "more" if ends[0] > 0 else "open"),
        "per_year": yearly,
        "change": review.shown_title,
        "against": say(f"against_{result.design}"),
        "graded": say("graded" if result.grade else "ungraded", grade=result.grade),
        "no_work": say(f"no_work_{counted_by}"),
        "counted": counted_by,
        "primary": next((at.method for at in result.verdicts if at.primary), None),
        "reach": unsure
        and ("measured" if "smallest" in spoken else "power_smallest" in spoken and "planned"),
        "settled": settled and ("more" if "enough_teams" in spoken else "never"),
        "stated": stated
        and say.range(*(say.percent(quantile(stated, at), 0) for at in (0.05, 0.95))),
        "belief": ("conflict" if belief.conflict else "agreed") if belief else "none",
        "picked": result.artefact and ("selected" if review.pilot.selected else "before"),
        "phase": result.design != "plan",
        "no_effort": not panel.effort or counted_by == "person",
        **_scope(result, say),
    }


def _scope(result: ChangeResult, say: Voice) -> dict[str, Any]:
    """Return who got the change when, and over what it is measured."""
    measure, days = result.review.measure, {at.start for at in result.teams if at.start}
    period, periods = (counted(measure.period, number, say.language) for number in (1, 2))
    return {
        "who": days and ("apart" if len(days) > 1 else "together"),
        "first_start": min(days, default=None),
        "last_start": max(days, default=None),
        "teams": len(result.panel.units),
        "pilots": len(result.measured),
        "weeks": len(result.panel.periods),
        "unit": say(f"per_{measure.quantity}", period=period),
        "period": period,
        "periods": periods,
    }


def _said(part: str, result: ChangeResult, say: Voice) -> Iterator[tuple[str, str]]:
    """Give what the values tell in a part by name, without what there is nothing to say of."""
    values = _values(result, say)
    for key in _SAID.get(part, "").split():
        name, _, by = key.partition("=")
        if known := values.get(by or name):
            words = "value" if part == "facts" else "on"
            yield name, say(f"{words}_{name}_{known}" if by else f"{words}_{name}", **values)


def _sentences(part: str, result: ChangeResult, say: Voice) -> list[str]:
    """Return what checks and values tell in a part."""
    names, first = _CHECKS.get(part, "").split(), part == "reasons"
    said = [
        say.message(check.detail)
        for check in result.checks
        if check.name in names and not (first and check.status == "pass")
    ]
    return [*said, *(line for _, at in _said(part, result, say) for line in at.splitlines())]


def headline(result: ChangeResult, say: Voice) -> str:
    """Return the sentence that a sponsor reads first."""
    if red := [
        say.message(at.detail) for at in result.checks if at.blocking and at.status == "fail"
    ]:
        return " ".join(red)
    values, kind = _values(result, say), "untold" if result.effect.low is None else "unsure"
    if result.design == "plan":
        kind = "some" if values["reach"] else "none" if result.powers else "unknown"
        kind = "begun" if result.begun else kind
    elif result.apart:
        kind = "torn"
    if result.better is not None:
        kind = f"{'better' if result.better else 'worse'}_{result.review.measure.goal}"
    return " ".join([say(f"headline_{kind}", **values), *[say("on_wrong")] * bool(result.doubted)])


def first_screen(result: ChangeResult, say: Voice) -> Verdict:
    """Return what the change did, how sure that is, what else may explain it, what to do."""
    review, sound = result.review, not result.broken
    facts = [say.fact(name, *at.splitlines()) for name, at in _said("facts", result, say)] * sound
    doubts = [say.message(at.detail) for at in result.doubted.values()]
    reasons = dict.fromkeys([*doubts, *_sentences("reasons", result, say)])
    return Verdict(
        say.joined(say("kicker", as_of=result.as_of), review.owner),
        say.spoken(review.shown_title),
        say.spoken(review.question or ""),
        say(f"action_{result.action}"),
        headline(result, say),
        _TONES.get(result.action, "open"),
        Facts([*facts, say.checks_fact(result.checks)]),
        [*reasons] * sound,
    )


def figures(result: ChangeResult, say: Voice) -> dict[str, Figure]:
    """Return each figure that there is something for, by the part that it stands in."""
    values, drawn = _values(result, say), dict[str, Figure]()
    if result.steps or result.series or result.comparison:
        drawn["effects"] = _over_time(say("figure_effects", **values), result, say)
    if belief := result.belief:
        rows = [
            Row(
                say(f"belief_{name}"),
                _told(result, say, name, at),
                [(at.low or 0, at.high or 0, BLUE)],
                at.value,
            )
            for name, at in zip(belief._fields, belief[:3], strict=False)
        ]
        title = say("figure_hoped", **values)
        drawn["hoped"] = say.chart("hoped", title, rows, say("axis_hoped"), percent=True)
    return drawn


def _over_time(title: str, result: ChangeResult, say: Voice) -> Figure:
    """Draw effects since the start; else what was measured, and what was to be expected."""
    review, line = result.review, result.series and result.series.expected
    name, tell = "effect" if result.steps else "after", partial(_told, result, say)
    values = (
        result.series.values if result.series else pd.DataFrame(result.panel.values).median()  # noqa: PD011
    )
    dots = [(at.periods, at.effect) for at in result.steps] or [
        (at, Interval(value)) for at, value in enumerate(values, -result.panel.first)
    ]
    places, middle, low, high = np.array([(at, *effect) for at, effect in dots], float).T
    points = [
        say("pair", name=say.signed_decimal(at, 0), value=tell(name, effect))
        for (at, effect), known in zip(dots, np.isfinite(middle), strict=True)
        if known
    ]
    points += [say("alt_expected", last=tell(name, line[-1]))] if line else []
    with style():
        drawing, axes = framed(title, _TALL, left=_LEFT)
        axes.axvline(-0.5, color=GREY, lw=1)
        level = np.array(line or [0 if result.steps else None] * len(dots), float)
        axes.plot(places, level, color=ORANGE, lw=1.4)
        axes.vlines(places, low, high, color=BLUE, lw=2.2)
        axes.plot(places, middle, "o", ms=4.5, color=BLUE)
        axes.set_xticks(*ticks(axes.get_xlim(), say, signed=True))
        percent = review.measure.quantity == "share" or (result.relative and name == "effect")
        axes.set_yticks(*ticks(axes.get_ylim(), say, percent=percent, signed=name == "effect"))
        periods = counted(review.measure.period, 2, say.language)
        name_axis(axes, say("axis_since", periods=periods))
    return Figure(
        drawing, " ".join([title, *points]), say(f"caption_{result.design}", **_values(result, say))
    )


def _part(part: str, result: ChangeResult, say: Voice) -> Blocks:
    """Return a part: its heading, its sentences, its figure, its tables."""
    blocks: Blocks = [say.heading(part), *map(Paragraph, _sentences(part, result, say))]
    blocks += [figure for name, figure in result.figures(say.language).items() if name == part]
    teams, first, unit = len(result.panel.units), result.panel.first, _values(result, say)["unit"]
    for name, (where, columns) in _TABLES.items():
        rows = [
            at
            for at in result.tables[name] * (where == part)
            if name != "powers" or at.teams == teams or (at.teams > teams and at.weeks == first)
        ]
        shown = [
            column
            for column in columns.split()
            if any(getattr(at, column) not in (None, NOTHING) for at in rows)
        ]
        cells = [[_cell(result, say, at, getattr(row, at)) for at in shown] for row in rows]
        blocks += [say.table(name, " ".join(shown), cells, unit=unit)] if rows else []
    if part == "checks":
        blocks.append(say.checks(result.checks))
    for reading in result.readings if part == "data" else ():
        blocks += import_report(reading, say.language)
    return blocks


PARTS = {name: partial(_part, name) for name in ChangeResult.PARTS}
