"""The workspace's own notebooks: every one with a cell of parameters, by the name of its file."""

from __future__ import annotations

import copy
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Annotated, Any, Self, cast

from pydantic import BeforeValidator, Field, create_model

from opslab import workspace
from opslab.errors import InputError, ParameterError, Problem
from opslab.messages import one_line
from opslab.parameters import Inputs, Parameters
from opslab.runs.cells import is_own
from opslab.runs.folder import machine_errors
from opslab.runs.parameters_cell import values_in

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,59}", re.ASCII)
"""Of a notebook: it names a folder and stands in commands."""
_RUN_FOLDER = re.compile(r"\d{4}-\d\d-\d\d-[0-9a-f]{8}(\.failed)?", re.ASCII)
_MEANING = re.compile(r"^(\w+) *=.*?\s# *(.+)$", re.MULTILINE)
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
    origin : str
        The notebook that it was copied from, whose typed parameters it keeps.
    values : Mapping
        Names and literals of its parameters cell.
    meanings : Mapping
        What the comments behind them say.
    """

    name: str
    file: Path
    title: str
    origin: str
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
        missing = [
            Problem("runs.own_input", {"near": workspace.near_name(file)}, name)
            for name, file in zip(named, files, strict=True)
            if not workspace.is_there(file, file=True)
        ]
        ParameterError.refuse(missing)
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
        inside[:] = [name for name in sorted(inside) if not _is_left_out(here / name)]
        notebooks += (here / name for name in sorted(names) if fnmatch(name, "[!.]*.ipynb"))
    return notebooks


def _is_left_out(folder: Path) -> bool:
    reports = {workspace.root() / "reports", workspace.reports()}
    is_other = folder.name.startswith(".") or _RUN_FOLDER.fullmatch(folder.name)
    return bool(is_other) or folder in reports or (folder / "pyvenv.cfg").exists()


def read(file: Path) -> Own | None:
    """Return what a notebook's file tells of it; None for one without a cell of parameters.

    Raises `InputError` with the reason why it cannot be run.
    """
    with machine_errors(file):
        if not file.resolve().is_relative_to(workspace.root().resolve()):
            raise InputError.of("runs.own_link", file=file.name)
        if file.stat().st_size > _LARGEST:
            raise InputError.of("runs.own_large", file=workspace.shown(file))
        content = file.read_bytes()
    if b'"parameters"' not in content:
        return None
    try:
        notebook = json.loads(content)
        none = not any(map(is_own, notebook["cells"]))
        return None if none else of(notebook, file)
    except (RecursionError, KeyError, TypeError, AttributeError, json.JSONDecodeError):
        raise InputError.of("runs.no_notebook", file=workspace.shown(file)) from None


def of(notebook: Any, file: Path, name: str = "") -> Own:
    """Return what a notebook tells of itself, its name by default that of its file.

    Raises `InputError` with the reason why it cannot be run.
    """
    name, about, shown = name or file.stem, notebook["metadata"], workspace.shown(file)
    kernel = about.get("kernelspec", {}).get("language", "python")
    kernel = about.get("language_info", {}).get("name", kernel)
    if not NAME.fullmatch(name):
        raise InputError.of("runs.own_name", file=shown)
    if kernel != "python":
        raise InputError.of("runs.own_kernel", file=shown, kernel=kernel)
    cells = [cell for cell in notebook["cells"] if is_own(cell)]
    try:
        values = values_in({"cells": cells})
    except InputError:
        values = {}
    if len(cells) != 1 or not values:
        raise InputError.of("runs.own_cell", file=shown)
    refused = [(key, name) for name, value in values.items() if (key := _refused(name, value))]
    InputError.refuse([Problem(f"runs.own_{key}", {"name": it}, shown) for key, it in refused])
    origin = mark_of(notebook, "from") or mark_of(notebook, "notebook")
    meanings = dict(_MEANING.findall("".join(cells[0]["source"])))
    return Own(name, file, _title(notebook) or name, origin, values, meanings)


def mark_of(notebook: Any, kind: str) -> str:
    """Return what a notebook bears as its name, or as that of the one it was copied ``from``."""
    mark = notebook["metadata"].get("opslab")
    return str(mark.get(kind, "")) if isinstance(mark, dict) else ""


def _refused(name: str, value: Any) -> str | None:
    """Return why there can be no such parameter, if there cannot."""
    known = name in Parameters.model_fields
    if name in _OPTIONS or name.startswith("_") or (hasattr(Parameters, name) and not known):
        return "reserved"
    if _SECRET.search(name.casefold()):
        return "secret"
    kind = _kind(value)
    return "kind" if kind is None or (name == "inputs" and kind in {int, float, bool}) else None


def _kind(value: Any) -> Any:
    """Return what a parameter may be by the literal in its cell; None for what none can be."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return Annotated[list[str], BeforeValidator(_parted)]
    return type(value) if type(value) in {str, int, float, bool} else None


def _parted(given: object) -> object:
    """Return a list as a command gives it: between commas."""
    return [part.strip() for part in given.split(",")] if isinstance(given, str) else given


def _title(notebook: Any) -> str:
    """Return the first heading of a notebook as plain text; empty where it has none."""
    texts = ["".join(it["source"]) for it in notebook["cells"] if it["cell_type"] == "markdown"]
    heading = _HEADING.search("\n".join(texts))
    return one_line(re.sub(r"[*`]+", "", heading[1]))[:120].strip() if heading else ""
