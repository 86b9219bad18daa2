"""Segments: Cochran's Q, the effects inside, their families, and what is no segment."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.multitest import multipletests

from opslab import experiments
from opslab.errors import DataError, SpecError
from opslab.experiments.inference.segments import interaction
from opslab.experiments.moments.arm_moments import merge
from opslab.experiments.moments.collection import collect_by
from opslab.experiments.moments.columns import Column, Joint
from opslab.experiments.spec import Experiment
from opslab.tables.reader import open_table

MEAN = {"name": "spend", "type": "mean", "column": "spend", "role": "primary", "goal": "increase"}
SHARE = {
    "name": "bought",
    "type": "proportion",
    "column": "bought",
    "role": "secondary",
    "goal": "increase",
}
RATIO = {
    "name": "basket",
    "type": "ratio",
    "numerator": "spend",
    "denominator": "orders",
    "role": "secondary",
    "goal": "increase",
}
GUARD = {
    "name": "load",
    "type": "mean",
    "column": "load",
    "role": "guardrail",
    "goal": "decrease",
    "margin": {"relative": 0.05},
}


def analyzed(frame, *metrics, arms=("old", "new"), segments=("land",), **fields):
    arms = {"column": "arm", "control": arms[0], "weights": dict.fromkeys(arms, 1)}
    spec = Experiment(
        experiment="a test", unit="unit", arms=arms, metrics=metrics, segments=segments, **fields
    )
    return experiments.analyze(spec, frame)


def units(n=2_400, arms=("old", "new"), seed=1):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"unit": np.arange(n), "arm": random.choice(arms, n)})
    frame["land"] = random.choice(["de", "fr", "it"], n, p=[0.5, 0.3, 0.2])
    frame["device"] = random.choice(["web", "app"], n)
    new = frame.arm != arms[0]
    frame["spend"] = random.gamma(2, 10, n) + np.where(frame.land == "fr", 6, 1) * new
    frame["orders"] = random.poisson(2, n) + 1.0
    frame["bought"] = (random.random(n) < 0.3 + 0.02 * new).astype(int)
    frame["load"] = random.normal(300, 30, n)
    frame["past"] = frame.spend + random.normal(0, 8, n)
    return frame


def test_cochrans_q_is_that_of_statsmodels():
    random = np.random.default_rng(4)
    for size in (2, 3, 12):
        effects, variances = random.normal(0, 2, size), random.gamma(2, 1, size)
        statistic, freedom, p_value = interaction(list(effects), list(variances))
        combined = combine_effects(effects, variances)
        assert (statistic, freedom) == (pytest.approx(combined.q, rel=1e-10), size - 1)
        assert p_value == pytest.approx(stats.chi2.sf(combined.q, size - 1), rel=1e-9)


def test_equal_effects_do_not_differ_and_far_ones_do_beyond_1e_16():
    assert interaction([2.0, 2.0, 2.0], [1.0, 4.0, 0.1]) == (0.0, 2, 1.0)
    assert 0 < interaction([0.0, 20.0], [1.0, 1.0])[2] < 1e-16


@pytest.mark.parametrize("metric", [MEAN, SHARE, RATIO, MEAN | {"covariates": ["past"]}])
def test_a_segment_is_the_analysis_of_its_rows(metric):
    frame, metric = units(), metric | {"role": "primary"}
    result = analyzed(frame, metric)
    assert [one.segment for one in result.segments] == ["land: de", "land: fr", "land: it"]
    for one in result.segments:
        inside = frame[frame.land == one.segment.removeprefix("land: ")]
        (alone,) = analyzed(inside, metric, segments=()).comparisons
        assert (one.n, one.method) == (alone.n, alone.method)
        for name in ("difference", "standard_error", "p_value", "lift"):
            assert getattr(one, name) == pytest.approx(getattr(alone, name), rel=1e-9), name
    effects, errors = (
        np.array([getattr(one, name) for one in result.segments])
        for name in ("difference", "standard_error")
    )
    (test,) = result.interactions
    assert test.statistic == pytest.approx(combine_effects(effects, errors**2).q, rel=1e-9)
    assert (test.levels, test.degrees_of_freedom) == (3, 2)


def test_families_are_corrected_as_statsmodels_does():
    """Benjamini and Hochberg over every effect in a segment, Holm over the tests of interaction; no guardrails."""
    arms = ("old", "new", "bold")
    result = analyzed(
        units(4_000, arms), MEAN, SHARE, GUARD, arms=arms, segments=["land", "device"]
    )
    assert len(result.segments) == 2 * 2 * (3 + 2)
    assert {one.metric for one in result.segments} == {"spend", "bought"}
    p_values = [one.p_value for one in result.segments]
    expected = multipletests(p_values, method="fdr_bh")[1]
    assert [one.p_adjusted for one in result.segments] == pytest.approx(list(expected), rel=1e-12)
    assert len(result.interactions) == 8
    expected = multipletests([one.p_value for one in result.interactions], method="holm")[1]
    assert [one.p_adjusted for one in result.interactions] == pytest.approx(
        list(expected), rel=1e-12
    )
    found = {
        (one.metric, one.segment): one.p_adjusted for one in result.interactions if one.arm == "new"
    }
    assert found["spend", "land"] < 0.05 < found["spend", "device"]


def test_segments_do_not_move_what_decides():
    frame = units()
    whole, broken = analyzed(frame, MEAN, SHARE, segments=()), analyzed(frame, MEAN, SHARE)
    assert broken.decision.action == whole.decision.action
    for one, other in zip(broken.comparisons, whole.comparisons, strict=True):
        assert one.p_adjusted == pytest.approx(other.p_adjusted, rel=1e-12)
        assert one.difference_interval == pytest.approx(other.difference_interval, rel=1e-12)


def test_merged_levels_are_the_whole(tmp_path):
    """The moments of segments, merged, are those of all rows to 1e-12; large means keep their digits."""
    frame = units(9_001)
    frame["big"] = 1e9 + np.random.default_rng(2).normal(0, 1, len(frame))
    frame.to_parquet(tmp_path / "t.parquet", row_group_size=2_048)
    columns = [Column("spend"), Column("big"), Column("bought", binary=True)]
    joint = Joint((Column("spend", centred=True), Column("orders", centred=True)))
    with open_table(tmp_path / "t.parquet") as table:
        found = collect_by(table, "arm", columns, joints=[joint], dimensions=["land", "device"])
    for levels in found.levels:
        for arm, whole in found.whole.items():
            parts = [inside[arm] for inside in levels.values()]
            assert sum(part.rows for part in parts) == whole.rows
            for column in columns:
                merged = parts[0].moments[column]
                for part in parts[1:]:
                    merged = merge(merged, part.moments[column])
                expected = whole.moments[column]
                assert merged.n == expected.n
                assert merged.mean == pytest.approx(expected.mean, rel=1e-12)
                assert merged.squares == pytest.approx(
                    expected.squares, rel=1e-12 if column.name != "big" else 1e-9
                )
                own = frame[frame.arm == arm][column.name]
                assert expected.variance == pytest.approx(own.var(), rel=1e-9)


def test_a_segment_that_the_arms_touched_has_no_effects():
    frame = units()
    moved = (frame.arm == "new") & (frame.land == "it") & (np.arange(len(frame)) % 2 == 0)
    frame.loc[moved, "land"] = "de"
    result = analyzed(frame, MEAN, segments=["land", "device"])
    assert {one.segment for one in result.segments} == {"device: app", "device: web"}
    refused = {
        one.segment: one.not_estimable and one.not_estimable.key for one in result.interactions
    }
    assert refused == {"land": "experiments.segment_touched", "device": None}
    (land,) = (one for one in result.interactions if one.segment == "land")
    assert (land.p_value, land.p_adjusted, land.statistic) == (None, None, None)
    expected = stats.chi2_contingency(pd.crosstab(frame.land, frame.arm)).pvalue
    assert dict(land.not_estimable.values)["p"] == pytest.approx(expected, rel=1e-9)


def test_a_segment_of_one_unit_is_said_and_counts_for_nothing():
    frame = units()
    frame.loc[0, "land"] = "mt"
    frame.loc[[1, 2], ["land", "arm"]] = [["li", "old"], ["li", "new"]]
    result = analyzed(frame, MEAN)
    alone = [one for one in result.segments if one.segment == "land: li"]
    assert [(one.difference, one.p_value, one.p_adjusted) for one in alone] == [(None, None, None)]
    assert alone[0].not_estimable.key == "experiments.too_few_values"
    (test,) = result.interactions
    assert test.levels == 3


def test_empty_levels_stay_a_segment_of_their_own():
    frame = units()
    frame.loc[:600, "land"] = None
    result = analyzed(frame, MEAN)
    (empty,) = (one for one in result.segments if one.segment == "land:")
    assert sum(empty.n) == 601


def test_one_level_tells_no_difference():
    (test,) = analyzed(units().assign(land="fr"), MEAN).interactions
    assert test.not_estimable.key == "experiments.one_segment"
    assert test.p_value is None


def test_too_many_levels_are_no_segment():
    with pytest.raises(DataError, match="data, unit2: This column holds about"):
        analyzed(units().assign(unit2=range(2_400)), MEAN, segments=["unit2"])


@pytest.mark.parametrize("name", ["spend", "arm", "unit"])
def test_an_outcome_is_no_segment(name):
    with pytest.raises(SpecError, match=f"{name} is an outcome, the unit or the arm"):
        analyzed(units(), MEAN, segments=[name])


def test_levels_of_any_type_have_names():
    frame = units()
    frame["year"], frame["new"] = frame.unit % 3 + 2020, frame.unit % 2 == 0
    result = analyzed(frame, MEAN, segments=["year", "new"])
    assert [one.segment for one in result.segments] == [
        "year: 2020",
        "year: 2021",
        "year: 2022",
        "new: false",
        "new: true",
    ]


def test_without_any_interaction_holm_keeps_five_percent():
    """300 experiments with one effect everywhere: an interaction is claimed in 5 %, within 3.5 Monte Carlo errors."""
    random, claimed = np.random.default_rng(8), 0
    for _ in range(300):
        made = random.normal(1.0, 1.0, (4, 50))
        claimed += (
            interaction(list(made.mean(axis=1)), list(made.var(axis=1, ddof=1) / 50))[2] < 0.05
        )
    assert claimed / 300 == pytest.approx(0.05, abs=3.5 * (0.05 * 0.95 / 300) ** 0.5)
