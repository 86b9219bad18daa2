"""Notebook files: read with the same care and written the same way each time."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from opslab import workspace
from opslab.runs.job import source_digest
from opslab.runs.parameters_cell import PARAMETERS, holds_parameters
from opslab.startup import without_iri_grammar

with without_iri_grammar():
    import nbformat


def read(path: Path) -> Any:
    """Read a notebook of format 4, checked against the format's schema.

    Raises ValueError for a file that is none, OSError where it cannot be read.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        for number, cell in enumerate(content["cells"]):
            cell.setdefault("id", f"cell-{number}")  # formats before 4.5 know none
        content["nbformat_minor"] = max(content["nbformat_minor"], 5)
        notebook = nbformat.from_dict(content)
        nbformat.validate(notebook, version=4)
        return nbformat.v4.rwbase.rejoin_lines(notebook)
    except (
        nbformat.ValidationError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
    ) as error:
        raise ValueError(str(error)) from None


def written(notebook: Any) -> bytes:
    """Return the bytes of a notebook's file, the same each time."""
    return f"{nbformat.writes(notebook)}\n".encode()


def as_written(executed: Any, name: str) -> Any:
    """Return an executed notebook with the ids and the parameters cell of the one it is a copy of.

    Neither is part of a run's identity, so neither may make a difference in what is filed. The
    notebook that the package brings comes before the workspace's own, whose parameters an analyst
    may have edited. One whose other cells were changed stays as it is: it is another run.
    """
    digest = source_digest(executed)
    path = f"notebooks/{name}.ipynb"
    for file in (workspace.bundled(path), workspace.resolve(path)):
        try:
            written = read(file)
        except (OSError, ValueError):  # none of ours, or none at all
            continue
        if source_digest(written) == digest and sum(map(_is_own, executed.cells)) == 1:
            return _with_cells(executed, written.cells)
    return executed


def _is_own(cell: Any) -> bool:
    """Whether this is the notebook's own cell of parameters, and not one that was put in."""
    return PARAMETERS in cell.metadata.get("tags", [])


def _with_cells(executed: Any, written: list[Any]) -> Any:
    notebook = copy.deepcopy(executed)
    given = next(filter(_is_own, notebook.cells))
    others = (cell for cell in notebook.cells if not holds_parameters(cell))
    notebook.cells = []
    for model in written:
        cell = copy.copy(given) if holds_parameters(model) else next(others)
        cell.update(source=model.source, id=model.id)
        notebook.cells.append(cell)
    return notebook
