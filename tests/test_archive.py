"""What a run tells of itself, and whether its folder still holds what was filed."""

from __future__ import annotations

import hashlib
import json

import pytest

from opslab.archive import Card, read_run, sealed

FILES = {"readout.html": b"<html>", "notebook.ipynb": b"{}", "result.json": b"{}"}
TOLD = {
    "notebook": "time_saved",
    "name": "desk",
    "as_of": "2026-10-05",
    "status": "complete",
    "headline": "It holds.",
    "digest": "0123456789" * 6 + "abcd",
    "outputs": {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()},
}


def card(**changes):
    return Card.of(json.dumps(sealed(TOLD | changes)).encode())


@pytest.fixture
def folder(tmp_path):
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "run.json").write_text(json.dumps(sealed(TOLD)), encoding="utf-8")
    return tmp_path


def test_a_card_tells_the_run():
    assert card().run_id == "time_saved/desk/2026-10-05-01234567"
    assert (card().language, card(parameters={"language": "fr"}).language) == ("en", "fr")
    assert card(parameters={"language": ["fr"]}).language == "en"
    assert card(headline="<b>", unknown=[1]).headline == "<b>"


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "failed"},
        {"status": None},
        {"as_of": "soon"},
        {"as_of": "2026-10-05/../.."},
        {"name": None},
        {"name": 5},
        {"headline": ["x"]},
        {"digest": 1},
        {"parameters": "x"},
        {"outputs": {"a.csv": 1}},
        {"origin": "elsewhere"},
        {"action": {}},
    ],
    ids=str,
)
def test_another_shape_is_no_run(changes):
    assert card(**changes) is None


@pytest.mark.parametrize("content", [b"", b"no json", b"[]", b"{}", b"\xff", b"[" * 100_000])
def test_what_is_no_card_is_no_run(content, tmp_path):
    assert Card.of(content) is None
    (tmp_path / "run.json").write_bytes(content)
    assert Card.read(tmp_path / "run.json") is None
    assert Card.read(tmp_path) is None
    assert Card.read(tmp_path / "none") is None


def test_a_run_holds_while_its_files_are_those_that_were_filed(folder):
    run = read_run(folder)
    assert (run.altered, run.card.headline) == (None, "It holds.")
    assert run.files.keys() == {*FILES, "run.json"}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", [None, b"", b"<htm", b"another"])
def test_a_file_that_is_missing_halved_or_another_shows(folder, name, content):
    path = folder / name
    path.unlink() if content is None else path.write_bytes(content)
    assert read_run(folder).altered == name


def test_a_file_that_a_link_puts_elsewhere_is_missing(folder, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "readout.html"
    outside.write_bytes(FILES["readout.html"])
    (folder / "readout.html").unlink()
    (folder / "readout.html").symlink_to(outside)
    assert read_run(folder).altered == "readout.html"


@pytest.mark.parametrize("field", sorted(TOLD))
def test_what_is_changed_by_hand_in_a_card_shows(folder, field):
    about = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    changed = {"as_of": "2026-10-06", "status": "check_failed", "outputs": {}}
    about[field] = changed.get(field, "other")
    (folder / "run.json").write_text(json.dumps(about), encoding="utf-8")
    assert read_run(folder).altered == "run.json"


def test_the_clock_is_no_part_of_the_seal():
    assert Card.of(json.dumps(sealed(TOLD) | {"seconds_per_cell": [1.5]}).encode()) == card()


def test_of_a_run_that_is_only_cited_the_record_alone_is_needed(folder):
    (folder / "readout.html").unlink()
    assert read_run(folder, whole=False).altered is None
    assert read_run(folder, whole=False).files.keys() == {"result.json", "run.json"}
    (folder / "result.json").write_bytes(b"[]")
    assert read_run(folder, whole=False).altered == "result.json"
