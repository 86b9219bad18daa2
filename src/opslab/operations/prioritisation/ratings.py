"""What raters say of each item, read from their sheets: one unit each, no item twice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from math import prod
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from opslab import archive
from opslab.errors import DataError, Problem, SpecError
from opslab.names import folded, named
from opslab.operations.prioritisation.score import mean_inverse, rice
from opslab.operations.prioritisation.spec import FACTORS, KINDS, Backlog, Rating
from opslab.tables.import_report import Reading
from opslab.tables.numbers import plain_text
from opslab.tables.profiles import known_profiles, unwrapped
from opslab.tables.sheets import read_sheet
from opslab.uncertainty.distributions import Beta, Distribution, Fixed, lognormal, quantile
from opslab.uncertainty.ranges import Stated

_NO_UNIT = "%|low|high|min|max|(most )?likely|bas(se)?|haute?|(le )?plus probable|p ?[0-9]+"
_COUNTED = r".*\w[ /]+\w.*"
_RUN = r"(reports/[^#]*|[^#:]*/\d{4}-\d\d-\d\d-[0-9a-f]{8})/?(#.*)?"


class View(NamedTuple):
    """What one rater says of an item.

    Attributes
    ----------
    row : str
        Its row, and the file where there are several.
    backed : set of str
        What has a reason or evidence, such as ``reach_evidence``.
    stated, drawn : dict
        Of each quantity: the number that stands in the sheet, and the distribution that is drawn.
    """

    row: str
    rater: str
    rating: Rating
    backed: set[str]
    stated: dict[str, float]
    drawn: dict[str, Distribution]

    @property
    def score(self) -> float:
        """Of the numbers as they stand in the sheet."""
        return float(rice(*map(self.stated.get, FACTORS)))

    @property
    def expected(self) -> float:
        """Mean of the score, the factors being independent."""
        means = [self.drawn[name].mean for name in FACTORS[:-1]]
        return prod(means) * mean_inverse(self.drawn["effort"])

    @property
    def most(self) -> float:
        """Score with each factor at its better end."""
        shares = zip(FACTORS, (0.95, 0.95, 0.95, 0.05), strict=True)
        return float(rice(*(quantile(self.drawn[name], share) for name, share in shares)))


class Ratings(NamedTuple):
    """What the sheets of a list say.

    Attributes
    ----------
    items : dict of str to list of View
        What each rater says of an item, by its id, or its name where it has none.
    scores : dict of str to float
        Of each item as stated, the mean over its raters.
    counts : str
        What reach counts, as the spec or the heading says.
    repeated, lost : list of str
        Rows that repeat another, and were passed over; rows that name a run which is not there.
    aside : int
        Confidences below 1 that ranges replace.
    """

    items: dict[str, list[View]]
    scores: dict[str, float]
    counts: str
    repeated: list[str]
    lost: list[str]
    aside: int
    readings: list[Reading]


class _Row(NamedTuple):
    """A row, and where it stands."""

    number: int
    rating: Rating
    rater: str
    headings: Mapping[str, str]
    reading: Reading | None


def read_ratings(backlog: Backlog) -> tuple[Ratings, Ratings]:
    """Return what raters say, and what the earlier list says: both by the same rule.

    Raises
    ------
    DataError, SpecError
        With every mistake and its row.
    """
    sheets = backlog.sheets
    every = sheets + ((backlog.previous,) if backlog.previous else ())
    tables = [read_sheet(backlog, each, Rating, "backlog", french=backlog.french) for each in every]
    counts = _counts(backlog, [table.headings for table in tables])
    rows = [
        [_Row(*row, sheet.rater or sheet.path, table.headings, table.reading) for row in table.rows]
        for sheet, table in zip(every, tables, strict=True)
    ]
    now, before = [*chain(*rows[: len(sheets)])], [*chain(*rows[len(sheets) :])]
    ids = {folded(row.rating.item): row.rating.id for row in now + before if row.rating.id}
    covered = {_key(row.rating, ids) for row in now if row.rating.ranged}
    ranges = (backlog.uncertainty or ("ranges" if covered else "confidence")) == "ranges"
    DataError.refuse(
        [
            _problem("unranged", row)
            for row in now
            if ranges and row.rating.unsure and _key(row.rating, ids) not in covered
        ]
    )
    return (
        _pooled(backlog, counts, now, ids, ranges=ranges),
        _pooled(backlog, counts, before, ids, ranges=ranges),
    )


def exact(views: Sequence[View]) -> bool:
    """Return whether no number of an item varies, with itself or from one rater to another."""
    return all(view.drawn == views[0].drawn for view in views) and not any(
        shape.sd for shape in views[0].drawn.values()
    )


def _pooled(
    backlog: Backlog,
    counts: str,
    rows: Sequence[_Row],
    ids: Mapping[str, str],
    *,
    ranges: bool,
) -> Ratings:
    """Return what the rows of a list say together."""
    views: dict[tuple[str, str], View] = {}
    readings = {row.reading.name: row.reading for row in rows if row.reading}
    problems, repeated, lost = list[Problem](), list[str](), list[str]()
    for row in rows:
        rating, name = row.rating, row.reading.name if row.reading else ""
        shown = f"{row.number} ({name})" if len(readings) > 1 else str(row.number)
        rater, notes = folded(rating.rater or row.rater), {*_notes(rating)}
        gone = {note for note in notes if _gone(backlog, getattr(rating, note))}
        said = _quantities(rating, row.headings, ranges=ranges)
        view = View(shown, rater, rating, notes - gone, *said)
        first = views.setdefault((_key(rating, ids), rater), view)
        if first[4:] != view[4:]:
            problems.append(_problem("twice", row, first=first.row))
        if not 0 < view.stated["confidence"] <= 1:
            problems.append(_problem("confidence", row))
        repeated += [shown] * (first is not view)
        lost += [shown] * bool(gone)
    DataError.refuse(problems)
    items: dict[str, list[View]] = {}
    for (key, _), view in sorted(views.items()):
        items.setdefault(key, []).append(view)
    for each in items.values():  # whatever raters are called
        each.sort(key=lambda view: [(shape.mean, shape.sd) for shape in view.drawn.values()])
    scores = {key: fmean(view.score for view in said) for key, said in items.items()}
    aside = sum(ranges and row.rating.unsure for row in rows)
    return Ratings(items, scores, counts, repeated, lost, aside, [*readings.values()])


def _key(rating: Rating, ids: Mapping[str, str]) -> str:
    """Return what joins what several say of one item."""
    name = folded(rating.item)
    return folded(rating.id or ids.get(name) or name)


def _problem(key: str, row: _Row, **values: object) -> Problem:
    name = row.reading.name if row.reading else None
    return Problem(f"prioritisation.{key}", values, name, row=row.number)


def _notes(rating: Rating) -> Iterator[str]:
    """Give what has a reason or evidence that names something."""
    names = (f"{factor}_{kind}" for factor in FACTORS for kind in KINDS)
    return (name for name in names if named(getattr(rating, name)))


def _gone(backlog: Backlog, note: str) -> bool:
    """Return whether evidence is a run that is not there, from the spec or from here."""
    run = re.fullmatch(_RUN, note)
    return run is not None and all(
        archive.read_run(path, whole=False).altered
        for path in (backlog.beside(run[1]), Path(run[1]))
    )


def _counts(backlog: Backlog, sheets: Iterable[Mapping[str, str]]) -> str:
    """Return what reach counts; refuse sheets whose headings name two units of one quantity."""
    profile = known_profiles()["backlog"]
    units: dict[str, dict[str, str]] = {}
    reaches = list[str]()
    for headings in sheets:
        reaches.append(backlog.reach or "")
        for name in sorted(headings.keys() & profile.columns.keys(), reverse=True):
            heading = unwrapped(headings[name], profile.wrappers)
            for unit in re.findall(r"\(([^()]+)\)", heading):
                stem, _, end = name.rpartition("_")
                if end in ("low", "likely", "high") and not re.fullmatch(
                    _NO_UNIT, plain_text(unit)
                ):
                    units.setdefault(stem, {}).setdefault(plain_text(unit), headings[name])
                    counted = stem == "reach" and re.fullmatch(_COUNTED, unit)
                    reaches[-1] = reaches[-1] or (unit if counted else "")
    for stem, said in units.items():
        if len(said) > 1:
            raise SpecError(backlog.problem("prioritisation.units", stem, names=[*said.values()]))
    if not all(reaches):
        raise SpecError(backlog.problem("prioritisation.period", "reach"))
    return reaches[0]


def _quantities(
    rating: Rating, headings: Mapping[str, str], *, ranges: bool
) -> tuple[dict[str, float], dict[str, Distribution]]:
    """Return the stated number and the distribution of each quantity.

    Confidence multiplies or ranges replace it, never both. Three numbers whose ends the heading
    calls P5 and P95 are a lognormal with those percentiles, whatever is likely.
    """
    stated = {"confidence": 1.0 if ranges else rating.confidence or 0.0}
    drawn: dict[str, Distribution] = {"confidence": Fixed(stated["confidence"])}
    for name, ends in rating:
        if isinstance(ends, Stated):
            shape = ends.distribution(share=False)
            if isinstance(shape, Beta) and re.search(
                r"(?i)p ?5\b", headings.get(f"{name}_low", "")
            ):
                shape = lognormal(shape.low, shape.high)
            stated[name] = ends.likely or shape.mean
            drawn[name] = shape if ranges else Fixed(stated[name])
    return stated, drawn
