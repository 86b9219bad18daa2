"""A review's readout: adoption, teams, documents, what moved, checks, what was not read, method."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from opslab.messages import Language
from opslab.operations.standards.adoption import LEVEL, share, shares
from opslab.operations.standards.figures import figures
from opslab.operations.standards.result import KINDS, Finding, Share, StandardsResult
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
    values = share._asdict() | {"span": _span(share, say), "unread": len(result.unread)}
    return say("headline_stop" if result.broken else "headline", level=LEVEL, **values)


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
        kicker=say.joined(
            say("kicker"), say.date(result.as_of) if result.as_of else None, standard.owner
        ),
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


def _adoption(result: StandardsResult, say: Voice) -> Blocks:
    groups = []
    for by in ("team", "template"):
        names = sorted({getattr(finding, by) for finding in result.findings})
        own = [[one for one in result.findings if getattr(one, by) == name] for name in names]
        rows = [
            _row(name or say("no_name"), part, say) for name, part in zip(names, own, strict=True)
        ]
        groups.append(Group(Cell(say(f"column_{by}")), rows))
    columns = "name adoption template sections owner date review baseline target evidence other"
    table = say.table("adoption", columns, groups=groups, level=LEVEL)
    return [say.heading("adoption"), *result.figures(say.language).values(), table]


def _row(name: str, findings: Sequence[Finding], say: Voice) -> list[str | Cell]:
    whole, kinds = share(findings), shares(findings, "kind")
    cells: list[str | Cell] = [
        name,
        Cell(_of(whole.whole, whole.documents, say), interval=_span(whole, say)),
    ]
    for kind in ("template", "sections", *KINDS, "other"):
        held, asked = (kinds[kind].held, kinds[kind].asked) if kind in kinds else (0, 0)
        tone: Tone = "good" if held == asked else "open" if held else "bad"
        cells.append(Cell(_of(held, asked, say), tone=tone) if asked else say.none)
    return cells


def _span(share: Share, say: Voice) -> str:
    return say.range(say.percent(share.low, 0), say.percent(share.high, 0))


def _lacking(result: StandardsResult, say: Voice) -> Blocks:
    lacking: dict[str, list[str]] = {}
    for finding in result.findings:
        said = say(f"lack_{finding.state}", name=finding.asked, value=finding.value)
        lacking.setdefault(finding.document, []).extend([said] * (finding.state != "there"))
    rows = [
        (
            Cell(row["title"], say.joined(row["team"], row["document"])),
            row["template"] or say("no_name"),
            _of(row["held"], row["asked"], say),
            "; ".join(lacking[row["document"]]) or say("lack_there"),
        )
        for row in result.rows()
    ]
    table = say.table("documents", "document template held lacking", rows)
    return [say.heading("documents"), table]


def _movement(result: StandardsResult, say: Voice) -> Blocks:
    rows = [
        (
            say.date(day),
            _of(before.whole, before.documents, say),
            _of(now.whole, now.documents, say),
            say.listed(new) or say.none,
            say.listed(gone) or say.none,
        )
        for day, before, now, new, gone in result.movements
    ]
    table = say.table("movement", "date before now new gone", rows)
    return [say.heading("movement"), table if rows else say.paragraph("moved_warn")]


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
    "lacking": _lacking,
    "movement": _movement,
    "checks": _checks,
    "data": _data,
    "method": _method,
}
