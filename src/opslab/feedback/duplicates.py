"""Copies of a message: equal but for case and punctuation, or of a high Jaccard similarity."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

NEAR = 0.8
"""Jaccard similarity of the shingles from which two texts are copies of one another."""

_SHINGLE, _TEMPLATE_WORDINGS, _TEMPLATE_WORDS = 5, 5, 8
_MOST = 600  # shingles of a text that are compared
_EXTRA, _BLOCK = 4, 4096
_FEW = 512  # texts of a block that are compared at a time: what they share fills memory
_MARKS = 512  # bits that mark of which shingles a text has an odd number
_PRIME = np.uint64(0x9E3779B97F4A7C15)

Numbers = NDArray[Any]


def normal(text: str) -> str:
    """Return a text as two copies share it: words in lower case, each run of digits as one 0."""
    return re.sub(r"\d+", "0", " ".join(re.findall(r"\w+", text.casefold()))) or text


def copies(texts: Sequence[str]) -> tuple[list[int], list[bool]]:
    """Return for each text the position of the first that it copies, and whether it is a template.

    All pairs of a Jaccard similarity of at least `NEAR` over shingles of five characters are
    copies, and only they; a copy of a copy is a copy, and a text that copies none is its own. A
    template is a text of at least eight words in at least five wordings: spam, or a form that
    people send.

    Parameters
    ----------
    texts : sequence of str
        In their canonical order.

    Examples
    --------
    >>> copies(["The app crashes!", "the app crashes", "Nothing like it"])
    ([0, 0, 2], [False, False, False])
    """
    if not texts:
        return [], []
    wording, wordings = pd.factorize(np.array([normal(text) for text in texts], object))
    _, alike = connected_components(near_graph(wordings.tolist(), NEAR), directed=False)
    kinds, sizes = alike[wording].tolist(), np.bincount(alike).tolist()
    firsts: dict[int, int] = {}
    copied = [firsts.setdefault(kind, at) for at, kind in enumerate(kinds)]
    template = [
        sizes[kind] >= _TEMPLATE_WORDINGS and len(texts[first].split()) >= _TEMPLATE_WORDS
        for kind, first in zip(kinds, copied, strict=True)
    ]
    return copied, template


def near_graph(texts: Sequence[str], least: float) -> sparse.coo_matrix:
    """Return an edge for each pair of different texts that are at least so similar.

    Such a pair shares several of its rarest shingles (prefix filter; Chaudhuri, Ganti & Kaushik
    2006), is nearly of one length, and few bits of both differ (Sandes, Teodoro & Melo 2020); each
    candidate is verified. Shingles stand by a hash, and beside each other by a part of it: any
    order of them finds all pairs, and what shares a part makes more candidates only.
    """
    counts = np.zeros(1 << min(22, 10 + len(texts).bit_length()), np.int64)
    sizes, marks = np.zeros(len(texts), np.int64), np.zeros((len(texts), _MARKS // 64), np.uint64)
    for start, owners, hashes in _hashed(texts):
        counts += np.bincount(_bucket(hashes, counts), minlength=len(counts))
        some = np.bincount(owners)
        sizes[start : start + _BLOCK] = some
        at = owners * _MARKS + (hashes % np.uint64(_MARKS)).astype(np.int64)
        odd = np.bincount(at, minlength=len(some) * _MARKS) % 2 > 0
        marks[start : start + _BLOCK] = np.packbits(odd.reshape(-1, _MARKS), axis=1).view("u8")
    lengths = np.minimum(sizes, sizes - np.ceil(least * sizes).astype(int) + 1 + _EXTRA)
    order = np.argsort(sizes, kind="stable")
    sizes, lengths, marks = sizes[order], lengths[order], marks[order]
    texts = [texts[at] for at in order]
    table = _rarest(texts, counts, lengths)
    needed = 1 + _EXTRA * (lengths < sizes)
    edges = [np.empty((0, 2), np.int64)]
    for start in range(0, len(texts), _BLOCK):
        stop = min(start + _BLOCK, len(texts))
        low = int(np.searchsorted(sizes, least * sizes[start]))
        others = table[low:stop].T.tocsr()
        for first in range(start, stop, _FEW):
            both = (table[first : min(first + _FEW, stop)] @ others).tocoo()
            later, earlier = both.row + first, both.col + low
            alike = (both.data >= needed[later]) & (earlier < later)
            alike &= sizes[earlier] >= least * sizes[later]
            pairs = np.stack([later[alike], earlier[alike]], 1)
            apart = np.zeros(len(pairs), np.int64)
            for word in marks.T:
                apart += np.bitwise_count(word[pairs[:, 0]] ^ word[pairs[:, 1]])
            pairs = pairs[apart * (1 + least) <= (1 - least) * sizes[pairs].sum(axis=1) + 1e-9]
            edges.append(pairs[_verified(texts, pairs.tolist(), least)])
    ends = order[np.concatenate(edges)].T
    return sparse.coo_matrix((np.ones(ends.shape[1]), ends), (len(texts), len(texts)))


def _hashed(texts: Sequence[str]) -> Iterator[tuple[int, Numbers, Numbers]]:
    """Yield for some texts at a time the first one's place, and each shingle's text and hash."""
    for start in range(0, len(texts), _BLOCK):
        some = [text[: _MOST + _SHINGLE - 1] for text in texts[start : start + _BLOCK]]
        counts = np.array([min(max(len(text) - _SHINGLE + 1, 1), _MOST) for text in some])
        padded = [text.ljust(_SHINGLE, "\0") for text in some]
        signs = np.frombuffer("".join(padded).encode("utf-32-le", "surrogatepass"), np.uint32)
        hashes = np.zeros(len(signs) - _SHINGLE + 1, np.uint64)
        for at in range(_SHINGLE):
            hashes = (hashes ^ signs[at : at + len(hashes)]) * _PRIME
            hashes ^= hashes >> np.uint64(29)
        begins = np.cumsum([0, *map(len, padded[:-1])])
        owners = np.repeat(np.arange(len(some)), counts)
        within = np.arange(len(owners)) - np.repeat(np.cumsum(counts) - counts, counts)
        hashes = hashes[begins[owners] + within]
        order = np.lexsort((hashes, owners))
        owners, hashes = owners[order], hashes[order]
        new = np.append(True, (np.diff(owners) != 0) | (np.diff(hashes) != 0))
        yield start, owners[new], hashes[new]


def _bucket(hashes: Numbers, counts: Numbers) -> Numbers:
    return (hashes >> np.uint64(65 - len(counts).bit_length())).astype(np.int64)


def _rarest(texts: Sequence[str], counts: Numbers, lengths: Numbers) -> sparse.csr_matrix:
    """Return a row for each text with a 1 for each of its rarest shingles that others have too."""
    places = [np.empty((2, 0), np.int32)]
    for start, unordered, all_own in _hashed(texts):
        order = np.lexsort((all_own, counts[_bucket(all_own, counts)], unordered))
        owners, buckets = unordered[order], _bucket(all_own[order], counts)
        within = pd.Series(owners).groupby(owners).cumcount()
        kept = (within < lengths[start + owners]) & (counts[buckets] > 1)
        places.append(np.stack([start + owners, buckets])[:, kept].astype(np.int32))
    at = np.concatenate(places, axis=1)
    ones = np.ones(at.shape[1], np.float32)
    return sparse.coo_matrix((ones, tuple(at)), (len(texts), len(counts))).tocsr()


def _verified(texts: Sequence[str], pairs: Sequence[tuple[int, int]], least: float) -> list[bool]:
    """Return which pairs of texts are so similar."""
    shingles = cache(lambda at: _shingles(texts[at]))
    both = ((shingles(left), shingles(right)) for left, right in pairs)
    return [len(first & second) >= least * len(first | second) for first, second in both]


def _shingles(text: str) -> set[str]:
    return {text[at : at + _SHINGLE] for at in range(min(max(len(text) - _SHINGLE + 1, 1), _MOST))}
