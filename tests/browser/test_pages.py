"""The pages in a real browser, opened from disk as a reader opens them: one quickly, then the rest."""

from __future__ import annotations

import re
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

from conftest import first_quickly, make_workspace
from opslab.cli import main

DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
A4 = (595, 842)  # points
INSIDE = 680  # CSS pixels between the margins of an A4 page: 180 mm
RUNS = {
    "healthy": ("experiment_readout", ["spec=data/sample/checkout.yaml"], 0),
    "broken": ("experiment_readout", ["spec=data/sample/search_ranking.yaml"], 3),
    "french": ("experiment_readout", ["spec=data/sample/checkout.yaml", "language=fr"], 0),
    "wide": (
        "experiment_readout",
        ["spec=data/sample/wide.yaml", "language=fr", "as_of=2026-10-01"],
        0,
    ),
    "time saved": ("time_saved", ["language=fr"], 0),
    "case": ("business_case", ["language=fr", "draws=20000"], 0),
    "backlog": ("prioritisation", ["language=fr"], 0),
    "looks": ("experiment_readout", ["spec=data/sample/express.yaml", "language=fr"], 0),
    "plan": ("experiment_plan", ["language=fr"], 0),
    "program": ("experiment_program", ["language=fr"], 0),
    "flow": ("flow_review", ["language=fr"], 0),
    "gate": ("launch_readiness", ["language=fr"], 0),
    "launch": ("launch_report", ["language=fr"], 0),
    "documents": ("standards_review", ["language=fr"], 0),
    "roadmap": ("roadmap", ["language=fr"], 0),
    "decisions": ("decision_review", ["language=fr"], 0),
    "change": ("change_review", ["language=fr"], 0),
    "practices": ("practice_review", ["language=fr"], 0),
    "contribution": ("contribution", ["language=fr"], 0),
    "digest": ("digest", ["language=fr"], 0),
    "failure": ("experiment_readout", ["spec=data/sample/wrong.yaml"], 2),
}
SERIOUS = {"serious", "critical"}


def wide_spec(folder):
    """Write an experiment with three arms, many metrics and long French names."""
    random = np.random.default_rng(7)
    arms = ["actuel", "libellé court", "libellé court avec pictogramme"]
    arm = np.arange(1_500) % 3
    data = pd.DataFrame({"id": range(1_500), "bras": [arms[place] for place in arm]})
    metrics = []
    for place in range(6):
        data[f"m{place}"] = random.gamma(2, 10.0 ** (place + 1), 1_500)
        role = (
            {"role": "guardrail", "margin": {"relative": 0.03}}
            if place > 3
            else {"role": "primary"}
        )
        name = (
            f"dépense par visiteur en euros hors taxes et hors frais de livraison, semaine {place}"
        )
        metrics.append(
            {"name": name, "type": "mean", "column": f"m{place}", "goal": "increase"} | role
        )
    data.to_csv(folder / "wide.csv", index=False)
    spec = {
        "experiment": "libelle-du-bouton-de-commande-de-la-page-panier",
        "question": "Un libellé plus court fait-il monter la part des visites qui finissent par une commande ?",
        "owner": "équipe parcours d'achat",
        "data": {"path": "wide.csv", "rows": "unit"},
        "unit": "id",
        "arms": {"column": "bras", "control": arms[0], "weights": dict.fromkeys(arms, 1)},
        "metrics": metrics,
        "decision": {"primaries": "any", "blocking": ["sample_ratio"]},
    }
    (folder / "wide.yaml").write_text(yaml.safe_dump(spec, allow_unicode=True), encoding="utf-8")


@pytest.fixture(scope="module")
def pages(tmp_path_factory, browser):
    folder = make_workspace(tmp_path_factory.mktemp("pages") / "workspace")
    sample = folder / "data" / "sample"
    wide_spec(sample)
    table = (sample / "checkout.csv").read_text(encoding="utf-8")
    (sample / "wrong.csv").write_text(re.sub(r",\d+\.?\d*\n$", ",many\n", table), encoding="utf-8")
    wrong = (
        (sample / "checkout.yaml").read_text(encoding="utf-8").replace("checkout.csv", "wrong.csv")
    )
    (sample / "wrong.yaml").write_text(wrong, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("OPSLAB_WORKSPACE", raising=False)
        yield Pages(folder / "reports")


class Pages(dict):
    """Where each page is, by name; it is made when it is first asked for."""

    def __init__(self, reports):
        super().__init__()
        self.reports = reports

    def __missing__(self, name):
        if name == "catalogue":
            assert all(map(self.__getitem__, RUNS))
            return self.reports / "index.html"
        notebook, given, code = RUNS[name]
        before = set(self.reports.glob("*/*/*/*.html"))
        arguments = [part for parameter in given for part in ("-p", parameter)]
        done = CliRunner().invoke(main, ["run", notebook, *arguments])
        assert done.exit_code == code, done.output
        (self[name],) = set(self.reports.glob("*/*/*/*.html")) - before
        return self[name]


@pytest.fixture(params=first_quickly(*RUNS, "catalogue"))
def address(request, pages):
    return pages[request.param].as_uri()


@pytest.fixture
def opened(browser):
    """Return a function that opens an address in a fresh window, and notes what it asks for and says."""
    contexts = []

    def open_page(address, **settings):
        context = browser.new_context(**({"viewport": DESKTOP} | settings))
        contexts.append(context)
        page = context.new_page()
        page.asked, page.said = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()


def test_nothing_is_asked_of_anyone_and_nothing_is_said(address, opened):
    page = opened(address)
    assert [url for url in page.asked if not url.startswith("data:")] == [address]
    assert page.said == []
    assert all(page.eval_on_selector_all("img", "all => all.map(one => one.naturalWidth > 100)"))


@pytest.mark.parametrize("name", first_quickly("healthy", "catalogue", "failure"))
def test_a_script_that_got_in_would_not_run(pages, opened, tmp_path, name):
    source = pages[name].read_text(encoding="utf-8")
    scripts = '<script>document.title = "ran"</script><img src="data:," alt="" onerror="document.title = \'ran\'">'
    injected = source.replace("</main>", f"{scripts}</main>")
    (tmp_path / "injected.html").write_text(injected, encoding="utf-8")
    page = opened((tmp_path / "injected.html").as_uri())
    assert page.title() != "ran"
    assert any("Content Security Policy" in said for said in page.said)
    bare = re.sub(r"<meta[^>]*Content-Security-Policy[^>]*>", "", injected)
    (tmp_path / "bare.html").write_text(bare, encoding="utf-8")
    assert opened((tmp_path / "bare.html").as_uri()).title() == "ran"


def violations(page):
    axe = pytest.importorskip("axe_playwright_python", reason="axe is not installed: extra browser")
    page.evaluate(files(axe).joinpath("axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [(one["id"], one["impact"], one["nodes"][0]["html"]) for one in found]


def test_axe_finds_nothing_serious(address, opened):
    page = opened(address)
    for scheme, size in (("light", DESKTOP), ("dark", DESKTOP), ("light", PHONE)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(size)
        found = violations(page)
        assert [one for one in found if one[1] in SERIOUS] == [], (scheme, size)


def test_axe_would_find_it(pages, opened):
    page = opened(pages["healthy"].as_uri())
    page.evaluate("document.documentElement.style.setProperty('--soft', '#ccc')")
    page.evaluate("document.querySelector('img').removeAttribute('alt')")
    assert {"color-contrast", "image-alt"} <= {one[0] for one in violations(page)}


def test_the_keyboard_reaches_everything_and_shows_where_it_is(address, opened):
    page = opened(address)
    page.evaluate("document.querySelectorAll('details.more').forEach(one => { one.open = true })")
    wanted = page.eval_on_selector_all(
        ".skip, nav a, .scroll, summary, main a[href]", "all => all.map(one => one.outerHTML)"
    )
    reached = []
    for _ in range(len(wanted) + 20):
        page.keyboard.press("Tab")
        focus = page.evaluate(
            "() => { const one = document.activeElement, style = getComputedStyle(one), box = one.getBoundingClientRect();"
            "return {html: one.outerHTML, name: one.tagName, outline: style.outlineStyle,"
            " left: box.left, width: box.width} }"
        )
        if focus["name"] == "BODY":
            break
        assert focus["outline"] != "none", focus["html"][:80]
        assert focus["left"] >= 0, focus["html"][:80]
        assert focus["width"] > 0, focus["html"][:80]
        reached.append(focus["html"])
    assert reached[0] == wanted[0]
    assert set(wanted) <= set(reached)
    if page.locator("summary").count():
        page.locator("summary").last.focus()
        assert not page.locator("details").last.get_attribute("open")
        page.keyboard.press("Enter")
        assert page.locator("details").last.evaluate("one => one.open")


def test_the_skip_link_and_the_contents_lead_where_they_say(pages, opened):
    page = opened(pages["healthy"].as_uri())
    for link in page.locator(".skip, nav a").all():
        link.focus()
        page.keyboard.press("Enter")
        anchor = link.get_attribute("href")[1:]
        assert page.evaluate("location.hash") == f"#{anchor}"
        assert (
            page.evaluate(
                "name => document.getElementById(name).getBoundingClientRect().top", anchor
            )
            < 800
        )


OUTSIDE = """width => [...document.querySelectorAll('body *')]
  .filter(one => !one.parentElement.closest('.scroll, pre') || one.closest('.wide'))
  .filter(one => one.getClientRects().length && getComputedStyle(one).position !== 'absolute')
  .filter(one => !one.closest('.wide thead'))
  .filter(one => one.getBoundingClientRect().right > width + 0.5 || one.getBoundingClientRect().left < -0.5)
  .map(one => one.outerHTML.slice(0, 120))"""


def test_nothing_leaves_a_narrow_window(address, opened):
    page = opened(address, viewport=PHONE)
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    for width in (320, 390, 700):
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if width < 640:
            assert page.evaluate(OUTSIDE, width) == []


@pytest.mark.parametrize("name", first_quickly("healthy", "broken", "french"))
def test_the_first_screen_answers_without_scrolling(pages, opened, name):
    bottom = "part => document.querySelector(part).getBoundingClientRect().bottom"
    assert opened(pages[name].as_uri()).evaluate(bottom, ".facts") <= 800
    phone = opened(pages[name].as_uri(), viewport=PHONE)
    assert phone.evaluate(bottom, ".verdict") <= 844
    assert phone.evaluate("document.querySelector('.facts').getBoundingClientRect().top") <= 600


def test_figures_are_legible_on_a_phone(pages, opened):
    """The drawing's letters of 10 points, as they come out in CSS pixels."""
    page = opened(pages["healthy"].as_uri(), viewport=PHONE)
    shown, drawn = page.evaluate(
        "() => { const one = document.querySelector('img'); return [one.getBoundingClientRect().width, one.naturalWidth] }"
    )
    assert 10 * 96 / 72 * shown / drawn > 9


def test_paper_is_a4_and_cuts_nothing_off(address, opened, tmp_path):
    page = opened(address, viewport={"width": INSIDE, "height": 1000})
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") <= INSIDE
    widths = page.eval_on_selector_all(
        "table, img, pre, dl", "all => all.map(one => one.getBoundingClientRect().right)"
    )
    assert all(right <= INSIDE + 0.5 for right in widths)
    for hidden in ("nav", ".skip", "details.code"):
        assert not any(one.is_visible() for one in page.locator(hidden).all()), hidden
    assert all(one.is_visible() for one in page.locator("footer dd, .reasons li").all())
    printed = page.pdf(prefer_css_page_size=True)
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", printed)
    assert boxes
    assert {tuple(round(float(side)) for side in box) for box in boxes} == {A4}


def test_every_printed_page_names_the_run(pages):
    source = pages["healthy"].read_text(encoding="utf-8")
    rule = re.search(r'@bottom-left \{ content: "([^"]*)"', source)[1]
    told = re.sub(r"\\([0-9a-f]{6})", lambda found: chr(int(found[1], 16)), rule)
    assert told == pages["healthy"].parent.relative_to(pages.reports).as_posix()


def test_nothing_moves_and_forced_colours_keep_the_frames(address, opened):
    page = opened(address, reduced_motion="reduce", forced_colors="active")
    moving = page.eval_on_selector_all(
        "*",
        "all => all.map(one => getComputedStyle(one)).filter(one => one.animationName !== 'none'"
        " || parseFloat(one.transitionDuration) > 0 || one.scrollBehavior !== 'auto').length",
    )
    assert moving == 0
    frames = page.eval_on_selector_all(
        ".verdict, .note",
        "all => all.map(one => getComputedStyle(one)).map(one => [one.borderTopStyle, one.borderTopColor])",
    )
    assert all(
        style == "solid" and "0)" not in colour.replace("0, 0, 0)", "") for style, colour in frames
    )


def test_a_link_to_what_is_folded_unfolds_it(pages, opened):
    page = opened(pages["case"].as_uri())
    link = page.locator(".reasons a[href^='#ledger-']").first
    line = page.locator(link.get_attribute("href"))
    assert not line.is_visible()
    link.click()
    assert line.is_visible()


def test_what_is_folded_is_printed(pages, opened):
    page = opened(pages["case"].as_uri())
    folded = page.locator("details.more")
    assert folded.count() >= 3
    assert not page.locator("details.more summary ~ *").first.is_visible()
    page.emulate_media(media="print")
    assert all(one.is_visible() for one in page.locator("details.more summary ~ *").all())


def test_a_wide_table_stays_a_table_on_a_phone(pages, opened):
    """A phone's layout takes a table apart for the eye only: its parts keep their roles and names."""
    page = opened(pages["healthy"].as_uri(), viewport=PHONE)
    table = page.get_by_role("table", name=re.compile("Effects with"))
    assert table.get_by_role("row").count() == 4
    assert table.get_by_role("columnheader").count() == 8
    assert table.get_by_role("rowheader").count() == 3
    assert table.get_by_role("cell").count() == 21
    cell = table.locator("td").first
    assert cell.evaluate("one => getComputedStyle(one, '::before').content") == '"control"'


@pytest.mark.parametrize("name", first_quickly("plan", "looks", "program"))
def test_a_page_goes_into_a_mail(pages, name):
    assert pages[name].stat().st_size <= 250_000
