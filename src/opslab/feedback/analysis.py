"""From feedback to themes: the one call behind the readout."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Sequence
from typing import Any

from opslab import workspace
from opslab.errors import DataError, SpecError
from opslab.feedback.audit import Audit, judge
from opslab.feedback.checks import panel
from opslab.feedback.clustering import FEWEST, MOST_FITTED, Clusters, cluster, levelled
from opslab.feedback.encoders import encoder_for, spelling
from opslab.feedback.intake import Intake, cells, take_in
from opslab.feedback.result import Assignment, FeedbackResult, Model, Theme
from opslab.feedback.sorting import assign, drafts, sort_texts
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
    heads = [draft.message for draft in unsorted if not (draft.reason or draft.copy_of)]
    copied = Counter(draft.copy_of for draft in unsorted)
    weights = [1 + copied[head.uid] for head in heads]
    words, languages = [head.words for head in heads], [head.language for head in heads]
    settings = study.themes
    cache = study.beside(settings.cache) if settings.cache else None
    encoder, fallback = encoder_for(settings.encoder, study.beside(settings.encoder), cache)
    vectors = levelled(encoder.encode(words), languages)
    if len(heads) < FEWEST:
        clusters = Clusters.alone(vectors)
    else:
        spelt = spelling(words, MOST_FITTED)
        clusters = cluster(vectors, weights, settings.smallest, seed, spelt, languages)
    sorting = sort_texts(clusters, weights, len(unsorted), settings)
    assignments = assign(unsorted, heads, sorting)
    themes, groups = describe(assignments, heads, vectors, sorting, encoder.encode)
    audit = _judged(study, assignments, themes)
    return FeedbackResult(
        checks=panel(study, assignments, themes, audit, fallback=fallback),
        study=study,
        model=Model(
            encoder.name, encoder.sha256, fallback, seed, clusters.resolution, clusters.silhouette
        ),
        themes=themes,
        groups=groups,
        assignments=assignments,
        audit=audit,
        intake=intake,
        **shown,
    )


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
