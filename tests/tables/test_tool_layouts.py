"""The layouts in which tools export feedback: each reads as an analyst expects, or asks which column it is.

The rows are ours; the headings are those of the profiles. A table with two rows of headings comes with each pair joined
by a slash, and a list of JSON objects with the names inside joined by points.
"""

import datetime
import os
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
import yaml
from exported import decided, refusal, rejected, values

from opslab.errors import DataError, SpecError
from opslab.experiments.data import Data
from opslab.feedback import find_themes
from opslab.feedback.intake import take_in
from opslab.feedback.spec import Source, Study
from opslab.messages import LANGUAGES
from opslab.report.import_report import lines
from opslab.tables import Answers, open_export, read_export
from opslab.tables.sheets import SheetFile as InventorySource

DAY = datetime.date(2026, 8, 13)


def intake(table, **answers):
    """Return what is taken in of a table of texts, as a file gives them."""
    frame = pd.DataFrame(table, dtype=object)
    return take_in(Study(study="s"), frame, Answers(**answers) if answers else None)


def messages(table, **answers):
    return sorted(intake(table, **answers).messages, key=lambda message: (message.row, message.id))


def values_of(caught):
    (problem,) = caught.value.problems
    return dict(vars(problem)["values"])


def columns(headings, *rows):
    return {
        name: list(cells) for name, cells in zip(headings, zip(*rows, strict=True), strict=True)
    }


INTERCOM = columns(
    (
        "Conversation ID",
        "Conversation started at (UTC)",
        "User name",
        "User email",
        "User ID",
        "Conversation rating",
        "Conversation remark",
        "First message",
    ),
    (
        "7001",
        "2026-08-13 10:00:00",
        "Mona Weiss",
        "mona@example.test",
        "k1",
        "4",
        "quick answer, thanks",
        "<p>The map &amp; the list differ</p><br/>",
    ),
    (
        "7002",
        "2026-08-14 10:00:00",
        "Omar Diaz",
        "omar@example.test",
        "k2",
        "",
        "",
        "<div class='x'>No sound</div>",
    ),
)
CANNY = columns(
    (
        "Post ID",
        "Title",
        "Details",
        "Board",
        "Status",
        "Author Email",
        "Votes",
        "Score",
        "MRR",
        "Created",
    ),
    (
        "c1",
        "Undo",
        "Let us undo a move",
        "Ideas",
        "open",
        "mona@example.test",
        "40",
        "3",
        "1200",
        "2026-08-13T09:00:00Z",
    ),
    (
        "c2",
        "Sound",
        "Louder please",
        "Ideas",
        "open",
        "omar@example.test",
        "2",
        "1",
        "0",
        "2026-08-14T09:00:00Z",
    ),
)
DELIGHTED = columns(
    (
        "Response ID",
        "Survey type",
        "Name",
        "Email",
        "Score",
        "Comment",
        "Response date",
        "Person ID",
        "Locale",
    ),
    (
        "1",
        "nps",
        "Mona Weiss",
        "mona@example.test",
        "6",
        "Too many clicks",
        "2026-08-13 09:00:00 -0700",
        "p1",
        "en",
    ),
    (
        "2",
        "nps",
        "Omar Diaz",
        "omar@example.test",
        "10",
        "Rien à redire",
        "2026-08-14 09:00:00 -0700",
        "p2",
        "fr",
    ),
)
HUBSPOT = columns(
    (
        "Record ID",
        "Survey name",
        "Survey type",
        "Rating",
        "Sentiment",
        "Response",
        "Submission date",
        "Associated contact IDs",
    ),
    ("91", "NPS", "NPS", "6", "Detractor", "Too many clicks", "2026-08-13 09:12", "p1"),
    ("92", "NPS", "NPS", "9", "Promoter", "It does the job", "2026-08-14 09:12", "p2"),
)
DISCOURSE = columns(
    (
        "topic_title",
        "categories",
        "is_pm",
        "post_raw",
        "post_cooked",
        "like_count",
        "url",
        "created_at",
    ),
    (
        "Login",
        "Bugs",
        "No",
        "The login **hangs**",
        "<p>The login <b>hangs</b></p>",
        "1",
        "https://f.test/t/1/1",
        "2026-08-13 09:12:00 UTC",
    ),
    (
        "Login",
        "Bugs",
        "No",
        "Same with me",
        "<p>Same with me</p>",
        "0",
        "https://f.test/t/1/2",
        "2026-08-14 09:12:00 UTC",
    ),
)
APP_STORE = columns(
    ("type", "id", "rating", "title", "body", "reviewerNickname", "createdDate", "territory"),
    (
        "customerReviews",
        "r1",
        "2",
        "Meh",
        "It hangs at start",
        "mo_w",
        "2026-08-13T09:12:00-07:00",
        "USA",
    ),
    (
        "customerReviews",
        "r2",
        "5",
        "Yes",
        "I use it daily",
        "omar",
        "2026-08-14T09:12:00-07:00",
        "FRA",
    ),
)
PRODUCTBOARD = columns(
    (
        "id",
        "title",
        "content",
        "source_origin",
        "source_record_id",
        "user_email",
        "company_name",
        "created_at",
        "features",
    ),
    (
        "n1",
        "Note 1",
        "<p>The map is late</p>&nbsp;",
        "zendesk",
        "1",
        "mona@example.test",
        "Acme",
        "2026-08-13T09:12:00Z",
        "Map",
    ),
    (
        "n2",
        "Note 2",
        "<ul><li>No sound</li></ul>",
        "zendesk",
        "2",
        "omar@example.test",
        "Acme",
        "2026-08-14T09:12:00Z",
        "",
    ),
)
ZENDESK_JSON = columns(
    (
        "url",
        "id",
        "created_at",
        "subject",
        "raw_subject",
        "description",
        "status",
        "requester_id",
        "satisfaction_rating.comment",
    ),
    (
        "https://z.test/1",
        "1",
        "2026-08-13T09:12:00Z",
        "Help",
        "Help",
        "The map is late",
        "closed",
        "55",
        "thanks",
    ),
    (
        "https://z.test/2",
        "2",
        "2026-08-14T09:12:00Z",
        "Help",
        "Help",
        "No sound",
        "closed",
        "56",
        "thanks",
    ),
)
ZENDESK_VIEW = columns(
    ("Id", "Requester", "Requester id", "Subject", "Created at", "First reply time in minutes"),
    ("1", "Mona Weiss", "55", "The map is late", "2026-08-13 09:12", "12"),
    ("2", "Omar Diaz", "56", "No sound", "2026-08-14 09:12", "9"),
)
LAYOUTS = {  # profile and table, texts, ids
    "intercom": (INTERCOM, ["The map & the list differ", "No sound"], ["7001", "7002"]),
    "canny": (CANNY, ["Undo. Let us undo a move", "Sound. Louder please"], ["c1", "c2"]),
    "delighted": (DELIGHTED, ["Too many clicks", "Rien à redire"], ["1", "2"]),
    "hubspot": (HUBSPOT, ["Too many clicks", "It does the job"], ["91", "92"]),
    "discourse": (
        DISCOURSE,
        ["The login **hangs**", "Same with me"],
        ["https://f.test/t/1/1", "https://f.test/t/1/2"],
    ),
    "app-store-api": (APP_STORE, ["Meh. It hangs at start", "Yes. I use it daily"], ["r1", "r2"]),
    "productboard": (PRODUCTBOARD, ["The map is late", "No sound"], ["n1", "n2"]),
    "zendesk-api": (ZENDESK_JSON, ["The map is late", "No sound"], ["1", "2"]),
    "zendesk": (ZENDESK_VIEW, ["The map is late", "No sound"], ["1", "2"]),
}
TYPEFORM = columns(
    (
        "#",
        "How likely are you to recommend us?",
        "Why that score?",
        "What is your email?",
        "Response Type",
        "Submit Date (UTC)",
        "Network ID",
    ),
    (
        "aa1",
        "9",
        "It does what we need it to do",
        "mona@example.test",
        "completed",
        "2026-08-13 09:12:00",
        "938f",
    ),
    (
        "aa2",
        "2",
        "The map is late every morning",
        "omar@example.test",
        "completed",
        "2026-08-14 09:12:00",
        "938f",
    ),
)
GOOGLE_FORMS = columns(
    ("Timestamp", "Email Address", "How satisfied are you?", "What could we do better?"),
    ("08/13/2026 9:12:00", "mona@example.test", "3", "The map is late every morning"),
    ("08/14/2026 9:12:00", "omar@example.test", "5", "Nothing, it does what we need"),
)
SURVEYMONKEY = columns(
    (
        "Respondent ID",
        "Collector ID",
        "Start Date",
        "End Date",
        "Email Address",
        "First Name",
        "What should we improve? / Open-Ended Response",
        "Which areas do you use? / Billing",
        "Which areas do you use? / Reports",
    ),
    (
        "118001",
        "446",
        "08/13/2026 09:12:00 AM",
        "08/13/2026 09:15:00 AM",
        "mona@example.test",
        "Mona",
        "The map is late every morning",
        "Billing",
        "",
    ),
    (
        "118002",
        "446",
        "08/14/2026 09:12:00 AM",
        "08/14/2026 09:15:00 AM",
        "omar@example.test",
        "Omar",
        "Nothing, it does what we need",
        "Billing",
        "Reports",
    ),
)
QUALTRICS = columns(
    (
        "StartDate",
        "Status / Response Type",
        "RecordedDate",
        "ResponseId",
        "RecipientEmail",
        "DistributionChannel",
        "UserLanguage",
        "Q1 / How likely are you to recommend?",
        "Q2 / What is the reason? Be frank.",
    ),
    (
        "2026-08-13 09:12:00",
        "IP Address",
        "2026-08-13 09:15:01",
        "R_1",
        "mona@example.test",
        "email",
        "EN",
        "10",
        "It does what we need it to do",
    ),
    (
        "2026-08-13 09:13:00",
        "Survey Preview",
        "2026-08-13 09:15:09",
        "R_2",
        "",
        "preview",
        "EN",
        "5",
        "just a test of ours",
    ),
    (
        "2026-08-14 09:12:00",
        "IP Address",
        "2026-08-14 09:15:01",
        "R_3",
        "omar@example.test",
        "email",
        "FR",
        "2",
        "La carte arrive en retard chaque matin",
    ),
)
SURVEYS = {  # profile: table, the question of the messages, ids
    "typeform": (TYPEFORM, "Why that score?", ["aa1", "aa2"]),
    "google-forms": (GOOGLE_FORMS, "What could we do better?", ["row 1", "row 2"]),
    "surveymonkey": (SURVEYMONKEY, "What should we improve?", ["118001", "118002"]),
    "qualtrics": (QUALTRICS, "Q2", ["R_1", "R_3"]),
}


# --- Tools whose messages have a place


@pytest.mark.parametrize("profile", LAYOUTS)
def test_a_layout_reads_from_the_path_alone(profile):
    table, texts, ids = LAYOUTS[profile]
    taken = messages(table)
    assert intake(table).readings[0].profile == profile
    assert [message.text for message in taken] == texts
    assert [message.id for message in taken] == ids
    assert [message.date for message in taken] == [DAY, DAY + datetime.timedelta(days=1)]
    told = profile == "discourse"  # it names nobody
    assert len({message.customer for message in taken} - {None}) == (0 if told else 2)


def test_a_remark_on_the_support_and_a_note_s_title_are_no_message():
    texts = " ".join(
        message.text
        for table in (INTERCOM, PRODUCTBOARD, ZENDESK_JSON)
        for message in messages(table)
    )
    assert "thanks" not in texts
    assert "Note" not in texts


def test_stars_are_stars_and_scores_of_ten_are_none():
    assert [message.rating for message in messages(INTERCOM)] == [4, None]
    assert [message.rating for message in messages(APP_STORE)] == [2, 5]
    for table in (DELIGHTED, HUBSPOT):
        assert [message.rating for message in messages(table)] == [None, None]
    assert [message.score for message in messages(HUBSPOT)] == [6, 9]


def test_votes_are_a_number_and_revenue_is_that_of_a_year():
    frame, _ = read_export(pd.DataFrame(CANNY))
    assert list(frame["votes"]) == [40, 2]
    assert [message.revenue for message in messages(CANNY)] == [14_400, 0]
    assert [message.rating for message in messages(CANNY)] == [None, None]


def test_likes_and_dislikes_are_two_messages_of_one_customer():
    table = columns(
        (
            "Review ID",
            "Title",
            "Star Rating",
            "What do you like best?",
            "What do you dislike?",
            "Reviewer Name",
            "Submitted At",
        ),
        ("8", "Good", "4.5", "The clear screens", "The slow map", "Mona W.", "2026-08-13"),
        ("9", "Fair", "3.0", "The price", "", "Omar D.", "2026-08-14"),
    )
    taken = intake(table)
    assert taken.readings[0].profile == "g2"
    assert {message.id: message.text for message in taken.messages} == {
        "8 likes": "The clear screens",
        "8 dislikes": "The slow map",
        "9 likes": "The price",
    }
    assert len({message.uid for message in taken.messages}) == 3
    assert len({message.customer for message in taken.messages}) == 2
    assert taken.rows == (("data", 1), ("data", 2))


SLACK = columns(
    ("type", "subtype", "user", "text", "ts", "thread_ts", "user_profile.real_name"),
    (
        "message",
        None,
        "U1",
        "<@U02> the map is late, see <https://a.test/x|this page>",
        "1786615920.000200",
        "1786615920.000200",
        "Mona Weiss",
    ),
    ("message", "channel_join", "U9", "<@U9> has joined", "1786615930.000200", None, ""),
    (
        "message",
        None,
        "U3",
        "no sound &lt;again&gt; <!here>",
        "1786615940.000200",
        None,
        "Omar Diaz",
    ),
    ("message", None, "U2", "same in <#C1|support>", "1786615960.000200", "1786615920.000200", ""),
    ("message", "bot_message", "B1", "Deployed", "1786615970.000200", None, ""),
)


def test_a_thread_is_one_message_and_joins_and_bots_are_left_out_and_told():
    taken = intake(SLACK)
    reading = taken.readings[0]
    assert reading.profile == "slack"
    assert rejected(reading) == [(2, "rejected_cell"), (5, "rejected_cell")]
    assert decided(reading)["decided_conversations"] == {"count": 1}
    assert reading.rows == 2
    texts = [message.text for message in sorted(taken.messages, key=lambda message: message.row)]
    assert texts == [
        "[HANDLE] the map is late, see this page same in support",
        "no sound <again> here",
    ]
    assert len({message.customer for message in taken.messages}) == 2


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("<p>One</p><p>two</p>", "One two"),
        ('<a href="https://a.test">the page</a>', "the page"),
        ("a &lt; b &amp; c", "a < b & c"),
        ("if x < y and y > z", "if x < y and y > z"),
        ("press <Enter> in <script>", "press <Enter> in <script>"),
        ("a <b and c> d", "a <b and c> d"),
    ],
)
def test_markup_is_known_by_its_form(written, seen):
    assert [message.text for message in take_in(Study(study="s"), [written]).messages] == [seen]


# --- Surveys: the questions are their own


@pytest.mark.parametrize("profile", SURVEYS)
def test_a_survey_asks_which_question_and_takes_the_answer(profile):
    table, question, ids = SURVEYS[profile]
    with pytest.raises(DataError) as caught:
        intake(table)
    (problem,) = caught.value.problems
    assert problem.key == "feedback.no_text_near"
    assert values_of(caught)["near"].startswith(question)
    proposed = {}
    for answer in values_of(caught)["answers"]:
        proposed |= yaml.safe_load(answer.strip("`"))
    for answers in (proposed, {"text": question}):
        taken = intake(table, **answers)
        assert taken.readings[0].profile == profile
        kept = sorted(taken.messages, key=lambda message: message.row)
        assert [message.id for message in kept] == ids
        assert [message.date for message in kept] == [DAY, DAY + datetime.timedelta(days=1)]
        assert len({message.customer for message in kept}) == 2


def test_preview_rows_of_a_survey_are_left_out_and_told():
    reading = intake(QUALTRICS, text="Q2").readings[0]
    assert rejected(reading) == [(2, "rejected_cell")]
    assert vars(reading.rejections[0])["values"]["cell"] == "Survey Preview"


# --- Which column holds sentences?

PLAIN = columns(
    ("Ticket #", "Opened", "Agent", "Contact", "State", "Notes of the customer", "Link"),
    (
        "T-1001",
        "2026-08-13",
        "Mona Weiss",
        "a@example.test",
        "waiting for customer",
        "The map is late every morning",
        "https://a.test/1",
    ),
    (
        "T-1002",
        "2026-08-14",
        "Omar Diaz",
        "b@example.test",
        "waiting for customer",
        "no sound",
        "https://a.test/2",
    ),
    (
        "T-1003",
        "2026-08-15",
        "Ana de la Cruz",
        "c@example.test",
        "waiting for customer",
        "",
        "https://a.test/3",
    ),
)


def proposed(table):
    with pytest.raises(DataError) as caught:
        intake(table)
    return values_of(caught).get("answers")


def test_a_table_of_no_tool_is_a_question_with_ready_lines():
    assert proposed(PLAIN) == [
        "`text: Notes of the customer`",
        "`id: 'Ticket #'`",
        "`date: Opened`",
        "`customer: Contact`",
    ]
    taken = intake(
        PLAIN, text="Notes of the customer", id="Ticket #", date="Opened", customer="Contact"
    )
    assert {message.id for message in taken.messages} == {"T-1001", "T-1002"}
    assert all(message.customer and message.date for message in taken.messages)


@pytest.mark.parametrize(
    "cells",
    [
        ["Le plan arrive trop tard", "pas de son du tout"],
        ["Die Karte kommt zu spät", "gar kein Ton"],
        ["地图每天早上都很慢", "没有声音"],
        ["الخريطة بطيئة كل صباح", "لا يوجد صوت"],
        ["Карта приходит поздно", "нет звука вообще"],
    ],
    ids=["fr", "de", "zh", "ar", "ru"],
)
def test_sentences_of_any_script_are_found(cells):
    table = {"x1": ["a1", "b2"], "Who": ["Ann Lee", "Bob Ray"], "Rückmeldung": cells}
    assert proposed(table)[0] == "`text: Rückmeldung`"


@pytest.mark.parametrize(
    "cells",
    [
        ["Ann Lee", "Bob Ray", "Cy Day"],
        ["ann@a.test", "bob@a.test", "cy@a.test"],
        ["https://a.test/one/two", "https://a.test/three", "www.b.test"],
        ["very satisfied", "very satisfied", "very satisfied"],
        ["2026-08-13", "2026-08-14", "2026-08-15"],
        ["12 Main St", "14 Main St", "16 Main St"],
        ["basic", "pro", "free"],
        ["", "", ""],
    ],
    ids=["names", "addresses", "links", "choices", "dates", "streets", "words", "nothing"],
)
def test_what_is_no_sentence_is_not_proposed(cells):
    with pytest.raises(DataError) as caught:
        intake({"a": ["1", "2", "3"], "x": cells})
    assert caught.value.problems[0].key == "feedback.no_text"


def test_the_question_is_the_same_from_a_path_and_in_opslab_profile(tmp_path, monkeypatch):
    monkeypatch.setenv("OPSLAB_WORKSPACE", str(tmp_path))
    path = tmp_path / "notes.csv"
    pd.DataFrame(PLAIN).to_csv(path, index=False)
    with pytest.raises(
        DataError, match=r"seem to be in “Notes of the customer”: say `text: Notes of the customer`"
    ):
        find_themes(path)
    with open_export(path) as table:
        for language, word in zip(LANGUAGES, ("seem to be in", "semblent être dans"), strict=True):
            assert f"{word} " in lines(table, language)[-1]
            assert "`text: Notes of the customer`" in lines(table, language)[-1]
    result = find_themes(path, answers=Answers(text="Notes of the customer"))
    assert len(result.labels) == 3
    with open_export(pd.DataFrame(CANNY)) as table:
        assert "seem to be" not in lines(table, "en")[-1]


def test_rows_that_are_no_messages_are_not_asked_about():
    table = columns(
        ("user_id", "variant", "remark"),
        ("1", "a", "a long walk through the plan"),
        ("2", "b", "another look at all of it"),
    )
    with pytest.raises(DataError) as caught:
        intake(table)
    assert caught.value.problems[0].key == "feedback.no_text"


# --- Answers


def test_a_heading_that_is_not_there_is_told_with_what_is():
    for answers in (
        {"text": "Notes of the custome"},
        {"score": {"column": "Notes of the custome", "from": 0, "to": 1}},
    ):
        error = refusal(
            lambda given=answers: read_export(pd.DataFrame(PLAIN), answers=Answers(**given)),
            "no_heading_near",
            engine=True,
        )
        assert "did you mean Notes of the customer?" in str(error)
        assert "Ticket #" in str(error)
    error = refusal(
        lambda: read_export(pd.DataFrame(PLAIN), answers=Answers(id="Zzz")),
        "no_heading",
        engine=True,
    )
    assert "Zzz" in str(error)


def test_who_wrote_is_personal_when_an_answer_names_it():
    answers = Answers(text="Notes of the customer", customer="Contact")
    frame, reading = read_export(pd.DataFrame(PLAIN), answers=answers, personal="drop")
    assert reading.personal == ("customer_id",)
    assert "customer_id" not in frame
    label = {
        message.source
        for message in take_in(
            Study(study="s"), pd.DataFrame(PLAIN), Source(path="", source="desk", text="State")
        ).messages
    }
    assert label == {"desk"}


def test_only_a_profile_says_that_a_thread_is_one_message():
    table = columns(
        ("thread", "text", "created_at"),
        ("a", "no sound", "2026-08-13"),
        ("a", "still none", "2026-08-14"),
    )
    assert [message.text for message in messages(table)] == ["no sound", "still none"]


def test_several_headings_make_one_message_in_their_order():
    table = columns(
        ("key", "title", "Bad", "Good"), ("1", "not asked", "slow map", "clear screens")
    )
    assert messages(table, text=["Good", "Bad"])[0].text == "clear screens. slow map"
    assert messages(table, text="Bad")[0].text == "slow map"


def test_a_question_asked_twice_is_one_text(tmp_path):
    path = tmp_path / "twice.csv"
    path.write_text("none,Why?,Why?\n1.5,too slow,and loud\n2.5,,\n3.5,,no sound\n")
    frame, reading = read_export(path, answers=Answers(text="Why?"))
    assert values(frame["text"]) == ["too slow\nand loud", None, "no sound"]
    assert decided(reading, "text")["decided_list"] == {"count": 2}
    assert list(frame["none"]) == [1.5, 2.5, 3.5]
    texts = [
        message.text for message in take_in(Study(study="s"), path, Answers(text="Why?")).messages
    ]
    assert sorted(texts) == ["no sound", "too slow and loud"]


def test_a_score_is_never_taken_for_stars():
    table = columns(("id", "comment", "rating"), ("1", "too slow", "9"), ("2", "fine by me", "3"))
    with pytest.raises(DataError) as caught:
        intake(table)
    assert caught.value.problems[0].key == "feedback.ask_score"
    assert "`score: {column: NPS, from: 0, to: 10}`" in str(caught.value)
    taken = messages(table, score={"column": "rating", "from": 0, "to": 10})
    assert [(message.rating, message.score) for message in taken] == [(None, 9), (None, 3)]
    off = {"column": "rating", "from": 0, "to": 5}
    error = refusal(lambda: messages(table, score=off), "off_scale")
    assert "row 1 is outside its scale" in str(error)
    table["rating"] = ["4", "3"]
    assert [message.rating for message in messages(table)] == [4, 3]


def test_words_where_a_number_or_a_date_is_looked_for_are_none(tmp_path):
    path = tmp_path / "plain.csv"
    path.write_text(
        "text,rating,date,mrr\ntoo slow,poor,04/03/2025,much\nno sound,good,05/03/2025,little\n"
    )
    taken = take_in(Study(study="s", start=DAY), path)
    assert [(message.rating, message.date, message.revenue) for message in taken.messages] == [
        (None, None, None)
    ] * 2
    kept = [decision for decision in taken.readings[0].decisions if decision.column == "date"]
    assert [decision.key for decision in kept] == ["tables.decided_kept_text"]


def test_answers_that_make_no_sense_for_a_table_are_refused_by_name():
    for spec in (Data, InventorySource):
        for name in ("text", "id", "date", "customer", "score"):
            with pytest.raises(SpecError, match=name):
                spec(path="x.csv", **{name: "y"})
    with pytest.raises(SpecError, match=r"score.to"):
        Source(path="x.csv", score={"column": "x", "from": 0})
    assert Source(path="x.csv", text="A").text == ("A",)


# --- Drafts


def test_a_draft_holds_the_answers_and_then_reads_the_file_by_its_name_alone(tmp_path, monkeypatch):
    from opslab.tables.exports import draft_profile

    monkeypatch.setenv("OPSLAB_WORKSPACE", str(tmp_path))
    path = tmp_path / "notes.csv"
    rows = "Ref;Opened;title;Price;What is wrong?;Also\nA-1;04/03/2026;x;1,234;the map is late;and slow\nA-2;05/03/2026;y;2,345;no sound at all;\n"
    path.write_text(rows, encoding="cp1252")
    answers = Answers(
        text=["What is wrong?", "Also"],
        id="Ref",
        date="Opened",
        day_first=True,
        decimal="comma",
        delimiter="semicolon",
    )
    written = yaml.safe_load(draft_profile(path, answers=answers).read_text("utf-8"))
    assert written["answers"] == {"day_first": True, "decimal": "comma", "delimiter": "semicolon"}
    assert written["columns"]["text"]["headers"] == ["What is wrong?"]
    taken = take_in(Study(study="s"), path, Answers(profile="notes"))
    assert {message.id: message.text for message in taken.messages} == {
        "A-1": "the map is late. and slow",
        "A-2": "no sound at all",
    }
    assert min(message.date for message in taken.messages) == datetime.date(2026, 3, 4)
    frame, reading = read_export(path, answers=Answers(profile="notes"))
    assert reading.profile == "notes"
    assert list(frame["price"]) == [1.234, 2.345]
    frame, _ = read_export(path, answers=Answers(profile="notes", decimal="point"))
    assert list(frame["price"]) == [1234, 2345]


def test_a_draft_holds_the_answers_of_the_layout(tmp_path, monkeypatch):
    from opslab.tables.exports import draft_profile

    monkeypatch.setenv("OPSLAB_WORKSPACE", str(tmp_path))
    path = tmp_path / "above.csv"
    path.write_text("Desk,Desk\nRef,Remark\nA-1,the map is late\nA-2,no sound at all\n")
    answers = Answers(text="Remark", id="Ref", header=2)
    written = yaml.safe_load(draft_profile(path, answers=answers).read_text("utf-8"))
    assert written["answers"] == {"header": 2}
    taken = take_in(Study(study="s"), path, Answers(profile="above"))
    assert sorted(message.id for message in taken.messages) == ["A-1", "A-2"]
    assert {message.text for message in taken.messages} == {"the map is late", "no sound at all"}


# --- The real layouts, where they are

CASES = (
    Path(
        os.environ.get("OPSLAB_REAL_DATA")
        or Path(__file__).resolve().parents[3] / "shared" / "data"
    )
    / "cases"
)
REAL = {  # profile, messages, customers (None where the file tells none), heading of the messages where it is asked
    "reviews_com.acme.app_202608.csv": ("app-store-reviews", 48, 0, None),
    "appstoreconnect_customerReviews.csv": ("app-store-api", 60, 1, None),
    "zendesk_view.csv": ("zendesk", 60, 60, None),
    "zendesk_tickets.json": ("zendesk-api", 60, 60, None),
    "intercom_conversations.csv": ("intercom", 60, 60, None),
    "productboard_notes.csv": ("productboard", 60, 60, None),
    "delighted_nps.csv": ("delighted", 60, 60, None),
    "hubspot_feedback.csv": ("hubspot", 60, 60, None),
    "typeform.csv": ("typeform", 60, 60, "What is the main reason for your score?"),
    "google_forms.csv": ("google-forms", 60, 60, "What could we do better?"),
    "g2_reviews.csv": ("g2", 120, 1, None),
    "appstoreconnect_api.json": ("app-store-api", 60, 1, None),
    "surveymonkey.csv": ("surveymonkey", 60, 60, "What should we improve? / Open-Ended Response"),
    "qualtrics.csv": (
        "qualtrics",
        60,
        60,
        "Q2 / What is the primary reason for your score? Be frank.",
    ),
    "discourse_user_archive.csv": ("discourse", 60, 0, None),
    "mails_banking600.csv": ("feedback", 600, 0, None),
    "h_lang.csv": ("feedback", 650, 0, None),
    "e_mix.csv": ("feedback", 415, 0, None),
}


def real(name):
    path = CASES / "feedback" / name
    if not path.is_file():
        pytest.skip(f"{name} is not there; name its folder in OPSLAB_REAL_DATA")
    return path


@pytest.mark.parametrize("name", REAL)
def test_a_real_layout_reads_as_it_should(name):
    profile, count, customers, question = REAL[name]
    data = real(name)
    if question:
        with pytest.raises(DataError, match="seem to be in") as caught:
            take_in(Study(study="s"), data)
        assert values_of(caught)["near"] == question
    taken = take_in(Study(study="s"), data, Answers(text=question) if question else None)
    assert taken.readings[0].profile == profile
    assert len(taken.messages) == count
    assert len({message.customer for message in taken.messages} - {None}) == customers
    assert not any("<p>" in message.text or "&nbsp;" in message.text for message in taken.messages)
    if profile != "feedback":
        assert all(message.date for message in taken.messages)
    assert Counter(message.language for message in taken.messages).most_common(1)[0][0] == "en"
