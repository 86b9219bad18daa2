"""The critical path of steps that wait for one another: of single durations, and of draws."""

from __future__ import annotations

from collections.abc import Sequence
from graphlib import TopologicalSorter
from typing import Any, NamedTuple

import numpy as np

Depends = Sequence[Sequence[int]]
"""For each step the places of those that have to be finished before it starts."""
_NONE = 1e-6  # days of slack that are none


class Passes(NamedTuple):
    """When steps start and finish: arrays of the shape of the durations.

    Attributes
    ----------
    start, finish : array
        Earliest start and finish.
    late : array
        Latest finish that does not move the end.
    """

    start: Any
    finish: Any
    late: Any

    @property
    def end(self) -> Any:
        """When the last step is finished; a value a draw."""
        return self.finish.max(axis=0)

    @property
    def slack(self) -> Any:
        """By how much each step may be late before the end moves (total float)."""
        return self.late - self.finish

    @property
    def critical(self) -> Any:
        """Whether the end waits for a step; the mean over draws is its criticality index."""
        return self.slack < _NONE


def critical_path(
    durations: Any, depends: Depends, earliest: Any = 0.0, floor: Any = -np.inf
) -> Passes:
    """Return the forward and the backward pass of the critical path method.

    Parameters
    ----------
    durations : array, shape (steps,) or (steps, draws)
        Days, or any other unit.
    depends : sequence of sequence of int
    earliest : array, shape (steps,), optional
        When each step may start, whatever it waits for; 0 by default.
    floor : array, shape of the durations, optional
        Before when each step is not finished, whenever it starts and however long it takes.

    Raises
    ------
    graphlib.CycleError
        When steps wait for one another in a circle; its second argument names them.

    Sources
    -------
    Kelley and Walker (1959), Critical-path planning and scheduling; criticality index: Van Slyke
    (1963), Monte Carlo methods and the PERT problem, Operations Research 11.

    Examples
    --------
    >>> passes = critical_path([3, 2, 4, 1], [(), (0,), (0,), (1, 2)])
    >>> passes.finish.tolist(), passes.slack.tolist()
    ([3.0, 5.0, 7.0, 8.0], [0.0, 2.0, 0.0, 0.0])
    """
    durations = np.asarray(durations, dtype=float)
    order = [*TopologicalSorter(dict(enumerate(depends))).static_order()]
    start = (np.zeros(durations.T.shape) + earliest).T
    finish, floor = start + durations, np.broadcast_to(floor, durations.shape)
    for step in order:
        for before in depends[step]:
            start[step] = np.maximum(start[step], finish[before])
        finish[step] = np.maximum(start[step] + durations[step], floor[step])
    late = 0 * finish + finish.max(axis=0)
    for step in order[::-1]:
        for before in depends[step]:
            late[before] = np.minimum(late[before], late[step] - durations[step])
    return Passes(start, finish, late)


def merge_bias(
    durations: Any, depends: Depends, earliest: Any = 0.0, floor: Any = -np.inf
) -> float:
    """Return by how much the mean end is later than the path of mean durations says.

    Parameters
    ----------
    durations : array, shape (steps, draws)
    depends, earliest, floor
        As of `critical_path`.

    Sources
    -------
    Clark (1961), The greatest of a finite set of random variables, Operations Research 9;
    MacCrimmon and Ryavec (1964), An analytical study of the PERT assumptions, 12.

    Examples
    --------
    >>> merge_bias(np.array([[8.0, 12.0], [12.0, 8.0]]), [(), ()])
    2.0
    """
    means = np.broadcast_to(floor, durations.shape).mean(axis=1)
    mean_path = critical_path(durations.mean(axis=1), depends, earliest, means)
    return float(critical_path(durations, depends, earliest, floor).end.mean() - mean_path.end)


def pushed_by(
    durations: Any, depends: Depends, earliest: Any, floor: Any, step: int, days: float
) -> Any:
    """Return by how much each step's mean finish moves when a step takes so many days more.

    Parameters
    ----------
    durations : array, shape (steps, draws)
        The draws are the same before and after.
    depends, earliest, floor
        As of `critical_path`.
    step : int
    days : float

    Examples
    --------
    >>> pushed_by(np.array([[3.0], [5.0], [1.0]]), [(), (), (0, 1)], 0, -np.inf, 0, 4).tolist()
    [4.0, 0.0, 2.0]
    """
    later = durations.copy()
    later[step] += days
    before = critical_path(durations, depends, earliest, floor).finish
    return (critical_path(later, depends, earliest, floor).finish - before).mean(axis=1)
