"""The order: chances against closed forms and brute force, agreement against printed values, refusals."""

import itertools
import math
import re

import numpy as np
import pytest
from scipy import stats

from conftest import ROOT
from opslab import operations
from opslab.errors import DataError, InputError, SpecError
from opslab.operations.prioritisation import ranking
from opslab.operations.prioritisation.agreement import stability
from opslab.operations.prioritisation.score import mean_inverse
from opslab.operations.prioritisation.spec import RatedSheet
from opslab.uncertainty import distributions
from opslab.uncertainty.words import describe

Z95 = stats.norm.ppf(0.95)
HEAD = "item,reach_low,reach_high,impact,effort"
FRENCH = ROOT.parents[0] / "shared" / "data" / "ops" / "formats" / "rice_backlog_fr.csv"


def backlog(folder, *sheets, **given):
    """Return a backlog of sheets, each a text or its lines below the usual heading."""
    files = []
    for number, sheet in enumerate(sheets):
        text = sheet if isinstance(sheet, str) else "\n".join([HEAD, *sheet])
        path = folder / f"sheet{number}.csv"
        path.write_text(text + "\n", encoding="utf-8")
        files.append(RatedSheet(path=str(path), rater="abc"[number], decimal="point"))
    given = {"reach": "customers a quarter", "date": "2026-10-12"} | given
    return operations.Backlog(prioritisation="list", data=tuple(files), **given)


def lognormals(*pairs):
    """Return rows of items whose score is lognormal with a median and a sigma."""
    for at, (median, sigma) in enumerate(pairs):
        low, high = (median * math.exp(sign * Z95 * sigma) for sign in (-1, 1))
        yield f"item {at},{low!r},{high!r},1,1"


def test_a_score_is_intercoms():
    """McBride 2018: reach x impact x confidence / effort."""
    assert operations.rice(500, 3, 1, 2) == 750
    assert operations.rice(np.array([500, 1000]), 2, 0.8, 4).tolist() == [200, 400]


def test_the_first_of_two_has_the_chance_of_its_closed_form(tmp_path):
    """P(X > Y) of two lognormals is Phi((mu - nu) / sqrt(s^2 + t^2))."""
    pairs = [(100, 0.5), (80, 0.3)]
    result = operations.prioritise(backlog(tmp_path, [*lognormals(*pairs)], top=1), draws=100_000)
    wanted = stats.norm.cdf(math.log(100 / 80) / math.hypot(0.5, 0.3))
    assert result.standings[0].first == pytest.approx(wanted, abs=0.005)
    assert result.standings[0].top == result.standings[0].first
    assert result.standings[0].rice == pytest.approx(100 * math.exp(0.5**2 / 2))
    low, high = (100 * math.exp(sign * Z95 * 0.5) for sign in (-1, 1))
    assert result.standings[0].rice_low == pytest.approx(low, rel=0.02)
    assert result.standings[0].rice_high == pytest.approx(high, rel=0.02)


def test_the_best_of_three_has_the_chance_of_its_closed_form(tmp_path):
    """P(X above Y and Z) is a bivariate normal's, of X - Y and X - Z (scipy)."""
    pairs = [(100, 0.5), (90, 0.4), (70, 0.6)]
    result = operations.prioritise(backlog(tmp_path, [*lognormals(*pairs)], top=2), draws=100_000)
    chances = {place.item: place for place in result.standings}
    mu, var = [math.log(median) for median, _ in pairs], [sigma**2 for _, sigma in pairs]
    for at in range(3):
        b, c = (other for other in range(3) if other != at)
        spread = [[var[at] + var[b], var[at]], [var[at], var[at] + var[c]]]
        gaps = [mu[at] - mu[b], mu[at] - mu[c]]
        first = stats.multivariate_normal([0, 0], spread).cdf(gaps)
        last = stats.multivariate_normal([0, 0], spread).cdf([-gap for gap in gaps])
        assert chances[f"item {at}"].first == pytest.approx(first, abs=0.006)
        assert chances[f"item {at}"].top == pytest.approx(1 - last, abs=0.006)


def test_six_items_have_the_chances_of_brute_force():
    """All orders of six items with few values each, every combination counted."""
    values = [[1, 8], [2, 7], [3, 6], [0, 9], [4, 5], [2.5, 6.5]]
    every = np.array([*itertools.product(*values)]).T
    factors = np.stack([every, np.ones_like(every), np.ones_like(every), np.ones_like(every)])
    columns = [*ranking.placed(every, factors, every.mean(axis=1), 3)]
    firsts, tops, places = columns[3], columns[4], columns[5]
    for at in range(6):
        ranks = [sorted(draw, reverse=True).index(draw[at]) + 1 for draw in every.T.tolist()]
        assert firsts[at] == np.mean([rank == 1 for rank in ranks])
        assert tops[at] == np.mean([rank <= 3 for rank in ranks])
        assert places[at] == np.mean(ranks)


def test_knowing_a_factor_is_worth_its_closed_form(tmp_path):
    """E[max(X - t, 0)] of a lognormal is Black's formula (1976), less what one has already."""
    pairs = [(100, 0.5), (80, 0.0001)]
    result = operations.prioritise(backlog(tmp_path, [*lognormals(*pairs)], top=1), draws=100_000)
    mean, line = 100 * math.exp(0.125), 80
    d = (math.log(mean / line) + 0.125) / 0.5
    call = mean * stats.norm.cdf(d) - line * stats.norm.cdf(d - 0.5)
    place = result.standings[0]
    assert place.know_reach == pytest.approx((call - (mean - line)) / mean, rel=0.03)
    assert place.know_impact == pytest.approx(0, abs=1e-9)
    assert place.crossing == pytest.approx(line / mean, rel=0.01)
    assert result.lesson[1:] == ("reach", "item 0")
    assert result.action == "find"


def test_agreement_has_the_printed_values():
    """Siegel 1956, p. 231: three interviewers, six applicants, rank sums 8, 14, 11, 11, 11, 8."""
    judges = [[1, 6, 3, 2, 5, 4], [1, 5, 6, 4, 2, 3], [6, 3, 2, 5, 4, 1]]
    assert np.sum(judges, axis=0).tolist() == [8, 14, 11, 11, 11, 8]
    assert operations.kendall_w(judges) == pytest.approx(0.16, abs=0.005)
    tied = [[1, 2.5, 2.5, 4], [1, 2, 3.5, 3.5], [2, 2, 2, 4]]
    ranks = np.array([stats.rankdata(row) for row in tied])
    chi = stats.friedmanchisquare(*ranks.T).statistic  # W = chi^2 / (m (n - 1)), ties corrected
    assert operations.kendall_w(tied) == pytest.approx(chi / (3 * 3))
    assert operations.kendall_w([[1, 1, 1], [2, 2, 2]]) is None
    assert operations.kendall_w([[1, 2, 3]]) is None
    assert operations.kendall_w([]) is None


def test_stability_counts_pairs_as_kendalls_tau_does():
    """Kendall 1938: one swap of neighbours among four leaves 5 of 6; without ties tau is 2 k/n - 1."""
    said = stability(
        {"a": 4, "b": 3, "c": 2, "d": 1, "new": 9}, {"a": 9, "b": 7, "c": 1, "d": 5, "old": 2}
    )
    assert said == {
        "kept": 5,
        "pairs": 6,
        "tau": pytest.approx(2 / 3),
        "entered": ["new"],
        "left": ["old"],
    }
    rng = np.random.default_rng(1)
    one, two = ({str(at): value for at, value in enumerate(rng.random(40))} for _ in range(2))
    said = stability(one, two)
    tau = stats.kendalltau([*one.values()], [*two.values()]).statistic
    assert said["tau"] == pytest.approx(tau)
    assert 2 * said["kept"] / said["pairs"] - 1 == pytest.approx(tau)


def test_an_item_joins_the_band_of_the_first_that_it_is_undecided_with():
    """Normal scores: P(ahead) is Phi(gap / sqrt 2): .60 at .36, .76 at 1."""
    draws = np.random.default_rng(3).standard_normal((4, 40_000))
    draws += np.array([3.0, 2.64, 1.0, 0.9])[:, None]
    assert ranking.bands(draws) == [1, 1, 3, 3]
    wide = np.random.default_rng(4).standard_normal((2, 40_000))
    wide[0] = np.where(wide[0] > 1, 50, -1)  # a higher mean, and behind five times in six or so
    assert wide[0].mean() > wide[1].mean()
    assert ranking.bands(wide) == [1, 2]


def test_effort_errs_as_published():
    """.20, 1.00 and 3.13 at 5, 50 and 95 %; scores of 100, 90 and 60 are no order then."""
    errors = ranking.effort_errors((3, 200_000), 1)
    assert np.quantile(errors, [0.05, 0.5, 0.95]) == pytest.approx([0.20, 1, 3.13], rel=0.02)
    best = (np.array([100, 90, 60])[:, None] / errors).argmax(axis=0)
    shares = [(best == at).mean() for at in range(3)]
    assert shares == pytest.approx([0.43, 0.37, 0.20], abs=0.01)  # of three quantiles alone
    assert shares == pytest.approx([0.45, 0.31, 0.24], abs=0.065)  # of the 10,266 tasks themselves


ROWS = ["a,100,400,1,2", "b,150,350,2,4", "c,90,500,0.5,1", "d,10,20,3,1", "e,300,310,1,2.5"]


def test_names_and_the_order_of_rows_change_nothing(tmp_path):
    first = operations.prioritise(backlog(tmp_path, ROWS), draws=2_000)
    again = operations.prioritise(backlog(tmp_path, ROWS[::-1]), draws=2_000)
    assert first.standings == again.standings
    named = dict(zip("abcde", "vwxyz", strict=True))
    renamed = operations.prioritise(
        backlog(tmp_path, [named[row[0]] + row[1:] for row in ROWS]), draws=2_000
    )
    assert [
        place._replace(item=named[place.item]) for place in first.standings
    ] == renamed.standings


def test_twice_the_reach_of_all_changes_no_order(tmp_path):
    first = operations.prioritise(backlog(tmp_path, ROWS), draws=2_000)
    more = []
    for row in ROWS:
        item, low, high, *rest = row.split(",")
        more.append(",".join([item, str(2 * int(low)), str(2 * int(high)), *rest]))
    twice = operations.prioritise(backlog(tmp_path, more), draws=2_000)
    for one, two in zip(first.standings, twice.standings, strict=True):
        assert one.item == two.item
        assert (one.first, one.top, one.position) == (two.first, two.top, two.position)
        assert two.rice == pytest.approx(2 * one.rice)


def test_confidence_multiplies_or_ranges_replace_it(tmp_path):
    head = "item,reach,impact,confidence,effort\n"
    plain = operations.prioritise(backlog(tmp_path, head + "a,100,2,80%,2\nb,100,1,50%,1"))
    assert [place.rice for place in plain.standings] == pytest.approx([80, 50])
    assert plain.check("ranged").status == "warn"
    head = "item,reach,impact,confidence,effort_low,effort_high\n"
    ranged = backlog(tmp_path, head + "a,100,2,80%,1,4\nb,100,1,100%,1,1")
    result = operations.prioritise(ranged)
    assert result.standings[1].rice == pytest.approx(100)  # no confidence in it
    assert result.check("ranged").detail.values["found"] == ["b"]
    assert "replace 1 confidence below" in str(result.first_screen().reasons)
    ranged = backlog(tmp_path, head + "a,100,2,80%,1,4\nb,100,1,50%,1,1")
    with pytest.raises(DataError, match="row 3: This item's confidence is below 100%"):
        operations.prioritise(ranged)
    forced = operations.prioritise(ranged.changed(uncertainty="confidence"))
    assert forced.standings[1].rice == pytest.approx(50)
    assert {place.first for place in forced.standings} == {None}  # nothing says how sure it is
    assert forced.action == "range"
    assert "Too few numbers have a range" in forced.headline()
    assert "100%" not in forced.headline()


def test_percentiles_are_a_lognormal_and_ends_a_pert(tmp_path):
    row = "a,120,50,300,1,1\nb,1,1,2,1,1"
    ends = operations.prioritise(
        backlog(tmp_path, f"item,reach,reach_low,reach_high,impact,effort\n{row}"), draws=50_000
    )
    named = operations.prioritise(
        backlog(tmp_path, f"item,Reach,Reach P5,Reach P95,impact,effort\n{row}"), draws=50_000
    )
    assert ends.standings[0].rice == pytest.approx((50 + 4 * 120 + 300) / 6, rel=0.01)
    assert named.standings[0].rice_low == pytest.approx(50, rel=0.03)
    assert named.standings[0].rice_high == pytest.approx(300, rel=0.03)
    assert describe(named.views[0][0].drawn["reach"]).startswith("lognormal, 90% from 50")
    assert describe(ends.views[0][0].drawn["reach"]).startswith("beta, 90% from")


def test_raters_are_pooled_and_their_differences_told(tmp_path):
    """In half of the draws the item is as either of two sees it."""
    head = "item,reach,impact,confidence,effort\n"
    spec = backlog(
        tmp_path,
        head + "a,100,1,100%,1\nb,60,1,100%,1\nc,10,1,100%,1",
        head + "a,20,1,100%,1\nb,120,1,100%,2\nc,10,1,100%,1",
    )
    result = operations.prioritise(spec, draws=20_000)
    by = {place.item: place for place in result.standings}
    assert by["a"].first == pytest.approx(0.5, abs=0.015)
    assert by["a"].rice == pytest.approx(60)
    assert "the reach of a (highest 5.0 times the lowest)" in repr(result.agreement)
    assert result.concordance == pytest.approx(0.75)
    assert result.check("raters").status == "pass"


PLAIN = "item,reach,impact,confidence,effort\n"
WITH_ID = "id,item,reach,impact,confidence,effort\n"


@pytest.mark.parametrize(
    ("one", "two", "count", "told"),
    [
        (PLAIN + "Export PDF,9,1,100%,1", PLAIN + "  Éxport  pdf,9,1,100%,1", 2, []),
        (WITH_ID + "7,Export PDF,9,1,100%,1", PLAIN + "Export PDF,9,1,100%,1", 2, []),
        (
            WITH_ID + "7,Exports,9,1,100%,1",
            WITH_ID + "7,Export PDF,9,1,100%,1",
            2,
            ["Export PDF / Exports"],
        ),
        (PLAIN + "Export PDF,9,1,100%,1", PLAIN + "Export PDFs,9,1,100%,1", 3, None),
        (PLAIN + "Wave 11 of it,9,1,100%,1", PLAIN + "Wave 12 of it,9,1,100%,1", 3, []),
    ],
)
def test_names_and_ids_join_an_item_and_what_does_not_is_told(tmp_path, one, two, count, told):
    both = [text + f"\n{'2,' * text.startswith('id')}SSO,6,1,100%,1" for text in (one, two)]
    result = operations.prioritise(backlog(tmp_path, *both))
    assert len(result.standings) == count
    told = ["Export PDF / Export PDFs"] if told is None else told
    assert result.check("similar").detail.values["found"] == told
    assert (result.check("partly").status == "warn") == (count == 3)


def test_one_rater_in_two_spellings_is_one(tmp_path):
    rows = ["a,Anna,9,1,80%,1", '"a","anna ",9,1,80%,1', "b,ANNA,5,1,80%,1"]
    head = "item,rater,reach,impact,confidence,effort"
    result = operations.prioritise(backlog(tmp_path, "\n".join([head, *rows])))
    assert result.raters == 1
    assert result.check("repeated").detail.values["found"] == ["3"]
    assert "One person rated the list" in repr(result.agreement)
    with pytest.raises(KeyError):
        result.check("raters")


def test_raters_by_another_name_change_nothing(tmp_path):
    head = "item,rater,reach_low,reach_high,impact,effort,cost_of_delay,weeks\n"
    text = (
        head + "a,{0},10,90,1,1,,\na,{1},30,40,1,2,9000,3\nb,{0},20,25,1,1,500,5\nb,{1},9,80,1,1,,"
    )
    one, two = (
        operations.prioritise(backlog(tmp_path, text.format(*names)), draws=2_000)
        for names in (("Anna", "Bob"), ("Carl", "Bob"))
    )
    assert one.standings == two.standings
    assert {place.item: place.delay for place in one.standings} == {"a": 3_000, "b": 100}


def test_the_same_row_twice_is_told_and_another_is_refused(tmp_path):
    result = operations.prioritise(backlog(tmp_path, [*ROWS, ROWS[0]]))
    assert result.check("repeated").detail.values["found"] == ["7"]
    with pytest.raises(DataError, match="row 7: This item is already in row 2"):
        operations.prioritise(backlog(tmp_path, [*ROWS, "a,100,500,1,2"]))
    result = operations.prioritise(backlog(tmp_path, ROWS, [*ROWS, ROWS[0]]))
    found = result.check("repeated").detail.values["found"]
    assert len(found) == 1
    assert re.fullmatch(r"7 \(.*sheet1.csv\)", found[0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("item,reach,impact,confidence,effort\na,1,1,80,1", "No share can be read here"),
        ("item,reach,impact,confidence,effort\na,1,1,,1", "row 2"),
        ("item,reach,impact,effort\na,1,1,0", "row 2, effort .*must be above 0"),
        ("item,reach,impact,effort\na,1,1,-2", "row 2, effort"),
        ("item,reach,impact,effort\n,1,1,2", "row 2"),
        ("item,reach,impact,effort\na,many,1,2", "row 2, reach .*many"),
        ("item,reach,impact,effort", "sheet0.csv"),
    ],
)
def test_a_wrong_row_is_refused_with_its_cell(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        operations.prioritise(backlog(tmp_path, text))


def test_a_heading_with_percent_makes_bare_numbers_percentages(tmp_path):
    text = "item,reach,impact,Confidence (%),effort\na,100,1,80,1\nb,10,1,50,1"
    assert operations.prioritise(backlog(tmp_path, text)).standings[0].rice == pytest.approx(80)


def test_reach_needs_its_period(tmp_path):
    spec = backlog(tmp_path, ROWS, reach=None)
    with pytest.raises(SpecError, match="one period"):
        operations.prioritise(spec)
    head = "item,Reach ({}),impact,confidence,effort\na,100,1,100%,1\nb,2,1,100%,1"
    told = backlog(tmp_path, head.format("orders/week"), reach=None)
    assert operations.prioritise(told).ratings.counts == "orders/week"
    for no_period, said in (("%", "one period"), ("c", "one period"), ("min", "another unit")):
        with pytest.raises(InputError, match=said):
            operations.prioritise(backlog(tmp_path, head.format(no_period), reach=None))


@pytest.mark.parametrize("quantity", ["Reach", "Effort", "Impact", "Cost of delay"])
@pytest.mark.parametrize("earlier", [False, True])
def test_two_units_of_one_quantity_are_refused(tmp_path, quantity, earlier):
    """Whatever the spec says of reach, and in the earlier list too."""
    text = "item,Reach,Impact,Confidence,Effort,Cost of delay,Duration (weeks)\na,10,1,100%,1,5,2"
    one, two = (
        text.replace(quantity, f"{quantity} ({unit})", 1) for unit in ("k€/week", "points/week")
    )
    given = {}
    if earlier:
        (tmp_path / "before.csv").write_text(two)
        given = {"previous": RatedSheet(path=str(tmp_path / "before.csv"), decimal="point")}
    spec = backlog(tmp_path, one, *([] if earlier else [two]), **given)
    with pytest.raises(SpecError, match=r"\(k€/week\) and .*\(points/week\)"):
        operations.prioritise(spec)
    operations.prioritise(backlog(tmp_path, one, text))


HEADS = "{}\na,10,1,100%,1,{}\nb,2,1,100%,1,{}"
SAME_UNITS = [
    ("Reach (customers/quarter)", "Effort (person-months)", "Reach (Customer per quarter)", 1),
    ("Reach (customers/quarter)", "Effort (person-month)", "Portée (clients/trimestre)", 1),
    ("Portée (clients par trimestre)", "Effort (personnes-mois)", "Reach (customers a quarter)", 1),
    ("Reach (customers/month)", "Effort (person-months)", "Portée (clients/trimestre)", 0),
    ("Reach (k€/week)", "Effort (person-months)", "Reach (k$/week)", 0),
    ("Reach (customers/quarter)", "Effort (person-days)", "Reach (customers/quarter)", 0),
]


@pytest.mark.parametrize(("reach", "effort", "other", "same"), SAME_UNITS)
def test_one_unit_is_written_in_many_ways(tmp_path, reach, effort, other, same):
    rest = "Impact,Confidence,{},{}"
    one, two = (
        HEADS.format(f"Item,{reach},{rest.format(*names)}", filled, filled)
        for reach, names, filled in (
            (reach, (effort, "Cost of delay (k€)"), ""),  # nothing in it: its unit does not count
            (other, ("Effort (person months)", "Cost of delay (points)"), 5),
        )
    )
    spec = backlog(tmp_path, one, two, reach=None)
    if same:
        assert len(operations.prioritise(spec, draws=1_000).standings) == 2
    else:
        with pytest.raises(SpecError, match="name different units"):
            operations.prioritise(spec)


def test_our_own_sheets_in_both_languages_are_one_list(tmp_path):
    import openpyxl

    files = []
    for language, decimal in (("en", "point"), ("fr", "comma")):
        name = f"backlog.{language}.xlsx"
        book = openpyxl.load_workbook(operations.__path__[0] + f"/sheets/{name}")
        rows = book.worksheets[0]
        for at, item in enumerate(("Inbox", "Single sign-on"), rows.max_row + 1):
            for column, cell in ((1, item), (4, 900 / at), (9, 2), (14, "80 %"), (17, 3), (23, at)):
                rows.cell(at, column, cell)
        book.save(tmp_path / name)
        files.append(RatedSheet(path=str(tmp_path / name), rater=language, decimal=decimal))
    result = operations.prioritise(operations.Backlog(prioritisation="own", data=tuple(files)))
    assert (result.raters, len(result.standings)) == (2, 2)
    assert result.ratings.counts == "customers/quarter"


@pytest.mark.parametrize("earlier", [False, True])
def test_row_numbers_are_no_ids(tmp_path, earlier):
    one = WITH_ID + "1,Inbox,10,1,100%,1\n2,SSO,5,1,100%,1"
    two = WITH_ID + "1,SSO,10,1,100%,1\n2,Inbox,5,1,100%,1"
    (tmp_path / "before.csv").write_text(two)
    before = RatedSheet(path=str(tmp_path / "before.csv"), decimal="point")
    spec = backlog(tmp_path, one, **({"previous": before} if earlier else {}))
    if not earlier:
        spec = backlog(tmp_path, one, two)
    with pytest.raises(DataError) as refused:
        operations.prioritise(spec)
    said = str(refused.value)
    assert said.count("One id stands for two items") == 2
    assert re.search(r"row 2: One id .* SSO here, and Inbox in row 2 of .*sheet0\.csv", said)
    assert re.search(r"row 3: One id .*(SSO|Inbox) here, and (SSO|Inbox) in row 3 of .*csv", said)


def hairs(*rows):
    """Return two raters' sheets: of each item a reach, and how much more the second says."""
    for at in (0, 1):
        yield PLAIN + "\n".join(f"{name},{reach + at * more},1,80%,1" for name, reach, more in rows)


@pytest.mark.parametrize(
    ("rows", "flat"),
    [
        ([("A", 1000, 0), ("B", 999, 0), ("C", 998, 0), ("D", 50, 1)], True),
        ([("A", 1000, 0), ("B", 999, 1), ("C", 998, 1), ("D", 50, 1)], True),  # not the first
        ([("A", 1000, 1), ("B", 999, 0), ("C", 998, 0), ("D", 50, 1)], True),
        ([("A", 1000, 1), ("B", 999, 0), ("C", 50, 1), ("D", 50, 1)], True),  # those far below
        ([("A", 1000, 9), ("B", 999, 9), ("C", 998, 0), ("D", 50, 0), ("E", 9, 0)], False),
    ],
)
def test_chances_are_claimed_where_those_near_the_top_vary(tmp_path, rows, flat):
    result = operations.prioritise(backlog(tmp_path, *hairs(*rows), top=1), draws=1_000)
    assert result.flat == flat
    assert (result.action == "range") == flat
    assert ("A has the highest score. Too few numbers" in result.headline()) == flat


def test_equal_scores_are_all_named(tmp_path):
    rows = "B,1000,1,80%,2\nA,500,2,80%,2\nC,100,3,80%,0.6\nD,10,1,80%,1"
    result = operations.prioritise(backlog(tmp_path, PLAIN + rows, top=1))
    assert result.headline().startswith("A, B and C have the same, highest score. Too few")
    assert "ont le même score, le plus élevé" in result.headline("fr")


def test_a_near_draw_is_no_tail_and_little_worth_is_no_advice(tmp_path):
    rows = [*lognormals((100, 0.6), (104, 0.5))]
    result = operations.prioritise(backlog(tmp_path, rows, top=1))
    assert result.standings[0].first < 0.5
    assert "more often" not in result.headline()
    assert "Most useful" in repr(result.changes)
    apart = operations.prioritise(backlog(tmp_path, [*lognormals((100, 0.1), (5, 0.1))], top=1))
    assert "Most useful" not in repr(apart.changes)
    counted = apart.check("counted").detail
    assert counted.key == "prioritisation.counted_none"


def test_the_mean_of_an_inverse_is_its_integral():
    for shape in (
        distributions.pert(1, 2, 9),
        distributions.lognormal(1, 50),
        distributions.Fixed(4),
    ):
        drawn = shape.at(stats.norm.ppf((np.arange(2_000_000) + 0.5) / 2_000_000))
        assert mean_inverse(shape) == pytest.approx(np.mean(1 / drawn), rel=1e-3)
    sigma = math.log(50) / (2 * Z95)
    assert mean_inverse(distributions.lognormal(1, 50)) == pytest.approx(
        math.exp(sigma**2 / 2) / math.sqrt(50)
    )


HEAVY = ["Moonshot,1,8000,1,1", "Solid,600,601,1,1", "Plain,100,101,1,1", "Weak,50,51,1,1"]


def test_a_heavy_tail_is_no_plain_first(tmp_path):
    """The mean of 1 to 8000 is 3,718, its median 89: it is above 600 in 24 % of the draws."""
    results = [
        operations.prioritise(backlog(tmp_path, HEAVY, top=1), draws=2_000, seed=seed)
        for seed in range(6)
    ]
    result = results[0]
    sigma = math.log(8_000) / (2 * Z95)
    chance = stats.norm.sf((math.log(600.5) - math.log(8_000) / 2) / sigma)
    assert result.standings[0].first == pytest.approx(chance, abs=0.04)
    assert {each.standings[0].item for each in results} == {"Moonshot"}
    assert {each.standings[0].rice for each in results} == {result.standings[0].rice}
    assert result.check("line").detail.values["found"] == ["Moonshot", "Solid"]
    assert "Likely first: Solid (7" in result.headline()
    assert "but Solid comes first more often" in result.headline()
    assert result.alone < 0.4  # as its chance: the draws are its own


def test_the_reality_check_keeps_the_lists_own_draws(tmp_path):
    """Effort aside, of two alike each is first half of the time; brute force with our quantiles."""
    result = operations.prioritise(backlog(tmp_path, HEAVY, top=1), draws=100_000)
    rng = np.random.default_rng(1)
    z = rng.standard_normal((3, 400_000))
    errors = np.where(z < 0, 0.20 ** (-1 / Z95), 3.13 ** (1 / Z95)) ** z
    reach = math.sqrt(8_000) * np.exp(math.log(8_000) / (2 * Z95) * rng.standard_normal(400_000))
    best = np.array([reach, np.full_like(reach, 600.5), np.full_like(reach, 100.5)]) / errors
    assert result.alone == pytest.approx((best.argmax(axis=0) == 0).mean(), abs=0.02)


def test_an_item_with_a_huge_high_end_is_drawn_and_the_rest_is_counted(tmp_path):
    rows = [f"item {at},{1000 + at},{1001 + at},1,1" for at in range(150)]
    odd = "Same name,500,501,1,1\nSame names,500,501,1,1\nBare,1,1,1,1"
    result = operations.prioritise(
        backlog(tmp_path, [*rows, "Dark horse,1,90000,1,1", odd], top=2), draws=1_000
    )
    assert "Dark horse" in {place.item for place in result.standings}
    assert len(result.standings) == 100
    assert "54 items were not drawn" in repr(result.order)
    assert result.check("similar").detail.values["found"] == ["Same name / Same names"]
    assert result.check("ranged").detail.values["found"] == ["Bare"]


def test_what_no_answer_could_change_is_worth_nothing(tmp_path):
    """Reach of 100 or 1,000 goes with effort of 1 or 10: the score is 100 whatever reach is."""
    head = "item,rater,reach,impact,confidence,effort\n"
    text = head + "X,P,100,1,100%,1\nX,Q,1000,1,100%,10\nY,P,90,1,100%,1\nY,Q,900,1,100%,10"
    result = operations.prioritise(backlog(tmp_path, text, top=1))
    assert result.standings[0].know_reach == pytest.approx(0, abs=1e-9)
    assert result.lesson[0] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("note", "counts"),
    [
        ("none", 0),
        ("TBD", 0),
        ("?", 0),
        ("à faire", 0),
        ("reports/x/y/2026-10-01-0123abcd#gain", 0),
        ("https://x.example/2026-10-01-0123abcd", 1),
        ("shop logs", 1),
    ],
)
def test_evidence_names_something_that_is_there(tmp_path, note, counts):
    text = "item,reach,impact,confidence,effort,reach_evidence\na,9,1,80%,1," + note
    result = operations.prioritise(backlog(tmp_path, text + "\nb,8,1,80%,1,"))
    assert result.check("counted").detail.values["share"] == counts / 2
    lost = ["2"] if "reports" in note else []
    assert result.check("lost").detail.values["found"] == lost
    assert result.standings[0].evidence == counts / 4


def test_agreement_of_two_is_their_rank_correlation(tmp_path):
    """W of two is (1 + rho) / 2 (Kendall 1948): .5 is chance."""
    one, two = ([5, 3, 9, 7, 1], [2, 8, 9, 3, 4])
    sheets = (
        PLAIN
        + "\n".join(f"{name},{reach},1,80%,1" for name, reach in zip("abcde", each, strict=True))
        for each in (one, two)
    )
    result = operations.prioritise(backlog(tmp_path, *sheets))
    assert result.accord == pytest.approx(stats.spearmanr(one, two).statistic)
    assert (result.check("raters").status, result.action) == ("warn", "talk")


def test_an_earlier_list_is_compared_by_the_same_rule(tmp_path):
    (tmp_path / "before.csv").write_text(PLAIN + "a,300,1,10%,1\nb,200,1,100%,1\nc,9,1,100%,1")
    given = {"previous": RatedSheet(path=str(tmp_path / "before.csv"), decimal="point")}
    rows = ["a,200,400,1,1", "b,150,250,1,1"]
    result = operations.prioritise(backlog(tmp_path, rows, **given))
    assert (result.stability["kept"], result.stability["pairs"]) == (1, 1)
    assert "New" not in repr(result.agreement)
    other = operations.prioritise(backlog(tmp_path, ["x,2,4,1,1", "y,1,2,1,1"], **given))
    assert "shares fewer than two items" in repr(other.agreement)
    with_ids = (
        "id,item,reach_low,reach_high,impact,effort\nK-1,a,2,4,1,1\nK-2,b,1,2,1,1\nK-3,z,1,2,1,1"
    )
    result = operations.prioritise(backlog(tmp_path, with_ids, **given))
    assert (result.stability["entered"], result.stability["left"]) == (["z"], ["c"])


def test_one_row_is_no_order(tmp_path):
    result = operations.prioritise(backlog(tmp_path, ROWS[:1]))
    assert (result.broken, result.action) == (True, "stop")


@pytest.mark.skipif(not FRENCH.exists(), reason="the shared sheet is not here")
def test_the_french_sheet_reads_without_its_row_of_no_effort(tmp_path):
    with pytest.raises(DataError, match=r"row 6, Effort \(pers\.-mois\)"):
        operations.prioritise(operations.Backlog.load(FRENCH))
    lines = FRENCH.read_text(encoding="utf-8-sig").splitlines()[:-1]
    (tmp_path / "liste.csv").write_text("\n".join(lines), encoding="utf-8")
    result = operations.prioritise(operations.Backlog.load(tmp_path / "liste.csv"))
    assert result.ratings.counts == "clients/trim."
    stated = {place.item: place.stated for place in result.standings}
    assert stated["Boîte de retours unique"] == 1200 * 2 / 3
    assert stated["Export PDF"] == 5000 * 0.5 / 0.5


def test_of_five_thousand_rows_the_leading_are_drawn_and_the_record_stays_small(tmp_path):
    rows = [f"item {at},{50 + at},{90 + 2 * at},1,{1 + at % 7}" for at in range(5_000)]
    operations.prioritise(backlog(tmp_path, ROWS))
    spec = backlog(tmp_path, rows)
    result = operations.prioritise(spec)
    assert len(result.standings) == 100
    import json

    assert len(json.dumps(result.record())) < 1_000_000


def test_the_samples_truth_is_within_what_it_says():
    import json

    folder = ROOT / "data" / "sample"
    truth = json.loads((folder / "backlog_truth.json").read_text(encoding="utf-8"))
    result = operations.prioritise(operations.Backlog.load(folder / "backlog.yaml"))
    assert len(result.standings) == truth["file"]["items"]
    assert result.stability["entered"] == truth["file"]["new"]
    assert result.stability["left"] == truth["file"]["gone"]
    scores = {name: item["score"] for name, item in truth["truth"]["items"].items()}
    assert result.standings[0].item == truth["truth"]["order"][0]
    inside = [place.rice_low <= scores[place.item] <= place.rice_high for place in result.standings]
    assert np.mean(inside) >= 0.8
