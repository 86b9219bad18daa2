"""Ranges as people state them in a spec."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator

from opslab.errors import InputError
from opslab.specs import Declared, Number, fault
from opslab.tables.durations import minutes_of, share_of
from opslab.uncertainty import distributions as shapes


class Stated(Declared):
    """A number, a 90 % interval (low, high), or least, most likely and most (low, likely, high)."""

    low: Number | None = None
    """low end of a 90 % interval; with `likely`, the least it can be"""
    likely: Number | None = None
    """alone: a known number"""
    high: Number | None = None
    """high end of a 90 % interval; with `likely`, the most it can be"""
    shape: Literal["pert", "pert_classic", "triangular"] = "pert"
    """of three numbers"""

    def distribution(self, *, share: bool) -> shapes.Distribution:
        """Return what the numbers mean; raises `InputError` when they cannot be."""
        known = [value for value in (self.low, self.likely, self.high) if value is not None]
        if known and min(known) < 0:
            raise InputError.of("uncertainty.negative", given=min(known))
        if known and share and max(known) > 1:
            raise InputError.of("uncertainty.over_one", given=max(known))
        if known and len({*known}) == 1 and (self.low is None) == (self.high is None):
            return shapes.Fixed(known[0])
        if self.low is None or self.high is None:
            raise InputError.of("uncertainty.half_range")
        if self.likely is None:
            return (shapes.beta_interval if share else shapes.lognormal)(self.low, self.high)
        return _SHAPES[self.shape](self.low, self.likely, self.high)


_SHAPES = {
    "pert": shapes.pert,
    "pert_classic": shapes.pert_classic,
    "triangular": shapes.triangular,
}


def _bare(given: object) -> object:
    return given if isinstance(given, dict | Stated) else {"likely": given}


def read_ends(given: Any, read: Callable[[object], object]) -> Any:
    """Return what is declared with the ends of its range read, where they are texts."""
    if not isinstance(given, dict):
        return given
    ends = {name: read(given[name]) for name in ("low", "likely", "high") if name in given}
    return given | ends


def _minutes(written: object) -> object:
    minutes = minutes_of(written)
    if isinstance(minutes, str) and ":" in minutes:
        raise fault("tables.cell_minutes")
    return minutes


def _written(read: Callable[[object], object]) -> BeforeValidator:
    return BeforeValidator(lambda given: read_ends(given, read))


def _possible(*, share: bool) -> AfterValidator:
    return AfterValidator(lambda stated: (stated.distribution(share=share), stated)[1])


# of what looks at a range before it is one, the last comes first
Amount = Annotated[Stated, BeforeValidator(_bare), _possible(share=False)]
Minutes = Annotated[Stated, _written(_minutes), BeforeValidator(_bare), _possible(share=False)]
Part = Annotated[Stated, _written(share_of), BeforeValidator(_bare), _possible(share=True)]
