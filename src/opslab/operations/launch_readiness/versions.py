"""A version of the checklist: which rows are its items, when each is due, as what it counts."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from opslab.errors import DataError, Problem
from opslab.names import folded, leads_somewhere, named, names_somebody, singular
from opslab.operations.launch_readiness.checks import ASIDE, FLAGS
from opslab.operations.launch_readiness.result import Judged, State
from opslab.operations.launch_readiness.spec import TIERS, Item, Launch, Status
from opslab.tables.import_report import Reading
from opslab.tables.sheets import SheetFile, read_sheet

_BEFORE = re.compile(
    r"(?:jour\s+)?[TJ]\s*(?:(\+)|[-\N{MINUS SIGN}\N{EN DASH}])?\s*(\d{0,4})", re.IGNORECASE
)
_RUN = re.compile(r"([^:#]*\d{4}-\d\d-\d\d-[0-9a-f]{8}(/[^:#]*)?)(#.*)?")
_WORKBOOKS = (".xlsx", ".xlsm")
_WORDS, _MOST = 2, 6  # of a reason; days that a message lists

Day = datetime.date | None
Rows = Sequence[tuple[int, Item]]


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
    proven = leads_somewhere(item.evidence)
    if status == "na":
        proven = names_somebody(item.reason) and len(folded(item.reason or "").split()) >= _WORDS
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
    return "red" if red else "amber", tuple(name for name in FLAGS if flags[name])


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
    if isinstance(given, SheetFile) and sheet.reading and given.path.lower().endswith(_WORKBOOKS):
        DataError.refuse([*_merged(launch.beside(given.path), sheet.reading, sheet.rows[0][0])])
    aside: dict[str, list[int]] = {name: [] for name in ASIDE}
    items, problems, seen = list[Judged](), list[Problem](), dict[str, tuple[int, Item]]()
    undated: dict[int, str] = {}
    for row, item in _chosen(launch, sheet.rows, file, aside):
        due, own = _due(launch, item.due), item.known_as
        run = _RUN.fullmatch(item.evidence or "")
        lost = {"evidence": None} if run and not launch.beside(run[1]).exists() else {}
        counts, why = counted(item.model_copy(update=lost), due, day, start)
        announced = next((first[key] for key in own if key in first), None)
        judged = Judged(
            **dict(item)
            | {"row": row, "due": due, "counts_as": counts, "why": why}
            | {"days_left": (due - day).days if due else None}
            | {"slip_days": (due - announced).days if due and announced else None}
        )
        names = (*own, folded(item.item))
        twins = (seen[name] for name in names if name in seen)
        other, twin = next((known for known in twins if _same(known[1], item)), (row, item))
        if item.due and not due and _BEFORE.fullmatch(str(item.due)):
            undated[row] = str(item.due)
        elif wrong := "differs" if twin != item else "no_day" if item.due and not due else "":
            values = {"item": item.item, "other": other, "given": item.due}
            problems.append(Problem(f"launch_readiness.{wrong}", values, file, row=row))
        elif other != row:
            aside["repeated"].append(row)
        else:
            for name in names:
                seen.setdefault(name, (row, item))
            items.append(judged)
            for name in own:
                if due:
                    first.setdefault(name, due)
    if undated:
        values = {"given": [*undated.values()][:_MOST], "rows": [*undated], "count": len(undated)}
        problems.append(Problem("launch_readiness.no_start", values, file))
    DataError.refuse(problems)
    return State(day, (start - day).days if start else None, tuple(items), aside, sheet.reading)


def _chosen(
    launch: Launch, rows: Rows, file: str | None, aside: Mapping[str, list[int]]
) -> Iterable[tuple[int, Item]]:
    """Give the rows of the launch and of its tier; which are not, or may not be, is told."""
    only, tier = folded(launch.only or ""), TIERS[launch.tier]
    names = {folded(item.launch): str(item.launch) for _, item in rows if item.launch}
    if (only or len(names) > 1) and only not in names:
        listed = sorted(names.values())
        raise DataError.of("launch_readiness.which_launch", file=file, names=listed)
    for row, item in rows:
        name = folded(item.launch or "")
        if only and name not in ("", only):
            aside["near" if singular(name) == singular(only) else "others"].append(row)
        elif TIERS[item.tier or launch.tier] > tier:
            aside["larger"].append(row)
        else:
            aside["unnamed"] += [row] * (not name and len(names) > 1)
            yield row, item


def _same(first: Item, second: Item) -> bool:
    """Return whether two rows are one item: by their ids, else by their words and functions."""
    if first.id and second.id:
        return folded(first.id) == folded(second.id)
    functions = {folded(item.function) for item in (first, second) if item.function}
    return folded(first.item) == folded(second.item) and len(functions) <= 1


def _merged(path: Path, reading: Reading, top: int) -> Iterable[Problem]:
    """Give what a workbook merges over rows of the table: all but the first of them are empty."""
    from python_calamine import load_workbook

    book = load_workbook(path)
    named = (known.values["sheet"] for known in reading.decisions if "sheet" in known.values)
    sheet = book.get_sheet_by_name(next(named, book.sheet_names[0]))
    for (start, column), (end, _) in sheet.merged_cell_ranges or ():
        if start < end >= top - 1:
            values = {"first": start + 1, "last": end + 1, "column": column + 1}
            yield Problem("launch_readiness.merged", values, reading.name, row=start + 1)


def _due(launch: Launch, given: Day | str) -> Day:
    """Return the day that is written, of a milestone, or so long before or after the launch."""
    if not isinstance(given, str):
        return given
    before, start = _BEFORE.fullmatch(given), launch.launch_date
    if start and before and given not in launch.milestones:
        return start + datetime.timedelta(int((before[1] or "-") + (before[2] or "0")))
    return launch.milestones.get(given)
