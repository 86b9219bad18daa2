"""What a case may not say: every mistake at once, each with file, line, field, in both languages."""

import copy

import pytest
import yaml
from cases import KPI, RISK, benefit, cost, fields, money, share, simple, units, win
from hypothesis import given, settings
from hypothesis import strategies as st

from opslab.businesscase import build
from opslab.businesscase.contradictions import refuse_contradictions
from opslab.businesscase.spec import Case
from opslab.errors import InputError, OpslabError, SpecError

STEP = {"id": "go", "name": "go", "starts": "2027-01-01", "ends": "2027-03-31"}


def refused(tmp_path, declared):
    """Return the problems of a case in a file, after looking at what every refusal must have."""
    path = tmp_path / "case.yaml"
    path.write_text(
        declared
        if isinstance(declared, str)
        else yaml.safe_dump(declared, sort_keys=False, allow_unicode=True)
    )
    with pytest.raises(SpecError) as caught:
        Case.load(path, "case.yaml")
    assert caught.value.exit_code == 2
    for problem in caught.value.problems:
        assert problem.file == "case.yaml"
        assert problem.line
        english, french = problem.text(), problem.text("fr")
        assert english != french
        assert english.startswith("case.yaml, line")
    return caught.value.problems


def keys(problems):
    return [problem.key for problem in problems]


def edit(path, value):
    """Return a change of one field of the simple case, by its path."""

    def change(declared):
        inner = declared
        for part in path[:-1]:
            inner = inner[part]
        inner[path[-1]] = value

    return change


def add(name, value):
    return lambda declared: declared.setdefault(name, []).append(value)


ONE = [
    (edit(["benefits", 0, "quantity"], "gian"), "unknown_near", "benefits[1].quantity"),
    (edit(["benefits", 0, "quantity"], "zzz"), "unknown", "benefits[1].quantity"),
    (edit(["benefits", 0, "adoption"], "gains"), "unknown_near", "benefits[1].adoption"),
    (edit(["benefits", 0, "starts"], "stage 1"), "unknown", "benefits[1].starts"),
    (edit(["costs", 0, "amount"], "pya"), "unknown_near", "costs[1].amount"),
    (edit(["costs", 0, "trend"], "zzz"), "unknown", "costs[1].trend"),
    (edit(["options", 1, "benefits"], ["gain"]), "unknown_near", "options[2].benefits[1]"),
    (edit(["options", 1, "costs"], ["payd"]), "unknown_near", "options[2].costs[1]"),
    (edit(["decision", "stage"], "one"), "unknown", "decision.stage"),
    (edit(["kpis", 0, "measured"], {"evidence": "e"}), "unknown", "kpis[1].measured.evidence"),
    (add("assumptions", money("gain", 3)), "twice", "assumptions[4]"),
    (add("kpis", KPI), "twice", "kpis[2]"),
    (edit(["roadmap"], [STEP, STEP]), "twice", "roadmap[2]"),
    (add("costs", cost("gained", "pay")), "twice", "costs[3]"),
    (edit(["evidence"], [{"id": "gain", "run": "time_saved/desk"}]), "twice", "assumptions[1]"),
    (edit(["options", 1, "costs"], ["paid", "paid"]), "twice", "options[2]"),
    (edit(["assumptions", 0, "currency"], "USD"), "no_rate", "assumptions[1].currency"),
    (edit(["assumptions", 0, "currency"], "eur"), "specs.pattern", "assumptions[1].currency"),
    (edit(["benefits", 0, "adoption"], "gain"), "no_share", "benefits[1].adoption"),
    (edit(["benefits", 0, "decay"], "pay"), "no_share", "benefits[1].decay"),
    (edit(["costs", 0, "trend"], "gain"), "no_share", "costs[1].trend"),
    (edit(["assumptions", 1, "per"], "hour"), "no_amount", "costs[1].amount"),
    (edit(["assumptions", 0], units("gain", 5, "hour")), "no_money", "benefits[1].quantity"),
    (edit(["decision", "by"], "2026-10-04"), "decided_before", "decision.by"),
    (edit(["assumptions", 0, "checked"], "2026-10-06"), "checked_later", "assumptions[1].checked"),
    (edit(["benefits", 0, "starts"], "2029-12-02"), "outside_horizon", "benefits[1].starts"),
    (edit(["benefits", 0, "ends"], "2026-12-31"), "ends_before", "benefits[1].ends"),
    (edit(["benefits", 0, "starts"], "2027-02-30"), "specs.not_date", "benefits[1].starts"),
    (edit(["roadmap"], [STEP | {"ends": "2026-12-31"}]), "milestone_order", "roadmap[1]"),
    (edit(["options", 1, "kind"], "stretch"), "one_option", "options"),
    (edit(["options", 0, "benefits"], ["gained"]), "nothing_costs", "options[1]"),
    (edit(["options", 0, "costs"], []), "nothing_costs", "options[1]"),
    (edit(["options", 1, "benefits"], []), "empty_option", "options[2]"),
    (edit(["options", 1, "costs"], []), "empty_option", "options[2]"),
    (edit(["options", 1, "reach"], {"gain": 1}), "reach", "options[2].reach.gain"),
    (edit(["options", 1, "reach"], {"gained": 11}), "reach_range", "options[2].reach.gained"),
    (edit(["options", 1, "reach"], {"gained": -1}), "reach_range", "options[2].reach.gained"),
    (edit(["finance", "start"], "2027-01-02"), "first_of_month", "finance"),
    (
        edit(
            ["finance", "exchange"],
            [{"from": "EUR", "to": "EUR", "rate": 1, "date": "2026-01-01", "source": "x"}],
        ),
        "exchange_to",
        "finance.exchange[1]",
    ),
    (
        edit(
            ["finance", "exchange"],
            [{"from": "USD", "to": "GBP", "rate": 1, "date": "2026-01-01", "source": "x"}],
        ),
        "exchange_to",
        "finance.exchange[1]",
    ),
    (
        edit(
            ["finance", "exchange"],
            [{"from": "USD", "to": "EUR", "rate": 1, "date": "2026-12-01", "source": "x"}],
        ),
        "checked_later",
        "finance.exchange[1].date",
    ),
    (edit(["benefits", 0, "evidence"], ["e"]), "one_quantity", "benefits[1]"),
    (edit(["benefits", 0, "share"], "gain"), "unsigned_share", "benefits[1]"),
    (edit(["benefits", 0, "signed_by"], "head"), "unsigned_share", "benefits[1]"),
    (edit(["kpis", 0, "target"], 9), "kpi_range", "kpis[1]"),
    (edit(["kpis", 0, "kill"], 4), "kpi_kill", "kpis[1]"),
    (edit(["kpis", 0, "baseline"], 5), "kpi_kill", "kpis[1]"),
    (edit(["kpis", 0, "measured"], {"value": 5, "low": 4}), "measured_form", "kpis[1].measured"),
    (
        edit(["kpis", 0, "measured"], {"value": 5, "low": 6, "high": 4, "on": "2026-10-01"}),
        "measured_order",
        "kpis[1].measured",
    ),
    (
        edit(["kpis", 0, "measured"], {"value": 5, "low": 4, "high": 6, "on": "2026-10-06"}),
        "checked_later",
        "kpis[1].measured.on",
    ),
    (edit(["assumptions", 0, "id"], "1"), "specs.pattern", "assumptions[1].id"),
    (edit(["assumptions", 0, "low"], 5), "uncertainty.half_range", "assumptions[1]"),
    (edit(["assumptions", 0, "likely"], -1), "uncertainty.negative", "assumptions[1]"),
    (edit(["assumptions", 0, "likely"], float("nan")), "specs.not_number", "assumptions[1].likely"),
    (edit(["assumptions", 0, "likely"], True), "specs.not_number", "assumptions[1].likely"),
    (edit(["assumptions", 0, "sha256"], "abc"), "specs.pattern", "assumptions[1].sha256"),
    (edit(["assumptions", 0, "unit"], "hours"), "specs.unknown", "assumptions[1].unit"),
    (edit(["assumptions", 0, "grade"], "G"), "specs.choice", "assumptions[1].grade"),
    (edit(["options", 1, "kind"], "recomended"), "specs.choice_near", "options[2].kind"),
    (edit(["finance", "rate"], -1), "specs.greater_than", "finance.rate"),
    (edit(["finance", "horizon_months"], 5), "specs.greater_than_equal", "finance.horizon_months"),
    (edit(["date"], "5/10/2026"), "specs.not_date", "date"),
    (edit(["date"], 20261005), "specs.not_date", "date"),
    (edit(["case"], "???"), "specs.slug", "case"),
    (edit(["benefits"], []), "specs.too_few", "benefits"),
    (edit(["risks"], []), "specs.too_few", "risks"),
    (edit(["previous"], "time_saved/desk"), "specs.pattern", "previous"),
    (edit(["evidence"], [{"id": "e", "run": "../desk"}]), "specs.pattern", "evidence[1].run"),
    (
        edit(["evidence"], [{"id": "e", "run": "time_saved/../desk"}]),
        "specs.pattern",
        "evidence[1].run",
    ),
    (
        edit(["evidence"], [{"id": "e", "run": "time_saved/desk/2026-10-01-0123ABCD"}]),
        "specs.pattern",
        "evidence[1].run",
    ),
]


@pytest.mark.parametrize(("change", "key", "field"), ONE)
def test_a_mistake_is_told_once_with_its_field(tmp_path, change, key, field):
    declared = copy.deepcopy(simple())
    change(declared)
    [problem] = refused(tmp_path, declared)
    assert problem.key == (key if "." in key else f"businesscase.{key}")
    assert problem.field == field


@pytest.mark.parametrize("names", [["gian"], []])
def test_what_a_wrong_name_leaves_over_is_no_second_mistake(tmp_path, names):
    declared = simple()
    declared["options"][1]["benefits"] = names
    assert len(refused(tmp_path, declared)) == 1


def test_what_no_option_takes_is_told(tmp_path):
    declared = simple()
    declared["assumptions"] += [money("x", 5), money("y", 5)]
    declared["benefits"].append(benefit("lonely", "x"))
    declared["costs"].append(cost("alone", "y"))
    assert [one.field for one in refused(tmp_path, declared)] == [
        "benefits[2].name",
        "costs[3].name",
    ]


def test_the_plain_case_is_taken(tmp_path):
    path = tmp_path / "case.yaml"
    path.write_text(yaml.safe_dump(simple(), sort_keys=False))
    assert Case.load(path).slug == "test-case"


def test_a_share_has_no_currency(tmp_path):
    declared = simple()
    declared["assumptions"].append(share("use", 0.5, per="year"))
    assert keys(refused(tmp_path, declared)) == ["businesscase.share_unit"]


def test_a_worth_of_another_unit_names_both(tmp_path):
    declared = fields(
        [units("n", 5, "ticket"), money("w", 3, "hour"), money("pay", 1)],
        [benefit("g", "n", worth="w")],
        [cost("c", "pay")],
    )
    [problem] = refused(tmp_path, declared)
    assert problem.key == "businesscase.other_unit"
    assert "hour" in problem.text()
    assert "ticket" in problem.text()


def test_two_of_doing_nothing_are_one_too_many(tmp_path):
    declared = simple()
    declared["options"].append(declared["options"][0] | {"name": "nothing either"})
    assert keys(refused(tmp_path, declared)) == ["businesscase.one_option"]


def test_a_worth_of_a_year_is_told_once(tmp_path):
    declared = simple()
    declared["benefits"][0]["worth"] = "pay"
    assert keys(refused(tmp_path, declared)) == ["businesscase.no_worth"]


def test_a_case_without_doing_nothing_is_refused(tmp_path):
    declared = simple()
    declared["options"][0]["kind"] = "other"
    assert keys(refused(tmp_path, declared)) == [
        "businesscase.one_option",
        "businesscase.empty_option",
    ]


@pytest.mark.parametrize("name", ["", "x" * 81])
def test_names_have_their_length(tmp_path, name):
    declared = simple(owner=name)
    declared["benefits"][0]["name"] = name
    assert keys(refused(tmp_path, declared))[0] == "specs.text_length"


def test_a_next_check_is_after_the_last(tmp_path):
    declared = simple()
    declared["assumptions"][0].update(checked="2026-09-01", next_check="2026-09-01")
    [problem] = refused(tmp_path, declared)
    assert (problem.key, problem.field) == (
        "businesscase.checked_after",
        "assumptions[1].next_check",
    )


def test_two_lines_with_one_stated_quantity_are_never_added():
    declared = simple()
    declared["benefits"].append(benefit("again", "gain"))
    declared["options"][1]["benefits"] = ["gained", "again"]
    [problem] = not_built(declared)
    assert problem.key == "businesscase.claimed_twice"
    assert problem.field == "benefits[2].claim"


def not_built(declared):
    with pytest.raises(InputError) as raised:
        build(Case(**declared), draws=1_000)
    return raised.value.problems


def overlap(*, kept):
    """A benefit that claims what ending a cost of doing nothing brings, wholly or in part."""
    option = {"name": "ask", "kind": "recommended", "benefits": ["g"], "costs": ["c"]}
    if kept:
        option |= {"costs": ["c", "over"], "reach": {"over": kept}}
    return fields(
        [money("gain", 30), money("pay", 1), money("over", 30)],
        [benefit("g", "gain", claim="overtime")],
        [cost("c", "pay"), cost("over", "over", claim="overtime")],
        [{"name": "nothing", "kind": "do_nothing", "costs": ["over"]}, option],
    )


def test_a_benefit_and_an_ended_cost_with_one_claim_are_never_added():
    assert keys(not_built(overlap(kept=0))) == ["businesscase.claimed_twice"]


def test_a_benefit_and_a_cost_ended_in_part_are_never_added():
    assert keys(not_built(overlap(kept=0.1))) == ["businesscase.claimed_twice"]


def test_a_cost_that_is_kept_wholly_is_claimed_by_nobody():
    assert build(Case(**overlap(kept=1.0)), draws=1_000).recommended.benefits["all"].mean > 0


def test_a_start_after_the_horizon_is_told_as_that(tmp_path):
    declared = simple()
    declared["benefits"][0]["starts"] = "2030-02-01"
    [problem] = refused(tmp_path, declared)
    assert (problem.key, problem.field) == ("businesscase.outside_horizon", "benefits[1].starts")


def test_a_decision_after_the_horizon_is_refused(tmp_path):
    declared = simple()
    declared["decision"]["by"] = "2030-01-01"
    [problem] = refused(tmp_path, declared)
    assert problem.field == "decision.by"


def test_every_mistake_is_told_at_once(tmp_path):
    declared = simple()
    declared["decision"]["by"] = "2026-01-01"
    declared["assumptions"][0]["currency"] = "USD"
    declared["costs"][0]["amount"] = "pya"
    declared["options"][1]["reach"] = {"nobody": 1}
    declared["benefits"][0]["adoption"] = "pay"
    found = refused(tmp_path, declared)
    assert set(keys(found)) == {
        "businesscase.decided_before",
        "businesscase.no_rate",
        "businesscase.unknown_near",
        "businesscase.reach",
        "businesscase.no_share",
    }
    assert [one.line for one in found] == sorted(one.line for one in found)


def test_lines_are_those_of_the_file(tmp_path):
    text = yaml.safe_dump(simple(), sort_keys=False).replace("quantity: gain", "quantity: gian")
    [problem] = refused(tmp_path, text)
    assert "gian" in text.splitlines()[problem.line - 1]
    assert "did you mean gain?" in problem.text()


@pytest.mark.parametrize(
    ("written", "field"),
    [
        ("id: 12", "assumptions[1].id"),
        ("id: 2026-01-01", "assumptions[1].id"),
        ("id: true", "assumptions[1].id"),
        ("id: 1.5", "assumptions[1].id"),
        ("id:", "assumptions[1].id"),
        ("id: [gain]", "assumptions[1].id"),
    ],
)
def test_what_an_editor_makes_of_ids_is_refused(tmp_path, written, field):
    text = yaml.safe_dump(simple(), sort_keys=False).replace("id: gain", written, 1)
    assert field in [one.field for one in refused(tmp_path, text)]


def test_bare_dates_and_numbers_are_read_as_meant(tmp_path):
    text = (
        yaml.safe_dump(simple(), sort_keys=False)
        .replace("'2027-01-01'", "2027-01-01")
        .replace("name: ask", "name: 2027")
    )
    path = tmp_path / "case.yaml"
    path.write_text(text.replace("name: gained", "name: 12").replace("- gained", "- 12"))
    case = Case.load(path)
    assert [one.name for one in case.options] == ["nothing", "2027"]
    assert build(case, draws=1_000).recommended.npv.mean > 0


NAMES = [
    "<script>alert(1)</script>",
    "=HYPERLINK(1)",
    "節約された時間",
    "وقت",
    "é" * 80,
    "a\u202eb",
    "*x* | `y`",
    "  ",
    "{name}",
    "%s",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_are_words_and_nothing_else(name):
    """Markup, other scripts, braces: the numbers are those of a plain name, and the record holds the name."""
    declared = simple()
    declared["benefits"][0]["name"] = name
    declared["options"][1].update(benefits=[name], name=f"{name}"[:80])
    result = build(Case(**declared), draws=1_000)
    assert result.lines[0].name == name
    assert result.record()["options"][0]["name"] == name
    assert result.recommended.npv == build(Case(**simple()), draws=1_000).recommended.npv


def test_markup_in_a_refusal_stays_one_line(tmp_path):
    declared = simple()
    declared["options"][1]["benefits"] = ["<b>\nline 9: ok"]
    assert not [one for one in refused(tmp_path, declared) if "\n" in one.text()]


@pytest.mark.parametrize(
    "rates",
    [[-1], [0.1, -2], ["ten"]],
)
def test_rates_are_above_minus_one(tmp_path, rates):
    [problem] = refused(tmp_path, simple(finance={"rates": rates}))
    assert problem.field.startswith("finance.rates")


@pytest.mark.parametrize("name", ["default-decay", "default-recapture"])
def test_what_opslab_assumes_cannot_be_called_otherwise(name):
    """Either the name is refused, or what the case says of it is used."""
    declared = simple()
    declared["assumptions"].append(share(name, 0.5))
    declared["benefits"][0]["decay"] = name
    try:
        result = build(Case(**declared), draws=1_000)
    except OpslabError:
        return
    assert result.entry(name).value == 0.5


@pytest.mark.parametrize(
    "line",
    [
        {"starts": "2020-01-01", "ends": "2021-01-01"},
        {"starts": "2027-03-15", "ends": "2027-03-31"},
        {"starts": "2029-12-15"},
    ],
)
def test_a_gain_without_a_month_in_the_horizon_is_refused(tmp_path, line):
    declared = simple()
    declared["benefits"][0].update(line)
    assert refused(tmp_path, declared)


def test_a_cost_of_years_ago_is_no_cost_of_this_case(tmp_path):
    declared = simple()
    declared["assumptions"][1]["per"] = "once"
    declared["costs"][0]["starts"] = "2020-01-01"
    assert refused(tmp_path, declared)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_no_change_of_a_field_ends_in_a_traceback(data):
    """Any field of the case replaced by anything at all: taken, or refused as a spec."""
    declared = simple(roadmap=[copy.deepcopy(STEP)])
    inner, where = declared, []
    while isinstance(inner, dict | list) and inner:
        where.append(
            data.draw(
                st.sampled_from(list(inner) if isinstance(inner, dict) else range(len(inner)))
            )
        )
        if isinstance(inner[where[-1]], dict | list) and data.draw(st.booleans(), label="deeper"):
            inner = inner[where[-1]]
        else:
            break
    inner[where[-1]] = data.draw(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(max_size=5)
        | st.sampled_from(
            [
                [],
                {},
                [[]],
                [None],
                "2027-01-01",
                "go",
                "gain",
                "paid",
                {"likely": 1},
                "0001-01-01",
                "9999-12-31",
            ]
        )
    )
    refusal = None
    try:
        refuse_contradictions(Case(**declared))
    except OpslabError as error:
        refusal = error
    assert refusal is None or (refusal.exit_code == 2 and refusal.text() and refusal.text("fr"))


def test_a_risk_needs_its_owner_and_its_trigger(tmp_path):
    declared = simple(risks=[{"risk": RISK["risk"]}])
    assert keys(refused(tmp_path, declared)) == ["specs.missing", "specs.missing"]


def test_a_score_of_no_option_is_refused():
    declared = simple(beyond_money=[{"name": "trust", "weight": 2, "scores": {"aks": 3}}])
    with pytest.raises(OpslabError, match="no aks under options; did you mean ask"):
        build(Case(**declared), draws=1_000)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"amount": "harm"}, "no likelihood"),
        ({"amount": "n", "likelihood": 0.2}, "n is the one-off cost of a risk"),
        ({"amount": "gain", "likelihood": 0.2}, "gain is the one-off cost of a risk"),
        ({"amount": "harm", "likelihood": 0.2, "starts": "2031-01-01"}, "outside the horizon"),
        ({"amount": "harm", "likelihood": 0.2, "starts": "2026-12-31"}, "outside the horizon"),
        ({"amount": "harm", "likelihood": 0.2, "starts": "2027-13-01"}, "2027-13-01"),
        ({"amount": "harm", "likelihood": 0.2, "options": ["aks"]}, "no aks under options"),
        ({"amount": "harm", "likelihood": 0.2, "starts": "soon"}, "soon"),
    ],
)
def test_a_risk_that_cannot_be_simulated_is_refused(more, words):
    declared = simple(risks=[{"risk": "r", "owner": "ops", "trigger": "t"} | more])
    declared["assumptions"] += [units("n", 3, "ticket"), money("harm", 9, "once")]
    with pytest.raises(OpslabError, match=words):
        build(Case(**declared), draws=1_000)


@pytest.mark.parametrize("field", ["owner", "signed_by"])
def test_who_answers_is_somebody(tmp_path, field):
    declared = simple()
    declared["assumptions"].append(share("signed", 0.1))
    declared["benefits"][0] |= {"share": "signed", "signed_by": "cpo", field: "?"}
    [problem] = refused(tmp_path, declared)
    assert (problem.key, problem.field) == ("businesscase.nobody", f"benefits[1].{field}")


def changed(change):
    """Return the fields of a case with hours of 60 each beside a gain, changed."""
    declared = simple()
    declared["assumptions"] += [
        units("n", (800, 1000), "hour"),
        money("rate", 60, "hour"),
        money("harm", 9, "once"),
        share("p", (0.1, 0.4)),
    ]
    claim = {"hours": "pm/tag", "of": "desk"}
    line = benefit("desk", "n", worth="rate", kind="capacity", claim=claim)
    declared["benefits"] = [line, declared["benefits"][0] | {"apart": "margin of the shop"}]
    declared["options"][1]["benefits"] = ["desk", "gained"]
    change(declared)
    return declared


def refused_as(change):
    with pytest.raises(OpslabError) as error:
        build(Case(**changed(change)), draws=1_000)
    return [problem.key.removeprefix("businesscase.") for problem in error.value.problems]


def minutes(declared):
    declared["assumptions"][-4]["per"] = declared["assumptions"][-3]["per"] = "minute"


def early_pay(declared):
    declared["costs"][0]["starts"] = "2026-12-01"


def both(declared):
    declared["costs"].append(cost("interim", "harm", probability="p"))
    declared["options"][1]["costs"].append("interim")
    declared["risks"][0] |= {"amount": "harm", "likelihood": 0.2}


def twins(declared):
    declared["risks"].append(dict(declared["risks"][0]))


def uplifted(declared):
    declared["costs"][1]["uplift"] = "p"


def one_french_name(declared):
    declared["options"][1]["name"] = {"en": "Two posts", "fr": "Postes"}
    other = copy.deepcopy(declared["options"][1])
    declared["options"].append(other | {"name": {"en": "Posts", "fr": "Postes"}, "kind": "other"})


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (minutes, "time_unit"),
        (early_pay, "paid_before"),
        (both, "risk_twice"),
        (twins, "twice"),
        (uplifted, "idle_uplift"),
        (one_french_name, "twice"),
    ],
)
def test_what_would_be_counted_wrongly_is_refused(change, key):
    """Each came out green before: hours without recapture, pay outside the horizon, one amount twice."""
    assert build(Case(**changed(lambda declared: None)), draws=1_000).action
    assert refused_as(change) == [key]


def test_hours_in_french_are_hours():
    """The same time is worth the same, whatever its unit is called: half of it becomes work."""

    def heures(declared):
        declared["assumptions"][-4]["per"] = declared["assumptions"][-3]["per"] = "heure"

    both_ways = [build(Case(**changed(one)), draws=1_000) for one in (lambda _: None, heures)]
    english, french = (result.recommended for result in both_ways)
    assert french.npv.mean == english.npv.mean
    assert french.hours.mean == english.hours.mean > 0


def test_hours_told_in_money_are_put_to_work_as_hours_are():
    """900 hours at 60, or 54,000 claimed as those hours: half of either."""

    def in_money(declared):
        declared["assumptions"][-4] = money("n", (48_000, 60_000))
        del declared["benefits"][0]["worth"]

    ways = [
        build(Case(**changed(one)), draws=20_000).recommended for one in (lambda _: None, in_money)
    ]
    assert ways[1].npv.mean == pytest.approx(ways[0].npv.mean, rel=0.01)


def test_a_volume_a_month_is_none_a_year():
    declared = simple()
    declared["assumptions"] += [units("visitors", 100, "month"), money("margin", 2, "order")]
    line = {"evidence": ["e"], "volume": "visitors", "worth": "margin", "kind": "enabled"}
    declared["benefits"].append(benefit("lift", **line))
    declared["evidence"] = [{"id": "e", "run": "experiment_readout/shop"}]
    declared["options"][1]["benefits"].append("lift")
    with pytest.raises(OpslabError, match="visitors is not a number of units per year"):
        build(Case(**declared), {"e": [win()]}, draws=1_000)


def test_a_likely_value_outside_of_equal_ends_is_refused():
    declared = simple()
    declared["assumptions"][0] |= {"low": 8, "likely": 90, "high": 8}
    with pytest.raises(OpslabError):
        Case(**declared)


@pytest.mark.parametrize(("reach", "refused_as"), [("40 %", None), (1, None), (0, True), (4, True)])
def test_a_smaller_option_takes_a_part_of_each_of_its_lines(tmp_path, reach, refused_as):
    """400 % of a gain at nothing is no smaller version; a part may be written with its sign."""
    declared = simple()
    small = copy.deepcopy(declared["options"][1])
    declared["options"].append(
        small | {"name": "small", "kind": "minimum", "reach": {"gained": reach}}
    )
    if refused_as:
        (problem,) = refused(tmp_path, declared)
        assert (problem.key, problem.field) == (
            "businesscase.reach_minimum",
            "options[3].reach.gained",
        )
    else:
        case = Case(**declared)
        refuse_contradictions(case)
        assert case.options[2].part("gained") == {"40 %": 0.4, 1: 1}[reach]


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("chance", ["decision.rule"]),
        ({"p_positive": 0.5, "worst": 3}, ["decision.rule"]),
        ({"p_positive": 1.2}, ["decision.rule.p_positive"]),
        ({"p_positiv": 0.5}, ["decision.rule.p_positiv"]),
    ],
)
def test_a_rule_that_is_none_is_told_once_at_its_field(rule, told, tmp_path):
    declared = simple()
    declared["decision"]["rule"] = rule
    file = tmp_path / "case.yaml"
    file.write_text(yaml.safe_dump(declared))
    with pytest.raises(SpecError) as error:
        Case.load(file)
    assert [problem.field for problem in error.value.problems] == told


def test_a_rule_is_a_share_as_people_write_it():
    declared = simple()
    declared["decision"]["rule"] = {"p_positive": "80 %"}
    assert Case(**declared).decision.rule.p_positive == 0.8
