"""The command ``opslab share``: a run as a message, printed."""

from __future__ import annotations

from pathlib import Path

import click

from opslab.cli.group import say


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--as",
    "form",
    type=click.Choice(["markdown", "slack", "teams", "text"]),
    default="text",
    show_default=True,
    help="Slack and Teams: the payload of a webhook.",
)
@click.option("--link", metavar="URL", help="Where the page is published.")
def share(run: Path, form: str, link: str | None) -> None:
    """Print RUN (its folder or its readout.html) as a message; nothing is sent."""
    from opslab.runs.share import share as message

    say(message(run, form, link))
