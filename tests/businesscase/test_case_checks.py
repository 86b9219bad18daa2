"""What a sponsor and a CFO attack first: every line that counts, and nothing that passes by absence."""

import datetime
import json

import pytest
from cases import (
    DAY,
    benefit,
    cost,
    fields,
    finding,
    hours_case,
    money,
    share,
    simple,
    source,
    teams,
    units,
)

from opslab.businesscase import build
from opslab.businesscase.spec import Case
from opslab.errors import InputError
from opslab.messages import LANGUAGES

SOURCED = {"source": "invoices of 2026", "checked": "2026-09-01"}


def built(declared, evidence=None, **more):
    return build(Case(**declared), evidence, **({"draws": 1_000} | more))


def status(result, name):
    return result.check(name).status


def sentence(result, name, language="en"):
    """Return what a reader is told, and assert that every language can tell it."""
    said = {each: result.voice(each).finding(result.check(name)).text for each in LANGUAGES}
    assert all(words and "{" not in words for words in said.values())
    return said[language]


def key(result, name):
    return result.check(name).detail.key.removeprefix(f"businesscase.{name}_")


def ending(amount=600_000, grade="D", assumption=None, **line):
    """Return the fields of a case whose option also ends a cost of doing nothing."""
    return fields(
        [
            money("gain", 100_000, **SOURCED),
            money("pay", 60_000),
            money("old", amount, grade=grade, **(SOURCED if assumption is None else assumption)),
            share("lasts", 0, **SOURCED),
        ],
        [benefit("gained", "gain", kind="capacity", decay="lasts")],
        [cost("paid", "pay"), cost("agency", "old", **line)],
        [
            {"name": "nothing", "kind": "do_nothing", "costs": ["agency"]},
            {"name": "ask", "kind": "recommended", "benefits": ["gained"], "costs": ["paid"]},
        ],
    )


# Capacity


@pytest.mark.parametrize(("people", "told"), [(0.1, "fail"), (0.2, "pass"), (10, "pass")])
def test_hours_freed_fit_into_the_team(people, told):
    """207 hours of measured evidence: more than 160, 65 % of 320, 1.3 % of 16,000."""
    result = built(teams(people), {"e": [finding()]})
    assert status(result, "capacity") == told
    assert result.check("capacity").detail.values["share"] == pytest.approx(207 / (people * 1_600))
    assert (result.action == "stop") == (told == "fail")
    assert (result.record()["status"] == "check_failed") == (told == "fail")


def test_a_tenth_of_the_time_needs_logs():
    assert status(built(teams(0.2), {"e": [finding(grade="E")]}), "capacity") == "warn"
    assert status(built(teams(2), {"e": [finding(grade="E")]}), "capacity") == "pass"


def test_a_case_may_let_capacity_not_block():
    result = built(teams(0.1, blocking=[]), {"e": [finding()]})
    assert status(result, "capacity") == "fail"
    assert result.action != "stop"
    assert result.record()["status"] == "complete"


def test_reach_counts_and_what_another_option_takes_does_not():
    declared = teams(0.1)
    declared["options"][1]["reach"] = {"hours": 0.5}
    alone = built(declared, {"e": [finding()]})
    assert status(alone, "capacity") == "pass"
    declared["benefits"].append(declared["benefits"][0] | {"name": "more", "evidence": ["z"]})
    declared["evidence"].append({"id": "z", "run": "time_saved/other"})
    declared["options"].append(
        {"name": "big", "kind": "stretch", "benefits": ["hours", "more"], "costs": ["paid"]}
    )
    both = built(declared, {"e": [finding()], "z": [finding("desk/pm/merge")]})
    assert both.check("capacity") == alone.check("capacity")


def test_a_line_of_which_nothing_is_taken_is_not_looked_at():
    declared = teams(0.1)
    declared["benefits"].append(benefit("sure", "pay", kind="capacity"))
    declared["options"][1] |= {"benefits": ["hours", "sure"], "reach": {"hours": 0}}
    declared["options"].append(
        {"name": "big", "kind": "stretch", "benefits": ["hours"], "costs": ["paid"]}
    )
    result = built(declared, {"e": [finding(grade="F")]})
    assert (status(result, "capacity"), result.said) == ("pass", 0.0)


def test_the_same_hours_are_counted_for_their_own_role_only():
    declared = teams(0.1) | {
        "teams": [
            {"role": "pm", "people": 10, "hours": 1_600},
            {"role": "qa", "people": 0.1, "hours": 1_600},
        ]
    }
    result = built(declared, {"e": [finding(), finding("desk/qa/test", population="qa")]})
    assert (status(result, "capacity"), result.check("capacity").detail.values["role"]) == (
        "fail",
        "qa",
    )


def test_a_team_is_declared_once():
    """Two rows of one team, in the plural and in capitals, would have twice the hours."""
    row = {"role": "pm", "people": 0.1, "hours": 1_600}
    with pytest.raises(InputError) as raised:
        built(teams(0.1) | {"teams": [row, row | {"role": "PMs"}]}, {"e": [finding()]})
    assert [one.field for one in raised.value.problems] == ["teams[2]"]


def test_a_team_is_the_same_however_it_is_written():
    result = built(
        teams(0.1, role="  Chef de Projets "), {"e": [finding(population="chefs-de projet")]}
    )
    assert (status(result, "capacity"), result.check("capacity").detail.values["role"]) == (
        "fail",
        "  Chef de Projets ",
    )


def stated(hours=500, **line):
    """Return the fields of a case whose hours are stated."""
    return fields(
        [
            units("freed", hours, "hours", grade="E"),
            money("rate", 50, "hours"),
            money("pay", 1_000),
        ],
        [benefit("hours", "freed", kind="capacity", worth="rate", **line)],
        [cost("paid", "pay")],
        teams=[{"role": "pm", "people": 2, "hours": 1_600}],
    )


def test_stated_hours_are_held_against_contracts_too():
    result = built(stated(gained_by="pm"))
    assert (status(result, "capacity"), result.check("capacity").value) == ("warn", 500 / 3_200)
    declared = stated(gained_by="pm")
    declared["options"][1]["reach"] = {"hours": 10}
    assert status(built(declared), "capacity") == "fail"


@pytest.mark.parametrize("gained_by", [None, "PMs", "the shop"])
def test_stated_hours_are_of_the_role_that_they_claim(gained_by):
    """Not of who gains by them, who may have more hours than they."""
    declared = stated(claim={"hours": "pm/tag", "of": "desk"}, gained_by=gained_by)
    assert built(declared).check("capacity").value == 500 / 3_200


def test_hours_of_one_team_are_not_gained_by_another():
    declared = stated(claim={"hours": "pm/tag", "of": "desk"}, gained_by="Companies")
    declared["teams"].append({"role": "company", "people": 500, "hours": 1_600})
    with pytest.raises(InputError) as raised:
        built(declared)
    [problem] = raised.value.problems
    assert (problem.key, problem.field) == ("businesscase.other_role", "benefits[1].gained_by")
    assert "pm" in problem.text()


@pytest.mark.parametrize(
    ("hours", "told"),
    [(320, "pass"), (321, "warn"), (3_200, "warn"), (3_201, "fail")],
)
def test_a_tenth_and_all_of_the_time_are_still_allowed(hours, told):
    assert status(built(stated(hours, gained_by="pm")), "capacity") == told


def test_stated_hours_of_nobody_are_told():
    result = built(stated())
    assert status(result, "capacity") == "warn"
    assert sentence(result, "capacity").startswith("hours: hours are freed, but the case does not")


def test_every_line_whose_hours_are_nobodys_is_named():
    declared = stated(claim={"hours": "pm/tag", "of": "desk"}) | {"teams": []}
    declared["benefits"][0].pop("claim")
    declared["assumptions"].append(units("more", 300, "hours", grade="E"))
    more = {"kind": "capacity", "worth": "rate", "apart": "other people's hours"}
    declared["benefits"].append(benefit("more", "more", **more))
    declared["options"][1]["benefits"].append("more")
    assert built(declared).check("capacity").detail.values["names"] == ["hours", "more"]


def test_hours_without_any_team_are_told_once():
    result = built(hours_case(), {"e": [finding()]})
    assert status(result, "capacity") == "warn"
    assert result.check("capacity").detail.values["names"] == ["pm"]
    assert sum("whose" in sentence(result, check.name) for check in result.checks) == 1


def test_a_role_without_a_team_is_told_beside_one_that_has_it():
    found = {"e": [finding("desk/qa/test", population="qa"), finding()]}
    result = built(teams(1), found)
    assert (status(result, "capacity"), status(result, "teams")) == ("pass", "warn")
    assert result.check("teams").detail.values == {"names": ["qa"]}
    assert status(built(teams(1), {"e": [finding()]}), "teams") == "pass"


# Evidence


def graded(grade, **more):
    declared = simple(**more)
    declared["assumptions"][0]["grade"] = grade
    return declared


@pytest.mark.parametrize(
    ("grade", "told"), [("A", "pass"), ("D", "pass"), ("E", "warn"), ("F", "warn")]
)
def test_a_case_of_words_is_told(grade, told):
    assert status(built(graded(grade)), "evidence") == told


def test_half_of_it_may_be_said():
    """A gain of 100,000 that is said, beside 120,000 from logs: 45 %; beside 80,000: 56 %."""
    for beside, told in ((120_000, "pass"), (101_000, "pass"), (80_000, "warn")):
        declared = graded("F")
        declared["assumptions"].append(money("logged", beside))
        declared["benefits"].append(benefit("more", "logged", claim={"budget": "4711"}))
        declared["benefits"][0]["claim"] = {"budget": "4712"}
        declared["options"][1]["benefits"].append("more")
        result = built(declared)
        assert status(result, "evidence") == told
        assert result.check("evidence").detail.values["share"] == pytest.approx(
            100_000 / (100_000 + beside)
        )


def test_an_ended_cost_is_part_of_what_people_say():
    """600,000 a year that are said, beside 100,000 from logs, both from the first month: 6 of 7."""
    result = built(ending(grade="F", ended_from="2027-01-01"))
    assert result.check("evidence").value == result.said == pytest.approx(6 / 7)
    assert status(result, "evidence") == "warn"


# Hard benefits


def lacking(result):
    asked = result.check("hard").detail.values["asked"]
    return {
        message.key.removeprefix("businesscase.hard_"): message.values["names"] for message in asked
    }


ALL = {"owner": ["agency"], "source": ["agency"], "budget": ["agency"]}
LINE = {"claim": {"budget": "4711"}}


@pytest.mark.parametrize(
    ("line", "assumption", "missing"),
    [
        ({}, {}, ALL),
        ({"owner": "controller"}, SOURCED, {"budget": ["agency"]}),
        ({"owner": "controller", **LINE}, SOURCED, {}),
        ({"owner": "controller, budget line 4711"}, SOURCED, {}),
        ({"owner": "contrôle de gestion, ligne 6226"}, SOURCED, {}),
        ({"owner": "controller, cost centre A-12"}, SOURCED, {}),
        ({"owner": "controller, account 62", "claim": {"budget": "?"}}, SOURCED, {}),
        ({"owner": "controller"} | LINE, {"file": "gone.csv"}, {}),
        ({"owner": "controller"} | LINE, {"source": "?"}, {"source": ["agency"]}),
        ({"owner": "controller", "claim": {"budget": "?"}}, SOURCED, {"budget": ["agency"]}),
        ({"owner": "controller", "claim": "agency"}, SOURCED, {"budget": ["agency"]}),
        ({"owner": "head of the budget office"}, SOURCED, {"budget": ["agency"]}),
        (LINE, SOURCED, {"owner": ["agency"]}),
    ],
)
def test_an_ended_cost_that_is_hard_has_owner_source_and_budget_line(line, assumption, missing):
    result = built(ending(assumption=assumption, benefit="hard", **line))
    assert lacking(result) == missing
    assert (status(result, "hard") == "warn") == bool(missing)
    assert all(name in sentence(result, "hard") for names in missing.values() for name in names)


def test_a_hard_gain_has_them_too():
    declared = simple()
    assert lacking(built(declared)) == {name: ["gained"] for name in ALL}
    declared["benefits"][0] |= {"owner": "controller", "claim": {"budget": "travel"}}
    assert lacking(built(declared)) == {"source": ["gained"]}
    declared["assumptions"][0]["source"] = "ledger of 2025"
    result = built(declared)
    assert (status(result, "hard"), key(result, "hard")) == ("pass", "pass")


def test_hard_hours_name_holder_and_budget_line_where_they_become_cash():
    cash = {"budget": "6411", "holder": "RH", "date": "2027-01-01", "posts": 1}
    declared = stated(1_700, claim={"hours": "pm/tag", "of": "desk"}, cash=cash)
    declared["benefits"][0]["kind"] = "hard"
    declared["assumptions"][0]["source"] = "time log"
    assert status(built(declared), "hard") == "pass"


def test_a_case_without_hard_gains_says_so():
    result = built(ending())
    assert (status(result, "hard"), key(result, "hard")) == ("pass", "none")
    assert "no cashable benefit" in sentence(result, "hard")


def test_a_hard_line_that_only_another_option_takes_is_not_looked_at():
    declared = ending()
    declared["benefits"].append(benefit("firm", "gain"))
    declared["options"].append(
        {"name": "big", "kind": "stretch", "benefits": ["firm"], "costs": ["paid"]}
    )
    assert key(built(declared), "hard") == "none"


# Recapture, cash


@pytest.mark.parametrize(
    ("value", "grade", "told"),
    [(0.7, "F", "warn"), (0.7, "E", "warn"), (0.7, "D", "pass"), (0.6, "F", "pass")],
)
def test_much_recapture_needs_logs(value, grade, told):
    declared = hours_case()
    declared["assumptions"][2].update(likely=value, grade=grade)
    result = built(declared, {"e": [finding()]})
    assert (status(result, "recapture"), key(result, "recapture")) == (told, told)


def test_recapture_without_hours_says_so():
    assert key(built(simple()), "recapture") == "none"


def test_cash_that_turns_again_is_told():
    declared = fields(
        [money("gain", 12_000), money("pay", 100, "once"), money("late", 100_000, "once")],
        [benefit("g", "gain")],
        [cost("c", "pay"), cost("later", "late", starts="2028-01-01")],
    )
    result = built(declared)
    assert (status(result, "cash"), result.recommended.negative_again) == ("warn", 1.0)
    assert key(built(simple()), "cash") == "pass"


@pytest.mark.parametrize(("likely", "told"), [(0.04, "pass"), (0.07, "warn")])
def test_one_draw_in_twenty_may_turn_again(likely, told):
    declared = fields(
        [
            money("gain", 12_000),
            money("pay", 100, "once"),
            money("late", 100_000, "once"),
            share("chance", likely),
        ],
        [benefit("g", "gain")],
        [cost("c", "pay"), cost("later", "late", starts="2028-01-01", probability="chance")],
    )
    result = built(declared, draws=10_000)
    assert result.recommended.negative_again == pytest.approx(likely, abs=0.01)
    assert status(result, "cash") == told


def test_what_never_pays_back_says_so():
    declared = simple()
    declared["assumptions"][1]["likely"] = 200_000
    assert key(built(declared), "cash") == "none"


# Days, files, targets


def test_an_assumption_that_is_overdue_is_named():
    declared = simple()
    assert key(built(declared), "ledger") == "none"
    declared["assumptions"][0] |= {"checked": "2026-01-01", "next_check": "2026-10-04"}
    result = built(declared)
    assert (status(result, "ledger"), result.check("ledger").detail.values) == (
        "warn",
        {"ids": ["gain"]},
    )
    declared["assumptions"][0]["next_check"] = DAY.isoformat()
    assert key(built(declared), "ledger") == "pass"


@pytest.mark.parametrize(
    ("kind", "beside", "told"),
    [("hard", 900_000, "warn"), ("capacity", 900_000, "pass"), ("capacity", 90_000, "warn")],
)
def test_hard_money_and_half_of_the_value_have_been_checked(kind, beside, told):
    """600,000 a year that nobody checked, beside what somebody did."""
    declared = ending(assumption={}, benefit=kind, ended_from="2027-01-01")
    declared["assumptions"][0]["likely"] = beside
    result = built(declared)
    assert status(result, "unchecked") == told
    assert result.check("unchecked").detail.values == {"names": ["agency"]}
    for day, count in (("2025-10-04", 0), ("2025-10-03", 1)):  # a year and a day before the case
        declared["assumptions"][2]["checked"] = day
        assert built(declared).check("unchecked").value == count


def test_one_hard_line_among_those_that_nobody_checked_is_enough():
    declared = ending(100_000, assumption={}, benefit="hard", ended_from="2027-01-01")
    declared["assumptions"][0] |= {"likely": 900_000}
    declared["assumptions"] += [money("small", 1_000)]
    declared["benefits"].append(benefit("small", "small", kind="capacity", decay="lasts"))
    declared["options"][1]["benefits"].append("small")
    assert status(built(declared), "unchecked") == "warn"
    declared["costs"][1]["benefit"] = "capacity"
    assert status(built(declared), "unchecked") == "pass"


def test_exactly_half_of_the_value_may_be_unchecked():
    declared = ending(100_000, assumption={}, ended_from="2027-01-01", claim={"budget": "4711"})
    declared["benefits"][0]["claim"] = {"budget": "4712"}
    assert (status(built(declared), "unchecked"), built(declared).said) == ("pass", 0)


def test_files_that_are_gone_are_told_and_none_is_told_too(tmp_path):
    assert key(built(simple()), "files") == "none"
    declared = simple()
    there = source(tmp_path / "there.csv")
    declared["assumptions"][0] |= {"file": str(tmp_path / "there.csv"), "sha256": there.sha256}
    assert key(built(declared), "files") == "pass"
    declared["assumptions"][0]["file"] = str(tmp_path / "gone.csv")
    assert built(declared).check("files").detail.values == {"ids": ["gain"]}


def test_a_target_is_owed_once_it_is_due():
    assert key(built(simple()), "debts") == "none"
    due = built(simple(), as_of=datetime.date(2027, 12, 31))
    assert due.check("debts").detail.values == {"names": ["weeks to decision"]}
    assert status(due, "debts") == "warn"


# All of them


def test_every_check_has_its_name_once_its_words_and_a_plain_record():
    many = simple(finance={"rate": 0.5})
    for result in (built(many), built(ending()), built(teams(0.1), {"e": [finding()]})):
        names = [check.name for check in result.checks]
        assert len(names) == len(set(names))
        for name in names:
            assert sentence(result, name)
            assert all(result.voice(each)(f"check_{name}") for each in LANGUAGES)
        assert json.loads(json.dumps(result.record()["checks"])) == result.record()["checks"]


def test_the_blocking_check_stands_first():
    for result in (built(simple()), built(teams(0.1), {"e": [finding()]})):
        assert [check.name for check in result.checks if check.blocking] == ["capacity"]
        assert result.checks[0].name == "capacity"


def test_the_first_questions_are_asked_in_full_and_the_rest_counted():
    guesses = [money(f"g{number}", 1_000 + 100 * number, grade="F") for number in range(5)]
    declared = fields(
        [*guesses, money("pay", 60_000, source="payroll")],
        [benefit(guess["id"], guess["id"], kind="capacity") for guess in guesses],
        [cost("paid", "pay")],
    )
    declared["assumptions"][-1]["source"] = "nothing is paid today"
    result = built(declared)
    assert result.check("points").value == 5
    assert "And 2 more like this." in sentence(result, "points")
    assert len(result.check("points").detail.values["asked"]) == 4


def test_questions_name_their_figures_in_either_language():
    declared = ending(assumption=SOURCED)
    declared["assumptions"].append(share("usage", 0.85, grade="F"))
    declared["benefits"][0]["adoption"] = "usage"
    declared["assumptions"][1]["source"] = "payroll"
    result = built(declared)
    assert "usage is stated as almost certain (0.85, grade F)" in sentence(result, "points")
    french = sentence(result, "points", "fr")
    assert "usage est donné comme presque certain (0,85, grade F)" in french
