"""Checks of the data that come before any effect is believed."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence

from scipy.special import chdtrc

from opslab.experiments.effects import welch
from opslab.experiments.moments import ArmMoments
from opslab.experiments.multiplicity import holm
from opslab.experiments.result import ArmSummary, Check, Message, Status
from opslab.experiments.sample_ratio import sample_ratio
from opslab.experiments.summed import Column
from opslab.experiments.units import Units

FAIL_BELOW, WARN_BELOW = 0.001, 0.01


def status_of(p_value: float) -> Status:
    """Return what a p-value of a data check means: fail below .001, warn below .01."""
    return "fail" if p_value < FAIL_BELOW else "warn" if p_value < WARN_BELOW else "pass"


def check_sample_ratio(arms: Sequence[ArmSummary], blocking: bool) -> Check:
    """Compare the units of each arm with the designed shares: chi-square over all arms."""
    found = sample_ratio([arm.units for arm in arms], [arm.expected for arm in arms])
    status = status_of(found.p_value)
    farthest = max(range(len(arms)), key=lambda place: abs(arms[place].units - found.expected[place]))
    values = {
        "p": found.p_value,
        "arm": arms[farthest].name,
        "units": arms[farthest].units,
        "expected": found.expected[farthest],
    }
    return Check(
        "sample_ratio", status, found.p_value, blocking, Message(f"experiments.sample_ratio_{status}", values)
    )


def check_leaked_units(units: Units, blocking: bool) -> Check:
    """Count the units that stand in more than one arm."""
    if units.leaked == 0:
        return Check(
            "leaked_units",
            "pass",
            0,
            blocking,
            Message("experiments.leaked_units_pass", {"units": units.units}),
        )
    values = {"count": units.leaked, "share": units.leaked / units.units, "row": units.leaked_row}
    return Check(
        "leaked_units", "fail", units.leaked, blocking, Message("experiments.leaked_units_fail", values)
    )


def check_missing_values(
    arms: Mapping[str, ArmMoments], names: Mapping[Column, Sequence[str]], blocking: bool
) -> Check | None:
    """Compare the share of empty values between arms, for each metric that has some: the worst one speaks.

    Returns
    -------
    Check or None
        None when nothing is empty.
    """
    worst: tuple[float, Column] | None = None
    for column in names:
        missing = [arm.missing[column] for arm in arms.values()]
        if not any(missing):
            continue
        p_value = _homogeneity(missing, [arm.rows for arm in arms.values()])
        if worst is None or p_value < worst[0]:
            worst = (p_value, column)
    if worst is None:
        return None
    p_value, column = worst
    status = status_of(p_value)
    total = sum(arm.missing[column] for arm in arms.values())
    values = {"metric": names[column][0], "count": total, "p": p_value}
    return Check(
        "missing_values", status, p_value, blocking, Message(f"experiments.missing_values_{status}", values)
    )


def check_covariate_balance(
    arms: Mapping[str, ArmMoments], control: str, covariates: Sequence[Column], blocking: bool
) -> Check | None:
    """Compare each covariate between each arm and the control by Welch's test with Holm: the worst speaks.

    Returns
    -------
    Check or None
        None without covariates.
    """
    found = []
    for column in covariates:
        base = arms[control].moments[column]
        for name, arm in arms.items():
            one = arm.moments[column]
            if name == control or min(one.n, base.n) < 2 or one.variance == base.variance == 0:  # noqa: PLR2004
                continue
            test = welch(one.mean, one.variance, one.n, base.mean, base.variance, base.n)
            found.append((test.p_value, column.name, name, one.mean, base.mean))
    if not found:
        return None
    adjusted = holm([p_value for p_value, *_ in found])
    p_value, (_, covariate, name, mean, base_mean) = min(zip(adjusted, found, strict=True))
    status = status_of(p_value)
    values = {"covariate": covariate, "arm": name, "to": mean, "from": base_mean, "control": control,
              "p": p_value}  # fmt: skip
    return Check(
        "covariate_balance",
        status,
        p_value,
        blocking,
        Message(f"experiments.covariate_balance_{status}", values),
    )


def check_period(end: datetime.date | None, as_of: datetime.date | None, blocking: bool) -> Check | None:
    """Say when a fixed-horizon test is read before its end."""
    if end is None or as_of is None:
        return None
    if as_of >= end:
        return Check("period", "pass", 0, blocking, Message("experiments.period_pass", {"end": end}))
    days = (end - as_of).days
    return Check(
        "period", "warn", days, blocking, Message("experiments.period_warn", {"end": end, "days": days})
    )


def _homogeneity(counts: Sequence[int], totals: Sequence[int]) -> float:
    """Return Pearson's p-value for equal shares of ``counts`` among ``totals`` over the groups."""
    share = sum(counts) / sum(totals)
    if share in (0.0, 1.0):
        return 1.0
    statistic = sum(
        (count - total * share) ** 2 / (total * share * (1 - share))
        for count, total in zip(counts, totals, strict=True)
        if total
    )
    return float(chdtrc(len([total for total in totals if total]) - 1, statistic))
