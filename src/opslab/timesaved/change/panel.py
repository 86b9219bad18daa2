"""From exports to a panel: a value for each team and week, and what was odd on the way."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
import pandas as pd

from opslab.errors import DataError
from opslab.messages import Bilingual
from opslab.sheet_alone import answering
from opslab.tables.exports import open_export
from opslab.tables.import_report import Reading
from opslab.timesaved.change import queries
from opslab.timesaved.change.entries import keep_entries
from opslab.timesaved.change.spec import ChangeReview
from opslab.uncertainty.distributions import Values

_UNREAD = ("_width", "_required", "_cell", "_no_object", "_quote")
"""Why the reader sets rows aside that may be work."""
_TOLD = ("_at", "date", "hours", "value")
"""Columns whose cells count."""


@dataclass(frozen=True)
class Panel:
    """What each team logged in each week, whole weeks only.

    Attributes
    ----------
    units : tuple of str
        Teams, in the order of their names.
    periods : tuple of datetime.date
        First day of each week (Monday) or month, without gaps.
    values : array (units, periods)
        In the measure's unit; minutes and elapsed days as the geometric mean of the rows, shares
        from 0 to 1; NaN where nothing is known.
    rows : array (units, periods)
        Rows behind each value.
    starts : array of int (units,)
        Position of the first period with the change, ``len(periods)`` and more where it never came.
        A start within a period counts as of the next one, and that period is left out (NaN).
    odd : Mapping of str to (int, tuple of str)
        What was left out, mended or doubted, by reason (a check's name): how many, and the first
        twelve of them: numbers of rows, teams, or days; nobody's name.
    readings : tuple of Reading
    effort : bool
        Whether the values are work: logged hours or meetings; elapsed time never is.
    cancelled : array (units, periods)
        Tickets that were left out because they were cancelled.
    """

    units: tuple[str, ...]
    periods: tuple[datetime.date, ...]
    values: Values
    rows: Values
    starts: Values
    odd: Mapping[str, tuple[int, tuple[str, ...]]]
    readings: tuple[Reading, ...]
    effort: bool
    cancelled: Values

    @property
    def first(self) -> int:
        """Periods before the first start after the first of them; all where there is none."""
        return int(min([*self.starts[self.starts > 0], len(self.periods)]))


def read_panel(review: ChangeReview, day: datetime.date, data: Any = None) -> Panel:
    """Return the panel that a review's exports tell as of a day.

    Parameters
    ----------
    review : ChangeReview
    day : datetime.date
        What is logged later does not count; a last week that is not over neither.
    data : path or frame, optional
        In the place of the export.

    Raises
    ------
    DataError
        For a column that is not there, or rows that contradict each other.
    SpecError
        For a team with a start that is nowhere in the data, with what is near.
    """
    exports = review.data if isinstance(review.data, tuple) else (review.data,)
    given = [review.beside(export.path) if data is None else data for export in exports]
    with answering(review), ExitStack() as opened:
        tables = [
            opened.enter_context(open_export(source, answers=export))
            for source, export in zip(given, exports, strict=True)
        ]
        values = keep_entries(review, [*zip(tables, exports, strict=True)], day)
        odd = {
            reason: (count, tuple(examples))
            for reason, count, examples in tables[0].fetch(queries.ODD.format(**values))
        }
        grid = pd.DataFrame(tables[0].arrays(queries.USED))
    readings = tuple(table.reading for table in tables)
    odd |= {name: lost for name, lost in _lost(readings).items() if lost[0]}
    if not grid["rows"].sum():
        count = sum(count for name, (count, _) in odd.items() if name != "doubtful")
        raise DataError.of("change.none_left", file=readings[0].name, day=day, count=count)
    units, periods = grid["team"].unique(), pd.to_datetime(grid["day"].unique())
    matrix, rows, starts, cancelled = (
        grid[name].to_numpy(float, na_value=np.nan).reshape(len(units), -1)
        for name in ("value", "rows", "start", "cancelled")
    )
    return Panel(
        tuple(Bilingual(unit, french=review.french.get(unit, unit)) for unit in units),
        tuple(periods.date),
        matrix,
        rows,
        starts[:, 0].astype(int),
        odd,
        readings,
        values["kind"] != "tickets" and review.measure.quantity in ("hours", "minutes"),
        cancelled,
    )


def _lost(readings: Sequence[Reading]) -> dict[str, tuple[int, tuple[str, ...]]]:
    """Return what the reader could not read, and files as long as their tool allows."""
    rejections = [at for reading in readings for at in reading.rejections]
    rows = {at.row for at in rejections if at.key.endswith(_UNREAD)}
    count, capped = sum(reading.rejected for reading in readings) if rows else 0, list[str]()
    for key, values, column, _ in (astuple(at) for each in readings for at in each.decisions):
        if key == "tables.decided_emptied" and f"{column}".endswith(_TOLD):
            count += values["count"]
            rows.add(values["row"])
        elif key == "tables.decided_row_cap":
            capped.append(str(values["count"]))
    first = tuple(map(str, sorted(rows)[:12]))
    return {"unread": (count, first), "capped": (len(capped), tuple(capped))}
