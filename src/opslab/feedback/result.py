"""What `find_themes` returns: themes, the place of every message, a quality panel. No numerics live here."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from opslab.feedback.audit import Audit
from opslab.feedback.intake import Intake
from opslab.feedback.naming import Phrases
from opslab.feedback.spec import Study
from opslab.messages import Language

if TYPE_CHECKING:
    import pandas as pd

    from opslab.evidence import Evidence
    from opslab.report import Block, Figure, Verdict

Status = Literal["pass", "warn", "fail"]
Reason = Literal["between", "far", "few", "template", "no_words", "too_few"]


@dataclass(frozen=True)
class Theme:
    """One theme.

    Attributes
    ----------
    id, group : str
        ``T01`` … by size, and ``G01`` … of the coarse level: they hold within a run.
    title : str
        A phrase, in each language that has a fifth of the theme's messages.
    phrases : tuple of Phrases
    messages : int
        Those that surely belong to it, copies counted.
    share, interval : float, tuple
        Of all messages; Wilson's interval at 95 %, as if they were a random sample of what
        customers say.
    customers : int or None
        None where no source tells customers apart.
    rating : float or None
        Mean stars.
    stability : float or None
        How much of it comes back on subsamples of 80 %; None where themes are mere repetitions.
    languages : mapping of str to int
    quotes : tuple of int
        Places of messages that speak for it, the most typical first.
    position : tuple of float
        On the map of themes.
    """

    id: str
    group: str
    title: str
    phrases: tuple[Phrases, ...]
    messages: int
    share: float
    interval: tuple[float, float]
    customers: int | None
    rating: float | None
    stability: float | None
    languages: Mapping[str, int]
    quotes: tuple[int, ...]
    position: tuple[float, float]


@dataclass(frozen=True)
class Group:
    """Themes that belong together: the coarse level."""

    id: str
    title: str
    themes: tuple[str, ...]
    messages: int


@dataclass(frozen=True)
class Place:
    """Where a message stands.

    Attributes
    ----------
    theme : str or None
    nearest, second : str or None
        The nearest theme also of a message that is left unsorted, and the next one.
    confidence : float or None
        Cosine to the theme plus its lead over the next one: what the coverage dial cuts by.
    reason : str or None
        Why it is unsorted.
    copy_of : str or None
        The uid of the message that it repeats.
    """

    theme: str | None = None
    nearest: str | None = None
    second: str | None = None
    confidence: float | None = None
    reason: Reason | None = None
    copy_of: str | None = None


@dataclass(frozen=True)
class Check:
    """One light of the quality panel: key of its sentence and the values that it names."""

    name: str
    status: Status
    value: float | None
    blocking: bool
    key: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Method:
    """What the themes were computed with; no resolution where there were too few texts."""

    encoder: str
    encoder_sha256: str
    fallback: bool
    seed: int
    resolution: float | None
    silhouette: float | None


@dataclass(frozen=True)
class FeedbackResult:
    """The result of `opslab.feedback.find_themes`.

    Attributes
    ----------
    study : Study
    method : Method
    themes : tuple of Theme
        The largest first.
    groups : tuple of Group
    places : tuple of Place
        One for each message of ``intake.messages``, in that order.
    checks : tuple of Check
    audit : Audit or None
    intake : Intake
    as_of : datetime.date or None
    """

    study: Study
    method: Method
    themes: tuple[Theme, ...]
    groups: tuple[Group, ...]
    places: tuple[Place, ...]
    checks: tuple[Check, ...]
    audit: Audit | None
    intake: Intake
    as_of: datetime.date | None = None

    @property
    def broken(self) -> bool:
        """Whether a blocking check failed: the themes are shown, and are not to be relied on."""
        return any(check.status == "fail" and check.blocking for check in self.checks)

    @property
    def sorted(self) -> int:
        """Messages that stand in a theme."""
        return sum(place.theme is not None for place in self.places)

    @property
    def labels(self) -> list[str | None]:
        """The theme of each text or row in the order of the input; None where it is unsorted or left out."""
        pairs = zip(self.intake.messages, self.places, strict=True)
        found = {(message.source, message.row): place.theme for message, place in pairs}
        return [found.get(row) for row in self.intake.rows]

    def headline(self, language: Language = "en") -> str:
        """Return one plain sentence with the number and its uncertainty."""
        from opslab.feedback import presentation

        return presentation.headline(self, language)

    def first_screen(self, language: Language = "en") -> Verdict:
        """Return what customers say, how much of it, and how sure we are."""
        from opslab.feedback import presentation

        return presentation.first_screen(self, language)

    def sections(self, language: Language = "en") -> dict[str, list[Block | Figure]]:
        """Return the readout's sections: ``themes``, ``cards``, ``quality``, ``data``, ``method``."""
        from opslab.feedback import presentation

        return presentation.sections(self, language)

    def frame(self) -> pd.DataFrame:
        """Return the themes as a tidy table."""
        return self.tables()["themes"]

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return what may be taken away: ``themes``, ``messages`` (redacted) and the ``audit`` sheet."""
        from opslab.feedback import record

        return record.tables(self)

    def files(self) -> dict[str, bytes]:
        """Return the tables as the files that stand beside the readout, by name."""
        from opslab.feedback import record

        return record.files(self)

    def figures(self, language: Language = "en") -> dict[str, Figure]:
        """Return the figures by name, each with its alt text."""
        from opslab.feedback import figures

        return {"shares": figures.shares(self, language), "map": figures.theme_map(self, language)}

    def evidence(self) -> list[Evidence]:
        """Return each theme's share of the messages as evidence; none when a blocking check failed."""
        from opslab.feedback import record

        return record.evidence(self)

    def record(self) -> dict[str, Any]:
        """Return ``result.json``: numbers, message keys, what customers said; the same in every language."""
        from opslab.feedback import record

        return record.record(self)

    def __repr__(self) -> str:
        return f"<FeedbackResult {self.study.slug}: {self.headline()}>"

    def _repr_html_(self) -> str:
        return self.first_screen()._repr_html_()
