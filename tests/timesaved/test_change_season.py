"""A series without a season cannot tell a yearly season from a change, and says so."""

import numpy as np
import pytest
from changed import reviewed, values

from opslab.errors import SpecError
from opslab.messages import LANGUAGES, text


def swing(weeks=60, start=36, **more):
    """Return a review of one group with a yearly swing of a fifth and a true change of -15 %."""
    made = values(teams=1, treated=1, weeks=weeks, start=start, effect=-0.15, noise=0.03)
    made *= np.exp(0.2 * np.sin(2 * np.pi * np.arange(weeks) / 52.18))
    return reviewed(made, treated=1, start=start, chosen="everybody", **more)


def test_less_than_two_years_are_neither_kept_nor_undone():
    result = swing()
    check = result.check("season")
    assert (check.status, result.grade, result.action) == ("fail", "D", "measure")
    for language in LANGUAGES:
        assert "season: true" in text(check.detail.key, language, **check.detail.values)


def test_two_years_with_a_season_pass_and_find_the_truth():
    result = swing(140, 100, season=True)
    assert (result.check("season").status, result.grade, result.action) == ("pass", "C", "keep")
    assert result.effect.low < -0.15 < result.effect.high
    assert swing(140, 100).grade == "D"


def test_a_season_that_is_known_not_to_be_is_accepted_with_its_reason():
    known = {"made": values(treated=8), "treated": 8, "chosen": "everybody"}
    accepted = {"accept": {"season": "the queue has none"}}
    assert reviewed(**known).action == "measure"
    assert (reviewed(**known, **accepted).grade, reviewed(**known, **accepted).action) == (
        "C",
        "keep",
    )
    known["made"] = values(treated=8, weeks=23)
    assert (reviewed(**known, **accepted).grade, reviewed(**known, **accepted).action) == (
        "D",
        "measure",
    )


def test_the_refusal_says_what_follows_without_a_season():
    with pytest.raises(SpecError, match=r"grade D.*accept: \{season"):
        swing(season=True)


def test_what_one_group_can_show_is_that_of_its_interval():
    """The interval by hand: 1.43 half widths on the log scale (Cohen 1988: 2.80 errors)."""
    result = swing()
    half = (np.log1p(result.effect.high) - np.log1p(result.effect.low)) / 2
    check = result.check("promise")
    assert check.detail.key == "change.promise_measured_unasked"
    assert check.value == pytest.approx(1 - np.exp(-2.80 / 1.96 * half), rel=0.01)


def test_together_lies_between_what_was_hoped_and_measured():
    belief = reviewed(values(noise=0.4), expected={"low": 0.1, "high": 0.4}).belief
    low, high = sorted([belief.prior.value, belief.data.value])
    assert low <= belief.posterior.value <= high


def test_the_worst_that_moved_apart_are_told_of_selected():
    made = values(noise=0.02, treated=4, teams=10)
    made[:4, 10:14] *= 1.5
    check = reviewed(made, chosen="worst_first").check("pre_trend")
    assert (check.status, check.detail.key) == ("fail", "change.pre_trend_picked")
