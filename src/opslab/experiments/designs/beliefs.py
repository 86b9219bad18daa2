"""What a Bayesian design believes of each comparison after the data."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import Any, Literal

from scipy.special import ndtri, stdtrit

from opslab.experiments.course import Posterior
from opslab.experiments.design import Design
from opslab.experiments.inference.comparisons import bare, guarded, refused
from opslab.experiments.result import Comparison, Goal, Verdict
from opslab.experiments.sequential.posteriors import beta_posteriors, decision_values
from opslab.uncertainty.update import update

NARROW = 0.001
"""Level of an interval so narrow that its half-width is the error of the estimate, times t."""

_SIGNS: dict[Goal, Literal[1, -1]] = {"increase": 1, "decrease": -1}


def believed(
    known: Comparison, narrow: Comparison, design: Design
) -> tuple[Comparison, Posterior | None]:
    """Return a comparison with what is believed of it, and the belief; None where there is none.

    The prior is that of primary metrics. Others are read by the data alone: a prior around no
    effect would let a guardrail pass.

    Parameters
    ----------
    known, narrow : Comparison
        By the data alone; the other one at the level `NARROW`.
    design : Design
    """
    prior, (value, base) = design.prior, known.estimate
    if prior is None or known.difference is None or value is None or base is None:
        return known, None
    if known.role != "primary":
        return _judged(replace(known, p_value=None, harm_p=None)), None
    relative, sign = prior.scale == "relative", _SIGNS[known.goal]
    counted = prior.beta and known.type == "proportion"
    estimate = known.lift if relative else known.difference
    low, high = narrow.lift_interval if relative else narrow.difference_interval
    if known.method == "score" and not counted:
        return refused(bare(known), "prior_rare"), None
    bounds = () if counted else known.lift_interval if relative else known.difference_interval
    if estimate is None or low is None or high is None or None in bounds:
        return refused(bare(known), "no_lift"), None
    # What a difference and a lift are times so much on the prior's scale.
    units = (1 / abs(base), 1.0) if relative else (1.0, abs(base))
    kind, size = known.mde or ("", None)
    threshold = size and size * units[kind == "relative"]
    if counted and prior.beta:
        counts = [(round(share * n), n) for share, n in zip((value, base), known.n, strict=True)]
        more: dict[str, Any] = {"threshold": threshold, "relative": relative}
        values, mean, low, high = beta_posteriors(
            *counts[0], *counts[1], prior.beta, goal_sign=sign, alpha=design.alpha, **more
        )
        pull = sum(prior.beta) / (sum(prior.beta) + min(known.n))
    else:
        freedom = known.degrees_of_freedom or inf
        error = (high - low) / 2 / float(stdtrit(freedom, (1 + NARROW) / 2))
        after = update(prior.mean, prior.sd, estimate, error)
        mean, sd, pull = after.mean, after.sd, 1 - after.measured_share
        reach = sd * float(ndtri(1 - design.alpha / 2))
        values, low, high = decision_values(mean, sd, sign, threshold), mean - reach, mean + reach
    effect = (estimate, mean, low, high)
    posterior = Posterior(known.metric, known.arm, known.role, prior.scale, *effect, *values, pull)
    own: dict[str, Any] = {"p_value": None, "method": "bayes", "verdict": "open"}
    for name, unit in zip(("difference", "lift"), units, strict=True):
        own[name], *ends = (end / unit if unit else None for end in effect[1:])
        own[f"{name}_interval"] = tuple(ends)
    if posterior.loss <= min(design.loss or 0, posterior.loss_kept):
        own["verdict"] = "won"
    elif posterior.wins < design.alpha / 2:
        own["verdict"] = "lost"
    return replace(known, **own), posterior


def _judged(known: Comparison) -> Comparison:
    """Return a comparison judged by its own interval: of a metric without a prior."""
    low, high = known.difference_interval
    ends = [_SIGNS[known.goal] * (end or 0.0) for end in (low, high)]
    verdict: Verdict = "won" if min(ends) > 0 else "lost" if max(ends) < 0 else "open"
    return replace(known, verdict=guarded(known) if known.role == "guardrail" else verdict)
