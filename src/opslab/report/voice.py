"""The voice of a readout: an area's messages in one language, its tables and checks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from opslab.contrast import Contrast
from opslab.errors import ParameterError, did_you_mean
from opslab.messages import catalogue, spoken, text
from opslab.messages.numbers import Numbers
from opslab.report import cells
from opslab.report.blocks import Block, Cell, Cells, Fact, Group, Heading, Paragraph, Table, Tone
from opslab.report.drawing import Row, chart
from opslab.report.figures import Figure
from opslab.report.plain import plain
from opslab.results import Check, Message, Result, Status

Blocks = list[Block | Figure]

_MOST = 3  # checks named on a first screen
TONES: Mapping[Status, Tone] = {"pass": "good", "warn": "open", "fail": "bad"}


@dataclass(frozen=True)
class Voice(Numbers):
    """The words of one area in one language.

    Attributes
    ----------
    area : str
        Its words come first; what it has none for is said in those that all areas share.

    Examples
    --------
    >>> say = Voice("en", "experiments")
    >>> say("interval_level", level=0.95), say.yes(True), say.integer(1200)
    ('95% interval', 'yes', '1,200')
    """

    area: str

    def __call__(self, key: str, /, **values: Any) -> str:
        """Return a message of the area, or of the words that all share."""
        area = self.area if key in catalogue(self.language, self.area) else "words"
        return text(f"{area}.{key}", self.language, **values)

    def message(self, message: Message) -> str:
        """Return a message that a result holds."""
        return text(message.key, self.language, **message.values)

    def spoken(self, words: str) -> str:
        """Return what the user wrote, in the reader's language where it is written in both."""
        return str(spoken(words, self.language))

    @property
    def none(self) -> str:
        """What stands in an empty cell."""
        return self("none")

    def yes(self, truth: object) -> str:
        """Return yes or no."""
        return self("yes" if truth else "no")

    def range(self, low: str, high: str) -> str:
        """Return ``low to high``."""
        return self("range", low=low, high=high)

    def joined(self, *parts: str | None) -> str:
        """Return what there is of the parts, with dots between them."""
        return " · ".join(self.spoken(part) for part in parts if part)

    def heading(self, section: str, level: Literal[2, 3] = 2) -> Heading:
        """Return a section's heading, ``section_<name>`` in the words."""
        return Heading(self(f"section_{section}"), level)

    def paragraph(self, key: str, tone: Tone = "plain", **values: Any) -> Paragraph:
        """Return a message as a paragraph."""
        return Paragraph(self(key, **values), tone)

    def remark(self, key: str, **values: Any) -> Paragraph:
        """Return a message as a remark on what stands above it."""
        return Paragraph(self(key, **values), small=True)

    def fact(self, name: str, value: str, *remarks: str) -> Fact:
        """Return a figure of the first screen, ``fact_<name>`` in the words."""
        return Fact(self(f"fact_{name}"), value, remarks)

    def table(
        self,
        name: str,
        columns: str,
        rows: Iterable[Cells] = (),
        *,
        numeric: Sequence[int] = (),
        groups: Iterable[Group] = (),
        wide: bool = True,
        **values: Any,
    ) -> Table:
        """Return a table; caption ``table_<name>`` and heads ``column_<name>`` in the words.

        Parameters
        ----------
        name : str
        columns : str
            Names, with spaces between them.
        rows, numeric, groups, wide
            As in `Table`; what the user wrote in both languages is told in the reader's.
        **values
            What the caption names.
        """
        heads = [self(f"column_{column}") for column in columns.split()]
        spoken_groups = [Group(self._cell(group.head), self._rows(group.rows)) for group in groups]
        caption = self(f"table_{name}", **values)
        return Table(caption, heads, self._rows(rows), numeric, spoken_groups, wide)

    def _rows(self, rows: Iterable[Cells]) -> list[list[str | Cell]]:
        return [
            [self._cell(cell) if isinstance(cell, Cell) else self.spoken(cell) for cell in row]
            for row in rows
        ]

    def _cell(self, cell: Cell) -> Cell:
        return replace(cell, text=self.spoken(cell.text), remark=self.spoken(cell.remark))

    def finding(self, check: Check) -> str | Cell:
        """Return what a check found."""
        return self.message(check.detail)

    def checks(self, checks: Iterable[Check]) -> Table:
        """Return the table of the checks: what was looked at, what came of it."""
        rows = (
            (
                self(f"check_{check.name}"),
                Cell(self(f"status_{check.status}"), tone=TONES[check.status]),
                Cell(
                    self.yes(check.blocking),
                    self("accepted", reason=check.accepted) if check.accepted else "",
                ),
                self.finding(check),
            )
            for check in checks
        )
        return self.table("checks", "check status blocking detail", rows)

    def checks_fact(self, checks: Sequence[Check], all_passed: str = "") -> Fact:
        """Return how many checks passed, and the names of those that did not, the failed first."""
        failed = sorted(
            (check for check in checks if check.status != "pass"),
            key=lambda check: check.status != "fail",
        )
        wrong, passed = [self(f"check_{check.name}") for check in failed], len(checks) - len(failed)
        if len(wrong) > _MOST + 1:  # one more is as short by its name
            wrong[_MOST:] = [self("more", count=len(wrong) - _MOST)]
        remarks = wrong or [all_passed] * bool(all_passed)
        return self.fact(
            "checks", self("fact_checks_value", passed=passed, count=len(checks)), *remarks
        )

    def chart(
        self,
        name: str,
        title: str,
        rows: Sequence[Row],
        axis: str,
        points: Sequence[str] = (),
        caption: str = "",
        **more: Any,
    ) -> Figure:
        """Return a chart whose text tells its points, by default its rows.

        Parameters
        ----------
        name : str
            Its caption is ``caption_<name>`` in the words, unless another is given.
        title, rows, axis, **more
            As of `drawing.chart`.
        points : sequence of str
        caption : str
        """
        points = points or [self("pair", name=row.label, value=row.value) for row in rows]
        drawing = chart(title, rows, axis, self, **more)
        return Figure(drawing, " ".join([title, *points]), caption or self(f"caption_{name}"))

    def exploratory(self, result: Result) -> Blocks:
        """Return the mark of what was asked beyond the plan; nothing where nothing was."""
        mark = result.mark(self.language)
        return [Paragraph(mark, "open")] if mark else []

    def contrast(self, contrast: Contrast) -> Blocks:
        """Return two results side by side: what tells each row, with its interval, in both.

        Rows that it tells nothing of in either are left out.
        """
        *figures, form = contrast.result.room("record").MAIN
        frame = contrast.frame()
        keys = [str(name) for name in frame][: -len(("figure", "this", "other", "change"))]

        def cell(values: Any) -> str | Cell:
            ends = [getattr(self, form)(value) for value in values.reindex(figures).dropna()]
            spans = len(ends) == len(figures) > 1
            return (
                Cell(ends[0], interval=self.range(*ends[1:]) if spans else "")
                if ends
                else self.none
            )

        rows: list[Cells] = [
            [*map(str, key), *(cell(part.set_index("figure")[name]) for name in ("this", "other"))]
            for key, part in frame.fillna(dict.fromkeys(keys, "")).groupby(keys, sort=False)
        ]
        rows = [row for row in rows if any(each != self.none for each in row[len(keys) :])]
        table = self.table("contrast", " ".join([*keys, "this", "other"]), rows, figure=figures[0])
        return [*self.exploratory(contrast.result), *self.exploratory(contrast.other), table]

    def explained(self, result: Result, term: str) -> Blocks:
        """Return what a term means and what it is in a result; without one, what can be asked.

        Parameters
        ----------
        result : Result
        term : str
            A column of its frame, the name of one of its checks, or any other that is explained.

        Raises
        ------
        ParameterError
            When nothing explains it; the message names the nearest that something does.
        """
        known, frame = catalogue(self.language, "explain"), result.frame()
        checks = {check.name: check for check in result.checks}
        names = sorted({*frame, *checks, *known})
        if not term:
            return [self.paragraph("can_be_asked", names=names)]
        asked = key = re.sub(r"\W+", "_", term.casefold())
        if asked not in names:
            near = did_you_mean(asked, names)
            raise ParameterError.of("explore.unknown_term", given=term, near=near)
        while key and key not in known:
            key = key.rpartition("_")[0]
        blocks: Blocks = [Paragraph(known[key or "check"])]
        if asked in checks:
            blocks.append(self.checks([checks[asked]]))
        keys = [*result.room("record").KEYS]
        columns = [name for name in frame if f"{name}_".startswith(f"{asked}_")]
        if columns and asked not in keys:
            here = frame[[*keys, *columns]].astype(object).fillna(self.none)
            rows = [
                [self.number(cell) if type(cell) in (int, float) else str(cell) for cell in row]
                for row in here.itertuples(index=False)
            ]
            blocks.append(Table(self("table_explained"), [*here], rows))
        return blocks

    def show(self, *blocks: Block | Figure) -> None:
        """Show blocks and figures in a cell's output, in order."""
        cells.show(*blocks)

    def bundle(self, *blocks: Block) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return blocks as the data and metadata of one output."""
        return cells.bundle(*blocks)

    def plain(self, *blocks: Block | Figure) -> str:
        """Return blocks as lines for a terminal."""
        return plain(blocks)
