"""What the machine refuses, and that a folder is there whole or not at all, wherever it stops."""

from __future__ import annotations

import errno
import gc
import os
from pathlib import Path

import pytest

from opslab.errors import ExtraError, MachineError
from opslab.runs.folder import (
    alone,
    discard,
    file_away,
    machine_errors,
    recover,
    working_folder,
    write_whole,
)


def test_what_the_machine_refuses_has_a_number_and_a_place(tmp_path):
    with pytest.raises(MachineError) as refused, machine_errors(tmp_path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    said = "The machine refused: No space left on device; check the disk, the permissions"
    assert str(refused.value).startswith(f"{tmp_path}: {said}")
    with pytest.raises(MachineError, match="none: The machine refused"), machine_errors(tmp_path):
        open("none", encoding="utf-8")  # noqa: PTH123, SIM115


def test_a_folder_that_somebody_took_away_is_the_machines(tmp_path):
    """Papermill says so without a number."""
    with (
        pytest.raises(MachineError, match="No such file"),
        machine_errors(tmp_path / "gone/notebook.ipynb"),
    ):
        raise FileNotFoundError("output folder gone doesn't exist.")


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


def test_a_file_that_somebody_put_beside_a_readout_stays_when_it_is_made_anew(tmp_path):
    target = tmp_path / "time_saved/desk/2026-10-05-01234567"
    file_run(target, "old")
    (target / "my notes.txt").write_text("mine", encoding="utf-8")
    file_run(target, "new")
    assert (target / "my notes.txt").read_text("utf-8") == "mine"
    assert (target / "a").read_text("utf-8") == "new"


def test_the_same_run_is_made_by_one_at_a_time(tmp_path):
    target = tmp_path / "time_saved/desk/2026-10-05-01234567"
    target.parent.mkdir(parents=True)
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


class KilledError(BaseException):
    """Ends a step as a kill does: nothing after it runs, no clean-up either."""


class Steps:
    """Lets so many renames, removals and new folders happen; after them the process is no more."""

    def __init__(self, count):
        self.left = count

    def take(self):
        if self.left <= 0:
            raise KilledError
        self.left -= 1

    def after(self, real):
        def taken(path, *arguments, **options):
            self.take()
            return real(path, *arguments, **options)

        return taken

    def remove(self, folder, **_):
        self.take()
        for path in folder.iterdir():
            os.unlink(path)  # noqa: PTH108 - another step than those that are counted
            self.take()
        folder.rmdir()


@pytest.mark.parametrize("count", range(1, 12))
@pytest.mark.parametrize("there", [False, True])
def test_ended_at_any_step_a_run_is_the_old_or_the_new_after_the_next_start(
    tmp_path, monkeypatch, count, there
):
    reports = tmp_path / "reports"
    target = reports / "time_saved/desk/2026-10-05-01234567"
    if there:
        file_run(target, "old")
    steps, whole = Steps(count), True
    with monkeypatch.context() as patch:
        for name in ("rename", "replace", "unlink", "mkdir"):
            patch.setattr(Path, name, steps.after(getattr(Path, name)))
        patch.setattr("opslab.runs.folder.shutil.rmtree", steps.remove)
        try:
            file_run(target, "new")
        except KilledError:
            whole = False
    gc.collect()  # a process that is no more holds no lock
    recover(reports)
    known = {path.name: path.read_text("utf-8") for path in target.glob("*")}
    assert known in ([dict.fromkeys("ab", "new")] if whole else states(there))
    assert [path for path in target.parent.glob("*") if path != target] == []


def states(there):
    """Return what may stand in a folder: all of the old, all of the new, or nothing."""
    return [dict.fromkeys("ab", "new"), dict.fromkeys("ab", "old") if there else {}]


def file_run(target, content):
    target.parent.mkdir(parents=True, exist_ok=True)
    with alone(target), working_folder(target) as folder:
        for name in "ab":
            (folder / name).write_text(content, encoding="utf-8")
        file_away(folder, target)


def test_a_second_rename_that_fails_brings_the_last_run_back_at_once(tmp_path, monkeypatch):
    target = tmp_path / "time_saved/desk/2026-10-05-01234567"
    file_run(target, "old")
    real = Path.rename

    def full(self, to):
        return _full() if self.name.endswith(".new") else real(self, to)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", full)
        with pytest.raises(OSError, match="No space"):
            file_run(target, "new")
    assert (target / "a").read_text("utf-8") == "old"
    assert list(target.parent.iterdir()) == [target]


def test_recovery_leaves_alone_what_another_process_is_at_and_what_is_none_of_ours(tmp_path):
    run = tmp_path / "time_saved/desk/2026-10-05-01234567"
    others = [tmp_path / name for name in (".htaccess.old", ".mine.new", "a/b/.notes.old")]
    for path in others:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    run.parent.mkdir(parents=True)
    with alone(run):
        working = run.with_name(f".{run.name}.new")
        working.mkdir()
        recover(tmp_path)
        assert working.is_dir()
    recover(tmp_path)
    assert not working.exists()
    assert all(path.exists() for path in others)


def test_what_is_discarded_is_gone_under_its_name_first(tmp_path, monkeypatch):
    folder = tmp_path / "2026-10-05-01234567.failed"
    folder.mkdir()
    names = []
    monkeypatch.setattr("opslab.runs.folder.shutil.rmtree", lambda path, **_: names.append(path))
    discard(folder)
    discard(folder)
    assert names == [tmp_path / ".2026-10-05-01234567.failed.old"]
    assert not folder.exists()
