"""The gate: what a check finds reaches the recommendation, the grade of evidence, the exit code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from opslab.evidence import Grade
from opslab.experiments.spec import CheckName, Decision
from opslab.results import Check

State = Literal["sound", "usable", "broken"]

ALWAYS: frozenset[CheckName] = frozenset(
    {
        "sample_ratio",
        "sample_ratio_segments",
        "constant_split",
        "leaked_units",
        "missing_values",
        "covariate_balance",
        "trigger_ratio",
        "silent_arm",
        "event_units",
    }
)
"""Checks that block unless the spec accepts them beforehand; `docs/validation.md` has their false
alarms."""
BY_P_VALUE: frozenset[CheckName] = frozenset(
    {
        "sample_ratio",
        "sample_ratio_segments",
        "constant_split",
        "missing_values",
        "covariate_balance",
        "covariate_coverage",
        "trigger_ratio",
        "denominators",
        "steady_effect",
    }
)
"""Checks whose warning is a p-value below .01: it is no fault yet, declared blocking or not."""
GRADES: dict[State, Grade | None] = {"sound": "A", "usable": "B", "broken": None}
"""Grade of the evidence that an experiment leaves, at best."""


def gated(check: Check, rule: Decision) -> Check:
    """Return a check with its bearing on the decision, as the spec has it.

    Examples
    --------
    >>> from opslab.results import Message
    >>> found = Check("outliers", "warn", Message("experiments.outliers_warn"))
    >>> gated(found, Decision(blocking=("outliers",))).status
    'fail'
    """
    declared, reason = check.name in rule.blocking, rule.reasons.get(check.name, "")
    fails = declared and check.status == "warn" and check.name not in BY_P_VALUE
    return replace(
        check,
        status="fail" if fails else check.status,
        blocking=(declared or check.name in ALWAYS) and not reason,
        accepted=reason,
    )


def state_of(checks: Iterable[Check]) -> State:
    """Return whether data is sound, usable under a condition, or broken.

    Examples
    --------
    >>> state_of([])
    'sound'
    """
    failed = [check for check in checks if check.status == "fail"]
    if any(check.blocking for check in failed):
        return "broken"
    return "usable" if failed else "sound"
