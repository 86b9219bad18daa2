"""The roadmap's page: what it says for each action, in both languages; its record, figures and evidence."""

import datetime
import importlib.util
import json
import re
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest

from conftest import ROOT, run_cells
from opslab import operations
from opslab.evidence import Evidence
from opslab.messages import Bilingual
from opslab.operations import cited
from opslab.operations.roadmap.result import Load, RoadmapResult, Slips, Step
from opslab.operations.roadmap.spec import Roadmap
from opslab.results import Check, Message

TODAY = datetime.date(2026, 10, 5)


def day(text):
    return datetime.date.fromisoformat(text) if text else None


FRENCH = {"login": "compte", "cart": "panier", "profile": "profil", "shelf": "rayon"}


def step(name, owner, horizon, starts, ends, start, half, sure, **given):
    late = (day(half) - day(ends)).days if ends else 0
    values = {
        "id": name,
        "initiative": Bilingual(f"The {name}", french=f"Le {FRENCH[name]}"),
        "row": 2,
        "owner": owner,
        "horizon": horizon,
        "starts": day(starts),
        "ends": day(ends),
        "start": day(start),
        "half": day(half),
        "sure": day(sure),
        "slip_days": float(late),
        "slip_low": late - 20.0 if ends else 0.0,
        "slip_high": late + 40.0 if ends else 0.0,
        "critical": 0.0,
        "slack_days": 30.0,
        "depends_on": (),
        "across": (),
        "pushes": (),
        "done": None,
        "tickets": None,
        "source": "window",
        "confidence": None,
        "kpi": None,
        "gate": None,
        "moved_days": 0,
    }
    return Step(**values | given)


SHOP, DATA = Bilingual("Shop", french="Boutique"), Bilingual("Data", french="Données")
STEPS = (
    step(
        "login",
        SHOP,
        "done",
        "2026-03-02",
        "2026-08-28",
        "2026-03-02",
        "2026-09-04",
        "2026-09-04",
        source="finished",
    ),
    step(
        "cart",
        SHOP,
        "now",
        "2026-09-07",
        "2026-11-13",
        "2026-09-07",
        "2026-11-20",
        "2026-12-18",
        done=9,
        tickets=16,
        source="tickets",
        critical=0.9,
        slack_days=0.0,
        moved_days=12,
        gate="Pilote 500",
        pushes=(("shelf", 22.0),),
    ),
    step(
        "profile",
        DATA,
        "next",
        None,
        None,
        "2026-11-02",
        "2026-12-14",
        "2026-12-30",
        source="range",
    ),
    step(
        "shelf",
        DATA,
        "later",
        "2026-11-16",
        "2027-01-29",
        "2026-12-18",
        "2027-02-12",
        "2027-03-12",
        depends_on=("cart", "profile"),
        across=(SHOP,),
        critical=1.0,
        slack_days=0.0,
        moved_days=9,
    ),
)
LOADS = tuple(
    Load(owner, datetime.date(2026, month, 1), load)
    for owner, month, load in [(DATA, 11, 0.5), (DATA, 12, 1.25), (SHOP, 10, 0.8), (SHOP, 11, 0.3)]
)
RESULT = RoadmapResult(
    roadmap=Roadmap(roadmap="xplan", initiatives=[{"id": "x", "initiative": "x", "weeks": 1}]),
    as_of=TODAY,
    draws=10_000,
    seed=1,
    steps=STEPS,
    planned=day("2027-01-29"),
    half=day("2027-02-12"),
    sure=day("2027-03-12"),
    chance=0.08,
    path=("cart", "shelf"),
    merge_days=4.0,
    loads=LOADS,
    slips=Slips(14, 4, 12.0, -3.0, 30.0, "days", 2, True),
    previous_day=day("2026-09-07"),
    dropped=(),
    entered=("profile",),
    readings=(),
    sources=(),
    checks=(),
)
LATE = Message("roadmap.overdue_fail", {"names": ["cart"]})
CALM = tuple(load._replace(load=0.4) for load in LOADS)
KEPT = {
    "steps": [known._replace(ends=known.ends and known.sure) for known in STEPS],
    "planned": day("2027-03-12"),
    "chance": 0.97,
}
BARE = [*STEPS[:3], STEPS[3]._replace(uncertain=False)]
DONE = {"steps": STEPS[:1], "path": (), "previous_day": None, "half": day("2026-09-04")}
SITUATIONS = {
    "replan": RESULT,
    "missed": replace(RESULT, chance=0.9),
    "reserve": replace(RESULT, **KEPT | {"chance": 0.51}),
    "hold": replace(RESULT, loads=CALM, **KEPT),
    "ease": replace(RESULT, **KEPT),
    "range": replace(RESULT, chance=None, steps=BARE),
    "open": replace(RESULT, planned=None, chance=None, previous_day=None, slips=None, loads=()),
    "stop": replace(RESULT, checks=(Check("overdue", "fail", LATE, None, True),)),
    "done": replace(RESULT, planned=None, chance=None, loads=(), **DONE),
}


def french():
    """Load the check for English words that the experiments' readout has."""
    if "test_french" not in sys.modules:
        path = ROOT / "tests" / "runs" / "test_french.py"
        spec = importlib.util.spec_from_file_location("test_french", path)
        sys.modules["test_french"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["test_french"])
    return sys.modules["test_french"]


def page(result, language):
    blocks = [result.first_screen(language)]
    for part in result.PARTS:
        blocks += getattr(result, part).blocks(language)
    return " ".join(block._repr_html_() for block in blocks if hasattr(block, "_repr_html_"))


SAID = {
    "replan": (
        "Announce a new end: 12 March 2027",
        "The announced end, 29 January 2027, will probably not hold: its chance is 8%.",
    ),
    "missed": (
        "Announce new ends: The cart (announced 13 November 2026, 85%: 18 December 2026)",
        "has a chance of 90%, but these are announced to end before they are likely done: The cart",
    ),
    "reserve": (
        "Announce the end with a reserve: 12 March 2027",
        "with a chance of 51%, less than",
    ),
    "hold": ("Hold the announced end", "will probably hold: its chance is 97%."),
    "ease": (
        "Spread the work of the fullest months: Data in Dec 2026 (125%)",
        "more is planned than",
    ),
    "range": ("Say how sure the dates are: nothing tells", "how sure the dates are of The shelf."),
    "open": ("Announce an end: 12 March 2027", "No end is announced for the whole."),
    "done": (
        "Close the roadmap",
        "All initiatives are done, the last of them on 4 September 2026.",
    ),
    "stop": ("Stop: these dates cannot be relied on", "are not to be passed on"),
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_the_first_screen_says_what_to_do(name):
    screen, (action, sentence) = SITUATIONS[name].first_screen("en"), SAID[name]
    assert screen.action.startswith(action)
    assert sentence in screen.headline
    assert screen.tone == {"stop": "bad", "hold": "good"}.get(name, "open")


@pytest.mark.parametrize("name", SITUATIONS)
def test_no_dash_and_no_empty_list_on_the_first_screen(name):
    for language in ("en", "fr"):
        shown = SITUATIONS[name].first_screen(language)._repr_html_()
        assert not re.search("\N{EN DASH}|: [.;)]|\\(\\)", shown)


@pytest.mark.parametrize(("name", "facts"), {"stop": 1, "done": 1, "range": 2, "open": 2}.items())
def test_what_cannot_be_told_is_not_told(name, facts):
    """Neither a chance nor the day of 85 %, in the facts, questions or the figure's title."""
    result = SITUATIONS[name]
    screen = result.first_screen("en")
    assert len(screen.facts.items) == facts
    if name != "open":
        assert "85%" not in str(screen.facts) + screen.headline + str(
            result.figures("en")["dates"].alt[:60]
        )
    assert bool(screen.reasons) == (name != "done")
    assert not [line for line in screen.reasons if name == "stop" and "realistic" in line]


def test_the_first_screen_names_what_the_end_waits_for_who_is_asked_and_where_a_move_began():
    """The end itself, the shelf, is no news; a step without an owner is not asked of a dash."""
    screen = RESULT.first_screen("en")
    assert screen.headline.endswith("Most often the end waits for The cart (90%).")
    assert [line.split(":")[0] for line in screen.reasons] == [
        "Announced ends that will probably be missed",
        "Ask Shop",
        "Ask Data",
    ]
    assert "18 December 2026 realistic" in screen.reasons[1]
    nobody = replace(RESULT, steps=[known._replace(owner=None) for known in STEPS])
    assert nobody.first_screen("en").reasons[1].startswith("Name an owner for “The cart”")


def moves(now, then, **more):
    """Return what is said of moves: steps as (id, moved, waits for, what was otherwise then)."""
    steps = [STEPS[3]._replace(id=n, initiative=n, moved_days=m, depends_on=w) for n, m, w in now]
    last = {
        n: json.loads(json.dumps(RESULT.record()))["steps"][3] | {"depends_on": [*w]}
        for n, _, w in now
    }
    last = {name: last[name] | then.get(name, {}) for name in last}
    result = replace(RESULT, steps=steps, last=last, path=(now[-1][0],), entered=(), **more)
    [line] = [
        b.text for b in result.dates.blocks("en") if getattr(b, "text", "").startswith("It began")
    ] or [""]
    return line


def test_a_move_begins_where_more_is_lost_than_was_passed_on():
    """Below three days is noise; what waits passes on no more than it moved itself, and slack swallows."""
    chain = [("a", 1, ()), ("b", 62, ("a",)), ("c", 60, ("b",))]
    assert moves(chain, {}) == "It began with b (+61 days)."
    assert moves([("a", 20, ()), ("b", 0, ("a",))], {}) == "It began with a (+20 days)."
    assert (
        moves([("a", -9, ()), ("b", -4, ("a",))], {}) == "It began with a (\N{MINUS SIGN}9 days)."
    )
    assert moves([("a", 2, ()), ("b", -2, ())], {}) == ""


@pytest.mark.parametrize(
    ("then", "why"),
    [
        ({"depends_on": ["z"]}, ": it no longer waits for the same"),
        ({"ends": "2027-01-30"}, ": its announced end was changed"),
        ({"starts": "2026-11-01"}, ": its first day was changed"),
        ({"source": "range"}, ": now known from its announced window"),
        ({"weeks": [2, None, 4, "pert"]}, ""),
        ({"tickets": 9}, ""),
    ],
)
def test_a_reason_is_told_only_where_it_changed_and_counts(then, why):
    """A window's date stands on neither weeks nor tickets."""
    assert moves([("a", 230, ())], {"a": then}) == f"It began with a (+230 days{why})."


def test_an_announced_end_that_was_put_off_is_told_first():
    """An end that holds because it was announced later is no news to be glad of."""
    steps = json.loads(json.dumps(RESULT.record()))["steps"]
    last = {
        step["id"]: step | ({"ends": "2026-09-01"} if step["id"] == "shelf" else {})
        for step in steps
    }
    put_off = replace(RESULT, last=last)
    (ends,) = (step.ends for step in RESULT.steps if step.id == "shelf")
    for language, said in (
        ("en", "Announced ends that changed since the last run: "),
        ("fr", "Fins annoncées qui ont changé depuis la dernière exécution"),
    ):
        [reason] = [each for each in put_off.first_screen(language).reasons if said in each]
        assert str(ends.year) in reason
        same = replace(RESULT, last={step["id"]: step for step in steps})
        assert not [each for each in same.first_screen(language).reasons if said in each]
    assert "Announced ends that changed since then" in repr(put_off.dates).replace("\n", " ")


def test_without_an_earlier_run_that_is_said_and_nothing_else():
    alone = replace(RESULT, previous_day=None, last={}, entered=())
    assert "No last run is named" in repr(alone.dates)
    asked = alone.roadmap.changed(previous="last")
    assert "no earlier run of this roadmap" in repr(replace(alone, roadmap=asked).dates)
    assert "last run" not in str(alone.first_screen("en").facts)


def test_a_chance_is_never_all():
    sure = replace(SITUATIONS["hold"], chance=1.0)
    assert "chance that it holds: 99%" in str(sure.first_screen("en").facts)


@pytest.mark.parametrize("name", SITUATIONS)
def test_both_languages_are_whole_in_every_situation(name):
    check, result = french(), SITUATIONS[name]
    shown = page(result, "fr")
    assert not check.english_in(shown) - {"announced", "in", "be"}
    for figure in result.figures("fr").values():
        drawn = " ".join(
            text.get_text()
            for text in figure.drawing.findobj(lambda part: hasattr(part, "get_text"))
        )
        assert not check.words(f"{drawn} {figure.alt} {figure.caption}") & check.ENGLISH
        assert re.search(r"\d", figure.alt)
    english = page(result, "en")
    assert len(check.english_in(english)) > 5
    assert not re.search(r"\{\w|nan\b|None", english + shown)


def test_now_next_later_tells_no_date():
    """A date there would be read as a promise; the horizons come in their order, done ones last."""
    (table,) = (block for block in RESULT.now_next_later.blocks("en") if hasattr(block, "groups"))
    heads = [(group.head.text, [row[0] for row in group.rows]) for group in table.groups]
    assert heads == [
        ("Now", ["The cart"]),
        ("Next", ["The profile"]),
        ("Later", ["The shelf"]),
        ("Done", ["The login"]),
    ]
    assert not re.search(r"20\d\d", repr(RESULT.now_next_later))
    assert "9 of 16" in repr(RESULT.now_next_later)


def test_the_figures_tell_their_numbers():
    dates, load = RESULT.figures("en").values()
    assert "The shelf · Data: 85%: 12 March 2027." in dates.alt
    assert "Data · Dec 2026: 125%." in load.alt
    assert "announced" in [text.get_text() for text in dates.drawing.axes[0].texts]
    assert list(SITUATIONS["open"].figures("en")) == ["dates"]


def test_the_record_is_the_same_in_both_languages_and_tells_the_next_run_what_to_compare():
    record = json.loads(json.dumps(RESULT.record()))
    assert replace(RESULT, language="fr").record() == RESULT.record()
    assert {step["id"]: step["sure"] for step in record["steps"]}["shelf"] == "2027-03-12"
    assert record["steps"][1]["pushes"] == [["shelf", 22.0]]
    assert (record["as_of"], record["chance"], record["action"]) == ("2026-10-05", 0.08, "replan")


def test_the_next_run_tells_what_moved(tmp_path, monkeypatch):
    """What was written is what is read back: the same sheet has not moved, a later step has, and what waits for it."""
    monkeypatch.setenv("OPSLAB_WORKSPACE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    steps = [
        {"id": "a", "initiative": "A", "weeks": {"low": 2, "high": 4}},
        {"id": "b", "initiative": "B", "weeks": 1, "depends_on": "a"},
        {"id": "c", "initiative": "C", "weeks": 1},
    ]
    roadmap = Roadmap(roadmap="shop", initiatives=steps)
    first = operations.plan_roadmap(roadmap, TODAY, draws=1_000)
    folder = tmp_path / "reports" / "roadmap" / "shop" / "2026-10-05-1"
    folder.mkdir(parents=True)
    record = json.dumps(first.record())
    card = SimpleNamespace(name="shop")
    monkeypatch.setattr(
        cited, "cited_run", lambda *_, **__: SimpleNamespace(record=json.loads(record), card=card)
    )
    late = [
        steps[0] | {"starts": "2026-10-19"},
        *steps[1:],
        {**steps[2], "id": "d", "initiative": "D"},
    ]
    for given, moved in (
        (steps, {"a": 0, "b": 0, "c": 0}),
        (late, {"a": 14, "b": 14, "c": 0, "d": None}),
    ):
        later = roadmap.changed(initiatives=given, previous="reports/roadmap/shop/2026-10-05-1")
        again = operations.plan_roadmap(later, TODAY, draws=1_000)
        assert {step.id: step.moved_days for step in again.steps} == moved
    told = repr(again.dates).replace("\n", " ")
    assert "It began with A (+14 days: its first day was changed)." in told
    assert "New: D." in told
    assert "No longer there" not in told


def test_a_slip_is_evidence_in_months():
    """Of what was announced only; the mean, and the ends of nine tenths."""
    found = {known.id: known for known in RESULT.evidence()}
    assert [*found] == ["xplan/login", "xplan/cart", "xplan/shelf"]
    shelf = found["xplan/shelf"]
    assert (shelf.unit, shelf.per, shelf.grade) == ("month", "once", "D")
    assert shelf.period == (day("2026-11-16"), day("2027-01-23"))
    assert shelf.quantity.value == pytest.approx(20 / (365.25 / 12))
    assert shelf.quantity.distribution.mean == pytest.approx(shelf.quantity.value)
    assert [*shelf.quantity.parameters.values()] == pytest.approx(
        [days / (365.25 / 12) for days in (0, 20, 48, 60)]
    )
    assert Evidence.from_record(json.loads(json.dumps(shelf.record()))) == shelf
    assert [known.grade for known in replace(RESULT, slips=None).evidence()] == ["D", "D", "F"]
    assert SITUATIONS["stop"].evidence() == []


def test_what_nothing_is_known_of_is_no_evidence_and_a_confidence_that_is_given_is_an_opinion():
    def grades(**known):
        steps = [*STEPS[:3], STEPS[3]._replace(**known)]
        return [each.grade for each in replace(RESULT, steps=steps).evidence()]

    assert grades(uncertain=False) == ["D", "D"]
    assert grades(confidence=0.9) == ["D", "D", "F"]
    assert grades(confidence=0.9, source="tickets") == ["D", "D", "D"]
    failed = Check("ticket_record", "fail", LATE)
    assert [each.grade for each in replace(RESULT, checks=(failed,)).evidence()] == ["D", "F", "D"]
    in_releases = replace(RESULT, slips=RESULT.slips._replace(unit="releases"))
    assert [each.grade for each in in_releases.evidence()] == ["D", "D", "F"]


@pytest.mark.parametrize("ends", ["2027-01-23", "2027-02-28", "2027-09-30"])
def test_announcing_later_alone_moves_no_evidence(ends):
    """The same draws, from 23 January on: whatever is announced after them."""
    later = (day(ends) - day("2027-01-29")).days
    known = STEPS[3]
    known = known._replace(
        ends=day(ends),
        slip_days=known.slip_days - later,
        slip_low=known.slip_low - later,
        slip_high=known.slip_high - later,
    )
    [moved] = replace(RESULT, steps=[known]).evidence()
    [first] = replace(RESULT, steps=STEPS[3:]).evidence()
    assert (moved.period, moved.quantity) == (first.period, first.quantity)


def test_what_is_taken_away_opens(tmp_path):
    assert RESULT.to_excel(tmp_path / "a.xlsx").stat().st_size > 5_000
    assert 8 < len(RESULT.frame().columns) < 20
    assert list(RESULT.frame().id) == ["login", "cart", "profile", "shelf"]
    later = replace(RESULT, steps=[known._replace(slip_days=5.0) for known in STEPS])
    assert RESULT.compare(later).frame().change.abs().sum() > 0


@pytest.mark.parametrize("hostile", ["=1+1", "<script>alert(1)</script>", "{first}"])
def test_text_from_outside_is_shown_as_text(hostile):
    result = replace(RESULT, steps=[known._replace(initiative=hostile) for known in STEPS])
    assert "<script" not in page(result, "en")


@pytest.mark.slow
def test_the_exploring_cells_run_and_show_themselves(tmp_path, monkeypatch):
    """Two roadmaps side by side are named by their initiatives."""
    monkeypatch.setenv("OPSLAB_WORKSPACE", str(ROOT))
    monkeypatch.chdir(tmp_path)
    names = run_cells("roadmap", draws=1_000)
    shown = names["ask-move"]._repr_mimebundle_()
    assert "Personal offers" in str(shown)
    assert names["gate"] == pytest.approx(11.69, abs=0.02)  # 10 + 2 x 0.846 of three (Tippett 1925)
