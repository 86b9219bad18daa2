"""JSON: one object a line, or a list of objects; nested names are joined by a point."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from opslab.errors import did_you_mean
from opslab.tables.dialect import MOST_COLUMNS, text_file
from opslab.tables.import_report import Decision, Rows
from opslab.tables.numbers import clear_number
from opslab.tables.records import LONGEST_LINE
from opslab.tables.source import Opening

_WORDS = {True: "true", False: "false", None: ""}
_MAIN = ("data", "items", "records", "results")  # what services call the list that was asked for
_MOST_MEGABYTES = 200  # of a list, which is held as a whole and takes several times as much
_Record = Mapping[str, Any] | None  # values by their joined names; None where it is no object


def read_json(opening: Opening) -> Rows:
    """Return the objects of a file as rows: a column for each name met in any of them.

    Numbers keep the digits they are written with, lists inside of a record stay as JSON text, and
    what is no object is left out and told. Rows have the numbers of their lines, or of the records
    in their list.
    """
    path, encoding, *_ = text_file(opening)
    read = Rows([], iter(()), encoding)
    columns, lists = dict[str, Any](), set[str]()
    first, *more = [line for _, line in islice(_lines(path), 2)] or [""]
    by_lines = _parsed(first) is not None and (more or opening.path.suffix.lower() != ".json")
    listed = [] if by_lines else list(enumerate(_listed(opening, path, read), 1))

    def records() -> Iterable[tuple[int, _Record]]:
        return _by_lines(opening, path) if by_lines else listed

    count = 0
    for number, record in records():
        count += 1
        if record is None:
            read.reject(number, "tables.rejected_no_object", line=number)
            continue
        columns |= dict.fromkeys(record)
        lists |= {name for name, value in record.items() if isinstance(value, list)}
        if len(columns) > MOST_COLUMNS:
            raise opening.error("tables.too_many_columns", columns=len(columns), most=MOST_COLUMNS)
    if not columns or read.too_many_rejected(count):
        raise opening.error(
            "tables.no_records", line=read.rejections[0].row if read.rejected else None
        )
    read.header = list(columns)
    if names := [name for name in columns if name in lists]:
        read.decisions.append(Decision("tables.decided_lists", {"names": names}))
    read.rows = (
        (number, [_text(record.get(name)) for name in columns])
        for number, record in records()
        if record is not None
    )
    return read


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Give the lines that are not blank, each up to its longest."""
    with path.open(encoding="utf-8-sig", newline="\n") as stream:
        for number, line in enumerate(iter(lambda: stream.readline(LONGEST_LINE), ""), 1):
            if line.strip():
                yield number, line


def _by_lines(opening: Opening, path: Path) -> Iterator[tuple[int, _Record]]:
    for number, line in _lines(path):
        if len(line) >= LONGEST_LINE:
            raise opening.error("tables.long_line", line=number, most=LONGEST_LINE >> 20)
        yield number, _parsed(line)


def _parsed(line: str) -> _Record:
    try:
        return _record(_value(line))
    except (ValueError, KeyError, RecursionError):
        return None


def _value(text: str) -> Any:
    return json.loads(
        text,
        parse_float=clear_number,
        parse_int=str,
        parse_constant={"NaN": None}.__getitem__,  # of pandas; Infinity is an error
        object_pairs_hook=_distinct,
    )


def _distinct(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("a name stands twice")
    return values


def _record(value: Any) -> _Record:
    return _distinct(list(_flat(value))) if isinstance(value, dict) else None


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Give what is no object by its joined names; those may clash: {"a.b": 1, "a": {"b": 2}}."""
    if not isinstance(value, dict):
        yield name, value
        return
    for key, inner in value.items():
        yield from _flat(inner, f"{name}.{key}" if name else key)


def _listed(opening: Opening, path: Path, read: Rows) -> list[_Record]:
    """Return the records of a file that is one value; several lists of them are a question."""
    size = path.stat().st_size >> 20
    if size > _MOST_MEGABYTES:
        raise opening.error("tables.large_json", size=size, most=_MOST_MEGABYTES)
    try:
        lists = {
            name: list(map(_record, inner))
            for name, inner in _flat(_value(path.read_text(encoding="utf-8-sig")))
            if isinstance(inner, list)
        }
    except (ValueError, KeyError, RecursionError) as error:
        raise opening.error("tables.broken_json", line=getattr(error, "lineno", None)) from None
    names = [name for name, items in lists.items() if any(items)]
    main = [name for name in names if name.rpartition(".")[2] in _MAIN]
    chosen = main if len(main) == 1 else names
    asked = opening.answers.records
    if asked is not None and asked not in names:
        raise opening.error(
            "tables.no_list", name=asked, near=did_you_mean(asked, names), lists=names
        )
    if not names:
        raise opening.error("tables.no_records")
    if asked is None and len(chosen) > 1:
        raise opening.error("tables.ask_records", lists=names)
    name = asked or chosen[0]
    if name:
        read.decisions.append(Decision("tables.decided_records", {"name": name}))
    return lists[name]


def _text(value: Any) -> str:
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False) if value else ""
    return value if isinstance(value, str) else _WORDS[value]
