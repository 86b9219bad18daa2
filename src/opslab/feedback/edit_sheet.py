"""What people write about themes, read before it is known which themes there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from opslab import workspace
from opslab.documents import field_name, read
from opslab.errors import DataError, SpecError
from opslab.feedback.audit import read_sheets
from opslab.feedback.edits import COLUMNS, YES, Row
from opslab.feedback.spec import Study
from opslab.specs import Declared, Label, Text, validate


class ThemeEdits(Declared):
    """People's edits in a file of their own, by the ids of themes."""

    rename: dict[str, Text] = Field({})
    """what a theme is called: written once, or as `{en: …, fr: …}`"""
    merge: dict[str, Label] = Field({})
    """a theme, and the one that takes it in"""
    split: dict[str, Annotated[int, Field(ge=2, le=5)]] = Field({})
    """a theme, and its number of parts"""
    pin: tuple[Label, ...] = ()
    """themes that opslab neither merges, splits nor renames"""
    exclude: tuple[Label, ...] = ()
    """themes that belong nowhere"""
    route: dict[str, Label] = Field({})
    """a theme, and its team"""


def read_changes(study: Study) -> dict[str, list[Row]]:
    """Return what people wrote: rows of ``themes``, which are edits, and of ``audit``.

    Raises
    ------
    SpecError, DataError
        When a file of edits or a sheet cannot be read, or is none: file, line or column.
    """
    changes: dict[str, list[Row]] = {"themes": [], "audit": []}
    for name in dict.fromkeys(filter(None, (study.edits, study.audit))):
        path = study.beside(name)
        if path.suffix.lower() in {".yaml", ".yml"}:
            changes["themes"] += _entries(path)
            continue
        sheets = read_sheets(path)
        if name == study.edits and "themes" not in sheets:
            raise DataError.of("feedback.no_edits", file=workspace.shown(path))
        for kind, rows in sheets.items():
            changes[kind] += rows
    return changes


def _entries(path: Path) -> Iterator[Row]:
    """Yield the entries of a file of edits as rows of a sheet."""
    file = workspace.shown(path)
    try:
        document = read(path, file)
    except SpecError as error:
        if error.problems[0].key == "specs.empty":  # all was taken back
            return
        raise
    for verb, entries in validate(ThemeEdits, document):
        for at, theme in enumerate(entries):
            value = entries[theme] if isinstance(entries, dict) else "yes"
            where = verb, theme if isinstance(entries, dict) else at
            row = dict.fromkeys((*COLUMNS, "row", "name"), "") | {"theme": theme}
            row["merge_into" if verb == "merge" else verb] = " ".join(str(value).split())
            row["rename_fr"] = " ".join(getattr(value, "french", "").split())
            row |= {"file": file, "line": str(document.line(where)), "field": field_name(where)}
            yield row


def pinned(rows: Sequence[Row]) -> frozenset[str]:
    """Return the ids of the themes that the machine leaves alone; of a part, its theme's."""
    pins = (row["theme"] for row in rows if YES.get(row["pin"].casefold()))
    return frozenset(theme.upper().rstrip("ABCDE") for theme in pins)
