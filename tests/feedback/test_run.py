"""A run whose check is red: the whole readout with its tables, exit code 3, twice the same."""

import hashlib
import json
import os
import subprocess
import sys

import pandas as pd
import pytest

STUDY = """
study: two-tongues
end: 2026-09-30
sources: [{path: both.csv, source: form}]
themes: {encoder: lsa, coverage: 1.0}
"""
ENGLISH = ("my parcel is late", "where is my parcel", "refund please", "I want a refund")
FRENCH = (
    "mon colis est en retard",
    "où est mon colis",
    "remboursement svp",
    "je veux un remboursement",
)


@pytest.fixture
def command(workspace_folder):
    texts = [
        f"{said} {n} =1+1"
        for said in (*ENGLISH, *FRENCH)
        for n in ("abc", "klm", "xyz", "<b>", "uvw", "rst")
    ]
    frame = pd.DataFrame({"id": range(len(texts)), "text": texts})
    frame.to_csv(workspace_folder / "both.csv", index=False)
    (workspace_folder / "both.yaml").write_text(STUDY, encoding="utf-8")
    return [
        sys.executable,
        "-m",
        "opslab.cli",
        "run",
        "feedback_themes",
        "-p",
        "spec=both.yaml",
        "--quiet",
    ]


@pytest.mark.slow
def test_a_red_light_is_a_whole_readout_and_exit_code_3(command, workspace_folder):
    runs = []
    for seed in ("1", "2"):
        environment = {
            **os.environ,
            "PYTHONHASHSEED": seed,
            "TZ": "Pacific/Auckland" if seed == "1" else "UTC",
        }
        environment.pop("OPSLAB_WORKSPACE", None)
        done = subprocess.run(
            [*command, "--out", seed],
            cwd=workspace_folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 3, done.stderr
        folder = next((workspace_folder / seed / "feedback_themes" / "two-tongues").iterdir())
        runs.append(
            {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "run.json"}
        )
    assert runs[0] == runs[1]
    record = json.loads(runs[0]["result.json"])
    assert record["status"] == "check_failed"
    assert {file["file"] for file in record["files"]} == {
        "themes.csv",
        "messages.csv",
        "audit.csv",
        "contrasts.csv",
        "registry.json",
        "themes.xlsx",
    }
    for file in record["files"]:
        assert hashlib.sha256(runs[0][file["file"]]).hexdigest() == file["sha256"]
    filed = json.loads((folder / "run.json").read_bytes())["outputs"]
    pages = [name for name in runs[0] if name.startswith("theme-")]
    assert len(pages) > 2
    for name in pages:
        assert filed[name] == hashlib.sha256(runs[0][name]).hexdigest()
        assert b'<a href="readout.html">' in runs[0][name]
    page = runs[0]["readout.html"].decode()
    assert {f'href="{name}"' in page for name in pages if name != "theme-none.html"} == {True}
    assert "Stop: not to be relied on" in page
    assert "<b>" not in page.replace("<body>", "")
    assert len(page) < 250_000


@pytest.mark.slow
def test_vectors_in_a_folder_that_is_not_hidden_are_kept_and_used_again(command, workspace_folder):
    """They are written and read while the notebook runs, and are no input of it."""
    study = STUDY.replace("encoder: lsa", "cache: vectors")
    (workspace_folder / "both.yaml").write_text(study, encoding="utf-8")
    kept = []
    for out in ("first", "second"):
        done = subprocess.run(
            [*command, "--out", out],
            cwd=workspace_folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in (0, 3), done.stderr
        (path,) = (workspace_folder / out).glob("feedback_themes/two-tongues/*/run.json")
        assert ".vectors" not in path.read_text(encoding="utf-8")
        files = [*(workspace_folder / "vectors").rglob("*.vectors")]
        assert files
        kept.append({each: each.stat().st_mtime_ns for each in files})
    assert kept[0] == kept[1]
