"""A run as a message: true to the run, and nothing that it holds is a mark, a name or a link."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner
from test_catalogue import filed

from opslab.cli import main
from opslab.errors import InputError
from opslab.runs.share import share

FORMS = ("markdown", "slack", "teams", "text")
LINK = "https://reports.example.com/a%20b/readout.html?x=1&y=(2)"
FACTS = [
    "Lift \N{EN DASH} +8.0% (95% interval +2.5% to +13.7%)",
    "Units \N{EN DASH} 5,200",
    "Days \N{EN DASH} 28",
    "More \N{EN DASH} 1",
]
SHIP = {"action": "Ship short_label", "tone": "good", "headline": "Up 8.0%.", "facts": FACTS}
HOSTILE = (
    "<!channel> @here <@U1> *b* _i_ [x](javascript:alert(1)) <b>&amp; www.a.invalid {{DATE(1)}}"
)
CONTROLS = "\x1b[31m\u202e\n# two\r\n> lines"


@pytest.fixture
def run(tmp_path):
    return filed(tmp_path, "checkout-button", **SHIP)


@pytest.mark.parametrize("published", [True, False])
def test_text_is_what_the_run_says(run, published):
    address = LINK if published else (run / "readout.html").resolve().as_uri()
    assert share(run, "text", LINK if published else None).splitlines() == [
        "Experiment readout, checkout-button: Ship short_label",
        "Up 8.0%.",
        *(f"- {fact}" for fact in FACTS[:3]),
        address,
    ]
    assert share(run / "readout.html", "text", LINK) == share(run, "text", LINK)


def test_markdown_slack_and_teams_hold_the_same(run):
    assert share(run, "markdown", LINK).split("\n\n") == [
        "**Experiment readout, checkout\\-button\\: Ship short\\_label**",
        "Up 8.0%\\.",
        "- Lift \N{EN DASH} \\+8.0% (95% interval \\+2.5% to \\+13.7%\\)\n- Units \N{EN DASH} 5,200\n- Days \N{EN DASH} 28",
        f"[Open the readout](<{LINK}>)",
    ]
    slack = json.loads(share(run, "slack", LINK))
    title, said, opens = (block["text"] for block in slack["blocks"])
    assert [block["type"] for block in slack["blocks"]] == ["header", "section", "section"]
    assert title["text"] == slack["text"] == "Experiment readout, checkout-button: Ship short_label"
    assert said["text"] == "\n".join(["Up 8.0%.", *(f"• {fact}" for fact in FACTS[:3])])
    assert opens == {"type": "mrkdwn", "text": f"<{LINK}|Open the readout>"}
    teams = json.loads(share(run, "teams", LINK))
    (attached,) = teams["attachments"]
    card = attached["content"]
    assert (teams["type"], card["type"]) == ("message", "AdaptiveCard")
    assert [block["inlines"][0]["text"] for block in card["body"]] == [
        title["text"],
        *said["text"].split("\n"),
    ]
    assert card["actions"] == [{"type": "Action.OpenUrl", "title": "Open the readout", "url": LINK}]


def test_a_page_of_this_machine_is_no_link_for_others(run):
    address = (run / "readout.html").resolve().as_uri()
    slack = json.loads(share(run, "slack"))
    assert slack["blocks"][-1]["text"] == {"type": "plain_text", "text": address, "emoji": False}
    card = json.loads(share(run, "teams"))["attachments"][0]["content"]
    assert card["actions"] == []
    assert card["body"][-1]["inlines"][0]["text"] == address


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("form", FORMS)
def test_a_red_run_says_so_first(tmp_path, form, language):
    red = SHIP | {"status": "check_failed", "parameters": {"language": language}}
    shared = share(filed(tmp_path, "mine", **red), form)
    begins = {"en": "A check failed", "fr": "Un contrôle a échoué"}
    if form == "slack":
        blocks = json.loads(shared)["blocks"]
        assert blocks[0]["text"]["text"].startswith(begins[language])
        assert json.loads(shared)["text"].startswith(begins[language])
    elif form == "teams":
        body = json.loads(shared)["attachments"][0]["content"]["body"]
        assert body[0]["inlines"][0]["text"].startswith(begins[language])
    else:
        assert shared.removeprefix("**").startswith(begins[language])


@pytest.mark.parametrize("form", FORMS)
def test_what_a_run_holds_is_shown_as_it_stands(tmp_path, form):
    text = HOSTILE + CONTROLS
    about = {"action": text, "headline": text, "facts": [text] * 3}
    folder = filed(tmp_path, "mine", **about)
    shared = share(folder, form, LINK)
    assert not {"\x1b", "\u202e", "\r"} & set(shared)
    if form == "text":
        assert len(shared.splitlines()) == 6
    if form == "markdown":
        bare = re.sub(r"\\[!-/:-@\[-`{-~]", "", shared.partition("\n\n[Open")[0])
        assert not re.search(r"[<>\[\]_`#@!]|www\.", bare)
        assert bare.count("*") == 4, "the title is bold, and nothing else"
        assert len(re.findall("(?m)^- ", bare)) == 3
    if form == "slack":
        payload = json.loads(shared)
        assert not {"<", ">"} & set(payload["text"])
        kinds = [block["text"]["type"] for block in payload["blocks"]]
        assert kinds == ["plain_text", "plain_text", "mrkdwn"]
        assert payload["blocks"][-1]["text"]["text"] == f"<{LINK}|Open the readout>"
    if form == "teams":
        card = json.loads(shared)["attachments"][0]["content"]
        assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
        assert "msteams" not in card


def test_long_lines_are_cut_to_what_a_header_and_a_section_take(tmp_path):
    about = {"action": "x" * 9_000, "headline": "y" * 9_000, "facts": ["z" * 9_000] * 3}
    blocks = json.loads(share(filed(tmp_path, "mine", **about), "slack", LINK))["blocks"]
    lengths = [len(block["text"]["text"]) for block in blocks]
    assert lengths[0] == 150
    assert lengths[1] <= 3_000
    assert blocks[0]["text"]["text"].endswith("…")


def test_what_is_no_whole_run_is_not_shared(tmp_path, run):
    with pytest.raises(InputError, match="This is not a complete run"):
        share(tmp_path, "text")
    with pytest.raises(InputError, match="This is not a complete run"):
        share(filed(tmp_path, "failing", status="failed"), "text")
    (run / "readout.html").write_text("other", encoding="utf-8")
    with pytest.raises(InputError, match=r"cannot be read \(readout.html\)"):
        share(run, "text")


@pytest.mark.parametrize(
    "link",
    ["", "x", "javascript:alert(1)", "https://a.invalid/|x", "https://a.invalid/>x", "file:///a"],
)
def test_a_link_that_is_none_is_refused(run, link):
    done = CliRunner().invoke(main, ["share", str(run), "--as", "slack", "--link", link])
    assert done.exit_code == 2
    assert done.stderr.startswith("--link: ")
    assert done.stdout == ""


def test_the_command_prints_it(run):
    done = CliRunner().invoke(main, ["share", str(run), "--as", "teams", "--link", LINK])
    assert (done.exit_code, done.stdout) == (0, share(run, "teams", LINK) + "\n")
    assert CliRunner().invoke(main, ["share", str(run)]).stdout == share(run, "text") + "\n"
