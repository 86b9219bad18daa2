"""The units of an experiment as a frame: what the analysis sums, for an analyst's own eyes."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from opslab.errors import ParameterError
from opslab.experiments.analysis import opened_units
from opslab.experiments.basis import Source
from opslab.experiments.grounds import collect_grounds
from opslab.experiments.moments.values import filled_sql
from opslab.experiments.spec import Experiment
from opslab.experiments.units.event_log import ASSIGNED
from opslab.experiments.units.row_sums import free_names
from opslab.experiments.units.unit_table import UnitTable, row_count
from opslab.frames import Form, in_form, kept, remark_step, step_within
from opslab.messages import Language
from opslab.tables.source import ROW, quoted

if TYPE_CHECKING:
    import pandas as pd


def units(
    source: Source,
    as_of: datetime.date | None,
    *,
    form: Form,
    ids: bool,
    language: Language = "en",
) -> Any:
    """Return the units, as `Experiment.units` tells."""
    frame = _read(source, as_of, ids=ids)
    remark_step(frame.attrs["step"], frame.attrs["units"], language)
    return in_form(frame if form == "pandas" else frame.reset_index(), form)


def rows_of(rows: Any, source: Source, as_of: datetime.date | None) -> list[int]:
    """Return the numbers of the rows that a mask, a part of the frame or a list names."""
    frame = _read(source, as_of)
    known, labelled = frame.index, hasattr(rows, "iloc")
    own = rows.index if labelled else known
    part = isinstance(rows, type(frame)) and own.name == known.name
    values: Any = np.asarray(own if part else rows)
    mask = values.dtype == bool
    if mask and values.shape == known.shape and known.equals(own):
        values = known[values]
    # A sample stands for units that it does not name; a column of numbers may be meant as a mask.
    fits = frame.attrs["step"] == 1 if part or mask else not labelled
    if not fits or values.dtype.kind not in "iu" or not np.isin(values, known).all():
        raise ParameterError.of("experiments.rows", units=frame.attrs["units"])
    return [*map(int, np.unique(values))]


def _read(source: Source, as_of: datetime.date | None, *, ids: bool = False) -> pd.DataFrame:
    """Return the units; those of files are read once, until a file changes."""
    experiment = source.experiment

    def read() -> pd.DataFrame:
        with opened_units(source, as_of) as (table, units):
            if table.remote or units.counted or units.moments:
                raise ParameterError.of("experiments.no_units")
            collect_grounds(experiment, units)  # what cannot be summed is refused as there
            return _frame(experiment, units, table.relation if ids else "")

    if source.data is not None:
        return read()
    files = source.states.items()
    return kept((experiment.model_dump_json(), *files, as_of, ids, *source.left_out), read)


def _frame(experiment: Experiment, units: UnitTable, named: str) -> pd.DataFrame:
    """Return a row for each unit, with its id where there is SQL that names it."""
    own, rows = units.table, row_count(units.table, units.where)
    columns, source = _columns(experiment, units), own.relation
    if named:
        columns.append(("unit", "opslab_id"))
        unit, named = ("opslab_unit", ASSIGNED) if units.events else (experiment.unit, named)
        unit = f"SELECT {quoted(unit)} AS opslab_id, {ROW} FROM {named}"
        source = f"{source} JOIN ({unit}) USING ({ROW})"
    names = free_names([name for name, _ in columns], ["row"])
    cells = [f"{sql} AS {quoted(name)}" for name, (_, sql) in zip(names, columns, strict=True)]
    step = step_within(rows, len(columns))
    # Of each arm every so many: in the file the arms may take turns.
    order = f"row_number() OVER (ORDER BY {quoted(units.arm)}, {ROW})"
    sampled = f" QUALIFY {order} % {step} = 0" * (step > 1)
    cells.insert(0, f"{ROW} + 1 AS row")
    query = f"SELECT {', '.join(cells)} FROM {source} WHERE {units.where}{sampled} ORDER BY row"
    frame: pd.DataFrame = own.arrow(query).to_pandas(date_as_object=False).set_index("row")
    frame.attrs = {"step": step, "units": rows}
    return frame


def _columns(experiment: Experiment, units: UnitTable) -> list[tuple[str, str]]:
    """Return the name and the SQL of each column."""
    own, columns = units.table, [("arm", f"CAST({quoted(units.arm)} AS VARCHAR)")]
    before = list[str]()
    for metric in units.metrics:
        if not own.types.keys() >= {*metric.own.values()}:
            continue  # a quantile over finer rows: no unit has a value of it
        parts = {part: filled_sql(own, metric.column_of(name)) for part, name in metric.own.items()}
        if len(parts) > 1:
            columns += [(f"{metric.name} ({part})", sql) for part, sql in parts.items()]
        columns.append((metric.name, " / nullif(".join(parts.values()) + ", 0)" * (len(parts) - 1)))
        before += [name for names in metric.covariate_columns for name in names]
    before += experiment.columns("segments", "strata")
    columns += [(name, quoted(name)) for name in dict.fromkeys(before)]
    others = {
        "day": units.day and f"CAST({units.day} AS DATE)",
        "phase": experiment.phases and f"left({units.strata}, 10)",
        "triggered": experiment.trigger and f"CAST({quoted(experiment.trigger)} AS BOOLEAN)",
    }
    return columns + [(name, sql) for name, sql in others.items() if sql]
