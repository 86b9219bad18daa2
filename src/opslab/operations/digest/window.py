"""Which runs a digest speaks of: the last of each name between two days, and the one before."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from opslab import archive, workspace
from opslab.errors import InputError, SpecError
from opslab.filed_runs import Run, read_run
from opslab.messages import Language
from opslab.operations.cited import last_runs
from opslab.operations.digest.spec import Digest

_HOME = re.compile(r"[A-Za-z0-9_-]+/[a-z0-9-]+", re.ASCII)
"""Notebook and name: what can stand in a link."""
_KEPT = timedelta(400)
"""For how long it is known which runs digests have read."""


class Pair(NamedTuple):
    """A run of the days, and those before it.

    Attributes
    ----------
    run : Run
    before : Run or None
        The last whole one before the days: what it tells is no news.
    base : Run or None
        What a change is measured from: it, else the first in the days.
    since : datetime.date
        First of the days; of a run that was filed late, the first that any digest told of.
    """

    run: Run
    before: Run | None
    base: Run | None
    since: date


@dataclass(frozen=True)
class Window:
    """The runs between two days.

    Attributes
    ----------
    since, until : datetime.date
        Both are part of it.
    pairs : sequence of Pair
        By name: the last run of each, stopped ones among them.
    altered : sequence of str
        Ids of runs in it that are not what was filed.
    failed : int
        Runs in it that did not come to their end.
    earlier : int
        Whole runs before it.
    others : sequence of str
        Ids of whole runs of a day and name of which another one is told.
    first : datetime.date
        From this day on a run that no digest of this name has seen is told.
    seen : sequence of str
        Ids of the runs since then that this digest or one before it has read.
    folders : sequence of Path
        Of all runs that could be read, those of a day as they were filed, and of those that failed.
    """

    since: date
    until: date
    pairs: Sequence[Pair]
    altered: Sequence[str]
    failed: int
    earlier: int
    others: Sequence[str]
    first: date
    seen: Sequence[str]
    folders: Sequence[Path]

    def files(self) -> list[Path]:
        """Return the record of each run, or that it failed."""
        return [
            folder / (archive.RUN if folder.suffix else archive.RESULT) for folder in self.folders
        ]


def window(digest: Digest, until: date, language: Language = "en") -> Window:
    """Return the runs of a digest's days; of copies in two languages the one that is asked for.

    Where the last digest says from which day on, the runs since the first digest that none has
    read count too: they were filed after it.

    Runs are looked for in the reports, then in the folders that the digest names; of a day and name
    the first place counts that has any.

    Raises
    ------
    SpecError
        Without a first day, and where it is later than the last.
    """
    homes = [workspace.reports(), *map(digest.beside, digest.runs)]
    since, seen, folders = digest.since, set[str](), list[Path]()
    first = since or until
    if since is None and (last := last_runs(digest, "digest", until)[1]):
        folders.append(last)
        record = read_run(last, homes[0]).record
        since = date.fromisoformat(last.name[:10]) + timedelta(1)
        first = date.fromisoformat(record.get("seen_since", since.isoformat()))
        first, seen = max(first, since - _KEPT), {*record.get("seen", ())}
    if since is None or since > until:
        key = "digest.order" if since else "digest.since_needed"
        raise SpecError(digest.problem(key, "since", since=since, day=until))
    held = frozenset(seen)
    altered, others, pairs, earlier = list[str](), list[str](), list[Pair](), 0
    for _, days in sorted(_homes(digest, homes, until).items()):
        during, before = list[Run](), None
        for day in sorted(days, reverse=True):
            if day < since and before:
                break
            runs, lost = _read(days[day], homes[0])
            folders += [run.folder for run in runs]
            seen |= {run.id for run in runs}
            runs = [run for run in runs if not run.record.get("exploratory")]
            new = [run for run in runs if day >= since or (day >= first and run.id not in held)]
            before = _spoken((run for run in runs if run not in new and _is_whole(run)), language)
            altered += lost if day >= since else []
            if chosen := _spoken(new, language):
                differ = [run for run in new if run.record != chosen.record and not during]
                others += [run.id for run in filter(_is_whole, differ)]
                during.append(chosen)
        earlier += bool(before)
        if during:
            earliest = next(filter(_is_whole, during[:0:-1]), None)
            start = since if during[-1].day >= since else first
            pairs.append(Pair(during[0], before, before or earliest, start))
    latest = {pair.run.folder.parent: pair.run.folder.name for pair in pairs}
    failed = [path for home in homes for path in _failed(digest, home, since, until)]
    failed = [path for path in failed if path.name[:10] > latest.get(path.parent, "")[:10]]
    count = len({path.name for path in failed})
    known = [*dict.fromkeys((*folders, *sorted(failed)))]
    recent = sorted(run for run in seen if run.rpartition("/")[2] >= first.isoformat())
    wrong, differing = sorted(altered), sorted(others)
    return Window(since, until, pairs, wrong, count, earlier, differing, first, recent, known)


def _homes(digest: Digest, homes: Sequence[Path], until: date) -> dict[str, dict[date, list[Path]]]:
    """Return the folders of the runs until a day, by notebook and name, and by day."""
    runs = defaultdict[str, dict[date, list[Path]]](dict)
    for home in reversed(homes):
        for folder in home.glob("*/*"):
            name = folder.relative_to(home).as_posix()
            if _HOME.fullmatch(name) and digest.wants(*name.split("/")):
                days = groupby(archive.runs_in(folder), lambda run: date.fromisoformat(run[:10]))
                runs[name] |= {
                    day: [folder / run for run in own] for day, own in days if day <= until
                }
    return runs


def _failed(digest: Digest, home: Path, since: date, until: date) -> Iterator[Path]:
    for file in home.glob(f"*/*/*.failed/{archive.RUN}"):
        run = file.parent
        inside = since.isoformat() <= run.name[:10] <= until.isoformat()
        if inside and digest.wants(*run.parts[-3:-1]):
            yield run


def _read(folders: Sequence[Path], reports: Path) -> tuple[list[Run], list[str]]:
    """Return the runs of a day that are what was filed, in that order, and the ids of others."""
    runs, lost = list[Run](), list[str]()
    for folder in sorted(folders, key=lambda path: (path.stat().st_mtime_ns, path.name)):
        try:
            runs.append(read_run(folder, reports))
        except InputError:
            lost.append("/".join(folder.parts[-3:]))
    return runs, lost


def _is_whole(run: Run) -> bool:
    return bool(run.record["status"] == "complete")


def _spoken(runs: Iterable[Run], language: Language) -> Run | None:
    """Return the last of a day's runs, of its copies with one record the one in a language."""
    known = [*runs]
    last = known[-1] if known else None
    same = (run for run in known if last and run.record == last.record)
    return next((run for run in same if run.language == language), last)
