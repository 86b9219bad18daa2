"""The parts of themes that people split, in the registry: the same parts next week.

To what looks for themes a split theme is whole: `whole` gives its registry, and `with_parts` puts
people's parts back in.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from opslab.feedback.clustering import Vectors
from opslab.feedback.edits import Edits
from opslab.feedback.encoders import Latent, unit
from opslab.feedback.naming import Names, title
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
    split = {each.id[:-1] for each in known.themes if is_part(each.id) and each.status == "active"}
    themes = {
        each.id: replace(each, status="active") if each.id in split else each
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
    parts = {
        each.id: at for at, each in enumerate(known.themes if known else ()) if is_part(each.id)
    }
    if known is None or fixed or not parts:
        every = {part: known.themes[at].centroid for part, at in parts.items()} if known else {}
        return {part: middle for part, middle in every.items() if len(middle)}
    owned = known.owners_of(keys_of(passages))
    totals = {part: vectors[owned == at].sum(axis=0, keepdims=True) for part, at in parts.items()}
    return {part: unit(total)[0] for part, total in totals.items() if total.any()}


def called(
    known: Registry | None, middles: Mapping[str, Vectors], same: Mapping[str, Vectors]
) -> Names:
    """Return what parts are called that are still where they were."""
    each = [known.theme(part) for part in middles] if known else []
    kept = [part for part in each if part and part.id in same and same[part.id] is middles[part.id]]
    return {part.id: part.phrases for part in kept if part.phrases}


def absent(
    edits: Edits, parts: Iterable[str], names: Names, assignments: Sequence[Assignment]
) -> list[Message]:
    """Return that parts have no messages in this run, of those that people left as they are."""
    here = {theme for each in assignments for theme in each.themes}
    away = sorted({*parts} - here - edits.merges.keys() - {*edits.excluded})
    words = [{"theme": part, "name": title(names.get(part, ())) or part} for part in away]
    more = {"edits": ["split"], "into": None}
    return [Message("feedback.edits_dormant", each | more) for each in words]


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
    old = _former(known, registry.encoder)
    if not (old or middles):
        return registry
    themes = {each.id: each for each in registry.themes}
    days: dict[str, list[datetime.date | None]] = {part: [] for part in middles}
    for each in assignments:
        for theme in each.themes & middles.keys():
            days[theme].append(each.message.date)
    events, new = list[Event](), dict[str, list[str]]()
    for part in sorted(old.keys() | middles.keys()):
        theme, was = part[:-1], old[part].status if part in old else "merged"
        if part in middles:
            now = old.get(part) or KnownTheme(
                id=part, centroid=middles[part], phrases=(), parents=(theme,), born=registry.as_of
            )
            now = replace(
                now,
                centroid=middles[part],
                phrases=names.get(part, now.phrases),
                status="active",
                into=None,
                seen=max(filter(None, days[part]), default=now.seen),
                messages=len(days[part]),
            )
            if was == "merged":
                new.setdefault(theme, []).append(part)
        elif themes[theme].status == "active" and not edits.rows.get(theme, {}).get("split"):
            now = replace(old[part], status="merged", into=theme, messages=0)  # taken back
            if was != "merged":
                events.append(Event(registry.as_of, "merged", part, (theme,)))
        else:  # the theme is away, or has fewer parts
            now = replace(old[part], status="dormant", messages=0)
        themes[part] = now
    themes |= {part[:-1]: replace(themes[part[:-1]], status="split") for part in middles}
    events += [Event(registry.as_of, "split", theme, tuple(new[theme])) for theme in new]
    registry = _holding(replace(registry, ledger=(*registry.ledger, *events)), themes)
    return replace(registry, owners=_owned(registry, known, middles, vectors, passages))


def _former(known: Registry | None, encoder: str) -> dict[str, KnownTheme]:
    """Return the parts of the run before; in another space those that are away lie nowhere."""
    old = {each.id: each for each in known.themes if is_part(each.id)} if known else {}
    if known and known.encoder == encoder != Latent.sha256:
        return old
    nowhere = np.empty(0, np.float32)
    return {part: replace(each, centroid=nowhere) for part, each in old.items()}


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
