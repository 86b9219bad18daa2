"""Whoever answered, assessed, voted or used stands in no output: marked names, and a search of all."""

from __future__ import annotations

import csv
import io
import json
import zipfile

import pytest
from click.testing import CliRunner

from conftest import ROOT, page_of
from opslab.cli import main
from opslab.messages import LANGUAGES
from opslab.operations import (
    DecisionReview,
    PracticeReview,
    review_decisions,
    review_practices,
)

SAMPLE = ROOT / "data" / "sample"
MARK, OWNER = "Zyxwena Marker", "Qvorin Owner"
MARKED = {
    "product_decisions_survey_april.csv": {"person"},
    "product_decisions_survey_september.csv": {"person"},
    "product_decisions_log.csv": {"voted_by"},
    "product_practices_canvas.csv": {"assessor", "voted_by"},
    "product_practices_processes.csv": {"voted_by"},
    "product_practices_uses.csv": {"voted_by", "user"},
}
"""Of each sheet the columns that tell who answered, and some that no spec knows."""
OWNED = {
    "product_decisions_log.csv": "owner",
    "product_practices_canvas.csv": "action_owner",
    "product_practices_processes.csv": "owner",
}


def mark(folder):
    """Put a marked name for each person into every sheet; owners get another one."""
    for name, columns in MARKED.items():
        with (SAMPLE / name).open(encoding="utf-8", newline="") as file:
            rows = [*csv.DictReader(file)]
        for row in rows:
            for column in sorted(columns):
                row[column] = f"{MARK} {row.get(column, '') or 'x'}"
            if row.get(OWNED.get(name)):
                row[OWNED[name]] = OWNER
        if "survey" in name:  # what somebody writes of oneself, once
            rows[0] |= {"priority_3": f"ask {MARK}", "goal": f"{MARK} knows it"}
            rows[1] |= {"priority_1": f"{MARK}'s own project"}
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, [*rows[0]])
            writer.writeheader()
            writer.writerows(rows)


def texts(content: bytes) -> str:
    """Return what is readable in a file, in a workbook's sheets too."""
    if content[:2] != b"PK":
        return content.decode("utf-8", "replace")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return "\n".join(
            archive.read(name).decode("utf-8", "replace") for name in archive.namelist()
        )


def outputs(result):
    """Return all that a result can show, tell or be taken away as."""
    yield "record", json.dumps(result.record(), default=str)
    yield "short frame", result.frame().to_csv()
    yield "full frame", result.frame(full=True).to_csv()
    yield "terminal", repr(result) + "".join(repr(getattr(result, part)) for part in result.PARTS)
    for language in LANGUAGES:
        yield f"page {language}", page_of(result, language)
        for name, figure in result.figures(language).items():
            yield f"figure {name} {language}", f"{figure.alt} {figure.caption}"
        for name, content in result.takeaway(language).items():
            yield f"{name} {language}", texts(content)


@pytest.mark.parametrize(
    ("model", "review", "spec"),
    [
        (DecisionReview, review_decisions, "product_decisions.yaml"),
        (PracticeReview, review_practices, "product_practices.yaml"),
    ],
)
def test_no_output_of_a_review_holds_a_persons_name(model, review, spec, workspace_folder):
    sample = workspace_folder / "data" / "sample"
    mark(sample)
    declared = model.load(sample / spec)
    result = review(declared, declared.date)
    said = dict(outputs(result))
    assert not [name for name, text in said.items() if "Zyxwena" in text]
    # the search can find a name: who owns what is to be done is told
    assert any("Qvorin" in text for text in said.values())


@pytest.mark.slow
def test_no_file_of_a_run_holds_a_persons_name(workspace_folder):
    """Reports, contribution and digest really run, one after the other, in one workspace."""
    mark(workspace_folder / "data" / "sample")
    reports = workspace_folder / "reports"
    for language in LANGUAGES:
        for name in ("decision_review", "practice_review", "contribution", "digest"):
            arguments = ["run", name, "-p", f"language={language}", "--quiet"]
            ended = CliRunner().invoke(main, arguments)
            assert ended.exit_code in (0, 3), ended.output
    files = [path for path in reports.rglob("*") if path.is_file()]
    assert {path.parts[-4] for path in files if path.name == "readout.html"} == {
        "decision_review",
        "practice_review",
        "contribution",
        "digest",
    }
    assert {".html", ".ipynb", ".json", ".xlsx", ".md", ".txt"} <= {path.suffix for path in files}
    assert not [str(path) for path in files if "Zyxwena" in texts(path.read_bytes())]
    assert [path for path in files if "Qvorin" in texts(path.read_bytes())]
