"""The assumption ledger: every quantity with its range, its source, and the grade that it still bears."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from opslab import workspace
from opslab.businesscase.citations import Finding, distribution
from opslab.businesscase.result import Entry
from opslab.businesscase.spec import Assumption, Case
from opslab.evidence import Grade
from opslab.uncertainty import distributions as shapes
from opslab.uncertainty.calibration import UNTRAINED, widened, widening
from opslab.uncertainty.distributions import Distribution, Fixed, quantile

Fallen = Literal["gone", "changed"]
_LOST = 1.25
"""A known number whose file is gone is one between 1 / 1.25 and 1.25 of it, nine times in ten."""

_SAID = ("E", "F")  # grades of what people say
DEFAULTS: Mapping[str, tuple[float, float]] = {"default-recapture": (0.3, 0.7), "default-decay": (0.1, 0.15)}
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
    files |= {(kpi.measured.file, None): case.beside(kpi.measured.file)
              for kpi in case.kpis if kpi.measured and kpi.measured.file}  # fmt: skip
    return files | {
        (one.name, one.sha256): _source(one.name) for finding in found for one in finding.evidence.sources
    }


def fallen(noted: str | None, path: Path) -> Fallen | None:
    """Return why a file no longer stands behind a number, or None when it does."""
    if not workspace.is_there(path, file=True):
        return "gone"
    return "changed" if noted and workspace.sha256(path) != noted else None


def prepare(case: Case, found: Sequence[Finding], day: datetime.date) -> tuple[dict[str, Known], float]:
    """Return every quantity by its id in the ledger, and the factor on the spread of what people state."""
    states = {key: fallen(key[1], path) for key, path in files_of(case, found).items()}
    factor = widening(UNTRAINED if case.calibration == "untrained" else 0.9)
    # Decay is taken as stated: the gains bend with it, so that a wider range would raise their mean.
    bent = {line.decay for line in case.benefits}
    known = {
        one.id: _assumption(
            one, states.get((one.file or "", one.sha256)), 1.0 if one.id in bent else factor, day
        )
        for one in case.assumptions
    }
    for one in found:
        lost = [states[source.name, source.sha256] for source in one.evidence.sources]
        known[one.id] = _finding(one, next(filter(None, lost), None))
    for step in case.roadmap:
        made = step.slip.distribution(share=False)
        if not isinstance(made, Fixed):
            name = f"slip:{step.id}"
            known[name] = _default(name, widened(made, factor, 0.0), "months", made, step.owner)
    known |= {name: _default(name, shapes.beta_interval(*ends), "share") for name, ends in DEFAULTS.items()}
    return known, factor


def used(known: Mapping[str, Known], names: Mapping[str, Iterable[str]]) -> tuple[Entry, ...]:
    """Return the lines that a benefit or cost uses, each with their names, and assumptions that none does."""
    found = []
    for name, one in known.items():
        users = tuple(names.get(name, ()))
        if users or one.entry.kind == "assumption":
            found.append(dataclasses.replace(one.entry, used_by=users))
    return tuple(found)


def _source(name: str) -> Path:
    """Return where a source that a readout names is; the package's sample only where there is no other."""
    here = workspace.root() / name
    return here if workspace.is_there(here.parent) else workspace.resolve(name)


def _assumption(one: Assumption, lost: Fallen | None, factor: float, day: datetime.date) -> Known:
    stated = one.distribution(share=one.share)
    made, grade = stated, one.grade
    if lost:
        grade = "F"
        made = _ranged(made, share=one.share)
    if grade in _SAID:
        made = widened(made, widening(UNTRAINED) if lost else factor, 0.0, 1.0 if one.share else float("inf"))
    unit = "share" if one.share else " / ".join(filter(None, (one.currency, one.per)))
    return Known(made, Entry(
        id=one.id, kind="assumption", statement=one.statement,
        stated=_ends(stated) if made != stated else None,
        unit=unit, share=one.share, source=one.source, grade=grade, declared=one.grade, fallen=lost,
        file=one.file, owner=one.owner, checked=one.checked, next_check=one.next_check,
        overdue=one.next_check is not None and one.next_check < day, used_by=(), **_shown(made),
    ))  # fmt: skip


def _finding(one: Finding, lost: Fallen | None) -> Known:
    stated, told = distribution(one.evidence), one.evidence
    made = widened(stated, widening(UNTRAINED)) if lost else stated
    grade: Grade = "F" if lost else told.grade
    return Known(made, Entry(
        id=one.id, kind="evidence", statement=told.statement, stated=_ends(stated) if lost else None,
        unit=told.unit, share=told.unit == "share", source=", ".join(source.name for source in told.sources),
        grade=grade, declared=told.grade, fallen=lost, file=None, owner=told.owner, checked=told.date,
        next_check=None, overdue=False, used_by=(), run=one.run.id if one.run else None,
        link=one.run.link if one.run else None, **_shown(made),
    ))  # fmt: skip


def _default(
    name: str, made: Distribution, unit: str, stated: Distribution | None = None, owner: str | None = None
) -> Known:
    what = name.partition(":")
    return Known(made, Entry(
        id=name, kind="default" if stated is None else "assumption", unit=unit, share=unit == "share",
        statement=(f"businesscase.{what[0].replace('-', '_')}", {"step": what[2]}), source=None,
        stated=_ends(stated) if stated is not None and stated != made else None, grade="F", declared="F",
        fallen=None, file=None, owner=owner, checked=None, next_check=None, overdue=False, used_by=(),
        **_shown(made),
    ))  # fmt: skip


def _ranged(made: Distribution, *, share: bool) -> Distribution:
    """Return a range about a number that nothing stands behind any more."""
    if not isinstance(made, Fixed) or made.value <= 0 or (share and made.value >= 1):
        return made
    low, high = made.value / _LOST, made.value * _LOST
    return (
        shapes.beta_interval(low, min(high, (1 + made.value) / 2)) if share else shapes.lognormal(low, high)
    )


def _shown(made: Distribution) -> dict[str, Any]:
    value, low, high = _ends(made)
    return {"value": value, "low": low, "high": high, "family": type(made).__name__.lower()}


def _ends(made: Distribution) -> tuple[float, float, float]:
    return made.mean, quantile(made, 0.05), quantile(made, 0.95)
