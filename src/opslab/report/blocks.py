"""The pieces of a page: headings, sentences, facts and tables, as semantic HTML.

Everything that comes in is text and is escaped here; markup is made nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

from markupsafe import Markup

from opslab.workspace import slug

Tone = Literal["good", "bad", "open", "plain"]
TONES = get_args(Tone)


_NAME = r"[A-Za-z][A-Za-z0-9_-]*"
_STEP = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_HREF = re.compile(
    rf"#{_NAME}|(?:\.\./)*{_STEP}(?:/{_STEP})*(?:#{_NAME})?|https://[A-Za-z0-9][^\s\\<>\"'`]+",
    re.ASCII,
)


class Block(Protocol):
    """Anything that can stand on a page."""

    def _repr_html_(self) -> str: ...


@dataclass(frozen=True)
class Reference:
    """A link to what stands behind a sentence or a number, shown small behind it as ``[label]``.

    Attributes
    ----------
    label : str
        A few letters: ``E1``.
    href : str
        ``#anchor``, a relative path, or an address that starts with https.
    spoken : str
        What a screen reader says instead of the label: it starts with the label.

    Raises
    ------
    ValueError
        When the link is of another kind.
    """

    label: str
    href: str
    spoken: str = ""

    def __post_init__(self) -> None:
        if not _HREF.fullmatch(self.href):
            raise ValueError(f"{self.href!r} is no '#anchor', relative path or https address.")

    def __html__(self) -> Markup:
        spoken = Markup(' aria-label="{}"').format(self.spoken) if self.spoken else Markup("")
        return Markup('<a class="ref" href="{}"{}>[{}]</a>').format(self.href, spoken, self.label)


def _links(refs: Sequence[Reference]) -> Markup:
    """Return links behind a text: a short one stays with its last word, lines may break before others."""
    if not refs:
        return Markup("")
    short = len(refs[0].label) <= 4  # noqa: PLR2004 - letters
    return (Markup("\N{NO-BREAK SPACE}") if short else Markup(" ")) + Markup(" ").join(refs)


@dataclass(frozen=True)
class Heading:
    """A section's heading (level 2) or a part's (level 3); level 1 belongs to the page.

    With ``new_page`` it starts a page where there are pages: in print and in the PDF.
    """

    text: str
    level: Literal[2, 3] = 2
    new_page: bool = False

    def _repr_html_(self) -> str:
        page = Markup(' class="new-page"') if self.new_page else Markup("")
        return Markup('<h{0} id="{1}"{3}>{2}</h{0}>').format(
            self.level, slug(self.text), self.text, page
        )


@dataclass(frozen=True)
class Paragraph:
    """One or more sentences, with links behind them; small ones are remarks on what stands above them."""

    text: str
    tone: Tone = "plain"
    small: bool = False
    refs: Sequence[Reference] = ()

    def _repr_html_(self) -> str:
        links = _links(self.refs)
        if self.tone == "plain":
            small = Markup(' class="small"') if self.small else Markup("")
            return Markup("<p{}>{}{}</p>").format(small, self.text, links)
        return Markup('<p class="note {}">{}{}</p>').format(self.tone, self.text, links)


@dataclass(frozen=True)
class Points:
    """A list of sentences that stand side by side."""

    items: Sequence[str | Cell]

    def _repr_html_(self) -> str:
        return Markup('<ul class="points">{}</ul>').format(_items(self.items)) if self.items else ""


@dataclass(frozen=True)
class Pairs:
    """Names and their values, one pair a line: what a table of two columns would say with more ink."""

    items: Sequence[tuple[str, str]]

    def _repr_html_(self) -> str:
        if not self.items:
            return ""
        items = Markup("").join(
            Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(*item) for item in self.items
        )
        return Markup('<dl class="pairs">{}</dl>').format(items)


@dataclass(frozen=True)
class Facts:
    """A row of figures, each with its name and its remarks, a line each."""

    items: Sequence[tuple[str, str, Sequence[str]]]

    def _repr_html_(self) -> str:
        if not self.items:
            return ""
        items = Markup("").join(
            Markup("<div><dt>{}</dt><dd>{}</dd>{}</div>").format(
                name,
                value,
                Markup("").join(
                    Markup('<dd class="remark">{}</dd>').format(remark) for remark in remarks
                ),
            )
            for name, value, remarks in self.items
        )
        return Markup('<dl class="facts">{}</dl>').format(items)


@dataclass(frozen=True)
class Cell:
    """A cell, or a point, with more to it than its text.

    Attributes
    ----------
    text : str
    remark : str
        A second, quieter line.
    tone : str
        A tone beside the words of a table's cell.
    refs : sequence of Reference
        Links behind the text.
    anchor : str
        The name by which ``#name`` links to it: ASCII letters, digits, hyphens.
    """

    text: str
    remark: str = ""
    tone: Tone = "plain"
    refs: Sequence[Reference] = ()
    anchor: str = ""

    def __post_init__(self) -> None:
        if self.anchor and not re.fullmatch(_NAME, self.anchor, re.ASCII):
            raise ValueError(
                f"{self.anchor!r} is no anchor: a letter, then letters, digits, _ or -."
            )

    def __html__(self) -> Markup:
        remark = (
            Markup('<span class="remark">{}</span>').format(self.remark)
            if self.remark
            else Markup("")
        )
        text = Markup("{}{}").format(self.text, _links(self.refs))
        if self.refs or self.anchor:
            name = Markup(' id="{}"').format(self.anchor) if self.anchor else Markup("")
            text = Markup("<span{}>{}</span>").format(name, text)
        return text + remark


@dataclass(frozen=True)
class Group:
    """Rows of a table under a head of their own."""

    head: Cell
    rows: Sequence[Sequence[str | Cell]]


@dataclass(frozen=True)
class Table:
    """A table: its caption, its column heads, its rows; the first cell of a row is the row's head.

    Attributes
    ----------
    caption : str
    columns : sequence of str
    rows : sequence of sequences of str or Cell
        Texts, formatted for the reader.
    numeric : sequence of int
        Places of the columns that hold figures: set flush right.
    groups : sequence of Group
        Instead of rows: rows under heads of their own.
    wide : bool
        Too wide for a phone: there each row stands by itself, its cells under one another, named.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | Cell]] = ()
    numeric: Sequence[int] = ()
    groups: Sequence[Group] = ()
    wide: bool = False

    def _repr_html_(self) -> str:
        head = Markup("").join(
            Markup('<th scope="col"{}{}>{}</th>').format(
                self._role("columnheader"), self._class(place), name
            )
            for place, name in enumerate(self.columns)
        )
        bodies = [self._body(self.rows)] if self.rows or not self.groups else []
        bodies += [self._body(group.rows, group.head) for group in self.groups]
        return Markup(
            '<div class="scroll" role="region" tabindex="0" aria-label="{0}"><table{1}><caption>{0}</caption>'
            "<thead{2}><tr{3}>{4}</tr></thead>\n{5}</table></div>"
        ).format(
            self.caption,
            Markup(' class="wide" role="table"') if self.wide else Markup(""),
            self._role("rowgroup"),
            self._role("row"),
            head,
            Markup("\n").join(bodies),
        )

    def _body(self, rows: Sequence[Sequence[str | Cell]], head: Cell | None = None) -> Markup:
        lines = [
            Markup("<tr{}>{}</tr>").format(
                self._role("row"),
                Markup("").join(self._cell(place, cell) for place, cell in enumerate(row)),
            )
            for row in rows
        ]
        if head is not None:
            lines.insert(
                0,
                Markup(
                    '<tr class="group"{}><th scope="rowgroup" colspan="{}"{}>{}</th></tr>'
                ).format(self._role("row"), len(self.columns), self._role("rowheader"), head),
            )
        return Markup("<tbody{}>{}</tbody>").format(
            self._role("rowgroup"), Markup("\n").join(lines)
        )

    def _class(self, place: int, tone: Tone = "plain") -> Markup:
        names = ["number"] * (place in self.numeric) + ([tone] if tone != "plain" else [])
        return Markup(' class="{}"').format(" ".join(names)) if names else Markup("")

    def _role(self, name: str) -> Markup:
        """Return a part's role in words: a wide table keeps it where a phone's layout would take it away."""
        return Markup(' role="{}"').format(name) if self.wide else Markup("")

    def _cell(self, place: int, given: str | Cell) -> Markup:
        cell = given if isinstance(given, Cell) else Cell(given)
        if place == 0:
            return Markup('<th scope="row"{}>{}</th>').format(self._role("rowheader"), cell)
        named = Markup(' data-label="{}"').format(self.columns[place]) if self.wide else Markup("")
        return Markup("<td{}{}{}>{}</td>").format(
            self._role("cell"), self._class(place, cell.tone), named, cell
        )


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
    reasons : sequence of str or Cell
    more : tuple of str and sequence of str or Cell, or None
        Further reasons, folded, and the line that unfolds them.
    """

    kicker: str
    title: str
    question: str | None
    action: str
    headline: str
    tone: Tone
    facts: Facts
    reasons: Sequence[str | Cell] = ()
    more: tuple[str, Sequence[str | Cell]] | None = None

    def _repr_html_(self) -> str:
        question = (
            Markup('<p class="question">{}</p>').format(self.question)
            if self.question
            else Markup("")
        )
        reasons = Markup("")
        if self.reasons:
            reasons = Markup('<ul class="reasons">{}</ul>').format(_items(self.reasons))
        if self.more:
            reasons += Markup(
                '<details class="more"><summary>{}</summary><ul class="reasons">{}</ul></details>'
            ).format(self.more[0], _items(self.more[1]))
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
            reasons,
            Markup(self.facts._repr_html_()),  # noqa: S704 - made above, escaped
        )


def _items(sentences: Sequence[str | Cell]) -> Markup:
    return Markup("").join(Markup("<li>{}</li>").format(sentence) for sentence in sentences)


def html(blocks: Sequence[Block]) -> Markup:
    """Return blocks one after the other."""
    return Markup("\n").join(Markup(block._repr_html_()) for block in blocks)  # noqa: S704 - escaped by the blocks
