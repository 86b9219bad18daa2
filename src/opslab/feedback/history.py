"""Messages a day: of this run, and of runs before it for the days that this one does not cover."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from opslab.feedback.result import Assignment

if TYPE_CHECKING:
    from opslab.feedback.registry.state import Registry

Day = tuple[str, str, str, int]
"""Day, source, theme (``""`` is all), messages."""

GAP, STRAY = 28, 0.05
"""Days without a message beyond which less than such a share of all is a wrong date."""


def history_of(
    known: Registry | None, assignments: Sequence[Assignment], registry: Registry | None = None
) -> tuple[Day, ...]:
    """Return messages a day, source and theme: of this run, and of those before.

    For the days from a source's first message to its last, this run's messages take the place of
    what was known. Wrong dates (see `dated`) count for nothing.

    Parameters
    ----------
    known : Registry or None
    assignments : sequence of Assignment
        Before people's edits, as a registry has the themes.
    registry : Registry, optional
        Of this run.

    Returns
    -------
    tuple of (day, source, theme, messages)
        In order; the theme ``""`` is all messages, also those that are in none.
    """
    counts = Counter[tuple[str, str, str]]()
    days = dated([each.message.date for each in assignments])
    for at in np.flatnonzero(days.notna()).tolist():
        for theme in ("", *assignments[at].themes):
            counts[str(days[at])[:10], assignments[at].message.source, theme] += 1
    now = ((*key, count) for key, count in counts.items())
    return tuple(sorted([*earlier(known, assignments, registry), *now]))


def earlier(
    known: Registry | None, assignments: Sequence[Assignment], registry: Registry | None = None
) -> list[Day]:
    """Return what is known of days that the messages of this run do not cover, by source.

    The past of a theme that goes on, and of which this run sets a part apart, is shared out by
    size: else it would seem to shrink.
    """
    days = dated([each.message.date for each in assignments])
    covered = days.astype(str).str[:10].where(days.notna())
    ends = covered.groupby([each.message.source for each in assignments]).agg(["min", "max"])
    spans = {source: ends for source, *ends in ends.dropna().itertuples()}
    if known is None:
        return []
    apart: dict[str, tuple[str, ...]] = {
        event.theme: (event.theme, *event.others)
        for event in (registry.ledger if registry else ())
        if event.kind == "split" and event not in known.ledger
        if registry and (own := registry.theme(event.theme)) and own.status == "active"
    }
    sizes = Counter(theme for each in assignments for theme in each.themes)
    rows = list[Day]()
    for day, source, theme, count in known.history:
        if source in spans and spans[source][0] <= day <= spans[source][1]:
            continue
        names, before = apart.get(theme, (theme,)), 0
        reach = np.cumsum([sizes[name] or 1 for name in names])
        for name, upto in zip(names, np.rint(count * reach / reach[-1]).tolist(), strict=True):
            if upto > before:
                rows.append((day, source, name, int(upto - before)))
                before = upto
    return rows


def past_of(
    rows: Iterable[Day], columns: Mapping[str, Mapping[int, float]], width: int
) -> pd.DataFrame:
    """Return days of the past as a table: ``day``, ``source``, ``all`` and a column of each theme.

    Parameters
    ----------
    rows : iterable of (day, source, theme, messages)
    columns : mapping of str to mapping of int to float
        In which columns a theme of then stands now, and which part of it: a theme that was merged
        in that of the theme that took it in, one that was split in those of its parts.
    width : int
        Themes of now.
    """
    sums: dict[tuple[str, str], Any] = {}
    for day, source, theme, count in rows:
        own = sums.setdefault((day, source), np.zeros(width + 1))
        for at, part in columns.get(theme, {}).items() if theme else [(width, 1.0)]:
            own[at] += part * count
    frame = pd.DataFrame(sums.values(), columns=[*range(width), "all"])
    days = pd.to_datetime(pd.Series([day for day, _ in sums], dtype=object))
    return frame.assign(day=days, source=[source for _, source in sums])


def columns_of(
    ids: Sequence[str], sizes: Sequence[int], known: Registry, merges: Mapping[str, str]
) -> dict[str, dict[int, float]]:
    """Return in which of today's themes the themes of a registry stand, by their ids.

    Parameters
    ----------
    ids : sequence of str
    sizes : sequence of int
        Messages of each: the past of a split theme is shared out by those of its parts.
    known : Registry
        Of this run.
    merges : mapping of str to str
        People's.
    """
    at = {name: number for number, name in enumerate(ids)}
    into = {theme.id: theme.into for theme in known.themes if theme.into} | {**merges}
    parts = {event.theme: event.others for event in known.ledger if event.kind == "split"}

    def heirs(name: str, before: Sequence[str] = ()) -> set[str]:
        if name in at and name not in into:
            return {name}
        letters = [each for each in (*ids, *merges) if each[:-1] == name and each[-1].isalpha()]
        after = [into[name]] if name in into else parts.get(name, letters)
        seen = (*before, name)
        return {heir for each in after if each not in seen for heir in heirs(each, seen)}

    columns = {}
    for theme in known.themes:
        weights = {at[name]: sizes[at[name]] or 1 for name in sorted(heirs(theme.id))}
        total = sum(weights.values())
        columns[theme.id] = {number: weight / total for number, weight in weights.items()}
    return columns


def dated(days: Sequence[datetime.date | None]) -> pd.Series[Any]:
    """Return days as time stamps, without the few that `GAP` days part from all others.

    Examples
    --------
    >>> int(dated([datetime.date(2026, 1, 5)] * 30 + [datetime.date(1970, 1, 1)]).count())
    30
    """
    dates = pd.to_datetime(pd.Series(np.array(days, object)))
    runs = (dates.sort_values().diff() >= pd.Timedelta(days=GAP)).cumsum()[dates.notna()]
    return dates.where(runs.map(runs.value_counts(normalize=True)) >= STRAY)


def counted(
    inside: Any,
    days: Sequence[datetime.date | None],
    sources: Sequence[str],
    customers: Sequence[str | None] = (),
    width: float = 1,
    past: pd.DataFrame | None = None,
) -> tuple[pd.DataFrame, int, Any]:
    """Count messages by week, or by day, and source; a customer once in each.

    Parameters
    ----------
    inside : array of bool, shape (messages, themes)
    days : sequence of date or None, shape (messages,)
    sources : sequence of str, shape (messages,)
    customers : sequence of str or None, shape (messages,), optional
        None counts as a customer of its own.
    width : float
        Days of a week; 1 counts by day.
    past : pandas.DataFrame, optional
        From `past_of`: what is later than the last message is left out.

    Returns
    -------
    table : pandas.DataFrame
        A column for each theme, and ``all``; by ``ago``, how many weeks ago counted back from the
        last day, and ``source``. Where a source has no message, there is no row.
    count : int
        Whole weeks there are.
    last : Timestamp
        The last day.
    """
    dates = dated(days)
    last, first = dates.max(), dates.min()
    writers = [name or at for at, name in enumerate(customers)] or [*dates.index]
    ago = (last - dates).dt.days // width
    frame = pd.DataFrame({"ago": ago, "source": [*sources], "writer": writers})
    rows, themes = np.nonzero(inside)  # few of all: a table of every message and theme is too large
    names = [*range(inside.shape[1]), "all"]
    marks = [frame.assign(theme=len(names) - 1), frame.iloc[rows].assign(theme=themes)]
    once = pd.concat(marks).dropna(subset="ago").drop_duplicates()
    sums = once.groupby(["ago", "source", "theme"]).size().unstack(fill_value=0)  # noqa: PD010
    parts = [sums.reindex(columns=range(len(names)), fill_value=0).set_axis(names, axis=1) * 1.0]
    if past is not None and len(past):
        before = past[past["day"] <= last]
        first = min(first, before["day"].min())
        then = before.assign(ago=(last - before["day"]).dt.days // width).drop(columns="day")
        parts.append(then.groupby(["ago", "source"]).sum())
    table = pd.concat(parts).groupby(["ago", "source"]).sum()
    count = int(((last - first).days + 1) // width) if len(table) else 0
    return table[table.index.get_level_values("ago") < count], count, last
