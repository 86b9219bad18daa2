"""A roadmap's dates, what moves them, what is refused and what is said, on the sample and beside."""

import csv
import datetime
import json
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import lognorm, norm

from opslab.errors import DataError, ParameterError, SpecError
from opslab.messages import LANGUAGES, text
from opslab.operations import Roadmap, cited, plan_roadmap

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
DAY = datetime.date(2026, 10, 5)
TRUTH = json.loads((SAMPLE / "product_roadmap_truth.json").read_text("utf-8"))


def on(days):
    return DAY + datetime.timedelta(days)


def initiative(name, start=None, end=None, **fields):
    days = {"starts": start, "ends": end}
    window = {field: on(days[field]) for field in days if days[field] is not None}
    return {"id": name, "initiative": name.upper(), "owner": "Shop"} | window | fields


def planned(*initiatives, draws=2_000, **fields):
    roadmap = Roadmap(roadmap="shop", initiatives=initiatives, **fields)
    return plan_roadmap(roadmap, DAY, draws=draws)


def statuses(result):
    return {check.name: check.status for check in result.checks}


def named(result, check):
    """Return whom a check names, without case: titles here are ids in capitals."""
    return [name.lower() for name in result.check(check).detail.values["names"]]


@pytest.fixture(scope="module")
def sample():
    return plan_roadmap(Roadmap.load(SAMPLE / "product_roadmap.yaml"))


# The sample


def test_the_sample_is_late_by_the_path_that_generated_it(sample):
    assert str(sample.planned) == TRUTH["planned"]
    assert sample.half > sample.planned
    assert sample.chance < 0.1
    assert {*TRUTH["path"]} <= {*sample.path}  # by its tickets loyalty may be as late as checkout
    assert sample.action == "replan"
    assert sample.merge_days > 3  # four ways meet before the offers


def test_tickets_of_the_sample_are_counted_as_the_export_holds_them(sample):
    with (SAMPLE / "delivery_flow_tickets.csv").open(encoding="utf-8") as file:
        counts = Counter((row["Parent key"], row["Status"]) for row in csv.DictReader(file))
    for name, epic in TRUTH["bound"].items():
        step = sample.step(name)
        assert step.source == "tickets"
        assert step.done == counts[epic, "Done"]
        assert step.tickets == counted(epic)


def test_the_pace_of_the_sample_is_that_of_its_own_tickets(sample):
    """At the mean of its past weeks what is left would be done, were nothing added any more."""
    step = sample.step("tracking")
    weeks = (DAY - step.start).days / 7
    expected = (step.tickets - step.done) / (step.done / weeks)
    assert expected < (step.half - DAY).days / 7 < expected + 13


def test_what_the_sample_says_of_load_and_past_dates(sample):
    truth = TRUTH["above_one"]
    over = [load for load in sample.loads if load.load > 1]
    assert {load.owner for load in over} == {truth["owner"]}
    assert over[0].load == pytest.approx(truth["load"])
    assert len(named(sample, "load")) == len(over)
    assert sample.slips.mean == TRUTH["earlier"]["mean_slip_days"]
    assert sample.slips.count == TRUTH["earlier"]["count"]
    assert statuses(sample)["slips"] == "pass"


def test_steps_of_the_sample(sample):
    assert [step.id for step in sample.steps if step.horizon == "done"] == TRUTH["finished"]
    assert sample.step("identity").slip_days == 7
    assert sample.step("profiles").across == ("Platform",)
    assert sample.step("events").across == ()  # what it waited for is done
    assert str(sample.step("checkout").first_announced) == "2026-11-13"
    starts = [step.start for step in sample.steps]
    assert starts == sorted(starts)
    assert sample.step("offers").initiative.french == "Offres personnalisées"


def test_a_plan_hangs_on_its_seed_and_on_no_order():
    rows = [initiative(name, weeks={"low": 2, "high": 9}) for name in "abc"]
    rows[0]["depends_on"] = "c"
    assert planned(*rows).steps == planned(*rows).steps
    assert planned(*rows, draws=2_001).steps != planned(*rows).steps
    assert planned(*rows).steps == tuple(
        step._replace(row=4 - step.row) for step in planned(*rows[::-1]).steps
    )


def test_the_sample_names_every_file_it_stands_on():
    files = {path.name for path in Roadmap.load(SAMPLE / "product_roadmap.yaml").files()}
    roadmap = ("product_roadmap.yaml", "product_roadmap_initiatives.csv")
    flow = ("delivery_flow.yaml", "delivery_flow_tickets.csv", "delivery_flow_history.csv")
    assert files == {*roadmap, "product_roadmap_announced.csv", *flow}


def test_a_flow_that_is_not_there_is_missed(tmp_path):
    spec = tmp_path / "roadmap.yaml"
    spec.write_text(
        "roadmap: shop\ninitiatives: [{id: a, initiative: A, weeks: 2}]\n"
        "bound: {flow: nowhere.yaml}\nprevious: reports/roadmap/shop/run\n"
    )
    roadmap = Roadmap.load(spec)
    assert [problem.field for problem in roadmap.missing_files()] == ["previous", "bound.flow"]
    assert "reports/roadmap/shop/run/result.json" in roadmap.named().values()


# Dates


def test_a_step_starts_once_all_it_waits_for_is_done():
    result = planned(
        initiative("a", weeks=2),
        initiative("b", weeks=3),
        initiative("c", weeks=1, depends_on="a; B"),
        initiative("d", 70, 77, depends_on="c"),
    )
    assert [result.step(name).half for name in "abcd"] == [on(14), on(21), on(28), on(77)]
    assert result.step("c").start == on(21)
    assert result.path == ("d",)
    assert result.step("c").slack_days == 42
    assert result.step("b").pushes == (("c", 30.0),)
    assert result.half == result.sure == on(77)


def test_today_moves_what_should_have_started():
    result = planned(initiative("a", -20, 10, depends_on="b"), initiative("b", 0, 7))
    assert (result.step("a").start, result.step("a").half) == (on(7), on(37))


def test_what_is_under_way_keeps_its_start_and_ends_no_earlier_than_today():
    running = initiative("a", -70, 0, weeks={"low": 4, "high": 20})
    step = planned(running, draws=40_000).steps[0]
    assert step.start == on(-70)
    spread = np.log(20 / 4) / 2 / norm.ppf(0.95)
    weeks = lognorm(spread, scale=np.sqrt(4 * 20))
    left = [weeks.isf(weeks.sf(10) * (1 - share)) * 7 - 70 for share in (0.5, 0.85)]
    assert (step.half - DAY).days == pytest.approx(left[0], abs=1.5)
    assert (step.sure - DAY).days == pytest.approx(left[1], abs=2.5)


def test_a_finished_step_holds_and_frees_what_waits_for_it():
    done = initiative("a", -50, -30, finished=on(-20))
    result = planned(done, initiative("b", -25, 12, depends_on="a"))
    assert result.step("a").slip_days == 10
    assert result.step("a").horizon == "done"
    assert (result.step("b").start, result.step("b").half) == (on(-20), on(17))
    assert result.path == ("b",)
    alone = planned(initiative("a", -9, 0, finished=DAY))
    assert (alone.half, alone.steps[0].half, alone.loads) == (DAY, DAY, [])


def test_the_end_of_a_window_is_the_quantile_of_its_confidence():
    for share in (0.3, 0.85):
        result = planned(initiative("a", 0, 100, confidence=share), draws=40_000)
        assert result.chance == pytest.approx(share, abs=0.01)
        assert statuses(result)["uncertainty"] == "pass"
    certain = planned(initiative("a", 0, 100, confidence=1), draws=40_000)
    assert certain.chance == pytest.approx(0.99, abs=0.003)


def test_a_window_alone_is_taken_as_it_stands_and_told():
    result = planned(initiative("a", 0, 100))
    assert result.half == result.sure == on(100)
    assert named(result, "uncertainty") == ["a"]
    assert (result.chance, result.vague, result.action) == (None, ("a",), "range")


def announced(slips):
    return [
        {
            "initiative": f"old {at}",
            "announced": on(-900),
            "date": on(-400),
            "delivered": str(on(int(late) - 400)),
        }
        for at, late in enumerate(slips)
    ]


def test_past_slips_move_the_window_and_too_few_do_not():
    slips = np.random.Generator(np.random.PCG64(1)).permutation(np.arange(-10, 90, 5))
    result = planned(initiative("a", 0, 100), announced=announced(slips), draws=40_000)
    step = result.steps[0]
    late = np.clip(slips, 0, None)  # nothing says that work takes less than its window
    assert step.slip_days == pytest.approx(late.mean(), abs=1)
    ends = np.quantile(late, [0.05, 0.95], method="inverted_cdf")
    assert [step.slip_low, step.slip_high] == ends.tolist()
    assert statuses(result)["uncertainty"] == "pass"
    few = planned(initiative("a", 0, 100), announced=announced(slips[:3]))
    assert few.steps[0].slip_days == 0
    assert named(few, "slips") == ["3"]


def test_horizons_of_days_ahead():
    rows = [
        initiative(name, start, 300)
        for name, start in (("a", 30), ("b", 31), ("c", 120), ("d", 121))
    ]
    assert [step.horizon for step in planned(*rows).steps] == ["now", "next", "next", "later"]


def test_load_of_a_month_is_that_of_its_fullest_day():
    first = (datetime.date(2026, 11, 1) - DAY).days
    result = planned(
        initiative("a", first, first + 30, load=0.75),
        initiative("b", first + 15, first + 30, load=0.75),
    )
    assert [(load.owner, load.month.month, load.load) for load in result.loads] == [
        ("Shop", 11, 1.5)
    ]
    assert named(result, "load") == ["shop in nov 2026 (150%)"]


def test_a_last_run_is_compared(monkeypatch):
    steps = [
        {"id": "a", "sure": str(on(90)), "ends": str(on(60))},
        {"id": "gone", "sure": str(on(9)), "ends": None},
    ]
    record = {"steps": steps, "as_of": str(on(-30))}
    run = SimpleNamespace(record=record, card=SimpleNamespace(name="shop"))
    monkeypatch.setattr(cited, "cited_run", lambda *_, **__: run)
    result = planned(initiative("a", 0, 60, weeks=15), initiative("b", weeks=1), previous="run")
    assert result.step("a").moved_days == 15
    assert result.step("b").moved_days is None
    assert (result.dropped, result.entered) == (("gone",), ("b",))
    assert result.previous_day == on(-30)
    assert named(result, "unchanged") == ["a"]


def test_without_a_last_run_nothing_moved():
    result = planned(initiative("a", 0, 60))
    assert (result.steps[0].moved_days, result.dropped, result.entered) == (None, (), ())
    assert result.previous_day is None


# Tickets


def counted(value, column="Parent key"):
    """Return how many tickets of the sample are not cancelled, read by nothing of ours."""
    with (SAMPLE / "delivery_flow_tickets.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row[column] == value]
    return sum(row["Status"] != "Cancelled" for row in rows)


@pytest.fixture(scope="module")
def bound():
    roadmap = Roadmap.load(SAMPLE / "product_roadmap.yaml")
    rows = (
        initiative("all", 0, 60, tickets="SHOP-5"),
        initiative("other", 0, 60, tickets="SHOP-4; SHOP-5"),
        initiative("none", 0, 60, tickets="SHOP-99"),
        initiative("open", 0, 60),
    )
    return plan_roadmap(roadmap.changed(initiatives=rows), draws=1_000)


def test_tickets_all_done_of_an_open_initiative_are_told(bound):
    step = bound.step("all")
    assert (step.source, step.half) == ("tickets", DAY)
    assert step.done == step.tickets == counted("SHOP-5")
    assert named(bound, "all_done") == ["all"]


def test_tickets_of_two_initiatives_are_told(bound):
    assert len(named(bound, "shared")) == counted("SHOP-5")
    assert bound.step("other").tickets == counted("SHOP-5") + counted("SHOP-4")


def test_an_initiative_without_its_tickets_is_told(bound):
    step = bound.step("none")
    assert (step.source, step.tickets) == ("window", 0)
    assert named(bound, "unmatched") == ["none (shop-99)"]
    assert bound.step("open").tickets is None


def test_tickets_without_a_flow_are_told():
    assert named(planned(initiative("a", 0, 60, tickets="SHOP-1")), "unmatched") == ["a (shop-1)"]


def test_tickets_that_end_long_ago_are_told():
    roadmap = Roadmap.load(SAMPLE / "product_roadmap.yaml")
    later = plan_roadmap(roadmap, datetime.date(2026, 11, 5), draws=1_000)
    (end,) = named(later, "stale")
    assert end in {f"{day} october 2026" for day in range(1, 5)}


def test_any_column_of_the_export_binds():
    roadmap = Roadmap.load(SAMPLE / "product_roadmap.yaml")
    flow = {"flow": "delivery_flow.yaml", "match": "team"}
    team = initiative("a", 0, 60, tickets="Platform")
    step = plan_roadmap(roadmap.changed(initiatives=[team], bound=flow), draws=1_000).steps[0]
    assert step.tickets == counted("Platform", "Custom field (Team)") > 0
    wrong = roadmap.changed(initiatives=[team], bound=flow | {"match": "teams"})
    with pytest.raises(SpecError, match=r"no column teams. Did you mean team\?"):
        plan_roadmap(wrong)


# Sheets


def test_a_french_sheet(tmp_path):
    sheet = tmp_path / "feuille.csv"
    sheet.write_bytes(
        "Identifiant;Chantier;Responsable;Début;Fin;Durée (semaines);Durée : bas;Durée : haut;"
        "Dépend de;Confiance;Part du responsable;Terminé le\r\n"
        "x;Exemple : refonte du paiement;Boutique;01/09/2026;30/09/2026;;;;;;;\r\n"
        "socle;Événements;Plateforme;07/09/2026;13/11/2026;10;8,5;16;;;0,6;\r\n"
        "profils;Profils réunis;Données;16/11/2026;15/01/2027;;;;socle;70 %;50 %;\r\n"
        "fait;Connexion;Plateforme;02/03/2026;28/08/2026;;;;;;;04/09/2026\r\n".encode("cp1252")
    )
    result = plan_roadmap(Roadmap.load(sheet), DAY, draws=1_000)
    assert {step.id for step in result.steps} == {"socle", "profils", "fait"}
    step = result.step("profils")
    assert (step.starts, step.confidence, step.depends_on) == (
        datetime.date(2026, 11, 16),
        0.7,
        ("socle",),
    )
    assert result.step("socle").source == "range"
    assert result.step("fait").half == datetime.date(2026, 9, 4)


def refusal(tmp_path, *rows):
    sheet = tmp_path / "roadmap.csv"
    sheet.write_text("id,initiative,starts,ends,depends_on,finished\n" + "\n".join(rows) + "\n")
    with pytest.raises((DataError, SpecError)) as raised:
        plan_roadmap(Roadmap.load(sheet), DAY)
    assert raised.value.text("fr") != raised.value.text("en")
    return raised.value.problems


WINDOW = "2026-11-01,2026-12-01"


@pytest.mark.parametrize(
    ("rows", "row", "said"),
    [
        ((f"a,A,{WINDOW},c,", f"b,B,{WINDOW},a,", f"c,C,{WINDOW},b,"), 2, "circle"),
        ((f"a,A,{WINDOW},a,",), 2, "a > a"),
        ((f"alpha,A,{WINDOW},,", f"b,B,{WINDOW},alfa,"), 3, "Did you mean alpha"),
        ((f"a,A,{WINDOW},,", f"A,B,{WINDOW},,"), 3, "already stands"),
        (("a,A,2026-12-01,2026-11-01,,",), 2, "before it starts"),
        (("a,A,2026-12-01,,,",), 2, "Nothing says when"),
        ((f"a,A,{WINDOW},,2026-12-24",), 2, "after the day of the readout"),
        (("a,A,2026-12-01,2226-12-24,,",), 2, "more than five years"),
    ],
)
def test_what_cannot_be_is_refused_with_its_row(tmp_path, rows, row, said):
    problems = refusal(tmp_path, *rows)
    assert said in problems[0].text()
    assert (problems[0].row, problems[0].file.endswith("roadmap.csv"), len(problems)) == (
        row,
        True,
        1,
    )


def test_a_circle_names_its_steps_alone(tmp_path):
    rows = (f"a,A,{WINDOW},b,", f"b,B,{WINDOW},c,", f"c,C,{WINDOW},b,", f"d,D,{WINDOW},,")
    values = refusal(tmp_path, *rows)[0].values
    assert {*values["names"].split(" > ")} == {"b", "c"}


def test_a_day_is_needed():
    with pytest.raises(ParameterError):
        plan_roadmap(Roadmap(roadmap="shop", initiatives=[initiative("a", 0, 9)]))


# Checks


def test_dates_in_the_past_are_told_and_block_when_they_are_most():
    late, ahead = initiative("late", -40, -10), [initiative(name, 0, 9) for name in "ab"]
    told = planned(late, *ahead)
    assert (statuses(told)["overdue"], told.broken) == ("warn", False)
    assert told.step("late").half == on(30)  # as long again as it was to take, and told
    assert named(told, "refuted") == ["late"]
    stopped = planned(late, ahead[0] | {"id": "b", "ends": on(-1), "starts": on(-9)}, ahead[0])
    assert (statuses(stopped)["overdue"], stopped.broken, stopped.action) == ("fail", True, "stop")


def test_an_end_before_that_of_what_it_waits_for_is_told():
    result = planned(initiative("a", 0, 90), initiative("b", 10, 60, depends_on="a"))
    assert statuses(result)["sequence"] == "fail"
    assert named(result, "sequence") == ["b"]


def test_rows_without_owner_gate_or_figure_are_told():
    whole = {"kpi": "Returns", "gate": "Pilot"}
    lacking = {"id": "b", "initiative": "B", "weeks": 2}
    result = planned(initiative("a", 0, 9, **whole), lacking)
    for check in ("no_owner", "no_gate", "no_kpi"):
        assert named(result, check) == ["b"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_check_has_its_words(language, sample, bound):
    for result in (sample, bound):
        for check in result.checks:
            assert text(f"roadmap.check_{check.name}", language)
            for status in ("pass", "warn"):
                key = f"roadmap.{check.name}_{status}"
                if check.name not in ("sequence", "refuted") or status == "pass":
                    assert text(key, language, **check.detail.values)
    for name in ("overdue", "sequence", "refuted", "ticket_record"):
        assert text(f"roadmap.{name}_fail", language, names=["a"], count=1, hits=0)


def test_a_single_step():
    result = planned(initiative("a", 0, 9))
    assert (result.path, result.merge_days, result.steps[0].critical) == (("a",), 0, 1)
    assert result.steps[0].pushes == ()
