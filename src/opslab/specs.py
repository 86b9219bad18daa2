"""Specs that users write: validated, every mistake with its line, and the files they name."""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    PrivateAttr,
    StringConstraints,
    ValidationError,
)
from pydantic_core import PydanticCustomError, core_schema

from opslab import provenance, workspace
from opslab.documents import Document, Location, read
from opslab.errors import InputError, ParameterError, Problem, SpecError, did_you_mean
from opslab.messages import LANGUAGES, Bilingual
from opslab.names import folded
from opslab.spec_problems import problem_at, problems, shortened

Spec = TypeVar("Spec", bound=BaseModel)

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")


class Declared(BaseModel):
    """The base of everything a user declares: frozen, and without unknown fields."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
    )

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise SpecError(*problems(type(self), error, Document("", fields))) from None

    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined] # reading YAML goes past it


def fault(key: str, /, **values: Any) -> PydanticCustomError:
    """Return what a validator raises: a message by its key, and what it names."""
    return PydanticCustomError(key, key, values)


def as_label(value: object) -> object:
    """Return a whole number as the text that was written; refuse what YAML made something else."""
    if isinstance(value, bool):
        raise fault("specs.label_boolean", value=str(value).lower())
    if isinstance(value, float):
        raise fault("specs.label_number", value=repr(value))
    return str(value) if isinstance(value, int) else value


def as_theme(value: str) -> str:
    """Return the name of a theme of customers' feedback; refuse what is none."""
    if not re.fullmatch(r"[a-z0-9-]+/T\d{2,}[a-z]?", value):
        raise fault("specs.theme_name", value=value)
    return value


def _number(value: object) -> object:
    if isinstance(value, bool):
        raise fault("specs.not_number", given=str(value).lower())
    return value


def _day(value: object) -> object:
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value
    if isinstance(value, str) and _DAY.match(value):
        return value
    raise fault("specs.not_date", given=shortened(value))


def _names_a_folder(value: str) -> str:
    if not workspace.slug(value):
        raise fault("specs.slug")
    return value


class InBothLanguages:
    """Let a text be written as ``{en: …, fr: …}`` too: it becomes a `Bilingual`.

    It comes last in an ``Annotated[str, …]``, behind what bounds the text of either language.
    """

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        plain = handler(source)
        both = core_schema.typed_dict_schema(
            {language: core_schema.typed_dict_field(plain) for language in LANGUAGES},
            extra_behavior="forbid",
        )
        either = core_schema.tagged_union_schema({"text": plain, "both": both}, _form)
        return core_schema.no_info_after_validator_function(
            _joined,
            core_schema.no_info_before_validator_function(_parted, either),
            serialization=core_schema.simple_ser_schema("any"),
        )


def _parted(given: object) -> object:
    return {"en": str(given), "fr": given.french} if isinstance(given, Bilingual) else given


def _form(given: object) -> str:
    return "both" if isinstance(given, dict) else "text"


def _joined(texts: str | dict[str, str]) -> str:
    return Bilingual(texts["en"], french=texts["fr"]) if isinstance(texts, dict) else texts


Text = Annotated[
    str,
    StringConstraints(min_length=1, max_length=600, strip_whitespace=True),
    InBothLanguages(),
]
"""A text that a sponsor reads: written once, or as ``{en: …, fr: …}``.

Its value is a str: of both languages the English one, which alone stands in fingerprints and
records. Readers of French are shown the French one.
"""

Title = Annotated[
    str,
    StringConstraints(min_length=1, max_length=120, strip_whitespace=True),
    InBothLanguages(),
    AfterValidator(_names_a_folder),
]
"""A name that also names a folder, by its English text."""

Number = Annotated[float, BeforeValidator(_number)]
"""A number; true and false are none."""

Day = Annotated[datetime.date, BeforeValidator(_day)]
"""A day, written YYYY-MM-DD and in no other way."""

Label = Annotated[str, BeforeValidator(as_label)]
"""A name that stands in the data. YAML must not have turned it into something else."""

Words = Annotated[Label, InBothLanguages()]
"""A name that stands in the data and that readers see: written once, or ``{en: …, fr: …}``."""

ThemeName = Annotated[str, AfterValidator(as_theme)]
"""A theme of customers' feedback: the study's name, as in its run's folder, and the theme's id."""


class FromFile(Declared):
    """The base of a spec that stands in a file. Its own first field is its name, a `Title`."""

    SHEET: ClassVar[str] = ""
    """Field that takes a sheet which is given alone, in the place of a spec."""

    PRIVATE: ClassVar[frozenset[str]] = frozenset()
    """Fields of whose content no message shows anything."""

    title: Text | None = Field(None, exclude=True)
    """what a reader is shown instead of the name"""
    _file: Path | None = PrivateAttr(None)
    _document: Document = PrivateAttr(Document("", {}))

    @classmethod
    def load(cls, path: str | Path, name: str | None = None) -> Self:
        """Read a spec from a YAML file, or from a sheet alone with all else as by default.

        Parameters
        ----------
        path : path
        name : str, optional
            What the file is called in messages; the path by default.

        Raises
        ------
        SpecError
            With every mistake: file, line, field, what is wrong and what to do.
        """
        file = Path(path)
        if cls.SHEET and file.suffix.lower() not in (".yaml", ".yml"):
            title = re.sub("[.](en|fr)$", "", file.stem)
            title = title[:1].upper() + title[1:]
            spec = cls(**{cls._naming(): title, cls.SHEET: {"path": file.name}})
        else:
            spec = cls.declared(read(file, name or str(path)))
        spec._file = file  # noqa: SLF001 - its own
        return spec

    @classmethod
    def declared(cls, document: Document) -> Self:
        """Return the spec that a document declares, refused as `load` refuses one."""
        spec = validate(cls, document)
        spec._document = document  # noqa: SLF001 - its own
        return spec

    def changed(self, **fields: Any) -> Self:
        """Return the spec with other fields, validated; paths start where they did."""
        spec = type(self)(**dict(self) | fields)
        spec._file = self._file  # noqa: SLF001 - its own
        return spec

    @classmethod
    def _naming(cls) -> str:
        return next(field for field in cls.model_fields if field not in FromFile.model_fields)

    @property
    def _name(self) -> str:
        name: str = getattr(self, self._naming())
        return name

    @property
    def slug(self) -> str:
        """The name as a folder is called."""
        return workspace.slug(self._name)

    @property
    def shown_title(self) -> str:
        """What a reader is shown: the title, else the name."""
        return self.title or self._name

    @property
    def file(self) -> Path | None:
        """The file it was loaded from."""
        return self._file

    def beside(self, path: str) -> Path:
        """Return a path that the spec names: a relative one starts at the spec's folder."""
        return (self._file.parent if self._file else Path()) / workspace.expanded(path)

    def named(self) -> Mapping[Location, str]:
        """Return the path that each field names: by default of everything that has a ``path``."""
        paths: dict[Location, str] = {}
        for field, value in self:
            several = isinstance(value, tuple)
            for at, source in enumerate(value if several else (value,)):
                if isinstance(source, Declared) and "path" in type(source).model_fields:
                    location = (field, at, "path") if several else (field, "path")
                    paths[location] = dict(source)["path"]
        return paths

    def files(self) -> tuple[Path, ...]:
        """Return every file it stands on: its own, and those it names."""
        own = [self._file] if self._file else []
        return tuple(dict.fromkeys([*own, *map(self.beside, self.named().values())]))

    def day(self, as_of: datetime.date | None) -> datetime.date:
        """Return the day as of which its readout speaks: as given, or its own date."""
        day: datetime.date | None = as_of or getattr(self, "date", None)
        if day is None:
            raise ParameterError.of("parameters.as_of_needed", field="as_of")
        return day

    def looked_up(self, day: datetime.date) -> Iterable[Path]:
        """Give the records of runs that it does not name and looks for: by default none."""
        del day
        return ()

    def inputs(self, *cited: Path) -> list[dict[str, str]]:
        """Return every file it stands on, and its hash, as the record of a result tells them.

        Records of runs that are looked up by name are given as `cited`.
        """
        return [
            {"file": workspace.shown(path), "sha256": provenance.hash_of(path)}
            for path in dict.fromkeys([*self.files(), *cited])
        ]

    def missing_files(self) -> list[Problem]:
        """Return a problem for every named file that is not there, or no file."""
        missing = []
        for location, given in self.named().items():
            path = self.beside(given)
            if workspace.is_there(path, file=True):
                continue
            values = {"data": workspace.shown(path), "near": workspace.near_name(path)}
            key = "tables.folder" if workspace.is_there(path) else "specs.missing_data"
            missing.append(self.problem(key, *location, **values))
        return missing

    def problem(self, key: str, *location: str | int, **values: Any) -> Problem:
        """Return a problem about one field, with its line where the spec came from a file."""
        return problem_at(key, values, location, self._document)

    def located(self, error: InputError, *location: str | int) -> list[Problem]:
        """Return an error's problems as those of a field."""
        return [
            self.problem(problem.key, *location, **problem.values) for problem in error.problems
        ]


def refuse_unknown(
    spec: FromFile, names: Iterable[str], known: Collection[str], *location: str | int
) -> None:
    """Refuse what a field of the spec names and there is not, with what is near."""
    there = {*map(folded, known)}
    SpecError.refuse(
        [
            spec.problem(
                "explore.unknown",
                *location,
                name=name,
                near=did_you_mean(name, known),
                known=[*known],
            )
            for name in names
            if folded(name) not in there
        ]
    )


def validate(model: type[Spec], document: Document) -> Spec:
    """Return the spec that a document declares.

    Raises
    ------
    SpecError
        With every mistake: file, line, field, what is wrong and what to do.
    """
    if not isinstance(document.values, dict):
        raise SpecError.of("specs.not_a_mapping", file=document.file, line=document.line(()))
    try:
        return model.model_validate(document.values)
    except ValidationError as error:
        raise SpecError(*problems(model, error, document)) from None
