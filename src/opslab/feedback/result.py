"""What `find_themes` returns: themes, the theme of every message, checks. No numerics live here."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from opslab.feedback.audit import Audit
from opslab.feedback.customer_message import CustomerMessage, Intake
from opslab.feedback.edits import Edits
from opslab.feedback.kinds import Kind
from opslab.feedback.naming import Phrases
from opslab.feedback.routing import Route, RoutingAudit
from opslab.feedback.spec import Study
from opslab.frames import Form, in_form
from opslab.messages import Language
from opslab.results import Result

if TYPE_CHECKING:
    import pandas as pd

    from opslab.feedback.registry.state import Registry

Reason = Literal[
    "between", "excluded", "far", "few", "judged", "praise", "template", "no_words", "too_few"
]


@dataclass(frozen=True, kw_only=True)
class Topic:
    """What customers speak of: a theme, or a group of themes.

    Attributes
    ----------
    id : str
        ``T01`` … which hold from run to run, and ``G01`` … for groups, which hold within a run.
    title : str
        A clause of the customers' own, in each language that has a fifth of the messages; typical
        words for a group.
    phrases : tuple of Phrases
    messages : int
        Those that surely belong to it, copies counted.
    share, interval : float, tuple
        Of all messages with the unsorted ones in their nearest theme, and an interval at 95 % that
        includes whether they belong there: `opslab.feedback.shares`.
    quotes : tuple of CustomerMessage
        Those that speak for it, the most typical first.
    """

    id: str
    title: str
    phrases: tuple[Phrases, ...]
    messages: int
    share: float
    interval: tuple[float, float]
    quotes: tuple[CustomerMessage, ...]

    def called(self, language: str) -> str:
        """Return the title in a language; in all that there are where it has none there."""
        return next((part.title for part in self.phrases if part.language == language), self.title)


@dataclass(frozen=True, kw_only=True)
class Theme(Topic):
    """One theme.

    Attributes
    ----------
    group : str
    kinds : mapping of str to int
        Messages by what they say of it: problem, wish, question, other, the most common first.
    customers : int or None
        None where no source tells customers apart.
    rating : float or None
        Mean stars.
    stability : float or None
        How much of it comes back on subsamples of 80 %; None where themes are mere repetitions.
    languages : mapping of str to int
    route : Route or None
        Whose it is; None where the study names no teams.
    born : date or None
        Day of the run that first had it; None where the run has no day, or people made it.
    status : {"active", "dormant"}
        Dormant where its last message is more than 28 days older than the data's.
    """

    group: str
    kinds: Mapping[Kind, int]
    customers: int | None
    rating: float | None
    stability: float | None
    languages: Mapping[str, int]
    route: Route | None
    born: datetime.date | None = None
    status: str = "active"

    @property
    def kind(self) -> Kind | None:
        """What most messages say of it; None where no kinds are known."""
        return next(iter(self.kinds), None)


@dataclass(frozen=True, kw_only=True)
class ThemeGroup(Topic):
    """Themes that belong together: the coarse level, which speaks by its largest theme's quotes."""

    themes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """The theme of what a message says, or why it has none.

    Attributes
    ----------
    text : str
    kind : str or None
        None where the encoder is not the one that kinds were learned with.
    theme : str or None
    nearest, second : str or None
        The nearest theme also of what is left unsorted, and the next one.
    confidence : float or None
        Cosine to the theme plus its lead over the next one: what the coverage dial cuts by.
    reason : str or None
        Why it is unsorted.
    """

    text: str
    kind: Kind | None = None
    theme: str | None = None
    nearest: str | None = None
    second: str | None = None
    confidence: float | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a message says, each with its theme or the reason why it has none.

    Attributes
    ----------
    message : CustomerMessage
    main : Point
        What it mostly says: the whole of a short message.
    points : tuple of Point
        All that a long one says; empty for a short one.
    copy_of : str or None
        The uid of the message that it repeats.
    """

    message: CustomerMessage
    main: Point
    points: tuple[Point, ...] = ()
    copy_of: str | None = None

    @property
    def theme(self) -> str | None:
        """The theme of what it mostly says."""
        return self.main.theme

    @property
    def themes(self) -> set[str]:
        """The themes that it surely stands in."""
        return {each.theme for each in (self.main, *self.points) if each.theme}


@dataclass(frozen=True)
class Model:
    """What the themes were computed with; no resolution where there were too few texts.

    Attributes
    ----------
    points : bool
        Whether points of messages shaped the themes, and not whole messages.
    """

    encoder: str
    encoder_sha256: str
    fallback: bool
    seed: int
    resolution: float | None
    silhouette: float | None
    points: bool


@dataclass(frozen=True, kw_only=True, repr=False)
class FeedbackResult(Result):
    """The result of `opslab.feedback.find_themes`.

    Ask
    ---
    ``frame()`` has a row for each theme, ``messages()`` one for each message, ``tables()`` all that
    is written beside the page. ``by("rating")`` compares the themes along another column,
    ``compare(other)`` sets two results side by side, ``theme("T01")`` has its quotes,
    ``figures["shares"]`` its picture. ``contrasts``, ``trends``, ``incidents``, ``severities``
    and ``ranking`` are data frames. ``to_excel`` and ``to_csv`` take it away, ``explain("share")``
    tells what a word means. What is asked beyond the study is marked as exploratory, and is no
    evidence.

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
    before : mapping of str to str
        The titles that themes have without people's edits, by their ids.
    edits : Edits
        What people changed about the themes.
    sample : tuple of (str, str)
        Messages to be judged, by uid, each with its nearest theme before edits.
    audit : Audit or None
    routed : RoutingAudit or None
        How routes agree with the teams that people wrote on the audit sheet.
    intake : Intake
    registry : Registry
        What this run knows of its themes, for the next one.
    known : Registry or None
        What the run before knew of them.
    changes : mapping
        What changed since the run before, and what was done for themes: `opslab.feedback.since`.
    contrasts, trends, severities, ranking : pandas.DataFrame
        For whom, since when and how bad a theme is, and in which order to take themes up: by the
        themes' ids, as of `opslab.feedback.contrasts`, `trends`, `severity` and `priority`.
    counted : tuple of str
        What the order rests on, as of `opslab.feedback.priority.Ranking`.
    incidents : pandas.DataFrame
        Days on which a theme was said more than usual, as of `opslab.feedback.incidents`.
    emerging : tuple of str
        Themes that are new since the last run but one, or rise.
    """

    PARTS: ClassVar[Mapping[str, str]] = {
        "first": "",
        "themes": "themes",
        "since": "",
        "whom": "",
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
    before: Mapping[str, str]
    edits: Edits
    sample: tuple[tuple[str, str], ...]
    audit: Audit | None
    routed: RoutingAudit | None
    intake: Intake
    registry: Registry
    known: Registry | None
    changes: Mapping[str, Any] = field(default_factory=dict, compare=False)
    contrasts: pd.DataFrame = field(compare=False)
    trends: pd.DataFrame = field(compare=False)
    severities: pd.DataFrame = field(compare=False)
    ranking: pd.DataFrame = field(compare=False)
    counted: tuple[str, ...]
    incidents: pd.DataFrame = field(compare=False)
    emerging: tuple[str, ...]

    def theme(self, name: str) -> Theme:
        """Return a theme by its id."""
        return next(theme for theme in self.themes if theme.id == name)

    def ranked(self) -> pd.DataFrame:
        """Return the ranking without the themes that are only listed."""
        return self.ranking.dropna(subset="band") if len(self.ranking) else self.ranking

    @property
    def sorted(self) -> int:
        """Messages that stand in a theme."""
        return sum(bool(assignment.themes) for assignment in self.assignments)

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

    def frame(self, *, full: bool = False) -> pd.DataFrame:
        """Return the tidy table of the themes, or with ``full`` every column there is."""
        frame: pd.DataFrame = self.room("record").frame(self, full=full)
        return frame.assign(exploratory=True) if self.asked else frame

    def messages(self, *, form: Form = "pandas") -> Any:
        """Return the messages as a frame, each with its theme, in the order of the input.

        Parameters
        ----------
        form : {"pandas", "arrow", "polars"}

        Returns
        -------
        pandas.DataFrame, pyarrow.Table or polars.DataFrame
            As of `Study.messages`, and ``theme``, its ``name`` and ``group`` as `frame` has
            them, ``kind``, ``nearest`` theme, ``confidence``, the ``reason`` why it has none, and
            the message that it is a ``copy_of``.

        Examples
        --------
        >>> from opslab import feedback
        >>> result = feedback.find_themes(["The app crashes"] * 6 + ["Thanks!"])
        >>> result.messages()[["text", "theme", "reason"]].iloc[-2:].values.tolist()
        [['The app crashes', 'T01', nan], ['Thanks!', nan, 'praise']]
        """
        record = self.room("record")
        return in_form(record.in_order(self.intake, record.messages(self)), form)

    def by(self, column: str | pd.Series[Any]) -> FeedbackResult:
        """Return the result with its themes compared along another column, and that one alone.

        Themes stay as they were found. The rules are those of `contrasts`: within sources, a
        customer once, 20 customers on either side, q-values over all that is compared.

        Parameters
        ----------
        column : str or pandas.Series
            A column of `messages` (exports are not read again: the study's ``segments`` name what
            else is taken in), or values of one's own under the index of `messages`.

        Returns
        -------
        FeedbackResult
            Marked as exploratory wherever it appears, and no evidence.

        Raises
        ------
        ParameterError
            When there is no such column in what was read, or values have another index.

        Examples
        --------
        >>> import pandas as pd
        >>> from opslab import feedback
        >>> texts = ["The app crashes", "Der Zug ist zu spät"] * 30
        >>> stars = pd.DataFrame({"text": texts, "rating": [1, 5] * 30})
        >>> found = feedback.find_themes(stars).by("rating").contrasts
        >>> found[found["difference"] > 0][["value", "share"]].round(2).values.tolist()
        [['1', 1.0], ['5', 1.0]]
        """
        return self.room("record").by(self, column)  # type: ignore[no-any-return]

    def sheets(self) -> Mapping[str, pd.DataFrame]:
        """Return the tables to take away, by the names of their sheets; the largest are files."""
        return self.room("record").sheets(self.tables())  # type: ignore[no-any-return]

    def files(self) -> Mapping[str, bytes]:
        """Return the tables as the files that stand beside the readout, by name."""
        return self.room("record").files(self)  # type: ignore[no-any-return]

    def takeaway(self, language: Language | None = None) -> Mapping[str, bytes]:
        """Return nothing: the workbook is among its files."""
        del language
        return {}

    def documents(self, language: Language | None = None) -> Mapping[str, bytes] | None:
        """Return all quotes of each theme on a page of their own, and themes to hand over."""
        say = self.voice(language)
        pages = self.room("theme_pages").pages(self, say)
        return pages | self.room("handover").files(self, say) or None
