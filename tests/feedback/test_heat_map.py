"""The map of themes by trait: what it writes, what stays blank, and that it never grows."""

import numpy as np
import pytest

from opslab.feedback.contrasts import contrasts
from opslab.feedback.heat_map import heat_map
from opslab.report.voice import Voice


def rows_of(themes, values, each, louder=0.0, seed=1):
    rng = np.random.default_rng(seed)
    trait = np.repeat(values, each)
    theme = rng.integers(0, themes, len(trait))
    theme[(trait == values[0]) & (rng.random(len(trait)) < louder)] = 0
    inside = theme[:, None] == np.arange(themes)
    return contrasts(inside, {"plan": trait.tolist()}, ["s"] * len(trait), [None] * len(trait))


def titles(*names):
    return dict(enumerate(names))


def written(figure):
    (axes,) = figure.drawing.axes
    return [text.get_text() for text in axes.texts]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_title_is_the_finding_and_the_cells_say_their_numbers(language):
    rows = rows_of(3, ["free", "team"], 60, louder=0.8)
    figure = heat_map(
        rows,
        "plan",
        ["free", "team"],
        titles("login", "invoice", "export"),
        Voice(language, "feedback"),
    )
    cell = rows.query("theme == 0 and value == 'free'").iloc[0]
    percent = Voice(language, "feedback").percent
    title = " ".join(text.get_text() for text in figure.drawing.texts).replace("\n", " ")
    for number in (cell["share"], cell["elsewhere"]):
        assert percent(number, 0) in title
    assert "login" in title
    assert len(written(figure)) == 6
    assert all(words in figure.alt for words in written(figure))
    assert figure.svg().startswith("<svg") or "<svg" in figure.svg()


def test_too_few_customers_stay_blank_with_a_sign():
    rows = rows_of(2, ["free", "team"], 60)
    figure = heat_map(
        rows, "plan", ["free", "team", "rare"], titles("login", "invoice"), Voice("en", "feedback")
    )
    assert [text == Voice("en", "feedback").none for text in written(figure)] == [
        False,
        False,
        True,
    ] * 2
    assert "No theme clearly comes up more" in figure.drawing.texts[0].get_text().replace("\n", " ")


def test_at_most_eight_themes_and_eight_values():
    values = [f"v{number}" for number in range(12)]
    rows = rows_of(11, values, 40)
    figure = heat_map(
        rows, "plan", values, titles(*(f"theme {n}" for n in range(11))), Voice("en", "feedback")
    )
    assert len(written(figure)) == 64
    assert "theme 8" not in figure.alt
    assert "v8" not in figure.alt
