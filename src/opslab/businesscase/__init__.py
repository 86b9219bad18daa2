"""The business case: from evidence and assumptions to a decision that a sponsor can sign.

The finance beside it are formulas of plain numbers: `npv`, `irr`, `payback`, `roi` and their like.
"""

from typing import TYPE_CHECKING

from opslab.lazy import lazy

if TYPE_CHECKING:
    from opslab.businesscase.assembly import build as build
    from opslab.businesscase.delay import cd3 as cd3
    from opslab.businesscase.finance import irr as irr
    from opslab.businesscase.finance import mirr as mirr
    from opslab.businesscase.finance import npv as npv
    from opslab.businesscase.finance import payback as payback
    from opslab.businesscase.finance import roi as roi
    from opslab.businesscase.finance import tei as tei
    from opslab.businesscase.finance import xirr as xirr
    from opslab.businesscase.finance import xnpv as xnpv
    from opslab.businesscase.parameters import CaseParameters as CaseParameters
    from opslab.businesscase.promise import diff as diff
    from opslab.businesscase.result import CaseResult as CaseResult
    from opslab.businesscase.spec import Case as Case
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        assembly="build",
        delay="cd3",
        finance="irr mirr npv payback roi tei xirr xnpv",
        parameters="CaseParameters",
        promise="diff",
        result="CaseResult",
        spec="Case",
    )
