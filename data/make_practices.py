"""Makes the sample of a review of practices: small, with known truth. `python data/make_practices.py`.

Seven capabilities of three teams, assessed in April and in September 2026 by two or three people
each, who see a true level, one of them a level lower where ``CAUTIOUS`` says so; and six processes,
whose true minutes are in the middle of the stated ranges. ``product_practices.yaml`` stands beside
the data as a file.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path

AS_OF = date(2026, 10, 5)
ROUNDS = (date(2026, 4, 13), date(2026, 9, 14))
LEVELS = ("below", "good", "better", "best")
TEAMS = {"Shop": ("s1", "s2", "s3"), "Platform": ("p1", "p2"), "Data": ("d1", "d2", "d3")}
"""Assessors by their codes: whoever fills in the sheet needs no name."""
TARGETS = {
    "Experimentation": "best",
    "Customer feedback": "better",
    "Launches": "better",
    "Roadmap": "better",
    "Decisions": "better",
    "Product data": "best",
    "Documents": "good",
}
TRUE = {
    "Experimentation": ("good better", "below good", "better best"),
    "Customer feedback": ("good good", "below below", "below good"),
    "Launches": ("better better", "good better", "below good"),
    "Roadmap": ("below good", "good good", "good good"),
    "Decisions": ("below better", "below good", "good good"),
    "Product data": ("good good", "better better", "better best"),
    "Documents": ("good better", "good good", "good below"),
}
"""True levels in April and September, of the teams in their order."""
CAUTIOUS = {("Shop", "s3"), ("Data", "d2")}
"""Who sees the levels in the second half of the list one lower."""
ABSENT = {("Platform", "p2", ROUNDS[1], "Roadmap"), ("Data", "d3", ROUNDS[1], "Decisions")}
"""Who did not assess what in which round."""
UNSEEN = {("Decisions", "Shop")}
"""What rose without anybody writing down what was observed."""
SEEN = {
    "Experimentation": "Last ten tests: hypothesis and stopping rule written before the start",
    "Customer feedback": "Feedback of the month tagged and counted",
    "Launches": "Checklist of the last three launches",
    "Roadmap": "Dates with a confidence, told to sales each month",
    "Decisions": "Decision log of the quarter",
    "Product data": "Dashboard agrees with the ledger",
    "Documents": "Standards review of July",
}
ACTIONS = """\
Experimentation,Shop,Write the hypothesis before each test,Ines,2026-06-30,,2026-06-12
Experimentation,Platform,Run a first test with Data,Jonas,2026-07-31,,2026-08-20
Customer feedback,Shop,Name one owner of the feedback inbox,Ines,2026-06-30,2026-11-30,
Customer feedback,Platform,Read ten tickets a week,Jonas,2026-08-31,,
Roadmap,Platform,Announce dates with their confidence,Jonas,2026-12-15,,
Decisions,Data,Log every decision within two days,Mia,2026-05-29,,2026-05-27
Documents,Data,Review the data dictionary each quarter,,,,
Product data,Shop,Reconcile orders with the ledger,Ines,2026-10-30,,
"""
"""Capability, team, action, owner, first due date, due date in September, done."""
CANVAS = (
    "capability,team,assessor,date,level,target,evidence,"
    "next_action,action_owner,action_due,action_done"
)
PROCESSES = (
    "process,problem,steps,owner,trigger,artefact,minutes_low,minutes_high,people,"
    "uses_low,uses_high,saved_low,saved_high,eligible,using,started,sunset"
)
CARDS = """\
Experiment brief,Tests were stopped early and read as wins,Hypothesis; metric; stopping rule,Ines,\
A test is planned,One page,15,25,2,5,8,90,150,3,,2026-02-02,2027-02-01
Feedback triage,The same complaint was read five times,Tag; count; send to its owner,Mia,\
Every Monday,Table of themes,20,40,1,4,5,120,200,3,,2026-04-06,2027-04-05
Launch checklist,Support learnt of launches from customers,Fill in; meet; decide,Jonas,\
Four weeks before a launch,Checklist,50,70,6,2,3,180,300,3,,2026-03-02,2027-03-01
Weekly status deck,The board asked for news,Collect; write; present,Ines,\
Every Friday,Slides,60,90,4,4,5,60,120,3,,2025-09-01,2026-09-30
Decision record,Decisions were taken twice,Question; options; decision,Mia,\
A decision of two teams,A page in the log,15,45,2,6,10,20,120,3,,2026-05-04,2027-05-03
Document template,Every document told something else,Copy; fill in; link,Ines,\
A document is begun,A page with owner and date,5,10,1,6,10,15,40,,,2026-01-05,2027-01-04
"""
USED = {
    "Experiment brief": (("Shop", 14), ("Platform", 14), ("Data", 14)),
    "Feedback triage": (("Shop", 7),),
    "Launch checklist": (("Shop", 21), ("Platform", 28), ("Data", 28)),
    "Weekly status deck": (("Shop", 7), ("Platform", 14)),
    "Decision record": (("Shop", 7), ("Data", 14), ("Platform", 21)),
}
"""Who used it, and every how many days since July."""
VERDICTS = {
    "Experiment brief": "keep",
    "Feedback triage": "extend",
    "Launch checklist": "simplify",
    "Weekly status deck": "kill",
    "Decision record": "open",
    "Document template": "extend",
}
"""By the rule of the spec; the template is known from the standards review alone."""
STEPS = {"Launch checklist": ("Decide", "Meet", "Decide")}
"""Last steps that its uses reached, in turn."""


def assessments() -> Iterable[Sequence[object]]:
    """Give the rows of the canvas."""
    late = [*TARGETS][len(TARGETS) // 2 :]
    for number, day in enumerate(ROUNDS):
        for capability, target in TARGETS.items():
            for levels, (team, people) in zip(TRUE[capability], TEAMS.items(), strict=True):
                level = LEVELS.index(levels.split()[number])
                for place, who in enumerate(people):
                    if (team, who, day, capability) in ABSENT:
                        continue
                    lower = (team, who) in CAUTIOUS and capability in late
                    seen = SEEN[capability] if number and not place else ""
                    seen = "" if (capability, team) in UNSEEN else seen
                    action = _action(capability, team, number) if not place else [""] * 4
                    given = LEVELS[max(level - lower, 0)]
                    when = day + timedelta(place)
                    yield capability, team, who, when, given, target, seen, *action


def _action(capability: str, team: str, number: int) -> list[str]:
    """Return the action of a capability, as a round tells it."""
    for *where, action, owner, first, due, done in csv.reader(ACTIONS.splitlines()):
        if where == [capability, team]:
            return [action, owner, due if number and due else first, done if number else ""]
    return [""] * 4


def uses() -> Iterable[Sequence[object]]:
    """Give the rows of the log of uses, by their day."""
    rows = []
    for process, teams in USED.items():
        steps = STEPS.get(process, ("",))
        for team, every in teams:
            days = range((AS_OF - date(2026, 7, 6)).days, 0, -every)
            for number, back in enumerate(days):
                step = steps[number % len(steps)]
                rows.append((AS_OF - timedelta(back), process, team, step))
    return [(process, team, day, step) for day, process, team, step in sorted(rows)]


def truth() -> dict[str, object]:
    """Return what generated the files, as ``product_practices_truth.json`` states it."""
    return {
        "as_of": str(AS_OF),
        "rounds": [str(day) for day in ROUNDS],
        "levels": {
            capability: dict(zip(TEAMS, (pair.split() for pair in pairs), strict=True))
            for capability, pairs in TRUE.items()
        },
        "targets": TARGETS,
        "cautious": sorted(f"{team}/{who}" for team, who in CAUTIOUS),
        "missing": sorted(f"{capability}/{team}" for team, _, _, capability in ABSENT),
        "unseen": sorted("/".join(pair) for pair in UNSEEN),
        "actions": len(ACTIONS.splitlines()),
        "verdicts": VERDICTS,
    }


def main() -> None:
    """Write the files beside this one."""
    folder = Path(__file__).parent / "sample"
    with (folder / "product_practices_canvas.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(CANVAS.split(","))
        writer.writerows(assessments())
    sheet = f"{PROCESSES}\n{CARDS}"
    (folder / "product_practices_processes.csv").write_text(sheet, "utf-8", newline="\n")
    with (folder / "product_practices_uses.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("process", "team", "date", "step"))
        writer.writerows(uses())
    said = json.dumps(truth(), indent=1)
    (folder / "product_practices_truth.json").write_text(f"{said}\n", "utf-8", newline="\n")


if __name__ == "__main__":
    main()
