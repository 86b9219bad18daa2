"""From feedback to themes: the one call behind the readout."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Sequence
from itertools import compress
from typing import Any, NamedTuple

from opslab import workspace
from opslab.errors import DataError, SpecError
from opslab.feedback.audit import Audit, judge
from opslab.feedback.checks import panel
from opslab.feedback.clustering import (
    CLEAR,
    FEWEST,
    MOST_FITTED,
    Clusters,
    Vectors,
    cluster,
    levelled,
)
from opslab.feedback.encoders import encoder_for, spelling
from opslab.feedback.intake import Intake, cells, take_in
from opslab.feedback.kinds import kinds_of, says_nothing
from opslab.feedback.points import Passage, finer, passages
from opslab.feedback.result import Assignment, FeedbackResult, Model, Point, Theme
from opslab.feedback.sorting import assign, drafts, sort_texts, stood
from opslab.feedback.spec import Study
from opslab.feedback.themes import describe
from opslab.messages import Language
from opslab.tables import Answers, read_export


def find_themes(
    data: Any = None,
    study: Study | None = None,
    *,
    answers: Answers | None = None,
    as_of: datetime.date | None = None,
    seed: int = 0,
    language: Language = "en",
) -> FeedbackResult:
    """Find the themes in feedback.

    Parameters
    ----------
    data : sequence of str, path, pandas.DataFrame, polars.DataFrame or pyarrow.Table, optional
        Texts, or an export with a column of them; by default the sources that the study names.
    study : Study, optional
    answers : opslab.tables.Answers, optional
        How the data is to be read, such as ``Answers(text="What should we improve?")``.
    as_of : datetime.date, optional
        The day as of which the result speaks.
    seed : int
        Of clustering and of the audit sheet's draw; nothing else is left to chance.
    language : {"en", "fr"}
        In which the result shows itself.

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
    if data is None and (lacking := study.lacking()):
        raise (DataError if study.sources else SpecError)(*lacking)
    return _analysed(study, take_in(study, data, answers), seed, as_of=as_of, language=language)


def _analysed(study: Study, intake: Intake, seed: int, **shown: Any) -> FeedbackResult:
    """Return the messages that came in, sorted into themes."""
    unsorted = drafts(intake.messages)
    heads = [draft.message for draft in unsorted if not (draft.main.reason or draft.copy_of)]
    copied = Counter(draft.copy_of for draft in unsorted)
    settings = study.themes
    cache = study.beside(settings.cache) if settings.cache else None
    encoder, fallback = encoder_for(settings.encoder, study.beside(settings.encoder), cache)
    everything = passages(heads)
    words = [passage.words for passage in everything]
    vectors = encoder.encode(words)
    kinds = kinds_of(words, vectors, encoder.sha256)
    telling = [row for row, text in enumerate(words) if not says_nothing(text)]
    weights = [1 + copied[heads[each.owner].uid] for each in everything]
    cut = _themes(everything, vectors, weights, telling, settings.smallest, seed)
    said, clusters = [everything[row] for row in cut.rows], cut.clusters
    sorting = sort_texts(clusters, cut.weights, settings)
    tells = set(telling)
    points = [
        Point(text=each.text, kind=kind, reason=None if row in tells else "praise")
        for row, (each, kind) in enumerate(zip(everything, kinds, strict=True))
    ]
    points = stood(points, cut.rows, sorting)
    assignments = assign(unsorted, heads, everything, points)
    themes, groups = describe(
        assignments, heads, said, cut.vectors, sorting, encoder.encode, intake.persons
    )
    audit = _judged(study, assignments, themes)
    return FeedbackResult(
        checks=panel(study, assignments, themes, audit, fallback=fallback, known=encoder.languages),
        study=study,
        model=Model(
            encoder.name,
            encoder.sha256,
            fallback,
            seed,
            clusters.resolution,
            clusters.silhouette,
            points=cut.points,
        ),
        themes=themes,
        groups=groups,
        assignments=assignments,
        audit=audit,
        intake=intake,
        **shown,
    )


_SEVERAL = 1.25  # points a message, from which they may tell themes apart


class _Cut(NamedTuple):
    """The themes of some passages: of whole messages, or of the points that they make."""

    rows: list[int]
    weights: list[int]
    vectors: Vectors
    clusters: Clusters
    points: bool = False


def _is_clear(cut: _Cut) -> bool:
    return (cut.clusters.silhouette or 0) >= CLEAR


def _themes(
    said: Sequence[Passage],
    vectors: Vectors,
    weights: Sequence[int],
    rows: list[int],
    smallest: int,
    seed: int,
) -> _Cut:
    """Return the themes that whole messages shape, or points where only they have clear ones.

    Messages that speak of several things glue their themes together; then points tell them apart.
    """

    def cut(rows: list[int], shaping: int) -> _Cut:
        part = [said[row] for row in rows]
        spoken = [passage.language for passage in part]
        stand_for = [weights[row] * (at < shaping) for at, row in enumerate(rows)]
        level = levelled(vectors[rows], spoken, shaping=shaping)
        if shaping < FEWEST:
            return _Cut(rows, stand_for, level, Clusters.alone(level))
        fitted = min(shaping, MOST_FITTED)
        spelt = spelling([passage.words for passage in part], fitted)
        clusters = cluster(level, stand_for, smallest, seed, spelt, spoken, fitted)
        return _Cut(rows, stand_for, level, clusters)

    shaping = sum(not said[row].position for row in rows)
    whole, points = cut(rows, shaping), finer(said, rows)
    if not _is_clear(whole) and len(points) > _SEVERAL * shaping:
        apart = cut(points, len(points))
        if _is_clear(apart):
            return apart._replace(points=True)
    return whole


def _judged(
    study: Study, assignments: Sequence[Assignment], themes: Sequence[Theme]
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
    return judge(
        cells(frame),
        {each.message.uid: titles[each.theme] for each in assignments if each.theme},
    )
