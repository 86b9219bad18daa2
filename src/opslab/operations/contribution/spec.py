"""What is declared: which runs tell what a gain is, and which gains are still to be measured."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field

from opslab.documents import Location
from opslab.filed_runs import NAME
from opslab.operations.cited import record_file
from opslab.specs import Day, Declared, FromFile, Text, Title, Words

Gain = Literal["time", "decisions", "alignment"]
GAINS: tuple[Gain, ...] = get_args(Gain)


class Source(Declared):
    """What a run found of a gain."""

    gain: Gain
    """which of the three it is: time, decisions, alignment"""
    name: Text
    """what it is, as a sponsor calls it"""
    run: str = Field(pattern=NAME)
    """notebook/name, its latest run until the day; or one by its id"""
    pick: tuple[str, ...] = Field(("*",), min_length=1)
    """findings by id; * stands for anything. The first is the gain's figure where none add up"""


class Debt(Declared):
    """A gain that is promised and not yet measured."""

    gain: Gain
    """which of the three it is"""
    statement: Text
    """what is promised"""
    measure: Text
    """how it will be measured"""
    by: Day
    """day until when"""
    owner: Words
    """who measures it"""


class Contribution(FromFile):
    """What Product Ops is worth, from the runs that say so."""

    contribution: Title
    """its name; names the run's folder"""
    question: Text | None = None
    """the question in one sentence"""
    owner: Words | None = None
    """who answers for it"""
    date: Day | None = None
    """day as of which the readout speaks: later runs are not used"""
    gains: tuple[Source, ...] = ()
    """what runs found, the most important of each gain first"""
    debts: tuple[Debt, ...] = ()
    """what is promised and not yet measured"""
    runs: tuple[str, ...] = ()
    """folders, from this spec's, in which cited runs are looked for when the reports hold none"""
    previous: str | None = None
    """`last`, or the folder of a run, from this spec's folder: changes are told since then"""
    oldest_days: int = Field(366, ge=1, le=3_660)
    """older runs are not used"""

    def named(self) -> dict[Location, str]:
        """Return the record of the last run, where its folder is named."""
        named = {**super().named()}
        if self.previous and self.previous != "last":
            named["previous",] = record_file(self.previous)
        return named
