"""The process of one run in a batch."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import active_children
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

from opslab.archive import FAILURE
from opslab.errors import MachineError, OpslabError, RunError
from opslab.messages import Language, one_line, text
from opslab.runs.failure import NotebookError
from opslab.runs.job import Limits
from opslab.runs.runner import run_notebook
from opslab.runs.signals import after_parent, at_signals

_PASSING = {"runs.kernel_died", "runs.cell_timeout", "runs.deadline", "runs.interrupted"}
"""What ended a run that may well come to its end another time."""


@dataclass(frozen=True)
class Outcome:
    """How a run went.

    Attributes
    ----------
    status : str
    exit_code : int
        What ``opslab run`` would have ended with.
    reason : str
        Why it is not done.
    file : Path or None
        The page to open: the readout, or what a failed run got.
    passing : bool
        Whether trying again can help.
    seconds : float
    attempts : int
    """

    status: Literal["done", "there_already", "check_failed", "failed", "skipped", "interrupted"]
    exit_code: int = 0
    reason: str = ""
    file: Path | None = None
    passing: bool = False
    seconds: float = 0.0
    attempts: int = 0


def work(
    notebook: str,
    parameters: Mapping[str, Any],
    reports: Path,
    limits: Limits,
    language: Language,
    connection: Connection,
) -> None:
    """Run a notebook, and send its `Outcome`; the language is that of a reason."""
    if hasattr(os, "setsid"):
        os.setsid()  # what a terminal sends comes to the batch alone, which passes it on
    after_parent(partial(os.kill, os.getpid(), signal.SIGTERM))
    with at_signals(signal.default_int_handler), suppress(BrokenPipeError):
        try:
            run = run_notebook(notebook, parameters, out=reports, limits=limits)
        except OpslabError as error:
            reason = " ".join(problem.text(language) for problem in error.problems)
            page = error.folder / FAILURE if isinstance(error, NotebookError) else None
            passing = isinstance(error, MachineError) or error.problems[0].key in _PASSING
            outcome = Outcome("failed", error.exit_code, one_line(reason), page, passing)
        except KeyboardInterrupt:
            reason = text("runs.batch_ended", language)
            outcome = Outcome("failed", RunError.exit_code, reason, passing=True)
        except Exception as error:  # noqa: BLE001 - it ends this run, and no other
            reason = one_line(f"{type(error).__name__}: {error}")
            outcome = Outcome("failed", 1, text("runs.batch_defect", language, reason=reason))
        else:
            status: Any = "there_already" if run.reused else "done"
            status = "check_failed" if run.exit_code else status
            outcome = Outcome(status, run.exit_code, one_line(run.reason or ""), run.readout)
        for kernel in active_children():  # one that was just starting when the run was ended
            kernel.kill()
        connection.send(outcome)
