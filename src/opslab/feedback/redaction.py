"""Personal data taken out of texts before anything is stored or shown, by form and checksum.

The forms stand in ``words/personal.toml``. Names of people are a known gap, apart from the writer's
own where the export or the text states it: this is no anonymity.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from opslab.feedback.words import table

KINDS = (
    "address",
    "bank",
    "birth",
    "card",
    "code",
    "device",
    "document",
    "email",
    "handle",
    "iban",
    "ip",
    "key",
    "link",
    "name",
    "nir",
    "password",
    "path",
    "phone",
    "place",
    "plate",
    "siren",
    "siret",
    "uuid",
    "vat",
    "wallet",
)
_PHONE_LIKE = re.compile(r"\d(?:[^\w\n]{0,3}\d){6,}")
_PHONE = re.compile(  # no day and hour, and no book
    r"[+(].*|0(?![.-]|\d[./-]\d\d?[./-]\d{4}\b).*"
    r"|1?[ .-]?\(?\d{3}\)?[ .-]?\d{3}[ .-]?\d{3,4}(?:\D.*)?"
)
_TRIES = 100  # runs of digits in a text that may be no number of a country
_PASSES = 8  # more than what one token bares of another datum ever took
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
    pattern: re.Pattern[str]
    check: str = ""
    digits: int = 1
    words: Sequence[str] = ("",)

    def spans(self, text: str) -> Iterator[_Span]:
        """Yield where it stands: all of a match, or its named group where one is called value."""
        holds = _CHECKS.get(self.check, bool)
        for match in self.pattern.finditer(text):
            group = match.lastgroup if "value" in self.pattern.groupindex else 0
            if group is not None and holds(match[group]):
                yield _Span(*match.span(group), self.name)


class _Span(NamedTuple):
    start: int
    end: int
    name: str


def _bare(written: str) -> str:
    return re.sub(r"[^0-9A-Za-z]", "", written)


def _is_ip(written: str) -> bool:
    try:
        ipaddress.ip_address(written)
    except ValueError:
        return False
    return any(map(str.isdigit, written))


_CARD = (
    r"4\d{12}(?:\d{3})?(?:\d{3})?|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}"
    r"|3(?:0[0-5]|[689]\d)\d{11}|6\d{15,18}"
)
_CHECKS: dict[str, Callable[[str], bool]] = {
    "ip": _is_ip,
    "card": lambda written: bool(re.fullmatch(_CARD, bare := _bare(written))) and luhn(bare),
    "iban": lambda written: iban(_bare(written)),
    "nir": lambda written: nir(_bare(written)),
    "siret": lambda written: siret(_bare(written)),
}


@cache
def _kinds() -> tuple[_Kind, ...]:
    """Return the kinds that are known by their form."""
    declared, kinds = table("personal.toml"), list[_Kind]()
    for kind in declared["kinds"]:
        pattern = kind["pattern"]
        for part, written in declared["parts"].items():
            pattern = pattern.replace(f"<{part}>", written)
        kinds.append(_Kind(**kind | {"pattern": re.compile(pattern)}))
    return tuple(kinds)


def redact(
    text: str,
    *,
    patterns: Mapping[str, str] | None = None,
    regions: Sequence[str] = (),
    names: Iterable[str] = (),
) -> tuple[str, Counter[str]]:
    """Return a text with typed tokens for personal data, and how many of each kind were found.

    All kinds are looked for in the same text, and what overlaps becomes one token: no order of
    kinds plays a part. It is repeated between the tokens until nothing is found, so that redacting
    twice changes nothing.

    Parameters
    ----------
    text : str
    patterns : mapping of name to regular expression, optional
        The user's own; of two that are as long, theirs names the token.
    regions : sequence of str
        Countries whose local telephone numbers are recognised; international ones always are.
    names : iterable of str
        The writer's own names where the export states them.

    Returns
    -------
    (str, Counter)
        The text, and what was found by its kind (`KINDS`, and the names of own patterns). Names of
        other people are not recognised.

    Raises
    ------
    re.error
        When a pattern is no regular expression.

    Examples
    --------
    >>> redact("Call +33 6 12 34 56 78 or write to a.b@c.fr", regions=["FR"])[0]
    'Call [PHONE] or write to [EMAIL]'
    """
    own = patterns or {}
    kinds = [*_kinds(), *(_Kind(name, re.compile(own[name]), digits=0) for name in own)]
    kinds += [
        _Kind("name", re.compile(rf"(?i)\b{part}\b"), digits=0)
        for part in re.findall(r"[^\W\d_]{3,}", " ".join(names))
    ]
    counts = Counter[str]()
    token = rf"(\[(?:[A-Z]+{''.join('|' + re.escape(name.upper()) for name in own)})\])"
    for _ in range(_PASSES):
        parts = re.split(token, text)
        parts[::2] = [_replaced(part, kinds, regions, own, counts) for part in parts[::2]]
        if (redacted := "".join(parts)) == text:
            break
        text = redacted
    return text, counts


def without_tokens(text: str, mark: str = " ") -> str:
    """Return a redacted text without its tokens, shouting in lower case: what an encoder reads."""
    plain = " ".join(_TOKEN.sub(mark, text).split())
    return plain.lower() if plain.isupper() else plain


def _replaced(
    text: str,
    kinds: Iterable[_Kind],
    regions: Sequence[str],
    own: Container[str],
    counts: Counter[str],
) -> str:
    """Return a text with tokens, and count them: of the longest where some overlap."""
    digits, small = sum(map(str.isdigit, text)), text.lower()
    spans = [
        span
        for kind in kinds
        if digits >= kind.digits and any(map(small.__contains__, kind.words))
        for span in kind.spans(text)
    ]
    spans += _phones(text, regions)
    groups, end = list[list[_Span]](), 0
    for span in sorted(spans):
        if span.start >= end:
            groups.append([])
        groups[-1].append(span)
        end = max(end, span.end)
    parts, end = list[str](), 0
    for overlapping in groups:
        longest = max(overlapping, key=lambda span: (span.end - span.start, span.name in own, span))
        counts[longest.name] += 1
        parts += [text[end : overlapping[0].start], f"[{longest.name.upper()}]"]
        end = max(span.end for span in overlapping)
    return "".join([*parts, text[end:]])


def _phones(text: str, regions: Sequence[str]) -> Iterator[_Span]:
    """Yield the telephone numbers that are assigned, written as they are in their country."""
    if _PHONE_LIKE.search(text):
        import phonenumbers

        for region in (*regions, None):
            for match in phonenumbers.PhoneNumberMatcher(text, region, max_tries=_TRIES):
                before = text[match.start - 1 : match.start]
                if _PHONE.fullmatch(match.raw_string) and before not in {"-", "#"}:
                    yield _Span(match.start, match.end, "phone")
