"""What a result stands on: its plan, its data, and what it was made from to be asked on."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from opslab.errors import DataError, ParameterError
from opslab.frames import Form
from opslab.provenance import State, has_changed
from opslab.results import Message, Result
from opslab.tables.import_report import Reading

if TYPE_CHECKING:
    from opslab.experiments.spec import Experiment

Action = Literal["ship", "do_not_ship", "extend", "no_decision", "stop_broken"]
_OF_PLAN = {"plan_unchanged", "phases_planned"}  # checks that no question changes


@dataclass(frozen=True)
class Decision:
    """What to do, and why: one reason for each metric and arm that counts.

    Attributes
    ----------
    action : str
    arm : str or None
        The arm to ship.
    reasons : tuple of Message
    more_units : int or None
        With ``extend``: units still to be collected, over all arms.
    more_days : int or None
        The same in days, at the pace so far.
    """

    action: Action
    arm: str | None
    reasons: tuple[Message, ...]
    more_units: int | None = None
    more_days: int | None = None


@dataclass(frozen=True)
class DataUsed:
    """The rows that stand behind the numbers, and those that were left out.

    Attributes
    ----------
    reading : Reading
        How the table was read.
    rows_used : int
        After what was left out.
    outside_period, leaked_rows, repeated_rows : int
        Rows left out: also those of units in more than one arm, and further assignments to the same
        one.
    events : Reading or None
        How the event log was read.
    horizon : datetime.date or None
        The day up to which events are known.
    known_until : datetime.date or None
        The day of the readout, or an earlier one after which units are missing.
    trigger_rate : float or None
        Share of units that met the change.
    """

    reading: Reading
    rows_used: int
    outside_period: int
    leaked_rows: int
    repeated_rows: int = 0
    events: Reading | None = None
    horizon: datetime.date | None = None
    known_until: datetime.date | None = None
    trigger_rate: float | None = None


@dataclass(frozen=True)
class Plan:
    """What of the spec a reader of the result needs."""

    experiment: str
    slug: str
    question: str | None
    owner: str | None
    unit: str
    control: str
    weights: tuple[tuple[str, float], ...]
    weights_assumed: bool
    start: datetime.date | None
    end: datetime.date | None
    time: str | None
    alpha: float
    power: float
    primaries: str
    spec: str | None
    spec_sha256: str | None
    rows: str = "unit"
    strata: tuple[str, ...] = ()
    phases: tuple[Mapping[str, Any], ...] = ()
    segments: tuple[str, ...] = ()
    trigger: str | None = None
    fingerprint: str | None = None
    title: str | None = None
    timezone: str | None = None
    method: str = "fixed"
    design: Mapping[str, Any] = field(default_factory=dict)
    registered_on: datetime.date | None = None
    looked: tuple[datetime.date, ...] = ()
    themes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """What a result was made from, so that more can be asked of it.

    Attributes
    ----------
    experiment : Experiment
    data : path, frame or mapping, optional
        As `opslab.experiments.analyze` takes it.
    states : mapping
        Of each file, before it was read.
    left_out : sequence of int
        Rows, as a reader counts them, whose units are left out.
    bucketed : bool
        Whether units are dealt to buckets by their ids, in the place of arms.
    """

    experiment: Experiment
    data: Any = None
    states: Mapping[Path, State] = field(default_factory=dict)
    left_out: Sequence[int] = ()
    bucketed: bool = False


@dataclass(frozen=True, kw_only=True, repr=False)
class Explorable(Result):
    """What of a result looks behind it, and asks on."""

    plan: Plan
    decision: Decision
    data_used: DataUsed
    source: Source | None = field(default=None, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        source = self.source if self.source and self.source.data is None else None
        return super().__getstate__() | {"source": source}

    def units(self, *, form: Form = "pandas", ids: bool = False) -> Any:
        """Return the units behind the result, a row for each, as `Experiment.units` does.

        Raises
        ------
        ParameterError
            When there are none, or the result does not know its data any more.
        DataError
            When the file has changed since the result was made.
        """
        frames = self.room("unit_frame")
        return frames.units(
            self._unchanged(), self.as_of, form=form, ids=ids, language=self.language
        )

    def by(self, *columns: str) -> Self:
        """Return the effects broken down by columns that the plan does not name, each by itself.

        P-values are adjusted over all segments and tests asked so far in a chain of questions.

        Parameters
        ----------
        *columns : str
            Of the data (of logs the assignments), known before the experiment: a column whose
            make-up differs between the arms is refused in the answer.

        Returns
        -------
        ExperimentResult
            Exploratory: it decides nothing and is no evidence. By columns of the plan, the same.

        Raises
        ------
        DataError
            When there is no such column (with the nearest one), it has too many values, or the
            file has changed since. Frames in memory must be left as they were: this is not seen.
        SpecError
            When a column is an outcome, or the data are totals.

        Examples
        --------
        >>> import pandas as pd
        >>> from opslab import experiments, workspace
        >>> experiment = experiments.Experiment.load(workspace.resolve("data/sample/checkout.yaml"))
        >>> units = pd.read_csv(workspace.resolve("data/sample/checkout.csv"))
        >>> units["customer"] = units["revenue_before"] > 0
        >>> answer = experiments.analyze(experiment, units).by("customer")
        >>> answer.segments[-1].segment, answer.decision.action
        ('customer: true', 'no_decision')
        """
        source = self._unchanged()
        planned = source.experiment.segments
        if {*columns} <= {*planned}:
            return self
        segments = tuple(dict.fromkeys([*planned, *columns]))
        experiment = source.experiment.changed(segments=segments)
        return self._asked("by", replace(source, experiment=experiment), columns=[*columns])

    def without(self, rows: Any) -> Self:
        """Return the result without some units: with all of their rows and events.

        Parameters
        ----------
        rows : mask, frame or sequence of int
            True for each unit of `units` that is left out, in its order; a part of `units`; or
            numbers of rows.

        Returns
        -------
        ExperimentResult
            Exploratory: it decides nothing and is no evidence. Leaving out by an outcome may bias
            it.

        Raises
        ------
        ParameterError
            When a mask does not fit `units`, or a row is not one of them.
        DataError
            When an arm is left empty, or the file has changed since.

        Examples
        --------
        >>> from opslab import experiments, workspace
        >>> experiment = experiments.Experiment.load(workspace.resolve("data/sample/checkout.yaml"))
        >>> result = experiments.analyze(experiment)
        >>> units = result.units()
        >>> result.without(units["revenue"] > 500).mark()
        'Exploratory, not in the plan (without 2 units).'
        """
        source = self._unchanged()
        left_out = self.room("unit_frame").rows_of(rows, source, self.as_of)
        source = replace(source, left_out=[*source.left_out, *left_out])
        return self._asked("without", source, count=len(left_out))

    def with_metric(self, metric: Any = None, **fields: Any) -> Self:
        """Return the result with another metric, a secondary one.

        P-values are adjusted over all secondary metrics, planned and asked.

        Parameters
        ----------
        metric : Mean, Proportion, Ratio or Quantile, optional
            From which fields are taken that are not given.
        **fields
            As in the spec: ``name``, ``type``, ``column``, …; the goal is to increase by default.

        Returns
        -------
        ExperimentResult
            Exploratory: it decides nothing and is no evidence.

        Raises
        ------
        SpecError
            When the fields are not those of a metric.
        DataError
            When the data has no such column, cells cannot be summed, or the file has changed since.

        Examples
        --------
        >>> from opslab import experiments, workspace
        >>> experiment = experiments.Experiment.load(workspace.resolve("data/sample/checkout.yaml"))
        >>> result = experiments.analyze(experiment)
        >>> asked = result.with_metric(
        ...     name="load p90", type="quantile", column="load_ms", quantile=0.9, missing="drop"
        ... )
        >>> asked.comparisons[-1].metric, asked.comparisons[-1].role
        ('load p90', 'secondary')
        """
        source = self._unchanged()
        asked = {"role": "secondary", "margin": None}
        own = {"goal": "increase", **dict(metric or ()), **fields, **asked}
        experiment = source.experiment.changed(metrics=(*source.experiment.metrics, own))
        return self._asked("metric", replace(source, experiment=experiment), name=own.get("name"))

    def _unchanged(self) -> Source:
        """Return what the result was made from; raise where it is not known, or has changed."""
        if self.source is None:
            raise ParameterError.of("experiments.no_source")
        for file, state in self.source.states.items():
            if has_changed(file, state):
                raise DataError.of("explore.changed_since", file=file.name)
        return self.source

    def _asked(self, question: str, source: Source, **values: Any) -> Self:
        """Return the result of another source, of which nothing was planned."""
        answer: Self = self.room("analysis").analysis_of(source, self.as_of, self.language)
        planned = {check.name: check for check in self.checks if check.name in _OF_PLAN}
        decision = Decision("no_decision", None, (Message("experiments.reason_exploratory"),))
        return replace(
            answer,
            plan=self.plan,
            checks=tuple(planned.get(check.name, check) for check in answer.checks),
            decision=answer.decision if answer.broken else decision,
            asked=(*self.asked, Message(f"experiments.asked_{question}", values)),
        )
