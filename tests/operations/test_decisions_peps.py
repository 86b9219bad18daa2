"""Python's proposals as a decision log: Standards Track ones, created since 2005, as of August 2026.

Skipped without the data. A proposal is decided once its status is Accepted, Provisional, Final,
Rejected, or one of their old names; Superseded and Replaced close what was never decided; Active,
the default of an old template, says nothing; the rest is open. A proposal that was withdrawn and
taken up again is open again. Where the history says nothing, the log's own day of resolution counts.
"""

import datetime
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from opslab.errors import SpecError
from opslab.operations import DecisionReview, review_decisions

DAY = datetime.date(2026, 8, 21)  # of the last change in the history
REAL = Path(
    os.environ.get("OPSLAB_REAL_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data"
)
LOG, HISTORY = REAL / "ops" / "pep_decision_log.csv", REAL / "ops" / "pep_status_history.csv"
pytestmark = pytest.mark.skipif(not LOG.is_file(), reason="needs the proposals of Python")
STATUSES = {
    "open": ["Draft", "Deferred", "Incomplete", "Postponed"],
    "decided": ["Accepted", "Provisional", "Final", "Approved", "Complete", "Finished"],
    "against": ["Rejected"],
    "withdrawn": ["Withdrawn"],
    "closed": ["Superseded", "Replaced"],
    "ignored": ["Active"],
}
TYPOS = {"Acepted": "Accepted", "Withdrawal": "Withdrawn"}


def review(**changes):
    spec = {
        "decisions": "Proposals",
        "log": {
            "path": str(LOG),
            "columns": {"id": "pep", "decision": "title", "raised": "created", "status": "status"},
        },
        "history": {"path": str(HISTORY), "columns": {"id": "pep"}},
        "only": {"type": ["Standards Track"]},
        "raised_since": datetime.date(2005, 1, 1),
        "statuses": STATUSES,
    }
    return DecisionReview(**spec | changes)


@pytest.fixture(scope="module")
def result():
    return review_decisions(review(), DAY)


def follow(changes, ends, day):
    """Return whether changes up to a day end open, decided or withdrawn, and when."""
    state, at = 0, None
    for when, status in changes:
        end = ends.get(TYPOS.get(status, status))
        if when <= day and state != 1 and end is not None and not end == state == 2:
            state, at = end, when if end else None
    return state, at


def table(day, ends):
    """Return days and ends (0 open, 1 decided, 2 withdrawn), read and followed by other means."""
    log, history = (pd.read_csv(path, dtype=str, keep_default_na=False) for path in (LOG, HISTORY))
    log = log[(log["type"] == "Standards Track") & (log["created"] >= "2005-01-01")]
    history["at"] = pd.to_datetime(history["changed"], utc=True).dt.date
    rows = []
    for _, row in log.iterrows():
        seen = history[history["pep"] == row["pep"]].sort_values("at", kind="stable")
        state, at = follow(zip(seen["at"], seen["to"], strict=True), ends, DAY)
        if not state and row["resolved"]:
            state, at = 1, datetime.date.fromisoformat(row["resolved"])
            state, at = (state, at) if at <= day else (0, None)
        elif state:
            state, at = follow(zip(seen["at"], seen["to"], strict=True), ends, day)
        created = datetime.date.fromisoformat(row["created"])
        rows.append((((at or day) - created).days, state))
    return np.array(rows).T


def median(days, ends):
    """Return the day by which half are decided: the cumulative incidence, summed by hand."""
    open_yet, decided = 1.0, 0.0
    for day in np.unique(days):
        at_risk, now = (days >= day).sum(), ends[days == day]
        decided += open_yet * (now == 1).sum() / at_risk
        open_yet *= 1 - (now > 0).sum() / at_risk
        if decided >= 0.5:
            return day
    return None


ENDS = {
    **dict.fromkeys(STATUSES["open"], 0),
    **dict.fromkeys([*STATUSES["decided"], "Rejected"], 1),
    **dict.fromkeys(["Withdrawn", "Superseded", "Replaced"], 2),
}


def test_open_proposals_counted_the_median_is_more_than_double(result):
    """106.5 days of the decided alone, 229 with open ones counted and withdrawn competing (2026)."""
    days, ends = table(DAY, ENDS)
    whole = result.latencies[0]
    assert (whole.decided_only, whole.median.value) == (106.5, 229)
    assert np.median(days[ends == 1]) == whole.decided_only
    assert median(days, ends) == whole.median.value
    assert (whole.raised, whole.decided, whole.open, whole.withdrawn) == (456, 346, 65, 45)


def test_with_a_withdrawal_as_a_decision_it_is_the_known_figure():
    """114.5 days of the decided alone, 176 by Kaplan-Meier: the definition of the known figure."""
    kinds = {**STATUSES, "withdrawn": [], "closed": [], "ignored": ["Active", "Superseded"]}
    kinds["decided"] = [*STATUSES["decided"], "Withdrawn"]
    kinds["ignored"] += ["Replaced"]
    log = pd.read_csv(LOG, dtype=str, keep_default_na=False).drop(columns="resolved")
    whole = review_decisions(review(statuses=kinds), DAY, data=log).latencies[0]
    assert (whole.decided_only, whole.median.value) == (114.5, 176)


def test_misspelt_statuses_are_read_as_the_near_one_and_told(result):
    assert result.misspelt == {"Acepted": ("Accepted", 1), "Withdrawal": ("Withdrawn", 1)}
    assert result.check("misspelt").status == "warn"
    assert any(
        "505" in str(name) for name in vars(result.check("undeclared").detail)["values"]["names"]
    )


def test_statuses_taken_back_are_counted(result):
    """Decided, and then open, withdrawn, or decided the other way; Superseded later is not."""
    history = pd.read_csv(HISTORY, dtype=str, keep_default_na=False)
    history["at"] = pd.to_datetime(history["changed"], utc=True)
    back = set()
    for name, seen in history.sort_values("at", kind="stable").groupby("pep"):
        answer = ""
        for status in seen["to"].map(lambda word: TYPOS.get(word, word)):
            side = "no" if status == "Rejected" else "yes" if ENDS.get(status) == 1 else status
            if answer and side != answer and status not in ("Superseded", "Replaced", "Active", ""):
                back.add(name)
            answer = answer or (side if side in ("yes", "no") else "")
    known = {at.id for at in result.decisions}
    assert result.taken_back == len(back & known) == 14
    assert {at.id for at in result.decisions if at.reversed} == back & known


def test_what_is_decided_later_is_open_on_the_day(result):
    day = datetime.date(2012, 1, 1)
    days, ends = table(day, ENDS)
    early = review_decisions(review(), day)
    known = days >= 0  # raised by then
    assert early.latencies[0].decided < result.latencies[0].decided
    assert all((at.ended or day) <= day for at in early.decisions)
    assert len(early.decisions) == known.sum()
    assert early.latencies[0].median.value == median(days[known], ends[known])


def test_a_filter_that_names_nothing_is_refused_with_what_is_near():
    for only, near in (({"typ": ["Process"]}, "type"), ({"type": ["Standard Track"]}, "Standards")):
        with pytest.raises(SpecError, match=near):
            review_decisions(review(only=only), DAY)
