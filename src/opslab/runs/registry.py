"""The notebooks there are, and the specs. Areas are named by dotted path and loaded when they are needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from opslab import workspace
from opslab.errors import ParameterError, did_you_mean
from opslab.parameters import Parameters
from opslab.specs import Declared


@dataclass(frozen=True)
class Notebook:
    """A parameterised notebook.

    Attributes
    ----------
    name : str
    summary : str
        One line for ``opslab list``.
    parameters_path : str
        ``module:class`` of its typed parameters, which also tell the files that a run reads.
    gives : str
        What comes out.
    demo : tuple of Mapping
        The parameters of its runs in ``opslab demo``.
    """

    name: str
    summary: str
    parameters_path: str
    gives: str
    demo: tuple[Mapping[str, str], ...] = field(default=({},))

    @property
    def path(self) -> Path:
        """The notebook's file: the workspace's own copy, or the one the package brings."""
        return workspace.resolve(f"notebooks/{self.name}.ipynb")

    def parameters(self) -> type[Parameters]:
        """Return the class of its parameters."""
        return cast("type[Parameters]", load(self.parameters_path))


NOTEBOOKS = (
    Notebook(
        name="experiment_readout",
        summary="One A/B experiment: can the data be trusted, what changed, what to do",
        parameters_path="opslab.experiments.parameters:ReadoutParameters",
        gives="checks, effects with intervals, a decision with its reasons",
        demo=tuple(
            {"spec": f"data/sample/{name}.yaml"}
            for name in ("checkout", "newsletter", "onboarding", "stores", "search_ranking")
        ),
    ),
    Notebook(
        name="feedback_themes",
        summary="Customer feedback: what customers say, how much of it, and how sure that is",
        parameters_path="opslab.feedback.parameters:ThemesParameters",
        gives="themes over both languages with quotes, a quality panel, tables of themes and messages",
    ),
    Notebook(
        name="time_saved",
        summary="Time saved by changes to operational tasks: how many hours, how sure, what to measure",
        parameters_path="opslab.timesaved.parameters:TimeSavedParameters",
        gives="hours with ranges, what drives them, checks",
    ),
    Notebook(  # last: it cites what the others found, and its second version the first
        name="business_case",
        summary="A business case: what is asked for, what it brings, how sure that is, what to decide",
        parameters_path="opslab.businesscase.parameters:CaseParameters",
        gives="options with their uncertainty, a ledger, promise against actual, the sponsor's document",
        demo=tuple(
            {"spec": f"data/sample/{name}.yaml"} for name in ("product_ops_april", "product_ops")
        ),
    ),
)

SPECS = {
    "case": "opslab.businesscase.spec:Case",
    "experiment": "opslab.experiments.spec:Experiment",
    "feedback": "opslab.feedback.spec:Study",
    "inventory": "opslab.timesaved.inventory:Inventory",
}


def find(name: str) -> Notebook:
    """Return a notebook by name; raises `ParameterError` for an unknown one."""
    for notebook in NOTEBOOKS:
        if notebook.name == name:
            return notebook
    raise _unknown("runs.unknown_notebook", name, [notebook.name for notebook in NOTEBOOKS])


def spec(name: str) -> type[Declared]:
    """Return the model of a spec by name; raises `ParameterError` for an unknown one."""
    if name not in SPECS:
        raise _unknown("runs.unknown_spec", name, list(SPECS))
    return cast("type[Declared]", load(SPECS[name]))


def load(path: str) -> Any:
    """Return what a dotted path ``module:name`` names."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


def _unknown(key: str, name: str, known: list[str]) -> ParameterError:
    return ParameterError.of(key, name=name, near=did_you_mean(name, known), known=known)
