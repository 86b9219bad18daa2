"""What raters say of each item, read from their sheets: one unit of reach, no item twice."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

from opslab.errors import DataError, Problem, SpecError
from opslab.operations.prioritisation.score import rice
from opslab.operations.prioritisation.spec import FACTORS, Backlog, RatedSheet, Rating
from opslab.tables.import_report import Reading
from opslab.tables.profiles import known_profiles, unwrapped
from opslab.tables.sheets import read_sheet
from opslab.uncertainty.distributions import Beta, Distribution, Fixed, lognormal
from opslab.uncertainty.ranges import Stated

_REACH = ("reach_likely", "reach_low", "reach_high")


class View(NamedTuple):
    """What one rater says of an item.

    Attributes
    ----------
    stated, drawn : dict
        Of each quantity: the number that stands in the sheet, and the distribution that is drawn.
    """

    row: int
    rater: str
    rating: Rating
    stated: dict[str, float]
    drawn: dict[str, Distribution]

    @property
    def score(self) -> float:
        """Of the numbers as they stand in the sheet."""
        return float(rice(*map(self.stated.get, FACTORS)))


class Ratings(NamedTuple):
    """What the sheets say.

    Attributes
    ----------
    items : dict of str to list of View
        What each rater says of an item, by its id, or its name where it has none.
    scores : dict of str to float
        Of each item as stated, the mean over its raters.
    counts : str
        What reach counts, as the spec or the heading says.
    repeated : list of int
        Rows that repeat another, and were passed over.
    """

    items: dict[str, list[View]]
    scores: dict[str, float]
    counts: str
    repeated: list[int]
    readings: list[Reading]


def read_ratings(backlog: Backlog, sheets: Sequence[RatedSheet]) -> Ratings:
    """Return what raters say; raises `DataError` with every mistake and its row."""
    tables = [
        read_sheet(backlog, sheet, Rating, "backlog", french=backlog.french) for sheet in sheets
    ]
    counts = sorted({backlog.reach or _unit(table.headings) for table in tables})
    if not all(counts) or len(counts) > 1:
        raise SpecError(backlog.problem("prioritisation.period", "reach", names=counts))
    ranged = any(rating.ranged for table in tables for _, rating in table.rows)
    ranges = (backlog.uncertainty or ("ranges" if ranged else "confidence")) == "ranges"
    views: dict[tuple[str, str], View] = {}
    problems, repeated = list[Problem](), list[int]()
    readings = [table.reading for table in tables if table.reading]
    for sheet, reading, (rows, _, headings) in zip(sheets, readings, tables, strict=True):
        for row, rating in rows:
            rater = rating.rater or sheet.rater or sheet.path
            view = View(row, rater, rating, *_quantities(rating, headings, ranges=ranges))
            first = views.setdefault((rating.id or rating.item, rater), view)
            wrong = ["twice"] * (first.rating != rating)
            wrong += ["confidence"] * (not 0 < view.stated["confidence"] <= 1)
            repeated += [row] * (first is not view)
            problems += [
                Problem(f"prioritisation.{name}", {"first": first.row}, reading.name, row=row)
                for name in wrong
            ]
    DataError.refuse(problems)
    items: dict[str, list[View]] = {}
    for (key, _), view in sorted(views.items()):
        items.setdefault(key, []).append(view)
    scores = {key: fmean(view.score for view in said) for key, said in items.items()}
    return Ratings(items, scores, counts[0], repeated, readings)


def _unit(headings: Mapping[str, str]) -> str:
    """Return what a heading of reach says in brackets; a tool's own around it are none."""
    wrappers = known_profiles()["backlog"].wrappers
    names = (unwrapped(headings.get(name, ""), wrappers) for name in _REACH)
    return next((unit[1] for name in names if (unit := re.search(r"\((.+)\)", name))), "")


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
