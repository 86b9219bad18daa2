"""The page: both languages whole in every situation, findings as titles, alt texts with numbers."""

import importlib.util
import re
import sys

import pytest
from test_readiness import DAY, DONE, NA, RED, SPARE, TOLD, judged

from conftest import ROOT
from opslab.operations.launch_readiness.gate import readiness
from opslab.operations.launch_readiness.spec import Launch

ASKED = TOLD | {"briefed": 1, "open_questions": "Qui paie ?", "audience": "agents"}
SITUATIONS = {
    "go": ([DONE], {}),
    "conditions": ([DONE, SPARE | RED], {"briefing": (ASKED,)}),
    "waived": ([DONE | NA, SPARE | {"blocking": True}], {}),
    "no-go": ([DONE | RED | {"due": "2026-10-01"}, SPARE | {"evidence": None}], {}),
    "everything is missing": ([SPARE | {"status": "na", "owner": None, "function": None}], {"briefing": (), "launch_date": None}),
    "no status": ([DONE | {"status": None, "due": None}], {}),
    "too late": ([DONE | {"status": "amber", "due": "2026-11-01"}], {"launch_date": "2026-10-01"}),
    "accepted": ([DONE], {"briefing": (), "accept": {"briefing": "outil interne"}}),
}  # fmt: skip


def french():
    """Load the check for English words that the experiments' readout has."""
    if "test_french" not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            "test_french", ROOT / "tests" / "runs" / "test_french.py"
        )
        sys.modules["test_french"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["test_french"])
    return sys.modules["test_french"]


def page(result, language):
    blocks = [result.first_screen(language)]
    for part in result.PARTS:
        blocks += getattr(result, part).blocks(language)
    return " ".join(block._repr_html_() for block in blocks if hasattr(block, "_repr_html_"))


@pytest.fixture(params=[*SITUATIONS.values(), "sample"], ids=[*SITUATIONS, "sample"])
def result(request):
    if request.param == "sample":
        return readiness(Launch.load(ROOT / "data/sample/launch.yaml"))
    items, more = request.param
    return judged(*items, **more)


def test_both_languages_are_whole_in_every_situation(result):
    check = french()
    sample = {
        "returns-launch",
        "partner-desk",
        "desk",
        "partner",
        "launch",
        "csv",
        "returns",
        "checklist",
        "briefing",
        "due",
    }
    own = {"rollback", "price", "list", "support", "it", "returns", "agents"} | sample
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


def test_a_no_go_is_a_sound_readout_and_a_list_without_statuses_none():
    assert judged(DONE | RED).status == "complete"
    broken = judged(DONE | {"status": None})
    assert (broken.status, broken.evidence()) == ("check_failed", [])
    (told,) = judged(DONE | RED).evidence()
    assert (told.quantity.value, told.grade, told.unit) == (0, "E", "share")


def test_the_first_screen_says_what_and_why():
    screen = judged(DONE | RED | {"due": "2026-10-01"}).first_screen("en")
    assert screen.action == "No-go: 1 blocking item open"
    assert screen.headline.startswith("14 days before the launch: 1 of 1 blocking item")
    assert screen.reasons == [
        "Go is possible on 20 October 2026 once 1 blocking item is proven.",
        "rollback (it · hugo · 1 October 2026): past its date",
    ]
    assert judged(DONE).first_screen("fr").action == "Feu vert"


def test_the_brief_starts_a_page_and_says_it_once_for_all():
    result = judged(DONE, message="Say this.", briefing=(TOLD, TOLD | {"message": "Say that."}))
    heading = result.brief.blocks("en")[0]
    assert heading.new_page
    shown = " ".join(block._repr_html_() for block in result.brief.blocks("en"))
    assert shown.count("Say this.") == 1
    assert shown.count("Say that.") == 1


def test_the_tables_are_rows_in_the_readers_language():
    result = judged(DONE, SPARE | RED)
    frame = result.frame()
    assert 8 < len(frame.columns) < 20
    assert frame.ready.tolist() == [1, 0]
    assert frame.days_left.tolist() == [4, 4]
    assert result.frame(full=True).shape[1] > frame.shape[1]
    contrast = result.compare(judged(DONE, SPARE)).frame()
    assert contrast.set_index(["item", "figure"]).change[("price list", "ready")] == 1
    for word in ("ready", "no_owner", "blocking"):
        assert repr(result.explain(word))


def test_the_record_has_the_shape_that_the_report_reads():
    record = judged(DONE | RED, SPARE | RED, day=DAY).record()
    assert {"launch", "launch_date", "decision", "readiness", "threshold", "blockers"} < set(record)
    assert record["schema"] == "opslab.launch_readiness/1"
    for known in (*record["blockers"], *record["conditions"]):
        assert {"item", "function", "owner", "due", "why"} < set(known)
    assert record["blockers"][0]["due"] == "2026-10-10"
    assert record["slips"]["mean_days"] is None
