"""Polluted text files through the door, beside pandas, DuckDB and clevercsv: right, told or wrong?

About 2,300 files of the kinds of the Pollock benchmark, made anew from an invented table. Every side
is given the path alone. A reading is

- right: the table is the one that was polluted, cell by cell: same text, number, day or time;
- left out: the cells that are there are right, and the rows that are missing are reported; or the
  table is wrong and the report says so, as an assumption, in the words of `ASSUMED`;
- asked: refused with a question that names an answer;
- refused: refused otherwise;
- silent: anything else;
- crash: an error that was not meant for the user (for the other sides every error is a refusal).

clevercsv takes part where it is installed. ``--folder`` measures files of one's own instead, each
``NAME.csv`` beside its right readings ``NAME.csv.json``.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

from pollution_judge import judged
from pollution_kinds import (
    Polluted,
    Truth,
    dialects,
    encodings,
    ends,
    every_row,
    invented,
    other_delimiter,
)
from pollution_layouts import above, below, by_tools

SEED = 20230
SIDES = ("opslab", "pandas", "duckdb", "clevercsv")
VERDICTS = ("right", "left out", "asked", "refused", "silent", "crash")
CHUNK = 100
ASSUMED = {
    "encoding": "encoding",  # which encoding was taken, where the bytes prove none
    "a separator too few": "head|unnamed|short",  # of a header a cell short, which columns it names
    "no header": "head",  # which row was taken for the header, or that none was
    "header of several rows": "head",
    "grouped headings": "head",
    "row of units": "unit|head",
    "header a cell short (R)": "head|index|name",
    "totals": "total",
    "footer": "foot|below|note",
    "preamble": "preamble|above|head",
    "two tables": "table",
}
"""Decisions by kind that make a wrong table a reported one, if they are marked as assumed.

Each pattern is looked for in the decision's key: it names the very thing that the kind pollutes.
"""


def polluted_files(seed: int = SEED) -> list[Polluted]:
    """Return all files, the same for the same seed."""
    grid = invented(seed)
    parts = (
        ends(grid),
        every_row(grid),
        other_delimiter(grid),
        dialects(grid),
        encodings(seed),
        above(grid),
        below(grid),
        by_tools(grid),
    )
    return list(chain.from_iterable(parts))


def folder_files(folder: Path) -> list[Polluted]:
    """Return the files of a folder with their right readings."""
    files = []
    for path in sorted(folder.glob("*.json")):
        given = json.loads(path.read_text("utf-8"))
        data = path.with_suffix("")
        truths = tuple(
            Truth(
                truth["headings"] and tuple(map(tuple, truth["headings"])),
                tuple(map(tuple, truth["rows"])),
                {tuple(where): tuple(texts) for where, texts in truth.get("variants", [])},
                truth.get("reports", ""),
                truth.get("lost", 0),
            )
            for truth in given["truths"]
        )
        files.append(Polluted(given["kind"], data.name, data.read_bytes(), truths))
    return files


@dataclass(frozen=True)
class Verdict:
    """What became of one file on one side, and why."""

    side: str
    kind: str
    name: str
    verdict: str
    reason: str = ""


@dataclass(frozen=True)
class Read:
    """A table as a side read it, and what opslab's report says."""

    headings: Sequence[Sequence[str]]
    rows: Sequence[Sequence[Any]]
    decisions: Sequence[tuple[str, bool]] = ()
    rejected: int = 0


def _opslab(path: Path) -> Read:
    from opslab.tables import Answers, open_export
    from opslab.tables.source import ROW, quoted

    with open_export(path, answers=Answers(profile="none")) as table:
        names = ", ".join(map(quoted, table.types))
        rows = table.fetch(f"SELECT {names} FROM {table.relation} ORDER BY {ROW}")
        both = zip(table.types, table.headings or tuple(table.types), strict=True)
        decisions = [(decision.key, decision.assumed) for decision in table.reading.decisions]
        return Read([tuple(pair) for pair in both], rows, decisions, table.reading.rejected)


def _frame(frame: Any) -> Read:
    frame = frame if type(frame.index).__name__ == "RangeIndex" else frame.reset_index()
    rows = frame.astype(object).where(frame.notna(), None).to_numpy().tolist()
    return Read([(str(name),) for name in frame.columns], rows)


def _pandas(path: Path) -> Read:
    import pandas as pd

    return _frame(pd.read_csv(path))


def _pandas_python(path: Path) -> Read:
    import pandas as pd

    return _frame(pd.read_csv(path, engine="python", on_bad_lines="error"))


def _duckdb(path: Path) -> Read:
    import duckdb

    with duckdb.connect() as connection:
        done = connection.execute("SELECT * FROM read_csv(?)", [str(path)])
        return Read([(column[0],) for column in done.description], done.fetchall())


def _clevercsv(path: Path) -> Read:
    import clevercsv

    return _frame(clevercsv.read_dataframe(str(path)))


READERS: dict[str, Callable[[Path], Read]] = {
    "opslab": _opslab,
    "pandas": _pandas,
    "pandas-python": _pandas_python,
    "duckdb": _duckdb,
    "clevercsv": _clevercsv,
}


def verdict_of(side: str, file: Polluted, path: Path) -> Verdict:
    """Read one file on one side, and judge."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read = READERS[side](path)
    except Exception as error:  # noqa: BLE001 - which errors there are is what is measured
        return Verdict(side, file.kind, file.name, *_refusal(side, error))
    verdict, reason = judged(read, file.truths)
    if verdict == "silent" and side == "opslab":
        pattern = ASSUMED.get(file.kind)
        keys = [key for key, assumed in read.decisions if assumed]
        if pattern and any(re.search(pattern, key.removeprefix("tables.")) for key in keys):
            verdict = "left out"
        reason += " | " + ", ".join(key.removeprefix("tables.") for key, _ in read.decisions)
    return Verdict(side, file.kind, file.name, verdict, reason)


def _refusal(side: str, error: Exception) -> tuple[str, str]:
    problems = getattr(error, "problems", None)
    if side != "opslab":
        return "refused", f"{type(error).__name__}: {error}"[:200]
    if not problems:
        return "crash", f"{type(error).__name__}: {error}"[:300]
    key = problems[0].key.removeprefix("tables.")
    return ("asked" if key.startswith("ask_") else "refused"), f"{key}: {problems[0].text()}"[:300]


@cache
def _files(folder: Path | None, seed: int) -> list[Polluted]:
    return folder_files(folder) if folder else polluted_files(seed)


def chunk(side: str, start: int, folder: Path | None, seed: int) -> list[Verdict]:
    """Judge some of the files on one side, in this process."""
    os.environ.setdefault("OPSLAB_THREADS", "1")
    with tempfile.TemporaryDirectory(prefix="pollution-") as scratch:
        verdicts = []
        for file in _files(folder, seed)[start : start + CHUNK]:
            name = (
                file.name
                if file.name.lower().endswith((".csv", ".txt", ".tsv"))
                else f"{file.name}.csv"
            )
            path = Path(scratch) / name.lower()
            path.write_bytes(file.content)
            verdicts.append(verdict_of(side, file, path))
            path.unlink()
        return verdicts


def measure(
    sides: Sequence[str] = SIDES,
    kind: str | None = None,
    folder: Path | None = None,
    seed: int = SEED,
    workers: int = 2,
) -> list[Verdict]:
    """Return the verdicts of all files on all sides."""
    files = _files(folder, seed)
    starts = [
        start
        for start in range(0, len(files), CHUNK)
        if kind is None or any(file.kind == kind for file in files[start : start + CHUNK])
    ]
    tasks = [(side, start, folder, seed) for side in sides for start in starts]
    with ProcessPoolExecutor(workers) as pool:
        done = chain.from_iterable(pool.map(chunk, *zip(*tasks, strict=True)))
        return [verdict for verdict in done if kind is None or verdict.kind == kind]


def table(verdicts: Sequence[Verdict], side: str) -> list[str]:
    """Return the counts of one side by kind as lines of a Markdown table."""
    counts = Counter(
        (verdict.kind, verdict.verdict) for verdict in verdicts if verdict.side == side
    )
    kinds = list(dict.fromkeys(verdict.kind for verdict in verdicts))
    lines = [f"| {side} | files | {' | '.join(VERDICTS)} |", "| --- |" + " ---: |" * 7]
    for kind in kinds:
        numbers = [counts[kind, verdict] for verdict in VERDICTS]
        cells = [f"{number:,}" if number else "" for number in numbers]
        lines.append(f"| {kind} | {sum(numbers):,} | {' | '.join(cells)} |")
    return [*lines, *_totals(verdicts, [side])]


def _totals(verdicts: Sequence[Verdict], sides: Sequence[str]) -> list[str]:
    lines = []
    for side in sides:
        counts = Counter(verdict.verdict for verdict in verdicts if verdict.side == side)
        whole = counts.total()
        cells = [f"{counts[verdict]:,} ({counts[verdict] / whole:.1%})" for verdict in VERDICTS]
        lines.append(f"| **{side}, all** | {whole:,} | {' | '.join(cells)} |")
    return lines


def main() -> None:
    """Measure and print, or write the files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sides", default=",".join(filter(find_spec, SIDES)))
    parser.add_argument("--kind")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--out", type=Path, help="a CSV file with the verdict of every file")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--write", type=Path, help="write the files to this folder, and stop")
    given = parser.parse_args()
    if given.write:
        given.write.mkdir(parents=True, exist_ok=True)
        for file in polluted_files(given.seed):
            (given.write / f"{file.name}.csv").write_bytes(file.content)
        return
    sides = given.sides.split(",")
    verdicts = measure(sides, given.kind, given.folder, given.seed)
    if given.out:
        with given.out.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, ["side", "kind", "name", "verdict", "reason"])
            writer.writeheader()
            writer.writerows(map(asdict, verdicts))
    print(*table(verdicts, sides[0]), *_totals(verdicts, sides[1:]), sep="\n")


if __name__ == "__main__":
    main()
