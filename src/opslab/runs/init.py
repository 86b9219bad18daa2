"""A workspace anywhere: the marker, the notebooks, the sample data, and a page on how to start."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from opslab import workspace
from opslab.errors import InputError, MachineError, Problem
from opslab.runs.folder import machine_error
from opslab.runs.registry import NOTEBOOKS

_WRITTEN = {
    "README.md": "README.md",
    workspace.MARKER: "opslab.toml",
    ".gitignore": "gitignore",
    "reports/README.md": "reports.md",
}


def make_workspace(folder: str | Path) -> list[Path]:
    """Make a workspace from what the package brings, and return the files that were written.

    Files that are there with the same bytes stay; nothing is ever overwritten.

    Raises
    ------
    InputError
        When the folder lies inside of another workspace, or holds files that differ: all are told
        at once, and nothing is written.
    """
    target = workspace.expanded(folder).absolute()
    above = next(
        (one for one in target.resolve().parents if (one / workspace.MARKER).is_file()), None
    )
    if above is not None:
        raise InputError.of("runs.init_inside", file=str(folder), workspace=str(above))
    file = next(
        (one for one in (target, *target.parents) if one.exists() and not one.is_dir()), None
    )
    if file is not None:
        raise InputError.of("runs.init_file", file=str(folder if file == target else file))
    try:
        wanted = _content()
        found = [
            Problem("runs.init_differs", file=str(Path(folder) / name))
            for name in _different(target, wanted)
        ]
        if found:
            raise InputError(*found, Problem("runs.init_refused"))
        return _write(target, wanted)
    except MachineError:
        raise
    except OSError as error:
        raise machine_error(error, target) from error


def _content() -> Mapping[str, bytes]:
    """Return the files of a new workspace by their names in it."""
    starter = files("opslab.runs").joinpath("starter")
    content = {name: starter.joinpath(source).read_bytes() for name, source in _WRITTEN.items()}
    notebooks = (f"notebooks/{notebook.name}.ipynb" for notebook in NOTEBOOKS)
    content |= {name: workspace.bundled(name).read_bytes() for name in notebooks}
    content |= {f"data/sample/{name}": sample for name, sample in sample_files().items()}
    return dict(sorted(content.items()))


def sample_files() -> dict[str, bytes]:
    """Return the sample data as the package brings it, each file by its name below ``data/sample``."""
    brought = workspace.bundled("data/sample")
    return {
        path.relative_to(brought).as_posix(): path.read_bytes()
        for path in sorted(brought.rglob("*"))
        if path.is_file()
    }


def _different(target: Path, wanted: Mapping[str, bytes]) -> list[str]:
    """Return the names under which something else is there."""
    found = []
    for name, content in wanted.items():
        path = target / name
        blocked = any(one.exists() and not one.is_dir() for one in path.parents)
        if blocked or ((path.exists() or path.is_symlink()) and not _holds(path, content)):
            found.append(name)
    return found


def _holds(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


def _write(target: Path, wanted: Mapping[str, bytes]) -> list[Path]:
    written = []
    for name, content in wanted.items():
        path = target / name
        if path.is_file():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as stream:  # x: what has come in between is not overwritten either
            try:
                stream.write(content)
                stream.flush()
            except OSError:
                path.unlink()  # half a file would stand in the way of the next attempt
                raise
        written.append(path)
    return written
