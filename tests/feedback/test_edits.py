"""Edits: what a themes sheet changes, what it must not, and how it is applied to texts."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from opslab.errors import DataError
from opslab.feedback.edits import COLUMNS, read_edits, renamed
from opslab.feedback.naming import Phrases
from opslab.feedback.registry.state import KnownTheme
from opslab.messages import text

NAMES = {"T01": "late parcel / colis", "T02": "refund", "T03": "cannot log in", "T04": "dark mode"}
TEXTS = {"T01": 40, "T02": 20, "T03": 9, "T04": 3}


def row(theme, number=2, known=None, **cells):
    known = theme if known is None and theme in NAMES else known or ""
    stated = {"theme": theme, "name": NAMES.get(theme, ""), "known": known, "row": str(number)}
    stated["file"] = "themes.xlsx"
    return {**dict.fromkeys(COLUMNS, ""), **stated, **cells}


def edits_of(*rows):
    return read_edits(rows, NAMES, TEXTS)


def test_names_merges_and_splits():
    edits = edits_of(
        row("T01", rename="Parcels are late", rename_fr="Colis en retard"),
        row("T02", merge_into="t04"),
        row("T03", split="3"),
        row("T04", rename="Dark mode / Mode sombre"),
    )
    assert edits.names == {
        "T01": "Parcels are late / Colis en retard",
        "T04": "Dark mode / Mode sombre",
    }
    assert edits.merges == {"T02": "T04"}
    assert edits.splits == {"T03": ["T03a", "T03b", "T03c"]}
    assert edits.stale == 0


@pytest.mark.parametrize("target", ["T01", "t01", "Late Parcel / Colis", "parcels"])
def test_a_theme_is_named_by_its_id_its_name_or_its_new_name(target):
    edits = edits_of(row("T01", rename="Parcels"), row("T02", merge_into=target))
    assert edits.merges == {"T02": "T01"}


def test_a_chain_of_merges_ends_in_its_last_theme():
    edits = edits_of(row("T01", merge_into="T02"), row("T02", merge_into="T03"))
    assert edits.merges == {"T01": "T03", "T02": "T03"}


def test_parts_are_edited_in_turn_whatever_the_order_of_rows():
    rows = [
        row("T03b", rename="Password"),
        row("T03a", merge_into="T01"),
        row("T02", merge_into="T03b"),
        row("T03", split="2.0"),
    ]
    edits = edits_of(*rows)
    assert edits.names == {"T03b": "Password"}
    assert edits.merges == {"T03a": "T01", "T02": "T03b"}
    assert edits_of(*rows[::-1]).merges == edits.merges


def test_rows_without_entries_change_nothing():
    assert edits_of(*map(row, NAMES), row("T99")) == edits_of()


def test_what_is_no_longer_there_is_counted_and_not_applied():
    edits = edits_of(
        row("T01", known="", rename="Old"), row("T09", split="2"), row("T03a", split="2")
    )
    assert (edits.names, edits.splits, edits.stale) == ({}, {}, 3)


@pytest.mark.parametrize(
    ("rows", "column"),
    [
        ([row("T01", split="two")], "split"),
        ([row("T01", split="1")], "split"),
        ([row("T01", split="6")], "split"),
        ([row("T01", split="2.5")], "split"),
        ([row("T04", split="4")], "split"),
        ([row("T03", split="2"), row("T03a", split="2")], "split"),
        ([row("T01", split="2", merge_into="T02")], "split"),
        ([row("T01", merge_into="T01")], "merge_into"),
        ([row("T01", merge_into="T99")], "merge_into"),
        ([row("T01", merge_into="no such name")], "merge_into"),
        ([row("T01", merge_into="T02"), row("T02", merge_into="T01")], "merge_into"),
        ([row("T01", merge_into="T03"), row("T03", split="2")], "merge_into"),
        ([row("T01", merge_into="T02", rename="Late")], "rename"),
        ([row("T03", split="2", rename="Log in")], "rename"),
        ([row("T01", rename="Same"), row("T02", rename="SAME")], "rename"),
        ([row("T01", rename="Refund")], "rename"),
        ([row("T01", rename="A"), row("T01", rename="B")], "theme"),
    ],
)
def test_what_cannot_be_done_is_refused_at_its_cell(rows, column):
    rows = [{**each, "row": str(number)} for number, each in enumerate(rows, 7)]
    with pytest.raises(DataError) as caught:
        edits_of(*rows)
    (problem,) = caught.value.problems
    assert problem.key == f"feedback.edit_{column}"
    assert problem.file == "themes.xlsx"
    assert problem.field == column
    assert rows[problem.row - 7][column] in problem.text()
    for language in ("en", "fr"):
        assert f"{problem.row}" in problem.text(language)
    assert caught.value.exit_code == 2


def test_two_themes_may_swap_their_names():
    edits = edits_of(row("T01", rename="refund"), row("T02", rename="late parcel / colis"))
    assert edits.names == {"T01": "refund", "T02": "late parcel / colis"}


def blobs(count=30, size=8):
    random = np.random.default_rng(3)
    centres = np.eye(size)[[0, 1, 2, 3]]
    vectors = np.repeat(centres, count, axis=0) + random.normal(0, 0.05, (4 * count, size))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_a_split_finds_the_parts_and_merges_take_them_in():
    vectors, kind = blobs(), np.repeat([0, 1, 2, 3], 30)
    themes = np.array([["T01", "T01", "T02", "T03"], ["T02", "T03", "T01", "T02"]])[:, kind]
    edits = edits_of(row("T01", split="2"), row("T03", merge_into="T01a"))
    middles = edits.middles(themes[0], vectors, np.ones(len(vectors), bool), {})
    first, second = edits.applied(themes, vectors, middles)
    assert {*first[kind == 0]} | {*first[kind == 1]} == {"T01a", "T01b"}
    assert len({*first[kind == 0]}) == len({*first[kind == 1]}) == 1
    assert {*first[kind == 2]} == {"T02"}
    assert {*first[kind == 3]} == {"T01a"}
    assert {*second[kind == 2]} <= {"T01a", "T01b"}  # the part that is nearest, not the theme
    assert np.array_equal(edits.applied(themes, vectors, middles), [first, second])


def test_without_edits_themes_stay():
    themes = np.array([["T01", "T02"], ["T02", "T01"]])
    assert np.array_equal(edits_of().applied(themes, blobs()[:2], {}), themes)


def entry(theme, line=2, known=None, **cells):
    """As `edit_sheet.read_changes` reads an entry of a file of edits."""
    (column,) = cells.keys() - {"rename_fr"} or {"rename_fr"}
    place = {"file": "themes.yaml", "line": str(line), "field": f"{column}.{theme}"}
    return row(theme, "", known, **cells) | place


def was(theme, status="active", into=None, parents=(), name="once"):
    phrases = (Phrases("en", (), f"{name} {theme}"),)
    return KnownTheme(
        id=theme,
        centroid=np.array([1.0, 0.0]),
        phrases=phrases,
        status=status,
        into=into,
        parents=parents,
    )


PAST = [
    *(was(theme) for theme in NAMES),
    was("T05", "dormant"),
    was("T06", "merged", "T07"),
    was("T07", "merged", "T01"),
    was("T08", "split"),
    was("T09", "dormant", parents=("T08",)),
    was("T10", parents=("T08",)),
    was("T11", "merged", "T05"),
    was("T02a", parents=("T02",)),
]
PAST = {each.id: each for each in PAST}
TEAMS = ("logistics", "Payments & fraud")


def weekly(*rows, past=PAST):
    """Return edits of a run that goes on from one before."""
    return read_edits(rows, NAMES, TEXTS, teams=TEAMS, past=past)


def notes_of(edits):
    return [each.key.removeprefix("feedback.edits_") for each in edits.notes]


def refused(*rows, edits_of=weekly):
    with pytest.raises(DataError) as caught:
        edits_of(*rows)
    (problem,) = caught.value.problems
    assert {problem.text(language) for language in ("en", "fr")}
    return problem


def test_pins_exclusions_and_routes():
    edits = weekly(
        row("T01", pin="oui", route="LOGISTICS"),
        row("T02", exclude="x"),
        entry("T03", split="2"),
        entry("T03b", route="payments & fraud"),
        row("T04", pin="no", exclude="FAUX"),
    )
    assert edits.pinned == ["T01"]
    assert edits.excluded == ["T02"]
    assert edits.routes == {"T01": "logistics", "T03b": "Payments & fraud"}
    assert edits.rows["T01"] == dict.fromkeys(COLUMNS, "") | {"pin": "yes", "route": "logistics"}
    assert notes_of(edits) == []


def test_an_excluded_theme_may_have_a_name_and_a_pin():
    edits = weekly(row("T02", exclude="yes", pin="yes", rename="Spam"))
    assert (edits.excluded, edits.pinned, edits.names) == (["T02"], ["T02"], {"T02": "Spam"})


@pytest.mark.parametrize(
    ("rows", "key", "field"),
    [
        ([row("T01", pin="maybe")], "edit_pin", "pin"),
        ([row("T01", exclude="maybe")], "edit_exclude", "exclude"),
        ([row("T01", exclude="yes", split="2")], "edit_exclude", "exclude"),
        ([row("T01", exclude="yes", merge_into="T02")], "edit_exclude", "exclude"),
        (
            [row("T01", merge_into="T02"), row("T02", exclude="yes")],
            "edit_merge_into",
            "merge_into",
        ),
        ([row("T01", route="sales")], "edit_route", "route"),
        ([entry("T01", route="logistic")], "edit_route_near", "route.T01"),
        ([row("T01", route="logistics", exclude="yes")], "edit_route", "route"),
        ([row("T01", route="logistics", merge_into="T02")], "edit_route", "route"),
        ([row("T01", route="logistics", split="2")], "edit_route", "route"),
        ([entry("T04", split="4")], "edit_split", "split.T04"),
        ([entry("T01", rename="A"), row("T02", rename="a")], "edit_rename", "rename"),
        ([entry("parcels", pin="yes")], "edit_unknown", "pin.parcels"),
        ([entry("T1", pin="yes")], "edit_unknown_near", "pin.T1"),
        ([row("T77", known="", rename="A")], "edit_unknown_near", "theme"),
        ([entry("T03a", pin="yes")], "edit_unknown_near", "pin.T03a"),
    ],
)
def test_what_contradicts_itself_or_names_nothing_is_refused(rows, key, field):
    problem = refused(*rows)
    assert (problem.key, problem.field) == (f"feedback.{key}", field)
    assert (problem.line, problem.row) == ((2, None) if "." in field else (None, 2))
    assert problem.file == ("themes.yaml" if "." in field else "themes.xlsx")


def test_a_near_team_and_a_near_theme_are_named():
    assert "did you mean logistics?" in refused(entry("T01", route="logistic")).text()
    assert "did you mean T03?" in refused(entry("T003", pin="yes")).text()
    assert "vouliez-vous dire T03" in refused(entry("T003", pin="yes")).text("fr")


@pytest.mark.parametrize(
    ("stated", "written"),
    [
        ({"rename": "Late"}, {"rename": "Late"}),
        ({"merge_into": "T02"}, {"merge_into": "Refund"}),
        ({"split": "2"}, {"split": "2.0"}),
        ({"pin": "yes"}, {"pin": "x"}),
        ({"route": "logistics"}, {"route": "Logistics"}),
    ],
)
def test_the_same_in_both_sources_is_one_edit(stated, written):
    assert weekly(entry("T01", **stated), row("T01", **written)) == weekly(entry("T01", **stated))


@pytest.mark.parametrize(
    ("stated", "written"),
    [
        ({"rename": "Late"}, {"rename": "late"}),
        ({"merge_into": "T02"}, {"merge_into": "T03"}),
        ({"split": "2"}, {"split": "3"}),
        ({"pin": "yes"}, {"pin": "no"}),
        ({"route": "logistics"}, {"route": "Payments & fraud"}),
    ],
)
def test_a_contradiction_names_both_places(stated, written):
    problem = refused(entry("T01", line=7, **stated), row("T01", 4, **written))
    assert problem.key == "feedback.edit_theme"
    (column, other), (_, cell) = *stated.items(), *written.items()
    for language in ("en", "fr"):
        for part in ("themes.yaml", "themes.xlsx", "T01", column, other, cell):
            assert part in problem.text(language)
    assert "line 7" in problem.text("en")
    assert "row 4" in problem.text("en")
    assert "ligne 7" in problem.text("fr")


def test_two_sources_add_up():
    edits = weekly(entry("T01", rename="Late"), row("T01", rename_fr="Retard", pin="yes"))
    assert edits.names == {"T01": "Late / Retard"}
    assert edits.pinned == ["T01"]


@pytest.mark.parametrize(
    ("theme", "key", "into"),
    [
        ("T05", "dormant", None),
        ("T07", "merged", "T01"),
        ("T10", "dormant", None),
        ("T02a", "merged", "T02"),  # no longer split off
    ],
)
@pytest.mark.parametrize(
    "cells", [{"rename": "A"}, {"pin": "yes"}, {"route": "logistics"}, {"merge_into": "T01"}]
)
def test_edits_of_a_theme_that_is_away_wait_and_are_told(theme, key, into, cells):
    edits = weekly(entry(theme, known=theme, **cells))
    assert notes_of(edits) == [key]
    assert edits.notes[0].values["into"] == into
    assert edits.notes[0].values["edits"] == [*cells]
    assert edits.rows[theme] == dict.fromkeys(COLUMNS, "") | cells  # the next sheet has it
    assert (edits.names, edits.merges, edits.pinned, edits.routes) == ({}, {}, [], {})
    for language in ("en", "fr"):
        said = text(edits.notes[0].key, language, **edits.notes[0].values)
        assert theme in said
        assert next(iter(cells)) in said


@pytest.mark.parametrize(
    ("target", "merges", "notes"),
    [
        ("T06", {"T02": "T01"}, ["taken"]),
        ("once T06", {"T02": "T01"}, ["taken"]),
        ("T05", {}, ["target"]),
        ("T11", {}, ["target"]),
        ("T08", {}, ["target"]),
        ("T01", {"T02": "T01"}, []),
    ],
)
def test_a_theme_is_merged_into_what_its_target_became(target, merges, notes):
    edits = weekly(row("T02", merge_into=target))
    assert (edits.merges, notes_of(edits)) == (merges, notes)


def test_what_is_in_its_target_already_is_no_circle():
    edits = weekly(row("T01", merge_into="T06"))
    assert (edits.merges, notes_of(edits)) == ({}, ["taken"])


def test_people_s_merge_is_stronger_than_their_pin():
    edits = weekly(row("T01", pin="yes", merge_into="T02"))
    assert (edits.merges, notes_of(edits)) == ({"T01": "T02"}, ["pinned"])


def test_a_name_that_the_machine_gave_meanwhile_stops_no_run():
    edits = weekly(row("T01", rename="Refund"))
    assert (edits.names, notes_of(edits)) == ({"T01": "Refund"}, ["same"])
    assert edits.called["refund"] == "T01"
    problem = refused(row("T01", rename="Refund"), edits_of=edits_of)  # in a first run it does
    assert problem.key == "feedback.edit_rename"


def test_the_order_of_rows_changes_nothing():
    rows = [
        row("T02", pin="yes"),
        entry("T01", pin="yes"),
        entry("T04", exclude="yes"),
        row("T03", exclude="yes", rename="A"),
        entry("T05", known="T05", pin="yes"),
        entry("T07", known="T07", pin="yes"),
    ]
    edits = weekly(*rows)
    assert (edits.pinned, edits.excluded) == (["T01", "T02"], ["T03", "T04"])
    assert weekly(*rows[::-1]) == edits
    assert [*weekly(*rows[::-1]).rows] == [*edits.rows]


def test_the_name_of_an_excluded_theme_is_free():
    edits = weekly(row("T01", rename="Refund"), row("T02", exclude="yes"))
    assert (edits.names, notes_of(edits)) == ({"T01": "Refund"}, [])


def test_parts_that_are_known_need_no_texts_to_be_told_apart():
    parts = {part: was(part, parents=("T04",)) for part in ("T04a", "T04b", "T04c", "T04d")}
    assert weekly(row("T04", split="4"), past=PAST | parts).splits == {"T04": [*parts]}
    assert refused(row("T04", split="4")).key == "feedback.edit_split"


def test_registries_with_merges_in_a_circle_end():
    past = PAST | {"T12": was("T12", "merged", "T13"), "T13": was("T13", "merged", "T12")}
    assert notes_of(weekly(row("T02", merge_into="T12"), past=past)) == ["target"]


def test_names_in_both_languages():
    edits = weekly(entry("T01", rename="Late", rename_fr="Colis en retard à Noël"))
    names = {"T01": (Phrases("en", ("a",), "x"), Phrases("fr", ("b",), "y")), "T02": ()}
    assert [part.title for part in renamed(names, edits)["T01"]] == [
        "Late",
        "Colis en retard à Noël",
    ]
    assert renamed(names, edits)["T02"] == ()
    single = weekly(entry("T01", rename="=SUM(A1)"))
    assert {part.title for part in renamed(names, single)["T01"]} == {"=SUM(A1)"}


def test_parts_that_are_known_are_the_same_next_week():
    """Each text goes to the nearest of the middles; scipy says which that is."""
    vectors, kind = blobs(), np.repeat([0, 1, 2, 3], 30)
    themes = np.array(["T01", "T01", "T02", "T03"])[kind]
    sure = np.ones(len(vectors), bool)
    edits = edits_of(row("T01", split="2"))
    middles = edits.middles(themes, vectors, sure, {})
    first = edits.applied(np.array([themes, themes]), vectors, middles)[0]
    later = np.flatnonzero((kind == 1) | (np.arange(len(kind)) % 7 == 0))  # another mixture
    again = edits.middles(themes[later], vectors[later], sure[later], middles)
    assert [*again] == ["T01a", "T01b"]
    moved = edits.applied(np.array([themes, themes])[:, later], vectors[later], again)
    assert moved[0].tolist() == first[later].tolist()
    own = themes == "T01"
    distances = cdist(vectors[own], np.stack([middles["T01a"], middles["T01b"]]), "cosine")
    assert first[own].tolist() == [("T01a", "T01b")[at] for at in distances.argmin(axis=1)]
    more = edits_of(row("T01", split="3"))
    swapped = {"T01a": middles["T01b"], "T01b": middles["T01a"]}
    for known in (middles, swapped):  # of three parts two are the nearest to those before
        three = more.middles(themes, vectors, sure, known)
        assert [*three] == ["T01a", "T01b", "T01c"]
        near = [max(three, key=lambda part: three[part] @ known[old]) for old in known]
        assert near == [*known]
