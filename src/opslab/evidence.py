"""Evidence: what an analysis hands to the business case, in natural units, with its uncertainty."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

RECORD_TYPE = "application/vnd.opslab.result+json"
"""Type of the cell output in which a notebook carries its result's record."""

FILES_TYPE = "application/vnd.opslab.files+json"
"""Type in which that output carries the files that stand beside the readout: name to compressed bytes."""

Kind = Literal["causal", "descriptive", "opinion"]
Benefit = Literal["hard", "capacity", "quality", "enabled"]
Grade = Literal["A", "B", "C", "D", "E", "F"]


@dataclass(frozen=True)
class Quantity:
    """An uncertain number.

    Attributes
    ----------
    family : str
        ``normal``, ``student_t``, … or ``draws``.
    parameters : Mapping[str, float]
        Of the family: ``location``, ``scale``, ``degrees_of_freedom``, …
    value, low, high : float
        The point and the interval at `level`.
    level : float
    """

    family: str
    parameters: Mapping[str, float]
    value: float
    low: float | None
    high: float | None
    level: float


@dataclass(frozen=True)
class SourceFile:
    """A file that stands behind a number."""

    name: str
    sha256: str | None
    rows: int


@dataclass(frozen=True)
class Evidence:
    """One thing that was found out.

    Attributes
    ----------
    id : str
        Stable: the same finding has the same id in the next run.
    kind : {"causal", "descriptive", "opinion"}
    statement : tuple of str and Mapping
        Message key and values.
    quantity : Quantity
    unit : str
        Natural unit (``share``, ``hours``, ``tickets`` or the metric's own).
    per : {"week", "year", "once", "unit"}
    period : tuple of datetime.date or None
    population : str
    claim : str
        What it is a claim on; two evidences with one claim are never added.
    benefit : {"hard", "capacity", "quality", "enabled"}
    grade : {"A", …, "F"}
        A randomised or staggered roll-out with logs, down to F opinion.
    sources : tuple of SourceFile
    run : str or None
        The run folder; known once the run is filed.
    date : datetime.date or None
    owner : str or None
    """

    id: str
    kind: Kind
    statement: tuple[str, Mapping[str, Any]]
    quantity: Quantity
    unit: str
    per: Literal["week", "year", "once", "unit"]
    period: tuple[datetime.date | None, datetime.date | None]
    population: str
    claim: str
    benefit: Benefit
    grade: Grade
    sources: tuple[SourceFile, ...]
    run: str | None = None
    date: datetime.date | None = None
    owner: str | None = None

    def record(self) -> dict[str, Any]:
        """Return the evidence as JSON takes it."""
        fields = asdict(self)
        key, values = self.statement
        return fields | {
            "statement": {"key": key, "values": dict(values)},
            "period": [day.isoformat() if day else None for day in self.period],
            "date": self.date.isoformat() if self.date else None,
        }

    @classmethod
    def from_record(cls, told: Mapping[str, Any]) -> Evidence:
        """Return the evidence that a record tells; raises `ValueError` when it tells none."""
        from pydantic import TypeAdapter

        fields = dict(told)
        try:
            fields["statement"] = (told["statement"]["key"], told["statement"]["values"])
        except (KeyError, TypeError) as error:
            raise ValueError(str(error)) from None
        return TypeAdapter(cls).validate_python(fields)
