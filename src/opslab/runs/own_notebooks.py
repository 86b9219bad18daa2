"""The workspace's own notebooks: every one with a cell of parameters, by the name of its file."""

from __future__ import annotations

import copy
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Self, cast

from pydantic import BeforeValidator, Field, create_model

from opslab import workspace
from opslab.errors import InputError, MachineError, ParameterError, Problem
from opslab.messages import LANGUAGES, Language, one_line, text
from opslab.parameters import Inputs, Parameters
from opslab.runs.cells import is_own
from opslab.runs.folder import machine_errors
from opslab.runs.parameters_cell import values_in
from opslab.runs.registry import Notebook, load, notebooks, unknown

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


def _model(
    name: str, path: str, values: Mapping[str, Any], meanings: Mapping[str, str]
) -> type[Parameters]:
    """Return the class of a notebook's parameters, whose defaults are what stands in its cell.

    Of a copy of ours, whose class a path names, they are typed as the original's.
    """
    base = load(path) if path else _Dated
    fields: dict[str, Any] = {}
    for given, value in values.items():
        known = copy.copy(base.model_fields.get(given))
        if known is None:
            fields[given] = (_kind(value), Field(value, description=meanings.get(given)))
        elif value not in ("", None):
            known.default = value
            fields[given] = (known.annotation, known)
    bases: Any = (_NamesFiles, base)
    return cast("type[Parameters]", create_model(name, __base__=bases, **fields))


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


def read(file: Path) -> Notebook | None:
    """Return what a notebook's file tells of it; None for one without a cell of parameters.

    Raises `InputError` with the reason why it cannot be run.
    """
    try:
        with machine_errors(file):
            if not file.resolve().is_relative_to(workspace.root().resolve()):
                raise InputError.of("runs.own_link")
            if file.stat().st_size > _LARGEST:
                raise InputError.of("runs.own_large")
            content = file.read_bytes()
        if b'"parameters"' not in content:
            return None
        notebook = json.loads(content)
        return of(notebook, file) if any(map(is_own, notebook["cells"])) else None
    except (RecursionError, LookupError, TypeError, AttributeError, ValueError) as error:
        known = error.problems if isinstance(error, InputError) else [Problem("runs.no_notebook")]
        shown = workspace.shown(file)
        raise InputError(*(replace(problem, file=shown) for problem in known)) from None


def of(notebook: Any, file: Path, name: str = "") -> Notebook:
    """Return what a notebook tells of itself, its name by default that of its file.

    Raises `InputError` with the reason why it cannot be run.
    """
    name, about = name or file.stem, notebook["metadata"]
    kernel = about.get("kernelspec", {}).get("language", "python")
    kernel = about.get("language_info", {}).get("name", kernel)
    if not NAME.fullmatch(name):
        raise InputError.of("runs.own_name")
    if kernel != "python":
        raise InputError.of("runs.own_kernel", kernel=kernel)
    values = values_in(notebook)
    refused = [(key, name) for name, value in values.items() if (key := _refused(name, value))]
    InputError.refuse([Problem(f"runs.own_{key}", {"name": it}) for key, it in refused])
    known = notebooks().get(mark_of(notebook, "from") or mark_of(notebook, "notebook"))
    origin, path = (known.name, known.parameters_path) if known else ("", "")
    (source,) = (cell["source"] for cell in notebook["cells"] if is_own(cell))
    meanings = dict(_MEANING.findall("".join(source)))
    title = _title(notebook) or name
    titles: dict[Language, str] = dict.fromkeys(LANGUAGES, title)
    model = partial(_model, name, path, values, meanings)
    return Notebook(
        name, titles, title, text("runs.own_gives"), path, origin=origin, file=file, typed=model
    )


def find(name: str, among: Sequence[Path] | None = None) -> Notebook:
    """Return a notebook by name, ours or the workspace's own.

    Raises `InputError` for an unknown one, for a name that several have, and with the reason why
    the workspace's own cannot be run.

    Parameters
    ----------
    name : str
    among : sequence of Path, optional
        The workspace's notebooks, where they are known.
    """
    among = files() if among is None else among
    ours = [known for known in notebooks() if known.casefold() == name.casefold()]
    same = [file for file in among if file.stem.casefold() == name.casefold()]
    others = [file for file in same if not ours or _takes_name(file, ours[0])]
    if len([*ours, *others]) > 1:
        shown = [*map(workspace.shown, others), *(f"opslab: {known}" for known in ours)]
        raise ParameterError.of("runs.own_twice", name=name, files=shown)
    if name in notebooks():
        return notebooks()[name]
    if not others or others[0].stem != name:
        stems = dict.fromkeys([*notebooks(), *(file.stem for file in among)])
        raise unknown("notebook", name, [*stems])
    own = read(others[0])
    if own is None:
        raise InputError.of("runs.parameters_cell", file=workspace.shown(others[0]))
    return own


def listed() -> Iterator[tuple[str, str, Problem | None]]:
    """Yield name and title of the workspace's own notebooks, and why one cannot be run."""
    among = files()
    for file in among:
        try:
            own = read(file)
            if own and not (own.name in notebooks() and own.name == own.origin):
                find(own.name, among)
                yield own.name, own.summary, None
        except (InputError, MachineError) as error:
            yield file.stem, workspace.shown(file), error.problems[0]


def _takes_name(file: Path, ours: str) -> bool:
    """Whether a notebook has the name of one of ours and does not bear its mark."""
    try:
        own = read(file)
    except (InputError, MachineError):  # a broken one is in nobody's way
        return False
    return own is not None and own.origin != ours


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
