"""Filing a notebook that JupyterLab, papermill or a scheduler executed, as `opslab run` would have."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opslab import workspace
from opslab.errors import InputError, ParameterError, Problem
from opslab.evidence import RECORD_TYPE
from opslab.messages import LANGUAGES, Language
from opslab.runs import folder as folders
from opslab.runs.filing import PARAMETERS, file_readout, publication, values_in
from opslab.runs.folder import STATUSES, Identity, Run
from opslab.runs.registry import NOTEBOOKS, Notebook, find
from opslab.runs.runner import failed_folder
from opslab.version import __version__


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
    record : Mapping
        What it published.
    about : Mapping
        What was noted beside the record: language, version of opslab.
    """

    file: str
    registered: Notebook
    notebook: Any
    values: Mapping[str, Any]
    record: Mapping[str, Any]
    about: Mapping[str, Any]

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
    values = _values(notebook, name)
    return Executed(name, registered, notebook, values, *_publication(notebook, name))


def file_executed(executed: Executed, out: str | Path = "reports") -> Run:
    """File what `read_executed` found; a run that is filed already is used again."""
    parameters = executed.registered.parameters().of(**executed.values)
    notebook = executed.notebook
    reports = workspace.root() / workspace.expanded(out)
    with workspace.filing_in(reports):
        identity = folders.identify(
            executed.registered.name, notebook, parameters, parameters.inputs()
        )
    _refuse_other(executed, identity, parameters.language)
    target = reports / identity.run_id
    with folders.alone(reports, identity):
        known = folders.existing(reports, identity)
        if known is not None:
            return known
        with folders.working_folder(reports, identity) as working:
            run = file_readout(
                working, target, notebook, identity, parameters.given(), parameters.language
            )
    shutil.rmtree(failed_folder(target), ignore_errors=True)
    return run


def _read(path: Path, name: str) -> Any:
    """Return a notebook of format 4 from a file, checked against the format's schema."""
    if not workspace.is_there(path, file=True):
        near = workspace.near_name(path)
        raise InputError.of("runs.no_file", file=name, near=near)
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
    except (
        nbformat.ValidationError,
        KeyError,
        TypeError,
        AttributeError,
        ValueError,
        RecursionError,
    ):
        raise InputError.of("runs.no_notebook", file=name) from None


def _refuse_partial(notebook: Any, name: str) -> None:
    """Raise unless each cell ran once, in order, in a fresh kernel, without an error."""
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


def _publication(notebook: Any, name: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return the record and what was noted beside it."""
    output = publication(notebook)
    record = output.data[RECORD_TYPE] if output is not None else None
    about = output.metadata.get(RECORD_TYPE, {}) if output is not None else None
    try:
        json.dumps(record, allow_nan=False)
    except ValueError:
        record = None
    if (
        not isinstance(record, Mapping)
        or not isinstance(about, Mapping)
        or record.get("status") not in STATUSES
    ):
        raise InputError.of("runs.nothing_published", file=name)
    return record, about


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
    record, about = executed.record, executed.about
    ran = about.get("opslab", __version__)
    if ran != __version__:
        raise InputError.of("runs.other_version", file=executed.file, ran=ran, here=__version__)
    as_of = identity.inputs.as_of.isoformat()
    if record.get("as_of", as_of) != as_of or about.get("language", language) != language:
        raise InputError.of("runs.other_values", file=executed.file)
    read = _files(record.get("inputs"))
    named = _files(identity.files)
    if read == named:
        return
    names = ([file for file, _ in read] or ["-"], [file for file, _ in named])
    if names[0] != names[1]:
        raise InputError.of("runs.other_inputs", file=executed.file, read=names[0], named=names[1])
    changed = sorted({file for file, _ in set(named) - set(read)})
    raise InputError(
        *(Problem("runs.input_changed", {"notebook": executed.file}, file) for file in changed)
    )


def _files(told: Any) -> list[tuple[str, str]]:
    """Return names and hashes of files in order; nothing where a record tells them in another shape."""
    try:
        return sorted((str(one["file"]), str(one["sha256"])) for one in told)
    except (KeyError, TypeError):
        return []
