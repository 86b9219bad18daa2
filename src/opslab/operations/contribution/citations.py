"""The runs that a contribution cites: their evidence, or why nothing of theirs is used."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from opslab import filed_runs, workspace
from opslab.errors import InputError
from opslab.evidence import Evidence
from opslab.filed_runs import Run, find_run, picked
from opslab.messages import Language, catalogue
from opslab.operations.contribution.spec import Contribution, Source
from opslab.results import Message


class CitedSource(NamedTuple):
    """A source with its run.

    Attributes
    ----------
    run : Run or None
        None where there is none that can be used.
    evidence : tuple of Evidence
        In the order of the source's patterns.
    missing : tuple of Message
        Why nothing of it is used, or which patterns nothing matches.
    conditions : tuple of Message
        Checks of the run that failed and do not block.
    """

    source: Source
    run: Run | None
    evidence: Sequence[Evidence] = ()
    missing: Sequence[Message] = ()
    conditions: Sequence[Message] = ()


def cited(
    contribution: Contribution, day: datetime.date, language: Language = "en"
) -> Iterator[CitedSource]:
    """Give each source with what its run found; a run that cannot be used is told, not refused.

    Looked for in the reports first, then in the folders that the spec names. Not used: what is
    missing, altered, red, exploratory, later than the day, or older than the spec allows.
    """
    oldest = day - datetime.timedelta(contribution.oldest_days)
    for source in contribution.gains:
        try:
            run = find_run(source.run, _folders(contribution), day, language)
            if run.day < oldest:
                days = contribution.oldest_days
                raise InputError.of("contribution.too_old", run=run.id, oldest=days)
            evidence, missed = picked(run, source.pick)
        except InputError as error:
            reasons = [Message(problem.key, problem.values) for problem in error.problems]
            yield CitedSource(source, None, missing=reasons)
            continue
        evidence.sort(key=lambda each: _place(each.id, source.pick))
        reasons = [Message(key, values) for _, key, values in missed]
        yield CitedSource(source, run, evidence, reasons, [*_conditions(run)])


def _place(name: str, patterns: Sequence[str]) -> int:
    return [fnmatchcase(name, pattern) for pattern in patterns].index(True)


def looked_at(contribution: Contribution, day: datetime.date) -> Iterator[Path]:
    """Give the records of the runs among which `cited` chooses, but of those that were altered."""
    names = [source.run for source in contribution.gains]
    return filed_runs.looked_at(names, _folders(contribution), day)


def _folders(contribution: Contribution) -> list[Path]:
    return [workspace.reports(), *map(contribution.beside, contribution.runs)]


def _conditions(run: Run) -> Iterator[Message]:
    """Give the names of the checks on which what a run says depends."""
    for check in run.record.get("checks") or ():
        if check["status"] == "fail" and not check["blocking"] and not check["accepted"]:
            area, name = check["detail"]["key"].partition(".")[0], f"check_{check['name']}"
            yield Message(f"{area if name in catalogue('en', area) else 'words'}.{name}")
