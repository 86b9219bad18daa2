"""Exports to messages: ids, dates, languages, customers, and what is left out."""

import datetime

import pandas as pd
import pytest

from opslab.errors import DataError
from opslab.feedback import Study
from opslab.feedback.intake import LONGEST, take_in

FRAME = pd.DataFrame(
    {
        "id": ["a", "b", "c", "c", "c", "d"],
        "text": [
            "Parcel is late, Mary Jones",
            "  ",
            "Mon colis est en retard",
            "Mon colis est en retard",
            "and now it came broken",
            "x" * (LONGEST + 5),
        ],
        "date": pd.to_datetime([f"2026-09-0{day}" for day in (1, 2, 3, 3, 4)] + ["2026-10-01"]),
        "customer_id": ["k1", "k1", "k2", "k2", "k2", "k3"],
        "customer_name": ["Mary Jones", "", "", "", "", ""],
        "mrr": [10, 10, 20, 20, 20, 30],
        "rating": [1, 2, 3, 3, 3, 5],
        "plan": ["pro", "pro", None, "free", "free", "free"],
        "Company size": ["small", "small", "large", "large", "large", "large"],
    }
)


def taken(**fields):
    return take_in(Study(study="s", **fields), FRAME)


def test_what_answers_nothing_is_no_message_and_what_is_short_may_be_one():
    nothing = ["n/a", "N.A.", "none", " Nothing to add. ", "-", "…", "Rien à signaler", "RAS"]
    said = ["no", "Nothing works since Monday", "rien ne marche", "😀", "naan", "5", "sans fil"]
    intake = take_in(Study(study="x"), [*nothing, *said, "", "   " * 20])
    assert intake.empty == len(nothing) + 2
    assert sorted(message.text for message in intake.messages) == sorted(said)


def test_a_message_keeps_what_the_export_tells():
    messages = {message.id: message for message in taken().messages}
    assert set(messages) == {"a", "c", "d"}
    first = messages["a"]
    assert (first.row, first.revenue, first.rating, first.language) == (1, 120, 1, "en")
    assert first.date == datetime.date(2026, 9, 1)
    assert first.text == "Parcel is late, [NAME] [NAME]"
    assert first.words == "Parcel is late,"
    assert "k1" not in first.customer
    assert messages["d"].traits == {"plan": "free"}


def test_what_is_left_out_is_counted():
    intake = taken(end=datetime.date(2026, 9, 30))
    assert (intake.empty, intake.repeated, intake.outside, intake.cut) == (1, 1, 1, 0)
    assert taken().cut == 1


def test_an_id_that_says_two_things_loses_neither():
    """A ticket's second message bears the ticket's id too."""
    intake = taken()
    assert intake.shared == 1
    assert {message.text for message in intake.messages if message.id == "c"} == {
        "Mon colis est en retard",
        "and now it came broken",
    }
    assert len({message.uid for message in intake.messages}) == len(intake.messages) == 4


def test_columns_of_the_users_own_tell_customers_apart(tmp_path):
    path = tmp_path / "own.csv"
    FRAME.to_csv(path, index=False)

    def traits(*names):
        source = {"path": str(path), "segments": names}
        return {
            message.id: message.traits
            for message in take_in(Study(study="s", sources=[source])).messages
        }

    assert traits("Company size")["d"] == {"Company size": "large", "plan": "free"}
    with pytest.raises(DataError, match="Company age"):
        traits("Company age")


@pytest.mark.parametrize("role", ["agent", "Admin", "teammate", "Support agent", "bot"])
def test_what_the_own_people_answer_is_left_out_and_told(role):
    frame = pd.DataFrame(
        {
            "id": ["a", "b"],
            "text": ["Parcel is late", "We are sorry to hear that"],
            "author_type": ["user", role],
        }
    )
    intake = take_in(Study(study="s"), frame)
    assert [message.text for message in intake.messages] == ["Parcel is late"]
    (reading,) = intake.readings
    assert reading.rejected == 1
    assert repr(role) in repr(reading.rejections)


def test_ids_and_order_do_not_hang_on_the_order_of_rows():
    turned = take_in(Study(study="s"), FRAME.drop(index=3).iloc[::-1].copy())
    assert [message.uid for message in turned.messages] == [
        message.uid for message in taken().messages
    ]


def test_a_table_without_words_is_refused():
    with pytest.raises(DataError, match="name that column text"):
        take_in(Study(study="s"), pd.DataFrame({"id": [1], "amount": [2]}))


@pytest.mark.parametrize(
    ("text", "stated", "language"),
    [
        ("Die Lieferung kam viel zu spät und das Paket war kaputt", None, "de"),
        ("thanks", None, None),
        ("merci beaucoup", None, "fr"),
        ("merci", "en_GB", "en"),
        ("😀", None, None),
    ],
)
def test_languages(text, stated, language):
    from opslab.feedback.languages import identify

    assert identify([text], ("en", "fr"), [stated]) == [language]


def test_a_customers_key_hangs_on_the_secret_and_confirms_no_guess(monkeypatch):
    keys = {}
    for secret in ("the secret of one team", "the secret of another"):
        monkeypatch.setenv("OPSLAB_SECRET", secret)
        keys[secret] = [message.customer for message in taken().messages]
        assert keys[secret] == [message.customer for message in taken().messages]
        assert not set(keys[secret]) & {"k1", "k2", "k3"}
    first, second = keys.values()
    assert not set(first) & set(second)
    assert len(set(first)) == len(set(second)) == 3


def test_who_is_not_named_is_no_customer_and_an_address_is_one_everywhere():
    def keys(column, *names):
        frame = pd.DataFrame({"id": range(len(names)), "text": [f"text {n}" for n in names]})
        messages = take_in(Study(study="s"), frame.assign(**{column: names})).messages
        return {message.row: message.customer for message in messages}

    unnamed = keys("customer_id", "anonymous", "N/A", " - ", "A Google user", "c1", "C1 ")
    assert [unnamed[row] for row in (1, 2, 3, 4)] == [None] * 4
    assert unnamed[5] == unnamed[6] is not None
    mails = keys("email", "Anna@shop.example", "anna@shop.example ", "bob@shop.example")
    assert mails[1] == mails[2] != mails[3]


@pytest.mark.parametrize(("kind", "discontent"), [("NPS", 0.5), ("CES", None), ("CSAT", 0.0)])
def test_a_score_of_a_named_kind_of_survey_is_never_stars(kind, discontent):
    frame = pd.DataFrame({"id": [1], "text": ["late"], "score": [5], "survey_type": [kind]})
    (message,) = take_in(Study(study="s"), frame).messages
    assert (message.rating, message.score) == (None, 5)
    assert message.discontent == discontent


def test_a_nickname_of_everyday_words_is_no_person_for_the_whole_study():
    texts = [f"my card was refused and my refund {n} is late" for n in range(30)]
    frame = pd.DataFrame({"id": range(30), "text": texts, "author": ["Refund My Card"] * 30})
    frame.loc[0, "author"] = "Quill Zedd"
    assert take_in(Study(study="s"), frame).persons == {"quill", "zedd"}
