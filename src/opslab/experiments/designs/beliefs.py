"""What a Bayesian design believes of each comparison after the data."""

from opslab.experiments.grounds import Grounds
from opslab.experiments.result import Comparison, Posterior


def beliefs(known: Comparison, grounds: Grounds) -> tuple[Comparison, Posterior | None]:
    raise NotImplementedError
