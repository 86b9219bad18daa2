"""Edits: what a themes sheet changes, what it must not, and how it is applied to texts."""

import numpy as np
import pytest

from opslab.errors import DataError
from opslab.feedback.edits import COLUMNS, read_edits

NAMES = {"T01": "late parcel / colis", "T02": "refund", "T03": "cannot log in", "T04": "dark mode"}
TEXTS = {"T01": 40, "T02": 20, "T03": 9, "T04": 3}


def row(theme, number=2, known=None, **cells):
    known = theme if known is None and theme in NAMES else known or ""
    stated = {"theme": theme, "name": NAMES.get(theme, ""), "known": known, "row": str(number)}
    return {**dict.fromkeys(COLUMNS, ""), **stated, **cells}


def edits_of(*rows):
    return read_edits(rows, NAMES, TEXTS, "themes.xlsx")


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
    first, second = edits.applied(themes, vectors, np.ones(len(vectors), bool))
    assert {*first[kind == 0]} | {*first[kind == 1]} == {"T01a", "T01b"}
    assert len({*first[kind == 0]}) == len({*first[kind == 1]}) == 1
    assert {*first[kind == 2]} == {"T02"}
    assert {*first[kind == 3]} == {"T01a"}
    assert {*second[kind == 2]} <= {"T01a", "T01b"}  # the part that is nearest, not the theme
    assert np.array_equal(
        edits.applied(themes, vectors, np.ones(len(vectors), bool)), [first, second]
    )


def test_without_edits_themes_stay():
    themes = np.array([["T01", "T02"], ["T02", "T01"]])
    assert np.array_equal(edits_of().applied(themes, blobs()[:2], np.ones(2, bool)), themes)
