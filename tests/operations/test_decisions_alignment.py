"""Surveys: overlap against independent means, who is not told apart, and that nobody is shown."""

import csv
import datetime
import json
import runpy
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import ROOT
from opslab.errors import DataError, InputError, SpecError
from opslab.operations.decisions.alignment import align, mean_overlap
from opslab.operations.decisions.overlap import jaccard, rank_biased_overlap
from opslab.operations.decisions.spec import DecisionReview
from opslab.uncertainty.proportions import Interval, wilson

DAY = datetime.date(2026, 10, 5)
HEADINGS = "person,function,priority_1,priority_2,priority_3,goal"
MARK = "Zorblax"


def sheet(folder, rows, name="survey.csv", headings=HEADINGS):
    """Write a survey of rows."""
    (folder / name).write_text("\n".join([headings, *rows]) + "\n", "utf-8")
    return name


def review(folder, *surveys, **fields):
    """Return a review with surveys, each a file and more of its fields."""
    spec = {"decisions": "x", "log": {"path": "log.csv"}, "surveys": surveys, **fields}
    path = folder / "review.yaml"
    path.write_text(json.dumps(spec), "utf-8")
    return DecisionReview.load(path)


def aligned(folder, rows, *, headings=HEADINGS, survey=None, **fields):
    """Return the alignment of a single survey."""
    path = sheet(folder, rows, headings=headings)
    only = {"path": path, "date": "2026-09-21", "goal": ["more checkouts"], **(survey or {})}
    return align(review(folder, only, **fields), DAY)[0]


def everybody(counts, priorities="A,B,C", goal=""):
    """Return rows of people by function, who all answer the same."""
    people = [function for function, count in counts.items() for _ in range(count)]
    return [f"p{at},{function},{priorities},{goal}" for at, function in enumerate(people)]


# --- The sample


def test_the_sample_is_made_again_the_same(tmp_path):
    write = runpy.run_path(str(ROOT / "data" / "make_decisions.py"))["write"]
    write(tmp_path)
    files = sorted(tmp_path.iterdir())
    assert len(files) == 4
    for file in files:
        assert file.read_bytes() == (ROOT / "data" / "sample" / file.name).read_bytes()


def test_the_sample_holds_the_decisions_that_the_case_counts():
    def dates(name, *columns):
        with (ROOT / "data" / "sample" / name).open(encoding="utf-8") as file:
            return {row["decision"]: [row[at] for at in columns] for row in csv.DictReader(file)}

    case = dates("product_ops_decisions.csv", "asked_on", "decided_on")
    log = dates("product_decisions_log.csv", "raised", "decided")
    assert len(case) == 23
    assert case.items() <= log.items()


# --- The numbers


def test_the_sample_is_what_it_was_made_with():
    truth = json.loads((ROOT / "data/sample/product_decisions_truth.json").read_text("utf-8"))
    spec = DecisionReview.load(ROOT / "data/sample/product_decisions.yaml")
    result, readings = align(spec, DAY)
    last, first = truth["surveys"]["september"], truth["surveys"]["april"]
    assert (result.people, result.invited) == (last["people"], last["invited"])
    assert (result.named_count, result.asked_goal) == (last["name_the_goal"], last["people"])
    assert result.jaccard.value == pytest.approx(last["jaccard"], abs=1e-6)
    assert result.first_named == wilson(first["name_the_goal"], first["people"])
    assert result.first_overlap.value < result.overlap.value
    assert result.change_overlap.value == pytest.approx(
        result.overlap.value - result.first_overlap.value
    )
    assert result.change_overlap.low > 0
    assert result.change_named.low < 0 < result.change_named.value
    assert len(readings) == 2
    only, _ = align(spec, datetime.date(2026, 5, 1))
    assert only.jaccard.value == pytest.approx(first["jaccard"], abs=1e-6)
    assert (only.date, only.first_date) == (datetime.date(2026, 4, 20), None)
    assert align(spec, datetime.date(2026, 4, 1)) == (None, ())


def test_priorities_are_counted_as_the_sheet_has_them():
    """Counted from the file again, by the ways to write each that the maker of the sample knows."""
    spec = DecisionReview.load(ROOT / "data/sample/product_decisions.yaml")
    result, _ = align(spec, DAY)
    name = "product_decisions_survey_september.csv"
    with (ROOT / "data/sample" / name).open(encoding="utf-8") as file:
        rows = [*csv.DictReader(file)]
    ways = {"faster checkout", "checkout"}
    ranks = [[row[f"priority_{at}"].casefold() in ways for at in (1, 2, 3)] for row in rows]
    checkout = next(each for each in result.priorities if each.priority == "Faster checkout")
    assert checkout.people == sum(map(any, ranks))
    assert checkout.first == sum(rank[0] for rank in ranks)
    assert checkout.priority.french == "Paiement plus rapide"
    assert [each.people for each in result.priorities] == sorted(
        (each.people for each in result.priorities), reverse=True
    )


def test_overlap_is_the_mean_over_pairs_within_and_across(tmp_path):
    random = np.random.default_rng(5)
    lists = ["ABCDEF"[: random.integers(3, 7)] for _ in range(24)]
    lists = [[str(name) for name in random.permutation([*names])[:3]] for names in lists]
    functions = ["product"] * 12 + ["sales"] * 12
    rows = [
        f"{at},{function},{','.join(names)},"
        for at, (function, names) in enumerate(zip(functions, lists, strict=True))
    ]
    result = aligned(tmp_path, rows)

    def mean(overlap, pairs):
        return np.mean([overlap(lists[a], lists[b]) for a, b in pairs])

    pairs = [*combinations(range(24), 2)]
    assert result.jaccard.value == pytest.approx(mean(jaccard, pairs))
    assert result.overlap.value == pytest.approx(mean(rank_biased_overlap, pairs))
    functions_of = {each.function: each for each in result.functions}
    inside = [*combinations(range(12), 2)]
    between = [(a, b) for a, b in pairs if (a < 12) != (b < 12)]
    assert functions_of["product"].within.value == pytest.approx(mean(rank_biased_overlap, inside))
    assert functions_of["product"].across.value == pytest.approx(mean(rank_biased_overlap, between))
    assert functions_of["sales"].across.value == pytest.approx(functions_of["product"].across.value)
    for each in (
        result.overlap,
        result.jaccard,
        functions_of["product"].within,
        functions_of["sales"].across,
    ):
        assert each.low < each.value < each.high


def test_the_interval_is_that_of_people_drawn_again_without_pairs_of_one():
    """A loop over draws of people: those drawn twice are not compared with themselves."""
    random = np.random.default_rng(3)
    names = [[*random.permutation([*"ABCDEF"])[:3]] for _ in range(15)]
    pairs = np.array([[rank_biased_overlap(a, b) for b in names] for a in names])
    np.fill_diagonal(pairs, 0)
    draws = []
    for _ in range(4_000):
        drawn = random.integers(0, 15, 15)
        seen = [pairs[a, b] for a, b in combinations(drawn, 2) if a != b]
        draws.append(np.mean(seen))
    value, low, high = mean_overlap(pairs, range(15), range(15), 1)
    assert value == pytest.approx(pairs.sum() / (15 * 14))
    assert (low, high) == pytest.approx(np.quantile(draws, (0.025, 0.975)), abs=0.01)


def test_the_interval_holds_the_overlap_of_all_of_whom_some_were_asked():
    """Coverage by simulation, of 20 people; docs/validation.md has more of it."""
    random = np.random.default_rng(9)
    lists = [[*random.permutation([*"ABCDEF"])[:3]] for _ in range(40)]
    known = np.array([[rank_biased_overlap(a, b) for b in lists] for a in lists])
    chance = random.dirichlet(np.full(40, 0.3))
    true, held, rounds = chance @ known @ chance, 0, 100
    for seed in range(rounds):
        who = random.choice(40, 20, p=chance)
        pairs = known[np.ix_(who, who)]
        np.fill_diagonal(pairs, 0)
        _, low, high = mean_overlap(pairs, range(20), range(20), seed)
        held += low <= true <= high
    assert held / rounds >= 0.86


def test_the_order_of_rows_changes_nothing(tmp_path):
    rows = [
        f"p{at:02},{'product' if at % 2 else 'sales'},{'ABCDE'[at % 5]},{'FGH'[at % 3]},{at % 7},"
        for at in range(22)
    ]
    first = aligned(tmp_path, rows)
    assert aligned(tmp_path, rows[::-1]) == first
    assert aligned(tmp_path, rows[7:] + rows[:7]) == first


def test_all_of_one_mind_have_no_interval(tmp_path):
    result = aligned(tmp_path, everybody({"product": 12}))
    assert result.overlap == Interval(pytest.approx(1))
    assert result.jaccard == Interval(1)


def test_of_fewer_than_ten_people_the_overlap_is_told_without_its_ends(tmp_path):
    nine = [f"{at},product,{'ABC'[at % 3]},D,E," for at in range(9)]
    assert aligned(tmp_path, nine).overlap.low is None
    ten = aligned(tmp_path, [*nine, "9,product,A,D,E,"])
    assert ten.overlap.low < ten.overlap.value < ten.overlap.high


def test_of_four_who_name_a_priority_no_overlap_is_told(tmp_path):
    rows = [f"{at},product,{'AB'[at % 2]},C,D," for at in range(4)]
    silent = [f"s{at},product,,,," for at in range(6)]
    result = aligned(tmp_path, [*rows, *silent])
    assert result.overlap == result.jaccard == result.functions[0].within == Interval(None)
    assert aligned(tmp_path, [*rows, "4,product,A,C,D,", *silent]).overlap.value > 0


# --- Names of priorities


def test_case_accents_spaces_and_synonyms_are_one_priority(tmp_path):
    ways = [
        "Été prochain",
        "ete  PROCHAIN",
        "été prochain ",
        "Next summer",
        "summer, next",
        "Autumn",
    ]
    rows = [f'p{at},product,"{way}",,,' for at, way in enumerate(ways)]
    result = aligned(tmp_path, rows, same={"Summer": ["été prochain", "Next summer"]})
    assert [(each.priority, each.people) for each in result.priorities] == [("Summer", 4)]
    assert result.others == 2


def test_a_name_of_two_priorities_is_refused(tmp_path):
    with pytest.raises(SpecError, match="Next stands for two priorities"):
        aligned(tmp_path, everybody({"x": 6}), same={"A": ["next"], "B": ["Next"]})


def test_a_near_miss_is_told_by_its_row_and_not_merged(tmp_path):
    rows = [f"p{at},product,Parcel tracking,Checkout,," for at in range(6)]
    rows += ["p6,product,Parcel traking,Checkout,,", "p7,product,Parking,Checkout,,"]
    result = aligned(tmp_path, rows)
    assert result.near == ("Parcel tracking (8)",)
    assert {each.priority: each.people for each in result.priorities} == {
        "Parcel tracking": 6,
        "Checkout": 8,
    }
    merged = aligned(tmp_path, rows, same={"Parcel tracking": ["Parcel traking"]})
    assert merged.near == ()
    assert merged.priorities[1].people == 7


def test_a_priority_named_twice_by_a_person_counts_once(tmp_path):
    rows = everybody({"product": 5}, "A,a,B")
    result = aligned(tmp_path, rows)
    assert result.twice == 5
    assert [(each.priority, each.people) for each in result.priorities] == [("A", 5), ("B", 5)]


def test_who_names_nothing_is_counted_and_not_compared(tmp_path):
    rows = [*everybody({"product": 6}), "q1,product,,,,more checkouts", "q2,product,n/a,-,?,"]
    result = aligned(tmp_path, rows)
    assert (result.people, result.unsaid) == (8, 2)
    assert result.overlap.value == pytest.approx(1)
    assert result.named == wilson(1, 8)


# --- The goal


@pytest.mark.parametrize(
    ("said", "counts"),
    [
        ("more checkouts", True),
        ("MORE  Checkouts!", True),
        ("We want more checkouts by May", True),
        ("more checkoutsies", False),
        ("checkouts", False),
        ("", False),
    ],
)
def test_the_goal_is_named_where_its_words_stand(said, counts, tmp_path):
    rows = [*everybody({"product": 5}, goal="something else"), f"q,product,A,B,C,{said}"]
    result = aligned(tmp_path, rows)
    assert (result.named_count, result.asked_goal) == (counts, 6)


def test_a_goal_that_was_not_asked_is_not_a_goal_that_nobody_knows(tmp_path):
    rows = everybody({"product": 6})
    assert aligned(tmp_path, rows).named == Interval(None)
    known = [row.replace(",C,", ",C,more checkouts") for row in rows]
    unasked = aligned(tmp_path, known, survey={"goal": []})
    assert (unasked.asked_goal, unasked.named) == (0, Interval(None))
    without = [",".join(row.split(",")[:5]) for row in rows]
    result = aligned(tmp_path, without, headings=HEADINGS.rpartition(",")[0])
    assert (result.asked_goal, result.functions[0].named) == (0, None)


# --- Who is not told apart


@pytest.mark.parametrize(
    ("counts", "told", "small"),
    [
        ({"a": 9, "b": 6, "c": 5}, ["a", "b", "c"], 0),
        ({"a": 9, "b": 6, "c": 4}, ["a"], 10),
        ({"a": 9, "b": 6, "c": 3, "d": 2}, ["a", "b"], 5),
        ({"a": 9, "b": 6, "c": 2, "d": 2}, ["a"], 10),
        ({"a": 9, "b": 4}, [], 13),
        ({"a": 4, "b": 1}, [], 5),
    ],
)
def test_what_is_left_of_all_never_tells_of_a_few(counts, told, small, tmp_path):
    result = aligned(tmp_path, everybody(counts))
    assert [each.function for each in result.functions] == told
    assert result.small == small


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=6))
def test_told_and_untold_functions_hold_five_people_or_nobody(tmp_path_factory, sizes):
    folder = tmp_path_factory.mktemp("survey")
    result = aligned(folder, everybody({f"f{at}": size for at, size in enumerate(sizes)}))
    assert all(each.people >= 5 for each in result.functions)
    left = sum(sizes) - sum(each.people for each in result.functions)
    assert result.small == left
    assert left == 0 or left >= 5 or sum(sizes) < 5


def test_a_survey_of_fewer_than_five_tells_how_many_answered_and_no_more(tmp_path):
    rows = everybody({"product": 4}, goal="more checkouts")
    result = aligned(tmp_path, rows, survey={"invited": 9})
    assert (result.people, result.invited) == (4, 9)
    assert result.named == result.overlap == result.jaccard == Interval(None)
    assert (result.named_count, result.priorities, result.functions) == (0, (), ())


def test_a_change_from_a_survey_of_a_few_is_not_told(tmp_path):
    few = sheet(tmp_path, everybody({"product": 3}), "few.csv")
    many = sheet(tmp_path, everybody({"product": 12}, goal="x"), "many.csv")
    first, last = {"path": few, "date": "2026-04-20"}, {"path": many, "date": "2026-09-21"}
    result, _ = align(review(tmp_path, first, last | {"goal": ["x"]}), DAY)
    assert result.first_date == datetime.date(2026, 4, 20)
    assert result.change_overlap == result.change_named == Interval(None)


def test_no_text_of_one_person_and_nobody_stands_in_the_result(tmp_path):
    rows = [f"{MARK} {at},product,Checkout,Tracking,{MARK} {at},{MARK}" for at in range(8)]
    result = aligned(tmp_path, rows)
    assert MARK not in repr(result)
    assert result.others == 8
    shown = [each.priority for each in result.priorities]
    assert shown == ["Checkout", "Tracking"]


def test_what_most_of_a_function_name_is_told(tmp_path):
    rows = [f"p{at},sales,A,{'B' if at < 3 else 'C'},{'D' if at < 4 else 'E'}," for at in range(6)]
    (sales,) = aligned(tmp_path, rows).functions
    assert sales.top == ("A", "D")


# --- What is refused


def test_a_person_who_answers_twice_is_refused_without_the_name(tmp_path):
    rows = [*everybody({"product": 5}), f"{MARK},sales,A,B,C,", f" {MARK.upper()} ,sales,C,B,A,"]
    with pytest.raises(DataError) as caught:
        aligned(tmp_path, rows)
    (problem,) = caught.value.problems
    assert (problem.key, problem.row) == ("operations.person_twice", 8)
    assert MARK.casefold() not in str(caught.value).casefold()
    assert "row 7" in str(caught.value)


def test_more_answers_than_people_asked_are_refused(tmp_path):
    with pytest.raises(SpecError, match="6 people answered, of 5 asked"):
        aligned(tmp_path, everybody({"product": 6}), survey={"invited": 5})


def test_an_answer_without_a_function_is_refused(tmp_path):
    with pytest.raises(InputError):
        aligned(tmp_path, [*everybody({"product": 6}), "p9,,A,B,C,"])


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_sheet_is_read_by_its_headings_in_both_languages(language, tmp_path):
    headings = {
        "en": "Person,Function,What comes first,What comes second,What comes third,"
        "The goal of the quarter",
        "fr": "Personne,Fonction,Ce qui vient en premier,Ce qui vient en deuxième,"
        "Ce qui vient en troisième,L'objectif du trimestre",
    }
    rows = everybody({"product": 6}, goal="more checkouts")
    result = aligned(tmp_path, rows, headings=headings[language])
    assert (result.people, result.named_count, len(result.priorities)) == (6, 6, 3)
