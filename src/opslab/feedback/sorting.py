"""Each message in its theme, or in none: the surest stay, and themes are numbered by their size."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from opslab.feedback.audit import PROMISED, Audit
from opslab.feedback.clustering import Clusters, Integers, Kin, Vectors, centroids
from opslab.feedback.customer_message import CustomerMessage
from opslab.feedback.duplicates import copies
from opslab.feedback.edits import Edits
from opslab.feedback.points import Passage
from opslab.feedback.result import Assignment, Point, Reason
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
    ids : sequence of str
        What the themes are called, in the order of their numbers.
    """

    clusters: Clusters
    themes: Integers
    reasons: list[Reason]
    ids: Sequence[str]


SENDERS = 5
"""Customers from whom a text in many wordings is no template: they have the same to tell."""
HEAVY = 0.02
"""Share of the messages that makes a theme of a text that is like no other."""


def drafts(messages: Sequence[CustomerMessage]) -> list[Assignment]:
    """Return messages before there are themes: what each copies, and why it can be in no theme."""
    firsts, templates = copies([message.words for message in messages])
    assignments = []
    pairs = {(first, each.customer) for first, each in zip(firsts, messages, strict=True)}
    senders = Counter(first for first, customer in pairs if customer is not None)
    for at, (message, first) in enumerate(zip(messages, firsts, strict=True)):
        reason: Reason | None = None
        if templates[at] and senders[first] < SENDERS:
            reason = "template"
        elif not any(map(str.isalpha, messages[first].words)):
            reason = "no_words"
        copied = messages[first].uid if first != at else None
        main = Point(text=message.text, reason=reason)
        assignments.append(Assignment(message, main, copy_of=copied))
    return assignments


def sort_texts(
    clusters: Clusters,
    vectors: Vectors,
    weights: Sequence[int],
    settings: Themes,
    following: int = 1,
) -> Sorting:
    """Return the surest texts in their themes; those of earlier runs keep their ids.

    Parameters
    ----------
    clusters : Clusters
    vectors : array, shape (texts, dimensions)
    weights : sequence of int
        Messages that each text stands for; 0 for a point beside its whole message.
    settings : Themes
    following : int
        The number of the next new theme.
    """
    clusters = replace(clusters, kin=clusters.kin or [Kin()] * len(clusters.groups))
    labels, reasons = _surest(clusters, weights, settings)
    least = max(settings.smallest, HEAVY * sum(weights))
    rows = [row for row in np.flatnonzero(labels < 0).tolist() if weights[row] >= least]
    if rows and clusters.resolution:  # the dial is for the others
        light = np.array(weights)
        light[rows] = 0
        labels, reasons = _surest(clusters, light.tolist(), settings)
        labels, clusters = _with_repeated(labels, rows, clusters, vectors)
    sizes = Counter(np.repeat(labels, weights).tolist())
    order = [label for label, _ in sizes.most_common() if label >= 0]
    numbers = np.full(len(clusters.groups) + 1, -1)  # the last is that of the label -1
    numbers[order] = np.arange(len(order))
    nearest, second = numbers[clusters.labels], numbers[clusters.second]
    kin = [clusters.kin[label] for label in order]
    clusters = replace(
        clusters,
        labels=np.where(nearest < 0, second, nearest),
        second=second,
        groups=pd.factorize(clusters.groups[order])[0],
        centroids=clusters.centroids[order],
        stability=clusters.stability[order],
        kin=kin,
    )
    new = itertools.count(following)
    ids = [own.id or f"T{next(new):02d}" for own in kin]
    return Sorting(clusters, numbers[labels], reasons, ids)


def _with_repeated(
    labels: Integers, rows: Sequence[int], clusters: Clusters, vectors: Vectors
) -> tuple[Integers, Clusters]:
    """Return labels and themes with one for each of these texts, which many send."""
    new, groups = np.arange(len(rows)), clusters.groups
    labels, nearest = labels.copy(), clusters.labels.copy()
    labels[rows] = nearest[rows] = new + len(groups)
    return labels, replace(
        clusters,
        labels=nearest,
        groups=np.append(groups, new + groups.max() + 1),
        centroids=np.vstack([clusters.centroids, vectors[rows]]),
        stability=np.append(clusters.stability, np.full(len(rows), np.nan)),
        kin=[*clusters.kin, *[Kin()] * len(rows)],
    )


def edited(
    sorting: Sorting, edits: Edits, vectors: Vectors, known: Mapping[str, Vectors]
) -> tuple[Sorting, dict[str, Vectors]]:
    """Return texts in the themes that are left after people's edits, and the middles of parts.

    Parameters
    ----------
    sorting : Sorting
    edits : Edits
    vectors : array, shape (texts, dimensions)
    known : mapping of str to array
        The middles of parts, from `parts.middles`.
    """
    clusters, old = sorting.clusters, np.array([*sorting.ids, ""])  # the last is that of none
    labels, sure = old[np.array([clusters.labels, clusters.second])], sorting.themes >= 0
    parts = edits.middles(labels[0], vectors, sure, known)
    labels = edits.applied(labels, vectors, parts)
    out = np.isin(labels[0], [*edits.excluded])
    there = {*labels[0].tolist()} - {"", *edits.excluded}
    ids = sorted(there, key=lambda name: (len(name.rstrip("abcde")), name))
    number = {name: at for at, name in enumerate(ids)}
    first, second = (np.array([number.get(name, -1) for name in row]) for row in labels)
    origin = [int(np.flatnonzero(old == name.rstrip("abcde"))[0]) for name in ids]
    taken = {*edits.merges.values(), *edits.merges, *edits.splits}
    same = [name in old and name not in taken for name in ids]
    clusters = replace(
        clusters,
        labels=first,
        second=second,
        groups=pd.factorize(clusters.groups[origin])[0],
        centroids=centroids(vectors, first, len(ids)),
        stability=np.where(same, clusters.stability[origin], np.nan),
    )
    reasons: list[Reason] = [
        "excluded" if left else reason
        for left, reason in zip((out & sure).tolist(), sorting.reasons, strict=True)
    ]
    return Sorting(clusters, np.where(sure, first, -1), reasons, ids), parts


def judged_rows(
    assignments: Sequence[Assignment], ids: Sequence[str], edits: Edits, audit: Audit | None
) -> list[tuple[int, int, int, int]]:
    """Return judged messages with the theme that was judged and the true one, by their numbers.

    Where people only say that it is another one, that is none, and at most the runner-up. No rows
    where too few are judged for a precision to be told.
    """
    if audit is None or audit.judged < PROMISED:
        return []
    rows = {each.message.uid: row for row, each in enumerate(assignments)}
    number = {name: at for at, name in enumerate(ids)}
    judged = []
    for each in audit.sampled:
        row = rows[each.message]
        met = assignments[row].main.nearest or ""
        true = met if each.right else edits.merges.get(each.true, each.true)
        most = true or each.new or assignments[row].main.second or ""
        judged.append((row, number.get(met, -1), number.get(true, -1), number.get(most, -1)))
    return judged


def moved(
    assignments: Sequence[Assignment], edits: Edits, audit: Audit | None
) -> tuple[Assignment, ...]:
    """Return messages in the themes that people say they are truly about, or in none."""
    true = {
        each.message: edits.merges.get(each.true, each.true)
        for each in (audit.judgements if audit else ())
        if not each.right
    }
    after = list(assignments)
    for row, each in enumerate(after):
        theme = true.get(each.message.uid)
        change: dict[str, Any] = {"theme": theme, "nearest": theme, "reason": None}
        if not theme:
            change = {"theme": None, "reason": "judged"}
        elif theme in edits.excluded:
            change = {"theme": None, "nearest": None, "reason": "excluded"}
        if theme is not None:
            after[row] = replace(each, main=replace(each.main, **change))
    return tuple(after)


def _surest(
    clusters: Clusters, weights: Sequence[int], settings: Themes
) -> tuple[Integers, list[Reason]]:
    """Return the label of each text that surely has one, else -1, and why it would have none."""
    labels, count = clusters.labels.copy(), len(clusters.groups)
    reasons: list[Reason] = ["too_few"] * len(labels)
    if clusters.resolution:
        ranks = pd.DataFrame({"near": clusters.cosine, "lead": clusters.margin}).rank(
            method="first"
        )
        reasons = ["far" if far else "between" for far in ranks["near"] < ranks["lead"]]
        order = np.argsort(-clusters.confidence, kind="stable")
        covered = np.cumsum(np.asarray(weights)[order])
        labels[order[covered > settings.coverage * sum(weights) + 1e-9]] = -1
    sizes = np.bincount(labels + 1, weights, minlength=count + 1)[1:]
    new = np.array([not kin.id for kin in clusters.kin], bool)  # a known one may be small for once
    for row in np.flatnonzero((labels >= 0) & new[labels] & (sizes[labels] < settings.smallest)):
        labels[row] = -1
        if clusters.resolution:
            reasons[row] = "few"
    return labels, reasons


def assign(
    unsorted: Sequence[Assignment],
    heads: Sequence[CustomerMessage],
    said: Sequence[Passage],
    points: Sequence[Point],
) -> tuple[Assignment, ...]:
    """Return each message with the themes of what it says.

    Parameters
    ----------
    unsorted : sequence of Assignment
        From `drafts`.
    heads : sequence of CustomerMessage
        The first message with each text.
    said : sequence of Passage
        What they say.
    points : sequence of Point
        Where each passage stands.
    """
    own: list[list[int]] = [[] for _ in heads]
    for row in sorted(range(len(said)), key=lambda row: said[row].position):
        own[said[row].owner].append(row)
    whole = {}
    for head, rows in zip(heads, own, strict=True):
        parts = tuple(points[row] for row in rows if said[row].position)
        first = points[rows[0]]
        main = first if first.nearest or first.reason else _main(parts)
        main = main if main.text == head.text else replace(main, text=head.text)
        whole[head.uid] = Assignment(head, main, parts)
    pairs = ((whole.get(each.copy_of or each.message.uid, each), each) for each in unsorted)
    return tuple(
        own if not each.copy_of else replace(own, message=each.message, copy_of=each.copy_of)
        for own, each in pairs
    )


def _main(points: Sequence[Point]) -> Point:
    """Return the point of the theme that most words surely speak of."""
    candidates = [point for point in points if point.theme] or points
    weights = dict.fromkeys([point.nearest or "" for point in candidates], 0.0)
    for point in candidates:
        weights[point.nearest or ""] += len(point.text.split()) * (point.confidence or 1)
    theme = max(sorted(weights), key=lambda name: round(weights[name], 6))
    return next(point for point in candidates if (point.nearest or "") == theme)


def stood(points: Sequence[Point], rows: Sequence[int], sorting: Sorting) -> list[Point]:
    """Return points with the themes that some of them stand in.

    Parameters
    ----------
    points : sequence of Point
    rows : sequence of int
        Which of them were sorted.
    sorting : Sorting
        Of those.
    """
    clusters, ids = sorting.clusters, [*sorting.ids, None]  # the last is that of -1
    sure = clusters.confidence.round(6).tolist() if clusters.resolution else [None] * len(rows)
    standing = list(points)
    for at, row in enumerate(rows):
        theme, near, second = (
            ids[part[at]] for part in (sorting.themes, clusters.labels, clusters.second)
        )
        standing[row] = replace(
            points[row],
            theme=theme,
            nearest=near,
            second=second if second != near else None,
            confidence=sure[at],
            reason=None if theme else sorting.reasons[at],
        )
    return standing
