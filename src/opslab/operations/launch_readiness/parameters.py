"""The parameters of the notebook ``launch_readiness``."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from opslab.parameters import SpecParameters


class ReadinessParameters(SpecParameters):
    """Parameters of ``launch_readiness``."""

    MODEL: ClassVar[str] = "opslab.operations.launch_readiness.spec:Launch"

    spec: str = Field("data/sample/launch.yaml", min_length=1)
    """launch: a spec, or its checklist alone"""
