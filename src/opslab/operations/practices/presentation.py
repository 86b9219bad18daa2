"""A review of practices as it is read: canvas, agreement, actions, processes and their anchors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from statistics import fmean
from typing import Any, get_args

import numpy as np
from matplotlib.figure import Figure as Drawing

from opslab.messages import Bilingual, one_line
from opslab.operations.practices import result as results
from opslab.operations.practices.result import Capability, PracticesResult
from opslab.operations.practices.spec import LEVELS, Level
from opslab.operations.voice import Blocks, Voice
from opslab.report.blocks import Cell, Cells, Paragraph, Tone, Verdict
from opslab.report.drawing import Row
from opslab.report.figures import BLUE, SMALL, WIDTH, Figure, framed, style, wrapped
from opslab.report.import_report import import_report
from opslab.uncertainty.proportions import Interval, spread

_LEFT, _ROW, _SIDE = 1.35, 0.45, 0.08  # inches: a name, a row, free in a cell
_PALE = len(LEVELS) + 2  # on the scale of colours: no level is as dark as the letters


_MOST, _TALL, _NEXT = 90, 40, 3  # rows of a table and of a figure, next actions
_TEAMS = 5  # side by side in a figure
_MOVES = {1: "higher", 0: "same", -1: "lower", None: "none"}
_TONES: dict[str, Tone] = {
    "kill": "bad",
    "late": "bad",
    "overdue": "bad",
    "keep": "good",
    "extend": "good",
    "done": "good",
    "simplify": "open",
}
_SENTENCES = {
    "canvas": "untargeted movement",
    "agreement": "agreed alpha_low",
    "processes": "listed previous_day passed",
}
_TABLES = {
    "canvas": "capability level target moved assessors",
    "actions": "action capability owner due state since",
    "processes": "process verdict net cost saved pays turns",
    "cards": "process problem steps trigger owner adoption sunset",
    "anchors": "capability good better best",
}
_NUMERIC = (2, 3, 4, 5)  # columns of the processes
voice = Voice.of("practices")


def heat_map(title: str, cells: Mapping[tuple[str, str], tuple[float, str]], say: Voice) -> Drawing:
    """Return the drawing of a canvas.

    Parameters
    ----------
    title : str
    cells : Mapping of (str, str) to (float, str)
        By capability and team: where its median lies in the order of levels, which is its shade
        only, and its words.
    say : Voice
    """
    names, teams = ([*dict.fromkeys(name)] for name in zip(*cells, strict=True))
    shades = np.full((len(names), len(teams)), np.nan)
    width = (WIDTH - _LEFT) / len(teams)

    def fitted(words: str, inches: float) -> str:
        return wrapped(one_line(say.spoken(words)), inches - _SIDE, SMALL)

    with style():
        drawing, axes = framed(title, _ROW * len(names), left=_LEFT, below=_ROW)
        for (name, team), (shade, words) in cells.items():
            row, column = names.index(name), teams.index(team)
            shades[row, column] = shade
            axes.text(column, row, fitted(words, width), ha="center", va="center", size=SMALL)
        axes.imshow(shades, cmap="Blues", vmin=-1, vmax=_PALE, aspect="auto")
        axes.set_yticks(range(len(names)), [fitted(name, _LEFT) for name in names])
        axes.set_xticks(range(len(teams)), [fitted(team, width) for team in teams])
        axes.tick_params(length=0)
    return drawing


def _levels(levels: Iterable[Level], say: Voice) -> str:
    """Return a level, or the two that a median lies between."""
    return " \N{EN DASH} ".join(say(f"level_{level}") for level in levels)


def _words(known: Any, say: Voice) -> dict[str, Any]:
    """Return what is told of a capability, an action or a process; `kind_` says in which words."""
    words = spread(known._asdict())
    if isinstance(known, Capability):
        return words | {
            "capability": say.joined(known.capability, known.team),
            "level": _levels(known.median, say) + " \N{CHECK MARK}" * bool(known.reached),
            "spread": say.range(*(say(f"level_{end}") for end in (known.low, known.high))),
            "kind_level": "alike" if known.low == known.high else "spread",
            "target": known.target and say(f"level_{known.target}"),
            "kind_target": "known" if known.target else "none",
            "before": _levels(known.before, say),
            "kind_moved": _MOVES[known.moved],
            "kind_assessors": "missing" if known.missing else "all",
        }
    if "state" in words:
        return words | {
            "capability": say.joined(known.capability, known.team),
            "owner": known.owner or say("nobody"),
            "kind_state": known.state,
            "kind_since": "rose" if known.lag else "",
        }
    return words | {
        "pays": min(max(known.pays, 0.01), 0.99),
        "kind_verdict": known.verdict,
        "reason": say(f"why_{known.why}", **words),
        "turns": [say(f"turn_{name}", value=value) for name, value in known.turns] or [say.none],
        "kind_adoption": known.source,
        "kind_steps": "stops" if known.drop_off else "all",
        "stops": [say("stop", step=step, uses=uses) for step, uses in known.drop_off if uses],
        "kind_sunset": "overdue" if known.overdue else "later",
    }


def _cells(columns: str, words: dict[str, Any], say: Voice) -> Cells:
    """Return a row: in each cell its text, its remark and its interval, a line each."""
    row = []
    for column in columns.split():
        kind = words.get(f"kind_{column}", "")
        said = say(f"cell_{column}_{kind}" if kind else f"cell_{column}", **words)
        text, remark, interval = [*said.split("\n"), "", ""][:3]
        row.append(Cell(text, remark, _TONES.get(kind, "plain"), interval=interval))
    return row


def _values(result: PracticesResult, say: Voice) -> dict[str, Any]:
    """Return what the sentences name; what there is nothing to tell of is empty."""
    known, cards, review = result.capabilities, result.cards, result.review
    aimed = [bool(each.reached) for each in known if each.target]
    moves = Counter(each.moved for each in known)
    days = [each.before_date for each in known if each.before_date]
    named = {
        verdict: [say("named", **card._asdict()) for card in cards if card.verdict == verdict]
        for verdict in get_args(results.Verdict)
    }
    agreed, none = result.agreement_of, Interval(None)
    net: Any = result.net or ()
    wanted = next((c.detail.values["planned"] for c in result.checks if c.name == "actions"), ())
    return {
        **vars(result),
        **vars(review.rule),
        **named,
        **spread({"net": result.net or none, "alpha": agreed.alpha if agreed else none}),
        "overdue": [
            say("named", **card._asdict())
            for card in cards
            if card.overdue and card.verdict != "kill"
        ],
        "costly": net and max(net) < 0,
        "even": net and min(net) < 0 < max(net),
        "planned": len(wanted),
        "known": len(known),
        "aimed": len(aimed),
        "reached": sum(aimed),
        "untargeted": len(known) - len(aimed),
        "assessed": known and not aimed,
        "up": moves[1],
        "down": moves[-1],
        "since": max(days, default=None),
        "moves": say("moves" if days else "cell_moved_none", up=moves[1], down=moves[-1]),
        "movement": [
            say("changed", then=say(f"level_{then}"), now=say(f"level_{now}"), count=count)
            for (then, now), count in result.movement.items()
            if now != then
        ],
        "late": sum(action.state == "late" for action in result.waiting),
        "waiting": len(result.waiting),
        "listed": len(cards),
        "worth": len(named["keep"] + named["extend"]),
        "wrong": [say(f"check_{check.name}") for check in result.conditions if not check.accepted],
        "agreement": agreed,
        "anchors": review.anchors,
        "agreed": known and say.message(result.check("agreement").detail),
    }


def _said(keys: str, form: str, values: dict[str, Any], say: Voice) -> list[str]:
    """Return the sentences that there is something to tell in."""
    return [say(f"{form}_{key}", **values) for key in keys.split() if values[key]]


def headline(result: PracticesResult, say: Voice) -> str:
    """Return the sentence that a sponsor reads first."""
    if result.broken:
        return say.message(result.check("missing").detail)
    keys = "assessed aimed since listed costly even wrong"
    return " ".join(_said(keys, "headline", _values(result, say), say))


def first_screen(result: PracticesResult, say: Voice) -> Verdict:
    """Return where capabilities stand, whether processes pay, how sure, and what to do next."""
    review, values, sound = result.review, _values(result, say), not result.broken
    keeps = result.action == "keep" and not values["wrong"]
    facts = [name for name in ("aimed", "fallen_due", "listed") if values[name] and sound]
    reasons = [say.message(check.detail) for check in result.conditions]
    reasons += [say(f"ask_{each.state}", **_words(each, say)) for each in result.waiting[:_NEXT]]
    reasons += _said("planned", "reason", values, say)
    reasons += [" ".join(_said("kill simplify overdue extend open", "reason", values, say))]
    reasons += _said("known", "reason", values, say)
    return say.verdict(
        review,
        [
            *(say.fact(name, *say(f"value_{name}", **values).split("\n")) for name in facts),
            say.checks_fact(result.checks),
        ],
        kicker=say.joined(say("kicker", **values), review.owner),
        action=say(f"action_{result.action}", **values),
        headline=headline(result, say),
        tone="good" if keeps else "open" if sound else "bad",
        reasons=[*filter(None, reasons)] * sound,
    )


def figures(result: PracticesResult, say: Voice) -> dict[str, Figure]:
    """Return the heat map, five teams at a time, and the hours that processes bring."""
    drawn, values = dict[str, Figure](), _values(result, say)
    names = [*dict.fromkeys(each.capability for each in result.capabilities)][:_TALL]
    teams = [*dict.fromkeys(each.team for each in result.capabilities)]
    for at in range(0, len(teams), _TEAMS):
        title = say("figure_aimed" if values["aimed"] else "figure_assessed", **values)
        cells, points = dict[Any, Any](), [title]
        for each in result.capabilities:
            if each.capability in names and each.team in teams[at : at + _TEAMS]:
                words, shade = _words(each, say), fmean(map(LEVELS.index, each.median))
                mark = say(f"mark_{words['kind_moved']}", **words)
                cells[each.capability, each.team] = shade, mark
                points.append(say(f"alt_{words['kind_moved']}", **words))
        drawing = heat_map(title, cells, say)
        drawn[f"canvas_{at}"] = Figure(drawing, " ".join(points), say("caption_canvas"))
    rows = [
        Row(
            say.joined(card.process, say(f"verdict_{card.verdict}")),
            say("bar", **_words(card, say)),
            [(card.net.low, card.net.high, BLUE)],
            card.net.value,
        )
        for card in result.cards[:_TALL]
        if card.net.low is not None and card.net.high is not None
    ]
    if rows:
        title, axis = say("figure_worth", **values), say("axis_worth")
        drawn["processes"] = say.chart("worth", title, rows, axis, signed=True)
    return drawn


def _table(name: str, rows: Sequence[dict[str, Any]], say: Voice) -> Blocks:
    """Return a table of so many rows as a reader takes in; the workbook has all."""
    cells = [_cells(_TABLES[name], words, say) for words in rows[:_MOST]]
    more = say.remark("cut", shown=_MOST, count=len(rows))
    table = say.table(name, _TABLES[name], cells, numeric=_NUMERIC * (name == "processes"))
    return [table, *[more] * (len(rows) > _MOST)] if rows else []


def _part(name: str, result: PracticesResult, say: Voice) -> Blocks:
    """Return a part: its heading, its sentences, its figures, its tables."""
    values, anchors = _values(result, say), result.review.anchors
    key = f"{'on' if values[name] or name == 'method' else 'no'}_{name}"
    said = [*say(key, **values).split("\n"), *_said(_SENTENCES.get(name, ""), "on", values, say)]
    blocks: Blocks = [say.heading(name), *map(Paragraph, said)]
    blocks += [each for key, each in result.figures(say.language).items() if key.startswith(name)]
    if name == "anchors":
        french = result.review.french
        rows = [
            {"capability": Bilingual(each, french=french.get(each, "")), **vars(known)}
            for each, known in anchors.items()
        ]
        blocks += _table(name, rows, say)
    elif name == "checks":
        blocks.append(say.checks(result.checks))
    elif name in _TABLES:
        rows = [_words(each, say) for each in values[name]]
        blocks += _table(name, rows, say)
        blocks += _table("cards", rows, say) if name == "processes" else []
    for reading in result.readings if name == "data" else ():
        blocks += import_report(reading, say.language)
    return blocks


PARTS = {name: partial(_part, name) for name in PracticesResult.PARTS}
