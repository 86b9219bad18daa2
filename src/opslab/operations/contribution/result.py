"""What a contribution returns: three gains, the claims behind them, what is still owed."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

from opslab.evidence import Evidence, Quantity
from opslab.filed_runs import Run
from opslab.operations.contribution.spec import Contribution, Debt, Gain
from opslab.results import Message, Result

State = Literal["measured", "estimated", "debt"]


class Change(NamedTuple):
    """How a figure moved since the last contribution.

    Attributes
    ----------
    kind : {"new", "gone", "other", "same", "moved"}
        No last contribution has a figure; this one has none; it is of other findings; it stands on
        the same run, or the same files; else.
    then : float or None
    value, low, high : float or None
        The change and its 90 % interval, as if the two figures were independent.
    """

    kind: Literal["new", "gone", "other", "same", "moved"] = "new"
    then: float | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None


class Claim(NamedTuple):
    """A finding of a run, and whether it counts.

    Attributes
    ----------
    name : str
        What its source calls it.
    state : {"measured", "estimated"}
        By its kind and grade: opinions and grades E and F are estimated.
    counted_in : str
        Name of the source whose claim counts the same, where this one is not counted; else empty.
    conditions : sequence of Message
        Names of checks on which it depends.
    """

    gain: Gain
    name: str
    evidence: Evidence
    run: Run
    state: State
    conditions: Sequence[Message]
    counted_in: str
    change: Change


class Total(NamedTuple):
    """The figure of a gain.

    Attributes
    ----------
    state : {"measured", "estimated", "debt"}
    claims : tuple of Claim
        Behind it: hours a year are added up, of all else it is the first; those measured, where
        there are some. Empty of a debt.
    quantity : Quantity or None
    grade : str or None
        The worst of those behind it.
    beside : tuple of Total
        Other hours a year of the gain, which are not told like these and so not added to them: one
        for each way in which they are told.
    """

    gain: Gain
    state: State
    claims: tuple[Claim, ...] = ()
    quantity: Quantity | None = None
    grade: str | None = None
    change: Change = Change()
    beside: tuple[Total, ...] = ()


class Missing(NamedTuple):
    """A source of which nothing is used, or a pattern that matches nothing, and why."""

    gain: Gain
    name: str
    run: str
    reason: Message
    used: bool


@dataclass(frozen=True, kw_only=True, repr=False)
class ContributionResult(Result):
    """The result of `opslab.operations.review_contribution`.

    Ask
    ---
    ``frame()`` has a row for each claim; ``compare(other)`` puts two contributions side by side;
    ``explain(term)`` says what a word means.

    Attributes
    ----------
    totals : tuple of Total
        Time, decisions, alignment.
    claims : tuple of Claim
        In the order of the spec.
    missing : tuple of Missing
    previous_day : datetime.date or None
        Of the last contribution.
    passed : tuple of str
        Later ones that could not be compared with.
    """

    PARTS: ClassVar[Mapping[str, str]] = {
        "gains": "claims",
        "debts": "",
        "checks": "checks",
        "method": "",
    }

    contribution: Contribution
    totals: tuple[Total, ...]
    claims: tuple[Claim, ...]
    missing: tuple[Missing, ...]
    previous_day: datetime.date | None = None
    passed: tuple[str, ...] = ()
    seed: int = 1

    @property
    def counted(self) -> list[Claim]:
        """The claims that count: each thing once."""
        return [claim for claim in self.claims if not claim.counted_in]

    @property
    def overdue(self) -> list[Debt]:
        """Debts whose day has passed."""
        day = self.as_of or datetime.date.max
        return [debt for debt in self.contribution.debts if debt.by < day]

    @property
    def lost(self) -> list[Gain]:
        """Gains of which nothing can be told because a readout cannot be used."""
        unused = {missing.gain for missing in self.missing if not missing.used}
        return [known.gain for known in self.totals if not known.claims and known.gain in unused]

    @property
    def action(self) -> str:
        """What to do.

        Stop; restore readouts that a gain lacks; measure (a gain is a debt); confirm (one is
        estimated only); report.
        """
        states = {total.state for total in self.totals}
        if self.broken or self.lost:
            return "stop" if self.broken else "restore"
        return "measure" if "debt" in states else "confirm" if "estimated" in states else "report"
