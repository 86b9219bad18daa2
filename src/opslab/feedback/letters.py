"""What a customer wrote, apart from what mail programs and ticket tools put around it."""

from __future__ import annotations

import html
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from zlib import crc32

from opslab.feedback.duplicates import normal
from opslab.feedback.naming import stop_words
from opslab.feedback.words import table

Cut = tuple[tuple[str, str], ...]
MOST_READ = 100_000
"""Characters of a mail, its markup among them, that are looked at."""

COMMON, FORM, FEWEST = 0.1, 0.3, 8
"""Share of the messages, and how many at least, whose common words are no accident."""

_HEAD = 80  # characters that show whether a mail is passed on
_MOST_NAMES = 200
_HASHES = 1 << 16
_WORDS, _RUN = 4, 5  # of a sentence that may be a template, of a run anywhere
_SENTENCE = re.compile(r"(?<=[.!?:;\u2026])\s+")
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    r"\ud800-\udfff]"
)


@dataclass(frozen=True, slots=True)
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
    cut: Cut = ()
    names: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The lines, joined by blanks."""
        return " ".join(self.lines)


def opened(text: str, common: Collection[str] = ()) -> Letter:
    r"""Return what a customer wrote in a mail, a ticket or a post, and what stood around it.

    A mail that is passed on stays below what is said above it. One of which nothing would be left
    keeps its greeting and closing.

    Parameters
    ----------
    text : str
        Plain or HTML; what only looks like a tag stays.
    common : collection of str
        Words of the source that name nobody, beside everyday ones: a line of them is no signature.

    Examples
    --------
    >>> letter = opened("Hi team,\n\nIt crashes.\n\nThanks,\nZoe Lindqvist\nSent from my iPad")
    >>> letter.text, letter.cut[0], letter.names
    ('It crashes.', ('device', 'Sent from my iPad'), ('Zoe', 'Lindqvist'))
    """
    everyday = {*common} or everyday_words()
    whole = _visible(text[:MOST_READ])
    if "\n" not in whole:
        return Letter((text if whole == text else whole,))
    own, outer = _without(whole, (), "quoted", "device", "ticket", "disclaimer")
    greeted, hello = _without(own, outer, "greeting")

    def marked(line: re.Match[str]) -> str:  # where two words are common: it says something
        known = sum(word.casefold() in everyday for word in _pattern("word").findall(line[0]))
        return "\x1f" * (known > 1) + line[0]

    bare, around = _without(re.sub("(?m)^.+", marked, greeted), hello, "closing")
    bare = bare.replace("\x1f", "")
    names = tuple(dict.fromkeys(_named(around)))[:_MOST_NAMES]
    older = "\n".join(part for kind, part in outer if kind == "quoted")
    passes_on = _pattern("forwarded").search(whole[: len(own) + _HEAD])
    if passes_on or not _worded(own):
        body, heads = _without(older, (), "head")
        if len(body) < len(whole) and _worded((inner := opened(body, everyday)).text):
            lines = (*filter(None, bare.split("\n")), *inner.lines)
            return Letter(lines, heads + inner.cut, names + inner.names)
    kept, cut = next(
        (step for step in ((bare, around), (greeted, hello), (own, outer)) if _worded(step[0])),
        (whole, ()),
    )
    return Letter(
        tuple(filter(None, kept.split("\n"))),
        tuple((kind, " ".join(part.split())) for kind, part in cut),
        names,
    )


@cache
def everyday_words() -> frozenset[str]:
    """Return words that name nobody."""
    return stop_words("en") | stop_words("fr")


def usual(texts: Sequence[str]) -> frozenset[str]:
    """Return everyday words, and those in lower case twice, and once in a hundred texts."""
    counts, find = Counter[str](), _pattern("used").findall
    for text in texts:
        counts.update(find(text))
    least = max(2, len(texts) / 100)
    return everyday_words().union(word for word in counts if counts[word] >= least)


def without_repeated(letters: Sequence[Letter], senders: Sequence[str | None]) -> list[Letter]:
    """Return letters without the sentences that many of them share and that stand beside others.

    A sentence of four words or more, names and digits apart, goes where `FEWEST` senders have it
    and, beside words that all differ, `FORM` of the messages do. What many say in a message of
    its own, or in copies, stays, and so does a message of which nothing would be left.

    Parameters
    ----------
    letters : sequence of Letter
        Of one source.
    senders : sequence of str or None
        A key that tells customers apart; a message of nobody known is one of its own.
    """
    counts = Counter(bucket for letter in letters for bucket in {*map(_bucket, _sentences(letter))})
    least = FORM * len(letters)
    if max(counts.values(), default=0) < least:
        return [*letters]
    beside = defaultdict[str, dict[frozenset[str], str | int]](dict)
    for at, (sender, letter) in enumerate(zip(senders, letters, strict=True)):
        parts = _sentences(letter)
        for key in parts:
            if counts[_bucket(key)] >= least:
                beside[key].setdefault(frozenset(parts) - {key}, sender or at)
    common = {
        key
        for key, others in beside.items()
        if len(others) >= least
        and len(set(others.values())) >= FEWEST
        and len(key.split()) >= _WORDS
    }
    cleaned = list(letters)
    for at, letter in enumerate(letters):
        parts = _sentences(letter) if common else {}
        kept = tuple(part for key, part in parts.items() if key not in common)
        if len(kept) < len(parts) and _worded(" ".join(kept)):
            cut = (("repeated", part) for key, part in parts.items() if key in common)
            cleaned[at] = replace(letter, lines=kept, cut=(*letter.cut, *cut))
    return cleaned


def _bucket(key: str) -> int:
    """Return by what sentences are counted, so that a million letters need no room for theirs."""
    return crc32(key.encode("utf-8", "replace")) % _HASHES


def _sentences(letter: Letter) -> dict[str, str]:
    """Return the sentences of a letter by what two of one template share."""
    names = re.compile(rf"\b(?:{'|'.join(letter.names)})\b")
    return {
        normal(names.sub("", part)): part for line in letter.lines for part in _SENTENCE.split(line)
    }


def furniture(texts: Sequence[str]) -> float:
    """Return the share of texts that still carry what mail puts around them.

    That is five words in a row, digits apart, which `COMMON` of all different texts share (and
    `FEWEST`). In labelled sets of plain feedback it is 0; in mails as they come in, nearly 1.

    Examples
    --------
    >>> furniture([f"Subject {n} is odd. Sent from my phone" for n in "abcdefgh"])
    1.0
    """
    runs = [
        frozenset(zip(*(words[at:] for at in range(_RUN)), strict=False))
        for words in (normal(text).split() for text in texts)
    ]
    counts = Counter(run for own in set(runs) for run in own)
    least = max(FEWEST, COMMON * len(runs))
    return sum(any(counts[run] >= least for run in own) for own in runs) / max(len(runs), 1)


def _visible(text: str) -> str:
    """Return the lines of a text without markup, those of quotations with ``>`` before them."""
    text = _INVISIBLE.sub(" ", text)
    if _pattern("laid out").search(text):
        text, _ = _without(" ".join(text.split()), (), "page")
    text, _ = _without(text, (), "tags")
    depth, lines = 0, []
    for line in html.unescape(text).splitlines():
        inside = depth or "\x0e" in line
        depth += line.count("\x0e") - line.count("\x0f")
        bare = _INVISIBLE.sub(" ", line)
        lines.append(" ".join(f"> {bare}".split() if inside else bare.split()))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


@cache
def _rules() -> list[tuple[re.Pattern[str], dict[str, str]]]:
    """Return what lines of each kind look like, and the rest of what letters.toml says of them."""
    return [
        (
            re.compile(
                f"{rule.get('start', '^[*_|]*+')}(?:{'|'.join(rule['lines'])})"
                f"{rule.get('then', '[*_| ]*+$')}".replace("'", "['\u2019]"),
                re.IGNORECASE | re.MULTILINE,
            ),
            rule,
        )
        for rule in table("letters.toml")["rule"]
    ]


def _pattern(kind: str) -> re.Pattern[str]:
    return next(pattern for pattern, rule in _rules() if rule["kind"] == kind)


def _without(text: str, cut: Cut, *kinds: str) -> tuple[str, Cut]:
    """Return a text without what the rules of these kinds fit, and what was cut before and now."""
    for pattern, rule in _rules():
        if rule["kind"] in kinds and (cut or "late" not in rule):
            parts = (match[0] for match in pattern.finditer(text))
            cut += tuple((rule["kind"], part) for part in parts if _worded(part))
            text = pattern.sub(rule.get("becomes", ""), text)
    return text, cut


def _worded(text: str) -> bool:
    return any(map(str.isalnum, text))


def _named(cut: Cut) -> Iterator[str]:
    """Yield the words that may name people: capitalised, and no common words."""
    for kind, part in cut:
        for match in _pattern("people").finditer(f"{kind}:{part}"):
            people, _ = _without(match[match.lastindex or 0], (), "no name")
            yield from re.findall(r"\b[^\Wa-z\u00df-\u00ff\d_][\w'\u2019-]+", people)
