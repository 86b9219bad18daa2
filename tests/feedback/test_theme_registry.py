"""Themes that keep their identity: what happens to them, in ledgers that are known beforehand."""

import base64
import datetime
import json
import random
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from opslab import feedback
from opslab.errors import DataError
from opslab.feedback.clustering import cluster
from opslab.feedback.corpus import Cut
from opslab.feedback.customer_message import CustomerMessage
from opslab.feedback.encoders import unit
from opslab.feedback.naming import Phrases
from opslab.feedback.registry import ledger
from opslab.feedback.registry.continuity import Past
from opslab.feedback.registry.ledger import registered, remembered
from opslab.feedback.registry.state import Event, KnownTheme, Registry, keys_of
from opslab.feedback.result import Assignment, Point
from opslab.feedback.sorting import sort_texts
from opslab.feedback.spec import Study, Themes

ENCODER = SimpleNamespace(name="synthetic", sha256="s" * 64)
MONDAY = datetime.date(2026, 1, 5)
SIZE = 24
AXES = np.eye(SIZE, dtype=np.float32)


def cloud(middle, count, seed, noise=0.08):
    """Draw texts round a direction."""
    random = np.random.default_rng(seed)
    return unit(middle + noise * random.normal(size=(count, SIZE)))


def run(known, texts, day, encoder=ENCODER, dates=None, pins=frozenset()):
    """Return the registry of a run of texts (name -> vectors), and the theme of each text."""
    words = [f"{name} {at}" for name, part in texts.items() for at in range(len(part))]
    vectors = np.vstack([*texts.values()]).astype(np.float32)
    order = sorted(range(len(words)), key=lambda at: keys_of([words[at]])[0])
    words, vectors = [words[at] for at in order], vectors[order]
    past = Past.of(known, encoder, day, pins)
    settle = partial(past.settled, past.owners(words), 5) if past else None
    ones = [1] * len(words)
    clusters = cluster(vectors, ones, 5, settle=settle)
    following = known.next if known else 1
    sorting = sort_texts(clusters, vectors, ones, Themes(coverage=1.0), following)
    ids = np.array(sorting.ids)[sorting.clusters.labels].tolist()
    when = [(dates or {}).get(word.rsplit(" ", 1)[0], day) for word in words]
    registry = registered(
        known,
        "synthetic",
        encoder,
        day,
        past,
        Cut([*range(len(words))], ones, vectors, clusters, {}),
        sorting,
        words,
        {},
        [
            Assignment(CustomerMessage(word, "", "", 0, "", date=date), Point(text="", theme=name))
            for word, name, date in zip(words, ids, when, strict=True)
        ],
    )
    themes = {}
    for word, name in zip(words, ids, strict=True):
        themes.setdefault(word.rsplit(" ", 1)[0], set()).add(name)
    return registry, themes


def week(number):
    return MONDAY + datetime.timedelta(7 * number)


def happened(registry, day):
    return [each for each in registry.ledger if each.day == day]


def base(seed=0):
    return {f"a{axis}": cloud(AXES[axis], 30, seed + axis) for axis in range(3)}


def test_a_new_topic_is_born_and_the_others_keep_their_ids():
    first, themes = run(None, base(), week(0))
    assert [event.kind for event in first.ledger] == ["born"] * 3
    assert sorted(next(iter(each)) for each in themes.values()) == ["T01", "T02", "T03"]
    again, same = run(first, base() | {"new": cloud(AXES[9], 12, 99)}, week(1))
    assert same.pop("new") == {"T04"}
    assert same == themes
    assert happened(again, week(1)) == [Event(week(1), "born", "T04")]
    assert again.theme("T04").born == week(1)
    assert again.theme("T01").born == week(0)
    assert again.next == 5


def test_new_texts_of_a_known_theme_join_it_without_a_single_known_one():
    first, themes = run(None, base(), week(0))
    others = {f"{name} later": cloud(AXES[at], 15, 70 + at) for at, name in enumerate(base())}
    second, met = run(first, others, week(1))
    assert {name.split()[0]: each for name, each in met.items()} == themes
    assert happened(second, week(1)) == []
    assert len(second.keys) == 90 + 45  # those of earlier runs stay
    assert np.all(np.diff(second.keys.astype(object)) > 0)


def test_a_theme_that_falls_apart_is_split():
    whole = {"low": cloud(AXES[5], 40, 50), "high": cloud(AXES[5], 30, 51)}
    first, themes = run(None, base() | whole, week(0))
    assert themes["low"] == themes["high"] != themes["a0"]
    parts = {"low": cloud(AXES[5], 40, 52), "high": cloud(AXES[6], 30, 53)}
    second, after = run(first, base() | parts, week(1))
    (old,), (new,) = after["low"], after["high"]
    assert {old} == themes["low"]  # the larger part keeps the id
    assert new == "T05"
    assert happened(second, week(1)) == [Event(week(1), "split", old, (new,))]
    assert second.theme(new).parents == (old,)
    assert (second.theme(old).status, second.theme(old).born) == ("active", week(0))
    third, last = run(second, base() | parts, week(2))
    assert last == after
    assert happened(third, week(2)) == []


def test_two_themes_that_become_one_are_merged():
    apart = {"low": cloud(AXES[5], 40, 50), "high": cloud(AXES[6], 30, 51)}
    first, themes = run(None, base() | apart, week(0))
    assert themes["low"] != themes["high"]
    middle = unit((AXES[5] + AXES[6])[None])[0]
    together = {"low": cloud(middle, 40, 52), "high": cloud(middle, 30, 53)}
    second, after = run(first, base() | together, week(1))
    assert after["low"] == after["high"] == themes["low"]  # the larger one stays
    (stays,), (gone,) = themes["low"], themes["high"]
    assert happened(second, week(1)) == [Event(week(1), "merged", gone, (stays,))]
    assert (second.theme(gone).status, second.theme(gone).into) == ("merged", stays)
    assert second.theme(stays).parents == (gone,)
    third, last = run(second, base() | together, week(2))
    assert last == after
    assert happened(third, week(2)) == []
    assert third.theme(gone).status == "merged"
    _, met = run(third, {"high": together["high"]} | base(), week(3))
    assert met["high"] == {stays}  # what was in it is known in the other


def test_a_theme_without_messages_sleeps_and_comes_back_under_its_id():
    everything = base() | {"guest": cloud(AXES[9], 30, 50)}
    registry, themes = run(None, everything, week(0))
    (guest,) = themes["guest"]
    for number in range(1, 7):
        registry, _ = run(registry, base(), week(number))
        quiet = number * 7 > ledger.DORMANT_DAYS
        assert registry.theme(guest).status == ("dormant" if quiet else "active")
    registry, after = run(registry, base() | {"back": cloud(AXES[9], 20, 51)}, week(7))
    assert after["back"] == {guest}
    kinds = [(event.day, event.kind) for event in registry.ledger if event.theme == guest]
    assert kinds == [(week(0), "born"), (week(5), "dormant"), (week(7), "revived")]
    assert registry.theme(guest).seen == week(7)
    assert registry.theme(guest).born == week(0)


def test_old_messages_in_a_cumulative_export_let_a_theme_sleep():
    everything = base() | {"guest": cloud(AXES[9], 30, 50)}
    registry, themes = run(None, everything, week(0))
    registry, after = run(registry, everything, week(8), dates={"guest": week(0)})
    assert after == themes
    (guest,) = after["guest"]
    assert registry.theme(guest).status == "dormant"
    registry, _ = run(registry, everything, week(9), dates={"guest": week(0)})
    assert happened(registry, week(9)) == []  # nothing new was said


def test_ids_are_never_given_twice_over_thirty_runs_of_any_topics():
    draw, registry, born = random.Random(5), None, {}
    for number in range(30):
        axes = draw.sample(range(12), draw.randint(3, 8))
        texts = {f"a{axis} {draw.random()}": cloud(AXES[axis], 20, number) for axis in axes}
        known = {theme.id for theme in registry.themes} if registry else set()
        following = registry.next if registry else 1
        registry, _ = run(registry, texts, week(number))
        ids = {theme.id for theme in registry.themes}
        assert known <= ids
        assert all(int(name[1:]) >= following for name in ids - known)
        assert registry.next == max(int(name[1:]) for name in ids) + 1
        for theme in registry.themes:
            assert born.setdefault(theme.id, theme.born) == theme.born
        new = {e.theme for e in happened(registry, week(number)) if e.kind == "born"}
        parts = {p for e in happened(registry, week(number)) if e.kind == "split" for p in e.others}
        assert new | parts == ids - known
    assert len({(event.theme, event.day, event.kind) for event in registry.ledger}) == len(
        registry.ledger
    )


def test_the_same_runs_write_the_same_bytes_and_read_back_alike():
    def twice():
        first, _ = run(None, base(), week(0))
        return run(first, base(1) | {"new": cloud(AXES[9], 12, 99)}, week(1))[0]

    content = twice().content()
    assert content == twice().content()
    assert Registry.of(content, "registry.json").content() == content


def test_another_encoder_goes_on_by_shared_texts_alone():
    first, themes = run(None, base(), week(0))
    other = SimpleNamespace(name="other", sha256="o" * 64)
    turned = {name: np.roll(part, 7, axis=1)[:, :20] for name, part in base().items()}
    kept = {name: turned[name] for name in ("a0", "a1")} | {"strange": turned["a2"]}
    second, after = run(first, kept, week(1), other)
    assert (after["a0"], after["a1"]) == (themes["a0"], themes["a1"])
    assert after["strange"] == {"T04"}  # the same texts under names that are not known
    (gone,) = themes["a2"]
    assert second.theme(gone).status == "dormant"
    assert Event(week(1), "dormant", gone) in second.ledger
    assert {theme.centroid.shape for theme in second.themes} == {(20,)}
    third, last = run(second, kept, week(2), other)
    assert last == after
    assert happened(third, week(2)) == []


def test_texts_that_are_known_are_found_among_many():
    keys = np.unique(np.random.default_rng(1).integers(0, 2**63, 200_000).astype(np.uint64))
    owners = np.arange(len(keys), dtype=np.int32) % 300
    words = [f"text {number}" for number in range(100)]
    keys[:50] = keys_of(words[:50])
    order = np.argsort(keys)
    themes = tuple(
        KnownTheme(
            id=f"T{number:03d}",
            centroid=AXES[0],
            phrases=(),
            status="merged" if number == 7 else "active",
        )
        for number in range(300)
    )
    registry = Registry(
        study="s",
        encoder="e",
        encoder_name="e",
        themes=themes,
        keys=keys[order],
        owners=owners[order],
    )
    past = Past.of(registry, ENCODER, None)
    expected = [number - (number > 7) if number != 7 else -1 for number in range(50)] + [-1] * 50
    assert past.owners(words).tolist() == expected
    assert past.owners([]).tolist() == []


def test_the_keys_of_a_run_stay_when_there_is_no_room_for_all(monkeypatch):
    monkeypatch.setattr(ledger, "MOST_KEYS", 100)
    first, _ = run(None, base(), week(0))
    others = {f"{name} later": cloud(AXES[at], 15, 70 + at) for at, name in enumerate(base())}
    second, _ = run(first, others, week(1))
    assert len(second.keys) == 100
    here = {*keys_of([f"a{axis} later {at}" for axis in range(3) for at in range(15)]).tolist()}
    assert here <= {*second.keys.tolist()}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "registry.json"),
        (b"[]", "registry.json"),
        (b'{"schema": "opslab.themes/9"}', "opslab.themes/9"),
        (b'{"schema": "opslab.themes/1", "themes": 3}', "registry.json"),
    ],
)
def test_what_is_no_registry_is_refused_by_its_name(content, words):
    with pytest.raises(DataError, match=words):
        Registry.of(content, "registry.json")


def changed(**fields):
    """Return the file of a registry in which these fields, or those of its first theme, differ."""
    record = json.loads(run(None, base(), week(0))[0].content())
    record["themes"][0] |= {name: fields[name] for name in fields if name not in record}
    return json.dumps(record | {name: fields[name] for name in fields if name in record}).encode()


def array(*values, dtype="<f4"):
    content = np.array(values, dtype).tobytes()
    return {"dtype": dtype, "base64": base64.b64encode(content).decode()}


@pytest.mark.parametrize(
    "fields",
    [
        {"next": 3},
        {"next": "4"},
        {"next": 4.5},
        {"id": "T02"},
        {"id": "T2x"},
        {"id": "T09"},
        {"status": "gone"},
        {"status": "merged"},
        {"status": "merged", "into": "T01"},
        {"status": "merged", "into": "T77"},
        {"into": "T02"},
        {"near": float("nan")},
        {"near": None},
        {"centroid": array(*[float("nan")] * SIZE)},
        {"centroid": array(1, 2, 3)},
        {"centroid": array(*range(SIZE), dtype="<f8")},
        {"levels": {"en": array(1, 2)}},
        {"keys": array(1, 2, dtype="<u8")},
        {"keys": {"dtype": "<u8", "base64": "!!!"}},
        {"owners": array(*[9] * 90, dtype="<i4")},
        {"owners": array(*[0] * 90)},
        {"history": [["2026-01-01", "x"]]},
        {"history": [["yesterday", "x", "T01", 3]]},
    ],
    ids=str,
)
def test_a_registry_whose_parts_do_not_fit_is_refused(fields):
    """No id of it could be trusted to mean its theme."""
    assert Registry.of(changed(), "registry.json").next == 4
    with pytest.raises(DataError, match=r"registry\.json"):
        Registry.of(changed(**fields), "registry.json")


@pytest.mark.parametrize("name", ["keys", "themes", "ledger", "history", "centroid", "born"])
def test_a_registry_that_lacks_something_or_has_more_is_refused(name):
    """A field that is renamed would be one that is missing: themes would begin anew, untold."""
    record = json.loads(changed())
    for part in (record, *record["themes"]):
        part.pop(name, None)
    more = json.loads(changed())
    more["themes"][0]["colour"] = "red"
    for each in (record, more):
        with pytest.raises(DataError, match=r"registry\.json"):
            Registry.of(json.dumps(each).encode(), "registry.json")


def names(**titles):
    return {
        name: (Phrases("en", tuple(title.split(", ")), title),) for name, title in titles.items()
    }


def test_a_theme_is_called_the_same_until_its_words_are_no_longer_its_own():
    registry, themes = run(None, base(), week(0))
    calls = names(T01="late parcel, courier", T02="refund, money back", T03="login, password")
    themes = tuple(replace(each, phrases=calls[each.id]) for each in registry.themes)
    past = Past.of(replace(registry, themes=themes), ENCODER, week(1))
    centroids = np.array([themes[0].centroid, themes[1].centroid, AXES[20], AXES[3]])
    clusters = SimpleNamespace(labels=np.repeat(np.arange(4), 25), centroids=centroids)
    sorting = SimpleNamespace(ids=["T01", "T02", "T03", "T04"], clusters=clusters)
    said = ["a late  Parcel"] * 25 + ["an invoice"] * 25 + ["my login"] * 25 + ["the refund"] * 25
    fresh = names(T01="parcel", T02="invoice", T03="my login", T04="late parcel, courier")
    called = remembered(fresh, past, sorting, said)
    assert called["T01"] == calls["T01"]  # one of two phrases is typical still
    assert called["T02"] == fresh["T02"]  # none is
    assert called["T03"] == fresh["T03"]  # the centroid is elsewhere
    assert called["T04"][0].title == "late parcel, courier (T04)"  # no two have one name
    few = SimpleNamespace(
        ids=["T02"], clusters=SimpleNamespace(labels=np.zeros(5, int), centroids=centroids[1:2])
    )
    assert remembered(fresh, past, few, said[25:30])["T02"] == calls["T02"]


TOPICS = {
    "parcel": ["My parcel is late", "The parcel has not arrived", "Where is my parcel"],
    "refund": ["I want a refund", "The refund is missing", "When do I get my money back"],
    "login": ["I cannot log in", "My password is refused", "The login page shows an error"],
}
ENDS = ["today", "again", "since Monday", "and nobody answers", "for a week", "please help me now"]


def said(*ends):
    return [f"{start} {end}" for starts in TOPICS.values() for start in starts for end in ends]


def topics(texts, labels):
    """Return the themes of each topic."""
    start = {text: topic for topic, parts in TOPICS.items() for text in parts}
    met = {}
    for text, label in zip(texts, labels, strict=True):
        met.setdefault(next(start[each] for each in start if text.startswith(each)), set()).add(
            label
        )
    return met


EVERYTHING = Study(study="all", themes={"coverage": 1.0})


def test_cumulative_and_weekly_exports_of_real_texts_keep_their_themes():
    texts = said(*ENDS[:3])
    first = feedback.find_themes(texts, EVERYTHING, as_of=week(0))
    known = topics(texts, first.labels)
    assert sorted(name for each in known.values() for name in each) == ["T01", "T02", "T03"]
    for later in (said(*ENDS[:5]), said(*ENDS[3:])):  # cumulative; only what is new
        second = feedback.find_themes(later, EVERYTHING, registry=first.registry, as_of=week(1))
        assert topics(later, second.labels) == known
        assert happened(second.registry, week(1)) == []
        assert {theme.id: theme.title for theme in second.themes} == {
            theme.id: theme.title for theme in first.themes
        }
        assert {theme.born for theme in second.themes} == {week(0)}
        assert second.registry.refitted == week(1)


def test_a_day_later_a_text_joins_its_theme_whatever_stands_beside_it():
    first = feedback.find_themes(said(*ENDS[:3]), EVERYTHING, as_of=week(0))
    tuesday = week(0) + datetime.timedelta(1)
    texts = said(*ENDS[3:5])
    ask = {"study": EVERYTHING, "registry": first.registry, "as_of": tuesday}
    together = feedback.find_themes(texts, **ask)
    alone = [feedback.find_themes([text], **ask).labels[0] for text in texts]
    assert together.labels == alone
    assert topics(texts, alone).keys() == TOPICS.keys()
    assert together.registry.refitted == week(0)
    for name in ("T01", "T02", "T03"):
        assert np.array_equal(
            together.registry.theme(name).centroid, first.registry.theme(name).centroid
        )
    strange = feedback.find_themes(["The cinema shows old films"], **ask)
    assert strange.labels == [None]


def test_the_order_of_rows_changes_no_byte_of_a_registry():
    first = feedback.find_themes(said(*ENDS[:3]), EVERYTHING, as_of=week(0)).registry
    texts = said(*ENDS[1:5])
    mixed = random.Random(3).sample(texts, len(texts))
    one, other = (
        feedback.find_themes(rows, EVERYTHING, registry=first, as_of=week(1)).registry.content()
        for rows in (texts, mixed)
    )
    assert one == other


def test_word_counts_have_no_space_and_a_page_says_so():
    study = Study(study="all", themes={"coverage": 1.0, "encoder": "lsa"})
    texts = said(*ENDS[:3])
    first = feedback.find_themes(texts, study, as_of=week(0))
    assert "identity" not in {check.name for check in first.checks}
    later = said(*ENDS[:4])
    second = feedback.find_themes(later, study, registry=first.registry, as_of=week(1))
    assert "identity" in {check.name for check in second.checks}
    before = dict(zip(texts, first.labels, strict=True))
    after = dict(zip(later, second.labels, strict=True))
    kept = [before[text] == after[text] for text in texts]
    assert sum(kept) / len(kept) > 0.8


def test_what_is_pinned_is_neither_split_nor_merged():
    parts = {"low": cloud(AXES[5], 40, 50), "high": cloud(AXES[6], 30, 51)}
    middle = unit((AXES[5] + AXES[6])[None])[0]
    together = {"low": cloud(middle, 40, 52), "high": cloud(middle, 30, 53)}
    for before, after in ((parts, together), (together, parts)):
        first, themes = run(None, base() | before, week(0))
        free, _ = run(first, base() | after, week(1))
        assert [each.kind for each in happened(free, week(1))] in (["merged"], ["split"])
        pins = frozenset(themes["low"] | themes["high"])
        held, _ = run(first, base() | after, week(1), pins=pins)
        assert happened(held, week(1)) == []
