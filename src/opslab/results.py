"""What every area returns: plain data with the same verbs, in parts that show themselves.

A result knows nothing of pages. Its area's ``presentation`` says how each part looks and its
``record`` what of it programs read; both are looked up by name when they are first asked for.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from opslab.contrast import Contrast
from opslab.errors import no_such
from opslab.evidence import Evidence
from opslab.figure_set import Figures
from opslab.messages import Language, spoken, text
from opslab.tables.writer import workbook, write_csv, write_xlsx

if TYPE_CHECKING:
    import pandas as pd

WORKBOOK = "result.xlsx"
"""Of a run's folder: the tables of its result."""
Status = Literal["pass", "warn", "fail"]


@dataclass(frozen=True)
class Message:
    """A sentence to be said in the reader's language.

    Attributes
    ----------
    key : str
        ``area.name`` in the catalogue.
    values : Mapping[str, Any]
        What the sentence names.
    """

    key: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """Return key and values as JSON takes them."""
        return {
            "key": self.key,
            "values": {name: _plain(value) for name, value in self.values.items()},
        }


def _plain(value: Any) -> Any:
    """Return a value of a message as JSON takes it; it may be a list of messages."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, Message):
        return value.record()
    return value.isoformat() if isinstance(value, datetime.date) else value


@dataclass(frozen=True)
class Check:
    """One check of the data or of the result.

    Attributes
    ----------
    name : str
        ``check_<name>`` in the area's words is what a reader calls it.
    status : {"pass", "warn", "fail"}
    detail : Message
        What was found.
    value : float or None
        The figure that decides: a p-value, a share, a count.
    blocking : bool
        Whether its failure takes the recommendation away; that of any other puts a condition on it.
    accepted : str
        Why it does not block, as written down before the data was seen.
    """

    name: str
    status: Status
    detail: Message
    value: float | None = None
    blocking: bool = False
    accepted: str = ""

    def record(self) -> dict[str, Any]:
        """Return the check as JSON takes it."""
        return {**vars(self), "detail": self.detail.record()}


def flat(row: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return a row without mappings inside it: their names follow its own, with ``_`` between.

    Examples
    --------
    >>> flat({"lift": 0.1, "interval": {"low": 0.0, "high": 0.2}})
    {'lift': 0.1, 'interval_low': 0.0, 'interval_high': 0.2}
    """
    cells: dict[str, Any] = {}
    for name, value in row.items():
        inside = isinstance(value, Mapping)
        cells |= flat(value, f"{prefix}{name}_") if inside else {f"{prefix}{name}": value}
    return cells


class Part(tuple[Any, ...]):  # noqa: SLOT001 - it holds whose part it is
    """A part of a result: its values, which show themselves in a cell and in a terminal."""

    _result: Result
    _name = ""

    @classmethod
    def of(cls, result: Result, name: str, values: Sequence[Any] = ()) -> Part:
        """Return the part of a result by its name in the area's ``presentation.PARTS``."""
        part = cls(values)
        part._result, part._name = result, name
        return part

    def __reduce__(self) -> tuple[Any, ...]:
        """Be plain values elsewhere: a copied result makes its parts anew."""
        return tuple, (tuple(self),)

    def show(self, language: Language | None = None) -> None:
        """Show the part in a cell, in the result's language or another."""
        self._result.voice(language).show(*self.blocks(language))

    _ipython_display_ = show

    def blocks(self, language: Language | None = None) -> list[Any]:
        """Return what the part is made of; an explanation, no part of the area's, is its values."""
        parts, voice = self._result.room("presentation").PARTS, self._result.voice(language)
        own = parts[self._name](self._result, voice) if self._name in parts else self
        return [*voice.exploratory(self._result), *own]

    def __repr__(self) -> str:
        if not self._name:  # made by a program, of no result
            return super().__repr__()
        return str(self._result.voice().plain(*self.blocks()))


@dataclass(frozen=True, kw_only=True)
class Result:
    """What an area found: it shows itself, is asked further, and is taken away.

    Attributes
    ----------
    language : {"en", "fr"}
        In which it shows itself; the record is the same in every language.
    as_of : datetime.date or None
        The day as of which it speaks.
    checks : tuple of Check
    asked : tuple of Message
        What was asked beyond the plan: the result is exploratory then, and no evidence.
    PARTS : Mapping
        Name of each part, and the field whose values it holds, or an empty text.

    Notes
    -----
    See: a cell that ends in ``result`` shows the first screen, in ``result.checks`` that part.
    Look: `frame` is the tidy table, with ``full=True`` every column; `figures` by name.
    Ask: `explain` says in plain words what a column, a check or a term means and is here; `compare`
    puts another result beside it; an area's ``by``, ``without`` and the like give a new result,
    marked as exploratory: it decides nothing and is no evidence.
    Take away: `to_excel`, `to_csv`, `record` for programs, `evidence` for the business case.

    Examples
    --------
    >>> from opslab import experiments
    >>> result = experiments.from_counts({"old": (5000, 160), "new": (5000, 225)}, control="old")
    >>> print(result.explain("guardrail"))  # doctest: +ELLIPSIS
    Guardrail: a metric that must not get worse by more than its margin, ...
    """

    PARTS: ClassVar[Mapping[str, str]] = {}

    checks: tuple[Check, ...]
    as_of: datetime.date | None = None
    language: Language = field(default="en", compare=False)
    asked: tuple[Message, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        for name, values in self.PARTS.items():
            held = tuple(getattr(self, values)) if values else ()
            object.__setattr__(self, name, Part.of(self, name, held))

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "figures"}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        vars(self).update(state)
        self.__post_init__()

    @property
    def broken(self) -> bool:
        """Whether a blocking check failed: numbers are shown, and nothing is recommended."""
        return any(check.blocking and check.status == "fail" for check in self.checks)

    @property
    def conditions(self) -> tuple[Check, ...]:
        """The checks that failed and do not block: what is recommended depends on them."""
        return tuple(
            known for known in self.checks if known.status == "fail" and not known.blocking
        )

    @property
    def status(self) -> str:  # a Literal here makes Jedi 0.20 give up completing by tab
        """What the run is called: ``complete`` or ``check_failed``."""
        return "check_failed" if self.broken else "complete"

    def check(self, name: str) -> Check:
        """Return a check by name; raises `KeyError` when there is none."""
        checks = {check.name: check for check in self.checks}
        if name not in checks:
            raise KeyError(no_such(name, checks))
        return checks[name]

    def room(self, name: str) -> Any:
        """Return the module of the result's own area that bears a name."""
        return import_module(f"{type(self).__module__.rpartition('.')[0]}.{name}")

    def voice(self, language: Language | None = None) -> Any:
        """Return what says the result in a language."""
        return self.room("presentation").voice(self, language or self.language)

    def headline(self, language: Language | None = None) -> str:
        """Return one plain sentence with the number and its uncertainty."""
        said = str(self.room("presentation").headline(self, self.voice(language)))
        return " ".join(filter(None, [self.mark(language), said]))

    def mark(self, language: Language | None = None) -> str:
        """Return the words that mark what was asked beyond the plan, empty where nothing was."""
        language = language or self.language
        asked = [text(message.key, language, **message.values) for message in self.asked]
        return text("explore.mark", language, asked="; ".join(asked)) if asked else ""

    def first_screen(self, language: Language | None = None) -> Any:
        """Return what happened, how sure we are, and what to do."""
        screen = self.room("presentation").first_screen(self, self.voice(language))
        if not self.asked:
            return screen
        marked = {"headline": self.headline(language)}
        if not self.broken:  # what cannot be trusted says so first
            action = text("explore.action", language or self.language)
            marked |= {"action": action, "tone": "open"}
        return replace(screen, **marked)

    @cached_property
    def figures(self) -> Figures:
        """The figures by name, each with its alt text; called with a language, in its words."""
        drawn = self.room("presentation").figures

        def marked(language: Language) -> Mapping[str, Any]:
            figures, mark = drawn(self, self.voice(language)), self.mark(language)
            if not mark:
                return figures  # type: ignore[no-any-return]
            return {
                name: replace(
                    figure, alt=f"{mark} {figure.alt}", caption=f"{mark} {figure.caption}"
                )
                for name, figure in figures.items()
            }

        return Figures(marked, self.language)

    def rows(self, *, full: bool = False) -> list[dict[str, Any]]:
        """Return the rows of the tidy table; what was asked beyond the plan says so in each."""
        return self.marked(self.room("record").rows(self, full=full))

    def marked(self, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return rows in the result's language, with a mark where they are exploratory."""
        mark = {"exploratory": True} if self.asked else {}
        rows = [{**row, **mark} for row in rows]
        return [{name: spoken(row[name], self.language) for name in row} for row in rows]

    def frame(self, *, full: bool = False) -> pd.DataFrame:
        """Return the tidy table: what one works with, or with ``full`` every column there is."""
        import pandas as pd

        rows = self.rows(full=full)
        return pd.DataFrame(rows, columns=None if rows else [*self.room("record").KEYS])

    def sheets(self) -> Mapping[str, Any]:
        """Return the tables to take away, by the names of their sheets."""
        sheets = {"result": self.rows(), "full": self.rows(full=True)}
        more: Any = getattr(self.room("record"), "sheets", lambda _: {})
        sheets |= {name: self.marked(rows) for name, rows in more(self).items()}
        return {name: rows for name, rows in sheets.items() if rows}

    def to_excel(self, path: str | Path) -> Path:
        """Write the sheets as one workbook, in which no text runs as a formula."""
        return write_xlsx(self.sheets(), path)

    def to_csv(self, path: str | Path, *, excel: Literal["fr"] | None = None) -> Path:
        """Write the tidy table as CSV, in which no text runs as a formula."""
        return write_csv(self.frame(), path, excel=excel)

    def compare(self, other: Result) -> Contrast:
        """Return this result beside another one of its kind: each figure in both, and the change.

        No test is made: two results of the same data are not independent of each other.
        """
        return Contrast(self, other)

    def explain(self, term: str = "", language: Language | None = None) -> Part:
        """Return in plain words what a column, a check or a term means, and what it is here.

        Parameters
        ----------
        term : str
            A column, the name of a check, or a term; without one, all that can be asked is listed.
        language : {"en", "fr"} or None

        Raises
        ------
        ParameterError
            When nothing explains it; the message names the nearest that something does.
        """
        return Part.of(self, "term", self.voice(language).explained(self, term))

    def evidence(self) -> list[Evidence]:
        """Return what the business case may build on; nothing while a blocking check is red.

        What was asked beyond the plan is none.
        """
        return [] if self.broken or self.asked else list(self.room("record").evidence(self))

    def record(self) -> dict[str, Any]:
        """Return ``result.json``: numbers and message keys, the same in every language."""
        own = dict(self.room("record").record(self))
        return own | {
            "as_of": self.as_of.isoformat() if self.as_of else None,
            "status": self.status,
            "checks": [check.record() for check in self.checks],
            "evidence": [evidence.record() for evidence in self.evidence()],
            **({"exploratory": [message.record() for message in self.asked]} if self.asked else {}),
        }

    def files(self) -> Mapping[str, bytes]:
        """Return the files beside the readout that its record names, alike in every language."""
        return {}

    def takeaway(self, language: Language | None = None) -> Mapping[str, bytes]:
        """Return the tables as the workbook that stands beside the readout, in its language.

        A table without a row is left out, and with it the workbook that would hold nothing else.
        """
        sheets = replace(self, language=language or self.language).sheets()
        filled = {name: rows for name, rows in sheets.items() if rows}
        return {WORKBOOK: workbook(filled)} if filled else {}

    def documents(self, language: Language | None = None) -> Mapping[str, bytes] | None:
        """Return the readout as documents, by name: none of them where an extra is missing.

        An area that has no documents gives None.
        """
        del language
        return None

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.headline()}>"

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        return self.voice().bundle(self.first_screen())  # type: ignore[no-any-return]
