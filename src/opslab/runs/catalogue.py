"""Writing the catalogue of the runs in a folder of reports."""

from __future__ import annotations

import datetime
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from opslab.messages import LANGUAGES, Language, text
from opslab.messages.numbers import Numbers
from opslab.report.blocks import TONES
from opslab.report.catalogue import Entry, render_catalogue
from opslab.runs.folder import READOUT, RUN, machine_error

INDEX = "index.html"
_WHOLE = ("complete", "check_failed")


def write_catalogue(reports: Path, language: Language = "en") -> Path:
    """Write ``index.html`` for the whole runs under a folder, newest first; return its path.

    Raises
    ------
    MachineError
        When the folder cannot be written.
    """
    try:
        reports.mkdir(parents=True, exist_ok=True)
        page = render_catalogue(_entries(reports, language), language)
        handle, aside = tempfile.mkstemp(prefix=".index-", dir=reports)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(page)
        Path(aside).chmod(0o644)
        return Path(aside).replace(reports / INDEX)
    except OSError as error:
        raise machine_error(error, reports) from error


def _entries(reports: Path, language: Language) -> list[Entry]:
    found = []
    for path in sorted(reports.glob(f"*/*/*/{RUN}")):
        folder = path.parent
        if folder.name.startswith(".") or folder.name.endswith(".failed"):
            continue
        try:
            run = json.loads(path.read_text(encoding="utf-8"))
            line = entry(run, f"{folder.relative_to(reports).as_posix()}/{READOUT}", language)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue  # no run of ours
        found.append((run["as_of"], line))
    return [
        line for _, line in sorted(found, key=lambda item: (item[0], item[1].name), reverse=True)
    ]


def entry(run: Mapping[str, Any], path: str, language: Language) -> Entry:
    """Return the catalogue's line for one run.

    Parameters
    ----------
    run : Mapping
        What its ``run.json`` holds; raises KeyError, TypeError or ValueError for what is none of
        ours.
    path : str
        Of its readout, from the catalogue's folder.
    language : {"en", "fr"}
    """
    if run["status"] not in _WHOLE:
        raise ValueError(run["status"])
    parameters = run.get("parameters")
    spoken = parameters.get("language") if isinstance(parameters, Mapping) else None
    status = text(f"report.status_{run['status']}", language)
    return Entry(
        link=quote(path),
        name=str(run["name"]),
        kind=text(f"report.kind_{run['notebook']}", language),
        date=Numbers(language).date(datetime.date.fromisoformat(run["as_of"])),
        headline=str(run["headline"]),
        action=str(run.get("action") or status),
        tone=run["tone"] if run.get("tone") in TONES else "plain",
        language=spoken if spoken in LANGUAGES else language,
    )
