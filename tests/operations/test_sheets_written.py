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
from opslab.errors import InputError, ParameterError, SpecError
from opslab.experiments.program.spec import Idea, ListedTest, Program
from opslab.messages import LANGUAGES
from opslab.operations.decisions.spec import Answer, Decision, DecisionReview
from opslab.operations.launch_readiness.spec import Briefing, Item, Launch
from opslab.operations.launch_report.spec import LaunchReview, PastLaunch, Value
from opslab.operations.practices.spec import Assessment, PracticeReview, Process, Use
from opslab.operations.prioritisation.ratings import read_ratings
from opslab.operations.prioritisation.spec import Backlog, Rating
from opslab.operations.roadmap.spec import Initiative, Roadmap
from opslab.runs.new_workspace import SHEETS, make_workspace, new_sheet
from opslab.specs import Declared, FromFile, Title
from opslab.tables.profiles import known_profiles
from opslab.tables.sheets import SheetFile, read_sheet
from opslab.timesaved.inventory import Inventory, Line

MODELS = {
    "backlog": Rating,
    "checklist": Item,
    "canvas": Assessment,
    "processes": Process,
    "process-uses": Use,
    "briefing": Briefing,
    "kpis": Value,
    "past-launches": PastLaunch,
    "inventory": Line,
    "tests": ListedTest,
    "ideas": Idea,
    "initiatives": Initiative,
    "decisions": Decision,
    "alignment": Answer,
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


def filled(path, folder):
    """Return a copy of a sheet whose example is somebody's own row."""
    target = folder / path.name
    if path.suffix == ".csv":
        target.write_text(re.sub("Ex[ae]mple ?: ", "", path.read_text("utf-8")), "utf-8")
        return target
    book = openpyxl.load_workbook(path)
    for cell in book.worksheets[0][2]:
        cell.value = (
            re.sub("^Ex[ae]mple ?: ", "", cell.value) if cell.data_type == "s" else cell.value
        )
    book.save(target)
    return target


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
        f"{name}.{language}.{form}"
        for name in words
        for language in LANGUAGES
        for form in (*FORMS, *["yaml"] * ("spec" in words[name]))
    }
    assert names == {path.name for path in SHEETS.iterdir()}
    assert set(words) == set(MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_every_one_reads_back_filled_in_and_says_the_same_in_all_forms(name, words, tmp_path):
    rows = []
    for language in LANGUAGES:
        for form in FORMS:
            path = SHEETS / f"{name}.{language}.{form}"
            with pytest.raises(InputError) as caught:
                read(path, MODELS[name], words[name]["profile"])
            assert [problem.key for problem in caught.value.problems] == ["tables.lost_rows"]
            path = filled(path, tmp_path)
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


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("form", FORMS)
def test_an_example_that_stays_counts_for_nothing_and_is_told(language, form, tmp_path):
    path, own = SHEETS / f"backlog.{language}.{form}", filled(SHEETS / "backlog.en.csv", tmp_path)
    (_, row) = csv.reader(io.StringIO(own.read_text("utf-8-sig")))
    target = tmp_path / path.name
    if form == "csv":
        mark = ";" if language == "fr" else ","
        target.write_text(path.read_text("utf-8") + mark.join(f'"{cell}"' for cell in row), "utf-8")
    else:
        book = openpyxl.load_workbook(path)
        book.worksheets[0].append([float(cell) if cell.isdigit() else cell for cell in row])
        book.save(target)
    sheet = read(target, Rating, "backlog")
    assert [number for number, _ in sheet.rows] == [3]
    (left,) = sheet.reading.rejections
    assert (left.row, left.values["cell"][:5]) == (2, "Examp" if language == "en" else "Exemp")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "name",
    [
        "backlog",
        "checklist",
        "kpis",
        "inventory",
        "tests",
        "initiatives",
        "decisions",
        "canvas",
        "processes",
    ],
)
def test_the_spec_beside_a_sheet_reads_once_its_gaps_are_filled(name, language, tmp_path):
    specs = {"backlog": Backlog, "checklist": Launch, "kpis": LaunchReview, "inventory": Inventory}
    specs |= {"tests": Program, "initiatives": Roadmap, "decisions": DecisionReview}
    specs |= {"canvas": PracticeReview, "processes": PracticeReview}
    text = (SHEETS / f"{name}.{language}.yaml").read_text("utf-8")
    for gap, value in {"launch_date:": "2026-10-12", "target:": "3", "by:": "2026-11-30"}.items():
        text = text.replace(f"{gap} #", f"{gap} {value} #")
    path = tmp_path / "spec.yaml"
    path.write_text(text, "utf-8")
    spec = specs[name].load(path)
    assert [file.name for file in spec.files()[1:]] == [f"{name}.{language}.xlsx"]
    path.write_text(
        re.sub("(?m)^# (briefing|past|reach|totals|since|surveys)", r"\1", text), "utf-8"
    )
    if name != "backlog":  # totals stands under data there
        assert specs[name].load(path).files()


@pytest.mark.parametrize("name", MODELS)
def test_the_columns_are_those_of_the_profile_and_of_what_is_read(name, words):
    known, model = known_profiles()[words[name]["profile"]].columns, MODELS[name]
    for column in words[name]["columns"]:
        assert column in known
        assert re.sub(ENDS, "", column) in model.model_fields
    needed = {field for field, info in model.model_fields.items() if info.is_required()}
    assert needed <= {re.sub(ENDS, "", column) for column in words[name]["columns"]}


@pytest.mark.parametrize("name", MODELS)
def test_what_is_left_out_is_the_example_and_nothing_else(name, maker, words):
    first = {language: maker.asked(words[name], language)[0] for language in LANGUAGES}
    english, french = (first[language].example for language in LANGUAGES)
    forms = {french.replace(" :", f"{space}:") for space in " \u00a0\u202f"}
    assert {*first["en"].column.leave_out} == {english} | forms
    assert not any(sign in english + french for sign in "*?[")


def test_a_row_whose_user_kept_the_word_counts(tmp_path):
    head = "item,owner,status,blocking,evidence\n"
    for word in ("Example: rollback", "Exemple : retour arrière", "Exemple: x"):
        path = tmp_path / "a.csv"
        path.write_text(f"{head}{word},h,red,yes,\n", "utf-8")
        ((_, item),) = read(path, Item, "checklist").rows
        assert (item.item, item.blocking) == (word, True)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_of_a_list_are_those_that_the_sheet_reads(language, maker, words):
    for sheet in words.values():
        for column in maker.asked(sheet, language):
            known = column.column.words
            if not known or column.name == "chosen":  # anything may be decided: no list
                assert not column.choices
                continue
            forms = {
                form.casefold(): word for word, others in known.items() for form in (word, *others)
            }
            assert [forms[choice.casefold()] for choice in column.choices] == [*known], column.name
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
        listed = bool(column.choices or column.scale)
        assert listed == (rule is not None and rule.type == "list")
        assert not column.above or float(rule.formula1) > 0
        assert column.column.kind != "share" or page.cell(2, cell.column).number_format == "0%"
        if column.scale:
            place, kind = re.fullmatch("'(.+)'!(.+)", rule.formula1).groups(), rule.errorStyle
            listed = [listed.value for (listed,) in book[place[0]][place[1].replace("$", "")]]
            assert (listed, kind) == (column.scale, "warning")
            assert page.cell(2, cell.column).value in listed
            continue
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
    files = [workspace / "sheets" / f"backlog.{language}.{form}" for form in (*FORMS, "yaml")]
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
        with pytest.raises(ParameterError, match=r"the sheets are alignment.*checklist"):
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


OVER = {
    "linear": ("Title,Status", ["Todo", "In Progress"], ["Done", "Canceled", "Duplicate"]),
    "jira": ("Résumé,État", ["Ouvert", "En cours"], ["Terminé", "TERMINÉE", "Annulé", "Fermé"]),
    "category": ("Summary,Status Category", ["To Do", "Doing"], ["Done", "done", "Won't Do"]),
    "trello": ("Card Name,Archived", ["false", ""], ["true", "2026-09-01T10:00:00.000Z"]),
    "own": ("Sujet,Statut", ["Idée", "Close to done"], ["Clos", "archivé", "Abandonnée"]),
}


@pytest.mark.parametrize("name", OVER)
def test_what_is_done_or_cancelled_is_not_ranked_and_is_told(name, tmp_path):
    head, kept, over = OVER[name]
    rows = [f'i{n},"{said}",1200,2,80 %,3\n' for n, said in enumerate([*over, *kept])]
    (tmp_path / "a.csv").write_text(
        f"{head},Reach,Impact,Confidence,Effort\n{''.join(rows)}", "utf-8"
    )
    sheet = read(tmp_path / "a.csv", Rating, "backlog")
    assert [row.item for _, row in sheet.rows] == [f"i{len(over)}", f"i{len(over) + 1}"]
    assert [left.values["cell"] for left in sheet.reading.rejections] == over


ABOVE = [
    ("Confidence (%)", "150"),
    ("Confidence", "150 %"),
    ("Confidence", "1,5"),
    ("Confidence", ""),
]


@pytest.mark.parametrize(("heading", "cell"), ABOVE)
def test_a_confidence_of_more_than_all_or_of_nothing_is_refused(heading, cell, tmp_path):
    head, row = f"Item,Reach (users/month),Impact,{heading},Effort", f'a,9,1,"{cell}",1'
    (tmp_path / "a.csv").write_text(f"{head}\n{row}\n", "utf-8")
    backlog = Backlog.load(tmp_path / "a.csv")
    with pytest.raises(InputError):
        read_ratings(backlog)


HEADS = [  # headings, the one refused, and by which message
    ("Reach (c),Effort (design),Effort (engineering)", "Effort (engineering)", "also"),
    ("Reach (min),Effort", "Reach (min)", "unlike"),
    ("Portée (mini),Effort", "Portée (mini)", "unlike"),
    ("Reach,Reach (trials),Effort", "Reach (trials)", "also"),
    ("Reach,Reach P10,Effort", "Reach P10", "unlike"),
    ("Reach,Effort,Effort P90", "Effort P90", "unlike"),
    ("Reach,Effort,Duration (months)", "Duration (months)", "unlike"),
    ("Portée,Effort,Durée (mois)", "Durée (mois)", "unlike"),
    ("Reach,Effort,Cost of delay (per month)", "Cost of delay (per month)", "unlike"),
    ("Portée,Effort,Coût du retard (k€/mois)", "Coût du retard (k€/mois)", "unlike"),
]


@pytest.mark.parametrize(("heads", "refused", "key"), HEADS)
def test_a_second_column_or_one_of_another_unit_is_refused_by_name(heads, refused, key, tmp_path):
    names = f"Item,Impact,{heads}".split(",")
    path = tmp_path / "a.csv"
    path.write_text(f"{','.join(names)}\na,{','.join('1' * (len(names) - 1))}\n", "utf-8")
    with pytest.raises(InputError) as caught:
        read(path, Rating, "backlog")
    (problem,) = caught.value.problems
    assert (problem.field, problem.key) == (refused, f"tables.heading_{key}")
    assert problem.text("fr") != problem.text("en")
    if key == "also":
        name = problem.values["name"]
        spec = Spec()
        spec._file = tmp_path / "spec.yaml"
        given = SheetFile(path="a.csv", columns={name: refused})
        assert read_sheet(spec, given, Rating, "backlog").rows


@pytest.mark.parametrize("ends", ["min,max", "mini,maxi", "P5,P95"])
def test_ends_by_other_names_are_ends(ends, tmp_path):
    low, high = ends.split(",")
    head = f"Item,Reach,Reach {low},Reach {high},Impact,Effort,Weeks,CoD,Duration {low},Duration {high}"
    (tmp_path / "a.csv").write_text(f"{head}\na,5,2,9,1,1,3,100,2,4\n", "utf-8")
    ((_, row),) = read(tmp_path / "a.csv", Rating, "backlog").rows
    assert (row.reach.low, row.reach.high, row.weeks.high, row.cost_of_delay.likely) == (
        2,
        9,
        4,
        100,
    )


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


def test_a_sheet_of_another_kind_is_named(tmp_path):
    path = filled(SHEETS / "backlog.fr.csv", tmp_path)
    with pytest.raises(InputError, match=r"looks like another kind .* Backlog \(RICE\)") as caught:
        read(path, Item, "checklist")
    assert "Backlog (RICE)" in caught.value.text("fr")


def test_a_workbook_or_a_folder_is_no_spec(tmp_path):
    for path in (SHEETS / "kpis.en.xlsx", tmp_path):
        with pytest.raises(SpecError) as caught:
            LaunchReview.load(path)
        assert [problem.key for problem in caught.value.problems] == ["specs.no_spec"]
