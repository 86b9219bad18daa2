"""What nobody would believe at once: each doubt on a small case, and plausible cases without any."""

import json

import pytest
from cases import KPI, benefit, cost, fields, money, share, simple

from opslab.businesscase import build, plausibility
from opslab.businesscase.spec import Case

CHECKS = tuple(plausibility.QUESTIONS)


def plausible(assumptions=(), costs=(), **more):
    """Return the fields of a case that nobody would ask anything about, with more lines.

    Two posts of three years with a pay rise, a tool in dollars, a one-off cost with a range.
    """
    own = {
        "exchange": [
            {"from": "USD", "to": "EUR", "rate": 0.92, "date": "2026-09-30", "source": "bank"}
        ]
    }
    declared = fields(
        [
            money("gain", (150_000, 260_000), grade="E"),
            money("pay", 120_000),
            share("wages", (0.02, 0.04)),
            money("licence", 20_000, currency="USD"),
            money("project", (9_000, 16_000), "once", grade="E"),
            *assumptions,
        ],
        [benefit("gained", "gain", kind="capacity")],
        [
            cost("posts", "pay", kind="people", trend="wages"),
            cost("tool", "licence", kind="tool"),
            cost("set-up", "project", kind="tool"),
            *costs,
        ],
        **({"finance": own | more.pop("finance", {})} | more),
    )
    for assumption in declared["assumptions"]:
        assumption.setdefault("source", "invoices")
    for line in declared["costs"]:  # the plain rows that a test adds are taken too
        if line["name"] not in (*declared["options"][1]["costs"], "idle"):
            declared["options"][1]["costs"].append(line["name"])
    return declared


def asked(declared, **more):
    """Return the keys of what is asked, and of whom, by check; nothing else is looked at."""
    result = build(Case(**declared), draws=1_000, **more)
    return {
        name: [
            (message.key.removeprefix(f"businesscase.{name}_"), message.values)
            for message in result.check(name).detail.values["asked"]
        ]
        for name in CHECKS
        if result.check(name).status != "pass"
    }


def kinds(declared, **more):
    return {name: [kind for kind, _ in found] for name, found in asked(declared, **more).items()}


def changed(declared, field, number, **more):
    """Return fields with some of one row's changed."""
    declared[field][number] |= more
    return declared


# What is plausible


@pytest.mark.parametrize(
    "declared",
    [
        plausible(),
        plausible(finance={"rate": 0.02}),
        plausible(finance={"rate": 0.25}),
        plausible(finance={"rate": 0.0, "terms": "real"}, assumptions=[]),
        plausible(finance={"exchange": []} | {"horizon_months": 12}),
        plausible([money("hire", 9_000, "once")], [cost("hire", "hire", kind="people")]),
        plausible([money("course", 9_000, "once")], [cost("course", "course", kind="training")]),
        plausible(
            [money("build", 5_000, "month"), share("late", 0.4, source="ten such builds")],
            [cost("build", "build", kind="people", ends="2027-12-31", uplift="late")],
        ),
        plausible(
            [money("build", (4_000, 7_000), "month")],
            [cost("build", "build", kind="people", ends="2027-12-31", trend="wages")],
        ),
        plausible(
            [money("help", 5_000, "month")],
            [cost("help", "help", kind="people", ends="2027-05-31")],
        ),
        plausible(
            [money("rent", 5_000, "month")], [cost("rent", "rent", kind="tool", ends="2028-12-31")]
        ),
        plausible([money("gift", 0, grade="F")], [cost("gift", "gift")]),
        plausible([money("unused", 7_000, grade="F")]),
        plausible(
            risks=[
                {
                    "risk": "r",
                    "owner": "o",
                    "trigger": "t",
                    "amount": "project",
                    "likelihood": 0.2,
                    "starts": "2027-06-01",
                }
            ]
        ),
        plausible(
            kpis=[KPI | {"baseline": 0, "target": 700, "low": 400, "high": 1_000, "kill": 200}]
        ),
    ],
)
def test_a_plausible_case_is_asked_nothing(declared):
    if declared["finance"].get("terms") == "real":
        declared["costs"][0].pop("trend")
    if not declared["finance"]["exchange"]:
        declared["assumptions"][3]["currency"] = "EUR"
    assert asked(declared) == {}


# Points


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ({"grade": "E"}, ["guess"]),
        ({"grade": "F"}, ["guess"]),
        ({"grade": "D"}, None),
        ({"grade": "F", "low": 100_000, "high": 140_000, "likely": None}, None),
        ({"grade": "F", "low": 120_000, "high": 120_000, "likely": None}, ["guess"]),
        ({"grade": "F", "low": 119_000, "likely": 120_000, "high": 121_000}, ["guess"]),
        ({"grade": "F", "low": 117_100, "high": 122_900, "likely": None}, ["guess"]),  # 4.8 %
        ({"grade": "F", "low": 116_900, "high": 123_100, "likely": None}, None),  # 5.2 %
        ({"grade": "F", "low": 110_000, "likely": 120_000, "high": 130_000}, None),
        ({"grade": "D", "source": None}, ["unsourced"]),
        ({"grade": "A", "source": "?"}, ["unsourced"]),
        ({"grade": "A", "source": None, "file": "log.csv", "sha256": None}, None),
        ({"grade": "F", "source": None}, ["guess"]),
        ({"grade": "F", "source": None, "low": 90_000, "high": 140_000, "likely": None}, None),
    ],
)
def test_a_guess_is_no_single_number(line, told):
    result = asked(changed(plausible(), "assumptions", 1, **line))
    assert [kind for kind, _ in result.get("points", [])] == (told or [])
    if told:
        [(_, values)] = result["points"]
        assert (values["ids"], values["grade"]) == (["pay"], line["grade"])
        assert values["value"] == pytest.approx(120_000, rel=1e-3)


def test_what_an_unused_assumption_says_matters_to_nobody():
    unused = [money("unused", 7_000, grade="F"), money("bare", 1, source="?")]
    assert asked(plausible(unused)) == {}
    guess = [money("guess", 7_000, "once", grade="F")]
    line = cost("hire", "guess", kind="people")
    assert kinds(plausible([*unused, *guess], [line])) == {"points": ["guess"]}


def test_a_guess_of_nothing_is_no_range():
    declared = changed(plausible(), "assumptions", 1, grade="F", likely=0)
    assert "points" not in asked(declared)


@pytest.mark.parametrize(
    ("when", "told"),
    [("2026-11-30", ["asked"]), ("2026-12-01", None), ("2030-01-01", ["asked"])],
)
def test_nothing_is_ended_before_anything_starts(when, told):
    declared = plausible(finance={"start": "2026-11-01"})
    declared["assumptions"][-1]["likely"] = 1_000
    declared["costs"][3]["ended_from"] = when
    for line in (*declared["costs"][:3], *declared["benefits"]):
        line["starts"] = "2026-12-01"
    assert declared["costs"][3]["name"] == "idle"
    assert kinds(declared).get("dates") == told


def test_a_number_whose_file_is_gone_has_a_range_by_then():
    declared = changed(plausible(), "assumptions", 1, file="gone.csv", grade="F")
    assert "points" not in asked(declared)


# Rates


@pytest.mark.parametrize(
    ("finance", "told"),
    [
        ({"rate": 0.019}, "nominal"),
        ({"rate": -0.01}, "nominal"),
        ({"rate": 0.26}, "nominal"),
        ({"rate": 0.26, "terms": "real"}, "real"),
        ({"rate": -0.01, "terms": "real"}, "real"),
    ],
)
def test_a_discount_rate_out_of_line_is_asked(finance, told):
    declared = plausible(finance=finance)
    declared["costs"][0].pop("trend") if told == "real" else None
    [(kind, values)] = asked(declared)["rates"]
    assert (kind, values["rate"]) == (told, finance["rate"])


@pytest.mark.parametrize(
    ("given", "rate", "day", "told"),
    [
        ("USD", 92, "2026-09-30", ["exchange"]),
        ("USD", 0.0092, "2026-09-30", ["exchange"]),
        ("USD", 1.8, "2026-09-30", ["exchange"]),
        ("USD", 0.5, "2026-09-30", ["exchange"]),
        ("USD", 0.81, "2026-09-30", []),
        ("USD", 0.45, "2026-09-30", ["exchange"]),
        ("USD", 0.99, "2026-09-30", []),
        ("USD", 1.08, "2026-09-30", ["exchange"]),  # dollars to the euro
        ("GBP", 0.85, "2026-09-30", ["exchange"]),
        ("GBP", 1.1, "2026-09-30", []),
        ("GBP", 1.35, "2026-09-30", []),
        ("GBP", 2.4, "2026-09-30", ["exchange"]),
        ("CHF", 0.96, "2026-09-30", []),
        ("JPY", 164, "2026-09-30", ["exchange"]),  # turned round
        ("JPY", 0.006, "2026-09-30", []),
        ("USD", 0.92, "2025-10-04", []),  # a year and a day before 5 October 2026
        ("USD", 0.92, "2025-10-03", ["old"]),
        ("USD", 92, "2024-01-01", ["exchange", "old"]),
        ("XTS", 3, "2026-09-30", ["unknown"]),
        ("XTS", 3, "2024-09-30", ["unknown", "old"]),
    ],
)
def test_rates_of_exchange_are_held_against_rough_ones(given, rate, day, told):
    exchange = [{"from": given, "to": "EUR", "rate": rate, "date": day, "source": "bank"}]
    declared = changed(plausible(finance={"exchange": exchange}), "assumptions", 3, currency=given)
    found = asked(declared).get("rates", [])
    assert [kind for kind, _ in found] == told
    assert all((values["given"], values["rate"]) == (given, rate) for _, values in found)


def test_a_case_in_another_currency_is_compared_by_way_of_the_euro():
    """A pound was about 1.28 dollars in 2024 (Bank of England, mean of the year: 1.2781)."""
    assert plausibility.rough_rate("GBP", "USD") == pytest.approx(1.2781, rel=0.02)
    assert plausibility.rough_rate("USD", "USD") == 1


# Days


def test_money_before_the_decision_is_asked():
    declared = plausible(decision={"wanted": "approve", "by": "2027-01-15", "who": "cpo"})
    result = build(Case(**declared), draws=1_000).check("dates")
    assert result.value == 4  # three costs and a gain, all from 1 January 2027
    kind, values = asked(declared)["dates"][0]
    assert (kind, values["day"].isoformat(), values["least"].isoformat()) == (
        "asked",
        "2027-01-01",
        "2027-01-15",
    )


@pytest.mark.parametrize(
    ("by", "told"), [("2026-12-31", None), ("2027-01-01", None), ("2027-01-02", ["asked"] * 3)]
)
def test_money_on_the_day_of_the_decision_is_not_before_it(by, told):
    declared = plausible(decision={"wanted": "approve", "by": by, "who": "cpo"})
    assert kinds(declared).get("dates", [])[:3] == (told or [])


def test_doing_nothing_may_cost_before_the_decision():
    declared = plausible()
    declared["costs"][-1]["starts"] = "2020-01-01"
    assert declared["costs"][-1]["name"] == "idle"
    assert asked(declared) == {}


def test_a_gain_that_starts_with_a_step_is_dated_by_its_end():
    step = {"id": "go", "name": "go", "starts": "2026-10-06", "ends": "2026-11-17"}
    declared = plausible(
        finance={"start": "2026-10-01"},
        roadmap=[step],
        decision={"wanted": "a", "by": "2026-11-16", "who": "c"},
    )
    declared["benefits"][0]["starts"] = "go"
    for line in declared["costs"][:3]:
        line["starts"] = "2026-11-16"
    assert asked(declared) == {}
    declared["costs"][0]["starts"] = "go"
    [(kind, values)] = asked(declared)["dates"]
    assert (kind, values["name"]) == ("asked", "posts")


@pytest.mark.parametrize(
    ("due", "told"),
    [
        ("2026-12-31", ["asked"]),
        ("2027-01-01", None),
        ("2029-12-31", None),
        ("2030-01-01", ["asked"]),
    ],
)
def test_a_target_is_due_while_the_case_lasts(due, told):
    assert kinds(plausible(kpis=[KPI | {"date": due}])).get("dates") == told


def test_targets_are_due_after_the_first_of_what_an_option_has():
    declared = plausible(kpis=[KPI | {"date": "2027-05-31"}])
    for line in (*declared["costs"][1:3], *declared["benefits"]):
        line["starts"] = "2027-06-01"
    assert asked(declared) == {}
    declared["costs"][0]["starts"] = "2027-06-01"
    [(kind, values)] = asked(declared)["dates"]
    assert (kind, values["least"].isoformat()) == ("asked", "2027-06-01")


def test_a_risk_that_comes_with_a_step_is_dated_by_its_end():
    step = {"id": "go", "name": "go", "starts": "2026-12-01", "ends": "2027-01-31"}
    risk = {"risk": "late", "owner": "o", "trigger": "t", "amount": "project", "likelihood": 0.2}
    decision = {"wanted": "a", "by": "2026-12-15", "who": "c"}
    risks = [risk | {"starts": "go"}]
    assert asked(plausible(risks=risks, roadmap=[step], decision=decision)) == {}


def test_a_risk_is_paid_once_something_has_started():
    risk = {"risk": "late", "owner": "o", "trigger": "t", "amount": "project", "likelihood": 0.2}
    decision = {"wanted": "approve", "by": "2027-02-15", "who": "cpo"}
    for day, told in (("2027-02-28", ["asked"]), ("2027-03-01", None)):
        declared = plausible(risks=[risk | {"starts": day}], decision=decision)
        for line in (*declared["costs"][:3], *declared["benefits"]):
            line["starts"] = "2027-03-01"
        assert kinds(declared).get("dates") == told


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ({}, ["ended"]),
        ({"starts": "2027-01-01"}, None),
    ],
)
def test_what_ends_with_the_first_of_several_gains_is_asked(line, told):
    """A gain of 9,000 a year would end what the gain of 200,000 a year replaces, a year early."""
    declared = plausible([money("tiny", 9_000)])
    declared["benefits"][0]["starts"] = "2028-01-01"
    small = benefit(
        "tiny", "tiny", kind="quality", starts="2027-01-01", claim={"metric": "x", "of": "y"}
    )
    declared["benefits"].append(small)
    declared["options"][1]["benefits"].append("tiny")
    declared["benefits"][0] |= line
    assert kinds(declared).get("dates") == told
    declared["costs"][3]["ended_from"] = "2028-01-01"
    assert "dates" not in kinds(declared)


# Terms


@pytest.mark.parametrize(
    ("line", "terms", "told"),
    [
        ({"trend": "wages"}, "real", ["growth"]),
        ({"trend": "wages", "kind": "tool"}, "real", ["growth"]),
        ({"trend": "wages", "kind": "upkeep"}, "real", ["growth"]),
        ({"trend": "wages", "kind": "other"}, "real", ["growth"]),
        ({"trend": "still"}, "real", None),
        ({}, "real", None),
        ({}, "nominal", ["flat"]),
        ({"kind": "upkeep"}, "nominal", None),
        ({"trend": "still"}, "nominal", None),  # somebody has thought of it
        ({"trend": "fast"}, "nominal", ["fast"]),
        ({"trend": "fast", "kind": "other"}, "nominal", ["fast"]),
        ({"trend": "fast", "kind": "other"}, "real", ["growth"]),
        ({"trend": "doubling"}, "nominal", None),
        ({"starts": "2028-01-01"}, "nominal", ["flat"]),
        ({"starts": "2028-02-01"}, "nominal", None),
        ({"starts": "2027-01-01", "ends": "2028-12-31"}, "nominal", ["flat"]),
        ({"starts": "2027-01-01", "ends": "2028-11-30"}, "nominal", None),
    ],
)
def test_trends_are_in_the_terms_of_the_case(line, terms, told):
    more = {"name": "posts", "amount": "paid", "kind": "people", "starts": "2027-01-01"}
    declared = plausible(
        [
            money("paid", (50_000, 60_000)),
            share("still", 0),
            share("doubling", 0.15),
            share("fast", 0.16),
        ],
        finance={"terms": terms},
    )
    declared["costs"][0] = more | line
    found = asked(declared).get("terms", [])
    assert [kind for kind, _ in found] == (told or [])
    assert all(values["name"] == "posts" for _, values in found)
    if told == ["growth"] and line["trend"] == "wages":
        assert found[0][1]["rate"] == pytest.approx(0.0293, abs=5e-4)  # mean of .02 to .04


def test_wages_that_stand_still_in_doing_nothing_flatter_nobody():
    declared = plausible()
    declared["costs"][-1]["kind"] = "people"
    assert asked(declared) == {}


# Optimism


@pytest.mark.parametrize(
    ("line", "amount", "told"),
    [
        ({"kind": "tool"}, {"per": "once"}, ["point"]),
        ({"kind": "other"}, {"per": "once"}, ["point"]),
        ({"kind": "people"}, {"per": "once"}, None),
        ({"kind": "tool", "uplift": "late"}, {"per": "once"}, None),
        ({"kind": "tool", "uplift": "bare"}, {"per": "once"}, ["point"]),
        (
            {"kind": "tool", "uplift": "bare"},
            {"per": "once", "low": 4_000, "high": 9_000},
            None,
        ),
        ({"kind": "tool"}, {"per": "once", "likely": None, "low": 4_000, "high": 9_000}, None),
        ({"kind": "tool"}, {"per": "once", "likely": None, "low": 5_000, "high": 5_000}, ["point"]),
        ({"kind": "other", "ends": "2027-06-30"}, {"per": "month"}, ["point"]),
        ({"kind": "people", "ends": "2027-06-30"}, {"per": "month"}, ["point"]),
        ({"kind": "other", "ends": "2027-06-29"}, {"per": "month"}, None),
        ({"kind": "upkeep", "ends": "2028-06-30"}, {"per": "month"}, None),
        ({"kind": "other"}, {"per": "month"}, None),
    ],
)
def test_projects_have_a_range_or_an_uplift(line, amount, told):
    declared = plausible(
        [
            money("build", 5_000) | amount,
            share("late", (0.1, 0.6), source="twelve such projects"),
            share("bare", (0.1, 0.6), source="?"),
        ],
        [cost("build", "build", **line)],
    )
    found = asked(declared).get("optimism", [])
    assert [kind for kind, _ in found] == (told or [])
    assert all(values["name"] == "build" for _, values in found)


@pytest.mark.parametrize(("part", "told"), [(0, True), (0.9, True), (1, False), (2, False)])
def test_who_pays_the_rest_of_a_cost_is_asked(part, told):
    declared = plausible()
    declared["options"][1]["reach"] = {"posts": part}
    assert asked(declared) == (
        {"optimism": [("part", {"name": "posts", "part": part})]} if told else {}
    )


def test_an_option_that_is_not_asked_for_may_take_half_of_a_cost():
    declared = plausible()
    small = declared["options"][1] | {"name": "small", "kind": "minimum", "reach": {"posts": 0.5}}
    declared["options"].append(small)
    assert asked(declared) == {}


def test_what_doing_nothing_costs_is_no_project():
    declared = plausible([money("build", 5_000, "once")], [cost("build", "build", kind="tool")])
    declared["options"][0]["costs"].append("build")
    assert asked(declared) == {}
    declared["costs"].reverse()
    declared["assumptions"].append(money("more", 7_000, "once", source="plan"))
    declared["costs"].append(cost("more", "more"))
    declared["options"][1]["costs"].append("more")
    assert kinds(declared) == {"optimism": ["point"]}


def test_a_build_that_ends_with_a_step_lasts_until_its_end():
    step = {"id": "go", "name": "go", "starts": "2027-01-01", "ends": "2027-06-30"}
    line = cost("build", "build", kind="other", starts="go", ends="go")
    declared = plausible([money("build", 5_000, "month")], [line], roadmap=[step])
    assert kinds(declared) == {"optimism": ["point"]}


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([{}], None),
        ([{"ends": "2027-02-15"}], True),
        ([{"ends": "2029-12-31"}], None),
        ([{"starts": "2027-01-02"}], True),
        ([{"probability": "tenth"}], True),
        ([{"ends": "2027-02-15"}, {}], None),
    ],
)
def test_a_gain_that_lasts_longer_than_all_that_is_paid_for_it_is_asked(lines, told):
    """A gain from 1 January 2027 on, for the three years of the case."""
    pays = [money(f"pay{number}", (9_000 + number, 12_000)) for number in range(len(lines))]
    rows = [cost(f"run{number}", f"pay{number}") | line for number, line in enumerate(lines)]
    declared = plausible([*pays, share("tenth", 0.1)], rows)
    del declared["costs"][:2]
    declared["options"][1]["costs"] = [
        row["name"] for row in declared["costs"] if row["name"] != "idle"
    ]
    declared["benefits"][0]["starts"] = "2027-01-01"
    found = [kind for kind, _ in asked(declared).get("optimism", [])]
    assert found == (["stops"] if told else [])


# Thresholds


@pytest.mark.parametrize(
    ("baseline", "target", "low", "high", "kill", "doubt"),
    [
        (7, 5, 4, 6, 6.5, None),
        (7, 5, 4, 6, 7, "kill"),
        (7, 5, 4, 6, 8, "kill"),
        (7, 5, 4, 6.5, 6.5, "range"),
        (7, 5, 4, 6.4, 6.5, None),
        (7, 5, 5, 6, 6.5, "target"),
        (2, 1, 0.5, 1.5, 2, "kill"),
        (0, 700, 400, 1_000, 200, None),
        (0, 700, 400, 1_000, 0, "kill"),
        (0, 700, 400, 1_000, -1, "kill"),
        (0, 700, 200, 1_000, 200, "range"),
        (0, 700, 400, 700, 200, "target"),
        (0.1, 0.85, 0.7, 0.95, 0.4, None),
    ],
)
def test_thresholds_leave_room(baseline, target, low, high, kill, doubt):
    values = {"baseline": baseline, "target": target, "low": low, "high": high, "kill": kill}
    found = asked(plausible(kpis=[KPI | values])).get("thresholds", [])
    assert [kind for kind, _ in found] == ([doubt] if doubt else [])
    assert all(values.items() <= told.items() for _, told in found)


def test_a_measured_target_is_recorded_as_plain_numbers():
    measured = {"value": 6, "low": 5, "high": 6.5, "on": "2026-10-01", "source": "log"}
    result = build(Case(**plausible(kpis=[KPI | {"kill": 8, "measured": measured}])), draws=1_000)
    checks = result.record()["checks"]
    assert json.loads(json.dumps(checks)) == checks


@pytest.mark.parametrize(("pay", "told"), [(60_000, "pass"), (60, "warn")])
def test_a_gain_out_of_proportion_is_asked(pay, told):
    """60 for 60,000, as where a sheet is in thousands: everything else about it is in order."""
    declared = simple()
    declared["assumptions"][1]["likely"] = pay
    assert build(Case(**declared), draws=1_000).check("size").status == told
