"""Folders for what is written on the way: they end with the process, or at the next start."""

from __future__ import annotations

import os
import platform
import re
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from opslab.errors import MachineError

_NAME = re.compile(r"opslab-(\d+)-(\d+)-\w+")


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Give a folder that goes with the block; nobody else may look into it."""
    folder = make_scratch()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def make_scratch() -> Path:
    """Make a folder for the caller to remove; what killed processes have left goes first."""
    sweep()
    try:
        return Path(tempfile.mkdtemp(prefix=f"opslab-{_namespace()}-{os.getpid()}-"))
    except OSError as error:
        raise MachineError.of(
            "tables.write_machine", file="TMPDIR", reason=error.strerror
        ) from None


def sweep() -> None:
    """Remove the folders whose process, of this machine and this user, is no more."""
    with suppress(OSError):  # where there is no folder for temporary files, nothing is in it
        _sweep(tempfile.gettempdir())


@cache
def _sweep(folder: str) -> None:
    if os.name != "posix":  # elsewhere there is no asking after a process without ending it
        return
    for path in Path(folder).glob("opslab-*"):
        name = _NAME.fullmatch(path.name)
        with suppress(OSError):
            mine = name and int(name[1]) == _namespace() and path.lstat().st_uid == os.getuid()
            if name and mine and not _runs(int(name[2])):
                shutil.rmtree(path, ignore_errors=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


@cache
def _namespace() -> int:
    """Return what tells machines and containers apart that share a folder: each numbers anew."""
    host = zlib.crc32(platform.node().encode())
    with suppress(OSError):
        host ^= Path("/proc/self/ns/pid").stat().st_ino
    return host
