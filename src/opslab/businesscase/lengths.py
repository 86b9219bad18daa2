"""How long the document is."""

from __future__ import annotations

from typing import Literal

Length = Literal["one_page", "three_pages", "full"]
"""The first page, the three pages to decide on, or all with the annexes."""
