"""What a run writes into its registry: that of the run before, and what became of its themes."""

from __future__ import annotations

import datetime
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from opslab.feedback.clustering import (
    FEWEST,
    Integers,
    Vectors,
    centroids,
    cosines_to,
    membership,
)
from opslab.feedback.corpus import Cut
from opslab.feedback.encoders import Encoder, unit
from opslab.feedback.naming import Names
from opslab.feedback.registry.continuity import MOVES, Past, moved
from opslab.feedback.registry.state import Event, Kind, KnownTheme, Registry, keys_of
from opslab.feedback.result import Assignment, Theme
from opslab.feedback.sorting import Sorting

DORMANT_DAYS = 28
"""Days of data without a message after which a theme is dormant."""

MOST_KEYS = 2_000_000
"""Texts that a registry knows: of its run, and of those before as many as there is room for."""

_TELLING = 3  # texts of which a spread can be told
_TYPICAL, _READ = 0.05, 200  # share of a theme's texts that hold a phrase, of so many that are read


def remembered(names: Names, past: Past | None, sorting: Sorting, passages: Sequence[str]) -> Names:
    """Return names of which themes keep theirs; no two have one title.

    A theme is named anew where fewer than half of its phrases are still typical of it, or its
    centroid is `MOVES` away; not on the word of a few texts.

    Parameters
    ----------
    names : mapping of str to tuple of Phrases
        As this run alone would call its themes.
    past : Past or None
    sorting : Sorting
    passages : sequence of str
        Those that were sorted.
    """
    kept, titles = Names(), set[str]()
    for number, name in enumerate(sorting.ids):
        old = past.known.theme(name) if past else None
        if past and old and old.phrases:
            rows = np.flatnonzero(sorting.clusters.labels == number)
            texts = [" ".join(passages[row].lower().split()) for row in rows[:_READ]]
            phrases = [phrase for part in old.phrases for phrase in part.phrases]
            held = [sum(phrase in text for text in texts) for phrase in phrases]
            typical = sum(count >= _TYPICAL * len(texts) for count in held)
            near = not past.fixed or old.centroid @ sorting.clusters.centroids[number] >= 1 - MOVES
            if name in past.pins or len(texts) < FEWEST or (near and 2 * typical >= len(phrases)):
                kept[name] = old.phrases
    for name in [*sorted(kept), *sorted(names.keys() - kept)]:
        kept[name] = tuple(
            replace(part, title=f"{part.title} ({name})") if part.title in titles else part
            for part in kept.get(name, names[name])
        )
        titles |= {part.title for part in kept[name]}
    return {name: kept[name] for name in names}


def registered(
    known: Registry | None,
    study: str,
    encoder: Encoder,
    day: datetime.date | None,
    past: Past | None,
    cut: Cut,
    sorting: Sorting,
    passages: Sequence[str],
    names: Names,
    assignments: Sequence[Assignment],
) -> Registry:
    """Return the registry of a run: what the one before knew, and what this one found.

    Parameters
    ----------
    known : Registry or None
        Of the run before.
    study, encoder, day
        Of this run.
    past : Past or None
        What it knew of this run's texts.
    cut : Cut
        The themes as they were found.
    sorting : Sorting
        The same with the surest texts in them, and with their ids.
    passages : sequence of str
        Those that were sorted.
    names : mapping of str to tuple of Phrases
    assignments : sequence of Assignment
        All messages.
    """
    before = known or Registry(study=study, encoder="", encoder_name="")
    refit, merged = cut.clusters.silhouette is not None, sorting.clusters.merged
    owners, old = _owners(cut, sorting), {theme.id: theme for theme in before.themes}
    order = sorted({*old, *owners} - {""})
    number = {name: at for at, name in enumerate(order)} | {"": -1}
    labels = np.array([number[name] for name in owners], int)
    themes = [old.get(name) or KnownTheme(id=name, born=day) for name in order]
    themes = _placed(themes, cut.vectors, labels, refit=refit, fixed=bool(past and past.fixed))
    themes = [replace(each, phrases=names.get(each.id, each.phrases)) for each in themes]
    here = {*owners} if past and not past.fixed else {*order}
    themes, events = _aged(themes, old, sorting, assignments, day, here)
    renumbered = [number[merged.get(theme.id, theme.id)] for theme in before.themes]
    then = pd.Series(np.array([*renumbered, -1])[before.owners], before.keys)
    held = pd.concat([pd.Series(labels, keys_of(passages)), then])
    held = held[~held.index.duplicated()][:MOST_KEYS].sort_index()
    return replace(
        before,
        study=study,
        encoder=encoder.sha256,
        encoder_name=encoder.name,
        as_of=day,
        refitted=day if refit else before.refitted,
        next=max([before.next, *(int(name[1:]) + 1 for name in order)]),
        themes=tuple(themes),
        ledger=(*before.ledger, *events),
        points=cut.points if refit else before.points,
        levels=cut.levels,
        keys=held.index.to_numpy(),
        owners=held.to_numpy(np.int32),
    )


def marked(themes: Iterable[Theme], registry: Registry) -> tuple[Theme, ...]:
    """Return themes with what a registry knows of them."""
    return tuple(
        replace(each, born=own.born, status=own.status)
        if (own := registry.theme(each.id))
        else each
        for each in themes
    )


def _owners(cut: Cut, sorting: Sorting) -> list[str]:
    """Return the theme of each passage, the nearest one of what is unsorted; empty for none."""
    clusters = cut.clusters
    ids = np.array([*sorting.ids, ""], object)[sorting.clusters.labels]
    kin = [own.id for own in clusters.kin] or [""] * len(clusters.groups)
    old = np.array(kin, object)[clusters.labels]
    new = (old == "") & ~np.isin(ids, kin)  # none that fell to its second theme
    return list(np.where((sorting.themes >= 0) | new, ids, old))


def _placed(
    themes: Sequence[KnownTheme], vectors: Vectors, labels: Integers, *, refit: bool, fixed: bool
) -> list[KnownTheme]:
    """Return themes with their centroids, and the cosines from which texts are near them.

    That is the mean of a theme's texts less a deviation; of fewer than three it stays as it was.
    """
    own = labels[labels >= 0]
    members, middles = membership(own, len(themes)), centroids(vectors, labels, len(themes))
    sizes = np.bincount(own, minlength=len(themes))
    for at, theme in enumerate(themes):
        if fixed and len(theme.centroid):
            moves = refit and sizes[at]
            middles[at] = moved(theme.centroid, middles[at]) if moves else theme.centroid
    middles = unit(middles)
    cosines = cosines_to(middles, vectors, labels)[labels >= 0]
    mean, square = (members.T @ part / np.maximum(sizes, 1) for part in (cosines, cosines**2))
    near = mean - np.sqrt(np.maximum(square - mean**2, 0))
    renewed = (sizes >= _TELLING) & (refit or not fixed)
    return [
        replace(
            theme,
            centroid=middles[at],
            near=round(float(near[at]), 6) if renewed[at] else theme.near,
        )
        for at, theme in enumerate(themes)
    ]


def _aged(
    themes: Sequence[KnownTheme],
    old: Mapping[str, KnownTheme],
    sorting: Sorting,
    assignments: Sequence[Assignment],
    day: datetime.date | None,
    here: Container[str],
) -> tuple[list[KnownTheme], list[Event]]:
    """Return themes with what became of them, and the ledger's entries of this run."""
    stands = [(name, each.message.date or day) for each in assignments for name in each.themes]
    counts = Counter(name for name, _ in stands)
    days = dict(sorted((name, met) for name, met in stands if met))  # the last of each
    today, merged = max(days.values(), default=day), sorting.clusters.merged
    kin = dict(zip(sorting.ids, sorting.clusters.kin, strict=True))
    aged, happened = [], defaultdict[tuple[Kind, str], list[str]](list)
    for theme in themes:
        name, status, into = theme.id, theme.status, merged.get(theme.id)
        seen = max(filter(None, (days.get(name), theme.seen)), default=None)
        quiet = seen and today and (today - seen).days > DORMANT_DAYS
        if into:
            status = "merged"
        elif status in ("active", "dormant") and (quiet or name not in here):
            status = "dormant"
        elif status == "dormant" and name in days:
            status = "active"
        parents = [each for each in sorted(merged) if merged[each] == name]
        if name not in old and (parent := kin[name].parent):
            parents = [parent]
            happened["split", parent].append(name)
        elif name not in old:
            happened["born", name] = []
        elif status != theme.status:
            happened["revived" if status == "active" else status, name] = [into] if into else []
        now = replace(theme, status=status, seen=seen, into=into or theme.into)
        aged.append(replace(now, messages=counts[name], parents=(*theme.parents, *parents)))
    return aged, [Event(day, *key, tuple(others)) for key, others in sorted(happened.items())]
