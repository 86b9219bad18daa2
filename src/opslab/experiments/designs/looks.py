"""The days on which a design is looked at, and what it cannot be computed for."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import inf

from opslab.errors import Problem, SpecError
from opslab.experiments.design import Design
from opslab.experiments.metrics.base import Declaration
from opslab.experiments.sequential.posteriors import decision_values
from opslab.experiments.spec import Experiment

SEQUENTIAL = ("group_sequential", "always_valid")
Days = Sequence[datetime.date | None]
_DAY = datetime.timedelta(days=1)


def waiting(design: Design, metric: Declaration) -> datetime.timedelta:
    """Return how many whole days after a unit came in its value is fixed."""
    span = metric.window.end if metric.window else design.settled or 0 * _DAY
    return -(-span // _DAY) * _DAY


def most_looks(design: Design) -> float:
    """Return the number of planned looks."""
    looks = design.looks
    return inf if looks is None else looks if isinstance(looks, int) else len(looks)


def planned_days(design: Design) -> tuple[datetime.date, ...]:
    """Return the days of the planned looks; none where only their number is planned."""
    return design.looks if isinstance(design.looks, tuple) else ()


def look_days(experiment: Experiment, as_of: datetime.date | None) -> Days:
    """Return the days of the looks up to that of the readout; a single None where there are none.

    They are those that were written down, and the planned ones after them; none beyond the plan.
    Where no days are planned the readout is a look as well.

    Raises
    ------
    SpecError
        When the readout's day is before the first planned look.
    """
    design, planned = experiment.design, planned_days(experiment.design)
    today = min(filter(None, (as_of, experiment.last_day)), default=None)
    if today is None or experiment.period is None or experiment.period.time is None:
        return [today]
    days = {day for day in experiment.looked if day <= today}
    days |= {day for day in planned if max(days, default=datetime.date.min) < day <= today}
    if not planned:
        days.add(today)
    if not days:
        values = {"day": min(planned), "today": today}
        raise SpecError(experiment.problem("experiments.look_first", "design", "looks", **values))
    return [day for order, day in enumerate(sorted(days)) if order < most_looks(design)]


def is_last(experiment: Experiment, days: Days) -> bool:
    """Whether the plan has no look after these."""
    design, last = experiment.design, days[-1]
    ends = filter(None, (experiment.last_day, *planned_days(design)[-1:]))
    return len(days) >= most_looks(design) or bool(last and last >= min(ends, default=last))


def look_problems(experiment: Experiment) -> Iterator[Problem]:
    """Give what is wrong with the days of looks, planned or written down."""
    design, end = experiment.design, experiment.last_day
    start = experiment.period and experiment.period.start
    written = {("looked",): experiment.looked, ("design", "looks"): planned_days(design)}
    for field, days in written.items():
        for order, (before, day) in enumerate(pairwise((datetime.date.min, *days))):
            if day <= before:
                values = {"day": day, "before": before}
                yield experiment.problem("experiments.look_order", *field, order, **values)
            elif (start and day < start) or (end and day > end):
                yield experiment.problem("experiments.look_outside", *field, order, day=day)
    count, given = most_looks(design), len(experiment.looked)
    if given > count:
        yield experiment.problem("experiments.looks_many", "looked", count=count, given=given)


def design_problems(experiment: Experiment) -> Iterator[Problem]:
    """Give what a design that may be looked at on the way is not computed for."""
    design, form, period = experiment.design, experiment.data.rows, experiment.period
    timed, fixed = period is not None and period.time is not None, design.method == "fixed"
    dated = period and period.start and period.end if fixed else timed
    if not dated and (design.looks or design.settled or experiment.looked):
        yield experiment.problem("experiments.design_time", "period")
    if fixed:
        return
    if design.settled is not None and all(metric.window for metric in experiment.metrics):
        yield experiment.problem("experiments.design_windows", "design", "settled")
    asked: dict[tuple[str, ...], object] = {
        ("data", "rows"): form == "finer" or (form == "totals" and (timed or bool(design.looks))),
        ("strata",): experiment.strata and design.method in SEQUENTIAL,
        ("phases",): experiment.phases and design.method in SEQUENTIAL,
    }
    for field in (field for field, refused in asked.items() if refused):
        yield experiment.problem("experiments.design_form", *field, method=design.method)
    yield from _prior_problems(experiment)
    for order, metric in enumerate(experiment.metrics):
        own = ("metrics", order)
        if form != "totals" and design.settled is None and metric.window is None:
            yield experiment.problem("experiments.design_settled", *own, metric=metric.name)
        moves = metric.cap and metric.cap.quantile and metric.role != "secondary"
        if moves and design.method in SEQUENTIAL:
            yield experiment.problem("experiments.design_cap", *own, "cap", metric=metric.name)


def _prior_problems(experiment: Experiment) -> Iterator[Problem]:
    """Give what is wrong with a prior, or would decide without data."""
    design = experiment.design
    primaries = sum(metric.role == "primary" for metric in experiment.metrics)
    if design.prior and design.prior.scale == "absolute" and primaries > 1:
        yield experiment.problem("experiments.design_prior", "design", "prior")
    if design.prior and design.loss:
        before = min(decision_values(design.prior.mean, design.prior.sd, 1)[2:])
        if design.loss >= before:
            values = {"loss": design.loss, "before": before}
            yield experiment.problem("experiments.design_loss", "design", "loss", **values)
