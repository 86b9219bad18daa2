"""Take the pictures of docs/gallery.md: the sample's pages in a real browser, in few colours.

Needs the extras ``browser`` and ``lab`` and a Chromium or Chrome, on the PATH or named in
``OPSLAB_CHROMIUM``::

    python docs/gallery.py            # all pictures
    python docs/gallery.py notebooks  # those of the notebooks in JupyterLab alone

Each run is made afresh in a folder of its own. The letters are those of the machine's own interface
font, so the pictures of two machines differ; the pages do not.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

ROOT = Path(__file__).parents[1]
FOLDER = Path(__file__).with_name("gallery")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
)
COLOURS = 96


@dataclass(frozen=True)
class Picture:
    """One picture: which page, how large a window, light or dark, and the part at its top."""

    name: str
    page: str
    size: tuple[int, int] = (1280, 800)
    scheme: str = "light"
    scale: float = 1.5
    part: str | None = None


PICTURES = (
    Picture("ship", "ship"),
    Picture("effects-dark", "ship", (1280, 860), "dark", part="h2#what-changed"),
    Picture("broken", "broken"),
    Picture("french", "french"),
    Picture("phone", "ship", (390, 844)),
    Picture("failure", "failure", (1280, 480)),
    Picture("catalogue", "catalogue", (1280, 480)),
    Picture("time-saved", "time saved", (1280, 1240)),
    Picture("backlog", "backlog", (1280, 1240)),
    Picture("gate", "gate", (1280, 1240)),
    Picture("flow", "flow", (1280, 1240)),
    Picture("roadmap", "roadmap", (1280, 1240)),
    Picture("case", "case", (1280, 1240)),
    Picture("feedback", "feedback"),
    Picture("feedback-themes", "feedback", (1280, 900), part="h2#what-customers-say"),
)

NOTEBOOKS = {
    "experiment_readout": "look-spread",
    "feedback_themes": "look-sources",
    "time_saved": "look-today",
    "business_case": "look-npv",
}
"""Notebooks, and the cell of exploration that stands at the top of the picture."""


def main() -> None:
    """Make the pages and take the pictures."""
    from playwright.sync_api import sync_playwright

    path = os.environ.get("OPSLAB_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)))
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=list(QUIET))
        if sys.argv[1:] != ["notebooks"]:
            pages = make_pages(Path(folder, "pages"))
            for picture in PICTURES:
                keep(picture.name, take(browser, picture, pages[picture.page]))
        with jupyterlab(Path(folder, "lab")) as address:
            for name, cell in NOTEBOOKS.items():
                keep(f"notebook-{name}", in_jupyterlab(browser, address, name, cell))
        browser.close()


def keep(name: str, picture: Image.Image) -> None:
    """Write a picture, and say how large it is."""
    target = FOLDER / f"{name}.png"
    picture.save(target, optimize=True)
    print(f"{target.relative_to(ROOT)}  {target.stat().st_size / 1000:.0f} kB")


def make_pages(folder: Path) -> dict[str, Path]:
    """Run the sample in a workspace of its own; return the pages by name."""
    import opslab
    from opslab.errors import OpslabError
    from opslab.runs.catalogue import write_catalogue

    make_workspace(folder)
    os.environ["OPSLAB_WORKSPACE"] = str(folder)
    notebook, spec = "experiment_readout", "data/sample/checkout.yaml"
    runs = {
        "ship": opslab.run(notebook, spec=spec),
        "broken": opslab.run(notebook, spec="data/sample/search_ranking.yaml"),
    }
    runs["feedback"] = opslab.run("feedback_themes")
    catalogue = write_catalogue(folder / "reports")
    listed = catalogue.rename(catalogue.with_name("listed.html"))
    runs["time saved"] = opslab.run("time_saved")
    runs["program"] = opslab.run("experiment_program")
    runs["backlog"] = opslab.run("prioritisation")
    runs["gate"] = opslab.run("launch_readiness")
    runs["flow"] = opslab.run("flow_review")
    runs["roadmap"] = opslab.run("roadmap")
    opslab.run("business_case", spec="data/sample/product_ops_april.yaml")
    runs["case"] = opslab.run("business_case")
    runs["french"] = opslab.run(notebook, spec=spec, language="fr")
    data = folder / "data" / "sample" / "checkout.csv"
    lines = data.read_text(encoding="utf-8").splitlines(keepends=True)
    data.write_text(
        "".join([lines[0], lines[1].rpartition(",")[0] + ",many\n", *lines[2:]]), encoding="utf-8"
    )
    try:
        opslab.run(notebook, spec=spec)
    except OpslabError:
        failure = next((folder / "reports").glob("*/*/*.failed/failure.html"))
    pages = {name: run.folder / "readout.html" for name, run in runs.items()}
    return pages | {"catalogue": listed, "failure": failure}


def make_workspace(folder: Path) -> None:
    """Make a workspace with the notebooks and the sample."""
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    shutil.copytree(ROOT / "data" / "sample", folder / "data" / "sample")
    (folder / "opslab.toml").touch()


@contextmanager
def jupyterlab(folder: Path) -> Iterator[str]:
    """Start JupyterLab on a workspace with settings of its own; give its address."""
    make_workspace(folder / "workspace")
    news = {"@jupyterlab/apputils-extension:announcements": True}
    settings = folder / "config/lab/user-settings/@jupyterlab"
    for path, content in (
        (folder / "config/labconfig/page_config.json", {"disabledExtensions": news}),
        (settings / "notebook-extension/tracker.jupyterlab-settings", {"windowingMode": "none"}),
    ):
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(content), encoding="utf-8")
    own = {f"JUPYTER_{name}_DIR": str(folder / name.lower()) for name in ("DATA", "RUNTIME")}
    environment = os.environ | own | {"JUPYTER_CONFIG_DIR": str(folder / "config")}
    environment.pop("OPSLAB_WORKSPACE", None)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    options = ["--no-browser", "--ServerApp.ip=127.0.0.1", "--allow-root", f"--port={port}"]
    server = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "opslab", "lab", *options, f"--IdentityProvider.token={token}"],
        cwd=folder / "workspace",
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api/status?token={token}").close()
                break
            except urllib.error.URLError:
                time.sleep(0.5)
        yield f"http://127.0.0.1:{port}/lab/tree/notebooks/{{}}.ipynb?token={token}&reset"
    finally:
        server.terminate()
        server.wait(30)


def in_jupyterlab(browser: Any, address: str, name: str, cell: str) -> Image.Image:
    """Return a picture of a notebook whose cells have all been run, from one of them on."""
    notebook = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text("utf-8"))
    at = [known["id"] for known in notebook["cells"]].index(cell)
    window = browser.new_page(viewport={"width": 1280, "height": 1000}, device_scale_factor=1.5)
    window.set_default_timeout(240_000)
    window.goto(address.format(name))
    window.locator(".jp-NotebookPanel .jp-Cell").first.wait_for()
    window.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    for item in ("Run", "Run All Cells"):
        window.get_by_role("menuitem", name=item, exact=True).click()
    window.wait_for_function(
        "() => [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')]"
        ".every(prompt => /\\d/.test(prompt.textContent))"
    )
    window.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()
    window.keyboard.press("Control+b")  # the side bar away
    window.wait_for_timeout(1_000)
    window.locator(".jp-NotebookPanel .jp-Cell").nth(at).evaluate(
        "cell => cell.scrollIntoView({block: 'start'})"
    )
    window.wait_for_timeout(1_000)
    shot = Image.open(BytesIO(window.screenshot())).convert("RGB")
    window.close()
    return shot.quantize(COLOURS, dither=Image.Dither.NONE)


def take(browser: Any, picture: Picture, page: Path) -> Image.Image:
    """Return a picture of a page, in few colours."""
    width, height = picture.size
    window = browser.new_page(
        viewport={"width": width, "height": height},
        color_scheme=picture.scheme,
        device_scale_factor=picture.scale,
    )
    window.goto(page.as_uri())
    if picture.part:
        window.evaluate(
            "part => scrollBy(0, document.querySelector(part).getBoundingClientRect().top - 40)",
            picture.part,
        )
    shot = Image.open(BytesIO(window.screenshot())).convert("RGB")
    window.close()
    return shot.quantize(COLOURS, dither=Image.Dither.NONE)


if __name__ == "__main__":
    main()
