"""Names of themes, in each language that speaks in one: a title, and the phrases that set it apart."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from scipy import sparse

from opslab.feedback.clauses import clauses
from opslab.feedback.clustering import Floats, Integers, Vectors, membership
from opslab.feedback.encoders import unit

SPEAKS = 0.2
"""Share of a theme's messages from which a language has a part in its name."""

_WORD = re.compile(r"(?<![^\W_])[^\W\d_](?:[\w+#]|['\u2019.-](?=\w))*")
_ELISION = re.compile(
    r"^(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu|aujourd)['\u2019](?!hui)", re.IGNORECASE
)
_VERBAL = re.compile(r"(?:[cjmnst]|qu)['\u2019](?!hui)")  # what follows is a verb, out of place
_LONGEST, _TELLING = 3, 2  # words of a phrase, phrases before the most common one
_WHOLE = 0.35  # of a phrase's occurrences, those that are no part of a longer one
_READ, _ENCODED, _IDEAL = 120, 30, 30  # for a title: texts, clauses, and its characters
_KNOWN = 3  # texts with a title's word: a rarer one is a detail, or a person
_MOST_TEXTS = 20_000  # of a language, the first ones in canonical order


@dataclass(frozen=True)
class Phrases:
    """The name of a theme in one language: its title, and its phrases, the most telling first."""

    language: str
    phrases: tuple[str, ...]
    title: str


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


def stem(word: str) -> str:
    """Return a word without its ending, so that refund, refunds and refunded are one."""
    return re.sub(r"(?<=\w{3})(?:ations?|ings?|ées?|és?|ers?|ed|es|s|e)$", "", word)


def _stems(text: str, stops: Collection[str]) -> frozenset[str]:
    """Return the stems of the words of a text that tell something, of all where none does."""
    said = set(words(text))
    return frozenset(map(stem, said.difference(stops) or said))


def phrases_of(text: str, stops: Collection[str]) -> dict[str, int]:
    """Return the phrases of one to three words that neither start nor end with a stop word.

    The value is 1 for words out of a longer phrase, else 2: a stop word or nothing is beside them.
    A single word is always 2.

    Examples
    --------
    >>> phrases_of("add a dark mode", {"a"})
    {'add': 2, 'add a dark': 1, 'dark': 2, 'dark mode': 2, 'mode': 2}
    """
    phrases: dict[str, int] = {}
    for part in re.split(r"[.!?;:,()\[\]\"\u00ab\u00bb\n]+(?:\s|$)", text):
        spelt = [word.lower() for word in _WORD.findall(part)]
        bare = words(part)
        telling = {
            at
            for at, word in enumerate(bare)
            if len(word) > 1 and word not in stops and not _VERBAL.match(spelt[at])
        }
        for start in telling:
            for end in telling & set(range(start, start + _LONGEST)):
                if start == end or bare[start] != bare[end]:
                    phrase = " ".join([bare[start], *spelt[start + 1 : end + 1]])
                    cut = start < end and telling & {start - 1, end + 1}
                    phrases[phrase] = max(phrases.get(phrase, 0), 1 if cut else 2)
    return phrases


def name_themes(
    texts: Sequence[str],
    languages: Sequence[str | None],
    labels: Integers,
    count: int,
    encode: Callable[[Sequence[str]], Vectors] | None = None,
    persons: Collection[str] = (),
) -> list[tuple[Phrases, ...]]:
    """Return the name of each theme in each language that speaks in it; no two have one head.

    A title is a clause of the customers' own that holds a typical phrase's words, and no word that
    is rare in the theme. Of these it is the one nearest to the mean of the theme's clauses, no
    nearer to another theme's, and not long. Where none fits it is a typical phrase. The head of a
    title is the stems of its telling words.

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
    encode : callable, optional
        An encoder's: vectors of length 1 for texts. Without it titles are typical phrases.
    persons : collection of str
        Lower-case words that name people: no name holds one, unless inside a phrase.
    """
    sizes = np.bincount(labels[labels >= 0], minlength=count)
    names: list[list[Phrases]] = [[] for _ in range(count)]
    heads: dict[frozenset[str], int] = {}
    known = Counter(filter(None, languages))
    for language in sorted(known, key=lambda name: (-known[name], name)):
        rows = [at for at, name in enumerate(languages) if name == language and labels[at] >= 0]
        rows = rows[:_MOST_TEXTS]
        spoken = np.bincount(labels[rows], minlength=count)
        speaking = np.flatnonzero(spoken >= np.maximum(SPEAKS * sizes, 1))
        if not len(speaking):
            continue
        stops = stop_words(language)
        own = [texts[at] for at in rows]
        ranked = _ranked(own, labels[rows], count, stops.union(persons))
        order = sorted(speaking.tolist(), key=lambda theme: (-spoken[theme], theme))
        phrases = {theme: _chosen(ranked[theme]) for theme in order}
        titles = _titles(own, labels[rows], phrases, language, encode, persons)
        for theme, title in titles:
            unnamed = all(name.language != language for name in names[theme])
            if unnamed and heads.setdefault(_stems(title, stops), theme) == theme:
                names[theme].append(Phrases(language, tuple(phrases[theme]), title))
    return [tuple(phrases) for phrases in names]


def title(phrases: Sequence[Phrases]) -> str:
    """Return a theme's name: its title in each language, the most spoken one first."""
    return " / ".join(dict.fromkeys(part.title for part in phrases))


def _titles(
    texts: Sequence[str],
    labels: Integers,
    phrases: Mapping[int, Sequence[str]],
    language: str,
    encode: Callable[[Sequence[str]], Vectors] | None,
    persons: Collection[str],
) -> list[tuple[int, str]]:
    """Return themes with what could be their titles in a language, the best first.

    Clauses come by their score: twice the cosine to the mean of their theme's clauses, less that
    to the nearest theme's, and a little for typical words and for about 30 characters.
    """
    stops = stop_words(language)
    pool: dict[tuple[int, str], float] = {}
    for theme, typical in phrases.items() if encode else ():
        near = [texts[at] for at in np.flatnonzero(labels == theme)[:_READ]]
        known = Counter(each for text in near for each in _stems(text, stops.union(persons)))
        telling, merits = _stems(" ".join(typical), stops), dict[tuple[int, str], float]()
        for clause in (clause for text in near for clause in clauses(text, language)):
            said = _stems(clause, stops)
            if said & telling and min(known[each] for each in said) >= _KNOWN:
                length = abs(len(clause) - _IDEAL) / 300
                merits[theme, clause] = 0.3 * len(said & telling) / len(telling) - length
        pool |= list(merits.items())[:_ENCODED]
    ranked: list[tuple[int, str]] = []
    if encode and pool:
        vectors = encode([clause for _, clause in pool])
        vectors = unit(vectors - vectors.mean(axis=0))
        owners = np.array([theme for theme, _ in pool])
        cosines = vectors @ unit(membership(owners).T @ vectors).T
        scores = 2 * cosines[np.arange(len(pool)), owners] - cosines.max(axis=1)
        scores = (scores + list(pool.values())).round(3)
        ranked = [pair for _, pair in sorted(zip(-scores, pool, strict=True))]
    for theme, typical in phrases.items():
        ranked += [(theme, each[0].upper() + each[1:]) for each in typical]
    return ranked


def _ranked(
    texts: Sequence[str], labels: Integers, count: int, stops: frozenset[str]
) -> list[dict[str, float]]:
    """Return for each theme its best phrases with the share of its texts that hold them."""
    from sklearn.feature_extraction import DictVectorizer

    counter = DictVectorizer(dtype=np.float32)
    counts = counter.fit_transform(phrases_of(text, stops) for text in texts)
    if not counts.nnz:
        return [{} for _ in range(count)]
    held = counts.sign()
    table = sparse.csr_matrix(membership(labels, count).T @ held)
    phrases, total = counter.get_feature_names_out(), np.asarray(table.sum(axis=0)).ravel()
    whole = np.asarray(counts.sum(axis=0)).ravel() >= (1 + _WHOLE) * total
    ranked = []
    for theme, size in enumerate(np.bincount(labels, minlength=count).tolist()):
        row = table[theme]
        enough = whole[row.indices] & (row.data >= min(2 + size // 100, max(size, 1)))
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


def _chosen(shares: Mapping[str, float]) -> list[str]:
    """Return three phrases of a theme, none inside another: two telling ones, then the most common.

    A longer phrase that is nearly as common comes first.

    Parameters
    ----------
    shares : mapping of str to float
        Of the theme's texts that hold a phrase, the most telling phrase first.
    """
    stems = {phrase: f" {' '.join(map(stem, words(phrase)))} " for phrase in shares}

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
        if apart(best, kept):
            kept.append(best)
        if len(kept) == _TELLING:
            common = [other for other in shares if apart(other, kept)]
            return [*kept, *sorted(common, key=lambda other: (-shares[other], other))[:1]]
    return kept
