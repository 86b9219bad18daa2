"""The parameters of the notebook ``time_saved``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, cast

from pydantic import Field

from opslab.parameters import Inputs, SpecParameters

if TYPE_CHECKING:
    from opslab.timesaved.inventory import Inventory


class TimeSavedParameters(SpecParameters):
    """Parameters of ``time_saved``."""

    MODEL: ClassVar[str] = "opslab.timesaved.inventory:Inventory"

    spec: str = Field("data/sample/product_desk.yaml", min_length=1)
    """inventory: a spec or a table"""
    draws: int = Field(100_000, ge=1_000, le=1_000_000)
    """draws of the simulation"""
    seed: int = Field(1, ge=0)
    """seed of the draws"""

    def inventory(self) -> Inventory:
        """Return the inventory; raises `SpecError` when the spec needs correcting."""
        return cast("Inventory", self.declared())

    def stands_on(self) -> Inputs:
        """Return the run's name, day and files, the records of measured changes among them."""
        inputs = super().stands_on()
        runs = self.inventory().measured_changes(inputs.as_of)
        return replace(inputs, files=(*inputs.files, *(run.file for run, _ in runs)))
