"""What was read is known by the hash of what was read, and a change meanwhile is refused."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import pytest

from opslab import documents, provenance
from opslab.tables import open_table


@pytest.fixture(autouse=True)
def nothing_read(monkeypatch, workspace_folder):
    monkeypatch.setattr(provenance, "_read", {})
    monkeypatch.setattr(provenance, "_opened", {"": None})


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def test_a_spec_is_known_by_the_bytes_that_were_parsed(workspace_folder):
    path = workspace_folder / "a.yaml"
    path.write_bytes(b"a: 1")
    documents.read(path, "a.yaml")
    path.write_bytes(b"a: 2")
    assert provenance.files_read() == [{"file": "a.yaml", "sha256": sha256(b"a: 1")}]


def test_a_file_read_twice_is_known_by_both_states(workspace_folder):
    path = workspace_folder / "a.yaml"
    for content in (b"a: 1", b"a: 2"):
        path.write_bytes(content)
        documents.read(path, "a.yaml")
    assert [read["file"] for read in provenance.files_read()] == ["a.yaml", "a.yaml"]


@pytest.mark.parametrize("change", ["written", "with size and time kept", "replaced", "removed"])
def test_data_that_changes_while_it_is_being_read_is_named_as_changed(workspace_folder, change):
    path = workspace_folder / "a.csv"
    path.write_bytes(b"a,b\n1,2\n")
    status = path.stat()
    with open_table(path):
        assert provenance.files_read() == [{"file": "a.csv", "sha256": sha256(b"a,b\n1,2\n")}]
        if change == "removed":
            path.unlink()
        elif change == "replaced":
            other = workspace_folder / "b.csv"
            other.write_bytes(b"a,b\n1,2\n")
            other.replace(path)
        else:
            path.write_bytes(b"a,b\n1,3\n")
        if change == "with size and time kept":
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert {"file": "a.csv", "sha256": "changed"} in provenance.files_read()


def test_what_the_package_brings_is_none_of_the_users_inputs():
    from opslab.tables.profiles import known_profiles

    known_profiles()
    assert provenance.files_read() == []


def test_a_notebook_that_opens_a_file_by_itself_has_read_it_too(workspace_folder):
    """A process of its own: what listens can never be switched off."""
    (workspace_folder / "own.csv").write_bytes(b"a\n1\n")
    (workspace_folder / "data/.hidden").write_bytes(b"x")
    (workspace_folder / "count").write_bytes(b"1")
    (workspace_folder / ".opslab-secret").write_bytes(b"x")
    folder = workspace_folder / "reports/time_saved/desk/2026-10-05-01234567"
    folder.mkdir(parents=True)
    for name in ("run.json", "result.json"):
        (folder / name).write_bytes(b"{}")
    (workspace_folder / "house.py").write_text("RATE = 1", encoding="utf-8")
    source = """
import os
import house, ipykernel, pandas
import opslab
from opslab import provenance
pandas.read_csv("own.csv").to_csv("written.csv")
pandas.read_csv("written.csv")
count = int(open("count").read())
open("count", "w").write(str(count + 1))
os.chdir("reports")
for name in (b"../data/.hidden", "../.opslab-secret"):
    open(name, "r+").read()
for name in ("run", "result"):
    open("time_saved/desk/2026-10-05-01234567/" + name + ".json").read()
print(*[read["file"] for read in provenance.files_read()])
os.truncate("../own.csv", 1)  # by somebody else: no opening of this process
print(*[read["file"] for read in provenance.files_read() if read["sha256"] == "changed"])
"""
    record = "reports/time_saved/desk/2026-10-05-01234567/result.json"
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    for _ in "compiled", "from the cache":
        done = subprocess.run(
            [sys.executable, "-c", source],
            cwd=workspace_folder,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        names, changed = done.stdout.splitlines()
        assert names == f"count data/.hidden house.py own.csv {record}"
        assert changed == "own.csv"
        (workspace_folder / "own.csv").write_bytes(b"a\n1\n")
