"""What can go wrong, told to the analyst: where, what, and what to do.

One root, `OpslabError`; the class decides the exit code, in the kernel of a notebook too.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from opslab.messages import Language, catalogue, one_line, text


@dataclass(frozen=True)
class Problem:
    """One thing to correct: a message, and where it is to be done.

    Attributes
    ----------
    key : str
        The message, ``area.name`` in the catalogue; its twin ``…_near``, if any, with a value
        ``near``.
    values : Mapping[str, Any]
        What the message names.
    file : str or None
        The file as the user named it.
    line : int or None
        The line in that file, from 1.
    field : str or None
        The field in a spec (``metrics[1].type``) or the column in a table.
    row : int or None
        The row of a table as the user sees it: of a file its line or row in an editor or a
        spreadsheet, headings and empty ones counted; of a frame or Parquet file its row, from 1.
    cell : str or None
        What stands in the cell, as it is written.
    """

    key: str
    values: Mapping[str, Any] = field(default_factory=dict)
    file: str | None = None
    line: int | None = None
    field: str | None = None
    row: int | None = None
    cell: str | None = None

    def __post_init__(self) -> None:
        area, _, name = self.key.partition(".")
        if self.values.get("near") and f"{name}_near" in catalogue("en", area):
            object.__setattr__(self, "key", f"{self.key}_near")

    def text(self, language: Language = "en") -> str:
        """Return where it is and the message in one line."""
        where = [one_line(self.file)] if self.file else []
        if self.line is not None:
            where.append(text("errors.line", language, line=self.line))
        if self.row is not None:
            where.append(text("errors.row", language, row=self.row))
        if self.field:
            where.append(one_line(self.field))
        if self.cell:
            where[-1] += f" {text('errors.cell', language, cell=self.cell)}"
        message = text(self.key, language, **self.values)
        if not where:
            return message
        return text("errors.placed", language, place=", ".join(where), message=message)


CHECK_FAILED = 3
"""Exit code of a complete readout whose blocking check is red: a result, not an error."""

ON_BLOCKING = "OPSLAB_ON_BLOCKING"
"""Environment variable: ``raise`` lets a notebook end in an error when a blocking check is red."""


LANGUAGE = "OPSLAB_LANGUAGE"
"""Environment variable: the language in which errors speak by themselves, as in a kernel."""


class OpslabError(Exception):
    """The root of all errors that opslab raises on purpose.

    Attributes
    ----------
    exit_code : int
        What a command ends with: 2 the user can correct it, 3 a blocking check is red, 4 a run was
        cut short, 5 the environment.
    problems : tuple of Problem
    """

    exit_code: int = 1

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__(self.text("fr" if os.environ.get(LANGUAGE) == "fr" else "en"))

    def __reduce__(self) -> tuple[type[OpslabError], tuple[Problem, ...]]:
        """Keep the problems when the error crosses a process."""
        return type(self), self.problems

    @classmethod
    def of(
        cls,
        key: str,
        *,
        file: str | None = None,
        line: int | None = None,
        field: str | None = None,
        **values: Any,
    ) -> Self:
        """Return the error with a single problem."""
        return cls(Problem(key, values, file, line, field))

    @classmethod
    def refuse(cls, problems: Sequence[Problem]) -> None:
        """Raise the error with all problems, if there are any."""
        if problems:
            raise cls(*problems)

    def text(self, language: Language = "en") -> str:
        """Return all problems, one a line."""
        return "\n".join(problem.text(language) for problem in self.problems)

    def _render_traceback_(self) -> list[str]:
        """Show the message without a traceback where IPython shows errors (its documented hook)."""
        return [f"{type(self).__name__}: {self}"]


class InputError(OpslabError, ValueError):
    """Something the user must correct."""

    exit_code = 2


class ParameterError(InputError):
    """A parameter of a notebook or an option of a command."""


class SpecError(InputError):
    """A spec: its YAML, a field, or a combination of fields."""


class DataError(InputError):
    """A data file or table."""


class BlockingCheckError(OpslabError):
    """A blocking check is red, and ``OPSLAB_ON_BLOCKING=raise`` asked for an error.

    It is raised by `report.publish`, after the record is attached: the notebook that a scheduler
    saves holds the whole readout.
    """

    exit_code = CHECK_FAILED


class RunError(OpslabError):
    """A run was cut short: a timeout, or a kernel that died."""

    exit_code = 4


class MachineError(OpslabError, OSError):
    """The machine stands in the way: a disk, a permission, a lock."""

    exit_code = 5


class ExtraError(MachineError):
    """What is asked for needs a package that an extra of opslab brings, and it is not installed."""


def exit_code_of(class_name: str) -> int:
    """Return the exit code for an error raised in a kernel, known by its class name alone."""
    return next((kind.exit_code for kind in _kinds(OpslabError) if kind.__name__ == class_name), 1)


def refuse_unknown(names: Iterable[str], known: Collection[str]) -> None:
    """Raise a `ParameterError` with every name that is none of those known."""
    ParameterError.refuse(
        [
            Problem(
                "explore.unknown",
                {"name": name, "near": did_you_mean(name, known), "known": [*dict.fromkeys(known)]},
            )
            for name in sorted(names)
            if name not in known
        ]
    )


def did_you_mean(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the known name closest to the one given, or None.

    Examples
    --------
    >>> did_you_mean("varient", ["variant", "country"])
    'variant'
    """
    lowered = {other.casefold(): other for other in reversed(list(known))}
    close = difflib.get_close_matches(name.casefold(), lowered, n=1, cutoff=cutoff)
    return lowered[close[0]] if close else None


def no_such(name: str, known: Iterable[str]) -> str:
    """Return what a `KeyError` tells of a name that there is not."""
    near = did_you_mean(name, known)
    return f"There is no {name!r} here." + (f" Did you mean {near!r}?" if near else "")


def _kinds(kind: type[OpslabError]) -> Iterable[type[OpslabError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _kinds(child)
