"""The canvas: rounds, medians, movement of the same assessors, what is refused, what is never told."""

import csv
import datetime
import json
import os
import random
import runpy
import statistics
import time
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import ROOT
from opslab.errors import DataError, InputError, SpecError
from opslab.operations import PracticeReview, review_practices
from opslab.operations.practices.canvas import ROUND, median
from opslab.operations.practices.spec import LEVELS

SAMPLE = ROOT / "data" / "sample"
DAY = datetime.date(2026, 10, 5)
APRIL, SEPTEMBER = datetime.date(2026, 4, 13), datetime.date(2026, 9, 14)
HEAD = "capability,team,assessor,date,level,target,evidence,next_action,action_owner,action_due"


def row(level, who="a", day=SEPTEMBER, **more):
    return {
        "capability": "Launches",
        "team": "Shop",
        "assessor": who,
        "date": day,
        "level": level,
    } | more


def reviewed(*rows, day=DAY, **fields):
    return review_practices(PracticeReview(practices="x", canvas=rows, **fields), day)


def told(result, kind):
    """Return what the checks name of a kind."""
    (names,) = (check.detail.values[kind] for check in result.checks if kind in check.detail.values)
    return names


def only(*rows, **fields):
    (known,) = reviewed(*rows, **fields).capabilities
    return known


def sheet(folder, *lines, head=HEAD):
    path = folder / "canvas.csv"
    path.write_text("\n".join([head, *lines]) + "\n", "utf-8")
    return PracticeReview.load(path)


def shared(name):
    root = os.environ.get("OPSLAB_REAL_DATA") or ROOT.parent / "shared" / "data"
    path = Path(root) / "ops" / "formats" / name
    if not path.exists():
        pytest.skip(f"{name} is not at hand; name its folder in OPSLAB_REAL_DATA")
    return path


# --- medians and rounds


@given(st.lists(st.sampled_from(LEVELS), min_size=1, max_size=12))
def test_medians_are_the_low_and_the_high_one_of_the_standard_library(levels):
    places = [LEVELS.index(level) for level in levels]
    ends = {statistics.median_low(places), statistics.median_high(places)}
    assert median(levels) == tuple(LEVELS[place] for place in sorted(ends))


def test_one_row_is_a_capability_without_movement():
    known = only(row("good", target="best"))
    assert (known.median, known.low, known.high, known.assessors) == (("good",), "good", "good", 1)
    assert (known.at_target, known.missing, known.before, known.before_date) == (0, 0, (), None)
    assert known.moved is None
    assert known.reached is False
    result = reviewed(row("good"))
    assert result.agreement_of is None
    assert result.movement == {}
    assert told(result, "alone") == ["Launches (Shop)"]
    assert told(result, "anchors") == ["Launches"]
    assert result.check("levels").status == "warn"


def test_a_round_takes_31_days_and_the_last_word_of_each():
    within = [row("good", "a"), row("better", "b", SEPTEMBER - ROUND)]
    assert only(*within).assessors == 2
    before = [row("good", "a"), row("better", "b", SEPTEMBER - ROUND - datetime.timedelta(1))]
    known = only(*before)
    assert (known.assessors, known.missing, known.median) == (1, 1, ("good",))
    changed = [row("below", "a", SEPTEMBER - datetime.timedelta(3)), row("best", "a")]
    known = only(*changed)
    assert (known.median, known.assessors, known.before) == (("best",), 1, ())


def test_movement_is_of_the_same_assessors_alone():
    rows = [row("below", "a", APRIL), row("good", "b", APRIL), row("best", "c", APRIL)]
    rows += [row("good", "a"), row("good", "b"), row("below", "d")]
    result = reviewed(*rows)
    (known,) = result.capabilities
    assert (known.up, known.same, known.down) == (1, 1, 0)
    assert known.before == ("below", "good")
    assert known.before_date == APRIL
    assert known.missing == 1
    assert result.movement == {("below", "good"): 1, ("good", "good"): 1}


def test_stragglers_hide_no_movement():
    """In July somebody assessed alone: what moved is told since April all the same."""
    rows = [row("below", "a", APRIL), row("good", "z", datetime.date(2026, 7, 6)), row("good", "a")]
    known = only(*rows)
    assert (known.before, known.up, known.missing) == (("below",), 1, 1)


def test_who_is_missing_is_counted_from_what_was_declared():
    known = only(row("good"), assessors={"shop": 4})
    assert known.missing == 3
    result = reviewed(row("good"), assessors={"Shop": 4})
    assert result.broken
    assert not result.evidence()
    accepted = reviewed(row("good"), assessors={"Shop": 4}, accept={"missing": "first round"})
    assert not accepted.broken
    assert accepted.check("missing").accepted == "first round"
    assert only(row("good"), row("good", "b"), assessors={"Shop": 1}).missing == 0
    with pytest.raises(SpecError, match="no Shopp here; did you mean Shop"):
        reviewed(row("good"), assessors={"Shopp": 4})
    with pytest.raises(SpecError, match="did you mean missing"):
        reviewed(row("good"), accept={"mising": "no"})


def test_the_day_of_the_review_is_the_end():
    rows = [row("good", day=APRIL), row("best")]
    early = reviewed(*rows, day=datetime.date(2026, 5, 1))
    assert early.capabilities[0].median == ("good",)
    assert early.check("rows").status == "warn"
    assert told(early, "future") == ["2"]
    with pytest.raises(DataError, match="later than the day"):
        reviewed(*rows, day=datetime.date(2026, 1, 1))


def test_the_highest_target_of_a_round_counts_and_that_there_are_several_is_told():
    rows = row("good", "a", target="good"), row("good", "b", target="best")
    for each in (rows, rows[::-1]):
        known = only(*each)
        assert (known.target, known.at_target, known.reached) == ("best", 0, False)
        assert told(reviewed(*each), "targets")
    assert only(row("good", "a", APRIL, target="best"), row("good", target="good")).reached
    assert told(reviewed(row("good")), "targets")  # none is no target


def test_between_two_levels_a_target_is_not_reached():
    known = only(row("good", "a", target="better"), row("better", "b", target="better"))
    assert known.median == ("good", "better")
    assert (known.reached, known.at_target) == (False, 1)


def test_what_rose_without_anything_observed_is_told():
    rise = [row("below", "a", APRIL), row("good", "a")]
    assert told(reviewed(*rise), "evidence")
    assert told(reviewed(rise[0], row("good", "a", evidence="n/a")), "evidence")
    seen = reviewed(rise[0], row("good", "a", evidence="last ten launches"))
    assert not told(seen, "evidence")
    assert not told(reviewed(row("good", "a", APRIL), row("below", "a")), "evidence")


def test_old_or_skipped_assessments_are_told():
    assert told(reviewed(row("good", day=datetime.date(2026, 1, 5))), "old")
    skipped = reviewed(row("good", day=APRIL), row("good", capability="Roadmap"))
    assert told(skipped, "old") == ["Launches (Shop)"]
    assert not told(reviewed(row("good")), "old")


def test_names_are_one_however_they_are_written():
    known = only(row("good"), row("best", "B ", team="SHOP", capability="launches"))
    assert (known.assessors, known.team.casefold(), known.capability.casefold()) == (
        2,
        "shop",
        "launches",
    )
    others = (
        row("good", team="data", capability="LAUNCHES"),
        row("good", team="Data", capability="B"),
    )
    both = reviewed(row("good"), *others)
    assert len({known.capability for known in both.capabilities}) == 2
    assert len({known.team for known in both.capabilities}) == 2


@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_is_nothing(generator):
    rows = [
        row(LEVELS[(n * 7 + m) % 4], f"p{n}", day + datetime.timedelta(n), target=LEVELS[n % 4])
        | {"capability": f"C{m}", "next_action": "do it", "action_due": DAY}
        for day in (APRIL, SEPTEMBER)
        for n in range(3)
        for m in range(3)
    ]
    shuffled = random.Random(generator.random()).sample(rows, len(rows))
    first, second = (reviewed(*each) for each in (rows, shuffled))
    assert first.capabilities == second.capabilities
    assert first.actions_due == second.actions_due
    assert first.agreement_of == second.agreement_of


# --- what is refused


def test_two_levels_of_one_assessor_are_refused_with_both_rows(tmp_path):
    lines = ["Launches,Shop,mx42,2026-09-14,good"] * 2 + ["launches,shop,MX42,2026-09-14,best"]
    with pytest.raises(DataError) as caught:
        review_practices(sheet(tmp_path, *lines, head=HEAD[:36]), DAY)
    (problem,) = caught.value.problems
    assert (problem.row, problem.values["first"], problem.file) == (4, 2, "canvas.csv")
    for language in ("en", "fr"):
        assert "mx42" not in problem.text(language).casefold()


def test_rows_alike_count_once(tmp_path):
    line = "Launches,Shop,a,2026-09-14,good,,,,,"
    result = review_practices(sheet(tmp_path, line, line, line.replace(",a,", ",b,")), DAY)
    assert result.capabilities[0].assessors == 2


@pytest.mark.parametrize("level", ["3", "2", "Great", "", "good/better"])
def test_a_number_or_another_word_is_no_level(level, tmp_path):
    with pytest.raises(InputError) as caught:
        review_practices(sheet(tmp_path, f"Launches,Shop,a,2026-09-14,{level},,,,,"), DAY)
    told = str(caught.value)
    assert "canvas.csv" in told
    assert "row 2" in told
    assert "better" in told or not level


@pytest.mark.parametrize(
    "words",
    [
        "Below,Good,Better,Best",
        "à construire,bon,meilleur,excellence",
        "EN DESSOUS,Bien,mieux,Best",
    ],
)
def test_levels_in_both_languages(words, tmp_path):
    lines = [f"C{n},Shop,a,2026-09-14,{word},,,,," for n, word in enumerate(words.split(","))]
    result = review_practices(sheet(tmp_path, *lines), DAY)
    assert [known.low for known in result.capabilities] == [*LEVELS]


# --- hostile, large


CELLS = ["=1+1", "<script>alert(1)</script>", "@SUM(A1)", '"quoted"', "é\u202e", "'; DROP TABLE x"]


def test_formulas_and_scripts_stay_text(tmp_path):
    path = tmp_path / "canvas.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEAD.split(","))
        for cell in CELLS:
            writer.writerow([cell, cell, "a", "2026-09-14", "good", "best", cell, cell, cell, ""])
    result = review_practices(PracticeReview.load(path), DAY)
    assert {known.capability for known in result.capabilities} == {*CELLS}
    assert {action.owner for action in result.actions_due} >= {"<script>alert(1)</script>"}
    for line in result.to_csv(tmp_path / "out.csv").read_text("utf-8-sig").splitlines()[1:]:
        assert not any(cell.startswith(("=", "@")) for cell in next(csv.reader([line])))
    result.to_excel(tmp_path / "out.xlsx")
    with zipfile.ZipFile(tmp_path / "out.xlsx") as packed:
        for name in packed.namelist():
            assert b"<f>" not in packed.read(name)


def test_five_thousand_rows_take_seconds(tmp_path):
    lines = [
        f"C{n % 25},T{n // 25 % 20},a{n // 500 % 5},{day},{LEVELS[(n * n // 7) % 4]},best,,,,"
        for day in ("2026-04-13", "2026-09-14")
        for n in range(2_500)
    ]
    start = time.process_time()
    result = review_practices(sheet(tmp_path, *lines), DAY)
    assert time.process_time() - start < 20
    assert len(result.capabilities) == 500
    assert sum(result.movement.values()) == 2_500
    assert result.agreement_of.units == 500


def test_five_thousand_capabilities_take_seconds(tmp_path):
    lines = [f"C{n * 7919 % 5000:x} {n % 83},T,a,2026-09-14,good,best,,,," for n in range(5_000)]
    start = time.process_time()
    result = review_practices(sheet(tmp_path, *lines), DAY)
    assert len(result.rows(full=True)) == 5_000
    assert time.process_time() - start < 30


# --- nobody who assessed is named


def test_a_marked_assessor_stands_in_no_output(tmp_path):
    mark = "Zyxwvut Marked"
    spec = (SAMPLE / "product_practices.yaml").read_text("utf-8")
    for name in ("canvas", "processes", "uses"):
        text = (SAMPLE / f"product_practices_{name}.csv").read_text("utf-8")
        text = text.replace(",s1,", f",{mark},") if name == "canvas" else text
        (tmp_path / f"product_practices_{name}.csv").write_text(text, "utf-8")
    (tmp_path / "spec.yaml").write_text(spec.replace("runs/", f"{SAMPLE}/runs/"), "utf-8")
    result = review_practices(PracticeReview.load(tmp_path / "spec.yaml"))
    assert mark in (tmp_path / "product_practices_canvas.csv").read_text("utf-8")
    outputs = [json.dumps(result.record(), default=str), result.frame(full=True).to_csv()]
    outputs += [str(check) for check in result.checks]
    result.to_excel(tmp_path / "out.xlsx")
    with zipfile.ZipFile(tmp_path / "out.xlsx") as packed:
        outputs += [packed.read(name).decode("utf-8", "replace") for name in packed.namelist()]
    assert not [text for text in outputs if "zyxwvut" in text.casefold()]
    assert any("Ines" in text for text in outputs)  # owners of actions are shown


def test_a_marked_assessor_stands_in_no_refusal(tmp_path):
    lines = [
        "Launches,Shop,Zyxwvut,2026-09-14,nice,,,,,",
        "Launches,Shop,Zyxwvut,14 of September,good,,,,,",
        ",Shop,Zyxwvut,2026-09-14,good,,,,,",
        "Launches,Shop,,2026-09-14,good,,,,,",
    ]
    with pytest.raises(InputError) as caught:
        review_practices(sheet(tmp_path, *lines), DAY)
    assert len(caught.value.problems) >= 3
    assert "zyxwvut" not in str(caught.value).casefold()


def test_a_wrong_cell_of_a_canvas_within_the_spec_names_nobody(tmp_path):
    """What is wrong is the cell, not the list that it stands in, whose text is not shown."""
    (tmp_path / "spec.yaml").write_text(
        "practices: x\ncanvas:\n  - {capability: C, team: T, assessor: Zyxwvut, date: 2026-09-14, "
        "level: nice}\nassessors: {T: 0}\n",
        "utf-8",
    )
    with pytest.raises(SpecError) as caught:
        PracticeReview.load(tmp_path / "spec.yaml")
    assert [problem.field for problem in caught.value.problems] == [
        "canvas[1].level",
        "assessors.T",
    ]
    assert "zyxwvut" not in str(caught.value).casefold()


# --- files


def test_the_sample_tells_its_truth():
    truth = json.loads((SAMPLE / "product_practices_truth.json").read_text("utf-8"))
    result = review_practices(PracticeReview.load(SAMPLE / "product_practices.yaml"))
    assert str(result.as_of) == truth["as_of"]
    standing = {(known.capability, known.team): known for known in result.capabilities}
    assert len(standing) == 21
    for (capability, team), known in standing.items():
        _, now = truth["levels"][capability][team]
        if f"{capability}/{team}" not in truth["missing"]:
            assert known.median == (now,), (capability, team)
        assert known.target == truth["targets"][capability]
    missing = sorted("/".join(key) for key, known in standing.items() if known.missing)
    assert missing == truth["missing"]
    unseen = told(result, "evidence")
    assert [name.replace(" (", "/")[:-1] for name in unseen] == truth["unseen"]
    assert len(result.actions_due) == truth["actions"]
    assert {card.process: card.verdict for card in result.cards} == truth["verdicts"]
    assert {*truth["verdicts"].values()} == {"keep", "simplify", "extend", "kill", "open"}
    (share, *hours) = result.evidence()
    reached = sum(bool(known.reached) for known in result.capabilities)
    assert share.quantity.value == pytest.approx(reached / 21)
    assert {each.grade for each in (share, *hours)} == {"E"}
    assert len(hours) == len(result.cards)


def test_making_the_sample_again_gives_the_same(tmp_path):
    names = [
        f"product_practices_{name}"
        for name in ("canvas.csv", "processes.csv", "uses.csv", "truth.json")
    ]
    (tmp_path / "sample").mkdir()
    script = tmp_path / "make_practices.py"
    script.write_text((ROOT / "data" / "make_practices.py").read_text("utf-8"), "utf-8")
    runpy.run_path(str(script), run_name="__main__")
    for name in names:
        assert (tmp_path / "sample" / name).read_bytes() == (SAMPLE / name).read_bytes(), name


def test_a_sheet_as_teams_keep_it():
    """Two assessors; in June B did not assess Feedback; no column of evidence."""
    result = review_practices(PracticeReview.load(shared("capability_canvas.csv")), DAY)
    standing = {known.capability: known for known in result.capabilities}
    assert {known.team for known in standing.values()} == {"Core", "Growth"}
    assert standing["Experimentation"].median == ("better",)
    assert standing["Experimentation"].before == ("good", "better")
    assert (standing["Experimentation"].up, standing["Experimentation"].same) == (1, 1)
    feedback = standing["Feedback"]
    assert (feedback.assessors, feedback.missing, feedback.before) == (1, 1, ("below",))
    assert feedback.median == ("good",)
    assert standing["Launch"].assessors == 1
    assert result.check("missing").detail.values["names"] == ["Feedback (Core)"]
    assert Counter(action.state for action in result.actions_due) == {"late": 3}
    assert sum(result.movement.values()) == 4
    assert told(result, "old")


def test_a_canvas_without_any_target_is_no_reason_to_keep_on():
    """One assessor, one row: every check may pass, and yet nothing says that it is enough."""
    row = {"capability": "E", "team": "Shop", "assessor": "a", "date": "2026-06-01"}
    review = PracticeReview(practices="thin", canvas=[row | {"level": "good"}])
    result = review_practices(review, datetime.date(2026, 6, 30), draws=1_000)
    assert result.action == "aim"
    assert result.first_screen("en").tone == "open"
