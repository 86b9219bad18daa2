"""Running a notebook: check, execute, collect, file."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from opslab import workspace
from opslab.errors import MachineError, OpslabError, Problem, RunError, exit_code_of
from opslab.evidence import RECORD_TYPE
from opslab.messages import Language, numbers, text
from opslab.parameters import Parameters
from opslab.runs import folder as folders
from opslab.runs.folder import NOTEBOOK, READOUT, RESULT, RUN, Identity, Run
from opslab.runs.registry import Notebook, find

_LARGEST_RECORD = 1_000_000


class NotebookError(OpslabError):
    """The notebook stopped with an error; the class of that error, in the kernel, decides the exit code.

    Attributes
    ----------
    exit_code : int
    failed : Path
        The folder with what the run got.
    """

    def __init__(self, *problems: Any, exit_code: int = 1, failed: Path | None = None) -> None:
        super().__init__(*problems)
        self.exit_code = exit_code
        self.failed = failed


def run_notebook(
    name: str,
    given: Mapping[str, Any],
    *,
    out: str | Path = "reports",
    force: bool = False,
    timeout: int | None = None,
) -> Run:
    """Run a notebook and file its readout; see `opslab.run`.

    Parameters
    ----------
    name : str
    given : Mapping
        Parameters as the user gave them.
    out : path
    force : bool
    timeout : int, optional
        Seconds that one cell may take.
    """
    notebook, parameters, identity = prepare(name, given)
    reports = Path(out).expanduser()
    reports = reports if reports.is_absolute() else workspace.root() / reports
    known = None if force else folders.existing(reports, identity)
    if known is not None:
        return known
    return _run(notebook, parameters, identity, reports, timeout)


def prepare(name: str, given: Mapping[str, Any]) -> tuple[Notebook, Parameters, Identity]:
    """Check everything that can be known before a kernel starts; raises `InputError` with all mistakes."""
    notebook = find(name)
    parameters = notebook.parameters().of(**given)
    inputs = parameters.inputs()
    if not notebook.path.is_file():
        raise MachineError.of("runs.missing_notebook", file=str(notebook.path))
    return notebook, parameters, folders.identify(name, notebook.path, parameters, inputs)


def _run(
    notebook: Notebook, parameters: Parameters, identity: Identity, reports: Path, timeout: int | None
) -> Run:
    target = reports / identity.run_id
    with folders.working_folder(reports, identity) as working:
        from opslab.runs.execute import execute, write

        threading.Thread(target=_load_page, daemon=True).start()  # while the kernel starts and works
        done = execute(notebook.path, parameters.given(), working, cell_timeout=timeout)
        record = _record(done.notebook)
        if done.failure is not None or record is None:
            failed = _file_failure(working, target, done.notebook)
            raise _error(done.failure, failed)
        headline = _headline(done.notebook)
        status = str(record["status"])
        content = json.dumps(record, ensure_ascii=False, allow_nan=False)
        if len(content) > _LARGEST_RECORD:
            raise RunError.of("runs.record_size", bytes=len(content), most=_LARGEST_RECORD)
        from opslab.report.page import render

        write(done.notebook, working / NOTEBOOK)
        page = render(done.notebook, footer(identity, parameters.language), parameters.language)
        (working / READOUT).write_text(page, encoding="utf-8")
        folders.write_json(working / RESULT, record)
        told = folders.describe(identity, status=status, headline=headline, seconds=done.seconds)
        folders.write_json(working / RUN, told)
        folders.file_away(working, target)
    shutil.rmtree(target.with_name(target.name + ".failed"), ignore_errors=True)
    return Run(target, status, headline)


def footer(identity: Identity, language: Language) -> list[tuple[str, str]]:
    """Return what the page says of its run."""
    inputs = " · ".join(f"{file['file']} ({file['sha256'][:8]})" for file in identity.files)
    return [
        (text("report.run", language), identity.run_id),
        (text("report.as_of", language), numbers.date(identity.inputs.as_of, language=language)),
        (text("report.spec", language), inputs),
        (text("report.version", language), f"opslab {identity.versions['opslab']}"),
    ]


def _load_page() -> None:
    import opslab.report.page  # noqa: F401 - loading is the point


def _published(notebook: Any) -> Mapping[str, Any] | None:
    """Return the data of the last output that carries a record."""
    found = None
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if RECORD_TYPE in output.get("data", {}):
                found = output.data
    return found


def _record(notebook: Any) -> dict[str, Any] | None:
    published = _published(notebook)
    return dict(published[RECORD_TYPE]) if published else None


def _headline(notebook: Any) -> str:
    published = _published(notebook)
    return str(published.get("text/plain", "")) if published else ""


def _file_failure(working: Path, target: Path, notebook: Any) -> Path:
    """File what a failed run got beside the place of a good one, which stays as it is."""
    from opslab.runs.execute import write

    failed = target.with_name(target.name + ".failed")
    write(notebook, working / NOTEBOOK)
    shutil.rmtree(failed, ignore_errors=True)
    folders.file_away(working, failed)
    return failed


def _error(failure: Any, failed: Path) -> OpslabError:
    where = str(failed)
    if failure is None:
        return NotebookError(Problem("runs.no_record", {}, where), failed=failed)
    problem = Problem(f"runs.{failure.kind}", {"reason": failure.text}, where)
    if failure.kind == "error":
        code = exit_code_of(failure.name)
        key = "runs.error" if code == 1 else "runs.reason"
        said = [
            Problem(key, {"reason": line, "name": failure.name}) for line in failure.text.splitlines() or [""]
        ]
        return NotebookError(*said, exit_code=code, failed=failed)
    return NotebookError(problem, exit_code=RunError.exit_code, failed=failed)
