"""What other readouts found: their runs, as they were filed, and nothing that was altered since."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from opslab import archive, provenance, workspace
from opslab.businesscase.contradictions import refuse
from opslab.businesscase.spec import Case
from opslab.errors import InputError, Problem, did_you_mean
from opslab.evidence import Evidence
from opslab.messages import text

_RUN_FOLDER = re.compile(r"(\d{4}-\d{2}-\d{2})-[0-9a-f]{8}", re.ASCII)
_SAME = 9  # digits to which two runs of one day must agree to be one


@dataclass(frozen=True)
class Run:
    """A filed run of another notebook, or of an earlier case.

    Attributes
    ----------
    id : str
        ``notebook/name/as_of-hash8``.
    folder : Path
    record : Mapping
    at_hand : bool
        Whether it stands in the reports, where the case's own run will stand.
    """

    id: str
    folder: Path
    record: Mapping[str, Any]
    at_hand: bool

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


@dataclass(frozen=True)
class Finding:
    """A piece of evidence that the case cites, under the ledger's id."""

    id: str
    cited: str
    evidence: Evidence
    run: Run | None


def runs_of(case: Case, reports: Path, day: datetime.date) -> dict[str, Run]:
    """Return the runs that a case cites, by the words it cites them with, `previous` among them.

    Looked for in the reports first, then in the folders that the case names.

    Raises
    ------
    InputError
        With every run that is missing, altered since it was filed, red, or one of several that
        differ.
    """
    folders = [reports, *map(case.beside, case.runs)]
    runs: dict[str, Run] = {}
    problems: list[Problem] = []

    def look_for(name: str, until: datetime.date, *location: str | int) -> None:
        try:
            runs[name] = _find(name, folders, until)
        except InputError as error:
            problems.extend(_located(case, error, *location))

    for number, cited in enumerate(case.evidence):
        look_for(cited.run, day, "evidence", number, "run")
    if case.previous:
        look_for(case.previous, day - datetime.timedelta(days=1), "previous")
    InputError.refuse(problems)
    return runs


def findings_of(case: Case, runs: Mapping[str, Run]) -> tuple[Finding, ...]:
    """Return what the case cites of its runs, by the case's order and the findings' ids."""
    findings: list[Finding] = []
    problems: list[Problem] = []
    for number, cited in enumerate(case.evidence):
        run = runs[cited.run]
        try:
            known = _evidence(run)
        except InputError as error:
            problems += _located(case, error, "evidence", number)
            continue
        problems += _unmatched(case, number, [evidence.id for evidence in known], run)
        picked = [
            evidence
            for evidence in known
            if any(fnmatchcase(evidence.id, pattern) for pattern in cited.pick)
        ]
        findings += _numbered(cited.id, picked, run)
    InputError.refuse(problems)
    return tuple(findings)


def findings_given(case: Case, evidence: Mapping[str, Sequence[Evidence]]) -> tuple[Finding, ...]:
    """Return evidence that is given by id, as if it had been read from runs."""
    findings: list[Finding] = []
    problems: list[Problem] = []
    for number, cited in enumerate(case.evidence):
        given = sorted(evidence.get(cited.id, ()), key=lambda finding: finding.id)
        if not given:
            location = ("evidence", number, "id")
            problems.append(case.problem("businesscase.not_given", *location, name=cited.id))
        findings += _numbered(cited.id, given, None)
    refuse(problems)
    return tuple(findings)


def _numbered(cited: str, picked: Sequence[Evidence], run: Run | None) -> list[Finding]:
    """Return findings under the ledger's ids: the cited one's, with a number for several."""
    several = len(picked) > 1
    return [
        Finding(f"{cited}-{number}" if several else cited, cited, evidence, run)
        for number, evidence in enumerate(picked, 1)
    ]


def _located(case: Case, error: InputError, *location: str | int) -> list[Problem]:
    """Return an error's problems as those of a field."""
    return [case.problem(problem.key, *location, **problem.values) for problem in error.problems]


def _unmatched(case: Case, number: int, ids: Sequence[str], run: Run) -> Iterator[Problem]:
    if not ids:
        yield case.problem("businesscase.no_evidence", "evidence", number, "run", run=run.id)
        return
    for at, pattern in enumerate(case.evidence[number].pick):
        if not any(fnmatchcase(name, pattern) for name in ids):
            near = did_you_mean(pattern, ids) or ids[0]
            location = ("evidence", number, "pick", at)
            yield case.problem(
                "businesscase.no_finding", *location, pattern=pattern, run=run.id, near=near
            )


def _evidence(run: Run) -> list[Evidence]:
    try:
        known = [Evidence.from_record(record) for record in run.record.get("evidence") or ()]
        for evidence in known:
            text(evidence.statement[0], **evidence.statement[1])
    except (ValueError, TypeError, KeyError, OSError):
        raise InputError.of("businesscase.bad_record", run=run.id, name=archive.RESULT) from None
    return sorted(known, key=lambda evidence: evidence.id)


def _find(name: str, folders: Sequence[Path], until: datetime.date) -> Run:
    """Return the latest run by a day, of the first folder that has one."""
    notebook, slug, *exact = name.split("/")
    later: list[str] = []
    for folder in folders:
        home, at_hand = folder / notebook / slug, folder is folders[0]
        there = workspace.is_there(home) and home.is_dir()
        names = sorted(path.name for path in home.iterdir()) if there else []
        dated = [run for run in names if _is_dated(run) and run in (exact or [run])]
        early = [run for run in dated if datetime.date.fromisoformat(run[:10]) <= until]
        if early:
            last = [run for run in early if run[:10] == early[-1][:10]]
            runs = [_read(home / run, f"{notebook}/{slug}/{run}", at_hand) for run in last]
            if len({_digest(run) for run in runs}) > 1:
                raise InputError.of("businesscase.several_runs", runs=[run.id for run in runs])
            return runs[0]
        later += dated
    if later:
        raise InputError.of("businesscase.run_later", run=name, day=until, later=later)
    reports = folders[0].name
    raise InputError.of("businesscase.no_run", run=name, folder=reports, notebook=notebook)


def _is_dated(name: str) -> bool:
    try:
        return bool(_RUN_FOLDER.fullmatch(name) and datetime.date.fromisoformat(name[:10]))
    except ValueError:
        return False


def _digest(run: Run) -> str:
    """Return what a run found, its numbers to the digits that two runs of a day share."""
    telling = run.record.get("evidence") or {
        name: run.record.get(name) for name in ("options", "kpis", "ledger")
    }
    rounded = json.loads(
        json.dumps(telling), parse_float=lambda digits: round(float(digits), _SAME)
    )
    return json.dumps(rounded, sort_keys=True)


def _read(folder: Path, run: str, at_hand: bool) -> Run:
    """Read a run that still is what was filed; of one elsewhere the record alone is cited."""
    filed = archive.read_run(folder, whole=at_hand)
    if filed.card is None or filed.card.run_id != run:
        raise InputError.of("businesscase.bad_record", run=run, name=archive.RUN)
    if filed.altered:
        raise InputError.of("businesscase.tampered", run=run, name=filed.altered)
    content = filed.files[archive.RESULT]
    try:
        record = json.loads(content)
        status = record["status"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InputError.of("businesscase.bad_record", run=run, name=archive.RESULT) from None
    if status != "complete":
        raise InputError.of("businesscase.red_run", run=run)
    if record.get("exploratory"):
        raise InputError.of("businesscase.explored_run", run=run)
    provenance.note(folder / archive.RESULT, filed.card.outputs[archive.RESULT])
    return Run(run, folder, record, at_hand)
