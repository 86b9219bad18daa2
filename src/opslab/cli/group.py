"""The group of commands: our errors as one clear message and the right exit code."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from opslab.messages import Language

_READER_GONE = 141
"""Exit code of a program whose reader has left, as a shell tells it: ``opslab … | head``."""


class Commands(click.Group):
    """A group that turns our errors into one clear message and the right exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error ends the program with its message and its code."""
        for number in filter(None, (signal.SIGTERM, getattr(signal, "SIGHUP", None))):
            signal.signal(number, _interrupt)
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            from opslab.errors import RunError
            from opslab.messages import text

            click.echo(text("runs.stopped", ctx.meta.get("language", "en")), err=True)
            sys.exit(RunError.exit_code)
        except (click.exceptions.ClickException, click.exceptions.Exit, click.exceptions.Abort):
            raise
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the last flush
            sys.exit(_READER_GONE)
        except Exception as error:
            if ctx.params.get("debug"):
                raise
            sys.exit(_tell(error, ctx.meta.get("language", "en")))


def _interrupt(*_: object) -> None:
    """End what is under way as Ctrl-C does: what is half written goes, and the code is the same."""
    raise KeyboardInterrupt


def _tell(error: Exception, language: Language) -> int:
    from opslab.errors import OpslabError
    from opslab.messages import one_line

    if isinstance(error, OpslabError):
        click.echo(error.text(language), err=True)
        return error.exit_code
    reason = one_line(str(error))
    click.echo(f"This is a defect of opslab: {type(error).__name__}: {reason}", err=True)
    click.echo("Run it again with `opslab --debug …` and report what that prints.", err=True)
    return 1
