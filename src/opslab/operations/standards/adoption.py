"""Adoption of a standard as a number: of documents, and of all that is asked of them."""

from __future__ import annotations

from collections.abc import Iterable

from scipy import stats

from opslab.operations.standards.result import Finding, Share

LEVEL = 0.9


def grouped(findings: Iterable[Finding], by: str) -> dict[str, list[Finding]]:
    """Return findings by a field of theirs, in order of its values."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(getattr(finding, by), []).append(finding)
    return dict(sorted(groups.items()))


def share(findings: Iterable[Finding]) -> Share:
    """Return how many documents hold all that is asked, with its interval (Wilson 1927)."""
    held = [
        [finding.state == "there" for finding in own]
        for own in grouped(findings, "document").values()
    ]
    whole, count = sum(map(all, held)), len(held)
    ends = stats.binomtest(whole, count or 1).proportion_ci(LEVEL, method="wilson")
    low, high = map(float, ends if count else (0, 1))
    return Share(whole, count, sum(map(sum, held)), sum(map(len, held)), low, high)
