"""The workspace's own notebooks: every one with a cell of parameters, by the name of its file."""

from __future__ import annotations

import copy
import io
import json
import os
import re
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Self, cast

from pydantic import BeforeValidator, Field, create_model

from opslab import workspace
from opslab.errors import InputError, ParameterError, Problem
from opslab.messages import one_line
from opslab.parameters import Inputs, Parameters
from opslab.runs.cells import is_injected, is_own
from opslab.runs.folder import machine_errors
from opslab.runs.parameters_cell import values_in

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,59}", re.ASCII)
"""Of a notebook: it names a folder and stands in commands."""
_RUN_FOLDER = re.compile(r"\d{4}-\d\d-\d\d-[0-9a-f]{8}(\.failed)?", re.ASCII)
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.+?)[ \t#]*$", re.MULTILINE)
_SECRET = re.compile("token|secret|passw|credential|api_?key")
_OPTIONS = {"out", "force"}
"""Of `opslab.run`."""
_LARGEST = 50_000_000
"""Bytes of a notebook's file: what its page may show is less."""


@dataclass(frozen=True)
class Own:
    """A notebook of the workspace, as its file tells of it.

    Attributes
    ----------
    name : str
        The file's, without its ending.
    file : Path
    title : str
        Its first heading, else its name.
    origin : str or None
        The notebook that it was copied from, whose typed parameters it keeps.
    values : Mapping
        Names and literals of its parameters cell.
    meanings : Mapping
        What the comments behind them say.
    """

    name: str
    file: Path
    title: str
    origin: str | None
    values: Mapping[str, Any]
    meanings: Mapping[str, str]

    def model(self, base: type[Parameters] | None = None) -> type[Parameters]:
        """Return the class of its parameters, whose defaults are what stands in the cell.

        Parameters
        ----------
        base : type of Parameters, optional
            That of the notebook it was copied from.
        """
        base = base or _Dated
        fields: dict[str, Any] = {}
        for name, value in self.values.items():
            known = base.model_fields.get(name)
            if known is None:
                fields[name] = (_kind(value), Field(value, description=self.meanings.get(name)))
            elif value not in ("", None):
                known = copy.copy(known)
                known.default = value
                fields[name] = (known.annotation, known)
        bases: Any = (_NamesFiles, base)
        return cast("type[Parameters]", create_model(self.name, __base__=bases, **fields))


class _Dated(Parameters):
    """The parameters of a notebook that was written from nothing."""

    def stands_on(self) -> Inputs:
        """Return the run's name and day."""
        if self.as_of is None:
            raise ParameterError.of("runs.own_as_of", field="as_of")
        return Inputs(workspace.slug(type(self).__name__), self.as_of, ())


class _NamesFiles(Parameters):
    """Parameters of which one may be called ``inputs``: the files that the notebook reads."""

    @classmethod
    def of(cls, /, **given: Any) -> Self:
        """Return the parameters: what is given, else what stands in the cell."""
        fields = cls.model_fields
        stated = {
            name: it for name, it in given.items() if it not in ("", None) or name not in fields
        }
        return super().of(**{name: field.default for name, field in fields.items()} | stated)

    def stands_on(self) -> Inputs:
        """Return what the base names, and the files of ``inputs``."""
        given: Any = getattr(self, "inputs", ())
        named = [given] if isinstance(given, str) and given else [*given]
        files = [workspace.resolve(name) for name in named]
        problems = [
            Problem(f"runs.own_{'folder' if workspace.is_there(file) else 'input'}", values, name)
            for name, file in zip(named, files, strict=True)
            if not workspace.is_there(file, file=True)
            for values in [{"near": workspace.near_name(file)}]
        ]
        ParameterError.refuse(problems)
        known = super().stands_on()  # type: ignore[safe-super]
        return replace(known, files=tuple(dict.fromkeys([*known.files, *files])))


def files() -> list[Path]:
    """Return the notebook files of the workspace, whatever they hold.

    Hidden folders, the reports and virtual environments are none of its own; links to folders are
    not followed.
    """
    root = workspace.root()
    if not (os.environ.get(workspace.VARIABLE) or (root / workspace.MARKER).is_file()):
        return []
    notebooks: list[Path] = []
    for folder, inside, names in os.walk(root):
        here = Path(folder)
        inside[:] = [name for name in sorted(inside) if _is_own_folder(here / name, root)]
        notebooks += (here / name for name in sorted(names) if _is_notebook(name))
    return notebooks


def _is_notebook(name: str) -> bool:
    return name.endswith(".ipynb") and not name.startswith(".")


def _is_own_folder(folder: Path, root: Path) -> bool:
    if folder.name.startswith(".") or folder.name in {"node_modules", "site-packages"}:
        return False
    if folder in {root / "reports", workspace.reports()} or _RUN_FOLDER.fullmatch(folder.name):
        return False
    return not (folder / "pyvenv.cfg").exists()


def read(file: Path, *, named: bool = False) -> Own | None:
    """Return what a notebook's file tells of it; None for one without a cell of parameters.

    What papermill has executed is none either, as it is the copy of another: unless it is named.
    Raises `InputError` with the reason why it cannot be run.
    """
    shown = workspace.shown(file)
    with machine_errors(file):
        if not file.resolve().is_relative_to(workspace.root().resolve()):
            raise InputError.of("runs.own_link", file=file.name)
        if file.stat().st_size > _LARGEST:
            raise InputError.of("runs.own_large", file=shown)
        content = file.read_bytes()
    if b'"parameters"' not in content or (not named and b'"injected-parameters"' in content):
        return None
    try:
        notebook = json.loads(content)
        whole = isinstance(notebook["metadata"], dict)
        cells = [cell for cell in notebook["cells"] if is_own(cell)]
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        whole, cells = False, []
    if not whole:
        raise InputError.of("runs.no_notebook", file=shown)
    return of(notebook, file) if cells else None


def of(notebook: Any, file: Path, name: str | None = None) -> Own:
    """Return what a notebook tells of itself, its name by default that of its file.

    Raises `InputError` with the reason why it cannot be run.
    """
    name, shown = name or file.stem, workspace.shown(file)
    if not NAME.fullmatch(name):
        raise InputError.of("runs.own_name", file=shown)
    spoken = {_kernel(notebook["metadata"], *keys) for keys in _KERNELS} - {"", "python"}
    if spoken:
        raise InputError.of("runs.own_kernel", file=shown, kernel=min(spoken))
    cells = [cell for cell in notebook["cells"] if is_own(cell) and not is_injected(cell)]
    try:
        values = values_in({"cells": cells})
    except InputError:
        values = None
    if values is None or len(cells) != 1:
        raise InputError.of("runs.own_cell", file=shown)
    InputError.refuse([*_refused(values, shown)])
    meanings = _comments("".join(cells[0]["source"]))
    mark = notebook["metadata"].get("opslab")
    mark = mark if isinstance(mark, dict) else {}
    origin = mark.get("from") or mark.get("notebook")
    title = title_of(notebook) or name
    return Own(name, file, title, origin and str(origin), values, meanings)


_KERNELS = (("kernelspec", "language"), ("language_info", "name"))


def _kernel(metadata: Mapping[str, Any], group: str, name: str) -> str:
    about = metadata.get(group)
    return str(about.get(name, "")).casefold() if isinstance(about, dict) else ""


def _refused(values: Mapping[str, Any], file: str) -> Iterator[Problem]:
    for name, value in values.items():
        reserved = hasattr(Parameters, name) and name not in Parameters.model_fields
        if reserved or name in _OPTIONS or name.startswith("_"):
            yield Problem("runs.own_reserved", {"name": name}, file)
        elif _SECRET.search(name.casefold()):
            yield Problem("runs.own_secret", {"name": name}, file)
        elif _kind(value) is None:
            yield Problem("runs.own_kind", {"name": name}, file)
        elif name == "inputs" and not isinstance(value, str | list):
            yield Problem("runs.own_inputs", {}, file)


def _kind(value: Any) -> Any:
    """Return what a parameter may be by the literal in its cell; None for what none can be."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return Annotated[list[str], BeforeValidator(_parted)]
    return type(value) if type(value) in {str, int, float, bool} else None


def _parted(given: object) -> object:
    """Return a list as a command gives it: between commas."""
    return [part.strip() for part in given.split(",")] if isinstance(given, str) else given


def _comments(source: str) -> dict[str, str]:
    """Return the comment behind each name that a line of a parameters cell starts with."""
    meanings, name = dict[str, str](), ""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NAME and token.start[1] == 0:
            name = token.string
        elif token.type == tokenize.COMMENT and token.start[1] > 0:
            meanings.setdefault(name, token.string.lstrip("# "))
    return meanings


def title_of(notebook: Any) -> str:
    """Return the first heading of a notebook as plain text; empty where it has none."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            heading = _HEADING.search("".join(cell["source"]))
            if heading:
                return one_line(re.sub(r"[*`]+", "", heading[1]))[:120].strip()
    return ""
