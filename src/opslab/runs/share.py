"""A run as a message for a channel or a mail: what it says, three facts, a link; nothing is sent.

What a run says is text from outside: in each form it is shown as it stands, and calls nobody.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opslab import workspace
from opslab.archive import READOUT, read_run
from opslab.errors import InputError, ParameterError
from opslab.messages import one_line, text
from opslab.runs.registry import notebooks

_WEB = re.compile(r"https?://[^\s<>|\"\\]+", re.ASCII)
_MARKS = re.compile(r"\.(?!\d)|[!#&*+:<>@\[\\\]^_`{|}~)-]", re.ASCII)
"""What Markdown may read as a mark; the point of a number is none."""
_LONGEST_TITLE, _LONGEST_LINE = 150, 700
"""Letters: Slack takes 150 in a header and 3,000 in a section."""
_CARD = {
    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
    "type": "AdaptiveCard",
    "version": "1.4",
}


@dataclass(frozen=True)
class _Message:
    """What is handed over: lines of plain text, the headline first, and where the page is."""

    title: str
    headline: str
    facts: Sequence[str]
    opens: str
    address: str
    published: bool


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
    message = _Message(
        title=_cut(text(f"runs.share_{card.status}", language, **about), _LONGEST_TITLE),
        headline=_cut(card.headline),
        facts=[*map(_cut, card.facts[:3])],
        opens=text("runs.share_open", language),
        address=link or (folder / READOUT).as_uri(),
        published=link is not None,
    )
    return FORMS[form](message)


def _cut(said: str, most: int = _LONGEST_LINE) -> str:
    line = one_line(said)
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _text(message: _Message) -> str:
    facts = [f"- {fact}" for fact in message.facts]
    return "\n".join([message.title, message.headline, *facts, message.address])


def _markdown(message: _Message) -> str:
    facts = "\n".join(f"- {_marked(fact)}" for fact in message.facts)
    opens = f"[{message.opens}](<{message.address}>)"
    parts = [f"**{_marked(message.title)}**", _marked(message.headline), facts, opens]
    return "\n\n".join(filter(None, parts))


def _marked(line: str) -> str:
    """Return a line in which marks are letters, and no name stands behind an @."""
    return _MARKS.sub(r"\\\g<0>", line).replace("@", "@\N{WORD JOINER}")


def _slack(message: _Message) -> str:
    said = "\n".join([message.headline, *(f"• {fact}" for fact in message.facts)])
    link = {"type": "mrkdwn", "text": f"<{message.address}|{message.opens}>"}
    sections = [_plain(said), link if message.published else _plain(message.address)]
    header = {"type": "header", "text": _plain(message.title)}
    blocks = [header, *({"type": "section", "text": section} for section in sections)]
    # What a notification shows is read as mrkdwn.
    return _json({"text": html.escape(message.title, quote=False), "blocks": blocks})


def _plain(said: str) -> dict[str, Any]:
    """Return a text in which Slack reads no marks and no names."""
    return {"type": "plain_text", "text": said, "emoji": False}


def _teams(message: _Message) -> str:
    lines = [message.headline, *(f"• {fact}" for fact in message.facts)]
    lines += [] if message.published else [message.address]
    body = [_rich(message.title, weight="Bolder", size="Medium"), *map(_rich, lines)]
    open_page = {"type": "Action.OpenUrl", "title": message.opens, "url": message.address}
    card = {**_CARD, "body": body, "actions": [open_page] if message.published else []}
    attached = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return _json({"type": "message", "attachments": [attached]})


def _rich(said: str, **style: str) -> dict[str, Any]:
    """Return a line in which Teams reads no marks: a TextBlock would."""
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": said, **style}]}


def _json(payload: Mapping[str, Any]) -> str:
    return json.dumps(payload, indent=1, ensure_ascii=False)


FORMS: Mapping[str, Callable[[_Message], str]] = {
    "markdown": _markdown,
    "slack": _slack,
    "teams": _teams,
    "text": _text,
}
