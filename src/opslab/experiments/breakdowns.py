"""The tables of effects: by metric, beside others, in segments, and by time since exposure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from opslab.experiments.result import Comparison, ExperimentResult, Interaction
from opslab.experiments.sentences import VERDICT_TONES, ExperimentVoice, differs, trend_key
from opslab.report.blocks import Cell, Group, Table
from opslab.report.voice import Blocks

Cells = Sequence[str | Cell]


def effect_table(result: ExperimentResult, say: ExperimentVoice) -> Table:
    """Return the table of the effects that decide, with their verdicts."""
    columns = "control_value arm_value difference lift p p_adjusted verdict"
    if say.arm is not None:
        columns = columns.replace("arm_value", "only_arm")
    rows = []
    for comparison in result.comparisons:
        arm, control = say.estimates(comparison)
        verdict = Cell(say("verdict_not_used"))
        if not result.broken:
            words = say(f"verdict_{comparison.verdict}")
            verdict = Cell(words, tone=VERDICT_TONES[comparison.verdict])
        rows.append((comparison, [control, arm, *_effect(comparison, say), verdict]))
    return _by_metric("effects", columns, rows, say)


def value_table(result: ExperimentResult, say: ExperimentVoice) -> Table:
    """Return the table of the values behind each effect, and of those that are empty."""
    rows = [
        (comparison, [say.integer(n) for n in (*comparison.missing[::-1], *comparison.n[::-1])])
        for comparison in result.comparisons
    ]
    columns = "control_missing arm_missing control_n arm_n"
    return _by_metric("values", columns, rows, say, roles=False)


def beside(result: ExperimentResult, say: ExperimentVoice) -> list[Table]:
    """Return the effects without covariates and without a cap beside those that decide."""
    tables = []
    for kind in ("raw", "uncapped"):
        columns = f"metric difference_{kind} lift_{kind} difference lift"
        rows = [
            [_with_arm(comparison), *_changes(other, say), *_changes(comparison, say)]
            for comparison, other in _others(result, kind)
        ]
        if kind == "raw":
            columns += " variance_reduction"
            for row, (comparison, _) in zip(rows, _others(result, kind), strict=True):
                row.append(Cell(say.percent(comparison.variance_reduction or 0.0)))
        if rows:
            tables.append(say.table(kind, columns, rows, numeric=range(1, 6)))
    return tables


def on_all_units(result: ExperimentResult, say: ExperimentVoice) -> Blocks:
    """Return the effects on triggered units beside those on all; nothing without a trigger."""
    rows = [
        [_with_arm(comparison), *_changes(comparison, say), *_changes(other, say)]
        for comparison, other in _others(result, "diluted")
    ]
    if not rows:
        return []
    columns = "metric difference_triggered lift_triggered difference_all lift_all"
    rate, trigger = result.data.trigger_rate, result.plan.trigger
    return [
        say.heading("diluted", 3),
        say.paragraph("diluted_line", share=rate, column=trigger),
        say.table("diluted", columns, rows, numeric=range(1, 5)),
    ]


def segments(result: ExperimentResult, say: ExperimentVoice) -> Blocks:
    """Return whether effects differ between segments, and what they are in each."""
    if not result.interactions:
        return []
    blocks: Blocks = [say.heading("segments", 3)]
    figures = result.figures(say.language)
    if "segments" in figures:
        blocks.append(figures["segments"])
    tests = [_test(test, result, say) for test in result.interactions]
    columns = "segment metric arm segments p p_adjusted interaction"
    blocks.append(say.table("interactions", columns, tests, numeric=(3, 4, 5)))
    if result.segments:
        rows = []
        for comparison in result.segments:
            segment = Cell(comparison.segment or "", "" if say.arm else comparison.arm)
            cells = [segment, say.integer(sum(comparison.n)), *_effect(comparison, say)]
            rows.append((comparison, cells))
        columns, groups = "segment n difference lift p p_adjusted", _groups(rows, say)
        blocks.append(say.table("segments", columns, groups=groups, numeric=range(1, 6)))
        blocks.append(say.remark("segments_note"))
    return [*blocks, *not_estimable(result.segments, say)]


def trends(result: ExperimentResult, say: ExperimentVoice) -> Blocks:
    """Return how effects go on after exposure; nothing where no metric's window is long enough."""
    blocks: Blocks = [say.heading("trends", 3)] if result.trends else []
    for trend in result.trends:
        blocks.append(result.figures(say.language)[f"trend/{trend.metric}/{trend.arm}"])
        if trend.p_value is not None:
            key = f"trend_{trend_key(trend, result.plan.alpha)}"
            blocks.append(say.paragraph(key, metric=trend.metric, arm=trend.arm, p=trend.p_value))
    return blocks


def not_estimable(comparisons: Iterable[Comparison], say: ExperimentVoice) -> Blocks:
    """Return a remark on each comparison that could not be made, with the reason."""
    return [
        say.remark(
            "not_estimable_line",
            metric=comparison.metric,
            arm=", ".join(filter(None, (comparison.segment, comparison.arm))),
            reason=say.message(comparison.not_estimable),
        )
        for comparison in comparisons
        if comparison.not_estimable
    ]


def _by_metric(
    name: str,
    columns: str,
    rows: Sequence[tuple[Comparison, Cells]],
    say: ExperimentVoice,
    *,
    roles: bool = True,
) -> Table:
    """Return a row a metric, or with several arms a row an arm under each metric."""
    numeric = range(1, 7)
    if say.arm is None:
        under = [(comparison, [comparison.arm, *cells]) for comparison, cells in rows]
        groups = _groups(under, say, roles=roles)
        return say.table(name, f"arm {columns}", groups=groups, numeric=numeric)
    lines = [(_head(comparison, say, roles=roles), *cells) for comparison, cells in rows]
    return say.table(name, f"metric {columns}", lines, numeric=numeric)


def _groups(
    rows: Iterable[tuple[Comparison, Cells]], say: ExperimentVoice, *, roles: bool = True
) -> list[Group]:
    """Return rows under a head for each metric."""
    groups = []
    for _, same in groupby(rows, key=lambda row: row[0].metric):
        inside = list(same)
        head = _head(inside[0][0], say, roles=roles)
        groups.append(Group(head, [cells for _, cells in inside]))
    return groups


def _head(comparison: Comparison, say: ExperimentVoice, *, roles: bool) -> Cell:
    return Cell(comparison.metric, say(f"role_{comparison.role}") if roles else "")


def _with_arm(comparison: Comparison) -> Cell:
    return Cell(comparison.metric, comparison.arm)


def _others(result: ExperimentResult, kind: str) -> list[tuple[Comparison, Comparison]]:
    """Return the comparisons that have another effect beside theirs, each with that one."""
    return [
        (comparison, replace(comparison, **vars(effect)))
        for comparison in result.comparisons
        if (effect := getattr(comparison, kind)) and comparison.difference is not None
    ]


def _changes(comparison: Comparison, say: ExperimentVoice) -> list[Cell]:
    return [say.difference(comparison), say.lift(comparison)]


def _effect(comparison: Comparison, say: ExperimentVoice) -> Cells:
    """Return the cells of an effect and of its p-values, as far as there is one."""
    known = comparison.difference is not None
    changes = _changes(comparison, say) if known else [say.none] * 2
    return [*changes, *say.p_values(comparison)]


def _test(test: Interaction, result: ExperimentResult, say: ExperimentVoice) -> Cells:
    words = say("interaction_yes" if differs(test, result.plan.alpha) else "interaction_no")
    if test.not_estimable is not None:
        words = say.message(test.not_estimable)
    levels = say.integer(test.levels)
    return [test.segment, test.metric, test.arm, levels, *say.p_values(test), words]
