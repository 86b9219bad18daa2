"""`opslab new case`: ten questions in a terminal or a sheet; a case and an inventory that run as they stand."""

import datetime
import itertools
import os
import re
import select
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner

from opslab import businesscase, documents, timesaved
from opslab.businesscase import interview
from opslab.businesscase.interview import STARTER, questions
from opslab.cli import main
from opslab.errors import SpecError
from opslab.messages import LANGUAGES, text

pty = pytest.importorskip("pty", reason="a terminal to answer in")
ROOT = Path(__file__).parents[1]
NAME = 'Été 2027: "50 %"'


def examples(language="en", **answers):
    return {question.name: question.example for question in questions(language)} | answers


def drafted(language="en", title="desk", **answers):
    return interview.draft(title, examples(language, **answers), language)


def content(draft):
    return {path: content.decode() for path, content in draft.files.items()}


def loaded(draft, folder):
    """Return the inventory and the case that a draft holds."""
    files = [folder / Path(name).name for name in draft.files]
    for file, written in zip(files, draft.files.values(), strict=True):
        file.write_bytes(written)
    return timesaved.Inventory.load(files[0]), businesscase.Case.load(files[1])


def ends(stated):
    return {
        name: end
        for name in ("low", "likely", "high")
        if (end := getattr(stated, name)) is not None
    }


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    (tmp_path / "opslab.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(workspace, *arguments, **more):
    return CliRunner().invoke(main, ["new", "case", *arguments], **more)


# --- what is asked


def test_both_languages_ask_the_same_in_ten_questions():
    english, french = ([*questions(language)] for language in LANGUAGES)
    for one, other in zip(english, french, strict=True):
        assert (one.name, one.kind, one.needs) == (other.name, other.kind, other.needs)
        assert [*one.choices.values()] == [*other.choices.values()]
        defaults = (it.choices.get(it.default, it.default) for it in (one, other))
        assert len({*defaults}) == 1
    for asked in (english, french):
        assert len({question.heading for question in asked}) == 10
        assert all(question.label and question.example for question in asked)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sheet_asks_what_the_terminal_asks(language):
    """`make docs` writes it; openpyxl reads it, and its lists."""
    sheet = openpyxl.load_workbook(STARTER / f"case.{language}.xlsx").active
    asked = {row[5].value: row for row in sheet.iter_rows(min_row=2) if row[5].value}
    assert [*asked] == [question.name for question in questions(language)]
    lists = {
        str(rule.sqref): rule.formula1.strip('"').split(",")
        for rule in sheet.data_validations.dataValidation
    }
    for question in questions(language):
        label, answer, grade, _, example, _ = asked[question.name]
        assert (label.value, example.value) == (question.label, question.example)
        usual = "" if "{" in question.default else question.default
        assert (answer.value or "") == usual
        if question.choices:
            assert lists[answer.coordinate] == [*question.choices]
        if question.name == "currency":
            assert "EUR" in lists[answer.coordinate]
        if question.name in ("running", "rate", "nothing", "adoption", "one_off"):
            assert lists[grade.coordinate] == [*"ABCDEF"]


# --- what the answers make


def shape(value):
    if isinstance(value, dict):
        return {
            name if name.isascii() and name.islower() else "": shape(it)
            for name, it in value.items()
        }
    return [shape(it) for it in value] if isinstance(value, list) else type(value)


def test_both_languages_make_the_same_files():
    choices = {question.name: question.example for question in questions("fr") if question.choices}
    english = content(drafted("en"))
    french = content(interview.draft("desk", examples("en", **choices), "fr"))
    for path, own in english.items():
        one, other = (documents.parse(it, path).values for it in (own, french[path]))
        assert shape(one) == shape(other)
        assert own.count("TODO") == french[path].count("TODO") > 3


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("one_off", "small", "ends"),
    [*itertools.product([True, False], [True, False], ["yes", "no"])],
)
def test_whatever_is_answered_the_case_is_built(tmp_path, language, one_off, small, ends):
    more = {} if one_off else {"one_off": ""}
    more |= {} if small else dict.fromkeys(("small_name", "small_cost", "small_gain"), "")
    said = {"en": ends, "fr": {"yes": "oui", "no": "non"}[ends]}[language]
    draft = drafted(language, ends=said, **more)
    assert not draft.wrong
    inventory, case = loaded(draft, tmp_path)
    saved = timesaved.estimate(inventory, draws=1_000)
    result = businesscase.build(case, {"hours": saved.evidence()}, draws=1_000)
    assert len(case.options) == 2 + small
    assert ("one_off" in {cost.amount for cost in case.costs}) == one_off
    goes_on = case.costs[1].name in case.options[1].costs
    assert goes_on == (ends == "no")
    assert {assumption.grade for assumption in case.assumptions} == {"F"}
    assert (
        result.recommended.npv.mean < 0
    )  # 42,000 a year for an hour or two a week: as it was answered


def test_nothing_is_made_up():
    """Every amount in the files is an answer, or a default of opslab that a TODO names."""
    text = "".join(content(drafted()).values())
    amounts = {float(it) for it in re.findall(r"(?:low|high|likely|people|rate): ([\d.]+)", text)}
    said = {38000, 46000, 6000, 10000, 58, 66, 0.6, 0.9, 12000, 18000, 4, 10, 6, 3, 20, 60, 0.3}
    assert amounts <= said | {0.1} | {0, 1}  # the discount rate; an example in a comment
    for line in text.splitlines():
        if "rate: 0.1" in line or "hours: 1575" in line:
            assert "TODO" in line


NUMBERS = {  # by hand
    "38000": {"likely": 38000},
    "38 000 €": {"likely": 38000},
    "38k": {"likely": 38000},
    "38,5": {"likely": 38.5},
    "38k - 46k": {"low": 38000, "high": 46000},
    "38-46k": {"low": 38000, "high": 46000},
    "38 to 46 k": {"low": 38000, "high": 46000},
    "€38-46k": {"low": 38000, "high": 46000},
    "38000\u201346000": {"low": 38000, "high": 46000},
    "38 000 à 46 000": {"low": 38000, "high": 46000},
    "38\u202f000 à 46'000": {"low": 38000, "high": 46000},
    "0.125": {"likely": 0.125},
    "€26k to €30k": {"low": 26000, "high": 30000},
}


@pytest.mark.parametrize("given", NUMBERS)
def test_amounts_are_read_as_people_write_them(given, tmp_path):
    draft = drafted(running=given)
    assert not draft.wrong
    assert ends(loaded(draft, tmp_path)[1].assumptions[0]) == NUMBERS[given]


SHARED_UNITS = {  # by hand
    ("minutes", "1-2 h"): {"low": 60, "high": 120},
    ("minutes", "1 to 2 h"): {"low": 60, "high": 120},
    ("minutes", "10-25 min"): {"low": 10, "high": 25},
    ("minutes", "10 to 25"): {"low": 10, "high": 25},
    ("minutes", "20 min à 1 h"): {"low": 20, "high": 60},
    ("reduction", "20-50%"): {"low": 0.2, "high": 0.5},
    ("reduction", "30 to 60 %"): {"low": 0.3, "high": 0.6},
    ("reduction", "0.2 to 0.5"): {"low": 0.2, "high": 0.5},
}


@pytest.mark.parametrize(("name", "given"), SHARED_UNITS)
def test_a_unit_at_the_end_is_of_both_ends(name, given, tmp_path):
    draft = drafted(**{name: given})
    assert not draft.wrong
    (line,) = loaded(draft, tmp_path)[0].lines
    assert ends(getattr(line, name)) == SHARED_UNITS[name, given]


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("minutes", "1-2h30"),
        ("minutes", "20 to 1 h"),  # 20 hours to 1
        ("minutes", "20 min to 45"),
        ("minutes", "1 h to 90"),
        ("reduction", "30% to 60"),
        ("running", "38k to 46"),
        ("running", "38000 to 46k"),
        ("running", "38 to 46 000"),
    ],
)
def test_a_unit_that_may_be_of_one_end_alone_is_refused(name, given):
    assert list(drafted(**{name: given}).wrong) == [(name,)]


WRONG = {
    "who": ("", ["who"], "businesscase.new_missing"),
    "by": ("tomorrow", ["by"], "specs.not_date"),
    "currency": ("euros", ["currency"], "specs.pattern"),
    "running": ("38.000", ["running"], "businesscase.new_unclear"),
    "one_off": ("$3000", ["one_off"], "businesscase.new_currency"),
    "nothing": ("1-2-3", ["nothing"], "specs.not_number"),
    "cost_kind": ("staff", ["cost_kind"], "specs.choice"),
    "paid_from": ("2027-01-15", ["paid_from"], "businesscase.first_of_month"),
    "in_use": ("2026-12-31", ["in_use", "paid_from"], "businesscase.milestone_order"),
    "running_per": ("quarter", ["running_per"], "specs.choice"),
    "running_grade": ("Z", ["running_grade"], "specs.choice"),
    "small_cost": ("", ["small_cost"], "businesscase.new_missing"),
    "small_gain": ("400%", ["small_gain"], "businesscase.reach_minimum"),
    "people": ("six", ["people"], "specs.not_number"),
    "minutes": ("14:30", ["minutes"], "tables.cell_minutes"),
    "reduction": ("60", ["reduction"], "uncertainty.over_one"),
    "frequency": ("6 to 3", ["frequency"], "uncertainty.order"),
    "ends": ("perhaps", ["ends"], "specs.choice"),
    "kpi": ("", ["kpi"], "businesscase.new_missing"),
    "sentence": ("x" * 700, ["sentence"], "specs.text_length"),
    "task": ("x" * 130, ["task"], "specs.text_length"),
}
BETWEEN = {  # seen where all else is right
    "target": ("20", ["target", "baseline", "least", "most", "kill"], "businesscase.kpi_range"),
    "kill": ("5", ["kill", "baseline", "target", "least", "most"], "businesscase.kpi_kill"),
    "by": ("2026-01-01", ["by"], "businesscase.decided_before"),
    "in_use": ("2040-01-01", ["in_use"], "businesscase.outside_horizon"),
    "nothing_name": ("Running cost", ["nothing_name"], "businesscase.twice"),
    "small_name": ("Do nothing", ["small_name"], "businesscase.twice"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_traced_to_its_answer(name):
    given, names, key = WRONG[name]
    wrong = drafted(**{name: given}).wrong
    assert [(list(own), problem.key) for own, problem in wrong.items()] == [(names, key)]


@pytest.mark.parametrize("name", BETWEEN)
def test_a_contradiction_is_traced_to_its_answers(name):
    given, names, key = BETWEEN[name]
    wrong = drafted(**{name: given}).wrong
    assert wrong[tuple(names)].key == key
    assert all(wrong)


def test_what_is_wrong_on_the_way_is_always_about_an_answer():
    """Else the interview would end: only the name of the case is beyond its questions."""
    given = examples()
    for count in range(0, len(given), 3):
        some = dict([*given.items()][:count])
        wrong = interview.draft("desk", some, "en").wrong
        assert wrong
        assert all(wrong)
    with pytest.raises(SpecError):
        drafted(title="x" * 130)  # refused before anything is asked


def test_a_part_of_nothing_is_no_smaller_version():
    for name in ("small_cost", "small_gain"):
        (problem,) = drafted(**{name: "0 %"}).wrong.values()
        assert problem.key == "businesscase.reach_minimum"


HOSTILE = [
    'l\'été: 50 % de "mieux" # pas un commentaire',
    "{{ 7 * 7 }} ${HOME} {% raw %} %% if true",
    "- !!python/object:os.system [a, b] {c: d} &x *x",
    "a\nkey: injected\n---\n...",
    "null",
    "1e5",
    "yes",
    "\x1b[31mred\x07\x85\u2028\u202e",
    '\\n \\" \\',
    "=cmd|' /C calc'!A0",
    "\ud800 half",
    "émoji 👩‍🚀",
    "<script>alert(1)</script>",
    'a %"owner"% b',
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_texts_stay_texts(hostile, tmp_path):
    """What was typed is what the spec holds, on one line: no YAML, no template, no formula."""
    names = [it.name for it in questions("en") if it.kind == "text" and not it.choices]
    safe = {"by", "date", "currency", "paid_from", "in_use", "due", "nothing_name", "small_name"}
    safe |= {"measured_in", "sponsor"}  # short, and somebody
    draft = drafted(title=f"desk {hostile}", **dict.fromkeys({*names} - safe, hostile))
    assert not draft.wrong
    (inventory, case) = (documents.parse(it, "x").values for it in content(draft).values())
    typed = " ".join(hostile.split()).encode("utf-8", "replace").decode()
    assert case["ask"] == {"sentence": typed, "problem": typed}
    assert (
        case["kpis"][0]["name"]
        == case["teams"][0]["role"]
        == inventory["lines"][0]["task"]
        == typed
    )
    assert inventory["inventory"] == case["case"] == f"desk {typed}"
    assert len(case) == 16
    assert all(re.fullmatch(r"cases/[a-z0-9-]+\.yaml", name) for name in draft.files)


# --- the sheet


def filled(workspace, language="en", **cells):
    """Fill a sheet in with its examples, and with cells of a spreadsheet's own types."""
    file = workspace / "filled.xlsx"
    book = openpyxl.load_workbook(STARTER / f"case.{language}.xlsx")
    for row in book.active.iter_rows(min_row=2):
        name = row[5].value
        if name:
            row[1].value = cells.get(name, row[4].value)
            row[2].value, row[3].value = cells.get(f"{name}_more", (None, None))
    book.save(file)
    return str(file)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sheet_comes_back_as_a_case(workspace, language):
    made = told(workspace, NAME, "--sheet", "--language", language)
    assert made.exit_code == 0, made.output
    sheet = workspace / "cases" / "ete-2027-50.xlsx"
    assert sheet.read_bytes() == (STARTER / f"case.{language}.xlsx").read_bytes()
    unit = {"en": "month", "fr": "mois"}[language]
    file = filled(
        workspace,
        language,
        by=datetime.date(2026, 12, 15),
        running=3500,
        running_per=unit,
        running_more=("d", "payroll"),
        minutes=datetime.time(1, 30),
        reduction=0.45,
        people=6.0,
        target=7.125,
    )
    made = told(workspace, NAME, "--from", file, "--language", language)
    assert made.exit_code == 0, made.output
    case = businesscase.Case.load(workspace / "cases" / "ete-2027-50.yaml")
    running = case.assumptions[0]
    assert (running.likely, running.per, running.grade, running.source) == (
        3500,
        "month",
        "D",
        "payroll",
    )
    assert (case.case, case.decision.by, case.kpis[0].target) == (
        NAME,
        datetime.date(2026, 12, 15),
        7.125,
    )
    (line,) = timesaved.Inventory.load(workspace / "cases" / "ete-2027-50-inventory.yaml").lines
    assert (line.minutes.likely, line.reduction.likely) == (90, 0.45)
    commands = re.findall(r"^  opslab (run .*)$", made.output, re.MULTILINE)
    assert [command.split()[1] for command in commands] == ["time_saved", "business_case"]
    before = [path.read_bytes() for path in sorted((workspace / "cases").iterdir())]
    again = told(workspace, NAME, "--from", file, "--language", language)
    assert (again.exit_code, again.output.count("ete-2027-50")) == (2, 2)  # nothing is overwritten
    assert [path.read_bytes() for path in sorted((workspace / "cases").iterdir())] == before


def test_every_mistake_of_a_sheet_is_told_at_once_and_nothing_is_written(workspace):
    later = (
        "in_use",
        "paid_from",
    )  # days are compared, and the month looked at, once all are right
    wrong = {name: given for name, (given, _, _) in WRONG.items() if name not in later}
    wrong |= {"small_gain": "much"}  # its size is looked at later too
    wrong.pop("running_grade")
    made = told(workspace, "desk", "--from", filled(workspace, **wrong))
    assert made.exit_code == 2
    assert not (workspace / "cases").exists()
    rows = {
        row[5].value: row[5].row
        for row in openpyxl.load_workbook(workspace / "filled.xlsx").active.iter_rows()
    }
    lines = made.output.splitlines()
    for name, given in wrong.items():
        label = next(question.label for question in questions("en") if question.name == name)
        start = f"filled.xlsx, row {rows[name]}, {label}"
        (line,) = [line for line in lines if line.startswith(start)]
        assert not given or f"(“{given[:30]}" in line
    assert (
        lines[0]
        == f"filled.xlsx, row {rows['sentence']}, In one sentence (“{'x' * 39}…”): "
        + lines[0].partition("”): ")[2]
    )
    french = told(workspace, "desk", "--from", "filled.xlsx", "--language", "fr").output
    assert f"ligne 8, Who decides\u00a0: {text('businesscase.new_missing', 'fr')}" in french


@pytest.mark.parametrize("cell", ["=12*3500", "#N/A"])
def test_a_cell_without_a_value_is_told_as_what_it_is(workspace, cell):
    made = told(workspace, "desk", "--from", filled(workspace, one_off=cell))
    row = next(
        cells[5].row
        for cells in openpyxl.load_workbook(workspace / "filled.xlsx").active.iter_rows()
        if cells[5].value == "one_off"
    )
    assert made.exit_code == 2
    assert f"filled.xlsx, row {row}, B{row}: {text('tables.unread', count=1)}" in made.output
    assert not (workspace / "cases").exists()


@pytest.mark.parametrize("name", BETWEEN)
def test_a_contradiction_is_told_with_the_row_and_the_cell_that_is_meant(workspace, name):
    given = BETWEEN[name][0]
    made = told(workspace, "desk", "--from", filled(workspace, **{name: given}))
    sheet = openpyxl.load_workbook(workspace / "filled.xlsx").active
    row = next(cells for cells in sheet.iter_rows() if cells[5].value == name)
    assert f"filled.xlsx, row {row[0].row}, {row[0].value} (“{given}”): " in made.output


def test_rows_may_move_and_their_numbers_follow(workspace):
    file = filled(workspace, who=None)
    book = openpyxl.load_workbook(file)
    book.active.insert_rows(3, 4)
    book.save(file)
    assert (
        f"row 12, Who decides: {text('businesscase.new_missing')}"
        in told(workspace, "desk", "--from", file).output
    )


@pytest.mark.parametrize("spoiled", ["row", "twice", "gone", "other", "none", "csv"])
def test_what_is_no_sheet_of_questions_is_refused(workspace, spoiled):
    file = Path(filled(workspace))
    book = openpyxl.load_workbook(file)
    if spoiled == "row":
        book.active["F3"] = "sentense"
    elif spoiled == "twice":
        book.active["F4"] = "sentence"
    elif spoiled == "gone":
        book.active.delete_rows(4)
    elif spoiled == "other":
        book = openpyxl.Workbook()
    book.save(file)
    file = Path("nope.xlsx") if spoiled == "none" else file
    if spoiled == "csv":
        file.write_text("a,b\n1,2\n")
    made = told(workspace, "desk", "--from", str(file))
    words = {
        "row": "filled.xlsx, row 3: ",
        "twice": "filled.xlsx, row 4: ",
        "gone": f"In a few words: {text('businesscase.new_missing')}",
        "other": "Questions",
        "none": text("tables.missing_file_near", near="filled.xlsx"),
        "csv": text("tables.no_workbook"),
    }
    assert made.exit_code == 2
    assert words[spoiled] in made.output
    assert not (workspace / "cases").exists()


# --- the terminal


def session(folder, answers, *arguments, **environment):
    """Answer in a terminal, a line at each prompt; return the exit code and what it showed."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "opslab", "new", "case", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=folder,
        env=os.environ | {"LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"} | environment,
    )
    os.close(theirs)
    shown, waiting = b"", list(answers)
    while process.poll() is None:
        if select.select([ours], [], [], 0.05)[0]:
            try:
                shown += os.read(ours, 65_536)
            except OSError:  # it has ended
                break
        elif shown.endswith(b": "):
            os.write(ours, waiting.pop(0).encode() + b"\n" if waiting else b"\x04")
            shown += b"\n"
    return process.wait(timeout=30), shown.decode()


def test_the_interview_asks_again_what_is_wrong(workspace):
    given = {question.name: question.example for question in questions("fr")}
    answers = list(given.values())
    at = [*given].index
    answers[at("by")] = "demain"
    answers.append("2026-12-15")  # asked again after the last question
    answers[at("target")] = "20"
    answers += ["", "7", "", "", ""]  # once all days are days: the promise as a whole
    code, shown = session(workspace, answers, NAME, LC_ALL="fr_FR.UTF-8")
    assert code == 0, shown
    assert f"! {text('specs.not_date', 'fr', given='demain')}" in shown
    assert shown.count("Qui décide (") == 1
    assert shown.count("\n  ! ") == 2  # the other: 20 is not between 4 and 10
    assert shown.count("Sa valeur aujourd'hui") == 2
    case = businesscase.Case.load(workspace / "cases" / "ete-2027-50.yaml")
    assert (case.case, case.kpis[0].target) == (NAME, 7)
    assert shown.count("-p language=fr") == 2


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_both_commands_run_as_they_are_printed(workspace, language):
    made = told(workspace, NAME, "--from", filled(workspace, language), "--language", language)
    for command in re.findall(r"^  opslab (run .*)$", made.output, re.MULTILINE):
        done = subprocess.run(
            [sys.executable, "-m", "opslab", *command.split(), "--quiet"],
            cwd=workspace,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip().endswith("readout.html")


def test_an_interview_that_is_cut_short_writes_nothing(workspace):
    code, shown = session(workspace, ["one sentence", "a name"], "desk")
    assert code == 2
    assert text("businesscase.new_stopped") in shown
    assert not (workspace / "cases").exists()


def test_what_is_not_answered_to_is_not_asked_for(workspace):
    given = {question.name: question.example for question in questions("en")}
    answers = given | {"small_name": "", "one_off": ""}
    answers = [
        answer for name, answer in answers.items() if name not in ("small_cost", "small_gain")
    ]
    code, shown = session(workspace, answers, "desk")
    assert code == 0, shown
    assert "Its part of the cost" not in shown
    assert len(businesscase.Case.load(workspace / "cases" / "desk.yaml").options) == 2


def test_without_a_terminal_the_way_out_is_named(workspace):
    made = told(workspace, "my case", input="a\nb\n")
    assert made.exit_code == 2
    assert "opslab new case 'my case' --sheet" in made.output


def test_outside_of_a_workspace_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPSLAB_WORKSPACE", raising=False)
    made = told(tmp_path, "desk", "--sheet")
    assert made.exit_code == 2
    assert "opslab init" in made.output
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["!", "   ", "…", "x" * 121])
def test_a_name_that_names_no_file_is_refused(workspace, name):
    made = told(workspace, name, "--sheet")
    assert (made.exit_code, text("businesscase.new_name") in made.output) == (2, True)


def test_a_second_file_that_cannot_be_written_takes_the_first_along(workspace):
    draft = drafted()
    (workspace / "cases").mkdir()
    (workspace / "cases" / "desk.yaml").write_text("mine")
    with pytest.raises(FileExistsError):
        interview.write(draft.files)
    assert [path.name for path in (workspace / "cases").iterdir()] == ["desk.yaml"]
    assert (workspace / "cases" / "desk.yaml").read_text() == "mine"
