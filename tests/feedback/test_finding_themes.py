"""From feedback to a readable result: the sample against its truth, and every awkward input."""

import json
import random
import subprocess
import sys
from dataclasses import replace

import pandas as pd
import pytest

from conftest import ROOT
from opslab import feedback
from opslab.errors import DataError, SpecError
from opslab.feedback.checks import LEAK, shared_information
from opslab.feedback.clustering import FEWEST
from opslab.report.blocks import html

SPEC = ROOT / "data/sample/shop_feedback.yaml"


@pytest.fixture(scope="module")
def truth():
    return json.loads((ROOT / "data/sample/feedback_truth.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def result():
    return feedback.find_themes(study=feedback.Study.load(SPEC))


def inside(result):
    return [assignment for assignment in result.assignments if assignment.theme]


def test_themes_are_those_that_were_written(result, truth):
    pairs = [
        (truth["messages"][f"{each.message.source}/{each.message.id}"], each.theme)
        for each in inside(result)
    ]
    table = pd.crosstab(*[pd.Series(side) for side in zip(*pairs, strict=True)])
    assert table.max(axis=0).sum() / len(pairs) > 0.9  # nearly every theme is about one thing
    assert shared_information(pairs, 1) > 0.85
    assert 8 <= len(result.themes) <= 20


def test_both_languages_stand_in_the_same_themes(result):
    pairs = [(each.message.language, each.theme) for each in inside(result)]
    assert shared_information(pairs) < 0.05
    named = [theme.title for theme in result.themes[:6]]
    assert sum(" / " in title for title in named) >= 5
    assert any("refund" in title and "remboursement" in title for title in named)


def test_the_dial_is_kept_and_the_rest_has_its_reason(result):
    mains = [each.main for each in result.assignments]
    assert 0.75 < sum(main.theme is not None for main in mains) / len(mains) <= 0.8
    assert all((main.theme is None) == (main.reason is not None) for main in mains)
    assert result.sorted >= sum(main.theme is not None for main in mains)
    texts = [message.text for message in result.intake.messages[:150]]
    everything = feedback.find_themes(texts, feedback.Study(study="all", themes={"coverage": 1.0}))
    assert not {each.main.reason for each in everything.assignments} & {"between", "far"}


def test_personal_data_is_gone_from_everything_that_is_written(result, truth):
    written = json.dumps(result.record(), ensure_ascii=False) + b"".join(
        result.files().values()
    ).decode("utf-8", "ignore")
    for number in (
        "4111 1111",
        "1111 1111",
        "5698 7654",
        "0505 0001",
        "8a2e",
        "168 025",
        "320 00074",
        "example.com",
        "Lambert",
    ):
        assert number not in written
    planted = {
        kind: truth["planted"][kind]
        for kind in ("card", "iban", "nir", "siret", "ip", "email", "phone")
    }
    assert {kind: result.intake.redacted[kind] for kind in planted} == planted


def test_copies_and_spam_are_told_apart(result, truth):
    copies = [each for each in result.assignments if each.copy_of]
    assert len(copies) >= truth["planted"]["copies"]
    themes = {each.message.uid: each.theme for each in result.assignments}
    assert all(each.theme == themes[each.copy_of] for each in copies)


def test_quotes_speak_both_languages_and_lead_back_to_the_source(result):
    for theme in result.themes:
        if min(theme.languages.get("en", 0), theme.languages.get("fr", 0)) > 3:
            assert {message.language for message in theme.quotes} == {"en", "fr"}
        assert all(message.id and message.row > 0 for message in theme.quotes)
        assert len({message.uid for message in theme.quotes}) == len(theme.quotes)


NOTES = [
    f"{verb} the {thing} {when}"
    for verb in ("lost", "broke", "returned", "want")
    for thing in ("parcel", "lamp", "invoice")
    for when in ("today", "again", "on Monday")
]


def test_the_order_of_rows_changes_nothing():
    shuffled = random.Random(1).sample(NOTES, len(NOTES))
    labels, others = (feedback.find_themes(order).labels for order in (NOTES, shuffled))
    assert dict(zip(NOTES, labels, strict=True)) == dict(zip(shuffled, others, strict=True))


@pytest.mark.slow
def test_another_process_changes_nothing():
    code = """import sys, json
from opslab import feedback
print(feedback.find_themes(json.load(sys.stdin)).labels)"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(NOTES),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(feedback.find_themes(NOTES).labels)


AWKWARD = {
    "nothing": [],
    "one": ["Bonjour"],
    "five": ["ok", "😀", "!!", "merci", "Bien"],
    "fifty": [
        f"message {n} about {('parcels', 'refunds', 'login')[n % 3]} being slow, {n * n % 11}"
        for n in range(50)
    ],
    "all the same": ["The app crashes"] * 50,
    "emoji": ["😀🎉"] * 60,
    "another language": [
        f"Die Lieferung kam {a} zu spät und war {b}"
        for a in ("viel", "heute", "oft", "wieder", "nur")
        for b in ("kaputt", "offen", "nass", "leer", "weg")
    ],
    "very long": ["word " * 20_000] + [f"hello world {n}, a fine thing {n * 7}" for n in range(30)],
    "hostile": [
        "<script>alert(1)</script> =cmd|' /C calc'!A0",
        "=HYPERLINK(1)",
        "\ud800 broken \x00 \x1b[31m",
        " \u202e ",
    ],
}


@pytest.mark.parametrize("name", AWKWARD)
def test_every_input_gives_a_page(name):
    result = feedback.find_themes(AWKWARD[name])
    assert len(result.labels) == len(AWKWARD[name])
    for language in ("en", "fr"):
        blocks = [
            block
            for part in feedback.FeedbackResult.PARTS
            for block in getattr(result, part).blocks(language)
        ]
        page = str(
            html(
                [
                    result.first_screen(language),
                    *(block for block in blocks if not hasattr(block, "svg")),
                ]
            )
        )
        assert "<script>" not in page
        assert result.headline(language) in page or result.broken
    assert len(json.dumps(result.record(), allow_nan=False)) < 1_000_000
    files = {"themes.csv", "messages.csv", "audit.csv", "themes.xlsx", "registry.json"}
    assert set(result.files()) == files


def test_few_texts_make_a_theme_only_by_repetition():
    result = feedback.find_themes(["The app crashes!"] * 6 + ["Your prices"] * (FEWEST - 8))
    assert {theme.title for theme in result.themes} == {"The app crashes", "Your prices"}
    assert feedback.find_themes(["only once", "and this"]).labels == [None, None]


def test_praise_alone_is_counted_and_is_no_theme():
    praise = ["Great app!", "Super appli, merci", "love it", "Top"]
    result = feedback.find_themes(["The app crashes!"] * 6 + praise * 3)
    assert [theme.title for theme in result.themes] == ["The app crashes"]
    assert [each.main.reason for each in result.assignments].count("praise") == 12
    assert result.themes[0].messages == 6
    assert result.check("coverage").value == 1.0  # of what says something
    words = repr(result.themes)
    assert "12 messages only praise or give thanks (67% of all)" in " ".join(words.split())


def test_groups_and_their_themes_are_a_tree_with_names_of_their_own(result):
    together = [group for group in result.groups if len(group.themes) > 1]
    titles = [theme.title for theme in result.themes]
    assert together
    for group in together:
        inside = [each for each in result.assignments if each.themes & set(group.themes)]
        assert group.messages == len(inside)
        assert group.title not in titles
        assert group.interval[0] <= group.share <= group.interval[1]
    (table,) = [block for block in result.themes.blocks("en") if hasattr(block, "groups")]
    heads = [group.head.text for group in table.groups]
    assert heads == [group.called("en") for group in together]
    rows = [*table.rows, *(row for group in table.groups for row in group.rows)]
    assert sorted(row[0].text for row in rows) == sorted(
        each.called("en") for each in result.themes
    )


def test_parts_show_themselves_in_the_language_of_the_run(result):
    french = replace(result, language="fr")
    assert repr(french.checks).startswith("Quel degré de certitude\u00a0?\n")
    theme = result.themes[0]
    for spoken in (result, french):
        say = spoken.voice()
        share = f"{say.percent(theme.share)} ({say.range(*map(say.percent, theme.interval))})"
        words = " ".join(repr(spoken.themes).split(" ")).replace("\n", " ")
        assert share in words
        assert theme.called(spoken.language) in words
    assert theme.called("fr") != theme.called("en")
    assert repr(result) == f"<FeedbackResult: {result.headline()}>"
    assert set(french.figures) == {"shares", "whom"}
    assert french.figures["whom"].caption.startswith("Chaque case")
    assert french.record() == result.record()
    assert french == result


def test_a_study_speaks_both_languages():
    study = feedback.Study(
        study={"en": "shop", "fr": "boutique"},
        title={"en": "What our shops hear", "fr": "Ce qu'entendent nos boutiques"},
        question={"en": "What is said?", "fr": "Que dit-on ?"},
    )
    result = feedback.find_themes(["The app crashes"] * 6, study, language="fr")
    french, english = result.first_screen(), result.first_screen("en")
    assert (french.title, french.question) == ("Ce qu'entendent nos boutiques", "Que dit-on ?")
    assert (english.title, english.question) == ("What our shops hear", "What is said?")
    assert result.record()["plan"]["question"] == "What is said?"
    assert study.slug == "shop"


def test_formulas_do_not_run_in_the_tables():
    files = feedback.find_themes(["=HYPERLINK(1) now"] * 6).files()
    assert "'=HYPERLINK(1) now" in files["messages.csv"].decode("utf-8-sig")


def test_without_the_encoder_languages_part_and_the_checks_say_so():
    texts = [
        f"{a} {b}"
        for a in ("my parcel is late", "where is my parcel", "refund please", "I want a refund")
        for b in ("today", "again", "now", "still", "since May", "really")
    ]
    french = [
        f"{a} {b}"
        for a in (
            "mon colis est en retard",
            "où est mon colis",
            "remboursement svp",
            "je veux un remboursement",
        )
        for b in ("hier", "encore", "vite", "toujours", "depuis mai", "vraiment")
    ]
    study = feedback.Study(study="s", themes={"encoder": "lsa", "coverage": 1.0})
    result = feedback.find_themes([*texts, *french], study)
    leak = result.check("leakage")
    assert leak.value > LEAK
    assert leak.status == "fail"
    assert leak.blocking
    assert result.broken
    assert result.record()["status"] == "check_failed"
    assert result.evidence() == []
    free = feedback.Study(study="s", blocking=[], themes=study.themes.model_dump())
    again = feedback.find_themes([*texts, *french], free)
    assert again.check("leakage").status == "fail"
    assert not any(check.blocking for check in again.checks)
    assert not again.broken


def test_a_filled_in_sheet_becomes_a_precision(result, tmp_path):
    texts = [message.text for message in result.intake.messages[:200]]
    first = feedback.find_themes(texts)
    sheet = first.tables()["audit"]
    sheet["right"] = ["yes" if row % 10 else "no" for row in range(len(sheet))]
    sheet.to_csv(tmp_path / "audit.csv", index=False)
    study = feedback.Study(study="again", audit=str(tmp_path / "audit.csv"))
    again = feedback.find_themes(texts, study)
    sure = {each.message.uid for each in first.assignments if each.theme}
    judged = sheet[sheet["message"].isin(sure)]["right"].eq("yes")  # the others are unsorted
    assert (again.audit.judged, again.audit.right) == (len(judged), judged.sum())
    assert again.audit.judged >= 100
    assert again.audit.stale == 0
    check = again.check("audit")
    assert (check.status, round(check.value, 2)) == ("pass", 0.9)
    (tmp_path / "audit.csv").write_text("message,right\nx,yes\n")
    with pytest.raises(DataError, match="lacks theme"):
        feedback.find_themes(["a"], study)


def test_mistakes_in_a_study_are_told_at_once(tmp_path):
    (tmp_path / "bad.yaml").write_text(
        "study: '!'\nlanguages: [english]\nredact: {patterns: {a: '(', b: 'x*'}}\n",
        encoding="utf-8",
    )
    with pytest.raises(SpecError) as caught:
        feedback.Study.load(tmp_path / "bad.yaml")
    for part in ("letter or digit", "two letters", "not a regular expression"):
        assert part in str(caught.value)
    with pytest.raises(SpecError, match="no sources"):
        feedback.find_themes()


def test_what_many_say_in_the_same_words_is_a_theme_though_it_is_like_no_other(result):
    """Copies are one text, which has no neighbours; it must not be left out as far from all."""
    texts = [message.text for message in result.intake.messages[:200]]
    said = "Trop cher pour nos écoles"
    again = feedback.find_themes([*texts, *[said] * 60])
    labels = again.labels[200:]
    assert labels[0] is not None
    assert set(labels) == {labels[0]}
    theme = again.theme(labels[0])
    assert theme.messages == 60
    assert theme.share == pytest.approx(60 / 260)
    assert theme.title == said


def test_what_many_customers_report_in_like_words_is_no_template():
    pages = ["login", "payment", "basket", "search", "account", "returns", "order", "start"]
    days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"]
    texts = [
        f"The app crashes as soon as I open the {page} page since the last update of {day}"
        for page in pages
        for day in days
    ]
    frame = pd.DataFrame({"id": [*range(40)], "text": texts})
    one = feedback.find_themes(frame.assign(customer_id="robot"))
    assert {each.main.reason for each in one.assignments} >= {"template"}
    many = feedback.find_themes(frame.assign(customer_id=[f"c{at}" for at in range(40)]))
    assert "template" not in {each.main.reason for each in many.assignments}
    assert sum(each.theme is not None for each in many.assignments) >= 32


def test_an_audit_in_which_most_are_wrong_is_red(result, tmp_path):
    texts = [message.text for message in result.intake.messages[:200]]
    sheet = feedback.find_themes(texts).tables()["audit"].assign(right="no")
    sheet.to_csv(tmp_path / "audit.csv", index=False)
    study = feedback.Study(study="again", audit=str(tmp_path / "audit.csv"))
    again = feedback.find_themes(texts, study)
    assert again.check("audit").status == "fail"
    judged = {each.message for each in again.audit.judgements}
    assert not [each for each in again.assignments if each.message.uid in judged and each.theme]


def test_a_renamed_theme_changes_no_share(result, tmp_path):
    """Not even where a theme was given up as too small, and its texts have another nearest one."""
    path = tmp_path / "themes.csv"
    texts = [message.text for message in result.intake.messages[:300]]
    plain = feedback.find_themes(texts, feedback.Study(study="s", themes={"smallest": 12}))
    sheet = plain.tables()["themes"]
    sheet.loc[sheet["theme"] == "T01", "rename"] = "Our own name"
    sheet.to_csv(path, index=False)
    study = feedback.Study(study="s", themes={"smallest": 12}, audit=str(path))
    named = feedback.find_themes(texts, study)
    assert named.theme("T01").title == "Our own name"
    assert [(each.id, each.share, each.interval) for each in named.themes] == [
        (each.id, each.share, each.interval) for each in plain.themes
    ]
    assert named.labels == plain.labels


def test_a_column_of_choices_is_not_taken_for_messages_without_a_word():
    """Themes of five repeated values are perfectly stable, and no words of customers."""
    choices = ["Billing issue", "Login issue", "Delivery delay", "Feature request", "Refund"]
    light = feedback.find_themes(choices * 40).check("furniture")
    assert (light.status, light.detail.key) == ("warn", "feedback.furniture_copies")
    said = [f"{choice} since day {word}" for choice in choices for word in "abcdefgh"]
    assert feedback.find_themes(said).check("furniture").detail.key != light.detail.key
