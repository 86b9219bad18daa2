"""What a customer left in the runs of their messages, and how it is found again in any text.

Texts are compared word by word, without case and accents, the escapes of HTML, JSON and CSV undone.
What others wrote too, or what opslab itself says, is not the customer's.
"""

from __future__ import annotations

import csv
import html
import io
import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from urllib.parse import unquote

from opslab import workspace
from opslab.archive import RESULT, RUN

TABLE = "messages.csv"
"""In a run's folder: a row for each message, with the key of its customer."""
MARK = "[erased]"
_LEAST, _NUMBERED, _LONG = 4, 8, 24
"""Letters that tell who wrote them, with figures among them, and in runs of others' messages."""
_MOST = 8  # words in a row that are compared
_LONGEST_NAME = 300
_COLUMNS = ("message", "customer", "source", "id", "text")
_OF_THEMES = {"name", "group", "themes"}  # columns that may hold another customer's words
_ESCAPE = re.compile(
    r"&(?:#\d+|#[xX][\da-fA-F]+|[A-Za-z]\w*);|(?:%[\da-fA-F]{2})+|\\+(u[\da-fA-F]{4}|[nrt])"
)
# Where no blanks part words each letter is one; marks, soft hyphens and what fills up are in words.
_UNPARTED = "\u0e00-\u109f\u1780-\u17ff\u3040-\ua4cf\uf900-\ufaff\U00020000-\U0003ffff"
_FILLED = "[\0\xad\u0300-\u036f\u200b-\u200d]*"
# Bytes have no words, though letters in them may look like some.
_CUT = re.compile(r"…|[\0\s]*([\"”»<\\]|$)")
"""What stands behind a word of a quote that may have lost its end."""
_WORD = re.compile(
    rf"[A-Za-z0-9+/]{{200,}}|(?:[^\W_{_UNPARTED}]+{_FILLED})+|[{_UNPARTED}]{_FILLED}"
)
# What is too short to be told from others' words: quoted, and by whom is erased.
_QUOTED = re.compile(
    r"""(?<=["“«;])[^"“«;\n\\]{1,40}(?=(?:\\?["”»\s]|&#34;|&quot;)+\(\[erased\])"""
    r"""|(?<=>)[^<>]*(?=</p>\s*<p class=\\?"small"[^>]*>(?:[^<]*· )?\[erased\])"""
)
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')

Words = tuple[str, ...]
Contents = Callable[[str], Iterable[tuple[str, bytes]]]
"""Gives the files of a name by their path under the reports, those inside of zips too."""


class Book(dict[Words, bool]):
    """Words in a row, and those that they begin with: whether they are the customer's alone."""

    @cached_property
    def ends(self) -> Mapping[str, list[str]]:
        """Which words come after each."""
        ends = defaultdict[str, list[str]](list)
        for before, *after in filter(None, self):
            if len(after) == 1:
                ends[before] += after
        return ends


def words_of(text: str) -> Words:
    """Return the words of a text, without case and accents, escapes undone.

    Examples
    --------
    >>> words_of("Mon caf&eacute; n&#39;est%20pas LÀ")
    ('mon', 'cafe', 'n', 'est', 'pas', 'la')
    """
    return tuple(_plain(word[0]) for word in _words(text))


def _words(text: str) -> list[re.Match[str]]:
    """Return where words are; an escape is taken for its letter, and fills the same place."""
    return [*_WORD.finditer(_ESCAPE.sub(_unescaped, text))]


def _unescaped(escape: re.Match[str]) -> str:
    letter = html.unescape(unquote(escape[0]))
    if escape[1]:
        letter = f"\\{escape[1]}".encode().decode("unicode_escape")
    return letter.ljust(len(escape[0]), "\0")


@cache
def _plain(word: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKD", word.casefold()))


def _met(words: Words, book: Book) -> Iterator[tuple[int, Words]]:
    """Yield the words in a row that a book has, and the place of the first."""
    for at in range(len(words)):
        end = at + 1
        while end <= len(words) and words[at:end] in book:
            yield at, words[at:end]
            end += 1


def _book(phrases: Iterable[Words]) -> Book:
    whole = dict.fromkeys(phrases, True)
    begun = {phrase[:end]: False for phrase in whole for end in range(1, len(phrase))}
    return Book(begun | whole)


def without(text: str, book: Book, mark: str = MARK) -> str:
    """Return a text with a mark in place of what a book has as the customer's."""
    signs, parts, end = _words(text), list[str](), 0
    words = [_plain(sign[0]) for sign in signs]
    for at, sign in enumerate(signs):
        cut = at and words[at] and _CUT.match(sign.string, sign.end())
        if cut:
            ends = book.ends.get(words[at - 1], ())
            end_of = next((each for each in ends if each.startswith(words[at])), words[at])
            # without a sign that it is cut, it has to stand behind two words of theirs
            if cut[0] == "…" or (at > 1 and (*words[at - 2 : at], end_of) in book):
                words[at] = end_of
    for at, phrase in _met(tuple(words), book):
        if book[phrase]:
            start, stop = signs[at].start(), signs[at + len(phrase) - 1].end()
            if stop > end:
                parts += [text[end : max(start, end)], mark * (start >= end)]
                end = stop
    return _QUOTED.sub(mark, "".join([*parts, text[end:]])) if parts else text


@dataclass(frozen=True)
class Traces:
    """What is to be found.

    Attributes
    ----------
    keys, met, uids : set of str
        The customer's keys, those that runs have, and their messages' uids.
    phrases : set of str
        Parts of their texts that only they wrote.
    homes : set of str
        Where the runs of their messages are: ``notebook/name``.
    here, elsewhere : dict
        What is theirs in `homes`, and what is wherever it stands: what cannot be another's, and
        what bears their words in `homes`, such as the name of a theme, and is cited.
    """

    keys: set[str]
    met: set[str]
    uids: set[str]
    phrases: set[str]
    homes: set[str]
    here: Book
    elsewhere: Book


def is_in(homes: set[str], name: str) -> bool:
    """Whether a file, by its path, is in one of the folders of a notebook's runs."""
    return any(f"{home}/" in name for home in homes)


def records(contents: Contents) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the rows of tables of messages, with their file; none of what is only called alike."""
    for name, content in contents(TABLE):
        text = content.decode("utf-8-sig", "replace")
        for row in csv.DictReader(io.StringIO(text, newline="")):
            if {*_COLUMNS} <= row.keys():
                yield name, {column: str(value or "") for column, value in row.items()}


def learn(
    customer: str, keys: set[str], contents: Contents, parts: Callable[[set[str]], set[str]]
) -> Traces:
    """Learn from the runs what is a customer's alone.

    Parameters
    ----------
    customer : str
        As who erases names them.
    keys : set of str
    contents : callable
    parts : callable
        Returns the parts of texts that are known by themselves.
    """
    homes, ids, mine = set[str](), set[Words](), list[dict[str, str]]()
    for name, row in records(contents):
        homes.add("/".join(name.split("/")[-4:-2]))
        if row["customer"] in keys:
            mine.append(row)
            alone = words_of(row["id"])
            ids.add(words_of(row["source"]) + alone)
            if len("".join(alone)) > _LEAST and not row["id"].isdigit():
                ids.add(alone)
    met, uids, texts = ({row[name] for row in mine} for name in ("customer", "message", "text"))
    values = {row[column] for row in mine for column in row if column not in _OF_THEMES}
    phrases = {part: words_of(part) for part in parts(texts)}
    rows = [
        words[at : at + _MOST]
        for words in map(words_of, {customer, *values})
        for at in range(len(words))
    ]
    rows = [*phrases.values(), *(row[:end] for row in rows for end in range(1, _MOST + 1))]
    book = _book({*ids, *filter(_tells, rows)})
    for text in _of_others(contents, keys, homes):
        book |= dict.fromkeys((phrase for _, phrase in _met(words_of(text), book)), False)
    own = {phrase for phrase in book if book[phrase]}
    sure = {*map(words_of, {*keys, *uids}), *(ids | {words_of(customer)}) & own}
    here = _book(own | sure)
    names = {
        words_of(text)
        for file in (RESULT, RUN)
        for name, content in contents(file)
        if is_in(homes, name)
        for text in _TEXT.findall(content.decode("utf-8", "replace"))
        if _LEAST < len(text) <= _LONGEST_NAME and text != without(text, here)
    }
    long = {phrase for phrase in own if len("".join(phrase).encode()) >= _LONG}
    only = {part for part, words in phrases.items() if words in own}
    return Traces(keys, met, uids, only, homes, here, _book(sure | names | long))


def _tells(words: Words) -> bool:
    """Whether words are long enough to be somebody's."""
    letters = "".join(words)
    return len(letters) >= (_LEAST if letters.isalpha() else _NUMBERED) and not letters.isdigit()


def _of_others(contents: Contents, keys: set[str], homes: set[str]) -> Iterator[str]:
    """Yield what others wrote and declared, and what opslab says."""
    for _, row in records(contents):
        if row["customer"] not in keys:
            yield "\n".join(row[column] for column in row if column not in _OF_THEMES)
    for name, content in contents(RESULT):
        if is_in(homes, name):
            with suppress(ValueError, RecursionError):
                about = json.loads(content)
                yield json.dumps([about.get("plan"), about.get("inputs")])
    package = Path(__file__).parents[1]
    for path in (*package.rglob("*.*"), *workspace.bundled("notebooks").glob("*.ipynb")):
        if path.suffix in {".py", ".toml", ".j2", ".css", ".txt", ".yaml", ".typ", ".ipynb"}:
            yield path.read_text(encoding="utf-8")
