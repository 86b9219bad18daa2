"""The spec of a business case: what is declared, refused as a whole where it contradicts itself."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Self

from opslab.businesscase.contradictions import refuse_contradictions
from opslab.businesscase.plan import Plan
from opslab.documents import Document
from opslab.frames import Form


class Case(Plan):
    """A business case."""

    @classmethod
    def declared(cls, document: Document) -> Self:
        """Return the case that a document declares; raises `SpecError` with every mistake."""
        case = super().declared(document)
        refuse_contradictions(case)
        return case

    def draws(self, *, form: Form = "pandas", **drawn: Any) -> Any:
        """Return the draws of each option's NPV; see `CaseResult.drawn`.

        Parameters
        ----------
        form : {"pandas", "arrow", "polars"}
        **drawn
            As `opslab.businesscase.build` takes them: ``draws=20_000, seed=2``.

        Examples
        --------
        >>> from opslab import businesscase, workspace
        >>> case = businesscase.Case.load(workspace.resolve("data/sample/product_ops.yaml"))
        >>> case.draws(draws=2_000).shape
        (2000, 3)
        """
        build = import_module("opslab.businesscase.assembly").build
        return build(self, **drawn).drawn(form=form)
