"""JupyterLab on the workspace."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence

from opslab import workspace
from opslab.errors import InputError
from opslab.runs.signals import at_signals

_SIGNALLED = 128  # a shell's way to tell that a signal ended a program


def open_lab(
    arguments: Sequence[str] = (), *, port: int | None = None, browser: bool = True
) -> int:
    """Open JupyterLab on the workspace's root, in ``notebooks/``; return its exit code.

    Parameters
    ----------
    arguments : sequence of str
        Further ones, handed to JupyterLab as they are.
    port : int, optional
    browser : bool
        Whether to open a browser.

    Raises
    ------
    InputError
        When JupyterLab is not installed. It is for the user to install, so the exit code is 2; 5 is
        for what the machine refuses.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise InputError.of("runs.no_lab")
    root = workspace.root().resolve()
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={root}"]
    if (root / "notebooks").is_dir():
        command.append("--LabApp.default_url=/lab/tree/notebooks")
    if port is not None:
        command.append(f"--ServerApp.port={port}")
    if not browser:
        command.append("--no-browser")
    # Of two kernels named python3 the one beside this Python is meant, not one in the home folder.
    environment = {"JUPYTER_PREFER_ENV_PATH": "1", **os.environ, workspace.VARIABLE: str(root)}
    return launch([*command, *arguments], environment)


def launch(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a program in this terminal, leave Ctrl-C to it, and return its exit code."""
    # Our own Python, and the user's words.
    process = subprocess.Popen(command, env=dict(environment))  # noqa: S603

    def hand_on(number: int, _frame: object) -> None:
        if number != signal.SIGINT:  # JupyterLab gets it too, and asks whether it is meant
            process.terminate()

    with at_signals(hand_on):
        code = process.wait()
    return code if code >= 0 else _SIGNALLED - code
