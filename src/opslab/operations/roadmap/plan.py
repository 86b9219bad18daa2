"""The roadmap as it is likely now: dates, critical path, what a delay pushes, who is overloaded."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from graphlib import CycleError
from typing import Any

import numpy as np
import pandas as pd

from opslab.errors import DataError, ParameterError, Problem, did_you_mean
from opslab.messages import Language
from opslab.names import folded
from opslab.operations.cited import earlier_run
from opslab.operations.roadmap import checks
from opslab.operations.roadmap.binding import LONGEST, Work, bound_work
from opslab.operations.roadmap.dates import Drawn, drawn
from opslab.operations.roadmap.result import SURE, Load, RoadmapResult, Slips, Step
from opslab.operations.roadmap.schedule import Depends, critical_path, merge_bias, pushed_by
from opslab.operations.roadmap.slip import slips
from opslab.operations.roadmap.spec import Announcement, Initiative, Roadmap, parted
from opslab.tables.sheets import read_sheet, source_files

MONTH = 30
"""Days of the delay whose consequences are told."""
PATH = 0.25
"""Share of courses in which the end waits for a step, from which it is on the path."""
_SLIGHT = 0.5  # days by which nothing is pushed
_DIGITS = 9  # of a load: tenths add up to 1
_DECLARED = ("id", "initiative", "owner", "starts", "ends", "confidence", "kpi", "gate", "themes")

Rows = Sequence[tuple[int, Initiative]]
Known = Mapping[str, Any]
Net = tuple[Any, Depends, Any, Any]
"""Durations, what waits for what, earliest starts and earliest finishes; see `critical_path`."""


def plan_roadmap(
    roadmap: Roadmap,
    as_of: date | None = None,
    *,
    draws: int = 10_000,
    seed: int = 1,
    language: Language = "en",
) -> RoadmapResult:
    """Return when each initiative is likely done, what the end waits for, and what moved.

    An initiative starts once all it waits for is done, on its first day or later, and not before
    today unless it is under way: its first day has passed and all it waits for is done, or one of
    its tickets was started. How long it takes: its tickets at their pace, else its range of weeks,
    else its window. The end of a window with a confidence is its quantile of that chance; a window
    without one ends as late after the date announced first as past ones did, or later still if it
    waits, where these are enough; else it is taken as it stands. Initiatives are drawn
    independently of one another. No chance is told where the end waits for a date of which nothing
    tells how sure it is.

    Parameters
    ----------
    roadmap : Roadmap
    as_of : datetime.date, optional
        The roadmap's own date by default.
    draws, seed : int
    language : {"en", "fr"}
        In which the result shows itself.

    Raises
    ------
    DataError, SpecError
        For sheets that contradict themselves: file, row, what, and what to do.

    Examples
    --------
    >>> import datetime
    >>> from opslab.operations import Roadmap
    >>> steps = [{"id": "a", "initiative": "A", "weeks": 2}]
    >>> steps += [{"id": "b", "initiative": "B", "weeks": 1, "depends_on": "a"}]
    >>> roadmap = Roadmap(roadmap="shop", initiatives=steps)
    >>> str(plan_roadmap(roadmap, datetime.date(2026, 10, 5)).sure)
    '2026-10-26'
    """
    if not (day := as_of or roadmap.date):
        raise ParameterError.of("parameters.as_of_needed", field="as_of")
    given, french = roadmap.initiatives, roadmap.french
    sheet = read_sheet(roadmap, given, Initiative, "initiatives", french=french)
    rows, file = sheet.rows, sheet.reading.name if sheet.reading else None
    depends = dependencies(rows, day, file)
    history = read_sheet(roadmap, roadmap.announced, Announcement, "announcements")
    tickets = bound_work(roadmap, dict(rows).values(), day)
    roadmap, (record, previous_day, passed) = earlier_run(roadmap, "roadmap", day)
    last = {step["id"].casefold(): step for step in record.get("steps", ())}
    past, firsts = _past(roadmap, [*dict(history.rows).values()], rows, last, day)
    known, net = _network(rows, depends, tickets.work, past, firsts, day, draws, seed, file)
    drawn_steps = _steps(roadmap, rows, depends, known, net, tickets.work, last, firsts, day)
    steps = (*sorted(drawn_steps, key=lambda step: (step.start, step.id)),)
    end, still = critical_path(*net).end, [step for step in steps if step.horizon != "done"]
    planned, loads = _announced(still), [*_loads(steps, dict(rows).values(), day)]
    readings = (*filter(None, (sheet.reading, history.reading)), *tickets.readings)
    result = RoadmapResult(
        roadmap=roadmap,
        as_of=day,
        language=language,
        draws=draws,
        seed=seed,
        steps=steps,
        planned=planned,
        half=_on(np.median(end)),
        sure=_on(np.quantile(end, SURE)),
        chance=float(np.mean(end <= planned.toordinal())) if planned else None,
        path=tuple(step.id for step in still if step.critical >= PATH),
        merge_days=merge_bias(*net),
        loads=loads,
        slips=past,
        previous_day=previous_day,
        dropped=(*sorted(last[name]["id"] for name in last.keys() - {*map(_name, steps)}),),
        entered=(*sorted(step.id for step in steps if last and _name(step) not in last),),
        last=last,
        passed=tuple(run.name for run in passed),
        readings=readings,
        sources=source_files(roadmap, readings, len(rows)),
        checks=checks.run(rows, steps, tickets, loads, past, last, day),
    )
    return replace(result, chance=None) if result.vague else result


def dependencies(rows: Rows, day: date, file: str | None) -> list[tuple[int, ...]]:
    """Return for each row the places of the rows that it waits for.

    Raises
    ------
    DataError
        For an id that stands twice, that there is not, or that waits for itself in a circle; and
        for what is finished later than today.
    """
    ids = [_name(item) for _, item in rows]
    waits = [parted(item.depends_on, ";,") for _, item in rows]
    problems = [
        Problem(
            f"roadmap.{key}",
            {"name": name, "near": did_you_mean(name, ids), "day": day},
            file,
            row=row,
        )
        for at, (row, item) in enumerate(rows)
        for key, name, wrong in (
            ("twice", item.id, ids[at] in ids[:at]),
            ("to_come", item.id, item.finished and item.finished > day),
            *(("no_step", name, name.casefold() not in ids) for name in waits[at]),
        )
        if wrong
    ]
    DataError.refuse(problems)
    depends = [(*(ids.index(name.casefold()) for name in names),) for names in waits]
    try:
        critical_path(np.zeros(len(rows)), depends)
    except CycleError as error:
        loop = [rows[at] for at in error.args[1][::-1]]
        values, row = {"names": " > ".join(item.id for _, item in loop)}, min(dict(loop))
        raise DataError(Problem("roadmap.circle", values, file, row=row)) from None
    return depends


def _network(
    rows: Rows,
    depends: Depends,
    work: Mapping[str, Work],
    past: Slips | None,
    firsts: Mapping[str, date],
    day: date,
    draws: int,
    seed: int,
    file: str | None,
) -> tuple[Sequence[Drawn], Net]:
    """Return what each date stands on, and the network that they make."""
    late, known = past.days if past and past.used and past.unit == "days" else (), list[Drawn]()
    for at, (_, item) in enumerate(rows):
        waited = [rows[before][1].finished or day for before in depends[at]]
        first = firsts.get(_name(item))
        ends = first if first and item.starts and first > item.starts else item.ends
        known += [drawn(item, work.get(item.id), late, ends, waited, day, draws, seed)]
    DataError.refuse(
        [
            Problem("roadmap.far", dict(item), file, row=row)
            for (row, item), each in zip(rows, known, strict=True)
            if each.start - day.toordinal() + np.quantile(each.days, SURE) >= 7 * LONGEST
        ]
    )
    waits = [
        () if each.start < day.toordinal() else before
        for each, before in zip(known, depends, strict=True)
    ]
    starts, days, floors = (
        np.array([getattr(each, name) for each in known]) for name in ("start", "days", "floor")
    )
    return known, (days, waits, starts, floors)


def _steps(
    roadmap: Roadmap,
    rows: Rows,
    depends: Depends,
    known: Sequence[Drawn],
    net: Net,
    work: Mapping[str, Work],
    last: Mapping[str, Any],
    firsts: Mapping[str, date],
    day: date,
) -> Iterator[Step]:
    """Give each row as it stands by the simulation."""
    passes, ids = critical_path(*net), [item.id for _, item in rows]
    for at, (row, item) in enumerate(rows):
        finish, bound = passes.finish[at], work.get(item.id)
        begun = bound.begun if bound else item.finished and item.starts
        start = begun or _on(np.median(passes.start[at]))
        half, sure = map(_on, np.quantile(finish, (0.5, SURE)))
        ahead = [(start - day).days > days for days in (roadmap.now_days, roadmap.next_days)]
        slip = finish - item.ends.toordinal() if item.ends else np.zeros(1)
        low, high = map(float, np.quantile(slip, (0.05, 0.95)))
        before = [rows[to][1] for to in depends[at]]
        pushed = zip(ids, pushed_by(*net, at, MONTH).tolist(), strict=True)
        pushes = [push for push in pushed if push[1] > _SLIGHT and push[0] != item.id]
        owners = [each.owner for each in before if each.owner and not each.finished]
        name = _name(item)
        then = last.get(name)
        yield Step(
            **{name: getattr(item, name) for name in _DECLARED},
            row=row,
            horizon="done" if item.finished else ("now", "next", "later")[sum(ahead)],
            start=start,
            half=half,
            sure=sure,
            slip_days=float(slip.mean()),
            slip_low=low,
            slip_high=high,
            critical=float(passes.critical[at].mean() * (not item.finished)),
            slack_days=float(np.median(passes.slack[at])),
            depends_on=tuple(each.id for each in before),
            across=(*sorted({who for who in owners if folded(who) != folded(item.owner or "")}),),
            pushes=(*sorted(pushes, key=lambda push: (-push[1], push[0])),),
            done=bound and bound.done,
            tickets=bound and bound.tickets,
            source=known[at].source,
            moved_days=then and (sure - date.fromisoformat(then["sure"])).days,
            first_announced=firsts.get(name, item.ends),
            uncertain=known[at].uncertain,
            refuted=known[at].refuted,
            weeks=tuple(dict(item.weeks or {}).values()),
        )


def _past(
    roadmap: Roadmap, announced: Sequence[Announcement], rows: Rows, last: Known, day: date
) -> tuple[Slips | None, Mapping[str, date]]:
    """Return how late past dates were, and the days that were announced first.

    The last run knew them too, of what no announcement tells.
    """
    known = {
        name: date.fromisoformat(first)
        for name, step in last.items()
        if (first := step.get("first_announced"))
    }
    if not announced:
        return None, known
    finished = {_name(item): item.finished for _, item in rows}
    past = slips(announced, day, roadmap.releases, finished)
    firsts = past.firsts if past.unit == "days" else {}
    return past, known | {name: date.fromordinal(int(firsts[name])) for name in firsts}


def _loads(steps: Sequence[Step], items: Iterable[Initiative], day: date) -> Iterator[Load]:
    """Give how much of each owner is taken at most in each month, from today to the likely ends."""
    shares = {item.id: item.load for item in items}
    owners = {folded(step.owner): step.owner for step in steps[::-1] if step.owner}
    days = pd.date_range(day, max(step.half for step in steps))
    for owner in sorted(owners):
        busy: Any = pd.Series(0.0, days)
        for step in steps:
            if folded(step.owner or "") == owner:
                busy[str(step.start) : str(step.half - timedelta(1))] += shares[step.id]
        fullest = busy[busy > 0].resample("MS").max().dropna().round(_DIGITS)
        for month, load in zip(fullest.index.date, fullest, strict=True):
            yield Load(owners[owner], month, load)


def _announced(still: Sequence[Step]) -> date | None:
    """Return the latest end of the open steps that no open step waits for, if all have one."""
    waited = {name for step in still for name in step.depends_on}
    ends = [step.ends for step in still if step.id not in waited]
    return max(filter(None, ends)) if ends and all(ends) else None


def _name(named: Step | Initiative) -> str:
    return named.id.casefold()


def _on(ordinal: float) -> date:
    return date.fromordinal(math.ceil(ordinal - 1e-6))
