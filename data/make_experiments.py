"""Makes the sample data of the experiments: small, with known truth. `python data/make_experiments.py`.

- ``checkout``: a healthy two-arm experiment. A shorter button label truly raises completed
checkouts from
  30.9 % to 33.9 %, revenue follows through those checkouts, load time does not change. Revenue of
  the 28 days before goes with revenue (adjusting for it will pay), and 24 load times are missing,
  12 in each arm.
- ``search_ranking``: broken on purpose. Clients on slow networks time out before the log sees them,
in one
  arm only; the ranking itself changes nothing: clicks seem to rise because weak clients are gone.
- ``newsletter``: one mailing, three letters. ``personal`` and ``urgent`` both raise clicks;
``urgent`` also
  drives people to unsubscribe, which its guardrail has to catch.
- ``stores``: weekly rows of 40 pairs of shops, one of each refitted, which truly sells 3 % more.
- ``onboarding``: an assignment log and an event log, with purchases before assignment, events
outside every
  window, two sessions in one day, and people who are not in the experiment at all.
- ``delivery_history``: eight weeks of customers before an experiment that is still to be planned.
- ``express``: a group sequential test of one-tap payment that its third look stops: orders truly rise
from 24 % to 31 %. The log ends on that day.

The specs stand beside the data as files. ``truth.json`` states what generated each data file
(``truth``) and what the file exactly holds (``file``). Only
`random.Random.random`, whose stream Python guarantees, `NormalDist.inv_cdf` and arithmetic are
used, and values are rounded as they arise: every machine and every Python from 3.11 on writes the
same bytes.
"""

import json
import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import NormalDist
from typing import Any, NamedTuple

SEED = 20260901
Row = dict[str, Any]


class Shoppers(NamedTuple):
    """One kind of user of the checkout; euros are those of the typical user before skew."""

    share: float
    bought_before: float
    euros_before: float
    converts: float
    euros: float


CHECKOUT_USERS, SEARCH_VISITORS, ONBOARDING_USERS, BYSTANDERS = 12_000, 5_000, 2_000, 20
KINDS = (Shoppers(0.3, 0.9, 60, 0.75, 40), Shoppers(0.7, 0.25, 15, 0.12, 25))
LIFT, LEVEL, NOISE = (
    0.03,
    0.35,
    0.12,
)  # true difference; spread between users; spread of one user's amounts
LOAD_MS = {"web": 520, "ios": 430, "android": 640}
NETWORKS = {
    "3g": (0.22, 0.12),
    "4g": (0.48, 0.52),
    "5g": (0.30, 0.60),
}  # share, click rate in both arms
LOST = 0.5  # share of the slow clients of the new ranking that the log never sees
KEPT = {"control": 0.30, "checklist": 0.38}
BUYERS, BUYS_BEFORE, BUYS = (
    0.3,
    (0.45, 0.03),
    (0.5, 0.05),
)  # share of buyers; chances of buyers and of others
CUSTOMERS = 6_000
CLICKS = {"current": 0.10, "personal": 0.145, "urgent": 0.15}
LEFT = {"current": 0.010, "personal": 0.010, "urgent": 0.035}  # share that unsubscribes
BOUGHT, ADDED = (
    0.25,
    {"current": 0.0, "personal": 0.01, "urgent": 0.0},
)  # share that buys, and what is added
PAIRS, WEEKS, REFIT = 40, 8, 0.03
EXPRESS_VISITORS, ORDERS = 4_000, {"cart": 0.24, "one_tap": 0.31}
SPEND_LIFT, SPEND = 0.04, 20  # more purchases with the checklist; euros
HOUSEHOLDS, DELIVERED, AT_DOOR = 6_000, 0.75, 4.2  # share at the first attempt; minutes a stop
REGULARS = (Shoppers(0.4, 0.9, 80, 0.9, 70), Shoppers(0.6, 0.3, 30, 0.3, 30))
STOPS = {"1": 0.6, "2": 0.3, "3": 0.1}


def write(folder: Path) -> list[Path]:
    """Write every data file of the area into a folder, the same bytes each time.

    Parameters
    ----------
    folder : Path
        Made when it is missing; files of the same names are replaced.

    Returns
    -------
    list[Path]
        What was written, in order of name.
    """
    checkout, checkout_truth = _checkout(_stream(1))
    search, search_truth = _search_ranking(_stream(2))
    assignments, events, onboarding_truth = _onboarding(_stream(3))
    newsletter, newsletter_truth = _newsletter(_stream(4))
    stores, stores_truth = _stores(_stream(5))
    delivery, delivery_truth = _delivery_history(_stream(6))
    express, express_truth = _express(_stream(6))
    truths = {
        "checkout": checkout_truth,
        "delivery_history": delivery_truth,
        "express": express_truth,
        "newsletter": newsletter_truth,
        "onboarding": onboarding_truth,
        "search_ranking": search_truth,
        "stores": stores_truth,
    }
    truth = json.loads(json.dumps(truths), parse_float=lambda digits: round(float(digits), 6))
    texts = {
        "checkout.csv": _csv(checkout),
        "delivery_history.csv": _csv(delivery),
        "express.csv": _csv(express),
        "newsletter.csv": _csv(newsletter),
        "onboarding_assignments.csv": _csv(assignments),
        "onboarding_events.csv": _csv(events),
        "search_ranking.csv": _csv(search),
        "stores.csv": _csv(stores),
        "truth.json": json.dumps(truth, indent=2, sort_keys=True) + "\n",
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return [folder / name for name in texts]


def _checkout(r: Random) -> tuple[list[Row], Row]:
    """Return 12,000 users over four weeks, with what each would have done in either arm."""
    rows: list[Row] = []
    start = datetime(2026, 9, 1, tzinfo=UTC)
    days = _days(start, 28)
    would: dict[str, list[float]] = {"control": [], "short_label": []}
    for user in _shuffled(r, range(1, CHECKOUT_USERS + 1)):
        kind = KINDS[r.random() >= KINDS[0].share]
        level = _skewed(r, LEVEL)
        before = (r.random() < kind.bought_before) * kind.euros_before * level * _skewed(r, NOISE)
        luck, euros = r.random(), kind.euros * level * _skewed(r, NOISE)
        for arm, shift in (("control", 0.0), ("short_label", LIFT)):
            would[arm].append((luck < kind.converts + shift) * euros)
        variant = _pick(r, {"control": 1, "short_label": 1})
        platform = _pick(r, {"web": 0.6, "ios": 0.22, "android": 0.18})
        rows.append(
            {
                "user_id": f"u-{user:05d}",
                "variant": variant,
                "exposed_at": _moment(r, start, days),
                "country": _pick(r, {"FR": 0.4, "DE": 0.25, "US": 0.2, "CA": 0.15}),
                "platform": platform,
                "revenue_before": round(before, 1),
                "converted": int(would[variant][-1] > 0),
                "revenue": round(would[variant][-1], 1),
                "load_ms": round(LOAD_MS[platform] * _skewed(r, 0.07)),
            }
        )
    for arm in would:
        for row in [row for row in rows if row["variant"] == arm][:12]:
            row["load_ms"] = None
    rows.sort(key=lambda row: (row["exposed_at"], row["user_id"]))
    rate = sum(kind.share * kind.converts for kind in KINDS)
    effect = (math.fsum(would["short_label"]) - math.fsum(would["control"])) / len(rows)
    truth = {
        "weights": {"control": 1, "short_label": 1},
        "conversion": {"control": rate, "short_label": rate + LIFT, "difference": LIFT},
        "revenue_difference": LIFT
        * sum(k.share * k.euros for k in KINDS)
        * _power(LEVEL)
        * _power(NOISE),
        "revenue_difference_of_these_users": effect,
        "revenue_correlation": _correlation(),
        "load_ms_difference": 0,
    }
    facts = _facts(rows, "variant", ("revenue_before", "converted", "revenue", "load_ms"))
    return rows, {"truth": truth, "file": facts}


def _search_ranking(r: Random) -> tuple[list[Row], Row]:
    """Return the first 5,000 visitors that the log saw, of those who were assigned half and half."""
    rows: list[Row] = []
    start, lost = datetime(2026, 9, 7, tzinfo=UTC), 0
    days = _days(start, 14)
    visitors = iter(_shuffled(r, range(1, 2 * SEARCH_VISITORS)))
    while len(rows) < SEARCH_VISITORS:
        visitor, ranking = next(visitors), _pick(r, {"old": 1, "new": 1})
        network = _pick(r, {name: share for name, (share, _) in NETWORKS.items()})
        clicked = r.random() < NETWORKS[network][1]
        day = _moment(r, start, days).date()
        if r.random() < LOST and (network, ranking) == ("3g", "new"):
            lost += 1
            continue
        row = {"visitor": visitor, "ranking": ranking, "first_search": day}
        rows.append(row | {"network": network, "clicked": clicked})
    rows.sort(key=lambda row: (row["first_search"], row["visitor"]))
    weak_share, weak_rate = NETWORKS["3g"]
    rate = sum(share * clicks for share, clicks in NETWORKS.values())
    seen = 1 - weak_share * LOST
    truth = {
        "weights": {"new": 1, "old": 1},
        "click_difference": 0,
        "click_rate": {name: clicks for name, (_, clicks) in NETWORKS.items()},
        "seen_share": {"new": seen / (1 + seen), "old": 1 / (1 + seen)},
        "apparent_click_rate": {"new": (rate - weak_share * LOST * weak_rate) / seen, "old": rate},
        "mechanism": "half of the 3g clients of the new ranking time out before the log sees them",
    }
    return rows, {
        "truth": truth,
        "file": _facts(rows, "ranking", ("clicked",)) | {"never_logged": lost},
    }


def _onboarding(r: Random) -> tuple[list[Row], list[Row], Row]:
    """Return 2,000 new users of three weeks, and what they did five weeks before to three weeks after."""
    rows: list[Row] = []
    events: list[Row] = []
    start = datetime(2026, 8, 31, tzinfo=UTC)
    days = _days(start, 21)
    counted: dict[str, dict[str, list[float]]] = {
        variant: {"kept": [], "spent": []} for variant in sorted(KEPT)
    }

    def happens(
        row: Row, event: str, chance: float, window: tuple[int, int], euros: float = 0
    ) -> float:
        """Add an event or not, and return its value; draw the same numbers either way."""
        luck, share, amount = r.random(), r.random(), round(euros * _skewed(r, NOISE), 1)
        if luck >= chance:
            return 0
        first, last = (day * 1440 for day in window)
        at = row["assigned_at"] + timedelta(minutes=first + int(share * (last - first)))
        value = amount if event == "purchase" else None
        events.append(
            {"user_id": row["user_id"], "event": event, "occurred_at": at, "amount": value}
        )
        return value or 1

    for number, user in enumerate(_shuffled(r, range(1, ONBOARDING_USERS + BYSTANDERS + 1))):
        variant = _pick(r, {"control": 1, "checklist": 1})
        row = {
            "user_id": f"m{user:04d}",
            "variant": variant,
            "assigned_at": _moment(r, start, days),
        }
        kind, euros = int(r.random() >= BUYERS), SPEND * _skewed(r, LEVEL)
        happens(row, "session", 0.2, (-28, 0))
        happens(row, "session", 0.2, (1, 7))
        kept = happens(row, "session", KEPT[variant], (7, 8))
        happens(row, "session", 0.1 * kept, (7, 8))  # a second session on that day counts once
        happens(row, "session", 0.2, (8, 21))
        happens(
            row, "session", float(number % 250 == 0), (8, 8)
        )  # the first minute outside the window
        happens(row, "purchase", 0.05, (-35, -28), euros)
        happens(row, "purchase", BUYS_BEFORE[kind], (-28, 0), euros)
        chance = BUYS[kind] + SPEND_LIFT * (variant == "checklist")
        spent = happens(row, "purchase", chance, (0, 14), euros)
        happens(row, "purchase", 0.05, (14, 21), euros)
        if number < ONBOARDING_USERS:  # bystanders are in the event log only
            rows.append(row)
            counted[variant]["kept"].append(kept)
            counted[variant]["spent"].append(spent)
    rows.sort(key=lambda row: (row["assigned_at"], row["user_id"]))
    events.sort(
        key=lambda row: (row["occurred_at"], row["user_id"], row["event"], row["amount"] or 0)
    )
    buys = BUYERS * BUYS[0] + (1 - BUYERS) * BUYS[1]
    price = SPEND * _power(LEVEL) * _power(NOISE)
    spend = {"control": buys * price, "checklist": (buys + SPEND_LIFT) * price}
    truth = {
        "weights": {"checklist": 1, "control": 1},
        "kept_on_day_7": KEPT | {"difference": KEPT["checklist"] - KEPT["control"]},
        "spend_14_days": spend | {"difference": SPEND_LIFT * price},
    }
    facts = _facts(rows, "variant", ()) | {"events": _facts(events, "event", ("amount",))}
    for variant, sums in counted.items():
        facts[variant] |= {name: round(math.fsum(values), 1) for name, values in sums.items()}
    return rows, events, {"truth": truth, "file": facts}


def _newsletter(r: Random) -> tuple[list[Row], Row]:
    """Return 6,000 customers of one mailing, a third each: of two new letters, one drives people away."""
    rows: list[Row] = []
    start, days = datetime(2026, 9, 8, tzinfo=UTC), {"0": 1.0}
    for customer in range(1, CUSTOMERS + 1):
        variant = _pick(r, dict.fromkeys(CLICKS, 1.0))
        level = _skewed(r, LEVEL)
        before = (r.random() < BOUGHT) * 40 * level * _skewed(r, NOISE)
        clicked, left = r.random() < CLICKS[variant], r.random() < LEFT[variant]
        spent = (r.random() < BOUGHT + ADDED[variant]) * 30 * level * _skewed(r, NOISE)
        rows.append(
            {
                "customer": customer,
                "variant": variant,
                "sent_at": _moment(r, start, days),
                "tenure": _pick(r, {"new": 0.3, "returning": 0.7}),
                "spend_before": round(before, 1),
                "clicked": int(clicked),
                "spend": round(spent, 1),
                "unsubscribed": int(left),
            }
        )
    price = 30 * _power(LEVEL) * _power(NOISE)
    truth = {
        "weights": dict.fromkeys(CLICKS, 1),
        "clicks": CLICKS,
        "unsubscribed": LEFT,
        "spend": {variant: (BOUGHT + added) * price for variant, added in ADDED.items()},
    }
    return rows, {
        "truth": truth,
        "file": _facts(rows, "variant", ("clicked", "unsubscribed", "spend")),
    }


def _stores(r: Random) -> tuple[list[Row], Row]:
    """Return the weekly sales of 40 pairs of shops, alike in size; one of each pair was refitted."""
    rows: list[Row] = []
    first = datetime(2026, 7, 6, tzinfo=UTC).date()
    for pair in range(1, PAIRS + 1):
        size = 9_000 * _skewed(r, 0.12)
        refitted = r.random() < 0.5  # noqa: PLR2004 - a coin
        for place in range(2):
            layout = "refitted" if (place == 1) == refitted else "as before"
            own = size * (1 + 0.02 * NormalDist().inv_cdf(r.random()))
            before = round(own * WEEKS * (1 + 0.01 * NormalDist().inv_cdf(r.random())), 1)
            for week in range(WEEKS):
                sales = (
                    own
                    * (1 + REFIT * (layout == "refitted"))
                    * (1 + 0.04 * NormalDist().inv_cdf(r.random()))
                )
                orders = round(sales / 24 * (1 + 0.03 * NormalDist().inv_cdf(r.random())))
                rows.append(
                    {
                        "store": f"s{2 * pair - 1 + place:02d}",
                        "pair": pair,
                        "layout": layout,
                        "week": first + timedelta(weeks=week),
                        "sales_before": before,
                        "sales": round(sales, 1),
                        "orders": orders,
                    }
                )
    truth = {"lift": REFIT, "pairs": PAIRS, "weeks": WEEKS}
    return rows, {"truth": truth, "file": _facts(rows, "layout", ("sales", "orders"))}


def _delivery_history(r: Random) -> tuple[list[Row], Row]:
    """Return eight weeks of customers, each on the day of the first order; nothing was tried on them."""
    rows: list[Row] = []
    start = datetime(2026, 8, 3, tzinfo=UTC)
    days = _days(start, 56)
    for customer in _shuffled(r, range(1, HOUSEHOLDS + 1)):
        kind = REGULARS[r.random() >= REGULARS[0].share]
        level = _skewed(r, LEVEL)
        before = (r.random() < kind.bought_before) * kind.euros_before * level * _skewed(r, NOISE)
        spend = (r.random() < kind.converts) * kind.euros * level * _skewed(r, NOISE)
        stops = int(_pick(r, STOPS))
        rows.append(
            {
                "customer": customer,
                "first_order": _moment(r, start, days).date(),
                "first_attempt": int(r.random() < DELIVERED),
                "spend_before": round(before, 1),
                "spend": round(spend, 1),
                "stops": stops,
                "minutes": round(AT_DOOR * stops * _skewed(r, NOISE), 1),
            }
        )
    rows.sort(key=lambda row: (row["first_order"], row["customer"]))
    truth = {
        "first_attempt": DELIVERED,
        "minutes_per_stop": AT_DOOR * _power(NOISE),
        "spend": sum(k.share * k.converts * k.euros for k in REGULARS)
        * _power(LEVEL)
        * _power(NOISE),
        "spend_correlation": _correlation(REGULARS, 0),
        "units_per_week": HOUSEHOLDS / 8,
        "weekday_shape": [1.0, 1.05, 1.05, 1.0, 0.95, 0.65, 0.7],
    }
    columns = ("first_attempt", "spend_before", "spend", "stops", "minutes")
    return rows, {
        "truth": truth,
        "file": _facts([row | {"of": "all"} for row in rows], "of", columns),
    }


def _express(r: Random) -> tuple[list[Row], Row]:
    """Return the visitors of the first three of four weeks, and of the three days after them."""
    rows: list[Row] = []
    start = datetime(2026, 9, 7, tzinfo=UTC)
    days, looked = _days(start, 28), start + timedelta(days=24)
    for visitor in _shuffled(r, range(1, EXPRESS_VISITORS + 1)):
        payment = _pick(r, {"cart": 1, "one_tap": 1})
        device = _pick(r, {"phone": 0.7, "desktop": 0.3})
        came, ordered = _moment(r, start, days), r.random() < ORDERS[payment]
        row = {"visitor": f"v-{visitor:04d}", "payment": payment, "came_at": came}
        amount = round(ordered * 40 * _skewed(r, 0.2), 1)
        row |= {"device": device, "ordered": int(ordered), "amount": amount}
        row["seconds"] = round(30 * _skewed(r, 0.1))
        if came < looked:
            rows.append(row)
    rows.sort(key=lambda row: (row["came_at"], row["visitor"]))
    truth = {
        "weights": dict.fromkeys(ORDERS, 1),
        "order_rate": ORDERS | {"difference": ORDERS["one_tap"] - ORDERS["cart"]},
        "amount_difference": (ORDERS["one_tap"] - ORDERS["cart"]) * 40 * _power(0.2),
        "seconds_difference": 0,
    }
    return rows, {"truth": truth, "file": _facts(rows, "payment", ("ordered", "amount", "seconds"))}


def _correlation(kinds: Sequence[Shoppers] = KINDS, lift: float = LIFT) -> float:
    """Return the correlation of revenue with revenue before over both arms, from the moments of the model."""
    first = _power(LEVEL) * _power(NOISE)
    second = _power(LEVEL, 2) * _power(NOISE, 2)
    x = y = xx = yy = xy = 0.0
    for kind in kinds:
        converts = kind.converts + lift / 2
        x += kind.share * kind.bought_before * kind.euros_before * first
        y += kind.share * converts * kind.euros * first
        xx += kind.share * kind.bought_before * kind.euros_before**2 * second
        yy += kind.share * converts * kind.euros**2 * second
        both = kind.bought_before * kind.euros_before * converts * kind.euros
        xy += kind.share * both * _power(LEVEL, 2) * _power(NOISE) ** 2
    return (xy - x * y) / math.sqrt((xx - x * x) * (yy - y * y))


def _stream(number: int) -> Random:
    """Return a generator of its own for each experiment, so that one can change without the others."""
    return Random(SEED + number)  # noqa: S311 - sample data, no secret


def _skewed(r: Random, spread: float) -> float:
    """Draw a positive, right-skewed number: the cube of a normal with mean 1 (floor: hardly ever met)."""
    root = 1 + spread * NormalDist().inv_cdf(r.random())
    return max(0.01, root * root * root)


def _power(spread: float, power: int = 1) -> float:
    """Return the mean of a `_skewed` number, or of its square."""
    s = spread * spread
    return 1 + 3 * s if power == 1 else 1 + 15 * s + 45 * s * s + 15 * s * s * s


def _pick(r: Random, weights: dict[str, float]) -> str:
    """Draw a name with chances in proportion to the weights."""
    at = r.random() * sum(weights.values())
    for name, weight in weights.items():
        at -= weight
        if at < 0:
            return name
    return next(reversed(weights))


def _shuffled(r: Random, values: Iterable[int]) -> list[int]:
    """Return the values in random order; `Random.shuffle` is not promised to stay the same."""
    return [value for _, value in sorted((r.random(), value) for value in values)]


def _days(start: datetime, days: int) -> dict[str, float]:
    """Return how busy each day of a period is: weekends are quieter."""
    busy = (1.0, 1.05, 1.05, 1.0, 0.95, 0.65, 0.7)  # Monday to Sunday
    return {str(day): busy[(start.weekday() + day) % 7] for day in range(days)}


def _moment(r: Random, start: datetime, days: dict[str, float]) -> datetime:
    """Draw a minute of a period; noon is busiest."""
    day = int(_pick(r, days))
    return start + timedelta(days=day, minutes=int(720 * (r.random() + r.random())))


def _csv(rows: Sequence[Row]) -> str:
    """Return rows as CSV; no value here needs quotes."""
    lines = [",".join(rows[0]), *(",".join(_cell(value) for value in row.values()) for row in rows)]
    return "\n".join(lines) + "\n"


def _cell(value: Any) -> str:
    """Return one value as text: short, and the same everywhere."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.1f}" if value else "0"
    return f"{value:%Y-%m-%dT%H:%MZ}" if isinstance(value, datetime) else str(value)


def _facts(rows: Sequence[Row], by: str, columns: Sequence[str]) -> Row:
    """Return what a file exactly holds: rows, and sums and empty cells of columns, by group."""
    facts: Row = {"rows": len(rows)}
    for group in sorted({row[by] for row in rows}):
        mine = [row for row in rows if row[by] == group]
        facts[group] = {"rows": len(mine)}
        for column in columns:
            values = [row[column] for row in mine if row[column] is not None]
            facts[group] |= {
                column: round(math.fsum(values), 1),
                f"{column}_empty": len(mine) - len(values),
            }
    return facts


if __name__ == "__main__":
    write(Path(__file__).parent / "sample")
