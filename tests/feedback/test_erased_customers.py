"""What the area keeps of texts as hashes goes with them, and nothing else does."""

import hashlib
import io

import numpy as np
import pytest

from opslab import secret
from opslab.feedback.encoders import Cached
from opslab.feedback.erasure import VECTORS, forget, known, phrases
from opslab.feedback.intake import take_in
from opslab.feedback.naming import Phrases
from opslab.feedback.registry.state import KnownTheme, Registry, keys_of
from opslab.feedback.spec import Study

TEXT = "Hello, the app crashes when I open it, and then I start over. " * 3
EXPORT = """id,created_at,requester_id,requester_email,description
1,2026-09-01,c-1,ada@example.org,The app crashes
2,2026-09-02,c-2,bob@example.org,Where is my parcel
3,2026-09-03,c-1,ada@example.org,It crashes again
"""


class Counting:
    name, sha256, languages = "counting", "0" * 64, None

    def encode(self, texts):
        return np.array([[len(text), 1.0] for text in texts], np.float32)


def segment(texts):
    hashes = [hashlib.sha256(text.encode()).digest()[:8] for text in texts]
    keys = np.sort(np.frombuffer(b"".join(hashes), ">u8").astype("<u8"))
    vectors = np.stack([keys % 97, keys % 89], 1).astype("<f4")
    return np.array(vectors.shape, "<u8").tobytes() + keys.tobytes() + vectors.tobytes()


def test_parts_of_a_text_are_passages_and_clauses():
    parts = phrases([TEXT])
    assert {TEXT.strip(), "the app crashes when I open it"} <= parts


def test_a_file_of_vectors_of_theirs_goes_as_a_whole_and_is_never_changed():
    content = segment(["a", "b", "c"])
    assert forget("vectors-0/x.vectors", content, {"b", "z"}, "[erased]") == b""
    assert (
        forget("vectors-0/x.vectors-1f2e", content, {"b"}, "[erased]") == b""
    )  # what a killed run has left
    assert forget("vectors-0/x.vectors", content, {"z"}, "[erased]") == content
    assert forget("a/x.csv", b"b", {"b"}, "[erased]") == b"b"
    stream = io.BytesIO()
    np.savez(stream, keys=[hashlib.sha256(b"b").hexdigest()[:32]], vectors=np.ones((1, 3)))
    assert forget("vectors-0.npz", stream.getvalue(), {"b"}, "[erased]") == b""
    assert forget("vectors-0.npz", stream.getvalue(), {"z"}, "[erased]") == stream.getvalue()


def test_who_reads_vectors_meanwhile_never_gets_those_of_another_text(tmp_path):
    encoder = Cached(Counting(), tmp_path)
    encoder.encode(["another text"])
    encoder.encode(["mine is long", "theirs"])
    reader = Cached(Counting(), tmp_path)
    reader.encode(["another text"])  # where each is stored is known to it now
    files = [path for path in tmp_path.rglob("*") if path.suffix in VECTORS]
    assert len(files) > 1
    for path in files:
        if not forget(path.name, path.read_bytes(), {"theirs"}, "[erased]"):
            path.unlink()
    assert len([path for path in tmp_path.rglob("*") if path.suffix in VECTORS]) == len(files) - 1
    with pytest.raises(FileNotFoundError):
        reader.encode(["mine is long"])
    again = Cached(Counting(), tmp_path).encode(["mine is long", "theirs", "another text"])
    assert again.tolist() == [[12, 1], [6, 1], [12, 1]]


def test_a_registry_keeps_the_passages_of_others():
    centroid = np.array([1, 0], np.float32)
    said = sorted(["a", "b", "c"], key=lambda text: keys_of([text])[0])
    registry = Registry(
        study="s",
        encoder="e",
        encoder_name="e",
        next=2,
        themes=(KnownTheme(id="T01", centroid=centroid, phrases=()),),
        keys=keys_of(said),
        owners=np.array([-1 if each == "b" else 0 for each in said], np.int32),
    )
    fewer = Registry.of(
        forget("x/registry.json", registry.content(), {"B"}, "[erased]"), "registry.json"
    )
    assert fewer.keys.tolist() == sorted(keys_of(["a", "c"]).tolist())
    assert fewer.owners.tolist() == [0, 0]
    same = registry.content()
    assert forget("x/registry.json", same, {"z"}, "[erased]") == same


def test_a_theme_that_was_named_by_them_is_named_anew():
    centroid = np.array([1, 0], np.float32)
    themes = tuple(
        KnownTheme(id=name, centroid=centroid, phrases=(Phrases("en", ("app crashes",), title),))
        for name, title in (("T01", "The [erased] crashes"), ("T02", "The app crashes"))
    )
    registry = Registry(study="s", encoder="e", encoder_name="e", next=3, themes=themes)
    fewer = Registry.of(forget("registry.json", registry.content(), set(), "[erased]"), "")
    assert [theme.phrases for theme in fewer.themes] == [(), themes[1].phrases]
    again = fewer.content()
    assert forget("registry.json", again, set(), "[erased]") == again


@pytest.fixture
def study(workspace_folder):
    (workspace_folder / "mail.csv").write_text(EXPORT, encoding="utf-8")
    spec = "study: mail\nend: 2026-09-30\nsources: [{path: mail.csv, source: desk}]\n"
    (workspace_folder / "mail.yaml").write_text(spec, encoding="utf-8")
    return Study.load(workspace_folder / "mail.yaml")


def test_an_address_finds_the_id_beside_it_and_its_rows(study):
    about = known("Ada@Example.org ", None, ["mail.yaml", "gone.yaml"], set())
    key = secret.key(secret.secret_for(study.files()), "desk\0c-1")
    assert about.met == {key}
    assert about.remarks == [
        ("lost", ("gone.yaml", "gone.yaml")),
        ("held", ("mail", "mail.csv", 2, 4)),
    ]


def test_who_was_erased_is_left_out_and_counted(study, workspace_folder):
    own = secret.secret_for(study.files())
    stone = secret.tombstone(own, secret.key(own, "desk\0c-1"))
    (workspace_folder / secret.ERASED).write_text(f'{{"customer": "{stone}"}}\n', encoding="utf-8")
    intake = take_in(study)
    assert [message.text for message in intake.messages] == ["Where is my parcel"]
    assert (intake.erased, intake.empty, len(intake.rows)) == (2, 0, 3)


def test_a_source_without_customers_is_told(study, workspace_folder):
    texts = "".join(line.rpartition(",")[2] + "\n" for line in EXPORT.splitlines())
    (workspace_folder / "mail.csv").write_text(texts, encoding="utf-8")
    assert known("ada@example.org", None, ["mail.yaml"], set()).remarks == [
        ("unnamed", ("mail", "mail.csv"))
    ]
