"""The pieces of a page: headings, sentences, facts and tables, as semantic HTML.

Everything that comes in is text and is escaped here; markup is made nowhere else. The HTML reads
rightly without any stylesheet: an interval stands in brackets behind its number, a remark on a line
of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, get_args

from markupsafe import Markup, escape

from opslab.workspace import slug

if TYPE_CHECKING:
    from opslab.report.figures import Figure

Tone = Literal["good", "bad", "open", "plain"]
TONES = get_args(Tone)

_NAME = r"[A-Za-z][A-Za-z0-9_-]*"
_STEP = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_PATH = rf"(?:\.\./)*{_STEP}(?:/{_STEP})*(?:#{_NAME})?"
_HREF = re.compile(rf"#{_NAME}|{_PATH}|https://[A-Za-z0-9][^\s\\<>\"'`]+", re.ASCII)
_SIGN = re.compile(r"(?<=[\N{MINUS SIGN}+])(?=[^\s\d.,])")
_FIXED_SPACE = "\N{NO-BREAK SPACE}"
_SHORT_LABEL = 4  # letters


class Block(Protocol):
    """Anything that can stand on a page."""

    def _repr_html_(self) -> str: ...


def signs_kept(text: str) -> str:
    """Return a text in which a sign stays with the currency behind it."""
    return _SIGN.sub("\N{WORD JOINER}", text)


def marked_up(text: str) -> Markup:
    """Return a text escaped, its signs kept with what they stand before."""
    return escape(signs_kept(text))


def _tag(
    name: str, content: Iterable[str | Markup], classes: str = "", **attributes: str
) -> Markup:
    """Return an element; attributes without a value are left out."""
    shown = {"class": classes, **attributes}
    head = Markup("").join(
        Markup(' {}="{}"').format(key.strip("_").replace("_", "-"), value)
        for key, value in shown.items()
        if value
    )
    inside = Markup("").join(
        item if isinstance(item, Markup) else marked_up(item) for item in content
    )
    own = Markup(name)  # noqa: S704 - our own names
    return Markup("<{0}{1}>{2}</{0}>").format(own, head, inside)


def _remark(text: str) -> Markup:
    return Markup("<br>") + _tag("span", [text], "remark") if text else Markup("")


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
        return _tag("a", [f"[{self.label}]"], "ref", href=self.href, aria_label=self.spoken)


def _links(refs: Sequence[Reference]) -> Markup:
    """Return links behind a text: a short one stays with its last word."""
    if not refs:
        return Markup("")
    space = _FIXED_SPACE if len(refs[0].label) <= _SHORT_LABEL else " "
    return escape(space) + Markup(" ").join(refs)


@dataclass(frozen=True)
class Heading:
    """A section's heading (level 2) or a part's (level 3); level 1 belongs to the page.

    With ``new_page`` it starts a page where there are pages: in print and in the PDF.
    """

    text: str
    level: Literal[2, 3] = 2
    new_page: bool = False

    @property
    def anchor(self) -> str:
        """The name by which ``#name`` links to it."""
        return slug(self.text)

    def _repr_html_(self) -> str:
        classes = "new-page" if self.new_page else ""
        return _tag(f"h{self.level}", [self.text], classes, id=self.anchor)


@dataclass(frozen=True)
class Paragraph:
    """Sentences, with links behind them; small ones are remarks on what stands above."""

    text: str
    tone: Tone = "plain"
    small: bool = False
    refs: Sequence[Reference] = ()

    def _repr_html_(self) -> str:
        classes = ("small" if self.small else "") if self.tone == "plain" else f"note {self.tone}"
        return _tag("p", [self.text, _links(self.refs)], classes)


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
    interval : str
        What stands in brackets behind a number: ``80 to 680``.
    """

    text: str
    remark: str = ""
    tone: Tone = "plain"
    refs: Sequence[Reference] = ()
    anchor: str = ""
    interval: str = ""

    def __post_init__(self) -> None:
        if self.anchor and not re.fullmatch(_NAME, self.anchor, re.ASCII):
            raise ValueError(
                f"{self.anchor!r} is no anchor: a letter, then letters, digits, _ or -."
            )

    def __html__(self) -> Markup:
        text = marked_up(self.text) + _links(self.refs)
        if self.refs or self.anchor:
            text = _tag("span", [text], id=self.anchor)
        if self.interval:
            text += Markup(" ") + _tag("span", [f"({self.interval})"], "interval")
        return text + _remark(self.remark)


Cells = Sequence[str | Cell]


def _html(item: str | Cell) -> Markup:
    return item.__html__() if isinstance(item, Cell) else marked_up(item)


@dataclass(frozen=True)
class Points:
    """A list of sentences that stand side by side."""

    items: Cells

    def _repr_html_(self) -> str:
        return _points(self.items, "points")


def _points(items: Cells, classes: str) -> Markup:
    return (
        _tag("ul", [_tag("li", [_html(item)]) for item in items], classes) if items else Markup("")
    )


@dataclass(frozen=True)
class Pairs:
    """Names and their values, one pair a line."""

    items: Sequence[tuple[str, str]]

    def _repr_html_(self) -> str:
        rows = [
            _tag("tr", [_tag("th", [name], scope="row"), _tag("td", [value])])
            for name, value in self.items
        ]
        return _tag("table", rows, "pairs") if rows else ""


class Fact(NamedTuple):
    """A figure with its name and its remarks, a line each."""

    name: str
    value: str
    remarks: Sequence[str] = ()


@dataclass(frozen=True)
class Facts:
    """A row of figures."""

    items: Sequence[Fact]

    def _repr_html_(self) -> str:
        items = [
            _tag(
                "li",
                [
                    _tag("span", [fact.name], "name"),
                    Markup("<br>"),
                    _tag("strong", [fact.value]),
                    *map(_remark, fact.remarks),
                ],
            )
            for fact in self.items
        ]
        return _tag("ul", items, "facts") if items else ""


@dataclass(frozen=True)
class Group:
    """Rows of a table under a head of their own."""

    head: Cell
    rows: Sequence[Cells]


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
    rows: Sequence[Cells] = ()
    numeric: Sequence[int] = ()
    groups: Sequence[Group] = ()
    wide: bool = False

    def _repr_html_(self) -> str:
        heads = [
            _tag("th", [name], self._number(column), scope="col", role=self._role("columnheader"))
            for column, name in enumerate(self.columns)
        ]
        head = _tag("thead", [self._row(heads)], role=self._role("rowgroup"))
        bodies = [self._body(self.rows)] if self.rows or not self.groups else []
        bodies += [self._body(group.rows, group.head) for group in self.groups]
        parts = [_tag("caption", [self.caption]), head, Markup("\n"), Markup("\n").join(bodies)]
        table = _tag("table", parts, "wide" if self.wide else "", role=self._role("table"))
        return _tag("div", [table], "scroll", role="region", tabindex="0", aria_label=self.caption)

    def _body(self, rows: Sequence[Cells], head: Cell | None = None) -> Markup:
        lines = [self._row(self._cell(*numbered) for numbered in enumerate(row)) for row in rows]
        if head is not None:
            span, role = str(len(self.columns)), self._role("rowheader")
            group = _tag("th", [_html(head)], scope="rowgroup", colspan=span, role=role)
            lines.insert(0, self._row([group], "group"))
        return _tag("tbody", [Markup("\n").join(lines)], role=self._role("rowgroup"))

    def _row(self, cells: Iterable[Markup], classes: str = "") -> Markup:
        return _tag("tr", cells, classes, role=self._role("row"))

    def _number(self, column: int) -> str:
        return "number" if column in self.numeric else ""

    def _role(self, name: str) -> str:
        """Return a part's role in words, which a wide table keeps in a phone's layout."""
        return name if self.wide else ""

    def _cell(self, column: int, given: str | Cell) -> Markup:
        cell = given if isinstance(given, Cell) else Cell(given)
        if column == 0:
            return _tag("th", [_html(cell)], scope="row", role=self._role("rowheader"))
        tone = cell.tone if cell.tone != "plain" else ""
        classes = " ".join(filter(None, (self._number(column), tone)))
        label = self.columns[column] if self.wide else ""
        return _tag("td", [_html(cell)], classes, role=self._role("cell"), data_label=label)


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
    more : sequence of str or Cell
        Further reasons, folded.
    more_label : str
        The line that unfolds them.
    figure : Figure or Block or None
        Stands beneath it all, where the screen is published.
    """

    kicker: str
    title: str
    question: str | None
    action: str
    headline: str
    tone: Tone
    facts: Facts = field(default=Facts(()))
    reasons: Cells = ()
    more: Cells = ()
    more_label: str = ""
    figure: Figure | Block | None = None

    def _repr_html_(self) -> str:
        folded = [_tag("summary", [self.more_label]), _points(self.more, "reasons")]
        verdict = [
            _tag("p", [self.action], "action"),
            _tag("p", [self.headline], "headline"),
            _points(self.reasons, "reasons"),
            _tag("details", folded, "more") if self.more else "",
        ]
        return Markup("").join(
            (
                _tag("p", [self.kicker], "kicker"),
                _tag("h1", [self.title]),
                _tag("p", [self.question], "question") if self.question else Markup(""),
                _tag("div", verdict, f"verdict {self.tone}"),
                Markup(self.facts._repr_html_()),  # noqa: S704 - escaped above
            )
        )


@dataclass(frozen=True)
class Folded:
    """Blocks that a page shows when it is asked to; in print and on paper they stand."""

    label: str
    blocks: Sequence[Any]

    def _repr_html_(self) -> str:
        return _tag("details", [_tag("summary", [self.label]), html(self.blocks)], "more")


def html(blocks: Iterable[Block]) -> Markup:
    """Return blocks one after the other."""
    escaped = (Markup(block._repr_html_()) for block in blocks)  # noqa: S704 - by the blocks
    return Markup("\n").join(escaped)
