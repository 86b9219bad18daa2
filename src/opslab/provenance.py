"""What this process has read: each file by the hash of what was read.

A notebook publishes it with its result, so that whoever files the run can compare it with what the
run is known by.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from opslab import workspace
from opslab.errors import DataError, Problem

State = tuple[int, ...]
"""Of a file: what changes when its bytes do."""

_PACKAGE = Path(__file__).parent
_WRITTEN = {".pyc", ".ipynb"}  # from code that is noted itself, and by those who run notebooks
_read: dict[Path, dict[str, State | None]] = {}
_opened: set[str] = set()


def state_of(path: Path) -> State:
    """Return what tells that a file was written since: its place on the disk, size and times."""
    status = path.stat()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def note(path: Path, content: bytes) -> None:
    """Note a file whose bytes were read at once."""
    _note(path, hashlib.sha256(content).hexdigest(), None)


def note_scanned(path: Path, sha256: str, before: State) -> None:
    """Note a file that is read piece by piece, with its hash and its state before the first."""
    _note(path, sha256, before)


def _note(path: Path, sha256: str, before: State | None) -> None:
    full = path.resolve()
    if not full.is_relative_to(_PACKAGE):  # the hash of opslab's code covers what it brings
        _read.setdefault(full, {})[sha256] = before


def watch() -> None:
    """From now on take down what a notebook opens by itself, such as with ``pandas.read_csv``."""
    if "ipykernel" in sys.modules and not _opened:
        _opened.add("")
        sys.addaudithook(_hear)


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open":
        path, mode, *_ = arguments
        if isinstance(path, str) and not set(str(mode)) & set("wax+"):
            _opened.add(path)


def files_read() -> list[dict[str, str]]:
    """Return what was read: name and SHA-256 of each file.

    Raises
    ------
    DataError
        When a file that was read piece by piece has changed since it was opened.
    """
    DataError.refuse(
        [
            Problem("tables.changed", file=workspace.shown(path))
            for path, readings in _read.items()
            if _has_changed(path, [*readings.values()][-1])
        ]
    )
    read = {(workspace.shown(path), sha256) for path, noted in _read.items() for sha256 in noted}
    read |= {(workspace.shown(path), workspace.sha256(path)) for path in _others()}
    return [{"file": file, "sha256": sha256} for file, sha256 in sorted(read)]


def _has_changed(path: Path, before: State | None) -> bool:
    return before is not None and (not path.exists() or state_of(path) != before)


def _others() -> Iterator[Path]:
    """Give the workspace's files and modules that were opened and that nothing has noted."""
    root = workspace.root().resolve()
    left_out = [_PACKAGE, workspace.reports().resolve(), Path(sys.prefix)]
    modules = {getattr(module, "__file__", None) or "" for module in [*sys.modules.values()]}
    opened = {Path(os.path.realpath(name)) for name in (_opened | modules) - {""}}
    for path in opened - set(_read):
        if path.suffix in _WRITTEN or any(map(path.is_relative_to, left_out)):
            continue
        if not path.is_relative_to(root) or not path.is_file():
            continue
        if not any(part.startswith(".") for part in path.relative_to(root).parts):
            yield path
