"""Tables that stand on the pages, and whole in the annexes where they are long."""

from __future__ import annotations

from collections.abc import Sequence

from opslab.businesscase.declarations import Kpi, Milestone, Risk
from opslab.businesscase.result import Line
from opslab.businesscase.voice import CaseVoice
from opslab.report.blocks import Cell, Table

Row = tuple[str | Cell, ...]

MOST = 8
"""Benefits, risks and targets that a page holds; where there are more, all stand in the annexes."""
BENEFITS = "benefit kind grade quantity present"


def benefit(line: Line, say: CaseVoice) -> Row:
    """Return a benefit: name and evidence, kind, grade, quantity a year, present value."""
    many, worth = line.quantity, say.spread(line.present)
    quantity = say.estimate(many.p50, many.p10, many.p90, line.unit)
    if line.unit.partition("/")[0].strip() == say.currency:
        quantity = say.spread(many) if many.p10 < many.p90 else Cell(say.money(many.p50))
    if not line.counted:
        worth = Cell(say("outside"), say.inline(worth))
    owner = say("owned", owner=line.owner) if line.owner and line.kind == "hard" else None
    signed = say("signed", who=line.signed_by) if line.signed_by else None
    name = Cell(line.name, say.joined(owner, signed), refs=say.refs(line.refs))
    return name, say(f"kind_{line.kind}"), line.grade, quantity, worth


def risks(listed: Sequence[Risk], say: CaseVoice) -> Table:
    """Return risks, each with the sign by which it is seen to come, and who answers for it."""
    rows = []
    for risk in listed:
        likely, chance = risk.likelihood, say.none
        if likely and likely.low is not None and likely.high is not None:
            chance = say.between(likely.low, likely.high, "share")
        elif likely and likely.likely is not None:
            chance = say.percent(likely.likely, 0)
        sign = Cell(risk.trigger, risk.response or "")
        rows.append((risk.risk, chance, sign, risk.owner))
    return say.table("risks", "risk likelihood trigger owner", rows)


def kpis(listed: Sequence[Kpi], say: CaseVoice) -> Table:
    """Return the targets that the team accepts to be held to."""
    rows = []
    for kpi in listed:
        baseline, target, kill = say.quantities([kpi.baseline, kpi.target, kpi.kill], kpi.unit)
        sources = say.joined(*dict.fromkeys((kpi.source, kpi.baseline_source)))
        promised = Cell(target, interval=say.between(kpi.low, kpi.high, kpi.unit))
        held = Cell(kpi.owner, say.date(kpi.date))
        rows.append((Cell(kpi.name, sources), baseline, promised, kill, held))
    return say.table("kpis", "kpi_source baseline target kill owner_date", rows, numeric=(1, 2, 3))


def roadmap(listed: Sequence[Milestone], say: CaseVoice) -> Table:
    """Return the steps, each with the gate at its end."""
    rows = [
        (
            step.name,
            say.period((step.starts, step.ends)),
            step.gate or say.none,
            step.owner or say.none,
        )
        for step in listed
    ]
    return say.table("roadmap", "step dates gate owner", rows)
