"""A roadmap's readout: will the end hold, now / next / later, dates, what waits for whom."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from pydantic_core import to_jsonable_python

from opslab.messages import Language
from opslab.operations.roadmap.result import RoadmapResult, Slips, Step
from opslab.report.blocks import Cell, Facts, Group, Paragraph, Verdict
from opslab.report.drawing import Row
from opslab.report.figures import BLUE, Figure
from opslab.report.import_report import import_report
from opslab.report.voice import Blocks, Voice

_TABLES = {
    "now_next_later": "initiative owner kpi gate share",
    "dates": "initiative announced start half sure by",
    "dependencies": "initiative waits critical slack moves",
    "slip": "initiative first announced sure",
}
_FACTS = {"stop": "", "done": "", "range": "", "open": "sure"}
_CHANGES = {"range": "weeks", "tickets": "tickets done", "window": "ends confidence"}
_SLIGHT = 3  # days: of what moved by less, nothing is said


def voice(_: RoadmapResult, language: Language) -> Voice:
    """Return the voice of a roadmap."""
    return Voice(language, "roadmap")


def _values(result: RoadmapResult, say: Voice) -> dict[str, Any]:
    """Return what the sentences name, of the whole and of each initiative."""
    called = {step.id: say.joined(step.initiative, step.owner) for step in result.steps}
    words = {
        step.id: step._asdict()
        | {
            "share": say("share", **step._asdict()) if step.tickets else None,
            "waits": [called[name] for name in step.depends_on],
            "moves": [say("moves", name=called[name], days=days) for name, days in step.pushes],
            "announced": Cell(
                say(f"announced_{_known(step)}", **step._asdict()),
                interval=say("late_range", **step._asdict()) * (_known(step) == "likely"),
            )
            if step.ends
            else say.none,
            "slack": say("slack", **step._asdict()) if step.horizon != "done" else None,
            "by": say(f"by_{step.source}{'_typed' * bool(step.confidence)}"),
        }
        for step in result.steps
    }
    path = [step for step in result.steps if step.id in result.path]
    waited = {name for step in path for name in step.depends_on}
    moved = [step for step in result.steps if abs(step.moved_days or 0) >= _SLIGHT]
    action, chance = result.action, result.chance
    if action == "replan" and (chance is None or chance >= 1 / 2):
        action = "missed"
    return vars(result) | {
        "words": words,
        "chance": None if chance is None else min(max(chance, 0.01), 0.99),
        "action": action,
        "path": [say("often", **step._asdict()) for step in path if step.id in waited]
        or [step.initiative for step in path],
        "vague": [words[name]["initiative"] for name in result.vague],
        "missed": [say("missed", **words[name]) for name in result.missed],
        "asks": [say("ask" if step.owner else "ask_none", **words[step.id]) for step in path][:3],
        "moved": len(moved),
        "causes": [*_causes(result, words, say)],
        "reannounced": [
            say("reannounced", before=datetime.date.fromisoformat(before), **words[step.id])
            for step in result.steps
            if (before := result.last.get(step.id.casefold(), {}).get("ends"))
            and before != str(step.ends or before)
            and step.horizon != "done"
        ],
        "entered": [step.initiative for step in result.steps if step.id in result.entered],
        "dropped": [result.last[name.casefold()]["initiative"] for name in result.dropped],
        "past": _past(result.slips, say),
        "over": [say("over", **load._asdict()) for load in result.loads if load.load > 1],
    }


def _known(step: Step) -> str:
    """Return how its lateness is said: a day that is known, one that nothing is known of, else."""
    return "done" if step.horizon == "done" else "likely" if step.uncertain else "bare"


def _causes(result: RoadmapResult, words: Any, say: Voice) -> Iterator[str]:
    """Give what moved by more than what it waits for did, and what of it has changed."""
    moved = {step.id: step.moved_days or 0 for step in result.steps}
    for step in result.steps:
        days, then = moved[step.id], result.last.get(step.id.casefold(), {})
        passed = max((moved[name] for name in step.depends_on), default=0)
        own = days - int(np.clip(passed, min(days, 0), max(days, 0)))
        now = to_jsonable_python(step._asdict())
        looked = f"source depends_on starts {_CHANGES.get(step.source, '')}".split()
        changed = [name for name in looked if name in then and then[name] != now[name]]
        why = [say(f"why_{name}", **words[step.id]) for name in changed[:1]]
        if abs(own) >= _SLIGHT:
            yield say("cause_why" if why else "cause", **words[step.id], own=own, why=why)


def headline(result: RoadmapResult, say: Voice) -> str:
    """Return the sentence that a sponsor reads first."""
    values = _values(result, say)
    return say(f"headline_{values['action']}", **values)


def first_screen(result: RoadmapResult, say: Voice) -> Verdict:
    """Return whether the end holds, what it waits for, what moved, and what to do."""
    roadmap, values = result.roadmap, _values(result, say)
    action = values["action"]
    wrong = {
        status: [say.message(check.detail) for check in result.checks if check.status == status]
        for status in ("fail", "warn")
    }
    missed = [say("reason_missed", **values)] * (action != "missed" and bool(values["missed"]))
    missed += [say("reason_reannounced", **values)] * bool(values["reannounced"])
    names = _FACTS.get(action, "end sure").split()
    if result.previous_day and not result.broken:
        names += ["moved" if values["causes"] else "unmoved"]
    return Verdict(
        kicker=say("kicker", **values),
        title=say.spoken(roadmap.shown_title),
        question=say.spoken(roadmap.question or ""),
        action=say(f"action_{action}", **values),
        headline=headline(result, say),
        tone="bad" if result.broken else "good" if action == "hold" else "open",
        facts=Facts(
            [
                *(say.fact(name, *say(f"value_{name}", **values).splitlines()) for name in names),
                say.checks_fact(result.checks),
            ]
        ),
        reasons=wrong["fail"] + (missed + values["asks"]) * (not result.broken) + wrong["warn"],
    )


def figures(result: RoadmapResult, say: Voice) -> dict[str, Figure]:
    """Return the dates with their uncertainty, in months from today, and the fullest months."""
    values = _values(result, say)

    def at(day: Any) -> Any:
        return (day - result.as_of).days / 30.4375

    bars = [
        Row(
            say.joined(step.initiative, step.owner),
            say("bar", **values["words"][step.id]),
            [
                (at(step.start), at(step.half), BLUE),
                (at(step.half), at(step.sure), "#a9cce3"),
            ],
            mark=(at(step.ends), say("mark")) if step.ends else None,
        )
        for step in result.steps
    ]
    loads = [
        Row(say.joined(owner, say.month(month)), say.percent(load, 0), [(0.0, load * 100, BLUE)])
        for owner, month, load in sorted(result.loads, key=lambda load: -load.load)[:12]
    ]
    plain = values["action"] in _FACTS and values["action"] != "open"
    return {
        name: say.chart(name, say(title, **values), rows, say(f"axis_{name}", **values))
        for name, rows, title in (
            ("dates", bars, f"figure_{'plain' if plain else 'dates'}"),
            ("load", loads, f"figure_{'load' if values['over'] else 'calm'}"),
        )
        if rows
    }


def _sentences(part: str, result: RoadmapResult, values: dict[str, Any]) -> list[str]:
    """Return the keys of a part's sentences, some of which depend on what there is."""
    moved = "on_moved" if values["moved"] else "on_unmoved"
    alone = "no_last" if result.roadmap.previous else "no_previous"
    known = "causes reannounced entered dropped passed"
    changes = [name for name in known.split() if values[name]]
    said = {
        "dependencies": [*["on_path"] * bool(values["path"]), "on_dependencies"],
        "slip": ["on_past" if values["past"] else "no_past", "on_slip"],
        "dates": [moved if result.previous_day else alone, *map("on_{}".format, changes)],
    }
    return said.get(part, [f"on_{part}"])


def _past(slips: Slips | None, say: Voice) -> str:
    """Return how late past dates were, in words."""
    if not slips:
        return ""
    late = {
        name: say(f"{'late' if days > 0 else 'early'}_{slips.unit}", days=abs(days))
        for name in ("mean", "low", "high")
        if (days := getattr(slips, name)) is not None
    }
    said = say("past_usual", **late) if late else ""
    return say("past", **slips._asdict(), usual=said)


def _part(name: str, result: RoadmapResult, say: Voice) -> Blocks:
    """Return a part: its heading, its sentences, and what it shows."""
    values, drawn = _values(result, say), result.figures(say.language)
    blocks: Blocks = [say.heading(name)]
    for key in _sentences(name, result, values):
        blocks += map(Paragraph, say(key, **values).splitlines())
    if name in drawn:
        blocks += [drawn[name]]
    if name == "checks":
        blocks += [say.checks(result.checks)]
    if name == "data":
        for reading in result.readings:
            blocks += import_report(reading, say.language)
    if columns := _TABLES.get(name):
        groups = [
            Group(
                Cell(say(horizon)),
                [
                    [
                        known[column] if column == "announced" else say(f"cell_{column}", **known)
                        for column in columns.split()
                    ]
                    for known in values["words"].values()
                    if known["horizon"] == horizon
                ],
            )
            for horizon in ("now", "next", "later", "done")
        ]
        blocks += [say.table(name, columns, groups=groups)]
    return blocks


PARTS = {name: partial(_part, name) for name in RoadmapResult.PARTS}
