"""Themes as a reader meets them: names, sizes, shares, quotes, and where they lie on the map."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from opslab.feedback.audit import wilson
from opslab.feedback.clustering import Vectors, positions
from opslab.feedback.intake import CustomerMessage
from opslab.feedback.naming import Phrases, name_themes, title
from opslab.feedback.quotes import quotes
from opslab.feedback.result import Assignment, Theme, ThemeGroup
from opslab.feedback.sorting import Sorting


def describe(
    assignments: Sequence[Assignment],
    heads: Sequence[CustomerMessage],
    vectors: Vectors,
    sorting: Sorting,
    encode: Callable[[Sequence[str]], Vectors],
) -> tuple[tuple[Theme, ...], tuple[ThemeGroup, ...]]:
    """Return the themes and their groups, the largest first.

    Parameters
    ----------
    assignments : sequence of Assignment
    heads : sequence of CustomerMessage
        The first message with each text.
    vectors : array, shape (texts, dimensions)
    sorting : Sorting
    encode : callable
        The encoder's: it tells which clause speaks for a theme.
    """
    clusters, total = sorting.clusters, len(assignments)
    messages = [assignment.message for assignment in assignments]
    numbers = np.array([int(each.theme[1:]) - 1 if each.theme else -1 for each in assignments], int)
    groups = np.append(clusters.groups, -1)[numbers]
    count = len(clusters.groups)
    stability = None if clusters.stability is None else clusters.stability.round(6).tolist()
    spoken = [message.words for message in messages], [message.language for message in messages]
    names = name_themes(*spoken, numbers, count, encode)
    sizes = np.bincount(numbers[numbers >= 0], minlength=count).tolist()
    themes = []
    for number, position in enumerate(positions(clusters.centroids, sizes)):
        rows = np.flatnonzero(sorting.themes == number).tolist()
        quoted = quotes([heads[row] for row in rows], vectors[rows], clusters.centroids[number])
        inside = [messages[at] for at in np.flatnonzero(numbers == number).tolist()]
        ratings = [message.rating for message in inside if message.rating is not None]
        themes.append(
            Theme(
                id=f"T{number + 1:02d}",
                group=f"G{clusters.groups[number] + 1:02d}",
                title=title(names[number]) or quoted[0].words[:40],
                phrases=names[number],
                messages=len(inside),
                share=len(inside) / total,
                interval=wilson(len(inside), total),
                customers=len({each.customer for each in inside if each.customer}) or None,
                rating=float(np.mean(ratings)) if ratings else None,
                stability=stability[number] if stability else None,
                languages=dict(Counter(each.language or "?" for each in inside).most_common()),
                quotes=quoted,
                position=position,
            )
        )
    group_names = name_themes(*spoken, groups, len(set(clusters.groups.tolist())))
    return tuple(themes), _groups(themes, group_names, total)


def _groups(
    themes: Sequence[Theme], names: Sequence[tuple[Phrases, ...]], total: int
) -> tuple[ThemeGroup, ...]:
    groups = []
    for number, phrases in enumerate(names):
        inside = [theme for theme in themes if theme.group == f"G{number + 1:02d}"]
        messages = sum(theme.messages for theme in inside)
        groups.append(
            ThemeGroup(
                id=inside[0].group,
                title=title(phrases) if len(inside) > 1 else inside[0].title,
                themes=tuple(theme.id for theme in inside),
                messages=messages,
                share=messages / total,
                interval=wilson(messages, total),
                quotes=inside[0].quotes,
            )
        )
    return tuple(sorted(groups, key=lambda group: -group.messages))
