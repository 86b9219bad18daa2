"""One zip for the mail: a readout with the readouts it cites, links working inside."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ValidationError

from opslab import workspace
from opslab.archive import MACHINE, READOUT, RESULT, RUN, Card, read_run
from opslab.errors import InputError
from opslab.report.catalogue import render_catalogue
from opslab.runs.catalogue import INDEX, described, entry
from opslab.runs.folder import json_bytes, machine_errors, write_whole

_RUN_ID = re.compile(r"[A-Za-z0-9_-]+/[a-z0-9-]+/\d{4}-\d{2}-\d{2}-[0-9a-f]{8}", re.ASCII)
OURS = b"opslab.bundle/1"
_TIME = (1980, 1, 1, 0, 0, 0)  # the first that a zip can tell
_PERMISSIONS = 0o100644 << 16
_UNIX = 3


@dataclass(frozen=True)
class Bundle:
    """A bundle that was written.

    Attributes
    ----------
    file : Path
    same : bool
        Whether the file was there already with the same bytes.
    """

    file: Path
    same: bool


class _Citing(BaseModel):
    """Of a record, the runs that it cites."""

    cites: Sequence[str] = ()


@dataclass(frozen=True)
class _Filed:
    """A run as it is filed: its files, what it tells of itself, the runs it cites."""

    card: Card
    files: Mapping[str, bytes]
    cites: Sequence[str]

    @property
    def id(self) -> str:
        return self.card.run_id


def bundle(run: str | Path, to: str | Path | None = None) -> Bundle:
    """Pack a run and all that it cites into one zip; the same runs give the same bytes.

    Inside, runs stand as they do in the folder of reports, so that their links to one another hold.
    A file that is not the one filed is refused.

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
    runs = _with_cited(workspace.expanded(run), str(run))
    card = runs[0].card
    name = f"{card.notebook}-{card.name}-{card.as_of.isoformat()}.zip"
    target = workspace.expanded(to) if to else Path(name)
    if target.is_dir():
        target /= name
    content = _zip(runs)
    with machine_errors(target):
        before = target.read_bytes() if target.exists() else None
        if before is not None and not before.endswith(OURS):
            raise InputError.of("runs.bundle_target", file=str(target))
        if before != content:
            write_whole(target, content)
    return Bundle(target, before == content)


def _with_cited(given: Path, shown: str) -> list[_Filed]:
    """Return the run, then those it cites and those they cite, each once."""
    folder = (given.parent if given.name == READOUT else given).resolve()
    if not all(workspace.is_there(folder / name, file=True) for name in (READOUT, RUN)):
        raise InputError.of("runs.bundle_no_run", file=shown)
    reports = folder.parents[min(2, len(folder.parents) - 1)]
    runs = [_filed(folder, reports, shown)]
    for filed in runs:  # it grows meanwhile
        for cited in filed.cites:
            if cited not in {run.id for run in runs}:
                runs.append(_cited(cited, filed.id, reports))
    return runs


def _cited(cited: str, citing: str, reports: Path) -> _Filed:
    if not _RUN_ID.fullmatch(cited):
        raise InputError.of("runs.bundle_bad_run", file=citing, cited=cited)
    if not workspace.is_there(reports / cited / READOUT, file=True):
        raise InputError.of("runs.bundle_missing", file=citing, cited=cited, reports=str(reports))
    filed = _filed(reports / cited, reports, cited)
    if filed.id != cited:
        raise _broken(cited, RUN)
    return filed


def _filed(folder: Path, reports: Path, shown: str) -> _Filed:
    """Read a run folder; what it tells of itself is not trusted to be a path."""
    if not folder.resolve().is_relative_to(reports):
        raise _broken(shown, RUN)
    run = read_run(folder)
    if run.altered or run.card is None or not _RUN_ID.fullmatch(run.card.run_id):
        raise _broken(shown, run.altered or RUN)
    try:
        cites = _Citing.model_validate_json(run.files[RESULT]).cites
    except ValidationError:
        raise _broken(shown, RESULT) from None
    return _Filed(run.card, {**run.files, RUN: _without_machine(run.files[RUN])}, cites)


def _broken(shown: str, name: str) -> InputError:
    return InputError.of("runs.bundle_broken", file=shown, name=name)


def _without_machine(run: bytes) -> bytes:
    """Return ``run.json`` without what differs from one making of a run to the next."""
    return json_bytes(
        {name: value for name, value in json.loads(run).items() if name not in MACHINE}
    )


def _zip(runs: list[_Filed]) -> bytes:
    language = runs[0].card.language
    lines = [entry(described(run.card, run.id), language) for run in runs]
    content = {f"{run.id}/{name}": data for run in runs for name, data in run.files.items()}
    content[INDEX] = render_catalogue(lines, language).encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in sorted(content.items()):
            about = zipfile.ZipInfo(name, _TIME)
            about.create_system = _UNIX  # Windows would note itself
            about.external_attr = _PERMISSIONS
            archive.writestr(about, data, zipfile.ZIP_DEFLATED, 9)
        archive.comment = OURS
    return packed.getvalue()
