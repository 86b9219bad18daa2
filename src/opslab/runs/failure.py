"""Why a notebook did not come to its end, and what is said of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from opslab import workspace
from opslab.errors import InputError, OpslabError, Problem, RunError, exit_code_of
from opslab.messages import Language, one_line, text
from opslab.runs.cells import first_line, is_injected

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_FRAME = re.compile(r"(?:Cell In.*?, line |File (?P<file>.+?):)(?P<line>\d+)")
_ARROW = re.compile(r"^-+> *\d+ ")
_MOST_FRAMES = 8


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
    theirs : bool
        Whether the cells are the user's own, and so are the errors in them.
    frames : tuple of Problem
        Where in the user's own cells and modules the error came from, the innermost last.
    """

    kind: str
    cell: str = "-"
    name: str = ""
    text: str = ""
    theirs: bool = False
    frames: tuple[Problem, ...] = ()

    def in_own(self, notebook: Any) -> Failure:
        """Return the failure of a notebook whose cells are the user's own.

        The cell is named as its author knows it, by its number and its first line.
        """
        code = [it for it in notebook.cells if it.cell_type == "code" and not is_injected(it)]
        number, cell = next((it for it in enumerate(code, 1) if it[1].id == self.cell), (0, None))
        if cell is None:
            return replace(self, theirs=True)
        traceback = [part for output in cell.outputs for part in output.get("traceback", ())]
        frames = [*filter(None, map(_frame, traceback))]
        named = f"{number} ({first_line(cell)})"
        return replace(self, cell=named, theirs=True, frames=tuple(frames[-_MOST_FRAMES:]))

    @property
    def exit_code(self) -> int:
        """What the command ends with: the class of an error in a cell decides."""
        if self.kind not in {"error", "no_record"}:
            return RunError.exit_code
        code = exit_code_of(self.name)
        return InputError.exit_code if code == 1 and self.theirs else code

    def problems(self) -> list[Problem]:
        """Return what is said of it; an error that was raised on purpose speaks for itself."""
        lines = [line for line in self.text.splitlines() if line.strip()] or [self.name]
        if self.kind == "error" and exit_code_of(self.name) != 1:
            return [Problem("runs.reason", {"reason": line}) for line in lines]
        values = {"cell": self.cell, "name": self.name, "reason": lines[0]}
        return [Problem(f"runs.{self.kind}", values), *self.frames]


def _frame(part: str) -> Problem | None:
    """Return a frame of a traceback, as IPython writes it; None for code of somebody else's."""
    first, *lines = _ANSI.sub("", part).strip().splitlines() or [""]
    frame, where = _FRAME.match(first), ""
    if frame and frame["file"]:
        path = Path(frame["file"]).expanduser().resolve()
        inside = path.is_relative_to(workspace.root().resolve()) and path.is_file()
        if inside and "site-packages" not in path.parts:
            where = workspace.shown(path)
    if frame is None or (frame["file"] and not where):
        return None
    code = next((line for line in lines if line.startswith("-")), lines[0] if lines else "")
    values = {"reason": one_line(_ARROW.sub("", code).strip())}
    return Problem("runs.reason", values, where, int(frame["line"]))


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
