"""Writing the catalogue of the runs in a folder of reports."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from opslab.archive import READOUT, RUN, Card
from opslab.messages import Language, text
from opslab.messages.numbers import Numbers
from opslab.report.blocks import TONES
from opslab.report.catalogue import Entry, render_catalogue
from opslab.runs.folder import machine_errors, write_whole
from opslab.runs.registry import notebooks

INDEX = "index.html"


def write_catalogue(reports: Path, language: Language = "en") -> Path:
    """Write ``index.html`` for the whole runs under a folder, newest first; return its path.

    Raises
    ------
    MachineError
        When the folder cannot be written.
    """
    index = reports / INDEX
    with machine_errors(reports):
        reports.mkdir(parents=True, exist_ok=True)
        write_whole(index, render_catalogue(_entries(reports, language), language).encode())
    return index


def _entries(reports: Path, language: Language) -> list[Entry]:
    cards = {}
    for path in sorted(reports.glob(f"*/*/*/{RUN}")):
        folder, card = path.parent, Card.read(path)
        if card is not None and not folder.name.startswith("."):
            cards[f"{folder.relative_to(reports).as_posix()}/{READOUT}"] = card
    newest = sorted(cards.items(), key=lambda item: (item[1].as_of, item[1].name), reverse=True)
    return [entry(card, link, language) for link, card in newest]


def entry(card: Card, path: str, language: Language) -> Entry:
    """Return the catalogue's line for one run.

    Parameters
    ----------
    card : Card
    path : str
        Of its readout, from the catalogue's folder.
    language : {"en", "fr"}
    """
    known = notebooks().get(card.notebook)
    return Entry(
        link=quote(path),
        name=card.name,
        kind=known.title[language] if known else card.notebook,
        date=Numbers(language).date(card.as_of),
        headline=card.headline,
        action=card.action or text(f"report.status_{card.status}", language),
        tone=next((tone for tone in TONES if tone == card.tone), "plain"),
        language=card.language,
    )
