"""Is each process worth its minutes: hours it costs and saves, adoption, and what is done with it.

A use costs people x minutes and saves what it saves. Hours a year are uses a month x 12 x minutes
/ 60: a year has twelve months like the one that is told, so that months of holidays belong in its
range. Cost and saving share their uses: the sign hangs on a use alone, and the number of uses says
how much is at stake.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from opslab.errors import DataError, Problem
from opslab.names import folded, names_somebody
from opslab.operations.cited import cited_run
from opslab.operations.practices.adoption import ENDS, Adoption, Log, Logged, adoption, read_log
from opslab.operations.practices.result import ProcessCard, Verdict
from opslab.operations.practices.spec import PracticeReview, Process, Rule, Use
from opslab.specs import refuse_unknown
from opslab.tables.import_report import Reading
from opslab.tables.sheets import Sheet, read_sheet
from opslab.uncertainty.distributions import Values, quantile
from opslab.uncertainty.draws import scores, summarise
from opslab.uncertainty.proportions import Interval

_OFF = 2  # times beyond the ends of a range up to which a value is plausible


_HOURS = 12 / 60  # a year, of a minute each month
_DIGITS = 9  # of minutes: three times 0.1 is 0.3
_QUANTITIES = ("minutes", "saved", "uses")
_STATED = ("process", "owner", "problem", "steps", "trigger", "sunset")


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


class Cards(NamedTuple):
    """Processes with their verdicts, in the order of the sheet.

    Attributes
    ----------
    cards : tuple of ProcessCard
    net : Interval or None
        Hours a year of all of them, net: mean and middle 90 %.
    readings : tuple of Reading
    findings : Mapping of str to Mapping
        What is wrong, by check and kind: ``processes`` are ``overdue``, ``unadopted`` (nothing
        tells which share uses them) or ``unowned``; with a log, what is wrong with it, and cards
        that it has ``contradicted``.
    """

    cards: tuple[ProcessCard, ...]
    net: Interval | None
    readings: tuple[Reading, ...]
    findings: Mapping[str, Mapping[str, Sequence[str]]]


def cards(
    review: PracticeReview,
    as_of: date,
    draws: int = 10_000,
    seed: int = 1,
    previous: Mapping[str, Any] = MappingProxyType({}),
) -> Cards:
    """Return each process with what it costs and saves, who uses it, and what is done with it.

    Uses a month are those of the log where it holds any, or where to hold none contradicts the
    card: what was counted is known better than what was stated. Each quantity of each process has a
    stream of draws by its name, so that another row changes none.

    Parameters
    ----------
    review : PracticeReview
    as_of : datetime.date
    draws, seed : int
    previous : Mapping, optional
        Record of the review before, which tells the losses running; see `earlier_run`.

    Raises
    ------
    DataError, SpecError
        For sheets that contradict themselves: file, row, what, and what to do.

    Examples
    --------
    >>> from opslab.operations.practices.spec import PracticeReview
    >>> card = {"problem": "-", "steps": "-", "owner": "-", "trigger": "-", "sunset": "2027-01-01"}
    >>> card |= {"process": "Triage", "minutes": 5, "people": 2, "uses": 10, "saved": 40}
    >>> review = PracticeReview(practices="Shop", processes=[card])
    >>> (triage,) = cards(review, date(2026, 10, 5)).cards
    >>> triage.cost.value, triage.saved.value, triage.net.value, triage.verdict, triage.why
    (20.0, 80.0, 60.0, 'keep', 'unknown')
    """
    sheet = read_sheet(review, review.processes, Process, "processes", french=review.french)
    used = read_sheet(review, review.uses, Use, "process-uses")
    log = read_log(used.rows, dict(sheet.rows).values(), as_of)
    DataError.refuse([*_wrong(sheet, log)])
    followed = _followed(review, [process.process for _, process in sheet.rows], as_of)
    past = {folded(card["process"]): card for card in previous.get("cards", ())}
    known, nets = list[ProcessCard](), list[Values]()
    for row, process in sheet.rows:
        name = folded(process.process)
        stream, logged = f"practice:{review.slug}/{name}", log.of.get(name)
        drawn = {each: scores(f"{stream}/{each}", draws, seed) for each in _QUANTITIES}
        using = adoption(process, logged, followed.get(name))
        card, net = _card(process, logged, using, past.get(name, {}), review.rule, as_of, drawn)
        known.append(card._replace(row=row))
        nets.append(net)
    readings = (*filter(None, (sheet.reading, used.reading)),)
    if not known:
        return Cards((), None, readings, {})
    wrong: dict[str, Mapping[str, Sequence[str]]] = {
        "processes": {
            "overdue": [card.process for card in known if card.overdue],
            "unadopted": [card.process for card in known if card.adoption.value is None],
            "unowned": [card.process for card in known if not names_somebody(card.owner)],
        }
    }
    if used.rows:
        contradicted = [card.process for card in known if card.contradicted]
        wrong["log"] = {**log.findings, "contradicted": contradicted}
    return Cards((*known,), _hours(np.sum(nets, axis=0)), readings, wrong)


def _card(
    process: Process,
    logged: Logged | None,
    using: Adoption,
    past: Mapping[str, Any],
    rule: Rule,
    as_of: date,
    known: Mapping[str, Values],
) -> tuple[ProcessCard, Values]:
    """Return a process with its verdict, and the draws of its net minutes a month.

    In `known` are the standard normal scores of each quantity.
    """
    stated = {name: getattr(process, name).distribution(share=False) for name in known}
    minutes, saved, uses = (stated[name].at(known[name]) for name in known)
    minutes, saved = np.round((process.people * minutes, saved), _DIGITS)
    rate, contradicted = logged and logged.rate, False
    if logged and rate is not None:
        contradicted = logged.contradicts(*(quantile(stated["uses"], end) for end in ENDS))
        uses = logged.draw(known["uses"]) if contradicted or rate else uses
    net, share, overdue = uses * (saved - minutes), using.share, process.sunset < as_of
    pays, loses = float((net > 0).mean()), float((net < 0).mean())
    losses, lost = _losses(past, rule, as_of) if loses >= rule.sure else (0, None)
    what, why = verdict(pays, loses, share.value, losses, rule, overdue=overdue)
    turning = [*turns(why, minutes / process.people, saved, process.people, rule, overdue=overdue)]
    if why == "unsure":
        why = f"unsure_{'saved' if saved.std() >= minutes.std() else 'minutes'}"
    if not (pays or loses):
        turning, even = [], "even" if uses.any() else "unused"
        why = even if what == "open" else why
    unit = "documents" if using.source == "standards" else "using"
    card = ProcessCard(
        **{name: value for name, value in process if name in _STATED},
        **using._asdict(),
        row=0,
        cost=_hours(uses * minutes),
        saved=_hours(uses * saved),
        net=_hours(net),
        pays=pays,
        loses=loses,
        adoption=share,
        uses_logged=rate,
        contradicted=contradicted,
        drop_off=logged.drop_off if logged else (),
        losses=losses,
        lost=lost,
        overdue=overdue,
        verdict=what,
        why=why,
        turns=(*turning, *((unit, n) for n in using_turns(what, using.eligible, rule))),
    )
    return card, net


def _losses(past: Mapping[str, Any], rule: Rule, as_of: date) -> tuple[int, date]:
    """Return the losses running with one of today, and the day of the last that counted."""
    count, lost = past.get("losses", 0), date.fromisoformat(past.get("lost") or str(date.min))
    return (count, lost) if (as_of - lost).days < rule.days else (count + 1, as_of)


def _hours(minutes: Values) -> Interval:
    """Return minutes a month as hours a year: their mean and middle 90 %."""
    hours = summarise(minutes * _HOURS)
    return Interval(hours.mean, hours.low, hours.high)


def _wrong(sheet: Sheet[Process], log: Log) -> Iterator[Problem]:
    """Yield cards that stand twice, and of which more use than could."""
    first = dict[str, int]()
    for row, process in sheet.rows:
        name, of = folded(process.process), process.eligible
        using = max(process.using or 0, log.of[name].teams if name in log.of else 0)
        wrong = {"twice": first.setdefault(name, row) != row, "over": of and using > of}
        values = {"name": process.process, "first": first[name], "using": using, "eligible": of}
        yield from (
            Problem(f"practices.{key}", values, sheet.file, row=row) for key in wrong if wrong[key]
        )


def _followed(
    review: PracticeReview, known: Sequence[str], as_of: date
) -> dict[str, tuple[int, int]]:
    """Return of standards that are cited the documents that follow, of how many, by process."""
    refuse_unknown(review, review.standards, known, "standards")
    followed = dict[str, tuple[int, int]]()
    for name, folder in review.standards.items():
        run = cited_run(review, folder, "standards", name, notebook="standards_review", by=as_of)
        share = run.record["shares"]["all"]
        followed[folded(name)] = share["whole"], share["documents"]
    return followed
