"""What of an event log counts: rows that came twice, names and units nearly those asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from opslab.experiments.units.event_log import ASSIGNED, EventLog
from opslab.experiments.units.unit_table import EventCounts, NearName
from opslab.tables.source import ROW, Table, quoted

_ONCE = "opslab_events"


def near_names(events: Iterable[str], counts: Mapping[str, int]) -> list[NearName]:
    """Return the names of events that differ from a counted one in capitals and separators alone.

    Examples
    --------
    >>> near_names(["add_to_cart"], {"add_to_cart": 90, "addToCart": 8, "add": 4})
    [NearName(event='add_to_cart', near='addToCart', count=8, share=0.08163265306122448)]
    """
    asked = dict.fromkeys(events)
    return [
        NearName(event, name, count, count / (count + counts[event]))
        for event in asked
        for name, count in counts.items()
        if name not in asked and _folded(name) == _folded(event)
    ]


def _folded(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name.casefold())


def counted_once(
    log: EventLog, assignments: Table, arm: str, counts: Mapping[str, int], events: Sequence[str]
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
    events : sequence of str
        Names of the events that count.
    """
    among, columns = log.among(events), ", ".join(map(quoted, log.table.types))
    key = f"{log.unit}, {log.event}, {log.key}" if log.key else columns
    same = log.same_unit(assignments)
    joined = (
        f"(SELECT {log.unit} AS unit, hash({key}) AS key FROM {{}} WHERE {among}) AS e "
        f"LEFT JOIN {ASSIGNED} AS a ON {same}"
    )
    by_arm = f"SELECT CAST({quoted(arm)} AS VARCHAR), count(*) FROM {joined} GROUP BY 1"
    source = log.table.relation
    before = dict(log.table.fetch(by_arm.format(source)))
    distinct = f"SELECT count(*), count(DISTINCT key) FROM {joined} WHERE opslab_unit IS NOT NULL"
    ((rows, keys),) = log.table.fetch(distinct.format(source))
    differing = 0
    if keys < rows:
        if log.key:
            ((differing,),) = log.table.fetch(
                f"SELECT count(*) FROM (SELECT 1 FROM {source} WHERE {among} "
                f"GROUP BY {key} HAVING count(DISTINCT hash({columns})) > 1)"
            )
        first = f"row_number() OVER (PARTITION BY {key} ORDER BY {log.moment}, {columns}, {ROW})"
        log.table.keep(_ONCE, f"SELECT * FROM {source} WHERE {among} QUALIFY {first} = 1")
        log = replace(log, table=log.table.over(_ONCE, log.table.types, log.table.reading))
    counted = dict(log.table.fetch(by_arm.format(log.table.relation))) if keys < rows else before
    strangers, near = counted.get(None, 0), 0
    if strangers:
        ((near,),) = log.table.fetch(
            f"SELECT count(*) FROM {joined.format(log.table.relation)} WHERE opslab_unit IS NULL "
            f"AND {_bare('unit')} IN (SELECT {_bare('opslab_unit')} FROM {ASSIGNED})"
        )
    arms = [name for name in before if name is not None]
    repeated = {name: before[name] - counted[name] for name in arms}
    counted = {name: counted[name] for name in arms}
    names = near_names(events, counts)
    return log, EventCounts(counted, repeated, differing, strangers, near, names)


def _bare(unit: str) -> str:
    """Return SQL of a unit's id without what tools change: capitals, spaces, leading zeros."""
    return f"ltrim(lower(trim(CAST({unit} AS VARCHAR))), '0')"
