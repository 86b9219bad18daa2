"""The group of commands: our errors as one clear message and the right exit code."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from opslab.messages import Language

_READER_GONE = 141
"""Exit code of a program whose reader has left, as a shell tells it: ``opslab … | head``."""
_CUT_SHORT = 4
_GRACE_SECONDS = 10


class Commands(click.Group):
    """A group that turns our errors into one clear message and the right exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error ends the program with its message and its code."""
        try:
            with _ended_by_signals():
                return super().invoke(ctx)
        except (click.exceptions.ClickException, click.exceptions.Exit, click.exceptions.Abort):
            raise
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the last flush
            sys.exit(_READER_GONE)
        except Exception as error:
            if ctx.params.get("debug"):
                raise
            sys.exit(_tell(error, ctx.meta.get("language", "en")))


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGTERM, SIGHUP and Ctrl-C end what is under way: what is half written goes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    names = ("SIGTERM", "SIGINT", "SIGHUP", "SIGALRM")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.signal(number, _end) for number in numbers}
    try:
        yield
    finally:
        if hasattr(signal, "alarm"):
            signal.alarm(0)
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, _frame: object) -> None:
    """Leave as on any error; an exception can be swallowed, so a last word follows in a while.

    It is no KeyboardInterrupt: after one Python may end itself by the signal, whatever the code.
    """
    if hasattr(signal, "SIGALRM"):
        if number == signal.SIGALRM:
            os._exit(_CUT_SHORT)
        signal.alarm(_GRACE_SECONDS)
    click.echo("Interrupted; what was complete is kept.", err=True)
    sys.exit(_CUT_SHORT)


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
