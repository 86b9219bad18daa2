"""What pydantic refuses, as problems of ours: the message, and the line to put right."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from opslab.documents import Document, Location, field_name
from opslab.errors import OpslabError, Problem, did_you_mean
from opslab.messages import text_of_both


def problems(model: type[BaseModel], error: ValidationError, document: Document) -> list[Problem]:
    """Return what pydantic refused as problems, each at its line, in the order of the file."""
    refused: list[Problem] = []
    details = error.errors(include_url=False, include_input=True)
    located = [(_written(detail, document), detail) for detail in details]
    for location, detail in located:
        entries = isinstance(detail["input"], list | tuple)
        short = (
            detail["type"] == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]
        )
        inside = any(other[: len(location)] == location != other for other, _ in located)
        if short or (entries and detail["type"] == "model_type" and inside):
            continue  # the entries are there, but wrong, and each of them is a problem
        key, values = _message(model, detail, location)
        if location and location[0] in getattr(model, "PRIVATE", ()):
            hidden = text_of_both("specs.hidden")  # it may be the name of somebody who answered
            values = {name: hidden if name in _GIVEN else at for name, at in values.items()}
        problem = problem_at(key, values, location, document)
        if not any(other.field == problem.field and other.key != key for other in refused):
            refused.append(
                problem
            )  # else: the other reading of a field that takes one of two kinds
    return sorted(refused, key=lambda problem: problem.line or 0)


def problem_at(
    key: str, values: Mapping[str, Any], location: Location, document: Document
) -> Problem:
    """Return a problem about one field, with its line in the document."""
    file, line = document.file or None, document.line(location)
    return Problem(key, values, file, line, field_name(location) or None)


def _written(detail: ErrorDetails, document: Document) -> Location:
    """Drop what pydantic adds to a location (union members, keys): keep what the user wrote."""
    location, kept = detail["loc"], list[str | int]()
    if detail["type"].startswith("union_tag"):
        location = (*location, detail["ctx"]["discriminator"].strip("'"))
    values = document.values
    for part in location:
        inside = range(len(values)) if isinstance(values, list | tuple) else values
        if isinstance(inside, dict | range) and part in inside:
            kept.append(part)
            values = values[part]
    if detail["type"] in _ABSENT and isinstance(values, dict):
        kept.append(location[-1])
    return tuple(kept)


def _message(
    model: type[BaseModel], detail: ErrorDetails, location: Location
) -> tuple[str, dict[str, Any]]:
    """Return the catalogue's message for what pydantic refused."""
    kind, context, given = detail["type"], detail.get("ctx", {}), detail["input"]
    if given is None and kind != "extra_forbidden":
        return "specs.no_value", {}
    if own := _own_message(kind, context):
        return own
    if context.get("field_type") == "Value":  # the length of a text, not of a list
        kind = "string_too"
    if kind == "extra_forbidden":
        name = str(location[-1])
        near = did_you_mean(name, _fields(model, detail["loc"][:-1]))
        return "specs.unknown", {"name": name, "near": near}
    if kind in _ABSENT:
        return "specs.missing", {"name": str(location[-1])}
    if kind in ("literal_error", "union_tag_invalid"):
        expected = context.get("expected") or context.get("expected_tags") or ""
        choices = re.findall(r"'([^']*)'", str(expected))
        given = context.get("tag", given)
        near = did_you_mean(str(given), choices)
        return "specs.choice", {"given": shortened(given), "choices": choices, "near": near}
    if kind in ("greater_than", "greater_than_equal", "less_than", "less_than_equal"):
        bound = f"{next(iter(context.values())):g}"
        return f"specs.{kind}", {"given": shortened(given), "bound": bound}
    family = next((family for prefix, family in _FAMILIES.items() if kind.startswith(prefix)), None)
    if family:
        return family, {"given": shortened(given)}
    return "specs.invalid", {"given": shortened(given), "reason": detail["msg"]}


def _own_message(kind: str, context: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """Return the message of our own validator, if it is its; what fails inside of one is raised."""
    error = context.get("error")
    if isinstance(error, OpslabError):
        return error.problems[0].key, dict(error.problems[0].values)
    if isinstance(error, Exception):
        raise error
    return (kind, context) if "." in kind else None  # else it is pydantic's


_GIVEN = ("given", "value", "tag")
"""Values of messages that hold what was written."""
_ABSENT = ("missing", "union_tag_not_found")
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


def shortened(given: object, most: int = 40) -> str:
    """Return what was given in a few letters."""
    shown = str(given) if not isinstance(given, bool) else str(given).lower()
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def _fields(model: type[BaseModel], location: Location) -> list[str]:
    """Return the field names that a model knows at a location, through lists and unions."""
    models: list[type[BaseModel]] = [model]
    for part in location:
        if not isinstance(part, str):
            continue
        fields = [model.model_fields[part] for model in models if part in model.model_fields]
        tagged = [model for model in models if _tag(model) == part]
        if fields:
            models = [inner for field in fields for inner in _models(field.annotation)]
        elif tagged:
            models = tagged
    return [name for model in models for name in model.model_fields]


def _tag(model: type[BaseModel]) -> str | None:
    kind = model.model_fields.get("type")
    return next(iter(get_args(kind.annotation)), None) if kind else None


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (Annotated, Union, UnionType, tuple, list):
        return [model for argument in get_args(annotation) for model in _models(argument)]
    return []
