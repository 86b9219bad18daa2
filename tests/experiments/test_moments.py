"""Moments against numpy, their merging, their digits, what counts as empty, and that they repeat."""

import doctest
import math
from decimal import Decimal
from fractions import Fraction

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from conftest import first_quickly
from opslab.errors import DataError
from opslab.experiments.moments import arm_moments as moments
from opslab.experiments.moments.arm_moments import Moments, merge
from opslab.experiments.moments.collection import collect_by
from opslab.experiments.moments.columns import Column
from opslab.tables import source
from opslab.tables.reader import open_table

quick = settings(deadline=None, max_examples=60)


def collected(data, *columns, where="TRUE"):
    with open_table(data) as table:
        return collect_by(table, "arm", columns, where).whole


def of_values(values):
    values = np.asarray(values, dtype=float)
    if not len(values):
        return Moments(0, 0.0, 0.0)
    return Moments(len(values), float(values.mean()), float(((values - values.mean()) ** 2).sum()))


def exact_variance(values):
    """Return the sample variance of floats without any rounding."""
    exact = [Fraction(float(value)) for value in values]
    mean = sum(exact) / len(exact)
    return float(sum((value - mean) ** 2 for value in exact) / (len(exact) - 1))


def parquet(path, **columns):
    pq.write_table(pa.table(columns), path)
    return path


def test_examples_run():
    assert doctest.testmod(moments).failed == 0


@pytest.mark.parametrize("seed", range(3))
def test_collect_equals_numpy(seed, tmp_path):
    random = np.random.default_rng(seed)
    n = int(random.integers(50, 3_000))
    frame = pd.DataFrame(
        {
            "arm": random.choice(["a", "b", "c"], n),
            "x": random.lognormal(3, 1.5, n),
            "y": random.normal(-40, 0.001, n),
            "count": random.integers(-5, 900, n).astype("int32"),
            "wide": random.integers(10**12, 10**12 + 50, n),
            "hit": random.integers(0, 2, n).astype("int32"),
        }
    )
    columns = [
        Column("x"),
        Column("y"),
        Column("count"),
        Column("wide"),
        Column("hit", binary=True),
    ]
    path = tmp_path / "t.parquet"
    frame.to_parquet(path)
    for data in (frame, path):
        found = collected(data, *columns)
        assert list(found) == sorted(set(frame.arm))
        for label, part in frame.groupby("arm"):
            assert found[label].rows == len(part)
            for column in columns:
                one = found[label].moments[column]
                assert one.n == len(part)
                assert one.mean == pytest.approx(part[column.name].mean(), rel=1e-13)
                assert one.variance == pytest.approx(exact_variance(part[column.name]), rel=1e-11)


@quick
@given(
    st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=2, max_size=60),
    st.integers(0, 60),
)
def test_merging_the_parts_gives_the_whole(values, cut):
    first, second = values[:cut], values[cut:]
    whole, merged = of_values(values), merge(of_values(first), of_values(second))
    size = max(abs(value) for value in values)
    assert merged.n == whole.n
    assert merged.mean == pytest.approx(whole.mean, rel=1e-12, abs=1e-12 * size)
    assert merged.squares == pytest.approx(whole.squares, rel=1e-12, abs=1e-12 * size**2)


@quick
@given(st.lists(st.lists(st.floats(-1e4, 1e4), max_size=15), min_size=3, max_size=3))
def test_merging_is_associative_and_commutative(parts):
    a, b, c = map(of_values, parts)
    assume(a.n + b.n + c.n > 0)
    size = max(abs(value) for part in parts for value in part) or 1.0
    left, right, turned = merge(merge(a, b), c), merge(a, merge(b, c)), merge(c, merge(b, a))
    for other in (right, turned):
        assert other.n == left.n
        assert other.mean == pytest.approx(left.mean, rel=1e-12, abs=1e-12 * size)
        assert other.squares == pytest.approx(left.squares, rel=1e-11, abs=1e-11 * size**2)


def test_an_empty_part_changes_nothing():
    some = Moments(3, 2.0, 8.0)
    assert merge(some, Moments(0, 0.0, 0.0)) == some == merge(Moments(0, 0.0, 0.0), some)


@pytest.mark.parametrize("mean", [0.0, 1e6, 1e9, -1e9])
def test_a_large_mean_keeps_the_digits_of_the_variance(mean, tmp_path):
    values = np.random.default_rng(7).normal(mean, 1, 30_000)
    arms = ["a", "b"] * 15_000
    expected = exact_variance(values[::2])
    path = parquet(tmp_path / "t.parquet", arm=arms, x=values)
    for data in (path, pd.DataFrame({"arm": arms, "x": values})):
        found = collected(data, Column("x"))["a"].moments[Column("x")]
        assert found.variance == pytest.approx(expected, rel=1e-12)
    naive = (np.sum(values[::2] ** 2) - np.sum(values[::2]) ** 2 / 15_000) / 14_999
    assert mean == 0 or abs(naive / expected - 1) > 1e-9  # what the sums without a shift would say


def test_first_rows_unlike_the_others_cost_no_digits(tmp_path):
    values = np.concatenate([np.zeros(10_000), np.random.default_rng(3).normal(1e9, 1, 40_000)])
    arms = ["early"] * 10_000 + ["a", "b"] * 20_000
    found = collected(parquet(tmp_path / "t.parquet", arm=arms, x=values), Column("x"))
    for place, arm in enumerate("ab"):
        one = found[arm].moments[Column("x")]
        assert one.n == 20_000
        assert one.variance == pytest.approx(exact_variance(values[10_000 + place :: 2]), rel=1e-11)
    assert found["early"].moments[Column("x")] == Moments(10_000, 0.0, 0.0)


def test_first_rows_unlike_the_others_in_rows_without_an_arm():
    frame = pd.DataFrame(
        {"arm": ["a"] * 10_000 + [None] * 3, "x": [0.0] * 10_000 + [1e9, 1e9 + 1, 1e9 + 2]}
    )
    assert collected(frame, Column("x"))[None].moments[Column("x")] == Moments(3, 1e9 + 1, 2.0)


@pytest.mark.parametrize("value", [0.0, 0.1, -1 / 3, 1e9 + 0.1, 1e-9])
@pytest.mark.parametrize("others", [None, 0.7, -1e6])
def test_a_constant_has_no_variance(value, others, tmp_path):
    """Also where the other arm holds a constant far away, and the shift lies between the two."""
    n = 60_000
    values = np.full(n, value)
    values[1::2] = value if others is None else others
    found = collected(
        parquet(tmp_path / "t.parquet", arm=["a", "b"] * (n // 2), x=values), Column("x")
    )
    for arm in "ab":
        assert found[arm].moments[Column("x")].variance == 0
    assert found["a"].moments[Column("x")].mean == pytest.approx(value, rel=1e-13)


def test_small_variation_is_not_taken_for_none():
    values = 1e6 + np.array([0.0, 1e-6] * 50)
    found = collected(pd.DataFrame({"arm": "a", "x": values}), Column("x"))
    assert found["a"].moments[Column("x")].variance == pytest.approx(
        exact_variance(values), rel=1e-6
    )


def test_empty_values_are_left_out_or_count_as_zero():
    frame = pd.DataFrame(
        {"arm": ["a"] * 5 + ["b"] * 2, "x": [1.0, None, 3.0, None, 5.0, None, 4.0]}
    )
    drop, zero = Column("x"), Column("x", zero_for_missing=True)
    found = collected(frame, drop, zero)
    assert found["a"].missing == {drop: 2, zero: 2}
    assert found["b"].missing == {drop: 1, zero: 1}
    assert found["a"].moments[drop] == Moments(3, 3.0, 8.0)
    assert found["a"].moments[zero].n == 5
    assert found["a"].moments[zero].mean == pytest.approx(1.8)
    assert found["a"].moments[zero].variance == pytest.approx(np.var([1, 0, 3, 0, 5], ddof=1))
    assert found["b"].moments[zero].mean == 2


def test_empty_values_of_whole_numbers_and_of_true_and_false(tmp_path):
    path = parquet(
        tmp_path / "t.parquet",
        arm=["a"] * 4,
        count=pa.array([4, None, 2, None], pa.int16()),
        hit=pa.array([True, None, False, True]),
    )
    drop, zero = Column("count"), Column("count", zero_for_missing=True)
    hit, hit_zero = Column("hit", binary=True), Column("hit", zero_for_missing=True, binary=True)
    (found,) = collected(path, drop, zero, hit, hit_zero).values()
    assert found.moments[drop] == Moments(2, 3.0, 2.0)
    assert found.moments[zero] == Moments(4, 1.5, 11.0)
    assert found.moments[hit].mean == 2 / 3
    assert found.moments[hit_zero].mean == 1 / 2
    assert set(found.missing.values()) == {2, 1}


@pytest.mark.parametrize("binary", [True, False])
def test_nan_counts_as_empty(binary, tmp_path):
    path = parquet(tmp_path / "t.parquet", arm=["a"] * 4, x=[1.0, math.nan, 0.0, None])
    zero = Column("x", zero_for_missing=True, binary=binary)
    drop = Column("x", binary=binary)
    (found,) = collected(path, drop, zero).values()
    assert found.missing == {drop: 2, zero: 2}
    assert (found.moments[drop].n, found.moments[drop].mean) == (2, 0.5)
    assert (found.moments[zero].n, found.moments[zero].mean) == (4, 0.25)


def test_a_column_without_any_value_has_no_mean():
    frame = pd.DataFrame(
        {"arm": ["a", "b"], "x": pd.array([None, None], dtype="Float64"), "y": [1, 2]}
    )
    (first, _) = collected(frame, Column("x"), Column("y")).values()
    assert first.moments[Column("x")] == Moments(0, 0.0, 0.0)
    assert first.missing[Column("x")] == 1


VALUES = [3, 1, 4, 1, 5, 9]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([f" {value} " for value in VALUES]),
        pa.array(VALUES, pa.uint8()),
        pa.array(VALUES, pa.int64()),
        pa.array(VALUES, pa.uint64()),
        pa.array([Decimal(value) for value in VALUES], pa.decimal128(12, 3)),
        pa.array(VALUES, pa.float32()),
        pa.array([str(value) for value in VALUES]).dictionary_encode(),
    ],
    ids=["text", "uint8", "int64", "uint64", "decimal", "float32", "dictionary"],
)
def test_numbers_of_every_kind_are_the_same_numbers(column, tmp_path):
    expected = of_values(VALUES)
    table = pa.table({"arm": ["a"] * 6, "x": column})
    path = tmp_path / "t.parquet"
    pq.write_table(table, path)
    for data in (table, path, pl.from_arrow(table)):
        found = collected(data, Column("x"))["a"].moments[Column("x")]
        assert (found.n, found.mean) == (6, pytest.approx(expected.mean, rel=1e-15))
        assert found.squares == pytest.approx(expected.squares, rel=1e-14)


def test_huge_integers_categories_and_csv_text(tmp_path):
    path = tmp_path / "t.parquet"
    duckdb.sql(
        "SELECT 'a' AS arm, CAST(unnest([3, 1, 4, 1, 5, 9]) AS HUGEINT) + CAST(10 AS HUGEINT) ** 20 AS x"
    ).write_parquet(str(path))
    assert collected(path, Column("x"))["a"].moments[Column("x")].mean == pytest.approx(1e20)
    frame = pd.DataFrame(
        {"arm": pd.Categorical(["a"] * 6), "x": pd.Categorical([str(v) for v in VALUES])}
    )
    assert collected(frame, Column("x"))["a"].moments[Column("x")].mean == pytest.approx(23 / 6)
    csv = tmp_path / "t.csv"
    csv.write_text(
        "arm,x,hit\n" + "".join(f"a,{v},{'true' if v > 3 else 'FALSE'}\n" for v in VALUES)
    )
    hit = Column("hit", binary=True)
    found = collected(csv, Column("x"), hit)["a"].moments
    assert found[Column("x")].mean == pytest.approx(23 / 6)
    assert found[hit].mean == 1 / 2


@pytest.mark.parametrize("kind", ["int32", "int64", "float64", "str"])
def test_a_binary_column_takes_0_and_1_and_nothing_else(kind):
    good = pd.DataFrame({"arm": ["a"] * 4, "x": np.array([0, 1, 1, 0]).astype(kind)})
    assert (
        collected(good, Column("x", binary=True))["a"].moments[Column("x", binary=True)].mean == 0.5
    )
    for wrong in ([0, 2, 1, 0], [-1, 1, 1, 0], [0, 2, 0, 0]):
        with pytest.raises(DataError) as told:
            collected(good.assign(x=np.array(wrong).astype(kind)), Column("x", binary=True))
        (problem,) = told.value.problems
        assert (problem.key, dict(problem.values)["count"]) == ("experiments.not_binary", 1)


def test_a_half_and_a_one_and_a_half_do_not_hide_each_other():
    wrong = pd.DataFrame(
        {"arm": "a", "x": [0.5, (1 + math.sqrt(2)) / 2, 1.0, 0.0]}
    )  # sum of x equals that of x^2
    with pytest.raises(DataError) as told:
        collected(wrong, Column("x", binary=True))
    (problem,) = told.value.problems
    assert dict(problem.values) == {"row": 1, "value": "0.5", "count": 2}


def test_big_sums_neither_overflow_nor_end_in_infinity(tmp_path):
    big = [2**31 - 1, -(2**31), 2**31 - 1, 2**31 - 1]
    path = parquet(
        tmp_path / "t.parquet",
        arm=["a"] * 4,
        x=pa.array(big, pa.int32()),
        y=[1e40, 3e40, 0.0, 4e40],
    )
    found = collected(path, Column("x"), Column("y"))["a"].moments
    assert found[Column("x")].variance == pytest.approx(exact_variance(big), rel=1e-15)
    assert found[Column("y")].variance == pytest.approx(
        exact_variance([1e40, 3e40, 0.0, 4e40]), rel=1e-12
    )


@pytest.mark.parametrize("value", [1e200, -1e170])
def test_what_would_overflow_is_refused_with_its_row(value):
    frame = pd.DataFrame({"arm": "a", "x": [1.0, value, 3.0]})
    with pytest.raises(DataError) as told:
        collected(frame, Column("x"))
    (problem,) = told.value.problems
    assert (problem.key, dict(problem.values)["row"]) == ("experiments.too_large", 2)


COLUMNS = (
    Column("x"),
    Column("orders"),
    Column("hit", binary=True),
    Column("gap", zero_for_missing=True),
)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """Return a Parquet file of seven row groups, and its rows as a frame."""
    random = np.random.default_rng(11)
    n = 120_000
    frame = pd.DataFrame(
        {
            "arm": random.choice(["a", "b"], n),
            "x": random.lognormal(0, 2, n),
            "orders": random.integers(0, 9, n).astype("int32"),
            "hit": (random.random(n) < 0.2).astype("int64"),
            "gap": np.where(random.random(n) < 0.3, np.nan, random.normal(5, 2, n)),
        }
    )
    path = tmp_path_factory.mktemp("large") / "large.parquet"
    pq.write_table(pa.Table.from_pandas(frame), path, row_group_size=20_480)
    return path, frame


@pytest.mark.parametrize("kind", first_quickly("parquet", "pandas", "csv"))
def test_the_same_bits_at_any_thread_count(large, kind, tmp_path, monkeypatch):
    path, frame = large
    data = {"parquet": path, "pandas": frame}.get(kind)
    if data is None:
        data = tmp_path / "large.csv"
        frame.head(40_000).to_csv(data, index=False)
    monkeypatch.setattr(source, "_SLICE_ROWS", 15_000)
    found = []
    for threads in ("1", "2", "4", "4"):
        monkeypatch.setenv("OPSLAB_THREADS", threads)
        found.append(collected(data, *COLUMNS))
    assert all(other == found[0] for other in found[1:])


def test_the_size_of_a_slice_hardly_matters(large, monkeypatch):
    path, frame = large
    whole = collected(path, *COLUMNS)
    for rows in (1_000_000, 40_960, 25_001):
        monkeypatch.setattr(source, "_SLICE_ROWS", rows)
        for data in (path, frame):
            found = collected(data, *COLUMNS)
            for arm in "ab":
                assert found[arm].rows == whole[arm].rows
                assert found[arm].missing == whole[arm].missing
                for column in COLUMNS:
                    one, other = found[arm].moments[column], whole[arm].moments[column]
                    assert one.n == other.n
                    assert one.mean == pytest.approx(other.mean, rel=1e-9)
                    assert one.variance == pytest.approx(other.variance, rel=1e-9)


def test_rows_outside_the_condition_count_nowhere():
    frame = pd.DataFrame(
        {"arm": ["a", "a", "b", "b"], "x": [1.0, 100.0, 2.0, 4.0], "day": [1, 2, 1, 1]}
    )
    found = collected(frame, Column("x"), where="day = 1")
    assert [(arm.rows, arm.moments[Column("x")].mean) for arm in found.values()] == [
        (1, 1.0),
        (2, 3.0),
    ]
