"""A customer's traces taken out of files: one way for each kind of file, whatever it stands in."""

from __future__ import annotations

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
from opslab.report.cells import packed
from opslab.runs.folder import json_bytes
from opslab.runs.publication import unpacked
from opslab.runs.traces import MARK, Traces, is_in, without, words_of

_RECORD = re.compile(r'(?:"(?:[^"]|"")*"|[^"\r\n]+|")+(?:\r\n|\n|\r)?')
_JSON = re.compile(r'"(?:base64|image/png)": "[^"]*"|"(?:[^"\\]|\\.)*"')
_BYTES = ('"base64"', '"image/png"')  # what has no words
# What is cleaned by itself: a cell, a text.
_PIECES = {
    ".csv": re.compile(r'"(?:[^"]|"")*"|[^,;\t"\r\n]+'),
    ".json": _JSON,
    ".ipynb": _JSON,
}
_ALL = re.compile(".+", re.DOTALL)
_PICTURE = re.compile(r'(<img\b(?=[^>]*\[erased\])[^>]*?\bsrc=\\?")[^"\\>]*')
_NO_PICTURE = r"\1data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22/%3E"
_ROW = re.compile(r"<row\b[^>]*/>|<row\b.*?</row>", re.DOTALL)
_SHARED = re.compile(r't="s"[^>]*><v>(\d+)')
_STRING = re.compile(r"<si>.*?</si>|<si/>", re.DOTALL)
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    RuntimeError,  # encrypted
    NotImplementedError,
    ValueError,
    IndexError,
)
_HASH = re.compile(rb"\b[0-9a-f]{64}\b")
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
        self._forget, self._notes, self._hashes = forget, notes, dict[bytes, bytes]()

    def folder(self, home: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
        """Return the files of a folder; its records know new hashes where they knew the old ones.

        A PDF is emptied where another file changes.

        Parameters
        ----------
        home : str
            What stands before their names: the folder under the reports.
        files : mapping of str to bytes
        """
        around, self._hashes = self._hashes, {}
        last, clean = [name for name in (RESULT, NOTEBOOK, RUN) if name in files], dict(files)
        for name in sorted(files, key=lambda name: (name in last[1:], name.endswith(".pdf"))):
            clean[name] = self._file(f"{home}{name}", files[name])
        if clean != files:
            for name in files:
                if name.endswith(".pdf"):
                    clean[name] = self._known(files[name], _NO_PDF)
            for name in last:
                named = _HASH.sub(lambda old: self._hashes.get(old[0], old[0]), clean[name])
                clean[name] = self._known(files[name], named)
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
            old, new = (sha256(each).hexdigest().encode() for each in (content, clean))
            self._hashes[old] = new
        return clean

    def _file(self, name: str, content: bytes) -> bytes:
        """Return a file's bytes, as they were where nothing of the customer's is in them."""
        clean, kind = content, PurePosixPath(name).suffix.lower()
        if kind == ".pdf":
            clean = _NO_PDF if self._hashes else content
        elif kind.startswith((".npz", ".vectors")):
            pass  # the area's own
        elif content.startswith(b"PK\x03\x04"):
            clean = self._packed(name, content)
        elif b"\0" in content:
            self.unread.add(name)
        else:
            clean = self._text(name, kind, content)
        return self._known(content, self._forget(name, clean))

    def _text(self, name: str, kind: str, content: bytes) -> bytes:
        try:
            text, encoding = content.decode(), "utf-8"
        except UnicodeDecodeError:
            text, encoding = content.decode("latin-1"), "latin-1"
        traces = self.traces
        book = traces.here if is_in(traces.homes, name) else traces.elsewhere
        mark = "erased" if kind in (".yaml", ".yml") else MARK  # there brackets would begin a list

        def piece(part: re.Match[str]) -> str:
            return part[0] if part[0].startswith(_BYTES) else without(part[0], book, mark)

        if kind == ".csv":
            text = _RECORD.sub(self._row, text)
        text = _PICTURE.sub(_NO_PICTURE, _PIECES.get(kind, _ALL).sub(piece, text))
        if kind in (".json", ".ipynb"):
            with suppress(ValueError, RecursionError):
                filled = partial(self._object, name.rpartition("/")[0])
                written = partial(json.dumps, indent=1, ensure_ascii=text.isascii())
                whole = written(json.loads(text, object_hook=filled))
                if whole == written(json.loads(content)):
                    return content
                text = whole + "\n" * text.endswith("\n")
        return text.encode(encoding)

    def _row(self, row: re.Match[str], shown: str = "") -> str:
        """Return nothing for a row that is a message of the customer's, and not a copy of one."""
        words = words_of(shown or row[0])
        theirs = self.traces.uids.intersection(words[:1]) or self.traces.keys.intersection(words)
        return "" if theirs else row[0]

    def _object(self, home: str, value: dict[str, Any]) -> dict[str, Any]:
        """Return an object of JSON; a cell's output loses a picture of what was cleaned."""
        if value.get("uid") == MARK:
            value |= dict.fromkeys({"id", "text"} & value.keys(), MARK)
        match value:
            case {"data": dict(shown), "metadata": about} if MARK in str(about):
                value["data"] = {kind: shown[kind] for kind in shown if kind[:6] != "image/"}
        match value:
            case {"application/vnd.opslab.files+json": dict(files)}:
                for file in sorted(files, key=lambda file: file.endswith(".pdf")):
                    files[file] = self._carried(f"{home}/{file}", files[file])
        return value

    def _carried(self, name: str, text: str) -> str:
        """Return a file that a notebook carries, as it stands beside it."""
        content = unpacked(str(text), 1_000_000_000)
        clean = self._file(name, content)
        return text if clean == content else packed(clean)

    def _packed(self, name: str, content: bytes) -> bytes:
        """Return a zip or a workbook with its files cleaned; each folder of a zip by itself."""
        folders = defaultdict[str, dict[str, bytes]](dict)
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                members, comment = archive.infolist(), archive.comment
                files = {member.filename: archive.read(member) for member in members}
            strings = _STRING.findall(files.get("xl/sharedStrings.xml", b"").decode())

            def row(cells: re.Match[str]) -> str:
                shown = _SHARED.sub(lambda cell: strings[int(cell[1])], cells[0])
                return self._row(cells, re.sub(r"<[^>]*>", " ", shown))

            for file, part in files.items():
                home, slash, bare = file.rpartition("/")
                rows = home == "xl/worksheets"
                inside = _ROW.sub(row, part.decode()).encode() if rows else part
                folders[home + slash][bare] = inside
        except UNREADABLE:
            self.unread.add(name)
            return content
        clean = {
            home + bare: part
            for home, parts in folders.items()
            for bare, part in self.folder(f"{name}/{home}", parts).items()
        }
        written = io.BytesIO()
        with zipfile.ZipFile(written, "w") as archive:
            for member in members:
                archive.writestr(member, clean[member.filename], member.compress_type, 9)
            archive.comment = comment
        return content if clean == files else written.getvalue()
