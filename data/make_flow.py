"""Makes the sample of a flow of work: small, with known truth. `python data/make_flow.py`.

Two teams of a shop work from 6 October 2025 to 4 October 2026. Developers take tickets from the
backlog, finish one and take the next; every change is then reviewed by the same few people, tested,
and released on Tuesdays and Thursdays. Since 6 April 2026 acceptance criteria are agreed before work
begins: In Progress takes 30 % less. So more reaches the reviewers than they can read, and what was
won there is lost in their queue: In Review is the bottleneck, and open work grows.

Nothing happens at weekends and from 25 December to 1 January. ``delivery_flow.yaml`` stands beside
the data as a file. ``delivery_flow_truth.json`` states what generated it, and what came after the
last day. Only `random.Random.random`, `NormalDist.inv_cdf` and arithmetic are used, and times are
whole minutes: every machine and every Python from 3.11 on writes the same bytes.
"""

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from heapq import heappop, heappush
from itertools import accumulate, pairwise
from pathlib import Path
from random import Random
from statistics import NormalDist
from typing import Any

SEED = 20261008
FIRST, LAST, SINCE = date(2025, 10, 6), date(2026, 10, 4), date(2026, 4, 6)
CLOSED = (date(2025, 12, 25), date(2026, 1, 1))
SUMMER = (date(2026, 3, 29), date(2025, 10, 26))
"""From when Paris is two hours ahead of UTC, and the day on which that ended before."""
DAY, OPENS = 480, 9 * 60
"""Minutes of work on a day, and the minute at which it begins."""
TICKETS = 420
STATUSES = ("To Do", "In Progress", "In Review", "In Test", "Ready to release", "Done", "Cancelled")
TODO, PROGRESS, REVIEW, TEST, READY, DONE, CANCELLED = range(7)
MEAN_DAYS = {PROGRESS: 4.5, REVIEW: 1.2, TEST: 1.1}
"""Of work, without waiting."""
SHORTER = 0.7
PEOPLE: dict["Place", int] = {(PROGRESS, "Shop"): 4, (PROGRESS, "Platform"): 2, REVIEW: 2, TEST: 3}
DROPPED = {TODO: 0.07, PROGRESS: 0.04, REVIEW: 0.02}
"""Share that is cancelled after each."""
BACK = {REVIEW: 0.13, TEST: 0.06, DONE: 0.05}
"""Share that goes back to In Progress from each."""
TYPES = {"Story": 1.2, "Bug": 0.6, "Task": 0.9}
"""How much of the mean each takes."""
AGAIN = 0.35
"""How much of the mean it takes to work on a ticket again."""
NAMES = ("Ada", "Ben", "Chloe", "David", "Emma", "Farid", "Greta", "Hugo")
SATURDAY, NOON = 5, 12
EPICS = {
    "SHOP-5": ("Search", 0, 150),
    "SHOP-1": ("Single inbox for feedback", 40, 240),
    "SHOP-3": ("Parcel tracking", 120, 330),
    "SHOP-2": ("Checkout redesign", 200, 330),
    "SHOP-4": ("Loyalty card", 290, 364),
}
"""Title, and the days between which its tickets are created."""
THINGS = {
    "Search": "results, filters, synonyms, ranking, empty result",
    "Single inbox for feedback": "import, routing, duplicates, tags, digest",
    "Parcel tracking": "carrier feed, map, delay notice, tracking page, returns",
    "Checkout redesign": "address form, payment step, order summary, guest order, error texts",
    "Loyalty card": "points, card page, sign-up, rewards, statement",
    "": "build, login, monitoring, price feed, admin page, images, mail",
}
DOING = {"Story": "Build, Extend, Simplify", "Bug": "Fix", "Task": "Prepare, Document, Measure"}
HEADINGS = (
    "Summary,Issue key,Issue id,Issue Type,Status,Priority,Resolution,Assignee,Created,Updated,"
    "Resolved,Parent key,Parent summary,Custom field (Team)"
)
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
Ticket = dict[str, Any]
Place = int | tuple[int, str]
Event = Callable[[int, int], None]


def _working_days() -> list[date]:
    days = [FIRST + timedelta(days=n) for n in range(700)]
    return [day for day in days if day.weekday() < SATURDAY and not CLOSED[0] <= day <= CLOSED[1]]


DAYS = _working_days()
END, CHANGED = (bisect_left(DAYS, day) * DAY for day in (LAST, SINCE))


def _clock(minute: int) -> datetime:
    """Return the local time of a minute of work."""
    day, rest = divmod(minute, DAY)
    return datetime.combine(DAYS[day], datetime.min.time()) + timedelta(minutes=OPENS + rest)


def _offset(local: datetime) -> int:
    return 2 if local.date() >= SUMMER[0] or local.date() < SUMMER[1] else 1


def _utc(minute: int) -> datetime:
    local = _clock(minute)
    return (local - timedelta(hours=_offset(local))).replace(tzinfo=UTC)


def write(folder: Path) -> list[Path]:
    """Write the sample's files into a folder, the same bytes each time, and return them."""
    r = Random(SEED)  # noqa: S311 - sample data, no secret
    tickets = _tickets(r)
    _Work(r, tickets)
    changes = sorted(
        (minute, ticket["number"], before, after)
        for ticket in tickets
        for (_, before), (minute, after) in pairwise(ticket["visits"])
        if minute < END
    )
    history = [
        f"SHOP-{number},{_clock(minute):%Y-%m-%dT%H:%M}+0{_offset(_clock(minute))}:00,"
        f"{STATUSES[before]},{STATUSES[after]}"
        for minute, number, before, after in changes
    ]
    texts = {
        "delivery_flow_tickets.csv": "\n".join([HEADINGS, *map(_row, tickets)]) + "\n",
        "delivery_flow_history.csv": "\n".join(
            ["issue_key,changed_at,from_status,to_status", *history]
        )
        + "\n",
        "delivery_flow_truth.json": json.dumps(_truth(tickets), indent=1) + "\n",
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return [folder / name for name in texts]


def _pick(r: Random, shares: dict[str, float]) -> str:
    drawn = r.random() * sum(shares.values())
    return list(shares)[bisect_left(list(accumulate(shares.values())), drawn)]


def _tickets(r: Random) -> list[Ticket]:
    """Return the tickets as they are created, earliest first."""
    minutes = sorted(int(r.random() * END) for _ in range(TICKETS - 20))
    minutes = [int(r.random() * DAY) for _ in range(20)] + minutes
    tickets = []
    for number, minute in enumerate(sorted(minutes), 6):
        day = (_clock(minute).date() - FIRST).days
        running = {key: 1.0 for key, (_, start, end) in EPICS.items() if start <= day < end}
        epic = _pick(r, running | {"": 0.8})
        title = EPICS[epic][0] if epic else ""
        kind = _pick(r, {"Story": 6, "Bug": 2.5, "Task": 1.5})
        doing, things = DOING[kind].split(", "), THINGS[title].split(", ")
        ticket = {
            "number": number,
            "title": f"{doing[int(r.random() * len(doing))]} {things[int(r.random() * len(things))]}",
            "type": kind,
            "priority": _pick(r, {"Medium": 6, "High": 2, "Low": 2}),
            "team": _pick(r, {"Shop": 2, "Platform": 1}),
            "epic": epic,
            "assignee": "",
            "visits": [(minute, TODO)],
            "worked": [],
        }
        tickets.append(ticket)
    return tickets


class _Work:
    """The teams at work, until everything that was created is done or cancelled."""

    def __init__(self, r: Random, tickets: list[Ticket]) -> None:
        self.r, self.tickets, self.free = r, tickets, dict(PEOPLE)
        self.waiting: dict[Place, list[tuple[int, int]]] = {place: [] for place in PEOPLE}
        self.ahead: list[tuple[int, int, int, Event]] = []
        for n, ticket in enumerate(tickets):
            self.later(ticket["visits"][0][0], n, self.arrives)
        while self.ahead:
            minute, _, n, event = heappop(self.ahead)
            event(minute, n)

    def later(self, minute: int, n: int, event: Event) -> None:
        self.order = getattr(self, "order", 0) + 1
        heappush(self.ahead, (minute, self.order, n, event))

    def arrives(self, minute: int, n: int) -> None:
        """Queue a ticket for development: the urgent first, then as they came."""
        urgency = ("High", "Medium", "Low").index(self.tickets[n]["priority"])
        place = PROGRESS, self.tickets[n]["team"]
        heappush(self.waiting[place], (urgency * 40 * DAY + minute, n))
        self.begin(minute, place)

    def enter(self, minute: int, n: int, status: int) -> None:
        """Move a ticket into a status in which people work."""
        self.tickets[n]["visits"].append((minute, status))
        heappush(self.waiting[status], (minute, n))
        self.begin(minute, status)

    def goes_back(self, minute: int, n: int) -> None:
        """Let a ticket wait for the next free developer, before all that is new."""
        place = PROGRESS, self.tickets[n]["team"]
        heappush(self.waiting[place], (minute - 400 * DAY, n))
        self.begin(minute, place)

    def begin(self, minute: int, place: Place) -> None:
        """Give waiting tickets to people who are free."""
        status = place[0] if isinstance(place, tuple) else place
        while self.free[place] and self.waiting[place]:
            _, n = heappop(self.waiting[place])
            ticket, again = self.tickets[n], False
            if status == PROGRESS:
                if len(ticket["visits"]) == 1 and self.r.random() < DROPPED[TODO]:
                    ticket["visits"].append((minute + 1, CANCELLED))
                    continue
                again = PROGRESS in [before for _, before in ticket["visits"]]
                ticket["visits"].append((minute + 1, PROGRESS))
                ticket["assignee"] = ticket["assignee"] or NAMES[int(self.r.random() * len(NAMES))]
            self.free[place] -= 1
            days = MEAN_DAYS[status] * (AGAIN if again else 1) * _skewed(self.r)
            if status == PROGRESS:
                days *= SHORTER if minute >= CHANGED else 1
                ticket["worked"] += [] if again else [(minute, days)]
                days *= TYPES[ticket["type"]]
            self.later(minute + 2 + int(days * DAY), n, self.ended)

    def ended(self, minute: int, n: int) -> None:
        """Let a ticket leave where it was worked on: onwards, back, or out."""
        ticket, (_, status) = self.tickets[n], self.tickets[n]["visits"][-1]
        place = (PROGRESS, ticket["team"]) if status == PROGRESS else status
        self.free[place] += 1
        if self.r.random() < DROPPED.get(status, 0):
            ticket["visits"].append((minute, CANCELLED))
        elif self.r.random() < BACK.get(status, 0):
            self.goes_back(minute, n)
        elif status == TEST:
            ticket["visits"].append((minute, READY))
            self.later(_release(minute), n, self.released)
        else:
            self.enter(minute, n, status + 1)
        self.begin(minute, place)

    def released(self, minute: int, n: int) -> None:
        self.tickets[n]["visits"].append((minute, DONE))
        if self.r.random() < BACK[DONE]:
            self.later(minute + int(DAY * (1 + 8 * self.r.random())), n, self.goes_back)


def _skewed(r: Random) -> float:
    """Return a factor with mean 1 and a long tail: a cubed normal, cut below."""
    root = max(0.3, 0.938 + 0.25 * NormalDist().inv_cdf(r.random()))
    return root * root * root


def _release(minute: int) -> int:
    """Return the next release: at half past two on Tuesdays and Thursdays."""
    day = minute // DAY
    while DAYS[day].weekday() not in (1, 3) or day * DAY + 330 <= minute:
        day += 1
    return day * DAY + 330


def _seen(ticket: Ticket) -> list[tuple[int, int]]:
    return [visit for visit in ticket["visits"] if visit[0] < END]


def _row(ticket: Ticket) -> str:
    """Return a ticket as Jira exports it on the last day."""
    visits = _seen(ticket)
    minute, status = visits[-1]
    over = status in (DONE, CANCELLED)
    created, updated = map(_jira_time, (visits[0][0], minute))
    epic = ticket["epic"]
    cells = [
        ticket["title"],
        f"SHOP-{ticket['number']}",
        str(20_000 + ticket["number"]),
        ticket["type"],
        STATUSES[status],
        ticket["priority"],
        {DONE: "Done", CANCELLED: "Won't Do"}.get(status, ""),
        ticket["assignee"] if len(visits) > 1 else "",
        created,
        updated,
        updated if over else "",
        epic,
        EPICS[epic][0] if epic else "",
        ticket["team"],
    ]
    return ",".join(cells)


def _jira_time(minute: int) -> str:
    local = _clock(minute)
    clock = f"{(local.hour - 1) % NOON + 1}:{local:%M} {'PM' if local.hour >= NOON else 'AM'}"
    return f"{local:%d}/{MONTHS.split()[local.month - 1]}/{local:%y} {clock}"


def _truth(tickets: list[Ticket]) -> dict[str, Any]:
    """Return what generated the sample, what it holds, and what came after its last day."""
    lasts = Counter(_seen(ticket)[-1][1] for ticket in tickets)
    spent = {"all": Counter[int](), "before": Counter[int](), "since": Counter[int]()}
    for ticket in tickets:
        visits = _seen(ticket)
        begun = next((n for n, (_, status) in enumerate(visits) if status == PROGRESS), len(visits))
        over = visits[-1][1] in (DONE, CANCELLED)
        ends = [] if over else [(END - 1, DONE)]
        for (start, status), (end, _) in pairwise([*visits[begun:], *ends]):
            if status != DONE:
                days = (_utc(end) - _utc(start)).total_seconds() / 86_400
                spent["all"][status] += days
                spent["before" if start < CHANGED else "since"][status] += days
    worked = [visit for ticket in tickets for visit in ticket["worked"]]
    before = [days for minute, days in worked if minute < CHANGED]
    since = [days for minute, days in worked if CHANGED <= minute < END]
    still = [t for t in tickets if _seen(t)[-1][1] not in (DONE, CANCELLED)]
    after = [max(m for m, s in t["visits"] if s in (DONE, CANCELLED)) for t in still]
    after.sort()
    review = [
        sum(1 for t in tickets if _status_at(t, minute) == REVIEW)
        for minute in range(0, END + 1, END // 12)
    ]
    return {
        "period": [str(FIRST), str(LAST)],
        "tickets": len(tickets),
        "done": lasts[DONE],
        "cancelled": lasts[CANCELLED],
        "open": len(still),
        "not_started": lasts[TODO],
        "reopened": sum(_goes(t, DONE, PROGRESS) for t in tickets),
        "reworked": sum(_goes(t, REVIEW, PROGRESS) or _goes(t, TEST, PROGRESS) for t in tickets),
        "bottleneck": STATUSES[REVIEW],
        "people": {"In Progress": 6, "In Review": PEOPLE[REVIEW], "In Test": PEOPLE[TEST]},
        "working_days": {STATUSES[status]: days for status, days in MEAN_DAYS.items()},
        "shares": {
            time: {STATUSES[s]: round(counts[s] / sum(counts.values()), 3) for s in range(1, 5)}
            for time, counts in spent.items()
        },
        "in_review_at_twelfths_of_the_year": review,
        "change": {
            "date": str(SINCE),
            "shortens_in_progress_to": SHORTER,
            "working_days_before": round(sum(before) / len(before), 2),
            "working_days_since": round(sum(since) / len(since), 2),
        },
        "open_tickets_end": {
            "half": str(_clock(after[len(after) // 2]).date()),
            "all": str(_clock(after[-1]).date()),
            "if": "nothing else is created",
        },
    }


def _status_at(ticket: Ticket, minute: int) -> int | None:
    return next((s for m, s in reversed(ticket["visits"]) if m <= minute), None)


def _goes(ticket: Ticket, before: int, after: int) -> bool:
    return any((b, a) == (before, after) for (_, b), (_, a) in pairwise(_seen(ticket)))


if __name__ == "__main__":
    write(Path(__file__).parent / "sample")
