"""Kill, interrupt, fill the disk, turn the clock: count what does not hold, write docs/reliability.md."""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import random
import re
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from signal import SIGHUP, SIGKILL, SIGTERM

import reliability_machine as machine
from reliability_trials import Tally, Trials
from scratch_workspace import Workspace
from timing import ROOT

PAGE = ROOT / "docs" / "reliability.md"
HEAD = ("what was done", "times", "broken", "lost", "left over", "wrong exit code")
INTRODUCTION = """# Reliability

Made by `make reliability`: real commands in a scratch workspace with twenty small experiments, real signals,
real full and read-only disks. After each trial the same command is started again, and then everything is
looked at. A figure other than 0 is a promise that does not hold.

- **broken**: a run under a good name that is not whole (a file missing, a hash of `run.json` that does not match,
  half a page), right after the trial or after the next start.
- **lost**: a run that was good before the trial and is not there, byte for byte in its record, after the next start.
- **left over**: the number of trials after which, once the next start has ended, something was left: a hidden or a
  working folder, a lock file, a file in the temp folder, a process (and with it its ports).
- **wrong exit code**: of the command or of the next start; a traceback counts whatever the code.

Signals come at moments drawn evenly over the time that the command takes, by dice with a seed. "A process that it
started" is a kernel or a worker. After every other signal the command is started again at once, which may be refused
with 5 as long as what the ended one started is still ending (30 seconds at most), and then once more. A quarter of the twenty runs is missing before each trial of a batch, so that good runs
stand beside those that are being made. "At each change" means: one run is made again over a good one, and is ended (or
refused with the error of the machine) at its first change of the reports folder, then at its second, and so on to the last;
the next start is then of another run that is filed already, so that what was lost is not merely made again.
"""


def trials_of(
    trials: Trials, kills: int, terms: int, hangups: int
) -> Mapping[str, Callable[[Tally], None]]:
    """Return every trial by what is done."""
    third, few, signals = kills // 3, max(kills // 20, 2), trials.signals
    found: dict[str, Callable[[Tally], None]] = {
        "SIGKILL to the command": lambda t: signals(t, SIGKILL, "main", kills - 2 * third),
        "SIGKILL to a process that it started": lambda t: signals(t, SIGKILL, "child", third),
        "SIGKILL to the group": lambda t: signals(t, SIGKILL, "group", third),
        "SIGTERM": lambda t: signals(t, SIGTERM, "main", terms),
        "SIGHUP": lambda t: signals(t, SIGHUP, "main", hangups),
        "two at once, the same": lambda t: trials.two_at_once(t, few),
        "one killed and begun again beside another": lambda t: trials.others_beside(t, few),
        "SIGKILL at each change": lambda t: trials.each_change(t, "kill"),
        "no space left at each change": lambda t: trials.each_change(t, "ENOSPC"),
        "no permission at each change": lambda t: trials.each_change(t, "EACCES"),
        "full disk under the reports": lambda t: machine.disk_full(trials, t, lambda p: p.reports),
        "full disk under the temp folder": lambda t: machine.disk_full(trials, t, lambda p: p.temp),
        "read-only reports": lambda t: machine.read_only(trials, t),
        "reports of another user": lambda t: machine.of_another_user(trials, t),
        "reports removed during the command": lambda t: machine.removed(trials, t, few),
        "clock turned between a kill and the next start": lambda t: machine.clock(trials, t, few),
    }
    if trials.batch:
        found["full disk in the middle"] = lambda t: machine.disk_full_in_batch(trials, t)
    return found


def table(tallies: Sequence[Tally]) -> str:
    """Return the figures as a Markdown table."""
    rows: list[Sequence[str]] = [HEAD, ("---",) * len(HEAD)]
    for tally in tallies:
        figures = (tally.times, tally.broken, tally.lost, tally.left, tally.wrong)
        skipped = [f"skipped: {tally.skipped}", *[""] * (len(figures) - 1)]
        rows.append((tally.what, *(skipped if tally.skipped else map(str, figures))))
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def page(tallies: Sequence[Tally], what: str, seed: int, minutes: float) -> str:
    """Return the page of docs."""
    names = ", ".join(f"{name} {version(name)}" for name in ("papermill", "nbclient", "ipykernel"))
    made = (
        f"Measured {datetime.datetime.now(tz=datetime.UTC):%Y-%m-%d} in {minutes:.0f} minutes: {os.cpu_count()} cores, "
        f"{platform.system()}, Python {platform.python_version()}, {names}; seed {seed}; {what}."
    )
    shown = [f"- {tally.what}: {note}" for tally in tallies for note in tally.notes[:4]]
    notes = "\n\n## What did not hold\n\n" + "\n".join(shown) if shown else ""
    return f"{INTRODUCTION}\n{made}\n\n{table(tallies)}{notes}\n"


def main() -> None:
    """Try, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--terms", type=int, default=20)
    parser.add_argument("--hangups", type=int, default=10)
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument("--run", action="store_true", help="try one run, not a batch of 20")
    parser.add_argument("--only", default="", help="trials whose name this finds; writes no page")
    asked = parser.parse_args()
    begun, tallies = time.monotonic(), []
    with tempfile.TemporaryDirectory(prefix="reliability-", ignore_cleanup_errors=True) as folder:
        place = Workspace(Path(folder).resolve())
        trials = Trials(place, random.Random(asked.seed), batch=not asked.run)
        trials.warm_up()
        print(f"left alone it takes {trials.seconds:.1f} s", flush=True)
        every = trials_of(trials, asked.kills, asked.terms, asked.hangups)
        for name, trial in every.items():
            if not re.search(asked.only, name):
                continue
            tally = Tally(name)
            trial(tally)
            tallies.append(tally)
            print(table([tally]).splitlines()[-1], dict(tally.codes), flush=True)
            for note in tally.notes:
                print("   ", note, flush=True)
    what = "one run at a time" if asked.run else "batches of 20 with two jobs"
    text = page(tallies, what, asked.seed, (time.monotonic() - begun) / 60)
    if not asked.only:
        PAGE.write_text(text, encoding="utf-8")
    print(f"\n{text}")
    raise SystemExit(any(not tally.held for tally in tallies))


if __name__ == "__main__":
    main()
