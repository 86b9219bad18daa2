"""What a customer left in the runs of their messages, and how it is found again in any text.

Texts are compared by their letters and digits alone (`plain`), so that the escapes of HTML, JSON
and CSV, case, accents, line breaks and shortened quotes make no difference. What others wrote too,
or what opslab itself says, is not the customer's.
"""

from __future__ import annotations

import csv
import html
import io
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from opslab import workspace
from opslab.archive import RESULT, RUN

TABLE = "messages.csv"
"""In a run's folder: a row for each message, with the key of its customer."""
SIZE, LONG = 8, 24
"""Letters in a row that make a text the customer's: in runs of their messages, and elsewhere."""
_LEAST = 4  # letters of a word or an id that tells who wrote it
_LONGEST_NAME = 300
_COLUMNS = ("message", "customer", "source", "id", "text")
_OF_THEMES = {"name", "group", "themes"}  # columns that may hold another customer's words
_ESCAPE = r"&(?:#\d+|#[xX][\da-fA-F]+|[A-Za-z]\w*);|(?:%[\da-fA-F]{2})+|\\u[\da-fA-F]{4}|\\[nrt]"
# What is too short to be told from others' words: quoted, and by whom is erased.
_QUOTED = re.compile(r"""(?<=["“«;])[^"“«;\n]{1,40}(?=(?:["”»\s]|&#34;|&quot;)+\(\[erased\])""")
_SIGN = re.compile(f"{_ESCAPE}|.", re.DOTALL)

Contents = Callable[[], Iterable[tuple[str, bytes]]]
"""Gives files by their path under the reports, those inside of zips too."""


def plain(text: str) -> str:
    """Return the letters and digits of a text, without case and accents, escapes undone.

    Examples
    --------
    >>> plain("Mon caf&eacute; n&#39;est%20pas LÀ")
    'moncafenestpasla'
    """
    spelt = re.sub(_ESCAPE, lambda escape: _unescaped(escape[0]), text).casefold()
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKD", spelt))


def _unescaped(escape: str) -> str:
    if escape[0] == "\\":
        return chr(int(f"0x{escape[2:]}", 0)) if escape[1] == "u" else " "
    return html.unescape(unquote(escape))


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
    needles, words : set of str
        What is theirs wherever it stands alone, and what is only in `homes`.
    names : set of str
        What bears their words in `homes`, such as the name of a theme, and is cited elsewhere.
    windows, own : set of str
        All of `SIZE` letters in a row in their texts, and those that only they wrote.
    """

    keys: set[str]
    met: set[str]
    uids: set[str]
    phrases: set[str]
    homes: set[str]
    needles: set[str]
    words: set[str]
    names: set[str]
    windows: set[str]
    own: set[str]

    def near(self, name: str) -> bool:
        """Whether a file, by its path, belongs to a run of the customer's messages."""
        return any(f"{home}/" in name for home in self.homes)

    def spans(self, letters: str, *, near: bool) -> Iterator[tuple[int, int, bool]]:
        """Yield where in a plain text something of the customer's stands.

        A span that is a word counts only where no letter is beside it.
        """
        for needle in (*self.needles, *(self.words if near else self.names)):
            at = letters.find(needle)
            while at >= 0:
                yield at, at + len(needle), True
                at = letters.find(needle, at + 1)
        run = list[int]()
        for at in (*(at for at, each in _windows(letters) if each in self.windows), len(letters)):
            if run and (at > run[-1] + SIZE or at == len(letters)):
                end = run[-1] + SIZE
                sure = any(letters[start : start + SIZE] in self.own for start in run)
                if sure and end - run[0] >= (SIZE if near else LONG):
                    yield run[0], end, False
                run = []
            run.append(at)

    def without(self, text: str, mark: str, *, near: bool) -> str:
        """Return a text with a mark in place of what is the customer's."""
        spans = [*self.spans(plain(text), near=near)]
        if not spans:
            return text
        places = [sign.span() for sign in _SIGN.finditer(text) for _ in range(len(plain(sign[0])))]
        parts, end = list[str](), 0
        for first, last, word in sorted(spans):
            start, stop = places[first][0], places[last - 1][1]
            beside = text[start - 1 : start] * bool(start) + text[stop : stop + 1]
            if not (word and any(map(str.isalnum, beside))) and stop > end:
                parts += [text[end : max(start, end)], mark * (start >= end)]
                end = stop
        return _QUOTED.sub(mark, "".join([*parts, text[end:]]))


def _windows(letters: str) -> Iterator[tuple[int, str]]:
    return ((at, letters[at : at + SIZE]) for at in range(len(letters) - SIZE + 1))


def records(content: bytes) -> Iterator[dict[str, str]]:
    """Yield the rows of a table of messages; none of another that is called alike."""
    text = content.decode("utf-8-sig", "replace")
    for row in csv.DictReader(io.StringIO(text, newline="")):
        if {*_COLUMNS} <= row.keys():
            yield {name: str(value or "") for name, value in row.items()}


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
    homes, ids, taken = set[str](), set[tuple[str, str]](), set[tuple[str, str]]()
    met, uids, texts, values = set[str](), set[str](), set[str](), {customer}
    for name, content in contents():
        for row in records(content) if name.endswith(f"/{TABLE}") else ():
            homes.add("/".join(name.split("/")[-4:-2]))
            identity = plain(row["source"]), plain(row["id"])
            if row["customer"] not in keys:
                taken.add(identity)
                continue
            ids.add(identity)
            met.add(row["customer"])
            uids.add(row["message"])
            texts.add(row["text"])
            values |= {value for column, value in row.items() if column not in _OF_THEMES}
    windows = {each for text in texts for _, each in _windows(plain(text))}
    phrases = {each: plain(each) for each in parts(texts)}
    words = {plain(each) for each in {*values, *re.findall(r"[^\W\d_]+", " ".join(texts))}}
    words = {each for each in {*words, *phrases.values()} if each.strip("0123456789")[_LEAST - 1 :]}
    own = set(windows)
    for letters in _of_others(contents, keys, homes):
        own.difference_update(each for _, each in _windows(letters))
        words = {each for each in words if each not in letters}
    others = {identity for _, identity in taken}
    needles = {*map(plain, {*keys, *uids}), *({plain(customer)} & words)}
    needles |= {source + identity for source, identity in ids - taken}
    alone = {each for _, each in ids - taken if len(each) > _LEAST and not each.isdigit()}
    needles |= alone - others
    said = {each for each, letters in phrases.items() if letters in words}
    traces = Traces(keys, met, uids, said, homes, needles, words, set(), windows, own)
    for name, content in contents():
        if traces.near(name) and name.endswith((f"/{RESULT}", f"/{RUN}")):
            traces.names.update(
                plain(text)
                for text in _strings(_json(content))
                if _LEAST < len(text) <= _LONGEST_NAME
                and text != traces.without(text, "", near=True)
            )
    return traces


def _of_others(contents: Contents, keys: set[str], homes: set[str]) -> Iterator[str]:
    """Yield what others wrote and declared, and what opslab says, as plain texts."""
    for name, content in contents():
        if name.endswith(f"/{TABLE}"):
            for row in records(content):
                if row["customer"] not in keys:
                    others = [row[column] for column in row if column not in _OF_THEMES]
                    yield plain(" ".join(others))
        elif name.endswith(f"/{RESULT}") and any(f"{home}/" in name for home in homes):
            about = _json(content)
            yield plain(" ".join(_strings([about.get("plan"), about.get("inputs")])))
    package = Path(__file__).parents[1]
    for path in (*package.rglob("*.*"), *workspace.bundled("notebooks").glob("*.ipynb")):
        if path.suffix in {".py", ".toml", ".j2", ".css", ".txt", ".yaml", ".typ", ".ipynb"}:
            yield plain(path.read_text(encoding="utf-8"))


def _json(content: bytes) -> Any:
    with suppress(ValueError, RecursionError):
        return json.loads(content)
    return {}


def _strings(value: Any) -> Iterator[str]:
    """Yield all texts of a JSON value, names of fields too."""
    match value:
        case str():
            yield value
        case list() | dict():
            for part in (*value, *(value.values() if isinstance(value, Mapping) else ())):
                yield from _strings(part)
