"""What the runs of a batch import, imported once: their processes are forked from one that has."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from pathlib import Path

_LIBRARIES = (
    "ipykernel.kernelapp",
    "matplotlib.pyplot",
    "pandas",
    "scipy.stats",
    "sklearn.cluster",
)
"""Not statsmodels and seaborn: they import Polars where it is installed, which starts a thread."""

_package = Path(__file__).parents[1]
_ours = [path.relative_to(_package.parent) for path in sorted(_package.rglob("[!_]*.py"))]
for _name in (*_LIBRARIES, *(".".join(path.with_suffix("").parts) for path in _ours)):
    with suppress(ImportError):  # who needs what is not installed says so
        import_module(_name)
