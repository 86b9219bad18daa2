"""Clauses of what customers write that can be read as titles; the grammar is in words/*.toml."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files


@cache
def _grammar(language: str) -> list[re.Pattern[str]]:
    """Return what divides clauses, what trails in one, furniture around it, and what is unfit."""
    path = files("opslab.feedback").joinpath("words", "clauses.toml")
    grammars = tomllib.loads(path.read_text(encoding="utf-8"))
    return [re.compile(part) for part in grammars.get(language, grammars["other"]).values()]


def clauses(text: str, language: str) -> list[str]:
    """Return the clauses of a text that can be read as titles, in its order.

    Examples
    --------
    >>> clauses("Hello, the app crashes when I open it, and then I have to start again.", "en")
    ['The app crashes when I open it', 'The app crashes', 'I have to start']
    """
    divide, tail, furniture, unfit = _grammar(language)
    parts = divide.split(text)
    parts = [furniture.sub("", part) for whole in parts for part in (whole, tail.sub("", whole))]
    fit = (part for part in parts if not unfit.search(part))
    return list(dict.fromkeys(part[0].upper() + part[1:] for part in fit))
