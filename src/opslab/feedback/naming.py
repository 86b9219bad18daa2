"""Names of themes: the phrases that set a theme apart, in each language that speaks in it."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from scipy import sparse

from opslab.feedback.clustering import Floats, Integers, membership

SPEAKS = 0.2
"""Share of a theme's messages from which a language has a part in its name."""

_WORD = re.compile(r"[^\W\d_](?:[\w+#]|['\u2019.-](?=\w))*")
_ELISION = re.compile(
    r"^(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu|aujourd)['\u2019](?!hui)", re.IGNORECASE
)
_LONGEST, _TELLING = 3, 2  # words of a phrase, phrases before the most common one
_MOST_TEXTS = 20_000  # of a language, the first ones in canonical order


@dataclass(frozen=True)
class Phrases:
    """The phrases of a theme in one language, the most telling first."""

    language: str
    phrases: tuple[str, ...]


@cache
def stop_words(language: str) -> frozenset[str]:
    """Return the words of a language that name nothing; none for a language without a list."""
    path = files("opslab.feedback").joinpath("words", f"{language}.txt")
    return frozenset(path.read_text(encoding="utf-8").split()) if path.is_file() else frozenset()


def words(text: str) -> list[str]:
    """Return the words of a text in lower case, French elisions taken off.

    Examples
    --------
    >>> words("L'appli n'affiche qu'un écran")
    ['appli', 'affiche', 'un', 'écran']
    """
    return [_ELISION.sub("", word).lower() for word in _WORD.findall(text)]


def _stem(word: str) -> str:
    """Return a word without its ending, so that refund, refunds and refunded are one."""
    return re.sub(r"(?<=\w{3})(?:ations?|ings?|ées?|és?|ers?|ed|es|s|e)$", "", word)


def phrases_of(text: str, stops: frozenset[str]) -> set[str]:
    """Return the phrases of one to three words that neither start nor end with a stop word."""
    phrases: set[str] = set()
    for part in re.split(r"[.!?;:,()\[\]\"\u00ab\u00bb\n]+(?:\s|$)", text):
        spelt = [word.lower() for word in _WORD.findall(part)]
        bare = words(part)
        telling = {at for at, word in enumerate(bare) if len(word) > 1 and word not in stops}
        for start in telling:
            for end in telling & set(range(start, start + _LONGEST)):
                if start == end or bare[start] != bare[end]:
                    phrases.add(" ".join([bare[start], *spelt[start + 1 : end + 1]]))
    return phrases


def name_themes(
    texts: Sequence[str], languages: Sequence[str | None], labels: Integers, count: int
) -> list[tuple[Phrases, ...]]:
    """Return the phrases of each theme in each language that speaks in it; no two names are equal.

    The score of a phrase is its log-odds in the theme against the other themes, with the whole
    language as the prior (Monroe, Colaresi & Quinn 2008, eq. 16-22), times the share of the theme's
    texts that hold it to the power of 0.75: what is typical, and said by many.

    Parameters
    ----------
    texts : sequence of str
    languages : sequence of str or None
    labels : array of int, shape (n,)
        The theme of each text, from 0; below 0 for none.
    count : int
        Themes.
    """
    sizes = np.bincount(labels[labels >= 0], minlength=count)
    names: list[list[Phrases]] = [[] for _ in range(count)]
    known = Counter(filter(None, languages))
    for language in sorted(known, key=lambda name: (-known[name], name)):
        rows = [at for at, name in enumerate(languages) if name == language and labels[at] >= 0]
        rows = rows[:_MOST_TEXTS]
        spoken = np.bincount(labels[rows], minlength=count)
        speaking = np.flatnonzero(spoken >= np.maximum(SPEAKS * sizes, 1))
        if not len(speaking):
            continue
        ranked = _ranked([texts[at] for at in rows], labels[rows], count, stop_words(language))
        taken: set[str] = set()
        for theme in sorted(speaking.tolist(), key=lambda theme: (-spoken[theme], theme)):
            phrases = _chosen(ranked[theme], taken)
            if phrases:
                taken.add(phrases[0])
                names[theme].append(Phrases(language, tuple(phrases)))
    return [tuple(phrases) for phrases in names]


def title(phrases: Sequence[Phrases]) -> str:
    """Return a theme's name: its first phrase in each language, the most spoken one first."""
    return " / ".join(dict.fromkeys(part.phrases[0] for part in phrases))


def _ranked(
    texts: Sequence[str], labels: Integers, count: int, stops: frozenset[str]
) -> list[dict[str, float]]:
    """Return for each theme its best phrases with the share of its texts that hold them."""
    from sklearn.feature_extraction.text import CountVectorizer

    counter = CountVectorizer(analyzer=lambda text: phrases_of(text, stops))
    try:
        held = counter.fit_transform(texts)
    except ValueError:  # no phrase is left
        return [{} for _ in range(count)]
    table = sparse.csr_matrix(membership(labels, count).T @ held)
    phrases, total = counter.get_feature_names_out(), np.asarray(table.sum(axis=0)).ravel()
    ranked = []
    for theme, size in enumerate(np.bincount(labels, minlength=count).tolist()):
        row = table[theme]
        enough = row.data >= min(2 + size // 100, max(size, 1))
        inside, columns = row.data[enough], row.indices[enough]
        shares = inside / max(size, 1)
        odds = _log_odds(inside, row.sum(), total[columns], total.sum())
        scores = np.maximum(odds, 0.01) * shares**0.75  # alone in a language, the common names it
        best = sorted(zip(-scores.round(9), phrases[columns], shares.tolist(), strict=True))
        ranked.append({phrase: share for _, phrase, share in best[:60]})
    return ranked


def _log_odds(inside: Floats, own: float, total: Floats, everything: float) -> Floats:
    """Return the z-scores of phrases' log-odds in a theme, with counts in it and in all themes."""
    prior, outside = total / everything * 500, total - inside
    odds = np.log((inside + prior) / (own + 501 - inside - prior))
    odds -= np.log((outside + prior) / (everything - own + 501 - outside - prior))
    return np.asarray(odds / np.sqrt(1 / (inside + prior) + 1 / (outside + prior)))


def _chosen(shares: Mapping[str, float], taken: set[str]) -> list[str]:
    """Return three phrases of a theme, none inside another: two telling ones, then the most common.

    The first is the theme's name and no other theme's. A longer phrase that is nearly as common
    comes first.

    Parameters
    ----------
    shares : mapping of str to float
        Of the theme's texts that hold a phrase, the most telling phrase first.
    taken : set of str
        Names of other themes.
    """
    stems = {phrase: f" {' '.join(map(_stem, words(phrase)))} " for phrase in shares}

    def apart(phrase: str, kept: Sequence[str]) -> bool:
        return not any(
            stems[phrase] in stems[other] or stems[other] in stems[phrase] for other in kept
        )

    kept: list[str] = []
    for phrase, share in shares.items():
        longer = [
            other
            for other in shares
            if stems[phrase] in stems[other] and shares[other] >= 0.6 * share
        ]
        best = max(
            longer, key=lambda other: (shares[other] * math.sqrt(other.count(" ") + 1), other)
        )
        if apart(best, kept) and (kept or best not in taken):
            kept.append(best)
        if len(kept) == _TELLING:
            common = [other for other in shares if apart(other, kept)]
            return [*kept, *sorted(common, key=lambda other: (-shares[other], other))[:1]]
    return kept
