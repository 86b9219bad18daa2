"""The pages that are made from the code are those that the code makes, and leave nothing out."""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import io
import re
import tomllib
from importlib import import_module

import pandas as pd
import pytest
from matplotlib import pyplot

from conftest import ROOT

PAGES = sorted((ROOT / "docs").glob("*.md"))
RUN = {"experiments.md", "notebooks.md"}
"""Pages whose Python runs as it stands, in a workspace with the sample."""
FACES = [
    "opslab",
    *(
        f"opslab.{name}"
        for name in (
            "experiments",
            "feedback",
            "operations",
            "timesaved",
            "businesscase",
            "tables",
            "uncertainty",
            "report",
            "runs",
        )
    ),
]


@pytest.fixture(scope="module")
def build():
    spec = importlib.util.spec_from_file_location("build", ROOT / "docs" / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def page(build):
    return build.PAGE.read_text(encoding="utf-8")


def test_the_reference_is_up_to_date(build, page):
    assert build.reference() == page, "run `make docs`"


def rows_of(section):
    """Return the cells of the rows of a section's tables."""
    for line in section.splitlines():
        if line.startswith("| ") and not line.startswith("| ---"):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_every_field_of_every_spec_has_a_meaning(page):
    fields = [cells for cells in rows_of(page) if len(cells) == 4 and cells[0] != "field"]
    assert len(fields) > 300
    assert [cells[0] for cells in fields if len(cells[3]) < 3] == []


@pytest.mark.parametrize("face", FACES)
def test_every_public_name_is_told(face, page):
    section = page.partition(f"\n## Python `{face}`\n")[2].partition("\n## ")[0]
    told = {re.match(r"`(\w+)", name)[1]: words for name, words in rows_of(section) if "`" in name}
    names = dir(import_module(face))
    assert names
    assert [name for name in names if not told.get(name)] == []


def test_the_verbs_of_results_are_told(page):
    section = page.partition("\n## Every result\n")[2].partition("\n## ")[0]
    for verb in ("headline", "frame", "figures", "explain", "compare", "to_excel", "evidence"):
        assert f"`result.{verb}" in section


def test_examples_of_the_code_are_run_with_the_tests():
    options = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["pytest"]
    assert "src/opslab" in options["ini_options"]["testpaths"]
    assert "--doctest-modules" in options["ini_options"]["addopts"].split()


def python_of(path):
    """Return the blocks of Python, and what stands below each as its output, or nothing."""
    block = r"^```python\n(.*?)^```$(?:\n\n```\n(.*?)^```$)?"
    return re.findall(block, path.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def shown(source, names):
    """Return what a cell shows: what it prints, and the value of its last line."""
    *body, last = ast.parse(source).body
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(ast.Module(body, []), "cell", "exec"), names)
        if not isinstance(last, ast.Expr):
            exec(compile(ast.Module([last], []), "cell", "exec"), names)
            return printed.getvalue()
        value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
    return printed.getvalue() + ("" if value is None else repr(value))


@pytest.mark.parametrize("path", [path for path in PAGES if python_of(path)], ids=lambda p: p.name)
def test_python_on_a_page_does_what_the_page_says(path, workspace_folder):
    """Each block is Python; a page that needs nothing but the sample is run from top to bottom."""
    names = {}
    for number, (source, output) in enumerate(python_of(path), 1):
        compile(source, f"{path.name}, block {number}", "exec")
        if path.name in RUN:
            with pd.option_context("display.width", 120, "display.max_columns", 20):
                lines = [line.rstrip() for line in shown(source, names).splitlines()]
            pyplot.close("all")  # as a cell does
            told = [line.rstrip() for line in output.splitlines()]
            if told and told[-1] == "…":
                lines = [*lines[: len(told) - 1], "…"]
            assert not told or lines == told, f"block {number}"
