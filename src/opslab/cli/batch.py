"""The command ``opslab batch``: many runs, told in a line each, and in a table at the end."""

from __future__ import annotations

import os
import sys
from collections import Counter
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opslab.cli.group import out_option, say

if TYPE_CHECKING:
    from opslab.runs.worker import Outcome


@click.command()
@click.argument("plan", type=click.Path(path_type=Path))
@click.option("--jobs", type=click.IntRange(1, 256), help="Runs at once; by default the cores.")
@out_option
@click.option(
    "--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The day that stands for `given` in PLAN."
)
@click.option("--quiet", is_flag=True, help="Print what is not done, and the last line.")
@click.pass_context
def batch(
    ctx: click.Context, plan: Path, jobs: int | None, out: str, as_of: datetime | None, quiet: bool
) -> None:
    """Run all that PLAN has and that is not there yet, several at once.

    The exit code is the gravest of its runs, in the order 1, 5, 4, 2, 3.
    """
    from opslab import workspace
    from opslab.messages import text
    from opslab.runs.batch import run_batch
    from opslab.runs.batch_plan import Plan

    read = Plan.load(workspace.expanded(plan), str(plan))
    language = ctx.meta["language"] = read.language
    bar_or_none: Any = nullcontext()
    if sys.stderr.isatty() and not quiet:
        bar_or_none = click.progressbar(length=1, label=read.batch, file=sys.stderr)
    with bar_or_none as bar:
        lines = []

        def progress(name: str, outcome: Outcome, count: int) -> None:
            if not quiet or outcome.exit_code or outcome.status == "skipped":
                status = text(f"runs.batch_status_{outcome.status}", language)
                about = "  ".join(str(it) for it in (outcome.reason, outcome.file) if it)
                lines.append(f"{status:<18}  {outcome.seconds:6.1f} s  {name}  {about}")
            if bar:
                bar.length = count
                bar.update(1)
            else:
                _flush(lines)

        days = as_of.date() if as_of else None
        done = run_batch(
            read, jobs=jobs or os.cpu_count() or 1, out=out, as_of=days, progress=progress
        )
    _flush(lines)
    if done.removed:
        say(text("runs.batch_removed", language, count=len(done.removed)))
    counts = Counter(outcome.status for outcome in done.outcomes.values())
    shown = [
        f"{count} {text(f'runs.batch_status_{status}', language)}"
        for status, count in counts.items()
    ]
    values = {"batch": read.batch, "counts": shown, "file": str(done.status_file)}
    say(text("runs.batch_summary", language, **values))
    ctx.exit(done.exit_code)


def _flush(lines: list[str]) -> None:
    while lines:
        say(lines.pop(0))
