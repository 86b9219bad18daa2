"""Executing a notebook in a fresh kernel. This module alone knows papermill."""

from __future__ import annotations

import logging
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from opslab import workspace
from opslab.archive import NOTEBOOK
from opslab.errors import ON_BLOCKING
from opslab.runs.failure import Failure
from opslab.runs.folder import machine_errors
from opslab.runs.job import Limits, Progress
from opslab.runs.notebook_file import drop_error_marks
from opslab.startup import without_iri_grammar

with without_iri_grammar():
    import nbformat
    import papermill
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.exceptions import PapermillExecutionError

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_START_SECONDS = 120


@dataclass(frozen=True)
class Execution:
    """An executed notebook.

    Attributes
    ----------
    notebook : nbformat.NotebookNode
        With what papermill noted in it.
    failure : Failure or None
    """

    notebook: Any
    failure: Failure | None


def execute(
    notebook: Any,
    parameters: Mapping[str, Any],
    folder: Path,
    limits: Limits,
    progress: Progress | None = None,
) -> Execution:
    """Execute a notebook with its parameters in a fresh kernel of this very Python.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        As it was read; papermill works on a copy.
    parameters : Mapping
        Names from the typed schema (papermill pastes them as code), values text, numbers or
        booleans.
    folder : Path
        Where papermill keeps what it got while the notebook runs.
    limits : Limits
    progress : callable, optional
    """
    logging.getLogger("papermill").addHandler(logging.NullHandler())  # what it has to say, we say
    kept = folder / NOTEBOOK
    with tempfile.TemporaryDirectory(prefix="opslab-", ignore_cleanup_errors=True) as scratch:
        kernel = _Kernel(Path(scratch))
        with _deadline(limits.run_seconds, kernel), _signals(kernel):
            failure = _run(notebook, parameters, kept, limits, kernel, progress)
        if kernel.ended:
            failure = Failure(kernel.ended, kernel.cell)
    executed = nbformat.read(kept, as_version=4) if kept.exists() else notebook
    drop_error_marks(executed)
    return Execution(executed, failure or _not_reached(executed))


def _run(
    notebook: Any,
    parameters: Mapping[str, Any],
    kept: Path,
    limits: Limits,
    kernel: _Kernel,
    progress: Progress | None,
) -> Failure | None:
    """Let papermill run the cells, and keep after each what it got; return why it stopped early."""
    names = [cell["id"] for cell in notebook.cells if cell.cell_type == "code"]

    def started(cell: Any, **_: Any) -> None:
        kernel.cell = cell["id"]
        if progress and cell["id"] in names:  # papermill's own cell is none of ours
            progress(names.index(cell["id"]) + 1, len(names), cell["id"])

    try:
        with machine_errors(kept):
            papermill.execute_notebook(
                notebook,
                str(kept).replace("{", "{{").replace("}", "}}"),  # papermill formats it
                parameters=dict(parameters),
                kernel_name="python3",
                progress_bar=False,
                start_timeout=_START_SECONDS,
                execution_timeout=limits.cell_seconds,
                kernel_manager_class=kernel.manager(),
                shutdown_kernel="immediate",
                on_cell_start=started,
            )
    except PapermillExecutionError as error:
        return Failure("error", kernel.cell, error.ename, error.evalue)
    except CellTimeoutError:
        return Failure("cell_timeout", kernel.cell)
    except KeyboardInterrupt:
        return Failure("interrupted", kernel.cell)
    except DeadKernelError:
        return Failure("kernel_died", kernel.cell, text=kernel.last_words())
    except RuntimeError as error:  # all that jupyter_client says of a kernel that does not start
        if kernel.alive():
            raise
        return Failure("kernel_died", kernel.cell, text=kernel.last_words() or str(error))
    finally:
        kernel.kill()
    return None


def _not_reached(notebook: Any) -> Failure | None:
    """Return the failure at the first code cell that was not executed to its end, if there is any.

    Papermill's own word does not tell: after ``sys.exit(0)`` it returns as if all were well.
    """
    for cell in notebook.cells:
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        left = any(output.get("ename") == "SystemExit" for output in cell.outputs)
        if left or cell.execution_count is None:
            return Failure("not_finished", cell["id"])
    return None


class _Kernel:
    """The kernel of one run: how it is started, what it said last, how it is ended for good."""

    cell = "-"
    """Id of the cell at work."""
    ended = ""
    """Why it was ended before its time."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._process: Any = None

    def manager(self) -> type[AsyncKernelManager]:
        """Return a manager that starts a kernel of this Python, apart from the user's Jupyter."""
        kernel, scratch = self, self._scratch

        class FreshKernelManager(AsyncKernelManager):
            @property
            def kernel_spec(self) -> KernelSpec:
                argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
                return KernelSpec(argv=argv, display_name="Python 3", language="python")

            async def start_kernel(self, **options: Any) -> None:  # type: ignore[override]
                if os.name == "posix":  # no open port, and no warning about one
                    self.transport, self.ip = "ipc", str(scratch / "kernel")
                self.connection_file = str(scratch / "kernel.json")
                options["env"] = kernel_environment(scratch)
                options["cwd"] = str(workspace.root())
                with (scratch / "stderr").open("wb") as stderr:
                    await self._async_start_kernel(**options, stderr=stderr)
                kernel._process = getattr(self.provisioner, "process", None)

        return FreshKernelManager

    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process is not None and self._process.poll() is None

    def last_words(self) -> str:
        """Return the last line the kernel wrote to its standard error."""
        file = self._scratch / "stderr"
        words = file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
        return words.strip().rpartition("\n")[2][:300]

    def end(self, reason: str) -> None:
        """End the run before its time."""
        self.ended = reason
        self.kill()

    def kill(self) -> None:
        """End the kernel and all it started; it is no error when it has ended."""
        if self._process is None:
            return
        with suppress(ProcessLookupError, PermissionError):
            if os.name == "posix":
                os.killpg(self._process.pid, signal.SIGKILL)  # the kernel leads a group of its own
            elif self.alive():
                self._process.kill()


def kernel_environment(scratch: Path) -> dict[str, str]:
    """Return the environment of a kernel: what could make two runs differ is fixed."""
    fixed = {
        "IPYTHONDIR": str(scratch / "ipython"),
        "LC_ALL": "C.UTF-8",
        ON_BLOCKING: "",  # a red check is told by the exit code
        "PYTHONHASHSEED": "0",
        "TZ": "UTC",
        workspace.VARIABLE: str(workspace.root()),
    }
    return {**os.environ, **fixed, **dict.fromkeys(_THREADS, "1")}


@contextmanager
def _deadline(seconds: float | None, kernel: _Kernel) -> Iterator[None]:
    """End the kernel when the whole run has taken too long."""
    timer = threading.Timer(seconds or 0, kernel.end, ["deadline"])
    timer.daemon = True
    if seconds is not None:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def _signals(kernel: _Kernel) -> Iterator[None]:
    """Let SIGTERM end the run as Ctrl-C does: the kernel ended, what the run got kept.

    The exception alone would not do: raised inside of a callback it can be swallowed there. The
    dead kernel ends the run all the same.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        kernel.end("interrupted")
        raise KeyboardInterrupt

    before = {
        number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
