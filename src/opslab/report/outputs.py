"""What an executed notebook brings to a page: cleaned, bounded, and the picture it says it is.

Cells and outputs may come from anywhere. What cannot be shown is told in its place.
"""

from __future__ import annotations

import base64
import io
import re
import tomllib
import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

from markupsafe import Markup, escape
from PIL import Image

from opslab.messages import Language, text
from opslab.report.blocks import Paragraph
from opslab.report.cells import HTML
from opslab.startup import without_iri_grammar

with without_iri_grammar():
    from nbconvert.filters.ansi import strip_ansi
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
    from nbconvert.preprocessors.sanitize import SanitizeHTML

_MOST_TEXT, _MOST_PICTURE, _MOST_PAGE = 500_000, 4_000_000, 20_000_000
"""Letters of a text or of its HTML, of a picture's address, and of all on a page."""
_MOST_PIXELS = 16_000_000
_DEEPEST = 100  # elements inside one another
_PIECE = 2**16  # letters that are read at a time

_RASTER = {"image/png": "PNG", "image/jpeg": "JPEG"}
_ATTACHED = re.compile(r'!\[([^\]\n]*)\]\(attachment:([^)\s]+)(?:\s+"[^"\n]*")?\)')
_LINK = re.compile(r"https?://|mailto:|#|\.{1,2}/|[\w-]", re.ASCII | re.IGNORECASE)
_EMBEDDED = re.compile(r"data:(image/png|image/jpeg);base64,(.*)", re.DOTALL)
_OUTSIDE = re.compile(r"<!ENTITY|@import|url\(\s*[\"']?(?!#)", re.IGNORECASE)
_ACTIVE = {"script", "foreignobject", "iframe", "animate", "set", "handler", "listener"}
_TAG = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"|<(script|style|textarea|title|xmp|iframe|noembed|noframes)\b.*?(?:</\1|\Z)"
    r"|<(/?)([a-z][a-z0-9]*)(?:[^>\"']|\"[^\"]*\"|'[^']*')*+(?:>|[\"']|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_NEVER_NESTED = {"br", "hr", "p", "li", "dd", "dt", "tr", "td", "th", "thead", "tbody", "tfoot"}
"""Elements that end where the next begins, or have nothing in them."""


class _NotShownError(Exception):
    """Why a part has no place on the page: the key of what is said instead."""


class Parts:
    """Makes the parts of one page from cells and outputs, in order, while it has room.

    Parameters
    ----------
    language : {"en", "fr"}
        In which is said what is not shown.
    """

    def __init__(self, language: Language) -> None:
        self._language = language
        self._room = _MOST_PAGE

    def output(self, output: Mapping[str, Any]) -> Markup:
        """Return an output as HTML."""
        match output:
            case {"output_type": "stream", "name": "stdout", "text": printed}:
                return self._part(_lines, printed)
            case {"output_type": "error", "evalue": reason}:
                return self._part(_lines, reason, "error")
            case {"data": Mapping() as data}:
                about = output.get("metadata", {})
                for kind, show in _KINDS.items():
                    if kind in data:
                        return self._part(show, data[kind], _mapping(about, kind))
        return Markup()

    def markdown(self, cell: Mapping[str, Any]) -> Markup:
        """Return a Markdown cell as HTML, the pictures attached to it where it names them."""
        source, attached = cell.get("source"), _mapping(cell, "attachments")
        pieces = _ATTACHED.split(source) if isinstance(source, str) else [source]
        parts = [self._part(_markdown, pieces[0], {})]
        for alt, name, following in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
            data = _mapping(attached, name or "")
            kind = next((kind for kind in _PICTURES if kind in data), "")
            parts.append(self._part(_attachment, kind, data.get(kind), {"alt": alt}))
            parts.append(self._part(_markdown, following, {}))
        return Markup("\n").join(filter(None, parts))

    def code(self, cell: Mapping[str, Any]) -> Markup:
        """Return the source of a cell as text."""
        return self._part(_plain, cell.get("source"))

    def _part(self, show: Callable[..., Markup], *content: Any) -> Markup:
        key = "too_large"
        try:
            part = show(*content)
        except _NotShownError as error:
            key = str(error)
        else:
            if len(part) <= self._room:
                self._room -= len(part)
                return part
        said = Paragraph(text(f"report.{key}", self._language), tone="open")
        return Markup(said._repr_html_())  # noqa: S704 - escaped there


def without_style(output: Mapping[str, Any]) -> dict[str, Any]:
    """Return an output without the style it brought for its cell, whose length it tells."""
    data, length = _mapping(output, "data"), about(output).get("style")
    if isinstance(length, int) and length > 0 and isinstance(data.get(HTML), str):
        return {**output, "data": {**data, HTML: data[HTML][length:]}}
    return dict(output)


def about(output: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what an output tells of its HTML."""
    return _mapping(_mapping(output, "metadata"), HTML)


def _mapping(values: Any, name: str) -> Mapping[str, Any]:
    held = values.get(name) if isinstance(values, Mapping) else None
    return held if isinstance(held, Mapping) else {}


def _bounded(content: Any, most: int = _MOST_TEXT) -> str:
    if not isinstance(content, str):
        raise _NotShownError("unreadable")
    if len(content) > most:
        raise _NotShownError("too_large")
    return content


def _plain(content: Any) -> Markup:
    return escape(_bounded(content))


def _lines(content: Any, classes: str = "") -> Markup:
    """Return text as it was printed."""
    kind = Markup(' class="{}"').format(classes) if classes else ""
    return Markup("<pre{}>{}</pre>").format(kind, strip_ansi(_bounded(content)))


def _html(content: Any, _about: Any) -> Markup:
    """Return HTML in which nothing runs, asks or leads astray."""
    source = _bounded(content)
    if _depth(source) > _DEEPEST:
        raise _NotShownError("too_large")
    return Markup(_sanitizer().sanitize_html_tags(source))  # noqa: S704 - cleaned


def _depth(source: str) -> int:
    """Return how many elements may stand inside one another: to clean them takes its square."""
    within: Counter[str] = Counter()
    deepest = 0
    for tag in _TAG.finditer(source):
        name = (tag[3] or "").lower()
        if name and name not in _NEVER_NESTED:
            within[name] = max(within[name] + (-1 if tag[2] else 1), 0)
            deepest = max(deepest, within[name])
    return deepest


def _markdown(content: Any, _about: Any) -> Markup:
    """Return Markdown as HTML, cleaned after it was made."""
    source = _bounded(content)
    try:
        return _html(MarkdownWithMath(renderer=_Renderer(escape=False)).render(source), {})
    except RecursionError:
        raise _NotShownError("too_large") from None


class _Renderer(IPythonRenderer):
    """Jupyter's Markdown; a picture from elsewhere is the words that stand for it."""

    def image(self, text: str, url: str, title: str | None = None) -> str:
        del url, title
        return text  # cleaned with all the rest


@cache
def _sanitizer() -> Any:
    folder = files("opslab.report").joinpath("templates", "opslab")
    allowed = tomllib.loads(folder.joinpath("allowed.toml").read_text(encoding="utf-8"))
    of_all = {*allowed["attributes"], "aria-label", "data-label"}

    def of_link(_tag: str, name: str, value: str) -> bool:
        return name in of_all or (name == "href" and _LINK.match(value) is not None)

    return SanitizeHTML(tags=allowed["tags"], attributes={"*": of_all, "a": of_link}, strip=True)


def _picture(source: str, about: Mapping[str, Any]) -> Markup:
    if len(source) > _MOST_PICTURE:
        raise _NotShownError("too_large")
    half = Markup(' class="half"') if about.get("half") else ""
    caption = about.get("caption")
    below = Markup("<figcaption>{}</figcaption>").format(caption) if caption else ""
    image = Markup('<img src="{}" alt="{}">').format(source, about.get("alt", ""))
    return Markup("<figure{}>{}{}</figure>").format(half, image, below)


def _svg(content: Any, about: Mapping[str, Any]) -> Markup:
    """Return a drawing as a picture: as one it runs no script, and this one has none."""
    source = _bounded(content, _MOST_PICTURE)
    try:
        kind = _kind_of_drawing(source)
    except (ET.ParseError, ValueError):
        kind = ""
    if kind != "svg" or _OUTSIDE.search(source):
        raise _NotShownError("no_picture")
    return _picture(f"data:image/svg+xml,{quote(source, safe=' !$*+,-./:;=?@[]_~')}", about)


def _kind_of_drawing(source: str) -> str:
    """Return the name of a drawing's root, or nothing when an element has no place in a picture."""
    parser: Any = ET.XMLPullParser(("start", "end"))
    kind, depth = "", 0
    for start in range(0, len(source), _PIECE):
        parser.feed(source[start : start + _PIECE])
        for event, element in parser.read_events():
            depth += 1 if event == "start" else -1
            if depth > _DEEPEST or _is_active(element):
                return ""
            if event == "end":
                element.clear()
            kind = kind or element.tag.rpartition("}")[2]
    parser.close()
    return kind


def _is_active(element: Any) -> bool:
    """Whether an element of a drawing runs something, moves, or asks for what stands elsewhere."""
    if str(element.tag).rpartition("}")[2].lower() in _ACTIVE:
        return True
    for name, value in element.attrib.items():
        local = name.rpartition("}")[2].lower()
        if local.startswith("on"):
            return True
        if local in {"href", "src"} and not value.startswith("#"):
            embedded = _EMBEDDED.fullmatch(value)
            if embedded is None:
                return True
            _raster(embedded[1], embedded[2])
    return False


def _raster(kind: str, content: Any) -> str:
    """Return the address of a picture that was read to its end as one of its kind."""
    encoded = re.sub(r"\s", "", _bounded(content, _MOST_PICTURE))
    try:
        raw = base64.b64decode(encoded, validate=True)
        pixels = _pixels(raw, _RASTER[kind])
    except Exception:  # noqa: BLE001 - Pillow's readers have no common class of errors
        raise _NotShownError("no_picture") from None
    if pixels > _MOST_PIXELS:
        raise _NotShownError("too_large")
    return f"data:{kind};base64,{base64.b64encode(raw).decode()}"


def _pixels(raw: bytes, form: str) -> int:
    """Return how many pixels a picture has, and read it unless they are too many."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(io.BytesIO(raw), formats=[form]) as image:
            pixels = image.width * image.height
            if getattr(image, "is_animated", False):
                raise ValueError(form)
            if pixels <= _MOST_PIXELS:
                image.load()
            return pixels


def _attachment(kind: str, content: Any, about: Mapping[str, Any]) -> Markup:
    if not kind:
        raise _NotShownError("no_picture")
    return _PICTURES[kind](content, about)


_PICTURES: Mapping[str, Callable[[Any, Mapping[str, Any]], Markup]] = {
    "image/svg+xml": _svg,
    "image/png": lambda content, about: _picture(_raster("image/png", content), about),
    "image/jpeg": lambda content, about: _picture(_raster("image/jpeg", content), about),
}
_KINDS: Mapping[str, Callable[..., Markup]] = {
    **_PICTURES,
    HTML: _html,
    "text/markdown": _markdown,
    "text/plain": lambda content, _about: _lines(content),
}
"""How each type of an output is shown; the first that an output has."""
