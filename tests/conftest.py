"""What the tests share: the repository's root, and a workspace of their own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture
def workspace_folder(tmp_path, monkeypatch):
    """Make a workspace with the sample data and go there."""
    folder = make_workspace(tmp_path / "workspace")
    monkeypatch.delenv("OPSLAB_WORKSPACE", raising=False)
    monkeypatch.chdir(folder)
    return folder


def make_workspace(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "opslab.toml").touch()
    shutil.copytree(ROOT / "data" / "sample", folder / "data" / "sample")
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    return folder
