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


PAGE = """<!DOCTYPE html>
<html lang="fr">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Late &lt;b&gt;</title>
<style>p > b { color: red }</style>
</head>
<body>
<main><p class="small" lang="en">5 > 4 &amp; <a href="readout.html">back</a></p></main>
</body>
</html>
"""


def filed(name, page):
    content = page.encode()
    named = {"file": name, "sha256": hashlib.sha256(content).hexdigest()}
    return publication(notebook(RECORD, {"documents": [named]}, {name: packed(content)})).contents()


def test_a_page_of_quotes_is_filed_as_it_is():
    assert filed("theme-t01.html", PAGE) == {"theme-t01.html": PAGE.encode()}


@pytest.mark.parametrize(
    "name",
    [
        "readout.html",
        "failure.html",
        "index.html",
        "theme-.html",
        "theme-T01.html",
        "../theme-t01.html",
    ],
)
def test_a_page_of_another_name_is_refused(name):
    with pytest.raises(InputError, match="is not the one its record names"):
        filed(name, PAGE)


@pytest.mark.parametrize(
    ("there", "instead"),
    [
        ("default-src 'none'", "default-src *"),
        (
            '<meta charset="utf-8">\n',
            '<meta charset="utf-8"><meta http-equiv="refresh" content="0">\n',
        ),
        ("<!DOCTYPE html>\n", "<!DOCTYPE html>\n<!-- -->"),
        ("<p class", "<script>alert(1)</script><p class"),
        ("<p class", "<SCRIPT src=//pwned.invalid></SCRIPT><p class"),
        ("<p class", "<img src=x onerror=alert(1)><p class"),
        ("<p class", '<meta http-equiv="refresh" content="0;url=https://pwned.invalid"><p class'),
        ("<p class", '<link rel="preconnect" href="https://pwned.invalid"><p class'),
        ("<p class", "<!--<p class"),
        ("<p class", "<![CDATA[<p class"),
        ("<p class", '<p onclick="alert(1)" class'),
        ("<p class", '<p style="position:fixed" class'),
        ('class="small"', "class=small"),
        ('class="small"', "class=\"small\" onclick='alert(1)'"),
        ('class="small"', 'class="small"\nonclick="alert(1)"'),
        ("readout.html", "https://pwned.invalid/a.html"),
        ("readout.html", "//pwned.invalid/a.html"),
        ("readout.html", "javascript:alert(1)//.html"),
        ("readout.html", "../../other/readout.html"),
        ("readout.html", "readout.html#javascript:x"),
        ("&lt;b&gt;", "</title><script>alert(1)</script>"),
        ("color: red", "</style><script>alert(1)</script>"),
        ("</html>", "</html><script>alert(1)"),
        ("</html>", "</html><"),
        ("</html>", "</html>" + "<p>" * 100_000 + "<"),
    ],
)
def test_a_page_in_which_anything_could_run_or_ask_is_refused(there, instead):
    with pytest.raises(InputError, match="or not what its name says"):
        filed("theme-t01.html", PAGE.replace(there, instead, 1))


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
