"""The workspace's secret: customers' keys are made with it, so that no guess can confirm one."""

from __future__ import annotations

import filecmp
import hashlib
import hmac
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from opslab import provenance, workspace
from opslab.errors import InputError, MachineError

FILE = ".opslab-secret"
VARIABLE = "OPSLAB_SECRET"
ERASED = ".opslab-erased"
"""File of a workspace: a line of JSON for each customer who was erased, with the tombstone."""
_SHORTEST = 16
_SAMPLE = "the sample's keys repeat everywhere"


def secret_for(files: Sequence[Path]) -> str:
    """Return the secret for what stands in a study's files, its spec among them.

    It is the environment variable ``OPSLAB_SECRET``, else what the workspace's file
    ``.opslab-secret`` holds, which is written on first use. The sample's is fixed, so that demos
    repeat; outside of a workspace each process has its own.

    Raises
    ------
    InputError
        When it is shorter than 16 characters.
    MachineError
        When the file cannot be read or written.
    """
    if _is_sample(files):
        return _SAMPLE
    given = os.environ.get(VARIABLE) or (
        stored(workspace.root()) if workspace.is_meant() else _of_process()
    )
    if len(given) < _SHORTEST:
        raise InputError.of("specs.short_secret", file=FILE, least=_SHORTEST)
    return given


def stored(root: Path) -> str:
    """Return what the file of the workspace at a root holds; it is written when there is none."""
    path = root / FILE
    try:
        if not path.exists():
            with tempfile.NamedTemporaryFile("w", dir=root, prefix=f"{FILE}-") as aside:
                aside.write(f"{secrets.token_hex(32)}\n")
                aside.flush()
                try:
                    os.link(aside.name, path)
                except FileExistsError:
                    pass  # another process was quicker: its secret it is
                except OSError:  # a disk without such links
                    shutil.copy(aside.name, path)
        return path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise MachineError.of("specs.no_secret", file=FILE, reason=reason) from None


@cache
def _of_process() -> str:
    return secrets.token_hex(32)


def _is_sample(files: Sequence[Path]) -> bool:
    """Whether files are all the sample's, byte for byte as the package brings them."""
    brought = [workspace.bundled("data/sample") / path.name for path in files]
    return bool(files) and all(
        workspace.is_there(theirs, file=True) and filecmp.cmp(path, theirs, shallow=False)
        for path, theirs in zip(files, brought, strict=True)
    )


def key(secret: str, name: str) -> str:
    """Return the key of a customer: the same for the same name and secret, and no way back.

    Examples
    --------
    >>> key("a secret of some length", "mail ada@example.org")
    '5b11cdeb648e'
    """
    return hmac.new(secret.encode(), name.encode("utf-8", "replace"), "sha256").hexdigest()[:12]


def tombstone(secret: str, customer: str) -> str:
    """Return what is kept of a customer who was erased, by their key: it leads back to neither.

    Examples
    --------
    >>> tombstone("a secret of some length", "5b11cdeb648e")
    '9969865d323a'
    """
    return key(secret, f"erased {customer}")


def erased() -> dict[str, dict[str, Any]]:
    """Return what the workspace tells of those who were erased, by tombstone.

    Raises `InputError` where somebody has broken the file: who was erased would come back.
    """
    file = workspace.root() / ERASED
    try:
        content = file.read_bytes() if file.exists() else b""
        stones = {each["customer"]: each for each in map(json.loads, content.splitlines())}
    except (ValueError, KeyError, TypeError):
        raise InputError.of("specs.bad_erased", file=file.name) from None
    if stones:
        provenance.note(file, hashlib.sha256(content).hexdigest())
    return stones


def fingerprint(secret: str) -> str:
    """Return what a run is known by in place of the secret; it is slow, so that guesses are too."""
    return hashlib.pbkdf2_hmac("sha256", secret.encode(), b"opslab.secret/1", 100_000).hex()[:16]
