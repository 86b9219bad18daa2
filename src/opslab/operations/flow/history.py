"""A history of tickets: which status each was in, from when to when, and what cannot be told."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from opslab.operations.flow.spec import Kind
from opslab.tables.import_report import Reading

Shape = Literal["changes", "stages", "dates"]
"""Of an export: a row a change; a row a ticket with a date for each stage, or with few dates."""


@dataclass(frozen=True)
class History:
    """Tickets in the order of their keys, and their visits of statuses in the order of time.

    Instants are days since 1970-01-01 UTC, as float; NaN stands for what is not known or not yet.

    Attributes
    ----------
    keys : array of str, shape (tickets,)
    created : array of float, shape (tickets,)
    resolved : array of float, shape (tickets,)
        When the tool says that a resolution was entered: seldom when it was done.
    statuses : tuple of str
        In the order of the work.
    kinds : tuple of str
        What each status is.
    ticket, status : array of int, shape (visits,)
        Sorted by ticket, then in the order of time.
    entered, left : array of float, shape (visits,)
        `left` is NaN of the last visit of each ticket.
    start, end : float
        From when and until when the export tells of tickets; they are watched from `start` on, and
        what is open then is open at `end`.
    attributes : Mapping of str to array of str, shape (tickets,)
        Segments, type, parent, labels and other columns by name; "" where empty. Lists: ``a; b``.
    assignees : int
        How many people have tickets; they are counted, never compared.
    shape : {"changes", "stages", "dates"}
    tool : str
        Tool whose export it is, as its profile names it.
    lacks : tuple of str
        What cannot be computed from such a file: ``stages``, ``start``, ``reopened``, ``hours``
        (only days are told), ``cancelled``, ``created`` (when tickets were).
    assumed : tuple of str
        Statuses whose kind was assumed from their name.
    flags : Mapping of str to tuple of int
        Rows of the file that were mended, left out or doubted, by reason: ``same_instant``,
        ``repeated``, ``closed_early`` (closed before created, left out), ``undated`` (also those
        that the reader left out, as far as it tells them), ``far`` (more than a year from all
        others, left out), ``loops``, ``later`` (after the day), ``skipped`` (the status before is
        not the one of the change before), ``clock`` (in an hour that clocks show twice, or behind
        one that they skip), ``resolved_open`` (the date of an end, and a status that is open: taken
        for open), ``epics`` (parents of other tickets). Of two files ``unmatched`` are changes of
        tickets that are not among them, left out; by rows of the tickets' file, ``unchanged`` are
        tickets beyond the backlog without a change, ``disagree`` those whose status is of another
        kind than that of their last change.
    readings : tuple of Reading
    filtered : {"", "done_only", "recent"}
        How the file seems to have been filtered: to tickets that are done; to those that were
        changed, or ended, in its last part: of what ended before `complete_from` it tells nothing.
    complete_from : float
        NaN unless it holds what was changed lately.
    """

    keys: Any
    created: Any
    resolved: Any
    statuses: tuple[str, ...]
    kinds: tuple[Kind, ...]
    ticket: Any
    status: Any
    entered: Any
    left: Any
    start: float
    end: float
    attributes: Mapping[str, Any]
    assignees: int
    shape: Shape
    tool: str
    lacks: tuple[str, ...]
    assumed: tuple[str, ...]
    flags: Mapping[str, tuple[int, ...]]
    readings: tuple[Reading, ...]
    filtered: Literal["", "done_only", "recent"] = ""
    complete_from: float = math.nan

    @property
    def period(self) -> tuple[datetime.date, datetime.date]:
        """The first and the last day that the export tells of."""
        days = np.floor([self.start, np.ceil(self.end) - 1]).astype("datetime64[D]")
        first, last = days.tolist()
        return first, last
