"""What the analyst declares about a body of feedback: the study."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator

from opslab.documents import Location
from opslab.errors import Problem
from opslab.specs import Day, Declared, FromFile, Label, Number, Text, Title, fault
from opslab.tables.import_report import Answers

BlockingCheck = Literal["coverage", "stability", "leakage", "furniture", "sizes"]
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

    def lacking(self) -> list[Problem]:
        """Return a problem for every source that is not there, or one where none is named."""
        none = [] if self.sources else [self.problem("feedback.no_sources", "sources")]
        return self.missing_files() + none
