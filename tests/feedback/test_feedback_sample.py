"""The sample: the bytes that are shipped, and the truth beside them."""

import json
import runpy
from collections import Counter

from conftest import ROOT

SAMPLE = ROOT / "data" / "sample"
write = runpy.run_path(str(ROOT / "data" / "make_feedback.py"))["write"]


def test_the_same_bytes_as_shipped(tmp_path):
    written = write(tmp_path)
    assert len(written) == 5
    for path in written:
        assert path.read_bytes() == (SAMPLE / path.name).read_bytes(), path.name


def test_the_incident_is_in_week_five():
    truth = json.loads((SAMPLE / "feedback_truth.json").read_text(encoding="utf-8"))
    weeks = Counter(
        (int(name[-4:].strip("b")) - 1) // 90 + 1
        for name, theme in ((name.rstrip("b"), theme) for name, theme in truth["messages"].items())
        if theme == "payment"
    )
    assert weeks[truth["incident"]["week"]] > 2 * max(
        count for week, count in weeks.items() if week != 5
    )
