"""Makes the sample of an experiment program: small, with known truth. `python data/make_program.py`.

A shop's tests of 18 months, April 2025 to September 2026, and its ideas. True lifts follow a normal
distribution. In March 2026 a new router loses some of the treated units before they are counted:
the ratios of that month's tests break, and so do their lifts. One more test lost units on its own,
one has a lift without an error. Ideas are decided faster since 12 January 2026.

``program.yaml`` stands beside the data as a file. ``program_truth.json`` states what generated it.
Only `random.Random.random`, `NormalDist.inv_cdf`, square roots and arithmetic are used, and values
are rounded as they arise: every machine and every Python from 3.11 on writes the same bytes.
"""

import json
import math
from datetime import date, timedelta
from pathlib import Path
from random import Random
from statistics import NormalDist
from typing import Any

SEED = 20261005
FIRST, TESTS, DAYS = date(2025, 4, 1), 82, 14
MEAN, SPREAD = 0.004, 0.012
"""Of true lifts."""
MARCH = (48, 9)
"""The first test of March 2026, and how many start in it."""
BROKEN = (date(2026, 3, 1), date(2026, 3, 31))
LOST, GAINED = 0.03, 0.02
"""Share of treated units that the router loses, and by how much the rest seem better for it."""
ALONE, UNSURE, NINTH = 20, 58, 9
"""Places of the test that lost units alone, and of the one without an error; one in so many has no arms."""
BY_RULE = 0.88
STANDARD, IDEAS, AS_OF = date(2026, 1, 12), 140, date(2026, 10, 5)
WAITS = {"before": 66, "since": 44}
"""Median days from idea to decision."""
AREAS = (
    "Search, Product page, Basket, Checkout, Sign-up, Home page, Delivery page, Account, App start"
)
CHANGES = (
    "shorter form, larger button, fewer steps, clearer price, trust seals, saved details, new order, "
    "bigger pictures, one page, friendlier errors"
)
ARMS = "test,arm,metric,start,end,lift,error,units,successes,decision,by_rule"
Row = dict[str, Any]


def write(folder: Path) -> list[Path]:
    """Write the sample's files into a folder, the same bytes each time, and return them."""
    r = Random(SEED)  # noqa: S311 - sample data, no secret
    names = [f"{area}: {change}" for area in AREAS.split(", ") for change in CHANGES.split(", ")]
    names = [name for _, name in sorted((r.random(), name) for name in names)][:TESTS]
    tests = [_test(r, name, order) for order, name in enumerate(names)]
    ideas = [_idea(r, order, names) for order in range(IDEAS)]
    shipped = [test for test in tests if test["decision"] == "ship"]
    truth = {
        "lifts": {"mean": MEAN, "deviation": SPREAD},
        "broken": {"from": str(BROKEN[0]), "to": str(BROKEN[1]), "lost": LOST, "seems": GAINED},
        "tests": {test["test"]: test["true"] for test in tests},
        "shipped": {
            "tests": len(shipped),
            "announced": round(math.prod(1 + test["lift"] for test in shipped) - 1, 4),
            "true": round(math.prod(1 + test["true"] for test in shipped) - 1, 4),
        },
        "by_rule": BY_RULE,
        "median_days": WAITS,
        "standardised": str(STANDARD),
    }
    rows = [",".join(map(str, row)) for test in tests for row in test["rows"]]
    texts = {
        "program_ideas.csv": "\n".join(["idea,date,decided", *ideas]) + "\n",
        "program_tests.csv": "\n".join([ARMS, *rows]) + "\n",
        "program_truth.json": json.dumps(truth, indent=1) + "\n",
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return [folder / name for name in texts]


def _normal(r: Random) -> float:
    return NormalDist().inv_cdf(r.random())


def _test(r: Random, name: str, order: int) -> Row:
    """Return a test: its true lift, what was estimated, and its rows."""
    march = min(max(order - MARCH[0], 0), MARCH[1])  # the router made tests easy: twice as many
    start = FIRST + timedelta(days=int(6.9 * (order - march) + 3.4 * march + 3 * r.random()))
    broken, true = BROKEN[0] <= start <= BROKEN[1], round(MEAN + SPREAD * _normal(r), 4)
    units, share = 60_000 + int(r.random() * 140_000), 0.12 + 0.2 * r.random()
    lost = LOST if broken or order == ALONE else 0.0
    seen = share * (1 + true) * (1 + (GAINED if broken else 0))
    counts = [round(units * (1 - away) + math.sqrt(units) * _normal(r)) for away in (0, lost)]
    orders = [
        round(count * rate + math.sqrt(count * rate * (1 - rate)) * _normal(r))
        for count, rate in zip(counts, (share, seen), strict=True)
    ]
    rates = [sold / count for sold, count in zip(orders, counts, strict=True)]
    spread = sum((1 - rate) / (rate * count) for rate, count in zip(rates, counts, strict=True))
    lift = round(rates[1] / rates[0] - 1, 4)
    error = round(rates[1] / rates[0] * math.sqrt(spread), 4)
    by_rule, won = r.random() < BY_RULE, lift > 1.96 * error
    decision = "ship" if won or (not by_rule and lift > error) else "do_not_ship"
    about = [start, start + timedelta(days=DAYS - 1)]
    after = [decision, "yes" if by_rule else "no"]
    if order % NINTH == UNSURE % NINTH:  # from a tool that gives effects and no arms
        error_told = "" if order == UNSURE else error
        rows = [[name, "", "orders", *about, lift, error_told, "", "", *after]]
    else:
        rows = [
            [name, arm, "orders", *about, "", "", count, sold, *after]
            for arm, count, sold in zip(("control", "treatment"), counts, orders, strict=True)
        ]
    return {"test": name, "true": true, "lift": lift, "decision": decision, "rows": rows}


def _idea(r: Random, order: int, names: list[str]) -> str:
    """Return an idea: its day, and that of its decision where it has come."""
    day = FIRST + timedelta(days=order * 540 // IDEAS)
    root = 1 + 0.26 * _normal(r)
    wait = WAITS["since" if day >= STANDARD else "before"] * root * root * root
    decided = day + timedelta(days=max(5, round(wait)))
    name = names[order] if order < TESTS else f"Idea {order + 1}"
    return f"{name},{day},{decided if decided <= AS_OF else ''}"


if __name__ == "__main__":
    write(Path(__file__).parent / "sample")
