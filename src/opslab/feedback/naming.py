"""Names of themes, in each language that speaks in one: a title and the phrases of its own."""

from __future__ import annotations

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
_VERBAL = re.compile(r"(?:[cjmnst]|qu)['\u2019]")  # before a verb, which is no name without it
_LONGEST, _TELLING = 3, 2  # words of a phrase, phrases before the most common one
_READ, _RARE = 150, 20  # for a title, of a theme: texts, and one more of so many to know a word
MOST_TEXTS = 20_000  # of a language, the first ones in canonical order


@dataclass(frozen=True)
class Phrases:
    """The name of a theme in one language: its title, and its phrases, the most telling first."""

    language: str
    phrases: tuple[str, ...]
    title: str


Worth = Callable[[Sequence[int], Sequence[str], Vectors], Floats]
"""What clauses are worth as titles of themes: their numbers, the clauses, and their vectors."""

Names = dict[str, tuple[Phrases, ...]]
"""The name of each theme, by its id."""


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
    """Return the stems of a text's words that are no stop words."""
    return frozenset(stem(word) for word in words(text) if word not in stops)


def phrases_of(text: str, stops: frozenset[str]) -> set[str]:
    """Return the phrases of one to three words that neither start nor end with a stop word.

    A phrase of several words is no part of a longer one: a stop word or nothing is beside it.

    Examples
    --------
    >>> sorted(phrases_of("add a dark mode to it", frozenset({"a", "add", "it", "to"})))
    ['dark', 'dark mode', 'mode']
    """
    phrases: set[str] = set()
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
                if start == end or not telling & {start - 1, end + 1}:
                    phrases.add(" ".join([bare[start], *spelt[start + 1 : end + 1]]))
    return phrases


def name_themes(
    texts: Sequence[str],
    languages: Sequence[str | None],
    labels: Integers,
    count: int,
    encode: Callable[[Sequence[str]], Vectors] | None = None,
    persons: Collection[str] = (),
    worth: Worth | None = None,
) -> list[tuple[Phrases, ...]]:
    """Return the name of each theme in each language that speaks in it; no two have one head.

    The head of a title is the stems of its telling words. Where no clause of the customers' own can
    be the title, a phrase is. A phrase's score is the share of the theme's texts that hold it, to
    the power of 0.8, times the logarithm of that share against the share of all texts (pointwise
    mutual information; Church & Hanks 1990), and more for more words.

    Parameters
    ----------
    texts : sequence of str
    languages : sequence of str or None
    labels : array of int, shape (n,)
        The theme of each text, from 0; below 0 for none.
    count : int
        Themes.
    encode : callable, optional
        An encoder's: vectors of length 1 for texts. Without it titles are phrases.
    persons : collection of str
        Lower-case words that name people: none is in a title, nor at an end of a phrase.
    worth : callable, optional
        What clauses with their vectors are worth besides as titles of their themes.
    """
    sizes = np.bincount(labels[labels >= 0], minlength=count)
    names: list[list[Phrases]] = [[] for _ in range(count)]
    heads: dict[frozenset[str], int] = {}
    known = Counter(filter(None, languages))
    for language in sorted(known, key=lambda name: (-known[name], name)):
        rows = [at for at, name in enumerate(languages) if name == language and labels[at] >= 0]
        spoken = np.bincount(labels[rows], minlength=count)
        rows = rows[:MOST_TEXTS]
        speaking = np.flatnonzero(spoken >= np.maximum(SPEAKS * sizes, 1))
        own, stops = [texts[at] for at in rows], stop_words(language)
        ranked = _ranked(own, labels[rows], count, stops.union(persons))
        order = sorted(speaking.tolist(), key=lambda theme: (-spoken[theme], theme))
        phrases = {theme: _chosen(ranked[theme]) for theme in order}
        titles = list[tuple[int, str]]()
        if encode:
            titles = _titles(own, labels[rows], phrases, language, encode, persons, worth)
        for theme in order:
            titles += [(theme, each) for each in (*phrases[theme], ", ".join(phrases[theme]))]
        for theme, title in titles:
            if phrases[theme] and heads.setdefault(_stems(title, stops), theme) == theme:
                name = title[0].upper() + title[1:]
                names[theme].append(Phrases(language, tuple(phrases[theme]), name))
                phrases[theme] = []
    return [tuple(phrases) for phrases in names]


def title(phrases: Sequence[Phrases]) -> str:
    """Return a theme's name: its title in each language, the most spoken one first."""
    return " / ".join(dict.fromkeys(part.title for part in phrases))


def _titles(
    texts: Sequence[str],
    labels: Integers,
    phrases: Mapping[int, Sequence[str]],
    language: str,
    encode: Callable[[Sequence[str]], Vectors],
    persons: Collection[str],
    worth: Worth | None,
) -> list[tuple[int, str]]:
    """Return themes with clauses that could be their titles in a language, the best first.

    Such a clause holds a typical phrase's word, and none that is rare in the theme: that would be
    a detail, or a person. Its score is twice the cosine to the mean of its theme's clauses, less
    that to the nearest theme's, plus a tenth for each typical word, less 1/600 for each character,
    plus what it is worth besides.
    """
    stops = stop_words(language)
    pool: dict[tuple[int, str], float] = {}
    for theme in phrases:
        typical = _stems(" ".join(phrases[theme]), stops)
        read = [texts[at] for at in np.flatnonzero(labels == theme)[:_READ]]
        known = Counter(each for text in read for each in _stems(text, persons))
        for clause in sorted(set().union(*(clauses(text, language) for text in read))):
            said = _stems(clause, stops)
            if said & typical and min(known[each] for each in said) > 1 + len(read) // _RARE:
                pool[theme, clause] = len(said & typical) / 10 - len(clause) / 600
    if not pool:
        return []
    owners, candidates = zip(*pool, strict=True)
    vectors = encode(candidates)
    besides = worth(owners, candidates, vectors) if worth else 0
    vectors = unit(vectors - vectors.mean(axis=0))
    cosines = vectors @ unit(membership(np.array(owners)).T @ vectors).T
    scores = 2 * cosines[np.arange(len(owners)), owners] - cosines.max(axis=1)
    scores += np.array(list(pool.values())) + besides
    return [list(pool)[at] for at in np.argsort(-scores.round(3), kind="stable")]


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
    phrases, total = counter.get_feature_names_out(), np.asarray(held.mean(axis=0)).ravel()
    ranked = []
    for theme, size in enumerate(np.bincount(labels, minlength=count).tolist()):
        row = table[theme]
        enough = row.data >= min(2 + size // 100, size)
        shares, columns = row.data[enough] / size, row.indices[enough]
        lift = np.log(shares / total[columns])
        scores = np.maximum(lift, 0.01) * shares**0.8  # alone in a language, the common names it
        scores *= [5 if " " in phrase else 3 for phrase in phrases[columns]]
        best = sorted(zip(-scores.round(9), phrases[columns], shares.tolist(), strict=True))
        ranked.append({phrase: share for _, phrase, share in best[:60]})
    return ranked


def _chosen(shares: Mapping[str, float]) -> list[str]:
    """Return three phrases of a theme, none inside another: two telling ones, then the most common.

    A longer phrase that is nearly as common comes first.

    Parameters
    ----------
    shares : mapping of str to float
        Of the theme's texts that hold a phrase, the most telling phrase first.
    """
    kept: list[str] = []
    common = sorted(shares, key=lambda phrase: (-shares[phrase], phrase))
    for order, most in ((shares, _TELLING), (common, _TELLING + 1)):
        for phrase in order:
            own, others = _stems(phrase, ()), [_stems(other, ()) for other in kept]
            if len(kept) < most and not any(own <= stems or own >= stems for stems in others):
                kept.append(phrase)
    return kept
