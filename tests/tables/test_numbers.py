"""Numbers as people write them, over whole columns: the mark proven, pooled, asked; never guessed."""

import datetime

import pytest
from exported import assumed, cells, columns, decided, quoted_csv, read, refusal, refused, values

from opslab.tables import Answers, open_table
from opslab.tables.column_kinds import Wanted
from opslab.tables.columns import typed

NUMBERS = [1234567.25, -9876.5, 12.75, 0.5, 1000000.0]
PROFILE = """\
profile: mine
tool: Mine
table: time_entries
recognised_by: [id]
columns:
  id: {headers: [Numéro]}
  amount: {headers: [Montant], kind: number}
  rate: {headers: [Taux], kind: percent}
  hours: {headers: [Heures], kind: duration}
  from_minutes: {headers: [Minutes], kind: duration, unit: minutes}
  from_seconds: {headers: [Secondes], kind: duration, unit: seconds}
  done: {headers: [Fait], kind: boolean}
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Make a workspace with a profile that declares its columns."""
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "mine.yaml").write_text(PROFILE, encoding="utf-8")
    monkeypatch.setenv("OPSLAB_WORKSPACE", str(tmp_path))
    return tmp_path


def declared(heading, *given):
    """Return a file with one column that the profile declares."""
    return quoted_csv(
        ("Numéro", heading), *((f"n{place}", cell) for place, cell in enumerate(given, 1))
    )


# --- Thousands and the decimal mark

SPACES = {
    "space": " ",
    "fixed": "\u00a0",
    "narrow": "\u202f",
    "thin": "\u2009",
    "apostrophe": "'",
    "curly": "\u2019",
}


def test_thousands_and_decimals_in_every_notation(tmp_path):
    given = {}
    for decimal, mark, other in (("point", ".", ","), ("comma", ",", ".")):
        for name, parting in {**SPACES, "mark": other, "none": ""}.items():
            signs = {ord(","): parting, ord("."): mark}
            given[f"{decimal}, {name}"] = [f"{number:,.2f}".translate(signs) for number in NUMBERS]
    found, reading = columns(tmp_path, given)
    assert all(column == NUMBERS for column in found.values())
    del given["point, none"]  # a program's own notation needs no proof
    for name in given:
        mark = f"tables.decimal_{name.partition(',')[0]}"
        assert decided(reading, name) == {
            "decided_decimal": {"decimal": mark, "count": len(NUMBERS)}
        }
    assert not assumed(reading)


def test_whole_numbers_with_parted_thousands(tmp_path):
    given = {name: [f"12{sign}345", "7", f"-1{sign}000{sign}000"] for name, sign in SPACES.items()}
    found, reading = columns(tmp_path, given)
    assert all(column == [12_345, 7, -1_000_000] for column in found.values())
    assert not reading.decisions


ONE_MEANING = {
    "1,234,567": 1_234_567,
    "1.234.567": 1_234_567,
    "1,234.5": 1234.5,
    "1.234,5": 1234.5,
    "1 234,567": 1234.567,
    "1 234.567": 1234.567,
    "1234,567": 1234.567,
    "1234.567": 1234.567,
    "12,34": 12.34,
    "12.3456": 12.3456,
    "12,3456": 12.3456,
    ".5": 0.5,
    ",5": 0.5,
    "5.": 5.0,
    "+3,5": 3.5,
    "\u22123,5": -3.5,
    "-0,0": 0.0,
    "1e5": 100_000.0,
    "2.5E-3": 0.0025,
    "2,5e3": 2500.0,
    "12,34e3": 12_340.0,
    " 7 ": 7.0,
    "\u00a07,5\u202f": 7.5,
    "\t8,5": 8.5,
}


def test_cells_that_mean_one_number(tmp_path):
    given = {f"c{place}": [written] for place, written in enumerate(ONE_MEANING)}
    found, reading = columns(tmp_path, given)
    assert {given[name][0]: value for name, (value,) in found.items()} == ONE_MEANING
    assert not assumed(reading)


def test_what_is_no_number_stays_text(tmp_path):
    strange = [
        "12 34",
        "1,23,456",
        "1.2.3",
        "1,2,3",
        "1e",
        "--5",
        "5--",
        "(5",
        "0x1F",
        "٣",
        "12 345 67",
        "1,5 €/h",
    ]
    given = {f"c{place}": ["1", written, "2,5"] for place, written in enumerate(strange)}
    found, reading = columns(tmp_path, given)
    assert found == given
    assert not reading.decisions


def test_one_word_after_many_numbers_keeps_the_column_as_it_was_written(tmp_path):
    written = [f"{number},5" for number in range(1_500)] + ["environ 3"]
    assert cells(tmp_path, *written)[0] == written


def test_a_number_too_large_for_the_machine_is_told(tmp_path):
    found, reading = cells(tmp_path, "1e999", "1")
    assert found == [None, 1.0]
    assert decided(reading, "x")["decided_emptied"] == {
        "count": 1,
        "row": 2,
        "cell": "1e999",
        "kind": "tables.kind_number",
    }
    assert assumed(reading) == ["decided_emptied"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (["0,125", "0,250"], [0.125, 0.25]),
        (["-0,125", "2"], [-0.125, 2.0]),
        (["0.125", "0.250"], [0.125, 0.25]),
        (["0,125", "2,5"], [0.125, 2.5]),
        (["0.125", "2.5"], [0.125, 2.5]),
        (["00,125", "2,5"], [0.125, 2.5]),
    ],
    ids=str,
)
def test_a_leading_zero_proves_its_mark(tmp_path, written, expected):
    assert cells(tmp_path, *written)[0] == expected


@pytest.mark.parametrize("written", [("0,125", "1.5"), ("0.125", "1,5")], ids=str)
def test_a_leading_zero_and_the_other_mark_are_two_notations(tmp_path, written):
    assert cells(tmp_path, *written)[0] == list(written)


# --- What a cell alone does not tell


@pytest.mark.parametrize("written", [["1,234", "12,345", "7"], ["1.234", "-12.345", "7"]], ids=str)
def test_an_unclear_mark_is_not_guessed(tmp_path, written):
    found, reading = cells(tmp_path, *written)
    assert found == written
    assert decided(reading, "x") == {"decided_kept_text": {"question": "tables.kept_ask_decimal"}}
    assert assumed(reading) == ["decided_kept_text"]


def test_an_unclear_mark_before_an_exponent_is_not_guessed(tmp_path):
    assert cells(tmp_path, "1,234e5")[0] == ["1,234e5"]


@pytest.mark.parametrize("written", ["1,234", "1.234"])
@pytest.mark.parametrize(("answer", "mark"), [("comma", ","), ("point", ".")])
def test_an_unclear_mark_is_answered(tmp_path, written, answer, mark):
    found, reading = cells(tmp_path, written, "7", decimal=answer)
    assert found == [1.234 if mark in written else 1234.0, 7.0]
    assert decided(reading, "x")["decided_decimal_answer"]["decimal"] == f"tables.decimal_{answer}"
    assert not assumed(reading)


def test_the_last_of_many_cells_decides_for_all(tmp_path):
    found, reading = cells(tmp_path, *["1,234"] * 1_500, "2,5")
    assert found == [1.234] * 1_500 + [2.5]
    assert decided(reading, "x")["decided_decimal"] == {
        "decimal": "tables.decimal_comma",
        "count": 1,
    }


@pytest.mark.parametrize(
    ("proof", "expected"),
    [
        ("2,5", 1.234),
        ("1.234.567", 1.234),
        ("1,234.5", 1234.0),
        ("2.5 %", 1234.0),
        ("2.5", 1234.0),
    ],
)
def test_another_column_decides(tmp_path, proof, expected):
    frame, reading = read(tmp_path, quoted_csv(("a", "b"), ("1,234", proof), ("7", "")))
    assert values(frame["a"]) == [expected, 7.0]
    assert decided(reading, "a")["decided_decimal_as"]["other"] == "b"


@pytest.mark.parametrize("other", ["1,234.5", "2.5"])
def test_columns_that_prove_opposite_marks_decide_nothing_for_a_third(here, other):
    frame, reading = read(here, quoted_csv(("a", "b", "c"), ("1,234", "2,5", other)))
    assert frame.iloc[0].to_list() == ["1,234", 2.5, float(other.replace(",", ""))]
    assert assumed(reading) == ["decided_kept_text"]
    rows = quoted_csv(("Numéro", "Montant", "b", "c"), ("n", "1,234", "2,5", other))
    refused(here, rows, "ask_decimal", profile="mine")


def test_a_declared_number_asks(here):
    error = refused(here, declared("Montant", "1,234", "12,345", "7"), "ask_decimal", profile=None)
    assert str(error) == (
        "export.csv, amount: 2 cells are written like 1,234 or 1.234, and nothing in the file says whether that"
        " means 1234; say `decimal: point` or `decimal: comma`."
    )
    frame, _ = read(
        here, declared("Montant", "1,234", "12,345", "7"), profile="mine", decimal="point"
    )
    assert list(frame["amount"]) == [1234.0, 12345.0, 7.0]


def test_two_marks_in_one_column_are_refused(here):
    found, reading = cells(here, "1,5", "2.5", "3,5")
    assert found == ["1,5", "2.5", "3,5"]
    assert decided(reading, "x") == {
        "decided_kept_text": {"question": "tables.kept_ask_decimal_both"}
    }
    error = refused(
        here, declared("Montant", "1,5", "2.5", "3,5"), "ask_decimal_both", profile="mine"
    )
    assert "1 cell has a decimal point and 2 a decimal comma" in str(error)
    frame, reading = read(
        here, declared("Montant", "1,5", "2.5", "3,5"), profile="mine", decimal="comma"
    )
    assert values(frame["amount"]) == [1.5, None, 3.5]
    assert decided(reading, "amount")["decided_emptied"] == {
        "count": 1,
        "row": 3,
        "cell": "2.5",
        "kind": "tables.kind_number",
    }


def test_every_question_is_asked_at_once(here):
    rows = quoted_csv(("Numéro", "Montant", "Taux"), ("1", "1,234", "80 %"), ("2", "5", "50"))
    error = refused(here, rows, "ask_decimal", "ask_percent", profile="mine")
    assert [problem.field for problem in error.problems] == ["amount", "rate"]


# --- Percent


def test_percent_becomes_a_fraction(tmp_path):
    found, reading = cells(tmp_path, "80 %", "12%", "5,5\u202f%", "100\u00a0%", "-3 %", "")
    assert found == pytest.approx([0.8, 0.12, 0.055, 1.0, -0.03, None])
    assert decided(reading, "x")["decided_percent"] == {"count": 5}


def test_a_percent_sign_here_and_there_is_a_question(here):
    found, reading = cells(here, "80 %", "12")
    assert found == ["80 %", "12"]
    assert decided(reading, "x") == {"decided_kept_text": {"question": "tables.kept_ask_percent"}}
    error = refused(here, declared("Taux", "80 %", "12", ""), "ask_percent", profile="mine")
    assert "1 of 2 cells has a percent sign" in str(error)


def test_a_percentage_without_a_sign_is_a_fraction_and_assumed(here):
    frame, reading = read(here, declared("Taux", "0,8", "0,25"), profile="mine")
    assert list(frame["rate"]) == [0.8, 0.25]
    assert assumed(reading) == ["decided_fraction"]


# --- Codes, and words for nothing


CODES = [
    "007",
    "0012",
    "00",
    "-01",
    "1234567890123456",
    "9007199254740993",
    "99999999999999999999",
    "0033612345678",
]


def test_codes_and_very_long_numbers_stay_text(tmp_path):
    given = {f"c{place}": ["12", code, "3"] for place, code in enumerate(CODES)}
    found, reading = columns(tmp_path, given)
    assert found == given
    assert not assumed(reading)


@pytest.mark.parametrize("code", ["0012", "1234567890123456", "9007199254740993"])
def test_a_code_after_many_numbers_counts_too(tmp_path, code):
    written = [str(number) for number in range(1, 1_501)] + [code]
    assert cells(tmp_path, *written)[0] == written


def test_telephone_numbers_stay_text(tmp_path):
    written = ["+33612345678", "+33698765432"]
    assert cells(tmp_path, *written)[0] == written


def test_fifteen_digits_are_a_number(tmp_path):
    found, _ = cells(tmp_path, "999999999999999", "-999999999999999", "0")
    assert found == [999_999_999_999_999, -999_999_999_999_999, 0]


NOTHING = [
    "n/a",
    "N/A",
    "NA",
    "#N/A",
    "null",
    "NULL",
    "None",
    "nan",
    "NaN",
    "-",
    "\N{EN DASH}",
    "\N{EM DASH}",
    "#REF!",
    "#DIV/0!",
    "#VALUE!",
]


def test_words_for_nothing_are_empty_and_counted(tmp_path):
    found, reading = cells(tmp_path, "1,5", *NOTHING, "", "2,5")
    assert found == [1.5, *[None] * (len(NOTHING) + 1), 2.5]
    assert decided(reading, "x")["decided_words"] == {"count": len(NOTHING)}
    assert not assumed(reading)


def test_words_for_nothing_stay_in_a_column_of_text(tmp_path):
    assert cells(tmp_path, "Paris", "n/a", "-")[0] == ["Paris", "n/a", "-"]
    assert cells(tmp_path, "n/a", "-")[0] == ["n/a", "-"]


def test_numbers_below_many_words_for_nothing(tmp_path):
    found, _ = cells(tmp_path, *["n/a"] * 1_500, "2,5")
    assert found == [None] * 1_500 + [2.5]


def test_numbers_below_many_empty_cells(tmp_path):
    found, _ = cells(tmp_path, *[""] * 1_500, "2,5")
    assert found == [None] * 1_500 + [2.5]


def test_a_column_without_a_cell_is_empty(tmp_path):
    found, reading = cells(tmp_path, "", "", "")
    assert found == [None] * 3
    assert not reading.decisions


def test_yes_and_no_where_declared(here):
    written = [
        "Oui",
        "NON",
        "yes",
        "No",
        "VRAI",
        "faux",
        "TRUE",
        "false",
        "1",
        "0",
        "x",
        "",
        "n/a",
        "peut-être",
    ]
    frame, reading = read(here, declared("Fait", *written), profile="mine")
    assert values(frame["done"]) == [*[True, False] * 5, True, None, None, None]
    told = decided(reading, "done")
    assert told["decided_emptied"] == {
        "count": 1,
        "row": 15,
        "cell": "peut-être",
        "kind": "tables.kind_boolean",
    }
    assert told["decided_words"] == {"count": 1}


# --- Durations


def hours(**parts):
    return datetime.timedelta(**parts) / datetime.timedelta(hours=1)


DURATIONS = {
    "01:30:00": hours(hours=1, minutes=30),
    "1:30": hours(hours=1, minutes=30),
    "00:00:59": hours(seconds=59),
    "26:05:00": hours(hours=26, minutes=5),
    "-01:30:00": -hours(hours=1, minutes=30),
    "1 h 30 min": hours(hours=1, minutes=30),
    "1h30m": hours(hours=1, minutes=30),
    "2 h": hours(hours=2),
    "45 min": hours(minutes=45),
    "90m": hours(minutes=90),
    "1,50": 1.5,
    "2": 2.0,
    "": None,
    "n/a": None,
    "1:75": None,
    "une heure": None,
}


def test_durations_become_hours(here):
    frame, reading = read(here, declared("Heures", *DURATIONS), profile="mine")
    assert values(frame["hours"]) == pytest.approx(list(DURATIONS.values()))
    told = decided(reading, "hours")
    assert told["decided_words"] == {"count": 1}
    assert told["decided_emptied"] == {
        "count": 2,
        "row": 16,
        "cell": "1:75",
        "kind": "tables.kind_duration",
    }


def test_durations_with_a_point(here):
    frame, _ = read(here, declared("Heures", "1.50", "00:00:00.5", "1:30"), profile="mine")
    assert list(frame["hours"]) == pytest.approx([1.5, hours(milliseconds=500), 1.5], rel=1e-12)


@pytest.mark.parametrize("written", ["1 h 30", "1h30"])
def test_minutes_after_hours_need_no_unit(here, written):
    frame, _ = read(here, declared("Heures", "2 h", written), profile="mine")
    assert list(frame["hours"]) == [2.0, 1.5]


def test_a_bare_number_counts_the_unit_and_a_clock_does_not(here):
    rows = quoted_csv(
        ("Numéro", "Heures", "Minutes", "Secondes"),
        ("a", "1,5", "90", "5400"),
        ("b", "01:30:00", "01:30:00", "01:30:00"),
    )
    frame, _ = read(here, rows, profile="mine")
    assert frame[["hours", "from_minutes", "from_seconds"]].to_numpy().tolist() == [[1.5] * 3] * 2


def test_an_unclear_duration_asks(here):
    refused(here, declared("Heures", "01:30:00", "1,234"), "ask_decimal", profile="mine")


def test_a_clock_without_a_profile_stays_text(tmp_path):
    assert cells(tmp_path, "01:30:00", "02:00:00")[0] == ["01:30:00", "02:00:00"]


# --- Where no cell may be lost


def test_a_strict_reading_refuses_what_is_no_number(tmp_path):
    path = tmp_path / "units.csv"
    path.write_text("unit,bought\na,1\nb,oui\nc,peut-être\n", encoding="utf-8")

    def strict():
        with open_table(path) as table:
            typed(table, [Wanted("bought", ("bought",), "number")], Answers(), strict=True)

    error = refusal(strict, "bad_cells")
    assert str(error).startswith(
        "units.csv, bought: 2 cells are not of this column's kind, the first in row 3"
    )
