"""What speaks against a plan: a thin history, effects left open, tests that err, a short period."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import exp, pi, sqrt
from typing import Any

from scipy.special import ndtri

from opslab.experiments.plan.history import Past
from opslab.experiments.plan.result import PlanResult, Resampled
from opslab.results import Check, Message, Status

TWO_WEEKS = 14
_FAR = 1.25  # times the level: an error rate beyond it fails
_BUCKETS = 16**3
_ERRORS = 3.0  # of the make-up of the buckets, that a rate may be away


def _check(name: str, status: Status, value: float | None, said: str = "", **values: Any) -> Check:
    return Check(name, status, Message(f"plan.{name}_{said or status}", values), value)


def checks_of(result: PlanResult, past: Past, powers: Mapping[str, float]) -> Iterator[Check]:
    """Look at the history, the effects, the A/A tests and the period, by whose end powers are."""
    days, design, period = len(past.arrivals), result.experiment.design, result.experiment.period
    said = ("no_time" if past.known else "assumed") if result.traffic else "no_pace"
    long: Status = "pass" if days >= TWO_WEEKS else "warn"
    yield _check("plan_history", long, days or None, "" if days else said, days=days)
    metrics = result.experiment.metrics
    without = [known.name for known in metrics if known.role == "primary" and not known.mde]
    yield _check("plan_effects", "fail" if without else "pass", len(without), names=without)
    if result.resampled:
        yield _error_rate(result.resampled)
    if period is None or period.start is None or period.end is None:
        return
    if powers:
        metric, power = min(powers.items(), key=lambda known: known[1])
        values: dict[str, Any] = {"power": power, "wanted": design.power, "end": period.end}
        status: Status = "pass" if power >= design.power - 1e-6 else "fail"
        yield _check("plan_period", status, power, metric=metric, **values)
    days = (period.end - period.start).days + 1
    yield _check("plan_weeks", "warn" if days % 7 else "pass", days, days=days)


def _error_rate(resampled: Sequence[Resampled]) -> Check:
    """Look for tests that claim a difference too often, or too rarely, where there is none.

    The units of a bucket stay together: by 4,096 sums the error is known to within 1.1 %, for three
    times of which a rate may be away from the level.
    """
    level = resampled[0].expected
    critical = float(ndtri(1 - level / 2))
    slope = 2 * critical * exp(-(critical**2) / 2) / sqrt(2 * pi)  # by the log of the error
    near = _ERRORS * slope / sqrt(2 * _BUCKETS)

    def beyond(known: Resampled) -> float:
        return max(known.low - level, level - known.high) - near

    worst = max(resampled, key=beyond)
    far = worst.low > _FAR * level
    status: Status = "pass" if beyond(worst) <= 0 else "fail" if far else "warn"
    said = "few" if status == "warn" and worst.rate < level else ""
    values: dict[str, Any] = {"metric": worst.metric, "runs": worst.runs, "level": level}
    return _check("plan_error_rate", status, worst.rate, said, rate=worst.rate, **values)
