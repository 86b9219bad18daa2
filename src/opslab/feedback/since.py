"""Since the last run: which themes are new, grew, shrank or came back, and what was done for them.

What was done is no cause of what came after: only the order in time is told.
"""

from __future__ import annotations

import datetime
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from opslab.errors import InputError
from opslab.feedback.contrasts import CLEAR, Array
from opslab.feedback.handling import handling_time
from opslab.feedback.history import columns_of, dated, earlier, past_of
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
PEAK = 21
"""Days before a release that may have been a peak, from which themes fall by themselves."""
PART = 0.5
"""Cosine from which a later theme may hold messages that an older one would have had."""
CHANGES = ("born", "revived", "grew", "shrank", "merged", "split", "dormant")
"""What becomes of themes, in the order in which it is told."""
_RELEASED, _PLANNED = {"", "go", "conditional", "ship", "done"}, {"now", "next", "later"}
_DAY = pd.Timedelta(days=1)


class Log(NamedTuple):
    """Messages, in which themes they are, and those of runs before.

    Attributes
    ----------
    frame : pandas.DataFrame
        By message its ``date``, ``source``, ``customer`` and ``handling`` time.
    inside : array of bool, shape (messages, themes)
    past : pandas.DataFrame
        From `opslab.feedback.history.past_of`.
    """

    frame: pd.DataFrame
    inside: Array
    past: pd.DataFrame

    def days(self, kept: Any, known: Any) -> Log:
        """Return what is of some messages, and of some days before."""
        return Log(self.frame[kept], self.inside[kept.to_numpy()], self.past[known])

    def of(self, themes: list[int]) -> Log:
        """Return it with some themes as the last, and the others before it."""
        rest = [*{*range(self.inside.shape[1])}.difference(themes)]
        parts = self.inside[:, rest], self.inside[:, themes].any(axis=1)
        others = {name: at for at, name in enumerate(rest)}
        past = self.past.drop(columns=themes).rename(columns=others)
        past[len(rest)] = self.past[themes].sum(axis=1)
        return Log(self.frame, np.column_stack(parts), past)


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
    study, known, registry = result.study, result.known, result.registry
    ids = [theme.id for theme in result.themes]
    messages = [each.message for each in result.assignments]
    fields = ("date", "source", "customer", "handling")
    frame = pd.DataFrame({name: [getattr(each, name) for each in messages] for name in fields})
    dates = dated(frame["date"].tolist())
    today = pd.Timestamp(result.as_of or dates.max())
    frame["date"] = dates.where(dates <= today)
    inside = standing(result.assignments, ids)[0]
    stand = columns_of(ids, inside.sum(axis=0).tolist(), registry, result.edits.merges)
    past = past_of(earlier(known, result.assignments, result.registry), stand, len(ids))
    log = Log(frame, inside, past[past["day"] <= today])
    places = {name: [at] for at, name in enumerate(ids)} | {at: [*own] for at, own in stand.items()}
    refuse_unknown(study, [done.theme for done in study.done], [*places], "done")
    promises = study.done if pd.isna(today) else study.promises(today.date())
    done = [outcome(done, log, places.get(done.theme, []), result, today) for done in promises]
    if known is None:
        return {"themes": [], "done": done}
    day = pd.Timestamp(known.as_of or today)
    on = day + _DAY
    compared = share_after(log, on, alike=True)
    entries = [event for event in registry.ledger if event not in known.ledger]
    arrived = {event.theme for event in entries if event.kind in CHANGES[:2]}
    changes = [vars(event) for event in entries]
    changes += [
        {**row, "theme": ids[at], "kind": CHANGES[2 + (row["ratio"] < 1)], "others": ()}
        for at, row in compared.items()
        if row["q"] < CLEAR and ids[at] not in arrived
    ]
    weeks = {*range(int(np.nan_to_num((today - day).days)) // 7)}
    return {
        "day": None if pd.isna(day) else day.date(),
        "missed": len(weeks.difference((frame["date"] - on) // _DAY // 7)),
        "compared": bool(compared),
        "themes": sorted(changes, key=lambda change: CHANGES.index(change["kind"])),
        "done": done,
    }


def share_after(log: Log, on: pd.Timestamp, *, alike: bool = False) -> dict[int, dict[str, Any]]:
    """Return `trends` of the share from a day on against that before, by theme.

    From two weeks on in periods of about a week, else in days. Nothing where there are too few
    messages on either side.

    Parameters
    ----------
    log : Log
    on : pandas.Timestamp
    alike : bool
        Whether the time before is as long as that from the day on, and not all there is.
    """
    end = log.frame["date"].max()
    if not end >= on:
        return {}
    span = (end - on) // _DAY + 1
    count = span // 7 if span >= NEEDED else span
    first = on - span * _DAY if alike else pd.Timestamp.min
    frame, inside, past = log.days(log.frame["date"] >= first, log.past["day"] >= first)
    sides = frame["date"].tolist(), frame["source"].tolist()
    width = span / count - 1e-9  # so that a period begins on the day
    rows = trends(inside, *sides, width, frame["customer"].tolist(), past, recent=count)
    # Where a wrong date was left out, the days are not those that were asked for.
    return {row["theme"]: row for row in cells(rows) if row["ended"] == str(end.date())}


def outcome(
    done: Done, log: Log, heirs: list[int], result: FeedbackResult, today: pd.Timestamp
) -> dict[str, Any]:
    """Return what was promised or released for a theme, and what came after it.

    Parameters
    ----------
    done : Done
    log : Log
    heirs : list of int
        Themes of the log that the theme is in now: several where it was split.
    result : FeedbackResult
    today : pandas.Timestamp
        As of which is spoken.

    Returns
    -------
    dict
        ``theme``, the one that it is in now; ``parts``, all that it is in; ``what``; ``on`` which
        day; ``run``, ``link`` and ``decision`` of what says so; ``reason`` why that cannot be used;
        `handling_time`; ``state``: fell, rose, flat, by what `share_after` tells of it; peak, it
        fell, but not clearly if the `PEAK` days before it are left out; early or few, too few days
        or messages to tell; none, no message is in the theme; excluded, by people; promised; held,
        not decided for; unusable, the run cannot be used.
    """
    theme, parts = done.theme, [result.themes[at].id for at in heirs]
    while (known := result.registry.theme(theme)) and known.into:
        theme = known.into
    theme = parts[0] if len(parts) == 1 else theme
    row = dict(done) | {"theme": theme, "parts": parts, "what": done.what or done.run}
    if done.run:
        try:
            run = find_run(done.run, result.study.folders(), today.date(), result.language)
            row |= _released(run, done) | {"run": run.id, "link": run.link}
        except InputError as error:
            reason = Message(error.problems[0].key, error.problems[0].values)
            return row | {"state": "unusable", "reason": reason}
    row["excluded"] = theme in result.edits.excluded
    after = _came_after({**row}, log.of(heirs), today)
    if after["state"] == "fell" and (left := _left(heirs, result)):
        wider = _came_after({**row}, log.of([*heirs, *left]), today)
        if wider["state"] != "fell":  # it did not fall, but a part of it is told apart now
            parts += [result.themes[at].id for at in left]
            after = wider
    del row["excluded"]
    return row | after


def _left(heirs: list[int], result: FeedbackResult) -> list[int]:
    """Return the themes born later whose nearest is one of some: they may be parts of these."""
    known = {
        at: (theme.born, theme.centroid)
        for at, each in enumerate(result.themes)
        if (theme := result.registry.theme(each.id)) and theme.born
    }

    def nearest(at: int) -> int | None:
        born, centroid = known[at]
        older = {to: float(centroid @ known[to][1]) for to in known if known[to][0] < born}
        near = {to: cosine for to, cosine in older.items() if cosine >= PART}
        return max(near, key=near.__getitem__, default=None)

    return [at for at in known if at not in heirs and nearest(at) in heirs]


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
        day = datetime.date.fromisoformat(on)
    except (LookupError, TypeError, ValueError):
        raise InputError.of("feedback.nothing_done", run=run.id, step=done.step or "-") from None
    return {"what": done.what or what, "on": day, "decision": decision}


def _came_after(row: dict[str, Any], log: Log, today: pd.Timestamp) -> dict[str, Any]:
    """Return what came after something was done: nothing of what is not there yet."""
    on, decision, days = pd.Timestamp(row["on"]), row.get("decision", ""), log.frame["date"]
    ready = on + (NEEDED - 1) * _DAY
    after, calmly, worked = dict[str, Any](), dict[str, Any](), dict[str, float]()
    if row["parts"] and on <= today and decision in _RELEASED:
        own = log.frame[log.inside[:, -1] & days.notna()]
        worked = handling_time(own["handling"], own["date"] >= on, own["source"])
        parts = days, log.past["day"]
        first = pd.concat(parts).min()
        # of two weeks, the last two days may have no message
        if first <= on - NEEDED * _DAY and min(today, days.max() + 2 * _DAY) >= ready:
            calm = log.days(*(~part.between(on - PEAK * _DAY, on, "left") for part in parts))
            last = log.inside.shape[1] - 1
            after, calmly = (share_after(part, on).get(last, {}) for part in (log, calm))
    planned = decision in _PLANNED
    states = {
        "held": not planned and decision not in _RELEASED,
        "promised": planned or on > today,
        "excluded": row.pop("excluded"),
        "none": not row["parts"],
        "early": ready > today,
        "few": not after,
        "peak": after.get("high", 1) < 1 <= calmly.get("high", 0),
        "fell": after.get("high", 1) < 1,
        "rose": after.get("low", 1) > 1,
        "flat": True,
    }
    state = next(name for name in states if states[name])
    return after | worked | {"theme": row["theme"], "state": state, "ready": ready.date()}
