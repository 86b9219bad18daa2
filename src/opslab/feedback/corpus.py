"""What messages say as vectors, and the themes of it: of whole messages, or of their points."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from opslab.feedback.clustering import (
    CLEAR,
    FEWEST,
    MOST_FITTED,
    Clusters,
    Floats,
    Integers,
    Settled,
    Vectors,
    cluster,
)
from opslab.feedback.customer_message import CustomerMessage, Intake
from opslab.feedback.encoders import Encoder, encoded, levelled, levels_of, spelling
from opslab.feedback.kinds import Kind, kinds_of, says_nothing
from opslab.feedback.naming import MOST_TEXTS, Names, Phrases, Worth, name_themes
from opslab.feedback.points import Passage, finer, passages
from opslab.feedback.redaction import without_tokens
from opslab.feedback.registry.continuity import Past
from opslab.feedback.result import Assignment, Point
from opslab.feedback.sorting import Sorting, assign, drafts, stood
from opslab.feedback.store import blocks

LONGEST_TITLE = 80
"""Characters of a text that is its theme's title."""

OTHER_KIND = 0.3
"""What a title of another kind than its theme is worth less, in cosines."""

_SAID = ("words", "language")
_SEVERAL = 1.25  # points a message, from which they may tell themes apart


class Cut(NamedTuple):
    """The themes of some passages: of whole messages, or of the points that they make."""

    rows: list[int]
    weights: list[int]
    vectors: Vectors
    clusters: Clusters
    levels: Mapping[str, Vectors]
    points: bool = False
    clear: bool = False


def sampled(strata: Sequence[Any], most: int) -> list[int]:
    """Return the places of texts that stand for all: of each stratum its share, and at least one.

    Parameters
    ----------
    strata : sequence of hashable
        What each text is of, the texts in their canonical order: the first of a stratum are taken.
    most : int
        How many to take; all where there are no more.

    Examples
    --------
    >>> sampled(["en"] * 8 + ["fr"] * 2 + ["de"], 6)
    [0, 1, 2, 3, 8, 10]
    """
    frame = pd.DataFrame({"stratum": pd.factorize(pd.Series(strata, dtype=object))[0]})
    within = frame.groupby("stratum")["stratum"]
    part = (within.cumcount() / within.transform("size")).to_numpy()
    return sorted(np.argsort(part, kind="stable")[:most].tolist())


def _cut(
    said: Sequence[Passage],
    vectors: Vectors,
    weights: Sequence[int],
    rows: list[int],
    strata: Callable[[Passage], Any],
    smallest: int,
    seed: int,
    past: Past | None,
) -> Cut:
    """Return the themes that whole messages shape, or points where only they have clear ones.

    Messages that speak of several things glue their themes together; then points tell them apart.
    """

    def cut(rows: list[int], shaping: int) -> Cut:
        stand_for = [weights[row] * (at < shaping) for at, row in enumerate(rows)]
        fitted = min(shaping, MOST_FITTED)
        first = sampled([strata(said[row]) for row in rows[:shaping]], fitted)  # shape the graph
        order = [*first, *sorted({*range(len(rows))}.difference(first))]
        rows, stand_for = [rows[at] for at in order], [stand_for[at] for at in order]
        words, spoken = ([getattr(said[row], name) for row in rows] for name in _SAID)
        part_of = vectors[rows[:fitted]], spoken[:fitted], fitted
        levels = past.levels(*part_of) if past else levels_of(*part_of)
        level = levelled(vectors, spoken, levels, rows)

        def search(
            some: Integers,
            settle: Callable[..., Settled] | None = None,
            most: int = MOST_FITTED,
        ) -> Clusters:
            texts, heavy, tongues = ([row[at] for at in some] for row in (words, stand_for, spoken))
            own = level if len(some) == len(rows) else level[some]
            return cluster(own, heavy, smallest, seed, spelling(texts, most), tongues, most, settle)

        if past and (past.daily or shaping < FEWEST):
            clusters = past.assigned(past.owners(words), level, search)
        elif shaping < FEWEST:
            clusters = Clusters.alone(level)
        else:
            settle = partial(past.settled, past.owners(words), smallest) if past else None
            clusters = search(np.arange(len(rows)), settle, fitted)
        clear = (clusters.silhouette or 0) >= CLEAR
        return Cut(rows, stand_for, level, clusters, levels, clear=clear)

    shaping = sum(not said[row].position for row in rows)
    points = finer(said, rows)
    if past and past.daily and past.known.points:
        return cut(points, len(points))._replace(points=True)
    whole = cut(rows, shaping)
    if whole.clear or len(points) <= _SEVERAL * shaping:
        return whole
    apart = cut(points, len(points))
    return apart._replace(points=True) if apart.clear else whole


@dataclass(frozen=True)
class Corpus:
    """What the messages say, and the themes of it before people change any.

    Attributes
    ----------
    drafts : sequence of Assignment
        All messages.
    heads : sequence of CustomerMessage
        The first message with each text.
    said : sequence of Passage
        What they say.
    points : sequence of Point
        Of which kind it is, and whether it is mere praise.
    vectors : array, shape (passages, dimensions)
    cut : Cut
    """

    drafts: Sequence[Assignment]
    heads: Sequence[CustomerMessage]
    said: Sequence[Passage]
    points: Sequence[Point]
    vectors: Vectors
    cut: Cut

    @classmethod
    def of(
        cls, intake: Intake, encoder: Encoder, smallest: int, seed: int, past: Past | None = None
    ) -> Corpus:
        """Return the themes of what came in."""
        unsorted = drafts(intake.messages)
        heads = [draft.message for draft in unsorted if not (draft.main.reason or draft.copy_of)]
        copied = Counter(draft.copy_of for draft in unsorted)
        said = passages(heads)
        words = [passage.words for passage in said]
        vectors = encoded(encoder, words)
        kinds = [
            kind
            for rows in blocks(vectors)
            for kind in kinds_of(words[rows], vectors[rows], encoder.sha256)
        ]
        points = [
            Point(text=each.text, kind=kind, reason="praise" if says_nothing(each.words) else None)
            for each, kind in zip(said, kinds, strict=True)
        ]
        weights = [1 + copied[heads[each.owner].uid] for each in said]
        telling = [row for row, point in enumerate(points) if not point.reason]

        def stratum(passage: Passage) -> tuple[Any, ...]:
            head = heads[passage.owner]
            return head.source, passage.language, head.date and head.date.isocalendar()[:2]

        cut = _cut(said, vectors, weights, telling, stratum, smallest, seed, past)
        return cls(unsorted, heads, said, points, vectors, cut)

    def assigned(self, sorting: Sorting) -> tuple[Assignment, ...]:
        """Return each message with its themes."""
        return assign(
            self.drafts, self.heads, self.said, stood(self.points, self.cut.rows, sorting)
        )

    def kinds(self, sorting: Sorting) -> list[Kind | None]:
        """Return what most of each theme's passages are."""
        kinds = np.array([self.points[row].kind for row in self.cut.rows], object)
        counts = [Counter(kinds[sorting.themes == at]) for at in range(len(sorting.ids))]
        return [
            max(count, key=lambda kind: (count[kind], str(kind)), default=None) for count in counts
        ]

    def called(self, names: Names, sorting: Sorting, language: str) -> Names:
        """Return names in which a theme that is a single text, without a token, is called by it."""
        called = dict(names)
        for at, theme in enumerate(sorting.ids):
            rows = np.flatnonzero(sorting.themes == at)
            each = self.said[self.cut.rows[rows[0]]] if len(rows) == 1 else None
            if each and len(each.words) <= LONGEST_TITLE and len(each.words) == len(each.text):
                parts = names[theme] or (Phrases(each.language or language, (), ""),)
                title = each.words.rstrip(" .!")
                called[theme] = tuple(replace(part, title=title) for part in parts)
        return called

    def named(
        self, labels: Integers, count: int, language: str, *more: Any
    ) -> list[tuple[Phrases, ...]]:
        """Return names for themes of the passages; what is in an unknown language counts as in one.

        Parameters
        ----------
        labels : array of int
            Of the passages that were sorted.
        count : int
        language : str
        *more
            As of `name_themes`.
        """
        heard = np.repeat(
            np.arange(len(labels)), np.array(self.cut.weights, int).clip(1)
        )  # copies count
        part = [self.said[self.cut.rows[row]] for row in heard]
        languages = [each.language or language for each in part]
        texts, read = list[str](), Counter[str]()
        for each, spoken, label in zip(part, languages, labels[heard].tolist(), strict=True):
            named = label >= 0 and read[spoken] < MOST_TEXTS
            read[spoken] += named
            texts.append(without_tokens(each.text, " . ") if named else "")
        return name_themes(texts, languages, labels[heard], count, *more)


def worth_of(asked: Sequence[Kind | None], encoder: Encoder) -> Worth:
    """Return what clauses are worth as titles: less where they are of another kind."""

    def worth(owners: Sequence[int], clauses: Sequence[str], vectors: Vectors) -> Floats:
        kinds = kinds_of(clauses, vectors, encoder.sha256)
        pairs = zip(kinds, owners, strict=True)
        return np.array([-OTHER_KIND * (kind != asked[owner]) for kind, owner in pairs])

    return worth
