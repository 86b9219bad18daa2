"""The erasure of a customer: every file under the reports, what people filled in, kept vectors.

What is left is a tombstone in the workspace, a hash; by it later runs leave the customer's messages
out.
"""

from __future__ import annotations

import datetime
import json
import re
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from opslab import workspace
from opslab.archive import RUN
from opslab.messages import text
from opslab.runs.bundle import OURS
from opslab.runs.folder import (
    alone,
    file_away,
    machine_errors,
    working_folder,
    write_through,
    write_whole,
)
from opslab.runs.registry import erasures
from opslab.runs.runner import reports_folder
from opslab.runs.scrubbing import UNREADABLE, Scrubber
from opslab.runs.traces import MARK, TABLE, Contents, is_in, learn, records
from opslab.secret import ERASED, erased, tombstone

_RUN_FOLDER = re.compile(
    r"[^./][^/]*/[^./][^/]*/\d{4}-\d\d-\d\d-[0-9a-f]{8}(?:\.failed)?/", re.ASCII
)
_PATIENCE = 30
"""Seconds to wait for who reads a run, or makes it."""


def erase(
    customer: str,
    *,
    source: str | None = None,
    out: str = "reports",
    study: str | None = None,
    as_of: datetime.date | None = None,
    dry_run: bool = False,
) -> Iterator[str]:
    """Erase a customer, and yield what is to be said of it, line by line.

    Numbers of past runs stay as they were filed; exports are the user's own, and stay too.

    Parameters
    ----------
    customer : str
        Their address, or their id.
    source : str, optional
        What readers call the source of the id; by default it is tried for every one.
    out : str
        Folder of the reports.
    study : str, optional
        A study whose exports, cache and sheets are looked into too, beside those of the runs.
    as_of : date, optional
        The day that is noted; by default today.
    dry_run : bool
        Whether only to say what would be changed.

    Raises
    ------
    InputError
        When it is not known who is meant.
    MachineError
        When another process files a run, or a file cannot be written.
    """
    reports = reports_folder(out)
    for lock in reports.glob("*/*/.*.lock"):
        with alone(lock.with_name(lock.name[1:].removesuffix(".lock"))):
            pass
    contents = partial(_contents, reports)
    specs, labels, doubtful = _studies(contents, study)
    (area,) = erasures()
    known = area.known(customer, source, specs, labels)
    traces = learn(customer, {*known.keys}, contents, area.phrases)
    met = known.keys if "@" in customer else traces.met | known.met
    stones = sorted(tombstone(known.keys[key], key) for key in met)
    day = f"{as_of or datetime.datetime.now().astimezone():%Y-%m-%d}"
    notes = [{"tombstone": stone, "date": day} for stone in stones]
    scrubber = Scrubber(traces, partial(area.forget, said=traces.phrases, mark=MARK), notes)
    erasing = _Erasing(reports, scrubber, () if dry_run else stones, day, dry_run=dry_run)
    erasing.bury()
    changed = list[str]()
    for path, names in erasing.cleaned(known.files):
        changed.append(path)
        yield text("runs.erased_in", path=path, files=names)
    key = "erased_none" if not changed else "erased_would" if dry_run else "erased_done"
    yield text(f"runs.{key}", count=len(changed))
    if erasing.stones:
        yield text("runs.erased_noted", file=ERASED)
    for name, (spec, export, *rows) in known.remarks:
        yield text(f"runs.erased_{name}", study=spec, file=export, rows=rows)
    if doubtful:
        yield text("runs.erased_doubtful", runs=doubtful, file=TABLE)
    if folders := _elsewhere(reports):
        yield text("runs.erased_elsewhere", folders=folders)
    if scrubber.unread:
        yield text("runs.erased_unread", files=sorted(scrubber.unread))


def _studies(contents: Contents, study: str | None) -> tuple[list[str], set[str], list[str]]:
    """Return the studies of the runs of messages, after one that is named, and their sources.

    Third are the runs whose tables are not what was filed: not all can be learnt from them.
    """
    labels, specs, doubtful = {row["source"] for _, row in records(contents)}, [study], list[str]()
    tables = {name.rpartition("/")[0]: sha256(table).hexdigest() for name, table in contents(TABLE)}
    for name, content in contents(RUN):
        home = name.rpartition("/")[0]
        with suppress(ValueError, KeyError, TypeError):
            about = json.loads(content)
            if about["outputs"].get(TABLE) != tables.get(home):
                doubtful.append(home)
            if home in tables:
                specs.append(about["parameters"]["spec"])
    return [*dict.fromkeys(filter(None, specs))], labels, doubtful


class _Erasing(NamedTuple):
    """An erasure under way: where, with what, and what is noted of it."""

    reports: Path
    scrubber: Scrubber
    stones: Sequence[str]
    day: str
    dry_run: bool

    def bury(self, run: str = "") -> None:
        """Note the tombstones, and a run whose bytes will change."""
        stones = erased()
        for stone in self.stones:
            new = {"customer": stone, "date": self.day, "runs": []}
            each = stones.setdefault(stone, new)
            each["runs"] = sorted({*each["runs"], run} - {""})
        if self.stones:
            lines = [f"{json.dumps(each)}\n" for each in stones.values()]
            write_whole(workspace.root() / ERASED, "".join(lines).encode())

    def cleaned(self, others: Sequence[Path]) -> Iterator[tuple[str, list[str]]]:
        """Yield what was changed, folder or file, and which files of it.

        The runs of the customer's messages come last, the newest first: from those that are left
        it is known what to look for, wherever an erasure was stopped.
        """
        homes, runs, reports = self.scrubber.traces.homes, set[str](), self.reports.resolve()
        home = min(homes, default="")
        apart = [path for path in (*_bundles(), *others) if reports not in path.resolve().parents]
        files = {path: path.name for path in apart}
        for path in sorted(filter(Path.is_file, self.reports.rglob("*"))):
            name = path.relative_to(self.reports).as_posix()
            if _RUN_FOLDER.match(name):
                runs.add("/".join(name.split("/")[:3]))
            elif not path.is_symlink():
                files[path] = name
        for path, name in files.items():
            full = f"{home}/{name}" if path in others else name
            with machine_errors(path):
                content = path.read_bytes()
                (clean,) = self.scrubber.folder("", {full: content}).values()
                if clean != content and not self.dry_run:
                    write_whole(path, clean) if clean else path.unlink()
            if clean != content:
                yield workspace.shown(path), [path.name]
        newest = sorted(runs, key=lambda run: run.rpartition("/")[2], reverse=True)
        for run in sorted(newest, key=partial(is_in, homes)):
            if names := self._folder(run):
                yield run, names

    def _folder(self, run: str) -> list[str]:
        """Clean a run's folder: all its files, or none, are changed; return their names."""
        folder = self.reports / run
        target = folder.with_name(folder.name.removesuffix(".failed"))
        with alone(target, seconds=_PATIENCE), machine_errors(folder):
            files = {
                path.relative_to(folder).as_posix(): path.read_bytes()
                for path in folder.rglob("*")
                if path.is_file() and not path.is_symlink()
            }
            clean = self.scrubber.folder(f"{run}/", files)
            names = sorted(name for name in files if clean[name] != files[name])
            if names and not self.dry_run:
                self.bury(run)
                with working_folder(folder) as working:
                    shutil.copytree(folder, working, symlinks=True, dirs_exist_ok=True)
                    for name in names:
                        write_through(working / name, clean[name])
                        shutil.copystat(folder / name, working / name)  # its age tells its turn
                    file_away(working, folder)
        return names


def _elsewhere(reports: Path) -> list[str]:
    """Return the other folders of the workspace that hold runs of messages."""
    tables = workspace.root().rglob(f"feedback_themes/*/*/{TABLE}")
    folders = {path.parents[3] for path in tables}
    return sorted(workspace.shown(each) for each in folders if not each.samefile(reports))


def _bundles() -> Iterator[Path]:
    """Yield the bundles at the workspace's root, where they are written by default."""
    for path in sorted(workspace.root().glob("*.zip")):
        with suppress(*UNREADABLE, OSError), zipfile.ZipFile(path) as packed:
            if packed.comment == OURS:
                yield path


def _contents(reports: Path, file: str) -> Iterator[tuple[str, bytes]]:
    """Yield the files of this name of all runs, those packed in zips too."""
    for path in sorted(filter(Path.is_file, reports.rglob(f"*/{file}"))):
        yield path.relative_to(reports).as_posix(), path.read_bytes()
    for path in sorted(filter(Path.is_file, (*reports.rglob("*.zip"), *_bundles()))):
        with suppress(*UNREADABLE), zipfile.ZipFile(path) as packed:
            for name in packed.namelist():
                if name.endswith(f"/{file}"):
                    yield name, packed.read(name)
