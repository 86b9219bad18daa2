"""Why a notebook did not come to its end, and what is said of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opslab.errors import OpslabError, Problem, RunError, exit_code_of


@dataclass(frozen=True)
class Failure:
    """Why a notebook did not come to its end.

    Attributes
    ----------
    kind : str
        ``error``, ``kernel_died``, ``cell_timeout``, ``deadline``, ``interrupted``,
        ``not_finished`` or ``no_record``.
    cell : int or None
        Number of the cell at work, from 0; none was yet where it is negative.
    name, text : str
        Class and text of the error in the kernel, or the kernel's last words.
    """

    kind: str
    cell: int | None = None
    name: str = ""
    text: str = ""

    @property
    def exit_code(self) -> int:
        """What the command ends with: the class of an error in a cell decides."""
        if self.kind == "error":
            return exit_code_of(self.name)
        return 1 if self.kind == "no_record" else RunError.exit_code

    def problems(self, notebook: Any) -> list[Problem]:
        """Return what is said of it; an error of ours, or of the user's, speaks for itself."""
        at_work = self.cell is not None and self.cell >= 0
        cell = notebook.cells[self.cell]["id"] if at_work else "-"
        if self.kind != "error":
            return [Problem(f"runs.{self.kind}", {"cell": cell, "reason": self.text})]
        lines = [line for line in self.text.splitlines() if line.strip()] or [self.name]
        if self.exit_code != 1:
            return [Problem("runs.reason", {"reason": line}) for line in lines]
        values = {"cell": cell, "name": self.name, "reason": lines[0]}
        return [Problem("runs.error", values)]


class NotebookError(OpslabError):
    """A notebook that did not come to its end.

    Attributes
    ----------
    exit_code : int
    folder : Path
        What the run got.
    """

    def __init__(self, *problems: Problem, exit_code: int, folder: Path) -> None:
        super().__init__(*problems)
        self.exit_code = exit_code
        self.folder = folder
