"""How bad: scores on their own scale, never guessed, and themes worse than the rest of their source."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep

from opslab.errors import DataError
from opslab.feedback.severity import discontent_of, severities
from opslab.tables.import_report import Score


def score(low, high):
    return Score(**{"column": "How likely?", "from": low, "to": high})


@pytest.mark.parametrize(
    ("columns", "stated", "expected"),
    [
        ({"rating": [1, 3, 5, None]}, None, [1, 0.5, 0, None]),
        ({"survey_type": ["nps"] * 3, "score": [0, 7, 10]}, None, [1, 0.3, 0]),
        ({"survey_type": [" NPS", "CSAT", "eNPS"], "score": [5, 5, 5]}, None, [0.5, 0, 0.5]),
        ({"score": [0, 7, 10]}, score(0, 10), [1, 0.3, 0]),
        ({"score": [1, 4, 7]}, score(1, 7), [1, 0.5, 0]),
        ({"survey_type": ["nps"], "score": [10]}, score(0, 20), [0.5]),  # what is stated holds
        ({"score": [0, 7, 10]}, None, [None] * 3),  # ten of ten, or of a hundred?
        ({"survey_type": ["ces", "smileys", None], "score": [1, 2, 3]}, None, [None] * 3),
        ({"score": [0, None], "rating": [5, 5]}, score(0, 10), [1, 0]),
        ({"score": [3], "rating": [2]}, None, [0.75]),
        ({"text": ["a"]}, None, [None]),
    ],
)
def test_each_scale_is_its_own(columns, stated, expected):
    read = discontent_of(pd.DataFrame(columns), "survey.csv", stated)
    assert read.tolist() == pytest.approx(
        [np.nan if each is None else each for each in expected], nan_ok=True
    )


@pytest.mark.parametrize(
    "columns",
    [
        {"rating": [4, 6]},
        {"rating": [4, 0]},
        {"survey_type": ["nps"] * 2, "score": [4, 11]},
        {"survey_type": ["csat"] * 2, "score": [4, 0]},
    ],
)
def test_what_is_beyond_its_scale_is_refused(columns):
    with pytest.raises(DataError, match=r"survey\.csv.*row 2|row 2.*survey\.csv"):
        discontent_of(pd.DataFrame(columns), "survey.csv")


def test_of_all_or_nothing_it_is_newcombes_interval():
    inside = np.array([True] * 50 + [False] * 150)[:, None]
    (row,) = severities(
        inside, [1] * 40 + [0] * 10 + [1] * 60 + [0] * 90, ["s"] * 200, [None] * 200
    ).to_dict("records")
    expected = confint_proportions_2indep(40, 50, 60, 150, method="newcomb")
    assert (row["low"], row["high"]) == pytest.approx(expected)
    assert row["worse"]


def test_a_harsh_source_makes_no_theme_worse():
    """The store rates worse than the survey, and speaks more of the theme."""
    theme = [True] * 80 + [False] * 20 + [True] * 20 + [False] * 80
    discontent = [0.9] * 100 + [0.2] * 100
    sources = ["store"] * 100 + ["survey"] * 100
    (row,) = severities(np.array(theme)[:, None], discontent, sources, [None] * 200).to_dict(
        "records"
    )
    assert row["difference"] == pytest.approx(0)
    assert not row["worse"]
    (pooled,) = severities(
        np.array(theme)[:, None], discontent, ["all"] * 200, [None] * 200
    ).to_dict("records")
    assert pooled["worse"]


def test_unknown_takes_no_part_and_few_are_not_told():
    inside = np.array([[True, False]] * 40 + [[False, True]] * 60)
    known = [0.9] * 30 + [None] * 10 + [0.2] * 50 + [None] * 10
    rows = severities(inside, known, ["s"] * 100, [None] * 100)
    assert rows[["theme", "of", "share", "worse"]].to_numpy().tolist() == [
        [0, 30, pytest.approx(0.9), True],
        [1, 50, pytest.approx(0.2), False],
    ]
    assert severities(inside, [None] * 100, ["s"] * 100, [None] * 100).empty
    assert severities(
        inside, [0.5] * 19 + [None] * 21 + [0.5] * 60, ["s"] * 100, [None] * 100
    ).empty


def test_stars_make_few_false_alarms_and_their_intervals_hold_the_truth():
    rng, alarms, missed = np.random.default_rng(11), 0, 0
    for _ in range(100):
        theme = rng.integers(0, 8, 400)
        discontent = rng.choice([0, 0.25, 0.5, 0.75, 1], 400, p=[0.3, 0.1, 0.1, 0.1, 0.4])
        rows = severities(
            theme[:, None] == np.arange(8), discontent.tolist(), ["s"] * 400, [None] * 400
        )
        alarms += rows["worse"].any()
        missed += ((rows["low"] > 0) | (rows["high"] < 0)).sum()
    assert alarms <= 9  # of 100 at .05, one side of which is told
    assert 4 <= missed <= 52  # of 800: cautious, at most .05 and what chance adds
