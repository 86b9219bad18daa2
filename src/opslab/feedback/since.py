"""Since the last run: which themes are new, grew, shrank or came back, and what was done for them.

What was done is no cause of what came after: only the order in time is told.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

import pandas as pd

from opslab.errors import InputError
from opslab.evidence import Evidence, Quantity
from opslab.feedback.contrasts import CLEAR
from opslab.feedback.handling import handling_time
from opslab.feedback.intake import cells
from opslab.feedback.result import FeedbackResult
from opslab.feedback.spec import Done
from opslab.feedback.themes import standing
from opslab.feedback.trends import trends
from opslab.filed_runs import Run, evidence_of, find_run
from opslab.results import Message
from opslab.specs import refuse_unknown

NEEDED = 14
"""Days on either side of a release from which it is told whether its theme fell."""
CHANGES = ("born", "revived", "grew", "shrank", "merged", "split", "dormant")
"""What becomes of themes, in the order in which it is told."""
_FIELDS = ["date", "source", "customer", "handling"]
_RELEASED, _PLANNED = {"", "go", "conditional", "ship", "done"}, {"now", "next", "later"}
_DAY = pd.Timedelta(days=1)


def since(result: FeedbackResult) -> dict[str, Any]:
    """Return what changed since the last run, and what was done for themes.

    Returns
    -------
    dict
        ``themes``, what became of them: ``kind`` of `CHANGES`, ``theme``, ``others`` (into which it
        was merged, or its parts), and, where it grew or shrank, what `trends` tells of it;
        ``done``, as of `outcome`, in the study's order. Where there is a run before, its ``day``;
        whole weeks since then that are ``missed``, without a message; whether shares are
        ``compared``: with those of as many days before.

    Raises
    ------
    SpecError
        Where something was done for a theme that never was.
    """
    study, known, ledger = result.study, result.known, result.registry.ledger
    ids = [theme.id for theme in result.themes]
    messages = [each.message for each in result.assignments]
    log = pd.DataFrame({name: [getattr(each, name) for each in messages] for name in _FIELDS})
    day = result.as_of or max(log["date"].dropna(), default=datetime.date.max)
    today, dates = pd.Timestamp(day), pd.to_datetime(log["date"])
    log["date"] = dates.where(dates <= today)
    log = log.join(pd.DataFrame(standing(result.assignments, ids)[0], columns=ids))
    ever = [*ids, *(theme.id for theme in result.registry.themes)]
    refuse_unknown(study, [done.theme for done in study.done], ever, "done")
    done = [outcome(done, log, result, today) for done in study.done]
    if known is None:
        return {"themes": [], "done": done}
    on = pd.Timestamp(known.as_of or day) + _DAY
    compared = share_after(log, on, alike=True)
    entries = [event for event in ledger if event not in known.ledger]
    arrived = {event.theme for event in entries if event.kind in CHANGES[:2]}
    changes = [vars(event) for event in entries]
    changes += [
        {**row, "kind": CHANGES[2 + (row["ratio"] < 1)], "others": ()}
        for theme, row in compared.items()
        if row["q"] < CLEAR and theme not in arrived
    ]
    weeks = {*range(((today - on) // _DAY + 1) // 7)}
    return {
        "day": known.as_of or day,
        "missed": len(weeks.difference((log["date"] - on) // _DAY // 7)),
        "compared": bool(compared),
        "themes": sorted(changes, key=lambda change: CHANGES.index(change["kind"])),
        "done": done,
    }


def share_after(
    log: pd.DataFrame, on: pd.Timestamp, *, alike: bool = False
) -> dict[str, dict[str, Any]]:
    """Return `trends` of the share from a day on against that before, by theme.

    From two weeks on in periods of about a week, else in days. Nothing where there are too few
    messages on either side.

    Parameters
    ----------
    log : pandas.DataFrame
        By message its date, source, customer, handling time and, for each theme, whether it is in.
    on : pandas.Timestamp
    alike : bool
        Whether the time before is as long as that from the day on, and not all there is.
    """
    days, end = log["date"], log["date"].max()
    if not end >= on:
        return {}
    span = (end - on) // _DAY + 1
    count = span // 7 if span >= NEEDED else span
    days = days.where((days >= on - span * _DAY) | (not alike))
    inside, ids = log.iloc[:, len(_FIELDS) :].to_numpy(), [*log][len(_FIELDS) :]
    who, width = log["customer"].tolist(), span / count - 1e-9  # so that a period begins on the day
    rows = trends(inside, days.tolist(), log["source"].tolist(), width, customers=who, recent=count)
    # Where a wrong date was left out, the days are not those that were asked for.
    return {
        ids[row["theme"]]: row | {"theme": ids[row["theme"]]}
        for row in cells(rows)
        if row["ended"] == str(end)[:10]
    }


def outcome(
    done: Done, log: pd.DataFrame, result: FeedbackResult, today: pd.Timestamp
) -> dict[str, Any]:
    """Return what was promised or released for a theme, and what came after it.

    Parameters
    ----------
    done : Done
    log : pandas.DataFrame
        As of `share_after`.
    result : FeedbackResult
    today : pandas.Timestamp
        As of which is spoken.

    Returns
    -------
    dict
        ``theme``, the one that it is in now; ``what``; ``on`` which day; ``run``, ``link`` and
        ``decision`` of what says so; ``reason`` why that cannot be used; `handling_time`;
        ``state``: fell, rose, flat, by what `share_after` tells of it; early or few, too few days
        or messages to tell; none, no message is in the theme; promised; held, not decided for;
        unusable, the run cannot be used.
    """
    theme = done.theme
    while (known := result.registry.theme(theme)) and known.into:
        theme = known.into
    row = dict(done) | {"theme": theme, "what": done.what or done.run}
    if done.run:
        try:
            run = find_run(done.run, result.study.folders(), today.date(), result.language)
            row |= _released(run, done) | {"run": run.id, "link": run.link}
        except InputError as error:
            reason = Message(error.problems[0].key, error.problems[0].values)
            return row | {"state": "unusable", "reason": reason}
    return row | _came_after(row, log, today)


def _released(run: Run, done: Done) -> dict[str, Any]:
    """Return what a run says that it released; `InputError` where its record has no such thing."""
    record, what, on, decision = run.record, run.name, run.day.isoformat(), ""
    try:
        if run.notebook == "launch_readiness":
            what, on = evidence_of(run)[0].population, record["launch_date"]
            decision = record["decision"]
        elif run.notebook == "experiment_readout":
            decision = record["decision"]["action"]
        elif done.step:
            step = {step["id"]: step for step in record["steps"]}[done.step]
            what, decision = step["initiative"], step["horizon"]
            on = step["half"] if decision == "done" else step["ends"] or step["sure"]
        return {
            "what": done.what or what,
            "on": datetime.date.fromisoformat(on),
            "decision": decision,
        }
    except (LookupError, TypeError, ValueError):
        raise InputError.of("feedback.nothing_done", run=run.id, step=done.step or "-") from None


def _came_after(row: dict[str, Any], log: pd.DataFrame, today: pd.Timestamp) -> dict[str, Any]:
    """Return what came after something was done: nothing of what is not there yet."""
    on, theme, decision = pd.Timestamp(row["on"]), row["theme"], row.get("decision", "")
    planned, needed = decision in _PLANNED, NEEDED * _DAY
    ready = on + needed - _DAY
    after, worked = dict[str, Any](), dict[str, float]()
    if theme in log and on <= today and decision in _RELEASED:
        own = log[log[theme] & log["date"].notna()]
        worked = handling_time(own["handling"], own["date"] >= on, own["source"])
        if log["date"].min() <= on - needed and ready <= today:
            after = share_after(log, on).get(theme, {})
    states = {
        "held": not planned and decision not in _RELEASED,
        "promised": planned or on > today,
        "none": theme not in log,
        "early": ready > today,
        "few": not after,
        "fell": after.get("high", 1) < 1,
        "rose": after.get("low", 1) > 1,
        "flat": True,
    }
    state = next(name for name in states if states[name])
    return after | worked | {"theme": theme, "state": state, "ready": ready.date()}


def measurement(result: FeedbackResult) -> dict[str, Any] | None:
    """Return what an inventory takes as measured: of what was done first that names its task."""
    for row in result.changes["done"]:
        if "saved" in row and row["task"]:
            alike = {"quantity": "reduction", "basis": "before_after", "over": "everybody"}
            ends = {"value": row["saved"], "low": row["saved_low"], "high": row["saved_high"]}
            return {"task": row["task"], "role": row["role"], "grade": "D"} | alike | ends
    return None


def worked(result: FeedbackResult, alike: Mapping[str, Any]) -> list[Evidence]:
    """Return which part of its handling time a theme lost since a day: of logs before and after.

    It bears the claim of the inventory's task that it is of, so that it counts once.

    Parameters
    ----------
    result : FeedbackResult
    alike : mapping
        Fields that all evidence of the run shares.
    """
    return [
        Evidence(
            id=f"{result.study.slug}/{row['theme']}/{row['on']}",
            statement=("feedback.evidence_handling", {"theme": theme, "what": row["what"]}),
            quantity=Quantity.normal(row["saved"], row["saved_low"], row["saved_high"]),
            period=(row["on"], result.as_of),
            population=theme,
            claim=f"reduction:{row['role'] or ''}/{row['task'] or theme}",
            benefit="capacity",
            grade="D",
            **alike,
        )
        for row in result.changes["done"]
        if "saved" in row
        for theme in [result.theme(row["theme"]).title]
    ]
