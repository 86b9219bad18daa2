"""What other readouts found: their runs, as they were filed, and nothing that was altered since."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from opslab.businesscase.contradictions import refuse, refuse_contradictions
from opslab.businesscase.spec import Case
from opslab.errors import InputError, Problem
from opslab.evidence import Evidence
from opslab.filed_runs import Run, find_run, picked


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
            runs[name] = find_run(name, folders, until)
        except InputError as error:
            problems.extend(case.located(error, *location))

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
            evidence, missed = picked(run, cited.pick)
        except InputError as error:
            problems += case.located(error, "evidence", number)
            continue
        for at, key, values in missed:
            problems.append(case.problem(key, "evidence", number, *at, **values))
        findings += _numbered(cited.id, evidence, run)
    InputError.refuse(problems)
    return tuple(findings)


def findings_given(case: Case, evidence: Mapping[str, Sequence[Evidence]]) -> tuple[Finding, ...]:
    """Return evidence that is given by id, as if it had been read from runs."""
    findings: list[Finding] = []
    problems: list[Problem] = []
    for number, cited in enumerate(case.evidence):
        given = sorted(evidence.get(cited.id, ()), key=lambda finding: finding.id)
        if not given:
            known = case.problem("businesscase.not_given", "evidence", number, "id", name=cited.id)
            problems.append(known)
        findings += _numbered(cited.id, given, None)
    refuse(problems)
    return tuple(findings)


def dated(case: Case, findings: Sequence[Finding]) -> Case:
    """Return a case whose every step has its days: of those it cites, as they were announced.

    Raises
    ------
    InputError
        When a step cites what is no month late against a window; what contradicts itself then.
    """
    steps, problems = list(case.roadmap), list[Problem]()
    for number, step in enumerate(steps):
        match cited := [one.evidence for one in findings if one.cited == step.evidence]:
            case [Evidence(unit="month", period=(start, end))] if start and end and start <= end:
                steps[number] = step.model_copy(update={"starts": start, "ends": end})
            case _ if step.evidence:
                values = {"name": step.evidence, "units": [one.unit for one in cited]}
                problems.append(case.problem("businesscase.no_step", "roadmap", number, **values))
    refuse(problems)
    case = case.model_copy(update={"roadmap": tuple(steps)})
    refuse_contradictions(case)
    return case


def _numbered(cited: str, known: Sequence[Evidence], run: Run | None) -> list[Finding]:
    """Return findings under the ledger's ids: the cited one's, with a number for several."""
    several = len(known) > 1
    return [
        Finding(f"{cited}-{number}" if several else cited, cited, evidence, run)
        for number, evidence in enumerate(known, 1)
    ]
