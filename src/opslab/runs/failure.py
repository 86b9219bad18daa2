"""Why a notebook did not come to its end, and what is said of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from opslab import workspace
from opslab.errors import InputError, OpslabError, Problem, RunError, exit_code_of
from opslab.messages import Language, one_line, text
from opslab.runs.cells import first_line, numbered

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_FRAME = re.compile(r"(?:Cell In\[(?P<cell>\d+)\], line |File (?P<file>.+?):)(?P<line>\d+)")
_ARROW = re.compile(r"^-+> *\d+ (?P<code>.*)$", re.MULTILINE)
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
        numbers, named = numbered(notebook), self.cell
        counts = dict[int, int]()
        frames: list[Problem] = []
        for cell in notebook.cells:
            if cell.get("execution_count") and cell.id in numbers:
                counts[cell.execution_count] = numbers[cell.id]
            if cell.id == self.cell:
                named = f"{numbers.get(cell.id, '-')} ({first_line(cell)})"
                for output in cell.get("outputs", []):
                    frames += _frames(output.get("traceback", []), counts)
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
        reason, *more = [line for line in self.text.splitlines() if line.strip()] or [self.name]
        if self.kind == "error" and exit_code_of(self.name) != 1:
            return [Problem("runs.reason", {"reason": line}) for line in (reason, *more)]
        values = {"cell": self.cell, "name": self.name, "reason": reason}
        return [Problem(f"runs.{self.kind}", values), *self.frames]


def _frames(traceback: Iterable[str], counts: Mapping[int, int]) -> Iterator[Problem]:
    """Yield where a traceback, as IPython writes it, goes through the user's cells and modules."""
    for part in traceback:
        plain = _ANSI.sub("", part).strip()
        frame, arrow = _FRAME.match(plain), _ARROW.search(plain)
        lines = plain.splitlines()
        code = arrow["code"] if arrow else lines[1] if len(lines) > 1 else ""
        if frame is None:
            continue
        values: dict[str, Any] = {"line": int(frame["line"]), "code": one_line(code.strip())}
        if frame["cell"]:
            number = counts.get(int(frame["cell"]), frame["cell"])
            yield Problem("runs.frame_cell", {"number": number, **values})
        elif _is_own_module(Path(frame["file"]).expanduser()):
            yield Problem("runs.frame_file", {"file": workspace.shown(frame["file"]), **values})


def _is_own_module(file: Path) -> bool:
    inside = file.resolve().is_relative_to(workspace.root().resolve())
    return inside and not {"site-packages", ".venv"}.intersection(file.parts)


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
