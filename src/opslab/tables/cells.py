"""Text as a cell of CSV that no spreadsheet runs as a formula."""

from __future__ import annotations

import re
import unicodedata

UNKNOWN = "\N{REPLACEMENT CHARACTER}"
_PARTING = re.compile(r'[,;\t|"\r\n]')  # what any program may part cells at
_UNENCODABLE = re.compile(r"[\ud800-\udfff]")


def csv_cell(text: str) -> str:
    """Return a text as a cell of CSV, an apostrophe before what may run as a formula."""
    text = _UNENCODABLE.sub(UNKNOWN, f"'{text}" if is_risky(text) else text)
    return '"' + text.replace('"', '""') + '"' if _PARTING.search(text) else text


def is_risky(text: str) -> bool:
    """Whether a spreadsheet may run a text as a formula, or would with an apostrophe less."""
    bare = text.lstrip("'")
    seen = (sign for sign in bare if sign.isprintable() and sign != " ")
    first = unicodedata.normalize("NFKC", next(seen, ""))
    return first in {*"=+-@"} or bare.startswith(("\t", "\r", "\n"))
