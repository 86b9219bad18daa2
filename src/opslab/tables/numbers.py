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

from opslab.tables.import_report import Decimal
from opslab.tables.source import literal

MISSING = (
    "n/a",
    "na",
    "#n/a",
    "null",
    "none",
    "nan",
    "-",
    "\u2013",
    "\u2014",
    "#ref!",
    "#div/0!",
    "#value!",
)
"""Words that stand for an empty cell in columns of numbers, times and truth values; their count is told."""

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
TRUE = ("yes", "oui", "true", "vrai", "1", "y", "o", "x")
FALSE = ("no", "non", "false", "faux", "0", "n")


def plain(text: str) -> str:
    """Return SQL of a text in lower case, without accents, with plain spaces and minus signs.

    It is what the other functions of this module and of `dates` call ``told``.
    """
    return f"lower(strip_accents(trim(translate({text}, {literal(_SPECIAL)}, {literal(_USUAL)}))))"


def plain_text(cell: str) -> str:
    """Return a text as `plain` does."""
    usual = cell.translate(str.maketrans(_SPECIAL, _USUAL)).strip(" ").lower()
    parts = unicodedata.normalize("NFD", usual)
    return "".join(one for one in parts if not unicodedata.combining(one))


def is_missing(told: str) -> str:
    """Return the SQL condition that a cell holds a word for nothing."""
    return f"{told} IN ({', '.join(map(literal, ('', *MISSING)))})"


def clear_number(written: str) -> str:
    """Return a number of a program so that its point is the decimal one: ``1.234`` as ``1.2340``.

    Examples
    --------
    >>> clear_number("1.234"), clear_number("12.5")
    ('1.2340', '12.5')
    """
    mantissa, mark, exponent = written.partition("e")
    return f"{mantissa}0{mark}{exponent}" if re.fullmatch(_UNCLEAR, mantissa) else written


def looks_like_number(cell: str) -> bool:
    """Whether a cell is a number in some notation, and no code such as ``0012`` or a very long one."""
    told = plain_text(cell)
    return bool(_LIKE.fullmatch(told)) and not re.fullmatch(_IDENTIFIER, told)


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


def machine_form(cells: Sequence[str]) -> tuple[str, str]:
    """Return the form of numbers in a program's own notation that a sample is in, and the engine's type.

    Both are empty for a sample in any other notation, or in one that ``1,234`` alone would show.
    """
    if all(map(re.compile(_MACHINE_WHOLE).fullmatch, cells)):
        return _MACHINE_WHOLE, "BIGINT"
    decimal = rf"{_MACHINE_WHOLE}([.][0-9]+)?"
    clear = any("." in cell and not re.fullmatch(_UNCLEAR, cell) for cell in cells)
    if clear and all(map(re.compile(decimal).fullmatch, cells)):
        return decimal, "DOUBLE"
    return "", ""


def number_evidence(told: str) -> list[str]:
    """Return the SQL of the counts of `NumberEvidence`, in the order of its fields."""
    body, missing = f"rtrim(rtrim({told}, '%'), ' ')", is_missing(told)
    point, comma = (
        f"regexp_full_match({body}, {literal(_FORMS[mark])})" for mark in ("point", "comma")
    )
    conditions = (
        f"NOT {missing}",
        missing,
        f"{point} AND NOT {comma}",
        f"{comma} AND NOT {point}",
        f"regexp_full_match({body}, {literal(_UNCLEAR)})",
        f"contains({told}, '%')",
        f"regexp_full_match({body}, {literal(_IDENTIFIER)})",
        f"NOT ({point} OR {comma} OR {missing})",
    )
    return [f"count(*) FILTER ({told} IS NOT NULL AND ({condition}))" for condition in conditions]


def number(told: str, decimal: Decimal) -> str:
    """Return SQL of a text as a number, empty where it is none."""
    trimmed = f"rtrim(rtrim({told}, '%'), ' ')"
    thousands = "[,'\u2019 ]" if decimal == "point" else "[.'\u2019 ]"
    digits = f"regexp_replace({trimmed}, {literal(thousands)}, '', 'g')"
    if decimal == "comma":
        digits = f"replace({digits}, ',', '.')"
    value = f"TRY_CAST({digits} AS DOUBLE) / CASE WHEN contains({told}, '%') THEN 100 ELSE 1 END"
    fits = f"regexp_full_match({trimmed}, {literal(_FORMS[decimal])})"
    return f"CASE WHEN {fits} AND isfinite({value}) THEN {value} END"


def hours(told: str, decimal: Decimal, unit: str) -> str:
    """Return SQL of a duration in hours: ``01:30:00``, ``1 h 30``, or a number of the unit.

    Parameters
    ----------
    told : str
        SQL.
    decimal : {"comma", "point"}
    unit : {"hours", "minutes", "seconds"}
        What a bare number counts.
    """
    part = f"string_split(ltrim({told}, '-'), ':')"
    seconds = " + ".join(
        f"coalesce(TRY_CAST({part}[{place}] AS DOUBLE), 0) * {size}"
        for place, size in ((1, 3600), (2, 60), (3, 1))
    )
    form = f"^(?:{_WORDED})$"
    worded = " + ".join(
        f"coalesce(TRY_CAST(regexp_extract({told}, {literal(form)}, {group}) AS DOUBLE), 0) * {size}"
        for group, size in ((1, 3600), (2, 60), (3, 60))
    )
    return (
        f"CASE WHEN regexp_full_match({told}, {literal(_CLOCK)}) "
        f"THEN ({seconds}) / CASE WHEN starts_with({told}, '-') THEN -3600 ELSE 3600 END "
        f"WHEN regexp_full_match({told}, {literal(_WORDED)}) "
        f"THEN ({worded}) / 3600 "
        f"ELSE {number(told, decimal)} * {_SECONDS[unit]} / 3600 END"
    )


def truth(told: str) -> str:
    """Return SQL of a yes or a no, English or French, as a truth value."""
    words = (f"{told} IN ({', '.join(map(literal, said))})" for said in (TRUE, FALSE))
    return "CASE WHEN {} THEN true WHEN {} THEN false END".format(*words)
