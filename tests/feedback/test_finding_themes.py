"""From feedback to a readable result: the sample against its truth, repetition, and every awkward input."""

import json
import random
import subprocess
import sys

import pandas as pd
import pytest

from conftest import ROOT
from opslab import feedback
from opslab.errors import DataError, SpecError
from opslab.feedback.analysis import FEWEST
from opslab.feedback.quality import LEAK, shared_information
from opslab.report.blocks import html

SPEC = ROOT / "data/sample/shop_feedback.yaml"


@pytest.fixture(scope="module")
def truth():
    return json.loads((ROOT / "data/sample/feedback_truth.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def result():
    return feedback.find_themes(study=feedback.Study.load(SPEC))


def standing(result):
    return [
        (message, place)
        for message, place in zip(result.intake.messages, result.places, strict=True)
        if place.theme
    ]


def test_themes_are_those_that_were_written(result, truth):
    pairs = [
        (truth["messages"][f"{one.source}/{one.id}"], place.theme)
        for one, place in standing(result)
    ]
    table = pd.crosstab(*[pd.Series(side) for side in zip(*pairs, strict=True)])
    assert table.max(axis=0).sum() / len(pairs) > 0.9  # nearly every theme is about one thing
    assert shared_information(pairs, 1) > 0.85
    assert 8 <= len(result.themes) <= 20


def test_both_languages_stand_in_the_same_themes(result):
    pairs = [(one.language, place.theme) for one, place in standing(result)]
    assert shared_information(pairs) < 0.05
    named = [theme.title for theme in result.themes[:6]]
    assert sum(" / " in title for title in named) >= 5
    assert "refund / remboursement" in named


def test_the_dial_is_kept_and_the_rest_has_its_reason(result):
    assert 0.75 < result.sorted / len(result.places) <= 0.8
    assert all((place.theme is None) == (place.reason is not None) for place in result.places)
    texts = [message.text for message in result.intake.messages[:150]]
    everything = feedback.find_themes(texts, feedback.Study(study="all", themes={"coverage": 1.0}))
    assert not {place.reason for place in everything.places} & {"between", "far"}


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
    assert sum(place.copy_of is not None for place in result.places) >= truth["planted"]["copies"]
    same = {
        message.uid: place.theme
        for message, place in zip(result.intake.messages, result.places, strict=True)
    }
    assert all(place.theme == same[place.copy_of] for place in result.places if place.copy_of)


def test_quotes_speak_both_languages_and_lead_back_to_the_source(result):
    for theme in result.themes:
        quoted = [result.intake.messages[place] for place in theme.quotes]
        if min(theme.languages.get("en", 0), theme.languages.get("fr", 0)) > 3:
            assert {message.language for message in quoted} == {"en", "fr"}
        assert all(message.id and message.row > 0 for message in quoted)
        assert len({message.uid for message in quoted}) == len(quoted)


NOTES = [
    f"{verb} the {thing} {when}"
    for verb in ("lost", "broke", "returned", "want")
    for thing in ("parcel", "lamp", "invoice")
    for when in ("today", "again", "on Monday")
]


def test_the_order_of_rows_changes_nothing():
    shuffled = random.Random(1).sample(NOTES, len(NOTES))
    first, second = feedback.find_themes(NOTES), feedback.find_themes(shuffled)
    labels = dict(zip(NOTES, first.labels, strict=True))
    assert labels == dict(zip(shuffled, second.labels, strict=True))


@pytest.mark.slow
def test_another_process_changes_nothing():
    code = "import sys, json\nfrom opslab import feedback\nprint(feedback.find_themes(json.load(sys.stdin)).labels)"
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
    found = feedback.find_themes(AWKWARD[name])
    assert len(found.labels) == len(AWKWARD[name])
    for language in ("en", "fr"):
        blocks = [block for part in found.sections(language).values() for block in part]
        page = str(
            html(
                [
                    found.first_screen(language),
                    *(block for block in blocks if not hasattr(block, "svg")),
                ]
            )
        )
        assert "<script>" not in page
        assert found.headline(language) in page or found.broken
    assert len(json.dumps(found.record(), allow_nan=False)) < 1_000_000
    assert set(found.files()) == {"themes.csv", "messages.csv", "audit.csv", "themes.xlsx"}


def test_few_texts_make_a_theme_only_by_repetition():
    found = feedback.find_themes(["The app crashes!"] * 6 + ["Nice"] * (FEWEST - 8))
    assert {theme.title for theme in found.themes} == {"app crashes", "Nice"} or len(
        found.themes
    ) == 2
    assert feedback.find_themes(["only once", "and this"]).labels == [None, None]


def test_formulas_do_not_run_in_the_tables():
    files = feedback.find_themes(["=HYPERLINK(1) now"] * 6).files()
    assert "'=HYPERLINK(1) now" in files["messages.csv"].decode("utf-8-sig")


def test_without_the_encoder_languages_part_and_the_panel_says_so():
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
    found = feedback.find_themes([*texts, *french], study)
    leak = next(check for check in found.checks if check.name == "leakage")
    assert leak.value > LEAK
    assert leak.status == "fail"
    assert found.broken
    assert found.record()["status"] == "check_failed"
    assert found.evidence() == []


def test_a_filled_in_sheet_becomes_a_precision(result, tmp_path):
    texts = [message.text for message in result.intake.messages[:200]]
    sheet = feedback.find_themes(texts).tables()["audit"]
    sheet["right"] = ["yes" if row % 10 else "no" for row in range(len(sheet))]
    sheet.to_csv(tmp_path / "audit.csv", index=False)
    study = feedback.Study(study="again", audit=str(tmp_path / "audit.csv"))
    again = feedback.find_themes(texts, study)
    assert (again.audit.judged, again.audit.right, again.audit.stale) == (120, 108, 0)
    light = next(check for check in again.checks if check.name == "audit")
    assert (light.status, round(light.value, 2)) == ("pass", 0.9)
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
    told = str(caught.value)
    for part in ("letter or digit", "two letters", "no regular expression"):
        assert part in told
    with pytest.raises(SpecError, match="no sources"):
        feedback.find_themes()
