"""From a spec and its data to a result: the one call behind the readout."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from opslab import workspace
from opslab.errors import DataError
from opslab.experiments.basis import DataUsed, Plan, Source
from opslab.experiments.checks.all_checks import all_checks
from opslab.experiments.checks.rules import FEWEST_CLUSTERS
from opslab.experiments.course import corrected
from opslab.experiments.decision import Read, decide, ends
from opslab.experiments.designs.looks import SEQUENTIAL, look_days
from opslab.experiments.designs.reading import peeking, read_design, stopping_look
from opslab.experiments.grounds import Grounds, collect_grounds
from opslab.experiments.inference.attrition import with_bounds
from opslab.experiments.inference.comparisons import judge
from opslab.experiments.inference.metric_comparisons import deviations
from opslab.experiments.inference.over_time import by_day, trends
from opslab.experiments.inference.permutation import with_permutation
from opslab.experiments.inference.segments import by_segment
from opslab.experiments.moments.values import with_values
from opslab.experiments.phases import Period
from opslab.experiments.result import (
    Companion,
    Comparison,
    ExperimentResult,
    Interaction,
    Trend,
)
from opslab.experiments.spec import Experiment
from opslab.experiments.units.logs import units_of_logs
from opslab.experiments.units.refusals import refuse_columns
from opslab.experiments.units.rows import units_of_finer_rows, units_of_rows
from opslab.experiments.units.totals import units_of_totals
from opslab.experiments.units.unit_table import UnitTable
from opslab.messages import Language
from opslab.provenance import state_of
from opslab.results import Message
from opslab.tables.import_report import Reading
from opslab.tables.reader import open_table
from opslab.tables.source import ROW, Table, quoted
from opslab.warehouse.address import Address
from opslab.warehouse.connections import is_remote, open_remote

Part = TypeVar("Part", Comparison, Interaction, Trend)
_UNITS = {"unit": units_of_rows, "finer": units_of_finer_rows, "totals": units_of_totals}
_PLANNED = ("experiment", "slug", "question", "owner", "unit", "strata", "segments", "trigger")
_MOST_RANKED = 5_000_000  # units whose ranks are looked at without being asked for


def analyze(
    experiment: Experiment,
    data: Any = None,
    *,
    as_of: datetime.date | None = None,
    language: Language = "en",
) -> ExperimentResult:
    """Analyse one experiment.

    Parameters
    ----------
    experiment : Experiment
    data : path, pandas, Polars or Spark data frame, pyarrow.Table or duckdb relation, optional
        In the form that the spec says, by default the file that it names; for logs a mapping with
        ``assignments`` and ``events``.
    as_of : datetime.date, optional
        The day as of which the result speaks; an earlier one than the period's end is an interim
        look.
    language : {"en", "fr"}
        In which the result shows itself.

    Returns
    -------
    ExperimentResult

    Raises
    ------
    SpecError
        When the spec asks for what this version does not compute, by name.
    DataError
        When the data cannot be trusted to mean what the spec says, with file, column and row.

    Examples
    --------
    >>> from opslab import experiments, workspace
    >>> experiment = experiments.Experiment.load(workspace.resolve("data/sample/checkout.yaml"))
    >>> experiments.analyze(experiment).decision.action
    'ship'
    """
    return analysis_of(source_of(experiment, data), as_of, language)


def source_of(experiment: Experiment, data: Any) -> Source:
    """Return an experiment and its data, with the states of the files before they are read."""
    given = data.values() if isinstance(data, Mapping) else [data]
    files = [Path(file) for file in (*experiment.files(), *given) if isinstance(file, str | Path)]
    there = [file for file in files if workspace.is_there(file, file=True)]
    return Source(experiment, data, {file: state_of(file) for file in there})


def analysis_of(
    source: Source,
    as_of: datetime.date | None,
    language: Language,
    last: datetime.date | None = None,
) -> ExperimentResult:
    """Return the analysis of an experiment and its data.

    Where the looks of a design are planned by day it stands as of the last of them, and where one
    of them stopped the test as of that one; none has happened after the ``last`` day of the data.
    """
    experiment, days = source.experiment, list[datetime.date | None]()
    method = experiment.design.method
    if method in SEQUENTIAL:
        experiment.refuse_uncomputed()
        days = [*look_days(experiment, as_of)]
        as_of = days[-1]
    elif method == "bayesian":
        as_of = as_of or experiment.last_day
    with opened_units(source, as_of) as (table, units):
        grounds = replace(collect_grounds(experiment, units), ends=last)
        known = grounds.known_until(as_of)
        if method == "fixed" or known == as_of:
            read = read_design(grounds, days)
            stopped = stopping_look(grounds, days, read)
            if stopped is None:
                result = _result(grounds, table.reading, as_of, read)
                return replace(result, language=language, source=source)
            known, last = stopped, None
        else:
            last = known
    return analysis_of(source, known, language, last)


@contextmanager
def opened_units(origin: Source, as_of: datetime.date | None) -> Iterator[tuple[Table, UnitTable]]:
    """Open the data of an experiment; give its table, of logs the assignments, and its units."""
    experiment, data = origin.experiment, origin.data
    experiment.refuse_uncomputed()
    form = experiment.data
    given: Mapping[str, Any] = data if isinstance(data, Mapping) else {"path": data}
    if data is None:
        given = {
            field: Address(form.connection, source, form.snapshot)
            if form.connection
            else experiment.beside(source)
            for field, source in form.sources.items()
        }
    logs = form.events is not None or isinstance(data, Mapping)
    source, events = given.get("assignments" if logs else "path"), given.get("events")
    if source is None or (logs and events is None):
        raise DataError(experiment.problem("experiments.no_data", "data"))
    DataError.refuse(experiment.missing_files() if data is None else [])
    opened: AbstractContextManager[Table] = (
        open_remote(source, form.timezone, keeps=logs or form.rows == "finer")
        if is_remote(source)
        else open_table(source, answers=form, beside=events)
    )
    with opened as given_table:
        raw = _bucketed(experiment, given_table) if origin.bucketed else given_table
        refuse_columns(experiment, raw, experiment.named_columns())
        needed = experiment.columns("metrics", "covariates", "period", "trigger")
        needed += [experiment.unit] if form.rows == "totals" else []
        table = raw
        if form.timezone or any(raw.types[name] == "VARCHAR" for name in needed):
            table = with_values(raw, experiment.data, raw.types.keys() - needed, raw.types)
        if table.reading.rows == 0:
            raise DataError.of("experiments.no_rows", file=table.reading.name)
        if origin.left_out:
            table = _without(table, quoted(experiment.unit), origin.left_out)
        to_units = partial(units_of_logs, events=events) if logs else _UNITS[form.rows]
        yield table, to_units(experiment, table, as_of)


def _bucketed(experiment: Experiment, table: Table) -> Table:
    """Return a table with a column of some 4,000 buckets of units, alike in every run and order."""
    column, name = experiment.arms.column, "opslab_bucketed"
    refuse_columns(experiment, table, (at for at in experiment.named_columns() if at[0] != column))
    bucket = f"substr(md5(CAST({quoted(experiment.unit)} AS VARCHAR)), 1, 3)"
    table.keep(name, f"SELECT *, {bucket} AS {quoted(column)} FROM {table.relation}")
    return table.over(name, {**table.types, column: "VARCHAR"}, table.reading)


def _without(table: Table, unit: str, rows: Sequence[int]) -> Table:
    """Return a table without any row of the units that stand in some rows."""
    table.connection.execute("CREATE TABLE opslab_out AS SELECT unnest(?)", [rows])
    units = f"SELECT {unit} FROM {table.relation} WHERE {ROW} + 1 IN (FROM opslab_out)"
    kept = f"({unit} IN ({units})) IS NOT TRUE"  # a row without a unit stays as it was
    table.keep("opslab_in", f"SELECT * FROM {table.relation} WHERE {kept}")
    ((count,),) = table.fetch("SELECT count(*) FROM opslab_in")
    return table.over("opslab_in", table.types, replace(table.reading, rows=count))


def _result(
    grounds: Grounds, reading: Reading, as_of: datetime.date | None, read: Read
) -> ExperimentResult:
    experiment, units = grounds.experiment, grounds.units
    grounds = replace(grounds, nominal=read.nominal)
    known_until, comparisons = grounds.known_until(as_of), _comparisons(grounds, read.comparisons)
    if ends(experiment, comparisons):  # what comes after does not count
        grounds = replace(grounds, ends=None)
    days = by_day(grounds)
    checks = all_checks(grounds, known_until, comparisons, days)
    spreads = deviations(comparisons, grounds.arms, grounds.metrics)
    segments, interactions = by_segment(grounds)
    own = corrected(experiment.design.method, read.paths, read.posteriors)
    courses, companions = trends(grounds), list[Companion]()
    if experiment.design.method == "fixed":
        companions += _companions(grounds, comparisons)
    else:  # what holds for a single look only
        days, courses = [], [replace(course, p_value=None) for course in courses]
        interactions = [replace(test, p_value=None, p_adjusted=None) for test in interactions]
        comparisons = [_alone(known, own) for known in comparisons]
        segments = [replace(known, p_value=None, p_adjusted=None) for known in segments]
    before = {key for key, day in own.items() if day and as_of and day < as_of}
    count = sum(arm.units for arm in grounds.summaries)
    day = as_of if read.paths else known_until
    decision = decide(experiment, checks, comparisons, spreads, grounds.weights, day, read, count)
    rate = peeking(grounds, as_of)
    if rate is not None and decision.action != "stop_broken":
        said = Message("experiments.reason_peeking", {"rate": rate, "alpha": grounds.alpha})
        decision = replace(decision, reasons=(said, *decision.reasons))
    return ExperimentResult(
        plan=_plan(grounds),
        arms=grounds.summaries,
        checks=tuple(checks),
        comparisons=tuple(comparisons),
        decision=decision,
        data_used=_data_used(grounds, reading, known_until),
        as_of=as_of,
        segments=tuple(_others(_as_declared(experiment, units, segments), before)),
        interactions=tuple(_others(interactions, before)),
        trends=tuple(_others(courses, before)),
        companions=tuple(companions),
        days=tuple(days),
        paths=read.paths,
        posteriors=read.posteriors,
        peeking=rate,
    )


def _data_used(grounds: Grounds, reading: Reading, known_until: datetime.date | None) -> DataUsed:
    units, triggered = grounds.units, grounds.triggered
    return DataUsed(
        reading=reading,
        rows_used=units.rows_used,
        outside_period=reading.rows - units.units.rows,
        leaked_rows=units.units.rows - units.rows_used - units.repeated_rows,
        repeated_rows=units.repeated_rows,
        events=units.events,
        horizon=units.horizon,
        known_until=known_until and known_until - grounds.wait,
        trigger_rate=triggered.rate if triggered else None,
    )


def _others(parts: Iterable[Part], own: Collection[tuple[str, str]]) -> list[Part]:
    """Return the parts that are not of some metrics and arms."""
    return [part for part in parts if (part.metric, part.arm) not in own]


def _alone(known: Comparison, own: Collection[tuple[str, str]]) -> Comparison:
    """Return a comparison without its effects in other ways, but that on all units."""
    diluted = None if (known.metric, known.arm) in own else known.diluted
    diluted = diluted and replace(diluted, p_value=None)
    return replace(known, raw=None, uncapped=None, precision=None, diluted=diluted)


def _companions(grounds: Grounds, comparisons: Sequence[Comparison]) -> Iterator[Companion]:
    """Give what is computed in other ways of each effect that decides."""
    rows = sum(arm.rows for arm in grounds.arms.values())
    asked = grounds.experiment.design.robust
    plain = not grounds.units.strata and asked is not False
    for known in comparisons if plain else ():
        pair = grounds.pairs.get((known.metric, known.arm))
        if pair is not None and known.role != "secondary":
            ranked = rows <= _MOST_RANKED or asked is True
            here = not grounds.units.table.remote  # ranks take every row, and these stay there
            yield from pair.companions(known, ranked=ranked and here)


def _comparisons(grounds: Grounds, read: Sequence[Comparison]) -> list[Comparison]:
    """Return the comparisons of every metric, judged."""
    experiment, units, triggered = grounds.experiment, grounds.units, grounds.triggered
    design, comparisons = experiment.design, []
    for comparison in read:
        columns = grounds.metrics[comparison.metric]
        few = units.finer is not None and min(comparison.n) < FEWEST_CLUSTERS
        known = with_permutation(comparison, columns, units) if few else comparison
        comparisons.append(with_bounds(known, columns, grounds))
    comparisons = _as_declared(experiment, units, comparisons)
    if design.method != "bayesian":
        shared = 0 if design.method == "fixed" else grounds.family
        comparisons = judge(comparisons, design.alpha, shared)
    if triggered is None:
        return comparisons
    inside = grounds.strata or {None: grounds.arms}
    return [triggered.diluted(comparison, inside, grounds.alpha) for comparison in comparisons]


def _as_declared(
    experiment: Experiment, units: UnitTable, comparisons: Sequence[Comparison]
) -> list[Comparison]:
    """Return the comparisons in the spec's order and under its types, with notes on their data."""
    types = {metric.name: metric.type for metric in experiment.metrics}
    order = list(types)
    return [
        replace(
            comparison,
            type=types[comparison.metric],
            notes=(*units.notes.get(comparison.metric, ()), *comparison.notes),
            missing=_missing(comparison, units),
        )
        for comparison in sorted(comparisons, key=lambda comparison: order.index(comparison.metric))
    ]


def _missing(comparison: Comparison, units: UnitTable) -> tuple[int, int]:
    """Return the empty values behind a comparison; of finer rows the empty rows."""
    if units.finer is None or comparison.segment is not None:
        return comparison.missing
    gaps = units.gaps[comparison.metric]
    return gaps[comparison.arm].values, gaps[comparison.control].values


def _plan(grounds: Grounds) -> Plan:
    experiment = grounds.experiment
    data, design, file = experiment.data, experiment.design, experiment.file
    counts = "counts" if grounds.units.moments else data.rows
    return Plan(
        **{name: getattr(experiment, name) for name in _PLANNED},
        **dict(experiment.period or Period()),
        control=grounds.control,
        weights=tuple(grounds.weights.items()),
        weights_assumed=experiment.weights is None,
        timezone=data.timezone,
        alpha=design.alpha,
        power=design.power,
        method=design.method,
        design=design.model_dump(mode="json", exclude_none=True, exclude={"method", "robust"}),
        registered_on=experiment.registered_on,
        looked=experiment.looked,
        themes=experiment.themes,
        primaries=experiment.decision.primaries,
        spec=workspace.shown(file) if file else None,
        spec_sha256=workspace.sha256(Path(file)) if file else None,
        rows="logs" if data.events else counts,
        phases=tuple(
            {"from": str(phase.start), "weights": phase.weights} for phase in experiment.phases
        ),
        title=experiment.title,
        fingerprint=experiment.fingerprint,
    )
