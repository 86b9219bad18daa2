"""A run that is to be made: what goes in, and the hash by which it is known."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from opslab import workspace
from opslab.errors import MachineError
from opslab.messages import Language
from opslab.parameters import Inputs, Parameters
from opslab.runs.environment import environment
from opslab.runs.folder import machine_errors, run_id
from opslab.runs.parameters_cell import holds_parameters
from opslab.runs.registry import Notebook

Progress = Callable[[int, int, str], None]
"""Is told the number of the code cell at work, how many there are, and the cell's name."""
_Content = TypeVar("_Content")


@dataclass(frozen=True)
class Limits:
    """How long a run may take, in seconds; None sets no limit."""

    run_seconds: float | None = None
    cell_seconds: int | None = None


NO_LIMITS = Limits()


@dataclass(frozen=True)
class Job:
    """A run that is to be made, checked as far as it can be before a kernel starts.

    Attributes
    ----------
    notebook : Notebook
    parameters : Parameters
    inputs : Inputs
    files : sequence of Mapping
        ``file`` (its name as a reader is shown it) and ``sha256`` of every input.
    digest : str
        The SHA-256 of all that could change the readout.
    reports : Path
    """

    notebook: Notebook
    parameters: Parameters
    inputs: Inputs
    files: Sequence[Mapping[str, str]]
    digest: str
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
        inputs = parameters.inputs()
        source = source_digest(executed) if executed else content_of(notebook, _file_digest)
        with machine_errors(notebook.path):
            files = [
                {"file": workspace.shown(path), "sha256": workspace.sha256(path)}
                for path in inputs.files
            ]
        content = {
            "notebook": notebook.name,
            "source": source,
            "parameters": _stated(parameters),
            "as_of": inputs.as_of.isoformat(),
            "files": files,
            "versions": environment(),
        }
        canonical = json.dumps(content, sort_keys=True).encode()
        digest = hashlib.sha256(canonical).hexdigest()
        return cls(notebook, parameters, inputs, files, digest, reports)

    @property
    def language(self) -> Language:
        """The language of the readout."""
        return self.parameters.language

    @property
    def run_id(self) -> str:
        """The folder under the reports in which the run will stand."""
        return run_id(self.notebook.name, self.inputs.name, self.inputs.as_of, self.digest)

    @property
    def target(self) -> Path:
        """That folder itself."""
        return self.reports / self.run_id

    def about(self, status: str, headline: str, seconds: Sequence[float]) -> dict[str, Any]:
        """Return what ``run.json`` tells of every run; seconds are those that each cell took."""
        stated = _stated(self.parameters)
        return {
            "schema": "opslab.run/1",
            "notebook": self.notebook.name,
            "name": self.inputs.name,
            "as_of": self.inputs.as_of.isoformat(),
            "status": status,
            "headline": headline,
            "parameters": stated,
            "inputs": self.files,
            "versions": environment(),
            "seed": stated.get("seed"),
            "seconds_per_cell": seconds,
            "digest": self.digest,
        }


def content_of(notebook: Notebook, read: Callable[[Path], _Content]) -> _Content:
    """Return what is read of a notebook's file; raises `MachineError` where it is not whole."""
    try:
        with machine_errors(notebook.path):
            return read(notebook.path)
    except ValueError:
        raise MachineError.of("runs.bad_notebook", file=str(notebook.path)) from None


def source_digest(notebook: Mapping[str, Any]) -> str:
    """Return the SHA-256 of what a notebook does and says: its cells, no outputs, no parameters.

    Raises ValueError for what is no notebook.
    """
    try:
        cells = [
            [cell["cell_type"], cell["metadata"].get("tags", []), "".join(cell["source"])]
            for cell in notebook["cells"]
            if not holds_parameters(cell)
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(str(error)) from None
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()


def _file_digest(path: Path) -> str:
    return source_digest(json.loads(path.read_text(encoding="utf-8")))


def _stated(parameters: Parameters) -> dict[str, Any]:
    """Return the parameters that have a value."""
    return {name: value for name, value in parameters.given().items() if value != ""}
