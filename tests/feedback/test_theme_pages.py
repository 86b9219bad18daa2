"""Pages of all quotes: nobody is missing, everything on them is text, and links lead somewhere."""

import datetime
import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import pandas as pd
import pytest

from opslab import feedback
from opslab.feedback.result import Assignment, Point
from opslab.feedback.theme_pages import page_of, pages
from opslab.report.blocks import html
from opslab.report.styles import cell_style
from opslab.runs.publication import _PAGE

MATTERS = {
    "parcel": ("my parcel is late", "where is my parcel", "the parcel never came"),
    "refund": ("I want a refund", "refund not paid", "no refund for weeks"),
    "login": ("login fails", "cannot login to the account", "login code is wrong"),
}
WORDS = ["abc", "klm", "xyz", "uvw", "rst", "opq"]


@pytest.fixture(scope="module")
def result():
    texts = [f"{said} {word}" for said in sum(MATTERS.values(), ()) for word in WORDS]
    texts += ["zebra", "giraffe eats leaves"]
    frame = pd.DataFrame(
        {
            "id": [f"case-{number}" for number in range(len(texts))],
            "text": texts,
            "date": [f"2026-09-{1 + number % 28:02d}" for number in range(len(texts))],
            "rating": [1 + number % 5 for number in range(len(texts))],
            "plan": ["pro" if number % 2 else "free" for number in range(len(texts))],
        }
    )
    answers = {"text": "text", "id": "id", "date": "date"}
    study = feedback.Study(study="pages", themes={"encoder": "lsa", "smallest": 4})
    found = feedback.find_themes(frame, study, answers=answers)
    assert len(found.themes) > 1
    assert not all(each.themes for each in found.assignments)
    return replace(found, assignments=(*found.assignments, *long(found)))


def long(found):
    """Return a message that makes points in two themes, and a copy of it."""
    first, second = (theme.id for theme in found.themes[:2])
    said = "One thing went wrong.", "So did the next.", "The third had no theme.", "And again one."
    themes = first, second, None, first
    points = tuple(Point(text=text, theme=theme) for text, theme in zip(said, themes, strict=True))
    message = replace(found.intake.messages[0], uid="long", id="case-900", text=" ".join(said))
    whole = Assignment(message, Point(text=message.text), points)
    copied = replace(message, uid="copy", id="case-901", text=message.text.upper())
    return whole, replace(whole, message=copied, copy_of="long")


class Page(HTMLParser):
    """The page as a reader gets it: quotes with what stands under them, links, elements."""

    def __init__(self, content):
        super().__init__()
        self.source = content.decode()
        self.tags, self.links, self.items, self.languages = [], [], [], []
        self.feed(self.source)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        given = dict(attributes)
        if tag == "a":
            self.links.append(given["href"])
        if tag == "li":
            self.items.append([])
        if tag == "p" and "lang" in given:
            self.languages.append(given["lang"])

    def handle_data(self, words):
        if self.items and words.strip() and self.tags[-1] != "a":
            self.items[-1].append(words)

    @property
    def quotes(self):
        return self.items[-self.source.split('class="quotes"')[1].count("<li>") :]


def filed(result, language="en"):
    """Return the pages that a run in a language brings."""
    return pages(result, result.voice(language))


def read(result, name):
    return Page(filed(result)[page_of(name)])


def test_a_result_brings_them_among_its_documents(result):
    documents = result.documents("fr")
    assert filed(result, "fr").items() <= documents.items()
    assert result.documents("fr") == documents  # the same bytes each time


def test_every_message_stands_on_the_page_of_each_of_its_themes_and_on_no_other(result):
    named = {page_of(theme.id): theme for theme in result.themes}
    documents = filed(result)
    assert [*documents] == [*named, "theme-none.html"]
    for file, content in documents.items():
        shown = re.findall(r" · (case-\d+)(?= ·|<)", content.decode())
        theme = named.get(file)
        members = [
            each
            for each in result.assignments
            if (theme.id in each.themes if theme else not each.themes)
        ]
        assert sorted(shown) == sorted(each.message.id for each in members)
        added = sum(theme is each for each in result.themes[:2]) * 2  # as `long` has
        assert theme is None or len(shown) == theme.messages + added


def test_a_quote_tells_when_where_from_whom_and_how_content(result):
    each = next(each for each in result.assignments if each.theme)
    message = each.message
    (quote,) = [item for item in read(result, each.theme).quotes if f" {message.id} " in item[-1]]
    assert quote[0] == message.text
    count = int(message.rating)
    assert quote[-1] == (
        f"{count} {'star' if count == 1 else 'stars'} · {message.date.day} September 2026"
        f" · {message.source} · {message.id} · plan: {message.traits['plan']}"
    )


def test_the_newest_come_first_and_messages_without_a_date_last(result):
    theme = result.themes[0].id
    undated = next(at for at, each in enumerate(result.assignments) if theme in each.themes)
    assignments = list(result.assignments)
    message = assignments[undated].message
    assignments[undated] = replace(assignments[undated], message=replace(message, date=None))
    under = [quote[-1] for quote in read(replace(result, assignments=assignments), theme).quotes]
    days = [int(day) for line in under for day in re.findall(r"(\d+) September", line)]
    assert days == sorted(days, reverse=True)
    assert len(days) == len(under) - 1
    assert message.id in under[-1]


def test_of_a_long_message_its_points_are_quoted_and_all_of_it_is_folded(result):
    first, second = (theme.id for theme in result.themes[:2])
    whole = result.assignments[-2].message.text
    for theme, said in (
        (first, "One thing went wrong. … And again one."),
        (second, "So did the next."),
    ):
        (quote,) = [item for item in read(result, theme).quotes if " case-900" in item[-1]]
        assert quote[:3] == [said, "The whole message", whole]


def test_a_copy_is_quoted_as_it_was_written(result):
    for theme in result.themes[:2]:
        (quote,) = [item for item in read(result, theme.id).quotes if " case-901" in item[-1]]
        assert quote[0] == result.assignments[-1].message.text
        assert len(quote) == 2  # it is all that was written: nothing to unfold


def test_what_is_unsorted_tells_why_and_what_it_is_nearest_to(result):
    quotes = read(result, "none").quotes
    titles = {theme.id: theme.called("en") for theme in result.themes}
    assert quotes
    for quote in quotes:
        each = next(
            each for each in result.assignments if f" {each.message.id} " in f"{quote[-1]} "
        )
        reason = {"between": "between two themes", "far": "far from every theme"}
        assert quote[-1].startswith(reason.get(each.main.reason, "in a theme with too few"))
        if each.main.nearest:
            assert f"nearest: {titles[each.main.nearest]}" in quote[-1]


HOSTILE = {
    "markup": "</p></li><script>alert(1)</script><img src=x onerror=alert(1)>",
    "address": "javascript:alert(1) <a href='javascript:alert(1)'>x</a> https://pwned.invalid",
    "template": "{{ 7 * 7 }}{% raw %}{{ say.language }}",
    "entity": "&lt;script&gt; &amp; &#x202e;",
    "long": "x" * 4000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("field", ["text", "source", "id", "title", "trait"])
def test_what_comes_from_outside_is_text(result, text, field):
    theme = result.themes[0]
    assignments = [
        replace(
            each,
            points=(),
            main=replace(each.main, text=text),
            message=replace(
                each.message,
                traits={text: text} if field == "trait" else {},
                **({field: text} if field in {"text", "source", "id"} else {}),
            ),
        )
        for each in result.assignments
        if each.theme == theme.id
    ]
    themes = [replace(theme, title=text, phrases=()) if field == "title" else theme]
    hostile = replace(result, themes=tuple(themes), assignments=tuple(assignments))
    (content,) = filed(hostile).values()
    page = Page(content)
    assert _PAGE.fullmatch(content)
    assert not {"script", "img"} & set(page.tags)
    assert set(page.links) == {"readout.html"}
    shown = " ".join(words for item in page.quotes for words in item) + unescape(page.source)
    assert text in shown


def test_direction_marks_are_seen_and_steer_nothing(result):
    each = next(each for each in result.assignments if each.theme)
    spoken = replace(each, message=replace(each.message, text="a\u202eb\u2066c\x1b[1m\ud800"))
    content = filed(replace(result, assignments=(spoken,)))[page_of(each.theme)].decode()
    assert "a\ufffdb\ufffdc\ufffd[1m\ufffd" in content


def test_no_more_than_a_page_bears_and_the_rest_is_told(result):
    theme = result.themes[0]
    each = next(each for each in result.assignments if each.theme == theme.id)
    many = [
        replace(each, points=(), message=replace(each.message, uid=f"{number:012d}"))
        for number in range(2003)
    ]
    page = read(replace(result, assignments=tuple(many)), theme.id)
    assert len(page.quotes) == 2000
    assert "2,000 are shown here; 3 more are in messages.csv." in page.source


@pytest.mark.parametrize("language", ["en", "fr"])
def test_pages_keep_the_rules_of_the_house(result, language):
    documents = filed(result, language)
    assert documents == filed(result, language)
    for content in documents.values():
        page = Page(content)
        assert _PAGE.fullmatch(content)  # as it must be to be filed
        assert page.source.startswith(f'<!DOCTYPE html>\n<html lang="{language}">')
        assert page.tags.count("h1") == 1
        assert set(page.languages) <= {"en", "fr", "?"}
        assert page.links[0] == "readout.html"
        assert set(page.links[1:]) <= set(documents)
    titles = [Page(content).source.split("<h1>")[1] for content in documents.values()]
    assert len({title.split("<")[0] for title in titles}) == len(titles)


def test_from_page_to_page_one_comes_to_all_of_them(result):
    documents = filed(result)
    seen, file = [], page_of(result.themes[0].id)
    while file:
        seen.append(file)
        onward = [link for link in Page(documents[file]).links[1:] if link not in seen]
        file = onward[0] if onward else None
    assert seen == [*documents]


def test_the_readout_links_to_every_page_and_only_to_pages(result):
    shown = [*result.themes.blocks(), *result.quotes.blocks(), *result.checks.blocks()]
    page = html(block for block in shown if hasattr(block, "_repr_html_"))
    links = re.findall(r'href="(theme-[^"]+)"', page)
    assert set(links) == set(filed(result))


def test_beside_a_notebook_where_no_page_stands_no_link_is_shown():
    """JupyterLab makes links absolute: there a page's address ends in ``/theme-t01.html?…``."""
    hidden = '.ref:is([href^="theme-"], [href*="/theme-"]):not([href*="readout"])'
    assert hidden + " { display: none; }" in cell_style()


def test_without_themes_there_is_a_page_of_all_messages():
    few = feedback.find_themes(["one thing", "quite another"], feedback.Study(study="few"))
    assert not few.themes
    (file,) = filed(few)
    assert file == "theme-none.html"
    assert len(read(few, "none").quotes) == 2
    assert feedback.find_themes([" "], feedback.Study(study="none")).documents("en") is None


def test_a_day_is_told_in_the_language_of_the_run(result):
    day = datetime.date(2026, 9, 3)
    assert any(each.message.date == day for each in result.assignments)
    french = b"".join(filed(result, "fr").values()).decode()
    assert "3 septembre 2026" in french
    assert "Retour au compte rendu" in french
