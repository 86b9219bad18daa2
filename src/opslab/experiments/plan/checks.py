"""What speaks against a plan: a thin history, effects left open, tests that err, a short period."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from math import exp, pi, sqrt
from typing import Any

from scipy.special import ndtri

from opslab.experiments.metrics import Metric
from opslab.experiments.phases import Period
from opslab.experiments.plan.result import Resampled
from opslab.results import Check, Message, Status

TWO_WEEKS = 14
_OLD = 90  # days
_FAR = 1.25  # times the level: an error rate beyond it fails
_BUCKETS = 16**3
_ERRORS = 3.0  # of the make-up of the buckets, that a rate may be away


def _check(name: str, status: Status, value: float | None, said: str = "", **values: Any) -> Check:
    return Check(name, status, Message(f"plan.{name}_{said or status}", values), value)


def check_history(
    arrivals: Mapping[datetime.date, int], as_of: datetime.date | None, *, known: bool, paced: bool
) -> Iterator[Check]:
    """Look whether a history is there (``known``), as is the pace (``paced``), long and recent."""
    days = len(arrivals)
    if not days:
        said = ("no_time" if known else "assumed") if paced else "no_pace"
        yield _check("plan_history", "warn", None, said)
        return
    yield _check("plan_history", "pass" if days >= TWO_WEEKS else "warn", days, days=days)
    if as_of:
        age = (as_of - max(arrivals)).days
        yield _check(
            "plan_recent", "warn" if age > _OLD else "pass", age, days=age, last=max(arrivals)
        )


def check_effects(metrics: Sequence[Metric]) -> Check:
    """Look for primary metrics without an effect worth finding."""
    open_ones = [known.name for known in metrics if known.role == "primary" and not known.mde]
    status: Status = "fail" if open_ones else "pass"
    return _check("plan_effects", status, len(open_ones), names=open_ones)


def check_error_rate(resampled: Sequence[Resampled]) -> Iterator[Check]:
    """Look for tests that claim a difference too often, or too rarely, where there is none.

    The units of a bucket stay together: by 4,096 sums the error is known to within 1.1 %, for three
    times of which a rate may be away from the level.
    """
    if not resampled:
        return

    def beyond(known: Resampled) -> float:
        critical = float(ndtri(1 - known.expected / 2))
        slope = 2 * critical * exp(-(critical**2) / 2) / sqrt(2 * pi)  # by the log of the error
        near = _ERRORS * slope / sqrt(2 * _BUCKETS)
        return max(known.low - near - known.expected, known.expected - known.high - near)

    worst = max(resampled, key=beyond)
    far = worst.low > _FAR * worst.expected
    status: Status = "pass" if beyond(worst) <= 0 else "fail" if far else "warn"
    said = "few" if status == "warn" and worst.rate < worst.expected else ""
    rate, level = worst.rate, worst.expected
    values: dict[str, Any] = {"metric": worst.metric, "rate": rate, "level": level}
    yield _check("plan_error_rate", status, rate, said, runs=worst.runs, **values)


def check_period(
    period: Period | None, powers: Mapping[str, float], wanted: float
) -> Iterator[Check]:
    """Look whether the planned period is long enough for each metric, and of whole weeks."""
    if period is None or period.start is None or period.end is None:
        return
    days = (period.end - period.start).days + 1
    if powers:
        metric, power = min(powers.items(), key=lambda known: known[1])
        status: Status = "pass" if power >= wanted - 1e-6 else "fail"
        values: dict[str, Any] = {
            "power": power,
            "metric": metric,
            "wanted": wanted,
            "end": period.end,
        }
        yield _check("plan_period", status, power, **values)
    yield _check("plan_weeks", "warn" if days % 7 else "pass", days, days=days)
