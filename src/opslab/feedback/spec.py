"""What the analyst declares about a body of feedback: the study."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, field_validator

from opslab.documents import Location
from opslab.errors import Problem
from opslab.frames import Form, in_form
from opslab.specs import Day, Declared, FromFile, Label, Number, Text, Title, fault
from opslab.tables.import_report import Answers

BlockingCheck = Literal["coverage", "stability", "leakage", "furniture", "sizes"]
_PREVIOUS = r"^(last|none|[a-z_]+/[a-z0-9-]+/\d{4}-\d{2}-\d{2}-[0-9a-f]{8})$"
Name = Annotated[str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True)]


class Source(Answers):
    """One export, and the answers that its reading may need."""

    path: str
    """export (CSV, workbook, JSON or Parquet), from the study's folder"""
    source: Name | None = None
    """what readers call this source; the file's name by default"""
    segments: tuple[str, ...] = Field((), max_length=8)
    """headings of columns by which customers are told apart, beside segment, plan, version, country
    and channel"""


class Redaction(Declared):
    """What is taken out of every text before anything is written."""

    regions: tuple[Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")], ...] = (
        "FR",
        "GB",
        "US",
    )
    """countries whose local telephone numbers are recognised"""
    patterns: dict[str, str] = Field({})
    """your own: a name, and a regular expression"""

    @field_validator("patterns")
    @classmethod
    def _compiles(cls, patterns: dict[str, str]) -> dict[str, str]:
        for name, pattern in patterns.items():
            try:
                empty = re.compile(pattern).match("")
            except re.error as error:
                raise fault("feedback.bad_pattern", name=name, reason=str(error)) from None
            if empty:
                raise fault("feedback.empty_pattern", name=name)
        return patterns


class Themes(Declared):
    """How themes are looked for."""

    coverage: Number = Field(0.8, ge=0.3, le=1)
    """share of the messages kept: the surest ones"""
    smallest: int = Field(5, ge=2, le=1000)
    """messages that make a theme"""
    encoder: str = "universal"
    """universal, lsa, or the folder of a sentence-transformers model of yours"""
    cache: str | None = None
    """folder where vectors are kept by the hash of their text, from the study's folder"""


class Study(FromFile):
    """One body of feedback.

    Read it from YAML with `Study.load`, or build it from fields: ``Study(study=…, sources=…)``.
    """

    study: Title
    """name of the study; its slug names the run folder"""
    question: Text | None = None
    """the question in one sentence"""
    owner: Text | None = Field(None, max_length=120)
    """who answers for the study"""
    sources: tuple[Source, ...] = ()
    """the exports"""
    start: Day | None = None
    """first day of the messages, YYYY-MM-DD"""
    end: Day | None = None
    """last day of the messages, YYYY-MM-DD"""
    languages: tuple[Label, ...] = Field(("en", "fr"), min_length=1)
    """languages that are expected"""
    teams: dict[Name, Annotated[tuple[Name, ...], Field(min_length=1)]] = Field({})
    """a team, and examples of what goes to it, in its customers' words"""
    redact: Redaction = Redaction()
    themes: Themes = Themes()
    audit: str | None = None
    """audit sheet that people have filled in (CSV or XLSX)"""
    previous: Annotated[str, StringConstraints(pattern=_PREVIOUS)] = "last"
    """`last`: themes keep their identity since the last run of an earlier day; `none`; or a run by
    its id, `feedback_themes/name/2026-09-20-0a1b2c3d`"""
    blocking: tuple[BlockingCheck, ...] = ("coverage", "stability", "leakage", "furniture")
    """checks whose failure is a red light"""

    @field_validator("languages")
    @classmethod
    def _known_languages(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        for name in languages:
            if not re.fullmatch("[a-z]{2}", name):
                raise fault("feedback.bad_language", name=name)
        return languages

    def named(self) -> dict[Location, str]:
        """Return the exports and the audit sheet."""
        exports: dict[Location, str] = {
            ("sources", at, "path"): source.path for at, source in enumerate(self.sources)
        }
        return exports | ({("audit",): self.audit} if self.audit else {})

    def messages(self, data: Any = None, *, form: Form = "pandas") -> Any:
        """Return the messages as a frame: a row for each that came in, in the order of the input.

        Parameters
        ----------
        data
            As of `opslab.feedback.find_themes`: by default the study's sources, which are read
            once, and again when a file has changed.
        form : {"pandas", "arrow", "polars"}

        Returns
        -------
        pandas.DataFrame, pyarrow.Table or polars.DataFrame
            ``source`` and ``row``, its number there; ``message``, which names it in every table
            of a readout, missing where the row was left out (no words, outside the study's days,
            a repetition); ``id``; ``date``, and ``week``, its Monday; ``language``; ``text``,
            redacted; ``customer``, a key; ``rating`` in stars; ``score``; ``discontent`` from 0
            to 1; ``revenue`` a year; then segment, plan and other traits. A row with what is
            liked and what is disliked (G2) makes two. `FeedbackResult.labels` has an entry for
            each row that came in, so ``study.messages().assign(theme=result.labels)`` fits
            where no row makes two; `FeedbackResult.messages` always has both.

        Raises
        ------
        SpecError, DataError
            As of `opslab.feedback.find_themes`.
        ParameterError
            When there is no such form, or its library is not installed.

        Examples
        --------
        >>> mail = Study(study="mail").messages(["Call me: +33 6 12 34 56 78", "Thanks!"])
        >>> mail[["row", "text"]].values.tolist()
        [[1, 'Call me: [PHONE]'], [2, 'Thanks!']]
        """
        return in_form(import_module("opslab.feedback.record").came_in(self, data), form)

    def lacking(self) -> list[Problem]:
        """Return a problem for every source that is not there, or one where none is named."""
        none = [] if self.sources else [self.problem("feedback.no_sources", "sources")]
        return self.missing_files() + none
