"""The parameters of the notebook ``digest``."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from pydantic import Field

from opslab.operations.digest.window import window
from opslab.parameters import Inputs, SpecParameters


class DigestParameters(SpecParameters):
    """Parameters of ``digest``."""

    MODEL: ClassVar[str] = "opslab.operations.digest.spec:Digest"

    spec: str = Field("data/sample/product_digest.yaml", min_length=1)
    """digest: its days, and what is asked"""

    def stands_on(self) -> Inputs:
        """Return the digest's name, day and files: the record of each run, or that it failed."""
        inputs = super().stands_on()
        files = window(self.declared(), inputs.as_of).files()
        return replace(inputs, files=(*inputs.files, *files))
