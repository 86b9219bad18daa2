"""The page: both languages whole in every situation, alt texts with numbers, text from outside as text."""

import importlib.util
import re
import sys

import pytest

from conftest import ROOT
from opslab import operations
from opslab.operations.prioritisation.spec import RatedSheet

RANGED = "item,reach_low,reach_high,impact,effort_low,effort_high\n"
PLAIN = "item,reach,impact,confidence,effort\n"
OWN = {"backlog", "csv", "confidence", "effort", "impact", "reach", "item", "be"}
"""Headings of the sheets, which the import report names."""
SITUATIONS = {
    "ranges": [RANGED + "xa,10,40,1,1,4\nxb,20,30,2,1,2\nxc,5,60,1,1,3\nxd,1,2,1,1,2"],
    "confidence": [PLAIN + "xa,10,1,80%,1\nxb,20,2,50%,2"],
    "off the scale": [PLAIN + "xa,10,1,90%,1\nxb,20,7,50%,2\nxb,20,7,50%,2\nXB,20,7,50%,2"],
    "one item": [RANGED + "xa,10,40,1,1,4"],
    "raters agree": [PLAIN + "xa,10,1,80%,1\nxb,20,2,50%,2"] * 2,
    "raters disagree": [
        PLAIN + "xa,10,1,80%,1\nxb,90,2,50%,2\nxc,30,1,80%,1",
        PLAIN + "xa,90,1,80%,1\nxb,10,2,50%,2\nxd,30,1,80%,1",
    ],
    "counted": [
        "item,reach,impact,confidence,effort,reach_evidence,weeks,cost_of_delay\n\
xa,10,1,80%,1,https://x.example,2,5\nxb,20,2,50%,2,https://x.example,4,9"
    ],
}


def french():
    """Load the check for English words that the experiments' readout has."""
    if "test_french" not in sys.modules:
        path = ROOT / "tests" / "runs" / "test_french.py"
        spec = importlib.util.spec_from_file_location("test_french", path)
        sys.modules["test_french"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["test_french"])
    return sys.modules["test_french"]


def prioritised(folder, sheets, **given):
    files = []
    for number, text in enumerate(sheets):
        (folder / f"xs{number}.csv").write_text(text + "\n", encoding="utf-8")
        path = str(folder / f"xs{number}.csv")
        files.append(RatedSheet(path=path, rater=f"x{number}", decimal="point"))
    given = {"reach": {"en": "orders a week", "fr": "commandes par semaine"}} | given
    spec = operations.Backlog(prioritisation="xlist", date="2026-10-12", data=files, **given)
    return operations.prioritise(spec, draws=1_000)


@pytest.fixture(scope="module", params=SITUATIONS.values(), ids=list(SITUATIONS))
def result(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sheets")
    (folder / "before.csv").write_text(PLAIN + "xa,10,1,80%,1\nxz,20,2,50%,2\nxb,3,1,80%,1\n")
    previous = RatedSheet(path=str(folder / "before.csv"), decimal="point")
    return prioritised(folder, request.param, top=2, previous=previous)


def page(result, language):
    blocks = [result.first_screen(language)]
    for part in result.PARTS:
        blocks += getattr(result, part).blocks(language)
    return " ".join(block._repr_html_() for block in blocks if hasattr(block, "_repr_html_"))


def test_both_languages_are_whole_in_every_situation(result):
    check = french()
    shown = page(result, "fr")
    assert not check.english_in(shown) - OWN
    for figure in result.figures("fr").values():
        drawn = " ".join(
            one.get_text() for one in figure.drawing.findobj(lambda one: hasattr(one, "get_text"))
        )
        assert not check.words(f"{drawn} {figure.alt} {figure.caption}") & check.ENGLISH
        assert re.search(r"\d", figure.alt)
    english = page(result, "en")
    assert len(check.english_in(english)) > 5
    assert not re.search(r"\{\w|nan\b|None", english + shown)


@pytest.mark.parametrize("hostile", ["=1+1", "<script>alert(1)</script>", "{first}", "@SUM(A1)"])
def test_text_from_outside_is_shown_as_text(tmp_path, hostile):
    result = prioritised(tmp_path, [PLAIN + f'"{hostile}",10,1,80%,1\nxb,20,2,50%,2'])
    shown = page(result, "en")
    assert "<script" not in shown
    assert hostile in {place.item for place in result.standings}
    written = result.to_csv(tmp_path / "table.csv").read_text(encoding="utf-8")
    assert not re.search(r"(?m)^\"?[=@]", written)


def test_the_record_is_the_same_in_both_languages(result):
    from dataclasses import replace

    assert replace(result, language="fr").record() == result.record()
    assert result.evidence() == []


def test_the_page_shows_the_top_and_says_what_it_leaves_out(tmp_path):
    rows = "\n".join(f"xi {at},{100 + at},{300 + at},1,1,2" for at in range(60))
    for top, shown in ((2, 12), (20, 25), (40, 30)):
        result = prioritised(tmp_path, [RANGED + rows], top=top)
        table = next(block for block in result.order.blocks("en") if hasattr(block, "rows"))
        assert len(table.rows) == shown
        assert f"The workbook holds {60 - shown} more items." in repr(result.order)
        assert len(result.sheets()["ratings"]) == len(result.frame()) == 60


def test_what_nobody_can_say_is_left_out(tmp_path):
    flat = prioritised(tmp_path, [PLAIN + "xa,10,1,80%,1\nxb,20,2,50%,2"], top=1)
    assert "Chance of" not in repr(flat.order)
    assert "Worth of knowing" not in repr(flat.changes)
    assert "out if" in repr(flat.changes).lower()
    assert not dict(flat.figures("en"))
    assert "CD3" not in repr(flat.order)
    names = {check.name for check in flat.checks}
    assert not names & {"line", "raters", "partly"}
