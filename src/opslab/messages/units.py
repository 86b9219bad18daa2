"""A unit that a user named in the singular, as it stands behind a number."""

from __future__ import annotations

import re

from opslab.messages import Language, catalogue, text
from opslab.messages.numbers import Numbers

_AS_IT_IS = r"^(.{1,2}|min|non|.*[^a-zà-ÿœ'-].*)$"
"""A word that has one form: h, FTE."""

_ENDINGS = {
    "en": {
        _AS_IT_IS: r"\1",
        "person$": "people",
        "(?<=[^aeiou])y$": "ies",
        "is$": "es",
        "(?<=[^isu])s$": "s",
        "(s|x|z|ch|sh)$": r"\1es",
        "$": "s",
    },
    "fr": {
        _AS_IT_IS: r"\1",
        "(?<=[sxz])$": "",
        "(?<=v)ail$|al$": "aux",
        "(?<=eu|au)$": "x",
        "$": "s",
    },
}
"""Endings of one and of several; the first that fits counts."""

_COMPLEMENT = re.compile(
    r"(?= [(]| (?:an?|at|by|each|every|for|from|in|of|on|per|to|with)\b"
    r"| d'| (?:à|au|aux|avec|dans|de|des|du|en|par|pour|sans|sur)\b)"
)
"""Where what counts ends, and what says more of it begins, in either language."""


def counted(unit: str, count: float | str, language: Language) -> str:
    """Return a unit as it stands behind a number, without the number.

    Parameters
    ----------
    unit : str
        In the singular, such as ``week of delay``; ``hours``, ``week`` and the like are known in
        both languages. What stands behind a slash stays in the singular.
    count : float or str
        The number, or the text by which it is shown.
    language : {"en", "fr"}

    Examples
    --------
    >>> counted("week of delay", "45.8", "en"), counted("semaine de retard", 1.5, "fr")
    ('weeks of delay', 'semaine de retard')
    """
    head, slash, per = map(str.strip, unit.partition("/"))
    if slash:
        per = text("words.per", language, unit=counted(per, 1, language))
        return f"{counted(head, count, language)} {per}"
    for known in catalogue(language, "words"):
        if known.startswith("count_") and (
            known == f"count_{head.removesuffix('s')}" or head in _forms(known, language)
        ):
            return text(f"words.{known}", language, count=count)
    noun, *more = _COMPLEMENT.split(head, 1)
    agrees = "[^ -]+" if language == "fr" else "[^ ]+$"
    several = re.sub(agrees, lambda word: _several(word[0], language), noun) + "".join(more)
    return Numbers(language).plural(count, [head, several])


def _forms(known: str, language: Language) -> tuple[str, ...]:
    """Return a unit of the catalogue as one and as several of it."""
    return tuple(text(f"words.{known}", language, count=count) for count in (1, 2))


def _several(word: str, language: Language) -> str:
    endings = _ENDINGS[language]
    return next(re.sub(end, endings[end], word) for end in endings if re.search(end, word))
