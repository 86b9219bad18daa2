"""A program's readout: first screen, what its tests show together, how fast it decides."""

from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from opslab.experiments.program.result import ProgramResult
from opslab.messages import Language
from opslab.report.blocks import Cell, Facts, Verdict
from opslab.report.drawing import Row, ticks
from opslab.report.figures import BLUE, GREY, RED, Figure, framed, name_axis, style
from opslab.report.import_report import import_report
from opslab.report.voice import Blocks, Voice
from opslab.results import flat

_TOLD = {
    "headline": "wins pooled risk",
    "value": "count wins risk median by_rule failures",
    "reason": "broken_period pooled exaggeration impact holdout saved",
    "row": "wins losses success risk wrong_sign by_rule pooled",
    "effects": "pooled exaggeration",
    "tests": "left_out",
    "periods": "broken_period",
    "shipped": "impact holdout",
    "cycles": "saved",
}
"""What is told where, of what there is; parts begin with their reasons."""
_TABLES = {
    "summary": "rate value means",
    "tests": "test metric lift shrunk outcome",
    "periods": "start tests failures p_value",
    "cycles": "group ideas days",
}
_METHOD = "action pooled risk shrunk ratio shipped cycles"
_MOST = 8
"""Leading tests that are shown."""


@dataclass(frozen=True)
class ProgramVoice(Voice):
    """Names in each message what the result holds: fields, and those of its parts behind theirs."""

    values: Any

    def __call__(self, key: str, /, **values: Any) -> str:
        """Return a message."""
        return super().__call__(key, **self.values | values)

    def known(self, where: str) -> list[str]:
        """Return what is told in a place."""
        return [name for name in _TOLD.get(where, "").split() if self.values.get(name, True)]


def voice(result: ProgramResult, language: Language) -> ProgramVoice:
    """Return the voice of a program; a median that is not reached lies beyond the longest wait."""
    say, held, impact = Voice(language, "program"), result.program.holdout, result.impact
    values = asdict(result) | {
        "count": len(result.tests),
        "left_out": sum(bool(test.left_out) for test in result.tests),
        "failures": sum(period.failures for period in result.periods),
        "announced": impact and {"low": 0.0, "high": impact.announced},
        "holdout": held and dict(held),
        "since": result.program.standardised,
        "median": None,
        "saved": result.cycle_change and dict(zip("abcp", result.cycle_change, strict=True)),
    }
    for cycle in result.cycles:
        median, *ends = (
            say("over", days=cycle.days[-1]) if end is None else say.integer(end)
            for end in (cycle.median, cycle.low, cycle.high)
        )
        own = {"median": median, "interval": say.range(*ends), "waiting": cycle.open}
        values |= own | {f"days_{cycle.group}": say("days", **own)}
    return ProgramVoice(language, "program", flat(values))


def headline(result: ProgramResult, say: ProgramVoice) -> str:
    """Return what a sponsor reads first: wins, what to believe of a test, how many are false."""
    names = ["stop"] if result.broken else say.known("headline") or ["none"]
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
        reasons=[say(f"reason_{name}") for name in say.known("reason")],
    )


def _leading(result: ProgramResult) -> list[Any]:
    """Return the pooled tests with the largest effects, as one may believe them."""
    pooled = (test for test in result.tests if test.shrunk)
    return sorted(pooled, key=lambda test: -abs(test.shrunk or 0))[:_MOST]


def figures(result: ProgramResult, say: ProgramVoice) -> dict[str, Figure]:
    """Return ``effects``, ``shipped``, ``periods`` and ``cycles``, of what there is."""
    known: dict[str, Any] = {"effects": result.pooled, "shipped": result.impact}
    known |= {"periods": result.periods, "cycles": result.cycles}
    return {
        name: (_over_time if isinstance(held, tuple) else _chart)(name, result, say)
        for name, held in known.items()
        if held
    }


def _chart(name: str, result: ProgramResult, say: ProgramVoice) -> Figure:
    """Draw the leading effects as estimated and as believed, or what was shipped in all."""
    names = ["announced", *say.known(name)] if name == "shipped" else ["pooled", "pooled_next"]
    rows = [
        Row(
            say(f"row_{key}"),
            say(f"rate_{key}"),
            [(say.values[f"{key}_low"], say.values[f"{key}_high"], BLUE)],
            bold=True,
        )
        for key in names
    ]
    for test in _leading(result) if name == "effects" else ():
        bars = (test.low, test.high, GREY), (test.shrunk_low, test.shrunk_high, BLUE)
        value, mark = (say(f"rate_{key}", **vars(test)) for key in ("shrunk", "mark"))
        rows.append(Row(test.test, value, bars, test.shrunk, mark=(test.lift, mark)))
    title, axis = say(f"title_{name}"), say("axis")
    return say.chart(name, title, rows, axis, percent=True, signed=True)


def _over_time(name: str, result: ProgramResult, say: ProgramVoice) -> Figure:
    """Draw broken ratios by period, or the share of ideas that wait after so many days."""
    points, periods = [say(f"title_{name}")], result.periods
    with style():
        drawing, axes = framed(points[0], 1.7, left=0.6)
        if name == "periods":
            for at, period in enumerate(periods):
                hatch = "////" * period.broken
                axes.bar(at, period.tests, color="white", edgecolor=GREY, hatch=hatch)
                axes.bar(at, period.failures, width=0.4, color=RED)
                points += [say("point", **vars(period))] * bool(period.failures)
            shown = range(0, len(periods), len(periods) // 4 + 1)
            axes.set_xticks(shown, [say.date(periods[at].start) for at in shown])
        else:
            for cycle, dashes in zip(result.cycles[-2:], ("--", "-"), strict=False):
                points.append(say(f"curve_{cycle.group}"))
                axes.step(cycle.days, cycle.waiting, dashes, where="post", label=points[-1])
            axes.legend(fontsize="small")
            axes.set_xticks(*ticks(axes.get_xlim(), say))
        axes.set_yticks(*ticks(axes.get_ylim(), say, percent=name == "cycles"))
        name_axis(axes, say(f"axis_{name}"))
    return Figure(drawing, ". ".join(points), say(f"caption_{name}"))


def _cell(said: str) -> Cell:
    """Return a number that is said with its interval as a cell."""
    text, _, ends = said.removesuffix(")").partition(" (")
    return Cell(text, interval=ends)


def _rows(name: str, result: ProgramResult, say: ProgramVoice) -> list[Any]:
    """Return the table of a part."""
    columns = _TABLES[name].split()
    match name:
        case "summary":
            return [
                [say(f"row_{key}"), _cell(say(f"rate_{key}")), say(f"means_{key}")]
                for key in say.known("row")
            ]
        case "tests":
            return [
                [
                    test.test,
                    test.metric,
                    *(_cell(say(f"rate_{key}", **vars(test))) for key in ("lift", "shrunk")),
                    say(f"outcome_{test.outcome}"),
                ]
                for test in _leading(result)
            ]
        case "periods":
            shown = [vars(period) for period in result.periods if period.failures]
            return [[say(f"cell_{column}", **row) for column in columns] for row in shown]
    return [
        [
            say(f"group_{cycle.group}"),
            say("ideas", **vars(cycle)),
            _cell(say.values[f"days_{cycle.group}"]),
        ]
        for cycle in result.cycles
    ]


def _part(name: str, result: ProgramResult, say: ProgramVoice) -> Blocks:
    """Return a part: its sentences, its figure, its table, or that there is nothing to tell."""
    points = [say.paragraph(f"reason_{key}") for key in say.known(name)]
    blocks: Blocks = [*points, *filter(None, [result.figures(say.language).get(name)])]
    if name in _TABLES and (rows := _rows(name, result, say)):
        blocks.append(say.table(name, _TABLES[name], rows))
    match name:
        case "tests":
            for why in ("ratio", "period", "broken", "no_error"):
                names = [test.test for test in result.tests if test.left_out == why]
                blocks += [say.remark(f"left_{why}", names=names)] * bool(names)
        case "checks":
            blocks = [say.checks(result.checks)]
        case "data":
            for reading in result.readings:
                blocks += import_report(reading, say.language)
        case "method":
            blocks = [say.paragraph(f"method_{key}") for key in _METHOD.split()]
    return [say.heading(name), *(blocks or [say.paragraph(f"no_{name}")])]


PARTS = {name: partial(_part, name) for name in ProgramResult.PARTS}
