"""The digest of the days between two dates, from the runs that were filed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from opslab.messages import Language
from opslab.operations.digest.news import news
from opslab.operations.digest.result import SECTIONS, DigestResult, News
from opslab.operations.digest.spec import Digest
from opslab.operations.digest.window import Pair, window
from opslab.results import Check, Message, Status


def write_digest(
    digest: Digest, as_of: date | None = None, *, language: Language = "en"
) -> DigestResult:
    """Return what was decided, launched, learned and asked between two days, and what changed.

    Of each notebook and name the last run in these days is told, as far as the last whole one
    before them does not tell it; changes are measured from that one, else from the first in these
    days. A figure counts as changed where both runs have it under one id, in one unit, from other
    data, and the interval of the change is off 0. That interval is as of two independent samples:
    the distances of each figure to its ends, squared and added.

    Parameters
    ----------
    digest : Digest
    as_of : datetime.date, optional
        Last day; the digest's own date by default.
    language : {"en", "fr"}
        In which the result shows itself.

    Raises
    ------
    SpecError
        Without a first day: none is declared, and no digest of this name was filed before.

    Sources
    -------
    Zou and Donner (2008), equation 4 (the method of variance estimates recovery), for the change.
    """
    day = digest.day(as_of)
    known, aside = window(digest, day, language), Counter[str]()
    items, stopped, unread, quiet = list[News](), list[str](), list[str](), list[str]()
    for pair in known.pairs:
        run = pair.run
        broken = run.record["status"] != "complete"
        stopped += [run.id] * broken
        left = broken and run.notebook != "experiment_readout"
        said = [] if left else _told(pair, aside, unread)
        items += said
        quiet += [run.id] * (not said and not broken and run.id not in unread)
    items += [
        News("asked", Message("digest.ask", {"wanted": each.ask, "who": each.of}), by=each.by)
        for each in digest.asks
    ]
    logged = {item.experiment for item in items}  # its decision, beside what its own rule says
    items = [
        item
        for item in items
        if item.section != "decided"
        or item.run in stopped
        or item.run.rpartition("/")[0] not in logged
    ]
    items.sort(key=_order)
    result = DigestResult(
        digest=digest,
        as_of=day,
        language=language,
        window=known,
        news=items,
        aside=dict(sorted(aside.items())),
        quiet=quiet,
        stopped=stopped,
        unread=unread,
        checks=(),
    )
    return replace(result, checks=_checks(result))


def _told(pair: Pair, aside: Counter[str], unread: list[str]) -> list[News]:
    """Return what a run tells; where the one before cannot be read, it is told without it."""
    try:
        return news(pair, aside)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        if pair.base is None:
            unread.append(pair.run.id)
            return []
    said = _told(pair._replace(before=None, base=None), aside, unread)
    unread += [] if pair.run.id in unread else [pair.base.id]
    return said


def _order(item: News) -> tuple[int, date, bool, int, str]:
    """Return a place: what is asked by its day, experiments before others, the newest first."""
    run = date.fromisoformat(item.run.split("/")[-1][:10]) if item.run else date.min
    day = item.words.values.get("day") if item.section == "decided" else None
    late = not item.run.startswith("experiment_readout/")
    newest = -(day or run).toordinal()
    return SECTIONS.index(item.section), item.by or date.max, late, newest, item.run


def _checks(result: DigestResult) -> tuple[Check, ...]:
    """Return the checks; where no run can be read, none stands for "nothing changed"."""
    window, lost = result.window, {*result.stopped, *result.unread}
    whole = any(item.run for item in result.news) or {pair.run.id for pair in window.pairs} - lost
    quiet = window.earlier and not (window.altered or window.failed or lost)
    state = "pass" if whole else "quiet" if quiet else "fail"
    values = {"count": len(window.pairs), "earlier": window.earlier}
    runs = Check(
        "runs",
        "fail" if state == "fail" else "pass",
        Message(f"digest.runs_{state}", values),
        len(window.pairs),
        blocking=True,
    )
    names = {"altered": window.altered, "unread": result.unread, "stopped": result.stopped}
    return (
        runs,
        *(_check(name, [*ids], len(ids), "fail") for name, ids in names.items()),
        _check("several", [*window.others], len(window.others), "warn"),
        _check("failed", [], window.failed, "warn"),
    )


def _check(name: str, names: Sequence[str], count: int, wrong: Status) -> Check:
    status = wrong if count else "pass"
    detail = Message(f"digest.{name}_{status}", {"names": names, "count": count})
    return Check(name, status, detail, count)
