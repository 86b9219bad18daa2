"""Sheets that people fill in: headings of one's own, words, blanks, rows, shares, and every mistake at once."""

import datetime
import time
from typing import Annotated, Literal

import openpyxl
import pytest
from pydantic import Field

from opslab.errors import DataError, SpecError
from opslab.specs import Declared, FromFile, Title
from opslab.tables.sheets import Inherited, SheetFile, read_sheet, source_files
from opslab.uncertainty.ranges import Amount, Part

PROFILE = """\
profile: plan
tool: Plan
table: plan
recognised_by: [item]
columns:
  item: {headers: [item, Item, Sujet]}
  owner: {headers: [owner, Owner, Responsable]}
  status:
    headers: [status, Status, Statut]
    words: {green: [done, vert, terminé], red: [blocked, bloqué], na: [n/a, sans objet]}
  blocking: {headers: [blocking, Blocking, Bloquant], kind: boolean}
  due: {headers: [due, Due, Échéance], kind: date, or_text: '[TtJj] ?- ?\\d+'}
  day: {headers: [day, Day, Jour], kind: date}
  confidence: {headers: [confidence, Confidence, Confiance, "Confidence (*)"], kind: share}
  people: {headers: [people, People, Personnes], kind: count}
  weight: {headers: [weight, Weight, Poids], kind: number}
  effort_low: {headers: [effort_low, "Effort: low", "Effort : bas"], kind: count}
  effort_likely: {headers: [effort, Effort, Effort], kind: count}
  effort_high: {headers: [effort_high, "Effort: high", "Effort : haut"], kind: count}
"""


class Item(Declared):
    item: str
    owner: str | None = None
    status: Literal["green", "red", "na"] | None = None
    blocking: bool | None = None
    due: Annotated[datetime.date | str, Field(union_mode="left_to_right")] | None = None
    day: datetime.date | None = None
    confidence: Part | None = None
    people: float | None = None
    weight: float | None = None
    effort: Amount | None = None


class Plan(FromFile):
    SHEET = "data"
    plan: Title
    data: SheetFile | tuple[Item, ...] = ()


class Rated(SheetFile):
    """A sheet with fields that are no answers of the reader, one of them by the name of one."""

    rater: str | None = None
    date: datetime.date | None = None


@pytest.fixture(autouse=True)
def workspace(tmp_path, monkeypatch):
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "plan.yaml").write_text(PROFILE, "utf-8")
    (tmp_path / "opslab.toml").touch()
    monkeypatch.delenv("OPSLAB_WORKSPACE", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sheet(path, **given):
    spec = Plan(plan="x", data=SheetFile(path=path.name, **given))
    spec._file = path.parent / "x.yaml"
    return read_sheet(spec, spec.data, Item, "plan")


def read(folder, text, **given):
    path = folder / "a.csv"
    path.write_text(text, encoding="utf-8")
    return sheet(path, **given)


def cells(folder, text, **given):
    """Return what each row declares, by its number."""
    rows = read(folder, text, **given).rows
    return {number: row.model_dump(exclude_defaults=True) for number, row in rows}


def book(folder, *rows, name="a.xlsx", change=None):
    written = openpyxl.Workbook()
    for number, row in enumerate(rows, 1):
        for column, cell in enumerate(row, 1):
            written.active.cell(number, column).value = cell
    if change:
        change(written)
    written.save(folder / name)
    return folder / name


def told(folder, text, **given):
    """Return the problems of a file: row, heading, cell, key."""
    with pytest.raises(DataError) as caught:
        sheet(text, **given) if hasattr(text, "suffix") else read(folder, text, **given)
    error = caught.value
    assert all(error.text(language) for language in ("en", "fr"))
    return [(one.row, one.field, one.cell, one.key) for one in error.problems]


# --- headings


def test_the_rows_of_a_spec_are_numbered_from_one():
    spec = Plan(plan="x", data=({"item": "a"}, {"item": "b"}))
    assert [number for number, _ in read_sheet(spec, spec.data, Item, "plan").rows] == [1, 2]


@pytest.mark.parametrize("head", ["item,owner", "Item,Owner", "SUJET,responsable", " item ,OWNER "])
def test_headings_in_both_languages_and_any_case(tmp_path, head):
    assert cells(tmp_path, f"{head}\na,Ana\n") == {2: {"item": "a", "owner": "Ana"}}


def test_headings_of_ones_own_reach_a_sheet_that_has_none_of_the_known_ones(tmp_path):
    columns = {"item": "Titre du sujet", "owner": "Qui"}
    rows = read(tmp_path, "Titre du sujet;Qui;Autre\na;Ana;x\n", columns=columns)
    assert rows.rows[0][1] == Item(item="a", owner="Ana")
    assert dict(rows.headings)["owner"] == "Qui"


def test_a_heading_of_ones_own_comes_before_the_usual_one(tmp_path):
    assert cells(tmp_path, "item,Real name\na,b\n", columns={"item": "Real name"}) == {
        2: {"item": "b"}
    }


def test_a_name_that_is_no_column(tmp_path):
    with pytest.raises(DataError, match="no field itm here; did you mean item") as caught:
        read(tmp_path, "Titre;Qui\na;b\n", columns={"itm": "Titre"})
    assert caught.value.problems[0].field == "columns"


def test_a_heading_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match=r"Titres: There is no column .* mean Titre") as caught:
        read(tmp_path, "Titre;Qui\na;b\n", columns={"item": "Titres"})
    assert "vouliez-vous dire Titre" in caught.value.text("fr")


def test_without_headings_of_ones_own_the_usual_ones_are_asked_for(tmp_path):
    assert told(tmp_path, "Titre;Qui\na;b\n")[0][3] == "tables.profile_misfit"
    assert told(tmp_path, "Titre;Qui\na;b\n", columns={"owner": "Qui"})[0][3] == (
        "tables.profile_misfit"
    )


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("item,owner,owner\na,Ana,Bo\n", {}),
        ("item,owner,OWNER\na,Ana,Bo\n", {}),
        ("item,people,People\na,1,2\n", {}),
        ("Titre,Qui,Qui\na,Ana,Bo\nb,Cy,Di\n", {"item": "Titre", "owner": "Qui"}),
        ("item,Qui\na,Ana\n", {"owner": "Qui", "status": "Qui"}),
    ],
)
def test_a_heading_that_stands_for_two_columns_is_refused(tmp_path, text, columns):
    problems = told(tmp_path, text, columns=columns)
    assert "tables.heading_twice" in [key for *_, key in problems]


def test_a_heading_that_is_nearly_known_is_refused_and_others_are_not(tmp_path):
    error = told(tmp_path, "item,Responsible,Ownr,Bloquants\na,b,c,d\n")
    assert [key for *_, key in error] == ["specs.unknown_near"] * 3
    others = "Status date,Item,Notes,Team,Cost,Priority,Owner\n2026-01-01,a,b,c,3,high,Ana\n"
    assert cells(tmp_path, others) == {2: {"item": "a", "owner": "Ana"}}


def test_what_a_kind_of_sheet_holds_besides_is_no_answer_to_the_reader(tmp_path):
    (tmp_path / "a.csv").write_text("item,people\na,3\n", "utf-8")
    given = Rated(path="a.csv", rater="Ana", date=datetime.date(2026, 10, 1))
    spec = Plan(plan="x", data=({"item": "a"},))
    spec._file = tmp_path / "x.yaml"
    (row,) = read_sheet(spec, given, Item, "plan").rows
    assert row == (2, Item(item="a", people=3))


# --- cells


@pytest.mark.parametrize(
    ("cell", "word"),
    [
        ("green", "green"),
        ("VERT", "green"),
        (" Terminé ", "green"),
        ("TERMINE", "green"),
        ("termine\u0301", "green"),
        ("Bloqué", "red"),
        ("n/a", "na"),
        ("N/A", "na"),
        ("Sans\u00a0objet", "na"),
        ("", None),
        ("-", None),
        ("\u2014", None),
    ],
)
def test_words_in_either_language_any_case_and_without_accents(tmp_path, cell, word):
    assert cells(tmp_path, f'item,status\na,"{cell}"\n')[2].get("status") == word


def test_another_word_is_refused_with_those_there_are(tmp_path):
    assert told(tmp_path, "item,Statut\na,vert\nb,perhaps\n") == [
        (3, "Statut", "perhaps", "specs.choice")
    ]


def test_what_stands_for_nothing_is_nothing_and_a_name_is_a_name(tmp_path):
    """Na is a name in Korea; none and null may be words of a text."""
    text = "item,owner,people\na,n/a,n/a\nb,-,-\nc,Na,\nd,,none\n"
    assert cells(tmp_path, text) == {
        2: {"item": "a"},
        3: {"item": "b"},
        4: {"item": "c", "owner": "Na"},
        5: {"item": "d"},
    }


@pytest.mark.parametrize("others", ["2026-10-01", "T-3"])
def test_a_text_beside_dates_is_kept_as_it_is_written(tmp_path, others):
    rows = read(tmp_path, f"item,due\na,T-10\nb,J - 3\nc,{others}\n")
    assert [row.due for _, row in rows.rows][:2] == ["T-10", "J - 3"]
    assert "tables.decided_emptied" not in [one.key for one in rows.reading.decisions]
    problems = told(tmp_path, f"item,due\na,T-10\nb,soon\nc,{others}\n")
    assert problems == [(3, "due", "soon", "tables.cell_date")]


def test_unclear_dates_are_a_question(tmp_path):
    text = "item,due\na,03/04/2026\nb,T-4\n"
    assert told(tmp_path, text)[0][3] == "tables.ask_day_first"
    assert cells(tmp_path, text, day_first=True)[2]["due"] == datetime.date(2026, 4, 3)


@pytest.mark.parametrize(
    ("head", "good", "bad", "key"),
    [
        ("people", "3", "12 %", "tables.cell_count"),
        ("people", "3", "some", "tables.cell_count"),
        ("weight", "2", "heavy", "tables.cell_number"),
        ("blocking", "oui", "maybe", "tables.cell_boolean"),
        ("day", "2026-10-01", "soon", "tables.cell_date"),
    ],
)
def test_a_cell_of_another_kind_is_told_with_its_row(tmp_path, head, good, bad, key):
    assert told(tmp_path, f"item,{head}\na,{good}\nb,{bad}\n") == [(3, head, bad, key)]


def test_truths_are_read_in_both_languages(tmp_path):
    text = "item,blocking\na,yes\nb,Non\nc,VRAI\nd,\n"
    assert [row.get("blocking") for row in cells(tmp_path, text).values()] == [
        True,
        False,
        True,
        None,
    ]


SHARES = [  # heading, cell, and by hand: the share, or the message
    ("Confidence", "80 %", 0.8),
    ("Confidence", "0.8", 0.8),
    ("Confidence", "1", 1.0),
    ("Confidence", "0", 0.0),
    ("Confidence", "80", "tables.cell_share"),
    ("Confidence", "100", "tables.cell_share"),
    ("Confidence (%)", "80", 0.8),
    ("Confidence (%)", "100", 1.0),
    ("Confidence (%)", "12.5", 0.125),
    ("Confidence (%)", "0", 0.0),
    ("Confidence (%)", "80 %", 0.8),
    ("Confidence (%)", "0.8", "tables.cell_share"),
    ("Confidence (%)", "1", "tables.cell_share"),
    ("Confidence (%)", "140", "uncertainty.over_one"),
    ("Confidence", "140 %", "uncertainty.over_one"),
]


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
@pytest.mark.parametrize(("heading", "cell", "expected"), SHARES)
def test_a_bare_number_is_a_percentage_only_below_a_heading_that_says_so(
    tmp_path, heading, cell, expected, suffix
):
    number = float(cell) if "%" not in cell else cell
    path = book(tmp_path, ["item", heading], ["a", number])
    if suffix == "csv":
        path = tmp_path / "a.csv"
        path.write_text(f"item,{heading}\na,{cell}\n", "utf-8")
    if isinstance(expected, str):
        assert [key for *_, key in told(tmp_path, path)] == [expected]
    else:
        assert sheet(path).rows[0][1].confidence.likely == pytest.approx(expected)


def test_bare_percentages_are_told(tmp_path):
    reading = read(tmp_path, "item,Confidence (%)\na,80\nb,50 %\n").reading
    (said,) = [one for one in reading.decisions if one.key == "tables.decided_percentages"]
    assert (dict(said.values), said.assumed) == ({"count": 1}, True)


def test_beside_signs_a_bare_one_is_in_doubt(tmp_path):
    assert told(tmp_path, "item,Confidence\na,80 %\nb,1\n") == [
        (3, "Confidence", "1", "tables.cell_share")
    ]


def test_numbers_as_the_french_write_them(tmp_path):
    text = "item;people;Effort : bas;Effort : haut;Confiance\na;1\u202f200;0,5;2,5;80\u00a0%\n"
    row = cells(tmp_path, text)[2]
    assert (row["people"], row["effort"], row["confidence"]) == (
        1200,
        {"low": 0.5, "high": 2.5},
        {"likely": 0.8},
    )


def test_an_end_without_the_other_names_the_heading_that_is_there(tmp_path):
    assert told(tmp_path, "item,Effort: low,Effort: high\na,1,2\nb,4,\n") == [
        (3, "Effort: low", "4", "uncertainty.half_range")
    ]


def test_formulas_and_scripts_are_text(tmp_path):
    text = 'item,people\n"=HYPERLINK(""http://x"")",1\n<script>alert(1)</script>,2\n@SUM(A1),3\n'
    assert [row["item"] for row in cells(tmp_path, text).values()] == [
        '=HYPERLINK("http://x")',
        "<script>alert(1)</script>",
        "@SUM(A1)",
    ]


# --- rows


def test_rows_have_the_numbers_of_an_editor(tmp_path):
    """The second row spans lines 2 and 3, and line 4 is empty."""
    text = 'item,owner,people\n"two\nlines",Ana,1\n\nb,"x,y",2\n"c ""q""",Cy,12 h\n'
    assert told(tmp_path, text) == [(6, "people", "12 h", "tables.cell_count")]


def test_headings_between_the_rows_of_a_list_are_rows_of_it(tmp_path):
    text = "item,owner,status\nMarketing,,\na,Ana,done\n\nb,Bo,red\nlast thing,,\n"
    assert [*cells(tmp_path, text)] == [2, 3, 5, 6]


def test_a_row_of_another_width_is_refused_with_its_number(tmp_path):
    rows = "".join(f"i{n},Ana,1\n" for n in range(30))
    assert told(tmp_path, f"item,owner,people\n{rows}x,Bo\n")[0][0] == 32


def test_a_total_is_left_out_and_told_or_asked(tmp_path):
    rows = "item,people,owner\na,1,A\nb,2,B\nc,3,C\n"
    right = read(tmp_path, f"{rows}Total,6,\n")
    assert [number for number, _ in right.rows] == [2, 3, 4]
    assert [one.key for one in right.reading.rejections] == ["tables.rejected_total"]
    problems = told(tmp_path, f"{rows}Total,7,\n")
    assert problems[0][3] == "tables.ask_totals"
    assert len(cells(tmp_path, f"{rows}Total,7,\n", totals="keep")) == 4


@pytest.mark.parametrize("text", ["item,owner\n", "", "item,owner\n,\n,\n"])
def test_a_sheet_without_rows(tmp_path, text):
    assert told(tmp_path, text)[0][3] in (
        "tables.no_rows",
        "tables.empty_file",
        "tables.lost_rows",
    )


def test_one_row_is_enough(tmp_path):
    assert cells(tmp_path, "item,owner\na,Ana\n") == {2: {"item": "a", "owner": "Ana"}}


@pytest.mark.parametrize("head", ["Item,Owner", "Sujet,Responsable", "ITEM,STATUS"])
def test_a_sheet_of_texts_alone_keeps_its_columns(tmp_path, head):
    """Its headings differ from the names of its columns by their case alone."""
    rows = cells(tmp_path, f"{head}\na,vert\nb,done\n").values()
    assert [(row["item"], len(row)) for row in rows] == [("a", 2), ("b", 2)]


def test_all_mistakes_are_told_at_once_in_the_order_of_the_rows(tmp_path):
    text = "item,people,status,Ownr\na,x,green,\n,3,green,\nb,4,blue,\n"
    problems = told(tmp_path, text)
    assert [(row, key) for row, *_, key in problems] == [
        (None, "specs.unknown_near"),
        (2, "tables.cell_count"),
        (3, "specs.missing"),
        (4, "specs.choice"),
    ]


def test_further_rows_of_a_thing_leave_what_the_first_says_empty(tmp_path):
    (tmp_path / "a.csv").write_text("item,owner,people\na,Ana,1\na,,2\nb,,3\n", "utf-8")
    spec = Plan(plan="x", data=SheetFile(path="a.csv"))
    spec._file = tmp_path / "x.yaml"
    inherited = Inherited(("item",), ("owner",))
    rows = read_sheet(spec, spec.data, Item, "plan", inherited=inherited).rows
    assert [row.owner for _, row in rows] == ["Ana", "Ana", None]


def test_the_french_of_a_cell_goes_with_it(tmp_path):
    (tmp_path / "a.csv").write_text("item,owner\nSearch,Ana\n", "utf-8")
    spec = Plan(plan="x", data=SheetFile(path="a.csv"))
    spec._file = tmp_path / "x.yaml"
    ((_, row),) = read_sheet(spec, spec.data, Item, "plan", french={"Search": "Recherche"}).rows
    assert row.item == "Search"


def test_what_stands_behind_a_result(tmp_path):
    reading = read(tmp_path, "item,owner\na,Ana\n").reading
    spec = Plan(plan="x", data=SheetFile(path="a.csv"))
    spec._file = tmp_path / "x.yaml"
    spec._file.write_text("plan: x\n", "utf-8")
    assert [(one.name, one.rows) for one in source_files(spec, [reading], 1)] == [
        ("x.yaml", 1),
        ("a.csv", 1),
    ]
    spec._file = tmp_path / "a.csv"
    assert [one.name for one in source_files(spec, [reading], 1)] == ["a.csv"]


def test_a_field_of_a_sheet_that_there_is_not():
    with pytest.raises(SpecError, match="colums"):
        Plan(plan="x", data={"path": "a.csv", "colums": {}})


# --- workbooks


def test_rows_of_a_workbook_have_the_numbers_that_a_spreadsheet_shows(tmp_path):
    rows = [["Our plan"], [], ["Item", "Owner", "People", "Due"]]
    rows += [["a", "Ana", 5, datetime.date(2026, 10, 1)], [], ["b", None, "soon", "T-5"]]
    path = book(tmp_path, *rows)
    assert told(tmp_path, path) == [(6, "People", "soon", "tables.cell_count")]
    rows[5][2] = 3
    read = sheet(book(tmp_path, *rows))
    assert [number for number, _ in read.rows] == [4, 6]
    assert [row.due for _, row in read.rows] == [datetime.date(2026, 10, 1), "T-5"]


def test_merged_cells_hold_their_value_once_and_hidden_rows_count(tmp_path):
    def change(written):
        page = written.active
        page.merge_cells("B2:B3")
        page.row_dimensions[3].hidden = True

    rows = [["Item", "Owner", "People"], ["a", "Ana", 1], ["b", None, 2]]
    read = sheet(book(tmp_path, *rows, change=change))
    assert [row.owner for _, row in read.rows] == ["Ana", None]
    assert "tables.decided_hidden" in [one.key for one in read.reading.decisions]


@pytest.mark.parametrize("spoiled", ["=1+1", "#N/A"])
def test_a_cell_that_gives_no_value_is_refused_by_its_place(tmp_path, spoiled):
    path = book(tmp_path, ["Item", "People"], ["a", 1], ["b", spoiled])
    assert told(tmp_path, path) == [(3, "B3", None, "tables.unread")]


def test_a_text_of_a_workbook_that_means_two_numbers_is_asked(tmp_path):
    path = book(tmp_path, ["Item", "People"], ["a", 0.5], ["b", "1,234"])
    assert told(tmp_path, path) == [(3, "People", "1,234", "tables.cell_unclear")]
    assert sheet(path, decimal="point").rows[1][1].people == 1234


def test_of_several_sheets_the_one_is_asked_for_unless_it_is_our_own_form(tmp_path):
    def further(title):
        return lambda written: written.create_sheet(title).append(["x", "y"])

    rows = [["Item", "Owner"], ["a", "Ana"]]
    path = book(tmp_path, *rows, change=further("Notes"))
    assert told(tmp_path, path)[0][3] == "tables.ask_sheet"
    assert sheet(path, sheet="Sheet").rows[0][1].item == "a"
    for guide in ("How to fill in", "Comment remplir"):
        assert sheet(book(tmp_path, *rows, change=further(guide))).rows[0][1].item == "a"


def test_five_thousand_rows_take_their_time_and_no_more(tmp_path):
    head = "item,Owner,Status,Blocking,Due,Confidence,People,Effort: low,Effort,Effort: high"
    row = "item {},Ana,Terminé,oui,T-{},80 %,{},1,2,3"
    lines = [head, *(row.format(number, number % 50, number) for number in range(5_000))]
    started = time.process_time()
    rows = read(tmp_path, "\n".join(lines) + "\n").rows
    assert len(rows) == 5_000
    assert rows[-1][1].people == 4_999
    assert time.process_time() - started < 4  # 0.7 s on two cores that are free


# --- texts that may mean two numbers, and answers in a spec


@pytest.mark.parametrize("cell", ["1,200", "1.200", "3M", "2 M", "1.5k"])
def test_a_text_that_may_mean_two_numbers_is_asked_and_a_number_is_not(tmp_path, cell):
    """A true number 1.234 of a workbook is no text, however it would be written."""
    path = book(tmp_path, ["item", "people", "weight"], ["a", cell, 1.234], ["b", 1.234, 5])
    assert told(tmp_path, path) == [(2, "people", cell, "tables.cell_unclear")]
    assert sheet(book(tmp_path, ["item", "people"], ["b", 1.234])).rows[0][1].people == 1.234


@pytest.mark.parametrize("cell", ["3M", "2 M"])
def test_months_written_short_are_no_millions(tmp_path, cell):
    assert told(tmp_path, f"item,people\na,{cell}\n") == [
        (2, "people", cell, "tables.cell_unclear")
    ]


def test_a_second_filled_sheet_beside_the_guide_is_asked(tmp_path):
    def more(written):
        written.active.title = "Plan"
        written.create_sheet("How to fill in")["A1"] = "rules"
        written.create_sheet("Sales")["A1"] = "item"

    rows = ["item", "people"], ["a", 1]
    assert told(tmp_path, book(tmp_path, *rows, change=more))[0][3] == "tables.ask_sheet"
    assert len(sheet(tmp_path / "a.xlsx", sheet="Plan").rows) == 1
    assert (
        len(sheet(book(tmp_path, *rows, change=lambda w: more(w) or w.remove(w["Sales"]))).rows)
        == 1
    )


def test_a_sheet_alone_is_told_how_to_answer_and_the_answer_works(tmp_path):
    path = tmp_path / "my plan.en.csv"
    path.write_text("item,people,owner\na,1,A\nb,2,B\nc,3,C\nTotal,7,\n", "utf-8")
    alone = Plan.load(path)
    assert (alone.plan, alone.slug) == ("My plan", "my-plan")
    with pytest.raises(DataError) as caught:
        read_sheet(alone, alone.data, Item, "plan")
    hint = caught.value.problems[-1]
    assert hint.key == "specs.beside"
    for language in ("en", "fr"):
        first, *lines = hint.text(language).split("\n")
        assert "my plan.en.yaml" in first
        (tmp_path / "my plan.en.yaml").write_text("\n".join(lines), "utf-8")
        spec = Plan.load(tmp_path / "my plan.en.yaml")
        assert len(read_sheet(spec, spec.data, Item, "plan").rows) == 3
    path.write_text("item,people\na,x\n", "utf-8")
    with pytest.raises(DataError) as caught:
        read_sheet(alone, alone.data, Item, "plan")
    assert [one.key for one in caught.value.problems] == ["tables.cell_count"]
