"""An experiment's readout, block by block: the first screen, then checks, effects, data and method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from opslab.experiments import breakdowns, sentences
from opslab.experiments.breakdowns import changes, effect_cells, not_estimable, table
from opslab.experiments.inference.comparisons import SMALL_COUNT
from opslab.experiments.result import Comparison, ExperimentResult
from opslab.messages import Language, numbers, text
from opslab.report.blocks import (
    Block,
    Cell,
    Facts,
    Group,
    Heading,
    Paragraph,
    Points,
    Table,
    Tone,
    Verdict,
)
from opslab.report.figures import Figure
from opslab.report.import_report import import_report
from opslab.results import Message

_ACTION_TONES: dict[str, Tone] = {
    "ship": "good",
    "do_not_ship": "plain",
    "extend": "open",
    "stop_broken": "bad",
}
_MOST_REASONS = 3  # that the first screen shows unfolded, so that the figures stay in sight
_IN_FAVOUR = ("reason_won_", "reason_safe_")
_STATUS_TONES: dict[str, Tone] = {"pass": "good", "warn": "open", "fail": "bad"}
_VERDICT_TONES: dict[str, Tone] = {
    "won": "good",
    "safe": "good",
    "lost": "bad",
    "harmed": "bad",
    "open": "plain",
    "unproven": "open",
    "not_estimable": "plain",
}


def first_screen(result: ExperimentResult, language: Language) -> Verdict:
    """Return what happened, how sure we are, and what to do."""
    reasons, more = _reasons(result, language)
    return Verdict(
        kicker=_kicker(result, language),
        title=result.plan.experiment,
        question=result.plan.question,
        action=sentences.action(result, language),
        headline=sentences.headline(result, language),
        tone=_ACTION_TONES[result.decision.action],
        facts=_facts(result, language),
        reasons=reasons,
        more=more,
    )


def _reasons(
    result: ExperimentResult, language: Language
) -> tuple[list[str], tuple[str, list[str]] | None]:
    """Return the reasons that belong on the first screen, and those that are folded below them.

    With several arms there may be a dozen. What a check warns of comes first, then the arm that the
    headline speaks of, and of it what stands against shipping; otherwise the order is the spec's.
    """
    warnings = [one.detail for one in result.checks if one.status != "pass" and not result.broken]
    one = sentences.leading(result)
    shipped = result.decision.action == "ship"

    def rank(reason: Message) -> tuple[bool, bool]:
        other = one is not None and reason.values.get("arm", one.arm) != one.arm
        return other, not shipped and reason.key.partition(".")[2].startswith(_IN_FAVOUR)

    said = [
        sentences.say(reason, language)
        for reason in [*warnings, *sorted(result.decision.reasons, key=rank)]
    ]
    if len(said) <= _MOST_REASONS + 1:  # a single one is not worth folding
        return said, None
    folded = said[_MOST_REASONS:]
    return said[:_MOST_REASONS], (
        text("experiments.reasons_more", language, count=len(folded)),
        folded,
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
        days = (result.plan.start, result.plan.end)
        parts.append(numbers.period(days, language=language))
    if result.plan.owner:
        parts.append(result.plan.owner)
    return " · ".join(parts)


def _facts(result: ExperimentResult, language: Language) -> Facts:
    items: list[tuple[str, str, Sequence[str]]] = []
    one = sentences.leading(result)
    if one is not None and one.difference is not None and not result.broken:
        level = text("experiments.interval_level", language, level=1 - result.plan.alpha)
        effect = sentences.lift_or_difference(one, language)
        items.append((one.metric, effect, (level, sentences.interval(one, language))))
        p_value = numbers.p_value(one.p_value or 0.0, language=language)
        remark = text("experiments.fact_p_remark", language)
        items.append((text("experiments.fact_p", language), p_value, (remark,)))
    units = numbers.integer(sum(arm.units for arm in result.arms), language=language)
    by_arm = [f"{arm.name} {numbers.integer(arm.units, language=language)}" for arm in result.arms]
    items.append((text("experiments.fact_units", language), units, by_arm))
    passed = sum(check.status == "pass" for check in result.checks)
    shown = text("experiments.fact_checks_value", language, passed=passed, count=len(result.checks))
    wrong = [
        text(f"experiments.check_{one.name}", language)
        for one in result.checks
        if one.status != "pass"
    ]
    remarks = wrong or [text("experiments.fact_checks_all", language)]
    items.append((text("experiments.fact_checks", language), shown, remarks))
    return Facts(items)


def _checks(result: ExperimentResult, language: Language) -> list[Block | Figure]:
    rows = [
        (
            text(f"experiments.check_{check.name}", language),
            Cell(
                text(f"experiments.status_{check.status}", language),
                tone=_STATUS_TONES[check.status],
            ),
            text("words.yes" if check.blocking else "words.no", language),
            sentences.say(check.detail, language),
        )
        for check in result.checks
    ]
    arms = [
        (
            arm.name,
            numbers.integer(arm.units, language=language),
            numbers.percent(
                arm.units / sum(other.units for other in result.arms), 2, language=language
            ),
            numbers.percent(arm.expected, 2, language=language),
        )
        for arm in result.arms
    ]
    arm_columns = [
        text(f"experiments.column_{name}", language)
        for name in ("arm", "units", "share", "designed")
    ]
    return [
        Heading(text("experiments.section_checks", language)),
        table("checks", ("check", "status", "blocking", "detail"), result, language, rows),
        Table(text("experiments.table_arms", language), arm_columns, arms, numeric=(1, 2, 3)),
    ]


def _effects(result: ExperimentResult, language: Language) -> list[Block | Figure]:
    level = 1 - result.plan.alpha
    blocks: list[Block | Figure] = [Heading(text("experiments.section_effects", language))]
    if result.broken:
        blocks.append(Paragraph(text("experiments.effects_broken", language), "bad"))
    blocks.append(result.figures(language)["lift"])
    blocks.append(_effect_table(result, language))
    blocks += not_estimable(result.comparisons, language)
    blocks.append(Paragraph(text("experiments.effects_note", language, level=level), small=True))
    if any(one.raw for one in result.comparisons):
        blocks.append(Paragraph(text("experiments.adjusted_note", language), small=True))
    blocks += _beside(result, language)
    blocks += [
        Paragraph(
            text("experiments.told_apart", language, metric=one.metric, arm=one.arm), small=True
        )
        for one in result.comparisons
        if one.p_value is not None
        and one.p_adjusted is not None
        and one.p_value <= result.plan.alpha < one.p_adjusted
    ]
    return [*blocks, *breakdowns.blocks(result, language)]


def _effect_table(result: ExperimentResult, language: Language) -> Table:
    names = ("arm_value", "difference", "lift", "p", "p_adjusted", "verdict")
    value, *rest = (text(f"experiments.column_{name}", language) for name in names)
    arms = {one.arm for one in result.comparisons}
    columns = [result.plan.control, arms.pop() if len(arms) == 1 else value, *rest]
    heads = {
        one.metric: Cell(one.metric, text(f"experiments.role_{one.role}", language))
        for one in result.comparisons
    }
    rows = [(one, _effect_cells(one, result, language)) for one in result.comparisons]
    return _by_metric("effects", heads, columns, rows, result, language)


def _by_metric(
    name: str,
    heads: Mapping[str, Cell],
    columns: Sequence[str],
    rows: Sequence[tuple[Comparison, Sequence[str | Cell]]],
    result: ExperimentResult,
    language: Language,
) -> Table:
    """Return a row a metric, or with several arms a row an arm under each metric."""
    single = len({one.arm for one, _ in rows}) == 1
    made = table(name, ["metric" if single else "arm"], result, language, numeric=range(1, 7))
    made = replace(made, columns=[*made.columns, *columns])
    if single:
        return replace(made, rows=[(heads[one.metric], *cells) for one, cells in rows])
    groups = [
        Group(head, [(one.arm, *cells) for one, cells in rows if one.metric == metric])
        for metric, head in heads.items()
    ]
    return replace(made, groups=groups)


def _beside(result: ExperimentResult, language: Language) -> list[Block | Figure]:
    """Return the raw effects beside those that decide, and the notes on how they were made."""
    blocks: list[Block | Figure] = []
    for kind in ("raw", "uncapped"):
        beside = [
            (one, other)
            for one in result.comparisons
            if (other := getattr(one, kind)) and one.difference is not None
        ]
        if not beside:
            continue
        names = ["metric", f"difference_{kind}", f"lift_{kind}", "difference", "lift"]
        rows = [
            [
                Cell(one.metric, one.arm),
                *changes(replace(one, **vars(other)), language),
                *changes(one, language),
            ]
            for one, other in beside
        ]
        if kind == "raw":
            names.append("variance_reduction")
            for row, (one, _) in zip(rows, beside, strict=True):
                row.append(Cell(numbers.percent(one.variance_reduction or 0.0, language=language)))
        blocks.append(table(kind, names, result, language, rows, numeric=range(1, len(names))))
    lines = [
        text(
            "experiments.note_line",
            language,
            metric=one.metric,
            arm=one.arm,
            note=sentences.say(note, language),
        )
        for one in result.comparisons
        for note in one.notes
    ]
    return [*blocks, *(Paragraph(line, small=True) for line in lines)]


def _effect_cells(
    one: Comparison, result: ExperimentResult, language: Language
) -> list[str | Cell]:
    arm, control = sentences.values(one, language)
    verdict: str | Cell = text("experiments.verdict_not_used", language)
    if not result.broken:
        said = text(f"experiments.verdict_{one.verdict}", language)
        verdict = Cell(said, tone=_VERDICT_TONES[one.verdict])
    return [control, arm, *effect_cells(one, language), verdict]


def _data(result: ExperimentResult, language: Language) -> list[Block | Figure]:
    data = result.data
    counts = {"outside": data.outside_period, "leaked": data.leaked_rows, "used": data.rows_used}
    rows = [
        (text(f"experiments.data_{name}", language), numbers.integer(count, language=language))
        for name, count in counts.items()
    ]
    blocks: list[Block | Figure] = [
        Heading(text("experiments.section_data", language)),
        *import_report(data.reading, language, rows),
    ]
    if data.events is not None:
        blocks += import_report(data.events, language)
    blocks.append(_values_table(result, language))
    return blocks


def _values_table(result: ExperimentResult, language: Language) -> Table:
    names = ("control_missing", "arm_missing", "control_n", "arm_n")
    columns = [text(f"experiments.column_{name}", language) for name in names]
    rows = [
        (
            one,
            [
                numbers.integer(count, language=language)
                for count in (*one.missing[::-1], *one.n[::-1])
            ],
        )
        for one in result.comparisons
    ]
    heads = {one.metric: Cell(one.metric) for one in result.comparisons}
    return _by_metric("values", heads, columns, rows, result, language)


def _method(result: ExperimentResult, language: Language) -> list[Block | Figure]:
    plan = result.plan
    used = {one.method for one in result.comparisons}
    said = [text(f"experiments.method_{plan.rows}", language)] if plan.rows != "unit" else []
    said += (
        [text("experiments.method_welch", language)] if used - {"score", "quantile", None} else []
    )
    if "score" in used:
        said.append(text("experiments.method_score", language, count=SMALL_COUNT))
    said += [
        text(f"experiments.method_{name}", language)
        for name, methods in (
            ("ratio", {one for one in used if one and "ratio" in one}),
            ("cuped", {one for one in used if one and "cuped" in one}),
            ("quantile", {"quantile", "clustered_quantile"}),
            ("clustered_quantile", {"clustered_quantile"}),
            ("paired", {one for one in used if one and one.startswith("paired")}),
            ("stratified", {one for one in used if one and one.startswith("stratified")}),
        )
        if methods & used
    ]
    parts = {"trigger": plan.trigger, "segments": plan.segments, "trends": result.trends}
    said += [text(f"experiments.method_{name}", language) for name, part in parts.items() if part]
    if any(one.uncapped for one in result.comparisons):
        said.append(text("experiments.method_capped", language))
    families = {one.role for one in result.comparisons}
    said.append(text("experiments.method_primary", language, alpha=plan.alpha))
    said += [
        text(f"experiments.method_{role}", language)
        for role in ("secondary", "guardrail")
        if role in families
    ]
    said.append(text("experiments.method_sample_ratio", language))
    if any(check.name == "covariate_balance" for check in result.checks):
        said.append(text("experiments.method_covariate_balance", language))
    said.append(text(f"experiments.method_rule_{plan.primaries}", language))
    if plan.time:
        said.append(text("experiments.method_time", language, time=plan.time))
    if plan.weights_assumed:
        said.append(text("experiments.method_weights_assumed", language))
    if plan.fingerprint:
        said.append(text("experiments.method_fingerprint", language, fingerprint=plan.fingerprint))
    if plan.spec and plan.spec_sha256:
        said.append(
            text("experiments.method_spec", language, spec=plan.spec, sha256=plan.spec_sha256)
        )
    return [Heading(text("experiments.section_method", language)), Points(said)]
