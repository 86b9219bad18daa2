"""The review: which template each document follows, and what there is of all that it asks for."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import PurePosixPath

from opslab.errors import DataError, Problem, SpecError
from opslab.messages import Language
from opslab.names import folded, named, names_somebody
from opslab.operations.cited import cited_run
from opslab.operations.standards.pages import (
    READ,
    Page,
    Template,
    bare,
    read_page,
    read_templates,
    said,
    shown,
)
from opslab.operations.standards.result import (
    KINDS,
    NAMING,
    Finding,
    Movement,
    StandardsResult,
    State,
    grouped,
    share,
)
from opslab.operations.standards.spec import Standard
from opslab.results import Check, Message, Status
from opslab.tables.dates import MONTHS
from opslab.tables.sheets import source_files

MOST = 2_000
"""Documents that one review reads."""
HALF = 0.5
"""Share of a template's sections by which a document that does not name it is recognised."""
_UNREAD = (".doc", ".odt", ".pdf", ".pptx", ".rtf", ".zip")
_MONTH = (
    r"(?:jan(?:v(?:ier)?|uary)?|f[ée]v(?:r(?:ier)?)?|feb(?:ruary)?|mar(?:s|ch)?|avr(?:il)?|"
    r"apr(?:il)?|mai|may|june?|juin|july?|juil(?:let)?|ao[uû]t|aug(?:ust)?|sept?(?:emb(?:re|er))?|"
    r"oct(?:ob(?:re|er))?|nov(?:emb(?:re|er))?|d[ée]c(?:emb(?:re|er))?)\b"
)
_NO_FIGURE = (
    r"(?i)^\W*(?:tb[acd]|to be|to (?:measure|define)|see|voir|à (?:mesurer|d[ée]\w+|compl\w+|"
    r"confirmer|pr[ée]ciser|venir))\b[^%€$£]*$"
    r"|\b\d{4}-\d\d(?:-\d\d)?\b|\b\d{1,2}[/.]\d{1,2}[/.]\d{2,4}\b"
    r"|(?<![€$£\d.,])\b(?:19|20)\d\d\b(?! ?[%€$£]|[.,]\d|\s(?!(?:plus|(?:un)?less|moins|sans|"
    r"dans|sous|puis|vers|versus|mais|mars|this|across|towards|(?:level|figure|number|result|sale|"
    r"plan|goal|target|value|term|basi|price|niveau|chiffre|r[ée]sultat|vente|objectif|valeur)"
    r"[sx]?)\b)(?:[^\W\d_]{3,}[sx]|people)\b)"
    r"|\b(?:slides?|diapo\w*|planche|pages?|pp?|section|ann?ex\w*|appendix|table(?:au)?|fig\w*|"
    r"chap\w*|version|[ée]tape|step|phase|sprint|semaine|week|quarter|trimestre|semestre|"
    r"no|n°|item|ticket)\b\W{,3}\d+"
    r"|(?<=[^\W\d_])\d[\w.]*"
    rf"|\b\d{{1,2}}(?:er|st|nd|rd|th)?(?: of)?\W+{_MONTH}|\b{_MONTH}\W+\d{{1,2}}\b(?! ?%)"
)
"""Numbers that are no figure of a baseline or target: of a day, a year, a slide, a version.

A year is none where a plural follows: 2000 orders.
"""
_DAYS = (
    r"(?P<year>\d{4}) (?P<month>\d\d?) (?P<day>\d\d?)\b",
    r"(?P<day>\d\d?) (?P<month>\d\d?) (?P<year>\d{4})\b",
    r"(?P<month>\d\d?) (?P<day>\d\d?) (?P<year>\d{4})\b",
    r"(?P<day>\d\d?) m(?P<month>\d+) (?P<year>\d{4})\b",
    r"m(?P<month>\d+) (?P<day>\d\d?) (?P<year>\d{4})\b",
)


def read_day(text: str) -> datetime.date | None:
    """Return the day that a text tells, in figures or with an English or French month.

    None where it tells none, or where it can be read in two ways.

    Examples
    --------
    >>> read_day("1er octobre 2026"), read_day("Oct 1st, 2026") == read_day("2026-10-01")
    (datetime.date(2026, 10, 1), True)
    >>> read_day("03/04/2026"), read_day("13/04/2026")
    (None, datetime.date(2026, 4, 13))
    """
    words = re.findall(r"\d+|[a-z]+", folded(text))
    plain = " ".join(
        f"m{MONTHS[word]}" if word in MONTHS else word
        for word in words
        if word in MONTHS or word.isdigit()
    )
    days = set()
    for parts in filter(None, (re.match(form, plain) for form in _DAYS)):
        with suppress(ValueError):
            days.add(datetime.date(**{name: int(part) for name, part in parts.groupdict().items()}))
    return days.pop() if len(days) == 1 else None


def review_standards(
    standard: Standard, as_of: datetime.date | None = None, language: Language = "en"
) -> StandardsResult:
    """Return what there is of all that templates ask of documents, and the shares of it.

    Parameters
    ----------
    standard : Standard
    as_of : datetime.date, optional
        The day of the review; the spec's own by default.
    language : {"en", "fr"}
        In which the result shows itself.

    Raises
    ------
    InputError
        Without a day, documents or templates that can be used, or for a run that is none.
    """
    day = standard.day(as_of)
    DataError.refuse(standard.missing_files())
    known, paths = read_templates(standard.folders()), standard.paths()
    documents = [path for path in paths if PurePosixPath(path).suffix.lower() in READ + _UNREAD]
    unread = [Problem("standards.too_many", {"most": MOST}, path) for path in documents[MOST:]]
    findings: list[Finding] = []
    for path in documents[:MOST]:
        try:
            page = read_page(standard.beside(standard.documents) / path, path)
        except SpecError as error:
            unread += error.problems
        except Exception:  # noqa: BLE001 - whatever is wrong with it, it is told
            unread.append(Problem("standards.unread", {}, path))
        else:
            findings += _findings(standard, day, known, path, page)
    movements = [
        _movement(standard, day, number, findings) for number in range(len(standard.previous))
    ]
    kinds = {kind: share(own) for kind, own in grouped(findings, "kind").items()}
    return StandardsResult(
        standard=standard,
        as_of=day,
        language=language,
        findings=tuple(findings),
        share=share(findings),
        kinds=dict(sorted(kinds.items(), key=lambda item: item[1].held / item[1].asked)),
        movements=tuple(movements),
        unread=tuple(unread),
        others=len(paths) - len(documents),
        sources=source_files(standard, (), len(paths)),
        checks=_checks(standard, findings, unread, movements),
    )


def _findings(
    standard: Standard,
    day: datetime.date,
    known: tuple[dict[str, Template], dict[str, str]],
    path: str,
    page: Page,
) -> Iterator[Finding]:
    """Give what there is of each thing that is asked of a document."""
    templates, english = known
    keys: dict[str, str | None] = {english.get(key, key): page.keys[key] for key in page.keys}
    folder, word = path.rpartition("/")[0].partition("/")[0], keys.get("template") or ""
    likely = max(templates.values(), key=lambda known: known.likeness(page))
    alike = likely if likely.likeness(page) >= HALF else None
    template = templates.get(bare(word), alike)
    title = keys.get("title") or shown(PurePosixPath(path).stem)
    team = standard.teams.get(folder) or keys.get("team") or folder
    finding = partial(Finding, path, title, team, template.name if template else "")
    yield finding("template", said("column_template"), "there" if template else "absent", word)
    if not template:
        return
    for name, below in zip(template.sections, template.within(page), strict=True):
        state: State = "absent" if below is None else "there" if below - template.lines else "empty"
        yield finding("sections", name, state)
    keys["evidence"] = min(page.links - template.lines, default=None)
    oldest = day - datetime.timedelta(days=standard.stale_after_days)
    for key in template.keys:
        value = keys.get(key)
        state = state_of(key, value, day, oldest if "review by" in template.keys else day.min)
        if value and bare(value) in english:
            state = "empty"
        kind = key.replace(" ", "_")
        if kind in KINDS:
            yield finding(kind, said(f"column_{kind}"), state, value or "")
        elif key not in NAMING:
            yield finding("keys", key, state, value or "")


def state_of(key: str, value: str | None, as_of: datetime.date, oldest: datetime.date) -> State:
    """Return what there is of a key: a name, a figure, a day that can be read and is recent.

    Parameters
    ----------
    key : str
    value : str or None
    as_of, oldest : datetime.date
        A date of before `oldest` is stale, and one after `as_of` not clear; a review is due by its
        day.
    """
    if value is None:
        return "absent"
    fits = names_somebody if key == "owner" else named
    if not fits(value):
        return "empty"
    if key in ("baseline", "target"):
        return "there" if re.search(r"\d", re.sub(_NO_FIGURE, "", value)) else "unclear"
    if key not in ("date", "review by"):
        return "there"
    day = read_day(value)
    if day is None or (key == "date" and day > as_of):
        return "unclear"
    return "stale" if day < (oldest if key == "date" else as_of) else "there"


def _movement(
    standard: Standard, day: datetime.date, number: int, findings: Sequence[Finding]
) -> Movement:
    """Return what has moved since an earlier run that a standard names."""
    given, notebook = standard.previous[number], "standards_review"
    run = cited_run(standard, given, "previous", number, notebook=notebook)
    if (name := run.card.name) != standard.slug or run.card.as_of >= day:
        values = {"name": name, "of": run.card.as_of, "own": standard.slug, "day": day}
        raise SpecError(standard.problem("standards.not_earlier", "previous", number, **values))
    then = {row["document"]: row["asked"] == row["held"] for row in run.record["documents"]}
    groups = grouped(findings, "document").items()
    now = {path: all(finding.state == "there" for finding in own) for path, own in groups}
    both = then.keys() & now
    before, after = (sum(whole[path] for path in both) for whole in (then, now))
    new, gone = sorted(now.keys() - then), sorted(then.keys() - now)
    return Movement(run.card.as_of, len(both), before, after, new, gone)


def _checks(
    standard: Standard,
    findings: Sequence[Finding],
    unread: Sequence[Problem],
    movements: Sequence[Movement],
) -> tuple[Check, ...]:
    """Return the checks; blocking is that more documents were read than not."""
    count, checks = len({finding.document for finding in findings}), []
    states = grouped(findings, "state")
    wrong = {
        "read": [str(problem.file) for problem in unread],
        "followed": [finding.document for finding in findings if not finding.template],
        "moved": [standard.documents] * (not movements),
        "unclear": [finding.document for finding in states.get("unclear", ())],
        "stale": [finding.document for finding in states.get("stale", ())],
    }
    last = max(movements)._asdict() if movements else {}
    for name, documents in wrong.items():
        names, why = sorted({*documents}), dict[str, str](**standard.accept).get(name, "")
        much = name == "read" and len(names) >= count
        status: Status = "fail" if much else "warn" if names else "pass"
        values = {"names": names, "wrong": len(names), "count": count, **last}
        detail = Message(f"standards.{name}_{status}", values)
        checks.append(Check(name, status, detail, blocking=much and not why, accepted=why))
    return tuple(checks)
