"""The cash flow once more, draw by draw and month by month in plain Python, from the written formulas alone.

value.md sections 1.4 and 2.1, and the docstrings: nothing of the engine is used but the drawn values.
"""

import datetime
import math
from functools import cache
from itertools import accumulate
from statistics import NormalDist

PER_YEAR = {"once": 1.0, "year": 1.0, "month": 12.0, "week": 52.0}


@cache
def in_use(age, months_to_90):
    """Return the mean over a month of the S-curve from 10 % at the start to 90 % (60 midpoints)."""
    if months_to_90 == 0:
        return 1.0
    k = math.log(81) / months_to_90
    moments = (age + (part + 0.5) / 60 for part in range(60))
    return sum(1 / (1 + math.exp(-k * (t - months_to_90 / 2))) for t in moments) / 60


@cache
def discount(month, rate, timing, *, once):
    if timing == "monthly":
        years = month / 12 if once else (month + 1) / 12
    elif once and month == 0:
        years = 0
    else:
        years = month // 12 + (1 if timing == "end_year" else 0.5)
    return (1 + rate) ** -years


def months_until(start, day):
    """Return the months from the first of one month to the month of a day."""
    return (day.year - start.year) * 12 + day.month - start.month


class Slow:
    """Every figure of one option, for each draw.

    Parameters
    ----------
    case : Case
    value : callable
        A list of the drawn values of an id of the ledger.
    happens : callable
        A list of normal scores of an event, by the name of its line.
    evidence : mapping of id to (ids in the ledger, Evidence)
    """

    def __init__(self, case, value, happens, evidence, draws):
        self.case, self.value, self.happens, self.evidence, self.draws = (
            case,
            value,
            happens,
            evidence,
            draws,
        )
        self.by_id = {one.id: one for one in case.assumptions}
        self.months = case.finance.horizon_months
        self.flows = {one.name: self.benefit(one) for one in case.benefits}
        self.flows |= {one.name: self.cost(one) for one in case.costs}
        self.flows |= {
            f"risk: {one.risk}": self.risk(one, number)
            for number, one in enumerate(case.risks, 1)
            if one.amount
        }

    def day(self, when, *, end):
        for step in self.case.roadmap:
            if step.id == when:
                return step.ends if end else step.starts
        return datetime.date.fromisoformat(when)

    def money(self, one):
        for rate in self.case.finance.exchange:
            if one.currency == rate.given:
                return rate.rate
        return 1.0

    def benefit(self, line):  # noqa: C901 - in one place, to be read beside the formulas
        """Return for each draw: money by month, hours by month, and the way to it."""
        start_day = self.day(line.starts, end=True)
        start = months_until(self.case.finance.start, start_day) + (start_day.day > 1)
        end = self.months
        if line.ends:
            end = min(end, months_until(self.case.finance.start, self.day(line.ends, end=True)) + 1)
        slip = next((step.slip for step in self.case.roadmap if step.id == line.starts), None)
        late = [slip.likely or 0.0 if slip else 0.0] * self.draws
        if slip and slip.low is not None:
            late = self.value(f"slip:{line.starts}")
        if line.evidence:
            ids = [name for cited in line.evidence for name in self.evidence[cited][0]]
            first = self.evidence[line.evidence[0]][1]
            unit, per, kind = first.unit, first.per, line.kind or first.benefit
        else:
            ids, one = [line.quantity], self.by_id[line.quantity]
            unit, per, kind = one.currency or one.per, one.per, line.kind
        hours = unit in ("hour", "hours")
        once = per == "once"
        scale = (
            PER_YEAR[per]
            if (line.evidence or self.by_id[line.quantity].currency) and not line.volume
            else 1.0
        )
        scale *= (
            self.money(self.by_id[line.worth or line.quantity])
            if (line.worth or line.quantity)
            else 1.0
        )
        decay = line.decay or (
            "default-decay" if kind in ("capacity", "quality") and not once else None
        )
        recapture = line.recapture or ("default-recapture" if hours and kind != "hard" else None)
        made = []
        for draw in range(self.draws):

            def of(name, draw=draw):
                return self.value(name)[draw] if name else 1.0

            natural = sum(of(name) for name in ids)
            worth = natural * scale * of(line.worth) * of(line.volume) * of(line.share)

            def adopted(month, of=of):
                if not line.schedule:
                    return of(line.adoption)
                year = min(max((month - start) // 12, 0), len(line.schedule) - 1)
                return of(line.schedule[year])

            begins = start + max(round(late[draw]), 0)
            money, freed, used, kept = [], [], [], []
            for month in range(self.months):
                if once:
                    part = wear = 1.0 if month == begins else 0.0
                    part *= 12
                    wear = 1.0
                elif begins <= month < end:
                    part = in_use(month - begins, line.ramp_months)
                    wear = (1 - of(decay)) ** ((month - begins) / 12) if decay else 1.0
                else:
                    part = wear = 0.0
                used.append(worth * adopted(month) * part / 12)
                kept.append(used[-1] * wear)
                money.append(kept[-1] * of(recapture))
                freed.append(natural * adopted(month) * part * wear / 12 if hours else 0.0)
            made.append(
                {"money": money, "hours": freed, "used": used, "kept": kept, "gross": worth / 12}
            )
        return {
            "cost": False,
            "kind": kind,
            "gain": line.gain,
            "once": once,
            "draws": made,
            "counted": kind != "enabled" or line.share is not None,
        }

    def cost(self, line):
        one = self.by_id[line.amount]
        start = months_until(self.case.finance.start, self.day(line.starts, end=False))
        end = self.months
        if line.ends:
            last = months_until(self.case.finance.start, self.day(line.ends, end=True)) + 1
            end = last if last < end else 10_000
        once, made = one.per == "once", []
        for draw in range(self.draws):
            yearly = self.value(one.id)[draw] * self.money(one) * PER_YEAR[one.per]
            yearly *= 1 + (self.value(line.uplift)[draw] if line.uplift else 0.0)
            if (
                line.probability
                and NormalDist().cdf(self.happens(line.name)[draw])
                >= self.value(line.probability)[draw]
            ):
                yearly = 0.0
            grows = 1 + self.value(line.trend)[draw] if line.trend else 1.0
            months = []
            for month in range(self.months):
                if once:
                    months.append(yearly * grows ** (month / 12) if month == start else 0.0)
                else:
                    last = end + self.late(line.ends, draw) if line.ends else end
                    paid = start <= month < last
                    months.append(yearly / 12 * grows ** (month / 12) if paid else 0.0)
            made.append({"money": months, "hours": [0.0] * self.months})
        return {
            "cost": True,
            "kind": line.benefit,
            "gain": line.gain,
            "once": once,
            "draws": made,
            "counted": True,
        }

    def risk(self, line, number):
        """Return a risk as a cost that is paid once, in its month, if it comes."""
        one, likely = self.by_id[line.amount], line.likelihood
        start = 0
        if line.starts:
            start = months_until(self.case.finance.start, self.day(line.starts, end=True))
        made = []
        for draw in range(self.draws):
            chance = (
                likely.likely if likely.low is None else self.value(f"likelihood:{number}")[draw]
            )
            comes = NormalDist().cdf(self.happens(line.risk)[draw]) < chance
            paid = self.value(one.id)[draw] * self.money(one) if comes else 0.0
            due = max(start, 0)
            months = [paid if month == due else 0.0 for month in range(self.months)]
            made.append({"money": months, "hours": [0.0] * self.months})
        return {
            "cost": True,
            "kind": "capacity",
            "gain": "time",
            "once": True,
            "draws": made,
            "counted": True,
        }

    def late(self, when, draw):
        """Return the months by which a step is late."""
        slip = next((step.slip for step in self.case.roadmap if step.id == when), None)
        if slip is None:
            return 0
        late = slip.likely or 0.0 if slip.low is None else self.value(f"slip:{when}")[draw]
        return max(round(late), 0)

    def rid(self, name, option, draw):
        """Return the month from which an option is rid of a cost of doing nothing."""
        when = next(one.ended_from for one in self.case.costs if one.name == name)
        if when is None:
            own = [one.starts for one in self.case.benefits if one.name in option.benefits]
            when = min(own, key=lambda start: self.day(start, end=True))
        day = self.day(when, end=True)
        planned = months_until(self.case.finance.start, day) + (day.day > 1)
        return max(planned, 0) + self.late(when, draw)

    def factor(self, flow, month):
        finance = self.case.finance
        return discount(month, finance.rate, finance.timing, once=flow["once"])

    def parts(self, option):
        """Return what an option takes of each line against doing nothing: gains above 0, costs below."""
        nothing = next(one for one in self.case.options if one.kind == "do_nothing")
        parts = {name: option.reach.get(name, 1.0) for name in option.benefits}
        for name in option.costs:
            parts[name] = parts.get(name, 0.0) - option.reach.get(name, 1.0)
        for name in nothing.costs:
            parts[name] = parts.get(name, 0.0) + nothing.reach.get(name, 1.0)
        for one in self.case.risks:
            if one.amount and option.name in (one.options or (option.name,)):
                parts[f"risk: {one.risk}"] = -1.0
        return {name: part for name, part in parts.items() if part}

    def option(self, option):  # noqa: C901 - in one place, to be read beside the formulas
        """Return an option's figures by draw, its sums by year, and its waterfall."""
        told = {
            "npv": [],
            "costs": [],
            "hours": [],
            "payback": [],
            "discounted": [],
            "cumulative": [],
            "kinds": {},
            "gains": {},
        }
        years = [[0.0, 0.0, 0.0] for _ in range(-(-self.months // 12))]
        fall = dict.fromkeys(("gross", "used", "kept", "benefits", "one_off", "running"), 0.0)
        parts = self.parts(option)
        for draw in range(self.draws):
            npv = costs = hours = 0.0
            cash, worth_now = [0.0] * (self.months + 1), [0.0] * (self.months + 1)
            kinds, gains = {}, {}
            for name, part in parts.items():
                flow = self.flows[name]
                if not flow["counted"]:
                    continue
                one = flow["draws"][draw]
                if flow["cost"] and part > 0:
                    rid = self.rid(name, option, draw)
                    kept = [
                        paid if month >= rid else 0.0 for month, paid in enumerate(one["money"])
                    ]
                    one = one | {"money": kept}
                present = 0.0
                for month in range(self.months):
                    factor = self.factor(flow, month)
                    present += part * one["money"][month] * factor
                    moment = (
                        month if flow["once"] else month + 1
                    )  # at the start of its month, or at the end
                    cash[moment] += part * one["money"][month]
                    worth_now[moment] += part * one["money"][month] * factor
                    column = 0 if part > 0 else 1 if flow["once"] else 2
                    years[month // 12][column] += abs(part) * one["money"][month] / self.draws
                    if part > 0 and "used" in one and not flow["once"]:
                        fall["gross"] += part * one["gross"] * factor / self.draws
                        fall["used"] += part * one["used"][month] * factor / self.draws
                        fall["kept"] += part * one["kept"][month] * factor / self.draws
                    elif part > 0:
                        spent = part * one.get("kept", one["money"])[month] * factor / self.draws
                        for step in ("gross", "used", "kept"):
                            fall[step] += spent
                npv += present
                if part > 0:
                    hours += part * sum(one["hours"]) * 12 / self.months
                    kinds[flow["kind"]] = kinds.get(flow["kind"], 0.0) + present
                    gains[flow["gain"]] = gains.get(flow["gain"], 0.0) + present
                    fall["benefits"] += present / self.draws
                else:
                    costs -= present
                    fall["one_off" if flow["once"] else "running"] += present / self.draws
            told["npv"].append(npv)
            told["costs"].append(costs)
            told["hours"].append(hours)
            for sums, found in (("kinds", kinds), ("gains", gains)):
                for name, present in found.items():
                    told[sums].setdefault(name, [0.0] * self.draws)[draw] = present
            told["cumulative"].append(list(accumulate(cash)))
            told["payback"].append(payback(told["cumulative"][-1]))
            told["discounted"].append(list(accumulate(worth_now)))
        return told | {"years": years, "waterfall": fall}


def payback(cumulative):
    """Return the months until the cumulative cash, once below zero, is back at zero; nan for never."""
    tiny = 1e-12 * max(map(abs, cumulative))
    below = False
    for month, level in enumerate(cumulative):
        if level < -tiny:
            below = True
        elif below:
            before = cumulative[month - 1]
            return month - 1 + min(before / (before - level), 1.0)
    return math.nan if below else 0.0
