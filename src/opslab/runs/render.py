"""Filing a notebook that JupyterLab, papermill or a scheduler executed, as `opslab run` would have."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import opslab
from opslab import workspace
from opslab.errors import InputError, MachineError, ParameterError, Problem
from opslab.evidence import RECORD_TYPE
from opslab.messages import LANGUAGES, Language
from opslab.runs import folder as folders
from opslab.runs.filing import INJECTED, PARAMETERS, file_readout, publication, values_in
from opslab.runs.folder import Identity, Run
from opslab.runs.registry import NOTEBOOKS, Notebook, find
from opslab.runs.runner import failed_folder, reports_folder

_STATUSES = ("complete", "check_failed")


@dataclass(frozen=True)
class Executed:
    """A notebook of ours that was executed from top to bottom.

    Attributes
    ----------
    file : str
        As the user named it.
    registered : Notebook
    notebook : nbformat.NotebookNode
    values : Mapping
        The parameters it ran with.
    """

    file: str
    registered: Notebook
    notebook: Any
    values: Mapping[str, Any]

    @property
    def language(self) -> Language:
        """The language it ran with, for what is said of it; English where it is none of ours."""
        return next((known for known in LANGUAGES if known == self.values.get("language")), "en")


def render_notebook(file: str | Path, *, out: str | Path = "reports") -> Run:
    """File an executed notebook: the same folder and the same bytes as `opslab run` would make.

    Parameters
    ----------
    file : path
        The notebook as it was saved after its execution.
    out : path
        Folder of the reports; a relative one starts at the workspace's root.

    Raises
    ------
    InputError
        When it is no whole, single run of a notebook of ours on the inputs as they are now.
    """
    return file_executed(read_executed(file), out)


def read_executed(file: str | Path) -> Executed:
    """Read an executed notebook and make sure that it is one whole run of a notebook of ours."""
    name = str(file)
    notebook = _read(workspace.expanded(file), name)
    ours = notebook.metadata.get("opslab")
    title = ours.get("notebook") if isinstance(ours, Mapping) else None
    if not isinstance(title, str):
        raise InputError.of("runs.not_ours", file=name, known=[one.name for one in NOTEBOOKS])
    try:
        registered = find(title)
    except ParameterError as error:
        raise InputError(*(Problem(one.key, one.values, name) for one in error.problems)) from None
    _refuse_partial(notebook, name)
    return Executed(name, registered, notebook, _values(notebook, name))


def file_executed(executed: Executed, out: str | Path = "reports") -> Run:
    """File what `read_executed` found; a run that is filed already is used again."""
    parameters = executed.registered.parameters().of(**executed.values)
    source = executed.registered.path
    try:
        registered = json.loads(source.read_text(encoding="utf-8"))
    except OSError as error:
        raise folders.machine_error(error, source) from error
    except ValueError:
        raise MachineError.of("runs.bad_notebook", file=str(source)) from None
    notebook = _as_registered(executed.notebook, registered)
    identity = folders.identify(executed.registered.name, notebook, parameters, parameters.inputs())
    _refuse_other(executed, identity, parameters.language)
    reports = reports_folder(out)
    target = reports / identity.run_id
    with folders.alone(reports, identity):
        known = folders.existing(reports, identity)
        if known is not None:
            return known
        with folders.working_folder(reports, identity) as working:
            run = file_readout(working, target, notebook, identity, parameters.given(), parameters.language)
    shutil.rmtree(failed_folder(target), ignore_errors=True)
    return run


def _read(path: Path, name: str) -> Any:
    """Return a notebook of format 4 from a file, checked against the format's schema."""
    if not workspace.is_there(path, file=True):
        near = workspace.near_name(path)
        raise InputError.of("runs.no_file_near" if near else "runs.no_file", file=name, near=near)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise folders.machine_error(error, path) from error
    except (ValueError, RecursionError):
        raise InputError.of("runs.no_notebook", file=name) from None
    from opslab.startup import without_iri_grammar

    with without_iri_grammar():
        import nbformat
    try:
        for place, cell in enumerate(content["cells"]):
            cell.setdefault("id", f"cell-{place}")  # formats before 4.5 know none
        content["nbformat_minor"] = max(content["nbformat_minor"], 5)
        notebook = nbformat.from_dict(content)
        nbformat.validate(notebook, version=4)
        return nbformat.v4.rwbase.rejoin_lines(notebook)
    except (nbformat.ValidationError, KeyError, TypeError, AttributeError, ValueError, RecursionError):
        raise InputError.of("runs.no_notebook", file=name) from None


def _refuse_partial(notebook: Any, name: str) -> None:
    """Raise unless each cell ran once, in order, in a fresh kernel, without an error, up to the record."""
    count = 0
    for cell in notebook.cells:
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        failed = next((one for one in cell.outputs if one.output_type == "error"), None)
        if failed is not None:
            raise InputError.of(
                "runs.cell_error", file=name, cell=cell.id, name=failed.ename, reason=failed.evalue
            )
        count += 1
        if cell.execution_count != count:
            raise InputError.of("runs.not_in_one_go", file=name, cell=cell.id)
    output = publication(notebook)
    record = output.data[RECORD_TYPE] if output else None
    if not isinstance(record, Mapping) or record.get("status") not in _STATUSES:
        raise InputError.of("runs.nothing_published", file=name)
    try:
        json.dumps(record, allow_nan=False)
    except ValueError:
        raise InputError.of("runs.nothing_published", file=name) from None


def _values(notebook: Any, name: str) -> dict[str, Any]:
    found = [one for one in notebook.cells if PARAMETERS in one.metadata.get("tags", [])]
    if len(found) != 1:
        raise InputError.of("runs.parameters_cell", file=name)
    try:
        return values_in(notebook)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise InputError.of("runs.parameters_cell", file=name) from None


def _refuse_other(executed: Executed, identity: Identity, language: Language) -> None:
    """Raise when what the notebook published is not what its parameters and the files give now."""
    output = publication(executed.notebook)
    record, about = output.data[RECORD_TYPE], output.metadata.get(RECORD_TYPE, {})
    ran = about.get("opslab", opslab.__version__)
    if ran != opslab.__version__:
        raise InputError.of("runs.other_version", file=executed.file, ran=ran, here=opslab.__version__)
    as_of = identity.inputs.as_of.isoformat()
    if record.get("as_of", as_of) != as_of or about.get("language", language) != language:
        raise InputError.of("runs.other_values", file=executed.file)
    read = _files(record.get("inputs"))
    named = _files(identity.files)
    if read == named:
        return
    if [file for file, _ in read] != [file for file, _ in named]:
        names = {"read": [file for file, _ in read] or ["-"], "named": [file for file, _ in named]}
        raise InputError.of("runs.other_inputs", file=executed.file, **names)
    changed = sorted({file for file, _ in set(named) - set(read)})
    raise InputError(*(Problem("runs.input_changed", {"notebook": executed.file}, file) for file in changed))


def _files(told: Any) -> list[tuple[str, str]]:
    """Return names and hashes of files in order; nothing where a record tells them in another shape."""
    try:
        return sorted((str(one["file"]), str(one["sha256"])) for one in told)
    except (KeyError, TypeError):
        return []


def _as_registered(executed: Any, registered: Mapping[str, Any]) -> Any:
    """Return the notebook with the ids and the parameters cell of the registered one it is a copy of.

    Neither is part of a run's identity, so neither may make a difference in what is filed. A notebook whose
    other cells were changed stays as it is: it is another run.
    """
    if folders.source_digest(executed) != folders.source_digest(registered):
        return executed
    given = [cell for cell in executed.cells if PARAMETERS in cell.metadata.get("tags", [])]
    others = iter([cell for cell in executed.cells if not _holds_values(cell["metadata"].get("tags", []))])
    cells = []
    for model in registered["cells"]:
        stands_for_values = _holds_values(model["metadata"].get("tags", []))
        cell = copy.deepcopy(given[0] if stands_for_values else next(others))
        cell["id"] = model["id"]
        cell["source"] = "".join(model["source"])
        cells.append(cell)
    notebook = copy.deepcopy(executed)
    notebook.cells = cells
    return notebook


def _holds_values(tags: Sequence[str]) -> bool:
    return bool({PARAMETERS, INJECTED} & set(tags))
