"""The assumption ledger: every quantity with its range, its source, and the grade that it still bears."""

from __future__ import annotations

import dataclasses
import datetime
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from scipy.special import ndtri

from opslab import workspace
from opslab.businesscase.citations import Finding, distribution
from opslab.businesscase.result import Entry
from opslab.businesscase.spec import Assumption, Case
from opslab.errors import Problem
from opslab.evidence import Grade
from opslab.uncertainty import distributions as shapes
from opslab.uncertainty.calibration import UNTRAINED, widened, widening
from opslab.uncertainty.distributions import Distribution, Fixed, quantile

Fallen = Literal["gone", "changed"]
_LOST = 1.25
"""A known number whose file is gone is one between 1 / 1.25 and 1.25 of it, nine times in ten."""

_SAID = ("E", "F")  # grades of what people say
_FEW = 0.001  # share of a finding that may lie beyond 0 or 1 without its being taken for a number that can
DEFAULTS: Mapping[str, tuple[float, float]] = {
    "default-recapture": (0.3, 0.7),
    "default-decay": (0.1, 0.15),
}
"""What is assumed of freed hours and of gains where nobody said, nine times in ten: half of the hours become
work (Forrester's studies), a tenth to a seventh of a gain is lost in a year."""


@dataclass(frozen=True)
class Known:
    """A quantity of the ledger: its distribution as it is used, and its line."""

    used: Distribution
    entry: Entry


def files_of(case: Case, found: Sequence[Finding]) -> dict[tuple[str, str | None], Path]:
    """Return the files behind the numbers: by name and hash as noted, where they are now."""
    files = {(one.file, one.sha256): case.beside(one.file) for one in case.assumptions if one.file}
    files |= {
        (kpi.measured.file, None): case.beside(kpi.measured.file)
        for kpi in case.kpis
        if kpi.measured and kpi.measured.file
    }
    sources = [one for finding in found for one in finding.evidence.sources if one.sha256]
    return files | {(one.name, one.sha256): _source(case, one.name) for one in sources}


def fallen(noted: str | None, path: Path) -> Fallen | None:
    """Return why a file no longer stands behind a number, or None when it does."""
    if not workspace.is_there(path, file=True):
        return "gone"
    return "changed" if noted and workspace.sha256(path) != noted else None


def prepare(
    case: Case, found: Sequence[Finding], day: datetime.date
) -> tuple[dict[str, Known], float]:
    """Return every quantity by its id in the ledger, and the factor on the spread of what people state."""
    states = {key: fallen(key[1], path) for key, path in files_of(case, found).items()}
    factor = widening(UNTRAINED if case.calibration == "untrained" else 0.9)
    # Decay and slip are taken as stated: gains bend with them, so that a wider range would raise
    # their mean.
    bent = {line.decay for line in case.benefits}
    known = {}
    for one in case.assumptions:
        lost = states.get((one.file or "", one.sha256))
        known[one.id] = _assumption(one, lost, factor, day, bent=one.id in bent)
    for finding in found:
        every = [states.get((source.name, source.sha256)) for source in finding.evidence.sources]
        known[finding.id] = _finding(finding, next(filter(None, every), None))
    for step in case.roadmap:
        slip = step.slip.distribution(share=False)
        if slip != Fixed(0):
            known[f"slip:{step.id}"] = _default(
                "slip", f"slip:{step.id}", slip, "months", step.owner
            )
    for name, ends in DEFAULTS.items():
        known[name] = _default(name.replace("-", "_"), name, shapes.beta_interval(*ends), "share")
    return known, factor


def names_twice(case: Case, found: Sequence[Finding]) -> list[Problem]:
    """Return a problem for every id of an assumption that also is a finding's, or one that opslab assumes."""
    taken = {one.id for one in found} | set(DEFAULTS)
    places = enumerate(case.assumptions)
    return [
        case.problem("businesscase.twice", "assumptions", place, "id", name=one.id)
        for place, one in places
        if one.id in taken
    ]


def used(known: Mapping[str, Known], names: Mapping[str, Iterable[str]]) -> tuple[Entry, ...]:
    """Return the lines that a benefit or cost uses, each with their names, and assumptions that none does."""
    found = []
    for name, one in known.items():
        users = tuple(names.get(name, ()))
        if users or one.entry.kind == "assumption":
            found.append(dataclasses.replace(one.entry, used_by=users))
    return tuple(found)


def _source(case: Case, name: str) -> Path:
    """Return where a source that a readout names is: in the workspace, the reports, or a folder of the case.

    The package's sample stands in only where there is no such folder at all.
    """
    folders = [workspace.reports(), workspace.root(), *map(case.beside, case.sources)]
    places = [workspace.root() / name, *(folder / name for folder in folders)]
    places += [case.beside(folder) / Path(name).name for folder in case.sources]
    found = next((one for one in places if workspace.is_there(one, file=True)), places[0])
    return found if workspace.is_there(found.parent) else workspace.resolve(name)


def _assumption(
    one: Assumption, lost: Fallen | None, factor: float, day: datetime.date, *, bent: bool
) -> Known:
    stated = one.distribution(share=one.share)
    made, grade = stated, "F" if lost else one.grade
    if lost and not bent:
        made = _ranged(made, share=one.share)
    if grade in _SAID and not bent:
        made = widened(
            made, widening(UNTRAINED) if lost else factor, 0.0, 1.0 if one.share else float("inf")
        )
    unit = "share" if one.share else " / ".join(filter(None, (one.currency, one.per)))
    return Known(
        made,
        Entry(
            id=one.id,
            kind="assumption",
            statement=one.statement,
            stated=_ends(stated) if made != stated else None,
            unit=unit,
            share=one.share,
            source=one.source,
            grade=grade,
            declared=one.grade,
            fallen=lost,
            file=one.file,
            owner=one.owner,
            checked=one.checked,
            next_check=one.next_check,
            overdue=one.next_check is not None and one.next_check < day,
            used_by=(),
            **_shown(made),
        ),
    )


def _finding(one: Finding, lost: Fallen | None) -> Known:
    stated, told = distribution(one.evidence), one.evidence
    least, most = 0.0 if quantile(stated, _FEW) >= 0 else -float("inf"), float("inf")
    if told.unit == "share" and quantile(stated, 1 - _FEW) <= 1:
        most = 1.0
    made = widened(stated, widening(UNTRAINED), least, most) if lost else stated
    grade: Grade = "F" if lost else told.grade
    return Known(
        made,
        Entry(
            id=one.id,
            kind="evidence",
            statement=told.statement,
            stated=_ends(stated) if lost else None,
            unit=told.unit,
            share=told.unit == "share",
            source=", ".join(source.name for source in told.sources),
            grade=grade,
            declared=told.grade,
            fallen=lost,
            file=None,
            owner=told.owner,
            checked=told.date,
            next_check=None,
            overdue=False,
            used_by=(),
            run=one.run.id if one.run else None,
            link=one.run.link if one.run else None,
            **_shown(made),
        ),
    )


def _default(key: str, name: str, made: Distribution, unit: str, owner: str | None = None) -> Known:
    step = name.partition(":")[2]
    return Known(
        made,
        Entry(
            id=name,
            kind="assumption" if step else "default",
            unit=unit,
            share=unit == "share",
            statement=(f"businesscase.{key}", {"step": step}),
            source=None,
            stated=None,
            grade="F",
            declared="F",
            fallen=None,
            file=None,
            owner=owner,
            checked=None,
            next_check=None,
            overdue=False,
            used_by=(),
            **_shown(made),
        ),
    )


def _ranged(made: Distribution, *, share: bool) -> Distribution:
    """Return a range about a number that nothing stands behind any more; its mean is the number."""
    if not isinstance(made, Fixed) or made.value <= 0 or (share and made.value >= 1):
        return made
    sigma = math.log(_LOST) / float(ndtri(0.95))
    if share:
        return shapes.with_moments(
            made.value, sigma * made.value * min(1.0, 1 / made.value - 1), 0.0, 1.0
        )
    return shapes.Lognormal(math.log(made.value) - sigma**2 / 2, sigma)


def _shown(made: Distribution) -> dict[str, Any]:
    value, low, high = _ends(made)
    return {"value": value, "low": low, "high": high, "family": type(made).__name__.lower()}


def _ends(made: Distribution) -> tuple[float, float, float]:
    return made.mean, quantile(made, 0.05), quantile(made, 0.95)
