"""Showing results in a notebook's cells, and attaching the record that the runner collects."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import opslab
from opslab.evidence import FILES_TYPE, RECORD_TYPE, Evidence
from opslab.messages import Language
from opslab.report.blocks import Block, Verdict, html

if TYPE_CHECKING:
    from opslab.report.figures import Figure


@runtime_checkable
class Result(Protocol):
    """What every area's result offers."""

    def headline(self, language: Language = "en") -> str:
        """Return one plain sentence with the number and its uncertainty."""
        ...

    def first_screen(self, language: Language = "en") -> Verdict:
        """Return what happened, how sure we are, and what to do."""
        ...

    def frame(self) -> Any:
        """Return the tidy table (pandas)."""
        ...

    def figures(self, language: Language = "en") -> Mapping[str, Figure]:
        """Return the figures by name."""
        ...

    def evidence(self) -> Sequence[Evidence]:
        """Return what the business case may build on."""
        ...

    def record(self) -> dict[str, Any]:
        """Return ``result.json``: numbers and message keys, the same in every language."""
        ...


def show(*blocks: Block | Figure) -> None:
    """Show blocks and figures in a cell's output, in order."""
    from IPython.display import HTML, display

    from opslab.report.figures import Figure

    pending: list[Block] = []
    for block in blocks:
        if isinstance(block, Figure):
            if pending:
                display(HTML(html(pending)))
                pending = []
            data, metadata = block._repr_mimebundle_()
            display(data, metadata=metadata, raw=True)
        else:
            pending.append(block)
    if pending:
        display(HTML(html(pending)))


def packed(content: bytes) -> str:
    """Return a file's bytes as text, compressed, the same each time."""
    return base64.b64encode(zlib.compress(content, 9)).decode()


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def publish(result: Result, language: Language = "en") -> None:
    """Show a result's first screen and attach its record to the cell.

    The last code cell of a notebook calls it. The record travels in the notebook itself, so that a
    run by plain papermill, by a scheduler or by hand carries its own result, its files and its
    document.
    """
    from IPython.display import display

    screen = result.first_screen(language)
    data = {
        "text/html": html([screen]),
        "text/plain": result.headline(language),
        RECORD_TYPE: result.record(),
    }
    files = dict(result.files()) if hasattr(result, "files") else {}
    about: dict[str, Any] = {"language": language, "opslab": opslab.__version__}
    about |= {"action": screen.action, "tone": screen.tone}
    if hasattr(result, "document"):
        made = result.document(language)
        about["documents"] = [] if made is None else [{"file": made[0], "sha256": _hash(made[1])}]
        files |= [] if made is None else [made]
    if files:
        data[FILES_TYPE] = {name: packed(content) for name, content in files.items()}
    display(data, metadata={RECORD_TYPE: about}, raw=True)
