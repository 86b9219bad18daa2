"""The sheets of `opslab init` and `opslab new sheet`: what is in them, and that they read back as they stand."""

import csv
import datetime
import importlib.util
import io
import json
import re
import sys
import zipfile

import openpyxl
import pytest
from click.testing import CliRunner

from conftest import ROOT
from opslab.cli import main
from opslab.errors import InputError, ParameterError
from opslab.messages import LANGUAGES
from opslab.operations.launch_readiness.spec import Briefing, Item
from opslab.operations.launch_report.spec import PastLaunch, Value
from opslab.operations.prioritisation.spec import Rating
from opslab.runs.new_workspace import SHEETS, make_workspace, new_sheet
from opslab.specs import Declared, FromFile, Title
from opslab.tables.profiles import known_profiles
from opslab.tables.sheets import SheetFile, read_sheet
from opslab.timesaved.inventory import Line

MODELS = {
    "backlog": Rating,
    "checklist": Item,
    "briefing": Briefing,
    "kpis": Value,
    "past-launches": PastLaunch,
    "inventory": Line,
}
FORMS = ("xlsx", "csv")
ENDS = "_(low|likely|high)$"
"""Of the columns of a range."""


class Spec(FromFile):
    name: Title = "x"


@pytest.fixture(scope="module")
def maker():
    sys.path.insert(0, str(ROOT / "docs"))
    spec = importlib.util.spec_from_file_location("sheets_maker", ROOT / "docs" / "sheets.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.path.remove(str(ROOT / "docs"))
    return module


@pytest.fixture(scope="module")
def words(maker):
    return maker.words()


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    (tmp_path / "opslab.toml").touch()
    monkeypatch.delenv("OPSLAB_WORKSPACE", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(path, model, profile):
    spec = Spec()
    spec._file = path.parent / "spec.yaml"
    return read_sheet(spec, SheetFile(path=path.name), model, profile)


def parts(content):
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


# --- the files


def test_making_them_again_gives_the_same(maker):
    """Of workbooks the parts are compared: how they are packed may differ from machine to machine."""
    made = maker.files()
    assert sorted(made) == sorted(path.name for path in SHEETS.iterdir())
    for name, content in made.items():
        stored = (SHEETS / name).read_bytes()
        same = parts(content) == parts(stored) if name.endswith("xlsx") else content == stored
        assert same, f"{name}: run `make docs`"


def test_every_sheet_is_there_in_both_languages_and_forms(words):
    names = {
        f"{name}.{language}.{form}" for name in words for language in LANGUAGES for form in FORMS
    }
    assert names == {path.name for path in SHEETS.iterdir()}
    assert set(words) == set(MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_every_one_reads_back_as_it_stands_and_says_the_same_in_all_forms(name, words):
    rows = []
    for language in LANGUAGES:
        for form in FORMS:
            path = SHEETS / f"{name}.{language}.{form}"
            sheet = read(path, MODELS[name], words[name]["profile"])
            ((number, row),) = sheet.rows
            assert number == 2
            given = {key for key, value in row if value not in (None, False)}
            told = words[name]["columns"]
            expected = {re.sub(ENDS, "", key) for key in told if "example" in told[key]}
            assert expected <= given
            values = row.model_dump(mode="json")
            rows.append(
                {k: v for k, v in values.items() if not isinstance(v, str) or k in ("date", "due")}
            )
    assert all(row == rows[0] for row in rows)


@pytest.mark.parametrize("name", MODELS)
def test_the_columns_are_those_of_the_profile_and_of_what_is_read(name, words):
    known, model = known_profiles()[words[name]["profile"]].columns, MODELS[name]
    for column in words[name]["columns"]:
        assert column in known
        assert re.sub(ENDS, "", column) in model.model_fields
    needed = {field for field, info in model.model_fields.items() if info.is_required()}
    assert needed <= {re.sub(ENDS, "", column) for column in words[name]["columns"]}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_of_a_list_are_those_that_the_sheet_reads(language, maker, words):
    for sheet in words.values():
        for column in maker.asked(sheet, language):
            known = column.column.words
            if not known:
                assert not column.choices
                continue
            forms = {
                form.casefold(): word for word, others in known.items() for form in (word, *others)
            }
            assert [forms[choice] for choice in column.choices] == [*known], column.name
            assert len(",".join(column.choices)) < 255


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", MODELS)
def test_a_workbook_tells_what_goes_in(name, language, maker, words):
    """Openpyxl reads what it wrote: headings, notes, lists, formats, the second sheet."""
    book = openpyxl.load_workbook(SHEETS / f"{name}.{language}.xlsx")
    page, guide = book.worksheets
    columns = maker.asked(words[name], language)
    assert guide.title == maker.GUIDE[language]
    assert page.freeze_panes == "B2"
    lists = {str(rule.sqref).split("2:")[0]: rule for rule in page.data_validations.dataValidation}
    for cell, column in zip(page[1], columns, strict=True):
        assert cell.value == column.heading
        assert cell.font.bold
        assert len(cell.comment.text) > 8
        rule = lists.get(cell.column_letter)
        assert bool(column.choices) == (rule is not None and rule.type == "list")
        if column.choices:
            assert rule.formula1 == f'"{",".join(column.choices)}"'
        elif rule:
            assert (rule.operator, rule.error != "") == ("between", True)
            example = page.cell(2, cell.column).value
            if isinstance(example, datetime.date):
                example = (example.date() - datetime.date(1899, 12, 30)).days
            assert example is None or float(rule.formula1) <= example <= float(rule.formula2)
    assert maker.EXAMPLE[language] == page["A2"].comment.text
    assert page.max_row == 2
    told = [cell.value for cell in guide["A"] if cell.value]
    assert set(told) >= {column.heading for column in columns}
    assert any("opslab run" in line or ".xlsx" in line for line in told)


@pytest.mark.parametrize("name", MODELS)
def test_a_file_of_text_opens_in_a_spreadsheet_of_its_language(name):
    for language, delimiter in (("en", ","), ("fr", ";")):
        content = (SHEETS / f"{name}.{language}.csv").read_bytes()
        assert content.startswith(b"\xef\xbb\xbf")
        rows = [*csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=delimiter)]
        assert len(rows) == 2
        assert len(rows[0]) == len(rows[1]) > 2


def test_no_english_in_french_and_no_space_that_may_break(maker, words):
    english, french = ({}, {})
    for name, sheet in words.items():
        for language, said in zip(LANGUAGES, (english, french), strict=True):
            said[name] = [column.note for column in maker.asked(sheet, language)]
            said[name] += [maker.spaced(rule, language) for rule in sheet["rules"][language]]
    for name in words:
        assert not set(english[name]) & set(french[name])
        assert len(english[name]) == len(french[name])
        for text in french[name]:
            assert not re.search(
                r"[ \w][;?!%»]| :(?!/)",
                re.sub(r"\w+: \{.*\}|\S+=\S+", "", text).replace("\xa0", "~"),
            )


def test_what_a_sheet_says_to_run_is_there(words):
    known = main.commands["run"]
    assert known
    said = json.dumps(words, default=str)
    from opslab.runs.registry import notebooks

    named = set(re.findall(r"opslab run (\w+)", said))
    assert named <= set(notebooks())
    assert set(re.findall(r"sheets/([\w-]+)\.(?:en|fr)\.xlsx", said)) <= set(words)


# --- the commands


def test_init_writes_them_all(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    written = make_workspace("desk")
    sheets = sorted(path.name for path in (tmp_path / "desk" / "sheets").iterdir())
    assert sheets == sorted(path.name for path in SHEETS.iterdir())
    assert len([path for path in written if path.parent.name == "sheets"]) == len(sheets)
    assert make_workspace("desk") == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_new_sheet_writes_both_forms_and_overwrites_nothing(workspace, language):
    def told(*arguments):
        return CliRunner().invoke(main, ["new", "sheet", *arguments, "--language", language])

    result = told("backlog")
    assert result.exit_code == 0
    files = [workspace / "sheets" / f"backlog.{language}.{form}" for form in FORMS]
    assert sorted(workspace.glob("sheets/*")) == sorted(files)
    assert all(str(file) in result.output.replace("\n", "") for file in files)
    assert files[0].read_bytes() == (SHEETS / files[0].name).read_bytes()
    assert told("backlog").exit_code == 0
    assert "backlog" in told("backlog").output
    files[1].write_text("mine", "utf-8")
    files[0].unlink()
    refused = told("backlog")
    assert refused.exit_code == 2
    assert files[1].name in refused.output
    assert not files[0].exists()
    assert files[1].read_text("utf-8") == "mine"


def test_a_sheet_that_there_is_not(workspace):
    for name in (None, "backlg", "zzz", "*", "../x", "backlog.en"):
        with pytest.raises(ParameterError, match=r"the sheets are backlog.*checklist"):
            new_sheet(name, "en")
    assert not (workspace / "sheets").exists()
    assert (
        "les tableaux sont" in CliRunner().invoke(main, ["new", "sheet", "--language", "fr"]).output
    )


# --- exports of tools, in their layouts


class Named(Declared):
    """What an export holds without scores."""

    id: str | None = None
    item: str


JIRA = (
    "Summary,Issue key,Issue id,Issue Type,Status,Project key,Created,Labels,Labels,"
    "Custom field (Reach),Custom field (Impact),Custom field (Confidence),Custom field (Effort)\n"
    "Single inbox,OPS-1,1,Idea,Open,OPS,12/Mar/26 9:41 AM,a,b,1200,2,80 %,3\n"
)
JIRA_FR = (
    "Résumé,Clé de ticket,Type de ticket,État,Champs personnalisés (Reach),"
    "Champs personnalisés (Impact),Champs personnalisés (Confidence),Champs personnalisés (Effort)\n"
    'Boîte unique,OPS-1,Idée,Ouvert,1200,"0,5",80 %,3\n'
)


@pytest.mark.parametrize(("text", "impact"), [(JIRA, 2), (JIRA_FR, 0.5)])
def test_an_export_of_jira(tmp_path, text, impact):
    path = tmp_path / "jira.csv"
    path.write_text(text, "utf-8-sig")
    ((number, row),) = read(path, Rating, "backlog").rows
    assert (number, row.id, row.confidence) == (2, "OPS-1", 0.8)
    assert (row.reach.likely, row.impact.likely, row.effort.likely) == (1200, impact, 3)


def test_a_field_that_an_export_of_jira_holds_twice_is_asked(tmp_path):
    """As exports of Jira Product Discovery have been seen."""
    path = tmp_path / "jira.csv"
    head = JIRA.replace("Custom field (Reach),", "Custom field (Impact),Custom field (Reach),")
    path.write_text(head.replace(",1200,2,", ",1,1200,2,"), "utf-8")
    with pytest.raises(InputError, match="More than one column") as caught:
        read(path, Rating, "backlog")
    assert caught.value.problems[0].field == "Custom field (Impact)"


EXPORTS = {
    "linear.csv": "ID,Team,Title,Description,Status,Estimate,Priority,Created,Started,Completed,Canceled\nENG-1,Ops,Single inbox,,Todo,3,High,2026-09-01T10:00:00.000Z,,,\n",
    "aha.csv": "Feature reference #,Feature name,Feature status,Release name\nENG-1,Single inbox,Open,R1\n",
    "trello.csv": "Card ID,Card Name,Card URL,Card Description,Labels,Members,Due Date,List ID,List Name,Board ID,Board Name,Archived\nENG-1,Single inbox,https://trello.com/c/1,,,,,l1,To do,b1,Board,false\n",
    "productboard.csv": "entity_uuid,entity_name,description,pb_url,status_name\nu-1,Single inbox,,https://example.com,New\n",
}


@pytest.mark.parametrize("name", EXPORTS)
def test_exports_without_scores_name_their_items(tmp_path, name):
    """The backlog needs impact beside them: a column that is added to the export."""
    path, (head, row) = tmp_path / name, EXPORTS[name].split("\n")[:2]
    path.write_text(f"{head}\n{row}\n", "utf-8")
    with pytest.raises(InputError, match="needs columns that the file does not have: impact"):
        read(path, Rating, "backlog")
    path.write_text(f"{head},Reach,Impact,Confidence,Effort\n{row},1200,2,80 %,3\n", "utf-8")
    ((_, rating),) = read(path, Rating, "backlog").rows
    assert rating.item == "Single inbox"
    assert rating.id in ("ENG-1", None)
    assert rating.effort.likely == 3  # not Linear's estimate


def test_cards_of_a_trello_board(tmp_path):
    """Custom fields stand in the board without their names: `columns:` cannot reach them."""
    board = {"name": "Board", "lists": [{"id": "l1", "name": "To do"}]}
    cards = [{"id": "c1", "name": "Single inbox", "idList": "l1", "impact": 2}]
    path = tmp_path / "board.json"
    path.write_text(json.dumps(board | {"cards": cards}), "utf-8")
    spec = Spec()
    spec._file = tmp_path / "spec.yaml"

    class Card(Declared):
        id: str
        item: str
        impact: dict | float

    ((_, card),) = read_sheet(
        spec, SheetFile(path="board.json", records="cards"), Card, "backlog"
    ).rows
    assert (card.id, card.item) == ("c1", "Single inbox")
