"""YAML as opslab reads it: version 1.2, with lines, and safe with any text."""

import copy
import dataclasses
import datetime
import json
import math
import pickle
import time
from pathlib import Path
from typing import Annotated

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import AfterValidator, Field, StringConstraints

from opslab import documents, messages
from opslab.documents import Document, parse, read
from opslab.errors import SpecError
from opslab.report.voice import Voice
from opslab.runs import registry
from opslab.specs import Day, Declared, FromFile, InBothLanguages, Number, Text, Title, validate

SAMPLE = Path(__file__).parents[1] / "data" / "sample"

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
        "plan.yaml, line 7, title: 5 must be text; put it in quotes."
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
TOO_DEEP = "The spec is too long, too deeply nested or too repetitive; write it out plainly."


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
    with pytest.raises(SpecError, match=r"^big\.yaml: A spec cannot be 250,000 bytes long"):
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


class Span(Declared):
    start: Day
    end: Day


class Size(Declared):
    relative: Number


@pytest.mark.parametrize(
    "given", ["0", "1.5", "20260901", "2026-9-1", "09/01/2026", "2026-09-31", 0, True, None, ""]
)
def test_a_day_is_written_in_one_way(given):
    assert Span(start="2026-09-01", end=datetime.date(2026, 9, 2)).start.month == 9
    with pytest.raises(SpecError):
        Span(start="2026-09-01", end=given)


@pytest.mark.parametrize("given", [True, False, "x", [], {}])
def test_a_boolean_is_no_number(given):
    assert Size(relative=2).relative == 2.0
    with pytest.raises(SpecError):
        Size(relative=given)


class Named(FromFile):
    study: Title
    question: Text | None = None
    groups: tuple[Text, ...] = ()
    owner: Annotated[str, StringConstraints(max_length=5), InBothLanguages()] | None = None


BOTH = {"en": "Summer", "fr": "Été"}


def test_a_text_may_be_written_in_both_languages():
    plan = Named(study=BOTH, question="Why?", groups=["new", {"en": "old", "fr": "ancien"}])
    assert (plan.study, plan.groups) == ("Summer", ("new", "old"))
    assert [messages.spoken(text, "fr") for text in (plan.study, *plan.groups)] == [
        "Été",
        "new",
        "ancien",
    ]
    assert type(plan.question) is str
    for language, said in (("en", "Summer is missing; add it."), ("fr", "Été manque")):
        assert messages.text("specs.missing", language, name=plan.study).startswith(said)
        assert Voice(language, "experiments").spoken(plan.study) == BOTH[language]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("{en: Summer}", "line 2, question.fr: fr is missing; add it."),
        ("{fr: Été}", "line 2, question.en: en is missing; add it."),
        ("{}", "line 2, question.en: en is missing; add it."),
        ("{en: '', fr: x}", "line 2, question.en: The text is too short or too long: ."),
        ("\n  en: x\n  fr: ' '", "line 4, question.fr: The text is too short or too long:  ."),
        ("\n  en: x\n  fr:", "line 4, question.fr: A value is missing here"),
        ("\n  en: x\n  fr: 5", "line 4, question.fr: 5 must be text; put it in quotes."),
        (
            "\n  en: x\n  fr: y\n  de: z",
            "line 5, question.de: There is no field de here; remove it, or see opslab schema.",
        ),
        ("[x]", "line 2, question: ['x'] must be text; put it in quotes."),
        ("5", "line 2, question: 5 must be text; put it in quotes."),
        ("''", "line 2, question: The text is too short or too long: ."),
    ],
)
def test_both_languages_or_neither(written, told):
    assert message(f"study: s\nquestion: {written}", Named).startswith(f"plan.yaml, {told}")


@pytest.mark.parametrize(
    ("written", "field"),
    [("much too long", "owner"), ({"en": "much too long", "fr": "x"}, "owner.en")],
)
def test_a_bound_holds_in_either_language(written, field):
    with pytest.raises(SpecError) as caught:
        Named(study="s", owner=written)
    assert str(caught.value) == f"{field}: The text is too short or too long: much too long."
    with pytest.raises(SpecError, match=r"^owner\.fr: The text is too short or too long"):
        Named(study="s", owner={"en": "x", "fr": "much too long"})


def test_a_title_is_shown_and_the_name_names_the_folder():
    plain = Named(study=BOTH)
    assert (plain.slug, plain.shown_title) == ("summer", "Summer")
    assert messages.spoken(plain.shown_title, "fr") == "Été"
    titled = Named(study="summer-26", title=BOTH)
    assert (titled.slug, titled.shown_title) == ("summer-26", "Summer")
    assert messages.spoken(titled.shown_title, "fr") == "Été"
    with pytest.raises(SpecError, match="at least one letter or digit"):
        Named(study={"en": "?!", "fr": "été"})


@pytest.mark.parametrize(
    "carry",
    [
        copy.copy,
        copy.deepcopy,
        lambda plan: pickle.loads(pickle.dumps(plan)),
        lambda plan: plan.model_copy(update={"owner": "ops"}),
        lambda plan: Named(**dict(plan)),
        lambda plan: Named(**plan.model_dump(), title=plan.title),
        Named.model_validate,
    ],
)
def test_both_languages_are_carried_along(carry):
    plan = Named(study=BOTH, groups=[BOTH], title=BOTH)
    there = carry(plan)
    assert (there.study, there.groups, there.title) == (plan.study, plan.groups, plan.title)
    texts = there.study, there.groups[0], there.title
    assert [messages.spoken(text, "fr") for text in texts] == ["Été"] * 3
    assert hash(plan) == hash(Named(study="Summer", groups=["Summer"], title="Summer"))


def test_fingerprints_and_records_know_the_english_text_alone():
    @dataclasses.dataclass(frozen=True)
    class Held:
        texts: tuple[str, ...]
        counts: dict[str, int]

    english = Named(study="Summer", groups=["Summer"])
    both = Named(study=BOTH, groups=[BOTH], title=BOTH)
    assert both.model_dump(mode="json") == english.model_dump(mode="json")
    assert type(both.model_dump(mode="json")["study"]) is str
    assert both.model_dump_json() == english.model_dump_json()
    held = Held(both.groups, {both.study: 1})
    assert held.counts["Summer"] == 1
    assert json.dumps(dataclasses.asdict(held)) == '{"texts": ["Summer"], "counts": {"Summer": 1}}'


@pytest.mark.parametrize("name", registry.specs())
def test_the_schema_of_a_spec_shows_both_forms_of_a_title(name):
    from jsonschema import Draft202012Validator

    schema = registry.spec(name).model_json_schema()
    title = Draft202012Validator(schema["properties"]["title"])
    assert title.is_valid(BOTH)
    assert title.is_valid("Summer")
    assert not title.is_valid({"en": "Summer"})
    assert not title.is_valid({**BOTH, "de": "Sommer"})


def test_a_plan_has_one_fingerprint_in_both_languages():
    from opslab.experiments import Experiment

    fields = yaml.safe_load((SAMPLE / "checkout.yaml").read_text(encoding="utf-8"))
    plain = Experiment(**fields)
    both = Experiment(
        **{**fields, "experiment": {"en": fields["experiment"], "fr": "x"}}, title=BOTH
    )
    assert both.fingerprint == plain.fingerprint
    assert both.slug == plain.slug


def test_a_defect_in_a_validator_is_ours_and_not_the_users():
    class Odd(Declared):
        share: Annotated[float, AfterValidator(math.sqrt)]

    assert Odd(share=4).share == 2
    with pytest.raises(ValueError, match=r"math domain error|expected a nonnegative") as caught:
        Odd(share=-1)
    assert not isinstance(caught.value, SpecError)
