"""What the team's own history says of its metrics and its traffic, and in buckets of its units."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from functools import reduce
from math import sqrt
from typing import Any, NamedTuple, Self

import numpy as np

from opslab.errors import SpecError, did_you_mean
from opslab.experiments.analysis import opened_units
from opslab.experiments.arms import Arms
from opslab.experiments.basis import Source
from opslab.experiments.design import Assumed, History
from opslab.experiments.inference.covariates import contrast, is_clear, usable
from opslab.experiments.inference.metric_columns import MetricColumns, caps, metric_columns
from opslab.experiments.inference.quantiles import OrderStatistics, quantile_contrast, ranks
from opslab.experiments.moments.arm_moments import CrossMoments, merge_arms
from opslab.experiments.moments.collection import collect_by
from opslab.experiments.moments.values import filled_sql
from opslab.experiments.phases import Period
from opslab.experiments.plan.sizing import design_effect
from opslab.experiments.plan.traffic import whole_days
from opslab.experiments.spec import Experiment
from opslab.experiments.units.refusals import refuse_missing
from opslab.experiments.units.unit_table import UnitTable
from opslab.tables.import_report import Reading
from opslab.tables.source import quoted

BUCKET = "opslab_bucket"
_LONG_AGO, _FAR_OFF = datetime.date(1900, 1, 1), datetime.date(9000, 1, 1)


class Known(NamedTuple):
    """What is known of a metric beforehand: numbers as in `MetricPlan`; a reason where none are.

    ``filled`` is the share of the units that have a value; ``clear``: its mean is not near 0.
    """

    baseline: float | None = None
    deviation: float | None = None
    raw_deviation: float | None = None
    correlation: float | None = None
    reason: str = ""
    filled: float = 1.0
    clear: bool = True

    @classmethod
    def of(cls, assumed: Assumed) -> Self:
        """Return what is assumed of a metric; of a proportion its deviation follows."""
        mean, rows = assumed.mean, assumed.rows
        raw = assumed.sd or sqrt(mean * (1 - mean))
        raw *= sqrt(design_effect(rows, assumed.icc, assumed.variation) / rows)
        left = raw * sqrt(1 - assumed.correlation**2)
        return cls(mean, left, raw, assumed.correlation or None)


class Buckets(NamedTuple):
    """What A/A tests of a metric are drawn from, in the order of the buckets' names.

    Attributes
    ----------
    columns : MetricColumns
    counts : array, shape (buckets,)
        Units with a value.
    sums : array, shape (buckets, columns)
        About ``means``.
    products : array, shape (buckets, columns, columns)
        The same of products.
    means : array, shape (columns,)
    kept : list of int
        Places of the covariates that are used.
    values : tuple of arrays or None
        Of a quantile: all values in order, and the place of each one's bucket.
    """

    columns: MetricColumns
    counts: Any
    sums: Any
    products: Any
    means: Any
    kept: list[int]
    values: tuple[Any, Any] | None = None


class Past(NamedTuple):
    """What the history holds.

    Attributes
    ----------
    known : mapping
        By metric.
    arrivals : mapping
        Units that came, by day, every whole day from the first to the last; empty without a time,
        and with finer rows, whose units come again.
    buckets : mapping
        By metric.
    readings : tuple of Reading
    units : int
    """

    known: Mapping[str, Known]
    arrivals: Mapping[datetime.date, int]
    buckets: Mapping[str, Buckets]
    readings: tuple[Reading, ...]
    units: int = 0


def read_past(experiment: Experiment, data: Any, as_of: datetime.date | None) -> Past:
    """Read the history as the readout would read its data, the units dealt to buckets.

    What settles does so until the history's last day: of later ones it knows nothing.

    Raises
    ------
    SpecError
        When a metric that decides has neither a history nor an assumption, weights are left out, or
        the spec has what a plan does not cover.
    DataError
        When the history lacks a column, or cannot mean what the spec says.
    """
    _refuse(experiment, data)
    planning = experiment.planning
    history = planning.history if data is None else planning.history or History()
    if history is None:
        return Past({}, {}, {}, ())
    metrics = tuple(known for known in experiment.metrics if known.name not in planning.assumed)
    period = None
    if history.time:
        period = Period(time=history.time, start=_LONG_AGO, end=as_of or _FAR_OFF)
    past = experiment.model_copy(
        update={
            **dict.fromkeys(("phases", "strata", "segments"), ()),
            "data": history,
            "metrics": metrics,
            "period": period,
            "arms": Arms(column=BUCKET, control="000"),
            "trigger": None,
            "design": experiment.design.model_copy(update={"method": "fixed", "looks": None}),
            "looked": (),
        }
    )
    source = Source(past, data, bucketed=True)
    day = (as_of or _FAR_OFF) if past.design.settled else as_of
    with opened_units(source, day) as (table, units):
        last = datetime.date.fromisoformat(max(units.came)) if units.came else day
        if last == day:
            return _past(past, units, table.reading)
    with opened_units(source, last) as (table, units):
        return _past(past, units, table.reading)


def _refuse(experiment: Experiment, data: Any) -> None:
    planning, metrics = experiment.planning, experiment.metrics
    names = [metric.name for metric in metrics]
    problems = [
        experiment.problem(f"plan.no_{field}", field)
        for field in ("phases", "strata", "trigger")
        if getattr(experiment, field)
    ]
    problems += [
        experiment.problem(
            *("plan.no_such_metric", "planning", "assumed", name),
            name=name,
            near=did_you_mean(name, names),
            names=names,
        )
        for name in planning.assumed
        if name not in names
    ]
    if experiment.weights is None:
        problems.append(experiment.problem("plan.no_weights", "arms"))
    for order, metric in enumerate(metrics):
        assumed, name = planning.assumed.get(metric.name), metric.name
        nowhere = assumed is None and planning.history is None and data is None
        if nowhere and metric.role != "secondary":
            problems.append(experiment.problem("plan.no_basis", "metrics", order, name=name))
        if assumed is None:
            continue
        share = metric.scale == "share"
        given = 0 < assumed.mean < 1 and not assumed.sd if share else assumed.sd
        if metric.ranked or not given:
            key = f"plan.assumed_{'ranked' if metric.ranked else metric.scale}"
            problems.append(experiment.problem(key, "planning", "assumed", name, name=name))
    SpecError.refuse(problems)


def _past(experiment: Experiment, units: UnitTable, reading: Reading) -> Past:
    table, level = units.table, 1 - experiment.design.alpha
    capped = caps(units.metrics, table, units.where)
    metrics = {
        metric.name: metric_columns(metric, capped.get(metric.name)) for metric in units.metrics
    }
    joints = [columns.joint for columns in metrics.values()]
    arms = collect_by(table, units.arm, (), units.where, joints).whole
    whole = reduce(merge_arms, arms.values())
    refuse_missing(experiment, table, {"": whole}, metrics)
    known, buckets = dict[str, Known](), dict[str, Buckets]()
    for name, columns in metrics.items():
        every = whole.rows - (units.immature.get(name, 0) if units.events else 0)
        if columns.metric.ranked and table.remote:
            known[name] = Known(reason="stays")
        elif columns.metric.ranked:
            known[name], ranked = _ranked(columns, units, level, [*arms])
            known[name] = known[name]._replace(filled=known[name].filled / max(every, 1))
            if columns.metric.per != "row" and not known[name].reason:
                buckets[name] = ranked
        else:
            cross = whole.cross(columns.joint)
            kept, of = _moments(cross, columns)
            known[name] = of._replace(filled=cross.n / max(every, 1))
            if of.reason:
                continue
            parts = [arm.cross(columns.joint) for arm in arms.values()]
            counts = np.array([part.n for part in parts])
            apart = np.array([part.means - cross.means for part in parts])
            sums = counts[:, None] * apart
            products = np.array([part.scatter for part in parts])
            products += sums[:, :, None] * apart[:, None, :]
            buckets[name] = Buckets(columns, counts, sums, products, cross.means, kept)
    days = table.fetch(
        f"SELECT {units.day}, count(*) FROM {table.relation} WHERE {units.where} GROUP BY 1"
        if units.day and not units.finer  # of which units come again
        else "SELECT 1 LIMIT 0"
    )
    readings = (reading, *([units.events] if units.events else []))
    return Past(known, whole_days(_filled(units.came or dict(days))), buckets, readings, whole.rows)


def _moments(cross: CrossMoments, columns: MetricColumns) -> tuple[list[int], Known]:
    """Return the covariates that are used, and what is known: by the contrast with itself."""
    own, widths = len(columns.own), [width for _, width in columns.covariates]
    if cross.n < 2 or (own > 1 and not is_clear(cross, 1)):  # noqa: PLR2004 - a variance takes two
        return [], Known(reason="no_values")
    kept, _ = usable(cross, cross, own, widths)
    plain, adjusted = (contrast(cross, cross, own, widths, used) for used in ([], kept))
    baseline = plain.estimate[1]
    if not plain.variance > 0:
        return [], Known(baseline, reason="no_spread")
    raw, left = sqrt(plain.variance * cross.n / 2), adjusted.variance / plain.variance
    correlation = sqrt(max(1 - left, 0.0)) if kept else None
    clear = is_clear(cross, 0)
    return kept, Known(baseline, raw * sqrt(left), raw, correlation, clear=clear)


def _ranked(
    columns: MetricColumns, units: UnitTable, level: float, names: list[str | None]
) -> tuple[Known, Buckets]:
    """Return what is known of a quantile of units, or of rows that they cluster, and the buckets.

    ``filled`` is their number.
    """
    metric: Any = columns.metric
    table, where, unit = units.table, units.where, "0"
    if units.finer and metric.per == "row":
        table, where, unit = units.finer.table, units.finer.where, quoted(units.finer.unit)
    value = filled_sql(table, metric.column_of(metric.column))
    arrays = table.arrays(
        f"SELECT {value} AS value, CAST({quoted(units.arm)} AS VARCHAR) AS bucket, "
        f"hash({unit}) AS unit FROM {table.relation} WHERE {where} AND {value} IS NOT NULL"
    )
    order = np.argsort(arrays["value"], kind="stable")
    values, labels, keys = (arrays[name][order] for name in ("value", "bucket", "unit"))
    places = np.searchsorted(np.array(names), labels.astype(str))
    buckets = Buckets(columns, np.zeros(len(names)), None, None, None, [], (values, places))
    around = ranks(len(values), metric.quantile, level)
    if around is None:
        return Known(reason="short_tail"), buckets
    own = OrderStatistics(*(float(values[rank - 1]) for rank in around))
    if own.lower == own.upper:
        return Known(own.value, reason="no_spread"), buckets
    variance, n = quantile_contrast(own, own, level).variance / 2, len(values)
    if unit != "0":  # as `inflation` has it
        _, of = np.unique(keys, return_inverse=True)
        rows, below = np.bincount(of), np.bincount(of, values <= own.value)
        apart = below - below.sum() / n * rows
        variance *= (apart @ apart) / n / (metric.quantile * (1 - metric.quantile))
        n, variance = len(rows), variance * len(rows) / (len(rows) - 1)
    deviation = sqrt(variance * n)
    return Known(own.value, deviation, deviation, filled=n), buckets


def _filled(days: Mapping[str, int]) -> dict[datetime.date, int]:
    """Return the units of every day from the first to the last."""
    known = {datetime.date.fromisoformat(day).toordinal(): count for day, count in days.items()}
    every = range(min(known), max(known) + 1) if known else ()
    return {datetime.date.fromordinal(day): known.get(day, 0) for day in every}
