"""Copies of a message: equal but for case and punctuation, or of a high Jaccard similarity."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

NEAR = 0.8
"""Jaccard similarity of the shingles from which two texts are copies of one another."""

_SHINGLE, _TEMPLATE_WORDINGS, _TEMPLATE_WORDS = 5, 5, 8
_MOST = 600  # shingles of a text that are compared
_EXTRA, _BLOCK = 4, 4096


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
    wordings: dict[str, int] = {}
    wording = [wordings.setdefault(normal(text), len(wordings)) for text in texts]
    if not wordings:
        return [], []
    _, alike = connected_components(near_graph(list(wordings), NEAR), directed=False)
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
    2006), and each candidate is verified.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    table = CountVectorizer(analyzer=_shingles, dtype=np.float32).fit_transform(texts)
    order = np.argsort(np.diff(table.indptr), kind="stable")
    rarest = np.argsort(np.asarray(table.sum(axis=0)).ravel(), kind="stable")
    table = table[order][:, rarest]
    table.sort_indices()
    sizes = np.diff(table.indptr)
    shingles = [set(row.tolist()) for row in np.split(table.indices, table.indptr[1:-1])]
    lengths = np.minimum(sizes, sizes - np.ceil(least * sizes).astype(int) + 1 + _EXTRA)
    needed = 1 + _EXTRA * (lengths < sizes)
    within = np.arange(table.nnz) - np.repeat(table.indptr[:-1], sizes)
    table.data[within >= np.repeat(lengths, sizes)] = 0
    table.eliminate_zeros()
    edges: list[tuple[int, int]] = []
    for start in range(0, len(texts), _BLOCK):
        both = (table[start : start + _BLOCK] @ table[: start + _BLOCK].T).tocoo()
        later, earlier = both.row + start, both.col
        alike = (both.data >= needed[later]) & (earlier < later)
        alike &= sizes[earlier] >= least * sizes[later]
        for long, short in zip(later[alike].tolist(), earlier[alike].tolist(), strict=True):
            shared = len(shingles[long] & shingles[short])
            if shared >= least * (sizes[long] + sizes[short] - shared):
                edges.append((long, short))
    ends = order[np.array(edges, np.int64).reshape(-1, 2)].T
    return sparse.coo_matrix((np.ones(len(edges)), ends), (len(texts), len(texts)))


def _shingles(text: str) -> set[str]:
    return {text[at : at + _SHINGLE] for at in range(min(max(len(text) - _SHINGLE + 1, 1), _MOST))}
