"""What is counted decides whether two lines overlap: thirty ways and more, and fifteen that are none."""

import pytest
import yaml
from cases import benefit, cost, fields, finding, money, share, units, win
from hypothesis import given, settings
from hypothesis import strategies as st

from opslab.businesscase import Case, build
from opslab.businesscase.claims import Gain, counted, is_time, overlap
from opslab.errors import InputError

YEAR = {"ends": "2027-12-31"}
NEXT = {"starts": "2028-01-01"}
DOLLARS = {"from": "USD", "to": "EUR", "rate": 0.8, "date": "2026-09-30", "source": "treasury"}
BASE = [
    money("rate", 50, "hours"),
    money("each", 900, "late week"),
    money("minute", 1, "minutes"),
    money("post", 70_000, "post"),
    units("visits", 9_000, "visitor"),
    money("margin", 4, "checkout"),
    share("use", 0.8),
    share("signed", 0.1),
    money("pay", 1_000),
]


def hours(*ids, name="hours", **more):
    """A benefit of hours of evidence, or of a stated quantity."""
    source = {"evidence": list(ids)} if "quantity" not in more else {"kind": "capacity"}
    return benefit(name, worth="rate", adoption="use", **source, **more)


def stated(name, quantity, **more):
    return benefit(name, quantity, **more)


def lift(evidence, name, **more):
    more = {"share": "signed", "signed_by": "head of growth"} | more
    return benefit(name, evidence=[evidence], volume="visits", worth="margin", **more)


def task(name, **more):
    """A finding of a task's hours, as the time-saved notebook names them: inventory/role/task."""
    _, role, _ = name.split("/")
    return finding(name, claim="hours:" + name.partition("/")[2], population=role, **more)


def metric(name, **more):
    """A finding of a study: study/metric/arm."""
    return win(name, claim=f"metric:{name.split('/')[1]}", **more)


def spec(*gains, known=(), ended=(), found=None, options=(), reach=None, parts=(), **more):
    """Return the fields of a case whose option takes all gains and ends all costs of doing nothing.

    found: findings by the id that cites them; parts: costs that the option keeps.
    """
    costs = [cost("paid", "pay"), cost("stays", "pay"), *ended]
    idle = ["stays", *(one["name"] for one in ended)]
    ask = {
        "name": "ask",
        "kind": "recommended",
        "benefits": [one["name"] for one in gains],
        "costs": ["paid", "stays", *parts],
        "reach": reach or {},
    }
    nothing = {"name": "nothing", "kind": "do_nothing", "costs": idle}
    found = found or {}
    declared = fields(
        [*BASE, *known],
        list(gains),
        costs,
        [nothing, ask, *options],
        evidence=[{"id": name, "run": "time_saved/desk"} for name in found],
        finance={"exchange": [DOLLARS]},
        **more,
    )
    return declared, found


ROLE = {"hours": "pm", "of": "desk"}
TAG = {"hours": "pm/tag", "of": "desk"}
E = {"e": [task("desk/pm/tag")]}
GAIN = [money("gain", 30_000)]
TWO = [money("gain", 30_000), money("other", 20_000)]
ALIKE = [money("gain", 30_000, statement="Saved by the tool"), money("other", 20_000)]
FRENCH = {"en": "Fees of the agency", "fr": "Frais de l'agence"}
BILL = [money("bill", 12_000, source="invoices")]
OPINION = [money("over", 60_000, grade="F", source="head of sales")]
BILLED = {"e": [task("desk/agency/tag", benefit="hard")]}
CASH = {"budget": 6226, "holder": "purchasing", "date": "2027-01-01", "unit": "hour"}
HOURS_TWICE = [
    units(name, 900, "hour", statement="Hours of tagging") for name in ("first", "second")
]


def timed(name, quantity, role):
    """A gain of stated hours of a role's task."""
    return hours(quantity=quantity, name=name, claim={"hours": role, "of": "desk"})


CAUGHT = {
    # the same quantity
    "two names": ("claimed_twice", spec(stated("a", "gain"), stated("b", "gain"), known=GAIN)),
    "two claim texts": (
        "claimed_twice",
        spec(stated("a", "gain", claim="x"), stated("b", "gain", claim="y"), known=GAIN),
    ),
    "one quantity, apart": (
        "claimed_twice",
        spec(stated("a", "gain"), stated("b", "gain", apart="money of another budget"), known=GAIN),
    ),
    "a month in common": (
        "claimed_twice",
        spec(stated("a", "gain", **YEAR), stated("b", "gain", starts="2027-12-01"), known=GAIN),
    ),
    "an end on the first of the next year": (
        "claimed_twice",
        spec(stated("a", "gain", ends="2028-01-01"), stated("b", "gain", **NEXT), known=GAIN),
    ),
    "half each": (
        "claimed_twice",
        spec(stated("a", "gain"), stated("b", "gain"), known=GAIN, reach={"a": 0.5, "b": 0.5}),
    ),
    "once, and once again": (
        "claimed_twice",
        spec(
            stated("a", "gain", **YEAR),
            stated("b", "gain", **NEXT),
            known=[money("gain", 9, "once")],
        ),
    ),
    "a benefit and an ended cost": (
        "claimed_twice",
        spec(stated("a", "bill"), known=BILL, ended=[cost("agency", "bill", benefit="hard")]),
    ),
    # hours of evidence
    "one finding in two lines": ("claimed_twice", spec(hours("e"), hours("e", name="b"), found=E)),
    "one finding by two ids of runs": (
        "claimed_twice",
        spec(hours("e"), hours("f", name="b"), found=E | {"f": E["e"]}),
    ),
    "patterns of pick that meet": (
        "claimed_twice",
        spec(
            hours("e"),
            hours("f", name="b"),
            found={"e": [task("desk/pm/tag"), task("desk/pm/sort")], "f": [task("desk/pm/sort")]},
        ),
    ),
    "one finding twice in a line": (
        "claimed_twice",
        spec(hours("e", "f"), found=E | {"f": E["e"]}),
    ),
    "case and accents": (
        "claimed_twice",
        spec(
            hours("e"),
            hours("f", name="b"),
            found={"e": [task("desk/Chargé/Trier  été")], "f": [task("desk/charge/trier Ete")]},
        ),
    ),
    "hours and the money made of them": (
        "claimed_twice",
        spec(hours("e"), stated("b", "gain", claim=TAG), known=GAIN, found=E),
    ),
    "a role and its task": (
        "claimed_twice",
        spec(hours("e"), stated("b", "gain", claim=ROLE), known=GAIN, found=E),
    ),
    "a role and its task, apart": (
        "claimed_twice",
        spec(
            hours("e"),
            stated("b", "gain", claim=ROLE, apart="sales are no hours"),
            known=GAIN,
            found=E,
        ),
    ),
    "the inventory by its title": (
        "claimed_twice",
        spec(
            hours("e"),
            stated("b", "gain", claim={"hours": "PM / Tag", "of": "The Désk"}),
            known=GAIN,
            found={"e": [task("the-desk/pm/tag")]},
        ),
    ),
    "a task and an ended cost": (
        "claimed_twice",
        spec(
            hours("e"),
            ended=[cost("agency", "bill", benefit="hard", claim=TAG)],
            known=BILL,
            found=E,
        ),
    ),
    "a task and a cost ended in part": (
        "claimed_twice",
        spec(
            hours("e"),
            ended=[cost("agency", "bill", claim=TAG)],
            parts=["agency"],
            reach={"agency": 0.7},
            known=BILL,
            found=E,
        ),
    ),
    # margins, budget lines, texts
    "two arms of a study": (
        "claimed_twice",
        spec(
            lift("e", "a"),
            lift("f", "b"),
            found={"e": [metric("shop/orders/short")], "f": [metric("shop/orders/long")]},
        ),
    ),
    "a metric by evidence and by word": (
        "claimed_twice",
        spec(
            lift("e", "a"),
            stated("b", "gain", claim={"metric": "Orders", "of": "shop"}),
            known=GAIN,
            found={"e": [metric("shop/orders/short")]},
        ),
    ),
    "one budget line": (
        "claimed_twice",
        spec(
            stated("a", "gain", claim={"budget": "Line 4417"}),
            stated("b", "other", claim={"budget": "budget-line 4417"}),
            known=TWO,
        ),
    ),
    "a budget line and a part of it": (
        "claimed_twice",
        spec(
            stated("a", "gain", claim={"budget": "agencies, compte 6226"}),
            stated("b", "other", claim={"budget": 6226}),
            known=TWO,
        ),
    ),
    "one budget line, one of it ended": (
        "claimed_twice",
        spec(
            stated("a", "gain", claim={"budget": "4417"}, apart="money of another budget"),
            ended=[cost("agency", "bill", benefit="hard", claim={"budget": 4417})],
            known=[*GAIN, *BILL],
        ),
    ),
    "one text": (
        "claimed_twice",
        spec(
            stated("a", "gain", claim="Intérim, été"),
            stated("b", "other", claim="interim ete", apart="money of another budget"),
            known=TWO,
        ),
    ),
    "one text, one of it ended": (
        "claimed_twice",
        spec(
            stated("a", "gain", claim="agency"),
            ended=[cost("agency", "bill", benefit="hard", claim="Agency")],
            known=[*GAIN, *BILL],
        ),
    ),
    "a text as evidence writes it": (
        "claimed_twice",
        spec(
            hours("e"),
            ended=[cost("over", "bill", benefit="hard", claim="hours:PM")],
            known=BILL,
            found=E,
        ),
    ),
    # one thing under two ids
    "one statement": (
        "claimed_alike",
        spec(
            stated("a", "gain"),
            stated("b", "other"),
            known=[ALIKE[0], money("other", 7, statement="saved, by the TOOL")],
        ),
    ),
    "one statement in two languages": (
        "claimed_alike",
        spec(
            stated("a", "gain"),
            stated("b", "other"),
            known=[
                money("gain", 30, statement=FRENCH),
                money("other", 7, statement="frais de l'agence"),
            ],
        ),
    ),
    "one range": (
        "claimed_alike",
        spec(
            stated("a", "gain"),
            stated("b", "other"),
            known=[money("gain", (10, 30)), money("other", (10, 30))],
        ),
    ),
    "a range a month and a year": (
        "claimed_alike",
        spec(
            stated("a", "gain"),
            stated("b", "other"),
            known=[money("gain", (120, 360)), money("other", (10, 30), "month")],
        ),
    ),
    "a range in two currencies": (
        "claimed_alike",
        spec(
            stated("a", "gain"),
            stated("b", "other"),
            known=[money("gain", (8, 24)), money("other", (10, 30), currency="USD")],
        ),
    ),
    "one range of units": (
        "claimed_alike",
        spec(
            benefit("a", "gain", worth="each", kind="quality"),
            benefit("b", "other", worth="each", kind="quality"),
            known=[units("gain", 7, "late week"), units("other", 7, "late weeks")],
        ),
    ),
    "a benefit and an ended cost of one statement": (
        "claimed_alike",
        spec(
            stated("a", "gain"),
            ended=[cost("agency", "bill", benefit="hard")],
            known=[money("gain", 9, statement="Agency"), money("bill", 8, statement="agency")],
        ),
    ),
    "one amount of two ended costs": (
        "claimed_twice",
        spec(
            stated("a", "gain"),
            ended=[cost("x", "bill", claim={"budget": 1}), cost("y", "bill", claim="y")],
            known=[*GAIN, *BILL],
        ),
    ),
    "claims from two lists do not differ": (
        "claimed_alike",
        spec(
            stated("a", "gain", claim={"budget": "4417"}),
            stated("b", "other", claim={"hours": "sales", "of": "survey"}),
            known=[money("gain", 9_000), money("other", 9_001)],
        ),
    ),
    # hours that may be the same
    "one task in two inventories": (
        "claimed_inventories",
        spec(hours("e"), hours("f", name="b"), found=E | {"f": [task("desk-2/PM/tag")]}),
    ),
    "two inventories in a line": (
        "claimed_inventories",
        spec(hours("e", "f"), found=E | {"f": [task("other/pm/tag")]}),
    ),
    "a role elsewhere": (
        "claimed_inventories",
        spec(
            hours("e"),
            stated("b", "gain", claim={"hours": "pm", "of": "survey"}),
            known=GAIN,
            found=E,
        ),
    ),
    "hours and money": (
        "claimed_unsaid",
        spec(hours("e"), stated("b", "gain"), known=GAIN, found=E),
    ),
    "hours and money of better decisions": (
        "claimed_unsaid",
        spec(hours("e"), stated("b", "gain", gain="decisions", claim="x"), known=GAIN, found=E),
    ),
    "hours of evidence and stated ones": (
        "claimed_unsaid",
        spec(
            hours("e"),
            hours(quantity="saved", name="b"),
            known=[units("saved", 90, "hour")],
            found=E,
        ),
    ),
    "hours and minutes": (
        "time_unit",
        spec(
            hours("e"),
            benefit("b", "saved", worth="minute", kind="quality", gain="decisions"),
            known=[units("saved", 90, "minute")],
            found=E,
        ),
    ),
    "hours and a part of a post": (
        "time_unit",
        spec(
            hours("e"),
            benefit("b", "part", worth="post", kind="capacity", gain="alignment"),
            known=[units("part", 0.3, "post")],
            found=E,
        ),
    ),
    "hours and time told in other units": (
        "claimed_unsaid",
        spec(
            hours("e"),
            benefit("b", "weeks", worth="each", kind="quality"),
            known=[units("weeks", 3, "late week")],
            found=E,
        ),
    ),
    "hours and units that are called alignment": (
        "claimed_unsaid",
        spec(
            hours("e"),
            benefit("b", "weeks", worth="each", kind="quality", gain="alignment"),
            known=[units("weeks", 3, "late week")],
            found=E,
        ),
    ),
    "hours and money, apart for no reason": (
        "no_reason",
        spec(hours("e"), stated("b", "gain", apart="-"), known=GAIN, found=E),
    ),
    "hours and money, apart in two words": (
        "no_reason",
        spec(hours("e"), stated("b", "gain", apart="other money"), known=GAIN, found=E),
    ),
    "hours and their value under a budget line that is no cash": (
        "claimed_unsaid",
        spec(
            hours("e"),
            benefit("b", "gain", kind="capacity", claim={"budget": "hours of the pm"}),
            known=GAIN,
            found=E,
        ),
    ),
    # one thing written in two ways
    "a role, a task and an inventory in the plural": (
        "claimed_twice",
        spec(
            hours("e"),
            stated("b", "gain", claim={"hours": "PMs/tags", "of": "desks"}),
            known=GAIN,
            found=E,
        ),
    ),
    "one statement of a role by another name": (
        "claimed_alike",
        spec(
            timed("a", "first", "product manager/tag"),
            timed("b", "second", "PM/étiqueter"),
            known=HOURS_TWICE,
        ),
    ),
    "one range of a role by another name": (
        "claimed_alike",
        spec(
            timed("a", "first", "product manager/tag"),
            timed("b", "second", "PM/tag"),
            known=[HOURS_TWICE[0], HOURS_TWICE[1] | {"statement": "Hours of the survey"}],
        ),
    ),
    "a budget line in groups of digits": (
        "claimed_twice",
        spec(
            stated("a", "gain", claim={"budget": "6 210"}),
            stated("b", "other", claim={"budget": "line 6210 Agency"}),
            known=TWO,
        ),
    ),
    "a budget line in the plural": (
        "claimed_twice",
        spec(
            stated("a", "gain", claim={"budget": "agencies"}),
            stated("b", "other", claim={"budget": "Agency"}),
            known=TWO,
        ),
    ),
    "a budget line behind two owners": (
        "claimed_twice",
        spec(
            stated("a", "gain", owner="head of support, budget line 6210"),
            ended=[cost("x", "bill", benefit="hard", owner="support (ligne 6 210)")],
            known=[*GAIN, *BILL],
        ),
    ),
    "a budget line behind an owner, and released": (
        "claimed_twice",
        spec(
            hours("e", cash=CASH),
            ended=[cost("x", "bill", benefit="hard", owner="purchasing, account 6226")],
            known=BILL,
            found=BILLED,
        ),
    ),
    "one statement, two budget lines": (
        "claimed_alike",
        spec(
            stated("a", "gain", claim={"budget": "4417"}),
            stated("b", "other", claim={"budget": "4421"}),
            known=[ALIKE[0], money("other", 7, statement="saved by the tool")],
        ),
    ),
    "one range of opinions, two budget lines": (
        "claimed_alike",
        spec(
            stated("a", "gain", claim={"budget": "4417"}),
            stated("b", "other", claim={"budget": "4421"}),
            known=[money("gain", 9_000), money("other", 9_001, grade="F")],
        ),
    ),
    "hours and money of no budget line": (
        "claimed_unsaid",
        spec(hours("e"), stated("b", "gain", claim={"budget": "?"}), known=GAIN, found=E),
    ),
    "hours and money counted nowhere": (
        "claimed_unsaid",
        spec(
            hours("e"),
            stated("b", "gain", claim={"hours": "sales", "of": "n/a"}),
            known=GAIN,
            found=E,
        ),
    ),
    "hours of an agency that are billed, and its invoice that ends": (
        "claimed_unsaid",
        spec(
            hours("e", cash=CASH),
            ended=[cost("x", "bill", benefit="hard")],
            known=BILL,
            found=BILLED,
        ),
    ),
    "hours and an ended cost of a grade without a source": (
        "claimed_unsaid",
        spec(
            hours("e"),
            ended=[cost("x", "bill", benefit="hard")],
            known=[money("bill", 12_000, grade="B")],
            found=E,
        ),
    ),
    "hours and an ended cost": (
        "claimed_unsaid",
        spec(hours("e"), ended=[cost("search", "bill")], known=BILL, found=E),
    ),
    "hours and an ended cost that people state": (
        "claimed_unsaid",
        spec(hours("e"), ended=[cost("x", "over", benefit="hard")], known=OPINION, found=E),
    ),
}
NOT = {
    "successive years": spec(stated("a", "gain", **YEAR), stated("b", "gain", **NEXT), known=GAIN),
    "three years with a month between": spec(
        stated("a", "gain", **YEAR),
        stated("b", "gain", starts="2028-02-01", ends="2028-12-31"),
        stated("c", "gain", starts="2029-01-01"),
        known=GAIN,
    ),
    "a line with a schedule": spec(
        benefit("a", "gain", schedule=["first", "use"]), known=[*GAIN, share("first", 0.4)]
    ),
    "other inventories, apart": spec(
        hours("e"),
        hours("f", name="b", apart="the support team's product managers"),
        found=E | {"f": [task("other/pm/tag")]},
    ),
    "other tasks of a role": spec(
        hours("e"), hours("f", name="b"), found=E | {"f": [task("desk/pm/sort")]}
    ),
    "another metric": spec(
        lift("e", "a"),
        lift("f", "b"),
        found={"e": [metric("shop/orders/a")], "f": [metric("shop/visits/a")]},
    ),
    "a metric of another study": spec(
        lift("e", "a"),
        lift("f", "b"),
        found={"e": [metric("shop/orders/a")], "f": [metric("shop-2/orders/a")]},
    ),
    "other budget lines": spec(
        stated("a", "gain"),
        ended=[cost("x", "bill", claim={"budget": 1}), cost("y", "over", claim={"budget": 2})],
        known=[*GAIN, *BILL, money("over", 7_000)],
    ),
    "other options": spec(
        stated("a", "gain"),
        stated("b", "other"),
        known=TWO,
        options=[{"name": "more", "benefits": ["b"], "costs": ["paid", "stays"]}],
    ),
    "a cost and a benefit with one price": spec(stated("a", "pay")),
    "value enabled that is not counted": spec(
        lift("e", "a"),
        lift("f", "b", share=None, signed_by=None),
        found={"e": [metric("shop/orders/a")], "f": [metric("shop/orders/b")]},
    ),
    "hours, and money of a budget line": spec(
        hours("e"), stated("b", "gain", claim={"budget": "4417"}), known=GAIN, found=E
    ),
    "hours, and money that is apart": spec(
        hours("e"), stated("b", "gain", apart="margin of the shop"), known=GAIN, found=E
    ),
    "hours, and weeks of delay": spec(
        hours("e"),
        benefit("b", "weeks", worth="each", kind="quality", gain="decisions"),
        known=[units("weeks", 3, "late week")],
        found=E,
    ),
    "hours, and an invoice that ends": spec(
        hours("e"), ended=[cost("x", "bill", benefit="hard", claim="x")], known=BILL, found=E
    ),
    "hours of an agency that are billed, and another invoice": spec(
        hours("e", cash=CASH),
        ended=[cost("x", "bill", benefit="hard", claim={"budget": "6227"})],
        known=BILL,
        found=BILLED,
    ),
    "two contracts on one account": spec(
        stated("a", "gain", claim={"budget": "6226 agency"}),
        stated("b", "other", claim={"budget": "account 6226, translation"}),
        known=TWO,
    ),
    "one range on documents, two budget lines": spec(
        stated("a", "gain"),
        ended=[
            cost("x", "bill", benefit="hard", claim={"budget": 1}),
            cost("y", "over", benefit="hard", claim={"budget": 2}),
        ],
        known=[*GAIN, *BILL, money("over", 12_000, source="invoices")],
    ),
    "one range, once and a year": spec(
        stated("a", "gain"),
        stated("b", "other"),
        known=[money("gain", (8, 9)), money("other", (8, 9), "once")],
    ),
    "ranges with one end in common": spec(
        stated("a", "gain"),
        stated("b", "other"),
        stated("c", "third"),
        known=[money("gain", (8, 9)), money("other", (7, 9)), money("third", (8, 10))],
    ),
    "one range, apart": spec(
        stated("a", "gain"),
        stated("b", "other", apart="another team's"),
        known=[money("gain", 9), money("other", 9)],
    ),
    "a cost that is kept": spec(
        stated("a", "bill"), ended=[cost("x", "bill")], parts=["x"], known=BILL
    ),
    "a cost that ends when the benefit does": spec(
        stated("a", "bill", **YEAR),
        ended=[cost("x", "bill", ended_from="2027-12-15")],
        known=BILL,
    ),
}


def told(declared, found):
    """Return the keys of what is refused, reading the case or putting it together."""
    try:
        build(Case(**declared), found, draws=1_000)
    except InputError as error:
        return [problem.key.removeprefix("businesscase.") for problem in error.problems]
    return []


@pytest.mark.parametrize("name", CAUGHT)
def test_overlaps_are_caught(name):
    key, declared = CAUGHT[name]
    assert told(*declared) == [key]


@pytest.mark.parametrize("name", NOT)
def test_what_is_no_overlap_passes(name):
    assert told(*NOT[name]) == []


CALLED = {"id", "name", "quantity", "amount", "worth", "volume", "adoption", "share", "schedule"}
CALLED |= {"claim", "benefits", "costs"}


def renamed(declared, names, field=""):
    """Return a case with its own names written otherwise, wherever they are used."""
    if isinstance(declared, dict):
        return {
            names.get(key, key) if field == "reach" else key: renamed(value, names, key)
            for key, value in declared.items()
        }
    if isinstance(declared, list):
        return [renamed(value, names, field) for value in declared]
    return names.get(declared, declared) if field in CALLED else declared


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([*CAUGHT, *NOT]), st.text("abcxyz", min_size=1, max_size=9), st.randoms())
def test_what_things_are_called_decides_nothing(name, word, random):
    key, (declared, found) = CAUGHT.get(name) or (None, NOT.get(name))
    lines = [*declared["benefits"], *declared["costs"]]
    called = [line["id"] for line in declared["assumptions"]] + [line["name"] for line in lines]
    texts = [line["claim"] for line in lines if isinstance(line.get("claim"), str)]
    # Texts that are the same but for case and accents stay so; those of evidence are no names.
    alike = {text: text.casefold().replace("é", "e").replace(",", "") for text in texts}
    words = [*dict.fromkeys([*called, *alike.values()])]
    random.shuffle(words)
    names = {own: f"{word}{number}" for number, own in enumerate(words)}
    names |= {text: names[alike[text]] for text in texts}
    kept = {text: text for text in texts if text.startswith("hours:")}
    assert told(renamed(declared, names | kept), found) == ([key] if key else [])


def test_a_message_names_both_lines_what_they_share_and_where(tmp_path):
    declared, _ = CAUGHT["one budget line"][1]
    path = tmp_path / "case.yaml"
    path.write_text(yaml.safe_dump(declared, sort_keys=False), encoding="utf-8")
    with pytest.raises(InputError) as raised:
        build(Case.load(path))
    [problem] = raised.value.problems
    line = path.read_text(encoding="utf-8").splitlines()[problem.line - 1]
    assert "claim" in line
    assert problem.field == "benefits[2].claim"
    for language in ("en", "fr"):
        said = problem.text(language)
        assert all(word in said for word in (" a ", " b ", "ask", "4417"))


def test_a_line_is_asked_about_once():
    """Two lines of hours beside one of money, in two options: one question."""
    more = {"name": "more", "benefits": ["hours", "b"], "costs": ["paid", "stays"]}
    declared = spec(
        hours("e"),
        hours("f", name="more hours"),
        stated("b", "gain"),
        known=GAIN,
        found=E | {"f": [task("desk/pm/sort")]},
        options=[more],
    )
    assert told(*declared) == ["claimed_unsaid"]


def test_a_line_that_is_refused_is_not_asked_about_too():
    declared = spec(hours("e"), stated("b", "gain"), stated("c", "gain"), known=GAIN, found=E)
    assert told(*declared) == ["claimed_twice"]


@pytest.mark.parametrize(
    ("per", "time"),
    [
        ("hour", True),
        ("Heures", True),
        ("product manager hours", True),
        ("FTE", True),
        ("headcounts", True),
        ("person-days", True),
        ("jour-homme", True),
        ("jours", True),
        ("person-weeks", True),
        ("mois-homme", True),
        ("week", False),
        ("person", False),
        ("person trained", False),
        ("day of delay", False),
        ("jour de retard", False),
        ("week of delay", False),
        ("year", False),
        ("minor bug", False),
        (None, False),
    ],
)
def test_units_of_time(per, time):
    assert is_time(per) == time


def gain(name, *claims, months=range(36), **more):
    return Gain(name, (), months, tuple(counted(*claim) for claim in claims), **more)


def test_order_does_not_matter():
    role, tag = gain("a", ("hours:pm", "desk")), gain("b", ("hours:pm/tag", "desk"))
    assert overlap(role, tag).key == overlap(tag, role).key == "claimed_twice"


def test_from_when_they_overlap():
    first = gain("a", ("budget:1",), months=range(12))
    assert overlap(first, gain("b", ("budget:1",), months=range(11, 36))).month == 11
    assert overlap(first, gain("b", ("budget:1",), months=range(12, 36))) is None


@pytest.mark.parametrize(
    ("claim", "name"),
    [
        ("budget:HR, line 6226", {(0, "6226"), (0, "hr")}),
        ("Budget: compte 6226", {(0, "6226")}),
        ("budget:budget line", {(0, "budget line")}),
        ("hours:PM/", {(0, "pm")}),
        ("hours:", {(0, "hour")}),
        ("theme:Late parcels", {(0, "late parcel")}),
        ("Agence / été", {(0, "agence ete")}),
        ("elapsed:log/defined-0123abcd", {(0, "elapsed log")}),
    ],
)
def test_a_claim_is_read_as_evidence_writes_it(claim, name):
    assert counted(claim).name == name
