"""A/B experiments: one spec, checks that stop bad data, effects to trust, a reasoned decision."""

from typing import TYPE_CHECKING

from opslab.lazy import lazy

if TYPE_CHECKING:
    from opslab.experiments.analysis import analyze as analyze
    from opslab.experiments.checks.sample_ratio import sample_ratio as sample_ratio
    from opslab.experiments.counts import from_counts as from_counts
    from opslab.experiments.inference.effects import fieller as fieller
    from opslab.experiments.inference.multiplicity import benjamini_hochberg as benjamini_hochberg
    from opslab.experiments.inference.multiplicity import holm as holm
    from opslab.experiments.inference.power import units_needed as units_needed
    from opslab.experiments.inference.proportions import (
        miettinen_nurminen_difference as miettinen_nurminen_difference,
    )
    from opslab.experiments.inference.proportions import score_test as score_test
    from opslab.experiments.metrics import Mean as Mean
    from opslab.experiments.metrics import Proportion as Proportion
    from opslab.experiments.metrics import Quantile as Quantile
    from opslab.experiments.metrics import Ratio as Ratio
    from opslab.experiments.parameters import ReadoutParameters as ReadoutParameters
    from opslab.experiments.plan.parameters import PlanParameters as PlanParameters
    from opslab.experiments.plan.planning import plan_experiment as plan_experiment
    from opslab.experiments.plan.result import PlanResult as PlanResult
    from opslab.experiments.plan.sizing import design_effect as design_effect
    from opslab.experiments.program.parameters import ProgramParameters as ProgramParameters
    from opslab.experiments.program.pooling import false_positive_risk as false_positive_risk
    from opslab.experiments.program.pooling import random_effects as random_effects
    from opslab.experiments.program.result import ProgramResult as ProgramResult
    from opslab.experiments.program.review import review_program as review_program
    from opslab.experiments.program.spec import Program as Program
    from opslab.experiments.result import ExperimentResult as ExperimentResult
    from opslab.experiments.sequential.boundaries import boundaries as boundaries
    from opslab.experiments.sequential.boundaries import false_positive_rate as false_positive_rate
    from opslab.experiments.sequential.split import (
        sequential_sample_ratio as sequential_sample_ratio,
    )
    from opslab.experiments.sequential.stopping import after_stopping as after_stopping
    from opslab.experiments.spec import Experiment as Experiment
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        analysis="analyze",
        counts="from_counts",
        parameters="ReadoutParameters",
        result="ExperimentResult",
        spec="Experiment",
        metrics="Mean Proportion Quantile Ratio",
        **{
            "checks.sample_ratio": "sample_ratio",
            "inference.effects": "fieller",
            "inference.multiplicity": "benjamini_hochberg holm",
            "inference.power": "units_needed",
            "inference.proportions": "miettinen_nurminen_difference score_test",
            "plan.parameters": "PlanParameters",
            "plan.planning": "plan_experiment",
            "plan.result": "PlanResult",
            "plan.sizing": "design_effect",
            "program.parameters": "ProgramParameters",
            "program.pooling": "false_positive_risk random_effects",
            "program.result": "ProgramResult",
            "program.review": "review_program",
            "program.spec": "Program",
            "sequential.boundaries": "boundaries false_positive_rate",
            "sequential.split": "sequential_sample_ratio",
            "sequential.stopping": "after_stopping",
        },
    )
