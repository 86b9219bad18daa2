"""The review: which template each document follows, and what there is of all that it asks for."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from functools import partial
from pathlib import PurePosixPath

from opslab.errors import DataError, ParameterError, Problem, SpecError
from opslab.messages import LANGUAGES, Bilingual, Language, text
from opslab.names import folded, named, names_somebody
from opslab.operations.cited import cited_run
from opslab.operations.standards import checks
from opslab.operations.standards.adoption import share, shares
from opslab.operations.standards.days import read_day
from opslab.operations.standards.pages import READ, Page, read_page
from opslab.operations.standards.result import KINDS, Finding, Movement, StandardsResult, State
from opslab.operations.standards.spec import MOST, Standard
from opslab.operations.standards.templates import Template, read_templates
from opslab.tables.sheets import source_files

HALF = 0.5
"""Share of a template's sections by which a document that does not name it is recognised."""
_UNREAD = (".doc", ".odt", ".pdf", ".pptx", ".rtf", ".zip")
_EXPORTED = r"[ _](?:[0-9a-f]{32}|\d{5,})$"  # what Notion and Confluence add to a page's name


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
    day = as_of or standard.date
    if day is None:
        raise ParameterError.of("parameters.as_of_needed", field="as_of")
    DataError.refuse(standard.missing_files())
    asking, paths = _Asking(standard, day), standard.paths()
    findings: list[Finding] = []
    unread = [Problem("standards.too_many", {"most": MOST}, name) for name in paths[MOST:]]
    others = 0
    for name in paths[:MOST]:
        kind = PurePosixPath(name).suffix.lower()
        try:
            if kind in READ:
                findings += asking.of(name)
            elif kind in _UNREAD:
                unread.append(Problem("standards.unread_kind", {"kind": kind}, name))
            else:
                others += 1
        except SpecError as error:
            unread += error.problems
        except Exception:  # noqa: BLE001 - whatever is wrong with it, it is told
            unread.append(Problem("standards.unread", {"kind": kind}, name))
    moved = sorted(_movement(standard, place, findings) for place in range(len(standard.previous)))
    kinds = shares(findings, "kind")
    return StandardsResult(
        standard=standard,
        as_of=day,
        language=language,
        findings=tuple(findings),
        share=share(findings),
        kinds={
            kind: kinds[kind]
            for kind in sorted(kinds, key=lambda kind: kinds[kind].held / kinds[kind].asked)
        },
        movements=tuple(moved),
        unread=tuple(unread),
        others=others,
        sources=source_files(standard, (), len(paths)),
        checks=checks.run(standard, findings, unread),
    )


class _Asking:
    """What templates ask of documents, as of a day."""

    def __init__(self, standard: Standard, day: datetime.date) -> None:
        self.standard, self.day = standard, day
        self.templates, self.english = read_templates(standard.folders())
        self.words = {
            folded(word): template
            for stem, template in self.templates.items()
            for word in (stem, *map(template.name.spoken, LANGUAGES))
        }

    def of(self, path: str) -> Iterator[Finding]:
        """Give what there is of each thing that is asked of a document."""
        page = read_page(self.standard.beside(self.standard.documents) / path, path)
        keys = {self.english.get(key, key): value for key, value in page.keys.items()}
        place, word = PurePosixPath(path), keys.get("template", "")
        folder = "".join(place.parts[:-1][:1])
        template = self.words.get(folded(word)) or self.likely(page)
        title = keys.get("title") or re.sub(_EXPORTED, "", place.stem)
        team = self.standard.teams.get(folder) or keys.get("team") or folder
        finding = partial(Finding, path, title, team, template.name if template else "")
        if not template:
            yield finding("template", _called("template"), "missing", word)
            return
        yield finding("template", _called("template"), "there", word)
        for section, below in zip(template.sections, template.within(page), strict=True):
            words = set().union(*below) - template.lines
            yield finding(
                "sections", section, "there" if words else "empty" if below else "missing"
            )
        for key in template.keys[3:]:
            kind = key.replace(" ", "_")
            state = self.state(kind, keys.get(key), review="review by" in template.keys)
            if kind == "evidence":
                state = "there" if page.sections[""] else "missing"
            if kind in KINDS:
                yield finding(kind, _called(kind), state, keys.get(key, ""))
            else:
                yield finding("other", key, state, keys.get(key, ""))

    def likely(self, page: Page) -> Template | None:
        """Return the template whose sections a document has most of, half of them at least."""
        alike = {
            name: sum(map(bool, template.within(page))) / len(template.sections)
            for name, template in self.templates.items()
        }
        best = max(alike, key=alike.__getitem__)
        return self.templates[best] if alike[best] >= HALF else None

    def state(self, key: str, value: str | None, *, review: bool) -> State:
        """Return what there is of a key: a name, a figure, a day that can be read and is recent."""
        if value is None:
            return "missing"
        fits = names_somebody if key == "owner" else named
        if not fits(value) or folded(value) in self.english:
            return "empty"
        if key in ("baseline", "target") and not re.search(r"\d", value):
            return "unclear"
        if key not in ("date", "review_by"):
            return "there"
        day, age = read_day(value), datetime.timedelta(0)
        if day is None or (key == "date" and day > self.day):
            return "unclear"
        if key == "date" and not review:
            return "there"
        if key == "date":
            age = datetime.timedelta(days=self.standard.stale_after_days)
        return "stale" if day < self.day - age else "there"


def _called(kind: str) -> Bilingual:
    key = f"standards.column_{kind}"
    return Bilingual(text(key), french=text(key, "fr"))


def _movement(standard: Standard, place: int, findings: list[Finding]) -> Movement:
    """Return what has moved since an earlier run that a standard names."""
    run = cited_run(
        standard, standard.previous[place], "previous", place, notebook="standards_review"
    )
    past = [
        Finding(row["document"], "", "", "", "", "", state)
        for row in run.record["documents"]
        for state in ["there"] * row["held"] + ["missing"] * (row["asked"] - row["held"])
    ]
    then, now = ({finding.document for finding in some} for some in (past, findings))
    before, after = (
        share(finding for finding in some if finding.document in then & now)
        for some in (past, findings)
    )
    return Movement(
        run.card.as_of, before, after, share(past), sorted(now - then), sorted(then - now)
    )
