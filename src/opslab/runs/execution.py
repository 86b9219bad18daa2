"""Executing a notebook in a fresh kernel. This module alone knows papermill."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import forkserver, parent_process
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import FrameType
from typing import Any

from opslab import workspace
from opslab.archive import NOTEBOOK
from opslab.errors import LANGUAGE, ON_BLOCKING, MachineError
from opslab.progress import VARIABLE
from opslab.runs.cells import is_exploration
from opslab.runs.environment import FIXED, KERNEL, LONGEST_FOLDER
from opslab.runs.failure import Failure
from opslab.runs.folder import machine_errors
from opslab.runs.job import Limits, Progress
from opslab.runs.notebook_file import drop_error_marks
from opslab.runs.signals import after_parent, at_signals
from opslab.scratch import scratch_folder
from opslab.startup import without_iri_grammar

with without_iri_grammar():
    import nbformat
    import papermill
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.exceptions import PapermillExecutionError

_START_SECONDS = 120
_LISTENS = "--IPKernelApp.exec_lines=__import__('opslab.provenance').provenance.watch()"
"""What a notebook opens before it imports opslab is heard too, and in a kernel that was forked."""
_LEAST_BYTES = 1_000_000
_PROGRESS = "progress"  # the file in which a kernel notes how far it is


@dataclass(frozen=True)
class Execution:
    """An executed notebook.

    Attributes
    ----------
    notebook : nbformat.NotebookNode
        With what papermill noted in it, and as its ``kernel`` whether that was forked or started.
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
    home: Path | None = None,
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
    home : Path, optional
        Where the modules beside the notebook are: the kernel starts there, as JupyterLab's does.
    """
    logging.getLogger("papermill").addHandler(logging.NullHandler())  # what it has to say, we say
    kept = folder / NOTEBOOK
    with scratch_folder() as scratch:
        kernel = _Kernel(scratch, parameters.get("language", "en"), home or workspace.root())
        with _deadline(limits.run_seconds, kernel), at_signals(_interruption(kernel)):
            failure = _run(notebook, parameters, kept, limits, kernel, progress)
        if failure and failure.kind == "kernel_died":
            _refuse_full(scratch)
        if kernel.ended:
            failure = Failure(kernel.ended, kernel.cell)
    executed = nbformat.read(kept, as_version=4) if kept.exists() else notebook
    drop_error_marks(executed)
    executed.metadata.setdefault("papermill", {})["kernel"] = kernel.origin
    return Execution(executed, failure or _not_reached(executed))


def _refuse_full(folder: Path) -> None:
    """Raise where it is the disk that a kernel has died of."""
    if shutil.disk_usage(folder).free < _LEAST_BYTES:
        reason = os.strerror(errno.ENOSPC)
        raise MachineError.of("runs.machine", file=str(folder), reason=reason)


def _run(
    notebook: Any,
    parameters: Mapping[str, Any],
    kept: Path,
    limits: Limits,
    kernel: _Kernel,
    progress: Progress | None,
) -> Failure | None:
    """Let papermill run the cells, and keep after each what it got; return why it stopped early."""
    tell = _teller(notebook, kernel, progress)

    def started(cell: Any, **_: Any) -> None:
        kernel.cell = cell["id"]
        tell()

    try:
        with machine_errors(kept), _watched(kernel.scratch, tell):
            papermill.execute_notebook(
                notebook,
                str(kept).replace("{", "{{").replace("}", "}}"),  # papermill formats it
                parameters=dict(parameters),
                kernel_name="python3",
                language="python",  # of a notebook that does not say
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


def _teller(notebook: Any, kernel: _Kernel, progress: Progress | None) -> Callable[..., None]:
    """Return what tells which cell is at work; papermill's own is none of ours."""
    code = (cell for cell in notebook.cells if cell.cell_type == "code")
    names = [cell["id"] for cell in code if not is_exploration(cell)]

    def tell(*percent: int) -> None:
        if progress and kernel.cell in names:
            progress(names.index(kernel.cell) + 1, len(names), kernel.cell, *percent)

    return tell


@contextmanager
def _watched(scratch: Path, tell: Callable[..., None]) -> Iterator[None]:
    """Tell each new percentage that the kernel notes while it is at work."""
    ended, file = threading.Event(), scratch / _PROGRESS

    def watch() -> None:
        last = 0
        while not ended.wait(1):
            with suppress(OSError, ValueError):  # not there yet, or being written
                if (percent := int(file.read_text(encoding="utf-8"))) != last:
                    tell(last := percent)

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield
    finally:
        ended.set()
        watching.join()


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

    def __init__(self, scratch: Path, language: str, home: Path) -> None:
        self.scratch, self._language, self._home = scratch, language, home
        self._process: Any = None
        self.origin = "forked" if _may_fork() else "started"

    def manager(self) -> type[AsyncKernelManager]:
        """Return a manager that starts a kernel of this Python, apart from the user's Jupyter."""
        kernel, scratch = self, self.scratch

        class FreshKernelManager(AsyncKernelManager):
            @property
            def kernel_spec(self) -> KernelSpec:
                argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
                argv.append(_LISTENS)
                return KernelSpec(argv=argv, display_name="Python 3", language="python")

            async def start_kernel(self, **options: Any) -> None:  # type: ignore[override]
                if os.name == "posix" and len(str(scratch)) < LONGEST_FOLDER:
                    # No open port, and no warning about one.
                    self.transport, self.ip = "ipc", str(scratch / "kernel")
                self.connection_file = str(scratch / "kernel.json")
                options["env"] = kernel_environment(scratch, kernel._language)
                options["cwd"] = str(kernel._home)
                if kernel.origin == "forked":
                    self.provisioner = _ForkProvisioner(
                        kernel_id="-", kernel_spec=self.kernel_spec, parent=self
                    )
                try:
                    with (scratch / "stderr").open("wb") as stderr:
                        await self._async_start_kernel(**options, stderr=stderr)
                finally:
                    kernel._process = getattr(self.provisioner, "process", None)
                    if kernel.ended:  # while it started
                        kernel.kill()

        return FreshKernelManager

    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process is not None and self._process.poll() is None

    def last_words(self) -> str:
        """Return the last line the kernel wrote to its standard error."""
        file = self.scratch / "stderr"
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
        if self.alive():
            self._process.kill()


def kernel_environment(scratch: Path, language: str) -> dict[str, str]:
    """Return the environment of a kernel: what could make two runs differ is fixed."""
    own = {
        "IPYTHONDIR": str(scratch / "ipython"),
        LANGUAGE: language,
        ON_BLOCKING: "",  # a red check is told by the exit code
        VARIABLE: str(scratch / _PROGRESS),
        "TMPDIR": str(scratch),  # what the kernel leaves there goes with it
        workspace.VARIABLE: str(workspace.root()),
    }
    return {**os.environ, **FIXED, **own}


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


def _interruption(kernel: _Kernel) -> Callable[[int, FrameType | None], None]:
    """Return what ends the run at a signal: the kernel ended, what the run got kept.

    The exception alone would not do: raised inside of a callback it can be swallowed there. The
    dead kernel ends the run all the same.
    """

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        kernel.end("interrupted")
        raise KeyboardInterrupt

    return interrupt


def _may_fork() -> bool:
    """Whether a kernel can be forked from the process that this one was forked from.

    Nothing may run there beside its main thread, except a memory allocator that minds forks.
    """
    if os.environ.get(KERNEL) != "fork" or parent_process() is None:
        return False
    tasks = Path(f"/proc/{os.getppid()}/task").iterdir()
    names = [(task / "comm").read_text().strip() for task in tasks]
    return len(names) - names.count("jemalloc_bg_thd") == 1


class _Fork(ForkServerProcess):
    """A forked kernel, used like the `Popen` of a started one."""

    stdin = stdout = stderr = None

    def poll(self) -> int | None:
        return self.exitcode

    def wait(self) -> int | None:
        self.join()
        return self.exitcode

    def send_signal(self, number: int) -> None:
        os.kill(self.pid or 0, number)


class _ForkProvisioner(LocalProvisioner):
    async def launch_kernel(self, cmd: list[str], **options: Any) -> Any:
        """Fork a kernel where jupyter_client would start one."""
        arguments = (cmd[cmd.index("-f") :], options["env"], options["cwd"])
        # Python would start another process to fork from, one without our imports.
        forkserver._forkserver.ensure_running = lambda: None  # type: ignore[method-assign] # noqa: SLF001
        process = _Fork(target=_become_kernel, args=arguments)
        try:
            process.start()
        except (EOFError, OSError) as error:  # what forks was killed: no kernel, as if it had died
            raise RuntimeError(str(error)) from error
        self.process = process  # type: ignore[assignment]
        self.pid = self.pgid = process.pid
        return self.connection_info


def _become_kernel(arguments: list[str], environment: Mapping[str, str], folder: str) -> None:
    """Be in a forked process what a fresh Python would be with these arguments."""
    import numpy as np
    from ipykernel.kernelapp import IPKernelApp

    os.setsid()
    after_parent(lambda: os.killpg(0, signal.SIGKILL))
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    os.dup2(os.open(Path(arguments[1]).with_name("stderr"), os.O_WRONLY | os.O_APPEND), 2)
    sys.argv = ["ipykernel_launcher", *arguments]
    tempfile.tempdir = None
    np.random.seed()  # noqa: NPY002 - else all kernels would draw the same numbers
    try:
        IPKernelApp.launch_instance(argv=arguments, parent_handle=os.getppid())
    except Exception:  # noqa: BLE001 - told as its last words
        traceback.print_exc()
    finally:
        os._exit(1)  # threads that are left would keep it
