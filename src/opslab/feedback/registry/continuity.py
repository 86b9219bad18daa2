"""From one run to the next: which theme is which, and what becomes of the registry."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from opslab.feedback.encoders import Encoder
from opslab.feedback.naming import Names
from opslab.feedback.registry.state import Event, KnownTheme, Registry, keys_of
from opslab.feedback.result import Assignment
from opslab.feedback.sorting import Sorting

SAME = 0.75
"""Cosine of two centroids from which they may be one theme's."""


def continued(sorting: Sorting, known: Registry | None) -> Sorting:
    """Return texts in themes that bear the ids that a registry knows them by."""
    if known is None:
        return sorting
    old = [theme for theme in known.themes if theme.status in ("active", "dormant")]
    centroids = sorting.clusters.centroids
    cosines = (
        centroids @ np.array([theme.centroid for theme in old]).reshape(-1, centroids.shape[1]).T
    )
    rows, columns = linear_sum_assignment(-cosines)
    same = {
        row: old[column].id
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
        if cosines[row, column] >= SAME
    }
    new = iter(range(known.next, known.next + len(sorting.ids)))
    ids = [same.get(at) or f"T{next(new):02d}" for at in range(len(sorting.ids))]
    return replace(sorting, ids=ids)


def registered(
    known: Registry | None,
    *,
    study: str,
    encoder: Encoder,
    day: datetime.date | None,
    sorting: Sorting,
    names: Names,
    passages: Sequence[str],
    assignments: Sequence[Assignment],
) -> Registry:
    """Return the registry of a run: what the one before knew, and what this one found."""
    before = known or Registry(study=study, encoder=encoder.sha256, encoder_name=encoder.name)
    old = {theme.id: theme for theme in before.themes}
    counts = Counter(theme for each in assignments for theme in each.themes)
    days: dict[str, datetime.date] = {}
    for each in assignments:
        for theme in each.themes:
            if each.message.date:
                days[theme] = max(each.message.date, days.get(theme, each.message.date))
    ledger = list(before.ledger)
    themes = dict(old)
    for number, name in enumerate(sorting.ids):
        now = themes.get(name) or KnownTheme(
            id=name, centroid=sorting.clusters.centroids[number], phrases=(), born=day
        )
        if name not in old:
            ledger.append(Event(day, "born", name))
        themes[name] = replace(
            now,
            centroid=sorting.clusters.centroids[number],
            phrases=names.get(name, now.phrases),
            status="active",
            seen=days.get(name, now.seen),
            messages=counts[name],
        )
    ordered = sorted(themes)
    keys, first = np.unique(keys_of(passages), return_index=True)
    number_of = {name: at for at, name in enumerate(ordered)}
    owner = [number_of[name] for name in sorting.ids]
    labels = sorting.clusters.labels
    owners = np.append(np.array(owner, np.int32), np.int32(-1))[
        np.where(labels < len(owner), labels, -1)
    ]
    numbers = [int(name[1:]) for name in ordered if name[1:].isdigit()]
    return replace(
        before,
        encoder=encoder.sha256,
        encoder_name=encoder.name,
        as_of=day,
        refitted=day,
        next=max([before.next - 1, *numbers]) + 1,
        themes=tuple(themes[name] for name in ordered),
        ledger=tuple(ledger),
        keys=keys,
        owners=owners[first],
        previous=before.previous,
        previous_sha256=before.previous_sha256,
    )
