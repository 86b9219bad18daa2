"""Take the pictures of docs/gallery.md: the sample's pages in a real browser, in few colours.

Needs the extra ``browser`` and a Chromium or Chrome, on the PATH or named in ``OPSLAB_CHROMIUM``::

    python docs/gallery.py

Each run is made afresh in a folder of its own. The letters are those of the machine's own interface
font, so the pictures of two machines differ; the pages do not.
"""

from __future__ import annotations

import os
import shutil
import tempfile
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
    Picture("case", "case", (1280, 1240)),
    Picture("feedback", "feedback"),
    Picture("feedback-themes", "feedback", (1280, 900), part="h2#what-customers-say"),
)


def main() -> None:
    """Make the pages and take the pictures."""
    from playwright.sync_api import sync_playwright

    path = os.environ.get("OPSLAB_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)))
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        pages = make_pages(Path(folder))
        browser = driver.chromium.launch(executable_path=path, args=list(QUIET))
        for picture in PICTURES:
            target = FOLDER / f"{picture.name}.png"
            take(browser, picture, pages[picture.page]).save(target, optimize=True)
            print(f"{target.relative_to(ROOT)}  {target.stat().st_size / 1000:.0f} kB")
        browser.close()


def make_pages(folder: Path) -> dict[str, Path]:
    """Run the sample in a workspace of its own; return the pages by name."""
    import opslab
    from opslab.errors import OpslabError
    from opslab.runs.catalogue import write_catalogue

    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    shutil.copytree(ROOT / "data" / "sample", folder / "data" / "sample")
    (folder / "opslab.toml").touch()
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
