"""JSON lines: one object a line, nested names joined by a point."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from opslab.tables.dialect import MOST_COLUMNS, text_file
from opslab.tables.import_report import Rows
from opslab.tables.numbers import clear_number
from opslab.tables.records import LONGEST_LINE
from opslab.tables.source import Opening

_WORDS = {True: "true", False: "false", None: ""}


def read_json_lines(opening: Opening) -> Rows:
    """Return the objects of a file as rows: a column for each name met in any of them.

    Numbers keep the digits they are written with, lists stay as JSON text, and a line that is no
    object is left out and told.
    """
    path, encoding, *_ = text_file(opening)
    columns: dict[str, None] = {}
    objects = 0

    def rows() -> Iterator[tuple[int, Sequence[str]]]:
        for number, content in _objects(opening, path):
            if not isinstance(content, str):
                yield number, [content.get(name, "") for name in columns]

    read = Rows([], rows(), encoding)
    for number, content in _objects(opening, path):
        if isinstance(content, str):
            read.reject(number, content, line=number)
            continue
        objects += 1
        columns |= dict.fromkeys(content)
        if len(columns) > MOST_COLUMNS:
            raise opening.error("tables.too_many_columns", columns=len(columns), most=MOST_COLUMNS)
    if not columns or read.too_many_rejected(objects + read.rejected):
        raise opening.error(
            "tables.no_records", line=read.rejections[0].row if read.rejected else 1
        )
    read.header = list(columns)
    return read


def _objects(opening: Opening, path: Path) -> Iterator[tuple[int, Mapping[str, str] | str]]:
    """Give the number of each line with its object, or with the reason why it is none."""
    with path.open(encoding="utf-8-sig", newline="\n") as stream:
        number = 0
        while line := stream.readline(LONGEST_LINE):
            number += 1
            if len(line) >= LONGEST_LINE:
                raise opening.error("tables.long_line", line=number, most=LONGEST_LINE >> 20)
            if line.strip():
                yield number, _parsed(line)


def _parsed(line: str) -> Mapping[str, str] | str:
    """Return the texts of an object by their joined names, or the reason why there are none."""
    try:
        value = json.loads(
            line,
            parse_float=clear_number,
            parse_int=str,
            parse_constant=_refuse,
            object_pairs_hook=_distinct,
        )
        if not isinstance(value, dict):
            return "tables.rejected_no_object"
        texts: dict[str, str] = {}
        for joined, text in _flat(value):
            name = joined
            while name in texts:  # {"a.b": 1, "a": {"b": 2}}
                name = f"{name} (2)"
            texts[name] = text
    except (ValueError, RecursionError):
        return "tables.rejected_no_json"
    return texts


def _refuse(word: str) -> str:
    raise ValueError(word)


def _distinct(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("a name stands twice")
    return values


def _flat(value: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for name, inner in value.items():
        if isinstance(inner, dict):
            yield from _flat(inner, f"{before}{name}.")
        elif isinstance(inner, list):
            yield before + name, json.dumps(inner, ensure_ascii=False) if inner else ""
        else:
            yield before + name, inner if isinstance(inner, str) else _WORDS[inner]
