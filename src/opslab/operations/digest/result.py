"""What a digest returns: its news by section, what was put aside, and the checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, NamedTuple

from opslab.evidence import Words
from opslab.operations.digest.spec import Digest
from opslab.operations.digest.window import Window
from opslab.results import Message, Result
from opslab.uncertainty.proportions import Interval

SECTIONS = ("decided", "launched", "learned", "changed", "asked")
NONE = Interval(None)


class News(NamedTuple):
    """One thing that a run tells, or that is asked.

    Attributes
    ----------
    section : {"decided", "launched", "learned", "changed", "asked"}
    words : Message
        It may name `now`, `then` and `change`.
    run : str
        Id of the run; empty where it was written by hand.
    now, then, change : Interval
        The figure, the one it is measured from, and by how much it moved.
    unit : str
        Natural unit; ``share``, or ``lift`` for a relative effect.
    before : str
        Id of the run that it is measured from.
    by : datetime.date or None
        Day by which something is asked.
    experiment : str
        Folder of the readout that a decision stands on.
    """

    section: str
    words: Message
    run: str = ""
    now: Interval = NONE
    then: Interval = NONE
    change: Interval = NONE
    unit: Words = ""
    before: str = ""
    by: date | None = None
    experiment: str = ""


@dataclass(frozen=True, kw_only=True, repr=False)
class DigestResult(Result):
    """The result of `opslab.operations.write_digest`.

    Ask
    ---
    ``frame()`` has a row for each thing that is told; ``takeaway()`` holds the digest as Markdown
    and as plain text; ``explain(term)`` says what a word means.

    Attributes
    ----------
    news : sequence of News
        By section, all of them.
    aside : Mapping of str to int
        Figures that both runs have and that are not told as a change, by the reason: ``unsure``
        (the interval of the change includes 0), ``same_data``, ``no_interval``, ``other_unit``.
    quiet : sequence of str
        Ids of runs of these days that told nothing.
    stopped, unread : sequence of str
        Ids of runs that stopped at a check; of those whose record could not be read.
    """

    PARTS: ClassVar[Mapping[str, str]] = {
        "brief": "",
        "detail": "news",
        "checks": "checks",
        "method": "",
    }

    digest: Digest
    window: Window
    news: Sequence[News]
    aside: Mapping[str, int]
    quiet: Sequence[str]
    stopped: Sequence[str]
    unread: Sequence[str]

    @property
    def at_hand(self) -> set[str]:
        """Ids of the runs whose readouts stand in the reports."""
        runs = (run for pair in self.window.pairs for run in (pair.run, pair.base))
        return {run.id for run in runs if run and run.at_hand}

    def of(self, section: str) -> list[News]:
        """Return the news of a section."""
        return [item for item in self.news if item.section == section]

    @property
    def action(self) -> str:
        """What to do: stop, answer, read; or nothing, where nothing is told."""
        if self.broken:
            return "stop"
        return "answer" if self.of("asked") else "read" if self.news else "nothing"

    def takeaway(self, language: str | None = None) -> Mapping[str, bytes]:
        """Return the tables, and the digest as Markdown and as plain text."""
        say = self.voice(language)  # type: ignore[arg-type]
        forms = self.room("presentation").forms(self, say)
        return {**super().takeaway(say.language), **forms}
