"""Measured change: intervals of few teams, false alarms by method, and what before and after shows."""

from collections.abc import Iterator

import numpy as np
from scipy.stats import t

from opslab.timesaved.change.differences import averages, impute
from opslab.timesaved.change.few_teams import changes, interval, jackknife, verdicts
from simulations import Row, generator

ALPHA = 0.05
SIZES, SHOWN = (6, 8, 12, 24, 40), 12
SELECTED, BEFORE, AFTER = 8, 20, 20
"""Weeks by which the worst are chosen, weeks before, and after."""
START = SELECTED + BEFORE
EFFECT, DIFFERS = -0.15, 0.05
"""Of the change on the log scale, and how far teams differ in it."""
WEEKS = np.arange(START + AFTER)
STAGGERED = {
    "three starts, a quarter never gets it": (16, 24, 32, 48),
    "three starts, all get it": (16, 24, 32),
}
FEW = {
    "two of 24 get it, at two times": (16, 28, *[48] * 22),
    "all of 12 get it, two of them late": (*[16] * 10, 24, 24),
    "one of 12 gets it": (28, *[48] * 11),
}
CAUTIOUS = "two degrees of freedom less are counted, several starts cost fewer"
SAME = "effects differ by team, and what came to these teams is held"


def weights(outcome: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return the weights by which imputation averages the cells of a panel without gaps."""
    teams, periods = outcome.shape
    changed = np.arange(periods) >= starts[:, None]
    team, period = (at.ravel() for at in np.indices(outcome.shape))
    effects = np.c_[np.eye(teams)[team], np.eye(periods)[period]]
    known, new = effects[~changed.ravel()], effects[changed.ravel()]
    inverse = np.linalg.pinv(known)
    told = np.isclose(new @ inverse @ known, new).all(axis=1)
    if not told.any():
        return np.full(outcome.shape, np.nan)
    share, cells = told / told.sum(), np.zeros(outcome.shape)
    cells[changed], cells[~changed] = share, -(share @ new) @ inverse
    return cells


class Simple:
    """The simple average by imputation, with weights kept: thousands of panels of one shape."""

    def __init__(self) -> None:
        self.kept: dict[bytes, np.ndarray] = {}

    def __call__(self, outcome: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Return the average; the first of each shape is compared with the readout's own."""
        key = starts.astype(int).tobytes()
        if key not in self.kept:
            first, periods = starts.min(), outcome.shape[1]
            changed, later = starts == first, starts >= periods
            if (changed | later).all() and later.any() and first < periods:
                team = np.where(changed, 1 / changed.sum(), -1 / later.sum())
                week = np.where(np.arange(periods) < first, -1 / first, 1 / (periods - first))
                self.kept[key] = team[:, None] * week
            else:
                self.kept[key] = weights(outcome, starts)
            own = averages(impute(outcome, starts).cells, starts)["simple"]
            assert np.isclose((self.kept[key] * outcome).sum(), own, equal_nan=True)
        return np.array([(self.kept[key] * outcome).sum()])


def noise(random: np.random.Generator, teams: int) -> np.ndarray:
    """Return log hours of teams by week: level, trend, season, shocks, drift and AR(1) noise."""
    shape = (teams, len(WEEKS))
    steps = random.normal(0, 0.25, shape)
    steps[:, 1:] *= np.sqrt(1 - 0.5**2)
    for week in WEEKS[1:]:
        steps[:, week] += 0.5 * steps[:, week - 1]
    drift = random.normal(0, 0.015, shape).cumsum(axis=1)
    common = (
        -0.004 * WEEKS + 0.1 * np.sin(WEEKS / 52 * 2 * np.pi) + random.normal(0, 0.05, len(WEEKS))
    )
    return 3 + random.normal(0, 0.2, (teams, 1)) + common + drift + steps


def pilot(random: np.random.Generator, values: np.ndarray, chosen: str) -> np.ndarray:
    """Return the starts of half of the teams."""
    teams = len(values)
    last = {"worst of eight weeks that are left out": SELECTED, "worst of all weeks before": START}
    worst = values[:, : last.get(chosen, 0)].sum(axis=1)
    order = random.permutation(teams) if chosen == "drawn" else np.argsort(-worst)
    starts = np.full(teams, len(WEEKS))
    starts[order[: teams // 2]] = START
    return starts


def panel(
    random: np.random.Generator, values: np.ndarray, starts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return a panel with the change and the effects of its cells."""
    by_team = random.normal(EFFECT, DIFFERS, (len(values), 1))
    effects = by_team * (starts[:, None] <= WEEKS)
    return values + effects, effects


def common(experiments: int) -> Iterator[Row]:
    """One start, half of the teams, by how they were chosen; what before and after shows."""
    programs = max(experiments // 2, 1)
    for chosen in ("drawn", "worst of eight weeks that are left out", "worst of all weeks before"):
        for teams in SIZES:
            situation = f"{teams} teams, half with the change, {chosen}"
            random, simple = generator(situation), Simple()
            kept, alone, shown = [], [], []
            for _ in range(programs):
                values = noise(random, teams)
                starts = pilot(random, values, chosen)
                values, effects = panel(random, values, starts)
                own = slice(0 if "all" in chosen else SELECTED, None)
                outcome, dates = values[:, own], starts - (own.start or 0)
                truth = effects[effects != 0].mean()
                estimates, errors, freedom = changes(simple, outcome, dates)
                _, low, high = interval(estimates[0], errors[0], freedom)
                kept.append(low <= truth <= high)
                pilots = values[starts == START]
                moved = pilots[:, START:].mean(axis=1) - pilots[:, own.start : START].mean(axis=1)
                reach = t.ppf(0.975, len(moved) - 1) * moved.std(ddof=1) / np.sqrt(len(moved))
                alone.append(abs(moved.mean() - truth) <= reach)
                shown.append(np.median(pilots[:, START:]) - np.median(pilots[:, :START]))
            unused = " (not used)" if "all" in chosen else ""
            why = "weeks by which they were chosen are no baseline" if unused else SAME
            rate = float(np.mean(kept))
            method = f"t of the teams' own changes{unused}"
            yield Row(method, situation, programs, "coverage", rate, 0.95, why)
            if teams == SHOWN:
                why = "trend and season, and of the worst what comes back by itself"
                rate = float(np.mean(alone))
                method = "the pilot's own before and after, t (not used)"
                yield Row(method, situation, programs, "coverage", rate, 0.95, why)
                why = f"the change saves {-np.expm1(EFFECT):.1%}"
                rate = float(-np.expm1(np.mean(shown)))
                method = "before and after, medians (not used)"
                yield Row(method, situation, programs, "mean saving", rate, None, why)


def several(experiments: int) -> Iterator[Row]:
    """Several starts, and few teams on one side: the primary beside leaving out a team at a time."""
    programs = max(experiments // 2, 1)
    situations = {
        f"{teams} teams, {name}": np.resize(dates, teams)
        for name, dates in STAGGERED.items()
        for teams in SIZES
    } | {name: np.array(dates) for name, dates in FEW.items()}
    for situation, starts in situations.items():
        random, simple, kept, left_out = generator(situation), Simple(), [], []
        for _ in range(programs):
            outcome, effects = panel(random, noise(random, len(starts)), starts)
            estimates, errors, freedom = changes(simple, outcome, starts)
            truth = (simple.kept[starts.astype(int).tobytes()] * effects).sum()
            _, low, high = interval(estimates[0], errors[0], freedom)
            kept.append(low <= truth <= high)
            _, covariance, freedom = jackknife(simple, outcome, starts)
            _, low, high = interval(estimates[0], covariance[0, 0] ** 0.5, freedom)
            left_out.append(np.nan if low is None else low <= truth <= high)
        rate = float(np.mean(kept))
        method = "t of the teams' own changes"
        yield Row(method, situation, programs, "coverage", rate, 0.95, CAUTIOUS)
        if not np.isnan(left_out).any():
            rate = float(np.mean(left_out))
            method = "leaving out a team at a time, t (beside it)"
            why = "few teams alone carry the estimate" if situation in FEW else SAME
            yield Row(method, situation, programs, "coverage", rate, 0.95, why)


def alarms(experiments: int) -> Iterator[Row]:
    """All methods side by side on panels without an effect."""
    programs = max(experiments // 2, 1)
    late = len(WEEKS)
    half = {f"{teams} teams, half": np.repeat((START, late), teams // 2) for teams in SIZES[:3]}
    few = {
        f"12 teams, {count}": np.array([START] * count + [late] * (12 - count)) for count in (1, 2)
    }
    several = {"6 teams, at three dates all": np.repeat((16, 24, 32), 2)}
    whys = {
        "permutation": "estimates come in steps, one for each assignment",
        "bootstrap": "signs come in steps",
        "jackknife": "few teams on one side",
        "clustered": "few teams on one side, whose residuals are too small",
        "changes": CAUTIOUS,
    }
    for name, starts in (half | few | several).items():
        situation = f"{name} with the change, drawn, no effect"
        random, simple = generator(situation), Simple()
        flagged: dict[str, list[bool]] = {}
        for _ in range(programs):
            values = noise(random, len(starts))
            for verdict in verdicts(simple, values, random.permutation(starts), drawn=True, seed=1):
                if verdict.p is not None:
                    flagged.setdefault(verdict.method, []).append(verdict.p < ALPHA)
        for method, cases in flagged.items():
            unused = " (not used)" if method == "clustered" else ""
            label = f"few teams: {method}{unused}"
            rate = float(np.mean(cases))
            yield Row(label, situation, programs, "false alarms", rate, ALPHA, whys[method])


PARTS = (common, several, alarms)
