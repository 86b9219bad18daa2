"""The effect by day of assignment: against scipy, with what it is for, and as it is shown."""

import datetime

import numpy as np
import pandas as pd
import pytest
from matplotlib.lines import Line2D
from scipy import stats

from opslab import experiments
from opslab.experiments.spec import Experiment
from opslab.messages.numbers import Numbers
from opslab.report.figures import BLUE, GREY

MEAN = {"name": "spend", "type": "mean", "column": "spend", "role": "primary", "goal": "increase"}
FIRST = pd.Timestamp("2026-03-02")


def units(days=14, n=2_800, seed=1, share=0.5, effect=1.0):
    random = np.random.default_rng(seed)
    day = np.arange(n) % days
    new = random.random(n) < np.broadcast_to(share, days)[day]
    frame = pd.DataFrame({"unit": np.arange(n), "arm": np.where(new, "new", "old"), "day": day})
    frame["seen"] = FIRST + pd.to_timedelta(day, unit="D")
    frame["spend"] = random.gamma(4, 3, n) + np.broadcast_to(effect, days)[day] * new
    frame["bought"] = (random.random(n) < 0.4 + 0.1 * new).astype(int)
    return frame


def analyzed(frame, metric=MEAN, days=14, **fields):
    end = (FIRST + pd.Timedelta(days=days - 1)).date()
    spec = Experiment(
        experiment="days",
        unit="unit",
        arms={"column": "arm", "control": "old"},
        metrics=[metric],
        period={"time": "seen", "start": FIRST.date(), "end": end},
        **fields,
    )
    return experiments.analyze(spec, frame)


def test_each_day_is_welch_and_cochran_compares_them():
    frame = units()
    (calendar,) = analyzed(frame).days
    assert (calendar.days, len(calendar.spans)) == (1, 14)
    assert calendar.starts[3] == datetime.date(2026, 3, 5)
    known = []
    for day, span in enumerate(calendar.spans):
        part = frame[frame.day == day]
        test = stats.ttest_ind(
            *(part.spend[part.arm == arm] for arm in ("new", "old")), equal_var=False
        )
        interval = test.confidence_interval()
        assert (span.low, span.high) == pytest.approx((interval.low, interval.high), rel=1e-9)
        known.append((span.difference, test._standard_error))
    differences, errors = np.array(known).T
    mean = np.average(differences, weights=errors**-2)
    expected = stats.chi2.sf((((differences - mean) / errors) ** 2).sum(), 13)
    assert calendar.p_value == pytest.approx(expected, rel=1e-9)


def test_an_effect_that_differs_between_days_is_told():
    result = analyzed(units(effect=np.where(np.arange(14) < 7, -1.5, 3.0)))
    assert result.days[0].p_value < 1e-6
    shown = repr(result.trends)
    assert "Does it hold on every day?" in shown
    assert "the effect differs by the day" in shown


def test_many_days_are_shown_by_week_and_weeks_begin_anew_with_a_phase():
    frame = units(days=42, n=8_400)
    (calendar,) = analyzed(frame, days=42).days
    assert (calendar.days, len(calendar.spans)) == (7, 6)
    part = frame[frame.day.between(7, 13)]
    means = part.groupby("arm").spend.mean()
    assert calendar.spans[1].difference == pytest.approx(means["new"] - means["old"], rel=1e-9)
    phases = [
        {"from": (FIRST + pd.Timedelta(days=day)).date(), "weights": {"old": 1, "new": 1}}
        for day in (0, 10)
    ]
    (calendar,) = analyzed(frame, days=42, phases=phases).days
    assert [(start - FIRST.date()).days for start in calendar.starts] == [0, 7, 10, 17, 24, 31, 38]


def test_35_days_are_shown_day_by_day():
    (calendar,) = analyzed(units(days=35, n=3_500), days=35).days
    assert (calendar.days, len(calendar.spans)) == (1, 35)


def test_weeks_of_totals_have_the_spread_of_their_days():
    frame = units(days=28, n=5_600)
    totals = frame.groupby(["arm", "seen"]).agg(users=("unit", "size"), bought=("bought", "sum"))
    metric = MEAN | {"name": "bought", "type": "proportion", "column": "bought"}
    spec = Experiment(
        experiment="totals",
        unit="users",
        data={"rows": "totals"},
        arms={"column": "arm", "control": "old"},
        metrics=[metric],
        period={"time": "seen", "start": "2026-03-02", "end": "2026-03-29"},
    )
    (calendar,) = experiments.analyze(spec, totals.reset_index()).days
    assert (calendar.days, len(calendar.spans)) == (7, 4)
    part = frame[frame.day < 7].groupby("arm").bought.mean()
    assert calendar.spans[0].difference == pytest.approx(part["new"] - part["old"], rel=1e-9)
    assert calendar.spans[0].low < calendar.spans[0].difference < calendar.spans[0].high


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_figure_says_every_number_and_is_grey_where_nothing_is_to_be_used(language):
    sound, ramp = analyzed(units()), analyzed(units(share=np.linspace(0.2, 0.8, 14)))
    assert ramp.broken
    figure, say = sound.figures(language)["days"], Numbers(language)
    for start, span in zip(sound.days[0].starts, sound.days[0].spans, strict=True):
        for words in (
            say.date(start),
            *map(say.signed_number, (span.difference, span.low, span.high)),
        ):
            assert words in figure.alt
    for result, colour in ((sound, BLUE), (ramp, GREY)):
        points = result.figures(language)["days"].drawing.findobj(Line2D)
        assert {line.get_color() for line in points if line.get_marker() == "o"} == {colour}


def test_without_days_there_is_no_chart():
    spec = Experiment(
        experiment="plain", unit="unit", arms={"column": "arm", "control": "old"}, metrics=[MEAN]
    )
    result = experiments.analyze(spec, units())
    assert (result.days, "days" in result.figures, result.trends.blocks()) == ((), False, [])
    quantile = MEAN | {"type": "quantile", "quantile": 0.5}
    assert analyzed(units(), quantile).days == ()


def test_the_record_holds_the_days():
    (days,) = analyzed(units()).record()["days"]
    assert days["starts"][0] == "2026-03-02"
    assert len(days["spans"]) == 14
