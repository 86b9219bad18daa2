"""What a design reads out of the sums: comparisons, and what led to them."""

from __future__ import annotations

import datetime
from dataclasses import replace
from math import inf

from opslab.experiments.decision import Read, ends
from opslab.experiments.designs.beliefs import NARROW, believed
from opslab.experiments.designs.looks import SEQUENTIAL, Days, is_last
from opslab.experiments.designs.paths import LEAST, MORE, nominal, paths
from opslab.experiments.grounds import Grounds
from opslab.experiments.inference.comparisons import judge
from opslab.experiments.inference.metric_comparisons import compared
from opslab.experiments.sequential.boundaries import false_positive_rate


def read_design(grounds: Grounds, days: Days) -> Read:
    """Return what the experiment's design reads."""
    experiment, design = grounds.experiment, grounds.experiment.design
    if design.method in SEQUENTIAL:
        comparisons, looked = zip(*paths(grounds, days), strict=True)
        futile = {(path.metric, path.arm) for path in looked if path.ended == "futility"}
        ends_of = {path.ended for path in looked if path.role == "primary"}
        over = "last" in ends_of and not ends_of & {"", "futility"}
        lasts = [path.looks[-1] for path in looked if path.role == "primary" and path.looks]
        level = nominal(lasts[0].efficacy or inf) if lasts else LEAST
        over = over or is_last(experiment, days)
        return Read(comparisons, looked, (), frozenset(futile), over, level)
    sums = grounds.sums(grounds.arms, grounds.strata)
    plain = [known for columns in grounds.metrics.values() for known in compared(columns, sums)]
    if design.method == "fixed":
        return Read(plain)
    sums = replace(sums, alpha=1 - NARROW)
    narrow = [known for columns in grounds.metrics.values() for known in compared(columns, sums)]
    after = [believed(*known, design) for known in zip(plain, narrow, strict=True)]
    posteriors = tuple(posterior for _, posterior in after if posterior)
    kept = {
        (known.metric, known.arm) for known in posteriors if known.loss_kept <= (design.loss or 0.0)
    }
    return Read([known for known, _ in after], (), posteriors, frozenset(kept))


def stopping_look(grounds: Grounds, days: Days, read: Read) -> datetime.date | None:
    """Return the day of an earlier look that stopped a group sequential test; None without one."""
    experiment = grounds.experiment
    if experiment.design.method != "group_sequential":
        return None
    lasts = [path.looks[-1].day for path in read.paths if path.role == "primary"]
    for count, day in enumerate(days[:-1], 1):
        if day and day >= min(filter(None, lasts)):
            earlier = read_design(grounds, days[:count])
            judged = judge(earlier.comparisons, experiment.design.alpha, grounds.family)
            if earlier.ended or ends(experiment, judged):
                return day
    return None


def peeking(grounds: Grounds, as_of: datetime.date | None) -> float | None:
    """Return the false-positive rate of a fixed design at the looks that it had; None for one.

    Looks go by the units that had come in; without days of units by the days of the period.
    """
    experiment, period = grounds.experiment, grounds.experiment.period
    if experiment.design.method != "fixed" or not period or not period.start or not period.end:
        return None
    start, end = period.start, period.end
    today = min(as_of or end, end)
    days = {*(day for day in experiment.looked if day <= today), today, end}

    def information(day: datetime.date) -> float:
        seen = min(day, today)
        elapsed, whole = ((until - start).days + 1 for until in (seen, day))
        units = sum(grounds.unit_counts(grounds.until(seen).arms).values())
        return (units if grounds.days else elapsed) * whole / elapsed

    shares = list[float]()
    for share in sorted(information(day) for day in days if day <= end):
        shares += [share] if share > MORE * max(shares, default=0.0) else []
    return false_positive_rate(shares, experiment.design.alpha) if len(shares) > 1 else None
