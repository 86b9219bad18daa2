"""What surrounds a run: fixed variables, and the versions of opslab's code and what it imports."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from sysconfig import get_python_version

from opslab.version import __version__

KERNEL = "OPSLAB_KERNEL"
"""Environment variable: ``fork`` in a batch whose kernels may be forked, else ``start``."""

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
FIXED = {"LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0", "TZ": "UTC", **dict.fromkeys(_THREADS, "1")}
"""What could make two runs differ, in the environment of a kernel."""

LONGEST_FOLDER = 85
"""Of the folder of a socket, whose path may have 103 bytes on macOS and 107 on Linux."""

_OPTIONAL = ("typst", "sentence-transformers")
"""Not required, and a readout is another one with them than without."""


@cache
def environment() -> Mapping[str, str]:
    """Return the versions by name."""
    code = hashlib.sha256()
    package = Path(__file__).parents[1]
    for path in sorted(package.rglob("*")):
        name = path.relative_to(package)
        if path.is_file() and path.suffix != ".pyc" and "_bundled" not in name.parts:
            code.update(name.as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    ours = {"opslab": __version__, "opslab code": code.hexdigest()[:16]}
    ours["python"] = get_python_version()
    imported: dict[str, str] = {}
    _add_versions(imported, ["opslab", *_OPTIONAL])
    return ours | {name: imported[name] for name in sorted(imported) if name not in ours}


def _add_versions(versions: dict[str, str], packages: Iterable[str]) -> None:
    """Add the versions of packages and of those that they require, as far as they are installed."""
    for package in packages:
        if package not in versions:
            with suppress(PackageNotFoundError):
                versions[package] = distribution(package).version
                _add_versions(versions, _required(package))


def _required(package: str) -> Iterable[str]:
    """Return what an installed package requires here, its extras left out."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    requirements = map(Requirement, distribution(package).requires or [])
    return [
        canonicalize_name(requirement.name)
        for requirement in requirements
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    ]
