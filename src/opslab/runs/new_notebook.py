"""A notebook of one's own to start from: the copy of another, or a small one that runs as it is."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from opslab import workspace
from opslab.errors import InputError, ParameterError
from opslab.runs import own_notebooks
from opslab.runs.cells import is_injected
from opslab.runs.folder import machine_errors
from opslab.runs.job import json_of
from opslab.runs.registry import find, notebooks

_RESERVED = {"case", "sheet"}
"""Of ``opslab new``."""


def new_notebook(name: str, origin: str | None = None) -> Path:
    """Write ``notebooks/NAME.ipynb`` and return its path; nothing is overwritten.

    Parameters
    ----------
    name : str
    origin : str, optional
        The notebook to copy, ours or the workspace's own; the copy keeps its typed parameters.

    Raises
    ------
    InputError
        For a name that cannot be one or is taken, and for an unknown origin.
    """
    taken = {known.casefold() for known in notebooks()} | _RESERVED
    if not own_notebooks.NAME.fullmatch(name) or name.casefold() in taken:
        raise ParameterError.of("runs.new_name", name=name)
    if not workspace.is_meant():
        raise InputError.of("runs.no_workspace", file=str(workspace.root()))
    for file in own_notebooks.files():
        if file.stem.casefold() == name.casefold():
            raise InputError.of("runs.new_exists", file=workspace.shown(file))
    content = _copy(name, origin) if origin else _starter(name)
    target = workspace.root() / "notebooks" / f"{name}.ipynb"
    with machine_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with target.open("x", encoding="utf-8", newline="\n") as stream:
                stream.write(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
        except FileExistsError:
            raise InputError.of("runs.new_exists", file=workspace.shown(target)) from None
    return target


def _copy(name: str, origin: str) -> Any:
    """Return a notebook without what was run in it, under a name of its own."""
    source = find(origin)
    content = json_of(source.path)
    content["cells"] = [cell for cell in content["cells"] if not is_injected(cell)]
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
    first = source.own.origin if source.own else source.name
    content["metadata"].pop("papermill", None)
    return _marked(content, {"notebook": name} | ({"from": first} if first else {}))


def _starter(name: str) -> Any:
    starter = files("opslab.runs").joinpath("starter", "notebook.ipynb")
    return _marked(json.loads(starter.read_text(encoding="utf-8")), {"notebook": name})


def _marked(content: Any, mark: dict[str, str]) -> Any:
    content["metadata"]["opslab"] = mark
    return content
