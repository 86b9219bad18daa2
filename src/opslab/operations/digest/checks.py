"""Whether a digest speaks of all that there is: runs at all, altered, failed, stopped, unread."""

from __future__ import annotations

from collections.abc import Sequence

from opslab.operations.digest.result import News
from opslab.operations.digest.window import Window
from opslab.results import Check, Message, Status


def run(
    window: Window, stopped: Sequence[str], unread: Sequence[str], news: Sequence[News]
) -> tuple[Check, ...]:
    """Return the checks; where no run can be read, none stands for "nothing changed".

    Parameters
    ----------
    window : Window
    stopped, unread : sequence of str
        Ids of runs.
    news : sequence of News
    """
    whole = {pair.run.id for pair in window.pairs} - {*stopped, *unread}
    wrong = bool(window.altered or window.failed or stopped or unread)
    news_of_runs = any(item.run for item in news)
    there = whole or news_of_runs or (window.earlier and not wrong)
    values = {"count": len(window.pairs), "earlier": window.earlier}
    state = "fail" if not there else "pass" if whole or news_of_runs else "quiet"
    runs = Check(
        "runs",
        "pass" if there else "fail",
        Message(f"digest.runs_{state}", values),
        len(window.pairs),
        blocking=True,
    )
    names = {"altered": window.altered, "unread": unread, "stopped": stopped}
    others = [_check(name, [*ids], len(ids), "fail") for name, ids in names.items()]
    others.append(_check("several", [*window.others], len(window.others), "warn"))
    return (runs, *others, _check("failed", [], window.failed, "warn"))


def _check(name: str, names: Sequence[str], count: int, wrong: Status) -> Check:
    status = wrong if count else "pass"
    detail = Message(f"digest.{name}_{status}", {"names": names, "count": count})
    return Check(name, status, detail, count)
