"""The assumption ledger: each quantity with its range, its source, the grade it still bears."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scipy.special import ndtri

from opslab import workspace
from opslab.businesscase.citations import Finding, findings_of, runs_of
from opslab.businesscase.declarations import Assumption
from opslab.businesscase.result import SAID, Entry, Estimate, Fallen
from opslab.businesscase.spec import Case
from opslab.errors import Problem
from opslab.results import Message
from opslab.uncertainty import distributions as shapes
from opslab.uncertainty.calibration import UNTRAINED, widened, widening
from opslab.uncertainty.distributions import Distribution, Fixed, quantile

_LOST = 1.25
"""A known number whose file is gone is one between 1 / 1.25 and 1.25 of it, nine times in ten."""

_FEW = 0.001
"""Share of a finding that may lie beyond 0 or 1 without its being taken for a number that can."""
DEFAULTS: Mapping[str, tuple[float, float]] = {
    "default-recapture": (0.3, 0.7),
    "default-decay": (0.1, 0.15),
}
"""What is assumed of freed hours and of gains where nobody said, nine times in ten: half of the
hours become work (Forrester's studies), a tenth to a seventh of a gain is lost in a year."""


@dataclass(frozen=True)
class Known:
    """A quantity of the ledger: its distribution as it is used, and its line."""

    used: Distribution
    entry: Entry


@dataclass(frozen=True)
class Ledger:
    """Every quantity by its id, and the factor on the spread of what people state."""

    known: Mapping[str, Known]
    factor: float

    def used_by(self, users: Mapping[str, Iterable[str]]) -> tuple[Entry, ...]:
        """Return its lines, those of assumptions and those that benefits and costs use.

        Parameters
        ----------
        users : Mapping of id to names of benefits and costs
        """
        return tuple(
            replace(quantity.entry, used_by=tuple(users.get(name, ())))
            for name, quantity in self.known.items()
            if name in users or quantity.entry.kind == "assumption" or name.startswith("slip:")
        )


def files_of(case: Case, findings: Sequence[Finding]) -> dict[tuple[str, str | None], Path]:
    """Return the files behind the numbers: by name and hash as noted, where they are now."""
    files = {
        (assumption.file, assumption.sha256): case.beside(assumption.file)
        for assumption in case.assumptions
        if assumption.file
    }
    for kpi in case.kpis:
        if kpi.measured and kpi.measured.file:
            files[kpi.measured.file, None] = case.beside(kpi.measured.file)
    for finding in findings:
        for source in finding.evidence.sources:
            if source.sha256:
                files[source.name, source.sha256] = _source(case, source.name)
    return files


def files(case: Case, day: datetime.date) -> tuple[Path, ...]:
    """Return every file that a case stands on: its own, cited records, those behind its numbers."""
    runs = runs_of(case, workspace.reports(), day)
    behind = files_of(case, findings_of(case, runs)).values()
    every = [*filter(None, [case.file]), *(run.file for run in runs.values())]
    every += [path for path in behind if workspace.is_there(path, file=True)]
    return tuple(dict.fromkeys(every))


def fallen(noted: str | None, path: Path) -> Fallen | None:
    """Return why a file no longer stands behind a number, or None when it does."""
    if not workspace.is_there(path, file=True):
        return "gone"
    return "changed" if noted and workspace.sha256(path) != noted else None


def prepare(case: Case, findings: Sequence[Finding], day: datetime.date) -> Ledger:
    """Return the ledger of a case on a day."""
    states = {noted: fallen(noted[1], path) for noted, path in files_of(case, findings).items()}
    factor = widening(UNTRAINED if case.calibration == "untrained" else 0.9)
    # Decay and slip are taken as stated: gains bend with them, so that a wider range would raise
    # their mean.
    bent = {benefit.decay for benefit in case.benefits}
    known = {}
    for assumption in case.assumptions:
        lost = states.get((assumption.file or "", assumption.sha256))
        used = _as_used(assumption, lost, factor, bent=assumption.id in bent)
        known[assumption.id] = _assumption(assumption, used, lost, day)
    for finding in findings:
        every = [states.get((source.name, source.sha256)) for source in finding.evidence.sources]
        known[finding.id] = _finding(finding, next(filter(None, every), None))
    for step in case.roadmap:
        name, slip = f"slip:{step.id}", step.slip.distribution(share=False)
        for cited in (known[one.id] for one in findings if one.cited == step.evidence):
            known[name] = Known(cited.used, replace(cited.entry, id=name))
        if slip != Fixed(0):
            statement = Message("businesscase.slip", {"step": step.name})
            known[name] = _default(name, statement, slip, "months", owner=step.owner)
    for number, risk in enumerate(case.risks):
        if risk.amount and risk.likelihood:
            name, chance = likelihood_id(number), risk.likelihood.distribution(share=True)
            statement = Message("businesscase.likelihood_of", {"risk": risk.risk})
            known[name] = _default(name, statement, chance, "share", owner=risk.owner)
    for name, ends in DEFAULTS.items():
        statement = Message(f"businesscase.{name.replace('-', '_')}", {"step": ""})
        known[name] = _default(name, statement, shapes.beta_interval(*ends), "share")
    return Ledger(known, factor)


def likelihood_id(number: int) -> str:
    """Return the id of the likelihood of a risk, by its place in the case."""
    return f"likelihood:{number + 1}"


def names_twice(case: Case, findings: Sequence[Finding]) -> list[Problem]:
    """Return a problem for every id of an assumption that a finding or a default has too."""
    taken = {finding.id for finding in findings} | set(DEFAULTS)
    return [
        case.problem("businesscase.twice", "assumptions", number, "id", name=assumption.id)
        for number, assumption in enumerate(case.assumptions)
        if assumption.id in taken
    ]


def _source(case: Case, name: str) -> Path:
    """Return where a readout's source is: in the workspace, the reports, or the case's folders.

    The package's sample stands in only where there is no such folder at all.
    """
    folders = [*map(case.beside, case.sources)]
    paths = [workspace.root() / name, workspace.reports() / name]
    paths += [folder / name for folder in folders]
    paths += [folder / Path(name).name for folder in folders]
    there = next((path for path in paths if workspace.is_there(path, file=True)), paths[0])
    return there if workspace.is_there(there.parent) else workspace.resolve(name)


def _as_used(
    assumption: Assumption, lost: Fallen | None, factor: float, *, bent: bool
) -> Distribution:
    """Return a stated quantity, wider where its file is lost or people only say it."""
    stated = assumption.distribution(share=assumption.share)
    if bent:
        return stated
    if lost:
        stated, factor = _ranged(stated, share=assumption.share), widening(UNTRAINED)
    if not lost and assumption.grade not in SAID:
        return stated
    return widened(stated, factor, 0.0, 1.0 if assumption.share else math.inf)


def _assumption(
    assumption: Assumption, used: Distribution, lost: Fallen | None, day: datetime.date
) -> Known:
    stated = assumption.distribution(share=assumption.share)
    return _known(
        used,
        id=assumption.id,
        kind="assumption",
        statement=assumption.statement,
        stated=_ends(stated) if used != stated else None,
        unit=assumption.unit,
        source=assumption.source,
        grade="F" if lost else assumption.grade,
        declared=assumption.grade,
        fallen=lost,
        file=assumption.file,
        owner=assumption.owner,
        checked=assumption.checked,
        next_check=assumption.next_check,
        overdue=assumption.next_check is not None and assumption.next_check < day,
    )


def _finding(finding: Finding, lost: Fallen | None) -> Known:
    evidence, stated = finding.evidence, finding.evidence.quantity.distribution
    least = 0.0 if quantile(stated, _FEW) >= 0 else -math.inf
    share = evidence.unit == "share" and quantile(stated, 1 - _FEW) <= 1
    most = 1.0 if share else math.inf
    return _known(
        widened(stated, widening(UNTRAINED), least, most) if lost else stated,
        id=finding.id,
        kind="evidence",
        statement=Message(*evidence.statement),
        stated=_ends(stated) if lost else None,
        unit=evidence.unit,
        source=", ".join(source.name for source in evidence.sources),
        grade="F" if lost else evidence.grade,
        declared=evidence.grade,
        fallen=lost,
        owner=evidence.owner,
        checked=evidence.date,
        run=finding.run.id if finding.run else None,
        link=finding.run.link if finding.run else None,
    )


def _default(
    name: str, statement: Message, used: Distribution, unit: str, owner: str | None = None
) -> Known:
    kind = "default" if name in DEFAULTS else "assumption"
    return _known(
        used,
        id=name,
        kind=kind,
        statement=statement,
        unit=unit,
        owner=owner,
        grade="F",
        declared="F",
    )


def _known(used: Distribution, **fields: Any) -> Known:
    """Return a quantity with its line: its ends and family are those of its distribution."""
    family = type(used).__name__.lower()
    return Known(used, Entry(**_ends(used)._asdict(), family=family, **fields))


def _ranged(stated: Distribution, *, share: bool) -> Distribution:
    """Return a range about a number that nothing stands behind any more; its mean is the number."""
    if not isinstance(stated, Fixed) or stated.value <= 0 or (share and stated.value >= 1):
        return stated
    sigma, value = math.log(_LOST) / float(ndtri(0.95)), stated.value
    if share:
        return shapes.with_moments(value, sigma * value * min(1.0, 1 / value - 1), 0.0, 1.0)
    return shapes.Lognormal(math.log(value) - sigma**2 / 2, sigma)


def _ends(quantity: Distribution) -> Estimate:
    return Estimate(quantity.mean, quantile(quantity, 0.05), quantile(quantity, 0.95))
