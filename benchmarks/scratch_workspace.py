"""A scratch workspace of small experiments: its commands, its processes, what stands in its reports."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import re
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from timing import BIN, ROOT, environment

FILES = {"notebook.ipynb", "readout.html", "result.json", "run.json"}
AT_THE_TOP = {"README.md", "index.html", "catalogue.csv", "catalogue.json", "batch-trials.json"}
_LISTENING = "0A"
MARK = "OPSLAB_RELIABILITY"
_FOLDER = re.compile(r"\d{4}-\d{2}-\d{2}-[0-9a-f]{8}")
_SPEC = """experiment: trial {number}
question: Does the new page sell more?
owner: growth
data: {{path: trial{number}.csv, rows: unit}}
unit: user
arms: {{column: variant, control: control, weights: {{control: 1, treatment: 1}}}}
period: {{time: day, start: 2026-09-01, end: 2026-09-02}}
design: {{method: fixed, alpha: 0.05, power: 0.8}}
metrics:
  - {{name: bought, type: mean, column: bought, role: primary, goal: increase, mde: {{relative: 0.5}}}}
"""


@dataclass
class Started:
    """A command that was started, with its own file for what it says."""

    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait(self, seconds: float = 300) -> int:
        return self.process.wait(timeout=seconds)


@dataclass
class Workspace:
    """A workspace with twenty small experiments, a private temp folder and reports of its own."""

    folder: Path
    experiments: int = 20
    mark: str = field(default_factory=lambda: secrets.token_hex(8))

    def __post_init__(self) -> None:
        self.temp.mkdir(parents=True)
        (self.folder / "logs").mkdir()
        made = self.start([str(BIN / "opslab"), "init", str(self.root)], folder=self.folder)
        assert made.wait() == 0, made.said()
        trials = self.root / "trials"
        trials.mkdir()
        for number in range(self.experiments):
            (trials / f"trial{number}.yaml").write_text(_SPEC.format(number=number))
            (trials / f"trial{number}.csv").write_text(_rows(number))
        (self.root / "plan.yaml").write_text(self._plan())

    @property
    def root(self) -> Path:
        return self.folder / "workspace"

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    @property
    def temp(self) -> Path:
        return self.folder / "temp"

    def _plan(self) -> str:
        names = ", ".join(f"trials/trial{number}.yaml" for number in range(self.experiments))
        run = f"{{name: trial, notebook: experiment_readout, params: {{spec: [{names}]}}}}"
        return f"batch: trials\nruns:\n  - {run}\n"

    def run(self, number: int, *options: str) -> list[str]:
        """Return the command of one readout."""
        spec = f"spec=trials/trial{number}.yaml"
        return [str(BIN / "opslab"), "run", "experiment_readout", "-p", spec, *options]

    def batch(self, plan: str = "plan.yaml") -> list[str]:
        """Return the command of all of them, or of another plan."""
        return [str(BIN / "opslab"), "batch", plan, "--jobs", "2", "--quiet"]

    def start(
        self,
        command: Sequence[str],
        folder: Path | None = None,
        more: Mapping[str, str] | None = None,
    ) -> Started:
        """Start a command in a process group of its own, with the code of this checkout."""
        log = self.folder / "logs" / secrets.token_hex(6)
        ours = {"PYTHONPATH": str(ROOT / "src"), "TMPDIR": str(self.temp), MARK: self.mark}
        with log.open("wb") as stream:
            process = subprocess.Popen(
                command,
                cwd=folder or self.root,
                env=environment() | ours | dict(more or {}),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return Started(process, log)

    def processes(self) -> list[int]:
        """Return the processes that live and stem from a command started here."""
        wanted, own = f"{MARK}={self.mark}".encode(), os.getpid()
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == own:
                continue
            with contextlib.suppress(OSError):
                if wanted in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
        return sorted(pid for pid in found if state(pid) not in {"Z", "X", ""})

    def ports(self) -> set[str]:
        """Return the addresses at which these processes wait for TCP connections."""
        held = set()
        for descriptor in (fd for pid in self.processes() for fd in _descriptors(pid)):
            with contextlib.suppress(OSError):
                held.add(str(descriptor.readlink()))
        lines = [line.split() for name in ("tcp", "tcp6") for line in _table(name)]
        return {
            line[1] for line in lines if line[3] == _LISTENING and f"socket:[{line[9]}]" in held
        }

    def ended(self, seconds: float = 30) -> list[str]:
        """Wait until nothing lives; end what still does after that, and return what it was."""
        until = time.monotonic() + seconds
        while (living := self.processes()) and time.monotonic() < until:
            time.sleep(0.1)
        names = []
        for pid in living:
            with contextlib.suppress(OSError):
                command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                names.append(f"process {pid}: {b' '.join(command[1:4]).decode()[:80]}")
                os.kill(pid, signal.SIGKILL)
        return names

    def good(self) -> dict[str, str]:
        """Return the whole runs: the hash of their record by their folder."""
        return {
            run.relative_to(self.reports).as_posix(): _hash(run / "result.json")
            for run in _folders(self.reports)
            if not run.name.endswith(".failed") and not wrong_with(run)
        }

    def broken(self) -> list[str]:
        """Return what stands under a good name and is not whole."""
        return [
            f"{run.relative_to(self.reports)}: {wrong}"
            for run in _folders(self.reports)
            if (wrong := wrong_with(run))
        ]

    def left_over(self) -> list[str]:
        """Return what no run and no page of the reports is, and what the temp folder still holds."""
        left = []
        for path in sorted(self.reports.rglob("*")) if self.reports.is_dir() else ():
            parts = path.relative_to(self.reports).parts
            known = len(parts) == 1 and (path.is_dir() or path.name in AT_THE_TOP)
            run = len(parts) >= 3 and _FOLDER.fullmatch(parts[2]) is not None
            if (len(parts) > 3 and not run) or any(part.startswith(".") for part in parts[:-1]):
                continue  # its folder is named
            if path.name.startswith(".") or not (known or run or len(parts) == 2):
                left.append(f"reports/{'/'.join(parts)}")
        return left + [f"temp/{path.name}" for path in sorted(self.temp.iterdir())]

    def clean(self) -> None:
        """Remove what a trial left, so that the next one is not blamed for it."""
        for name in self.left_over():
            top, _, rest = name.partition("/")
            _remove((self.reports if top == "reports" else self.temp) / rest)

    def empty(self) -> None:
        """Remove all reports and what is in the temp folder."""
        for folder in (self.reports, self.temp):
            for path in folder.iterdir() if folder.is_dir() else ():
                _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def state(pid: int) -> str:
    """Return the letter of a process's state, "" when there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def _table(name: str) -> list[str]:
    return Path(f"/proc/net/{name}").read_text(encoding="utf-8").splitlines()[1:]


def _descriptors(pid: int) -> list[Path]:
    try:
        return [*Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return []


def children_of(parent: int) -> list[int]:
    """Return the processes that a process started, those they started, and so on."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            above = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            parents.setdefault(above, []).append(int(entry.name))
    found = parents.get(parent, [])
    for pid in found:  # it grows meanwhile
        found += parents.get(pid, [])
    return found


def wrong_with(run: Path) -> str:
    """Return why a run folder is not whole, "" when it is."""
    if run.name.endswith(".failed"):
        return _wrong_with_failed(run)
    try:
        about = json.loads((run / "run.json").read_bytes())
        missing = FILES - {path.name for path in run.iterdir()}
        if missing:
            return f"without {', '.join(sorted(missing))}"
        if about["status"] not in {"complete", "check_failed"}:
            return f"status {about['status']}"
        if not run.name.endswith(about["digest"][:8]):
            return "another run's run.json"
        for name, digest in about["outputs"].items():
            if _hash(run / name) != digest:
                return f"{name} is not the one that was filed"
        json.loads((run / "result.json").read_bytes())
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"{type(error).__name__}: {error}"
    page = (run / "readout.html").read_text(encoding="utf-8")
    return "" if page.rstrip().endswith("</html>") else "half a readout.html"


def _wrong_with_failed(run: Path) -> str:
    try:
        about: Any = json.loads((run / "run.json").read_bytes())
        page = (run / "failure.html").read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    whole = about.get("status") == "failed" and page.rstrip().endswith("</html>")
    return "" if whole else "half a failure"


def _folders(reports: Path) -> Iterator[Path]:
    """Yield what stands where runs do, hidden ones left out."""
    for run in sorted(reports.glob("*/*/*")):
        if run.is_dir() and not any(part.startswith(".") for part in run.parts[-3:]):
            yield run


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _rows(number: int) -> str:
    """Return 400 users, those of the treatment buying more."""
    dice = random.Random(number)
    lines = ["user,variant,day,bought"]
    for user in range(400):
        arm = dice.choice(("control", "treatment"))
        bought = int(dice.random() < (0.3 if arm == "control" else 0.5))
        lines.append(f"u{user},{arm},2026-09-{dice.randint(1, 2):02d},{bought}")
    return "\n".join(lines) + "\n"
