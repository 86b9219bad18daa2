"""Experiments of which only counts are at hand: units and successes, or mean and spread."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from opslab.experiments.analysis import analyze
from opslab.experiments.metrics.base import Goal
from opslab.experiments.result import ExperimentResult
from opslab.experiments.spec import Experiment
from opslab.messages import Language


def from_counts(
    arms: Mapping[str, tuple[float, ...]],
    control: str,
    *,
    name: str = "conversion",
    goal: Goal = "increase",
    weights: Mapping[str, float] | None = None,
    alpha: float = 0.05,
    mde: float | None = None,
    language: Language = "en",
) -> ExperimentResult:
    """Analyse an experiment from the counts of its arms.

    Parameters
    ----------
    arms : mapping
        Of each arm (units, units with the outcome), for a share; or (units, mean, standard
        deviation), for a mean.
    control : str
        Name of the control arm.
    name : str
        Of the metric.
    goal : {"increase", "decrease"}
    weights : mapping, optional
        Designed weight of each arm; equal ones when left out.
    alpha : float
        Two-sided.
    mde : float, optional
        The smallest relative effect worth detecting: 0.02 is 2 %.
    language : {"en", "fr"}

    Returns
    -------
    ExperimentResult
        What counts cannot tell (days, repeated units, outliers, empty values) is not checked, and
        the result says so.

    Raises
    ------
    ValueError
        When arms are not all of two numbers, or all of three.
    DataError
        When counts are impossible, such as more successes than units; the arm is told as its row.

    Examples
    --------
    >>> result = from_counts({"old": (50_000, 1_600), "new": (50_000, 2_250)}, control="old")
    >>> effect = result.comparisons[0]
    >>> f"{effect.lift:+.1%}, p = {effect.p_value:.1e}"
    '+40.6%, p = 1.2e-26'
    """
    sizes = {len(numbers) for numbers in arms.values()}
    if sizes not in ({2}, {3}):
        raise ValueError(f"arms == {arms}, each must be (units, successes) or (units, mean, sd).")
    kind = {"type": "mean", "sd": "sd"} if sizes == {3} else {"type": "proportion"}
    metric = {"name": name, "column": "value", "role": "primary", "goal": goal}
    experiment = Experiment(
        experiment=name,
        data={"rows": "totals"},
        unit="units",
        arms={"column": "arm", "control": control, "weights": weights},
        design={"alpha": alpha},
        metrics=[{**kind, **metric, "mde": mde and {"relative": mde}}],
    )
    rows = duckdb.values(*((arm, *map(float, numbers), None)[:4] for arm, numbers in arms.items()))
    named = rows.project("col0 AS arm, col1 AS units, col2 AS value, col3 AS sd")
    return analyze(experiment, named, language=language)
