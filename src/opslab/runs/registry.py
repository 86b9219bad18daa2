"""The notebooks there are, and the specs: each area describes its own in its ``notebooks.toml``.

An area's modules are named there by dotted path and loaded when they are needed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar, cast

from opslab import workspace
from opslab.errors import ParameterError, did_you_mean
from opslab.messages import Language
from opslab.parameters import Parameters
from opslab.specs import Declared

_Known = TypeVar("_Known")


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
    """

    name: str
    title: Mapping[Language, str]
    summary: str
    gives: str
    parameters_path: str
    demo: Sequence[Mapping[str, str]] = ({},)
    order: int = 0

    @property
    def path(self) -> Path:
        """The notebook's file: the workspace's own copy, or the one the package brings."""
        return workspace.resolve(f"notebooks/{self.name}.ipynb")

    def parameters(self) -> type[Parameters]:
        """Return the class of its parameters."""
        return cast("type[Parameters]", _load(self.parameters_path))


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


def find(name: str) -> Notebook:
    """Return a notebook by name; raises `ParameterError` for an unknown one."""
    return _named("notebook", notebooks(), name)


def spec(name: str) -> type[Declared]:
    """Return the model of a spec by name; raises `ParameterError` for an unknown one."""
    return cast("type[Declared]", _load(_named("spec", specs(), name)))


def _described(kind: str) -> Iterable[tuple[str, Any]]:
    """Yield name and description of all that the areas have of a kind."""
    for file in sorted(Path(__file__).parents[1].glob("*/notebooks.toml")):
        yield from tomllib.loads(file.read_text(encoding="utf-8")).get(kind, {}).items()


def _named(kind: str, known: Mapping[str, _Known], name: str) -> _Known:
    if name not in known:
        near = did_you_mean(name, known)
        raise ParameterError.of(f"runs.unknown_{kind}", name=name, near=near, known=list(known))
    return known[name]


def _load(path: str) -> Any:
    """Return what a dotted path ``module:name`` names."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)
