"""Themes as rows that Jira, Linear and Productboard import.

A tool's headings, and what stands under them, are its template: ``jira.csv.j2`` and so on in
``report/templates/opslab``; what all of them say of a theme stands in ``handover.j2`` beside them.
"""

from __future__ import annotations

from collections.abc import Mapping

from opslab.feedback.result import FeedbackResult
from opslab.feedback.theme_pages import page_of
from opslab.report.catalogue import form
from opslab.report.voice import Voice
from opslab.tables.cells import csv_cell

_TOOLS = ("jira", "linear", "productboard")
_MOST = 250  # rows that Jira imports for those who do not administer it


def files(
    result: FeedbackResult,
    say: Voice,
    bands: Mapping[str, int] | None = None,
    teams: Mapping[str, str | None] | None = None,
) -> dict[str, bytes]:
    """Return a CSV file for each tool, a row a theme; none while a blocking check is red.

    UTF-8 without a byte order mark, which a tool would take for a part of its first heading; as in
    `opslab.tables.write_csv` no cell runs as a formula.

    Parameters
    ----------
    result : FeedbackResult
    say : Voice
    bands : mapping of str to int, optional
        The bands of themes, from 1: they come in this order, then by size.
    teams : mapping of str to str or None, optional
        The teams of themes, where they have one.
    """
    bands = bands or {}
    themes = sorted(result.themes, key=lambda theme: bands.get(theme.id, _MOST))[:_MOST]
    if result.broken or not themes:
        return {}
    about = {"say": say, "themes": themes, "bands": bands, "teams": teams or {}}
    return {
        f"{tool}.csv": form(f"{tool}.csv.j2").render(about, cell=csv_cell, page_of=page_of).encode()
        for tool in _TOOLS
    }
