"""Records (JSONL): one JSON object a line, nested names joined by a point."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from opslab.errors import DataError
from opslab.tables.dialect import LONGEST_LINE, MOST_COLUMNS
from opslab.tables.import_report import Rejection, Rows
from opslab.tables.numbers import clear_number

_MOST_REJECTED = 0.1
_WORDS = {True: "true", False: "false", None: ""}


def read_records(path: Path, shown: str) -> Rows:
    """Return the records of a UTF-8 file as rows: a column for each name met in any of them.

    Numbers keep the digits they are written with, lists stay as JSON text, and a line that is no
    object is left out and told.
    """
    columns: dict[str, None] = {}
    records = 0
    rejections: list[Rejection] = []
    for number, record in _records(path, shown):
        if isinstance(record, str):
            rejections.append(Rejection(number, record, {"line": number}))
            continue
        records += 1
        columns |= dict.fromkeys(record)
        if len(columns) > MOST_COLUMNS:
            raise DataError.of(
                "tables.too_many_columns", file=shown, columns=len(columns), most=MOST_COLUMNS
            )
    if not columns or len(rejections) > _MOST_REJECTED * (records + len(rejections)):
        line = rejections[0].row if rejections else 1
        raise DataError.of("tables.no_records", file=shown, line=line)

    def rows() -> Iterator[tuple[int, Sequence[str]]]:
        for number, record in _records(path, shown):
            if not isinstance(record, str):
                yield number, [record.get(name, "") for name in columns]

    return Rows(list(columns), rows(), rejections=rejections)


def _records(path: Path, shown: str) -> Iterator[tuple[int, Mapping[str, str] | str]]:
    """Give the number of each line with its record, or with the reason why it is none."""
    with path.open(encoding="utf-8-sig", newline="\n") as stream:
        number = 0
        while line := stream.readline(LONGEST_LINE):
            number += 1
            if len(line) >= LONGEST_LINE:
                raise DataError.of(
                    "tables.long_line", file=shown, line=number, most=LONGEST_LINE >> 20
                )
            if not line.strip():
                continue
            try:
                value = json.loads(
                    line,
                    parse_float=clear_number,
                    parse_int=str,
                    parse_constant=_no_number,
                    object_pairs_hook=_object,
                )
                yield (
                    number,
                    _named(value) if isinstance(value, dict) else "tables.rejected_no_object",
                )
            except (ValueError, RecursionError):
                yield number, "tables.rejected_no_json"


def _no_number(word: str) -> str:
    raise ValueError(word)


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found


def _named(value: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for joined, one in _flat(value):
        name = joined
        while name in found:  # {"a.b": 1, "a": {"b": 2}}
            name = f"{name} (2)"
        found[name] = one
    return found


def _flat(value: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for name, one in value.items():
        if isinstance(one, dict):
            yield from _flat(one, f"{before}{name}.")
        elif isinstance(one, list):
            yield before + name, json.dumps(one, ensure_ascii=False) if one else ""
        else:
            yield before + name, one if isinstance(one, str) else _WORDS[one]
