"""A workspace anywhere: the marker, the notebooks, the sample data, and a page on how to start."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from opslab import secret, workspace
from opslab.errors import InputError, ParameterError, Problem
from opslab.messages import Language
from opslab.runs.folder import machine_errors
from opslab.runs.registry import notebooks

SHEETS = Path(__file__).parents[1] / "operations" / "sheets"
"""Sheets to fill in, written by ``docs/sheets.py``."""
TEMPLATES = SHEETS.with_name("standards") / "templates"
"""Documents to copy; a workspace's own are the standard that documents are held to."""
_STARTER = {
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
        When the folder lies inside of another workspace, or holds files that differ: all are named
        at once, and nothing is written.
    """
    target = workspace.expanded(folder).absolute()
    for above in target.resolve().parents:
        if (above / workspace.MARKER).is_file():
            raise InputError.of("runs.init_inside", file=str(folder), workspace=str(above))
    for path in (target, *target.parents):
        if path.exists() and not path.is_dir():
            raise InputError.of("runs.init_file", file=str(folder if path == target else path))
    with machine_errors(target):
        written = _placed(target, _content())
        secret.stored(target)
        return written


def new_sheet(name: str | None, language: Language) -> list[Path]:
    """Write a sheet to fill in, as a workbook and as CSV, and return the files that were written.

    Parameters
    ----------
    name : str or None
    language : {"en", "fr"}

    Raises
    ------
    ParameterError
        When there is none of that name: says which there are.
    InputError
        Where other files are: nothing is overwritten.
    """
    sheets = _files(SHEETS, "sheets")
    wanted = {file: sheets[file] for file in sheets if Path(file).stem == f"{name}.{language}"}
    if not wanted:
        known = sorted({Path(file).name.partition(".")[0] for file in sheets})
        raise ParameterError.of("runs.no_sheet", names=known)
    with machine_errors("sheets"):
        return _placed(workspace.root(), wanted)


def _placed(target: Path, wanted: Mapping[str, bytes]) -> list[Path]:
    """Write files where nothing else is; raises `InputError` with all that is in the way."""
    problems = [
        Problem("runs.init_differs", file=workspace.shown(target / name))
        for name, content in wanted.items()
        if _differs(target / name, content)
    ]
    if problems:
        raise InputError(*problems, Problem("runs.init_refused"))
    return [target / name for name in wanted if _write(target / name, wanted[name])]


def write_sample(folder: str | Path) -> list[Path]:
    """Make the sample data again in a folder, byte for byte, and return its files."""
    target = workspace.root() / workspace.expanded(folder)
    sample = _files(workspace.bundled("data/sample"), ".")
    with machine_errors(target):
        for name, content in sample.items():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes(content)
    return [target / name for name in sample]


def _content() -> Mapping[str, bytes]:
    """Return the files of a new workspace by their names in it."""
    starter = files("opslab.runs").joinpath("starter")
    content = {name: starter.joinpath(source).read_bytes() for name, source in _STARTER.items()}
    for name in (f"notebooks/{notebook}.ipynb" for notebook in notebooks()):
        content[name] = workspace.bundled(name).read_bytes()
    content |= _files(workspace.bundled("data/sample"), "data/sample") | _files(SHEETS, "sheets")
    content |= _files(TEMPLATES, "templates")
    return dict(sorted(content.items()))


def _files(brought: Path, folder: str) -> dict[str, bytes]:
    """Return the files of a folder that the package brings, by their names in a workspace."""
    paths = sorted(path for path in brought.rglob("*") if path.is_file())
    return {f"{folder}/{path.relative_to(brought).as_posix()}": path.read_bytes() for path in paths}


def _differs(path: Path, content: bytes) -> bool:
    """Whether something else is there: another file, a folder, a link that leads nowhere."""
    if path.is_file():
        return path.read_bytes() != content
    blocked = any(above.exists() and not above.is_dir() for above in path.parents)
    return blocked or path.exists() or path.is_symlink()


def _write(path: Path, content: bytes) -> bool:
    """Write a file unless it is there; return whether it was written."""
    if path.is_file():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as stream:  # x: what has come in between is not overwritten either
        try:
            stream.write(content)
            stream.flush()
        except OSError:
            path.unlink()  # half a file would stand in the way of the next attempt
            raise
    return True
