"""Is each process worth its minutes: hours it costs and saves, adoption, and what is done with it.

A use costs people x minutes and saves what it saves. Hours a year are uses a month x 12 x minutes
/ 60: a year has twelve months like the one that is told, so that months of holidays belong in its
range. Cost and saving share their uses: the sign hangs on a use alone, and the number of uses says
how much is at stake.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np

from opslab.errors import DataError, Problem
from opslab.names import folded, names_somebody
from opslab.operations.cited import cited_run
from opslab.operations.practices.adoption import ENDS, Adoption, Log, Logged, adoption, read_log
from opslab.operations.practices.result import ProcessCard
from opslab.operations.practices.spec import PracticeReview, Process, Rule, Use
from opslab.operations.practices.verdicts import turns, using_turns, verdict
from opslab.specs import refuse_unknown
from opslab.tables.import_report import Reading
from opslab.tables.sheets import Sheet, read_sheet
from opslab.uncertainty.distributions import Values, quantile
from opslab.uncertainty.draws import scores, summarise
from opslab.uncertainty.proportions import Interval

_HOURS = 12 / 60  # a year, of a minute each month
_DIGITS = 9  # of minutes: three times 0.1 is 0.3
_QUANTITIES = ("minutes", "saved", "uses")


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
    *,
    draws: int = 10_000,
    seed: int = 1,
    previous: Mapping[str, Any] | None = None,
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
    past = {folded(card["process"]): card for card in (previous or {}).get("cards", ())}
    known, nets = list[ProcessCard](), list[Values]()
    for row, process in sheet.rows:
        name = folded(process.process)
        stream, logged = f"practice:{review.slug}/{name}", log.of.get(name)
        drawn = {each: scores(f"{stream}/{each}", draws, seed) for each in _QUANTITIES}
        using = adoption(process, logged, followed.get(name))
        card, net = _card(process, logged, using, past.get(name), review.rule, as_of, drawn)
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
    past: Mapping[str, Any] | None,
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


_STATED = ("process", "owner", "problem", "steps", "trigger", "sunset")


def _losses(past: Mapping[str, Any] | None, rule: Rule, as_of: date) -> tuple[int, date]:
    """Return the losses running with one of today, and the day of the last that counted."""
    count, then = (past["losses"], past["lost"]) if past else (0, None)
    lost = date.fromisoformat(then) if then else None
    if lost and (as_of - lost).days < rule.days:
        return count, lost
    return count + 1, as_of


def _hours(minutes: Values) -> Interval:
    """Return minutes a month as hours a year: their mean and middle 90 %."""
    hours = summarise(minutes * _HOURS)
    return Interval(hours.mean, hours.low, hours.high)


def _wrong(sheet: Sheet[Process], log: Log) -> Iterator[Problem]:
    """Yield cards that stand twice, and of which more use than could."""
    file, first = sheet.reading.name if sheet.reading else None, dict[str, int]()
    for row, process in sheet.rows:
        name, of = folded(process.process), process.eligible
        using = max(process.using or 0, log.of[name].teams if name in log.of else 0)
        wrong = {"twice": first.setdefault(name, row) != row, "over": of and using > of}
        values = {"name": process.process, "first": first[name], "using": using, "eligible": of}
        yield from (
            Problem(f"practices.{key}", values, file, row=row) for key in wrong if wrong[key]
        )


def _followed(
    review: PracticeReview, known: Sequence[str], as_of: date
) -> dict[str, tuple[int, int]]:
    """Return of standards that are cited the documents that follow, of how many, by process."""
    refuse_unknown(review, review.standards, known, "standards")
    followed = dict[str, tuple[int, int]]()
    for name, folder in review.standards.items():
        at = ("standards", name)
        run = cited_run(review, folder, *at, notebook="standards_review", by=as_of)
        share = run.record["shares"]["all"]
        followed[folded(name)] = share["whole"], share["documents"]
    return followed
