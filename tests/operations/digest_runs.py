"""Runs filed by hand, as the runner files them, for the digest's tests."""

from __future__ import annotations

import datetime
import hashlib
import json
import os

import pytest

from opslab.archive import sealed
from opslab.evidence import Evidence, Quantity, SourceFile
from opslab.operations import Digest, write_digest

SINCE, UNTIL = datetime.date(2026, 9, 1), datetime.date(2026, 9, 30)
FIELDS = {"digest": "Brief", "since": SINCE.isoformat(), "date": UNTIL.isoformat()}


@pytest.fixture
def reports(tmp_path, monkeypatch):
    """Make an empty folder of reports, and have runs sought there."""
    folder = tmp_path / "reports"
    folder.mkdir()
    monkeypatch.setenv("OPSLAB_REPORTS", str(folder))
    monkeypatch.setenv("OPSLAB_WORKSPACE", str(tmp_path))
    return folder


def file_run(reports, run, record=None, language="en", status="complete", filed=0, **about):
    """File a run: page, notebook, record, and the hashes of them under a seal. Return its folder."""
    notebook, name, folder = run.split("/")
    home = reports / notebook / name / folder
    home.mkdir(parents=True, exist_ok=True)
    told = (
        {"evidence": [], "inputs": []} | (record or {}) | {"as_of": folder[:10], "status": status}
    )
    files = {
        "result.json": json.dumps(told).encode(),
        "notebook.ipynb": b"{}",
        "readout.html": b"<html>",
    }
    for file, data in files.items():
        (home / file).write_bytes(data)
    noted = {
        "notebook": notebook,
        "name": name,
        "as_of": folder[:10],
        "status": status,
        "headline": "English sentence of the run.",
        "digest": folder[11:],
        "parameters": {"language": language},
        "outputs": {file: hashlib.sha256(data).hexdigest() for file, data in files.items()},
    }
    (home / "run.json").write_text(json.dumps(sealed(noted | about)))
    os.utime(home, (1_700_000_000 + filed,) * 2)
    return home


def figure(name="desk/lead", location=20.0, scale=1.0, data="a", **more):
    """Return a finding as its record tells it: normal, with its 95 % interval."""
    low, high = location - 1.96 * scale, location + 1.96 * scale
    given = {
        "id": name,
        "kind": "descriptive",
        "statement": ("flow.evidence_lead", {"flow": "desk"}),
        "quantity": Quantity(
            "normal", {"location": location, "scale": scale}, location, low, high, 0.95
        ),
        "unit": "days",
        "per": "unit",
        "period": (None, None),
        "population": "desk",
        "claim": f"elapsed:{name}",
        "benefit": "quality",
        "grade": "D",
        "sources": (SourceFile(f"{data}.csv", data, 1),),
    }
    return Evidence(**(given | more)).record()


def found(*figures, data="a"):
    """Return a record with figures, from a file."""
    return {"evidence": list(figures), "inputs": [{"file": "x.csv", "sha256": data}]}


def experiment(
    name="shop", action="ship", verdict="won", arm="short", lift=(0.08, 0.02, 0.14), **words
):
    """Return the record of an experiment's readout."""
    said = {"metric": "orders", "arm": arm, "control": "old"} | words
    evidence = figure(
        f"{name}/orders/{arm}",
        0.02,
        0.005,
        kind="causal",
        unit="share",
        statement=("experiments.evidence", said),
    )
    row = {
        "metric": "orders",
        "arm": arm,
        "segment": None,
        "verdict": verdict,
        "lift": lift[0],
        "lift_interval": {"low": lift[1], "high": lift[2]},
    }
    return {
        "plan": {"slug": name},
        "decision": {"action": action, "arm": arm if action == "ship" else None},
        "comparisons": [row],
        "evidence": [evidence] if action != "stop_broken" else [],
        "inputs": [{"file": "x.csv", "sha256": name}],
    }


def digest(language="en", **fields):
    """Return the digest of September 2026."""
    return write_digest(Digest(**(FIELDS | fields)), language=language)


def lines(result, section, language="en"):
    """Return what a section tells, with plain spaces and a hyphen for the minus."""
    told = result.room("presentation").line
    said = [told(item, result, result.voice(language)) for item in result.of(section)]
    return [line.replace("\u00a0", " ").replace("\N{MINUS SIGN}", "-") for line in said]
