"""One group over time: how often the interval of a mean effect holds, beside Newey-West's."""

from collections.abc import Iterator
from itertools import product

import numpy as np
from scipy.stats import t as student

from opslab.timesaved.change.series import correlated, segmented, segments
from simulations import Row, generator
from validation_forecast import team

PERIODS, CORRELATIONS = (16, 24, 34, 52, 104), (0, 0.2, 0.4, 0.7)
DRIFTS = 0.9
METHODS = ("Interrupted time series", "Newey-West errors of a series, usual lag (not used)")
WHY = "few periods tell little of how neighbours correlate"


def line(random: np.random.Generator, periods: int, correlation: float) -> np.ndarray:
    """Return normal values without a change, an autoregression of order one."""
    values = random.normal(size=periods)
    for at in range(1, periods):
        values[at] = correlation * values[at - 1] + (1 - correlation**2) ** 0.5 * values[at]
    return values


def hold(values: np.ndarray, start: int, *, counts: bool) -> tuple[bool, bool]:
    """Return whether the interval of the mean effect holds none, and whether Newey-West's does."""
    periods = len(values)
    fit = segmented(
        values,
        segments(periods, start),
        int(4 * (periods / 100) ** (2 / 9)),
        np.ones(periods) if counts else None,
    )
    sums, critical = np.array([[1, (periods - start - 1) / 2]]), student.isf(0.025, fit.df_resid)
    change = abs(sums @ fit.params[2:])[0]
    lagged = (sums @ fit.cov_params()[2:, 2:] @ sums.T).item() ** 0.5
    error = correlated(fit, np.arange(periods), sums)[0]
    return change <= critical * error, change <= critical * lagged


def series(experiments: int) -> Iterator[Row]:
    """Normal values and counts that are spread more than Poisson's, with neighbours that correlate."""
    runs = max(experiments // 10, 1)
    cases = [
        *product(PERIODS, (1 / 2, 2 / 3), CORRELATIONS, (False,)),
        *product((24, 52, 104), (1 / 2,), (DRIFTS,), (False,)),
        *product((24, 52, 104), (1 / 2,), CORRELATIONS, (True,)),
    ]
    for periods, share, correlation, counts in cases:
        start = round(periods * share)
        kind = "counts of mean 6 and variance 18" if counts else "normal"
        name = f"{periods} periods, change after {start}, {kind}, neighbours correlated by {correlation}"
        random, draw = generator(name), team if counts else line
        held = [hold(draw(random, periods, correlation), start, counts=counts) for _ in range(runs)]
        for method, rate in zip(METHODS, np.mean(held, axis=0).tolist(), strict=True):
            yield Row(method, name, runs, "coverage", rate, 0.95, WHY)


PARTS = (series,)
