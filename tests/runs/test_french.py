"""A French readout is wholly French: no English word is left in text, alt text or plots."""

from __future__ import annotations

import json
import re
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


@pytest.mark.parametrize("area", AREAS)
def test_every_message_is_there_in_both_languages(area):
    english, french = (catalogue(language, area) for language in LANGUAGES)
    assert set(english) == set(french)
