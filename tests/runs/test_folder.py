"""What a run tells of itself, what the machine refuses, and that a folder is there whole or not at all."""

from __future__ import annotations

import errno
import json
import os

import pytest

from opslab.errors import ExtraError, MachineError
from opslab.runs.folder import (
    Card,
    alone,
    file_away,
    filed,
    machine_errors,
    working_folder,
    write_whole,
)

TOLD = {
    "notebook": "time_saved",
    "name": "desk",
    "as_of": "2026-10-05",
    "status": "complete",
    "headline": "It holds.",
    "digest": "0123456789" * 6 + "abcd",
}


def card(**changes):
    return Card.of(json.dumps(TOLD | changes).encode())


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


def test_a_run_is_filed_when_its_hash_and_its_page_are_there(tmp_path):
    (tmp_path / "run.json").write_text(json.dumps(TOLD), encoding="utf-8")
    assert filed(tmp_path, TOLD["digest"]) is None
    (tmp_path / "readout.html").touch()
    run = filed(tmp_path, TOLD["digest"])
    assert (run.folder, run.headline, run.exit_code, run.reused) == (tmp_path, "It holds.", 0, True)
    assert filed(tmp_path, "0" * 64) is None


def test_what_the_machine_refuses_has_a_number_and_a_place(tmp_path):
    with pytest.raises(MachineError) as refused, machine_errors(tmp_path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    said = "The machine refused: No space left on device; check the disk, the permissions"
    assert str(refused.value).startswith(f"{tmp_path}: {said}")
    with pytest.raises(MachineError, match="none: The machine refused"), machine_errors(tmp_path):
        open("none", encoding="utf-8")  # noqa: PTH123, SIM115


def test_our_own_mistakes_are_not_the_machines(tmp_path):
    for mistake in (OSError("a mistake"), KeyError("a"), ExtraError.of("runs.no_lab")):
        with pytest.raises(type(mistake)) as raised, machine_errors(tmp_path):
            raise mistake
        assert raised.value is mistake


def test_a_mistake_in_a_working_folder_is_not_the_disks(tmp_path):
    with pytest.raises(FileNotFoundError), working_folder(tmp_path / "a/b/c") as folder:
        (folder / "template").read_bytes()
    assert list((tmp_path / "a/b").iterdir()) == []


def test_a_working_folder_becomes_the_run_at_once(tmp_path):
    target = tmp_path / "a/b/c"
    for content in ("first", "second"):
        with working_folder(target) as folder:
            assert folder.parent == target.parent
            assert folder.name.startswith(".")
            (folder / "file").write_text(content, encoding="utf-8")
            file_away(folder, target)
        assert (target / "file").read_text(encoding="utf-8") == content
        assert list(target.parent.iterdir()) == [target]


def test_the_same_run_is_made_by_one_at_a_time(tmp_path):
    target = tmp_path / "time_saved/desk/2026-10-05-01234567"
    with alone(target):
        with pytest.raises(MachineError, match=r"^time_saved/desk/2026-10-05-01234567: The same"):
            alone(target).__enter__()
        with alone(tmp_path / "another"):
            pass
    with alone(target):
        pass


def test_a_file_is_written_whole_or_what_was_there_stays(tmp_path, monkeypatch):
    path = tmp_path / "index.html"
    write_whole(path, b"first")
    write_whole(path, b"second")
    assert path.read_bytes() == b"second"
    monkeypatch.setattr("pathlib.Path.replace", _full)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, b"third")
    assert path.read_bytes() == b"second"
    assert list(tmp_path.iterdir()) == [path]


def _full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
