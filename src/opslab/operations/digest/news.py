"""What a run tells: what was decided, launched and learned, what is asked, and what changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from opslab.evidence import Evidence
from opslab.filed_runs import Run, evidence_of
from opslab.messages import Bilingual, catalogue
from opslab.operations.digest.result import News
from opslab.operations.digest.window import Pair
from opslab.operations.launch_readiness.figures import floored
from opslab.operations.practices.spec import LEVELS
from opslab.results import Message
from opslab.uncertainty.proportions import Interval, newcombe

_LATE = timedelta(31)
"""For how long before the days what was written down late is news."""
_DATED = {"decision_review", "practice_review"}
"""Notebooks whose record dates what it tells, so that its day says whether it is new."""
_SLIGHT = 3  # days: of an end that moved by less, nothing is said
_FOLLOWED = {True: "_by_rule", False: "_against"}
_NO_SAMPLE = {"contribution", "experiment_readout", "launch_readiness", "launch_report", "roadmap"}
"""Notebooks that pass on what others found, that hold the earlier rows, or are no sample at all."""


def news(pair: Pair, aside: Counter[str]) -> list[News]:
    """Return what a run tells, and count the figures of both runs that are no sure change.

    A run of the same files as the last one before the days tells nothing new, but what is asked,
    and what came about since that one: by a later day the same log holds more.

    Parameters
    ----------
    pair : Pair
    aside : Counter
        Added to; see `DigestResult`.

    Raises
    ------
    KeyError, TypeError, ValueError
        For a record that is none of its notebook's.
    """
    run, before, base, _ = pair
    rule = _RULES.get(run.notebook)
    items = [*rule(pair)] if rule else []
    if run.notebook not in _NO_SAMPLE:
        known, earlier = _evidence(run), _evidence(before)
        first = [known[name] for name in known if name not in earlier]
        items += [_item("learned", "figure", each) for each in first[: not rule]]
        items += _moved(run, base, aside) if base else []
    items = [item._replace(run=run.id) for item in items]
    for item in items:  # an action or a verdict of another version has no words here
        _ = catalogue("en", "digest")[item.words.key.removeprefix("digest.")]
    if before and _inputs(before) == _inputs(run) != []:
        kept = {"asked", "decided", "learned"} if run.notebook in _DATED else {"asked"}
        return [item for item in items if item.section in kept]
    return items


def _evidence(run: Run | None) -> dict[str, Evidence]:
    return {evidence.id: evidence for evidence in evidence_of(run)} if run else {}


def _inputs(run: Run) -> list[str]:
    """Return the hashes of what a run stands on."""
    return sorted(str(file.get("sha256")) for file in run.record.get("inputs") or ())


def _item(section: str, key: str, evidence: Evidence, **values: Any) -> News:
    """Return the news that is a figure of evidence."""
    what, quantity = Message(*evidence.statement), evidence.quantity
    now = Interval(quantity.value, quantity.low, quantity.high)
    words = Message(f"digest.{key}", {**what.values, "what": what, **values})
    return News(section, words, now=now, unit=evidence.unit)


def _said(section: str, key: str, **values: Any) -> News:
    return News(section, Message(f"digest.{key}", values), by=values.get("by"))


def _moved(run: Run, before: Run, aside: Counter[str]) -> Iterator[News]:
    """Give the figures that surely moved: as of two independent samples."""
    known, earlier = _evidence(run), _evidence(before)
    for name in [name for name in known if name in earlier]:
        then, now = (
            Interval(each.quantity.value, each.quantity.low, each.quantity.high)
            for each in (earlier[name], known[name])
        )
        change = newcombe(then, now)
        files, past = ({file.sha256 for file in each[name].sources} for each in (known, earlier))
        aside_for = {
            "same_data": files and files == past,
            "other_unit": _kind(known[name]) != _kind(earlier[name]),
            "no_interval": None in change,
            "unsure": (change.low or 0) <= 0 <= (change.high or 0),
        }
        if reason := next((reason for reason, holds in aside_for.items() if holds), ""):
            aside[reason] += 1
            continue
        item = _item("changed", "moved", known[name], day=before.day)
        yield item._replace(then=then, change=change, before=before.id)


def _kind(evidence: Evidence) -> tuple[Any, ...]:
    return evidence.unit, evidence.per, evidence.claim, evidence.quantity.level


def _experiment(pair: Pair) -> Iterator[News]:
    """Give the decision by the experiment's own rule, and each effect on a primary metric."""
    record, known = pair.run.record, _evidence(pair.run)
    decision = record["decision"]
    arms = {name.rpartition("/")[2]: known[name].statement[1]["arm"] for name in known}
    arm = arms.get(decision["arm"], decision["arm"])
    yield _said("decided", f"experiment_{decision['action']}", arm=arm)
    for row in record["comparisons"]:
        evidence = known.get(f"{record['plan']['slug']}/{row['metric']}/{row['arm']}")
        if evidence and row["segment"] is None:
            item = _item("learned", f"effect_{row['verdict']}", evidence)
            ends = row["lift"], row["lift_interval"]["low"], row["lift_interval"]["high"]
            yield item if None in ends else item._replace(now=Interval(*ends), unit="lift")


def _case(pair: Pair) -> Iterator[News]:
    """Give what a case proposes, and the decision that it asks for: what follows is not known."""
    record, plan = pair.run.record, pair.run.record["plan"]
    case = _words(plan.get("title") or plan["case"])
    yield _said("learned", f"case_{record['action']}", case=case)
    asked = {name: _words(words) for name, words in record.get("wanted", {}).items()}
    by = date.fromisoformat(plan["decision"]["by"])
    yield _said("asked", "ask" if asked else "case_ask", **asked, case=case, by=by)
    if debts := sum(target["status"] == "debt" for target in record["targets"]):
        yield _said("asked", "debts", count=debts)


def _readiness(pair: Pair) -> Iterator[News]:
    """Give what a launch's gate says."""
    record = pair.run.record
    yield _said(
        "launched",
        f"gate_{record['decision']}",
        readiness=floored(record["readiness"]),
        threshold=record["threshold"],
        blockers=len(record["blockers"]),
        conditions=len(record["conditions"]),
        day=date.fromisoformat(record["launch_date"]),
    )


def _launch(pair: Pair) -> Iterator[News]:
    """Give how many of a launch's due targets were met, and the names of those that were not."""
    names = [each.statement[1]["name"] for each in _evidence(pair.run).values()]
    both = {str(name): name for name in names}
    states = {both.get(row["name"], row["name"]): row["state"] for row in pair.run.record["kpis"]}
    missed = [name for name, state in states.items() if state == "missed"]
    met = [*states.values()].count("met")
    key = "missed" if missed else "met" if met else "open"
    count = met + len(missed)
    yield _said("launched", f"targets_{key}", met=met, count=count, missed=missed)


def _themes(pair: Pair) -> Iterator[News]:
    """Give growing themes, and else the largest: from run to run no theme is known again."""
    themes = pair.run.record["themes"]
    trends = {trend["theme"]: trend for trend in pair.run.record["trends"] if trend["rising"]}
    for theme in [theme for theme in themes if theme["id"] in trends] or themes[:1]:
        titles = {each["language"]: each["title"] for each in theme["phrases"]}
        english = titles.get("en", theme["title"])
        title = Bilingual(english, french=titles.get("fr", english))
        key, now, unit = "theme_first", Interval(theme["share"], *theme["interval"]), "share"
        if trend := trends.get(theme["id"]):
            key, unit = "theme_rising", ""
            now = Interval(*(trend[end] for end in ("ratio", "low", "high")))
        item = _said("learned", key, theme=title, count=len(themes))
        yield item._replace(now=now, unit=unit)


def _hours(pair: Pair) -> Iterator[News]:
    """Give the hours that are freed in all, the first time that they are told."""
    sums = {(each["kind"], each["name"]): each for each in pair.run.record["sums"]}
    freed = Interval(*(sums["step", "freed"][end] for end in ("mean", "low", "high")))
    if not pair.before:
        yield _said("learned", "hours")._replace(now=freed, unit="hours")


def _roadmap(pair: Pair) -> Iterator[News]:
    """Give an end that moved."""
    sure, half, then = (
        date.fromisoformat(run.record[name])
        for run, name in ((pair.run, "sure"), (pair.run, "half"), (pair.base or pair.run, "sure"))
    )
    if pair.base and abs((sure - then).days) >= _SLIGHT:
        item = _said("changed", "end", sure=sure, half=half, then=then)
        yield item._replace(before=pair.base.id)


def _decisions(pair: Pair) -> Iterator[News]:
    """Give what is newly decided and taken back, and the reviews that are overdue."""
    then = pair.before.record if pair.before else {}
    past = then.get("decisions", ())
    whole = then.get("decisions_in_all", len(past)) == len(past)
    twins = {(str(row["decision"]), row["raised"]) for row in past}
    before = {row["id"]: _days(row) for row in past}
    for row in pair.run.record["decisions"]:
        same = (str(row["decision"]), row["raised"]) in twins
        words = {"decision": _words(row["decision"])}
        for key, day in _days(row).items():
            held = before.get(row["id"], {}).get(key)
            late = not held if row["id"] in before else whole and not same
            if day and _is_new(pair, day, held, late=late):
                rule = _FOLLOWED.get(row.get("followed"), "") * (key == "taken")
                item = _said("decided", key + rule, **words, day=date.fromisoformat(day))
                yield item._replace(experiment=row.get("experiment") or "")
        if row["late"]:
            by = date.fromisoformat(row["review"])
            yield _said("asked", "look_back", **words, by=by)


def _days(row: Mapping[str, Any]) -> dict[str, str | None]:
    """Return on what day a decision was taken, and taken back."""
    taken = row["ended"] if row["state"] == "decided" else None
    return {"taken": taken, "reversed": row["reversed"]}


def _is_new(pair: Pair, day: str, held: str | None, *, late: bool) -> bool:
    """Whether no digest has told what is of a day: the run before is of an earlier one.

    Where that one holds the day already, what is of these days alone is new.
    What is older is new where it was written down late, and not long before these days; without a
    run before, what is of these days.
    """
    known, start = date.fromisoformat(day), pair.since
    if pair.before is None:
        return known >= start
    since_then = known > pair.before.day and (known >= start or held != day)
    return since_then or (late and known >= start - _LATE)


def _practices(pair: Pair) -> Iterator[News]:
    """Give how many capabilities moved since they were assessed before, and overdue actions."""
    record, steps = pair.run.record, list[float]()
    known = {
        (row["team"], row["capability"]): row["date"]
        for row in (pair.before.record["capabilities"] if pair.before else ())
    }
    for row in record["capabilities"]:
        held = known.get((row["team"], row["capability"]))
        newer = bool(held) and held < row["date"]  # a new name alone is no assessment
        if row["before"] and _is_new(pair, row["date"], held, late=newer):
            steps.append(_level(row["median"]) - _level(row["before"]))
    if steps:
        up, down = sum(step > 0 for step in steps), sum(step < 0 for step in steps)
        yield _said("learned", "capabilities", up=up, down=down, count=len(steps))
    if late := [action["due"] for action in record["actions"] if action["state"] == "late"]:
        by = date.fromisoformat(min(late))
        yield _said("asked", "late_actions", count=len(late), by=by)


def _contribution(pair: Pair) -> Iterator[News]:
    """Give what was promised to be measured, and is overdue."""
    for debt in pair.run.record["plan"]["debts"]:
        if (by := date.fromisoformat(debt["by"])) < pair.run.day:
            words = {"who": _words(debt["owner"]), "statement": _words(debt["statement"])}
            yield _said("asked", "owed", **words, by=by)


def _level(levels: list[Any]) -> float:
    """Return where a median stands; one of two levels stands between them."""
    return sum(map(LEVELS.index, levels)) / len(levels)


def _words(value: Any) -> str:
    """Return words of a record, which are a mapping where they were written in both languages."""
    return Bilingual(value["en"], french=value["fr"]) if isinstance(value, Mapping) else str(value)


_RULES: Mapping[str, Callable[[Pair], Iterator[News]]] = {
    "business_case": _case,
    "contribution": _contribution,
    "decision_review": _decisions,
    "experiment_readout": _experiment,
    "feedback_themes": _themes,
    "launch_readiness": _readiness,
    "launch_report": _launch,
    "practice_review": _practices,
    "roadmap": _roadmap,
    "time_saved": _hours,
}
"""By notebook; what any other finds is told by the statement of its first finding."""
