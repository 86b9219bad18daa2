"""One stream for each name, and Monte Carlo errors that are true."""

import numpy as np
import pytest
import un


def test_a_stream_hangs_on_seed_and_name_alone():
    assert (un.scores("minutes", 1_000, 7) == un.scores("minutes", 1_000, 7)).all()
    assert (un.scores("minutes", 1_000, 7) == un.scores("minutes", 2_000, 7)[:1_000]).all()
    assert not (un.scores("minutes", 1_000, 7) == un.scores("minutes", 1_000, 8)).any()
    assert (
        abs(np.corrcoef(un.scores("minutes", 50_000, 7), un.scores("minutes ", 50_000, 7))[0, 1])
        < 0.02
    )


def test_common_random_numbers_survive_another_range():
    """The same name in two options: their difference has far less noise than independent draws."""
    one, other = (un.draw(un.lognormal(5, high), "minutes", 20_000, 1) for high in (20, 22))
    assert (other > one).mean() > 0.9
    assert (other - one).std() < 0.2 * one.std()


def test_the_printed_error_is_the_spread_over_seeds():
    runs = [un.summarise(un.draw(un.lognormal(5, 20), "x", 5_000, seed)) for seed in range(200)]
    assert np.std([run.mean for run in runs]) == pytest.approx(
        np.mean([run.mean_error for run in runs]), rel=0.2
    )
    assert np.std([run.high for run in runs]) == pytest.approx(
        np.mean([run.end_error for run in runs]), rel=0.2
    )


def test_percentiles_are_those_of_numpy():
    drawn = un.draw(un.pert(2, 5, 14), "x", 10_001, 1)
    found = un.summarise(drawn)
    assert [found.low, found.median, found.high] == pytest.approx(
        np.quantile(drawn, [0.05, 0.5, 0.95])
    )
    assert found.mean == pytest.approx(drawn.mean())
