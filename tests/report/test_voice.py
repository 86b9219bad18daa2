"""The voice: an area's words, then the shared ones; what is written in both languages is spoken."""

from __future__ import annotations

import doctest

import pytest

from opslab.messages import Bilingual
from opslab.report import voice
from opslab.report.blocks import Cell, Group
from opslab.report.voice import Voice
from opslab.results import Check, Message

CHECKS = [
    Check("sample_ratio", "pass", Message("experiments.sample_ratio_pass", {"p": 0.4}), 0.4, True),
    Check("outliers", "warn", Message("experiments.weekly_cycle_warn", {"days": 10})),
    Check("period", "fail", Message("experiments.no_data")),
]
BOTH = Bilingual("basket", french="panier")


def test_examples_run():
    assert doctest.testmod(voice).failed == 0


def test_an_areas_words_come_first_then_those_that_all_share():
    say = Voice("fr", "experiments")
    assert say("fact_units") == "Unités"
    assert (say("status_pass"), say.none) == ("réussi", "\N{EN DASH}")
    assert (say.yes([1]), say.yes(0)) == ("oui", "non")
    with pytest.raises(KeyError):
        say("no_such_word")


def test_the_table_of_checks_tells_what_was_found_and_what_it_can_stop():
    table = Voice("en", "experiments").checks(CHECKS)
    assert table.caption == "Checks of the data"
    assert table.columns[:2] == ["Check", "Result"]
    assert [row[0] for row in table.rows] == ["Sample ratio", "Outliers", "Period complete"]
    assert [(row[1].text, row[1].tone) for row in table.rows] == [
        *(("passed", "good"), ("warning", "open"), ("failed", "bad")),
    ]
    assert [row[2].text for row in table.rows] == ["yes", "no", "no"]
    assert table.rows[0][3].startswith("The arms have their planned shares")


def test_the_fact_of_the_checks_names_those_that_did_not_pass():
    say = Voice("en", "experiments")
    fact = say.checks_fact(CHECKS, "all well")
    assert (fact.name, fact.value) == ("Checks", "1 of 3 checks passed")
    assert list(fact.remarks) == ["Period complete", "Outliers"]  # the failed first
    many = say.checks_fact([*CHECKS[1:2] * 4, *CHECKS[2:]]).remarks
    assert list(many) == ["Period complete", "Outliers", "Outliers", "2 more"]
    assert list(say.checks_fact(CHECKS[:1], "all well").remarks) == ["all well"]
    assert list(say.checks_fact(CHECKS[:1]).remarks) == []


@pytest.mark.parametrize(("language", "word"), [("en", "basket"), ("fr", "panier")])
def test_a_text_in_both_languages_is_spoken_wherever_it_stands(language, word):
    say = Voice(language, "experiments")
    assert say.spoken(BOTH) == word
    assert say.joined("a", None, BOTH, "") == f"a · {word}"
    assert say("action_ship", arm=BOTH).endswith(word)
    assert word in say.message(Message("experiments.action_ship", {"arm": BOTH}))
    table = say.table("arms", "arm units", [(BOTH, "1"), (Cell(BOTH, BOTH), "2")])
    assert (table.rows[0][0], table.rows[1][0]) == (word, Cell(word, word))
    table = say.table("arms", "arm units", groups=[Group(Cell(BOTH), [[BOTH, "1"]])])
    assert (table.groups[0].head.text, table.groups[0].rows[0][0]) == (word, word)


def test_a_caption_names_its_values():
    table = Voice("en", "experiments").table("effects", "metric lift", numeric=(1,), level=0.9)
    assert (table.caption, table.columns) == ("Effects with 90% intervals", ["Metric", "Lift"])
