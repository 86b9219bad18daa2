"""From feedback to themes: the one call behind the readout."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from opslab import workspace
from opslab.errors import DataError, SpecError
from opslab.feedback.audit import Audit, judge, wilson
from opslab.feedback.clustering import MOST_FITTED, Clusters, cluster, levelled, positions
from opslab.feedback.duplicates import copies
from opslab.feedback.encoders import encoder_for, spelling
from opslab.feedback.intake import Message, take_in
from opslab.feedback.naming import name_themes, title
from opslab.feedback.quality import panel
from opslab.feedback.quotes import quotes
from opslab.feedback.result import FeedbackResult, Group, Method, Place, Reason, Theme
from opslab.feedback.spec import Study
from opslab.tables import read_export

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST = 20
"""Different texts from which themes are looked for; of fewer, only repeated ones make a theme."""


def find_themes(
    data: Any = None,
    study: Study | None = None,
    *,
    as_of: datetime.date | None = None,
    seed: int = 0,
) -> FeedbackResult:
    """Find the themes in feedback.

    Parameters
    ----------
    data : sequence of str, path, pandas.DataFrame, polars.DataFrame or pyarrow.Table, optional
        Texts, or an export with a column of them; by default the sources that the study names.
    study : Study, optional
    as_of : datetime.date, optional
        The day as of which the result speaks.
    seed : int
        Of clustering and of the audit sheet's draw; nothing else is left to chance.

    Raises
    ------
    SpecError
        When neither data nor sources are given.
    DataError
        When an export cannot be read, or has no text.

    Examples
    --------
    >>> from opslab import feedback
    >>> feedback.find_themes(["The app crashes"] * 6 + ["Thanks!"]).labels[:2]
    ['T01', 'T01']
    """
    study = study or Study(study="feedback")
    if data is None and not study.sources:
        raise SpecError(study.problem("feedback.no_sources", "sources"))
    missing = study.missing_files() if data is None else []
    if missing:
        raise DataError(*missing)
    intake = take_in(study, data)
    messages = intake.messages
    copied, template = copies([message.words for message in messages])
    speaking = [any(map(str.isalpha, message.words)) for message in messages]
    heads = [
        at for at, head in enumerate(copied) if head == at and speaking[at] and not template[at]
    ]
    counts = Counter(copied)
    weights = [counts[at] for at in heads]
    folder = study.beside(study.themes.encoder)
    cache = study.beside(study.themes.cache) if study.themes.cache else None
    encoder, fallback = encoder_for(study.themes.encoder, folder, cache)
    said, spoken = [messages[at].words for at in heads], [messages[at].language for at in heads]
    vectors = levelled(encoder.encode(said), spoken)
    smallest = study.themes.smallest
    found = (
        cluster(vectors, weights, smallest, seed, spelling(said, MOST_FITTED), spoken)
        if len(heads) >= FEWEST
        else None
    )
    if found:
        labels, reasons = _surest(found, weights, len(messages), study.themes.coverage, smallest)
    else:
        labels = np.array(
            [row if weight >= smallest else -1 for row, weight in enumerate(weights)], np.int64
        )
        reasons = ["too_few"] * len(weights)
    rows = {at: row for row, at in enumerate(heads)}
    sizes: Counter[int] = Counter()
    for label, weight in zip(labels.tolist(), weights, strict=True):
        sizes[label] += weight if label >= 0 else 0
    order = [label for label, size in sizes.most_common() if size]
    names = {label: f"T{rank:02d}" for rank, label in enumerate(order, 1)}
    places = []
    for at, head in enumerate(copied):
        copy = messages[head].uid if head != at else None
        if head not in rows:
            places.append(Place(reason="template" if template[at] else "no_words", copy_of=copy))
            continue
        row = rows[head]
        own = names.get(int(labels[row]))
        reason = None if own else reasons[row]
        if found is None:
            places.append(Place(own, own, None, None, reason, copy))
            continue
        near, second = names.get(int(found.labels[row])), names.get(int(found.second[row]))
        sure = round(float(found.margin[row] + found.cosine[row]), 6)
        places.append(Place(own, near, second if second != near else None, sure, reason, copy))
    themes, groups = _themes(messages, places, order, found, vectors, rows)
    audit = _judged(study, messages, places, themes)
    checks = panel(study, messages, places, themes, audit, fallback)
    chosen = (found.resolution, found.silhouette) if found else (None, None)
    method = Method(encoder.name, encoder.sha256, fallback, seed, *chosen)
    return FeedbackResult(
        study, method, themes, groups, tuple(places), checks, audit, intake, as_of
    )


def _surest(
    found: Clusters, weights: Sequence[int], messages: int, coverage: float, smallest: int
) -> tuple[NDArray[np.int64], list[Reason]]:
    """Return the theme of each text that surely has one, -1 for the others, and why they have none."""
    labels = found.labels.copy()
    near, lead = (
        np.argsort(np.argsort(part, kind="stable")) for part in (found.cosine, found.margin)
    )
    reasons: list[Reason] = [
        "far" if one < other else "between" for one, other in zip(near, lead, strict=True)
    ]
    order = np.argsort(-(found.margin + found.cosine), kind="stable")
    labels[order[np.cumsum(np.asarray(weights)[order]) > coverage * messages + 1e-9]] = -1
    sizes = np.bincount(labels + 1, weights, minlength=len(found.groups) + 1)[1:]
    for row in np.flatnonzero((labels >= 0) & (sizes[labels] < smallest)):
        labels[row], reasons[row] = -1, "few"
    return labels, reasons


def _themes(
    messages: Sequence[Message],
    places: Sequence[Place],
    order: Sequence[int],
    found: Clusters | None,
    vectors: NDArray[np.float32],
    rows: dict[int, int],
) -> tuple[tuple[Theme, ...], tuple[Group, ...]]:
    """Return the themes, the largest first, and their groups."""
    where = np.array(
        [int(place.theme[1:]) - 1 if place.theme else -1 for place in places], np.int64
    )
    coarse = [int(found.groups[label]) if found else label for label in order]
    numbers = {label: number for number, label in enumerate(dict.fromkeys(coarse))}
    level = np.array([numbers[one] for one in coarse], np.int64)
    texts, spoken = (
        [message.words for message in messages],
        [message.language for message in messages],
    )
    named = name_themes(texts, spoken, where, len(order))
    within = np.where(where >= 0, level[where], -1) if len(level) else where
    grouped = name_themes(texts, spoken, within, len(numbers))
    centres = found.centroids[list(order)] if found else vectors[list(order)]
    flat = positions(centres, np.bincount(where[where >= 0], minlength=len(order)).tolist())
    themes = []
    for number, label in enumerate(order):
        own = np.flatnonzero(where == number).tolist()
        mine = [messages[at] for at in own]
        heads = [at for at in own if at in rows]
        kinds = [(messages[at].language, messages[at].source) for at in heads]
        said = [messages[at].text for at in heads]
        quoted = [
            heads[at]
            for at in quotes(vectors[[rows[at] for at in heads]], centres[number], said, kinds)
        ]
        stars = [message.rating for message in mine if message.rating is not None]
        themes.append(
            Theme(
                id=f"T{number + 1:02d}",
                group=f"G{level[number] + 1:02d}",
                title=title(named[number]) or messages[quoted[0]].words[:40],
                phrases=named[number],
                messages=len(mine),
                share=len(mine) / len(messages),
                interval=wilson(len(mine), len(messages)),
                customers=len({message.customer for message in mine if message.customer}) or None,
                rating=float(np.mean(stars)) if stars else None,
                stability=round(float(found.stability[label]), 6) if found else None,
                languages=dict(Counter(message.language or "?" for message in mine).most_common()),
                quotes=tuple(quoted),
                position=flat[number],
            )
        )
    groups = []
    for number in range(len(numbers)):
        inside = [theme for theme in themes if theme.group == f"G{number + 1:02d}"]
        called = title(grouped[number]) if len(inside) > 1 else inside[0].title
        total = sum(theme.messages for theme in inside)
        groups.append(Group(inside[0].group, called, tuple(theme.id for theme in inside), total))
    groups.sort(key=lambda group: -group.messages)
    return tuple(themes), tuple(groups)


def _judged(
    study: Study, messages: Sequence[Message], places: Sequence[Place], themes: Sequence[Theme]
) -> Audit | None:
    """Return what people found on the audit sheet that the study names."""
    if study.audit is None:
        return None
    path = study.beside(study.audit)
    frame, _ = read_export(path)
    lacking = [name for name in ("message", "theme", "right") if name not in frame.columns]
    if lacking:
        raise DataError.of("feedback.audit_columns", file=workspace.shown(path), names=lacking)
    titles = {theme.id: theme.title for theme in themes}
    pairs = zip(messages, places, strict=True)
    now = {message.uid: titles[place.theme] for message, place in pairs if place.theme}
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return judge([{str(name): cell for name, cell in row.items()} for row in rows], now)
