"""Units: how many, which repeat, which stand in two arms, and the rows that have none."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opslab.experiments.units.unit_table import Units, count_units, without_leaked
from opslab.tables.reader import open_table


def counted(data, where="TRUE"):
    with open_table(data) as table:
        return count_units(table, "unit", "arm", where)


def frame(*rows):
    return pd.DataFrame(rows, columns=["unit", "arm", "day"])


def test_one_row_per_unit():
    assert counted(frame(("u", "a", 1), ("v", "b", 1), ("w", "a", 2))) == Units(units=3, rows=3)


def test_repeated_leaked_and_nameless_with_a_row_of_each():
    rows = [
        ("u", "a", 1),
        ("v", "b", 1),
        ("u", "a", 1),
        (None, "a", 1),
        ("v", "a", 1),
        ("w", "b", 1),
        ("u", "a", 2),
    ]
    assert counted(frame(*rows)) == Units(
        units=3,
        rows=7,
        repeated=1,
        repeated_row=7,
        leaked=1,
        leaked_row=5,
        leaked_first={"b": 1},
        nameless=1,
        nameless_row=4,
    )
    assert counted(frame(*rows), "day = 1") == Units(
        units=3,
        rows=6,
        repeated=1,
        repeated_row=3,
        leaked=1,
        leaked_row=5,
        leaked_first={"b": 1},
        nameless=1,
        nameless_row=4,
    )
    assert counted(frame(*rows), "day = 2") == Units(units=1, rows=1)
    assert counted(frame(*rows), "day = 3") == Units(units=0, rows=0)


@pytest.mark.parametrize("kind", ["text", "number", "float", "category"])
def test_units_of_every_kind(kind, tmp_path):
    units = pd.Series([1, 2, 2, 3])
    units = {
        "text": units.map("u{}".format),
        "number": units,
        "float": units + 0.5,
        "category": units.astype("category"),
    }[kind]
    data = pd.DataFrame({"unit": units, "arm": ["a", "a", "b", "b"]})
    data.to_csv(tmp_path / "t.csv", index=False)
    data.to_parquet(tmp_path / "t.parquet")
    for given_data in (data, tmp_path / "t.csv", tmp_path / "t.parquet", pl.from_pandas(data)):
        header = str(given_data).endswith(".csv")  # a line of the file
        assert counted(given_data) == Units(
            units=3, rows=4, leaked=1, leaked_row=3 + header, leaked_first={"a": 1}
        )


@settings(deadline=None, max_examples=15)
@given(
    st.lists(
        st.tuples(st.integers(0, 12) | st.none(), st.sampled_from("abc")), min_size=1, max_size=40
    )
)
def test_counts_equal_those_of_pandas(rows):
    data = pd.DataFrame(rows, columns=["unit", "arm"]).astype({"unit": "Int64"})
    found = counted(data)
    named = data.dropna()
    sizes, arms = named.groupby("unit").size(), named.groupby("unit").arm.nunique()
    assert (found.units, found.rows, found.nameless) == (
        len(sizes),
        len(data),
        len(data) - len(named),
    )
    assert found.leaked == (arms > 1).sum()
    first = named[named.unit.isin(arms.index[arms > 1])].drop_duplicates("unit").arm.value_counts()
    assert found.leaked_first == first.to_dict()
    assert found.repeated == ((sizes > 1) & (arms == 1)).sum()
    with open_table(data) as table:
        kept = without_leaked(table, "unit", "arm")
        ((rows_kept,),) = table.fetch(
            f"SELECT count(*) FROM {table.relation} WHERE {kept} AND unit IS NOT NULL"
        )
    assert rows_kept == named.unit.map(arms <= 1).sum()


def test_units_leaked_outside_the_period_stay():
    data = frame(("u", "a", 1), ("u", "b", 2), ("v", "b", 1), ("w", "a", 1), ("w", "b", 1))
    with open_table(data) as table:
        kept = without_leaked(table, "unit", "arm", "day = 1")
        found = table.fetch(f"SELECT unit, arm FROM {table.relation} WHERE {kept} ORDER BY unit")
    assert found == [("u", "a"), ("v", "b")]


def test_many_units(tmp_path):
    random = np.random.default_rng(1)
    units = random.permutation(200_000)
    units[1_000] = units[2_000]
    data = pd.DataFrame({"unit": units, "arm": np.where(np.arange(200_000) == 2_000, "b", "a")})
    data.to_parquet(tmp_path / "t.parquet")
    assert counted(tmp_path / "t.parquet") == Units(
        units=199_999, rows=200_000, leaked=1, leaked_row=2_001, leaked_first={"a": 1}
    )


def test_a_moment_tells_in_which_arm_a_leaked_unit_came_first():
    data = frame(("u", "a", 2), ("v", "b", 1), ("u", "b", 1), ("v", "a", 1), ("w", "a", 1))
    with open_table(data) as table:
        by_file, by_day = (
            count_units(table, "unit", "arm", moment=moment) for moment in (None, "day")
        )
    assert (by_file.leaked_first, by_day.leaked_first) == ({"a": 1, "b": 1}, {"b": 2})
