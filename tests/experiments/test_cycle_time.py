"""Days from idea to decision: against statsmodels, a printed example and simple sums."""

import datetime
import warnings

import numpy as np
import pytest
from statsmodels.duration.survfunc import SurvfuncRight

from opslab.errors import DataError
from opslab.experiments import Program, review_program
from opslab.experiments.program.cycle_time import (
    change,
    kaplan_meier,
    median_days,
    restricted_mean,
)

# Freireich et al. (1963), weeks of remission under 6-MP and placebo, as every textbook prints them.
TREATED = [6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
RELAPSED = [True] * 9 + [False] * 12
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
DAY = datetime.date(2026, 1, 1)


def drawn(seed):
    random = np.random.default_rng(seed)
    days = np.ceil(random.exponential(30, 45))
    limit = np.ceil(random.exponential(45, 45))
    return np.minimum(days, limit), days <= limit


@pytest.mark.parametrize("seed", range(8))
def test_curve_and_median_agree_with_statsmodels(seed):
    days, decided = drawn(seed)
    curve = kaplan_meier(days, decided)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs divides by 0 at the end of the curve
        other = SurvfuncRight(days, decided.astype(int))
        ends = other.quantile_ci(0.5, method="cloglog")
    assert curve.waiting == pytest.approx(other.surv_prob)
    median, low, high = median_days(curve)
    assert (median, low) == (other.quantile(0.5), ends[0])
    # Where nothing is open they end with the last day; a variance that is not known ends nowhere.
    assert ends[1] in ((np.inf, days.max()) if high is None else (high,))


def test_the_remissions_of_freireich():
    curve = kaplan_meier(TREATED, RELAPSED)
    assert [round(share, 4) for share in curve.waiting] == [
        0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482,
    ]  # fmt: skip
    assert median_days(curve)[0] == 23
    assert median_days(kaplan_meier(PLACEBO, [True] * 21))[0] == 8


def test_without_open_ideas_the_restricted_mean_is_the_mean_of_capped_days():
    days = np.array([3, 7, 7, 12, 40])
    mean, error = restricted_mean(kaplan_meier(days, [True] * 5), 20)
    capped = np.minimum(days, 20)
    assert mean == pytest.approx(capped.mean())
    assert error == pytest.approx(capped.std() / 5**0.5)  # by Greenwood, n and not n - 1


def test_days_saved_are_those_of_both_groups_up_to_a_day_that_both_reach():
    before, since = (
        kaplan_meier([50, 60, 70, 80], [True] * 4),
        kaplan_meier([10, 20, 30], [True, True, False]),
    )
    saved, low, high, horizon = change(before, since)
    assert horizon == 30
    assert saved == pytest.approx(30 - (10 + 20 + 30) / 3)
    assert low < saved < high


def test_a_median_that_is_not_reached_is_none():
    assert median_days(kaplan_meier([5, 9, 9, 9], [True, False, False, False])) == (None, 5, None)
    assert median_days(kaplan_meier([5, 9], [False, False])) == (None, None, None)


def ideas(*spans, first=DAY):
    return tuple(
        {"idea": f"idea {at}", "date": first + datetime.timedelta(at), "decided": None if days is None
         else first + datetime.timedelta(at + days)}
        for at, days in enumerate(spans)
    )  # fmt: skip


def test_open_ideas_are_censored_and_later_decisions_unknown():
    result = review_program(
        Program(program="x", date=DAY + datetime.timedelta(30), ideas=ideas(10, 20, None, 60))
    )
    (every,) = result.cycles
    assert (every.ideas, every.open) == (4, 2)
    assert every.median == 20
    assert every.longest == 28
    assert result.cycle_change is None
    assert result.status == "complete"


def test_young_ideas_are_no_sign_of_speed():
    """The group since the standard decides as slowly; only its quick ideas can be over by now."""
    random = np.random.default_rng(6)
    written = random.uniform(0, 360, 400)
    took = random.exponential(80, 400)
    rows = [
        {
            "idea": str(at),
            "date": DAY + datetime.timedelta(int(day)),
            "decided": DAY + datetime.timedelta(int(day) + int(days))
            if day + days <= 365
            else None,
        }
        for at, (day, days) in enumerate(zip(written, took, strict=True))
    ]
    standard = DAY + datetime.timedelta(240)
    program = Program(
        program="x", date=DAY + datetime.timedelta(365), ideas=tuple(rows), standardised=standard
    )
    result = review_program(program)
    _, low, high, horizon = result.cycle_change
    assert low < 0 < high
    assert horizon <= 125
    naive = [np.mean([d for w, d in zip(written, took, strict=True) if w + d <= 365 and (w >= 240) == side])
             for side in (False, True)]  # fmt: skip
    assert naive[0] - naive[1] > 15  # what the mean of decided ideas would have claimed
    assert [cycle.group for cycle in result.cycles] == ["all", "before", "since"]


def test_a_decision_before_its_idea_is_refused(tmp_path):
    table = tmp_path / "ideas.csv"
    table.write_text(
        "Idée;Notée le;Décidée le\na;03/04/2026;02/04/2026\nb;13/04/2026;\n", encoding="utf-8"
    )
    spec = tmp_path / "program.yaml"
    spec.write_text("program: x\ndate: 2026-06-01\nideas: {path: ideas.csv}\n")
    with pytest.raises(DataError) as caught:
        review_program(Program.load(spec))
    (problem,) = caught.value.problems
    assert (problem.row, problem.field) == (2, "Décidée le")
    assert "earlier than the idea" in problem.text()
    assert "antérieure" in problem.text("fr")
