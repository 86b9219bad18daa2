"""Each text in its theme, or in none: the surest ones stay, themes are numbered by their size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from opslab.feedback.clustering import Clusters
from opslab.feedback.duplicates import copies
from opslab.feedback.intake import CustomerMessage
from opslab.feedback.result import Assignment, Reason
from opslab.feedback.spec import Themes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from opslab.feedback.clustering import Integers, Vectors


@dataclass(frozen=True)
class DistinctTexts:
    """Texts that stand for all their copies; templates and what has no letters are not among them.

    Attributes
    ----------
    messages : list of CustomerMessage
        The first message with each text.
    weights : list of int
        Messages that each stands for.
    rows : list of int
        For each message that came in, the row of its text here; -1 for none.
    firsts : list of int
        For each message that came in, the position of the first that it copies.
    templates : list of bool
        Whether each message that came in is a template.
    """

    messages: list[CustomerMessage]
    weights: list[int]
    rows: list[int]
    firsts: list[int]
    templates: list[bool]

    @classmethod
    def of(cls, messages: Sequence[CustomerMessage]) -> DistinctTexts:
        """Return the distinct texts of messages."""
        firsts, templates = copies([message.words for message in messages])
        heads = [
            at
            for at, (message, first) in enumerate(zip(messages, firsts, strict=True))
            if first == at and not templates[at] and any(map(str.isalpha, message.words))
        ]
        numbers = {at: row for row, at in enumerate(heads)}
        rows = [numbers.get(first, -1) for first in firsts]
        counts = Counter(rows)
        weights = [counts[row] for row in range(len(heads))]
        return cls([messages[at] for at in heads], weights, rows, firsts, templates)

    @property
    def words(self) -> list[str]:
        """What an encoder reads of each."""
        return [message.words for message in self.messages]

    @property
    def languages(self) -> list[str | None]:
        """The language of each."""
        return [message.language for message in self.messages]


@dataclass(frozen=True)
class Sorting:
    """Themes of distinct texts, numbered from 0, the largest first; -1 is none.

    Attributes
    ----------
    themes : array of int, shape (texts,)
        Of texts that surely have one.
    nearest, second : array of int, shape (texts,)
        The nearest theme of every text, and the next one.
    confidence : array of float, shape (texts,), or None
        None where themes are mere repetitions.
    reasons : list of Reason
        Why a text has no theme, if it has none.
    groups : array of int, shape (themes,)
        Numbered in the order of the themes.
    centroids : array, shape (themes, dimensions)
    stability : array of float, shape (themes,), or None
    """

    themes: Integers
    nearest: Integers
    second: Integers
    confidence: NDArray[np.float64] | None
    reasons: list[Reason]
    groups: Integers
    centroids: Vectors
    stability: NDArray[np.float64] | None


def sort_texts(clusters: Clusters, weights: Sequence[int], total: int, settings: Themes) -> Sorting:
    """Return the surest texts in their themes.

    Parameters
    ----------
    clusters : Clusters
    weights : sequence of int
        Messages that each text stands for.
    total : int
        Messages of which the coverage is a share: those without a text are among them.
    settings : Themes
    """
    labels, reasons = _surest(clusters, weights, total, settings)
    sizes = Counter[int]()
    for label, weight in zip(labels.tolist(), weights, strict=True):
        if label >= 0:
            sizes[label] += weight
    order = [label for label, _ in sizes.most_common()]
    numbers = np.full(len(clusters.groups) + 1, -1)  # the last is that of the label -1
    numbers[order] = np.arange(len(order))
    groups = clusters.groups[order].tolist()
    group_numbers = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    sure = clusters.stability is not None
    return Sorting(
        numbers[labels],
        numbers[clusters.labels],
        numbers[clusters.second],
        (clusters.margin + clusters.cosine).round(6) if sure else None,
        reasons,
        np.array([group_numbers[group] for group in groups], np.int64),
        clusters.centroids[order],
        None if clusters.stability is None else clusters.stability[order].round(6),
    )


def _surest(
    clusters: Clusters, weights: Sequence[int], total: int, settings: Themes
) -> tuple[Integers, list[Reason]]:
    """Return the label of each text that surely has one, -1 for the others, and why they have none."""
    labels = clusters.labels.copy()
    sizes = np.bincount(labels, weights, minlength=len(clusters.groups))
    if clusters.stability is None:
        labels[sizes[labels] < settings.smallest] = -1
        return labels, ["too_few"] * len(labels)
    near, lead = (
        np.argsort(np.argsort(part, kind="stable")) for part in (clusters.cosine, clusters.margin)
    )
    reasons: list[Reason] = ["far" if far else "between" for far in near < lead]
    order = np.argsort(-(clusters.margin + clusters.cosine), kind="stable")
    covered = np.cumsum(np.asarray(weights)[order])
    labels[order[covered > settings.coverage * total + 1e-9]] = -1
    sizes = np.bincount(labels + 1, weights, minlength=len(clusters.groups) + 1)[1:]
    for row in np.flatnonzero((labels >= 0) & (sizes[labels] < settings.smallest)):
        labels[row], reasons[row] = -1, "few"
    return labels, reasons


def theme_id(number: int) -> str | None:
    """Return what a theme is called in a run: ``T01`` for the first."""
    return f"T{number + 1:02d}" if number >= 0 else None


def assign(
    messages: Sequence[CustomerMessage], texts: DistinctTexts, sorting: Sorting
) -> tuple[Assignment, ...]:
    """Return the theme of each message, which is that of its text."""
    assignments = []
    confidence = None if sorting.confidence is None else sorting.confidence.tolist()
    for at, (message, row, first) in enumerate(
        zip(messages, texts.rows, texts.firsts, strict=True)
    ):
        copied = messages[first].uid if first != at else None
        if row < 0:
            reason: Reason = "template" if texts.templates[at] else "no_words"
            assignments.append(Assignment(message, reason=reason, copy_of=copied))
            continue
        theme, nearest, second = (
            theme_id(int(part[row])) for part in (sorting.themes, sorting.nearest, sorting.second)
        )
        assignments.append(
            Assignment(
                message,
                theme,
                nearest,
                second if second != nearest else None,
                confidence[row] if confidence else None,
                None if theme else sorting.reasons[row],
                copied,
            )
        )
    return tuple(assignments)
