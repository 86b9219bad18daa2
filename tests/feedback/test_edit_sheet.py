"""What people write about themes: a file of edits, the sheets of a workbook, and both at once."""

import openpyxl
import pandas as pd
import pytest

from opslab import feedback
from opslab.errors import DataError, SpecError
from opslab.feedback.edit_sheet import pinned, read_changes
from opslab.feedback.edits import COLUMNS
from opslab.tables import write_csv, write_xlsx

ALL = """\
rename: {T03: {en: Late parcels, fr: Colis en retard}, T04: Dark mode}
merge: {T07: T03}
split: {T05: 2}
pin: [T03, T05b]
exclude: [T09]
route: {T03: logistics}
"""


def study_of(tmp_path, content="", audit=None, name="themes.yaml"):
    if content is not None:
        (tmp_path / name).write_text(content, encoding="utf-8")
    (tmp_path / "study.yaml").write_text(
        f"study: s\nsources: [{{path: a.csv}}]\nedits: {name}\n"
        + (f"audit: {audit}\n" if audit else ""),
        encoding="utf-8",
    )
    return feedback.Study.load(tmp_path / "study.yaml")


def written(rows):
    """Return what rows say, without what is empty or tells where it stands."""
    return [
        (row["theme"], {name: row[name] for name in COLUMNS if row[name]}, row.get("line"))
        for row in rows
    ]


def test_every_verb_of_a_file_of_edits(tmp_path):
    rows = read_changes(study_of(tmp_path, ALL))["themes"]
    assert written(rows) == [
        ("T03", {"rename": "Late parcels", "rename_fr": "Colis en retard"}, "1"),
        ("T04", {"rename": "Dark mode"}, "1"),
        ("T07", {"merge_into": "T03"}, "2"),
        ("T05", {"split": "2"}, "3"),
        ("T03", {"pin": "yes"}, "4"),
        ("T05b", {"pin": "yes"}, "4"),
        ("T09", {"exclude": "yes"}, "5"),
        ("T03", {"route": "logistics"}, "6"),
    ]
    assert pinned(rows) == {"T03", "T05"}
    assert rows[0]["field"] == "rename.T03"
    assert rows[4]["field"] == "pin[1]"


def test_labels_are_texts_as_in_yaml_1_2(tmp_path):
    content = "rename: {T01: '404', T02: on}\nmerge: {T03: NO, '04': T01}\nroute: {T05: off}\n"
    rows = read_changes(study_of(tmp_path, content))["themes"]
    assert [cells for _, cells, _ in written(rows)] == [
        {"rename": "404"},
        {"rename": "on"},
        {"merge_into": "NO"},
        {"merge_into": "T01"},
        {"route": "off"},
    ]
    assert rows[3]["theme"] == "04"


@pytest.mark.parametrize("content", ["", "# pin: [T03]\n", "{}\n", "pin: []\n"])
def test_a_file_from_which_all_was_taken_changes_nothing(tmp_path, content):
    assert read_changes(study_of(tmp_path, content))["themes"] == []


@pytest.mark.parametrize(
    ("content", "line", "field", "said"),
    [
        ("renam: {T03: x}\n", 1, "renam", "did you mean rename?"),
        ("pin: [T01]\nrename: [T03]\n", 2, "rename", "list of"),
        ("pin: T03\n", 1, "pin", "must be a list"),
        ("pin: {T03: yes}\n", 1, "pin", "must be a list"),
        ("route:\n  T03: logistics\n  T03: app\n", 3, "route.T03", "twice"),
        ("rename: {T03: 404}\n", 1, "rename.T03", "put it in quotes"),
        ("split: {T03: 7}\n", 1, "split.T03", "at most 5"),
        ("split: {T03: two}\n", 1, "split.T03", "whole number"),
        ("merge:\n", 1, "merge", "value is missing"),
        ("rename: {T03: {en: Late}}\n", 1, "rename.T03.fr", "fr is missing"),
        ("rename:\n  T03: ''\n", 2, "rename.T03", "too short"),
        ("exclude: [true]\n", 1, "exclude[1]", "boolean"),
        ("merge: {true: T03}\n", 1, "merge.true", "boolean"),
        ("- T03\n", 1, None, "name: value"),
        ("rename: {T03: [\n", 2, None, "not valid YAML"),
        ("\trename: {}\n", 1, None, "tab"),
        ("rename: {T03: !!python/name:os.system x}\n", 1, None, "tag"),
    ],
)
def test_a_mistake_is_told_once_with_file_and_line(tmp_path, content, line, field, said):
    with pytest.raises(SpecError) as caught:
        read_changes(study_of(tmp_path, content))
    (problem,) = caught.value.problems
    assert (problem.line, problem.field) == (line, field)
    assert problem.file.endswith("themes.yaml")
    assert said in problem.text("en")
    assert f"ligne {line}" in problem.text("fr")
    assert caught.value.exit_code == 2


def test_the_file_of_edits_is_one_that_the_run_stands_on(tmp_path):
    study = study_of(tmp_path, ALL)
    assert tmp_path / "themes.yaml" in study.files()
    (tmp_path / "themes.yaml").unlink()
    (tmp_path / "a.csv").write_text("text\nhello\n")
    (problem,) = study.lacking()
    assert (problem.field, problem.line) == ("edits", 3)


def sheet(**cells):
    frame = pd.DataFrame({"theme": ["T01", "T02"], "name": ["late parcel", "=refund"]})
    return frame.assign(**{**dict.fromkeys(COLUMNS), **cells})


def test_a_workbook_stands_under_edits_as_well_as_under_audit(tmp_path):
    audit = pd.DataFrame(
        {"message": ["aa"], "theme": ["T01"], "name": ["late parcel"], "right": ["yes"]}
    )
    sheets = {"themes": sheet(pin=["yes", None], route=[None, "app"]), "audit": audit}
    write_xlsx(sheets, tmp_path / "themes.xlsx")
    alone = read_changes(study_of(tmp_path, None, name="themes.xlsx"))
    assert written(alone["themes"]) == [
        ("T01", {"pin": "yes"}, None),
        ("T02", {"route": "app"}, None),
    ]
    assert [row["row"] for row in alone["themes"]] == ["2", "3"]
    assert [row["right"] for row in alone["audit"]] == ["yes"]
    twice = read_changes(study_of(tmp_path, None, "themes.xlsx", "themes.xlsx"))
    assert twice == alone


def test_both_sources_are_read(tmp_path):
    write_csv(sheet(rename=["Parcels", None]), tmp_path / "themes.csv")
    rows = read_changes(study_of(tmp_path, "pin: [T02]\n", "themes.csv"))["themes"]
    assert [each[:2] for each in written(rows) if each[1]] == [
        ("T02", {"pin": "yes"}),
        ("T01", {"rename": "Parcels"}),
    ]


@pytest.mark.parametrize("name", ["=SUM(A1)", "+33 calls", "-", "@handle", "'=quoted"])
def test_what_looks_like_a_formula_comes_back_as_it_was_written(tmp_path, name):
    for path in (
        write_csv(sheet(rename=[name, None]), tmp_path / "themes.csv"),
        write_xlsx({"themes": sheet(rename=[name.lstrip("'"), None])}, tmp_path / "themes.xlsx"),
    ):
        rows = read_changes(study_of(tmp_path, None, name=path.name))["themes"]
        back = name if path.suffix == ".csv" else name.lstrip("'")
        assert (rows[0]["rename"], rows[1]["name"]) == (back, "=refund")


def test_truths_of_a_spreadsheet_are_a_yes(tmp_path):
    write_xlsx({"themes": sheet()}, tmp_path / "themes.xlsx")
    book = openpyxl.load_workbook(tmp_path / "themes.xlsx")
    cells = {cell.value: cell.column for cell in book["themes"][1]}
    book["themes"].cell(2, cells["pin"], value=True)
    book["themes"].cell(3, cells["pin"], value=False)
    book.save(tmp_path / "themes.xlsx")
    rows = read_changes(study_of(tmp_path, None, name="themes.xlsx"))["themes"]
    assert pinned(rows) == {"T01"}


def test_a_sheet_without_edits_is_no_edits(tmp_path):
    frame = pd.DataFrame({"message": ["a"], "theme": ["T01"], "name": ["x"], "right": ["yes"]})
    write_csv(frame, tmp_path / "audit.csv")
    with pytest.raises(DataError, match="holds no edits"):
        read_changes(study_of(tmp_path, None, name="audit.csv"))


def test_an_older_sheet_lacks_the_newer_columns(tmp_path):
    write_csv(sheet(split=[2, None]).drop(columns=["pin", "exclude", "route"]), tmp_path / "t.csv")
    rows = read_changes(study_of(tmp_path, None, name="t.csv"))["themes"]
    assert written(rows)[0] == ("T01", {"split": "2.0"}, None)
