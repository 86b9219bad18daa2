"""Names of columns: those of the header, told apart, or refused where a name is in doubt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from opslab.tables.import_report import Decision
from opslab.tables.source import ROW, Opening


def column_names(header: Sequence[str]) -> tuple[list[str], list[Decision]]:
    """Return names that the engine can tell apart, and what was decided to get them."""
    names: list[str] = []
    decisions: list[Decision] = []
    taken = {ROW, "rowid"}
    for number, heading in enumerate(header, 1):
        name = " ".join(heading.split())
        if not name:
            name = f"column {number}"
            decisions.append(Decision("tables.decided_unnamed", {"place": number}, name))
        names.append(free_name(name, taken))
        if names[-1] != name:
            decisions.append(Decision("tables.decided_renamed", {"heading": name}, names[-1]))
    return names, decisions


def free_name(wanted: str, taken: set[str], form: str = " ({})") -> str:
    """Return a name that is not taken yet, whatever its case, and take it."""
    name, number = wanted, 1
    while name.casefold() in taken:
        number += 1
        name = wanted + form.format(number)
    taken.add(name.casefold())
    return name


def refuse_names(opening: Opening, header: Sequence[str]) -> None:
    """Raise for a header in which a column could not be named without a doubt."""
    if len(header) < 2:  # noqa: PLR2004 - a unit and an arm at the least
        raise opening.error("tables.one_column")
    for number, name in enumerate(header, 1):
        if not name.strip():
            raise opening.error("tables.blank_header", line=1, place=number)
    counts = Counter(map(str.casefold, header))
    similar = sorted({name for name in header if counts[name.casefold()] > 1})
    if similar:
        repeated = [name for name in similar if header.count(name) > 1]
        key = "tables.repeated_header" if repeated else "tables.similar_header"
        raise opening.error(key, line=1, names=repeated or similar)
