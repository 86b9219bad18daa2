"""Clauses of what customers write that can be read as titles: words/clauses.toml says which."""

from __future__ import annotations

import re
from functools import cache

from opslab.feedback.words import table


@cache
def _grammar(language: str) -> list[re.Pattern[str]]:
    """Return what divides clauses, what trails in one, furniture around it, and what is unfit."""
    grammars = table("clauses.toml")
    return [re.compile(part) for part in grammars.get(language, grammars["other"]).values()]


def clauses(text: str, language: str) -> set[str]:
    """Return the clauses of a text that can be read as titles.

    Examples
    --------
    >>> sorted(clauses("Hello, the app crashes when I open it, and then I start over", "en"))
    ['I start over', 'the app crashes', 'the app crashes when I open it']
    """
    divide, tail, furniture, unfit = _grammar(language)
    parts = divide.split(text)
    parts += [tail.sub("", part) for part in parts]
    return {part for part in (furniture.sub("", part) for part in parts) if not unfit.search(part)}
