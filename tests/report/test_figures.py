"""Figures: the same bytes, spare ones; lines that fit."""

from __future__ import annotations

import base64
import gc
import re
from itertools import pairwise

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure as Drawing
from PIL import Image

from opslab import report
from opslab.errors import ParameterError
from opslab.figure_set import Figures
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


def lightness(colour):
    """Return CIE L* of a colour, by the formula of CIE 15."""
    channels = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in to_rgb(colour)
    ]
    luminance = sum(
        weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), channels, strict=True)
    )
    return 116 * luminance ** (1 / 3) - 16


def test_the_first_six_colours_are_told_apart_in_grey():
    light = sorted(map(lightness, figures.CYCLE[:6]))
    assert min(after - before for before, after in pairwise(light)) > 6.5
    assert lightness(figures.CYCLE[1]) - lightness(figures.CYCLE[0]) > 24  # two arms
    assert len(set(figures.CYCLE)) == 8


@pytest.fixture
def settings_kept():
    with mpl.rc_context():
        yield


def test_called_in_a_cell_the_style_stays_and_seaborn_heeds_it(settings_kept):
    seaborn = pytest.importorskip("seaborn")
    seaborn.set_theme()
    assert figures.style()._ipython_display_() is None
    gc.collect()
    table = pd.DataFrame({"arm": ["a", "b", "c"] * 2, "value": [1.0, 2, 3, 3, 5, 4]})
    axes = seaborn.barplot(table, x="arm", y="value", hue="arm", saturation=1)
    bars = [to_hex(bar.get_facecolor()) for bar in axes.patches[:3]]
    assert bars == [*figures.CYCLE[:3]]
    assert {line.get_linestyle() for line in axes.lines} == {"-"}  # its error bars
    assert not axes.spines["top"].get_visible()
    assert axes.xaxis.label.get_fontfamily() == ["opslab letters"]
    plt.close(axes.figure)


def test_as_a_context_the_style_leaves_what_was_set_before(settings_kept):
    mpl.rcParams["lines.linewidth"] = 7.5
    before = dict(mpl.rcParams.copy())
    with figures.style():
        assert mpl.rcParams["lines.linewidth"] == mpl.rcParamsDefault["lines.linewidth"]
        assert not mpl.rcParams["text.parse_math"]
    assert dict(mpl.rcParams.copy()) == before


def drawn_by(name):
    seaborn = pytest.importorskip("seaborn")
    table = pd.DataFrame({"x": [1.0, 2, 3, 4], "y": [2.0, 1, 4, 3], "arm": ["a", "b", "a", "b"]})
    match name:
        case "axes":
            return table.plot.scatter(x="x", y="y")
        case "figure":
            return table.plot.scatter(x="x", y="y").figure
        case "FacetGrid":
            return seaborn.relplot(table, x="x", y="y", col="arm")
        case "JointGrid":
            return seaborn.jointplot(table, x="x", y="y")
        case "PairGrid":
            return seaborn.pairplot(table)
        case "ClusterGrid":
            return seaborn.clustermap(table[["x", "y"]])


@pytest.mark.parametrize(
    "name", ["axes", "figure", "FacetGrid", "JointGrid", "PairGrid", "ClusterGrid"]
)
def test_a_drawing_of_ones_own_is_shown_once_with_its_alt_text(settings_kept, name):
    figures.style()
    shown = report.figure(drawn_by(name), alt="Four points.", caption="Mine")
    assert plt.get_fignums() == []
    data, about = shown._repr_mimebundle_()
    assert data[figures.SVG].startswith("<?xml")
    assert data["text/plain"] == "Four points."
    assert about[figures.SVG]["alt"] == "Four points."
    assert about[figures.SVG]["caption"] == "Mine"
    assert shown.svg() == data[figures.SVG]


@pytest.mark.parametrize("given", [None, 5, [1, 2], "x"])
def test_what_is_no_drawing_is_refused(given):
    with pytest.raises(ParameterError, match="takes a matplotlib figure"):
        report.figure(given, alt="x")


def test_a_legend_beside_the_axes_is_in_the_picture_and_a_logarithmic_axis_has_its_powers():
    """A formula of matplotlib's own would stand there as its source."""
    _, axes = plt.subplots(figsize=(3, 2))
    axes.plot([1, 2], [1, 1e6], label="a")
    axes.set_yscale("log")
    axes.legend(bbox_to_anchor=(1.6, 1))
    shown = report.figure(axes, alt="x")
    assert all(label.get_parse_math() for label in axes.get_yticklabels())
    width = float(re.search(r'width="([\d.]+)pt"', shown.svg())[1])
    assert width > 3.3 * 72


def test_a_figure_of_very_many_points_is_a_picture_of_dots(monkeypatch):
    monkeypatch.setattr(figures, "MOST_SVG", 100)
    _, axes = plt.subplots()
    shown = report.figure(axes, alt="x")
    data, about = shown._repr_mimebundle_()
    assert base64.b64decode(data["image/png"]) == shown.png()
    assert about == {"image/png": {"alt": "x", "caption": ""}}


def test_figures_are_saved_by_the_suffix_the_same_each_time(tmp_path):
    with figures.style():
        drawing, _ = figures.framed("Short", 1.5)
    shown = figures.Figure(drawing, "x")
    paths = [shown.save(tmp_path / "new" / name) for name in ("a.svg", "a.png", "b.png")]
    assert paths[0].read_text("utf-8") == shown.svg()
    assert paths[1].read_bytes() == paths[2].read_bytes()
    with Image.open(paths[1]) as picture:
        assert picture.format == "PNG"
        assert picture.width == pytest.approx(200 * drawing.get_figwidth(), abs=1)
    with pytest.raises(ParameterError, match=r"a\.pdf: a figure is saved as \.svg or as \.png"):
        shown.save("a.pdf")


@pytest.mark.parametrize("form", ["svg", "png"])
def test_the_figures_of_a_result_are_saved_by_name(tmp_path, form):
    with figures.style():
        drawn = {
            name: figures.Figure(figures.framed(name, 1.0)[0], name) for name in ("lift", "days")
        }
    saved = Figures(lambda _: drawn, "en").save(tmp_path, form)
    assert saved == [tmp_path / f"lift.{form}", tmp_path / f"days.{form}"]
    assert len({path.read_bytes() for path in saved}) == 2
