"""What a review returns: tables of how each figure moved, and of what stands beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from opslab.evidence import SourceFile
from opslab.operations.launch_report.spec import LaunchReview
from opslab.results import Result
from opslab.tables.import_report import Reading

Rows = tuple[dict[str, Any], ...]


@dataclass(frozen=True, kw_only=True, repr=False)
class LaunchReportResult(Result):
    """The result of `opslab.operations.review_launch`.

    Ask
    ---
    ``frame()`` and ``to_excel(path)`` give the tables; ``compare(other)`` two reviews side by side,
    such as after 2 and 4 weeks; ``explain(term)`` what a word means.

    Attributes
    ----------
    kpis, feedback, experiment, gate, calibration, lessons : tuple of dict
        A row for each figure, theme, effect, readiness that was cited, decision, lesson.
    brier : float or None
        See `opslab.operations.launch_report.review.brier`.
    """

    PARTS: ClassVar[Mapping[str, str]] = {
        **{name: name for name in ("kpis", "feedback", "experiment", "gate", "calibration")},
        "lessons": "lessons",
        "checks": "checks",
        "data": "",
        "method": "",
    }

    review: LaunchReview
    kpis: Rows
    feedback: Rows
    experiment: Rows
    gate: Rows
    calibration: Rows
    lessons: Rows
    brier: float | None
    readings: tuple[Reading, ...]
    sources: tuple[SourceFile, ...]

    @property
    def off(self) -> list[dict[str, Any]]:
        """Figures that miss their target, got worse or unstable."""
        bad = {"missed", "worse", "unstable"}
        return [row for row in self.kpis if bad & {row["state"], row["change"]}]

    @property
    def action(self) -> str:
        """What to do: stop, act, wait, keep."""
        if self.broken:
            return "stop"
        if self.off:
            return "act"
        return "wait" if {"open", "unknown"} & {row["state"] for row in self.kpis} else "keep"
