"""Writing the catalogue of the runs in a folder of reports: a page, and the same as tables."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterable, Mapping
from operator import itemgetter
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import quote

from opslab.archive import FAILURE, READOUT, RUN, Card, Status, read_run
from opslab.messages import Language, text
from opslab.messages.numbers import Numbers
from opslab.report.blocks import TONES
from opslab.report.catalogue import Entry, render_catalogue
from opslab.runs.folder import machine_errors, write_whole
from opslab.runs.registry import notebooks
from opslab.tables.cells import csv_cell

INDEX, TABLES = "index.html", ("catalogue.csv", "catalogue.json")
_FOLDER = re.compile(
    r"(?P<notebook>[^./][^/]*)/(?P<name>[^./][^/]*)"
    r"/\d{4}-\d\d-\d\d-[0-9a-f]{8}(?P<failed>(?:\.failed)?)",
    re.ASCII,
)
_ABOUT = ("run", "notebook", "name", "as_of", "owner", "status")
_SAID = ("action", "headline", "reason", "tone", "language", "origin", "page")
_COLUMNS = (*_ABOUT, *_SAID)


class _Listed(Card):
    """What a run tells of itself, one that failed too."""

    status: Status | Literal["failed"]  # type: ignore[assignment]
    outputs: Mapping[str, str] = {}


def write_catalogue(reports: Path, language: Language = "en") -> Path:
    """Write the catalogue of the runs under a folder; return the path of its page.

    ``index.html`` is for people; ``catalogue.csv`` and ``catalogue.json`` beside it hold the same
    runs for a sheet or a database, each under an id that stays. A run whose files are not those
    that were filed is listed as such, and what it said is not repeated.

    Raises
    ------
    MachineError
        When the folder cannot be written.
    """
    index = reports / INDEX
    with machine_errors(reports):
        reports.mkdir(parents=True, exist_ok=True)
        runs = sorted(_runs(reports), key=itemgetter("as_of", "name", "run"), reverse=True)
        content = {"schema": "opslab.catalogue/1", "runs": runs}
        written = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        lines = [_COLUMNS, *([run[name] for name in _COLUMNS] for run in runs)]
        table = "".join(",".join(map(csv_cell, line)) + "\r\n" for line in lines)
        page = render_catalogue([entry(run, language) for run in runs], language, TABLES)
        for name, whole in zip((*TABLES, INDEX), (f"\ufeff{table}", written, page), strict=True):
            write_whole(reports / name, whole.encode())
    return index


def _runs(reports: Path) -> Iterable[dict[str, str]]:
    """Yield what each run folder tells, as far as it is as it was filed."""
    for file in reports.glob(f"*/*/*/{RUN}"):
        folder = file.parent
        run = folder.relative_to(reports).as_posix()
        name = _FOLDER.fullmatch(run)
        if name is None:
            continue
        card, failed = _Listed.read(file), name["failed"]
        as_filed = card is not None and card.run_id + failed == run
        altered = RUN if not as_filed else "" if failed else read_run(folder).altered
        if card is None or altered:
            altered_run = {"run": run, "notebook": name["notebook"], "name": name["name"]}
            altered_run |= {"status": "altered", "reason": altered or RUN}
            yield dict.fromkeys(_COLUMNS, "") | altered_run
        else:
            yield described(card, run)


def described(card: Card, run: str) -> dict[str, str]:
    """Return what the catalogue tells of a run as it was filed; ``run`` is its id."""
    page = f"{run}/{FAILURE if card.status not in get_args(Status) else READOUT}"
    own = {"run": run, "as_of": card.as_of.isoformat(), "language": card.language, "page": page}
    return {name: str(own.get(name) or getattr(card, name, None) or "") for name in _COLUMNS}


def entry(run: Mapping[str, str], language: Language) -> Entry:
    """Return the catalogue's line for a run that was described."""
    status, day, known = run["status"], run["as_of"], notebooks().get(run["notebook"])
    altered, whole = status == "altered", status in get_args(Status)
    tone = next((tone for tone in TONES if tone == run["tone"]), "plain" if whole else "bad")
    said = text("report.altered", language, name=run["reason"]) if altered else run["headline"]
    return Entry(
        section=("others" if tone == "plain" else "decisions") if whole else "unusable",
        link=quote(run["page"]),
        name=run["name"],
        kind=known.title[language] if known else run["notebook"],
        date=Numbers(language).date(datetime.date.fromisoformat(day)) if day else "",
        owner=run["owner"],
        headline=said,
        action=run["action"] or text(f"report.status_{status}", language),
        tone=tone,
        rendered=run["origin"] == "rendered",
        language=run["language"] or language,
    )
