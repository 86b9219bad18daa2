"""Documents as their keys and what stands below each heading, and the templates among them.

They are Markdown, HTML or Word. HTML and the XML of Word become Markdown first, so that there is
one reader. Nothing in them is run, no entity declared inside is expanded, and what is unpacked has
a bound.
"""

from __future__ import annotations

import hashlib
import html
import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from opslab import provenance
from opslab.documents import parse
from opslab.errors import SpecError
from opslab.messages import LANGUAGES, Bilingual
from opslab.names import folded, named, singular
from opslab.report.voice import Voice

READ = (".md", ".markdown", ".html", ".htm", ".docx")
"""Kinds of documents that are read."""
_LARGEST = 2_000_000  # bytes of a file, and of each part of a Word document
_LONGEST = 200  # letters of what stands at a key
_WORD = ("word/document.xml", "word/_rels/document.xml.rels")
_EXPORTED = r"[ _](?:[0-9a-f]{32}|\d{5,})(?=\.\w+$|$)"  # what Notion and Confluence add to a name
_FENCE = r"(?ms)^ {0,3}(`{3,}|~{3,})[^\n]*\n(.*?)(?:^ {0,3}\1|\Z)"
_COMMENT = r"(?s)<!--.*?(?:-->|\Z)"
_HEADING = r"(?m)^ {0,3}(#{1,6})[ \t]+(\S.*)$"
_FRONT = r"(?ms)\A---[ \t]*\n(.*?)^---[ \t]*$"
_KEY = r"(?m)^\W{0,4}(\w[^:\n]{0,40}):[* \t]+(\S.*)$"
_TYPED = (  # in front matter, a text that YAML does not read as one: > 50 %, [Ada](…), one: two
    r"(?m)^(\w[^:\n]*:[^\S\n]+)(>.*\w.*|\*.*[ *].*|\[[^]\n]*\]\(.*|[@`%].*"
    r"|[^\s\"'[\]{}>|&!#](?:(?! #).)*?:(?:[^\S\n].*)?)$"
)
_LINK = (
    r"https://(?!www\.atlassian\.com)\w[^\s)>\]`]*[^\s)>\]`.,;:!?]"
    r"|\b\w+/[\w-]+/\d{4}-\d\d-\d\d-[0-9a-f]{8}\b"
)
_RELATION = r'<Relationship\b[^<>]*?\bId="(\w+)"[^<>]*>'
_ANSWER = r"no(?:ne|thing)?|non|aucune?|neant|rien"  # to an open question
_GONE = (
    r"(?is)<(script|style|head|nav|del|s|strike|w:del|w:moveFrom)\b(?:[^<>]*[^<>/])?>"
    r".*?(?:</\1\b[^<>]*>|\Z)"
)
_PLAIN = (
    (_GONE, ""),
    (
        r"(?m)(?<!~)~~[^~]+~~|\{\{[^{}\n]*\}\}|^(?=.*\|).*\n(?=[ \t]*\|?[ \t]*:?--[-|: \t]*$)",
        "",
    ),
    (r"\[!\[[^][\n]*\]\([^()\n]*\)\]\([^()\n]*\)", ""),
    (r"!\[([^][\n]*)\]\([^()\n]*\)", r"\1"),
    (r"<(?!https:)[^<>]*>", " "),
    (
        (
            r"(?im)(?:(?<=[.!?|])|^)[^\w\n|#]{,9}(?:\d{1,3}[.)] )?(?:tb[acd]|todo|to be (?:defined|"
            r"determined|confirmed|completed|decided|written)|[àa] (?:d[ée](?:fin|termin|cid)[ei]r|"
            r"confirmer|compl[ée]ter|pr[ée]ciser|r[ée]diger))\b(?:[^\w\n.!?|:]{1,3}\w+){,6}"
            r"[^\w\n.!?|:]{,9}(?=[.!?|\n]|\Z)"
        ),
        "",
    ),
)
"""What is no text of Markdown: what was struck out, heads of tables, pictures, tags, stopgaps."""
_MARKUP = (
    (r"(?s)<w:r\b[^<>]*> ?<w:rPr>(?:(?!</w:rPr>).){,500}<w:d?strike ?/>.*?(?:</w:r>|\Z)", ""),
    (
        r"(?i)<a\b[^<>]*>(?=[^<>]*(?:<(?!/?(?:head|foot)er\b)[^<>]*>[^<>]*){,99}</(head|foot)er\b)",
        "",
    ),
    (r"(?i)<a\b[^<>]*>\s*<img\b[^<>]*>\s*</a>", ""),
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
    pieces : list of (str, str, set of str)
        Of each heading its marks (`##`), its words, and the parts below it that say something.
    links : set of str
    said : set of str
        All parts and links, those in comments too.
    """

    keys: dict[str, str]
    pieces: list[tuple[str, str, set[str]]]
    links: set[str]
    said: set[str]


@lru_cache(10_000)
def bare(heading: str) -> str:
    """Return a heading or key without number, marks, case and plural."""
    return singular(re.sub(r"^[\d.\s]+", "", heading))


def shown(path: str) -> str:
    """Return a path without what Notion and Confluence add to a page's name."""
    return re.sub(_EXPORTED, "", path)


def parts_of(text: str) -> set[str]:
    """Return the sentences and cells of a text that say something, folded: no stopgap."""
    parts = re.split(r"[|\n]|(?<=[.:?!])\s", text)
    words = {part: folded(part) for part in parts if re.search(r"\w", part)}
    return {said for part, said in words.items() if named(part) or re.fullmatch(_ANSWER, said)}


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
        source = re.sub(_GONE, "", re.sub(_COMMENT, "", source))
        used = {*re.findall(r'\br:id="(\w+)"', source)}
        source = re.sub(_RELATION, lambda tag: tag[0] * (tag[1] in used), source)
        for form, mark in _MARKUP:
            source = re.sub(form, mark, source)
    front = re.match(_FRONT, source)
    source = source[front.end() :] if front else source
    source = re.sub(_FENCE, lambda fence: "code\n" * named(fence[2]), source)
    said = parts_of(source) | {*re.findall(_LINK, source)}
    source = re.sub(_COMMENT, "", source)
    for form, plain in _PLAIN:
        source = re.sub(form, plain, source)
    source = html.unescape(source)
    before, *rest = re.split(_HEADING, source)
    written = re.findall(_KEY, before + "".join(rest[2:3]))
    if front:
        typed = re.sub(
            _TYPED, lambda line: line[1] + line[2].replace("'", "''").join("''"), front[1]
        )
        written = parse("\n" + typed, name).values.items()
    cells = ((key, "" if value is None else str(value)) for key, value in written)
    keys = {bare(key): value[:_LONGEST].strip(" :") for key, value in cells}
    pieces = [
        (marks, heading, parts_of(body))
        for marks, heading, body in zip(rest[::3], rest[1::3], rest[2::3], strict=True)
    ]
    links = {*re.findall(_LINK, " ".join([source, *keys.values()]))}
    return Page(keys, pieces, links, said)


class Template(NamedTuple):
    """What a template asks for.

    Attributes
    ----------
    name : Bilingual
    sections : list of Bilingual
        Its headings of level 2.
    keys : list of str
        Of its front matter, in English.
    lines : set of str
        What it says itself: in a document that is no content.
    """

    name: Bilingual
    sections: list[Bilingual]
    keys: list[str]
    lines: set[str]

    def within(self, page: Page) -> list[set[str] | None]:
        """Return what stands below each section in a document; None where it has none such."""
        words = [(bare(name), bare(name.spoken("fr"))) for name in self.sections]
        places = {word: number for number, either in enumerate(words) for word in either}
        below: dict[int | None, set[str]] = {}
        current, depth = None, ""
        for level, heading, parts in page.pieces:
            if (word := bare(heading)) in places or level <= depth:
                current, depth = places.get(word), level
            below.setdefault(current, set()).update(parts)
        return [below.get(number) for number in range(len(words))]

    def likeness(self, page: Page) -> float:
        """Return the share of its sections that a document has."""
        there = [below is not None for below in self.within(page)]
        return sum(there) / (len(there) or 1)


def read_templates(folders: Iterable[Path]) -> tuple[dict[str, Template], dict[str, str]]:
    """Return the templates by what a document may name them, and the English of all keys.

    Raises
    ------
    SpecError
        Where the two languages of a template have not as many sections or keys.
    """
    known: dict[str, Template] = {}
    english: dict[str, str] = {}
    for folder in folders:
        files: dict[str, list[Page]] = {}
        for path in sorted(folder.glob("*.md")):
            files.setdefault(path.name.partition(".")[0], []).append(read_page(path, path.name))
        for stem, pages in files.items():
            try:
                sections = _matched(
                    [[name for level, name, _ in page.pieces if level == "##"] for page in pages]
                )
                for page in pages:
                    english = dict(zip(page.keys, pages[0].keys, strict=True)) | english
            except ValueError:
                raise SpecError.of("standards.unlike", file=stem) from None
            (name,) = _matched([[next(iter(page.keys.values()), "") or stem] for page in pages])
            keys = [english[key] for key in pages[0].keys]
            lines = set().union(*(page.said for page in pages))
            known[stem] = Template(name, sections, keys, lines)
    words = [(stem, template.name, template.name.spoken("fr")) for stem, template in known.items()]
    return {bare(word): known[names[0]] for names in words for word in names}, english


def said(key: str, **values: Any) -> Bilingual:
    """Return a message in both languages."""
    english, french = (Voice(language, "standards")(key, **values) for language in LANGUAGES)
    return Bilingual(english, french=french)


def _matched(parts: Sequence[Iterable[str]]) -> list[Bilingual]:
    """Return the texts of one language or two, by position."""
    return [Bilingual(texts[0], french=texts[-1]) for texts in zip(*parts, strict=True)]
