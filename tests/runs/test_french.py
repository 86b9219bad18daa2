"""A French readout is wholly French: no English word is left in text, alt text or plots."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

from conftest import ROOT, make_workspace, page_of
from opslab import experiments
from opslab.cli import main
from opslab.messages import LANGUAGES, catalogue

WIDE = "\N{NO-BREAK SPACE}"
AREAS = sorted(path.stem for path in (ROOT / "src/opslab/messages/en").glob("*.toml"))
NAMES = {
    "opslab",
    "html",
    "csv",
    "sha",
    "parquet",
    "jupyterlab",
    "pandas",
    "polars",
    "arrow",
    "utf",
    "dd",
    "mm",
    "yyyy",
    "hh",
    "ss",
    "a",
    "b",
    "p",
    "r",
}
WORD = re.compile("[^\\W\\d_]+(?:['\u2019-][^\\W\\d_]+)*")


def words(text: str) -> set[str]:
    return {part for word in WORD.findall(text.lower()) for part in re.split("['\u2019-]", word)}


def words_of(language: str) -> set[str]:
    said = [
        re.sub(r"\{[^{}]*\}", " ", message)
        for area in AREAS
        for message in catalogue(language, area).values()
    ]
    plurals = re.findall(
        r":plural:([^{}]*)\}",
        " ".join(m for area in AREAS for m in catalogue(language, area).values()),
    )
    return words(" ".join([*said, *plurals]).replace("|", " "))


ENGLISH = words_of("en") - words_of("fr") - NAMES


# Names that are code in every language: options, notebooks and their cells.
CELLS = [
    cell["id"]
    for cell in json.loads((ROOT / "notebooks/experiment_readout.ipynb").read_text("utf-8"))[
        "cells"
    ]
]
CODE = words(" ".join([*CELLS, "timeout", "experiment_readout".replace("_", " ")]))


class Visible(HTMLParser):
    """What a reader sees or hears of a page, the folded code left out."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.hidden = 0
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.parts += [attributes.get(name) or "" for name in ("alt", "aria-label", "title")]
        self.hidden += tag in ("pre", "style")

    def handle_endtag(self, tag):
        self.hidden -= tag in ("pre", "style")

    def handle_data(self, data):
        if not self.hidden:
            self.parts.append(data)


def english_in(source: str) -> set[str]:
    return words(" ".join(Visible(source).parts)) & ENGLISH


def spec(**changes):
    return {
        "experiment": "bouton",
        "question": "Le bouton court aide-t-il ?",
        "owner": "croissance",
        "unit": "client",
        "arms": {"column": "bras", "control": "ancien", "weights": {"ancien": 1, "nouveau": 1}},
        "period": {"start": "2026-09-01", "end": "2026-09-28"},
        "metrics": [
            {
                "name": "achat",
                "type": "proportion",
                "column": "achat",
                "role": "primary",
                "goal": "increase",
                "mde": {"relative": 0.05},
            },
            {
                "name": "panier",
                "type": "mean",
                "column": "panier",
                "role": "secondary",
                "goal": "increase",
                "missing": "drop",
            },
            {
                "name": "attente",
                "type": "mean",
                "column": "attente",
                "role": "guardrail",
                "goal": "decrease",
                "margin": {"relative": 0.02},
            },
        ],
        **changes,
    }


def frame(n=2_000, gain=0.05, wait=0.0, lost=0):
    random = np.random.default_rng(1)
    new = np.arange(n) % 2 == 1
    data = pd.DataFrame(
        {
            "client": [f"c{place}" for place in range(n)],
            "bras": np.where(new, "nouveau", "ancien"),
            "achat": (random.random(n) < 0.3 + gain * new).astype(int),
            "panier": np.where(random.random(n) < 0.05, np.nan, random.normal(20, 5, n)),
            "attente": random.normal(500 + wait * new, 30, n),
        }
    )
    return data[~(new & (np.arange(n) < lost))]


SITUATIONS = {
    "better": {},
    "open": {"gain": 0.005},
    "worse": {"gain": -0.1},
    "harmed": {"wait": 30},
    "not shown safe": {"wait": 8},
    "broken": {"lost": 600},
    "small counts": {"n": 60},
    "no variation": {"gain": -0.3, "n": 4},
}


@pytest.mark.parametrize("situation", SITUATIONS.values(), ids=SITUATIONS)
def test_no_english_word_is_left_in_any_situation(situation):
    result = experiments.analyze(experiments.Experiment(**spec()), frame(**situation))
    assert not english_in(page_of(result, "fr"))
    for figure in result.figures("fr").values():
        plotted = " ".join(
            text.get_text() for text in figure.drawing.findobj(lambda one: hasattr(one, "get_text"))
        )
        assert not words(f"{plotted} {figure.alt} {figure.caption}") & ENGLISH


def test_the_check_finds_english_where_there_is_some():
    result = experiments.analyze(experiments.Experiment(**spec()), frame())
    assert len(english_in(result.first_screen("en")._repr_html_())) > 5


@pytest.mark.slow
def test_a_french_run_and_its_catalogue_and_a_failed_one(tmp_path, monkeypatch):
    folder = make_workspace(tmp_path / "espace")
    monkeypatch.chdir(folder)
    frame().to_csv(folder / "achats.csv", index=False)
    (folder / "bouton.yaml").write_text(
        yaml.safe_dump(spec(data={"path": "achats.csv"})), encoding="utf-8"
    )
    command = ["run", "experiment_readout", "-p", "spec=bouton.yaml", "-p", "language=fr"]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0, done.output
    failed = CliRunner().invoke(main, [*command, "--force", "--timeout", "1"])
    assert failed.exit_code == 4
    assert not words(failed.stderr.splitlines()[0]) & (ENGLISH - CODE)
    CliRunner().invoke(main, ["catalogue", "--language", "fr"])
    pages = [*(folder / "reports").glob("*/*/*/*.html"), folder / "reports" / "index.html"]
    assert len(pages) == 3
    for page in pages:
        source = page.read_text(encoding="utf-8")
        assert '<html lang="fr">' in source
        assert not english_in(source) - CODE, page.name


INVENTORY = """inventory: bureau
question: Que libère-t-on ?
owner: produit
date: 2026-10-05
contract_hours: 35
working_weeks: 44
horizon_months: 12
data: {path: taches.csv, decimal: point}
"""
TASKS = """task,role,initiative,people,frequency_low,frequency_high,minutes_low,minutes_high,\
reduction_low,reduction_high,adoption_low,adoption_high,basis
trier,chef,outil,4,1,2,10,20,20%,40%,50%,80%,devinette
"""
REFUSALS = {
    "unknown parameter": (["-p", "sepc=a"], "Il n'y a pas de paramètre sepc ; vouliez-vous dire"),
    "wrong day": (["-p", "as_of=hier"], "as_of : hier doit être une date, écrite AAAA-MM-JJ."),
    "no assignment": (["-p", "spec"], "spec n'est pas de la forme NOM=VALEUR ; écrivez"),
    "no spec": (["-p", "spec=rien.yaml"], "rien.yaml : Cette spécification est introuvable"),
    "no parameters": (["--params", "rien.yaml"], "rien.yaml : Cette spécification est introuv"),
    "empty spec": (["-p", "spec=vide.yaml"], "vide.yaml : La spécification est vide ; "),
    "wrong spec": (["-p", "spec=faux.yaml"], "faux.yaml, ligne 1, nom : Il n'y a pas de champ n"),
}


@pytest.mark.parametrize(("given", "said"), REFUSALS.values(), ids=REFUSALS)
@pytest.mark.parametrize(
    "notebook", ["business_case", "time_saved", "experiment_readout", "feedback_themes"]
)
def test_a_refusal_speaks_the_language_of_the_run(notebook, given, said, tmp_path, monkeypatch):
    monkeypatch.chdir(make_workspace(tmp_path / "espace"))
    for name, content in {"vide": "", "faux": "nom: a", "langue": "language: fr"}.items():
        (tmp_path / "espace" / f"{name}.yaml").write_text(content, encoding="utf-8")
    filed = ["--params", "langue.yaml"] if "--params" not in given else ["-p", "language=fr"]
    for language in (["-p", "language=fr"], filed):
        done = CliRunner().invoke(main, ["run", notebook, *language, *given])
        assert done.exit_code == 2
        assert said in done.stderr.replace(WIDE, " ")


def test_a_file_of_parameters_is_refused_in_the_language_that_it_asks_for(tmp_path, monkeypatch):
    monkeypatch.chdir(make_workspace(tmp_path / "espace"))
    (tmp_path / "espace" / "liste.yaml").write_text("language: fr\nspec: {a: b}", encoding="utf-8")
    done = CliRunner().invoke(main, ["run", "time_saved", "--params", "liste.yaml"])
    assert "doit contenir des lignes" in done.stderr


def test_missing_evidence_is_refused_in_the_language_of_the_run(tmp_path, monkeypatch):
    monkeypatch.chdir(folder := make_workspace(tmp_path / "espace"))
    shutil.rmtree(folder / "data" / "sample" / "runs")
    command = ["run", "business_case", "-p", "spec=data/sample/product_ops.yaml"]
    done = CliRunner().invoke(main, [*command, "-p", "language=fr"])
    assert done.exit_code == 2
    assert "Il n'y a pas d'exécution time_saved/product-desk" in done.stderr
    assert "ligne" in done.stderr
    assert " line " not in done.stderr


@pytest.mark.slow
def test_what_a_notebook_refuses_is_refused_in_the_language_of_the_run(tmp_path, monkeypatch):
    """The data are read in the kernel, whose error comes back as a text."""
    monkeypatch.chdir(folder := make_workspace(tmp_path / "espace"))
    (folder / "bureau.yaml").write_text(INVENTORY, encoding="utf-8")
    (folder / "taches.csv").write_text(TASKS.replace("\\\n", ""), encoding="utf-8")
    command = ["run", "time_saved", "-p", "spec=bureau.yaml"]
    for language, said in (
        ("fr", "ligne 2, basis («\N{NO-BREAK SPACE}devinette\N{NO-BREAK SPACE}»)"),
        ("en", "row 2, basis (“devinette”)"),
    ):
        done = CliRunner().invoke(main, [*command, "-p", f"language={language}"])
        assert done.exit_code == 2
        assert said in done.stderr
        failed = next((folder / "reports").glob("*/*/*.failed/failure.html"))
        assert said in " ".join(Visible(failed.read_text(encoding="utf-8")).parts)
        shutil.rmtree(folder / "reports")


@pytest.mark.parametrize("area", AREAS)
def test_every_message_is_there_in_both_languages(area):
    english, french = (catalogue(language, area) for language in LANGUAGES)
    assert set(english) == set(french)
