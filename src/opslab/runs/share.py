"""A run as a message for a channel or a mail: what it says, three facts, a link; nothing is sent.

What a run says is text from outside: in each form it is shown as it stands, and calls nobody.
"""

from __future__ import annotations

import re
from pathlib import Path

from opslab import workspace
from opslab.archive import READOUT, read_run
from opslab.errors import InputError, ParameterError
from opslab.messages import one_line, text
from opslab.report import catalogue
from opslab.runs.registry import notebooks

_WEB = re.compile(r"https?://[^\s<>|\"\\]+", re.ASCII)
_LONGEST_TITLE, _LONGEST_LINE = 150, 700
"""Letters: Slack takes 150 in a header and 3,000 in a section."""


def share(run: str | Path, form: str, link: str | None = None) -> str:
    """Return a run as a message.

    Parameters
    ----------
    run : path
        A run folder, or the readout in it.
    form : {"markdown", "slack", "teams", "text"}
        Slack's is the payload of an incoming webhook, Teams' that of a workflow's webhook.
    link : str, optional
        Where the page is published; by default its address on this machine.

    Raises
    ------
    InputError
        When there is no whole run, it was altered since it was filed, or the link is none.
    """
    given = workspace.expanded(run)
    folder = (given.parent if given.name == READOUT else given).resolve()
    filed = read_run(folder)
    card = filed.card
    if card is None:
        raise InputError.of("runs.bundle_no_run", file=str(run))
    if filed.altered:
        raise InputError.of("runs.bundle_broken", file=str(run), name=filed.altered)
    if link is not None and not _WEB.fullmatch(link):
        raise ParameterError.of("runs.share_link", field="--link", link=link)
    known, language = notebooks().get(card.notebook), card.language
    about = {
        "kind": known.title[language] if known else card.notebook,
        "name": card.name,
        "action": card.action or text(f"report.status_{card.status}", language),
    }
    shared = catalogue.form(f"share_{form}.j2").render(
        title=_cut(text(f"runs.share_{card.status}", language, **about), _LONGEST_TITLE),
        headline=_cut(card.headline),
        facts=[*map(_cut, card.facts[:3])],
        opens=text("runs.share_open", language),
        address=link or (folder / READOUT).as_uri(),
        published=link is not None,
    )
    return str(shared)


def _cut(said: str, most: int = _LONGEST_LINE) -> str:
    line = one_line(said)
    return line if len(line) <= most else f"{line[: most - 1]}…"
