"""What is declared: specs and tables, refused with file, row and field; the interview sheet and back."""

import os
import re
from pathlib import Path

import openpyxl
import pytest
from declared import LINE, inventory

from opslab import timesaved
from opslab.errors import DataError, InputError, ParameterError, SpecError
from opslab.tables import write_csv
from opslab.timesaved.inventory import Inventory, Line
from opslab.timesaved.parameters import TimeSavedParameters

HEAD = "task,role,initiative,people,frequency,minutes_low,minutes,minutes_high,reduction,adoption,ramp_months,rate,currency,basis,grade"
GOOD = "tag,pm,desk,10,4,10,,40,30%,80%,6,60,EUR,opinion,"


def written(folder, *rows, head=HEAD, name="tasks.csv"):
    path = folder / name
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


def estimated(path, **more):
    return timesaved.estimate(Inventory.load(path), draws=1_000, **more)


def refused(path):
    with pytest.raises(InputError) as caught:
        estimated(path)
    return caught.value


BAD_ROWS = [  # of tasks of their own: a further row of a task may leave cells empty
    (GOOD.replace("10,,40", "40,,10"), "minutes", "uncertainty.order"),
    (GOOD.replace("10,,40", "10,50,40"), "minutes", "uncertainty.mode"),
    (GOOD.replace("10,,40", "-10,,40"), "minutes", "uncertainty.negative"),
    (GOOD.replace("10,,40", ",-5,"), "minutes", "uncertainty.negative"),
    (GOOD.replace("10,,40", "10,,"), "minutes", "uncertainty.half_range"),
    (GOOD.replace("10,,40", ",,"), "minutes", "specs.missing"),
    (GOOD.replace("80%", "140%"), "adoption", "uncertainty.over_one"),
    (GOOD.replace("pm,desk,10", "pm,desk,0"), "people", "specs.greater_than"),
    (GOOD.replace("60,EUR", "60,"), None, "timesaved.currency"),
    (GOOD.replace("60,EUR", "60,euro"), "currency", "specs.pattern"),
    (GOOD.replace("opinion,", "survey,A"), None, "timesaved.grade"),
    (GOOD.replace("opinion,", "guess,"), "basis", "specs.choice"),
    (GOOD.replace(",6,60", ",,60"), None, "timesaved.ramp"),
]
CONTRADICTIONS = [  # of row 1
    (GOOD.replace("tag", "other").replace("60,EUR", ","), None, "timesaved.no_rate"),
    (GOOD.replace("60,EUR", "60,USD"), "currency", "timesaved.task_differs"),
    (GOOD.replace(",4,", ",5,"), "frequency", "timesaved.task_differs"),
    (GOOD, None, "timesaved.twice"),
]


@pytest.mark.parametrize("cases", [BAD_ROWS, CONTRADICTIONS], ids=["row by row", "between rows"])
def test_every_bad_row_is_told_at_once_with_its_number_and_field(tmp_path, cases):
    own = cases is BAD_ROWS
    rows = [
        row.replace("tag", f"task {place}") if own else row
        for place, (row, _, _) in enumerate(cases)
    ]
    error = refused(written(tmp_path, GOOD, *rows))
    told = {
        (one.row, re.sub("_(low|high)", "", (one.field or "").split(",")[0]) or None, one.key)
        for one in error.problems
    }
    assert {(place, field, key) for place, (_, field, key) in enumerate(cases, 3)} <= told
    assert not {row for row, _, _ in told} & ({2} if own else set())
    for language, word in (("en", "row"), ("fr", "ligne")):
        lines = error.text(language).splitlines()
        assert all(re.match(rf".*tasks\.csv, {word} \d+", line) for line in lines)


def test_mixed_currencies_are_refused(tmp_path):
    other = GOOD.replace("tag", "route").replace("EUR", "USD")
    (problem,) = refused(written(tmp_path, GOOD, other)).problems
    assert (problem.key, problem.values["currencies"]) == ("timesaved.currencies", ["EUR", "USD"])


def test_a_column_that_is_nearly_known_is_refused_and_a_strange_one_is_not(tmp_path):
    error = refused(written(tmp_path, GOOD + ",5", head=HEAD + ",recapture_hgih"))
    assert error.problems[0].values == {"name": "recapture_hgih", "near": "recapture_high"}
    assert estimated(written(tmp_path, GOOD + ",my remark", head=HEAD + ",zzz"))


def test_a_word_among_numbers_is_refused_and_never_replaced_by_a_default(tmp_path):
    rows = [GOOD + ",12", GOOD.replace("tag", "other") + ",little"]
    (problem,) = refused(written(tmp_path, *rows, head=HEAD + ",new_minutes")).problems
    assert (problem.key, problem.field) == ("tables.cell_minutes", "new_minutes")
    assert (problem.row, problem.cell) == (3, "little")


def test_an_empty_table_and_a_missing_one(tmp_path):
    assert refused(written(tmp_path)).problems[0].key in ("tables.no_rows", "tables.empty_file")
    spec = tmp_path / "desk.yaml"
    spec.write_text("inventory: desk\ndate: 2026-10-05\ndata: {path: none.csv}\n", encoding="utf-8")
    with pytest.raises(ParameterError, match=r"none\.csv"):
        TimeSavedParameters.of(spec=str(spec)).stands_on()


def test_a_table_alone_is_an_inventory(tmp_path):
    result = estimated(written(tmp_path, GOOD, name="desk.csv"))
    assert result.inventory.slug == "desk"
    assert result.factor == pytest.approx(2.18, abs=0.01)  # the untrained, unless told otherwise
    assert {one.name for one in result.known if one.assumed} >= {"decay/desk", "recapture/pm"}
    assert (
        TimeSavedParameters.of(spec=str(tmp_path / "desk.csv"), as_of="2026-10-05").stands_on().name
        == "desk"
    )


def test_a_spec_with_its_lines_and_its_line_numbers(tmp_path):
    spec = tmp_path / "desk.yaml"
    body = """\
inventory: desk
date: 2026-10-05
lines:
  - task: tag
    role: pm
    initiative: desk
    people: 10
    frequency: 4
    minutes: {low: 10, likely: 15, high: 40, shape: triangular}
    reduction: {low: 0.2, high: 0.4}
    adoption: 0.8
    ramp_months: 6
"""
    spec.write_text(body, encoding="utf-8")
    assert estimated(spec).known[2].stated.mean == pytest.approx(65 / 3)
    spec.write_text(body.replace("low: 10", "low: 50"), encoding="utf-8")
    with pytest.raises(SpecError, match=r"line 9, lines\[1\]\.minutes: The low end 50"):
        Inventory.load(spec)
    spec.write_text(body.replace("triangular", "normal"), encoding="utf-8")
    with pytest.raises(SpecError, match="normal is not possible here"):
        Inventory.load(spec)  # a normal one may go below 0
    assert TimeSavedParameters.of(spec=str(spec)).as_of is None


@pytest.mark.parametrize(
    "change",
    [
        {"working_weeks": 52},
        {"calibration": 2.18},
        {"lines": ()},
        {"inventory": "!"},
        {"data": {"path": "x.csv"}},
        {"horizon_months": 0},
        {
            "measurements": [
                {
                    "task": "tag",
                    "quantity": "minutes",
                    "value": 5,
                    "low": 6,
                    "high": 7,
                    "basis": "did",
                }
            ]
        },
        {
            "measurements": [
                {
                    "task": "tag",
                    "quantity": "minutes",
                    "value": 5,
                    "low": 0,
                    "high": 7,
                    "basis": "did",
                }
            ]
        },
    ],
)
def test_what_cannot_be_is_refused(change):
    with pytest.raises(SpecError):
        Inventory(**({"inventory": "desk", "lines": [LINE]} | change))


def test_seven_changes_on_one_task_are_too_many():
    with pytest.raises(DataError, match="More than 6 changes"):
        timesaved.estimate(inventory(*(LINE | {"initiative": f"change {k}"} for k in range(7))))


def test_the_day_must_be_known(tmp_path):
    path = written(tmp_path, GOOD)
    with pytest.raises(ParameterError, match="as_of"):
        TimeSavedParameters.of(spec=str(path)).stands_on()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_interview_sheet_reads_back_in(tmp_path, language):
    tasks = [
        Line(**(LINE | {"task": "trier les retours", "rate": 60, "currency": "EUR"})),
        Line(**LINE),
    ]
    path = timesaved.interview_sheet(tmp_path / "sheet.xlsx", tasks, language)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == (
        ["Tasks", "How to answer"] if language == "en" else ["Tâches", "Comment répondre"]
    )
    sheet = book.worksheets[0]
    names = {cell.value: cell.column for cell in sheet[1]}
    assert len(names) == sheet.max_column
    assert sheet.cell(2, 1).value == "trier les retours"
    bounds = [
        place for name, place in names.items() if name.endswith(("low", "high", "bas", "haut"))
    ]
    assert len(bounds) == 16
    assert all(
        sheet.cell(2, place).value is None for place in bounds
    )  # nobody anchors on another's
    answers = iter([0.8, 0.95, 3, 6, 10, 30, 0.2, 0.5, 0.6, 0.9, 0.1, 0.2, 1, 3, 0.3, 0.6])
    for place, answer in zip(bounds, answers, strict=True):
        for row in (2, 3):
            sheet.cell(row, place).value = answer
            if answer < 1:
                sheet.cell(row, place).number_format = "0%"
    sheet.cell(
        3, names["Loaded cost of an hour" if language == "en" else "Coût complet d'une heure"]
    ).value = 55
    sheet.cell(3, names["Currency" if language == "en" else "Devise"]).value = "EUR"
    book.save(path)
    result = estimated(path)
    assert [one.task for one in result.savings] == ["trier les retours", "tag"]
    stated = {one.name: one.stated for one in result.known}
    assert stated["minutes/tag/pm"].mu == pytest.approx((10 * 30) ** 0.5 and 5.703782 / 2, rel=1e-5)
    assert stated["adoption/desk"].mean == pytest.approx(0.77, abs=0.02)
    assert result.currency == "EUR"


def test_a_french_export_with_semicolons_and_decimal_commas(tmp_path):
    head = "Tâche;Rôle;Changement;Personnes dans le rôle;Fois par semaine, par personne : bas;Fois par semaine, par personne : haut;Minutes par fois : bas;Minutes par fois : haut;Temps supprimé par le changement : bas;Temps supprimé par le changement : haut;Qui l'utiliseront à terme : bas;Qui l'utiliseront à terme : haut;Mois avant que neuf sur dix l'utilisent"
    path = tmp_path / "taches.csv"
    path.write_bytes(
        f"{head}\ntrier;chef;guichet;12;1,5;3,5;10;22,5;20 %;50 %;60 %;90 %;6\n".encode("cp1252")
    )
    result = estimated(path)
    assert {one.name: one.stated.mean for one in result.known}[
        "frequency/trier/chef"
    ] == pytest.approx(2.37, abs=0.01)
    assert result.readings[0].profile == "time-inventory"
    assert result.readings[0].encoding == "cp1252"


def test_the_memory_is_written_and_read_back(tmp_path):
    measured = [
        {"task": "tag", "quantity": "minutes", "value": 25, "low": 20, "high": 30, "basis": "diary"}
    ]
    first = timesaved.estimate(
        inventory(LINE | {"minutes": {"low": 10, "high": 40}}, measurements=measured), draws=1_000
    )
    write_csv(first.memory(), tmp_path / "past.csv")
    (tmp_path / "desk.yaml").write_text(
        "inventory: desk\ncalibration: past\ndata: {path: tasks.csv, decimal: point}\npast: {path: past.csv, decimal: point}\n",
        encoding="utf-8",
    )
    written(tmp_path, GOOD)
    assert estimated(tmp_path / "desk.yaml").rate == pytest.approx(6.5 / 11)


def shared():
    root = (
        os.environ.get("OPSLAB_REAL_DATA")
        or Path(__file__).resolve().parents[3] / "shared" / "data"
    )
    return Path(root) / "ops" / "formats"


def test_a_time_log_is_no_inventory_and_says_what_it_lacks():
    files = sorted(
        path
        for path in shared().glob("*")
        if path.suffix == ".csv" and "toggl" in path.name.lower()
    )
    if not files:
        pytest.skip("no time log at hand; name its folder in OPSLAB_REAL_DATA")
    error = refused(files[0])
    assert error.problems[0].key == "tables.profile_misfit_near"
    assert "People in the role" in error.text() or "people" in error.text()


@pytest.mark.parametrize(
    ("name", "spelled"), [("role", "PM"), ("role", "pms"), ("task", "Tag"), ("initiative", "Desk")]
)
def test_one_thing_in_two_spellings_is_asked(name, spelled):
    """Two roles of 30 hours a week each would pass the contract that one of 60 does not."""
    other = LINE | {"task": "report", name: spelled}
    with pytest.raises(DataError, match="write them the same way"):
        timesaved.estimate(inventory(LINE, other), draws=1_000)


def test_a_small_task_of_many_does_not_hide_an_overload():
    """Twice 30 hours a week of ten people, and half an hour of forty, against 35."""
    full = LINE | {"frequency": 60, "minutes": 30}
    small = LINE | {"task": "other", "people": 40, "frequency": 1}
    result = timesaved.estimate(inventory(full, full | {"task": "report"}, small), draws=1_000)
    assert result.check("capacity").status == "fail"
