"""What a review returns: tables of how each figure moved, and of what stands beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from opslab.evidence import SourceFile
from opslab.operations.launch_report.spec import LaunchReview
from opslab.results import Result
from opslab.tables.import_report import Reading

Rows = list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True, repr=False)
class LaunchReportResult(Result):
    """The result of `opslab.operations.review_launch`.

    Ask
    ---
    ``frame()`` and ``to_excel(path)`` give the tables; ``compare(other)`` two reviews side by side,
    such as after 2 and 4 weeks; ``explain(term)`` what a word means.

    Attributes
    ----------
    movements, mentions, effects, gates, decisions, learned : list of dict
        A row for each figure, theme, effect of the experiment, readiness that was cited, decision
        of the gate, lesson.
    brier : float or None
        See `opslab.operations.launch_report.review.brier`.
    """

    PARTS: ClassVar[Mapping[str, str]] = {
        "kpis": "movements",
        "feedback": "mentions",
        "experiment": "effects",
        "gate": "gates",
        "calibration": "decisions",
        "lessons": "learned",
        "checks": "checks",
        "data": "",
        "method": "",
    }

    review: LaunchReview
    movements: Rows
    mentions: Rows
    effects: Rows
    gates: Rows
    decisions: Rows
    learned: Rows
    brier: float | None
    readings: tuple[Reading, ...]
    sources: tuple[SourceFile, ...]

    def names(self, *states: str) -> list[str]:
        """Return the figures that are in a state, or moved so."""
        return [row["name"] for row in self.movements if {row["state"], row["moved"]} & {*states}]

    @property
    def action(self) -> str:
        """What to do: stop, act, wait, keep."""
        if self.broken:
            return "stop"
        if self.names("missed", "worse"):
            return "act"
        return "wait" if self.names("open", "unknown") else "keep"
