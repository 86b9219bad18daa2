"""VS Code's stand-in: each sample's notebook through nbconvert's basic template, without our style."""

from __future__ import annotations

import re

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbclient import NotebookClient
from nbconvert import HTMLExporter

from conftest import ROOT, first_quickly, make_workspace

NAMES = [
    "experiment_readout",
    "experiment_plan",
    "experiment_program",
    "time_saved",
    "business_case",
    "feedback_themes",
    "flow_review",
    "prioritisation",
    "launch_readiness",
    "launch_report",
    "standards_review",
    "roadmap",
    "decision_review",
    "change_review",
    "practice_review",
    "contribution",
    "digest",
]


@pytest.fixture(scope="module", params=first_quickly(*NAMES))
def executed(request, tmp_path_factory):
    """A notebook as JupyterLab runs it: started where it stands, exploration passed over."""
    folder = make_workspace(tmp_path_factory.mktemp("basic") / "workspace")
    notebook = nbformat.read(folder / "notebooks" / f"{request.param}.ipynb", as_version=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("OPSLAB_WORKSPACE", raising=False)
        patch.setenv("OPSLAB_REPORTS", str(ROOT / "reports"))
        patch.setenv("OPSLAB_SAMPLE", "1")
        where = {"metadata": {"path": str(folder / "notebooks")}}
        NotebookClient(notebook, resources=where, skip_cells_with_tag="skip-execution").execute()
    return notebook


@pytest.fixture(scope="module")
def bare(executed):
    """The notebook as HTML, and that without any style or class."""
    source, _ = HTMLExporter(template_name="basic").from_notebook_node(executed)
    soup = BeautifulSoup(source, "html.parser")
    for style in soup("style"):
        style.decompose()
    return soup


def outputs(notebook):
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def test_parts_stand_in_the_order_of_the_notebook(executed, bare, request):
    told = [
        words
        for output in outputs(executed)
        for level, _, words in output.get("metadata", {}).get("text/html", {}).get("headings", [])
        if level == 2
    ]
    shown = [heading.text for heading in bare.select(".opslab h2")]
    assert shown == told
    assert len(told) >= 4 - ("digest" in request.node.name)


def test_each_table_has_its_caption_and_its_heads(bare, request):
    tables = [
        table for table in bare.select(".opslab table") if "pairs" not in table.get("class", [])
    ]
    fewer = {"standards": 1, "contribution": 1, "digest": 3}
    assert len(tables) >= 4 - sum(fewer[name] for name in fewer if name in request.node.name)
    for table in tables:
        assert table.caption.text.strip()
        assert all(head.get("scope") for head in table("th"))


def test_intervals_stand_in_brackets_behind_their_numbers(bare, request):
    intervals = bare.select(".interval")
    assert intervals or re.search("launch_|standards|experiment_p|digest", request.node.name)
    for interval in intervals:
        assert re.fullmatch(r"\(.+\)", interval.text)
        before = interval.previous_sibling
        assert str(before).endswith((" ", "\N{NO-BREAK SPACE}"))


def test_a_remark_stands_on_a_line_of_its_own(bare):
    remarks = bare.select(".opslab td .remark, .opslab li .remark")
    assert all(remark.find_previous_sibling("br") for remark in remarks)


def test_figures_are_drawn_and_have_their_words(executed, bare, request):
    figures = [output for output in outputs(executed) if "image/svg+xml" in output.get("data", {})]
    undrawn = re.search("standards|contribution|digest", request.node.name)
    assert len(bare("img")) == len(figures) >= (not undrawn)
    assert all(figure.metadata["image/svg+xml"]["alt"].strip() for figure in figures)
    assert not [output for output in outputs(executed) if output.output_type == "error"]
