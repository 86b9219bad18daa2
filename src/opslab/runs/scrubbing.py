"""A customer's traces taken out of files: one way for each kind of file, whatever it stands in."""

from __future__ import annotations

import html
import io
import json
import re
import zipfile
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
_MOST = 1_000_000_000
"""Bytes of a file that a notebook carries."""
_RECORD = re.compile(r'(?:"(?:[^"]|"")*"|[^"\r\n]+|")+(?:\r\n|\n|\r)?')
_CELL = re.compile(r'"(?:[^"]|"")*"|[^,;\t"\r\n]+')
_PIECE = re.compile(
    r'<style.*?</style>|<!--.*?-->|(?<==")[^"<>]*(?=")|(?<=>)[^<]+|^[^<]+', re.DOTALL
)
_IMAGE = re.compile(r"<img\b[^>]*>")
_ROW = re.compile(r"<row\b[^>]*/>|<row\b.*?</row>", re.DOTALL)
_IN_ROW = re.compile(r"<c\b([^>]*)(?<!/)>(.*?)</c>", re.DOTALL)
_STRING = re.compile(r"<si>.*?</si>|<si/>", re.DOTALL)
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
        self,
        traces: Traces,
        forget: Callable[[str, bytes], bytes],
        notes: Sequence[Mapping[str, str]],
    ) -> None:
        self.traces, self.unread = traces, set[str]()
        self._forget, self._notes = forget, notes
        self._hashes = dict[str, str]()

    def folder(self, home: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
        """Return the files of a folder; a run's card knows their new hashes where it knew the old.

        Parameters
        ----------
        home : str
            The folder under the reports.
        files : mapping of str to bytes
        """
        self._hashes = {}
        last = [name for name in (RESULT, NOTEBOOK) if name in files]
        clean = dict[str, bytes]()
        for name in [*(files.keys() - {*last, RUN}), *last]:
            clean[name] = self.file(f"{home}/{name}", files[name])
        if clean != {name: files[name] for name in clean}:
            emptied = {name: _NO_PDF for name in clean if name.endswith(".pdf")}
            self._hashes |= {_sha256(files[name]): _sha256(_NO_PDF) for name in emptied}
            clean |= emptied | {name: self._rehashed(clean[name]) for name in last}
        if RUN in files:
            clean[RUN] = self._card(f"{home}/{RUN}", files, clean)
        return clean

    def _rehashed(self, content: bytes) -> bytes:
        known = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
        return known.sub(
            lambda old: self._hashes.get(old[0].decode(), old[0].decode()).encode(), content
        )

    def _card(self, name: str, files: Mapping[str, bytes], clean: Mapping[str, bytes]) -> bytes:
        """Return ``run.json``: sealed again where it was, its outputs as they are now."""
        content = self.file(name, files[RUN])
        changed = {name: _sha256(files[name]) for name in clean if clean[name] != files[name]}
        if content == files[RUN] and not changed:
            return content
        try:
            before, about = json.loads(files[RUN]), json.loads(content)
            outputs = before.get("outputs", {})
            fresh = {
                name: _sha256(clean[name])
                for name, sha in changed.items()
                if outputs.get(name) == sha
            }
            if before != sealed(before):
                return content
            notes = [each for each in about.get("erased", []) if each not in self._notes]
            about |= {"outputs": {**outputs, **fresh}} if "outputs" in before else {}
            return json_bytes(sealed({**about, "erased": [*notes, *self._notes]}))
        except (ValueError, TypeError, AttributeError):
            return content

    def file(self, name: str, content: bytes) -> bytes:
        """Return a file's bytes, as they were where nothing of the customer's is in them."""
        near = self.traces.near(name)
        if content.startswith(b"PK\x03\x04"):
            clean = self._forget(name, content)
            clean = self._packed(name, clean) if clean == content else clean
        elif (clean := self._forget(name, content)) and (text := decoded(clean)):
            clean = self._text(name, *text, clean, near=near)
        elif content and not name.endswith(".pdf"):
            self.unread.add(name)
        if clean != content:
            self._hashes[_sha256(content)] = _sha256(clean)
        return clean

    def _text(self, name: str, text: str, encoding: str, content: bytes, *, near: bool) -> bytes:
        without = partial(self.traces.without, mark=MARK, near=near)
        kind = PurePosixPath(name).suffix.lower()
        carries = FILES_TYPE in text
        if not carries and not any(True for _ in self.traces.spans(plain(text), near=near)):
            return content
        match kind:
            case ".json" | ".ipynb":
                clean = self._json(name, text, near=near)
            case ".csv" | ".tsv":
                clean = _RECORD.sub(lambda record: self._record(record[0], without), text)
            case ".html" | ".htm" | ".xml" | ".svg" | ".rels" | ".vml":
                clean = marked_up(text, without)
            case ".yaml" | ".yml":  # brackets would begin a list
                clean = self.traces.without(text, "erased", near=near)
            case _:
                clean = without(text)
        return content if clean == text else clean.encode(encoding)

    def _record(self, record: str, without: Callable[[str], str]) -> str:
        if without(record) == record:
            return record
        cells = [cell.strip('"') for cell in _CELL.findall(record)]
        return "" if self._is_theirs(cells) else _CELL.sub(lambda cell: without(cell[0]), record)

    def _is_theirs(self, cells: Sequence[str]) -> bool:
        """Whether a row of a table is a message of the customer's, and not a copy of one."""
        told = [cell.strip("\ufeff ") for cell in cells if cell]
        return bool({*told[:1]} & self.traces.uids or {*told} & self.traces.keys)

    def _json(self, name: str, text: str, *, near: bool) -> str:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return self.traces.without(text, MARK, near=near)
        clean = self._value(name, value, near=near)
        if clean == value:
            return text
        written = json.dumps(clean, indent=1, ensure_ascii=text.isascii())
        return written + "\n" * text.endswith("\n")

    def _value(self, name: str, value: Any, *, near: bool) -> Any:
        without = partial(self.traces.without, mark=MARK, near=near)
        match value:
            case str():
                return marked_up(value, without) if "</" in value else without(value)
            case list():
                return [self._value(name, part, near=near) for part in value]
            case dict():
                clean = {
                    without(key): self._carried(name, part)
                    if key == FILES_TYPE
                    else self._value(name, part, near=near)
                    for key, part in value.items()
                }
                if value.get("uid") in self.traces.uids:
                    clean |= dict.fromkeys({"uid", "id", "text"} & clean.keys(), MARK)
                about = clean.get("metadata")
                if "data" in clean and about != value.get("metadata"):
                    kept = {each: clean["data"][each] for each in clean["data"]}
                    drawn = [each for each in kept if each.startswith("image/")]
                    clean["data"] = {each: part for each, part in kept.items() if each not in drawn}
                return clean
        return value

    def _carried(self, name: str, files: Mapping[str, str]) -> dict[str, str]:
        """Return the files that a notebook carries, each as it stands beside it."""
        home = name.rpartition("/")[0]
        clean = dict(files)
        for file, text in files.items():
            content = unpacked(text, _MOST)
            if (new := self.file(f"{home}/{file}", content)) != content:
                clean[file] = packed(new)
        return clean

    def _packed(self, name: str, content: bytes) -> bytes:
        """Return a zip or a workbook with its files cleaned; each folder of a zip by itself."""
        with suppress(zipfile.BadZipFile, RuntimeError, NotImplementedError):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                members, comment = archive.infolist(), archive.comment
                files = {member.filename: archive.read(member) for member in members}
            clean = dict(files)
            strings = [
                _value_of(found)
                for found in _STRING.findall(files.get("xl/sharedStrings.xml", b"").decode())
            ]
            for file, part in files.items():
                if re.fullmatch(r"xl/worksheets/[^/]+\.xml", file):
                    rows = partial(self._row, strings=strings)
                    clean[file] = _ROW.sub(rows, part.decode()).encode()
            for home in sorted({file.rpartition("/")[0] for file in files}):
                inside = {
                    file[len(home) :].strip("/"): clean[file]
                    for file in files
                    if file.rpartition("/")[0] == home and not file.endswith("/")
                }
                kept = self._hashes
                done = self.folder(f"{name}/{home}" if home else name, inside)
                self._hashes = kept
                clean |= {f"{home}/{file}".strip("/"): part for file, part in done.items()}
            if clean == files:
                return content
            written = io.BytesIO()
            with zipfile.ZipFile(written, "w") as archive:
                for member in members:
                    archive.writestr(member, clean[member.filename], member.compress_type, 9)
                archive.comment = comment
            return written.getvalue()
        self.unread.add(name)
        return content

    def _row(self, row: re.Match[str], strings: Sequence[str]) -> str:
        cells = [
            strings[int(_value_of(body))] if 't="s"' in kind else _value_of(body)
            for kind, body in _IN_ROW.findall(row[0])
        ]
        return "" if self._is_theirs(cells) else row[0]


def _value_of(cell: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", cell))


def _sha256(content: bytes) -> str:
    return sha256(content).hexdigest()


def decoded(content: bytes) -> tuple[str, str] | None:
    """Return a file's text and its encoding; None of a file that holds no text."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace"), "utf-16"
    if b"\0" in content:
        return None
    with suppress(UnicodeDecodeError):
        return content.decode(), "utf-8"
    return content.decode("latin-1"), "latin-1"


def marked_up(text: str, without: Callable[[str], str]) -> str:
    """Return HTML or XML with its texts and attributes cleaned; no picture of what was cleaned."""

    def piece(found: re.Match[str]) -> str:
        passed = found[0].startswith(("<style", "data:"))
        return found[0] if passed else without(found[0])

    def image(found: re.Match[str]) -> str:
        return (
            re.sub(r'src="[^"]*"', f'src="{_NO_PICTURE}"', found[0])
            if MARK in found[0]
            else found[0]
        )

    return _IMAGE.sub(image, _PIECE.sub(piece, text))
