"""Sentences: one count of decimals in a group, intervals that no line breaks, few reasons first."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from opslab import experiments
from opslab.experiments.result import Comparison
from opslab.experiments.sentences import ExperimentVoice, bounded, leading

MINUS, SPACE = "\N{MINUS SIGN}", "\N{NO-BREAK SPACE}"
SAY = ExperimentVoice("en", "experiments", level=0.95, control="a", arm="b")


def comparison(
    kind="mean",
    estimate=(17.10, 15.96),
    difference=1.14,
    bounds=(-0.288, 2.58),
    lift=None,
    lifts=(None, None),
):
    return Comparison(
        metric="m",
        role="primary",
        type=kind,
        goal="increase",
        arm="b",
        control="a",
        n=(9, 9),
        missing=(0, 0),
        estimate=estimate,
        difference=difference,
        difference_interval=bounds,
        lift=lift,
        lift_interval=lifts,
        p_value=0.1,
        p_adjusted=0.1,
        method="welch",
        verdict="open",
    )


@pytest.mark.parametrize(
    ("one", "shown"),
    [
        (comparison(), ("+1.14", f"{MINUS}0.29 to +2.58")),
        (
            comparison(difference=0.0723, bounds=(-0.0168, 0.161)),
            ("+0.072", f"{MINUS}0.017 to +0.161"),
        ),
        (
            comparison(difference=3757, bounds=(-16756, 24270)),
            ("+3,757", f"{MINUS}16,756 to +24,270"),
        ),
        (
            comparison(difference=1000, bounds=(999.2, 1000.8)),
            ("+1,000.00", "+999.20 to +1,000.80"),
        ),
        (
            comparison("proportion", difference=0.0248, bounds=(0.0081, 0.0416)),
            (f"+2.48{SPACE}pp", f"+0.81{SPACE}pp to +4.16{SPACE}pp"),
        ),
        (
            comparison("proportion", difference=0.00002, bounds=(0.00001, 0.00003)),
            (f"+0.002{SPACE}pp", f"+0.001{SPACE}pp to +0.003{SPACE}pp"),
        ),
    ],
)
def test_a_difference_and_its_interval_have_the_same_decimals(one, shown):
    cell = SAY.difference(one)
    assert (cell.text, cell.interval) == (shown[0], shown[1].replace(" to ", f"{SPACE}to{SPACE}"))


@pytest.mark.parametrize(
    ("lift", "lifts", "shown"),
    [
        (0.08, (0.025, 0.137), ("+8.0%", "+2.5% to +13.7%")),
        (-0.00002, (-0.017, 0.017), ("0.0%", f"{MINUS}1.7% to +1.7%")),
        (0.00021, (0.0001, 0.00032), ("+0.02%", "+0.01% to +0.03%")),
    ],
)
def test_a_lift_and_its_interval_have_the_same_decimals(lift, lifts, shown):
    cell = SAY.lift(comparison(lift=lift, lifts=lifts))
    assert cell.text == shown[0]
    assert cell.interval == shown[1].replace(" to ", f"{SPACE}to{SPACE}")


@pytest.mark.parametrize(
    ("lifts", "interval"),
    [
        ((None, None), "no bounds: the control's value is not clearly different from 0"),
        ((0.1, None), "+10.0% and more, without an upper bound"),
        ((None, 0.1), "+10.0% and less, without a lower bound"),
    ],
)
def test_an_interval_without_a_bound_is_said_in_words(lifts, interval):
    one = comparison(lift=0.5, lifts=lifts)
    assert (SAY.lift(one).text, SAY.lift(one).interval) == ("+50.0%", interval)
    assert SAY.change(one) == SAY.difference(one)


@pytest.mark.parametrize(
    ("estimate", "kind", "shown"),
    [
        ((1057.2, 747.8), "mean", ("1,057", "748")),
        ((17.1, 15.96), "mean", ("17.10", "15.96")),
        ((0.337, 0.312), "proportion", ("33.7%", "31.2%")),
        ((0.0041, 0.0052), "proportion", ("0.41%", "0.52%")),
        ((0.5, None), "proportion", ("50.0%", "–")),  # noqa: RUF001
    ],
)
def test_both_arms_have_the_same_decimals(estimate, kind, shown):
    assert SAY.estimates(comparison(kind, estimate=estimate)) == shown


@pytest.fixture(scope="module")
def several():
    """Three arms without effect on three primaries; a secondary metric is far wider."""
    random = np.random.default_rng(3)
    data = pd.DataFrame({"id": range(900), "arm": np.array(["a", "b", "c"])[np.arange(900) % 3]})
    for name in ("x", "y", "z"):
        data[name] = random.normal(100, 5, 900)
    data["rare"] = np.where(random.random(900) < 0.3, random.gamma(1, 1000, 900), 0.0)
    metrics = [
        {
            "name": name,
            "type": "mean",
            "column": name,
            "role": "primary",
            "goal": "increase",
            "mde": {"relative": 0.01},
        }
        for name in ("x", "y", "z")
    ]
    metrics.append(
        {"name": "rare", "type": "mean", "column": "rare", "role": "secondary", "goal": "increase"}
    )
    spec = {
        "experiment": "several",
        "unit": "id",
        "arms": {"column": "arm", "control": "a", "weights": {"a": 1, "b": 1, "c": 1}},
        "metrics": metrics,
    }
    return experiments.analyze(experiments.Experiment(**spec), data)


def test_few_reasons_stand_on_the_first_screen_and_all_are_there(several):
    screen = several.first_screen("en")
    said = [several.voice("en").message(reason) for reason in several.decision.reasons]
    assert len(said) == 6
    assert len(screen.reasons) == 3
    assert sorted([*screen.reasons, *screen.more]) == sorted(said)
    assert screen.more_label == "3 more reasons"
    arm = leading(several).arm
    assert all(f"with {arm}." in reason for reason in screen.reasons)


def test_a_far_wider_line_is_cut_with_an_arrow_and_told_in_full(several):
    figure = several.figures["lift"]
    assert "An arrow: the interval goes on beyond the frame." in figure.caption
    rare = [one for one in several.comparisons if one.metric == "rare" and bounded(one)]
    assert all(SAY.lift(one).interval in figure.alt for one in rare)
    low, high = figure.drawing.axes[0].get_xlim()
    wide = [one for one in several.comparisons if one.role == "primary"]
    assert all(low < bound < high for one in wide for bound in one.lift_interval)
    assert any(bound < low or bound > high for one in rare for bound in one.lift_interval)


def test_tables_of_several_arms_are_grouped_by_metric(several):
    table = next(block for block in several.effects.blocks("en") if getattr(block, "groups", None))
    assert [group.head.text for group in table.groups] == ["x", "y", "z", "rare"]
    assert [[row[0] for row in group.rows] for group in table.groups] == [["b", "c"]] * 4
