"""A review of a change: the panel is read, the design chosen, the effect told and checked."""

from __future__ import annotations

import datetime
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from opslab.errors import DataError, ParameterError
from opslab.messages import Language
from opslab.tables.sheets import source_files
from opslab.timesaved.change import checks, design, differences, few_teams, series
from opslab.timesaved.change.belief import belief
from opslab.timesaved.change.differences import averages
from opslab.timesaved.change.panel import Panel, read_panel
from opslab.timesaved.change.power import powers
from opslab.timesaved.change.result import NOTHING, Average, ChangeResult, Power, Step, TeamChange
from opslab.timesaved.change.spec import ChangeReview
from opslab.uncertainty.distributions import Values
from opslab.uncertainty.proportions import Interval

_SAME = 1e-9  # differences below are those of rounding
LEADS, TESTED = 8, 3
"""Periods before the start that are shown, and of which the test asks whether anything happened."""


def review_change(
    review: ChangeReview,
    as_of: datetime.date | None = None,
    *,
    seed: int = 1,
    language: Language = "en",
    data: Any = None,
) -> ChangeResult:
    """Return what a change did, by the design that its pilot allows.

    Parameters
    ----------
    review : ChangeReview
    as_of : datetime.date, optional
        The review's own date by default; what is logged later does not count.
    seed : int
        Of permutations and resampling.
    language : {"en", "fr"}
        In which the result shows itself.
    data : path or frame, optional
        In the place of the export.

    Raises
    ------
    DataError, SpecError
        For logs that contradict themselves: file, row, what, and what to do.
    """
    if not (day := as_of or review.date):
        raise ParameterError.of("parameters.as_of_needed", field="as_of")
    panel = read_panel(review, day, data)
    outcome = design.outcome(review, panel)
    _refuse_constant(panel, outcome)
    kind, grade = design.chosen_design(review, panel)
    parts, effect = dict[str, Any](), NOTHING
    if kind == "did":
        effect, parts = _differences(review, panel, outcome, seed)
    elif kind == "its":
        parts["series"] = line = series.interrupted(review, panel, outcome)
        effect = line.effect
    elif kind == "before_after":
        parts["comparison"] = medians = series.before_after(review, panel, outcome, seed)
        effect = medians.effect
    effect = _possible(review, panel, effect)
    result = ChangeResult(
        review=review,
        as_of=day,
        language=language,
        seed=seed,
        panel=panel,
        design=kind,
        grade=grade,
        effect=effect,
        relative=review.measure.relative,
        teams=_teams(review, panel, outcome),
        powers=_powers(review, panel, outcome),
        artefact=design.artefact(review, panel, outcome),
        belief=belief(review, effect),
        per_year=hours_a_year(review, panel, outcome, effect),
        readings=panel.readings,
        sources=source_files(review, panel.readings, sum(at.rows for at in panel.readings)),
        checks=(),
        **parts,
    )
    result = replace(result, checks=checks.run(result, outcome))
    per_year = NOTHING if "lasting" in result.doubted else result.per_year
    return replace(result, per_year=per_year, grade=checks.lowered(result))


def _powers(review: ChangeReview, panel: Panel, outcome: Values) -> tuple[Power, ...]:
    """Return what teams and weeks could show, as sizes on the scale that readers see."""
    sign = -1 if review.measure.goal == "decrease" else 1
    return tuple(
        at._replace(smallest=size and abs(size))
        for at in powers(panel, outcome, len(review.pilot.starts))
        for size in (design.headline(review, at.smallest and sign * at.smallest).value,)
    )


def _refuse_constant(panel: Panel, outcome: Values) -> None:
    """Refuse values that never vary within a team, before or since: nothing tells chance."""
    *halves, _ = design.sides(outcome, panel.starts)
    spans = [np.ma.array(outcome, mask=~known).ptp(axis=1).filled(0) for known in halves]
    if np.max(spans) < _SAME:
        raise DataError.of("change.constant", file=panel.readings[0].name)


def _possible(review: ChangeReview, panel: Panel, effect: Interval) -> Interval:
    """Return an effect with ends that can be: a share lies between 0 and 1; None of no width."""
    value, low, high = effect
    if value is None or low is None or high is None or high - low < _SAME:
        return Interval(value)
    if review.measure.quantity == "share" and not review.measure.relative:
        usual = (
            float(np.nanmean(panel.values[differences.since(panel.values, panel.starts) >= 0]))
            - value
        )
        low, high = min(max(low, -usual), value), max(min(high, 1 - usual), value)
    return Interval(value, low, high)


def hours_a_year(review: ChangeReview, panel: Panel, outcome: Values, effect: Interval) -> Interval:
    """Return the hours of work a year of the teams with the change, below 0 where they are saved.

    What they would log in a week without it, times the effect, times the weeks that are worked in a
    year, over the teams known before and since (in a comparison, with an effect of their own); None
    of what is no hours of work, or of hours of each person. What they would log is what they logged
    since, a silent week being none, divided by 1 + effect; it counts as known, so that the interval
    is that of the effect alone.
    """
    measure = review.measure
    if not panel.effort or (measure.quantity, measure.per) != ("hours", "unit"):
        return NOTHING
    out = design.left_out(review, panel)
    values = np.where(out, np.nan, panel.values)
    _, after, both = design.sides(values, panel.starts)
    compared = np.isfinite(differences.impute(outcome, panel.starts).cells).any(axis=1)
    both &= compared | ~compared.any()
    base: Any = both.sum()
    if measure.relative:
        until = (
            np.logical_or.accumulate(after[:, ::-1], axis=1)[:, ::-1]
            & (differences.since(panel.values, panel.starts) >= 0)
            & ~out
        )
        hours = np.where(after, values, 0).sum(axis=1)[both] / until.sum(axis=1)[both]
        base = hours.sum() / (1 + (effect.value or 0))
    weeks = review.working_weeks / (design.DAYS[measure.period] / 7)
    return Interval(*(None if end is None else float(end * base * weeks) for end in effect))


def _differences(
    review: ChangeReview, panel: Panel, outcome: Values, seed: int
) -> tuple[Interval, dict[str, Any]]:
    """Return the effect; averages, steps and verdicts, and what they rest on."""
    starts, shown = panel.starts, partial(design.headline, review)
    effects = differences.impute(outcome, starts)
    after, count = differences.by_step(effects.cells, starts), max(1, min(LEADS, panel.first - 2))
    least = min([*after][-len(after) // 4 :], default=0)
    treated = starts[starts < outcome.shape[1]]

    def every(values: Values, since: Values) -> Values:
        cells = differences.impute(values, since).cells
        steps, before = differences.by_step(cells, since), differences.leads(values, since, count)
        means = [steps.get(at, (np.nan,))[0] for at in after]
        late = np.where(differences.since(values, since) >= least, cells, np.nan)
        fades = averages(late, since)["simple"]
        return np.array([*averages(cells, since).values(), *before.values(), *means, fades])

    values, errors, freedom = few_teams.changes(every, outcome, starts)
    *ends, late = [
        shown(*few_teams.interval(*known, freedom)) for known in zip(values, errors, strict=True)
    ]
    drawn = review.pilot.chosen == "drawn"
    verdicts = few_teams.verdicts(differences.simple, outcome, starts, drawn=drawn, seed=seed)
    others = averages(differences.last_before(outcome, starts).cells, starts)
    teams = {at: int((treated >= -at).sum()) for at in range(-count, 0)}
    teams |= {at: known for at, (_, known) in after.items()}
    tested = differences.pre_trend(outcome, starts, min(TESTED, count))
    return ends[0], {
        "late": late,
        "averages": tuple(
            Average(name, end, shown(others[name]).value)
            for name, end in zip(others, ends, strict=False)
        ),
        "steps": tuple(
            Step(at, end, teams[at])
            for at, end in zip(teams, ends[len(others) :], strict=True)
            if end.value is not None
        ),
        "verdicts": tuple(at._replace(interval=shown(*at.interval)) for at in verdicts),
        "two_way": shown(differences.two_way(outcome, starts)).value,
        "pre_trend": tested and tested[1],
        "not_estimable": tuple(panel.periods[at] for at in effects.not_estimable),
    }


def _teams(review: ChangeReview, panel: Panel, outcome: Values) -> tuple[TeamChange, ...]:
    """Return each team before and after, and its effect where others can be compared."""
    cells = differences.impute(outcome, panel.starts).cells

    def effect(cells: Values) -> float | None:
        known = cells[np.isfinite(cells)]
        return design.headline(review, known.mean()).value if known.size else None

    def level(cells: Values) -> float | None:
        change = effect(cells)  # exp(x) is what is shown of x, and 1
        return change if change is None else change + review.measure.relative

    return tuple(
        TeamChange(
            unit,
            panel.periods[start] if start < len(panel.periods) else None,
            int(np.isfinite(outcome[at]).sum()),
            level(outcome[at, :start]),
            level(outcome[at, start:]),
            effect(cells[at]),
        )
        for at, (unit, start) in enumerate(zip(panel.units, panel.starts, strict=True))
    )
