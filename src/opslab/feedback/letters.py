"""What a customer wrote, apart from what mail programs and ticket tools put around it."""

from __future__ import annotations

import html
import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import Any

from opslab.feedback.duplicates import normal
from opslab.feedback.naming import stop_words

KINDS = ("quoted", "greeting", "closing", "disclaimer", "device", "ticket", "repeated")
MOST_READ = 100_000
"""Characters of a mail, its markup among them, that are looked at."""

COMMON, FEWEST = 0.02, 8
"""Share of all senders, and how many at least, whose messages share words that are no accident."""

_WORDS, _RUN = 4, 8  # of a template or an end, of a run anywhere
_OWN, _OWN_SHARE = 5, 0.5  # messages of one sender, and share of them
_MOST = 20_000  # texts that are compared
_SENTENCE = re.compile(r"(?<=[.!?:;\u2026])\s+")
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    r"\ud800-\udfff]"
)
_HTML = re.compile(r"</\w|<(?:br|p)\b", re.IGNORECASE)
_LAID_OUT = re.compile(r"<(?:br|div|html|p|t[dr])\b", re.IGNORECASE)


@dataclass(frozen=True)
class Letter:
    """A message without what stands around it.

    Attributes
    ----------
    lines : tuple of str
        What the customer wrote.
    cut : tuple of (kind, text)
        What was cut, by kind in the order of the rules.
    names : tuple of str
        Words that stand where people sign, are greeted, or in the head of an older mail.
    """

    lines: tuple[str, ...]
    cut: tuple[tuple[str, str], ...] = ()
    names: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The lines, joined by blanks."""
        return " ".join(self.lines)


def opened(text: str) -> Letter:
    r"""Return what a customer wrote in a mail, a ticket or a post, and what stood around it.

    A mail of which nothing would be left keeps what it passes on, or else its greeting and closing.

    Parameters
    ----------
    text : str
        Plain or HTML; what only looks like a tag stays.

    Examples
    --------
    >>> letter = opened("Hi team,\n\nIt crashes.\n\nThanks,\nZoe Lindqvist\nSent from my iPad")
    >>> letter.text, letter.cut[0], letter.names
    ('It crashes.', ('device', 'Sent from my iPad'), ('Zoe', 'Lindqvist'))
    """
    whole = _visible(text[:MOST_READ])
    if "\n" not in whole:
        return Letter((whole,))
    own, outer = _without(whole, "quoted", "device", "ticket", "disclaimer")
    bare, around = _without(own, "greeting", "closing")
    older = "\n".join(part for kind, part in outer if kind == "quoted")
    inner, inside = _without(_rule("head").sub("", older), *KINDS)
    passed = inner, [*(pair for pair in outer if pair[0] != "quoted"), *around, *inside]
    choices = [(bare, outer + around), (own, outer), passed, (whole, [])]
    if _rule("forwarded").search(older) or _rule("forwarded").match(whole):
        choices.insert(1, passed)
    kept, cut = next(choice for choice in choices if _worded(choice[0]) or choice[0] is whole)
    return Letter(
        tuple(line for line in kept.split("\n") if line),
        tuple((kind, " ".join(part.split())) for kind, part in cut),
        tuple(dict.fromkeys(_named([*outer, *around]))),
    )


def without_repeated(letters: Sequence[Letter], senders: Sequence[str | None]) -> list[Letter]:
    """Return letters without the sentences that many senders share and that stand beside others.

    A sentence of four words or more, names and digits apart, goes where at least `COMMON` of all
    senders, and `FEWEST`, have it beside words that all differ; what many say in a message of its
    own, or in copies, stays, and so does a message that would be empty.

    Parameters
    ----------
    letters : sequence of Letter
    senders : sequence of str or None
        A key that tells customers apart; a message of nobody known is one of its own.
    """
    who = [sender or f"message {at}" for at, sender in enumerate(senders)]
    split = [[part for line in each.lines for part in _SENTENCE.split(line)] for each in letters]
    keys = [
        [normal(re.sub("|".join(map(re.escape, letter.names)) or "$^", "", part)) for part in parts]
        for letter, parts in zip(letters, split, strict=True)
    ]
    beside = defaultdict[str, dict[str, str]](dict)
    for sender, own in zip(who, keys, strict=True):
        for key in own:
            others = " ".join(other for other in own if other != key)
            if others and len(key.split()) >= _WORDS:
                beside[key].setdefault(others, sender)
    least = max(FEWEST, COMMON * len(set(who)))
    common = {key for key, others in beside.items() if len(set(others.values())) >= least}
    return [
        _without_parts(letter, parts, [key in common for key in own])
        for letter, parts, own in zip(letters, split, keys, strict=True)
    ]


def _without_parts(letter: Letter, parts: Sequence[str], goes: Sequence[bool]) -> Letter:
    kept = tuple(part for part, gone in zip(parts, goes, strict=True) if not gone)
    if not any(goes) or not _worded(" ".join(kept)):
        return letter
    cut = (("repeated", part) for part, gone in zip(parts, goes, strict=True) if gone)
    return replace(letter, lines=kept, cut=(*letter.cut, *cut))


def furniture(texts: Sequence[str], senders: Sequence[str | None]) -> float:
    """Return the share of texts that still carry words which follow the sender, not the matter.

    These are eight words in a row, or the last four, that at least `COMMON` of all different texts
    share (and `FEWEST`), or half of those of one sender who wrote five or more. In labelled sets of
    plain feedback it is 0 to 1 %; in mails as they come in, nearly all.

    Parameters
    ----------
    texts : sequence of str
        As the themes see them.
    senders : sequence of str or None
        Keys of customers, or the names that sign.

    Examples
    --------
    >>> furniture([f"Subject {n} is odd. Sent from my phone" for n in "abcdefgh"], [None] * 8)
    1.0
    """
    wordings = [normal(text) for text in texts]
    first = dict(islice(zip(wordings, senders, strict=True), _MOST))
    sizes, counts = Counter[str](), Counter[tuple[str, str]]()
    for wording, sender in first.items():
        for scope in {"", sender or ""}:
            sizes[scope] += 1
            counts.update((scope, phrase) for phrase in _phrases(wording))
    least = {scope: max(_OWN, _OWN_SHARE * size) for scope, size in sizes.items()}
    least[""] = max(FEWEST, COMMON * len(first))
    common = {phrase for phrase, count in counts.items() if count >= least[phrase[0]]}
    carry = [
        any((scope, phrase) in common for phrase in _phrases(wording) for scope in ("", sender))
        for wording, sender in zip(wordings, senders, strict=True)
    ]
    return sum(carry) / len(carry) if carry else 0.0


def _phrases(wording: str) -> set[str]:
    words = wording.split()
    runs = (words[at : at + _RUN] for at in range(len(words) - _RUN + 1))
    ends = [["*", *words[-_WORDS:]]] if len(words) > _WORDS else []
    return {" ".join(run) for run in (*runs, *ends)}


def _visible(text: str) -> str:
    """Return the lines of a text without markup, those of quotations with ``>`` before them."""
    text = _INVISIBLE.sub(" ", text)
    is_html = _HTML.search(text)
    if is_html and _LAID_OUT.search(text):
        text = " ".join(text.split())
    for pattern, instead, only_html in _markup() if "<" in text else ():
        text = pattern.sub(instead, text) if is_html or not only_html else text
    depth, lines = 0, []
    for line in html.unescape(text).splitlines():
        inside = depth or "\x0e" in line
        depth += line.count("\x0e") - line.count("\x0f")
        lines.append(" ".join([*[">"][: bool(inside)], *_INVISIBLE.sub(" ", line).split()]))
    return "\n".join(lines).strip()


def _without(text: str, *kinds: str) -> tuple[str, list[tuple[str, str]]]:
    """Return a text without what the rules of these kinds fit, and what they did."""
    cut: list[tuple[str, str]] = []
    for kind, pattern, late in _rules():
        if kind in kinds and (cut or not late):
            cut += [(kind, match[0]) for match in pattern.finditer(text) if match[0].strip()]
            text = pattern.sub("", text)
    return text, cut


@cache
def _words() -> dict[str, Any]:
    path = files("opslab.feedback").joinpath("words", "letters.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


@cache
def _markup() -> list[tuple[re.Pattern[str], str, bool]]:
    """Return what markup is, what stands for it, and whether it is one of HTML."""
    return [
        (re.compile(each["pattern"], re.IGNORECASE | re.DOTALL), each["becomes"], "html" in each)
        for each in _words()["markup"]
    ]


@cache
def _rules() -> list[tuple[str, re.Pattern[str], bool]]:
    """Return of each rule its kind, its pattern, and whether it needs others to have fitted."""
    return [
        (
            rule["kind"],
            re.compile(
                f"(?:{rule.get('start', '^[*_|]*')})(?:{'|'.join(rule['lines'])})"
                f"{rule.get('then', '[*_| ]*$')}",
                re.IGNORECASE | re.MULTILINE,
            ),
            "late" in rule,
        )
        for rule in _words()["rule"]
    ]


@cache
def _rule(name: str) -> re.Pattern[str]:
    return re.compile(_words()["names"][name], re.IGNORECASE | re.MULTILINE)


@cache
def _no_names() -> frozenset[str]:
    return stop_words("en") | stop_words("fr") | set(_words()["names"]["common"].split())


def _worded(text: str) -> bool:
    return any(map(str.isalnum, text))


def _named(cut: list[tuple[str, str]]) -> Iterator[str]:
    """Yield the words that may name people: capitalised, and no common words."""
    for kind, part in cut:
        places = _rule(kind).finditer(part) if kind in ("quoted", "greeting", "closing") else ()
        for people in filter(None, (_people(match[match.lastindex or 0]) for match in places)):
            yield from people
            if kind == "closing":
                break  # titles, companies and addresses follow


def _people(place: str) -> list[str]:
    names = re.findall(r"[^\W\d_][\w'\u2019-]*", re.sub(r"<[^>]*>?|\S*@\S*", " ", place))
    if any(name.casefold() in _words()["names"]["roles"].split() for name in names):
        return []
    return [name for name in names if name[0].isupper() and name.casefold() not in _no_names()]
