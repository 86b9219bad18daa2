"""One zip for the mail: a readout with the readouts it cites, links working inside."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opslab import workspace
from opslab.errors import InputError
from opslab.messages import LANGUAGES, Language
from opslab.report.catalogue import render_catalogue
from opslab.runs.catalogue import INDEX, entry
from opslab.runs.folder import FILE_NAME, NOTEBOOK, READOUT, RESULT, RUN, STATUSES, machine_error

_FILES = (NOTEBOOK, READOUT, RESULT, RUN)
_RUN_ID = re.compile(r"[a-z0-9_]+/[a-z0-9-]+/\d{4}-\d{2}-\d{2}-[0-9a-f]{8}", re.ASCII)
_OURS = b"opslab.bundle/1"
_TIME = (1980, 1, 1, 0, 0, 0)  # the first that a zip can tell
_PERMISSIONS = 0o100644 << 16
_UNIX = 3


@dataclass(frozen=True)
class Bundle:
    """A bundle that was written.

    Attributes
    ----------
    file : Path
    runs : tuple of str
        The run asked for, then those it cites.
    same : bool
        Whether the file was there already with the same bytes.
    """

    file: Path
    runs: tuple[str, ...]
    same: bool


@dataclass(frozen=True)
class _Filed:
    """A run as it is filed: its id, its files, what it tells of itself, the runs it cites."""

    id: str
    files: Mapping[str, bytes]
    told: Mapping[str, Any]
    cites: tuple[str, ...]


def bundle(run: str | Path, to: str | Path | None = None) -> Bundle:
    """Pack a run and all that it cites into one zip; the same runs give the same bytes.

    Inside, runs stand as they do in the folder of reports, so that their links to one another hold.
    A file that is not the one filed is refused; runs filed before ``run.json`` held hashes are
    taken as they are.

    Parameters
    ----------
    run : path
        A run folder, or the readout in it.
    to : path, optional
        The zip, or a folder for it; by default ``<notebook>-<name>-<as of>.zip`` in the current
        folder.

    Raises
    ------
    InputError
        When there is no whole run, a cited one is missing or altered, or another file is in the
        way.
    """
    runs = list(_with_cited(workspace.expanded(run), str(run)))
    told = runs[0].told
    name = f"{told['notebook']}-{told['name']}-{told['as_of']}.zip"
    target = workspace.expanded(to) if to else Path(name)
    if target.is_dir():
        target /= name
    content = _zip(runs)
    try:
        before = target.read_bytes() if target.exists() else None
        if before is not None and not before.endswith(_OURS):
            raise InputError.of("runs.bundle_target", file=str(target))
        if before != content:
            _write(target, content)
    except OSError as error:
        raise machine_error(error, target) from error
    return Bundle(target, tuple(one.id for one in runs), before == content)


def _with_cited(given: Path, shown: str) -> Iterator[_Filed]:
    """Give the run, then those it cites and those they cite, each once."""
    folder = (given.parent if given.name == READOUT else given).resolve()
    if not workspace.is_there(folder / READOUT, file=True) or not workspace.is_there(
        folder / RUN, file=True
    ):
        raise InputError.of("runs.bundle_no_run", file=shown)
    reports = folder.parents[min(2, len(folder.parents) - 1)]
    first = _filed(folder, reports, shown)
    yield first
    seen, waiting = {first.id}, [(first.id, cited) for cited in first.cites]
    while waiting:
        citing, cited = waiting.pop(0)
        if cited in seen:
            continue
        seen.add(cited)
        if not _RUN_ID.fullmatch(cited):
            raise InputError.of("runs.bundle_bad_run", file=citing, cited=cited)
        if not workspace.is_there(reports / cited / READOUT, file=True):
            raise InputError.of(
                "runs.bundle_missing", file=citing, cited=cited, reports=str(reports)
            )
        found = _filed(reports / cited, reports, cited)
        if found.id != cited:
            raise InputError.of("runs.bundle_broken", file=cited, name=RUN)
        yield found
        waiting += [(found.id, other) for other in found.cites]


def _filed(folder: Path, reports: Path, shown: str) -> _Filed:
    """Read a run folder; what it tells of itself is not trusted to be a path."""
    name = RUN
    try:
        told = json.loads(_bytes(folder / RUN, reports))
        files, outputs = {}, dict(told.get("outputs", {}))
        for name in sorted({*_FILES, *filter(FILE_NAME.fullmatch, outputs)}):
            files[name] = _bytes(folder / name, reports)
            if name in outputs and outputs[name] != hashlib.sha256(files[name]).hexdigest():
                raise InputError.of("runs.bundle_broken", file=shown, name=name)
        name = RUN
        identity = f"{told['notebook']}/{told['name']}/{told['as_of']}-{told['digest'][:8]}"
        entry(told, "", "en")
        whole = told["status"] in STATUSES
        name = RESULT
        cites = json.loads(files[RESULT]).get("cites", [])
    except FileNotFoundError:
        raise InputError.of("runs.bundle_broken", file=shown, name=name) from None
    except OSError as error:
        raise machine_error(error, folder) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError.of("runs.bundle_broken", file=shown, name=name) from None
    if not whole or not _RUN_ID.fullmatch(identity):
        raise InputError.of("runs.bundle_broken", file=shown, name=RUN)
    if not isinstance(cites, list) or not all(isinstance(one, str) for one in cites):
        raise InputError.of("runs.bundle_broken", file=shown, name=RESULT)
    return _Filed(identity, files | {RUN: _without_clock(told)}, told, tuple(cites))


def _bytes(path: Path, reports: Path) -> bytes:
    """Return a file's bytes; one that a link puts outside of the reports is not there."""
    if not path.resolve().is_relative_to(reports):
        raise FileNotFoundError(path)
    return path.read_bytes()


def _without_clock(told: Mapping[str, Any]) -> bytes:
    """Return ``run.json`` without the seconds that the cells took: they differ from run to run."""
    kept = {name: value for name, value in told.items() if name != "seconds_per_cell"}
    return (json.dumps(kept, indent=1, ensure_ascii=False) + "\n").encode()


def _zip(runs: list[_Filed]) -> bytes:
    language = _language(runs[0].told)
    lines = [entry(run.told, f"{run.id}/{READOUT}", language) for run in runs]
    content = {f"{run.id}/{name}": data for run in runs for name, data in run.files.items()}
    content[INDEX] = render_catalogue(lines, language).encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in sorted(content.items()):
            about = zipfile.ZipInfo(name, _TIME)
            about.create_system = _UNIX  # Windows would note itself
            about.external_attr = _PERMISSIONS
            archive.writestr(about, data, zipfile.ZIP_DEFLATED, 9)
        archive.comment = _OURS
    return packed.getvalue()


def _language(told: Mapping[str, Any]) -> Language:
    parameters = told.get("parameters")
    given = parameters.get("language") if isinstance(parameters, Mapping) else None
    return next((known for known in LANGUAGES if known == given), "en")


def _write(target: Path, content: bytes) -> None:
    """Write a file whole, or leave what was there."""
    handle, aside = tempfile.mkstemp(prefix=".bundle-", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(aside).chmod(0o644)
        Path(aside).replace(target)
    except OSError:
        Path(aside).unlink(missing_ok=True)
        raise
