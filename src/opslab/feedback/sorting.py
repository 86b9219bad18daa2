"""Each message in its theme, or in none: the surest stay, and themes are numbered by their size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from opslab.feedback.clustering import Clusters, Integers
from opslab.feedback.duplicates import copies
from opslab.feedback.intake import CustomerMessage
from opslab.feedback.result import Assignment, Reason
from opslab.feedback.spec import Themes


@dataclass(frozen=True)
class Sorting:
    """Texts in themes that are numbered from 0, the largest first; -1 is none.

    Attributes
    ----------
    clusters : Clusters
        All assigned, without the themes that no text is surely in.
    themes : array of int, shape (texts,)
        Of those texts that surely have one.
    reasons : list of Reason
        Why a text has no theme, if it has none.
    """

    clusters: Clusters
    themes: Integers
    reasons: list[Reason]


def drafts(messages: Sequence[CustomerMessage]) -> list[Assignment]:
    """Return messages before there are themes: what each copies, and why it can be in no theme."""
    firsts, templates = copies([message.words for message in messages])
    assignments = []
    for at, (message, first) in enumerate(zip(messages, firsts, strict=True)):
        reason: Reason | None = None
        if templates[at]:
            reason = "template"
        elif not any(map(str.isalpha, messages[first].words)):
            reason = "no_words"
        copied = messages[first].uid if first != at else None
        assignments.append(Assignment(message, reason=reason, copy_of=copied))
    return assignments


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
    sizes = Counter(np.repeat(labels, weights).tolist())
    order = [label for label, _ in sizes.most_common() if label >= 0]
    numbers = np.full(len(clusters.groups) + 1, -1)  # the last is that of the label -1
    numbers[order] = np.arange(len(order))
    clusters = replace(
        clusters,
        labels=numbers[clusters.labels],
        second=numbers[clusters.second],
        groups=pd.factorize(clusters.groups[order])[0],
        centroids=clusters.centroids[order],
        stability=None if clusters.stability is None else clusters.stability[order],
    )
    return Sorting(clusters, numbers[labels], reasons)


def _surest(
    clusters: Clusters, weights: Sequence[int], total: int, settings: Themes
) -> tuple[Integers, list[Reason]]:
    """Return the label of each text that surely has one, else -1, and why it would have none."""
    labels, count = clusters.labels.copy(), len(clusters.groups)
    reasons: list[Reason] = ["too_few"] * len(labels)
    if clusters.stability is not None:
        near, lead = (
            np.argsort(np.argsort(part, kind="stable"))
            for part in (clusters.cosine, clusters.margin)
        )
        reasons = ["far" if far else "between" for far in near < lead]
        order = np.argsort(-clusters.confidence, kind="stable")
        covered = np.cumsum(np.asarray(weights)[order])
        labels[order[covered > settings.coverage * total + 1e-9]] = -1
    sizes = np.bincount(labels + 1, weights, minlength=count + 1)[1:]
    for row in np.flatnonzero((labels >= 0) & (sizes[labels] < settings.smallest)):
        labels[row] = -1
        if clusters.stability is not None:
            reasons[row] = "few"
    return labels, reasons


def assign(
    unsorted: Sequence[Assignment], heads: Sequence[CustomerMessage], sorting: Sorting
) -> tuple[Assignment, ...]:
    """Return each message with the theme of its text.

    Parameters
    ----------
    unsorted : sequence of Assignment
        From `drafts`.
    heads : sequence of CustomerMessage
        The first message with each text.
    sorting : Sorting
        Of these texts.
    """
    clusters = sorting.clusters
    themes, nearest, second = (
        [f"T{number + 1:02d}" if number >= 0 else None for number in part.tolist()]
        for part in (sorting.themes, clusters.labels, clusters.second)
    )
    sure = clusters.confidence.round(6).tolist() if clusters.resolution else [None] * len(heads)
    rows = zip(heads, themes, nearest, second, sure, sorting.reasons, strict=True)
    own = {
        head.uid: Assignment(
            head,
            theme,
            near,
            next_near if next_near != near else None,
            confidence,
            None if theme else reason,
        )
        for head, theme, near, next_near, confidence, reason in rows
    }
    return tuple(
        replace(
            own.get(draft.copy_of or draft.message.uid, draft),
            message=draft.message,
            copy_of=draft.copy_of,
        )
        for draft in unsorted
    )
