"""A case and its result made by hand, plausible and adding up, in all the variants that a page must bear."""

import dataclasses
import datetime

from opslab.businesscase.finance import Payback, Tei, TeiRow
from opslab.businesscase.options import (
    AtHorizon,
    AtRate,
    Band,
    Choice,
    Difference,
    Driver,
    Fiscal,
    Nothing,
    OptionResult,
    Party,
    Peak,
    RiskCost,
    Scenario,
    Spread,
    Year,
)
from opslab.businesscase.result import (
    CaseResult,
    Change,
    Entry,
    Estimate,
    Factor,
    Line,
    Previous,
    Target,
)
from opslab.businesscase.spec import Case
from opslab.evidence import SourceFile
from opslab.results import Check, Message

DAY = datetime.date
HOSTILE = "<script>alert(1)</script> & {0} =cmd() [x](y) #set $a$"
LONG = "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz" * 2
MONTHS = 36
RUN = "time_saved/product-desk/2026-10-05-0a1b2c3d"

BENEFITS = (
    # name, gain, kind, refs, grade, unit, quantity a year, money a year
    (
        "Tagging of feedback",
        "time",
        "capacity",
        ("E1", "A1", "A2", "A3"),
        "B",
        "hours",
        3100,
        96_000,
    ),
    ("Reporting", "time", "capacity", ("E2", "A1", "A2"), "D", "hours", 1400, 43_000),
    ("Survey licence dropped", "time", "hard", ("A4",), "D", "EUR", 38_000, 38_000),
    ("Contractor for analyses ended", "time", "hard", ("A5",), "E", "EUR", 54_000, 54_000),
    ("Fewer wrong launches", "decisions", "quality", ("E3", "A6"), "E", "launches", 2.5, 60_000),
    ("Faster decisions on tests", "decisions", "capacity", ("A7", "A1"), "F", "hours", 350, 21_000),
    ("Lift of the short label", "decisions", "enabled", ("E4", "A8"), "A", "share", 0.021, 240_000),
    ("Fewer duplicate requests", "alignment", "quality", ("A9",), "F", "tickets", 420, 12_000),
)
LEDGER = (
    # id, statement, value, low, high, family, unit, grade
    (
        "A1",
        "Loaded cost of an hour of a product manager",
        72,
        61,
        84,
        "lognormal",
        "EUR / hour",
        "D",
    ),
    (
        "A2",
        "Share of freed hours that becomes productive work",
        0.5,
        0.3,
        0.7,
        "beta",
        "share",
        "E",
    ),
    ("A3", "Share of the teams that use the tool in the end", 0.8, 0.6, 0.95, "beta", "share", "C"),
    ("A4", "Survey licence, budget line 6226", 38_000, 38_000, 38_000, "fixed", "EUR / year", "D"),
    (
        "A5",
        "Contractor for analyses, budget line 6228",
        54_000,
        40_000,
        70_000,
        "lognormal",
        "EUR / year",
        "E",
    ),
    (
        "A6",
        "Cost of a launch that is rolled back",
        24_000,
        9_000,
        51_000,
        "lognormal",
        "EUR / launch",
        "F",
    ),
    (
        "A7",
        "Hours that a test waits for its reading",
        350,
        120,
        780,
        "lognormal",
        "hours / year",
        "F",
    ),
    (
        "A8",
        "Revenue that passes the checkout",
        11_400_000,
        10_900_000,
        11_900_000,
        "normal",
        "EUR / year",
        "D",
    ),
    ("A9", "Worth of duplicate requests", 12_000, 4_000, 25_000, "lognormal", "EUR / year", "F"),
    ("C1", "Two posts, loaded", 168_000, 150_000, 187_000, "lognormal", "EUR / year", "D"),
    (
        "C2",
        "Feedback tool, offer of 12 September",
        24_000,
        24_000,
        24_000,
        "fixed",
        "EUR / year",
        "D",
    ),
    ("C3", "Roll-out and training", 41_000, 28_000, 58_000, "lognormal", "EUR / once", "E"),
    ("slip:pilot", "Pilot: months late", 1.4, 0.2, 4.1, "beta", "months", "F"),
)
FOUND = {
    "E1": ("tagging", "hours", 3100, 2100, 4300, "B"),
    "E2": ("reporting", "hours", 1400, 700, 2300, "D"),
    "E3": ("launches", "launches", 2.5, 0.8, 5.1, "E"),
    "E4": ("label", "share", 0.021, 0.006, 0.036, "A"),
}


def spec(**more):
    """Return the fields of the case."""
    statement = [
        {
            "id": one[0],
            "statement": one[1],
            "likely": 0.5 if one[6] == "share" else 1,
            "share": one[6] == "share",
        }
        for one in LEDGER
        if ":" not in one[0]
    ]
    benefits = [
        {
            "name": name,
            "gain": gain,
            "kind": kind,
            "starts": "rollout",
            **(
                {"evidence": [ref for ref in refs if ref[0] == "E"]}
                if refs[0][0] == "E"
                else {"quantity": refs[0]}
            ),
        }
        for name, gain, kind, refs, *_ in BENEFITS
    ]
    names = [one["name"] for one in benefits]
    fields = {
        "case": "Product Ops 2027",
        "version": "2",
        "date": "2026-11-22",
        "owner": "Product Ops",
        "sponsor": "Chief Product Officer",
        "ask": {
            "sentence": "Fund two Product Ops posts and one feedback tool from January 2027, €233k in the first year.",
            "people": "2 posts",
            "mandate": "One taxonomy of feedback for the eight product teams",
            "problem": "Product managers spend 11 hours a week on tagging and reports (diary of 24 people, May 2026).",
        },
        "decision": {
            "wanted": "Approve the recommended option and its first tranche",
            "by": "2026-12-15",
            "who": "Chief Product Officer",
            "stage": "pilot",
            "conditions": [
                "Pilot gate passed before the second post is opened",
                "Quarterly review of the targets",
            ],
        },
        "finance": {
            "currency": "EUR",
            "start": "2027-01-01",
            "benefit_risk": 0.2,
            "cost_risk": 0.1,
            "exchange": [
                {"from": "USD", "to": "EUR", "rate": 0.92, "date": "2026-11-20", "source": "ECB"}
            ],
        },
        "previous": "business_case/product-ops-2026",
        "evidence": [{"id": name, "run": RUN} for name in FOUND],
        "assumptions": statement,
        "roadmap": [
            {
                "id": "pilot",
                "name": "Pilot with two teams",
                "starts": "2027-01-01",
                "ends": "2027-04-30",
                "slip": {"low": 0, "likely": 1, "high": 5},
                "owner": "Product Ops",
                "gate": "20 % of tagging time gone in both teams, measured",
            },
            {
                "id": "rollout",
                "name": "Roll-out to eight teams",
                "starts": "2027-05-01",
                "ends": "2027-09-30",
                "owner": "Product Ops",
                "gate": "70 % of teams use it weekly",
            },
            {"id": "upkeep", "name": "Upkeep", "starts": "2027-10-01", "ends": "2029-12-31"},
        ],
        "benefits": benefits,
        "costs": [
            {"name": "Two posts", "amount": "C1", "kind": "people", "starts": "pilot"},
            {"name": "Feedback tool", "amount": "C2", "kind": "tool", "starts": "rollout"},
            {"name": "Training", "amount": "C3", "kind": "training", "starts": "pilot"},
        ],
        "beyond_money": [
            {
                "name": "Decisions that can be traced",
                "weight": 3,
                "scores": {"Do nothing": 1, "Two posts and a tool": 4},
            },
            {
                "name": "Customers hear back",
                "weight": 1,
                "scores": {"Do nothing": 2, "Two posts and a tool": 2.5},
            },
        ],
        "options": [
            {"name": "Do nothing", "kind": "do_nothing", "costs": ["Feedback tool"]},
            {
                "name": "Tool alone",
                "kind": "minimum",
                "description": "No posts; teams tag with the tool.",
                "benefits": names[:3],
                "costs": ["Feedback tool"],
            },
            {
                "name": "Two posts and a tool",
                "kind": "recommended",
                "description": "As asked.",
                "benefits": names,
                "costs": ["Two posts", "Feedback tool", "Training"],
            },
            {
                "name": "Four posts",
                "kind": "stretch",
                "description": "Covers research operations too.",
                "benefits": names,
                "costs": ["Two posts", "Feedback tool", "Training"],
            },
            {
                "name": "Outsourced desk",
                "kind": "other",
                "benefits": names[:4],
                "costs": ["Feedback tool"],
            },
        ],
        "teams": [{"role": "product managers", "people": 24, "hours": 1607}],
        "risks": [
            {
                "risk": f"Risk {place}: {what}",
                "owner": "Head of Product",
                "trigger": trigger,
                "response": "Review at the next gate",
                "likelihood": {"low": 0.1, "high": 0.4},
            }
            for place, (what, trigger) in enumerate(
                [
                    ("teams keep their own tags", "two teams below 50 % use in March"),
                    ("the posts are filled late", "no signed contract on 1 February"),
                    ("vendor raises the price", "renewal offer above 5 %"),
                    ("data protection blocks the export", "no answer of the DPO by 31 January"),
                    ("freed hours drift into meetings", "diary of May shows no change"),
                    ("the taxonomy is never finished", "more than 10 % of tickets without a tag"),
                ],
                1,
            )
        ],
        "kpis": [
            {
                "id": f"K{place}",
                "name": name,
                "gain": gain,
                "unit": unit,
                "baseline": base,
                "target": target,
                "low": low,
                "high": high,
                "date": date,
                "kill": kill,
                "source": "tracker",
                "owner": "Product Ops",
            }
            for place, (name, gain, unit, base, target, low, high, date, kill) in enumerate(
                [
                    ("Hours of tagging a week", "time", "hours", 62, 40, 35, 48, "2027-06-30", 58),
                    (
                        "Median days from test end to decision",
                        "decisions",
                        "days",
                        19,
                        10,
                        7,
                        14,
                        "2027-09-30",
                        18,
                    ),
                    (
                        "Teams that use the taxonomy",
                        "alignment",
                        "share",
                        0.2,
                        0.8,
                        0.6,
                        0.95,
                        "2027-12-31",
                        0.4,
                    ),
                    (
                        "Duplicate requests a month",
                        "alignment",
                        "tickets",
                        70,
                        35,
                        25,
                        50,
                        "2026-09-30",
                        65,
                    ),
                    (
                        "Launches rolled back a quarter",
                        "decisions",
                        "launches",
                        2,
                        1,
                        0.5,
                        1.5,
                        "2026-10-31",
                        2.5,
                    ),
                    (
                        "Reports made by hand a week",
                        "time",
                        "reports",
                        14,
                        4,
                        2,
                        7,
                        "2026-06-30",
                        12,
                    ),
                ],
                1,
            )
        ],
        "debts": [
            {
                "gain": "alignment",
                "statement": "Whether teams share the same three priorities",
                "measure": "three questions to each function, twice a year",
                "by": "2027-03-31",
                "owner": "Product Ops",
            },
        ],
    }
    return fields | more


def spread(mean, width):
    """Return draws to the right of their median: a page that told that would be found out."""
    return Spread(mean, mean - width, mean - 0.05 * width, mean + width)


def option(name, kind, npv, width, costs, chance, payback, description=None, hard=0.3, staged=True):
    """Return an option's result whose parts add up."""
    total = npv + costs
    kinds = {"hard": hard, "capacity": 0.75 - hard, "quality": 0.25}
    benefits = {each: spread(total * share, width * share) for each, share in kinds.items()} | {
        "enabled": Spread(0, 0, 0, 0),
        "all": spread(total, width),
    }
    once = 0.15 * costs
    fan, cash = [], 0.0
    for month in range(MONTHS + 1):
        cash = -once - (costs - once) * month / MONTHS + total * max(0.0, month - 6) / (MONTHS - 6)
        half = width * month / MONTHS
        fan.append(Band(cash - half, cash, cash + half))
    scenarios = []
    for scenario, shift in (("prudent", -width), ("expected", 0.0), ("ambitious", width)):
        gain = total + shift
        scenarios.append(
            Scenario(
                scenario,
                2400 + shift / 200,
                gain * hard,
                gain * (1 - hard),
                costs,
                gain - costs,
                (gain - costs) / costs,
                payback,
            )
        )
    return OptionResult(
        name=name,
        kind=kind,
        description=description,
        npv=spread(npv, width),
        npv_error=npv and 900.0,
        positive=(chance, 0.0012),
        loss=(1 - chance, 0.0012),
        within_year=(chance / 3, 0.0014),
        payback=payback,
        payback_discounted=payback and payback + 2.0,
        never=1 - chance * 0.95,
        negative_again=0.013,
        p5=npv - 1.4 * width,
        worst=npv - 1.7 * width,
        worst_error=700.0,
        expected_loss=max(0.0, 0.25 * width * (1 - chance)),
        roi=npv / costs if costs else None,
        roi_hard=(total * hard - costs) / costs if costs else None,
        benefits=benefits,
        gains={
            "time": spread(total * 0.7, width * 0.7),
            "decisions": spread(total * 0.25, width * 0.25),
            "alignment": spread(total * 0.05, width * 0.05),
        },
        costs=spread(costs, costs * 0.1),
        hours=spread(2400, 800),
        fte=1.5,
        fan=tuple(fan),
        years=(
            Year(total * 0.2, once, costs * 0.25),
            Year(total * 0.4, 0.0, costs * 0.3),
            Year(total * 0.4, 0.0, costs * 0.3),
        ),
        fiscal=(
            Fiscal(DAY(2027, 1, 1), total * 0.2, once, costs * 0.25, 80_000.0),
            Fiscal(DAY(2028, 1, 1), total * 0.4, 0.0, costs * 0.3, 88_000.0),
            Fiscal(DAY(2029, 1, 1), total * 0.4, 0.0, costs * 0.3, 97_000.0),
        ),
        irr=(0.31,) if npv > 0 else (),
        horizons=(AtHorizon(12, -0.4 * costs), AtHorizon(24, 0.2 * npv), AtHorizon(36, npv)),
        peak=Peak(0.3 * costs, 9),
        scenarios=tuple(scenarios),
        stage=0.2 * costs if staged else 0.4 * costs,
        provision=0.01 * costs,
        tei=tei(total, costs),
    )


def tei(total, costs):
    """Return a TEI table with the fields of `opslab.businesscase.finance.Tei`."""
    gained, spent = 0.8 * total, 1.1 * costs

    def line(initial, *years):
        return TeiRow(
            initial=initial,
            years=years,
            total=initial + sum(years),
            present_value=0.85 * sum(years) + initial,
        )

    net = line(
        -0.1 * spent,
        0.2 * gained - 0.3 * spent,
        0.4 * gained - 0.3 * spent,
        0.4 * gained - 0.3 * spent,
    )
    return Tei(
        benefits=line(0.0, 0.2 * gained, 0.4 * gained, 0.4 * gained),
        costs=line(0.1 * spent, 0.3 * spent, 0.3 * spent, 0.3 * spent),
        net=net,
        npv=net.present_value,
        roi=net.present_value / spent if spent else None,
        payback=Payback(months=19.4 if net.total > 0 else None, negative_again=False),
    )


def ledger():
    """Return the lines of the ledger, one of them gone, one changed, one overdue."""
    entries = []
    for place, (name, statement, value, low, high, family, unit, grade) in enumerate(LEDGER):
        fallen = {"A5": "changed", "A6": "gone"}.get(name)
        entries.append(
            Entry(
                id=name,
                kind="assumption",
                statement=statement,
                value=value,
                low=low,
                high=high,
                stated=Estimate(value, low * 1.2, high * 0.85) if fallen else None,
                family=family,
                unit=unit,
                source="Controlling, letter of 12 May" if place % 2 else None,
                grade="F" if fallen else grade,
                declared=grade,
                fallen=fallen,
                file="costs.csv" if fallen else None,
                owner="Finance" if place % 3 else None,
                checked=DAY(2026, 5, 12),
                next_check=DAY(2026, 11, 1 + place),
                overdue=place == 0,
                used_by=tuple(one[0] for one in BENEFITS if name in one[3]),
            )
        )
    for name, (task, unit, value, low, high, grade) in FOUND.items():
        said = Message("timesaved.evidence", {"task": task, "role": "pm", "initiatives": ["desk"]})
        entries.append(
            Entry(
                id=name,
                kind="evidence",
                statement=said,
                value=value,
                low=low,
                high=high,
                stated=None,
                family="lognormal",
                unit=unit,
                source="diary.csv",
                grade=grade,
                declared=grade,
                fallen=None,
                file=None,
                owner="Product Ops",
                checked=DAY(2026, 10, 5),
                next_check=None,
                overdue=False,
                used_by=tuple(one[0] for one in BENEFITS if name in one[3]),
                run=RUN,
                link=f"../../../{RUN}/readout.html",
            )
        )
    return tuple(entries)


def targets(case, before):
    """Return the KPIs in every state that there is."""
    made = []
    states = ("reached", "on_the_way", "below_kill", "conflict", "debt", "not_due")
    for kpi, status in zip(case.kpis, states, strict=False):
        value = {
            "reached": kpi.target,
            "on_the_way": (kpi.baseline + kpi.target) / 2,
            "below_kill": kpi.kill,
            "conflict": kpi.baseline,
        }.get(status)
        promised = Band(kpi.low, kpi.target, kpi.high)
        measured = None if value is None else Band(value * 0.9, value, value * 1.1)
        both = None
        if measured and status != "conflict":
            both = Band(*((a + b) / 2 for a, b in zip(measured, promised, strict=True)))
        made.append(
            Target(
                kpi=kpi,
                promised=promised,
                measured=measured,
                on=DAY(2026, 10, 30) if measured else None,
                posterior=both,
                measured_share=0.6 if measured else None,
                status=status,
                before=before and status != "not_due",
                due=kpi.date,
            )
        )
    return tuple(made)


def factors(refs, unit, quantity, money, *, evidence):
    """Return the factors of a line, whose product is its money a year."""
    first = next((ref for ref in refs if evidence or ref[0] != "E"), "")
    if unit == "EUR":
        return (Factor(first, "amount", money),)
    return (Factor(first, "amount", quantity), Factor("", "scale", money / quantity))


def chosen(action, npv, recommended, rule, bound):
    """Return what the rule makes of the options of a made case, by the action it comes to."""
    nothing, others = "Do nothing", {one[0]: one[2] for one in OTHERS}
    rival = nothing if action in ("reject", "close") else "Tool alone"
    if recommended == 1:
        rival = nothing
    best = {"other": rival, "reject": nothing}.get(action, "Two posts and a tool")
    return Choice(action, rule, bound, best, rival, npv - others.get(rival, 0.0), 900.0)


OTHERS = (
    # name, kind, npv, width, costs, chance, payback
    ("Tool alone", "minimum", 90_000.0, 80_000.0, 80_000.0, 0.91, 11.0),
    ("Four posts", "stretch", 40_000.0, 420_000.0, 980_000.0, 0.54, 33.0),
    ("Outsourced desk", "other", -30_000.0, 150_000.0, 260_000.0, 0.41, None),
)


def made_case(
    *,
    action=None,
    rule="expected",
    bound=None,
    alone=False,
    hours=True,
    waiting=21_000.0,
    length="full",
    npv=310_000.0,
    chance=0.93,
    payback=17.0,
    costs=520_000.0,
    stopped=False,
    previous=True,
    evidence=True,
    text=None,
    measured=True,
    cites=(RUN,),
    hard=0.3,
    **more,
):
    """Return a result as `businesscase.build` would; the arguments are the variants."""
    fields = spec(**more)
    if text:
        fields["ask"] = dict.fromkeys(fields["ask"], text)
        fields["risks"] = [one | {"risk": text, "trigger": text} for one in fields["risks"]]
        fields["options"][2]["description"] = text
    if not previous:
        fields["previous"] = None
    if alone:
        fields["options"] = [fields["options"][0], fields["options"][2]]
    case = Case(**fields)
    width, staged = 260_000.0, case.stage is not None
    best = option(
        "Two posts and a tool",
        "recommended",
        npv,
        width,
        costs,
        chance,
        payback,
        "As asked.",
        hard,
        staged,
    )
    others = [option(*one, staged=staged) for one in OTHERS]
    options = (best,) if alone else (others[0], best, *others[1:])
    if not hours:
        options = tuple(
            dataclasses.replace(one, hours=Spread(0, 0, 0, 0), fte=None) for one in options
        )
    lines = tuple(
        Line(
            name,
            gain,
            kind,
            kind != "enabled",
            grade if evidence else max(grade, "C"),
            refs if evidence else tuple(ref for ref in refs if ref[0] != "E"),
            spread(quantity, 0.4 * quantity),
            unit,
            spread(money, 0.4 * money),
            spread(2.1 * money, 0.9 * money),
            0.72 if kind == "enabled" else None,
            "Finance" if kind == "hard" else None,
            None,
            factors(refs, unit, quantity, money, evidence=evidence),
            ended=False,
            gained_by="product managers" if unit == "hours" else None,
        )
        for name, gain, kind, refs, grade, unit, quantity, money in BENEFITS
        if hours or unit != "hours"
    )
    total = npv + costs
    warned = {
        "evidence": {"share": 0.62},
        "files": {"ids": ["A5", "A6"]},
        "ledger": {"ids": ["A1"]},
        "hard": {"asked": [Message("businesscase.hard_owner", {"names": ["Reporting"]})]},
        "recapture": {"names": ["Reporting"], "most": 0.6},
        "cash": {"share": 0.013},
        "debts": {"names": ["Launches rolled back a quarter"]},
    }
    if not hours:
        del warned["recapture"], warned["hard"]
    calm = not evidence  # one variant in which all is well
    states = {"capacity": "fail" if stopped else "pass" if calm else "warn"}
    load = {"role": "product managers", "share": 1.3 if stopped else 0.12, "most": 0.1}
    warned = {"capacity": load} | warned
    if not hours:
        states["capacity"], load = "none", {}
    if "teams" in more:
        del warned["capacity"]
        states["teams"], warned = "warn", {"teams": {"names": ["pm"]}} | warned
    states = {name: states.get(name, "pass" if calm else "warn") for name in warned}
    checks = tuple(
        Check(
            name,
            "pass" if states[name] == "none" else states[name],
            Message(f"businesscase.{name}_{states[name]}", values),
            blocking=name == "capacity",
        )
        for name, values in warned.items()
    )
    made = ledger()
    if not evidence:
        made = tuple(one for one in made if one.kind != "evidence")
    if text:
        made = (dataclasses.replace(made[0], statement=text, source=text, owner=text), *made[1:])
    return CaseResult(
        case=case,
        as_of=case.date,
        draws=20_000,
        seed=1,
        months=tuple(DAY(2027 + month // 12, month % 12 + 1, 1) for month in range(MONTHS)),
        factor=2.18,
        options=options,
        nothing=Nothing(
            "Do nothing",
            spread(240_000.0, 40_000.0),
            (80_000.0, 88_000.0, 97_000.0),
            6_400.0,
            8_300.0,
        ),
        wide=(),
        differences=tuple(
            Difference(best.name, one.name, spread(npv - one.npv.mean, 200_000.0), better)
            for one, better in zip(others, (0.88, 0.81, 0.97), strict=True)
            if not alone
        ),
        choice=chosen(
            action or ("approve" if npv > OTHERS[0][2] else "other"),
            npv,
            len(options),
            rule,
            bound,
        ),
        lines=lines,
        ledger=made,
        waterfall=(
            ("gross", total * 2.4),
            ("not_used", -total * 0.5),
            ("decayed", -total * 0.3),
            ("not_recaptured", -total * 0.6 * hours),
            ("benefits", total),
            ("one_off", -costs * 0.15),
            ("running", -costs * 0.85),
            ("net", npv),
        ),
        base=npv,
        all_low=npv - 3.4 * width,
        worst_together=npv - 2.6 * width,
        parties=(Party("product managers", 120_000.0, 0.0), Party("", total - 120_000.0, costs)),
        risks=(
            RiskCost(case.risks[0].risk, 0.25, spread(40_000.0, 15_000.0), 9_400.0),
            RiskCost(case.risks[1].risk, 0.3, spread(12_000.0, 5_000.0), 3_300.0),
        ),
        drivers=(
            Driver(
                "A3",
                (0.68, 0.92),
                (npv - 210_000, npv + 160_000),
                0.41 if npv > 0 else 0.93,
                0.34,
                9_400.0,
            ),
            Driver("A2", (0.38, 0.62), (npv - 180_000, npv + 170_000), 0.22, 0.29, 6_100.0),
            Driver("A6", (11_000, 42_000), (npv - 60_000, npv + 120_000), None, 0.08, 300.0),
            Driver("C1", (154_000, 183_000), (npv + 50_000, npv - 60_000), 270_000.0, 0.05, None),
            Driver("slip:pilot", (0.4, 3.1), (npv + 20_000, npv - 45_000), None, 0.03, None),
            Driver("A1", (64, 80), (npv - 30_000, npv + 30_000), 18.0, 0.02, None),
        ),
        evpi=11_800.0,
        by_rate=tuple(
            AtRate(rate, npv * part, chance)
            for rate, part in ((0.05, 1.15), (0.1, 1), (0.15, 0.85))
        ),
        waiting=waiting,
        enabled=spread(504_000.0, 210_000.0),
        targets=targets(case, previous)
        if measured
        else tuple(
            Target(
                kpi=kpi,
                promised=Band(kpi.low, kpi.target, kpi.high),
                status="not_due",
                before=False,
                due=kpi.date,
            )
            for kpi in case.kpis
        ),
        previous=Previous(
            "business_case/product-ops-2026/2025-11-20-99aa88bb",
            None,
            DAY(2025, 11, 20),
            "1",
            "Two posts and a tool",
            spread(240_000.0, 300_000.0),
            0.79,
            (
                Change("assumption", "A3", Estimate(0.7, 0.4, 0.95), Estimate(0.8, 0.6, 0.95)),
                Change("evidence", "E4", Estimate(0.03, 0.01, 0.05), Estimate(0.021, 0.006, 0.036)),
                Change(
                    "benefit",
                    "Reporting",
                    Estimate(60_000.0, 20_000.0, 110_000.0),
                    Estimate(90_300.0, 51_600.0, 129_000.0),
                ),
                Change(
                    "option",
                    "Four posts",
                    Estimate(10_000.0, -9_000.0, 21_000.0),
                    Estimate(40_000.0, -380_000.0, 460_000.0),
                ),
                Change("benefit", "Gone", Estimate(9_000.0, 1_000.0, 20_000.0), None),
                Change("default", "default-decay", None, Estimate(0.12, 0.1, 0.15)),
                Change("finance", "rate", None, None, ("0.08", "0.1")),
            ),
        )
        if previous
        else None,
        checks=checks,
        cites=tuple(cites),
        sources=(SourceFile("costs.csv", "ab" * 32, 12), SourceFile("case.yaml", "cd" * 32, 1)),
        length=length,
    )


RISKY = {"rule": "p_positive", "bound": 0.8, "chance": 0.62}
NO_STAGE = {"decision": {"wanted": "Approve", "by": "2026-12-15", "who": "CPO"}}
VARIANTS = {
    "whole": {},
    "never pays back": {"npv": -30_000.0, "chance": 0.44, "payback": None},
    "negative": {"npv": -300_000.0, "chance": 0.03, "payback": None, "action": "reject"},
    "nothing better": {"npv": -9_000.0, "action": "reject", "alone": True, "waiting": 100.0},
    "staged": {"action": "stage", **RISKY},
    "deferred": {"action": "defer", "rule": "worst", "bound": -50_000.0, **NO_STAGE},
    "close": {"npv": 400.0, "chance": 0.5, "payback": 35.0, "action": "close"},
    "alone": {"alone": True, "hours": False, "waiting": -8_000.0},
    "stopped": {"stopped": True},
    "no previous": {"previous": False, "measured": False},
    "no evidence": {"evidence": False, "debts": [], "previous": False, "measured": False},
    "hostile": {"text": HOSTILE},
    "long": {"text": LONG},
    "no cites": {"cites": ()},
    "bare": {
        "roadmap": [
            {"id": "rollout", "name": "Roll-out", "starts": "2027-01-01", "ends": "2027-02-28"},
            {"id": "pilot", "name": "Pilot", "starts": "2027-01-01", "ends": "2027-01-31"},
        ],
        "teams": [],
        "debts": [],
    },
}
