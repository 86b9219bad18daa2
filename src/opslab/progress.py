"""How far a long computation is: told to who waits for it, and never part of what it returns."""

from __future__ import annotations

import os
import sys
from pathlib import Path

VARIABLE = "OPSLAB_PROGRESS"
"""Names the file in which the runner of a notebook is told."""


def advanced(done: int, of: int) -> None:
    """Tell that so many of all are done: the runner, or a terminal, or JupyterLab.

    A kernel that something else executes tells nobody: what it wrote would stand in its notebook.
    """
    percent, path = 100 * done // of, os.environ.get(VARIABLE)
    if path:
        Path(path).write_text(str(percent), encoding="utf-8")
    elif sys.stderr.isatty() or "JPY_SESSION_NAME" in os.environ:
        end = "\n" if done == of else ""
        sys.stderr.write(f"\r{bar(percent)}{end}")
        sys.stderr.flush()


def bar(percent: int) -> str:
    """Return a bar of twenty signs with its figure.

    Examples
    --------
    >>> bar(40)
    '████████············ 40 %'
    """
    return f"{'█' * (percent // 5):·<20} {percent} %"
