"""What a prioritisation returns: the order with its chances, what would change it, checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from opslab.operations.prioritisation.ratings import Ratings, View
from opslab.operations.prioritisation.spec import Backlog
from opslab.results import Result

SURE = 0.65
"""Chance from which one item is said to come before another."""
HALF = 0.5
"""Mean rank correlation below which raters are to talk first; share of reach to be counted, and of
the items near the top to have ranges."""
WORTH = 0.005
"""Share of the top's score from which a thing is worth finding out."""


class Standing(NamedTuple):
    """An item's place in the order.

    Attributes
    ----------
    reach, impact, effort : float
        What they are on average.
    rice, rice_low, rice_high : float
        Exact mean, and the middle 90 % of its draws.
    stated : float
        Score of the numbers as they stand in the sheet.
    delay : float or None
        Cost of delay over weeks (CD3).
    reasons, evidence : float
        Share of its numbers with a reason, with evidence.
    first, top : float or None
        Chance to come first, and to be among the top items; None where too few of the items
        near the top, or not the first, have a range that says how sure the order is.
    position, position_low, position_high : float
        Expected rank, and the middle 90 %.
    tie : int
        Place of the first item of its tie band: that it cannot be told from.
    crossing : float or None
        Factor on its score that takes it out of the top, or into it.
    know_reach, know_impact, know_effort : float or None
        What knowing it exactly would add to the score of the top, as a share; None far from the
        line.
    """

    item: str
    stated: float
    delay: float | None
    reasons: float
    evidence: float
    reach: float
    impact: float
    effort: float
    rice: float
    rice_low: float
    rice_high: float
    first: float | None
    top: float | None
    position: float
    position_low: float
    position_high: float
    tie: int
    crossing: float | None
    know_reach: float | None
    know_impact: float | None
    know_effort: float | None


@dataclass(frozen=True, kw_only=True, repr=False)
class PrioritisationResult(Result):
    """The result of `opslab.operations.prioritise`.

    Ask
    ---
    ``frame()`` and ``to_excel(path)`` give the order with its chances; ``compare(other)`` two
    orders side by side; ``explain(term)`` what a word means.

    Attributes
    ----------
    standings : sequence of Standing
        The leading items, in the order of their expected scores.
    views : sequence
        What raters say of each of them.
    undecided : sequence of (str, str)
        Pairs of the first fifteen of which neither is ahead with a chance of `SURE`.
    alone : float
        Chance of the first place to hold if effort errs as published, and nothing else.
    raters : int
        How many people rated the list.
    concordance : float or None
        Kendall's W over the items that all raters rated.
    stability : Mapping
        How many pairs of items kept last quarter's order, what entered and what left.
    """

    PARTS: ClassVar[Mapping[str, str]] = {
        "order": "standings",
        "changes": "",
        "agreement": "",
        "support": "",
        "checks": "checks",
        "data": "",
        "method": "",
    }

    backlog: Backlog
    draws: int
    seed: int
    ratings: Ratings
    standings: Sequence[Standing]
    views: Sequence[Sequence[View]]
    undecided: Sequence[tuple[str, str]]
    alone: float
    raters: int
    concordance: float | None
    stability: Mapping[str, Any]

    @property
    def flat(self) -> bool:
        """Whether too few numbers have a range to say how sure the order is."""
        return self.standings[0].first is None

    @property
    def lesson(self) -> tuple[float, str, str]:
        """What is most worth finding out: share of the top's score, factor, item."""
        return max(
            (getattr(standing, f"know_{factor}") or 0.0, factor, standing.item)
            for standing in self.standings
            for factor in ("reach", "impact", "effort")
        )

    @property
    def accord(self) -> float | None:
        """Mean rank correlation of two raters, 0 by chance; None where nothing shows it."""
        w, raters = self.concordance, self.raters
        return None if w is None else (raters * w - 1) / (raters - 1)

    @property
    def action(self) -> str:
        """What to do: stop, range (none was given), talk (raters disagree), find (out) or start."""
        if self.broken:
            return "stop"
        torn = self.accord is not None and self.accord < HALF
        open_ = "range" if self.flat else "find" if self.lesson[0] >= WORTH else "start"
        return "talk" if torn else open_
