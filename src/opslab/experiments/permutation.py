"""Few units: a permutation test beside the t-test, which then rests on how regular the units are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations, product
from math import comb
from typing import Any

import numpy as np

from opslab.experiments.measured import Measured
from opslab.experiments.result import Comparison, Message
from opslab.experiments.unit_table import UnitTable
from opslab.tables.source import ROW, quoted

DRAWS = 9_999


def permutation_p(
    treated: Sequence[Sequence[float]],
    control: Sequence[Sequence[float]],
    *,
    paired: bool = False,
    draws: int = DRAWS,
    seed: int = 0,
) -> float:
    """Give the two-sided p-value of no effect on any unit, from the assignments that could have been.

    All of them are looked at where there are no more than ``draws``, else that many at random. Between them
    the studentised difference of the means (or ratios) is compared, so that unequal spreads of the arms do
    little harm.

    Parameters
    ----------
    treated, control : sequence, shape (units, 1 or 2)
        A unit's value, or its numerator and denominator. With ``paired`` the n-th of one belongs to the n-th
        of the other.
    paired : bool
        Whether arms are exchanged within pairs only.
    draws, seed : int

    Returns
    -------
    float

    Examples
    --------
    >>> permutation_p([[3.0], [4.0], [5.0]], [[0.0], [1.0], [2.0]])
    0.1

    Sources
    -------
    Fisher (1935); studentised as in Chung and Romano (2013).
    """
    one, other = np.asarray(treated, dtype=float), np.asarray(control, dtype=float)
    both = np.concatenate([one, other])
    observed = _statistic(one, other, paired=paired)
    found = [
        _statistic(both[list(chosen)], both[list(rest)], paired=paired)
        for chosen, rest in _assignments(len(one), len(other), paired=paired, draws=draws, seed=seed)
    ]
    hits = sum(value >= observed * (1 - 1e-12) for value in found)
    exact = len(found) == (2 ** len(one) if paired else comb(len(both), len(one)))
    return hits / len(found) if exact else (hits + 1) / (len(found) + 1)


def _assignments(
    n: int, m: int, *, paired: bool, draws: int, seed: int
) -> Iterator[tuple[Sequence[int], Sequence[int]]]:
    generator = np.random.default_rng(seed)
    if paired:
        few = 2**n <= draws
        swaps: Any = product((False, True), repeat=n) if few else generator.random((draws, n)) < 0.5  # noqa: PLR2004 - a coin
        for swap in swaps:
            yield (
                [place + n * change for place, change in enumerate(swap)],
                [place + n * (not change) for place, change in enumerate(swap)],
            )
        return
    if comb(n + m, n) <= draws:
        for chosen in combinations(range(n + m), n):
            yield chosen, [place for place in range(n + m) if place not in chosen]
        return
    for _ in range(draws):
        order = generator.permutation(n + m)
        yield order[:n].tolist(), order[n:].tolist()


def _statistic(one: Any, other: Any, *, paired: bool) -> float:
    sides = []
    for side in (one, other):
        means = side.mean(axis=0)
        estimate = means[0] / means[1] if len(means) > 1 else means[0]
        moved = side[:, 0] - means[0]
        if len(means) > 1:
            moved = (side[:, 0] - estimate * side[:, 1]) / means[1]
        sides.append((estimate, moved))
    difference = abs(sides[0][0] - sides[1][0])
    if paired:
        error = (sides[0][1] - sides[1][1]).std(ddof=1) / len(one) ** 0.5
    else:
        error = sum(moved.var(ddof=1) / len(moved) for _, moved in sides) ** 0.5
    return float(difference / error) if error > 0 else float("inf") if difference > 0 else 0.0


def with_permutations(
    comparisons: Sequence[Comparison], metrics: dict[str, Measured], units: UnitTable, few: int
) -> list[Comparison]:
    """Return the comparisons of fewer than ``few`` units with the permutation p-value as a note."""
    return [
        replace(one, notes=(*one.notes, note))
        if one.metric in metrics
        and one.p_value is not None
        and min(one.n) < few
        and (note := _note(one, metrics[one.metric], units)) is not None
        else one
        for one in comparisons
    ]


def _note(one: Comparison, metric: Measured, units: UnitTable) -> Message | None:
    names = ", ".join(f"CAST({quoted(column.name)} AS DOUBLE)" for column in metric.own)
    within = units.strata or "NULL"
    rows = units.table.fetch(
        f"SELECT CAST({quoted(units.arm)} AS VARCHAR), {within}, {names} FROM {units.table.relation} "
        f"WHERE {units.where} ORDER BY {ROW}"
    )
    known = [row for row in rows if None not in row[2:]]
    sides = {arm: [row for row in known if row[0] == arm] for arm in (one.arm, one.control)}
    if units.strata is None:
        values = [[row[2:] for row in sides[arm]] for arm in (one.arm, one.control)]
        p_value = permutation_p(values[0], values[1])
        return Message("experiments.permutation", {"p": p_value})
    by_stratum = [{row[1]: row[2:] for row in sides[arm]} for arm in (one.arm, one.control)]
    shared = sorted(set(by_stratum[0]) & set(by_stratum[1]) - {None})
    if any(len(side) != len(found) for side, found in zip(sides.values(), by_stratum, strict=True)):
        return None  # strata of several units, whose exchange is another one
    pairs = [[found[level] for level in shared] for found in by_stratum]
    return Message("experiments.permutation", {"p": permutation_p(pairs[0], pairs[1], paired=True)})
