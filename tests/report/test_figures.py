"""Figures: the same bytes, spare ones; lines that fit."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure as Drawing

from opslab.report import figures

letters = st.text(alphabet="abcdefgéàW-%", min_size=1, max_size=12)
words = st.lists(letters, min_size=1, max_size=12)


@settings(deadline=None)
@given(words.map(" ".join), st.floats(0.6, 5))
def test_wrapped_lines_fit(said, inches):
    lines = figures.wrapped(said, inches, 10, most=3).splitlines()
    assert len(lines) <= 3
    assert all(figures.width_of(line, 10) <= inches for line in lines)
    if not any(line.endswith("…") for line in lines):
        assert " ".join(lines) == said


def test_a_figure_is_spare_and_the_same_each_time():
    def draw():
        with figures.style():
            drawing = Drawing(figsize=(3, 2))
            drawing.subplots().plot([0, 1], [0, 1 / 3], label="<!-- -->")
        return figures.Figure(drawing, alt="A line from 0 to 1.").svg()

    source = draw()
    assert source == draw()
    assert "<!--" not in source
    assert "<metadata" not in source or "date" not in source
    assert source.rstrip().endswith("</svg>")


def test_a_figure_without_alt_text_is_refused():
    with pytest.raises(ValueError, match="alt text"):
        figures.Figure(Drawing(), alt=" ")


def test_a_title_takes_the_lines_that_it_needs_and_the_axes_keep_their_height():
    with figures.style():
        short, axes = figures.framed("Short", 1.5)
        long, other = figures.framed("A finding that goes on and on " * 4, 1.5)
    assert long.get_figheight() > short.get_figheight()
    for drawing, body in ((short, axes), (long, other)):
        height = drawing.get_figheight() * body.get_position().height
        assert height == pytest.approx(1.5)
    (title,) = long.texts
    assert title.get_text().count("\n") == 2


def test_the_ground_is_white_so_that_a_dark_notebook_shows_the_words():
    with figures.style():
        drawing, _ = figures.framed("Short", 1.5)
    assert "fill: #ffffff" in figures.Figure(drawing, alt="Nothing.").svg()


def test_a_figure_tells_its_alt_text_its_caption_and_whether_it_is_half():
    with figures.style():
        whole, _ = figures.framed("Whole", 1.0)
        half, _ = figures.framed("Half", 1.0, width=figures.HALF)
    data, about = figures.Figure(whole, "Alt.", "Caption.")._repr_mimebundle_()
    assert data["text/plain"] == "Alt."
    assert about == {figures.SVG: {"alt": "Alt.", "caption": "Caption."}}
    _, about = figures.Figure(half, "Alt.")._repr_mimebundle_()
    assert about[figures.SVG]["half"]
