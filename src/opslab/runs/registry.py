"""The notebooks there are, and the specs: each area describes its own in its ``notebooks.toml``.

An area's modules are named there by dotted path and loaded when they are needed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from opslab import workspace
from opslab.errors import InputError, MachineError, ParameterError, Problem, did_you_mean
from opslab.messages import LANGUAGES, Language, text
from opslab.parameters import Parameters
from opslab.runs import own_notebooks
from opslab.runs.own_notebooks import Own
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
    own : Own or None
        What its file tells, when it is the workspace's own.
    """

    name: str
    title: Mapping[Language, str]
    summary: str
    gives: str
    parameters_path: str
    demo: Sequence[Mapping[str, str]] = ({},)
    order: int = 0
    own: Own | None = None

    @classmethod
    def of(cls, own: Own) -> Notebook:
        """Return a notebook of the workspace's own."""
        origin = notebooks().get(own.origin)
        own = replace(own, origin=origin.name if origin else "")
        title: dict[Language, str] = dict.fromkeys(LANGUAGES, own.title)
        path = origin.parameters_path if origin else ""
        return cls(own.name, title, own.title, text("runs.own_gives"), path, own=own)

    @property
    def path(self) -> Path:
        """The notebook's file: the workspace's own copy, or the one the package brings."""
        return self.own.file if self.own else workspace.resolve(f"notebooks/{self.name}.ipynb")

    def parameters(self) -> type[Parameters]:
        """Return the class of its parameters."""
        base = _load(self.parameters_path) if self.parameters_path else None
        return cast("type[Parameters]", self.own.model(base) if self.own else base)


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


def find(name: str, files: Sequence[Path] | None = None) -> Notebook:
    """Return a notebook by name, ours or the workspace's own.

    Raises `InputError` for an unknown one, for a name that several have, and with the reason why
    the workspace's own cannot be run.

    Parameters
    ----------
    name : str
    files : sequence of Path, optional
        The workspace's notebooks, where they are known.
    """
    files = own_notebooks.files() if files is None else files
    ours = [known for known in notebooks() if known.casefold() == name.casefold()]
    same = [file for file in files if file.stem.casefold() == name.casefold()]
    others = [file for file in same if not ours or _takes_name(file, ours[0])]
    if len([*ours, *others]) > 1:
        shown = [*map(workspace.shown, others), *(f"opslab: {known}" for known in ours)]
        raise ParameterError.of("runs.own_twice", name=name, files=shown)
    if name in notebooks():
        return notebooks()[name]
    if not others or others[0].stem != name:
        raise _unknown("notebook", name, [*notebooks(), *(file.stem for file in files)])
    own = own_notebooks.read(others[0])
    if own is None:
        raise InputError.of("runs.own_cell", file=workspace.shown(others[0]))
    return Notebook.of(own)


def own() -> Iterator[tuple[str, str, Problem | None]]:
    """Yield name and title of the workspace's own notebooks, and why one cannot be run."""
    files = own_notebooks.files()
    for file in files:
        try:
            own = own_notebooks.read(file)
            if own and not (own.name in notebooks() and own.name == own.origin):
                find(own.name, files)
                yield own.name, own.title, None
        except (InputError, MachineError) as error:
            yield file.stem, workspace.shown(file), error.problems[0]


def _takes_name(file: Path, ours: str) -> bool:
    """Whether a notebook has the name of one of ours and does not bear its mark."""
    try:
        own = own_notebooks.read(file)
    except (InputError, MachineError):  # a broken one is in nobody's way
        return False
    return own is not None and own.origin != ours


def spec(name: str) -> type[Declared]:
    """Return the model of a spec by name; raises `ParameterError` for an unknown one."""
    if name not in specs():
        raise _unknown("spec", name, [*specs()])
    return cast("type[Declared]", _load(specs()[name]))


def _described(kind: str) -> Iterable[tuple[str, Any]]:
    """Yield name and description of all that the areas have of a kind."""
    for file in sorted(Path(__file__).parents[1].glob("*/notebooks.toml")):
        yield from tomllib.loads(file.read_text(encoding="utf-8")).get(kind, {}).items()


def _unknown(kind: str, name: str, known: Sequence[str]) -> ParameterError:
    near = did_you_mean(name, known)
    return ParameterError.of(f"runs.unknown_{kind}", name=name, near=near, known=known)


def _load(path: str) -> Any:
    """Return what a dotted path ``module:name`` names."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)
