"""The design on the page: what was chosen beforehand, its looks, what is believed after them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from opslab.experiments.course import Look, LookPath
from opslab.experiments.result import Comparison, ExperimentResult, metric_and_arm
from opslab.experiments.sentences import ExperimentVoice, bounded
from opslab.report.blocks import Cell, Cells, Table
from opslab.report.drawing import Row
from opslab.report.figures import BLUE, GREY, Figure
from opslab.report.voice import Blocks


def design(result: ExperimentResult, say: ExperimentVoice) -> Blocks:
    """Return the design that was chosen, and what it came to."""
    plan, chosen, method = result.plan, result.plan.design, result.plan.method
    family, looks = chosen.get("spending", {}).get("family"), chosen.get("looks", 1)
    prior = chosen.get("prior") or {"mean": 0.0, "sd": 0.0, "scale": "absolute"}
    low, high = (
        _amount(prior["mean"] + side * prior["sd"], prior["scale"], say) for side in (-1, 1)
    )
    primary = [path for path in result.paths if path.role == "primary"]
    values: dict[str, Any] = {
        **chosen,
        "looks": looks if isinstance(looks, int) else len(looks),
        "family": say(f"family_{family or 'obrien_fleming'}"),
        "range": say.range(low, high),
        "accepted": _loss(chosen.get("loss", 0.0), prior["scale"], say),
        "rate": result.peeking,
        "days": [say.date(day) for day in plan.looked or (result.as_of,) if day],
        "day": result.as_of,
        "count": len(primary),
        "share": plan.alpha / max(len(primary), 1),
    }
    on, start = plan.registered_on, plan.start
    registered = "un" if on is None else "late_" if start and on > start else ""
    remarks = {
        "futility": "futility" in chosen,
        "peeking": result.peeking is not None,
        "stands": bool(primary and result.as_of),
        "unlooked": isinstance(looks, int) and looks > 1 and not plan.looked,
        "shared": len(primary) > 1,
    }
    blocks: Blocks = [
        say.heading("design"),
        say.paragraph(f"design_{method}", **values),
        say.remark(f"design_{registered}registered", day=on, start=start),
        *(say.remark(f"design_{key}", **values) for key, applies in remarks.items() if applies),
    ]
    for (metric, arm), day in result.corrected.items():
        if day != result.as_of and day:
            blocks.append(say.remark("design_own_look", metric=metric, arm=arm, day=day))
    drawn = result.figures(say.language)
    for path in primary:
        blocks += [drawn[_name(path)], _looks(path, result, say)] if path.looks else []
    return [*blocks, _posteriors(result, say)] if result.posteriors else blocks


def design_figures(result: ExperimentResult, say: ExperimentVoice) -> Iterator[tuple[str, Figure]]:
    """Give the looks at each primary metric."""
    group = result.plan.method == "group_sequential"
    axis = say("path_statistic" if group else "path_effect")
    for path in result.paths:
        if path.role == "primary" and path.looks:
            title = say(f"path_{path.ended or 'open'}", **metric_and_arm(path))
            comparisons = [_at(look, path, result) for look in path.looks]
            lifts = not group and all(map(bounded, comparisons))
            rows = [
                _statistic(look, say) if group else _effect(look, known, say, lifts=lifts)
                for look, known in zip(path.looks, comparisons, strict=True)
            ]
            caption = say(f"caption_path_{result.plan.method}")
            if any(look.futility is not None for look in path.looks):
                caption += f" {say('caption_path_futility')}"
            signs: dict[str, Any] = {"percent": lifts, "signed": True}
            yield _name(path), say.chart("", title, rows, axis, (), caption, **signs)


def _name(of: LookPath) -> str:
    return f"design/{of.metric}/{of.arm}"


def _amount(value: float, scale: str, say: ExperimentVoice) -> str:
    return say.signed_percent(value) if scale == "relative" else say.signed_number(value)


def _loss(value: float, scale: str, say: ExperimentVoice) -> str:
    return say.percent(value, 2) if scale == "relative" else say.number(value)


def _label(look: Look, say: ExperimentVoice) -> str:
    day = say.date(look.day) if look.day else None
    return say.joined(day, say("look_units", units=sum(look.n), share=look.information))


def _statistic(look: Look, say: ExperimentVoice) -> Row:
    """Return the statistic on the span in which the test goes on."""
    bound, value, mark = look.efficacy, say.decimal(look.statistic), None
    spans = [] if bound is None else [(-bound, bound, GREY)]
    if bound is not None:
        value = say("look_bound", value=value, bound=bound)
    if look.futility is not None:
        mark = (look.futility, say("look_hopeless"))
    return Row(_label(look, say), value, spans, look.statistic, mark=mark, thin=True)


def _effect(look: Look, known: Comparison, say: ExperimentVoice, *, lifts: bool) -> Row:
    cell = say.lift(known) if lifts else say.difference(known)
    low, high = known.lift_interval if lifts else known.difference_interval
    value, point = f"{cell.text} ({cell.interval})", known.lift if lifts else known.difference
    return Row(_label(look, say), value, [(low or 0.0, high or 0.0, BLUE)], point, thin=True)


def _at(look: Look, path: LookPath, result: ExperimentResult) -> Comparison:
    """Return the comparison as it stood at a look."""
    known = next(of for of in result.comparisons if metric_and_arm(of) == metric_and_arm(path))
    return replace(known, **vars(look.effect))


def _looks(path: LookPath, result: ExperimentResult, say: ExperimentVoice) -> Table:
    rows, futile = list[Cells](), any(look.futility is not None for look in path.looks)
    for look in path.looks:
        bounds = (look.statistic, look.efficacy, look.futility)[: 2 + futile]
        numbers = [say.none if bound is None else say.decimal(bound) for bound in bounds]
        known = _at(look, path, result)
        p_value, _ = say.p_values(known)
        rows.append([_label(look, say), *numbers, say.change(known), p_value])
    columns = f"look statistic efficacy {'futility' * futile} effect_look p_look"
    return say.table("looks", columns, rows, numeric=range(1, 5 + futile), **metric_and_arm(path))


def _posteriors(result: ExperimentResult, say: ExperimentVoice) -> Table:
    rows = list[Cells]()
    for known in result.posteriors:
        ends = (known.estimate, known.mean, known.low, known.high)
        alone, mean, low, high = (_amount(end, known.scale, say) for end in ends)
        losses = [_loss(end, known.scale, say) for end in (known.loss, known.loss_kept)]
        exceeds = say.none if known.exceeds is None else say.percent(known.exceeds)
        chances = [say.percent(known.wins), exceeds]
        after = Cell(mean, interval=say.range(low, high))
        pull = say.percent(known.pull)
        rows.append([Cell(known.metric, known.arm), alone, after, *chances, *losses, pull])
    columns = "metric data_alone believed wins exceeds loss loss_kept pull"
    return say.table("posteriors", columns, rows, numeric=range(1, 8))
