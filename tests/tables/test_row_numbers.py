"""One meaning of a row's number, everywhere: the line or row that an editor or a spreadsheet shows."""

import openpyxl
import pyarrow as pa
import pytest

from opslab.errors import DataError
from opslab.feedback.intake import take_in
from opslab.feedback.spec import Study
from opslab.tables import Answers, open_export, read_export
from opslab.tables.source import ROW

HEAD = ["id", "comment", "rating", "minutes"]
ROWS = [
    ["a1", "too slow", 4, 10],
    None,
    ["a2", "far too loud", 9, 20],
    ["a3", "all is fine", 3, 30],
]


def written(path, rows):
    """Write rows as a user types them; None is an empty one."""
    if path.suffix == ".xlsx":
        book = openpyxl.Workbook()
        for number, cells in enumerate(rows, 1):
            for column, cell in enumerate(cells or [], 1):
                book.active.cell(number, column).value = cell
        book.save(path)
    else:
        path.write_text("\n".join(",".join(map(str, cells or [])) for cells in rows) + "\n")
    return path


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
@pytest.mark.parametrize(
    "above", [[], [["Our messages of May"], None]], ids=["alone", "below a title"]
)
def test_a_row_has_the_number_that_its_program_shows(tmp_path, suffix, above):
    path = written(tmp_path / f"a.{suffix}", [*above, HEAD, *ROWS])
    number = len(above) + 4  # of the heading, the first row, the empty one
    with open_export(path) as table:
        rows = table.fetch(f"SELECT id, {ROW} + 1 FROM {table.relation} ORDER BY 2")
        assert rows == [("a1", number - 2), ("a2", number), ("a3", number + 1)]
    off = Answers(score={"column": "rating", "from": 0, "to": 5})
    assert refused_row("tables.off_scale", read_export, path, answers=off) == number
    study = Study(study="s")
    assert (
        refused_row("feedback.ask_score", take_in, study, path, Answers(text="comment")) == number
    )


def refused_row(key, call, *given, **more):
    with pytest.raises(DataError) as caught:
        call(*given, **more)
    (problem,) = caught.value.problems
    assert problem.key == key
    return {**problem.values}["row"]


def test_a_row_of_a_frame_is_counted_from_one():
    frame = pa.Table.from_pylist([dict(zip(HEAD, cells, strict=True)) for cells in ROWS if cells])
    with open_export(frame) as table:
        rows = table.fetch(f"SELECT id, {ROW} + 1 FROM {table.relation} ORDER BY 2")
    assert rows == [("a1", 1), ("a2", 2), ("a3", 3)]
