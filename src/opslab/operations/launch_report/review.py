"""The review of a launch: figures before and after, themes since, how the gate's words held."""

from bisect import bisect, bisect_left
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise
from statistics import fmean, median_high
from typing import Any

from scipy.stats import beta, binomtest

from opslab.errors import DataError, Problem, SpecError
from opslab.messages import Language
from opslab.operations.cited import cited_run
from opslab.operations.launch_report.result import LaunchReportResult
from opslab.operations.launch_report.spec import CITED, Kpi, LaunchReview, PastLaunch, Value
from opslab.results import Check, Message, Status
from opslab.tables.import_report import Reading
from opslab.tables.sheets import read_sheet, source_files

FEWEST = 8
"""Values from which limits are drawn, and that are a signal in a row on one side of the mean."""
GATE = ("decision", "readiness", "threshold", "blockers", "conditions")
"""What is told of a readiness."""
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


def signalled(values: Sequence[float], low: float, mean: float, high: float) -> bool:
    """Return whether values leave the limits, or eight in a row lie on one side of the mean."""
    sides = "".join("=+-"[(value > mean) - (value < mean)] for value in values)
    return min(values) < low or max(values) > high or "+" * FEWEST in sides or "-" * FEWEST in sides


def review_launch(
    review: LaunchReview, as_of: date | None = None, language: Language = "en"
) -> LaunchReportResult:
    """Return how a launch's figures moved, whether targets are met, and what stands beside it.

    Parameters
    ----------
    review : LaunchReview
    as_of : datetime.date, optional
        Its own date by default.
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
    cited: dict[str, Mapping[str, Any]] = {
        name: cited_run(review, run, name, notebook=notebook).record
        for name, notebook in CITED.items()
        if (run := getattr(review, name))
    }
    gate, experiment = cited.get("gate"), cited.get("experiment", {})
    if gate and gate["launch_date"] != launched.isoformat():
        raise SpecError(review.problem("launch_report.other_launch", "gate", gate=gate["launch"]))
    values, reading = _values(review)
    kpis = tuple(movement(kpi, values, launched, day) for kpi in review.kpis)
    rows, judged, _ = read_sheet(review, review.past, PastLaunch, "past-launches")
    past, readings = [launch for _, launch in rows], tuple(filter(None, (reading, judged)))
    return LaunchReportResult(
        review=review,
        as_of=day,
        language=language,
        kpis=kpis,
        feedback=tuple(mentioned(cited["themes"], launched)) if "themes" in cited else (),
        experiment=tuple(
            {**each["statement"]["values"], **each["quantity"], "unit": each["unit"]}
            for each in experiment.get("evidence", ())
        ),
        gate=({"unit": "%", **{name: gate[name] for name in GATE}},) if gate else (),
        calibration=tuple(calibrate(past)),
        lessons=tuple(map(dict, review.lessons)),
        brier=brier(past),
        readings=readings,
        sources=source_files(review, readings, len(kpis)),
        checks=tuple(_checks(kpis)),
    )


def movement(
    kpi: Kpi, values: Mapping[tuple[str, date], float], launched: date, day: date
) -> dict[str, Any]:
    """Return a figure's limits and means, its ``change``, and its target's ``state``.

    ``latest`` is the last value since the launch up to the target's day.
    """
    known = {at: values[name, at] for name, at in sorted(values) if name == kpi.name and at <= day}
    days, series = [*known], [*known.values()]
    start = bisect_left(days, launched)
    since, due = series[start:], series[start : bisect(days, kpi.by)]
    limits = behaviour_limits(series[:start])
    low, before, high, _ = limits or [None] * 4
    gaps = [(here - last).days for last, here in pairwise([*days, day])]
    sign, state, moved = (1 if kpi.direction == "up" else -1), "unknown", "unknown"
    if kpi.by > day:
        state = "open"
    elif due:
        state = "met" if sign * due[-1] >= sign * kpi.target else "missed"
    if limits and since:
        better = "better" if sign * fmean(since) > sign * limits[1] else "worse"
        moved = better if signalled(since, *limits[:3]) else "steady"
    return {
        **dict(kpi),
        "low": low,
        "before": before,
        "high": high,
        "after": fmean(since) if since else None,
        "latest": due[-1] if due else None,
        "change": moved,
        "state": state,
        "silent": not since,
        "short": not limits,
        "gaps": sum(max(gap // median_high(gaps) - 1, 0) for gap in gaps if gap),
        "weeks": [(at - launched).days / 7 for at in days],
        "values": series,
    }


def mentioned(record: Mapping[str, Any], launched: date) -> Iterator[dict[str, Any]]:
    """Give each theme's messages a week before and since a launch, and the ends of their ratio.

    Weeks are whole ones, back from the record's last day; that of the launch is left out where it
    is in both. Of Poisson counts the part since is binomial (Przyborowski and Wilenski, 1940), with
    exact ends (Clopper and Pearson, 1934). Messages come in bursts: counts are divided by the
    larger of their own overdispersion and that of all themes (Pearson's chi-squared over its
    degrees of freedom, at least 1). The intervals hold 95 % over all themes (Bonferroni).
    """
    ended = date.fromisoformat(record["plan"]["end"] or record["as_of"])
    weeks, rest = divmod((ended - launched).days + 1, 7)
    titles = {theme["id"]: theme["phrases"] for theme in record["themes"]}
    parted = {
        trend["theme"]: (trend["weeks"][: -weeks - bool(rest)], trend["weeks"][-weeks:])
        for trend in record["trends"]
        if weeks > 0
    }
    parted = {
        theme: parts for theme, parts in parted.items() if all(parts) and any(map(any, parts))
    }
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


def _values(review: LaunchReview) -> tuple[dict[tuple[str, date], float], Reading | None]:
    """Return the values by figure and day, and how they were read; a day has one value only."""
    rows, reading, headings = read_sheet(review, review.series, Value, "kpi-series")
    firsts: dict[tuple[str, date], int] = {}
    twice = []
    for number, row in rows:
        values = {"first": firsts.setdefault((row.kpi, row.date), number), "kpi": row.kpi}
        where = review.series.path, None, headings["date"], number, str(row.date)
        twice += [Problem("launch_report.twice", values, *where)] * (values["first"] != number)
    DataError.refuse(twice)
    return {(row.kpi, row.date): row.value for _, row in rows if row.value is not None}, reading


def _checks(kpis: Sequence[Mapping[str, Any]]) -> Iterator[Check]:
    for name in ("silent", "short", "gaps"):
        names, blocking = [row["name"] for row in kpis if row[name]], name == "silent"
        status: Status = "warn" if names else "pass"
        if blocking and len(names) == len(kpis):
            status = "fail"
        detail = Message(f"launch_report.{name}_{status}", {"names": names})
        yield Check(name, status, detail, blocking=blocking)
