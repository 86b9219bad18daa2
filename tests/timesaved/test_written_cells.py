"""Cells as people write them: read, told, or refused with the sheet's own row and what stands there."""

import datetime
import doctest

import openpyxl
import pytest
from declared import LINE

from opslab import timesaved
from opslab.businesscase.declarations import Assumption
from opslab.errors import DataError, SpecError
from opslab.tables import durations
from opslab.tables.durations import minutes_of, share_of
from opslab.timesaved.inventory import Inventory, Line, Measurement, Past
from opslab.timesaved.sheets import rows_of

HEAD = [
    "task",
    "role",
    "initiative",
    "people",
    "frequency",
    "minutes",
    "reduction",
    "adoption",
    "ramp_months",
]
MINUTES = {  # by hand
    "1h30": 90,
    "1 h 30": 90,
    "1h": 60,
    "1 hr": 60,
    "2 heures": 120,
    "90 min": 90,
    "90 minutes": 90,
    "1:30": 90,
    "1,5 h": 90,
    "1.5h": 90,
    "1 h 30 min": 90,
    "45\u00a0min": 45,
    "90": 90,
}
SHARES = {"60%": 0.6, "60 %": 0.6, "0.6": 0.6, "60.5 %": 0.605, "60\u202f%": 0.6}


def row(number, **cells):
    values = {"task": f"t{number}", "role": "pm", "initiative": "x", "people": 3, "frequency": 2}
    values |= {"minutes": 30, "reduction": "20%", "adoption": "50%", "ramp_months": 3}
    return [(values | cells)[name] for name in HEAD]


def written(path, rows, head=HEAD):
    """Write rows as a file; None for a row that is empty."""
    if path.suffix == ".xlsx":
        book = openpyxl.Workbook()
        for cells in (head, *rows):
            book.active.append(cells or [])
        book.active.cell(len(rows) + 2, 1)
        for number, cells in enumerate((head, *rows), 1):  # append passes over empty rows
            for column, cell in enumerate(cells or [], 1):
                book.active.cell(number, column).value = cell
        book.save(path)
    else:
        lines = (",".join(f'"{cell}"' for cell in cells or []) for cells in (head, *rows))
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def lines_of(path, model=Line, field="data"):
    inventory = Inventory.load(path) if field == "data" else path
    return rows_of(inventory, getattr(inventory, field), model)[:2]


def problems(path, **options):
    with pytest.raises(DataError) as caught:
        lines_of(path, **options)
    return [(one.row, one.field, one.cell, one.key) for one in caught.value.problems]


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_minutes_are_read_as_they_are_written_and_told(tmp_path, suffix):
    rows = [row(number, minutes=cell) for number, cell in enumerate(MINUTES)]
    lines, reading = lines_of(written(tmp_path / f"a.{suffix}", rows))
    assert [line.minutes.likely for _, line in lines] == list(MINUTES.values())
    (said,) = [one for one in reading.decisions if one.key == "tables.decided_minutes"]
    assert dict(said.values) == {"count": len(MINUTES) - 1, "cell": "1h30"}
    assert (said.column, said.assumed) == ("minutes_likely", True)


def test_times_of_a_spreadsheet_are_durations(tmp_path):
    cells = [datetime.time(1, 30), datetime.timedelta(minutes=45), 20]
    rows = [row(number, minutes=cell, new_minutes=cell) for number, cell in enumerate(cells)]
    lines, _ = lines_of(written(tmp_path / "a.xlsx", rows))
    assert [line.minutes.likely for _, line in lines] == [90, 45, 20]
    bad = [row(1, minutes=datetime.time(14, 30)), row(2)]
    assert problems(written(tmp_path / "b.xlsx", bad)) == [
        (2, "minutes", "14:30:00", "tables.cell_minutes")
    ]


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_shares_are_read_with_and_without_a_sign(tmp_path, suffix):
    rows = [row(number, reduction=cell) for number, cell in enumerate(SHARES)]
    lines, reading = lines_of(written(tmp_path / f"a.{suffix}", rows))
    assert [line.reduction.likely for _, line in lines] == pytest.approx(list(SHARES.values()))
    told = {one.key: one.values for one in reading.decisions if one.column == "reduction_likely"}
    assert told["tables.decided_fractions"] == {"count": 1}
    comma = [row(number, reduction="0,6", adoption="0,6") for number in (1, 2)]
    lines, _ = lines_of(written(tmp_path / f"b.{suffix}", comma))
    assert {line.adoption.likely for _, line in lines} == {0.6}


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
@pytest.mark.parametrize("gap", [0, 2])
def test_every_bad_cell_is_told_with_the_row_that_the_user_sees(tmp_path, suffix, gap):
    title = [["Our tasks"], None] if gap else []
    rows = [
        row(1, frequency="1h"),
        None,
        row(2, minutes="14:30", reduction="60"),
        row(3, minutes="soon", adoption="120%"),
        row(4, people="?"),
    ]
    rows = [*title, HEAD, *rows]
    path = written(tmp_path / f"a.{suffix}", rows[1:], rows[0])
    assert problems(path) == [
        (2 + gap, "frequency", "1h", "tables.cell_count"),
        (4 + gap, "minutes", "14:30", "tables.cell_minutes"),
        (4 + gap, "reduction", "60", "tables.cell_share"),
        (5 + gap, "minutes", "soon", "tables.cell_minutes"),
        (5 + gap, "adoption", "120%", "uncertainty.over_one"),
        (6 + gap, "people", "?", "tables.cell_count"),
    ]


def test_a_message_names_file_row_heading_and_cell(tmp_path):
    path = written(tmp_path / "a.csv", [row(1), row(2, adoption="120%", minutes="soon")])
    with pytest.raises(DataError) as caught:
        lines_of(path)
    english, french = (caught.value.text(language).splitlines() for language in ("en", "fr"))
    assert english[0].startswith("a.csv, row 3, minutes (“soon”): No duration can be read here")
    assert english[1].startswith("a.csv, row 3, adoption (“120%”): 1.2 is more than the whole")
    assert french[0].startswith("a.csv, ligne 3, minutes («\u00a0soon\u00a0»)\u00a0: Aucune durée")


def test_a_heading_of_the_interview_sheet_is_named_as_it_is_written(tmp_path):
    head = [name.replace("minutes", "Minutes par fois : bas") for name in HEAD]
    head += ["Minutes par fois : haut"]
    rows = [[*row(1, minutes=40), 10]]
    assert problems(written(tmp_path / "a.csv", rows, head)) == [
        (
            2,
            "Minutes par fois : bas, Minutes par fois : haut",
            "40 / 10",
            "uncertainty.order",
        )
    ]


def test_a_column_of_which_nothing_can_be_read_is_told_cell_by_cell(tmp_path):
    rows = [row(number, frequency="often") for number in range(4)]
    assert [place for place, *_ in problems(written(tmp_path / "a.csv", rows))] == [2, 3, 4, 5]


def test_the_further_rows_of_a_task_do_not_repeat_what_is_told_of_its_first(tmp_path):
    rows = [row(1, minutes="soon"), row(1, initiative="y", minutes="")]
    assert problems(written(tmp_path / "a.csv", rows)) == [
        (2, "minutes", "soon", "tables.cell_minutes")
    ]


MEASURED = ["task", "quantity", "value", "low", "high", "basis"]


def spec(folder, **tables):
    lines = [LINE | {"task": "t1"}]
    body = {"inventory": "desk", "date": "2026-10-05", "lines": lines} | tables
    inventory = Inventory(**body)
    inventory._file = folder / "desk.yaml"
    return inventory


def test_measurements_are_minutes_or_shares_by_their_quantity(tmp_path):
    rows = [
        ["t1", "minutes", "1h30", "75 min", "105", "diary"],
        ["t2", "reduction", "30%", "20 %", "0.4", "diary"],
    ]
    written(tmp_path / "m.csv", rows, MEASURED)
    inventory = spec(tmp_path, measurements={"path": "m.csv"})
    taken, _ = lines_of(inventory, model=Measurement, field="measurements")
    assert [(one.low, one.value, one.high) for _, one in taken] == [(75, 90, 105), (0.2, 0.3, 0.4)]
    rows = [
        ["t1", "minutes", "30%", "20", "40", "diary"],
        ["t2", "reduction", "20 min", "0.1", "0.3", "diary"],
    ]
    written(tmp_path / "m.csv", rows, MEASURED)
    told = problems(inventory, model=Measurement, field="measurements")
    assert told[0] == (2, "value", "30%", "tables.cell_unlike")
    assert (3, "value", "20 min", "tables.cell_unlike") in told


def test_a_measurement_of_no_task_names_its_file_and_row(tmp_path):
    written(tmp_path / "m.csv", [None, ["zzz", "minutes", "30", "20", "40", "diary"]], MEASURED)
    with pytest.raises(
        DataError, match=r"^m\.csv, row 3: No row of the inventory has the task zzz"
    ):
        timesaved.estimate(spec(tmp_path, measurements={"path": "m.csv"}), draws=1_000)


def test_past_estimates_have_one_unit_a_row(tmp_path):
    head = ["estimate", "low", "high", "measured"]
    rows = [["c", "5", "9", "7"], ["a", "1h", "90 min", "1h15"], ["b", "10%", "30 %", "20%"]]
    written(tmp_path / "p.csv", rows, head)
    inventory = spec(tmp_path, past={"path": "p.csv"})
    taken, _ = lines_of(inventory, model=Past, field="past")
    assert [(one.low, one.high, one.measured) for _, one in taken] == [
        (5, 9, 7),
        (60, 90, 75),
        (0.1, 0.3, 0.2),
    ]
    written(tmp_path / "p.csv", [["a", "1h", "90 min", "2"]], head)
    assert problems(inventory, model=Past, field="past") == [
        (2, "measured", "2", "tables.cell_unlike")
    ]


def test_a_spec_takes_the_same_texts(tmp_path):
    ends = {"low": "45 min", "high": "1h30"}
    line = Line(**LINE | {"minutes": ends, "new_minutes": "1 h", "reduction": "60 %"})
    assert (line.minutes.low, line.minutes.high, line.new_minutes.likely) == (45, 90, 60)
    assert line.reduction.likely == 0.6
    for field, given in {"minutes": "14:30", "reduction": "most", "frequency": "1h"}.items():
        with pytest.raises(SpecError, match=f"{field}.*{given}"):
            Line(**LINE | {field: given})


def test_a_share_of_a_case_takes_them_too_and_an_amount_does_not():
    stated = {"id": "use", "statement": "60 % of them", "low": "60 %", "high": "0,9", "share": True}
    use = Assumption(**stated)
    assert (use.low, use.high, use.statement) == (0.6, 0.9, "60 % of them")
    with pytest.raises(SpecError, match="60 %"):
        Assumption(**stated | {"share": False})


@pytest.mark.parametrize("cell", ["", "h", "1h75", "14:30", "08:00", "-", "1 year", "soon"])
def test_what_is_no_duration_stays_what_it_was(cell):
    assert minutes_of(cell) == cell
    assert share_of(f"{cell}%") == f"{cell}%"


def test_examples_run():
    assert doctest.testmod(durations).failed == 0


def test_both_ways_of_reading_agree(tmp_path):
    """The engine's reading of files, and the one of specs."""
    cells = [cell for cell in MINUTES if minutes_of(cell) != cell]
    lines, _ = lines_of(
        written(tmp_path / "a.csv", [row(n, minutes=cell) for n, cell in enumerate(cells)])
    )
    assert [line.minutes.likely for _, line in lines] == list(map(minutes_of, cells))


@pytest.mark.parametrize("spoiled", ["=15*2", "#N/A"])
def test_a_cell_that_gives_no_value_is_told_as_what_it_is(tmp_path, spoiled):
    """openpyxl writes formulas without their values, as programs do."""
    rows = [row(1), row(2, minutes=spoiled)]
    assert problems(written(tmp_path / "a.xlsx", rows)) == [(3, "F3", None, "tables.unread")]


def test_a_text_of_a_workbook_that_means_two_numbers_is_asked(tmp_path):
    """The numbers beside it are no texts: they tell nothing of how somebody writes."""
    rows = [row(1, adoption=0.3), row(2, people="1,234")]
    assert problems(written(tmp_path / "a.xlsx", rows)) == [
        (3, "people", "1,234", "tables.cell_unclear")
    ]
    lines, _ = lines_of(written(tmp_path / "b.xlsx", [row(1), row(2, people=1234)]))
    assert [line.people for _, line in lines] == [3, 1234]
