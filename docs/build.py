"""Write docs/reference.md from the code: commands, notebooks, specs, Python, terms."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from opslab.cli import main
from opslab.messages import catalogue
from opslab.parameters import Parameters
from opslab.results import Result
from opslab.runs.registry import notebooks, spec, specs
from opslab.specs import Declared, FromFile

PAGE = Path(__file__).with_name("reference.md")
FACES = (
    "opslab",
    "opslab.experiments",
    "opslab.feedback",
    "opslab.timesaved",
    "opslab.operations",
    "opslab.businesscase",
    "opslab.tables",
    "opslab.uncertainty",
    "opslab.report",
    "opslab.runs",
)
"""Packages with public names, as a notebook imports them."""


def reference() -> str:
    """Return the page."""
    parts = ["# Reference\n\nMade from the code by `make docs`.\n\n## Commands\n", commands()]
    for notebook in notebooks().values():
        parts.append(
            f"\n## Notebook `{notebook.name}`\n\n{notebook.summary}.\nGives: {notebook.gives}.\n"
        )
        rows = [
            (f"`{name}`", str(field.description), shown(field.default))
            for name, field in notebook.parameters().model_fields.items()
        ]
        parts.append(table(("parameter", "meaning", "default"), rows))
    for name in specs():
        schema = spec(name).model_json_schema()
        parts.append(
            f"\n## Spec `{name}`\n\n`opslab schema {name}` prints it as JSON schema, for editors.\n"
        )
        models = schema.get("$defs", {})
        parts.append(fields(schema, models))
        for title, model in models.items():
            parts.append(f"\n### {title}\n\n{model.get('description', '').splitlines()[0]}\n")
            parts.append(fields(model, models))
    parts += map(python, FACES)
    parts += [every_result(), terms()]
    return "\n".join(parts) + "\n"


def commands() -> str:
    """Return every command with its own help."""
    context = click.Context(main, info_name="opslab")
    rows = []
    for name in main.list_commands(context):
        command = main.commands[name]
        usage = " ".join(command.collect_usage_pieces(click.Context(command)))
        rows.append((f"`opslab {name} {usage}`", " ".join((command.help or "").split())))
    return table(("command", "what it does"), rows)


def fields(model: dict[str, Any], models: dict[str, Any]) -> str:
    """Return the fields of one model."""
    needed = set(model.get("required", []))
    rows = []
    for name, field in model.get("properties", {}).items():
        default = "required" if name in needed else shown(field.get("default"))
        rows.append((f"`{name}`", kind(field), default, meaning(field, model, models)))
    return table(("field", "type", "default", "meaning"), rows)


def meaning(field: dict[str, Any], model: dict[str, Any], models: dict[str, Any]) -> str:
    """Return what a field means: its own words, else those of what it holds.

    The field that says which kind something is, is told in the words of that kind.
    """
    if "description" in field:
        return " ".join(field["description"].split())
    if "const" in field:
        return sentence(model["description"])
    held = field.get("items", field)
    names = [option.get("$ref", "") for option in held.get("anyOf", [held])]
    return next(
        (sentence(models[name.rpartition("/")[2]]["description"]) for name in names if name), ""
    )


def sentence(words: str | None) -> str:
    """Return the first sentence of a docstring, without its full stop and its marks of code."""
    first = " ".join(inspect.cleandoc(words or "").split("\n\n")[0].split())
    return re.sub(
        r"`{1,2}([^`]+)`{1,2}", r"`\1`", re.split(r"(?<=\w)\.(?= [A-Z])", first)[0]
    ).rstrip(".")


def python(face: str) -> str:
    """Return the public names of a package: how each is called, and what it does."""
    module = import_module(face)
    rows = []
    for name in dir(module):
        thing = getattr(module, name)
        rows.append((f"`{name}{signature(thing)}`", about(thing)))
        rows += [(f"`{name}.{method}`", words) for method, words in methods(thing)]
    return f"\n## Python `{face}`\n\n{sentence(module.__doc__)}.\n\n" + table(
        ("name", "what it is"), rows
    )


def about(thing: Any) -> str:
    """Return the first sentence of what a name stands for, and where more of it is told."""
    if isinstance(thing, ModuleType):
        return f"{sentence(thing.__doc__)}: see `{thing.__name__}` below"
    if inspect.isclass(thing) and issubclass(thing, Parameters):
        return f"{sentence(thing.__doc__)}: its fields are the notebook's parameters, above"
    if inspect.isclass(thing) and issubclass(thing, FromFile):
        return f"{sentence(thing.__doc__)}: its fields are those of the spec, above"
    if inspect.isclass(thing) and issubclass(thing, Declared):
        names = ", ".join(f"`{name}`" for name in thing.model_fields)
        return f"{sentence(thing.__doc__)}: {names}"
    return sentence(inspect.getdoc(thing))


def signature(thing: Any) -> str:
    """Return how a function or a class is called; empty for what is not called."""
    if isinstance(thing, ModuleType) or not callable(thing):
        return ""
    if inspect.isclass(thing) and issubclass(thing, Declared):
        return "(**fields)"
    if inspect.isclass(thing) and issubclass(thing, Result):
        return ""  # made by the area's function
    try:
        called = inspect.signature(thing)
    except (TypeError, ValueError):
        return ""
    parameters = [
        parameter.replace(annotation=written(parameter.annotation))
        for name, parameter in called.parameters.items()
        if name != "self" and not name.startswith("_")
    ]
    back = written(called.return_annotation)
    back = called.empty if inspect.isclass(thing) else back
    return bare(str(called.replace(parameters=parameters, return_annotation=back)))


def written(annotation: Any) -> Any:
    """Return an annotation as the code writes it."""
    return annotation if annotation is inspect.Signature.empty else Written(annotation)


class Written(str):
    """What `inspect` shows as it is, without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def bare(shown: str) -> str:
    """Return a signature without what only computers need."""
    return re.sub(r"<factory>|<\w+ .*? at 0x\w+>", "…", " ".join(shown.split()))


def methods(thing: Any) -> Iterator[tuple[str, str]]:
    """Give the public methods and properties that a class brings, and what each does.

    Those that every result has stand in a section of their own.
    """
    if not inspect.isclass(thing) or issubclass(thing, Parameters):
        return
    known = {*dir(FromFile), *dir(tuple)} - {"load"}
    for name in getattr(thing, "PARTS", ()):
        yield name, "a part: it shows itself in a cell, in a terminal and on the page"
    known |= set(dir(Result)) if issubclass(thing, Result) and thing is not Result else set()
    for name in sorted({*dir(thing)} - known):
        member = inspect.getattr_static(thing, name)
        if name.startswith("_") or not hasattr(member, "__doc__"):
            continue
        bound = getattr(thing, name, None)
        if (
            not issubclass(thing, Result)
            and "----" not in (inspect.getdoc(bound) or "")
            and (not isinstance(member, property) and name != "load")
        ):
            continue  # for who builds on it: the code tells it
        if inspect.isfunction(member) or isinstance(member, classmethod | staticmethod):
            yield f"{name}{signature(bound)}", sentence(inspect.getdoc(bound))
        elif isinstance(member, property) or type(member).__name__ == "cached_property":
            yield name, sentence(inspect.getdoc(member))


def every_result() -> str:
    """Return what results of all areas offer."""
    rows = [(f"`result.{method}`", words) for method, words in methods(Result)]
    head = f"\n## Every result\n\n{sentence(Result.__doc__)}; each area adds its own.\n\n"
    return head + table(("name", "what it is"), rows)


def terms() -> str:
    """Return the explanations: what `result.explain` says of columns, checks and terms."""
    said = catalogue("en", "explain")
    head = '\n## Terms\n\nWhat `result.explain("p_value")` says, in the result\'s language.\n\n'
    return head + table(
        ("term", "what it means"), [(f"`{name}`", said[name]) for name in sorted(said)]
    )


def shown(default: Any) -> str:
    """Return a default as a reader writes it in YAML."""
    if default is None or default == [] or isinstance(default, dict):
        return ""
    return f"`[{', '.join(map(str, default))}]`" if isinstance(default, list) else f"`{default}`"


def kind(field: dict[str, Any]) -> str:
    """Return a field's type in a few words."""
    if "enum" in field or "const" in field:
        return ", ".join(f"`{value}`" for value in field.get("enum", [field.get("const")]))
    for union in ("anyOf", "oneOf"):
        if union in field:
            return " or ".join(kind(other) for other in field[union] if other.get("type") != "null")
    if "$ref" in field:
        return field["$ref"].rpartition("/")[2]
    if field.get("type") == "array":
        return f"list of {kind(field.get('items', {}))}"
    if field.get("type") == "object":
        return "`{en, fr}`" if {"en", "fr"} == set(field.get("properties", ())) else "mapping"
    return {"string": "text", "number": "number", "integer": "whole number"}.get(
        field.get("type", ""), "text"
    )


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    cells = [head, tuple("---" for _ in head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells
    )


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
    print(PAGE)
