"""The language of each text: as the export states it, or identified, those that are expected first."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

_SHORTEST, _SURE = (
    20,
    0.8,
)  # letters of a text that may be in a language nobody expects, and how sure


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
    found: list[str | None] = []
    for text, said in zip(texts, stated, strict=True):
        letters = sum(map(str.isalpha, text[:1000]))
        if said and said[:2].isalpha():
            found.append(said[:2].lower())
        elif not letters:
            found.append(None)
        else:
            best, share = _identifier().classify(text[:1000])
            if best not in expected and (letters < _SHORTEST or share < _SURE):
                ranked = _identifier().rank(text[:1000])
                best = next((name for name, _ in ranked if name in expected), best)
            found.append(str(best))
    return found
