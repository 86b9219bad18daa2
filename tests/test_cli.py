"""The commands beside `run`."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from conftest import ROOT
from opslab.archive import sealed
from opslab.cli import main


def opslab(*arguments):
    return CliRunner().invoke(main, [*arguments])


def test_help_names_the_exit_codes_and_every_command():
    shown = opslab("--help").stdout
    assert "Exit codes: 0 done" in shown
    assert all(name in shown for name in main.commands)
    assert {"bundle", "init", "lab", "render", "run"} <= set(main.commands)


def test_list_and_describe():
    assert "experiment_readout" in opslab("list").stdout
    shown = opslab("describe", "experiment_readout").stdout
    assert "spec" in shown
    assert "default: data/sample/checkout.yaml" in shown


def test_the_schema_is_json_and_knows_the_fields():
    schema = json.loads(opslab("schema", "experiment").stdout)
    assert {"experiment", "arms", "metrics", "decision"} <= set(schema["properties"])
    assert schema["additionalProperties"] is False


def test_sample_makes_the_same_bytes(workspace_folder):
    assert opslab("sample", "again").exit_code == 0
    again = workspace_folder / "again"
    made = sorted(path.relative_to(again) for path in again.rglob("*") if path.is_file())
    assert any(path.parts[0] == "runs" for path in made)
    assert all(
        (again / path).read_bytes() == (ROOT / "data/sample" / path).read_bytes() for path in made
    )


def test_an_empty_catalogue_says_so(workspace_folder):
    assert opslab("catalogue").exit_code == 0
    assert "There are no runs here yet." in (workspace_folder / "reports/index.html").read_text(
        encoding="utf-8"
    )


def test_a_catalogue_with_foreign_and_broken_files_still_stands(workspace_folder):
    for name, content in (
        ("a", "{}"),
        ("b", "no json"),
        (
            "c",
            json.dumps(
                sealed(
                    {
                        "digest": "0" * 64,
                        "outputs": {},
                        "as_of": "2026-01-01",
                        "name": "<b>x</b>",
                        "headline": "<script>",
                        "notebook": "experiment_readout",
                        "status": "complete",
                    }
                )
            ),
        ),
    ):
        folder = workspace_folder / "reports" / "experiment_readout" / name / "2026-01-01-00000000"
        folder.mkdir(parents=True)
        (folder / "run.json").write_text(content, encoding="utf-8")
    assert opslab("catalogue", "--language", "fr").exit_code == 0
    page = (workspace_folder / "reports/index.html").read_text(encoding="utf-8")
    assert page.count("Invérifiable") == 3, "none is what stands in its folder"
    assert "script" not in page
    assert "<b>x" not in page
    assert "Compte rendu d&#39;expérience" in page


def test_a_defect_is_told_without_a_traceback_and_with_one_on_request(monkeypatch):
    from opslab.runs import registry

    monkeypatch.setattr(registry, "notebooks", None)
    done = opslab("list")
    assert done.exit_code == 1
    assert done.stderr.startswith("This is a defect of opslab: TypeError: ")
    assert "opslab --debug" in done.stderr
    assert "Traceback" not in done.stderr
    assert isinstance(opslab("--debug", "list").exception, TypeError)


@pytest.mark.skipif(os.name != "posix", reason="pipes as POSIX has them")
@pytest.mark.parametrize("command", [["describe", "time_saved"], ["schema", "case"], ["list"]])
def test_a_reader_that_has_left_hears_nothing_of_it(command):
    """As in ``opslab describe time_saved | head``."""
    process = subprocess.Popen(
        [sys.executable, "-m", "opslab.cli", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(timeout=20) == 141


def test_a_sample_that_cannot_be_written_is_the_machines(workspace_folder):
    (workspace_folder / "file").touch()
    done = opslab("sample", "file/below")
    assert done.exit_code == 5
    assert "The machine refused: Not a directory" in done.stderr


def test_a_run_of_a_notebook_that_is_gone_is_listed_by_its_name(workspace_folder):
    folder = workspace_folder / "reports" / "old_notebook" / "a" / "2026-01-01-00000000"
    folder.mkdir(parents=True)
    told = {"notebook": "old_notebook", "name": "a", "as_of": "2026-01-01", "status": "complete"}
    told |= {"headline": "h", "digest": "0" * 64, "outputs": {}}
    (folder / "run.json").write_text(json.dumps(sealed(told)), encoding="utf-8")
    assert opslab("catalogue").exit_code == 0
    page = (workspace_folder / "reports/index.html").read_text(encoding="utf-8")
    assert '<span class="remark">old_notebook</span>' in page


SHEET = "Idée;Portée;Confiance\nRetours;1 200;80 %\nExport;5 000;50 %\n"


def test_profile_shows_what_is_read_and_what_was_decided(workspace_folder):
    (workspace_folder / "rice.csv").write_text(SHEET, encoding="utf-8-sig")
    english, french = (
        opslab("profile", "rice.csv", "--language", language) for language in ("en", "fr")
    )
    assert (english.exit_code, french.exit_code) == (0, 0)
    assert "Delimiter: semicolon" in english.stdout
    assert "number; 2 cells with a percent sign, kept as fractions" in english.stdout
    assert "Séparateur\N{NO-BREAK SPACE}: point-virgule" in french.stdout
    assert list((workspace_folder / "profiles").glob("*")) == []


def test_profile_asks_and_takes_the_answer(workspace_folder):
    (workspace_folder / "both.csv").write_text("a,b;c\n1,2;3\n4,5;6\n", encoding="utf-8")
    asked = opslab("profile", "both.csv")
    assert asked.exit_code == 2
    assert "say which in `delimiter:`" in asked.stderr
    assert opslab("profile", "both.csv", "--delimiter", "comma").exit_code == 0


def test_profile_takes_every_answer_as_an_option(workspace_folder):
    from opslab.tables import Answers

    shown = opslab("profile", "--help").stdout
    for name in Answers.model_fields:
        assert f"--{name.replace('_', '-')} " in shown
    rows = "Ref,When,Who,NPS,Why?,Also\nA1,04/03/2026,k1,9,it is too slow,and loud\nA2,05/03/2026,k2,3,no sound,\n"
    (workspace_folder / "plain.csv").write_text(rows, encoding="utf-8")
    asked = opslab("profile", "plain.csv").stdout
    assert "The messages seem to be in “Why?”: say `text: 'Why?'`" in asked
    answers = (
        "--text",
        "Why?",
        "--text",
        "Also",
        "--id",
        "Ref",
        "--date",
        "When",
        "--customer",
        "Who",
    )
    score = ("--score", "{column: NPS, from: 0, to: 10}")
    answered = opslab("profile", "plain.csv", *answers, *score, "--month-first").stdout
    assert "seem to be" not in answered
    for line in (
        "  created_at   date and time; called “When”",
        "  score        number; called “NPS”",
        "  customer_id  text",
    ):
        assert line in answered
    assert "--day-first / --month-first" in shown
    wrong = opslab("profile", "plain.csv", "--score", "{column: NPS")
    assert wrong.exit_code == 2
    assert "Traceback" not in wrong.stderr
    assert "did you mean Why?" in opslab("profile", "plain.csv", "--text", "Wy?").stderr
    drafted = opslab("profile", "plain.csv", *answers, *score, "--day-first", "--draft")
    assert "plain.yaml" in drafted.stdout
    again = opslab("profile", "plain.csv", "--profile", "plain").stdout
    assert "day first, as you said" in again
    assert "seem to be" not in again


def test_a_draft_profile_is_recognised_from_then_on_and_never_overwritten(workspace_folder):
    (workspace_folder / "rice.csv").write_text(SHEET, encoding="utf-8-sig")
    assert "rice.yaml" in opslab("profile", "rice.csv", "--draft").stdout
    written = workspace_folder / "profiles" / "rice.yaml"
    before = written.read_bytes()
    assert b"confiance: {headers: [Confiance], kind: percent}" in before
    shown = opslab("profile", "rice.csv").stdout
    assert "Column profile: rice" in shown
    assert 'called "Portée" in the file' in shown or "called “Portée” in the file" in shown
    again = opslab("profile", "rice.csv", "--draft")
    assert again.exit_code == 2
    assert "there already" in again.stderr
    assert written.read_bytes() == before


@pytest.mark.parametrize(
    "given", [["--\x1b[2J"], ["list", "\x9b31m\u202e"], ["profile", "a\rb\x07"], ["\x1b]0;x\x07"]]
)
def test_a_terminal_is_never_steered(given):
    """By what was typed, in refusals of click's own too."""
    done = CliRunner().invoke(main, given)
    assert done.exit_code == 2
    assert not {*"\x1b\x9b\x07\r\u202e"} & set(done.output)
