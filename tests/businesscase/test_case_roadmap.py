"""A case whose steps come from a roadmap's run: days, lateness, and what moves when they move."""

import copy
import datetime
import json
import shutil
import subprocess
import sys

import pytest
import yaml
from cases import benefit, cost, fields, file_run, finding, hours_case, money, share

from conftest import ROOT
from opslab.businesscase import Case, build
from opslab.businesscase.presentation import PARTS
from opslab.errors import InputError, SpecError
from opslab.evidence import Quantity
from opslab.operations import Roadmap, plan_roadmap

RUN = "roadmap/plan/2026-10-01-0123abcd"
START, END = datetime.date(2027, 1, 4), datetime.date(2027, 3, 31)
LATE = {"low": 0, "likely": 0.25, "high": 1}
"""A PERT: the beta distribution of 1 + 4 x 0.25 and 1 + 4 x 0.75 on 0 to 1 (Malcolm and others 1959)."""
BETA = Quantity("beta", {"a": 2.0, "b": 4.0}, 1 / 3, 0.08, 0.66, 0.9)
DECLARED = {"starts": START.isoformat(), "ends": END.isoformat()}


def quantiles(*ends):
    """Return months late by their p5, p50, p95 and mean."""
    low, middle, high, mean = ends
    points = {"p5": low, "p50": middle, "p95": high}
    return Quantity("quantiles", points, mean, low, high, 0.9)


ON_TIME = quantiles(0.0, 0.0, 0.0, 0.0)


def initiative(quantity=BETA, start=START, end=END, **more):
    """Return what a roadmap finds of an initiative."""
    given = {
        "kind": "descriptive",
        "unit": "month",
        "per": "once",
        "period": (start, end),
        "population": "ops",
        "claim": "slip:plan/desk",
        "benefit": "quality",
        "grade": "D",
    }
    return finding("plan/desk", quantity, **(given | more))


def declared(step=None, **more):
    """Return the fields of a case whose gain starts, and whose upkeep begins, with one step."""
    step = {"evidence": "plan"} if step is None else step
    return fields(
        [money("gain", 100_000), money("pay", 30_000), money("setup", 5_000, "once")],
        [benefit("gained", "gain", starts="desk", kind="capacity")],
        [cost("paid", "pay", starts="desk"), cost("set up", "setup", starts="desk")],
        roadmap=[
            {"id": "desk", "name": "Desk", "gate": "half of it is used", "owner": "ops"} | step
        ],
        **({"evidence": [{"id": "plan", "run": "roadmap/plan"}]} | more),
    )


def made(evidence=None, fields=None, **more):
    given = {"plan": [evidence]} if evidence else {}
    return build(Case(**(fields or declared())), given, draws=2_000, **more)


def by_hand(**step):
    return build(Case(**declared(step, evidence=[])), draws=2_000)


def refused(fields, evidence, error=InputError):
    with pytest.raises(error) as caught:
        build(Case(**fields), {"plan": evidence}, draws=1_000)
    [problem] = caught.value.problems
    assert problem.text() != problem.text("fr")
    return problem.key.removeprefix("businesscase."), problem.field


def test_a_cited_step_is_the_same_as_one_declared_by_hand():
    cited, own = made(initiative()), by_hand(**DECLARED, slip=LATE)
    assert cited.recommended == own.recommended
    assert cited.nothing == own.nothing
    assert cited.drivers == own.drivers
    assert cited.case.step("desk").ends == END


def test_a_later_announced_end_starts_the_benefit_later_and_lowers_the_npv():
    """By hand: three whole months later, each of 100,000 / 12; costs stay where they begin."""
    rate = {"finance": {"rate": 0.0}}
    zero = declared(**rate)
    for line in zero["benefits"]:
        line["decay"] = "none"
    zero["assumptions"].append(share("none", 0.0))
    sooner = made(initiative(ON_TIME), zero)
    later = made(initiative(ON_TIME, end=datetime.date(2027, 6, 30)), zero)
    gap = sooner.recommended.npv.mean - later.recommended.npv.mean
    assert gap == pytest.approx(3 * 100_000 / 12)
    assert sooner.recommended.costs == later.recommended.costs


def test_a_later_first_day_moves_what_is_paid():
    """By hand: 30,000 a year for one month less."""
    zero = declared(finance={"rate": 0.0})
    sooner = made(initiative(ON_TIME), zero).recommended.costs.mean
    later = made(initiative(ON_TIME, datetime.date(2027, 2, 1)), zero).recommended.costs.mean
    assert sooner - later == pytest.approx(30_000 / 12)


def test_later_tickets_lower_the_npv_and_early_ones_count_as_on_time():
    npvs = [
        made(initiative(late)).recommended.npv.mean
        for late in (
            quantiles(-3.0, -2.0, -1.0, -2.0),
            ON_TIME,
            quantiles(0.0, 1.0, 4.0, 1.5),
            quantiles(2.0, 3.0, 6.0, 3.5),
        )
    ]
    assert npvs[0] == npvs[1] > npvs[2] > npvs[3]


def test_months_late_that_are_known_are_as_if_it_ended_then():
    known = made(initiative(quantiles(2.0, 2.0, 2.0, 2.0)))
    ended = by_hand(starts=DECLARED["starts"], ends="2027-05-31")
    assert known.recommended.npv.mean == pytest.approx(ended.recommended.npv.mean)


def test_the_ledger_says_how_late_and_who_found_it():
    entry = made(initiative()).entry("slip:desk")
    assert (entry.kind, entry.grade, entry.unit) == ("evidence", "D", "month")
    assert entry.value == pytest.approx(1 / 3)


def test_a_step_that_nothing_waits_for_is_told_all_the_same():
    alone = declared()
    for line in (*alone["benefits"], *alone["costs"]):
        line["starts"] = "2027-01-01"
    assert made(initiative(), alone).entry("slip:desk").used_by == ()


@pytest.mark.parametrize("own", [{"starts": "2027-01-04"}, {"ends": "2027-03-31"}, {"slip": 1}])
def test_a_step_that_is_cited_has_no_days_of_its_own(own):
    with pytest.raises(SpecError) as caught:
        Case(**declared({"evidence": "plan"} | own))
    assert [one.key for one in caught.value.problems] == ["businesscase.milestone_form"]


@pytest.mark.parametrize("own", [{}, {"starts": "2027-01-04"}, {"ends": "2027-03-31"}])
def test_a_step_that_is_not_cited_has_both_days(own):
    with pytest.raises(SpecError) as caught:
        Case(**declared({"slip": 0} | own))
    assert [one.key for one in caught.value.problems] == ["businesscase.milestone_form"]


def test_evidence_that_is_not_listed():
    with pytest.raises(SpecError) as caught:
        build(Case(**declared({"evidence": "plann"})), {"plan": [initiative()]}, draws=1_000)
    [problem] = caught.value.problems
    assert (problem.key, problem.field) == ("businesscase.unknown_near", "roadmap[1].evidence")


@pytest.mark.parametrize(
    "evidence",
    [
        [finding()],
        [initiative(unit="calendar day")],
        [initiative(end=None)],
        [initiative(start=None)],
        [initiative(start=END, end=START)],
        [initiative(), initiative(end=END + datetime.timedelta(1))],
    ],
)
def test_what_is_no_initiative_is_no_step(evidence):
    assert refused(declared(), evidence) == ("no_step", "roadmap[1]")


def test_days_that_contradict_the_case_are_refused_once_they_are_known():
    late = initiative(start=datetime.date(2031, 1, 1), end=datetime.date(2031, 2, 1))
    with pytest.raises(SpecError) as caught:
        made(late)
    assert {one.key for one in caught.value.problems} == {"businesscase.outside_horizon"}


def test_a_gate_and_a_stage_know_the_day_of_a_cited_step():
    staged = declared()
    staged["decision"]["stage"] = "desk"
    staged["costs"][0]["starts"] = "2027-06-01"
    result, own = made(initiative(), staged), copy.deepcopy(staged)
    own["roadmap"][0] = own["roadmap"][0] | DECLARED | {"slip": LATE}
    del own["roadmap"][0]["evidence"]
    assert result.recommended == made(fields=own | {"evidence": []}).recommended
    assert result.headline() == made(fields=own | {"evidence": []}).headline()


@pytest.mark.parametrize("ends", ["2027-02-26", "2027-07-26", "2027-12-15"])
def test_announcing_a_later_end_without_work_that_moved_leaves_the_npv(ends):
    """What follows the advice of a roadmap pays nothing for it: the benefit starts at the drawn day."""
    step = {"id": "desk", "initiative": "Desk", "owner": "ops", "weeks": {"low": 12, "high": 36}}
    plans = [
        plan_roadmap(
            Roadmap(roadmap="plan", initiatives=[step | {"starts": "2027-01-04", "ends": known}]),
            datetime.date(2026, 10, 5),
            draws=2_000,
        )
        for known in ("2027-04-30", ends)
    ]
    first, later = (made(plan.evidence()[0]).recommended.npv.mean for plan in plans)
    assert later == pytest.approx(first, rel=0.01)


# ---- Filed runs


@pytest.fixture
def reports(tmp_path, monkeypatch):
    (tmp_path / "opslab.toml").touch()
    monkeypatch.setenv("OPSLAB_WORKSPACE", str(tmp_path))
    monkeypatch.delenv("OPSLAB_REPORTS", raising=False)
    return tmp_path / "reports"


def loaded(reports):
    path = reports.parent / "case.yaml"
    path.write_text(yaml.safe_dump(declared(), sort_keys=False))
    return Case.load(path, "case.yaml")


def test_a_roadmap_that_is_run_again_moves_the_case(reports):
    file_run(reports, RUN, [initiative()])
    first = build(loaded(reports), draws=1_000)
    moved = initiative(end=datetime.date(2027, 6, 30))
    file_run(reports, "roadmap/plan/2026-10-04-0123abcd", [moved])
    again = build(loaded(reports), draws=1_000)
    assert again.recommended.npv.mean < first.recommended.npv.mean
    assert again.cites == ("roadmap/plan/2026-10-04-0123abcd",)
    assert "roadmap/plan/2026-10-04-0123abcd/result.json" in {one.name for one in again.sources}


def test_the_page_and_the_record_say_where_the_date_comes_from(reports):
    file_run(reports, RUN, [initiative()])
    result = build(loaded(reports), draws=1_000)
    blocks = PARTS["options"](result, result.voice("en"))
    page = " ".join(block._repr_html_() for block in blocks)
    assert f'href="../../../{RUN}/readout.html"' in page
    record = json.loads(json.dumps(result.record()))
    step = record["plan"]["roadmap"][0]
    assert (step["evidence"], step["starts"], step["ends"]) == ("plan", *DECLARED.values())
    [told] = [one for one in record["ledger"] if one["id"] == "slip:desk"]
    assert told["run"] == RUN
    assert record["cites"] == [RUN]


def test_a_run_that_is_missing_altered_or_red_is_refused(reports):
    def key():
        with pytest.raises(InputError) as caught:
            build(loaded(reports), draws=1_000)
        return caught.value.problems[0].key.rpartition(".")[2]

    assert key() == "no_run"
    folder = file_run(reports, RUN, [initiative()], status="check_failed")
    assert key() == "red_run"
    file_run(reports, RUN, [initiative()])
    (folder / "result.json").write_text("{}")
    assert key() == "tampered"


def copied(folder):
    """Copy the sample roadmap and the tickets that it is bound to."""
    for path in (ROOT / "data" / "sample").glob("*"):
        if path.name.startswith(("product_roadmap", "delivery_flow")):
            shutil.copy(path, folder)


def edited(path, *change):
    text = path.read_text("utf-8")
    assert change[0] in text
    path.write_text(text.replace(*change), "utf-8")


@pytest.mark.slow
def test_a_moved_initiative_and_late_tickets_move_the_npv_of_the_sample(reports):
    """The whole way: sheet and tickets, the roadmap's filed run, the case."""
    folder = reports.parent
    copied(folder)

    known = set()

    def npv():
        """Run the roadmap's notebook, and build the case on the run that it filed."""
        command = [sys.executable, "-m", "opslab", "run", "roadmap", "-p", "draws=2000"]
        command += ["-p", "spec=product_roadmap.yaml"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        [run] = set((reports / "roadmap" / "product-roadmap").glob("2026-*")) - known
        known.add(run)
        cited = {
            "id": "plan",
            "run": f"roadmap/product-roadmap/{run.name}",
            "pick": ["product-roadmap/rollout"],
        }
        result = build(Case(**declared(evidence=[cited])), draws=5_000)
        assert result.cites == (cited["run"],)
        return result.recommended.npv.mean, result.entry("slip:desk").value

    first, late = npv()
    sheet = folder / "product_roadmap_initiatives.csv"
    edited(sheet, "2027-03-08,2027-03-31", "2028-01-10,2028-02-02")
    moved, _ = npv()
    assert moved < first
    edited(sheet, "2028-01-10,2028-02-02", "2027-03-08,2027-03-31")
    with (folder / "delivery_flow_tickets.csv").open("a", encoding="utf-8") as stream:
        for number in range(30):  # of the checkout, which the roll-out waits for
            day = "05/Oct/26 8:00 AM"
            stream.write(
                f"Found late,SHOP-{9000 + number},{90000 + number},Story,To Do,Low,,Ben,{day},{day},,SHOP-2,"
                "Checkout redesign,Shop\n"
            )
    later, slip = npv()
    assert slip > late + 0.5
    assert later < first


# ---- Time that passes is nobody's working time


def elapsed(worth, per="year", **more):
    """Return the fields of a case that prices waiting at a worth, and the evidence of it."""
    priced = hours_case(line={"worth": "price", "kind": "quality"}, assumptions=[worth])
    waiting = finding(unit="calendar day", per=per, claim="elapsed:delivery", benefit="quality")
    return priced, [waiting]


@pytest.mark.parametrize("per", ["hour", "product manager hours", "day", "person-day", "FTE"])
def test_waiting_is_never_priced_at_a_wage(per):
    priced, waiting = elapsed(money("price", 50, per))
    with pytest.raises(InputError) as caught:
        build(Case(**priced), {"e": waiting}, draws=1_000)
    [problem] = caught.value.problems
    assert (problem.key, problem.field) == ("businesscase.elapsed_wage", "benefits[1].worth")
    assert "nobody's working time" in problem.text()
    assert problem.text() != problem.text("fr")


def test_waiting_is_priced_by_what_a_delay_costs():
    priced, waiting = elapsed(money("price", 50, "calendar day"))
    assert build(Case(**priced), {"e": waiting}, draws=1_000).recommended.hours.mean == 0
