"""Who uses a process, and how often: from a log of uses, a review of standards, or its card."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
from scipy.special import gammaincinv, ndtr

from opslab.messages import LANGUAGES, Bilingual, spoken
from opslab.names import folded
from opslab.operations.practices.spec import Process, Use
from opslab.uncertainty.distributions import Values
from opslab.uncertainty.proportions import Interval, wilson

WINDOW = 28
"""Days of which a team's use counts for adoption; a log of fewer tells nothing."""
QUARTER = 91
"""Days of which uses are counted, so that what is done once a quarter is seen."""
STALE = 14
"""Days after its last use from which a log has ended, rather than all processes at once."""
MONTH = 365.25 / 12
"""Days."""
ENDS = (0.05, 0.95)
"""Of the middle 90 %."""


class Logged(NamedTuple):
    """What a log tells of a process.

    Attributes
    ----------
    teams : int
        That used it in the last four weeks; a name counts once however it is written.
    uses, days : int
        Uses in so many days: since the log begins or the process started, 91 at most.
    drop_off : tuple of (str, int)
        Of these uses those that ended at each step, in the order of the card; others last.
    """

    teams: int
    uses: int
    days: int
    drop_off: tuple[tuple[str, int], ...]

    @property
    def rate(self) -> float | None:
        """Uses a month; None of less than four weeks."""
        return self.uses * MONTH / self.days if self.days >= WINDOW else None

    def contradicts(self, low: float, high: float) -> bool:
        """Return whether its 90 % interval lies beside a range of uses a month.

        Sources
        -------
        Garwood (1936): exact limits of a Poisson count, by the gamma distribution.
        """
        least, most = np.nan_to_num(gammaincinv((self.uses, self.uses + 1), ENDS))
        months = self.days / MONTH
        return bool(most < low * months or least > high * months)

    def draw(self, scores: Values) -> Values:
        """Return uses a month: gamma, with the rate of the log as its mean; 0 of none."""
        uses = np.nan_to_num(gammaincinv(self.uses, ndtr(scores)))
        return np.asarray(uses * MONTH / self.days)


class Log(NamedTuple):
    """A log of uses up to a day.

    Attributes
    ----------
    of : Mapping of str to Logged
        By the folded name of a process; empty where the log is stale.
    findings : Mapping of str to list of str
        What is wrong with it: it is ``stale`` (its last day is more than 14 days ago) or ``short``
        (its first is less than 28 days ago), ``unknown`` processes, and rows that are ``later``
        than the day, which are left out, or ``alike``, which count each; ``pasted`` in their place
        where more than half of all rows are like another one.
    """

    of: Mapping[str, Logged]
    findings: Mapping[str, list[str]]


def read_log(rows: Sequence[tuple[int, Use]], processes: Iterable[Process], as_of: date) -> Log:
    """Return what a log tells of each process up to a day.

    A process that it never names may not be logged at all: of it nothing is told, and no zero.

    Examples
    --------
    >>> uses = [Use(process="triage", team=team, date="2026-09-30") for team in ("A", "a", "B")]
    >>> uses += [Use(process="triage", team="C", date="2026-07-02")]
    >>> card = {"problem": "-", "steps": "-", "owner": "-", "trigger": "-", "sunset": "2027-01-01"}
    >>> card |= {"minutes": 5, "uses": 10, "saved": 20}
    >>> rows = [*enumerate(uses)]
    >>> read_log(rows, [Process(process="Triage", **card)], date(2026, 9, 30)).of["triage"][:3]
    (2, 4, 91)
    """
    known = {folded(process.process): process for process in processes}
    own, counts = defaultdict[str, list[Use]](list), Counter(use for _, use in rows)
    firsts = {use: row for row, use in reversed(rows)}
    for _, use in rows:
        if use.date <= as_of:
            own[folded(use.process)].append(use)
    days = sorted(use.date for uses in own.values() for use in uses)
    short = [str(day) for day in days[:1] if (as_of - day).days < WINDOW - 1]
    stale = [str(day) for day in days[-1:] if (as_of - day).days > STALE]
    pasted = sum(counts[use] > 1 for _, use in rows) > len(rows) / 2
    return Log(
        {
            name: _logged(own[name], known[name], days[0], as_of)
            for name in known
            if name in own and not (short or stale)
        },
        {
            "stale": stale,
            "short": short,
            "unknown": sorted({use.process for _, use in rows if folded(use.process) not in known}),
            "later": [str(use.date) for _, use in rows if use.date > as_of],
            "pasted" if pasted else "alike": [str(row) for row, use in rows if firsts[use] != row],
        },
    )


def _logged(own: Sequence[Use], card: Process, begin: date, as_of: date) -> Logged:
    since = max(begin, card.started or begin, as_of - timedelta(QUARTER - 1))
    counted = [use for use in own if use.date >= since]
    reached = sorted(use.step for use in counted if use.step)
    ends = Counter(map(folded, reached))
    english, french = (str(spoken(card.steps, language)).split(";") for language in LANGUAGES)
    pairs = zip(english, french if len(french) == len(english) else english, strict=True)
    steps = [Bilingual(step.strip(), french=other.strip()) for step, other in pairs]
    names = dict[str, str]()
    for step in (*steps, *reached):
        names.setdefault(folded(step), step)
    return Logged(
        len({folded(use.team) for use in own if (as_of - use.date).days < WINDOW}),
        len(counted),
        (as_of - since).days + 1,
        tuple((names[step], ends[step]) for step in names if reached),
    )


class Adoption(NamedTuple):
    """Who uses a process, of how many, and what tells it; of a standard they are documents."""

    source: str
    using: int | None
    eligible: int | None

    @property
    def share(self) -> Interval:
        """The share with its interval; None where nothing tells, which is not 0."""
        return Interval(None) if self.using is None else wilson(self.using, self.eligible or 0)


def adoption(
    card: Process, logged: Logged | None, standard: tuple[int, int] | None = None
) -> Adoption:
    """Return the adoption of a process: by the log, else a review of standards, else its card.

    Parameters
    ----------
    card : Process
    logged : Logged or None
    standard : (int, int), optional
        Documents that follow, of how many.

    Examples
    --------
    >>> card = {"problem": "-", "steps": "-", "owner": "-", "trigger": "-", "sunset": "2027-01-01"}
    >>> card |= {"process": "Triage", "minutes": 5, "uses": 10, "saved": 20, "eligible": 20}
    >>> known = adoption(Process(using=18, **card), None)
    >>> known.source, [round(end, 3) for end in known.share]
    ('card', [0.9, 0.699, 0.972])
    >>> adoption(Process(**card), None)
    Adoption(source='none', using=None, eligible=20)
    """
    if logged:
        return Adoption("log", logged.teams, card.eligible)
    if standard:
        return Adoption("standards", *standard)
    return Adoption("none" if card.using is None else "card", card.using, card.eligible)
