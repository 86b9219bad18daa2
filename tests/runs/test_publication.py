"""What a notebook carries is taken only when it has the shape of a result, and its files their hashes."""

from __future__ import annotations

import datetime
import hashlib

import nbformat
import pytest

from opslab.errors import InputError
from opslab.evidence import FILES_TYPE, RECORD_TYPE
from opslab.report.cells import packed
from opslab.runs.publication import publication

RECORD = {"status": "complete", "as_of": "2026-09-28"}
NAMED = {"file": "themes.csv", "sha256": hashlib.sha256(b"a").hexdigest()}


def notebook(record, about=None, carried=None):
    """Return a notebook whose last output publishes a record."""
    data = {"text/plain": "It holds.", RECORD_TYPE: record}
    if carried is not None:
        data[FILES_TYPE] = carried
    metadata = {} if about is None else {RECORD_TYPE: about}
    earlier = {"data": {RECORD_TYPE: {"status": "check_failed"}}, "metadata": {}}
    outputs = [earlier, {"name": "stdout", "text": "x"}, {"data": data, "metadata": metadata}]
    return nbformat.from_dict({"cells": [{"source": "a"}, {"outputs": outputs}]})


def test_the_last_result_is_the_one():
    published = publication(notebook(RECORD, {"language": "fr", "tone": "good"}))
    assert published.record == RECORD
    assert published.headline == "It holds."
    assert published.held.status == "complete"
    assert published.held.as_of == datetime.date(2026, 9, 28)
    assert (published.about.language, published.about.tone) == ("fr", "good")
    assert published.about.documents is None
    assert published.contents() == {}
    assert publication(nbformat.from_dict({"cells": [{"outputs": []}]})) is None


@pytest.mark.parametrize(
    ("record", "about", "carried"),
    [
        (None, None, None),
        ("complete", None, None),
        (["complete"], None, None),
        ({}, None, None),
        ({"status": "good"}, None, None),
        (RECORD | {"as_of": "soon"}, None, None),
        (RECORD | {"value": float("nan")}, None, None),
        (RECORD | {"files": {"file": "a.csv"}}, None, None),
        (RECORD | {"files": [{"file": 1, "sha256": 2}]}, None, None),
        (RECORD | {"inputs": 5}, None, None),
        (RECORD, [], None),
        (RECORD, {"documents": "a.pdf"}, None),
        (RECORD, {"documents": [{"file": "a.pdf"}]}, None),
        (RECORD, {"action": {"a": 1}}, None),
        (RECORD, None, ["a.csv"]),
        (RECORD, None, {"a.csv": 5}),
    ],
)
def test_another_shape_is_no_result(record, about, carried):
    assert publication(notebook(record, about, carried)) is None


def test_files_come_with_their_hashes():
    record = RECORD | {"files": [NAMED]}
    assert publication(notebook(record, None, {"themes.csv": packed(b"a")})).contents() == {
        "themes.csv": b"a"
    }
    pdf = b"%PDF-1.7"
    named = {"file": "themes.pdf", "sha256": hashlib.sha256(pdf).hexdigest()}
    published = publication(notebook(RECORD, {"documents": [named]}, {"themes.pdf": packed(pdf)}))
    assert published.contents() == {"themes.pdf": pdf}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pdf", b"<html>"),
        ("a.pdf", b""),
        ("a.xlsx", b"%PDF-1.7"),
        ("a.csv", b"a\0b"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused(name, content):
    named = {"file": name, "sha256": hashlib.sha256(content).hexdigest()}
    published = publication(notebook(RECORD | {"files": [named]}, None, {name: packed(content)}))
    with pytest.raises(InputError, match="or not what its name says"):
        published.contents()


def test_files_together_have_a_bound(monkeypatch):
    """What is packed is not unpacked any further than there is room for all of them."""
    monkeypatch.setattr("opslab.runs.publication._MOST_CARRIED", 30)
    content = b"x" * 15
    named = [
        {"file": f"{letter}.csv", "sha256": hashlib.sha256(content).hexdigest()} for letter in "abc"
    ]
    carried = {one["file"]: packed(content) for one in named}
    two = publication(notebook(RECORD | {"files": named[:2]}, None, carried))
    assert [*two.contents()] == ["a.csv", "b.csv"]
    with pytest.raises(InputError, match="is not the one its record names"):
        publication(notebook(RECORD | {"files": named}, None, carried)).contents()


@pytest.mark.parametrize(
    ("named", "carried"),
    [
        (NAMED, {"themes.csv": packed(b"b")}),
        (NAMED | {"file": "../themes.csv"}, {"../themes.csv": packed(b"a")}),
        (NAMED | {"file": "result.json"}, {"result.json": packed(b"a")}),
        (NAMED, {}),
        (NAMED, {"themes.csv": "no base 64"}),
        (NAMED, {"themes.csv": "bm8gemxpYg=="}),
    ],
)
def test_a_file_that_is_not_the_one_named_is_refused(named, carried):
    published = publication(notebook(RECORD | {"files": [named]}, None, carried))
    with pytest.raises(InputError, match="is not the one its record names"):
        published.contents()
