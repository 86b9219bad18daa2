"""Parameters of notebooks: all mistakes at once, the day and the files of a run."""

import datetime
import doctest
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opslab import parameters
from opslab.errors import ParameterError, SpecError
from opslab.experiments.parameters import ReadoutParameters
from opslab.runs.registry import notebooks
from opslab.workspace import slug

SPEC = """\
experiment: Élan d'été
data: {path: exports/units.csv}
unit: user
arms: {column: arm, control: a}
metrics:
  - {name: m, type: mean, column: m, role: primary, goal: increase}
"""
PERIOD = "period: {start: 2026-09-01, end: 2026-09-28}\n"


def refusal(**given):
    with pytest.raises(ParameterError) as caught:
        ReadoutParameters.of(**given)
    return str(caught.value)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.delenv("OPSLAB_WORKSPACE", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "units.csv").write_text("user,arm,m\n", encoding="utf-8")
    return tmp_path


def inputs(folder, spec=SPEC + PERIOD, **given):
    (folder / "spec.yaml").write_text(spec, encoding="utf-8")
    return ReadoutParameters.of(spec="spec.yaml", **given).stands_on()


def test_examples_run():
    assert doctest.testmod(parameters).failed == 0


def test_every_mistake_is_told_at_once():
    assert refusal(spce="x.yaml", zzz=1, language="de", as_of="soon", spec=5) == (
        "There is no parameter spce; did you mean spec?\n"
        "There is no parameter zzz; the parameters are as_of, language and spec.\n"
        "as_of: soon must be a date, written YYYY-MM-DD.\n"
        "language: de is not possible here; write en or fr.\n"
        "spec: 5 must be text; put it in quotes."
    )


def test_choices_are_suggested():
    assert refusal(language="fre") == (
        "language: fre is not possible here; did you mean fr? (Possible: en or fr.)"
    )


def test_mistakes_in_french():
    with pytest.raises(ParameterError) as caught:
        ReadoutParameters.of(langue="fr", as_of="28/09/2026")
    spaces = str.maketrans("\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}", "  ")
    assert caught.value.text("fr").translate(spaces) == (
        "Il n'y a pas de paramètre langue ; vouliez-vous dire language ?\n"
        "as_of : 28/09/2026 doit être une date, écrite AAAA-MM-JJ."
    )


def test_names_and_values_are_shown_harmlessly():
    shown = refusal(**{"a\x1b[2J": 1, "{known}": 2, "language": "x\n\u202ey"})
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "There is no parameter {known}; the parameters are as_of, language and spec." in shown
    assert shown.count("\n") == 2


def test_empty_text_means_not_given():
    assert ReadoutParameters.of(as_of="", language="", spec="") == ReadoutParameters.of()
    assert ReadoutParameters.of(as_of=None).as_of is None
    assert ReadoutParameters.of().language == "en"


def test_given_goes_there_and_back():
    made = ReadoutParameters.of(spec="s.yaml", as_of="2026-09-28", language="fr")
    assert made.given() == {"as_of": "2026-09-28", "language": "fr", "spec": "s.yaml"}
    assert ReadoutParameters.of(**made.given()) == made
    assert ReadoutParameters.of().given()["as_of"] == ""
    assert ReadoutParameters.of(**ReadoutParameters.of().given()) == ReadoutParameters.of()


def test_inputs_name_the_spec_and_the_data(here):
    found = inputs(here)
    assert found.name == "elan-d-ete"
    assert found.as_of == datetime.date(2026, 9, 28)
    assert [path.relative_to(here) if path.is_absolute() else path for path in found.files] == [
        path.relative_to(here) for path in (here / "spec.yaml", here / "exports" / "units.csv")
    ]
    assert all(path.is_file() for path in found.files)


def test_data_path_starts_at_the_spec_not_at_the_workspace(here):
    (here / "deep").mkdir()
    (here / "deep" / "spec.yaml").write_text(
        SPEC.replace("exports/", "") + PERIOD, encoding="utf-8"
    )
    (here / "deep" / "units.csv").touch()
    found = ReadoutParameters.of(spec="deep/spec.yaml").stands_on()
    assert [path.resolve() for path in found.files] == [
        here / "deep" / "spec.yaml",
        here / "deep" / "units.csv",
    ]


def test_the_day_is_given_or_the_last_of_the_period(here):
    assert inputs(here, as_of="2026-09-10").as_of == datetime.date(2026, 9, 10)
    with pytest.raises(ParameterError) as caught:
        inputs(here, SPEC)
    assert str(caught.value) == (
        "as_of: The spec has no period.end, so the day of the readout must be given: as_of=YYYY-MM-DD."
    )
    assert inputs(here, SPEC, as_of="2026-09-10").as_of == datetime.date(2026, 9, 10)


@pytest.mark.parametrize(
    ("old", "new", "kind", "message"),
    [
        (
            "units.csv",
            "unit.csv",
            ParameterError,
            "spec.yaml, line 2, data.path: The data file exports/unit.csv is not there; did you mean units.csv?",
        ),
        (
            "exports/units.csv",
            "q3.parquet",
            ParameterError,
            (
                "spec.yaml, line 2, data.path: The data file q3.parquet is not there; the path starts at the spec's "
                "folder."
            ),
        ),
        (
            "exports/units.csv",
            "exports",
            ParameterError,
            "spec.yaml, line 2, data.path: This is a folder; name one file.",
        ),
        (
            "data: {path: exports/units.csv}\n",
            "",
            ParameterError,
            "spec.yaml, line 1, data: The spec names no data; write data: {path: file.csv, rows: unit}.",
        ),
        (
            "unit: user",
            "unti: user",
            SpecError,
            (
                "spec.yaml, line 1, unit: unit is missing; add it.\n"
                "spec.yaml, line 3, unti: There is no field unti here; did you mean unit?"
            ),
        ),
        (
            "unit: user",
            "unit: user\ndesign: {method: always_valid}",
            SpecError,
            "spec.yaml, line 4, design: The design always_valid also needs units; add it before the start.",
        ),
    ],
    ids=["near", "far", "folder", "none", "spec", "not computed"],
)
def test_what_stops_a_run_before_its_kernel_starts(old, new, kind, message, here):
    with pytest.raises(kind) as caught:
        inputs(here, (SPEC + PERIOD).replace(old, new))
    assert type(caught.value) is kind
    assert str(caught.value) == message


def test_spec_that_is_not_there(here):
    (here / "spec.yaml").touch()
    with pytest.raises(SpecError) as caught:
        ReadoutParameters.of(spec="spec.yml").stands_on()
    assert str(caught.value) == "spec.yml: This spec is not there; did you mean spec.yaml?"


@pytest.mark.parametrize("notebook", notebooks().values(), ids=lambda notebook: notebook.name)
def test_no_notebook_asks_for_a_secret_or_shadows_an_option(notebook):
    names = notebook.parameters().model_fields
    assert {"as_of", "language"} <= set(names)
    assert not [
        name
        for name in names
        if re.search(r"token|secret|passw|pwd|key|credential", name, re.IGNORECASE)
    ]
    assert not {"out", "force"} & set(names)
    assert all(field.description for field in names.values())


@given(st.text(max_size=100))
def test_a_slug_is_a_safe_folder_name(title):
    assert re.fullmatch(r"([a-z0-9]+(-[a-z0-9]+)*)?", slug(title))
    assert len(slug(title)) <= 60
    assert slug(slug(title)) == slug(title)
