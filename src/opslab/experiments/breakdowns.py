"""The readout below its effects: on all units, in segments, and by time since exposure."""

from __future__ import annotations

from dataclasses import replace

from opslab.experiments import figures, sentences
from opslab.experiments.result import Comparison, ExperimentResult, Interaction
from opslab.messages import Language, numbers, text
from opslab.report.blocks import Block, Cell, Group, Heading, Paragraph, Table
from opslab.report.figures import Figure


def blocks(result: ExperimentResult, language: Language) -> list[Block | Figure]:
    """Return what belongs below the effects; nothing where the spec asks for none of it."""
    return [*_on_all_units(result, language), *_segments(result, language), *_trends(result, language)]


def _on_all_units(result: ExperimentResult, language: Language) -> list[Block | Figure]:
    known = [one for one in result.comparisons if one.diluted]
    if not known:
        return []
    rows = []
    for one in known:
        whole = replace(one, **vars(one.diluted))
        rows.append([Cell(one.metric, one.arm), *changes(one, language), *changes(whole, language)])
    names = ("metric", "difference_triggered", "lift_triggered", "difference_all", "lift_all")
    columns = [text(f"experiments.column_{name}", language) for name in names]
    caption = text("experiments.table_diluted", language, level=1 - result.plan.alpha)
    rate = result.data.trigger_rate or 0.0
    return [
        Heading(text("experiments.section_diluted", language), 3),
        Paragraph(text("experiments.diluted_line", language, share=rate, column=result.plan.trigger or "")),
        Table(caption, columns, rows, numeric=range(1, len(names)), wide=True),
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
    columns = [text(f"experiments.column_{name}", language) for name in names]
    rows = [_interaction(one, result, language) for one in result.interactions]
    made.append(
        Table(text("experiments.table_interactions", language), columns, rows, numeric=(3, 4, 5), wide=True)
    )
    if result.segments:
        made.append(_segment_table(result, language))
        made.append(Paragraph(text("experiments.segments_note", language), small=True))
    made += [
        Paragraph(
            text("experiments.not_estimable_line", language, metric=one.metric,
                 arm=f"{one.segment}, {one.arm}", reason=sentences.say(one.not_estimable, language)),
            small=True,
        )
        for one in result.segments
        if one.not_estimable
    ]  # fmt: skip
    return made


def _interaction(one: Interaction, result: ExperimentResult, language: Language) -> list[str | Cell]:
    none = text("words.none", language)
    if one.not_estimable is not None:
        said = sentences.say(one.not_estimable, language)
    else:
        differs = one.p_adjusted is not None and one.p_adjusted <= result.plan.alpha
        said = text(f"experiments.interaction_{'yes' if differs else 'no'}", language)
    p_values = (
        none if value is None else numbers.p_value(value, language=language)
        for value in (one.p_value, one.p_adjusted)
    )
    levels = numbers.integer(one.levels, language=language)
    return [one.segment, one.metric, one.arm, levels, *p_values, said]


def _segment_table(result: ExperimentResult, language: Language) -> Table:
    names = ("segment", "n", "difference", "lift", "p", "p_adjusted")
    columns = [text(f"experiments.column_{name}", language) for name in names]
    several = len({one.arm for one in result.segments}) > 1
    groups = [
        Group(
            Cell(metric, text(f"experiments.role_{role}", language)),
            [_segment_row(one, language, several=several) for one in result.segments if one.metric == metric],
        )
        for metric, role in dict.fromkeys((one.metric, one.role) for one in result.segments)
    ]
    caption = text("experiments.table_segments", language, level=1 - result.plan.alpha)
    return Table(caption, columns, numeric=range(1, len(names)), groups=groups, wide=True)


def _segment_row(one: Comparison, language: Language, *, several: bool) -> list[str | Cell]:
    none = text("words.none", language)
    p_values = [
        none if value is None else numbers.p_value(value, language=language)
        for value in (one.p_value, one.p_adjusted)
    ]
    moved: list[str | Cell] = [none, none]
    if one.difference is not None:
        moved = [*changes(one, language)]
    units = numbers.integer(sum(one.n), language=language)
    segment = one.segment or ""
    return [Cell(segment, one.arm) if several else segment, units, *moved, *p_values]


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
