"""The pieces of a page: headings, sentences, facts and tables, as semantic HTML.

Everything that comes in is text and is escaped here; markup is made nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from markupsafe import Markup

from opslab.parameters import slug

Tone = Literal["good", "bad", "open", "plain"]


class Block(Protocol):
    """Anything that can stand on a page."""

    def _repr_html_(self) -> str: ...


@dataclass(frozen=True)
class Heading:
    """A section's heading (level 2) or a part's (level 3); level 1 belongs to the page."""

    text: str
    level: Literal[2, 3] = 2

    def _repr_html_(self) -> str:
        return Markup('<h{0} id="{1}">{2}</h{0}>').format(self.level, slug(self.text), self.text)


@dataclass(frozen=True)
class Paragraph:
    """One or more sentences."""

    text: str
    tone: Tone = "plain"

    def _repr_html_(self) -> str:
        if self.tone == "plain":
            return Markup("<p>{}</p>").format(self.text)
        return Markup('<p class="note {}">{}</p>').format(self.tone, self.text)


@dataclass(frozen=True)
class Facts:
    """A row of figures, each with its name and a remark."""

    items: Sequence[tuple[str, str, str]]

    def _repr_html_(self) -> str:
        if not self.items:
            return ""
        items = Markup("").join(
            Markup('<div><dt>{}</dt><dd>{}</dd><dd class="remark">{}</dd></div>').format(*item)
            for item in self.items
        )
        return Markup('<dl class="facts">{}</dl>').format(items)


@dataclass(frozen=True)
class Table:
    """A table: its caption, its column heads, its rows; the first cell of a row is the row's head.

    Attributes
    ----------
    caption : str
    columns : sequence of str
    rows : sequence of sequences of str
        Texts, formatted for the reader; a tuple ``(text, tone)`` colours the cell beside its words.
    numeric : sequence of int
        Places of the columns that hold figures: set flush right.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | tuple[str, Tone]]]
    numeric: Sequence[int] = ()

    def _repr_html_(self) -> str:
        head = Markup("").join(
            Markup('<th scope="col"{}>{}</th>').format(self._class(place), name)
            for place, name in enumerate(self.columns)
        )
        body = Markup("\n").join(
            Markup("<tr>{}</tr>").format(
                Markup("").join(self._cell(place, cell) for place, cell in enumerate(row))
            )
            for row in self.rows
        )
        return Markup(
            '<div class="scroll" role="region" tabindex="0" aria-label="{0}"><table><caption>{0}</caption>'
            "<thead><tr>{1}</tr></thead>\n<tbody>{2}</tbody></table></div>"
        ).format(self.caption, head, body)

    def _class(self, place: int, tone: Tone = "plain") -> Markup:
        names = ["number"] * (place in self.numeric) + ([tone] if tone != "plain" else [])
        return Markup(' class="{}"').format(" ".join(names)) if names else Markup("")

    def _cell(self, place: int, cell: str | tuple[str, Tone]) -> Markup:
        content, tone = cell if isinstance(cell, tuple) else (cell, "plain")
        if place == 0:
            return Markup('<th scope="row">{}</th>').format(content)
        return Markup("<td{}>{}</td>").format(self._class(place, tone), content)


@dataclass(frozen=True)
class Verdict:
    """The first screen: what happened, how sure we are, what to do.

    Attributes
    ----------
    kicker : str
        What kind of readout of what, in a few words.
    title : str
        The thing under study.
    question : str or None
    action : str
        What to do, in a few words.
    headline : str
        The sentence with the number and its uncertainty.
    tone : str
    facts : Facts
    reasons : sequence of str
    """

    kicker: str
    title: str
    question: str | None
    action: str
    headline: str
    tone: Tone
    facts: Facts
    reasons: Sequence[str] = ()

    def _repr_html_(self) -> str:
        question = Markup('<p class="question">{}</p>').format(self.question) if self.question else Markup("")
        reasons = Markup("").join(Markup("<li>{}</li>").format(reason) for reason in self.reasons)
        return Markup(
            '<p class="kicker">{}</p><h1>{}</h1>{}'
            '<div class="verdict {}"><p class="action">{}</p><p class="headline">{}</p>{}</div>{}'
        ).format(
            self.kicker,
            self.title,
            question,
            self.tone,
            self.action,
            self.headline,
            Markup('<ul class="reasons">{}</ul>').format(reasons) if reasons else Markup(""),
            Markup(self.facts._repr_html_()),  # noqa: S704 - made above, escaped
        )


def html(blocks: Sequence[Block]) -> Markup:
    """Return blocks one after the other."""
    return Markup("\n").join(Markup(block._repr_html_()) for block in blocks)  # noqa: S704 - escaped by the blocks
