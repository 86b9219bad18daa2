"""A notebook of one's own to start from: the copy of another, or a small one that runs as it is."""

from __future__ import annotations

from pathlib import Path

from opslab import workspace
from opslab.errors import InputError, ParameterError
from opslab.runs import own_notebooks
from opslab.runs.cells import is_injected
from opslab.runs.folder import json_bytes, machine_errors
from opslab.runs.job import json_of
from opslab.runs.own_notebooks import find
from opslab.runs.registry import notebooks

_STARTER = "notebook.json"
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
    if not workspace.is_meant():
        raise InputError.of("runs.no_workspace", file=str(workspace.root()))
    taken = [*notebooks(), *_RESERVED, *(file.stem for file in own_notebooks.files())]
    target = workspace.root() / "notebooks" / f"{name}.ipynb"
    if not own_notebooks.NAME.fullmatch(name):
        raise ParameterError.of("runs.new_name", name=name)
    if name.casefold() in map(str.casefold, taken) or target.exists():
        raise ParameterError.of("runs.new_exists", name=name)
    source = find(origin) if origin else None
    content = json_of(source.path if source else Path(__file__).with_name("starter") / _STARTER)
    content["cells"] = [cell for cell in content["cells"] if not is_injected(cell)]
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
    first = (source.origin if source.file else source.name) if source else ""
    content["metadata"]["opslab"] = {"notebook": name} | ({"from": first} if first else {})
    with machine_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(json_bytes(content))
    return target
