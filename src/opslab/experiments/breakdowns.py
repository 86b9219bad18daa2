"""The readout below its effects: on all units, in segments, and by time since exposure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from opslab.experiments import figures, sentences
from opslab.experiments.result import Comparison, ExperimentResult, Interaction
from opslab.messages import Language, numbers, text
from opslab.report.blocks import Block, Cell, Group, Heading, Paragraph, Table
from opslab.report.figures import Figure


def blocks(result: ExperimentResult, language: Language) -> list[Block | Figure]:
    """Return what belongs below the effects; nothing where the spec asks for none of it."""
    return [
        *_on_all_units(result, language),
        *_segments(result, language),
        *_trends(result, language),
    ]


def _on_all_units(result: ExperimentResult, language: Language) -> list[Block | Figure]:
    known = [one for one in result.comparisons if one.diluted]
    if not known:
        return []
    rows = []
    for one in known:
        whole = replace(one, **vars(one.diluted))
        rows.append([Cell(one.metric, one.arm), *changes(one, language), *changes(whole, language)])
    names = ("metric", "difference_triggered", "lift_triggered", "difference_all", "lift_all")
    rate = result.data.trigger_rate or 0.0
    return [
        Heading(text("experiments.section_diluted", language), 3),
        Paragraph(
            text("experiments.diluted_line", language, share=rate, column=result.plan.trigger or "")
        ),
        table("diluted", names, result, language, rows, numeric=range(1, len(names))),
    ]


def _segments(result: ExperimentResult, language: Language) -> list[Block | Figure]:
    if not result.interactions:
        return []
    made: list[Block | Figure] = [Heading(text("experiments.section_segments", language), 3)]
    primary = next(one.metric for one in result.comparisons if one.role == "primary")
    drawn = figures.segment_forest(result, primary, language)
    if drawn is not None:
        made.append(drawn)
    names = ("segment", "metric", "arm", "segments", "p", "p_adjusted", "interaction")
    rows = [_interaction(one, result, language) for one in result.interactions]
    made.append(table("interactions", names, result, language, rows, numeric=(3, 4, 5)))
    if result.segments:
        made.append(_segment_table(result, language))
        made.append(Paragraph(text("experiments.segments_note", language), small=True))
    return made + not_estimable(result.segments, language)


def table(
    name: str,
    columns: Sequence[str],
    result: ExperimentResult,
    language: Language,
    rows: Sequence[Any] = (),
    **more: Any,
) -> Table:
    """Return a table by the names of its caption and its columns in the catalogue."""
    heads = [text(f"experiments.column_{column}", language) for column in columns]
    caption = text(f"experiments.table_{name}", language, level=1 - result.plan.alpha)
    return Table(caption, heads, rows, wide=True, **more)


def not_estimable(comparisons: Sequence[Comparison], language: Language) -> list[Block | Figure]:
    """Return a remark on each comparison that could not be made, with the reason."""
    lines = (
        text(
            "experiments.not_estimable_line",
            language,
            metric=one.metric,
            arm=", ".join(filter(None, (one.segment, one.arm))),
            reason=sentences.say(one.not_estimable, language),
        )
        for one in comparisons
        if one.not_estimable
    )
    return [Paragraph(line, small=True) for line in lines]


def _interaction(
    one: Interaction, result: ExperimentResult, language: Language
) -> list[str | Cell]:
    if one.not_estimable is not None:
        said = sentences.say(one.not_estimable, language)
    else:
        differs = one.p_adjusted is not None and one.p_adjusted <= result.plan.alpha
        said = text(f"experiments.interaction_{'yes' if differs else 'no'}", language)
    levels = numbers.integer(one.levels, language=language)
    return [one.segment, one.metric, one.arm, levels, *_p_values(one, language), said]


def _p_values(one: Comparison | Interaction, language: Language) -> list[str]:
    none = text("words.none", language)
    return [
        none if value is None else numbers.p_value(value, language=language)
        for value in (one.p_value, one.p_adjusted)
    ]


def _segment_table(result: ExperimentResult, language: Language) -> Table:
    names = ("segment", "n", "difference", "lift", "p", "p_adjusted")
    several = len({one.arm for one in result.segments}) > 1
    groups = [
        Group(
            Cell(metric, text(f"experiments.role_{role}", language)),
            [
                _segment_row(one, language, several=several)
                for one in result.segments
                if one.metric == metric
            ],
        )
        for metric, role in dict.fromkeys((one.metric, one.role) for one in result.segments)
    ]
    return table("segments", names, result, language, numeric=range(1, len(names)), groups=groups)


def _segment_row(one: Comparison, language: Language, *, several: bool) -> list[str | Cell]:
    units = numbers.integer(sum(one.n), language=language)
    segment = one.segment or ""
    return [Cell(segment, one.arm) if several else segment, units, *effect_cells(one, language)]


def effect_cells(one: Comparison, language: Language) -> list[str | Cell]:
    """Return the cells of an effect and of its p-values, as far as there is one."""
    moved: list[Any] = [text("words.none", language)] * 2
    if one.difference is not None:
        moved = changes(one, language)
    return [*moved, *_p_values(one, language)]


def changes(one: Comparison, language: Language) -> list[Cell]:
    """Return the cells of an effect: its difference and its lift, each with its interval."""
    return [
        Cell(sentences.difference(one, language), sentences.difference_interval(one, language)),
        Cell(sentences.lift(one, language), sentences.lift_interval(one, language)),
    ]


def _trends(result: ExperimentResult, language: Language) -> list[Block | Figure]:
    if not result.trends:
        return []
    made: list[Block | Figure] = [Heading(text("experiments.section_trends", language), 3)]
    for one in result.trends:
        made.append(figures.trend_figure(one, result, language))
        if one.p_value is not None:
            key = figures.trend_key(one, result.plan.alpha)
            values = {"metric": one.metric, "arm": one.arm, "p": one.p_value}
            made.append(Paragraph(text(f"experiments.trend_{key}", language, **values)))
    return made
