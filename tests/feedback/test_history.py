"""Messages a day that a registry keeps: replaced where a run covers them, kept where it does not."""

import datetime
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from opslab.feedback import find_themes
from opslab.feedback.customer_message import CustomerMessage
from opslab.feedback.history import columns_of, dated, earlier, history_of, past_of
from opslab.feedback.registry.state import Event, KnownTheme, Registry
from opslab.feedback.result import Assignment, Point
from opslab.feedback.trends import measure_of, trends

DAY = datetime.date(2026, 3, 2)
CRASH, PARCEL = "The app crashes when I open it", "My parcel has not arrived"


def registry(*history, themes=("T01", "T02"), ledger=(), **into):
    known = [
        KnownTheme(id=name, centroid=np.ones(2), phrases=(), into=into.get(name)) for name in themes
    ]
    return Registry(
        study="s",
        encoder="e",
        encoder_name="e",
        themes=tuple(known),
        ledger=ledger,
        history=history,
    )


def found(days, **more):
    """Return the themes of two texts a day."""
    texts = [text for _ in days for text in (CRASH, PARCEL)]
    dates = [str(DAY + datetime.timedelta(day)) for day in days for _ in range(2)]
    return find_themes(pd.DataFrame({"text": texts, "date": dates}), **more)


def test_a_run_keeps_what_it_does_not_cover_and_replaces_what_it_does():
    assignments = found(range(6)).assignments
    source = assignments[0].message.source
    old = [
        ("2026-03-01", source, "", 9),
        ("2026-03-04", source, "", 8),
        ("2026-03-08", source, "", 7),
        ("2026-03-04", "elsewhere", "", 6),
    ]
    kept = [old[0], old[2], old[3]]
    assert earlier(registry(*old), assignments) == kept
    rows = history_of(registry(*old), assignments)
    assert [*rows] == sorted(rows)
    assert set(kept) < set(rows)
    assert ("2026-03-04", source, "", 2) in rows
    assert sum(count for _, at, theme, count in rows if at == source and not theme) == 12 + 9 + 7
    assert history_of(registry(*rows), assignments) == rows
    assert history_of(None, ()) == ()
    assert history_of(registry(*old), ()) == tuple(sorted(old))


def test_a_wrong_year_covers_nothing():
    days = [DAY] * 40 + [datetime.date(1970, 1, 1)]
    assert dated(days).notna().sum() == 40
    result = found([*range(30), -20_000])
    old = ("2026-01-05", result.assignments[0].message.source, "", 5)
    rows = history_of(registry(old), result.assignments)
    assert old in rows
    assert min(row[0] for row in rows) == "2026-01-05"


def test_a_run_writes_its_history_and_the_next_one_compares_with_it():
    first = found(range(42))
    counted = {theme: count for *_, theme, count in first.registry.history}
    assert set(counted) == {"", *(theme.id for theme in first.themes)}
    week = [*range(42, 49)]
    second = found(week, registry=first.registry)
    assert len({row[0] for row in second.registry.history}) == 49
    assert found(week).trends.empty
    assert second.trends["ratio"].tolist() == pytest.approx([1.0, 1.0])
    assert not second.emerging
    assert second.incidents.empty


def test_the_past_of_a_merged_theme_is_that_of_the_theme_that_took_it_in():
    known = registry(themes=("T01", "T02", "T03"), T02="T03")
    assert columns_of(["T01", "T03"], [5, 5], known, {}) == {
        "T01": {0: 1.0},
        "T02": {1: 1.0},
        "T03": {1: 1.0},
    }
    by_people = columns_of(["T03"], [5], known, {"T01": "T03"})
    assert by_people["T01"] == {0: 1.0}
    assert columns_of(["T03"], [5], known, {})["T01"] == {}


def test_the_past_of_a_split_theme_is_shared_out_by_size():
    known = registry(themes=("T01",))
    assert columns_of(["T01a", "T01b"], [30, 10], known, {}) == {"T01": {0: 0.75, 1: 0.25}}
    split = registry(
        themes=("T01", "T02", "T03"), ledger=(Event(DAY, "split", "T01", ("T02", "T03")),)
    )
    assert columns_of(["T02", "T03"], [1, 1], split, {})["T01"] == {0: 0.5, 1: 0.5}
    many = registry(themes=("T10", "T100"))  # no part of the one that is gone
    assert columns_of(["T100"], [1], many, {})["T10"] == {}
    circle = registry(themes=("T01", "T02"), T01="T02", T02="T01")
    assert columns_of([], [], circle, {}) == {"T01": {}, "T02": {}}


def test_a_past_is_a_table_of_days():
    rows = [
        ("2026-03-02", "s", "", 9),
        ("2026-03-02", "s", "T01", 4),
        ("2026-03-02", "s", "T02", 2),
    ]
    table = past_of(rows, {"T01": {0: 1.0}, "T02": {0: 1.0}}, 1)
    assert table[["source", 0, "all"]].to_numpy().tolist() == [["s", 6.0, 9.0]]
    assert past_of([], {}, 1).empty


def test_trends_of_history_are_those_of_the_messages():
    random = np.random.default_rng(2)
    days = sorted(DAY + datetime.timedelta(int(day)) for day in random.integers(0, 84, 900))
    days[0], days[-1] = DAY, DAY + datetime.timedelta(83)
    theme = random.random((900, 2)) < [0.3, 0.1]
    whole = trends(theme, days, ["s"] * 900)
    cut = DAY + datetime.timedelta(63)
    late = np.array([day >= cut for day in days])
    table = pd.DataFrame(theme[~late]).assign(day=pd.to_datetime(np.array(days)[~late]), all=1.0)
    past = table.groupby("day").sum().astype(float).reset_index().assign(source="s")
    week = theme[late], [day for day in days if day >= cut], ["s"] * int(late.sum())
    pd.testing.assert_frame_equal(trends(*week, past=past), whole)


def test_a_rate_is_compared_where_the_volume_is_steady():
    steady = [DAY + datetime.timedelta(day) for day in range(56) for _ in range(5)]
    assert measure_of(steady, ["s"] * len(steady)) == "rate"
    grows = [DAY + datetime.timedelta(day) for day in range(56) for _ in range(2 + day // 7)]
    assert measure_of(grows, ["s"] * len(grows)) == "share"
    assert measure_of(steady[:100], ["s"] * 100) == "share"  # three weeks do not tell
    assert measure_of([], []) == "share"


def test_a_rate_tells_more_than_a_share_where_half_of_all_is_of_it():
    counts = [(30, 30)] * 8 + [(45, 15)] * 4
    days, theme = [], []
    for week, (yes, no) in enumerate(counts):
        days += [DAY + datetime.timedelta(7 * week + at % 7) for at in range(yes + no)]
        theme += [[at < yes] for at in range(yes + no)]
    (row,) = trends(np.array(theme), days, ["s"] * len(days), measure="rate").to_dict("records")
    assert row["ratio"] == pytest.approx(1.5)
    assert row["measure"] == "rate"


def test_a_theme_emerges_that_was_born_since_the_last_run_but_one():
    first = found(range(14), as_of=DAY + datetime.timedelta(13))
    assert not first.emerging
    texts = [CRASH, PARCEL, "The invoice has the wrong VAT number"] * 10
    dates = [str(DAY + datetime.timedelta(14 + at // 3)) for at in range(30)]
    data = pd.DataFrame({"text": texts, "date": dates})
    later = DAY + datetime.timedelta(24)
    second = find_themes(data, registry=first.registry, as_of=later)
    (name,) = second.emerging
    assert "invoice" in second.theme(name).title
    third = find_themes(data, registry=second.registry, as_of=later + datetime.timedelta(7))
    assert third.emerging == (name,)
    fourth = find_themes(data, registry=third.registry, as_of=later + datetime.timedelta(14))
    assert fourth.emerging == ()
    nothing = second.registry.keys[:0], second.registry.owners[:0]
    parts = replace(second.registry, themes=(), keys=nothing[0], owners=nothing[1])
    assert find_themes(data, registry=parts, as_of=later).emerging  # all of it is new to that one


def test_the_past_of_a_theme_that_goes_on_without_a_part_is_shared_out_in_the_run_of_the_split():
    known = registry(("2026-01-05", "mail", "T01", 7), ("2026-01-05", "mail", "", 9))
    split = registry(themes=("T01", "T05"), ledger=(Event(DAY, "split", "T01", ("T05",)),))
    assignments = [
        Assignment(
            CustomerMessage("", "web", str(at), at, "words", date=DAY),
            Point(text="words", theme="T01" if at < 30 else "T05"),
        )
        for at in range(40)
    ]
    rows = earlier(known, assignments, split)
    assert sorted(rows) == [
        ("2026-01-05", "mail", "", 9),
        ("2026-01-05", "mail", "T01", 5),
        ("2026-01-05", "mail", "T05", 2),
    ]
    after = replace(split, history=tuple(sorted(rows)))
    assert sorted(earlier(after, assignments, split)) == sorted(rows)  # once, and not again
