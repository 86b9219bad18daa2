"""The review of a launch: figures before and after, themes since, how the gate's words held."""

from bisect import bisect, bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from math import isclose
from statistics import fmean, median_high
from typing import Any

from scipy.stats import beta, binomtest

from opslab.errors import DataError, Problem, SpecError, did_you_mean
from opslab.messages import Language
from opslab.names import folded
from opslab.operations.cited import cited_run
from opslab.operations.launch_report.result import LaunchReportResult
from opslab.operations.launch_report.spec import (
    CITED,
    MOST,
    Kpi,
    LaunchReview,
    PastLaunch,
    Value,
)
from opslab.results import Check, Message, Status
from opslab.tables.sheets import Sheet, read_sheet, source_files

FEWEST = 8
"""Values from which limits are drawn, and that are a signal in a row on one side of the mean."""
GATE = ("decision", "readiness", "threshold", "blockers", "conditions")
"""What is told of a readiness."""
OLD = timedelta(weeks=12)
"""Between an experiment and a launch: longer is told."""
LAUNCHES = 10
"""Launches from which the gate's readiness is scored."""


def behaviour_limits(values: Sequence[float]) -> tuple[float, float, float, float] | None:
    """Return the limits within which a figure moves by itself; None for fewer than eight values.

    Parameters
    ----------
    values : sequence of float
        In their order.

    Returns
    -------
    low, mean, high, widest_move : float
        The last is the upper limit of the moving range: of the step from a value to the next.

    Sources
    -------
    Wheeler (1993), Understanding Variation: 2.66 and 3.268 mean moving ranges.

    Examples
    --------
    >>> [round(limit, 2) for limit in behaviour_limits([10, 12, 10, 12, 10, 12, 10, 12])]
    [5.68, 11.0, 16.32, 6.54]
    """
    if len(values) < FEWEST:
        return None
    mean, moved = fmean(values), fmean(abs(here - last) for last, here in pairwise(values))
    return mean - 2.66 * moved, mean, mean + 2.66 * moved, 3.268 * moved


def signalled(values: Sequence[float], low: float, mean: float, high: float) -> str:
    """Return which ways values signal: beyond the limits, or eight in a row beyond the mean.

    Examples
    --------
    >>> signalled([20, 43, 43], 37, 40, 43.5)
    'down'
    """

    def beyond(sign: int, edge: float) -> bytes:
        return bytes(
            sign * value > sign * edge and not isclose(value, edge, rel_tol=1e-6)
            for value in values
        )

    return " ".join(
        way
        for way, sign, limit in (("up", 1, high), ("down", -1, low))
        if any(beyond(sign, limit)) or bytes([1] * FEWEST) in beyond(sign, mean)
    )


def review_launch(
    review: LaunchReview, as_of: date | None = None, language: Language = "en"
) -> LaunchReportResult:
    """Return how a launch's figures moved, whether targets are met, and what stands beside it.

    Parameters
    ----------
    review : LaunchReview
    as_of : datetime.date, optional
        Its own date by default; what is later is left out.
    language : {"en", "fr"}
        In which the result shows itself.

    Raises
    ------
    DataError, SpecError
        With what contradicts itself: file, row, what, and what to do.
    """
    day, launched = as_of or review.date, review.launch_date
    if day < launched:
        raise SpecError(review.problem("launch_report.not_launched", "launch_date"))
    cited = {name: _cited(review, name, day) for name in CITED if getattr(review, name)}
    gate, trial = cited.get("gate"), cited.get("experiment")
    values, others, reading = _values(review)
    themes = mentioned(cited["themes"], launched, day) if "themes" in cited else ()
    kpis = tuple(movement(kpi, values, launched, day) for kpi in review.kpis)
    SpecError.refuse([*_scales(review, kpis)])
    sheet = read_sheet(review, review.past, PastLaunch, "past-launches")
    _refuse(sheet)
    past = [launch for _, launch in sheet.rows if launch.date <= day]
    readings = tuple(filter(None, (reading, sheet.reading)))
    return LaunchReportResult(
        review=review,
        as_of=day,
        language=language,
        kpis=kpis,
        feedback=tuple(sorted(themes, key=lambda row: -row["low"])),
        experiment=tuple(effects(trial, launched)) if trial else (),
        gate=({"unit": "%", **{name: gate[name] for name in GATE}},) if gate else (),
        calibration=tuple(calibrate(past)),
        lessons=tuple(map(dict, review.lessons)),
        brier=brier(past),
        readings=readings,
        sources=source_files(review, readings, len(kpis)),
        checks=tuple(_checks(kpis, others)),
    )


def _cited(review: LaunchReview, name: str, day: date) -> Mapping[str, Any]:
    """Return the record of a run that is cited: complete, of this launch, and no later."""
    record = cited_run(review, getattr(review, name), name, notebook=CITED[name]).record
    this, last = (review.slug, str(review.launch_date)), str(day)
    wrong = {
        "stopped": record["status"] != "complete" or record.get("decision") == "stop",
        "undated": name == "themes" and any("ended" not in trend for trend in record["trends"]),
        "other": name == "gate" and (record["launch"], record["launch_date"]) != this,
        "late": name != "themes" and record["as_of"] > (this[1] if name == "gate" else last),
    }
    keys = [f"launch_report.cited_{key}" for key in wrong if wrong[key]]
    SpecError.refuse([review.problem(key, name, review=review.slug) for key in keys])
    return record


def movement(
    kpi: Kpi, values: Mapping[tuple[str, date], float], launched: date, day: date
) -> dict[str, Any]:
    """Return a figure's limits and means, its ``change``, and its target's ``state``.

    ``latest`` is the last value since the launch up to the target's day; none is missing between
    the two, else nobody can tell. A week or month that the launch parts (``mixed``) is left out.
    ``seen`` is the first day of its period.
    """
    name = folded(kpi.name)
    known = {at: values[of, at] for of, at in sorted(values) if of == name and at <= day}
    days, series = begun([*known]), [*known.values()]
    gaps = [(here - last).days for last, here in pairwise([*days, day])]
    step, start = median_high(gaps[:-1] or [7]), bisect_left(days, launched)
    mixed = bool(start) and launched < min([days[start - 1] + timedelta(step), *days[start:][:1]])
    del days[start - mixed : start], series[start - mixed : start]
    start -= mixed
    since, due = series[start:], bisect(days, kpi.by)
    limits, seen = behaviour_limits(series[:start]), (*days[:due], None)[due - 1]
    low, before, high, _ = limits or [None] * 4
    sign, state, change = (1 if kpi.direction == "up" else -1), "unknown", "unknown"
    if kpi.by > day:
        state = "open"
    elif due > start and (kpi.by - days[due - 1]).days < step + max(step, 7):
        state = "met" if sign * series[due - 1] >= sign * kpi.target else "missed"
    if limits and since:
        signals = signalled(since, *limits[:3])
        change = {"": "steady", kpi.direction: "better", "up down": "unstable"}.get(
            signals, "worse"
        )
    return {
        **dict(kpi),
        "low": low,
        "before": before,
        "high": high,
        "after": fmean(since) if since else None,
        "latest": series[due - 1] if due > start else None,
        "seen": seen,
        "change": change,
        "state": state,
        "silent": not since,
        "short": not limits,
        "gaps": sum(max(gap // step - 1, 0) for gap in gaps),
        "mixed": mixed,
        "weeks": [(at - launched).days / 7 for at in days],
        "values": series,
    }


def begun(days: Sequence[date]) -> list[date]:
    """Return the first day of each period: all Sundays, or last days of months, are ends.

    Examples
    --------
    >>> begun([date(2026, 8, 31), date(2026, 9, 30)]) == [date(2026, 8, 1), date(2026, 9, 1)]
    True
    >>> begun([date(2026, 8, 30), date(2026, 9, 6)]) == [date(2026, 8, 24), date(2026, 8, 31)]
    True
    """
    weekly = {at.weekday() for at in days} == {6}
    monthly = days[1:] and {(at + timedelta(1)).day for at in days} == {1}
    return [at.replace(day=1) if monthly else at - timedelta(6 * weekly) for at in days]


def effects(record: Mapping[str, Any], launched: date) -> Iterator[dict[str, Any]]:
    """Give an experiment's effects: shares in points, and whether it was long before, or after."""
    plan = {name: record["plan"][name] for name in ("experiment", "question")}
    for each in record["evidence"]:
        start, end = (at and date.fromisoformat(at) for at in each["period"])
        timing = "unknown"
        if start and end:
            timing = "before" if end < launched - OLD else "within"
            timing = "after" if start > launched else timing
        yield {
            **plan,
            **each["statement"]["values"],
            **each["quantity"],
            "unit": each["unit"].replace("share", "points"),
            "start": start,
            "end": end,
            "timing": timing,
        }


def mentioned(record: Mapping[str, Any], launched: date, day: date) -> Iterator[dict[str, Any]]:
    """Give each theme's messages a week before and since a launch, and the ends of their ratio.

    Weeks are whole ones, back from the last message; that of the launch is left out where it is in
    both, and so are those after the day. Of Poisson counts the part since is binomial (Przyborowski
    and Wilenski, 1940), with exact ends (Clopper and Pearson, 1934). Messages come in bursts:
    counts are divided by the larger of their own overdispersion and that of all themes (Pearson's
    chi-squared over its degrees of freedom, at least 1). The intervals hold 95 % over all themes
    (Bonferroni).
    """
    titles, parted = {theme["id"]: theme["phrases"] for theme in record["themes"]}, {}
    for trend in record["trends"]:
        ended, counts = date.fromisoformat(trend["ended"]), trend["weeks"]
        later = max(-((day - ended).days // 7), 0)
        weeks, rest = divmod((ended - launched).days + 1 - 7 * later, 7)
        counts = counts[: len(counts) - later]
        parts = counts[: -weeks - bool(rest)], counts[-weeks:]
        if weeks > 0 and all(parts) and any(map(any, parts)):
            parted[trend["theme"]] = parts
    bursts = {theme: overdispersion(parts) for theme, parts in parted.items()}
    for theme, parts in parted.items():
        shrunk = max(1.0, bursts[theme], fmean(bursts.values()))
        before, since = (sum(part) / shrunk for part in parts)
        tail, scale = 0.025 / len(titles), len(parts[0]) / len(parts[1])
        low = float(beta.ppf(tail, since, before + 1)) if since else 0.0
        high = float(beta.isf(tail, since + 1, before)) if before else 1.0
        yield {
            "theme": {said["language"]: said["title"] for said in titles[theme]},
            "before": fmean(parts[0]),
            "after": fmean(parts[1]),
            "times": fmean(parts[1]) / fmean(parts[0]) if any(parts[0]) else None,
            "low": scale * low / (1 - low),
            "high": scale * high / (1 - high) if high < 1 else None,
        }


def overdispersion(parts: Sequence[Sequence[float]]) -> float:
    """Return how many times Poisson's the variance of weekly counts is, each part by its own mean.

    Pearson's chi-squared over its degrees of freedom (McCullagh and Nelder 1989, section 4.5).

    Examples
    --------
    >>> overdispersion([[4, 4, 4], [0, 8, 4]])
    2.0
    """
    squares = sum(
        (count - fmean(part)) ** 2 / (fmean(part) or 1) for part in parts for count in part
    )
    return squares / (sum(map(len, parts)) - len(parts) or 1)


def calibrate(past: Sequence[PastLaunch]) -> Iterator[dict[str, Any]]:
    """Give by decision of the gate how many launches hurt, and the ends of their exact share."""
    for decision in ("go", "conditional", "no_go"):
        hurt = [launch.hurt == "yes" for launch in past if launch.decision == decision]
        if hurt:
            ends = binomtest(sum(hurt), len(hurt)).proportion_ci()._asdict()
            counts = {"decision": decision, "launches": len(hurt), "hurt": sum(hurt)}
            yield {**counts, **ends, "unit": "%"}


def brier(past: Sequence[PastLaunch]) -> float | None:
    """Return the Brier score (1950) of the readiness as the chance that a launch goes well.

    None for fewer than ten launches: 0 is perfect, 0.25 what saying 50 % of each gets.
    """
    errors = [each.readiness - (each.hurt == "no") for each in past if each.readiness is not None]
    return fmean(error**2 for error in errors) if len(errors) >= LAUNCHES else None


def _values(review: LaunchReview) -> tuple[dict[tuple[str, date], float], list[str], Any]:
    """Return the values by figure and day, other names with their first row, how it was read."""
    sheet = read_sheet(review, review.series, Value, "kpi-series")
    _refuse(sheet, {folded(kpi.name) for kpi in review.kpis if kpi.unit == "%"})
    names = {folded(kpi.name): kpi.name for kpi in review.kpis}
    others = {}
    for number, row in reversed(sheet.rows):
        if folded(row.kpi) not in names:
            near = did_you_mean(row.kpi, names.values())
            others[folded(row.kpi)] = f"{row.kpi} ({number}{f' → {near}?' if near else ''})"
    values = {
        (folded(row.kpi), row.date): row.value for _, row in sheet.rows if row.value is not None
    }
    return values, sorted(others.values()), sheet.reading


def _refuse(sheet: Sheet[Any], shares: Collection[str] = ()) -> None:
    """Refuse a name that is there twice for a day, and values that are no shares."""
    firsts: dict[tuple[str, date], int] = {}
    problems = []
    file = sheet.reading.name if sheet.reading else None
    for number, row in sheet.rows:
        name, day, value, *_ = dict(row).values()
        first = firsts.setdefault((folded(name), day), number)
        wrong = [("twice", "date", day)] * (first != number)
        if folded(name) in shares and abs(value or 0) > MOST:
            wrong.append(("no_share", "value", value))
        said = {"name": name, "first": first, "given": value}
        for key, column, cell in wrong:
            where = file, None, sheet.headings.get(column), number, str(cell)
            problems.append(Problem(f"launch_report.{key}", said, *where))
    DataError.refuse(problems)


def _scales(review: LaunchReview, kpis: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    """Give targets like 45 of values like 0.45, and the reverse, without a unit; 1 may count."""
    for number, row in enumerate(kpis):
        small, large = sorted([median_high(row["values"] or [0]), row["target"]])
        if not row["unit"] and small % 1 and 0 < small <= MOST < large >= 10 * small:
            yield review.problem("launch_report.scale", "kpis", number, "target", **row)


def _checks(kpis: Sequence[Mapping[str, Any]], others: list[str]) -> Iterator[Check]:
    for name in ("silent", "short", "gaps", "mixed", "unmatched"):
        names = others if name == "unmatched" else [row["name"] for row in kpis if row[name]]
        blocking = name == "silent"
        status: Status = "warn" if names else "pass"
        if blocking and len(names) == len(kpis):
            status = "fail"
        detail = Message(f"launch_report.{name}_{status}", {"names": names})
        yield Check(name, status, detail, blocking=blocking)
