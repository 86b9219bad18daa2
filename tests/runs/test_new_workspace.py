"""A workspace from the installed package alone."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from conftest import ROOT
from opslab import workspace
from opslab.cli import main
from opslab.runs.new_workspace import SHEETS
from opslab.runs.registry import notebooks


def init(folder):
    return CliRunner().invoke(main, ["init", str(folder)])


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPSLAB_WORKSPACE", raising=False)
    return tmp_path


def test_a_workspace_has_all_that_a_first_run_needs(here, monkeypatch):
    done = init("a/ws")
    made = files_in(here / "a/ws")
    assert (done.exit_code, done.output) == (
        0,
        f"{len(made) - 1} files written. Next: cd a/ws, then opslab demo\n",
    )
    sheets = {f"sheets/{path.name}" for path in SHEETS.iterdir()}
    assert sheets <= set(made)
    made = {name: made[name] for name in set(made) - sheets}
    brought = {f"notebooks/{name}.ipynb" for name in notebooks()} | {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "data/sample").rglob("*")
        if path.is_file()
    }
    starter = {"README.md", "opslab.toml", ".gitignore", "reports/README.md"}
    starter |= {
        f"templates/{name}.{language}.md"
        for name in ("roadmap", "launch_report", "strategy", "experiment_brief", "meeting_notes")
        for language in ("en", "fr")
    }
    assert set(made) == brought | starter | {".opslab-secret"}
    assert all(made[name] == (ROOT / name).read_bytes() for name in (*brought, "opslab.toml"))
    assert "opslab run experiment_readout" in made["README.md"].decode()
    monkeypatch.chdir(here / "a/ws/data")
    assert workspace.root() == here / "a/ws"
    for notebook in notebooks().values():
        assert notebook.path == here / "a/ws/notebooks" / f"{notebook.name}.ipynb"
        assert notebook.parameters()().stands_on().files[0].is_relative_to(here / "a/ws")


def test_a_second_time_does_nothing_and_what_is_missing_comes_back(here):
    init("ws")
    before = files_in(here / "ws")
    stamp = (here / "ws/README.md").stat().st_mtime_ns
    assert init("ws").stdout == "ws is a workspace already, nothing to do.\n"
    (here / "ws/data/sample/checkout.csv").unlink()
    assert init("ws").stdout.startswith("1 file written.")
    assert files_in(here / "ws") == before
    assert (here / "ws/README.md").stat().st_mtime_ns == stamp


def test_what_differs_is_listed_and_nothing_is_written(here):
    (here / "ws/notebooks").mkdir(parents=True)
    (here / "ws/README.md").write_text("mine")
    (here / "ws/notebooks/experiment_readout.ipynb").mkdir()
    (here / "ws/reports").write_text("no folder")
    (here / "ws/mine.txt").write_text("stays")
    before = files_in(here / "ws")
    done = init("ws")
    assert done.exit_code == 2
    listed = [
        str(Path("ws") / name)
        for name in ("README.md", "notebooks/experiment_readout.ipynb", "reports/README.md")
    ]
    assert done.stderr == "".join(
        f"{name}: This is there already, is not what would be written, and was kept.\n"
        for name in listed
    ) + ("Nothing was written; move or rename these files, or use another folder.\n")
    assert files_in(here / "ws") == before


def test_a_workspace_inside_of_another_and_a_file_are_refused(here):
    init("ws")
    for inside in ("ws/sub", "ws/data/deep/down"):
        done = init(inside)
        assert done.exit_code == 2
        assert f"inside the workspace {here / 'ws'}" in done.stderr
        assert not (here / inside).exists()
    (here / "file").touch()
    assert init("file").stderr == "file: This is a file; name a folder for the workspace.\n"
    assert (
        init("file/below").stderr
        == f"{here / 'file'}: This is a file; name a folder for the workspace.\n"
    )


def test_a_link_is_not_written_through(here):
    (here / "ws").mkdir()
    (here / "ws/README.md").symlink_to(here / "elsewhere")
    assert init("ws").exit_code == 2
    assert not (here / "elsewhere").exists()


def test_a_full_disk_is_told(here, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "mkdir", full)
    done = init("ws")
    assert done.exit_code == 5
    assert "No space left on device" in done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Build the wheel and unpack it, which is all that installing a pure one without its dependencies does."""
    wheel = pytest.importorskip("hatchling.builders.wheel", reason="builds the package")
    folder = tmp_path_factory.mktemp("wheel")
    (built,) = wheel.WheelBuilder(str(ROOT)).build(directory=str(folder))
    with zipfile.ZipFile(built) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


@pytest.mark.slow
def test_the_wheel_makes_a_workspace_and_runs_in_it(installed, tmp_path):
    environment = {name: value for name, value in os.environ.items() if name != "OPSLAB_WORKSPACE"}
    environment |= {"PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}

    def python(*arguments, cwd):
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=cwd,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    where = "from opslab import workspace; print(workspace.__file__, workspace.bundled('notebooks'), sep='\\n')"
    code, bundled = map(Path, python("-c", where, cwd=tmp_path).splitlines())
    assert code.is_relative_to(installed)
    assert bundled == installed / "opslab/_bundled/notebooks"
    assert sorted(path.stem for path in bundled.iterdir()) == sorted(notebooks())
    assert "files written" in python("-m", "opslab.cli", "init", "ws", cwd=tmp_path)
    made = files_in(tmp_path / "ws")
    assert made["data/sample/checkout.csv"] == (ROOT / "data/sample/checkout.csv").read_bytes()
    done = python("-m", "opslab.cli", "run", "experiment_readout", "--quiet", cwd=tmp_path / "ws")
    readout = Path(done.strip())
    assert readout.is_relative_to(tmp_path / "ws/reports")
    assert readout.is_file()
    shown = python("-m", "opslab.cli", "describe", "experiment_readout", cwd=tmp_path)
    assert str(bundled) in shown, "outside of a workspace the package's own notebook is there"
