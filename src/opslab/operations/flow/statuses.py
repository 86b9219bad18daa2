"""What the statuses of an export are: as they are declared, or as their names say."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from opslab.errors import DataError, Problem, did_you_mean
from opslab.messages import spoken
from opslab.names import folded
from opslab.operations.flow.spec import Kind, Stage

_SURE = ("backlog", "done")
_LAST = {"done": 1, "cancelled": 2}


@cache
def words() -> Mapping[Any, str]:
    """Return the patterns by which names tell their kind; that of cancelled fits reasons too."""
    return tomllib.loads(Path(__file__).with_name("kinds.toml").read_text("utf-8"))


class Statuses(NamedTuple):
    """Statuses of an export, in the order of the work.

    Attributes
    ----------
    names : tuple of str
    kinds : tuple of str
    assumed : tuple of str
    codes : list of (str, int, str)
        Each writing in the file: which of them it means, and its kind, "" where none is told.
    """

    names: tuple[str, ...]
    kinds: tuple[Kind, ...]
    assumed: tuple[str, ...]
    codes: list[tuple[str, int, str]]


def kind_of(name: str, category: str = "") -> Kind | None:
    """Return what a status is by its name, and by the category that a tool gives it; or None.

    Examples
    --------
    >>> kind_of("Terminé(e)"), kind_of("In Review"), kind_of("QA", "Done"), kind_of("Coding")
    ('done', 'waiting', 'done', None)
    """
    plain = folded(name)
    kinds = (kind for kind, pattern in words().items() if re.search(pattern, plain))
    kind = next(kinds, None)
    above = (kind_of(category) if category else None) or kind
    if above in _SURE:
        return kind if kind == "cancelled" and above == "done" else above
    return above if kind in (*_SURE, "cancelled") else kind or above


def declared(stages: Iterable[Stage]) -> dict[str, int]:
    """Return the place of each stage by its names, folded: in both languages, and the others."""
    return {
        folded(name): number
        for number, stage in enumerate(stages)
        for name in (stage.stage, spoken(stage.stage, "fr"), *stage.also)
    }


def status_map(stages: Sequence[Stage], written: Sequence[tuple[Any, ...]], file: str) -> Statuses:
    """Return the statuses of a file: the declared ones, or those that are written in it.

    Parameters
    ----------
    stages : sequence of Stage
        Where there are any, each status of the file has to be one of them.
    written : sequence of (str, int, int, float, str)
        Each status as it is written, the most frequent first: how many rows have it, the first of
        them, its mean place among the events of a ticket, and the category that the tool gives it.
    file : str

    Raises
    ------
    DataError
        With every status that no stage declares.
    """
    guessed = {
        folded(name): (kind_of(name, above), position, name, kind_of(above) in _SURE)
        for name, _, _, position, above in reversed(written)
    }
    order = sorted(guessed.values(), key=lambda row: (_LAST.get(row[0] or "", 0), *row[1:3]))
    assumed = () if stages else tuple(name for _, _, name, sure in order if not sure)
    stages = stages or [Stage(stage=name, kind=kind or "active") for kind, _, name, _ in order]
    known = declared(stages)
    problems = [
        Problem(
            "flow.unknown_status",
            {"name": name, "count": count, "near": did_you_mean(name, known)},
            file,
            row=row,
        )
        for name, count, row, *_ in written
        if folded(name) not in known
    ]
    DataError.refuse(problems)
    unsure = {name for kind, _, name, _ in order if not kind and assumed}
    return Statuses(
        tuple(stage.stage for stage in stages),
        tuple(stage.kind for stage in stages),
        assumed,
        [
            (name, at := known[folded(name)], stages[at].kind * (stages[at].stage not in unsure))
            for name, *_ in written
        ],
    )
