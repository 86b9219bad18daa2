"""One glossary for all areas: what is not to be said is not said, and a term has its twin in French."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

import opslab
from opslab.messages import LANGUAGES, catalogue

ROOT = Path(__file__).parents[1]
AREAS = sorted(
    path.stem for path in (Path(opslab.__file__).parent / "messages" / "en").glob("*.toml")
)
CODE = re.compile(
    r"`[^`]*`|\{[^{}]*\}|opslab \w+|--\w+|-p \w+|\b(?:per|type|missing|unit): \w+|\w+[.=_]\w+"
)
"""Fields of specs, commands and files, which are the same in both languages."""
PLURAL = re.compile(r"\{\w+:plural:([^{}|]*)\|([^{}|]*)\}")
_SPACE = r"\s"


class Term(NamedTuple):
    """A row of the glossary."""

    forms: dict[str, list[str]]
    refused: dict[str, list[str]]


def terms():
    """Return the rows of all tables of the glossary."""
    page = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and cells[1] != "English":
            forms = {
                language: [form for form in re.split(r", | \(|\)", cell) if form]
                for language, cell in zip(LANGUAGES, cells[1:3], strict=True)
            }
            refused = {language: [] for language in LANGUAGES}
            for part in filter(None, cells[3].split("; ")):
                language, _, listed = part.partition(": ")
                refused[language] += listed.split(", ")
            yield Term(forms, refused)


TERMS = list(terms())


def said(area, language):
    """Return the messages of an area, by name, both plural forms in them, without what is code."""
    return {
        name: CODE.sub(" ", PLURAL.sub(r"\1 \2", text))
        for name, text in catalogue(language, area).items()
    }


def has(form, text):
    """Say whether a text has a term, in the singular or the plural of each of its words."""
    words = [re.escape(word) + ("" if word[-1] in "sx" else "s?") for word in form.split(" ")]
    return re.search(rf"(?<!\w){_SPACE.join(words)}(?!\w)", text, re.IGNORECASE)


def test_the_glossary_has_a_term_in_each_language_for_each_thing():
    assert len(TERMS) > 60
    for language in LANGUAGES:
        firsts = [term.forms[language][0] for term in TERMS]
        assert all(firsts)
        assert len(set(firsts)) == len(firsts), "one word, one thing"
        everything = {form.casefold() for term in TERMS for form in term.forms[language]}
        refused = {form.casefold() for term in TERMS for form in term.refused[language]}
        assert not everything & refused


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_not_to_be_used_is_not_used(language):
    broken = [
        f"{area}.{name}: {form}"
        for area in AREAS
        for name, text in said(area, language).items()
        for term in TERMS
        for form in term.refused[language]
        if has(form, text)
    ]
    assert broken == []


PAIRED = {
    "NPV": "VAN",
    "IRR": "TRI",
    "ROI": "ROI",
    "payback": "récupér",
    "breakeven": "seuil de rentabilité",
    "kill threshold": "seuils? d'arrêt",
    "present value": "actualisé",
    "discount rate": "taux d'actualisation",
    "business case": "dossier de décision",
    "doing nothing": "ne rien faire",
    "cashable": "budgétaire",
    "value enabled": "valeur induite",
    "hours freed": "heures libérées",
    "freed hours": "heures libérées",
    "loaded hourly cost": "coûts? horaires? complets? chargé",
    "put to work": "réempl",
    "expected NPV": "VAN( moyenne)? attendue",
    "gate": "jalon",
    "stage": "phase",
    "assumption": "hypothèse",
    "scenarios": "scénarios",
    "guardrail": "garde-fou",
    "lift": "effets? relatifs?",
    "readout": "comptes? rendus?",
    "notebook": "cahier",
    "theme": "thème",
    "customer": "client",
    "unsorted": "classé",
    "planned share": "parts? prévue",
    "blocking check": "contrôle bloquant",
}
"""An English term, and what the French message of the same key must then have: a stem, by hand."""


@pytest.mark.parametrize(("english", "french"), PAIRED.items(), ids=PAIRED)
def test_where_english_has_a_term_french_has_its_own(english, french):
    pairs = [
        (f"{area}.{name}", said(area, "fr")[name])
        for area in AREAS
        for name, text in said(area, "en").items()
        if has(english, text)
    ]
    assert pairs or english == "IRR", "nothing to compare"
    assert [
        name
        for name, text in pairs
        if not re.search(french, text.replace("\xa0", " "), re.IGNORECASE)
    ] == []


def test_the_check_finds_what_it_looks_for():
    assert has("hard benefit", "ROI on hard benefits only")
    assert has("étape", "Approuver l'étape 1")
    assert has("dossier économique", "les dossiers économiques")
    assert not has("run", "la rune")
    assert not has("spec", CODE.sub(" ", "écrivez `spec: x`"))
