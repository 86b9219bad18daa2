"""The gate of a launch: go, conditional or no-go, and what stands behind it.

As in Kubernetes' production readiness review (kubernetes/community, sig-architecture), blockers are
absolute: no average buys one out.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from opslab.errors import DataError, ParameterError, Problem
from opslab.messages import Language
from opslab.operations.launch_readiness import checks
from opslab.operations.launch_readiness.result import Judged, ReadinessResult
from opslab.operations.launch_readiness.spec import Briefing, Launch
from opslab.operations.launch_readiness.versions import state
from opslab.tables.sheets import read_sheet, source_files


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
    file = sheet.reading.name if sheet.reading else None
    DataError.refuse([*_impossible(sheet.rows, file)])
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


def _impossible(rows: Iterable[tuple[int, Briefing]], file: str | None) -> Iterable[Problem]:
    """Give the rows in which more are briefed, or answered, than there are."""
    for row, known in rows:
        if known.unanswered < 0 or known.briefed > (known.people or known.briefed):
            values = {**dict(known), "asked": known.asked}
            yield Problem("launch_readiness.too_many", values, file, row=row)


def _session(row: int, known: Briefing, launch: Launch, day: datetime.date) -> Judged:
    """Return a function's briefing as an item of the gate: dated before the launch."""
    flags = {
        "unbriefed": not known.people or known.briefed < launch.briefed * known.people,
        "questions": known.unanswered > 0,
    }
    coming = known.date and known.date > day
    why = (*filter(flags.get, flags),) or ("session_to_come",) * bool(coming and known.briefed)
    return Judged(
        row=row,
        item=known.function,
        owner=known.owner,
        due=known.date if not why or (known.date and known.date >= day) else launch.launch_date,
        counts_as="amber" if why else "green",
        why=why,
        briefing=known,
    )
