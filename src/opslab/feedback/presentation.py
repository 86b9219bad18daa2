"""A feedback readout: its first screen, then themes, quotes, checks, data and method."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from opslab.feedback.actions import first, heat, kind_of, read, row_of, whom
from opslab.feedback.audit import PROMISED
from opslab.feedback.clustering import FEWEST
from opslab.feedback.intake import LONGEST
from opslab.feedback.record import MANY, MOST_LISTED, counts, inputs, languages, unsorted
from opslab.feedback.redaction import KINDS
from opslab.feedback.result import FeedbackResult, Theme, Topic
from opslab.feedback.routing import LEAST, MARGIN
from opslab.feedback.since_page import incidents_on, since
from opslab.messages import Language
from opslab.report.blocks import (
    Block,
    Cell,
    Fact,
    Facts,
    Group,
    Heading,
    Pairs,
    Paragraph,
    Points,
    Tone,
    Verdict,
)
from opslab.report.drawing import Row, chart
from opslab.report.figures import BLUE, GREY, Figure
from opslab.report.import_report import import_report
from opslab.report.voice import Blocks, Voice

_MOST_QUOTED, _MOST_ROWS = 12, 40  # themes: with their quotes, in the table
_FIRST, _MOST_FIRST = 3, 5  # themes at first
_MOST_BARS = 15  # themes of the figure
_SHORT, _LONG = 140, 280  # characters of a quote
_DISSOLVED = 0.5  # stability of a theme that is not to be relied on (Hennig 2007)


def voice(_result: FeedbackResult, language: Language) -> Voice:
    """Return what says the result in a language."""
    return Voice(language, "feedback")


def headline(result: FeedbackResult, say: Voice) -> str:
    """Return the sentence that a sponsor reads first."""
    total = len(result.assignments)
    if result.broken:
        return say("headline_broken")
    if not result.themes:
        silent = total and total == unsorted(result)["praise"] + unsorted(result)["no_words"]
        name = "praise" if silent else "nothing" if result.intake.outside and not total else "none"
        return say(f"headline_{name}", messages=total, outside=result.intake.outside)
    theme = _uppermost(result)[0]
    more = "".join(f", {mark}" for mark in _marks(result, theme, say))
    return say("headline", total=total, more=more, **_values(theme, say))


def _uppermost(result: FeedbackResult) -> list[Theme]:
    """Return the first themes in their order; the largest ones where nothing is ranked."""
    ranked = result.ranked()
    if not len(ranked):
        return list(result.themes[:_FIRST])
    count = max(_FIRST, min((ranked["band"] == 1).sum(), _MOST_FIRST))
    return [*map(result.theme, ranked["theme"][:count])]


def _marks(result: FeedbackResult, theme: Theme, say: Voice) -> list[str]:
    """Return what sets a theme apart: rated worse than the rest, said more often of late."""
    frames = {"worse": result.severities, "rising": result.trends}
    return [
        say(f"mark_{mark}") for mark, frame in frames.items() if row_of(frame, theme.id).get(mark)
    ] + incidents_on(result, theme, say)


def first_screen(result: FeedbackResult, say: Voice) -> Verdict:
    """Return what customers say, how much of it, how sure we are, and what to take up first."""
    failed, warned = (
        [say.message(check.detail) for check in result.checks if check.status == status]
        for status in ("fail", "warn")
    )
    lines = [_first_line(result, theme, say) for theme in _uppermost(result)]
    first = int((result.ranked()["band"] == 1).sum()) if len(result.ranked()) else 0
    kind = "none"
    if result.themes:
        kind = "broken" if result.broken else "first" if first else "done"
    days = [message.date for message in result.intake.messages if message.date]
    period = say.period((min(days), max(days))) if days else None
    doubtful: Tone = "open" if failed or not result.themes else "plain" if warned else "good"
    return Verdict(
        kicker=say.joined(say("kicker"), period, result.study.owner),
        title=say.spoken(result.study.shown_title),
        question=say.spoken(result.study.question or ""),
        action=say(f"action_{kind}", count=first, themes=len(result.themes)),
        headline=headline(result, say),
        tone="bad" if result.broken else doubtful,
        facts=Facts([*_facts(result, say)]),
        reasons=[*failed, *lines, *([] if failed else warned)],
    )


def _first_line(result: FeedbackResult, theme: Theme, say: Voice) -> Cell:
    band = row_of(result.ranked(), theme.id).get("band")
    facts = [
        say(f"band_{band:.0f}") if band else None,
        kind_of(theme, say),
        say("first_customers", count=theme.customers) if theme.customers else None,
        say("page_stars", count=round(theme.rating, 1)) if theme.rating else None,
        *_marks(result, theme, say),
        theme.route.team if theme.route else None,
    ]
    quote = next((each for each in theme.quotes if each.language == say.language), theme.quotes[0])
    words = {"facts": ", ".join(filter(None, facts)), "quote": _short(quote.text, _SHORT)}
    words["theme"] = theme.called(say.language)
    return Cell(say("first_line", **words), refs=read(theme.id, say))


def _facts(result: FeedbackResult, say: Voice) -> Iterator[Fact]:
    total = len(result.assignments)
    spoken = [f"{name} {say.integer(count)}" for name, count in languages(result).items()]
    sources = {message.source for message in result.intake.messages}
    yield say.fact(
        "messages",
        say.integer(total),
        say("fact_sources", count=len(sources)),
        say.joined(*spoken)[:60],
    )
    if not result.themes:
        return
    reasons = unsorted(result)
    left = [
        say("fact_unsorted", count=reasons.total(), reason=say(f"reason_{reason}"))
        for reason, _ in reasons.most_common(1)
    ]
    remarks = {
        "coverage": ("sorted", *left),
        "stability": ("stability", say("fact_stability_remark")),
    }
    for check in result.checks:
        if check.name in remarks:
            name, *remark = remarks[check.name]
            yield say.fact(name, say.percent(check.value or 0.0, 0), *remark)
    if (audit := result.audit) and audit.judged:
        interval = say.range(*(say.percent(end, 0) for end in audit.interval))
        judged = say("fact_judged", judged=audit.judged)
        yield say.fact("audit", say.percent(audit.right / audit.judged, 0), interval, judged)
    else:
        yield say.fact("audit", say.none, say("fact_audit_none"))


def figures(result: FeedbackResult, say: Voice) -> dict[str, Figure]:
    """Return the figures by name: ``shares``, and ``whom`` where customers are compared."""
    if not result.themes:
        return {}
    drawn = {"shares": _shares(result, say)}
    return drawn if result.broken else drawn | heat(result, say)


def _values(topic: Topic, say: Voice) -> dict[str, Any]:
    """Return what sentences name of a theme or of a group."""
    low, high = topic.interval
    return {"theme": topic.called(say.language), **vars(topic), "low": low, "high": high}


def _shares(result: FeedbackResult, say: Voice) -> Figure:
    """Draw the share of what is said most, with its interval."""
    topics = [_values(theme, say) for theme in result.themes[:_MOST_BARS]]
    full, pale = (GREY, "#c9ccd1") if result.broken else (BLUE, "#8cc0e0")
    rows = [
        Row(
            topic["theme"],
            say("bar_value", **topic),
            [(0.0, topic["low"], full), (*topic["interval"], pale)],
            topic["share"],
        )
        for topic in topics
    ]
    drawing = chart(
        say("bar_title", **topics[0]),
        rows,
        say("bar_axis"),
        say,
        frame=(0.0, 1.02 * max(topic["high"] for topic in topics)),
        percent=True,
    )
    lines = " ".join(say("bar_line", **topic) for topic in topics)
    return Figure(drawing, say("bar_alt", lines=lines), say("bar_caption"))


def themes(result: FeedbackResult, say: Voice) -> Blocks:
    """Return what customers say, and how much of it."""
    blocks: Blocks = [say.heading("themes")]
    if not result.themes:
        messages = [_short(message.text, _LONG) for message in result.intake.messages[:FEWEST]]
        return [*blocks, say.paragraph("no_themes", fewest=FEWEST), Points(messages)]
    if result.broken:
        blocks.append(say.paragraph("themes_broken", "bad"))
    drawn = result.figures(say.language)
    shown = result.themes[:_MOST_ROWS]
    known = [
        name
        for name in ("customers", "rating", "stability")
        if any(vars(theme)[name] is not None for theme in shown)
    ]
    rows = {theme.id: _row(theme, known, say) for theme in shown}
    groups = [
        Group(
            Cell(group.called(say.language), say("in_group", **_values(group, say))),
            [rows.pop(theme.id) for theme in shown if theme.id in group.themes],
        )
        for group in result.groups
        if len(group.themes) > 1
    ]
    columns = " ".join(["theme messages share", *known])
    table = say.table("themes", columns, rows.values(), numeric=range(1, 6), groups=groups)
    blocks += [drawn["shares"], table, *_reviewed(result, say)]
    if more := len(result.themes) - len(shown):
        blocks.append(say.remark("more_themes", count=more))
    if praise := unsorted(result)["praise"]:
        share = praise / len(result.assignments)
        blocks.append(say.paragraph("praise_line", count=praise, share=share))
    return blocks


def _reviewed(result: FeedbackResult, say: Voice) -> Iterator[Block]:
    """Yield what the intervals hold, and what people changed."""
    audit, edits = result.audit, result.edits
    judged = audit.judgements if audit else ()
    if audit and audit.judged >= PROMISED:
        yield say.remark("shares_judged", judged=len(audit.sampled))
        if unsaid := sum(not (each.true or each.new) for each in audit.sampled):
            yield say.remark("shares_second", count=unsaid)
    else:
        yield say.remark("shares_open")
    if audit and (aside := len(judged) - len(audit.sampled)):
        yield say.paragraph("audit_aside", "open", count=aside)
    changed = {name: len(getattr(edits, name)) for name in ("names", "merges", "splits")}
    changed["moved"] = sum(bool(each.true and not each.right) for each in judged)
    if any(changed.values()):
        yield Paragraph(say("edits_applied", **changed))
    if edits.pinned or edits.routes:
        yield say.paragraph("edits_kept", pins=len(edits.pinned), routes=len(edits.routes))
    if edits.excluded:
        names = [
            edits.names.get(theme) or result.before.get(theme, theme) for theme in edits.excluded
        ]
        yield say.paragraph("edits_excluded", themes=names, count=unsorted(result)["excluded"])
    yield from (Paragraph(say.message(note), "open") for note in edits.notes)
    if edits.stale:
        yield say.paragraph("edits_stale", "open", count=edits.stale)
    if new := sorted({each.new for each in judged if each.new}):
        yield say.paragraph("audit_new", "open", count=len(new), themes=new)


def _row(theme: Theme, known: Sequence[str], say: Voice) -> list[str | Cell]:
    """Return the cells of a theme, with what is known of some theme."""
    stable = theme.stability
    tone: Tone = "open" if stable is not None and stable < _DISSOLVED else "plain"
    further: dict[str, str | Cell] = {
        "customers": say.none if theme.customers is None else say.integer(theme.customers),
        "rating": say.none if theme.rating is None else say.decimal(theme.rating, 1),
        "stability": say.none if stable is None else Cell(say.percent(stable, 0), tone=tone),
    }
    return [
        Cell(theme.called(say.language), kind_of(theme, say), refs=read(theme.id, say)),
        say.integer(theme.messages),
        Cell(say.percent(theme.share), interval=say.range(*map(say.percent, theme.interval))),
        *(further[name] for name in known),
    ]


def quotes(result: FeedbackResult, say: Voice) -> Blocks:
    """Return the largest themes in their customers' own words."""
    blocks: Blocks = [say.heading("quotes")] if result.themes else []
    for theme in result.themes[:_MOST_QUOTED]:
        words = say.joined(*(", ".join(part.phrases) for part in theme.phrases)) or say.none
        quoted = [
            say(
                "quote",
                quote=_short(each.text, _LONG),
                where=say.joined(each.source, each.id, say.date(each.date) if each.date else None),
            )
            for each in theme.quotes
        ]
        blocks += [
            Heading(theme.called(say.language), 3),
            Paragraph(say("card", words=words, **_values(theme, say)), refs=read(theme.id, say)),
            Points(quoted),
        ]
    return blocks


def checks(result: FeedbackResult, say: Voice) -> Blocks:
    """Return how sure we are: the checks, and why messages were left unsorted."""
    blocks: Blocks = [say.heading("checks"), say.checks(result.checks)]
    total = len(result.assignments)
    rows = [
        (say(f"reason_{reason}"), say.integer(count), say.percent(count / total, 0))
        for reason, count in unsorted(result).items()
    ]
    if rows:
        table = say.table("unsorted", "reason messages share", rows, numeric=(1, 2), wide=False)
        dial = say("dial", coverage=result.study.themes.coverage)
        blocks += [table, Paragraph(dial, small=True, refs=read("none", say))]
    if result.audit and result.audit.stale:
        blocks.append(say.remark("audit_stale", count=result.audit.stale))
    return blocks


def data(result: FeedbackResult, say: Voice) -> Blocks:
    """Return what the themes stand on: what was left out or taken out, and how files were read."""
    redacted, furniture = result.intake.redacted, result.intake.furniture
    rows = [
        (say(f"data_{name}", most=LONGEST), say.integer(count))
        for name, count in counts(result).items()
        if count or name == "used"
    ]
    if furniture:
        rows.append((say("data_furniture"), say.integer(len({uid for uid, _, _ in furniture}))))
    cut = Counter(kind for _, kind, _ in furniture)
    rows += [(say(f"data_cut_{kind}"), say.integer(count)) for kind, count in sorted(cut.items())]
    kinds = [
        (say(f"kind_{kind}") if kind in KINDS else kind, say.integer(count))
        for kind, count in sorted(redacted.items())
    ]
    return [
        say.heading("data"),
        Pairs(rows),
        say.paragraph("redacted", count=redacted.total()),
        Pairs(kinds),
        say.paragraph("names_gap", "open"),
        *(
            block
            for reading in result.intake.readings
            for block in (Heading(reading.name, 3), *import_report(reading, say.language))
        ),
    ]


def method(result: FeedbackResult, say: Voice) -> Blocks:
    """Return how the themes were computed."""
    model, kinds = result.model, any(theme.kinds for theme in result.themes)
    steps = {
        "encoder themes points": True,
        "chosen": model.resolution is not None,
        "names": True,
        "kinds": kinds,
        "no_kinds": not kinds,
        "routes": result.study.teams,
        "quotes ids files": True,
        "many": len(result.assignments) > MANY,
    }
    about = vars(model) | {"least": LEAST, "margin": MARGIN, "many": MANY, "listed": MOST_LISTED}
    points = [
        say(f"method_{name}", **about) for part in steps if steps[part] for name in part.split()
    ]
    if result.study.file:
        points.append(say("method_spec", **inputs(result)[0]))
    return [say.heading("method"), Points(points)]


PARTS: dict[str, Callable[[FeedbackResult, Voice], Blocks]] = {
    "first": first,
    "themes": themes,
    "since": since,
    "whom": whom,
    "quotes": quotes,
    "checks": checks,
    "data": data,
    "method": method,
}


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most].rsplit(" ", 1)[0] + "…"
