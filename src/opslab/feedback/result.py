"""What `find_themes` returns: themes, the theme of every message, checks. No numerics live here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from opslab.feedback.audit import Audit
from opslab.feedback.intake import CustomerMessage, Intake
from opslab.feedback.naming import Phrases
from opslab.feedback.spec import Study
from opslab.results import Result

if TYPE_CHECKING:
    import pandas as pd

Reason = Literal["between", "far", "few", "template", "no_words", "too_few"]

_OVERSEEN = 15  # themes that a reader takes in


@dataclass(frozen=True, kw_only=True)
class Topic:
    """What customers speak of: a theme, or a group of themes.

    Attributes
    ----------
    id : str
        ``T01`` … by size, and ``G01`` … for groups: they hold within a run.
    title : str
        A clause of the customers' own, or a phrase, in each language that has a fifth of the
        messages.
    messages : int
        Those that surely belong to it, copies counted.
    share, interval : float, tuple
        Of all messages; Wilson's interval at 95 %, as if they were a random sample of what
        customers say.
    quotes : tuple of CustomerMessage
        Those that speak for it, the most typical first.
    """

    id: str
    title: str
    messages: int
    share: float
    interval: tuple[float, float]
    quotes: tuple[CustomerMessage, ...]


@dataclass(frozen=True, kw_only=True)
class Theme(Topic):
    """One theme.

    Attributes
    ----------
    group : str
    phrases : tuple of Phrases
    customers : int or None
        None where no source tells customers apart.
    rating : float or None
        Mean stars.
    stability : float or None
        How much of it comes back on subsamples of 80 %; None where themes are mere repetitions.
    languages : mapping of str to int
    position : tuple of float
        On the map of themes.
    """

    group: str
    phrases: tuple[Phrases, ...]
    customers: int | None
    rating: float | None
    stability: float | None
    languages: Mapping[str, int]
    position: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class ThemeGroup(Topic):
    """Themes that belong together: the coarse level, which speaks by its largest theme's quotes."""

    themes: tuple[str, ...]


@dataclass(frozen=True)
class Assignment:
    """The theme of a message, or why it has none.

    Attributes
    ----------
    message : CustomerMessage
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

    message: CustomerMessage
    theme: str | None = None
    nearest: str | None = None
    second: str | None = None
    confidence: float | None = None
    reason: Reason | None = None
    copy_of: str | None = None


@dataclass(frozen=True)
class Model:
    """What the themes were computed with; no resolution where there were too few texts."""

    encoder: str
    encoder_sha256: str
    fallback: bool
    seed: int
    resolution: float | None
    silhouette: float | None


@dataclass(frozen=True, kw_only=True, repr=False)
class FeedbackResult(Result):
    """The result of `opslab.feedback.find_themes`.

    Attributes
    ----------
    study : Study
    model : Model
    themes : tuple of Theme
        The largest first.
    groups : tuple of ThemeGroup
        The largest first.
    assignments : tuple of Assignment
        One for each message of ``intake.messages``, in that order.
    audit : Audit or None
    intake : Intake
    """

    PARTS: ClassVar[Mapping[str, str]] = {
        "themes": "themes",
        "quotes": "",
        "checks": "checks",
        "data": "",
        "method": "",
    }

    study: Study
    model: Model
    themes: tuple[Theme, ...]
    groups: tuple[ThemeGroup, ...]
    assignments: tuple[Assignment, ...]
    audit: Audit | None
    intake: Intake

    @property
    def topics(self) -> Sequence[Topic]:
        """What the first screen speaks of: themes, or where they are many, groups of them."""
        return self.themes if len(self.themes) <= _OVERSEEN else self.groups

    @property
    def sorted(self) -> int:
        """Messages that stand in a theme."""
        return sum(assignment.theme is not None for assignment in self.assignments)

    @property
    def labels(self) -> list[str | None]:
        """The theme of each text or row that came in, in order; None where it has none."""
        themes = {
            (assignment.message.source, assignment.message.row): assignment.theme
            for assignment in self.assignments
        }
        return [themes.get(row) for row in self.intake.rows]

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return ``themes``, ``messages`` (redacted) and the ``audit`` sheet, to be taken away."""
        return self.room("record").tables(self)  # type: ignore[no-any-return]

    def files(self) -> Mapping[str, bytes]:
        """Return the tables as the files that stand beside the readout, by name."""
        return self.room("record").files(self)  # type: ignore[no-any-return]
