"""Where paths start, what the package brings, and what a reader is shown of them."""

import hashlib
import subprocess
import sys

import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from opslab import workspace


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """Go to an empty folder that is no workspace."""
    monkeypatch.delenv(workspace.VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def marked(folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / workspace.MARKER).touch()
    return folder


def test_the_current_folder_is_the_last_resort(bare):
    assert workspace.root() == bare


def test_the_nearest_marker_upwards_comes_before_it(bare, monkeypatch):
    outer, inner = marked(bare / "a"), marked(bare / "a" / "b")
    below = inner / "c" / "d"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert workspace.root() == inner
    monkeypatch.chdir(inner)
    assert workspace.root() == inner
    monkeypatch.chdir(outer)
    assert workspace.root() == outer


def test_a_folder_named_like_the_marker_is_none(bare, monkeypatch):
    outer, inner = marked(bare / "a"), bare / "a" / "b"
    (inner / workspace.MARKER).mkdir(parents=True)
    monkeypatch.chdir(inner)
    assert workspace.root() == outer


def test_the_variable_comes_first(bare, monkeypatch):
    named = bare / "elsewhere"
    monkeypatch.chdir(marked(bare / "a"))
    monkeypatch.setenv(workspace.VARIABLE, str(named))
    assert workspace.root() == named
    monkeypatch.setenv(workspace.VARIABLE, "")
    assert workspace.root() == bare / "a"


def test_relative_paths_start_at_the_root(bare, monkeypatch):
    inner = marked(bare / "a") / "b"
    inner.mkdir()
    monkeypatch.chdir(inner)
    assert workspace.resolve("x/y.csv") == bare / "a" / "x" / "y.csv"
    assert workspace.resolve(bare / "z.csv") == bare / "z.csv"


def test_home_and_what_only_looks_like_it(bare, monkeypatch):
    monkeypatch.setenv("HOME", str(bare / "home"))
    monkeypatch.setenv("USERPROFILE", str(bare / "home"))
    assert workspace.resolve("~/x.csv") == bare / "home" / "x.csv"
    assert workspace.resolve("~nobody-here/x.csv") == bare / "~nobody-here" / "x.csv"


def test_the_sample_is_taken_where_nothing_is_there_and_only_where_it_is_asked_for(bare):
    with workspace.with_sample(wanted=False):
        assert workspace.resolve("data/sample/checkout.yaml").is_relative_to(bare)
    with workspace.with_sample():
        brought = workspace.resolve("data/sample/checkout.yaml")
    assert not workspace.resolve("data/sample/checkout.yaml").exists()
    assert workspace.resolve("notebooks/time_saved.ipynb").is_file()
    assert brought == workspace.bundled("data/sample/checkout.yaml")
    assert brought.is_file()
    assert not brought.is_relative_to(bare)
    own = bare / "data" / "sample" / "checkout.yaml"
    own.parent.mkdir(parents=True)
    own.touch()
    with workspace.with_sample():
        assert workspace.resolve("data/sample/checkout.yaml") == own


def test_what_nobody_has_stays_in_the_workspace(bare):
    assert (
        workspace.resolve("data/sample/nothing.yaml") == bare / "data" / "sample" / "nothing.yaml"
    )


@pytest.mark.parametrize("name", ["d" * 300, "a\0b"])
def test_names_that_no_file_can_have(name, bare):
    assert workspace.resolve(name) == bare / name
    assert not workspace.is_there(bare / name)
    assert not workspace.is_there(bare / name, file=True)
    assert workspace.shown(name) == name


def test_shown_inside_is_relative(bare, monkeypatch):
    monkeypatch.chdir(marked(bare / "w"))
    assert workspace.shown("a/b.csv") == "a/b.csv"
    assert workspace.shown(bare / "w" / "a" / ".." / "b.csv") == "b.csv"
    assert (
        workspace.shown(workspace.bundled("data/sample/checkout.csv")) == "data/sample/checkout.csv"
    )


@pytest.mark.parametrize(
    "path", ["secret/b.csv", "w/../secret/b.csv", "secret/x/../b.csv", "w-2/b.csv"]
)
def test_shown_outside_is_the_bare_name(path, bare, monkeypatch):
    monkeypatch.chdir(marked(bare / "w"))
    assert workspace.shown(bare / path) == "b.csv"
    assert workspace.shown(f"../{path}") == "b.csv"


def test_shown_does_not_reveal_where_a_link_leads(bare, monkeypatch):
    secret = bare / "secret"
    secret.mkdir()
    (secret / "people.csv").touch()
    inside = marked(bare / "w")
    monkeypatch.chdir(inside)
    (inside / "link.csv").symlink_to(secret / "people.csv")
    (inside / "folder").symlink_to(secret)
    assert workspace.shown("link.csv") == "link.csv"
    assert workspace.shown("folder/people.csv") == "people.csv"


@pytest.mark.parametrize("path", ["..", "../..", "../../.."])
def test_shown_of_a_folder_above_names_no_folder(path, bare, monkeypatch):
    monkeypatch.chdir(marked(bare / "w"))
    assert workspace.shown(path) == ".."


@pytest.mark.parametrize(
    "content", [b"", b"abc", bytes(range(256)) * 5000], ids=["empty", "short", "long"]
)
def test_sha256(content, tmp_path):
    path = tmp_path / "x"
    path.write_bytes(content)
    assert workspace.sha256(path) == hashlib.sha256(content).hexdigest()


def test_sha256_of_a_printed_test_vector(tmp_path):
    # FIPS 180-4, the message "abc".
    path = tmp_path / "x"
    path.write_bytes(b"abc")
    assert (
        workspace.sha256(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


def test_near_name(tmp_path):
    (tmp_path / "checkout.csv").touch()
    assert workspace.near_name(tmp_path / "chekout.csv") == "checkout.csv"
    assert workspace.near_name(tmp_path / "zzz.parquet") is None
    assert workspace.near_name(tmp_path / "nowhere" / "checkout.csv") is None


def cells_of_a_kernel(folder, *sources):
    """Run cells in a fresh kernel that starts in a folder, and return what each one prints."""
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    NotebookClient(notebook, resources={"metadata": {"path": str(folder)}}).execute()
    return ["".join(output.get("text", "") for output in cell.outputs) for cell in notebook.cells]


def test_in_a_kernel_the_working_folder_is_the_workspace(bare):
    """As JupyterLab and nbval start it: where the notebook is."""
    here = marked(bare / "mine")
    (here / "data").mkdir()
    (here / "data" / "a.csv").write_text("n\n5\n", encoding="utf-8")
    below = here / "notebooks" / "team"
    below.mkdir(parents=True)
    (below / "rates.py").write_text("RATE = 7", encoding="utf-8")
    printed = cells_of_a_kernel(
        below,
        "import opslab, os\nprint(os.getcwd())",
        "import pandas as pd\nprint(pd.read_csv('data/a.csv').n[0])",
        "import rates\nprint(rates.RATE)",
        "%cd -q notebooks",
        "import opslab\nfrom opslab import workspace\nprint(os.getcwd(), workspace.root())",
    )
    printed = [words.strip() for words in printed]
    assert printed == [str(here), "5", "7", "", f"{here / 'notebooks'} {here}"]


@pytest.mark.parametrize("named", ["there", "missing"])
def test_the_workspace_that_is_named_is_that_of_a_kernel(bare, monkeypatch, named):
    other = bare / named
    if named == "there":
        other.mkdir()
    monkeypatch.setenv(workspace.VARIABLE, str(other))
    (words,) = cells_of_a_kernel(marked(bare), "import opslab, os\nprint(os.getcwd())")
    assert words.strip() == str(other if named == "there" else bare)


def test_who_works_without_a_workspace_or_without_a_kernel_stays_in_the_folder(bare):
    (words,) = cells_of_a_kernel(bare, "import opslab, os, sys\nprint(os.getcwd())")
    assert words.strip() == str(bare)
    below = marked(bare / "mine") / "notebooks"
    below.mkdir()
    source = "import ipykernel.kernelapp, os, opslab; print(os.getcwd())"
    done = subprocess.run(
        [sys.executable, "-c", source], cwd=below, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(below)
