"""Running a notebook: check, execute, file; and when it fails, say so truly and keep what it got."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opslab import workspace
from opslab.errors import MachineError, OpslabError, Problem, RunError, exit_code_of
from opslab.messages import text
from opslab.parameters import Parameters
from opslab.runs import folder as folders
from opslab.runs.folder import NOTEBOOK, RUN, Identity, Run
from opslab.runs.registry import Notebook, find

if TYPE_CHECKING:
    from opslab.runs.execute import Failure

FAILURE = "failure.html"


class NotebookError(OpslabError):
    """A notebook did not come to its end; for an error in a cell, that error's class decides the exit code.

    Attributes
    ----------
    exit_code : int
    folder : Path
        What the run got.
    """

    def __init__(self, *problems: Problem, exit_code: int, folder: Path) -> None:
        super().__init__(*problems)
        self.exit_code = exit_code
        self.folder = folder


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
    return run_notebook(notebook, parameters, out=out, force=force)


def run_notebook(
    name: str,
    given: Mapping[str, Any],
    *,
    out: str | Path = "reports",
    force: bool = False,
    run_seconds: float | None = None,
    cell_seconds: int | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> Run:
    """Run a notebook and file its readout; see `opslab.run`.

    Parameters
    ----------
    name : str
    given : Mapping
        Parameters as the user gave them.
    out : path
    force : bool
    run_seconds, cell_seconds : optional
        How long the whole run, and one cell of it, may take.
    progress : callable, optional
        Is told the number of the code cell at work, how many there are, and the cell's name.
    """
    reports = workspace.root() / workspace.expanded(out)
    with workspace.filing_in(reports):
        notebook, parameters, identity = prepare(name, given)
        known = None if force else folders.existing(reports, identity)
        if known is not None:
            return known
        with folders.alone(reports, identity):
            known = None if force else folders.existing(reports, identity)  # made while we waited
            if known is not None:
                return known
            return _run(
                notebook, parameters, identity, reports, run_seconds, cell_seconds, progress
            )


def prepare(name: str, given: Mapping[str, Any]) -> tuple[Notebook, Parameters, Identity]:
    """Check everything that can be known before a kernel starts; raises `InputError` with all mistakes."""
    notebook = find(name)
    parameters = notebook.parameters().of(**given)
    inputs = parameters.inputs()
    try:
        source = json.loads(notebook.path.read_text(encoding="utf-8"))
        return notebook, parameters, folders.identify(name, source, parameters, inputs)
    except OSError as error:
        raise folders.machine_error(error, notebook.path) from error
    except (ValueError, KeyError, TypeError):
        raise MachineError.of("runs.bad_notebook", file=str(notebook.path)) from None


def _run(
    notebook: Notebook,
    parameters: Parameters,
    identity: Identity,
    reports: Path,
    run_seconds: float | None,
    cell_seconds: int | None,
    progress: Callable[[int, int, str], None] | None,
) -> Run:
    from opslab.runs.execute import Failure, Limits, execute, read

    target = reports / identity.run_id
    with folders.working_folder(reports, identity) as working:
        threading.Thread(
            target=_load_page, daemon=True
        ).start()  # while the kernel starts and works
        from opslab.runs.filing import file_readout, published

        source = read(notebook.path)
        told = _teller(source, progress)
        done = execute(source, parameters.given(), working, Limits(run_seconds, cell_seconds), told)
        failure = done.failure
        if failure is None and published(done.notebook) is None:
            failure = Failure("no_record")
        if failure is not None:
            raise _file_failure(failure, done.notebook, working, target, identity, parameters)
        run = file_readout(
            working, target, done.notebook, identity, parameters.given(), parameters.language
        )
    shutil.rmtree(failed_folder(target), ignore_errors=True)
    return run


def failed_folder(target: Path) -> Path:
    """Return where a run that failed keeps what it got: beside the place of a good one."""
    return target.with_name(target.name + ".failed")


def _teller(
    notebook: Any, progress: Callable[[int, int, str], None] | None
) -> Callable[[int], None]:
    """Return what turns the place of a cell, in the notebook as papermill runs it, into progress."""
    code = [cell["id"] for cell in notebook.cells if cell.cell_type == "code"]
    injected = next(
        (
            place + 1
            for place, cell in enumerate(notebook.cells)
            if "parameters" in cell.metadata.get("tags", [])
        ),
        len(notebook.cells) + 1,
    )

    def tell(place: int) -> None:
        if progress is None or place == injected:
            return
        cell = notebook.cells[place - (place > injected)]
        progress(code.index(cell["id"]) + 1, len(code), cell["id"])

    return tell


def _load_page() -> None:
    import opslab.report.page  # noqa: F401 - loading is the point


def _file_failure(
    failure: Failure,
    notebook: Any,
    working: Path,
    target: Path,
    identity: Identity,
    parameters: Parameters,
) -> NotebookError:
    """File what a failed run got, the error first; a good run of the same name stays as it is."""
    from opslab.report.page import render_failure
    from opslab.runs.execute import write
    from opslab.runs.filing import footer, normal_form

    code, problems = _told(failure, notebook)
    normal, seconds = normal_form(notebook, parameters.given())
    error = NotebookError(*problems, exit_code=code, folder=failed_folder(target))
    language = parameters.language
    write(normal, working / NOTEBOOK)
    kicker = text(f"report.kind_{identity.notebook}", language)
    said = [problem.text(language) for problem in problems]
    page = render_failure(
        normal, kicker, identity.inputs.name, said, footer(identity, language), language
    )
    (working / FAILURE).write_text(page, encoding="utf-8")
    told = folders.describe(
        identity, status="failed", headline=error.text(language), seconds=seconds
    )
    folders.write_json(working / RUN, told | {"failure": failure.kind, "exit_code": code})
    folders.file_away(working, error.folder)
    return error


def _told(failure: Failure, notebook: Any) -> tuple[int, list[Problem]]:
    """Return the exit code of a failure and what is said of it."""
    cell = notebook.cells[failure.cell] if failure.cell is not None and failure.cell >= 0 else None
    name = cell["id"] if cell is not None else "-"
    if failure.kind == "error":
        code = exit_code_of(failure.name)
        lines = [line for line in failure.text.splitlines() if line.strip()] or [failure.name]
        if code != 1:
            return code, [Problem("runs.reason", {"reason": line}) for line in lines]
        return code, [
            Problem("runs.error", {"cell": name, "name": failure.name, "reason": lines[0]})
        ]
    code = 1 if failure.kind == "no_record" else RunError.exit_code
    return code, [Problem(f"runs.{failure.kind}", {"cell": name, "reason": failure.text})]
