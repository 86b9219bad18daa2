"""Personal data taken out of texts before anything is stored or shown, by form and checksum.

Names of people are a known gap, apart from the writer's own where the export states it: this is no
anonymity.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

KINDS = ("email", "link", "ip", "iban", "nir", "siret", "card", "phone", "name", "handle")
_PHONE_LIKE = re.compile(r"\d(?:[^\w\n]{0,3}\d){6,}")
_PHONE_DIGITS = 9  # of a number that starts as telephone numbers do, assigned or not
_TOKEN = re.compile(r"\[[A-Z][A-Z0-9 _-]*\]")


def luhn(digits: str) -> bool:
    """Whether a string of digits passes the Luhn check (ISO/IEC 7812-1, annex B).

    Examples
    --------
    >>> luhn("4111111111111111"), luhn("4111111111111112")
    (True, False)
    """
    doubled = (int(digit) * (1 + at % 2) for at, digit in enumerate(reversed(digits)))
    return sum(value - 9 * (value > 9) for value in doubled) % 10 == 0  # noqa: PLR2004 - digit sum


def iban(text: str) -> bool:
    """Whether a text without spaces is an IBAN by its check digits (ISO 13616: 97 leaves 1).

    Examples
    --------
    >>> iban("GB82WEST12345698765432")
    True
    """
    return int("".join(str(int(sign, 36)) for sign in text[4:] + text[:4])) % 97 == 1


def nir(text: str) -> bool:
    """Whether 15 signs are a French social security number: the key is 97 less the rest modulo 97.

    Examples
    --------
    >>> nir("255081416802538")
    True
    """
    number = text[:13].upper().replace("2A", "19").replace("2B", "18")
    return 97 - int(number) % 97 == int(text[13:])


def siret(digits: str) -> bool:
    """Whether 14 digits number a French establishment: Luhn; La Poste's own have a digit sum by 5.

    Examples
    --------
    >>> siret("73282932000074")
    True
    """
    post = digits.startswith("356000000") and sum(map(int, digits)) % 5 == 0
    return len(digits) == 14 and (luhn(digits) or post)  # noqa: PLR2004 - as many as there are


class _Kind(NamedTuple):
    """A kind of personal data: how it is written, and the checksum that it must pass."""

    name: str
    pattern: str
    holds: Callable[[str], bool] = bool

    def replaced(self, text: str, counts: Counter[str]) -> str:
        """Return a text with tokens for this kind, and count them."""

        def token(match: re.Match[str]) -> str:
            if not self.holds(match[0]):
                return match[0]
            counts[self.name] += 1
            return f"[{self.name.upper()}]"

        return re.sub(self.pattern, token, text)


def _bare(written: str) -> str:
    return re.sub(r"[^0-9A-Za-z]", "", written)


def _is_ip(written: str) -> bool:
    try:
        ipaddress.ip_address(written)
    except ValueError:
        return False
    return any(sign.isdigit() for sign in written)


def _is_card(written: str) -> bool:
    return bool(re.fullmatch(_CARD, _bare(written))) and luhn(_bare(written))


_GAP = r"[ \u00a0\u202f.-]?"
_DIGITS = rf"(?<![\w+])\d(?:{_GAP}\d){{12,18}}(?!\w)"
_CARD = (
    r"4\d{12}(?:\d{3})?(?:\d{3})?|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}"
    r"|3(?:0[0-5]|[689]\d)\d{11}|6\d{15,18}"
)
_MARKED = [
    _Kind("email", r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+"),
    _Kind("handle", r"(?<![\w@.])@\w{2,}"),
]
_LINK = _Kind(
    "link",
    r"(?:https?://|www\.)[^\s<>\"']+"
    r"|\b[\w-]+(?:\.[\w-]+)*\.(?:com|fr|net|org|io|eu|app|co)/[^\s<>\"']*",
)
_NUMBERED = [
    _Kind("ip", r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\d)", _is_ip),
    _Kind("ip", r"(?<![\w:])(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}(?![\w:])", _is_ip),
    _Kind(
        "iban",
        rf"\b[A-Z]{{2}}\d{{2}}(?:{_GAP}[A-Z0-9]){{11,30}}(?![A-Za-z0-9])",
        lambda written: iban(_bare(written)),
    ),
    _Kind(
        "nir",
        rf"(?<!\w)[1-478](?:{_GAP}\d){{4}}{_GAP}"
        rf"(?:\d{_GAP}\d|2{_GAP}[ABab])(?:{_GAP}\d){{8}}(?!\w)",
        lambda written: nir(_bare(written)),
    ),
    _Kind("siret", _DIGITS, lambda written: siret(_bare(written))),
    _Kind("card", _DIGITS, _is_card),
]


def redact(
    text: str,
    *,
    patterns: Mapping[str, str] | None = None,
    regions: Sequence[str] = (),
    names: Iterable[str] = (),
) -> tuple[str, Counter[str]]:
    """Return a text with typed tokens for personal data, and how many of each kind were found.

    Parameters
    ----------
    text : str
    patterns : mapping of name to regular expression, optional
        The user's own, looked for first.
    regions : sequence of str
        Countries whose local telephone numbers are recognised; international ones always are.
    names : iterable of str
        The writer's own names where the export states them.

    Examples
    --------
    >>> redact("Call +33 6 12 34 56 78 or write to a.b@c.fr", regions=["FR"])[0]
    'Call [PHONE] or write to [EMAIL]'
    """
    counts = Counter[str]()
    kinds = [_Kind(*pattern) for pattern in (patterns or {}).items()]
    kinds += _MARKED if "@" in text else []
    kinds.append(_LINK)
    kinds += _NUMBERED if any(sign.isdigit() for sign in text) else []
    for kind in kinds:
        text = kind.replaced(text, counts)
    if _PHONE_LIKE.search(text):
        text, phones = _without_phones(text, regions)
        counts["phone"] += phones
    for part in re.findall(r"[^\W\d_]{3,}", " ".join(names)):
        text = _Kind("name", rf"(?i)\b{part}\b").replaced(text, counts)
    return text, +counts


def without_tokens(text: str) -> str:
    """Return a redacted text without its tokens, shouting in lower case: what an encoder reads."""
    plain = " ".join(_TOKEN.sub(" ", text).split())
    return plain.lower() if plain.isupper() else plain


def _without_phones(text: str, regions: Sequence[str]) -> tuple[str, int]:
    """Return a text with tokens for its telephone numbers, and how many there were."""
    import phonenumbers

    spans: dict[int, int] = {}
    for region in (*regions, None):
        for match in phonenumbers.PhoneNumberMatcher(text, region, phonenumbers.Leniency.POSSIBLE):
            number = match.raw_string
            written = number.startswith(("+", "0")) and len(_bare(number)) >= _PHONE_DIGITS
            if written or phonenumbers.is_valid_number(match.number):
                spans[match.start] = max(match.end, spans.get(match.start, 0))
    parts, end = [], 0
    for start, stop in sorted(spans.items()):
        if start >= end:
            parts += [text[end:start], "[PHONE]"]
            end = stop
    return "".join([*parts, text[end:]]), len(parts) // 2
