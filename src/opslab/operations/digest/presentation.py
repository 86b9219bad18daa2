"""The digest on one screen: as a page, as Markdown, as plain text."""

from __future__ import annotations

from datetime import date

from opslab.messages import one_line
from opslab.messages.units import counted
from opslab.operations.digest.result import SECTIONS, DigestResult, News
from opslab.operations.voice import Blocks, Voice, no_figures
from opslab.report.blocks import Cell, Paragraph, Reference, Verdict
from opslab.report.catalogue import form
from opslab.report.sections import Sections
from opslab.results import Message
from opslab.uncertainty.proportions import Interval

FORMS = {"md": "digest_markdown.j2", "txt": "digest_text.j2"}
_WRITTEN = {
    "share": ("percent", "signed_points"),
    "lift": ("signed_percent", "signed_points"),
}
"""How a figure and its change are written; others bear their unit."""
_DIGITS = 3
"""That tell, of such others."""


voice = Voice.of("digest")
figures = no_figures


def line(item: News, result: DigestResult, say: Voice) -> str:
    """Return what is told as one sentence in a language."""
    late = item.by and result.as_of and item.by < result.as_of
    values = {
        name: say.message(value).rstrip(".") if isinstance(value, Message) else value
        for name, value in item.words.values.items()
    }
    values |= {
        "now": _shown(item.now, item.unit, say),
        "then": values.get("then") or _shown(item.then, item.unit, say),
        "change": _shown(item.change, item.unit, say, change=True),
        "due": say("overdue" if late else "due", by=item.by) if item.by else "",
    }
    return say.message(Message(item.words.key, values))


def _shown(figure: Interval, unit: str, say: Voice, *, change: bool = False) -> str:
    """Return a figure with its unit, and its interval in brackets."""
    write = getattr(say, _WRITTEN.get(unit, ("number", "signed_number"))[change])
    digits = (_DIGITS,) * (unit not in _WRITTEN)
    value, *ends = [write(end, *digits) for end in figure if end is not None] or [""]
    noun = counted(say.spoken(unit), value, say.language) if unit and unit not in _WRITTEN else ""
    interval = f"({say.range(*ends)})" if len(ends) > 1 else ""
    return " ".join(filter(None, [value, noun, interval]))


def _linked(item: News, result: DigestResult, say: Voice) -> Cell:
    """Return what is told with links to its run and to the one before, or the id of its run."""
    base = result.digest.link.rstrip("/") if result.digest.link else "../../.."
    names = {item.run: item.run.split("/")[-2:][0], item.before: say("before")}
    refs = [
        Reference(names[run], f"{base}/{run}/readout.html", f"{names[run]}, {run}")
        for run in names
        if run in result.at_hand or (run and result.digest.link)
    ]
    return Cell(line(item, result, say), "" if refs else item.run, refs=refs)


def _screen(result: DigestResult, say: Voice, most: int | None = None) -> Sections:
    """Return the sections, each with no more lines than there is room for."""
    sections, unsure = [], result.aside.get("unsure", 0)
    for section in SECTIONS:
        items = result.of(section)
        none = "none_sure" if unsure and section == "changed" else "none_there"
        lines = [_linked(item, result, say) for item in items[:most]]
        more = say("more", count=len(items) - len(lines)) if items[len(lines) :] else ""
        sections.append((Cell(say(section), more), lines or [Cell(say(none, count=unsure))]))
    return Sections(sections)


def headline(result: DigestResult, say: Voice) -> str:
    """Return the sentence that is read first."""
    counts = [
        say(f"count_{section}", count=len(items))
        for section in SECTIONS
        if (items := result.of(section))
    ]
    key = "stop" if result.broken else "news" if counts else "quiet" if result.quiet else "nothing"
    values = vars(result.window) | {"days": _days(result), "quiet": len(result.quiet)}
    said = say(f"headline_{key}", **values, counts=counts)
    gaps = [say("gaps", count=len(result.conditions))] * bool(result.conditions)
    return " ".join([said, *gaps])


def _days(result: DigestResult) -> tuple[date, date]:
    return result.window.since, result.window.until


def first_screen(result: DigestResult, say: Voice) -> Verdict:
    """Return how much is new, what is asked first, and what cannot be told."""
    asked, action = [item.by for item in result.of("asked") if item.by], result.action
    late = sum(by < result.window.until for by in asked)
    if asked and action == "answer":
        action = "answer_late" if late else "answer_by"
    values = {"count": len(result.of("asked")), "late": late, "by": min(asked, default=None)}
    return say.verdict(
        result.digest,
        kicker=say.joined(say("kicker", days=_days(result)), result.digest.audience),
        action=say(f"action_{action}", **values),
        headline=headline(result, say),
        tone="bad" if result.broken else "open" if result.conditions else "plain",
        reasons=[say.message(each.detail) for each in result.checks if each.status != "pass"],
        figure=_screen(result, say, result.digest.most),
    )


def forms(result: DigestResult, say: Voice) -> dict[str, bytes]:
    """Return the digest as Markdown and as plain text; in neither does a text call anybody."""
    values = {
        "title": one_line(say.spoken(result.digest.shown_title)),
        "headline": headline(result, say),
        "sections": _screen(result, say, result.digest.most).items,
    }
    return {f"digest.{kind}": form(FORMS[kind]).render(**values).encode() for kind in FORMS}


def _brief(result: DigestResult, say: Voice) -> Blocks:
    return [_screen(result, say, result.digest.most)]


def _detail(result: DigestResult, say: Voice) -> Blocks:
    said = [say(f"aside_{reason}", count=count) for reason, count in result.aside.items()]
    names = [run.rpartition("/")[0] for run in result.quiet]
    said += [say("quiet", names=names, count=len(names))] * bool(names)
    files = Paragraph(
        say("files"), refs=[Reference(f".{kind}", f"digest.{kind}") for kind in FORMS]
    )
    notes = [Paragraph(words) for words in said]
    return [say.heading("detail"), files, _screen(result, say), *notes]


def _checks(result: DigestResult, say: Voice) -> Blocks:
    return [say.heading("checks"), say.checks(result.checks)]


def _method(result: DigestResult, say: Voice) -> Blocks:
    del result
    return [say.heading("method"), *map(Paragraph, say("on_method").splitlines())]


PARTS = {"brief": _brief, "detail": _detail, "checks": _checks, "method": _method}
