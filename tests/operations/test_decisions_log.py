"""The log as it stood on the day: statuses read, days told, what is odd named."""

import datetime

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opslab.errors import DataError, SpecError
from opslab.operations import DecisionReview, review_decisions
from opslab.operations.decisions.log import follow, meaning
from opslab.operations.decisions.spec import Statuses

DAY = datetime.date(2026, 10, 5)
ROW = {"id": "a", "decision": "Prices", "raised": "2026-03-02", "status": "Open"}


def reviewed(*rows, day=DAY, history=None, folder=None, **changes):
    """Return a review of rows, each the plain one with changes."""
    log = pd.DataFrame([ROW | {"id": f"r{at}"} | row for at, row in enumerate(rows)])
    if history:
        (folder / "history.csv").write_text("id,changed,to\n" + history, encoding="utf-8")
        changes["history"] = {"path": str(folder / "history.csv")}
    return review_decisions(
        DecisionReview(**{"decisions": "Test", "log": {"path": "log.csv"}} | changes), day, data=log
    )


def only(*rows, **given):
    (known,) = reviewed(*rows, **given).decisions
    return known


def names(result, check):
    return [str(name) for name in vars(result.check(check).detail)["values"]["names"]]


# Statuses


@pytest.mark.parametrize(
    ("written", "kind", "misspelt"),
    [
        ("Accepted", "decided", False),
        ("  accepted ", "decided", False),
        ("Acepted", "decided", True),
        ("Withdrawal", "withdrawn", True),
        ("Rejeté", "against", True),
        ("decidee", "decided", False),
    ],
)
def test_a_status_is_read_as_declared_or_as_the_nearest(written, kind, misspelt):
    known = meaning(written, Statuses())
    assert (known.kind, known.misspelt) == (kind, misspelt)


@pytest.mark.parametrize(
    "written",
    [
        "Undecided",
        "Draught",
        "Reportée",
        "Décalée",
        "Deciding",
        "Accepting",
        "Retardée",
        "Reviewed",
        "Renewed",
        "Not accepted",
        "Reopened",
        "Approved",
        "April Fool!",
        "<REQUIRED: Draft | Active>",
        "?",
    ],
)
def test_a_status_that_means_another_thing_or_nothing_is_not_read(written):
    assert meaning(written, Statuses()) is None


def test_imlpemented_is_read_where_it_is_declared():
    known = meaning("imlpemented", Statuses(decided=("Implemented",)))
    assert known.kind == "decided"
    assert known.misspelt


def test_a_status_of_the_log_that_means_nothing_is_refused_with_its_row():
    with pytest.raises(DataError, match=r"row 2.*Undecided"):
        reviewed({}, {"status": "Undecided"})


def test_misspelt_statuses_are_told_with_how_often():
    result = reviewed({"status": "Opeen"}, {"status": "Opeen"}, {"status": "open"})
    assert result.misspelt == {"Opeen": ("Open", 2)}
    assert names(result, "misspelt") == ["Opeen → Open (2)"]
    assert result.check("misspelt").status == "fail"  # two of three
    assert reviewed(*[{}] * 19, {"status": "Opeen"}).check("misspelt").status == "warn"


# The course of a decision


@pytest.mark.parametrize(
    ("kinds", "state", "at", "back"),
    [
        ("open decided", "decided", 1, None),
        ("open decided decided", "decided", 1, None),
        ("open decided open", "decided", 1, 2),
        ("decided against", "decided", 0, 1),
        ("against decided", "decided", 0, 1),
        ("decided withdrawn", "decided", 0, 1),
        ("decided closed", "decided", 0, None),
        ("decided ignored", "decided", 0, None),
        ("open withdrawn", "withdrawn", 1, None),
        ("withdrawn withdrawn", "withdrawn", 0, None),
        ("withdrawn open", "open", None, None),
        ("withdrawn open decided", "decided", 2, None),
        ("open closed", "withdrawn", 1, None),
        ("ignored", "open", None, None),
        ("", "open", None, None),
    ],
)
def test_the_first_decision_counts_and_a_withdrawal_that_stands(kinds, state, at, back):
    days = [datetime.date(2026, 3, 1 + n) for n in range(len(kinds.split()))]
    ends = [None if n is None else days[n] for n in (at, back)]
    assert follow([*zip(days, kinds.split(), strict=True)]) == (state, *ends)


def test_a_decision_after_the_day_is_open_on_it():
    row = {"status": "Decided", "decided": "2026-06-01", "reversed": "2026-06-20"}
    known = only(row, day=datetime.date(2026, 5, 31))
    assert (known.state, known.ended, known.reversed, known.days) == ("open", None, None, 90)
    known = only(row, day=datetime.date(2026, 6, 1))
    assert (known.state, known.days, known.reversed) == ("decided", 91, None)
    assert only(row).reversed == datetime.date(2026, 6, 20)


def test_what_is_raised_after_the_day_is_left_out_and_named():
    result = reviewed({}, {"raised": "2026-11-01", "decision": "Later"})
    assert len(result.decisions) == 1
    assert names(result, "future") == ["Later"]
    typo = reviewed({}, {"status": "Decided", "decided": "2062-03-02", "decision": "Typo"})
    assert names(typo, "future") == ["Typo"]
    assert typo.check("future").status == "warn"


def test_decided_without_a_day_is_no_open_one_and_in_no_time():
    result = reviewed({"status": "Decided"}, {"status": "Decided", "decided": "2026-03-12"}, {})
    undated = result.decisions[0]
    assert (undated.state, undated.ended, undated.days) == ("decided", None, None)
    assert result.latencies[0].decided_only == 10
    assert names(result, "undated") == ["Prices (1)"]
    assert result.check("undated").status == "fail"  # one of three


def test_decided_before_it_was_raised_is_left_out_of_times_and_named():
    result = reviewed({"status": "Decided", "decided": "2026-02-01"}, {})
    assert result.decisions[0].days is None
    assert names(result, "early") == ["Prices (1)"]


def test_what_was_taken_back_had_been_decided_though_no_day_says_when():
    row = {"status": None, "reversed": "2026-06-20"}
    result = reviewed(row, {})
    known = result.decisions[0]
    assert (known.state, known.days, str(known.reversed)) == ("decided", None, "2026-06-20")
    assert result.check("undated").status == "fail"
    assert result.waiting == ()
    assert only(row, day=datetime.date(2026, 6, 1)).state == "open"


@pytest.mark.parametrize(
    ("written", "count", "nothing"),
    [
        ("3", 3, None),
        (3.0, 3, None),
        ("2,0", 2, None),
        ("buy; build", 2, False),
        ("buy; do nothing", 2, True),
        ("acheter\nne rien faire", 2, True),
        ("build", 1, False),
        ("Build;", 1, False),
        ("do nothing", 1, True),
        ("build, buy, wait", None, None),
        ("build vs. buy", None, None),
        ("acheter ou réaliser", None, None),
        ("plusieurs", None, None),
        ("?", None, None),
        ("three", None, None),
        ("oui", None, None),
        ("3 options", None, None),
        (None, None, None),
    ],
)
def test_options_are_a_number_or_names_and_of_anything_else_nobody_knows(written, count, nothing):
    known = only({"status": "Decided", "decided": "2026-03-20", "options": written})
    assert (known.options, known.do_nothing) == (count, nothing)


def test_the_share_of_compared_options_falls_where_one_alone_is_named():
    rows = [
        {
            "status": "Decided",
            "decided": "2026-03-20",
            "options": "buy; build" if at < 8 else "build",
        }
        for at in range(15)
    ]
    share = next(at for at in reviewed(*rows).qualities if at.name == "options")
    assert (share.count, share.of, share.unknown) == (8, 15, 0)


def test_a_status_with_a_question_mark_is_none_that_is_declared_without():
    assert meaning("Decided?", Statuses()) is None
    assert meaning(" accepted ?", Statuses()) is None
    declared = meaning("Ready?", Statuses(decided=("Ready?",)))
    assert declared == ("Ready?", "decided", False)


def test_options_of_a_frame_are_numbers_though_some_are_missing():
    """Pandas writes a column of numbers with gaps as 3.0."""
    rows = [{"status": "Decided", "decided": "2026-03-20", "options": n} for n in (3, None, 1)]
    result = reviewed(*rows)
    share = next(at for at in result.qualities if at.name == "options")
    assert (share.count, share.of, share.unknown) == (1, 2, 1)


def test_an_id_that_stands_twice_is_refused():
    with pytest.raises(DataError, match="A stands in several"):
        reviewed({"id": "A"}, {"id": "a "})


def test_taken_back_before_it_was_decided_is_refused():
    row = {"status": "Decided", "decided": "2026-03-20", "reversed": "2026-03-19"}
    with pytest.raises(DataError, match=r"row 1.*before it was decided"):
        reviewed(row, {})
    assert only({**row, "reversed": "2026-03-20"}).reversed == datetime.date(2026, 3, 20)


def test_an_outcome_before_the_decision_does_not_count_and_is_named():
    result = reviewed({"probability": 0.8, "outcome": "yes"}, {})
    assert result.decisions[0].outcome is None
    assert names(result, "premature") == ["Prices (1)"]


def test_an_outcome_counts_from_its_review_on():
    row = {"status": "Decided", "decided": "2026-03-09", "outcome": "no", "review": "2026-05-01"}
    assert only(row, day=datetime.date(2026, 4, 30)).outcome is None
    assert only(row, day=datetime.date(2026, 5, 1)).outcome is False
    late = only({**row, "outcome": None})
    assert late.late
    assert not only({**row, "outcome": None}, day=datetime.date(2026, 4, 30)).late


# The history


def test_the_history_wins_over_the_log_and_what_disagrees_is_named(tmp_path):
    history = "r0,2026-03-02,Open\nr0,2026-06-01T09:00:00+02:00,Decided\n"
    result = reviewed(
        {"status": "Decided", "decided": "2026-03-20"}, {}, history=history, folder=tmp_path
    )
    assert result.decisions[0].ended == datetime.date(2026, 6, 1)
    assert names(result, "disagree") == ["Prices (1)"]


def test_the_log_tells_what_the_history_does_not(tmp_path):
    rows = {"status": "Decided", "decided": "2026-03-20"}
    known = only(rows, history="r0,2026-03-02,Open\n", folder=tmp_path)
    assert known.ended == datetime.date(2026, 3, 20)


def test_rows_of_the_history_count_in_the_order_of_time_whatever_their_offset(tmp_path):
    """Newest first; 01:00 at +02:00 is 23:00 UTC of the day before, ahead of 23:30 UTC."""
    history = (
        "r0,2026-05-04T09:00:00-07:00,Accepted\nr0,2026-05-02T23:30:00Z,Open\n"
        "r0,2026-05-03T01:00:00+02:00,Accepted\n"
    )
    known = only({}, history=history, folder=tmp_path)
    assert known.ended == datetime.date(2026, 5, 2)
    assert known.reversed == datetime.date(2026, 5, 2)


def test_changes_of_one_instant_count_in_whatever_order_they_stand(tmp_path):
    changes = ["r0,2026-05-04,Open\n", "r0,2026-05-04,Decided\n"]
    for history in ("".join(changes), "".join(changes[::-1])):
        known = only({}, history=history, folder=tmp_path)
        assert (known.state, known.reversed) == ("decided", None)


def test_an_instant_on_the_day_before_it_was_raised_is_that_day(tmp_path):
    known = only({}, history="r0,2026-03-02T00:30:00+02:00,Decided\n", folder=tmp_path)
    assert (known.days, known.ended) == (0, datetime.date(2026, 3, 2))


def test_a_history_that_begins_decided_and_rows_that_say_nothing_are_named(tmp_path):
    history = "r0,2026-05-04,Decided\nr1,2026-04-04,\nr1,2026-04-05,<REQUIRED: Draft | Final>\n"
    history += "elsewhere,2026-03-01,Open\n"
    result = reviewed({}, {"decision": "Two"}, history=history, folder=tmp_path)
    assert names(result, "imported") == ["Prices (1)"]
    assert names(result, "undeclared") == ["<REQUIRED: Draft | Final> (4)", "… (3)"]
    assert names(result, "unmatched") == ["elsewhere"]


def test_a_history_of_other_decisions_is_refused(tmp_path):
    with pytest.raises(DataError, match="history"):
        reviewed({}, history="x,2026-03-02,Open\n", folder=tmp_path)


def test_what_was_raised_before_the_history_begins_enters_late(tmp_path):
    """What was decided before has left no trace; where the log tells of it, nothing enters late."""
    history = "r0,2026-04-01,Open\nr0,2026-05-01,Decided\nr1,2026-04-20,Open\n"
    rows = [{"raised": "2026-03-02"}, {"raised": "2026-04-20"}]
    result = reviewed(*rows, history=history, folder=tmp_path)
    assert [known.entry for known in result.decisions] == [30, 0]
    assert names(result, "late_entry") == ["Prices"]
    told = {"status": "Decided", "decided": "2026-03-10"}
    result = reviewed(*rows, told, history=history, folder=tmp_path)
    assert not any(known.entry for known in result.decisions)


# Which rows count


def test_rows_count_by_any_column_and_names_in_vain_are_refused():
    rows = [{"kind": "Price"}, {"kind": "Scope"}, {"kind": "price"}]
    assert len(reviewed(*rows, only={"Kind": ["PRICE"]}).decisions) == 2
    with pytest.raises(SpecError, match="kind"):
        reviewed(*rows, only={"kindd": ["Price"]})
    with pytest.raises(SpecError, match="Scope"):
        reviewed(*rows, only={"kind": ["Scop"]})


def test_a_check_that_is_accepted_and_that_there_is_not_is_refused():
    with pytest.raises(SpecError, match="filtered"):
        reviewed({}, accept={"filterd": "it holds all of them"})
    rows = [{"status": "Decided", "decided": "2026-03-12"}] * 12
    doubted = reviewed(*rows).check("filtered")
    assert (doubted.status, doubted.blocking, doubted.accepted) == ("fail", False, "")
    assert reviewed(*rows, accept={"filtered": "all are"}).check("filtered").accepted == "all are"
    assert reviewed(*rows[:4]).broken
    assert not reviewed(*rows[:4], accept={"few": "a first look"}).broken


kinds = st.sampled_from(["Open", "Decided", "Rejected", "Withdrawn"])
rows = st.fixed_dictionaries(
    {
        "raised": st.dates(datetime.date(2026, 1, 1), datetime.date(2026, 6, 1)).map(str),
        "decided": st.one_of(
            st.none(), st.dates(datetime.date(2026, 6, 1), datetime.date(2026, 9, 1)).map(str)
        ),
        "team": st.sampled_from(["Shop", "Service"]),
    }
)


@given(st.lists(rows, min_size=6, max_size=20), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=12)
def test_the_order_of_the_rows_never_matters(log, random):
    log = [row | {"id": f"id{at}"} for at, row in enumerate(log)]
    mixed = random.sample(log, len(log))
    first, second = (
        reviewed(*rows, since={"name": "Log", "date": "2026-03-01"}) for rows in (log, mixed)
    )
    assert first.latencies == second.latencies
    assert first.qualities == second.qualities
    assert first.saved == second.saved
    assert [at._replace(row=0) for at in first.decisions] == [
        at._replace(row=0) for at in second.decisions
    ]
