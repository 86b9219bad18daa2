"""Customers' keys: no guess confirms one, and the sample's repeat everywhere."""

from __future__ import annotations

import hashlib
import hmac
import os

import pytest

from opslab import secret
from opslab.errors import InputError, MachineError


@pytest.fixture(autouse=True)
def no_variable(monkeypatch):
    monkeypatch.delenv(secret.VARIABLE, raising=False)


def test_a_key_is_that_of_rfc_2104_cut_short():
    digest = hmac.digest(b"a secret of some length", b"mail ada@example.org", hashlib.sha256)
    assert secret.key("a secret of some length", "mail ada@example.org") == digest.hex()[:12]
    assert secret.key("a secret of some length", "\ud800")  # half of a letter, as exports have it


def test_each_workspace_has_its_own_and_keeps_it(workspace_folder):
    spec = workspace_folder / "study.yaml"
    first = secret.secret_for([spec])
    assert len(first) == 64
    assert secret.secret_for([spec]) == first
    file = workspace_folder / secret.FILE
    if os.name == "posix":
        assert file.stat().st_mode & 0o777 == 0o600
    file.unlink()
    assert secret.secret_for([spec]) != first


def test_the_samples_is_fixed_and_the_variable_comes_before_the_file(workspace_folder, monkeypatch):
    sample = workspace_folder / "data/sample/shop_feedback.yaml"
    tables = [sample, workspace_folder / "data/sample/feedback_reviews.csv"]
    fixed = secret.secret_for(tables)
    monkeypatch.setenv(secret.VARIABLE, "of the whole team, for all workspaces")
    assert secret.secret_for(tables) == fixed
    assert secret.secret_for([workspace_folder / "study.yaml"]).startswith("of the whole team")
    assert not (workspace_folder / secret.FILE).exists()
    tables[1].write_text("text", encoding="utf-8")  # the user's own, under the sample's spec
    assert secret.secret_for(tables).startswith("of the whole team")


def test_outside_of_a_workspace_each_process_has_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPSLAB_WORKSPACE", raising=False)
    assert len(secret.secret_for([])) == 64
    assert not list(tmp_path.iterdir())


def test_a_short_secret_or_one_that_cannot_be_kept_is_refused(workspace_folder, monkeypatch):
    (workspace_folder / secret.FILE).write_text("short\n", encoding="utf-8")
    with pytest.raises(InputError, match="at least 16 characters"):
        secret.secret_for([])
    (workspace_folder / secret.FILE).write_bytes(b"\xff" * 20)
    with pytest.raises(MachineError, match="cannot be read or written"):
        secret.secret_for([])
    monkeypatch.setenv(secret.VARIABLE, "0123456789abcde")
    with pytest.raises(InputError, match="OPSLAB_SECRET"):
        secret.secret_for([])


def test_a_run_knows_the_secret_by_its_hash_alone():
    assert secret.fingerprint("a" * 16) != secret.fingerprint("a" * 17)
    assert "a" * 8 not in secret.fingerprint("a" * 16)
