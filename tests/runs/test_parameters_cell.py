"""Each notebook's parameters cell and its typed parameters say the same; papermill trusts the cell alone."""

from __future__ import annotations

import ast
import json

import nbformat
import pytest

from conftest import ROOT
from opslab.runs.cells import is_exploration
from opslab.runs.parameters_cell import values_in, with_values
from opslab.runs.registry import notebooks

NOTEBOOKS = notebooks().values()

TRAPS = {"token", "secret", "password", "key", "credential"}


def cells(notebook):
    return json.loads((ROOT / "notebooks" / f"{notebook.name}.ipynb").read_text(encoding="utf-8"))[
        "cells"
    ]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.name)
def test_the_cell_equals_the_schema(notebook):
    (cell,) = [one for one in cells(notebook) if "parameters" in one["metadata"].get("tags", [])]
    source = "".join(cell["source"])
    said = {node.targets[0].id: ast.literal_eval(node.value) for node in ast.parse(source).body}
    parameters = notebook.parameters()
    assert said == dict(parameters().given())
    assert set(said) == set(parameters.model_fields)
    assert all("  # " in line for line in source.splitlines())


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.name)
def test_no_parameter_is_a_secret_or_an_option_of_run(notebook):
    names = set(notebook.parameters().model_fields)
    assert not {name for name in names if any(trap in name for trap in TRAPS)}
    assert not names & {"out", "force", "notebook"}


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.name)
def test_the_notebook_is_thin_and_committed_without_outputs(notebook):
    every = [cell for cell in cells(notebook) if cell["cell_type"] == "code"]
    code = [cell for cell in every if not is_exploration(cell)]
    assert code == every[: len(code)], "what is explored comes after what is published"
    assert len(code) <= 12
    assert all(len(cell["source"]) <= 8 for cell in code)
    assert all(len(cell["source"]) <= 10 for cell in every)
    assert not any(cell["outputs"] or cell["execution_count"] for cell in every)
    assert "publish(" in "".join(code[-1]["source"])
    assert all(
        "for " not in "".join(cell["source"]) and "if " not in "".join(cell["source"])
        for cell in code[2:]
    )


SOURCE = """spec = "a"  # déjà, "quoted"
as_of = (
    ""  # a day
)
draws = 100  # how many
flag: int = 1
a = b = 2
text = (
    "one"
    "two"
)"""


def test_values_stand_in_the_cell_and_comments_stay():
    given = {"spec": 'b "c" é', "as_of": "2026-01-01", "draws": 7, "a": True, "text": "x", "no": 1}
    assert with_values(SOURCE, given).splitlines() == [
        'spec = "b \\"c\\" é"  # déjà, "quoted"',
        "as_of = (",
        '    "2026-01-01"  # a day',
        ")",
        "draws = 7  # how many",
        *SOURCE.splitlines()[5:6],
        "a = b = True",
        "text = (",
        '    "x"',
        ")",
    ]


def test_values_are_read_as_they_were_given_last():
    own = {"source": 'spec = "a"\nas_of = ""', "metadata": {"tags": ["parameters"]}}
    injected = {"source": 'spec = "b"', "metadata": {"tags": ["injected-parameters"]}}
    other = {"source": "spec = run()", "metadata": {}}
    notebook = nbformat.from_dict({"cells": [own, injected, other]})
    assert values_in(notebook) == {"spec": "b", "as_of": ""}
    for source in ("import os", "spec = os.name", "spec: str = 'a'", "a = b = 1", "spec"):
        notebook.cells[0].source = source
        with pytest.raises(ValueError, match=r"."):
            values_in(notebook)
