"""The one drawing: words and numbers in the reader's language, and lines where they belong."""

import pytest
from matplotlib.lines import Line2D
from matplotlib.text import Text

from opslab.messages.numbers import Numbers
from opslab.report.drawing import Row, chart, ticks
from opslab.report.figures import BLUE, GREY, Figure

MINUS = "\N{MINUS SIGN}"
ROWS = [
    Row("a rather long label " * 14, "1,200", [(0.0, 1200.0, BLUE)]),
    Row("less", f"{MINUS}200", [(1000.0, 1200.0, GREY)], point=1100.0),
]


def drawn(*rows, language="en", **more):
    return chart("What was found", rows or ROWS, "hours a year", Numbers(language), **more)


def words(drawing):
    return [text.get_text() for text in drawing.findobj(Text) if text.get_text()]


def lines(drawing):
    return [(list(line.get_xdata()), line) for line in drawing.findobj(Line2D)]


def test_every_word_is_there_and_one_too_long_for_three_lines_is_cut():
    said = words(drawn())
    assert {"What was found", "less", "1,200", f"{MINUS}200", "hours a year", "500"} <= set(said)
    (cut,) = [text for text in said if text.startswith("a rather")]
    assert cut.count("\n") == 2
    assert cut.endswith("…")


def test_a_label_takes_the_lines_it_needs_and_pushes_what_follows_down():
    label = "Margin lost with each week that a product decision waits for its answer"
    wide = Row(label, "pays above €1,468 a week", [(0.0, 1.0, BLUE)])
    said = [text.replace("\n", " ") for text in words(drawn(wide))]
    assert label in said
    short = Row("less", wide.value, wide.segments)
    assert drawn(wide).get_figheight() > drawn(short).get_figheight()


@pytest.mark.parametrize(
    ("more", "language", "tick"),
    [
        ({}, "fr", "1\u202f000"),
        ({"percent": True}, "en", "100,000%"),
        ({"signed": True}, "en", "+1,000"),
        ({"percent": True, "signed": True}, "fr", "+100\u202f000\u202f%"),
    ],
)
def test_ticks_are_written_as_the_reader_writes(more, language, tick):
    assert tick in words(drawn(language=language, **more))


@pytest.mark.parametrize(
    ("frame", "expected", "written"),
    [
        ((-0.31, 0.31), [-0.2, 0.0, 0.2], [f"{MINUS}0.2", "0", "+0.2"]),
        ((-0.1, 10.5), [0.0, 2.0, 4.0, 6.0, 8.0], ["0", "+2", "+4", "+6", "+8"]),
        ((0.1, 0.43), [0.2, 0.3, 0.4], ["+0.2", "+0.3", "+0.4"]),
    ],
)
def test_changes_have_a_bare_zero_and_no_label_at_the_very_end(frame, expected, written):
    places, labels = ticks(frame, Numbers("en"), signed=True)
    assert places == pytest.approx(expected)
    assert labels == written


def test_a_bar_stands_where_its_row_says():
    places = [place for place, _ in lines(drawn(base=0.0))]
    assert [0.0, 1200.0] in places
    assert [1000.0, 1200.0] in places
    assert [1100.0] in places


def test_what_lies_beyond_the_frame_ends_in_an_arrow():
    row = Row("wide", "1", [(-5.0, 50.0, BLUE)], point=1.0, thin=True)
    markers = {line.get_marker(): place for place, line in lines(drawn(row, frame=(-1.0, 10.0)))}
    assert (markers["<"], markers[">"], markers["o"]) == ([-1.0], [10.0], [1.0])
    assert [-1.0, 10.0] in [place for place, _ in lines(drawn(row, frame=(-1.0, 10.0)))]
    inside = {line.get_marker() for _, line in lines(drawn(row))}
    assert not {"<", ">"} & inside


def test_a_point_beyond_the_frame_is_not_drawn():
    row = Row("far", "99", [(90.0, 110.0, BLUE)], point=99.0, thin=True)
    markers = {line.get_marker() for _, line in lines(drawn(row, frame=(0.0, 10.0)))}
    assert ">" in markers
    assert "o" not in markers


def test_a_mark_is_dashed_and_named():
    row = Row("load", "0.2", [(-1.0, 1.0, BLUE)], mark=(2.0, "margin +2"), thin=True)
    drawing = drawn(row)
    assert "margin +2" in words(drawing)
    (dashed,) = [place for place, line in lines(drawing) if line.is_dashed()]
    assert dashed == [2.0, 2.0]


def test_an_interval_is_thin_and_its_point_has_its_colour():
    row = Row("a", "1", [(0.0, 2.0, BLUE)], point=1.0, thin=True)
    widths = {line.get_linewidth() for place, line in lines(drawn(row)) if place == [0.0, 2.0]}
    bar = Row("a", "1", [(0.0, 2.0, BLUE)])
    thick = {line.get_linewidth() for place, line in lines(drawn(bar)) if place == [0.0, 2.0]}
    assert max(widths) < min(thick)
    (point,) = [line for _, line in lines(drawn(row)) if line.get_marker() == "o"]
    assert point.get_color() == BLUE


def test_a_head_stands_above_its_rows():
    rows = [
        Row("b", "1", [(0.0, 1.0, BLUE)], head="spend", thin=True),
        Row("c", "2", [(0.0, 2.0, BLUE)], thin=True),
    ]
    drawing = drawn(*rows)
    heights = {text.get_text(): text.get_position()[1] for text in drawing.findobj(Text)}
    assert heights["spend"] < heights["b"] < heights["c"]  # inches from the top


def test_a_bold_label_without_room_stands_above_its_value_in_full():
    label = "spend per visitor in euros without taxes and delivery"
    row = Row(label, "+8.9% (+1.9% to +16.3%)", [(0.0, 1.0, BLUE)], thin=True, bold=True)
    said = [text.replace("\n", " ") for text in words(drawn(row))]
    assert label in said
    plain = Row(f"{label}, {label}, {label}", row.value, row.segments)
    assert any(text.endswith("…") for text in words(drawn(plain)))


@pytest.mark.slow
def test_the_same_rows_are_the_same_bytes():
    assert Figure(drawn(), alt="1").svg() == Figure(drawn(), alt="1").svg()


def test_rows_without_length_and_no_rows_at_all_still_have_an_axis():
    assert drawn(Row("none", "0", [(0.0, 0.0, BLUE)])).axes
    assert chart("Nothing", [], "hours", Numbers("en"), frame=(-0.01, 0.01), percent=True).axes
    assert chart("Nothing", [], "hours", Numbers("en")).axes
