"""Tables in and out: inventory, measurements, past estimates, the sheet for interviews."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from opslab.messages import Language, text
from opslab.tables import write_xlsx
from opslab.tables.profiles import known_profiles
from opslab.tables.sheets import Inherited, Model, Sheet, SheetFile, read_sheet
from opslab.timesaved.inventory import TASK_FIELDS, Inventory, Line, Measurement, Past

_PROFILES = {Line: "time-inventory", Measurement: "time-measurements", Past: "past-estimates"}
_TASK = Inherited(("task", "role"), TASK_FIELDS)
_MORE = ("bass_p", "bass_q", "grade")  # not asked in an interview
_KEPT = "task role initiative people ramp_months rate currency benefit owner"
_HOW = "range bet apart absurd premortem percent basis"


def rows_of(
    inventory: Inventory, given: SheetFile | Sequence[Model], model: type[Model]
) -> Sheet[Model]:
    """Return the rows of one of an inventory's tables.

    A further row of a task may leave its own cells empty, or repeat them; see `read_sheet`.
    """
    return read_sheet(
        inventory,
        given,
        model,
        _PROFILES[model],
        french=inventory.french,
        inherited=_TASK if model is Line else None,
    )


def interview_sheet(
    path: str | Path, tasks: Sequence[Line] = (), language: Language = "en"
) -> Path:
    """Write a workbook that asks people for ranges, and that reads back in as an inventory.

    Low and high are asked one at a time, each as a value that one answer in twenty would pass; a
    second sheet says how to find them. Ranges are left empty, so that nobody anchors on another's.

    Parameters
    ----------
    path : path
        An XLSX file.
    tasks : sequence of Line
        Tasks to ask about.
    language : {"en", "fr"}
    """
    import pandas as pd

    columns = known_profiles()["time-inventory"].columns
    asked = {
        name: column.headers[1 + (language == "fr")]
        for name, column in columns.items()
        if not name.endswith("_likely") and name not in _MORE
    }
    cells = {
        heading: [getattr(task, name) if name in _KEPT.split() else None for task in tasks]
        for name, heading in asked.items()
    }
    how = [text(f"timesaved.how_{name}", language) for name in _HOW.split()]
    title = text("timesaved.how", language)
    asking, telling = pd.DataFrame(cells, dtype=object), pd.DataFrame({title: how})
    return write_xlsx({text("timesaved.sheet", language): asking, title: telling}, path)
