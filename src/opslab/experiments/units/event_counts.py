"""What of an event log counts: rows that came twice, names and units nearly those asked for."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace

from opslab.experiments.units.event_log import ASSIGNED, EventLog
from opslab.experiments.units.unit_table import EventCounts, NearName
from opslab.tables.source import ROW, Table, quoted

_ONCE = "opslab_events"


def near_names(events: Collection[str], counts: Mapping[str, int]) -> list[NearName]:
    """Return the names of events that differ from a counted one in capitals and separators alone.

    Examples
    --------
    >>> near_names(["add_to_cart"], {"add_to_cart": 92, "addToCart": 8, "add": 4})
    [NearName(event='add_to_cart', near='addToCart', count=8, share=0.08)]
    """
    folded = {_folded(event): event for event in events}
    return [
        NearName(event, near, count, count / (count + counts[event]))
        for near, count in counts.items()
        if near not in events and (event := folded.get(_folded(near)))
    ]


def _folded(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name.casefold())


def counted_once(
    log: EventLog, assignments: Table, arm: str, counts: Mapping[str, int], events: Collection[str]
) -> tuple[EventLog, EventCounts]:
    """Return the log with each event once, and what was found of events that do not count.

    Rows are the same event where they agree in everything, or with an id in unit, event and id: the
    earliest of these counts.

    Parameters
    ----------
    log : EventLog
    assignments : Table
        Of the engine that holds the assigned units.
    arm : str
        Column of the arm.
    counts : mapping
        How often each event occurs.
    events : collection of str
        Names of the events that count.
    """
    source, among = log.table.relation, log.among(events)
    row = ", ".join(map(quoted, log.table.types))
    key = f"{log.unit}, {log.event}, {log.key}" if log.key else row
    joined = (
        f"(SELECT {log.unit} AS unit, hash({key}) AS key, hash({row}) AS row FROM {source} "
        f"WHERE {among}) AS e LEFT JOIN {ASSIGNED} AS a ON {log.same_unit(assignments)}"
    )
    # Equal hashes only ask for the costlier look at whole rows, which decides.
    rows_of = "count(DISTINCT row)" if log.key else "0"
    by_arm = log.table.fetch(
        f"SELECT CAST({quoted(arm)} AS VARCHAR), count(*), {rows_of}, "
        f"count(DISTINCT key) FILTER (opslab_unit IS NOT NULL) FROM {joined} GROUP BY 1"
    )
    arms = [figures for figures in by_arm if figures[0] is not None]
    others, near, nameless = sum(figures[1] for figures in by_arm if figures[0] is None), 0, 0
    if others:
        named = "trim(CAST(unit AS VARCHAR)) <> ''"
        ((near, nameless),) = log.table.fetch(
            f"SELECT count(*) FILTER ({named} AND {_bare('unit')} IN "
            f"(SELECT {_bare('opslab_unit')} FROM {ASSIGNED})), "
            f"count(*) FILTER (({named}) IS NOT TRUE) FROM {joined} WHERE opslab_unit IS NULL"
        )
    if any(rows > keys for _, rows, _, keys in arms):
        first = f"row_number() OVER (PARTITION BY {key} ORDER BY {log.moment}, {row}, {ROW}) = 1"
        log.table.keep(_ONCE, f"SELECT * FROM {source} WHERE {among} QUALIFY {first}")
        log = replace(log, table=log.table.over(_ONCE, log.table.types, log.table.reading))
    return log, EventCounts(
        {name: keys for name, _, _, keys in arms},
        {name: rows - keys for name, rows, _, keys in arms},
        sum(max(different - keys, 0) for *_, different, keys in arms),
        others - nameless,
        near,
        nameless,
        near_names(events, counts),
    )


def _bare(unit: str) -> str:
    """Return SQL of a unit's id without what tools change: capitals, separators, leading zeros."""
    return f"ltrim(translate(lower(CAST({unit} AS VARCHAR)), ' _-', ''), '0')"
