"""What is done with a process by the declared rule, and what would change it: plain numbers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from opslab.operations.practices.adoption import ENDS
from opslab.operations.practices.result import Verdict
from opslab.operations.practices.spec import Rule
from opslab.uncertainty.distributions import Values

_OFF = 2  # times beyond the ends of a range up to which a value is plausible


def verdict(
    pays: float, loses: float, adopted: float | None, losses: int, rule: Rule, *, overdue: bool
) -> tuple[Verdict, str]:
    """Return what is done with a process by the declared rule, and the key of the reason.

    In this order: killed after so many reviews with a likely loss, or past its sunset unless it
    surely pays; simplified where it likely loses; extended where it surely pays and fewer use it
    than are wanted; kept where it surely pays, also where nothing tells who uses it; else open.

    Parameters
    ----------
    pays, loses : float
        Chances of a net benefit and of a net loss.
    adopted : float or None
        Share of the eligible who use it.
    losses : int
        Reviews running with a likely loss, this one included.
    rule : Rule
    overdue : bool
        Whether its sunset has passed.

    Examples
    --------
    >>> verdict(0.9, 0.1, 0.4, 0, Rule(), overdue=False)
    ('extend', 'few')
    >>> verdict(0.1, 0.9, None, 2, Rule(), overdue=False)
    ('kill', 'losses')
    """
    losing, paying = loses >= rule.sure, pays >= rule.sure
    if losing and losses >= rule.losses:
        return "kill", "losses"
    if overdue and not paying:
        return "kill", "sunset_loss" if losing else "sunset"
    if losing:
        return "simplify", "loss"
    if not paying:
        return "open", "unsure"
    if adopted is None:
        return "keep", "unknown"
    return ("extend", "few") if adopted < rule.adopted else ("keep", "pays")


def turns(
    why: str, minutes: Values, saved: Values, people: float, rule: Rule, *, overdue: bool
) -> Iterator[tuple[str, float]]:
    """Yield what would change a verdict if it were known, all else as drawn: name and value.

    Where a process surely pays, the value beyond which it does not; where it likely loses, the one
    beyond which it does not, or past its sunset surely pays; else the one beyond which it surely
    pays. These are quantiles of what it is weighed against, and monotone. Only values from half the
    low to double the high end of the range are plausible.

    Parameters
    ----------
    why : str
        As of `verdict`.
    minutes, saved : array of shape (draws,)
        Minutes that a use takes each person, and saves of all.
    people : float
    rule : Rule
    overdue : bool

    Examples
    --------
    >>> minutes, saved = np.arange(1.0, 11.0), np.full(10, 9.0)
    >>> [*turns("unsure", minutes, saved, 1, Rule(), overdue=False)]
    [('saved', 8.0), ('minutes', 9.0)]
    """
    sign = -1 if why in ("loss", "losses") and not overdue else 1
    weighed = (
        ("saved", saved, people * minutes, sign),
        ("minutes", minutes, saved / people, -sign),
    )
    for name, values, against, way in weighed:
        value = way * float(np.quantile(way * against, rule.sure, method="inverted_cdf"))
        low, high = np.quantile(values, ENDS)
        if low / _OFF <= value <= high * _OFF:
            yield name, value


def using_turns(what: Verdict, eligible: int | None, rule: Rule) -> Iterator[int]:
    """Yield how many of the eligible make a process adopted; where it is kept, no longer.

    Examples
    --------
    >>> [*using_turns("extend", 6, Rule(adopted=0.5))], [*using_turns("keep", 7, Rule())]
    ([3], [4])
    """
    if eligible and what in ("keep", "extend"):
        enough = next(n for n in range(eligible + 1) if n / eligible >= rule.adopted)
        yield enough - (what == "keep")
