"""The page: both languages whole, findings as titles, alt texts with numbers; a red check ends with 3."""

import importlib.util
import re
import sys

import pytest
import yaml
from declared import LINE, RANGED, inventory

import opslab
from conftest import ROOT
from opslab import timesaved
from opslab.report import Voice
from opslab.timesaved.presentation import hours

MEASURED = {
    "task": "tag",
    "quantity": "reduction",
    "value": 0.4,
    "low": 0.3,
    "high": 0.5,
    "basis": "did",
}
TORN = MEASURED | {"value": -0.2, "low": -0.3, "high": -0.1}
PRICED = RANGED | {"rate": 60, "currency": "EUR", "benefit": "hard"}
SITUATIONS = {
    "ranges": {"lines": [RANGED]},
    "certain": {"lines": [LINE]},
    "measured": {"lines": [PRICED], "measurements": [MEASURED]},
    "contradicted": {"lines": [PRICED], "measurements": [TORN]},
    "minutes measured": {
        "lines": [RANGED],
        "measurements": [{**MEASURED, "quantity": "minutes", "value": 20, "low": 15, "high": 25}],
    },
    "nothing saved": {"lines": [LINE | {"reduction": 0.01, "new_minutes": 30}]},
    "no room": {"lines": [LINE | {"frequency": 60, "minutes": 60}]},
    "crowded": {
        "lines": [LINE | {"frequency": 33, "minutes": 60, "recapture": 0.9, "reduction": 0.5}]
    },
}


def french():
    """Load the check for English words that the experiments' readout has."""
    if "test_french" not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            "test_french", ROOT / "tests" / "runs" / "test_french.py"
        )
        sys.modules["test_french"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["test_french"])
    return sys.modules["test_french"]


@pytest.fixture(scope="module", params=SITUATIONS.values(), ids=list(SITUATIONS))
def result(request):
    given = dict(request.param)
    return timesaved.estimate(inventory(*given.pop("lines"), **given), draws=2_000)


def page(result, language):
    blocks = [result.first_screen(language)]
    for part in result.PARTS:
        blocks += getattr(result, part).blocks(language)
    return " ".join(block._repr_html_() for block in blocks if hasattr(block, "_repr_html_"))


def test_both_languages_are_whole_in_every_situation(result):
    check = french()
    own = {"desk", "tag", "pm"}
    shown = page(result, "fr")
    assert not check.english_in(shown) - own
    for figure in result.figures("fr").values():
        drawn = " ".join(
            one.get_text() for one in figure.drawing.findobj(lambda one: hasattr(one, "get_text"))
        )
        assert not check.words(f"{drawn} {figure.alt} {figure.caption}") & check.ENGLISH - own
        assert re.search(r"\d", figure.alt)
    english = page(result, "en")
    assert len(check.english_in(english)) > 5
    assert not re.search(r"\{\w|nan\b|None", english + shown)


def test_the_chosen_distribution_stands_beside_each_number():
    shown = page(timesaved.estimate(inventory(RANGED, calibration="untrained"), draws=1_000), "en")
    assert "lognormal, 90% from 10.0 to 40.0, mean 21.9" in shown  # as stated
    wider = "lognormal, 90% from 3.2 to 64.9, mean 21.9"  # as drawn: 2.18 times as wide, with the same mean
    assert wider in shown


def test_hours_are_rounded_to_what_the_monte_carlo_error_leaves():
    assert hours(1347.7, 0.0, Voice("en", "timesaved")) == "1,348"
    assert hours(1347.7, 1.6, Voice("en", "timesaved")) == "1,350"
    assert hours(1347.7, 8.0, Voice("en", "timesaved")) == "1,350"
    assert hours(1347.7, 20.0, Voice("fr", "timesaved")) == "1\N{NARROW NO-BREAK SPACE}300"
    assert hours(-365.2, 1.0, Voice("en", "timesaved"), signed=True) == "\N{MINUS SIGN}365"


def test_printed_ends_hardly_move_with_the_seed():
    """Three seeds: the ends differ by at most one of the units to which they are rounded."""
    ends = [
        timesaved.estimate(inventory(RANGED), draws=20_000, seed=seed).freed for seed in range(3)
    ]
    unit = next(unit for unit in (1, 5, 10, 50, 100) if unit >= 4 * ends[0].end_error)
    for end in ("low", "high"):
        shown = [round(getattr(one, end) / unit) for one in ends]
        assert max(shown) - min(shown) <= 1


@pytest.mark.slow
def test_a_red_check_ends_with_3_and_the_page_says_stop(workspace_folder):
    spec = "inventory: desk\ndate: 2026-10-05\ndata: {path: tasks.csv}\n"
    (workspace_folder / "desk.yaml").write_text(spec, encoding="utf-8")
    rows = "task,role,initiative,people,frequency,minutes,reduction,adoption,ramp_months\ntag,pm,desk,10,60,60,30%,80%,6\n"
    (workspace_folder / "tasks.csv").write_text(rows, encoding="utf-8")
    run = opslab.run("time_saved", spec="desk.yaml", draws=1_000, language="fr")
    assert (run.exit_code, run.status) == (3, "check_failed")
    assert "Arrêter" in run.readout.read_text(encoding="utf-8")
    assert run.result()["checks"][0]["status"] == "fail"
    again = opslab.run("time_saved", spec="desk.yaml", draws=1_000, language="fr")
    assert (again.exit_code, again.reused) == (3, True)
    told = (run.folder / "run.json").read_text(encoding="utf-8")
    assert '"tasks.csv"' in told


def test_title_and_question_are_told_in_the_readers_language():
    spec = inventory(
        RANGED,
        title={"en": "Feedback desk", "fr": "Guichet des retours"},
        question={"en": "What does it free?", "fr": "Que libère-t-il ?"},
    )
    result = timesaved.estimate(spec, draws=1_000, language="fr")
    assert (result.first_screen().title, result.first_screen("en").title) == (
        "Guichet des retours",
        "Feedback desk",
    )
    assert result.first_screen().question == "Que libère-t-il ?"
    assert "Guichet" not in str(result.record())


FRENCH = {
    "tag": "étiqueter",
    "pm": "chef de produit",
    "desk": "guichet",
    "head": "direction",
    "free": "libre",
}
TABLE = """task,role,initiative,people,frequency,minutes_low,minutes_high,reduction,adoption,ramp_months,owner
tag,pm,desk,10,4,10,40,0.3,1,0,head
"""


@pytest.mark.parametrize("written", ["table", "lines"])
def test_what_stands_in_a_table_is_told_in_the_readers_language(tmp_path, written):
    """A table's cells have one language; the spec has their French, and the numbers stay."""
    (tmp_path / "tasks.csv").write_text(TABLE, encoding="utf-8")
    row = RANGED | {"owner": "head", "frequency": 4}
    both = {
        name: {"en": word, "fr": FRENCH[word]} if word in FRENCH else word
        for name, word in row.items()
        if isinstance(word, str)
    }
    spec = tmp_path / "desk.yaml"
    given = {"inventory": "kit", "date": "2026-10-05", "owner": {"en": "head", "fr": "direction"}}
    if written == "table":
        given |= {"data": {"path": "tasks.csv"}, "french": FRENCH}
    else:
        given |= {"lines": [row | both]}
    spec.write_text(yaml.safe_dump(given), encoding="utf-8")
    result = timesaved.estimate(timesaved.Inventory.load(spec), draws=2_000)
    plain, told = page(result, "en"), page(result, "fr")
    for word in ("tag", "desk", "head"):
        assert re.search(rf"\b{word}\b", plain)
        assert not re.search(rf"\b{word}\b", told)
        assert FRENCH[word] in told
    (found,) = result.evidence()
    assert found.id == "kit/pm/tag"
    assert found.population.spoken("fr") == "chef de produit"
    assert found.owner.spoken("fr") == "direction"
    assert "étiqueter" not in str(result.record()["savings"])
