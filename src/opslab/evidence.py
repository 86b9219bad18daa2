"""Evidence: what an analysis hands to the business case, in natural units, with its uncertainty."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from statistics import NormalDist
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import Field, TypeAdapter

from opslab import uncertainty
from opslab.messages import recorded
from opslab.specs import InBothLanguages

if TYPE_CHECKING:
    from opslab.uncertainty.distributions import Distribution

RECORD_TYPE = "application/vnd.opslab.result+json"
"""Type of the cell output in which a notebook carries its result's record."""

FILES_TYPE = "application/vnd.opslab.files+json"
"""Type in which it carries the files that stand beside the readout: name to compressed bytes."""

READ_TYPE = "application/vnd.opslab.read+json"
"""Type in which a kernel tells at its end what was read: name and hash of each file."""

Kind = Literal["causal", "descriptive", "opinion"]
Benefit = Literal["hard", "capacity", "quality", "enabled"]
Grade = Literal["A", "B", "C", "D", "E", "F"]
Per = Literal["week", "year", "once", "unit"]

Words = Annotated[str, InBothLanguages()]
Named = Annotated[Words | list[Words] | Any, Field(union_mode="left_to_right")]
"""What a statement names: words, lists of words, or numbers."""
_EXACT = 1e-9  # scale of what has no width

_CHOICES = {"kind": Kind, "benefit": Benefit, "grade": Grade, "per": Per}


@dataclass(frozen=True)
class Quantity:
    """An uncertain number.

    Attributes
    ----------
    family : {"normal", "student_t", "beta", "quantiles"}
    parameters : Mapping[str, float]
        Of the family, as `uncertainty.from_family` has them.
    value, low, high : float
        The point and the interval at `level`.
    level : float

    Raises
    ------
    ValueError
        When they make no distribution, or no interval: a case could not read them.
    """

    family: str
    parameters: Mapping[str, float]
    value: float
    low: float | None
    high: float | None
    level: float

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise ValueError(f"The level {self.level} is not between 0 and 1.")
        ends = [end for end in (self.low, self.high) if end is not None]
        if ends != sorted(ends) or not all(map(math.isfinite, [self.value, *ends])):
            raise ValueError(f"{self.value} ({self.low} to {self.high}) is no finite interval.")
        _ = self.distribution

    @classmethod
    def normal(cls, value: float, low: float, high: float, level: float = 0.95) -> Quantity:
        """Return the normal around a value that is as wide as an interval.

        Examples
        --------
        >>> round(Quantity.normal(3, 1.04, 4.96).parameters["scale"], 3)
        1.0
        """
        scale = max((high - low) / (2 * NormalDist().inv_cdf((1 + level) / 2)), _EXACT)
        return cls("normal", {"location": value, "scale": scale}, value, low, high, level)

    @classmethod
    def share(
        cls, count: int, of: int, low: float | None, high: float | None, level: float = 0.95
    ) -> Quantity:
        """Return a share of a count with its interval: a beta, by Jeffreys' prior.

        Examples
        --------
        >>> Quantity.share(3, 4, 0.3, 0.95).parameters
        {'a': 3.5, 'b': 1.5}
        """
        return cls("beta", {"a": count + 0.5, "b": of - count + 0.5}, count / of, low, high, level)

    @cached_property
    def distribution(self) -> Distribution:
        """How the quantity is distributed."""
        return uncertainty.from_family(self.family, self.parameters, self.value)


@dataclass(frozen=True)
class SourceFile:
    """A file that stands behind a number."""

    name: str
    sha256: str | None
    rows: int


@dataclass(frozen=True)
class Evidence:
    """One thing that a run says about the world.

    Attributes
    ----------
    id : str
        Stable: what is the same has the same id in the next run.
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
        A drawn by lot, with logs, down to F opinion.
    sources : tuple of SourceFile
    run : str or None
        The run folder; known once the run is filed.
    date : datetime.date or None
    owner : str or None

    Raises
    ------
    ValueError
        When a field is none of its choices, or empty where it names something.
    """

    id: str
    kind: Kind
    statement: tuple[str, Mapping[str, Named]]
    quantity: Quantity
    unit: Words
    per: Per
    period: tuple[datetime.date | None, datetime.date | None]
    population: Words
    claim: str
    benefit: Benefit
    grade: Grade
    sources: tuple[SourceFile, ...]
    run: str | None = None
    date: datetime.date | None = None
    owner: Words | None = None

    def __post_init__(self) -> None:
        for name, kind in _CHOICES.items():
            if getattr(self, name) not in get_args(kind):
                raise ValueError(f"{name} {getattr(self, name)!r} is none of {get_args(kind)}.")
        for name in ("id", "unit", "claim"):
            if not getattr(self, name):
                raise ValueError(f"Evidence needs a text as its {name}.")

    def record(self) -> dict[str, Any]:
        """Return the evidence as JSON takes it: words in both languages as a mapping."""
        key, values = self.statement
        fields = asdict(self) | {
            "statement": {"key": key, "values": dict(values)},
            "period": [day.isoformat() if day else None for day in self.period],
            "date": self.date.isoformat() if self.date else None,
        }
        return {name: recorded(value) for name, value in fields.items()}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Evidence:
        """Return the evidence of a record; raises `ValueError` where it is none."""
        try:
            statement = (record["statement"]["key"], record["statement"]["values"])
        except (KeyError, TypeError) as error:
            raise ValueError(str(error)) from None
        return TypeAdapter(cls).validate_python({**record, "statement": statement})
