"""Templates as the standard: what each asks for, in either language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from opslab.errors import SpecError
from opslab.messages import Bilingual
from opslab.operations.standards.pages import Page, bare, read_page


class Template(NamedTuple):
    """What a template asks for.

    Attributes
    ----------
    name : Bilingual
    sections : list of Bilingual
        Its headings of level 2; those of both languages stand in the same order.
    keys : list of str
        Of its front matter, by their English names; the first three name a document.
    lines : set of str
        What it says itself: in a document that is no content.
    """

    name: Bilingual
    sections: list[Bilingual]
    keys: list[str]
    lines: set[str]

    def within(self, page: Page) -> list[list[set[str]]]:
        """Return what stands below each section in a document, wherever it has it."""
        either = ({bare(name), bare(name.spoken("fr"))} for name in self.sections)
        return [[page.sections[name] for name in both & {*page.sections}] for both in either]


def read_templates(folders: Iterable[Path]) -> tuple[dict[str, Template], dict[str, str]]:
    """Return the templates by name, those of later folders first, and the English of their keys.

    Raises
    ------
    SpecError
        Where a template has no section, or its two languages not as many sections and keys.
    """
    known: dict[str, Template] = {}
    english: dict[str, str] = {}
    for folder in folders:
        files: dict[str, list[Page]] = {}
        for path in sorted(folder.glob("*.md")):
            files.setdefault(path.name.partition(".")[0], []).append(read_page(path, path.name))
        for name, pages in files.items():
            heads = [[text for marks, text in page.headings if marks == "##"] for page in pages]
            sizes = {(len(page.keys), len(head)) for page, head in zip(pages, heads, strict=True)}
            if len(sizes) > 1 or not heads[0] or not pages[0].keys:
                raise SpecError.of("standards.unlike", file=name)
            english = dict(zip(pages[-1].keys, pages[0].keys, strict=True)) | english
            known[name] = Template(
                _spoken([next(iter(page.keys.values())) or name for page in pages]),
                [_spoken(texts) for texts in zip(*heads, strict=True)],
                [english.get(key, key) for key in pages[0].keys],
                set().union(*(lines for page in pages for lines in page.sections.values())),
            )
    return known, english


def _spoken(texts: Sequence[str]) -> Bilingual:
    return Bilingual(texts[0], french=texts[-1])
