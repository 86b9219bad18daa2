"""The reliability trials: what is done to a run or a batch, and what must hold after the next start."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scratch_workspace import Started, Workspace

HERE = Path(__file__).parent
_TOO_EARLY = 0.3
"""Seconds after a start in which a signal may end Python before any code of ours can answer."""


@dataclass
class Tally:
    """One line of the table: how often something was done, and what did not hold.

    Attributes
    ----------
    broken : int
        Runs that stood under a good name and were not whole, right after it or after the next start.
    lost : int
        Good runs that were not there any more after the next start.
    left : int
        Times that something was left after the next start: files, processes.
    wrong : int
        Exit codes other than the right one, of the command and of the next start.
    """

    what: str
    times: int = 0
    broken: int = 0
    lost: int = 0
    left: int = 0
    wrong: int = 0
    skipped: str = ""
    codes: Counter[int] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    @property
    def held(self) -> bool:
        return not (self.broken or self.lost or self.left or self.wrong)

    def code(self, started: Started, right: Sequence[int], when: str) -> None:
        """Note an exit code; a traceback and a defect of opslab are wrong whatever the code."""
        code, said = started.wait(), started.said()
        self.codes[code] += 1
        if code not in right or "Traceback" in said or "defect of opslab" in said:
            self.wrong += 1
            self.note(f"{when}: exit code {code}, right is {right}: {said.strip()[-300:]!r}")

    def note(self, text: str) -> None:
        self.notes.append(text)

    def after(self, place: Workspace, before: dict[str, str]) -> None:
        """Look at everything that must hold after the next start."""
        living = place.ended()
        broken, good = place.broken(), place.good()
        lost = sorted(run for run in before if good.get(run) != before[run])
        left = place.left_over() + living
        self.broken += len(broken)
        self.lost += len(lost)
        self.left += bool(left)
        for name, found in (("broken", broken), ("lost", lost), ("left", left)):
            if found:
                self.note(f"{name}: {'; '.join(found[:4])}")
        place.clean()


@dataclass
class Trials:
    """All trials on one workspace, with seeded dice."""

    place: Workspace
    dice: random.Random
    batch: bool
    seconds: float = 4.0
    """How long the command takes when it is left alone; measured by `warm_up`."""

    def command(self, number: int = 0, *, force: bool = False) -> list[str]:
        """Return what is tried: a batch of all, or one run."""
        if self.batch:
            return self.place.batch()
        return self.place.run(number, *(["--force"] if force else []))

    def warm_up(self) -> None:
        """Measure how long the command takes."""
        self.place.empty()
        begun = time.monotonic()
        done = self.place.start(self.command())
        assert done.wait() == 0, done.said()
        self.seconds = time.monotonic() - begun
        if self.batch:  # a quarter is made anew in each trial
            self.seconds /= 4

    def prepared(self) -> dict[str, str]:
        """Take a quarter of the good runs away (of a batch) and return what is good before a trial."""
        good = sorted(self.place.good())
        if self.batch:
            for run in self.dice.sample(good, max(len(good) // 4, 1) if good else 0):
                shutil.rmtree(self.place.reports / run)
        return self.place.good()

    def next_start(self, tally: Tally, command: Sequence[str], before: dict[str, str]) -> None:
        """Start the same command again, and look at all that must hold then."""
        tally.code(self.place.start(command), [0], "next start")
        tally.after(self.place, before)

    def signals(self, tally: Tally, number: signal.Signals, target: str, times: int) -> None:
        """Send a signal at random moments of the command."""
        for trial in range(times):
            force = self.dice.random() < 0.5
            if not self.batch and not force:
                self.place.empty()
            command = self.command(trial % 3, force=force)
            before = self.prepared()
            started = self.place.start(command)
            begun = time.monotonic()
            time.sleep(self.dice.uniform(0.05, self.seconds * 0.95))
            self._send(started, number, target)
            early = time.monotonic() - begun < _TOO_EARLY
            tally.times += 1
            self._told(tally, started, number, target, early=early)
            if broken := self.place.broken():
                tally.broken += len(broken)
                tally.note(f"broken at once: {'; '.join(broken[:3])}")
            if trial % 2:  # at once, while what it started may still be ending
                tally.code(self.place.start(command), [0, 5], "start at once")
            if orphans := self.place.ended():
                tally.left += 1
                tally.note(f"outlived it by 30 s: {'; '.join(orphans)}")
            self.next_start(tally, command, before)

    def _send(self, started: Started, number: signal.Signals, target: str) -> None:
        main = started.process.pid
        with contextlib.suppress(ProcessLookupError):
            if target == "group":
                os.killpg(main, number)
            elif target == "main":
                os.kill(main, number)
            else:
                until = time.monotonic() + self.seconds
                while not (others := [pid for pid in self.place.processes() if pid != main]):
                    if started.process.poll() is not None or time.monotonic() > until:
                        return
                    time.sleep(0.02)
                os.kill(self.dice.choice(others), number)

    def _told(
        self, tally: Tally, started: Started, number: signal.Signals, target: str, *, early: bool
    ) -> None:
        """Note the exit code: what a signal can end is told as 4, unless all was done already."""
        if number == signal.SIGKILL and target != "child":
            started.wait()
            return
        right = [4, 0] + ([-number] if early else [])
        tally.code(started, right, f"{number.name} to {target}")

    def each_change(self, tally: Tally, outcome: str) -> None:
        """Make one run anew over a good one, ended or refused at each change of the reports in turn."""
        command = self.place.run(0, "--force")
        self.place.empty()
        for number in (0, 1):
            assert self.place.start(self.place.run(number)).wait() == 0
        _, changes = self._changing(command, 0, outcome)
        # The notebook is written after each cell: once is enough of what is the same.
        numbers = [n for n, change in enumerate(changes) if n == 0 or change != changes[n - 1]]
        if outcome == "ENOSPC":  # what removes needs no space
            numbers = [n for n in numbers if not changes[n].startswith(("os.remove", "os.rmdir"))]
        for number in numbers:
            before, known = self.place.good(), len(tally.notes)
            started, changed = self._changing(command, number + 1, outcome)
            if outcome != "kill":
                tally.code(started, [0, 5], f"refused {changes[number]}")
            tally.times += 1
            self.place.ended()
            # Another run that is filed already: what was lost is not merely made again.
            self.next_start(tally, self.place.run(1), before)
            if len(tally.notes) > known:
                tally.note(f"… at change {number + 1}: {changed[-1] if changed else '-'}")
            if self.place.good().keys() != before.keys():
                assert self.place.start(self.place.run(0)).wait() == 0

    def _changing(
        self, command: Sequence[str], number: int, outcome: str
    ) -> tuple[Started, list[str]]:
        """Run a command that is ended or refused at a change; return it and the changes until then."""
        counter, folder = self.place.folder / "changes", self.place.folder / "crash"
        counter.write_bytes(b"")
        folder.mkdir(exist_ok=True)
        shutil.copy(HERE / "reliability_crash.py", folder / "sitecustomize.py")
        crash = "\n".join((str(number), outcome, str(self.place.reports), str(counter)))
        path = os.pathsep.join((str(folder), str(HERE.parent / "src")))
        started = self.place.start(command, more={"OPSLAB_CRASH": crash, "PYTHONPATH": path})
        started.wait()
        return started, counter.read_text(encoding="utf-8").splitlines()

    def two_at_once(self, tally: Tally, times: int) -> None:
        """Start the command twice at nearly the same time; the second does its share or is refused."""
        for trial in range(times):
            if not self.batch:
                self.place.empty()
            before = self.prepared()
            command = self.command(0, force=bool(trial % 2))
            first = self.place.start(command)
            time.sleep(self.dice.uniform(0, self.seconds * 0.6))
            second = self.place.start(command)
            tally.times += 1
            tally.code(first, [0, 5], "the first of two")
            tally.code(second, [0, 5], "the second of two")
            if first.wait() and second.wait():
                tally.wrong += 1
                tally.note("neither of two came to its end")
            self.next_start(tally, command, before)

    def others_beside(self, tally: Tally, times: int) -> None:
        """Run two readouts; kill one and start it again while the other is at work."""
        for _ in range(times):
            self.place.empty()
            living = self.place.start(self.place.run(1))
            killed = self.place.start(self.place.run(2))
            time.sleep(self.dice.uniform(0.5, self.seconds * 0.7))
            self._send(killed, signal.SIGKILL, "main")
            killed.wait()
            for path in [*self.place.reports.rglob(".*"), *self.place.temp.iterdir()]:
                with contextlib.suppress(OSError):
                    os.utime(path, (0, 0))  # old by the clock, and at work all the same
            again = self.place.start(self.place.run(2))
            tally.times += 1
            tally.code(again, [0], "the one begun again")
            tally.code(living, [0], "the one beside it")
            self.next_start(tally, self.place.run(1), self.place.good())
