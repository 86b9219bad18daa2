"""The parts of themes that people split, in the registry: the same parts next week.

To what looks for themes a split theme is whole: `whole` gives its registry, and `with_parts` puts
people's parts back in.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from opslab.feedback.clustering import Vectors, centroids
from opslab.feedback.edits import Edits, not_here
from opslab.feedback.encoders import Latent
from opslab.feedback.naming import Names
from opslab.feedback.registry.state import Event, KnownTheme, Registry, keys_of
from opslab.feedback.result import Assignment
from opslab.results import Message


def is_part(theme: str) -> bool:
    """Return whether an id is that of a part that people made.

    Examples
    --------
    >>> is_part("T03a"), is_part("T03")
    (True, False)
    """
    return theme[-1:].isalpha()


def _holding(registry: Registry, themes: Mapping[str, KnownTheme]) -> Registry:
    """Return a registry with other themes; the owners of passages are those, or what held them."""
    ordered = sorted(themes)
    number = {name: at for at, name in enumerate(ordered)}
    numbers = [number.get(each.id, number.get(each.id[:-1], -1)) for each in registry.themes]
    owners = np.array([*numbers, -1], np.int32)[registry.owners]  # the last is that of none
    return replace(registry, themes=tuple(themes[name] for name in ordered), owners=owners)


def whole(known: Registry | None) -> Registry | None:
    """Return a registry in which no theme is split by people."""
    if known is None:
        return None
    themes = {
        each.id: replace(each, status="active") if each.status == "split" else each
        for each in known.themes
        if not is_part(each.id)
    }
    return _holding(known, themes)


def middles(
    known: Registry | None, vectors: Vectors, passages: Sequence[str], *, fixed: bool
) -> dict[str, Vectors]:
    """Return the middles of the parts that are known: in another space, of the texts known in them.

    Parameters
    ----------
    known : Registry or None
    vectors : array, shape (passages, dimensions)
    passages : sequence of str
    fixed : bool
        Whether the registry's centroids lie in the space of the vectors.
    """
    if known is None:
        return {}
    owned = centroids(vectors, known.owners_of(keys_of(passages)), len(known.themes))
    every = {
        each.id: each.centroid if fixed else owned[at]
        for at, each in enumerate(known.themes)
        if is_part(each.id)
    }
    return {part: middle for part, middle in every.items() if middle.any()}


def called(
    known: Registry | None, middles: Mapping[str, Vectors], same: Mapping[str, Vectors]
) -> Names:
    """Return what parts are called that are still where they were."""
    return {
        part.id: part.phrases
        for part in (known.themes if known else ())
        if part.id in same and same[part.id] is middles.get(part.id) and part.phrases
    }


def absent(
    edits: Edits, parts: Iterable[str], names: Names, assignments: Sequence[Assignment]
) -> list[Message]:
    """Return that parts have no messages in this run, of those that people left as they are."""
    here = {theme for each in assignments for theme in each.themes}
    away = sorted({*parts} - here - edits.merges.keys() - {*edits.excluded})
    return [not_here(part, names.get(part, ()), ["split"]) for part in away]


def with_parts(
    registry: Registry,
    known: Registry | None,
    edits: Edits,
    middles: Mapping[str, Vectors],
    names: Names,
    assignments: Sequence[Assignment],
    vectors: Vectors,
    passages: Sequence[str],
) -> Registry:
    """Return a run's registry with the parts of themes that people split, or had split before.

    Parameters
    ----------
    registry : Registry
        Of the run, without parts.
    known : Registry or None
        Of the run before.
    edits : Edits
    middles : mapping of str to array
        The middle of each part, by its id.
    names : mapping of str to tuple of Phrases
        Of themes and parts, without people's names.
    assignments : sequence of Assignment
        After edits.
    vectors : array, shape (passages, dimensions)
    passages : sequence of str
        Those that were sorted.
    """
    old = {each.id: each for each in known.themes if is_part(each.id)} if known else {}
    if known and not known.encoder == registry.encoder != Latent.sha256:  # parts lie nowhere in it
        old = {part: replace(each, centroid=np.empty(0, np.float32)) for part, each in old.items()}
    if not (old or middles):
        return registry
    themes = {each.id: each for each in registry.themes}
    days = defaultdict[str, list[datetime.date | None]](list)
    for each in assignments:
        for theme in each.themes:
            days[theme].append(each.message.date)
    events, new = list[Event](), defaultdict[str, list[str]](list)
    for part in sorted(old.keys() | middles.keys()):
        theme = part[:-1]
        now = old.get(part) or KnownTheme(
            id=part, status="merged", parents=(theme,), born=registry.as_of
        )
        if part in middles:
            if now.status == "merged":
                new[theme].append(part)
            now = replace(
                now,
                centroid=middles[part],
                phrases=names.get(part, now.phrases),
                status="active",
                into=None,
                seen=max(filter(None, days[part]), default=now.seen),
                messages=len(days[part]),
            )
        elif now.status != "merged":
            now = replace(
                now, status="dormant", messages=0
            )  # with its theme, or one of fewer parts
            if themes[theme].status == "active" and not edits.rows.get(theme, {}).get("split"):
                now = replace(now, status="merged", into=theme)  # taken back
                events.append(Event(registry.as_of, "merged", part, (theme,)))
        themes[part] = now
    themes |= {part[:-1]: replace(themes[part[:-1]], status="split") for part in middles}
    events += [Event(registry.as_of, "split", theme, tuple(new[theme])) for theme in new]
    registry = _holding(replace(registry, ledger=(*registry.ledger, *events)), themes)
    return replace(registry, owners=_owned(registry, known, middles, vectors, passages))


def _owned(
    registry: Registry,
    known: Registry | None,
    middles: Mapping[str, Vectors],
    vectors: Vectors,
    passages: Sequence[str],
) -> NDArray[np.int32]:
    """Return the owners of a registry's passages: parts, where their themes have such."""
    number, owners = {each.id: at for at, each in enumerate(registry.themes)}, registry.owners
    if known:
        was = [(number[each.id], number.get(each.id[:-1], -2)) for each in known.themes]
        part, theme = np.array([*was, (-2, -2)], np.int32)[known.owners_of(registry.keys)].T
        owners = np.where(theme == owners, part, owners)
    at = np.searchsorted(registry.keys, keys_of(passages))
    for theme in {part[:-1] for part in middles}:
        parts = [part for part in middles if part[:-1] == theme]
        rows = np.flatnonzero(registry.owners[at] == number[theme])
        cosines = vectors[rows] @ np.stack([middles[part] for part in parts]).T
        numbers = np.array([number[part] for part in parts], np.int32)
        owners[at[rows]] = numbers[cosines.round(6).argmax(axis=1)]
    return owners
