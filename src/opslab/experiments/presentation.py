"""An experiment's readout, block by block: the first screen, then checks, effects, data and method."""

from __future__ import annotations

from opslab.experiments import sentences
from opslab.experiments.comparisons import SMALL_COUNT
from opslab.experiments.result import Comparison, ExperimentResult
from opslab.messages import Language, numbers, text
from opslab.report.blocks import Block, Facts, Heading, Paragraph, Table, Tone, Verdict
from opslab.report.figures import Figure

_ACTION_TONES: dict[str, Tone] = {
    "ship": "good",
    "do_not_ship": "plain",
    "extend": "open",
    "stop_broken": "bad",
}
_STATUS_TONES: dict[str, Tone] = {"pass": "good", "warn": "open", "fail": "bad"}
_VERDICT_TONES: dict[str, Tone] = {
    "won": "good", "safe": "good", "lost": "bad", "harmed": "bad", "open": "plain", "unproven": "open",
    "not_estimable": "plain",
}  # fmt: skip


def first_screen(result: ExperimentResult, language: Language) -> Verdict:
    """Return what happened, how sure we are, and what to do."""
    reasons = [sentences.say(reason, language) for reason in result.decision.reasons]
    if not result.broken:
        reasons += [sentences.say(one.detail, language) for one in result.checks if one.status != "pass"]
    return Verdict(
        kicker=_kicker(result, language),
        title=result.plan.experiment,
        question=result.plan.question,
        action=sentences.action(result, language),
        headline=sentences.headline(result, language),
        tone=_ACTION_TONES[result.decision.action],
        facts=_facts(result, language),
        reasons=reasons,
    )


def sections(result: ExperimentResult, language: Language) -> dict[str, list[Block | Figure]]:
    """Return the readout's sections by name."""
    return {
        "checks": _checks(result, language),
        "effects": _effects(result, language),
        "data": _data(result, language),
        "method": _method(result, language),
    }


def _kicker(result: ExperimentResult, language: Language) -> str:
    parts = [text("experiments.kicker", language)]
    if result.plan.start and result.plan.end:
        days = {"start": result.plan.start, "end": result.plan.end}
        parts.append(text("words.period", language, **days))
    if result.plan.owner:
        parts.append(result.plan.owner)
    return " · ".join(parts)


def _facts(result: ExperimentResult, language: Language) -> Facts:
    items = []
    one = sentences.leading(result)
    if one is not None and one.difference is not None and not result.broken:
        level = text("experiments.interval_level", language, level=1 - result.plan.alpha)
        items.append(
            (
                one.metric,
                sentences.lift_or_difference(one, language),
                f"{level} {sentences.interval(one, language)}",
            )
        )
        p_value = numbers.p_value(one.p_value or 0.0, language=language)
        items.append(
            (text("experiments.fact_p", language), p_value, text("experiments.fact_p_remark", language))
        )
    units = numbers.integer(sum(arm.units for arm in result.arms), language=language)
    by_arm = ", ".join(f"{arm.name} {numbers.integer(arm.units, language=language)}" for arm in result.arms)
    items.append((text("experiments.fact_units", language), units, by_arm))
    passed = sum(check.status == "pass" for check in result.checks)
    shown = text("experiments.fact_checks_value", language, passed=passed, count=len(result.checks))
    wrong = [text(f"experiments.check_{one.name}", language) for one in result.checks if one.status != "pass"]
    remark = ", ".join(wrong) or text("experiments.fact_checks_all", language)
    items.append((text("experiments.fact_checks", language), shown, remark))
    return Facts(items)


def _checks(result: ExperimentResult, language: Language) -> list[Block | Figure]:
    rows = [
        (
            text(f"experiments.check_{check.name}", language),
            (text(f"experiments.status_{check.status}", language), _STATUS_TONES[check.status]),
            text("words.yes" if check.blocking else "words.no", language),
            sentences.say(check.detail, language),
        )
        for check in result.checks
    ]
    columns = [
        text(f"experiments.column_{name}", language) for name in ("check", "status", "blocking", "detail")
    ]
    arms = [
        (
            arm.name,
            numbers.integer(arm.units, language=language),
            numbers.percent(arm.units / sum(other.units for other in result.arms), 2, language=language),
            numbers.percent(arm.expected, 2, language=language),
        )
        for arm in result.arms
    ]
    arm_columns = [
        text(f"experiments.column_{name}", language) for name in ("arm", "units", "share", "designed")
    ]
    return [
        Heading(text("experiments.section_checks", language)),
        Table(text("experiments.table_checks", language), columns, rows),
        Table(text("experiments.table_arms", language), arm_columns, arms, numeric=(1, 2, 3)),
    ]


def _effects(result: ExperimentResult, language: Language) -> list[Block | Figure]:
    level = 1 - result.plan.alpha
    rows = [_effect_row(one, language, used=not result.broken) for one in result.comparisons]
    names = (
        "metric",
        "arm",
        "control_value",
        "arm_value",
        "difference",
        "lift",
        "p",
        "p_adjusted",
        "verdict",
    )
    columns = [text(f"experiments.column_{name}", language) for name in names]
    blocks: list[Block | Figure] = [Heading(text("experiments.section_effects", language))]
    if result.broken:
        blocks.append(Paragraph(text("experiments.effects_broken", language), "bad"))
    blocks.append(result.figures(language)["lift"])
    caption = text("experiments.table_effects", language, level=level)
    blocks.append(Table(caption, columns, rows, numeric=range(2, 8)))
    blocks += [
        Paragraph(
            text("experiments.not_estimable_line", language, metric=one.metric, arm=one.arm,
                 reason=sentences.say(one.not_estimable, language))
        )
        for one in result.comparisons
        if one.not_estimable
    ]  # fmt: skip
    blocks.append(Paragraph(text("experiments.effects_note", language, level=level)))
    blocks += [
        Paragraph(text("experiments.told_apart", language, metric=one.metric, arm=one.arm))
        for one in result.comparisons
        if one.p_value is not None and one.p_adjusted is not None
        and one.p_value <= result.plan.alpha < one.p_adjusted
    ]  # fmt: skip
    return blocks


def _effect_row(one: Comparison, language: Language, *, used: bool) -> list[str | tuple[str, Tone]]:
    none = text("words.none", language)
    if one.difference is None:
        changes = [none, none]
    else:
        changes = [
            text("words.with_interval", language, value=sentences.difference(one, one.difference, language),
                 interval=sentences.difference_interval(one, language)),
            text("words.with_interval", language, value=sentences.lift(one.lift, language),
                 interval=sentences.lift_interval(one, language)),
        ]  # fmt: skip
    role = text(f"experiments.role_{one.role}", language)
    return [
        text("words.with_remark", language, value=one.metric, remark=role),
        one.arm,
        sentences.value(one, one.estimate[1], language),
        sentences.value(one, one.estimate[0], language),
        *changes,
        none if one.p_value is None else numbers.p_value(one.p_value, language=language),
        none if one.p_adjusted is None else numbers.p_value(one.p_adjusted, language=language),
        (text(f"experiments.verdict_{one.verdict}", language), _VERDICT_TONES[one.verdict])
        if used
        else text("experiments.verdict_not_used", language),
    ]


def _data(result: ExperimentResult, language: Language) -> list[Block | Figure]:
    data = result.data
    rows = [
        (text("experiments.data_file", language), data.name),
        (text("experiments.data_format", language), text(f"tables.format_{data.format}", language)),
        (text("experiments.data_rows", language), numbers.integer(data.rows, language=language)),
        (text("experiments.data_outside", language), numbers.integer(data.outside_period, language=language)),
        (text("experiments.data_leaked", language), numbers.integer(data.leaked_rows, language=language)),
        (text("experiments.data_used", language), numbers.integer(data.rows_used, language=language)),
    ]
    if data.delimiter:
        rows.insert(
            2, (text("tables.delimiter", language), text(f"tables.delimiter_{data.delimiter}", language))
        )
    if data.sha256:
        rows.append((text("tables.sha256", language), data.sha256))
    head = [text("experiments.column_item", language), text("experiments.column_value", language)]
    blocks: list[Block | Figure] = [
        Heading(text("experiments.section_data", language)),
        Table(text("experiments.table_data", language), head, rows),
    ]
    missing = [
        (
            one.metric,
            one.arm,
            numbers.integer(one.missing[1], language=language),
            numbers.integer(one.missing[0], language=language),
            numbers.integer(one.n[1], language=language),
            numbers.integer(one.n[0], language=language),
        )
        for one in result.comparisons
    ]
    names = ("metric", "arm", "control_missing", "arm_missing", "control_n", "arm_n")
    columns = [text(f"experiments.column_{name}", language) for name in names]
    blocks.append(Table(text("experiments.table_values", language), columns, missing, numeric=(2, 3, 4, 5)))
    return blocks


def _method(result: ExperimentResult, language: Language) -> list[Block | Figure]:
    plan = result.plan
    used = {one.method for one in result.comparisons}
    said = [text("experiments.method_welch", language)] if "welch" in used else []
    if "score" in used:
        said.append(text("experiments.method_score", language, count=SMALL_COUNT))
    families = {one.role for one in result.comparisons}
    said.append(text("experiments.method_primary", language, alpha=plan.alpha))
    said += [
        text(f"experiments.method_{role}", language)
        for role in ("secondary", "guardrail")
        if role in families
    ]
    said.append(text("experiments.method_sample_ratio", language))
    said.append(text(f"experiments.method_rule_{plan.primaries}", language))
    if plan.weights_assumed:
        said.append(text("experiments.method_weights_assumed", language))
    if plan.spec and plan.spec_sha256:
        said.append(text("experiments.method_spec", language, spec=plan.spec, sha256=plan.spec_sha256))
    blocks: list[Block | Figure] = [Heading(text("experiments.section_method", language))]
    blocks += [Paragraph(sentence) for sentence in said]
    return blocks
