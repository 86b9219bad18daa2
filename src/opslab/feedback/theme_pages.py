"""All quotes of a theme on a page of their own, and those of what is left unsorted.

How a page looks and reads stands in its template, ``report/templates/opslab/quotes.html.j2``.
"""

from __future__ import annotations

import datetime

from opslab.feedback.result import Assignment, FeedbackResult
from opslab.messages import without_controls
from opslab.report.catalogue import form
from opslab.report.voice import Voice

MOST, MOST_IN_ALL = 2_000, 50_000
"""Quotes on a page, and on all pages together."""


def page_of(theme: str) -> str:
    """Return the name of the file with the quotes of a theme, or of what is in none.

    Examples
    --------
    >>> page_of("T01"), page_of("none")
    ('theme-t01.html', 'theme-none.html')
    """
    return f"theme-{theme.lower()}.html"


def pages(result: FeedbackResult, say: Voice) -> dict[str, bytes]:
    """Return a page for each theme and one for what is in none, by file name.

    A message stands on the page of each of its themes: the newest first, of a day the surest.
    """
    themes = {theme.id: theme for theme in result.themes}
    said: dict[str, list[Assignment]] = {name: [] for name in themes}
    newest = sorted(
        result.assignments,
        key=lambda each: (each.message.date or datetime.date.min, each.main.confidence or 0),
        reverse=True,
    )
    for each in newest:
        for name in each.themes or {"none"}:
            said.setdefault(name, []).append(each)
    about = {
        "say": say,
        "study": result.study,
        "themes": themes,
        "said": said,
        "mark": result.mark(say.language),
        "most": min(MOST, MOST_IN_ALL // max(len(said), 1)),
    }
    page = form("quotes.html.j2").render
    return {page_of(name): without_controls(page(about, name=name)).encode() for name in said}
