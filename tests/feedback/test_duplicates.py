"""Copies: the pairs found are those that comparing every pair finds."""

from hypothesis import given, settings
from hypothesis import strategies as st

from opslab.feedback.duplicates import NEAR, copies, near_graph, normal

WORDS = st.lists(
    st.sampled_from(["the", "app", "crashes", "parcel", "late", "again", "today"]),
    min_size=1,
    max_size=9,
)


def shingles(text):
    return {text[at : at + 5] for at in range(max(len(text) - 4, 1))}


@settings(deadline=None)
@given(st.lists(WORDS.map(" ".join), min_size=1, max_size=25, unique=True))
def test_the_prefix_filter_loses_no_pair(texts):
    sets = [shingles(text) for text in texts]
    expected = {
        (left, right)
        for left in range(len(sets))
        for right in range(left + 1, len(sets))
        if len(sets[left] & sets[right]) >= NEAR * len(sets[left] | sets[right])
    }
    graph = near_graph(texts, NEAR)
    pairs = zip(graph.row.tolist(), graph.col.tolist(), strict=True)
    assert sorted(tuple(sorted(pair)) for pair in pairs) == sorted(expected)


def test_case_marks_and_numbers_make_no_difference():
    texts = ["Order 123 is LATE!!", "order 9 is late", "order is late"]
    assert normal(texts[0]) == normal(texts[1])
    assert copies(texts)[0][:2] == [0, 0]


def test_a_template_is_a_long_text_in_five_wordings():
    base = "congratulations your address was drawn and you win a voucher claim it today on our page"
    spam = [base + extra for extra in ("", " now", " ok", " yes", " go", " eh")]
    copied, template = copies([*spam, "short text", "short text"])
    assert copied == [0] * 6 + [6, 6]
    assert template == [True] * 6 + [False, False]
