"""Templates as the standard: what each asks for, in either language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from opslab.errors import SpecError
from opslab.messages import Bilingual
from opslab.operations.standards.pages import Page, bare, read_page

Held = TypeVar("Held")


class Template(NamedTuple):
    """What a template asks for.

    Attributes
    ----------
    names : set of str
        By which a document may name it, bare.
    sections, keys : list of Bilingual
        Its headings of level 2, and the keys of its front matter, as they stand in its two files.
    lines : set of str
        What it says itself: in a document that is no content.
    """

    name: Bilingual
    names: set[str]
    sections: list[Bilingual]
    keys: list[Bilingual]
    lines: set[str]


def held(name: Bilingual, here: Mapping[str, Held]) -> list[Held]:
    """Return what a document holds under a name in either language."""
    return [here[word] for word in {bare(name), bare(name.spoken("fr"))} if word in here]


def read_templates(folders: Iterable[Path]) -> list[Template]:
    """Return the templates; those of a later folder replace others of their name.

    Raises
    ------
    SpecError
        Where the two languages of a template have not as many sections or keys.
    """
    known: dict[str, Template] = {}
    for folder in folders:
        files: dict[str, list[Page]] = {}
        for path in sorted(folder.glob("*.md")):
            files.setdefault(path.name.partition(".")[0], []).append(read_page(path, path.name))
        for stem, pages in files.items():
            heads = [[text for marks, text in page.headings if marks == "##"] for page in pages]
            try:
                sections, keys = _matched(heads), _matched([page.keys for page in pages])
            except ValueError:
                raise SpecError.of("standards.unlike", file=stem) from None
            (name,) = _matched([[page.keys.get("template") or stem] for page in pages])
            lines = set().union(*(lines for page in pages for lines in page.sections.values()))
            names = {bare(word) for word in (stem, name, name.spoken("fr"))}
            known[stem] = Template(name, names, sections, keys, lines)
    return [*known.values()]


def _matched(parts: Sequence[Iterable[str]]) -> list[Bilingual]:
    """Return the texts of one language or two, by position."""
    return [Bilingual(texts[0], french=texts[-1]) for texts in zip(*parts, strict=True)]
