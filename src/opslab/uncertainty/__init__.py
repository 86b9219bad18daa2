"""Uncertainty: ranges as distributions, draws that repeat, what drives a result.

`evpi` and `evppi` tell what it is worth to know more before deciding.
"""

from typing import TYPE_CHECKING

from opslab.lazy import lazy

if TYPE_CHECKING:
    from opslab.uncertainty.distributions import beta_interval as beta_interval
    from opslab.uncertainty.distributions import lognormal as lognormal
    from opslab.uncertainty.distributions import normal as normal
    from opslab.uncertainty.distributions import pert as pert
    from opslab.uncertainty.distributions import quantile as quantile
    from opslab.uncertainty.distributions import triangular as triangular
    from opslab.uncertainty.draws import draw as draw
    from opslab.uncertainty.draws import summarise as summarise
    from opslab.uncertainty.families import from_family as from_family
    from opslab.uncertainty.information import evpi as evpi
    from opslab.uncertainty.information import evppi as evppi
    from opslab.uncertainty.sensitivity import tornado as tornado
    from opslab.uncertainty.survival import aalen_johansen as aalen_johansen
    from opslab.uncertainty.survival import kaplan_meier as kaplan_meier
    from opslab.uncertainty.words import describe as describe
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        distributions="beta_interval lognormal normal pert quantile triangular",
        draws="draw summarise",
        families="from_family",
        information="evpi evppi",
        sensitivity="tornado",
        survival="aalen_johansen kaplan_meier",
        words="describe",
    )
