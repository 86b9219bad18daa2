"""Whole commands timed in pairs: A B A B …, wall and CPU seconds of the command and all it started."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Timing:
    """Medians over the counted runs."""

    wall: float
    cpu: float
    peak_mib: float


def environment() -> dict[str, str]:
    """Return the environment of a user: bytecode is written, nothing of the developer's leaks in."""
    dropped = {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "OPSLAB_WORKSPACE", "OPSLAB_THREADS"}
    return {name: value for name, value in os.environ.items() if name not in dropped}


def once(command: Sequence[str], folder: Path) -> tuple[float, float, float]:
    """Return wall and CPU seconds and the peak memory (MiB) of one run and its children."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, _, used = os.wait4(process.pid, 0)
    process.returncode = 0
    return time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def in_turn(runs: Sequence[Callable[[], tuple[float, float, float]]], times: int) -> list[Timing]:
    """Run each in turn, ``times`` rounds after one that is not counted; return a median for each."""
    found: list[list[tuple[float, float, float]]] = [[] for _ in runs]
    for counted in range(-1, times):
        for place, run in enumerate(runs):
            figures = run()
            if counted >= 0:
                found[place].append(figures)
    return [
        Timing(*(statistics.median(column) for column in zip(*rows, strict=True))) for rows in found
    ]
