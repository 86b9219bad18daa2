"""What is declared: which runs tell what a gain is, and which gains are still to be measured."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar, Literal, get_args

from pydantic import Field

from opslab import workspace
from opslab.filed_runs import NAME, looked_at
from opslab.operations.cited import Citing
from opslab.specs import Day, Declared, Text, Title, Words

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


class Contribution(Citing):
    """What Product Ops is worth, from the runs that say so."""

    NOTEBOOK: ClassVar[str] = "contribution"

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

    def folders(self) -> list[Path]:
        """Return where cited runs are looked for: the reports, then what it names."""
        return [workspace.reports(), *map(self.beside, self.runs)]

    def looked_up(self, day: datetime.date) -> Iterable[Path]:
        """Give the records among which runs are chosen, but of those that were altered."""
        names = [source.run for source in self.gains]
        return [*looked_at(names, self.folders(), day), *super().looked_up(day)]
