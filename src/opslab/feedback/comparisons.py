"""Themes compared: for whom, since when, how bad, and in which order to take them up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import sparse

from opslab.feedback.contrasts import contrasts
from opslab.feedback.kinds import praises
from opslab.feedback.priority import rank
from opslab.feedback.result import Assignment, Theme
from opslab.feedback.severity import severities
from opslab.feedback.store import HELD
from opslab.feedback.themes import standing
from opslab.feedback.trends import trends

CONTENT = 0.4
"""Mean discontent below which a theme of neither problems nor wishes is left unranked; without
stars, share of its messages with a word of praise above which it is."""


def compared(
    themes: Sequence[Theme],
    assignments: Sequence[Assignment],
    asked: Mapping[str, Sequence[str | None]] | None = None,
) -> dict[str, Any]:
    """Return for whom, since when and how bad each theme is, by its id.

    By what is asked, a value for each message, themes are compared in place of all traits.
    """
    ids = [theme.id for theme in themes]
    sorted_out = assignments if ids else ()
    inside, _ = standing(sorted_out, ids)
    lean = sparse.csr_matrix(inside) if len(inside) > HELD else inside
    messages = [each.message for each in sorted_out]
    sources, customers = [each.source for each in messages], [each.customer for each in messages]
    names = dict.fromkeys(name for each in messages for name in each.traits)
    traits: Mapping[str, Sequence[str | None]] = asked or {
        **{name: [each.traits.get(name) for each in messages] for name in sorted(names)},
        "language": [each.language for each in messages],
        "source": sources,
    }
    traits = {name: _joined(values) for name, values in traits.items()}
    days, discontent = [each.date for each in messages], [each.discontent for each in messages]
    frames = {
        "contrasts": contrasts(lean, traits, sources, customers),
        "trends": trends(inside, days, sources, customers=customers),
        "severities": severities(inside, discontent, sources, customers),
    }
    ranking = rank(
        lean,
        customers,
        sources,
        [each.revenue for each in messages],
        discontent,
        frames["trends"],
        [not _content(each, assignments) for each in themes],
    )
    frames["ranking"] = ranking.table.sort_values(["rank", "theme"]).reset_index(drop=True)
    for frame in frames.values():
        if len(frame):
            frame["theme"] = [ids[int(at)] for at in frame["theme"]]
    return {**frames, "counted": ranking.parts}


def _joined(values: Sequence[str | None]) -> list[str | None]:
    """Return values that are equal but for case under their most common spelling."""
    spelt = Counter(filter(None, values))
    common = {}
    for value in sorted(spelt, key=lambda value: (spelt[value], value)):
        common[value.casefold().strip()] = value
    return [value and common[value.casefold().strip()] for value in values]


def _content(theme: Theme, assignments: Sequence[Assignment]) -> bool:
    """Return whether a theme asks for nothing, and its writers are content, or mostly praise."""
    if theme.kind != "other":
        return False
    own = [each.message for each in assignments if theme.id in each.themes]
    rated = [each.discontent for each in own if each.discontent is not None]
    praise = [praises(message.words) for message in own]
    return bool(np.mean(rated) < CONTENT if rated else np.mean(praise) > CONTENT)
