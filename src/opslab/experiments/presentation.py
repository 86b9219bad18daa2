"""An experiment's readout: its first screen and its parts, block by block."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from opslab.experiments.breakdowns import (
    beside,
    companions,
    effect_table,
    not_estimable,
    segments,
    trends,
    value_table,
)
from opslab.experiments.design_page import design
from opslab.experiments.figures import figures
from opslab.experiments.gate import state_of
from opslab.experiments.inference.comparisons import SMALL_COUNT
from opslab.experiments.magnitude import beside_smallest, overstated, weekly
from opslab.experiments.result import ExperimentResult, metric_and_arm
from opslab.experiments.sentences import (
    ACTION_TONES,
    ExperimentVoice,
    action,
    headline,
    leading,
)
from opslab.messages import Language
from opslab.report.blocks import Fact, Facts, Points, Verdict
from opslab.report.import_report import import_report
from opslab.report.voice import Blocks
from opslab.results import Message

__all__ = ["PARTS", "figures", "first_screen", "headline", "voice"]

_MOST_REASONS = 3  # that the first screen shows unfolded, so that the figures stay in sight
_IN_FAVOUR = ("experiments.reason_won_", "experiments.reason_safe_")
_OF_DESIGN = ("experiments.reason_stopped", "experiments.reason_belief_")  # they lead
_METHOD = (
    "logs finer totals counts welch score ratio cuped quantile clustered paired stratified phases "
    "trigger segments trends capped companions group_sequential always_valid bayes "
    "primary secondary guardrail sample_ratio sample_ratio_daily covariate_balance rule_all "
    "rule_any time utc timezone weights_assumed fingerprint spec"
)


def voice(result: ExperimentResult, language: Language) -> ExperimentVoice:
    """Return what says the result in a language."""
    plan, arms = result.plan, {comparison.arm for comparison in result.comparisons}
    arm = arms.pop() if len(arms) == 1 else None
    return ExperimentVoice(language, "experiments", 1 - plan.alpha, plan.control, arm)


def first_screen(result: ExperimentResult, say: ExperimentVoice) -> Verdict:
    """Return what happened, how sure we are, and what to do."""
    plan, reasons = result.plan, _reasons(result, say)
    usable = state_of(result.checks) == "usable"
    tone = "open" if usable else ACTION_TONES[result.decision.action]
    # A single one is not worth folding.
    shown = _MOST_REASONS if len(reasons) > _MOST_REASONS + 1 else len(reasons)
    days = say.period((plan.start, plan.end)) if plan.start and plan.end else None
    return Verdict(
        kicker=say.joined(say("kicker"), days, plan.owner),
        title=say.spoken(plan.title or plan.experiment),
        question=say.spoken(plan.question or ""),
        action=action(result, say),
        headline=headline(result, say),
        tone=tone,
        facts=_facts(result, say),
        reasons=reasons[:shown],
        more=reasons[shown:],
        more_label=say("reasons_more", count=len(reasons) - shown),
        figure=result.figures(say.language).get("size"),
    )


def _reasons(result: ExperimentResult, say: ExperimentVoice) -> list[str]:
    """Return the reasons in the order in which they are read.

    With several arms there may be a dozen. What a check warns of comes first, then the arm that the
    headline speaks of, and of it what stands against shipping; otherwise the order is the spec's.
    """
    # What puts a condition on it comes before what only calls for a look.
    wrong = [check for check in result.checks if check.status != "pass"]
    wrong.sort(key=lambda check: check.status != "fail")
    comparison = leading(result)
    arm = comparison.arm if comparison else result.decision.arm
    shipped = result.decision.action == "ship"

    def rank(reason: Message) -> tuple[bool, bool, bool]:
        other = arm is not None and reason.values.get("arm", arm) != arm
        plain = not reason.key.startswith(_OF_DESIGN)
        return plain, other, not shipped and reason.key.startswith(_IN_FAVOUR)

    reasons = sorted(result.decision.reasons, key=rank)
    if result.broken:
        return list(map(say.message, reasons))
    if comparison and result.decision.arm and beside_smallest(comparison) == "below":
        reasons.append(Message("experiments.reason_small", metric_and_arm(comparison)))
    ratio = overstated(result, comparison) if comparison else None
    if ratio is not None and comparison is not None:
        values = metric_and_arm(comparison) | {"ratio": ratio}
        reasons.append(Message("experiments.overstated", values))
    unknown: Mapping[Any, Message | None] = {
        (known.metric, known.arm): known.not_estimable for known in result.comparisons
    }
    first = [reason for reason in reasons if reason.key.startswith(_OF_DESIGN)]
    lines = [say.message(said) for said in (*first, *(check.detail for check in wrong))]
    for reason in reasons[len(first) :]:
        why = unknown.get((reason.values.get("metric"), reason.values.get("arm")))
        because = {"reason": say.message(why)} if why else {}
        lines.append(say.message(replace(reason, values={**reason.values, **because})))
    return lines


def _facts(result: ExperimentResult, say: ExperimentVoice) -> Facts:
    checks, comparison = say.checks_fact(result.checks), leading(result)
    facts = [
        say.fact("data", say(f"state_{state_of(result.checks)}"), checks.value, *checks.remarks)
    ]
    if comparison is not None and not result.broken:
        change, week = say.change(comparison), weekly(result, comparison)
        remarks = [say("interval_level"), change.interval]
        facts.append(Fact(say.spoken(comparison.metric), change.text, remarks))
        if week is not None:
            value, interval = say.week(week)
            base = say("fact_week_remark", units=week.units, arm=comparison.arm)
            name = say("fact_week", metric=comparison.metric)
            facts.append(Fact(name, value, (say("interval_level"), interval, base)))
    units = [f"{say.spoken(arm.name)} {say.integer(arm.units)}" for arm in result.arms]
    total = say.integer(sum(arm.units for arm in result.arms))
    return Facts([*facts, say.fact("units", total, *units)])


def _checks(result: ExperimentResult, say: ExperimentVoice) -> Blocks:
    return [say.heading("checks"), say.checks(result.checks), *_arms(result, say)]


def _arms(result: ExperimentResult, say: ExperimentVoice) -> Blocks:
    units = sum(arm.units for arm in result.arms)
    rows = [
        [
            arm.name,
            say.integer(arm.units),
            say.percent(arm.units / units, 2),
            say.percent(arm.expected, 2),
        ]
        for arm in result.arms
    ]
    columns = "arm units share designed"
    return [say.table("arms", columns, rows, numeric=(1, 2, 3), wide=False)]


def _effects(result: ExperimentResult, say: ExperimentVoice) -> Blocks:
    comparisons, method = result.comparisons, result.plan.method
    blocks: Blocks = [say.heading("effects")]
    if result.broken:
        blocks.append(say.paragraph("effects_broken", "bad"))
    blocks += [
        result.figures(say.language)["lift"],
        effect_table(result, say),
        *not_estimable(comparisons, say),
        say.remark("effects_note" if method == "fixed" else f"intervals_{method}"),
        *[say.remark("asked_note")] * bool(result.asked),
    ]
    if any(comparison.variance_reduction for comparison in comparisons):
        blocks.append(say.remark("adjusted_note"))
    blocks += [*beside("raw", result, say), *beside("uncapped", result, say)]
    precise = beside("precision", result, say)
    blocks += [*precise, say.remark("precision_note")] if precise else []
    blocks += companions(result, say)
    for comparison in comparisons:
        names = metric_and_arm(comparison)
        for note in comparison.notes:
            blocks.append(say.remark("note_line", note=say.message(note), **names))
        p_value, adjusted = comparison.p_value, comparison.p_adjusted
        if p_value is None or adjusted is None or method != "fixed":
            continue
        if p_value <= result.plan.alpha < adjusted:
            blocks.append(say.remark("told_apart", **names))
    overall = beside("diluted", result, say)
    if overall:
        share, trigger = result.data_used.trigger_rate, result.plan.trigger
        line = say.paragraph("diluted_line", share=share, column=trigger)
        blocks += [say.heading("diluted", 3), line, *overall]
    return blocks


def _data(result: ExperimentResult, say: ExperimentVoice) -> Blocks:
    data = result.data_used
    repeated = {"repeated": data.repeated_rows} if data.events else {}
    counts = {"outside": data.outside_period, "leaked": data.leaked_rows, **repeated}
    counts["used"] = data.rows_used
    rows = [(say(f"data_{name}"), say.integer(count)) for name, count in counts.items()]
    blocks = [say.heading("data"), *import_report(data.reading, say.language, rows)]
    if data.events is not None:
        blocks += import_report(data.events, say.language)
    return [*blocks, value_table(result, say)]


def _method(result: ExperimentResult, say: ExperimentVoice) -> Blocks:
    plan, comparisons = result.plan, result.comparisons
    methods = {comparison.method or "" for comparison in comparisons}
    applies = {plan.method, plan.rows, f"rule_{plan.primaries}"}
    applies |= {word for method in methods for word in method.split("_")}
    judged = {"fixed": {"primary", "secondary"}, "bayesian": set()}.get(plan.method, {"secondary"})
    applies |= {comparison.role for comparison in comparisons} & (judged | {"guardrail"})
    keys = [check.detail.key for check in result.checks]
    daily = any("sample_ratio_daily" in key for key in keys)
    applies |= {check.name for check in result.checks} - {"sample_ratio"}
    applies.add("sample_ratio_daily" if daily else "sample_ratio")
    applies |= {name for name, given in vars(plan).items() if given}
    if plan.method != "fixed":
        applies.discard("segments")
    if methods - {"score", "quantile", ""}:
        applies.add("welch")
    if any(comparison.uncapped for comparison in comparisons):
        applies.add("capped")
    if result.companions:
        applies.add("companions")
    if result.trends:
        applies.add("trends")
    if plan.time and not plan.timezone:
        applies.add("utc")
    values = vars(plan) | {"count": SMALL_COUNT, "sha256": plan.spec_sha256}
    lines = [say(f"method_{name}", **values) for name in _METHOD.split() if name in applies]
    return [say.heading("method"), Points(lines)]


PARTS: Mapping[str, Callable[[ExperimentResult, ExperimentVoice], Blocks]] = {
    "checks": _checks,
    "arms": _arms,
    "design": design,
    "effects": _effects,
    "segments": segments,
    "trends": trends,
    "data": _data,
    "method": _method,
}
