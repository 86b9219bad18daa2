"""A review's readout: adoption, teams, documents, what moved, checks, what was not read, method."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from opslab.messages import Language
from opslab.operations.standards.adoption import LEVEL, shares
from opslab.operations.standards.figures import figures
from opslab.operations.standards.result import KINDS, Share, StandardsResult
from opslab.report.blocks import Cell, Facts, Group, Points, Tone, Verdict
from opslab.report.voice import Blocks, Voice

__all__ = ["PARTS", "figures", "first_screen", "headline", "voice"]

_TONES: Mapping[str, Tone] = {"stop": "bad", "fix": "open", "keep": "good"}
_METHOD = "template held adoption dates evidence read"


def voice(result: StandardsResult, language: Language) -> Voice:
    """Return the voice of a review."""
    del result
    return Voice(language, "standards")


def headline(result: StandardsResult, say: Voice) -> str:
    """Return the sentence that a sponsor reads first."""
    share = result.share
    span = say.range(say.percent(share.low, 0), say.percent(share.high, 0))
    values = share._asdict() | {"level": LEVEL, "span": span, "unread": len(result.unread)}
    return say("headline_stop" if result.broken else "headline", **values)


def first_screen(result: StandardsResult, say: Voice) -> Verdict:
    """Return what happened, how sure we are, and what to do."""
    standard, share = result.standard, result.share
    first = next((say(f"column_{kind}") for kind in result.kinds), "")
    held = say.percent(share.held / (share.asked or 1), 0)
    facts = [
        say.fact("adoption", _of(share.whole, share.documents, say)),
        say.fact("held", held, _of(share.held, share.asked, say)),
        say.checks_fact(result.checks),
    ]
    wrong = [say.message(check.detail) for check in result.checks if check.status != "pass"]
    return Verdict(
        kicker=say.joined(say("kicker"), say.date(result.as_of), standard.owner),
        title=say.spoken(standard.shown_title),
        question=say.spoken(standard.question) if standard.question else None,
        action=say(f"action_{result.action}", name=first),
        headline=headline(result, say),
        tone=_TONES[result.action],
        facts=Facts(facts),
        reasons=wrong,
    )


def _of(held: int, asked: int, say: Voice) -> str:
    return say("of", held=held, asked=asked)


def _share(name: str, share: Share, say: Voice) -> tuple[str | Cell, ...]:
    span = say.range(say.percent(share.low, 0), say.percent(share.high, 0))
    held = say.percent(share.held / share.asked, 0)
    return name, Cell(_of(share.whole, share.documents, say), interval=span), held


def _adoption(result: StandardsResult, say: Voice) -> Blocks:
    rows = [_share(say("all"), result.share, say)] if result.findings else []
    groups = [Group(Cell(say("all")), rows)]
    for by in ("team", "template"):
        parts = shares(result.findings, by).items()
        named = [_share(name or say("no_name"), share, say) for name, share in parts]
        groups.append(Group(Cell(say(f"column_{by}")), named))
    table = say.table("adoption", "name adoption held", groups=groups, numeric=(1, 2), level=LEVEL)
    return [say.heading("adoption"), *result.figures(say.language).values(), table]


def _teams(result: StandardsResult, say: Voice) -> Blocks:
    rows = []
    for team in sorted({finding.team for finding in result.findings}):
        own = shares([finding for finding in result.findings if finding.team == team], "kind")
        cells = [_cell(own.get(kind), say) for kind in (*KINDS, "other")]
        rows.append((team or say("no_name"), *cells))
    columns = "team template sections owner date review_by baseline target evidence other"
    return [say.heading("teams"), say.table("teams", columns, rows)]


def _cell(share: Share | None, say: Voice) -> str | Cell:
    if share is None:
        return say.none
    tone: Tone = "good" if share.held == share.asked else "open" if share.held else "bad"
    return Cell(_of(share.held, share.asked, say), tone=tone)


def _documents(result: StandardsResult, say: Voice) -> Blocks:
    rows = []
    for row in result.rows():
        own = [
            one
            for one in result.findings
            if one.document == row["document"] and one.state != "there"
        ]
        lacking = [
            say(f"lack_{finding.state}", name=finding.asked, value=finding.value) for finding in own
        ]
        rows.append(
            (
                Cell(row["title"], say.joined(row["team"], row["document"])),
                row["template"] or say("no_name"),
                _of(row["held"], row["asked"], say),
                "; ".join(lacking) or say("nothing_lacks"),
            )
        )
    table = say.table("documents", "document template held lacking", rows, numeric=(2,))
    return [say.heading("documents"), table]


def _movement(result: StandardsResult, say: Voice) -> Blocks:
    if not result.movements:
        return [say.heading("movement"), say.paragraph("no_movement")]
    rows = [
        (
            say.date(movement.as_of),
            *(_of(share.whole, share.documents, say) for share in movement[1:4]),
            say.listed(movement.new) or say.none,
            say.listed(movement.gone) or say.none,
        )
        for movement in result.movements
    ]
    table = say.table("movement", "date before now all_before new gone", rows, numeric=(1, 2, 3))
    return [say.heading("movement"), table]


def _checks(result: StandardsResult, say: Voice) -> Blocks:
    return [say.heading("checks"), say.checks(result.checks)]


def _data(result: StandardsResult, say: Voice) -> Blocks:
    count = len({finding.document for finding in result.findings})
    told = [problem.text(say.language) for problem in result.unread]
    read = say.paragraph("files", count=count, unread=len(told), others=result.others)
    return [say.heading("data"), read, Points(told)]


def _method(result: StandardsResult, say: Voice) -> Blocks:
    days = result.standard.stale_after_days
    points = [say(f"method_{name}", days=days, level=LEVEL) for name in _METHOD.split()]
    return [say.heading("method"), Points(points)]


PARTS: dict[str, Callable[[StandardsResult, Voice], Blocks]] = {
    "adoption": _adoption,
    "teams": _teams,
    "documents": _documents,
    "movement": _movement,
    "checks": _checks,
    "data": _data,
    "method": _method,
}
