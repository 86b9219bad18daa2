"""Specs that users write in YAML: read with their line numbers, validated, told all mistakes at once.

YAML 1.2 is read: ``on``, ``off``, ``yes`` and ``no`` are words, only ``true`` and ``false`` are booleans;
``0012`` keeps its zeros and dates stay as they are written until a field asks for one.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from opslab import workspace
from opslab.errors import OpslabError, Problem, SpecError, did_you_mean

if TYPE_CHECKING:
    import yaml

Spec = TypeVar("Spec", bound=BaseModel)
Location = tuple[str | int, ...]

_LARGEST_BYTES = 200_000
_MOST_NODES = 10_000
_DEEPEST = 50
_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map")}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?\Z")
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}


class Declared(BaseModel):
    """The base of everything a user declares: frozen, and without unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise SpecError(*problems(type(self), error, Document("", fields, {}))) from None

    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined] # reading YAML goes past it


def _label(value: object) -> object:
    if isinstance(value, bool):
        raise PydanticCustomError("specs.label_boolean", "label", {"value": str(value).lower()})
    if isinstance(value, float):
        raise PydanticCustomError("specs.label_number", "label", {"value": repr(value)})
    return str(value) if isinstance(value, int) else value


def _number(value: object) -> object:
    if isinstance(value, bool):
        raise PydanticCustomError("specs.not_number", "number", {"given": str(value).lower()})
    return value


def _day(value: object) -> object:
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value
    if isinstance(value, str) and _DAY.match(value):
        return value
    raise PydanticCustomError("specs.not_date", "date", {"given": _short(value)})


Number = Annotated[float, BeforeValidator(_number)]
"""A number; true and false are none."""

Day = Annotated[datetime.date, BeforeValidator(_day)]
"""A day, written YYYY-MM-DD and in no other way."""

Label = Annotated[str, BeforeValidator(_label)]
"""A name that stands in the data. YAML must not have turned it into something else."""


@dataclass(frozen=True)
class Document:
    """A YAML file as plain values, and the line where each of them stands."""

    file: str
    values: Any
    lines: Mapping[Location, int]

    def line(self, location: Location) -> int | None:
        """Return the line of a field, or of the nearest thing that encloses it."""
        while location not in self.lines and location:
            location = location[:-1]
        return self.lines.get(location)


def read(path: Path, file: str) -> Document:
    """Read a YAML file.

    Parameters
    ----------
    path : Path
    file : str
        The file's name as the user gave it, for messages.

    Raises
    ------
    SpecError
        When the file is missing, no UTF-8 text, no YAML, or uses what a spec has no need of.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        near = workspace.near_name(path)
        raise SpecError.of(
            "specs.missing_file_near" if near else "specs.missing_file", file=file, near=near
        ) from None
    except OSError as error:
        raise SpecError.of("specs.unreadable", file=file, reason=error.strerror or str(error)) from None
    except ValueError as error:  # a name that no file can have
        raise SpecError.of("specs.unreadable", file=file, reason=str(error)) from None
    if len(raw) > _LARGEST_BYTES:
        raise SpecError.of("specs.too_large", file=file, bytes=len(raw))
    try:
        source = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise SpecError.of("specs.encoding", file=file, line=line) from None
    return parse(source, file)


def parse(source: str, file: str) -> Document:
    """Return the document that a YAML text holds; raises `SpecError` like `read`."""
    import yaml
    from yaml.reader import ReaderError

    try:
        tree = yaml.compose(source, Loader=_loader())
    except _TooLargeError as error:
        raise SpecError.of("specs.too_deep", file=file, line=error.line) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        key = "specs.tab" if "'\\t'" in str(error.problem) else "specs.yaml"
        raise SpecError.of(key, file=file, line=line, reason=error.problem or "?") from None
    except ReaderError as error:
        line = source.count("\n", 0, error.position) + 1
        raise SpecError.of("specs.control_character", file=file, line=line) from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # numbers in escapes and directives
        raise SpecError.of("specs.yaml", file=file, reason=str(error).splitlines()[0]) from None
    if tree is None:
        raise SpecError.of("specs.empty", file=file)
    builder = _Builder(file)
    values = builder.value(tree, ())
    return Document(file, values, builder.lines)


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


def problems(
    model: type[BaseModel], error: ValidationError, document: Document | None = None
) -> list[Problem]:
    """Return pydantic's findings as problems with their place, in the order of the file."""
    found: list[Problem] = []
    for detail in error.errors(include_url=False, include_input=True):
        if detail["type"] == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]:
            continue  # the entries are there, but wrong, and each of them is told
        location = _written(detail, document)
        key, values = _message(model, detail, location)
        found.append(
            Problem(
                key,
                values,
                (document.file or None) if document else None,
                document.line(location) if document else None,
                field_name(location) or None,
            )
        )
        if found[-1].field in {problem.field for problem in found[:-1] if problem.key != key}:
            found.pop()  # the other reading of a field that takes one of two kinds
    return sorted(found, key=lambda problem: problem.line or 0)


def field_name(location: Location) -> str:
    """Return a location as it is written in messages: ``metrics[1].type``."""
    shown = ""
    for part in location:
        if isinstance(part, int) and not isinstance(part, bool):
            shown += f"[{part + 1}]"
        else:
            shown += f".{part}" if shown else str(part)
    return shown


class _TooLargeError(Exception):
    def __init__(self, line: int) -> None:
        self.line = line


@cache
def _loader() -> type[yaml.BaseLoader]:
    """Return a loader of text, lists and mappings that stops at what is too long or too deep."""
    import yaml

    class Loader(yaml.BaseLoader):
        nodes = depth = 0

        def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
            self.nodes += 1
            self.depth += 1
            if self.nodes > 2 * _MOST_NODES or self.depth > _DEEPEST:
                raise _TooLargeError(self.peek_event().start_mark.line + 1)  # type: ignore[no-untyped-call]
            node = super().compose_node(parent, index)
            self.depth -= 1
            return node

    return Loader


class _Builder:
    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[Location, int] = {}
        self.nodes = 0

    def value(self, node: yaml.Node, location: Location) -> Any:
        from yaml import MappingNode, SequenceNode

        line = node.start_mark.line + 1
        self.lines.setdefault(location, line)
        self.nodes += 1
        if self.nodes > _MOST_NODES or len(location) > _DEEPEST:
            raise SpecError.of("specs.too_deep", file=self.file, line=line)
        if node.tag not in _TAGS:
            tag = node.tag.replace("tag:yaml.org,2002:", "!!")
            raise SpecError.of("specs.tag", file=self.file, line=line, tag=tag)
        if isinstance(node, MappingNode):
            return self._mapping(node, location)
        if isinstance(node, SequenceNode):
            return [self.value(child, (*location, place)) for place, child in enumerate(node.value)]
        return node.value if getattr(node, "style", None) in ("'", '"', "|", ">") else _plain(node.value)

    def _mapping(self, node: yaml.MappingNode, location: Location) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, child in node.value:
            line = key_node.start_mark.line + 1
            read = self.value(key_node, location) if key_node.id == "scalar" else None
            if read is None:
                raise SpecError.of("specs.key", file=self.file, line=line)
            key = key_node.value
            inner = (*location, key)
            if isinstance(read, bool | float):
                kind = "boolean" if isinstance(read, bool) else "number"
                raise SpecError.of(
                    f"specs.label_{kind}", file=self.file, line=line, field=field_name(inner), value=key
                )
            if key in values:
                raise SpecError.of(
                    "specs.repeated_key", file=self.file, line=line, field=field_name(inner), name=key
                )
            self.lines[inner] = line
            values[key] = self.value(child, inner)
        return values


def _plain(value: str) -> Any:
    if value.lower() in _WORDS and value in (value.lower(), value.upper(), value.title()):
        return _WORDS[value.lower()]
    if _INTEGER.match(value) and value != "-0":
        return int(value)
    return float(value) if _FLOAT.match(value) else value


def _written(detail: ErrorDetails, document: Document | None) -> Location:
    """Drop what pydantic adds to a location (union members, keys): keep what the user wrote."""
    location, kept = detail["loc"], list[str | int]()
    if detail["type"].startswith("union_tag"):
        location = (*location, detail["ctx"]["discriminator"].strip("'"))
    values = document.values if document else None
    for position, part in enumerate(location):
        last = position == len(location) - 1
        if document is None or (isinstance(values, dict) and part in values):
            kept.append(part)
            values = values[part] if isinstance(values, dict) else None
        elif isinstance(values, list | tuple) and isinstance(part, int) and part < len(values):
            kept.append(part)
            values = values[part]
        elif last and isinstance(values, dict) and detail["type"] in ("missing", "union_tag_not_found"):
            kept.append(part)
    return tuple(kept)


def _message(model: type[BaseModel], detail: ErrorDetails, location: Location) -> tuple[str, dict[str, Any]]:
    """Return the catalogue's message for one finding of pydantic."""
    kind, context, given = detail["type"], detail.get("ctx", {}), detail["input"]
    if given is None and kind != "extra_forbidden":
        return "specs.no_value", {}
    if isinstance(refused := context.get("error"), OpslabError):
        kind, context = refused.problems[0].key, dict(refused.problems[0].values)
    if kind.startswith(_OWN):
        return kind, dict(context)
    if kind == "extra_forbidden":
        name = str(location[-1])
        near = did_you_mean(name, _fields(model, detail["loc"][:-1]))
        return ("specs.unknown_near" if near else "specs.unknown"), {"name": name, "near": near}
    if kind in ("missing", "union_tag_not_found"):
        return "specs.missing", {"name": str(location[-1])}
    if kind in ("literal_error", "union_tag_invalid"):
        expected = context.get("expected") or context.get("expected_tags") or ""
        choices = re.findall(r"'([^']*)'", str(expected))
        given = context.get("tag", given)
        near = did_you_mean(str(given), choices)
        values = {"given": _short(given), "choices": choices, "near": near}
        return ("specs.choice_near" if near else "specs.choice"), values
    if kind in ("greater_than", "greater_than_equal", "less_than", "less_than_equal"):
        return f"specs.{kind}", {"given": _short(given), "bound": f"{next(iter(context.values())):g}"}
    family = next((family for prefix, family in _FAMILIES.items() if kind.startswith(prefix)), None)
    if family:
        return family, {"given": _short(given)}
    return "specs.invalid", {"given": _short(given), "reason": detail["msg"]}


_OWN = (
    "specs.", "businesscase.", "experiments.", "feedback.", "parameters.", "tables.", "timesaved.",
    "uncertainty.",
)  # fmt: skip
_FAMILIES = {
    "string_pattern": "specs.pattern",
    "string_too": "specs.text_length",
    "string": "specs.not_text",
    "int": "specs.not_integer",
    "float": "specs.not_number",
    "finite": "specs.not_number",
    "bool": "specs.not_boolean",
    "date": "specs.not_date",
    "dict": "specs.not_mapping",
    "model": "specs.not_mapping",
    "list": "specs.not_list",
    "tuple": "specs.not_list",
    "too_short": "specs.too_few",
    "none_required": "specs.not_allowed",
}


def _short(given: object, most: int = 40) -> str:
    shown = str(given) if not isinstance(given, bool) else str(given).lower()
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def _fields(model: type[BaseModel], location: Location) -> list[str]:
    """Return the field names that a model knows at a location, through lists and unions."""
    models: list[type[BaseModel]] = [model]
    for part in location:
        if isinstance(part, str):
            within = [one.model_fields[part].annotation for one in models if part in one.model_fields]
            tagged = [one for one in models if _tag(one) == part]
            models = [inner for one in within for inner in _models(one)] or tagged or models
    return [name for one in models for name in one.model_fields]


def _tag(model: type[BaseModel]) -> str | None:
    kind = model.model_fields.get("type")
    return next(iter(get_args(kind.annotation)), None) if kind else None


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (Annotated, Union, UnionType, tuple, list):
        return [inner for one in get_args(annotation) for inner in _models(one)]
    return []
