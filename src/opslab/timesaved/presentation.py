"""An estimate's readout: first screen, hours, checks, drivers, measurements, data, method."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from opslab.messages import Language
from opslab.report.blocks import Cell, Facts, Group, Points, Tone, Verdict
from opslab.report.import_report import import_report
from opslab.report.voice import Blocks, Voice
from opslab.results import Message
from opslab.timesaved.figures import figures
from opslab.timesaved.inventory import AMOUNTS
from opslab.timesaved.result import Saving, TimeSavedResult
from opslab.timesaved.sentences import LEVEL, headline, hours, mean, quantity, span
from opslab.uncertainty.distributions import Fixed
from opslab.uncertainty.draws import Summary
from opslab.uncertainty.words import describe

__all__ = ["PARTS", "figures", "first_screen", "headline", "voice"]

_TONES: dict[str, Tone] = {
    "stop": "bad",
    "none": "plain",
    "measure": "open",
    "count": "good",
    "explored": "open",
}
_MOST, _MOST_REASONS = 8, 4
_NOTHING = Summary(0, 0, 0, 0, 0, 0)
_REALITY = ("asana", "register", "metr", "uk")
_METHOD = "hours ranges calibration several measured together recapture draws drivers grades"


def voice(result: TimeSavedResult, language: Language) -> Voice:
    """Return the voice of an estimate."""
    del result
    return Voice(language, "timesaved")


def first_screen(result: TimeSavedResult, say: Voice) -> Verdict:
    """Return what happened, how sure we are, and what to do."""
    plan, evidence = result.inventory, result.check("evidence")
    day = say.date(result.as_of) if result.as_of else None
    first = next((quantity(name, say) for name in _to_measure(result)), "")
    least = hours(max(result.freed.low, 0.0), result.freed.end_error, say)
    reasons = [
        say.message(check.detail)
        for check in result.checks
        if check.status != "pass" and check is not evidence
    ]
    reasons.append(say("reason_evidence", **evidence.detail.values))
    reasons += [say("reason_driver", name=first)] if first else []
    return Verdict(
        kicker=say.joined(say("kicker"), day, plan.owner),
        title=say.spoken(plan.shown_title),
        question=say.spoken(plan.question) if plan.question else None,
        action=say(f"action_{result.action}", name=first, hours=least),
        headline=headline(result, say),
        tone=_TONES[result.action],
        facts=_facts(result, say),
        reasons=reasons[: 1 if result.broken else _MOST_REASONS],
    )


def _facts(result: TimeSavedResult, say: Voice) -> Facts:
    items = [say.checks_fact(result.checks)]
    keys = (("step", "freed"), ("step", "recaptured"), ("benefit", "hard"))
    for position, key in enumerate(keys if not result.broken else ()):
        summary = result.sums.get(key, _NOTHING)
        remark = say("fact_span", level=LEVEL, span=span(summary, say))
        items.insert(position, say.fact(key[1], mean(summary, say), remark))
    return Facts(items)


def _to_measure(result: TimeSavedResult) -> list[str]:
    """Return the quantities worth measuring, the most telling first; not those that were."""
    measured = {update.name for update in result.updates if update.used == "both"}
    ranked = sorted(result.drivers, key=lambda driver: -(driver.share or 0.0))
    return [driver.name for driver in ranked if driver.share and driver.name not in measured]


def _hours(result: TimeSavedResult, say: Voice) -> Blocks:
    stop = [say.paragraph("not_to_use", "bad")] if result.broken else []
    ranked = sorted(result.savings, key=lambda saving: -saving.freed.mean)
    tasks = [_task(saving, say) for saving in ranked]
    groups = [
        Group(Cell(say(f"kind_{kind}")), list(_sums(result, kind, say)))
        for kind in ("initiative", "role", "benefit")
    ]
    week = result.freed.mean / sum(result.people.values()) / result.inventory.working_weeks
    columns = "task gross freed recaptured benefit grade"
    blocks: Blocks = [
        say.heading("hours"),
        *stop,
        result.figures(say.language)["waterfall"],
        say.table("tasks", columns, tasks, numeric=(1, 2, 3), level=LEVEL),
        say.table("groups", "group freed span", groups=groups, numeric=(1, 2), level=LEVEL),
    ]
    if result.currency:
        money = _sums(result, "money", say)
        blocks.append(say.table("money", "benefit value span", money, numeric=(1, 2)))
        blocks.append(say.remark("money_note", currency=result.currency))
    share = week / result.inventory.contract_hours
    blocks.append(say.remark("reality", hours=week, share=share))
    return [*blocks, Points([say(f"reality_{name}") for name in _REALITY])]


def _task(saving: Saving, say: Voice) -> list[str | Cell]:
    error = saving.freed.mean_error
    return [
        Cell(saving.task, say.joined(saving.role, ", ".join(map(say.spoken, dict(saving.parts))))),
        hours(saving.gross, error, say),
        Cell(mean(saving.freed, say), interval=span(saving.freed, say)),
        hours(saving.recaptured, error, say),
        say(f"benefit_{saving.benefit}"),
        saving.grade,
    ]


def _sums(result: TimeSavedResult, kind: str, say: Voice) -> Iterator[tuple[str, str, str]]:
    ours = kind in ("benefit", "money")
    for name, summary in result.of(kind).items():
        yield say(f"benefit_{name}") if ours else name, mean(summary, say), span(summary, say)


def _checks(result: TimeSavedResult, say: Voice) -> Blocks:
    return [say.heading("checks"), say.checks(result.checks)]


def _drivers(result: TimeSavedResult, say: Voice) -> Blocks:
    if not result.drivers:
        return [say.heading("drivers"), say.paragraph("no_drivers")]
    ranks = {name: rank for rank, name in enumerate(_to_measure(result), 1)}
    updated = {update.name for update in result.updates}
    rows = []
    for driver in result.drivers[:_MOST]:
        words = say("rank_measured") if driver.name in updated else say.none
        if driver.name in ranks:
            words = say("rank", rank=ranks[driver.name])
        rows.append((quantity(driver.name, say), say.percent(driver.share or 0.0, 0), words))
    return [
        say.heading("drivers"),
        result.figures(say.language)["tornado"],
        say.table("drivers", "quantity variance measure", rows, numeric=(1,)),
        say.remark("drivers_note"),
    ]


def _measured(result: TimeSavedResult, say: Voice) -> Blocks:
    drawn = result.figures(say.language).items()
    measured: Blocks = [figure for name, figure in drawn if name.startswith("measured")]
    return [say.heading("evidence"), *(measured or [say.paragraph("nothing_measured")])]


def _data(result: TimeSavedResult, say: Voice) -> Blocks:
    rows = []
    for known in result.known:
        if isinstance(known.stated, Fixed) and not known.assumed:
            continue  # it stands in the inventory as it is
        share = known.name.partition("/")[0] not in AMOUNTS
        stated, used = (
            describe(distribution, say.language, share=share)
            for distribution in (known.stated, known.used)
        )
        origin = Cell(say("assumed"), tone="open") if known.assumed else say("given")
        name = Cell(
            quantity(known.name, say), say.message(Message("errors.row", {"row": known.row}))
        )
        rows.append((name, stated, used, origin))
    reports = (import_report(reading, say.language) for reading in result.readings)
    return [
        say.heading("data"),
        say.table("known", "quantity stated used origin", rows),
        *(block for report in reports for block in report),
    ]


def _method(result: TimeSavedResult, say: Voice) -> Blocks:
    plan, error = result.inventory, result.freed.end_error
    low, high = (
        hours(sum(getattr(saving.freed, end) for saving in result.savings), error, say)
        for end in ("low", "high")
    )
    values = {
        "weeks": plan.working_weeks,
        "months": plan.horizon_months,
        "rate": result.rate,
        "factor": result.factor,
        "count": len(result.past),
        "draws": result.draws,
        "seed": result.seed,
        "error": result.freed.mean_error,
        "end": error,
        "low": low,
        "high": high,
    }
    points = [say(f"method_{name}", **values) for name in _METHOD.split()]
    return [say.heading("method"), Points(points)]


PARTS: dict[str, Callable[[TimeSavedResult, Voice], Blocks]] = {
    "hours": _hours,
    "checks": _checks,
    "drivers": _drivers,
    "measured": _measured,
    "data": _data,
    "method": _method,
}
