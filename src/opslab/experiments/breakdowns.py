"""The tables of effects: by metric, beside others, in segments, and by time since exposure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby

from opslab.experiments.result import (
    Comparison,
    ExperimentResult,
    Interaction,
    metric_and_arm,
)
from opslab.experiments.sentences import (
    VERDICT_TONES,
    ExperimentVoice,
    course_of,
    differs,
    figure_of,
)
from opslab.report.blocks import Cell, Cells, Group, Paragraph, Table
from opslab.report.voice import Blocks

_BESIDE = {
    "raw": "difference_raw lift_raw difference lift variance_reduction",
    "uncapped": "difference_uncapped lift_uncapped difference lift",
    "precision": "difference_share lift_share difference_precision lift_precision",
    "diluted": "difference_triggered lift_triggered difference_all lift_all",
}


def effect_table(result: ExperimentResult, say: ExperimentVoice) -> Table:
    """Return a row a metric, or with several arms a row an arm under each metric."""
    rows, tested = [], _tested(result.comparisons)
    for comparison in result.comparisons:
        arm, control = say.estimates(comparison)
        verdict = Cell(say("verdict_not_used"))
        if not result.broken:
            words = say(f"verdict_{comparison.verdict}")
            verdict = Cell(words, tone=VERDICT_TONES[comparison.verdict])
        name = comparison.arm if say.arm is None else _with_role(comparison, say)
        rows.append((comparison, [name, control, arm, *_effect(comparison, say, tested), verdict]))
    columns, numeric = f"difference lift {tested} verdict", range(1, 7 if tested else 5)
    values = "control_value arm_value only_value"
    if result.corrected:
        values = "control_observed arm_observed only_observed"
    control_value, arm_value, only_value = values.split()
    if say.arm is None:
        columns = f"arm {control_value} {arm_value} {columns}"
        return say.table("effects", columns, groups=_groups(rows, say), numeric=numeric)
    columns = f"metric {control_value} {only_value} {columns}"
    return say.table("effects", columns, [cells for _, cells in rows], numeric=numeric)


def value_table(result: ExperimentResult, say: ExperimentVoice) -> Table:
    """Return how many values stand behind each effect, and how many are empty."""
    rows = list[Cells]()
    for comparison in result.comparisons:
        counts = map(say.integer, (*comparison.missing[::-1], *comparison.n[::-1]))
        rows.append([_with_arm(comparison, comparison.metric, say), *counts])
    columns = "metric control_missing arm_missing control_n arm_n"
    return say.table("values", columns, rows, numeric=range(1, 5))


def beside(kind: str, result: ExperimentResult, say: ExperimentVoice) -> list[Table]:
    """Return the effects of a kind beside those that decide; nothing where there are none."""
    rows = []
    for comparison in result.comparisons:
        effect = getattr(comparison, kind)
        if effect is not None and comparison.difference is not None:
            row = [Cell(comparison.metric, comparison.arm)]
            own = _changes(comparison, say)
            other = _changes(replace(comparison, **vars(effect)), say)
            row += [*own, *other] if kind in ("diluted", "precision") else [*other, *own]
            if kind == "raw":
                row.append(Cell(say.percent(comparison.variance_reduction or 0.0)))
            rows.append(row)
    columns = f"metric {_BESIDE[kind]}"
    return [say.table(kind, columns, rows, numeric=range(1, 6))] if rows else []


def companions(result: ExperimentResult, say: ExperimentVoice) -> Blocks:
    """Return the effects that decide in other ways, and where these lead to another conclusion."""
    rows, remarks, alpha = list[Cells](), list[Paragraph](), result.plan.alpha
    for comparison in result.comparisons:
        names, signs = metric_and_arm(comparison), dict[str, float]()
        for companion in result.companions:
            if metric_and_arm(companion) == names:
                way, effect = say(f"way_{companion.way}"), companion.effect
                kind = "proportion" if companion.way == "ranks" else comparison.type
                known = replace(comparison, **vars(effect), type=kind)
                shown = (effect.p_value or 0.0) <= alpha
                signs[way] = math.copysign(shown, effect.difference or 0.0)
                rows.append(
                    [Cell(*names.values()), way, say.difference(known), say.p_values(known)[0]]
                )
        other = [way for way, sign in signs.items() if sign != next(iter(signs.values()))]
        if other:
            remarks.append(say.remark("companions_differ", **names, ways=other))
    if rows:
        return [say.table("companions", "metric way difference p", rows, numeric=(2, 3)), *remarks]
    amounts = any(
        comparison.type in {"mean", "ratio"} and comparison.role != "secondary"
        for comparison in result.comparisons
    )
    return [say.remark("companions_none")] if amounts else []


def segments(result: ExperimentResult, say: ExperimentVoice) -> Blocks:
    """Return whether effects differ between segments, and what they are in each."""
    if not result.interactions:
        return []
    blocks: Blocks = [say.heading("segments", 3)]
    figures = result.figures(say.language)
    if "segments" in figures:
        blocks.append(figures["segments"])
    fixed = result.plan.method == "fixed"
    tests = [
        _test(test, result, say) for test in result.interactions if fixed or test.not_estimable
    ]
    columns = "segment metric arm segments p p_adjusted interaction"
    if tests:
        blocks.append(say.table("interactions", columns, tests, numeric=(3, 4, 5)))
    if result.segments:
        rows, tested = [], _tested(result.segments)
        for comparison in result.segments:
            segment = _with_arm(comparison, comparison.segment or "", say)
            cells = [segment, say.integer(sum(comparison.n)), *_effect(comparison, say, tested)]
            rows.append((comparison, cells))
        columns, groups = f"segment n difference lift {tested}", _groups(rows, say)
        numeric = range(1, 6 if tested else 4)
        blocks.append(say.table("segments", columns, groups=groups, numeric=numeric))
        blocks.append(say.remark("segments_note" if fixed else "segments_untested"))
        blocks += [say.remark("asked_note")] * bool(result.asked)
    return [*blocks, *not_estimable(result.segments, say)]


def trends(result: ExperimentResult, say: ExperimentVoice) -> Blocks:
    """Return how effects go on after exposure, and by day of assignment, as far as it is known."""
    blocks, kind = Blocks(), ""
    for effect in result.over_time:
        if effect.kind != kind:
            kind = effect.kind
            blocks.append(say.heading(kind, 3))
        blocks.append(result.figures(say.language)[figure_of(effect, result)])
        if effect.p_value is not None:
            key, names = f"{effect.kind}_{course_of(effect, result)}", metric_and_arm(effect)
            blocks.append(say.paragraph(key, **names, p=effect.p_value))
    return blocks


def not_estimable(comparisons: Iterable[Comparison], say: ExperimentVoice) -> Blocks:
    """Return a remark on each comparison that could not be made, with the reason."""
    return [
        say.remark(
            "not_estimable_line",
            metric=comparison.metric,
            arm=", ".join(map(say.spoken, filter(None, (comparison.segment, comparison.arm)))),
            reason=say.message(comparison.not_estimable),
        )
        for comparison in comparisons
        if comparison.not_estimable
    ]


def _groups(rows: Iterable[tuple[Comparison, Cells]], say: ExperimentVoice) -> list[Group]:
    """Return rows under a head for each metric."""
    groups = []
    for _, same in groupby(rows, key=lambda row: row[0].metric):
        inside = list(same)
        groups.append(Group(_with_role(inside[0][0], say), [cells for _, cells in inside]))
    return groups


def _with_role(comparison: Comparison, say: ExperimentVoice) -> Cell:
    return Cell(comparison.metric, say(f"role_{comparison.role}"))


def _with_arm(comparison: Comparison, name: str, say: ExperimentVoice) -> Cell:
    """Return a name with the arm where there are several."""
    return Cell(name, comparison.arm if say.arm is None else "")


def _changes(comparison: Comparison, say: ExperimentVoice) -> list[Cell]:
    return [say.difference(comparison), say.lift(comparison)]


def _tested(comparisons: Iterable[Comparison]) -> str:
    """Return the columns of p-values, where there are any."""
    return "p p_adjusted" if any(known.p_value is not None for known in comparisons) else ""


def _effect(comparison: Comparison, say: ExperimentVoice, tested: str) -> Cells:
    """Return the cells of an effect and of its p-values, as far as there is one."""
    known = comparison.difference is not None
    changes = _changes(comparison, say) if known else [say.none] * 2
    return [*changes, *(say.p_values(comparison) if tested else ())]


def _test(test: Interaction, result: ExperimentResult, say: ExperimentVoice) -> Cells:
    words = say("yes" if differs(test, result.plan.alpha) else "interaction_no")
    if test.not_estimable is not None:
        words = say.message(test.not_estimable)
    levels = say.integer(test.levels)
    return [test.segment, test.metric, test.arm, levels, *say.p_values(test), words]
