"""What a case declares as a whole, and its parts by name."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from opslab.businesscase.commitments import Beyond, Debt, Kpi, Risk, Team
from opslab.businesscase.declarations import (
    Ask,
    Assumption,
    Benefit,
    Cited,
    Cost,
    Decision,
    Finance,
    Milestone,
    Name,
    Option,
)
from opslab.errors import Problem
from opslab.specs import Day, FromFile, Label, Title

DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")


class Plan(FromFile):
    """A business case as it is declared, contradictions and all."""

    case: Title
    """its name; names the run's folder"""
    version: Label = "1"
    """of the case: what a reader sees that it has changed since the last one"""
    date: Day
    """day as of which the case is written, YYYY-MM-DD"""
    owner: Name
    """who wrote it and answers for it"""
    sponsor: Name
    """who decides, and pays"""
    ask: Ask
    decision: Decision
    finance: Finance
    runs: tuple[str, ...] = ()
    """folders of runs beside the spec, for those not in the reports"""
    sources: tuple[str, ...] = ()
    """folders with the data of cited runs that is elsewhere"""
    previous: str | None = Field(
        None, pattern=r"^business_case/[a-z0-9-]+(/\d{4}-\d{2}-\d{2}-[0-9a-f]{8})?$"
    )
    """run of the case's last version, notebook/name or by its id: what changed is told"""
    calibration: Literal["untrained", "trained"] = "untrained"
    """of ranges that people state"""
    evidence: tuple[Cited, ...] = ()
    assumptions: tuple[Assumption, ...]
    roadmap: tuple[Milestone, ...] = ()
    benefits: tuple[Benefit, ...] = Field(min_length=1)
    costs: tuple[Cost, ...] = Field(min_length=1)
    options: tuple[Option, ...] = Field(min_length=2)
    teams: tuple[Team, ...] = ()
    risks: tuple[Risk, ...] = Field(min_length=1)
    kpis: tuple[Kpi, ...] = Field(min_length=1)
    debts: tuple[Debt, ...] = ()
    beyond_money: tuple[Beyond, ...] = ()
    blocking: tuple[Literal["capacity"], ...] = ("capacity",)
    """checks whose failure is a red light; [] for none"""

    @property
    def nothing(self) -> Option:
        """Doing nothing."""
        return next(option for option in self.options if option.kind == "do_nothing")

    @property
    def recommended(self) -> Option:
        """The option that is asked for."""
        return next(option for option in self.options if option.kind == "recommended")

    @property
    def proposals(self) -> list[Option]:
        """Every option but doing nothing."""
        return [option for option in self.options if option.kind != "do_nothing"]

    @property
    def stage(self) -> Milestone | None:
        """The step that approving stage 1 pays for."""
        return self.step(self.decision.stage)

    def assumption(self, name: str | None) -> Assumption | None:
        """Return an assumption by its id; None where there is none."""
        return next((one for one in self.assumptions if one.id == name), None)

    def step(self, name: str | None) -> Milestone | None:
        """Return a step of the roadmap by its id; None where there is none."""
        return next((step for step in self.roadmap if step.id == name), None)

    def day_of(self, when: str, *, end: bool) -> datetime.date:
        """Return the day that a field names: a day, or a milestone's first or last.

        Raises `ValueError` where it is none, or of a step that a run will tell.
        """
        step = self.step(when)
        day = step and (step.ends if end else step.starts)
        return day or datetime.date.fromisoformat(when)

    def ended(self, option: Option) -> dict[str, float]:
        """Return what an option ends of the costs of doing nothing, by name.

        Below 0: the part that it pays itself.
        """
        idle = self.nothing
        names = dict.fromkeys((*idle.costs, *option.costs))
        return {
            name: (idle.part(name) if name in idle.costs else 0.0)
            - (option.part(name) if name in option.costs else 0.0)
            for name in names
        }

    def rid_of(self, cost: Cost, option: Option) -> str:
        """Return the step or day from which an option is rid of a cost of doing nothing.

        What the cost says, else when the first of the option's benefits starts.
        """
        starts = [line.starts for line in self.benefits if line.name in option.benefits]
        return cost.ended_from or min(starts, key=lambda when: self.day_of(when, end=True))

    def lines(self) -> Iterator[DeclaredLine]:
        """Give every benefit and cost with its field."""
        for number, benefit in enumerate(self.benefits):
            yield DeclaredLine(self, "benefits", number, benefit)
        for number, cost in enumerate(self.costs):
            yield DeclaredLine(self, "costs", number, cost)


@dataclass(frozen=True)
class DeclaredLine:
    """A benefit or a cost, and where it stands."""

    plan: Plan
    field: Literal["benefits", "costs"]
    number: int
    line: Benefit | Cost

    def at(self, *field: str | int) -> tuple[str | int, ...]:
        """Return where one of its fields stands in the spec."""
        return (self.field, self.number, *field)

    def problem(self, key: str, *field: str | int, **values: Any) -> Problem:
        """Return a problem about one of its fields."""
        return self.plan.problem(f"businesscase.{key}", *self.at(*field), **values)
