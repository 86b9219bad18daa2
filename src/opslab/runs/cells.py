"""The cells of a notebook, told apart by their tags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_EXPLORATION = {"explore", "skip-execution"}
_LONGEST_LINE = 60


def is_own(cell: Mapping[str, Any]) -> bool:
    """Whether this is the notebook's own cell of parameters."""
    return "parameters" in _tags(cell)


def is_injected(cell: Mapping[str, Any]) -> bool:
    """Whether this is the cell that papermill has put in, with the values given."""
    return "injected-parameters" in _tags(cell)


def is_exploration(cell: Mapping[str, Any]) -> bool:
    """Whether a cell is for the one who works in the notebook: no part of a run or its readout.

    ``skip-execution`` is the tag that nbclient, and so papermill, passes over.
    """
    return not _EXPLORATION.isdisjoint(_tags(cell))


def drop_exploration(notebook: Any) -> None:
    """Take the cells of exploration out of a notebook."""
    notebook.cells = [cell for cell in notebook.cells if not is_exploration(cell)]


def first_line(cell: Mapping[str, Any]) -> str:
    """Return the first line of a cell that is not empty, cut to what a message can hold."""
    lines = "".join(cell["source"]).split("\n")
    line = next((line.strip() for line in lines if line.strip()), "")
    return line if len(line) <= _LONGEST_LINE else f"{line[: _LONGEST_LINE - 1]}…"


def _tags(cell: Mapping[str, Any]) -> Any:
    return cell["metadata"].get("tags", [])
