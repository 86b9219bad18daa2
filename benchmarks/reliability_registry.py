"""A weekly run of themes, killed at random moments: the last good state opens, and no id changes.

    python benchmarks/reliability_registry.py --times 50

The first week is run whole. The second one is killed so many times, at moments drawn evenly over the time
that it takes (SIGKILL to the command and what it started); after each the first week's run must be
what was filed, and the second stand whole or not at all. Then it is run to its end, and its
registry must be, byte for byte, that of an undisturbed one.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from opslab.archive import read_run, runs_in
from timing import BIN, ROOT, environment

SAMPLE = ROOT / "data" / "sample"
COMMAND = [
    str(BIN / "opslab"),
    "run",
    "feedback_themes",
    "--quiet",
    "-p",
    "spec=shop_feedback.yaml",
]


def week(folder: Path, day: str, out: str) -> subprocess.Popen[bytes]:
    """Start the run of a day."""
    return subprocess.Popen(
        [*COMMAND, "-p", f"as_of={day}", "--out", out],
        cwd=folder,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def state(home: Path) -> dict[str, bytes]:
    """Return the registry of each run that stands under a good name; all must be whole."""
    runs = {}
    for name in runs_in(home):
        run = read_run(home / name)
        assert run.card is not None, f"{name} stands under a good name and is no run"
        assert run.altered is None, f"{name}: {run.altered} is not what was filed"
        runs[name[:10]] = run.files["registry.json"]
    return runs


def main() -> None:
    """Print how often it was killed, and what did not hold: nothing, or it ends with an error."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--seed", type=int, default=17)
    given = parser.parse_args()
    dice = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "workspace")
        subprocess.run([str(BIN / "opslab"), "init", str(folder)], check=True, capture_output=True)
        for file in SAMPLE.glob("*feedback*"):
            shutil.copy(file, folder)
        for out in ("quiet", "reports"):
            assert week(folder, "2026-09-13", out).wait() == 0
        started = time.monotonic()
        assert week(folder, "2026-09-20", "quiet").wait() == 0
        whole = time.monotonic() - started
        home = folder / "reports" / "feedback_themes" / "shop-feedback"
        undisturbed = state(folder / "quiet" / "feedback_themes" / "shop-feedback")
        first, killed, ended = state(home), 0, 0
        while killed < given.times:
            process = week(folder, "2026-09-20", "reports")
            time.sleep(dice.uniform(0, whole))
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                killed += 1
            else:
                ended += 1
            process.wait()
            now = state(home)
            assert now.pop("2026-09-20", undisturbed["2026-09-20"]) == undisturbed["2026-09-20"]
            assert now == first, "the first week is not what was filed"
            for run in home.glob("2026-09-20-*"):
                shutil.rmtree(run)
        time.sleep(1)
        assert week(folder, "2026-09-20", "reports").wait() == 0
        assert state(home) == undisturbed
        assert not [path for path in home.iterdir() if path.name.startswith(".")], "left over"
    print(f"killed {killed} times ({ended} runs had ended before); all held")


if __name__ == "__main__":
    main()
