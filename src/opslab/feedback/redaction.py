"""Personal data taken out of texts before anything is stored or shown, with the checksums of each kind.

Names of people are a known gap, apart from the writer's own where the export states it: this is no
anonymity.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

KINDS = ("email", "link", "ip", "iban", "nir", "siret", "card", "phone", "name", "handle")
_GAP = r"[ \u00a0\u202f.-]?"
_DIGITS = re.compile(rf"(?<![\w+])\d(?:{_GAP}\d){{12,18}}(?!\w)")
_EMAIL = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
_LINK = re.compile(
    r"(?:https?://|www\.)[^\s<>\"']+|\b[\w-]+(?:\.[\w-]+)*\.(?:com|fr|net|org|io|eu|app|co)/[^\s<>\"']*"
)
_IP4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\d)")
_IP6 = re.compile(r"(?<![\w:])(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}(?![\w:])")
_IBAN = re.compile(rf"\b[A-Z]{{2}}\d{{2}}(?:{_GAP}[A-Z0-9]){{11,30}}(?![A-Za-z0-9])")
_NIR = re.compile(
    rf"(?<!\w)[1-478](?:{_GAP}\d){{4}}{_GAP}(?:\d{_GAP}\d|2{_GAP}[ABab])(?:{_GAP}\d){{8}}(?!\w)"
)
_HANDLE = re.compile(r"(?<![\w@.])@\w{2,}")
_PHONE_LIKE = re.compile(r"\d(?:[^\w\n]{0,3}\d){6,}")
_CARD = re.compile(
    r"4\d{12}(?:\d{3})?(?:\d{3})?|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}|6\d{15,18}"
)
_PHONE_DIGITS = 9  # of a number that starts as telephone numbers do, assigned or not
_TOKEN = re.compile(r"\[[A-Z][A-Z0-9 _-]*\]")


def luhn(digits: str) -> bool:
    """Whether a string of digits passes the Luhn check (ISO/IEC 7812-1, annex B).

    Examples
    --------
    >>> luhn("4111111111111111"), luhn("4111111111111112")
    (True, False)
    """
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 * (value > 9) for value in doubled) % 10 == 0  # noqa: PLR2004 - the digit sum


def iban(text: str) -> bool:
    """Whether a text without spaces is an IBAN by its check digits (ISO 13616: 97 leaves 1).

    Examples
    --------
    >>> iban("GB82WEST12345698765432")
    True
    """
    return int("".join(str(int(sign, 36)) for sign in text[4:] + text[:4])) % 97 == 1


def nir(text: str) -> bool:
    """Whether 15 signs are a French social security number by their key (97 less the number modulo 97).

    Examples
    --------
    >>> nir("255081416802538")
    True
    """
    number = text[:13].upper().replace("2A", "19").replace("2B", "18")
    return 97 - int(number) % 97 == int(text[13:])


def siret(digits: str) -> bool:
    """Whether 14 digits are the number of a French establishment: Luhn; La Poste's own have a digit sum by 5.

    Examples
    --------
    >>> siret("73282932000074")
    True
    """
    post = digits.startswith("356000000") and sum(map(int, digits)) % 5 == 0
    return len(digits) == 14 and (luhn(digits) or post)  # noqa: PLR2004 - as many as there are


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
    found: Counter[str] = Counter()

    def put(kind: str, pattern: re.Pattern[str], holds: Callable[[str], bool] = bool) -> None:
        nonlocal text

        def token(match: re.Match[str]) -> str:
            if not holds(match[0]):
                return match[0]
            found[kind] += 1
            return f"[{kind.upper()}]"

        text = pattern.sub(token, text)

    for name, pattern in (patterns or {}).items():
        put(name, re.compile(pattern))
    if "@" in text:
        put("email", _EMAIL)
        put("handle", _HANDLE)
    put("link", _LINK)
    if any(sign.isdigit() for sign in text):
        put("ip", _IP4, _is_ip)
        put("ip", _IP6, _is_ip)
        put("iban", _IBAN, lambda given: 15 <= len(_bare(given)) <= 34 and iban(_bare(given)))  # noqa: PLR2004
        put("nir", _NIR, lambda given: nir(_bare(given)))
        put("siret", _DIGITS, lambda given: siret(_bare(given)))
        put(
            "card",
            _DIGITS,
            lambda given: bool(_CARD.fullmatch(_bare(given))) and luhn(_bare(given)),
        )
        if _PHONE_LIKE.search(text):
            text = _without_phones(text, regions, found)
    for name in names:
        for part in re.findall(r"[^\W\d_]{3,}", name):
            put("name", re.compile(rf"\b{re.escape(part)}\b", re.IGNORECASE))
    return text, found


def without_tokens(text: str) -> str:
    """Return a redacted text without its tokens, shouting in lower case: what an encoder reads."""
    plain = " ".join(_TOKEN.sub(" ", text).split())
    return plain.lower() if plain.isupper() else plain


def _bare(given: str) -> str:
    return re.sub(r"[^0-9A-Za-z]", "", given)


def _is_ip(given: str) -> bool:
    try:
        ipaddress.ip_address(given)
    except ValueError:
        return False
    return any(sign.isdigit() for sign in given)


def _without_phones(text: str, regions: Sequence[str], found: Counter[str]) -> str:
    import phonenumbers

    spans: dict[int, int] = {}
    for region in (*regions, None):
        for match in phonenumbers.PhoneNumberMatcher(text, region, phonenumbers.Leniency.POSSIBLE):
            written = (
                match.raw_string.startswith(("+", "0"))
                and len(_bare(match.raw_string)) >= _PHONE_DIGITS
            )
            if written or phonenumbers.is_valid_number(match.number):
                spans[match.start] = max(match.end, spans.get(match.start, 0))
    parts, at = [], 0
    for start, end in sorted(spans.items()):
        if start < at:
            continue
        parts += [text[at:start], "[PHONE]"]
        found["phone"] += 1
        at = end
    return "".join([*parts, text[at:]])
