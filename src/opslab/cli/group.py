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
out_option = click.option(
    "--out", default="reports", show_default=True, help="Folder of the reports."
)


class Commands(click.Group):
    """A group that turns our errors into one clear message and the right exit code."""

    def __call__(self, *given: Any, **more: Any) -> Any:
        """Be the program: from its last word on its exit code stands, whatever signal arrives."""
        from opslab.runs.signals import ENDING

        try:
            return super().__call__(*given, **more)
        finally:
            for number in ENDING:
                signal.signal(number, signal.SIG_IGN)

    def make_context(self, *given: Any, **more: Any) -> click.Context:
        """Read the options that stand before a command."""
        with _refusals_printable():
            return super().make_context(*given, **more)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error ends the program with its message and its code.

        SIGTERM, SIGHUP and Ctrl-C end it too, and what is half written goes. An exception alone
        would not do, as it can be wrapped or swallowed: the signal is noted, and a last word
        follows in a while. It is no KeyboardInterrupt, after which Python may end itself by the
        signal, whatever the code.
        """
        from opslab.runs.signals import at_signals

        ended: list[int] = []
        last_word = threading.Timer(_GRACE_SECONDS, os._exit, [_CUT_SHORT])
        last_word.daemon = True

        def end(number: int, _frame: object) -> None:
            from opslab.messages import text

            if not ended:
                last_word.start()
            ended.append(number)
            say(text("runs.interrupted_command", ctx.meta.get("language", "en")), err=True)
            sys.exit(_CUT_SHORT)

        try:
            with _refusals_printable(), at_signals(end):
                return super().invoke(ctx)
        except (click.exceptions.ClickException, click.exceptions.Exit, click.exceptions.Abort):
            raise
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the last flush
            sys.exit(_READER_GONE)
        except Exception as error:
            if ended:
                sys.exit(_CUT_SHORT)
            if ctx.params.get("debug"):
                raise
            sys.exit(_tell(error, ctx.meta.get("language", "en")))
        finally:
            last_word.cancel()


def say(text: object, *, err: bool = False, nl: bool = True) -> None:
    """Print a text as a terminal may get it: all that a command prints goes through here."""
    from opslab.messages import printable

    click.echo(printable(str(text)), err=err, nl=nl)


@contextmanager
def _refusals_printable() -> Iterator[None]:
    """Let click's own refusals name what was typed as a terminal may get it."""
    try:
        yield
    except click.ClickException as error:
        from opslab.messages import printable

        error.message = printable(error.message)  # type: ignore[misc]  # not read yet
        raise


def _tell(error: Exception, language: Language) -> int:
    from opslab.errors import OpslabError
    from opslab.messages import text

    if isinstance(error, OpslabError):
        say(error.text(language), err=True)
        return error.exit_code
    reason = f"{type(error).__name__}: {error}"
    say(text("runs.batch_defect", language, reason=reason), err=True)
    say(text("runs.debug", language), err=True)
    return 1
