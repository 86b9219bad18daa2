"""Templates as the standard: what each asks for, in either language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from opslab.errors import SpecError
from opslab.messages import LANGUAGES, Bilingual
from opslab.operations.standards.pages import Page, bare, read_page
from opslab.report.voice import Voice


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
