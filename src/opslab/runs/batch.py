"""A batch: the runs of a plan, several at once, and how each of them went."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date
from graphlib import TopologicalSorter
from multiprocessing import forkserver
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from opslab import workspace
from opslab.errors import RunError
from opslab.messages import text
from opslab.runs.batch_plan import Plan, Planned, planned_runs
from opslab.runs.catalogue import write_catalogue
from opslab.runs.environment import FIXED, KERNEL, LONGEST_FOLDER
from opslab.runs.folder import alone, machine_errors, write_whole
from opslab.runs.job import Limits
from opslab.runs.retention import remove_old
from opslab.runs.runner import reports_folder
from opslab.runs.signals import at_signals
from opslab.runs.worker import Outcome, work
from opslab.scratch import scratch_folder

Progress = Callable[[str, Outcome, int], None]
"""Is told of a run that has ended: its name, how it went, and how many there are in all."""

_GRAVEST_FIRST = (1, 5, 4, 2, 3, 0)
_LOCKED = 3600
"""Seconds that a run waits for another batch which makes the same."""
_GRACE = 20
"""Seconds that runs have to end when the batch is interrupted."""


@dataclass(frozen=True)
class Batch:
    """What became of a plan.

    Attributes
    ----------
    outcomes : Mapping
        How each run went, by name.
    removed : list of str
        Runs that went because the plan keeps newer ones.
    exit_code : int
        The gravest of its runs; 4 when it was interrupted.
    status_file : Path
    """

    outcomes: Mapping[str, Outcome]
    removed: list[str]
    exit_code: int
    status_file: Path


def run_batch(
    plan: Plan,
    *,
    jobs: int,
    out: str | Path = "reports",
    as_of: date | None = None,
    progress: Progress | None = None,
) -> Batch:
    """Run all that a plan has and that is not there yet.

    Parameters
    ----------
    plan : Plan
    jobs : int
        How many runs are made at once.
    out : path
        Folder of the reports; a relative one starts at the workspace's root.
    as_of : datetime.date, optional
        The day that stands for ``given`` in the plan.
    progress : callable, optional

    Raises
    ------
    InputError
        When the plan must be corrected; no run has started then.
    MachineError
        When the same plan is under way in another process.
    """
    reports = reports_folder(out)
    with workspace.filing_in(reports):
        runs = planned_runs(plan, as_of)
        with machine_errors(reports):
            reports.mkdir(parents=True, exist_ok=True)
        with alone(reports / f"batch-{plan.slug}"), _zygote() as context:
            conductor = _Conductor(plan, runs, reports, context, progress or (lambda *_: None))
            with at_signals(conductor.stop):
                conductor.run(jobs)
            outcomes, removed = conductor.outcomes, list[str]()
            if not conductor.stopped:
                removed = remove_old(reports, _newest(runs, outcomes))
            codes = {outcome.exit_code for outcome in outcomes.values()}
            code = next(code for code in _GRAVEST_FIRST if code in codes)
            code = RunError.exit_code if conductor.stopped else code
            batch = Batch(outcomes, removed, code, reports / f"batch-{plan.slug}.json")
            write_whole(batch.status_file, _status(plan, runs, batch))
            write_catalogue(reports, plan.language)
    return batch


def _newest(runs: Mapping[str, Planned], outcomes: Mapping[str, Outcome]) -> dict[Path, int | None]:
    """Return the folders of the plan's runs, and how many of their like stay."""
    return {
        file.parent: run.entry.keep
        for name, run in runs.items()
        if (file := outcomes[name].file) and outcomes[name].status != "failed"
    }


def _status(plan: Plan, runs: Mapping[str, Planned], batch: Batch) -> bytes:
    """Return the status file: what became of each run."""
    ended = [
        {"name": name, "notebook": run.entry.notebook, "parameters": run.parameters}
        | asdict(batch.outcomes[name])
        for name, run in runs.items()
    ]
    status = {"schema": "opslab.batch/1", "batch": plan.batch, "exit_code": batch.exit_code}
    content = {**status, "runs": ended, "removed": batch.removed}
    return (json.dumps(content, indent=1, ensure_ascii=False, default=str) + "\n").encode()


@contextmanager
def _zygote() -> Iterator[Any]:
    """Give the way to make processes: forks of one that has done the imports, where that works."""
    before = dict(os.environ)
    with scratch_folder() as scratch:
        forked = sys.platform == "linux" and len(str(scratch)) < LONGEST_FOLDER
        context = multiprocessing.get_context("forkserver" if forked else "spawn")
        multiprocessing.current_process()._config["tempdir"] = str(scratch)  # type: ignore[attr-defined] # noqa: SLF001
        kernel = before.get(KERNEL, "fork") if forked else "start"
        os.environ.update(FIXED | {KERNEL: kernel})
        if forked:
            os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
            context.set_forkserver_preload(["opslab.runs.zygote"])
            with at_signals(signal.SIG_IGN, [signal.SIGINT, signal.SIGHUP]):
                forkserver.ensure_running()  # a terminal's signals come to it too
        try:
            yield context
        finally:
            for process in multiprocessing.active_children():  # an error has ended the batch
                process.terminate()
            if forked:
                forkserver._forkserver._stop()  # type: ignore[attr-defined] # noqa: SLF001
            multiprocessing.current_process()._config.pop("tempdir")  # type: ignore[attr-defined] # noqa: SLF001
            os.environ.clear()
            os.environ.update(before)


class _Conductor:
    """What is at work, what is left to do, and what has ended."""

    def __init__(
        self,
        plan: Plan,
        runs: Mapping[str, Planned],
        reports: Path,
        context: Any,
        progress: Progress,
    ) -> None:
        self._plan, self._runs, self._reports = plan, runs, reports
        self._context, self._progress = context, progress
        self._order = TopologicalSorter({name: run.after for name, run in runs.items()})
        self._at_work: dict[Any, tuple[str, Any, float]] = {}
        self._attempts = dict.fromkeys(runs, 0)
        self.outcomes: dict[str, Outcome] = {}
        self.stopped = False

    def run(self, jobs: int) -> None:
        """Make the runs, each after those it waits for."""
        self._order.prepare()
        ready: list[str] = []
        patience = _GRACE
        while self._at_work or (self._order.is_active() and not self.stopped):
            ready += [] if self.stopped else self._order.get_ready()
            while ready and len(self._at_work) < jobs and not self.stopped:
                self._start(ready.pop(0))
            if not self._at_work:
                continue
            ended = wait(list(self._at_work), 1)
            ready += [name for connection in ended if (name := self._ended(connection))]
            patience -= self.stopped and not ended
            if patience < 0:
                for _, process, _ in self._at_work.values():
                    process.kill()
        for name in self._runs:
            if name not in self.outcomes:
                reason = text("runs.batch_not_started", self._plan.language)
                self._note(name, Outcome("interrupted", RunError.exit_code, reason))

    def stop(self, *_signal: Any) -> None:
        """Have all that is at work end, and start nothing more."""
        self.stopped = True
        for _, process, _ in list(self._at_work.values()):
            process.terminate()

    def _start(self, name: str) -> None:
        run, language = self._runs[name], self._plan.language
        for other in run.after:
            if self.outcomes[other].status not in {"done", "there_already"}:
                reason = text("runs.batch_skipped", language, name=other)
                return self._note(name, Outcome("skipped", reason=reason))
        self._attempts[name] += 1
        ours, theirs = self._context.Pipe(duplex=False)
        limits = Limits(run.entry.timeout, run.entry.cell_timeout, _LOCKED)
        given = (run.entry.notebook, run.parameters, self._reports, limits, language, theirs)
        process = self._context.Process(target=work, args=given)
        with theirs, machine_errors(self._reports):
            for patience in (1, 1, 0):
                try:
                    process.start()
                    break
                except (OSError, EOFError):  # somebody has killed the process that forks
                    if not patience:
                        raise
                    time.sleep(patience)
        self._at_work[ours] = (name, process, time.monotonic())
        if self.stopped:  # while it started
            process.terminate()
        return None

    def _ended(self, connection: Any) -> str | None:
        """Note how a run went, or return its name when it is to be tried again."""
        name, process, since = self._at_work.pop(connection)
        with connection:
            try:
                outcome = connection.recv()
            except (EOFError, OSError):
                key = "runs.batch_ended" if self.stopped else "runs.batch_died"
                reason = text(key, self._plan.language)
                outcome = Outcome("failed", RunError.exit_code, reason, passing=True)
        process.join(_GRACE)
        process.kill()
        attempts = self._attempts[name]
        if outcome.passing and self.stopped:
            outcome = replace(outcome, status="interrupted")
        elif outcome.passing and attempts <= self._runs[name].entry.retries:
            return name
        seconds = round(time.monotonic() - since, 1)
        self._note(name, replace(outcome, seconds=seconds, attempts=attempts))
        return None

    def _note(self, name: str, outcome: Outcome) -> None:
        self.outcomes[name] = outcome
        if not self.stopped:
            self._order.done(name)
        self._progress(name, outcome, len(self._runs))
