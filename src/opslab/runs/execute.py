"""Executing a notebook in a fresh kernel. This module alone knows papermill."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opslab import workspace
from opslab.startup import without_iri_grammar

with without_iri_grammar():
    import nbformat
    import papermill
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.exceptions import PapermillExecutionError

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Failure:
    """Why a notebook did not come to its end.

    Attributes
    ----------
    kind : str
        ``error``, ``kernel_died``, ``timeout``, ``not_finished``.
    name, text : str
        Class and text of the error in the kernel.
    """

    kind: str
    name: str = ""
    text: str = ""


@dataclass(frozen=True)
class Execution:
    """An executed notebook.

    Attributes
    ----------
    notebook : nbformat.NotebookNode
        With outputs, without anything that tells one run from the next.
    seconds : tuple of float
        Of each cell.
    failure : Failure or None
    """

    notebook: Any
    seconds: tuple[float, ...]
    failure: Failure | None


def execute(
    source: Path, parameters: Mapping[str, Any], folder: Path, *, cell_timeout: int | None = None
) -> Execution:
    """Execute a notebook with its parameters in a fresh kernel of this very Python.

    Parameters
    ----------
    source : Path
        The notebook; it is only read.
    parameters : Mapping
        Names from the typed schema (papermill pastes them as code), values text, numbers or booleans.
    folder : Path
        Where papermill keeps what it got while the notebook runs.
    cell_timeout : int, optional
        Seconds that one cell may take.
    """
    kept = folder / "notebook.ipynb"
    failure = None
    with tempfile.TemporaryDirectory(prefix="opslab-") as scratch:
        manager = _kernel_manager(Path(scratch))
        try:
            papermill.execute_notebook(
                nbformat.read(source, as_version=4),
                str(kept).replace("{", "{{").replace("}", "}}"),  # papermill formats its output path
                parameters=dict(parameters),
                kernel_name="python3",
                progress_bar=False,
                execution_timeout=cell_timeout,
                kernel_manager_class=manager,
            )
        except PapermillExecutionError as error:
            failure = Failure("error", error.ename, error.evalue)
        except CellTimeoutError:
            failure = Failure("timeout")
        except DeadKernelError:
            failure = Failure("kernel_died", text=_last_words(Path(scratch)))
        except RuntimeError as error:
            failure = Failure("kernel_died", text=f"{error} {_last_words(Path(scratch))}".strip())
    notebook = nbformat.read(kept, as_version=4)
    if failure is None and not _finished(notebook):
        failure = Failure("not_finished")
    return Execution(*_same_each_time(notebook), failure)


def _kernel_manager(scratch: Path) -> type[AsyncKernelManager]:
    """Return a manager that starts a kernel of this Python, apart from the user's Jupyter and IPython."""

    class FreshKernelManager(AsyncKernelManager):
        @property
        def kernel_spec(self) -> KernelSpec:
            argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
            return KernelSpec(argv=argv, display_name="Python 3", language="python")

        async def start_kernel(self, **options: Any) -> None:  # type: ignore[override] # as its base does
            if os.name == "posix":  # no open port, and no warning about one
                self.transport, self.ip = "ipc", str(scratch / "kernel")
            self.connection_file = str(scratch / "kernel.json")
            options["env"] = kernel_environment(scratch)
            options["cwd"] = str(workspace.root())
            with (scratch / "stderr").open("wb") as stderr:
                await self._async_start_kernel(**options, stderr=stderr)

    return FreshKernelManager


def kernel_environment(scratch: Path) -> dict[str, str]:
    """Return the environment of a kernel: what could make two runs differ is fixed."""
    fixed = {
        "IPYTHONDIR": str(scratch / "ipython"),
        "LC_ALL": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "TZ": "UTC",
        workspace.VARIABLE: str(workspace.root()),
    }
    return {**os.environ, **fixed, **dict.fromkeys(_THREADS, "1")}


def _last_words(scratch: Path) -> str:
    """Return the last line a kernel wrote to its standard error."""
    try:
        lines = (scratch / "stderr").read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1][:300] if lines else ""


def _finished(notebook: Any) -> bool:
    """Whether every code cell was executed: papermill's own word does not tell."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    left = any(output.get("ename") == "SystemExit" for cell in cells for output in cell.outputs)
    return not left and all(cell.execution_count is not None for cell in cells)


def _same_each_time(notebook: Any) -> tuple[Any, tuple[float, ...]]:
    """Drop clocks and random ids from a notebook; return it with the seconds of each cell."""
    notebook.metadata.pop("papermill", None)
    notebook.metadata.pop("widgets", None)
    seconds = []
    for place, cell in enumerate(notebook.cells):
        told = cell.metadata.pop("papermill", {})
        seconds.append(float(told.get("duration") or 0.0))
        cell.metadata.pop("execution", None)
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell["id"] = f"given-parameters-{place}"
    return notebook, tuple(seconds)


def write(notebook: Any, path: Path) -> None:
    """Write a notebook the same way each time."""
    nbformat.write(notebook, path)
