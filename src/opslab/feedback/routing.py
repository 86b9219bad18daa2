"""Themes to teams by likeness to each team's own examples; what is not clear goes to triage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from opslab.errors import DataError
from opslab.feedback.clustering import Vectors
from opslab.feedback.encoders import unit
from opslab.feedback.shares import wilson

LEAST, MARGIN = 0.25, 0.1
"""Likeness, and lead, from which a theme is a team's: docs/feedback-routing.md."""


@dataclass(frozen=True)
class Route:
    """Where a theme, or a message, goes.

    Attributes
    ----------
    team : str or None
        None: to the triage queue.
    nearest, runner_up : str
        The two teams whose examples are most like it; `runner_up` is None where there is one team.
    score : float
        Cosine with the mean of the nearest team's examples; 1, and the margin too, where only
        people say whose it is.
    margin : float
        Its lead over the runner-up's; over 0 where there is none.
    """

    team: str | None
    nearest: str
    runner_up: str | None
    score: float
    margin: float


@dataclass(frozen=True)
class RoutingAudit:
    """How routes agree with people.

    Attributes
    ----------
    right, wrong, triaged : int
        What people judged; triaged has no team yet, and is neither right nor wrong.
    interval : tuple of float
        Of the share right among the routed: Wilson, at 95 %; 0 to 1 where none was routed.
    counts : Counter
        How many by people's team and the route's, the latter None for triage.
    """

    right: int
    wrong: int
    triaged: int
    interval: tuple[float, float]
    counts: Counter[tuple[str | None, str | None]]


def route(
    themes: Vectors,
    examples: Mapping[str, Vectors],
    least: float = LEAST,
    margin: float = MARGIN,
) -> list[Route]:
    """Return the team of each theme, or of each message.

    Parameters
    ----------
    themes : array, shape (n, dimensions)
        The mean of a theme's vectors, as the encoder gives them; or a message's vector.
    examples : mapping of str to array, shape (examples, dimensions)
        Vectors of each team's examples, by the same encoder; one team, and one example, at least.
    least : float
        Score from which a theme can be a team's.
    margin : float
        Lead from which it is: docs/feedback-routing.md tells what 0.25 and 0.1 give.

    Examples
    --------
    >>> import numpy as np
    >>> examples = {"app": np.array([[1.0, 0.0]]), "payments": np.array([[0.0, 1.0]])}
    >>> [route.team for route in route(np.array([[0.9, 0.1], [0.7, 0.7]]), examples, 0.25, 0.1)]
    ['app', None]
    """
    teams = sorted(examples)
    middles = unit(np.stack([examples[team].mean(axis=0) for team in teams]))
    costs = (-unit(themes) @ middles.T).round(6)  # last bits differ between processors
    routes = []
    for row in costs.tolist():
        (cost, nearest), *others = sorted(zip(row, teams, strict=True))
        next_cost, runner_up = others[0] if others else (0.0, None)
        lead = next_cost - cost
        team = nearest if -cost >= least and lead >= margin else None
        routes.append(Route(team, nearest, runner_up, -cost, lead))
    return routes


def routing_confusion(
    truth: Sequence[str | None], routed: Sequence[str | None], teams: Sequence[str]
) -> RoutingAudit:
    """Return how routes agree with the teams that people wrote.

    Parameters
    ----------
    truth : sequence of str or None
        People's team of each message; None where it is not judged.
    routed : sequence of str or None
        The team that it was routed to; None for triage.
    teams : sequence of str
        The study's.

    Raises
    ------
    DataError
        Where people wrote a team that the study does not have.
    """
    judged = [pair for pair in zip(truth, routed, strict=True) if pair[0]]
    for team, _ in judged:
        if team not in teams:
            raise DataError.of("feedback.unknown_team", name=team, teams=teams)
    triaged = [team for _, team in judged].count(None)
    right = sum(own == team for own, team in judged)
    sent = len(judged) - triaged
    return RoutingAudit(
        right,
        sent - right,
        triaged,
        wilson(right, sent) if sent else (0.0, 1.0),
        Counter(judged),
    )
