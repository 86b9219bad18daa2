"""For whom, since when, how bad, what first: with next to nothing each says nothing, and never fails."""

import datetime
import warnings

import numpy as np
import pandas as pd
import pytest

from opslab.feedback.contrasts import contrasts
from opslab.feedback.priority import rank
from opslab.feedback.severity import severities
from opslab.feedback.trends import trends


@pytest.mark.parametrize(
    ("messages", "themes"), [(0, 0), (0, 2), (1, 0), (1, 1), (5, 1), (30, 0), (30, 2)]
)
def test_small_studies_pass_without_a_warning(messages, themes):
    inside = np.zeros((messages, themes), bool)
    inside[:, :1] = True
    sources, nobody = ["mail"] * messages, [None] * messages
    days = [datetime.date(2026, 1, 1) + datetime.timedelta(at) for at in range(messages)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert contrasts(inside, {"plan": ["a"] * messages}, sources, nobody).empty
        assert trends(inside, days, sources).empty
        assert severities(inside, nobody, sources, nobody).empty
        ranking = rank(inside, nobody, sources, nobody, nobody, pd.DataFrame(), [True] * themes)
    assert len(ranking.table) == themes
    assert sorted(ranking.table["rank"]) == list(range(1, themes + 1))
