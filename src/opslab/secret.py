"""The workspace's secret: customers' keys are made with it, so that no guess can confirm one."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from functools import cache
from pathlib import Path

from opslab import workspace
from opslab.errors import InputError, MachineError

FILE = ".opslab-secret"
VARIABLE = "OPSLAB_SECRET"
_SHORTEST = 16
_SAMPLE = "the sample's keys repeat everywhere"


def secret_for(spec: Path | None) -> str:
    """Return the secret for what a spec analyses.

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
    if spec is not None and spec.resolve().parent in _sample_folders():
        return _SAMPLE
    given = os.environ.get(VARIABLE) or (
        stored(workspace.root()) if workspace.is_marked() else _of_process()
    )
    if len(given) < _SHORTEST:
        raise InputError.of("specs.short_secret", file=FILE, least=_SHORTEST)
    return given


def stored(root: Path) -> str:
    """Return what the file of the workspace at a root holds; it is written when there is none."""
    path = root / FILE
    try:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_text(encoding="utf-8").strip()
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(f"{secrets.token_hex(32)}\n")
        return path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise MachineError.of("specs.no_secret", file=FILE, reason=reason) from None


@cache
def _of_process() -> str:
    return secrets.token_hex(32)


def _sample_folders() -> list[Path]:
    name = "data/sample"
    return [(workspace.root() / name).resolve(), workspace.bundled(name).resolve()]


def key(secret: str, name: str) -> str:
    """Return the key of a customer: the same for the same name and secret, and no way back.

    Examples
    --------
    >>> key("a secret of some length", "mail ada@example.org")
    '5b11cdeb648e'
    """
    return hmac.new(secret.encode(), name.encode("utf-8", "replace"), "sha256").hexdigest()[:12]


def fingerprint(secret: str) -> str:
    """Return what a run is known by in place of the secret."""
    return hashlib.sha256(f"opslab.secret/1\0{secret}".encode()).hexdigest()[:16]
