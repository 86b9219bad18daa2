"""The parameters of the notebook ``business_case``."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from pydantic import Field

from opslab import workspace
from opslab.businesscase.lengths import Length
from opslab.parameters import Inputs, Parameters

if TYPE_CHECKING:
    from opslab.businesscase.spec import Case


class CaseParameters(Parameters):
    """Parameters of ``business_case``."""

    spec: str = Field("data/sample/product_ops.yaml", min_length=1)
    """the case"""
    draws: int = Field(100_000, ge=1_000, le=1_000_000)
    """draws of the simulation"""
    seed: int = Field(1, ge=0)
    """seed of the draws"""
    length: Length = "full"
    """of the document: one_page, three_pages or full, with its annexes"""

    def case(self) -> Case:
        """Return the case; raises `SpecError` when the spec needs correcting."""
        # Only now: unknown parameters are told without it.
        from opslab.businesscase.spec import Case

        return Case.load(workspace.resolve(self.spec), self.spec)

    def day(self, case: Case) -> datetime.date:
        """Return the day as of which the case speaks: as given, or the case's date."""
        return self.as_of or case.date

    def stands_on(self) -> Inputs:
        """Return the run's name, day and files."""
        from opslab.businesscase.ledger import files

        case = self.case()
        day = self.day(case)
        return Inputs(case.slug, day, files(case, day))
