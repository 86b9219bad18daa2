"""Scratch folders end with their process, or at the next start."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from opslab import scratch

pytestmark = pytest.mark.skipif(os.name != "posix", reason="elsewhere nothing is swept")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    scratch._sweep.cache_clear()
    yield tmp_path
    scratch._sweep.cache_clear()


def ended():
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
        return process.pid


def test_a_scratch_folder_goes_with_its_block(folder):
    with scratch.scratch_folder() as path:
        assert path.parent == folder
        assert path.stat().st_mode & 0o777 == 0o700
    assert list(folder.iterdir()) == []


def test_the_next_start_sweeps_what_a_killed_process_left_and_nothing_else(folder):
    space = scratch._namespace()
    stale = folder / f"opslab-{space}-{ended()}-abc"
    kept = [
        folder / f"opslab-{space}-{os.getpid()}-abc",
        folder / f"opslab-{space + 1}-{ended()}-abc",  # of another container, where it may be alive
        folder / "opslab-notes",
        folder / "mine",
    ]
    for path in (stale, *kept):
        path.mkdir()
        (path / "raw.csv").touch()
    with scratch.scratch_folder():
        pass
    assert not stale.exists()
    assert all((path / "raw.csv").exists() for path in kept)
