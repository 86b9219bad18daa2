"""YAML as opslab reads it: version 1.2, with lines, and safe with any text."""

import time

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import Field

from opslab import documents
from opslab.documents import Document, parse, read
from opslab.errors import SpecError
from opslab.specs import Declared, validate

quick = settings(deadline=None, max_examples=100)


class Item(Declared):
    name: str
    share: float = Field(0.5, gt=0, lt=1)


class Plan(Declared):
    items: tuple[Item, ...] = Field(min_length=1)
    title: str | None = None


def message(source, model=Plan):
    with pytest.raises(SpecError) as caught:
        validate(model, parse(source, "plan.yaml"))
    return str(caught.value)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True),
        ("True", True),
        ("FALSE", False),
        ("tRUE", "tRUE"),
        ("on", "on"),
        ("off", "off"),
        ("yes", "yes"),
        ("No", "No"),
        ("y", "y"),
        ("null", None),
        ("NULL", None),
        ("~", None),
        ("", None),
        ("none", "none"),
        ("0", 0),
        ("12", 12),
        ("-3", -3),
        ("-0", "-0"),
        ("+1", "+1"),
        ("0012", "0012"),
        ("0o17", "0o17"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("1,000", "1,000"),
        ("12:30:45", "12:30:45"),
        ("2026-09-01", "2026-09-01"),
        ("1.5", 1.5),
        ("-.5", -0.5),
        ("1.", 1.0),
        ("1e3", 1000.0),
        ("1.5E-3", 0.0015),
        ("1e999", float("inf")),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("123456789012345678", 123456789012345678),
        ("12345678901234567890", "12345678901234567890"),
        ("1" * 5000, "1" * 5000),
        ("\N{ARABIC-INDIC DIGIT FIVE}", "\N{ARABIC-INDIC DIGIT FIVE}"),
        ("'true'", "true"),
        ('"12"', "12"),
        ("'~'", "~"),
        ("'0.5'", "0.5"),
        ("|\n  12\n", "12\n"),
        (">\n  true\n", "true\n"),
        ("7d", "7d"),
        ("{a: on}", {"a": "on"}),
        ("[1, '1']", [1, "1"]),
    ],
)
def test_scalars_of_yaml_1_2(written, value):
    found = parse(f"a: {written}", "f").values["a"]
    assert found == value
    assert type(found) is type(value)


def test_aliases_are_followed():
    assert parse("a: &x [1, 2]\nb: *x\n", "f").values == {"a": [1, 2], "b": [1, 2]}


NESTED = """\
# a plan
title: x

items:
  - name: first
    share: 0.1
  -
    name: second
    parts:
      - [1, 2]
      - deep:
          - {a: 1,
             b: 2}
"""


@pytest.mark.parametrize(
    ("location", "line"),
    [
        ((), 2),
        (("title",), 2),
        (("items",), 4),
        (("items", 0), 5),
        (("items", 0, "share"), 6),
        (("items", 1, "name"), 8),
        (("items", 1, "parts", 0, 1), 10),
        (("items", 1, "parts", 1, "deep", 0, "a"), 12),
        (("items", 1, "parts", 1, "deep", 0, "b"), 13),
        (("items", 1, "parts", 1, "nowhere", "at", "all"), 11),
        (("items", 7), 4),
        (("nothing",), 2),
    ],
)
def test_lines(location, line):
    assert parse(NESTED, "f").line(location) == line


def test_problems_come_in_the_order_of_the_file():
    source = "zzz: 1\nitems:\n  - {share: 2}\n  - name: b\n    share: 0\n    shrae: 1\ntitle: 5\n"
    assert message(source) == (
        "plan.yaml, line 1, zzz: There is no field zzz here; remove it, or see opslab schema.\n"
        "plan.yaml, line 3, items[1].name: name is missing; add it.\n"
        "plan.yaml, line 3, items[1].share: 2 must be less than 1.\n"
        "plan.yaml, line 5, items[2].share: 0 must be greater than 0.\n"
        "plan.yaml, line 6, items[2].shrae: There is no field shrae here; did you mean share?\n"
        "plan.yaml, line 7, title: 5 must be a text; put it in quotes."
    )


def test_wrong_entries_are_not_also_too_few():
    assert message("items: [{name: a, share: 3}]") == (
        "plan.yaml, line 1, items[1].share: 3 must be less than 1."
    )
    assert message("items: []") == "plan.yaml, line 1, items: At least one entry is needed here."


def test_long_values_are_cut_short():
    assert message(f"items: {'x' * 1000}") == (
        f"plan.yaml, line 1, items: {'x' * 39}… must be a list, such as [a, b]."
    )


def test_merge_keys_are_plain_keys():
    source = "base: &b {name: a}\nitems:\n  - <<: *b\n"
    assert "items[1].<<: There is no field << here" in message(source)


def test_spec_built_in_python_tells_all_mistakes():
    with pytest.raises(SpecError) as caught:
        Plan(items=({"share": 2},), titel="x")
    assert str(caught.value) == (
        "items[1].name: name is missing; add it.\n"
        "items[1].share: 2 must be less than 1.\n"
        "titel: There is no field titel here; did you mean title?"
    )
    assert Plan(items=[Item(name="a")]).items[0].share == 0.5


LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 10)
)
TOO_DEEP = "The spec is too long, nests too deep or repeats itself too often; write it out plainly."


@pytest.mark.parametrize(
    ("source", "where"),
    [
        (LAUGHS, r"f, line 1"),
        ("a: &a [*a]", r"f, line 1"),
        ("a: &a {b: *a}", r"f, line 1"),
        ("[" * 100_000, r"f, line 1"),
        ("{a: " * 500, r"f, line 1"),
        ("\n".join("  " * depth + "a:" for depth in range(60)), r"f, line 50"),
        ("- a\n" * 30_000, r"f, line 20000"),
    ],
    ids=[
        "billion laughs",
        "endless list",
        "endless mapping",
        "brackets",
        "braces",
        "indentation",
        "long",
    ],
)
def test_too_much_is_refused_quickly(source, where):
    start = time.process_time()
    with pytest.raises(SpecError) as caught:
        parse(source, "f")
    assert str(caught.value) == f"{where}: {TOO_DEEP}"
    assert time.process_time() - start < 10


def test_large_file_is_refused_before_it_is_parsed(tmp_path, monkeypatch):
    path = tmp_path / "big.yaml"
    path.write_bytes(b"a: b\n" * 50_000)
    monkeypatch.setattr(documents, "parse", None)
    with pytest.raises(SpecError, match=r"^big\.yaml: A spec of 250,000 bytes is no spec"):
        read(path, "big.yaml")


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_byte_order_mark_and_line_ends(start, end, tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_bytes(start + end.join([b"items:", b"  - name: \xc3\xa9t\xc3\xa9", b"title: x"]))
    document = read(path, "plan.yaml")
    assert document.values == {"items": [{"name": "été"}], "title": "x"}
    assert document.line(("title",)) == 3
    assert validate(Plan, document).items[0].name == "été"


@pytest.mark.parametrize("source", ["a: 1\n---\nb: 2\n", "a: 1\n...\nb"])
def test_one_document_only(source):
    with pytest.raises(SpecError, match=r"^f, line \d+: This is not valid YAML"):
        parse(source, "f")


@pytest.mark.parametrize(
    "source",
    [
        'a: "\\UFFFFFFFF"',
        f"%YAML {'1' * 5000}.1\n---\na: b",
        "a: !<",
        "%TAG ! !",
        "&",
        "*x",
        "a: 'b",
    ],
)
def test_odd_yaml_is_an_error_of_the_spec(source):
    with pytest.raises(SpecError, match=r"^f(, line \d+)?: This is not valid YAML"):
        parse(source, "f")


def outcome(call):
    """Return what a call gives, or its SpecError; any other exception fails the test."""
    try:
        return call()
    except SpecError as error:
        return error


def check(found, kind):
    assert isinstance(found, kind | SpecError)
    if isinstance(found, SpecError):
        assert found.problems
        for language in ("en", "fr"):
            assert len(found.text(language).splitlines()) == len(found.problems)


yamlish = st.text(alphabet="ab01 .:-[]{},&*!|>'\"#%@?~\n\t\\<=e+", max_size=60)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@quick
@given(st.text(max_size=60) | yamlish)
@example("\ufeff")
@example("\x00")
@example("\ud800")
@example("? [a]\n: b")
@example("{[a]: b}")
@example("? &a {b: *a}")
@example("a: !!binary x")
@example("<<: 1")
@example("=: 1")
def test_any_text_is_a_document_or_an_error_of_the_spec(source):
    document = outcome(lambda: parse(source, "f"))
    check(document, Document)
    if isinstance(document, Document):
        check(outcome(lambda: validate(Plan, document)), Plan)


@quick
@given(st.binary(max_size=60))
def test_any_bytes_are_a_document_or_an_error_of_the_spec(tmp_path_factory, source):
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(source)
    check(outcome(lambda: read(path, "f")), Document)


@quick
@given(st.dictionaries(st.sampled_from(["items", "title", "name", "zzz"]), plain))
def test_any_values_are_validated_or_refused(values):
    source = yaml.safe_dump(values, allow_unicode=True)
    check(outcome(lambda: validate(Plan, parse(source, "f"))), Plan)


texts = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Co"]), max_size=30
)


@quick
@given(st.lists(texts, max_size=4))
def test_quoted_text_comes_back_as_it_was(items):
    source = yaml.safe_dump({"a": items}, allow_unicode=True, default_style='"')
    assert parse(source, "f").values["a"] == items


@pytest.mark.parametrize(
    "given", ["0", "1.5", "20260901", "2026-9-1", "09/01/2026", "2026-09-31", 0, True, None, ""]
)
def test_a_day_is_written_in_one_way(given):
    from opslab.experiments.spec import Period

    with pytest.raises(SpecError):
        Period(start="2026-09-01", end=given, time="t")


@pytest.mark.parametrize("given", [True, False, "x", [], {}])
def test_a_boolean_is_no_number(given):
    from opslab.experiments.metrics import Amount

    with pytest.raises(SpecError):
        Amount(relative=given)
