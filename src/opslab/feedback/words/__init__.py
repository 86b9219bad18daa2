"""What is known of languages: words and turns of phrase, as tables that users may read."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any


@cache
def table(name: str) -> Any:
    """Return what a TOML file of this folder holds."""
    return tomllib.loads(Path(__file__).with_name(name).read_text("utf-8"))
