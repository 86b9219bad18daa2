"""The run folder: its name says what went in, and it is there whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from opslab import workspace
from opslab.errors import CHECK_FAILED, MachineError
from opslab.parameters import Inputs, Parameters
from opslab.version import __version__

READOUT, NOTEBOOK, RESULT, RUN = "readout.html", "notebook.ipynb", "result.json", "run.json"
FILE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,60}\.(csv|pdf|xlsx)", re.ASCII)
"""Of what a run may bring beside its four."""
STATUSES = ("complete", "check_failed")
"""Of a whole run; one that failed has no readout."""
_EXTRA = "extra"
_OPTIONAL = ("typst", "sentence-transformers")
"""Not required, and a readout is another one with them than without."""


@dataclass(frozen=True)
class Run:
    """A run and where it is filed.

    Attributes
    ----------
    folder : Path
    status : str
        ``complete``, or ``check_failed`` for a complete readout whose blocking check is red.
    headline : str
    reused : bool
        Whether the folder was there already, and no work was done.
    """

    folder: Path
    status: str
    headline: str
    reused: bool = False

    @property
    def readout(self) -> Path:
        """The page."""
        return self.folder / READOUT

    @property
    def exit_code(self) -> int:
        """0, or 3 when a blocking check is red."""
        return CHECK_FAILED if self.status == "check_failed" else 0

    def result(self) -> dict[str, Any]:
        """Return the record."""
        return dict(json.loads((self.folder / RESULT).read_text(encoding="utf-8")))


@dataclass(frozen=True)
class Identity:
    """What a run's folder is named by, and what stands behind its hash."""

    notebook: str
    inputs: Inputs
    parameters: Mapping[str, Any]
    files: tuple[Mapping[str, str], ...]
    versions: Mapping[str, str]
    digest: str

    @property
    def run_id(self) -> str:
        """``notebook/name/as_of-hash8``: the folder under the reports."""
        return (
            f"{self.notebook}/{self.inputs.name}/{self.inputs.as_of.isoformat()}-{self.digest[:8]}"
        )


def source_digest(notebook: Mapping[str, Any]) -> str:
    """Return the SHA-256 of what a notebook does and says: its cells, apart from outputs and parameters."""
    cells = []
    for cell in notebook["cells"]:
        tags = cell["metadata"].get("tags", [])
        if not {"parameters", "injected-parameters"} & set(tags):
            cells.append([cell["cell_type"], tags, "".join(cell["source"])])
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()


def identify(
    notebook: str, source: Mapping[str, Any], parameters: Parameters, inputs: Inputs
) -> Identity:
    """Return a run's identity: it changes when anything that could change the readout does.

    Parameters
    ----------
    notebook : str
        Its registered name.
    source : Mapping
        The notebook itself, executed or not.
    parameters : Parameters
    inputs : Inputs
    """
    given = {name: value for name, value in parameters.given().items() if value != ""}
    files = tuple(
        {"file": workspace.shown(path), "sha256": workspace.sha256(path)} for path in inputs.files
    )
    versions = environment()
    content = {
        "notebook": notebook,
        "source": source_digest(source),
        "parameters": given,
        "as_of": inputs.as_of.isoformat(),
        "files": files,
        "versions": versions,
    }
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=True).encode()
    return Identity(notebook, inputs, given, files, versions, hashlib.sha256(canonical).hexdigest())


@cache
def environment() -> Mapping[str, str]:
    """Return the versions that stand behind a run: opslab's own code, Python, and what it imports."""
    code = hashlib.sha256()
    package = Path(__file__).parents[1]
    for path in sorted(package.rglob("*")):
        bundled = "_bundled" in path.parts
        if path.is_file() and path.suffix != ".pyc" and not bundled:
            code.update(
                path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes() + b"\0"
            )
    versions = {"opslab": __version__, "opslab code": code.hexdigest()[:16]}
    versions["python"] = ".".join(platform.python_version_tuple()[:2])
    found = _dependencies("opslab", {})
    for name in _OPTIONAL:
        with suppress(PackageNotFoundError):
            found[name] = distribution(name).version
    return versions | dict(sorted(found.items()))


def _dependencies(name: str, found: dict[str, str]) -> dict[str, str]:
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    try:
        requirements = distribution(name).requires or []
    except PackageNotFoundError:
        return found
    for line in requirements:
        requirement = Requirement(line)
        other = canonicalize_name(requirement.name)
        if other in found or (requirement.marker and not requirement.marker.evaluate({_EXTRA: ""})):
            continue
        try:
            found[other] = distribution(other).version
        except PackageNotFoundError:
            continue
        _dependencies(other, found)
    return found


def existing(out: Path, identity: Identity) -> Run | None:
    """Return the run that is filed already under this identity, if it is whole."""
    folder = out / identity.run_id
    try:
        known = json.loads((folder / RUN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if known.get("digest") != identity.digest or not (folder / READOUT).is_file():
        return None
    return Run(folder, known["status"], known["headline"], reused=True)


@contextmanager
def alone(out: Path, identity: Identity) -> Iterator[None]:
    """Keep the same run from being made twice at once; raises `MachineError` when another one is at it."""
    from filelock import FileLock, Timeout

    target = str((out / identity.run_id).resolve())
    name = f"opslab-{hashlib.sha256(target.encode()).hexdigest()[:16]}.lock"
    lock = FileLock(Path(tempfile.gettempdir()) / name, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise MachineError.of("runs.overlap", file=identity.run_id) from None
    except OSError as error:
        raise machine_error(error, Path(tempfile.gettempdir())) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def working_folder(out: Path, identity: Identity) -> Iterator[Path]:
    """Give a folder to write in, beside the place where the run will stand."""
    parent = (out / identity.run_id).parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{identity.digest[:8]}-", dir=parent))
    except OSError as error:
        raise machine_error(error, parent) from error
    try:
        folder.chmod(0o777 & ~_umask())
        yield folder
    except OSError as error:
        raise machine_error(error, folder) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def file_away(folder: Path, target: Path) -> None:
    """Move a whole working folder to its name; one that stands there already gives way at once."""
    if not target.exists():
        try:
            folder.rename(target)
        except OSError:
            if not target.exists():
                raise
        else:
            return
    old = target.with_name(f".old-{folder.name}")
    target.rename(old)
    folder.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON the same way each time: UTF-8, indented, without NaN."""
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def describe(
    identity: Identity, *, status: str, headline: str, seconds: Sequence[float]
) -> dict[str, Any]:
    """Return what ``run.json`` holds."""
    return {
        "schema": "opslab.run/1",
        "notebook": identity.notebook,
        "name": identity.inputs.name,
        "as_of": identity.inputs.as_of.isoformat(),
        "status": status,
        "headline": headline,
        "parameters": dict(identity.parameters),
        "inputs": [dict(file) for file in identity.files],
        "versions": dict(identity.versions),
        "seed": identity.parameters.get("seed"),
        "seconds_per_cell": [round(value, 3) for value in seconds],
        "digest": identity.digest,
    }


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def machine_error(error: OSError, path: Path) -> MachineError:
    """Return the error that tells what the machine refused, and where."""
    reason = error.strerror or str(error)
    return MachineError.of("runs.machine", file=str(error.filename or path), reason=reason)
