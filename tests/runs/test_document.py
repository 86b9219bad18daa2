"""A run that has a document: filed beside the page, linked, hashed, packed; told where it cannot be made."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner

from conftest import make_workspace
from opslab.cli import main
from opslab.errors import InputError
from opslab.runs.bundle import bundle

NAME = "product-operations-team.pdf"


def run(folder: Path, patch: pytest.MonkeyPatch, *arguments: str) -> Path:
    patch.chdir(folder)
    patch.delenv("OPSLAB_WORKSPACE", raising=False)
    done = CliRunner().invoke(main, ["run", *arguments, "--quiet"])
    assert done.exit_code == 0, done.output
    return Path(done.output.strip()).parent


@pytest.fixture(scope="module")
def filed(tmp_path_factory):
    """Run the experiment that the case cites, then the case."""
    pytest.importorskip("typst", reason="no typst: install the extra pdf")
    folder = make_workspace(tmp_path_factory.mktemp("document") / "workspace")
    with pytest.MonkeyPatch.context() as patch:
        cited = run(folder, patch, "experiment_readout", "-p", "spec=data/sample/checkout.yaml")
        return cited, run(folder, patch, "business_case", "-p", "draws=2000")


@pytest.mark.slow
def test_it_is_filed_hashed_and_linked(filed):
    _, case = filed
    assert (case / NAME).read_bytes().startswith(b"%PDF-")
    told = json.loads((case / "run.json").read_text(encoding="utf-8"))["outputs"]
    there = {path.name for path in case.iterdir()} - {"run.json"}
    assert set(told) == there
    assert all(
        told[name] == hashlib.sha256((case / name).read_bytes()).hexdigest() for name in there
    )
    assert f'href="{NAME}"' in (case / "readout.html").read_text(encoding="utf-8")
    record = (case / "result.json").read_text(encoding="utf-8")
    assert NAME not in record  # the record is the same in every language


@pytest.mark.slow
def test_a_notebook_filed_by_hand_brings_the_same_bytes(filed, tmp_path, monkeypatch):
    cited, case = filed
    monkeypatch.chdir(case.parents[3])
    monkeypatch.delenv("OPSLAB_WORKSPACE", raising=False)
    shutil.copytree(cited, tmp_path / "reports" / cited.relative_to(case.parents[2]))
    done = CliRunner().invoke(
        main, ["render", str(case / "notebook.ipynb"), "--out", str(tmp_path / "reports")]
    )
    assert done.exit_code == 0, done.output
    again = tmp_path / "reports" / case.relative_to(case.parents[2])
    for name in (NAME, "result.json"):
        assert (again / name).read_bytes() == (case / name).read_bytes(), name
    page, expected = ((folder / "readout.html").read_text("utf-8") for folder in (again, case))
    lines = [line for line in page.splitlines() if line not in expected.splitlines()]
    assert len(lines) == 1, "who has run it"


@pytest.mark.slow
def test_a_notebook_whose_document_was_changed_is_refused(filed, tmp_path, monkeypatch):
    cited, case = filed
    shutil.copytree(cited, tmp_path / "reports" / cited.relative_to(case.parents[2]))
    notebook = nbformat.read(case / "notebook.ipynb", as_version=4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    about = next(
        one.metadata
        for one in outputs
        if "application/vnd.opslab.result+json" in one.get("data", {})
    )
    about["application/vnd.opslab.result+json"]["documents"][0]["sha256"] = "0" * 64
    nbformat.write(notebook, tmp_path / "changed.ipynb")
    monkeypatch.chdir(case.parents[3])
    done = CliRunner().invoke(
        main, ["render", str(tmp_path / "changed.ipynb"), "--out", str(tmp_path / "reports")]
    )
    assert done.exit_code == 2
    assert NAME in done.output


@pytest.mark.slow
def test_the_bundle_has_the_document_and_the_readout_it_cites(filed, tmp_path):
    cited, case = filed
    made = bundle(case, tmp_path)
    with zipfile.ZipFile(made.file) as archive:
        names = set(archive.namelist())
    assert f"{case.relative_to(case.parents[2]).as_posix()}/{NAME}" in names
    assert f"{cited.relative_to(case.parents[2]).as_posix()}/readout.html" in names
    page = (case / "readout.html").read_text(encoding="utf-8")
    assert f'href="../../../{cited.relative_to(case.parents[2]).as_posix()}/readout.html"' in page


@pytest.mark.slow
@pytest.mark.parametrize("name", [NAME, "result.json", "readout.html"])
def test_a_bundle_of_what_was_altered_is_refused(filed, tmp_path, name):
    reports = filed[1].parents[2]
    shutil.copytree(reports, tmp_path / "reports")
    case = tmp_path / "reports" / filed[1].relative_to(reports)
    (case / name).write_bytes((case / name).read_bytes() + b"\n")
    with pytest.raises(InputError) as refused:
        bundle(case, tmp_path / "x.zip")
    assert name in str(refused.value)
    assert not (tmp_path / "x.zip").exists()


def test_without_typst_the_page_says_how(monkeypatch, root):
    """In this process: a kernel would have it."""
    from opslab import businesscase

    monkeypatch.chdir(root)
    monkeypatch.setitem(sys.modules, "typst", None)
    case = businesscase.Case.load("data/sample/product_ops_april.yaml")
    assert businesscase.build(case, draws=1_000).documents("en") == {}
