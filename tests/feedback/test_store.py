"""Vectors in files: those of the encoder to the last bit, whatever happens while they are written."""

import multiprocessing
import os

import numpy as np
import pytest

from opslab.feedback import store
from opslab.feedback.clustering import centroids
from opslab.feedback.encoders import Cached, encoded, levelled, levels_of
from opslab.feedback.store import Segments, blocks, room

KEYS = np.array([7, 3, 2**64 - 1], np.uint64)
VECTORS = np.random.default_rng(0).normal(size=(3, 4)).astype("f")


class Letters:
    """An encoder whose vectors can be foretold."""

    name, languages = "letters", None

    def __init__(self, sha256="a" * 64):
        self.sha256, self.asked = sha256, 0

    def encode(self, texts):
        self.asked += len(texts)
        lengths = np.array([len(text) for text in texts], "f")[:, None]
        return lengths + np.float32(len(self.sha256)) / np.arange(3, 7, dtype="f")


def test_what_is_added_is_read_in_any_order(tmp_path):
    Segments(tmp_path).add(KEYS, VECTORS)
    Segments(tmp_path).add(np.array([5], np.uint64), VECTORS[:1] + 1)
    kept = Segments(tmp_path)
    asked = np.array([3, 5, 7, 2**64 - 1, 3, 8], np.uint64)
    assert kept.known(asked).tolist() == [True] * 5 + [False]
    expected = [VECTORS[1], VECTORS[0] + 1, VECTORS[0], VECTORS[2], VECTORS[1]]
    assert np.array_equal(kept.read(asked[:5]), expected)


def test_a_kill_before_the_end_leaves_nothing_that_is_read(tmp_path, monkeypatch):
    def killed(_descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", killed)
    with pytest.raises(KeyboardInterrupt):
        Segments(tmp_path).add(KEYS, VECTORS)
    monkeypatch.undo()
    (tmp_path / "a.vectors-1234").write_bytes(b"what a process left that was killed for good")
    kept = Segments(tmp_path)
    assert not kept.known(KEYS).any()
    kept.add(KEYS, VECTORS)
    assert kept.known(KEYS).all()


@pytest.mark.parametrize("left", [0, 5, 16, 40, 87])
def test_a_file_that_was_cut_short_is_written_again(tmp_path, left):
    encoder, texts = Letters(), ["a", "bb", "ccc"]
    expected = Cached(encoder, tmp_path).encode(texts)
    (file,) = tmp_path.glob("*/*.vectors")
    file.write_bytes(file.read_bytes()[:left])
    encoder.asked = 0
    assert np.array_equal(Cached(encoder, tmp_path).encode(texts), expected)
    assert encoder.asked == 4  # with the probe for the processor
    assert Segments(file.parent).known(np.empty(0, np.uint64)).size == 0
    assert len(list(file.parent.iterdir())) == 1


def _write(folder, first):
    cached = Cached(Letters(), folder)
    for at in range(first, first + 20):
        cached.encode(["x" * at, "x" * (at + 1)])


def test_two_processes_may_write_at_once(tmp_path):
    """Half of their texts are the same."""
    spawn = multiprocessing.get_context("fork")
    writers = [spawn.Process(target=_write, args=(tmp_path, first)) for first in (1, 11)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    encoder, texts = Letters(), ["x" * at for at in range(1, 31)]
    assert np.array_equal(Cached(encoder, tmp_path).encode(texts), Letters().encode(texts))
    assert encoder.asked == 1  # the probe alone
    assert not [path for path in tmp_path.glob("*/*") if path.suffix != ".vectors"]


def test_another_encoder_reads_nothing_of_it(tmp_path):
    Cached(Letters(), tmp_path).encode(["a"])
    other = Letters("b" * 60)
    assert np.array_equal(Cached(other, tmp_path).encode(["a"]), Letters("b" * 60).encode(["a"]))
    assert other.asked == 2


def test_many_vectors_are_those_of_few(tmp_path, monkeypatch):
    """In files and by blocks, cached or not; the middles of themes in another order of sums."""
    texts = ["x" * (at % 50) for at in range(300)]
    languages = ["en" if at % 3 else "fr" for at in range(300)]
    labels = np.arange(300) % 5 - 1
    few = Letters().encode(texts)
    level = levelled(few, languages, order=range(299, -1, -1))
    monkeypatch.setattr(store, "HELD", 100)
    monkeypatch.setattr(store, "BLOCK", 64)
    monkeypatch.setattr("opslab.feedback.encoders.BLOCK", 64)
    monkeypatch.setattr("opslab.feedback.encoders.TOLD", 100)
    for encoder in (Letters(), Cached(Letters(), tmp_path), Cached(Letters(), tmp_path)):
        many = encoded(encoder, texts)
        assert isinstance(many, np.memmap)
        assert [rows.start for rows in blocks(many)] == [0, 64, 128, 192, 256]
        assert np.array_equal(many, few)
    levels = levels_of(few, languages)
    again = levelled(many, languages, levels, range(299, -1, -1))
    assert isinstance(again, np.memmap)
    assert np.array_equal(again, levelled(few, languages, levels, range(299, -1, -1)))
    assert np.allclose(again, level)
    own = few[::-1]
    expected = [own[labels == theme].mean(axis=0) for theme in range(4)]
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert np.allclose(centroids(many, labels, 4, range(299, -1, -1)), expected, atol=1e-6)


def test_a_table_of_many_rows_is_a_file_that_goes_with_it(monkeypatch):
    monkeypatch.setattr(store, "HELD", 2)
    assert not isinstance(room(2, 3), np.memmap)
    table = room(3, 2)
    table[:] = 7
    for rows in blocks(table):
        assert (table[rows] == 7).all()
    assert (table == 7).all()  # what was let go is read again
