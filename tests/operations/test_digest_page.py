"""The digest as a reader meets it: one screen, Markdown, plain text, both languages, hostile words."""

import json
import re

import pytest
from click.testing import CliRunner
from digest_runs import digest, experiment, figure, file_run, found, reports

from conftest import ROOT, page_of
from opslab.cli import main
from opslab.messages import LANGUAGES
from opslab.report.styles import page_style

assert reports  # a fixture

NOW = "2026-09-10-0123abcd"
HOSTILE = (
    "<script>alert(1)</script> @channel <!here> [x](javascript:alert(1)) *b* `c` =1+1 | \u202e\n- y"
)


def hostile(reports):
    file_run(reports, f"experiment_readout/shop/{NOW}", experiment(arm=HOSTILE, metric=HOSTILE))
    asks = [{"ask": HOSTILE, "of": HOSTILE, "by": "2026-10-01"}]
    return digest(title=HOSTILE, audience=HOSTILE, asks=asks)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_from_outside_runs_links_or_calls_anybody(reports, language):
    result = hostile(reports)
    assert "<script" not in page_of(result, language)
    files = result.takeaway(language)
    markdown, text = files["digest.md"].decode(), files["digest.txt"].decode()
    assert "alert" in markdown
    assert not re.search(r"(?<!\\)<(?!\.\./)", markdown)
    assert re.findall(r"(?<!\\)\]\(<?([^)>]*)", markdown) == [
        f"../../../experiment_readout/shop/{NOW}/readout.html"
    ] * markdown.count("readout.html")
    for form in (markdown, text):
        assert not re.search("@[a-z]", form)
        assert "\u202e" not in form
    assert not re.search("<[!@a-z]", text)
    starts = {line[:2] for line in text.splitlines() if "alert" in line}
    assert starts <= {"- ", "<\u2060"}  # no line begins with a formula or a mark of its own


def test_the_markdown_is_read_as_it_is_meant(reports):
    """By mistune, which nbconvert reads Markdown with: links to readouts, and no other markup."""
    import mistune

    result = hostile(reports)
    page = mistune.create_markdown(escape=False)(result.takeaway("en")["digest.md"].decode())
    assert set(re.findall(r"<(\w+)", page)) == {"p", "strong", "ul", "li", "a"}
    assert set(re.findall('href="([^"]*)"', page)) == {
        f"../../../experiment_readout/shop/{NOW}/readout.html"
    }


def test_links_are_relative_or_stand_on_an_address_and_the_text_has_the_run(reports):
    file_run(reports, f"experiment_readout/shop/{NOW}", experiment())
    run = f"experiment_readout/shop/{NOW}"
    relative, absolute = digest(), digest(link="https://reports.example.com/a/")
    assert f"[{run}]" in relative.takeaway()["digest.txt"].decode()
    assert f'href="../../../{run}/readout.html"' in page_of(relative, "en")
    address = f"https://reports.example.com/a/{run}/readout.html"
    for name in ("digest.md", "digest.txt"):
        assert address in absolute.takeaway()[name].decode()
    assert f'href="{address}"' in page_of(absolute, "en")


@pytest.mark.parametrize(
    "link", ["http://x.example", "javascript:alert(1)", "https://x>y", "https://x y"]
)
def test_an_address_of_another_kind_is_refused(link):
    from opslab.errors import SpecError

    with pytest.raises(SpecError):
        digest(link=link)


def test_more_than_there_is_room_for_is_counted_and_stands_in_the_detail(reports):
    for number in range(6):
        file_run(reports, f"experiment_readout/shop-{number}/{NOW}", experiment(f"shop-{number}"))
    result = digest(most=4)
    brief, detail = repr(result.brief), repr(result.detail)
    assert brief.count("Ship “short”") == 4
    assert brief.count("2 more in the detail") == 2
    assert detail.count("Ship “short”") == 6
    assert result.takeaway()["digest.txt"].decode().count("- 2 more in the detail") == 2


def test_no_english_stands_on_a_french_page(reports):
    file_run(reports, f"experiment_readout/shop/{NOW}", experiment())
    file_run(reports, f"flow_review/desk/{NOW}", found(figure()))
    file_run(
        reports,
        "flow_review/desk/2026-08-10-0123abcd",
        found(figure(location=60, data="b"), data="b"),
    )
    page = page_of(digest("fr"), "fr")
    assert "English sentence" not in page
    assert not re.search(r"\b(since|days|against|by|of the)\b", re.sub("<[^>]*>", " ", page))


def test_the_record_is_the_same_in_both_languages_and_holds_keys(reports):
    file_run(reports, f"experiment_readout/shop/{NOW}", experiment())
    english, french = digest().record(), digest("fr").record()
    assert english == french == json.loads(json.dumps(english))
    assert english["news"][0]["words"]["key"] == "digest.experiment_ship"
    assert english["cites"] == [f"experiment_readout/shop/{NOW}"]
    assert english["evidence"] == []


def test_the_table_has_a_row_for_each_line(reports):
    file_run(reports, f"experiment_readout/shop/{NOW}", experiment())
    result = digest()
    frame = result.frame()
    assert list(frame.section) == ["Decided", "Learned"]
    assert frame.finding[0] == "Ship “short”, by the experiment's own rule"
    assert list(frame.figure_low.dropna()) == [0.02]


def test_a_run_is_filed_with_its_texts_and_packed_with_the_readouts_it_tells_of(
    workspace_folder, monkeypatch
):
    monkeypatch.delenv("OPSLAB_REPORTS", raising=False)
    runner = CliRunner()
    given = ["run", "experiment_readout", "--quiet"]
    assert runner.invoke(main, given).exit_code == 0
    done = runner.invoke(main, ["run", "digest", "--quiet"])
    assert done.exit_code == 0, done.output
    [folder] = (workspace_folder / "reports" / "digest" / "product-digest").iterdir()
    assert {"digest.md", "digest.txt", "readout.html"} <= {path.name for path in folder.iterdir()}
    page = (folder / "readout.html").read_text()
    assert 'href="../../../experiment_readout/checkout-button/' in page
    assert 'href="digest.md"' in page
    again = runner.invoke(main, ["run", "digest", "--quiet"])
    assert again.exit_code == 0
    assert len(list(folder.parent.iterdir())) == 1
    packed = runner.invoke(main, ["bundle", str(folder)])
    assert packed.exit_code == 0, packed.output
    assert (ROOT / "data" / "sample" / "product_digest.yaml").is_file()


@pytest.mark.parametrize("language", LANGUAGES)
def test_three_lines_in_each_section_stand_on_one_screen(reports, browser, language):
    gate = {
        "decision": "go",
        "readiness": 0.93,
        "threshold": 0.9,
        "blockers": [],
        "conditions": [],
        "launch_date": "2026-09-20",
    }
    asks = []
    for number in range(6):
        name = f"shop-{number}"
        file_run(reports, f"experiment_readout/{name}/{NOW}", experiment(name))
        file_run(reports, f"launch_readiness/{name}/{NOW}", gate)
        for day, location in (("2026-08-10", 20), ("2026-09-10", 40)):
            told = figure(f"{name}/lead", location, data=day)
            file_run(reports, f"flow_review/{name}/{day}-0123abcd", found(told, data=day))
        asks += [{"ask": "Send an example that had to wait", "of": "all", "by": "2026-10-19"}]
    screen = digest(language, asks=asks).first_screen()
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    inside = f"<header>{screen._repr_html_()}{screen.figure._repr_html_()}</header>"
    page.set_content(f"<!DOCTYPE html><style>{page_style()}</style><body>{inside}</body>")
    bottom = page.locator(".brief").evaluate("table => table.getBoundingClientRect().bottom")
    lines_shown = page.locator(".brief li").count()
    page.close()
    assert lines_shown == 15
    assert 500 < bottom <= 900
