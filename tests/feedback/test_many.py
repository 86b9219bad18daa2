"""Many messages: a sample shapes the themes, tables bear no texts, and it is told how far it is."""

import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from opslab import progress
from opslab.feedback import clustering, corpus, presentation, record, store, theme_pages
from opslab.feedback import quotes as quotes_of
from opslab.feedback.analysis import find_themes
from opslab.feedback.contrasts import contrasts
from opslab.feedback.corpus import sampled
from opslab.feedback.customer_message import CustomerMessage
from opslab.feedback.duplicates import NEAR, near_graph
from opslab.feedback.letters import Letter, without_repeated
from opslab.feedback.points import Passage
from opslab.feedback.priority import rank
from opslab.runs.execution import _watched
from opslab.runs.telling import telling


@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=200), st.integers(8, 100))
def test_the_sample_has_of_each_stratum_the_first_and_its_share(strata, most):
    rows = sampled(strata, most)
    assert rows == sorted(rows) == sampled(strata, most)
    assert len(rows) == min(most, len(strata))
    for name in set(strata):
        own = [at for at, stratum in enumerate(strata) if stratum == name]
        taken = [at for at in rows if strata[at] == name]
        assert taken == own[: len(taken)]  # in the order of the hashes that they come in
        assert taken
        assert abs(len(taken) - len(rows) * len(own) / len(strata)) <= len(set(strata)) + 1


THINGS = ["parcel", "card", "app", "refund", "printer", "charger", "invoice", "voucher"]
TEXTS = [
    f"{thing} {trouble} {place} {more}"
    for thing in THINGS
    for trouble in ("is late", "was lost", "is broken", "came twice")
    for place in ("at home", "in the shop", "on the phone")
    for more in ("again", "since Monday", "for my mother", "as always", "and nobody answers")
]


@pytest.fixture(scope="module")
def whole():
    return find_themes(TEXTS)


def test_themes_of_a_sample_are_those_of_all(whole, monkeypatch):
    """And nothing hangs on the order of the rows; agreement by scikit-learn's adjusted Rand index."""
    from sklearn.metrics import adjusted_rand_score

    monkeypatch.setattr(corpus, "MOST_FITTED", 240)
    part = find_themes(TEXTS)
    near = [
        {each.message.text: each.main.nearest for each in result.assignments}
        for result in (whole, part, find_themes(TEXTS[::-1]))
    ]
    first, second, third = ([one[text] for text in TEXTS] for one in near)
    assert adjusted_rand_score(first, second) > 0.7
    assert second == third


def test_tables_of_many_messages_bear_no_texts(whole, monkeypatch):
    monkeypatch.setattr(record, "MANY", len(TEXTS) - 1)
    monkeypatch.setattr(record, "MOST_LISTED", 100)
    table = record.tables(whole)["messages"]
    assert [*table] == (
        [
            "message",
            "source",
            "id",
            "row",
            "date",
            "language",
            "theme",
            "second",
            "confidence",
            "reason",
        ]
    )
    listed = {each.message.uid for each in whole.assignments[:100]}
    assert {*table["message"]} == listed
    assert table["row"].is_monotonic_increasing
    monkeypatch.undo()
    full = record.tables(whole)["messages"].set_index("message").loc[table["message"]]
    assert full["theme"].tolist() == table["theme"].tolist()


def test_the_page_says_so_in_both_languages(whole, monkeypatch):
    monkeypatch.setattr("opslab.feedback.presentation.MANY", len(TEXTS) - 1)
    for language, words in (("en", "without their texts"), ("fr", "sans leur texte")):
        assert words in str(presentation.method(whole, whole.voice(language)))
    monkeypatch.undo()
    assert "without their texts" not in str(presentation.method(whole, whole.voice("en")))


def test_many_themes_share_the_room_of_their_quotes(whole, monkeypatch):
    monkeypatch.setattr(theme_pages, "MOST_IN_ALL", 3 * (len(whole.themes) + 1))
    pages = theme_pages.pages(whole, whole.voice())
    assert {page.count(b"<li><p") for page in pages.values()} == {3}


def test_sparse_themes_compare_as_dense_ones():
    random = np.random.default_rng(0)
    inside = random.random((400, 6)) < 0.2
    plans, sources = random.choice(["team", "solo"], 400), random.choice(["x", "y"], 400)
    nobody = [None] * 400
    customers = [f"c{at}" for at in random.integers(0, 300, 400)]
    frames = [
        contrasts(table, {"plan": plans}, sources, customers)
        for table in (inside, sparse.csr_matrix(inside))
    ]
    assert np.allclose(*(frame.drop(columns=["trait", "value"]).astype(float) for frame in frames))
    for people in (customers, nobody):
        tables = [
            rank(table, people, sources, nobody, nobody, frames[0][:0], [True] * 6).table
            for table in (inside, sparse.csr_matrix(inside))
        ]
        assert np.allclose(*(table.to_numpy(float) for table in tables))


def test_a_form_among_many_letters_is_found_by_hashes():
    """Whose sentence stands in a third of them; what two share stays."""
    letters = [Letter((f"My own word is {at}x{'abc'[at % 3] * at}.",)) for at in range(30)]
    letters += [
        Letter((f"Please fill in this form below. It is {'de'[at % 2] * (at + 1)}.",))
        for at in range(20)
    ]
    cleaned = without_repeated(letters, [None] * 50)
    assert cleaned[:30] == letters[:30]
    assert all("form" not in letter.text for letter in cleaned[30:])
    assert all(letter.cut[0][0] == "repeated" for letter in cleaned[30:])


def test_progress_goes_to_the_runner_and_nowhere_else(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv(progress.VARIABLE, str(tmp_path / "progress"))
    progress.advanced(250, 1000)
    assert (tmp_path / "progress").read_text(encoding="utf-8") == "25"
    monkeypatch.delenv(progress.VARIABLE)
    progress.advanced(500, 1000)  # neither a terminal nor JupyterLab
    assert capfd.readouterr() == ("", "")
    monkeypatch.setenv("JPY_SESSION_NAME", "notebook.ipynb")
    progress.advanced(1000, 1000)
    assert capfd.readouterr().err == f"\r{'█' * 20} 100 %\n"


def test_the_runner_tells_each_percentage_once(tmp_path):
    import threading

    seen, came = [], threading.Event()

    def told(percent):
        seen.append(percent)
        came.set()

    (tmp_path / "progress").write_text("", encoding="utf-8")  # being written
    with _watched(tmp_path, told):
        for percent in (10, 20):
            (tmp_path / "progress").write_text(str(percent), encoding="utf-8")
            assert came.wait(30)
            came.clear()
    assert seen == [10, 20]


def test_a_scheduler_sees_tenths_of_a_long_cell_and_nothing_when_quiet(capsys):
    assert not sys.stderr.isatty()
    with telling("themes") as show:
        show(1, 3, "a")
        for percent in (4, 11, 12, 19, 30, 100):
            show(2, 3, "b", percent)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[-2] for line in lines] == ["11", "30", "100"]
    assert lines[0].startswith("themes: cell 2 of 3, b ██·")
    with telling("themes", quiet=True) as show:
        assert show is None


def peak(work):
    """Return the bytes that a call holds at its worst, and what it returns."""
    tracemalloc.start()
    result = work()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most, result


def test_texts_that_all_share_something_are_compared_some_at_a_time():
    """Nearly all pairs of 4,000 share a junction of words: they are 16 million."""
    random = np.random.default_rng(0)
    texts = [" ".join(random.permutation(THINGS)) for _ in range(4000)]
    most, _ = peak(lambda: near_graph([*dict.fromkeys(texts)], NEAR))
    assert most < 200e6


def test_placing_texts_keeps_two_themes_of_each_block(monkeypatch):
    """And not its order of all themes: 6,000 x 200 x 8 bytes."""
    monkeypatch.setattr(store, "HELD", 0)
    monkeypatch.setattr(store, "BLOCK", 256)
    random = np.random.default_rng(0)
    vectors = store.room(6000, 8)
    vectors[:] = random.normal(size=(6000, 8))
    fitted, labels = np.array(vectors[:400]), np.arange(400) % 200
    graph = sparse.identity(400, np.float32, "csr")
    most, (first, _, _) = peak(lambda: clustering._placed([vectors], [fitted], graph, labels))
    assert len(first) == 6000
    assert most < 6e6


def test_quotes_are_the_same_from_vectors_that_stand_in_a_file(monkeypatch):
    monkeypatch.setattr(store, "HELD", 0)
    monkeypatch.setattr(quotes_of, "_READ", 64)
    let_go = []
    monkeypatch.setattr(quotes_of, "let_go", lambda *tables: let_go.append(tables))
    heads = [
        CustomerMessage(str(at), "form", str(at), at, f"{text} today")
        for at, text in enumerate(TEXTS)
    ]
    said = [Passage(at, 0, each.text, each.text, None, False) for at, each in enumerate(heads)]
    held = np.random.default_rng(0).normal(size=(len(TEXTS), 8)).astype(np.float32)
    filed = store.room(*held.shape)
    filed[:] = held
    rows, middle = [*range(0, len(TEXTS), 2)], held.mean(axis=0)
    first, second = (quotes_of.quotes(heads, said, rows, own, middle) for own in (held, filed))
    assert first == second
    assert len(let_go) == 2 * (1 + -(-len(rows) // 64))  # what is typical, then the candidates
