"""The contract of results, held by an area made for it: parts, figures, language, record."""

import copy
import dataclasses
import datetime
import json
import pickle
import re
import sys
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import ClassVar

import openpyxl
import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from matplotlib.figure import Figure as Drawing

import opslab
from opslab.errors import InputError, ParameterError
from opslab.evidence import Evidence, Quantity
from opslab.messages import Bilingual
from opslab.report.blocks import Cell, Facts, Verdict
from opslab.report.cells import HTML
from opslab.report.figures import Figure
from opslab.report.voice import Voice
from opslab.results import Check, Figures, Message, Part, Result

DAY = datetime.date(2026, 9, 28)
PACKAGE = Path(opslab.__file__).parent
AREAS = [
    ".".join(path.parent.relative_to(PACKAGE).parts)
    for area in sorted(PACKAGE.glob("*/notebooks.toml"))
    for path in sorted(area.parent.rglob("result.py"))
]
LEAKED = Check("leaked_units", "pass", Message("experiments.leaked_units_pass", {"units": 1200}))
RED = Check(
    "sample_ratio",
    "fail",
    Message("experiments.leaked_units_fail", {"count": 3, "share": 0.1, "row": 7, "p": 0.5}),
    value=1e-9,
    blocking=True,
)


@dataclass(frozen=True, kw_only=True, repr=False)
class SketchResult(Result):
    PARTS: ClassVar[Mapping[str, str]] = {"checks": "checks", "effects": "lifts", "data": ""}

    lifts: Mapping[str, float]
    title: str = "checkout"

    @property
    def failing(self):
        return self.title.no_such_thing


def drawn(result, say):
    return {name: f"{name} in {say.language}, {say.percent(0.04)}" for name in ("lift", "trend")}


def effects(result, say):
    rows = [(name, Cell(say.signed_percent(lift))) for name, lift in result.lifts.items()]
    return [say.table("checks", "check status", rows, numeric=[1])]


def evidence(result):
    quantity = Quantity("normal", {"location": 0.04, "scale": 0.01}, 0.04, 0.02, 0.06, 0.95)
    statement = ("experiments.evidence", {"metric": "orders", "arm": "a", "control": "b"})
    return [
        Evidence(
            id="sketch/orders",
            kind="causal",
            statement=statement,
            quantity=quantity,
            unit="share",
            per="unit",
            period=(None, DAY),
            population="user",
            claim="metric:orders",
            benefit="enabled",
            grade="A",
            sources=(),
        )
    ]


PRESENTATION = {
    "voice": lambda result, language: Voice(language, "experiments"),
    "headline": lambda result, say: f"{say.spoken(result.title)}: {say.signed_percent(0.04)}",
    "first_screen": lambda result, say: Verdict(
        "sketch", say.spoken(result.title), None, "ship", "all is well", "good", Facts(())
    ),
    "figures": drawn,
    "PARTS": {
        "checks": lambda result, say: [say.checks(result.checks)],
        "effects": effects,
        "data": lambda result, say: [say.heading("data")],
    },
}
RECORD = {
    "record": lambda result: {"schema": "sketch-1", "lifts": dict(result.lifts)},
    "KEYS": ("name",),
    "MAIN": ("lift", "lift_low", "lift_high", "signed_percent"),
    "rows": lambda result, *, full: [
        {"name": name, "lift": lift} | ({"words": "=1+1"} if full else {})
        for name, lift in result.lifts.items()
    ],
    "evidence": evidence,
}


@pytest.fixture
def shell():
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


@pytest.fixture(autouse=True)
def area(monkeypatch):
    """Make the modules of an area, where a result looks for its own."""
    for name, contents in (("presentation", PRESENTATION), ("record", RECORD)):
        module = types.ModuleType(f"sketch.{name}")
        vars(module).update(contents)
        monkeypatch.setitem(sys.modules, f"sketch.{name}", module)
    monkeypatch.setitem(sys.modules, "sketch", types.ModuleType("sketch"))
    monkeypatch.setattr(SketchResult, "__module__", "sketch.result")
    here = types.ModuleType("sketch.result")
    here.SketchResult = SketchResult
    monkeypatch.setitem(sys.modules, "sketch.result", here)


def sketch(**fields):
    return SketchResult(**{"checks": (LEAKED,), "lifts": {"orders": 0.04}, "as_of": DAY} | fields)


def test_a_part_is_the_values_of_its_field():
    result = sketch(checks=(LEAKED, RED))
    assert result.checks == (LEAKED, RED)
    assert result.checks == (LEAKED, RED)
    assert hash(result.effects) == hash(("orders",))
    assert [check.name for check in result.checks] == ["leaked_units", "sample_ratio"]
    assert (result.checks[1], result.checks[:1], len(result.checks)) == (RED, (LEAKED,), 2)
    assert result.effects == ("orders",)
    assert result.data == ()
    assert not result.data


def test_a_part_shows_itself_in_a_cell_in_the_results_language(shell):
    for language, head in (("en", "Units in one arm only"), ("fr", "Unités dans un seul bras")):
        result = sketch(language=language)
        for show in (result.checks._ipython_display_, result.checks.show):
            with capture_output() as shown:
                show()
            [output] = shown.outputs
            assert head in output.data[HTML]
            assert head in output.data["text/plain"]
    with capture_output() as shown:
        sketch(language="fr").checks.show("en")
    assert "Units in one arm only" in shown.outputs[0].data[HTML]


def test_a_part_shows_itself_in_a_terminal():
    assert repr(sketch().checks).startswith("Checks of the data\n")
    assert "No unit was in more than one arm (1,200" in repr(sketch().checks)
    assert "+4.0%" in str(sketch().effects)
    assert "+4,0" in str(sketch(language="fr").effects)
    assert repr(sketch().data).splitlines()[0] == "What the figures rest on"


def test_a_part_that_a_program_makes_shows_its_values():
    assert repr(Part((1, 2))) == "(1, 2)"
    fields = dataclasses.asdict(sketch())
    assert fields["checks"] == (dataclasses.asdict(LEAKED),)
    assert "leaked_units" in repr(fields["checks"])


@pytest.mark.parametrize(
    "carry",
    [copy.copy, copy.deepcopy, lambda result: pickle.loads(pickle.dumps(result))],
    ids=["copy", "deepcopy", "pickle"],
)
def test_a_result_is_carried_with_its_parts_and_draws_its_figures_anew(carry):
    result = sketch(language="fr", title=Bilingual("basket", french="panier"))
    assert result.figures["lift"] == f"lift in fr, {Voice('fr', 'words').percent(0.04)}"
    there = carry(result)
    assert there == result
    assert there.checks._result is there
    assert repr(there.checks) == repr(result.checks)
    assert there.headline().startswith("panier: ")
    assert "figures" not in vars(there)
    assert type(carry(result.checks)) is tuple


def test_a_changed_result_has_parts_of_its_own():
    result = dataclasses.replace(sketch(), checks=(RED,), language="fr")
    assert result.checks == (RED,)
    assert result.checks._result is result
    assert repr(result) == f"<SketchResult: {result.headline()}>"


def test_the_language_is_no_part_of_what_a_result_is():
    assert sketch(language="fr") == sketch()
    assert sketch(language="fr").record() == sketch().record()
    assert sketch(title="other") != sketch()


@pytest.mark.parametrize("jedi", [False, True])
def test_parts_and_figures_are_completed_by_tab(jedi, shell):
    shell.Completer.use_jedi = jedi
    shell.user_ns["result"] = sketch()

    def completed(line):
        with provisionalcompleter():
            completions = [*shell.Completer.completions(line, len(line))]
        return {completion.text.strip(".'\"]") for completion in completions}

    names = completed("result.")
    assert {"checks", "effects", "data", "figures", "headline", "record", "title"} <= names
    assert not [name for name in names if name.startswith("_")]
    assert completed("result.eff") == {"effects"}
    assert completed("result.figures['") == completed("result.figures[") == {"lift", "trend"}
    assert {"status", "detail", "blocking"} <= completed("result.checks[0].")


@pytest.mark.parametrize("name", ["efects", "chekcs", "figure", "_repr_html_"])
def test_a_mistyped_name_is_an_error(name):
    """Python's own, with what its hint ("did you mean") needs: a `__getattr__` would end completion."""
    result = sketch()
    with pytest.raises(AttributeError, match=rf"no attribute '{name}'") as caught:
        getattr(result, name)
    assert caught.value.name == name
    assert caught.value.obj is result


def test_what_fails_inside_a_property_is_told_as_it_is():
    with pytest.raises(AttributeError, match=r"'str' object has no attribute 'no_such_thing'"):
        _ = sketch().failing
    del sys.modules["sketch.presentation"].figures
    with pytest.raises(AttributeError, match=r"sketch\.presentation.*figures"):
        _ = sketch().figures


def test_figures_are_drawn_once_in_each_language():
    calls = []

    def draw(language):
        calls.append(language)
        return {"lift": f"lift {language}", "trend": f"trend {language}"}

    figures = Figures(draw, "fr")
    assert calls == []
    assert figures["lift"] == "lift fr"
    assert dict(figures) == {"lift": "lift fr", "trend": "trend fr"}
    assert (len(figures), "lift" in figures, "lfit" in figures) == (2, True, False)
    assert figures("en") == {"lift": "lift en", "trend": "trend en"}
    assert figures("en") is figures("en")
    assert calls == ["fr", "en"]
    assert repr(figures) == "<figures: lift, trend>"
    with pytest.raises(KeyError, match=r"no 'lfit' here\. Did you mean 'lift'"):
        figures["lfit"]
    with pytest.raises(KeyError, match="no 'zzz' here"):
        figures["zzz"]


def test_the_tidy_table_and_what_is_taken_away(tmp_path):
    result = sketch(lifts={"orders": 0.04, "=2+2": -0.5})
    assert result.frame().to_dict("list") == {"name": ["orders", "=2+2"], "lift": [0.04, -0.5]}
    assert list(result.frame(full=True)) == ["name", "lift", "words"]
    book = openpyxl.load_workbook(result.to_excel(tmp_path / "away.xlsx"))
    assert book.sheetnames == ["result", "full"]
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} == {"s", "n"}  # none is a formula
    again = sketch(lifts=result.lifts)
    assert result.takeaway() == again.takeaway()
    assert result.takeaway() == {"result.xlsx": (tmp_path / "away.xlsx").read_bytes()}
    written = result.to_csv(tmp_path / "away.csv").read_text("utf-8-sig")
    assert written == "name,lift\norders,0.04\n'=2+2,-0.5\n"
    with pytest.raises(InputError, match="its folder is not there"):
        result.to_csv(tmp_path / "no-folder" / "away.csv")


ASKED = (Message("words.pair", {"name": "by", "value": "country"}),)


def test_what_is_asked_beyond_the_plan_is_marked_wherever_it_appears(shell):
    plan, result = sketch(), sketch(asked=ASKED)
    mark = "Exploratory, not in the plan (by: country.)."
    assert result.headline() == f"{mark} checkout: +4.0%"
    screen = result.first_screen()
    assert (screen.tone, screen.action) == ("open", "Explored: nothing is decided")
    assert screen.headline == result.headline()
    assert mark in repr(result)
    broken = sketch(asked=ASKED, checks=(RED,)).first_screen()
    assert (broken.tone, broken.action) == ("good", "ship")  # the area's own for red data
    assert broken.headline == result.headline()
    for part in (result.checks, result.effects, result.data):
        assert repr(part).startswith(mark)
        assert repr(getattr(plan, part._name)) == repr(part).removeprefix(mark).lstrip("\n")
        with capture_output() as shown:
            part.show("fr")
        assert "Exploratoire, hors plan" in shown.outputs[0].data[HTML]
    assert result.frame()["exploratory"].all()
    assert "exploratory" not in plan.frame()
    assert result.record()["exploratory"] == [ASKED[0].record()]
    assert "exploratory" not in plan.record()
    assert dataclasses.replace(result, language="fr").headline().startswith("Exploratoire")


def test_what_is_asked_beyond_the_plan_is_no_evidence():
    assert [evidence.grade for evidence in sketch().evidence()] == ["A"]
    assert sketch(asked=ASKED).evidence() == []
    assert sketch(asked=ASKED).record()["evidence"] == []


def test_figures_of_what_is_asked_say_so(monkeypatch):
    figure = Figure(Drawing(), "Orders rose by 4%.", "Orders")
    monkeypatch.setattr(
        sys.modules["sketch.presentation"], "figures", lambda result, say: {"lift": figure}
    )
    assert sketch().figures["lift"] is figure
    asked = sketch(asked=ASKED).figures["lift"]
    for words, plain in ((asked.alt, figure.alt), (asked.caption, figure.caption)):
        assert words == f"Exploratory, not in the plan (by: country.). {plain}"


def test_two_results_stand_side_by_side():
    here, there = (
        sketch(lifts={"a": 0.5, "b": 1.0}),
        sketch(lifts={"b": 4.0, "c": 2.0}, asked=ASKED),
    )
    contrast = here.compare(there)
    rows = [[name, figure, *map(str, row)] for name, figure, *row in contrast.frame().values]
    assert rows == [
        ["a", "lift", "0.5", "nan", "nan"],
        ["b", "lift", "1.0", "4.0", "3.0"],
        ["c", "lift", "nan", "2.0", "nan"],
    ]
    page = contrast._repr_mimebundle_()[0]["text/plain"]
    assert page.startswith("Exploratory, not in the plan (by: country.).")
    assert re.search(r"^b +\+100.0% +\+400.0%$", page, re.MULTILINE)
    assert re.search(r"^c +\S +\+200.0%$", page, re.MULTILINE)
    assert here.compare(dataclasses.replace(there, language="fr")).other.language == "en"
    with pytest.raises(ParameterError, match="A SketchResult can be compared with one of its kind"):
        here.compare(
            dataclasses.make_dataclass("Other", [], bases=(Result,), frozen=True)(checks=())
        )


def test_a_result_keeps_its_figures():
    result = sketch()
    assert result.figures is result.figures
    assert result.figures("fr")["lift"].startswith("lift in fr")


def test_every_verb_speaks_the_language_asked_for():
    result = sketch(title=Bilingual("basket", french="panier"))
    assert result.headline() == "basket: +4.0%"
    assert result.headline("fr").startswith("panier: +4,0")
    assert result.first_screen("fr").title == "panier"
    data, metadata = result._repr_mimebundle_()
    assert "<h1>basket</h1>" in data[HTML]
    assert metadata[HTML]["headings"] == [[1, "", "basket"]]
    assert "panier" in dataclasses.replace(result, language="fr")._repr_mimebundle_()[0][HTML]


def test_a_record_has_a_common_head():
    record = json.loads(json.dumps(sketch(checks=(LEAKED, RED)).record(), allow_nan=False))
    assert record["schema"] == "sketch-1"
    assert record["as_of"] == "2026-09-28"
    assert record["status"] == "check_failed"
    assert record["evidence"] == []
    assert record["checks"][1] == {
        "name": "sample_ratio",
        "status": "fail",
        "detail": {
            "key": "experiments.leaked_units_fail",
            "values": {"count": 3, "share": 0.1, "row": 7, "p": 0.5},
        },
        "accepted": "",
        "value": 1e-9,
        "blocking": True,
    }
    assert sketch(as_of=None).record()["as_of"] is None


def test_nothing_is_built_on_a_result_that_cannot_be_trusted():
    good, warned = sketch(), sketch(checks=(LEAKED, dataclasses.replace(RED, status="warn")))
    not_blocking = sketch(checks=(dataclasses.replace(RED, blocking=False),))
    for result in (good, warned, not_blocking):
        assert (result.broken, result.status) == (False, "complete")
        assert [evidence.id for evidence in result.evidence()] == ["sketch/orders"]
        assert Evidence.from_record(result.record()["evidence"][0]) == result.evidence()[0]
    assert (sketch(checks=(RED,)).broken, sketch(checks=(RED,)).evidence()) == (True, [])


def test_a_check_is_asked_for_by_name():
    result = sketch(checks=(LEAKED, RED))
    assert result.check("sample_ratio") is RED
    with pytest.raises(KeyError, match=r"no 'sample_ration' here\. Did you mean 'sample_ratio'"):
        result.check("sample_ration")


def test_a_message_is_recorded_as_json_takes_it():
    message = Message("words.range", {"low": DAY, "high": Bilingual("x", french="y"), "n": 3})
    assert json.dumps(message.record()["values"]) == '{"low": "2026-09-28", "high": "x", "n": 3}'
    assert Message("words.yes").record() == {"key": "words.yes", "values": {}}


def test_an_area_has_files_and_documents_only_where_it_says_so():
    assert sketch().files() == {}
    assert sketch().documents() is None


@pytest.mark.parametrize("name", AREAS)
def test_every_area_keeps_the_contract(name):
    results = import_module(f"opslab.{name}.result")
    [kind] = [
        kind
        for kind in vars(results).values()
        if isinstance(kind, type) and issubclass(kind, Result) and kind is not Result
    ]
    assert kind.__repr__ is Result.__repr__  # repr=False: the dataclass would write its own
    for property_ in (value for value in vars(kind).values() if isinstance(value, property)):
        told = typing.get_type_hints(property_.fget).get("return")
        assert typing.get_origin(told) is not typing.Literal  # see `Result.status`
    assert "checks" in kind.PARTS
    fields = {field.name for field in dataclasses.fields(kind)}
    assert {field for field in kind.PARTS.values() if field} <= fields
    presentation, record = (
        import_module(f"opslab.{name}.{room}") for room in ("presentation", "record")
    )
    assert list(presentation.PARTS) == list(kind.PARTS)
    for module, verbs in (
        (presentation, ("voice", "headline", "first_screen", "figures")),
        (record, ("record", "evidence")),
    ):
        assert not [verb for verb in verbs if not callable(getattr(module, verb, None))]
    assert callable(getattr(record, "rows", None) or record.frame)
    assert record.KEYS
