"""Krippendorff's alpha against its printed example and all pairs counted one by one; its interval."""

import itertools
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opslab.operations import PracticeReview, krippendorff, review_practices
from opslab.operations.practices.agreement import agreement
from opslab.operations.practices.spec import LEVELS

NONE = None
PRINTED = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, NONE, NONE, NONE],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NONE, 3],
    [NONE, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NONE],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NONE],
]
"""Krippendorff (2011), section D: four observers, twelve units, values missing."""


def nominal(low, high, held):
    return float(low != high)


def ordinal(low, high, held):
    low, high = sorted((low, high))
    between = sum(held[value] for value in held if low <= value <= high)
    return (between - (held[low] + held[high]) / 2) ** 2


def interval(low, high, held):
    return float((low - high) ** 2)


def by_pairs(ratings, distance):
    """Alpha as it is defined: mean distance of pairs within units over that of all pairs."""
    units = [[value for value in unit if value is not None] for unit in zip(*ratings, strict=True)]
    units = [unit for unit in units if len(unit) > 1]
    values = [value for unit in units for value in unit]
    held = {value: values.count(value) for value in values}
    within = sum(
        distance(*pair, held) / (len(unit) - 1)
        for unit in units
        for pair in itertools.permutations(unit, 2)
    )
    chance = sum(distance(*pair, held) for pair in itertools.permutations(values, 2))
    return (
        None
        if not chance
        else 1 - (within / len(values)) / (chance / (len(values) * (len(values) - 1)))
    )


def test_the_example_as_printed():
    """Krippendorff (2011): nominal .743, ordinal .815, interval .849; ours is the ordinal one."""
    printed = {nominal: 0.743, ordinal: 0.815, interval: 0.849}
    for distance, value in printed.items():
        assert round(by_pairs(PRINTED, distance), 3) == value
    assert round(krippendorff(PRINTED), 3) == 0.815
    assert krippendorff(PRINTED) == pytest.approx(by_pairs(PRINTED, ordinal))


levels = st.sampled_from([*range(4), None])


@given(
    st.integers(1, 8).flatmap(
        lambda n: st.lists(st.lists(levels, min_size=n, max_size=n), min_size=1, max_size=5)
    )
)
def test_any_table_is_as_its_pairs_and_without_order(ratings):
    given_levels = [*range(4)]
    alpha, expected = krippendorff(ratings, given_levels), by_pairs(ratings, ordinal)
    assert (alpha is None) == (expected is None)
    if alpha is not None:
        assert alpha == pytest.approx(expected)
        assert alpha <= 1
    assert krippendorff(ratings[::-1], given_levels) == pytest.approx(alpha)
    assert krippendorff([row[::-1] for row in ratings], given_levels) == pytest.approx(alpha)
    turned = [[None if value is None else 3 - value for value in row] for row in ratings]
    assert krippendorff(turned, given_levels) == pytest.approx(alpha)


def test_a_level_that_nobody_gave_and_the_numbers_of_levels_are_nothing():
    """Ordinal distance comes from counts alone."""
    further = [[value and value**3 for value in row] for row in PRINTED]
    assert krippendorff(further) == pytest.approx(krippendorff(PRINTED))
    assert krippendorff(PRINTED, range(10)) == pytest.approx(krippendorff(PRINTED))


@pytest.mark.parametrize(
    "ratings",
    [[], [[]], [[1, 2, 3]], [[1, None], [None, 2]], [[2, 2], [2, 2]], [[None], [None]]],
)
def test_it_is_undefined_where_nothing_is_paired_or_nobody_varies(ratings):
    assert krippendorff(ratings) is None


def test_perfect_agreement_is_one_and_chance_is_zero():
    assert krippendorff([[1, 2, 3], [1, 2, 3]]) == 1
    generator = np.random.default_rng(3)
    alphas = [krippendorff(generator.integers(0, 4, (3, 200)).tolist()) for _ in range(40)]
    assert abs(np.mean(alphas)) < 0.02
    assert krippendorff([[1, 2], [2, 1]]) < 0


# --- with its interval


def counted(ratings):
    units = [[value for value in unit if value is not None] for unit in zip(*ratings, strict=True)]
    return np.array([[unit.count(level) for level in range(1, 6)] for unit in units], float)


def test_the_interval_comes_from_units_drawn_again():
    known = agreement(counted(PRINTED), seed=1)
    assert (known.units, known.ratings) == (11, 40)  # the last unit was rated once
    assert known.alpha.value == pytest.approx(krippendorff(PRINTED))
    generator, drawn = np.random.default_rng(9), []
    columns = [unit for unit in zip(*PRINTED, strict=True) if sum(map(bool, unit)) > 1]
    for _ in range(600):
        picked = [columns[at] for at in generator.integers(0, len(columns), len(columns))]
        drawn.append(krippendorff([*zip(*picked, strict=True)]))
    assert np.quantile(drawn, [0.025, 0.975]) == pytest.approx([*known.alpha[1:]], abs=0.05)
    assert agreement(counted(PRINTED), seed=1) == known


def test_the_interval_covers_the_alpha_of_a_large_population():
    """Simulated: 30 units of 3 assessors who miss the true level by one in a quarter of cases."""
    generator = np.random.default_rng(5)

    def sample(units):
        true = generator.integers(0, 4, units)
        missed = generator.choice([-1, 0, 0, 0, 0, 0, 0, 1], (3, units))
        return np.clip(true + missed, 0, 3)

    truth = krippendorff(sample(40_000).tolist())
    held = 0
    for seed in range(100):
        given_counts = (sample(30)[:, :, None] == np.arange(4)).sum(axis=0).astype(float)
        _, low, high = agreement(given_counts, seed).alpha
        held += low <= truth <= high
    assert 85 <= held <= 100


def test_few_units_have_no_interval_and_one_assessor_has_no_agreement():
    assert agreement(np.array([[1.0, 0, 0, 0]] * 9), 1) is None
    assert agreement(np.zeros((0, 4)), 1) is None
    few = agreement(np.array([[2.0, 0, 0, 0], [0, 1, 1, 0]]), 1)
    assert few.alpha.value is not None
    assert few.alpha.low is few.alpha.high is None
    same = agreement(np.array([[0.0, 2, 0, 0]] * 9), 1)
    assert same.alpha.value is None


def review(*said):
    rows = [
        {"capability": capability, "team": "Shop", "assessor": who, "date": date(2026, 9, 14)}
        | {"level": level}
        for capability, levels in said
        for who, level in enumerate(levels)
    ]
    rows = [{**row, "assessor": str(row["assessor"])} for row in rows]
    return review_practices(PracticeReview(practices="x", canvas=rows), date(2026, 10, 5))


def test_the_check_tells_each_case():
    spread = [(f"C{n}", (LEVELS[n % 4], LEVELS[n % 4])) for n in range(8)]
    assert review(*spread).check("agreement").status == "pass"
    opposed = [(f"C{n}", ("below", "best") if n % 2 else ("best", "below")) for n in range(12)]
    against = review(*opposed)
    assert against.check("agreement").status == "fail"
    assert against.conditions
    assert not against.broken
    middling = review(("A", ("good", "better")), ("B", ("best", "best")))
    assert middling.check("agreement").status in ("warn", "pass")
    alike = review(("A", ("good", "good"))).check("agreement")
    assert (alike.status, alike.detail.key) == ("warn", "practices.agreement_alike")
    alone = review(("A", ("good",))).check("agreement")
    assert (alone.status, alone.detail.key) == ("warn", "practices.agreement_none")
