"""A notebook that JupyterLab, papermill or a scheduler executed, filed as `opslab run` would."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from opslab import workspace
from opslab.archive import language_of
from opslab.errors import BlockingCheckError, InputError, Problem
from opslab.messages import Language
from opslab.runs import notebook_file, own_notebooks
from opslab.runs.cells import drop_exploration, first_line, is_exploration
from opslab.runs.folder import Run
from opslab.runs.job import Job
from opslab.runs.parameters_cell import values_in
from opslab.runs.publication import Publication, publication
from opslab.runs.registry import Notebook, notebooks
from opslab.runs.runner import reports_folder, run_of
from opslab.version import __version__


@dataclass(frozen=True)
class Executed:
    """A notebook that was executed from top to bottom.

    Attributes
    ----------
    file : str
        As the user named it.
    registered : Notebook
    notebook : nbformat.NotebookNode
    values : Mapping
        The parameters it ran with.
    published : Publication or None
        None where a notebook of the workspace's own publishes no result.
    """

    file: str
    registered: Notebook
    notebook: Any
    values: Mapping[str, Any]
    published: Publication | None

    @property
    def language(self) -> Language:
        """The language it ran with, for what is said of it; English where it is none of ours."""
        return language_of(self.values)


def read_executed(file: str | Path) -> Executed:
    """Read an executed notebook; raises `InputError` unless it is one whole run of one."""
    name = str(file)
    try:
        path = workspace.expanded(file)
        notebook = _read(path)
        registered = _registered(notebook, path)
        explored = [cell for cell in _code_cells(notebook) if is_exploration(cell)]
        drop_exploration(notebook)
        _refuse_partial(_without_stop(notebook), explored)
        values, published = values_in(notebook), publication(notebook)
        if published is None and registered.file is None:
            raise InputError.of("runs.nothing_published")
    except InputError as error:
        raise InputError(*(replace(problem, file=name) for problem in error.problems)) from None
    return Executed(name, registered, notebook, values, published)


def file_executed(executed: Executed, out: str | Path) -> Run:
    """File what `read_executed` returned: the same folder and bytes as `opslab run` would make.

    What that has filed already is used again.

    Parameters
    ----------
    executed : Executed
    out : path
        Folder of the reports; a relative one starts at the workspace's root.

    Raises
    ------
    InputError
        When it is no run on the inputs as they are now.
    """
    reports = reports_folder(out)
    with workspace.filing_in(reports):
        job = Job.of(executed.registered, executed.values, reports, executed.notebook)
    _refuse_other(executed, job)
    run = run_of(job, lambda *_: executed.notebook, rendered=True)
    published = executed.published
    if published and run.result() != json.loads(json.dumps(published.record)):
        raise InputError.of("runs.not_as_run", file=executed.file, run=job.run_id)
    return run


def _read(path: Path) -> Any:
    if not workspace.is_there(path, file=True):
        raise InputError.of("runs.no_file", near=workspace.near_name(path))
    return notebook_file.read(path)


def _without_stop(notebook: Any) -> Any:
    """Return a notebook without the error by which `report.publish` told of a red check.

    It comes after all that the notebook has to show; what is filed tells the same.
    """
    notebook_file.drop_error_marks(notebook)
    for last in _code_cells(notebook)[-1:]:
        match last.outputs:
            case [*shown, {"output_type": "error", "ename": BlockingCheckError.__name__}]:
                last.outputs = shown
    return notebook


def _code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def _registered(notebook: Any, path: Path) -> Notebook:
    """Return which notebook this is: by the mark that it bears, by papermill's note, by its file.

    One of the workspace's own tells all that is to be known of it, wherever it has been put.
    """
    noted = notebook.metadata.get("papermill", {}).get("input_path")
    name = own_notebooks.mark_of(notebook, "notebook")
    if name in notebooks():
        return notebooks()[name]
    own = own_notebooks.of(notebook, path, name or Path(str(noted or path)).stem)
    if own.name in notebooks():
        raise InputError.of("runs.own_takes", name=own.name)
    return own


def _refuse_partial(notebook: Any, explored: Sequence[Any]) -> None:
    """Raise unless each cell ran once, in order, in a fresh kernel, without an error.

    A gap in their count is where something else ran before they published, and the number of a
    cell of exploration tells whether it was that. Without a gap it ran later, or never.
    """
    for count, cell in enumerate(_code_cells(notebook), 1):
        for output in cell.outputs:
            if output.output_type == "error":
                values = {"cell": cell.id, "name": output.ename, "reason": output.evalue}
                raise InputError(Problem("runs.cell_error", values))
        if cell.execution_count != count:
            for other in explored:
                if other.execution_count == count:
                    values = {"cell": other.id, "first": first_line(other)}
                    raise InputError(Problem("runs.explored_before", values))
            raise InputError.of("runs.not_in_one_go", cell=cell.id)


def _refuse_other(executed: Executed, job: Job) -> None:
    """Raise when what the notebook published is not what its parameters and the files give now."""
    registered, published = executed.registered, executed.published
    if published is None or (
        registered.file and not registered.origin
    ):  # what it reads is its own affair
        return
    held, about, file = published.held, published.about, executed.file
    ran = about.opslab or __version__
    if ran != __version__:
        raise InputError.of("runs.other_version", file=file, ran=ran, here=__version__)
    same_day = held.as_of in {None, job.inputs.as_of}
    if not same_day or about.language not in {None, job.language}:
        raise InputError.of("runs.other_values", file=file)
    read = sorted((named.file, named.sha256) for named in held.inputs)
    given = sorted((named["file"], named["sha256"]) for named in job.content["inputs"])
    names, given_names = ([name for name, _ in files] for files in (read, given))
    if names != given_names:
        values = {"read": names or ["-"], "named": given_names}
        raise InputError(Problem("runs.other_inputs", values, file))
    changed = sorted({name for name, _ in set(given) - set(read)})
    InputError.refuse([Problem("runs.input_changed", {"notebook": file}, name) for name in changed])
