"""One run of the sample, looked at from every side."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

import opslab
from conftest import ROOT, first_quickly, make_workspace
from opslab.evidence import RECORD_TYPE
from opslab.runs import runner
from opslab.runs.job import Job
from opslab.runs.own_notebooks import find

SPEC = "data/sample/checkout.yaml"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return make_workspace(tmp_path_factory.mktemp("run") / "workspace")


@pytest.fixture(scope="module")
def run(workspace):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(workspace)
        patch.delenv("OPSLAB_WORKSPACE", raising=False)
        return opslab.run("experiment_readout", spec=SPEC)


class Page(HTMLParser):
    """The tags of a page with their attributes, and its headings."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(source)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def all(self, *names):
        return [attributes for tag, attributes in self.tags if tag in names]


@pytest.fixture(scope="module")
def source(run):
    return run.readout.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(source):
    return Page(source)


def test_the_folder_is_named_by_what_went_in(run, workspace):
    assert re.fullmatch(
        r"reports/experiment_readout/checkout-button/2026-09-28-[0-9a-f]{8}",
        run.folder.relative_to(workspace).as_posix(),
    )
    assert {path.name for path in run.folder.iterdir()} == {
        "readout.html",
        "notebook.ipynb",
        "result.json",
        "result.xlsx",
        "run.json",
    }
    assert [path.name for path in run.folder.parent.iterdir()] == [run.folder.name]


def test_the_record_holds_the_numbers(run):
    record = run.result()
    assert record["schema"] == "opslab.experiment/1"
    assert record["decision"]["action"] == "ship"
    truth = json.loads((ROOT / "data/sample/truth.json").read_text(encoding="utf-8"))["checkout"][
        "truth"
    ]
    found = {one["metric"]: one for one in record["comparisons"]}
    for metric, true in (
        ("checkout", truth["conversion"]["difference"]),
        ("revenue", truth["revenue_difference"]),
        ("load time", truth["load_ms_difference"]),
    ):
        assert (
            found[metric]["difference_interval"]["low"]
            < true
            < found[metric]["difference_interval"]["high"]
        )
        assert (
            found[metric]["lift_interval"]["low"]
            < found[metric]["lift"]
            < found[metric]["lift_interval"]["high"]
        )
    assert found["load time"]["verdict"] == "safe"
    assert not re.search(
        r"\b(NaN|Infinity)\b", (run.folder / "result.json").read_text(encoding="utf-8")
    )


def test_run_json_tells_what_stands_behind_it(run):
    told = json.loads((run.folder / "run.json").read_text(encoding="utf-8"))
    assert told["status"] == "complete"
    assert told["owner"] == "growth"
    assert told["parameters"] == {"spec": SPEC, "language": "en"}
    assert [file["file"] for file in told["inputs"]] == [SPEC, "data/sample/checkout.csv"]
    assert all(len(file["sha256"]) == 64 for file in told["inputs"])
    assert {"opslab", "python", "duckdb", "scipy", "papermill"} <= set(told["versions"])
    assert sum(told["seconds_per_cell"]) > 0


def test_the_same_inputs_do_no_work(run, workspace, monkeypatch):
    monkeypatch.chdir(workspace)
    monkeypatch.setattr(runner, "_executed", lambda *_: pytest.fail("a kernel was started"))
    again = opslab.run("experiment_readout", spec=SPEC)
    assert (again.folder, again.reused, again.exit_code, again.headline) == (
        run.folder,
        True,
        0,
        run.headline,
    )


@pytest.mark.parametrize("change", ["language", "as_of", "spec", "data", "notebook"])
def test_another_input_is_another_run(run, workspace, tmp_path, monkeypatch, change):
    other = tmp_path / "other"
    shutil.copytree(workspace, other, ignore=shutil.ignore_patterns("reports"))
    monkeypatch.chdir(other)
    given = {"spec": SPEC}
    if change in ("language", "as_of"):
        given |= {"language": "fr"} if change == "language" else {"as_of": "2026-09-29"}
    else:
        name = {
            "spec": SPEC,
            "data": "data/sample/checkout.csv",
            "notebook": "notebooks/experiment_readout.ipynb",
        }[change]
        path = other / name
        text = path.read_text(encoding="utf-8")
        path.write_text(
            text.replace("result", "found") if change == "notebook" else text + "\n",
            encoding="utf-8",
        )
    job = Job.of(find("experiment_readout"), given, other / "reports")
    assert not run.folder.as_posix().endswith(job.run_id)


def test_no_script_no_request(source, page):
    policy = (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline';"
        " form-action 'none'; base-uri 'none'"
    )
    assert {"http-equiv": "Content-Security-Policy", "content": policy} in page.all("meta")
    assert not page.all("script", "iframe", "object", "embed", "form", "link", "base")
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    addresses = [
        attributes.get("src") or attributes.get("href") or "" for _, attributes in page.tags
    ]
    beside = [address for address in addresses if not address.startswith(("data:image/", "#"))]
    assert set(filter(None, beside)) == {"result.xlsx"}
    assert "not those of opslab" not in source
    assert "url(" not in source
    assert "@import" not in source


def test_headings_tables_and_pictures_are_real(page):
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in itertools.pairwise(levels))
    assert page.all("html")[0]["lang"] == "en"
    assert page.all("th")
    assert all(
        attributes.get("scope") in {"col", "row", "rowgroup"} for attributes in page.all("th")
    )
    tables = [attributes for attributes in page.all("table") if attributes.get("class") != "pairs"]
    assert len(tables) == len(page.all("caption"))
    pictures = page.all("img")
    assert pictures
    assert "+8.0%" in pictures[0]["alt"]
    assert all("95% interval" in (attributes["alt"] or "") for attributes in pictures)
    targets = {attributes.get("id") for _, attributes in page.tags}
    links = {attributes["href"] for attributes in page.all("a")} - {"result.xlsx"}
    assert {link[1:] for link in links} <= targets


def test_the_first_screen_comes_first_and_the_code_is_folded(source):
    assert (
        source.index("Ship short_label")
        < source.index("Can the data be trusted?")
        < source.index("What changed?")
    )
    assert source.index("<details") < source.index("experiments.analyze")
    assert len(source.encode()) < 250_000


def test_the_notebook_file_tells_no_clock_and_no_folder(run, workspace):
    text = (run.folder / "notebook.ipynb").read_text(encoding="utf-8")
    assert "papermill" not in json.loads(text)["metadata"]
    assert "start_time" not in text
    assert str(workspace) not in text
    assert str(Path.home()) not in run.readout.read_text(encoding="utf-8")


def test_nothing_was_written_to_standard_error_by_the_cells(run):
    notebook = json.loads((run.folder / "notebook.ipynb").read_text(encoding="utf-8"))
    assert not [
        output
        for cell in notebook["cells"]
        for output in cell.get("outputs", [])
        if output["output_type"] == "stream"
    ]


@pytest.mark.parametrize(
    "elsewhere",
    first_quickly(("4", "America/New_York", "fr_FR.UTF-8"), ("1", "Pacific/Auckland", "C")),
    ids=" ".join,
)
def test_the_same_bytes_at_any_thread_count_folder_zone_and_locale(run, tmp_path, elsewhere):
    threads, zone, locale = elsewhere
    other = make_workspace(tmp_path / f"another folder {threads}")
    environment = {
        **os.environ,
        "OPSLAB_THREADS": threads,
        "OMP_NUM_THREADS": threads,
        "TZ": zone,
        "LC_ALL": locale,
        "PYTHONHASHSEED": threads,
    }
    environment.pop("OPSLAB_WORKSPACE", None)
    command = [
        sys.executable,
        "-m",
        "opslab.cli",
        "run",
        "experiment_readout",
        "-p",
        f"spec={SPEC}",
        "--quiet",
    ]
    done = subprocess.run(
        command, cwd=other, env=environment, capture_output=True, text=True, check=True
    )
    folder = Path(done.stdout.strip()).parent
    assert folder.name == run.folder.name
    for name in ("readout.html", "notebook.ipynb", "result.json"):
        assert (folder / name).read_bytes() == (run.folder / name).read_bytes(), name
    assert done.stderr == ""


@pytest.mark.slow
def test_plain_papermill_gives_the_same_record(run, workspace, tmp_path):
    """A scheduler that knows nothing of opslab runs the notebook, from a folder of its own."""
    output = tmp_path / "output.ipynb"
    environment = {**os.environ, "OPSLAB_WORKSPACE": str(workspace)}
    command = [
        sys.executable,
        "-m",
        "papermill",
        str(workspace / "notebooks/experiment_readout.ipynb"),
        str(output),
        "-p",
        "spec",
        SPEC,
        "--no-progress-bar",
    ]
    subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=True)
    notebook = json.loads(output.read_text(encoding="utf-8"))
    outputs = [one for cell in notebook["cells"] for one in cell.get("outputs", [])]
    records = [one["data"][RECORD_TYPE] for one in outputs if RECORD_TYPE in one.get("data", {})]
    assert records == [run.result()]
