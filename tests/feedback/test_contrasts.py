"""For whom: intervals and p-values against statsmodels and scipy, sources, repeated writers, errors."""

import numpy as np
import pytest
from scipy.stats import binom, false_discovery_control
from statsmodels.stats.contingency_tables import StratifiedTable
from statsmodels.stats.proportion import confint_proportions_2indep

from opslab.feedback.contrasts import balance, compare, contrasts, p_values, votes


def messages(*cells):
    """Return theme, trait, source of messages from (source, value, in the theme, outside)."""
    theme, trait, sources = [], [], []
    for source, value, yes, no in cells:
        theme += [True] * yes + [False] * no
        trait += [value] * (yes + no)
        sources += [source] * (yes + no)
    return np.array(theme)[:, None], {"plan": trait}, sources, [None] * len(theme)


@pytest.mark.parametrize(
    "counts", [(9, 21, 12, 88), (0, 25, 30, 70), (40, 0, 3, 60), (5, 60, 7, 80)]
)
def test_one_source_is_newcombes_interval(counts):
    yes, no, other_yes, other_no = counts
    rows = contrasts(*messages(("mail", "a", yes, no), ("mail", "b", other_yes, other_no)))
    a, b = rows.to_dict("records")
    expected = confint_proportions_2indep(
        yes, yes + no, other_yes, other_yes + other_no, method="newcomb"
    )
    assert (a["low"], a["high"]) == pytest.approx(expected)
    assert (b["low"], b["high"]) == pytest.approx([-expected[1], -expected[0]])
    assert (a["messages"], a["of"], a["share"]) == (yes, yes + no, pytest.approx(yes / (yes + no)))


def test_p_values_are_binomial_mid_p():
    inside = np.array([True] * 12 + [False] * 28)[:, None]
    group = np.array([True] * 9 + [False] * 3 + [True] * 11 + [False] * 17)
    weights, part = balance(group, ["mail"] * 40, np.ones(40))
    (p_value,) = p_values(inside, weights, part, np.ones(40))
    assert p_value == pytest.approx(2 * (binom.sf(9, 12, 0.5) + binom.pmf(9, 12, 0.5) / 2))


def test_large_sources_agree_with_mantel_and_haenszel():
    cells = [("x", "a", 60, 640), ("x", "b", 90, 1310), ("y", "a", 45, 255), ("y", "b", 80, 720)]
    rows = contrasts(*messages(*cells)).set_index("value")
    tables = [np.array([[60, 640], [90, 1310]]), np.array([[45, 255], [80, 720]])]
    reference = StratifiedTable([table.astype(float) for table in tables]).test_null_odds()
    assert reference.pvalue < rows.loc["a", "q"] < 2 * reference.pvalue  # the cautious side
    x, y = 700 * 1400 / 2100, 300 * 800 / 1100  # Mantel and Haenszel's weights
    expected = (x * (60 / 700 - 90 / 1400) + y * (45 / 300 - 80 / 800)) / (x + y)
    assert rows.loc["a", "difference"] == pytest.approx(expected)


def test_what_differs_between_sources_is_no_difference_between_plans():
    """Simpson: the survey speaks of the theme twice as often, and team is mostly in the survey."""
    cells = [
        ("x", "team", 10, 90),
        ("x", "solo", 90, 810),
        ("y", "team", 360, 540),
        ("y", "solo", 40, 60),
    ]
    rows = contrasts(*messages(*cells))
    assert rows["difference"].abs().max() < 1e-9
    assert (rows["q"] > 0.9).all()
    pooled = contrasts(*messages(*[("all", *cell[1:]) for cell in cells]))
    assert (pooled["q"] < 1e-6).all()


def test_a_source_with_one_side_only_takes_no_part():
    cells = [("x", "a", 20, 40), ("x", "b", 10, 50)]
    alone, beside = messages(*cells), messages(*cells, ("y", "a", 300, 0))
    assert contrasts(*alone).equals(contrasts(*beside))


def test_sources_are_compared_with_one_another():
    theme, _, sources, nobody = messages(("x", None, 30, 30), ("y", None, 5, 55))
    rows = contrasts(theme, {"source": sources}, sources, nobody)
    assert rows["value"].tolist() == ["x", "y"]
    assert rows["difference"].tolist() == pytest.approx([25 / 60, -25 / 60])


def test_few_customers_and_unknown_values_are_not_compared():
    theme, traits, sources, nobody = messages(("x", "a", 10, 9), ("x", "b", 20, 50))
    assert contrasts(theme, traits, sources, nobody).empty
    assert contrasts(theme, {"plan": [None] * 89}, sources, nobody).empty
    assert contrasts(theme, {}, sources, nobody).empty
    # Forty messages of four people are four voices.
    theme, traits, sources, _ = messages(("x", "a", 30, 10), ("x", "b", 20, 50))
    people = [f"c{at % 4}" for at in range(40)] + [f"d{at}" for at in range(70)]
    assert contrasts(theme, traits, sources, people).empty


def test_a_customer_counts_once():
    theme, traits, sources, _ = messages(("x", "a", 30, 30), ("x", "b", 20, 60))
    single = [f"c{at}" for at in range(140)]
    again = [*single, *["c0"] * 50]  # c0 stays with the theme
    rows = contrasts(theme, traits, sources, single)
    more = contrasts(
        np.vstack([theme, np.ones((50, 1), bool)]),
        {"plan": traits["plan"] + ["a"] * 50},
        sources + ["x"] * 50,
        again,
    )
    numbers = ["share", "elsewhere", "low", "high", "q"]
    np.testing.assert_allclose(more[numbers], rows[numbers], atol=1e-9)
    assert votes(again).sum() == pytest.approx(140)


def test_a_theme_that_nobody_speaks_of_is_no_discovery():
    theme, traits, sources, nobody = messages(("x", "a", 0, 40), ("x", "b", 0, 60))
    assert contrasts(theme, traits, sources, nobody)["q"].tolist() == [1, 1]


def test_all_rows_share_one_adjustment():
    rng = np.random.default_rng(5)
    inside = rng.random((300, 6)) < 0.2
    traits = {name: rng.choice(["a", "b", "c"], 300).tolist() for name in ("plan", "country")}
    rows = contrasts(inside, traits, ["x"] * 300, [None] * 300)
    each = []
    for row in rows.itertuples():
        group = np.array(traits[row.trait]) == row.value
        each.append(compare(inside, group, ["x"] * 300, np.ones(300))["q"][int(row.theme)])
    assert rows["q"].tolist() == pytest.approx(false_discovery_control(each).tolist())


def test_order_of_messages_plays_no_part():
    theme, traits, sources, nobody = messages(
        ("x", "a", 12, 28), ("y", "b", 9, 41), ("y", "a", 3, 20), ("x", "b", 8, 30)
    )
    order = np.random.default_rng(1).permutation(len(sources))
    shuffled = contrasts(
        theme[order],
        {"plan": [traits["plan"][at] for at in order]},
        [sources[at] for at in order],
        nobody,
    )
    np.testing.assert_allclose(
        shuffled.select_dtypes("number"),
        contrasts(theme, traits, sources, nobody).select_dtypes("number"),
    )


def test_writers_of_several_messages_make_no_discoveries():
    """Each writes on a favourite theme; taking messages for independent finds something each time."""
    rng, discoveries, naive = np.random.default_rng(7), 0, 0
    for _ in range(60):
        people = 120
        favourite, plan = rng.integers(0, 8, people), rng.choice(["a", "b", "c"], people)
        writer = np.repeat(np.arange(people), rng.integers(1, 12, people))
        theme = np.where(
            rng.random(len(writer)) < 0.6, favourite[writer], rng.integers(0, 8, len(writer))
        )
        inside, traits = theme[:, None] == np.arange(8), {"plan": plan[writer].tolist()}
        names = [f"c{at}" for at in writer]
        discoveries += (contrasts(inside, traits, ["x"] * len(writer), names)["q"] < 0.05).any()
        naive += (
            contrasts(inside, traits, ["x"] * len(writer), [None] * len(writer))["q"] < 0.05
        ).any()
    assert discoveries <= 6  # of 60 at .05: more than 6 would be beyond the 95 % of a binomial
    assert naive > 40


def test_interval_and_p_value_agree_where_sources_are_lopsided():
    """A source with nearly all its messages on one side weighs little, in both."""
    rng = np.random.default_rng(9)
    contrary = rows_seen = 0
    for _ in range(40):
        source = rng.choice(["x", "y"], 800)
        segment = np.where(rng.random(800) < np.where(source == "x", 0.5, 0.97), "a", "b")
        theme = rng.integers(0, 6, 800)
        rows = contrasts(theme[:, None] == np.arange(6), {"segment": segment}, source, [None] * 800)
        outside = (rows["low"] > 0) | (rows["high"] < 0)
        contrary += (outside.groupby(rows["value"]).any() != outside.any()).any() + (
            (rows["q"] < 0.05) & ~outside
        ).any()
        rows_seen += len(rows)
    assert rows_seen == 40 * 12
    assert contrary == 0
