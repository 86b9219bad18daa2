"""Makes the sample of a change that is measured by a time log. `python data/make_change.py`.

Twelve product teams log 34 weeks in one tool, as its detailed export writes them. The feedback desk
comes to three groups of teams, one after the other, and to four teams never. What a team logs on
answering the same question is its own level, less from week to week for everybody, least in summer,
times noise that lasts, times what the desk leaves (``LEFT``). Every draw is one of
``random.random`` and the rest is sums and products, the same on any machine.
``product_change.yaml`` stands beside as a file.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random

Row = dict[str, str]

SEED, AS_OF = 1, date(2026, 10, 5)
FIRST, WEEKS = date(2026, 2, 9), 34
TASK, OTHERS = "Answer the same question", ("Prepare a launch", "Write the weekly status")
TEAMS = {
    "Account": (29, 1),
    "Basket": (34, 1),
    "Checkout": (46, 2),
    "Delivery": (52, 1),
    "Gift cards": (25, 1),
    "Loyalty": (31, 1),
    "Payment": (40, 1),
    "Returns": (63, 1),
    "Reviews": (28, 1),
    "Search": (36, 2),
    "Stores": (48, 1),
    "Tracking": (59, 1),
}
"""Minutes a week of each product manager at the beginning, and how many they are: 14, with the
minutes that ``product_desk_truth.json`` states of the task (5.1 times 8, on average)."""
STARTS = {
    date(2026, 4, 27): ("Checkout", "Loyalty", "Returns"),
    date(2026, 5, 25): ("Account", "Search", "Tracking"),
    date(2026, 6, 22): ("Delivery", "Payment"),
}
LATE = ("Reviews", 5)
"""A team that there is only from that week on."""
PHASE_IN = 2
LEFT = (0.96, 0.92, 0.9, 0.88, 0.86, 0.84, 0.82, 0.8, 0.79, 0.78, 0.77, 0.76, 0.75)
"""What is left of the minutes by weeks since the start; the last of it stays: 30 % less for the
84 % of the managers who use the desk, as ``product_desk_truth.json`` has it."""
TREND = 0.992
"""What is left of the minutes from one week to the next, in every team."""
SUMMER = {22: 0.95, 23: 0.9, 24: 0.88, 25: 0.86, 26: 0.86, 27: 0.88, 28: 0.92, 29: 0.96}
"""What is left of the minutes in the weeks of July and August, in every team."""
NOISE, LASTING = 0.26, 0.4
"""Size of the noise of a week, and the share of it that is still there in the next."""
TWO_DAYS, OTHER_WEEKS = 30, range(3, WEEKS, 4)
"""Minutes from which a week's may lie on two days, and weeks with an entry on something else."""
QUESTIONS = ("Where the numbers are", "Who owns it", "When it comes", "How returns work", "")
HEADINGS = (
    *("Project", "Client", "Description", "Task", "User", "Group", "Email", "Tags", "Type"),
    *("Billable", "Start Date", "Start Time", "End Date", "End Time"),
    *("Duration (h)", "Duration (decimal)"),
)


def managers() -> dict[str, tuple[str, ...]]:
    """Return the product managers of each team by their numbers."""
    numbers = iter(range(1, 99))
    return {
        team: tuple(f"PM {next(numbers):02}" for _ in range(count))
        for team, (_, count) in TEAMS.items()
    }


def start_week(team: str) -> int | None:
    """Return the first week with the desk; None of a team that never got it."""
    days = [day for day, teams in STARTS.items() if team in teams]
    return (days[0] - FIRST).days // 7 if days else None


def left(team: str, week: int) -> float:
    """Return what the desk leaves of a team's minutes in a week."""
    start = start_week(team)
    if start is None or week < start:
        return 1.0
    return LEFT[min(week - start, len(LEFT) - 1)]


def minutes(chance: Random, team: str) -> list[int]:
    """Return the minutes of a team's managers in each week, all together."""
    level, count = TEAMS[team]
    noise, trend, values = 0.0, 1.0, []
    for week in range(WEEKS):
        noise = LASTING * noise + sum(chance.random() for _ in range(4)) - 2
        worked = level * count * trend * SUMMER.get(week, 1.0) * (1 + NOISE * noise)
        values.append(max(round(worked * left(team, week)), 10))
        trend *= TREND
    return values


def entry(person: str, team: str, task: str, start: datetime, length: int, about: str = "") -> Row:
    """Return a row of the export; a length of 0 is a timer that still runs."""
    end = start + timedelta(minutes=length) if length else None
    values = (
        *("Product Ops", "", about, task, person, team),
        *(f"{person.lower().replace(' ', '')}@example.test", "", "Regular", "No"),
        *(f"{start:%m/%d/%Y}", f"{start:%I:%M:%S %p}"),
        *((f"{end:%m/%d/%Y}", f"{end:%I:%M:%S %p}") if end else ("", "")),
        *(f"{length // 60:02}:{length % 60:02}:00", f"{length / 60:.2f}"),
    )
    return dict(zip(HEADINGS, values, strict=True))


def clock(chance: Random, week: int, day: int, first_hour: int) -> datetime:
    """Return a time of a day within two hours, in steps of five minutes."""
    on = FIRST + timedelta(days=7 * week + day)
    return datetime.combine(on, time(first_hour)) + timedelta(minutes=5 * int(chance.random() * 24))


def there(team: str, week: int) -> bool:
    """Return whether a team logs anything in a week."""
    return team != LATE[0] or week >= LATE[1]


def logged(chance: Random, team: str, people: tuple[str, ...]) -> Iterable[tuple[datetime, Row]]:
    """Yield what a team logs: the task on one day or two a week, and now and then another."""
    for week, total in enumerate(minutes(chance, team)):
        shares = [total // len(people)] * len(people)
        shares[0] += total - sum(shares)
        for person, mine in zip(people, shares, strict=True):
            early = mine * 2 // 5 if mine >= TWO_DAYS and int(chance.random() * 2) else 0
            for day, length in ((3, early), (0, mine - early)):
                about = QUESTIONS[int(chance.random() * len(QUESTIONS))]
                start = clock(chance, week, day, 9)
                if length and there(team, week):
                    yield start, entry(person, team, TASK, start, length, about)
        task = OTHERS[int(chance.random() * 2)]
        length = 30 + 5 * int(chance.random() * 13)
        start = clock(chance, week, 4, 13)
        if week in OTHER_WEEKS and there(team, week):
            yield start, entry(people[0], team, task, start, length)


def blemishes(people: dict[str, tuple[str, ...]]) -> Iterable[tuple[datetime, Row]]:
    """Yield what a log holds that nobody worked: an overlap, a break and a timer that runs."""
    who, at = people["Basket"][0], datetime.combine(date(2026, 3, 18), time(10))
    yield at, entry(who, "Basket", TASK, at, 20, "Who owns it")
    later = at + timedelta(minutes=10)
    yield later, entry(who, "Basket", TASK, later, 20, "When it comes")
    who, at = people["Stores"][0], datetime.combine(date(2026, 6, 10), time(12))
    yield at, entry(who, "Stores", TASK, at, 45) | {"Type": "Break"}
    who, at = people["Gift cards"][0], datetime.combine(date(2026, 10, 2), time(16, 40))
    yield at, entry(who, "Gift cards", TASK, at, 0)


def export(seed: int) -> list[Row]:
    """Return the rows of the export by time, one entry of them twice."""
    chance, people = Random(seed), managers()  # noqa: S311 - a sample, the same every time
    rows = [row for team in TEAMS for row in logged(chance, team, people[team])]
    rows += blemishes(people)
    rows.sort(key=lambda row: (row[0], row[1]["User"], row[1]["Task"]))
    table = [row for _, row in rows]
    twice = next(
        at for at, row in enumerate(table) if row["Group"] == "Stores" and at > len(table) // 3
    )
    return [*table[: twice + 1], table[twice], *table[twice + 1 :]]


def averages() -> dict[str, float]:
    """Return the true effect on the logarithm, averaged in four ways; phase-in does not count."""
    cells = {
        (team, week): math.log(left(team, week))
        for team in TEAMS
        for week in range(WEEKS)
        if (start := start_week(team)) is not None and week >= start + PHASE_IN
    }

    def mean(values: Iterable[float]) -> float:
        held = [*values]
        return sum(held) / len(held)

    def by(key: dict[tuple[str, int], int]) -> list[float]:
        return [
            mean(value for cell, value in cells.items() if key[cell] == each)
            for each in sorted({*key.values()})
        ]

    first = {cell: start_week(cell[0]) or 0 for cell in cells}
    groups = zip(by(first), (len(teams) for teams in STARTS.values()), strict=True)
    return {
        "simple": mean(cells.values()),
        "group": sum(value * count for value, count in groups) / sum(map(len, STARTS.values())),
        "calendar": mean(by({cell: cell[1] for cell in cells})),
        "dynamic": mean(by({cell: cell[1] - first[cell] for cell in cells})),
    }


def truth() -> dict[str, object]:
    """Return what is so, as ``product_change_truth.json`` states it."""
    return {
        "as_of": f"{AS_OF}",
        "seed": SEED,
        "teams": len(TEAMS),
        "never": [team for team in TEAMS if start_week(team) is None],
        "weeks": WEEKS,
        "left_by_weeks_since_start": LEFT,
        "trend_a_week": TREND,
        "effect": {name: round(math.exp(value) - 1, 6) for name, value in averages().items()},
        "late": {"team": LATE[0], "first_week": f"{FIRST + timedelta(days=7 * LATE[1])}"},
        "planted": {"twice": 1, "overlap": 1, "break": 1, "running": 1},
    }


def write(folder: Path) -> None:
    """Write the files into a folder."""
    with (folder / "product_change_time.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, HEADINGS, lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(export(SEED))
    said = json.dumps(truth(), indent=1)
    (folder / "product_change_truth.json").write_text(f"{said}\n", "utf-8", newline="\n")


if __name__ == "__main__":
    write(Path(__file__).parent / "sample")
