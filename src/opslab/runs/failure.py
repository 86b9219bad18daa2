"""Why a notebook did not come to its end, and what is said of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from opslab.errors import OpslabError, Problem, RunError, exit_code_of
from opslab.messages import Language, text


@dataclass(frozen=True)
class Failure:
    """Why a notebook did not come to its end.

    Attributes
    ----------
    kind : str
        ``error``, ``kernel_died``, ``cell_timeout``, ``deadline``, ``interrupted``,
        ``not_finished`` or ``no_record``.
    cell : str
        Id of the cell at work, ``-`` where none was yet.
    name, text : str
        Class and text of the error in the kernel, or the kernel's last words.
    """

    kind: str
    cell: str = "-"
    name: str = ""
    text: str = ""

    @property
    def exit_code(self) -> int:
        """What the command ends with: the class of an error in a cell decides."""
        if self.kind == "error":
            return exit_code_of(self.name)
        return 1 if self.kind == "no_record" else RunError.exit_code

    def problems(self) -> list[Problem]:
        """Return what is said of it; an error that was raised on purpose speaks for itself."""
        reason, *more = [line for line in self.text.splitlines() if line.strip()] or [self.name]
        if self.kind == "error" and self.exit_code != 1:
            return [Problem("runs.reason", {"reason": line}) for line in (reason, *more)]
        values = {"cell": self.cell, "name": self.name, "reason": reason}
        return [Problem(f"runs.{self.kind}", values)]


class NotebookError(OpslabError):
    """A notebook that did not come to its end.

    Attributes
    ----------
    exit_code : int
    folder : Path
        What the run got.
    """

    def __init__(self, *problems: Problem, exit_code: int, folder: Path) -> None:
        self.exit_code = exit_code
        self.folder = folder
        super().__init__(*problems)

    def __reduce__(self) -> Any:
        """Keep all of it when the error crosses a process."""
        make = partial(type(self), exit_code=self.exit_code, folder=self.folder)
        return make, self.problems

    def text(self, language: Language = "en") -> str:
        """Return what went wrong, and where what the run got is."""
        kept = text("runs.what_it_got", language, folder=str(self.folder))
        return f"{super().text(language)}\n{kept}"
