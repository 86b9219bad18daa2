"""Which of a run's themes are those of the run before.

Evolutionary clustering (Chakrabarti, Kumar & Tomkins 2006): a run starts from the themes that its
texts are known in, and leaves them only on the evidence of the same graph that themes are found in.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from opslab.feedback import clustering
from opslab.feedback.clustering import Clusters, Floats, Integers, Kin, Settled, Vectors
from opslab.feedback.encoders import Encoder, Latent, levels_of, unit
from opslab.feedback.registry.state import KnownTheme, Registry, keys_of

REFIT_DAYS = 7
"""Days after which themes are looked for anew; until then texts join the themes that are known."""

SAME = 0.75
"""Cosine of two centroids from which they may be one theme's."""

MOVES = 0.3
"""Part of a centroid that is this run's."""

MOSTLY = 0.35
"""Share of a fresh community that makes a theme of its part in a known one, or in none."""

CLEARLY = 1.25
"""How much nearer than the resolution asks two themes are that become one, or farther two parts."""


@dataclass(frozen=True)
class Past:
    """What a registry knows of a run's texts.

    Attributes
    ----------
    known : Registry
    alive : list of KnownTheme
        Its active and dormant themes.
    fixed : bool
        Whether its centroids lie in the space of this run's vectors.
    daily : bool
        Whether texts join the themes that are known, and only the rest is looked at for new ones.
    pins : set of str
        Themes that are neither split, merged nor named anew.
    """

    known: Registry
    alive: list[KnownTheme]
    fixed: bool
    daily: bool
    pins: Container[str]

    @classmethod
    def of(
        cls,
        known: Registry | None,
        encoder: Encoder,
        day: datetime.date | None,
        pins: Container[str] = (),
    ) -> Past | None:
        """Return what is known; None where no theme is."""
        themes = known.themes if known else ()
        alive = [theme for theme in themes if theme.status in ("active", "dormant")]
        if known is None or not alive:
            return None
        fixed = known.encoder == encoder.sha256 != Latent.sha256
        days = (day - known.refitted).days if day and known.refitted else REFIT_DAYS
        return cls(known, alive, fixed, fixed and 0 <= days < REFIT_DAYS, pins)

    @property
    def kin(self) -> list[Kin]:
        """The living themes."""
        return [Kin(theme.id) for theme in self.alive]

    def owners(self, passages: Sequence[str]) -> Integers:
        """Return which of the living themes each passage is known in; -1 of none."""
        number = {theme.id: at for at, theme in enumerate(self.alive)}
        living = [number.get(theme.id, -1) for theme in self.known.themes]
        owners = self.known.owners_of(keys_of(passages))
        return np.array([*living, -1])[owners]  # the last is that of none

    def levels(
        self, vectors: Vectors, languages: Sequence[str | None], shaping: int
    ) -> dict[str, Vectors]:
        """Return what is taken off the vectors of a language; it moves as centroids do."""
        new = {} if self.daily else levels_of(vectors, languages, shaping)
        old = self.known.levels if self.fixed else {}
        return new | {name: moved(level, new.get(name, level)) for name, level in old.items()}

    def anchors(self, vectors: Vectors, owners: Integers) -> tuple[Vectors, Floats]:
        """Return the themes' centroids, and the cosines from which texts are near enough.

        In another space than the registry's they are those of the texts that are known.
        """
        if self.fixed:
            near = np.array([theme.near for theme in self.alive])
            return np.array([theme.centroid for theme in self.alive]), near
        middles = clustering.centroids(vectors, owners, len(self.alive))
        return middles, np.full(len(middles), KnownTheme.near)

    def settled(
        self,
        owners: Integers,
        smallest: int,
        views: Sequence[Vectors],
        graph: csr_matrix,
        fresh: Integers,
        resolution: float,
    ) -> Settled:
        """Return the themes of a run that looks for them anew.

        Texts that are known stay, new ones join the nearest theme if it is near enough. Then
        communities of the fresh clustering that lie well apart within a theme become new ones, and
        themes that lie in one community and near each other become one: both by the edges between
        them against those of chance, which modularity holds against its resolution (Reichardt &
        Bornholdt 2006). At last each text moves to the theme of its nearest centroid and
        neighbours, as in a first run.

        Parameters
        ----------
        owners : array of int, shape (n,)
            From `owners`, of the texts that shape the graph and maybe more.
        smallest : int
            Texts that make a theme.
        views, graph, fresh, resolution
            As of `clustering.cluster`.
        """
        vectors, own, kin = views[0], owners[: len(fresh)], self.kin
        (anchor, near), count, rows = self.anchors(vectors, own), len(kin), np.arange(len(fresh))
        like = vectors @ anchor.T
        votes = clustering.votes(graph, np.where(own < 0, count, own), count + 1)
        best = np.argmax(like + clustering.VOTE * votes[:, :count], axis=1)
        labels = np.where(own < 0, np.where(like[rows, best] < near[best], -1, best), own)
        for community in np.argsort(-np.bincount(fresh), kind="stable"):
            inside = fresh == community
            for theme in np.unique(labels[inside]):
                part, rest = (
                    np.flatnonzero(side & (labels == theme)) for side in (inside, ~inside)
                )
                pinned = theme >= 0 and kin[theme].id in self.pins
                if pinned or len(part) < max(smallest, MOSTLY * inside.sum()):
                    continue
                held = theme >= 0 and np.median(own[part]) >= 0  # most of it was there before
                most = resolution / CLEARLY if held else resolution
                close = anchor @ unit(vectors[part].sum(axis=0, keepdims=True))[0]
                if theme < 0 and close.max() >= SAME:
                    labels[part] = close.argmax()
                elif theme < 0 or (len(rest) >= len(part) and affinity(graph, part, rest) < most):
                    labels[part] = len(kin)
                    kin.append(Kin("", kin[theme].id if held else ""))
        labels = np.where(labels < 0, best, labels)
        into = _whole(vectors, graph, labels, fresh, count, resolution)
        fast = np.array([own.id in self.pins for own in self.kin])
        into = np.where(fast | fast[into], np.arange(count), into)
        into = np.append(into, np.arange(count, len(kin)))
        there, labels = np.unique(
            clustering.refined(views, graph, into[labels]), return_inverse=True
        )
        merged = {kin[at].id: kin[to].id for at, to in enumerate(into) if at != to}
        return Settled(labels, [kin[theme] for theme in there], merged)

    def assigned(
        self,
        owners: Integers,
        vectors: Vectors,
        search: Callable[[Integers], Clusters],
    ) -> Clusters:
        """Return texts in the themes that are known, each by itself, and new themes of the rest.

        Parameters
        ----------
        owners : array of int, shape (n,)
        vectors : array, shape (n, dimensions)
        search : callable
            What finds the themes of some rows.
        """
        (anchor, near), rows = self.anchors(vectors, owners), np.arange(len(vectors))
        like, kin = vectors @ anchor.T, self.kin
        best = np.argmax(like, axis=1)
        labels = np.where(owners < 0, best, owners)
        lost = np.flatnonzero((owners < 0) & (like[rows, best] < near[best]))
        fresh = search(lost) if len(lost) >= clustering.FEWEST else None
        if fresh is None or (fresh.silhouette or 0) < clustering.CLEAR:
            fresh = Clusters.alone(vectors[lost])  # only what is repeated is a theme
        labels[lost] = len(kin) + fresh.labels
        anchor, kin = np.vstack([anchor, fresh.centroids]), kin + [Kin()] * len(fresh.centroids)
        like = vectors @ anchor.T
        own = like[rows, labels]
        like[rows, labels] = -np.inf
        like[:, len(self.alive) :] = -np.inf
        second = np.argmax(like, axis=1)
        ties = csr_matrix(np.maximum(anchor @ anchor.T, 0))
        return Clusters(
            labels=labels,
            second=second,
            margin=own - np.maximum(like[rows, second], 0),
            cosine=own.astype(np.float64),
            groups=clustering.coarse(ties, np.arange(len(kin)), 1.0, 0),
            centroids=anchor,
            stability=np.full(len(kin), np.nan),
            kin=kin,
        )


def moved(old: Vectors, new: Vectors) -> Vectors:
    """Return what was known, moved towards what is new."""
    return np.asarray((1 - MOVES) * old + MOVES * new, np.float32)


def affinity(graph: csr_matrix, part: Any, rest: Any) -> float:
    """Return the edges between two sets of texts against those of chance."""
    chance = graph[part].sum() * graph[rest].sum() / graph.sum()
    return float(graph[part][:, rest].sum() / max(chance, 1e-9))


def _whole(
    vectors: Vectors,
    graph: csr_matrix,
    labels: Integers,
    fresh: Integers,
    count: int,
    resolution: float,
) -> Integers:
    """Return for each known theme the one that it is a part of: mostly itself."""
    members = clustering.membership(labels, max(count, int(labels.max()) + 1))
    table = np.asarray((members.T @ clustering.membership(fresh)).toarray())
    home, middles = table.argmax(axis=1), clustering.centroids(vectors, labels, len(table))
    into = np.arange(count)
    for theme, large in enumerate(table.argmax(axis=0)[home[:count]].tolist()):
        if (
            theme != large < count
            and home[theme] == home[large]
            and middles[theme] @ middles[large] >= SAME
            and affinity(graph, labels == theme, labels == large) > resolution * CLEARLY
        ):
            into[theme] = large
    return into
