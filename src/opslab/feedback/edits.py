"""What people change about themes: names, merges and splits, read from a sheet and applied again.

Edits go by the ids and names that themes have before any edit. First themes are split, into parts
``T03a``, ``T03b`` …, then merged. What is merged into another theme disappears, all others keep
their ids, so that the same sheet gives the same themes on the same data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from opslab.errors import DataError, Problem
from opslab.feedback.clustering import Vectors

COLUMNS = ("rename", "rename_fr", "merge_into", "split")
"""What people fill in on the themes sheet."""

Row = Mapping[str, str]
"""A row of a sheet: a text for each column, empty where the cell is. `audit.read_sheets` adds
``row``, its number, and ``known``, the theme that still has the row's id and name."""


@dataclass(frozen=True)
class Edits:
    """What is changed.

    Attributes
    ----------
    rows : mapping of str to mapping
        The row of each theme that is edited: the next sheet says the same again.
    splits : mapping of str to sequence of str
        The parts of a theme.
    merges : mapping of str to str
        The theme that takes another one in, and is itself taken in by none.
    names : mapping of str to str
        The new name of a theme.
    called : mapping of str to str
        Themes and parts before merges, by their ids, names and new names in lower case.
    stale : int
        Rows of themes that are no longer there.
    """

    rows: Mapping[str, Row]
    splits: Mapping[str, Sequence[str]]
    merges: Mapping[str, str]
    names: Mapping[str, str]
    called: Mapping[str, str]
    stale: int

    def applied(
        self, themes: NDArray[np.str_], vectors: Vectors, sure: NDArray[np.bool_]
    ) -> NDArray[np.str_]:
        """Return the themes of texts after splits, which are by k-means, and merges.

        Parameters
        ----------
        themes : array of str, shape (2, texts)
            The id of each text's theme, and of the runner-up.
        vectors : array, shape (texts, dimensions)
            At length 1.
        sure : array of bool, shape (texts,)
            Which of them shape the parts, where they are as many; all do otherwise.
        """
        from sklearn.cluster import KMeans
        from threadpoolctl import threadpool_limits

        for theme, parts in self.splits.items():
            own = themes == theme
            shaping = own[0] & sure if (own[0] & sure).sum() >= len(parts) else own[0]
            with threadpool_limits(1):  # sums of several threads differ in their last bits
                means = KMeans(len(parts), n_init=10, random_state=0).fit(vectors[shaping])
                themes = np.where(own, np.array(parts)[means.predict(vectors)], themes)
        return np.array([[self.merges.get(theme, theme) for theme in row] for row in themes])


def refusal(row: Row, column: str, file: str) -> DataError:
    """Return the error about a cell of a sheet."""
    values = {"cell": row[column], "theme": row["theme"]}
    key = f"feedback.edit_{column}"
    return DataError(Problem(key, values, file, field=column, row=int(row["row"])))


def read_edits(
    rows: Sequence[Row], names: Mapping[str, str], texts: Mapping[str, int], file: str
) -> Edits:
    """Return what a themes sheet changes.

    Parameters
    ----------
    rows : sequence of mapping
        From `audit.read_sheets`.
    names : mapping of str to str
        The name that each theme has before edits, by id.
    texts : mapping of str to int
        Different texts in each theme, by id: it cannot have more parts.
    file : str
        The sheet, as errors name it.

    Returns
    -------
    Edits
        Nothing but what themes are called where there are no rows.

    Raises
    ------
    DataError
        When an edit cannot be done, or contradicts another one: row, column, cell.
    """
    edited, splits, parts, stale = dict[str, Row](), dict[str, list[str]](), dict[str, str](), 0
    for row in sorted(rows, key=lambda row: not row["split"]):  # others may be about the parts
        theme = row["known"] or parts.get(row["theme"].casefold())
        if not any(row[column] for column in COLUMNS):
            continue
        if theme in edited:
            raise refusal(row, "theme", file)
        if theme:
            edited[theme] = row
            count = re.fullmatch("([2-5])([.,]0)?", row["split"])
            if count and int(count[1]) <= texts.get(theme, 0):
                splits[theme] = [theme + letter for letter in "abcde"[: int(count[1])]]
                parts |= {part.casefold(): part for part in splits[theme]}
        stale += not theme
    renamed = {
        theme: name
        for theme, row in edited.items()
        if (name := " / ".join(filter(None, (row["rename"], row["rename_fr"]))))
    }
    called = {name.casefold(): theme for theme, name in (*names.items(), *renamed.items())}
    called |= {theme.casefold(): theme for theme in names} | parts
    merges = {
        theme: called.get(row["merge_into"].casefold(), "")
        for theme, row in edited.items()
        if row["merge_into"]
    }
    for _ in edited:  # each goes where the theme goes that it is merged into
        merges = {theme: merges.get(end, end) for theme, end in merges.items()}
    edits = Edits(edited, splits, merges, renamed, called, stale)
    _check(edits, names, file)
    return edits


def _check(edits: Edits, names: Mapping[str, str], file: str) -> None:
    """Raise where an edit is none, or does not go with another one."""
    gone = {*edits.splits, *edits.merges}
    taken = {names[theme].casefold() for theme in names.keys() - edits.names.keys() - gone}
    for theme, row in edits.rows.items():
        name = edits.names.get(theme, "").casefold()
        wrong = {
            "split": row["split"] and theme not in edits.splits.keys() - edits.merges.keys(),
            "merge_into": edits.merges.get(theme) in {"", *gone},
            "rename": name and (theme in gone or name in taken),
        }
        for column in filter(wrong.get, wrong):
            raise refusal(row, column, file)
        taken.add(name)
