"""What the analyst declares before looking at data: the experiment spec."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterator
from functools import partial
from importlib import import_module
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from opslab.documents import Location
from opslab.errors import Problem, SpecError
from opslab.experiments.arms import Arms
from opslab.experiments.data import Data
from opslab.experiments.design import Design, Planning
from opslab.experiments.metrics import DeclaredMetric, Metric
from opslab.experiments.metrics.base import Form as MetricForm
from opslab.experiments.phases import Period, Phase, refuse_phases
from opslab.frames import Form
from opslab.specs import Day, Declared, FromFile, Text, ThemeName, Title, fault

CheckName = Literal[
    "plan_unchanged",
    "sample_ratio",
    "sample_ratio_segments",
    "constant_split",
    "phases_planned",
    "leaked_units",
    "missing_values",
    "covariate_balance",
    "covariate_coverage",
    "trigger_ratio",
    "silent_arm",
    "event_names",
    "event_units",
    "repeated_events",
    "repeated_rows",
    "outcome_windows",
    "period",
    "weekly_cycle",
    "outliers",
    "skewness",
    "cap",
    "denominators",
    "plausibility",
    "steady_effect",
    "few_clusters",
    "totals_only",
]


class Decision(Declared):
    """The rule of decision, written down before the data is seen."""

    primaries: Literal["all", "any"] = "all"
    """which primary metrics an arm must win"""
    several_arms: Literal["best_passing"] = "best_passing"
    """which arm is shipped when several win"""
    blocking: tuple[CheckName, ...] = ()
    """checks that stop the recommendation besides those that always do"""
    accept: dict[CheckName, Text] = Field({})
    """checks that do not stop it, each with the reason, written before the data is seen"""

    @property
    def reasons(self) -> dict[str, str]:
        """Why a check is accepted, by its name."""
        return {str(name): reason for name, reason in self.accept.items()}

    @model_validator(mode="after")
    def _blocking_or_accepted(self) -> Self:
        both = [name for name in self.blocking if name in self.accept]
        if both:
            raise fault("experiments.blocking_accepted", names=both)
        return self


class Experiment(FromFile):
    """One A/B experiment.

    Read it from YAML with `Experiment.load`, or build it from fields: ``Experiment(experiment=…,
    …)``; `units` shows the data as the analysis uses it.

    Examples
    --------
    >>> experiment = Experiment(
    ...     experiment="short label",
    ...     unit="user",
    ...     arms={"column": "arm", "control": "old"},
    ...     metrics=[
    ...         {
    ...             "name": "bought",
    ...             "type": "proportion",
    ...             "column": "bought",
    ...             "role": "primary",
    ...             "goal": "increase",
    ...         }
    ...     ],
    ... )
    >>> experiment.slug
    'short-label'
    """

    experiment: Title
    """name of the experiment; its slug names the run folder"""
    question: Text | None = None
    """the question in one sentence"""
    owner: Text | None = Field(None, max_length=120)
    """who answers for the experiment"""
    data: Data = Data()
    unit: str
    """column that identifies what was randomised"""
    arms: Arms
    period: Period | None = None
    phases: tuple[Phase, ...] = ()
    """where the split was changed on the way: since when, and to which weights"""
    strata: tuple[str, ...] = ()
    """columns of the strata or pairs within which units were randomised"""
    design: Design = Design()
    metrics: tuple[DeclaredMetric, ...] = Field(min_length=1)
    """what is measured; at least one is primary"""
    segments: tuple[str, ...] = ()
    """pre-period columns by which effects are broken down"""
    trigger: str | None = None
    """column of 0 and 1: the units that met the change, logged alike in every arm"""
    decision: Decision = Decision()
    registered: str | None = None
    """fingerprint of the plan as registered before the start; the readout prints it"""
    registered_on: Day | None = None
    """day on which it was registered"""
    looked: tuple[Day, ...] = ()
    """days on which the effects were looked at, in order; no part of the plan"""
    themes: tuple[ThemeName, ...] = ()
    """feedback themes that it answers, such as shop-feedback/T03; no part of the plan"""
    planning: Planning = Planning()

    @field_validator("metrics")
    @classmethod
    def _named_once_and_decisive(cls, metrics: tuple[Metric, ...]) -> tuple[Metric, ...]:
        names = [metric.name for metric in metrics]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise fault("experiments.metric_twice", names=twice)
        if not any(metric.role == "primary" for metric in metrics):
            raise fault("experiments.no_primary")
        return metrics

    @model_validator(mode="after")
    def _columns_have_one_part(self) -> Self:
        if self.unit == self.arms.column:
            raise fault("experiments.same_column", name=self.unit)
        for metric in self.metrics:
            before = {column for names in metric.covariate_columns for column in names}
            wrong = sorted(before & {*metric.own.values(), self.unit, self.arms.column})
            if wrong:
                raise fault("experiments.covariate_column", metric=metric.name, name=wrong[0])
        return self

    @model_validator(mode="after")
    def _phases_fit(self) -> Self:
        if self.phases:
            refuse_phases(self.phases, self.arms.weights, self.arms.control, self.period)
        return self

    @model_validator(mode="after")
    def _totals_hold_no_units(self) -> Self:
        asked = [
            name
            for holders, names in (
                ([self], ("phases", "strata", "segments", "trigger")),
                (self.metrics, ("covariates", "cap")),
            )
            for name in names
            if any(getattr(holder, name) for holder in holders)
        ]
        if asked and self.data.rows == "totals":
            raise fault("experiments.totals_without", names=asked)
        return self

    @model_validator(mode="after")
    def _segments_come_before(self) -> Self:
        outcomes = {*self.columns("metrics", "unit", "arms")}
        wrong = sorted(outcomes.intersection(self.columns("segments", "strata")))
        if wrong:
            raise fault("experiments.segment_column", name=wrong[0])
        return self

    def named_columns(self) -> Iterator[tuple[str, Location]]:
        """Give every column of the table that the spec names, and the field that names it."""
        yield self.unit, ("unit",)
        yield self.arms.column, ("arms", "column")
        if self.period and self.period.time:
            yield self.period.time, ("period", "time")
        if self.trigger:
            yield self.trigger, ("trigger",)
        for field in ("strata", "segments"):
            for order, name in enumerate(getattr(self, field)):
                yield name, (field, order)
        for order, metric in enumerate(self.metrics):
            for field, name in (metric.own | metric.spread).items():
                yield name, ("metrics", order, field)
            for number, names in enumerate(metric.covariate_columns):
                for name in names:
                    yield name, ("metrics", order, "covariates", number)

    def columns(self, *fields: str) -> list[str]:
        """Return the columns that some fields name, each once.

        Of the metrics, ``metrics`` stands for their own columns, ``covariates`` for the others.
        """
        named = (
            (name, "covariates" if "covariates" in location else location[0])
            for name, location in self.named_columns()
        )
        return list(dict.fromkeys(name for name, field in named if field in fields))

    @property
    def weights(self) -> dict[str, float] | None:
        """The designed weight of each arm, with phases that of the first; None when not given."""
        return self.phases[0].weights if self.phases else self.arms.weights

    @property
    def shares(self) -> dict[str, float]:
        """The designed share of all units that each arm gets; empty without weights."""
        weights = self.weights or {}
        return {name: weight / sum(weights.values()) for name, weight in weights.items()}

    @property
    def starts(self) -> list[str]:
        """The first day of each phase, YYYY-MM-DD."""
        return [phase.start.isoformat() for phase in self.phases]

    def phase_of(self, level: str | None) -> str | None:
        """Return the first day of the phase of a day, or of a stratum, whose text starts with it.

        None without phases, and for a unit without a stratum.
        """
        return max((start for start in self.starts if level and start <= level), default=None)

    def named(self) -> dict[Location, str]:
        """Return the unit table, or the logs."""
        paths = {} if self.data.connection else self.data.sources
        return {("data", field): path for field, path in paths.items()}

    @property
    def fingerprint(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 of what was planned.

        How the file is laid out, where the data is, who owns it, and how the question and the names
        are worded may change; the rest is the plan, but for what is left at its default: fields of
        later versions change no fingerprint.
        """
        outside = "registered registered_on looked themes planning data owner question"
        plan = self.model_dump(mode="json", exclude={*outside.split()}, exclude_defaults=True)
        plan["rows"] = self.data.rows
        text = json.dumps(plan, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def last_day(self) -> datetime.date | None:
        """The day on which the last unit's values are fixed; without windows the period's last."""
        if self.period is None or self.period.end is None:
            return None
        ends = [metric.window.end for metric in self.metrics if metric.window]
        longest = max([*ends, self.design.settled or datetime.timedelta(0)])
        return self.period.end + datetime.timedelta(days=-(-longest // datetime.timedelta(days=1)))

    def metric_problem(self, metric: str, field: str, key: str, /, **values: Any) -> Problem:
        """Return a problem about a field of a metric, its key without the area."""
        order = [declared.name for declared in self.metrics].index(metric)
        return self.problem(f"experiments.{key}", "metrics", order, field, **values)

    def units(
        self,
        data: Any = None,
        *,
        as_of: datetime.date | None = None,
        form: Form = "pandas",
        ids: bool = False,
    ) -> Any:
        """Return the units as the analysis uses them: a row for each.

        Values are those that it sums, before any cap; an empty one stays empty where the metric
        does not say ``missing: zero``. From files they are read once, until a file changes.

        Parameters
        ----------
        data : path, frame or mapping, optional
            As `opslab.experiments.analyze` takes it; by default the files that the spec names.
        as_of : datetime.date, optional
            The day of the readout, as `analyze` takes it.
        form : {"pandas", "arrow", "polars"}
        ids : bool
            Whether the units' ids stand in a column ``unit``; else a unit is shown by its row.

        Returns
        -------
        pandas.DataFrame, pyarrow.Table or polars.DataFrame, a row for each unit
            The index ``row`` (a column in the other forms) is the line or row of the data that
            stands for the unit, its first. Columns: ``arm``; each metric by its name, of a ratio
            also ``name (numerator)`` and ``name (denominator)``; the covariates, segments and
            strata by their columns; as far as there are such, ``day`` on which the unit came in,
            ``phase`` by its first day, and ``triggered``. A name that is taken bears a star. A
            quantile over finer rows has no column: no unit has a value of it. Where not all rows
            would fit (40 million cells), every so many of each arm are kept, with a remark.

        Raises
        ------
        ParameterError
            When there are no units here: the data are totals, or stay in a warehouse or in Spark.
        DataError
            As `opslab.experiments.analyze` raises it.

        Examples
        --------
        >>> from opslab import experiments, workspace
        >>> experiment = experiments.Experiment.load(workspace.resolve("data/sample/checkout.yaml"))
        >>> units = experiment.units()
        >>> len(units), units.index[0], list(units)[:3]
        (12000, 2, ['arm', 'checkout', 'revenue'])
        >>> units.loc[2, ["arm", "country"]].tolist()
        ['control', 'US']
        """
        analysis = import_module("opslab.experiments.analysis")  # which stands on specs
        frames = import_module("opslab.experiments.unit_frame")
        return frames.units(analysis.source_of(self, data), as_of, form=form, ids=ids)

    def refuse_uncomputed(self) -> None:
        """Raise a `SpecError` for what the form of the data, a design or a metric's type rules out.

        It parses and validates, and is refused rather than ignored.
        """
        looks = import_module("opslab.experiments.designs.looks")  # which stands on specs
        problems = [*looks.look_problems(self), *looks.design_problems(self)]
        asked: dict[MetricForm, object] = {
            "totals": self.data.rows == "totals",
            "strata": self.strata or self.phases,
        }
        table = self.data.path or self.data.connection or self.data.rows != "unit"
        for metric in self.metrics:
            refused = partial(self.metric_problem, metric.name)
            problems += [
                refused("type", f"form_{form}", **metric.lacks(form))
                for form, fields in asked.items()
                if fields and form not in metric.forms
            ]
            if metric.event and table and not self.data.events:
                problems.append(refused("event", "event_form", name=metric.name))
            if len(metric.spread) > (self.data.rows == "totals"):
                problems.append(refused("type", "spread_form"))
            if metric.per == "row" and self.data.rows != "finer":
                problems.append(refused("per", "per_row", name=metric.name))
            if metric.per == "row" and metric.cap:
                problems.append(refused("cap", "not_computed"))
        if problems:
            raise SpecError(*sorted(problems, key=lambda problem: problem.line or 0))
