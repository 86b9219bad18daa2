"""A feedback readout, block by block: the first screen, then themes, their cards, the quality panel, data, method."""

from __future__ import annotations

from typing import Any

from opslab.feedback import record
from opslab.feedback.analysis import FEWEST
from opslab.feedback.intake import LONGEST
from opslab.feedback.redaction import KINDS
from opslab.feedback.result import Check, FeedbackResult, Theme
from opslab.messages import Language, numbers, text
from opslab.report.blocks import Block, Cell, Facts, Heading, Pairs, Paragraph, Points, Table, Tone, Verdict
from opslab.report.figures import Figure
from opslab.report.imports import import_report

_STATUS_TONES: dict[str, Tone] = {"pass": "good", "warn": "open", "fail": "bad"}
_MOST_CARDS, _MOST_ROWS, _QUOTED, _FIRST = 12, 40, 280, 3


def headline(result: FeedbackResult, language: Language) -> str:
    """Return the sentence that a sponsor reads first."""
    if result.broken:
        return text("feedback.headline_broken", language)
    if not result.themes:
        return text("feedback.headline_none", language, messages=len(result.intake.messages))
    one = result.themes[0]
    low, high = one.share_interval
    values = {"theme": one.title, "share": one.share, "messages": one.messages, "low": low, "high": high}
    return text("feedback.headline", language, total=len(result.intake.messages), **values)


def first_screen(result: FeedbackResult, language: Language) -> Verdict:
    """Return what customers say, how much of it, and how sure we are."""
    failed = [say(check, language) for check in result.checks if check.status == "fail"]
    warned = [say(check, language) for check in result.checks if check.status == "warn"]
    told = [_first_line(result, one, language) for one in result.themes[:_FIRST]]
    tone: Tone = "bad" if result.broken else "open" if failed or not result.themes else "good"
    return Verdict(
        kicker=_kicker(result, language),
        title=result.plan.study,
        question=result.plan.question,
        action=_action(result, language),
        headline=headline(result, language),
        tone=tone,
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


def say(check: Check, language: Language) -> str:
    """Return a check's sentence."""
    key, values = check.detail
    return text(key, language, **values)


def _action(result: FeedbackResult, language: Language) -> str:
    if result.broken:
        return text("feedback.action_broken", language)
    if not result.themes:
        return text("feedback.action_none", language)
    share = result.sorted / len(result.intake.messages)
    return text("feedback.action", language, themes=len(result.themes), share=share)


def _first_line(result: FeedbackResult, one: Theme, language: Language) -> str:
    quote = _short(result.intake.messages[one.quotes[0].place].text, 140)
    return text("feedback.first_line", language, theme=one.title, share=one.share, messages=one.messages, quote=quote)


def _kicker(result: FeedbackResult, language: Language) -> str:
    parts = [text("feedback.kicker", language)]
    days = sorted(message.date for message in result.intake.messages if message.date)
    if days:
        parts.append(numbers.period((days[0], days[-1]), language=language))
    return " · ".join([*parts, *([result.plan.owner] if result.plan.owner else [])])


def _facts(result: FeedbackResult, language: Language) -> Facts:
    intake, total = result.intake, len(result.intake.messages)
    sources = len({message.source for message in intake.messages})
    spoken = [f"{name} {numbers.integer(count, language=language)}" for name, count in record.languages(result).items()]
    customers = len({message.customer for message in intake.messages if message.customer})
    remarks = [text("feedback.fact_sources", language, count=sources), " · ".join(spoken[:4])]
    if customers:
        remarks.append(text("feedback.fact_customers", language, count=customers))
    items = [(text("feedback.fact_messages", language), numbers.integer(total, language=language), remarks)]
    if result.themes:
        unsorted = record.unsorted(result)
        main = max(unsorted, key=lambda reason: unsorted[reason], default=None)
        why = [text(f"feedback.reason_{main}", language)] if main else []
        kept = numbers.percent(result.sorted / total, 0, language=language)
        items.append((text("feedback.fact_sorted", language), kept, [text("feedback.fact_unsorted", language, count=total - result.sorted), *why]))
        stable = next(check for check in result.checks if check.name == "stability")
        shown = numbers.percent(stable.value or 0.0, 0, language=language)
        items.append((text("feedback.fact_stability", language), shown, [text("feedback.fact_stability_remark", language)]))
        items.append(_audit_fact(result, language))
    return Facts(items)


def _audit_fact(result: FeedbackResult, language: Language) -> tuple[str, str, list[str]]:
    audit = result.audit
    name = text("feedback.fact_audit", language)
    if audit is None or not audit.judged:
        return name, text("words.none", language), [text("feedback.fact_audit_none", language)]
    low, high = (numbers.percent(end, 0, language=language) for end in audit.interval)
    share = numbers.percent(audit.right / audit.judged, 0, language=language)
    judged = text("feedback.fact_audit_judged", language, judged=audit.judged)
    return name, share, [text("words.range", language, low=low, high=high), judged]


def _themes(result: FeedbackResult, language: Language) -> list[Block | Figure]:
    blocks: list[Block | Figure] = [Heading(text("feedback.section_themes", language))]
    if not result.themes:
        said = [text("feedback.no_themes", language, fewest=FEWEST)]
        shown = [_short(message.text, _QUOTED) for message in result.intake.messages[:FEWEST]]
        return [*blocks, Paragraph(said[0]), Points(shown)]
    if result.broken:
        blocks.append(Paragraph(text("feedback.themes_broken", language), "bad"))
    drawn = result.figures(language)
    blocks.append(drawn["shares"])
    columns = ["theme", "messages", "share", "interval"]
    optional = {
        "customers": any(one.customers for one in result.themes),
        "revenue": any(one.revenue is not None for one in result.themes),
        "rating": any(one.rating is not None for one in result.themes),
    }
    columns += [name for name, there in optional.items() if there] + ["stability"]
    groups = {group.id: group.title for group in result.groups if len(group.themes) > 1}
    rows = [[_cell(result, one, name, groups, language) for name in columns] for one in result.themes[:_MOST_ROWS]]
    heads = [text(f"feedback.column_{name}", language) for name in columns]
    blocks.append(Table(text("feedback.table_themes", language), heads, rows, numeric=range(1, len(columns)), wide=True))
    if len(result.themes) > _MOST_ROWS:
        blocks.append(Paragraph(text("feedback.more_themes", language, count=len(result.themes) - _MOST_ROWS), small=True))
    blocks.append(drawn["map"])
    return blocks


def _cell(result: FeedbackResult, one: Theme, name: str, groups: dict[str, str], language: Language) -> str | Cell:
    none = text("words.none", language)
    low, high = (numbers.percent(end, language=language) for end in one.share_interval)
    match name:
        case "theme":
            inside = text("feedback.in_group", language, group=groups[one.group]) if one.group in groups else ""
            return Cell(one.title, inside)
        case "messages":
            return numbers.integer(one.messages, language=language)
        case "share":
            return numbers.percent(one.share, language=language)
        case "interval":
            return text("words.range", language, low=low, high=high)
        case "customers":
            return none if one.customers is None else numbers.integer(one.customers, language=language)
        case "revenue":
            return none if one.revenue is None else numbers.integer(one.revenue, language=language)
        case "rating":
            return none if one.rating is None else numbers.decimal(one.rating, 1, language=language)
    return Cell(numbers.percent(one.stability, 0, language=language), tone="plain" if one.stability >= 0.5 else "open")  # noqa: PLR2004 - Hennig's "dissolved"


def _cards(result: FeedbackResult, language: Language) -> list[Block | Figure]:
    if not result.themes:
        return []
    blocks: list[Block | Figure] = [Heading(text("feedback.section_cards", language))]
    for one in result.themes[:_MOST_CARDS]:
        blocks.append(Heading(one.title, 3))
        said = [text("feedback.card", language, messages=one.messages, share=one.share)]
        said += [text("feedback.card_days", language, first=one.first, last=one.last)] if one.first else []
        words = [", ".join(part.phrases) for part in one.phrases]
        said += [text("feedback.card_words", language, words=" · ".join(words))] if words else []
        blocks += [Paragraph(" ".join(said)), Points([_quote(result, quote.place, language) for quote in one.quotes])]
    if len(result.themes) > _MOST_CARDS:
        blocks.append(Paragraph(text("feedback.more_cards", language, count=len(result.themes) - _MOST_CARDS), small=True))
    return blocks


def _quote(result: FeedbackResult, place: int, language: Language) -> str:
    message = result.intake.messages[place]
    parts = [message.source, message.id]
    parts += [numbers.date(message.date, language=language)] if message.date else []
    return text("feedback.quote", language, quote=_short(message.text, _QUOTED), where=" · ".join(parts))


def _quality(result: FeedbackResult, language: Language) -> list[Block | Figure]:
    rows = [
        (
            text(f"feedback.check_{check.name}", language),
            Cell(text(f"feedback.status_{check.status}", language), tone=_STATUS_TONES[check.status]),
            text("words.yes" if check.blocking else "words.no", language),
            say(check, language),
        )
        for check in result.checks
    ]
    heads = [text(f"feedback.column_{name}", language) for name in ("check", "status", "blocking", "detail")]
    blocks: list[Block | Figure] = [
        Heading(text("feedback.section_quality", language)),
        Table(text("feedback.table_quality", language), heads, rows, wide=True),
    ]
    unsorted, total = record.unsorted(result), len(result.intake.messages)
    if unsorted:
        lines = [
            (
                text(f"feedback.reason_{reason}", language),
                numbers.integer(count, language=language),
                numbers.percent(count / total, language=language),
            )
            for reason, count in unsorted.items()
        ]
        heads = [text(f"feedback.column_{name}", language) for name in ("reason", "messages", "share")]
        blocks.append(Table(text("feedback.table_unsorted", language), heads, lines, numeric=(1, 2)))
        blocks.append(Paragraph(text("feedback.dial", language, coverage=result.plan.coverage), small=True))
    if result.audit and result.audit.stale:
        blocks.append(Paragraph(text("feedback.audit_stale", language, count=result.audit.stale), small=True))
    return blocks


def _data(result: FeedbackResult, language: Language) -> list[Block | Figure]:
    intake = result.intake
    blocks: list[Block | Figure] = [Heading(text("feedback.section_data", language))]
    copies = sum(place.copy_of is not None for place in result.places)
    counts = {"used": len(intake.messages), "copies": copies, "empty": intake.empty, "outside": intake.outside,
              "repeated": intake.repeated, "cut": intake.cut}  # fmt: skip
    blocks.append(
        Pairs([
            (text(f"feedback.data_{name}", language, most=LONGEST), numbers.integer(count, language=language))
            for name, count in counts.items()
            if count or name in ("used", "copies")
        ])
    )  # fmt: skip
    found = [
        (text(f"feedback.kind_{kind}", language) if kind in KINDS else kind, numbers.integer(count, language=language))
        for kind, count in sorted(intake.redacted.items())
    ]
    blocks.append(Paragraph(text("feedback.redacted", language, count=intake.redacted.total())))
    blocks += [Pairs(found)] if found else []
    blocks.append(Paragraph(text("feedback.names_gap", language), "open"))
    for reading in intake.readings:
        blocks += [Heading(reading.name, 3), *import_report(reading, language)]
    return blocks


def _method(result: FeedbackResult, language: Language) -> list[Block | Figure]:
    plan = result.plan
    encoder: dict[str, Any] = {"encoder": plan.encoder, "sha256": plan.encoder_sha256}
    said = [text("feedback.method_encoder", language, **encoder), text("feedback.method_themes", language)]
    if plan.resolution is not None:
        said.append(text("feedback.method_chosen", language, resolution=plan.resolution, silhouette=plan.silhouette))
    said += [text(f"feedback.method_{name}", language) for name in ("names", "quotes", "interval", "ids")]
    said.append(text("feedback.method_files", language))
    if plan.spec and plan.spec_sha256:
        said.append(text("feedback.method_spec", language, spec=plan.spec, sha256=plan.spec_sha256))
    return [Heading(text("feedback.section_method", language)), Points(said)]


def _short(said: str, most: int) -> str:
    return said if len(said) <= most else said[:most].rsplit(" ", 1)[0] + "…"
