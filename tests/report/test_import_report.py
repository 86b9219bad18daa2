"""The import report: every decision in words of either language, and text from a file as text."""

from __future__ import annotations

import html
import re

import pytest

from opslab.messages import catalogue
from opslab.report import Voice
from opslab.report.import_report import decisions, import_report, rejections
from opslab.tables import Answers, open_export
from opslab.tables.import_report import Decision, Reading, Rejection

ENGLISH = Voice("en", "tables")
FRENCH_SHEET = (
    "Titre du rapport;;;\n"
    "Client;Créé le;Portée;Étiquette;Étiquette\n"
    "a@example.test;04/03/2026;1,5;neuf;\n"
    "b@example.test;25/03/2026;n/a;;beta\n"
    "trop;peu\n" + "c@example.test;26/03/2026;2,5;;\n" * 20
)


@pytest.fixture
def reading(tmp_path):
    path = tmp_path / "<b>export.csv"
    path.write_text(FRENCH_SHEET, encoding="cp1252")
    with open_export(path, answers=Answers(profile="none")) as table:
        return table.reading


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_page_tells_what_was_decided(reading, language):
    page = "".join(block._repr_html_() for block in import_report(reading, language))
    assert "<b>export" not in page
    assert "&lt;b&gt;export.csv" in page
    assert "Windows-1252" in page
    assert reading.sha256 in page
    said = html.unescape(re.sub(r"<[^>]+>", " ", page))
    expected = {
        "en": (
            "decimal comma, proven by 21 cells",
            "day first, proven by 21 dates",
            "1 line above the header",
            "2 columns with this heading read as one",
            "row 5 has 2 columns, the header 5",
            "Columns with personal data",
            "1 cell with a word that means nothing is there",
        ),
        "fr": (
            "virgule décimale, d'après 21 cellules",
            "jour en premier, d'après 21 dates",
            "1 ligne ignorée",
            "2 colonnes avec cet en-tête lues comme une seule",
            "la ligne 5 a 2 colonnes, l'en-tête 5",
            "Colonnes à données personnelles",
            "1 cellule avec un mot qui signale l'absence",
        ),
    }[language]
    assert [part for part in expected if part not in said] == []


def test_equal_decisions_stand_together_and_assumptions_are_marked():
    reading = Reading(
        "x.csv",
        "csv",
        1,
        2,
        decisions=(
            Decision("tables.decided_local", {}, "a"),
            Decision("tables.decided_local", {}, "b"),
            Decision(
                "tables.decided_first_assumed", {"first": "tables.first_day"}, "a", assumed=True
            ),
        ),
    )
    (first, second) = decisions(reading, ENGLISH)
    assert first == (["a", "b"], "times without a zone, kept as written", False)
    assert second[2]
    assert second[1].startswith("day first, because")
    assert second[1].endswith("(assumed)")


def test_only_the_first_rows_left_out_are_told_one_by_one():
    told = (Rejection(7, "tables.rejected_required", {"column": "key"}),)
    reading = Reading("x.csv", "csv", 1, 2, rejected=4, rejections=told)
    assert rejections(reading, ENGLISH) == ["row 7 has no key", "and 3 more"]


VALUES = {
    "bytes": 1,
    "cell": "x",
    "column": "a",
    "columns": 2,
    "count": 2,
    "decimal": "tables.decimal_comma",
    "first": "tables.first_day",
    "found": 1,
    "hours": 1.5,
    "kind": "tables.kind_date",
    "line": 3,
    "names": ["a", "b"],
    "place": 1,
    "question": "tables.kept_ask_decimal",
    "row": 2,
    "sheet": "s",
    "tool": "T",
    "other": "o",
    "zone": "Europe/Paris",
    "zones": ["UTC"],
    "series": 1,
    "moved": 1,
    "excluded": 1,
    "open_ended": 0,
    "heading": "h",
    "mark": ";",
    "sign": "'",
    "delimiter": "tables.delimiter_caret",
    "name": "attributes",
    "given": 9,
    "currency": "EUR",
    "unit": "tables.unit_minutes",
}


@pytest.mark.parametrize(
    "name",
    [name for name in catalogue("en", "tables") if name.startswith(("decided_", "rejected_"))],
)
def test_every_decision_can_be_told(name):
    if name in ("rejected_label", "rejected_more", "rejected_row"):
        return
    for language in ("en", "fr"):
        reading = Reading("x.csv", "csv", 1, 2, decisions=(Decision(f"tables.{name}", VALUES),))
        ((_, said, _),) = decisions(reading, Voice(language, "tables"))
        assert said
        assert "tables." not in said
