"""The page of a plan in both languages, its registered spec, its parameters, and its notebook's exploration."""

import datetime
import json
import re
import shutil

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
import pytest
import yaml
from statsmodels.stats.proportion import samplesize_proportions_2indep_onetail

from opslab import experiments, report, workspace
from opslab.errors import ParameterError, SpecError
from opslab.experiments.plan.record import REGISTERED
from opslab.experiments.plan.result import MetricPlan, PlannedLook, PlanResult, Resampled, Week
from opslab.experiments.plan.spec import PlannedExperiment
from opslab.experiments.spec import Experiment
from opslab.messages import LANGUAGES, recorded
from opslab.results import Check, Message

ROOT = workspace.root()
SAMPLE = ROOT / "data" / "sample"
NOTEBOOK = ROOT / "notebooks" / "experiment_plan.ipynb"
SPEC = "data/sample/delivery_plan.yaml"
DAY = datetime.date(2026, 10, 4)
FORMS = ("result.", "None", "nan", "{", "}", "plan_")


def declared():
    return PlannedExperiment.load(SAMPLE / "delivery_plan.yaml")


def registered(experiment):
    prints = experiment.fingerprint
    return experiment.model_copy(update={"registered": prints, "registered_on": DAY})


def metric(name, role="primary", **numbers):
    usual = {"type": "proportion", "goal": "increase", "arm": "hour"}
    usual |= {"source": "history", "alpha": 0.05, "baseline": 0.75, "deviation": 0.433}
    usual |= {"raw_deviation": 0.433, "effect": ("relative", 0.05), "difference": 0.0375}
    usual |= {"units": 4361.2, "days": 47.1, "mde": 0.0375, "power": 0.8}
    return MetricPlan(name, role, **usual | numbers)


def by_hand(language="en", **changes):
    """A plan with numbers of our own: sentences are read without any history."""
    experiment = registered(changes.pop("experiment", None) or declared())
    first = experiment.metrics[0].name
    weeks = tuple(
        Week(week, 750 * week, {first: size}, 750 * week)
        for week, size in enumerate((None, 0.09, 0.0675), 1)
    )
    looks = (
        PlannedLook(1, datetime.date(2026, 10, 26), 0.5, 2181, 2.96, 0.3, 0.003, 0.003, 0.2, 0.6),
        PlannedLook(2, None, 1.0, 4362, 1.97, None, 0.049, 0.05, 0.8, 1.0),
    )
    fields = {
        "checks": (Check("plan_weeks", "pass", Message("plan.plan_weeks_pass", {"days": 42})),),
        "as_of": DAY,
        "language": language,
        "experiment": experiment,
        "fingerprint": experiment.registered,
        "metrics": (metric(first),),
        "weeks": weeks,
        "looks": looks,
        "inflation": 1.1,
        "average_units": 3320.6,
        "average_units_without": 2400.2,
        "units": 4362,
        "days": 48,
        "traffic": (120.0, 110.0, 110.0, 110.0, 110.0, 90.0, 70.4),
        "price": ({"looks": 5, "rate": 0.1417},),
        "resampled": (Resampled(first, 10_000, 502, 0.0502, 0.046, 0.0547, 0.05, 1_000),),
    }
    if experiment.design.method == "fixed":
        fields |= {"looks": (), "inflation": None, "average_units": None}
    return PlanResult(**fields | changes)


def fixed():
    experiment = declared()
    return experiment.model_copy(update={"design": type(experiment.design)()})


def read(result, language=None):
    """Every word of the page, blanks as they are in a sentence."""
    voice = result.voice(language)
    blocks = [result.first_screen(language)]
    blocks += [block for name in result.PARTS for block in getattr(result, name).blocks(language)]
    return " ".join(voice.plain(*blocks).split())


@pytest.fixture(scope="module")
def plan():
    experiment = declared()
    return experiments.plan_experiment(experiment, as_of=DAY)


def test_the_headline_says_how_many_how_long_and_how_surely():
    assert by_hand().headline() == (
        "With at most 4,362 units in 48 days (until 21 November 2026), the test has 80% power to "
        "detect an effect of 5% on first attempt. On average it stops after 3,321 units if the "
        "effect is there, and after 2,400 if not."
    )
    assert " ".join(by_hand().headline("fr").split()) == (
        "Avec au plus 4 362 unités en 48 jours (jusqu'au 21 novembre 2026), le test a une puissance de "
        "80 % pour détecter un effet de 5 % sur « premier passage ». Il s'arrête en moyenne après "
        "3 321 unités si l'effet existe, et après 2 400 sinon."
    )


def test_an_average_of_one_comparison_is_not_that_of_several():
    shared = metric("first attempt", alpha=0.025)
    assert "On average" not in by_hand(metrics=(shared,)).headline()


def test_a_what_if_is_not_registered():
    asked = by_hand(asked=(Message("plan.asked", {"given": "power 0.9"}),))
    assert "A what-if is not registered" in read(asked)
    assert (asked.files(), asked.record()["registered"]) == ({}, None)


def test_a_fixed_design_is_looked_at_once():
    told = by_hand(experiment=fixed(), looks=(), inflation=None, average_units=None)
    assert told.headline().startswith("With 4,362 units in 48 days (until 21 November 2026), the")
    assert told.headline().endswith("looked at once, at the end.")
    assert "It is looked at once, at the end." in read(told)
    assert "5 looks 14.2%" in read(told)
    assert "une fois, à la fin" in read(told, "fr")


@pytest.mark.parametrize(
    ("days", "start", "said"),
    [
        (None, True, "With 4,362 units, the test has"),
        (48, False, "With 4,362 units in 48 days, the test has"),
    ],
)
def test_days_are_told_as_far_as_they_are_known(days, start, said):
    experiment = fixed()
    if not start:
        experiment = experiment.model_copy(update={"period": None})
    assert by_hand(experiment=experiment, days=days).headline().startswith(said)


def test_without_an_effect_no_size_is_made_up():
    why = Message("plan.no_effect", {"metric": "first attempt"})
    bare = metric("first attempt", effect=None, difference=None, units=None, days=None, mde=None)
    open_one = by_hand(
        metrics=(bare.__class__(**vars(bare) | {"not_plannable": why, "power": None}),),
        units=None,
        days=None,
        looks=(),
        weeks=(),
        resampled=(),
    )
    screen = open_one.first_screen()
    assert screen.action == "First say which effect is worth finding"
    assert screen.tone == "open"
    assert screen.reasons == [
        "first attempt: the spec declares no mde, so there is nothing to find."
    ]
    assert [fact.name for fact in screen.facts.items] == ["Plan dated", "Checks"]
    assert not any(form in read(open_one) for form in FORMS[1:5])


def test_a_failed_check_asks_for_another_plan():
    check = Check("plan_weeks", "fail", Message("plan.plan_weeks_warn", {"days": 40}))
    screen = by_hand(checks=(check,)).first_screen()
    assert (screen.action, screen.tone) == ("Change this plan before the start", "open")
    assert "40 days, not in whole weeks" in screen.reasons[0]


def test_a_chance_below_the_planned_one_asks_for_another_plan_too():
    """Whatever the checks say: the most demanding metric that decides is looked at."""
    few = metric("weight", role="guardrail", power=0.6)
    for metrics, action in (
        ((metric("first attempt"), few), "Change this plan before the start"),
        ((metric("first attempt", power=0.7),), "Change this plan before the start"),
        ((metric("first attempt"), metric("x", role="secondary", power=0.1)), "Register this plan"),
    ):
        result = by_hand(experiment=fixed(), metrics=metrics, weeks=(), looks=())
        assert result.first_screen().action.startswith(action)


@pytest.mark.parametrize("method", ["fixed", "always_valid", "bayesian"])
def test_every_design_is_told_in_sentences(method):
    given = {
        "fixed": {},
        "always_valid": {"units": 5_000, "settled": "7d"},
        "bayesian": {"prior": {"sd": 0.05}, "loss": 0.002, "settled": "7d"},
    }[method]
    experiment = declared()
    design = type(experiment.design)(method=method, **given)
    experiment = experiment.model_copy(
        update={
            "design": design,
            "planning": experiment.planning.model_copy(update={"resamples": 50}),
        }
    )
    result = experiments.plan_experiment(experiment, as_of=DAY)
    for language in LANGUAGES:
        words = read(result, language)
        assert not any(form in words for form in FORMS), language
        price = "False positives of a" if language == "en" else "Faux positifs d'un"
        assert (price in words) == (method == "fixed")
        assert (("a priori" if language == "fr" else "believed") in words) == (method == "bayesian")
        assert result.headline(language).count("first attempt" if language == "en" else "passage")
    result.record()


@pytest.mark.parametrize(
    ("kind", "share", "shown"),
    [
        ("relative", {"difference": 0.0375}, "10%"),
        ("absolute", {"difference": 0.0375}, "3.75\N{NO-BREAK SPACE}pp"),
        ("absolute", {"difference": 2.5, "type": "mean", "baseline": 50.0}, "2.500"),
        ("relative", {"difference": 2.5, "type": "mean", "baseline": -50.0}, "10%"),
    ],
)
def test_sizes_are_on_the_scale_that_was_declared(kind, share, shown):
    told = by_hand(metrics=(metric("first attempt", effect=(kind, 0.1), mde=0.03, **share),))
    assert f"an effect of {shown} on first attempt" in told.headline()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_whole(language):
    for result in (by_hand(language), by_hand(language, experiment=fixed(), looks=())):
        words = read(result)
        assert not any(form in words for form in FORMS)
        for figure in result.figures.values():
            assert re.search(r"\d", figure.alt)
            assert not any(form in figure.alt for form in FORMS)


def test_the_page_tells_what_the_plan_holds():
    words = read(by_hand())
    for said in (
        "Look 1, 2,181 units",
        "26 Oct",
        "1.10 times the units",
        "2.96",
        "Week 3, 2,250 units 9.0%",
        "After 3 weeks, effects on first attempt are found from 9.0% on; at the planned end: 5.0%.",
        "Sunday: 70.",
        "5% 5.0% 4.6% 5.5%",
        "Fingerprint",
        "experiment.yaml",
        "primary · history",
        "75.0%",
    ):
        assert said in words, said
    assert "Week 1, 750 units \N{EN DASH}" in words
    assert "Week 1" not in by_hand().figures["weeks"].alt


def test_no_unit_is_singular_in_french_alone():
    words = [
        read(by_hand(weeks=(Week(1, 160, {"first attempt": 0.1}, 0),)), language)
        for language in LANGUAGES
    ]
    assert "Week 1: 0 of 160 units count" in words[0]
    assert "Semaine 1 : 0 unité sur 160 compte " in words[1]


def test_long_looks_fit_a_chart():
    weeks = tuple(
        Week(week, 100 * week, {"first attempt": 1 / week}, 90 * week) for week in range(1, 105)
    )
    result = by_hand(weeks=weeks)
    assert len(re.findall("Week ", result.figures["weeks"].alt)) <= 16
    assert read(result).count("Week 104: 9,360 of 10,400 units count") == 1


def test_the_record_holds_numbers_and_what_they_stand_on(plan):
    record = json.loads(json.dumps(plan.record(), allow_nan=False))
    assert record["schema"] == "opslab.experiment_plan/1"
    assert record["units"] == plan.units
    assert record["evidence"] == []
    assert [known["file"].rpartition("/")[2] for known in record["inputs"]] == [
        "delivery_plan.yaml",
        "delivery_history.csv",
    ]
    assert record["registered"]["file"] == REGISTERED
    assert record["metrics"][0]["units"] == pytest.approx(plan.metrics[0].units)
    french = experiments.PlanResult(**{name: getattr(plan, name) for name in fields_of(plan)})
    assert french.record() == plan.record()
    frame = plan.frame()
    assert list(frame["metric"]) == ["first attempt", "spend", "minutes per stop"]
    assert {"units", "days", "power", "detectable"} <= set(frame)
    assert "price" not in plan.frame(full=True)


def fields_of(result):
    return [name for name in vars(result) if name in type(result).__dataclass_fields__]


def test_a_registered_plan_is_the_same_plan(plan, tmp_path):
    (tmp_path / REGISTERED).write_bytes(plan.files()[REGISTERED])
    again = Experiment.load(tmp_path / REGISTERED)
    assert again.fingerprint == again.registered == plan.fingerprint
    assert again.registered_on == DAY
    assert again.design.units == plan.units
    assert again.data.path == "delivery_window.csv"
    assert again.shown_title.spoken("fr") == "Créneau de livraison d'une heure"
    assert again.metrics[0].name.spoken("fr") == "premier passage"


@pytest.mark.parametrize("name", ["checkout", "newsletter", "onboarding", "stores"])
def test_any_spec_is_written_as_it_was_read(name, tmp_path):
    experiment = registered(Experiment.load(SAMPLE / f"{name}.yaml"))
    (tmp_path / REGISTERED).write_bytes(by_hand(experiment=experiment).files()[REGISTERED])
    again = Experiment.load(tmp_path / REGISTERED)
    assert recorded(again.model_dump()) == recorded(experiment.model_dump())
    assert again.title == experiment.title
    assert again.fingerprint == experiment.fingerprint


def test_texts_of_a_registered_spec_stay_texts(tmp_path):
    hostile = "=1+1: {x} #no\n- 'quoted' \"twice\" \u202eabc yes"
    experiment = registered(
        declared().changed(question=hostile, owner="no", unit="0012", looked=[DAY])
    )
    (tmp_path / REGISTERED).write_bytes(by_hand(experiment=experiment).files()[REGISTERED])
    again = Experiment.load(tmp_path / REGISTERED)
    assert (again.question, again.owner, again.unit) == (hostile, "no", "0012")
    assert again.fingerprint == experiment.fingerprint


@pytest.fixture
def started(tmp_path):
    """The folder of the spec once the experiment ran: half of the history's customers got each arm."""
    units = pd.read_csv(SAMPLE / "delivery_history.csv").head(3_000)
    units["announced"] = ["day", "hour"] * 1_500
    came = pd.date_range("2026-10-05", periods=42).strftime("%Y-%m-%d")
    units["first_order"] = [came[at // 2 % 42] for at in range(len(units))]
    units.to_csv(tmp_path / "delivery_window.csv", index=False)
    shutil.copy(SAMPLE / "delivery_history.csv", tmp_path)
    given = yaml.safe_load((SAMPLE / "delivery_plan.yaml").read_text(encoding="utf-8"))
    given["planning"]["resamples"] = 0
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(given), encoding="utf-8")
    return tmp_path


def test_the_readout_compares_with_what_was_registered(started):
    plan = experiments.plan_experiment(PlannedExperiment.load(started / "plan.yaml"), as_of=DAY)
    text = plan.files()[REGISTERED].decode()
    for name, source, status in (
        ("registered.yaml", text, "pass"),
        ("changed.yaml", text.replace("relative: 0.05", "relative: 0.02", 1), "fail"),
    ):
        (started / name).write_text(source, encoding="utf-8")
        result = experiments.analyze(Experiment.load(started / name))
        assert result.check("plan_unchanged").status == status, name
        (path,) = [known for known in result.paths if known.role == "primary"]
        assert path.looks  # the group sequential design that was planned is read
        assert "first attempt" in result.headline()


def test_the_day_is_given_or_the_day_before_the_start():
    parameters = experiments.PlanParameters.of(spec=SPEC)
    assert parameters.day(parameters.declared()) == DAY
    other = experiments.PlanParameters.of(spec=SPEC, as_of="2026-09-28")
    assert other.stands_on().as_of == datetime.date(2026, 9, 28)


def test_a_plan_stands_on_its_history_alone():
    inputs = experiments.PlanParameters.of(spec=SPEC).stands_on()
    assert inputs.name == "delivery-window"
    assert [path.name for path in inputs.files] == ["delivery_plan.yaml", "delivery_history.csv"]
    assert not (SAMPLE / "delivery_window.csv").exists()


def changed(tmp_path, *replaced):
    text = (SAMPLE / "delivery_plan.yaml").read_text(encoding="utf-8")
    for before, after in replaced:
        assert before in text
        text = text.replace(before, after)
    (tmp_path / "plan.yaml").write_text(text, encoding="utf-8")
    return experiments.PlanParameters.of(spec=str(tmp_path / "plan.yaml"))


def test_what_is_missing_is_refused_with_its_field(tmp_path):
    with pytest.raises(
        (ParameterError, SpecError), match=r"planning.history.path.*delivery_history"
    ):
        changed(tmp_path).stands_on()
    shutil.copy(SAMPLE / "delivery_history.csv", tmp_path)
    assert changed(tmp_path).stands_on().as_of == DAY
    with pytest.raises(ParameterError, match="as_of"):
        changed(
            tmp_path, ("period: {time: first_order, start: 2026-10-05, end: 2026-11-15}", "")
        ).stands_on()
    table = ("{path: delivery_history.csv, rows: unit", "{connection: 'env:SHOP', table: a.b")
    with pytest.raises((ParameterError, SpecError), match="snapshot"):
        changed(tmp_path, table).stands_on()


def cells():
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        explores = "explore" in cell["metadata"].get("tags", [])
        if cell["cell_type"] == "code":
            assert len(cell["source"]) <= (10 if explores else 8), cell["id"]
            yield cell["id"], "".join(cell["source"]), explores


def test_the_notebook_is_short():
    assert sum(not explores for _, _, explores in cells()) <= 12


def test_exploration_runs_and_statsmodels_agrees(plan, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shown = []
    session = {"experiment": declared(), "result": plan, "report": report, "display": shown.append}
    with mpl.rc_context():
        for name, source, explores in cells():
            if explores:
                exec(compile(source, name, "exec"), session)
    plt.close("all")
    assert len(shown) == 2
    assert session["theirs"] * plan.inflation == pytest.approx(plan.metrics[0].units, rel=2e-3)
    first = plan.metrics[0]
    alone = samplesize_proportions_2indep_onetail(first.difference, first.baseline, 0.8, alpha=0.05)
    assert session["theirs"] == 2 * alone
    assert "takes" not in capsys.readouterr().err
    assert (tmp_path / "reports/take-away/experiment_plan/tables.xlsx").is_file()
