"""Names of themes: the phrases that set one apart from the others, in each language that speaks in it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
    found: set[str] = set()
    for part in re.split(r"[.!?;:,()\[\]\"\u00ab\u00bb\n]+(?:\s|$)", text):
        spelt = [word.lower() for word in _WORD.findall(part)]
        said = words(part)
        telling = [len(word) > 1 and word not in stops for word in said]
        for start in range(len(said)):
            if not telling[start]:
                continue
            for end in range(start, min(start + _LONGEST, len(said))):
                if telling[end] and not (end > start and said[start] == said[end]):
                    found.add(" ".join([said[start], *spelt[start + 1 : end + 1]]))
    return found


def name_themes(
    texts: Sequence[str], languages: Sequence[str | None], labels: NDArray[Any], count: int
) -> list[tuple[Phrases, ...]]:
    """Return the phrases of each theme in each language that speaks in it; no first phrase is used twice.

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
    made: list[list[Phrases]] = [[] for _ in range(count)]
    spoken = sorted(
        {name for name in languages if name}, key=lambda name: (-languages.count(name), name)
    )
    for language in spoken:
        places = [at for at, said in enumerate(languages) if said == language and labels[at] >= 0][
            :_MOST_TEXTS
        ]
        by_theme = np.bincount(labels[places], minlength=count) if places else np.zeros(count, int)
        speaking = [
            theme for theme in range(count) if by_theme[theme] >= max(SPEAKS * sizes[theme], 1)
        ]
        if not speaking:
            continue
        found = _ranked([texts[at] for at in places], labels[places], count, stop_words(language))
        taken: set[str] = set()
        for theme in sorted(speaking, key=lambda theme: (-by_theme[theme], theme)):
            kept = _chosen(found[theme], taken)
            if kept:
                taken.add(kept[0])
                made[theme].append(Phrases(language, tuple(kept)))
    return [tuple(one) for one in made]


def title(phrases: Sequence[Phrases]) -> str:
    """Return a theme's name: its first phrase in each language, the most spoken one first."""
    return " / ".join(dict.fromkeys(one.phrases[0] for one in phrases))


def _ranked(
    texts: Sequence[str], labels: NDArray[Any], count: int, stops: frozenset[str]
) -> list[list[tuple[float, str, float]]]:
    """Return for each theme its best phrases: score, phrase, share of its texts."""
    index: dict[str, int] = {}
    rows: list[int] = []
    columns: list[int] = []
    for row, text in enumerate(texts):
        found = sorted(phrases_of(text, stops))
        rows += [row] * len(found)
        columns += [index.setdefault(phrase, len(index)) for phrase in found]
    if not index:
        return [[] for _ in range(count)]
    ones = np.ones(len(rows))
    said = sparse.csr_matrix((ones, (np.array(labels)[rows], columns)), (count, len(index))).tocsr()
    total = np.asarray(said.sum(axis=0)).ravel()
    everything, sizes = total.sum(), np.bincount(labels, minlength=count)
    names = list(index)
    made = []
    for theme in range(count):
        row = said[theme]
        places, inside = row.indices, row.data
        enough = inside >= min(2 + sizes[theme] // 100, max(sizes[theme], 1))
        places, inside = places[enough], inside[enough]
        prior = total[places] / everything * 500
        own, outside = row.sum(), total[places] - inside
        odds = np.log((inside + prior) / (own + 501 - inside - prior)) - np.log(
            (outside + prior) / (everything - own + 501 - outside - prior)
        )
        spread = np.sqrt(1 / (inside + prior) + 1 / (outside + prior))
        share = inside / max(sizes[theme], 1)
        score = (
            np.maximum(odds / spread, 0.01) * share**0.75
        )  # alone in a language, what is common names it
        best = sorted(
            (
                (round(float(value), 9), names[place], float(part))
                for value, place, part in zip(score, places, share, strict=True)
            ),
            key=lambda one: (-one[0], one[1]),
        )
        made.append(best[:60])
    return made


def _chosen(ranked: Sequence[tuple[float, str, float]], taken: set[str]) -> list[str]:
    """Return three phrases of a theme, none inside another: two that are telling, then the most common.

    The first is the theme's name and no other theme's. A longer phrase that is nearly as common
    comes first.
    """
    share: Mapping[str, float] = {phrase: part for _, phrase, part in ranked}
    bare = {phrase: f" {' '.join(_stem(word) for word in words(phrase))} " for phrase in share}

    def apart(phrase: str, kept: Sequence[str]) -> bool:
        return not any(bare[phrase] in bare[one] or bare[one] in bare[phrase] for one in kept)

    kept: list[str] = []
    for phrase in share:
        longer = [
            one for one in share if bare[phrase] in bare[one] and share[one] >= 0.6 * share[phrase]
        ]
        best = max(longer, key=lambda one: (share[one] * math.sqrt(one.count(" ") + 1), one))
        if apart(best, kept) and (kept or best not in taken):
            kept.append(best)
        if len(kept) == _TELLING:
            common = [one for one in share if apart(one, kept)]
            return [*kept, *sorted(common, key=lambda one: (-share[one], one))[:1]]
    return kept
