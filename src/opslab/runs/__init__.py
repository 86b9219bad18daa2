"""Runs of notebooks: checked before a kernel starts, executed, filed in a folder that repeats."""

from typing import TYPE_CHECKING

from opslab.lazy import lazy

if TYPE_CHECKING:
    from opslab.runs.folder import Run as Run
    from opslab.runs.runner import run as run
    from opslab.runs.runner import run_notebook as run_notebook
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        folder="Run",
        runner="run run_notebook",
    )
