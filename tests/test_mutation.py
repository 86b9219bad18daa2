"""The script behind `make mutation`: the changes it makes, and that its lists are up to date."""

import importlib.util
import sys

import pytest

from conftest import ROOT

_SPEC = importlib.util.spec_from_file_location("mutation", ROOT / "benchmarks" / "mutation.py")
mutation = importlib.util.module_from_spec(_SPEC)
sys.modules["mutation"] = mutation
_SPEC.loader.exec_module(mutation)

SOURCE = '''"""Not this 1."""
from __future__ import annotations

BOUND: Literal["a", "b"] = 0.5


def says(value: int, on: bool = True) -> str:
    """Nor this 1."""
    if not value > BOUND and on:
        raise ValueError("nor this", 1)
    return max("high", str(value - 1))
'''


def test_each_kind_of_change_is_made_and_words_of_people_are_left_alone():
    changes = mutation.changes_of(SOURCE)
    assert {change.name for change in changes} == {
        ": 0.5 -> 1.0",
        "says: True -> False",
        "says: not value > BOUND and on -> not value > BOUND or on",
        "says: not value > BOUND -> value > BOUND",
        "says: value > BOUND -> value >= BOUND",
        "says: value > BOUND -> value <= BOUND",
        "says: return max('high', str(value - 1)) -> return None",
        "says: max('high', str(value - 1)) -> min('high', str(value - 1))",
        "says: 'high' -> 'high?'",
        "says: value - 1 -> value + 1",
        "says: 1 -> 2",
    }
    assert [change.line for change in changes if change.word] == [11]
    for change in changes:
        compile(change.source, "<mutant>", "exec")
        assert change.source != mutation.ast.unparse(mutation.ast.parse(SOURCE))
    assert max(changes, key=lambda change: change.order).word


def test_the_sample_stays_when_something_else_in_the_module_changes():
    more = SOURCE + "\n\ndef more() -> int:\n    return 3 + 4\n"
    first, second = (
        {change.name: change.order for change in mutation.changes_of(source)}
        for source in (SOURCE, more)
    )
    assert first.items() < second.items()


@pytest.mark.parametrize("module", mutation.TESTS)
def test_the_modules_and_their_tests_are_there(module):
    assert (ROOT / mutation.PACKAGE / module).is_file()
    assert all((ROOT / "tests" / name).is_file() for name in mutation.TESTS[module])


@pytest.mark.parametrize("module", mutation.EQUIVALENT)
def test_what_changes_nothing_is_still_in_the_module(module):
    source = (ROOT / mutation.PACKAGE / module).read_text(encoding="utf-8")
    names = {change.name for change in mutation.changes_of(source)}
    assert mutation.EQUIVALENT[module].keys() <= names
