"""Frames for an analyst: forms, the cap and its remark, read once."""

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from opslab import frames
from opslab.errors import ParameterError
from opslab.frames import Remark, in_form, kept, remark_step, step_within

FRAME = pd.DataFrame({"arm": ["a", "b"], "value": [1.5, None]})


def test_a_frame_comes_in_the_form_asked_for():
    assert in_form(FRAME, "pandas").equals(FRAME)
    assert in_form(FRAME, "arrow").equals(pa.Table.from_pandas(FRAME))
    polars = in_form(FRAME, "polars")
    assert isinstance(polars, pl.DataFrame)
    assert polars.to_dict(as_series=False) == {"arm": ["a", "b"], "value": [1.5, None]}


def test_what_is_done_to_a_frame_leaves_the_kept_one_as_it_was():
    given = in_form(FRAME, "pandas")
    given["value"] = 0.0
    given.loc[0, "arm"] = "c"
    assert FRAME["arm"].tolist() == ["a", "b"]
    assert FRAME["value"].isna().sum() == 1


@pytest.mark.parametrize("form", ["spark", "", None])
def test_another_form_is_refused(form):
    with pytest.raises(ParameterError, match="no form of a frame: write pandas, arrow or polars"):
        in_form(FRAME, form)


def test_a_library_that_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "polars", None)
    with pytest.raises(ParameterError, match="polars is not installed"):
        in_form(FRAME, "polars")


@pytest.mark.parametrize(
    ("rows", "columns", "step"),
    [(0, 5, 1), (10, 4, 1), (10, 10, 1), (10, 11, 2), (25, 10, 3), (100, 1, 1), (101, 1, 2)],
)
def test_at_most_so_many_cells_are_kept(rows, columns, step, monkeypatch):
    monkeypatch.setattr(frames, "MOST_CELLS", 100)
    assert step_within(rows, columns) == step
    assert len(range(0, rows, step)) * columns <= 100 + columns


def test_a_cap_is_told_once_it_applies(recwarn):
    remark_step(1, 10)
    assert not recwarn
    with pytest.warns(Remark, match="one row in 3 of 1,200"):
        remark_step(3, 1200)
    with pytest.warns(Remark, match=r"une ligne sur 3 parmi 1.200"):
        remark_step(3, 1200, "fr")


def test_what_was_read_is_kept_and_the_oldest_gives_way(monkeypatch):
    monkeypatch.setattr(frames, "_kept", {})
    calls = []

    def read(name):
        return kept(name, lambda: calls.append(name) or FRAME)

    for name in "abcd":
        assert read(name) is read(name)
    assert calls == list("abcd")
    read("e")
    read("b")
    assert calls == list("abcde")
    read("a")
    assert calls == list("abcdea")
