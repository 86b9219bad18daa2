"""The gate of a launch: go, conditional or no-go, and what stands behind it.

As in Kubernetes' production readiness review (kubernetes/community, sig-architecture), blockers are
absolute: no average buys one out.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Sequence
from itertools import chain, pairwise

from opslab.errors import DataError, ParameterError, Problem
from opslab.messages import Language
from opslab.names import folded, named, names_somebody
from opslab.operations.launch_readiness import checks
from opslab.operations.launch_readiness.result import (
    Decision,
    Judged,
    ReadinessResult,
    State,
    in_order,
)
from opslab.operations.launch_readiness.spec import TIERS, Briefing, Item, Launch, Status
from opslab.tables.sheets import SheetFile, read_sheet, source_files

_BEFORE = re.compile(r"[TJ]\s*[-\N{MINUS SIGN}\N{EN DASH}]?\s*(\d{0,4})", re.IGNORECASE)
_TOLERANCE = 1e-9  # of a sum of weights


def readiness(
    launch: Launch, as_of: datetime.date | None = None, *, language: Language = "en"
) -> ReadinessResult:
    """Return whether a launch is ready, what blocks it, and who does what by when.

    Parameters
    ----------
    launch : Launch
    as_of : datetime.date, optional
        The launch's own date by default.
    language : {"en", "fr"}
        In which the result shows itself.

    Raises
    ------
    DataError
        For sheets that contradict themselves: row, what, and what to do.

    Examples
    --------
    >>> import datetime
    >>> from opslab.operations import Launch
    >>> item = {"item": "Rollback rehearsed", "status": "amber", "blocking": True}
    >>> launch = Launch(launch="checkout", checklist=[item | {"owner": "hugo"}])
    >>> readiness(launch, datetime.date(2026, 10, 5)).action
    'no_go'
    """
    day, start = as_of or launch.date, launch.launch_date
    if day is None:
        raise ParameterError.of("parameters.as_of_needed", field="as_of")
    earlier = sorted(launch.snapshots, key=lambda snapshot: snapshot.date)
    states = [state(launch, sheet, sheet.date, sheet.launch_date or start) for sheet in earlier]
    states.append(now := state(launch, launch.checklist, day, start))
    for before, after in pairwise(states):
        if before.day >= after.day:
            raise DataError.of("launch_readiness.snapshot_day", field="snapshots", day=after.day)
    sheet = read_sheet(launch, launch.briefing, Briefing, "briefing", french=launch.french)
    sessions = [session(row, known, launch, day) for row, known in sheet.rows]
    undone = [judged for judged in (*now.items, *sessions) if judged.open]
    ready = now.readiness + _TOLERANCE >= launch.needed
    conditions = [judged for judged in now.items if judged.item.blocking and judged.counts == "na"]
    conditions += [
        judged
        for judged in undone
        if not judged.item.blocking and (judged in sessions or not ready)
    ]
    checked = checks.run(launch, states, sessions)
    doubts = [check for check in checked if check.status == "fail" and not check.accepted]
    readings = [known.reading for known in states if known.reading]
    readings += [sheet.reading] if sheet.reading else []
    return ReadinessResult(
        launch=launch,
        as_of=day,
        language=language,
        decision=decide(now.blockers, len(doubts) + len(conditions), ready=ready),
        states=tuple(states),
        blockers=in_order(judged for judged in undone if judged.item.blocking),
        demands=in_order(conditions),
        todo=in_order(undone),
        briefed=tuple(known for _, known in sheet.rows),
        slips=slips(states),
        readings=tuple(readings),
        sources=source_files(launch, readings, len(now.items)),
        checks=checked,
    )


def decide(blockers: int, conditions: int, *, ready: bool) -> Decision:
    """Return the decision: nothing buys a blocker out.

    Parameters
    ----------
    blockers : int
        Blocking items that are not proven.
    conditions : int
        What has to be met besides.
    ready : bool
        Whether the weighted readiness is what the launch needs.

    Examples
    --------
    >>> decide(1, 0, ready=True), decide(0, 1, ready=True), decide(0, 0, ready=True)
    ('no_go', 'conditional', 'go')
    """
    if blockers:
        return "no_go"
    return "go" if ready and not conditions else "conditional"


def counted(
    item: Item, due: datetime.date | None, day: datetime.date, start: datetime.date | None
) -> tuple[Status, tuple[str, ...]]:
    """Return as what an item counts on a day, and why that differs from what is written.

    Green needs evidence, and a blocking item an owner too; what does not apply needs a reason. What
    is not green is red once its day has passed, or where it comes after the launch.

    Examples
    --------
    >>> day = datetime.date(2026, 10, 5)
    >>> counted(Item(item="rollback rehearsed", status="green"), None, day, None)
    ('amber', ('no_evidence',))
    """
    settled = item.status in ("green", "na")
    flags = {
        "no_status": not item.status,
        "no_reason": item.status == "na" and not named(item.reason),
        "no_evidence": item.status == "green" and not named(item.evidence),
        "no_owner": settled and item.blocking and not names_somebody(item.owner),
    }
    if item.status and settled and not any(flags.values()):
        return item.status, ()
    late = {
        "overdue": due and due < day,
        "after_launch": due and start and due > start,
    }
    red = any(late.values()) or item.status not in ("green", "amber")
    return "red" if red else "amber", tuple(name for name, true in (flags | late).items() if true)


def state(
    launch: Launch,
    given: SheetFile | Sequence[Item],
    day: datetime.date,
    start: datetime.date | None,
) -> State:
    """Return a checklist as it counts on a day, with the launch on another.

    Raises
    ------
    DataError
        For rows that contradict one another, or whose day cannot be known.
    """
    sheet = read_sheet(launch, given, Item, "checklist", french=launch.french)
    file = sheet.reading.name if sheet.reading else None
    names = {item.launch for _, item in sheet.rows if item.launch}
    if (launch.only or len(names) > 1) and launch.only not in names:
        raise DataError.of("launch_readiness.which_launch", file=file, names=sorted(names))
    firsts: dict[tuple[str, ...], tuple[int, Item]] = {}
    twice, items, problems = list[int](), list[Judged](), list[Problem]()
    for row, item in sheet.rows:
        if launch.only not in (None, item.launch or launch.only):
            continue
        first, same = firsts.setdefault(identity(item), (row, item))
        due = due_day(launch, item, start)
        key = "differs" if same != item else "no_day" if item.due and not due else ""
        if key:
            values = {"item": item.item, "first": first, "given": item.due}
            problems.append(Problem(f"launch_readiness.{key}", values, file, row=row))
        elif first != row:
            twice.append(row)
        elif TIERS[item.tier or launch.tier] <= TIERS[launch.tier]:
            items.append(Judged(row, item, due, *counted(item, due, day, start)))
    DataError.refuse(problems)
    return State(day, start, tuple(items), tuple(twice), sheet.reading)


def identity(item: Item) -> tuple[str, ...]:
    """Return what names an item: its reference, else its words and its function."""
    return (item.id,) if item.id else (folded(item.item), folded(item.function or ""))


def due_day(launch: Launch, item: Item, start: datetime.date | None) -> datetime.date | None:
    """Return the day that an item is due: as written, by milestone, or so long before the launch.

    None where it cannot be known.
    """
    if not isinstance(item.due, str):
        return item.due
    before = _BEFORE.fullmatch(item.due)
    if start and before and item.due not in launch.milestones:
        return start - datetime.timedelta(int(before[1] or 0))
    return launch.milestones.get(item.due)


def session(row: int, known: Briefing, launch: Launch, day: datetime.date) -> Judged:
    """Return a function's briefing as an item of the gate."""
    flags = {
        "unbriefed": known.briefed < launch.briefed * (known.people or math.inf),
        "questions": known.unanswered > 0,
    }
    why = tuple(name for name, true in flags.items() if true)
    item = Item(item=known.function, owner=known.owner)
    due = known.date if known.date and known.date >= day else launch.launch_date
    return Judged(row, item, due, "amber" if why else "green", why)


def slips(states: Sequence[State]) -> dict[tuple[str, ...], int]:
    """Return by how many days items are due later than was first announced; earlier is below 0.

    Items without a day, now or before, are in none.
    """
    first: dict[tuple[str, ...], datetime.date] = {}
    for judged in chain.from_iterable(known.items for known in states[:-1]):
        if judged.due:
            first.setdefault(identity(judged.item), judged.due)
    return {
        key: (judged.due - first[key]).days
        for judged in states[-1].items
        if judged.due and (key := identity(judged.item)) in first
    }
