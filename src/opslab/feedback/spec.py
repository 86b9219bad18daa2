"""What the analyst declares about a body of feedback: the study."""

from __future__ import annotations

import datetime
import re
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from opslab import filed_runs, workspace
from opslab.documents import Location
from opslab.errors import Problem
from opslab.frames import Form, in_form
from opslab.specs import Day, Declared, FromFile, Label, Number, Text, Title, fault
from opslab.tables.import_report import Answers

BlockingCheck = Literal["coverage", "stability", "leakage", "furniture", "sizes"]
_ANSWERING = ("experiment_readout", "launch_readiness", "roadmap")
_PREVIOUS = r"^(last|none|[a-z_]+/[a-z0-9-]+/\d{4}-\d{2}-\d{2}-[0-9a-f]{8})$"
Name = Annotated[str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True)]


class Handling(Declared):
    """How long people worked on a message: never how long it was open."""

    column: str
    """heading of the time that people worked on a message, such as Handle time"""
    unit: Literal["minutes", "hours", "seconds"]
    """unit of that time"""


class Source(Answers):
    """One export, and the answers that its reading may need."""

    path: str
    """export (CSV, workbook, JSON or Parquet), from the study's folder"""
    source: Name | None = None
    """what readers call this source; the file's name by default"""
    segments: tuple[str, ...] = Field((), max_length=8)
    """headings of columns by which customers are told apart, beside segment, plan, version, country
    and channel"""
    handling: Handling | None = None
    """time that people worked on each message; never the time until it was answered or closed"""


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


class Done(Declared):
    """What was promised or released for a theme: a run that says so, or words and a day."""

    theme: Annotated[str, StringConstraints(pattern=r"^T\d{2,}[a-z]?$")]
    """id of the theme"""
    run: Annotated[str, StringConstraints(pattern=filed_runs.NAME)] | None = None
    """run that released it: `launch_readiness/name`, the latest by the day, or one by its id"""
    step: Label | None = None
    """id of the initiative, where the run is of a roadmap"""
    what: Text | None = None
    """what was done, as readers see it; of a run its own title by default"""
    on: Day | None = None
    """day of what no run says, YYYY-MM-DD"""
    task: Label | None = None
    """task of a `time_saved` inventory that the handling time is of"""
    role: Label | None = None
    """role in that inventory"""

    @model_validator(mode="after")
    def _dated(self) -> Self:
        whole = self.run or (self.on and self.what)
        steps = (self.run or "").startswith("roadmap/")
        if not whole or (self.run and self.on) or steps != bool(self.step):
            raise fault("feedback.done_form")
        return self


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
    edits: str | None = None
    """what people change about themes (YAML, or the workbook of a run), from the study's folder"""
    previous: Annotated[str, StringConstraints(pattern=_PREVIOUS)] = "last"
    """`last`: themes keep their identity since the last run of an earlier day; `none`; or a run by
    its id, `feedback_themes/name/2026-09-20-0a1b2c3d`"""
    done: tuple[Done, ...] = Field((), max_length=40)
    """what was promised or released for a theme, of which the readout tells whether it fell"""
    runs: tuple[str, ...] = ()
    """folders of runs that are looked in after the reports, from the study's folder"""
    blocking: tuple[BlockingCheck, ...] = ("coverage", "stability", "leakage", "furniture")
    """checks whose failure is a red light"""

    @field_validator("languages")
    @classmethod
    def _known_languages(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        for name in languages:
            if not re.fullmatch("[a-z]{2}", name):
                raise fault("feedback.bad_language", name=name)
        return languages

    def folders(self) -> list[Path]:
        """Return where the runs stand that say what was done."""
        return [workspace.reports(), *map(self.beside, self.runs)]

    def promises(self, day: datetime.date) -> list[Done]:
        """Return what `done` names, then what names a theme of this study in its own spec.

        That are launches, experiments and the steps of roadmaps, of which the latest run by a day
        counts. What the study names too stands once.
        """
        known = [(each.theme, each.step, *(each.run or "").split("/")[:2]) for each in self.done]
        named = [*self.done]
        for run, record in filed_runs.latest(_ANSWERING, self.folders(), day):
            with suppress(AttributeError, LookupError, TypeError, ValueError):  # no record of ours
                steps = [(None, record), *((step["id"], step) for step in record.get("steps", ()))]
                for step, part in steps:
                    names = [name.rpartition("/") for name in part.get("themes", ())]
                    own = [theme for study, _, theme in names if study == self.slug]
                    named += [
                        Done(theme=theme, run=run, step=step)
                        for theme in dict.fromkeys(own)
                        if (theme, step, *run.split("/")) not in known
                    ]
        return named

    def named(self) -> dict[Location, str]:
        """Return the exports, the audit sheet and the edits."""
        exports: dict[Location, str] = {
            ("sources", at, "path"): source.path for at, source in enumerate(self.sources)
        }
        written = {("audit",): self.audit, ("edits",): self.edits}
        return exports | {field: path for field, path in written.items() if path}

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
