"""What a digest declares: its days, the runs that it reads, what is asked by hand."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from opslab.specs import Day, Declared, FromFile, Label, Text, Title, Words, fault

Address = Annotated[str, StringConstraints(pattern=r"^https://[A-Za-z0-9][A-Za-z0-9._~:/?&=%+-]*$")]
"""An address that can stand in a link of each form."""


class Ask(Declared):
    """Something that is asked of somebody by a day, written by hand."""

    ask: Text
    """what is asked, in one sentence"""
    of: Words
    """of whom"""
    by: Day
    """day by which the answer is needed"""


class Digest(FromFile):
    """A digest: what was decided, launched, learned, changed and asked between two days."""

    digest: Title
    """its name; names the run's folder"""
    question: Text | None = None
    """the question in one sentence"""
    owner: Words | None = None
    """who answers for it"""
    audience: Words | None = None
    """who reads it"""
    since: Day | None = None
    """first day; by default the day after the last digest of this name"""
    date: Day | None = None
    """last day, as of which the readout speaks"""
    runs: tuple[str, ...] = ()
    """folders of runs beside the reports, from this spec's folder"""
    only: tuple[Label, ...] = ()
    """notebooks or names of runs that count; by default all"""
    leave_out: tuple[Label, ...] = ()
    """notebooks or names of runs that do not"""
    asks: tuple[Ask, ...] = ()
    """what is asked, beside what the runs ask"""
    most: int = Field(3, ge=1, le=20)
    """lines of a section; three of each fit on one screen, the others are counted and told below"""
    link: Address | None = None
    """address at which the reports are published; by default links are relative"""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.since and self.date and self.since > self.date:
            raise fault("digest.order", since=self.since, day=self.date)
        return self

    def wants(self, notebook: str, name: str) -> bool:
        """Whether the runs of a notebook under a name count; digests themselves never do."""
        names = {notebook, name}
        chosen = not self.only or bool(names & {*self.only})
        return chosen and not names & {*self.leave_out} and notebook != "digest"
