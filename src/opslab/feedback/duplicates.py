"""Copies of a message: equal but for case and punctuation, or nearly so by verified Jaccard similarity."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from itertools import chain

import numpy as np
from scipy import sparse

NEAR = 0.8
"""Jaccard similarity of the shingles from which two texts are copies of one another."""

_SHINGLE, _TEMPLATE_WORDINGS, _TEMPLATE_WORDS = 5, 5, 8
_MOST_SHINGLES = 600  # of a text that are compared
_EXTRA, _BLOCK = 4, 4096


def normal(text: str) -> str:
    """Return a text as two copies share it: lower case, words alone, each run of digits as one 0."""
    return re.sub(r"\d+", "0", " ".join(re.findall(r"\w+", text.casefold()))) or text


def copies(texts: Sequence[str], least: float = NEAR) -> tuple[list[int], list[bool]]:
    """Return for each text the place of the first one it copies (its own when none), and what is a template.

    All pairs of a Jaccard similarity of at least `least` over shingles of five characters are
    found, and only they: a pair that similar shares several of its rarest shingles (prefix filter;
    Chaudhuri, Ganti & Kaushik 2006), and each candidate is verified. A copy of a copy is a copy. A
    template is a text of at least eight words in at least five wordings: spam, or a form that
    people send.

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
    sets = [
        (
            {
                text[at : at + _SHINGLE]
                for at in range(min(max(len(text) - _SHINGLE + 1, 1), _MOST_SHINGLES))
            },
            place,
        )
        for text, place in distinct
    ]
    sets.sort(key=lambda one: (len(one[0]), one[1]))
    counts = Counter(chain.from_iterable(shingles for shingles, _ in sets))
    numbers: dict[str, int] = {}
    rows, columns, needed = list[int](), list[int](), np.ones(len(sets))
    for row, (shingles, _) in enumerate(sets):
        size = len(shingles)
        rare = sorted((counts[one], one) for one in shingles)
        prefix = rare[: size - math.ceil(least * size) + 1 + _EXTRA]
        needed[row] += _EXTRA if len(prefix) < size else 0
        often = [numbers.setdefault(one, len(numbers)) for count, one in prefix if count > 1]
        columns += often
        rows += [row] * len(often)
    ones = np.ones(len(rows), np.float32)
    holds = sparse.csr_matrix((ones, (rows, columns)), (len(sets), max(len(numbers), 1)))
    sizes = np.array([len(shingles) for shingles, _ in sets])
    pairs = []
    for start in range(0, len(sets), _BLOCK):
        both = (holds[start : start + _BLOCK] @ holds[: start + _BLOCK].T).tocoo()
        later, earlier = both.row + start, both.col
        alike = (
            (both.data >= needed[later])
            & (earlier < later)
            & (sizes[earlier] >= least * sizes[later])
        )
        for one, other in zip(later[alike].tolist(), earlier[alike].tolist(), strict=True):
            shared = len(sets[one][0] & sets[other][0])
            if shared >= least * (sizes[one] + sizes[other] - shared):
                pairs.append((sets[other][1], sets[one][1]))
    return sorted(pairs)
