"""Numbers as people and tools write them: the decimal mark is decided over a whole column.

``1,5`` and ``1.5`` tell which mark is the decimal one; ``1,234`` and ``1.234`` do not. Spaces
(U+00A0 and U+202F too) and apostrophes part thousands in any notation, and ``%`` divides by a
hundred.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from opslab.tables.durations import CLOCK, DAYS, DAYTIME, ISO, ISO_SIZES, SIZES, WORDED
from opslab.tables.source import literal

MISSING = {"", "n/a", "na", "#n/a", "null", "none", "nan", "-", "\u2013", "\u2014"}
MISSING |= {"#ref!", "#div/0!", "#value!", "\\n"}
"""What stands for nothing in columns of numbers, times and truths; words for it are counted."""

_WHOLE = "[0-9]+|[1-9][0-9]{0,2}(?:%s[0-9]{3})+|[1-9][0-9]{0,2}(?:[ '\u2019][0-9]{3})+"
_PARTING = " '\u2019"  # of thousands, in any notation
_EXPONENT = "(?:e[-+]?[0-9]+)?"
_FORMS: Mapping[str, str] = {
    "point": rf"(?:(?:{_WHOLE % ','})(?:[.][0-9]*)?|[.][0-9]+){_EXPONENT}",
    "comma": rf"(?:(?:{_WHOLE % '[.]'})(?:[,][0-9]*)?|[,][0-9]+){_EXPONENT}",
}
_UNCLEAR = f"[1-9][0-9]{{0,2}}[.,][0-9]{{3}}{_EXPONENT}"
_SIGN = r"=(?:[-+]|[(][)])?"
_CURRENCIES = {"€": "EUR", "£": "GBP", "₹": "INR", "us$": "USD", "c$": "CAD"}
_CURRENCIES |= {
    "$us": "USD",
    "$ca": "CAD",
    "$au": "AUD",
    "ca$": "CAD",
    "a$": "AUD",
    "au$": "AUD",
    "r$": "BRL",
    "kr": "kr",
    "zł": "PLN",
    "₽": "RUB",
}
_CURRENCY = (
    "€|£|¥|₹|₽|zł|[$](?:us|ca|au)|(?:us|ca|c|au|a|r)?[$]|kr|eur|usd|gbp|chf|"
    "cad|aud|nzd|sek|nok|dkk|pln|czk|huf|ron|jpy|cny|inr|brl|mxn|zar|sgd|hkd|try|ils"
)
_POWERS = {"": 0, "k": 3, "m": 6, "mio": 6, "bn": 9, "md": 9, "mrd": 9, "%": -2}
_POWER = r"k|mio[.]?|bn|mrd[.]?|md|%"
_AMOUNT = (  # a small m is a million beside its currency only: else it may be minutes or metres
    rf"([(])?([-+])?(?:(?:{_CURRENCY}) ?)?([(])?([-+])?([0-9.,][0-9.,{_PARTING}]*?{_EXPONENT})"
    rf"(?: ?(?:{_POWER}))?(?: ?m? ?(?:{_CURRENCY}))?([-)])?"
)
_SIMPLE = "[-+]?[0-9][0-9.,]*"  # soon seen
_BARE = r"=\1\2\3\4\6\5"
_LIKE = re.compile(f"{_SIGN}(?:{_FORMS['point']}|{_FORMS['comma']})")
_AFFIXED = re.compile(f"^{_AMOUNT}$")
_MACHINE_WHOLE = "-?(?:0|[1-9][0-9]{0,14})"
_LONG = rf"{_SIGN}[0-9]{{16,}}(?:[.,]0*)?"
_IDENTIFIER = rf"=[-+]?0[0-9]+|{_LONG}|=[+][0-9]{{8,}}"  # the last: a telephone number
_SHORT_CLOCK = "-?([0-9]+):([0-5][0-9])"
_HEADING_UNIT = (
    r"(?<![a-z])(?:(?P<hours>hours?|heures?|stunden)|(?P<minutes>min|minutes?|minuten)|"
    r"(?P<seconds>sec|seconde?s?|sekunden))[)]?$"
)
_SECONDS = {"hours": 3600.0, "minutes": 60.0, "seconds": 1.0}
_SPECIAL, _USUAL = "\u00a0\u202f\u2009\u2212\t", "   - "
_LONGEST = 40  # of a cell that a message shows
TRUE = ("yes", "oui", "ja", "true", "vrai", "wahr", "ein", "1", "y", "o", "x")
FALSE = ("no", "non", "nein", "false", "faux", "falsch", "aus", "0", "n")


QUICK = """CASE WHEN regexp_full_match(text, '(0|[1-9][0-9]{0,8})([.][0-9]{1,6})?')
    THEN TRY_CAST(text AS DOUBLE) END"""
"""SQL of a ``text`` of digits and a decimal point as a number, as of `number`; else none."""


class MachineForm(NamedTuple):
    """A notation of programs, which needs no look at each cell, and the engine's type for it."""

    pattern: str
    type: str

    def unfit(self, text: str) -> str:
        """Return the SQL condition that a text is given and not in this form."""
        if self.type == "DOUBLE":
            return f"NOT {matches(text, self.pattern)}"
        # as the engine writes it: sooner seen than by a pattern
        longer = f"OR length({text}) > 15" if self.type == "BIGINT" else ""
        again = f"CAST(TRY_CAST({text} AS {self.type}) AS VARCHAR)"
        return f"{text} IS NOT NULL AND ({again} IS DISTINCT FROM {text} {longer})"


_MACHINE_FORMS = (
    MachineForm(_MACHINE_WHOLE, "BIGINT"),
    MachineForm(rf"{_MACHINE_WHOLE}(?:[.][0-9]+(?:0e0)?)?", "DOUBLE"),
    MachineForm("[0-9]{4}-[0-9]{2}-[0-9]{2}", "DATE"),
    MachineForm("[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}", "TIMESTAMP"),
)


def plain(text: str) -> str:
    """Return SQL of a text in lower case, without accents, with plain spaces and minus signs.

    It is what the other functions of this module and of `dates` take as ``cell``. An M behind a
    number becomes ``mio``: it is millions, and a small m is not.
    """
    usual = f"trim(translate({text}, {literal(_SPECIAL)}, {literal(_USUAL)}))"
    return f"lower(strip_accents(regexp_replace({usual}, '([0-9] ?)M$', '\\1mio')))"


def plain_text(text: str) -> str:
    """Return a text as `plain` does."""
    usual = text.translate(str.maketrans(_SPECIAL, _USUAL)).strip(" ")
    if usual.endswith("M"):
        usual = re.sub("([0-9] ?)M$", r"\1mio", usual)
    parts = unicodedata.normalize("NFD", usual.lower())
    return "".join(sign for sign in parts if not unicodedata.combining(sign))


def excerpt(text: str) -> str:
    """Return what a message shows of a cell: its beginning, without e-mail addresses.

    Examples
    --------
    >>> excerpt("ask ana@example.test")
    'ask …'
    """
    line = re.sub(r"\S*@\S*", "…", " ".join(text.split()))
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def is_missing(cell: str) -> str:
    """Return the SQL condition that a cell holds a word for nothing."""
    return f"{cell} IN ({', '.join(map(literal, sorted(MISSING)))})"


def matches(cell: str, pattern: str) -> str:
    """Return the SQL condition that all of a cell has a form."""
    return f"regexp_full_match({cell}, {literal(pattern)})"


def clear_number(written: str) -> str:
    """Return a number of a program so that its point is the decimal one; see `as_written`.

    Examples
    --------
    >>> clear_number("1.234"), clear_number("12.5")
    ('1.2340e0', '12.5')
    """
    mantissa, _, exponent = written.partition("e")
    unclear = re.fullmatch(f"[-+]?{_UNCLEAR}", mantissa)
    return f"{mantissa}0e{exponent or 0}" if unclear else written


def as_written(text: str) -> str:
    """Return SQL of a text in which `clear_number` may have marked a number, as it was."""
    return f"regexp_replace({text}, '^([-+]?[0-9]+[.][0-9]{{3}})0e0$', '\\1')"


def looks_like_number(text: str) -> bool:
    """Whether a cell is a number in some notation, and no code: ``0012``, or a very long one."""
    bare = _AFFIXED.sub(_BARE, plain_text(text))
    return bool(_LIKE.fullmatch(bare)) and not re.fullmatch(_IDENTIFIER, bare)


def looks_like_duration(text: str) -> bool:
    """Whether a cell is a duration in words: ``1h 30m``, ``PT1H30M``."""
    cell = plain_text(text)
    return bool(re.search("[0-9]", cell) and re.fullmatch(f"{ISO}|{WORDED}", cell))


@dataclass(frozen=True)
class NumberEvidence:
    """What a column's cells tell of their notation: counts of cells.

    Attributes
    ----------
    given : int
        Cells that are not empty and hold no word for nothing.
    words : int
        Cells with such a word.
    point, comma : int
        Cells that only a decimal point, only a decimal comma can explain.
    unclear : int
        Cells such as ``1,234``, which mean two numbers.
    percent, powers : int
        Cells with a percent sign, with letters for thousands or millions.
    bracketed : int
        Cells such as ``(5)``, which are negative.
    clocks, days : int
        Cells such as ``5:30``, and durations with days or weeks.
    neither : int
        Cells that are no number, have a leading zero, or are too long for a number.
    misfit : Mapping or None
        Row and cell of the first of them.
    currencies : tuple of str
        Signs and codes of currencies.
    """

    given: int
    words: int
    point: int
    comma: int
    unclear: int
    percent: int
    powers: int
    bracketed: int
    clocks: int
    days: int
    priced: int
    neither: int
    misfit: Mapping[str, Any] | None
    currencies: Sequence[str] | None

    @property
    def proofs(self) -> dict[str, int]:
        """Cells by the decimal mark that they prove."""
        return {mark: count for mark in _FORMS if (count := getattr(self, mark))}

    both = proofs
    """What a question says of a column that proves both."""

    @property
    def currency(self) -> list[str]:
        """The currencies by their names: ``EUR`` for the euro sign too."""
        names = set()
        for marks in self.currencies or ():
            cell = {_CURRENCIES.get(mark, mark.upper()) for mark in marks.split()}
            names |= cell - {"$"} or cell  # "$5 USD" is one
        return sorted(names)

    @staticmethod
    def sql() -> tuple[str, dict[str, str], list[str]]:
        """Return SQL of what conditions take as ``bare``, them by field, and of the other fields.

        They are of a table of cells: ``cell`` as `plain` gives it, ``text``, and the row.
        """
        missing = is_missing("cell")
        point, comma = (matches("bare", f"{_SIGN}{_FORMS[mark]}") for mark in ("point", "comma"))
        marks = f"array_to_string(regexp_extract_all(cell, {literal(_CURRENCY)}), ' ')"
        conditions = {
            "given": f"NOT {missing}",
            "words": missing,
            "point": f"{point} AND NOT {comma}",
            "comma": f"{comma} AND NOT {point}",
            "unclear": matches("bare", f"{_SIGN}{_UNCLEAR}"),
            "percent": "contains(cell, '%')",
            "powers": f"starts_with(bare, '=') AND {_power()} > 0",
            "bracketed": "starts_with(bare, '=()')",
            "clocks": matches("cell", _SHORT_CLOCK),
            "days": matches("cell", DAYS),
            "priced": f"starts_with(bare, '=') AND {marks} <> ''",
            "neither": f"NOT ({point} OR {comma} OR {missing}) OR {matches('bare', _IDENTIFIER)}",
        }
        return _bare(), conditions, [f"list(DISTINCT {marks}) FILTER (priced)"]


def machine_form(texts: Sequence[str]) -> MachineForm | None:
    """Return the form of numbers, days or times in a program's own notation that a sample is in.

    It is none for a sample in any other notation, or in one that ``1,234`` alone would show.
    """
    clear = any("." in text and clear_number(text) == text for text in texts)
    for form in _MACHINE_FORMS:
        fits = all(map(re.compile(form.pattern).fullmatch, texts))
        if fits and (clear or form.type != "DOUBLE"):
            return form
    return None


def unit_of(heading: str) -> str | None:
    """Return the unit of time that a heading ends in, such as ``Wait (min)``.

    Examples
    --------
    >>> unit_of("Wait (min)"), unit_of("Minimum wait")
    ('minutes', None)
    """
    match = re.search(_HEADING_UNIT, plain_text(heading))
    return match.lastgroup if match else None


def _bare() -> str:
    """Return SQL of an amount behind ``=`` and its sign; other texts as they are."""
    amount = f"regexp_replace(cell, {literal(f'^{_AMOUNT}$')}, {literal(_BARE)})"
    return f"CASE WHEN {matches('cell', _SIMPLE)} THEN '=' || cell ELSE {amount} END"


def _power() -> str:
    """Return SQL of the power of ten by which letters or a percent sign multiply."""
    powers = ", ".join(f"{literal(name)}: {power}" for name, power in _POWERS.items())
    form = rf"[0-9.,] ?(mio|mrd|md|bn|k|m|%)[.]? ?(?:{_CURRENCY})?[-)]?$"
    return f"MAP {{{powers}}}[regexp_extract(cell, {literal(form)}, 1)]"


def number(decimal: str) -> str:
    """Return SQL of an amount as a number, empty where it is none, or has over 15 digits.

    As of `NumberEvidence.sql` it is of ``cell`` and ``bare``.
    """
    thousands = "[=+(),'\u2019 ]" if decimal == "point" else "[=+().'\u2019 ]"
    digits = f"regexp_replace(bare, {literal(thousands)}, '', 'g')"
    if decimal == "comma":
        digits = f"replace({digits}, ',', '.')"
    sign = "CASE WHEN starts_with(bare, '=()') THEN '-' ELSE '' END"
    power = f"replace('e' || {_power()}, 'e0', '')"
    form = _FORMS[decimal].replace("e[-+]?[0-9]+", "e[-+]?0*[0-9]{1,2}")  # none is infinite
    fits = f"{matches('bare', _SIGN + form)} AND NOT {matches('bare', _LONG)}"
    return f"CASE WHEN {fits} THEN TRY_CAST({sign} || {digits} || {power} AS DOUBLE) END"


def hours(decimal: str, unit: str) -> str:
    """Return SQL of a duration in hours: ``01:30:00``, ``1 h 30``, or a number of the unit.

    Parameters
    ----------
    decimal : {"comma", "point"}
    unit : {"hours", "minutes", "seconds"}
        What a bare number counts, and the first part of ``5:30``; no seconds have two parts.
    """
    short = {"hours": (3600, 60), "minutes": (60, 1)}.get(unit)
    return _duration(decimal, unit, short, 3600)


def quick_hours() -> str:
    """Return SQL of a ``text`` such as ``01:30:00`` in hours, as of `hours`; else none."""
    parts = (f"CAST(split_part(text, ':', {part}) AS DOUBLE)" for part in (1, 2, 3))
    total = " + ".join(f"{part} * {size}" for part, size in zip(parts, (3600, 60, 1), strict=True))
    clock = "regexp_full_match(text, '[0-9]{2,3}:[0-5][0-9]:[0-5][0-9]')"
    return f"CASE WHEN {clock} THEN ({total}) / 3600 END"


def minutes(decimal: str) -> str:
    """Return SQL of a duration in minutes: a bare number of them, ``1 h 30``, or ``1:30``.

    A clock that may be a time of day is none.
    """
    length = _duration(decimal, "minutes", (3600, 60), 60)
    return f"CASE WHEN NOT {matches('cell', DAYTIME)} THEN {length} END"


def minutes_or_share(decimal: str) -> str:
    """Return SQL of a number: minutes, or a share where a percent sign says so."""
    return f"CASE WHEN contains(cell, '%') THEN {number(decimal)} ELSE {minutes(decimal)} END"


def _duration(decimal: str, unit: str, short: tuple[int, int] | None, size: int) -> str:
    """Return SQL of a duration in units of so many seconds, with what the parts of 1:30 count."""
    forms = {
        _SHORT_CLOCK: short,
        CLOCK: (3600, 60, 1),
        ISO: ISO_SIZES,
        WORDED: SIZES,
    }
    cases = " ".join(
        f"WHEN {matches('cell', form)} THEN {_seconds(form, sizes) if sizes else 'NULL'} / {size}"
        for form, sizes in forms.items()
    )
    return (
        f"CASE WHEN NOT regexp_matches(cell, '[0-9]') THEN NULL {cases} "
        f"WHEN bare = '=' || cell THEN {number(decimal)} * {_SECONDS[unit]} / {size} END"
    )


def _seconds(form: str, sizes: Sequence[int]) -> str:
    """Return SQL of the parts of a form in seconds, below zero behind a minus sign."""
    whole = literal(f"^(?:{form})$")
    parts = " + ".join(
        f"coalesce(TRY_CAST(replace(regexp_extract(cell, {whole}, {part}), ',', '.') AS DOUBLE)"
        f", 0) * {size}"
        for part, size in enumerate(sizes, 1)
    )
    return f"({parts}) * CASE WHEN starts_with(cell, '-') THEN -1 ELSE 1 END"


def truth(cell: str = "cell") -> str:
    """Return SQL of a yes or a no, English or French, as a truth value."""
    yes, no = (f"{cell} IN ({', '.join(map(literal, words))})" for words in (TRUE, FALSE))
    return f"CASE WHEN {yes} THEN true WHEN {no} THEN false END"
