"""What every area returns: plain data with the same verbs, in parts that show themselves.

A result knows nothing of pages. Its area's ``presentation`` says how each part looks and its
``record`` what of it programs read; both are looked up by name when they are first asked for.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from opslab.errors import did_you_mean
from opslab.evidence import Evidence
from opslab.messages import Language

if TYPE_CHECKING:
    import pandas as pd

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
        """Return the blocks and figures that the part is made of."""
        parts = self._result.room("presentation").PARTS
        return list(parts[self._name](self._result, self._result.voice(language)))

    def __repr__(self) -> str:
        if not self._name:  # made by a program, of no result
            return super().__repr__()
        return str(self._result.voice().plain(*self.blocks()))


class Figures(Mapping[str, Any]):
    """The figures of a result by name, drawn when they are first asked for."""

    def __init__(self, draw: Callable[[Language], Mapping[str, Any]], language: Language) -> None:
        self._draw, self._language = draw, language
        self._drawn: dict[Language, Mapping[str, Any]] = {}

    def __call__(self, language: Language) -> Mapping[str, Any]:
        """Return the figures with their words in a language."""
        if language not in self._drawn:
            self._drawn[language] = self._draw(language)
        return self._drawn[language]

    def __getitem__(self, name: str) -> Any:
        figures = self(self._language)
        if name not in figures:
            raise KeyError(_unknown(name, figures))
        return figures[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self(self._language))

    def __len__(self) -> int:
        return len(self(self._language))

    def __repr__(self) -> str:
        return f"<figures: {', '.join(self)}>"

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)


def _unknown(name: str, known: Iterable[str]) -> str:
    near = did_you_mean(name, known)
    return f"There is no {name!r} here." + (f" Did you mean {near!r}?" if near else "")


@dataclass(frozen=True, kw_only=True)
class Result:
    """The base of every area's result.

    Attributes
    ----------
    language : {"en", "fr"}
        In which it shows itself; the record is the same in every language.
    as_of : datetime.date or None
        The day as of which it speaks.
    checks : tuple of Check
    PARTS : Mapping
        Name of each part, and the field whose values it holds, or an empty text.
    """

    PARTS: ClassVar[Mapping[str, str]] = {}

    checks: tuple[Check, ...]
    as_of: datetime.date | None = None
    language: Language = field(default="en", compare=False)

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
            raise KeyError(_unknown(name, checks))
        return checks[name]

    def room(self, name: str) -> Any:
        """Return the module of the result's own area that bears a name."""
        return import_module(f"{type(self).__module__.rpartition('.')[0]}.{name}")

    def voice(self, language: Language | None = None) -> Any:
        """Return what says the result in a language."""
        return self.room("presentation").voice(self, language or self.language)

    def headline(self, language: Language | None = None) -> str:
        """Return one plain sentence with the number and its uncertainty."""
        return str(self.room("presentation").headline(self, self.voice(language)))

    def first_screen(self, language: Language | None = None) -> Any:
        """Return what happened, how sure we are, and what to do."""
        return self.room("presentation").first_screen(self, self.voice(language))

    @cached_property
    def figures(self) -> Figures:
        """The figures by name, each with its alt text; called with a language, in its words."""
        drawn = self.room("presentation").figures
        return Figures(lambda language: drawn(self, self.voice(language)), self.language)

    def frame(self) -> pd.DataFrame:
        """Return the tidy table."""
        return self.room("record").frame(self)  # type: ignore[no-any-return]

    def evidence(self) -> list[Evidence]:
        """Return what the business case may build on; nothing while a blocking check is red."""
        return [] if self.broken else list(self.room("record").evidence(self))

    def record(self) -> dict[str, Any]:
        """Return ``result.json``: numbers and message keys, the same in every language."""
        own = dict(self.room("record").record(self))
        return own | {
            "as_of": self.as_of.isoformat() if self.as_of else None,
            "status": self.status,
            "checks": [check.record() for check in self.checks],
            "evidence": [evidence.record() for evidence in self.evidence()],
        }

    def files(self) -> Mapping[str, bytes]:
        """Return the files that stand beside the readout, by name."""
        return {}

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
