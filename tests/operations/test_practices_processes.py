"""Is a process worth its minutes: closed forms, a simulation of numpy's own, the rule as a table."""

import datetime
import hashlib
import itertools
import json
import math
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from conftest import ROOT
from opslab.archive import sealed
from opslab.errors import DataError, SpecError
from opslab.operations import PracticesParameters, review_practices
from opslab.operations.cited import earlier_run
from opslab.operations.practices.processes import cards, using_turns, verdict
from opslab.operations.practices.spec import PracticeReview, Rule

DAY = datetime.date(2026, 10, 5)
CARD = {"process": "Triage", "problem": "-", "steps": "Tag", "owner": "Mia", "trigger": "Monday"}
CARD |= {"minutes": 5, "uses": 10, "saved": 40, "sunset": "2027-01-01"}
WIDTH = 2 * norm.ppf(0.95)


def review(*processes, **fields):
    return PracticeReview(practices="Shop", processes=[CARD | each for each in processes], **fields)


def reviewed(*processes, draws=2_000, seed=1, losses=None, **fields):
    """Review processes; losses running, as the record of the review before tells them."""
    before = [
        {"process": name, "losses": count, "lost": "2026-07-06"}
        for name, count in (losses or {}).items()
    ]
    given, previous = review(*processes, **fields), {"cards": before}
    return cards(given, DAY, draws=draws, seed=seed, previous=previous)


def only(draws=2_000, seed=1, losses=None, uses=(), **process):
    (card,) = reviewed(process, draws=draws, seed=seed, losses=losses, uses=uses).cards
    return card


def log(*backs, process="Triage", team="Shop"):
    """Return uses so many days ago, in a log that covers the quarter."""
    uses = [{"process": process, "team": team, "date": DAY - timedelta(back)} for back in backs]
    others = [{"process": "Other", "team": "A", "date": DAY - timedelta(back)} for back in (0, 120)]
    return uses + others


# --- hours


def test_fixed_numbers_give_their_products_exactly():
    """20 uses a month of 3 people for 30 minutes: 20 x 12 x 3 x 30 / 60 = 360 hours a year."""
    card = reviewed({"minutes": 30, "people": 3, "saved": 100, "uses": 20}).cards[0]
    assert card.cost == (360, 360, 360)
    assert card.saved == (400, 400, 400)
    assert card.net == (40, 40, 40)
    assert (card.pays, card.loses) == (1, 0)


def test_ranges_are_multiplied_as_distributions():
    """Means and the chance in closed form, the middle 90 % by numpy's own draws of another seed."""
    ends = {"minutes": (20, 60), "saved": (40, 200), "uses": (8, 20)}
    given = {name: {"low": low, "high": high} for name, (low, high) in ends.items()}
    (card,) = reviewed(given | {"people": 2}, draws=100_000).cards
    mu = {name: math.log(low * high) / 2 for name, (low, high) in ends.items()}
    sigma = {name: math.log(high / low) / WIDTH for name, (low, high) in ends.items()}
    mean = {name: math.exp(mu[name] + sigma[name] ** 2 / 2) for name in ends}
    cost, saved = (12 / 60 * mean["uses"] * each for each in (2 * mean["minutes"], mean["saved"]))
    assert card.cost.value == pytest.approx(cost, rel=0.01)
    assert card.saved.value == pytest.approx(saved, rel=0.01)
    assert card.net.value == pytest.approx(saved - cost, rel=0.03)
    chance = norm.cdf(
        (mu["saved"] - mu["minutes"] - math.log(2)) / math.hypot(sigma["saved"], sigma["minutes"])
    )
    assert card.pays == pytest.approx(chance, abs=0.005)  # three errors of the draws
    assert card.pays + card.loses == 1
    random = np.random.default_rng(7)
    drawn = {name: np.exp(random.normal(mu[name], sigma[name], 1_000_000)) for name in ends}
    net = 12 / 60 * drawn["uses"] * (drawn["saved"] - 2 * drawn["minutes"])
    assert card.net[1:] == pytest.approx(np.quantile(net, (0.05, 0.95)), rel=0.03)
    product = 12 / 60 * 20 * 2 * 60  # of the high ends: no 95th percentile
    assert card.cost.high < 0.85 * product


def test_hours_of_all_processes_are_summed_draw_by_draw():
    wide = {"saved": {"low": 20, "high": 200}}
    told = reviewed(wide, wide | {"process": "Brief"}, draws=20_000)
    assert told.net.value == pytest.approx(sum(card.net.value for card in told.cards))
    assert told.net.low > sum(card.net.low for card in told.cards)  # they are independent
    without = cards(PracticeReview(practices="x", canvas={"path": "x"}), DAY)
    assert without == ((), None, (), {})  # no check passes by absence


def test_another_row_or_another_order_changes_nothing():
    wide = {"saved": {"low": 20, "high": 200}, "minutes": {"low": 3, "high": 9}}
    more = [wide | {"process": name} for name in ("Brief", "Deck")]
    alone = reviewed(wide).cards[0]
    assert reviewed(*more, wide).cards[2]._replace(row=1) == alone
    assert reviewed(wide, seed=2).cards[0].net != alone.net
    minutes = {"low": 4, "high": 10}  # another range of one quantity leaves the others' draws
    assert reviewed(wide | {"minutes": minutes}).cards[0].saved == alone.saved


@settings(max_examples=40, deadline=None)
@given(
    low=st.floats(1, 50),
    width=st.floats(1.1, 5),
    more=st.floats(0, 50),
    people=st.sampled_from([0.5, 1, 3]),
)
def test_more_minutes_never_raise_the_net(low, width, more, people):
    saved = {"low": 20, "high": 100}

    def at(extra):
        minutes = {"low": low + extra, "high": (low + extra) * width}
        return only(minutes=minutes, saved=saved, people=people, draws=1_000)

    before, after = at(0), at(more)
    assert after.net.value <= before.net.value + 1e-9
    assert after.pays <= before.pays
    assert after.loses >= before.loses


# --- uses: the log beside the card


def test_uses_of_the_log_count_in_the_place_of_the_card_s():
    """Two uses a week: 26 in 91 days are 8.70 a month, where the card says 10."""
    card = only(uses=log(*range(0, 91, 7), *range(0, 91, 7)), draws=50_000)
    assert card.uses_logged == pytest.approx(26 / 91 * 365.25 / 12)
    assert card.cost.value == pytest.approx(12 / 60 * 5 * card.uses_logged, rel=0.01)
    assert card.cost.low < 12 / 60 * 5 * card.uses_logged < card.cost.high
    assert not card.contradicted
    assert (only().uses_logged, only().cost.value) == (None, 10)


def test_a_log_beside_the_card_is_told():
    told = reviewed({}, uses=log(0, 30, 60))
    assert told.findings["log"]["contradicted"] == ["Triage"]
    assert told.cards[0].contradicted
    assert told.cards[0].cost.value == pytest.approx(12 / 60 * 5 * 3 / 91 * 365.25 / 12, rel=0.1)


def test_no_use_in_the_log_is_nothing_unless_that_is_rare_anyway():
    unused = only(uses=log(100))
    assert (unused.net, unused.pays, unused.loses) == ((0, 0, 0), 0, 0)
    assert (unused.verdict, unused.why, unused.turns) == ("open", "unused", ())
    (rare,) = reviewed({"uses": 0.3}, uses=log(100)).cards
    assert (rare.uses_logged, rare.contradicted) == (0, False)
    assert rare.cost.value == pytest.approx(0.3)  # as the card says: 0 in a quarter is no surprise
    (ended,) = reviewed({"sunset": "2026-10-01"}, uses=log(100)).cards
    assert (ended.verdict, ended.why) == ("kill", "sunset")


def test_what_the_log_holds_and_no_card_is_told():
    uses = [*log(1), *log(-3, process="triag")[:1]]
    findings = reviewed({}, uses=uses).findings["log"]
    assert findings["unknown"] == ["Other", "triag"]
    assert findings["later"] == ["2026-10-08"]
    assert findings["stale"] == []
    old = [{"process": "Triage", "team": "A", "date": DAY - timedelta(back)} for back in (20, 90)]
    told = reviewed({"eligible": 3, "using": 2}, uses=old)
    assert told.findings["log"]["stale"] == ["2026-09-15"]
    assert (told.cards[0].source, told.cards[0].uses_logged) == ("card", None)
    assert "log" not in reviewed({}).findings  # nothing passes by absence


# --- the rule


def test_the_rule_in_every_case():
    """A table by hand: of each state of the chances, whether the sunset passed, and adoption."""
    chances = {"pays": (0.8, 0.2), "loses": (0.2, 0.8), "between": (0.5, 0.5)}
    few, enough, unknown = 0.59, 0.6, None
    expected = {}
    for overdue, adopted in itertools.product((False, True), (few, enough, unknown)):
        for losses in (0, 1, 2, 5):
            for state in chances:
                expected[state, overdue, adopted, losses] = ("open", "unsure")
            if overdue:
                expected["between", overdue, adopted, losses] = ("kill", "sunset")
            loss = ("kill", "sunset_loss") if overdue else ("simplify", "loss")
            expected["loses", overdue, adopted, losses] = loss
            if losses >= 2:
                expected["loses", overdue, adopted, losses] = ("kill", "losses")
            kept = {few: ("extend", "few"), enough: ("keep", "pays"), unknown: ("keep", "unknown")}
            expected["pays", overdue, adopted, losses] = kept[adopted]
    assert len(expected) == 3 * 2 * 3 * 4
    for (state, overdue, adopted, losses), decided in expected.items():
        told = verdict(*chances[state], adopted, losses, Rule(), overdue=overdue)
        assert told == decided, (state, overdue, adopted, losses)


@given(
    pays=st.floats(0, 1),
    adopted=st.none() | st.floats(0, 1),
    losses=st.integers(0, 4),
    overdue=st.booleans(),
    sure=st.floats(0.51, 0.99),
)
def test_a_higher_chance_never_makes_a_verdict_worse(pays, adopted, losses, overdue, sure):
    order = ["kill", "simplify", "open", "keep", "extend"]
    rule = Rule(sure=sure)
    told = verdict(pays, 1 - pays, adopted, losses, rule, overdue=overdue)[0]
    best = verdict(1, 0, adopted, losses, rule, overdue=overdue)[0]
    worst = verdict(0, 1, adopted, losses, rule, overdue=overdue)[0]
    assert order.index(worst) <= order.index(told) <= order.index(best)
    assert (told in ("keep", "extend")) == (pays >= sure)


def test_verdicts_of_cards():
    assert only(eligible=5, using=3)[-3:-1] == ("keep", "pays")
    assert only(eligible=5, using=2)[-3:-1] == ("extend", "few")
    assert only(eligible=5)[-3:-1] == ("keep", "unknown")
    assert only(saved=4)[-3:-1] == ("simplify", "loss")
    assert only(saved={"low": 2, "high": 12})[-3:-1] == ("open", "unsure_saved")
    assert only(saved=20, minutes={"low": 10, "high": 40})[-3:-1] == ("open", "unsure_minutes")
    assert only(saved=5)[-3:] == ("open", "even", ())  # to the minute
    assert only(minutes=0.1, people=3, saved=0.3).loses == 0  # though 3 x 0.1 > 0.3 in floats


@pytest.mark.parametrize(("days", "overdue"), [(-1, True), (0, False), (30, False)])
def test_a_sunset_is_told(days, overdue):
    told = reviewed({"sunset": DAY + timedelta(days), "saved": 5})
    card = told.cards[0]
    assert (card.overdue, card.verdict == "kill") == (overdue, overdue)
    assert told.findings["processes"]["overdue"] == ["Triage"] * overdue


# --- what would change a verdict

WIDE = {"minutes": {"low": 4, "high": 9}, "saved": {"low": 6, "high": 30}, "people": 2}


@pytest.mark.parametrize(
    ("process", "losses", "starts"),
    [
        (WIDE, {}, "open"),
        (WIDE | {"saved": {"low": 14, "high": 60}}, {}, "keep"),
        (WIDE | {"saved": {"low": 4, "high": 15}}, {}, "simplify"),
        (WIDE | {"saved": {"low": 4, "high": 15}}, {"Triage": 1}, "kill"),
        (WIDE | {"saved": {"low": 4, "high": 15}, "sunset": "2026-10-01"}, {}, "kill"),
        (WIDE | {"saved": {"low": 4, "high": 15}, "sunset": "2026-10-01"}, {"Triage": 1}, "kill"),
        (WIDE | {"sunset": "2026-10-01"}, {}, "kill"),
    ],
)
def test_verdicts_differ_on_one_side_of_their_turning_values_and_not_on_the_other(
    process, losses, starts
):
    card = only(**process, losses=losses)
    assert card.verdict == starts
    assert [name for name, _ in card.turns][:2] == ["saved", "minutes"]
    for name, value in card.turns:
        sides = [
            only(**process | {name: value * (1 + off)}, losses=losses).verdict
            for off in (-1e-4, 1e-4)
        ]
        rising = (name == "saved") == (starts != "keep")
        same, other = sides if rising else sides[::-1]
        assert other != starts, (name, value)
        assert starts in (same, "open"), (name, value)
        if starts == "open":  # known, it may as well be a sure loss
            assert other in ("keep", "extend")
            assert same not in ("keep", "extend")


def test_turning_values_that_are_not_plausible_are_left_out():
    assert only(saved=400).turns == ()  # it would have to save 5 minutes, or take 400
    assert only(saved=8).turns == (("saved", 5), ("minutes", 8))


@given(eligible=st.integers(1, 60), adopted=st.floats(0.01, 1))
def test_teams_that_turn_a_verdict(eligible, adopted):
    rule = Rule(adopted=adopted)
    (enough,) = using_turns("extend", eligible, rule)
    assert enough / eligible >= adopted > (enough - 1) / eligible
    assert [*using_turns("keep", eligible, rule)] == [enough - 1]
    assert [*using_turns("open", eligible, rule), *using_turns("keep", None, rule)] == []


def test_teams_turn_a_verdict_on_both_sides():
    few, many = (only(saved=400, eligible=7, using=using) for using in (4, 5))
    assert (few.verdict, few.turns) == ("extend", (("using", 5),))
    assert (many.verdict, many.turns) == ("keep", (("using", 4),))


# --- earlier reviews, standards


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    (tmp_path / "opslab.toml").touch()
    monkeypatch.setenv("OPSLAB_WORKSPACE", str(tmp_path))
    monkeypatch.delenv("OPSLAB_REPORTS", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def file_run(record, day, notebook="practice_review", status="complete", slug="shop"):
    """File a record as the runner does."""
    folder = Path(f"reports/{notebook}/{slug}/{day}-00000001")
    folder.mkdir(parents=True)
    record = {"as_of": day, "status": status} | record
    files = {"result.json": json.dumps(record).encode(), "notebook.ipynb": b"{}"}
    files["readout.html"] = b"<html>"
    for name, content in files.items():
        (folder / name).write_bytes(content)
    noted = {"notebook": notebook, "name": slug, "as_of": day, "status": status, "digest": "0"}
    noted["headline"] = "It pays."
    noted["outputs"] = {name: hashlib.sha256(files[name]).hexdigest() for name in files}
    (folder / "run.json").write_text(json.dumps(sealed(noted)))
    return str(folder)


def after_earlier(**fields):
    """Return the card of a process with a loss, as a review that cites the one before tells it."""
    given = review({"saved": 4}, **fields)
    given, then = earlier_run(given, "practice_review", DAY)
    return given, then, cards(given, DAY, draws=1_000, previous=then.record).cards[0]


def test_a_second_loss_running_kills_and_a_run_that_stopped_does_not_count(workspace):
    given, then, card = after_earlier(previous="last")
    assert (then.day, card.losses, card.verdict) == (None, 1, "simplify")
    lost = {"cards": [{"process": "TRIAGE", "losses": 1, "lost": "2026-07-06"}]}
    folder = file_run(lost, "2026-07-06")
    file_run(
        {"cards": [{"process": "Triage", "losses": 5, "lost": "2026-08-03"}]},
        "2026-08-03",
        status="check_failed",
    )
    given, then, card = after_earlier(previous="last")
    assert (str(then.day), card.losses, card.verdict, card.why) == (
        "2026-07-06",
        2,
        "kill",
        "losses",
    )
    assert [run.name[:10] for run in then.passed] == ["2026-08-03"]
    assert given.previous.endswith(folder)
    known = f"{folder.removeprefix('reports/')}/result.json"
    assert any(known in told["file"] for told in given.inputs())
    assert after_earlier(previous=folder)[2] == card
    assert after_earlier()[2].losses == 1  # no earlier review is named


@pytest.mark.parametrize("days", [0, 1, 27, 28])
def test_a_loss_counts_once_in_so_many_days(workspace, days):
    """A review of the same day, or of the next, sees the same loss and no second one."""
    lost = DAY - timedelta(days)
    folder = file_run({"cards": [{"process": "Triage", "losses": 1, "lost": str(lost)}]}, str(lost))
    card = after_earlier(previous=folder)[2]
    assert (card.losses, card.lost) == ((2, DAY) if days == 28 else (1, lost))
    assert card.verdict == ("kill" if days == 28 else "simplify")
    strict = after_earlier(previous=folder, rule={"days": max(days, 1)})[2]
    assert strict.losses == (2 if days else 1)


def test_daily_reviews_add_no_losses_up(workspace):
    """Each review cites the one of the day before; the second loss is that of the 28th day."""
    counts, previous = [], None
    for day in (DAY + timedelta(back) for back in range(30)):
        then = {"cards": [previous]} if previous else {}
        (card,) = cards(review({"saved": 4}), day, draws=1_000, previous=then).cards
        counts.append(card.losses)
        previous = {"process": "Triage", "losses": card.losses, "lost": str(card.lost)}
    assert counts == [1] * 28 + [2] * 2


def test_the_page_tells_from_which_review_losses_are_counted_and_which_it_passed_over(workspace):
    file_run({"cards": []}, "2026-07-06")
    stopped = file_run({"cards": []}, "2026-08-03", status="check_failed")
    result = review_practices(review({"saved": 4}, previous="last"), DAY, draws=1_000)
    said = " ".join(repr(result.processes).split())
    assert "from the review of 6 July 2026" in said
    assert Path(stopped).name in said
    assert result.record()["passed"] == [Path(stopped).name]


def test_a_review_without_a_loss_begins_the_count_anew(workspace):
    folder = file_run({"cards": [{"process": "Triage", "losses": 0, "lost": None}]}, "2026-07-06")
    assert after_earlier(previous=folder)[2].losses == 1
    assert only(losses={"Triage": 3}).losses == 0
    renamed = only(saved=4, losses={"Sorting": 3})
    assert renamed.losses == 1


def test_a_later_review_is_no_earlier_one(workspace):
    folder = file_run({"cards": []}, "2026-11-02")
    with pytest.raises(SpecError) as caught:
        after_earlier(previous=folder)
    assert caught.value.problems[0].key == "operations.later_run"


def test_a_run_of_another_review_is_refused_by_its_name(workspace):
    folder = file_run({"cards": []}, "2026-07-06", slug="other")
    with pytest.raises(SpecError) as caught:
        after_earlier(previous=folder)
    (problem,) = caught.value.problems
    assert problem.key == "operations.other_previous"
    assert "is of other, not of" in problem.text()


def test_a_log_pasted_twice_reaches_the_headline(workspace):
    uses = [{"process": "Triage", "team": "A", "date": DAY - timedelta(at)} for at in range(30)]
    for log, status in ((uses, "pass"), ([*uses, *uses], "fail")):
        result = review_practices(review({}, uses=log), DAY, draws=1_000)
        check = result.check("log")
        assert (check.status == "fail") == (status == "fail")
        assert ("Log of uses" in result.headline("en")) == (status == "fail")


def test_a_row_in_the_spec_is_refused_without_what_stands_in_it():
    seen = {"capability": "R", "team": "S", "date": "2026-09-01", "level": "good"}
    mark = "Zoe Marker"
    for rows in (
        [{**seen, "assessor": {"a": mark}}],
        [{**seen, "assessor": "a", "level": mark}],
        [{**seen, "assessor": "a", "date": mark}],
        [[mark, "good"]],
        mark,
    ):
        with pytest.raises(SpecError) as caught:
            PracticeReview(practices="Shop", canvas=rows)
        for language in ("en", "fr"):
            assert "Zoe" not in caught.value.text(language)
            assert "canvas" in caught.value.text(language)


def test_a_run_stands_on_the_records_that_last_looks_at(workspace):
    (workspace / "practices.yaml").write_text(
        f"practices: Shop\ndate: 2026-10-05\nprevious: last\nprocesses:\n  - {json.dumps(CARD)}\n"
    )
    run = file_run({"cards": []}, "2026-07-06")
    stopped = file_run({"cards": []}, "2026-08-03", status="check_failed")
    files = PracticesParameters.of(spec="practices.yaml").stands_on().files
    known = {str(path) for path in files if path.name == "result.json"}
    assert known == {f"{workspace}/{folder}/result.json" for folder in (run, stopped)}


def test_adoption_from_a_review_of_standards(workspace):
    shares = {"shares": {"all": {"whole": 3, "documents": 4, "held": 9, "asked": 12}}}
    folder = file_run(shares, "2026-09-28", notebook="standards_review", slug="briefs")
    given = {"eligible": 9, "using": 1}
    (card,) = reviewed(given, standards={"triage": folder}).cards
    assert (card.source, card.using, card.eligible, card.adoption.value) == (
        "standards",
        3,
        4,
        0.75,
    )
    assert reviewed(
        given | {"saved": 400}, standards={"triage": folder}, rule=Rule(adopted=0.8)
    ).cards[0].turns == (("documents", 4),)
    with pytest.raises(SpecError, match="did you mean Triage"):
        reviewed(given, standards={"Triag": folder})
    late = file_run(shares, "2026-12-28", notebook="standards_review", slug="briefs")
    with pytest.raises(SpecError) as caught:
        reviewed(given, standards={"Triage": late})
    assert caught.value.problems[0].key == "operations.later_run"
    with pytest.raises(SpecError, match="no whole run of standards_review"):
        reviewed(given, standards={"Triage": "reports/none"})


# --- refusals


def test_cards_that_contradict_themselves_are_refused_with_their_rows(tmp_path):
    (tmp_path / "cards.csv").write_text(
        "process,problem,steps,owner,trigger,minutes,uses,saved,eligible,using,sunset\n"
        "Triage,-p,s,Mia,t,5,10,40,3,4,2027-01-01\n"
        "Brief,-p,s,Mia,t,5,10,40,3,3,2027-01-01\n"
        "TRIAGE,-p,s,Mia,t,5,10,40,3,2,2027-01-01\n",
        "utf-8",
    )
    (tmp_path / "spec.yaml").write_text("practices: Shop\nprocesses: {path: cards.csv}\n", "utf-8")
    with pytest.raises(DataError) as caught:
        cards(PracticeReview.load(tmp_path / "spec.yaml"), DAY)
    told = [(problem.key, problem.row, problem.file) for problem in caught.value.problems]
    assert told == [
        ("practices.over", 2, "cards.csv"),
        ("practices.twice", 4, "cards.csv"),
    ]
    assert caught.value.text("fr") != caught.value.text("en")


def test_more_teams_in_the_log_than_could_are_refused():
    uses = [use for team in "ABC" for use in log(1, team=team)]
    assert reviewed({"eligible": 3}, uses=uses).cards[0].using == 3
    with pytest.raises(DataError, match="3 teams use Triage, and only 2 could"):
        reviewed({"eligible": 2}, uses=uses)


# --- the sample


def test_the_sample_has_the_verdicts_that_it_was_made_with():
    folder = ROOT / "data" / "sample"
    truth = json.loads((folder / "product_practices_truth.json").read_text("utf-8"))
    told = cards(PracticeReview.load(folder / "product_practices.yaml"), DAY)
    assert {card.process: card.verdict for card in told.cards} == truth["verdicts"]
