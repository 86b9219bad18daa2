"""The audit: the sheet's draw, and what people found."""

from opslab.feedback.audit import judge, random_sample


def test_the_sheet_is_a_draw_that_order_does_not_change():
    uids = [f"m{number}" for number in range(500)]
    names = {uids[at] for at in random_sample(uids, 1)}
    turned = uids[::-1]
    assert names == {turned[at] for at in random_sample(turned, 1)}
    assert len(names) == 120
    assert names != {uids[at] for at in random_sample(uids, 2)}


def test_judgements_of_another_theme_do_not_count():
    themes = {"a": "parcel", "b": "parcel", "c": "refund"}
    rows = [
        {"message": "a", "theme": "parcel", "right": "oui"},
        {"message": "b", "theme": "parcel", "right": "No"},
        {"message": "c", "theme": "parcel", "right": "yes"},
        {"message": "a", "theme": "parcel", "right": ""},
    ]
    audit = judge(rows, themes)
    assert (audit.judged, audit.right, audit.stale) == (2, 1, 1)
    assert judge(rows[3:], themes) is None
