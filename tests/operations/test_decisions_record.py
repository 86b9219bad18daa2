"""What the evidence of a review says it counts: by another definition, another claim."""

import datetime

import pandas as pd
import pytest

from opslab.claims import counted
from opslab.operations import DecisionReview, review_decisions
from opslab.operations.contribution.review import moved

DAY = datetime.date(2026, 10, 5)
SINCE = {"name": "Log", "date": "2026-06-01"}
LOG = pd.DataFrame(
    {
        "id": f"d{at}",
        "decision": f"Question {at}",
        "raised": f"2026-{1 + at % 8:02}-0{1 + at % 7}",
        "decided": f"2026-{2 + at % 8:02}-{10 + at % 9}",
        "status": "Decided",
        "reversed": None if at % 4 else f"2026-{2 + at % 8:02}-25",
        "grade": "CF"[at % 2],
        "team": "AB"[at % 3 > 1],
    }
    for at in range(40)
)
PEOPLE = [
    f"p{at},{'product' if at % 2 else 'sales'},{'ABD'[at % 3]},{'CE'[at % 4 > 1]},"
    f"F,{'sell more' if at % 3 else 'checkouts'}"
    for at in range(24)
]


def evidence(folder, *, goal=("checkouts",), **changes):
    """Return the findings of a review by their names, with their claims."""
    (folder / "survey.csv").write_text(
        "\n".join(["person,function,priority_1,priority_2,priority_3,goal", *PEOPLE]), "utf-8"
    )
    survey = {"path": str(folder / "survey.csv"), "date": "2026-09-21", "goal": [*goal]}
    known = {"decisions": "Log", "log": {"path": "log.csv"}, "surveys": [survey], "since": SINCE}
    result = review_decisions(DecisionReview(**known | changes), DAY, data=LOG)
    return {each.id.partition("/")[2]: each for each in result.evidence()}


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"least_grade": "F"}, {"evidence"}),
        ({"reversal_days": 30}, {"reversed"}),
        ({"goal": ["checkouts", "sell more"]}, {"alignment-goal"}),
        ({"same": {"A": ["a1"]}}, {"alignment-overlap"}),
        ({"goal": ["Checkouts"]}, set()),
        ({"title": "Another title"}, set()),
        ({"raised_since": "2026-02-01"}, set()),
    ],
)
def test_another_definition_is_another_claim_of_the_same_thing(change, names, tmp_path):
    """Of what it defines alone; and what is counted stays the same, so that it counts once."""
    usual, other = evidence(tmp_path), evidence(tmp_path, **change)
    assert names <= {*usual}
    for name in {*usual} & {*other}:
        claims = usual[name].claim, other[name].claim
        assert (claims[0] != claims[1]) == (name in names), name
        assert counted(claims[0]) == counted(claims[1])


@pytest.mark.parametrize(
    "change",
    [
        {"only": {"team": ["A"]}},
        {"statuses": {"decided": ["Decided"]}},
        {"since": SINCE | {"date": "2026-05-01"}},
    ],
)
def test_what_rows_count_is_part_of_every_claim_on_them(change, tmp_path):
    usual, other = evidence(tmp_path), evidence(tmp_path, **change)
    for name in ("weeks-saved", "weeks-to-decision", "evidence"):
        assert usual[name].claim != other[name].claim
    assert usual["alignment-goal"].claim == other["alignment-goal"].claim


def test_a_survey_that_is_still_to_come_defines_no_goal_yet(tmp_path):
    usual = evidence(tmp_path)["alignment-goal"]
    held = {"path": str(tmp_path / "survey.csv"), "date": "2026-09-21", "goal": ["checkouts"]}
    ahead = held | {"date": "2026-12-21", "goal": ["sell more"]}
    other = evidence(tmp_path, surveys=[held, ahead])["alignment-goal"]
    assert other.claim == usual.claim


def test_a_lower_bar_is_no_progress(tmp_path):
    """One log: what changed is the least grade that counts."""
    usual, other = (evidence(tmp_path, least_grade=grade)["evidence"] for grade in "CF")
    assert other.quantity.value > usual.quantity.value
    assert moved([other], [usual], seed=1).kind == "other"
