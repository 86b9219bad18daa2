"""Notebook files: read with the same care and written the same way each time."""

from __future__ import annotations

import copy
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from opslab import workspace
from opslab.errors import InputError, MachineError
from opslab.evidence import READ_TYPE
from opslab.runs import own_notebooks
from opslab.runs.cells import drop_exploration, is_exploration, is_injected, is_own
from opslab.runs.job import json_of, source_digest
from opslab.runs.registry import Notebook
from opslab.startup import without_iri_grammar

with without_iri_grammar():
    import nbformat

_ERROR_MARK = "papermill-error-cell-tag"
_ASKS = f"""try:
    from IPython.display import display
    from opslab.provenance import files_read
    display({{{READ_TYPE!r}: files_read()}}, raw=True)
except Exception:
    pass"""
_DEEPEST = 100  # of lists and mappings inside one another
_HALVES = re.compile("[\ud800-\udfff]")  # of characters that UTF-16 writes as two


def read(path: Path) -> Any:
    """Read a notebook of format 4; raises `InputError` for a file that is none by its schema.

    What is nested deeper than any notebook, or what no file can hold, is none either.
    """
    content = json_of(path)
    if not _is_plain(content):
        raise InputError.of("runs.no_notebook", file=str(path))
    try:
        for number, cell in enumerate(content["cells"]):
            cell.setdefault("id", f"cell-{number}")  # formats before 4.5 know none
        content["nbformat_minor"] = max(content["nbformat_minor"], 5)
        notebook = nbformat.from_dict(content)
        nbformat.validate(notebook, version=4)
        return nbformat.v4.rwbase.rejoin_lines(notebook)
    except (nbformat.ValidationError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError.of("runs.no_notebook", file=str(path)) from None


def ask(notebook: Any) -> None:
    """Let a notebook say at its end what it has read: one that publishes nothing does not tell."""
    notebook.cells.append(nbformat.v4.new_code_cell(_ASKS, metadata={"tags": ["explore"]}))


def take_answer(executed: Any) -> None:
    """Put what was asked for beside what papermill noted, as ``read``."""
    asked = [output for cell in executed.cells if is_exploration(cell) for output in cell.outputs]
    drop_exploration(executed)
    read = [output["data"][READ_TYPE] for output in asked if "data" in output]
    executed.metadata.setdefault("papermill", {})["read"] = read[0] if read else None


def drop_error_marks(notebook: Any) -> None:
    """Take out the cells in which papermill says that another one failed."""
    notebook.cells = [
        cell
        for cell in notebook.cells
        if cell.cell_type != "markdown" or _ERROR_MARK not in cell.metadata.get("tags", [])
    ]


def _is_plain(content: Any) -> bool:
    """Whether JSON can be copied and written: not too deep, and made of whole characters."""
    level = [content]
    for _ in range(_DEEPEST):
        inside: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                inside += (*value, *value.values())
            elif isinstance(value, list):
                inside += value
            elif isinstance(value, str) and _HALVES.search(value):
                return False
        level = inside
    return not level


def written(notebook: Any) -> bytes:
    """Return the bytes of a notebook's file, the same each time."""
    return f"{nbformat.writes(notebook)}\n".encode()


def as_written(executed: Any, notebook: Notebook) -> Any:
    """Return an executed notebook with the ids and the parameters cell of the one it is a copy of.

    Neither is part of a run's identity, so neither may make a difference in what is filed. The
    notebook that the package brings comes before the workspace's own, whose parameters an analyst
    may have edited. One whose other cells were changed stays as it is: it is another run.
    """
    digest = source_digest(executed)
    path = f"notebooks/{notebook.name}.ipynb"
    ours = [workspace.bundled(path), workspace.resolve(path)]
    own = [file for file in own_notebooks.files() if file.stem == notebook.name]
    for file in own if notebook.file else ours:
        with suppress(InputError, MachineError):  # it may be no notebook, or gone
            written = read(file)
            drop_exploration(written)
            if source_digest(written) == digest and sum(map(is_own, executed.cells)) == 1:
                return _with_cells(executed, written.cells)
    return executed


def _with_cells(executed: Any, written: list[Any]) -> Any:
    notebook = copy.deepcopy(executed)
    given = next(filter(is_own, notebook.cells))
    others = (cell for cell in notebook.cells if not is_own(cell) and not is_injected(cell))
    written = [cell for cell in written if not is_injected(cell)]
    notebook.cells = [given if is_own(cell) else next(others) for cell in written]
    for cell, model in zip(notebook.cells, written, strict=True):
        cell.update(source=model.source, id=model.id)
    return notebook
