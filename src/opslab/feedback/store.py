"""Vectors that are many: kept in files that are only added to, and out of memory while at work."""

from __future__ import annotations

import hashlib
import mmap
import os
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

HELD = 100_000
"""Rows of a table of vectors that memory holds; a larger one is a file while the process works."""

BLOCK = 16_384
"""Rows that are worked on, or encoded and kept, at a time."""

_HEAD = 16  # bytes at a segment's beginning: how many vectors it has, and of how many numbers


def room(rows: int, size: int) -> Vectors:
    """Return an empty table of vectors; a large one stands in a file that ends with it."""
    if rows <= HELD:
        return np.empty((rows, size), np.float32)
    with tempfile.TemporaryFile() as file:
        file.truncate(rows * size * 4)
        return np.memmap(file, np.float32, "r+", shape=(rows, size))


def blocks(*tables: Vectors) -> Iterator[slice]:
    """Yield the rows of tables, some at a time; what was read of files is let go.

    Where memory holds the first of them they are one block, whose sums are those of the whole.
    """
    count = len(tables[0])
    step = BLOCK if hasattr(tables[0], "_mmap") else max(count, 1)
    for first in range(0, count, step):
        yield slice(first, first + step)
        let_go(*tables)


def let_go(*tables: Vectors) -> None:
    """Let go of what memory holds of the tables that are files."""
    for table in tables:
        if (file := getattr(table, "_mmap", None)) and hasattr(mmap, "MADV_DONTNEED"):
            file.madvise(mmap.MADV_DONTNEED)


class Segments:
    """Vectors by the hash of their text, in files that are written once and never changed.

    A file holds the hashes in order, and then their vectors. It is written beside, and renamed when
    it is whole: two processes may write at once, and one that is killed leaves nothing that is
    read. A file that is not as long as it says is passed over.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._keys: dict[Path, NDArray[np.uint64]] = {}

    def known(self, keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Return which hashes have a vector, those that others have written by now among them."""
        for path in sorted({*self._folder.glob("*.vectors")} - {*self._keys}):
            if len(own := np.fromfile(path, "<u8", _shape(path)[0], offset=_HEAD)):
                self._keys[path] = own
        return np.isin(keys, np.concatenate([keys[:0], *self._keys.values()]))

    def read(self, keys: NDArray[np.uint64]) -> Vectors:
        """Return the vectors of hashes that are all known."""
        out = np.empty((0, 0), np.float32)
        for path, own in self._keys.items():
            shape, rows = _shape(path), np.searchsorted(own, keys)
            here = own[rows.clip(max=len(own) - 1)] == keys
            if here.any():
                vectors = np.memmap(path, "<f4", "r", _HEAD + 8 * shape[0], shape)[rows[here]]
                out = out if len(out) else np.empty((len(keys), shape[1]), np.float32)
                out[here] = vectors
        return out

    def add(self, keys: NDArray[np.uint64], vectors: Vectors) -> None:
        """Keep the vectors of hashes."""
        order = np.argsort(keys)
        hashes = keys[order].astype("<u8").tobytes()
        name = f"{hashlib.sha256(hashes).hexdigest()[:24]}.vectors"
        self._folder.mkdir(parents=True, exist_ok=True)
        draft = self._folder / f"{name}-{secrets.token_hex(4)}"
        try:
            with draft.open("xb") as file:
                file.write(np.array(vectors.shape, "<u8").tobytes() + hashes)
                file.write(vectors[order].astype("<f4").tobytes())
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._folder / name)
        finally:
            draft.unlink(missing_ok=True)


def _shape(path: Path) -> tuple[int, int]:
    """Return how many vectors a file holds and how long they are; none where it is cut short."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if len(head) == _HEAD:
        rows, size = np.frombuffer(head, "<u8").tolist()
        if path.stat().st_size == _HEAD + rows * (8 + 4 * size):
            return rows, size
    return 0, 0
