"""From feedback to themes: the one call behind the readout."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from opslab import workspace
from opslab.errors import DataError, SpecError
from opslab.feedback.audit import Audit, judge, random_sample, read_sheets
from opslab.feedback.checks import panel
from opslab.feedback.clustering import (
    CLEAR,
    FEWEST,
    MOST_FITTED,
    Clusters,
    Floats,
    Integers,
    Vectors,
    cluster,
    levelled,
)
from opslab.feedback.contrasts import contrasts
from opslab.feedback.edits import Edits, read_edits
from opslab.feedback.encoders import Encoder, encoder_for, spelling
from opslab.feedback.intake import CustomerMessage, Intake, take_in
from opslab.feedback.kinds import Kind, kinds_of, praises, says_nothing
from opslab.feedback.naming import Names, Phrases, name_themes, renamed, title
from opslab.feedback.points import Passage, finer, passages
from opslab.feedback.priority import rank
from opslab.feedback.result import Assignment, FeedbackResult, Model, Point, Theme
from opslab.feedback.routing import Route, RoutingAudit, route, routing_confusion
from opslab.feedback.severity import severities
from opslab.feedback.sorting import (
    Sorting,
    assign,
    drafts,
    edited,
    judged_rows,
    middles,
    moved,
    sort_texts,
    stood,
)
from opslab.feedback.spec import Study
from opslab.feedback.themes import describe, standing
from opslab.feedback.trends import trends
from opslab.messages import Language
from opslab.tables import Answers


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


@dataclass(frozen=True)
class _Corpus:
    """What the messages say, and the themes of it before people change any.

    Attributes
    ----------
    drafts : sequence of Assignment
        All messages.
    heads : sequence of CustomerMessage
        The first message with each text.
    said : sequence of Passage
        What they say.
    points : sequence of Point
        Of which kind it is, and whether it is mere praise.
    vectors : array, shape (passages, dimensions)
    cut : _Cut
    """

    drafts: Sequence[Assignment]
    heads: Sequence[CustomerMessage]
    said: Sequence[Passage]
    points: Sequence[Point]
    vectors: Vectors
    cut: _Cut

    @classmethod
    def of(cls, intake: Intake, encoder: Encoder, smallest: int, seed: int) -> _Corpus:
        """Return the themes of what came in."""
        unsorted = drafts(intake.messages)
        heads = [draft.message for draft in unsorted if not (draft.main.reason or draft.copy_of)]
        copied = Counter(draft.copy_of for draft in unsorted)
        said = passages(heads)
        words = [passage.words for passage in said]
        vectors = encoder.encode(words)
        kinds = kinds_of(words, vectors, encoder.sha256)
        points = [
            Point(text=each.text, kind=kind, reason="praise" if says_nothing(each.words) else None)
            for each, kind in zip(said, kinds, strict=True)
        ]
        weights = [1 + copied[heads[each.owner].uid] for each in said]
        telling = [row for row, point in enumerate(points) if not point.reason]
        cut = _themes(said, vectors, weights, telling, smallest, seed)
        return cls(unsorted, heads, said, points, vectors, cut)

    def assigned(self, sorting: Sorting) -> tuple[Assignment, ...]:
        """Return each message with its themes."""
        return assign(
            self.drafts, self.heads, self.said, stood(self.points, self.cut.rows, sorting)
        )

    def kinds(self, sorting: Sorting) -> list[Kind | None]:
        """Return what most of each theme's passages are."""
        counts: list[Counter[Kind | None]] = [Counter() for _ in sorting.ids]
        for row, theme in zip(self.cut.rows, sorting.themes.tolist(), strict=True):
            if theme >= 0:
                counts[theme][self.points[row].kind] += 1
        return [
            max(count, key=lambda kind: (count[kind], str(kind)), default=None) for count in counts
        ]

    def named(
        self, labels: Integers, count: int, language: str, *more: Any
    ) -> list[tuple[Phrases, ...]]:
        """Return names for themes of the passages; what is in an unknown language counts as in one.

        Parameters
        ----------
        labels : array of int
            Of the passages that were sorted.
        count : int
        language : str
        *more
            As of `name_themes`.
        """
        heard = np.repeat(
            np.arange(len(labels)), np.array(self.cut.weights, int).clip(1)
        )  # copies count
        part = [self.said[self.cut.rows[row]] for row in heard]
        languages = [each.language or language for each in part]
        return name_themes([each.words for each in part], languages, labels[heard], count, *more)


def _analysed(study: Study, intake: Intake, seed: int, **shown: Any) -> FeedbackResult:
    """Return the messages that came in, sorted into themes."""
    settings, language = study.themes, study.languages[0]
    cache = study.beside(settings.cache) if settings.cache else None
    encoder, fallback = encoder_for(settings.encoder, study.beside(settings.encoder), cache)
    corpus = _Corpus.of(intake, encoder, settings.smallest, seed)
    cut, clusters = corpus.cut, corpus.cut.clusters

    def named(sorting: Sorting) -> Names:
        asked = corpus.kinds(sorting)

        def worth(owners: Sequence[int], clauses: Sequence[str], vectors: Vectors) -> Floats:
            kinds = kinds_of(clauses, vectors, encoder.sha256)
            pairs = zip(kinds, owners, strict=True)
            return np.array([-OTHER_KIND * (kind != asked[owner]) for kind, owner in pairs])

        more = len(sorting.ids), language, encoder.encode, intake.persons, worth
        names = corpus.named(sorting.themes, *more)
        return dict(zip(sorting.ids, names, strict=True))

    sorting = sort_texts(clusters, cut.vectors, cut.weights, settings)
    names, assignments = named(sorting), corpus.assigned(sorting)
    before = {theme: title(parts) for theme, parts in names.items()}
    near = [(each.message.uid, each.main.nearest) for each in assignments if each.main.nearest]
    sample = tuple(near[at] for at in random_sample([uid for uid, _ in near], seed))
    edits, audit = _reviewed(study, before, assignments, sample)
    if edits.rows:
        sorting = edited(sorting, edits, cut.vectors)
        names = renamed(named(sorting) | names, edits)
        assignments = corpus.assigned(sorting)
    numbers = np.append(sorting.clusters.groups, -1)[sorting.themes]
    group_names = corpus.named(numbers, len({*sorting.clusters.groups.tolist()}), language)
    judged = judged_rows(assignments, sorting.ids, edits, audit)
    assignments = moved(assignments, edits, audit)
    routes = _routes(study, encoder, corpus.vectors[cut.rows], sorting)
    said = [corpus.said[row] for row in cut.rows]
    themes, groups = describe(
        assignments, corpus.heads, said, cut.vectors, sorting, names, group_names, judged, routes
    )
    best = clusters.resolution, clusters.silhouette
    return FeedbackResult(
        checks=panel(study, assignments, themes, audit, fallback=fallback, known=encoder.languages),
        study=study,
        model=Model(encoder.name, encoder.sha256, fallback, seed, *best, points=cut.points),
        themes=themes,
        groups=groups,
        assignments=assignments,
        before=before,
        edits=edits,
        sample=sample,
        audit=audit,
        routed=_routed(study, audit, assignments, themes),
        intake=intake,
        **_compared(themes, assignments),
        **shown,
    )


def _compared(themes: Sequence[Theme], assignments: Sequence[Assignment]) -> dict[str, Any]:
    """Return for whom, since when and how bad each theme is, by its id."""
    ids = [theme.id for theme in themes]
    compared = assignments if ids else ()
    inside, _ = standing(compared, ids)
    messages = [each.message for each in compared]
    sources, customers = [each.source for each in messages], [each.customer for each in messages]
    names = dict.fromkeys(name for each in messages for name in each.traits)
    traits: dict[str, Sequence[str | None]] = {
        name: [each.traits.get(name) for each in messages] for name in sorted(names)
    }
    traits |= {"language": [each.language for each in messages], "source": sources}
    days, discontent = [each.date for each in messages], [each.discontent for each in messages]
    frames = {
        "contrasts": contrasts(inside, traits, sources, customers),
        "trends": trends(inside, days, sources, customers=customers),
        "severities": severities(inside, discontent, sources, customers),
    }
    revenues = [each.revenue for each in messages]
    ranked = [not _content(each, assignments) for each in themes]
    ranking = rank(inside, customers, sources, revenues, discontent, frames["trends"], ranked)
    frames["ranking"] = ranking.table.sort_values(["rank", "theme"]).reset_index(drop=True)
    for frame in frames.values():
        if len(frame):
            frame["theme"] = [ids[int(at)] for at in frame["theme"]]
    return {**frames, "counted": ranking.parts}


OTHER_KIND = 0.3
"""What a title of another kind than its theme is worth less, in cosines."""

CONTENT = 0.4
"""Mean discontent below which a theme of neither problems nor wishes is left unranked; without
stars, share of its messages with a word of praise above which it is."""

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
        level = levelled(vectors[rows], spoken, shaping)
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


def _content(theme: Theme, assignments: Sequence[Assignment]) -> bool:
    """Return whether a theme asks for nothing, and its writers are content, or mostly praise."""
    if theme.kind != "other":
        return False
    own = [each.message for each in assignments if theme.id in each.themes]
    rated = [each.discontent for each in own if each.discontent is not None]
    praise = [praises(message.words) for message in own]
    pleased = np.mean(rated) < CONTENT if rated else np.mean(praise) > CONTENT
    return bool(pleased)


def _routes(study: Study, encoder: Encoder, vectors: Vectors, sorting: Sorting) -> list[Route]:
    """Return the team of each theme, by vectors that are not levelled; none without teams."""
    if not study.teams or not len(vectors):
        return []
    examples = {team: encoder.encode(texts) for team, texts in study.teams.items()}
    labels = sorting.clusters.labels
    return route(middles(vectors, labels, len(sorting.ids)), examples)


def _routed(
    study: Study,
    audit: Audit | None,
    assignments: Sequence[Assignment],
    themes: Sequence[Theme],
) -> RoutingAudit | None:
    """Return how routes agree with the teams that people wrote on the audit sheet."""
    written = audit.teams if audit else {}
    if not study.teams or not written:
        return None
    teams = {theme.id: theme.route.team for theme in themes if theme.route}
    judged = [each for each in assignments if each.message.uid in written]
    routed = [teams.get(each.main.nearest or "") for each in judged]
    return routing_confusion([written[each.message.uid] for each in judged], routed, [*study.teams])


def _reviewed(
    study: Study,
    names: Mapping[str, str],
    assignments: Sequence[Assignment],
    sample: Sequence[tuple[str, str]],
) -> tuple[Edits, Audit | None]:
    """Return what people changed about themes, and what they judged."""
    path = study.beside(study.audit or "")
    sheets = read_sheets(path, names) if study.audit else {}
    file = workspace.shown(path)
    stands = [(each, each.main.nearest) for each in assignments if each.main.nearest]
    texts = Counter(theme for each, theme in stands if not each.copy_of)
    edits = read_edits(sheets.get("themes", ()), names, texts, file)
    sure = {(each.message.uid, theme): each.main.theme is not None for each, theme in stands}
    return edits, judge(sheets.get("audit", ()), sure, edits, file, sample)
