"""The language of each text: as the export states it, or identified, expected ones first."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

_SHORTEST, _SURE = 20, 0.8  # letters, and certainty, of a text in a language nobody expects
_READ = 1000  # characters of a text


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def identify(
    texts: Sequence[str], expected: Sequence[str], stated: Sequence[str | None]
) -> list[str | None]:
    """Return the language of each text in two letters, None for a text without letters.

    Parameters
    ----------
    texts : sequence of str
    expected : sequence of str
        Two letters each. A text of some length that is clearly in another language keeps that one.
    stated : sequence of str or None
        What the export says, such as ``fr`` or ``fr_FR``: it is believed.
    """
    return [_language(*pair, expected) for pair in zip(texts, stated, strict=True)]


def _language(text: str, stated: str | None, expected: Sequence[str]) -> str | None:
    if stated and stated[:2].isalpha():
        return stated[:2].lower()
    start = text[:_READ]
    letters = sum(map(str.isalpha, start))
    if not letters:
        return None
    best, share = _identifier().classify(start)
    if best not in expected and (letters < _SHORTEST or share < _SURE):
        ranked = (name for name, _ in _identifier().rank(start))
        best = next((name for name in ranked if name in expected), best)
    return str(best)
