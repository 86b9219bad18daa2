"""A run that is to be made: what goes in, and the hash by which it is known."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from opslab import workspace
from opslab.archive import run_id, sealed
from opslab.errors import InputError, ParameterError
from opslab.messages import Language
from opslab.parameters import Inputs, Parameters
from opslab.provenance import State, name_of, state_of
from opslab.report.pictures import images_in
from opslab.runs.cells import is_exploration, is_injected, is_own
from opslab.runs.environment import environment
from opslab.runs.folder import MOMENT, failed_beside, machine_errors
from opslab.runs.parameters_cell import values_in
from opslab.runs.registry import Notebook

Progress = Callable[..., None]
"""Is told the number of the code cell at work, how many there are, the cell's name, and when a
long one gets on, its percentage."""


@dataclass(frozen=True)
class Limits:
    """How long a run may take, in seconds (None sets no limit), and wait for another's lock."""

    run_seconds: float | None = None
    cell_seconds: int | None = None
    lock_seconds: int = MOMENT


class Known(NamedTuple):
    """A file that a run is known by: its state before it was hashed, its name, and its hash."""

    before: State
    name: str
    sha256: str


@dataclass(frozen=True)
class Job:
    """A run that is to be made, checked as far as it can be before a kernel starts.

    Attributes
    ----------
    notebook : Notebook
    parameters : Parameters
    inputs : Inputs
    content : Mapping
        What goes in, as ``run.json`` tells it: parameters, hashes of files, versions.
    digest : str
        The SHA-256 of that and of the notebook: of all that could change the readout.
    source : str
        The SHA-256 of what the notebook does and says.
    known : Mapping
        Each file that was hashed.
    reports : Path
    """

    notebook: Notebook
    parameters: Parameters
    inputs: Inputs
    content: Mapping[str, Any]
    digest: str
    source: str
    known: Mapping[Path, Known]
    reports: Path

    @classmethod
    def of(
        cls,
        notebook: Notebook,
        given: Mapping[str, Any],
        reports: Path,
        executed: Mapping[str, Any] | None = None,
    ) -> Job:
        """Return the job of running a notebook, or of filing it when it was executed already.

        Raises `InputError` with all mistakes in parameters, spec and files.
        """
        parameters = notebook.parameters().of(**given)
        inputs = parameters.stands_on()
        content_of_notebook = executed or json_of(notebook.path)
        source = source_digest(content_of_notebook)
        _refuse_more_than_parameters(content_of_notebook, parameters)
        with machine_errors(notebook.path):
            profiles = workspace.profiles()
            images = sorted({*images_in(content_of_notebook, notebook.path.parent).values()})
            known = {
                path: Known(state_of(path), name_of(path), workspace.sha256(path))
                for path in (*inputs.files, *profiles, *images)
            }
        stated = {name: value for name, value in parameters.given().items() if value != ""}
        content = {
            "notebook": notebook.name,
            "as_of": inputs.as_of.isoformat(),
            "parameters": stated,
            "seed": stated.get("seed"),
            "secret": inputs.secret or None,
            "inputs": _hashed(inputs.files, known),
            "profiles": _hashed(profiles, known),
            "versions": environment(),
            **({"images": _hashed(images, known)} if images else {}),
        }
        canonical = json.dumps(content | {"source": source}, sort_keys=True).encode()
        digest = hashlib.sha256(canonical).hexdigest()
        return cls(notebook, parameters, inputs, content, digest, source, known, reports)

    @property
    def language(self) -> Language:
        """The language of the readout."""
        return self.parameters.language

    @property
    def is_own(self) -> bool:
        """Whether its cells are the user's own: not those that the package brings."""
        origin = self.notebook.origin if self.notebook.file else self.notebook.name
        brought = workspace.bundled(f"notebooks/{origin}.ipynb")
        return not origin or source_digest(json_of(brought)) != self.source

    @property
    def run_id(self) -> str:
        """The folder under the reports in which the run will stand."""
        return run_id(self.notebook.name, self.inputs.name, self.inputs.as_of, self.digest)

    @property
    def target(self) -> Path:
        """That folder itself."""
        return self.reports / self.run_id

    @property
    def failed(self) -> Path:
        """The folder beside it where a run that failed keeps what it got."""
        return failed_beside(self.target)

    def about(
        self, status: str, headline: str, seconds: Sequence[float], more: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return what ``run.json`` tells of a run; seconds are those that each cell took."""
        about = {
            "schema": "opslab.run/2",
            "name": self.inputs.name,
            "status": status,
            "headline": headline,
            **self.content,
            "seconds_per_cell": seconds,
            "digest": self.digest,
        }
        return sealed({**about, **more})


def _refuse_more_than_parameters(notebook: Mapping[str, Any], parameters: Parameters) -> None:
    """Raise where the parameters cell, whose values alone are known, holds anything else."""
    model = type(parameters)
    others = [name for name in values_in(notebook) if name not in model.model_fields]
    ParameterError.refuse([model.unknown(name) for name in others])


def _hashed(paths: Iterable[Path], known: Mapping[Path, Known]) -> list[dict[str, str]]:
    return [{"file": workspace.shown(path), "sha256": known[path].sha256} for path in paths]


def json_of(path: Path) -> Any:
    """Return what a notebook's file holds; raises `InputError` when that is no JSON."""
    try:
        with machine_errors(path):
            return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        raise InputError.of("runs.no_notebook", file=str(path)) from None


def source_digest(notebook: Mapping[str, Any]) -> str:
    """Return the SHA-256 of what a notebook does and says: its cells, no outputs, no parameters.

    Exploration is no part of it.

    Raises `InputError` for what is no notebook.
    """
    try:
        cells = [
            [cell["cell_type"], cell["metadata"].get("tags", []), "".join(cell["source"])]
            for cell in notebook["cells"]
            if not is_own(cell) and not is_injected(cell) and not is_exploration(cell)
        ]
    except (KeyError, TypeError, AttributeError):
        raise InputError.of("runs.no_notebook") from None
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()
