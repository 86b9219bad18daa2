"""Blocks as one PDF: A4, tagged (PDF/UA-1), the same bytes each time, without network or files.

A fixed template (``templates/opslab/document.typ``) walks the blocks; every text reaches it as
data, never as typst's code. Letters are Libertinus, which typst brings, then DejaVu Sans, which
matplotlib brings.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.ft2font import FT2Font

from opslab.errors import ExtraError
from opslab.messages import Language, one_line
from opslab.report.blocks import (
    Block,
    Cell,
    Facts,
    Folded,
    Heading,
    Pairs,
    Paragraph,
    Points,
    Table,
    Verdict,
    signs_kept,
)
from opslab.report.figures import Figure
from opslab.report.styles import template

Content = dict[str, Any]

_HALF, _PAIR = 3.5, 2
"""Drawings at most so many inches wide stand two in a row."""

_LONG, _PIECE = 18, 24

_PER = re.compile(r"(?<=\b\w/)(?=\w)")
"""Behind the slash of a unit, h/year, which is not torn apart."""


def pdf(
    blocks: Sequence[Block | Figure],
    *,
    title: str,
    language: Language,
    date: datetime.date,
    author: str = "",
    running_foot: str,
) -> bytes:
    """Return blocks as a PDF.

    Parameters
    ----------
    blocks : sequence of Block or Figure
        In order. A link to an anchor that no block has is shown as text.
    title : str
        Of the document: what a reader's window and a screen reader call it.
    language : {"en", "fr"}
    date : datetime.date
        When it was made, for the document's properties.
    author : str
        For the document's properties.
    running_foot : str
        What stands at the foot of each page, beside its number.

    Raises
    ------
    ExtraError
        When typst is not installed.
    TypeError
        When a block is of a kind that has no form on paper.
    """
    try:
        import typst
    except ImportError:
        raise ExtraError.of("report.no_pdf") from None
    writer = _Writer()
    document = {
        "title": _clean(title) or "opslab",
        "author": _clean(author),
        "language": language,
        "date": [date.year, date.month, date.day],
        "foot": _clean(running_foot),
        "blocks": writer.blocks(blocks),
        "anchors": sorted(writer.anchors),
    }
    midnight = datetime.datetime.combine(date, datetime.time(), datetime.UTC)
    sources: Any = {
        "main.typ": template("document.typ").encode(),
        "document.json": json.dumps(document).encode(),
    }
    content: bytes = typst.compile(
        sources,
        font_paths=[str(_fonts())],
        ignore_system_fonts=True,
        pdf_standards=["ua-1"],
        timestamp=int(midnight.timestamp()),
    )
    return content


class _Writer:
    """Turns blocks into what the template walks: plain lists and texts."""

    def __init__(self) -> None:
        self.anchors: set[str] = set()
        self._level = 0

    def blocks(self, blocks: Sequence[Block | Figure]) -> list[Content]:
        """Return blocks in order; two narrow drawings stand beside each other."""
        contents: list[Content] = []
        for content in map(self._block, _unfolded(blocks)):
            if contents and contents[-1]["kind"] == content["kind"] == "figures":
                both = contents[-1]["items"] + content["items"]
                if len(both) == _PAIR and all(item["inches"] <= _HALF for item in both):
                    contents[-1]["items"] = both
                    continue
            contents.append(content)
        return contents

    def _block(self, block: Block | Figure) -> Content:
        match block:
            case Verdict():
                return self._verdict(block)
            case Heading():
                heading = {"kind": "heading", "new": block.new_page}
                heading["level"] = self._deeper(block.level)
                return heading | self._text(Cell(block.text, anchor=block.anchor))
            case Paragraph():
                words = self._text(Cell(block.text, refs=block.refs))
                return {"kind": "paragraph", "tone": block.tone, "small": block.small} | words
            case Points():
                return {"kind": "points", "items": self._texts(block.items)}
            case Pairs():
                return {"kind": "pairs", "items": [[*map(_clean, pair)] for pair in block.items]}
            case Facts():
                return {"kind": "facts", "items": _facts(block)}
            case Table():
                return self._table(block)
            case Figure():
                about = {"svg": block.svg(), "inches": float(block.drawing.get_figwidth())}
                words = {"alt": _clean(block.alt), "caption": _clean(block.caption)}
                return {"kind": "figures", "items": [about | words]}
        raise TypeError(f"A {type(block).__name__} has no form on paper.")

    def _deeper(self, level: int) -> int:
        """Return a heading's level; the first is 1, and none is left out on the way down."""
        self._level = min(level, self._level + 1)
        return self._level

    def _verdict(self, block: Verdict) -> Content:
        return {
            "kind": "verdict",
            "kicker": _clean(block.kicker),
            "title": _clean(block.title),
            "level": self._deeper(1),
            "question": _clean(block.question or ""),
            "tone": block.tone,
            "action": _clean(block.action),
            "headline": _clean(block.headline),
            "reasons": self._texts([*block.reasons, *block.more]),
            "facts": _facts(block.facts),
        }

    def _table(self, block: Table) -> Content:
        groups: list[tuple[Content | None, Any]] = [
            (self._text(group.head), group.rows) for group in block.groups
        ]
        return {
            "kind": "table",
            "caption": _clean(block.caption),
            "columns": [*map(_clean, block.columns)],
            "numeric": list(block.numeric),
            "groups": [
                {"head": head, "rows": [*map(self._texts, rows)]}
                for head, rows in (groups or [(None, block.rows)])
            ],
        }

    def _texts(self, items: Iterable[str | Cell]) -> list[Content]:
        return [self._text(item if isinstance(item, Cell) else Cell(item)) for item in items]

    def _text(self, cell: Cell) -> Content:
        anchor = "" if cell.anchor in self.anchors else cell.anchor
        self.anchors |= {anchor} - {""}
        interval = f"({cell.interval})" if cell.interval else ""
        return {
            "text": _clean(cell.text),
            "remark": _clean(" · ".join(filter(None, (interval, cell.remark)))),
            "tone": cell.tone,
            "refs": [[_clean(reference.label), reference.href] for reference in cell.refs],
            "anchor": anchor,
        }


def _unfolded(blocks: Iterable[Block | Figure]) -> Iterator[Block | Figure]:
    for block in blocks:
        yield from block.blocks if isinstance(block, Folded) else (block,)


def _facts(block: Facts) -> list[list[Any]]:
    return [
        [_clean(fact.name), _clean(fact.value), [*map(_clean, fact.remarks)]]
        for fact in block.items
    ]


def _clean(text: str) -> str:
    """Return a text on one line, what has no glyph made visible, broken where it may be."""
    glyphs = _glyphs()
    line = "".join(
        letter if ord(letter) in glyphs else "\N{REPLACEMENT CHARACTER}"
        for letter in one_line(text)
    )
    line = re.sub(rf"[^\s\u00ad-]{{{_LONG},}}", _breakable, line)
    return _PER.sub("\N{WORD JOINER}", signs_kept(line))


def _breakable(word: re.Match[str]) -> str:
    """Return a long word that may be broken after its marks, and every so many letters."""
    pieces = re.sub(r"(?<=[_/.:@,;=&?|+~\\])(?=\w)", "\N{ZERO WIDTH SPACE}", word[0])
    return re.sub(rf"[^\u200b]{{{_PIECE}}}(?=[^\u200b])", "\\g<0>\N{ZERO WIDTH SPACE}", pieces)


def _fonts() -> Path:
    return Path(mpl.get_data_path(), "fonts", "ttf")


@cache
def _glyphs() -> frozenset[int]:
    """Return the code points that the last of the fonts has a glyph for."""
    return frozenset(FT2Font(str(_fonts() / "DejaVuSans.ttf")).get_charmap())
