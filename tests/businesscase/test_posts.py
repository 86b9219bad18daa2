"""Freed hours are cash when whole posts are given up, or units are no longer bought."""

import copy

import numpy as np
import pytest
from cases import benefit, cost, fields, finding, hours_case, money, share, units

from opslab.businesscase import Case, build
from opslab.errors import InputError
from opslab.evidence import Quantity

POST = {"budget": "6411", "holder": "people team", "date": "2027-01-01", "posts": 1}
UNIT = {"budget": "6226", "holder": "purchasing", "date": "2027-01-01", "unit": "hour"}
TEAM = {"role": "pm", "people": 14, "hours": 1600}
KNOWN = dict.fromkeys(["p5", "p25", "p50", "p75", "p95"], 2500.0)
HOURS = Quantity("quantiles", KNOWN, 2500.0, 2500.0, 2500.0, 0.9)  # of which 80 % are used


def declared(cash=None, teams=(TEAM,), **line):
    line = {"cash": cash, "kind": "hard", "decay": None, **line}
    return hours_case(line=line, teams=list(teams))


def hard(**more):
    return finding(quantity=HOURS, benefit="hard", **{"claim": "hours:pm/tag"} | more)


def told(spec, *found):
    """Return the keys and fields of what is refused."""
    try:
        build(Case(**spec), {"e": list(found or [hard()])}, draws=1_000)
    except InputError as error:
        return [(one.key.removeprefix("businesscase."), one.field) for one in error.problems]
    return []


def stated(per="hour", cash=UNIT, claim=None, **more):
    """A case whose hard gain is a stated quantity of time."""
    return fields(
        [
            units("saved", 2500, per),
            money("rate", 50, more.pop("each", per)),
            money("pay", 9),
            share("use", 0.8),
        ],
        [
            {
                "name": "hours",
                "gain": "time",
                "quantity": "saved",
                "worth": "rate",
                "kind": "hard",
                "starts": "2027-01-01",
                "cash": cash,
                "claim": claim,
                "adoption": "use",
                "gained_by": more.pop("gained_by", None),
            }
        ],
        [cost("paid", "pay")],
        **more,
    )


def third(statement, kind="hard"):
    """A case whose hard gain is money, of a post by its statement."""
    line = benefit("desk", "part", gain="time", kind=kind, claim={"budget": 6411})
    return fields(
        [money("part", 24_000, statement=statement), money("pay", 9)], [line], [cost("paid", "pay")]
    )


SCHEDULE = ["work", "use"]
CONTRACTORS = {"hours": "contractors", "of": "time sheets"}
OWN = {"hours": "PM/tag", "of": "survey"}


@pytest.mark.parametrize(
    ("spec", "key"),
    [
        (declared(), ("no_cash", "benefits[1].kind")),
        (stated(cash=None), ("no_cash", "benefits[1].kind")),
        (stated("day", cash=None), ("time_unit", "benefits[1].quantity")),
        (stated("FTE", cash=None), ("time_unit", "benefits[1].quantity")),
        (declared(POST, [TEAM | {"people": 0.9}]), ("too_few_hours", "benefits[1].cash")),
        (declared(POST, decay="wear"), ("too_few_hours", "benefits[1].cash")),
        (declared(POST, ramp_months=18), ("too_few_hours", "benefits[1].cash")),
        (
            declared(POST | {"date": "2028-01-01"}, ramp_months=18),
            ("too_few_hours", "benefits[1].cash"),
        ),
        (
            declared(POST, [TEAM], adoption=None, schedule=["tenth", "use"])
            | {"assumptions": [*declared()["assumptions"], share("tenth", 0.1)]},
            ("too_few_hours", "benefits[1].cash"),
        ),
        (stated("headcount", cash=None), ("time_unit", "benefits[1].quantity")),
        (third("A third of a post over fourteen people"), ("post_money", "benefits[1].quantity")),
        (third({"en": "Desk", "fr": "Un tiers de poste"}), ("post_money", "benefits[1].quantity")),
        (stated(claim=OWN | {"hours": "pms/tag"}, teams=[TEAM]), ("own_staff", "benefits[1].cash")),
        (
            stated(claim=OWN | {"hours": "product/tag"}, teams=[TEAM], gained_by="PMs"),
            ("other_role", "benefits[1].gained_by"),
        ),
        (declared(POST | {"posts": 2}), ("too_few_hours", "benefits[1].cash")),
        (declared(POST, [TEAM | {"hours": 2001}]), ("too_few_hours", "benefits[1].cash")),
        (
            stated(cash=POST | {"posts": 2}, claim=OWN, teams=[TEAM]),
            ("too_few_hours", "benefits[1].cash"),
        ),
        (declared(POST, ()), ("whose_hours", "benefits[1].cash")),
        (declared(POST, [TEAM | {"role": "support"}]), ("whose_hours", "benefits[1].cash")),
        (stated(cash=POST, teams=[TEAM]), ("whose_hours", "benefits[1].cash")),
        (stated(), ("whose_hours", "benefits[1].cash")),
        (stated(claim="hours:contractors"), ("whose_hours", "benefits[1].cash")),
        (declared(UNIT), ("own_staff", "benefits[1].cash")),
        (stated(claim=OWN, teams=[TEAM]), ("own_staff", "benefits[1].cash")),
        (declared(UNIT | {"unit": "day"}, ()), ("cash_unit", "benefits[1].cash")),
        (
            stated(cash=UNIT | {"unit": "days"}, claim=CONTRACTORS),
            ("cash_unit", "benefits[1].cash"),
        ),
        (stated("day", cash=POST, claim=OWN, teams=[TEAM]), ("time_unit", "benefits[1].quantity")),
        (declared(POST | {"date": "2026-12-01"}), ("release_day", "benefits[1].cash")),
        (declared(POST | {"date": "2030-01-01"}), ("release_day", "benefits[1].cash")),
        (
            declared(POST | {"date": "2028-07-01"}, ends="2028-06-30"),
            ("release_day", "benefits[1].cash"),
        ),
        *(
            (declared(POST | {"holder": name}), ("nobody_holds", "benefits[1].cash"))
            for name in ("?", "-", "tbd", "n/a", "xx", "N.N.", "à définir", "42")
        ),
        (declared(POST | {"budget": "?"}), ("nobody_holds", "benefits[1].cash")),
        (declared(POST, owner="?"), ("nobody", "benefits[1].owner")),
    ],
)
def test_hard_hours_that_are_no_cash(spec, key):
    assert told(spec) == [key]


@pytest.mark.parametrize(
    "spec",
    [
        declared(POST),
        declared(POST | {"date": "2028-09-01"}, ramp_months=18),
        third("Licence of the desk, no longer paid"),
        third("A third of a post over fourteen people", kind="capacity"),
        declared(POST, [TEAM | {"role": "PMs", "hours": 2000}]),
        declared(UNIT, ()),
        declared(UNIT, [TEAM | {"role": "support"}]),
        declared(kind="capacity"),
        stated(claim=CONTRACTORS),
        stated("late week", cash=None),
        stated("day", cash=UNIT | {"unit": "days"}, claim=CONTRACTORS),
        stated(cash=POST, claim=OWN, teams=[TEAM]),
        stated("heures", cash=POST, claim=OWN, teams=[TEAM]),
        stated("hour", each="heure", cash=UNIT | {"unit": "Heures"}, claim=CONTRACTORS),
        declared(
            POST | {"date": "2028-01-01"},
            [TEAM | {"hours": 2500}],
            adoption=None,
            schedule=["work", "all"],
        )
        | {"assumptions": [*declared()["assumptions"], share("all", 1)]},
    ],
)
def test_hard_hours_that_are_cash(spec):
    assert told(spec) == []


def test_two_roles_are_two_lines():
    both = [hard(), hard(name="desk/support/tag", claim="hours:support/tag", population="support")]
    teams = [TEAM, TEAM | {"role": "support"}]
    assert told(declared(POST, teams), *both) == [("whose_hours", "benefits[1].cash")]
    assert told(declared(UNIT, teams[1:]), *both) == [("own_staff", "benefits[1].cash")]


def test_cash_is_said_of_hard_hours_alone():
    assert told(declared(POST, kind="capacity")) == [("idle_cash", "benefits[1].cash")]
    money_line = declared()
    money_line["benefits"][0] = {
        "name": "hours",
        "gain": "time",
        "quantity": "pay",
        "kind": "hard",
        "starts": "2027-01-01",
        "cash": POST,
    }
    assert told(money_line) == [("idle_cash", "benefits[1].cash")]


@pytest.mark.parametrize(
    ("reach", "posts", "keys"),
    [(0.5, 1, ["part_of_post"]), (0.5, 2, []), (1, 1, []), (2, 1, []), (1.5, 1, ["part_of_post"])],
)
def test_an_option_takes_whole_posts(reach, posts, keys):
    spec = declared(POST | {"posts": posts}, [TEAM | {"hours": 900}])
    spec["options"][1]["reach"] = {"hours": reach}
    assert [key for key, _ in told(spec)] == keys


def test_a_part_of_a_post_over_many_people_is_told():
    spec = declared(POST, [TEAM])
    tenth = finding(
        quantity=Quantity("quantiles", dict.fromkeys(KNOWN, 600.0), 600, 600, 600, 0.9),
        benefit="hard",
        claim="hours:pm/tag",
    )
    with pytest.raises(InputError) as raised:
        build(Case(**spec), {"e": [tenth]}, draws=1_000)
    [problem] = raised.value.problems
    said = {language: problem.text(language).replace("\u202f", ",") for language in ("en", "fr")}
    assert all("480" in text and "1,600" in text and "14" in text for text in said.values())


def npv(spec, *found):
    result = build(Case(**spec), {"e": list(found or [hard()])}, draws=1_000)
    return result.recommended.benefits["hard"].mean, result


def test_what_is_counted_is_the_posts_hours_from_the_day_of_release():
    """By hand: a post of 1,600 hours at 50, from a year after the start, to the end of three years."""
    brought, result = npv(declared(POST | {"date": "2028-01-01"}, decay=None))
    months = np.arange(13, 37)  # what is earned in a month comes at its end
    by_hand = float((1600 * 50 / 12 * 1.1 ** (-months / 12)).sum()) * 0.5  # recapture
    assert brought == pytest.approx(by_hand, rel=1e-9)
    [test] = result.posts
    assert (test.line, test.posts, test.budget, test.holder) == ("hours", 1, "6411", "people team")
    assert (test.freed_hours, test.posts_hours, test.people) == pytest.approx((2000, 1600, 14))


def test_a_post_is_given_up_whole_or_not_at_all():
    """However the hours come into use, the same post is saved from its release on."""
    late = POST | {"date": "2028-09-01"}
    plain, slow = (npv(declared(late, **more)) for more in ({}, {"ramp_months": 18}))
    assert slow[0] == pytest.approx(plain[0], rel=1e-12)


def test_no_draw_holds_more_than_the_post():
    """2,500 to 7,500 hours of which 80 % are used: in each draw, 1,600 hours at 50, half recaptured."""
    ends = {"p5": 2500.0, "p25": 4000.0, "p50": 5000.0, "p75": 6000.0, "p95": 7500.0}
    wide = finding(
        quantity=Quantity("quantiles", ends, 5000.0, 2500.0, 7500.0, 0.9),
        benefit="hard",
        claim="hours:pm/tag",
    )
    brought, result = npv(declared(POST, recapture=None), wide)
    months = np.arange(1, 37)
    assert brought == pytest.approx(float((1600 * 50 / 12 * 1.1 ** (-months / 12)).sum()), rel=1e-9)
    hard_money = result.recommended.benefits["hard"]
    assert hard_money.p10 == pytest.approx(hard_money.p90, rel=1e-12)
    [line] = [line for line in result.lines if line.name == "hours"]
    assert np.prod([factor.mean for factor in line.factors]) == pytest.approx(1600 * 50)


def test_units_that_are_bought_count_whole():
    brought, result = npv(declared(UNIT, (), recapture=None, decay=None))
    months = np.arange(1, 37)
    by_hand = float((2500 * 0.8 * 50 / 12 * 1.1 ** (-months / 12)).sum())
    assert brought == pytest.approx(by_hand, rel=1e-9)
    assert result.posts == ()


def test_more_freed_hours_bring_no_more_than_the_posts():
    more = copy.deepcopy(KNOWN) | dict.fromkeys(KNOWN, 5000.0)
    twice = finding(
        quantity=Quantity("quantiles", more, 5000, 5000, 5000, 0.9),
        benefit="hard",
        claim="hours:pm/tag",
    )
    assert npv(declared(POST), twice)[0] == pytest.approx(npv(declared(POST))[0], rel=1e-9)


def test_a_team_may_give_up_all_of_its_posts_and_no_more():
    """2,000 hours used, of one person of 1,600."""
    alone = TEAM | {"people": 1}
    assert told(declared(POST, teams=(alone,))) == []
    assert told(declared(POST | {"posts": 2}, teams=(TEAM | {"hours": 900, "people": 1},))) == [
        ("too_few_hours", "benefits[1].cash")
    ]


def test_a_release_before_the_horizon_is_looked_at_from_its_first_month():
    """A ramp of a year does not hold the post in its first months, whenever it was given up."""
    line = {"ramp_months": 12, "starts": "2026-12-01"}
    early = POST | {"date": "2026-12-15"}
    assert told(declared(early, **line))[0][0] in ("release_day", "too_few_hours")
