"""What an executed notebook brings to a page: cleaned, bounded, and the picture it says it is.

Cells and outputs may come from anywhere. For what has no place on a page the filters of its
template return None, and the template says so.
"""

from __future__ import annotations

import base64
import io
import re
import tomllib
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache, wraps
from html import escape, unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote
from xml.parsers import expat

from PIL import Image

from opslab.report.styles import template
from opslab.startup import without_iri_grammar
from opslab.workspace import slug

with without_iri_grammar():
    from mistune.plugins import import_plugin
    from nbconvert.filters.ansi import strip_ansi
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
    from nbconvert.preprocessors.sanitize import SanitizeHTML

_MOST_PART, _MOST_HTML = 2_000_000, 500_000
"""Letters of what an output brings, and of its HTML, which takes long to clean."""
_LONGEST_NAME = 200
_MOST_PIXELS = 16_000_000
_MOST_OPEN = 500  # elements that do not end: to clean them takes the square of how deep they stand
_DRAWING = re.compile(r"(?:\s*<[?!][^>]*>)*\s*<svg\b")
_ACTIVE = re.compile(
    r"<!ENTITY|<(?:\w+:)?(?:script|foreignObject|iframe|animate|set\b)|<[^>]*\son\w+\s*="
    r"|@import|url\(\s*[\"']?(?!#)|href\s*=\s*[\"'](?!#|data:image/(?:png|jpeg);)"
    r"|(?:<[^/!?>][^>]*(?<!/)>\s*){500}",
    re.IGNORECASE,
)
"""What in a drawing runs, moves, stands elsewhere or too deep: in a picture no browser heeds it."""

_Filter = Callable[..., str | None]


def _or_none(clean: Callable[..., str]) -> _Filter:
    """Return a filter that gives None for what is too large or not what it says it is."""

    @wraps(clean)
    def cleaned(content: Any, *more: Any) -> str | None:
        # Readers of pictures and of Markdown have no class of errors in common.
        with suppress(Exception):
            if len(content) <= _MOST_PART:
                return clean(content, *more)
        return None

    return cleaned


def printed(content: str) -> str:
    """Return what a terminal shows of a text in the end: of a progress bar its last state."""
    lines = strip_ansi(content).split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)


@_or_none
def html(content: str, style: Any = 0) -> str:
    """Return HTML in which nothing runs or asks, without the style for its cell that it brought.

    The length of that style may be forged: it is cut off first, and what is left is cleaned. What
    is not ours is then brought into the form of a page: its tables' heads, its headings.
    """
    ours = isinstance(style, int) and style > 0
    if ours:
        content = content[style:]
    if len(content) > _MOST_HTML or content.count("<") - 2 * content.count("</") > _MOST_OPEN:
        raise ValueError(len(content))
    *closed, rest = re.split(r"(?i)</(?:style|script)\s*>", content)
    kept = [re.split(r"(?i)<(?:style|script)\b", piece)[0] for piece in closed]
    cleaned = str(_sanitizer().sanitize_html_tags("".join([*kept, rest])))
    for pattern, form in () if ours else _allowed()["forms"]:  # a < begins a tag in it
        cleaned = re.sub(pattern, form, cleaned)
    return cleaned


def markdown(
    content: str, pictures: Mapping[str, str | None] | None = None, missing: str = ""
) -> str | None:
    """Return Markdown as HTML, cleaned once it is HTML.

    Parameters
    ----------
    content : str
    pictures : Mapping of str to str or None
        By the address that stands in the content, the one that holds the picture on a page.
    missing : str
        What is said of a picture that is not there.
    """

    def picture(named: re.Match[str]) -> str:
        address, alt = (pictures or {}).get(unescape(named[1])), named[2].replace('"', "&quot;")
        shown = f'<img src="{address}" alt="{alt}">'
        return shown if address else f"{alt} ({missing} {named[1][:_LONGEST_NAME]})"

    plugins = map(import_plugin, (*MarkdownWithMath.DEFAULT_PLUGINS, "footnotes"))
    written = MarkdownWithMath(_Renderer(escape=False), plugins=plugins)
    source = _or_none(written.render)(content)
    if source is not None:
        source = re.sub(r"(?i)<img\b[^>]*>", _named, source)
        own = re.sub('(id="|href="#)(?=fn)', rf"\g<1>{slug(content)}-", source)  # each from 1
        source = html(own)
    return source and re.sub(r'<samp title="([^"]*)">([^<]*)</samp>', picture, source)


def _named(image: re.Match[str]) -> str:
    """Return an image of HTML as Markdown's are: by its address and its words."""
    told = dict(re.findall(r'(\w+)="([^"]*)"', image[0]))
    return f'<samp title="{told.get("src", "")}">{told.get("alt", "")}</samp>'


class _Renderer(IPythonRenderer):
    """Jupyter's Markdown: the anchors as the page's own, a picture by its address and its words."""

    def image(self, text: str, url: str, title: str | None = None) -> str:
        del title
        return f'<samp title="{escape(unquote(url))}">{re.sub("<.*?>", "", text)}</samp>'

    def heading(self, text: str, level: int, **_: Any) -> str:
        level = max(level, 2)  # a page has one title
        return f'<h{level} id="{slug(text)}">{text}</h{level}>\n'


def address(content: Any) -> str | None:
    """Return the address that holds a picture, given its file, or what is attached to a cell."""
    with suppress(Exception):
        if isinstance(content, Path):
            with content.open("rb") as stream:
                raw = stream.read(_MOST_PART)
        else:
            raw = base64.b64decode(next(iter(content.values())))
        form = {b"\x89P": "PNG", b"\xff\xd8": "JPEG"}.get(raw[:2])
        return raster(base64.b64encode(raw).decode(), form) if form else drawing(raw.decode())
    return None


@cache
def _allowed() -> Any:
    return tomllib.loads(template("allowed.toml"))


@cache
def _sanitizer() -> Any:
    allowed = _allowed()
    attributes = allowed["attributes"]

    def of_link(_tag: str, name: str, value: str) -> bool:
        """Whether a link keeps an attribute; ``//host`` would be a share in a network."""
        return name in attributes or (name == "href" and value[:1] not in {"/", "\\"})

    return SanitizeHTML(
        tags=allowed["tags"], attributes={"*": attributes, "a": of_link}, strip=True
    )


@_or_none
def drawing(content: str) -> str:
    """Return the address of an SVG: a fifth shorter than in base64."""
    if _ACTIVE.search(content) or not _DRAWING.match(content):
        raise ValueError(content)
    expat.ParserCreate().Parse(content, True)
    return f"data:image/svg+xml,{quote(content, safe=' !$*+,-./:;=?@[]_~')}"


@_or_none
def raster(content: str, form: str) -> str:
    """Return the address of a picture that was read to its end as one of its form."""
    raw = base64.b64decode(content)
    with (
        warnings.catch_warnings(action="error"),  # Pillow warns of bombs
        Image.open(io.BytesIO(raw), formats=[form]) as image,
    ):
        if image.width * image.height > _MOST_PIXELS or getattr(image, "is_animated", False):
            raise ValueError(form)
        image.load()
    return f"data:image/{form.lower()};base64,{base64.b64encode(raw).decode()}"


FILTERS: Mapping[str, _Filter] = {
    kept.__name__: kept for kept in (printed, html, markdown, drawing, raster)
}
