"""The parameters of the notebook ``standards_review``."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from opslab.parameters import SpecParameters


class StandardsParameters(SpecParameters):
    """Parameters of ``standards_review``."""

    MODEL: ClassVar[str] = "opslab.operations.standards.spec:Standard"

    spec: str = Field("data/sample/standard.yaml", min_length=1)
    """standard: the documents, and how long they stay fresh"""
