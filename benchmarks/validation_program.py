"""Many experiments together: averages, wins, periods of broken splits, days to a decision."""

import datetime
from collections.abc import Iterator

import numpy as np
from scipy.special import chdtrc, stdtrit

from opslab.experiments.program.broken_period import broken_period
from opslab.experiments.program.pooling import (
    Z,
    false_positive_risk,
    random_effects,
    rate,
    shrink,
    success_rate,
)
from opslab.uncertainty.survival import change, kaplan_meier, quantile
from simulations import Row, generator

FIRST = datetime.date(2025, 1, 6)


def pooled_effects(experiments: int) -> Iterator[Row]:
    """True effects that are normal between tests, of all sizes of errors."""
    programs = max(experiments // 5, 1)
    for tests, mean, deviation in (
        (10, 0.01, 0.02),
        (50, 0.01, 0.02),
        (50, 0.01, 0.0),
        (300, 0.0, 0.01),
    ):
        name = f"{tests} tests, true lifts {mean:.0%} ± {deviation:.0%}"
        random, held = generator(name), {key: [] for key in ("mean", "plain", "next")}
        shrunk, won, naive = [], [], []
        for _ in range(programs):
            errors = random.uniform(0.005, 0.03, tests)
            true = random.normal(mean, deviation, tests)
            seen = random.normal(true, errors)
            known = random_effects(seen, errors)
            away = abs(known.mean - mean)
            held["mean"].append(away <= stdtrit(tests - 1, 0.975) * known.error)
            held["plain"].append(away <= Z * (1 / (errors**2 + known.variance)).sum() ** -0.5)
            reach = stdtrit(tests - 2, 0.975) * np.hypot(known.variance**0.5, known.error)
            held["next"].append(abs(random.normal(mean, deviation) - known.mean) <= reach)
            believed = shrink(known, seen, errors)
            wins = seen > Z * errors
            shrunk.append((abs(true - believed.mean) <= Z * believed.error).mean())
            won += (abs(true - believed.mean) <= Z * believed.error)[wins].tolist()
            naive += (abs(true - seen) <= Z * errors)[wins].tolist()
        labels = {
            "mean": "average lift, Knapp and Hartung",
            "plain": "average lift, normal quantile (not used)",
            "next": "true lift of the next test",
        }
        for key, label in labels.items():
            why = "few tests tell little of the spread between them" if tests < 50 else ""
            why = "the spread is never estimated below 0" if deviation == 0 else why
            yield Row(label, name, programs, "coverage", float(np.mean(held[key])), 0.95, why)
        yield Row(
            "shrunk effects",
            name,
            programs * tests,
            "coverage",
            float(np.mean(shrunk)),
            0.95,
            "empirical Bayes: the spread is estimated",
        )
        yield Row(
            "shrunk effects of wins",
            name,
            len(won),
            "coverage",
            float(np.mean(won)),
            0.95,
            "empirical Bayes: the spread is estimated",
        )
        yield Row(
            "own intervals of wins (not used)",
            name,
            len(naive),
            "coverage",
            float(np.mean(naive)),
            0.95,
            "winner's curse",
        )


def risks(experiments: int) -> Iterator[Row]:
    """Success rate and false-positive risk, from the wins of a program."""
    for tests, success in ((40, 0.3), (200, 0.1)):
        name = f"{tests} tests, {success:.0%} with a true effect"
        truth = false_positive_risk(success, 0.05, 0.8)
        wins = generator(name).binomial(tests, 0.8 * success + 0.025 * (1 - success), experiments)
        ends = {}
        for count in set(wins.tolist()):
            share = rate(count, tests)
            shares = [success_rate(end, 0.05, 0.8) for end in (share.low, share.high)]
            high, low = (false_positive_risk(end, 0.05, 0.8) for end in shares)
            ends[count] = shares[0] <= success <= shares[1], low <= truth <= high
        held = np.array([ends[count] for count in wins.tolist()]).mean(0)
        for label, found in zip(
            ("success rate", "false-positive risk of a win"), held, strict=True
        ):
            yield Row(
                label,
                name,
                experiments,
                "coverage",
                float(found),
                0.95,
                "its interval is the exact one of the wins",
            )


def broken_periods(experiments: int) -> Iterator[Row]:
    """Programs whose units are split as designed, and some with a broken stretch."""
    programs = max(experiments // 10, 1)
    for tests, weeks, broken in (
        (12, 12, 0),
        (60, 52, 0),
        (400, 104, 0),
        (60, 52, 10),
        (400, 104, 20),
    ):
        name = f"{tests} tests in {weeks} weeks" + f", {broken} of them broken" * bool(broken)
        random, alarms = generator(name), 0
        for _ in range(programs):
            week = random.integers(0, weeks, tests)
            arms = random.integers(1, 4, tests)
            scale = np.where((week >= 20) & (week < 20 + broken), 6.0, 1.0)
            p_values = chdtrc(arms, scale * random.chisquare(arms)).tolist()
            days = [FIRST + datetime.timedelta(7 * int(at)) for at in week]
            found = broken_period(list(zip(days, p_values, strict=True)))
            alarms += bool(found)
        label = "period of broken splits"
        if broken:
            yield Row(
                label,
                name,
                programs,
                "found",
                alarms / programs,
                None,
                "chi-squares six times as large",
            )
        else:
            yield Row(
                label,
                name,
                programs,
                "false alarms",
                alarms / programs,
                0.01,
                "the stretch as a whole has to fail too",
            )


def decision_times(experiments: int) -> Iterator[Row]:
    """Ideas of a year, decided after weeks, the newest still open."""
    programs = max(experiments // 5, 1)
    for ideas, faster in ((40, 1.0), (150, 1.0), (150, 0.7)):
        name = f"{ideas} ideas, a median of 42 days" + f", since then {faster:.0%} of it" * (
            faster < 1
        )
        random = generator(name)
        scale = 42 / np.log(2)
        medians, saved = [], []
        for _ in range(programs):
            written = random.uniform(0, 365, ideas)
            since = written >= 200
            days = random.exponential(np.where(since, faster * scale, scale))
            decided = days <= 400 - written
            seen = np.where(decided, days, 400 - written)
            before, after = (kaplan_meier(seen[part], decided[part]) for part in (~since, since))
            _, low, high = quantile(before)
            medians.append((low is None or low <= 42) and (high is None or high >= 42))
            _, low, high, horizon = change(before, after)
            true = sum(
                side * mean * (1 - np.exp(-horizon / mean))
                for side, mean in ((1, scale), (-1, faster * scale))
            )
            saved.append(low <= true <= high)
        yield Row(
            "median days to a decision",
            name,
            programs,
            "coverage",
            float(np.mean(medians)),
            0.95,
            "the log-log scale is cautious with few ideas",
        )
        yield Row(
            "days saved up to the horizon",
            name,
            programs,
            "coverage",
            float(np.mean(saved)),
            0.95,
            "few ideas of the second group reach the horizon",
        )


PARTS = (pooled_effects, risks, broken_periods, decision_times)
