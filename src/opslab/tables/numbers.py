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
from typing import NamedTuple

from opslab.tables.import_report import Decimal
from opslab.tables.source import literal

MISSING = {"", "n/a", "na", "#n/a", "null", "none", "nan", "-", "\u2013", "\u2014"}
MISSING |= {"#ref!", "#div/0!", "#value!"}
"""What stands for nothing in columns of numbers, times and truths; words for it are counted."""

_WHOLE = "[0-9]+|[1-9][0-9]{0,2}(%s[0-9]{3})+|[1-9][0-9]{0,2}([ '\u2019][0-9]{3})+"
_FORMS: Mapping[Decimal, str] = {
    "point": rf"[-+]?(({_WHOLE % ','})([.][0-9]*)?|[.][0-9]+)(e[-+]?[0-9]+)?",
    "comma": rf"[-+]?(({_WHOLE % '[.]'})([,][0-9]*)?|[,][0-9]+)(e[-+]?[0-9]+)?",
}
_UNCLEAR = r"[-+]?[1-9][0-9]{0,2}[.,][0-9]{3}(e[-+]?[0-9]+)?"
_LIKE = re.compile(rf"(?:{_FORMS['point']}|{_FORMS['comma']}) ?%?")
_MACHINE_WHOLE = "-?(0|[1-9][0-9]{0,14})"
_IDENTIFIER = r"[-+]?(0[0-9]+|[0-9]{16,})|[+][0-9]{8,}"  # the last: a telephone number
_CLOCK = r"-?[0-9]+:[0-5][0-9](:[0-5][0-9]([.][0-9]+)?)?"
_WORDED = "([0-9]+) ?h(?: ?([0-9]{1,2})(?: ?m(?:in)?)?)?|([0-9]+) ?m(?:in)?"
_SECONDS = {"hours": 3600.0, "minutes": 60.0, "seconds": 1.0}
_SPECIAL, _USUAL = "\u00a0\u202f\u2009\u2212\t", "   - "
TRUE = ("yes", "oui", "ja", "true", "vrai", "wahr", "ein", "1", "y", "o", "x")
FALSE = ("no", "non", "nein", "false", "faux", "falsch", "aus", "0", "n")


class MachineForm(NamedTuple):
    """A notation of programs, which needs no look at each cell, and the engine's type for it."""

    pattern: str
    type: str


def plain(text: str) -> str:
    """Return SQL of a text in lower case, without accents, with plain spaces and minus signs.

    It is what the other functions of this module and of `dates` take as ``cell``.
    """
    return f"lower(strip_accents(trim(translate({text}, {literal(_SPECIAL)}, {literal(_USUAL)}))))"


def plain_text(text: str) -> str:
    """Return a text as `plain` does."""
    usual = text.translate(str.maketrans(_SPECIAL, _USUAL)).strip(" ").lower()
    parts = unicodedata.normalize("NFD", usual)
    return "".join(sign for sign in parts if not unicodedata.combining(sign))


def is_missing(cell: str) -> str:
    """Return the SQL condition that a cell holds a word for nothing."""
    return f"{cell} IN ({', '.join(map(literal, sorted(MISSING)))})"


def matches(cell: str, pattern: str) -> str:
    """Return the SQL condition that all of a cell has a form."""
    return f"regexp_full_match({cell}, {literal(pattern)})"


def counts(cell: str, conditions: Sequence[str]) -> list[str]:
    """Return SQL of how many cells meet each condition."""
    return [f"count(*) FILTER ({cell} IS NOT NULL AND ({condition}))" for condition in conditions]


def clear_number(written: str) -> str:
    """Return a number of a program so that its point is the decimal one: ``1.234`` as ``1.2340``.

    Examples
    --------
    >>> clear_number("1.234"), clear_number("12.5")
    ('1.2340', '12.5')
    """
    mantissa, mark, exponent = written.partition("e")
    return f"{mantissa}0{mark}{exponent}" if re.fullmatch(_UNCLEAR, mantissa) else written


def looks_like_number(text: str) -> bool:
    """Whether a cell is a number in some notation, and no code: ``0012``, or a very long one."""
    cell = plain_text(text)
    return bool(_LIKE.fullmatch(cell)) and not re.fullmatch(_IDENTIFIER, cell)


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
    percent : int
        Cells with a percent sign.
    codes : int
        Whole numbers with a leading zero, or too long for a number.
    neither : int
        Cells that are no number.
    """

    given: int
    words: int
    point: int
    comma: int
    unclear: int
    percent: int
    codes: int
    neither: int

    @property
    def decimal(self) -> Decimal | None:
        """The decimal mark that the column proves; None where it proves none, or both."""
        if bool(self.point) == bool(self.comma):
            return None
        return "point" if self.point else "comma"

    @property
    def misfits(self) -> int:
        """Cells that keep the column from being one of numbers where no kind is declared."""
        return self.neither or self.codes

    @staticmethod
    def sql(cell: str) -> list[str]:
        """Return SQL of the counts, in the order of the fields."""
        body, missing = f"rtrim(rtrim({cell}, '%'), ' ')", is_missing(cell)
        point, comma = (matches(body, _FORMS[mark]) for mark in ("point", "comma"))
        conditions = (
            f"NOT {missing}",
            missing,
            f"{point} AND NOT {comma}",
            f"{comma} AND NOT {point}",
            matches(body, _UNCLEAR),
            f"contains({cell}, '%')",
            matches(body, _IDENTIFIER),
            f"NOT ({point} OR {comma} OR {missing})",
        )
        return counts(cell, conditions)


def machine_form(texts: Sequence[str]) -> MachineForm | None:
    """Return the form of numbers in a program's own notation that a sample is in.

    It is none for a sample in any other notation, or in one that ``1,234`` alone would show.
    """
    if all(map(re.compile(_MACHINE_WHOLE).fullmatch, texts)):
        return MachineForm(_MACHINE_WHOLE, "BIGINT")
    decimal = rf"{_MACHINE_WHOLE}([.][0-9]+)?"
    clear = any("." in text and not re.fullmatch(_UNCLEAR, text) for text in texts)
    if clear and all(map(re.compile(decimal).fullmatch, texts)):
        return MachineForm(decimal, "DOUBLE")
    return None


def number(cell: str, decimal: Decimal) -> str:
    """Return SQL of a text as a number, empty where it is none."""
    trimmed = f"rtrim(rtrim({cell}, '%'), ' ')"
    thousands = "[,'\u2019 ]" if decimal == "point" else "[.'\u2019 ]"
    digits = f"regexp_replace({trimmed}, {literal(thousands)}, '', 'g')"
    if decimal == "comma":
        digits = f"replace({digits}, ',', '.')"
    value = f"TRY_CAST({digits} AS DOUBLE) / CASE WHEN contains({cell}, '%') THEN 100 ELSE 1 END"
    fits = matches(trimmed, _FORMS[decimal])
    return f"CASE WHEN {fits} AND isfinite({value}) THEN {value} END"


def hours(cell: str, decimal: Decimal, unit: str) -> str:
    """Return SQL of a duration in hours: ``01:30:00``, ``1 h 30``, or a number of the unit.

    Parameters
    ----------
    cell : str
        SQL.
    decimal : {"comma", "point"}
    unit : {"hours", "minutes", "seconds"}
        What a bare number counts.
    """
    clock = [f"string_split(ltrim({cell}, '-'), ':')[{part}]" for part in (1, 2, 3)]
    form = literal(f"^(?:{_WORDED})$")
    worded = [f"regexp_extract({cell}, {form}, {part})" for part in (1, 2, 3)]
    return (
        f"CASE WHEN {matches(cell, _CLOCK)} THEN ({_sum(clock, (3600, 60, 1))}) / "
        f"CASE WHEN starts_with({cell}, '-') THEN -3600 ELSE 3600 END "
        f"WHEN {matches(cell, _WORDED)} THEN ({_sum(worded, (3600, 60, 60))}) / 3600 "
        f"ELSE {number(cell, decimal)} * {_SECONDS[unit]} / 3600 END"
    )


def _sum(parts: Sequence[str], sizes: Sequence[int]) -> str:
    return " + ".join(
        f"coalesce(TRY_CAST({part} AS DOUBLE), 0) * {size}"
        for part, size in zip(parts, sizes, strict=True)
    )


def truth(cell: str) -> str:
    """Return SQL of a yes or a no, English, French or German, as a truth value."""
    yes, no = (f"{cell} IN ({', '.join(map(literal, words))})" for words in (TRUE, FALSE))
    return f"CASE WHEN {yes} THEN true WHEN {no} THEN false END"
