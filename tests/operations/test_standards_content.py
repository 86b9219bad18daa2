"""What is no content, no figure and no evidence; what a review may not say; whose earlier run it cites."""

from __future__ import annotations

import io
import json
import zipfile

import pytest

import opslab
from conftest import ROOT, page_of
from opslab import operations
from opslab.errors import SpecError
from opslab.messages import LANGUAGES

TEMPLATES = ROOT / "src" / "opslab" / "operations" / "standards" / "templates"
NOTES = """---
template: meeting notes
owner: Ada
date: 2026-10-01
---
## Decisions

BODY

## Actions

Ada writes.

## Open questions

None.
"""
STRATEGY = """---
template: strategy
owner: Ada
date: 2026-10-01
review_by: 2026-12-01
baseline: 41 %
target: FIGURE
---
## Decision
The board, in September.
## Challenge
Late parcels.
## Choices
Ten cities.
## What we will not do
Lockers.
## Actions
Hire.
## What must be true
Drivers.

LINK
"""


def review(folder, documents, **fields):
    """Return the review of documents by path."""
    for path, content in documents.items():
        file = folder / "documents" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    given = {"standard": "s", "date": "2026-10-05", "documents": "documents"} | fields
    (folder / "standard.yaml").write_text(json.dumps(given), "utf-8")
    return operations.review_standards(operations.Standard.load(folder / "standard.yaml"))


def state(result, asked):
    """Return what there is of one thing asked of the only document."""
    return next(one.state for one in result.findings if one.asked == asked)


@pytest.mark.parametrize(
    "body",
    [
        "TBD",
        "- tbd.",
        "TODO",
        "à compléter",
        "to be completed",
        "N/A",
        "À définir en comité.",
        "- **À compléter par Inès**",
        "TBD next week",
        "1. To be confirmed by the board. TBC with Ada.",
        "| Decision | By |\n|---|---|\n| À préciser d'ici lundi | TBD in May |",
        "x",
        "<br>",
        "&nbsp;",
        "**",
        "- [ ]",
        "{{what we decided}}",
        "<what we decided>",
        "```\n\n```",
        "```text\nTBD\n```",
        "### Pricing",
        "### Pricing\n\nTBD\n\n#### More",
        "![](board.png)",
        "~~We go.~~",
        "<del>We go.</del> <s>Now.</s>",
        "| Decision | By |\n|---|---|\n| TBD | |\n| n/a | … |",
        "What was decided, by whom, on what ground.",
        "> *What was decided*, by whom, on what ground.",
        "Ce qui a été décidé, par qui, sur quelle base.",
        "| By | Owner | Action |\n|---|---|---|\n| | | |",
        "<table><tr><td>Owner</td></tr></table>",
    ],
)
def test_a_section_without_content_is_empty(tmp_path, body):
    assert state(review(tmp_path, {"a.md": NOTES.replace("BODY", body)}), "Decisions") == "empty"


@pytest.mark.parametrize(
    "body",
    [
        "We go.",
        "None.",
        "Aucune",
        "TBD: the price of lockers",
        "À définir en comité. Les dix villes sont choisies.",
        "What is to be decided next week is the price.",
        "### Pricing\n\nWe go.",
        "### Pricing\n\n#### Now\n\nWe go.",
        "What was decided, by whom, on what ground.\n\nWe go, says Ada.",
        "| Decision | By |\n|---|---|\n| We go | |",
        "~~We stop.~~ We go.",
        "![The curve of refusals](curve.png)",
        "```\nselect 1\n```",
    ],
)
def test_a_section_with_content_is_there(tmp_path, body):
    assert state(review(tmp_path, {"a.md": NOTES.replace("BODY", body)}), "Decisions") == "there"


def test_what_stands_in_the_next_section_is_not_in_the_one_before(tmp_path):
    text = NOTES.replace("## Decisions\n\nBODY", "# Decisions").replace("## Act", "### Act")
    result = review(tmp_path, {"a.md": text})
    assert (state(result, "Decisions"), state(result, "Actions")) == ("empty", "there")


@pytest.mark.parametrize("language", LANGUAGES)
def test_templates_are_empty_also_without_the_marks_of_their_comments(tmp_path, language):
    documents = {
        path.name: path.read_text("utf-8").replace("<!--", "").replace("-->", "")
        for path in TEMPLATES.glob(f"*.{language}.md")
    }
    assert len(documents) == 5
    result = review(tmp_path, documents)
    assert {one.state for one in result.findings if one.kind == "sections"} == {"empty"}
    assert "Example: " in "".join(documents.values()) or language == "fr"


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("33 %", "there"),
        ("33% by the end of 2027", "there"),
        ("from 2,000 to 1,500 tickets by 15 December", "there"),
        ("€2000", "there"),
        ("2000 €", "there"),
        ("under 2 s at p90", "there"),
        ("0", "there"),
        ("4,2 % fin 2027", "there"),
        ("3 refunds a day", "there"),
        ("2000 commandes par mois", "there"),
        ("less than 2000 orders", "there"),
        ("mieux que 2025 mars", "unclear"),
        ("2025 levels", "unclear"),
        ("2027 plus tard", "unclear"),
        ("2027 at the latest", "unclear"),
        ("TBD in Q3 2026", "unclear"),
        ("TBD in 3 weeks", "unclear"),
        ("to be measured in 2027", "unclear"),
        ("à mesurer au T4", "unclear"),
        ("à définir d'ici 2 mois", "unclear"),
        ("see slide 4", "unclear"),
        ("voir diapositive 12", "unclear"),
        ("as on page 7", "unclear"),
        ("better than in 2025", "unclear"),
        ("2026-12-31", "unclear"),
        ("31/12/2026", "unclear"),
        ("by 15 December", "unclear"),
        ("pour le 1er août 2027", "unclear"),
        ("v2.1", "unclear"),
        ("Q3", "unclear"),
        ("2027", "unclear"),
        ("week 42", "unclear"),
    ],
)
def test_a_day_a_year_or_a_slide_is_no_figure(tmp_path, written, known):
    text = STRATEGY.replace("FIGURE", f'"{written}"').replace("LINK", "https://wiki.example.com/a")
    assert state(review(tmp_path, {"a.md": text}), "Target value") == known


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("title", "Livraison : l'été, le dimanche"),
        ("title", "Livraison\xa0: le dimanche"),
        ("title", 'Delivery: the "Sunday" plan'),
        ("title", "Livraison :"),
        ("target", "50 % : fin 2026"),
        ("target", "> 50 %"),
        ("target", "*50 %*"),
        ("owner", "[Inès](https://people.example.com/ines)"),
        ("owner", "@ines"),
    ],
)
def test_front_matter_that_people_type_is_read(tmp_path, key, value):
    given = STRATEGY.replace("owner: Ada", "owner: Ada\ntitle: Plan").replace("FIGURE", "50 %")
    lines = [f"{key}: {value}" if at.startswith(f"{key}:") else at for at in given.splitlines()]
    result = review(tmp_path, {"a.md": "\n".join(lines)})
    assert not result.unread
    assert (state(result, "Owner"), state(result, "Target value")) == ("there", "there")
    if key == "title":
        assert result.findings[0].title == value.strip(" :")


@pytest.mark.parametrize(
    "front",
    [
        "owner: [Ada",
        "owner: Ada\nsome text",
        "owner: 'Ada",
        "owner: a: b\nowner: c",
        "a: &x 1\n\tb",
    ],
)
def test_broken_front_matter_is_told(tmp_path, front):
    assert len(review(tmp_path, {"a.md": f"---\n{front}\n---\n## Decisions\n"}).unread) == 1


def test_front_matter_of_yaml_is_read_as_yaml(tmp_path):
    front = (
        "target: >\n  50 % : now\ndate: 2026-10-01 # one: two\nowner: 'Ada: B'\nbaseline: \"1: 2\""
    )
    given = STRATEGY.replace("target: FIGURE\n", "").replace("baseline: 41 %\n", "")
    given = given.replace("owner: Ada\ndate: 2026-10-01", front)
    result = review(tmp_path, {"a.md": given})
    assert not result.unread
    assert (state(result, "Target value"), state(result, "Date")) == ("there", "there")


@pytest.mark.parametrize(
    ("link", "known"),
    [
        ("[x](https://wiki.example.com/a)", "there"),
        ("<https://wiki.example.com/a>", "there"),
        ("`experiment_readout/checkout/2026-09-28-b37a29ed`", "there"),
        ("~~https://wiki.example.com/a~~", "absent"),
        ("<del>https://wiki.example.com/a</del>", "absent"),
        ("![logo](https://example.com/logo.png)", "absent"),
        ("[![logo](https://example.com/logo.png)](https://example.com)", "absent"),
    ],
)
def test_what_is_struck_out_and_pictures_are_no_evidence(tmp_path, link, known):
    text = STRATEGY.replace("FIGURE", "50 %").replace("LINK", link)
    assert state(review(tmp_path, {"a.md": text}), "Evidence") == known


def test_a_link_of_the_template_is_no_evidence_in_a_document(tmp_path):
    (tmp_path / "own").mkdir()
    text = (
        "---\ntemplate: note\nevidence:\n---\n## View\n\nHow: https://wiki.example.com/how.\n"
        "<!-- such as https://wiki.example.com/good -->\n"
    )
    (tmp_path / "own" / "note.md").write_text(text, "utf-8")
    kept = text.replace("<!--", "").replace("-->", "")
    result = review(tmp_path, {"a.md": kept}, templates="own")
    assert (state(result, "View"), state(result, "Evidence")) == ("empty", "absent")


def page(link, head=""):
    """Return a strategy as HTML."""
    sections = ("Decision", "Challenge", "Choices", "What we will not do", "Actions")
    body = "".join(f"<h2>{name}</h2><p>Yes.</p>" for name in sections)
    keys = "<p>Owner: Ada</p><p>Date: 2026-10-01</p><p>Target: 5 %</p>"
    return f"<body>{head}<h1>Plan</h1>{keys}{body}<h2>What must be true</h2>{link}</body>"


@pytest.mark.parametrize(
    ("link", "head", "known"),
    [
        ('<a href="https://e.example/x">x</a>', "", "there"),
        ("", '<nav><a href="https://e.example/x">Home</a></nav>', "absent"),
        ("", '<header><a class="x" href="https://e.example/x"><b>Us</b></a></header>', "absent"),
        ("", "<header><h1>P</h1><p>Evidence: https://e.example/x</p></header>", "there"),
        ('<footer><p><a href="https://e.example/x">Us</a></p></footer>', "", "absent"),
        ('<a href="https://e.example/x"><img src="https://e.example/l.png"></a>', "", "absent"),
        ('<img src="https://e.example/l.png">', "", "absent"),
        ('<p><del>See <a href="https://e.example/x">x</a></del></p>', "", "absent"),
        ('<s><a href="https://e.example/x">x</a></s>', "", "absent"),
    ],
)
def test_navigation_logos_and_struck_text_of_html_are_no_evidence(tmp_path, link, head, known):
    result = review(tmp_path, {"a.html": page(link, head)})
    assert state(result, "Evidence") == known
    below = "there" if link.startswith('<a href="https://e.example/x">x') else "empty"
    assert state(result, "What must be true") in (below, "there" if "footer" in link else below)


def word(*paragraphs, links=""):
    """Return a Word document of headings and runs."""
    body = "".join(f"<w:p>{paragraph}</w:p>" for paragraph in paragraphs)
    with zipfile.ZipFile(content := io.BytesIO(), "w") as archive:
        archive.writestr("word/document.xml", f"<w:document><w:body>{body}</w:body></w:document>")
        archive.writestr("word/_rels/document.xml.rels", f"<Relationships>{links}</Relationships>")
    return content.getvalue()


def run(text):
    return f"<w:r><w:t>{text}</w:t></w:r>"


def heading(text):
    return f'<w:pPr><w:pStyle w:val="Heading2"/></w:pPr>{run(text)}'


@pytest.mark.parametrize("deleted", [True, False])
def test_what_is_deleted_in_word_does_not_count(tmp_path, deleted):
    kind = "hyperlink"
    address = f'<Relationship Id="rId7" Type="x/{kind}" Target="https://e.example/x"/>'
    said = run("We go.") + f'<w:{kind} r:id="rId7">{run("here")}</w:{kind}>'
    gone = said.replace("w:t>", "w:delText>")
    said = f'<w:del w:id="1" w:author="A">{gone}</w:del>' if deleted else said
    mark = '<w:rPr><w:del w:id="2" w:author="A"/></w:rPr>'  # a deleted end of a paragraph
    names = ("Decision", "Challenge", "Choices", "What we will not do", "Actions")
    parts = [part for name in names for part in (heading(name), f"{mark}{run('Yes.')}")]
    struck = "<w:r><w:rPr><w:b/><w:strike/></w:rPr><w:t>Old.</w:t></w:r>"
    content = word(*parts, heading("What must be true"), struck, said, links=address)
    result = review(tmp_path, {"a.docx": content})
    assert state(result, "What must be true") == ("empty" if deleted else "there")
    assert state(result, "Evidence") == ("absent" if deleted else "there")
    assert state(result, "Actions") == "there"


def test_a_word_link_that_no_text_uses_is_no_evidence(tmp_path):
    address = '<Relationship Target="https://e.example/x" Type="x/hyperlink" Id="rId7"/>'
    names = ("Decision", "Challenge", "Choices", "What we will not do", "Actions")
    parts = [part for name in names for part in (heading(name), run("Yes."))]
    assert state(review(tmp_path, {"a.docx": word(*parts, links=address)}), "Evidence") == "absent"


WHOLE = NOTES.replace("BODY", "We go.")


@pytest.mark.parametrize(("read", "unread"), [(10, 9), (2, 1), (1, 0), (1, 1), (3, 4)])
def test_what_was_not_read_keeps_it_from_saying_that_all_is_complete(tmp_path, read, unread):
    documents = {f"a{place}.md": WHOLE for place in range(read)}
    documents |= {f"b{place}.pdf": "%PDF" for place in range(unread)}
    result = review(tmp_path, documents)
    action = "stop" if unread >= read else "read" if unread else "keep"
    assert result.action == action
    if action == "read":
        assert f"{unread} document" in page_of(result, "en")
        assert "every document" not in page_of(result, "en")
    accepted = review(tmp_path, documents, accept={"read": "scans"})
    assert accepted.action == ("read" if unread else "keep")


def test_one_document_is_said_in_the_singular(tmp_path):
    result = review(tmp_path, {"a.md": WHOLE})
    assert result.headline().startswith("1 of 1 document is complete")
    assert result.headline("fr").startswith("1 document sur 1 est complet")


def test_what_to_do_first_says_of_how_many(tmp_path):
    text = STRATEGY.replace("FIGURE", "5 %")
    documents = {"a.md": text, "b.md": text, "c.md": text.replace("LINK", "https://e.example/x")}
    result = review(tmp_path, documents)
    assert "Add evidence first: 2 of 3 documents have none" in page_of(result, "en")
    shown = page_of(result, "fr").replace("&#39;", "'").replace("\xa0", " ")
    assert "Ajouter d'abord les preuves : 2 documents sur 3 n'en ont pas" in shown
    assert "interval" not in page_of(result, "en").split("How it was computed")[0]


def test_who_to_write_to_and_since_when(tmp_path):
    late = STRATEGY.replace("FIGURE", "5 %").replace("2026-10-01", "2026-04-07")
    hashed = f"Plan {'0f' * 16}.md"
    result = review(tmp_path, {"a.md": WHOLE, hashed: late})
    first, second = result.rows()
    assert (first["document"], first["owner"]) == (hashed, "Ada")
    assert "Date: 7 April 2026, 1 day out of date" in first["lacking"]
    assert second["lacking"] == ""
    lacking = repr(result.lacking)
    assert "0f0f" not in lacking
    assert lacking.index("Plan") < lacking.index("a.md")


def test_an_earlier_run_is_one_of_the_same_standard_and_earlier(workspace_folder):
    folder = workspace_folder / "mine"
    review(folder, {"a.md": WHOLE})
    first = opslab.run("standards_review", spec="mine/standard.yaml")
    cited = {"previous": [str(first.folder)]}
    (moved,) = review(folder, {}, date="2026-10-06", **cited).movements
    assert moved.both == 1
    with pytest.raises(SpecError, match=r"the run of s as of 5 October 2026.*of another, before"):
        review(folder, {}, standard="another", date="2026-10-06", **cited)
    for day in ("2026-10-05", "2026-09-01"):
        with pytest.raises(SpecError, match=r"previous\[1\].*an earlier run of the same standard"):
            review(folder, {}, date=day, **cited)


def test_two_reviews_beside_each_other_have_their_own_heads(tmp_path):
    first = review(tmp_path / "x", {"a.md": WHOLE})
    second = review(tmp_path / "y", {"a.md": WHOLE.replace("Ada\n", "TBD\n", 1)})
    shown = str(first.compare(second)._repr_mimebundle_())
    assert "The other one" in shown
    assert "Other keys" not in shown
