"""Documents as their keys and what stands below each heading: Markdown, HTML, Word.

HTML and the XML of Word become Markdown first, so that there is one reader. Nothing in them is run,
no entity declared inside is expanded, and what is unpacked has a bound.
"""

from __future__ import annotations

import hashlib
import html
import io
import re
import zipfile
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from opslab import provenance
from opslab.documents import parse
from opslab.names import singular

READ = (".md", ".markdown", ".html", ".htm", ".docx")
"""Kinds of documents that are read."""
_LARGEST = 2_000_000  # bytes of a file, and of each part of a Word document
_LONGEST = 200  # letters of what stands at a key
_WORD = ("word/document.xml", "word/_rels/document.xml.rels")
_FENCE = r"(?ms)^ {0,3}(`{3,}|~{3,})[^\n]*\n.*?(?:^ {0,3}\1|\Z)"
_COMMENT = r"(?s)<!--.*?(?:-->|\Z)"
_HEADING = r"(?m)^ {0,3}(#{1,6})[ \t]+(\S.*)$"
_FRONT = r"(?ms)\A---[ \t]*\n(.*?)^---[ \t]*$"
_KEY = r"(?m)^\W{0,4}(\w[^:\n]{0,40}):[* \t]+(\S.*)$"
_LINK = r"https://(?!www\.atlassian\.com)\w[^\s)>\]]+|\b\w+/[\w-]+/\d{4}-\d\d-\d\d-[0-9a-f]{8}\b"
_MARKUP = (
    (_COMMENT, ""),
    (r"(?is)<(script|style|head)\b.*?(?:</\1\b|\Z)", ""),
    (r"\s+", " "),
    (r'(?i)<(?:h|w:pStyle w:val="(?:Heading|Titre) ?)1\b[^<>]*>', "\n# "),
    (r'(?i)<(?:h|w:pStyle w:val="(?:Heading|Titre) ?)2\b[^<>]*>', "\n## "),
    (r'(?i)<(?:h|w:pStyle w:val="(?:Heading|Titre) ?)[3-6]\b[^<>]*>', "\n### "),
    (
        r'(?i)<(?:a|Relationship(?=[^<>]{,300}hyperlink))\b[^<>]{,300}="(https:[^"]+)"[^<>]{,300}>',
        r" \1 ",
    ),
    (r"(?i)</?pre\b[^<>]*>", "\n```\n"),
    (
        r"(?:</[pdw][^<>]*> ?){,3}</(?:t[dh]|w:tc)> ?(?:</?(?:t[dh]|p|w:p|w:tc\w*)\b[^<>]*> ?){,5}",
        ": ",
    ),
    (r"(?i)</?(?:p|div|br|li|tr|h[1-6]|table|w:p|w:tr|w:br)\b[^<>]*>", "\n"),
    ("<[^<>]*>", ""),
)
"""What becomes what, in turn."""


class Page(NamedTuple):
    """What a document holds.

    Attributes
    ----------
    keys : dict of str to str
        Its front matter, or the ``Key: value`` lines below its title, by bare word.
    headings : list of str
        Those of level 2.
    sections : dict of str to set of str
        By bare heading, the lines below it that hold words; by an empty text, the links.
    """

    keys: dict[str, str]
    headings: list[str]
    sections: dict[str, set[str]]


@lru_cache(10_000)
def bare(heading: str) -> str:
    """Return a heading or key without number, marks, case and plural."""
    return singular(re.sub(r"^[\d.\s]+", "", heading))


def read_page(path: Path, name: str) -> Page:
    """Return what a document holds; what is wrong with it is raised as it comes."""
    content, ending = path.read_bytes(), path.suffix.lower()
    provenance.note(path, hashlib.sha256(content).hexdigest())
    if ending == ".docx":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            content = b"".join(archive.open(part).read(_LARGEST) for part in _WORD)
    if len(content) >= _LARGEST or ending not in READ:
        raise ValueError(name)
    source = content.decode("utf-8-sig").replace("\r\n", "\n")
    if not ending.startswith(".m"):
        for form, mark in _MARKUP:
            source = re.sub(form, mark, source)
        source = html.unescape(source)
    front = re.match(_FRONT, source)
    source = re.sub(_FENCE, "code\n", source[front.end() :] if front else source)
    source = re.sub(_COMMENT, "", source)
    before, *rest = re.split(_HEADING, source)
    written = re.findall(_KEY, before + "".join(rest[2:3]))
    if front:
        written = parse("\n" + front[1], name).values.items()
    cells = ((key, "" if value is None else str(value)) for key, value in written)
    keys = {bare(key): value[:_LONGEST].strip(" :") for key, value in cells}
    sections = {"": set(re.findall(_LINK, " ".join([source, *keys.values()])))}
    headings, after = [], [*rest[3::3], ""]
    for marks, heading, body, deeper in zip(rest[::3], rest[1::3], rest[2::3], after, strict=False):
        headings += [heading] * (marks == "##")
        lines = sections.setdefault(bare(heading), set())
        lines.update(line.strip() for line in body.split("\n") if re.search(r"\w", line))
        lines.update(deeper[len(marks) :])
    return Page(keys, headings, sections)
