"""YAML files as plain values, each with the line where it stands.

YAML 1.2 is read: ``on``, ``off``, ``yes`` and ``no`` are words, only ``true`` and ``false`` are
booleans; ``0012`` keeps its zeros and dates stay as they are written until a field asks for one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opslab import provenance, workspace
from opslab.errors import SpecError

if TYPE_CHECKING:
    import yaml

Location = tuple[str | int, ...]

_LARGEST_BYTES = 200_000
_MOST_NODES = 10_000
_DEEPEST = 50
_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map")}
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?\Z")
_QUOTED = ("'", '"', "|", ">")
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}


@dataclass(frozen=True)
class Document:
    """Plain values, and where they are of a YAML file, its name and the line of each of them."""

    file: str
    values: Any
    lines: Mapping[Location, int] = field(default_factory=dict)

    def line(self, location: Location) -> int | None:
        """Return the line of a field, or of the nearest thing that encloses it."""
        while location not in self.lines and location:
            location = location[:-1]
        return self.lines.get(location)


def read(path: Path, file: str) -> Document:
    """Read a YAML file.

    Parameters
    ----------
    path : Path
    file : str
        The file's name as the user gave it, for messages.

    Raises
    ------
    SpecError
        When the file is missing, no UTF-8 text, no YAML, or uses what a spec has no need of.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        near = workspace.near_name(path)
        raise SpecError.of("specs.missing_file", file=file, near=near) from None
    except IsADirectoryError:
        raise SpecError.of("specs.no_spec", file=file) from None
    except (OSError, ValueError) as error:  # a ValueError: a name that no file can have
        reason = getattr(error, "strerror", None) or str(error)
        raise SpecError.of("specs.unreadable", file=file, reason=reason) from None
    if len(raw) > _LARGEST_BYTES:
        raise SpecError.of("specs.too_large", file=file, bytes=len(raw))
    provenance.note(path, hashlib.sha256(raw).hexdigest())
    try:
        source = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if raw.startswith(b"PK"):  # a workbook
            raise SpecError.of("specs.no_spec", file=file) from None
        line = raw[: error.start].count(b"\n") + 1
        raise SpecError.of("specs.encoding", file=file, line=line) from None
    return parse(source, file)


def parse(source: str, file: str) -> Document:
    """Return the document that a YAML text holds; raises `SpecError` like `read`."""
    import yaml  # it takes 20 ms, which a run without a spec need not spend

    try:
        tree = yaml.compose(source, Loader=_loader())
    except _TooLargeError as error:
        raise SpecError.of("specs.too_deep", file=file, line=error.line) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        key = "specs.tab" if "'\\t'" in str(error.problem) else "specs.yaml"
        raise SpecError.of(key, file=file, line=line, reason=error.problem or "?") from None
    except yaml.reader.ReaderError as error:
        line = source.count("\n", 0, error.position) + 1
        raise SpecError.of("specs.control_character", file=file, line=line) from None
    except (
        yaml.YAMLError,
        ValueError,
        OverflowError,
    ) as error:  # numbers in escapes and directives
        raise SpecError.of("specs.yaml", file=file, reason=str(error).splitlines()[0]) from None
    if tree is None:
        raise SpecError.of("specs.empty", file=file)
    builder = _Builder(file)
    values = builder.value(tree, ())
    return Document(file, values, builder.lines)


def field_name(location: Location) -> str:
    """Return a location as it is written in messages: ``metrics[1].type``."""
    shown = ""
    for part in location:
        if isinstance(part, int) and not isinstance(part, bool):
            shown += f"[{part + 1}]"
        else:
            shown += f".{part}" if shown else str(part)
    return shown


class _TooLargeError(Exception):
    def __init__(self, line: int) -> None:
        self.line = line


@cache
def _loader() -> type[yaml.BaseLoader]:
    """Return a loader of text, lists and mappings that stops at what is too long or too deep."""
    import yaml

    class Loader(yaml.BaseLoader):
        nodes = depth = 0

        def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
            self.nodes += 1
            self.depth += 1
            if self.nodes > 2 * _MOST_NODES or self.depth > _DEEPEST:
                raise _TooLargeError(self.peek_event().start_mark.line + 1)  # type: ignore[no-untyped-call]
            node = super().compose_node(parent, index)
            self.depth -= 1
            return node

    return Loader


class _Builder:
    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[Location, int] = {}
        self.nodes = 0

    def value(self, node: Any, location: Location) -> Any:
        """Return what a node of YAML and those in it say, and note their lines."""
        line = node.start_mark.line + 1
        self.lines.setdefault(location, line)
        self.nodes += 1
        if self.nodes > _MOST_NODES or len(location) > _DEEPEST:
            raise SpecError.of("specs.too_deep", file=self.file, line=line)
        if node.tag not in _TAGS:
            tag = node.tag.replace("tag:yaml.org,2002:", "!!")
            raise SpecError.of("specs.tag", file=self.file, line=line, tag=tag)
        if node.id == "mapping":
            return self._mapping(node, location)
        if node.id == "sequence":
            return [self.value(child, (*location, item)) for item, child in enumerate(node.value)]
        return node.value if node.style in _QUOTED else _plain(node.value)

    def _mapping(self, node: Any, location: Location) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, child in node.value:
            line = key_node.start_mark.line + 1
            read = self.value(key_node, location) if key_node.id == "scalar" else None
            if read is None:
                raise SpecError.of("specs.key", file=self.file, line=line)
            key = key_node.value
            inner = (*location, key)
            where: Any = {"file": self.file, "line": line, "field": field_name(inner)}
            if isinstance(read, bool | float):
                kind = "boolean" if isinstance(read, bool) else "number"
                raise SpecError.of(f"specs.label_{kind}", value=key, **where)
            if key in values:
                raise SpecError.of("specs.repeated_key", name=key, **where)
            self.lines[inner] = line
            values[key] = self.value(child, inner)
        return values


def _plain(value: str) -> Any:
    if value.lower() in _WORDS and value in (value.lower(), value.upper(), value.title()):
        return _WORDS[value.lower()]
    if _INTEGER.match(value) and value != "-0":
        return int(value)
    return float(value) if _FLOAT.match(value) else value
