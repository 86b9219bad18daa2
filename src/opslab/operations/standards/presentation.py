"""A review's readout: adoption, what each document lacks, what moved, checks, method."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from opslab.operations.standards.pages import shown
from opslab.operations.standards.result import Finding, StandardsResult, grouped, share
from opslab.operations.voice import Blocks, Voice, no_figures
from opslab.report.blocks import Cell, Group, Points, Tone, Verdict

_TONES: Mapping[str, Tone] = {"stop": "bad", "fix": "open", "read": "open", "keep": "good"}
_METHOD = "template held adoption dates evidence read"


voice = Voice.of("standards")
figures = no_figures


def headline(result: StandardsResult, say: Voice) -> str:
    """Return the sentence that a sponsor reads first."""
    return say(f"headline_{result.action}", unread=len(result.unread), **result.share._asdict())


def first_screen(result: StandardsResult, say: Voice) -> Verdict:
    """Return what happened, how sure we are, and what to do."""
    standard, all_of = result.standard, result.share
    kind, least = next(iter(result.kinds.items()), ("", all_of))
    todo = f"fix_{kind}" if result.action == "fix" else f"action_{result.action}"
    telling = [each for each in result.checks if each.status != "pass" or each.name == "moved"]
    day = say.date(result.as_of) if result.as_of else None
    return say.verdict(
        standard,
        [
            say.fact("adoption", say("of", held=all_of.whole, asked=all_of.documents)),
            say.checks_fact(result.checks),
        ],
        kicker=say.joined(say("kicker"), day, standard.owner),
        action=say(
            todo,
            wrong=least.documents - least.whole,
            unread=len(result.unread),
            **least._asdict(),
        ),
        headline=headline(result, say),
        tone=_TONES[result.action],
        reasons=[say.message(check.detail) for check in telling],
    )


def _adoption(result: StandardsResult, say: Voice) -> Blocks:
    groups = [
        Group(
            Cell(say(f"column_{by}")),
            [
                _row(name or say("no_team"), own, result.kinds, say)
                for name, own in grouped(result.findings, by).items()
                if name or by == "team"
            ],
        )
        for by in ("team", "template")
    ]
    return [
        say.heading("adoption"),
        say.table("adoption", " ".join(["name adoption", *result.kinds]), groups=groups),
    ]


def _row(
    name: str, findings: Sequence[Finding], kinds: Iterable[str], say: Voice
) -> list[str | Cell]:
    """Return a row of the table: how often each kind of thing is there, of the times asked."""
    whole, own = share(findings), grouped(findings, "kind")
    cells: list[str | Cell] = [name, say("of", held=whole.whole, asked=whole.documents)]
    for kind in kinds:
        _, _, held, asked = share(own.get(kind, ()))
        tone: Tone = "good" if held == asked else "open" if held else "bad"
        cells.append(Cell(say("of", held=held, asked=asked), tone=tone) if asked else say.none)
    return cells


def _lacking(result: StandardsResult, say: Voice) -> Blocks:
    """Return what each document lacks: those to complete first, with whom to write to."""
    rows = [
        (
            Cell(row["title"], say.joined(row["team"], shown(row["document"]))),
            row["owner"] or say.none,
            row["template"] or say.none,
            row["lacking"] or say("lack_there"),
        )
        for row in result.room("record").rows(result, full=False)
    ]
    columns = "document owner template lacking"
    return [say.heading("lacking"), say.table("lacking", columns, rows)]


def _movement(result: StandardsResult, say: Voice) -> Blocks:
    points = [
        say(f"moved_{part}", **moved._asdict())
        for moved in result.movements
        for part in ("pass", "new", "gone")
        if getattr(moved, part, True)
    ]
    return [say.heading("movement"), Points(points) if points else say.paragraph("moved_warn")]


def _checks(result: StandardsResult, say: Voice) -> Blocks:
    reasons = Points([problem.text(say.language) for problem in result.unread])
    files = say.paragraph("files", unread=len(result.unread), others=result.others)
    return [say.heading("checks"), say.checks(result.checks), files, reasons]


def _method(result: StandardsResult, say: Voice) -> Blocks:
    points = [
        say(f"method_{name}", days=result.standard.stale_after_days) for name in _METHOD.split()
    ]
    return [say.heading("method"), Points(points)]


PARTS = {
    "adoption": _adoption,
    "lacking": _lacking,
    "movement": _movement,
    "checks": _checks,
    "method": _method,
}
