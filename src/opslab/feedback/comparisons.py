"""Themes compared: for whom, since when, how bad, and in which order to take them up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from opslab.feedback.contrasts import contrasts
from opslab.feedback.customer_message import CustomerMessage
from opslab.feedback.history import columns_of, earlier, past_of
from opslab.feedback.incidents import incidents
from opslab.feedback.kinds import praises
from opslab.feedback.priority import rank
from opslab.feedback.result import Assignment, Theme
from opslab.feedback.severity import severities
from opslab.feedback.store import HELD
from opslab.feedback.themes import standing
from opslab.feedback.trends import MESSAGES, measure_of, trends

if TYPE_CHECKING:
    import pandas as pd

    from opslab.feedback.registry.state import Registry

CONTENT = 0.4
"""Mean discontent below which a theme of neither problems nor wishes is left unranked; without
stars, share of its messages with a word of praise above which it is."""


def compared(
    themes: Sequence[Theme],
    assignments: Sequence[Assignment],
    registry: Registry,
    known: Registry | None,
    merges: Mapping[str, str],
    asked: Mapping[str, Sequence[str | None]] | None = None,
) -> dict[str, Any]:
    """Return for whom, since when and how bad each theme is, by its id.

    By what is asked, a value for each message, themes are compared in place of all traits. Days
    before these messages are those that the run before knew, in the themes of this run's registry
    and of people's merges.
    """
    ids = [theme.id for theme in themes]
    sorted_out = assignments if ids else ()
    inside, _ = standing(sorted_out, ids)
    lean = sparse.csr_matrix(inside) if len(inside) > HELD else inside
    messages = [each.message for each in sorted_out]
    sources, customers = [each.source for each in messages], [each.customer for each in messages]
    names = {name for each in messages for name in each.traits}
    traits: Mapping[str, Sequence[str | None]] = asked or {
        **{name: [each.traits.get(name) for each in messages] for name in sorted(names)},
        "language": [each.language for each in messages],
        "source": sources,
    }
    traits = {name: _joined(values) for name, values in traits.items()}
    days, discontent = [each.date for each in messages], [each.discontent for each in messages]
    stand = columns_of(ids, inside.sum(axis=0).tolist(), registry, merges)
    past = past_of(earlier(known, sorted_out, registry), stand, len(ids))
    measure = measure_of(days, sources, customers, past)
    frames = {
        "contrasts": contrasts(lean, traits, sources, customers),
        "trends": trends(inside, days, sources, 7, customers, past, measure),
        "incidents": incidents(inside, days, sources, customers, past, measure),
        "severities": severities(inside, discontent, sources, customers),
    }
    ranking = rank(
        lean,
        customers,
        sources,
        [each.revenue for each in messages],
        discontent,
        frames["trends"],
        [
            not _content(each, [messages[at] for at in np.flatnonzero(own)])
            for each, own in zip(themes, inside.T, strict=True)
        ],
    )
    frames["ranking"] = ranking.table.sort_values(["rank", "theme"], ignore_index=True)
    for frame in frames.values():
        if len(frame):
            frame["theme"] = [ids[int(at)] for at in frame["theme"]]
    emerging = _emerging(themes, frames["trends"], registry, known)
    return {**frames, "counted": ranking.parts, "emerging": emerging}


def _emerging(
    themes: Sequence[Theme], trend: pd.DataFrame, registry: Registry, known: Registry | None
) -> tuple[str, ...]:
    """Return the themes that rise, or were born in this run or the last one and are no few.

    Those of the first run, and parts of what was split, are not new.
    """
    born = {theme.id: theme.born for theme in registry.themes if not theme.parents}
    first = min(filter(None, born.values()), default=None)
    new = {
        name
        for name, day in born.items()
        if known and (not known.theme(name) or (first and day == known.as_of != first))
    }
    rising = {*trend["theme"][trend["rising"]]} if len(trend) else set()
    return tuple(
        theme.id
        for theme in themes
        if theme.id in rising or (theme.id in new and theme.messages >= MESSAGES)
    )


def _joined(values: Sequence[str | None]) -> list[str | None]:
    """Return values that are equal but for case under their most common spelling."""
    spelt = Counter(filter(None, values))
    common = {}
    for value in sorted(spelt, key=lambda value: (spelt[value], value)):
        common[value.casefold().strip()] = value
    return [value and common[value.casefold().strip()] for value in values]


def _content(theme: Theme, own: Sequence[CustomerMessage]) -> bool:
    """Return whether a theme asks for nothing, and its writers are content, or mostly praise."""
    if theme.kind != "other":
        return False
    rated = [each.discontent for each in own if each.discontent is not None]
    praise = [praises(message.words) for message in own]
    return bool(np.mean(rated) < CONTENT if rated else np.mean(praise) > CONTENT)
