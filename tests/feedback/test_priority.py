"""What first: every rank recomputed from the table alone, parts that are missing, bands that hold."""

import math

import numpy as np
import pandas as pd
import pytest

from opslab.feedback.contrasts import votes
from opslab.feedback.priority import BANDS, bands, rank

NORMAL_90 = 1.2815515655446004  # printed tables: the one-sided 90 % point


def study(seed=0, themes=7, messages=500):
    """Return the arguments of `rank` by name."""
    rng = np.random.default_rng(seed)
    theme = rng.choice(themes, messages, p=rng.dirichlet(np.ones(themes) * 3))
    inside = theme[:, None] == np.arange(themes)
    return {
        "inside": inside,
        "customers": [f"c{number}" for number in rng.integers(0, 300, messages)],
        "sources": rng.choice(["mail", "store"], messages).tolist(),
        "revenues": [None] * messages,
        "discontent": rng.choice([0, 0.25, 0.5, 1], messages).tolist(),
        "trend": pd.DataFrame(
            {"ratio": rng.uniform(0.3, 4, themes), "error": rng.uniform(0.1, 0.6, themes)}
        ),
        "ranked": [number != 2 for number in range(themes)],
    }


@pytest.mark.parametrize("seed", range(8))
def test_rank_and_band_are_recomputed_from_the_exported_table(seed, tmp_path):
    rank(**study(seed)).table.to_csv(tmp_path / "themes.csv", index=False)
    table = pd.read_csv(tmp_path / "themes.csv")
    table["again"] = table["weight"] * table["severity"] * table["trend"]
    assert table["again"].to_numpy() == pytest.approx(table["priority"].to_numpy())
    squares = table[["weight_error", "severity_error", "trend_error"]] ** 2
    assert (squares.sum(axis=1) ** 0.5).to_numpy() == pytest.approx(table["error"].to_numpy())
    listed = table[table["rank"].notna()].sort_values("again", ascending=False)
    assert listed["rank"].tolist() == list(range(1, len(listed) + 1))
    assert table.loc[table["rank"].isna(), ["theme", "band"]].isna().sum().tolist() == [0, 1]
    band, first = 1, listed.iloc[0]
    for row in listed.itertuples():
        distance = math.log(first["again"]) - math.log(row.again)
        if distance > NORMAL_90 * math.hypot(first["error"], row.error) and band < BANDS:
            band, first = band + 1, listed.loc[row.Index]
        assert row.band == band


def test_customers_count_once_however_much_they_write():
    inside = np.array([[True, False]] * 30 + [[False, True]] * 12)
    people = ["loud"] * 25 + [f"a{at}" for at in range(5)] + [f"b{at}" for at in range(12)]
    ranking = rank(inside, people, ["s"] * 42, [None] * 42, [None] * 42, pd.DataFrame(), [True] * 2)
    assert ranking.parts == ("customers",)
    assert ranking.table["weight"].tolist() == [6, 12]
    assert ranking.table["rank"].tolist() == [2, 1]
    assert ranking.table["weight_error"].tolist() == pytest.approx([6**-0.5, 12**-0.5])


def test_customers_known_in_some_sources_only_are_counted_in_none():
    arguments = study() | {"discontent": [None] * 500, "trend": pd.DataFrame()}
    sources = arguments["sources"]
    arguments["customers"] = [
        name if source == "mail" else None
        for name, source in zip(arguments["customers"], sources, strict=True)
    ]
    ranking = rank(**arguments)
    assert ranking.parts == ("messages",)
    assert ranking.table["weight"].tolist() == arguments["inside"].sum(axis=0).tolist()


def test_revenue_counts_once_a_customer_where_all_of_it_is_known():
    inside = np.array([[True, False]] * 5 + [[False, True]] * 3)
    people = ["a", "a", "b", "c", "d", "e", "e", "a"]
    money = [10, 10, 20, 30, 40, 500, 500, 10]
    arguments = (["s"] * 8, money, [None] * 8, pd.DataFrame(), [True, True])
    ranking = rank(inside, people, *arguments)
    assert ranking.parts == ("revenue",)
    assert ranking.table["weight"].tolist() == [100, 510]
    expected = math.sqrt(10**2 + 20**2 + 30**2 + 40**2) / 100
    assert ranking.table["weight_error"][0] == pytest.approx(expected)
    lacking = rank(inside, people, ["s"] * 8, [None, *money[1:4], None, *money[5:]], *arguments[2:])
    assert lacking.parts == ("customers",)


@pytest.mark.parametrize(
    ("missing", "parts"),
    [
        ({}, ("customers", "severity", "trend")),
        ({"discontent": [None] * 500}, ("customers", "trend")),
        ({"trend": pd.DataFrame()}, ("customers", "severity")),
        ({"customers": [None] * 500}, ("messages", "severity", "trend")),
    ],
)
def test_what_is_not_known_is_left_out_for_all_themes_alike(missing, parts):
    ranking = rank(**study() | missing)
    assert ranking.parts == parts
    for part in {"severity", "trend"} - set(parts):
        assert (ranking.table[part] == 1).all()
        assert (ranking.table[f"{part}_error"] == 0).all()


def test_a_theme_that_nobody_rated_has_the_usual_severity_and_a_larger_error():
    arguments = study()
    rated = [
        None if row[0] else value
        for row, value in zip(arguments["inside"], arguments["discontent"], strict=True)
    ]
    table = rank(**arguments | {"discontent": rated}).table
    pairs = list(zip(rated, votes(arguments["customers"]), strict=True))
    known, counted = zip(*(pair for pair in pairs if pair[0] is not None), strict=True)
    assert table["severity"][0] == pytest.approx(np.average(known, weights=counted))
    assert table["severity_error"][0] == table["severity_error"].max()


def test_content_and_falling_themes_keep_a_floor():
    arguments = study()
    arguments["trend"] = pd.DataFrame({"ratio": [0.01] * 7, "error": [0.05] * 7})
    table = rank(**arguments | {"discontent": [0.0] * 500}).table
    assert table["severity"].tolist() == [0.1] * 7
    assert table["trend"].tolist() == [0.5] * 7


def test_bands_are_contiguous_and_three():
    assert bands([], []) == []
    assert bands([5], [0.1]) == [1]
    assert bands([100, 50, 25, 12, 6], [0.01] * 5) == [1, 2, 3, 3, 3]
    assert bands([100, 99, 98, 97], [0.3] * 4) == [1, 1, 1, 1]


def test_the_truly_first_theme_is_in_the_first_band():
    rng, outside = np.random.default_rng(4), 0
    for _ in range(150):
        themes = 10
        part = np.exp(rng.normal(0, 0.3, themes))
        severity = rng.beta(3, 2, themes)
        theme = rng.choice(themes, 400, p=part / part.sum())
        inside = theme[:, None] == np.arange(themes)
        discontent = (rng.random(400) < severity[theme]).astype(float)
        nobody = [None] * 400
        table = rank(
            inside, nobody, ["s"] * 400, nobody, discontent, pd.DataFrame(), [True] * themes
        ).table
        outside += table["band"][int((part * severity).argmax())] != 1
    assert outside <= 15  # one in ten


def test_one_customer_who_writes_much_lifts_no_severity():
    inside = np.array([[True, False]] * 60 + [[False, True]] * 60 + [[True, False]] * 100)
    people = [f"c{at}" for at in range(120)] + ["loud"] * 100
    rated = [0.5] * 120 + [1.0] * 100
    nothing = [None] * 220
    table = rank(inside, people, ["s"] * 220, nothing, rated, pd.DataFrame(), [True] * 2).table
    assert table["weight"].tolist() == [61, 60]
    assert table["severity"][0] == pytest.approx(0.5, abs=0.02)
    assert table["band"].tolist() == [1, 1]
