"""The page of a review: both languages whole in every situation, hostile texts as text, what moved."""

from __future__ import annotations

import importlib.util
import json
import re
import sys

import pytest
from click.testing import CliRunner

import opslab
from conftest import ROOT, page_of, run_cells
from opslab import operations
from opslab.cli import main
from opslab.errors import DataError, SpecError

SAMPLE = ROOT / "data" / "sample"
FRENCH = """---
modèle: compte rendu de réunion
titre: Réunion
équipe: Paiements
responsable: Ada
date: 2026-10-01
---
## Décisions

Oui.

## Actions

Ada rédige.

## Questions ouvertes

Rien.
"""
SITUATIONS = {
    "all hold": {"a.md": FRENCH},
    "nothing follows": {"a.md": "# Autre\n\nRien."},
    "unread": {"a.md": FRENCH, "b.pdf": "%PDF", "c.md": "---\na: [\n---\n"},
    "broken": {"a.pdf": "%PDF"},
    "one unread": {"a.md": FRENCH, "c.md": FRENCH, "b.pdf": "%PDF"},
    "unclear": {"a.md": FRENCH.replace("2026-10-01", "03/04/2026")},
    "stale": {
        "a.md": FRENCH.replace("compte rendu de réunion", "stratégie").replace(
            "date:", "à_revoir_le: 2020-01-01\ndate:"
        )
    },
    "other keys": {"a.md": FRENCH},
}


def french():
    """Load the check for English words that the experiments' readout has."""
    if "test_french" not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            "test_french", ROOT / "tests" / "runs" / "test_french.py"
        )
        sys.modules["test_french"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["test_french"])
    return sys.modules["test_french"]


def reviewed(folder, documents, **fields):
    for path, text in documents.items():
        file = folder / "documents" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    given = {"standard": "revue", "date": "2026-10-05", "documents": "documents"} | fields
    (folder / "standard.yaml").write_text(json.dumps(given), "utf-8")
    return operations.review_standards(operations.Standard.load(folder / "standard.yaml"))


@pytest.mark.parametrize("situation", SITUATIONS)
def test_both_languages_are_whole_in_every_situation(tmp_path, situation):
    check, fields = french(), {}
    if situation == "other keys":
        (tmp_path / "own").mkdir()
        own = "---\nmodèle: compte rendu de réunion\ntitre:\néquipe:\nsalle:\n---\n## Décisions\n"
        (tmp_path / "own" / "meeting_notes.md").write_text(own, "utf-8")
        fields = {"templates": "own"}
    result = reviewed(tmp_path, SITUATIONS[situation], **fields)
    shown = page_of(result, "fr")
    own = {"md", "pdf", "c", "documents"} | check.words("expected the node content but found")
    assert not check.english_in(shown) - own  # a reader of YAML speaks English
    for figure in result.figures("fr").values():
        drawn = " ".join(
            one.get_text() for one in figure.drawing.findobj(lambda one: hasattr(one, "get_text"))
        )
        assert not check.words(f"{drawn} {figure.alt} {figure.caption}") & check.ENGLISH
        assert re.search(r"\d", figure.alt)
    english = page_of(result, "en")
    assert len(check.english_in(english)) > 5
    assert not re.search(r"\{\w|nan\b|None", english + shown)
    assert result.action == {
        "all hold": "keep",
        "broken": "stop",
        "unread": "stop",
        "one unread": "read",
    }.get(situation, "fix")
    assert repr(result)


def test_the_sample_in_french_names_sections_and_keys_in_french():
    result = operations.review_standards(operations.Standard.load(SAMPLE / "standard.yaml"))
    shown = page_of(result, "fr")
    for words in (
        "Croissance",
        "feuille de route",
        "Ce que nous ne faisons pas : absent",
        "Preuves",
    ):
        assert words in re.sub(r"[\u00a0\u202f]", " ", shown)
    assert "Ce que nous ne faisons pas" not in json.dumps(result.record(), ensure_ascii=False)


def test_texts_of_documents_are_shown_as_text(tmp_path):
    bad = "<script>alert(1)</script>"
    text = FRENCH.replace("Réunion", f'"{bad}"').replace("Paiements", f'"=1+1{bad}"')
    result = reviewed(tmp_path, {"=cmd.md": text.replace("2026-10-01", f'"{bad}"')})
    shown = page_of(result, "en")
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown
    path = result.to_csv(tmp_path / "out.csv")
    assert not re.search(r"(?m)(^|,)=", path.read_text("utf-8"))


def test_what_has_moved_since_an_earlier_run(workspace_folder):
    folder = workspace_folder / "mine"
    folder.mkdir()
    documents = {"a.md": FRENCH, "b.md": FRENCH.replace("Ada\n", "TBD\n"), "gone.md": FRENCH}
    reviewed(folder, documents)
    first = opslab.run("standards_review", spec="mine/standard.yaml")
    assert first.exit_code == 0
    (folder / "documents" / "gone.md").unlink()
    cited = {"date": "2026-11-02", "previous": [str(first.folder)]}
    result = reviewed(folder, {"b.md": FRENCH, "new.md": FRENCH}, **cited)
    (moved,) = result.movements
    assert str(moved.as_of) == "2026-10-05"
    assert (moved.both, moved.before, moved.now) == (2, 1, 2)
    assert (moved.new, moved.gone) == (["new.md"], ["gone.md"])
    assert result.check("moved").status == "pass"
    assert "2 documents that were also there on 5 October 2026, 2 are complete" in page_of(
        result, "en"
    )
    json.dumps(result.record())
    assert "1 was then" in repr(result.movement)
    record = first.folder / "result.json"
    record.write_text(record.read_text("utf-8").replace('"held": 6', '"held": 5'), "utf-8")
    with pytest.raises(SpecError, match="not the one that was filed"):
        reviewed(folder, {}, **cited)
    with pytest.raises(DataError, match=r"previous\[1\].*not there"):
        reviewed(folder, {}, previous=["documents"])


def test_the_exploring_cells_run_and_agree(workspace_folder, capsys):
    names = run_cells("standards_review")
    here, ours = capsys.readouterr().out.strip().split("\n")[:2]
    assert here.removesuffix(" here") == ours.removesuffix(" ours")
    assert names["later"].share.whole < names["result"].share.whole


def test_templates_brought_are_documents_that_lack_everything(tmp_path):
    """Each template is recognised as itself, in either language, and holds nothing."""
    folder = ROOT / "src" / "opslab" / "operations" / "standards" / "templates"
    documents = {path.name: path.read_text("utf-8") for path in folder.iterdir()}
    assert len(documents) == 10
    result = reviewed(tmp_path, documents)
    for row in result.rows():
        assert (row["held"], row["template"]) == (1, row["template"]), row
        assert row["template"].replace(" ", "_") == row["document"].partition(".")[0]


def test_a_spec_is_described():
    told = CliRunner().invoke(main, ["schema", "standard"])
    assert "stale_after_days" in told.output
