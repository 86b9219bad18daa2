"""What the analyst declares about a body of feedback: the study."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, StringConstraints, field_validator
from pydantic_core import PydanticCustomError

from opslab import specs, workspace
from opslab.errors import Problem
from opslab.parameters import slug
from opslab.specs import Day, Declared, Label, Number
from opslab.tables.reading import Answers

BlockingCheck = Literal["coverage", "stability", "leakage", "sizes"]
Name = Annotated[str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True)]


class Source(Answers):
    """One export, and the answers that its reading may need."""

    path: str = Field(description="export (CSV, XLSX, JSONL or Parquet), from the study's folder")
    source: Name | None = Field(None, description="what readers call this source; the file's name by default")


class Redaction(Declared):
    """What is taken out of every text before anything is written."""

    regions: tuple[Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")], ...] = Field(
        ("FR", "GB", "US"), description="countries whose local telephone numbers are recognised"
    )
    patterns: dict[str, str] = Field({}, description="your own: a name, and a regular expression")

    @field_validator("patterns")
    @classmethod
    def _compiles(cls, patterns: dict[str, str]) -> dict[str, str]:
        for name, pattern in patterns.items():
            try:
                empty = re.compile(pattern).match("")
            except re.error as error:
                told = {"name": name, "reason": str(error)}
                raise PydanticCustomError("feedback.bad_pattern", "pattern", told) from None
            if empty:
                raise PydanticCustomError("feedback.empty_pattern", "pattern", {"name": name})
        return patterns


class Themes(Declared):
    """How themes are looked for."""

    coverage: Number = Field(0.8, ge=0.3, le=1, description="share of the messages kept: the surest ones")
    smallest: int = Field(5, ge=2, le=1000, description="messages that make a theme")
    encoder: str = Field(
        "universal", description="universal, lsa, or the folder of a sentence-transformers model of yours"
    )
    cache: str | None = Field(
        None, description="folder where vectors are kept by the hash of their text, from the study's folder"
    )


class Study(Declared):
    """One body of feedback.

    Read it from YAML with `Study.load`, or build it from fields: ``Study(study=…, sources=…)``.
    """

    study: Name = Field(description="name of the study; its slug names the run folder")
    question: str | None = Field(None, max_length=500, description="the question in one sentence")
    owner: str | None = Field(None, max_length=120)
    sources: tuple[Source, ...] = Field((), description="the exports")
    start: Day | None = Field(None, description="first day of the messages, YYYY-MM-DD")
    end: Day | None = Field(None, description="last day of the messages, YYYY-MM-DD")
    languages: tuple[Label, ...] = Field(
        ("en", "fr"), min_length=1, description="languages that are expected"
    )
    redact: Redaction = Redaction()
    themes: Themes = Themes()
    audit: str | None = Field(None, description="audit sheet that people have filled in (CSV or XLSX)")
    blocking: tuple[BlockingCheck, ...] = Field(
        ("coverage", "stability", "leakage"), description="checks whose failure is a red light"
    )

    _file: Path | None = PrivateAttr(None)
    _document: specs.Document | None = PrivateAttr(None)

    @field_validator("study")
    @classmethod
    def _names_a_folder(cls, study: str) -> str:
        if not slug(study):
            raise PydanticCustomError("feedback.slug", "slug")
        return study

    @field_validator("languages")
    @classmethod
    def _known_languages(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [name for name in languages if not re.fullmatch("[a-z]{2}", name)]
        if wrong:
            raise PydanticCustomError("feedback.bad_language", "language", {"name": wrong[0]})
        return languages

    @classmethod
    def load(cls, path: str | Path, name: str | None = None) -> Study:
        """Read a study from a YAML file; raises `SpecError` with every mistake, by file, line and field."""
        file = Path(path)
        document = specs.read(file, name or str(path))
        study = specs.validate(cls, document)
        study._file, study._document = file, document  # noqa: SLF001 - its own
        return study

    @property
    def slug(self) -> str:
        """The name as a folder is called."""
        return slug(self.study)

    @property
    def file(self) -> Path | None:
        """The file it was loaded from."""
        return self._file

    def beside(self, path: str) -> Path:
        """Return a path of the study: a relative one starts at the study's folder."""
        return (self._file.parent if self._file else Path()) / workspace.expanded(path)

    def data_files(self) -> tuple[Path, ...]:
        """Return every file that the study reads."""
        named = [*(source.path for source in self.sources), *([self.audit] if self.audit else [])]
        return tuple(self.beside(path) for path in named)

    def missing_files(self) -> list[Problem]:
        """Return a problem for every file that is not there, or no file."""
        places: list[tuple[str, tuple[str | int, ...]]] = [
            (source.path, ("sources", place, "path")) for place, source in enumerate(self.sources)
        ]
        places += [(self.audit, ("audit",))] if self.audit else []
        found = []
        for given, location in places:
            path = self.beside(given)
            if workspace.is_there(path, file=True):
                continue
            near = workspace.near_name(path)
            key = "feedback.missing_data_near" if near else "feedback.missing_data"
            key = "tables.folder" if workspace.is_there(path) else key
            found.append(self.problem(key, *location, data=workspace.shown(path), near=near))
        return found

    def problem(self, key: str, *location: str | int, **values: Any) -> Problem:
        """Return a problem about one field, with its line where the study came from a file."""
        document = self._document
        return Problem(
            key,
            values,
            document.file if document else None,
            document.line(location) if document else None,
            specs.field_name(location) or None,
        )
