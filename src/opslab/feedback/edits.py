"""What people change about themes, and how it is applied again at each run.

Edits go by the ids of themes: with the name before any edit where no run before knew the theme.
First themes are split, into parts ``T03a``, ``T03b`` …, then merged, then left out. What is merged
into another theme disappears, all others keep their ids, so that the same edits give the same
themes on the same data. What cannot be applied in this run is told, and kept for the next one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from opslab.errors import DataError, Problem, did_you_mean
from opslab.feedback.clustering import Vectors
from opslab.feedback.encoders import unit
from opslab.feedback.naming import Names, Phrases, title
from opslab.feedback.registry.state import KnownTheme
from opslab.messages import text_of_both
from opslab.results import Message
from opslab.tables.numbers import FALSE, TRUE

COLUMNS = ("rename", "rename_fr", "merge_into", "split", "pin", "exclude", "route")
"""What people fill in on the themes sheet."""

YES = dict.fromkeys((*TRUE, "1.0"), "yes") | dict.fromkeys((*FALSE, "0.0"), "")
"""What is written under ``pin`` and ``exclude``, and what it means."""

_COUNTS = {f"{count}{end}": str(count) for count in range(2, 6) for end in ("", ".0", ",0")}
Row = Mapping[str, str]
"""A row of a sheet, or an entry of a file of edits: a text for each column, empty where the cell
is; ``file``; ``row``, its number, or ``line`` and ``field``; and ``known``, the theme it is of."""

Values = Mapping[str, Mapping[str, str]]
"""What is to be changed, by the theme's id and the column."""


@dataclass(frozen=True)
class Edits:
    """What is changed.

    Attributes
    ----------
    rows : mapping of str to mapping
        The row of each theme that is edited, now or once it is back: the next sheet says the same
        again.
    splits : mapping of str to sequence of str
        The parts of a theme.
    merges : mapping of str to str
        The theme that takes another one in, and is itself taken in by none.
    names : mapping of str to str
        The new name of a theme.
    called : mapping of str to str
        Themes and parts before merges, by their ids, names and new names in lower case; also by
        those that runs before knew. Empty for what has no message in this run.
    stale : int
        Rows of themes that are no longer there.
    pinned, excluded : sequence of str
        Themes that the machine leaves alone, and those that belong nowhere.
    routes : mapping of str to str
        The team of a theme.
    notes : sequence of Message
        What is not applied in this run, or not as it is written.
    """

    rows: Mapping[str, Row]
    splits: Mapping[str, Sequence[str]]
    merges: Mapping[str, str]
    names: Mapping[str, str]
    called: Mapping[str, str]
    stale: int
    pinned: Sequence[str]
    excluded: Sequence[str]
    routes: Mapping[str, str]
    notes: Sequence[Message] = ()

    def middles(
        self,
        themes: NDArray[np.str_],
        vectors: Vectors,
        sure: NDArray[np.bool_],
        known: Mapping[str, Vectors],
    ) -> dict[str, Vectors]:
        """Return the middle of each part of a split theme: as it is known, or by k-means.

        Of other parts than those that are known, the nearest ones have their letters.

        Parameters
        ----------
        themes : array of str, shape (texts,)
            The id of each text's theme.
        vectors : array, shape (texts, dimensions)
            At length 1.
        sure : array of bool, shape (texts,)
            Which of them shape the parts, where they are as many; all do otherwise.
        known : mapping of str to array
            From `parts.middles`.
        """
        from scipy.optimize import linear_sum_assignment
        from sklearn.cluster import KMeans
        from threadpoolctl import threadpool_limits

        middles = dict[str, Vectors]()
        for theme, parts in self.splits.items():
            kept = {part: known[part] for part in parts if part in known}
            if len(kept) < len(parts):
                own = themes == theme
                shaping = own & sure if (own & sure).sum() >= len(parts) else own
                with threadpool_limits(1):  # sums of several threads differ in their last bits
                    means = KMeans(len(parts), n_init=10, random_state=0).fit(vectors[shaping])
                each = unit(means.cluster_centers_)
                like = [each @ middle for middle in kept.values()]
                near = linear_sum_assignment(like, maximize=True)[1].tolist() if like else []
                order = [*near, *sorted({*range(len(parts))} - {*near})]
                names = sorted(parts, key=lambda part: part not in kept)
                kept = dict(sorted((part, each[at]) for part, at in zip(names, order, strict=True)))
            middles |= kept
        return middles

    def applied(
        self,
        themes: NDArray[np.str_],
        vectors: Vectors,
        middles: Mapping[str, Vectors],
    ) -> NDArray[np.str_]:
        """Return the themes of texts after splits, each to its nearest part, and merges.

        Parameters
        ----------
        themes : array of str, shape (2, texts)
            The id of each text's theme, and of the runner-up.
        vectors : array, shape (texts, dimensions)
        middles : mapping of str to array
            As `middles` returns them.
        """
        for theme, parts in self.splits.items():
            cosines = vectors @ np.stack([middles[part] for part in parts]).T
            nearest = np.array(parts)[np.argmax(cosines.round(6), axis=1)]
            themes = np.where(themes == theme, nearest, themes)
        return np.array([[self.merges.get(theme, theme) for theme in row] for row in themes])


def refusal(row: Row, column: str, key: str = "", **values: object) -> DataError:
    """Return the error about a cell of a sheet, or an entry of a file of edits."""
    values = {"cell": row[column], "theme": row["theme"], **values}
    line, number = (int(row[part]) if row.get(part) else None for part in ("line", "row"))
    field = row.get("field", column)
    return DataError(
        Problem(f"feedback.edit_{key or column}", values, row["file"], line, field, number)
    )


def renamed(names: Names, edits: Edits) -> Names:
    """Return names as people changed them: one for all languages where only one is written."""
    changed = dict(names)
    for theme in edits.names.keys() & names.keys():
        row = edits.rows[theme]
        english, french = row["rename"] or row["rename_fr"], row["rename_fr"] or row["rename"]
        own = names[theme] or (Phrases("en", (), ""),)
        changed[theme] = tuple(
            replace(part, title=french if part.language == "fr" else english) for part in own
        )
    return changed


def read_edits(
    rows: Sequence[Row],
    names: Mapping[str, str],
    texts: Mapping[str, int],
    *,
    teams: Collection[str] = (),
    past: Mapping[str, KnownTheme] = {},
) -> Edits:
    """Return what people change.

    Parameters
    ----------
    rows : sequence of mapping
        From `edit_sheet.read_changes`, each with the theme that it is of.
    names : mapping of str to str
        The name that each theme has before edits, by id.
    texts : mapping of str to int
        Different texts in each theme, by id: it cannot have more parts.
    teams : collection of str
        The study's.
    past : mapping of str to KnownTheme, optional
        The themes of this run and of those before, whatever became of them; none in a first run.

    Returns
    -------
    Edits
        Nothing but what themes are called where there are no rows.

    Raises
    ------
    DataError
        When an edit cannot be done, or contradicts another one: row or line, column, cell.
    """
    stated, splits, parts, stale = _by_theme(rows, names, texts, past)
    there = {*names, *parts.values()}
    away = {theme: title(each.phrases) for theme, each in past.items() if theme not in names}
    calls = away | dict(names)
    spelt = {name.casefold(): theme for theme, name in calls.items()}
    ids = {theme.casefold(): theme for theme in (*past, *names)} | parts
    says = {"merge_into": spelt | ids, "split": _COUNTS, "pin": YES, "exclude": YES}
    says["route"] = {team.casefold(): team for team in teams}
    values, first = dict[str, dict[str, str]](), dict[tuple[str, str], Row]()
    for theme, column, row in stated:
        value = says.get(column, {}).get(row[column].casefold(), row[column])
        before, said = first.setdefault((theme, column), row), values.setdefault(theme, {})
        if said.setdefault(column, value) != value:
            at = "line" if before.get("line") else "row"
            words = {"other": before[column], "source": before["file"], "verb": column}
            words["where"] = text_of_both(f"errors.{at}", **{at: before[at]})
            raise refusal(row, "theme", cell=row[column], **words)
    done = {theme: values[theme] for theme in sorted(values) if theme in there}
    new = {
        theme: name
        for theme, said in done.items()
        if (name := " / ".join(said[column] for column in COLUMNS[:2] if column in said))
    }
    spelt |= {name.casefold(): theme for theme, name in new.items()} | ids
    called = {name: _end(theme, there, past) for name, theme in spelt.items()}
    merges, notes = _merges(done, called, there, past)
    edits = Edits(
        rows={theme: dict.fromkeys(COLUMNS, "") | values[theme] for theme in sorted(values)},
        splits=splits,
        merges=merges,
        names=new,
        called=called,
        stale=stale,
        pinned=[theme for theme, said in done.items() if said.get("pin")],
        excluded=[theme for theme, said in done.items() if said.get("exclude")],
        routes={theme: said["route"] for theme, said in done.items() if "route" in said},
    )
    notes += _checked(edits, done, first, names, teams, first_run=not past)
    for theme in sorted(values.keys() - there):  # of a part also its whole theme may be here
        into = theme[:-1] if theme[:-1] in names else past[theme].into
        notes.append(not_here(theme, past[theme].phrases, values[theme], into))
    return replace(edits, notes=[*notes, *_unlike(stated, calls, first_run=not past)])


def _by_theme(
    rows: Sequence[Row],
    names: Mapping[str, str],
    texts: Mapping[str, int],
    past: Mapping[str, KnownTheme],
) -> tuple[list[tuple[str, str, Row]], dict[str, list[str]], dict[str, str], int]:
    """Return cells by theme and column, the parts of themes, and how many rows are stale."""
    stated, splits, parts, stale = [], dict[str, list[str]](), dict[str, str](), 0
    for row in sorted(rows, key=lambda row: not row["split"]):  # others may be about the parts
        theme = row["known"] or parts.get(row["theme"].casefold())
        columns = [column for column in COLUMNS if row[column]]
        if not theme:
            if columns and (row.get("line") or (past and row["theme"] not in names)):
                near = did_you_mean(row["theme"], [*names, *past])
                raise refusal(row, "theme", "unknown", near=near)
            stale += bool(columns)
            continue
        stated += [(theme, column, row) for column in columns]
        own = [theme + letter for letter in "abcde"[: int(_COUNTS.get(row["split"], 0))]]
        enough = len(own) <= texts.get(theme, 0) or past.keys() >= {*own}
        if own and theme in names and enough:
            splits[theme] = own
            parts |= {part.casefold(): part for part in own}
    return stated, splits, parts, stale


def _end(theme: str, there: Collection[str], past: Mapping[str, KnownTheme]) -> str:
    """Return the theme of this run that holds a theme of runs before; empty where none does."""
    for _ in past:
        if theme not in there and theme in past:
            theme = past[theme].into or ""
    return theme if theme in there else ""


def _merges(
    values: Values,
    called: Mapping[str, str],
    there: Collection[str],
    past: Mapping[str, KnownTheme],
) -> tuple[dict[str, str], list[Message]]:
    """Return the theme that each goes to, and what became of those that it was to go to."""
    merges, notes = dict[str, str](), list[Message]()
    for theme, said in values.items():
        if asked := said.get("merge_into"):
            end = called.get(asked.casefold(), "")
            if asked in past and asked not in there:
                key = f"feedback.edits_{'taken' if end else 'target'}"
                notes.append(Message(key, {"theme": theme, "asked": asked, "into": end}))
                if end in {"", theme}:
                    continue
            merges[theme] = end
    for _ in values:  # each goes where the theme goes that it is merged into
        merges = {theme: merges.get(end, end) for theme, end in merges.items()}
    return merges, notes


def _unlike(
    stated: Sequence[tuple[str, str, Row]], calls: Mapping[str, str], *, first_run: bool
) -> list[Message]:
    """Return that sheets call themes otherwise, or number them where no run before is known."""
    unlike = {
        theme: {"theme": theme, "name": row["name"], "now": now, "file": row["file"]}
        for theme, _, row in stated
        if row["name"] and (now := calls.get(theme)) and now != row["name"]
    }
    doubts = [Message("feedback.edits_unlike", unlike[theme]) for theme in sorted(unlike)]
    numbered = {theme for theme, _, row in stated if row.get("line") and theme in calls}
    if numbered and first_run:
        meant = [f"{theme} ({calls[theme]})" for theme in sorted(numbered)]
        doubts.append(Message("feedback.edits_first", {"themes": meant}))
    return doubts


def not_here(
    theme: str, phrases: Sequence[Phrases], said: Iterable[str], into: str | None = None
) -> Message:
    """Return what became of a theme that has edits, and is not in this run."""
    words = {"theme": theme, "name": title(phrases) or theme, "edits": [*said], "into": into}
    return Message(f"feedback.edits_{'merged' if into else 'dormant'}", words)


def _checked(
    edits: Edits,
    values: Values,
    rows: Mapping[tuple[str, str], Row],
    names: Mapping[str, str],
    teams: Collection[str],
    *,
    first_run: bool,
) -> list[Message]:
    """Raise where an edit is none, or does not go with another one; return what gives way."""
    gone, notes = {*edits.splits, *edits.merges}, list[Message]()
    away = gone.union(edits.excluded)
    machine = {names[theme].casefold() for theme in names.keys() - edits.names.keys() - away}
    given = set[str]()
    for theme, said in values.items():
        name, team = edits.names.get(theme, "").casefold(), said.get("route", "")
        wrong = {
            "split": said.get("split") and theme not in edits.splits.keys() - edits.merges.keys(),
            "merge_into": edits.merges.get(theme) in {"", *away},
            "rename": name and (theme in gone or name in given or (first_run and name in machine)),
            "pin": said.get("pin", "") not in {"", "yes"},
            "exclude": said.get("exclude", "") not in ({""} if theme in gone else {"", "yes"}),
            "route": team and (team not in teams or theme in away),
        }
        for column in filter(wrong.get, wrong):
            row = rows.get((theme, column)) or rows[theme, "rename_fr"]
            unlike = column == "route" and team not in teams
            near = did_you_mean(team, teams) if unlike else None
            raise refusal(row, column, cell=row[column] or row["rename_fr"], near=near)
        given.add(name)
        words = {"theme": theme, "name": edits.names.get(theme), "into": edits.merges.get(theme)}
        pinned = theme in edits.pinned and theme in edits.merges
        remarks = {"same": name in machine, "pinned": pinned}
        notes += [Message(f"feedback.edits_{key}", words) for key in remarks if remarks[key]]
    return notes
