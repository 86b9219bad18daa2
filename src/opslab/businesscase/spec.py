"""The spec of a business case: what is declared, refused as a whole where it contradicts itself."""

from __future__ import annotations

from typing import Self

from opslab.businesscase.contradictions import refuse_contradictions
from opslab.businesscase.plan import Plan
from opslab.documents import Document


class Case(Plan):
    """A business case."""

    @classmethod
    def declared(cls, document: Document) -> Self:
        """Return the case that a document declares; raises `SpecError` with every mistake."""
        case = super().declared(document)
        refuse_contradictions(case)
        return case
