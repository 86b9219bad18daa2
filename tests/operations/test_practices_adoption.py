"""Who uses a process: counted by pandas and scipy, and against printed limits."""

import datetime
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from opslab.operations.practices.adoption import Logged, adoption, read_log
from opslab.operations.practices.spec import Process, Use

DAY = datetime.date(2026, 9, 30)
CARD = {"problem": "-", "steps": "Tag; Count; Send", "owner": "Mia", "trigger": "-"}
CARD |= {"sunset": "2027-01-01", "minutes": 5, "uses": 10, "saved": 20}


def card(process="Triage", **fields):
    return Process(process=process, **CARD | fields)


def use(back, team="Shop", process="Triage", step=None):
    return Use(process=process, team=team, date=DAY - timedelta(back), step=step)


def counted(*uses, **fields):
    """Return what a log that covers the quarter tells of the process."""
    others = [use(0, process="Other"), use(200, process="Other")]
    return read_log([*enumerate([*uses, *others])], [card(**fields)], DAY).of.get("triage")


# --- the log


def test_the_last_four_weeks_are_those_days_and_no_more():
    assert counted(use(0), use(27, "Data"), use(28, "Platform")).teams == 2


def test_a_team_counts_once_however_it_is_written():
    names = ("Équipe Données", "equipe  donnees", "ÉQUIPE-DONNÉES", "Données")
    assert counted(*(use(3, name) for name in names)).teams == 2


@pytest.mark.parametrize(("back", "stale"), [(14, False), (15, True)])
def test_a_log_that_ended_tells_nothing(back, stale):
    log = read_log([*enumerate([use(back), use(90)])], [card()], DAY)
    assert (bool(log.findings["stale"]), bool(log.of)) == (stale, not stale)


@pytest.mark.parametrize(("back", "stale"), [(27, False), (26, True)])
def test_a_log_of_less_than_four_weeks_tells_nothing(back, stale):
    log = read_log([*enumerate([use(back), use(0)])], [card()], DAY)
    assert (bool(log.findings["short"]), bool(log.of)) == (stale, not stale)


def test_an_empty_log_is_no_log_and_one_of_the_future_is_stale():
    empty = read_log([], [card()], DAY)
    assert not empty.of
    assert not any(empty.findings.values())
    later = [use(-1), use(-60)]
    log = read_log([*enumerate(later)], [card()], DAY)
    assert (log.of, len(log.findings["later"])) == ({}, 2)


def test_rows_of_a_log_that_are_alike_are_told():
    """Two uses of a team on one day may be two; a paste repeated is not: nothing tells which."""
    log = read_log([*enumerate([use(3), use(4), use(3), use(3, step="Tag")], 2)], [card()], DAY)
    assert log.findings["alike"] == ["4"]
    assert "pasted" not in log.findings


def test_a_log_pasted_twice_is_a_condition_and_not_a_remark():
    uses = [use(back) for back in range(30)]
    log = read_log([*enumerate([*uses, *uses], 2)], [card()], DAY)
    assert log.findings["pasted"] == [str(row) for row in range(32, 62)]
    half = read_log([*enumerate([*uses, *uses[:10]], 2)], [card()], DAY)
    assert (half.findings["alike"], "pasted" in half.findings) == (
        [*map(str, range(32, 42))],
        False,
    )


def test_a_process_that_the_log_never_names_is_not_told_as_zero():
    assert counted() is None
    assert adoption(card(eligible=3), None).share.value is None
    old = counted(use(60))  # it was logged, and then no longer
    assert adoption(card(eligible=3), old).share.value == 0


def test_uses_are_counted_since_the_process_started_over_a_quarter_at_most():
    uses = [use(back) for back in range(0, 200, 10)]
    assert counted(*uses)[1:3] == (10, 91)
    told = counted(*uses, started=DAY - timedelta(39))
    assert told[1:3] == (4, 40)
    assert told.rate == pytest.approx(4 / 40 * 365.25 / 12)
    assert counted(*uses, started=DAY - timedelta(20)).rate is None


def test_uses_end_at_the_steps_of_the_card_in_its_order_others_last():
    uses = [use(1, step=step) for step in ("send", "Tag", "tag", "Ask", None, "SEND", "Send")]
    assert counted(*uses).drop_off == (("Tag", 2), ("Count", 0), ("Send", 3), ("Ask", 1))
    assert counted(use(1)).drop_off == ()


rows = st.lists(
    st.tuples(st.integers(-5, 120), st.sampled_from("ABCD"), st.sampled_from(("Triage", "Brief"))),
    min_size=1,
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(rows=rows, seed=st.randoms(use_true_random=False))
def test_it_counts_as_pandas_does_in_any_order(rows, seed):
    """By boolean masks on a frame of ours, not of theirs."""
    cards, rows = [card(), card("Brief")], [*rows, (0, "Z", "Other"), (150, "Z", "Other")]
    uses = [use(*row) for row in rows]
    log = read_log([*enumerate(uses)], cards, DAY)
    frame = pd.DataFrame(rows, columns=["back", "team", "process"]).query("back >= 0")
    for name, own in frame.groupby("process"):
        if name != "Other":
            told = log.of[name.casefold()]
            assert told.teams == own.query("back < 28").team.nunique()
            assert told.uses == (own.back < 91).sum()
    seed.shuffle(uses)
    assert read_log([*enumerate(uses)], cards, DAY).of == log.of


# --- the count of a log beside the card


def test_limits_of_a_count_are_the_printed_ones():
    """Garwood (1936): of 10 events, 90 % limits 5.43 and 16.96; of none, 0 and 3.00."""
    month = 365.25 / 12
    told = Logged(1, 10, int(3 * month), ())  # close to three months
    months = told.days / month
    for low, high, against in (
        (16.97, 30, True),
        (16.95, 30, False),
        (1, 5.42, True),
        (1, 5.43, False),
        (9, 11, False),
    ):
        assert told.contradicts(low / months, high / months) is against, (low, high)
    none = Logged(0, 0, told.days, ())
    assert none.contradicts(3.0 / months, 10)
    assert not none.contradicts(2.99 / months, 10)
    assert not none.contradicts(0, 0)


def test_draws_of_a_count_are_gamma_with_its_rate_as_the_mean():
    told = Logged(1, 7, 91, ())
    shares = np.linspace(0.001, 0.999, 999)
    expected = stats.gamma(7, scale=365.25 / 12 / 91).ppf(shares)
    assert told.draw(stats.norm.ppf(shares)) == pytest.approx(expected)
    assert stats.gamma(7, scale=365.25 / 12 / 91).mean() == pytest.approx(told.rate)
    assert not Logged(0, 0, 91, ()).draw(np.array([-3.0, 0, 3])).any()


# --- what tells adoption


def test_the_log_comes_before_a_review_of_standards_and_that_before_the_card():
    own, logged = card(eligible=10, using=9), Logged(2, 5, 91, ())
    assert adoption(own, logged, (3, 4))[:] == ("log", 2, 10)
    assert adoption(own, None, (3, 4))[:] == ("standards", 3, 4)
    assert adoption(own, None)[:] == ("card", 9, 10)
    assert adoption(card(eligible=10), None)[:] == ("none", None, 10)
    assert adoption(card(eligible=10, using=0), None).share.value == 0


def test_its_interval_is_the_printed_one():
    """Newcombe (1998), table I: 81 of 263, method 3: 0.2553 to 0.3662."""
    share = adoption(card(using=81, eligible=263), None).share
    assert [round(end, 4) for end in share] == [0.3080, 0.2553, 0.3662]
    assert adoption(card(using=3), None).share == (None, None, None)  # of how many is not told
    assert adoption(card(), None, (0, 0)).share.value is None
