"""What a notebook has published: the last output of `report.publish`, as it stands in the file."""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import re
import zlib
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from pydantic import BaseModel

from opslab.archive import FILE_NAME, Status
from opslab.errors import InputError
from opslab.evidence import FILES_TYPE, RECORD_TYPE

_MOST_CARRIED = 100_000_000
"""Bytes of all the files beside a readout: packed, a thousand times as many need little room."""
_BEGINNINGS = {"pdf": b"%PDF-", "xlsx": b"PK\x03\x04"}
_PAGE = re.compile(
    rb"""<!DOCTYPE html>
<html lang="[a-z]{2}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; """
    rb"""style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>[^<]*+</title>
<style>[^<]*+</style>
</head>
(?:[^<]++|</?(?:a|body|details|h1|header|html|li|main|nav|ol|p|summary)"""
    rb"""(?: (?:class|dir|lang)="[^"<>]*+"| href="[a-z0-9-]++\.html")*+>)*+"""
)
"""A page of quotes: nothing in it runs or asks, and its links lead to files beside it."""


class NamedFile(BaseModel):
    """A file by its name and the hash of its bytes."""

    file: str
    sha256: str


class Held(BaseModel):
    """Of a record, what filing it needs."""

    status: Status
    as_of: datetime.date | None = None
    inputs: Sequence[NamedFile] = ()
    files: Sequence[NamedFile] = ()


class About(BaseModel):
    """What is noted beside a record; an area that has no documents notes None of them."""

    language: str | None = None
    opslab: str | None = None
    action: str | None = None
    tone: str | None = None
    facts: Sequence[str] = ()
    reason: str | None = None
    documents: Sequence[NamedFile] | None = None
    files: Sequence[NamedFile] = ()
    read: Sequence[NamedFile] = ()


class Publication(BaseModel):
    """A result as its notebook carries it.

    Attributes
    ----------
    record : dict
        What ``result.json`` will hold.
    held : Held
    about : About
    headline : str
    carried : dict
        Compressed bytes of the files beside the readout, by name.
    """

    record: dict[str, Any]
    held: Held
    about: About
    headline: str
    carried: dict[str, str]

    def contents(self) -> dict[str, bytes]:
        """Return the files that record and documents name.

        Raises `InputError` for one that is missing, or not the one that is named.
        """
        contents: dict[str, bytes] = {}
        for named in (*self.held.files, *self.about.files, *(self.about.documents or ())):
            content, file = b"", named.file
            if FILE_NAME.fullmatch(file):
                room = _MOST_CARRIED - sum(map(len, contents.values()))
                content = unpacked(self.carried.get(file, ""), room)
            kept = hashlib.sha256(content).hexdigest() == named.sha256
            if not kept or not _is_as_named(content, file):
                raise InputError.of("runs.bad_file", file=file)
            contents[file] = content
        return contents


def unpacked(packed: str, most: int) -> bytes:
    """Return a file's bytes; none of them when the text holds no file, or a larger one."""
    unpacking = zlib.decompressobj()
    with suppress(ValueError, zlib.error):
        content = unpacking.decompress(base64.b64decode(packed), most + 1)
        if unpacking.eof and len(content) <= most:
            return content
    return b""


def _is_as_named(content: bytes, file: str) -> bool:
    kind = file.rpartition(".")[2]
    if kind == "html":
        return bool(_PAGE.fullmatch(content))
    text = kind in ("csv", "yaml", "json", "md", "txt")
    return b"\0" not in content if text else content.startswith(_BEGINNINGS[kind])


def publication(notebook: Any, silent: Publication | None = None) -> Publication | None:
    """Return what a notebook has published last, or None when that is no result.

    Where it has published nothing at all, `silent` stands for it.
    """
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    published = [output for output in outputs if RECORD_TYPE in output.get("data", {})]
    if not published:
        return silent
    data, metadata = published[-1].data, published[-1].metadata
    record = data[RECORD_TYPE]
    content = {
        "record": record,
        "held": record,
        "about": metadata.get(RECORD_TYPE, {}),
        "headline": data.get("text/plain", ""),
        "carried": data.get(FILES_TYPE, {}),
    }
    try:
        json.dumps(record, allow_nan=False)
        return Publication.model_validate(content)
    except ValueError:  # pydantic's own is one
        return None
