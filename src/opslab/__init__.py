"""opslab: experiments, feedback, time saved, operations and the case, from one spec to one readout.

The areas load on first use, so that ``import opslab`` stays quick.
"""

import sys
from typing import TYPE_CHECKING

from opslab.lazy import lazy
from opslab.version import __version__ as __version__

if TYPE_CHECKING:
    from opslab import businesscase as businesscase
    from opslab import experiments as experiments
    from opslab import feedback as feedback
    from opslab import operations as operations
    from opslab import report as report
    from opslab import tables as tables
    from opslab import timesaved as timesaved
    from opslab import uncertainty as uncertainty
    from opslab.runs import run as run
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        businesscase="",
        experiments="",
        feedback="",
        operations="",
        report="",
        runs="run",
        tables="",
        timesaved="",
        uncertainty="",
    )

if "ipykernel" in sys.modules:  # what a notebook opens from here on is part of what it has read
    from opslab.provenance import watch

    watch()
    del watch
