"""Write docs/reference.md from the code: commands, parameters of notebooks, fields of specs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from opslab.cli import main
from opslab.runs.registry import notebooks, spec, specs

PAGE = Path(__file__).with_name("reference.md")


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
        parts.append(fields(schema))
        for title, model in schema["$defs"].items():
            parts.append(f"\n### {title}\n\n{model.get('description', '').splitlines()[0]}\n")
            parts.append(fields(model))
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


def fields(model: dict[str, Any]) -> str:
    """Return the fields of one model."""
    needed = set(model.get("required", []))
    rows = []
    for name, field in model.get("properties", {}).items():
        default = "required" if name in needed else shown(field.get("default"))
        rows.append((f"`{name}`", kind(field), default, field.get("description", "")))
    return table(("field", "type", "default", "meaning"), rows)


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
            return " or ".join(kind(one) for one in field[union] if one.get("type") != "null")
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
