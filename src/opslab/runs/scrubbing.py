"""A customer's traces taken out of files: one way for each kind of file, whatever it stands in."""

from __future__ import annotations

import html
import io
import json
import re
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Any

from opslab.archive import NOTEBOOK, RESULT, RUN, sealed
from opslab.evidence import FILES_TYPE
from opslab.report.cells import packed
from opslab.runs.folder import json_bytes
from opslab.runs.publication import unpacked
from opslab.runs.traces import Traces, plain

MARK = "[erased]"
_RECORD = re.compile(r'(?:"(?:[^"]|"")*"|[^"\r\n]+|")+(?:\r\n|\n|\r)?')
_CELL = re.compile(r'"(?:[^"]|"")*"|[^,;\t"\r\n]+')
_PIECE = re.compile(
    r'<style.*?</style>|<!--.*?-->|(?<==")[^"<>]*(?=")|(?<=>)[^<]+|^[^<]+', re.DOTALL
)
_IMAGE = re.compile(r"<img\b[^>]*>")
_CITED = re.compile(
    r"""(?<=<p dir="auto">)[^<]*(?=</p>\s*<p class="small"[^>]*>(?:[^<]*· )?\[erased\])"""
)
_BYTES = ("base64", "image/png")  # what has no words, though letters in it may look like some
_ROW = re.compile(r"<row\b[^>]*/>|<row\b.*?</row>", re.DOTALL)
_IN_ROW = re.compile(r"<c\b([^>]*)(?<!/)>(.*?)</c>", re.DOTALL)
_STRING = re.compile(r"<si>.*?</si>|<si/>", re.DOTALL)
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    RuntimeError,  # encrypted
    NotImplementedError,
    ValueError,
    IndexError,
)
_HASH = re.compile(r"\b[0-9a-f]{64}\b")
_NO_PICTURE = "data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22/%3E"
_NO_PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count 1/Kids"
    b"[3 0 R]>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\n"
    b"trailer<</Root 1 0 R>>\n%%EOF\n"
)


class Scrubber:
    """Takes the traces of a customer out of files.

    Attributes
    ----------
    unread : set of str
        Files that hold no text, in which nothing can be looked for.

    Parameters
    ----------
    traces : Traces
    forget : callable
        Takes a file's name and bytes, and returns them without what an area keeps of texts in
        another form.
    notes : sequence of mapping
        What ``run.json`` tells of it.
    """

    def __init__(
        self, traces: Traces, forget: Callable[[str, bytes], bytes], notes: Sequence[Any]
    ) -> None:
        self.traces, self.unread = traces, set[str]()
        self._forget, self._notes, self._hashes = forget, notes, dict[str, str]()

    def folder(self, home: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
        """Return the files of a folder; its records know new hashes where they knew the old ones.

        Parameters
        ----------
        home : str
            The folder under the reports.
        files : mapping of str to bytes
        """
        around, self._hashes = self._hashes, {}
        last = [name for name in (RESULT, NOTEBOOK, RUN) if name in files]
        clean = dict(files)
        for name in [*(files.keys() - {*last}), *last]:
            clean[name] = self.file(f"{home}/{name}", files[name])
        if clean != files:
            for name in files:
                if name.endswith(".pdf"):
                    clean[name] = self._known(files[name], _NO_PDF)
            for name in last:
                named = _HASH.sub(
                    lambda old: self._hashes.get(old[0], old[0]), clean[name].decode("latin-1")
                )
                clean[name] = self._known(files[name], named.encode("latin-1"))
            with suppress(ValueError, KeyError, TypeError):
                before, about = (json.loads(each[RUN]) for each in (files, clean))
                if sealed(before)["seal"] == before["seal"]:
                    notes = [*about.get("erased", ()), *self._notes]
                    clean[RUN] = json_bytes(sealed(about | {"erased": notes}))
        self._hashes = around
        return clean

    def _known(self, content: bytes, clean: bytes) -> bytes:
        """Return a file's new bytes; from now on its hash is known to have changed."""
        if clean != content:
            self._hashes[sha256(content).hexdigest()] = sha256(clean).hexdigest()
        return clean

    def file(self, name: str, content: bytes) -> bytes:
        """Return a file's bytes, as they were where nothing of the customer's is in them."""
        clean = content
        if PurePosixPath(name).suffix.startswith((".npz", ".vectors", ".pdf")):
            pass  # the area's own, and what is emptied with its folder
        elif content.startswith(b"PK\x03\x04"):
            clean = self._packed(name, content)
        elif b"\0" in content:
            self.unread.add(name)
        else:
            clean = self._text(name, content)
        return self._known(content, self._forget(name, clean))

    def _text(self, name: str, content: bytes) -> bytes:
        near, kind = self.traces.near(name), PurePosixPath(name).suffix.lower()
        without = partial(self.traces.without, mark=MARK, near=near)
        try:
            text, encoding = content.decode(), "utf-8"
        except UnicodeDecodeError:
            text, encoding = content.decode("latin-1"), "latin-1"
        if FILES_TYPE not in text and not any(self.traces.spans(plain(text), near=near)):
            return content
        if kind in (".json", ".ipynb"):
            with suppress(ValueError, RecursionError):
                value = json.loads(text)
                clean = self._value(name, value, without)
                written = json.dumps(clean, indent=1, ensure_ascii=text.isascii())
                end = "\n" * text.endswith("\n")
                return content if clean == value else f"{written}{end}".encode()
        if kind == ".csv":
            text = _RECORD.sub(lambda record: self._record(record[0], without), text)
        elif kind in (".html", ".xml", ".svg", ".rels", ".vml"):
            text = marked_up(text, without)
        else:  # in YAML brackets would begin a list
            mark = "erased" if kind in (".yaml", ".yml") else MARK
            text = without(text, mark=mark)
        return text.encode(encoding)

    def _record(self, record: str, without: Callable[[str], str]) -> str:
        if without(record) == record:
            return record
        cells = [cell.strip('"\ufeff') for cell in _CELL.findall(record)]
        return "" if self._is_theirs(cells) else _CELL.sub(lambda cell: without(cell[0]), record)

    def _is_theirs(self, cells: Sequence[str]) -> bool:
        """Whether a row of a table is a message of the customer's, and not a copy of one."""
        filled = [*filter(None, cells)]
        return bool({*filled[:1]} & self.traces.uids or {*filled} & self.traces.keys)

    def _value(self, name: str, value: Any, without: Callable[[str], str]) -> Any:
        """Return a value of JSON, cleaned; a cell's output loses a picture of what was cleaned."""
        if isinstance(value, str):
            return marked_up(value, without) if "</" in value else without(value)
        if isinstance(value, list):
            return [self._value(name, part, without) for part in value]
        if not isinstance(value, dict):
            return value
        clean = {
            without(key): {file: self._carried(name, file, text) for file, text in part.items()}
            if key == FILES_TYPE and isinstance(part, dict)
            else (part if key in _BYTES else self._value(name, part, without))
            for key, part in value.items()
        }
        if value.get("uid") in self.traces.uids:
            clean |= dict.fromkeys({"uid", "id", "text"} & clean.keys(), MARK)
        if "data" in clean and clean.get("metadata") != value.get("metadata"):
            shown = clean["data"].items()
            clean["data"] = {kind: part for kind, part in shown if not kind.startswith("image/")}
        return clean

    def _carried(self, name: str, file: str, text: str) -> str:
        """Return a file that a notebook carries, as it stands beside it."""
        content = unpacked(str(text), 1_000_000_000)
        clean = self.file(f"{name.rpartition('/')[0]}/{file}", content)
        clean = self._known(content, _NO_PDF) if file.endswith(".pdf") else clean
        return text if clean == content else packed(clean)

    def _packed(self, name: str, content: bytes) -> bytes:
        """Return a zip or a workbook with its files cleaned; each folder of a zip by itself."""
        folders = defaultdict[str, dict[str, bytes]](dict)
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                members, comment = archive.infolist(), archive.comment
                files = {member.filename: archive.read(member) for member in members}
            shared = _STRING.findall(files.get("xl/sharedStrings.xml", b"").decode())
            row = partial(self._row, strings=[*map(_value_of, shared)])
            for file, part in files.items():
                home, slash, bare = file.rpartition("/")
                rows = home == "xl/worksheets" and bare.endswith(".xml")
                inside = _ROW.sub(row, part.decode()).encode() if rows else part
                folders[home + slash][bare] = inside
        except UNREADABLE:
            self.unread.add(name)
            return content
        clean = {
            home + bare: part
            for home, inside in folders.items()
            for bare, part in self.folder(f"{name}/{home}".rstrip("/"), inside).items()
        }
        written = io.BytesIO()
        with zipfile.ZipFile(written, "w") as archive:
            for member in members:
                archive.writestr(member, clean[member.filename], member.compress_type, 9)
            archive.comment = comment
        return content if clean == files else written.getvalue()

    def _row(self, row: re.Match[str], strings: Sequence[str]) -> str:
        cells = [
            strings[int(_value_of(body))] if 't="s"' in kind else _value_of(body)
            for kind, body in _IN_ROW.findall(row[0])
        ]
        return "" if self._is_theirs(cells) else row[0]


def _value_of(cell: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", cell))


def marked_up(text: str, without: Callable[[str], str]) -> str:
    """Return HTML or XML with its texts and attributes cleaned; no picture of what was cleaned."""

    def piece(written: re.Match[str]) -> str:
        passed = written[0].startswith(("<style", "data:"))
        return written[0] if passed else without(written[0])

    def image(written: re.Match[str]) -> str:
        return (
            re.sub(r'src="[^"]*"', f'src="{_NO_PICTURE}"', written[0])
            if MARK in written[0]
            else written[0]
        )

    clean = _PIECE.sub(piece, text)
    return _IMAGE.sub(image, clean if clean == text else _CITED.sub(MARK, clean))
