"""The language of each text: as the export states it, or told by its script and then its words."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

from opslab.feedback.words import table

_SURE = 0.5  # share that a language must have among those of its script
_EXPECTED = 4  # times as likely as others are the languages that the study expects
_READ = 400  # characters of a text
_LATIN = "LATIN"


def identify(
    texts: Sequence[str], expected: Sequence[str], stated: Sequence[str | None]
) -> list[str | None]:
    """Return the language of each text in two letters, None where it cannot be told.

    The script tells Chinese, Korean or Greek at any length. Within a script the words do
    (py3langid; Lui & Baldwin 2012), where one language has half of what speaks for any: of what is
    too short, such as "Super", the language stays unknown.

    Parameters
    ----------
    texts : sequence of str
    expected : sequence of str
        Two letters each. They are more likely than others, and none is forced on a text.
    stated : sequence of str or None
        What the export says, such as ``fr``, ``fr_FR`` or ``French``: it is believed where it is a
        language, and the text's script can be that language's.

    Examples
    --------
    >>> identify(["Der Versand war sehr langsam", "太慢了", "Top"], ["en", "fr"], [None] * 3)
    ['de', 'zh', None]
    """
    return [_language(*pair, tuple(expected)) for pair in zip(texts, stated, strict=True)]


def _language(text: str, stated: str | None, expected: tuple[str, ...]) -> str | None:
    script, languages = _script(text[:_READ]), table("scripts.toml")
    believed = _codes().get(re.split(r"[\W\d_]", (stated or "").casefold())[0])
    if believed and (script in (None, _LATIN) or believed not in languages[_LATIN]):
        return believed
    if script is None:
        return None
    candidates: list[str] = [*languages.get(script, ())]
    if len(candidates) == 1:
        return candidates[0]
    candidates += expected if candidates else ()
    likely = {
        language: share * (_EXPECTED if language in expected else 1)
        for language, share in _identifier(*candidates).rank(text[:_READ])
    }
    best = max(likely, key=likely.__getitem__)
    return best if likely[best] >= _SURE * sum(likely.values()) else None


def _script(text: str) -> str | None:
    """Return the script of a text, None without letters.

    Brands stand in Latin letters in any language: a third in another script makes it that one's;
    and some kana among Chinese characters are Japanese.
    """
    letters = [sign for sign in text if sign.isalpha()]
    others = Counter(unicodedata.name(sign, "?").split()[0] for sign in letters if sign > "\u036f")
    del others[_LATIN]
    if others["HIRAGANA"] + others["KATAKANA"] > others["CJK"] / 10:
        del others["CJK"]
    for script, count in others.most_common(1):
        if count > len(letters) / 3:
            return script
    return _LATIN if letters else None


@cache
def _codes() -> dict[str, str]:
    """Return the two letters of each language by its codes, and its English and French name."""
    from babel import Locale
    from babel.core import get_global

    codes = dict(get_global("language_aliases"))
    for language in ("en", "fr"):
        for code, name in Locale(language).languages.items():
            codes[code] = codes[name.casefold()] = code
    return {name: code for name, code in codes.items() if len(code) == 2}  # noqa: PLR2004 - ISO 639


@cache
def _identifier(*languages: str) -> Any:
    """Return what tells these languages apart, or without any all that it knows."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(set(languages) & set(identifier.labels) or None)
    return identifier
