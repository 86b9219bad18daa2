"""The typed parameters of a notebook: what may be given, what it means, which files a run reads."""

from __future__ import annotations

import datetime
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import Field, ValidationError

from opslab import specs, workspace
from opslab.documents import Document
from opslab.errors import ParameterError, Problem, did_you_mean
from opslab.messages import Language
from opslab.spec_problems import problems as problems_of


@dataclass(frozen=True)
class Inputs:
    """What a run stands on, known before any kernel starts.

    Attributes
    ----------
    name : str
        The folder name of the thing under study: the spec's slug.
    as_of : datetime.date
        The day as of which the run speaks.
    files : tuple of Path
        Every file that the run reads, those named inside a spec too.
    secret : str
        Fingerprint of the secret that the run makes keys with, if it makes any.
    """

    name: str
    as_of: datetime.date
    files: tuple[Path, ...]
    secret: str = ""


class Parameters(specs.Declared, ABC):
    """The base of every notebook's parameters."""

    as_of: specs.Day | None = None
    """day as of which the readout speaks, YYYY-MM-DD"""
    language: Language = "en"
    """language of the readout: en or fr"""

    @classmethod
    def of(cls, /, **given: Any) -> Self:
        """Return the parameters, or raise one `ParameterError` that lists all mistakes.

        An empty text stands for "not given": a notebook's parameters cell has no better way to say
        it.
        """
        problems = [cls.unknown(name) for name in given if name not in cls.model_fields]
        known = {
            name: value
            for name, value in given.items()
            if name in cls.model_fields and value not in ("", None)
        }
        try:
            parameters = cls.model_validate(known)
        except ValidationError as error:
            problems += problems_of(cls, error, Document("", known))
        ParameterError.refuse(problems)
        return parameters

    @abstractmethod
    def stands_on(self) -> Inputs:
        """Return the run's name, day and files.

        Raises
        ------
        InputError
            When the user must correct something.
        """

    def given(self) -> Mapping[str, str | int | float | bool]:
        """Return the parameters as a notebook's cell takes them: plain values, "" for none."""
        given = {name: "" if value is None else value for name, value in self}
        return {
            name: value.isoformat() if isinstance(value, datetime.date) else value
            for name, value in given.items()
        }

    @classmethod
    def unknown(cls, name: str) -> Problem:
        """Return the problem of a parameter that there is not."""
        known = sorted(cls.model_fields)
        near = did_you_mean(name, cls.model_fields)
        return Problem("parameters.unknown", {"name": name, "near": near, "known": known})


class SpecParameters(Parameters):
    """The parameters of a notebook whose run stands on one spec, or on a sheet in its place."""

    MODEL: ClassVar[str]
    """``module:class`` of the spec; loaded once it is read: unknown parameters are told without."""

    spec: str = Field(min_length=1)
    """a spec, or its sheet alone"""

    def declared(self) -> Any:
        """Return the spec; raises `SpecError` when it needs correcting."""
        module, _, name = self.MODEL.partition(":")
        return getattr(import_module(module), name).load(workspace.resolve(self.spec), self.spec)

    def day(self, spec: Any) -> datetime.date:
        """Return the day as of which the readout speaks: as given, or the spec's own date."""
        day: datetime.date = spec.day(self.as_of)
        return day

    def stands_on(self) -> Inputs:
        """Return the run's name, day and files."""
        spec = self.declared()
        day, missing = self.day(spec), spec.missing_files()
        ParameterError.refuse(missing)
        files = dict.fromkeys((*spec.files(), *spec.looked_up(day)))
        return Inputs(spec.slug, day, (*files,))
