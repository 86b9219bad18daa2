"""From feedback to themes: the one call behind the readout."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from opslab import workspace
from opslab.errors import DataError, SpecError
from opslab.feedback.audit import Audit, judge, wilson
from opslab.feedback.clustering import Clusters, cluster
from opslab.feedback.duplicates import copies
from opslab.feedback.encoders import Cached, Encoder, encoder_for
from opslab.feedback.intake import Intake, take_in
from opslab.feedback.naming import name_themes, title
from opslab.feedback.quality import panel
from opslab.feedback.quotes import quotes
from opslab.feedback.result import FeedbackResult, Group, Place, Plan, Quote, Reason, Theme
from opslab.feedback.spec import Study
from opslab.tables import read_export

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST = 20
"""Different texts from which themes are looked for; of fewer, only repeated ones make a theme."""


def find_themes(
    data: Any = None, study: Study | None = None, *, as_of: datetime.date | None = None, seed: int = 0
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
    copied, template = copies([message.words for message in intake.messages])
    speaking = [any(map(str.isalpha, message.words)) for message in intake.messages]
    heads = [at for at, head in enumerate(copied) if head == at and speaking[at] and not template[at]]
    counts = Counter(copied)
    chosen = study.themes
    encoder, fallback = _encoder(study)
    vectors = encoder.encode([intake.messages[at].words for at in heads])
    weights = [counts[at] for at in heads]
    found = cluster(vectors, weights, chosen.smallest, seed) if len(heads) >= FEWEST else None
    labels, reasons = _sorted(found, weights, len(copied), chosen.coverage, chosen.smallest)
    order = _by_size(labels, weights)
    row_of = {at: row for row, at in enumerate(heads)}
    ids = {label: f"T{rank:02d}" for rank, label in enumerate(order, 1)}
    places = []
    for at, head in enumerate(copied):
        copy = intake.messages[head].uid if head != at else None
        if head not in row_of:
            reason: Reason = "template" if template[at] else "no_words"
            places.append(Place(None, None, None, None, reason, copy))
            continue
        row = row_of[head]
        near, second, sure = (
            (int(found.labels[row]), int(found.second[row]), float(found.margin[row] + found.cosine[row]))
            if found
            else (int(labels[row]), -1, None)
        )
        own = ids.get(int(labels[row]))
        next_id = ids.get(second) if second != near else None
        places.append(Place(own, ids.get(near), next_id, sure, None if own else reasons[row], copy))
    themes, groups = _themes(intake, places, order, found, vectors, heads)
    sheet, audit = _audit(study, intake, places, themes)
    plan = _plan(study, seed, encoder, fallback, found, sheet)
    checks = panel(intake.messages, places, themes, audit, study.languages, fallback, study.blocking)
    return FeedbackResult(plan, themes, groups, tuple(places), checks, audit, intake, as_of)


def _encoder(study: Study) -> tuple[Encoder, bool]:
    chosen = study.themes
    folder = study.beside(chosen.encoder)
    encoder, fallback = encoder_for(chosen.encoder, folder, workspace.shown(folder))
    if chosen.cache and chosen.encoder != "lsa" and not fallback:
        return Cached(encoder, study.beside(chosen.cache)), fallback
    return encoder, fallback


def _sorted(
    found: Clusters | None, weights: Sequence[int], messages: int, coverage: float, smallest: int
) -> tuple[NDArray[np.int64], list[Reason]]:
    """Return the theme of each text that surely has one, -1 for the others, and why they have none."""
    if found is None:
        repeated = [row if weight >= smallest else -1 for row, weight in enumerate(weights)]
        return np.array(repeated, np.int64), ["too_few"] * len(weights)
    labels = found.labels.copy()
    sure = found.margin + found.cosine
    near, lead = (np.argsort(np.argsort(part, kind="stable")) for part in (found.cosine, found.margin))
    reasons: list[Reason] = ["far" if one < other else "between" for one, other in zip(near, lead, strict=True)]
    room = coverage * messages + 1e-9
    for row in np.argsort(-sure, kind="stable"):
        room -= weights[row]
        if room < 0:
            labels[row] = -1
    sizes = np.bincount(labels + 1, weights, minlength=len(found.groups) + 1)[1:]
    for row, label in enumerate(labels):
        if label >= 0 and sizes[label] < smallest:
            labels[row], reasons[row] = -1, "few"
    return labels, reasons


def _by_size(labels: NDArray[np.int64], weights: Sequence[int]) -> list[int]:
    """Return the themes, the one with most messages first; ties by the first text in canonical order."""
    sizes: Counter[int] = Counter()
    for label, weight in zip(labels.tolist(), weights, strict=True):
        if label >= 0:
            sizes[label] += weight
    return [label for label, _ in sizes.most_common()]


def _themes(
    intake: Intake,
    places: Sequence[Place],
    order: Sequence[int],
    found: Clusters | None,
    vectors: NDArray[np.float32],
    heads: Sequence[int],
) -> tuple[tuple[Theme, ...], tuple[Group, ...]]:
    messages, ids = intake.messages, [f"T{rank:02d}" for rank in range(1, len(order) + 1)]
    rank = {name: place for place, name in enumerate(ids)}
    where = np.array([rank[place.theme] if place.theme else -1 for place in places], np.int64)
    coarse = [int(found.groups[label]) if found else place for place, label in enumerate(order)]
    group_of = {label: number for number, label in enumerate(dict.fromkeys(coarse))}
    level = np.array([group_of[one] for one in coarse], np.int64)
    texts, spoken = [message.words for message in messages], [message.language for message in messages]
    named = name_themes(texts, spoken, where, len(order))
    grouped = name_themes(texts, spoken, np.where(where >= 0, level[where] if len(level) else 0, -1), len(group_of))
    positions = _positions(found.centroids[list(order)] if found else np.zeros((len(order), 2), np.float32))
    row_of = {at: row for row, at in enumerate(heads)}
    themes = []
    for number, name in enumerate(ids):
        own = [at for at, place in enumerate(places) if place.theme == name]
        mine = [messages[at] for at in own]
        quoted = [at for at in own if at in row_of]
        spoke = [(messages[at].language, messages[at].source) for at in quoted]
        rows = vectors[[row_of[at] for at in quoted]]
        centre = found.centroids[order[number]] if found else rows[0]
        chosen = quotes(rows, centre, [messages[at].text for at in quoted], spoke)
        days = sorted(message.date for message in mine if message.date)
        stars = [message.rating for message in mine if message.rating is not None]
        paying = {message.customer: message.revenue for message in mine if message.customer and message.revenue is not None}
        customers = {message.customer for message in mine if message.customer}
        themes.append(
            Theme(
                id=name,
                group=f"G{level[number] + 1:02d}",
                title=title(named[number]) or messages[quoted[chosen[0]]].words[:40],
                phrases=named[number],
                messages=len(mine),
                share=len(mine) / len(messages),
                share_interval=wilson(len(mine), len(messages)),
                customers=len(customers) or None,
                revenue=float(sum(paying.values())) if paying else None,  # type: ignore[arg-type]
                rating=float(np.mean(stars)) if stars else None,
                stability=float(found.stability[order[number]]) if found else 1.0,
                languages=_counted(message.language or "?" for message in mine),
                sources=_counted(message.source for message in mine),
                first=days[0] if days else None,
                last=days[-1] if days else None,
                quotes=tuple(Quote(quoted[at], at == chosen[0]) for at in chosen),
                position=positions[number],
            )
        )
    groups = []
    for number in range(len(group_of)):
        inside = [theme for theme in themes if theme.group == f"G{number + 1:02d}"]
        called = title(grouped[number]) if len(inside) > 1 else inside[0].title
        members = tuple(theme.id for theme in inside)
        groups.append(Group(inside[0].group, called or inside[0].title, members, sum(one.messages for one in inside)))
    return tuple(themes), tuple(groups)


def _positions(centroids: NDArray[np.float32]) -> list[tuple[float, float]]:
    """Return themes on a plane: the two directions in which their centroids differ most."""
    if len(centroids) < 3:  # noqa: PLR2004 - no plane
        return [(float(place), 0.0) for place in range(len(centroids))]
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        centred = centroids.astype(np.float64) - centroids.mean(axis=0)
        left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    flat = left[:, :2] * sizes[:2]
    flat *= np.sign(flat[np.argmax(np.abs(flat), axis=0), [0, 1]])
    return [(round(float(x), 6), round(float(y), 6)) for x, y in flat]


def _counted(values: Any) -> dict[str, int]:
    return dict(sorted(Counter(values).items(), key=lambda pair: (-pair[1], pair[0])))


def _audit(
    study: Study, intake: Intake, places: Sequence[Place], themes: Sequence[Theme]
) -> tuple[Path | None, Audit | None]:
    if study.audit is None:
        return None, None
    path = study.beside(study.audit)
    frame, _ = read_export(path)
    lacking = [name for name in ("message", "theme", "right") if name not in frame.columns]
    if lacking:
        raise DataError.of("feedback.audit_columns", file=workspace.shown(path), names=lacking)
    titles = {theme.id: theme.title for theme in themes}
    now = {
        message.uid: titles[place.theme]
        for message, place in zip(intake.messages, places, strict=True)
        if place.theme
    }
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return path, judge(rows, now)  # type: ignore[arg-type]


def _plan(
    study: Study, seed: int, encoder: Encoder, fallback: bool, found: Clusters | None, sheet: Path | None
) -> Plan:
    file = study.file
    return Plan(
        study=study.study,
        slug=study.slug,
        question=study.question,
        owner=study.owner,
        start=study.start,
        end=study.end,
        languages=study.languages,
        coverage=study.themes.coverage,
        smallest=study.themes.smallest,
        seed=seed,
        spec=workspace.shown(file) if file else None,
        spec_sha256=workspace.sha256(file) if file else None,
        audit=workspace.shown(sheet) if sheet else None,
        audit_sha256=workspace.sha256(sheet) if sheet else None,
        encoder=encoder.name,
        encoder_sha256=encoder.sha256,
        fallback=fallback,
        resolution=found.resolution if found else None,
        silhouette=found.silhouette if found else None,
    )
