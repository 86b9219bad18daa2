"""The cell of a notebook that holds its parameters, read and written as text: it is never run."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from itertools import chain
from typing import Any

from opslab.errors import InputError
from opslab.runs.cells import is_injected, is_own


def with_values(source: str, parameters: Mapping[str, Any]) -> str:
    """Return the source of a parameters cell with the values given; its comments stay."""
    lines = source.split("\n")
    for node in reversed(ast.parse(source).body):
        match node:
            case ast.Assign(targets=[ast.Name(id=name), *_], value=value) if name in parameters:
                first, last = value.lineno - 1, value.end_lineno or value.lineno
                before = lines[first].encode()[: value.col_offset]  # ast counts UTF-8 bytes
                after = lines[last - 1].encode()[value.end_col_offset :]
                literal = _literal(parameters[name]).encode()
                lines[first:last] = [(before + literal + after).decode()]
    return "\n".join(lines)


def _literal(value: Any) -> str:
    is_text = isinstance(value, str | list)
    return json.dumps(value, ensure_ascii=False) if is_text else repr(value)


def values_in(notebook: Any) -> dict[str, Any]:
    """Return the parameters that a notebook ran with: its own cell's, then those injected.

    Raises `InputError` where there is not one cell of its own, or where such a cell holds anything
    but ``name = value`` lines.
    """
    cells = [cell for cell in notebook["cells"] if is_own(cell) or is_injected(cell)]
    if sum(map(is_own, cells)) != 1:
        raise InputError.of("runs.parameters_cell")
    try:
        lines = chain(*(ast.parse("".join(cell["source"])).body for cell in cells))
        return dict(map(_assigned, lines))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):  # all that ast raises
        raise InputError.of("runs.parameters_cell") from None


def _assigned(line: ast.stmt) -> tuple[str, Any]:
    match line:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return name, ast.literal_eval(value)
    raise ValueError(ast.unparse(line))
