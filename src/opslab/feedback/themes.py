"""Themes as a reader meets them: names, sizes, shares, quotes, and a place on the map."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from opslab.feedback.audit import wilson
from opslab.feedback.clustering import positions
from opslab.feedback.intake import CustomerMessage
from opslab.feedback.naming import Phrases, name_themes, title
from opslab.feedback.quotes import quotes
from opslab.feedback.result import Assignment, Theme, ThemeGroup
from opslab.feedback.sorting import DistinctTexts, Sorting

if TYPE_CHECKING:
    from opslab.feedback.clustering import Vectors


def describe(
    assignments: Sequence[Assignment], texts: DistinctTexts, sorting: Sorting, vectors: Vectors
) -> tuple[tuple[Theme, ...], tuple[ThemeGroup, ...]]:
    """Return the themes and their groups, the largest first.

    Parameters
    ----------
    assignments : sequence of Assignment
    texts : DistinctTexts
    sorting : Sorting
        Of the texts.
    vectors : array, shape (texts, dimensions)
    """
    messages = [assignment.message for assignment in assignments]
    words = [message.words for message in messages]
    languages = [message.language for message in messages]
    numbers = np.append(sorting.themes, -1)[texts.rows]
    groups = np.append(sorting.groups, -1)[numbers]
    count = len(sorting.groups)
    names = name_themes(words, languages, numbers, count)
    sizes = np.bincount(numbers[numbers >= 0], minlength=count).tolist()
    themes = tuple(
        _theme(
            number,
            sorting,
            [messages[at] for at in np.flatnonzero(numbers == number)],
            len(messages),
            names[number],
            _quotes(number, texts, sorting, vectors),
            position,
        )
        for number, position in enumerate(positions(sorting.centroids, sizes))
    )
    group_names = name_themes(words, languages, groups, len(set(sorting.groups.tolist())))
    return themes, _groups(themes, group_names, len(messages))


def _quotes(
    number: int, texts: DistinctTexts, sorting: Sorting, vectors: Vectors
) -> tuple[CustomerMessage, ...]:
    rows = np.flatnonzero(sorting.themes == number)
    heads = [texts.messages[row] for row in rows]
    kinds = [(message.language, message.source) for message in heads]
    written = [message.text for message in heads]
    chosen = quotes(vectors[rows], sorting.centroids[number], written, kinds)
    return tuple(heads[at] for at in chosen)


def _theme(
    number: int,
    sorting: Sorting,
    messages: Sequence[CustomerMessage],
    total: int,
    phrases: tuple[Phrases, ...],
    quoted: tuple[CustomerMessage, ...],
    position: tuple[float, float],
) -> Theme:
    ratings = [message.rating for message in messages if message.rating is not None]
    return Theme(
        id=f"T{number + 1:02d}",
        group=f"G{sorting.groups[number] + 1:02d}",
        title=title(phrases) or quoted[0].words[:40],
        phrases=phrases,
        messages=len(messages),
        share=len(messages) / total,
        interval=wilson(len(messages), total),
        customers=len({message.customer for message in messages if message.customer}) or None,
        rating=float(np.mean(ratings)) if ratings else None,
        stability=None if sorting.stability is None else float(sorting.stability[number]),
        languages=dict(Counter(message.language or "?" for message in messages).most_common()),
        quotes=quoted,
        position=position,
    )


def _groups(
    themes: Sequence[Theme], names: Sequence[tuple[Phrases, ...]], total: int
) -> tuple[ThemeGroup, ...]:
    groups = []
    for identity, phrases in zip(
        dict.fromkeys(theme.group for theme in themes), names, strict=True
    ):
        inside = [theme for theme in themes if theme.group == identity]
        messages = sum(theme.messages for theme in inside)
        groups.append(
            ThemeGroup(
                id=identity,
                title=title(phrases) if len(inside) > 1 else inside[0].title,
                themes=tuple(theme.id for theme in inside),
                messages=messages,
                share=messages / total,
                interval=wilson(messages, total),
                quotes=inside[0].quotes,
            )
        )
    return tuple(sorted(groups, key=lambda group: -group.messages))
