"""A picture that a notebook's text names is part of what its run is known by."""

from __future__ import annotations

import json

import pytest
from PIL import Image

from hostile_notebooks import GIVEN
from opslab.runs.job import Job
from opslab.runs.own_notebooks import find


@pytest.fixture
def job(workspace_folder):
    """How the job of a notebook that shows a picture is made."""
    registered = find("experiment_readout")
    path = registered.path
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["cells"][0]["source"] += ["\n![Us](us.png)"]
    Image.new("RGB", (3, 2), "red").save(path.parent / "us.png")
    return lambda: Job.of(registered, GIVEN, workspace_folder / "reports", notebook)


def test_its_bytes_are_in_the_identity(job, workspace_folder):
    first = job()
    assert [image["file"] for image in first.content["images"]] == ["notebooks/us.png"]
    assert job().digest == first.digest
    Image.new("RGB", (3, 2), "blue").save(workspace_folder / "notebooks" / "us.png")
    assert job().digest != first.digest


def test_a_notebook_without_pictures_says_nothing_of_them(workspace_folder):
    made = Job.of(find("experiment_readout"), GIVEN, workspace_folder / "reports")
    assert "images" not in made.content
