"""The business case: from evidence and assumptions to a decision that a sponsor can sign."""

from typing import TYPE_CHECKING

from opslab.lazy import lazy

if TYPE_CHECKING:
    from opslab.businesscase.assembly import build as build
    from opslab.businesscase.parameters import CaseParameters as CaseParameters
    from opslab.businesscase.promise import diff as diff
    from opslab.businesscase.result import CaseResult as CaseResult
    from opslab.businesscase.spec import Case as Case
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        assembly="build",
        parameters="CaseParameters",
        promise="diff",
        result="CaseResult",
        spec="Case",
    )
