"""Trials of what a machine does: a disk that is full or read-only, folders removed, a clock turned back."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from reliability_trials import Tally, Trials
from scratch_workspace import Workspace

FREE_KIB = (0, 4, 12, 40, 80, 140, 220, 300, 400)
"""What is left on the disk: a run needs about 350 KiB while it is made, so it fills at another file each time."""
_NO_MOUNT = "needs root on Linux, and leave to mount"
_NOBODY = 65534
_LONG = 400 * 86_400


def disk_full(trials: Trials, tally: Tally, folder: Callable[[Workspace], Path]) -> None:
    """Fill the disk under the reports or under the temp folder, over a good run and without one."""
    place = trials.place
    for free in FREE_KIB:
        for force in (False, True):
            place.empty()
            with _disk(folder(place)) as disk:
                if disk is None:
                    tally.skipped = _NO_MOUNT
                    return
                if force:
                    assert place.start(place.run(0)).wait() == 0
                before = place.good()
                _fill(disk, free)
                started = place.start(place.run(0, *(["--force"] if force else [])))
                tally.times += 1
                tally.code(started, [0, 5], f"{free} KiB free")
                if broken := place.broken():
                    tally.broken += len(broken)
                    tally.note(f"broken at once, {free} KiB free: {'; '.join(broken)}")
                (disk / "filler").unlink()
                trials.next_start(tally, place.run(0), before)


def disk_full_in_batch(trials: Trials, tally: Tally) -> None:
    """Let the disk fill in the middle of a batch; with room again, the same batch does the rest."""
    place = trials.place
    for room in (150, 900, 2500):
        place.empty()
        with _disk(place.reports) as disk:
            if disk is None:
                tally.skipped = _NO_MOUNT
                return
            _fill(disk, room)
            started = place.start(place.batch())
            tally.times += 1
            tally.code(started, [5], f"{room} KiB free")
            before = place.good()
            (disk / "filler").unlink()
            trials.next_start(tally, place.batch(), before)


def read_only(trials: Trials, tally: Tally) -> None:
    """Take away leave to write: to the reports, with a good run there and without."""
    place = trials.place
    for there in (False, True):
        place.empty()
        with _disk(place.reports) as disk:
            if disk is None:
                tally.skipped = _NO_MOUNT
                return
            if there:
                assert place.start(place.run(0)).wait() == 0
            before = place.good()
            _remounted(disk, "ro")
            for command in (place.run(0), place.run(0, "--force")):
                tally.times += 1
                right = [0, 5] if there and "--force" not in command else [5]
                tally.code(place.start(command), right, f"a run {'' if there else 'not '}there")
            _remounted(disk, "rw")
            trials.next_start(tally, place.run(0), before)


def of_another_user(trials: Trials, tally: Tally) -> None:
    """Run as nobody, who may read the workspace and may not write to the reports."""
    place = trials.place
    setpriv = shutil.which("setpriv")
    if setpriv is None or os.geteuid():
        tally.skipped = "needs root and setpriv"
        return
    place.empty()
    assert place.start(place.run(0)).wait() == 0
    before = place.good()
    as_nobody = [setpriv, f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"]
    for path in (place.folder, *place.folder.parents):
        path.chmod(path.stat().st_mode | 0o055)
    place.temp.chmod(0o777)
    for command, right in ((place.run(0), [0, 5]), (place.run(1), [5])):
        tally.times += 1
        tally.code(place.start([*as_nobody, *command]), right, "as nobody")
    place.temp.chmod(0o700)
    trials.next_start(tally, place.run(0), before)


def removed(trials: Trials, tally: Tally, times: int) -> None:
    """Remove the reports while the command is at work: done or refused, and the next start heals."""
    place = trials.place
    for _ in range(times):
        place.empty()
        started = place.start(trials.command())
        time.sleep(trials.dice.uniform(0.3, trials.seconds * 0.95))
        shutil.rmtree(place.reports, ignore_errors=True)
        tally.times += 1
        tally.code(started, [0, 4, 5], "reports removed")
        trials.next_start(tally, trials.command(), place.good())


def clock(trials: Trials, tally: Tally, times: int) -> None:
    """Kill a command, then turn the clock: what it left is of the future, or very old."""
    place = trials.place
    for trial in range(times):
        if not trials.batch:
            place.empty()
        before = trials.prepared()
        started = place.start(trials.command())
        time.sleep(trials.dice.uniform(0.5, trials.seconds * 0.9))
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.process.pid, signal.SIGKILL)
        started.wait()
        place.ended()
        moment = time.time() + (_LONG if trial % 2 else -_LONG)
        for path in [*place.reports.rglob("*"), *place.temp.rglob("*")]:
            os.utime(path, (moment, moment), follow_symlinks=False)
        tally.times += 1
        trials.next_start(tally, trials.command(), before)


@contextmanager
def _disk(folder: Path) -> Iterator[Path | None]:
    """Mount a disk of 8 MiB at a folder; None where that is not possible."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    possible = sys.platform == "linux" and not os.geteuid()
    if not possible or subprocess.run(command, capture_output=True, check=False).returncode:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], capture_output=True, check=False)


def _remounted(disk: Path, option: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{option}", str(disk)], check=True)


def _fill(disk: Path, free_kib: int) -> None:
    """Fill a disk but for some KiB, as far as its blocks of 4 KiB allow."""
    with (disk / "filler").open("wb", buffering=0) as stream, contextlib.suppress(OSError):
        while stream.write(bytes(4096)) == 4096:
            pass
    with (disk / "filler").open("r+b") as stream:
        stream.truncate((disk / "filler").stat().st_size - free_kib * 1024)
