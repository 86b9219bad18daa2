"""Routes: the nearest team where it leads clearly, triage elsewhere, and what people say of it."""

from collections import Counter

import numpy as np
import pytest

from opslab.errors import DataError
from opslab.feedback.audit import wilson
from opslab.feedback.encoders import Universal
from opslab.feedback.routing import route, routing_confusion

EAST, NORTH = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
TEAMS = {"app": EAST, "payments": NORTH}


def test_the_nearest_team_where_it_leads():
    clear, between, tied = route(np.array([[0.6, 0.8], [0.7, 0.72], [1, 1]]), TEAMS, 0.4, 0.1)
    assert (clear.team, clear.nearest, clear.runner_up) == ("payments", "payments", "app")
    assert clear.score == pytest.approx(0.8)
    assert clear.margin == pytest.approx(0.2)
    assert (between.team, between.nearest, between.runner_up) == (None, "payments", "app")
    assert (tied.team, tied.nearest, tied.margin) == (None, "app", 0)


def test_what_is_like_no_team_goes_to_triage_even_where_it_leads():
    far = np.array([[0.3, 0.0, 0.95]])
    teams = {name: np.hstack([given, [[0.0]]]) for name, given in TEAMS.items()}
    assert route(far, teams, 0.4, 0.1)[0].team is None
    assert route(far, teams, 0.2, 0.1)[0].team == "app"


def test_with_one_team_its_score_decides():
    near, far = route(np.array([[0.9, 0.1], [0.1, 0.9]]), {"app": EAST}, 0.4, 0.1)
    assert (near.team, near.runner_up) == ("app", None)
    assert near.margin == near.score
    assert far.team is None


def test_neither_lengths_nor_order_nor_the_number_of_examples_matter():
    themes = np.array([[0.6, 0.8], [0.9, 0.1]])
    expected = route(themes, TEAMS, 0.4, 0.1)
    more = {"payments": np.repeat(NORTH, 5, axis=0), "app": EAST * 3}
    assert route(themes * 7, more, 0.4, 0.1) == expected


def test_last_bits_decide_nothing():
    themes = np.array([[1.0, 1.0 + 1e-9], [1.0 + 1e-9, 1.0]])
    assert [each.nearest for each in route(themes, TEAMS, 0.4, 0.0)] == ["app", "app"]


def test_examples_in_one_language_find_themes_in_the_other():
    encode = Universal().encode
    examples = {
        "payments": encode(["card declined", "refund missing", "double charge"]),
        "app": encode(["crash at start", "the screen stays white", "it freezes"]),
    }
    texts = ["paiement refusé", "remboursement jamais reçu", "l'application plante au démarrage"]
    routes = route(encode(texts), examples, 0.3, 0.05)
    assert [each.team for each in routes] == ["payments", "payments", "app"]


def test_confusion_counts_what_people_judged():
    truth = ["app", "app", "payments", None, "", "app", "payments"]
    routed = ["app", "payments", "payments", "app", "app", None, None]
    audit = routing_confusion(truth, routed, ["app", "payments", "shop"])
    assert (audit.right, audit.wrong, audit.triaged) == (2, 1, 2)
    assert audit.interval == wilson(2, 3)
    assert audit.counts == Counter(
        {
            ("app", "app"): 1,
            ("app", "payments"): 1,
            ("payments", "payments"): 1,
            ("app", None): 1,
            ("payments", None): 1,
        }
    )


@pytest.mark.parametrize(("truth", "triaged"), [([None], 0), (["app"], 1)])
def test_nothing_routed_is_no_precision(truth, triaged):
    audit = routing_confusion(truth, [None], ["app"])
    assert (audit.right, audit.wrong, audit.triaged) == (0, 0, triaged)
    assert audit.interval == (0, 1)


def test_a_team_that_the_study_lacks_is_refused():
    with pytest.raises(DataError, match="paymnts"):
        routing_confusion(["paymnts"], ["app"], ["app", "payments"])
