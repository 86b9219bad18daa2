"""The parameters of the notebook ``time_saved``."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from pydantic import Field

from opslab import workspace
from opslab.errors import ParameterError
from opslab.parameters import Inputs, Parameters

if TYPE_CHECKING:
    from opslab.timesaved.inventory import Inventory


class TimeSavedParameters(Parameters):
    """Parameters of ``time_saved``."""

    spec: str = Field("data/sample/product_desk.yaml", min_length=1)
    """inventory: a spec or a table"""
    draws: int = Field(100_000, ge=1_000, le=1_000_000)
    """draws of the simulation"""
    seed: int = Field(1, ge=0)
    """seed of the draws"""

    def inventory(self) -> Inventory:
        """Return the inventory; raises `SpecError` when the spec needs correcting."""
        from opslab.timesaved.inventory import (
            Inventory,
        )  # only now: unknown parameters are told without it

        return Inventory.load(workspace.resolve(self.spec), self.spec)

    def day(self, inventory: Inventory) -> datetime.date:
        """Return the day as of which the readout speaks: as given, or the inventory's date."""
        day = self.as_of or inventory.date
        if day is None:
            raise ParameterError.of("timesaved.as_of_needed", field="as_of")
        return day

    def stands_on(self) -> Inputs:
        """Return the run's name, day and files."""
        inventory = self.inventory()
        day, missing = self.day(inventory), inventory.missing_files()
        ParameterError.refuse(missing)
        return Inputs(inventory.slug, day, inventory.files())
