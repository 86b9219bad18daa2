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
from opslab.errors import DataError, Problem
from opslab.secret import FILE

State = tuple[int, ...]
"""Of a file: what changes when its bytes do."""

_PACKAGE = Path(__file__).parent
_RUN_FOLDER = re.compile(r"\d{4}-\d\d-\d\d-[0-9a-f]{8}")
_read: dict[Path, dict[str, State | None]] = {}
_opened: dict[str, State | None] = {}


def state_of(path: Path) -> State:
    """Return what tells that a file was written since: its place on the disk, size and times."""
    status = path.stat()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def note(path: Path, sha256: str, before: State | None = None) -> None:
    """Note a file and its hash; of one that is read piece by piece, its state before the first."""
    full = path.resolve()
    if not full.is_relative_to(_PACKAGE):  # the hash of opslab's code covers what it brings
        _read.setdefault(full, {})[sha256] = before


def watch() -> None:
    """From now on take down what a notebook opens by itself, such as with ``pandas.read_csv``."""
    if not _opened:
        _opened[""] = None
        sys.addaudithook(_hear)


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "open" or not isinstance(arguments[0], str | bytes):
        return
    path, _, flags = arguments
    full = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - it must not follow a link yet
    if full.startswith(_root()) and full not in _opened and not flags & (os.O_WRONLY | os.O_CREAT):
        with suppress(OSError):
            _opened[full] = state_of(Path(full))


@cache
def _root() -> str:
    return os.path.abspath(workspace.root())  # noqa: PTH100


def files_read() -> list[dict[str, str]]:
    """Return what was read: name and SHA-256 of each file.

    Raises
    ------
    DataError
        When a file that was read piece by piece has changed since it was opened.
    """
    last = {path: [*readings.values()][-1] for path, readings in _read.items()}
    others = dict(_others())
    DataError.refuse(
        [
            Problem("tables.changed", file=workspace.shown(path))
            for path, before in {**last, **others}.items()
            if before and has_changed(path, before)
        ]
    )
    read = {(workspace.shown(path), sha256) for path, noted in _read.items() for sha256 in noted}
    read |= {(workspace.shown(path), workspace.sha256(path)) for path in others}
    return [{"file": file, "sha256": sha256} for file, sha256 in sorted(read)]


def has_changed(path: Path, before: State) -> bool:
    """Whether a file was written, replaced or taken away since it was in a state."""
    return not path.exists() or state_of(path) != before


def _others() -> Iterator[tuple[Path, State | None]]:
    """Give the workspace's files and modules that were opened and that nothing has noted."""
    files = (getattr(module, "__file__", None) for module in [*sys.modules.values()])
    modules = dict.fromkeys(file for file in files if file and file.startswith(_root()))
    for name, before in {**modules, **_opened}.items():
        path = Path(name).resolve()
        ours = path.is_relative_to(_PACKAGE) or path.is_relative_to(sys.prefix)
        filed = _RUN_FOLDER.fullmatch(path.parent.name) and path.name != RESULT
        if ours or filed or path.suffix == ".pyc" or path.name == FILE or path in _read:
            continue
        if path.is_file():
            yield path, before
