"""The spec of a business case: what is declared, refused as a whole where it contradicts itself."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from opslab.businesscase.contradictions import refuse_contradictions
from opslab.businesscase.plan import Plan


class Case(Plan):
    """A business case."""

    @classmethod
    def load(cls, path: str | Path, name: str | None = None) -> Self:
        """Read a case from YAML; raises `SpecError` with every mistake: file, line and field."""
        case = super().load(path, name)
        refuse_contradictions(case)
        return case
