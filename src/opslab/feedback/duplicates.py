"""Copies of a message: equal but for case and punctuation, or nearly so by verified Jaccard similarity."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

NEAR = 0.8
"""Jaccard similarity of the shingles from which two texts are copies of one another."""

_SHINGLE, _TEMPLATE_WORDINGS, _TEMPLATE_WORDS = 5, 5, 8
_MOST_SHINGLES = 600  # of a text that are compared


def normal(text: str) -> str:
    """Return a text as two copies share it: lower case, words alone, each run of digits as one 0."""
    return re.sub(r"\d+", "0", " ".join(re.findall(r"\w+", text.casefold()))) or text


def copies(texts: Sequence[str], least: float = NEAR) -> tuple[list[int], list[bool]]:
    """Return for each text the place of the first one it copies (its own when none), and what is a template.

    All pairs of a Jaccard similarity of at least `least` over shingles of five characters are found, and only
    they: a pair that similar shares one of its rarest shingles (prefix filter; Chaudhuri, Ganti & Kaushik
    2006), and each candidate is verified. A copy of a copy is a copy. A template is a text of at least eight
    words in at least five wordings: spam, or a form that people send.

    Parameters
    ----------
    texts : sequence of str
        In their canonical order.
    least : float

    Examples
    --------
    >>> copies(["The app crashes!", "the app crashes", "Nothing like it"])
    ([0, 0, 2], [False, False, False])
    """
    wordings: dict[str, int] = {}
    first = [wordings.setdefault(normal(text), place) for place, text in enumerate(texts)]
    distinct = list(wordings.items())
    parent = dict(zip(wordings.values(), wordings.values(), strict=True))

    def root(place: int) -> int:
        while parent[place] != place:
            place = parent[place]
        return place

    for one, other in _near_pairs(distinct, least):
        low, high = sorted((root(one), root(other)))
        parent[high] = low
    roots = {place: root(place) for place in parent}
    sizes = Counter(roots.values())
    template = {
        place
        for place, size in sizes.items()
        if size >= _TEMPLATE_WORDINGS and len(texts[place].split()) >= _TEMPLATE_WORDS
    }
    copied = [roots[place] for place in first]
    return copied, [place in template for place in copied]


def _near_pairs(distinct: Sequence[tuple[str, int]], least: float) -> list[tuple[int, int]]:
    sets = {
        place: {
            text[at : at + _SHINGLE] for at in range(min(max(len(text) - _SHINGLE + 1, 1), _MOST_SHINGLES))
        }
        for text, place in distinct
    }
    counts = Counter(shingle for shingles in sets.values() for shingle in shingles)
    index: dict[str, list[int]] = defaultdict(list)
    pairs = []
    for place in sorted(sets, key=lambda place: (len(sets[place]), place)):
        shingles = sets[place]
        prefix = sorted(shingles, key=lambda one: (counts[one], one))
        prefix = prefix[: len(shingles) - int(-(-least * len(shingles) // 1)) + 1]
        candidates = {other for shingle in prefix for other in index[shingle]}
        for other in candidates:
            if len(sets[other]) < least * len(shingles):
                continue
            shared = len(shingles & sets[other])
            if shared >= least * (len(shingles) + len(sets[other]) - shared):
                pairs.append((other, place))
        for shingle in prefix:
            if counts[shingle] > 1:
                index[shingle].append(place)
    return sorted(pairs)
