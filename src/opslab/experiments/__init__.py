"""A/B experiments: one spec, checks that stop bad data, effects to trust, a reasoned decision."""

from typing import TYPE_CHECKING

from opslab.lazy import lazy

if TYPE_CHECKING:
    from opslab.experiments.analysis import analyze as analyze
    from opslab.experiments.counts import from_counts as from_counts
    from opslab.experiments.parameters import ReadoutParameters as ReadoutParameters
    from opslab.experiments.result import ExperimentResult as ExperimentResult
    from opslab.experiments.spec import Experiment as Experiment
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        analysis="analyze",
        counts="from_counts",
        parameters="ReadoutParameters",
        result="ExperimentResult",
        spec="Experiment",
    )
