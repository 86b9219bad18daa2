"""A program's readout: first screen, what its tests show together, how fast it decides."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from opslab.experiments.program.result import MOST, ProgramResult
from opslab.messages import Language
from opslab.report.blocks import Facts, Verdict
from opslab.report.drawing import Row
from opslab.report.figures import BLUE, GREY, RED, Figure
from opslab.report.import_report import import_report
from opslab.report.voice import Blocks, Voice
from opslab.results import flat

_TOLD = {
    "headline": "wins pooled risk",
    "value": "count wins risk median by_rule failures",
    "row": "wins losses success risk wrong_sign by_rule pooled",
    "wins": "turned exaggeration",
    "tests": "pooled size exaggeration left",
    "periods": "broken_period",
    "shipped": "impact holdout",
    "cycles": "saved slower",
}
"""What is told where, of what there is; parts begin with their reasons."""
_REASONS = ("wins", "shipped", "cycles")
"""What stands on the first screen, a point each."""
_METHOD = "action pooled risk shrunk ratio shipped cycles"
_VISIBLE = 0.0005
"""Spread of true lifts from which on a size is told."""
_POINTS = {
    "pooled": "pooled_mean",
    "pooled_next": "pooled_mean",
    "impact": "impact_shrunk",
    "holdout": "holdout_lift",
}
"""The dot on a bar."""
_LIFTS = ("tests", "shipped")
"""Figures whose axis counts lifts."""


@dataclass(frozen=True)
class ProgramVoice(Voice):
    """Names in each message what the result holds: fields, and those of its parts behind theirs."""

    values: Any

    def __call__(self, key: str, /, **values: Any) -> str:
        """Return a message."""
        return super().__call__(key, **self.values | values)

    def known(self, where: str) -> list[str]:
        """Return what is told in a place."""
        return [
            name for name in _TOLD.get(where, "").split() if self.values.get(name, True) is not None
        ]


def voice(result: ProgramResult, language: Language) -> ProgramVoice:
    """Return the voice of a program; a median that is not reached lies beyond the longest wait."""
    say, program, pooled = Voice(language, "program"), result.program, result.pooled
    tests = [test for test in result.tests if test.counts]
    known = [test.split_fails for test in tests if test.ratio_p is not None]
    left, held = sum(bool(test.left_out) for test in tests), program.holdout
    side = -1 if program.goal == "decrease" else 1
    low, high = [side * held.low, side * held.high][::side] if held else (0.0, 0.0)
    values = asdict(result) | {
        "count": len(tests),
        "left_out": left,
        "left": left or None,
        "failures": sum(known) if known else None,
        "known": len(known),
        "size": 2 * pooled.deviation if pooled and pooled.deviation > _VISIBLE else None,
        "turned": True if any(test.goal == "decrease" for test in tests) else None,
        "announced": result.impact and {"low": 0.0, "high": result.impact.announced},
        "holdout": held and {"lift": side * held.lift, "low": low, "high": high},
        "standard": program.standardised,
        "alpha": program.alpha,
        "power": program.power,
    }
    if risk := result.risk:
        wording, digits = _bounded(result), int(risk.rate is None)
        least, most = (say.percent(end, digits) for end in (risk.low, risk.high))
        values["spread"] = say.range(least, most)
        values["false"] = say(wording, high=most) if wording else say.percent(risk.rate or 0.0, 0)
    return ProgramVoice(language, "program", flat(values | _days(result, say)))


def _bounded(result: ProgramResult) -> str:
    """Return how a risk is told of which only ends are known; empty where it is known.

    Where nearly all won it is known how few wins may be false; not where even the least share of
    wins is more than the power explains.
    """
    risk, success = result.risk, result.success
    if not risk or not success or risk.rate is not None:
        return ""
    return "beyond" if success.low >= 1 else "most" if success.rate == 1 else "unknown"


def _days(result: ProgramResult, say: Voice) -> dict[str, Any]:
    """Return how long decisions took; of all ideas where no group is named."""
    values: dict[str, Any] = {"median": None, "saved": None, "slower": None}
    for cycle in reversed(result.cycles):
        median, *ends = (
            say("over", days=cycle.longest) if days is None else say.integer(days)
            for days in (cycle.median, cycle.low or (cycle.median and 0), cycle.high)
        )
        bar = {"low": cycle.low or 0, "high": cycle.high or cycle.longest, "point": cycle.median}
        span = say("days", median=median, interval=say.range(*ends))
        own = {"median": span, "open": cycle.open, "longest": cycle.longest}
        values |= own | {cycle.group: own | bar}
    if result.cycle_change:
        days, low, high, horizon = result.cycle_change
        name, low, high = ("slower", -high, -low) if days < 0 else ("saved", low, high)
        values[name] = {"days": abs(days), "low": low, "high": high, "horizon": horizon}
    return values


def headline(result: ProgramResult, say: ProgramVoice) -> str:
    """Return what a sponsor reads first: wins, what to believe of a test, how many are false."""
    names = say.known("headline") or ["none"]
    if wording := _bounded(result):
        names[-1] = wording
    if result.broken:
        names = [check.name for check in result.checks if check.blocking and check.status == "fail"]
    return " ".join(say(f"headline_{name}") for name in names)


def first_screen(result: ProgramResult, say: ProgramVoice) -> Verdict:
    """Return what the tests show together, how sure that is, and what to do."""
    program = result.program
    facts = [
        say.fact(name, say(f"value_{name}"), say(f"note_{name}")) for name in say.known("value")
    ]
    return Verdict(
        kicker=say.joined(say("kicker"), say.date(result.as_of or program.date), program.owner),
        title=say.spoken(program.shown_title),
        question=say.spoken(program.question or ""),
        action=say(f"action_{result.action}"),
        headline=headline(result, say),
        tone="bad" if result.broken else "good" if result.action == "trust" else "open",
        facts=Facts([*facts, say.checks_fact(result.checks)]),
        reasons=[
            " ".join(say(f"reason_{name}") for name in say.known(where))
            for where in _REASONS
            if say.known(where)
        ],
    )


def figures(result: ProgramResult, say: ProgramVoice) -> dict[str, Figure]:
    """Return ``tests``, ``shipped``, ``periods`` and ``cycles``, of what there is."""
    shown: dict[str, Any] = {
        "tests": result.pooled and [*_bars(["pooled", "pooled_next"], say), *_leading(result, say)],
        "shipped": result.impact and _bars(["announced", *say.known("shipped")], say),
        "periods": _worst(result, say),
        "cycles": _bars([cycle.group for cycle in result.cycles], say),
    }
    titles = {name: f"title_{name}" for name in shown if shown[name]}
    if result.cycles and result.cycles[0].median is None:
        titles["cycles"] = "title_cycles_open"
    return {
        name: say.chart(
            name,
            say(title),
            shown[name],
            say(f"axis_{name}"),
            percent=name in _LIFTS,
            signed=name in _LIFTS,
        )
        for name, title in titles.items()
    }


def _bars(keys: Iterable[str], say: ProgramVoice) -> list[Row]:
    """Return figures of the program with their intervals."""
    return [
        Row(
            say(f"row_{key}"),
            say(f"rate_{key}"),
            [(say.values[f"{key}_low"], say.values[f"{key}_high"], BLUE)],
            say.values.get(_POINTS.get(key, f"{key}_point")),
            bold=True,
        )
        for key in keys
    ]


def _leading(result: ProgramResult, say: ProgramVoice) -> Iterator[Row]:
    """Give the largest effects, as estimated and as one may believe them."""
    leading: Any = result.leading
    for test in leading:
        bars: Any = (test.low, test.high, GREY), (test.shrunk_low, test.shrunk_high, BLUE)
        value, mark = (say(key, **vars(test)) for key in ("shrunk", "mark"))
        yield Row(test.test, value, bars, test.shrunk, mark=(test.lift, mark))


def _worst(result: ProgramResult, say: ProgramVoice) -> list[Row]:
    """Return the months with the most broken splits, in order."""
    months = sorted(result.periods, key=lambda month: (month.failures, month.start))[-MOST:]
    return [
        Row(
            say.date(month.start),
            say("failures", **vars(month)),
            [(0, month.tests, GREY), (0, month.failures, RED)],
        )
        for month in sorted(months, key=lambda month: month.start)
    ]


def _part(name: str, result: ProgramResult, say: ProgramVoice) -> Blocks:
    """Return a part: its sentences, its figure or table, or that there is nothing to tell."""
    blocks: Blocks = [say.paragraph(f"reason_{key}") for key in say.known(name)]
    blocks += filter(None, [result.figures(say.language).get(name)])
    match name:
        case "summary" if rows := [
            [say(f"{kind}_{key}") for kind in ("row", "rate", "means")] for key in say.known("row")
        ]:
            blocks = [say.table(name, "rate value means", rows)]
        case "checks":
            blocks = [say.checks(result.checks)]
        case "data":
            for reading in result.readings:
                blocks += import_report(reading, say.language)
        case "method":
            blocks = [say.paragraph(f"method_{key}") for key in _METHOD.split()]
    return [say.heading(name), *(blocks or [say.paragraph(f"no_{name}")])]


PARTS = {name: partial(_part, name) for name in ProgramResult.PARTS}
