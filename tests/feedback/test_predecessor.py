"""The run that a study continues: the last good one before its day, and no other untold."""

import json
import shutil

import pandas as pd
import pytest
from click.testing import CliRunner

from conftest import make_workspace
from opslab import workspace
from opslab.cli import main
from opslab.errors import InputError
from opslab.feedback import ThemesParameters
from opslab.runs.runner import run_notebook

SAYS = {
    "late": "My parcel number {0} is late and nobody at the carrier answers me",
    "crash": "The app crashes on my phone whenever I open order {0}",
    "refund": "I still wait for the refund of invoice {0}, it was promised last week",
    "dark": "Please add a dark mode to page {0}, my eyes hurt at night",
}
STUDY = "study: shop\nsources: [{path: messages.csv}]\nlanguages: [en]\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A workspace with a study of four themes in four weeks."""
    folder = make_workspace(tmp_path / "workspace")
    monkeypatch.chdir(folder)
    monkeypatch.delenv("OPSLAB_WORKSPACE", raising=False)
    days = pd.date_range("2026-08-03", periods=28).strftime("%Y-%m-%d")
    rows = [
        {"id": f"{name}{at}", "date": days[at], "text": words.format(1000 + 7 * at)}
        for name, words in SAYS.items()
        for at in range(28)
    ]
    pd.DataFrame(rows).to_csv(folder / "messages.csv", index=False)
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    return folder


def run(day, **more):
    return run_notebook("feedback_themes", {"spec": "study.yaml", "as_of": day, **more})


def registry_of(run):
    return json.loads((run.folder / "registry.json").read_text("utf-8"))


def ids(run):
    """Return what each theme's first quote is about, by the theme's id."""
    record = run.result()
    return {
        theme["id"]: next(
            name for name, words in SAYS.items() if theme["quotes"][0]["text"][:9] == words[:9]
        )
        for theme in record["themes"]
    }


@pytest.mark.slow
def test_a_run_continues_the_last_good_one_of_an_earlier_day(folder):
    first = run("2026-08-16")
    second = run("2026-08-23")
    assert registry_of(first)["previous"] == ""
    assert registry_of(second)["previous"] == "/".join(first.folder.parts[-3:])
    sha256 = workspace.sha256(first.folder / "registry.json")
    assert registry_of(second)["previous_sha256"] == sha256
    assert ids(second) == ids(first)
    about = json.loads((second.folder / "run.json").read_text("utf-8"))
    assert sha256 in {each["sha256"] for each in about["inputs"]}
    assert run("2026-08-23").reused
    assert run("2026-08-16").reused
    # Later than as_of: not there yet.
    assert first.result()["messages"]["outside"] == 4 * 14
    # A run of that day once more, in French, continues the same one.
    french = run("2026-08-23", language="fr")
    assert registry_of(french) == registry_of(second)
    # Weeks may be missing; of two of a day, the one that was filed last is continued.
    third = run("2026-08-30")
    assert registry_of(third)["previous"] == "/".join(french.folder.parts[-3:])


@pytest.mark.slow
def test_what_cannot_be_continued_is_told(folder):
    run("2026-08-16")
    second = run("2026-08-23")
    with pytest.raises(InputError, match="later day"):
        run("2026-08-20")
    (folder / "study.yaml").write_text(f"{STUDY}previous: none\n", encoding="utf-8")
    assert registry_of(run("2026-08-20"))["previous"] == ""  # begun anew, and knowingly
    exact = "/".join(second.folder.parts[-3:])
    (folder / "study.yaml").write_text(f"{STUDY}previous: {exact}\n", encoding="utf-8")
    assert registry_of(run("2026-08-24"))["previous"] == exact
    shutil.rmtree(folder / "reports/feedback_themes/shop/")
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    run("2026-08-16")
    second = run("2026-08-23")
    file = second.folder / "registry.json"
    kept = file.read_bytes()
    file.write_bytes(kept.replace(b'"active"', b'"merged"', 1))
    with pytest.raises(InputError, match="not what run"):
        run("2026-08-30")
    file.unlink()
    with pytest.raises(InputError, match="not what run"):
        run("2026-08-30")
    file.write_bytes(kept)
    assert not run("2026-08-30").exit_code
    shutil.rmtree(second.folder)
    study = ThemesParameters.of(spec="study.yaml", as_of="2026-08-29")
    with pytest.raises(InputError, match="later day"):
        study.registry(study.study())


def test_previous_names_what_there_is(folder):
    spec = folder / "study.yaml"
    for given in ("first", "feedback_themes", "feedback_themes/shop/2026-08-20-abcd", "../shop"):
        spec.write_text(f"{STUDY}previous: {given}\n", encoding="utf-8")
        with pytest.raises(InputError, match="previous"):
            ThemesParameters.of(spec="study.yaml").study()
    spec.write_text(f"{STUDY}previous: feedback_themes/shop/2026-08-20-0a1b2c3d\n", "utf-8")
    parameters = ThemesParameters.of(spec="study.yaml", as_of="2026-08-30")
    with pytest.raises(InputError, match="no run"):
        parameters.stands_on()
    spec.write_text(f"{STUDY}previous: none\n", encoding="utf-8")
    assert parameters.registry(parameters.study()) is None


@pytest.mark.slow
def test_an_executed_notebook_of_a_run_that_continues_another_is_filed(folder):
    run("2026-08-16")
    second = run("2026-08-23")
    shutil.copy(second.folder / "notebook.ipynb", folder / "executed.ipynb")
    shutil.rmtree(second.folder)
    done = CliRunner().invoke(main, ["render", "executed.ipynb"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert (second.folder / "registry.json").is_file()
