"""A notebook run and filed; one that fails says so truly and keeps what it got."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from opslab import workspace
from opslab.errors import InputError
from opslab.runs.cells import drop_exploration
from opslab.runs.failure import Failure
from opslab.runs.folder import Run, alone, discard, filed, machine_errors, recover, working_folder
from opslab.runs.job import Job, Limits, Progress
from opslab.runs.own_notebooks import find
from opslab.scratch import sweep


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
    NotebookError
        When the notebook did not come to its end; it names the folder of what the run got.
    """
    return run_notebook(notebook, parameters, out=out, force=force)


def run_notebook(
    name: str,
    given: Mapping[str, Any],
    *,
    out: str | Path = "reports",
    force: bool = False,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> Run:
    """Run a notebook and file its readout; see `opslab.run`.

    Parameters
    ----------
    name : str
    given : Mapping
        Parameters as the user gave them.
    out : path
    force : bool
    limits : Limits, optional
    progress : callable, optional
    """
    reports = reports_folder(out)
    with workspace.filing_in(reports):
        job = Job.of(find(name), given, reports)
        limits = limits or Limits()
        execute = partial(_executed, job, limits=limits, progress=progress)
        return run_of(job, execute, force=force, seconds=limits.lock_seconds)


def reports_folder(out: str | Path) -> Path:
    """Return the folder to file in, rid of what killed processes have left there.

    Raises `InputError` outside of a workspace: nothing is written where somebody happens to stand.
    """
    if not workspace.is_meant():
        raise InputError.of("runs.no_workspace", file=str(workspace.root()))
    reports = workspace.root() / workspace.expanded(out)
    recover(reports)
    sweep()
    return reports


def run_of(
    job: Job,
    executed: Callable[[Path], Any],
    *,
    force: bool = False,
    rendered: bool = False,
    seconds: int = Limits.lock_seconds,
) -> Run:
    """Return the run that is filed already and still holds, or file a notebook.

    Parameters
    ----------
    job : Job
    executed : callable
        Returns the notebook, executed to its end; takes a folder to work in.
    force : bool
        File it even when it is there.
    rendered : bool
        Whether another program has executed it; what this program has executed goes before.
    seconds : int
        How long to wait for another process that makes the same run.
    """

    def there() -> Run | str | None:
        return None if force else filed(job.target, job.digest)

    run = there()
    if not isinstance(run, Run):
        with machine_errors(job.target):
            job.target.parent.mkdir(parents=True, exist_ok=True)
        with alone(job.target, seconds=seconds):
            run = there()  # it may have been filed in between
            if not isinstance(run, Run):
                run = replace(_file(job, executed, rendered=rendered), altered=run)
    return run


def _file(job: Job, executed: Callable[[Path], Any], *, rendered: bool) -> Run:
    with working_folder(job.target) as working:
        notebook = executed(working)
        from opslab.runs.readout import file_readout

        run = file_readout(job, notebook, working, rendered=rendered)
    discard(job.failed)
    return run


def _executed(job: Job, working: Path, limits: Limits, progress: Progress | None) -> Any:
    """Return the executed notebook; raises `NotebookError` when it does not come to its end."""
    from opslab.runs.execution import execute
    from opslab.runs.notebook_file import ask, read, take_answer
    from opslab.runs.publication import publication

    # Loading the page takes as long as a kernel's start: both at once.
    threading.Thread(target=import_module, args=["opslab.runs.readout"], daemon=True).start()
    source, given = read(job.notebook.path), job.parameters.given()
    drop_exploration(source)
    own = job.notebook.file is not None
    if own:
        ask(source)
    home = job.notebook.path.parent if own else None
    execution = execute(source, given, working, limits, progress, home)
    take_answer(execution.notebook)
    failure = execution.failure
    if failure is None and publication(execution.notebook) is None and not own:
        failure = Failure("no_record")
    if failure is not None and job.is_own:
        failure = failure.in_own(execution.notebook)
    if failure is not None:
        from opslab.runs.readout import file_failure

        raise file_failure(job, failure, execution.notebook, working)
    return execution.notebook
