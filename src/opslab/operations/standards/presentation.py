"""A review's readout: adoption, what each document lacks, what moved, checks, method."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from opslab.messages import Language
from opslab.operations.standards.adoption import LEVEL, grouped, share
from opslab.operations.standards.figures import figures
from opslab.operations.standards.result import Finding, Share, StandardsResult
from opslab.report.blocks import Cell, Facts, Group, Points, Tone, Verdict
from opslab.report.voice import Blocks, Voice

__all__ = ["PARTS", "figures", "first_screen", "headline", "voice"]

_TONES: Mapping[str, Tone] = {"stop": "bad", "fix": "open", "keep": "good"}
_KINDS = "template sections owner date review_by baseline target evidence keys"
_METHOD = "template held adoption dates evidence read"


def voice(result: StandardsResult, language: Language) -> Voice:
    """Return the voice of a review."""
    del result
    return Voice(language, "standards")


def headline(result: StandardsResult, say: Voice) -> str:
    """Return the sentence that a sponsor reads first."""
    values = {**result.share._asdict(), "span": _span(result.share, say), "level": LEVEL}
    return say(f"headline_{result.action}", unread=len(result.unread), **values)


def first_screen(result: StandardsResult, say: Voice) -> Verdict:
    """Return what happened, how sure we are, and what to do."""
    standard, all_of = result.standard, result.share
    first = next((say(f"column_{kind}") for kind in result.kinds), "")
    documents = say("of", held=all_of.whole, asked=all_of.documents)
    telling = [one for one in result.checks if one.status != "pass" or one.name == "moved"]
    day = say.date(result.as_of) if result.as_of else None
    return Verdict(
        kicker=say.joined(say("kicker"), day, standard.owner),
        title=say.spoken(standard.shown_title),
        question=say.spoken(standard.question) if standard.question else None,
        action=say(f"action_{result.action}", name=first),
        headline=headline(result, say),
        tone=_TONES[result.action],
        facts=Facts([say.fact("adoption", documents), say.checks_fact(result.checks)]),
        reasons=[say.message(check.detail) for check in telling],
    )


def _span(share: Share, say: Voice) -> str:
    return say.range(say.percent(share.low, 0), say.percent(share.high, 0))


def _adoption(result: StandardsResult, say: Voice) -> Blocks:
    groups = [
        Group(
            Cell(say(f"column_{by}")),
            [_row(name, own, say) for name, own in grouped(result.findings, by).items()],
        )
        for by in ("team", "template")
    ]
    table = say.table("adoption", f"name adoption {_KINDS}", groups=groups, level=LEVEL)
    return [say.heading("adoption"), *result.figures(say.language).values(), table]


def _row(name: str, findings: Sequence[Finding], say: Voice) -> list[str | Cell]:
    """Return a row of the table: how often each kind of thing is there, of the times asked."""
    whole, kinds = share(findings), grouped(findings, "kind")
    documents = say("of", held=whole.whole, asked=whole.documents)
    cells: list[str | Cell] = [name or say("no_name"), Cell(documents, interval=_span(whole, say))]
    for kind in _KINDS.split():
        _, _, held, asked, *_ = share(kinds.get(kind, ()))
        tone: Tone = "good" if held == asked else "open" if held else "bad"
        cells.append(Cell(say("of", held=held, asked=asked), tone=tone) if asked else say.none)
    return cells


def _lacking(result: StandardsResult, say: Voice) -> Blocks:
    rows = [
        (
            Cell(row["title"], say.joined(row["team"], row["document"])),
            row["template"] or say.none,
            say("of", held=row["held"], asked=row["asked"]),
            row["lacking"] or say("lack_there"),
        )
        for row in result.room("record").rows(result, full=False)
    ]
    return [say.heading("lacking"), say.table("lacking", "document template held lacking", rows)]


def _movement(result: StandardsResult, say: Voice) -> Blocks:
    rows = [
        (
            say.date(day),
            *(say("of", held=whole, asked=both) for whole in (before, now)),
            *(say.listed(names) or say.none for names in (new, gone)),
        )
        for day, both, before, now, new, gone in result.movements
    ]
    table = say.table("movement", "date before now new gone", rows)
    return [say.heading("movement"), table if rows else say.paragraph("moved_warn")]


def _checks(result: StandardsResult, say: Voice) -> Blocks:
    reasons = Points([problem.text(say.language) for problem in result.unread])
    files = say.paragraph("files", unread=len(result.unread), others=result.others)
    return [say.heading("checks"), say.checks(result.checks), files, reasons]


def _method(result: StandardsResult, say: Voice) -> Blocks:
    values = {"days": result.standard.stale_after_days, "level": LEVEL}
    points = [say(f"method_{name}", **values) for name in _METHOD.split()]
    return [say.heading("method"), Points(points)]


PARTS: dict[str, Callable[[StandardsResult, Voice], Blocks]] = {
    "adoption": _adoption,
    "lacking": _lacking,
    "movement": _movement,
    "checks": _checks,
    "method": _method,
}
