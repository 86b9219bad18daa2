"""Outliers: what the units farthest from a metric's value do to an effect; robust companions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from opslab.experiments.course import Effect
from opslab.experiments.inference.comparisons import Side, compare, effect
from opslab.experiments.inference.effects import welch_of_moments
from opslab.experiments.inference.metric_columns import MetricColumns
from opslab.experiments.moments.arm_moments import Arms, CrossMoments, Moments, merge_cross
from opslab.experiments.moments.values import filled_sql
from opslab.experiments.result import Companion, Comparison, Way
from opslab.experiments.units.unit_table import UnitTable
from opslab.tables.source import ROW, literal, quoted

MOVED = 0.5
"""Standard errors by which a group of units may move an effect."""
_APART = 2.5  # times as far as the next unit: the least gap below a group
_LEVEL = 0.02  # false alarms of the gaps in a long tail, all of them together
_LOOKED_AT = 200  # units, or the farthest .1 % where these are more
_TAIL = 20  # units at least whose distances make the tail, or a tenth of those with a value
_FARTHEST = 1_000  # units of which one is among the farthest .1 %


@dataclass(frozen=True)
class Influence:
    """What the units farthest from a metric's value do to the difference of two arms.

    Attributes
    ----------
    apart : bool
        Whether they are a group, apart from all others; else they are the farthest .1 %.
    arm : str
        That of most of them.
    rows : tuple of int
        Their rows in the data, from 1, the farthest first; None where rows have no numbers.
    share : float
        Their share of the arm's total.
    whole, trimmed, capped : Comparison
        With them, without them, and with each brought as near as the next; without covariates.
    """

    apart: bool
    arm: str
    rows: tuple[int, ...]
    share: float
    whole: Comparison
    trimmed: Comparison
    capped: Comparison

    @property
    def differences(self) -> tuple[float, float]:
        """With them and without them."""
        return self.whole.difference or 0.0, self.trimmed.difference or 0.0

    @property
    def moved(self) -> float:
        """How far the difference moves without them, in its standard errors."""
        before, after = self.differences
        return abs(after - before) / (self.whole.standard_error or 1.0)

    def carries(self, alpha: float) -> bool:
        """Whether the effect rests on them.

        A group, where the effect moves far without it, or across significance; the farthest .1 %,
        where a significant effect has the other sign without them.
        """
        before, after = ((known.p_value or 0.0) <= alpha for known in (self.whole, self.trimmed))
        if self.apart:
            return self.moved > MOVED or before != after
        return before and self.differences[0] * self.differences[1] < 0


@dataclass(frozen=True)
class Pair:
    """Two arms in a metric that few units can move.

    Attributes
    ----------
    units : UnitTable
    columns : MetricColumns
    arms : mapping
        The sums of each arm.
    names : tuple of str
        Arm and control.
    alpha : float
    """

    units: UnitTable
    columns: MetricColumns
    arms: Arms
    names: tuple[str, str]
    alpha: float

    @cached_property
    def _sums(self) -> list[CrossMoments]:
        """The moments of the metric's own columns in arm and control, without covariates."""
        own, joint = slice(len(self.columns.own)), self.columns.joint
        crosses = [self.arms[name].cross(joint) for name in self.names]
        return [replace(x, means=x.means[own], scatter=x.scatter[own, own]) for x in crosses]

    @property
    def _rows(self) -> str:
        """SQL of the units: whether each is in the arm, its row, value, denominator, distance."""
        table, means = self.units.table, merge_cross(*self._sums).means
        own = [filled_sql(table, column) for column in self.columns.own]
        value, base = [*own, "1.0::DOUBLE"][:2]
        distance = f"{value} - {float(means[0] / [*means, 1.0][1])!r} * {base}"
        arm = f"CAST({quoted(self.units.arm)} AS VARCHAR)"
        names = list(map(literal, self.names))
        among = f"{arm} IN ({', '.join(names)})" if len(self.arms) > len(names) else "TRUE"
        return (
            f"(SELECT {arm} = {names[0]}, {ROW} + 1, {value}, {base}, {distance} "
            f"FROM {table.relation} WHERE {self.units.where} AND {among} "
            f"AND {distance} IS NOT NULL) AS units(treated, place, value, base, distance)"
        )

    def _compared(self, *sums: CrossMoments) -> Comparison:
        arm, control = map(Side, self.names, sums)
        return compare(self.columns.metric, arm, control, self.alpha)

    @cached_property
    def _whole(self) -> Comparison:
        return self._compared(*self._sums)

    @cached_property
    def _looked(self) -> tuple[Any, ...]:
        """The farthest units, how many have a value, and the skewness of the distances."""
        # of several alike the first row
        unit = ("abs(distance)", "-place", "treated", "value", "base", "distance")
        most = max(_LOOKED_AT, sum(sums.n for sums in self._sums) // _FARTHEST + 2)
        looks = ("count(*) FILTER (value <> 0)", "skewness(distance)")
        return self.units.table.largest(self._rows, unit, most, looks)

    @property
    def lean(self) -> float:
        """Skewness of the difference: 0 for arms of one size, whatever their values are."""
        if self._whole.standard_error is None:
            return 0.0
        arm, control = (1 / sums.n for sums in self._sums)
        lean: float = (self._looked[2] or 0.0) * (arm**2 - control**2) / (arm + control) ** 1.5
        return abs(lean)

    @cached_property
    def influences(self) -> list[Influence]:
        """What groups of the farthest units do to the difference, and last what .1 % of them do."""
        plain = self._sums
        whole, n = self._whole, sum(sums.n for sums in plain)
        if whole.standard_error is None:
            return []
        farthest, others, _ = self._looked
        sizes, places, treated, values, bases, distances = map(
            np.array, zip(*farthest, strict=True)
        )
        own = np.stack([values, bases], axis=1)[:, : len(plain[0].means)]
        # Nearer ones tell nothing of a long tail, nor do those without a value.
        tail = sizes[: min(others, max(_TAIL, others // 10))]
        influences, counts = list[Influence](), groups(tail, others)
        for size in (*counts, -(-n // _FARTHEST)):
            inside = [np.flatnonzero(treated[:size] == arm) for arm in (True, False)]
            if any(len(gone) > sums.n - 2 for gone, sums in zip(inside, plain, strict=True)):
                continue  # a variance takes two
            nearer = own.copy()
            cap = sizes[size]
            nearer[:size, 0] -= distances[:size] - distances[:size].clip(-cap, cap)
            rest = [_with(sums, own[gone], -1) for sums, gone in zip(plain, inside, strict=True)]
            capped = [_with(sums, nearer[gone], 1) for sums, gone in zip(rest, inside, strict=True)]
            trimmed = self._compared(*rest)
            if trimmed.p_value is None:
                continue
            most = int(len(inside[1]) > len(inside[0]))
            total = plain[most].n * plain[most].means[0]
            share = values[inside[most]].sum() / total if total else 0.0
            influences.append(
                Influence(
                    apart=size in counts,
                    arm=self.names[most],
                    rows=tuple(place and -place for place in places[:size].tolist()),
                    share=float(share),
                    whole=whole,
                    trimmed=trimmed,
                    capped=self._compared(*capped),
                )
            )
        return influences

    @property
    def values(self) -> list[Any]:
        """The values of the arm and of the control, as arrays."""
        query = f"SELECT value FROM {self._rows} WHERE treated ="
        fetch = self.units.table.arrays
        return [fetch(f"{query} {treated}")["value"] for treated in (True, False)]

    def ranks(self) -> Effect | None:
        """Test by ranks whether units of the arm have more than those of the control.

        Returns
        -------
        Effect or None
            The difference is that between the share of pairs of units, one of each arm, in which
            the arm's has more (ties count half), and one half. None where all values are the same.

        Sources
        -------
        Brunner and Munzel (2000).
        """
        counts = "count(*) FILTER (treated) AS arm, count(*) FILTER (NOT treated) AS control"
        query = f"SELECT {counts} FROM {self._rows} GROUP BY distance ORDER BY distance"
        arm, control = self.units.table.arrays(query).values()
        # The two shares add up to 1: the arm's is tested against one half, with the spread of both.
        half = replace(_ahead(control, arm), mean=0.5)
        test = welch_of_moments(_ahead(arm, control), half, 1 - self.alpha)
        if test is None:
            return None
        return Effect(test.difference, (test.low, test.high), None, (None, None), test.p_value)

    def companions(self, known: Comparison, *, ranked: bool) -> list[Companion]:
        """Return what beside a comparison of the pair is computed in other ways."""
        if not self.influences or self.influences[-1].apart:
            return []
        farthest = self.influences[-1]
        ways: dict[Way, Effect | None] = {
            "plain": known.raw or effect(known),
            "covariates": effect(known) if known.raw else None,
            "capped": effect(farthest.capped),
            "trimmed": effect(farthest.trimmed),
            "ranks": self.ranks() if ranked else None,
        }
        return [Companion(known.metric, known.arm, way, own) for way, own in ways.items() if own]


def groups(sizes: Any, others: int) -> list[int]:
    """Return how many of the farthest units stand apart from all others, as a group would.

    In a long tail the j-th size is to the next as e to an exponential over j, with a mean that is
    the tail's own: a gap stands out where it is improbable beside those below it.

    Parameters
    ----------
    sizes : array
        Distances of units, the farthest first.
    others : int
        Units whose value is not 0. A group is at most 1 % of them, or 5 of 20: more are a kind of
        unit (a price, a sort of customer), and few events among zeros are no group.

    Sources
    -------
    Rényi (1953), the spacings; Hill (1975), their mean in a tail.
    """
    sizes = sizes[sizes > 0]
    orders = np.arange(1, len(sizes))
    gaps = orders * np.log(sizes[:-1] / sizes[1:])
    below = np.append(gaps[::-1].cumsum()[::-1][1:], 0.0)[: len(gaps)]
    with np.errstate(divide="ignore", invalid="ignore"):
        evidence = (len(gaps) - orders) * np.log1p(gaps / below)
    apart = (evidence > np.log(orders * (orders + 1) / _LEVEL)) & (sizes[:-1] > _APART * sizes[1:])
    return [int(size) for size in orders[apart & (orders <= min(others / 4, max(5, others / 100)))]]


def _with(sums: CrossMoments, values: Any, sign: int) -> CrossMoments:
    """Return moments with some more units, or with a negative sign without them."""
    if not len(values):
        return sums
    n, means = sign * len(values), values.mean(axis=0)
    # Not a product of matrices: its last digits depend on the processor.
    scatter = sign * np.einsum("ij,ik->jk", values - means, values - means)
    return merge_cross(sums, CrossMoments(n, n, means, scatter))


def _ahead(own: Any, others: Any) -> Moments:
    """Return the moments of the share of the others that a value is ahead of, by value in order."""
    ahead = (others.cumsum() - others / 2) / others.sum()
    mean = (own * ahead).sum() / own.sum()
    return Moments(int(own.sum()), float(mean), float((own * (ahead - mean) ** 2).sum()))
