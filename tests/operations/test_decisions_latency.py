"""How long decisions take, what a change saved, and the shares: by other means than ours."""

import datetime
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight

from conftest import ROOT
from opslab.operations import review_decisions
from opslab.operations.decisions.latency import SIDE, groups, latency, saved, withdrawn
from opslab.operations.decisions.quality import qualities
from opslab.operations.decisions.record import _normal, _share
from opslab.operations.decisions.result import Known
from opslab.operations.decisions.spec import Change, DecisionReview
from opslab.uncertainty.proportions import Interval

START, DAY = datetime.date(2026, 1, 1), datetime.date(2026, 10, 5)
CHANGE = Change(name="Log", date=START + datetime.timedelta(100))
STATES = ("open", "decided", "withdrawn")


def known(days, state="decided", at=0, *, raised=0, **values):
    first = START + datetime.timedelta(raised)
    ended = None if state == "open" else first + datetime.timedelta(days)
    plain = {"id": f"d{at}", "decision": f"D{at}", "row": at, "team": None, "owner": None}
    return Known(
        **plain | {"state": state, "raised": first, "ended": ended, "days": float(days)} | values
    )


def drawn(count, seed):
    """Return days and ends: decided after about 30 days, withdrawn, or open."""
    random = np.random.default_rng(seed)
    return random.geometric(1 / 30, count), random.choice(3, count, p=[0.2, 0.65, 0.15])


def decisions(days, ends, **values):
    return [
        known(int(span), STATES[end], at, **values)
        for at, (span, end) in enumerate(zip(days, ends, strict=True))
    ]


@pytest.mark.parametrize("seed", range(5))
def test_the_median_is_that_of_the_cumulative_incidence_of_statsmodels(seed):
    days, ends = drawn(60, seed)
    told = latency("all", "", decisions(days, ends))
    other = CumIncidenceRight(days, ends)
    for share, quantile in ((0.5, told.median), (0.85, told.p85)):
        reached = other.times[other.cinc[0] >= share - 1e-9]
        assert quantile.value == (reached[0] if len(reached) else None)
    assert told.share_withdrawn == pytest.approx(other.cinc[1][-1])
    assert told.share_open == pytest.approx(1 - other.cinc[0][-1] - other.cinc[1][-1])
    assert told.decided_only == np.median(days[ends == 1])


def test_a_single_open_decision_and_none_at_all():
    for known_ones, raised in (([known(5, "open")], 1), ([], 0)):
        told = latency("all", "", known_ones)
        assert (told.raised, told.median.value, told.decided_only) == (raised, None, None)
        assert (told.share_open, told.share_withdrawn) == (1, 0)


@given(
    st.lists(st.tuples(st.integers(0, 90), st.integers(0, 1)), min_size=1, max_size=30),
    st.lists(st.integers(0, 120), min_size=1, max_size=10),
    st.booleans(),
)
@settings(deadline=None)
def test_open_decisions_never_lower_the_median(rows, waiting, competing):
    """Where none is withdrawn; else where they have been open for longer than all others took.

    One that is younger than the withdrawn ones may: it says that fewer would be withdrawn.
    """
    days, ends = zip(*rows, strict=True)
    if competing:
        ends = [2 - end for end in ends]
        waiting = [max(days) + day for day in waiting]
    fewer = latency("all", "", decisions(days, ends)).median.value
    more = latency(
        "all", "", decisions([*days, *waiting], [*ends, *[0] * len(waiting)])
    ).median.value
    assert more is None or (fewer is not None and more >= fewer)


@pytest.mark.parametrize("seed", range(3))
def test_what_a_change_saved_is_the_area_between_two_curves(seed):
    """The area under the share that is still open, summed from the curves of statsmodels."""
    (slow, first), (fast, second) = drawn(40, seed), drawn(50, seed + 50)
    fast = np.maximum(fast // 2, 1)
    before, since = decisions(slow, first), decisions(fast, second, raised=100)
    value, horizon = saved(groups([*before, *since], CHANGE))

    def area(days, ends):
        curve = SurvfuncRight(days, ends > 0)
        inside = curve.surv_times < horizon
        times, shares = [0, *curve.surv_times[inside], horizon], [1, *curve.surv_prob[inside]]
        return (np.diff(times) * shares).sum()

    assert value.value == pytest.approx(area(slow, first) - area(fast, second))
    assert value.low < value.value < value.high


def test_nothing_is_saved_where_one_side_has_no_end():
    rows = [known(5, at=1), known(3, "open", 2, raised=100)]
    assert saved(groups(rows, CHANGE)) == (Interval(None), None)
    assert saved(groups(rows, None)) == (Interval(None), None)


@pytest.mark.parametrize("decided", [SIDE - 1, SIDE])
def test_withdrawing_alone_saves_nothing(decided):
    """As many have to be decided on either side as the check `sides` asks."""
    rows = [known(40, at=at) for at in range(20)]
    rows += [known(30 + at, at=at, raised=100) for at in range(decided)]
    rows += [known(7, "withdrawn", at, raised=100) for at in range(24)]
    value, horizon = saved(groups(rows, CHANGE))
    assert (value.value is None) == (horizon is None) == (decided < SIDE)
    if decided == SIDE:  # nobody is open: shares are counts
        assert withdrawn(groups(rows, CHANGE), 20.0) == pytest.approx((0, 24 / 32))
        assert withdrawn(groups(rows, CHANGE), 6.0) == (0, 0)
    else:
        assert withdrawn(groups(rows, CHANGE), horizon) == ()


@pytest.mark.parametrize(("count", "status"), [(5, "pass"), (6, "fail"), (12, "fail")])
def test_time_saved_by_withdrawing_is_a_condition_and_no_evidence(tmp_path, count, status):
    """Before, none of 20 is withdrawn; since, so many of 25, after a week."""
    lines = ["id,decision,raised,status,decided,withdrawn"]
    for at in range(45):
        late = at >= 20
        day = START + datetime.timedelta(at % 20 + 100 * late)
        drop = late and at < 20 + count
        end = day + datetime.timedelta(7 if drop else 50 + at % 7)
        days = f"Withdrawn,,{end}" if drop else f"Decided,{end},"
        lines.append(f"d{at},D{at},{day},{days}")
    (tmp_path / "log.csv").write_text("\n".join(lines), "utf-8")
    fields = {"decisions": "Shop", "log": {"path": str(tmp_path / "log.csv")}, "since": CHANGE}
    result = review_decisions(DecisionReview(**fields), DAY)
    assert result.withdrawn == pytest.approx((0, count / 25))
    assert result.check("withdrawals").status == status
    told = "shop/weeks-saved" in [at.id for at in result.evidence()]
    assert told == (status == "pass")
    assert ("Withdrawn before and since" in result.headline("en")) == (status == "fail")
    accepted = DecisionReview(**fields, accept={"withdrawals": "all were duplicates"})
    ids = [at.id for at in review_decisions(accepted, DAY).evidence()]
    assert "shop/weeks-saved" in ids


def test_a_team_under_five_is_never_shown_apart():
    rows = [known(5, at=at, team="Shop" if at < 5 else "Service") for at in range(9)]
    assert [group[:2] for group in groups(rows, None)] == [("all", ""), ("team", "Shop")]
    assert [kind for kind, *_ in groups(rows, CHANGE)] == ["all", "before", "since", "team"]


def test_ways_to_write_a_team_are_one_and_none_is_a_change():
    """A team may be called as a period is: without a change there is no before and after."""
    ways = ["Shop", "shop", "Shop ", "SHOP.", "Shop", "Élan", "elan", "ELAN", "Élan", "Élan"]
    rows = [known(5, at=at, team=team) for at, team in enumerate(ways)]
    teams = [(name, len(part)) for kind, name, part in groups(rows, None) if kind == "team"]
    assert teams == [("Élan", 5), ("Shop", 5)]
    rows = [known(5 * (at // 9 + 1), at=at, team=("before", "since")[at // 9]) for at in range(18)]
    parted = groups(rows, None)
    assert [kind for kind, *_ in parted] == ["all", "team", "team"]
    assert saved(parted) == (Interval(None), None)


def test_what_enters_late_is_at_risk_from_then_on():
    """Raised 30 days before the history began: of those only what was still open is there."""
    rows = [known(40, at=1, entry=30), known(50, "open", 2, entry=30)]
    rows += [known(10, at=3), known(20, "open", 4), known(60, "open", 5)]
    told = latency("all", "", rows)
    at_40 = 1 - (1 - 1 / 3) * (1 - 1 / 3)  # of three at 10 days, and of three at 40
    assert 1 - told.share_open == pytest.approx(at_40)


def test_the_sample_is_told_as_its_truth():
    """The truth was written down with the sample, from its own days."""
    folder = ROOT / "data" / "sample"
    truth = json.loads((folder / "product_decisions_truth.json").read_text("utf-8"))
    result = review_decisions(DecisionReview.load(folder / "product_decisions.yaml"))
    groups = {at.kind: at for at in result.latencies}
    for name, part in (("before", "before"), ("since", "after")):
        at, known_part = groups[name], truth[part]
        assert at.median.value == known_part["median_days"]
        assert at.decided_only == known_part["median_of_decided_days"]
        counts = (at.raised, at.decided, at.withdrawn, at.open)
        assert counts == tuple(known_part[n] for n in ("raised", "decided", "withdrawn", "open"))
    assert [at.id for at in result.decisions if at.reversed] == truth["reversed"]
    assert [at.id for at in result.decisions if at.late] == truth["outcome_late"]


# Shares

REVIEW = DecisionReview(decisions="Test", log={"path": "log.csv"}, reversal_days=90, since=CHANGE)


def shares(rows, watched=True, review=REVIEW):
    return {at.name: at for at in qualities(rows, review, DAY, watched=watched)}


def test_a_decision_watched_too_short_is_not_known_to_hold():
    """Even where it was taken back: else the last ones would count only if they are."""
    long, short = (DAY - START).days - 90, (DAY - START).days - 89
    back = DAY - datetime.timedelta(5)
    rows = [
        known(0, at=1, raised=long),
        known(0, at=2, raised=long, reversed=DAY),
        known(0, at=3, raised=short, reversed=back),
        known(0, at=4, raised=short),
        known(0, at=5, reversed=START + datetime.timedelta(91)),  # later than 90 days
        known(9, "withdrawn", 6),
    ]
    told = shares(rows)["reversed"]
    assert (told.count, told.of, told.unknown) == (1, 3, 2)
    nothing = shares(rows, watched=False)["reversed"]
    assert (nothing.of, nothing.unknown, nothing.share.value) == (0, 5, None)


def test_shares_are_of_decided_ones_of_which_the_log_tells():
    rows = [
        known(5, at=1, options=2, do_nothing=True, grade="C", experiment="e", followed=True),
        known(5, at=2, options=1, do_nothing=False, grade="D", experiment="e", followed=False),
        known(5, at=3, options=0, experiment="e"),
        known(5, at=4),
        known(5, "open", 5, options=3, do_nothing=True, grade="A"),
    ]
    told = shares(rows)
    assert (told["options"].count, told["options"].of, told["options"].unknown) == (1, 3, 1)
    assert (told["do_nothing"].count, told["do_nothing"].of) == (1, 2)
    assert (told["evidence"].count, told["evidence"].of, told["evidence"].unknown) == (1, 2, 2)
    assert (told["followed"].count, told["followed"].of, told["followed"].unknown) == (1, 2, 1)


def test_what_is_due_for_review_has_an_outcome_or_not():
    past, ahead = DAY, DAY + datetime.timedelta(1)
    rows = [
        known(5, at=1, review=past, outcome=False),
        known(5, at=2, review=past, late=True),
        known(5, at=3, review=ahead),
        known(5, at=4, probability=0.6),  # never to be looked at
        known(5, at=5),
    ]
    told = shares(rows)["reviewed"]
    assert (told.count, told.of, told.unknown) == (1, 2, 1)


def test_before_and_since_are_parted_by_the_day_it_was_raised():
    rows = [known(5, at=at, options=1 + (at > 3), raised=99 + (at > 5)) for at in range(10)]
    told = shares(rows)["options"]
    assert (told.before.value, told.since.value, told.share.value) == (2 / 6, 1, 6 / 10)
    assert told.change.value == pytest.approx(2 / 3)


# Evidence


def test_a_share_is_told_by_jeffreys():
    quantity = _share(Interval(0.3, 0.1, 0.6), 3, 10)
    assert quantity.distribution.mean == pytest.approx(beta(3.5, 7.5).mean())
    assert _share(Interval(None), 0, 0) is None


def test_days_are_told_in_weeks_and_not_without_both_ends():
    quantity = _normal(Interval(14, 7, 21), 7)
    assert (quantity.value, quantity.low, quantity.high) == (2, 1, 3)
    assert quantity.parameters["scale"] == pytest.approx(1 / 1.959964)
    assert _normal(Interval(14, 7, None)) is None
