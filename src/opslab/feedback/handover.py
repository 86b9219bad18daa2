"""Themes as rows that Jira, Linear and Productboard import.

A tool's headings, and what stands under them, are its template: ``jira.csv.j2`` and so on in
``report/templates/opslab``; what all of them say of a theme stands in ``handover.j2`` beside them.
"""

from __future__ import annotations

from opslab.feedback.result import FeedbackResult
from opslab.feedback.theme_pages import page_of
from opslab.report.catalogue import form
from opslab.report.voice import Voice
from opslab.tables.cells import csv_cell

_TOOLS = ("jira", "linear", "productboard")
_MOST = 250  # rows that Jira imports for those who do not administer it


def files(result: FeedbackResult, say: Voice) -> dict[str, bytes]:
    """Return a CSV file for each tool, a row a theme in rank order.

    None while a check is red, or where more was asked than the study plans.

    UTF-8 without a byte order mark, which a tool would take for a part of its first heading; as in
    `opslab.tables.write_csv` no cell runs as a formula. Themes without a rank come last, by size.
    """
    ranking = result.ranked()
    bands = dict(zip(ranking["theme"], ranking["band"], strict=True)) if len(ranking) else {}
    places = {name: place for place, name in enumerate(bands)}
    themes = sorted(result.themes, key=lambda theme: places.get(theme.id, len(places)))[:_MOST]
    if result.broken or result.asked or not themes:
        return {}
    about = {"say": say, "themes": themes, "bands": bands, "cell": csv_cell, "page_of": page_of}
    return {f"{tool}.csv": form(f"{tool}.csv.j2").render(about).encode() for tool in _TOOLS}
