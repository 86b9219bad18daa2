"""Every word a user reads, in English and French.

A message is looked up by its key, ``area.name``, in ``messages/<language>/<area>.toml``. A template
holds plain text with named values, and a value says how it is to be shown::

    "{arm} raised {metric} by {lift:signed_percent} ({n:integer} units)"

Values are data: they are never read as templates, and a template cannot reach into a value.
"""

from __future__ import annotations

import re
import string
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any, Self, cast

from opslab.messages.numbers import Language, Numbers

__all__ = [
    "LANGUAGES",
    "Bilingual",
    "Language",
    "catalogue",
    "one_line",
    "printable",
    "text",
    "without_controls",
]

LANGUAGES: tuple[Language, ...] = ("en", "fr")
_FEW = 3  # of a list that may be long


class Bilingual(str):
    """A text that a user wrote in both languages. As a value it is the English one.

    Examples
    --------
    >>> Bilingual("basket", french="panier").spoken("fr")
    'panier'
    """

    __slots__ = ("french",)

    french: str

    def __new__(cls, english: str, *, french: str = "") -> Self:
        """Return the text; without a French one both are the same."""
        text = super().__new__(cls, english)
        text.french = french or english
        return text

    @classmethod
    def joined(cls, separator: str, parts: Sequence[str]) -> Self:
        """Return texts as one, in both languages."""
        english, french = (separator.join(spoken(parts, language)) for language in LANGUAGES)
        return cls(english, french=french)

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(Bilingual, french=self.french), (str(self),)

    def spoken(self, language: Language) -> str:
        """Return the text in a language."""
        return self.french if language == "fr" else str.__str__(self)


def spoken(value: Any, language: Language) -> Any:
    """Return a value as a reader of a language sees it: what is written in both, in theirs."""
    if isinstance(value, Bilingual):
        return value.spoken(language)
    if isinstance(value, list | tuple):
        return [spoken(item, language) for item in value]
    return value


def recorded(value: Any) -> Any:
    """Return a value as a record keeps it: a text in both languages as ``{"en": …, "fr": …}``.

    Examples
    --------
    >>> recorded(["task", Bilingual("basket", french="panier")])
    ['task', {'en': 'basket', 'fr': 'panier'}]
    """
    if isinstance(value, Bilingual):
        return {language: value.spoken(language) for language in LANGUAGES}
    if isinstance(value, Mapping):
        return {name: recorded(inner) for name, inner in value.items()}
    return [*map(recorded, value)] if isinstance(value, list | tuple) else value


@cache
def catalogue(language: Language, area: str) -> Mapping[str, str]:
    """Return the messages of one area in one language, by name.

    Parameters
    ----------
    language : {"en", "fr"}
    area : str
        The part of a key before its first dot.
    """
    source = Path(__file__).parent / language / f"{area}.toml"
    messages = cast("Mapping[str, str]", tomllib.loads(source.read_text(encoding="utf-8")))
    return (
        {name: _unbroken(said) for name, said in messages.items()} if language == "fr" else messages
    )


def _unbroken(said: str) -> str:
    """Return a French text in which no line starts with a punctuation mark."""
    return re.sub(r" (?=[:;?!»])|(?<=«) ", "\N{NO-BREAK SPACE}", said)


def text(key: str, language: Language = "en", /, **values: Any) -> str:
    """Return a message as plain text (never markup), its values as the language writes them.

    Parameters
    ----------
    key : str
        ``area.name``.
    language : {"en", "fr"}
    **values
        What the template names.

    Raises
    ------
    KeyError
        When the catalogue has no such message, or the template names a value that is not given.

    Examples
    --------
    >>> text("experiments.leaked_units_pass", "en", units=12000)
    'No unit was in more than one arm (12,000 units).'
    """
    area, _, name = key.partition(".")
    return _Formatter(language).vformat(catalogue(language, area)[name], (), values)


def text_of_both(key: str, /, **values: Any) -> Bilingual:
    """Return a message in both languages.

    Examples
    --------
    >>> text_of_both("words.more", count=3).french
    '3 autres'
    """
    english, french = (text(key, language, **values) for language in LANGUAGES)
    return Bilingual(english, french=french)


class _Formatter(string.Formatter):
    """``str.format`` with Babel's numbers, without attributes or indexes."""

    def __init__(self, language: Language) -> None:
        self.numbers = Numbers(language)
        self.field = ""
        self.shown: dict[str, str] = {}

    def get_field(self, field_name: str, _args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        self.field = field_name
        return kwargs[field_name], field_name

    def format_field(self, value: Any, format_spec: str) -> str:
        value = spoken(value, self.numbers.language)
        if value is None or not format_spec:
            return one_line("\N{EN DASH}" if value is None else str(value))
        name, _, detail = format_spec.partition(":")
        if name == "few" and len(value) > _FEW:
            more = text("words.more", self.numbers.language, count=len(value) - _FEW)
            value = [*value[:_FEW], more]
        if name == "plural":
            return self.numbers.plural(self.shown.get(self.field, value), detail.split("|"))
        shown = one_line(getattr(self.numbers, name)(value, *([int(detail)] if detail else [])))
        self.shown[self.field] = shown
        return shown


def one_line(value: str) -> str:
    r"""Return a text from outside without line breaks, control characters or direction marks.

    Examples
    --------
    >>> one_line("a\x1b[31mb\nc")
    'a�[31mb c'
    """
    return "".join(
        " "
        if character in "\n\r\t"
        else character
        if character.isprintable() or character in "\u00a0\u202f"
        else "\N{REPLACEMENT CHARACTER}"
        for character in value
    )


def without_controls(value: str) -> str:
    """Return a text of many lines in which control characters and direction marks are visible.

    Halves of characters are too, which no file can hold.
    """
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", value)


def printable(value: str) -> str:
    r"""Return a text of many lines as a terminal may get it: nothing in it steers the terminal.

    Examples
    --------
    >>> printable("a\x1b[2K\rb\n")
    'a�[2K�b\n'
    """
    whole_lines = value.replace("\r\n", "\n")
    return without_controls(whole_lines).replace("\r", "\N{REPLACEMENT CHARACTER}")


_CONTROLS = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff"
    r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
