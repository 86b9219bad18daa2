"""What documents hold of what their templates ask: the sample's truth, every kind of file, hostile ones."""

from __future__ import annotations

import datetime
import io
import json
import zipfile

import pytest
from statsmodels.stats.proportion import proportion_confint

from conftest import ROOT
from opslab import operations
from opslab.errors import DataError, ParameterError, SpecError
from opslab.operations.standards.review import read_day

SAMPLE = ROOT / "data" / "sample"
TRUTH = json.loads((SAMPLE / "standard_truth.json").read_text("utf-8"))
NOTES = """---
template: meeting notes
owner: Ada
date: 2026-10-01
---
## Decisions

Go.

## Actions

Ada writes.

## Open questions

None.
"""
DAY = datetime.date(2026, 10, 5)


def review(folder, documents, **fields):
    """Return the review of documents by path."""
    for path, content in documents.items():
        file = folder / "documents" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    spec = folder / "standard.yaml"
    given = {"standard": "s", "date": "2026-10-05", "documents": "documents"} | fields
    spec.write_text(json.dumps(given), "utf-8")
    return operations.review_standards(operations.Standard.load(spec))


def states(result, path):
    """Return what there is of each thing asked of a document."""
    return {one.asked: one.state for one in result.findings if one.document == path}


def lacking(result):
    """Return what is not there, by document."""
    known = {}
    for one in result.findings:
        if one.state != "there":
            known.setdefault(one.document, {})[str(one.asked)] = one.state
    return known


@pytest.fixture(scope="module")
def sample():
    return operations.review_standards(operations.Standard.load(SAMPLE / "standard.yaml"))


def test_the_sample_is_as_its_truth_says(sample):
    assert lacking(sample) == TRUTH["lacking"]
    table = sample.frame().set_index("document")
    assert len(table) == TRUTH["documents"]
    assert sorted(table.index[table.held == table.asked]) == TRUTH["whole"]
    for path, template in TRUTH["recognised"].items():
        assert table.template[path] == template
    assert [problem.file for problem in sample.unread] == TRUTH["unread"]
    assert (sample.share.whole, sample.share.documents) == (5, 10)
    (moved,) = (
        movement._asdict() | {"as_of": str(movement.as_of)} for movement in sample.movements
    )
    assert TRUTH["moved"].items() <= moved.items()
    assert len(moved["new"]) == 6
    assert sample.share.held == sample.share.asked - sum(map(len, TRUTH["lacking"].values()))


def test_evidence_is_the_share_with_its_interval(sample):
    (found,) = sample.evidence()
    assert (found.kind, found.benefit, found.grade) == ("descriptive", "quality", "E")
    assert found.quantity.value == 0.5
    ends = proportion_confint(5, 10, alpha=0.1, method="jeffreys")
    assert (found.quantity.low, found.quantity.high) == pytest.approx(ends, abs=1e-12)
    assert found.quantity.distribution.mean == pytest.approx(5.5 / 11)


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-10-05", DAY),
        ("2026-10-05T09:30:00Z", DAY),
        ("5 October 2026", DAY),
        ("Monday, October 5th, 2026", DAY),
        ("5 oct. 2026", DAY),
        ("le 5 octobre 2026", DAY),
        ("1er août 2026", datetime.date(2026, 8, 1)),
        ("13/04/2026", datetime.date(2026, 4, 13)),
        ("04/13/2026", datetime.date(2026, 4, 13)),
        ("05/05/2026", datetime.date(2026, 5, 5)),
        ("03/04/2026", None),
        ("31 février 2026", None),
        ("soon", None),
        ("Q4 2026", None),
    ],
)
def test_days_are_read_where_they_say_one_thing(written, day):
    assert read_day(written) == day


@pytest.mark.parametrize(
    ("old", "new", "asked", "state"),
    [
        ("owner: Ada", "owner: TBD", "Owner", "empty"),
        ("owner: Ada", "owner: owner", "Owner", "empty"),
        ("owner: Ada", "owner: '?'", "Owner", "empty"),
        ("owner: Ada\n", "owner:\n", "Owner", "empty"),
        ("owner: Ada\n", "", "Owner", "absent"),
        ("owner: Ada", "responsable: Ada", "Owner", "there"),
        ("owner: Ada", "Owner: Ada", "Owner", "there"),
        ("date: 2026-10-01", "date: 2026-10-06", "Date", "unclear"),
        ("date: 2026-10-01", "date: 2019-10-01", "Date", "there"),  # nobody reviews notes
        ("## Decisions", "# 1. DECISION", "Decisions", "there"),
        ("## Decisions", "## Décisions", "Decisions", "there"),
        ("## Decisions", "```\n## Decisions\n```", "Decisions", "absent"),
        ("Go.", "<!-- Go. -->", "Decisions", "empty"),
        ("Go.", "### Sub\n\nGo.", "Decisions", "there"),
        ("Go.", "```\ngo()\n```", "Decisions", "there"),
        ("Ada writes.", "| Action | Owner | By |\n|---|---|---|\n| | | |", "Actions", "empty"),
        ("Ada writes.", "| Action | Owner | By |\n|---|---|---|\n| Go | | |", "Actions", "there"),
    ],
)
def test_what_counts_as_there(tmp_path, old, new, asked, state):
    assert old in NOTES
    result = review(tmp_path, {"a.md": NOTES.replace(old, new)})
    assert states(result, "a.md")[asked] == state
    others = {name: known for name, known in states(result, "a.md").items() if name != asked}
    assert set(others.values()) <= {"there"}


BRIEF = """---
template: experiment brief
owner: Ada
date: 2026-10-01
baseline: 31 %
target: 33 %
---
## Question
q
## Hypothesis
LINK
## Metrics
m
## Design
d
## Decision rule
r
"""


@pytest.mark.parametrize(
    ("link", "state"),
    [
        ("[x](https://wiki.example.com/a)", "there"),
        ("experiment_readout/checkout-button/2026-09-28-b37a29ed", "there"),
        ("[x](javascript:alert(1))", "absent"),
        ("[x](http://wiki.example.com)", "absent"),
        ("`https:` //wiki", "absent"),
        ("<!-- https://wiki.example.com -->x", "absent"),
        ("```\nhttps://wiki.example.com\n```", "absent"),
    ],
)
def test_evidence_is_a_link_that_can_be_followed(tmp_path, link, state):
    result = review(tmp_path, {"a.md": BRIEF.replace("LINK", link)})
    assert states(result, "a.md")["Evidence"] == state


@pytest.mark.parametrize(
    ("target", "state"), [("33 %", "there"), ("better", "unclear"), ("TBD", "empty")]
)
def test_a_target_has_a_figure(tmp_path, target, state):
    result = review(tmp_path, {"a.md": BRIEF.replace("33 %", target)})
    assert states(result, "a.md")["Target value"] == state


CONFLUENCE = """<!DOCTYPE html><html><head><title>Roadmap</title><style>h2 {}</style></head><body>
<h1 id="title-heading">Space : Plan</h1><table><tbody>
<tr><th><p>Owner</p></th><td class="x"><p>Ada Byron</p></td></tr>
<tr><th><p><strong>Date</strong></p></th><td><p>1 Oct 2026</p></td></tr></tbody></table>
<H2 id="a">Decisions</H2><p>Go, see <a class="external-link" href="https://wiki.example.com/a?b=1&amp;c=2" rel="nofollow">this</a>.</p>
<h2><span>Open questions</span></h2><script>var never = "words";</script>
<pre>## Actions</pre>
<a href="https://www.atlassian.com/">Atlassian</a></body></html>"""


def test_an_exported_page_of_confluence(tmp_path):
    result = review(tmp_path, {"team/Plan_12345678.html": CONFLUENCE})
    path = "team/Plan_12345678.html"
    assert states(result, path) == {
        "Template": "there",
        "Decisions": "there",
        "Actions": "absent",
        "Open questions": "there",  # a preformatted text stands below it
        "Owner": "there",
        "Date": "there",
    }
    (row,) = result.rows()
    assert (row["title"], row["team"], row["template"]) == ("Plan", "team", "meeting notes")


def word(body, links=""):
    with zipfile.ZipFile(content := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", body)
        archive.writestr("word/_rels/document.xml.rels", links)
    return content.getvalue()


def test_a_french_word_document(tmp_path):
    body = "".join(
        f'<w:p><w:pPr><w:pStyle w:val="Titre1"/></w:pPr><w:r><w:t>{name}</w:t></w:r></w:p>'
        "<w:p><w:r><w:t>Oui.</w:t></w:r></w:p>"
        for name in ("Décisions", "Actions", "Questions ouvertes")
    )
    head = "<w:p><w:r><w:t>Responsable : </w:t></w:r><w:r><w:t>Ada</w:t></w:r></w:p>"
    table = (
        "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>Date</w:t></w:r></w:p></w:tc><w:tc><w:tcPr><w:tcW/></w:tcPr>"
        "<w:p><w:r><w:t>1er octobre 2026</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
    )
    result = review(tmp_path, {"a.docx": word(f"<w:body>{head}{table}{body}</w:body>")})
    assert set(states(result, "a.docx").values()) == {"there"}


def test_hostile_files_are_told_or_read_as_text_in_no_time(tmp_path):
    laughs = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><w:p>&b;</w:p>'
    documents = {
        "good.md": NOTES,
        "good too.md": NOTES + "\n<script>alert(1)</script>",
        **{f"plain {place}.md": NOTES for place in range(6)},
        "laughs.docx": word(laughs),
        "bomb.docx": word("<w:p>" + "a" * 50_000_000),
        "not.docx": b"PK\x03\x04 nothing",
        "bytes.md": b"\xff\xfe\x00",
        "yaml.md": "---\na: [1\n---\n## Decisions\n",
        "aliases.md": "---\na: &a [x, x]\nb: *a\nb: 1\n---\n",
        "deep.html": "<div>" * 200_000 + "x",
        "tags.html": "<script>" * 100_000,
        "links.html": '<a href="https:' * 60_000,
        "comments.md": "<!-- " * 200_000,
        "fences.md": "```\n" * 200_000,
        "heads.md": "# a\n" * 200_000,
        "keys.md": "a" * 500_000 + ":" * 500_000,
        "spaces.html": "<p>" + " </p>" * 200_000,
        "old.doc": b"\xd0\xcf",
    }
    result = review(tmp_path, documents)
    told = {problem.file: problem.text() for problem in result.unread}
    assert {"bomb.docx", "not.docx", "bytes.md", "yaml.md", "aliases.md", "old.doc"} == {*told}
    assert "yaml.md, line 3: This is not valid YAML" in told["yaml.md"]
    assert result.check("read").status == "warn"


def test_more_unread_than_read_is_no_result(tmp_path):
    result = review(tmp_path, {"a.md": NOTES, "b.pdf": b"%PDF", "c.png": b""})
    assert (result.broken, result.others, result.evidence()) == (True, 1, [])
    assert "could not be read" in result.headline()
    accepted = review(tmp_path, {}, accept={"read": "scans"})
    assert not accepted.broken


def test_own_templates_are_the_standard(tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    (own / "meeting_notes.fr.md").write_text(
        "---\nmodèle: notes\ntitre:\néquipe:\nresponsable:\nsalle:\n---\n## Décisions\n", "utf-8"
    )
    result = review(tmp_path, {"a.md": NOTES}, templates="own")
    assert (
        states(result, "a.md")
        == {
            "Template": "there",
            "Décisions": "there",
            "Owner": "there",
            "salle": "absent",
        }
        or states(result, "a.md")["Template"] == "absent"
    )
    (own / "meeting_notes.en.md").write_text("---\ntemplate: notes\n---\n## A\n## B\n", "utf-8")
    with pytest.raises(SpecError, match="not as many sections"):
        review(tmp_path, {"a.md": NOTES}, templates="own")


def test_names_and_order_of_files_change_nothing_but_names(tmp_path):
    documents = {"b/one.md": NOTES, "a/two.md": BRIEF, "a/three.md": NOTES.replace("Ada", "TBD")}
    first = review(tmp_path / "x", documents)
    renamed = {f"z{place}/n{place}.md": text for place, text in enumerate(documents.values())}
    second = review(tmp_path / "y", renamed)
    assert first.share == second.share
    assert first.kinds == second.kinds


def test_every_file_is_in_the_identity_of_a_run(tmp_path):
    review(
        tmp_path,
        {"a.md": NOTES, ".hidden.md": NOTES, ".git/c.md": NOTES, "old/b.md": NOTES},
        exclude=["old/*"],
    )
    standard = operations.Standard.load(tmp_path / "standard.yaml")
    assert standard.paths() == ["a.md"]
    before = standard.files()
    (tmp_path / "documents" / "later.md").write_text(NOTES)
    assert len(standard.files()) == len(before) + 1


def test_what_cannot_be_reviewed_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"\*\.md is not there"):
        review(tmp_path, {})
    with pytest.raises(ParameterError, match="as_of"):
        review(tmp_path, {"a.md": NOTES}, date=None)
    with pytest.raises(SpecError, match="read_"):
        review(tmp_path, {"a.md": NOTES}, accept={"read_": "x"})


def test_two_thousand_documents_in_three_seconds(tmp_path):
    documents = {f"t{place % 9}/n{place}.md": NOTES for place in range(2_001)}
    review(tmp_path, documents)
    standard = operations.Standard.load(tmp_path / "standard.yaml")
    result = operations.review_standards(standard)
    assert (result.share.documents, len(result.unread)) == (2_000, 1)
    assert "2,000 documents" in result.unread[0].text()
    assert len(json.dumps(result.record())) < 1_000_000


def test_a_template_of_ones_own_replaces_the_one_brought_under_all_its_names(tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    text = "---\ntemplate: minutes\n---\n## Topics\n\nSee https://wiki.example.com/how\n"
    (own / "meeting_notes.md").write_text(text, "utf-8")
    (own / "look.md").write_text(
        "---\ntemplate: look\nevidence:\n---\n## View\nhttps://a.example\n"
    )
    documents = {
        "a.md": "---\nmodèle: compte rendu de réunion\n---\n## Décisions\n## Actions\n## Questions ouvertes\n",
        "b.md": NOTES,
        "d.md": "No template, no heading.",
        "c.md": "---\ntemplate: look\n---\n## View\nmine\nhttps://a.example\n",
    }
    result = review(tmp_path, documents, templates="own")
    assert states(result, "a.md") == {"Template": "absent"}
    assert states(result, "b.md") == {"Template": "there", "Topics": "absent"}
    assert states(result, "d.md") == {"Template": "absent"}
    assert states(result, "c.md")["Evidence"] == "absent"  # the link is the template's own


def test_what_stands_at_a_key_is_kept_short(tmp_path):
    result = review(tmp_path, {"a.md": NOTES.replace("2026-10-01", "x" * 100_000)})
    assert max(len(one.value) for one in result.findings) == 200
