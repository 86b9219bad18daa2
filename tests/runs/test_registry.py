"""What the areas bring is found by its file: no list of them stands anywhere."""

from __future__ import annotations

import pytest

from conftest import ROOT
from opslab.messages import LANGUAGES
from opslab.parameters import Parameters
from opslab.runs import own_notebooks, registry
from opslab.specs import Declared


def test_every_notebook_is_described_by_its_area():
    assert {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")} == set(registry.notebooks())


@pytest.mark.parametrize("notebook", registry.notebooks().values(), ids=lambda found: found.name)
def test_a_description_is_whole(notebook):
    assert set(notebook.title) == set(LANGUAGES)
    assert all(notebook.title.values())
    assert notebook.summary
    assert notebook.gives
    assert issubclass(notebook.parameters(), Parameters)
    assert all(set(given) <= set(notebook.parameters().model_fields) for given in notebook.demo)


@pytest.mark.parametrize("name", registry.specs())
def test_a_spec_is_a_declaration(name):
    assert issubclass(registry.spec(name), Declared)


def test_what_cites_the_others_comes_last_in_the_demo():
    assert list(registry.notebooks()) == [
        "change_review",
        "experiment_plan",
        "experiment_program",
        "experiment_readout",
        "feedback_themes",
        "flow_review",
        "launch_readiness",
        "prioritisation",
        "standards_review",
        "time_saved",
        "decision_review",
        "launch_report",
        "practice_review",
        "roadmap",
        "business_case",
        "contribution",
        "digest",
    ]


def test_no_two_areas_bring_the_same_name():
    for kind in ("notebooks", "specs"):
        names = [name for name, _ in registry._described(kind)]
        assert len(names) == len(set(names))


def test_a_new_area_needs_its_own_folder_only(tmp_path, monkeypatch):
    area = tmp_path / "opslab" / "ranking"
    area.mkdir(parents=True)
    (area / "notebooks.toml").write_text(
        """
        [notebooks.prioritisation]
        title = { en = "Ranking", fr = "Classement" }
        summary = "What first"
        gives = "ranks"
        parameters_path = "opslab.parameters:Parameters"
        """,
        encoding="utf-8",
    )
    monkeypatch.setattr(registry, "__file__", str(tmp_path / "opslab" / "runs" / "registry.py"))
    monkeypatch.setattr(registry, "notebooks", registry.notebooks.__wrapped__)
    monkeypatch.setattr(own_notebooks, "notebooks", registry.notebooks)
    assert list(registry.notebooks()) == ["prioritisation"]
    assert own_notebooks.find("prioritisation").parameters() is Parameters
    with pytest.raises(ValueError, match="did you mean prioritisation"):
        own_notebooks.find("prioritization")
