"""Bars: the words and the numbers are there in the reader's language, bars start and end where they are told to."""

import pytest
from matplotlib.lines import Line2D
from opslab.report.bars import Row, bars

from opslab.report.figures import BLUE, GREY, Figure

ROWS = [
    Row("a rather long label " * 5, "1,200", [(0.0, 1200.0, BLUE)]),
    Row("less", "\N{MINUS SIGN}200", [(1000.0, 1200.0, GREY)], point=1100.0),
]


def drawn(language="en", **more):
    return bars("What was found", ROWS, "hours a year", language, **more)


def words(drawing):
    return [
        one.get_text()
        for one in drawing.findobj(lambda one: hasattr(one, "get_text"))
        if one.get_text()
    ]


def test_every_word_is_there_and_the_long_one_is_cut():
    said = words(drawn())
    assert {"What was found", "less", "1,200", "\N{MINUS SIGN}200", "hours a year", "500"} <= set(
        said
    )
    (cut,) = [one for one in said if one.startswith("a rather")]
    assert cut.endswith("…")


@pytest.mark.parametrize(
    ("percent", "language", "tick"), [(False, "fr", "1\u202f000"), (True, "en", "100,000%")]
)
def test_ticks_are_written_as_the_reader_writes(percent, language, tick):
    assert tick in words(drawn(language, percent=percent))


def test_a_bar_stands_where_it_is_told():
    lines = [one.get_xdata() for one in drawn(base=0.0).findobj(Line2D)]
    for start, end in ((0.0, 1200.0), (1000.0, 1200.0)):
        assert [start, end] in [list(line) for line in lines]
    assert [1100.0] in [list(line) for line in lines]


def test_the_same_rows_are_the_same_bytes():
    assert Figure(drawn(), alt="1").svg() == Figure(drawn(), alt="1").svg()


def test_bars_without_length_still_have_an_axis():
    assert bars("Nothing", [Row("none", "0", [(0.0, 0.0, BLUE)])], "hours", "en").axes
