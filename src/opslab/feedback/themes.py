"""Themes as a reader meets them: names, sizes, shares, quotes, and where they lie on the map."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from opslab.feedback.clustering import Vectors, positions
from opslab.feedback.intake import CustomerMessage
from opslab.feedback.kinds import Kind
from opslab.feedback.naming import Phrases, name_themes, title
from opslab.feedback.points import Passage
from opslab.feedback.quotes import quotes
from opslab.feedback.result import Assignment, Theme, ThemeGroup
from opslab.feedback.shares import cautious_shares
from opslab.feedback.sorting import Sorting

Booleans = NDArray[np.bool_]


def describe(
    assignments: Sequence[Assignment],
    heads: Sequence[CustomerMessage],
    said: Sequence[Passage],
    vectors: Vectors,
    sorting: Sorting,
    encode: Callable[[Sequence[str]], Vectors],
    persons: Collection[str],
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
    encode : callable
        An encoder's: vectors of length 1 for texts.
    persons : collection of str
        Lower-case words that name people, and never a theme.
    """
    clusters = sorting.clusters
    count = len(clusters.groups)
    ids = [f"T{number + 1:02d}" for number in range(count)]
    inside, nearest = standing(assignments, ids)
    stability = None if clusters.stability is None else clusters.stability.round(6).tolist()
    spoken = (
        [passage.words for passage in said],
        [passage.language for passage in said],
    )
    names = name_themes(*spoken, sorting.themes, count, encode, persons)
    themes = []
    sizes = inside.sum(axis=0).tolist()
    shares = cautious_shares(inside, nearest).tolist()
    for number, position in enumerate(positions(clusters.centroids, sizes)):
        rows = np.flatnonzero(sorting.themes == number).tolist()
        voices = [replace(heads[said[row].owner], text=said[row].text) for row in rows]
        quoted = quotes(voices, vectors[rows], clusters.centroids[number])
        members = [assignments[at] for at in np.flatnonzero(inside[:, number]).tolist()]
        messages = [each.message for each in members]
        ratings = [message.rating for message in messages if message.rating is not None]
        themes.append(
            Theme(
                id=ids[number],
                group=f"G{clusters.groups[number] + 1:02d}",
                title=title(names[number]) or quoted[0].words[:40],
                phrases=names[number],
                messages=len(members),
                share=shares[number][0],
                interval=(shares[number][1], shares[number][2]),
                customers=len({each.customer for each in messages if each.customer}) or None,
                kinds=_kinds(members, ids[number]),
                rating=float(np.mean(ratings)) if ratings else None,
                stability=stability[number] if stability else None,
                languages=dict(Counter(each.language or "?" for each in messages).most_common()),
                quotes=quoted,
                position=position,
            )
        )
    groups = np.append(clusters.groups, -1)[sorting.themes]
    group_names = name_themes(*spoken, groups, len(set(clusters.groups.tolist())))
    return tuple(themes), _groups(themes, group_names, inside, nearest)


def standing(assignments: Sequence[Assignment], ids: Sequence[str]) -> tuple[Booleans, Booleans]:
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
        if each.main.nearest and not themes:
            nearest[row, columns[each.main.nearest]] = True
    return inside, nearest


def _kinds(members: Sequence[Assignment], theme: str) -> dict[Kind, int]:
    """Return how many messages say what of a theme, the most common kind first."""
    kinds = [
        next(point.kind for point in (each.main, *each.points) if point.theme == theme)
        for each in members
    ]
    return dict(Counter(kind for kind in kinds if kind).most_common())


def _groups(
    themes: Sequence[Theme],
    names: Sequence[tuple[Phrases, ...]],
    inside: Booleans,
    nearest: Booleans,
) -> tuple[ThemeGroup, ...]:
    groups = []
    for number, parts in enumerate(names):
        rows = [at for at, theme in enumerate(themes) if theme.group == f"G{number + 1:02d}"]
        within = [themes[at] for at in rows]
        together = [part[:, rows].any(axis=1, keepdims=True) for part in (inside, nearest)]
        ((share, low, high),) = cautious_shares(*together).tolist()
        own = tuple(replace(part, title=", ".join(part.phrases)) for part in parts)
        alone = len(within) == 1 or not own
        groups.append(
            ThemeGroup(
                id=within[0].group,
                title=within[0].title if alone else title(own),
                phrases=within[0].phrases if alone else own,
                themes=tuple(theme.id for theme in within),
                messages=int(together[0].sum()),
                share=share,
                interval=(low, high),
                quotes=within[0].quotes,
            )
        )
    return tuple(sorted(groups, key=lambda group: (-group.messages, group.id)))
