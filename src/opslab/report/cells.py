"""Showing results in a notebook's cells, and attaching the record that the runner collects."""

from __future__ import annotations

import base64
import hashlib
import os
import zlib
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from opslab import provenance
from opslab.errors import ON_BLOCKING, BlockingCheckError, ParameterError
from opslab.evidence import FILES_TYPE, RECORD_TYPE
from opslab.messages import Language
from opslab.report.blocks import Block, Cell, Facts, Heading, Verdict, html
from opslab.report.figures import Figure
from opslab.report.plain import plain
from opslab.report.styles import cell_style
from opslab.results import Result
from opslab.version import __version__

HTML = "text/html"


def show(*blocks: Block | Figure) -> None:
    """Show blocks and figures in a cell's output, in order."""
    from IPython.display import display

    for drawn, grouped in groupby(blocks, lambda block: isinstance(block, Figure)):
        together: list[Any] = list(grouped)
        bundles = [one._repr_mimebundle_() for one in together] if drawn else [bundle(*together)]
        for data, metadata in bundles:
            display(data, metadata=metadata, raw=True)


def bundle(*blocks: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return blocks as the data and metadata of one output.

    The HTML brings a small style of its own, which reaches nothing else; the metadata say how long
    it is and which headings stand in it, so that the page need not read HTML.
    """
    style = cell_style()
    source = f'{style}<div class="opslab">{html(blocks)}</div>'
    about = {"style": len(style), "headings": [*_headings(blocks)]}
    return {HTML: source, "text/plain": plain(blocks)}, {HTML: about}


def _headings(blocks: Iterable[Block]) -> Iterable[list[Any]]:
    for block in blocks:
        if isinstance(block, Heading):
            yield [block.level, block.anchor, block.text]
        if isinstance(block, Verdict):
            yield [1, "", block.title]


def packed(content: bytes) -> str:
    """Return a file's bytes as text, compressed, the same each time."""
    return base64.b64encode(zlib.compress(content, 9)).decode()


def publish(result: Result, language: Language | None = None) -> None:
    """Show a result's first screen and attach its record to the cell.

    The last code cell of a notebook calls it. The record travels in the notebook itself, so that a
    run by plain papermill, by a scheduler or by hand carries its own result, its files and its
    documents.

    Parameters
    ----------
    result : Result
    language : {"en", "fr"}, optional
        By default the result's own.

    Raises
    ------
    BlockingCheckError
        When a blocking check is red and the environment variable ``OPSLAB_ON_BLOCKING`` is
        ``raise``: then a scheduler that knows exceptions only sees it too. `opslab run` and
        `opslab render` tell by their exit code.
    """
    from IPython.display import display

    raises = _raises()
    screen = result.first_screen(language)
    data, metadata = bundle(screen)
    headline, record = result.headline(language), result.record()
    data |= {"text/plain": headline, RECORD_TYPE: record}
    about: dict[str, Any] = {
        "language": language or result.language,
        "opslab": __version__,
        "action": screen.action,
        "tone": screen.tone,
        "facts": [plain([Facts([fact])]) for fact in screen.facts.items[:3]],
        "read": provenance.files_read(),
    }
    red = record["status"] == "check_failed"
    if red:
        first = next(iter(screen.reasons), "")
        about["reason"] = first.text if isinstance(first, Cell) else first
    files = {**result.files(), **result.takeaway(language)}
    documents = result.documents(language)
    if files:
        about["files"] = _named(files)
    if documents is not None:
        about["documents"] = _named(documents)
        files |= documents
    if files:
        data[FILES_TYPE] = {name: packed(content) for name, content in files.items()}
    display(data, metadata=metadata | {RECORD_TYPE: about}, raw=True)
    show(*filter(None, [screen.figure]))
    if red and raises:
        raise BlockingCheckError.of("runs.reason", reason=f"{headline} {about['reason']}".strip())


def _named(files: Mapping[str, bytes]) -> list[dict[str, str]]:
    return [
        {"file": name, "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in files.items()
    ]


def _raises() -> bool:
    """Whether a red blocking check is to be an error here."""
    asked = os.environ.get(ON_BLOCKING, "")
    if asked not in {"", "raise"}:
        raise ParameterError.of("report.on_blocking", variable=ON_BLOCKING, given=asked)
    return asked == "raise"
