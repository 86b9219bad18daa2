"""Runs of notebooks: checked before a kernel starts, executed, filed in a folder that repeats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opslab.runs.folder import Run


def run(notebook: str, /, *, out: str = "reports", force: bool = False, **parameters: Any) -> Run:
    """Run a notebook and file its readout; the same inputs find the same folder and do no work.

    Parameters
    ----------
    notebook : str
        One of ``opslab list``.
    out : str
        Folder of the reports; a relative one starts at the workspace's root.
    force : bool
        Run it even when its folder is there.
    **parameters
        As ``opslab describe NOTEBOOK`` lists them.

    Returns
    -------
    Run

    Raises
    ------
    InputError
        When the user must correct something; before any kernel starts where it can be known.
    RunError
        When the run was cut short.
    """
    from opslab.runs.runner import run_notebook

    return run_notebook(notebook, parameters, out=out, force=force)
