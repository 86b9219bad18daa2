"""The notebooks there are, and the specs: each area describes its own in its ``notebooks.toml``.

An area's modules are named there by dotted path and loaded when they are needed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from opslab import workspace
from opslab.errors import ParameterError, did_you_mean
from opslab.messages import Language
from opslab.parameters import Parameters
from opslab.specs import Declared


@dataclass(frozen=True)
class Notebook:
    """A parameterised notebook.

    Attributes
    ----------
    name : str
    title : Mapping
        What a reader calls its readouts, by language.
    summary : str
        One line for ``opslab list``.
    gives : str
        What comes out.
    parameters_path : str
        ``module:class`` of its typed parameters, which also tell the files that a run reads.
    demo : sequence of Mapping
        The parameters of its runs in ``opslab demo``.
    order : int
        Its turn there; among equals the name decides.
    origin : str
        Of one of the workspace's own, the notebook of ours that it was copied from.
    file : Path or None
        Of one of the workspace's own.
    typed : callable or None
        Returns the class of its parameters where no path names it.
    """

    name: str
    title: Mapping[Language, str]
    summary: str
    gives: str
    parameters_path: str
    demo: Sequence[Mapping[str, str]] = ({},)
    order: int = 0
    origin: str = ""
    file: Path | None = None
    typed: Callable[[], type[Parameters]] | None = None

    @property
    def path(self) -> Path:
        """The notebook's file: the workspace's own copy, or the one the package brings."""
        return self.file or workspace.resolve(f"notebooks/{self.name}.ipynb")

    def parameters(self) -> type[Parameters]:
        """Return the class of its parameters."""
        typed = self.typed() if self.typed else load(self.parameters_path)
        return cast("type[Parameters]", typed)


@cache
def notebooks() -> Mapping[str, Notebook]:
    """Return the notebooks by name, in the order of the demo."""
    described = [Notebook(name, **about) for name, about in _described("notebooks")]
    described.sort(key=lambda notebook: (notebook.order, notebook.name))
    return {notebook.name: notebook for notebook in described}


@cache
def specs() -> Mapping[str, str]:
    """Return ``module:class`` of every spec by its name."""
    return dict(sorted([("plan", "opslab.runs.batch_plan:Plan"), *_described("specs")]))


def spec(name: str) -> type[Declared]:
    """Return the model of a spec by name; raises `ParameterError` for an unknown one."""
    if name not in specs():
        raise unknown("spec", name, [*specs()])
    return cast("type[Declared]", load(specs()[name]))


def erasures() -> list[Any]:
    """Return the modules that know what their areas keep of customers."""
    return [import_module(path) for _, path in _described("erasure")]


def _described(kind: str) -> Iterable[tuple[str, Any]]:
    """Yield name and description of all that the areas have of a kind."""
    for file in sorted(Path(__file__).parents[1].glob("*/notebooks.toml")):
        yield from tomllib.loads(file.read_text(encoding="utf-8")).get(kind, {}).items()


def unknown(kind: str, name: str, known: Sequence[str]) -> ParameterError:
    """Return the error of a name that there is not."""
    near = did_you_mean(name, known)
    return ParameterError.of(f"runs.unknown_{kind}", name=name, near=near, known=known)


def load(path: str) -> Any:
    """Return what a dotted path ``module:name`` names."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)
