"""Feedback: for whom, since when, how bad and what first, on made-up messages whose truth is known."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from opslab.feedback.contrasts import contrasts
from opslab.feedback.priority import rank
from opslab.feedback.severity import severities
from opslab.feedback.trends import trends
from simulations import Row, generator

THEMES = 12
SLOW = 50  # one run analyses whole studies: so many fewer of them
START = pd.Timestamp("2026-01-05")


def _messages(random, messages, writers, likeness, effect=0.0):
    """Return theme, segment, source and customer of messages; segment 0 speaks more of theme 3."""
    if writers:
        activity = random.pareto(1.5, writers) + 0.2
        customer = random.choice(writers, messages, p=activity / activity.sum())
    else:
        writers, customer = messages, np.arange(messages)
    segment = random.integers(0, 4, writers)[customer]
    source = random.integers(0, 2, messages)
    usual = random.dirichlet(np.full(THEMES, 1.5), 2)
    theme = np.array([random.choice(THEMES, p=usual[each]) for each in source])
    own = random.choice(THEMES, writers, p=usual[0])[customer]
    theme = np.where(random.random(messages) < likeness, own, theme)
    theme[(segment == 0) & (random.random(messages) < effect)] = 3
    theme[random.random(messages) < 0.2] = -1
    return theme, segment, source, [f"c{each}" for each in customer]


def for_whom(experiments: int) -> Iterator[Row]:
    """Yield the rates of contrasts by segment, four segments and twelve themes at once."""
    runs = max(experiments // SLOW, 1)
    for situation, messages, writers, likeness in (
        ("600 messages of 600 customers", 600, 0, 0.0),
        ("3,000 messages of 3,000 customers", 3000, 0, 0.0),
        ("600 messages of 300 customers, some write much, each mostly of one theme", 600, 300, 0.6),
    ):
        alarms = missed = rows = naive = 0
        random = generator(f"feedback contrasts {situation}")
        for _ in range(runs):
            theme, segment, source, customers = _messages(random, messages, writers, likeness)
            inside, traits = theme[:, None] == np.arange(THEMES), {"segment": segment.astype(str)}
            table = contrasts(inside, traits, source.astype(str), customers)
            alarms += (table["q"] < 0.05).any()
            missed += ((table["low"] > 0) | (table["high"] < 0)).sum()
            rows += len(table)
            if writers:
                alone = contrasts(inside, traits, source.astype(str), [None] * messages)
                naive += (alone["q"] < 0.05).any()
        method = "themes by segment"
        yield Row(method, situation, runs, "false alarms", alarms / runs, 0.05, "48 at once")
        if not writers:  # with others, what differs in these very customers is no miss
            yield Row(method, situation, rows, "coverage", 1 - missed / max(rows, 1), 0.95)
        else:
            unused = f"{method}, messages taken for independent (not used)"
            yield Row(unused, situation, runs, "false alarms", naive / runs, 0.05)
    shares, power = [], 0
    random = generator("feedback contrasts effect")
    for _ in range(runs):
        theme, segment, source, customers = _messages(random, 900, 500, 0.3, effect=0.25)
        inside, traits = theme[:, None] == np.arange(THEMES), {"segment": segment.astype(str)}
        table = contrasts(inside, traits, source.astype(str), customers).query("q < 0.05")
        true = (table["theme"] == 3) & (table["value"] == "0")
        power += true.any()
        # What segment 0 says more of theme 3 it says less of the others: only these are false.
        false = ~true & (table["value"] != "0") & (table["theme"] != 3)
        shares.append(false.mean() if len(table) else 0.0)
    situation = "one segment speaks more of one theme, 500 customers"
    rate = float(np.mean(shares))
    yield Row("themes by segment", situation, runs, "false share of the found", rate, 0.05)
    yield Row("themes by segment", situation, runs, "found", power / runs, None)


def since_when(experiments: int) -> Iterator[Row]:
    """Yield how often steady themes are said to change, ten at once, and a growing one is found."""
    runs = max(experiments // SLOW, 1)
    for weeks, excess, growth in ((8, 1, 1), (8, 2, 1), (12, 3, 1), (26, 3, 1), (12, 2, 2.5)):
        situation = f"{weeks} weeks, variance {excess} x Poisson's" + (
            ", one grows 2.5 x" if growth > 1 else ""
        )
        random = generator(f"feedback trends {situation}")
        alarms = missed = naive = rising = 0
        for _ in range(runs):
            mean = np.linspace(4, 12, 10)[:, None] * np.linspace(1, 1.5, weeks)
            mean[0, -4:] *= growth
            said = (
                random.poisson(mean)
                if excess == 1
                else random.negative_binomial(mean / (excess - 1), 1 / excess)
            )
            counts = np.vstack([said, random.poisson(60 * np.linspace(1, 1.5, weeks))[None]])
            theme, week = (np.repeat(at.ravel(), counts.ravel()) for at in np.indices(counts.shape))
            days = START + pd.to_timedelta(7 * week + random.integers(0, 7, len(week)), unit="D")
            ends = [START, START + pd.Timedelta(days=7 * weeks - 1)]
            theme, days = np.append(theme, [10, 10]), [*days, *ends]
            table = trends(theme[:, None] == np.arange(10), days, ["s"] * len(days))
            alarms += (table["q"] < 0.05)[int(growth > 1) :].any()
            missed += ((table["low"] > 1) | (table["high"] < 1))[int(growth > 1) :].sum()
            rising += table["rising"][0]
            late = said[:, -min(4, weeks // 3) :].sum(1)
            before = said.sum(1) - late
            apart = np.log(table["ratio"]) / np.sqrt(
                1 / np.maximum(late, 1) + 1 / np.maximum(before, 1)
            )
            naive += (np.abs(apart) > 2.807).any()  # Bonferroni over ten
        method = "trend of a theme"
        if growth > 1:
            yield Row(method, situation, runs, "found", rising / runs, None)
            continue
        yield Row(method, situation, runs, "false alarms", alarms / runs, 0.05, "10 at once")
        yield Row(method, situation, 10 * runs, "coverage", 1 - missed / (10 * runs), 0.95)
        if excess > 1:
            unused = f"{method}, counts taken for Poisson's (not used)"
            yield Row(unused, situation, runs, "false alarms", naive / runs, 0.05)


def how_bad(experiments: int) -> Iterator[Row]:
    """Yield how often a theme of usual stars is said to be worse, and what the interval holds."""
    runs, alarms, held, rows = max(experiments // SLOW, 1), 0, 0, 0
    situation = "400 ratings of two sources, 8 themes, mostly 1 or 5 stars"
    random = generator(f"feedback severity {situation}")
    for _ in range(runs):
        source = random.integers(0, 2, 400)
        theme = np.where(random.random(400) < 0.3, source, random.integers(0, 8, 400))
        harsh = np.array([[0.4, 0.1, 0.1, 0.1, 0.3], [0.2, 0.1, 0.1, 0.1, 0.5]])
        stars = np.array([random.choice(5, p=harsh[each]) for each in source]) / 4
        table = severities(theme[:, None] == np.arange(8), stars, source.astype(str), [None] * 400)
        alarms += table["worse"].any()
        held += ((table["low"] <= 0) & (table["high"] >= 0)).sum()
        rows += len(table)
    yield Row(
        "severity of a theme", situation, runs, "false alarms", alarms / runs, 0.05, "8 at once"
    )
    yield Row("severity of a theme", situation, rows, "coverage", held / rows, 0.95)


def what_first(experiments: int) -> Iterator[Row]:
    """Yield how often the theme that is truly first stands outside the first band."""
    runs = max(experiments // SLOW, 1)
    for situation, messages, apart in (
        ("150 messages, themes of very unlike weight", 150, 0.5),
        ("600 messages, themes of very unlike weight", 600, 0.5),
        ("3,000 messages, themes of very unlike weight", 3000, 0.5),
        ("600 messages, themes of nearly equal weight", 600, 0.2),
    ):
        random, outside, size = generator(f"feedback bands {situation}"), 0, 0
        for _ in range(runs):
            part, severity = np.exp(random.normal(0, apart, THEMES)), random.beta(3, 2, THEMES)
            growth = np.exp(random.normal(0, 0.3, THEMES))
            theme = random.choice(THEMES, messages, p=part / part.sum())
            discontent = (random.random(messages) < severity[theme]).astype(float)
            count = np.bincount(theme, minlength=THEMES).clip(1)
            error = 1.2 * np.sqrt(1 / (0.3 * count) + 1 / (0.7 * count))
            ratio = np.exp(np.log(growth) + random.normal(0, error))
            nobody = [None] * messages
            table = rank(
                theme[:, None] == np.arange(THEMES),
                nobody,
                ["s"] * messages,
                nobody,
                discontent.tolist(),
                pd.DataFrame({"ratio": ratio, "error": error}),
                [True] * THEMES,
            ).table
            outside += table["band"][int((part * severity * growth).argmax())] != 1
            size += (table["band"] == 1).sum()
        why = f"{size / runs:.1f} of {THEMES} themes in the band"
        promise = "truly first outside the first band"
        yield Row("bands of themes", situation, runs, promise, outside / runs, 0.10, why)


PARTS = (for_whom, since_when, how_bad, what_first)

if __name__ == "__main__":
    for part in PARTS:
        for row in part(10_000):
            print(row.line(), flush=True)
