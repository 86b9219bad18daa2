"""Which runs are kept, and the removal of those that are not."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from opslab.archive import RESULT, RUN, Card, read_run
from opslab.errors import MachineError
from opslab.runs.folder import alone, discard, machine_errors, strangers

_Series = tuple[Path, str]
"""Folder of a notebook and name, and the parameters other than ``as_of``."""


def remove_old(reports: Path, newest: Mapping[Path, int | None]) -> list[str]:
    """Remove runs, all but the newest; return the names of their folders under the reports.

    The last good run of a notebook, name and set of parameters stays, however old it is, and so
    does what a run that stays cites. So do the runs that are named.

    Parameters
    ----------
    reports : Path
    newest : Mapping
        How many to keep of the runs with the notebook, name and parameters, other than ``as_of``,
        of the one in a folder, which itself stays; None keeps all of them.
    """
    keep: dict[_Series, int] = {}
    for folder, number in newest.items():
        card = Card.read(folder / RUN)
        if card is not None and number:
            series = _series(folder, card)
            keep[series] = max(number, keep.get(series, 0))
    old = {path.relative_to(reports).as_posix() for path in {*_old(keep)} - newest.keys()}
    if old:
        old -= _cited(reports, old)
    return [name for name in sorted(old) if _removed(reports / name)]


def _removed(folder: Path) -> bool:
    """Remove a run; what another process is at, or the machine will not let go, stays."""
    with suppress(MachineError), alone(folder), machine_errors(folder):
        discard(folder)
        return True
    return False


def _series(folder: Path, card: Card) -> _Series:
    others = {name: card.parameters[name] for name in card.parameters if name != "as_of"}
    return folder.parent, json.dumps(others, sort_keys=True)


def _old(keep: Mapping[_Series, int]) -> Iterator[Path]:
    """Yield the runs that are neither among the newest of their series nor its last good one.

    What no longer is what was filed counts as none; where somebody has put a file, it stays.
    """
    runs = defaultdict(list)
    for home in {home for home, _ in keep}:
        for file in home.glob(f"*/{RUN}"):
            folder, run = file.parent, read_run(file.parent)
            card = None if run.altered or strangers(folder) else run.card
            if card is not None and card.run_id.rpartition("/")[2] == folder.name:
                age = (card.as_of, file.stat().st_mtime_ns, folder.name)
                runs[_series(folder, card)].append((age, card.status, folder))
    for series in keep.keys() & runs.keys():
        ordered = sorted(runs[series], reverse=True)
        good = next((folder for _, status, folder in ordered if status == "complete"), None)
        yield from (folder for *_, folder in ordered[keep[series] :] if folder != good)


def _cited(reports: Path, old: set[str]) -> set[str]:
    """Return which of the old runs are cited by one that stays, or by one that stays for that."""
    cites = {
        path.parent.relative_to(reports).as_posix(): _cites(path)
        for path in reports.glob(f"*/*/*/{RESULT}")
    }
    stays = [name for name in cites if name not in old]
    for name in stays:  # it grows meanwhile
        stays += old.intersection(cites[name]).difference(stays)
    return old.intersection(stays)


def _cites(record: Path) -> list[str]:
    try:
        return [str(cited) for cited in json.loads(record.read_bytes()).get("cites", ())]
    except (OSError, ValueError, AttributeError, TypeError):
        return []
