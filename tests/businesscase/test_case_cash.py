"""The cash flow against a slow one in plain Python, hand arithmetic, and properties that must hold."""

import datetime
import math
from functools import cache

import numpy as np
import pytest
from cases import RISK, benefit, case, cost, fields, finding, money, share, simple, units, win
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from slow import Slow, payback

from opslab.businesscase import build
from opslab.businesscase.cashflow import cash_flow, weights_of
from opslab.businesscase.citations import findings_given
from opslab.businesscase.ledger import prepare
from opslab.businesscase.outcomes import Totals
from opslab.businesscase.quantities import Draws
from opslab.businesscase.simulation import Horizon, simulate
from opslab.businesscase.spec import Case
from opslab.errors import InputError
from opslab.uncertainty.draws import scores

DRAWS = 1_000
UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)  # a smaller example is not worth minutes


def month(number):
    return datetime.date(2027 + (number - 1) // 12, (number - 1) % 12 + 1, 1)


@st.composite
def cases(draw):
    """Make a case of one to three gains, one to three costs, what doing nothing costs, and two options."""
    pick = lambda *values: draw(st.sampled_from(values))  # noqa: E731
    months = pick(6, 12, 17, 30)
    finance = {
        "rate": pick(0.1, 0.0, -0.05, 0.3),
        "timing": pick("monthly", "end_year", "mid_year"),
        "horizon_months": months,
        "exchange": [
            {"from": "USD", "to": "EUR", "rate": 0.92, "date": "2026-09-30", "source": "treasury"}
        ],
    }
    assumptions = [
        share("wear", pick(0.0, (0.05, 0.2))),
        share("use", pick(1.0, (0.5, 0.9))),
        share("work", (0.3, 0.6)),
        share("grow", pick(0.0, (0.02, 0.06))),
        share("chance", pick(0.3, (0.4, 0.8))),
        share("over", pick(0.2, (0.1, 0.5))),
        money("harm", pick(3000, (2000, 8000)), "once"),
    ]
    steps = [
        {
            "id": f"step{k}",
            "name": f"step {k}",
            "starts": "2026-06-01",
            "ends": pick("2026-12-31", "2027-01-01", "2027-03-15") if k < 2 else "2027-02-10",
            "slip": pick({"low": 0.5, "high": 5}, {"low": 0, "likely": 2, "high": 4}, 0, 2),
        }
        for k in range(3)
    ]
    benefits, costs = [], []
    for k in range(draw(st.integers(1, 3))):
        line = {
            "kind": pick("hard", "capacity", "quality"),
            "gain": pick("time", "decisions"),
            "apart": "other money than hours",
            "ramp_months": pick(0, 3, 9.5),
            "starts": pick("2027-01-01", "2026-03-10", "2027-02-02", "step0", "step1"),
        }
        form = pick("money", "units", "hours")
        if form == "money":
            assumptions.append(
                money(
                    f"gain{k}",
                    pick(900, (500, 2000)),
                    pick("once", "week", "month", "year"),
                    currency=pick("EUR", "USD"),
                )
            )
            if assumptions[-1]["per"] == "once":
                line["starts"] = pick("2027-02-02", "step0")
        else:
            per = "hour" if form == "hours" else "ticket"
            line["kind"] = pick("capacity", "quality") if form == "hours" else line["kind"]
            assumptions += [
                units(f"gain{k}", pick(400, (200, 700)), per),
                money(f"worth{k}", (30, 60), per + pick("", "s"), currency=pick("EUR", "USD")),
            ]
            line["worth"] = f"worth{k}"
            if form == "hours" and line["kind"] == "hard":
                line["kind"] = "quality"
        factors = {"adoption": "use", "decay": "wear", "recapture": "work"}
        line |= {name: used for name, used in factors.items() if pick(True, False)}
        if "adoption" not in line and pick(True, False):
            line["schedule"] = ["work", "use"]
        if pick(True, False, False):
            line["ends"] = month(draw(st.integers(5, 40))).isoformat()
        benefits.append(benefit(f"benefit{k}", f"gain{k}", **line))
    for k in range(draw(st.integers(1, 3))):
        assumptions.append(
            money(
                f"pay{k}",
                pick(700, (300, 900)),
                pick("once", "week", "month", "year"),
                currency=pick("EUR", "USD"),
            )
        )
        line = {"starts": pick("2027-01-01", "2027-01-20", "2027-04-30")}
        if assumptions[-1]["per"] != "once":
            line["starts"] = pick("2027-01-05", "2027-01-20", "2027-03-01")
            if pick(True, False, False):
                line["ends"] = pick("step2", month(draw(st.integers(5, 40))).isoformat())
                line["starts"] = "2027-01-05" if line["ends"] == "step2" else line["starts"]
        line |= {
            name: used
            for name, used in (("trend", "grow"), ("probability", "chance"), ("uplift", "over"))
            if pick(True, False, False)
        }
        costs.append(cost(f"cost{k}", f"pay{k}", **line))
    assumptions.append(money("idle", (4000, 9000)))
    rid = pick({}, {}, {"ended_from": "step1"}, {"ended_from": "2027-03-01"})
    costs.append(cost("idling", "idle", trend="grow", benefit=pick("hard", "capacity"), **rid))
    costs[-1]["claim"] = {"budget": "4417"}
    risk = {"risk": "it breaks", "owner": "ops", "trigger": "smoke", "amount": "harm"}
    risk |= {"likelihood": pick(0.3, {"low": 0.1, "high": 0.4})}
    risk |= pick({}, {"starts": "step2"}, {"starts": "2027-03-05", "options": ["ask"]})
    names = [one["name"] for one in benefits], [one["name"] for one in costs[:-1]]
    kept = pick(None, 0.25, 1.5)
    options = [
        {"name": "nothing", "kind": "do_nothing", "costs": ["idling"]},
        {
            "name": "ask",
            "kind": "recommended",
            "benefits": names[0],
            "reach": {"idling": kept} if kept else {},
            "costs": names[1] + (["idling"] if kept else []),
        },
        {
            "name": "part",
            "kind": "minimum",
            "benefits": names[0][:1],
            "costs": names[1][:1],
            "reach": {names[0][0]: 0.4, names[1][0]: 0.5},
        },
    ]
    return fields(
        assumptions,
        benefits,
        costs,
        options,
        finance=finance,
        roadmap=steps,
        risks=[RISK, risk],
        calibration=pick("trained", "untrained"),
    )


def values_of(made, found=(), draws=DRAWS, seed=1):
    """Return the drawn values by id as lists, from the streams that a result names: seed and the id."""
    known = prepare(made, found, made.date).known
    streams = {one.id: f"evidence/{one.evidence.id}" for one in found}
    cache = {}

    def value(name):
        if name not in cache:
            cache[name] = known[name].used.at(scores(streams.get(name, name), draws, seed)).tolist()
        return cache[name]

    return known, value


def slowly(made, evidence=None, draws=DRAWS):
    found = findings_given(made, evidence or {})
    _, value = values_of(made, found, draws)
    ids = {}
    for one in found:
        ids.setdefault(one.cited, ([], one.evidence))[0].append(one.id)
    return Slow(
        made, value, cache(lambda name: scores(f"event/{name}", draws, 1).tolist()), ids, draws
    )


def spread(draws):
    return [float(np.mean(draws)), *np.quantile(draws, (0.1, 0.5, 0.9))]


def told(one):
    return [one.mean, one.p10, one.p50, one.p90]


def close(found, wanted, scale=1.0):
    assert np.asarray(found) == pytest.approx(
        np.asarray(wanted), rel=1e-9, abs=1e-7 * max(scale, 1.0)
    )


def agree(result, slow):
    """Compare everything that a result says of its options with the slow way."""
    for option in result.options:
        want = slow.option(next(one for one in result.case.options if one.name == option.name))
        size = max(map(abs, want["npv"] + want["costs"]))
        close(told(option.npv), spread(want["npv"]), size)
        close(told(option.costs), spread(want["costs"]), size)
        close(told(option.hours), spread(want["hours"]))
        assert {name for name in option.benefits if name != "all"} == set(want["kinds"])
        for name, draws in want["kinds"].items():
            close(told(option.benefits[name]), spread(draws), size)
        for name, draws in want["gains"].items():
            close(told(option.gains[name]), spread(draws), size)
        close(option.years, want["years"], size)
        low, high = np.quantile(want["cumulative"], (0.1, 0.9), axis=0)
        cash = np.mean(want["cumulative"], axis=0)
        present = np.mean(want["discounted"], axis=0)
        close(option.fan, np.array([low, cash, high]).T, size)
        close(option.peak.amount, max(-cash.min(), 0), size)
        within = [one for one in option.horizons if one.months < len(present)]
        close([one.npv for one in within], [present[one.months] for one in within], size)
        assert within[-1].npv == pytest.approx(option.npv.mean, abs=1e-9 * size)
        close(
            np.array(option.fiscal)[:, 1:4].astype(float).sum(axis=0), np.sum(want["years"], axis=0)
        )
        for rate in option.irr:
            discounts = (1 + rate) ** (-np.arange(len(cash)) / 12)
            assert abs(discounts @ np.diff(cash, prepend=0.0)) < 1e-6 * size * discounts.max()
        back = np.array(want["payback"])
        assert option.never == pytest.approx(np.isnan(back).mean())
        assert option.within_year[0] == pytest.approx((back <= 12).mean())
        for months, mean_cash in ((option.payback, cash), (option.payback_discounted, present)):
            wanted = payback(mean_cash.tolist())
            assert months == (None if math.isnan(wanted) else pytest.approx(wanted, abs=1e-6))
        assert option.positive[0] == pytest.approx((np.array(want["npv"]) > 0).mean())
        ordered = sorted(want["npv"])
        close(option.worst, np.mean(ordered[: DRAWS // 20]), size)
        close(option.expected_loss, np.mean(np.maximum(-np.array(want["npv"]), 0)), size)
        order = np.argsort(want["npv"], kind="stable")
        for one, (low, high) in zip(
            option.scenarios, ((75, 125), (0, DRAWS), (875, 925)), strict=True
        ):
            here = order[low:high]
            close(one.npv, np.array(want["npv"])[here].mean(), size)
            close(one.costs, np.array(want["costs"])[here].mean(), size)
            close(one.hard, np.array(want["kinds"].get("hard", np.zeros(DRAWS)))[here].mean(), size)
            assert one.hard + one.soft - one.costs == pytest.approx(
                one.npv, rel=1e-9, abs=1e-6 * size
            )
        if option.kind == "recommended":
            fall, steps = want["waterfall"], dict(result.waterfall)
            close(steps["gross"], fall["gross"], size)
            close(steps["not_used"], fall["used"] - fall["gross"], size)
            close(steps["decayed"], fall["kept"] - fall["used"], size)
            close(steps["not_recaptured"], fall["benefits"] - fall["kept"], size)
            close([steps["one_off"], steps["running"]], [fall["one_off"], fall["running"]], size)
            way = ("gross", "not_used", "decayed", "not_recaptured")
            assert sum(steps[one] for one in way) == pytest.approx(
                steps["benefits"], abs=1e-9 * size
            )
            assert steps["benefits"] + steps["one_off"] + steps["running"] == pytest.approx(
                steps["net"]
            )
            close(steps["net"], np.mean(want["npv"]), size)


@settings(max_examples=3, deadline=None, phases=UNSHRUNK)
@given(cases())
def test_it_is_the_slow_cash_flow(declared):
    made = Case(**declared)
    agree(build(made, draws=DRAWS), slowly(made))


@settings(max_examples=6, deadline=None, phases=UNSHRUNK)
@given(cases(), st.integers(0, 5))
def test_every_single_draw_is_the_slow_one(declared, seed):
    """NPV and payback draw by draw, from `simulate` itself."""
    made, draws = Case(**declared), 40
    known = prepare(made, (), made.date).known
    lines = cash_flow(made, (), known)
    options, _ = weights_of(made)
    value = Draws({name: one.used for name, one in known.items()}, draws, seed, {})
    finance = made.finance
    horizon = Horizon(finance.horizon_months, finance.rate, finance.timing)
    drawn, cash = simulate(lines.flows, options, value, horizon)

    @cache
    def drawn_lists(name):
        return known[name].used.at(scores(name, draws, seed)).tolist()

    happens = cache(lambda name: scores(f"event/{name}", draws, seed).tolist())
    slow = Slow(made, drawn_lists, happens, {}, draws)
    assert not lines.problems
    for weights, money_in_time in zip(options, cash, strict=True):
        want = slow.option(next(one for one in made.options if one.name == weights.name))
        size = max(map(abs, want["npv"] + want["costs"]))
        close(Totals(weights, drawn, draws).npv, want["npv"], size)
        close(money_in_time.cumulative, np.array(want["cumulative"]).T, size)
        np.testing.assert_allclose(money_in_time.payback, want["payback"], atol=1e-6)


@pytest.mark.parametrize(("kind", "slip"), [("quality", 0), (None, {"low": 1, "high": 4})])
def test_hours_of_evidence_are_the_slow_ones(kind, slip):
    line = benefit(
        "hours", evidence=["e"], worth="rate", adoption="use", ramp_months=6, starts="go"
    )
    made = case(
        [money("rate", (40, 70), "hours"), share("use", (0.5, 0.9)), money("pay", 1000)],
        [line | ({"kind": kind} if kind else {})],
        [cost("paid", "pay")],
        evidence=[{"id": "e", "run": "time_saved/desk"}],
        roadmap=[
            {"id": "go", "name": "go", "starts": "2027-01-01", "ends": "2027-02-28", "slip": slip}
        ],
    )
    evidence = {"e": [finding(), finding("desk/pm/merge")]}
    result = build(made, evidence, draws=DRAWS)
    agree(result, slowly(made, evidence))
    assert result.recommended.hours.mean > 0


def hand():
    """Return two years by hand: 24,000 a year from July 2027 (ramp 0) at 60 % use, 12,000 once, 500 a month."""
    return fields(
        [
            money("gain", 24_000),
            share("use", 0.6),
            money("start", 12_000, "once"),
            money("licence", 500, "month"),
        ],
        [benefit("gained", "gain", adoption="use", starts="2027-07-01")],
        [cost("start", "start"), cost("licence", "licence", starts="2027-03-01")],
        finance={"rate": 0.08, "horizon_months": 24},
    )


def test_a_case_without_uncertainty_is_the_spreadsheet():
    """24,000 x 0.6 / 12 = 1,200 a month in months 7 to 24; 500 a month in 3 to 24; 12,000 now."""
    result = build(Case(**hand()), draws=DRAWS)
    gains = sum(1_200 / 1.08 ** (number / 12) for number in range(7, 25))
    licences = sum(500 / 1.08 ** (number / 12) for number in range(3, 25))
    one = result.recommended
    assert told(one.npv) == pytest.approx([gains - licences - 12_000] * 4)
    assert told(one.costs) == pytest.approx([licences + 12_000] * 4)
    assert one.years == (pytest.approx((7_200, 12_000, 5_000)), pytest.approx((14_400, 0, 6_000)))
    assert one.positive == (0.0, 0.0)
    assert one.payback is None
    assert one.never == 1.0
    assert one.roi == pytest.approx((gains - licences - 12_000) / (licences + 12_000))
    assert one.fan[24] == pytest.approx([18 * 1_200 - 22 * 500 - 12_000] * 3)
    assert one.expected_loss == pytest.approx(12_000 + licences - gains)
    assert result.evpi == 0
    assert result.drivers == ()
    assert result.base == result.all_low == pytest.approx(one.npv.mean)


@pytest.mark.parametrize(
    ("timing", "first", "second"), [("end_year", 1, 2), ("mid_year", 0.5, 1.5)]
)
def test_the_years_conventions_are_the_spreadsheet(timing, first, second):
    """Year 1 brings 6 x 1,200, year 2 12 x 1,200; what is paid in the first month is initial, undiscounted."""
    made = hand()
    made["finance"]["timing"] = timing
    result = build(Case(**made), draws=DRAWS)
    wanted = (7_200 - 5_000) / 1.08**first + (14_400 - 6_000) / 1.08**second - 12_000
    assert result.recommended.npv.mean == pytest.approx(wanted)


def test_payback_is_linear_inside_the_month():
    """9,500 paid at once, 1,000 a month: 9.5 months."""
    made = build(
        case(
            [money("gain", 1_000, "month"), money("pay", 9_500, "once")],
            [benefit("g", "gain")],
            [cost("c", "pay")],
        ),
        draws=DRAWS,
    ).recommended
    assert made.payback == pytest.approx(9.5)
    assert made.within_year[0] == 1.0


def npv(declared, evidence=None, **more):
    return build(Case(**declared), evidence, draws=DRAWS, **more).recommended.npv


def test_without_decay_and_ramp_it_is_the_simple_product():
    declared = fields(
        [
            units("hours", 500, "hour"),
            money("rate", 60, "hour"),
            share("all", 1.0),
            share("none", 0.0),
            money("pay", 0),
        ],
        [
            benefit(
                "g",
                "hours",
                worth="rate",
                adoption="all",
                recapture="all",
                decay="none",
                kind="capacity",
            )
        ],
        [cost("c", "pay")],
        finance={"rate": 0.0},
    )
    assert npv(declared).mean == pytest.approx(500 * 60 * 3)


def uncertain(**more):
    """Return a case in which everything is a range."""
    return fields(
        [
            money("gain", (50_000, 90_000)),
            money("pay", (30_000, 40_000)),
            share("use", (0.5, 0.9)),
            share("wear", (0.05, 0.2)),
            share("grow", (0.01, 0.04)),
            money("set up", (5_000, 9_000), "once", id="once"),
        ],
        [
            benefit(
                "gained",
                "gain",
                adoption="use",
                decay="wear",
                kind="capacity",
                ramp_months=6,
                starts="go",
            )
        ],
        [cost("paid", "pay", trend="grow"), cost("set up", "once")],
        roadmap=[
            {
                "id": "go",
                "name": "go",
                "starts": "2027-01-01",
                "ends": "2027-02-28",
                "slip": {"low": 0.5, "high": 4},
            }
        ],
        **more,
    )


def test_twice_the_worth_is_twice_the_gain():
    def declared(factor):
        return fields(
            [
                units("n", (20, 60), "ticket"),
                money("worth", (100 * factor, 300 * factor), "tickets"),
                money("pay", 1),
            ],
            [benefit("g", "n", worth="worth", kind="quality")],
            [cost("c", "pay")],
        )

    one, two = (
        build(Case(**declared(factor)), draws=DRAWS).recommended.benefits["all"]
        for factor in (1, 2)
    )
    assert [2 * value for value in told(one)] == pytest.approx(told(two), rel=1e-9)


def test_an_option_that_is_doing_nothing_has_no_value():
    declared = uncertain()
    declared["options"] += [
        {
            "name": "same",
            "kind": "other",
            "benefits": ["gained"],
            "costs": ["idle"],
            "reach": {"gained": 0},
        }
    ]
    same = build(Case(**declared), draws=DRAWS).option("same")
    assert told(same.npv) == [0, 0, 0, 0]
    assert same.positive[0] == 0
    assert same.roi is None


def test_another_line_or_option_changes_no_draw():
    plain = build(Case(**uncertain()), draws=DRAWS)
    declared = uncertain()
    declared["assumptions"] += [money("more", (10_000, 20_000)), money("less", (10_000, 20_000))]
    declared["benefits"].insert(0, benefit("another", "more"))
    declared["costs"].insert(0, cost("fee", "less"))
    declared["options"].insert(
        0,
        {
            "name": "big",
            "kind": "stretch",
            "benefits": ["another", "gained"],
            "costs": ["fee", "paid", "set up"],
        },
    )
    more = build(Case(**declared), draws=DRAWS)
    assert more.recommended == plain.recommended
    assert more.nothing == plain.nothing
    assert more.entry("gain") == plain.entry("gain")


@settings(max_examples=3, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_declaring_does_not_matter(random):
    one, other = uncertain(), uncertain()
    for name in ("assumptions", "benefits", "costs", "options"):
        other[name] = random.sample(other[name], len(other[name]))
    for option in other["options"]:
        for name in ("benefits", "costs"):
            if name in option:
                option[name] = random.sample(option[name], len(option[name]))
    first, second = (build(Case(**declared), draws=DRAWS) for declared in (one, other))
    assert told(first.recommended.npv) == pytest.approx(told(second.recommended.npv), rel=1e-12)
    assert first.recommended.never == second.recommended.never
    assert dict(first.waterfall) == pytest.approx(dict(second.waterfall), rel=1e-9)
    assert {one.id: one.npv for one in first.drivers} == {
        one.id: pytest.approx(one.npv, rel=1e-9) for one in second.drivers
    }


def test_seeds_differ_and_repeat():
    assert npv(uncertain(), seed=1) != npv(uncertain(), seed=2)
    assert npv(uncertain(), seed=2) == npv(uncertain(), seed=2)


def test_a_later_bar_of_the_roadmap_moves_the_npv():
    later = uncertain()
    later["roadmap"][0]["ends"] = "2027-05-31"
    assert npv(later).mean < npv(uncertain()).mean


@settings(max_examples=10, deadline=None)
@given(
    st.integers(1, 34),
    st.integers(0, 12),
    st.sampled_from([0, 4]),
    st.sampled_from(["monthly", "end_year", "mid_year"]),
)
def test_a_later_start_never_raises_a_constant_gain(start, later, ramp, timing):
    """Without decay: what comes in falls, month by month; with decay the wear begins later too."""

    def made(number):
        return npv(
            fields(
                [money("gain", 100), money("pay", 1)],
                [benefit("g", "gain", starts=month(number).isoformat(), ramp_months=ramp)],
                [cost("c", "pay")],
                finance={"timing": timing},
            )
        ).mean

    assert made(min(start + later, 35)) <= made(min(start, 35)) + 1e-9


def test_what_started_before_the_horizon_is_further_along_its_curves():
    """A year before: the S-curve is over, a year of decay is gone."""
    declared = fields(
        [money("gain", 12_000), share("wear", 0.2), money("pay", 0)],
        [benefit("g", "gain", starts="2026-01-01", ramp_months=0, decay="wear")],
        [cost("c", "pay")],
        finance={"rate": 0.0, "horizon_months": 12},
    )
    assert npv(declared).mean == pytest.approx(
        sum(1_000 * 0.8 ** ((12 + m) / 12) for m in range(12))
    )


def test_a_known_slip_moves_the_start():
    def made(**step):
        declared = simple(roadmap=[{"id": "go", "name": "go", "starts": "2027-01-01"} | step])
        declared["benefits"][0]["starts"] = "go"
        return npv(declared).mean

    assert made(ends="2027-01-31", slip=6) == pytest.approx(made(ends="2027-07-31"))


def test_hours_are_hours_of_a_year():
    """Told and counted alike; by the week (52 of them are no year's work) they are refused."""
    declared = fields(
        [money("rate", 10, "hours"), share("all", 1.0), share("none", 0.0), money("pay", 0)],
        [benefit("g", evidence=["e"], worth="rate", adoption="all", recapture="all", decay="none")],
        [cost("c", "pay")],
        evidence=[{"id": "e", "run": "time_saved/desk"}],
        finance={"rate": 0.0},
    )
    one = build(Case(**declared), {"e": [finding()]}, draws=DRAWS)
    assert one.recommended.hours.mean * 10 * 3 == pytest.approx(one.recommended.npv.mean)
    for per in ("week", "unit", "once"):
        with pytest.raises(InputError, match=f"per {per}"):
            build(Case(**declared), {"e": [finding(per=per)]}, draws=DRAWS)


def test_a_known_slip_and_an_uncertain_decay():
    """All of it two months later, as if the step ended then."""

    def made(**step):
        declared = simple(roadmap=[{"id": "go", "name": "go", "starts": "2027-01-01"} | step])
        declared["benefits"][0].update(starts="go", kind="capacity")
        return told(npv(declared))

    assert made(ends="2027-01-31", slip=2) == pytest.approx(made(ends="2027-03-31"))


def test_value_enabled_is_volume_times_worth_times_share_shrunk():
    """One win of 0.02 +/- 0.005: z = 4, so that 1 - 1/16 of it is left."""
    declared = fields(
        [
            units("visits", 1e6, "year"),
            money("margin", 12, "order"),
            share("part", 0.25),
            money("pay", 0),
        ],
        [
            benefit(
                "g",
                evidence=["e"],
                volume="visits",
                worth="margin",
                share="part",
                signed_by="head of shop",
            )
        ],
        [cost("c", "pay")],
        evidence=[{"id": "e", "run": "experiment_readout/shop"}],
        finance={"rate": 0.0},
    )
    result = build(Case(**declared), {"e": [win()]}, draws=20_000)
    assert result.lines[0].shrunk == pytest.approx(1 - 1 / 16)
    wanted = 0.02 * 15 / 16 * 1e6 * 12 * 0.25 * 3
    assert result.recommended.npv.mean == pytest.approx(wanted, rel=0.01)
    assert result.recommended.benefits["enabled"].mean == pytest.approx(wanted, rel=0.01)
    assert result.enabled is None


def test_value_enabled_stays_out_of_the_npv_without_a_signed_share():
    declared = fields(
        [
            units("visits", 1e6, "year"),
            money("margin", 12, "order"),
            money("pay", 100),
            money("gain", 200),
        ],
        [
            benefit("enabled", evidence=["e"], volume="visits", worth="margin"),
            benefit("gained", "gain"),
        ],
        [cost("c", "pay")],
        evidence=[{"id": "e", "run": "experiment_readout/shop"}],
        finance={"rate": 0.0},
    )
    result = build(Case(**declared), {"e": [win()]}, draws=20_000)
    assert told(result.recommended.npv) == pytest.approx([300] * 4)
    assert result.enabled.mean == pytest.approx(0.02 * 15 / 16 * 1e6 * 12 * 3, rel=0.01)
    assert dict(result.waterfall)["gross"] == pytest.approx(600)
    assert not next(line for line in result.lines if line.name == "enabled").counted
    assert [one.id for one in result.drivers] == []


def test_several_wins_are_shrunk_by_their_mean_square():
    """z = 4 and z = 1: 1 - 1 / ((16 + 1) / 2)."""
    declared = fields(
        [
            units("visits", 1e6, "year"),
            money("margin", 12, "order"),
            money("pay", 100),
            money("gain", 200),
        ],
        [
            benefit("enabled", evidence=["e"], volume="visits", worth="margin"),
            benefit("gained", "gain"),
        ],
        [cost("c", "pay")],
        evidence=[{"id": "e", "run": "experiment_readout/shop"}],
    )
    wins = [win(), win("shop/basket/short", 0.005, 0.005)]
    result = build(Case(**declared), {"e": wins}, draws=DRAWS)
    assert next(line for line in result.lines if line.name == "enabled").shrunk == pytest.approx(
        1 - 2 / 17
    )


def test_costs_in_another_currency_are_converted_at_the_rate_given():
    rate = {"from": "USD", "to": "EUR", "rate": 0.5, "date": "2026-09-30", "source": "treasury"}
    plain = simple()
    abroad = simple(finance={"exchange": [rate]})
    abroad["assumptions"][1].update(currency="USD", likely=120_000)
    assert npv(abroad).mean == pytest.approx(npv(plain).mean)


def test_gains_at_a_rate_below_zero_are_worth_more_later():
    assert npv(simple(finance={"rate": -0.05})).mean == pytest.approx(
        sum(40_000 / 12 * 0.95 ** -((m + 1) / 12) for m in range(36))
    )
    assert math.isclose(npv(simple(finance={"rate": 0.0})).mean, 120_000)


def test_an_end_on_the_last_day_of_the_horizon_is_none():
    """Over 60 months the same, whether a line says that it ends with the horizon or not."""
    declared = hand()
    ended = hand()
    ended["costs"][1]["ends"] = "2028-12-31"
    results = [build(Case(**one), draws=DRAWS).recommended for one in (declared, ended)]
    assert results[0].horizons == results[1].horizons


def test_what_is_paid_until_a_step_is_paid_until_it_is_done():
    """Four months late at 500 a month: 2,000 more, by hand, undiscounted."""
    declared = hand()
    declared["finance"]["rate"] = 0.0
    step = {"id": "go", "name": "go", "starts": "2027-01-01", "ends": "2027-12-31"}
    declared["costs"][1]["ends"] = "go"
    costs = [
        build(
            Case(**(declared | {"roadmap": [step | {"slip": late}]})), draws=DRAWS
        ).recommended.costs.mean
        for late in (0, 4)
    ]
    assert costs[1] - costs[0] == pytest.approx(2_000)
