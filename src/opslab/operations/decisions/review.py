"""A review of decisions: the log is read, every question asked of it, the answers checked."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

from opslab.errors import ParameterError
from opslab.messages import Language
from opslab.operations.decisions import checks, latency
from opslab.operations.decisions.alignment import align
from opslab.operations.decisions.calibration import calibrate
from opslab.operations.decisions.log import read_log
from opslab.operations.decisions.quality import qualities
from opslab.operations.decisions.result import DecisionsResult
from opslab.operations.decisions.spec import DecisionReview
from opslab.operations.decisions.stability import stability
from opslab.operations.decisions.trials import trials
from opslab.tables.sheets import source_files


def review_decisions(
    review: DecisionReview,
    as_of: datetime.date | None = None,
    *,
    seed: int = 1,
    language: Language = "en",
    data: Any = None,
) -> DecisionsResult:
    """Return how long decisions take, what they stand on, and whether forecasts come true.

    Parameters
    ----------
    review : DecisionReview
    as_of : datetime.date, optional
        The review's own date by default; what is dated later has not happened yet.
    seed : int
        Of the resampling.
    language : {"en", "fr"}
        In which the result shows itself.
    data : pandas.DataFrame or another frame, optional
        In the place of the log's file.

    Raises
    ------
    DataError, SpecError
        For sheets that contradict themselves: file, row, what, and what to do.
    """
    if not (day := as_of or review.date):
        raise ParameterError.of("parameters.as_of_needed", field="as_of")
    sheet = review.rows(data)
    known = trials(review, sheet, day)
    log = read_log(review, sheet, known, day, data)
    decisions, parted = log.decisions, latency.groups(log.decisions, review.since)
    saved, horizon = latency.saved(parted)
    agreed, surveys = align(review, day, seed)
    readings = (*log.readings, *surveys)
    result = DecisionsResult(
        review=review,
        as_of=day,
        language=language,
        seed=seed,
        decisions=decisions,
        latencies=tuple(latency.latency(*group) for group in parted),
        qualities=qualities(decisions, review, day, watched=log.watched),
        calibration=calibrate(decisions, review.since, seed),
        alignment=agreed,
        stability=stability(review, day),
        saved=saved,
        horizon=horizon,
        withdrawn=latency.withdrawn(parted, horizon),
        misspelt=log.misspelt,
        taken_back=sum(at.reversed is not None for at in decisions),
        readings=readings,
        sources=source_files(review, readings, len(decisions)),
        cited=tuple(trial.file for trial in known.values() if trial),
        checks=(),
    )
    return replace(result, checks=checks.run(result, log, known))
