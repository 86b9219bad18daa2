"""A feedback readout, block by block: the first screen, then themes, their cards, quality, data, method."""

from __future__ import annotations

from dataclasses import dataclass

from opslab import workspace
from opslab.feedback import record
from opslab.feedback.analysis import FEWEST
from opslab.feedback.audit import wilson
from opslab.feedback.intake import LONGEST
from opslab.feedback.redaction import KINDS
from opslab.feedback.result import Check, FeedbackResult, Theme
from opslab.messages import Language, numbers, text
from opslab.report.blocks import (
    Block,
    Cell,
    Facts,
    Heading,
    Pairs,
    Paragraph,
    Points,
    Table,
    Tone,
    Verdict,
)
from opslab.report.figures import Figure
from opslab.report.import_report import import_report

_TONES: dict[str, Tone] = {"pass": "good", "warn": "open", "fail": "bad"}
_MOST_CARDS, _MOST_ROWS, _SHORT, _LONG, _FIRST = 12, 40, 140, 280, 3
_OVERSEEN = 15  # themes that a reader takes in; of more, the groups speak on the first screen


@dataclass(frozen=True)
class Said:
    """One thing that customers say, as the first screen and the bars tell it: a theme, or a group of them."""

    title: str
    messages: int
    share: float
    interval: tuple[float, float]
    quote: int


def said(result: FeedbackResult) -> list[Said]:
    """Return what customers say, the most said first: themes, or where they are many, groups of them."""
    if len(result.themes) <= _OVERSEEN:
        return [
            Said(one.title, one.messages, one.share, one.interval, one.quotes[0])
            for one in result.themes
        ]
    total, first = len(result.intake.messages), {one.id: one.quotes[0] for one in result.themes}
    return [
        Said(
            one.title,
            one.messages,
            one.messages / total,
            wilson(one.messages, total),
            first[one.themes[0]],
        )
        for one in result.groups
    ]


def headline(result: FeedbackResult, language: Language) -> str:
    """Return the sentence that a sponsor reads first."""
    total = len(result.intake.messages)
    if result.broken:
        return text("feedback.headline_broken", language)
    if not result.themes:
        return text("feedback.headline_none", language, messages=total)
    one = said(result)[0]
    told = {"theme": one.title, "share": one.share, "messages": one.messages, "total": total}
    return text("feedback.headline", language, low=one.interval[0], high=one.interval[1], **told)


def first_screen(result: FeedbackResult, language: Language) -> Verdict:
    """Return what customers say, how much of it, and how sure we are."""
    failed = [say(check, language) for check in result.checks if check.status == "fail"]
    warned = [say(check, language) for check in result.checks if check.status == "warn"]
    told = [
        text(
            "feedback.first_line",
            language,
            theme=one.title,
            share=one.share,
            messages=one.messages,
            quote=_short(result.intake.messages[one.quote].text, _SHORT),
        )
        for one in said(result)[:_FIRST]
    ]
    share = result.sorted / max(len(result.intake.messages), 1)
    kind = "broken" if result.broken else "done" if result.themes else "none"
    days = sorted(message.date for message in result.intake.messages if message.date)
    period = [numbers.period((days[0], days[-1]), language=language)] if days else []
    owner = [result.study.owner] if result.study.owner else []
    return Verdict(
        kicker=" · ".join([text("feedback.kicker", language), *period, *owner]),
        title=result.study.study,
        question=result.study.question,
        action=text(f"feedback.action_{kind}", language, themes=len(result.themes), share=share),
        headline=headline(result, language),
        tone="bad" if result.broken else "open" if failed or not result.themes else _trust(result),
        facts=_facts(result, language),
        reasons=[*failed, *told] if failed else [*told, *warned],
    )


def sections(result: FeedbackResult, language: Language) -> dict[str, list[Block | Figure]]:
    """Return the readout's sections by name."""
    return {
        "themes": _themes(result, language),
        "cards": _cards(result, language),
        "quality": _quality(result, language),
        "data": _data(result, language),
        "method": _method(result, language),
    }


def _trust(result: FeedbackResult) -> Tone:
    """Return the tone of themes that no check forbids: good once people have judged enough of them."""
    return "good" if all(check.status == "pass" for check in result.checks) else "plain"


def say(check: Check, language: Language) -> str:
    """Return a check's sentence."""
    return text(check.key, language, **check.values)


def _facts(result: FeedbackResult, language: Language) -> Facts:
    messages, total = result.intake.messages, len(result.intake.messages)

    def named(name: str, value: str, *remarks: str) -> tuple[str, str, tuple[str, ...]]:
        return text(f"feedback.fact_{name}", language), value, remarks

    spoken = " · ".join(
        f"{name} {_count(count, language)}" for name, count in record.languages(result).items()
    )
    sources = text(
        "feedback.fact_sources", language, count=len({message.source for message in messages})
    )
    items = [named("messages", _count(total, language), sources, spoken[:60])]
    if result.themes:
        unsorted = record.unsorted(result)
        why = (
            [text(f"feedback.reason_{max(unsorted, key=lambda one: unsorted[one])}", language)]
            if unsorted
            else []
        )
        left = text("feedback.fact_unsorted", language, count=total - result.sorted)
        items.append(named("sorted", _share(result.sorted / total, language), left, *why))
    for check in result.checks:
        if check.name == "stability":
            remark = text("feedback.fact_stability_remark", language)
            items.append(named("stability", _share(check.value or 0.0, language), remark))
    audit, none = result.audit, text("words.none", language)
    if audit is not None and audit.judged:
        low, high = (_share(end, language) for end in audit.interval)
        remarks = (
            text("words.range", language, low=low, high=high),
            text("feedback.fact_judged", language, judged=audit.judged),
        )
        items.append(named("audit", _share(audit.right / audit.judged, language), *remarks))
    elif result.themes:
        items.append(named("audit", none, text("feedback.fact_audit_none", language)))
    return Facts(items)


def _themes(result: FeedbackResult, language: Language) -> list[Block | Figure]:
    blocks: list[Block | Figure] = [Heading(text("feedback.section_themes", language))]
    if not result.themes:
        shown = [_short(message.text, _LONG) for message in result.intake.messages[:FEWEST]]
        return [
            *blocks,
            Paragraph(text("feedback.no_themes", language, fewest=FEWEST)),
            Points(shown),
        ]
    if result.broken:
        blocks.append(Paragraph(text("feedback.themes_broken", language), "bad"))
    drawn = result.figures(language)
    heads = [
        text(f"feedback.column_{name}", language)
        for name in ("theme", "messages", "share", "customers", "rating", "stability")
    ]
    groups = {group.id: group.title for group in result.groups if len(group.themes) > 1}
    rows = [_row(one, groups.get(one.group), language) for one in result.themes[:_MOST_ROWS]]
    table = Table(text("feedback.table_themes", language), heads, rows, range(1, 6), wide=True)
    more = len(result.themes) - len(rows)
    said_more = (
        [Paragraph(text("feedback.more_themes", language, count=more), small=True)] if more else []
    )
    return [*blocks, drawn["shares"], table, *said_more, drawn["map"]]


def _row(one: Theme, group: str | None, language: Language) -> list[str | Cell]:
    none = text("words.none", language)
    low, high = (numbers.percent(end, language=language) for end in one.interval)
    stable, weak = one.stability, one.stability is not None and one.stability < 0.5  # noqa: PLR2004 - Hennig's "dissolved"
    return [
        Cell(one.title, text("feedback.in_group", language, group=group) if group else ""),
        _count(one.messages, language),
        Cell(
            numbers.percent(one.share, language=language),
            text("words.range", language, low=low, high=high),
        ),
        none if one.customers is None else _count(one.customers, language),
        none if one.rating is None else numbers.decimal(one.rating, 1, language=language),
        Cell(
            none if stable is None else _share(stable, language), tone="open" if weak else "plain"
        ),
    ]


def _cards(result: FeedbackResult, language: Language) -> list[Block | Figure]:
    blocks: list[Block | Figure] = (
        [Heading(text("feedback.section_cards", language))] if result.themes else []
    )
    for one in result.themes[:_MOST_CARDS]:
        words = " · ".join(", ".join(part.phrases) for part in one.phrases) or text(
            "words.none", language
        )
        told = text("feedback.card", language, messages=one.messages, share=one.share, words=words)
        quoted = [_quote(result, place, language) for place in one.quotes]
        blocks += [Heading(one.title, 3), Paragraph(told), Points(quoted)]
    return blocks


def _quote(result: FeedbackResult, place: int, language: Language) -> str:
    message = result.intake.messages[place]
    day = [numbers.date(message.date, language=language)] if message.date else []
    where = " · ".join([message.source, message.id, *day])
    return text("feedback.quote", language, quote=_short(message.text, _LONG), where=where)


def _quality(result: FeedbackResult, language: Language) -> list[Block | Figure]:
    rows = [
        (
            text(f"feedback.check_{check.name}", language),
            Cell(text(f"feedback.status_{check.status}", language), tone=_TONES[check.status]),
            text("words.yes" if check.blocking else "words.no", language),
            say(check, language),
        )
        for check in result.checks
    ]
    heads = [
        text(f"feedback.column_{name}", language)
        for name in ("check", "status", "blocking", "detail")
    ]
    blocks: list[Block | Figure] = [
        Heading(text("feedback.section_quality", language)),
        Table(text("feedback.table_quality", language), heads, rows, wide=True),
    ]
    unsorted, total = record.unsorted(result), len(result.intake.messages)
    if unsorted:
        lines = [
            (
                text(f"feedback.reason_{reason}", language),
                _count(count, language),
                _share(count / total, language),
            )
            for reason, count in unsorted.items()
        ]
        heads = [
            text(f"feedback.column_{name}", language) for name in ("reason", "messages", "share")
        ]
        blocks.append(
            Table(text("feedback.table_unsorted", language), heads, lines, numeric=(1, 2))
        )
        blocks.append(
            Paragraph(
                text("feedback.dial", language, coverage=result.study.themes.coverage), small=True
            )
        )
    if result.audit and result.audit.stale:
        blocks.append(
            Paragraph(text("feedback.audit_stale", language, count=result.audit.stale), small=True)
        )
    return blocks


def _data(result: FeedbackResult, language: Language) -> list[Block | Figure]:
    intake = result.intake
    counts = {name: getattr(intake, name) for name in ("empty", "outside", "repeated", "cut")}
    counts = {"used": len(intake.messages), "copies": record.copies(result)} | counts
    rows = [
        (text(f"feedback.data_{name}", language, most=LONGEST), _count(count, language))
        for name, count in counts.items()
        if count or name == "used"
    ]
    kinds = [
        (
            text(f"feedback.kind_{kind}", language) if kind in KINDS else kind,
            _count(count, language),
        )
        for kind, count in sorted(intake.redacted.items())
    ]
    blocks: list[Block | Figure] = [Heading(text("feedback.section_data", language)), Pairs(rows)]
    blocks += [
        Paragraph(text("feedback.redacted", language, count=intake.redacted.total())),
        Pairs(kinds),
    ]
    blocks.append(Paragraph(text("feedback.names_gap", language), "open"))
    for reading in intake.readings:
        blocks += [Heading(reading.name, 3), *import_report(reading, language)]
    return blocks


def _method(result: FeedbackResult, language: Language) -> list[Block | Figure]:
    method, file = result.method, result.study.file
    values = {"encoder": method.encoder, "sha256": method.encoder_sha256}
    points = [
        text("feedback.method_encoder", language, **values),
        text("feedback.method_themes", language),
    ]
    if method.resolution is not None:
        chosen = {"resolution": method.resolution, "silhouette": method.silhouette}
        points.append(text("feedback.method_chosen", language, **chosen))
    names = ("names", "quotes", "interval", "ids", "files")
    points += [text(f"feedback.method_{name}", language) for name in names]
    if file:
        shown = {"spec": workspace.shown(file), "sha256": workspace.sha256(file)}
        points.append(text("feedback.method_spec", language, **shown))
    return [Heading(text("feedback.section_method", language)), Points(points)]


def _short(given: str, most: int) -> str:
    return given if len(given) <= most else given[:most].rsplit(" ", 1)[0] + "…"


def _count(value: int, language: Language) -> str:
    return numbers.integer(value, language=language)


def _share(value: float, language: Language) -> str:
    return numbers.percent(value, 0, language=language)
