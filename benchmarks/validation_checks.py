"""What comes before and after the effects: checks of the data, empty values, families, the decision."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
from pandas import DataFrame

from opslab.experiments import analyze
from opslab.experiments.checks.rules import (
    check_covariate_balance,
    check_empty,
    check_sample_ratio_within,
    check_trigger_ratio,
)
from opslab.experiments.checks.sample_ratio import sample_ratio
from opslab.experiments.decision import decide
from opslab.experiments.inference.comparisons import compare, judge
from opslab.experiments.metrics import Mean, Proportion, Ratio
from opslab.experiments.moments.arm_moments import ArmMoments, Moments
from opslab.experiments.moments.columns import Column
from opslab.experiments.result import Comparison
from opslab.experiments.spec import Experiment
from opslab.experiments.units.unit_table import Gaps
from opslab.results import Check
from simulations import Row, blocks, generator, of_columns, of_rows, rates, side_of

ALPHA = 0.05
MEAN = Mean(name="value", type="mean", column="value", role="primary", goal="increase")


def sample_ratios(experiments: int) -> Iterator[Row]:
    """Sample ratio alarms when the assignment works as designed."""
    experiments *= 10  # rare alarms need more experiments, and these are cheap
    for units, weights in ((10_000, (1, 1)), (10_000, (2, 1, 1)), (200, (1, 1)), (200, (95, 5))):
        name = f"{units:,} units, designed {':'.join(map(str, weights))}"
        shares = np.array(weights) / sum(weights)
        found = generator(name).multinomial(units, shares, experiments)
        p_values = np.array([sample_ratio(counts, weights).p_value for counts in found.tolist()])
        for alpha in (0.01, 0.001):
            rate = float((p_values < alpha).mean())
            why = "few units, so the counts come in steps"
            yield Row("sample ratio test", name, experiments, "false alarms", rate, alpha, why)


def alarms(method: str, name: str, found: list[Check | None], why: str = "") -> Iterator[Row]:
    """Yield how often the p-value of a check is below .01, where it warns, and below .001."""
    p_values = np.array([1.0 if check is None else check.value for check in found])
    for label, alpha in (("below .01", 0.01), ("below .001", 0.001)):
        rate = float((p_values < alpha).mean())
        yield Row(f"{method}: {label}", name, len(found), "false alarms", rate, alpha, why)


def checks(experiments: int) -> Iterator[Row]:
    """The checks on days, empty values, covariates and triggers, when nothing is wrong."""
    experiments *= 5  # rare alarms need more experiments
    for days, units, weights in ((14, 500, (1, 1)), (28, 60, (1, 1)), (14, 400, (95, 5))):
        name = f"{days} days of {units} units, designed {':'.join(map(str, weights))}"
        expected = {str(arm): weight / sum(weights) for arm, weight in enumerate(weights)}
        random, found = generator(name), []
        dates = [f"2026-09-{day + 1:02}" for day in range(days)]
        for size in blocks(experiments, 2 * days):
            drawn = random.multinomial(units, list(expected.values()), (size, days)).tolist()
            for counts in drawn:
                levels = {date: [(arms, weights)] for date, arms in zip(dates, counts, strict=True)}
                found.append(check_sample_ratio_within("sample_ratio_days", list(expected), levels))
        yield from alarms(
            "Sample ratio by day", name, found, "few units a day, so the counts come in steps"
        )
    random = generator("empty values")
    found, fewer = [], []
    for first, second, third in random.binomial((900, 900, 600), 0.05, (experiments, 3)).tolist():
        empty = [
            Gaps(count, count, units)
            for count, units in ((first, 900), (second, 900), (third, 600))
        ]
        found.append(check_empty("missing_values", {"value": [empty]}))
        fewer.append(check_trigger_ratio([[(first, 900 - first), (second, 900 - second)]]))
    yield from alarms("Empty values", "5 % empty in each of 3 arms of 600 to 900", found)
    yield from alarms("Share triggered", "5 % triggered in each of 2 arms of 900", fewer)
    experiments //= 5
    name = "3 arms of 300, 2 skewed covariates that go together"
    random, found, own = generator(name), [], [Column("before"), Column("orders before")]
    for size in blocks(experiments, 4 * 900):
        arms = []
        for _ in range(3):
            first, second = random.normal(0, 1, (2, size, 300))
            arms.append(
                [of_columns(np.exp(first)), of_columns(np.exp((first + second) / np.sqrt(2)))]
            )
        for place in range(size):
            moments = {
                label: ArmMoments(300, {own[k]: arm[k][place] for k in (0, 1)}, {})
                for label, arm in zip("abc", arms, strict=True)
            }
            found.append(check_covariate_balance({None: moments}, "a", own))
    yield from alarms("Covariate balance", name, found, "Holm over tests that go together")


def outliers(experiments: int) -> Iterator[Row]:
    """How often an effect is said to rest on a few units where nothing is wrong."""
    experiments //= 10  # each is a whole analysis, as only that looks for groups
    experiment = Experiment(
        experiment="outliers",
        unit="unit",
        arms={"column": "arm", "control": "control"},
        metrics=[MEAN],
    )
    for deviation, n in ((0.0, 200), (1.5, 200), (1.5, 2000), (2.5, 2000)):
        shape = f"log deviation {deviation:g}" if deviation else "normal values"
        name = f"{shape}, {n:,} an arm, no effect"
        random, said, turned = generator(name), Counter[str](), 0
        labels = np.repeat(["arm", "control"], n)
        for _ in range(experiments):
            values = random.normal(0, 1, 2 * n)
            values = np.exp(deviation * values) if deviation else 5 + values
            units = DataFrame({"unit": np.arange(2 * n), "arm": labels, "value": values})
            check = analyze(experiment, units).check("outliers")
            said[check.detail.key.removeprefix("experiments.outliers_")] += 1
            p_values = map(dict(check.detail.values).get, ("p", "p_without"))
            turned += len({p_value <= ALPHA for p_value in p_values}) > 1
        for key, method in (("fail", "a group"), ("reversed", "the farthest .1 %")):
            rate = said[key] / experiments
            yield Row(f"Outliers: {method}", name, experiments, "warnings", rate, None)
        rate = turned / experiments
        yield Row("Outliers: significance turns", name, experiments, "warnings", rate, None)


def empty_values(experiments: int) -> Iterator[Row]:
    """Means over the values there are: empty by chance at unequal rates, and empty for a reason."""
    reason = "values are missing because of what they are, which the check of empty values notices"
    for kind, why in (
        ("by chance, 30 % in the arm and 10 % in the control", ""),
        ("for a reason, a fifth of the arm's upper half", reason),
    ):
        name = f"empty {kind}, mild skew, 300 an arm, no effect"
        random, found, flagged = generator(name), [], 0
        for _ in range(experiments):
            sides, empty = [], []
            for label in ("arm", "control"):
                values, treated = random.lognormal(0, 0.5, 300), label == "arm"
                chance = (0.3 if treated else 0.1) if not why else 0.2 * (values > 1) * treated
                kept = values[random.random(300) >= chance]
                sides.append(side_of(label, of_columns(kept[None, :])[0], 300 - len(kept)))
                empty.append(Gaps(300 - len(kept), 300 - len(kept), 300))
            found.append(compare(MEAN, sides[0], sides[1], 0.05))
            check = check_empty("missing_values", {"value": [empty]})
            flagged += check is not None and check.status == "fail"
        yield from rates("Welch, empty values dropped", name, found, 0.0, why)
        rate = flagged / experiments
        yield Row("Empty values: fails", name, experiments, "found", rate, None)


def decisions(experiments: int) -> Iterator[Row]:
    """Families over several primaries and arms, and the decision that comes of them."""
    names = ("a", "b", "c")
    metrics = [
        {"name": one, "type": "mean", "column": one, "role": "primary", "goal": "increase"}
        for one in names
    ]
    experiment = Experiment(
        experiment="three primaries",
        unit="unit",
        arms={"column": "arm", "control": "control"},
        metrics=metrics,
        decision={"primaries": "any"},
    )
    arms = ("control", "first", "second")
    weights = dict.fromkeys(arms, 1.0)
    for correlation in (0.0, 0.8):
        name = f"3 primaries (correlation {correlation:g}) x 2 arms, skewed, 300 an arm, no effect"
        random, wrong, shipped = generator(name), 0, 0
        for size in blocks(experiments, 4 * 900):
            sides = []
            for _ in arms:
                shared = random.normal(0, 1, (size, 300))
                own = random.normal(0, 1, (3, size, 300))
                logs = np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own
                sides.append([of_columns(np.exp(0.7 * one)) for one in logs])
            for place in range(size):
                pairs = [
                    compare(
                        metric,
                        side_of(arm, sides[order][k][place]),
                        side_of("control", sides[0][k][place]),
                        0.05,
                    )
                    for k, metric in enumerate(experiment.metrics)
                    for order, arm in enumerate(arms)
                    if order
                ]
                judged = judge(pairs, 0.05)
                wrong += any(one.verdict != "open" for one in judged)
                deviations = {(one.metric, one.arm): 1.0 for one in judged}
                made = decide(experiment, [], judged, deviations, weights, None)
                shipped += made.action == "ship"
        at_most = "Holm holds at most .05" + (
            "; metrics that go together leave some of it" if correlation else ""
        )
        yield Row(
            "Any primary by Holm",
            name,
            experiments,
            "false alarms",
            wrong / experiments,
            0.05,
            at_most,
        )
        rate = shipped / experiments
        why = "a family of two sides: half of its false alarms are wins"
        yield Row("Shipped, one win is enough", name, experiments, "false alarms", rate, 0.025, why)


def guardrails(experiments: int) -> Iterator[Row]:
    """Guardrails called safe although the arm is worse by exactly the margin, as a readout judges them."""
    experiments *= 4  # the rate is small, so its error is relatively large
    steps = "counts come in steps"
    for name, margin, shares, n, why in (
        ("share 10 %, margin 3 points, 200 an arm", {"absolute": 0.03}, (0.13, 0.1), 200, steps),
        ("share 2 %, margin 50 %, 1,000 an arm", {"relative": 0.5}, (0.03, 0.02), 1000, steps),
        ("share 40 %, margin 5 %, 4,000 an arm", {"relative": 0.05}, (0.42, 0.4), 4000, ""),
    ):
        metric = Proportion(
            name="left",
            type="proportion",
            column="left",
            role="guardrail",
            goal="decrease",
            margin=margin,
        )
        counts = generator(name).binomial(n, shares, (experiments, 2))
        known: dict[tuple[int, int], bool] = {}
        for pair in set(map(tuple, counts.tolist())):
            sides = [side_of("arm", hits(pair[0], n)), side_of("control", hits(pair[1], n))]
            known[pair] = judged_safe(compare(metric, *sides, 0.05))
        rate = sum(known[tuple(pair)] for pair in counts.tolist()) / experiments
        yield Row(
            "Guardrail safe",
            f"{name}, at the margin",
            experiments,
            "false alarms",
            rate,
            0.025,
            why,
        )
    tail = "the long tail leaves the estimate and its error tied together"
    ratio = Ratio(
        name="basket",
        type="ratio",
        numerator="sales",
        denominator="orders",
        role="guardrail",
        goal="increase",
        margin={"relative": 0.05},
    )
    mean = Mean(
        name="sales",
        type="mean",
        column="sales",
        role="guardrail",
        goal="increase",
        margin={"relative": 0.05},
    )
    for name, metric, n, why in (
        ("ratio, relative margin 5 %, 300 an arm", ratio, 300, ""),
        ("skewed mean with a covariate, relative margin 5 %, 1,000 an arm", mean, 1000, tail),
    ):
        random, safe = generator(name), 0
        covariates = [("before", 1)] if metric is mean else []
        for size in blocks(experiments // 2, 4 * n):
            sides = []
            for factor in (0.95, 1.0):
                second = (
                    1.0 + random.poisson(2, (size, n))
                    if metric is ratio
                    else (random.lognormal(0, 1, (size, n)))
                )
                first = factor * second * random.lognormal(0, 0.4, (size, n))
                sides.append(
                    [
                        side_of("arm" if factor < 1 else "control", one)
                        for one in of_rows(first, second)
                    ]
                )
            for both in zip(*sides, strict=True):
                safe += judged_safe(compare(metric, *both, 0.05, covariates))
        rate, label = safe / (experiments // 2), f"{name}, at the margin"
        yield Row("Guardrail safe", label, experiments // 2, "false alarms", rate, 0.025, why)


def hits(count: int, n: int) -> Moments:
    """Return the moments of so many ones among zeros."""
    return Moments.of_whole(n, count, count)


def judged_safe(one: Comparison) -> bool:
    """Whether the readout calls the guardrail safe."""
    return judge([one], 0.05)[0].verdict == "safe"
