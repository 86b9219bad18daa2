"""Makes the sample of a decision log and two surveys. `python data/make_decisions.py`.

The 23 decisions of ``product_ops_decisions.csv`` with what a log keeps beside the dates; besides
them two that were withdrawn, four still open, and the roll-outs that two experiments decided.
Forty people are asked what comes first in April and in September: each draws three priorities by
weights, and names the goal of the quarter or not, as ``WAVES`` says. Every draw is one of
``random.random``, the same on any machine. ``product_decisions.yaml`` stands beside as a file.
"""

import csv
import json
from datetime import date
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from random import Random
from statistics import median

Rows = list[dict[str, str]]

HEADINGS = (
    "id,decision,team,owner,raised,status,decided,withdrawn,reversed,chosen,options,do_nothing,"
    "evidence,grade,experiment,forecast,probability,outcome,review"
)
LOG = """\
D-01,new delivery options,Shop,head of product,2025-09-08,Decided,2025-11-13,,2026-04-20,build,1,no,,F,,Express is one order in ten,0.9,no,2026-03-02
D-02,price of returns,Service,head of support,2025-09-25,Decided,2025-11-07,,,2.90 euros,3,yes,https://wiki.example/returns,E,,Returns fall by a tenth,0.8,yes,2026-02-02
D-03,size guide,Shop,head of product,2025-10-12,Decided,2025-11-30,,,build,2,no,https://wiki.example/sizes,C,,Fewer returns of the wrong size,0.9,no,2026-03-02
D-04,wish list,Growth,growth team lead,2025-10-29,Decided,2026-01-16,,,build,,,,,,One visitor in five keeps a list,0.7,no,2026-04-20
D-05,loyalty points,Growth,growth team lead,2025-11-15,Decided,2025-12-22,,,not now,2,yes,https://wiki.example/loyalty,E,,No loss of regular customers,0.8,yes,2026-04-20
D-06,guest checkout,Shop,head of product,2025-12-02,Decided,2026-01-26,,,build,2,no,https://wiki.example/guests,D,,More first orders,0.9,yes,2026-05-04
D-07,dark mode,Shop,head of product,2025-12-19,Decided,2026-02-03,,2026-03-20,build,1,no,,F,,Evening visits last longer,0.8,no,2026-05-04
D-08,order tracking,Service,head of support,2026-01-05,Decided,2026-03-03,,,build,3,yes,https://wiki.example/parcels,D,,Fewer messages about parcels,0.9,yes,2026-08-31
D-09,gift cards,Growth,growth team lead,2026-01-22,Decided,2026-02-25,,2026-05-11,build,1,no,,F,,Sold out before Easter,0.9,no,2026-04-20
D-10,search filters,Shop,head of product,2026-02-08,Decided,2026-03-31,,,build,2,no,https://wiki.example/search,C,,More searches end in a basket,0.8,yes,2026-07-06
D-11,second payment provider,Shop,head of product,2026-02-25,Decided,2026-05-24,,,sign,3,no,https://wiki.example/payment,E,,Failed payments fall by half,0.7,yes,2026-08-31
D-12,product videos,Growth,growth team lead,2026-03-14,Decided,2026-05-01,,,build,,,,,,More orders of what has a video,0.8,,2026-09-07
D-13,short checkout label,Shop,head of product,2026-05-04,Decided,2026-06-09,,,test it,3,yes,https://wiki.example/checkout,D,,An experiment can tell within four weeks,0.7,yes,2026-09-28
D-14,onboarding checklist,Growth,growth team lead,2026-05-13,Decided,2026-06-13,,,test it,2,yes,https://wiki.example/onboarding,C,,An experiment can tell within four weeks,0.6,yes,2026-10-04
D-15,refund in two clicks,Service,head of support,2026-05-22,Decided,2026-07-05,,,build,3,yes,https://wiki.example/refunds,B,,Messages about refunds fall by a third,0.8,yes,2026-09-21
D-16,invoice by mail,Service,head of support,2026-05-31,Decided,2026-06-26,,,build,2,yes,https://wiki.example/invoices,C,,Fewer requests for invoices,0.9,yes,2026-09-07
D-17,password without a code,Shop,head of product,2026-06-09,Decided,2026-07-29,,,build,4,yes,https://wiki.example/sign-in,D,,Failed sign-ins fall by half,0.4,no,2026-09-21
D-18,box sizes,Service,head of support,2026-06-18,Decided,2026-07-23,,,three sizes,3,yes,https://wiki.example/boxes,B,,Packaging costs a tenth less,0.7,yes,2026-09-28
D-19,discount codes,Growth,growth team lead,2026-06-27,Decided,2026-07-26,,2026-09-01,one code a customer,2,no,https://wiki.example/codes,E,,Margin of the summer sale holds,0.6,no,2026-09-07
D-20,basket reminder,Growth,growth team lead,2026-07-06,Decided,2026-09-03,,,build,3,yes,https://wiki.example/baskets,C,,One basket in twenty comes back,0.6,yes,2026-10-01
D-21,store pick-up,Stores,head of stores,2026-07-15,Decided,2026-08-23,,,two cities first,3,yes,https://wiki.example/pick-up,C,,One order in twelve is picked up,0.3,no,2026-09-28
D-22,personal newsletter,Growth,growth team lead,2026-07-24,Decided,2026-08-25,,,not now,2,yes,https://wiki.example/letters,B,,Customers ask for it within a month,0.2,no,2026-09-28
D-23,refitted store layout,Stores,head of stores,2026-08-02,Decided,2026-09-12,,,ship,2,yes,https://wiki.example/refit,,experiment_readout/store-refit,Refitted shops sell 2 % more until Christmas,0.7,,2027-01-11
D-24,shop in a social network,Growth,growth team lead,2026-01-12,Withdrawn,,2026-03-13,,,2,no,,F,,,,,
D-25,photos in reviews,Shop,head of product,2026-06-01,Withdrawn,,2026-06-29,,,2,yes,,E,,,,,
D-26,return parcels from abroad,Service,head of support,2026-06-25,Open,,,,,3,yes,https://wiki.example/abroad,D,,,,,
D-27,search by photo,Shop,head of product,2026-08-20,Open,,,,,2,yes,,F,,,,,
D-28,lockers in stations,Stores,head of stores,2026-09-10,Open,,,,,,,,,,,,,
D-29,price alerts,Growth,growth team lead,2026-09-24,Open,,,,,,,,,,,,,
D-30,short label for everybody,Shop,head of product,2026-08-31,Decided,2026-10-02,,,ship,2,yes,https://wiki.example/checkout,,experiment_readout/checkout-button,Two checkouts more in a hundred,0.8,,2026-12-14
D-31,checklist for everybody,Growth,growth team lead,2026-08-31,Decided,2026-10-05,,,ship,2,yes,https://wiki.example/onboarding,,experiment_readout/onboarding-checklist,Three newcomers more in a hundred stay,0.7,,2026-12-14
"""
SINCE, AS_OF = "2026-05-04", "2026-10-05"
FUNCTIONS = {"product": 9, "engineering": 12, "sales": 8, "support": 7, "finance": 4}
PRIORITIES = {
    "Faster checkout": ("faster checkout", "Checkout"),
    "Parcel tracking": ("parcel tracking", "Tracking"),
    "Loyalty card": ("loyalty card",),
    "Fewer returns": ("fewer returns",),
    "Personal offers": ("personal offers",),
    "New stores": ("new stores",),
    "Lower costs": ("lower costs",),
    "Sign-in": ("Sign in",),
}
"""What can be named, and how else people write it."""
OWN = {"product": 4, "engineering": 7, "sales": 5, "support": 1, "finance": 6}
"""What a function names more often than the others: by its number among the priorities."""
WAVES = {
    "april": {"date": "2026-04-20", "silent": 5, "names": 14, "goal": 3, "own": 9},
    "september": {"date": "2026-09-21", "silent": 3, "names": 21, "goal": 14, "own": 4},
}
"""Of a survey: who did not answer, who names the goal, weight of the first two and of one's own."""
GOAL = ("65 % completed checkouts", "More completed checkouts", "Completed checkouts: 65 %")
OTHERS = ("Grow", "Happier customers", "Christmas without a breakdown", "")


def draw(chance: Random, weights: list[int]) -> int:
    """Return a number, drawn by whole weights."""
    left = int(chance.random() * sum(weights))
    for at, weight in enumerate(weights):
        left -= weight
        if left < 0:
            return at
    raise AssertionError(weights)


def answers(seed: int, wave: dict[str, object]) -> Rows:
    """Return what the people who answered wrote; each is known by a number of this survey alone."""
    chance, names = Random(seed), list(PRIORITIES)  # noqa: S311 - a sample, the same every time
    people = [function for function, count in FUNCTIONS.items() for _ in range(count)]
    ranks = sorted(range(len(people)), key=lambda at: (chance.random(), at))
    answered = sorted(ranks[int(str(wave["silent"])) :])
    aware = {*sorted(answered, key=lambda at: (chance.random(), at))[: int(str(wave["names"]))]}
    rows: Rows = []
    for number, at in enumerate(answered, 1):
        weights = [int(str(wave["goal"]))] * 2 + [2] * (len(names) - 2)
        weights[OWN[people[at]]] += int(str(wave["own"]))
        row = {"person": f"{number:02}", "function": people[at]}
        for rank in (1, 2, 3):
            name = names[drawn := draw(chance, weights)]
            weights[drawn] = 0
            ways = (name, name, name, *PRIORITIES[name])
            row[f"priority_{rank}"] = ways[int(chance.random() * len(ways))]
        said = GOAL if at in aware else OTHERS
        rows.append(row | {"goal": said[int(chance.random() * len(said))]})
    return rows


def named(row: dict[str, str]) -> list[str]:
    """Return the three priorities of a person by their own names."""
    known = {way: name for name, ways in PRIORITIES.items() for way in (name, *ways)}
    return [known[row[f"priority_{rank}"]] for rank in (1, 2, 3)]


def jaccard(rows: Rows) -> float:
    """Return the mean share of names that two people have in common."""
    sets = [{*named(row)} for row in rows]
    shares = [Fraction(len(a & b), len(a | b)) for a, b in combinations(sets, 2)]
    return round(float(sum(shares) / len(shares)), 6)


def brier(rows: Rows) -> dict[str, object]:
    """Return how many forecasts have an outcome, and their mean squared error."""
    scored = [row for row in rows if row["outcome"]]
    errors = [(Fraction(row["probability"]) - (row["outcome"] == "yes")) ** 2 for row in scored]
    return {"forecasts": len(scored), "brier": round(float(sum(errors) / len(errors)), 6)}


def group(rows: Rows) -> dict[str, object]:
    """Return how a group of decisions stands, and how long they took."""
    days = [
        (date.fromisoformat(row["decided"]) - date.fromisoformat(row["raised"])).days
        for row in rows
        if row["decided"]
    ]
    return {
        "raised": len(rows),
        "decided": len(days),
        "withdrawn": sum(row["withdrawn"] != "" for row in rows),
        "open": sum(row["status"] == "Open" for row in rows),
        "median_of_decided_days": median(days),
        "median_days": reached(rows),
        **brier(rows),
    }


def reached(rows: Rows) -> int:
    """Return the day by which half are decided: open ones count, withdrawn ones compete."""
    ends = []
    for row in rows:
        end = row["decided"] or row["withdrawn"] or AS_OF
        days = (date.fromisoformat(end) - date.fromisoformat(row["raised"])).days
        ends.append((days, bool(row["decided"]), bool(row["withdrawn"])))
    still, share = Fraction(1), Fraction(0)
    for day in sorted({days for days, *_ in ends}):
        risk = sum(days >= day for days, *_ in ends)
        share += still * Fraction(sum(end == (day, True, False) for end in ends), risk)
        if share >= Fraction(1, 2):
            return day
        still *= 1 - Fraction(sum(end[0] == day and (end[1] or end[2]) for end in ends), risk)
    raise AssertionError(share)


def truth(log: Rows, surveys: dict[str, Rows]) -> dict[str, object]:
    """Return what the files hold, as ``product_decisions_truth.json`` states it."""
    before = [row for row in log if row["raised"] < SINCE]
    return {
        "as_of": AS_OF,
        "since": SINCE,
        "before": group(before),
        "after": group([row for row in log if row not in before]),
        "reversed": [row["id"] for row in log if row["reversed"]],
        "reversed_within_90_days": ["D-07", "D-09", "D-19"],
        "outcome_late": ["D-12"],
        **brier(log),
        "surveys": {
            name: {
                "date": WAVES[name]["date"],
                "invited": sum(FUNCTIONS.values()),
                "people": len(rows),
                "name_the_goal": sum(row["goal"] in GOAL for row in rows),
                "jaccard": jaccard(rows),
            }
            for name, rows in surveys.items()
        },
    }


def write(folder: Path) -> None:
    """Write the files into a folder."""
    log = list(csv.DictReader(f"{HEADINGS}\n{LOG}".splitlines()))
    sheet = f"{HEADINGS}\n{LOG}"
    (folder / "product_decisions_log.csv").write_text(sheet, "utf-8", newline="\n")
    surveys = {name: answers(seed, wave) for seed, (name, wave) in enumerate(WAVES.items(), 24)}
    for name, rows in surveys.items():
        path = folder / f"product_decisions_survey_{name}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    said = json.dumps(truth(log, surveys), indent=1)
    (folder / "product_decisions_truth.json").write_text(f"{said}\n", "utf-8", newline="\n")


if __name__ == "__main__":
    write(Path(__file__).parent / "sample")
