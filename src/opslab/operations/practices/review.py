"""The review of practices: where capabilities stand, what came of actions, processes by a rule."""

from __future__ import annotations

import datetime

from opslab.errors import DataError, ParameterError, Problem
from opslab.messages import Language
from opslab.operations.cited import earlier_run
from opslab.operations.practices import checks
from opslab.operations.practices.actions import actions, follow_through
from opslab.operations.practices.agreement import agreement
from opslab.operations.practices.canvas import capabilities, counts, movement, read_canvas
from opslab.operations.practices.processes import cards
from opslab.operations.practices.result import PracticesResult
from opslab.operations.practices.spec import Assessment, PracticeReview
from opslab.specs import refuse_unknown
from opslab.tables.sheets import read_sheet, source_files


def review_practices(
    review: PracticeReview,
    as_of: datetime.date | None = None,
    *,
    draws: int = 10_000,
    seed: int = 1,
    language: Language = "en",
) -> PracticesResult:
    """Return where capabilities stand and moved, what came of actions, and processes by a rule.

    Of each capability of a team the last round counts: its last assessment and those of the 31 days
    before, of each assessor the last. Levels have an order and no size: there are medians, lowest
    and highest, never a mean. What moved is told of those only who assessed in this round and in
    the one before.

    Parameters
    ----------
    review : PracticeReview
    as_of : datetime.date, optional
        The review's own date by default.
    draws, seed : int
        Of the simulation of processes; the seed also of the interval of the agreement.
    language : {"en", "fr"}
        In which the result shows itself.

    Raises
    ------
    DataError, SpecError
        For sheets that contradict themselves: file, row, what, and what to do.

    Examples
    --------
    >>> import datetime
    >>> from opslab.operations import PracticeReview
    >>> seen = {"capability": "Launches", "team": "Shop", "date": datetime.date(2026, 9, 14)}
    >>> rows = [{**seen, "assessor": name, "level": name} for name in ("good", "best")]
    >>> result = review_practices(
    ...     PracticeReview(practices="shop", canvas=rows), datetime.date(2026, 10, 5)
    ... )
    >>> result.capabilities[0].median
    ('good', 'best')
    """
    if not (day := as_of or review.date):
        raise ParameterError.of("parameters.as_of_needed", field="as_of")
    sheet = read_sheet(review, review.canvas, Assessment, "canvas", french=review.french)
    canvas = read_canvas(sheet.rows, day, sheet.reading.name if sheet.reading else None)
    if sheet.rows and not canvas.rows:
        raise DataError(Problem("practices.all_later", {"day": day}))
    teams = sorted({each.team for each in canvas.rows})
    refuse_unknown(review, review.assessors, teams, "assessors")
    review, before = earlier_run(review, "practice_review", day)
    known = cards(review, day, draws=draws, seed=seed, previous=before.record)
    standing = capabilities(canvas, review.assessors)
    agreed, listed = agreement(counts(canvas), seed), actions(canvas, day)
    kept, fallen_due = follow_through(listed, day)
    readings = (*filter(None, (sheet.reading,)), *known.readings)
    return PracticesResult(
        review=review,
        as_of=day,
        language=language,
        draws=draws,
        seed=seed,
        capabilities=standing,
        agreement_of=agreed,
        movement=movement(canvas),
        actions_due=listed,
        kept=kept,
        fallen_due=fallen_due,
        cards=known.cards,
        net=known.net,
        previous_day=before.day,
        passed=tuple(run.name for run in before.passed),
        readings=readings,
        sources=source_files(review, readings, len(sheet.rows) + len(known.cards)),
        checks=checks.run(review, canvas, standing, agreed, listed, known.findings, day),
    )
