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
from typing import Any
from urllib.parse import quote
from xml.parsers import expat

from PIL import Image

from opslab.report.styles import template
from opslab.startup import without_iri_grammar

with without_iri_grammar():
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
    from nbconvert.preprocessors.sanitize import SanitizeHTML

_MOST_PART, _MOST_HTML = 2_000_000, 500_000
"""Letters of what an output brings, and of its HTML, which takes long to clean."""
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


@_or_none
def printed(content: str) -> str:
    """Return a text that a page has room for."""
    return content


@_or_none
def html(content: str, style: Any = 0) -> str:
    """Return HTML in which nothing runs or asks, without the style for its cell that it brought.

    The length of that style may be forged: it is cut off first, and what is left is cleaned.
    """
    if isinstance(style, int) and style > 0:
        content = content[style:]
    if len(content) > _MOST_HTML or content.count("<") - 2 * content.count("</") > _MOST_OPEN:
        raise ValueError(len(content))
    return str(_sanitizer().sanitize_html_tags(content))


def markdown(content: str) -> str | None:
    """Return Markdown as HTML, cleaned once it is HTML."""
    source = _or_none(MarkdownWithMath(renderer=_Renderer(escape=False)).render)(content)
    return html(source)


class _Renderer(IPythonRenderer):
    """Jupyter's Markdown; in place of a picture stand the words for it."""

    def image(self, text: str, url: str, title: str | None = None) -> str:
        del url, title
        return text  # cleaned with all the rest


@cache
def _sanitizer() -> Any:
    allowed = tomllib.loads(template("allowed.toml"))
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
