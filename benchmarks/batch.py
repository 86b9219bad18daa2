"""A batch of readouts against the stock commands one after the other, and a thousand runs in one batch."""

from __future__ import annotations

import argparse
import datetime
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from scratch_workspace import Workspace, children_of, state
from timing import BIN

Row = tuple[str, str, str, str]
_NAME = "experiment_readout"
_DAYS = """batch: many
runs:
  - name: day
    notebook: experiment_readout
    params: {{spec: trials/trial0.yaml, as_of: {{from: 2026-10-01, to: {last}, every: day}}}}
"""


def measure(times: int = 1) -> list[Row]:
    """Return the row of twenty readouts of an experiment as large as the sample's: the two ways take turns."""
    with _workspace() as place:
        specs = _specs(place)
        plan = f"batch: readouts\nruns:\n  - {{name: a, notebook: {_NAME}, params: {{spec: [{', '.join(specs)}]}}}}\n"
        (place.root / "readouts.yaml").write_text(plan, encoding="utf-8")

        def ours() -> None:
            place.empty()
            done = place.start(place.batch("readouts.yaml"))
            assert done.wait() == 0, done.said()
            assert len(place.good()) == len(specs)

        def stock() -> None:
            for number, spec in enumerate(specs):
                executed = str(place.folder / f"stock{number}.ipynb")
                notebook = str(place.root / "notebooks" / f"{_NAME}.ipynb")
                papermill = [str(BIN / "papermill"), notebook, executed, "--no-progress-bar"]
                convert = [str(BIN / "jupyter"), "nbconvert", "--to", "html", executed]
                for command in ([*papermill, "-p", "spec", spec], convert):
                    done = place.start(command, more={"OPSLAB_WORKSPACE": str(place.root)})
                    assert done.wait() == 0, done.said()

        seconds = [(_seconds(ours), _seconds(stock)) for _ in range(times)]
    batch, single = (median(column) for column in zip(*seconds, strict=True))
    return [
        (
            f"batch of {len(specs)} readouts (12,000 users, 3 metrics), two jobs, wall",
            "<= 0.20 x stock, one after the other",
            f"{batch / single:.2f} x",
            f"{batch:.1f} s against {single:.1f} s of papermill, then nbconvert to HTML",
        )
    ]


def _specs(place: Workspace) -> list[str]:
    """Write twenty experiments on the sample's table, and return their paths in the workspace."""
    sample = (place.root / "data" / "sample" / "checkout.yaml").read_text(encoding="utf-8")
    names = [f"data/sample/readout{number}.yaml" for number in range(place.experiments)]
    for number, name in enumerate(names):
        spec = sample.replace("experiment: checkout-button", f"experiment: checkout-{number}")
        (place.root / name).write_text(spec, encoding="utf-8")
    return names


@dataclass
class Samples:
    """What was seen of a batch while it ran, once a second."""

    main_mib: list[float] = field(default_factory=list)
    all_mib: list[float] = field(default_factory=list)
    zombies: list[int] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)

    def take(self, place: Workspace, main: int) -> None:
        """Look once."""
        own = _memory(main)
        if not own:
            return  # it has just ended
        below = children_of(main)
        self.main_mib.append(own)
        self.all_mib.append(sum(map(_memory, place.processes())))
        self.zombies.append(sum(state(pid) == "Z" for pid in below))
        self.ports.append(len(place.ports()))
        self.descriptors.append(len([*Path(f"/proc/{main}/fd").iterdir()]))

    def over_time(self, values: list[float] | list[int]) -> str:
        """Return the medians of the second tenth and of the last one: what the start takes is over."""
        tenth = max(len(values) // 10, 1)
        return f"{median(values[tenth : 2 * tenth]):.0f} to {median(values[-tenth:]):.0f}"


def measure_many(runs: int = 1000) -> list[Row]:
    """Return the rows of many runs in one batch: one experiment as of as many days."""
    last = datetime.date(2026, 10, 1) + datetime.timedelta(days=runs - 1)
    with _workspace() as place:
        (place.root / "plan.yaml").write_text(_DAYS.format(last=last), encoding="utf-8")
        samples = Samples()
        begun = time.monotonic()
        done = place.start(place.batch())
        while done.process.poll() is None:
            samples.take(place, done.process.pid)
            time.sleep(1)
        seconds = time.monotonic() - begun
        assert done.wait() == 0, done.said()
        assert len(place.good()) == runs
        ports = place.ports()
        left = place.left_over() + place.ended()
        left = [name for name in left if name != "reports/batch-many.json"]
    name = f"{runs:,} runs in one batch, two jobs"
    memory = f"all processes {samples.over_time(samples.all_mib)} MiB, at most {max(samples.all_mib):.0f}"
    while_it_ran = (
        f"while it ran at most {max(samples.ports)} local ports (one a kernel, of ipykernel itself) and "
        f"{max(samples.zombies)} ended processes not yet waited for; open files {samples.over_time(samples.descriptors)}"
    )
    return [
        (name, "", f"{runs / seconds * 60:.0f} a minute", f"{seconds:.0f} s"),
        (
            "… memory of the batch's own process, early to late",
            "does not grow",
            f"{samples.over_time(samples.main_mib)} MiB",
            memory,
        ),
        (
            "… ports and files left at the end",
            "0, 0",
            f"{len(ports)}, {len(left)}",
            while_it_ran,
        ),
    ]


def _seconds(act: Callable[[], None]) -> float:
    begun = time.monotonic()
    act()
    return time.monotonic() - begun


def _memory(pid: int) -> float:
    """Return the MiB that a process has to itself, and its share of what it has with others."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


@contextmanager
def _workspace() -> Iterator[Workspace]:
    """Give a scratch workspace that goes at the end."""
    with tempfile.TemporaryDirectory(prefix="batch-", ignore_cleanup_errors=True) as folder:
        yield Workspace(Path(folder).resolve())


def main() -> None:
    """Measure by hand."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--only", choices=["twenty", "many"])
    asked = parser.parse_args()
    rows = [] if asked.only == "many" else measure(asked.times)
    rows += [] if asked.only == "twenty" else measure_many(asked.runs)
    for row in rows:
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
