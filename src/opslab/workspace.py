"""Where things are: the workspace, its paths, and what the installed package brings along."""

from __future__ import annotations

import hashlib
import os
import re
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from opslab.errors import did_you_mean

MARKER = "opslab.toml"
VARIABLE = "OPSLAB_WORKSPACE"
PROFILES = "profiles"
"""Folder of the user's own profiles of exports in a workspace."""
_REPORTS, _SAMPLE = "OPSLAB_REPORTS", "OPSLAB_SAMPLE"


def root() -> Path:
    """Return the folder from which relative paths in parameters start.

    It is the folder named by the environment variable ``OPSLAB_WORKSPACE`` (the runner sets it), or
    the nearest folder upwards that holds ``opslab.toml``, or the current folder.
    """
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named).absolute()
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / MARKER).is_file()), here)


def reports() -> Path:
    """Return the folder that runs are being filed in, else ``reports`` at the root.

    A run finds the runs that it cites there, beside where it will stand itself.
    """
    named = os.environ.get(_REPORTS)
    return Path(named) if named else root() / "reports"


@contextmanager
def filing_in(folder: Path) -> Iterator[None]:
    """Make a folder the one of the reports, for this process and the kernels that it starts."""
    with _set(_REPORTS, str(folder)):
        yield


@contextmanager
def _set(name: str, value: str) -> Iterator[None]:
    """Set a variable of the environment, for this process and those that it starts."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def profiles() -> list[Path]:
    """Return the workspace's own profiles of exports."""
    return sorted((root() / PROFILES).glob("*.yaml"))


def is_meant() -> bool:
    """Whether this is a workspace: one that was named, a folder that holds ``opslab.toml``.

    Or else one for the sample, which was asked for.
    """
    return bool(os.environ.get(VARIABLE)) or _lends() or (root() / MARKER).is_file()


def enter() -> None:
    """Make the workspace the working folder of a notebook's kernel; elsewhere do nothing.

    JupyterLab, VS Code and nbval start a kernel in the notebook's folder, `opslab run` in the
    workspace: so a path of a cell means the same file in all of them. Modules beside the notebook
    are found as before.
    """
    kernel = sys.modules.get("ipykernel.kernelapp")
    if kernel is None or not kernel.IPKernelApp.initialized() or not is_meant():
        return
    start, folder = str(Path.cwd()), root()
    if "" in sys.path:  # it stands for the working folder
        sys.path.insert(sys.path.index(""), start)
    if folder.is_dir():
        os.chdir(folder)


def _lends() -> bool:
    return os.environ.get(_SAMPLE) == "1"


@contextmanager
def with_sample(*, wanted: bool = True) -> Iterator[None]:
    """Let the sample that the package brings stand for the files of its names that are missing.

    Nowhere else: an analysis of the sample must not be taken for one of the user's own data.
    """
    with _set(_SAMPLE, "1" if wanted else os.environ.get(_SAMPLE, "")):
        yield


def resolve(path: str | Path) -> Path:
    """Return a path of a parameter as an absolute one.

    A relative path starts at the workspace's root. A notebook that is not there is the one that the
    package brings; so is a file of ``data/sample`` inside of `with_sample`.
    """
    given = expanded(path)
    if given.is_absolute():
        return given
    here, brought = root() / given, bundled(given.as_posix())
    lent = _lends() or given.parts[:1] == ("notebooks",)
    return brought if lent and is_there(brought) and not is_there(here) else here


def expanded(path: str | Path) -> Path:
    """Return a path with ``~`` as the home folder; a name such as ``~$data.csv`` stays as it is."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def is_there(path: Path, *, file: bool = False) -> bool:
    """Whether something (with ``file``: a file) is at a path; no where none can be."""
    try:
        return path.is_file() if file else path.exists()
    except (OSError, ValueError):
        return False


def bundled(path: str) -> Path:
    """Return where the package keeps ``notebooks/…``, ``data/…``: in the wheel or the checkout."""
    package = Path(__file__).parent
    inside = package / "_bundled"
    return (inside if inside.is_dir() else package.parents[1]) / path


def shown(path: str | Path) -> str:
    """Return a path as a reader is shown it: from the reports or the root, else the bare name.

    A readout goes to people who need not learn the folders of the machine that made it.
    """
    given = Path(path)
    for base in (reports(), root(), bundled(".")):
        try:
            return given.resolve().relative_to(base.resolve()).as_posix()
        except (OSError, RuntimeError, ValueError):  # outside, or no path that a file can have
            continue
    return given.name


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def near_name(path: Path) -> str | None:
    """Return the file in the same folder whose name comes closest to one that is not there."""
    try:
        names = sorted(other.name for other in path.parent.iterdir())
    except OSError:
        return None
    return did_you_mean(path.name, names)


def slug(title: str) -> str:
    """Return a title as a safe folder name: lower-case ASCII letters, digits and single hyphens.

    Examples
    --------
    >>> slug("Élan de l'été: 50 % off?")
    'elan-de-l-ete-50-off'
    """
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].rstrip("-")
