"""Loaded by Python itself as `sitecustomize`: ends or refuses at the N-th change of the reports.

`OPSLAB_CRASH` holds four lines: the number of the change, what then happens (`kill`, `ENOSPC` or
`EACCES`), the folder that is watched, a file in which each change is one
line, shared by all processes of the command.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from pathlib import Path
from typing import Any

_CHANGES = {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.link", "os.symlink", "open"}


def watch(asked: str) -> None:
    """Watch this process."""
    number, outcome, folder, file = asked.split("\n")
    counter = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    busy = False

    def change(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal busy
        if busy or event not in _CHANGES or not _below(folder, event, arguments):
            return
        busy = True
        try:
            line = f"{event} {Path(str(arguments[0])).name}\n".encode()
            os.write(counter, line)
            reached = Path(file).read_bytes().count(b"\n")
        finally:
            busy = False
        if reached != int(number):
            return
        if outcome == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        reason = getattr(errno, outcome)
        raise OSError(reason, os.strerror(reason), str(arguments[0]))

    sys.addaudithook(change)


def _below(folder: str, event: str, arguments: tuple[Any, ...]) -> bool:
    """Whether an event changes something in the folder."""
    if event == "open":
        mode, flags = arguments[1], arguments[2]
        writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if not writes and not (isinstance(mode, str) and set(mode) & set("wax+")):
            return False
        return _whole(arguments[0], -1).startswith(folder)
    if event in {"os.rename", "os.link"}:
        return any(
            _whole(*pair).startswith(folder)
            for pair in zip(arguments[:2], arguments[2:], strict=True)
        )
    return _whole(arguments[0], arguments[-1]).startswith(folder)


def _whole(name: Any, descriptor: Any) -> str:
    """Return a path as a text; one that starts at an open folder as a whole one."""
    if not isinstance(name, str | bytes | os.PathLike):
        return ""
    path = os.fsdecode(name)
    if isinstance(descriptor, int) and descriptor >= 0 and not path.startswith("/"):
        return f"{Path(f'/proc/self/fd/{descriptor}').readlink()}/{path}"
    return path


if os.environ.get("OPSLAB_CRASH"):
    watch(os.environ["OPSLAB_CRASH"])
