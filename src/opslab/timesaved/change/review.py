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
    parts = dict[str, Any](effect=NOTHING)
    if kind == "did":
        parts = _differences(review, panel, outcome, seed)
    elif kind == "its":
        line = series.interrupted(review, panel, outcome)
        parts = {"series": line, "effect": line.effect}
    elif kind == "before_after":
        medians = series.before_after(review, panel, outcome, seed)
        parts = {"comparison": medians, "effect": medians.effect}
    parts["effect"] = _possible(review, panel, parts["effect"])
    result = ChangeResult(
        review=review,
        as_of=day,
        language=language,
        seed=seed,
        panel=panel,
        design=kind,
        grade=grade,
        relative=design.scale(review) == "log",
        teams=_teams(review, panel, outcome),
        powers=_powers(review, panel, outcome),
        artefact=design.artefact(review, panel, outcome),
        belief=belief(review, parts["effect"]),
        per_year=hours_a_year(review, panel, outcome, parts["effect"]),
        readings=panel.readings,
        sources=source_files(review, panel.readings, sum(at.rows for at in panel.readings)),
        checks=(),
        **parts,
    )
    result = replace(result, checks=checks.run(result, outcome))
    per_year = NOTHING if result.doubts("lasting") else result.per_year
    return replace(result, per_year=per_year, grade=checks.lowered(result))


def _powers(review: ChangeReview, panel: Panel, outcome: Values) -> tuple[Power, ...]:
    """Return what teams and weeks could show, as sizes on the scale that readers see."""
    sign = -1 if review.measure.goal == "decrease" else 1
    return tuple(
        at._replace(smallest=size and abs(size))
        for at in powers(panel, outcome, len(review.pilot.starts))
        for size in (_shown(review, at.smallest and sign * at.smallest).value,)
    )


def _refuse_constant(panel: Panel, outcome: Values) -> None:
    """Refuse values that never vary within a team, before or since: nothing tells chance."""
    *halves, _ = design.sides(outcome, panel.starts)
    parts = [row[half] for known in halves for row, half in zip(outcome, known, strict=True)]
    if all(np.ptp(part) < _SAME for part in parts if part.size):
        raise DataError.of("change.constant", file=panel.readings[0].name)


def _possible(review: ChangeReview, panel: Panel, effect: Interval) -> Interval:
    """Return an effect with ends that can be: a share lies between 0 and 1; None of no width."""
    value, low, high = effect
    if value is None or low is None or high is None or high - low < _SAME:
        return Interval(value)
    if review.measure.quantity == "share" and design.scale(review) == "level":
        late = np.arange(len(panel.periods)) >= panel.starts[:, None]
        usual = float(np.nanmean(panel.values[late])) - value
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
    if design.scale(review) == "log":
        late = np.arange(len(panel.periods)) >= panel.starts[:, None]
        until = np.logical_or.accumulate(after[:, ::-1], axis=1)[:, ::-1] & late & ~out
        hours = np.where(after, values, 0).sum(axis=1)[both] / until.sum(axis=1)[both]
        base = hours.sum() / (1 + (effect.value or 0))
    weeks = review.working_weeks / (design.DAYS[measure.period] / 7)
    return Interval(*(None if end is None else float(end * base * weeks) for end in effect))


def _differences(review: ChangeReview, panel: Panel, outcome: Values, seed: int) -> dict[str, Any]:
    """Return averages, steps and verdicts, and what they rest on."""
    starts, shown = panel.starts, partial(_shown, review)
    effects = differences.impute(outcome, starts)
    after, count = differences.by_step(effects.cells, starts), max(1, min(LEADS, panel.first - 2))
    least = min([*after][-len(after) // 4 :], default=0)
    treated = starts[starts < outcome.shape[1]]

    def simple(values: Values, since: Values) -> Values:
        return np.array([averages(differences.impute(values, since).cells, since)["simple"]])

    def every(values: Values, since: Values) -> Values:
        cells = differences.impute(values, since).cells
        steps, before = differences.by_step(cells, since), differences.leads(values, since, count)
        means = [steps.get(at, (np.nan,))[0] for at in after]
        late = np.where(np.arange(values.shape[1]) - since[:, None] >= least, cells, np.nan)
        fades = averages(late, since)["simple"]
        return np.array([*averages(cells, since).values(), *before.values(), *means, fades])

    values, errors, freedom = few_teams.changes(every, outcome, starts)
    *ends, late = [
        shown(*few_teams.interval(*known, freedom)) for known in zip(values, errors, strict=True)
    ]
    drawn = review.pilot.chosen == "drawn"
    verdicts = few_teams.verdicts(simple, outcome, starts, drawn=drawn, seed=seed)
    others = averages(differences.last_before(outcome, starts).cells, starts)
    teams = {at: int((treated >= -at).sum()) for at in range(-count, 0)}
    teams |= {at: known for at, (_, known) in after.items()}
    tested = differences.pre_trend(outcome, starts, min(TESTED, count))
    return {
        "effect": ends[0],
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


def _shown(review: ChangeReview, *ends: float | None) -> Interval:
    """Return an effect on the model's scale as readers see it; None where it is not known."""
    known = (end if end is not None and np.isfinite(end) else None for end in ends)
    return design.headline(review, *known)


def _teams(review: ChangeReview, panel: Panel, outcome: Values) -> tuple[TeamChange, ...]:
    """Return each team before and after, and its effect where others can be compared."""
    cells = differences.impute(outcome, panel.starts).cells

    def effect(cells: Values) -> float | None:
        known = cells[np.isfinite(cells)]
        return _shown(review, known.mean()).value if known.size else None

    def level(cells: Values) -> float | None:
        change = effect(cells)  # exp(x) is what is shown of x, and 1
        return change if change is None else change + (design.scale(review) == "log")

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
