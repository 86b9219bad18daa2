"""Pages of hostile notebooks in a real browser: some quickly, then all that can be filed."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner

from conftest import first_quickly, make_workspace
from hostile_notebooks import CASES, GIVEN, hostile
from opslab.cli import main
from opslab.runs.job import Job
from opslab.runs.own_notebooks import find

LONGEST = 300_000
"""Milliseconds until a page counts as hung: the machine may be busy with Spark beside it."""
POLICY = re.compile(r"<meta[^>]*Content-Security-Policy[^>]*>")


@pytest.fixture(scope="module", params=first_quickly(8, 1))
def pages(request, tmp_path_factory):
    """File every case that can be filed, and beside each page the same without its policy."""
    folder = make_workspace(tmp_path_factory.mktemp("hostile") / "workspace")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("OPSLAB_WORKSPACE", raising=False)
        inputs = Job.of(find("experiment_readout"), GIVEN, folder).content["inputs"]
        for place, name in enumerate([*CASES][:: request.param]):
            (folder / "mine.ipynb").write_text(hostile(name, inputs), encoding="utf-8")
            CliRunner().invoke(main, ["render", "mine.ipynb", "--out", f"filed/{place}"])
    filed = sorted(folder.glob("filed/*/index.html")) + sorted(folder.glob("filed/*/*/*/*/*.html"))
    for page in list(filed):
        bare, count = POLICY.subn("", page.read_text(encoding="utf-8"), count=1)
        assert count == 1
        filed.append(page.with_name("bare.html"))
        filed[-1].write_text(bare, encoding="utf-8")
    return filed


def test_nothing_runs_nothing_moves_on_and_nothing_is_asked(pages, browser):
    assert len(pages) > 40
    context = browser.new_context()
    asked, seen = [], []

    def watched():
        page = context.new_page()
        page.on("framenavigated", lambda frame: asked.append(frame.url))
        page.on("dialog", lambda dialog: (seen.append(dialog.message), dialog.dismiss()))
        page.on("popup", lambda popup: seen.append(popup.url))
        page.on("pageerror", lambda error: seen.append(str(error)))
        page.on("console", lambda message: seen.append(message.text))
        return page

    context.on("request", lambda request: asked.append(request.url))
    for number, path in enumerate(pages):
        if number % 40 == 0:  # one that had shown 300 others was once seen to stall
            page = watched()
        address = path.as_uri()
        asked.clear()
        page.goto(address, timeout=LONGEST)
        page.wait_for_timeout(20)
        assert {url for url in asked if not url.startswith("data:image/")} == {address}
        assert page.evaluate("[window.pwned, document.title === 'pwned']") == [None, False]
        broken = "all => all.filter(one => one.complete && !one.naturalWidth).length"
        assert page.eval_on_selector_all("img", broken) == 0, address
    assert seen == []
    context.close()
