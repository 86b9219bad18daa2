"""Feedback as tools really export it: themes after at most one answer, and mails as their plain text.

The files are not ours to ship. Keep them as ``shared/data`` beside the repository, or name that folder in
``OPSLAB_REAL_DATA``. What is expected was counted by pandas and by hand.
"""

import os
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest
from sklearn.metrics import adjusted_mutual_info_score

from opslab import feedback
from opslab.errors import DataError
from opslab.tables import Answers

pytestmark = pytest.mark.slow
FOLDER = Path(
    os.environ.get("OPSLAB_REAL_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data"
) / Path("cases", "feedback")


class Right(NamedTuple):
    """What is read from a file.

    Attributes
    ----------
    answer : str or None
        The heading of the messages, where it is asked for.
    messages, empty, customers, judged : int
        Messages; rows without one; customers that can be told apart; messages with stars or a score.
    traits : str
        By what customers can be compared.
    """

    answer: str | None = None
    messages: int = 60
    empty: int = 0
    customers: int = 60
    judged: int = 0
    traits: str = ""


RIGHT = {
    "appstoreconnect_api.json": Right(customers=1, judged=60, traits="country"),
    "appstoreconnect_customerReviews.csv": Right(customers=1, judged=60, traits="country"),
    "canny_posts.csv": Right(),
    "delighted_nps.csv": Right(judged=60),
    "discourse_user_archive.csv": Right(customers=0),
    "e_mix.csv": Right(messages=415, empty=5, customers=0),
    "g2_reviews.csv": Right(messages=120, customers=1, judged=120, traits="segment"),
    "google_forms.csv": Right("What could we do better?"),
    "h_lang.csv": Right(messages=650, customers=0),
    "hubspot_feedback.csv": Right(judged=60),
    "intercom_conversations.csv": Right(judged=41, traits="channel"),
    "mails_banking600.csv": Right(messages=600, customers=0),
    "productboard_notes.csv": Right(),
    "qualtrics.csv": Right(
        "Q2 / What is the primary reason for your score? Be frank.", traits="channel"
    ),
    "reviews_com.acme.app_202608.csv": Right(
        messages=48, empty=12, customers=0, judged=48, traits="version"
    ),
    "slack_2026-08-01.json": Right(customers=9),
    "surveymonkey.csv": Right("What should we improve? / Open-Ended Response"),
    "typeform.csv": Right("What is the main reason for your score?"),
    "zendesk_tickets.json": Right(traits="channel"),
    "zendesk_view.csv": Right(traits="channel"),
}


def case(name):
    path = FOLDER / name
    if not path.is_file():
        pytest.skip(f"{name} is not there; name its folder in OPSLAB_REAL_DATA")
    return path


@pytest.mark.parametrize("name", RIGHT)
def test_every_export_has_themes_after_at_most_one_answer(name):
    path, right, answers = case(name), RIGHT[name], None
    if right.answer:
        with pytest.raises(DataError) as refused:
            feedback.find_themes(path)
        assert f"say `text: '{right.answer}'" in str(refused.value)  # the answer is in the question
        answers = Answers(text=right.answer)
    result = feedback.find_themes(path, answers=answers)
    messages = result.intake.messages
    assert (len(messages), result.intake.empty) == (right.messages, right.empty)
    assert len({each.customer for each in messages} - {None}) == right.customers
    assert sum(each.discontent is not None for each in messages) == right.judged
    assert " ".join(sorted({name for each in messages for name in each.traits})) == right.traits
    assert len(result.themes) >= 4
    assert {check.name: check.status for check in result.checks}["coverage"] == "pass"


def test_a_mail_is_sorted_by_its_matter_and_not_by_who_signs_it():
    path = case("mails_banking600.csv")
    mails = pd.read_csv(path, dtype=str, keep_default_na=False)
    people = ("Bernadette", "Priya", "Thierry", "Ann Lee", "John Doe", "Marc Petit")
    signers = [next(name for name in people if name in text) for text in mails["text"]]
    result = feedback.find_themes(mails[["id", "text"]])
    themes = {each.message.id: str(each.main.nearest) for each in result.assignments}
    labels = [themes[mail] for mail in mails["id"]]
    assert adjusted_mutual_info_score(mails["truth"], labels) >= 0.50
    assert abs(adjusted_mutual_info_score(signers, labels)) <= 0.05
    titles = " ".join(theme.title for theme in result.themes)
    assert not [name for name in people if name in titles]
