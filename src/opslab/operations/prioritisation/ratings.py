"""What raters say of each item, read from their sheets: one unit each, no item twice."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from itertools import chain
from math import prod
from operator import attrgetter, itemgetter
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from opslab import archive
from opslab.errors import DataError, Problem, SpecError
from opslab.names import folded, named
from opslab.operations.prioritisation.score import mean_inverse, rice
from opslab.operations.prioritisation.spec import FACTORS, KINDS, Backlog, RatedSheet, Rating
from opslab.tables.import_report import Reading
from opslab.tables.numbers import plain_text
from opslab.tables.profiles import known_profiles, unwrapped
from opslab.tables.sheets import Sheet, read_sheet
from opslab.uncertainty.distributions import Beta, Distribution, Fixed, lognormal, quantile
from opslab.uncertainty.ranges import Stated

_SAME = r"\b(an?|per|par)\b|s\b|[\s./-]"  # of a unit: what two ways to write it may differ by
_NO_UNIT = "%|low|high|min|max|(most)?likely|ba(sse)?|haute?|(le)?pluprobable|p[0-9]+"
_SPELT = 0.6  # of letters: names that have fewer in common are no spellings of each other
_COUNTED = r".*\w[ /]+\w.*"
_RUN = r"(reports/[^#]*|[^#:]*/\d{4}-\d\d-\d\d-[0-9a-f]{8})/?(#.*)?"


class View(NamedTuple):
    """What one rater says of an item.

    Attributes
    ----------
    at : dict
        File and row, as a problem names them.
    row : str
        Its row, and the file where there are several.
    backed, lost : set of str
        What has a reason or evidence, such as ``reach_evidence``; what cites a run that is gone.
    stated, drawn : dict
        Of each quantity: the number that stands in the sheet, and the distribution that is drawn.
    """

    at: Mapping[str, Any]
    row: str
    rater: str
    rating: Rating
    backed: set[str]
    lost: set[str]
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
        What each rater says of an item, by its name.
    scores : dict of str to float
        Of each item as stated, the mean over its raters.
    counts : str
        What reach counts, as the spec or the heading says.
    views, repeated : list of View
        Every row, and those that repeat another and were passed over.
    """

    items: dict[str, list[View]]
    scores: dict[str, float]
    counts: str
    views: list[View]
    repeated: list[View]
    readings: list[Reading]


def read_ratings(backlog: Backlog) -> tuple[Ratings, Ratings]:
    """Return what raters say, and what the earlier list says: both by the same rule.

    Raises
    ------
    DataError, SpecError
        With every mistake and its row.
    """
    known = len(backlog.sheets)
    sheets = backlog.sheets + ((backlog.previous,) if backlog.previous else ())
    tables = [
        read_sheet(backlog, each, Rating, "backlog", french=backlog.french) for each in sheets
    ]
    counts = _counts(backlog, tables)
    ranged = any(rating.ranged for table in tables[:known] for _, rating in table.rows)
    ranges = (backlog.uncertainty or ("ranges" if ranged else "confidence")) == "ranges"
    views = [
        [_view(backlog, sheet, table, row, ranges=ranges) for row in table.rows]
        for sheet, table in zip(sheets, tables, strict=True)
    ]
    ids = {
        folded(view.rating.item): folded(view.rating.id) for view in chain(*views) if view.rating.id
    }
    lists = []
    names: dict[str, View] = {}
    for part in (slice(known), slice(known, None)):
        readings = [table.reading for table in tables[part] if table.reading]
        lists.append(_pooled([*chain(*views[part])], ids, names, counts, readings))
    now, before = lists
    DataError.refuse(
        [
            Problem("prioritisation.unranged", **view.at)
            for said in now.items.values()
            for view in said
            if ranges and view.rating.unsure and not any(each.rating.ranged for each in said)
        ]
    )
    return now, before


def exact(views: Sequence[View]) -> bool:
    """Return whether no number of an item varies, with itself or from one rater to another."""
    return all(view.drawn == views[0].drawn for view in views) and not any(
        shape.sd for shape in views[0].drawn.values()
    )


def _view(
    backlog: Backlog,
    sheet: RatedSheet,
    table: Sheet[Rating],
    row: tuple[int, Rating],
    *,
    ranges: bool,
) -> View:
    """Return what a row says."""
    number, rating = row
    name = table.reading.name if table.reading else ""
    notes = (f"{factor}_{kind}" for factor in FACTORS for kind in KINDS)
    backed = {note for note in notes if named(getattr(rating, note))}
    lost = {note for note in backed if _gone(backlog, getattr(rating, note))}
    return View(
        {"file": name, "row": number},
        f"{number} ({name})" if len(backlog.sheets) > 1 else str(number),
        folded(rating.rater or sheet.rater or sheet.path),
        rating,
        backed - lost,
        lost,
        *_quantities(rating, table.headings, ranges=ranges),
    )


def _pooled(
    views: list[View],
    ids: Mapping[str, str],
    names: dict[str, View],
    counts: str,
    readings: list[Reading],
) -> Ratings:
    """Return what the rows of a list say together."""
    firsts: dict[tuple[str, str], View] = {}
    problems, repeated = list[Problem](), list[View]()
    for view in sorted(views, key=attrgetter("rating.item")):
        name = folded(view.rating.item)
        key = folded(view.rating.id or "") or ids.get(name, name)
        first = firsts.setdefault((key, view.rater), view)
        if first.drawn != view.drawn or first.stated != view.stated:
            problems.append(Problem("prioritisation.twice", {"first": first.row}, **view.at))
        known = names.setdefault(key, view)
        if SequenceMatcher(None, folded(known.rating.item), name).ratio() < _SPELT:
            given = {**known.at, "name": known.rating.item, "other": view.rating.item}
            problems.append(Problem("prioritisation.ids", given, **view.at))
        if not 0 < view.stated["confidence"] <= 1:
            problems.append(Problem("prioritisation.confidence", **view.at))
        repeated += [view] * (first is not view)
    DataError.refuse(problems)
    joined: dict[str, list[View]] = {}
    for (key, _), view in sorted(firsts.items(), key=itemgetter(0)):
        joined.setdefault(key, []).append(view)
    items: dict[str, list[View]] = {}
    for key, said in joined.items():
        said.sort(key=lambda view: [(shape.mean, shape.sd) for shape in view.drawn.values()])
        name = names[key].rating.item
        items[f"{name} ({key})" if name in items else name] = said
    scores = {name: fmean(view.score for view in said) for name, said in items.items()}
    return Ratings(items, scores, counts, views, repeated, readings)


def _gone(backlog: Backlog, note: str) -> bool:
    """Return whether evidence is a run that is not there, from the spec or from here."""
    run = re.fullmatch(_RUN, note)
    return run is not None and all(
        archive.read_run(path, whole=False).altered
        for path in (backlog.beside(run[1]), Path(run[1]))
    )


def _counts(backlog: Backlog, sheets: Sequence[Sheet[Rating]]) -> str:
    """Return what reach counts; refuse sheets whose headings name two units of one quantity."""
    profile = known_profiles()["backlog"]
    units: dict[str, dict[str, str]] = {}
    reaches = list[str]()
    for sheet in sheets:
        reaches.append(backlog.reach or "")
        for name in sorted(sheet.headings.keys() & profile.columns.keys(), reverse=True):
            heading = unwrapped(sheet.headings[name], profile.wrappers)
            twins = _units(" ".join(profile.columns[name].headers[1:3]))
            stem, _, end = name.rpartition("_")
            if end in ("low", "likely", "high") and any(
                getattr(row, stem) for _, row in sheet.rows
            ):
                for plain, unit in _units(heading).items():
                    same = min(twins) if plain in twins else plain
                    units.setdefault(stem, {}).setdefault(same, sheet.headings[name])
                    if stem == "reach" and re.fullmatch(_COUNTED, unit):
                        reaches[-1] = reaches[-1] or unit
    for stem, said in units.items():
        if len(said) > 1:
            raise SpecError(backlog.problem("prioritisation.units", stem, names=[*said.values()]))
    if not all(reaches):
        raise SpecError(backlog.problem("prioritisation.period", "reach"))
    return reaches[0]


def _units(text: str) -> dict[str, str]:
    """Return the units in brackets, each by what all ways to write it share."""
    return {
        plain: unit
        for unit in re.findall(r"\(([^()]+)\)", text)
        if not re.fullmatch(_NO_UNIT, plain := re.sub(_SAME, "", plain_text(unit)))
    }


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
