"""Errors: exit codes, pickling, suggestions, languages, and no traceback where IPython shows them."""

import copy
import doctest
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opslab import errors
from opslab.errors import (
    LANGUAGE,
    BlockingCheckError,
    DataError,
    InputError,
    MachineError,
    OpslabError,
    ParameterError,
    Problem,
    RunError,
    SpecError,
    did_you_mean,
    exit_code_of,
)

CODES = {
    OpslabError: 1,
    InputError: 2,
    ParameterError: 2,
    SpecError: 2,
    DataError: 2,
    BlockingCheckError: 3,
    RunError: 4,
    MachineError: 5,
}
PROBLEMS = (
    Problem("specs.missing", {"name": "unit"}, "spec.yaml", 3, "unit"),
    Problem("tables.folder", {}, "data"),
    Problem("specs.empty"),
)


def test_examples_run():
    assert doctest.testmod(errors).failed == 0


@pytest.mark.parametrize(
    ("kind", "code"), CODES.items(), ids=lambda value: getattr(value, "__name__", value)
)
def test_exit_codes(kind, code):
    assert kind.exit_code == code
    assert kind(*PROBLEMS).exit_code == code
    assert exit_code_of(kind.__name__) == code


@pytest.mark.parametrize("name", ["KeyError", "OpslabErro", "", "Exception"])
def test_any_other_class_is_our_defect(name):
    assert exit_code_of(name) == 1


def test_a_class_made_later_is_known_by_its_name():
    class LaterError(RunError):
        exit_code = 4

    assert exit_code_of("LaterError") == LaterError.exit_code


def test_each_is_what_python_would_call_it():
    assert issubclass(SpecError, ValueError)
    assert issubclass(DataError, ValueError)
    assert issubclass(MachineError, OSError)
    assert errors.CHECK_FAILED == 3


@pytest.mark.parametrize("kind", CODES)
@pytest.mark.parametrize(
    "carry", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy, copy.deepcopy]
)
def test_problems_survive_a_process(kind, carry):
    error = carry(kind(*PROBLEMS))
    assert type(error) is kind
    assert error.problems == PROBLEMS
    assert str(error) == str(kind(*PROBLEMS))
    assert error.text("fr") == kind(*PROBLEMS).text("fr")


@pytest.mark.parametrize(
    ("problem", "english", "french"),
    [
        (
            Problem("specs.missing", {"name": "unit"}, "spec.yaml", 3, "unit"),
            "spec.yaml, line 3, unit: unit is missing; add it.",
            "spec.yaml, ligne 3, unit\N{NO-BREAK SPACE}: unit manque\N{NO-BREAK SPACE}; ajoutez-le.",
        ),
        (
            Problem("tables.folder", {}, "data"),
            "data: This is a folder; name one file.",
            "data : C'est un dossier ; indiquez un fichier.",
        ),
        (
            Problem("specs.missing", {"name": "unit"}, field="unit"),
            "unit: unit is missing; add it.",
            "unit : unit manque ; ajoutez-le.",
        ),
        (
            Problem("specs.missing", {"name": "unit"}),
            "unit is missing; add it.",
            "unit manque ; ajoutez-le.",
        ),
    ],
)
def test_place_and_message(problem, english, french):
    def spaces(shown):
        return shown.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")

    assert problem.text() == english
    assert spaces(problem.text("fr")) == spaces(french)


def test_one_problem_a_line():
    error = InputError(*PROBLEMS)
    assert str(error).splitlines() == [problem.text() for problem in PROBLEMS]
    assert str(MachineError.of("runs.machine", file="x", reason="disk full")) == (
        "x: The machine refused: disk full; check the disk, the permissions and the path."
    )


def test_of_makes_one_problem():
    error = SpecError.of("specs.missing", file="f", line=2, field="a.b", name="b")
    assert error.problems == (Problem("specs.missing", {"name": "b"}, "f", 2, "a.b"),)


@pytest.mark.parametrize("nasty", ["a\x1b[2Jb", "a\nb", "a\u202eb", "a\rb", "a\u2028b"])
def test_a_place_stays_one_harmless_line(nasty):
    shown = Problem("specs.missing", {"name": nasty}, nasty, 1, nasty).text()
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert len(shown.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "known", "near"),
    [
        ("varient", ["variant", "country"], "variant"),
        ("Variant", ["variant"], "variant"),
        ("CONTROL", ["Control"], "Control"),
        ("control ", ["control"], "control"),
        ("aa", ["Aa", "aA"], "Aa"),
        ("zzz", ["variant"], None),
        ("", ["variant"], None),
        ("a", [], None),
    ],
)
def test_did_you_mean(name, known, near):
    assert did_you_mean(name, known) == near


@given(st.text(max_size=20), st.lists(st.text(max_size=20), max_size=5))
def test_a_suggestion_is_always_something_known(name, known):
    near = did_you_mean(name, iter(known))
    assert near is None or near in known
    assert name not in known or near.casefold() == name.casefold()


def test_ipython_shows_the_message_without_a_traceback():
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    shell = InteractiveShell.instance()
    try:
        with capture_output() as shown:
            shell.run_cell(
                "from opslab.errors import SpecError\n"
                "raise SpecError.of('specs.missing', file='spec.yaml', line=3, name='unit')"
            )
    finally:
        InteractiveShell.clear_instance()
    assert shown.stdout.strip() == "SpecError: spec.yaml, line 3: unit is missing; add it."
    assert "Traceback" not in shown.stdout + shown.stderr


def test_a_notebook_keeps_the_message_without_a_traceback():
    assert SpecError(*PROBLEMS)._render_traceback_() == [f"SpecError: {SpecError(*PROBLEMS)}"]


def test_an_error_speaks_the_language_of_its_kernel(monkeypatch):
    english = str(SpecError(*PROBLEMS))
    monkeypatch.setenv(LANGUAGE, "fr")
    french = SpecError(*PROBLEMS)
    assert str(french) == french.text("fr") != english
    assert french._render_traceback_() == [f"SpecError: {french.text('fr')}"]
    assert french.text() == english  # asked for in a language, it speaks that one
    monkeypatch.setenv(LANGUAGE, "de")
    assert str(SpecError(*PROBLEMS)) == english
