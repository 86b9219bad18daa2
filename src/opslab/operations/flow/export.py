"""From the export of any ticket tool, or a log of events, to the history of its tickets."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from itertools import takewhile
from typing import Any

import numpy as np
import pandas as pd

from opslab.errors import DataError, Problem
from opslab.messages import Bilingual
from opslab.names import folded
from opslab.operations.flow import queries
from opslab.operations.flow.history import History, Shape
from opslab.operations.flow.spec import Flow, Kind
from opslab.operations.flow.statuses import Statuses, declared, kind_of, status_map
from opslab.sheet_alone import answering
from opslab.tables.exports import open_export
from opslab.tables.import_report import Reading
from opslab.tables.profiles import known_profiles
from opslab.tables.source import Table, literal, quoted

_DATED: Mapping[Kind, str] = {
    "backlog": Bilingual("Created", french="Créé"),
    "active": Bilingual("Started", french="Commencé"),
    "done": Bilingual("Done", french="Terminé"),
    "cancelled": Bilingual("Cancelled", french="Annulé"),
}
"""Statuses of an export with few dates."""
_EVENTS = {"changes": queries.CHANGES, "stages": queries.ENTRIES, "dates": queries.DATED}
_CLOCKS = {"tables.decided_gap", "tables.decided_fold"}
_STATES = ("key", "status", "status_category", "to_status", "from_status")
_SHOWN = 12  # columns that a message lists


def read_history(flow: Flow, data: Any = None, as_of: datetime.date | None = None) -> History:
    """Read the export of a flow, and the changes of status where they are in a file of their own.

    Tickets are watched from `start` on. A file of changes tells of those tickets that were there
    when its first change came or that came later, so that `start` is its first event, and a ticket
    that is older enters late. So it is for first entries into stages. A file with few dates holds
    what was created since its first ticket: `start` is its creation. ``flow.period`` overrides
    both, and what came after it is left out.

    Parameters
    ----------
    flow : Flow
    data : path or frame, optional
        In the place of the tickets' file.
    as_of : date, optional
        What came after this day is left out; by default ``flow.date``.

    Raises
    ------
    DataError
        When there is no ticket, no column tells keys or dates, a status is in no stage, a ticket
        stands there twice with other dates, or a segment is no column.

    Examples
    --------
    >>> from opslab import workspace
    >>> flow = Flow.load(workspace.resolve("data/sample/delivery_flow.yaml"))
    >>> history = read_history(flow)
    >>> len(history.keys), len(history.entered), history.tool, history.lacks
    (420, 2335, 'Jira Cloud', ())
    """
    with answering(flow), ExitStack() as opened:
        export = flow.beside(flow.tickets.path) if data is None else data
        tickets = opened.enter_context(open_export(export, answers=flow.tickets))
        log = tickets
        if flow.history:
            path = flow.beside(flow.history.path)
            log = opened.enter_context(open_export(path, answers=flow.history))
        return _history(flow, tickets, log, as_of or flow.date)


def _history(flow: Flow, tickets: Table, log: Table, day: datetime.date | None) -> History:
    """Return the history that one or two open tables tell."""
    stages = _stages(flow, log)
    shape: Shape = "changes" if "to_status" in log.types else "stages" if stages else "dates"
    values = _parts(flow, log, stages) | _limits(flow, day)
    values |= {"apart": log is not tickets, "shape": shape}
    ahead = _tickets(flow, tickets)
    log.connection.register("flow_ahead", ahead)
    log.keep("flow_tickets", "SELECT * FROM flow_ahead")
    if shape != "changes" or log is not tickets:
        _refuse_twice(tickets)
    if log.fetch(queries.ACTIVITIES.format(**values)) == [(2,)]:
        raise DataError.of("flow.activities", file=log.reading.name)
    statuses, lacks = _keep_events(flow, log, shape, values)
    log.keep("flow_last", queries.LAST.format(**values))
    visits = pd.DataFrame(log.arrays(queries.VISITS.format(**values)))
    visits = visits[visits[["ticket", "status"]].diff().ne(0).any(axis=1)]
    present, ticket = np.unique(visits["ticket"], return_inverse=True)
    ((begin, end, by_day, *filtered),) = log.fetch(queries.SPAN.format(**values))
    if by_day is None or not len(present):
        _refuse_empty(log, values)
    known = {name: ahead[name].to_numpy()[present] for name in ahead}
    dates = log.arrays(queries.CREATED.format(**values))
    created = dates["created"][present]
    lacks += ["created"] * bool(np.isnan(created).all())
    readings = (tickets.reading, log.reading)[: 1 + values["apart"]]
    return History(
        known["key"],
        created,
        dates["resolved"][present],
        statuses.names,
        statuses.kinds,
        ticket,
        visits["status"].to_numpy(),
        visits["entered"].to_numpy(),
        visits.groupby("ticket")["entered"].shift(-1).to_numpy(),
        begin,
        end,
        {name[2:]: column for name, column in known.items() if name[:2] == "= "},
        len({*ahead["assignee"]} - {0}),
        shape,
        getattr(known_profiles().get(tickets.reading.profile or ""), "tool", ""),
        (*lacks, *["hours"] * by_day),
        statuses.assumed,
        _flags(log, readings, values),
        readings,
        *filtered,
    )


def _parts(flow: Flow, log: Table, stages: Sequence[str]) -> dict[str, Any]:
    """Return SQL of the table, of its columns, and of its zone where its clocks were doubted."""
    zone = (flow.history or flow.tickets).timezone
    doubted = _CLOCKS & {decision.key for decision in log.reading.decisions}
    names = [*map(quoted, stages or log.types)]
    return {
        "full": queries.FULL.format(relation=log.relation),
        "columns": ", ".join(map(queries.ENTRY.format, names) if stages else names),
        "names": ", ".join(map(literal, stages)),
        "clock": literal(zone) if zone and doubted else "NULL::VARCHAR",
    }


def _flags(
    log: Table, readings: Sequence[Reading], values: Mapping[str, Any]
) -> dict[str, tuple[int, ...]]:
    """Return rows by reason; undated are those too that the reader left out."""
    flags = dict(log.fetch(queries.FLAGS.format(**values)))
    left_out = {each.row for reading in readings for each in reading.rejections}
    flags["undated"] = sorted(left_out.union(flags.get("undated", ())))
    return {reason: tuple(rows) for reason, rows in flags.items() if rows}


def _refuse_empty(log: Table, values: Mapping[str, Any]) -> None:
    """Raise with the reason for which there is no ticket."""
    ((why, names, *keys, day),) = log.fetch(queries.WHY.format(**values))
    raise DataError.of(
        f"flow.{why}",
        file=log.reading.name,
        rows=log.reading.rows,
        names=names,
        keys=keys,
        day=day,
    )


def _limits(flow: Flow, day: datetime.date | None) -> dict[str, str]:
    """Return SQL of the zone, of the begin of the period and of the end of what is told."""
    zone = literal((flow.calendar and flow.calendar.timezone) or flow.tickets.timezone or "UTC")
    midnight = f"epoch_us(timezone({zone}, TIMESTAMP '{{}}'))".format
    start, until = flow.period or (None, day)
    last = min(filter(None, (day, until)), default=None)
    cap = midnight(last + datetime.timedelta(1)) if last else "1e300"
    return {
        "zone": zone,
        "first": midnight(start) if start else "NULL",
        "cap": cap,
        "still": cap if last and "fresh" in flow.accept else "NULL",
    }


def _keep_events(
    flow: Flow, log: Table, shape: Shape, values: dict[str, Any]
) -> tuple[Statuses, list[str]]:
    """Keep the events in their order; return the statuses, and what cannot be told."""

    def statuses(**values: Any) -> Statuses:
        written = log.fetch(queries.WRITTEN.format(**values))
        return status_map(flow.stages, written, log.reading.name)

    lacks = ["reopened"] * (shape != "changes" and "reopens" not in log.types)
    if shape == "dates":
        log.keep("flow_ordered", queries.NOTHING)
        known = statuses(apart=True)
        kinds = [f"{literal(name)}: {literal(kind)}" for name, _, kind in known.codes]
        values["kinds"] = ", ".join(["'': ''", *kinds])
        lacks += ["stages", *["start"] * ("started_at" not in log.types)]
    log.keep("flow_events", queries.EVENTS.format(events=_EVENTS[shape].format(**values)))
    log.keep("flow_ordered", queries.MOVED)
    log.keep("flow_chains", queries.CHAINS)
    log.keep("flow_ordered", queries.ORDERED)
    if shape == "dates":
        codes = [(str(kind), order, str(kind)) for order, kind in enumerate(_DATED)]
        ended = {*log.fetch(queries.ENDED)} if "canceled_at" not in log.types else ()
        unsure = tuple(name for name, _, kind in known.codes if not kind and (name,) in ended)
        result = Statuses((*_DATED.values(),), (*_DATED,), unsure, codes)
        mentioned = not {"canceled_at", "resolution", "state_reason"}.isdisjoint(log.types)
    else:
        result, mentioned = statuses(**values), shape == "changes"
        known = result
    lacks += ["cancelled"] * (not mentioned and "cancelled" not in known.kinds)
    frame = pd.DataFrame(result.codes, columns=["name", "status", "kind"])
    log.connection.register("flow_codes", frame)
    return result, lacks


def _refuse_twice(table: Table) -> None:
    """Raise where a ticket stands in two rows with other dates."""
    full = queries.FULL.format(relation=table.relation)
    for key, first, row in table.fetch(queries.TWICE.format(full=full)):
        values = {"key": key, "first": first}
        raise DataError(Problem("flow.key_twice", values, table.reading.name, row=row))


def _stages(flow: Flow, table: Table) -> list[str]:
    """Return the columns of first entries, behind the name: the declared ones, where there are any.

    Else those with days up to the last that is called as what is done; without one, up to the first
    without days.
    """
    if table.reading.profile != "actionableagile":
        return []
    columns = [*table.types][3:]
    if flow.stages:
        return [name for name in columns if folded(name) in declared(flow.stages)]
    days = {name for name in columns if table.types[name].startswith(("DATE", "TIMESTAMP"))}
    last = max((n for n, name in enumerate(columns, 1) if kind_of(name) == "done"), default=0)
    if last:
        return [name for name in columns[:last] if name in days]
    return [*takewhile(days.__contains__, columns)]


def _tickets(flow: Flow, table: Table) -> Any:
    """Return a row for each ticket in the order of their keys, its attributes behind ``= ``.

    An attribute is called as a segment calls it, where one does.
    """
    file, types = table.reading.name, table.types
    if not {"key", "id"} & {*types}:
        raise DataError.of("flow.unknown_columns", file=file, names=[*table.headings][:_SHOWN])
    other = {*_STATES, *table.reading.personal}
    free = [
        name
        for name in types
        if name not in other and not types[name].startswith(("TIMESTAMP", "DATE"))
    ]
    called = dict(zip(map(folded, [*table.headings, *types]), [*types] * 2, strict=True))
    segments = {
        called.get(folded(name)): name for name in [*flow.segments, flow.forecast.teams] if name
    }
    for source in {*segments} - {*free}:
        raise DataError.of("flow.no_segment", file=file, field=segments[source], names=free)
    columns = [
        queries.ATTRIBUTE.format(
            (queries.LIST if types[name].endswith("[]") else queries.CELL).format(quoted(name)),
            quoted(f"= {segments.get(name, name)}"),
        )
        for name in free
    ]
    values = {"full": queries.FULL.format(relation=table.relation), "columns": "".join(columns)}
    return pd.DataFrame(table.arrays(queries.TICKETS.format(**values)))
