"""What other readouts found: their runs, as they were filed, and nothing that was altered since."""

from __future__ import annotations

import datetime
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from opslab import workspace
from opslab.businesscase.spec import Case
from opslab.errors import InputError, Problem, did_you_mean
from opslab.evidence import Evidence
from opslab.messages import text
from opslab.uncertainty.distributions import Distribution

_RESULT, _RUN = "result.json", "run.json"
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
        return self.folder / _RESULT


@dataclass(frozen=True)
class Finding:
    """A piece of evidence that the case cites, under the ledger's id."""

    id: str
    cited: str
    evidence: Evidence
    run: Run | None


def runs_of(case: Case, reports: Path, day: datetime.date) -> dict[str, Run]:
    """Return the runs that a case cites, by the words it cites them with, ``previous`` among them.

    Looked for in the reports first, then in the folders that the case names.

    Raises
    ------
    InputError
        With every run that is missing, altered since it was filed, red, or one of several that
        differ.
    """
    folders = [(reports, True), *((case.beside(path), False) for path in case.runs)]
    found: dict[str, Run] = {}
    problems: list[Problem] = []
    wanted = [(one.run, ("evidence", place, "run"), day) for place, one in enumerate(case.evidence)]
    if case.previous:
        wanted.append((case.previous, ("previous",), day - datetime.timedelta(days=1)))  # type: ignore[arg-type] # a field, no list
    for name, location, until in wanted:
        try:
            found[name] = _find(name, folders, until)
        except InputError as error:
            told = error.problems[0]
            problems.append(case.problem(told.key, *location, **told.values))
    if problems:
        raise InputError(*problems)
    return found


def findings(case: Case, runs: Mapping[str, Run]) -> tuple[Finding, ...]:
    """Return what the case cites of its runs, in the order of the case and of the findings' ids."""
    found: list[Finding] = []
    problems: list[Problem] = []
    for place, cited in enumerate(case.evidence):
        run = runs[cited.run]
        try:
            told = _evidence(run)
        except InputError as error:
            problems.append(
                case.problem(error.problems[0].key, "evidence", place, **error.problems[0].values)
            )
            continue
        problems += list(_unmatched(case, place, told, run))
        picked = [
            one for one in told if any(fnmatchcase(one.id, pattern) for pattern in cited.pick)
        ]
        problems += no_distribution(case, place, picked)
        found += numbered(cited.id, picked, run)
    if problems:
        raise InputError(*problems)
    return tuple(found)


def distribution(evidence: Evidence) -> Distribution:
    """Return the distribution of a finding's quantity."""
    return evidence.quantity.distribution


def numbered(cited: str, picked: Sequence[Evidence], run: Run | None) -> list[Finding]:
    """Return findings under the ids of the ledger: the cited one's, with a number for several."""
    several = len(picked) > 1
    return [
        Finding(f"{cited}-{number}" if several else cited, cited, one, run)
        for number, one in enumerate(picked, 1)
    ]


def no_distribution(case: Case, place: int, picked: Sequence[Evidence]) -> list[Problem]:
    """Return a problem for every finding whose quantity has no distribution."""
    found = []
    for one in picked:
        try:
            distribution(one)
        except InputError as error:
            told = error.problems[0]
            found.append(case.problem(told.key, "evidence", place, "pick", **told.values))
    return found


def _unmatched(case: Case, place: int, told: Sequence[Evidence], run: Run) -> Iterator[Problem]:
    ids = [one.id for one in told]
    if not ids:
        yield case.problem("businesscase.no_evidence", "evidence", place, "run", run=run.id)
        return
    for number, pattern in enumerate(case.evidence[place].pick):
        if not any(fnmatchcase(one, pattern) for one in ids):
            near = did_you_mean(pattern, ids) or ids[0]
            values = {"pattern": pattern, "run": run.id, "near": near}
            yield case.problem(
                "businesscase.no_finding", "evidence", place, "pick", number, **values
            )


def _evidence(run: Run) -> list[Evidence]:
    told = run.record.get("evidence")
    try:
        found = [Evidence.from_record(one) for one in told or ()]
        for one in found:
            text(one.statement[0], **one.statement[1])
    except (ValueError, TypeError, KeyError, OSError):
        raise InputError.of("businesscase.bad_record", run=run.id, name=_RESULT) from None
    return sorted(found, key=lambda one: one.id)


def _find(name: str, folders: Sequence[tuple[Path, bool]], until: datetime.date) -> Run:
    notebook, slug, *rest = name.split("/")
    seen: list[str] = []
    for folder, at_hand in folders:
        home = folder / notebook / slug
        names = (
            sorted(one.name for one in home.iterdir())
            if workspace.is_there(home) and home.is_dir()
            else []
        )
        dated = [one for one in names if _is_dated(one) and (not rest or one == rest[0])]
        seen += dated
        early = [one for one in dated if datetime.date.fromisoformat(one[:10]) <= until]
        if early:
            last = [
                _read(home / one, f"{notebook}/{slug}/{one}", at_hand)
                for one in early
                if one[:10] == early[-1][:10]
            ]
            return _one_of(last)
    if seen:
        raise InputError.of("businesscase.run_later", run=name, day=until, found=seen)
    raise InputError.of(
        "businesscase.no_run", run=name, folder=folders[0][0].name, notebook=notebook
    )


def _is_dated(name: str) -> bool:
    try:
        return bool(_RUN_FOLDER.fullmatch(name) and datetime.date.fromisoformat(name[:10]))
    except ValueError:
        return False


def _one_of(runs: Sequence[Run]) -> Run:
    """Return the run of a day; several must have found the same."""
    if len({_digest(run) for run in runs}) > 1:
        raise InputError.of("businesscase.several_runs", runs=[run.id for run in runs])
    return runs[0]


def _digest(run: Run) -> str:
    told = run.record.get("evidence") or {
        name: run.record.get(name) for name in ("options", "kpis", "ledger")
    }
    return json.dumps(
        json.loads(json.dumps(told), parse_float=lambda digits: round(float(digits), _SAME)),
        sort_keys=True,
    )


def _read(folder: Path, run: str, at_hand: bool) -> Run:
    """Read a run as it was filed: its record must be the one whose hash was noted beside it."""
    try:
        content = (folder / _RESULT).read_bytes()
        told, record = json.loads((folder / _RUN).read_bytes()), json.loads(content)
        filed, status = told["outputs"][_RESULT], record["status"]
        whole = (
            isinstance(record, dict)
            and f"{told['notebook']}/{told['name']}/{told['as_of']}" == run[:-9]
        )
    except OSError:
        raise InputError.of("businesscase.bad_record", run=run, name=_RESULT) from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InputError.of("businesscase.bad_record", run=run, name=_RUN) from None
    if not whole or hashlib.sha256(content).hexdigest() != filed:
        raise InputError.of("businesscase.tampered", run=run)
    if status != "complete":
        raise InputError.of("businesscase.red_run", run=run)
    return Run(run, folder, record, at_hand)
