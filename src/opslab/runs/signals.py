"""When to end: at a signal of a scheduler or a terminal, or when the program above has ended."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import parent_process
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Any

_NAMES = ("SIGTERM", "SIGINT", "SIGHUP")  # Windows has no terminal that hangs up
ENDING = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]


@contextmanager
def at_signals(
    handler: Callable[[int, FrameType | None], Any] | signal.Handlers,
    numbers: Sequence[int] = ENDING,
) -> Iterator[None]:
    """Answer these signals in this block; only a program's main thread can."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    wanted = [each for each in numbers if signal.getsignal(each) is not signal.SIG_IGN]  # nohup
    before = {number: signal.signal(number, handler) for number in wanted}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def after_parent(end: Callable[[], Any]) -> None:
    """Call a function once the process that started this one has ended, however it did."""

    def wait(parent: BaseProcess) -> None:
        parent.join()
        end()

    if parent := parent_process():
        threading.Thread(target=wait, args=[parent], daemon=True).start()
