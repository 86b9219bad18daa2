"""Themes as rows for Jira, Linear and Productboard: what their imports would read of them."""

import csv
import io
import re
from dataclasses import replace

import pandas as pd
import pytest

from opslab import feedback
from opslab.feedback import handover
from opslab.feedback.routing import Route
from opslab.results import Check, Message

MATTERS = {
    "parcel": ("my parcel is late", "where is my parcel", "the parcel never came"),
    "refund": ("I want a refund", "refund not paid", "no refund for weeks"),
    "login": ("login fails", "cannot login to the account", "login code is wrong"),
}
WORDS = ["abc", "klm", "xyz", "uvw", "rst", "opq"]
HEADINGS = {
    "jira": ["Summary", "Description", "Issue Type", "Priority", "Labels", "Labels", "Labels"],
    "linear": ["Title", "Description", "Status", "Priority", "Assignee", "Labels"],
    "productboard": ["title", "content", "tags"],
}
KINDS = {"T01": {"problem": 3, "other": 1}, "T02": {"other": 9, "wish": 2}, "T03": {"?": 4}}


@pytest.fixture(scope="module")
def result():
    texts = [f"{said} {word}" for said in sum(MATTERS.values(), ()) for word in WORDS]
    study = feedback.Study(study="tickets", themes={"encoder": "lsa"})
    found = feedback.find_themes(texts, study)
    assert len(found.themes) >= 3
    themes = [replace(theme, kinds=KINDS.get(theme.id, {})) for theme in found.themes]
    quiet = tuple(replace(check, blocking=False) for check in found.checks)
    return replace(found, themes=tuple(themes), checks=quiet, ranking=found.ranking.iloc[:0])


def ranked(result, **bands):
    return replace(
        result, ranking=pd.DataFrame({"theme": [*bands], "band": [*map(float, bands.values())]})
    )


def routed(theme, team):
    return replace(theme, route=Route(team, team or "Web", None, 0.5, 0.1))


def rows(result, tool, language="en"):
    """Return headings and rows as a reader of RFC 4180 gets them."""
    content = handover.files(result, result.voice(language))[f"{tool}.csv"].decode("utf-8")
    headings, *read = csv.reader(io.StringIO(content, newline=""), strict=True)
    assert {len(row) for row in read} == {len(headings)}
    return headings, read


@pytest.mark.parametrize("tool", HEADINGS)
def test_headings_are_those_of_the_tool_and_every_theme_has_a_row(result, tool):
    headings, read = rows(result, tool)
    assert headings == HEADINGS[tool]
    assert [row[0] for row in read] == [theme.called("en") for theme in result.themes]


def test_jira_gets_types_priorities_and_labels_without_blanks(result):
    first, second, *others = result.themes
    themes = routed(first, "Mobile & web"), routed(second, None), *others
    told = ranked(replace(result, themes=themes), T02=1, T01=2, T03=7)
    _, read = rows(told, "jira")
    titles = {theme.id: theme.called("en") for theme in result.themes}
    assert [row[0] for row in read[:3]] == [titles["T02"], titles["T01"], titles["T03"]]
    assert [row[2:] for row in read[:3]] == [
        ["Task", "High", "customer-feedback", "", ""],  # mostly other: no wish, though two are
        ["Bug", "Medium", "customer-feedback", "problem", "Mobile-&-web"],
        ["Task", "Low", "customer-feedback", "", ""],
    ]
    assert all(row[3] == "" for row in read[3:])  # no band, no priority of ours
    assert not any(" " in label for row in read for label in row[4:])


def test_linear_reads_what_was_meant(result):
    """As its command-line import reads: priorities by name, labels parted by a comma and a blank."""
    known = {"No priority": 0, "Urgent": 1, "High": 2, "Medium": 3, "Low": 4}
    first, *others = result.themes
    told = ranked(replace(result, themes=(routed(first, "Web"), *others)), T01=1)
    _, read = rows(told, "linear")
    assert [known[row[3]] for row in read] == [2, *[0] * (len(read) - 1)]
    assert read[0][5].split(", ") == ["customer-feedback", "problem", "Web"]
    assert {row[2] for row in read} == {"Backlog"}


def test_a_ticket_says_how_many_how_sure_and_what_in_their_words(result):
    theme = result.themes[0]
    _, read = rows(result, "productboard")
    first, *quotes, blank, last = read[0][1].splitlines()
    low, high = (f"{end:.1%}" for end in theme.interval)
    told = (
        f"{theme.messages} messages",
        f"{theme.share:.1%} of all",
        f"95% interval {low} to {high}",
    )
    assert [part for part in told if part not in first] == []
    assert [
        quote[3 : len(message.text) + 3]
        for quote, message in zip(quotes[1:], theme.quotes, strict=True)
    ] == [message.text for message in theme.quotes]
    assert (blank, last) == ("", "Read it all: theme-t01.html, beside the readout.")
    assert last.split(": ")[1].split(",")[0] in result.documents("en")


def test_customers_and_stars_are_told_where_they_are_known(result):
    known = replace(result.themes[0], customers=1234, rating=2.25)
    _, read = rows(replace(result, themes=(known,)), "jira")
    assert read[0][1].splitlines()[1:3] == ["Customers: 1,234", "Stars: 2.2"]


HOSTILE = '=HYPERLINK("https://pwned.invalid","x"), <b>&amp;\n"q" {{ 7 * 7 }}'


@pytest.mark.parametrize("tool", HEADINGS)
def test_nothing_from_outside_runs_parts_a_row_or_is_changed(result, tool):
    theme = result.themes[0]
    quoted = replace(theme.quotes[0], text=HOSTILE, source='"\r\n,', id="=1+1")
    one = replace(theme, title=HOSTILE, phrases=(), quotes=(quoted,))
    one = routed(one, '=2+2,"\n x')
    _, ((title, text, *rest),) = rows(replace(result, themes=(one,)), tool)
    assert title == f"'{HOSTILE}"  # Linear takes the apostrophe off, as in its own exports
    assert re.sub("^'(?=[=+@-])", "", title) == HOSTILE
    assert HOSTILE.replace("\n", " ") in text
    assert not any(cell.startswith(("=", "+", "@", "-")) for cell in (text, *rest))


@pytest.mark.parametrize("tool", HEADINGS)
def test_the_file_is_utf_8_without_a_mark_before_its_first_heading(result, tool):
    title = "Détail œ €"
    named = replace(result, themes=(replace(result.themes[0], title=title, phrases=()),))
    content = handover.files(named, named.voice("fr"))[f"{tool}.csv"]
    assert content.startswith(HEADINGS[tool][0].encode() + b",")
    assert f"\n{title}," in content.decode("utf-8")
    assert content.endswith(b"\n")
    assert b"\r" not in content


def test_it_speaks_the_language_of_the_run_and_is_the_same_each_time(result):
    assert "intervalle à 95 %" in rows(result, "jira", "fr")[1][0][1]
    assert handover.files(result, result.voice("fr")) == handover.files(result, result.voice("fr"))
    english, french = result.documents("en"), result.documents("fr")
    assert english["jira.csv"] != french["jira.csv"]
    assert result.files() == result.files()  # the record names these: the same in every language
    assert not {"jira.csv", "linear.csv", "productboard.csv"} & set(result.files())


def test_no_more_rows_than_jira_takes_from_those_who_do_not_administer_it(result):
    many = [replace(result.themes[0], id=f"T{number:03d}") for number in range(300)]
    _, read = rows(ranked(replace(result, themes=tuple(many)), T299=1), "jira")
    assert len(read) == 250
    assert read[0][3] == "High"


def test_nothing_is_handed_over_that_is_not_to_be_relied_on(result):
    red = Check("stability", "fail", Message("feedback.coverage_none", {"messages": 1}), None, True)
    broken = replace(result, checks=(red,))
    assert handover.files(broken, broken.voice("en")) == {}
    assert not any(name.endswith(".csv") for name in broken.documents("en"))
    empty = replace(result, themes=())
    assert handover.files(empty, empty.voice("en")) == {}
