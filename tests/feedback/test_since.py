"""What changed since the last run, and what was done for a theme and came after it."""

import datetime
import hashlib
import json
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from opslab import feedback
from opslab.archive import sealed
from opslab.errors import SpecError
from opslab.feedback.customer_message import CustomerMessage
from opslab.feedback.history import history_of, past_of
from opslab.feedback.naming import Phrases
from opslab.feedback.registry.state import Event, KnownTheme, Registry
from opslab.feedback.result import Assignment, Point
from opslab.feedback.since import Log, outcome, since
from opslab.feedback.spec import Done, Study

DAY = datetime.date
START, RUN = DAY(2026, 6, 1), DAY(2026, 8, 2)
END = RUN + datetime.timedelta(28)
TEXTS = {"T01": "my parcel is late", "T02": "the app crashes", "T03": "a dark mode please"}


@pytest.fixture
def reports(tmp_path, monkeypatch):
    (tmp_path / "opslab.toml").touch()
    monkeypatch.setenv("OPSLAB_WORKSPACE", str(tmp_path))
    monkeypatch.delenv("OPSLAB_REPORTS", raising=False)
    return tmp_path / "reports"


def messages(counts, weeks=13, handling=None):
    """Return messages, `counts(theme, week)` of each theme in each week, in a theme or in none."""
    assigned = []
    for week in range(weeks):
        for theme in (*TEXTS, None):
            for number in range(counts(theme, week)):
                day = START + datetime.timedelta(7 * week + number % 7)
                uid = f"{theme}-{week}-{number}"
                message = CustomerMessage(
                    uid, "desk", uid, len(assigned) + 1, TEXTS.get(theme, "thanks"), date=day
                )
                if handling:
                    message = replace(message, handling=handling(day, number))
                assigned.append(Assignment(message, Point(text=message.text, theme=theme)))
    return tuple(assigned)


def registry(day, events=(), into=None):
    themes = [
        KnownTheme(
            id=name,
            centroid=np.array([1.0], np.float32),
            phrases=(Phrases("en", (), text.capitalize()),),
            into=(into or {}).get(name),
        )
        for name, text in {**TEXTS, "T09": "the invoice is wrong"}.items()
    ]
    ledger = tuple(Event(DAY(2026, 7, 1), "born", name) for name in TEXTS)
    return Registry(
        study="shop",
        encoder="",
        encoder_name="",
        as_of=day,
        themes=tuple(themes),
        ledger=(*ledger, *events),
    )


@pytest.fixture(scope="module")
def base():
    result = feedback.find_themes(["The app crashes"] * 6 + ["Thanks!"])
    theme = result.themes[0]
    quote = CustomerMessage("q", "desk", "q", 1, "My parcel is late again", date=DAY(2026, 8, 20))
    old = replace(quote, uid="o", text="Parcel late in June", date=DAY(2026, 6, 3))
    themes = tuple(
        replace(
            theme,
            id=name,
            title=text.capitalize(),
            quotes=(old, quote),
            phrases=(Phrases("en", (), text.capitalize()),),
        )
        for name, text in TEXTS.items()
    )
    groups = (replace(result.groups[0], themes=tuple(TEXTS)),)
    return replace(result, themes=themes, groups=groups, sample=(), checks=())


def run(base, counts, done=(), events=(), known=True, as_of=END, **more):
    """Return the result of a run with such messages, as `find_themes` ends."""
    handling = more.pop("handling", None)
    result = replace(
        base,
        study=Study(study="shop", done=done),
        assignments=messages(counts, handling=handling, **more),
        registry=registry(as_of, events),
        known=registry(RUN) if known else None,
        as_of=as_of,
    )
    return replace(result, changes=since(result))


def steady(theme, week):
    return 21 if theme else 70


def moved(name, share):
    """Return counts in which a theme has another share since the run before."""

    def counts(theme, week):
        return int(21 * share) if theme == name and week >= 9 else steady(theme, week)

    return counts


def page(result, language="en"):
    html = " ".join(block._repr_html_() for block in result.since.blocks(language))
    return " ".join(re.sub("<[^>]+>", " ", html).split())


# ---- What changed since the last run


def test_with_no_run_before_and_nothing_done_it_is_a_plain_sentence(base):
    result = run(base, steady, known=False)
    assert result.changes["themes"] == result.changes["done"] == []
    _heading, sentence = result.since.blocks("en")
    assert "no earlier run" in sentence.text
    assert "Aucune analyse antérieure" in result.since.blocks("fr")[1].text


def test_what_grew_and_shrank_is_told_with_its_newest_typical_quote(base):
    result = run(base, moved("T02", 3))
    (grew,) = result.changes["themes"]
    assert (grew["kind"], grew["theme"]) == ("grew", "T02")
    assert grew["low"] < 3 * 133 / 175 < grew["high"]  # shares: 63 of 175 against 21 of 133
    text = page(result)
    assert "Grew: The app crashes" in text
    assert "My parcel is late again" in text
    assert "June" not in text
    assert "theme-t02.html" in "".join(block._repr_html_() for block in result.since.blocks())
    (shrank,) = run(base, moved("T01", 0.2)).changes["themes"]
    assert (shrank["kind"], shrank["theme"]) == ("shrank", "T01")
    assert shrank["high"] < 1


def test_of_equal_shares_nothing_is_said(base):
    result = run(base, steady)
    assert result.changes["compared"]
    assert result.changes["themes"] == []
    assert "no theme is new" in page(result)


def test_new_back_merged_split_and_no_longer_said_come_from_the_ledger(base):
    events = [
        Event(END, "merged", "T09", ("T01",)),
        Event(END, "dormant", "T09"),
        Event(END, "split", "T09", ("T01", "T02")),
        Event(END, "revived", "T02"),
        Event(END, "born", "T03"),
    ]
    result = run(base, moved("T02", 3), events=events)
    kinds = [change["kind"] for change in result.changes["themes"]]
    assert kinds == ["born", "revived", "merged", "split", "dormant"]  # what came back did not grow
    assert result.tables()["changes"]["others"].tolist() == ["", "", "T01", "T01; T02", ""]
    assert b'split,T09,"T01; T02"' in result.files()["changes.csv"]
    text = page(result)
    assert "New: A dark mode please" in text
    assert "Back again: The app crashes" in text
    assert "Merged: The invoice is wrong is now part of My parcel is late" in text
    assert "Split: The invoice is wrong is now My parcel is late and The app crashes" in text
    assert "No longer mentioned: The invoice is wrong" in text
    french = page(result, "fr")
    assert "De retour" in french
    assert "Réuni" in french


def test_weeks_without_a_message_are_told(base):
    def counts(theme, week):
        return 0 if week in (9, 11) else steady(theme, week)

    result = run(base, counts)
    assert result.changes["missed"] == 2
    assert "2 of the weeks since the last run" in page(result)
    assert run(base, steady).changes["missed"] == 0


def test_a_run_a_day_later_or_on_the_same_day_says_that_little_is_known(base):
    for days, weeks in ((0, 9), (-14, 8)):
        result = run(base, steady, as_of=RUN + datetime.timedelta(days), weeks=weeks)
        assert not result.changes["compared"]
        assert "too few messages since the last run" in page(result)


def test_a_week_is_compared_by_days(base):
    result = run(base, moved("T02", 4), as_of=RUN + datetime.timedelta(7), weeks=10)
    assert [change["kind"] for change in result.changes["themes"]] == ["grew"]


# ---- What was done


SINCE = {"theme": "T01", "what": {"en": "New carrier", "fr": "Nouveau transporteur"}}


def of(base, counts, day=RUN + datetime.timedelta(1), **more):
    (row,) = run(base, counts, done=(SINCE | {"on": day},), **more).changes["done"]
    return row


def test_what_fell_rose_or_did_not_move(base):
    fell, flat, rose = (of(base, moved("T01", share)) for share in (0.3, 1, 3))
    assert [row["state"] for row in (fell, flat, rose)] == ["fell", "flat", "rose"]
    assert fell["low"] < (6 / 118) / (21 / 133) < fell["high"] < 1
    assert flat["low"] < 1 < flat["high"]
    assert flat["ratio"] == pytest.approx(1)


def test_a_promise_has_its_day_and_no_verdict(base):
    row = of(base, moved("T01", 0.3), day=END + datetime.timedelta(30))
    assert row["state"] == "promised"
    assert "ratio" not in row
    result = run(base, steady, done=(SINCE | {"on": DAY(2026, 12, 24)},))
    assert "Promised, not released yet" in page(result)
    assert "24 December 2026" in page(result)
    french = page(result, "fr")
    assert "Nouveau transporteur" in french
    assert "Promis, pas encore en service" in french


@pytest.mark.parametrize(("days", "state"), [(13, "early"), (14, "fell")])
def test_it_is_too_early_until_two_weeks_have_passed(base, days, state):
    day = END - datetime.timedelta(days - 1)
    row = of(
        base, lambda theme, week: 4 if theme == "T01" and week > 10 else steady(theme, week), day
    )
    assert row["state"] == state
    assert row["ready"] == day + datetime.timedelta(13)
    assert ("ratio" in row) == (state == "fell")


def test_too_few_days_before_or_too_few_messages_tell_nothing(base):
    assert of(base, steady, day=START + datetime.timedelta(13))["state"] == "few"
    assert of(base, steady, day=START + datetime.timedelta(14))["state"] == "flat"
    assert of(base, lambda theme, week: week < 9)["state"] == "few"


def test_a_theme_that_was_merged_is_followed_and_an_unknown_id_is_refused(base):
    result = run(base, moved("T01", 0.3), done=(SINCE | {"theme": "T09", "on": RUN},))
    assert result.changes["done"][0]["state"] == "none"
    merged = replace(result, registry=registry(END, into={"T09": "T01"}))
    (row,) = since(merged)["done"]
    assert (row["theme"], row["state"]) == ("T01", "fell")
    with pytest.raises(SpecError, match="T04"):
        run(base, steady, done=(SINCE | {"theme": "T04", "on": RUN},))


def test_what_people_merged_split_or_left_out_is_followed(base):
    done = (SINCE | {"on": RUN + datetime.timedelta(1)},)
    parts = {"T01": "T02", "T02": "T02", "T03": "T03"}
    result = run(base, moved("T01", 0.3), done=done)

    def edited(names, **edits):
        """Return what came after, where the themes have other names now."""
        themes = {names.get(each.id): replace(each, id=names.get(each.id)) for each in base.themes}
        stands = [
            replace(each, main=replace(each.main, theme=names.get(each.main.theme)))
            for each in result.assignments
        ]
        known = [themes[name] for name in themes if name]
        new = replace(result, themes=tuple(known), assignments=tuple(stands))
        return replace(new, edits=replace(base.edits, **edits))

    merged = edited(parts, merges={"T01": "T02"})
    (row,) = since(merged)["done"]
    assert (row["theme"], row["state"]) == ("T02", "fell")
    assert row["ratio"] == pytest.approx((27 / 118) / (42 / 133), rel=0.02)
    left = edited({"T02": "T02", "T03": "T03"}, excluded=["T01"])
    left = replace(left, changes=since(left))
    assert left.changes["done"][0]["state"] == "excluded"
    assert "excluded by hand" in page(left)
    split = edited({"T01": "T01a", "T02": "T01b", "T03": "T03"}, splits={"T01": ["T01a", "T01b"]})
    split = replace(split, changes=since(split))
    (row,) = split.changes["done"]
    assert (row["theme"], row["parts"], row["state"]) == ("T01", ["T01a", "T01b"], "fell")
    assert row["ratio"] == pytest.approx((27 / 118) / (42 / 133), rel=0.02)
    assert "My parcel is late" in page(split)


@pytest.mark.parametrize(("near", "state"), [("T01", "flat"), ("T02", "fell"), ("nothing", "fell")])
def test_what_a_later_theme_took_from_one_is_no_fall_of_it(base, near, state):
    def counts(theme, week):
        return {"T01": 7 if week >= 9 else 21, "T03": 14 * (week >= 9)}.get(theme, 21)

    result = run(base, counts, done=(SINCE | {"on": RUN + datetime.timedelta(1)},))
    places = {"T01": [1, 0], "T02": [0, 1], "nothing": [0.4, 0.2]}
    themes = tuple(
        replace(each, centroid=np.array(places.get(each.id, places[near]), np.float32), born=born)
        for each in result.registry.themes
        for born in [RUN if each.id == "T03" else START]
    )
    later = replace(result, registry=replace(result.registry, themes=themes))
    (row,) = since(later)["done"]
    assert row["state"] == state
    assert row["parts"] == ["T01", *["T03"] * (state == "flat")]
    assert (row["low"] < 1 < row["high"]) == (state == "flat")
    assert "excluded" not in row


def test_a_peak_before_is_no_success(base):
    """Four weeks just before it are high; before it the share was what it is now."""

    def counts(theme, week):
        return 63 if theme == "T01" and 5 <= week < 9 else steady(theme, week)

    result = run(base, counts, done=(SINCE | {"on": RUN + datetime.timedelta(1)},))
    (row,) = result.changes["done"]
    assert row["state"] == "peak"
    assert row["high"] < 1
    assert "perhaps only from a peak" in page(result)
    assert "simple pic" in page(result, "fr")
    assert (
        of(base, lambda *at: counts(*at) // (3 if at[0] == "T01" and at[1] > 8 else 1))["state"]
        == "fell"
    )


def test_an_export_of_the_new_weeks_has_the_verdict_of_all_of_them(base):
    day = RUN + datetime.timedelta(1)
    for counts, state in ((moved("T01", 0.3), "fell"), (steady, "flat")):
        whole = run(base, counts, done=(SINCE | {"on": day},))
        late = tuple(each for each in whole.assignments if each.message.date >= day)
        early = tuple(each for each in whole.assignments if each.message.date < day)
        known = replace(whole.known, history=history_of(None, early))
        week = replace(whole, assignments=late, known=known)
        changes = since(week)
        (row,), (other,) = changes["done"], whole.changes["done"]
        assert row["state"] == other["state"] == state
        assert row["ratio"] == pytest.approx(other["ratio"])
        kinds = [(each["kind"], each["theme"]) for each in changes["themes"]]
        assert kinds == [(each["kind"], each["theme"]) for each in whole.changes["themes"]]
        assert changes["compared"]


def test_a_peak_of_runs_before_is_no_success_either(base):
    def counts(theme, week):
        return 63 if theme == "T01" and 5 <= week < 9 else steady(theme, week)

    day = RUN + datetime.timedelta(1)
    whole = run(base, counts, done=(SINCE | {"on": day},))
    late = tuple(each for each in whole.assignments if each.message.date >= day)
    early = tuple(each for each in whole.assignments if each.message.date < day)
    week = replace(
        whole, assignments=late, known=replace(whole.known, history=history_of(None, early))
    )
    assert since(week)["done"][0]["state"] == "peak"


def test_messages_that_stop_before_two_weeks_tell_nothing(base):
    def counts(theme, week):
        return 4 if theme == "T01" and week > 9 else steady(theme, week)

    row = of(base, counts, day=START + datetime.timedelta(70), weeks=11)
    assert (row["state"], "ratio" in row) == ("few", False)


def test_a_wrong_year_is_no_time_before_and_no_today(base):
    for year in (1970, 2099):
        result = run(base, steady, done=(SINCE | {"on": START + datetime.timedelta(13)},))
        (first, *more) = result.assignments
        wrong = replace(first, message=replace(first.message, date=DAY(year, 1, 1)))
        result = replace(result, assignments=(wrong, *more), as_of=None)
        (row,) = since(result)["done"]
        assert row["state"] == "few"


def test_runs_without_a_day_name_none():
    texts = ["The app crashes"] * 6 + ["Thanks!"]
    first = feedback.find_themes(texts)
    again = feedback.find_themes(texts, registry=first.registry)
    text = page(again)
    assert "Since the last run, no theme is new" in text
    assert "9999" not in text


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"what": "a"},
        {"on": RUN},
        {"run": "launch_readiness/parcel", "on": RUN},
        {"run": "roadmap/plan"},
        {"run": "launch_readiness/parcel", "step": "carrier"},
    ],
)
def test_a_done_is_a_run_or_words_and_a_day(fields):
    with pytest.raises(ValueError, match="Name a run"):
        Done(theme="T01", **fields)


@pytest.mark.slow
def test_of_flat_themes_a_fall_is_claimed_at_the_stated_level(base):
    """200 studies of counts with twice the Poisson variance: 2.5 % on each side are expected."""
    rng, states = np.random.default_rng(26), []
    for _ in range(200):
        drawn = rng.negative_binomial(10, 0.5, (4, 13))
        rows = run(
            base,
            lambda theme, week, drawn=drawn: int(drawn[[*TEXTS, None].index(theme), week]) + 1,
            done=(SINCE | {"on": RUN + datetime.timedelta(1)},),
        )
        states.append(rows.changes["done"][0]["state"])
    assert states.count("fell") + states.count("rose") <= 20  # 10 of 200 expected at 95 %
    assert states.count("flat") >= 180


# ---- Runs that say so


def filed(reports, run, record, status="complete"):
    content = json.dumps({"status": status} | record).encode()
    home = reports / run
    home.mkdir(parents=True)
    files = {"result.json": content, "notebook.ipynb": b"{}", "readout.html": b"<html>"}
    for file, data in files.items():
        (home / file).write_bytes(data)
    notebook, name, folder = run.split("/")
    card = {"notebook": notebook, "name": name, "as_of": folder[:10], "digest": folder[11:]}
    card |= {"status": status, "headline": ""}
    card["outputs"] = {file: hashlib.sha256(data).hexdigest() for file, data in files.items()}
    (home / "run.json").write_text(json.dumps(sealed(card)))
    return home


EXPERIMENT = {
    "as_of": "2026-08-03",
    "decision": {"action": "ship"},
}
READOUT = "experiment_readout/checkout/2026-08-03-0123abcd"
STEPS = [
    {"id": "old", "initiative": "Sign-on", "horizon": "done", "half": "2026-08-03"},
    {"id": "new", "initiative": "Carrier", "horizon": "now", "ends": "2026-08-01", "sure": "x"},
]
STEPS = [{"ends": None, "sure": "2026-08-01"} | step for step in STEPS]


def cited(base, run_name, **fields):
    done = ({"theme": "T01", "run": run_name} | fields,)
    (row,) = (result := run(base, moved("T01", 0.3), done=done)).changes["done"]
    return row, page(result)


def test_an_experiment_that_shipped_is_dated_by_its_readout(base, reports):
    filed(reports, READOUT, EXPERIMENT)
    row, text = cited(base, "experiment_readout/checkout")
    assert (row["on"], row["state"], row["decision"]) == (DAY(2026, 8, 3), "fell", "ship")
    assert row["what"] == "checkout"
    assert row["link"] == f"../../../{READOUT}/readout.html"
    assert "The theme fell" in text


def test_what_was_not_decided_for_is_not_told_as_released(base, reports):
    filed(reports, READOUT, EXPERIMENT | {"decision": {"action": "do_not_ship"}})
    row, text = cited(base, "experiment_readout/checkout")
    assert row["state"] == "held"
    assert "ratio" not in row
    assert "decided: do not ship" in text


def test_the_sample_s_launch_is_dated_by_its_launch_day(base, reports, root):
    record = next(root.glob("data/sample/runs/launch_readiness/*/*/result.json"))
    filed(
        reports,
        "launch_readiness/parcel-tracking/2026-08-28-0c07661b",
        json.loads(record.read_text()),
    )
    (row,) = run(
        base, steady, done=({"theme": "T01", "run": "launch_readiness/parcel-tracking"},)
    ).changes["done"]
    assert (row["on"], row["decision"], row["state"]) == (DAY(2026, 8, 31), "go", "promised")
    assert row["what"] == "Parcel tracking page"
    assert row["what"].french == "Page de suivi des colis"


def test_a_run_of_another_folder_is_an_input_and_has_no_link(workspace_folder):
    study = "study: shop\nend: 2026-09-27\nsources: [{path: feedback_tickets.csv}]\nruns: [runs]\n"
    done = (
        "{theme: T01, run: launch_readiness/parcel-tracking}, {theme: T01, run: roadmap/x, step: a}"
    )
    spec = workspace_folder / "data/sample/done.yaml"
    spec.write_text(f"{study}done: [{done}]\n", encoding="utf-8")
    parameters = feedback.ThemesParameters(spec="data/sample/done.yaml")
    folder = "runs/launch_readiness/parcel-tracking/2026-08-28-0c07661b/result.json"
    assert [str(path) for path in parameters.stands_on().files if path.name == "result.json"] == [
        str(workspace_folder / "data/sample" / folder)
    ]
    (run, _) = since_of(parameters.study())
    assert (run["on"], run["link"]) == (DAY(2026, 8, 31), None)


def since_of(study):
    return [
        outcome(done, log, [], registered, pd.Timestamp(END))
        for log in [Log(pd.DataFrame(columns=["date"]), np.empty((0, 0)), past_of([], {}, 0))]
        for registered in [
            SimpleNamespace(
                registry=registry(END),
                study=study,
                language="en",
                edits=SimpleNamespace(excluded=()),
            )
        ]
        for done in study.done
    ]


def test_an_initiative_is_there_once_the_roadmap_says_so(base, reports):
    filed(reports, "roadmap/plan/2026-08-10-0123abcd", {"steps": STEPS})
    old, _ = cited(base, "roadmap/plan", step="old")
    new, text = cited(base, "roadmap/plan", step="new")
    assert (old["state"], old["on"], old["what"]) == ("fell", DAY(2026, 8, 3), "Sign-on")
    assert (new["state"], new["on"]) == ("promised", DAY(2026, 8, 1))
    assert "on the roadmap: under way" in text
    none, text = cited(base, "roadmap/plan", step="nothing")
    assert none["state"] == "unusable"
    assert "step: nothing" in text


def test_what_names_a_theme_in_its_own_spec_is_told_too_and_once(base, reports):
    launch, plan = "launch_readiness/parcel/2026-08-04-0123abcd", "roadmap/plan/2026-08-10-0123abcd"
    filed(
        reports,
        READOUT,
        EXPERIMENT | {"themes": ["shop/T01", "another/T02", "shop/T77", "shop/T01"]},
    )
    filed(reports, READOUT.replace("08-03", "07-01"), EXPERIMENT | {"themes": ["shop/T03"]})
    steps = [STEPS[0] | {"themes": ["shop/T01"]}, STEPS[1] | {"themes": ["shop/T02"]}]
    filed(reports, plan, {"steps": steps})
    filed(reports, launch, {"themes": [3]})
    filed(reports, "launch_readiness/other/2026-08-04-0123abcd", {"steps": 3})
    home = filed(reports, "launch_readiness/damaged/2026-08-04-0123abcd", {})
    (home / "result.json").write_text("null")
    named = {"theme": "T01", "run": "roadmap/plan", "step": "old", "what": "Sign-on for all"}
    by_hand = {"theme": "T03", "what": "A dark mode", "on": "2026-08-03"}
    result = run(base, moved("T01", 0.3), done=(named, by_hand))
    rows = [(row["theme"], row["run"], row["step"], row["state"]) for row in result.changes["done"]]
    assert rows == [
        ("T01", plan, "old", "fell"),
        ("T03", None, None, "flat"),
        ("T01", READOUT, None, "fell"),
        ("T77", READOUT, None, "none"),
        ("T02", plan, "new", "promised"),
    ]
    assert "Sign-on for all" in page(result)


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ("missing", "There is no run"),
        ("red", "blocking check"),
        ("later", "later than"),
        ("altered", "has been changed or lost"),
        ("other", "does not say what was released"),
    ],
)
def test_a_run_that_cannot_be_used_is_told_on_the_page(base, reports, trouble, words):
    name = READOUT.replace("2026-08-03", "2026-09-03") if trouble == "later" else READOUT
    if trouble != "missing":
        record = {} if trouble == "other" else EXPERIMENT
        home = filed(reports, name, record, "check_failed" if trouble == "red" else "complete")
        if trouble == "altered":
            (home / "result.json").write_bytes(b"{}")
    row, text = cited(base, "experiment_readout/checkout")
    assert row["state"] == "unusable"
    assert words in text
    record = replace(base, changes={"themes": [], "done": [row]}).record()["since"]["done"][0]
    assert record["reason"]["key"].partition(".")[0] in ("filed_runs", "feedback")
    assert json.dumps(record)
