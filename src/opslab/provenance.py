"""What this process has read: each file by the hash of what was read.

A notebook publishes it with its result, so that whoever files the run can compare it with what the
run is known by.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from opslab import workspace
from opslab.archive import RESULT

State = tuple[int, ...]
"""Of a file: what changes when its bytes do."""

_PACKAGE = Path(__file__).parent
_RUN_FOLDER = re.compile(r"\d{4}-\d\d-\d\d-[0-9a-f]{8}")
_DERIVED = (".pyc", ".vectors")
"""Endings of what is made of files that are noted themselves, and kept: nothing depends on it."""
_WRITTEN: State = ()
"""Instead of the state of a file that the notebook has written before it read it."""
_read: dict[Path, dict[str, State | None]] = {}
_opened: dict[str, State | None] = {}


def state_of(path: Path) -> State:
    """Return what tells that a file was written since: its place on the disk, size and times."""
    status = path.stat()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def note(path: Path, sha256: str, before: State | None = None) -> None:
    """Note a file and its hash; of one that is read piece by piece, its state before the first."""
    full = _absolute(path)
    if not full.is_relative_to(_PACKAGE):  # the hash of opslab's code covers what it brings
        _read.setdefault(full, {})[sha256] = before


def hash_of(path: Path) -> str:
    """Return the hash of a file as it was last read here, else as it is now; "" of none."""
    noted = [*_read.get(_absolute(path), ())]
    return noted[-1] if noted else workspace.sha256(path) if path.is_file() else ""


def watch() -> None:
    """Enter the workspace, and from now on take down what a notebook opens by itself.

    Such as with ``pandas.read_csv``.
    """
    workspace.enter()
    if not _opened:
        _opened[""] = None
        sys.addaudithook(_hear)


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "open" or not isinstance(arguments[0], str | bytes):
        return
    path, _, flags = arguments
    full = str(_absolute(os.fsdecode(path)))
    if not full.startswith(_roots(workspace.root())):
        return
    if flags & (os.O_WRONLY | os.O_CREAT):
        # Written by the notebook: its own result, or a change of its own to what it has read.
        _opened[full] = None if _opened.get(full, _WRITTEN) != _WRITTEN else _WRITTEN
    elif full not in _opened:
        with suppress(OSError):
            _opened[full] = state_of(Path(full))


def _absolute(path: str | Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 - links stay: they are part of the name


@cache
def _roots(root: Path) -> tuple[str, str]:
    return f"{root}{os.sep}", f"{root.resolve()}{os.sep}"


def name_of(path: Path) -> str:
    """Return a file's name from the workspace's root, where it can be found again.

    Outside of it that is its bare name, of a run's file that with the run's id: all records are
    called alike.
    """
    full = str(_absolute(path))
    for root in _roots(workspace.root()):
        if full.startswith(root):
            return Path(full[len(root) :]).as_posix()
    filed = _RUN_FOLDER.fullmatch(path.parent.name)
    return "/".join(path.parts[-4:]) if filed else path.name


def files_read() -> list[dict[str, str]]:
    """Return what was read: name (as of `name_of`) and SHA-256 of each file.

    A file that has changed since it was opened is named once more, as changed: a session may go on
    with it, and no run is filed on it.
    """
    last = {path: [*readings.values()][-1] for path, readings in _read.items()}
    others = dict(_others())
    read = {(name_of(path), sha256) for path, noted in _read.items() for sha256 in noted}
    for path, before in {**last, **others}.items():
        if before and has_changed(path, before):
            read.add((name_of(path), "changed"))
        if path in others:
            read.add((name_of(path), workspace.sha256(path)))
    return [{"file": file, "sha256": sha256} for file, sha256 in sorted(read)]


def has_changed(path: Path, before: State) -> bool:
    """Whether a file was written, replaced or taken away since it was in a state."""
    return not path.exists() or state_of(path) != before


def _others() -> Iterator[tuple[Path, State | None]]:
    """Give the workspace's files and modules that were opened and that nothing has noted."""
    files = (getattr(module, "__file__", None) for module in [*sys.modules.values()])
    modules = dict.fromkeys(
        file for file in files if file and file.startswith(_roots(workspace.root()))
    )
    for name, before in {**modules, **_opened}.items():
        path = Path(name)
        ours = path.is_relative_to(_PACKAGE) or path.is_relative_to(sys.prefix)
        filed = _RUN_FOLDER.fullmatch(path.parent.name) and path.name != RESULT
        # Such as .cache and .opslab-secret: who works here may be at home here.
        hidden = name_of(path).startswith(".")
        if (
            ours
            or filed
            or hidden
            or path.suffix in _DERIVED
            or before == _WRITTEN
            or path in _read
        ):
            continue
        if path.is_file():
            yield path, before
