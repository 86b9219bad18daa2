"""A notebook that somebody else executed runs nothing and breaks nothing when it is rendered."""

from __future__ import annotations

import json
import re

import pytest
from bs4 import BeautifulSoup
from click.testing import CliRunner

from conftest import make_workspace
from hostile_notebooks import CASES, GIVEN, hostile, whole
from opslab.cli import main
from opslab.messages import without_controls
from opslab.runs.job import Job
from opslab.runs.own_notebooks import find


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    folder = make_workspace(tmp_path_factory.mktemp("hostile") / "workspace")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("OPSLAB_WORKSPACE", raising=False)
        yield folder


@pytest.fixture(scope="module")
def inputs(workspace):
    return Job.of(find("experiment_readout"), GIVEN, workspace / "reports").content["inputs"]


def render(content, folder):
    (folder / "mine.ipynb").write_text(content, encoding="utf-8")
    return CliRunner().invoke(main, ["render", str(folder / "mine.ipynb"), "--out", str(folder)])


def test_there_are_as_many_as_were_promised():
    assert len(CASES) >= 93


def test_the_one_that_means_no_harm_is_filed(workspace, inputs, tmp_path):
    done = render(json.dumps(whole(inputs)), tmp_path)
    assert (done.exit_code, done.stderr) == (0, "")
    (page,) = tmp_path.glob("*/*/*/readout.html")
    assert "<h1>Kept</h1>" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CASES)
def test_nothing_runs_and_nothing_breaks(workspace, inputs, tmp_path, name):
    done = render(hostile(name, inputs), tmp_path)
    assert done.exit_code in {0, 2, 3}, done.output
    assert without_controls(done.output) == done.output
    pages = [*tmp_path.glob("*/*/*/*.html"), *tmp_path.glob("index.html")]
    if done.exit_code == 2:
        assert done.stderr.count("\n") == 1
        assert pages == []
        return
    assert len(pages) == 2
    for page in pages:
        is_harmless(page.read_text(encoding="utf-8"))
        assert page.stat().st_size < 21_000_000
    assert not list(tmp_path.rglob("*pwned*"))


def is_harmless(source):
    """Make sure of the page's own markup; a browser makes sure of what that does."""
    bare = re.sub(r"<style>.*?</style>", "", source, count=1, flags=re.DOTALL)
    tags = {tag.lower() for tag in re.findall(r"<([a-zA-Z]+)", bare)}
    assert not tags & {
        "script",
        "iframe",
        "object",
        "embed",
        "form",
        "link",
        "base",
        "svg",
        "style",
    }
    assert bare.count("<meta ") == 4
    elements = BeautifulSoup(source, "html.parser")(True)
    assert not [name for tag in elements for name in tag.attrs if name.startswith("on")]
    for tag in elements:
        for address in filter(None, (tag.get("src"), tag.get("href"))):
            assert re.match(
                r"#|data:image/|https://e\.invalid|[a-z_]+/|catalogue\.(csv|json)$", address
            ), address


def test_words_of_customers_stay_words(workspace, inputs, tmp_path):
    """In a frame's column, index and cells, in a print, a picture's words."""
    for name in ("frame: words", "print: words", "text: a picture's words"):
        folder = tmp_path / name.replace(":", "")
        folder.mkdir()
        assert render(hostile(name, inputs), folder).exit_code == 0
        (page,) = folder.glob("*/*/*/readout.html")
        soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
        images = "".join(image["alt"] for image in soup.main("img"))
        shown = soup.main.get_text() + images
        assert "window.pwned=1" in shown, name
