"""From feedback to themes: the one call behind the readout."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from opslab.feedback.audit import Audit, identified, judge, random_sample
from opslab.feedback.checks import panel
from opslab.feedback.clustering import Vectors, centroids
from opslab.feedback.comparisons import compared
from opslab.feedback.corpus import Corpus, worth_of
from opslab.feedback.customer_message import Intake
from opslab.feedback.edit_sheet import pinned, read_changes
from opslab.feedback.edits import Edits, Row, read_edits, renamed
from opslab.feedback.encoders import Encoder, Latent, encoder_for
from opslab.feedback.history import history_of
from opslab.feedback.intake import take_in
from opslab.feedback.naming import Names, title
from opslab.feedback.parts import absent, called, middles, whole, with_parts
from opslab.feedback.registry.continuity import Past
from opslab.feedback.registry.ledger import marked, registered, remembered
from opslab.feedback.registry.state import Registry
from opslab.feedback.result import Assignment, FeedbackResult, Model, Theme
from opslab.feedback.routing import Route, RoutingAudit, route, routing_confusion
from opslab.feedback.since import since
from opslab.feedback.sorting import (
    Sorting,
    edited,
    judged_rows,
    moved,
    sort_texts,
)
from opslab.feedback.spec import Study
from opslab.feedback.themes import describe
from opslab.messages import Language
from opslab.tables import Answers


def find_themes(
    data: Any = None,
    study: Study | None = None,
    *,
    answers: Answers | None = None,
    registry: Registry | None = None,
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
    registry : Registry, optional
        That of an earlier result, ``result.registry``: themes keep their ids and names.
    as_of : datetime.date, optional
        The day as of which the result speaks: later messages are left out.
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
    if as_of:
        study = study.model_copy(update={"end": min(as_of, study.end or as_of)})
    intake = take_in(study, data, answers)
    result = _analysed(study, intake, seed, registry, as_of=as_of, language=language)
    return replace(result, changes=since(result))


def _sorted(
    study: Study,
    intake: Intake,
    encoder: Encoder,
    seed: int,
    known: Registry | None,
    day: datetime.date | None,
) -> tuple[Corpus, Sorting, Names, Sequence[Assignment], bool, dict[str, Any]]:
    """Sort messages into themes that keep their identity, and apply people's edits to them.

    Besides, return whether vectors do not compare with those of the run before, and fields of the
    result that stay as they are.
    """
    language = study.languages[0]
    changes, machine = read_changes(study), whole(known)
    past = Past.of(machine, encoder, day, pinned(changes["themes"]))
    corpus = Corpus.of(intake, encoder, study.themes.smallest, seed, past)
    cut = corpus.cut
    words = [corpus.said[row].words for row in cut.rows]

    def named(sorting: Sorting) -> Names:
        more = encoder.encode, intake.persons, worth_of(corpus.kinds(sorting), encoder)
        names = corpus.named(sorting.themes, len(sorting.ids), language, *more)
        return corpus.called(dict(zip(sorting.ids, names, strict=True)), sorting, language)

    following = known.next if known else 1
    sorting = sort_texts(cut.clusters, cut.vectors, cut.weights, study.themes, following)
    names, assignments = named(sorting), corpus.assigned(sorting)
    names = remembered(names, past, sorting, words)
    before = {theme: title(parts) for theme, parts in names.items()}
    near = [(each.message.uid, each.main.nearest) for each in assignments if each.main.nearest]
    sample = tuple(near[at] for at in random_sample([uid for uid, _ in near], seed))
    run = past, cut, sorting, words, names, assignments
    registry = registered(machine, study.slug, encoder, day, *run)
    registry = replace(registry, history=history_of(known, assignments, registry))
    edits, audit = _reviewed(study, changes, before, assignments, sample, registry, known)
    parts = dict[str, Vectors]()
    if edits.splits or edits.merges or edits.excluded:
        same = middles(known, cut.vectors, words, fixed=bool(past and past.fixed))
        sorting, parts = edited(sorting, edits, cut.vectors, same)
        names = named(sorting) | called(known, parts, same) | names
        assignments = corpus.assigned(sorting)
        edits = replace(edits, notes=[*edits.notes, *absent(edits, parts, names, assignments)])
    registry = with_parts(registry, known, edits, parts, names, assignments, cut.vectors, words)
    apart = past is not None and not past.fixed
    kept = {
        "before": before,
        "sample": sample,
        "registry": registry,
        "edits": edits,
        "audit": audit,
    }
    return corpus, sorting, renamed(names, edits), assignments, apart, kept


def _analysed(
    study: Study, intake: Intake, seed: int, known: Registry | None, **shown: Any
) -> FeedbackResult:
    """Return the messages that came in, sorted into themes."""
    settings, language = study.themes, study.languages[0]
    cache = study.beside(settings.cache) if settings.cache else None
    encoder, fallback = encoder_for(settings.encoder, study.beside(settings.encoder), cache)
    corpus, sorting, names, near, apart, kept = _sorted(
        study, intake, encoder, seed, known, shown["as_of"]
    )
    edits, audit, registry = kept["edits"], kept["audit"], kept["registry"]
    cut, clusters = corpus.cut, corpus.cut.clusters
    numbers = np.append(sorting.clusters.groups, -1)[sorting.themes]
    group_names = corpus.named(numbers, len({*sorting.clusters.groups.tolist()}), language)
    judged = judged_rows(near, sorting.ids, edits, audit)
    assignments = moved(near, edits, audit)
    routes = _routes(study, encoder, corpus, sorting, edits)
    said = [corpus.said[row] for row in cut.rows]
    texts = assignments, corpus.heads, said, cut.vectors, sorting
    themes, groups = describe(*texts, names, group_names, judged, routes)
    themes, best = marked(themes, registry), (clusters.resolution, clusters.silhouette)
    checked = partial(panel, fallback=fallback, known=encoder.languages, apart=apart)
    return FeedbackResult(
        checks=checked(study, assignments, themes, audit),
        study=study,
        model=Model(encoder.name, encoder.sha256, fallback, seed, *best, points=cut.points),
        themes=themes,
        groups=groups,
        assignments=assignments,
        routed=_routed(study, audit, assignments, themes),
        intake=intake,
        known=known,
        **compared(themes, assignments, registry, known, edits.merges),
        **kept,
        **shown,
    )


def _routes(
    study: Study, encoder: Encoder, corpus: Corpus, sorting: Sorting, edits: Edits
) -> list[Route | None]:
    """Return the team of each theme, by people or by vectors that are not levelled."""
    routes: dict[str, Route] = {}
    if study.teams and corpus.cut.rows and encoder.sha256 != Latent.sha256:
        # word counts of examples by themselves lie in no space with the themes
        examples = {team: encoder.encode(texts) for team, texts in study.teams.items()}
        labels, rows = sorting.clusters.labels, corpus.cut.rows
        each = route(centroids(corpus.vectors, labels, len(sorting.ids), rows), examples)
        routes = dict(zip(sorting.ids, each, strict=True))
    for theme, team in edits.routes.items():
        routes[theme] = replace(routes.get(theme, Route(team, team, None, 1.0, 1.0)), team=team)
    return [routes.get(theme) for theme in sorting.ids]


def _routed(
    study: Study,
    audit: Audit | None,
    assignments: Sequence[Assignment],
    themes: Sequence[Theme],
) -> RoutingAudit | None:
    """Return how routes agree with the teams that people wrote on the audit sheet."""
    if audit is None or not audit.teams or not study.teams:
        return None
    teams = {theme.id: theme.route.team for theme in themes if theme.route}
    judged = [each for each in assignments if each.message.uid in audit.teams]
    routed = [teams.get(each.main.nearest or "") for each in judged]
    written = [audit.teams[each.message.uid] for each in judged]
    return routing_confusion(written, routed, [*study.teams])


def _reviewed(
    study: Study,
    changes: Mapping[str, Sequence[Row]],
    names: Mapping[str, str],
    assignments: Sequence[Assignment],
    sample: Sequence[tuple[str, str]],
    registry: Registry,
    known: Registry | None,
) -> tuple[Edits, Audit | None]:
    """Return what people changed about themes, and what they judged."""
    before = [each.id for each in known.themes] if known else []
    rows = {kind: identified(changes[kind], names, before) for kind in changes}
    past = {each.id: each for run in (known, registry) if run and known for each in run.themes}
    stands = [(each, each.main.nearest) for each in assignments if each.main.nearest]
    texts = Counter(theme for each, theme in stands if not each.copy_of)
    edits = read_edits(rows["themes"], names, texts, teams=study.teams, past=past)
    sure = {(each.message.uid, theme): each.main.theme is not None for each, theme in stands}
    return edits, judge(rows["audit"], sure, edits, sample)
