"""A case that cites a contribution: its evidence counts as that of its runs, and never twice."""

import datetime
import html

import pytest
import yaml
from cases import KPI, file_run, finding, hours_case

from conftest import page_of
from opslab.businesscase import Case, build
from opslab.errors import InputError
from opslab.messages import text
from opslab.operations import Contribution, review_contribution

RUN = "time_saved/desk/2026-10-01-0123abcd"
PAGE = "contribution/team/2026-10-02-0123abcd"


@pytest.fixture
def reports(tmp_path, monkeypatch):
    """A run of hours saved, and a contribution that passes it on."""
    (tmp_path / "opslab.toml").touch()
    monkeypatch.setenv("OPSLAB_WORKSPACE", str(tmp_path))
    monkeypatch.delenv("OPSLAB_REPORTS", raising=False)
    reports = tmp_path / "reports"
    file_run(reports, RUN, [finding()])
    gains = [{"gain": "time", "name": "Desk", "run": "time_saved/desk"}]
    page = Contribution(contribution="team", gains=gains)
    record = review_contribution(page, datetime.date(2026, 10, 2)).record()
    file_run(reports, PAGE, record.pop("evidence"), **record)
    return reports


def built(reports, declared):
    path = reports.parent / "case.yaml"
    path.write_text(yaml.safe_dump(declared, sort_keys=False))
    return build(Case.load(path, "case.yaml"), draws=2_000)


def with_both(*lines):
    """Return a case that cites the run and the page, each line by the evidence that it takes."""
    declared = hours_case()
    declared["evidence"].append({"id": "page", "run": "contribution/team"})
    [first] = declared["benefits"]
    declared["benefits"] = [
        first | {"name": f"hours {number}", "evidence": list(taken)}
        for number, taken in enumerate(lines)
    ]
    names = [line["name"] for line in declared["benefits"]]
    for option in declared["options"]:
        if "benefits" in option:
            option["benefits"] = names
    return declared


def test_a_case_on_the_page_comes_to_what_a_case_on_its_run_does(reports):
    """With the same id, and so the same draws."""
    by_run, by_page = (
        built(reports, hours_case(run=run)) for run in ("time_saved/desk", "contribution/team")
    )
    assert by_page.recommended.npv == by_run.recommended.npv
    assert by_page.entry("e").grade == by_run.entry("e").grade
    assert by_page.cites == (PAGE,)


@pytest.mark.parametrize("lines", [(["e"], ["page"]), (["e", "page"],)])
def test_a_case_that_cites_both_is_refused(reports, lines):
    with pytest.raises(InputError) as caught:
        built(reports, with_both(*lines))
    assert {problem.key for problem in caught.value.problems} == {"businesscase.claimed_twice"}


def test_a_case_may_cite_both_where_one_line_takes_one(reports):
    assert built(reports, with_both(["page"])).recommended.hours.mean > 0


def test_hours_in_use_are_not_to_be_adopted_first(reports):
    """A process saves them as it is used today; what a change would free is not there yet."""
    declared = hours_case(run="practice_review/ops")
    del declared["benefits"][0]["adoption"]
    used = ("practices.evidence_process", {"process": "brief"})
    for statement, keys in ((used, set()), (finding().statement, {"businesscase.no_adoption"})):
        known = finding("ops/brief", claim="hours:/brief", statement=statement, grade="E")
        file_run(reports, "practice_review/ops/2026-10-01-0123abcd", [known])
        problems = ()
        try:
            built(reports, declared)
        except InputError as error:
            problems = error.problems
        assert {problem.key for problem in problems} == keys


USED = ("practices.evidence_process", {"process": "brief"})


def keys_of(reports, declared):
    """Return the keys of what a case is refused for."""
    try:
        built(reports, declared)
    except InputError as error:
        return [problem.key.partition(".")[2] for problem in error.problems]
    return []


@pytest.mark.parametrize("taken", [["e", "page"], ["page", "e"]])
@pytest.mark.parametrize("adopted", [True, False])
def test_hours_in_use_and_hours_at_full_use_are_two_lines(reports, taken, adopted):
    """Whichever comes first: with adoption those in use are cut twice, without it none are."""
    used = finding("ops/brief", claim="hours:/brief", statement=USED, grade="E")
    file_run(reports, "practice_review/ops/2026-10-01-0123abcd", [used])
    declared = with_both(taken)
    declared["evidence"][1]["run"] = "practice_review/ops"
    if not adopted:
        del declared["benefits"][0]["adoption"]
    assert keys_of(reports, declared) == ["mixed_use"]


LOGGED = ("change.evidence_hours", {"change": "Desk", "measure": "hours", "teams": ["A"]})


@pytest.mark.parametrize("statement", [USED, LOGGED], ids=["process", "change"])
def test_hours_in_use_are_not_adopted_again(reports, statement):
    """A change is measured over all in its teams, users or not."""
    declared = hours_case(run="practice_review/ops")
    used = finding("ops/brief", claim="hours:/brief", statement=statement, grade="E")
    file_run(reports, "practice_review/ops/2026-10-01-0123abcd", [used])
    [line] = declared["benefits"]
    assert keys_of(reports, declared) == ["adopted_already"]
    line["schedule"] = [line.pop("adoption")]
    assert keys_of(reports, declared) == ["adopted_already"]
    del line["schedule"]
    assert keys_of(reports, declared) == []


@pytest.mark.parametrize("claim", ["hours:/tag", "hours:/Tags"])
def test_a_process_and_a_task_of_one_name_are_not_both_counted(reports, claim):
    """Of a process nobody says whose hours they are: it may be the task of any role."""
    file_run(reports, RUN, [finding(claim="hours:pm/tag")])
    process = finding("ops/tag", claim=claim, grade="E")
    file_run(reports, "practice_review/ops/2026-10-01-0123abcd", [process])
    declared = with_both(["e"], ["page"])
    declared["evidence"][1]["run"] = "practice_review/ops"
    with pytest.raises(InputError) as caught:
        built(reports, declared)
    assert {problem.key for problem in caught.value.problems} == {
        "businesscase.claimed_inventories"
    }


def test_a_gain_that_is_measured_as_a_target_is_not_called_unmeasured(reports):
    declared = hours_case(kpis=[KPI | {"gain": "alignment"}])
    for language, target in (("en", "measured against a target"), ("fr", "suivi par un objectif")):
        words = html.unescape(page_of(built(reports, declared), language))
        assert target in words
        assert words.count(text("businesscase.no_gain", language)) == 1  # of decisions alone
