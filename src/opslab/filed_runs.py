"""Runs of other notebooks: the latest by a day, as it was filed, and what it says of the world."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from opslab import archive, provenance
from opslab.errors import InputError, did_you_mean
from opslab.evidence import Evidence
from opslab.messages import Language, text

NAME = r"^[a-z_]+/[a-z0-9-]+(/\d{4}-\d{2}-\d{2}-[0-9a-f]{8})?$"
"""How a spec names a run: ``notebook/name``, the latest by then; or one by its id."""
_SAME = 9  # digits to which two runs of one day must agree to be one


@dataclass(frozen=True)
class Run:
    """A filed run.

    Attributes
    ----------
    id : str
        ``notebook/name/as_of-hash8``.
    folder : Path
    record : Mapping
    at_hand : bool
        Whether it stands in the reports, where the run that cites it will stand.
    language : {"en", "fr"}
        Of its readout.
    """

    id: str
    folder: Path
    record: Mapping[str, Any]
    at_hand: bool
    language: Language = "en"

    @property
    def notebook(self) -> str:
        """Notebook that made it."""
        return self.id.split("/")[0]

    @property
    def name(self) -> str:
        """What it is a run of."""
        return self.id.split("/")[1]

    @property
    def day(self) -> datetime.date:
        """Day as of which it speaks."""
        return datetime.date.fromisoformat(self.id.rpartition("/")[2][:10])

    @property
    def link(self) -> str | None:
        """Where its readout is, from the folder of another run."""
        return f"../../../{self.id}/readout.html" if self.at_hand else None

    @property
    def file(self) -> Path:
        """The file that holds its record."""
        return self.folder / archive.RESULT


def last_of(name: str, folders: Sequence[Path], until: datetime.date) -> list[Path]:
    """Return the run folders of the latest day by then, of the first folder that has any.

    Parameters
    ----------
    name : str
        See `NAME`.
    folders : sequence of Path
        The reports, then others.
    until : datetime.date

    Raises
    ------
    InputError
        When there is none, or only later ones.
    """
    notebook, slug, *exact = name.split("/")
    later: list[str] = []
    for folder in folders:
        home = folder / notebook / slug
        dated = [run for run in archive.runs_in(home) if run in (exact or [run])]
        early = [run for run in dated if datetime.date.fromisoformat(run[:10]) <= until]
        if early:
            return [home / run for run in early if run[:10] == early[-1][:10]]
        later += dated
    if later:
        raise InputError.of("filed_runs.run_later", run=name, day=until, later=later)
    reports = folders[0].name
    raise InputError.of("filed_runs.no_run", run=name, folder=reports, notebook=notebook)


def find_run(
    name: str, folders: Sequence[Path], until: datetime.date, language: Language = "en"
) -> Run:
    """Return the latest run by a day, of the first folder that has one; see `last_of`.

    Of copies of one day it is that in a language.

    Raises
    ------
    InputError
        When it is missing, altered since it was filed, red, exploratory, or one of several that
        differ.
    """
    runs = [_whole(folder, folders[0]) for folder in last_of(name, folders, until)]
    if len({_digest(run) for run in runs}) > 1:
        raise InputError.of("filed_runs.several_runs", runs=[run.id for run in runs])
    return next((run for run in runs if run.language == language), runs[0])


def looked_at(
    names: Iterable[str], folders: Sequence[Path], until: datetime.date
) -> Iterator[Path]:
    """Give the records of the runs among which `find_run` chooses, but of those not as filed."""
    for name in names:
        with suppress(InputError):
            for folder in last_of(name, folders, until):
                with suppress(InputError):
                    yield read_run(folder, folders[0]).file


def latest(
    notebooks: Sequence[str], folders: Sequence[Path], until: datetime.date
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give what notebooks were run on, and the record of the latest run of each by a day.

    It is as it stands: whether anything may be built on it is what `find_run` tells.
    """
    homes = [home for at in folders for notebook in notebooks for home in (at / notebook).glob("*")]
    for name in sorted({f"{home.parent.name}/{home.name}" for home in homes}):
        with suppress(InputError, OSError, TypeError, ValueError, RecursionError):
            file = last_of(name, folders, until)[-1] / archive.RESULT
            yield name, dict(json.loads(file.read_bytes()))


def picked(
    run: Run, patterns: Sequence[str]
) -> tuple[list[Evidence], list[tuple[tuple[str | int, ...], str, dict[str, Any]]]]:
    """Return a run's evidence by patterns of ids (* stands for anything), and what they miss.

    Returns
    -------
    list of Evidence
        By id.
    list of tuple
        Where the spec names what there is not, the key of the message and its values.
    """
    known = sorted(evidence_of(run), key=lambda evidence: evidence.id)
    ids = [evidence.id for evidence in known]
    if not ids:
        return [], [(("run",), "filed_runs.no_evidence", {"run": run.id})]
    missed: list[tuple[tuple[str | int, ...], str, dict[str, Any]]] = []
    for at, pattern in enumerate(patterns):
        if not any(fnmatchcase(name, pattern) for name in ids):
            near = did_you_mean(pattern, ids) or ids[0]
            values = {"pattern": pattern, "run": run.id, "near": near}
            missed.append((("pick", at), "filed_runs.no_finding", values))
    return [
        evidence
        for evidence in known
        if any(fnmatchcase(evidence.id, pattern) for pattern in patterns)
    ], missed


def evidence_of(run: Run) -> list[Evidence]:
    """Return what a run says of the world; raises `InputError` where that cannot be read."""
    try:
        known = [Evidence.from_record(record) for record in run.record.get("evidence") or ()]
        for evidence in known:
            text(evidence.statement[0], **evidence.statement[1])
    except (ValueError, TypeError, KeyError, OSError):
        raise InputError.of("filed_runs.bad_record", run=run.id, name=archive.RESULT) from None
    return known


def read_run(folder: Path, reports: Path) -> Run:
    """Read a run that still is what was filed; of one elsewhere the record alone is cited.

    Raises
    ------
    InputError
        When it is altered, or no record of a run.
    """
    name, at_hand = "/".join(folder.parts[-3:]), folder.parents[2] == reports
    filed = archive.read_run(folder, whole=at_hand)
    if filed.card is None or filed.card.run_id != name:
        raise InputError.of("filed_runs.bad_record", run=name, name=archive.RUN)
    if filed.altered:
        raise InputError.of("filed_runs.tampered", run=name, name=filed.altered)
    try:
        record = json.loads(filed.files[archive.RESULT])
        _ = record["status"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InputError.of("filed_runs.bad_record", run=name, name=archive.RESULT) from None
    provenance.note(folder / archive.RESULT, filed.card.outputs[archive.RESULT])
    return Run(name, folder, record, at_hand, filed.card.language)


def _whole(folder: Path, reports: Path) -> Run:
    """Read a run on which something may be built."""
    run = read_run(folder, reports)
    if run.record["status"] != "complete":
        raise InputError.of("filed_runs.red_run", run=run.id)
    if run.record.get("exploratory"):
        raise InputError.of("filed_runs.explored_run", run=run.id)
    return run


def _digest(run: Run) -> str:
    """Return what a run found, its numbers to the digits that two runs of a day share."""
    options, kpis, ledger = (run.record.get(name) for name in ("options", "kpis", "ledger"))
    telling = run.record.get("evidence") or [options, kpis, ledger]
    rounded = json.loads(
        json.dumps(telling),
        parse_float=lambda digits: round(float(digits), _SAME),
        object_hook=lambda record: {**record, "sources": None},  # a title changed is no finding
    )
    return json.dumps(rounded, sort_keys=True)
