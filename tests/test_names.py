"""Names as people write them."""

import pytest

from opslab.names import folded, named, names_somebody


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Chef de produit", "chef  de Produit "),
        ("Été", "E\u0301TE\u0301"),
        ("budget line 4417", "Budget-line: 4417"),
        ("The desk", "the_desk"),
        ("Straße", "STRASSE"),
    ],
)
def test_the_same_for_two_writers(first, second):
    assert folded(first) == folded(second)


def test_other_words_and_signs_stay_apart():
    assert len({folded(name) for name in ("tag", "tags", "李", "雷", "?", "-", "")}) == 7


@pytest.mark.parametrize("name", ["RH", "cpo", "李雷", "controller, budget line 4417", "Ana"])
def test_names_of_somebody(name):
    assert names_somebody(name)


@pytest.mark.parametrize(
    "name", [None, "", "?", "--", "42", "TBD", "t.b.d.", "N/A", "N.N.", "xx", "x", "inconnu"]
)
def test_names_of_nobody(name):
    assert not names_somebody(name)


def test_a_budget_line_may_be_a_number():
    assert named("4417")
    assert not named("n/a")
    assert not named("à faire")
