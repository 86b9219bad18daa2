"""What a review of standards returns: what there is of each thing asked, and how that moved."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

from opslab.errors import Problem
from opslab.evidence import SourceFile
from opslab.operations.standards.spec import Standard
from opslab.results import Result

NAMING = ("template", "title", "team")
"""Keys that name a document: nothing is asked of them."""
KINDS = ("owner", "date", "review_by", "baseline", "target", "evidence")
"""Keys that are known in either language; any other is ``keys``."""
State = Literal["there", "absent", "empty", "stale", "unclear"]


class Finding(NamedTuple):
    """One thing that is asked of one document, and what there is of it.

    Attributes
    ----------
    document : str
        Its path, from the folder of the documents.
    kind : str
        ``template`` (that it follows one), ``sections``, a known key, or ``keys``.
    asked : str
        The section's heading, or the key.
    value : str
        What stands there, where it is a key.
    """

    document: str
    title: str
    team: str
    template: str
    kind: str
    asked: str
    state: State
    value: str = ""


class Share(NamedTuple):
    """Of documents those that hold all that is asked, and of all that is asked what is there."""

    whole: int
    documents: int
    held: int
    asked: int


class Movement(NamedTuple):
    """What has moved since an earlier run.

    Attributes
    ----------
    both, before, now : int
        Documents in both, and those of them that held all that is asked then, and hold it now.
    new, gone : list of str
    """

    as_of: datetime.date
    both: int
    before: int
    now: int
    new: list[str]
    gone: list[str]


@dataclass(frozen=True, kw_only=True, repr=False)
class StandardsResult(Result):
    """The result of `opslab.operations.review_standards`.

    Ask
    ---
    ``frame()`` has a row for each document, with ``full=True`` for each thing asked of it;
    ``compare(other)`` puts two reviews side by side; ``explain(term)`` says what a word means.

    Attributes
    ----------
    kinds : Mapping of str to Share
        By kind of what is asked, the one most often missing first.
    unread : tuple of Problem
        Documents that were not read, and why.
    others : int
        Files that are no documents.
    """

    PARTS: ClassVar[Mapping[str, str]] = {
        "adoption": "",
        "lacking": "findings",
        "movement": "movements",
        "checks": "checks",
        "method": "",
    }

    standard: Standard
    findings: tuple[Finding, ...]
    share: Share
    kinds: Mapping[str, Share]
    movements: tuple[Movement, ...]
    unread: tuple[Problem, ...]
    others: int
    sources: tuple[SourceFile, ...]

    @property
    def action(self) -> str:
        """What to do: ``stop``, ``fix``, or where all is complete ``read`` or ``keep``.

        ``read``: some documents could not be read.
        """
        done = "read" if self.unread else "keep"
        whole = self.share.whole == self.share.documents
        return "stop" if self.broken else done if whole else "fix"


def grouped(findings: Iterable[Finding], by: str) -> dict[str, list[Finding]]:
    """Return findings by a field of theirs, in order of its values."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(getattr(finding, by), []).append(finding)
    return dict(sorted(groups.items()))


def share(findings: Iterable[Finding]) -> Share:
    """Return how many documents hold all that is asked, and how much there is of it."""
    held = [
        [finding.state == "there" for finding in own]
        for own in grouped(findings, "document").values()
    ]
    return Share(sum(map(all, held)), len(held), sum(map(sum, held)), sum(map(len, held)))
