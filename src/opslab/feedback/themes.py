"""Themes as a reader meets them: names, sizes, shares, quotes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from opslab.feedback.clustering import Vectors
from opslab.feedback.customer_message import CustomerMessage
from opslab.feedback.naming import Names, Phrases, title
from opslab.feedback.points import Passage
from opslab.feedback.quotes import quotes
from opslab.feedback.result import Assignment, Theme, ThemeGroup, Topic
from opslab.feedback.routing import Route
from opslab.feedback.shares import Bools, Judged, shares_of
from opslab.feedback.sorting import Sorting


def describe(
    assignments: Sequence[Assignment],
    heads: Sequence[CustomerMessage],
    said: Sequence[Passage],
    vectors: Vectors,
    sorting: Sorting,
    names: Names,
    group_names: Sequence[tuple[Phrases, ...]],
    judged: Judged,
    routes: Sequence[Route | None],
) -> tuple[tuple[Theme, ...], tuple[ThemeGroup, ...]]:
    """Return the themes and their groups, the largest first.

    Parameters
    ----------
    assignments : sequence of Assignment
    heads : sequence of CustomerMessage
        The first message with each text.
    said : sequence of Passage
        What they say, without what says nothing.
    vectors : array, shape (passages, dimensions)
    sorting : Sorting
        Of these passages.
    names : mapping of str to tuple of Phrases
        By the themes' ids.
    group_names : sequence of tuple of Phrases
        By the groups' numbers.
    judged : sequence of (message, theme, true theme, the runner-up where it is not said)
        By their numbers, of a random sample; -1 is none of these.
    routes : sequence of Route or None
        Of each theme; None where nobody says, and there is nothing to tell it by.
    """
    clusters, ids, themes = sorting.clusters, sorting.ids, list[Theme]()
    inside, nearest = standing(assignments, ids)
    holds = {each.message.uid: each for each in assignments}
    shares, stability = shares_of(inside, nearest, judged), clusters.stability.round(6)
    for number, (own_id, (share, low, high)) in enumerate(zip(ids, shares, strict=True)):
        members = [assignments[at] for at in np.flatnonzero(inside[:, number]).tolist()]
        messages = [each.message for each in members]
        if not members:  # people moved all of them elsewhere
            continue
        sure = np.flatnonzero(sorting.themes == number).tolist()
        rows = [row for row in sure if own_id in holds[heads[said[row].owner].uid].themes]
        rows = rows or np.flatnonzero(clusters.labels == number).tolist()
        quoted = quotes(heads, said, rows, vectors, clusters.centroids[number])
        kinds = Counter(
            next(point.kind for point in (each.main, *each.points) if point.theme == own_id)
            for each in members
        )
        ratings = [message.rating for message in messages if message.rating is not None]
        themes.append(
            Theme(
                id=own_id,
                group=f"G{clusters.groups[number] + 1:02d}",
                title=title(names[own_id]) or quoted[0].words[:40],
                phrases=names[own_id],
                messages=len(members),
                share=share,
                interval=(low, high),
                customers=len({each.customer for each in messages if each.customer}) or None,
                kinds={kind: count for kind, count in kinds.most_common() if kind},
                rating=float(np.mean(ratings)) if ratings else None,
                stability=None if np.isnan(stability[number]) else float(stability[number]),
                languages=dict(Counter(each.language or "?" for each in messages).most_common()),
                quotes=quoted,
                route=routes[number],
            )
        )
    groups = _groups(themes, ids, group_names, inside, nearest, judged)
    return tuple(sorted(themes, key=_by_size)), tuple(sorted(groups, key=_by_size))


def _by_size(topic: Topic) -> tuple[int, str]:
    return -topic.messages, topic.id


def standing(assignments: Sequence[Assignment], ids: Sequence[str]) -> tuple[Bools, Bools]:
    """Return in which themes each message surely stands, and with the rest in their nearest theme.

    Returns
    -------
    inside, nearest : array of bool, shape (messages, themes)
    """
    columns = {name: number for number, name in enumerate(ids)}
    inside = np.zeros((len(assignments), len(ids)), bool)
    nearest = inside.copy()
    for row, each in enumerate(assignments):
        themes = sorted(columns[name] for name in each.themes)
        inside[row, themes] = nearest[row, themes] = True
        if each.main.nearest in columns and not themes:
            nearest[row, columns[each.main.nearest]] = True
    return inside, nearest


def _groups(
    themes: Sequence[Theme],
    ids: Sequence[str],
    names: Sequence[tuple[Phrases, ...]],
    inside: Bools,
    nearest: Bools,
    judged: Judged,
) -> list[ThemeGroup]:
    groups = []
    for number, parts in enumerate(names):
        within = [theme for theme in themes if theme.group == f"G{number + 1:02d}"]
        if not within:
            continue
        rows = [ids.index(theme.id) for theme in within]
        own, near = (np.any(part[:, rows], axis=1, keepdims=True) for part in (inside, nearest))
        inner = [
            (row, -(met not in rows), -(true not in rows), -(most not in rows))
            for row, met, true, most in judged
        ]
        ((share, low, high),) = shares_of(own, near, inner)
        called = tuple(replace(part, title=", ".join(part.phrases)) for part in parts)
        alone = len(within) == 1 or not called
        groups.append(
            ThemeGroup(
                id=within[0].group,
                title=within[0].title if alone else title(called),
                phrases=within[0].phrases if alone else called,
                themes=tuple(theme.id for theme in within),
                messages=int(own.sum()),
                share=share,
                interval=(low, high),
                quotes=within[0].quotes,
            )
        )
    return groups
