"""The gate of a launch: go, conditional or no-go, and what stands behind it.

As in Kubernetes' production readiness review (kubernetes/community, sig-architecture), blockers are
absolute: no average buys one out.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence

from opslab.errors import DataError, ParameterError, Problem
from opslab.messages import Language
from opslab.names import folded, named, names_somebody
from opslab.operations.launch_readiness import checks
from opslab.operations.launch_readiness.result import Judged, ReadinessResult, State
from opslab.operations.launch_readiness.spec import TIERS, Briefing, Item, Launch, Status
from opslab.tables.sheets import SheetFile, read_sheet, source_files

_BEFORE = re.compile(r"[TJ]\s*[-\N{MINUS SIGN}\N{EN DASH}]?\s*(\d{0,4})", re.IGNORECASE)

Day = datetime.date | None


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
    day = as_of or launch.date
    if day is None:
        raise ParameterError.of("parameters.as_of_needed", field="as_of")
    earlier = sorted(launch.snapshots, key=lambda snapshot: snapshot.date)
    days = [*(snapshot.date for snapshot in earlier), day]
    if sorted({*days}) != days:
        raise DataError.of("launch_readiness.snapshot_days", field="snapshots", day=day)
    first: dict[str, datetime.date] = {}
    states = [state(launch, sheet, sheet.date, first) for sheet in earlier]
    states.append(now := state(launch, launch.checklist, day, first))
    sheet = read_sheet(launch, launch.briefing, Briefing, "briefing", french=launch.french)
    sessions = [_session(*known, launch, day) for known in sheet.rows]
    todo = sorted(
        (judged for judged in (*now.items, *sessions) if judged.open),
        key=lambda known: (known.due or datetime.date.max, known.item, known.row),
    )
    short = now.readiness < launch.needed
    demands = [judged for judged in now.items if judged.blocking and judged.counts_as == "na"]
    demands += [judged for judged in todo if not judged.blocking and (short or judged in sessions)]
    readings = (*filter(None, [*(known.reading for known in states), sheet.reading]),)
    return ReadinessResult(
        launch=launch,
        as_of=day,
        language=language,
        states=tuple(states),
        blockers=tuple(judged for judged in todo if judged.blocking),
        demands=tuple(demands),
        todo=tuple(todo),
        briefed=tuple(known for _, known in sheet.rows),
        sessions=tuple(sessions),
        readings=readings,
        sources=source_files(launch, readings, len(now.items)),
        checks=checks.run(launch, states, sessions),
    )


def counted(item: Item, due: Day, day: datetime.date, start: Day) -> tuple[Status, tuple[str, ...]]:
    """Return as what an item counts on a day, and what it lacks.

    Green needs evidence, and a blocking item an owner too; what does not apply needs a reason. What
    is not green is red once its day has passed, or where it comes after the launch.

    Examples
    --------
    >>> day = datetime.date(2026, 10, 5)
    >>> counted(Item(item="rehearsed", function="it", owner="hugo", status="green"), day, day, None)
    ('amber', ('no_evidence',))
    """
    status, owned = item.status, names_somebody(item.owner)
    proven = named(item.reason if status == "na" else item.evidence)
    if status in ("green", "na") and proven and (owned or not item.blocking):
        return status, ()
    late = {"overdue": due and due < day, "after_launch": due and start and due > start}
    flags = late | {
        "no_status": not status,
        "no_evidence": status == "green" and not proven,
        "no_reason": status == "na" and not proven,
        "no_owner": not owned,
        "no_function": not named(item.function),
        "no_date": not due,
    }
    red = any(late.values()) or status not in ("green", "amber")
    return "red" if red else "amber", tuple(name for name in checks.FLAGS if flags[name])


def state(
    launch: Launch,
    given: SheetFile | Sequence[Item],
    day: datetime.date,
    first: dict[str, datetime.date],
) -> State:
    """Return a checklist as it counts on a day.

    What is announced here for the first time is added to the days that were announced `first`.

    Raises
    ------
    DataError
        For rows that contradict one another, or whose day cannot be known.
    """
    sheet = read_sheet(launch, given, Item, "checklist", french=launch.french)
    file, start = sheet.reading.name if sheet.reading else None, launch.launch_date
    names = sorted({str(item.launch) for _, item in sheet.rows if item.launch})
    if (launch.only or len(names) > 1) and launch.only not in names:
        raise DataError.of("launch_readiness.which_launch", file=file, names=names)
    known: dict[str, tuple[int, Item]] = {}
    twice, items, problems = list[int](), list[Judged](), list[Problem]()
    for row, item in sheet.rows:
        if launch.only not in (None, item.launch or launch.only):
            continue
        key = item.id or folded(f"{item.item} / {item.function}")
        other, same = known.setdefault(key, (row, item))
        due = _due(launch, item.due)
        wrong = "differs" if same != item else "no_day" if item.due and not due else ""
        if wrong:
            values = {"item": item.item, "other": other, "given": item.due}
            problems.append(Problem(f"launch_readiness.{wrong}", values, file, row=row))
        elif other != row:
            twice.append(row)
        elif TIERS[item.tier or launch.tier] <= TIERS[launch.tier]:
            counts, why = counted(item, due, day, start)
            more = {
                "row": row,
                "due": due,
                "days_left": (due - day).days if due else None,
                "slip_days": (due - first[key]).days if due and key in first else None,
                "counts_as": counts,
                "why": why,
            }
            items.append(Judged(**dict(item) | more))
            if due:
                first.setdefault(key, due)
    DataError.refuse(problems)
    left = (start - day).days if start else None
    return State(day, left, tuple(items), twice, sheet.reading)


def _due(launch: Launch, given: Day | str) -> Day:
    """Return the day that is written, that of a milestone, or the one so long before the launch."""
    if not isinstance(given, str):
        return given
    before, start = _BEFORE.fullmatch(given), launch.launch_date
    if start and before and given not in launch.milestones:
        return start - datetime.timedelta(int(before[1] or 0))
    return launch.milestones.get(given)


def _session(row: int, known: Briefing, launch: Launch, day: datetime.date) -> Judged:
    """Return a function's briefing as an item of the gate: dated before the launch."""
    enough = known.people and known.briefed >= launch.briefed * known.people
    why = ("unbriefed",) * (not enough) + ("questions",) * (known.unanswered > 0)
    return Judged(
        row=row,
        item=known.function,
        owner=known.owner,
        due=known.date if not why or (known.date and known.date >= day) else launch.launch_date,
        counts_as="amber" if why else "green",
        why=why,
    )
