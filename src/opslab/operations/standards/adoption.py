"""Adoption of a standard as a number: of documents, and of all that is asked of them."""

from __future__ import annotations

from collections.abc import Iterable

from opslab.operations.standards.result import Finding, Share


def grouped(findings: Iterable[Finding], by: str) -> dict[str, list[Finding]]:
    """Return findings by a field of theirs, in order of its values."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(getattr(finding, by), []).append(finding)
    return dict(sorted(groups.items()))


def share(findings: Iterable[Finding]) -> Share:
    """Return how many documents hold all that is asked, and how much there is of it."""
    held = [
        [finding.state == "there" for finding in own]
        for own in grouped(findings, "document").values()
    ]
    return Share(sum(map(all, held)), len(held), sum(map(sum, held)), sum(map(len, held)))
