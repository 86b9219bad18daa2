"""What a cell shows, and what the last one carries along."""

from __future__ import annotations

import hashlib
import json
import zlib
from base64 import b64decode
from dataclasses import replace

import matplotlib.pyplot as plt
import pytest

from opslab import __version__
from opslab.errors import ON_BLOCKING, BlockingCheckError, ParameterError
from opslab.evidence import FILES_TYPE, RECORD_TYPE
from opslab.report import Figure, publish, show
from opslab.report.blocks import Cell, Fact, Facts, Heading, Paragraph, Table, Verdict
from opslab.report.cells import HTML, bundle
from opslab.report.styles import cell_style

TABLE = Table("Arms", ["arm", "units"], [["control", "12"]], (1,))


@pytest.fixture
def outputs(monkeypatch):
    """What is displayed: pairs of data and metadata."""
    displayed = []

    def display(data, *, metadata, raw):
        assert raw
        displayed.append((data, metadata))

    monkeypatch.setattr("IPython.display.display", display)
    monkeypatch.setattr("opslab.provenance.files_read", list)  # the other tests read some
    return displayed


def test_blocks_bring_their_style_and_tell_its_length_and_their_headings():
    data, metadata = bundle(Heading("What <changed>?"), TABLE, Heading("By day", 3))
    style = metadata[HTML]["style"]
    assert data[HTML][:style] == cell_style()
    assert data[HTML][style:].startswith('<div class="opslab"><h2 id="what-changed">What &lt;')
    assert data[HTML].endswith("</div>")
    assert metadata[HTML]["headings"] == [
        [2, "what-changed", "What <changed>?"],
        [3, "by-day", "By day"],
    ]
    assert "control" in data["text/plain"]
    assert json.loads(json.dumps(metadata)) == metadata


def test_blocks_stand_together_and_figures_alone(outputs):
    drawing, _ = plt.subplots()
    figure = Figure(drawing, "Nothing is drawn.", "Nothing")
    show(Heading("A"), Paragraph("b"), figure, figure, Paragraph("c"))
    plt.close(drawing)
    assert [(HTML in data, "image/svg+xml" in data) for data, _ in outputs] == [
        (True, False),
        (False, True),
        (False, True),
        (True, False),
    ]
    assert "<h2" in outputs[0][0][HTML]
    assert outputs[1][1]["image/svg+xml"]["alt"] == "Nothing is drawn."


class Published:
    """A result that is no area's."""

    language = "fr"
    taken = ()

    def __init__(self, beside=(), printed=None):
        self.beside, self.printed = dict(beside), printed

    def first_screen(self, language):
        facts = [
            Fact("Lift", "+8%", ["95%: +2% to +14%", "sure"]),
            Fact("Days", "28"),
            Fact("A", "1"),
            Fact("B", "2"),
        ]
        title = f"Title {language}"
        return Verdict("Kind", title, None, "Ship", "It holds.", "good", facts=Facts(facts))

    def headline(self, language):
        return f"It holds ({language})."

    def record(self):
        return {"status": "complete"}

    def files(self):
        return self.beside

    def takeaway(self, language):
        return {f"{name}.xlsx": language.encode() for name in self.taken}

    def documents(self, language):
        return self.printed


def test_the_last_cell_shows_the_first_screen_and_carries_the_record(outputs):
    publish(Published())
    ((data, metadata),) = outputs
    assert data["text/plain"] == "It holds (None)."
    assert data[RECORD_TYPE] == {"status": "complete"}
    assert FILES_TYPE not in data
    assert data[HTML].startswith(cell_style())
    assert metadata[HTML]["headings"] == [[1, "", "Title None"]]
    assert metadata[RECORD_TYPE] == {
        "language": "fr",
        "opslab": __version__,
        "action": "Ship",
        "tone": "good",
        "facts": [
            "Lift \N{EN DASH} +8% (95%: +2% to +14%; sure)",
            "Days \N{EN DASH} 28",
            "A \N{EN DASH} 1",
        ],
        "read": [],
    }


def test_a_language_of_ones_own(outputs):
    publish(Published(), "en")
    ((data, metadata),) = outputs
    assert data["text/plain"] == "It holds (en)."
    assert metadata[RECORD_TYPE]["language"] == "en"


def test_files_and_documents_travel_packed_and_documents_are_told_by_hash(outputs):
    publish(Published({"themes.csv": b"a" * 1000}, {"case.pdf": b"%PDF"}))
    ((data, metadata),) = outputs
    carried = {
        name: zlib.decompress(b64decode(content)) for name, content in data[FILES_TYPE].items()
    }
    assert carried == {"themes.csv": b"a" * 1000, "case.pdf": b"%PDF"}
    assert len(data[FILES_TYPE]["themes.csv"]) < 100
    assert metadata[RECORD_TYPE]["documents"] == [
        {"file": "case.pdf", "sha256": hashlib.sha256(b"%PDF").hexdigest()}
    ]


def test_a_kind_with_documents_that_cannot_be_made_says_none(outputs):
    publish(Published(printed={}))
    assert outputs[0][1][RECORD_TYPE]["documents"] == []
    assert FILES_TYPE not in outputs[0][0]


class Red(Published):
    def first_screen(self, language):
        reasons = [Cell("Units are missing.", remark="12"), "And more."]
        return replace(super().first_screen(language), reasons=reasons)

    def record(self):
        return {"status": "check_failed"}


def test_a_red_check_names_its_first_reason_and_is_no_error_by_itself(outputs, monkeypatch):
    monkeypatch.delenv(ON_BLOCKING, raising=False)
    publish(Red())
    ((_, metadata),) = outputs
    assert metadata[RECORD_TYPE]["reason"] == "Units are missing."


def test_a_red_check_is_an_error_where_that_is_asked_for(outputs, monkeypatch):
    monkeypatch.setenv(ON_BLOCKING, "raise")
    with pytest.raises(BlockingCheckError) as raised:
        publish(Red(), "en")
    assert str(raised.value) == "It holds (en). Units are missing."
    assert outputs[0][0][RECORD_TYPE] == {"status": "check_failed"}
    publish(Published())  # what is not red raises nothing


@pytest.mark.parametrize("asked", ["Raise", "1", " raise"])
def test_another_word_is_refused_before_anything_is_shown(outputs, monkeypatch, asked):
    monkeypatch.setenv(ON_BLOCKING, asked)
    with pytest.raises(ParameterError, match=f"^{ON_BLOCKING} is {asked}; write raise"):
        publish(Published())
    assert outputs == []
