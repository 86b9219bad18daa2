"""Which runs a digest speaks of: edges of the days, the last of each, copies, what is not to be told."""

import datetime
import json
import shutil

import pytest
from digest_runs import FIELDS, digest, experiment, figure, file_run, found, lines, reports

from opslab.errors import SpecError
from opslab.operations import Digest, DigestParameters, write_digest

assert reports  # a fixture


def fail_run(reports, run):
    """Leave what a run leaves that failed."""
    folder = reports / f"{run}.failed"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text("{}")
    return folder


def ids(result):
    return [pair.run.id for pair in result.window.pairs]


@pytest.mark.parametrize(
    ("day", "told"),
    [("2026-08-31", False), ("2026-09-01", True), ("2026-09-30", True), ("2026-10-01", False)],
)
def test_both_days_are_part_of_it_and_no_other(reports, day, told):
    run = f"experiment_readout/shop/{day}-0123abcd"
    file_run(reports, run, experiment())
    result = digest()
    assert ids(result) == [run] * told
    assert bool(result.of("decided")) == told


def test_of_several_runs_the_last_of_the_days_is_told_and_measured_from_the_last_before(reports):
    for day, location in (("08-01", 90), ("08-20", 30), ("09-05", 60), ("09-20", 20)):
        run = f"flow_review/desk/2026-{day}-0123abcd"
        file_run(reports, run, found(figure(location=location, data=day), data=day))
    result = digest()
    [item] = result.of("changed")
    assert (item.now.value, item.then.value) == (20, 30)
    assert item.before == "flow_review/desk/2026-08-20-0123abcd"


def test_without_an_earlier_one_it_is_measured_from_the_first_of_the_days(reports):
    for day, location in (("09-05", 60), ("09-10", 40), ("09-20", 20)):
        run = f"flow_review/desk/2026-{day}-0123abcd"
        file_run(reports, run, found(figure(location=location, data=day), data=day))
    [item] = digest().of("changed")
    assert (item.now.value, item.then.value) == (20, 60)
    assert item.before.split("/")[2].startswith("2026-09-05")


def test_copies_in_two_languages_are_one_and_the_link_leads_to_the_readers(reports):
    for at, (language, mark) in enumerate((("en", "aaaa1111"), ("fr", "bbbb2222"))):
        run = f"experiment_readout/shop/2026-09-10-{mark}"
        file_run(reports, run, experiment(), language=language, filed=at)
    for language, mark in (("en", "aaaa1111"), ("fr", "bbbb2222")):
        [item] = digest(language).of("decided")
        assert item.run.endswith(mark)


def test_of_a_day_the_one_filed_last_is_told(reports):
    for mark, action, filed in (("bbbb2222", "ship", 1), ("aaaa1111", "do_not_ship", 2)):
        run = f"experiment_readout/shop/2026-09-10-{mark}"
        file_run(reports, run, experiment(action=action), filed=filed)
    result = digest()
    assert lines(result, "decided") == ["Do not ship, by the experiment's own rule"]
    [check] = [check for check in result.checks if check.name == "several"]
    assert check.status == "warn"  # and what is left out is named
    assert "2026-09-10-bbbb2222" in result.first_screen().reasons[0]


def test_it_is_known_by_the_order_in_which_two_runs_of_a_day_were_filed(reports, tmp_path):
    spec = tmp_path / "digest.yaml"
    spec.write_text(json.dumps(FIELDS))
    known = []
    for last in ("aaaa1111", "bbbb2222"):
        for mark, action in (("aaaa1111", "ship"), ("bbbb2222", "extend")):
            run = f"experiment_readout/shop/2026-09-10-{mark}"
            file_run(reports, run, experiment(action=action), filed=mark == last)
        known.append(DigestParameters(spec=str(spec)).stands_on().files)
    assert known[0] != known[1]


def test_altered_failed_stopped_and_unread_ones_are_told_and_not_repeated(reports):
    file_run(reports, "experiment_readout/good/2026-09-02-0123abcd", experiment("good"))
    changed = file_run(
        reports, "experiment_readout/changed/2026-09-02-0123abcd", experiment("changed")
    )
    (changed / "readout.html").write_text("<html>Ship everything!")
    file_run(reports, "flow_review/odd/2026-09-02-0123abcd", {"evidence": [{"id": "x"}]})
    file_run(reports, "experiment_readout/new/2026-09-02-0123abcd", experiment(action="later"))
    file_run(reports, "flow_review/red/2026-09-02-0123abcd", found(figure()), status="check_failed")
    for day in ("2026-09-09", "2026-08-09"):
        fail_run(reports, f"roadmap/plan/{day}-0123abcd")
    result = digest()
    assert {item.run.split("/")[1] for item in result.news} == {"good"}
    assert result.window.altered == ["experiment_readout/changed/2026-09-02-0123abcd"]
    assert [run.split("/")[1] for run in result.unread] == ["new", "odd"]
    assert list(result.stopped) == ["flow_review/red/2026-09-02-0123abcd"]
    assert result.window.failed == 1
    states = {check.name: check.status for check in result.checks}
    assert states == {"runs": "pass", "failed": "warn", "several": "pass"} | dict.fromkeys(
        ("altered", "unread", "stopped"), "fail"
    )
    assert not result.broken
    assert "not complete" in result.headline()
    assert result.first_screen().tone == "open"


def test_a_run_is_told_though_the_one_before_cannot_be_read(reports):
    """An earlier version's: its words were renamed since, and it alone is named as unread."""
    renamed = figure(statement=("flow.evidence_of_old", {}))
    early, late = (f"flow_review/desk/2026-{day}-0123abcd" for day in ("08-10", "09-10"))
    file_run(reports, early, found(renamed))
    file_run(reports, late, found(figure(data="b"), data="b"))
    result = digest()
    assert list(result.unread) == [early]
    assert [item.run for item in result.news] == [late]
    file_run(reports, late, found(renamed, data="b"))
    assert list(digest().unread) == [late]


def test_a_broken_experiment_is_told_as_broken_and_its_effects_are_not(reports):
    run = "experiment_readout/shop/2026-09-10-0123abcd"
    file_run(reports, run, experiment(action="stop_broken"), status="check_failed")
    result = digest()
    assert lines(result, "decided") == ["The experiment is broken: no decision"]
    assert result.of("learned") == []


def test_nothing_changed_is_an_answer(reports):
    file_run(reports, "experiment_readout/shop/2026-08-10-0123abcd", experiment())
    result = digest()
    assert (result.action, result.status) == ("nothing", "complete")
    assert result.headline() == (
        "Nothing changed between 1 September 2026 and 30 September 2026: "
        "no run, no decision, no launch."
    )
    assert b"Nothing changed" in result.takeaway()["digest.md"]
    french = digest("fr")
    assert french.headline().startswith("Rien n'a changé")


def test_no_runs_at_all_and_only_broken_ones_are_no_such_answer(reports):
    assert digest().status == "check_failed"
    shutil.rmtree(reports)
    gone = digest()
    assert (gone.action, gone.status) == ("stop", "check_failed")
    assert "Nothing changed" not in gone.headline()
    file_run(reports, "flow_review/desk/2026-08-10-0123abcd", found(figure()))
    assert digest().status == "complete"
    broken = file_run(reports, "flow_review/desk/2026-09-10-0123abcd", found(figure()))
    (broken / "result.json").write_text("{}")
    assert digest().status == "check_failed"


def test_only_and_leave_out_take_notebooks_and_names(reports):
    for run in ("experiment_readout/shop", "experiment_readout/mail", "flow_review/desk"):
        record = experiment() if run.startswith("exp") else found(figure())
        file_run(reports, f"{run}/2026-09-10-0123abcd", record)
    file_run(reports, "digest/brief/2026-09-10-0123abcd")
    names = lambda result: [run.split("/")[1] for run in ids(result)]  # noqa: E731
    assert names(digest()) == ["mail", "shop", "desk"]
    assert names(digest(only=["experiment_readout"])) == ["mail", "shop"]
    assert names(digest(leave_out=["mail", "flow_review"])) == ["shop"]


def test_exploratory_ones_are_never_told(reports):
    file_run(
        reports, "flow_review/desk/2026-09-10-0123abcd", found(figure()) | {"exploratory": [1]}
    )
    file_run(reports, "flow_review/shop/2026-08-10-0123abcd", found(figure()))
    assert ids(digest()) == []


def test_the_first_day_is_the_one_after_the_last_digest(reports, tmp_path):
    spec = Digest(**{name: FIELDS[name] for name in ("digest", "date")})
    with pytest.raises(SpecError, match="since") as caught:
        write_digest(spec)
    assert caught.value.problems[0].key == "digest.since_needed"
    file_run(reports, "digest/brief/2026-09-09-0123abcd")
    file_run(reports, "experiment_readout/shop/2026-09-09-0123abcd", experiment())
    file_run(reports, "experiment_readout/mail/2026-09-10-0123abcd", experiment())
    result = write_digest(spec)
    assert result.window.since == datetime.date(2026, 9, 10)
    assert [run.split("/")[1] for run in ids(result)] == ["mail"]


def test_what_was_filed_after_the_last_digest_of_its_days_is_told_by_the_next(reports):
    """The readout of a quarter is dated before it is run, and mostly after the week's digest."""
    early, late = (f"experiment_readout/{name}/2026-09-05-0123abcd" for name in ("shop", "mail"))
    file_run(reports, early, experiment("shop"))
    first = digest(date="2026-09-09").record()
    del first["evidence"]
    file_run(reports, "digest/brief/2026-09-09-0123abcd", first)
    file_run(reports, late, experiment("mail"))
    file_run(reports, "experiment_readout/old/2026-08-05-0123abcd", experiment("old"))
    spec = Digest(**{name: FIELDS[name] for name in ("digest", "date")})
    result = write_digest(spec)
    assert (result.window.since, ids(result)) == (datetime.date(2026, 9, 10), [late])
    again = result.record()
    del again["evidence"]
    file_run(reports, "digest/brief/2026-09-30-0123abcd", again)
    assert ids(write_digest(spec, datetime.date(2026, 10, 9))) == []


def test_what_is_filed_several_digests_late_is_told_once(reports):
    """A weekly digest and a quarter's readout; what is older than the first digest is no news."""
    file_run(reports, "flow_review/desk/2026-09-05-0123abcd", found(figure()))

    def week(day):
        spec = Digest(digest="Brief", since="2026-09-01" if day == "2026-09-07" else None)
        result = write_digest(spec, datetime.date.fromisoformat(day))
        record = result.record()
        del record["evidence"]
        file_run(reports, f"digest/brief/{day}-0123abcd", record)
        return result

    assert ids(week("2026-09-07")) == ["flow_review/desk/2026-09-05-0123abcd"]
    assert ids(week("2026-09-14")) == []
    assert ids(week("2026-09-21")) == []
    late = "decision_review/log/2026-09-03-0123abcd"
    row = {"id": "a", "experiment": None, "decision": "a", "ended": "2026-09-02", "late": False}
    row |= {"state": "decided", "reversed": None, "review": None, "raised": "2026-08-02"}
    file_run(reports, late, {"decisions": [row]})
    file_run(reports, "experiment_readout/old/2026-08-05-0123abcd", experiment("old"))
    told = week("2026-09-28")
    assert ids(told) == [late]
    assert lines(told, "decided") == ["“a”, decided on 2 September 2026"]
    assert ids(week("2026-10-05")) == []
    record = week("2026-10-12").record()
    assert record["seen_since"] == "2026-09-01"
    assert {late, "flow_review/desk/2026-09-05-0123abcd"} <= {*record["seen"]}
    week("2028-01-03")
    far = week("2028-01-10").window  # 400 days bound what is kept
    assert (far.first, far.seen) == (datetime.date(2026, 11, 30), [])


def test_a_digest_that_read_nothing_has_held_nothing(reports):
    file_run(reports, "experiment_readout/old/2026-08-05-0123abcd", experiment("old"))
    first = digest(date="2026-09-09", only=["flow_review"]).record()
    assert (first["seen"], first["seen_since"]) == ([], "2026-09-01")
    file_run(reports, "digest/brief/2026-09-09-0123abcd", first | {"status": "complete"})
    run = "experiment_readout/shop/2026-09-05-0123abcd"
    file_run(reports, run, experiment())
    assert ids(write_digest(Digest(digest="Brief", date="2026-09-30"))) == [run]


def test_what_failed_and_then_ran_is_no_failure(reports):
    fail_run(reports, "experiment_readout/shop/2026-09-05-0123abcd")
    assert digest().window.failed == 1
    file_run(reports, "experiment_readout/shop/2026-09-05-ffff0000", experiment())
    assert digest().window.failed == 0
    fail_run(reports, "experiment_readout/shop/2026-09-12-0123abcd")
    assert digest().window.failed == 1


def test_a_first_day_after_the_last_is_refused():
    with pytest.raises(SpecError) as caught:
        Digest(**FIELDS | {"since": "2026-10-01"})
    assert caught.value.problems[0].key == "digest.order"
    with pytest.raises(SpecError):
        write_digest(Digest(digest="x", since="2026-10-01"), datetime.date(2026, 9, 1))


def test_the_run_is_known_by_the_records_of_all_runs_that_are_looked_at(reports, tmp_path):
    for day in ("2026-08-01", "2026-08-20", "2026-09-10", "2026-10-10"):
        file_run(reports, f"flow_review/desk/{day}-0123abcd", found(figure()))
    spec = tmp_path / "digest.yaml"
    spec.write_text(json.dumps(FIELDS))
    files = DigestParameters(spec=str(spec)).stands_on().files
    told = [file.relative_to(reports).as_posix() for file in files[1:]]
    assert told == [
        f"flow_review/desk/{day}-0123abcd/result.json" for day in ("2026-09-10", "2026-08-20")
    ]


def test_it_is_known_by_what_failed_and_by_what_is_altered_too(reports, tmp_path):
    """Otherwise a digest that is there already would hide what its checks would say now."""
    home = file_run(reports, "flow_review/desk/2026-09-10-0123abcd", found(figure()))
    spec = tmp_path / "digest.yaml"
    spec.write_text(json.dumps(FIELDS))

    def known():
        return set(DigestParameters(spec=str(spec)).stands_on().files[1:])

    assert known() == {home / "result.json"}
    failed = fail_run(reports, "flow_review/desk/2026-09-12-0123abcd")
    assert known() == {home / "result.json", failed / "run.json"}
    (home / "readout.html").write_text("<html>something else")
    assert known() == {failed / "run.json"}


def test_runs_elsewhere_count_by_their_record_alone_and_have_no_link(reports, tmp_path):
    other = tmp_path / "others"
    home = file_run(other, "flow_review/desk/2026-09-10-0123abcd", found(figure()))
    (home / "readout.html").unlink()
    result = digest(runs=[str(other)])
    [item] = result.of("learned")
    assert item.run not in result.at_hand
    assert "href" not in result.brief.blocks()[0]._repr_html_()
    assert result.record()["cites"] == []
    for name in ("digest.md", "digest.txt"):  # what cannot be followed is named
        assert item.run in result.takeaway()[name].decode().replace("\\", "")
