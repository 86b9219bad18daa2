"""The command line, ``opslab``. What is heavy is imported where it is used: help is quick."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opslab.cli.answers import WithAnswers
from opslab.cli.batch import batch
from opslab.cli.group import Commands, out_option, say
from opslab.cli.new import new
from opslab.cli.share import share

if TYPE_CHECKING:
    from opslab.messages import Language
    from opslab.runs.folder import Run

# We use none of pydantic's plugins, and looking for them takes 25 ms.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

_language = click.option(
    "--language", type=click.Choice(["en", "fr"]), default="en", show_default=True
)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="opslab", prog_name="opslab")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def main(debug: bool) -> None:
    """Notebooks for Product Ops: from one spec and some data to one readout.

    Exit codes: 0 done; 1 a defect of opslab; 2 something for you to correct; 3 a complete readout
    whose blocking check failed; 4 a run that was cut short; 5 disk, permission or lock.
    """


@main.command()
@click.argument("notebook")
@click.option(
    "-p", "--parameter", "assignments", metavar="NAME=VALUE", multiple=True, help="One parameter."
)
@click.option(
    "--params", "file", type=click.Path(path_type=Path), help="A YAML file of parameters."
)
@out_option
@click.option("--force", is_flag=True, help="Run again even when the same run is there.")
@click.option(
    "--timeout", type=click.FloatRange(1, 2_678_400), help="Seconds that the whole run may take."
)
@click.option("--cell-timeout", type=click.IntRange(min=1), help="Seconds that one cell may take.")
@click.option("--sample", is_flag=True, help="Take the sample's files where there are none.")
@click.option("--quiet", is_flag=True, help="Print the path only; errors go to standard error.")
@click.pass_context
def run(
    ctx: click.Context,
    notebook: str,
    assignments: Sequence[str],
    file: Path | None,
    out: str,
    force: bool,
    timeout: float | None,
    cell_timeout: int | None,
    sample: bool,
    quiet: bool,
) -> None:
    """Run NOTEBOOK and file its readout."""
    from opslab import workspace
    from opslab.errors import MachineError
    from opslab.runs.job import Limits
    from opslab.runs.runner import run_notebook
    from opslab.runs.telling import telling

    given = _parameters(ctx, assignments, file)
    limits = Limits(timeout, cell_timeout)
    with workspace.with_sample(wanted=sample), telling(notebook, quiet=quiet) as progress:
        done = run_notebook(notebook, given, out=out, force=force, limits=limits, progress=progress)
    with suppress(*(MachineError,) * done.reused):  # what is there is there
        _catalogue(done)
    _report(done, ctx.meta["language"], quiet=quiet)
    ctx.exit(done.exit_code)


main.add_command(batch)
main.add_command(share)
main.add_command(new)


@main.command()
@click.argument("executed", metavar="EXECUTED.ipynb", type=click.Path(path_type=Path))
@out_option
@click.pass_context
def render(ctx: click.Context, executed: Path, out: str) -> None:
    """File a notebook that JupyterLab, papermill or a scheduler executed, as `opslab run` would."""
    from opslab.runs.executed_notebook import file_executed, read_executed

    notebook = read_executed(executed)
    ctx.meta["language"] = notebook.language
    done = file_executed(notebook, out)
    _catalogue(done)
    _report(done, notebook.language)
    ctx.exit(done.exit_code)


@main.command(name="list")
def list_notebooks() -> None:
    """List the notebooks: opslab's, and those of this workspace that have a parameters cell."""
    from opslab.runs.own_notebooks import listed
    from opslab.runs.registry import notebooks

    for notebook in notebooks().values():
        say(f"{notebook.name:<22}{notebook.summary}")
    for number, (name, title, problem) in enumerate(listed()):
        if not number:
            say("\nThis workspace's own:")
        say(f"{name:<22}{f'cannot be run: {problem.text()}' if problem else title}")


@main.command()
@click.argument("notebook")
def describe(notebook: str) -> None:
    """Show what NOTEBOOK takes and gives."""
    from opslab.runs.own_notebooks import find

    about = find(notebook)
    say(f"{about.name}: {about.summary}\n\nGives: {about.gives}\n\nParameters:")
    for name, field in about.parameters().model_fields.items():
        default = field.default
        given = ", ".join(default) if isinstance(default, list) else default
        shown = "none" if given in ("", None) else given
        about_it = f"{field.description} " if field.description else ""
        say(f"  {name:<12}{about_it}(default: {shown})")
    say(f"\nNotebook: {about.path}")


@main.command()
@click.argument("spec")
def schema(spec: str) -> None:
    """Print the JSON schema of SPEC, such as experiment, for editors and checks."""
    from opslab.runs.registry import spec as find_spec

    say(json.dumps(find_spec(spec).model_json_schema(), indent=2, ensure_ascii=False))


@main.command()
@out_option
def demo(out: str) -> None:
    """Run every notebook on the sample data and say where to look."""
    from opslab import workspace
    from opslab.runs.registry import notebooks
    from opslab.runs.runner import run_notebook
    from opslab.runs.telling import telling

    runs = []
    for notebook in notebooks().values():
        for given in notebook.demo:
            shown = " ".join(f"{name}={value}" for name, value in given.items())
            say(f"Running {notebook.name} {shown}")
            with workspace.with_sample(), telling(notebook.name) as progress:
                runs.append(run_notebook(notebook.name, given, out=out, progress=progress))
            _report(runs[-1], "en")
    index = _catalogue(runs[-1])
    broken = sum(run.exit_code > 0 for run in runs)
    say(
        f"\n{len(runs)} readouts, {broken} of them broken on purpose "
        "to show what a failed check looks like:"
    )
    for run in runs:
        say(f"  {run.readout}")
    say(f"All of them: {index}")


@main.command(cls=WithAnswers)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--draft", is_flag=True, help="Write a first profile of your own into profiles/.")
@_language
@click.pass_context
def profile(
    ctx: click.Context, /, file: Path, draft: bool, language: Language, **given: Any
) -> None:
    """Show what the reader sees in FILE, an export of any tool, and what it does with it."""
    ctx.meta["language"] = language
    from opslab import tables
    from opslab.tables.exports import draft_profile

    answers = tables.Answers(
        **{name: given[name] for name in given if given[name] not in (None, ())}
    )
    if draft:
        say(draft_profile(file, answers=answers, language=language))
        return
    from opslab.report.import_report import lines

    with tables.open_export(file, answers=answers) as table:
        shown = "\n".join(lines(table, language))
    say(shown)


@main.command()
@click.argument("folder", default="reports")
@_language
def catalogue(folder: str, language: Language) -> None:
    """Write index.html for the runs in FOLDER."""
    from opslab import workspace
    from opslab.runs.catalogue import write_catalogue

    say(write_catalogue(workspace.root() / workspace.expanded(folder), language))


@main.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--to", metavar="FILE.zip", type=click.Path(path_type=Path), help="The zip to write.")
def bundle(run: Path, to: Path | None) -> None:
    """Pack RUN (its folder or its readout.html) with the readouts it cites into one zip to mail."""
    from opslab.messages import text
    from opslab.runs.bundle import bundle as pack

    packed = pack(run, to)
    say(text("runs.bundle_same", file=str(packed.file)) if packed.same else packed.file)


@main.command()
@click.argument("customer")
@click.option("--source", help="Of an id: what readers call its source; by default every one.")
@click.option("--study", metavar="SPEC", help="A study to look into beside those of the runs.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Day to note; by default today.")
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@out_option
def erase(customer: str, **given: Any) -> None:
    """Erase CUSTOMER (an address, or an id) from runs, bundles, sheets and caches."""
    from opslab.runs.erasure import erase as erasing

    for line in erasing(customer, **given):
        say(line)


@main.command()
@click.argument("folder", metavar="DIR")
def init(folder: str) -> None:
    """Make a workspace in DIR: notebooks, sample data, how to start. Nothing is overwritten."""
    from opslab.messages import text
    from opslab.runs.new_workspace import make_workspace

    written = make_workspace(folder)
    key = "runs.init_done" if written else "runs.init_nothing"
    say(text(key, count=len(written), folder=folder))


@main.command(context_settings={"ignore_unknown_options": True})
@click.option("--port", type=click.IntRange(0, 65535), help="Port of the server.")
@click.option("--no-browser", is_flag=True, help="Print the address only.")
@click.argument("arguments", metavar="[ARGS]...", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def lab(ctx: click.Context, port: int | None, no_browser: bool, arguments: Sequence[str]) -> None:
    """Open JupyterLab on the workspace. Further ARGS are JupyterLab's own."""
    from opslab.runs.lab import open_lab

    ctx.exit(open_lab(arguments, port=port, browser=not no_browser))


@main.command()
@click.argument("folder", default="data/sample")
def sample(folder: str) -> None:
    """Make the sample data again in FOLDER, byte for byte."""
    from opslab.runs.new_workspace import write_sample

    for file in write_sample(folder):
        say(file)


def _parameters(
    ctx: click.Context, assignments: Sequence[str], file: Path | None
) -> dict[str, Any]:
    """Return the parameters of the command line over those of the file; note their language."""
    from opslab import documents
    from opslab.archive import language_of
    from opslab.errors import ParameterError, Problem

    typed = dict(assignment.partition("=")[::2] for assignment in assignments)
    ctx.meta["language"] = language_of(typed)
    given = documents.read(file, str(file)).values if file else {}
    if isinstance(given, dict):
        ctx.meta["language"] = language_of(given | typed)
    if not isinstance(given, dict) or any(isinstance(it, dict) for it in given.values()):
        raise ParameterError.of("runs.params_file", file=str(file))
    stated: dict[str, str] = {}
    problems: list[Problem] = []
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals or not name:
            problems.append(Problem("runs.assignment", {"given": assignment}))
        elif name in stated:
            problems.append(Problem("specs.repeated_key", {"name": name}))
        stated[name] = value
    ParameterError.refuse(problems)
    return given | stated


def _report(done: Run, language: Language, *, quiet: bool = False) -> None:
    """Print headline and path; when quiet the path only, and what is wrong to standard error."""
    from opslab.messages import one_line, text

    if done.altered:
        say(text("runs.anew", language, name=done.altered), err=True)
    if done.remark and not quiet:
        say(text(done.remark, language))
    if done.exit_code or not quiet:
        say(one_line(done.headline), err=quiet)
    if done.exit_code:
        reason = done.reason or text("runs.see_readout", language)
        say(one_line(reason), err=quiet)
    same = done.reused and not quiet
    say(text("runs.bundle_same", language, file=str(done.readout)) if same else done.readout)


def _catalogue(done: Run) -> Path:
    from opslab.runs.catalogue import write_catalogue

    return write_catalogue(done.folder.parents[2])
